// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps: what is cut is joined again, what is wired stays, what a child inherits is what
 * was said; and many spaces at once beside a model that copies everything at once.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "uma_test.h"
#include "vm_io_test.h"
#include "vm_space_test.h"
#include "vmsim/mmap.h"
#include "vmsim/pagers.h"

#define WIRE_USER	VM_MAP_WIRE_USER
#define WIRE_SYSTEM	VM_MAP_WIRE_SYSTEM

static int wire(struct vmspace *vm, u32 page, u32 end, int flags)
{
	return vm_map_wire(vm->vm_map, AT(page), AT(end), flags);
}

static int unwire(struct vmspace *vm, u32 page, u32 end, int flags)
{
	return vm_map_unwire(vm->vm_map, AT(page), AT(end), flags);
}

static int protect(struct vmspace *vm, u32 page, u32 end, u8 prot)
{
	return vm_map_protect(vm->vm_map, AT(page), AT(end), prot, false);
}

static int inherit(struct vmspace *vm, u32 page, u32 end, enum vm_inherit how)
{
	return vm_map_inherit(vm->vm_map, AT(page), AT(end), how);
}

static int unmap(struct vmspace *vm, u32 page, u32 end)
{
	return vm_map_remove(vm->vm_map, AT(page), AT(end));
}

static unsigned int wirings(struct vmspace *vm, u32 page)
{
	return space_entry(vm, page).wired_count;
}

/* ---- the lock ----------------------------------------------------------- */

struct reader {
	struct vm_test_thread thread;
	struct vmspace *vm;
	int byte;
};

static void read_a_byte(void *arg)
{
	struct reader *r = arg;

	r->byte = space_get(r->vm, 1);
}

static void mp_02_look_ups_share_the_lock(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct reader r = { .vm = vm };

	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 2), 0);
	space_forget(vm, 0, 4);
	/* A fault goes on beside another that has it locked. */
	vm_map_lock_read(vm->vm_map);
	vm_test_start(test, &r.thread, read_a_byte, &r);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&r.thread));
	KUNIT_EXPECT_EQ(test, r.byte, 2);
	vm_map_unlock_read(vm->vm_map);
	/* Not beside a change. */
	space_forget(vm, 0, 4);
	vm_map_lock(vm->vm_map);
	vm_test_start(test, &r.thread, read_a_byte, &r);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&r.thread));
	vm_map_unlock(vm->vm_map);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&r.thread));
	vmspace_free(vm);
}

/* A map made in order is a list; the fault that meets it makes it better. */
static void mp_02_a_long_way_is_gone_once(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	u64 steps;
	u32 i;

	for (i = 0; i < 600; i++)
		space_map(test, vm, 2 * i, 1, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 600);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 9), 0);
	space_forget(vm, 0, 1);
	steps = vm->vm_map->tree.steps;
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 9);
	/* Found by peeking: nothing was turned. */
	KUNIT_EXPECT_EQ(test, vm->vm_map->tree.steps, steps);
	space_check(test, vm);
	vmspace_free(vm);
}

/* ---- wiring ------------------------------------------------------------- */

static void mp_03_the_users_wiring_is_one_or_none(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	u32 i;

	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 4);
	KUNIT_EXPECT_EQ(test, space_stats(vm).wired, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, space_page(vm, i)->wire_count, 1);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 1);
	KUNIT_EXPECT_EQ(test, unwire(vm, 1, 3, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 2);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 1);
	KUNIT_EXPECT_EQ(test, wirings(vm, 1), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 3), 1);
	/* What is not wired cannot be unwired; nothing changes then. */
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 4, WIRE_USER), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 2);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 4);
	space_check(test, vm);
	/* The user's own does not keep a range. */
	KUNIT_EXPECT_EQ(test, unmap(vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 3);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
}

static void mp_03_neither_undoes_the_others(struct kunit *test)
{
	struct vmspace *vm = space_new(test);

	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_USER), 0);
	/* The log's bug: this took the user's away. */
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 4, WIRE_SYSTEM), -EINVAL);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 1);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 4);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 3);
	/* A page has one for its entry. */
	KUNIT_EXPECT_EQ(test, space_page(vm, 0)->wire_count, 1);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 4, WIRE_USER), -EINVAL);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 2);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 2, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 2);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 2, WIRE_SYSTEM), -EINVAL);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 2, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 1);
	space_check(test, vm);
	vmspace_free(vm);
}

static void mp_03_what_does_not_fault_counts_zero(struct kunit *test)
{
	struct vmspace *vm = space_new(test);

	space_map(test, vm, 0, 2, NULL, 0);
	space_map(test, vm, 2, 2, NULL, MAP_NOFAULT);
	space_map(test, vm, 4, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 6, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 1);
	KUNIT_EXPECT_EQ(test, wirings(vm, 2), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 4);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 6, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 2), 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 2, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 2), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 2, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	space_check(test, vm);
	vmspace_free(vm);
}

struct remover {
	struct vm_test_thread thread;
	struct vmspace *vm;
	int error;
};

static void remove_range(void *arg)
{
	struct remover *r = arg;

	r->error = unmap(r->vm, 0, 8);
}

static void mp_03_removal_waits_for_the_system(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct remover r = { .vm = vm, .error = 1 };

	space_map(test, vm, 0, 8, NULL, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 2, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 2, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 3, 7), 0);
	vm_test_start(test, &r.thread, remove_range, &r);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&r.thread));
	/* It is all there for whoever wired it. */
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 7);
	KUNIT_EXPECT_EQ(test, unwire(vm, 2, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&r.thread));
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 7);
	KUNIT_EXPECT_EQ(test, unwire(vm, 2, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&r.thread));
	KUNIT_EXPECT_EQ(test, r.error, 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 0);
	KUNIT_EXPECT_EQ(test, vm->vm_map->size, 0);
	vmspace_free(vm);
}

/* A wired page is not to fault again, so private copies are made while wiring. */
static void mp_03_wired_memory_is_ones_own(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child;
	struct vm_test_disk disk;
	struct vm_object *object = disk_object(test, &disk, 8);
	struct vm_page *m;
	u64 faults;

	space_map(test, vm, 0, 8, object, MAP_COPY_ON_WRITE);
	KUNIT_EXPECT_EQ(test, protect(vm, 0, 8, VM_PROT_READ), 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 8, WIRE_USER), 0);
	m = space_page(vm, 2);
	KUNIT_EXPECT_PTR_NE(test, m->object, object);
	KUNIT_EXPECT_EQ(test, protect(vm, 0, 8, VM_PROT_RW), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 2, 100), 0);
	KUNIT_EXPECT_PTR_EQ(test, space_page(vm, 2), m);
	/* A child has its copy at once, and the parent goes on without a fault. */
	child = space_fork(test, vm);
	faults = atomic64_read(&vm_cnt.faults);
	KUNIT_EXPECT_EQ(test, space_put(vm, 2, 101), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm_cnt.faults), faults);
	KUNIT_EXPECT_PTR_EQ(test, space_page(vm, 2), m);
	KUNIT_EXPECT_EQ(test, space_get(child, 2), 100);
	KUNIT_EXPECT_EQ(test, space_get(child, 7), 8);
	KUNIT_EXPECT_EQ(test, wirings(child, 2), 0);
	KUNIT_EXPECT_EQ(test, space_put(child, 2, 102), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 101);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 8);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 8, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	vmspace_free(child);
	vmspace_free(vm);
}

/*
 * Nor is it the page below that others who share the object will stop seeing as soon
 * as one of them writes, even if this one never may.
 */
static void mp_03_wired_memory_is_what_sharers_see(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *copier, *sharer;

	space_map(test, vm, 0, 1, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), 0);
	copier = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, inherit(vm, 0, 1, VM_INHERIT_SHARE), 0);
	sharer = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, 0, vm_map_protect(vm->vm_map, AT(0), AT(1),
						VM_PROT_READ, true));
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 1, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 1);
	KUNIT_EXPECT_EQ(test, space_put(sharer, 0, 2), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 2);
	KUNIT_EXPECT_EQ(test, space_stats(vm).wired, 1);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 1, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, space_get(copier, 0), 1);
	vmspace_free(copier);
	vmspace_free(sharer);
	vmspace_free(vm);
}

/*
 * Not even where nobody can ever write, and a copy seems to be for nothing: the pages
 * below are others' as well, who may be gone first, and then what hides them is dropped.
 */
