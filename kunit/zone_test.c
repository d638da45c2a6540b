// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zones: what a caller of uma_zalloc() and uma_zfree() may rely on, and the
 * per-CPU caches behind it.
 *
 * Races are not waited for. The hook of the steering points acts at the very
 * place: between the two looks at a cache, or inside the section, where an
 * interrupt would land.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "uma_test.h"

#define ITEM		64
#define MANY		300

static uma_zone_t steered;
static unsigned int steer_calls;

static uma_zone_t plain_zone(struct kunit *test, const char *name, u32 flags)
{
	uma_zone_t zone = uma_zcreate(name, ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, flags);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	return zone;
}

/* Write a mark of its own into each item, then find every mark again. */
static void expect_own_memory(struct kunit *test, void **items, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		memset(items[i], i + 1, ITEM);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_NULL_MSG(test, memchr_inv(items[i], (u8)(i + 1),
						       ITEM),
				      "item %u shares memory", i);
}

static void zone_items_are_distinct(struct kunit *test)
{
	uma_zone_t zone = plain_zone(test, "zone test", 0);
	void **items = uma_test_items(test, MANY);

	uma_test_get(test, zone, items, MANY);
	expect_own_memory(test, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), MANY);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void zone_m_zero_clears_used_items(struct kunit *test)
{
	uma_zone_t zone = plain_zone(test, "zone test", 0);
	void **items = uma_test_items(test, 40);
	unsigned int i;
	void *item;

	uma_test_get(test, zone, items, 40);
	for (i = 0; i < 40; i++)
		memset(items[i], 0xa5, ITEM);
	uma_test_put(zone, items, 40);
	for (i = 0; i < 40; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT | M_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(items[i], 0, ITEM));
		memset(items[i], 0xa5, ITEM);
	}
	uma_test_put(zone, items, 40);

	/* And out of a slab, past the cache. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	item = uma_zalloc(zone, M_NOWAIT | M_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_EXPECT_NULL(test, memchr_inv(item, 0, ITEM));
	uma_zfree(zone, item);
	uma_zfree(zone, NULL);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* UMA-04 */

/* Give this CPU's cache a life of its own while the caller refills. */
static void fill_cache_hook(enum uma_steer_point point, void *obj)
{
	void *items[40];
	unsigned int i;

	if (point != UMA_STEER_REFILL || obj != steered || steer_calls++)
		return;
	for (i = 0; i < ARRAY_SIZE(items); i++)
		items[i] = uma_zalloc(steered, M_NOWAIT);
	for (i = 0; i < ARRAY_SIZE(items); i++)
		uma_zfree(steered, items[i]);
}

static void uma_04_cache_looked_up_again_after_refill(struct kunit *test)
{
	uma_zone_t zone = plain_zone(test, "uma 04", 0);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;

	steered = zone;
	steer_calls = 0;
	uma_test_steer(fill_cache_hook);
	uma_test_get(test, zone, items, 1);
	uma_test_steer(NULL);
	KUNIT_EXPECT_GT(test, steer_calls, 0);

	/* The bucket of the outer refill and those of the inner are all there. */
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, 41);
	KUNIT_EXPECT_EQ(test, t.frees, 40);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free + 1,
			uma_keg_items_out(zone->uz_keg));

	uma_test_get(test, zone, items + 1, MANY - 1);
	expect_own_memory(test, items, MANY);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The same on the way in: other frees fill the cache that was full. */
static void *more_to_free[100];

static void free_more_hook(enum uma_steer_point point, void *obj)
{
	unsigned int i;

	if (point != UMA_STEER_REFILL || obj != steered || steer_calls++)
		return;
	for (i = 0; i < ARRAY_SIZE(more_to_free); i++)
		uma_zfree(steered, more_to_free[i]);
}

static void uma_04_cache_looked_up_again_on_free(struct kunit *test)
{
	uma_zone_t zone = plain_zone(test, "uma 04", 0);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;

	uma_test_get(test, zone, more_to_free, ARRAY_SIZE(more_to_free));
	uma_test_get(test, zone, items, MANY);
	steered = zone;
	steer_calls = 0;
	uma_test_steer(free_more_hook);
	uma_test_put(zone, items, MANY);
	uma_test_steer(NULL);
	KUNIT_EXPECT_GT(test, steer_calls, 0);

	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.frees, MANY + ARRAY_SIZE(more_to_free));
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free,
			uma_keg_items_out(zone->uz_keg));
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static unsigned int move_to;
static struct uma_cache left_behind;

