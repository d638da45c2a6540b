// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guarded items in all contexts and on several processors at once: frees that
 * meet at one item, what is written from elsewhere, and interrupts.
 */
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "in_context.h"
#include "memguard_test.h"

#define ITEM	100

static void end_zone(struct kunit *test, uma_zone_t zone)
{
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* MG-04: frees that meet. */

#define FREERS	3

static struct {
	uma_zone_t zone;
	void *item;
	atomic_t claims;
	atomic_t destroyed;
	atomic_t returned;
	struct completion start;
	struct completion claimed;
	struct completion go_on;
	struct completion ended[FREERS];
} meet;

static void meet_dtor(void *mem, int size, void *arg)
{
	atomic_inc(&meet.destroyed);
	memset(mem, 0xdd, size);
}

/* Who has claimed the item waits until all others have tried. */
static void meet_hook(enum uma_steer_point point, void *obj)
{
	if (point != UMA_STEER_GUARD_CLAIM || obj != READ_ONCE(meet.item))
		return;
	if (atomic_inc_return(&meet.claims) > 1)
		return;
	complete_all(&meet.claimed);
	wait_for_completion_timeout(&meet.go_on, 20 * HZ);
}

static int freer_fn(void *arg)
{
	wait_for_completion(&meet.start);
	uma_zfree(meet.zone, meet.item);
	atomic_inc(&meet.returned);
	complete((struct completion *)arg);
	return 0;
}

static void mg_04_of_three_frees_one_goes_on(struct kunit *test)
{
	struct task_struct *task;
	struct mg_test *mg = test->priv;
	unsigned int i, round;

	memset(&meet, 0, sizeof(meet));
	meet.zone = uma_zcreate("mg zone", ITEM, NULL, meet_dtor, NULL, NULL,
				UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, meet.zone);
	mg_guard(test, "mg zone");
	uma_test_steer(meet_hook);
	for (round = 0; round < 10; round++) {
		atomic_set(&meet.claims, 0);
		atomic_set(&meet.destroyed, 0);
		atomic_set(&meet.returned, 0);
		init_completion(&meet.start);
		init_completion(&meet.claimed);
		init_completion(&meet.go_on);
		meet.item = uma_zalloc(meet.zone, M_WAITOK);
		KUNIT_ASSERT_TRUE(test, uma_guard_covers(meet.item));
		memset(meet.item, 0x11, ITEM);
		for (i = 0; i < FREERS; i++) {
			init_completion(&meet.ended[i]);
			task = kthread_run(freer_fn, &meet.ended[i],
					   "uma_test_freer");
			KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		}
		mg_announce();
		complete_all(&meet.start);
		KUNIT_EXPECT_TRUE(test, mg_wait(atomic_read(&meet.returned) ==
						FREERS - 1));
		/* Two were refused; the item is as the owner left it. */
		KUNIT_EXPECT_EQ(test, atomic_read(&meet.claims), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&meet.destroyed), 0);
		KUNIT_EXPECT_NULL(test, memchr_inv(meet.item, 0x11, ITEM));
		mg_expect_line(test, "BUG: MemGuard: double free in freer_fn+0x");
		mg_expect_line(test, "double free of 0x%px (in item 0x%px-",
			       meet.item, meet.item);
		mg_expect_line(test, "freed by task ");
		KUNIT_EXPECT_NOT_NULL(test, strstr(mg->report, "uma_test_freer"));
		complete_all(&meet.go_on);
		for (i = 0; i < FREERS; i++)
			wait_for_completion(&meet.ended[i]);
		mg_announced();
		KUNIT_EXPECT_EQ(test, atomic_read(&meet.claims), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&meet.destroyed), 1);
		mg_expect_count(test, MEMGUARD_DOUBLE_FREE, FREERS - 1);
		KUNIT_EXPECT_EQ(test, uma_zone_get_cur(meet.zone), 0);
	}
	uma_test_steer(NULL);
	mg_expect_none(test);
	end_zone(test, meet.zone);
}

/* By chance, many times: one goes on, whoever. */
static void free_here(void *unused)
{
	uma_zfree(meet.zone, meet.item);
}

