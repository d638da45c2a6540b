// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the VM.
 *
 * Whoever wants a page asks in a class. There are never enough pages: the normal
 * case of a VM is that nearly all are in use for something that could be got again.
 * So a page is free in two ways. The pool's free pages are nobody's. Cached ones still
 * are somebody's contents, clean and not mapped; they are as good as free until
 * somebody wants them back. An allocation takes free pages down to what its class
 * must leave, then turns cached ones into free ones, and then fails; its caller lets
 * go of its locks and waits (vm_wait()), which wakes page-out.
 *
 *	free pages  ======================|========|===
 *		    normal stops here ----^        |
 *		    system stops here -------------^   interrupts take the last
 *
 * To take a cached page is to take it out of an object whose lock somebody else may
 * hold, from inside the queues' lock, which is further in. So the object is tried; one
 * that is locked keeps its page, which stays where it was (PG-04). The caller's own
 * object, locked already, is neither tried nor unlocked.
 *
 * That a page is in an object is written down twice, in the page and in the object's
 * index; both are changed together, by insert, remove and rename, and by nothing
 * else (PG-05).
 *
 * A page can be freed while it is wired or held. It leaves its object at once, so
 * that nobody finds it, and becomes free when the last of those lets go.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/sleepq.h"
#include "vmsim/steer.h"
#include "vmsim/vm.h"

/*
 * How often vm_wait_again() waits: in vain, and when pages came but what they were wanted
 * for failed again.
 */
#define PATIENCE_VAIN	10
#define PATIENCE	100

/* How long vm_wait() waits at the most: then its caller looks again, or gives up. */
#define WAIT_FOR_PAGES	HZ

/* What one page can have of these: the width of the fields. */
#define HOLDS_MAX	U8_MAX
#define WIRES_MAX	U16_MAX
#define IOS_MAX		63

struct vm_page_limits vm_page_limits;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_limits);

struct vm_counters vm_cnt;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_cnt);

#if IS_ENABLED(CONFIG_KUNIT)
vm_steer_fn vm_steer_hook;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_steer_hook);
#endif

static vm_wakeup_fn pageout_wakeup;
static vm_wakeup_fn zeroing_wakeup;

/*
 * Each wait for pages has a number. Page-out says up to which there is nothing to wait
 * for: it has looked at all that there is, since they began, and could free nothing.
 */
static atomic_t waits;
static atomic_t waiting;
static unsigned int hopeless_wait;

/* Pages that are being written, and who waits until some are not. */
static atomic_t writing;
static DECLARE_WAIT_QUEUE_HEAD(writes_wait);

/* Pages that somebody gathers for a run, and nobody else can have meanwhile. */
static atomic_long_t isolated;

/* Page-out. */

/**
 * vm_page_set_pageout() - register what wakes page-out
 * @wakeup: called when pages are short, from any process context under any lock, so
 *	it must not sleep nor take locks of the VM; or NULL
 *
 * Context: process context, may sleep.
 * Return: the one that was registered before, which is not running any more.
 */
vm_wakeup_fn vm_page_set_pageout(vm_wakeup_fn wakeup)
{
	vm_wakeup_fn old = xchg(&pageout_wakeup, wakeup);

	synchronize_rcu();
	return old;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_set_pageout);

/**
 * vm_page_want_pageout() - say that pages are short
 *
 * Context: any.
 */
void vm_page_want_pageout(void)
{
	vm_wakeup_fn wakeup;

	rcu_read_lock();
	wakeup = READ_ONCE(pageout_wakeup);
	if (wakeup)
		wakeup();
	rcu_read_unlock();
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_want_pageout);

/**
 * vm_page_set_zeroing() - register what wakes the zeroing of free pages
 * @wakeup: called when a page was zeroed where it was needed, or one of those zeroed
 *	ahead was taken; as for vm_page_set_pageout(). NULL takes it back
 *
 * Context: process context, may sleep.
 */
void vm_page_set_zeroing(vm_wakeup_fn wakeup)
{
	WRITE_ONCE(zeroing_wakeup, wakeup);
	synchronize_rcu();
}

static void want_zeroing(void)
{
	vm_wakeup_fn wakeup;

	rcu_read_lock();
	wakeup = READ_ONCE(zeroing_wakeup);
	if (wakeup)
		wakeup();
	rcu_read_unlock();
}

/**
 * vm_page_free_count() - pages that nobody has
 *
 * Return: their number, cached ones not counted.
 */
unsigned long vm_page_free_count(void)
{
	return uma_pool_free_count(uma_pool);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_free_count);

/**
 * vm_page_count_min() - whether a normal allocation would fail now
 *
 * Return: whether.
 */
