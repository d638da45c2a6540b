// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many at once: uma_zalloc_bulk() gives all or nothing, and uma_zfree_bulk() takes
 * them back, with the counts of as many single calls.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "uma_test.h"

#define ITEM		64
#define MANY		1500

static int by_address(const void *a, const void *b)
{
	const void *x = *(void * const *)a, *y = *(void * const *)b;

	return x < y ? -1 : x > y;
}

/* All items are there, apart from each other, and free to be written. */
static void expect_distinct(struct kunit *test, void **items, unsigned int n,
			    size_t size)
{
	unsigned int i, bad = 0;

	for (i = 0; i < n; i++)
		memset(items[i], i, size);
	for (i = 0; i < n; i++)
		bad += !!memchr_inv(items[i], (u8)i, size);
	sort(items, n, sizeof(*items), by_address, NULL);
	for (i = 1; i < n; i++)
		bad += items[i] < items[i - 1] + size;
	KUNIT_EXPECT_EQ_MSG(test, bad, 0, "of %u", n);
}

static void expect_counts(struct kunit *test, uma_zone_t zone, u64 allocs,
			  u64 frees, u64 fails)
{
	struct uma_test_totals t = uma_test_totals(test, zone);

	KUNIT_EXPECT_EQ(test, t.allocs, allocs);
	KUNIT_EXPECT_EQ(test, t.frees, frees);
	KUNIT_EXPECT_EQ(test, t.fails, fails);
	/* What is nobody's is in a cache or in a slab. */
	KUNIT_EXPECT_EQ(test, allocs - frees + t.cpu_free + t.zone_free,
			uma_keg_items_out(zone->uz_keg));
}

static const unsigned int numbers[] = {
	1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129, 255, 256,
	257, 300, 511, 513, 1000, MANY,
};

static void bulk_of_every_number(struct kunit *test)
{
	static const u32 flags[] = { 0, UMA_ZONE_OFFPAGE, UMA_ZONE_REFCNT,
				     UMA_ZONE_MINBUCKET, UMA_ZONE_MAXBUCKET };
	void **items = uma_test_items(test, MANY);
	unsigned int i, k;

	for (k = 0; k < ARRAY_SIZE(flags); k++) {
		uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, flags[k]);
		u64 sum = 0;

		for (i = 0; i < ARRAY_SIZE(numbers); i++) {
			unsigned int n = numbers[i];

			KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, n,
							      i & 1 ? M_WAITOK :
							      M_NOWAIT), n);
			expect_counts(test, zone, sum + n, sum, 0);
			KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), n);
			expect_distinct(test, items, n, ITEM);
			uma_zfree_bulk(zone, items, n);
			sum += n;
			expect_counts(test, zone, sum, sum, 0);
		}
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

static void bulk_of_none(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, 0);

	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, NULL, 0, M_NOWAIT), 0);
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, NULL, 0, M_WAITOK), 0);
	uma_zfree_bulk(zone, NULL, 0);
	expect_counts(test, zone, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* One by one and many at once are the same items and the same counts. */
static void bulk_mixes_with_single_ones(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	unsigned int i, n = 0;

	for (i = 1; n + i <= MANY; i++) {
		if (i & 1)
			uma_test_get(test, zone, items + n, i);
		else
			KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items + n,
							      i, M_NOWAIT), i);
		n += i;
		if (i % 5)
			continue;
		/* Back, the other way. */
		n -= i;
		if (i & 1)
			uma_zfree_bulk(zone, items + n, i);
		else
			uma_test_put(zone, items + n, i);
	}
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), n);
	expect_distinct(test, items, n, ITEM);
	uma_zfree_bulk(zone, items, n);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Items that buckets hold move by the bucket: no slab is touched. */
