// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pagers have in common: how they are found, how their I/O is carried out, and
 * what becomes of the pages then.
 *
 * I/O is done by workers, since it sleeps, in file systems and drivers that take
 * locks of their own; a fault or the page-out daemon that wants it has an object's lock.
 * So whoever starts it says in the pages that they are in motion (busy, or I/O
 * started), drops the lock, and either waits or does not. The queue is one that makes
 * progress without memory, since writing pages is how memory is made, and it stands
 * still while the machine is suspended.
 *
 * An operation ends once. What is to be done with the pages then is done by one
 * party: by whoever waits, or by the completion routine. A waiter who could see
 * "done" while the routine is still at work would free what it works on. Therefore an
 * operation with a routine is marked done by the routine itself, when it is through,
 * and always under the lock under which a waiter looks (PA-09). After that nobody but
 * the waiter touches the operation; the wake-up goes to its address.
 *
 * Errors. A page that could not be written is as dirty as before and goes back to the
 * active queue, so that the next attempt is not at once; a page that could not be
 * read has no contents, and who wanted it is told. Neither changes what lies behind the
 * object, so the same thing can be tried again when the cause is gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "uma/compat.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/trace.h"
#include "vmsim/vm.h"

static struct workqueue_struct *vm_io_wq;

/* The vector. */

/**
 * vm_pager_register() - name the operations for a kind of object
 * @type: the kind
 * @ops: its operations, constant
 *
 * Objects that exist already keep what they have.
 *
 * Context: process context, at load.
 * Return: 0, or -EBUSY if the kind has some.
 */
int vm_pager_register(enum vm_object_type type, const struct vm_pager_ops *ops)
{
	if (WARN_ON(type >= OBJT_DEAD) || vm_pagers[type])
		return -EBUSY;
	vm_pagers[type] = ops;
	return 0;
}

/**
 * vm_pager_unregister() - the opposite; no object of the kind is left
 * @type: the kind
 */
void vm_pager_unregister(enum vm_object_type type)
{
	vm_pagers[type] = NULL;
}

/**
 * vm_pager_new_object() - an object for a pager that has to have one
 * @type: its kind
 * @size: its pages
 *
 * Context: process context, no lock of the VM held. Waits for memory.
 * Return: the object, or NULL if there is none for a long time.
 */
struct vm_object *vm_pager_new_object(enum vm_object_type type, u64 size)
{
	struct vm_object *object;
	unsigned int waits = 0;

	while (!(object = vm_object_allocate(type, size)))
		if (!vm_wait_again(&waits))
			return NULL;
	object->ops = vm_pagers[type];
	return object;
}

/**
 * vm_pager_allocate() - an object with something behind it
 * @type: its kind, which names the pager
 * @handle: what is behind it: for OBJT_VNODE a struct file, for OBJT_DEVICE a struct
 *	vm_device, for the rest NULL
 * @size: bytes
 * @prot: VM_PROT_* that will be asked for
 * @offset: where in it the caller's part begins, in bytes, page-aligned
 *
 * Context: process context, no lock of the VM held. May sleep.
 * Return: the object with a reference for the caller, or an ERR_PTR().
 */
struct vm_object *vm_pager_allocate(enum vm_object_type type, void *handle,
				    u64 size, u8 prot, u64 offset)
{
	u64 end;

	if (type >= OBJT_DEAD || !size || offset & ~PAGE_MASK ||
	    check_add_overflow(offset, size, &end) || end > MAX_LFS_FILESIZE)
		return ERR_PTR(-EINVAL);
	if (!vm_pagers[type] || !vm_pagers[type]->alloc)
		return ERR_PTR(-EOPNOTSUPP);
	return vm_pagers[type]->alloc(handle, size, prot, offset);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pager_allocate);

/* Operations. */

/**
 * vm_io_init() - prepare an operation
 * @io: the operation, whose pages the caller enters
 * @object: whose pages they are, or NULL
 * @start: index of the first
 * @flags: VM_IO_WRITE or 0
 */
void vm_io_init(struct vm_io *io, struct vm_object *object, u64 start,
		unsigned int flags)
{
	spin_lock_init(&io->done_lock);
	io->flags = flags;
	io->state = 0;
	io->error = 0;
	io->object = object;
	io->start = start;
	io->count = 0;
	io->iodone = NULL;
	io->arg = NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_io_init);

/**
 * vm_io_queue() - have a worker do something for an operation
 * @io: the operation
 * @fn: what; it ends with vm_io_done()
 *
 * Context: any that may not sleep, too.
 */
void vm_io_queue(struct vm_io *io, work_func_t fn)
{
	INIT_WORK(&io->work, fn);
	queue_work(vm_io_wq, &io->work);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_io_queue);

/**
 * vm_io_mark_done() - an operation is over, and all that belongs to it
 * @io: the operation; if anybody waits for it, it is the waiter's from here on
 *
 * Context: as vm_io_done(), or from the completion routine at its end.
 */
void vm_io_mark_done(struct vm_io *io)
{
	bool waited;

	spin_lock(&io->done_lock);
	WARN(io->state & VM_IO_DONE, "uma: operation %p is done twice\n", io);
	io->state |= VM_IO_DONE;
	waited = io->state & VM_IO_WAITED;
	spin_unlock(&io->done_lock);
	if (waited)
		wake_up_var(io);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_io_mark_done);

/**
 * vm_io_done() - the I/O of an operation is over
 * @io: the operation, with @error set
 *
 * Who has a completion routine is not marked done before that is through.
 *
 * Context: process context, no lock held: the routine may sleep.
 */
