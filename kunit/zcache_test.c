// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zones that only cache: items come from an import and go to a release, each of
 * them once, and in between the zone is a zone like any other.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "uma_test.h"

#define ITEM		64
#define STOCK		300
#define PATIENCE	(10 * HZ)

/* Where items come from: a stock of which each is out or in. */
static struct {
	raw_spinlock_t lock;
	u8 (*mem)[ITEM];
	DECLARE_BITMAP(out, STOCK);
	unsigned int most;	/* that one import gives */
	unsigned int imports, releases;
	unsigned int wrong;
	unsigned int largest;	/* that was asked for at once */
	int flags;		/* of the last import */
} stock = { .lock = __RAW_SPIN_LOCK_UNLOCKED(stock.lock) };

static int stock_import(void *arg, void **store, int count, int domain,
			int flags)
{
	unsigned long irq, i;
	int n = 0;

	raw_spin_lock_irqsave(&stock.lock, irq);
	stock.imports++;
	stock.flags = flags;
	stock.largest = max_t(unsigned int, stock.largest, count);
	if (arg != &stock || count <= 0 || domain < 0 ||
	    domain >= MAX_NUMNODES ||
	    flags & ~(M_WAITOK | M_NOWAIT | M_USE_RESERVE) ||
	    !(flags & (M_WAITOK | M_NOWAIT)))
		stock.wrong++;
	while (n < count && n < stock.most) {
		i = find_first_zero_bit(stock.out, STOCK);
		if (i == STOCK)
			break;
		__set_bit(i, stock.out);
		store[n++] = stock.mem[i];
	}
	raw_spin_unlock_irqrestore(&stock.lock, irq);
	return n;
}

static void stock_release(void *arg, void **store, int count)
{
	unsigned long irq;
	int i;

	raw_spin_lock_irqsave(&stock.lock, irq);
	stock.releases++;
	if (arg != &stock || count <= 0)
		stock.wrong++;
	for (i = 0; i < count; i++) {
		unsigned long k = (u8 (*)[ITEM])store[i] - stock.mem;

		if (k >= STOCK || store[i] != stock.mem[k] ||
		    !__test_and_clear_bit(k, stock.out))
			stock.wrong++;
	}
	raw_spin_unlock_irqrestore(&stock.lock, irq);
}

static unsigned int stock_out(void)
{
	return bitmap_weight(stock.out, STOCK);
}

static int zcache_init(struct kunit *test)
{
	stock.mem = kunit_kcalloc(test, STOCK, ITEM, GFP_KERNEL);
	if (!stock.mem)
		return -ENOMEM;
	bitmap_zero(stock.out, STOCK);
	stock.most = STOCK;
	stock.imports = 0;
	stock.releases = 0;
	stock.wrong = 0;
	stock.largest = 0;
	return uma_test_still_init(test);
}

/* Whatever a case did: every item came back, and each one once. */
static void zcache_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, stock_out(), 0);
	KUNIT_EXPECT_EQ(test, stock.wrong, 0);
	uma_test_still_exit(test);
}

static uma_zone_t stock_zone(struct kunit *test, u32 flags)
{
	uma_zone_t zone = uma_zcache_create("zcache", ITEM, NULL, NULL, NULL,
					    NULL, stock_import, stock_release,
					    &stock, flags);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	return zone;
}

static void expect_counts(struct kunit *test, uma_zone_t zone, u64 allocs,
			  u64 frees, u64 fails)
{
	struct uma_test_totals t = uma_test_totals(test, zone);

	KUNIT_EXPECT_EQ(test, t.allocs, allocs);
	KUNIT_EXPECT_EQ(test, t.frees, frees);
	KUNIT_EXPECT_EQ(test, t.fails, fails);
	KUNIT_EXPECT_EQ(test, t.keg_free, 0);
	KUNIT_EXPECT_EQ(test, t.pages, 0);
	KUNIT_EXPECT_EQ(test, allocs - frees + t.cpu_free + t.zone_free,
			stock_out());
}

