// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contexts: M_NOWAIT and free work everywhere but in an NMI, and M_WAITOK where
 * it is forbidden to sleep is reported and yet does its work.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/string.h>

#include "in_context.h"
#include "uma_test.h"

#define ITEM		64
#define BATCH		150

/* What each context does: get, mark, check, free, more than a bucket's worth. */
static struct {
	uma_zone_t zone;
	void *item[BATCH];
	unsigned int refused;
	unsigned int spoilt;
} job;

static void do_job(void)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		job.item[i] = uma_zalloc(job.zone, M_NOWAIT);
		if (job.item[i])
			memset(job.item[i], i, ITEM);
		else
			job.refused++;
	}
	for (i = 0; i < BATCH; i++) {
		if (!job.item[i])
			continue;
		if (memchr_inv(job.item[i], (u8)i, ITEM))
			job.spoilt++;
		uma_zfree(job.zone, job.item[i]);
	}
}

static int count_ctor(void *mem, int size, void *arg, int flags)
{
	return flags == M_NOWAIT ? 0 : -EINVAL;
}

static void count_dtor(void *mem, int size, void *arg)
{
}

static int count_init(void *mem, int size, int flags)
{
	return flags == M_NOWAIT ? 0 : -EINVAL;
}

/* Run the job in @run's context, in zones of each kind, from cold to warm. */
static void in_context(struct kunit *test,
		       void (*run)(struct kunit *test, void (*fn)(void)))
{
	static const u32 flags[] = { 0, UMA_ZONE_OFFPAGE, UMA_ZONE_REFCNT, 0 };
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		bool plain = i + 1 < ARRAY_SIZE(flags);

		memset(&job, 0, sizeof(job));
		job.zone = uma_zcreate("context test", ITEM,
				       plain ? NULL : count_ctor,
				       plain ? NULL : count_dtor,
				       plain ? NULL : count_init, NULL,
				       UMA_ALIGN_PTR, flags[i]);
		KUNIT_ASSERT_NOT_NULL(test, job.zone);
		for (round = 0; round < 3; round++)
			run(test, do_job);
		KUNIT_EXPECT_EQ(test, job.refused, 0);
		KUNIT_EXPECT_EQ(test, job.spoilt, 0);
		KUNIT_EXPECT_EQ(test, uma_test_totals(test, job.zone).allocs,
				3 * BATCH);
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(job.zone), 0);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(job.zone), 0);
	}
}

static void context_hard_interrupt(struct kunit *test)
{
	in_context(test, run_in_hard_irq);
}

static void context_hard_timer(struct kunit *test)
{
	in_context(test, run_in_hrtimer);
}

static void context_soft_interrupt(struct kunit *test)
{
	in_context(test, run_in_tasklet);
}

static void context_under_a_raw_lock_interrupts_off(struct kunit *test)
{
	in_context(test, run_under_raw_lock);
}

static void context_preemption_off(struct kunit *test)
{
	in_context(test, run_preempt_off);
}

static void context_rcu_and_bottom_halves_off(struct kunit *test)
{
	in_context(test, run_in_rcu);
}

/* UMA-13 */

/* The kernel says it at most once a second. */
static void wait_out_the_rate_limit(void)
{
	msleep(1100);
}

static void uma_13_sleep_where_forbidden_is_reported(struct kunit *test)
{
	uma_zone_t zone;
	unsigned int i;
	void *item;

	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		kunit_skip(test, "this kernel does not check");
	zone = uma_zcreate("uma 13", ITEM, NULL, NULL, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	/* Past the cache, then from it. */
	for (i = 0; i < 2; i++) {
		wait_out_the_rate_limit();
		pr_info("uma-expect-begin: BUG: sleeping function called from invalid context\n");
		preempt_disable();
		item = uma_zalloc(zone, M_WAITOK);
		preempt_enable();
		pr_info("uma-expect-end\n");
		/* Never turned into an allocation that fails. */
		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone, item);
	}
	wait_out_the_rate_limit();
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE(context_hard_interrupt),
	KUNIT_CASE(context_hard_timer),
	KUNIT_CASE(context_soft_interrupt),
	KUNIT_CASE(context_under_a_raw_lock_interrupts_off),
	KUNIT_CASE(context_preemption_off),
	KUNIT_CASE(context_rcu_and_bottom_halves_off),
	KUNIT_CASE(uma_13_sleep_where_forbidden_is_reported),
	{}
};

static struct kunit_suite context_suite = {
	.name = "context",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = context_cases,
};

kunit_test_suite(context_suite);

MODULE_DESCRIPTION("KUnit: contexts that an allocation or a free may come from");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