bool vm_page_count_min(void)
{
	return vm_page_free_count() + vm_pageq_count(PQ_CACHE) <=
	       vm_page_limits.reserved;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_count_min);

/**
 * vm_page_waits() - how many waits for pages have begun
 *
 * Return: the number of the last one, for vm_page_nothing_comes().
 */
unsigned int vm_page_waits(void)
{
	return atomic_read(&waits);
}

/**
 * vm_page_has_waiters() - whether anybody waits for pages just now
 *
 * Return: whether.
 */
bool vm_page_has_waiters(void)
{
	return atomic_read(&waiting);
}

/**
 * vm_page_nothing_comes() - tell those who wait for pages that it is in vain
 * @ticket: what vm_page_waits() said before it was tried
 *
 * Context: process context.
 */
void vm_page_nothing_comes(unsigned int ticket)
{
	WRITE_ONCE(hopeless_wait, ticket);
	wake_up_all(uma_pool_waitqueue(uma_pool));
}

/* Whether somebody waits in vain. */
static bool nothing_comes(unsigned int ticket)
{
	return (int)(READ_ONCE(hopeless_wait) - ticket) >= 0;
}

/* Whether who waited can go on. With nobody who brings more, one page will do. */
static bool enough_to_go_on(void)
{
	unsigned long enough = vm_page_limits.reserved;

	if (READ_ONCE(pageout_wakeup))
		enough = max(enough, READ_ONCE(vm_page_limits.wakeup));
	return vm_page_free_count() + vm_pageq_count(PQ_CACHE) > enough;
}

/**
 * vm_wait() - wait until there are pages for a normal allocation
 *
 * Wakes page-out. Waits no longer than a second, and no longer than until page-out
 * has found that it can free nothing. For what the counts do not show, an object that
 * is locked or the kernel's own memory, it waits a moment.
 *
 * Context: process context, may sleep; no object's lock held, and none that page-out
 * or an end of I/O wants.
 * Return: whether there are any; false also if the thread is being killed.
 */
bool vm_wait(void)
{
	wait_queue_head_t *wq = uma_pool_waitqueue(uma_pool);
	unsigned long begin = jiffies;
	long left = WAIT_FOR_PAGES;
	bool slept = false, enough, vain;
	unsigned int ticket;
	DEFINE_WAIT(wait);

	might_sleep();
	vm_count(page_waits);
	uma_pool_wait_begin(uma_pool);
	atomic_inc(&waiting);
	ticket = atomic_inc_return(&waits);
	vm_page_want_pageout();
	for (;;) {
		prepare_to_wait(wq, &wait, TASK_IDLE);
		enough = enough_to_go_on();
		vain = nothing_comes(ticket);
		/*
		 * A moment must have passed before he tries again: what there is may be
		 * what he cannot use, and what was in vain may not be so any more.
		 */
		if (!left || (enough && slept) || (vain && time_after(jiffies, begin)) ||
		    fatal_signal_pending(current))
			break;
		if (enough || vain)
			schedule_timeout(1);
		else
			left = schedule_timeout(left);
		slept = true;
	}
	finish_wait(wq, &wait);
	atomic_dec(&waiting);
	cond_resched();
	uma_pool_wait_end(uma_pool);
	return !vm_page_count_min() && !fatal_signal_pending(current);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_wait);

/**
 * vm_wait_again() - wait for pages, unless that has been done often enough
 * @waits: what was waited so far; 0 to begin with
 *
 * A page may be there each time, and never all that is needed at once.
 *
 * Context: as vm_wait().
 * Return: whether to try again; if not, it is -ENOMEM.
 */
bool vm_wait_again(unsigned int *waits)
{
	*waits += vm_wait() ? 1 : PATIENCE / PATIENCE_VAIN;
	return *waits < PATIENCE;
}

/**
 * vm_zalloc() - an item of a zone of the VM's, for which memory is waited for
 * @zone: the zone
 * @flags: M_ZERO, M_USE_RESERVE or 0
 *
 * With M_WAITOK the wait would have no end where all memory is dirty and there is
 * nowhere to write it; and who waits so may be the one who brings swap space.
 *
 * Context: as vm_wait().
 * Return: the item; or NULL if there is no memory for a long time, or the thread is
 * being killed.
 */
void *vm_zalloc(uma_zone_t zone, int flags)
{
	unsigned int waits = 0;
	void *item;

	do {
		item = uma_zalloc(zone, M_NOWAIT | flags);
	} while (!item && vm_wait_again(&waits));
	return item;
}

/* Objects' pages. */

/**
 * vm_page_lookup() - the resident page at an index
 * @object: the object, locked
 * @pindex: the index
 *
 * Return: the page, which may be busy or invalid, or NULL.
 */
