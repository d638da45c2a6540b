// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line of those who wait at a limit (UMA-19): first come, first served; and
 * nobody waits while an item is free anywhere.
 *
 * A case starts its sleepers one after the other and goes on when the last one is
 * in line and asleep. What runs in between two steps of the allocator runs in
 * the hook of the steering points.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

#include "uma_test.h"

/* Two items a slab. */
#define ITEM		(PAGE_SIZE / 2)
/* Long enough for anybody who was woken. */
#define PATIENCE	(10 * HZ)
/* Long enough for who should not have been woken to show it. */
#define SETTLE_MS	40

struct sleeper {
	uma_zone_t zone;
	int flags;
	unsigned int n;
	void *item;
	struct completion done;
	struct task_struct *task;
};

static uma_zone_t limited_zone(struct kunit *test, int max)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", ITEM, 0);

	KUNIT_ASSERT_EQ(test, zone->uz_keg->uk_layout.ipers, 2);
	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone, max), max);
	return zone;
}

/* Take all that the limit allows. */
static void **get_all(struct kunit *test, uma_zone_t zone)
{
	int i, max = uma_zone_get_max(zone);
	void **items = uma_test_items(test, max);

	for (i = 0; i < max; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_ASSERT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	return items;
}

static int sleeper_fn(void *arg)
{
	struct sleeper *s = arg;

	s->item = uma_zalloc(s->zone, s->flags);
	/* The module may go as soon as this is known. */
	kthread_complete_and_exit(&s->done, 0);
}

static void sleeper_put(void *task)
{
	put_task_struct(task);
}

/* A thread that does not run yet. */
static struct sleeper *make_task(struct kunit *test, uma_zone_t zone, int flags)
{
	struct sleeper *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->zone = zone;
	s->flags = flags;
	init_completion(&s->done);
	s->task = kthread_create(sleeper_fn, s, "uma_test_sleeper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->task));
	get_task_struct(s->task);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, sleeper_put,
							s->task), 0);
	return s;
}

static struct sleeper *start_task(struct kunit *test, uma_zone_t zone,
				  int flags)
{
	struct sleeper *s = make_task(test, zone, flags);

	wake_up_process(s->task);
	return s;
}

static bool asleep(struct sleeper *s)
{
	return READ_ONCE(s->task->__state) == TASK_IDLE;
}

static bool await_sleep(struct sleeper *s)
{
	unsigned long end = jiffies + PATIENCE;

	while (!asleep(s) && time_before(jiffies, end))
		msleep(20);
	return asleep(s);
}

/* A thread that is the last in line, and asleep, when this returns. */
static struct sleeper *start_sleeper(struct kunit *test, uma_zone_t zone,
				     int flags)
{
	u32 before = READ_ONCE(zone->uz_keg->uk_sleepers);
	struct sleeper *s = start_task(test, zone, flags);

	KUNIT_ASSERT_TRUE_MSG(test, await_sleep(s), "the thread does not sleep");
	KUNIT_ASSERT_EQ(test, READ_ONCE(zone->uz_keg->uk_sleepers), before + 1);
	return s;
}

static void start_sleepers(struct kunit *test, uma_zone_t zone,
			   struct sleeper **s, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		s[i] = start_sleeper(test, zone, M_WAITOK);
}

static bool came_back(struct sleeper *s)
{
	/* Once seen it stays, whoever asks again. */
	if (!wait_for_completion_timeout(&s->done, PATIENCE))
		return false;
	complete_all(&s->done);
	return true;
}

static void expect_served(struct kunit *test, struct sleeper *s)
{
	KUNIT_EXPECT_TRUE_MSG(test, came_back(s), "the sleeper was not woken");
	KUNIT_EXPECT_NOT_NULL(test, s->item);
}

/* These, and nobody else of the @n, have come back. */
static void expect_only_first(struct kunit *test, struct sleeper **s,
			      unsigned int n, unsigned int first)
{
	unsigned int i;

	for (i = 0; i < first; i++)
		expect_served(test, s[i]);
	msleep(SETTLE_MS);
	for (i = first; i < n; i++)
		KUNIT_EXPECT_FALSE_MSG(test, completion_done(&s[i]->done),
				       "of %u sleepers number %u was served with %u",
				       n, i, first);
}

