// SPDX-License-Identifier: GPL-2.0-only
/*
 * Misuse: arguments that make no sense are refused with a message and an errno,
 * and what is freed wrongly is refused and named, at once with uma_debug, on its
 * way to the slab without.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "uma_test.h"

#define ITEM		64
#define MANY		60
#define DEBUG_PARAM	UMA_TEST_PARAMETER("uma_debug")
#define SECS_PARAM	UMA_TEST_PARAMETER("working_set_secs")

static void set_debug(struct kunit *test, bool on)
{
	uma_test_set_parameter(test, DEBUG_PARAM, on ? "1" : "0");
}

static int misuse_init(struct kunit *test)
{
	set_debug(test, false);
	return uma_test_init(test);
}

static void misuse_exit(struct kunit *test)
{
	set_debug(test, false);
	uma_test_exit(test);
}

static uma_zone_t make_zone(struct kunit *test, const char *name)
{
	uma_zone_t zone = uma_zcreate(name, ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, 0);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	return zone;
}

/* Arguments of uma_zcreate() */

static void misuse_zone_of_no_or_too_large_a_size(struct kunit *test)
{
	static const size_t sizes[] = {
		0, UMA_SLAB_PAGES_MAX * PAGE_SIZE + 1, (size_t)U32_MAX + 1,
		(size_t)U32_MAX + 65, SIZE_MAX - 4, SIZE_MAX,
	};
	unsigned int count = uma_zone_list_count();
	unsigned int i;

	pr_info("uma-expect-begin: cannot create zone \"misuse\": size 0,\n");
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_NULL_MSG(test, uma_zcreate("misuse", sizes[i],
							NULL, NULL, NULL, NULL,
							UMA_ALIGN_PTR, 0),
				      "size %zu", sizes[i]);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
}

