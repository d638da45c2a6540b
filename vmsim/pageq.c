// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page queues.
 *
 * The lock can be taken again by who holds it. That is not for comfort: to allocate a
 * page is to look at the cache queue, and the physical map allocates its own pages
 * in the middle of work on those of others, with this lock held (the log tells how
 * they first made such allocations in the interrupt's class, only to keep away from
 * the lock). Recursion is safe here since between two calls the queues are always
 * whole; nobody keeps a position in them over a call that may take the lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/bug.h>
#include <linux/lockdep.h>
#include <linux/printk.h>

#include "uma/compat.h"
#include "vmsim/object.h"
#include "vmsim/pageq.h"

struct vm_pageqs vm_pageqs = {
	.lock = __SPIN_LOCK_UNLOCKED(vm_pageqs.lock),
};
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageqs);

/**
 * vm_page_queues_owned() - whether this thread holds the queues' lock
 *
 * Context: process context.
 * Return: whether it does.
 */
bool vm_page_queues_owned(void)
{
	/* Only we write our own address there, and it is not there but then. */
	return READ_ONCE(vm_pageqs.owner) == current;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_queues_owned);

/**
 * vm_page_lock_queues() - take the queues' lock, once more if need be
 *
 * Context: process context, not from interrupts. Inside it nothing may sleep, and
 * an object's lock is only ever tried.
 */
void vm_page_lock_queues(void)
{
	if (vm_page_queues_owned()) {
		vm_pageqs.depth++;
		return;
	}
	spin_lock(&vm_pageqs.lock);
	WRITE_ONCE(vm_pageqs.owner, current);
	/* As sparse sees it: neither function changes anything. */
	__release(&vm_pageqs.lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_lock_queues);

/**
 * vm_page_unlock_queues() - undo one vm_page_lock_queues()
 *
 * Context: process context.
 */
void vm_page_unlock_queues(void)
{
	if (WARN_ON(!vm_page_queues_owned()))
		return;
	if (vm_pageqs.depth) {
		vm_pageqs.depth--;
		return;
	}
	WRITE_ONCE(vm_pageqs.owner, NULL);
	__acquire(&vm_pageqs.lock);
	spin_unlock(&vm_pageqs.lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_unlock_queues);

/* The count is also looked at without the lock. */
static void count_queue(enum vm_queue queue, long n)
{
	WRITE_ONCE(vm_pageqs.count[queue], vm_pageqs.count[queue] + n);
}

static bool may_enqueue(const struct vm_page *m, enum vm_queue queue)
{
	return !WARN_ON(!vm_page_queues_owned() || m->queue != PQ_NONE ||
			queue == PQ_NONE || queue >= PQ_COUNT);
}

/**
 * vm_pageq_enqueue() - put a page at the end of a queue
 * @m: the page, on none
 * @queue: which
 *
 * Context: the queues' lock is held.
 */
void vm_pageq_enqueue(struct vm_page *m, enum vm_queue queue)
{
	if (!may_enqueue(m, queue))
		return;
	m->queue = queue;
	list_add_tail(&m->pageq, &vm_pageqs.head[queue]);
	count_queue(queue, 1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageq_enqueue);

/**
 * vm_pageq_enqueue_head() - put a page where it is the next to be looked at
 * @m: the page, on no queue
 * @queue: which
 *
 * Context: the queues' lock is held.
 */
void vm_pageq_enqueue_head(struct vm_page *m, enum vm_queue queue)
{
	if (!may_enqueue(m, queue))
		return;
	m->queue = queue;
	list_add(&m->pageq, &vm_pageqs.head[queue]);
	count_queue(queue, 1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageq_enqueue_head);

/**
 * vm_pageq_remove() - take a page off its queue
 * @m: the page; it may be on none
 *
 * Context: the queues' lock is held.
 */
void vm_pageq_remove(struct vm_page *m)
{
	if (WARN_ON(!vm_page_queues_owned()) || m->queue == PQ_NONE)
		return;
	list_del_init(&m->pageq);
	count_queue(m->queue, -1);
	m->queue = PQ_NONE;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageq_remove);

/**
 * vm_pageq_rotate() - the page at the head of a queue goes to its end
 * @queue: the queue
 *
 * So whoever looks at a queue page by page needs no place in it of his own: as many
 * steps as there are pages end it, whatever happens between two of them.
 *
 * Context: the queues' lock is held.
 * Return: the page, or NULL if there is none.
 */
struct vm_page *vm_pageq_rotate(enum vm_queue queue)
{
	struct list_head *head = &vm_pageqs.head[queue];

	if (WARN_ON(!vm_page_queues_owned()) || list_empty(head))
		return NULL;
	list_rotate_left(head);
	return list_last_entry(head, struct vm_page, pageq);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageq_rotate);

/*
 * Whether a page of the cache queue is mapped, and nobody is about to take it from
 * there: who maps it has its object locked, or the page busy.
 */
static bool is_mapped(struct vm_page *m)
{
	bool mapped;

	if (!m->object || !vm_object_trylock(m->object))
		return false;
	mapped = !m->busy && !hlist_empty(&m->md.pv_list);
	vm_object_unlock(m->object);
	return mapped;
}

/* What is wrong with a page that is on a queue, or NULL. */
static const char *page_wrong(struct vm_page *m, enum vm_queue queue)
{
	if (m->queue != queue)
		return "is on another queue than it says";
	if (m->wire_count)
		return "is wired, and on a queue";
	if (queue == PQ_HOLD)
		return !m->hold_count ? "is held by nobody" :
		       m->object ? "is free, and in an object" : NULL;
	if (!m->object)
		return "is in no object";
	if (queue == PQ_CACHE && is_mapped(m))
		return "is in the cache, and mapped";
	return NULL;
}

/**
 * vm_pageq_check() - look at every page of every queue
 *
 * For suites and for who suspects something: holds the lock for as long as it takes.
 * The log says what is wrong.
 *
 * Context: process context.
 * Return: whether each page says which queue it is on, the counts are right, and no
 * page is where its wirings, holds, object and translations do not allow it.
 */
bool vm_pageq_check(void)
{
	const char *wrong = NULL, *what;
	struct vm_page *m, *bad = NULL;
	enum vm_queue queue;
	unsigned long n;

	vm_page_lock_queues();
	for (queue = PQ_CACHE; queue < PQ_COUNT; queue++) {
		n = 0;
		list_for_each_entry(m, &vm_pageqs.head[queue], pageq) {
			n++;
			what = page_wrong(m, queue);
			if (what) {
				wrong = what;
				bad = m;
			}
		}
		if (n != vm_pageqs.count[queue])
			wrong = "is counted twice, or not at all";
	}
	if (bad)
		pr_err("page %#lx (queue %u, busy %u, wired %u, held %u, dirty %#x, object %p) %s\n",
		       (unsigned long)bad->phys_pfn, bad->queue, bad->busy,
		       bad->wire_count, bad->hold_count, bad->dirty,
		       bad->object, wrong);
	else if (wrong)
		pr_err("a page of a queue %s\n", wrong);
	vm_page_unlock_queues();
	return !wrong;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageq_check);

/* Before there is any page of the VM. */
void vm_pageq_startup(void)
{
	enum vm_queue queue;

	for (queue = PQ_NONE; queue < PQ_COUNT; queue++)
		INIT_LIST_HEAD(&vm_pageqs.head[queue]);
}