struct vm_page *vm_page_lookup(struct vm_object *object, u64 pindex)
{
	vm_object_assert_locked(object);
	return xa_load(&object->pages, pindex);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_lookup);

/* One page more, or less, in an object, whose lock is held. */
static void count_resident(struct vm_object *object, long n)
{
	const struct vm_pager_ops *ops = object->ops;

	if (!object->resident && ops && ops->first_page)
		ops->first_page(object);
	object->resident += n;
	object->generation++;
	if (!object->resident && ops && ops->last_page)
		ops->last_page(object);
}

static void set_object(struct vm_page *m, struct vm_object *object, u64 pindex)
{
	vm_page_lock_queues();
	m->object = object;
	m->pindex = pindex;
	vm_page_unlock_queues();
}

/* Whoever holds the queues' lock cannot wait for the kernel's memory. */
static gfp_t index_gfp(void)
{
	return (vm_page_queues_owned() ? GFP_NOWAIT : GFP_KERNEL) | __GFP_NOWARN;
}

/**
 * vm_page_insert() - put a page into an object
 * @m: the page, in none
 * @object: the object, locked
 * @pindex: where, with no page there
 *
 * Context: may sleep, unless the queues' lock is held.
 * Return: 0, -EBUSY if a page is there, or -ENOMEM for the index.
 */
int vm_page_insert(struct vm_page *m, struct vm_object *object, u64 pindex)
{
	int error;

	vm_object_assert_locked(object);
	if (WARN_ON(m->object))
		return -EINVAL;
	error = xa_insert(&object->pages, pindex, m, index_gfp());
	if (error)
		return error;
	count_resident(object, 1);
	set_object(m, object, pindex);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_insert);

/* The page of an object is idle: tell those who wait for that. */
static void flash(struct vm_page *m)
{
	if (m->wanted) {
		m->wanted = 0;
		vm_wakeup(m);
	}
}

/**
 * vm_page_remove() - take a page out of its object
 * @m: the page, in an object whose lock is held. It need not be busy (PG-02); if
 *	it is, that ends, and who waited for it looks again
 *
 * The page stays on its queue.
 *
 * Context: any that can hold the lock. Does not sleep.
 */
