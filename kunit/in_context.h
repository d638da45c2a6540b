/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * To run a function in a context that a test is not in: each of these returns when
 * it has run there, once.
 */
#ifndef _KUNIT_IN_CONTEXT_H
#define _KUNIT_IN_CONTEXT_H

#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

/* What is run there, and word that it has. */
static struct {
	void (*fn)(void);
	struct completion done;
} in_context_job;

static inline void in_context_begin(void (*fn)(void))
{
	in_context_job.fn = fn;
	init_completion(&in_context_job.done);
}

static inline void in_context_run(void)
{
	in_context_job.fn();
	complete(&in_context_job.done);
}

static inline void in_context_await(struct kunit *test)
{
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&in_context_job.done,
							  20 * HZ), 0);
}

static inline void in_context_irq_work(struct irq_work *work)
{
	in_context_run();
}

static inline void run_in_hard_irq(struct kunit *test, void (*fn)(void))
{
	static struct irq_work work;

	in_context_begin(fn);
	work = IRQ_WORK_INIT_HARD(in_context_irq_work);
	irq_work_queue(&work);
	in_context_await(test);
	irq_work_sync(&work);
}

static inline enum hrtimer_restart in_context_hrtimer(struct hrtimer *timer)
{
	in_context_run();
	return HRTIMER_NORESTART;
}

static inline void run_in_hrtimer(struct kunit *test, void (*fn)(void))
{
	static struct hrtimer timer;

	in_context_begin(fn);
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = in_context_hrtimer;
	hrtimer_start(&timer, ns_to_ktime(50 * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_HARD);
	in_context_await(test);
	hrtimer_cancel(&timer);
}

static inline void in_context_tasklet(struct tasklet_struct *t)
{
	in_context_run();
}

static inline void run_in_tasklet(struct kunit *test, void (*fn)(void))
{
	static struct tasklet_struct tasklet;

	in_context_begin(fn);
	tasklet_setup(&tasklet, in_context_tasklet);
	tasklet_schedule(&tasklet);
	in_context_await(test);
	tasklet_kill(&tasklet);
}

static inline void run_under_raw_lock(struct kunit *test, void (*fn)(void))
{
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long irq;

	raw_spin_lock_irqsave(&lock, irq);
	fn();
	raw_spin_unlock_irqrestore(&lock, irq);
}

static inline void run_preempt_off(struct kunit *test, void (*fn)(void))
{
	preempt_disable();
	fn();
	preempt_enable();
}

static inline void run_in_rcu(struct kunit *test, void (*fn)(void))
{
	rcu_read_lock();
	local_bh_disable();
	fn();
	local_bh_enable();
	rcu_read_unlock();
}

#endif /* _KUNIT_IN_CONTEXT_H */