static void bulk_moves_whole_buckets(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, UMA_ZONE_MAXBUCKET);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;
	unsigned int round;
	u32 keg_free, pages;

	KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, MANY, M_WAITOK), MANY);
	uma_zfree_bulk(zone, items, MANY);
	t = uma_test_totals(test, zone);
	/* All but less than a bucket, each of them full. */
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, MANY);
	KUNIT_EXPECT_EQ(test, t.zone_free % 128, 0);
	KUNIT_EXPECT_LE(test, t.cpu_free, 256);
	keg_free = t.keg_free;
	pages = t.pages;
	for (round = 0; round < 3; round++) {
		KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, MANY,
						      M_NOWAIT), MANY);
		t = uma_test_totals(test, zone);
		KUNIT_EXPECT_EQ(test, t.keg_free, keg_free);
		KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
		uma_zfree_bulk(zone, items, MANY);
		t = uma_test_totals(test, zone);
		KUNIT_EXPECT_EQ(test, t.keg_free, keg_free);
		KUNIT_EXPECT_EQ(test, t.pages, pages);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void bulk_m_zero_clears_all(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	unsigned int i, n, bad = 0;

	for (n = 1; n <= 600; n += 99) {
		KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, n, M_NOWAIT),
				n);
		for (i = 0; i < n; i++)
			memset(items[i], 0xa5, ITEM);
		uma_zfree_bulk(zone, items, n);
		KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, n,
						      M_NOWAIT | M_ZERO), n);
		for (i = 0; i < n; i++)
			bad += !!memchr_inv(items[i], 0, ITEM);
		for (i = 0; i < n; i++)
			memset(items[i], 0xa5, ITEM);
		uma_zfree_bulk(zone, items, n);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* All or nothing */

static void bulk_at_a_limit_gives_all_or_nothing(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", PAGE_SIZE / 2, 0);
	void *items[12], *more[12];
	unsigned int i, round;

	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, 10), 10);
	for (round = 0; round < 3; round++) {
		u64 fails = round * 2;

		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 11,
						      M_NOWAIT), 0);
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
		expect_counts(test, zone, round * 10, round * 10, fails + 1);
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 7, M_NOWAIT),
				7);
		/* What is there, but not enough, is there afterwards. */
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, more, 4, M_NOWAIT),
				0);
		for (i = 7; i < 10; i++) {
			items[i] = uma_zalloc(zone, M_NOWAIT);
			KUNIT_EXPECT_NOT_NULL(test, items[i]);
		}
		expect_distinct(test, items, 10, PAGE_SIZE / 2);
		uma_zfree_bulk(zone, items, 10);
		expect_counts(test, zone, (round + 1) * 10, (round + 1) * 10,
			      fails + 2);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

struct waiter {
	uma_zone_t zone;
	int flags;
	unsigned int n, got;
	void *items[8];
	struct completion done;
	struct task_struct *task;
};

static int waiter_fn(void *arg)
{
	struct waiter *w = arg;

	w->got = uma_zalloc_bulk(w->zone, w->items, w->n, w->flags);
	kthread_complete_and_exit(&w->done, 0);
}

static void waiter_put(void *task)
{
	put_task_struct(task);
}

static struct waiter *make_waiter(struct kunit *test, uma_zone_t zone,
				  unsigned int n, int flags)
{
	struct waiter *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->zone = zone;
	w->flags = flags;
	w->n = n;
	init_completion(&w->done);
	w->task = kthread_create(waiter_fn, w, "uma_test_waiter");
	KUNIT_ASSERT_FALSE(test, IS_ERR(w->task));
	get_task_struct(w->task);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, waiter_put,
							w->task), 0);
	wake_up_process(w->task);
	return w;
}

static void await_sleep(struct kunit *test, struct waiter *w)
{
	unsigned long end = jiffies + 10 * HZ;

	while (READ_ONCE(w->task->__state) != TASK_IDLE &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(2);
	KUNIT_ASSERT_EQ(test, READ_ONCE(w->task->__state), TASK_IDLE);
}

/* A thread that wants many, and sleeps when this returns. */
static struct waiter *start_waiter(struct kunit *test, uma_zone_t zone,
				   unsigned int n)
{
	struct waiter *w = make_waiter(test, zone, n, M_WAITOK);

	await_sleep(test, w);
	return w;
}

static void expect_served(struct kunit *test, struct waiter *w)
{
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&w->done, 10 * HZ),
			0);
	KUNIT_EXPECT_EQ(test, w->got, w->n);
}

static void uma_19_bulk_that_may_sleep_gets_all(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", PAGE_SIZE / 2, 0);
	struct waiter *w;
	void *items[8];

	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, 8), 8);
	KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, 6, M_WAITOK), 6);
	w = start_waiter(test, zone, 6);
	uma_zfree(zone, items[5]);
	uma_zfree(zone, items[4]);
	schedule_timeout_uninterruptible(HZ / 20);
	KUNIT_EXPECT_FALSE(test, completion_done(&w->done));
	uma_zfree_bulk(zone, items, 2);
	expect_served(test, w);
	uma_zfree_bulk(zone, w->items, 6);
	uma_zfree_bulk(zone, items + 2, 2);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Each would do with what there is; with what the other holds, none would. */
