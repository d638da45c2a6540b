// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeping on an address.
 *
 * Pages are freed while somebody waits for them to become idle, and objects while
 * somebody waits for them to have gone. A wait queue in them would have to outlive
 * them. So a sleeper names what he waits for by its address, which is never
 * followed; the queues are a small table of their own, and a wake-up goes to those
 * of a queue who named the same address. It may be meant for another thing that
 * has come to lie there since: whoever wakes looks again.
 */
#include <linux/hash.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "vmsim/sleepq.h"

#define SLEEPQ_BITS	6

static wait_queue_head_t sleepqs[1 << SLEEPQ_BITS];

/**
 * struct sleeper - who sleeps
 * @entry: in its queue; guarded by that queue's lock
 * @chan: the address
 */
struct sleeper {
	wait_queue_entry_t entry;
	const void *chan;
};

static wait_queue_head_t *queue_of(const void *chan)
{
	return &sleepqs[hash_ptr(chan, SLEEPQ_BITS)];
}

static int wake_sleeper(wait_queue_entry_t *entry, unsigned int mode, int sync,
			void *key)
{
	struct sleeper *s = container_of(entry, struct sleeper, entry);

	return s->chan == key ? autoremove_wake_function(entry, mode, sync, key) :
				0;
}

/**
 * vm_sleep() - let go of a lock and sleep until vm_wakeup() of an address
 * @chan: the address, never followed
 * @lock: held; what changes before the wake-up is guarded by it. It is dropped, and
 *	not taken again: what it is part of may have gone
 * @timeout: in jiffies, or MAX_SCHEDULE_TIMEOUT
 *
 * No wake-up after @lock was dropped is missed.
 *
 * Context: process context, no other lock held.
 * Return: 0 if the time was over, else what is left of it.
 */
long vm_sleep(const void *chan, struct mutex *lock, long timeout)
{
	wait_queue_head_t *wq = queue_of(chan);
	struct sleeper s = { .chan = chan };

	init_wait(&s.entry);
	s.entry.func = wake_sleeper;
	prepare_to_wait(wq, &s.entry, TASK_IDLE);
	mutex_unlock(lock);
	timeout = schedule_timeout(timeout);
	finish_wait(wq, &s.entry);
	return timeout;
}

/**
 * vm_wakeup() - wake all who sleep on an address
 * @chan: the address
 *
 * Context: process context; under the lock that they named, or after it.
 */
void vm_wakeup(const void *chan)
{
	__wake_up(queue_of(chan), TASK_NORMAL, 0, (void *)chan);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_wakeup);

/* Before the rest of the VM. */
void vm_sleepq_startup(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sleepqs); i++)
		init_waitqueue_head(&sleepqs[i]);
}