static void move_hook(enum uma_steer_point point, void *obj)
{
	unsigned int here = raw_smp_processor_id();

	if (point != UMA_STEER_REFILL || obj != steered || steer_calls++)
		return;
	set_cpus_allowed_ptr(current, cpumask_of(move_to));
	left_behind = *per_cpu_ptr(steered->uz_cpu, here);
}

static void uma_04_thread_moves_during_refill(struct kunit *test)
{
	unsigned int here = raw_smp_processor_id();
	void **items = uma_test_items(test, MANY);
	struct uma_cache *c;
	uma_zone_t zone;
	void *item;

	move_to = uma_test_other_cpu(test);
	zone = plain_zone(test, "uma 04", 0);
	steered = zone;
	steer_calls = 0;
	uma_test_steer(move_hook);
	item = uma_zalloc(zone, M_WAITOK);
	uma_test_steer(NULL);
	KUNIT_EXPECT_GT(test, steer_calls, 0);
	KUNIT_EXPECT_EQ(test, raw_smp_processor_id(), move_to);
	KUNIT_ASSERT_NOT_NULL(test, item);

	c = per_cpu_ptr(zone->uz_cpu, here);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(c, &left_behind, sizeof(*c)), 0,
			    "the cache of the CPU that was left has changed");
	c = per_cpu_ptr(zone->uz_cpu, move_to);
	KUNIT_EXPECT_NOT_NULL(test, c->uc_loaded);
	KUNIT_EXPECT_EQ(test, c->uc_allocs + zone->uz_allocs, 1);
	uma_zfree(zone, item);

	/* And on the way in. */
	uma_test_get(test, zone, items, MANY);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	move_to = here;
	steer_calls = 0;
	uma_test_steer(move_hook);
	uma_test_put(zone, items, MANY);
	uma_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, raw_smp_processor_id(), here);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* What an interrupt does that lands in the section. */
static struct {
	unsigned int landed;
	unsigned int changed;
	unsigned int refused;
	struct irq_work work;
	bool done;
} intruder;

static void intrude(void)
{
	struct uma_cache *c = raw_cpu_ptr(steered->uz_cpu);
	struct uma_cache before = *c;
	void *item = uma_zalloc(steered, M_NOWAIT);

	if (item)
		uma_zfree(steered, item);
	else
		intruder.refused++;
	if (memcmp(&before, c, sizeof(before)))
		intruder.changed++;
	intruder.landed++;
}

static void intrude_irq(struct irq_work *work)
{
	intrude();
	WRITE_ONCE(intruder.done, true);
}

static void section_hook(enum uma_steer_point point, void *obj)
{
	if (point == UMA_STEER_SECTION && obj == steered)
		intrude();
}

static void section_irq_hook(enum uma_steer_point point, void *obj)
{
	unsigned int patience = 100000;

	if (point != UMA_STEER_SECTION || obj != steered)
		return;
	WRITE_ONCE(intruder.done, false);
	irq_work_queue(&intruder.work);
	while (!READ_ONCE(intruder.done) && --patience)
		cpu_relax();
}

/*
 * Every section that the slow paths have, with an intruder in each: caches
 * that are empty, have a bucket to swap, are full, and a constructor's count.
 */
static void intruded_traffic(struct kunit *test, uma_steer_fn hook)
{
	uma_zone_t zone = plain_zone(test, "uma 04", 0);
	void **items = uma_test_items(test, MANY);
	unsigned int round, landed;

	steered = zone;
	memset(&intruder, 0, sizeof(intruder));
	init_irq_work(&intruder.work, intrude_irq);
	for (round = 0; round < 3; round++) {
		landed = intruder.landed;
		uma_test_steer(hook);
		uma_test_get(test, zone, items, MANY);
		uma_test_steer(NULL);
		KUNIT_EXPECT_GT(test, intruder.landed, landed);
		expect_own_memory(test, items, MANY);
		if (round == 1)
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		uma_test_steer(hook);
		uma_test_put(zone, items, MANY);
		uma_test_steer(NULL);
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	}
	irq_work_sync(&intruder.work);
	KUNIT_EXPECT_EQ(test, intruder.changed, 0);
	KUNIT_EXPECT_EQ(test, intruder.refused, 0);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).allocs,
			3 * MANY + intruder.landed);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_04_intruder_in_section(struct kunit *test)
{
	intruded_traffic(test, section_hook);
}