static void mp_03_wired_memory_that_is_only_read(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *wirer, *sharer;
	unsigned long addr = AT(0);
	u32 i;

	KUNIT_ASSERT_EQ(test, 0, vm_map_find(vm->vm_map, NULL, 0, &addr,
					     4 * PAGE_SIZE, false, VM_PROT_READ,
					     VM_PROT_READ, 0));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), 0);
	wirer = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, wire(wirer, 0, 4, WIRE_USER), 0);
	/* Its own from the beginning, so that there is no copy to be made later. */
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_PTR_EQ(test, space_page(wirer, i)->object,
				    space_object(wirer, i));
	KUNIT_EXPECT_EQ(test, inherit(wirer, 0, 4, VM_INHERIT_SHARE), 0);
	sharer = space_fork(test, wirer);
	KUNIT_EXPECT_EQ(test, wire(sharer, 0, 4, WIRE_USER), 0);
	/* Both see the same page, wired twice. */
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_PTR_EQ(test, space_page(wirer, i),
				    space_page(sharer, i));
		KUNIT_EXPECT_EQ(test, space_page(sharer, i)->wire_count, 2);
	}
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 4);
	/* What was below comes up. */
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 4);
	KUNIT_EXPECT_EQ(test, unwire(wirer, 0, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 4);
	KUNIT_EXPECT_EQ(test, unwire(sharer, 0, 4, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	vmspace_free(sharer);
	vmspace_free(wirer);
}

static void mp_03_a_wiring_that_fails_changes_nothing(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_test_disk disk;

	space_map(test, vm, 0, 4, NULL, 0);
	space_map(test, vm, 4, 4, disk_object(test, &disk, 4), 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 2, WIRE_USER), 0);
	/* A page that cannot be had, and a hole. */
	disk.error = VM_PAGER_ERROR;
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 8, WIRE_USER), -EIO);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 8, WIRE_SYSTEM), -EIO);
	disk.error = VM_PAGER_OK;
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 9, WIRE_USER), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 2);
	KUNIT_EXPECT_EQ(test, wirings(vm, 1), 1);
	KUNIT_EXPECT_EQ(test, wirings(vm, 2), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 5), 0);
	space_check(test, vm);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 8, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 8);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 8, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 2, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 12,
				   WIRE_SYSTEM | VM_MAP_WIRE_HOLESOK), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 12,
				     WIRE_SYSTEM | VM_MAP_WIRE_HOLESOK), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	vmspace_free(vm);
}

/* What came into a hole meanwhile is nobody's to unwire, and in nobody's way. */
static void mp_03_a_hole_that_was_filled(struct kunit *test)
{
	const int flags = WIRE_SYSTEM | VM_MAP_WIRE_HOLESOK;
	struct vmspace *vm = space_new(test);

	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 8, flags), 0);
	space_map(test, vm, 5, 3, NULL, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 6, 7, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 8, WIRE_SYSTEM), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 5);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 8, flags), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 1);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 6), 1);
	space_check(test, vm);
	KUNIT_EXPECT_EQ(test, unmap(vm, 0, 8), 0);
	vmspace_free(vm);
}

/**
 * struct victim - who is killed while he wires
 * @vm: where
 * @error: what became of it
 * @faults: his faults so far
 */
struct victim {
	struct vmspace *vm;
	int error;
	unsigned int faults;
};

static struct victim *victim;

static void kill_victim(enum vm_steer_point point, void *obj)
{
	if (point == VM_STEER_FAULT_MAPPED && ++victim->faults == 2)
		send_sig(SIGKILL, current, 1);
}

static void wire_and_die(void *arg)
{
	struct victim *v = arg;

	allow_signal(SIGKILL);
	v->error = wire(v->vm, 0, 8, WIRE_USER);
	flush_signals(current);
}

static void mp_03_who_is_killed_stops_wiring(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct victim v = { .vm = vm };
	struct vm_test_thread thread;
	u32 i;

	space_map(test, vm, 0, 8, NULL, 0);
	/* So that no fault has anything to wait for. */
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, i), 0);
	victim = &v;
	vm_test_steer(kill_victim);
	vm_test_start(test, &thread, wire_and_die, &v);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&thread));
	vm_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, v.error, -EINTR);
	KUNIT_EXPECT_EQ(test, v.faults, 2);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, space_stats(vm).wired, 0);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 0);
	space_check(test, vm);
	vmspace_free(vm);
}

/**
 * struct breaker - who uses a page of a range that is being wired
 * @vm: where
 * @disk: what fails from then on
 */
struct breaker {
	struct vmspace *vm;
	struct vm_test_disk *disk;
};

static void use_and_break(void *arg)
{
	struct breaker *b = arg;

	space_get(b->vm, 2);
	b->disk->error = VM_PAGER_ERROR;
}

static void mp_03_a_failed_wiring_leaves_no_wired_translation(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_test_disk disk;
	struct breaker b = { .vm = vm, .disk = &disk };

	space_map(test, vm, 0, 4, disk_object(test, &disk, 4), 0);
	KUNIT_EXPECT_EQ(test, 0, vm_map_madvise(vm->vm_map, AT(0), AT(4),
						VM_ADV_RANDOM));
	disk.act = use_and_break;
	disk.arg = &b;
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_USER), -EIO);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 3);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, space_stats(vm).wired, 0);
	vmspace_free(vm);
}

/* A page can be wired so often, and then no more: that is an error, and no disaster. */
static void mp_03_a_page_has_65535_wirings(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_page *m;
	u16 was;

	space_map(test, vm, 0, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 1, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 1), 0);
	m = space_page(vm, 1);
	vm_page_lock_queues();
	vm_page_wire(m);
	was = m->wire_count;
	m->wire_count = U16_MAX;
	vm_page_unlock_queues();
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 2, WIRE_USER), -EOVERFLOW);
	KUNIT_EXPECT_EQ(test, m->wire_count, U16_MAX);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 1);
	KUNIT_EXPECT_EQ(test, wirings(vm, 1), 0);
	KUNIT_EXPECT_EQ(test, space_stats(vm).wired, 1);
	vm_page_lock_queues();
	m->wire_count = was;
	vm_page_unwire(m, true);
	vm_page_unlock_queues();
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 1, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 1);
	vmspace_free(vm);
}

/* While one wires, others cut the entry, wire it as well, and want it gone. */
static void cut_meanwhile(void *arg)
{
	protect(arg, 5, 6, VM_PROT_READ);
	protect(arg, 1, 2, VM_PROT_READ);
}

static void wire_as_well(void *arg)
{
	wire(arg, 2, 8, WIRE_SYSTEM);
}

static struct vm_test_thread second_wirer;

static void start_second_wirer(void *arg)
{
	cut_meanwhile(arg);
	second_wirer.fn = wire_as_well;
	second_wirer.arg = arg;
	init_completion(&second_wirer.done);
	kthread_run(vm_test_thread_main, &second_wirer, "vm wirer");
	schedule_timeout_idle(HZ / 20);
}

static void mp_03_an_entry_in_transition_is_left_alone(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_test_disk disk;
	struct vm_object *object = disk_object(test, &disk, 8);

	space_map(test, vm, 0, 8, object, 0);
	disk.act = start_second_wirer;
	disk.arg = vm;
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 8, WIRE_USER), 0);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&second_wirer));
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 8);
	KUNIT_EXPECT_EQ(test, wirings(vm, 0), 1);
	KUNIT_EXPECT_EQ(test, wirings(vm, 5), 2);
	KUNIT_EXPECT_EQ(test, space_entry(vm, 5).protection, VM_PROT_READ);
	space_check(test, vm);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 8, WIRE_USER), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 6);
	KUNIT_EXPECT_EQ(test, unwire(vm, 2, 8, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	vmspace_free(vm);
}

/* ---- inheritance -------------------------------------------------------- */

static void mp_04_what_is_not_inherited_is_not_counted(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child, *none;

	space_map(test, vm, 0, 12, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 1), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 5, 5), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 9, 9), 0);
	KUNIT_EXPECT_EQ(test, inherit(vm, 4, 8, VM_INHERIT_NONE), 0);
	KUNIT_EXPECT_EQ(test, inherit(vm, 8, 12, VM_INHERIT_SHARE), 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 3);
	child = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, vm->vm_map->size, 12 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, child->vm_map->size, 8 * PAGE_SIZE);
	space_check(test, child);
	space_check(test, vm);
	KUNIT_EXPECT_EQ(test, space_get(child, 5), -EFAULT);
	KUNIT_EXPECT_EQ(test, space_get(child, 1), 1);
	KUNIT_EXPECT_EQ(test, space_put(child, 1, 2), 0);
	KUNIT_EXPECT_EQ(test, space_put(child, 9, 10), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 1);
	KUNIT_EXPECT_EQ(test, space_get(vm, 9), 10);
	/* What was never touched is shared, too. */
	KUNIT_EXPECT_EQ(test, space_put(vm, 11, 3), 0);
	KUNIT_EXPECT_EQ(test, space_get(child, 11), 3);

	KUNIT_EXPECT_EQ(test, inherit(vm, 0, 12, VM_INHERIT_NONE), 0);
	/* The last two show the same object still, and are said the same of. */
	KUNIT_EXPECT_EQ(test, space_entries(vm), 2);
	none = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, none->vm_map->size, 0);
	KUNIT_EXPECT_EQ(test, space_entries(none), 0);
	/* Each is empty when it is freed, or that would be reported. */
	vmspace_free(none);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, space_get(child, 9), 10);
	vmspace_free(child);
}

