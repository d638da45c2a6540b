// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zones whose items have a copy for each CPU: UMA_ZONE_PCPU.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kasan.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "uma_test.h"

#define ITEM		40
#define MANY		250

static uma_zone_t pcpu_zone(struct kunit *test, size_t size, u32 flags)
{
	return uma_test_zone(test, "pcpu", size, UMA_ZONE_PCPU | flags);
}

static void pcpu_copies_are_a_page_apart(struct kunit *test)
{
	uma_zone_t zone = pcpu_zone(test, ITEM, 0);
	void *mine, *item = uma_zalloc_pcpu(zone, M_WAITOK);
	unsigned int cpu;

	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_EXPECT_PTR_EQ(test, zpcpu_get_cpu(item, 0), item);
	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_PTR_EQ(test, zpcpu_get_cpu(item, cpu),
				    item + cpu * UMA_PCPU_ALLOC_SIZE);
	preempt_disable();
	mine = zpcpu_get(item);
	preempt_enable();
	/* The case stays where it is. */
	KUNIT_EXPECT_PTR_EQ(test, mine,
			    zpcpu_get_cpu(item, raw_smp_processor_id()));
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), nr_cpu_ids);
	uma_zfree_pcpu(zone, item);
	uma_zfree_pcpu(zone, NULL);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static u8 mark(unsigned int item, unsigned int cpu)
{
	return 1 + item * 7 + cpu * 31;
}

/* Every copy of every item is memory of its own, all of its size. */
static void pcpu_copies_are_disjoint(struct kunit *test)
{
	static const size_t sizes[] = { 1, 8, ITEM, 100, 1000, 2048, PAGE_SIZE };
	static const u32 flags[] = { 0, UMA_ZONE_NOFREE, UMA_ZONE_REFCNT,
				     UMA_ZONE_ZINIT, UMA_ZONE_OFFPAGE,
				     UMA_ZONE_CONTIG, UMA_ZONE_MINBUCKET };
	void **items = uma_test_items(test, MANY);
	unsigned int s, i, n, cpu, bad = 0;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		uma_zone_t zone = pcpu_zone(test, sizes[s], flags[s]);

		n = sizes[s] > 1000 ? 10 : MANY;
		for (i = 0; i < n; i++) {
			items[i] = uma_zalloc_pcpu(zone, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, items[i]);
			for_each_possible_cpu(cpu)
				memset(zpcpu_get_cpu(items[i], cpu),
				       mark(i, cpu), sizes[s]);
		}
		for (i = 0; i < n; i++)
			for_each_possible_cpu(cpu)
				bad += !!memchr_inv(zpcpu_get_cpu(items[i],
								  cpu),
						    mark(i, cpu), sizes[s]);
		KUNIT_EXPECT_EQ_MSG(test, bad, 0, "size %zu", sizes[s]);
		for (i = 0; i < n; i++)
			uma_zfree_pcpu(zone, items[i]);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

static void pcpu_m_zero_clears_all_copies(struct kunit *test)
{
	uma_zone_t zone = pcpu_zone(test, ITEM, 0);
	void **items = uma_test_items(test, MANY);
	unsigned int i, round, cpu, bad = 0;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < MANY; i++) {
			items[i] = uma_zalloc_pcpu(zone, M_NOWAIT | M_ZERO);
			KUNIT_ASSERT_NOT_NULL(test, items[i]);
			for_each_possible_cpu(cpu) {
				void *copy = zpcpu_get_cpu(items[i], cpu);

				bad += !!memchr_inv(copy, 0, ITEM);
				memset(copy, 0xa5, ITEM);
			}
		}
		for (i = 0; i < MANY; i++)
			uma_zfree_pcpu(zone, items[i]);
		/* And by the way of the slabs, and of bulk. */
		if (round)
			uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	}
	KUNIT_ASSERT_EQ(test, uma_zalloc_bulk(zone, items, MANY,
					      M_NOWAIT | M_ZERO), MANY);
	for (i = 0; i < MANY; i++)
		for_each_possible_cpu(cpu)
			bad += !!memchr_inv(zpcpu_get_cpu(items[i], cpu), 0,
					    ITEM);
	uma_zfree_bulk(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void pcpu_zinit_clears_all_copies(struct kunit *test)
{
	uma_zone_t zone = pcpu_zone(test, ITEM, 0), zeroed;
	void **items = uma_test_items(test, MANY);
	unsigned int i, cpu, bad = 0;

	/* Leave dirty pages in the pool. */
	uma_test_get(test, zone, items, MANY);
	for (i = 0; i < MANY; i++)
		for_each_possible_cpu(cpu)
			memset(zpcpu_get_cpu(items[i], cpu), 0xa5, ITEM);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	zeroed = pcpu_zone(test, ITEM, UMA_ZONE_ZINIT);
	uma_test_get(test, zeroed, items, MANY);
	for (i = 0; i < MANY; i++)
		for_each_possible_cpu(cpu)
			bad += !!memchr_inv(zpcpu_get_cpu(items[i], cpu), 0,
					    ITEM);
	uma_test_put(zeroed, items, MANY);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zeroed), 0);
}

