// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults.
 *
 * The physical map did not know what to do with an access. The map says which object
 * is shown there; from that one on, down the chain, the first that has the page,
 * resident or with its pager, has the contents; if none does, they are zero.
 *
 *	entry ---> first ---> ... ---> object ---> ... ---> nothing
 *	            |                    |                      |
 *	        found here:         found here: read it,     zeroes, in a
 *	        map it              or copy it to first      new page of first
 *
 * While all that goes on, nothing stays locked that does not have to: the map is let
 * go of before a pager is asked, and of the objects only the one that is looked at is
 * locked. What is there so that things do not change meanwhile:
 *
 * - The map has a reference, so has the first object; and that object and the one that
 *   is looked at are paging, so that they are neither ended nor merged.
 * - Where the first object has not got the page, a new one is put there at once, busy,
 *   before going down. Whoever else faults on the same address finds it and waits,
 *   so that no contents are copied or read twice.
 * - The page with the contents is busy from the moment when it is found, through the
 *   copy, until it is mapped and its neighbours are (FA-01): entering it may fail and
 *   have to be tried again, and for its neighbours its object has to be unlocked.
 *
 * When the page is there, the map is asked again whether all is still as it was. That
 * must not block (FA-02): whoever has the map now may be waiting for this very
 * page, to remove it. If the lock is not to be had, or the answer is another, all is
 * let go of, and the fault begins again.
 *
 * Memory is waited for with nothing held, and then the fault begins again, too.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "uma/compat.h"
#include "vmsim/collapse.h"
#include "vmsim/fault.h"
#include "vmsim/map.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/steer.h"
#include "vmsim/trace.h"

/* Pages that are read beside the one that is wanted, below it and above it. */
#define READ_BEHIND	4
#define READ_AHEAD	7
#define READ_SEQUENTIAL	(VM_PAGER_MAX - 1)
static_assert(READ_BEHIND + READ_AHEAD + 1 <= VM_PAGER_MAX);

/* Pages that are looked for beside the one that is mapped, on each side. */
#define PREFAULT	4

/**
 * struct fault - one attempt at a fault
 * @map: the map that the address is in, referenced; NULL if contents are sought for
 *	somebody who is no address
 * @map_locked: whether it is locked, for reading
 * @entry: the entry, while it is locked
 * @timestamp: the map's when it was looked up
 * @va: the address, of a page
 * @type: VM_PROT_*: what the fault wants
 * @flags: VM_FAULT_*
 * @prot: the rights that the translation may have
 * @wired: whether the entry is wired
 * @own: the page must be one of @first's own: it is written to, or wired where there
 *	can be copies
 * @kind: VM_FAULT_*, how its contents came
 * @giant: vm_giant is held
 * @behind: pages that may be read below
 * @ahead: pages that may be read above
 * @first: the entry's object, referenced and paging
 * @first_pindex: the page's index in it
 * @first_m: a new page there, busy, while the contents are sought further down
 * @object: the object that is looked at; paging, if it is not @first
 * @pindex: the page's index in it
 * @m: the page with the contents, busy, in @object
 * @zeroed: the new page in @first is zero
 */
struct fault {
	struct vm_map *map;
	bool map_locked;
	struct vm_map_entry *entry;
	unsigned int timestamp;
	unsigned long va;
	u8 type;
	int flags;
	u8 prot;
	bool wired;
	bool own;
	u8 kind;
	bool giant;
	unsigned int behind;
	unsigned int ahead;
	struct vm_object *first;
	u64 first_pindex;
	struct vm_page *first_m;
	struct vm_object *object;
	u64 pindex;
	struct vm_page *m;
	bool zeroed;
};

/* ---- letting go --------------------------------------------------------- */

static void unlock_map(struct fault *f)
{
	if (f->map_locked)
		vm_map_unlock_read(f->map);
	f->map_locked = false;
	f->entry = NULL;
}

/* The page that was found is of no more concern: others may have it. */
static void release_page(struct fault *f)
{
	struct vm_page *m = f->m;

	f->m = NULL;
	if (!m)
		return;
	vm_page_lock_queues();
	vm_page_activate(m);
	vm_page_unlock_queues();
	vm_page_wakeup(m);
}