/* Whoever still waits may go; everything comes back. */
static void end_line(struct kunit *test, uma_zone_t zone, struct sleeper **s,
		     unsigned int n)
{
	unsigned int i;

	uma_zone_set_max(zone, 0);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_TRUE(test, came_back(s[i]));
		uma_zfree(s[i]->zone, s[i]->item);
	}
	KUNIT_EXPECT_EQ(test, READ_ONCE(zone->uz_keg->uk_sleepers), 0);
}

/* Order */

#define LINE	6

static void uma_19_first_come_first_served(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2 * LINE);
	void **items = get_all(test, zone);
	struct sleeper *s[LINE];
	unsigned int i;

	start_sleepers(test, zone, s, LINE);
	for (i = 0; i < LINE; i++) {
		uma_zfree(zone, items[LINE - i]);
		expect_only_first(test, s, LINE, i + 1);
		KUNIT_EXPECT_PTR_EQ(test, s[i]->item, items[LINE - i]);
	}
	end_line(test, zone, s, LINE);
	uma_zfree(zone, items[0]);
	uma_test_put(zone, items + LINE + 1, LINE - 1);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).sleeps, LINE);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails, 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* All at once go to as many, the first ones. */
static void uma_19_many_frees_go_to_the_first(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2 * LINE);
	void **items = get_all(test, zone);
	struct sleeper *s[LINE];
	unsigned int i;

	start_sleepers(test, zone, s, LINE);
	uma_zfree_bulk(zone, items, 4);
	expect_only_first(test, s, LINE, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_NOT_NULL(test, s[i]->item);
	end_line(test, zone, s, LINE);
	uma_test_put(zone, items + 4, 2 * LINE - 4);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Nothing for who comes later, by whatever way he comes. */
static void nothing_for_a_newcomer(struct kunit *test, uma_zone_t zone,
				   uma_zone_t second)
{
	void *items[3];

	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_zalloc(second, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE));
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 1, M_NOWAIT), 0);
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(second, items, 3, M_NOWAIT), 0);
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, 1), -ENOSPC);
}

static void uma_19_newcomer_does_not_overtake(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 4);
	void **items = get_all(test, zone);
	uma_zone_t second = uma_zsecond_create("uma 19 second", NULL, NULL,
					       NULL, NULL, zone);
	struct sleeper *s[4];
	unsigned long irq;

	KUNIT_ASSERT_NOT_NULL(test, second);
	start_sleepers(test, zone, s, 2);
	/* The sleeper cannot have run yet when the newcomer looks. */
	local_irq_save(irq);
	uma_zfree(zone, items[0]);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_zalloc(second, M_NOWAIT | M_USE_RESERVE));
	local_irq_restore(irq);
	expect_only_first(test, s, 2, 1);
	nothing_for_a_newcomer(test, zone, second);

	/* One who may sleep goes to the end. */
	s[2] = start_sleeper(test, second, M_WAITOK);
	s[3] = start_sleeper(test, zone, M_WAITOK);
	uma_zfree(zone, items[1]);
	expect_only_first(test, s, 4, 2);
	uma_zfree(zone, items[2]);
	expect_only_first(test, s, 4, 3);
	uma_zfree(zone, items[3]);
	expect_only_first(test, s, 4, 4);
	KUNIT_EXPECT_PTR_EQ(test, s[2]->item, items[2]);
	KUNIT_EXPECT_PTR_EQ(test, s[3]->item, items[3]);
	end_line(test, zone, s, 4);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Room in a limit is theirs, too, before they have made anything of it. */