static void zcache_items_come_and_go(struct kunit *test)
{
	static const u32 flags[] = { 0, UMA_ZONE_MINBUCKET, UMA_ZONE_MAXBUCKET,
				     UMA_ZONE_MTXCLASS };
	void **items = uma_test_items(test, STOCK);
	unsigned int i, k, round;

	for (k = 0; k < ARRAY_SIZE(flags); k++) {
		uma_zone_t zone = stock_zone(test, flags[k]);

		KUNIT_EXPECT_EQ(test, stock.imports, 0);
		for (round = 1; round <= 3; round++) {
			uma_test_get(test, zone, items, STOCK);
			KUNIT_EXPECT_EQ(test, stock_out(), STOCK);
			for (i = 0; i < STOCK; i++)
				memset(items[i], i, ITEM);
			for (i = 0; i < STOCK; i++)
				KUNIT_EXPECT_NULL(test, memchr_inv(items[i],
								   (u8)i,
								   ITEM));
			uma_test_put(zone, items, STOCK);
			expect_counts(test, zone, round * STOCK, round * STOCK,
				      0);
			KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
		}
		/* It does cache. */
		KUNIT_EXPECT_GT(test, stock_out(), 0);
		KUNIT_EXPECT_LT(test, stock.imports, STOCK);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		KUNIT_EXPECT_EQ(test, stock_out(), 0);
		stock.imports = 0;
	}
}

static void zcache_import_is_told_what_is_wanted(struct kunit *test)
{
	uma_zone_t zone = stock_zone(test, UMA_ZONE_MAXBUCKET);
	void *items[2];

	items[0] = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, items[0]);
	KUNIT_EXPECT_EQ(test, stock.flags, M_NOWAIT);
	/* A bucket's worth, at once. */
	KUNIT_EXPECT_EQ(test, stock.imports, 1);
	KUNIT_EXPECT_EQ(test, stock.largest, 128);
	uma_zfree(zone, items[0]);
	KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU), 0);
	KUNIT_EXPECT_EQ(test, stock_out(), 0);
	KUNIT_EXPECT_EQ(test, stock.releases, 1);

	items[0] = uma_zalloc(zone, M_WAITOK | M_ZERO);
	KUNIT_EXPECT_EQ(test, stock.flags, M_WAITOK);
	KUNIT_EXPECT_NULL(test, memchr_inv(items[0], 0, ITEM));
	uma_zfree(zone, items[0]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Fewer than wanted, down to one at a time, is no failure. */
static void zcache_short_imports_will_do(struct kunit *test)
{
	void **items = uma_test_items(test, STOCK);
	unsigned int most;

	for (most = 1; most <= 33; most += 8) {
		uma_zone_t zone = stock_zone(test, 0);

		stock.most = most;
		uma_test_get(test, zone, items, STOCK);
		uma_test_put(zone, items, STOCK);
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, STOCK,
						      M_NOWAIT), STOCK);
		uma_zfree_bulk(zone, items, STOCK);
		expect_counts(test, zone, 2 * STOCK, 2 * STOCK, 0);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

/* Nothing is a failure, and the last word even for who may wait. */
static void zcache_import_of_nothing_fails(struct kunit *test)
{
	uma_zone_t zone = stock_zone(test, 0);
	void **items = uma_test_items(test, STOCK);

	stock.most = 0;
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_WAITOK));
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 3, M_WAITOK), 0);
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 3, M_NOWAIT), 0);
	expect_counts(test, zone, 0, 0, 4);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).sleeps, 0);
	/* Room that was promised for them is there again. */
	uma_zone_set_max(zone, 10);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	stock.most = STOCK;
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 10, M_NOWAIT), 10);
	uma_zfree_bulk(zone, items, 10);
	expect_counts(test, zone, 10, 10, 5);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* One that says it left more than there was room for, or less than none. */
static int lying;

static int lying_import(void *arg, void **store, int count, int domain,
			int flags)
{
	int n = stock_import(arg, store, count, domain, flags);

	return lying > 0 ? count + lying : lying < 0 ? lying : n;
}

static void zcache_import_that_lies_is_reported(struct kunit *test)
{
	uma_zone_t zone = uma_zcache_create("zcache", ITEM, NULL, NULL, NULL,
					    NULL, lying_import, stock_release,
					    &stock, UMA_ZONE_MINBUCKET);
	void *items[4];

	KUNIT_ASSERT_NOT_NULL(test, zone);
	lying = 5;
	pr_info("uma-expect-begin: uma: import of zcache brought\n");
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 4, M_NOWAIT), 4);
	lying = 0;
	uma_zfree_bulk(zone, items, 4);
	KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU), 0);
	lying = -1;
	stock.most = 0;
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	pr_info("uma-expect-end\n");
	lying = 0;
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Limits: of such a zone they are exact, and known by the item. */

