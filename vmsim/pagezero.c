// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zeroing free pages ahead of need.
 *
 * Most new pages have to be zero, and a fault that finds one which is so already saves
 * the time. While nobody has anything better to do, a thread of the lowest priority
 * zeroes free pages; the pool keeps them apart (uma_pool_zero_ahead()), and hands them
 * out last to who does not need zeroes.
 *
 * No more than half of the free pages: the ones freed last may still be in the
 * processor's cache, and are better for who will overwrite them anyway. It begins
 * when fewer than a quarter are zero, and somebody wanted one. So a VM that nobody uses
 * costs nothing.
 *
 * The thread has its priority before it runs for the first time: one that lowered its
 * own would begin its work, at load, ahead of what it is to stay behind. Where the kernel
 * does not preempt, it looks after each page whether somebody else can run, and makes
 * way only then; where it does, that is done for us at the right moment, and to go to the
 * scheduler by ourselves would only cost.
 *
 * A wake-up can come at any time, before there is a thread and after: it says so in a
 * word, and wakes who is in the queue; the queue is always there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "vmsim/page.h"
#include "vmsim/pagezero.h"
#include "vmsim/steer.h"
#include "vmsim/trace.h"
#include "vmsim/vm.h"

/* Parts of the free pages, in percent: below the first it begins, at the other it ends. */
#define BEGIN_PERCENT	25
#define END_PERCENT	50

static struct task_struct *thread;
static DECLARE_WAIT_QUEUE_HEAD(thread_wait);
static bool wanted;

static bool pagezero = true;
module_param_named(vm_pagezero, pagezero, bool, 0644);
MODULE_PARM_DESC(vm_pagezero, "zero free pages ahead of need (Y)");

/* Let others run, if there are any and the kernel would not see to it. */
static void make_way(void)
{
	if (preempt_model_preemptible() || !need_resched())
		return;
	vm_count(zero_yields);
	cond_resched();
}

/* Zero pages until there are enough. */
static void zero_some(void)
{
	unsigned long n = 0;

	while (!kthread_should_stop() && READ_ONCE(pagezero) &&
	       uma_pool_zero_ahead(uma_pool, END_PERCENT)) {
		n++;
		vm_count(zeroed_ahead);
		vm_steer(VM_STEER_ZEROED, NULL);
		try_to_freeze();
		make_way();
	}
	if (n)
		trace_vm_zero_ahead(n, uma_pool_zeroed_count(uma_pool));
}

static int thread_main(void *arg)
{
	set_freezable();
	while (!kthread_should_stop()) {
		wait_event_freezable(thread_wait, kthread_should_stop() ||
				     READ_ONCE(wanted));
		WRITE_ONCE(wanted, false);
		zero_some();
	}
	return 0;
}

static void wake_thread(struct irq_work *work)
{
	wake_up(&thread_wait);
}

static DEFINE_IRQ_WORK(wake_work, wake_thread);

/**
 * vm_pagezero_wakeup() - somebody wanted a page of zeroes
 *
 * Context: any, before there is a thread, too.
 */
void vm_pagezero_wakeup(void)
{
	if (READ_ONCE(wanted) || !READ_ONCE(pagezero) ||
	    uma_pool_zeroed_count(uma_pool) * 100 >=
	    uma_pool_free_count(uma_pool) * BEGIN_PERCENT)
		return;
	WRITE_ONCE(wanted, true);
	irq_work_queue(&wake_work);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pagezero_wakeup);

/**
 * vm_pagezero_create() - make a thread that zeroes, and let it not run yet
 *
 * Context: process context, may sleep.
 * Return: the thread, with its priority, or an ERR_PTR().
 */
struct task_struct *vm_pagezero_create(void)
{
	struct task_struct *task;

	task = kthread_create(thread_main, NULL, "uma_pagezero");
	if (!IS_ERR(task))
		set_user_nice(task, MAX_NICE);
	return task;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pagezero_create);

/**
 * vm_pagezero_startup() - start the thread
 *
 * Context: process context, at load, once there is a pool.
 * Return: 0 or an errno.
 */
int vm_pagezero_startup(void)
{
	struct task_struct *task = vm_pagezero_create();

	if (IS_ERR(task))
		return PTR_ERR(task);
	thread = task;
	wake_up_process(task);
	vm_page_set_zeroing(vm_pagezero_wakeup);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pagezero_startup);

/**
 * vm_pagezero_shutdown() - end the thread
 *
 * Context: process context, may sleep.
 */
void vm_pagezero_shutdown(void)
{
	vm_page_set_zeroing(NULL);
	irq_work_sync(&wake_work);
	kthread_stop(thread);
	thread = NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pagezero_shutdown);
