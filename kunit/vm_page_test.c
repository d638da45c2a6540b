// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the VM: states and queues, busy, cached pages that are reused, classes of
 * allocation, pages in no object.
 */
#include <kunit/test.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/prandom.h>

#include "vm_test.h"

/* The VM's limits, which cases change. */
static struct vm_page_limits limits;

static int page_init(struct kunit *test)
{
	limits = vm_page_limits;
	return vm_test_init(test);
}

static void page_exit(struct kunit *test)
{
	vm_page_limits = limits;
	vm_test_exit(test);
}

/* From here on a normal allocation finds no free page. */
static void no_free_pages(void)
{
	vm_page_limits.reserved = vm_page_free_count();
}

static void lock_activate(struct vm_page *m)
{
	vm_page_lock_queues();
	vm_page_activate(m);
	vm_page_unlock_queues();
}

/* PG-01: a page and what the case believes of it. */

#define PAGES	24
#define STEPS	20000

struct model {
	struct vm_page *m;
	enum vm_queue queue;
	unsigned int wires;
	unsigned int holds;
	bool in_object;
};

static void expect_model(struct kunit *test, struct model *pages)
{
	unsigned long count[PQ_COUNT] = {}, wired = 0;
	enum vm_queue queue;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		if (!pages[i].m)
			continue;
		KUNIT_ASSERT_EQ(test, vm_test_queue(pages[i].m), pages[i].queue);
		KUNIT_ASSERT_EQ(test, pages[i].m->wire_count, pages[i].wires);
		KUNIT_ASSERT_EQ(test, pages[i].m->hold_count, pages[i].holds);
		KUNIT_ASSERT_EQ(test, !!pages[i].m->object, pages[i].in_object);
		count[pages[i].queue]++;
		wired += !!pages[i].wires;
	}
	for (queue = PQ_CACHE; queue < PQ_COUNT; queue++)
		KUNIT_ASSERT_EQ(test, vm_pageq_count(queue), count[queue]);
	KUNIT_ASSERT_EQ(test, vm_pageqs.wired, wired);
	KUNIT_ASSERT_TRUE(test, vm_pageq_check());
}

/* One step with one page; @op at random. */
static void change(struct vm_object *object, struct model *p, u32 op)
{
	struct vm_page *m = p->m;

	if (!m) {
		p->m = vm_page_alloc(object, op % 1000000, VM_ALLOC_NOBUSY);
		p->queue = PQ_NONE;
		p->wires = 0;
		p->holds = 0;
		p->in_object = true;
		return;
	}
	vm_page_lock_queues();
	switch (op % 8) {
	case 0:
		vm_page_activate(m);
		if (p->in_object && !p->wires)
			p->queue = PQ_ACTIVE;
		break;
	case 1:
		vm_page_deactivate(m);
		if (p->in_object && !p->wires)
			p->queue = PQ_INACTIVE;
		break;
	case 2:
		if (!p->in_object || p->wires || p->holds)
			break;
		vm_page_cache(m);
		p->queue = PQ_CACHE;
		break;
	case 3:
		if (p->queue == PQ_HOLD)
			break;
		vm_page_wire(m);
		p->wires++;
		p->queue = PQ_NONE;
		break;
	case 4:
		if (!p->wires)
			break;
		p->wires--;
		if (!p->wires) {
			if (p->in_object)
				p->queue = op & 256 ? PQ_ACTIVE : PQ_INACTIVE;
			else if (p->holds)
				p->queue = PQ_HOLD;
			else
				p->m = NULL;
		}
		vm_page_unwire(m, op & 256);
		break;
	case 5:
		if (vm_page_hold(m))
			p->holds++;
		break;
	case 6:
		if (!p->holds)
			break;
		p->holds--;
		if (!p->holds && p->queue == PQ_HOLD)
			p->m = NULL;
		vm_page_unhold(m);
		break;
	case 7:
		if (!p->in_object)
			break;
		vm_page_free(m);
		p->in_object = false;
		if (p->wires)
			p->queue = PQ_NONE;
		else if (p->holds)
			p->queue = PQ_HOLD;
		else
			p->m = NULL;
		break;
	}
	vm_page_unlock_queues();
}