static void uma_04_hard_interrupt_in_section(struct kunit *test)
{
	if (!arch_irq_work_has_interrupt())
		kunit_skip(test, "no interrupt on demand here");
	intruded_traffic(test, section_irq_hook);
}

/* UMA-12: what constructors and initialisers are told, and may do */

static struct {
	int flags;
	unsigned int calls;
	unsigned int undone;
	unsigned int fail_at;	/* the call that fails, counted from 1 */
	bool fail_all;		/* every call */
	void *failed;
} ctor, init, zinit;

static void forget_calls(void)
{
	memset(&ctor, 0, sizeof(ctor));
	memset(&init, 0, sizeof(init));
	memset(&zinit, 0, sizeof(zinit));
}

static int test_ctor(void *mem, int size, void *arg, int flags)
{
	ctor.flags = flags;
	if (++ctor.calls == ctor.fail_at) {
		ctor.failed = mem;
		return -EIO;
	}
	if (arg)
		*(void **)mem = arg;
	return 0;
}

static void test_dtor(void *mem, int size, void *arg)
{
	ctor.undone++;
}

static int test_init(void *mem, int size, int flags)
{
	init.flags = flags;
	if (++init.calls == init.fail_at || init.fail_all) {
		init.failed = mem;
		return -EIO;
	}
	return 0;
}

static void test_fini(void *mem, int size)
{
	init.undone++;
}

static int test_zinit(void *mem, int size, int flags)
{
	zinit.flags = flags;
	if (++zinit.calls == zinit.fail_at) {
		zinit.failed = mem;
		return -EIO;
	}
	return 0;
}

static void test_zfini(void *mem, int size)
{
	zinit.undone++;
}

static uma_zone_t ctor_zone(struct kunit *test, u32 flags)
{
	uma_zone_t zone;

	forget_calls();
	zone = uma_zcreate("uma 12", ITEM, test_ctor, test_dtor, test_init,
			   flags & UMA_ZONE_NOFREE ? NULL : test_fini,
			   UMA_ALIGN_PTR, flags);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	KUNIT_ASSERT_EQ(test, uma_zone_set_zinit(zone, test_zinit), 0);
	KUNIT_ASSERT_EQ(test, uma_zone_set_zfini(zone, test_zfini), 0);
	return zone;
}

static void uma_12_callbacks_are_told_whether_they_may_sleep(struct kunit *test)
{
	static const int how[] = { M_NOWAIT, M_WAITOK };
	unsigned int i;
	void *item;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		uma_zone_t zone = ctor_zone(test, 0);

		item = uma_zalloc_arg(zone, &ctor, how[i] | M_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, item);
		KUNIT_EXPECT_EQ(test, ctor.flags, how[i]);
		KUNIT_EXPECT_EQ(test, init.flags, how[i]);
		KUNIT_EXPECT_EQ(test, zinit.flags, how[i]);
		KUNIT_EXPECT_PTR_EQ(test, *(void **)item, (void *)&ctor);
		uma_zfree(zone, item);
		KUNIT_EXPECT_EQ(test, ctor.undone, 1);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		KUNIT_EXPECT_EQ(test, init.undone, init.calls);
		KUNIT_EXPECT_EQ(test, zinit.undone, zinit.calls);
	}
}