static void uma_19_zcache_limit_is_exact(struct kunit *test)
{
	static const int max[] = { 1, 2, 3, 7, 16, 17, 100, STOCK };
	void **items = uma_test_items(test, STOCK + 1);
	unsigned int i;
	int k;

	for (i = 0; i < ARRAY_SIZE(max); i++) {
		uma_zone_t zone = stock_zone(test, 0);

		KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, max[i]), max[i]);
		KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone), max[i]);
		KUNIT_EXPECT_FALSE(test, uma_zone_exhausted(zone));
		for (k = 0; k < max[i]; k++) {
			items[k] = uma_zalloc(zone, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[k]);
			KUNIT_ASSERT_LE(test, stock_out(), max[i]);
		}
		KUNIT_EXPECT_TRUE(test, uma_zone_exhausted(zone));
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		KUNIT_EXPECT_EQ(test, stock_out(), max[i]);
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), max[i]);
		uma_test_put(zone, items, max[i]);
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, max[i] + 1,
						      M_NOWAIT), 0);
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, max[i],
						      M_NOWAIT), max[i]);
		uma_zfree_bulk(zone, items, max[i]);
		expect_counts(test, zone, 2 * max[i], 2 * max[i], 2);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

struct sleeper {
	uma_zone_t zone;
	void *item;
	struct completion done;
	struct task_struct *task;
};

static int sleeper_fn(void *arg)
{
	struct sleeper *s = arg;

	s->item = uma_zalloc(s->zone, M_WAITOK);
	kthread_complete_and_exit(&s->done, 0);
}

static struct sleeper *start_sleeper(struct kunit *test, uma_zone_t zone)
{
	u32 before = READ_ONCE(zone->uz_keg->uk_sleepers);
	struct sleeper *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	unsigned long end = jiffies + PATIENCE;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->zone = zone;
	init_completion(&s->done);
	s->task = kthread_run(sleeper_fn, s, "uma_test_sleeper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->task));
	while (READ_ONCE(zone->uz_keg->uk_sleepers) == before &&
	       time_before(jiffies, end))
		msleep(20);
	KUNIT_ASSERT_EQ(test, READ_ONCE(zone->uz_keg->uk_sleepers), before + 1);
	msleep(50);
	return s;
}

static void expect_only_first(struct kunit *test, struct sleeper **s,
			      unsigned int n, unsigned int first)
{
	unsigned int i;

	for (i = 0; i < first; i++) {
		KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&s[i]->done,
								  PATIENCE),
				0);
		complete_all(&s[i]->done);
	}
	msleep(40);
	for (i = first; i < n; i++)
		KUNIT_EXPECT_FALSE_MSG(test, completion_done(&s[i]->done),
				       "number %u was served with %u", i,
				       first);
}

static void uma_19_zcache_sleepers_are_served_in_order(struct kunit *test)
{
	uma_zone_t zone = stock_zone(test, 0);
	void **items = uma_test_items(test, 5);
	struct sleeper *s[5];
	unsigned int i;

	uma_zone_set_max(zone, 5);
	uma_test_get(test, zone, items, 5);
	for (i = 0; i < 5; i++)
		s[i] = start_sleeper(test, zone);
	for (i = 0; i < 3; i++) {
		uma_zfree(zone, items[i]);
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		expect_only_first(test, s, 5, i + 1);
		KUNIT_EXPECT_NOT_NULL(test, s[i]->item);
		KUNIT_EXPECT_EQ(test, stock_out(), 5);
	}
	/* One more, then all that is left of the line. */
	uma_zone_set_max(zone, 6);
	expect_only_first(test, s, 5, 4);
	uma_zone_set_max(zone, 0);
	expect_only_first(test, s, 5, 5);
	for (i = 0; i < 5; i++)
		uma_zfree(zone, s[i]->item);
	uma_test_put(zone, items + 3, 2);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).sleeps, 5);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* What other CPUs cache counts as well, and is found. */