static void pg_01_no_page_is_lost_or_doubled(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 1000000);
	struct model *pages = kunit_kcalloc(test, PAGES, sizeof(*pages),
					    GFP_KERNEL);
	unsigned long free = vm_page_free_count();
	struct rnd_state rnd;
	unsigned int i, out;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	prandom_seed_state(&rnd, 1);
	for (i = 0; i < STEPS; i++) {
		vm_object_lock(object);
		change(object, &pages[prandom_u32_state(&rnd) % PAGES],
		       prandom_u32_state(&rnd));
		vm_object_unlock(object);
		if (i % 16 == 0)
			expect_model(test, pages);
	}
	for (i = 0, out = 0; i < PAGES; i++)
		out += !!pages[i].m;
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), free - out);
	/* All wirings, holds and places end: all pages are free. */
	vm_object_deallocate(object);
	vm_page_lock_queues();
	for (i = 0; i < PAGES; i++) {
		/* With each last one the page goes, unless the other stays. */
		for (out = pages[i].wires; pages[i].m && out; out--)
			vm_page_unwire(pages[i].m, false);
		for (out = pages[i].holds; pages[i].m && out; out--)
			vm_page_unhold(pages[i].m);
	}
	vm_page_unlock_queues();
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), free);
}

static void pg_01_a_page_has_255_holds(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 1);
	struct vm_page *m = vm_test_fill(test, object, 0, 1);
	unsigned int i;

	vm_page_lock_queues();
	for (i = 0; i < 255; i++)
		KUNIT_EXPECT_TRUE(test, vm_page_hold(m));
	KUNIT_EXPECT_FALSE(test, vm_page_hold(m));
	for (i = 0; i < 255; i++)
		vm_page_unhold(m);
	vm_page_unlock_queues();
	vm_object_deallocate(object);
}

