// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much a zone caches: uma_zone_set_maxcache() and the flags that say how large
 * its buckets are.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>

#include "uma_test.h"

#define ITEM		64
#define MANY		700

static u64 cached(struct kunit *test, uma_zone_t zone)
{
	struct uma_test_totals t = uma_test_totals(test, zone);

	return t.cpu_free + t.zone_free;
}

static void expect_at_most(struct kunit *test, uma_zone_t zone, u64 max)
{
	KUNIT_EXPECT_LE_MSG(test, cached(test, zone), max,
			    "size %u, flags %#x", zone->uz_keg->uk_size,
			    zone->uz_flags);
}

/* Random work of one CPU with items of its own, and all of them back. */
struct worker {
	uma_zone_t zone;
	struct rnd_state rnd;
	void *items[MANY];
	struct completion done;
};

static int worker_fn(void *arg)
{
	struct worker *w = arg;
	unsigned int held = 0, i, n;

	for (i = 0; i < 60; i++) {
		u32 r = prandom_u32_state(&w->rnd);

		n = 1 + (r >> 8) % 60;
		if (r & 1 && held + n <= MANY) {
			if (r & 2)
				held += uma_zalloc_bulk(w->zone,
							w->items + held, n,
							M_WAITOK);
			else
				while (n--)
					w->items[held++] =
						uma_zalloc(w->zone, M_WAITOK);
		} else {
			n = min(n, held);
			held -= n;
			if (r & 2)
				uma_zfree_bulk(w->zone, w->items + held, n);
			else
				uma_test_put(w->zone, w->items + held, n);
		}
		cond_resched();
	}
	uma_test_put(w->zone, w->items, held);
	kthread_complete_and_exit(&w->done, 0);
}

static void work_on_all_cpus(struct kunit *test, uma_zone_t zone,
			     struct worker *w)
{
	struct task_struct *task;
	int cpu;

	for_each_online_cpu(cpu) {
		w[cpu].zone = zone;
		prandom_seed_state(&w[cpu].rnd, cpu + 1);
		init_completion(&w[cpu].done);
		task = kthread_create(worker_fn, &w[cpu], "uma_test_worker");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
	for_each_online_cpu(cpu)
		wait_for_completion(&w[cpu].done);
}

/* Allocate on one CPU, free on the next, round about. */
static void work_across_cpus(struct kunit *test, uma_zone_t zone, void **items,
			     u64 max)
{
	unsigned int here = raw_smp_processor_id(), n;
	int cpu;

	for_each_online_cpu(cpu) {
		for (n = 1; n <= MANY; n += MANY / 3) {
			uma_test_get(test, zone, items, n);
			set_cpus_allowed_ptr(current, cpumask_of(cpu));
			uma_test_put(zone, items, n);
			expect_at_most(test, zone, max);
		}
	}
	set_cpus_allowed_ptr(current, cpumask_of(here));
}

static const u32 kinds[] = { 0, UMA_ZONE_MAXBUCKET, UMA_ZONE_MINBUCKET };

/* Never more at rest, whatever the numbers are. */
static void maxcache_holds_at_rest(struct kunit *test)
{
	static const int most[] = { 0, 1, 7, 15, 16, 17, 65, 100, 300, 1100, 5000 };
	static const size_t sizes[] = { ITEM, 400, PAGE_SIZE / 2 };
	struct worker *w = kunit_kcalloc(test, nr_cpu_ids, sizeof(*w),
					 GFP_KERNEL);
	void **items = uma_test_items(test, MANY);
	unsigned int i, k;

	KUNIT_ASSERT_NOT_NULL(test, w);
	for (i = 0; i < ARRAY_SIZE(most); i++) {
		for (k = 0; k < ARRAY_SIZE(sizes); k++) {
			uma_zone_t zone = uma_test_zone(test, "maxcache",
							sizes[k],
							kinds[(i + k) % 3]);

			KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone,
								    most[i]),
					0);
			work_across_cpus(test, zone, items, most[i]);
			work_on_all_cpus(test, zone, w);
			expect_at_most(test, zone, most[i]);
			/* And it is made use of. */
			if (most[i] >= 1100)
				KUNIT_EXPECT_GT(test, cached(test, zone), 0);
			KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		}
	}
}

