// SPDX-License-Identifier: GPL-2.0-only
/*
 * uma_zone_reserve(): the last free items of a keg are for M_USE_RESERVE, and for
 * nobody else (UMA-19).
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "uma_test.h"

/* Two items a slab. */
#define ITEM		(PAGE_SIZE / 2)
#define RESERVE		3
#define MANY		40

static uma_zone_t reserved_zone(struct kunit *test, int max)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", ITEM, 0);

	KUNIT_ASSERT_EQ(test, zone->uz_keg->uk_layout.ipers, 2);
	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, max), max);
	KUNIT_ASSERT_EQ(test, uma_zone_reserve(zone, RESERVE), 0);
	return zone;
}

static void uma_19_reserve_is_made_at_once(struct kunit *test)
{
	uma_zone_t zone = reserved_zone(test, 0);
	struct uma_test_totals t = uma_test_totals(test, zone);

	KUNIT_EXPECT_EQ(test, t.keg_free, 4);
	KUNIT_EXPECT_EQ(test, t.pages, 2);
	KUNIT_EXPECT_EQ(test, t.allocs, 0);
	/* More of it, and less, and none. */
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 7), 0);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 8);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 1), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 0), 0);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 8);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_19_reserve_is_for_who_asks_for_it(struct kunit *test)
{
	uma_zone_t zone = reserved_zone(test, 6);
	void *items[7];
	unsigned int i;

	for (i = 0; i < 3; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, &items[i], 1, M_NOWAIT), 0);
	KUNIT_EXPECT_TRUE(test, uma_zone_exhausted(zone));
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, RESERVE);
	for (; i < 5; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, &items[i], 1,
					      M_NOWAIT | M_USE_RESERVE), 1);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 0);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE));
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails, 3);
	uma_test_put(zone, items, 6);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Of what nobody limits there is always as much left. */
static void uma_19_next_slab_fills_the_reserve_first(struct kunit *test)
{
	uma_zone_t zone = reserved_zone(test, 4);
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	for (i = 0; i < 4; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 0);
	uma_zone_set_max(zone, 0);
	for (; i < MANY; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
		KUNIT_EXPECT_GE(test, uma_test_totals(test, zone).keg_free,
				RESERVE);
	}
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A bucket full of it would be anybody's. */
static void uma_19_reserve_does_not_go_into_caches(struct kunit *test)
{
	uma_zone_t zone = reserved_zone(test, 4);
	void *items[4];
	unsigned int i;

	items[0] = uma_zalloc(zone, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, items[0]);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	for (i = 1; i < 4; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
		KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).cpu_free, 0);
		KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free,
				4 - i - 1);
	}
	uma_test_put(zone, items, 4);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_19_reclaim_leaves_the_reserve(struct kunit *test)
{
	uma_zone_t zone = reserved_zone(test, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;
	unsigned int i;

	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_reclaim_interval();
	for (i = UMA_RECLAIM_TRIM; i <= UMA_RECLAIM_DRAIN_CPU; i++)
		KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone, i), 0);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.keg_free, 4);
	KUNIT_EXPECT_EQ(test, t.pages, 2);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 0), 0);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).pages, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_19_zones_on_one_keg_share_the_reserve(struct kunit *test)
{
	uma_zone_t zone = reserved_zone(test, 4);
	uma_zone_t second = uma_zsecond_create("uma 19 second", NULL, NULL,
					       NULL, NULL, zone);
	void *items[4];

	KUNIT_ASSERT_NOT_NULL(test, second);
	items[0] = uma_zalloc(second, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, items[0]);
	KUNIT_EXPECT_NULL(test, uma_zalloc(second, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	items[1] = uma_zalloc(second, M_NOWAIT | M_USE_RESERVE);
	KUNIT_EXPECT_NOT_NULL(test, items[1]);
	/* Set through either. */
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(second, 0), 0);
	items[2] = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, items[2]);
	uma_zfree(zone, items[2]);
	uma_test_put(second, items, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static int no_import(void *arg, void **store, int count, int domain, int flags)
{
	return 0;
}

static void no_release(void *arg, void **store, int count)
{
}

static void uma_19_reserve_that_cannot_be_had(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", ITEM, 0), cache;
	struct vm_page *m;
	LIST_HEAD(taken);
	void *item;

	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, INT_MIN), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).pages, 0);
	cache = uma_zcache_create("uma 19 cache", 64, NULL, NULL, NULL, NULL,
				  no_import, no_release, NULL, 0);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(cache, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(cache), 0);

	/* Beyond the limit: set, and as full as may be. */
	uma_zone_set_max(zone, 4);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 6), -ENOSPC);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 4);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	item = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);

	/* No memory: it is not waited for. */
	uma_zone_set_max(zone, 0);
	while ((m = uma_pool_alloc(uma_pool, 1, M_NOWAIT | M_USE_RESERVE)))
		list_add(&m->pageq, &taken);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 100), -ENOMEM);
	while ((m = list_first_entry_or_null(&taken, struct vm_page, pageq))) {
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 5), 0);
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case reserve_cases[] = {
	KUNIT_CASE(uma_19_reserve_is_made_at_once),
	KUNIT_CASE(uma_19_reserve_is_for_who_asks_for_it),
	KUNIT_CASE(uma_19_next_slab_fills_the_reserve_first),
	KUNIT_CASE(uma_19_reserve_does_not_go_into_caches),
	KUNIT_CASE(uma_19_reclaim_leaves_the_reserve),
	KUNIT_CASE(uma_19_zones_on_one_keg_share_the_reserve),
	KUNIT_CASE(uma_19_reserve_that_cannot_be_had),
	{}
};

static struct kunit_suite reserve_suite = {
	.name = "reserve",
	.init = uma_test_still_init,
	.exit = uma_test_still_exit,
	.test_cases = reserve_cases,
};

kunit_test_suite(reserve_suite);

MODULE_DESCRIPTION("KUnit: items kept back for those who must have them");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
