// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation failure at every step. A call is made again and again, and each
 * time the next of the allocations inside it fails, until it passes without the
 * failure having come. Every time the caller sees an error or a success, never
 * something between, and afterwards the next call works and nothing is gone.
 *
 * The pool's own attribute fails pages everywhere; the kernel's fail its slabs
 * and pages only on kernels that have them.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>

#include "fail_nth.h"
#include "uma/kva.h"
#include "uma_test.h"
#include "user_file.h"

#define ITEM		64
/* More allocations than any of these calls makes. */
#define STEPS		600

/* Failures reach what may sleep, and are not reported one by one. */
static int fault_init(struct kunit *test)
{
	static const char * const settings[][2] = {
		{ "/sys/kernel/debug/uma/fail_uma/verbose", "0" },
		{ "/sys/kernel/debug/failslab/verbose", "0" },
		{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
		{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
		{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
	};
	char __user *ubuf;
	unsigned int i;
	ssize_t n;

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "no fault injection");
	ubuf = user_memory(test, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		n = user_write(test, settings[i][0], ubuf, settings[i][1]);
		if (n == -ENOENT && i && !IS_ENABLED(CONFIG_FAILSLAB))
			continue;
		KUNIT_ASSERT_EQ_MSG(test, n, (ssize_t)strlen(settings[i][1]),
				    "%s", settings[i][0]);
	}
	return uma_test_init(test);
}

static void fault_exit(struct kunit *test)
{
	fail_nth_set(0);
	uma_test_exit(test);
}

static const struct {
	size_t size;
	u32 flags;
} kinds[] = {
	{ ITEM, 0 },
	{ ITEM, UMA_ZONE_OFFPAGE },
	{ ITEM, UMA_ZONE_REFCNT },
	{ 3000, UMA_ZONE_REFCNT },
	{ ITEM, UMA_ZONE_MTXCLASS },
	{ 5 * PAGE_SIZE, 0 },
	{ ITEM, UMA_ZONE_PCPU },
	{ 1000, UMA_ZONE_CACHESPREAD },
	{ ITEM, UMA_ZONE_MAXBUCKET },
	{ 2 * PAGE_SIZE, UMA_ZONE_CONTIG },
};

static uma_zone_t make_kind(unsigned int kind)
{
	return uma_zcreate("fault test", kinds[kind].size, NULL, NULL, NULL,
			   NULL, UMA_ALIGN_PTR, kinds[kind].flags);
}

static void must_work(struct kunit *test, uma_zone_t zone)
{
	void *item[40];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(item); i++) {
		item[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, item[i]);
	}
	for (i = 0; i < ARRAY_SIZE(item); i++)
		uma_zfree(zone, item[i]);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
}

static void fault_zone_creation(struct kunit *test)
{
	unsigned int count = uma_zone_list_count();
	unsigned int kind, n, failed;
	bool fired;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		failed = 0;
		fired = true;
		for (n = 1; fired && n < STEPS; n++) {
			uma_zone_t zone;

			fail_nth_set(n);
			zone = make_kind(kind);
			fired = !fail_nth_left();
			fail_nth_set(0);
			if (zone) {
				must_work(test, zone);
				KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
			} else {
				KUNIT_EXPECT_TRUE(test, fired);
				failed++;
			}
			KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
		}
		KUNIT_EXPECT_LT(test, n, STEPS);
		if (IS_ENABLED(CONFIG_FAILSLAB))
			KUNIT_EXPECT_GT(test, failed, 0);
	}
}

static void fault_secondary_zone_creation(struct kunit *test)
{
	unsigned int count = uma_zone_list_count();
	unsigned int n, failed = 0;
	uma_zone_t master, zone;
	bool fired = true;

	master = make_kind(0);
	KUNIT_ASSERT_NOT_NULL(test, master);
	for (n = 1; fired && n < STEPS; n++) {
		fail_nth_set(n);
		zone = uma_zsecond_create("fault second", NULL, NULL, NULL,
					  NULL, master);
		fired = !fail_nth_left();
		fail_nth_set(0);
		if (zone) {
			must_work(test, zone);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		} else {
			KUNIT_EXPECT_TRUE(test, fired);
			failed++;
		}
		must_work(test, master);
		KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count + 1);
	}
	KUNIT_EXPECT_LT(test, n, STEPS);
	if (IS_ENABLED(CONFIG_FAILSLAB))
		KUNIT_EXPECT_GT(test, failed, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(master), 0);
}