static void uma_19_bulks_do_not_wait_for_each_other(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", PAGE_SIZE / 2, 0);
	struct waiter *w[3];
	void *items[10];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, 10), 10);
	KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, 10, M_WAITOK), 10);
	for (i = 0; i < 3; i++)
		w[i] = start_waiter(test, zone, 7 - i);
	/* In turns, one by one: all of them to the first. */
	for (i = 0; i < 10; i++)
		uma_zfree(zone, items[i]);
	expect_served(test, w[0]);
	schedule_timeout_uninterruptible(HZ / 20);
	KUNIT_EXPECT_FALSE(test, completion_done(&w[1]->done));
	uma_zfree_bulk(zone, w[0]->items, 7);
	expect_served(test, w[1]);
	KUNIT_EXPECT_FALSE(test, completion_done(&w[2]->done));
	uma_zfree_bulk(zone, w[1]->items, 6);
	expect_served(test, w[2]);
	uma_zfree_bulk(zone, w[2]->items, 5);
	expect_counts(test, zone, 28, 28, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Two that each have got some when they find that there is no more. */
static struct {
	struct kunit *test;
	uma_zone_t zone;
	struct waiter *w;
} halfway;

static int halfway_init(void *mem, int size, int flags)
{
	if (!halfway.w)
		halfway.w = start_waiter(halfway.test, halfway.zone, 8);
	return 0;
}

static void uma_19_bulk_holds_nothing_while_it_waits(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", PAGE_SIZE / 2, 0);
	uma_zone_t second = uma_zsecond_create("uma 19 second", NULL, NULL,
					       halfway_init, NULL, zone);
	struct waiter *w;

	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, 8), 8);
	halfway.test = test;
	halfway.zone = zone;
	halfway.w = NULL;
	w = make_waiter(test, second, 8, M_WAITOK);
	/* The other one was first in line, and got what this one gave back. */
	await_sleep(test, w);
	KUNIT_ASSERT_NOT_NULL(test, halfway.w);
	expect_served(test, halfway.w);
	KUNIT_EXPECT_FALSE(test, completion_done(&w->done));
	uma_zfree_bulk(zone, halfway.w->items, 8);
	expect_served(test, w);
	uma_zfree_bulk(second, w->items, 8);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Who goes first takes what the other had been given, too. */
