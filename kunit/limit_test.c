// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits, and what M_WAITOK means: who may sleep gets an item, however long it
 * takes, and no wake-up is lost; who may not gets NULL at once.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include "uma_test.h"

#define ITEM		400
#define SLEEPERS	4
/* Long enough for anybody who was woken. */
#define PATIENCE	(10 * HZ)

struct sleeper {
	uma_zone_t zone;
	void *item;
	struct completion done;
	struct task_struct *task;
};

static uma_zone_t limited_zone(struct kunit *test, int *max)
{
	uma_zone_t zone = uma_zcreate("uma 13", ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, 0);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	*max = uma_zone_set_max(zone, 1);
	KUNIT_ASSERT_GT(test, *max, SLEEPERS);
	return zone;
}

static void **get_all(struct kunit *test, uma_zone_t zone, int max)
{
	void **items = kunit_kcalloc(test, max, sizeof(*items), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, items);
	for (i = 0; i < max; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	return items;
}

static int sleeper_fn(void *arg)
{
	struct sleeper *s = arg;

	s->item = uma_zalloc(s->zone, M_WAITOK);
	/* The module may go as soon as this is known. */
	kthread_complete_and_exit(&s->done, 0);
}

static struct sleeper *start_sleeper(struct kunit *test, uma_zone_t zone)
{
	struct sleeper *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->zone = zone;
	init_completion(&s->done);
	s->task = kthread_run(sleeper_fn, s, "uma_test_sleeper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->task));
	return s;
}

/* Until @n allocations of the zone have gone to sleep. */
static void wait_for_sleepers(struct kunit *test, uma_zone_t zone, u64 n)
{
	unsigned long end = jiffies + PATIENCE;

	while (uma_test_totals(test, zone).sleeps < n &&
	       time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).sleeps, n);
	msleep(50);
}

static void expect_item(struct kunit *test, struct sleeper *s)
{
	KUNIT_EXPECT_GT_MSG(test, wait_for_completion_timeout(&s->done,
							      PATIENCE), 0,
			    "the sleeper was not woken");
	KUNIT_EXPECT_NOT_NULL(test, s->item);
}

static void limit_can_be_set_read_and_changed(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("limit test", ITEM, NULL, NULL, NULL,
				      NULL, UMA_ALIGN_PTR, 0);
	void **items, *more;
	int max, twice;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone), 0);
	KUNIT_EXPECT_FALSE(test, uma_zone_exhausted(zone));
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone), 0);
	max = uma_zone_set_max(zone, 1);
	KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone), max);
	items = get_all(test, zone, max);
	KUNIT_EXPECT_TRUE(test, uma_zone_exhausted(zone));
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), max);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails, 1);

	/* More, less, none, while items are out. */
	twice = uma_zone_set_max(zone, max + 1);
	KUNIT_EXPECT_GT(test, twice, max);
	more = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, more);
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, 1), max);
	uma_zfree(zone, more);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, 0), 0);
	more = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, more);
	uma_zfree(zone, more);
	uma_test_put(zone, items, max);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Rounded up to whole slabs, and yet no number that means something else. */