/* A page that was put there for contents that did not come. */
static void drop_page(struct vm_page **m)
{
	if (*m)
		vm_page_free(*m);
	*m = NULL;
}

/* Let go of the first object, which is locked; @object is not ours any more. */
static void release_first(struct fault *f)
{
	drop_page(&f->first_m);
	vm_object_pip_wakeup(f->first, 1);
	vm_object_unlock(f->first);
	unlock_map(f);
}

/* And of the references, with nothing locked. */
static void put(struct fault *f)
{
	vm_object_deallocate(f->first);
	if (f->map)
		vm_map_deallocate(f->map);
}

/* Let go of everything but the references. @object is locked, and nothing else. */
static void release_locked(struct fault *f)
{
	release_page(f);
	if (f->object != f->first) {
		vm_object_pip_wakeup(f->object, 1);
		vm_object_unlock(f->object);
		vm_object_lock(f->first);
	}
	release_first(f);
}

/* Let go of everything. @object is locked, and nothing else. */
static void release(struct fault *f)
{
	release_locked(f);
	put(f);
}

/* Let go of @object, which is locked, and look at @first again, which is then. */
static void back_to_first(struct fault *f)
{
	if (f->object == f->first)
		return;
	vm_object_pip_wakeup(f->object, 1);
	vm_object_unlock(f->object);
	vm_object_lock(f->first);
	f->object = f->first;
	f->pindex = f->first_pindex;
}

/* ---- finding the contents ----------------------------------------------- */

/*
 * Let go of everything, and sleep until the page at @pindex of @object is not busy.
 * @object is locked.
 */
static void wait_for_page(struct fault *f)
{
	struct vm_object *object = f->object;
	u64 pindex = f->pindex;
	struct vm_page *m;

	/* It stays; and what we have above it is free for others meanwhile. */
	vm_object_pip_add(object, 1);
	release_locked(f);
	vm_steer(VM_STEER_FAULT_WAIT, object);
	vm_object_lock(object);
	m = vm_page_lookup(object, pindex);
	if (m)
		vm_page_sleep_if_busy(m, object, true);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	/* It may be the last reference, and whose end waits for paging: ours, too. */
	put(f);
}

/*
 * The object that we came to, locked, is being merged into the one above: let go of
 * that, which the merger may be waiting for, and sleep until it is over. What is above
 * is locked first, so here it can only be tried.
 */
static void wait_for_merger(struct fault *f)
{
	struct vm_object *dead = f->object;

	if (vm_object_trylock(f->first)) {
		release_first(f);
		vm_object_wait_dead(dead);
	} else {
		vm_object_unlock(dead);
		vm_object_lock(f->first);
		release_first(f);
		schedule_timeout_idle(1);
	}
	put(f);
}

/*
 * How far to either side of the page to read: as far as the pager can in one go, the
 * advice allows, memory is plenty, and no page is there yet. The new pages are
 * put around @m[*reqpage], which is the wanted one. Returns their number.
 */
static unsigned int gather(struct fault *f, unsigned int before,
			   unsigned int after, struct vm_page **m,
			   unsigned int *reqpage)
{
	struct vm_object *object = f->object;
	struct vm_page *below[READ_BEHIND];
	unsigned int i, n = 0;

	before = min(before, f->behind);
	after = min(after, f->ahead);
	for (i = 0; i < before && i < f->pindex; i++) {
		if (vm_page_count_min() ||
		    vm_page_lookup(object, f->pindex - 1 - i))
			break;
		below[i] = vm_page_alloc(object, f->pindex - 1 - i,
					 VM_ALLOC_NORMAL);
		if (!below[i])
			break;
	}
	while (i)
		m[n++] = below[--i];
	*reqpage = n;
	m[n++] = f->m;
	for (i = 1; i <= after && f->pindex + i < object->size; i++) {
		if (vm_page_count_min() ||
		    vm_page_lookup(object, f->pindex + i))
			break;
		m[n] = vm_page_alloc(object, f->pindex + i, VM_ALLOC_NORMAL);
		if (!m[n])
			break;
		n++;
	}
	return n;
}

/*
 * Ask the pager for @m, which is there and busy. Returns 0 if it came, -ENODATA if
 * the pager has not got it, another errno if the fault ends here.
 */