static void mg_04_frees_on_all_cpus_at_once(struct kunit *test)
{
	unsigned int cpus = num_online_cpus(), round;

	uma_test_other_cpu(test);
	memset(&meet, 0, sizeof(meet));
	meet.zone = uma_zcreate("mg zone", ITEM, NULL, meet_dtor, NULL, NULL,
				UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, meet.zone);
	mg_guard(test, "mg zone");
	for (round = 0; round < 100; round++) {
		if (round == 0)
			mg_announce();
		meet.item = uma_zalloc(meet.zone, M_WAITOK);
		KUNIT_EXPECT_TRUE(test, uma_guard_covers(meet.item));
		/* In interrupts of all processors. */
		on_each_cpu(free_here, NULL, 1);
		mg_expect_count(test, MEMGUARD_DOUBLE_FREE, cpus - 1);
		if (round == 0) {
			mg_announced();
			mg_quiet(test);
		}
	}
	mg_loud(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&meet.destroyed), round);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, meet.zone).frees, round);
	mg_expect_none(test);
	end_zone(test, meet.zone);
}

/* A free has begun: the item can still be written, and its destructor has it. */
static struct {
	void *item;
	bool intact;
} begun;

static void begun_hook(enum uma_steer_point point, void *obj)
{
	if (point != UMA_STEER_GUARD_CLAIM || obj != READ_ONCE(begun.item))
		return;
	begun.intact = !memchr_inv(obj, 0x11, ITEM);
}

static void mg_04_destructor_comes_after_the_claim(struct kunit *test)
{
	memset(&meet, 0, sizeof(meet));
	meet.zone = uma_zcreate("mg zone", ITEM, NULL, meet_dtor, NULL, NULL,
				UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, meet.zone);
	mg_guard(test, "mg zone");
	begun.item = uma_zalloc(meet.zone, M_WAITOK);
	begun.intact = false;
	memset(begun.item, 0x11, ITEM);
	uma_test_steer(begun_hook);
	uma_zfree(meet.zone, begun.item);
	uma_test_steer(NULL);
	KUNIT_EXPECT_TRUE(test, begun.intact);
	KUNIT_EXPECT_EQ(test, atomic_read(&meet.destroyed), 1);
	mg_expect_none(test);
	end_zone(test, meet.zone);
}

/* On several processors: alloc here, free there, write from elsewhere. */

#define ROUNDS	1000

static struct {
	uma_zone_t zone;
	void *item;
} far;

static long alloc_far(void *unused)
{
	far.item = uma_zalloc(far.zone, M_WAITOK);
	memset(far.item, 0x11, ITEM);
	return uma_guard_covers(far.item);
}

static long free_far(void *unused)
{
	WARN_ON(!preemptible());
	uma_zfree(far.zone, far.item);
	return 0;
}

/* While it is out, so that this processor remembers that it may. */
static void write_far(void *offset)
{
	mg_write(far.item + (unsigned long)offset);
}

static long late_far(void *offset)
{
	mg_write(far.item + (unsigned long)offset);
	return 0;
}

static void mg_03_written_from_a_third_cpu(struct kunit *test)
{
	unsigned int cpu, n = 0, cpus[3], round;
	void *offset;

	for_each_online_cpu(cpu)
		if (cpu != raw_smp_processor_id() && n < 3)
			cpus[n++] = cpu;
	if (n < 3)
		kunit_skip(test, "needs four CPUs");
	far.zone = uma_test_zone(test, "mg zone", ITEM, 0);
	mg_guard(test, "mg zone");
	mg_announce();
	for (round = 0; round < ROUNDS; round++) {
		offset = (void *)(unsigned long)(round % ITEM);
		KUNIT_ASSERT_TRUE(test, work_on_cpu(cpus[0], alloc_far, NULL));
		smp_call_function_single(cpus[2], write_far, offset, 1);
		mg_expect_none(test);
		work_on_cpu(cpus[1], free_far, NULL);
		/* In an interrupt, and in a thread. */
		if (round % 2)
			smp_call_function_single(cpus[2], write_far, offset, 1);
		else
			work_on_cpu(cpus[2], late_far, offset);
		mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
		mg_expect_line(test,
			       "use-after-free write at 0x%px (in item 0x%px-",
			       far.item + (unsigned long)offset, far.item);
		if (round == 1) {
			mg_announced();
			mg_quiet(test);
		}
	}
	mg_loud(test);
	mg_expect_none(test);
	end_zone(test, far.zone);
}