static void pg_02_busy_is_for_who_drops_the_lock(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_page *m, *loose;

	vm_object_lock(object);
	m = vm_page_alloc(object, 0, VM_ALLOC_NORMAL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_TRUE(test, m->busy);
	vm_page_wakeup(m);
	KUNIT_EXPECT_FALSE(test, m->busy);

	/* Who asks for one that is not, gets it. */
	m = vm_page_alloc(object, 1, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_FALSE(test, m->busy);
	loose = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ);
	KUNIT_ASSERT_NOT_NULL(test, loose);
	KUNIT_EXPECT_FALSE(test, loose->busy);
	vm_page_free(loose);

	/* Removing, moving and freeing need no mark, and leave none. */
	vm_page_remove(m);
	KUNIT_EXPECT_EQ(test, vm_page_insert(m, object, 2), 0);
	KUNIT_EXPECT_EQ(test, vm_page_rename(m, object, 3), 0);
	KUNIT_EXPECT_FALSE(test, m->busy);
	vm_page_busy(m);
	KUNIT_EXPECT_EQ(test, vm_page_rename(m, object, 4), 0);
	KUNIT_EXPECT_FALSE(test, m->busy);
	vm_page_free(m);

	m = vm_page_lookup(object, 0);
	vm_page_busy(m);
	vm_page_free(m);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	vm_object_unlock(object);
	vm_object_deallocate(object);
}

/* The log's two mistakes in a retried allocation: both print a warning here. */
static void pg_02_a_grabbed_page_is_marked_once(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_page *m;

	vm_object_lock(object);
	m = vm_page_grab(object, 0, VM_ALLOC_RETRY | VM_ALLOC_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_TRUE(test, m->busy);
	KUNIT_EXPECT_NULL(test, memchr_inv(vm_page_kva(m), 0, PAGE_SIZE));
	/* Busy, and the caller will not wait. */
	KUNIT_EXPECT_NULL(test, vm_page_grab(object, 0, VM_ALLOC_NORMAL));
	vm_page_wakeup(m);
	KUNIT_EXPECT_PTR_EQ(test, vm_page_grab(object, 0, VM_ALLOC_WIRED), m);
	KUNIT_EXPECT_TRUE(test, m->busy);
	KUNIT_EXPECT_EQ(test, m->wire_count, 1);
	vm_page_wakeup(m);
	KUNIT_EXPECT_PTR_EQ(test, vm_page_grab(object, 0, VM_ALLOC_NOBUSY), m);
	KUNIT_EXPECT_FALSE(test, m->busy);

	vm_page_busy(m);
	pr_info("uma-expect-begin: page 0x[0-9a-f]+ is busy already\n");
	vm_page_busy(m);
	pr_info("uma-expect-end\n");
	vm_page_wakeup(m);
	pr_info("uma-expect-begin: page 0x[0-9a-f]+ is not busy\n");
	vm_page_wakeup(m);
	pr_info("uma-expect-end\n");
	vm_page_lock_queues();
	vm_page_unwire(m, false);
	vm_page_unlock_queues();
vm_object_unlock(object);
	vm_object_deallocate(object);
}

/* PG-03. */

struct waiter {
	struct vm_object *object;
	struct vm_page *m;
	bool also_io;
	bool slept;
};

static void wait_for_page(void *arg)
{
	struct waiter *w = arg;

	vm_object_lock(w->object);
	w->slept = vm_page_sleep_if_busy(w->m, w->object, w->also_io);
	vm_object_unlock(w->object);
}

static void pg_03_waiter_relocks_the_object_that_it_kept(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_object *other = vm_test_object(test, 8);
	struct vm_page *m = vm_test_fill(test, object, 0, 1), *again;
	struct waiter w = { .object = object, .m = m };
	u64 before = atomic64_read(&vm_cnt.busy_waits);
	struct vm_test_thread t;

	vm_object_lock(object);
	vm_page_busy(m);
	vm_object_unlock(object);
	vm_test_start(test, &t, wait_for_page, &w);
	KUNIT_ASSERT_TRUE(test, vm_test_counted(&vm_cnt.busy_waits, before));

	/* The page goes, and is another object's; that stays locked. */
	vm_object_lock(other);
	vm_object_lock_backing(object);
	vm_page_free(m);
	vm_object_unlock(object);
	again = vm_page_alloc(other, 5, VM_ALLOC_NORMAL);
	KUNIT_ASSERT_NOT_NULL(test, again);
	/* The one freed last comes first. */
	KUNIT_EXPECT_PTR_EQ(test, again, m);
	KUNIT_ASSERT_TRUE_MSG(test, vm_test_finished(&t),
			      "the waiter wants the page's new object");
	KUNIT_EXPECT_TRUE(test, w.slept);
	KUNIT_EXPECT_TRUE(test, again->busy);
	vm_page_wakeup(again);
	vm_object_unlock(other);
	vm_object_deallocate(other);
	vm_object_deallocate(object);
}

static void pg_03_who_waits_for_writes_waits_for_all(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_page *m = vm_test_fill(test, object, 0, 1);
	struct waiter w = { .object = object, .m = m, .also_io = true };
	u64 before = atomic64_read(&vm_cnt.busy_waits);
	struct vm_test_thread t;

	vm_object_lock(object);
	vm_page_io_start(m);
	vm_page_io_start(m);
	/* It can be read: who only wants that does not wait. */
	KUNIT_EXPECT_FALSE(test, vm_page_sleep_if_busy(m, object, false));
	vm_object_unlock(object);
	vm_test_start(test, &t, wait_for_page, &w);
	KUNIT_ASSERT_TRUE(test, vm_test_counted(&vm_cnt.busy_waits, before));
	vm_object_lock(object);
	vm_page_io_finish(m);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	vm_object_lock(object);
	vm_page_io_finish(m);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	vm_object_deallocate(object);
}

static void pg_04_locked_objects_keep_their_cached_pages(struct kunit *test)
{
	struct vm_object *locked = vm_test_object(test, 4);
	struct vm_object *other = vm_test_object(test, 4);
	struct vm_object *mine = vm_test_object(test, 4);
	u64 before = atomic64_read(&vm_cnt.cache_skipped);
	struct vm_page *kept, *taken, *own, *m;

	kept = vm_test_fill(test, locked, 0, 1);
	taken = vm_test_fill(test, other, 0, 2);
	own = vm_test_fill(test, mine, 0, 3);
	vm_test_cache(test, kept);
	vm_test_cache(test, taken);
	vm_test_cache(test, own);
	no_free_pages();

	vm_object_lock(locked);
	vm_object_lock_backing(mine);
	/* The first in the queue is somebody's who is at work on his object. */
	m = vm_page_alloc(mine, 1, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY);
	KUNIT_EXPECT_NOT_NULL(test, m);
	KUNIT_EXPECT_PTR_EQ(test, m, taken);
	KUNIT_EXPECT_GT(test, atomic64_read(&vm_cnt.cache_skipped), before);
	KUNIT_EXPECT_TRUE(test, vm_object_is_locked(locked));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&other->lock));
	KUNIT_EXPECT_EQ(test, vm_test_queue(kept), PQ_CACHE);
	KUNIT_EXPECT_PTR_EQ(test, kept->object, locked);
	KUNIT_EXPECT_EQ(test, other->resident, 0);

	/* The caller's own object is locked by the caller, and stays so. */
	m = vm_page_alloc(mine, 2, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY);
	KUNIT_EXPECT_PTR_EQ(test, m, own);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&mine->lock));
	KUNIT_EXPECT_NULL(test, vm_page_lookup(mine, 0));
	KUNIT_EXPECT_EQ(test, mine->resident, 2);

	/* Nothing but the locked one's is left. */
	KUNIT_EXPECT_NULL(test, vm_page_alloc(mine, 3, VM_ALLOC_NORMAL));
	KUNIT_EXPECT_NULL(test, vm_page_lookup(mine, 3));
	KUNIT_EXPECT_EQ(test, vm_test_queue(kept), PQ_CACHE);
	KUNIT_EXPECT_TRUE(test, mutex_is_locked(&locked->lock));
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 1);
	vm_object_unlock(mine);
	vm_object_unlock(locked);

	vm_object_deallocate(mine);
	vm_object_deallocate(other);
	vm_object_deallocate(locked);
}

