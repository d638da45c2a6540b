// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim: what is cached goes back, by request, by shortage and by time; what
 * is in use does not; and nobody who allocates, creates or reclaims on the way
 * waits for himself.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/string.h>

#include "uma_test.h"

#define ITEM		128
#define MANY		2000
#define PATIENCE	(20 * HZ)
#define SECS		"/sys/module/uma/parameters/working_set_secs"

/* A thread of ours waits for itself; reclaiming would wait with it. */
static bool deadlocked;

/* The interval's worker stays away, except where a case calls it. */
static void set_working_set_secs(struct kunit *test, const char *secs)
{
	struct file *file = filp_open(SECS, O_WRONLY, 0);
	loff_t pos = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, kernel_write(file, secs, strlen(secs), &pos),
			(ssize_t)strlen(secs));
	filp_close(file, NULL);
}

static int reclaim_init(struct kunit *test)
{
	if (deadlocked)
		return -EDEADLK;
	set_working_set_secs(test, "86400");
	return uma_test_init(test);
}

static void reclaim_exit(struct kunit *test)
{
	if (deadlocked)
		return;
	uma_test_exit(test);
	set_working_set_secs(test, "20");
}

/* UMA-16: all of it in a thread of its own, so that a deadlock is seen */

struct attempt {
	void (*fn)(void);
	struct completion done;
};

static int attempt_fn(void *arg)
{
	struct attempt *a = arg;

	a->fn();
	kthread_complete_and_exit(&a->done, 0);
}

/*
 * Whether @fn comes back. If not, its thread is lost, and so is the suite, which
 * can't even be unloaded.
 */
static bool comes_back(struct kunit *test, void (*fn)(void))
{
	static struct attempt a;
	struct task_struct *task;

	a.fn = fn;
	init_completion(&a.done);
	task = kthread_run(attempt_fn, &a, "uma_test_attempt");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	deadlocked = !wait_for_completion_timeout(&a.done, PATIENCE);
	if (deadlocked)
		__module_get(THIS_MODULE);
	return !deadlocked;
}

static struct {
	uma_zone_t zone;
	uma_zone_t other;
	unsigned int calls;
	unsigned int bad;
} busy;

static void reclaim_everything(void)
{
	uma_reclaim_interval();
	uma_reclaim(UMA_RECLAIM_TRIM);
	uma_reclaim(UMA_RECLAIM_DRAIN);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
}

/* All that the allocator can be asked for, while it reclaims. */
static void work_while_reclaiming(enum uma_steer_point point, void *obj)
{
	uma_zone_t zone;
	void *item;

	if (point != UMA_STEER_RECLAIM || busy.calls >= 40)
		return;
	busy.calls++;
	item = uma_zalloc(busy.zone, M_WAITOK);
	busy.bad += !item;
	uma_zfree(busy.zone, item);
	zone = uma_zcreate("uma 16 passing", ITEM, NULL, NULL, NULL, NULL,
			   UMA_ALIGN_PTR, UMA_ZONE_OFFPAGE);
	busy.bad += !zone;
	if (!zone)
		return;
	item = uma_zalloc(zone, M_WAITOK);
	busy.bad += !item;
	uma_zfree(zone, item);
	busy.bad += uma_zdestroy(zone) != 0;
	if (busy.calls < 4)
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
}

static void uma_16_allocator_works_while_it_reclaims(struct kunit *test)
{
	memset(&busy, 0, sizeof(busy));
	busy.zone = uma_test_zone(test, "uma 16", ITEM, 0);
	uma_test_steer(work_while_reclaiming);
	KUNIT_ASSERT_TRUE_MSG(test, comes_back(test, reclaim_everything),
			      "deadlock");
	uma_test_steer(NULL);
	KUNIT_EXPECT_GT(test, busy.calls, 0);
	KUNIT_EXPECT_EQ(test, busy.bad, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(busy.zone), 0);
}

/* A fini that allocates, and reclaims. */
static void reclaiming_fini(void *mem, int size)
{
	void *item = uma_zalloc(busy.other, M_WAITOK);

	busy.bad += !item;
	uma_zfree(busy.other, item);
	if (busy.calls++ % 16 == 0)
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
}

