/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often threads of ours take a lock, on a kernel that is not made for it.
 *
 * On the kernels that we measure on, every lock that can be waited for is
 * taken in a function of the kernel's own, for callers in the kernel and in
 * modules alike. A probe stands on each of these functions. It counts a call if
 * the calling thread has said that its calls count, and is in thread context:
 * what an interrupt does in between is not the thread's doing.
 *
 * A lock that is only tried counts like one that is taken. A call that found
 * the lock held and had to wait counts once more, apart.
 *
 * Not counted, since nobody can be made to wait there: sections that only
 * switch off preemption or interrupts (ours, and the local locks of SLUB), and
 * single atomic operations (SLUB's double-word exchange on each slab; ours has
 * none). SLUB's lock bit in the page is not used where the processor has that
 * exchange. So what is left out is all the peer's.
 *
 * The probes cost thousands of instructions a hit; instructions are counted
 * without them.
 */
#ifndef _KUNIT_LOCK_COUNT_H
#define _KUNIT_LOCK_COUNT_H

#include <linux/cache.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

/* Threads that can be counted at once, each by a number below. */
#define LOCK_COUNT_THREADS	4

/**
 * struct lock_count - calls that took or tried a lock
 * @calls: all of them
 * @waits: those that found it held
 */
struct lock_count {
	u64 calls;
	u64 waits;
};

#ifdef CONFIG_KPROBES

/* Each is written by its own thread only, while that is @task. */
static struct {
	struct task_struct *task;
	struct lock_count n;
} ____cacheline_aligned lock_threads[LOCK_COUNT_THREADS];

static struct lock_count *lock_count_current(void)
{
	unsigned int i;

	if (!in_task())
		return NULL;
	for (i = 0; i < LOCK_COUNT_THREADS; i++)
		if (READ_ONCE(lock_threads[i].task) == current)
			return &lock_threads[i].n;
	return NULL;
}

static int lock_count_call(struct kprobe *p, struct pt_regs *regs)
{
	struct lock_count *n = lock_count_current();

	if (n)
		n->calls++;
	return 0;
}

static int lock_count_wait(struct kprobe *p, struct pt_regs *regs)
{
	struct lock_count *n = lock_count_current();

	if (n)
		n->waits++;
	return 0;
}