static void uma_19_newcomer_gets_nothing_of_a_raised_limit(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	void **items = get_all(test, zone);
	struct sleeper *s[3];
	unsigned long irq;
	void *item;

	start_sleepers(test, zone, s, 3);
	local_irq_save(irq);
	uma_zone_set_max(zone, 6);
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NULL(test, item);
	local_irq_restore(irq);
	expect_only_first(test, s, 3, 3);
	/* What they have left is anybody's. */
	uma_zfree(zone, item);
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, item);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	uma_zfree(zone, item);
	end_line(test, zone, s, 3);
	uma_test_put(zone, items, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A slab is handed out from its start, so the items tell who was served first. */
static void uma_19_raised_limit_serves_in_order(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	void **items = get_all(test, zone);
	struct sleeper *s[LINE];

	start_sleepers(test, zone, s, LINE);
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, 4), 4);
	expect_only_first(test, s, LINE, 2);
	KUNIT_EXPECT_PTR_EQ(test, s[1]->item, s[0]->item + ITEM);
	/* To and fro without more room serves nobody. */
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, 2), 2);
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, 4), 4);
	expect_only_first(test, s, LINE, 2);
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, 8), 8);
	expect_only_first(test, s, LINE, LINE);
	KUNIT_EXPECT_PTR_EQ(test, s[3]->item, s[2]->item + ITEM);
	KUNIT_EXPECT_PTR_EQ(test, s[5]->item, s[4]->item + ITEM);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	end_line(test, zone, s, LINE);
	uma_test_put(zone, items, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_19_no_limit_releases_all(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	void **items = get_all(test, zone);
	struct sleeper *s[LINE];

	start_sleepers(test, zone, s, LINE);
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone, 0), 0);
	expect_only_first(test, s, LINE, LINE);
	end_line(test, zone, s, LINE);
	uma_test_put(zone, items, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* M_USE_RESERVE goes before the others, in order among its like. */
static void uma_19_privileged_go_first(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 4);
	void **items = get_all(test, zone);
	struct sleeper *s[4], *t[4];
	unsigned int i;

	s[0] = start_sleeper(test, zone, M_WAITOK);
	s[1] = start_sleeper(test, zone, M_WAITOK | M_USE_RESERVE);
	s[2] = start_sleeper(test, zone, M_WAITOK);
	s[3] = start_sleeper(test, zone, M_WAITOK | M_USE_RESERVE);
	t[0] = s[1];
	t[1] = s[3];
	t[2] = s[0];
	t[3] = s[2];
	for (i = 0; i < 4; i++) {
		uma_zfree(zone, items[i]);
		expect_only_first(test, t, 4, i + 1);
		KUNIT_EXPECT_PTR_EQ(test, t[i]->item, items[i]);
	}
	end_line(test, zone, s, 4);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A free item that only they may have is for them, not for who came before. */
static void uma_19_reserve_is_for_privileged_sleepers(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 4);
	struct sleeper *s[2], *t;
	void *items[3], *last;

	KUNIT_ASSERT_EQ(test, uma_zone_reserve(zone, 1), 0);
	uma_test_get(test, zone, items, 3);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	start_sleepers(test, zone, s, 2);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 1);
	/* The last one does not have to wait. */
	t = start_task(test, zone, M_WAITOK | M_USE_RESERVE);
	expect_served(test, t);
	last = t->item;
	/* It fills the reserve first, then there is one for them. */
	uma_zfree(zone, items[0]);
	expect_only_first(test, s, 2, 0);
	uma_zfree(zone, items[1]);
	expect_only_first(test, s, 2, 1);
	/* Without a reserve the last item is theirs. */
	KUNIT_EXPECT_EQ(test, uma_zone_reserve(zone, 0), 0);
	expect_only_first(test, s, 2, 2);
	end_line(test, zone, s, 2);
	uma_zfree(zone, last);
	uma_zfree(zone, items[2]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The slab that the first in line makes may go into the reserve, and the next. */
static void uma_19_sleeper_fills_the_reserve_before_it_sleeps(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 4);
	struct sleeper *s[2];
	void *items[4];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, uma_zone_reserve(zone, 4), 0);
	for (i = 0; i < 4; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	start_sleepers(test, zone, s, 2);
	/* Room for two slabs of reserve and one of theirs. */
	uma_zone_set_max(zone, 10);
	expect_only_first(test, s, 2, 2);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 4);
	end_line(test, zone, s, 2);
	uma_test_put(zone, items, 4);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Zones on one keg have one limit and one line. */
static void uma_19_secondary_zones_share_the_line(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 4);
	void **items = get_all(test, zone);
	struct sleeper *s[3];
	uma_zone_t second[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		second[i] = uma_zsecond_create("uma 19 second", NULL, NULL,
					       NULL, NULL, zone);
		KUNIT_ASSERT_NOT_NULL(test, second[i]);
		KUNIT_EXPECT_EQ(test, uma_zone_get_max(second[i]), 4);
	}
	s[0] = start_sleeper(test, second[1], M_WAITOK);
	s[1] = start_sleeper(test, zone, M_WAITOK);
	s[2] = start_sleeper(test, second[0], M_WAITOK);
	for (i = 0; i < 3; i++) {
		uma_zfree(zone, items[i]);
		expect_only_first(test, s, 3, i + 1);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, uma_test_totals(test, second[i]).sleeps,
				1);
	end_line(test, zone, s, 3);
	uma_zfree(zone, items[3]);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, uma_zdestroy(second[i]), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Failing initialisers */