void vm_io_done(struct vm_io *io)
{
	if (io->iodone)
		io->iodone(io);
	else
		vm_io_mark_done(io);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_io_done);

/* Under the lock: whoever marks it done knows then that he is to wake us. */
static bool is_done(struct vm_io *io)
{
	bool done;

	spin_lock(&io->done_lock);
	done = io->state & VM_IO_DONE;
	if (!done)
		io->state |= VM_IO_WAITED;
	spin_unlock(&io->done_lock);
	return done;
}

/**
 * vm_io_wait_timeout() - wait until an operation is done, or for a while
 * @io: the operation
 * @timeout: jiffies
 *
 * Context: process context, may sleep; no object's lock held.
 * Return: whether it is.
 */
bool vm_io_wait_timeout(struct vm_io *io, long timeout)
{
	might_sleep();
	return is_done(io) ||
	       ___wait_var_event(io, ___wait_cond_timeout(is_done(io)),
				 TASK_IDLE, 0, timeout,
				 __ret = schedule_timeout(__ret));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_io_wait_timeout);

/**
 * vm_io_wait() - wait until an operation is done
 * @io: the operation
 *
 * Context: process context, may sleep; no object's lock held.
 * Return: its error, 0 for none.
 */
int vm_io_wait(struct vm_io *io)
{
	while (!vm_io_wait_timeout(io, MAX_SCHEDULE_TIMEOUT))
		;
	return io->error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_io_wait);

/* What becomes of pages. */

/**
 * vm_pager_drop_pages() - free pages of a read that will not be read
 * @m: the pages of getpages
 * @first: the first to be freed
 * @end: the one behind the last
 * @reqpage: the one that is wanted, and never freed
 *
 * Context: the object is locked.
 */
void vm_pager_drop_pages(struct vm_page **m, unsigned int first,
			 unsigned int end, unsigned int reqpage)
{
	unsigned int i;

	for (i = first; i < end; i++)
		if (i != reqpage)
			vm_page_free(m[i]);
}

/**
 * vm_pager_read_done() - what is to be done with pages that were read
 * @m: the pages of getpages
 * @first: the first that was read
 * @end: the one behind the last
 * @reqpage: the one that is wanted, between the two; it stays busy
 * @error: errno of the read
 *
 * Context: the object is locked.
 * Return: what becomes of @reqpage.
 */
enum vm_pager_result vm_pager_read_done(struct vm_page **m, unsigned int first,
					unsigned int end, unsigned int reqpage,
					int error)
{
	unsigned int i;

	trace_vm_pagein(m[reqpage]->object, m[first]->pindex, end - first,
			error ? 0 : end - first);
	if (error) {
		pr_err_ratelimited("page %llu of object %p cannot be read: error %d\n",
				   m[reqpage]->pindex, m[reqpage]->object,
				   error);
		vm_count_n(pagein_errors, end - first);
		vm_pager_drop_pages(m, first, end, reqpage);
		return VM_PAGER_ERROR;
	}
	vm_count_n(pageins, end - first);
	for (i = first; i < end; i++) {
		m[i]->valid = VM_PAGE_BITS_ALL;
		vm_page_undirty(m[i]);
		if (i == reqpage)
			continue;
		/* Nobody has asked for it: the first to go again. */
		vm_page_lock_queues();
		vm_page_deactivate(m[i]);
		vm_page_unlock_queues();
		vm_page_wakeup(m[i]);
	}
	return VM_PAGER_OK;
}

/**
 * vm_pager_write_done() - a write that nobody waits for is over
 * @io: the operation; its pages have I/O started, and its object is paging once for
 *	each of them
 * @flags: VM_PAGER_PUT_* of putpages
 *
 * To be called by completion routines, which then mark the operation done.
 *
 * Context: process context, no lock held. May sleep.
 */
void vm_pager_write_done(struct vm_io *io, unsigned int flags)
{
	struct vm_object *object = io->object;
	unsigned int i;

	if (io->error)
		pr_err_ratelimited("pages %llu to %llu of object %p are dirty still: error %d\n",
				   io->start, io->start + io->count - 1, object,
				   io->error);
	vm_object_lock(object);
	for (i = 0; i < io->count; i++) {
		struct vm_page *m = io->m[i];

		if (io->error) {
			vm_count(pageout_errors);
			vm_count(write_errors);
			vm_page_lock_queues();
			vm_page_activate(m);
			vm_page_unlock_queues();
		} else {
			vm_count(pageouts);
			pmap_clear_modify(m);
			vm_page_undirty(m);
		}
		vm_page_io_finish(m);
		if (!io->error && flags & VM_PAGER_PUT_INVAL)
			vm_page_try_to_free(m);
	}
	/* From here on the object may go. */
	vm_object_pip_wakeup(object, io->count);
	vm_object_unlock(object);
}

/* Start and end. */

/**
 * vm_io_startup() - get the workers ready
 *
 * Context: process context, at load.
 * Return: 0 or -ENOMEM.
 */
int vm_io_startup(void)
{
	vm_io_wq = alloc_workqueue("uma_vm_io", WQ_FREEZABLE | WQ_MEM_RECLAIM |
				   WQ_UNBOUND, 0);
	return vm_io_wq ? 0 : -ENOMEM;
}

/**
 * vm_io_shutdown() - the end of the workers, when all that was queued is done
 *
 * Context: process context, may sleep.
 */
void vm_io_shutdown(void)
{
	destroy_workqueue(vm_io_wq);
}
