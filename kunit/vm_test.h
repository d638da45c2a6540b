/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites about the VM's ground have in common: objects with pages that can
 * be told apart, a pager that keeps them in mind, threads that are watched while they
 * sleep, and that nothing is left.
 */
#ifndef _UMA_VM_TEST_H
#define _UMA_VM_TEST_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "uma_test.h"
#include "vmsim/collapse.h"
#include "vmsim/object.h"
#include "vmsim/object_int.h"
#include "vmsim/page.h"
#include "vmsim/pageout.h"
#include "vmsim/pageq.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/steer.h"
#include "vmsim/vm.h"

/* More than any case has at once. */
#define VM_TEST_OBJECTS	128

/* How long something may take that takes no time. */
#define VM_TEST_SOON	(10 * HZ)

/**
 * vm_test_steer() - set or take away the hook of the VM's named points
 * @fn: the hook, or NULL
 */
static inline void vm_test_steer(vm_steer_fn fn)
{
	WRITE_ONCE(vm_steer_hook, fn);
	synchronize_rcu();
}

/* Objects that are alive. */
static inline unsigned int vm_test_objects(void)
{
	struct vm_object *object = NULL;
	unsigned int n = 0;

	while ((object = vm_object_next(object)))
		n++;
	return n;
}

/**
 * vm_test_init() - a suite's init: note what there is
 * @test: the case
 *
 * The zone of objects keeps its memory for good, so it gets what it needs first.
 * Nobody pages out but the case.
 *
 * Return: 0.
 */
static inline int vm_test_init(struct kunit *test)
{
	struct vm_object **object;
	unsigned int i;

	vm_pageout_pause();
	object = kunit_kcalloc(test, VM_TEST_OBJECTS, sizeof(*object),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, object);
	for (i = 0; i < VM_TEST_OBJECTS; i++)
		object[i] = vm_object_allocate(OBJT_DEFAULT, 1);
	for (i = 0; i < VM_TEST_OBJECTS; i++)
		vm_object_deallocate(object[i]);
	return uma_test_init(test);
}

/**
 * vm_test_exit() - a suite's exit: no object, no page, no queue out of order
 * @test: the case
 */
static inline void vm_test_exit(struct kunit *test)
{
	vm_test_steer(NULL);
	vm_pageout_resume();
	KUNIT_EXPECT_EQ_MSG(test, vm_test_objects(), 0, "objects are left");
	KUNIT_EXPECT_TRUE(test, vm_pageq_check());
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 0);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_INACTIVE), 0);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_ACTIVE), 0);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_HOLD), 0);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_FALSE(test, vm_page_queues_owned());
	uma_test_exit(test);
}

/**
 * vm_test_object() - an anonymous object
 * @test: the case
 * @size: its pages
 *
 * Return: the object.
 */
static inline struct vm_object *vm_test_object(struct kunit *test, u64 size)
{
	struct vm_object *object = vm_object_allocate(OBJT_DEFAULT, size);

	KUNIT_ASSERT_NOT_NULL(test, object);
	return object;
}

/**
 * vm_test_shadow() - a shadow, which takes over one reference to its source
 * @test: the case
 * @source: the source, with more than one
 * @offset: where in it the shadow begins, in pages
 * @size: the shadow's pages
 *
 * Return: the shadow.
 */
static inline struct vm_object *vm_test_shadow(struct kunit *test,
					       struct vm_object *source,
					       u64 offset, u64 size)
{
	struct vm_object *object = source;
	u64 bytes = vm_ptoa(offset);

	KUNIT_ASSERT_EQ(test, vm_object_shadow(&object, &bytes, vm_ptoa(size)), 0);
	KUNIT_ASSERT_PTR_NE(test, object, source);
	KUNIT_EXPECT_EQ(test, bytes, 0);
	return object;
}

/**
 * vm_test_fill() - a write: the object has its own page, active and dirty
 * @test: the case
 * @object: the object, not locked
 * @pindex: where
 * @byte: what is in all of the page
 *
 * Return: the page.
 */
static inline struct vm_page *vm_test_fill(struct kunit *test,
					   struct vm_object *object, u64 pindex,
					   u8 byte)
{
	struct vm_page *m;

	vm_object_lock(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_RETRY |
			 VM_ALLOC_NOBUSY);
	if (m) {
		memset(vm_page_kva(m), byte, PAGE_SIZE);
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_dirty(m);
		vm_page_lock_queues();
		vm_page_activate(m);
		vm_page_unlock_queues();
	}
	vm_object_unlock(object);
	KUNIT_ASSERT_NOT_NULL(test, m);
	return m;
}