static void uma_19_privileged_bulk_goes_first(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", PAGE_SIZE / 2, 0);
	struct waiter *w, *p;
	void *items[8];

	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, 8), 8);
	KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, 8, M_WAITOK), 8);
	w = start_waiter(test, zone, 6);
	uma_zfree_bulk(zone, items, 5);
	p = make_waiter(test, zone, 8, M_WAITOK | M_USE_RESERVE);
	await_sleep(test, p);
	uma_zfree_bulk(zone, items + 5, 3);
	expect_served(test, p);
	KUNIT_EXPECT_FALSE(test, completion_done(&w->done));
	uma_zfree_bulk(zone, p->items, 8);
	expect_served(test, w);
	uma_zfree_bulk(zone, w->items, 6);
	expect_counts(test, zone, 22, 22, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Constructors and the like */

static unsigned int constructed, destructed, initialised, finished;
static unsigned int refuse_ctor, refuse_init;

/* Counts down to the one that is refused. */
static bool refused(unsigned int *countdown)
{
	return *countdown && !--*countdown;
}

static int some_ctor(void *mem, int size, void *arg, int flags)
{
	if (refused(&refuse_ctor))
		return -EIO;
	constructed++;
	*(u64 *)mem = 0xc0de;
	return 0;
}

static void some_dtor(void *mem, int size, void *arg)
{
	destructed += *(u64 *)mem == 0xc0de;
	*(u64 *)mem = 0;
}

static int some_init(void *mem, int size, int flags)
{
	if (refused(&refuse_init))
		return -EIO;
	initialised++;
	return 0;
}

static void some_fini(void *mem, int size)
{
	finished++;
}

static void reset_counts(void)
{
	constructed = 0;
	destructed = 0;
	initialised = 0;
	finished = 0;
	refuse_ctor = 0;
	refuse_init = 0;
}

#define SOME	200

static void bulk_runs_ctor_and_dtor_for_each(struct kunit *test)
{
	void **items = uma_test_items(test, SOME);
	unsigned int i;
	uma_zone_t zone;

	reset_counts();
	zone = uma_zcreate("bulk", ITEM, some_ctor, some_dtor, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	for (i = 1; i <= 3; i++) {
		KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, SOME,
						      M_NOWAIT | M_ZERO), SOME);
		KUNIT_EXPECT_EQ(test, constructed, i * SOME);
		/* M_ZERO came before the constructor. */
		KUNIT_EXPECT_EQ(test, *(u64 *)items[SOME - 1], 0xc0de);
		KUNIT_EXPECT_EQ(test, destructed, (i - 1) * SOME);
		uma_zfree_bulk(zone, items, SOME);
		KUNIT_EXPECT_EQ(test, destructed, i * SOME);
	}
	expect_counts(test, zone, 3 * SOME, 3 * SOME, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void bulk_with_a_ctor_that_fails_gives_nothing(struct kunit *test)
{
	static const unsigned int which[] = { 1, 2, 50, SOME - 1, SOME };
	void **items = uma_test_items(test, SOME);
	unsigned int i, warm;
	uma_zone_t zone;

	for (warm = 0; warm < 2; warm++) {
		for (i = 0; i < ARRAY_SIZE(which); i++) {
			reset_counts();
			zone = uma_zcreate("bulk", ITEM, some_ctor, some_dtor,
					   NULL, NULL, UMA_ALIGN_PTR, 0);
			KUNIT_ASSERT_NOT_NULL(test, zone);
			if (warm) {
				uma_test_get(test, zone, items, SOME);
				uma_test_put(zone, items, SOME);
			}
			reset_counts();
			refuse_ctor = which[i];
			KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, SOME,
							      M_WAITOK), 0);
			KUNIT_EXPECT_EQ(test, constructed, which[i] - 1);
			KUNIT_EXPECT_EQ(test, destructed, which[i] - 1);
			expect_counts(test, zone, warm * SOME, warm * SOME, 1);
			KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, SOME,
							      M_NOWAIT), SOME);
			uma_zfree_bulk(zone, items, SOME);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		}
	}
}

/* As the keg's init or as the zone's: whatever has begun its life ends it. */
static void bulk_with_an_init_that_fails_loses_nothing(struct kunit *test)
{
	static const unsigned int which[] = { 1, 2, 30, 64, 65, SOME - 1 };
	void **items = uma_test_items(test, SOME);
	unsigned int i, second, got;

	for (second = 0; second < 2; second++) {
		for (i = 0; i < ARRAY_SIZE(which); i++) {
			uma_zone_t master, zone;

			reset_counts();
			master = uma_zcreate("bulk", ITEM, NULL, NULL,
					     second ? NULL : some_init,
					     second ? NULL : some_fini,
					     UMA_ALIGN_PTR, 0);
			KUNIT_ASSERT_NOT_NULL(test, master);
			zone = second ? uma_zsecond_create("bulk second", NULL,
							   NULL, some_init,
							   some_fini, master) :
					master;
			KUNIT_ASSERT_NOT_NULL(test, zone);
			refuse_init = which[i];
			got = uma_zalloc_bulk(zone, items, SOME, M_NOWAIT);
			KUNIT_EXPECT_EQ(test, refuse_init, 0);
			/* Others may have done instead. */
			KUNIT_EXPECT_TRUE(test, !got || got == SOME);
			expect_counts(test, zone, got, 0, !got);
			uma_zfree_bulk(zone, items, got);
			KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, SOME,
							      M_NOWAIT), SOME);
			uma_zfree_bulk(zone, items, SOME);
			if (second)
				KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(master), 0);
			KUNIT_EXPECT_EQ(test, initialised, finished);
		}
	}
}

/* Where it may be called, and with checking */

static struct {
	uma_zone_t zone;
	void *items[300];
	unsigned int bad;
	struct completion done;
} irq_job;

static void bulk_in_irq(struct irq_work *work)
{
	unsigned int n, i;

	for (n = 1; n <= ARRAY_SIZE(irq_job.items); n += 23) {
		if (uma_zalloc_bulk(irq_job.zone, irq_job.items, n,
				    M_NOWAIT) != n) {
			irq_job.bad++;
			continue;
		}
		for (i = 0; i < n; i++)
			memset(irq_job.items[i], i, ITEM);
		for (i = 0; i < n; i++)
			irq_job.bad += !!memchr_inv(irq_job.items[i], (u8)i,
						    ITEM);
		uma_zfree_bulk(irq_job.zone, irq_job.items, n);
	}
	complete(&irq_job.done);
}