/* The same with two: the free on one, the write at once on the other. */
#define ROUNDS_OF_TWO	200

static void mg_03_written_from_another_cpu(struct kunit *test)
{
	unsigned int cpu = uma_test_other_cpu(test), round;
	void *offset;

	far.zone = uma_test_zone(test, "mg zone", ITEM, 0);
	mg_guard(test, "mg zone");
	mg_announce();
	for (round = 0; round < ROUNDS_OF_TWO; round++) {
		offset = (void *)(unsigned long)(round % ITEM);
		KUNIT_ASSERT_TRUE(test, alloc_far(NULL));
		smp_call_function_single(cpu, write_far, offset, 1);
		uma_zfree(far.zone, far.item);
		smp_call_function_single(cpu, write_far, offset, 1);
		mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
		if (round == 1) {
			mg_announced();
			mg_quiet(test);
		}
	}
	mg_loud(test);
	mg_expect_none(test);
	end_zone(test, far.zone);
}

/* Many at the same page: each is let go on, and those that came first report. */
static void crowd_fn(void *item)
{
	mg_write(item + raw_smp_processor_id());
}

static void mg_03_all_cpus_write_at_once(struct kunit *test)
{
	unsigned int round, cpus = num_online_cpus();
	struct mg_test *mg = test->priv;
	u64 seen;
	void *item;

	uma_test_other_cpu(test);
	far.zone = uma_test_zone(test, "mg zone", ITEM, 0);
	mg_guard(test, "mg zone");
	mg_announce();
	for (round = 0; round < 100; round++) {
		item = uma_zalloc(far.zone, M_WAITOK);
		uma_zfree(far.zone, item);
		on_each_cpu(crowd_fn, item, 1);
		seen = memguard_report_count(MEMGUARD_UAF_WRITE) -
		       mg->seen[MEMGUARD_UAF_WRITE];
		KUNIT_EXPECT_GE(test, seen, 1);
		KUNIT_EXPECT_LE(test, seen, cpus);
		mg_expect_count(test, MEMGUARD_UAF_WRITE, seen);
		if (round == 0) {
			mg_announced();
			mg_quiet(test);
		}
	}
	mg_loud(test);
	mg_expect_none(test);
	end_zone(test, far.zone);
}

/* Contexts. */

#define BATCH	40

static struct {
	uma_zone_t zone;
	void *item[BATCH];
	unsigned int refused;
	unsigned int spoilt;
	unsigned int guarded;
	bool misdeed;
} job;

static void do_job(void)
{
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		job.item[i] = uma_zalloc(job.zone, M_NOWAIT);
		if (!job.item[i]) {
			job.refused++;
			continue;
		}
		job.guarded += uma_guard_covers(job.item[i]);
		memset(job.item[i], i, ITEM);
	}
	for (i = 0; i < BATCH; i++) {
		if (!job.item[i])
			continue;
		if (memchr_inv(job.item[i], (u8)i, ITEM))
			job.spoilt++;
		uma_zfree(job.zone, job.item[i]);
	}
	if (!job.misdeed)
		return;
	/* Of each kind one. */
	job.item[0] = uma_zalloc(job.zone, M_NOWAIT);
	if (!uma_guard_covers(job.item[0])) {
		job.refused++;
		return;
	}
	mg_write(PTR_ALIGN(job.item[0] + ITEM, PAGE_SIZE));
	uma_zfree(job.zone, job.item[0] + 8);
	((u8 *)job.item[0])[-1] ^= 1;
	uma_zfree(job.zone, job.item[0]);
	uma_zfree(job.zone, job.item[0]);
	mg_write(job.item[0]);
}

static int job_ctor(void *mem, int size, void *arg, int flags)
{
	return flags == M_NOWAIT ? 0 : -EINVAL;
}