void vm_page_remove(struct vm_page *m)
{
	struct vm_object *object = m->object;

	if (WARN(!object, "uma: page %#lx is in no object\n", m->phys_pfn))
		return;
	/* Of every object, without exception (PG-12). */
	vm_object_assert_locked(object);
	WARN_ON(xa_erase(&object->pages, m->pindex) != m);
	m->busy = 0;
	flash(m);
	set_object(m, NULL, m->pindex);
	count_resident(object, -1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_remove);

/**
 * vm_page_rename() - move a page to another object
 * @m: the page, in an object whose lock is held, too; not cached afterwards
 * @object: where to; locked
 * @pindex: where in it, with no page there
 *
 * It becomes dirty: what its former object's pager has is not this object's. It is
 * not busy afterwards, and who waited for it looks again.
 *
 * Context: may sleep, unless the queues' lock is held.
 * Return: 0, -EBUSY if a page is there, or -ENOMEM for the index.
 */
int vm_page_rename(struct vm_page *m, struct vm_object *object, u64 pindex)
{
	struct vm_object *old = m->object;
	int error;

	vm_object_assert_locked(old);
	vm_object_assert_locked(object);
	error = xa_insert(&object->pages, pindex, m, index_gfp());
	if (error)
		return error;
	count_resident(object, 1);
	WARN_ON(xa_erase(&old->pages, m->pindex) != m);
	m->busy = 0;
	flash(m);
	m->dirty = VM_PAGE_BITS_ALL;
	vm_page_lock_queues();
	m->object = object;
	m->pindex = pindex;
	if (m->queue == PQ_CACHE)
		vm_page_deactivate(m);
	vm_page_unlock_queues();
	count_resident(old, -1);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_rename);

/* Cached pages. */

/**
 * vm_page_take_cached() - take a page from the cache queue and from its object
 * @m: the page, on the cache queue
 * @locked: an object that the caller has locked, or NULL; its pages can be taken,
 *	and it stays locked. A page of any other is taken only if that is not
 *	locked just now
 *
 * Held and busy pages are not taken: somebody looks at them (PG-05). What is not
 * taken stays where it is.
 *
 * Context: the queues' lock is held.
 * Return: whether the page, in no object and on no queue now, is the caller's.
 */
bool vm_page_take_cached(struct vm_page *m, struct vm_object *locked)
{
	struct vm_object *object = m->object;
	bool taken = false, ours;

	if (WARN_ON(!vm_page_queues_owned() || m->queue != PQ_CACHE))
		return false;
	vm_steer(VM_STEER_CACHE_SELECT, m);
	ours = object != locked;
	if (ours && !vm_object_trylock(object)) {
		vm_count(cache_skipped);
		return false;
	}
	if (m->hold_count || m->wire_count || vm_page_is_busy(m)) {
		vm_count(cache_skipped);
	} else {
		vm_page_remove(m);
		vm_pageq_remove(m);
		vm_count(cache_taken);
		taken = true;
	}
	/* Only a lock that was taken here. */
	if (ours)
		vm_object_unlock(object);
	return taken;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_take_cached);

/**
 * vm_page_select_cache() - the cached page that waits longest and can be taken
 * @locked: as for vm_page_take_cached()
 *
 * Context: process context. Does not sleep.
 * Return: the page, in no object and on no queue, or NULL.
 */
struct vm_page *vm_page_select_cache(struct vm_object *locked)
{
	struct vm_page *m, *next, *found = NULL;

	vm_page_lock_queues();
	list_for_each_entry_safe(m, next, &vm_pageqs.head[PQ_CACHE], pageq) {
		if (vm_page_take_cached(m, locked)) {
			found = m;
			break;
		}
	}
	vm_page_unlock_queues();
	return found;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_select_cache);

/* Allocating. */

/* A page of nobody's goes back. */
static void give_back(struct vm_page *m)
{
	WARN(!hlist_empty(&m->md.pv_list),
	     "uma: page %#lx is freed and still mapped\n", m->phys_pfn);
	uma_pool_free(uma_pool, m, 1);
}

/* A free page, one that is zero if that is asked for and there is any. */
static struct vm_page *take_free(unsigned long keep, bool *zeroed)
{
	return zeroed ? uma_pool_alloc_zeroed(uma_pool, keep, zeroed) :
			uma_pool_alloc_above(uma_pool, keep);
}

/*
 * A free page as the class may have one, at the cost of cached ones if need be. Where
 * @zeroed is not NULL, zeroes are wanted, and it says whether the page has them.
 */
static struct vm_page *take_page(int class, struct vm_object *locked,
				 bool *zeroed)
{
	struct vm_page *m, *cached;

	if (class == VM_ALLOC_INTERRUPT)
		return take_free(0, zeroed);
	for (;;) {
		m = take_free(vm_page_limits.reserved, zeroed);
		if (m)
			return m;
		/* Free first, so that what is short gets longer for all. */
		cached = vm_page_select_cache(locked);
		if (!cached)
			break;
		give_back(cached);
	}
	return class == VM_ALLOC_SYSTEM ?
	       take_free(vm_page_limits.interrupt, zeroed) : NULL;
}

/**
 * vm_page_alloc() - allocate a page
 * @object: where it is to be, locked; NULL with VM_ALLOC_NOOBJ
 * @pindex: at which index, with no page there
 * @req: a class and other VM_ALLOC_*, but not VM_ALLOC_RETRY
 *
 * Its contents are what they were, and not valid, unless VM_ALLOC_ZERO asks for
 * zeroes. It is on no queue. It is busy if it is in an object, unless VM_ALLOC_NOBUSY
 * says that the caller is through with it before it drops the lock.
 *
 * Context: with VM_ALLOC_NOOBJ does not sleep, and in the interrupts' class works in
 * any context if it is not to be wired; else process context. With an object it may
 * sleep for the kernel's memory, unless the queues' lock is held (PG-07).
 * Return: the page, or NULL; then page-out knows.
 */
struct vm_page *vm_page_alloc(struct vm_object *object, u64 pindex, int req)
{
	int class = req & VM_ALLOC_CLASS;
	bool zeroed = false;
	struct vm_page *m;

	if (WARN_ON(!object != !!(req & VM_ALLOC_NOOBJ)))
		return NULL;
	if (object) {
		vm_object_assert_locked(object);
		if (WARN_ON(vm_page_lookup(object, pindex)))
			return NULL;
		/* The index's memory first: what is taken then has a place. */
		if (xa_reserve(&object->pages, pindex, index_gfp()))
			return NULL;
	}
	m = take_page(class, object, req & VM_ALLOC_ZERO ? &zeroed : NULL);
	if (!m) {
		if (object)
			xa_release(&object->pages, pindex);
		vm_page_want_pageout();
		return NULL;
	}

	m->queue = PQ_NONE;
	m->act_count = 0;
	m->wire_count = 0;
	m->hold_count = 0;
	m->busy = 0;
	m->wanted = 0;
	m->io_count = 0;
	m->valid = 0;
	m->dirty = 0;
	m->object = NULL;
	if (zeroed)
		vm_count(zeroed_used);
	else if (req & VM_ALLOC_ZERO)
		clear_page(vm_page_kva(m));
	if (req & VM_ALLOC_ZERO)
		want_zeroing();
	if (object) {
		xa_store(&object->pages, pindex, m, GFP_NOWAIT);
		count_resident(object, 1);
		set_object(m, object, pindex);
		m->busy = !(req & VM_ALLOC_NOBUSY);
	}
	if (req & VM_ALLOC_WIRED) {
		vm_page_lock_queues();
		vm_page_wire(m);
		vm_page_unlock_queues();
	}
	if (class != VM_ALLOC_INTERRUPT &&
	    vm_page_free_count() + vm_pageq_count(PQ_CACHE) <
	    2 * vm_page_limits.reserved)
		vm_page_want_pageout();
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_alloc);

/**
 * vm_page_grab() - the page at an index, wherever it comes from
 * @object: the object, locked, to which the caller has a reference
 * @pindex: the index
 * @req: VM_ALLOC_*; with VM_ALLOC_RETRY it waits for a busy page, and for memory
 *
 * A resident page is made busy, unless VM_ALLOC_NOBUSY; a new one was made so where
 * it was allocated, and is not again (PG-02). VM_ALLOC_ZERO concerns new ones only;
 * those are not valid.
 *
 * Context: process context; with VM_ALLOC_RETRY may drop the lock and sleep.
 * Return: the page, or NULL; with VM_ALLOC_RETRY that means that there is no memory
 * for a long time, or that the thread is being killed.
 */
struct vm_page *vm_page_grab(struct vm_object *object, u64 pindex, int req)
{
	unsigned int waits = 0;
	struct vm_page *m;
	bool more;

	for (;;) {
		m = vm_page_lookup(object, pindex);
		if (m && vm_page_is_busy(m)) {
			if (!(req & VM_ALLOC_RETRY))
				return NULL;
			vm_page_sleep_if_busy(m, object, true);
			continue;
		}
		if (m) {
			if (req & VM_ALLOC_WIRED) {
				vm_page_lock_queues();
				vm_page_wire(m);
				vm_page_unlock_queues();
			}
			if (!(req & VM_ALLOC_NOBUSY))
				vm_page_busy(m);
			return m;
		}
		m = vm_page_alloc(object, pindex, req & ~VM_ALLOC_RETRY);
		if (m || !(req & VM_ALLOC_RETRY))
			return m;
		vm_object_unlock(object);
		more = vm_wait_again(&waits);
		vm_object_lock(object);
		if (!more)
			return NULL;
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_grab);

/**
 * vm_page_free() - a page is not needed any more
 * @m: the page; if it is in an object, that is locked, and the page not mapped. It
 *	may be busy, by the caller
 *
 * It leaves its object and its queue at once. If it is wired it is free when the
 * last wiring ends, if it is held when the last hold does.
 *
 * Context: process context; a page without an object, and neither wired nor held nor
 * queued, in any context. Does not sleep.
 */
void vm_page_free(struct vm_page *m)
{
	bool found = m->object, kept = false;

	if (WARN(m->io_count, "uma: page %#lx is freed while it is written\n",
		 m->phys_pfn))
		return;
	WARN(found && pmap_page_is_mapped(m),
	     "uma: page %#lx is freed and still mapped\n", m->phys_pfn);
	/*
	 * What could be found in an object can still be held by who found it. What could
	 * not is the caller's, and may be freed where the lock cannot be taken; if it
	 * is held, that is known to him.
	 */
	if (found || data_race(m->queue != PQ_NONE || m->wire_count ||
			       m->hold_count)) {
		vm_page_lock_queues();
		/* In one step: who comes across it on a queue looks at its object. */
		if (found)
			vm_page_remove(m);
		vm_pageq_remove(m);
		/* The record of one that is not the pool's is the device pager's. */
		if (!(m->flags & PG_FICTITIOUS)) {
			kept = m->wire_count || m->hold_count;
			if (kept && !m->wire_count)
				vm_pageq_enqueue(m, PQ_HOLD);
		}
		vm_page_unlock_queues();
	}
	if (!kept && !(m->flags & PG_FICTITIOUS))
		give_back(m);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_free);

/* Busy. */

/**
 * vm_page_busy() - claim a page, since its object's lock is to be dropped
 * @m: the page, not busy; its object is locked
 */
void vm_page_busy(struct vm_page *m)
{
	vm_object_assert_locked(m->object);
	WARN(m->busy, "uma: page %#lx is busy already\n", m->phys_pfn);
	m->busy = 1;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_busy);

/**
 * vm_page_wakeup() - a page is not busy any more
 * @m: the page, busy; its object is locked
 */
void vm_page_wakeup(struct vm_page *m)
{
	vm_object_assert_locked(m->object);
	WARN(!m->busy, "uma: page %#lx is not busy\n", m->phys_pfn);
	m->busy = 0;
	flash(m);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_wakeup);

/**
 * vm_page_flash() - let those who wait for a page look again
 * @m: the page; its object is locked
 */
void vm_page_flash(struct vm_page *m)
{
	vm_object_assert_locked(m->object);
	flash(m);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_flash);

/**
 * vm_page_io_start() - a write of the page begins
 * @m: the page; its object is locked
 *
 * Its contents must not change until vm_page_io_finish(), but can be read.
 */
void vm_page_io_start(struct vm_page *m)
{
	vm_object_assert_locked(m->object);
	if (WARN_ON(m->io_count == IOS_MAX))
		return;
	m->io_count++;
	atomic_inc(&writing);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_io_start);

/**
 * vm_page_io_finish() - a write of the page ended
 * @m: the page; its object is locked
 */
void vm_page_io_finish(struct vm_page *m)
{
	vm_object_assert_locked(m->object);
	if (WARN_ON(!m->io_count))
		return;
	if (!--m->io_count)
		flash(m);
	/* A full barrier: who waits is in the queue before he looks. */
	atomic_dec_return(&writing);
	/* Hence this is not too early. */
	if (waitqueue_active(&writes_wait))
		wake_up_all(&writes_wait);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_io_finish);

/**
 * vm_page_writing() - how many writes of pages are under way
 *
 * Return: their number.
 */
unsigned int vm_page_writing(void)
{
	return atomic_read(&writing);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_writing);

/**
 * vm_page_wait_for_writes() - wait until few writes of pages are under way
 * @most: so many at the most
 * @stop: no need to wait any longer, once it is true; see vm_page_flash_writes()
 * @timeout: in jiffies
 *
 * Context: process context, may sleep; no object's lock held.
 * Return: whether there are so few.
 */
bool vm_page_wait_for_writes(unsigned int most, const bool *stop, long timeout)
{
	might_sleep();
	wait_event_idle_timeout(writes_wait, vm_page_writing() <= most ||
				READ_ONCE(*stop), timeout);
	return vm_page_writing() <= most;
}

/**
 * vm_page_flash_writes() - let those who wait for writes look again
 */
void vm_page_flash_writes(void)
{
	wake_up_all(&writes_wait);
}

/**
 * vm_page_isolated_add() - pages are won for a run that is not complete, or not any more
 * @n: how many more, or less
 *
 * Context: any.
 */
void vm_page_isolated_add(long n)
{
	atomic_long_add(n, &isolated);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_isolated_add);

/**
 * vm_page_isolated() - how many pages may come back, since no run came of them
 *
 * Return: their number.
 */
unsigned long vm_page_isolated(void)
{
	return atomic_long_read(&isolated);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_isolated);

/**
 * vm_page_sleep_if_busy_for() - wait until a page is not busy, or some time
 * @m: the page
 * @object: its object, locked, to which the caller has a reference
 * @also_io: a page that is being written counts as busy
 * @timeout: in jiffies, or MAX_SCHEDULE_TIMEOUT
 *
 * The lock comes first, then the wait, in which it is dropped. The page may be
 * freed meanwhile, and be anyone's: the lock is taken again through @object, never
 * through the page (PG-03).
 *
 * Context: process context; no other object's lock held. May sleep.
 * Return: whether the lock was dropped: then the caller starts again, and does not
 * believe in @m any more.
 */
bool vm_page_sleep_if_busy_for(struct vm_page *m, struct vm_object *object,
			       bool also_io, long timeout)
{
	vm_object_assert_locked(object);
	WARN_ON(m->object != object);
	if (!m->busy && !(also_io && m->io_count))
		return false;
	m->wanted = 1;
	vm_count(busy_waits);
	vm_sleep(m, &object->lock, timeout);
	vm_object_lock(object);
	return true;
}

/**
 * vm_page_sleep_if_busy() - wait until a page is not busy
 * @m: the page
 * @object: its object, locked, to which the caller has a reference
 * @also_io: a page that is being written counts as busy
 *
 * Context: process context; no other object's lock held. May sleep.
 * Return: as vm_page_sleep_if_busy_for().
 */
bool vm_page_sleep_if_busy(struct vm_page *m, struct vm_object *object,
			   bool also_io)
{
	return vm_page_sleep_if_busy_for(m, object, also_io,
					 MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_sleep_if_busy);

/* Queues, wiring, holds. */

/* Whether a page can be on a queue at all. */
static bool is_queueable(const struct vm_page *m)
{
	return m->object && !m->wire_count && !(m->flags & PG_FICTITIOUS);
}

/**
 * vm_page_activate() - a page is in use
 * @m: the page
 *
 * Context: the queues' lock is held.
 */
void vm_page_activate(struct vm_page *m)
{
	WARN_ON(!vm_page_queues_owned());
	if (!is_queueable(m))
		return;
	if (m->queue != PQ_ACTIVE) {
		if (m->queue != PQ_NONE)
			vm_count(reactivated);
		vm_pageq_remove(m);
		vm_pageq_enqueue(m, PQ_ACTIVE);
	}
	m->act_count = max_t(unsigned int, m->act_count, VM_ACT_INIT);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_activate);

/**
 * vm_page_deactivate() - a page was not used lately
 * @m: the page
 *
 * Context: the queues' lock is held.
 */
void vm_page_deactivate(struct vm_page *m)
{
	WARN_ON(!vm_page_queues_owned());
	if (!is_queueable(m) || m->queue == PQ_INACTIVE)
		return;
	vm_pageq_remove(m);
	m->act_count = 0;
	vm_pageq_enqueue(m, PQ_INACTIVE);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_deactivate);

/**
 * vm_page_cache() - a page is as good as free
 * @m: the page: clean, not mapped, not busy, neither wired nor held; its object
 *	is locked
 *
 * Context: the queues' lock is held.
 */
void vm_page_cache(struct vm_page *m)
{
	WARN_ON(!vm_page_queues_owned());
	if (WARN_ON(!is_queueable(m) || vm_page_is_busy(m) || m->hold_count ||
		    m->dirty || pmap_page_is_mapped(m)))
		return;
	vm_object_assert_locked(m->object);
	if (m->queue == PQ_CACHE)
		return;
	vm_pageq_remove(m);
	vm_pageq_enqueue(m, PQ_CACHE);
	/* One page, but who waits looks at the count, and sleeps again. */
	wake_up(uma_pool_waitqueue(uma_pool));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_cache);

/**
 * vm_page_wire() - a page stays where it is
 * @m: the page
 *
 * Context: the queues' lock is held.
 * Return: whether it is wired; a page can be 65535 times.
 */
bool vm_page_wire(struct vm_page *m)
{
	if (WARN_ON(!vm_page_queues_owned()) || m->wire_count == WIRES_MAX)
		return false;
	if (!m->wire_count++) {
		vm_pageq_remove(m);
		WRITE_ONCE(vm_pageqs.wired, vm_pageqs.wired + 1);
	}
	return true;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_wire);

/**
 * vm_page_unwire() - undo one vm_page_wire()
 * @m: the page
 * @activate: with the last one it goes to the active queue, else to the inactive one
 *
 * With the last one a page that is in no object is free, unless it is held.
 *
 * Context: the queues' lock is held.
 */
void vm_page_unwire(struct vm_page *m, bool activate)
{
	if (WARN_ON(!vm_page_queues_owned() || !m->wire_count) || --m->wire_count)
		return;
	WRITE_ONCE(vm_pageqs.wired, vm_pageqs.wired - 1);
	if (m->flags & PG_FICTITIOUS)
		return;
	if (!m->object) {
		if (m->hold_count)
			vm_pageq_enqueue(m, PQ_HOLD);
		else
			give_back(m);
	} else if (activate) {
		vm_page_activate(m);
	} else {
		vm_page_deactivate(m);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_unwire);

/**
 * vm_page_hold() - keep a page from becoming somebody else's, for a moment
 * @m: the page
 *
 * Unlike a wired one it may move between queues, and be taken out of its object.
 *
 * Context: the queues' lock is held.
 * Return: whether it is held; a page can be 255 times.
 */
bool vm_page_hold(struct vm_page *m)
{
	if (WARN_ON(!vm_page_queues_owned()) || m->hold_count == HOLDS_MAX)
		return false;
	m->hold_count++;
	return true;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_hold);

/**
 * vm_page_unhold() - undo one vm_page_hold()
 * @m: the page; free if it was freed meanwhile and nobody else holds it
 *
 * Context: the queues' lock is held.
 */
void vm_page_unhold(struct vm_page *m)
{
	if (WARN_ON(!vm_page_queues_owned() || !m->hold_count) || --m->hold_count)
		return;
	if (m->queue == PQ_HOLD) {
		vm_pageq_remove(m);
		give_back(m);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_unhold);

/* Valid and dirty, by blocks. */

/**
 * vm_page_bits() - the blocks that a part of a page touches
 * @base: where the part begins, in bytes
 * @size: its bytes; the part does not reach beyond the page
 *
 * Return: a bit for each.
 */
u8 vm_page_bits(unsigned int base, unsigned int size)
{
	if (WARN_ON(base + size > PAGE_SIZE) || !size)
		return 0;
	return GENMASK((base + size - 1) / VM_PAGE_BLOCK, base / VM_PAGE_BLOCK);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_bits);

/*
 * The blocks that a part fills. Zero what it leaves of a block that was not valid:
 * the block will be, and nobody is to read there what the page held before.
 */
static u8 zero_around(struct vm_page *m, unsigned int base, unsigned int size)
{
	unsigned int start = round_down(base, VM_PAGE_BLOCK);
	unsigned int end = round_up(base + size, VM_PAGE_BLOCK);
	char *kva = vm_page_kva(m);

	if (start < base && !(m->valid & vm_page_bits(start, 1)))
		memset(kva + start, 0, base - start);
	if (base + size < end && !(m->valid & vm_page_bits(end - 1, 1)))
		memset(kva + base + size, 0, end - base - size);
	return vm_page_bits(base, size);
}

/**
 * vm_page_set_valid() - a part of the page has contents
 * @m: the page; its object is locked
 * @base: where the part begins, in bytes
 * @size: its bytes
 *
 * What remains of blocks that were not valid is zeroed.
 */
void vm_page_set_valid(struct vm_page *m, unsigned int base, unsigned int size)
{
	if (size)
		m->valid |= zero_around(m, base, size);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_set_valid);

/**
 * vm_page_set_validclean() - the same, and it is as the pager has it
 * @m: the page; its object is locked
 * @base: where the part begins, in bytes
 * @size: its bytes; only blocks that lie wholly in it become clean
 */
void vm_page_set_validclean(struct vm_page *m, unsigned int base,
			    unsigned int size)
{
	unsigned int start = round_up(base, VM_PAGE_BLOCK);
	unsigned int end = round_down(base + size, VM_PAGE_BLOCK);

	vm_page_set_valid(m, base, size);
	if (start < end)
		m->dirty &= ~vm_page_bits(start, end - start);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_set_validclean);

/**
 * vm_page_set_invalid() - a part of the page has no contents any more
 * @m: the page; its object is locked
 * @base: where the part begins, in bytes
 * @size: its bytes; every block that it touches is invalid
 */
void vm_page_set_invalid(struct vm_page *m, unsigned int base, unsigned int size)
{
	u8 bits = vm_page_bits(base, size);

	m->valid &= ~bits;
	m->dirty &= ~bits;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_set_invalid);

/**
 * vm_page_zero_invalid() - zero the blocks that have no contents
 * @m: the page; its object is locked
 * @setvalid: they have, from now on
 */
void vm_page_zero_invalid(struct vm_page *m, bool setvalid)
{
	unsigned int block;

	for (block = 0; block < PAGE_SIZE / VM_PAGE_BLOCK; block++)
		if (!(m->valid & BIT(block)))
			memset(vm_page_kva(m) + block * VM_PAGE_BLOCK, 0,
			       VM_PAGE_BLOCK);
	if (setvalid)
		m->valid = VM_PAGE_BITS_ALL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_zero_invalid);

/**
 * vm_page_is_valid() - whether a part of a page has contents
 * @m: the page; its object is locked
 * @base: where the part begins, in bytes
 * @size: its bytes, not 0
 *
 * Return: whether all of it has.
 */
bool vm_page_is_valid(const struct vm_page *m, unsigned int base,
		      unsigned int size)
{
	u8 bits = vm_page_bits(base, size);

	return bits && (m->valid & bits) == bits;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_is_valid);

/* Start and end. */

/* The queues, and how many pages each class leaves; the pool is there. */
void vm_page_startup(void)
{
	struct uma_pool_stats st;

	vm_pageq_startup();
	uma_pool_get_stats(uma_pool, &st);
	/*
	 * The pool keeps its reserve from its other users, too. Each memory node keeps
	 * its part, and the parts are to add up to what is waited for.
	 */
	vm_page_limits.reserved = roundup(st.reserve, st.nodes);
	vm_page_limits.interrupt = roundup(max(2UL, st.reserve / 4), st.nodes);
	vm_page_limits.wakeup = 2 * vm_page_limits.reserved;
}

/* Objects have gone before, and their pages with them. */
void vm_page_shutdown(void)
{
	enum vm_queue queue;

	for (queue = PQ_CACHE; queue < PQ_COUNT; queue++)
		WARN_ON(vm_pageqs.count[queue]);
	WARN_ON(vm_pageqs.wired);
}