static void uma_19_zcache_sleeper_finds_what_is_cached(struct kunit *test)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask,
					   raw_smp_processor_id());
	unsigned int here = raw_smp_processor_id();
	uma_zone_t zone = stock_zone(test, 0);
	struct sleeper *s[2];
	void *items[4];
	unsigned int i;

	uma_zone_set_max(zone, 4);
	uma_test_get(test, zone, items, 4);
	if (cpu < nr_cpu_ids)
		set_cpus_allowed_ptr(current, cpumask_of(cpu));
	uma_test_put(zone, items, 2);
	set_cpus_allowed_ptr(current, cpumask_of(here));
	KUNIT_EXPECT_EQ(test, stock_out(), 4);
	for (i = 0; i < 2; i++) {
		s[i] = kunit_kzalloc(test, sizeof(*s[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, s[i]);
		s[i]->zone = zone;
		init_completion(&s[i]->done);
		s[i]->task = kthread_create(sleeper_fn, s[i], "uma_test_sleeper");
		KUNIT_ASSERT_FALSE(test, IS_ERR(s[i]->task));
		kthread_bind(s[i]->task, here);
		wake_up_process(s[i]->task);
	}
	expect_only_first(test, s, 2, 2);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_NOT_NULL(test, s[i]->item);
		uma_zfree(zone, s[i]->item);
	}
	uma_test_put(zone, items + 2, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A sleeper whose import has nothing leaves the line, and the next one tries. */
static void uma_19_zcache_sleeper_that_gets_nothing(struct kunit *test)
{
	uma_zone_t zone = stock_zone(test, 0);
	struct sleeper *s[2];
	void *item;

	uma_zone_set_max(zone, 1);
	item = uma_zalloc(zone, M_NOWAIT);
	s[0] = start_sleeper(test, zone);
	s[1] = start_sleeper(test, zone);
	stock.most = 0;
	uma_zfree(zone, item);
	expect_only_first(test, s, 2, 2);
	KUNIT_EXPECT_NULL(test, s[0]->item);
	KUNIT_EXPECT_NULL(test, s[1]->item);
	KUNIT_EXPECT_EQ(test, READ_ONCE(zone->uz_keg->uk_sleepers), 0);
	stock.most = STOCK;
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Callbacks, and their order */

static char calls[64];
static unsigned int ncalls;
static bool init_fails, ctor_fails;

static void note(char what)
{
	if (ncalls < sizeof(calls) - 1)
		calls[ncalls++] = what;
}

static int note_import(void *arg, void **store, int count, int domain,
		       int flags)
{
	note('<');
	return stock_import(&stock, store, count, domain, flags);
}

static void note_release(void *arg, void **store, int count)
{
	note('>');
	stock_release(&stock, store, count);
}

static int note_init(void *mem, int size, int flags)
{
	note('i');
	return size != ITEM || init_fails ? -EIO : 0;
}

static void note_fini(void *mem, int size)
{
	note('f');
}

static int note_ctor(void *mem, int size, void *arg, int flags)
{
	note('c');
	return size != ITEM || ctor_fails ? -EIO : 0;
}

static void note_dtor(void *mem, int size, void *arg)
{
	note('d');
}

static void expect_calls(struct kunit *test, const char *what)
{
	calls[ncalls] = 0;
	KUNIT_EXPECT_STREQ(test, calls, what);
	ncalls = 0;
}

static void zcache_callbacks_come_in_order(struct kunit *test)
{
	uma_zone_t zone = uma_zcache_create("zcache", ITEM, note_ctor,
					    note_dtor, note_init, note_fini,
					    note_import, note_release, NULL, 0);
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	ncalls = 0;
	init_fails = false;
	ctor_fails = false;
	stock.most = 2;
	item = uma_zalloc(zone, M_NOWAIT);
	expect_calls(test, "<iic");
	uma_zfree(zone, item);
	expect_calls(test, "d");
	item = uma_zalloc(zone, M_NOWAIT);
	expect_calls(test, "c");
	ctor_fails = true;
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	expect_calls(test, "c");
	uma_zfree(zone, item);
	expect_calls(test, "d");
	KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU), 0);
	expect_calls(test, "f>f>");
	/* What no zinit has seen sees no zfini. */
	init_fails = true;
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	expect_calls(test, "<i>");
	expect_counts(test, zone, 2, 2, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	expect_calls(test, "");
}

/* What is not for such a zone */

static void try_create(struct kunit *test, const char *name, int size,
		       uma_import import, uma_release release, u32 flags)
{
	unsigned int count = uma_zone_list_count();

	pr_info("uma-expect-begin: uma: cannot create cache-only zone\n");
	KUNIT_EXPECT_NULL_MSG(test, uma_zcache_create(name, size, NULL, NULL,
						      NULL, NULL, import,
						      release, NULL, flags),
			      "size %d, flags %#x", size, flags);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
}

static void zcache_bad_arguments_are_refused(struct kunit *test)
{
	static const u32 flags[] = {
		UMA_ZONE_ZINIT, UMA_ZONE_CONTIG, UMA_ZONE_OFFPAGE,
		UMA_ZONE_NOFREE, UMA_ZONE_SECONDARY, UMA_ZONE_REFCNT,
		UMA_ZONE_CACHESPREAD, UMA_ZONE_PCPU, UMA_ZFLAG_INTERNAL,
		UMA_ZFLAG_BUCKET, UMA_ZFLAG_ORPHAN, 0x1, 0x80000000,
		UMA_ZONE_MINBUCKET | UMA_ZONE_MAXBUCKET,
	};
	unsigned int i;

	try_create(test, "zcache", 0, stock_import, stock_release, 0);
	try_create(test, "zcache", -1, stock_import, stock_release, 0);
	try_create(test, "zcache", INT_MIN, stock_import, stock_release, 0);
	try_create(test, "zcache", ITEM, NULL, stock_release, 0);
	try_create(test, "zcache", ITEM, stock_import, NULL, 0);
	try_create(test, NULL, ITEM, stock_import, stock_release, 0);
	try_create(test, "", ITEM, stock_import, stock_release, 0);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		try_create(test, "zcache", ITEM, stock_import, stock_release,
			   flags[i]);
}

static void *some_allocf(uma_zone_t zone, vm_size_t size, u8 *pflag, int wait)
{
	return NULL;
}

static void zcache_has_no_slabs_to_set(struct kunit *test)
{
	uma_zone_t zone = stock_zone(test, 0);
	void *item;

	pr_info("uma-expect-begin: uma: cannot set .* of zone \"zcache\": it has no slabs\n");
	KUNIT_EXPECT_EQ(test, uma_zone_set_init(zone, note_init), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_fini(zone, note_fini), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_zinit(zone, note_init), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_zfini(zone, note_fini), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_allocf(zone, some_allocf), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_freef(zone, NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, 10), -EINVAL);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 1), -EINVAL);
	pr_info("uma-expect-begin: uma: cannot stack zone \"second\" on zone \"zcache\"\n");
	KUNIT_EXPECT_NULL(test, uma_zsecond_create("second", NULL, NULL, NULL,
						   NULL, zone));
	pr_info("uma-expect-end\n");
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Items with users keep it, as they keep any zone. */
static void zcache_in_use_is_not_destroyed(struct kunit *test)
{
	uma_zone_t zone = stock_zone(test, 0);
	void *item = uma_zalloc(zone, M_NOWAIT);

	KUNIT_EXPECT_NOT_NULL(test, item);
	pr_info("uma-expect-begin: uma: cannot destroy zone \"zcache\": 1 items\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), -EBUSY);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, stock_out(), 1);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* By each level of reclaim as much as by its like of other zones. */
static void zcache_gives_back_on_reclaim(struct kunit *test)
{
	uma_zone_t zone = stock_zone(test, UMA_ZONE_MINBUCKET);
	void **items = uma_test_items(test, STOCK);
	struct uma_test_totals t;

	uma_test_get(test, zone, items, STOCK);
	uma_test_put(zone, items, STOCK);
	KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN), 0);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.zone_free, 0);
	KUNIT_EXPECT_GT(test, t.cpu_free, 0);
	KUNIT_EXPECT_EQ(test, stock_out(), t.cpu_free);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, stock_out(), 0);
	/* An idle one does by itself. */
	uma_test_get(test, zone, items, STOCK);
	uma_test_put(zone, items, STOCK);
	uma_reclaim_interval();
	uma_reclaim_interval();
	uma_reclaim_interval();
	KUNIT_EXPECT_EQ(test, stock_out(), 0);
	/* And one that is to cache nothing at once. */
	KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, 0), 0);
	uma_test_get(test, zone, items, STOCK);
	uma_test_put(zone, items, STOCK);
	KUNIT_EXPECT_EQ(test, stock_out(), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case zcache_cases[] = {
	KUNIT_CASE(zcache_items_come_and_go),
	KUNIT_CASE(zcache_import_is_told_what_is_wanted),
	KUNIT_CASE(zcache_short_imports_will_do),
	KUNIT_CASE(zcache_import_of_nothing_fails),
	KUNIT_CASE(zcache_import_that_lies_is_reported),
	KUNIT_CASE(uma_19_zcache_limit_is_exact),
	KUNIT_CASE(uma_19_zcache_sleepers_are_served_in_order),
	KUNIT_CASE(uma_19_zcache_sleeper_finds_what_is_cached),
	KUNIT_CASE(uma_19_zcache_sleeper_that_gets_nothing),
	KUNIT_CASE(zcache_callbacks_come_in_order),
	KUNIT_CASE(zcache_bad_arguments_are_refused),
	KUNIT_CASE(zcache_has_no_slabs_to_set),
	KUNIT_CASE(zcache_in_use_is_not_destroyed),
	KUNIT_CASE(zcache_gives_back_on_reclaim),
	{}
};

static struct kunit_suite zcache_suite = {
	.name = "zcache",
	.init = zcache_init,
	.exit = zcache_exit,
	.test_cases = zcache_cases,
};

kunit_test_suite(zcache_suite);

MODULE_DESCRIPTION("KUnit: zones that only cache");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