static void pg_05_a_reused_page_left_its_object(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_page *held, *busy, *written, *m, *page[5];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = vm_test_fill(test, object, i, 0x10 + i);
		vm_test_cache(test, page[i]);
	}
	held = page[0];
	busy = page[1];
	written = page[2];
	vm_object_lock(object);
	vm_page_lock_queues();
	vm_page_hold(held);
	vm_page_unlock_queues();
	vm_page_busy(busy);
	vm_page_io_start(written);
	vm_object_unlock(object);
	no_free_pages();

	for (i = 3; i < 5; i++) {
		m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ);
		KUNIT_EXPECT_PTR_EQ(test, m, page[i]);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_NULL(test, m->object);
		memset(vm_page_kva(m), 0xff, PAGE_SIZE);
		vm_object_lock(object);
		KUNIT_EXPECT_NULL(test, vm_page_lookup(object, i));
		vm_object_unlock(object);
		KUNIT_EXPECT_EQ(test, vm_test_peek(object, i), 0);
	}
	/* What is held, busy or being written is nobody else's. */
	KUNIT_EXPECT_NULL(test, vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ));
	KUNIT_EXPECT_EQ(test, object->resident, 3);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, vm_test_peek(object, i), 0x10 + i);

	vm_object_lock(object);
	vm_page_lock_queues();
	vm_page_unhold(held);
	vm_page_unlock_queues();
	vm_page_wakeup(busy);
	vm_page_io_finish(written);
	vm_object_unlock(object);
	vm_page_free(page[3]);
	vm_page_free(page[4]);
	vm_object_deallocate(object);
}