/* Somebody else's reference, a fault's perhaps, that ends in the middle of a fork. */
static struct vm_object *passing_by;

static void pass_by(enum vm_steer_point point, void *obj)
{
	if (point != VM_STEER_FORK || obj != passing_by)
		return;
	passing_by = NULL;
	vm_object_deallocate(obj);
}

/* One side of a family lets go of memory that the other still shows. */
static void let_go_of_some(struct kunit *test, enum vm_inherit how)
{
	struct vmspace *vm = space_new(test), *child;

	space_map(test, vm, 0, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 2), 0);
	KUNIT_EXPECT_EQ(test, inherit(vm, 0, 2, how), 0);
	if (how == VM_INHERIT_COPY) {
		/* A sibling leaves while he who passes by has his reference. */
		child = space_fork(test, vm);
		passing_by = space_object(vm, 0);
		vm_object_reference(passing_by);
		vmspace_free(child);
	} else {
		passing_by = space_object(vm, 0);
		vm_object_reference(passing_by);
	}
	vm_test_steer(pass_by);
	child = space_fork(test, vm);
	vm_test_steer(NULL);
	KUNIT_EXPECT_NULL(test, passing_by);
	KUNIT_EXPECT_PTR_EQ(test, space_object(vm, 0), space_object(child, 0));
	KUNIT_EXPECT_FALSE(test, space_object(vm, 0)->flags & OBJ_ONEMAPPING);
	KUNIT_EXPECT_EQ(test, unmap(vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, space_get(child, 0), 1);
	KUNIT_EXPECT_EQ(test, space_get(child, 1), 2);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, space_get(child, 1), 2);
	vmspace_free(child);
}

static void mp_04_what_both_show_is_not_thrown_away(struct kunit *test)
{
	let_go_of_some(test, VM_INHERIT_SHARE);
	let_go_of_some(test, VM_INHERIT_COPY);
}

static unsigned long limit_was;
static unsigned int pages_until_back;

/* Memory is short until so many pages have been asked for. */
static void memory_is_back(void)
{
	if (pages_until_back && !--pages_until_back)
		WRITE_ONCE(vm_page_limits.reserved, limit_was);
}

static void make_short(enum vm_steer_point point, void *obj)
{
	struct vm_page *m = obj;

	if (point != VM_STEER_FAULT_READ || m->object != passing_by)
		return;
	passing_by = NULL;
	/* Three tables, the next page, and not the next table. */
	pages_until_back = 5;
	WRITE_ONCE(vm_page_limits.reserved, vm_page_free_count() - 4);
}

/*
 * Memory that somebody shares with the parent, and that the child is to have a copy
 * of: it is copied at once. A page for which there is no table just then is
 * the child's still, and not the parent's.
 */
static void mp_04_what_is_copied_is_not_the_parents(struct kunit *test)
{
	/* The last page of one table, and the first of the next. */
	u32 page = 512 - SPACE_MIN / PAGE_SIZE - 1;
	struct vmspace *vm = space_new(test), *sharer, *child;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	vm_wakeup_fn daemon;

	limit_was = vm_page_limits.reserved;
	dev = test_swap_make(test, 8, &disk);
	space_map(test, vm, page, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, inherit(vm, page, page + 2, VM_INHERIT_SHARE), 0);
	sharer = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_put(vm, page, 1), 0);
	space_forget(vm, page, page + 2);
	test_page_out(test, space_object(vm, page));
	KUNIT_EXPECT_EQ(test, space_put(vm, page + 1, 2), 0);
	KUNIT_EXPECT_EQ(test, inherit(vm, page, page + 2, VM_INHERIT_COPY), 0);

	passing_by = space_object(vm, page);
	daemon = vm_page_set_pageout(memory_is_back);
	vm_test_steer(make_short);
	child = space_fork(test, vm);
	vm_test_steer(NULL);
	vm_page_set_pageout(daemon);
	KUNIT_EXPECT_EQ(test, pages_until_back, 0);
	WRITE_ONCE(vm_page_limits.reserved, limit_was);
	KUNIT_EXPECT_NULL(test, passing_by);
	KUNIT_EXPECT_PTR_NE(test, space_object(child, page),
			    space_object(vm, page));
	KUNIT_EXPECT_EQ(test, space_put(child, page, 11), 0);
	KUNIT_EXPECT_EQ(test, space_put(child, page + 1, 12), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, page), 1);
	KUNIT_EXPECT_EQ(test, space_get(sharer, page + 1), 2);
	KUNIT_EXPECT_EQ(test, space_put(sharer, page + 1, 3), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, page + 1), 3);
	KUNIT_EXPECT_EQ(test, space_get(child, page + 1), 12);
	vmspace_free(child);
	vmspace_free(sharer);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* A child has no pages where its parent has none, however much there is of that. */
static void mp_04_zeroes_are_not_copied(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *sharer, *copier, *child;
	unsigned long start = jiffies;
	u32 n = 1 << 27;

	space_map(test, vm, 0, n, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 9, 5), 0);
	/* A chain of two: this one keeps what is below. */
	copier = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, inherit(vm, 0, n, VM_INHERIT_SHARE), 0);
	sharer = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_put(vm, 7, 1), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, n - 1, 2), 0);
	KUNIT_EXPECT_EQ(test, inherit(vm, 0, n, VM_INHERIT_COPY), 0);
	child = vmspace_fork(vm);
	KUNIT_EXPECT_FALSE(test, IS_ERR(child));
	if (IS_ERR(child))
		goto out;
	KUNIT_EXPECT_PTR_NE(test, space_object(child, 0), space_object(vm, 0));
	KUNIT_EXPECT_EQ(test, space_object(child, 0)->resident, 3);
	KUNIT_EXPECT_EQ(test, space_object(vm, 0)->resident, 2);
	KUNIT_EXPECT_EQ(test, space_put(sharer, 7, 3), 0);
	KUNIT_EXPECT_EQ(test, space_put(sharer, 8, 4), 0);
	KUNIT_EXPECT_EQ(test, space_get(child, 7), 1);
	KUNIT_EXPECT_EQ(test, space_get(child, 8), 0);
	KUNIT_EXPECT_EQ(test, space_get(child, 9), 5);
	KUNIT_EXPECT_EQ(test, space_get(child, n - 1), 2);
	vmspace_free(child);
	/* Nor is advice given to what is not there. */
	KUNIT_EXPECT_EQ(test, 0, vm_map_madvise(vm->vm_map, AT(0), AT(n),
						VM_ADV_DONTNEED));
	KUNIT_EXPECT_EQ(test, 0, vm_map_madvise(vm->vm_map, AT(0), AT(n),
						VM_ADV_FREE));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, start + VM_TEST_SOON / 2));
out:
	vmspace_free(copier);
	vmspace_free(sharer);
	vmspace_free(vm);
}

static void mp_04_the_check_sees_a_map_that_is_not_empty(struct kunit *test)
{
	struct vmspace *vm = space_new(test);

	space_map(test, vm, 0, 2, NULL, 0);
	vm->vm_map->size += PAGE_SIZE;
	pr_info("uma-expect-begin: map: freed with 0 entries and 4096 bytes\n");
	vmspace_free(vm);
	pr_info("uma-expect-end\n");
}

/* ---- cutting and joining ------------------------------------------------ */