static void uma_16_fini_may_allocate_and_reclaim(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	uma_zone_t second;

	memset(&busy, 0, sizeof(busy));
	busy.other = uma_test_zone(test, "uma 16 other", ITEM, UMA_ZONE_OFFPAGE);
	busy.zone = uma_zcreate("uma 16", ITEM, NULL, NULL, NULL,
				reclaiming_fini, UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, busy.zone);
	second = uma_zsecond_create("uma 16 second", NULL, NULL, NULL,
				    reclaiming_fini, busy.zone);
	KUNIT_ASSERT_NOT_NULL(test, second);
	uma_test_get(test, second, items, 200);
	uma_test_put(second, items, 200);
	KUNIT_ASSERT_TRUE_MSG(test, comes_back(test, reclaim_everything),
			      "deadlock");
	KUNIT_EXPECT_GE(test, busy.calls, 400);
	KUNIT_EXPECT_EQ(test, busy.bad, 0);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(busy.zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(busy.zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(busy.other), 0);
}

/* Reclaim between the making of a slab and its first item. */
static void reclaim_while_importing(enum uma_steer_point point, void *obj)
{
	if (point != UMA_STEER_IMPORT || obj != busy.zone->uz_keg ||
	    busy.calls++)
		return;
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
}

static void allocate_one(void)
{
	void *item = uma_zalloc(busy.zone, M_WAITOK);

	busy.bad += !item;
	uma_zfree(busy.zone, item);
}

static void uma_16_reclaim_inside_an_allocation(struct kunit *test)
{
	memset(&busy, 0, sizeof(busy));
	busy.zone = uma_test_zone(test, "uma 16", ITEM, UMA_ZONE_OFFPAGE);
	uma_test_steer(reclaim_while_importing);
	KUNIT_ASSERT_TRUE_MSG(test, comes_back(test, allocate_one), "deadlock");
	uma_test_steer(NULL);
	KUNIT_EXPECT_GT(test, busy.calls, 0);
	KUNIT_EXPECT_EQ(test, busy.bad, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(busy.zone), 0);
}

/* UMA-23 */

static unsigned int undone;

static void count_fini(void *mem, int size)
{
	undone++;
}

static void uma_23_each_request_takes_what_it_says(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("uma 23", ITEM, NULL, NULL, NULL,
				      count_fini, UMA_ALIGN_PTR, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	undone = 0;
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_GT(test, t.cpu_free, 0);
	KUNIT_EXPECT_GT(test, t.zone_free, 0);

	/* Every bucket but those of the CPUs, and the slabs that this empties. */
	uma_reclaim(UMA_RECLAIM_DRAIN);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.zone_free, 0);
	KUNIT_EXPECT_GT(test, t.cpu_free, 0);
	KUNIT_EXPECT_GT(test, t.pages, 0);
	KUNIT_EXPECT_GT(test, undone, 0);

	/* Those as well. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free + t.keg_free, 0);
	KUNIT_EXPECT_EQ(test, t.pages, 0);
	KUNIT_EXPECT_GE(test, undone, MANY);
	KUNIT_EXPECT_EQ(test, uma_test_free_pages(), (unsigned long)test->priv);

	pr_info("uma-expect-begin: uma_reclaim: no such request\n");
	uma_reclaim(0);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU + 1);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_23_what_is_in_use_stays(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	uma_test_get(test, zone, items, MANY);
	for (i = 0; i < MANY; i++)
		memset(items[i], i, ITEM);
	/* One in each few pages is enough to hold these. */
	for (i = 0; i < MANY; i++)
		if (i % 100)
			uma_zfree(zone, items[i]);
	reclaim_everything();
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), MANY / 100);
	KUNIT_EXPECT_EQ(test, uma_keg_items_out(zone->uz_keg), MANY / 100);
	for (i = 0; i < MANY; i += 100) {
		KUNIT_EXPECT_NULL(test, memchr_inv(items[i], (u8)i, ITEM));
		uma_zfree(zone, items[i]);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_23_interval_trims_to_the_working_set(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals peak, t;
	unsigned int i;

	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	uma_reclaim_interval();
	peak = uma_test_totals(test, zone);

	/* An interval that needs a quarter keeps about that, not the peak. */
	for (i = 0; i < 3; i++) {
		uma_test_get(test, zone, items, MANY / 4);
		uma_test_put(zone, items, MANY / 4);
		uma_reclaim_interval();
		t = uma_test_totals(test, zone);
		KUNIT_EXPECT_LT(test, t.pages, peak.pages);
		KUNIT_EXPECT_GE(test, t.cpu_free + t.zone_free,
				MANY / 4 - 128);
		KUNIT_EXPECT_LE(test, t.cpu_free + t.zone_free,
				MANY / 4 + 3 * 128);
	}

	/* One that needs nothing keeps nothing. */
	uma_reclaim_interval();
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free + t.keg_free, 0);
	KUNIT_EXPECT_EQ(test, t.pages, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A zone in use at each end of an interval is not trimmed below its use. */
static void uma_23_working_set_is_not_given_up(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	u32 pages;
	int i;

	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	pages = uma_keg_pages(zone->uz_keg);
	for (i = 0; i < 4; i++) {
		uma_test_get(test, zone, items, MANY);
		uma_test_put(zone, items, MANY);
		uma_reclaim_interval();
		KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), pages);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static bool pages_gone(uma_zone_t zone, unsigned int secs)
{
	unsigned long end = jiffies + secs * HZ;

	while (uma_keg_pages(zone->uz_keg) && time_before(jiffies, end))
		msleep(20);
	return !uma_keg_pages(zone->uz_keg);
}

static void uma_23_idle_zone_gives_back_by_itself(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, 0);
	void **items = uma_test_items(test, MANY);

	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_GT(test, uma_keg_pages(zone->uz_keg), 0);
	set_working_set_secs(test, "1");
	KUNIT_EXPECT_TRUE(test, pages_gone(zone, 10));
	set_working_set_secs(test, "86400");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_23_shortage_brings_pages_back(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	struct vm_page *m;
	LIST_HEAD(taken);

	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_GT(test, uma_keg_pages(zone->uz_keg), 0);
	while ((m = uma_pool_alloc(uma_pool, 1, M_NOWAIT)))
		list_add(&m->pageq, &taken);
	KUNIT_EXPECT_TRUE(test, pages_gone(zone, 10));
	while ((m = list_first_entry_or_null(&taken, struct vm_page, pageq))) {
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_23_nofree_keeps_its_slabs_till_the_end(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, UMA_ZONE_NOFREE);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;
	u32 pages;

	uma_test_get(test, zone, items, MANY);
	pages = uma_keg_pages(zone->uz_keg);
	uma_test_put(zone, items, MANY);
	reclaim_everything();
	uma_reclaim_interval();
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.pages, pages);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
	KUNIT_EXPECT_GE(test, t.keg_free, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_test_free_pages(), (unsigned long)test->priv);
}

/* uma_zone_reclaim() */

/* Two zones with full caches and lists. */
static void fill_two(struct kunit *test, uma_zone_t zone[2], void **items)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		zone[i] = uma_test_zone(test, "uma 23", ITEM, 0);
		uma_test_get(test, zone[i], items, MANY);
		uma_test_put(zone[i], items, MANY);
	}
}