static atomic_t inits_to_fail;

static int failing_init(void *mem, int size, int flags)
{
	return atomic_add_unless(&inits_to_fail, -1, 0) ? -EIO : 0;
}

/* The item that its zone's init did not want goes to the next in line. */
static void uma_19_failed_zinit_passes_the_item_on(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	void **items = get_all(test, zone);
	uma_zone_t second = uma_zsecond_create("uma 19 second", NULL, NULL,
					       failing_init, NULL, zone);
	struct sleeper *s[3];

	KUNIT_ASSERT_NOT_NULL(test, second);
	s[0] = start_sleeper(test, second, M_WAITOK);
	s[1] = start_sleeper(test, second, M_WAITOK);
	s[2] = start_sleeper(test, zone, M_WAITOK);
	atomic_set(&inits_to_fail, 2);
	uma_zfree(zone, items[0]);
	expect_served(test, s[2]);
	KUNIT_EXPECT_TRUE(test, came_back(s[0]));
	KUNIT_EXPECT_TRUE(test, came_back(s[1]));
	KUNIT_EXPECT_NULL(test, s[0]->item);
	KUNIT_EXPECT_NULL(test, s[1]->item);
	KUNIT_EXPECT_PTR_EQ(test, s[2]->item, items[0]);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, second).fails, 2);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, second).allocs, 0);
	end_line(test, zone, s, 3);
	uma_zfree(zone, items[1]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* And the room that the keg's init left unused. */
static void uma_19_failed_init_passes_the_room_on(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("uma 19", ITEM, NULL, NULL, failing_init,
				      NULL, UMA_ALIGN_PTR, 0);
	struct sleeper *s[3];
	void **items;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	atomic_set(&inits_to_fail, 0);
	uma_zone_set_max(zone, 2);
	items = get_all(test, zone);
	start_sleepers(test, zone, s, 3);
	atomic_set(&inits_to_fail, 1);
	uma_zone_set_max(zone, 4);
	KUNIT_EXPECT_TRUE(test, came_back(s[0]));
	KUNIT_EXPECT_NULL(test, s[0]->item);
	expect_served(test, s[1]);
	expect_served(test, s[2]);
	end_line(test, zone, s, 3);
	uma_test_put(zone, items, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct {
	uma_zone_t zone;
	void *item;
} at_wait_end;

static void wait_end_hook(enum uma_steer_point point, void *obj)
{
	if (point == UMA_STEER_WAIT_END && obj == at_wait_end.zone)
		uma_zfree(at_wait_end.zone, xchg(&at_wait_end.item, NULL));
}

/* An item that comes when an init has failed and the line is not left yet. */
static void uma_19_item_for_who_gives_up_is_not_lost(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("uma 19", ITEM, NULL, NULL, failing_init,
				      NULL, UMA_ALIGN_PTR, 0);
	struct sleeper *s;
	void **items;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	atomic_set(&inits_to_fail, 0);
	uma_zone_set_max(zone, 2);
	items = get_all(test, zone);
	s = start_sleeper(test, zone, M_WAITOK);
	at_wait_end.zone = zone;
	at_wait_end.item = items[0];
	uma_test_steer(wait_end_hook);
	atomic_set(&inits_to_fail, 1);
	uma_zone_set_max(zone, 4);
	KUNIT_EXPECT_TRUE(test, came_back(s));
	uma_test_steer(NULL);
	KUNIT_EXPECT_NULL(test, at_wait_end.item);
	KUNIT_EXPECT_PTR_EQ(test, s->item, items[0]);
	uma_zfree(zone, s->item);
	uma_zfree(zone, items[1]);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	/* It would not be empty. */
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* No item is free anywhere while somebody sleeps */

static void expect_nothing_free(struct kunit *test, uma_zone_t zone)
{
	struct uma_test_totals t = uma_test_totals(test, zone);

	KUNIT_EXPECT_EQ(test, t.cpu_free, 0);
	KUNIT_EXPECT_EQ(test, t.zone_free, 0);
	KUNIT_EXPECT_EQ(test, t.keg_free, 0);
}

/* In the zone's list of buckets. */
static void uma_19_sleeper_finds_what_the_list_holds(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 19", ITEM,
					UMA_ZONE_MINBUCKET);
	uma_zone_t second = uma_zsecond_create("uma 19 second", NULL, NULL,
					       NULL, NULL, zone);
	struct sleeper *s[3];
	void **items;

	KUNIT_ASSERT_NOT_NULL(test, second);
	uma_zone_set_max(zone, 40);
	items = get_all(test, zone);
	uma_test_put(zone, items + 3, 37);
	KUNIT_EXPECT_GT(test, uma_test_totals(test, zone).zone_free, 3);
	/* All that the keg can give is in the other zone's hands. */
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).keg_free, 0);
	s[0] = start_task(test, second, M_WAITOK);
	expect_served(test, s[0]);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).zone_free, 0);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).cpu_free, 0);
	uma_zfree(second, s[0]->item);
	uma_test_put(zone, items, 3);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* What a hook finds, and does once. */