static void misuse_largest_size_works(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("misuse", UMA_SLAB_PAGES_MAX * PAGE_SIZE,
				      NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	item = uma_zalloc(zone, M_NOWAIT);
	if (item) {
		memset(item, 1, UMA_SLAB_PAGES_MAX * PAGE_SIZE);
		uma_zfree(zone, item);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void misuse_alignment_that_is_no_mask(struct kunit *test)
{
	static const int aligns[] = {
		2, 4, 5, 8, 64, 0x17, PAGE_SIZE, 2 * PAGE_SIZE - 1, -1, -8,
		INT_MIN, INT_MAX,
	};
	unsigned int count = uma_zone_list_count();
	unsigned int i;

	pr_info("uma-expect-begin: cannot create zone \"misuse\": size 64, alignment mask 0x2,\n");
	for (i = 0; i < ARRAY_SIZE(aligns); i++)
		KUNIT_EXPECT_NULL_MSG(test, uma_zcreate("misuse", ITEM, NULL,
							NULL, NULL, NULL,
							aligns[i], 0),
				      "align %#x", aligns[i]);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
}

static void misuse_every_alignment_mask_works(struct kunit *test)
{
	unsigned int align, i;
	void *item[20];

	for (align = 0; align < PAGE_SIZE; align = 2 * align + 1) {
		uma_zone_t zone = uma_zcreate("misuse", 3 * ITEM + 1, NULL,
					      NULL, NULL, NULL, align, 0);

		KUNIT_ASSERT_NOT_NULL(test, zone);
		for (i = 0; i < ARRAY_SIZE(item); i++) {
			item[i] = uma_zalloc(zone, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, item[i]);
			KUNIT_EXPECT_EQ(test, (unsigned long)item[i] & align,
					0);
			memset(item[i], 0xff, 3 * ITEM + 1);
		}
		while (i--)
			uma_zfree(zone, item[i]);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

static void misuse_flags_that_are_not_for_callers(struct kunit *test)
{
	static const u32 flags[] = {
		UMA_ZONE_SECONDARY, UMA_ZFLAG_INTERNAL, UMA_ZFLAG_BUCKET,
		UMA_ZFLAG_ORPHAN, 0x1, 0x80000000, ~0U,
	};
	unsigned int count = uma_zone_list_count();
	unsigned int i;

	pr_info("uma-expect-begin: cannot create zone \"misuse\": flags 0x200 are not supported\n");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		KUNIT_EXPECT_NULL_MSG(test, uma_zcreate("misuse", ITEM, NULL,
							NULL, NULL, NULL,
							UMA_ALIGN_PTR,
							flags[i]),
				      "flags %#x", flags[i]);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
}

static void misuse_no_name_or_no_master(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, "misuse");
	unsigned int count = uma_zone_list_count();

	pr_info("uma-expect-begin: cannot create a zone without a name\n");
	KUNIT_EXPECT_NULL(test, uma_zcreate(NULL, ITEM, NULL, NULL, NULL, NULL,
					    UMA_ALIGN_PTR, 0));
	KUNIT_EXPECT_NULL(test, uma_zcreate("", ITEM, NULL, NULL, NULL, NULL,
					    UMA_ALIGN_PTR, 0));
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: cannot create a secondary zone\n");
	KUNIT_EXPECT_NULL(test, uma_zsecond_create("misuse", NULL, NULL, NULL,
						   NULL, NULL));
	KUNIT_EXPECT_NULL(test, uma_zsecond_create(NULL, NULL, NULL, NULL, NULL,
						   zone));
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The caller's name may be gone at once. */
static void misuse_name_is_copied(struct kunit *test)
{
	char name[] = "misuse";
	uma_zone_t zone = make_zone(test, name);

	memset(name, 'x', sizeof(name) - 1);
	KUNIT_EXPECT_STREQ(test, zone->uz_name, "misuse");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static int no_init(void *mem, int size, int flags)
{
	return 0;
}

static void no_fini(void *mem, int size)
{
}

static void misuse_callbacks_change_under_items(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, "misuse");
	void *item;

	KUNIT_EXPECT_EQ(test, uma_zone_set_init(zone, no_init), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_set_fini(zone, no_fini), 0);
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	pr_info("uma-expect-begin: cannot set init of zone \"misuse\"\n");
	KUNIT_EXPECT_EQ(test, uma_zone_set_init(zone, NULL), -EBUSY);
	KUNIT_EXPECT_EQ(test, uma_zone_set_fini(zone, NULL), -EBUSY);
	KUNIT_EXPECT_EQ(test, uma_zone_set_zinit(zone, no_init), -EBUSY);
	KUNIT_EXPECT_EQ(test, uma_zone_set_zfini(zone, no_fini), -EBUSY);
	KUNIT_EXPECT_EQ(test, uma_zone_set_freef(zone, NULL), -EBUSY);
	pr_info("uma-expect-end\n");
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Parameters */

static void misuse_parameters_refuse_nonsense(struct kunit *test)
{
	static const char * const secs[] = { "0", "-1", "86401", "x", "" };
	unsigned int i;

	pr_info("uma-expect-begin: uma_debug: \"maybe\" is neither\n");
	KUNIT_EXPECT_EQ(test, uma_test_try_parameter(DEBUG_PARAM, "maybe"),
			-EINVAL);
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: working_set_secs: \"86401\" is not\n");
	for (i = 0; i < ARRAY_SIZE(secs); i++)
		KUNIT_EXPECT_LE_MSG(test,
				    uma_test_try_parameter(SECS_PARAM, secs[i]),
				    0, "\"%s\"", secs[i]);
	pr_info("uma-expect-end\n");
}

/* Frees, with uma_debug on */

static unsigned int destroyed;

static void count_dtor(void *mem, int size, void *arg)
{
	destroyed++;
}

static void debug_free_of_a_free_item(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("misuse", ITEM, NULL, count_dtor, NULL,
				      NULL, UMA_ALIGN_PTR, 0);
	struct uma_test_totals t;
	void *item, *other;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	set_debug(test, true);
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	destroyed = 0;
	uma_zfree(zone, item);
	pr_info("uma-expect-begin: zone \"misuse\": free of .* refused: an item that is free already\n");
	uma_zfree(zone, item);
	pr_info("uma-expect-end\n");
	/* Refused means untouched: no dtor, no count, no second owner. */
	KUNIT_EXPECT_EQ(test, destroyed, 1);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.frees, 1);
	item = uma_zalloc(zone, M_WAITOK);
	other = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_PTR_NE(test, item, other);
	uma_zfree(zone, item);
	uma_zfree(zone, other);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void debug_free_into_another_zone(struct kunit *test)
{
	uma_zone_t mine = make_zone(test, "misuse mine");
	uma_zone_t wrong = make_zone(test, "misuse wrong");
	void *item;

	set_debug(test, true);
	item = uma_zalloc(mine, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	memset(item, 0x42, ITEM);
	pr_info("uma-expect-begin: zone \"misuse wrong\": free of .* refused: an item of another zone\n");
	uma_zfree(wrong, item);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, wrong).frees, 0);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(mine), 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(item, 0x42, ITEM));
	uma_zfree(mine, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(mine), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(wrong), 0);
}

static void debug_free_inside_an_item(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, "misuse");
	void *item;

	set_debug(test, true);
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	pr_info("uma-expect-begin: zone \"misuse\": free of .* refused: an address inside an item\n");
	uma_zfree(zone, item + 8);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Addresses of every kind that are no items. The log's lines are limited. */
static void debug_free_of_what_is_no_item(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, "misuse");
	void *slab = kmalloc(ITEM, GFP_KERNEL);
	void *mapped = vmalloc(PAGE_SIZE);
	struct vm_page *m = uma_pool_alloc(uma_pool, 1, M_NOWAIT);
	unsigned int i, on_stack = 7;
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_ASSERT_NOT_NULL(test, mapped);
	KUNIT_ASSERT_NOT_NULL(test, m);
	set_debug(test, true);
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	{
		void * const bad[] = {
			slab, mapped, &on_stack, &destroyed,
			(void *)debug_free_inside_an_item, vm_page_kva(m),
			(void *)8, (void *)-1L, (void *)(-1UL << 47),
			(void *)0x00007fff12345678UL,
			(void *)(PAGE_MASK & (unsigned long)item) +
				zone->uz_keg->uk_layout.ipers *
				zone->uz_keg->uk_layout.rsize,
			item - 1,
		};

		pr_info("uma-expect-begin: zone \"misuse\": free of .* refused: not an item of any zone\n");
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			uma_zfree(zone, bad[i]);
		pr_info("uma-expect-end\n");
	}
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).frees, 0);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1);
	KUNIT_EXPECT_EQ(test, on_stack, 7);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	uma_pool_free(uma_pool, m, 1);
	vfree(mapped);
	kfree(slab);
}

