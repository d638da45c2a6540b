// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reference counters: each item has its own, nothing else touches it, and it
 * stays a counter for good.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/string.h>

#include "uma_test.h"

#define MANY	300

/* Header in the slab, and outside; one item a slab, and hundreds. */
static const struct {
	size_t size;
	u32 flags;
	unsigned int n;
} kinds[] = {
	{ 16, 0, MANY },
	{ 64, 0, MANY },
	{ 64, UMA_ZONE_OFFPAGE, MANY },
	{ 256, 0, MANY },
	{ 2048, 0, 64 },
	{ 4096, 0, 20 },
	{ 9000, 0, 10 },
};

static u32 pattern(unsigned int i)
{
	return 0x80000001 + i * 0x01000193;
}

static uma_zone_t refcnt_zone(struct kunit *test, unsigned int kind)
{
	uma_zone_t zone = uma_zcreate("uma 02", kinds[kind].size, NULL, NULL,
				      NULL, NULL, UMA_ALIGN_PTR,
				      UMA_ZONE_REFCNT | kinds[kind].flags);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	return zone;
}

/* The slab's own count of what is in it. */
static void expect_slab_whole(struct kunit *test, uma_zone_t zone, void *item)
{
	const struct uma_slab_layout *l = &zone->uz_keg->uk_layout;
	u32 num;
	struct uma_slab *slab = uma_keg_slab(zone->uz_keg, item, &num);

	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_EXPECT_EQ(test, bitmap_weight(slab->us_free, l->ipers),
			slab->us_freecount);
	KUNIT_EXPECT_PTR_EQ(test, slab->us_keg, zone->uz_keg);
}

/* All items that the zone's slabs can hold, so that the last counter counts. */
static void uma_02_counters_and_free_items_do_not_mix(struct kunit *test)
{
	unsigned int kind, i, k, n;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		uma_zone_t zone = refcnt_zone(test, kind);
		size_t size = kinds[kind].size;
		void **items;
		u32 **refs;

		n = uma_zone_set_max(zone, kinds[kind].n);
		items = kunit_kcalloc(test, n, sizeof(*items), GFP_KERNEL);
		refs = kunit_kcalloc(test, n, sizeof(*refs), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, items);
		KUNIT_ASSERT_NOT_NULL(test, refs);
		for (i = 0; i < n; i++) {
			items[i] = uma_zalloc(zone, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[i]);
			memset(items[i], 0x3c, size);
			refs[i] = uma_find_refcnt(zone, items[i]);
			KUNIT_ASSERT_NOT_NULL(test, refs[i]);
			/* No trace of another's: new ones are 0. */
			KUNIT_EXPECT_EQ(test, *refs[i], 0);
			*refs[i] = pattern(i);
		}
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		for (i = 0; i < n; i++) {
			/* Counters are no part of any item, nor of the map. */
			KUNIT_EXPECT_EQ_MSG(test, *refs[i], pattern(i),
					    "size %zu item %u", size, i);
			KUNIT_EXPECT_NULL(test,
					  memchr_inv(items[i], 0x3c, size));
			expect_slab_whole(test, zone, items[i]);
		}

		/* Through free and slab and out again: the same counters. */
		for (i = 0; i < n; i++)
			uma_zfree(zone, items[i]);
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), 0);
		for (i = 0; i < n; i++) {
			KUNIT_EXPECT_EQ(test, *refs[i], pattern(i));
			expect_slab_whole(test, zone, items[i]);
		}
		for (i = 0; i < n; i++) {
			items[i] = uma_zalloc(zone, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[i]);
			for (k = 0; k < n; k++)
				if (uma_find_refcnt(zone, items[i]) == refs[k])
					break;
			KUNIT_ASSERT_LT_MSG(test, k, n, "size %zu", size);
			refs[k] = NULL;
		}
		for (i = 0; i < n; i++)
			uma_zfree(zone, items[i]);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

static void uma_02_stacked_zone_finds_the_same_counter(struct kunit *test)
{
	uma_zone_t master = refcnt_zone(test, 1);
	uma_zone_t second = uma_zsecond_create("uma 02 second", NULL, NULL,
					       NULL, NULL, master);
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, second);
	item = uma_zalloc(second, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_EXPECT_NOT_NULL(test, uma_find_refcnt(second, item));
	KUNIT_EXPECT_PTR_EQ(test, uma_find_refcnt(second, item),
			    uma_find_refcnt(master, item));
	/* An address inside the item is in the item's page, too. */
	KUNIT_EXPECT_PTR_EQ(test, uma_find_refcnt(second, item + 8),
			    uma_find_refcnt(second, item));
	uma_zfree(second, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(master), 0);
}

