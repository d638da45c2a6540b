/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual-memory system: what all files of vmsim/ share.
 *
 * An address space is a map: a sorted set of entries, each a range of addresses that
 * shows a part of an object. An object is a run of pages by index: some of them
 * resident in pages of the pool, some with a pager that can bring them, most of
 * them in neither place and therefore zero, or to be found in the object that this
 * one shadows. Copying memory copies nothing: both sides keep the old object below
 * and get a new, empty one above it, which takes the pages that are written to.
 *
 *	map A        map B
 *	+-------+    +-------+
 *	| entry |    | entry |		address to object and offset	map.h
 *	+---+---+    +---+---+
 *	    |            |
 *	+---+---+    +---+---+
 *	|   O   |    |   P   |		what each side wrote		object.h
 *	+---+---+    +---+---+
 *	    |            |		backing object and offset
 *	    +-----+------+
 *	      +---+---+
 *	      |  BO   |			what both had when they parted
 *	      +---+---+
 *	          |
 *	      +---+---+
 *	      |  BBO  | -- pager	where pages come from and go to	pager.h
 *	      +-------+
 *
 * When one side goes, the other's object and the one below it can become one again:
 * that is collapse.h, and without it chains would grow with every fork. The
 * physical map (pmap.h) is only a cache of all this: what it forgets, a fault
 * (fault.h) finds out again.
 *
 * A page of the pool is in exactly one state at a time:
 *
 *	free		on the pool's list; belongs to nobody
 *	active		on a queue, in an object, used lately
 *	inactive	on a queue, in an object, not used lately; may be dirty
 *	cache		on a queue, in an object, clean and unmapped: as good as free
 *	held		on a queue, in no object: freed while somebody held it
 *	wired		on no queue, in an object or in none; stays where it is
 *	unqueued	on no queue, just allocated; whoever allocated it decides
 *
 * Busy is no state of these but a claim on a page whose object's lock had to be
 * dropped while the page is in motion, mostly for I/O. The object's lock owns it, as
 * it owns what the page contains and where the page belongs.
 *
 * Locks, the outermost first; each file's header says more:
 *
 *	vm_giant	mutex: an object with OBJ_NEEDGIANT asks for it
 *	map		rw_semaphore
 *	object		mutex; of a chain at most two at a time, the upper one first
 *	swap metadata	spinlock
 *	shadow lists	spinlock, one for all objects (object.c)
 *	pv lists, pmap	spinlocks: the lists' first, then a pmap's, parent before child
 *	page queues	spinlock, may be taken again by its owner (pageq.h)
 *	zones, pool	raw, inside uma/
 *
 * No M_WAITOK allocation and no copy from or to user space under a map's or an
 * object's lock: allocate before, or try and let go.
 *
 * Files, each calling only those before it: sleepq, pageq, page, pmap, object, collapse,
 * split, pager, bufobj, backing, swap_dev, pager_*, swapoff, pagers, pageout, pagezero,
 * map_tree, map, fault, contig_search, contig, contig_map. What has to go upward is
 * registered: pagers give objects their operations, page-out and page zeroing give the
 * page layer functions that wake them, contig gives kegs the function that wins runs
 * of pages.
 *
 * Errors are errno values throughout, where BSD has KERN_* codes.
 */
#ifndef _VMSIM_VM_H
#define _VMSIM_VM_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "vmsim/vmsim_ctl.h"

/* What may be done with memory; in this order in a mask of bits. */
#define VM_PROT_NONE		0x00
#define VM_PROT_READ		0x01
#define VM_PROT_WRITE		0x02
#define VM_PROT_EXECUTE		0x04
/* Of an entry's maximum: a write makes a private copy (for breakpoints). */
#define VM_PROT_COPY		0x08
#define VM_PROT_RW		(VM_PROT_READ | VM_PROT_WRITE)
#define VM_PROT_ALL		(VM_PROT_RW | VM_PROT_EXECUTE)

/* What becomes of a mapping in the child. */
enum vm_inherit {
	VM_INHERIT_SHARE,	/* both see one object */
	VM_INHERIT_COPY,	/* the child has a copy, made when it is written to */
	VM_INHERIT_NONE,	/* the child has nothing there */
};

/* Advice: what the owner of memory will do with it. */
enum vm_advice {
	VM_ADV_NORMAL,
	VM_ADV_RANDOM,		/* no neighbours are brought */
	VM_ADV_SEQUENTIAL,	/* neighbours are brought, what is behind may go */
	VM_ADV_WILLNEED,	/* bring it back from the inactive queue, map it */
	VM_ADV_DONTNEED,	/* can go soon; contents stay */
	VM_ADV_FREE,		/* contents are of no use any more */
};

/* Bytes and pages. */
#define vm_atop(bytes)		((u64)(bytes) >> PAGE_SHIFT)
#define vm_ptoa(pages)		((u64)(pages) << PAGE_SHIFT)
#define vm_trunc_page(x)	((x) & PAGE_MASK)
#define vm_round_page(x)	(((x) + PAGE_SIZE - 1) & PAGE_MASK)

/**
 * struct vm_counters - what has happened; only ever goes up
 *
 * Those of VMSIM_EACH_COUNTER, which says what each is. Each is atomic, so that all are
 * exact whoever counts.
 */
struct vm_counters {
#define VM_COUNTER(NAME, name)	atomic64_t name;
	VMSIM_EACH_COUNTER(VM_COUNTER)
#undef VM_COUNTER
};

extern struct vm_counters vm_cnt;

#define vm_count(name)		atomic64_inc(&vm_cnt.name)
#define vm_count_n(name, n)	atomic64_add(n, &vm_cnt.name)
#define vm_counted(name)	((u64)atomic64_read(&vm_cnt.name))

/* vm.c */
int vm_startup(void);
void vm_shutdown(void);

#endif /* _VMSIM_VM_H */