static void job_dtor(void *mem, int size, void *arg)
{
	memset(mem, 0xdd, size);
}

static int job_init(void *mem, int size, int flags)
{
	return flags == M_NOWAIT ? 0 : -EINVAL;
}

/* Run the job in @run's context, in zones of each kind, round and round. */
static void in_context(struct kunit *test,
		       void (*run)(struct kunit *test, void (*fn)(void)))
{
	static const u32 flags[] = { 0, UMA_ZONE_REFCNT, 0 };
	unsigned int i, round, rounds = 30;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		bool plain = i + 1 < ARRAY_SIZE(flags);

		memset(&job, 0, sizeof(job));
		job.zone = uma_zcreate("mg zone", ITEM,
				       plain ? NULL : job_ctor,
				       plain ? NULL : job_dtor,
				       plain ? NULL : job_init, NULL,
				       UMA_ALIGN_PTR, flags[i]);
		KUNIT_ASSERT_NOT_NULL(test, job.zone);
		mg_guard(test, "mg zone");
		for (round = 0; round < rounds; round++)
			run(test, do_job);
		KUNIT_EXPECT_EQ(test, job.refused, 0);
		KUNIT_EXPECT_EQ(test, job.spoilt, 0);
		/* More than the arena holds; some had to be passed. */
		kunit_info(test, "%u of %u guarded\n", job.guarded,
			   rounds * BATCH);
		KUNIT_EXPECT_GE(test, job.guarded, rounds * BATCH / 2);
		KUNIT_EXPECT_EQ(test, uma_test_totals(test, job.zone).allocs,
				rounds * BATCH);
		mg_expect_none(test);

		/* There is room again. */
		memguard_arena_trim();
		job.misdeed = true;
		mg_announce();
		run(test, do_job);
		mg_announced();
		mg_expect_count(test, MEMGUARD_OVERFLOW, 1);
		mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
		mg_expect_count(test, MEMGUARD_CORRUPTION, 1);
		mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 1);
		mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
		mg_expect_none(test);
		KUNIT_EXPECT_EQ(test, job.refused, 0);
		mg_guard(test, "");
		end_zone(test, job.zone);
	}
}

static void mg_01_hard_interrupt(struct kunit *test)
{
	in_context(test, run_in_hard_irq);
}

static void mg_01_hard_timer(struct kunit *test)
{
	in_context(test, run_in_hrtimer);
}

static void mg_01_soft_interrupt(struct kunit *test)
{
	in_context(test, run_in_tasklet);
}

static void mg_01_under_a_raw_lock(struct kunit *test)
{
	in_context(test, run_under_raw_lock);
}

static void mg_01_rcu_and_bottom_halves_off(struct kunit *test)
{
	in_context(test, run_in_rcu);
}

/*
 * Right use never faults: everything through a full arena, of several sizes, handed
 * from processor to processor, freed here preemptibly and there not.
 */

#define SHELF	16
#define HANDS	4
#define GRABS	300
/* Pages of the arena that are left to them. */
#define LEFT	150

static MALLOC_DEFINE(m_torture, "mg type", "of the suites about MemGuard");

static struct {
	uma_zone_t zone;
	void *shelf[SHELF];
	atomic_t wrong;
	atomic_t guarded;
	atomic_t plain;
} use;

/* An item tells where it is from and how long it is, at both its ends. */
struct mark {
	u32 size;
	bool zone;
};

static void *use_get(struct rnd_state *rnd, int flags)
{
	struct mark mark = { .zone = prandom_u32_state(rnd) % 2 };
	void *item;

	mark.size = mark.zone ? ITEM :
		    sizeof(mark) + (1 << prandom_u32_state(rnd) % 14);
	item = mark.zone ? uma_zalloc(use.zone, flags) :
			   bsd_malloc(mark.size, m_torture, flags);
	if (!item)
		return NULL;
	atomic_inc(uma_guard_covers(item) ? &use.guarded : &use.plain);
	memset(item, (u8)mark.size, mark.size);
	memcpy(item, &mark, sizeof(mark));
	return item;
}

