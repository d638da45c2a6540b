/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of the VM: allocated and freed, in an object or in none, wired, held, busy.
 *
 * The record is struct vm_page in uma/pool.h. Who may touch what:
 *
 *	object, pindex			written under the object's lock and the queues'
 *	busy, wanted, io_count,
 *	valid, dirty			the object's lock
 *	pageq, queue, act_count,
 *	wire_count, hold_count		the queues' lock
 *	flags				the pool's lock
 *	md				pmap.c's locks
 *
 * A page without an object (VM_ALLOC_NOOBJ: page-table pages, contiguous runs) is
 * its holder's alone; nobody finds it by looking anything up.
 *
 * Busy. A page that is in an object can be found by anybody who locks the object. If
 * the lock must be dropped while the page is not fit to be seen (its contents are on
 * their way, it is about to be mapped), it is made busy first, and whoever finds
 * it busy waits with vm_page_sleep_if_busy(). Under the lock alone busy is not
 * needed: nobody can look. Pages that are being written out are fit to be read, so
 * that is counted apart, in io_count.
 */
#ifndef _VMSIM_PAGE_H
#define _VMSIM_PAGE_H

#include <linux/bits.h>
#include <linux/mm.h>

#include "uma/pool.h"
#include "uma/uma.h"
#include "vmsim/pageq.h"

struct vm_object;

/*
 * How a page is allocated. The class says how far down the free pages it may go:
 * what is left for system is kept from normal, and the interrupts' last ones from
 * both. A copy made for a write is normal.
 */
#define VM_ALLOC_NORMAL		0x0000
#define VM_ALLOC_SYSTEM		0x0001	/* what page-out and the kernel cannot do without */
#define VM_ALLOC_INTERRUPT	0x0002	/* the last ones; never cached pages */
#define VM_ALLOC_CLASS		0x0003
#define VM_ALLOC_WIRED		0x0020	/* wire it */
#define VM_ALLOC_ZERO		0x0040	/* zero it; it is not marked valid for that */
#define VM_ALLOC_RETRY		0x0080	/* vm_page_grab(): wait until there is one */
#define VM_ALLOC_NOOBJ		0x0100	/* in no object */
#define VM_ALLOC_NOBUSY		0x0200	/* not busy */

/* A page whose blocks are all valid, or all dirty. */
#define VM_PAGE_BITS_ALL	((u8)(BIT(PAGE_SIZE / VM_PAGE_BLOCK) - 1))

/**
 * struct vm_page_limits - free pages that each class leaves alone
 * @reserved: normal ones
 * @interrupt: system ones
 * @wakeup: who waits for pages goes on when there are more than this, so that he does
 *	not wait again at once; @reserved if that is more
 *
 * Constant once the VM has started, but for the suites.
 */
struct vm_page_limits {
	unsigned long reserved;
	unsigned long interrupt;
	unsigned long wakeup;
};

extern struct vm_page_limits vm_page_limits;

/* What wakes somebody; called under any lock. */
typedef void (*vm_wakeup_fn)(void);

/* Allocate, free. */
struct vm_page *vm_page_alloc(struct vm_object *object, u64 pindex, int req);
struct vm_page *vm_page_grab(struct vm_object *object, u64 pindex, int req);
void vm_page_free(struct vm_page *m);
struct vm_page *vm_page_select_cache(struct vm_object *locked);
bool vm_page_take_cached(struct vm_page *m, struct vm_object *locked);
unsigned long vm_page_free_count(void);
bool vm_page_count_min(void);
bool vm_wait(void);
bool vm_wait_again(unsigned int *waits);
void *vm_zalloc(uma_zone_t zone, int flags);
vm_wakeup_fn vm_page_set_pageout(vm_wakeup_fn wakeup);
void vm_page_want_pageout(void);
unsigned int vm_page_waits(void);
bool vm_page_has_waiters(void);
void vm_page_nothing_comes(unsigned int ticket);
void vm_page_set_zeroing(vm_wakeup_fn wakeup);

/* Objects' pages; the object's lock is held. */
struct vm_page *vm_page_lookup(struct vm_object *object, u64 pindex);
int vm_page_insert(struct vm_page *m, struct vm_object *object, u64 pindex);
void vm_page_remove(struct vm_page *m);
int vm_page_rename(struct vm_page *m, struct vm_object *object, u64 pindex);

/* Busy; the object's lock is held. */
void vm_page_busy(struct vm_page *m);
void vm_page_wakeup(struct vm_page *m);
void vm_page_flash(struct vm_page *m);
void vm_page_io_start(struct vm_page *m);
void vm_page_io_finish(struct vm_page *m);
void vm_page_isolated_add(long n);
unsigned long vm_page_isolated(void);
bool vm_page_sleep_if_busy_for(struct vm_page *m, struct vm_object *object,
			       bool also_io, long timeout);
bool vm_page_sleep_if_busy(struct vm_page *m, struct vm_object *object,
			   bool also_io);

/* Writes under way, of all objects. */
unsigned int vm_page_writing(void);
bool vm_page_wait_for_writes(unsigned int most, const bool *stop, long timeout);
void vm_page_flash_writes(void);

/* Queues, wiring, holds; the queues' lock is held. */
void vm_page_activate(struct vm_page *m);
void vm_page_deactivate(struct vm_page *m);
void vm_page_cache(struct vm_page *m);
bool vm_page_wire(struct vm_page *m);
void vm_page_unwire(struct vm_page *m, bool activate);
bool vm_page_hold(struct vm_page *m);
void vm_page_unhold(struct vm_page *m);

/* What of a page is valid and dirty; the object's lock is held. */
u8 vm_page_bits(unsigned int base, unsigned int size);
void vm_page_set_valid(struct vm_page *m, unsigned int base, unsigned int size);
void vm_page_set_validclean(struct vm_page *m, unsigned int base,
			    unsigned int size);
void vm_page_set_invalid(struct vm_page *m, unsigned int base, unsigned int size);
void vm_page_zero_invalid(struct vm_page *m, bool setvalid);
bool vm_page_is_valid(const struct vm_page *m, unsigned int base,
		      unsigned int size);

static inline void vm_page_dirty(struct vm_page *m)
{
	m->dirty = VM_PAGE_BITS_ALL;
}

static inline void vm_page_undirty(struct vm_page *m)
{
	m->dirty = 0;
}

/* Busy in either way: not to be changed, moved or freed. */
static inline bool vm_page_is_busy(const struct vm_page *m)
{
	return m->busy || m->io_count;
}

void vm_page_startup(void);
void vm_page_shutdown(void);

#endif /* _VMSIM_PAGE_H */
