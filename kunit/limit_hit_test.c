// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a zone says and does when its limit is hit: uma_zone_set_warning() and
 * uma_zone_set_maxaction() (UMA-19). The kernel's log is read back.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "uma_test.h"

#define ITEM		(PAGE_SIZE / 2)
#define MOST		4
#define PATIENCE	(10 * HZ)
#define LOG_BYTES	(64 * 1024)

static uma_zone_t limited_zone(struct kunit *test, const char *name)
{
	uma_zone_t zone = uma_test_zone(test, name, ITEM, 0);

	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, MOST), MOST);
	return zone;
}

/* How often @text is in the end of the kernel's log. */
static unsigned int in_log(struct kunit *test, const char *text)
{
	struct kmsg_dump_iter iter;
	unsigned int n = 0;
	size_t len = 0;
	char *log, *p;

	log = kzalloc(LOG_BYTES + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, log);
	kmsg_dump_rewind(&iter);
	kmsg_dump_get_buffer(&iter, false, log, LOG_BYTES, &len);
	for (p = strnstr(log, text, len); p;
	     p = strnstr(p + 1, text, log + len - p - 1))
		n++;
	kfree(log);
	return n;
}

/* The message comes by way of an interrupt. */
static void let_it_come(uma_zone_t zone)
{
	irq_work_sync(&zone->uz_limit_hit);
	msleep(20);
}

#define ZONE_WARNINGS	UMA_TEST_PARAMETER("zone_warnings")

/* Take all there is and be refused @times. */
static void hit(struct kunit *test, uma_zone_t zone, unsigned int times)
{
	void *items[MOST];

	uma_test_get(test, zone, items, MOST);
	while (times--)
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	uma_test_put(zone, items, MOST);
	let_it_come(zone);
}

/* Warnings */

static void uma_19_warning_comes_once_in_five_minutes(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, "warning A");
	unsigned int i;

	uma_zone_set_warning(zone, "no more of A");
	KUNIT_EXPECT_EQ(test, in_log(test, "] no more of A"), 0);
	for (i = 0; i < 5; i++)
		hit(test, zone, 10);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning A] no more of A"),
			1);
	/* Had the last one been five minutes ago... */
	zone->uz_warning_rate.begin -= 299 * HZ;
	hit(test, zone, 1);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning A] no more of A"),
			1);
	zone->uz_warning_rate.begin -= 2 * HZ;
	hit(test, zone, 10);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning A] no more of A"),
			2);
	/* Nor does anybody count those left out. */
	KUNIT_EXPECT_EQ(test, in_log(test, "zone_limit_hit"), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_19_warning_can_be_turned_off(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, "warning B");

	uma_zone_set_warning(zone, "no more of B");
	uma_test_set_parameter(test, ZONE_WARNINGS, "0");
	hit(test, zone, 3);
	uma_test_set_parameter(test, ZONE_WARNINGS, "1");
	KUNIT_EXPECT_EQ(test, in_log(test, "no more of B"), 0);
	uma_zone_set_warning(zone, NULL);
	hit(test, zone, 3);
	KUNIT_EXPECT_EQ(test, in_log(test, "warning B]"), 0);
	/* What was not said before does not count. */
	uma_zone_set_warning(zone, "no more of B");
	hit(test, zone, 3);
	KUNIT_EXPECT_EQ(test, in_log(test, "] no more of B"), 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Each zone has its own, though the limit is the keg's. */
static void uma_19_warning_is_the_zones_own(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, "warning C");
	uma_zone_t second = uma_zsecond_create("warning C2", NULL, NULL, NULL,
					       NULL, zone);

	KUNIT_ASSERT_NOT_NULL(test, second);
	uma_zone_set_warning(zone, "no more of C");
	uma_zone_set_warning(second, "no more of C2");
	hit(test, second, 3);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning C] "), 0);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning C2] no more of C2"),
			1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	hit(test, zone, 3);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning C] no more of C"),
			1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Only a limit is one: no memory, or a reserve within none, is something else. */
static void uma_19_warning_is_about_the_limit(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "warning D", ITEM, 0);
	struct vm_page *m;
	LIST_HEAD(taken);
	void *items[MOST], *more[2];

	uma_zone_set_warning(zone, "no more of D");
	while ((m = uma_pool_alloc(uma_pool, 1, M_NOWAIT | M_USE_RESERVE)))
		list_add(&m->pageq, &taken);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	while ((m = list_first_entry_or_null(&taken, struct vm_page, pageq))) {
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
	let_it_come(zone);
	uma_zone_set_max(zone, MOST);
	uma_test_get(test, zone, items, MOST);
	let_it_come(zone);
	KUNIT_EXPECT_EQ(test, in_log(test, "warning D]"), 0);
	/* For bulk it is one as well. */
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, more, 2, M_NOWAIT), 0);
	let_it_come(zone);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning D] no more of D"),
			1);
	uma_test_put(zone, items, MOST);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The caller may hold any lock, also one that printing would need. */