static int page_in(struct fault *f)
{
	struct vm_object *object = f->object;
	unsigned int before, after, reqpage, n;
	struct vm_page *m[VM_PAGER_MAX];
	enum vm_pager_result result;

	if (!vm_pager_has_page(object, f->pindex, &before, &after))
		return -ENODATA;
	n = gather(f, before, after, m, &reqpage);
	/* Reading takes long, and who changes the map may want this page. */
	unlock_map(f);
	result = vm_pager_get_pages(object, m, n, reqpage);
	if (result == VM_PAGER_ERROR && n > 1) {
		/* It may be one that nobody has asked for; those have gone. */
		m[0] = m[reqpage];
		reqpage = 0;
		result = vm_pager_get_pages(object, m, 1, 0);
	}
	switch (result) {
	case VM_PAGER_OK:
	case VM_PAGER_PEND:
		/* A device's page is the pager's own. */
		f->m = m[reqpage];
		f->kind = VM_FAULT_READ;
		if (f->m->valid != VM_PAGE_BITS_ALL)
			vm_page_zero_invalid(f->m, true);
		vm_steer(VM_STEER_FAULT_READ, f->m);
		return 0;
	case VM_PAGER_FAIL:
		return -ENODATA;
	case VM_PAGER_AGAIN:
		return -ENOMEM;
	case VM_PAGER_BAD:
		return -EFAULT;
	case VM_PAGER_ERROR:
		break;
	}
	return -EIO;
}

/* Whether the fault can use a resident page as it is: somebody may be at it. */
static bool is_usable(const struct fault *f, const struct vm_page *m)
{
	if (m->busy)
		return false;
	/* What is being written must not change. */
	return !m->io_count || f->object != f->first || !f->own;
}

/*
 * Look for the page in @object, which is locked. Returns 0 if it is @m now, busy and
 * valid; -ENODATA if it is not here; another errno if the fault ends here, with
 * everything released.
 */
static int look_here(struct fault *f)
{
	struct vm_object *object = f->object;
	bool fresh = false;
	int error;

	f->m = vm_page_lookup(object, f->pindex);
	if (f->m && !is_usable(f, f->m)) {
		f->m = NULL;
		wait_for_page(f);
		return -EAGAIN;
	}
	if (f->m) {
		vm_page_lock_queues();
		vm_pageq_remove(f->m);
		vm_page_unlock_queues();
		vm_page_busy(f->m);
		if (f->m->valid == VM_PAGE_BITS_ALL) {
			f->kind = VM_FAULT_FOUND;
			return 0;
		}
	} else {
		if (f->pindex >= object->size) {
			/* A shadow may be longer than what it shadows. */
			if (object != f->first)
				return -ENODATA;
			release(f);
			return -EFAULT;
		}
		if (object != f->first &&
		    !vm_pager_has_page(object, f->pindex, NULL, NULL))
			return -ENODATA;
		/* With nothing behind it and nothing below, it will be zeroes. */
		f->zeroed = !object->backing_object &&
			    !vm_pager_has_page(object, f->pindex, NULL, NULL);
		f->m = vm_page_alloc(object, f->pindex, VM_ALLOC_NORMAL |
				     (f->zeroed ? VM_ALLOC_ZERO : 0));
		if (!f->m) {
			release(f);
			return -ENOMEM;
		}
		fresh = true;
	}
	error = page_in(f);
	if (!error)
		return 0;
	if (error == -ENODATA && !fresh) {
		/* What is there is all that there is. */
		vm_page_zero_invalid(f->m, true);
		return 0;
	}
	if (error == -ENODATA && object == f->first) {
		/* Its place, for contents from below. */
		f->first_m = f->m;
		f->m = NULL;
		return error;
	}
	if (fresh)
		drop_page(&f->m);
	if (error == -ENODATA)
		return error;
	release(f);
	return error;
}

/*
 * Go down from @first, which is locked, to the contents. Returns 0 with @m, busy and
 * valid, in @object, which is locked; else an errno, with everything released.
 */