/* PG-07. */

static void take_queues_lock(void *arg)
{
	vm_page_lock_queues();
	*(bool *)arg = true;
	vm_page_unlock_queues();
}

/* A page on its way out, and whether others could have met it half way. */
static struct vm_page *leaving;
static bool half_way;

static void look_at_leaving(struct vm_object *object)
{
	half_way = !leaving->object && leaving->queue != PQ_NONE &&
		   !vm_page_queues_owned();
}

static const struct vm_pager_ops leaving_ops = {
	.name = "test",
	.last_page = look_at_leaving,
};

/* On the cache queue there is no page without an object: who reuses one locks that. */
static void pg_05_a_page_leaves_object_and_queue_at_once(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 4);
	const struct vm_pager_ops *ops = object->ops;

	leaving = vm_test_fill(test, object, 0, 1);
	vm_test_cache(test, leaving);
	half_way = true;
	vm_object_lock(object);
	object->ops = &leaving_ops;
	vm_page_free(leaving);
	object->ops = ops;
	vm_object_unlock(object);
	KUNIT_EXPECT_FALSE(test, half_way);
	vm_object_deallocate(object);
}

static void pg_07_allocation_under_the_queues_lock(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_object *cached = vm_test_object(test, 8);
	struct vm_page *table, *m, *c = vm_test_fill(test, cached, 0, 1);
	struct vm_test_thread t;
	bool other = false;

	vm_test_cache(test, c);
	vm_object_lock(object);
	vm_page_lock_queues();
	/* What a physical map does: a table's page, in the middle of its work. */
	table = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED |
			      VM_ALLOC_ZERO);
	KUNIT_EXPECT_NOT_NULL(test, table);
	KUNIT_EXPECT_TRUE(test, vm_page_queues_owned());
	m = vm_page_alloc(object, 0, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY);
	KUNIT_EXPECT_NOT_NULL(test, m);
	KUNIT_EXPECT_TRUE(test, vm_page_queues_owned());
	/* And with no free page left, from the queue itself. */
	no_free_pages();
	KUNIT_EXPECT_PTR_EQ(test, vm_page_alloc(object, 1, VM_ALLOC_NOBUSY), c);
	KUNIT_EXPECT_TRUE(test, vm_page_queues_owned());
	KUNIT_EXPECT_EQ(test, vm_pageqs.depth, 0);
	if (table)
		vm_page_unwire(table, false);
	KUNIT_EXPECT_TRUE(test, vm_page_queues_owned());
	vm_page_unlock_queues();
	KUNIT_EXPECT_FALSE(test, vm_page_queues_owned());
	vm_object_unlock(object);

	/* It was let go of as often as it was taken. */
	vm_test_start(test, &t, take_queues_lock, &other);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	KUNIT_EXPECT_TRUE(test, other);
	vm_object_deallocate(cached);
	vm_object_deallocate(object);
}