static void ob_09_mappings_grow_and_are_cut(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child;
	struct vm_object *object;

	/* One after the other: one entry, and one object. */
	space_map(test, vm, 0, 2, NULL, 0);
	space_map(test, vm, 2, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 1);
	KUNIT_EXPECT_EQ(test, space_put(vm, 3, 3), 0);
	object = space_object(vm, 0);
	KUNIT_EXPECT_EQ(test, object->size, 4);
	space_map(test, vm, 4, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 1);
	KUNIT_EXPECT_PTR_EQ(test, space_object(vm, 7), object);
	KUNIT_EXPECT_EQ(test, object->size, 8);
	KUNIT_EXPECT_EQ(test, space_put(vm, 7, 7), 0);
	/* Other rights: another entry, until they are the same again. */
	KUNIT_EXPECT_EQ(test, protect(vm, 2, 4, VM_PROT_READ), 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&object->ref_count), 3);
	space_check(test, vm);
	KUNIT_EXPECT_EQ(test, protect(vm, 0, 8, VM_PROT_RW), 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&object->ref_count), 1);
	/* A part goes, with its pages; what comes there is new. */
	KUNIT_EXPECT_EQ(test, unmap(vm, 2, 6), 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 2);
	KUNIT_EXPECT_EQ(test, object->resident, 1);
	space_map(test, vm, 2, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 7), 7);
	space_check(test, vm);

	/* At a fork, each part that only one entry shows is given its own. */
	KUNIT_EXPECT_EQ(test, unmap(vm, 2, 6), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), 0);
	child = space_fork(test, vm);
	KUNIT_EXPECT_PTR_NE(test, space_object(vm, 0), space_object(vm, 7));
	KUNIT_EXPECT_EQ(test, space_get(child, 0), 1);
	KUNIT_EXPECT_EQ(test, space_get(child, 7), 7);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, space_get(child, 0), 1);
	KUNIT_EXPECT_EQ(test, space_get(child, 7), 7);
	vmspace_free(child);
}

static void mp_05_bad_ranges_change_nothing(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_map *map = vm->vm_map;
	unsigned long addr = AT(1);

	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, -EEXIST, vm_map_find(map, NULL, 0, &addr,
						   PAGE_SIZE, false, 0, 0, 0));
	addr = AT(1) + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_map_find(map, NULL, 0, &addr,
						   PAGE_SIZE, false, 0, 0, 0));
	addr = SPACE_MAX;
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_map_find(map, NULL, 0, &addr,
						   PAGE_SIZE, false, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, -ENOMEM, vm_map_find(map, NULL, 0, &addr,
						   PAGE_SIZE, true, 0, 0, 0));
	addr = PAGE_MASK;
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_map_find(map, NULL, 0, &addr,
						   2 * PAGE_SIZE, false, 0, 0,
						   0));
	addr = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_map_find(map, NULL, 0, &addr, 0, true,
						   0, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_map_find(map, NULL, 0, &addr,
						   PAGE_SIZE, true, VM_PROT_RW,
						   VM_PROT_READ, 0));
	KUNIT_EXPECT_EQ(test, 0, vm_map_find(map, NULL, 0, &addr, PAGE_SIZE,
					     true, VM_PROT_READ, VM_PROT_READ,
					     0));
	KUNIT_EXPECT_EQ(test, addr, AT(4));
	/* More than can be, in a part of it: none of it changes. */
	KUNIT_EXPECT_EQ(test, protect(vm, 0, 5, VM_PROT_ALL), -EACCES);
	KUNIT_EXPECT_EQ(test, space_entry(vm, 0).protection, VM_PROT_RW);
	KUNIT_EXPECT_EQ(test, protect(vm, 5, 4, VM_PROT_READ), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_map_remove(map, AT(0) + 1, AT(2)), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_map_remove(map, 0, AT(2)), -EINVAL);
	KUNIT_EXPECT_EQ(test, inherit(vm, 0, 2, VM_INHERIT_NONE + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_map_madvise(map, AT(0), AT(1), 77), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_map_sync(map, AT(0), AT(9), true, false),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, vm_map_sync(map, AT(0), AT(4), true, false), 0);
	KUNIT_EXPECT_EQ(test, space_entries(vm), 2);
	/* The most that there can be gets less, and what there is with it. */
	KUNIT_EXPECT_EQ(test, 0, vm_map_protect(map, AT(0), AT(2), VM_PROT_READ,
						true));
	KUNIT_EXPECT_EQ(test, space_entry(vm, 0).protection, VM_PROT_READ);
	KUNIT_EXPECT_EQ(test, protect(vm, 0, 2, VM_PROT_RW), -EACCES);
	space_check(test, vm);
	vmspace_free(vm);
}

/* ---- spaces and their parts --------------------------------------------- */

/**
 * struct beggar - who wants all that there is not
 * @vm: his space, with one mapping and no entry in hand
 * @error: what became of a mapping, a fork, and a new space
 */
struct beggar {
	struct vmspace *vm;
	int error[3];
};

static void beg(void *arg)
{
	struct vm_mmap req = {
		.addr = AT(8), .size = PAGE_SIZE, .type = OBJT_DEFAULT,
		.prot = VM_PROT_RW, .max = VM_PROT_ALL,
	};
	struct beggar *b = arg;
	struct vmspace *vm;

	b->error[0] = vm_map_mmap(b->vm->vm_map, &req);
	vm = vmspace_fork(b->vm);
	b->error[1] = PTR_ERR_OR_ZERO(vm);
	if (!IS_ERR(vm))
		vmspace_free(vm);
	vm = vmspace_alloc(SPACE_MIN, SPACE_MAX);
	b->error[2] = vm ? 0 : -ENOMEM;
	if (vm)
		vmspace_free(vm);
	/* Even so it can go. */
	vmspace_free(b->vm);
}

/*
 * Where there is no memory, and none will come, nobody waits for it without end: he may
 * be the only one who could let go of some.
 */
static void mp_06_without_memory_a_space_is_refused(struct kunit *test)
{
	struct vmspace *hog = space_new(test), *vm = space_new(test);
	struct beggar b = { .vm = vm };
	struct vm_test_thread thread;
	LIST_HEAD(taken);

	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_LT(test, vm->vm_map->nspare, VM_MAP_SPARES);
	vm_test_exhaust(&taken);
	/* What there is of entries. */
	KUNIT_EXPECT_EQ(test, vm_map_reserve(hog->vm_map, 1 << 20), -ENOMEM);
	vm_test_start(test, &thread, beg, &b);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&thread));
	vm_test_relent(&taken);
	KUNIT_EXPECT_EQ(test, b.error[0], -ENOMEM);
	KUNIT_EXPECT_EQ(test, b.error[1], -ENOMEM);
	vmspace_free(hog);
}

static void mp_06_a_space_starts_zeroed(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *next;
	unsigned int i;

	vm->vm_swrss = 77;
	KUNIT_EXPECT_EQ(test, 0, vmspace_grow(vm, VM_SEG_DATA, AT(0),
					      4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, vm->vm_segment[VM_SEG_DATA], 4 * PAGE_SIZE);
	next = vmspace_exec(vm, SPACE_MIN, SPACE_MAX);
	KUNIT_ASSERT_NOT_NULL(test, next);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, next->vm_swrss, 77);
	for (i = 0; i < VM_SEG_COUNT; i++)
		KUNIT_EXPECT_EQ(test, next->vm_segment[i], 0);
	KUNIT_EXPECT_EQ(test, next->vm_map->size, 0);
	vmspace_free(next);
	/* The memory of those that went before leaves no trace. */
	next = space_new(test);
	KUNIT_EXPECT_EQ(test, next->vm_swrss, 0);
	for (i = 0; i < VM_SEG_COUNT; i++)
		KUNIT_EXPECT_EQ(test, next->vm_segment[i], 0);
	vmspace_free(next);
	KUNIT_EXPECT_NULL(test, vmspace_alloc(PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, vmspace_alloc(0, PMAP_END + PAGE_SIZE));
}

static void mp_09_limits_are_as_wide_as_an_address(struct kunit *test)
{
	unsigned long big = BIT(33), was = vm_segment_max[VM_SEG_STACK];
	struct vmspace *vm = space_new(test);

	WRITE_ONCE(vm_segment_max[VM_SEG_STACK], big + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, vmspace_grow(vm, VM_SEG_STACK, AT(0), big));
	KUNIT_EXPECT_EQ(test, vm->vm_segment[VM_SEG_STACK], big);
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			vmspace_grow(vm, VM_SEG_STACK, AT(0) + big,
				     2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, vmspace_grow(vm, VM_SEG_STACK, AT(0) + big,
					      PAGE_SIZE));
	/* Each has its own. */
	KUNIT_EXPECT_EQ(test, 0, vmspace_grow(vm, VM_SEG_TEXT, BIT(38), big));
	KUNIT_EXPECT_EQ(test, -ENOMEM, vmspace_grow(vm, VM_SEG_TEXT, 0,
						    PAGE_MASK));
	KUNIT_EXPECT_EQ(test, space_put(vm, vm_atop(big), 5), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, vm_atop(big)), 5);
	WRITE_ONCE(vm_segment_max[VM_SEG_STACK], was);
	vmspace_free(vm);
}

