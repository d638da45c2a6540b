// SPDX-License-Identifier: GPL-2.0-only
/*
 * swapoff: to swap to a device no more.
 *
 * It brings back all that is on a device that gives out no more blocks, so
 * that the number of its blocks in use can only fall, apart from what is on its
 * way (swap_dev.c). It goes through the list of objects, under the lock of the list,
 * which comes after the objects' locks: so it tries them. An object that is locked, or
 * paging, is passed over for this time: its pages are in motion, and what its
 * metadata says of them may be about to change. When a pass has got nowhere it
 * waits, for a moment, or until the last one that was passed over has done with
 * paging. That object was unlocked long ago and may be gone: the wait is for an
 * address, which is not followed, and the moment ends whether anybody wakes it or
 * not (PA-02). One that is paging whenever somebody looks must not keep swapoff for
 * ever: after a number of passes that got nowhere such an object is entered, too, and
 * only the pages in it that are in motion are passed over.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": swap: " fmt

#include <linux/err.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "uma/compat.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/sleepq.h"
#include "vmsim/steer.h"
#include "vmsim/swap.h"
#include "vmsim/swap_int.h"

/* How long a wait is at the most, ... */
#define SWAPOFF_WAIT	max(HZ / 20, 1)
/* ... passes that get nowhere until objects are entered that are paging, ... */
#define SWAPOFF_PATIENCE	20
/* ... passes that find nothing at all until what is left is taken for lost, ... */
#define SWAPOFF_LOST	200
/* ... and waits for memory in vain, each as long as vm_wait()'s. */
#define SWAPOFF_MEMORY	10

/**
 * struct swapoff - one pass
 * @dev: the device
 * @enter_paging: objects that are paging are entered, too
 * @freed: blocks that this pass freed
 * @passed: blocks, or objects that may have some, that it passed over
 * @chan: address of the last one's paging count, or NULL; not followed
 * @error: errno that ends it all
 */
struct swapoff {
	struct vm_swap_dev *dev;
	bool enter_paging;
	u64 freed;
	u64 passed;
	const void *chan;
	int error;
};

/* Wait for memory; the object is locked on return, and was not in between. */
static int wait_for_memory(struct vm_object *object)
{
	unsigned int i;
	bool more = false;

	vm_object_unlock(object);
	for (i = 0; i < SWAPOFF_MEMORY && !more; i++) {
		if (fatal_signal_pending(current))
			break;
		more = vm_wait();
	}
	vm_object_lock(object);
	return more ? 0 : fatal_signal_pending(current) ? -EINTR : -ENOMEM;
}

/* Bring one index back, whose block is on the device. The object is locked. */
static void bring_back(struct swapoff *so, struct vm_object *object, u64 pindex)
{
	struct vm_page *m = vm_page_lookup(object, pindex);
	enum vm_pager_result result;
	bool ours = false, new = false;

	if (m && vm_page_is_busy(m)) {
		so->passed++;
		return;
	}
	if (!m) {
		m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL);
		if (!m) {
			so->error = wait_for_memory(object);
			so->passed++;
			return;
		}
		ours = true;
		new = true;
	} else if (m->valid != VM_PAGE_BITS_ALL) {
		vm_page_busy(m);
		ours = true;
	}
	if (ours) {
		result = vm_pager_get_pages(object, &m, 1, 0);
		if (result != VM_PAGER_OK) {
			if (new)
				vm_page_free(m);
			else
				vm_page_wakeup(m);
			if (result == VM_PAGER_ERROR)
				so->error = -EIO;
			so->passed++;
			return;
		}
	}
	/* The page is all there is of it from here on. */
	vm_page_dirty(m);
	vm_swap_forget(object, pindex);
	so->freed++;
	vm_page_lock_queues();
	vm_page_deactivate(m);
	vm_page_unlock_queues();
	if (ours)
		vm_page_wakeup(m);
}

/* Bring back all of an object that is on the device. It is locked, and paging by us. */
static void empty_object(struct swapoff *so, struct vm_object *object)
{
	u64 pindex = 0, blk;

	for (; !so->error && vm_swap_next(object, &pindex, &blk); pindex++)
		if (vm_swap_is_on(blk, so->dev))
			bring_back(so, object, pindex);
}