/* The queue that a page is on. */
static inline enum vm_queue vm_test_queue(const struct vm_page *m)
{
	return m->queue;
}

/* The page is as the pager has it, and cached. */
static inline void vm_test_cache(struct kunit *test, struct vm_page *m)
{
	struct vm_object *object = m->object;

	vm_object_lock(object);
	vm_page_undirty(m);
	KUNIT_EXPECT_TRUE(test, vm_page_try_to_cache(m));
	vm_object_unlock(object);
}

/* A pager that keeps a byte a page in an index of its own. */

/**
 * struct vm_test_store - what is behind an object
 * @bytes: by index
 */
struct vm_test_store {
	struct xarray bytes;
};

/**
 * struct vm_test_gate - where @copy of the pager sleeps
 * @reached: it does
 * @open: it may go on
 */
struct vm_test_gate {
	struct completion reached;
	struct completion open;
};

extern struct vm_test_gate *vm_test_gate;
extern const struct vm_pager_ops vm_test_store_ops;

/* The suite that uses the pager says this once. */
#define VM_TEST_STORE							\
struct vm_test_gate *vm_test_gate;					\
const struct vm_pager_ops vm_test_store_ops = {				\
	.name = "store",						\
	.dealloc = vm_test_store_dealloc,				\
	.haspage = vm_test_store_haspage,				\
	.copy = vm_test_store_copy,					\
	.next = vm_test_store_next,					\
	.freespace = vm_test_store_freespace,				\
}

static inline struct xarray *vm_test_bytes(struct vm_object *object)
{
	struct vm_test_store *store = object->pager;

	return &store->bytes;
}

/* Both keep the object's count. */
static inline void vm_test_forget(struct vm_object *object, u64 pindex)
{
	if (xa_erase(vm_test_bytes(object), pindex))
		object->pager_count--;
}

static inline void vm_test_remember(struct vm_object *object, u64 pindex,
				    void *byte)
{
	if (!xa_store(vm_test_bytes(object), pindex, byte,
		      GFP_KERNEL | __GFP_NOFAIL))
		object->pager_count++;
}

static inline void vm_test_store_dealloc(struct vm_object *object)
{
	xa_destroy(vm_test_bytes(object));
	kfree(object->pager);
	object->pager = NULL;
}

static inline bool vm_test_store_haspage(struct vm_object *object, u64 pindex,
					 unsigned int *before,
					 unsigned int *after)
{
	return xa_load(vm_test_bytes(object), pindex);
}

static inline bool vm_test_store_next(struct vm_object *object, u64 *pindex,
				      u64 last)
{
	unsigned long index = *pindex;
	bool found = xa_find(vm_test_bytes(object), &index, last, XA_PRESENT);

	*pindex = index;
	return found;
}

static inline void vm_test_store_freespace(struct vm_object *object, u64 start,
					   u64 n)
{
	while (n--)
		vm_test_forget(object, start++);
}

/* An object gets the pager, if it has it not. */
static inline void vm_test_store_make(struct vm_object *object)
{
	struct vm_test_store *store;

	if (object->ops == &vm_test_store_ops)
		return;
	store = kzalloc(sizeof(*store), GFP_KERNEL | __GFP_NOFAIL);
	xa_init(&store->bytes);
	object->type = OBJT_SWAP;
	object->ops = &vm_test_store_ops;
	object->pager = store;
}

static inline int vm_test_store_copy(struct vm_object *src,
				     struct vm_object *dst, u64 offset,
				     bool destroy)
{
	struct vm_test_gate *gate = vm_test_gate;
	unsigned long index;
	void *byte;

	if (gate) {
		vm_test_gate = NULL;
		vm_object_unlock(src);
		vm_object_unlock(dst);
		complete(&gate->reached);
		wait_for_completion(&gate->open);
		vm_object_lock(dst);
		vm_object_lock_backing(src);
	}
	xa_for_each(vm_test_bytes(src), index, byte) {
		if (index < offset || index - offset >= dst->size) {
			if (destroy)
				vm_test_forget(src, index);
			continue;
		}
		vm_test_store_make(dst);
		vm_test_forget(src, index);
		if (!vm_page_lookup(dst, index - offset) &&
		    !xa_load(vm_test_bytes(dst), index - offset))
			vm_test_remember(dst, index - offset, byte);
	}
	return 0;
}

/**
 * vm_test_page_out() - as if the page had been paged out and its memory given away
 * @test: the case
 * @object: the object
 * @pindex: where it has a page
 */