/* The first item of a zone: bucket, header and slab. */
static void fault_first_item(struct kunit *test)
{
	unsigned int kind, n, failed, served;
	struct uma_test_totals t;
	bool fired;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		failed = 0;
		served = 0;
		fired = true;
		for (n = 1; fired && n < STEPS; n++) {
			uma_zone_t zone = make_kind(kind);
			void *item;

			KUNIT_ASSERT_NOT_NULL(test, zone);
			/* No bucket and no header is left in any cache. */
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
			fail_nth_set(n);
			item = uma_zalloc(zone, M_NOWAIT);
			fired = !fail_nth_left();
			fail_nth_set(0);
			t = uma_test_totals(test, zone);
			KUNIT_EXPECT_EQ(test, t.allocs, !!item);
			KUNIT_EXPECT_EQ(test, t.fails, !item);
			if (item) {
				/* A bucket is a convenience. */
				served += fired;
				memset(item, 0x5a, kinds[kind].size);
				uma_zfree(zone, item);
			} else {
				KUNIT_EXPECT_TRUE(test, fired);
				KUNIT_EXPECT_EQ(test, t.pages, 0);
				failed++;
			}
			must_work(test, zone);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
			KUNIT_EXPECT_EQ(test, uma_test_free_pages(),
					(unsigned long)test->priv);
		}
		KUNIT_EXPECT_LT(test, n, STEPS);
		KUNIT_EXPECT_GT_MSG(test, failed + served, 0, "kind %u", kind);
	}
}

/* Many items with one failure somewhere: fewer, never a wrong one. */
static void fault_in_the_middle_of_many(struct kunit *test)
{
	void **items = kunit_kcalloc(test, 300, sizeof(*items), GFP_KERNEL);
	unsigned int kind, n, i, failed;
	bool fired;

	KUNIT_ASSERT_NOT_NULL(test, items);
	for (kind = 0; kind < 3; kind++) {
		fired = true;
		for (n = 1; fired && n < STEPS; n++) {
			uma_zone_t zone = make_kind(kind);

			KUNIT_ASSERT_NOT_NULL(test, zone);
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
			failed = 0;
			fail_nth_set(n);
			for (i = 0; i < 300; i++) {
				items[i] = uma_zalloc(zone, M_NOWAIT);
				failed += !items[i];
			}
			for (i = 0; i < 300; i++)
				uma_zfree(zone, items[i]);
			fired = !fail_nth_left();
			fail_nth_set(0);
			KUNIT_EXPECT_LE(test, failed, 1);
			KUNIT_EXPECT_EQ(test,
					uma_test_totals(test, zone).fails,
					failed);
			KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		}
		KUNIT_EXPECT_LT(test, n, STEPS);
	}
}

/* Who may sleep is not failed: it waits, and gets its item. */
static void uma_13_waitok_outlives_every_failure(struct kunit *test)
{
	unsigned int kind, n;
	bool fired;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		fired = true;
		for (n = 1; fired && n < STEPS; n++) {
			uma_zone_t zone = make_kind(kind);
			void *item;

			KUNIT_ASSERT_NOT_NULL(test, zone);
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
			fail_nth_set(n);
			item = uma_zalloc(zone, M_WAITOK);
			fired = !fail_nth_left();
			fail_nth_set(0);
			KUNIT_EXPECT_NOT_NULL(test, item);
			uma_zfree(zone, item);
			KUNIT_EXPECT_EQ(test,
					uma_test_totals(test, zone).fails, 0);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		}
		KUNIT_EXPECT_LT(test, n, STEPS);
	}
}

/* All or nothing, and whatever fails, nothing is lost. */
#define BULK	60