struct execer {
	struct vm_test_thread thread;
	unsigned long addr;
	int error;
};

static void start_program(void *arg)
{
	struct execer *e = arg;

	e->error = kmem_alloc_wait(vm_exec_map, VM_EXEC_BYTES, M_WAITOK,
				   &e->addr);
}

#define EXECS	16

static void mp_07_who_comes_too_late_waits(struct kunit *test)
{
	unsigned long addr[EXECS], more;
	struct execer late[2] = {};
	char text[8] = "args";
	unsigned int i;

	for (i = 0; i < EXECS; i++) {
		KUNIT_ASSERT_EQ(test, 0, kmem_alloc_wait(vm_exec_map,
							 VM_EXEC_BYTES,
							 M_NOWAIT, &addr[i]));
		KUNIT_EXPECT_EQ(test, 0, vm_access(vm_exec_map, addr[i], text,
						   8, VM_PROT_WRITE, NULL));
	}
	/* The log's 17th was killed. */
	KUNIT_EXPECT_EQ(test, -EAGAIN, kmem_alloc_wait(vm_exec_map,
						       VM_EXEC_BYTES, M_NOWAIT,
						       &more));
	for (i = 0; i < 2; i++)
		vm_test_start(test, &late[i].thread, start_program, &late[i]);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&late[0].thread));
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&late[1].thread));
	kmem_free_wakeup(vm_exec_map, addr[5], VM_EXEC_BYTES);
	/* The tunable helps the other, at once. */
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("exec_map_entries"),
			       "17");
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_TRUE(test, vm_test_finished(&late[i].thread));
		KUNIT_EXPECT_EQ(test, late[i].error, 0);
		kmem_free_wakeup(vm_exec_map, late[i].addr, VM_EXEC_BYTES);
	}
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("exec_map_entries"),
			       "16");
	for (i = 0; i < EXECS; i++) {
		/* Seen through the kernel's map as well: it is a part of it. */
		memset(text, 0, sizeof(text));
		if (i != 5) {
			KUNIT_EXPECT_EQ(test, 0,
					vm_access(vm_kernel_map, addr[i], text,
						  8, VM_PROT_READ, NULL));
			KUNIT_EXPECT_STREQ(test, text, "args");
			kmem_free_wakeup(vm_exec_map, addr[i], VM_EXEC_BYTES);
		}
	}
	KUNIT_EXPECT_EQ(test, vm_exec_map->tree.count, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, kmem_alloc_wait(vm_exec_map, BIT(40),
						       M_WAITOK, &more));
	KUNIT_EXPECT_EQ(test, -EINVAL, kmem_alloc_wait(vm_exec_map, 0, M_WAITOK,
						       &more));
}

/* ---- mapping by handle -------------------------------------------------- */

static struct {
	unsigned int asked;
	struct vm_mmap req;
} policy;

/* Nobody writes to files: what is private never gets there. */
static int refuse_writers(const struct vm_mmap *req)
{
	policy.asked++;
	policy.req = *req;
	return req->flags & VM_MMAP_SHARED && req->max & VM_PROT_WRITE ?
	       -EACCES : 0;
}

static int map_handle(struct vmspace *vm, u32 page, u32 n, int flags, u8 prot,
		      enum vm_object_type type, void *handle)
{
	struct vm_mmap req = {
		.addr = AT(page),
		.size = n * PAGE_SIZE,
		.prot = prot,
		.max = prot,
		.flags = flags | VM_MMAP_FIXED,
		.type = type,
		.handle = handle,
		.handle_size = 4 * PAGE_SIZE,
	};

	return vm_map_mmap(vm->vm_map, &req);
}

static void mp_08_a_policy_sees_all_mappings_of_files(struct kunit *test)
{
	struct file *file = test_file(test, 4 * PAGE_SIZE);
	struct vmspace *vm = space_new(test);
	unsigned int was;

	test_file_fill(test, file, 0, 0x11, 4 * PAGE_SIZE);
	policy.asked = 0;
	vm_mmap_set_policy(refuse_writers);
	/* A program's text is private, and who controls what is run sees it. */
	KUNIT_EXPECT_EQ(test, 0, map_handle(vm, 0, 4, 0, VM_PROT_ALL,
					    OBJT_VNODE, file));
	KUNIT_EXPECT_EQ(test, policy.asked, 1);
	KUNIT_EXPECT_PTR_EQ(test, policy.req.handle, (void *)file);
	KUNIT_EXPECT_EQ(test, policy.req.flags, VM_MMAP_FIXED);
	KUNIT_EXPECT_EQ(test, policy.req.prot, VM_PROT_ALL);
	KUNIT_EXPECT_EQ(test, 0, map_handle(vm, 4, 4, VM_MMAP_SHARED,
					    VM_PROT_READ, OBJT_VNODE, file));
	KUNIT_EXPECT_EQ(test, policy.asked, 2);
	KUNIT_EXPECT_TRUE(test, policy.req.flags & VM_MMAP_SHARED);
	/* It refuses one, and nothing is there then. */
	KUNIT_EXPECT_EQ(test, -EACCES, map_handle(vm, 8, 4, VM_MMAP_SHARED,
						  VM_PROT_RW, OBJT_VNODE,
						  file));
	KUNIT_EXPECT_EQ(test, policy.asked, 3);
	KUNIT_EXPECT_EQ(test, space_get(vm, 8), -EFAULT);
	was = policy.asked;
	KUNIT_EXPECT_EQ(test, 0, map_handle(vm, 12, 4, VM_MMAP_SHARED,
					    VM_PROT_RW, OBJT_DEFAULT, NULL));
	KUNIT_EXPECT_EQ(test, policy.asked, was);
	vm_mmap_set_policy(NULL);
	KUNIT_EXPECT_EQ(test, 0, map_handle(vm, 8, 4, VM_MMAP_SHARED, VM_PROT_RW,
					    OBJT_VNODE, file));
	KUNIT_EXPECT_EQ(test, policy.asked, was);

	/* Private writes stay here, shared ones are seen, and get to the file. */
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 0x22), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 4), 0x11);
	KUNIT_EXPECT_EQ(test, space_put(vm, 9, 0x33), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 5), 0x33);
	KUNIT_EXPECT_EQ(test, 0, vm_map_sync(vm->vm_map, AT(0), AT(12), true,
					     false));
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 5), 0x11);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, PAGE_SIZE + 5), 0x33);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 0x22);
	space_check(test, vm);
	vmspace_free(vm);
	fput(file);
}