static void pg_09_blocks_are_valid_and_dirty_by_themselves(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 1);
	struct vm_page *m = vm_test_fill(test, object, 0, 0xaa);
	u8 *kva = vm_page_kva(m);

	vm_object_lock(object);
	m->valid = 0;
	vm_page_undirty(m);
	KUNIT_EXPECT_EQ(test, vm_page_bits(0, 1), 0x01);
	KUNIT_EXPECT_EQ(test, vm_page_bits(511, 2), 0x03);
	KUNIT_EXPECT_EQ(test, vm_page_bits(0, PAGE_SIZE), VM_PAGE_BITS_ALL);
	KUNIT_EXPECT_EQ(test, vm_page_bits(PAGE_SIZE - 1, 1), 0x80);
	KUNIT_EXPECT_EQ(test, vm_page_bits(100, 0), 0);

	/* The rest of a block that becomes valid is not what was there before. */
	vm_page_set_valid(m, 600, 100);
	KUNIT_EXPECT_EQ(test, m->valid, 0x02);
	KUNIT_EXPECT_NULL(test, memchr_inv(kva + 512, 0, 88));
	KUNIT_EXPECT_NULL(test, memchr_inv(kva + 600, 0xaa, 100));
	KUNIT_EXPECT_NULL(test, memchr_inv(kva + 700, 0, 324));
	KUNIT_EXPECT_TRUE(test, vm_page_is_valid(m, 512, 512));
	KUNIT_EXPECT_FALSE(test, vm_page_is_valid(m, 512, 513));
	KUNIT_EXPECT_FALSE(test, vm_page_is_valid(m, 0, PAGE_SIZE));
	/* In one that is valid already nothing is zeroed. */
	memset(kva, 0xbb, PAGE_SIZE);
	vm_page_set_valid(m, 600, 500);
	KUNIT_EXPECT_EQ(test, m->valid, 0x06);
	KUNIT_EXPECT_NULL(test, memchr_inv(kva + 512, 0xbb, 588));
	KUNIT_EXPECT_NULL(test, memchr_inv(kva + 1100, 0, 436));

	/* Clean is only what was written whole. */
	vm_page_dirty(m);
	vm_page_set_validclean(m, 1000, 1100);
	KUNIT_EXPECT_EQ(test, m->valid, 0x1e);
	KUNIT_EXPECT_EQ(test, m->dirty, 0xf3);
	vm_page_set_invalid(m, 1023, 2);
	KUNIT_EXPECT_EQ(test, m->valid, 0x18);
	KUNIT_EXPECT_EQ(test, m->dirty, 0xf1);
	memset(kva, 0xcc, PAGE_SIZE);
	vm_page_zero_invalid(m, true);
	KUNIT_EXPECT_NULL(test, memchr_inv(kva, 0, 1536));
	KUNIT_EXPECT_NULL(test, memchr_inv(kva + 1536, 0xcc, 1024));
	KUNIT_EXPECT_NULL(test, memchr_inv(kva + 2560, 0, 1536));
	KUNIT_EXPECT_EQ(test, m->valid, VM_PAGE_BITS_ALL);
	vm_object_unlock(object);
	vm_object_deallocate(object);
}

/* Allocate in a class until there is no more, onto a list; how many were there. */
static unsigned int take_all(struct list_head *taken, int class)
{
	unsigned int n = 0;
	struct vm_page *m;

	while (n < 100 && (m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | class))) {
		list_add(&m->pageq, taken);
		n++;
	}
	return n;
}

static void put_all(struct list_head *taken)
{
	struct vm_page *m;

	while ((m = list_first_entry_or_null(taken, struct vm_page, pageq))) {
		list_del_init(&m->pageq);
		vm_page_free(m);
	}
}

static void pg_11_each_class_leaves_the_others_reserve(struct kunit *test)
{
	unsigned long free = vm_page_free_count();
	LIST_HEAD(taken);

	vm_page_limits.reserved = free - 10;
	vm_page_limits.interrupt = free - 16;
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_NORMAL), 10);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), vm_page_limits.reserved);
	KUNIT_EXPECT_TRUE(test, vm_page_count_min());
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_SYSTEM), 6);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), vm_page_limits.interrupt);
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_NORMAL), 0);
	/* The interrupts' are as many as there are pages. */
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_INTERRUPT), 100);
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_SYSTEM), 0);
	put_all(&taken);
	KUNIT_EXPECT_FALSE(test, vm_page_count_min());
}

