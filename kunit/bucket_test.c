// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buckets: sizes and the look-up table, and the recursion that allocating one
 * means: an allocation inside the allocation of a bucket gets no bucket, and a
 * slab header is had all the same (UMA-15).
 */
#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/module.h>

#include "fail_nth.h"
#include "uma_test.h"

#define ITEM		64
/* Items of this size need a header outside their slab. */
#define LARGE		2048

static void uma_15_lookup_finds_the_smallest_that_fits(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 15", ITEM, 0);
	unsigned int n;

	for (n = 1; n <= 128; n++) {
		struct uma_bucket *b = uma_bucket_alloc(zone, n, M_NOWAIT);
		u32 want = max(4UL, roundup_pow_of_two(n));

		KUNIT_ASSERT_NOT_NULL(test, b);
		KUNIT_EXPECT_EQ_MSG(test, b->ub_entries, want, "for %u", n);
		KUNIT_EXPECT_EQ(test, b->ub_cnt, 0);
		/* All of it is ours. */
		memset(b->ub_item, 0xff, b->ub_entries * sizeof(b->ub_item[0]));
		uma_bucket_free(b);
	}
	uma_bucket_free(NULL);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_15_no_bucket_inside_a_bucket_allocation(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 15", ITEM, 0);
	void *item;

	KUNIT_EXPECT_NULL(test, uma_bucket_alloc(zone, 4,
						 M_NOWAIT | M_NOBUCKET));
	KUNIT_EXPECT_NULL(test, uma_bucket_alloc(zone, 128,
						 M_WAITOK | M_NOBUCKET));
	/* Who is refused works on single items. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	item = uma_zalloc(zone, M_NOWAIT | M_NOBUCKET);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), 1);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* How deep slabs of bucket zones are made inside each other's making. */
static unsigned int deepest;
static unsigned long outermost;

static void depth_hook(enum uma_steer_point point, void *obj)
{
	unsigned long here = (unsigned long)__builtin_frame_address(0);
	unsigned long depth;

	if (point != UMA_STEER_IMPORT ||
	    !(((struct uma_keg *)obj)->uk_flags & UMA_ZFLAG_BUCKET))
		return;
	depth = outermost - here;
	deepest = max_t(unsigned long, deepest, depth);
}

/* With every bucket zone empty the recursion goes as deep as it ever does. */
static void uma_15_recursion_ends(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 15", ITEM, 0);
	void *item;

	uma_test_free_pages();
	outermost = (unsigned long)__builtin_frame_address(0);
	deepest = 0;
	uma_test_steer(depth_hook);
	item = uma_zalloc(zone, M_WAITOK);
	uma_test_steer(NULL);
	KUNIT_ASSERT_NOT_NULL(test, item);
	/* Bytes of stack; a checking compiler's frames are large. */
	KUNIT_EXPECT_LT(test, deepest, THREAD_SIZE / 3);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/*
 * Allocations for who said M_WAITOK are never failed on purpose (the pool's
 * attribute spares them), so whatever fails here was not asked that way.
 */
static void uma_15_header_is_never_refused_to_waitok(struct kunit *test)
{
	static const u32 flags[] = { 0, UMA_ZONE_OFFPAGE,
				     UMA_ZONE_OFFPAGE | UMA_ZONE_REFCNT };
	unsigned int i, n;

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION))
		kunit_skip(test, "no fault injection");
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		for (n = 1; n <= 4; n++) {
			uma_zone_t zone = uma_test_zone(test, "uma 15", LARGE, flags[i]);
			int error;

			/* No header is left over in any cache. */
			uma_test_free_pages();
			fail_nth_set(n);
			error = uma_prealloc(zone, 1);
			fail_nth_set(0);
			KUNIT_EXPECT_EQ_MSG(test, error, 0,
					    "flags %#x, allocation %u failed",
					    flags[i], n);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		}
	}
}

static struct kunit_case bucket_cases[] = {
	KUNIT_CASE(uma_15_lookup_finds_the_smallest_that_fits),
	KUNIT_CASE(uma_15_no_bucket_inside_a_bucket_allocation),
	KUNIT_CASE(uma_15_recursion_ends),
	KUNIT_CASE(uma_15_header_is_never_refused_to_waitok),
	{}
};

static struct kunit_suite bucket_suite = {
	.name = "bucket",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = bucket_cases,
};

kunit_test_suite(bucket_suite);

MODULE_DESCRIPTION("KUnit: buckets and the recursion behind them");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
