/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites about maps and faults have in common: spaces, memory in them that is
 * written and read as a program would, and a pager whose reads can be stopped.
 */
#ifndef _UMA_VM_SPACE_TEST_H
#define _UMA_VM_SPACE_TEST_H

#include <linux/prandom.h>

#include "vm_test.h"
#include "vmsim/fault.h"
#include "vmsim/kmem.h"
#include "vmsim/map.h"
#include "vmsim/vmspace.h"

/* Where the suites' spaces lie. */
#define SPACE_MIN	(16 * PAGE_SIZE)
#define SPACE_MAX	BIT(40)

/* An address, in pages from there. */
#define AT(page)	(SPACE_MIN + (unsigned long)(page) * PAGE_SIZE)

static inline struct vmspace *space_new(struct kunit *test)
{
	struct vmspace *vm = vmspace_alloc(SPACE_MIN, SPACE_MAX);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	return vm;
}

static inline struct vmspace *space_fork(struct kunit *test, struct vmspace *vm)
{
	struct vmspace *child = vmspace_fork(vm);

	KUNIT_ASSERT_FALSE(test, IS_ERR(child));
	return child;
}

/* Map an object, or zeroes, for reading and writing. */
static inline void space_map(struct kunit *test, struct vmspace *vm, u32 page,
			     u32 n, struct vm_object *object, int cow)
{
	unsigned long addr = AT(page);

	KUNIT_ASSERT_EQ(test, 0, vm_map_find(vm->vm_map, object, 0, &addr,
					     n * PAGE_SIZE, false, VM_PROT_RW,
					     VM_PROT_ALL, cow));
	KUNIT_ASSERT_EQ(test, addr, AT(page));
}

/* Write one byte; 0 or an errno. */
static inline int space_put(struct vmspace *vm, u32 page, u8 byte)
{
	return vm_access(vm->vm_map, AT(page) + 5, &byte, 1, VM_PROT_WRITE,
			 NULL);
}

/* Read it; the byte or an errno. */
static inline int space_get(struct vmspace *vm, u32 page)
{
	u8 byte;
	int error = vm_access(vm->vm_map, AT(page) + 5, &byte, 1, VM_PROT_READ,
			      NULL);

	return error ?: byte;
}

static inline struct vm_page *space_page(struct vmspace *vm, u32 page)
{
	return pmap_extract(vm->vm_pmap, AT(page));
}

static inline struct pmap_statistics space_stats(struct vmspace *vm)
{
	struct pmap_statistics st;

	pmap_stats(vm->vm_pmap, &st);
	return st;
}

/* All that a map says about itself is true. */
static inline void space_check(struct kunit *test, struct vmspace *vm)
{
	const char *wrong;

	vm_map_lock(vm->vm_map);
	wrong = vm_map_check(vm->vm_map);
	vm_map_unlock(vm->vm_map);
	KUNIT_EXPECT_NULL_MSG(test, wrong, "%s", wrong);
}

/* A copy of the entry at a page; its node's end is 0 if there is none. */
static inline struct vm_map_entry space_entry(struct vmspace *vm, u32 page)
{
	struct vm_map_entry *entry, copy = {};

	vm_map_lock(vm->vm_map);
	if (vm_map_lookup_entry(vm->vm_map, AT(page), &entry))
		copy = *entry;
	vm_map_unlock(vm->vm_map);
	return copy;
}

/* The object that is shown at a page, or NULL. */
static inline struct vm_object *space_object(struct vmspace *vm, u32 page)
{
	return space_entry(vm, page).object;
}

/* The translations of some pages of an entry go. */
static inline void space_forget(struct vmspace *vm, u32 page, u32 end)
{
	struct vm_object *object = space_object(vm, page);

	vm_object_lock(object);
	pmap_remove(vm->vm_pmap, AT(page), AT(end));
	vm_object_unlock(object);
}

static inline unsigned long space_entries(struct vmspace *vm)
{
	return vm->vm_map->tree.count;
}

/* ---- a pager ------------------------------------------------------------ */

/**
 * struct vm_test_disk - what is behind an object: page i is full of i + 1
 * @reads: pages that were asked for
 * @error: what a read ends with, VM_PAGER_OK for success
 * @act: called once, while a page is on its way and nothing is locked; or NULL
 * @arg: for @act
 */
struct vm_test_disk {
	unsigned int reads;
	enum vm_pager_result error;
	void (*act)(void *arg);
	void *arg;
};

static inline bool vm_test_disk_haspage(struct vm_object *object, u64 pindex,
					unsigned int *before,
					unsigned int *after)
{
	if (before)
		*before = min_t(u64, pindex, VM_PAGER_MAX);
	if (after)
		*after = min_t(u64, object->size - 1 - pindex, VM_PAGER_MAX);
	return pindex < object->size;
}

static inline enum vm_pager_result
vm_test_disk_getpages(struct vm_object *object, struct vm_page **m,
		      unsigned int count, unsigned int reqpage)
{
	struct vm_test_disk *disk = object->handle;
	void (*act)(void *arg) = disk->act;
	unsigned int i;

	/* As real ones do: what is in the object may change meanwhile. */
	vm_object_unlock(object);
	disk->act = NULL;
	if (act)
		act(disk->arg);
	cond_resched();
	vm_object_lock(object);
	disk->reads++;
	for (i = 0; i < count; i++) {
		if (disk->error == VM_PAGER_OK) {
			memset(vm_page_kva(m[i]), m[i]->pindex + 1, PAGE_SIZE);
			m[i]->valid = VM_PAGE_BITS_ALL;
			vm_page_undirty(m[i]);
		}
		if (i == reqpage)
			continue;
		if (disk->error == VM_PAGER_OK) {
			vm_page_lock_queues();
			vm_page_deactivate(m[i]);
			vm_page_unlock_queues();
			vm_page_wakeup(m[i]);
		} else {
			vm_page_free(m[i]);
		}
	}
	return disk->error;
}

static const struct vm_pager_ops vm_test_disk_ops __maybe_unused = {
	.name = "disk",
	.haspage = vm_test_disk_haspage,
	.getpages = vm_test_disk_getpages,
};

/* An object with a disk behind it, with one reference. */
static inline struct vm_object *disk_object(struct kunit *test,
					    struct vm_test_disk *disk, u64 size)
{
	struct vm_object *object = vm_object_allocate(OBJT_VNODE, size);

	KUNIT_ASSERT_NOT_NULL(test, object);
	*disk = (struct vm_test_disk) { .error = VM_PAGER_OK };
	object->ops = &vm_test_disk_ops;
	object->handle = disk;
	return object;
}

/* Physical maps keep their memory for good, so they get it first. */
static inline int space_test_init(struct kunit *test)
{
	struct pmap *pmap[48];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pmap); i++)
		pmap[i] = pmap_create();
	for (i = 0; i < ARRAY_SIZE(pmap); i++)
		pmap_release(pmap[i]);
	return vm_test_init(test);
}

#endif /* _UMA_VM_SPACE_TEST_H */
