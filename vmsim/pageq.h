/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page queues: where pages that belong to somebody wait to be wanted again, or
 * to be taken away.
 *
 * One lock guards all queues and, of every page of the VM, @pageq, @queue,
 * @act_count, @wire_count and @hold_count. It is a leaf but for the pool's own
 * locks: under it an object's lock is only ever tried. A page's @object is written
 * with both its object's lock and this one held, so that either is enough to read
 * it.
 *
 * Whoever holds the lock may take it again: allocating a page looks at the cache
 * queue, and page-table pages and the like are allocated by who holds it.
 * Process context only; an interrupt allocates from the pool and never gets here.
 */
#ifndef _VMSIM_PAGEQ_H
#define _VMSIM_PAGEQ_H

#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "uma/pool.h"

/* The queue that a page is on; values of vm_page.queue. */
enum vm_queue {
	PQ_NONE,		/* free, wired, or just allocated */
	PQ_CACHE,		/* clean, unmapped: the next to be reused */
	PQ_INACTIVE,		/* the next to be laundered or cached */
	PQ_ACTIVE,
	PQ_HOLD,		/* free as soon as nobody holds it */
	PQ_COUNT,
};

/* A page's activity: starts at INIT, goes up when used, down when not. */
#define VM_ACT_INIT		5
#define VM_ACT_ADVANCE		3
#define VM_ACT_DECLINE		1
#define VM_ACT_MAX		31

/**
 * struct vm_pageqs - the queues
 * @lock: guards all of it; taken by vm_page_lock_queues() only
 * @owner: the thread that holds it
 * @depth: times that @owner took it again
 * @head: the pages, the one that waits longest first
 * @count: their numbers; READ_ONCE() will do for who can live with an old one
 * @wired: pages of the VM that are wired
 */
struct vm_pageqs {
	spinlock_t lock;	/* the queues, and what of a page concerns them */
	struct task_struct *owner;
	unsigned int depth;
	struct list_head head[PQ_COUNT];
	unsigned long count[PQ_COUNT];
	unsigned long wired;
};

extern struct vm_pageqs vm_pageqs;

void vm_page_lock_queues(void);
void vm_page_unlock_queues(void);
bool vm_page_queues_owned(void);

/* The queue lock is held for these. */
void vm_pageq_enqueue(struct vm_page *m, enum vm_queue queue);
void vm_pageq_enqueue_head(struct vm_page *m, enum vm_queue queue);
void vm_pageq_remove(struct vm_page *m);
struct vm_page *vm_pageq_rotate(enum vm_queue queue);

/* It need not be for these. */
bool vm_pageq_check(void);
void vm_pageq_startup(void);

static inline unsigned long vm_pageq_count(enum vm_queue queue)
{
	return READ_ONCE(vm_pageqs.count[queue]);
}

#endif /* _VMSIM_PAGEQ_H */