/* Whoever has the handle can map it; no file, no descriptor. */
static void mp_08_a_device_is_mapped_by_its_handle(struct kunit *test)
{
	struct vm_device *dev = vm_device_create("test", 4);
	struct vmspace *vm = space_new(test), *child;
	u8 *memory;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	memory = __va(PFN_PHYS(dev->pfn));
	memset(memory, 0x44, 4 * PAGE_SIZE);
	policy.asked = 0;
	vm_mmap_set_policy(refuse_writers);
	KUNIT_EXPECT_EQ(test, 0, map_handle(vm, 0, 4, VM_MMAP_SHARED, VM_PROT_RW,
					    OBJT_DEVICE, dev));
	vm_mmap_set_policy(NULL);
	KUNIT_EXPECT_EQ(test, policy.asked, 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 0x44);
	KUNIT_EXPECT_EQ(test, space_put(vm, 2, 0x55), 0);
	KUNIT_EXPECT_EQ(test, memory[2 * PAGE_SIZE + 5], 0x55);
	memory[3 * PAGE_SIZE + 5] = 0x66;
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 0x66);
	KUNIT_EXPECT_EQ(test, wire(vm, 0, 4, WIRE_SYSTEM), 0);
	KUNIT_EXPECT_EQ(test, unwire(vm, 0, 4, WIRE_SYSTEM), 0);
	child = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_put(child, 1, 0x77), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 0x77);
	vmspace_free(child);
	/* A child may have a copy, but its parent's stays the device's. */
	KUNIT_EXPECT_EQ(test, inherit(vm, 0, 4, VM_INHERIT_COPY), 0);
	child = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_put(child, 0, 0x78), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 0x79), 0);
	KUNIT_EXPECT_EQ(test, memory[5], 0x44);
	KUNIT_EXPECT_EQ(test, memory[PAGE_SIZE + 5], 0x79);
	KUNIT_EXPECT_EQ(test, space_get(child, 0), 0x78);
	vmspace_free(child);

	KUNIT_EXPECT_EQ(test, -EINVAL, map_handle(vm, 8, 4, 0, VM_PROT_RW,
						  OBJT_DEVICE, dev));
	KUNIT_EXPECT_EQ(test, -EINVAL, map_handle(vm, 8, 4, VM_MMAP_SHARED,
						  VM_PROT_RW, OBJT_DEVICE,
						  NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, map_handle(vm, 8, 4, VM_MMAP_SHARED,
						  VM_PROT_RW, OBJT_DEFAULT,
						  dev));
	KUNIT_EXPECT_EQ(test, -EINVAL, map_handle(vm, 8, 0, 0, VM_PROT_RW,
						  OBJT_DEFAULT, NULL));
	KUNIT_EXPECT_EQ(test, -EINVAL, map_handle(vm, 8, 1, 0, VM_PROT_RW,
						  OBJT_DEAD, NULL));
	space_check(test, vm);
	vmspace_free(vm);
	vm_device_put(dev);
}

/* It is shared from the start, so it is not what the private memory before it is. */
static void mp_08_what_is_shared_is_so_at_once(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child;

	KUNIT_EXPECT_EQ(test, 0, map_handle(vm, 0, 2, 0, VM_PROT_RW,
					    OBJT_DEFAULT, NULL));
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, 0, map_handle(vm, 2, 2, VM_MMAP_SHARED, VM_PROT_RW,
					    OBJT_DEFAULT, NULL));
	KUNIT_EXPECT_EQ(test, space_entry(vm, 2).inheritance, VM_INHERIT_SHARE);
	KUNIT_EXPECT_EQ(test, space_entry(vm, 0).inheritance, VM_INHERIT_COPY);
	KUNIT_EXPECT_EQ(test, space_put(vm, 2, 3), 0);
	KUNIT_EXPECT_PTR_NE(test, space_object(vm, 0), space_object(vm, 2));
	child = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 2), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 2, 4), 0);
	KUNIT_EXPECT_EQ(test, space_get(child, 0), 1);
	KUNIT_EXPECT_EQ(test, space_get(child, 2), 4);
	vmspace_free(child);
	vmspace_free(vm);
}

/* ---- many operations on one map ----------------------------------------- */

#define PAGES	64

/* What is said about a page. */
struct said {
	bool mapped;
	u8 prot;
	u8 inherit;
	u8 advice;
	bool wired;
};

static void check_said(struct kunit *test, struct vmspace *vm,
		       const struct said *said)
{
	struct vm_map_entry entry;
	unsigned long size = 0;
	u32 i;

	for (i = 0; i < PAGES; i++) {
		entry = space_entry(vm, i);
		KUNIT_ASSERT_EQ_MSG(test, !!entry.node.end, said[i].mapped,
				    "page %u", i);
		if (!said[i].mapped)
			continue;
		size += PAGE_SIZE;
		KUNIT_ASSERT_EQ_MSG(test, entry.protection, said[i].prot,
				    "page %u", i);
		KUNIT_ASSERT_EQ_MSG(test, entry.inheritance, said[i].inherit,
				    "page %u", i);
		KUNIT_ASSERT_EQ_MSG(test, entry.advice, said[i].advice,
				    "page %u", i);
		KUNIT_ASSERT_EQ_MSG(test, entry.wired_count, said[i].wired,
				    "page %u", i);
	}
	KUNIT_ASSERT_EQ(test, vm->vm_map->size, size);
}

static bool all_mapped(const struct said *said, u32 from, u32 end)
{
	while (from < end)
		if (!said[from++].mapped)
			return false;
	return true;
}

/* The least entries that can say all this. */
static u32 least_entries(const struct said *said)
{
	u32 i, n = 0;

	for (i = 0; i < PAGES; i++)
		if (said[i].mapped &&
		    (!i || memcmp(&said[i - 1], &said[i], sizeof(*said))))
			n++;
	return n;
}

static void mp_05_any_operations_keep_the_tree_right(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	u32 turns = IS_ENABLED(CONFIG_KASAN) ? 400 : 4000;
	struct said said[PAGES] = {};
	struct rnd_state rnd;
	u32 turn, from, end, i;
	unsigned long addr;

	prandom_seed_state(&rnd, 5);
	for (turn = 0; turn < turns; turn++) {
		from = prandom_u32_state(&rnd) % PAGES;
		end = from + 1 + prandom_u32_state(&rnd) % 12;
		end = min_t(u32, end, PAGES);
		i = prandom_u32_state(&rnd) % 3;
		switch (prandom_u32_state(&rnd) % 8) {
		case 0:
		case 1:
			addr = AT(from);
			if (vm_map_find(vm->vm_map, NULL, 0, &addr,
					(end - from) * PAGE_SIZE, false,
					VM_PROT_RW, VM_PROT_ALL, 0))
				break;
			for (; from < end; from++) {
				KUNIT_ASSERT_FALSE(test, said[from].mapped);
				memset(&said[from], 0, sizeof(*said));
				said[from].mapped = true;
				said[from].prot = VM_PROT_RW;
				said[from].inherit = VM_INHERIT_COPY;
			}
			break;
		case 2:
			KUNIT_ASSERT_EQ(test, unmap(vm, from, end), 0);
			memset(&said[from], 0, (end - from) * sizeof(*said));
			break;
		case 3:
			i = i ? VM_PROT_RW : VM_PROT_READ;
			KUNIT_ASSERT_EQ(test, protect(vm, from, end, i), 0);
			for (; from < end; from++)
				if (said[from].mapped)
					said[from].prot = i;
			break;
		case 4:
			KUNIT_ASSERT_EQ(test, inherit(vm, from, end, i), 0);
			for (; from < end; from++)
				if (said[from].mapped)
					said[from].inherit = i;
			break;
		case 5:
			KUNIT_ASSERT_EQ(test, 0,
					vm_map_madvise(vm->vm_map, AT(from),
						       AT(end), i));
			for (; from < end; from++)
				if (said[from].mapped)
					said[from].advice = i;
			break;
		case 6:
			if (!all_mapped(said, from, end)) {
				KUNIT_ASSERT_EQ(test, -EFAULT,
						wire(vm, from, end, WIRE_USER));
				break;
			}
			KUNIT_ASSERT_EQ(test, 0, wire(vm, from, end, WIRE_USER));
			while (from < end)
				said[from++].wired = true;
			break;
		default:
			if (!said[from].wired)
				break;
			KUNIT_ASSERT_EQ(test, 0,
					unwire(vm, from, from + 1, WIRE_USER));
			said[from].wired = false;
			break;
		}
		space_check(test, vm);
		check_said(test, vm, said);
		KUNIT_ASSERT_GE(test, space_entries(vm), least_entries(said));
		cond_resched();
	}
	/* All is joined that says the same, and shows one object, or none. */
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
}

/* ---- many spaces beside a model ----------------------------------------- */

#define SPACES	6
#define LENGTH	20
#define CELLS	(SPACES * LENGTH + 1)

/**
 * struct model - what each space must read
 * @vm: the spaces, or NULL
 * @cell: for each page which cell it shows, 0 for none
 * @inherit: what becomes of it in a child
 * @prot: its rights
 * @byte: contents of each cell
 * @users: pages that show it
 * @rnd: where chance comes from
 */
struct model {
	struct vmspace *vm[SPACES];
	u8 cell[SPACES][LENGTH];
	u8 inherit[SPACES][LENGTH];
	u8 prot[SPACES][LENGTH];
	u8 byte[CELLS];
	u8 users[CELLS];
	struct rnd_state rnd;
};

static u32 any(struct model *model, u32 n)
{
	return prandom_u32_state(&model->rnd) % n;
}