static void expect_same(struct kunit *test, struct uma_test_totals a,
			struct uma_test_totals b)
{
	KUNIT_EXPECT_EQ(test, a.allocs, b.allocs);
	KUNIT_EXPECT_EQ(test, a.frees, b.frees);
	KUNIT_EXPECT_EQ(test, a.cpu_free, b.cpu_free);
	KUNIT_EXPECT_EQ(test, a.zone_free, b.zone_free);
	KUNIT_EXPECT_EQ(test, a.keg_free, b.keg_free);
	KUNIT_EXPECT_EQ(test, a.pages, b.pages);
}

static void uma_23_zone_reclaim_is_for_one_zone(struct kunit *test)
{
	static const int reqs[] = { UMA_RECLAIM_TRIM, UMA_RECLAIM_DRAIN,
				    UMA_RECLAIM_DRAIN_CPU };
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals before[2], t;
	uma_zone_t zone[2];
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		fill_two(test, zone, items);
		for (k = 0; k < 2; k++) {
			before[k] = uma_test_totals(test, zone[k]);
			KUNIT_EXPECT_GT(test, before[k].cpu_free, 0);
			KUNIT_EXPECT_GT(test, before[k].zone_free, 0);
		}
		KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone[0], reqs[i]), 0);
		expect_same(test, uma_test_totals(test, zone[1]), before[1]);
		t = uma_test_totals(test, zone[0]);
		KUNIT_EXPECT_EQ(test, t.allocs, MANY);
		KUNIT_EXPECT_EQ(test, t.frees, MANY);
		/* All of it was the working set until now. */
		if (reqs[i] == UMA_RECLAIM_TRIM)
			KUNIT_EXPECT_EQ(test, t.zone_free, before[0].zone_free);
		else
			KUNIT_EXPECT_EQ(test, t.zone_free, 0);
		if (reqs[i] == UMA_RECLAIM_DRAIN_CPU) {
			KUNIT_EXPECT_EQ(test, t.cpu_free, 0);
			KUNIT_EXPECT_EQ(test, t.pages, 0);
		} else {
			KUNIT_EXPECT_EQ(test, t.cpu_free, before[0].cpu_free);
		}
		if (reqs[i] == UMA_RECLAIM_DRAIN)
			KUNIT_EXPECT_LT(test, t.pages, before[0].pages / 2);
		for (k = 0; k < 2; k++)
			KUNIT_EXPECT_EQ(test, uma_zdestroy(zone[k]), 0);
	}
}