static int find_page(struct fault *f)
{
	struct vm_object *below;
	u64 pindex;
	int error;

	for (;;) {
		error = look_here(f);
		if (error != -ENODATA)
			return error;
		pindex = f->pindex + vm_atop(f->object->backing_offset);
		if (!f->object->backing_object)
			break;
		if (f->object != f->first)
			vm_object_pip_wakeup(f->object, 1);
		below = vm_object_step_down(f->object);
		f->object = below;
		f->pindex = pindex;
		if (below->flags & OBJ_DEAD) {
			wait_for_merger(f);
			return -EAGAIN;
		}
		vm_object_pip_add(below, 1);
	}
	/* Nobody has it. */
	back_to_first(f);
	f->m = f->first_m;
	f->first_m = NULL;
	if (f->zeroed)
		f->m->valid = VM_PAGE_BITS_ALL;
	else
		vm_page_zero_invalid(f->m, true);
	f->kind = VM_FAULT_ZERO;
	vm_count(zero_fills);
	return 0;
}

/* ---- copying ------------------------------------------------------------ */

/* Whether nobody but @first can see @object, which it shadows; both are locked. */
static bool is_private_backing(const struct fault *f)
{
	return f->object == f->first->backing_object &&
	       !(f->object->flags & OBJ_DEAD) &&
	       f->object->shadow_count == 1 &&
	       atomic_read(&f->object->ref_count) == 1 &&
	       !f->object->handle &&
	       (f->object->type == OBJT_DEFAULT ||
		f->object->type == OBJT_SWAP);
}

/*
 * The page below is of use to nobody but us: move it up instead of copying it. Returns
 * whether that was done; @first is locked then, else @object.
 */
static bool move_up(struct fault *f)
{
	struct vm_object *object = f->object;
	struct vm_page *m = f->m;
	bool moved = false;

	/* What ends a write of it looks for it here; busy, it gets no other. */
	if (atomic_read(&object->ref_count) != 1 || m->wire_count ||
	    m->io_count)
		return false;
	/* It is busy and its object paging: both stay as they are. */
	vm_object_unlock(object);
	vm_object_lock(f->first);
	vm_object_lock_backing(object);
	if (is_private_backing(f)) {
		drop_page(&f->first_m);
		moved = !vm_page_rename(m, f->first, f->first_pindex);
	}
	if (!moved) {
		vm_object_unlock(object);
		vm_object_unlock(f->first);
		vm_object_lock(object);
		return false;
	}
	vm_page_busy(m);
	vm_pager_freespace(object, f->pindex, 1);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	f->object = f->first;
	f->pindex = f->first_pindex;
	f->kind = VM_FAULT_MOVED;
	vm_count(cow_optimised);
	return true;
}

/*
 * The page that was found is further down, and @first is to have one of its own.
 * Returns 0, with that as @m and @first locked; -ENOMEM, with everything released.
 */
static int copy_up(struct fault *f)
{
	if (move_up(f)) {
		vm_count(cow_faults);
		return 0;
	}
	if (!f->first_m) {
		/* Its place was given up for a move that could not be made. */
		release(f);
		return -ENOMEM;
	}
	pmap_copy_page(f->m, f->first_m);
	/*
	 * Who shares @first with us may have the page below mapped, and would not see
	 * what is written to the copy. (Ours and the entry's are two.)
	 */
	if (atomic_read(&f->first->ref_count) > 2)
		pmap_remove_all(f->m);
	release_page(f);
	back_to_first(f);
	f->m = f->first_m;
	f->first_m = NULL;
	f->m->valid = VM_PAGE_BITS_ALL;
	/* What it hides may go, for that reason: there is nothing to get it from. */
	vm_page_dirty(f->m);
	f->kind = VM_FAULT_COPIED;
	vm_count(cow_faults);
	return 0;
}

/* ---- mapping ------------------------------------------------------------ */

/* Is the map still as it was? @object is locked. */
static int look_again(struct fault *f)
{
	if (f->map_locked)
		return 0;
	/* Whoever has it may be waiting for our page. */
	if (!vm_map_trylock_read(f->map))
		return -EAGAIN;
	f->map_locked = true;
	if (f->map->timestamp == f->timestamp)
		return 0;
	return vm_map_lookup_again(f->map, f->va, f->type, f->first,
				   f->first_pindex, &f->prot, &f->wired);
}