static inline void vm_test_page_out(struct kunit *test, struct vm_object *object,
				    u64 pindex)
{
	struct vm_page *m;
	u8 byte;

	vm_object_lock(object);
	m = vm_page_lookup(object, pindex);
	if (m) {
		byte = *(u8 *)vm_page_kva(m);
		vm_test_store_make(object);
		vm_test_remember(object, pindex, xa_mk_value(byte));
		vm_page_undirty(m);
		vm_page_free(m);
	}
	vm_object_unlock(object);
	KUNIT_ASSERT_NOT_NULL(test, m);
}

/**
 * vm_test_peek() - what a read through an object shows, as a fault would find it
 * @object: the object, not locked
 * @pindex: where
 *
 * Return: the first byte of the page; 0 where there is none.
 */
static inline u8 vm_test_peek(struct vm_object *object, u64 pindex)
{
	struct vm_object *below;
	struct vm_page *m;
	u8 byte = 0;

	vm_object_lock(object);
	for (;;) {
		m = vm_page_lookup(object, pindex);
		if (m && m->valid) {
			byte = *(u8 *)vm_page_kva(m);
			break;
		}
		if (vm_pager_has_page(object, pindex, NULL, NULL)) {
			byte = xa_to_value(xa_load(vm_test_bytes(object),
						   pindex));
			break;
		}
		if (!object->backing_object)
			break;
		pindex += vm_atop(object->backing_offset);
		below = vm_object_step_down(object);
		object = below;
	}
	vm_object_unlock(object);
	return byte;
}

/**
 * vm_test_exhaust() - take all pages that there are, for good
 * @taken: a list, empty; for vm_test_relent()
 *
 * Nobody has anything that page-out could write. It runs, to say so.
 */
static inline void vm_test_exhaust(struct list_head *taken)
{
	struct vm_page *m;

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	vm_pageout_resume();
	while ((m = uma_pool_alloc(uma_pool, 1, M_NOWAIT | M_USE_RESERVE)))
		list_add(&m->pageq, taken);
}

/* Give one of them back. */
static inline void vm_test_give(struct list_head *taken)
{
	struct vm_page *m = list_first_entry(taken, struct vm_page, pageq);

	list_del_init(&m->pageq);
	uma_pool_free(uma_pool, m, 1);
}

/* And all. */
static inline void vm_test_relent(struct list_head *taken)
{
	uma_pool_free_list(uma_pool, taken);
	vm_pageout_pause();
}

/* Threads. */

/**
 * struct vm_test_thread - a thread, and whether it is through
 * @fn: what it does
 * @arg: with what
 * @done: it is through
 */
struct vm_test_thread {
	void (*fn)(void *arg);
	void *arg;
	struct completion done;
};

static inline int vm_test_thread_main(void *arg)
{
	struct vm_test_thread *t = arg;

	t->fn(t->arg);
	complete(&t->done);
	return 0;
}

/**
 * vm_test_start() - have a thread do something
 * @test: the case
 * @t: the thread
 * @fn: what
 * @arg: with what
 */
static inline void vm_test_start(struct kunit *test, struct vm_test_thread *t,
				 void (*fn)(void *arg), void *arg)
{
	struct task_struct *task;

	t->fn = fn;
	t->arg = arg;
	init_completion(&t->done);
	task = kthread_run(vm_test_thread_main, t, "vm test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
}

/* Wait until the thread is through; false if it is not, soon. */
static inline bool vm_test_finished(struct vm_test_thread *t)
{
	return wait_for_completion_timeout(&t->done, VM_TEST_SOON);
}

/**
 * vm_test_wanted() - wait until somebody waits for a page, but not for ever
 * @m: the page
 * @object: its object, not locked
 *
 * Return: whether somebody does.
 */
static inline bool vm_test_wanted(struct vm_page *m, struct vm_object *object)
{
	unsigned long end = jiffies + VM_TEST_SOON;
	bool wanted;

	for (;;) {
		vm_object_lock(object);
		wanted = m->wanted;
		vm_object_unlock(object);
		if (wanted || time_after(jiffies, end))
			return wanted;
		schedule_timeout_idle(1);
	}
}

/* Whether it is still at it after a while in which it could have ended. */
static inline bool vm_test_sleeps(struct vm_test_thread *t)
{
	return !wait_for_completion_timeout(&t->done, HZ / 20);
}

/* Wait for a counter of the VM to go beyond what it was. */
static inline bool vm_test_counted(atomic64_t *counter, u64 before)
{
	unsigned long end = jiffies + VM_TEST_SOON;

	while (atomic64_read(counter) <= before) {
		if (time_after(jiffies, end))
			return false;
		schedule_timeout_idle(1);
	}
	return true;
}

#endif /* _UMA_VM_TEST_H */
