/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every suite about zones wants to know before and after a case: how many
 * pages the pool has, what a zone counts, and that no hook of its is left.
 */
#ifndef _UMA_UMA_TEST_H
#define _UMA_UMA_TEST_H

#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "uma/uma_int.h"
#include "uma/uma_stream.h"

/**
 * uma_test_free_pages() - free pages of the pool, with every cache empty
 *
 * Return: the number.
 */
static inline unsigned long uma_test_free_pages(void)
{
	struct uma_pool_stats st;

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_pool_get_stats(uma_pool, &st);
	return st.free;
}

/**
 * uma_test_steer() - set or take away the hook of the named points
 * @fn: the hook, which must know its own zone from others'; or NULL
 */
static inline void uma_test_steer(uma_steer_fn fn)
{
	WRITE_ONCE(uma_steer_hook, fn);
	synchronize_rcu();
}

/**
 * uma_test_init() - a suite's init: note the pool's free pages
 * @test: the case, which stays on this CPU unless it moves by itself
 *
 * Return: 0.
 */
static inline int uma_test_init(struct kunit *test)
{
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	test->priv = (void *)uma_test_free_pages();
	return 0;
}

/**
 * uma_test_exit() - a suite's exit: nothing of the case may be left
 * @test: the case
 */
static inline void uma_test_exit(struct kunit *test)
{
	uma_test_steer(NULL);
	KUNIT_EXPECT_EQ_MSG(test, uma_test_free_pages(),
			    (unsigned long)test->priv,
			    "the case keeps pages of the pool");
}

/**
 * struct uma_test_totals - what a zone shows, its CPUs added up
 * @allocs: allocations
 * @frees: frees
 * @fails: allocations that failed
 * @sleeps: allocations that slept
 * @cpu_free: free items in the CPUs' caches
 * @zone_free: free items in the zone's buckets
 * @keg_free: free items in the keg's slabs
 * @pages: the keg's pages
 */
struct uma_test_totals {
	u64 allocs;
	u64 frees;
	u64 fails;
	u64 sleeps;
	u64 cpu_free;
	u32 zone_free;
	u32 keg_free;
	u32 pages;
};

/**
 * uma_test_totals() - read a zone's record of the stream and add it up
 * @test: the case
 * @zone: the zone
 *
 * Return: the sums.
 */
static inline struct uma_test_totals uma_test_totals(struct kunit *test,
						     uma_zone_t zone)
{
	struct uma_percpu_stat *ups;
	struct uma_test_totals t;
	struct uma_type_header uth;
	unsigned int cpu;

	ups = kcalloc(nr_cpu_ids, sizeof(*ups), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ups);
	uma_zone_stats(zone, &uth, ups);
	t = (struct uma_test_totals) {
		.allocs = uth.uth_allocs,
		.frees = uth.uth_frees,
		.fails = uth.uth_fails,
		.sleeps = uth.uth_sleeps,
		.zone_free = uth.uth_zone_free,
		.keg_free = uth.uth_keg_free,
		.pages = uth.uth_pages,
	};
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		t.allocs += ups[cpu].ups_allocs;
		t.frees += ups[cpu].ups_frees;
		t.cpu_free += ups[cpu].ups_cache_free;
	}
	kfree(ups);
	return t;
}

/**
 * uma_test_zone() - a plain zone of items aligned as pointers
 * @test: the case, ended where there is none
 * @name: its name
 * @size: bytes of an item
 * @flags: UMA_ZONE_*
 *
 * Return: the zone.
 */
static inline uma_zone_t uma_test_zone(struct kunit *test, const char *name,
				       size_t size, u32 flags)
{
	uma_zone_t zone = uma_zcreate(name, size, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, flags);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	return zone;
}

/**
 * uma_test_items() - room for items, until the case ends
 * @test: the case
 * @n: how many
 *
 * Return: the array.
 */
static inline void **uma_test_items(struct kunit *test, unsigned int n)
{
	void **items = kunit_kcalloc(test, n, sizeof(*items), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, items);
	return items;
}

/**
 * uma_test_get() - allocate many
 * @test: the case
 * @zone: from where
 * @items: where to leave them
 * @n: how many
 */
static inline void uma_test_get(struct kunit *test, uma_zone_t zone,
				void **items, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		items[i] = uma_zalloc(zone, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
}

/**
 * uma_test_put() - free many, the last first
 * @zone: where to
 * @items: the items
 * @n: how many
 */
static inline void uma_test_put(uma_zone_t zone, void **items, unsigned int n)
{
	while (n--)
		uma_zfree(zone, items[n]);
}

/**
 * uma_test_other_cpu() - a CPU that is not this one
 * @test: the case, skipped where there is none
 *
 * Return: the CPU.
 */
static inline unsigned int uma_test_other_cpu(struct kunit *test)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask,
					   raw_smp_processor_id());

	if (cpu >= nr_cpu_ids)
		kunit_skip(test, "needs a second CPU");
	return cpu;
}

/**
 * uma_test_malloc_totals() - a malloc type's counts, all CPUs added up
 * @test: the case
 * @type: the type
 *
 * Return: the sums.
 */
static inline struct malloc_type_stats
uma_test_malloc_totals(struct kunit *test, struct malloc_type *type)
{
	struct malloc_type_stats *mts, sum = {};
	unsigned int cpu;

	mts = kcalloc(nr_cpu_ids, sizeof(*mts), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mts);
	uma_malloc_type_stats(type, mts);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		sum.mts_memalloced += mts[cpu].mts_memalloced;
		sum.mts_memfreed += mts[cpu].mts_memfreed;
		sum.mts_numallocs += mts[cpu].mts_numallocs;
		sum.mts_numfrees += mts[cpu].mts_numfrees;
		sum.mts_size |= mts[cpu].mts_size;
		sum.mts_fails += mts[cpu].mts_fails;
	}
	kfree(mts);
	return sum;
}

/**
 * uma_test_try_parameter() - write a parameter of uma, as a user would
 * @path: its file in /sys/module/uma/parameters
 * @value: what to write
 *
 * Return: bytes written, or an errno.
 */
static inline ssize_t uma_test_try_parameter(const char *path,
					     const char *value)
{
	struct file *file = filp_open(path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, value, strlen(value), &pos);
	filp_close(file, NULL);
	return n;
}

/**
 * uma_test_set_parameter() - the same, where it must succeed
 * @test: the case
 * @path: its file
 * @value: what to write
 */
static inline void uma_test_set_parameter(struct kunit *test, const char *path,
					  const char *value)
{
	KUNIT_ASSERT_EQ(test, uma_test_try_parameter(path, value),
			(ssize_t)strlen(value));
}

#define UMA_TEST_PARAMETER(name)	"/sys/module/uma/parameters/" name

/**
 * uma_test_keep_still() - let zones keep what they do not use, or no longer
 * @test: the case
 * @still: whether no interval ends by itself, so that free pages can be counted
 */
static inline void uma_test_keep_still(struct kunit *test, bool still)
{
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("working_set_secs"),
			       still ? "86400" : "20");
}

/**
 * uma_test_still_init() - uma_test_init(), and what is cached stays so
 * @test: the case, in which no interval ends by itself
 *
 * Return: 0.
 */
static inline int uma_test_still_init(struct kunit *test)
{
	uma_test_keep_still(test, true);
	return uma_test_init(test);
}

/**
 * uma_test_still_exit() - the same for uma_test_exit()
 * @test: the case
 */
static inline void uma_test_still_exit(struct kunit *test)
{
	uma_test_exit(test);
	uma_test_keep_still(test, false);
}

#endif /* _UMA_UMA_TEST_H */