static void uma_02_no_counter_no_pointer(struct kunit *test)
{
	uma_zone_t plain = uma_zcreate("uma 02 plain", 64, NULL, NULL, NULL,
				       NULL, UMA_ALIGN_PTR, 0);
	uma_zone_t zone = refcnt_zone(test, 1);
	const struct uma_slab_layout *l;
	struct uma_slab *slab;
	void *item, *own;
	u32 num;

	KUNIT_ASSERT_NOT_NULL(test, plain);
	item = uma_zalloc(plain, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	pr_info("uma-expect-begin: zone uma 02 plain has no reference counters\n");
	KUNIT_EXPECT_NULL(test, uma_find_refcnt(plain, item));
	pr_info("uma-expect-end\n");
	own = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, own);
	slab = uma_keg_slab(zone->uz_keg, own, &num);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	l = &zone->uz_keg->uk_layout;
	pr_info("uma-expect-begin: no item of zone uma 02\n");
	KUNIT_EXPECT_NULL(test, uma_find_refcnt(zone, item));
	/* In a slab of the zone, but behind its last item. */
	KUNIT_EXPECT_NULL(test, uma_find_refcnt(zone, slab->us_data +
						l->ipers * l->rsize));
	pr_info("uma-expect-end\n");
	uma_zfree(plain, item);
	uma_zfree(zone, own);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(plain), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Take every page of the pool and write over it, then give all back. */
static void scribble_over_free_memory(struct kunit *test)
{
	struct vm_page *m;
	LIST_HEAD(taken);

	while ((m = uma_pool_alloc(uma_pool, 1, M_WAITOK | M_USE_RESERVE))) {
		memset(vm_page_kva(m), 0x5c, PAGE_SIZE);
		list_add(&m->pageq, &taken);
	}
	while ((m = list_first_entry_or_null(&taken, struct vm_page, pageq))) {
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
}

/*
 * Two who hold an item drop it at once: the log's trick. The one that lost the
 * race compares and sets the counter after the item has gone, and after the
 * allocator has given back all that it can and others have used it.
 */
static void uma_03_stale_holder_finds_a_counter(struct kunit *test)
{
	unsigned int kind;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		uma_zone_t zone = refcnt_zone(test, kind);
		void *item = uma_zalloc(zone, M_WAITOK);
		u32 *ref;

		KUNIT_ASSERT_NOT_NULL(test, item);
		ref = uma_find_refcnt(zone, item);
		KUNIT_ASSERT_NOT_NULL(test, ref);
		*ref = 2;
		/* The winner. */
		*ref -= 2;
		KUNIT_EXPECT_EQ(test, cmpxchg(ref, 0, 1), 0);
		uma_zfree(zone, item);

		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		uma_reclaim(UMA_RECLAIM_TRIM);
		uma_reclaim(UMA_RECLAIM_TRIM);
		scribble_over_free_memory(test);

		/* The loser: still the counter, as the winner left it. */
		KUNIT_EXPECT_EQ_MSG(test, cmpxchg(ref, 0, 1), 1, "size %zu",
				    kinds[kind].size);
		KUNIT_EXPECT_GT(test, uma_keg_pages(zone->uz_keg), 0);
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, item);
		KUNIT_EXPECT_NOT_NULL(test, uma_find_refcnt(zone, item));
		uma_zfree(zone, item);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

static struct kunit_case refcnt_cases[] = {
	KUNIT_CASE(uma_02_counters_and_free_items_do_not_mix),
	KUNIT_CASE(uma_02_stacked_zone_finds_the_same_counter),
	KUNIT_CASE(uma_02_no_counter_no_pointer),
	KUNIT_CASE(uma_03_stale_holder_finds_a_counter),
	{}
};

static struct kunit_suite refcnt_suite = {
	.name = "refcnt",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = refcnt_cases,
};

kunit_test_suite(refcnt_suite);

MODULE_DESCRIPTION("KUnit: reference counters of items");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