static struct {
	struct kunit *test;
	uma_zone_t zone;
	uma_zone_t sleeps_on;
	struct sleeper *s;
	unsigned int calls;
} in_flight;

static void in_flight_hook(enum uma_steer_point point, void *obj)
{
	if (point != UMA_STEER_REFILL || obj != in_flight.zone ||
	    in_flight.calls++)
		return;
	in_flight.s = start_sleeper(in_flight.test, in_flight.sleeps_on,
				    M_WAITOK);
}

static void steer_in_flight(struct kunit *test, uma_zone_t zone,
			    uma_zone_t sleeps_on)
{
	in_flight.test = test;
	in_flight.zone = zone;
	in_flight.sleeps_on = sleeps_on;
	in_flight.s = NULL;
	in_flight.calls = 0;
	uma_test_steer(in_flight_hook);
}

/* All items are in a bucket that was filled and is in nobody's cache yet. */
static void uma_19_bucket_in_flight_reaches_the_sleeper(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	void *item;

	steer_in_flight(test, zone, zone);
	item = uma_zalloc(zone, M_NOWAIT);
	uma_test_steer(NULL);
	/* Once more if the sleeper was served and gone before the next look. */
	KUNIT_EXPECT_GE(test, in_flight.calls, 1);
	expect_served(test, in_flight.s);
	/* There were two. */
	KUNIT_EXPECT_NOT_NULL(test, item);
	KUNIT_EXPECT_PTR_NE(test, item, in_flight.s->item);
	uma_zfree(zone, item);
	uma_zfree(zone, in_flight.s->item);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* An item whose free had found no sleeper and went to get an empty bucket. */
static void uma_19_free_in_flight_reaches_the_sleeper(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	void **items = get_all(test, zone);

	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	steer_in_flight(test, zone, zone);
	uma_zfree(zone, items[0]);
	uma_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, in_flight.calls, 1);
	expect_served(test, in_flight.s);
	KUNIT_EXPECT_PTR_EQ(test, in_flight.s->item, items[0]);
	expect_nothing_free(test, zone);
	uma_zfree(zone, in_flight.s->item);
	uma_zfree(zone, items[1]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A bucket that somebody else is emptying. */
static void start_in_fini(void *mem, int size)
{
	if (in_flight.calls++)
		return;
	in_flight.s = start_sleeper(in_flight.test, in_flight.sleeps_on,
				    M_WAITOK);
}

static void uma_19_item_on_its_way_to_the_slab_reaches_the_sleeper(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	uma_zone_t second = uma_zsecond_create("uma 19 second", NULL, NULL,
					       NULL, start_in_fini, zone);
	void **items;

	KUNIT_ASSERT_NOT_NULL(test, second);
	items = get_all(test, second);
	uma_zfree(second, items[0]);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, second).cpu_free, 1);
	steer_in_flight(test, NULL, zone);
	KUNIT_EXPECT_EQ(test, uma_zone_reclaim(second, UMA_RECLAIM_DRAIN_CPU),
			0);
	uma_test_steer(NULL);
	expect_served(test, in_flight.s);
	KUNIT_EXPECT_PTR_EQ(test, in_flight.s->item, items[0]);
	uma_zfree(zone, in_flight.s->item);
	uma_zfree(second, items[1]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A section that began before the sleeper said so ends after it. */
static struct {
	uma_zone_t zone;
	unsigned int calls;
	bool seen;
} section;

static void section_hook(enum uma_steer_point point, void *obj)
{
	unsigned long i;

	if (point != UMA_STEER_SECTION || obj != section.zone ||
	    READ_ONCE(section.calls))
		return;
	WRITE_ONCE(section.calls, 1);
	for (i = 0; i < 1000000 && !section.seen; i++) {
		section.seen = READ_ONCE(section.zone->uz_keg->uk_sleepers);
		udelay(2);
	}
	/* Time for all that the sleeper does not wait with. */
	mdelay(50);
}

static int freer_fn(void *arg)
{
	struct sleeper *s = arg;

	uma_zfree(s->zone, s->item);
	kthread_complete_and_exit(&s->done, 0);
}

/* What makes a free take the way that has the steering point. */
static void some_dtor(void *mem, int size, void *arg)
{
}

static void uma_19_section_in_flight_is_waited_for(struct kunit *test)
{
	unsigned int cpu = uma_test_other_cpu(test);
	unsigned int here = raw_smp_processor_id();
	unsigned long end = jiffies + PATIENCE;
	struct sleeper *s, *f;
	uma_zone_t zone;
	void **items;

	zone = uma_zcreate("uma 19", ITEM, NULL, some_dtor, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	uma_zone_set_max(zone, 4);
	items = get_all(test, zone);
	s = make_task(test, zone, M_WAITOK);
	kthread_bind(s->task, here);
	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->zone = zone;
	f->item = items[0];
	init_completion(&f->done);
	f->task = kthread_create(freer_fn, f, "uma_test_freer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(f->task));
	kthread_bind(f->task, cpu);
	/* Its CPU has a bucket with room, so that the free is one section. */
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	uma_zfree(zone, items[1]);
	items[1] = uma_zalloc(zone, M_NOWAIT);
	set_cpus_allowed_ptr(current, cpumask_of(here));
	section.zone = zone;
	section.calls = 0;
	section.seen = false;
	uma_test_steer(section_hook);
	wake_up_process(f->task);
	while (!READ_ONCE(section.calls) && time_before(jiffies, end))
		cond_resched();
	wake_up_process(s->task);
	expect_served(test, s);
	KUNIT_EXPECT_TRUE(test, came_back(f));
	uma_test_steer(NULL);
	KUNIT_EXPECT_TRUE(test, section.seen);
	KUNIT_EXPECT_PTR_EQ(test, s->item, items[0]);
	uma_zfree(zone, s->item);
	uma_test_put(zone, items + 1, 3);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* uma_zdestroy() */

static void uma_19_zone_with_sleepers_is_not_destroyed(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 2);
	void **items = get_all(test, zone);
	struct sleeper *s[2];

	start_sleepers(test, zone, s, 2);
	pr_info("uma-expect-begin: cannot destroy zone \"uma 19\": 2 items are in use\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), -EBUSY);
	pr_info("uma-expect-end\n");
	expect_only_first(test, s, 2, 0);
	uma_zfree(zone, items[0]);
	expect_only_first(test, s, 2, 1);
	uma_zfree(zone, items[1]);
	expect_only_first(test, s, 2, 2);
	end_line(test, zone, s, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/*
 * While a zone is hidden because it is being destroyed, an item is freed into
 * its cache and two threads go to sleep, which do not find the zone.
 */
static struct {
	struct kunit *test;
	uma_zone_t master, dying;
	void *item;
	struct sleeper *s[2];
} hidden;

static void hidden_fini(void *mem, int size)
{
	void *item = xchg(&hidden.item, NULL);

	if (!item)
		return;
	uma_zfree(hidden.dying, item);
	start_sleepers(hidden.test, hidden.master, hidden.s, 2);
}

static void uma_19_refused_destruction_leaves_nothing_behind(struct kunit *test)
{
	uma_zone_t zone = limited_zone(test, 4);
	void **items;

	hidden.test = test;
	hidden.master = zone;
	hidden.dying = uma_zsecond_create("uma 19 second", NULL, NULL, NULL,
					  hidden_fini, zone);
	KUNIT_ASSERT_NOT_NULL(test, hidden.dying);
	items = get_all(test, hidden.dying);
	uma_zfree(hidden.dying, items[0]);
	hidden.item = items[1];
	pr_info("uma-expect-begin: cannot destroy zone \"uma 19 second\"\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(hidden.dying), -EBUSY);
	pr_info("uma-expect-end\n");
	expect_only_first(test, hidden.s, 2, 2);
	expect_nothing_free(test, hidden.dying);
	end_line(test, zone, hidden.s, 2);
	uma_test_put(hidden.dying, items + 2, 2);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(hidden.dying), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A crowd, looked at whenever nobody moves. */

#define CROWD		10
#define CROWD_ITEMS	4
#define CROWD_LOOKS	25

static struct {
	uma_zone_t zone[2];
	bool pause;
	bool stop;
	atomic_t parked;
	atomic_t spoilt;
} crowd;

struct member {
	unsigned int id;
	struct rnd_state rnd;
	void *items[CROWD_ITEMS];
	unsigned int held;
	unsigned int waits;
	struct completion done;
	struct task_struct *task;
};

static DECLARE_WAIT_QUEUE_HEAD(crowd_goes_on);

static void member_park(void)
{
	if (!READ_ONCE(crowd.pause))
		return;
	atomic_inc(&crowd.parked);
	wait_event_idle(crowd_goes_on, !READ_ONCE(crowd.pause));
	atomic_dec(&crowd.parked);
}

static void member_drop(struct member *m, uma_zone_t zone)
{
	unsigned int i;

	for (i = 0; i < m->held; i++)
		if (memchr_inv(m->items[i], (u8)m->id, ITEM))
			atomic_inc(&crowd.spoilt);
	if (m->held > 1 && prandom_u32_state(&m->rnd) & 1)
		uma_zfree_bulk(zone, m->items, m->held);
	else
		uma_test_put(zone, m->items, m->held);
	m->held = 0;
}

static int member_fn(void *arg)
{
	struct member *m = arg;
	unsigned int i, want;
	uma_zone_t zone;
	int flags;

	while (!READ_ONCE(crowd.stop)) {
		u32 r = prandom_u32_state(&m->rnd);

		zone = crowd.zone[r & 1];
		want = 1 + (r >> 4) % CROWD_ITEMS;
		/* Only who has nothing waits, or all might. */
		flags = r & 8 ? M_WAITOK : M_NOWAIT;
		m->waits += flags == M_WAITOK;
		if (want > 1) {
			m->held = uma_zalloc_bulk(zone, m->items, want, flags);
		} else {
			m->items[0] = uma_zalloc(zone, flags);
			m->held = !!m->items[0];
		}
		if (flags == M_WAITOK && m->held != want)
			atomic_inc(&crowd.spoilt);
		for (i = 0; i < m->held; i++)
			memset(m->items[i], m->id, ITEM);
		member_park();
		if (r & 16)
			schedule_timeout_idle(1);
		member_drop(m, zone);
		member_park();
		cond_resched();
	}
	kthread_complete_and_exit(&m->done, 0);
}

/* Everybody is parked or in line, and asleep there, and nobody is woken. */
static bool crowd_at_rest(struct member *m, struct uma_keg *keg)
{
	unsigned long end = jiffies + PATIENCE;
	u32 i, n, still = 0;

	while (still < 3 && time_before(jiffies, end)) {
		msleep(20);
		n = atomic_read(&crowd.parked) + READ_ONCE(keg->uk_sleepers);
		for (i = 0; i < CROWD; i++)
			n -= READ_ONCE(m[i].task->__state) != TASK_IDLE;
		still = n == CROWD ? still + 1 : 0;
	}
	return still == 3;
}

/* Items that those in line have been given and that are not enough for them. */
static unsigned int handed_over(struct uma_keg *keg)
{
	struct uma_waiter *w;
	unsigned int i, n = 0;
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	for (i = 0; i < ARRAY_SIZE(keg->uk_waiters); i++)
		list_for_each_entry(w, &keg->uk_waiters[i], link)
			n += w->got;
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return n;
}

static void crowd_look(struct kunit *test, struct member *m,
		       unsigned int *seen)
{
	struct uma_keg *keg = crowd.zone[0]->uz_keg;
	unsigned int i;

	WRITE_ONCE(crowd.pause, true);
	KUNIT_ASSERT_TRUE_MSG(test, crowd_at_rest(m, keg),
			      "%d are parked, %u sleep",
			      atomic_read(&crowd.parked), keg->uk_sleepers);
	if (READ_ONCE(keg->uk_sleepers)) {
		(*seen)++;
		for (i = 0; i < 2; i++)
			expect_nothing_free(test, crowd.zone[i]);
		KUNIT_EXPECT_TRUE(test, uma_zone_exhausted(crowd.zone[0]));
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(crowd.zone[0]) +
				      uma_zone_get_cur(crowd.zone[1]) +
				      handed_over(keg),
				uma_keg_items_out(keg));
	}
	WRITE_ONCE(crowd.pause, false);
	wake_up_all(&crowd_goes_on);
}

static void uma_19_nobody_in_a_crowd_sleeps_beside_a_free_item(struct kunit *test)
{
	struct member *m = kunit_kcalloc(test, CROWD, sizeof(*m), GFP_KERNEL);
	unsigned int i, seen = 0, waits = 0;

	KUNIT_ASSERT_NOT_NULL(test, m);
	memset(&crowd, 0, sizeof(crowd));
	crowd.zone[0] = limited_zone(test, CROWD_ITEMS);
	crowd.zone[1] = uma_zsecond_create("uma 19 second", NULL, NULL, NULL,
					   NULL, crowd.zone[0]);
	KUNIT_ASSERT_NOT_NULL(test, crowd.zone[1]);
	/* The crowd has all CPUs. */
	for (i = 0; i < CROWD; i++) {
		m[i].id = i + 1;
		prandom_seed_state(&m[i].rnd, i + 1);
		init_completion(&m[i].done);
		m[i].task = kthread_run(member_fn, &m[i], "uma_test_crowd");
		KUNIT_ASSERT_FALSE(test, IS_ERR(m[i].task));
	}
	for (i = 0; i < CROWD_LOOKS; i++) {
		msleep(30);
		/* Lower and higher, under load; what is out may be more. */
		uma_zone_set_max(crowd.zone[i & 1], i % 3 ? CROWD_ITEMS :
				 CROWD_ITEMS / 2);
		crowd_look(test, m, &seen);
		uma_zone_set_max(crowd.zone[0], CROWD_ITEMS);
	}
	WRITE_ONCE(crowd.stop, true);
	for (i = 0; i < CROWD; i++) {
		KUNIT_ASSERT_GT_MSG(test, wait_for_completion_timeout(&m[i].done,
								      PATIENCE),
				    0, "a thread sleeps on");
		waits += m[i].waits;
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&crowd.spoilt), 0);
	KUNIT_EXPECT_GT(test, seen, 0);
	KUNIT_EXPECT_GT(test, waits, CROWD);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(crowd.zone[i]), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(crowd.zone[1]), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(crowd.zone[0]), 0);
}

static struct kunit_case line_cases[] = {
	KUNIT_CASE(uma_19_first_come_first_served),
	KUNIT_CASE(uma_19_many_frees_go_to_the_first),
	KUNIT_CASE(uma_19_newcomer_does_not_overtake),
	KUNIT_CASE(uma_19_newcomer_gets_nothing_of_a_raised_limit),
	KUNIT_CASE(uma_19_raised_limit_serves_in_order),
	KUNIT_CASE(uma_19_no_limit_releases_all),
	KUNIT_CASE(uma_19_privileged_go_first),
	KUNIT_CASE(uma_19_reserve_is_for_privileged_sleepers),
	KUNIT_CASE(uma_19_sleeper_fills_the_reserve_before_it_sleeps),
	KUNIT_CASE(uma_19_secondary_zones_share_the_line),
	KUNIT_CASE(uma_19_failed_zinit_passes_the_item_on),
	KUNIT_CASE(uma_19_failed_init_passes_the_room_on),
	KUNIT_CASE(uma_19_item_for_who_gives_up_is_not_lost),
	KUNIT_CASE(uma_19_sleeper_finds_what_the_list_holds),
	KUNIT_CASE(uma_19_bucket_in_flight_reaches_the_sleeper),
	KUNIT_CASE(uma_19_free_in_flight_reaches_the_sleeper),
	KUNIT_CASE(uma_19_item_on_its_way_to_the_slab_reaches_the_sleeper),
	KUNIT_CASE(uma_19_section_in_flight_is_waited_for),
	KUNIT_CASE(uma_19_zone_with_sleepers_is_not_destroyed),
	KUNIT_CASE(uma_19_refused_destruction_leaves_nothing_behind),
	KUNIT_CASE(uma_19_nobody_in_a_crowd_sleeps_beside_a_free_item),
	{}
};

static struct kunit_suite line_suite = {
	.name = "line",
	.init = uma_test_still_init,
	.exit = uma_test_still_exit,
	.test_cases = line_cases,
};

kunit_test_suite(line_suite);

MODULE_DESCRIPTION("KUnit: the line of those who wait at a limit");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