#define LOCK_PROBE(name)						\
	{ .symbol_name = #name, .pre_handler = lock_count_call }
#define LOCK_WAIT_PROBE(name)						\
	{ .symbol_name = #name, .pre_handler = lock_count_wait }

static struct kprobe lock_probes[] = {
	LOCK_PROBE(_raw_spin_lock),
	LOCK_PROBE(_raw_spin_lock_irq),
	LOCK_PROBE(_raw_spin_lock_irqsave),
	LOCK_PROBE(_raw_spin_lock_bh),
	LOCK_PROBE(_raw_spin_trylock),
	LOCK_PROBE(_raw_spin_trylock_bh),
	LOCK_PROBE(_raw_read_lock),
	LOCK_PROBE(_raw_read_lock_irq),
	LOCK_PROBE(_raw_read_lock_irqsave),
	LOCK_PROBE(_raw_read_lock_bh),
	LOCK_PROBE(_raw_write_lock),
	LOCK_PROBE(_raw_write_lock_irq),
	LOCK_PROBE(_raw_write_lock_irqsave),
	LOCK_PROBE(_raw_write_lock_bh),
	LOCK_PROBE(mutex_lock),
	LOCK_PROBE(mutex_trylock),
	LOCK_PROBE(down_read),
	LOCK_PROBE(down_write),
	LOCK_WAIT_PROBE(native_queued_spin_lock_slowpath),
	LOCK_WAIT_PROBE(queued_read_lock_slowpath),
	LOCK_WAIT_PROBE(queued_write_lock_slowpath),
};

static struct kprobe *lock_probe_list[ARRAY_SIZE(lock_probes)];

/* From here on the calling thread's locks count; @thread is a number for it. */
static void lock_count_begin(unsigned int thread)
{
	WRITE_ONCE(lock_threads[thread].task, current);
	barrier();
}

static void lock_count_end(unsigned int thread)
{
	barrier();
	WRITE_ONCE(lock_threads[thread].task, NULL);
}

/* What all threads have counted so far; none is counting now. */
static struct lock_count lock_count_read(void)
{
	struct lock_count sum = {};
	unsigned int i;

	for (i = 0; i < LOCK_COUNT_THREADS; i++) {
		sum.calls += lock_threads[i].n.calls;
		sum.waits += lock_threads[i].n.waits;
	}
	return sum;
}

/* Is a lock seen, however it is taken from a module? */
static bool lock_count_works(void)
{
	struct lock_count before = lock_count_read();
	DEFINE_RAW_SPINLOCK(raw);
	DEFINE_SPINLOCK(lock);
	unsigned long irq;

	lock_count_begin(0);
	raw_spin_lock_irqsave(&raw, irq);
	raw_spin_unlock_irqrestore(&raw, irq);
	raw_spin_lock(&raw);
	raw_spin_unlock(&raw);
	spin_lock_irqsave(&lock, irq);
	spin_unlock_irqrestore(&lock, irq);
	spin_lock_irq(&lock);
	spin_unlock_irq(&lock);
	spin_lock_bh(&lock);
	spin_unlock_bh(&lock);
	if (spin_trylock(&lock))
		spin_unlock(&lock);
	lock_count_end(0);
	return lock_count_read().calls - before.calls == 6;
}

/*
 * Only one CPU is there while the kernel's code is changed. Real processors
 * would not need that, but one that is emulated in a thread of its own can run
 * into a breakpoint of the change when that has gone already, and the kernel
 * takes this for a fault (about once in six times).
 */
static struct cpumask lock_parked;

static int lock_count_park(void)
{
	unsigned int cpu;
	int error;

	cpumask_copy(&lock_parked, cpu_online_mask);
	cpumask_clear_cpu(cpumask_first(&lock_parked), &lock_parked);
	for_each_cpu(cpu, &lock_parked) {
		error = remove_cpu(cpu);
		if (error) {
			pr_err("CPU %u does not go offline (%d)\n", cpu, error);
			return error;
		}
	}
	return 0;
}

static void lock_count_unpark(void)
{
	unsigned int cpu;

	for_each_cpu(cpu, &lock_parked)
		if (add_cpu(cpu))
			pr_err("CPU %u does not come back\n", cpu);
}

/* Take the probes away again. */
static void lock_count_stop(void)
{
	lock_count_park();
	unregister_kprobes(lock_probe_list, ARRAY_SIZE(lock_probe_list));
	lock_count_unpark();
}

/* Place the probes: 0, or an errno with none left. */
static int lock_count_start(void)
{
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(lock_probes); i++)
		lock_probe_list[i] = &lock_probes[i];
	error = lock_count_park();
	if (!error)
		error = register_kprobes(lock_probe_list,
					 ARRAY_SIZE(lock_probe_list));
	lock_count_unpark();
	if (error) {
		pr_err("cannot place the probes that count locks (%d)\n", error);
		return error;
	}
	if (!lock_count_works()) {
		pr_err("the probes do not see every lock (%d)\n", -ENXIO);
		lock_count_stop();
		return -ENXIO;
	}
	return 0;
}

#else /* !CONFIG_KPROBES */

static inline void lock_count_begin(unsigned int thread) {}
static inline void lock_count_end(unsigned int thread) {}
static inline void lock_count_stop(void) {}

static inline struct lock_count lock_count_read(void)
{
	return (struct lock_count){};
}

static inline int lock_count_start(void)
{
	pr_err("this kernel has no probes to count locks with (%d)\n",
	       -EOPNOTSUPP);
	return -EOPNOTSUPP;
}

#endif

#endif /* _KUNIT_LOCK_COUNT_H */