/* Whether an object, locked, is one to pass over. */
static bool pass_over(struct swapoff *so, struct vm_object *object)
{
	/* Its end, or its merging, is somebody's business already. */
	if (object->flags & OBJ_DEAD)
		return true;
	if (!object->paging_in_progress || so->enter_paging)
		return false;
	object->flags |= OBJ_PIPWNT;
	so->chan = &object->paging_in_progress;
	return true;
}

/* Go through all objects once. */
static void one_pass(struct swapoff *so)
{
	struct swap_object *meta;
	struct vm_object *object;

	spin_lock(&vm_swap_lock);
	list_for_each_entry(meta, &vm_swap_objects, link) {
		object = meta->object;
		/* Its lock comes before ours. */
		if (!vm_object_trylock(object)) {
			so->passed++;
			continue;
		}
		if (!object->pager_count || pass_over(so, object)) {
			so->passed += !!object->pager_count;
			vm_object_unlock(object);
			continue;
		}
		/* It stays, and so does its place in the list. */
		vm_object_pip_add(object, 1);
		spin_unlock(&vm_swap_lock);
		empty_object(so, object);
		spin_lock(&vm_swap_lock);
		vm_object_pip_wakeup(object, 1);
		vm_object_unlock(object);
		if (so->error)
			break;
	}
	spin_unlock(&vm_swap_lock);
}

static u64 blocks_left(struct vm_swap_dev *dev, bool *known)
{
	u64 used;

	spin_lock(&vm_swap_lock);
	used = dev->used;
	*known = dev->known;
	spin_unlock(&vm_swap_lock);
	return used;
}

/* Bring back everything that is on a closed device. 0 or an errno. */
static int empty_device(struct vm_swap_dev *dev)
{
	unsigned int in_vain = 0, nothing = 0;
	/* Nobody else's: it is what vm_sleep() lets go of. */
	struct mutex quiet;
	bool known;
	u64 left;

	mutex_init(&quiet);
	if (vm_page_free_count() + vm_pageq_count(PQ_CACHE) + vm_swap_room() <
	    blocks_left(dev, &known))
		return -ENOMEM;
	while ((left = blocks_left(dev, &known))) {
		struct swapoff so = {
			.dev = dev,
			.enter_paging = in_vain >= SWAPOFF_PATIENCE,
		};

		if (fatal_signal_pending(current))
			return -EINTR;
		one_pass(&so);
		if (so.error)
			return so.error;
		if (so.freed) {
			in_vain = 0;
			nothing = 0;
			cond_resched();
			continue;
		}
		in_vain++;
		/*
		 * What is on its way is known to nobody, and not lost. Lost is what somebody
		 * must know, and nobody does, however often we look.
		 */
		nothing = !so.passed && known ? nothing + 1 : 0;
		if (nothing == SWAPOFF_LOST) {
			pr_err("%llu blocks of %s belong to no object\n", left,
			       dev->name);
			return -EIO;
		}
		vm_steer(VM_STEER_SWAPOFF_WAIT, dev);
		mutex_lock(&quiet);
		vm_sleep(so.chan ?: &quiet, &quiet, SWAPOFF_WAIT);
	}
	return 0;
}

/* The device is closed, by us. */
static int swapoff(struct vm_swap_dev *dev)
{
	int error;

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	error = empty_device(dev);
	if (error)
		vm_swap_reopen(dev);
	else
		vm_swap_remove(dev);
	return error;
}

/**
 * vm_swapoff_dev() - swap to a device no more
 * @dev: the device, gone on success
 *
 * Context: process context, no lock of the VM held. May sleep, for long.
 * Return: 0; or -ENOMEM if there is no room for what is on it, -EIO if something
 * cannot be read, -EINTR, -EBUSY; then the device is as it was, apart from what was
 * brought back.
 */
int vm_swapoff_dev(struct vm_swap_dev *dev)
{
	return swapoff(vm_swap_close(dev, NULL));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swapoff_dev);

/**
 * vm_swapoff() - the same, by path
 * @path: where the device, or file, is
 *
 * Context: process context, no lock of the VM held. May sleep, for long.
 * Return: as vm_swapoff_dev(), or -ENOENT if we do not swap to that.
 */
int vm_swapoff(const char *path)
{
	return swapoff(vm_swap_close(NULL, path));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swapoff);

