// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that go while somebody else is about. A CPU's items are handed back by a
 * callback of the kernel's hot-plug. Ours here is set up later, so it runs
 * earlier: the CPU is dead, what it cached is still in its cache, and what a
 * case starts at this moment meets just that.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include "uma_test.h"

#define ITEM		400
/* Long enough for anybody who was woken. */
#define PATIENCE	(10 * HZ)

/**
 * struct visit - what happens between a CPU's death and its funeral
 * @cpu: the CPU
 * @zone: of which it caches items
 * @fn: what a thread of its own does then
 * @reached: whether that thread has come to where it waits for the CPU's items
 * @cached: items that the CPU had in its cache at that moment
 * @in_time: @reached came before the callback went on
 * @task: the thread
 * @done: it has ended
 * @item: what it allocated
 * @result: what it was told
 */
static struct visit {
	unsigned int cpu;
	uma_zone_t zone;
	int (*fn)(void *arg);
	bool (*reached)(void);
	u32 cached;
	bool in_time;
	struct task_struct *task;
	struct completion done;
	void *item;
	int result;
} visit;

static int between(unsigned int cpu)
{
	struct uma_cache *c = per_cpu_ptr(visit.zone->uz_cpu, visit.cpu);
	unsigned long end = jiffies + PATIENCE;

	if (cpu != visit.cpu || visit.task)
		return 0;
	visit.cached = READ_ONCE(c->uc_cnt) + READ_ONCE(c->uc_spare_cnt);
	visit.task = kthread_run(visit.fn, NULL, "uma_test_visit");
	if (IS_ERR(visit.task))
		return 0;
	while (!visit.reached() && time_before(jiffies, end))
		msleep(20);
	visit.in_time = visit.reached();
	/* and until it is where it wants to go next */
	msleep(50);
	return 0;
}

/* Cache items of the zone on the CPU, take that away, and see who was there. */
static void take_away(struct kunit *test, unsigned int here)
{
	long state;

	state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "uma:test",
					  NULL, between);
	KUNIT_ASSERT_GT(test, state, 0);
	set_cpus_allowed_ptr(current, cpumask_of(here));
	init_completion(&visit.done);
	visit.task = NULL;
	KUNIT_EXPECT_EQ(test, remove_cpu(visit.cpu), 0);
	cpuhp_remove_state_nocalls(state);
	KUNIT_EXPECT_GT_MSG(test, visit.cached, 0, "the items had gone before");
	KUNIT_EXPECT_TRUE(test, visit.in_time);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(visit.task));
	KUNIT_EXPECT_GT_MSG(test,
			    wait_for_completion_timeout(&visit.done, PATIENCE),
			    0, "it waits for a CPU that has gone");
	KUNIT_EXPECT_EQ(test, add_cpu(visit.cpu), 0);
}

/* A CPU to take away, which cannot be the first; returns one to stay on. */
static unsigned int choose_cpus(struct kunit *test)
{
	unsigned int here = raw_smp_processor_id();

	visit.cpu = uma_test_other_cpu(test);
	if (!visit.cpu)
		swap(visit.cpu, here);
	return here;
}

static int take_one(void *arg)
{
	visit.item = uma_zalloc(visit.zone, M_WAITOK);
	kthread_complete_and_exit(&visit.done, 0);
}

static bool sleeps(void)
{
	return READ_ONCE(visit.zone->uz_sleeps) > 0;
}

/*
 * All that the limit allows is cached by a CPU that is dead, and who looks for
 * it skips that CPU.
 */
static void uma_13_sleeper_is_served_by_a_cpu_that_goes(struct kunit *test)
{
	unsigned int here = choose_cpus(test);
	int i, max;
	void **items;

	visit.zone = uma_test_zone(test, "hotplug", ITEM, 0);
	max = uma_zone_set_max(visit.zone, 1);
	KUNIT_ASSERT_GT(test, max, 0);
	items = uma_test_items(test, max);
	set_cpus_allowed_ptr(current, cpumask_of(visit.cpu));
	for (i = 0; i < max; i++) {
		items[i] = uma_zalloc(visit.zone, M_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, items[i]);
	}
	for (i = 0; i < max; i++)
		uma_zfree(visit.zone, items[i]);
	visit.fn = take_one;
	visit.reached = sleeps;
	visit.item = NULL;
	take_away(test, here);
	KUNIT_EXPECT_NOT_NULL(test, visit.item);
	uma_zfree(visit.zone, visit.item);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(visit.zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(visit.zone), 0);
}

static int destroy(void *arg)
{
	visit.result = uma_zdestroy(visit.zone);
	kthread_complete_and_exit(&visit.done, 0);
}

static bool hidden(void)
{
	return !refcount_read(&visit.zone->uz_pins);
}

/* Cache some on the CPU, keep @out out of them. */
static void fill_cache(struct kunit *test, void **items, unsigned int n,
		       unsigned int out)
{
	visit.zone = uma_test_zone(test, "hotplug", ITEM, 0);
	set_cpus_allowed_ptr(current, cpumask_of(visit.cpu));
	uma_test_get(test, visit.zone, items, n);
	uma_test_put(visit.zone, items + out, n - out);
	visit.fn = destroy;
	visit.reached = hidden;
	visit.result = 1;
}

/*
 * A zone that is being destroyed is on no list, so the CPU that goes does not
 * find it. Who destroys it must look. That no page is lost is seen at the end.
 */
static void uma_23_zone_goes_while_a_cpu_goes(struct kunit *test)
{
	void **items = uma_test_items(test, 100);
	unsigned int here = choose_cpus(test);

	fill_cache(test, items, 100, 0);
	take_away(test, here);
	KUNIT_EXPECT_EQ(test, visit.result, 0);
}

/* The same with an item out: the zone stays, nothing cached by the dead. */
static void uma_23_zone_stays_while_a_cpu_goes(struct kunit *test)
{
	void **items = uma_test_items(test, 100);
	unsigned int here = choose_cpus(test);
	struct uma_test_totals t;

	fill_cache(test, items, 100, 1);
	pr_info("uma-expect-begin: cannot destroy zone \"hotplug\"\n");
	take_away(test, here);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, visit.result, -EBUSY);
	t = uma_test_totals(test, visit.zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free, 0);
	KUNIT_EXPECT_EQ(test, t.allocs, 100);
	KUNIT_EXPECT_EQ(test, t.frees, 99);
	uma_zfree(visit.zone, items[0]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(visit.zone), 0);
}

static struct kunit_case hotplug_cases[] = {
	KUNIT_CASE(uma_13_sleeper_is_served_by_a_cpu_that_goes),
	KUNIT_CASE(uma_23_zone_goes_while_a_cpu_goes),
	KUNIT_CASE(uma_23_zone_stays_while_a_cpu_goes),
	{}
};

static struct kunit_suite hotplug_suite = {
	.name = "hotplug",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = hotplug_cases,
};

kunit_test_suite(hotplug_suite);

MODULE_DESCRIPTION("KUnit: CPUs that go while somebody else is about");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