static void uma_12_failing_ctor_fails_the_allocation(struct kunit *test)
{
	uma_zone_t zone = ctor_zone(test, 0);
	struct uma_test_totals t;
	void *item;

	ctor.fail_at = 1;
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_WAITOK));
	ctor.fail_at = 2;
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, 0);
	KUNIT_EXPECT_EQ(test, t.frees, 0);
	KUNIT_EXPECT_EQ(test, t.fails, 2);
	KUNIT_EXPECT_EQ(test, ctor.undone, 0);

	/* The item that the constructor refused serves the next caller. */
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_PTR_EQ(test, item, ctor.failed);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_12_failing_init_gives_the_slab_back(struct kunit *test)
{
	static const int how[] = { M_NOWAIT, M_WAITOK };
	uma_zone_t zone = ctor_zone(test, 0);
	unsigned int i;
	void *item;

	init.fail_all = true;
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, how[i]));
		KUNIT_EXPECT_EQ(test, init.flags, how[i]);
		KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
		KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails, i + 1);
	}
	KUNIT_EXPECT_EQ(test, init.undone, 0);

	/* In the middle of a slab: those before it are undone. */
	init.fail_all = false;
	init.fail_at = init.calls + 5;
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, 1), -ECANCELED);
	KUNIT_EXPECT_EQ(test, init.undone, 4);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, ctor.calls, 0);
	KUNIT_EXPECT_EQ(test, uma_test_free_pages(), (unsigned long)test->priv);

	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Whether any slot of this CPU's buckets names @item. */
static bool cache_names(uma_zone_t zone, const void *item)
{
	struct uma_bucket *b[2];
	bool found = false;
	unsigned int i, k;

	preempt_disable();
	b[0] = raw_cpu_ptr(zone->uz_cpu)->uc_loaded;
	b[1] = raw_cpu_ptr(zone->uz_cpu)->uc_spare;
	for (k = 0; k < 2; k++)
		for (i = 0; b[k] && i < b[k]->ub_entries; i++)
			found |= b[k]->ub_item[i] == item;
	preempt_enable();
	return found;
}

static void uma_12_failing_zinit_clears_the_bucket(struct kunit *test)
{
	uma_zone_t zone = ctor_zone(test, 0);
	struct uma_test_totals t;
	void *item;

	zinit.fail_at = 6;
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_ASSERT_NOT_NULL(test, zinit.failed);
	/* Five were made ready; the sixth and all after it are in the slab. */
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 4);
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), 5);
	KUNIT_EXPECT_FALSE(test, cache_names(zone, zinit.failed));
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, zinit.undone, 5);
}

/* Past the cache a single item is had, as by an interrupt in the section. */
static void *single;

static void single_hook(enum uma_steer_point point, void *obj)
{
	if (point != UMA_STEER_SECTION || obj != steered || steer_calls++)
		return;
	zinit.fail_at = zinit.calls + 1;
	single = uma_zalloc(steered, M_NOWAIT);
}

static void uma_12_failing_zinit_of_a_single_item(struct kunit *test)
{
	uma_zone_t zone = ctor_zone(test, 0);
	struct uma_test_totals t;
	void *item;

	steered = zone;
	steer_calls = 0;
	single = zone;
	uma_test_steer(single_hook);
	item = uma_zalloc(zone, M_NOWAIT);
	uma_test_steer(NULL);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_EXPECT_NULL(test, single);
	KUNIT_EXPECT_NOT_NULL(test, zinit.failed);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.fails, 1);
	KUNIT_EXPECT_EQ(test, t.allocs, 1);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free + 1,
			uma_keg_items_out(zone->uz_keg));
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, zinit.undone + 1, zinit.calls);
}

/* UMA-22 */

#define MAGIC	0x7ab1e5ab1e5UL

static int stable_init(void *mem, int size, int flags)
{
	*(unsigned long *)mem = MAGIC;
	init.calls++;
	return 0;
}

static void stable_dtor(void *mem, int size, void *arg)
{
	/* What must hold at each free is checked here, since fini never runs. */
	if (*(unsigned long *)mem != MAGIC)
		ctor.fail_at++;
	ctor.undone++;
}

static void stable_fini(void *mem, int size)
{
	init.undone++;
}