/* What there is too much goes at once. */
static void maxcache_shrinks_what_is_cached(struct kunit *test)
{
	static const int most[] = { 1000, 150, 33, 8, 1, 0 };
	uma_zone_t zone = uma_test_zone(test, "maxcache", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(most); i++) {
		uma_test_get(test, zone, items, MANY);
		uma_test_put(zone, items, MANY);
		KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, most[i]), 0);
		expect_at_most(test, zone, most[i]);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void maxcache_can_be_taken_back(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		uma_zone_t zone = uma_test_zone(test, "maxcache", ITEM,
						kinds[i]);
		u16 first = zone->uz_bucket_size;

		uma_test_get(test, zone, items, MANY);
		uma_test_put(zone, items, MANY);
		KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, 0), 0);
		uma_test_get(test, zone, items, MANY);
		uma_test_put(zone, items, MANY);
		KUNIT_EXPECT_EQ(test, cached(test, zone), 0);
		KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, 1 << 20), 0);
		KUNIT_EXPECT_EQ(test, zone->uz_bucket_size, first);
		uma_test_get(test, zone, items, MANY);
		uma_test_put(zone, items, MANY);
		KUNIT_EXPECT_GE(test, cached(test, zone), MANY - 128);
		KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, INT_MAX), 0);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

static void maxcache_negative_is_refused(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "maxcache", ITEM, 0);
	void **items = uma_test_items(test, MANY);

	KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, INT_MIN), -EINVAL);
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_GE(test, cached(test, zone), MANY - 128);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The limit comes when a bucket is in somebody's hands, full or empty. */
static struct {
	struct kunit *test;
	uma_zone_t zone;
	unsigned int calls;
	int max;
} steered;

static void set_max_hook(enum uma_steer_point point, void *obj)
{
	if (point != UMA_STEER_REFILL || obj != steered.zone || steered.calls++)
		return;
	KUNIT_EXPECT_EQ(steered.test, uma_zone_set_maxcache(steered.zone,
							    steered.max), 0);
}

static void steer(struct kunit *test, uma_zone_t zone, int max)
{
	steered.test = test;
	steered.zone = zone;
	steered.calls = 0;
	steered.max = max;
	uma_test_steer(set_max_hook);
}

static void maxcache_holds_for_a_bucket_in_flight(struct kunit *test)
{
	static const int most[] = { 0, 3, 20 };
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(most); i++) {
		uma_zone_t zone = uma_test_zone(test, "maxcache", ITEM,
						UMA_ZONE_MAXBUCKET);

		/* On the way out: it is full. */
		steer(test, zone, most[i]);
		uma_test_get(test, zone, items, 1);
		uma_test_steer(NULL);
		KUNIT_EXPECT_GT(test, steered.calls, 0);
		expect_at_most(test, zone, most[i]);

		/* On the way in: it is empty, and filled later. */
		KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, INT_MAX), 0);
		uma_test_get(test, zone, items + 1, MANY - 1);
		uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
		steer(test, zone, most[i]);
		uma_test_put(zone, items, MANY);
		uma_test_steer(NULL);
		KUNIT_EXPECT_GT(test, steered.calls, 0);
		expect_at_most(test, zone, most[i]);
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