/* Map the page at @pindex of a chain at @va, if it is resident. */
static void prefault_one(struct fault *f, unsigned long va, u64 pindex)
{
	struct vm_object *object = f->first, *below;
	struct vm_page *m;

	vm_object_lock(object);
	while (!(m = vm_page_lookup(object, pindex))) {
		/* Its pager has it: that is what faults are for. */
		if (vm_pager_has_page(object, pindex, NULL, NULL) ||
		    !object->backing_object)
			break;
		pindex += vm_atop(object->backing_offset);
		below = vm_object_step_down(object);
		object = below;
	}
	/* From the look to the translation the lock is held: nothing is busy. */
	if (m && !m->busy && m->valid == VM_PAGE_BITS_ALL &&
	    !(object->flags & OBJ_DEAD)) {
		vm_page_lock_queues();
		if (m->queue == PQ_CACHE)
			vm_page_deactivate(m);
		vm_page_unlock_queues();
		if (!pmap_enter_quick(f->map->pmap, va, m, f->prot))
			vm_count(prefaults);
	}
	vm_object_unlock(object);
}

/* Map neighbours that are there already. The map is locked, no object is. */
static void prefault(struct fault *f, unsigned long start, unsigned long end)
{
	unsigned long va, span = PREFAULT * PAGE_SIZE;

	start = f->va - start > span ? f->va - span : start;
	end = end - f->va > span + PAGE_SIZE ? f->va + span + PAGE_SIZE : end;
	for (va = start; va < end; va += PAGE_SIZE) {
		if (va == f->va || !pmap_is_prefaultable(f->map->pmap, va))
			continue;
		prefault_one(f, va, f->first_pindex + vm_atop(va) -
				    vm_atop(f->va));
	}
}

/* Map @m. @object is locked; everything is released in the end. */
static int map_page(struct fault *f)
{
	struct vm_map_node *node;
	struct vm_page *m = f->m;
	u8 prot = f->prot;
	int error;

	/* What is being written must not change. */
	if (m->io_count)
		prot &= ~VM_PROT_WRITE;
	if (f->flags & VM_FAULT_DIRTY && prot & VM_PROT_WRITE) {
		vm_page_dirty(m);
		vm_pager_page_unswapped(f->object, f->pindex);
	}
	error = pmap_enter(f->map->pmap, f->va, m, prot, f->wired);
	if (error) {
		release(f);
		return error;
	}
	if (f->kind == VM_FAULT_FOUND)
		vm_count(object_faults);
	vm_object_unlock(f->object);
	vm_steer(VM_STEER_FAULT_MAPPED, m);
	if (!f->wired && vm_map_tree_peek(&f->map->tree, f->va, &node) && node)
		prefault(f, node->start, node->end);
	vm_object_lock(f->object);
	if (f->flags & VM_FAULT_WIRE) {
		vm_page_lock_queues();
		if (!vm_page_wire(m))
			error = -EOVERFLOW;
		vm_page_unlock_queues();
	}
	release(f);
	return error;
}

/* ---- the fault ---------------------------------------------------------- */

/* How far to read beside the page, by what was said about the mapping. */
static void set_readahead(struct fault *f)
{
	struct vm_map_node *node = &f->entry->node;
	u64 below = vm_atop(f->va - node->start);
	u64 above = vm_atop(node->end - f->va) - 1;

	switch (f->entry->advice) {
	case VM_ADV_RANDOM:
		f->behind = 0;
		f->ahead = 0;
		return;
	case VM_ADV_SEQUENTIAL:
		f->behind = 0;
		f->ahead = READ_SEQUENTIAL;
		break;
	default:
		f->behind = READ_BEHIND;
		f->ahead = READ_AHEAD;
		break;
	}
	f->behind = min_t(u64, f->behind, below);
	f->ahead = min_t(u64, f->ahead, above);
}

/* Whether vm_giant must be had for this object, and is not: then it is now. */
static bool need_giant(struct fault *f)
{
	/* Constant, unlike its neighbours. */
	if (f->giant || !(data_race(f->first->flags) & OBJ_NEEDGIANT))
		return false;
	vm_map_lookup_done(f->map);
	mutex_lock(&vm_giant);
	f->giant = true;
	return true;
}