static u8 new_cell(struct model *model, u8 byte)
{
	u8 cell = 1;

	while (model->users[cell])
		cell++;
	model->users[cell] = 1;
	model->byte[cell] = byte;
	return cell;
}

static void drop_cell(struct model *model, u32 s, u32 i)
{
	if (model->cell[s][i])
		model->users[model->cell[s][i]]--;
	model->cell[s][i] = 0;
}

static int model_get(struct model *model, u32 s, u32 i)
{
	return model->cell[s][i] ? model->byte[model->cell[s][i]] : -EFAULT;
}

static void check_space(struct kunit *test, struct model *model, u32 s, u32 turn)
{
	u32 i;

	for (i = 0; model->vm[s] && i < LENGTH; i++)
		KUNIT_ASSERT_EQ_MSG(test, space_get(model->vm[s], i),
				    model_get(model, s, i),
				    "turn %u: space %u page %u", turn, s, i);
}

static void model_fork(struct kunit *test, struct model *model, u32 s, u32 to)
{
	u32 i;

	model->vm[to] = space_fork(test, model->vm[s]);
	for (i = 0; i < LENGTH; i++) {
		u8 cell = model->cell[s][i];

		model->inherit[to][i] = model->inherit[s][i];
		model->prot[to][i] = model->prot[s][i];
		model->cell[to][i] = 0;
		if (!cell || model->inherit[s][i] == VM_INHERIT_NONE)
			continue;
		if (model->inherit[s][i] == VM_INHERIT_SHARE) {
			model->cell[to][i] = cell;
			model->users[cell]++;
		} else {
			model->cell[to][i] = new_cell(model, model->byte[cell]);
		}
	}
}

static void model_exit(struct model *model, u32 s)
{
	u32 i;

	vmspace_free(model->vm[s]);
	model->vm[s] = NULL;
	for (i = 0; i < LENGTH; i++)
		drop_cell(model, s, i);
}

static void model_map(struct kunit *test, struct model *model, u32 s, u32 from,
		      u32 end)
{
	unsigned long addr = AT(from);
	int error, want = 0;
	u32 i;

	for (i = from; i < end; i++)
		if (model->cell[s][i])
			want = -EEXIST;
	error = vm_map_find(model->vm[s]->vm_map, NULL, 0, &addr,
			    (end - from) * PAGE_SIZE, false, VM_PROT_RW,
			    VM_PROT_ALL, 0);
	KUNIT_ASSERT_EQ(test, error, want);
	for (i = from; !error && i < end; i++) {
		model->cell[s][i] = new_cell(model, 0);
		model->inherit[s][i] = VM_INHERIT_COPY;
		model->prot[s][i] = VM_PROT_RW;
	}
}

static void model_put(struct kunit *test, struct model *model, u32 s, u32 i)
{
	u8 byte = any(model, 256), cell = model->cell[s][i];
	int want = !cell ? -EFAULT :
		   model->prot[s][i] & VM_PROT_WRITE ? 0 : -EACCES;

	KUNIT_ASSERT_EQ(test, space_put(model->vm[s], i, byte), want);
	if (!want)
		model->byte[cell] = byte;
}

static void model_range(struct kunit *test, struct model *model, u32 s, u32 from,
			u32 end)
{
	struct vmspace *vm = model->vm[s];
	u32 how = any(model, 3), i;

	switch (any(model, 6)) {
	case 0:
		KUNIT_ASSERT_EQ(test, unmap(vm, from, end), 0);
		for (i = from; i < end; i++)
			drop_cell(model, s, i);
		break;
	case 1:
		KUNIT_ASSERT_EQ(test, inherit(vm, from, end, how), 0);
		for (i = from; i < end; i++)
			if (model->cell[s][i])
				model->inherit[s][i] = how;
		break;
	case 2:
		how = how ? VM_PROT_RW : VM_PROT_READ;
		KUNIT_ASSERT_EQ(test, protect(vm, from, end, how), 0);
		for (i = from; i < end; i++)
			if (model->cell[s][i])
				model->prot[s][i] = how;
		break;
	case 3:
		/* Twice is as good as once, and some of it may not be there. */
		wire(vm, from, end, WIRE_USER);
		break;
	case 4:
		unwire(vm, from, end, WIRE_USER | VM_MAP_WIRE_HOLESOK);
		break;
	default:
		KUNIT_ASSERT_EQ(test, 0,
				vm_map_madvise(vm->vm_map, AT(from), AT(end),
					       how ? VM_ADV_WILLNEED :
						     VM_ADV_DONTNEED));
		break;
	}
}

static u32 living(struct model *model)
{
	u32 s, n = 0;

	for (s = 0; s < SPACES; s++)
		n += !!model->vm[s];
	return n;
}

static void run_model(struct kunit *test, u64 seed, u32 turns)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);
	u32 turn, s, to, from, end;

	KUNIT_ASSERT_NOT_NULL(test, model);
	prandom_seed_state(&model->rnd, seed);
	for (turn = 0; turn < turns; turn++) {
		s = any(model, SPACES);
		to = any(model, SPACES);
		from = any(model, LENGTH);
		end = min_t(u32, from + 1 + any(model, 8), LENGTH);
		if (!model->vm[s]) {
			if (!living(model)) {
				model->vm[s] = space_new(test);
				model_map(test, model, s, 0, LENGTH);
			}
			continue;
		}
		switch (any(model, 16)) {
		case 0:
			if (!model->vm[to])
				model_fork(test, model, s, to);
			break;
		case 1:
			if (living(model) > 1 || !any(model, 10))
				model_exit(model, s);
			break;
		case 2 ... 3:
			model_map(test, model, s, from, end);
			break;
		case 4 ... 6:
			model_range(test, model, s, from, end);
			break;
		case 7:
			space_check(test, model->vm[s]);
			check_space(test, model, s, turn);
			break;
		default:
			model_put(test, model, s, from);
			break;
		}
		for (s = 0; turn % 16 == 0 && s < SPACES; s++)
			check_space(test, model, s, turn);
		cond_resched();
	}
	for (s = 0; s < SPACES; s++)
		if (model->vm[s])
			model_exit(model, s);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 0);
}

static void mp_04_any_family_agrees_with_a_model(struct kunit *test)
{
	u64 seed;

	for (seed = 1; seed <= (IS_ENABLED(CONFIG_KASAN) ? 4 : 30); seed++)
		run_model(test, seed, IS_ENABLED(CONFIG_KASAN) ? 2000 : 6000);
}

/* ---- many threads in one space ------------------------------------------ */

#define CROWD_WRITERS	3
#define CROWD_EACH	8
#define CROWD_PAGES	(CROWD_WRITERS * CROWD_EACH)

/**
 * struct crowd - threads that use one space, each in its way
 * @vm: the space
 * @stop: enough
 * @who: given to the writers, one after the other
 * @wrong: reads that did not return what was written
 * @rounds: what all have done
 */
static struct crowd {
	struct vmspace *vm;
	bool stop;
	atomic_t who;
	atomic_t wrong;
	atomic_t rounds;
} crowd;

static bool crowd_goes_on(void)
{
	atomic_inc(&crowd.rounds);
	cond_resched();
	return !READ_ONCE(crowd.stop);
}

/* Pages of its own, in which what it wrote last must be. */
static void crowd_write(void *arg)
{
	u32 first = CROWD_EACH * (atomic_inc_return(&crowd.who) - 1), i, turn = 0;
	int last[CROWD_EACH] = {}, byte, error;

	while (crowd_goes_on()) {
		i = turn++ % CROWD_EACH;
		byte = space_get(crowd.vm, first + i);
		if (byte != last[i]) {
			pr_err("page %u: %d, not %d\n", first + i, byte, last[i]);
			atomic_inc(&crowd.wrong);
			break;
		}
		byte = (byte + 1) % 100;
		error = space_put(crowd.vm, first + i, byte);
		if (!error)
			last[i] = byte;
		else if (error != -EACCES)
			atomic_inc(&crowd.wrong);
	}
}