/* With a list that has its most, the bucket goes to slabs. */
static void maxcache_is_for_this_zone_alone(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "maxcache", ITEM, 0);
	uma_zone_t second = uma_zsecond_create("maxcache second", NULL, NULL,
					       NULL, NULL, zone);
	void **items = uma_test_items(test, MANY);

	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, 0), 0);
	uma_test_get(test, second, items, MANY);
	uma_test_put(second, items, MANY);
	KUNIT_EXPECT_GE(test, cached(test, second), MANY - 128);
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, cached(test, zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* UMA_ZONE_MAXBUCKET and UMA_ZONE_MINBUCKET */

static u32 shown_bucket_size(struct kunit *test, uma_zone_t zone)
{
	struct uma_percpu_stat *ups;
	struct uma_type_header uth;

	ups = kunit_kcalloc(test, nr_cpu_ids, sizeof(*ups), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ups);
	uma_zone_stats(zone, &uth, ups);
	return uth.uth_bucketsize;
}

/* Room of the bucket that this CPU has loaded. */
static u32 loaded_room(uma_zone_t zone)
{
	return raw_cpu_ptr(zone->uz_cpu)->uc_max;
}

static void check_buckets(struct kunit *test, u32 flags, size_t size, u32 first,
			  u32 last)
{
	uma_zone_t zone = uma_test_zone(test, "bucket sizes", size, flags);
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, shown_bucket_size(test, zone), first);
	uma_test_get(test, zone, items, 1);
	KUNIT_EXPECT_EQ(test, loaded_room(zone), first);
	uma_zfree(zone, items[0]);
	for (i = 0; i < 150; i++) {
		uma_test_get(test, zone, items, MANY / 4);
		uma_test_put(zone, items, MANY / 4);
		KUNIT_ASSERT_LE(test, loaded_room(zone), last);
		/* Fill the list, so that buckets are exchanged. */
		if (i % 5 == 0)
			uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	}
	KUNIT_EXPECT_EQ(test, shown_bucket_size(test, zone), last);
	KUNIT_EXPECT_EQ(test, loaded_room(zone), last);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void bucket_sizes_are_as_the_flags_say(struct kunit *test)
{
	check_buckets(test, UMA_ZONE_MAXBUCKET, ITEM, 128, 128);
	check_buckets(test, UMA_ZONE_MAXBUCKET, 2048, 128, 128);
	check_buckets(test, UMA_ZONE_MINBUCKET, ITEM, 4, 4);
	check_buckets(test, UMA_ZONE_MINBUCKET, 2048, 4, 4);
	check_buckets(test, 0, ITEM, 16, 128);
	/* No more than 32 KiB of items in one. */
	check_buckets(test, 0, 1000, 16, 32);
	check_buckets(test, 0, 2048, 16, 16);
	check_buckets(test, 0, 3000, 8, 8);
	check_buckets(test, 0, 2 * PAGE_SIZE, 4, 4);
}

static void bucket_sizes_that_contradict_are_refused(struct kunit *test)
{
	pr_info("uma-expect-begin: cannot create zone \"bucket sizes\"\n");
	KUNIT_EXPECT_NULL(test, uma_zcreate("bucket sizes", ITEM, NULL, NULL,
					    NULL, NULL, UMA_ALIGN_PTR,
					    UMA_ZONE_MAXBUCKET |
					    UMA_ZONE_MINBUCKET));
	pr_info("uma-expect-end\n");
}

static struct kunit_case maxcache_cases[] = {
	KUNIT_CASE(maxcache_holds_at_rest),
	KUNIT_CASE(maxcache_shrinks_what_is_cached),
	KUNIT_CASE(maxcache_can_be_taken_back),
	KUNIT_CASE(maxcache_negative_is_refused),
	KUNIT_CASE(maxcache_holds_for_a_bucket_in_flight),
	KUNIT_CASE(maxcache_is_for_this_zone_alone),
	KUNIT_CASE(bucket_sizes_are_as_the_flags_say),
	KUNIT_CASE(bucket_sizes_that_contradict_are_refused),
	{}
};

static struct kunit_suite maxcache_suite = {
	.name = "maxcache",
	.init = uma_test_still_init,
	.exit = uma_test_still_exit,
	.test_cases = maxcache_cases,
};

kunit_test_suite(maxcache_suite);

MODULE_DESCRIPTION("KUnit: how much a zone caches");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