/* One attempt. Returns -EAGAIN for another, -ENOMEM for another with more memory. */
static int attempt(struct fault *f, struct vm_map *map)
{
	int error;

	f->map = map;
	error = vm_map_lookup(&f->map, f->va, f->type, &f->entry, &f->first,
			      &f->first_pindex, &f->prot, &f->wired);
	if (error)
		return error;
	if (need_giant(f))
		return -EAGAIN;
	f->map_locked = true;
	f->timestamp = f->map->timestamp;
	/*
	 * Of what is wired, even if this entry may never write to it: others who share
	 * @first may, and the page that they then see must be the wired one.
	 */
	f->own = f->type & VM_PROT_WRITE ||
		 (f->wired && (f->prot & VM_PROT_WRITE ||
			       f->entry->eflags & MAP_ENTRY_COW));
	f->kind = VM_FAULT_FOUND;
	set_readahead(f);
	f->object = f->first;
	f->pindex = f->first_pindex;
	f->m = NULL;
	f->first_m = NULL;
	vm_object_reference(f->first);
	vm_object_lock(f->first);
	vm_object_pip_add(f->first, 1);

	error = find_page(f);
	if (error)
		return error;
	if (f->object != f->first) {
		if (f->own) {
			error = copy_up(f);
			if (error)
				return error;
		} else {
			f->prot &= ~VM_PROT_WRITE;
		}
	}
	error = look_again(f);
	if (error) {
		release(f);
		return error;
	}
	return map_page(f);
}

static void drop_giant(struct fault *f)
{
	if (f->giant)
		mutex_unlock(&vm_giant);
	f->giant = false;
}

/**
 * vm_fault() - bring the page of an address and map it
 * @map: the map
 * @va: the address
 * @fault_type: VM_PROT_*: what the access wants
 * @flags: VM_FAULT_*
 *
 * Context: process, may sleep; no lock of the VM held.
 * Return: 0; -EFAULT if there is nothing at the address, -EACCES if the access is not
 * allowed, -EIO if the contents cannot be read, -ENOMEM, -EOVERFLOW if the page cannot
 * be wired once more, or -EINTR if the thread is being killed.
 */
int vm_fault(struct vm_map *map, unsigned long va, u8 fault_type, int flags)
{
	struct fault f = {
		.va = va & PAGE_MASK,
		.type = fault_type,
		.flags = flags,
	};
	unsigned int waits = 0;
	int error;

	might_sleep();
	vm_count(faults);
	for (;;) {
		error = attempt(&f, map);
		if (error == -ENOMEM) {
			drop_giant(&f);
			if (!vm_wait_again(&waits))
				break;
		} else if (error != -EAGAIN) {
			break;
		}
		if (fatal_signal_pending(current)) {
			error = -EINTR;
			break;
		}
		cond_resched();
	}
	drop_giant(&f);
	trace_vm_fault(map, va, fault_type, f.kind, error);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_fault);

/**
 * vm_fault_wire() - bring the pages of a range, each with one wiring
 * @map: the map, not locked; its entry there is wired and in transition
 * @start: the first address
 * @end: the address behind the last
 * @done: where to store how far it came
 *
 * Return: 0 or what vm_fault() says.
 */
int vm_fault_wire(struct vm_map *map, unsigned long start, unsigned long end,
		  unsigned long *done)
{
	int error = 0;

	for (*done = start; *done < end; *done += PAGE_SIZE) {
		/* A fault that need not wait does not look. */
		if (fatal_signal_pending(current))
			return -EINTR;
		error = vm_fault(map, *done, VM_PROT_NONE, VM_FAULT_WIRE);
		if (error)
			break;
		cond_resched();
	}
	return error;
}

/* Find contents of an entry's object, for a copy. As find_page(), and -ENOMEM. */
static int find_source(struct fault *f, struct vm_object *object, u64 pindex)
{
	int error;

	do {
		*f = (struct fault) {
			.type = VM_PROT_READ,
			.first = object,
			.first_pindex = pindex,
			.object = object,
			.pindex = pindex,
		};
		vm_object_reference(object);
		vm_object_lock(object);
		vm_object_pip_add(object, 1);
		error = find_page(f);
	} while (error == -EAGAIN);
	return error;
}