static void fault_bulk(struct kunit *test)
{
	unsigned int kind, n, got, failed, served;
	struct uma_test_totals t;
	void *items[BULK];
	bool fired;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		failed = 0;
		served = 0;
		fired = true;
		for (n = 1; fired && n < STEPS; n++) {
			uma_zone_t zone = make_kind(kind);

			KUNIT_ASSERT_NOT_NULL(test, zone);
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
			fail_nth_set(n);
			got = uma_zalloc_bulk(zone, items, BULK, M_NOWAIT);
			fired = !fail_nth_left();
			fail_nth_set(0);
			t = uma_test_totals(test, zone);
			KUNIT_EXPECT_TRUE(test, !got || got == BULK);
			KUNIT_EXPECT_EQ(test, t.allocs, got);
			KUNIT_EXPECT_EQ(test, t.fails, !got);
			KUNIT_EXPECT_TRUE(test, got || fired);
			failed += !got;
			served += got && fired;
			/* And the buckets that these frees want. */
			fail_nth_set(n);
			uma_zfree_bulk(zone, items, got);
			fail_nth_set(0);
			KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
			must_work(test, zone);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
			KUNIT_EXPECT_EQ(test, uma_test_free_pages(),
					(unsigned long)test->priv);
		}
		KUNIT_EXPECT_LT(test, n, STEPS);
		KUNIT_EXPECT_GT_MSG(test, failed + served, 0, "kind %u", kind);
	}
}

static void uma_13_bulk_that_may_sleep_outlives_every_failure(struct kunit *test)
{
	unsigned int kind, n;
	void *items[BULK];
	bool fired;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		fired = true;
		for (n = 1; fired && n < STEPS; n++) {
			uma_zone_t zone = make_kind(kind);

			KUNIT_ASSERT_NOT_NULL(test, zone);
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
			fail_nth_set(n);
			KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, BULK,
							      M_WAITOK), BULK);
			fired = !fail_nth_left();
			fail_nth_set(0);
			uma_zfree_bulk(zone, items, BULK);
			KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails,
					0);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		}
		KUNIT_EXPECT_LT(test, n, STEPS);
	}
}

/* Items of a cache-only zone: only its buckets can be had too few of. */
static u64 stock[200];
static DECLARE_BITMAP(stock_out, ARRAY_SIZE(stock));

static int stock_import(void *arg, void **store, int count, int domain,
			int flags)
{
	unsigned long k;
	int i;

	for (i = 0; i < count; i++) {
		k = find_first_zero_bit(stock_out, ARRAY_SIZE(stock));
		if (k == ARRAY_SIZE(stock))
			break;
		__set_bit(k, stock_out);
		store[i] = &stock[k];
	}
	return i;
}

static void stock_release(void *arg, void **store, int count)
{
	while (count--)
		__clear_bit((u64 *)store[count] - stock, stock_out);
}

static void fault_cache_only_zone(struct kunit *test)
{
	unsigned int count = uma_zone_list_count();
	unsigned int n, failed = 0, i, refused;
	bool fired = true;
	void *items[40];

	for (n = 1; fired && n < STEPS; n++) {
		uma_zone_t zone;

		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		refused = 0;
		fail_nth_set(n);
		zone = uma_zcache_create("fault cache", sizeof(stock[0]), NULL,
					 NULL, NULL, NULL, stock_import,
					 stock_release, NULL, 0);
		for (i = 0; zone && i < ARRAY_SIZE(items); i++) {
			items[i] = uma_zalloc(zone, M_NOWAIT);
			refused += !items[i];
		}
		while (zone && i--)
			uma_zfree(zone, items[i]);
		fired = !fail_nth_left();
		fail_nth_set(0);
		KUNIT_EXPECT_LE(test, refused, fired);
		if (zone) {
			KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails,
					refused);
			KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		} else {
			KUNIT_EXPECT_TRUE(test, fired);
			failed++;
		}
		KUNIT_EXPECT_TRUE(test, bitmap_empty(stock_out,
						     ARRAY_SIZE(stock)));
		KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
	}
	KUNIT_EXPECT_LT(test, n, STEPS);
	if (IS_ENABLED(CONFIG_FAILSLAB))
		KUNIT_EXPECT_GT(test, failed, 0);
}