static void use_put(void *item)
{
	struct mark mark;

	memcpy(&mark, item, sizeof(mark));
	if (memchr_inv(item + sizeof(mark), (u8)mark.size,
		       mark.size - sizeof(mark)))
		atomic_inc(&use.wrong);
	if (mark.zone)
		uma_zfree(use.zone, item);
	else
		bsd_free(item, m_torture);
}

static void use_fn(struct work_struct *work)
{
	struct rnd_state rnd;
	unsigned int n;
	void *item;

	prandom_seed_state(&rnd, (unsigned long)work);
	for (n = 0; n < GRABS; n++) {
		bool atomic = prandom_u32_state(&rnd) % 3 == 0;

		if (atomic)
			preempt_disable();
		item = use_get(&rnd, atomic ? M_NOWAIT : M_WAITOK);
		item = xchg(&use.shelf[prandom_u32_state(&rnd) % SHELF], item);
		if (item)
			use_put(item);
		if (atomic)
			preempt_enable();
		cond_resched();
	}
}

static void mg_06_right_use_never_faults(struct kunit *test)
{
	struct work_struct *work = kunit_kcalloc(test, HANDS, sizeof(*work),
						 GFP_KERNEL);
	struct memguard_arena_stats st, after;
	unsigned int i, n, cpu = 0;
	void **items;

	KUNIT_ASSERT_NOT_NULL(test, work);
	memset(&use, 0, sizeof(use));
	use.zone = uma_test_zone(test, "mg zone", ITEM, 0);
	mg_guard(test, "mg*");
	memguard_arena_get_stats(&st);
	n = (st.slots - LEFT) / 2;
	items = uma_test_items(test, n);
	uma_test_get(test, use.zone, items, n);
	memguard_arena_get_stats(&st);
	for (i = 0; i < HANDS; i++) {
		INIT_WORK(&work[i], use_fn);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		queue_work_on(cpu, system_long_wq, &work[i]);
	}
	for (i = 0; i < HANDS; i++)
		flush_work(&work[i]);
	for (i = 0; i < SHELF; i++)
		if (use.shelf[i])
			use_put(use.shelf[i]);
	memguard_arena_get_stats(&after);
	kunit_info(test, "%d guarded, %d not, %llu times used again, %llu flushes, %llu late\n",
		   atomic_read(&use.guarded), atomic_read(&use.plain),
		   after.reused - st.reused, after.flushes - st.flushes,
		   after.flushes_late - st.flushes_late);
	KUNIT_EXPECT_EQ(test, atomic_read(&use.wrong), 0);
	/* Who cannot wait may find nothing that all have forgotten. */
	KUNIT_EXPECT_GT(test, atomic_read(&use.guarded), HANDS * GRABS / 2);
	uma_test_put(use.zone, items, n);
	mg_expect_none(test);
	end_zone(test, use.zone);
}

static struct kunit_case memguard_race_cases[] = {
	KUNIT_CASE(mg_04_of_three_frees_one_goes_on),
	KUNIT_CASE(mg_04_frees_on_all_cpus_at_once),
	KUNIT_CASE(mg_04_destructor_comes_after_the_claim),
	KUNIT_CASE(mg_03_written_from_a_third_cpu),
	KUNIT_CASE(mg_03_written_from_another_cpu),
	KUNIT_CASE(mg_03_all_cpus_write_at_once),
	KUNIT_CASE(mg_01_hard_interrupt),
	KUNIT_CASE(mg_01_hard_timer),
	KUNIT_CASE(mg_01_soft_interrupt),
	KUNIT_CASE(mg_01_under_a_raw_lock),
	KUNIT_CASE(mg_01_rcu_and_bottom_halves_off),
	KUNIT_CASE(mg_06_right_use_never_faults),
	{}
};

static struct kunit_suite memguard_race_suite = {
	.name = "memguard_race",
	.init = mg_init,
	.exit = mg_exit,
	.test_cases = memguard_race_cases,
};

kunit_test_suite(memguard_race_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit suite for MemGuard: processors and interrupts");
MODULE_LICENSE("GPL");