static void run_in_irq(struct kunit *test, uma_zone_t zone)
{
	struct irq_work work;

	irq_job.zone = zone;
	irq_job.bad = 0;
	init_completion(&irq_job.done);
	init_irq_work(&work, bulk_in_irq);
	irq_work_queue(&work);
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&irq_job.done,
							  10 * HZ), 0);
	irq_work_sync(&work);
	KUNIT_EXPECT_EQ(test, irq_job.bad, 0);
}

static void bulk_in_a_hard_interrupt(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, 0);

	run_in_irq(test, zone);
	run_in_irq(test, zone);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* One that lands in a section leaves the cache alone. */
static unsigned int landed, touched;

static void land_in_section(enum uma_steer_point point, void *obj)
{
	struct uma_cache *c, before;
	uma_zone_t zone = obj;
	void *items[20];

	if (point != UMA_STEER_SECTION || obj != irq_job.zone)
		return;
	c = raw_cpu_ptr(zone->uz_cpu);
	before = *c;
	if (uma_zalloc_bulk(zone, items, 20, M_NOWAIT) == 20)
		uma_zfree_bulk(zone, items, 20);
	else
		touched++;
	landed++;
	touched += !!memcmp(&before, c, sizeof(before));
}

static void bulk_inside_a_section(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	irq_job.zone = zone;
	landed = 0;
	touched = 0;
	uma_test_steer(land_in_section);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 400,
						      M_NOWAIT), 400);
		uma_zfree_bulk(zone, items, 400);
	}
	uma_test_steer(NULL);
	KUNIT_EXPECT_GT(test, landed, 0);
	KUNIT_EXPECT_EQ(test, touched, 0);
	expect_counts(test, zone, 1200 + 20 * landed, 1200 + 20 * landed, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

#define UMA_DEBUG	UMA_TEST_PARAMETER("uma_debug")

static void bulk_with_checking_on(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "bulk", ITEM, 0);
	void **items = uma_test_items(test, SOME);
	struct uma_test_totals t;

	uma_test_set_parameter(test, UMA_DEBUG, "1");
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, SOME, M_NOWAIT),
			SOME);
	expect_distinct(test, items, SOME, ITEM);
	uma_zfree_bulk(zone, items, SOME);
	/* Past the caches, and counted all the same. */
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
	expect_counts(test, zone, SOME, SOME, 0);
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 3, M_NOWAIT), 3);
	uma_zfree(zone, items[1]);
	pr_info("uma-expect-begin: zone \"bulk\": free of .* refused: an item that is free already\n");
	uma_zfree_bulk(zone, items, 3);
	pr_info("uma-expect-end\n");
	uma_test_set_parameter(test, UMA_DEBUG, "0");
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case bulk_cases[] = {
	KUNIT_CASE(bulk_of_every_number),
	KUNIT_CASE(bulk_of_none),
	KUNIT_CASE(bulk_mixes_with_single_ones),
	KUNIT_CASE(bulk_moves_whole_buckets),
	KUNIT_CASE(bulk_m_zero_clears_all),
	KUNIT_CASE(bulk_at_a_limit_gives_all_or_nothing),
	KUNIT_CASE(uma_19_bulk_that_may_sleep_gets_all),
	KUNIT_CASE(uma_19_bulks_do_not_wait_for_each_other),
	KUNIT_CASE(uma_19_bulk_holds_nothing_while_it_waits),
	KUNIT_CASE(uma_19_privileged_bulk_goes_first),
	KUNIT_CASE(bulk_runs_ctor_and_dtor_for_each),
	KUNIT_CASE(bulk_with_a_ctor_that_fails_gives_nothing),
	KUNIT_CASE(bulk_with_an_init_that_fails_loses_nothing),
	KUNIT_CASE(bulk_in_a_hard_interrupt),
	KUNIT_CASE(bulk_inside_a_section),
	KUNIT_CASE(bulk_with_checking_on),
	{}
};

static struct kunit_suite bulk_suite = {
	.name = "bulk",
	.init = uma_test_still_init,
	.exit = uma_test_still_exit,
	.test_cases = bulk_cases,
};

kunit_test_suite(bulk_suite);

MODULE_DESCRIPTION("KUnit: many items at once");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