/* Children, for whom nothing changes once they are there. */
static void crowd_fork(void *arg)
{
	struct vmspace *child;
	int byte[CROWD_PAGES];
	u32 i, turn = 0;

	while (crowd_goes_on()) {
		child = vmspace_fork(crowd.vm);
		if (IS_ERR(child)) {
			atomic_inc(&crowd.wrong);
			break;
		}
		for (i = 0; i < CROWD_PAGES; i++)
			byte[i] = space_get(child, i);
		for (i = turn++ % 3; i < CROWD_PAGES; i += 3)
			byte[i] = space_put(child, i, 200) ?: 200;
		unmap(child, 4, 6);
		if (turn % 4 == 0)
			schedule_timeout_idle(1);
		for (i = 0; i < CROWD_PAGES; i++) {
			if (i == 4 || i == 5 || byte[i] < 0)
				continue;
			if (space_get(child, i) != byte[i])
				atomic_inc(&crowd.wrong);
		}
		vmspace_free(child);
	}
}

/* What can be written is, and all that is clean goes. */
static void crowd_page_out(void *arg)
{
	struct vm_object *object = NULL;

	while (crowd_goes_on()) {
		while ((object = vm_object_next(object))) {
			vm_object_lock(object);
			vm_object_page_clean(object, 0, object->size,
					     atomic_read(&crowd.rounds) & 1 ?
						     OBJPC_SYNC : 0);
			vm_object_page_remove(object, 0, object->size, true);
			vm_object_unlock(object);
		}
		schedule_timeout_idle(1);
	}
}

static void crowd_change(void *arg)
{
	u32 turn = 0, at;

	while (crowd_goes_on()) {
		at = turn * 5 % (CROWD_PAGES - 6);
		switch (turn++ % 4) {
		case 0:
			if (!wire(crowd.vm, at, at + 5, WIRE_USER))
				unwire(crowd.vm, at, at + 5, WIRE_USER);
			break;
		case 1:
			protect(crowd.vm, at, at + 3, VM_PROT_READ);
			protect(crowd.vm, at, at + 3, VM_PROT_RW);
			break;
		case 2:
			vm_map_madvise(crowd.vm->vm_map, AT(at), AT(at + 6),
				       VM_ADV_DONTNEED);
			break;
		case 3:
			vm_map_madvise(crowd.vm->vm_map, AT(at), AT(at + 6),
				       VM_ADV_WILLNEED);
			break;
		}
	}
}

/*
 * Objects and physical maps keep their memory for good, and each CPU a bucket or two of
 * what it freed. So there are more than that before anybody counts pages.
 */
static void crowd_make_room(struct kunit *test)
{
	enum { OBJECTS = 1024, PMAPS = 512 };
	void **item = kunit_kcalloc(test, OBJECTS, sizeof(*item), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, item);
	for (i = 0; i < OBJECTS; i++)
		item[i] = vm_object_allocate(OBJT_DEFAULT, 1);
	for (i = 0; i < OBJECTS; i++)
		vm_object_deallocate(item[i]);
	for (i = 0; i < PMAPS; i++)
		item[i] = pmap_create();
	for (i = 0; i < PMAPS; i++)
		pmap_release(item[i]);
	uma_test_init(test);
}

static void mp_04_threads_of_one_space(struct kunit *test)
{
	static void (*const what[])(void *arg) = {
		crowd_write, crowd_write, crowd_write, crowd_fork,
		crowd_page_out, crowd_change,
	};
	struct vm_test_thread *t;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	unsigned int i;

	t = kunit_kcalloc(test, ARRAY_SIZE(what), sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	crowd_make_room(test);
	memset(&crowd, 0, sizeof(crowd));
	dev = test_swap_make(test, 512, &disk);
	crowd.vm = space_new(test);
	space_map(test, crowd.vm, 0, CROWD_PAGES, NULL, 0);
	for (i = 0; i < ARRAY_SIZE(what); i++)
		vm_test_start(test, &t[i], what[i], NULL);
	schedule_timeout_idle(2 * HZ);
	WRITE_ONCE(crowd.stop, true);
	for (i = 0; i < ARRAY_SIZE(what); i++)
		KUNIT_EXPECT_TRUE_MSG(test, vm_test_finished(&t[i]),
				      "thread %u", i);
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd.wrong), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&crowd.rounds), 100);
	space_check(test, crowd.vm);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, space_stats(crowd.vm).wired, 0);
	vmspace_free(crowd.vm);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* A fork, a write on either side, an exit: for ever. */
static void ob_03_fork_and_exit_do_not_grow_the_chain(struct kunit *test)
{
	/* Where each access to memory is looked at, so many would take too long. */
	bool watched = IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN);
	struct vmspace *vm = space_new(test), *child;
	u32 round, rounds = watched ? 500 : 10000;
	unsigned int chain, longest = 0;

	space_map(test, vm, 0, 8, NULL, 0);
	for (round = 0; round < rounds; round++) {
		KUNIT_ASSERT_EQ(test, space_put(vm, round % 8, round), 0);
		child = space_fork(test, vm);
		KUNIT_ASSERT_EQ(test, space_put(child, (round + 1) % 8, 1), 0);
		KUNIT_ASSERT_EQ(test, space_put(vm, (round + 2) % 8, 2), 0);
		chain = vm_object_chain_length(space_object(child, 0));
		longest = max(longest, chain);
		chain = vm_object_chain_length(space_object(vm, 0));
		longest = max(longest, chain);
		/* One relative, plus two. */
		KUNIT_ASSERT_LE_MSG(test, longest, 3, "round %u", round);
		if (round % 2) {
			vmspace_free(child);
		} else {
			vmspace_free(vm);
			vm = child;
		}
		/* And now it has none. */
		chain = vm_object_chain_length(space_object(vm, 0));
		KUNIT_ASSERT_LE_MSG(test, chain, 2, "round %u", round);
	}
	kunit_info(test, "%u rounds, no chain longer than %u\n", rounds, longest);
	vmspace_free(vm);
}

static struct kunit_case vm_map_cases[] = {
	KUNIT_CASE(mp_02_look_ups_share_the_lock),
	KUNIT_CASE(mp_02_a_long_way_is_gone_once),
	KUNIT_CASE(mp_03_the_users_wiring_is_one_or_none),
	KUNIT_CASE(mp_03_neither_undoes_the_others),
	KUNIT_CASE(mp_03_what_does_not_fault_counts_zero),
	KUNIT_CASE(mp_03_removal_waits_for_the_system),
	KUNIT_CASE(mp_03_wired_memory_is_ones_own),
	KUNIT_CASE(mp_03_wired_memory_is_what_sharers_see),
	KUNIT_CASE(mp_03_wired_memory_that_is_only_read),
	KUNIT_CASE(mp_03_a_wiring_that_fails_changes_nothing),
	KUNIT_CASE(mp_03_a_failed_wiring_leaves_no_wired_translation),
	KUNIT_CASE(mp_03_a_hole_that_was_filled),
	KUNIT_CASE(mp_03_who_is_killed_stops_wiring),
	KUNIT_CASE(mp_03_a_page_has_65535_wirings),
	KUNIT_CASE(mp_03_an_entry_in_transition_is_left_alone),
	KUNIT_CASE(mp_04_what_is_not_inherited_is_not_counted),
	KUNIT_CASE(mp_04_what_both_show_is_not_thrown_away),
	KUNIT_CASE(mp_04_what_is_copied_is_not_the_parents),
	KUNIT_CASE(mp_04_zeroes_are_not_copied),
	KUNIT_CASE(mp_04_the_check_sees_a_map_that_is_not_empty),
	KUNIT_CASE(mp_04_any_family_agrees_with_a_model),
	KUNIT_CASE(mp_04_threads_of_one_space),
	KUNIT_CASE(ob_03_fork_and_exit_do_not_grow_the_chain),
	KUNIT_CASE(ob_09_mappings_grow_and_are_cut),
	KUNIT_CASE(mp_05_bad_ranges_change_nothing),
	KUNIT_CASE(mp_05_any_operations_keep_the_tree_right),
	KUNIT_CASE(mp_06_a_space_starts_zeroed),
	KUNIT_CASE(mp_06_without_memory_a_space_is_refused),
	KUNIT_CASE(mp_07_who_comes_too_late_waits),
	KUNIT_CASE(mp_08_a_policy_sees_all_mappings_of_files),
	KUNIT_CASE(mp_08_a_device_is_mapped_by_its_handle),
	KUNIT_CASE(mp_08_what_is_shared_is_so_at_once),
	KUNIT_CASE(mp_09_limits_are_as_wide_as_an_address),
	{}
};

static struct kunit_suite vm_map_suite = {
	.name = "vm_map",
	.init = space_test_init,
	.exit = vm_test_exit,
	.test_cases = vm_map_cases,
};

kunit_test_suite(vm_map_suite);

MODULE_DESCRIPTION("KUnit: maps");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