static void debug_passes_the_caches_by(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, "misuse");
	struct uma_test_totals t;
	void *items[MANY];
	unsigned int i;

	for (i = 0; i < MANY; i++)
		items[i] = uma_zalloc(zone, M_WAITOK);
	for (i = 0; i < MANY / 2; i++)
		uma_zfree(zone, items[i]);
	KUNIT_EXPECT_GT(test, uma_test_totals(test, zone).cpu_free, 0);

	/* Switched on: what was cached is in the slabs, and stays there. */
	set_debug(test, true);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), MANY / 2);
	for (; i < MANY; i++)
		uma_zfree(zone, items[i]);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, t.allocs, MANY);
	KUNIT_EXPECT_EQ(test, t.frees, MANY);

	/* A zone that comes while it is on is checked as well. */
	{
		uma_zone_t late = make_zone(test, "misuse late");
		void *item = uma_zalloc(late, M_WAITOK);

		uma_zfree(late, item);
		t = uma_test_totals(test, late);
		KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(late), 0);
	}

	set_debug(test, false);
	uma_zfree(zone, uma_zalloc(zone, M_WAITOK));
	KUNIT_EXPECT_GT(test, uma_test_totals(test, zone).cpu_free, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* And without: the slab knows. */
static void double_free_is_found_at_the_slab(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, "misuse");
	void *items[2];

	items[0] = uma_zalloc(zone, M_WAITOK);
	items[1] = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, items[1]);
	uma_zfree(zone, items[0]);
	uma_zfree(zone, items[0]);
	/*
	 * The second free took part in the count, as any free does; the item
	 * that is still out makes up for it.
	 */
	pr_info("uma-expect-begin: zone \"misuse\": free of .* refused: an item that is free already\n");
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), 1);
	pr_info("uma-expect-begin: cannot destroy zone \"misuse\"\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), -EBUSY);
	pr_info("uma-expect-end\n");
	/* No item is lost by it, and none has two owners. */
	uma_zfree(zone, items[1]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void foreign_free_is_found_at_the_slab(struct kunit *test)
{
	uma_zone_t mine = make_zone(test, "misuse mine");
	uma_zone_t wrong = make_zone(test, "misuse wrong");
	void *item, *other;

	item = uma_zalloc(mine, M_WAITOK);
	other = uma_zalloc(wrong, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_ASSERT_NOT_NULL(test, other);
	uma_zfree(wrong, item);
	pr_info("uma-expect-begin: zone \"misuse wrong\": free of .* refused: an item of another zone\n");
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(mine->uz_keg), 1);
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(wrong->uz_keg), 1);
	uma_zfree(mine, item);
	uma_zfree(wrong, other);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(mine), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(wrong), 0);
}

static struct kunit_case misuse_cases[] = {
	KUNIT_CASE(misuse_zone_of_no_or_too_large_a_size),
	KUNIT_CASE(misuse_largest_size_works),
	KUNIT_CASE(misuse_alignment_that_is_no_mask),
	KUNIT_CASE(misuse_every_alignment_mask_works),
	KUNIT_CASE(misuse_flags_that_are_not_for_callers),
	KUNIT_CASE(misuse_no_name_or_no_master),
	KUNIT_CASE(misuse_name_is_copied),
	KUNIT_CASE(misuse_callbacks_change_under_items),
	KUNIT_CASE(misuse_parameters_refuse_nonsense),
	KUNIT_CASE(debug_free_of_a_free_item),
	KUNIT_CASE(debug_free_into_another_zone),
	KUNIT_CASE(debug_free_inside_an_item),
	KUNIT_CASE(debug_passes_the_caches_by),
	KUNIT_CASE(double_free_is_found_at_the_slab),
	KUNIT_CASE(foreign_free_is_found_at_the_slab),
	/* The last, since only so many refusals a second reach the log. */
	KUNIT_CASE(debug_free_of_what_is_no_item),
	{}
};

static struct kunit_suite misuse_suite = {
	.name = "misuse",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = misuse_cases,
};

kunit_test_suite(misuse_suite);

MODULE_DESCRIPTION("KUnit: arguments that make no sense, and wrong frees");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