/* What it is for: each CPU counts in its copy, and the sum is exact. */
#define COUNTS	2000

struct counter {
	u64 *base;
	struct completion done;
};

static int counter_fn(void *arg)
{
	struct counter *c = arg;
	unsigned int i;

	for (i = 0; i < COUNTS; i++) {
		preempt_disable();
		++*(u64 *)zpcpu_get(c->base);
		preempt_enable();
	}
	kthread_complete_and_exit(&c->done, 0);
}

static void pcpu_each_cpu_counts_for_itself(struct kunit *test)
{
	uma_zone_t zone = pcpu_zone(test, sizeof(u64), 0);
	struct counter *c = kunit_kcalloc(test, nr_cpu_ids, sizeof(*c),
					  GFP_KERNEL);
	unsigned int cpu;
	u64 *base;

	KUNIT_ASSERT_NOT_NULL(test, c);
	base = uma_zalloc_pcpu(zone, M_WAITOK | M_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, base);
	for_each_online_cpu(cpu) {
		struct task_struct *task;

		c[cpu].base = base;
		init_completion(&c[cpu].done);
		task = kthread_create(counter_fn, &c[cpu], "uma_test_counter");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
	for_each_online_cpu(cpu)
		wait_for_completion(&c[cpu].done);
	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_EQ(test, *(u64 *)zpcpu_get_cpu(base, cpu),
				cpu_online(cpu) ? COUNTS : 0);
	uma_zfree_pcpu(zone, base);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static unsigned int ctors, dtors, inits, finis;
static void *last_arg;

static int some_ctor(void *mem, int size, void *arg, int flags)
{
	ctors += size == ITEM;
	last_arg = arg;
	return 0;
}

static void some_dtor(void *mem, int size, void *arg)
{
	dtors += size == ITEM;
	last_arg = arg;
}

static int some_init(void *mem, int size, int flags)
{
	inits++;
	return 0;
}

static void some_fini(void *mem, int size)
{
	finis++;
}

/* Once an item, not once a copy, with the first copy. */
static void pcpu_callbacks_run_once_an_item(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("pcpu", ITEM, some_ctor, some_dtor,
				      some_init, some_fini, UMA_ALIGN_PTR,
				      UMA_ZONE_PCPU);
	u32 ipers;
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	ipers = zone->uz_keg->uk_layout.ipers;
	ctors = 0;
	dtors = 0;
	inits = 0;
	finis = 0;
	item = uma_zalloc_pcpu_arg(zone, &ctors, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_EXPECT_PTR_EQ(test, last_arg, (void *)&ctors);
	KUNIT_EXPECT_EQ(test, ctors, 1);
	KUNIT_EXPECT_EQ(test, inits, ipers);
	uma_zfree_pcpu_arg(zone, item, &dtors);
	KUNIT_EXPECT_PTR_EQ(test, last_arg, (void *)&dtors);
	KUNIT_EXPECT_EQ(test, dtors, 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, finis, ipers);
}

/* Limits are of items, of which a slab has as many as a page. */
static void pcpu_limit_is_of_items(struct kunit *test)
{
	uma_zone_t zone = pcpu_zone(test, 1000, 0);
	u32 ipers = zone->uz_keg->uk_layout.ipers;
	void **items = uma_test_items(test, 2 * ipers);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ipers, 4);
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, ipers + 1), 2 * ipers);
	uma_test_get(test, zone, items, 2 * ipers);
	KUNIT_EXPECT_NULL(test, uma_zalloc_pcpu(zone, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 2 * nr_cpu_ids);
	for (i = 0; i < 2 * ipers; i++)
		uma_zfree_pcpu(zone, items[i]);
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* KASAN */

/*
 * What KASAN looks at when somebody reads @p; to read it in earnest would, with the
 * report, also turn lockdep off for all that comes after.
 */
static bool kasan_would_report(void *p)
{
#if IS_ENABLED(CONFIG_KASAN_GENERIC) && !IS_ENABLED(CONFIG_UML)
	return READ_ONCE(*(s8 *)kasan_mem_to_shadow(p)) < 0;
#else
	return false;
#endif
}

/* From its first byte to its last, the copies of all CPUs. */
static void expect_reports(struct kunit *test, void *item, bool reports)
{
	unsigned int cpu, i;

	for_each_possible_cpu(cpu)
		for (i = 0; i < ITEM; i += 8)
			KUNIT_EXPECT_EQ_MSG(test, reports,
					    kasan_would_report(zpcpu_get_cpu(item, cpu) + i),
					    "CPU %u, byte %u", cpu, i);
}

static void pcpu_use_after_free_is_seen_in_any_copy(struct kunit *test)
{
	void *item, *other;
	uma_zone_t zone;

	if (!IS_ENABLED(CONFIG_KASAN_GENERIC) || IS_ENABLED(CONFIG_UML))
		kunit_skip(test, "needs KASAN");
	zone = pcpu_zone(test, ITEM, 0);
	item = uma_zalloc_pcpu(zone, M_NOWAIT);
	other = uma_zalloc_pcpu(zone, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_ASSERT_NOT_NULL(test, other);
	expect_reports(test, item, false);
	uma_zfree_pcpu(zone, item);
	expect_reports(test, item, true);
	expect_reports(test, other, false);
	/* In its slab as well as in a cache; that of the other one stays. */
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	expect_reports(test, item, true);
	expect_reports(test, other, false);
	uma_zfree_pcpu(zone, other);
	/* Pages that have left are not ours to mark. */
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	expect_reports(test, item, false);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* What is refused */

static void pcpu_calls_on_another_zone_are_refused(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "no pcpu", ITEM, 0);
	void *item = uma_zalloc(zone, M_NOWAIT);

	KUNIT_ASSERT_NOT_NULL(test, item);
	pr_info("uma-expect-begin: uma: zone no pcpu has no copies for CPUs\n");
	KUNIT_EXPECT_NULL(test, uma_zalloc_pcpu(zone, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_zalloc_pcpu(zone, M_WAITOK));
	uma_zfree_pcpu(zone, item);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void try_create(struct kunit *test, size_t size, u32 flags)
{
	pr_info("uma-expect-begin: uma: cannot create zone \"pcpu\"\n");
	KUNIT_EXPECT_NULL_MSG(test, uma_zcreate("pcpu", size, NULL, NULL, NULL,
						NULL, UMA_ALIGN_PTR,
						UMA_ZONE_PCPU | flags),
			      "size %zu, flags %#x", size, flags);
	pr_info("uma-expect-end\n");
}

static void *some_allocf(uma_zone_t zone, vm_size_t size, u8 *pflag, int wait)
{
	return NULL;
}

static void pcpu_bad_arguments_are_refused(struct kunit *test)
{
	uma_zone_t zone;

	try_create(test, 0, 0);
	try_create(test, PAGE_SIZE + 1, 0);
	try_create(test, SIZE_MAX, 0);
	try_create(test, ITEM, UMA_ZONE_CACHESPREAD);
	try_create(test, ITEM, UMA_ZONE_SECONDARY);
	zone = pcpu_zone(test, ITEM, 0);
	/* Its pages must be neighbours, and the pool's. */
	KUNIT_EXPECT_EQ(test, uma_zone_set_allocf(zone, some_allocf), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, 10), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A copy that is not the first is no item. */
static void pcpu_free_of_another_copy_is_refused(struct kunit *test)
{
	uma_zone_t zone;
	void *item;

	if (nr_cpu_ids < 2)
		kunit_skip(test, "needs a second CPU");
	zone = pcpu_zone(test, ITEM, 0);
	item = uma_zalloc_pcpu(zone, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, item);
	uma_zone_set_maxcache(zone, 0);
	/* Another suite's refusals may just have used up what is printed. */
	schedule_timeout_uninterruptible(DEFAULT_RATELIMIT_INTERVAL + 1);
	pr_info("uma-expect-begin: uma: zone \"pcpu\": free of .* refused: an address behind the last item\n");
	uma_zfree_pcpu(zone, zpcpu_get_cpu(item, 1));
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1);
	uma_zfree_pcpu(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case pcpu_cases[] = {
	KUNIT_CASE(pcpu_copies_are_a_page_apart),
	KUNIT_CASE(pcpu_copies_are_disjoint),
	KUNIT_CASE(pcpu_m_zero_clears_all_copies),
	KUNIT_CASE(pcpu_zinit_clears_all_copies),
	KUNIT_CASE(pcpu_each_cpu_counts_for_itself),
	KUNIT_CASE(pcpu_callbacks_run_once_an_item),
	KUNIT_CASE(pcpu_limit_is_of_items),
	KUNIT_CASE(pcpu_use_after_free_is_seen_in_any_copy),
	KUNIT_CASE(pcpu_calls_on_another_zone_are_refused),
	KUNIT_CASE(pcpu_bad_arguments_are_refused),
	KUNIT_CASE(pcpu_free_of_another_copy_is_refused),
	{}
};

static struct kunit_suite pcpu_suite = {
	.name = "pcpu",
	.init = uma_test_still_init,
	.exit = uma_test_still_exit,
	.test_cases = pcpu_cases,
};

kunit_test_suite(pcpu_suite);

MODULE_DESCRIPTION("KUnit: items with a copy for each CPU");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