static void uma_23_zone_reclaim_trims_to_the_working_set(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;
	unsigned int i, held = MANY / 2;
	u32 before;

	uma_test_get(test, zone, items, held);
	for (i = 0; i < 3; i++) {
		uma_test_get(test, zone, items + held, MANY / 4);
		uma_test_put(zone, items + held, MANY / 4);
		uma_reclaim_interval();
	}
	/* These were never needed again. */
	uma_test_put(zone, items, held);
	before = uma_test_totals(test, zone).zone_free;
	KUNIT_EXPECT_GE(test, before, MANY * 3 / 4 - 3 * 128);
	KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone, UMA_RECLAIM_TRIM), 0);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_LE(test, t.zone_free, held + 128);
	KUNIT_EXPECT_GE(test, t.zone_free, MANY / 4 - 3 * 128);
	KUNIT_EXPECT_GT(test, t.cpu_free, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Of zones on one keg, too. */
static void uma_23_zone_reclaim_leaves_its_master_alone(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 23", ITEM, 0);
	uma_zone_t second = uma_zsecond_create("uma 23 second", NULL, NULL,
					       NULL, NULL, zone);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals before, t;

	KUNIT_ASSERT_NOT_NULL(test, second);
	uma_test_get(test, zone, items, MANY / 2);
	uma_test_get(test, second, items + MANY / 2, MANY / 2);
	uma_test_put(zone, items, MANY / 2);
	uma_test_put(second, items + MANY / 2, MANY / 2);
	before = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, uma_zone_reclaim(second, UMA_RECLAIM_DRAIN_CPU),
			0);
	t = uma_test_totals(test, second);
	KUNIT_EXPECT_EQ(test, t.cpu_free + t.zone_free, 0);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.cpu_free, before.cpu_free);
	KUNIT_EXPECT_EQ(test, t.zone_free, before.zone_free);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_23_zone_reclaim_refuses_other_requests(struct kunit *test)
{
	static const int reqs[] = { 0, -1, 4, 5, INT_MIN, INT_MAX };
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals before;
	uma_zone_t zone[2];
	unsigned int i;

	fill_two(test, zone, items);
	before = uma_test_totals(test, zone[0]);
	for (i = 0; i < ARRAY_SIZE(reqs); i++)
		KUNIT_EXPECT_EQ(test, uma_zone_reclaim(zone[0], reqs[i]),
				-EINVAL);
	expect_same(test, uma_test_totals(test, zone[0]), before);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone[i]), 0);
}

/* Traffic and reclaim at once: each item keeps its mark, nothing is lost. */
static struct {
	uma_zone_t zone;
	unsigned int spoilt;
	u64 pairs;
} traffic;

static int traffic_fn(void *arg)
{
	unsigned long *items[60];
	unsigned int i, n;

	for (n = 1; !kthread_should_stop(); n = n % ARRAY_SIZE(items) + 1) {
		for (i = 0; i < n; i++) {
			items[i] = uma_zalloc(traffic.zone, M_WAITOK);
			*items[i] = (unsigned long)&items[i];
		}
		for (i = 0; i < n; i++) {
			traffic.spoilt +=
				*items[i] != (unsigned long)&items[i];
			*items[i] = 0;
			uma_zfree(traffic.zone, items[i]);
			traffic.pairs++;
		}
		cond_resched();
	}
	return 0;
}

static void uma_23_nothing_is_lost_under_traffic(struct kunit *test)
{
	struct task_struct *task;
	struct uma_test_totals t;
	unsigned long end;

	memset(&traffic, 0, sizeof(traffic));
	traffic.zone = uma_test_zone(test, "uma 23", ITEM, 0);
	task = kthread_run(traffic_fn, NULL, "uma_test_traffic");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (end = jiffies + HZ / 2; time_before(jiffies, end);) {
		reclaim_everything();
		schedule_timeout_uninterruptible(1);
	}
	kthread_stop(task);
	t = uma_test_totals(test, traffic.zone);
	KUNIT_EXPECT_GT(test, traffic.pairs, 0);
	KUNIT_EXPECT_EQ(test, traffic.spoilt, 0);
	KUNIT_EXPECT_EQ(test, t.allocs, traffic.pairs);
	KUNIT_EXPECT_EQ(test, t.frees, traffic.pairs);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(traffic.zone), 0);
}