static void limit_of_every_magnitude(struct kunit *test)
{
	static const size_t sizes[] = { 8, ITEM, PAGE_SIZE, 1024 * PAGE_SIZE };
	static const int limits[] = {
		1, 1000, 1 << 20, 1 << 21, 1 << 22, (1 << 22) + 1, INT_MAX / 2,
		INT_MAX - 1, INT_MAX,
	};
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		uma_zone_t zone = uma_zcreate("limit test", sizes[i], NULL,
					      NULL, NULL, NULL, UMA_ALIGN_PTR,
					      0);

		KUNIT_ASSERT_NOT_NULL(test, zone);
		for (k = 0; k < ARRAY_SIZE(limits); k++) {
			int max = uma_zone_set_max(zone, limits[k]);

			/* 16 TiB are no limit for any pool. */
			KUNIT_EXPECT_GE_MSG(test, max,
					    min(limits[k], (1 << 22) - 1),
					    "size %zu limit %d", sizes[i],
					    limits[k]);
			KUNIT_EXPECT_EQ_MSG(test, uma_zone_get_max(zone), max,
					    "size %zu limit %d", sizes[i],
					    limits[k]);
		}
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

static void uma_13_waitok_waits_for_the_limit(struct kunit *test)
{
	struct sleeper *s;
	uma_zone_t zone;
	void **items;
	int max;

	zone = limited_zone(test, &max);
	items = get_all(test, zone, max);
	s = start_sleeper(test, zone);
	wait_for_sleepers(test, zone, 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&s->done));
	uma_zfree(zone, items[0]);
	expect_item(test, s);
	KUNIT_EXPECT_PTR_EQ(test, s->item, items[0]);
	uma_zfree(zone, s->item);
	uma_test_put(zone, items + 1, max - 1);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails, 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Nobody may be woken from under the caller's own locks. */
static void uma_13_free_under_a_lock_wakes(struct kunit *test)
{
	static DEFINE_RAW_SPINLOCK(lock);
	struct sleeper *s;
	unsigned long irq;
	uma_zone_t zone;
	void **items;
	int max;

	zone = limited_zone(test, &max);
	items = get_all(test, zone, max);
	s = start_sleeper(test, zone);
	wait_for_sleepers(test, zone, 1);
	raw_spin_lock_irqsave(&lock, irq);
	uma_zfree(zone, items[0]);
	raw_spin_unlock_irqrestore(&lock, irq);
	expect_item(test, s);
	uma_zfree(zone, s->item);
	uma_test_put(zone, items + 1, max - 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_13_each_free_serves_one_sleeper(struct kunit *test)
{
	struct sleeper *s[SLEEPERS];
	uma_zone_t zone;
	void **items;
	int max, i, k, awake;

	zone = limited_zone(test, &max);
	items = get_all(test, zone, max);
	for (i = 0; i < SLEEPERS; i++)
		s[i] = start_sleeper(test, zone);
	wait_for_sleepers(test, zone, SLEEPERS);
	for (i = 0; i < SLEEPERS; i++) {
		uma_zfree(zone, items[i]);
		msleep(100);
		for (k = 0, awake = 0; k < SLEEPERS; k++)
			awake += completion_done(&s[k]->done);
		KUNIT_EXPECT_EQ(test, awake, i + 1);
	}
	for (i = 0; i < SLEEPERS; i++) {
		expect_item(test, s[i]);
		uma_zfree(zone, s[i]->item);
	}
	uma_test_put(zone, items + SLEEPERS, max - SLEEPERS);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_13_many_frees_serve_many_sleepers(struct kunit *test)
{
	struct sleeper *s[SLEEPERS];
	uma_zone_t zone;
	void **items;
	int max, i;

	zone = limited_zone(test, &max);
	items = get_all(test, zone, max);
	for (i = 0; i < SLEEPERS; i++)
		s[i] = start_sleeper(test, zone);
	wait_for_sleepers(test, zone, SLEEPERS);
	uma_test_put(zone, items, max);
	for (i = 0; i < SLEEPERS; i++) {
		expect_item(test, s[i]);
		uma_zfree(zone, s[i]->item);
	}
	/* With the last sleeper gone the caches are in use again. */
	items[0] = uma_zalloc(zone, M_NOWAIT);
	uma_zfree(zone, items[0]);
	KUNIT_EXPECT_GT(test, uma_test_totals(test, zone).cpu_free, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The free that comes just before the sleeper sleeps. */
static struct {
	uma_zone_t zone;
	void *item;
	unsigned int calls;
} just_before;

static void just_before_hook(enum uma_steer_point point, void *obj)
{
	void *item;

	if (point != UMA_STEER_LIMIT || obj != just_before.zone)
		return;
	just_before.calls++;
	item = xchg(&just_before.item, NULL);
	if (!item)
		return;
	uma_zfree(just_before.zone, item);
	/* The wake-up is on its way; let it arrive while nobody sleeps yet. */
	msleep(30);
}

static void uma_13_free_just_before_the_sleep_is_not_lost(struct kunit *test)
{
	struct sleeper *s;
	uma_zone_t zone;
	void **items;
	int max, i;

	for (i = 0; i < 5; i++) {
		zone = limited_zone(test, &max);
		items = get_all(test, zone, max);
		just_before.zone = zone;
		just_before.calls = 0;
		just_before.item = items[0];
		uma_test_steer(just_before_hook);
		s = start_sleeper(test, zone);
		expect_item(test, s);
		uma_test_steer(NULL);
		KUNIT_EXPECT_GT(test, just_before.calls, 0);
		uma_zfree(zone, s->item);
		uma_test_put(zone, items + 1, max - 1);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

/* Free items that some cache holds are free for who sleeps, too. */
static void uma_13_sleeper_finds_what_other_caches_hold(struct kunit *test)
{
	uma_zone_t zone, second;
	struct sleeper *s;
	void **items;
	int max;

	zone = limited_zone(test, &max);
	second = uma_zsecond_create("uma 13 second", NULL, NULL, NULL, NULL,
				    zone);
	KUNIT_ASSERT_NOT_NULL(test, second);
	items = get_all(test, second, max);
	uma_test_put(second, items, max);
	KUNIT_EXPECT_GT(test, uma_test_totals(test, second).cpu_free, 0);
	KUNIT_EXPECT_TRUE(test, uma_zone_exhausted(zone));
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	s = start_sleeper(test, zone);
	expect_item(test, s);
	uma_zfree(zone, s->item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_13_sleeper_finds_what_other_cpus_hold(struct kunit *test)
{
	unsigned int cpu = uma_test_other_cpu(test);
	unsigned int here = raw_smp_processor_id();
	struct sleeper *s;
	uma_zone_t zone;
	void **items;
	int max;

	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	zone = limited_zone(test, &max);
	items = get_all(test, zone, max);
	uma_test_put(zone, items, max);
	set_cpus_allowed_ptr(current, cpumask_of(here));
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));

	s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s);
	s->zone = zone;
	init_completion(&s->done);
	s->task = kthread_create(sleeper_fn, s, "uma_test_sleeper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->task));
	kthread_bind(s->task, here);
	wake_up_process(s->task);
	expect_item(test, s);
	uma_zfree(zone, s->item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_13_raised_limit_wakes(struct kunit *test)
{
	struct sleeper *s;
	uma_zone_t zone;
	void **items;
	int max;

	zone = limited_zone(test, &max);
	items = get_all(test, zone, max);
	s = start_sleeper(test, zone);
	wait_for_sleepers(test, zone, 1);
	uma_zone_set_max(zone, 0);
	expect_item(test, s);
	uma_zfree(zone, s->item);
	uma_test_put(zone, items, max);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* More threads than items, each holding one for a moment, again and again. */
#define CROWD		6
#define ROUNDS		20

static int crowd_fn(void *arg)
{
	struct sleeper *s = arg;
	unsigned int i;
	u32 *item;

	for (i = 0; i < ROUNDS; i++) {
		item = uma_zalloc(s->zone, M_WAITOK);
		if (!item)
			break;
		*item = current->pid;
		schedule_timeout_uninterruptible(1);
		if (*item != current->pid)
			break;
		uma_zfree(s->zone, item);
	}
	s->item = i == ROUNDS ? s : NULL;
	kthread_complete_and_exit(&s->done, 0);
}

static void uma_13_a_crowd_shares_few_items(struct kunit *test)
{
	struct sleeper *s = kunit_kcalloc(test, CROWD, sizeof(*s), GFP_KERNEL);
	struct uma_test_totals t;
	uma_zone_t zone;
	unsigned int i;
	int max;

	KUNIT_ASSERT_NOT_NULL(test, s);
	zone = uma_zcreate("uma 13", PAGE_SIZE, NULL, NULL, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	max = uma_zone_set_max(zone, 2);
	KUNIT_ASSERT_LT(test, max, CROWD);
	for (i = 0; i < CROWD; i++) {
		s[i].zone = zone;
		init_completion(&s[i].done);
		s[i].task = kthread_run(crowd_fn, &s[i], "uma_test_crowd");
		KUNIT_ASSERT_FALSE(test, IS_ERR(s[i].task));
	}
	for (i = 0; i < CROWD; i++)
		expect_item(test, &s[i]);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, CROWD * ROUNDS);
	KUNIT_EXPECT_EQ(test, t.frees, CROWD * ROUNDS);
	KUNIT_EXPECT_EQ(test, t.fails, 0);
	KUNIT_EXPECT_GT(test, t.sleeps, 0);
	KUNIT_EXPECT_LE(test, t.pages, max * zone->uz_keg->uk_layout.pages);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Take what the pool has, reserve and all. */
static void empty_pool(struct list_head *taken)
{
	struct vm_page *m;

	while ((m = uma_pool_alloc(uma_pool, 1, M_WAITOK | M_USE_RESERVE)))
		list_add(&m->pageq, taken);
}

static void refill_pool(struct list_head *taken, unsigned long n)
{
	struct vm_page *m;

	while (n-- && (m = list_first_entry_or_null(taken, struct vm_page,
						    pageq))) {
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
}

static void uma_13_waitok_waits_for_the_pool(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("uma 13", ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, 0);
	struct uma_pool_stats st;
	struct sleeper *s[2];
	LIST_HEAD(taken);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	uma_pool_get_stats(uma_pool, &st);
	empty_pool(&taken);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, 1), -ENOMEM);
	s[0] = start_sleeper(test, zone);
	s[1] = start_sleeper(test, zone);
	wait_for_sleepers(test, zone, 2);
	msleep(300);
	empty_pool(&taken);
	KUNIT_EXPECT_FALSE(test, completion_done(&s[0]->done));
	KUNIT_EXPECT_FALSE(test, completion_done(&s[1]->done));
	/* The reserve is not for them; a page above it is. */
	refill_pool(&taken, st.reserve);
	msleep(300);
	KUNIT_EXPECT_FALSE(test, completion_done(&s[0]->done));
	refill_pool(&taken, ULONG_MAX);
	expect_item(test, s[0]);
	expect_item(test, s[1]);
	uma_zfree(zone, s[0]->item);
	uma_zfree(zone, s[1]->item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The pool's last pages, for who asks for them. */
static void limit_use_reserve(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("limit test", PAGE_SIZE, NULL, NULL, NULL,
				      NULL, UMA_ALIGN_PTR, 0);
	struct uma_pool_stats st;
	LIST_HEAD(taken);
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	uma_pool_get_stats(uma_pool, &st);
	KUNIT_ASSERT_GT(test, st.reserve, 0);
	empty_pool(&taken);
	refill_pool(&taken, st.reserve);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	item = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
	KUNIT_EXPECT_NOT_NULL(test, item);
	refill_pool(&taken, ULONG_MAX);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case limit_cases[] = {
	KUNIT_CASE(limit_can_be_set_read_and_changed),
	KUNIT_CASE(limit_of_every_magnitude),
	KUNIT_CASE(limit_use_reserve),
	KUNIT_CASE(uma_13_waitok_waits_for_the_limit),
	KUNIT_CASE(uma_13_free_under_a_lock_wakes),
	KUNIT_CASE(uma_13_each_free_serves_one_sleeper),
	KUNIT_CASE(uma_13_many_frees_serve_many_sleepers),
	KUNIT_CASE(uma_13_free_just_before_the_sleep_is_not_lost),
	KUNIT_CASE(uma_13_sleeper_finds_what_other_caches_hold),
	KUNIT_CASE(uma_13_sleeper_finds_what_other_cpus_hold),
	KUNIT_CASE(uma_13_raised_limit_wakes),
	KUNIT_CASE(uma_13_a_crowd_shares_few_items),
	KUNIT_CASE(uma_13_waitok_waits_for_the_pool),
	{}
};

static struct kunit_suite limit_suite = {
	.name = "limit",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = limit_cases,
};

kunit_test_suite(limit_suite);

MODULE_DESCRIPTION("KUnit: limits, and who sleeps on them");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