static void uma_19_limit_is_told_from_under_a_lock(struct kunit *test)
{
	static DEFINE_RAW_SPINLOCK(lock);
	uma_zone_t zone = limited_zone(test, "warning E");
	void *items[MOST];
	unsigned long irq;

	uma_zone_set_warning(zone, "no more of E");
	uma_test_get(test, zone, items, MOST);
	raw_spin_lock_irqsave(&lock, irq);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	raw_spin_unlock_irqrestore(&lock, irq);
	let_it_come(zone);
	KUNIT_EXPECT_EQ(test, in_log(test, "[zone: warning E] no more of E"),
			1);
	uma_test_put(zone, items, MOST);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Actions */

static struct {
	uma_zone_t zone;
	unsigned int calls;
	unsigned int wrong;
	unsigned int max;
	unsigned int delay;
	bool inside;
	struct completion called;
} action;

static void some_action(uma_zone_t zone, int unused)
{
	WRITE_ONCE(action.inside, true);
	action.calls++;
	if (zone != action.zone || unused || !in_task() || irqs_disabled())
		action.wrong++;
	might_sleep();
	if (action.max)
		uma_zone_set_max(zone, action.max);
	complete(&action.called);
	msleep(action.delay);
	WRITE_ONCE(action.inside, false);
}

static void set_action(uma_zone_t zone, unsigned int max, unsigned int delay)
{
	memset(&action, 0, sizeof(action));
	init_completion(&action.called);
	action.zone = zone;
	action.max = max;
	action.delay = delay;
	uma_zone_set_maxaction(zone, some_action);
}

static bool was_called(void)
{
	return wait_for_completion_timeout(&action.called, PATIENCE);
}

static void uma_19_action_is_called_where_it_may_sleep(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, "uma 19");

	set_action(zone, 0, 0);
	msleep(50);
	KUNIT_EXPECT_EQ(test, action.calls, 0);
	hit(test, zone, 1);
	KUNIT_EXPECT_TRUE(test, was_called());
	hit(test, zone, 50);
	KUNIT_EXPECT_TRUE(test, was_called());
	msleep(50);
	KUNIT_EXPECT_EQ(test, action.wrong, 0);
	uma_zone_set_maxaction(zone, NULL);
	action.calls = 0;
	hit(test, zone, 3);
	msleep(50);
	KUNIT_EXPECT_EQ(test, action.calls, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

struct sleeper {
	void *item;
	struct completion done;
};

static int sleeper_fn(void *arg)
{
	struct sleeper *sleeper = arg;

	sleeper->item = uma_zalloc(action.zone, M_WAITOK);
	kthread_complete_and_exit(&sleeper->done, 0);
}

/* What it is for: it makes room, and who waits gets it. */
static void uma_19_action_that_raises_the_limit(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, "uma 19");
	struct sleeper sleeper = { };
	void *items[MOST];

	init_completion(&sleeper.done);
	uma_test_get(test, zone, items, MOST);
	set_action(zone, 2 * MOST, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(sleeper_fn, &sleeper,
						    "uma_test_sleeper")));
	/* Once at least: the limit is met again by who tries again before he sleeps. */
	KUNIT_EXPECT_TRUE(test, was_called());
	wait_for_completion(&sleeper.done);
	KUNIT_EXPECT_NOT_NULL(test, sleeper.item);
	KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone), 2 * MOST);
	KUNIT_EXPECT_EQ(test, action.wrong, 0);
	uma_zfree(zone, sleeper.item);
	uma_test_put(zone, items, MOST);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* One that runs is waited for; one that has not begun never does. */
static void uma_19_action_ends_with_the_zone(struct kunit *test)
{
	uma_zone_t zone;
	void *items[MOST];
	unsigned int i;

	zone = limited_zone(test, "uma 19");
	set_action(zone, 0, 200);
	hit(test, zone, 1);
	KUNIT_EXPECT_TRUE(test, was_called());
	KUNIT_EXPECT_TRUE(test, READ_ONCE(action.inside));
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(action.inside));
	KUNIT_EXPECT_EQ(test, action.calls, 1);

	for (i = 0; i < 20; i++) {
		zone = limited_zone(test, "uma 19");
		set_action(zone, 0, 0);
		uma_zone_set_warning(zone, "no more");
		zone->uz_warning_rate.burst = 0;
		uma_test_get(test, zone, items, MOST);
		KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
		uma_test_put(zone, items, MOST);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		KUNIT_EXPECT_FALSE(test, READ_ONCE(action.inside));
		action.calls = 0;
		action.zone = NULL;
		schedule_timeout_uninterruptible(i % 3);
		KUNIT_EXPECT_EQ(test, action.calls, 0);
	}
	KUNIT_EXPECT_EQ(test, action.wrong, 0);
}

static struct kunit_case limit_hit_cases[] = {
	KUNIT_CASE(uma_19_warning_comes_once_in_five_minutes),
	KUNIT_CASE(uma_19_warning_can_be_turned_off),
	KUNIT_CASE(uma_19_warning_is_the_zones_own),
	KUNIT_CASE(uma_19_warning_is_about_the_limit),
	KUNIT_CASE(uma_19_limit_is_told_from_under_a_lock),
	KUNIT_CASE(uma_19_action_is_called_where_it_may_sleep),
	KUNIT_CASE(uma_19_action_that_raises_the_limit),
	KUNIT_CASE(uma_19_action_ends_with_the_zone),
	{}
};

static struct kunit_suite limit_hit_suite = {
	.name = "limit_hit",
	.init = uma_test_still_init,
	.exit = uma_test_still_exit,
	.test_cases = limit_hit_cases,
};

kunit_test_suite(limit_hit_suite);

MODULE_DESCRIPTION("KUnit: what a zone says and does at its limit");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