/* Cached pages come before anybody's reserve, and interrupts do not touch them. */
static void pg_11_cached_pages_come_before_the_reserve(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	unsigned long free;
	LIST_HEAD(taken);
	unsigned int i;

	for (i = 0; i < 4; i++)
		vm_test_cache(test, vm_test_fill(test, object, i, i));
	free = vm_page_free_count();
	vm_page_limits.reserved = free;
	vm_page_limits.interrupt = free - 3;
	KUNIT_EXPECT_FALSE(test, vm_page_count_min());
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_INTERRUPT), 100);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 4);
	put_all(&taken);
	/* The four, and then what is its own. */
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_SYSTEM), 7);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 0);
	KUNIT_EXPECT_TRUE(test, vm_page_count_min());
	put_all(&taken);
	vm_object_deallocate(object);
}

/* A shortage that is over by and by: cached pages fill the reserve first. */
static void pg_11_a_reserve_is_filled_from_cached_pages(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	unsigned int i;
	LIST_HEAD(taken);

	for (i = 0; i < 6; i++)
		vm_test_cache(test, vm_test_fill(test, object, i, i));
	vm_page_limits.reserved = vm_page_free_count() + 4;
	KUNIT_EXPECT_EQ(test, take_all(&taken, VM_ALLOC_NORMAL), 2);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), vm_page_limits.reserved);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 0);
	put_all(&taken);
	vm_object_deallocate(object);
}

/* Somebody waits for pages, and one comes: freed, or cached. */

static void wait_for_pages(void *arg)
{
	while (!vm_wait())
		;
}

static atomic_t wakeups;

static void count_wakeup(void)
{
	atomic_inc(&wakeups);
}

static void pg_11_who_waits_is_woken_by_a_page(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_page *m = vm_test_fill(test, object, 0, 1);
	struct vm_test_thread t;
	vm_wakeup_fn daemon;
	LIST_HEAD(taken);

	atomic_set(&wakeups, 0);
	vm_page_limits.wakeup = 0;
	daemon = vm_page_set_pageout(count_wakeup);
	no_free_pages();
	vm_test_start(test, &t, wait_for_pages, NULL);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	KUNIT_EXPECT_GT(test, atomic_read(&wakeups), 0);
	vm_test_cache(test, m);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&t.done, HZ / 2));
	take_all(&taken, VM_ALLOC_NORMAL);
	KUNIT_EXPECT_TRUE(test, vm_page_count_min());

	m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT);
	KUNIT_ASSERT_NOT_NULL(test, m);
	no_free_pages();
	vm_test_start(test, &t, wait_for_pages, NULL);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	vm_page_free(m);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&t.done, HZ / 2));
	vm_page_set_pageout(daemon);
	put_all(&taken);
	vm_object_deallocate(object);
}

/* PG-12. */

static struct vm_page *irq_page;

static void alloc_in_interrupt(struct irq_work *work)
{
	irq_page = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT);
	if (irq_page)
		vm_page_free(irq_page);
}