static void uma_22_state_survives_free_and_reuse(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	unsigned int i, round, made;
	uma_zone_t zone;

	forget_calls();
	zone = uma_zcreate("uma 22", ITEM, test_ctor, stable_dtor, stable_init,
			   NULL, UMA_ALIGN_PTR, UMA_ZONE_NOFREE);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	uma_test_get(test, zone, items, MANY);
	made = init.calls;
	KUNIT_EXPECT_GE(test, made, MANY);
	uma_test_put(zone, items, MANY);
	for (round = 0; round < 5; round++) {
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		uma_test_get(test, zone, items, MANY);
		for (i = 0; i < MANY; i++)
			KUNIT_ASSERT_EQ(test, *(unsigned long *)items[i],
					MAGIC);
		uma_test_put(zone, items, MANY);
	}
	/* Constructed and destructed each time, initialised once. */
	KUNIT_EXPECT_EQ(test, init.calls, made);
	KUNIT_EXPECT_EQ(test, ctor.calls, 6 * MANY);
	KUNIT_EXPECT_EQ(test, ctor.undone, 6 * MANY);
	KUNIT_EXPECT_EQ(test, ctor.fail_at, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_22_fini_never_runs_in_a_nofree_zone(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	u32 pages, made;
	uma_zone_t zone;

	forget_calls();
	pr_info("uma-expect-begin: zone \"uma 22\" never frees .* fini will not run\n");
	zone = uma_zcreate("uma 22", ITEM, NULL, NULL, stable_init, stable_fini,
			   UMA_ALIGN_PTR, UMA_ZONE_NOFREE);
	pr_info("uma-expect-end\n");
	KUNIT_ASSERT_NOT_NULL(test, zone);
	uma_test_get(test, zone, items, MANY);
	pages = uma_keg_pages(zone->uz_keg);
	made = init.calls;
	uma_test_put(zone, items, MANY);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), pages);
	KUNIT_EXPECT_EQ(test, init.undone, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, init.undone, 0);
	KUNIT_EXPECT_EQ(test, init.calls, made);

	/* Set later, it is refused. */
	zone = plain_zone(test, "uma 22", UMA_ZONE_NOFREE);
	pr_info("uma-expect-begin: cannot set fini of zone \"uma 22\"\n");
	KUNIT_EXPECT_EQ(test, uma_zone_set_fini(zone, stable_fini), -EINVAL);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* UMA-23: the end of a zone */

static void uma_23_zone_in_use_refuses_destruction(struct kunit *test)
{
	uma_zone_t zone = plain_zone(test, "uma 23", 0);
	void **items = uma_test_items(test, MANY);
	unsigned int count = uma_zone_list_count();

	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items + 1, MANY - 1);
	*(unsigned long *)items[0] = MAGIC;
	pr_info("uma-expect-begin: cannot destroy zone \"uma 23\": 1 items are in use\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), -EBUSY);
	pr_info("uma-expect-end\n");

	/* Nothing is lost, and the zone works on. */
	KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count);
	KUNIT_EXPECT_EQ(test, *(unsigned long *)items[0], MAGIC);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1);
	uma_test_get(test, zone, items + 1, MANY - 1);
	expect_own_memory(test, items, MANY);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_list_count(), count - 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(NULL), 0);
}

static struct kunit_case zone_cases[] = {
	KUNIT_CASE(zone_items_are_distinct),
	KUNIT_CASE(zone_m_zero_clears_used_items),
	KUNIT_CASE(uma_04_cache_looked_up_again_after_refill),
	KUNIT_CASE(uma_04_cache_looked_up_again_on_free),
	KUNIT_CASE(uma_04_thread_moves_during_refill),
	KUNIT_CASE(uma_04_intruder_in_section),
	KUNIT_CASE(uma_04_hard_interrupt_in_section),
	KUNIT_CASE(uma_12_callbacks_are_told_whether_they_may_sleep),
	KUNIT_CASE(uma_12_failing_ctor_fails_the_allocation),
	KUNIT_CASE(uma_12_failing_init_gives_the_slab_back),
	KUNIT_CASE(uma_12_failing_zinit_clears_the_bucket),
	KUNIT_CASE(uma_12_failing_zinit_of_a_single_item),
	KUNIT_CASE(uma_22_state_survives_free_and_reuse),
	KUNIT_CASE(uma_22_fini_never_runs_in_a_nofree_zone),
	KUNIT_CASE(uma_23_zone_in_use_refuses_destruction),
	{}
};

static struct kunit_suite zone_suite = {
	.name = "zone",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = zone_cases,
};

kunit_test_suite(zone_suite);

MODULE_DESCRIPTION("KUnit: zones and their per-CPU caches");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