static void uma_23_other_cpus_caches_are_drained(struct kunit *test)
{
	unsigned int cpu = uma_test_other_cpu(test);
	unsigned int here = raw_smp_processor_id();
	void **items = uma_test_items(test, MANY);
	struct uma_cache *c;
	uma_zone_t zone;

	zone = uma_test_zone(test, "uma 23", ITEM, 0);
	c = per_cpu_ptr(zone->uz_cpu, cpu);
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	set_cpus_allowed_ptr(current, cpumask_of(here));
	KUNIT_EXPECT_GT(test, READ_ONCE(c->uc_cnt), 0);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, READ_ONCE(c->uc_cnt), 0);
	KUNIT_EXPECT_NULL(test, READ_ONCE(c->uc_loaded));
	KUNIT_EXPECT_NULL(test, READ_ONCE(c->uc_spare));
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_23_dead_cpu_hands_its_items_back(struct kunit *test)
{
	unsigned int cpu = uma_test_other_cpu(test);
	unsigned int here = raw_smp_processor_id();
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals before, after;
	struct uma_cache *c;
	uma_zone_t zone;

	if (!cpu)
		swap(cpu, here);
	zone = uma_test_zone(test, "uma 23", ITEM, 0);
	c = per_cpu_ptr(zone->uz_cpu, cpu);
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY - 5);
	set_cpus_allowed_ptr(current, cpumask_of(here));
	before = uma_test_totals(test, zone);
	KUNIT_EXPECT_GT(test, before.cpu_free, 0);
	KUNIT_ASSERT_EQ(test, remove_cpu(cpu), 0);
	after = uma_test_totals(test, zone);
	KUNIT_EXPECT_NULL(test, c->uc_loaded);
	KUNIT_EXPECT_NULL(test, c->uc_spare);
	KUNIT_EXPECT_EQ(test, after.cpu_free, 0);
	KUNIT_EXPECT_EQ(test, after.zone_free,
			before.cpu_free + before.zone_free);
	KUNIT_EXPECT_EQ(test, after.allocs, before.allocs);
	KUNIT_EXPECT_EQ(test, after.frees, before.frees);
	/* Reclaim copes with the hole, and the CPU is welcome again. */
	reclaim_everything();
	KUNIT_EXPECT_EQ(test, add_cpu(cpu), 0);
	set_cpus_allowed_ptr(current, cpumask_of(cpu));
	uma_test_put(zone, items + MANY - 5, 5);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE(uma_16_allocator_works_while_it_reclaims),
	KUNIT_CASE(uma_16_fini_may_allocate_and_reclaim),
	KUNIT_CASE(uma_16_reclaim_inside_an_allocation),
	KUNIT_CASE(uma_23_each_request_takes_what_it_says),
	KUNIT_CASE(uma_23_what_is_in_use_stays),
	KUNIT_CASE(uma_23_zone_reclaim_is_for_one_zone),
	KUNIT_CASE(uma_23_zone_reclaim_trims_to_the_working_set),
	KUNIT_CASE(uma_23_zone_reclaim_leaves_its_master_alone),
	KUNIT_CASE(uma_23_zone_reclaim_refuses_other_requests),
	KUNIT_CASE(uma_23_interval_trims_to_the_working_set),
	KUNIT_CASE(uma_23_working_set_is_not_given_up),
	KUNIT_CASE(uma_23_idle_zone_gives_back_by_itself),
	KUNIT_CASE(uma_23_shortage_brings_pages_back),
	KUNIT_CASE(uma_23_nofree_keeps_its_slabs_till_the_end),
	KUNIT_CASE(uma_23_nothing_is_lost_under_traffic),
	KUNIT_CASE(uma_23_other_cpus_caches_are_drained),
	KUNIT_CASE(uma_23_dead_cpu_hands_its_items_back),
	{}
};

static struct kunit_suite reclaim_suite = {
	.name = "reclaim",
	.init = reclaim_init,
	.exit = reclaim_exit,
	.test_cases = reclaim_cases,
};

kunit_test_suite(reclaim_suite);

MODULE_DESCRIPTION("KUnit: what is cached goes back");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