/* A copy of one page; @dst_m is busy, in the new object. */
static int copy_page_of(struct vm_object *src, u64 pindex, struct vm_page *dst_m)
{
	unsigned int waits = 0;
	struct fault f;
	int error;

	while ((error = find_source(&f, src, pindex)) == -ENOMEM)
		if (!vm_wait_again(&waits))
			return error;
	if (error)
		return error;
	pmap_copy_page(f.m, dst_m);
	release(&f);
	return 0;
}

/**
 * vm_fault_copy_entry() - copy what an entry shows, now
 * @dst_map: the map that the copy is for
 * @dst: its entry, without an object
 * @src: the entry of the other map, with one. Where it is wired, or others write to
 *	the same object, a copy cannot wait until it is written to
 *
 * Both maps are locked for writing. Who has a page of the source busy does not wait
 * for them (FA-02).
 *
 * Context: process, may sleep, for memory, too.
 * Return: 0, or an errno with @dst without an object.
 */
int vm_fault_copy_entry(struct vm_map *dst_map, struct vm_map_entry *dst,
			const struct vm_map_entry *src)
{
	u64 n = vm_atop(dst->node.end - dst->node.start), i;
	u64 from = vm_atop(src->offset);
	struct vm_object *object;
	unsigned int waits = 0;
	struct vm_page *m;
	int error = 0;

	while (!(object = vm_object_allocate(OBJT_DEFAULT, n)))
		if (!vm_wait_again(&waits))
			return -ENOMEM;
	for (i = 0; !error; i++) {
		/* Zeroes come with a fault. */
		i = vm_object_next_index(src->object, from + i, from + n, true) -
		    from;
		if (i == n)
			break;
		vm_object_lock(object);
		m = vm_page_grab(object, i, VM_ALLOC_NORMAL | VM_ALLOC_RETRY);
		vm_object_unlock(object);
		if (!m) {
			error = -ENOMEM;
			break;
		}
		error = copy_page_of(src->object, from + i, m);
		vm_object_lock(object);
		if (error) {
			vm_page_free(m);
		} else {
			m->valid = VM_PAGE_BITS_ALL;
			/* A copy has nothing below that could be had again. */
			vm_page_dirty(m);
			/* What does not fit comes with a fault. */
			pmap_enter_quick(dst_map->pmap,
					 dst->node.start + vm_ptoa(i), m,
					 dst->protection);
			vm_page_lock_queues();
			vm_page_activate(m);
			vm_page_unlock_queues();
			vm_page_wakeup(m);
		}
		vm_object_unlock(object);
		cond_resched();
	}
	if (error) {
		pmap_remove(dst_map->pmap, dst->node.start, dst->node.end);
		vm_object_deallocate(object);
		return error;
	}
	dst->object = object;
	dst->offset = 0;
	dst->eflags &= ~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
	return 0;
}

/**
 * vm_access() - read or write memory of an address space, as its owner
 * @map: the map
 * @va: the address
 * @buf: kernel memory
 * @len: bytes
 * @access: VM_PROT_READ or VM_PROT_EXECUTE to read, VM_PROT_WRITE to write
 * @done: where to store how many bytes were; may be NULL
 *
 * Each page is accessed through the physical map, and faulted only if that cannot
 * answer.
 *
 * Context: process, may sleep; no lock of the VM held.
 * Return: 0, or what vm_fault() says about the first byte that could not be.
 */
int vm_access(struct vm_map *map, unsigned long va, void *buf, size_t len,
	      u8 access, size_t *done)
{
	size_t pos = 0, n;
	int error = 0;

	while (pos < len) {
		if (va + pos < va) {
			error = -EFAULT;
			break;
		}
		n = min_t(size_t, len - pos,
			  PAGE_SIZE - offset_in_page(va + pos));
		while (!pmap_access(map->pmap, va + pos, access, buf + pos, n)) {
			error = vm_fault(map, va + pos, access, VM_FAULT_NORMAL);
			if (error)
				goto out;
		}
		pos += n;
		cond_resched();
	}
out:
	if (done)
		*done = pos;
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_access);
