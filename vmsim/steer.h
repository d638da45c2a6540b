/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named points at which a suite can stop, or act, in the middle of what the VM does:
 * see uma/steer.h. A hook knows its own object or page from others'.
 */
#ifndef _VMSIM_STEER_H
#define _VMSIM_STEER_H

#include <linux/compiler.h>
#include <linux/kconfig.h>

/**
 * enum vm_steer_point - where a hook is called, with what, and in what context
 * @VM_STEER_SHADOW: an object that shadows another and is not known to it yet; no
 *	object's lock held, may sleep
 * @VM_STEER_CACHE_SELECT: a page of the cache queue is about to be looked at; under
 *	the queues' lock
 * @VM_STEER_IO: the struct vm_io of an operation on a file or device whose I/O is about
 *	to begin; if the hook sets its @error there is none; no lock held, may sleep
 * @VM_STEER_SWAP_BUILD: an object for which blocks have been allocated that its
 *	metadata does not name yet; its lock is held, may sleep and drop that meanwhile
 * @VM_STEER_SWAPOFF_WAIT: a device from which swapoff could bring back nothing just
 *	now; no lock held, may sleep
 * @VM_STEER_FAULT_READ: a page that a pager has brought for a fault, which is about to
 *	look at the map again; its object is locked, the map is not; may sleep
 * @VM_STEER_FAULT_MAPPED: a page that a fault has mapped, before its neighbours are;
 *	the map is locked for reading, no object is; may sleep
 * @VM_STEER_FAULT_WAIT: an object of which a fault is about to wait for a page; no lock
 *	held, may sleep
 * @VM_STEER_PAGEOUT_LOOK: a page that page-out is about to look at, if its object can be
 *	had; under the queues' lock
 * @VM_STEER_PAGEOUT_LAUNDER: a page that page-out is about to give to its pager; its
 *	object is locked, may sleep
 * @VM_STEER_ZEROED: a free page was zeroed ahead; no lock held, may sleep
 * @VM_STEER_CONTIG_TAKE: the first page of a run that is about to be taken; no lock
 *	held, may sleep where the request may
 * @VM_STEER_CONTIG_LOOK: a page that was not free and is about to be looked at again,
 *	with the queues' lock; no lock held, may sleep where the request may
 * @VM_STEER_CONTIG_USABLE: the same page, which looks as if it could be had; under the
 *	queues' lock
 * @VM_STEER_CONTIG_BUSY: a page that a request is about to wait for; its object is
 *	locked; may sleep
 * @VM_STEER_CONTIG_CLEANED: a page that was written for a request, or could not be;
 *	its object is locked; may sleep
 * @VM_STEER_CONTIG_MAP: an int, 0: an errno in its place is that of the address range
 *	that is about to be had; no lock held, may sleep
 * @VM_STEER_FORK: an object that an entry of a child shows now, too; both maps are
 *	locked for writing, no object is; may sleep
 */
enum vm_steer_point {
	VM_STEER_SHADOW,
	VM_STEER_CACHE_SELECT,
	VM_STEER_IO,
	VM_STEER_SWAP_BUILD,
	VM_STEER_SWAPOFF_WAIT,
	VM_STEER_FAULT_READ,
	VM_STEER_FAULT_MAPPED,
	VM_STEER_FAULT_WAIT,
	VM_STEER_PAGEOUT_LOOK,
	VM_STEER_PAGEOUT_LAUNDER,
	VM_STEER_ZEROED,
	VM_STEER_CONTIG_TAKE,
	VM_STEER_CONTIG_LOOK,
	VM_STEER_CONTIG_USABLE,
	VM_STEER_CONTIG_BUSY,
	VM_STEER_CONTIG_CLEANED,
	VM_STEER_CONTIG_MAP,
	VM_STEER_FORK,
};

#if IS_ENABLED(CONFIG_KUNIT)
typedef void (*vm_steer_fn)(enum vm_steer_point point, void *obj);
extern vm_steer_fn vm_steer_hook;

static inline void vm_steer(enum vm_steer_point point, void *obj)
{
	vm_steer_fn fn = READ_ONCE(vm_steer_hook);

	if (fn)
		fn(point, obj);
}
#else
static inline void vm_steer(enum vm_steer_point point, void *obj) {}
#endif

#endif /* _VMSIM_STEER_H */