static void pg_12_pages_without_an_object(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct irq_work work;
	struct vm_page *m;

	m = vm_page_alloc(NULL, 3, VM_ALLOC_NOOBJ | VM_ALLOC_WIRED);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_NULL(test, m->object);
	KUNIT_EXPECT_FALSE(test, m->busy);
	KUNIT_EXPECT_EQ(test, m->wire_count, 1);
	/* No queue takes it: page-out will not look for whose it is. */
	lock_activate(m);
	vm_page_lock_queues();
	vm_page_deactivate(m);
	vm_page_unlock_queues();
	KUNIT_EXPECT_EQ(test, vm_test_queue(m), PQ_NONE);
	vm_page_lock_queues();
	vm_page_unwire(m, true);
	vm_page_unlock_queues();

	/* Asked for both ways, or neither. */
	pr_info("uma-expect-begin: WARNING.*vm_page_alloc\n");
	KUNIT_EXPECT_NULL(test, vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL));
	pr_info("uma-expect-end\n");
	vm_object_lock(object);
	pr_info("uma-expect-begin: WARNING.*vm_page_alloc\n");
	KUNIT_EXPECT_NULL(test, vm_page_alloc(object, 0, VM_ALLOC_NOOBJ));
	pr_info("uma-expect-end\n");
	vm_object_unlock(object);
	vm_object_deallocate(object);

	/* The interrupts' class is for interrupts. */
	init_irq_work(&work, alloc_in_interrupt);
	irq_page = NULL;
	irq_work_queue(&work);
	irq_work_sync(&work);
	KUNIT_EXPECT_NOT_NULL(test, irq_page);
}

static void pg_12_removing_asks_for_the_lock(struct kunit *test)
{
	static const enum vm_object_type types[] = {
		OBJT_DEFAULT, OBJT_SWAP, OBJT_VNODE, OBJT_DEVICE, OBJT_PHYS,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct vm_object *object = vm_object_allocate(types[i], 4);
		struct vm_page *m;

		KUNIT_ASSERT_NOT_NULL(test, object);
		m = vm_test_fill(test, object, 0, 1);
		/* A page out of nowhere cannot be removed at all. */
		vm_object_lock(object);
		vm_page_remove(m);
		pr_info("uma-expect-begin: page 0x[0-9a-f]+ is in no object\n");
		vm_page_remove(m);
		pr_info("uma-expect-end\n");
		KUNIT_EXPECT_EQ(test, vm_page_insert(m, object, 1), 0);
		vm_object_unlock(object);

		pr_info("uma-expect-begin: object .* is not locked\n");
		vm_page_remove(m);
		pr_info("uma-expect-end\n");
		KUNIT_EXPECT_EQ(test, object->resident, 0);
		vm_object_lock(object);
		KUNIT_EXPECT_EQ(test, vm_page_insert(m, object, 2), 0);
		vm_object_unlock(object);
		vm_object_deallocate(object);
	}
}

static struct kunit_case page_cases[] = {
	KUNIT_CASE(pg_01_no_page_is_lost_or_doubled),
	KUNIT_CASE(pg_01_a_page_has_255_holds),
	KUNIT_CASE(pg_02_busy_is_for_who_drops_the_lock),
	KUNIT_CASE(pg_02_a_grabbed_page_is_marked_once),
	KUNIT_CASE(pg_03_waiter_relocks_the_object_that_it_kept),
	KUNIT_CASE(pg_03_who_waits_for_writes_waits_for_all),
	KUNIT_CASE(pg_04_locked_objects_keep_their_cached_pages),
	KUNIT_CASE(pg_05_a_reused_page_left_its_object),
	KUNIT_CASE(pg_05_a_page_leaves_object_and_queue_at_once),
	KUNIT_CASE(pg_07_allocation_under_the_queues_lock),
	KUNIT_CASE(pg_09_blocks_are_valid_and_dirty_by_themselves),
	KUNIT_CASE(pg_11_each_class_leaves_the_others_reserve),
	KUNIT_CASE(pg_11_cached_pages_come_before_the_reserve),
	KUNIT_CASE(pg_11_a_reserve_is_filled_from_cached_pages),
	KUNIT_CASE(pg_11_who_waits_is_woken_by_a_page),
	KUNIT_CASE(pg_12_pages_without_an_object),
	KUNIT_CASE(pg_12_removing_asks_for_the_lock),
	{}
};

static struct kunit_suite page_suite = {
	.name = "vm_page",
	.init = page_init,
	.exit = page_exit,
	.test_cases = page_cases,
};

kunit_test_suite(page_suite);

MODULE_DESCRIPTION("KUnit: pages of the VM");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