/* Settings: what fails leaves the zone usable, and may be asked again. */
static void fault_settings(struct kunit *test)
{
	unsigned int kind, n;
	int error;
	bool fired;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		fired = true;
		for (n = 1; fired && n < STEPS; n++) {
			uma_zone_t zone = make_kind(kind);

			KUNIT_ASSERT_NOT_NULL(test, zone);
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
			fail_nth_set(n);
			error = uma_zone_reserve(zone, 10);
			KUNIT_EXPECT_GT(test, uma_zone_set_max(zone, 100), 0);
			KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, 100),
					0);
			KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone,
							       UMA_RECLAIM_DRAIN_CPU),
					0);
			fired = !fail_nth_left();
			fail_nth_set(0);
			if (error) {
				KUNIT_EXPECT_EQ(test, error, -ENOMEM);
				KUNIT_EXPECT_TRUE(test, fired);
				KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 10),
						0);
			}
			KUNIT_EXPECT_GE(test, uma_test_totals(test, zone).keg_free,
					10);
			must_work(test, zone);
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		}
		KUNIT_EXPECT_LT(test, n, STEPS);
	}
}

static void fault_fixed_backing(struct kunit *test)
{
	unsigned int n, failed = 0;
	bool fired = true;
	int error;

	if (!uma_kva_supported())
		kunit_skip(test, "no address ranges on this architecture");
	for (n = 1; fired && n < STEPS; n++) {
		uma_zone_t zone = make_kind(0);
		void *item;

		KUNIT_ASSERT_NOT_NULL(test, zone);
		fail_nth_set(n);
		error = uma_zone_set_obj(zone, NULL, 200);
		item = error ? NULL : uma_zalloc(zone, M_NOWAIT);
		fired = !fail_nth_left();
		fail_nth_set(0);
		if (error) {
			KUNIT_EXPECT_EQ(test, error, -ENOMEM);
			KUNIT_EXPECT_TRUE(test, fired);
			failed++;
			/* It may be asked again. */
			KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, 200),
					0);
		}
		uma_zfree(zone, item);
		must_work(test, zone);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
	KUNIT_EXPECT_LT(test, n, STEPS);
	KUNIT_EXPECT_GT(test, failed, 0);
}

static void fault_opening_the_stream(struct kunit *test)
{
	unsigned int n, failed = 0;
	bool fired = true;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "the kernel's allocations cannot fail here");
	for (n = 1; fired && n < STEPS; n++) {
		struct file *file;

		fail_nth_set(n);
		file = filp_open("/sys/kernel/debug/uma/zone_stats", O_RDONLY,
				 0);
		fired = !fail_nth_left();
		fail_nth_set(0);
		if (IS_ERR(file)) {
			KUNIT_EXPECT_EQ(test, PTR_ERR(file), -ENOMEM);
			KUNIT_EXPECT_TRUE(test, fired);
			failed++;
		} else {
			filp_close(file, NULL);
		}
	}
	KUNIT_EXPECT_LT(test, n, STEPS);
	KUNIT_EXPECT_GT(test, failed, 0);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fault_zone_creation),
	KUNIT_CASE(fault_secondary_zone_creation),
	KUNIT_CASE(fault_first_item),
	KUNIT_CASE(fault_in_the_middle_of_many),
	KUNIT_CASE(uma_13_waitok_outlives_every_failure),
	KUNIT_CASE(fault_bulk),
	KUNIT_CASE(uma_13_bulk_that_may_sleep_outlives_every_failure),
	KUNIT_CASE(fault_cache_only_zone),
	KUNIT_CASE(fault_settings),
	KUNIT_CASE(fault_fixed_backing),
	KUNIT_CASE(fault_opening_the_stream),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "fault",
	.init = fault_init,
	.exit = fault_exit,
	.test_cases = fault_cases,
};

kunit_test_suite(fault_suite);

MODULE_DESCRIPTION("KUnit: allocation failure at every step");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
