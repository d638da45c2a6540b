// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects: made, shadowed, asked things, ended. How chains of them shrink again is
 * in collapse.c.
 *
 * An object outlives its last reference for as long as it takes to get rid of its
 * pages: some may be in motion. The order is fixed. It is declared dead, so that nobody
 * starts anything new; what is under way is waited for; a file's dirty pages are
 * written, for which the object still is what it was (PA-07); pages go; the pager
 * lets go; and only then is it taken from the list of all and freed, and those who
 * slept until then are woken, if there are any (OB-08).
 *
 * Walks down a chain. The page that a mapping shows may be in any object of the
 * chain, each of which begins somewhere inside the one below it. At each step down
 * the index grows by the backing offset of the object that is being left (OB-06); the
 * next one's own says where its backing object begins, which is one step too early.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/object.h"
#include "vmsim/object_int.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/sleepq.h"
#include "vmsim/steer.h"
#include "vmsim/trace.h"
#include "vmsim/vm.h"

/* How long writing waits for memory that other writes have. */
#define FLUSH_PATIENCE	(10 * HZ)

/* Faults and paging of objects with OBJ_NEEDGIANT. */
struct mutex vm_giant = __MUTEX_INITIALIZER(vm_giant);
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_giant);

/* Who shadows whom: see object_int.h. */
DEFINE_SPINLOCK(vm_shadow_lock);

const struct vm_pager_ops *vm_pagers[OBJT_COUNT];

/*
 * All objects. Innermost but for the zones' locks; a walker of the list tries the
 * objects' locks.
 */
static DEFINE_SPINLOCK(vm_object_list_lock);
static LIST_HEAD(vm_object_list);
static unsigned long vm_objects;
static u64 vm_object_last_id;

static uma_zone_t object_zone;

/* Making and ending. */

static int object_init(void *mem, int size, int flags)
{
	struct vm_object *object = mem;

	mutex_init(&object->lock);
	xa_init(&object->pages);
	INIT_LIST_HEAD(&object->shadow_head);
	INIT_LIST_HEAD(&object->shadow_list);
	INIT_LIST_HEAD(&object->link);
	INIT_LIST_HEAD(&object->release_link);
	return 0;
}

/**
 * vm_object_allocate() - make an object
 * @type: its kind; a pager sets @ops and what else concerns it
 * @size: its pages
 *
 * Context: any that may hold a map's or another object's lock: does not wait for
 * memory.
 * Return: the object with one reference, or NULL; then the caller lets go of his
 * locks, and waits with vm_wait().
 */
struct vm_object *vm_object_allocate(enum vm_object_type type, u64 size)
{
	struct vm_object *object = uma_zalloc(object_zone, M_NOWAIT);

	if (!object)
		return NULL;
	object->resident = 0;
	object->size = size;
	atomic_set(&object->ref_count, 1);
	object->paging_in_progress = 0;
	object->flags = type == OBJT_DEFAULT || type == OBJT_SWAP ?
			OBJ_ONEMAPPING : 0;
	object->type = type;
	object->generation = 0;
	object->backing_object = NULL;
	object->backing_offset = 0;
	object->shadow_count = 0;
	/* Other kinds get theirs, with what it needs, from their pager. */
	object->ops = type == OBJT_DEFAULT ? vm_pagers[type] : NULL;
	object->handle = NULL;
	object->pager = NULL;
	object->pager_count = 0;

	spin_lock(&vm_object_list_lock);
	object->id = ++vm_object_last_id;
	vm_objects++;
	list_add_tail(&object->link, &vm_object_list);
	spin_unlock(&vm_object_list_lock);
	return object;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_allocate);

/**
 * vm_object_reference() - one reference more
 * @object: the object, to which the caller has one already, or knows somebody who
 *	cannot lose his just now (see object.h)
 *
 * Context: any.
 */
void vm_object_reference(struct vm_object *object)
{
	WARN(!atomic_inc_not_zero(&object->ref_count),
	     "uma: object %p had no reference left\n", object);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_reference);

/**
 * vm_object_destroy() - free what is left of a dead object
 * @object: the object, locked, without pages, pager, shadows and backing object;
 *	nobody has a way to it but the list of all objects
 */
void vm_object_destroy(struct vm_object *object)
{
	bool wanted = object->flags & OBJ_DISCONNECTWNT;

	WARN_ON(object->resident || object->shadow_count ||
		object->backing_object || object->paging_in_progress);
	object->type = OBJT_DEAD;
	atomic_set(&object->ref_count, 0);
	spin_lock(&vm_object_list_lock);
	list_del_init(&object->link);
	vm_objects--;
	spin_unlock(&vm_object_list_lock);
	vm_object_unlock(object);
	/* They name it by its address, which means nothing from here on. */
	if (wanted) {
		vm_count(dead_wakeups);
		vm_wakeup(object);
	}
	uma_zfree(object_zone, object);
}

/* The pages of an object that is being terminated. */
static void free_all_pages(struct vm_object *object)
{
	unsigned long index = 0;
	struct vm_page *m;

	while ((m = xa_find(&object->pages, &index, ULONG_MAX, XA_PRESENT))) {
		cond_resched();
		/* Nothing is paging, so this cannot be for long. */
		if (vm_page_sleep_if_busy(m, object, true))
			continue;
		pmap_remove_all(m);
		/* Wired ones are free when whoever wired them lets go. */
		vm_page_free(m);
	}
}

/**
 * vm_object_terminate() - end an object that nobody references
 * @object: the object, locked, on no shadow list; gone on return
 *
 * Context: process context, no other object's lock held. May sleep.
 */
void vm_object_terminate(struct vm_object *object)
{
	vm_object_assert_locked(object);
	WARN_ON(atomic_read(&object->ref_count) || object->backing_object);
	vm_object_set_flag(object, OBJ_DEAD);
	vm_object_pip_wait(object);
	/* Nobody is left whom an errno could tell. */
	if (object->type == OBJT_VNODE && object->resident &&
	    vm_object_page_clean(object, 0, object->size, OBJPC_SYNC))
		pr_err_ratelimited("object %llu ends: what could not be written to its file is lost\n",
				   object->id);
	vm_object_pip_wait(object);
	free_all_pages(object);
	if (object->ops && object->ops->dealloc)
		object->ops->dealloc(object);
	vm_object_destroy(object);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_terminate);

/**
 * vm_object_wait_dead() - sleep until a dying object has gone
 * @object: the object, locked and dead; neither locked nor believed in on return
 *
 * Context: process context; no other lock but vm_giant held. May sleep.
 */
void vm_object_wait_dead(struct vm_object *object)
{
	vm_object_assert_locked(object);
	if (WARN_ON(!(object->flags & OBJ_DEAD))) {
		vm_object_unlock(object);
		return;
	}
	vm_object_set_flag(object, OBJ_DISCONNECTWNT);
	vm_sleep(object, &object->lock, MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_wait_dead);

/**
 * vm_object_count() - how many there are
 *
 * Return: that, dead ones that have not gone included.
 */
unsigned long vm_object_count(void)
{
	return READ_ONCE(vm_objects);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_count);

/**
 * vm_object_next() - go through all objects
 * @object: the one before, unlocked; NULL to begin
 *
 * What it returns stays while the caller looks at it (it is paging, as far as
 * others can tell), and is let go by the next call; who stops early calls
 * vm_object_pip_wakeup(). An object that somebody has locked just now is passed over,
 * and so is a dead one.
 *
 * Context: process context, no object's lock held.
 * Return: the next one, unlocked, or NULL at the end.
 */
struct vm_object *vm_object_next(struct vm_object *object)
{
	struct vm_object *next;
	bool found = false;

	spin_lock(&vm_object_list_lock);
	next = object ? list_next_entry(object, link) :
			list_first_entry(&vm_object_list, struct vm_object,
					 link);
	list_for_each_entry_from(next, &vm_object_list, link) {
		if (!vm_object_trylock(next))
			continue;
		if (!(next->flags & OBJ_DEAD)) {
			found = true;
			break;
		}
		vm_object_unlock(next);
	}
	spin_unlock(&vm_object_list_lock);
	if (found) {
		vm_object_pip_add(next, 1);
		vm_object_unlock(next);
	}
	if (object) {
		vm_object_lock(object);
		vm_object_pip_wakeup(object, 1);
		vm_object_unlock(object);
	}
	return found ? next : NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_next);

/* Paging. */

/**
 * vm_object_pip_add() - somebody is about to drop the lock and needs the object
 * @object: the object, locked
 * @n: how many do
 */
void vm_object_pip_add(struct vm_object *object, unsigned int n)
{
	vm_object_assert_locked(object);
	object->paging_in_progress += n;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_pip_add);

/**
 * vm_object_pip_wakeup() - undo vm_object_pip_add()
 * @object: the object, locked
 * @n: how many are through
 */
void vm_object_pip_wakeup(struct vm_object *object, unsigned int n)
{
	vm_object_assert_locked(object);
	WARN_ON(object->paging_in_progress < n);
	object->paging_in_progress -= n;
	if (!object->paging_in_progress && object->flags & OBJ_PIPWNT) {
		object->flags &= ~OBJ_PIPWNT;
		vm_wakeup(&object->paging_in_progress);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_pip_wakeup);

/**
 * vm_object_pip_sleep() - sleep until an object's paging ends, or a moment
 * @object: the object, locked, paging; not locked, and perhaps gone, on return
 *
 * Context: process context, no other object's lock held. May sleep.
 */
void vm_object_pip_sleep(struct vm_object *object)
{
	vm_object_assert_locked(object);
	object->flags |= OBJ_PIPWNT;
	vm_sleep(&object->paging_in_progress, &object->lock,
		 MAX_SCHEDULE_TIMEOUT);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_pip_sleep);

/**
 * vm_object_pip_wait() - wait until nothing is paging in an object
 * @object: the object, locked, and sure to stay: referenced, or dead by the caller.
 *	The lock is dropped meanwhile
 *
 * Context: process context, no other object's lock held. May sleep.
 */
void vm_object_pip_wait(struct vm_object *object)
{
	while (object->paging_in_progress) {
		vm_object_pip_sleep(object);
		vm_object_lock(object);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_pip_wait);

/* Chains. */

/**
 * vm_object_link_shadow() - put an object on the shadow list of its backing object
 * @object: complete but for that: from here on the backing object's users see it
 * @backing: the backing object, to which @object has a reference
 *
 * Context: a lock is held that keeps @backing's reference: see object.h.
 */
void vm_object_link_shadow(struct vm_object *object, struct vm_object *backing)
{
	spin_lock(&vm_shadow_lock);
	object->backing_object = backing;
	list_add(&object->shadow_list, &backing->shadow_head);
	WRITE_ONCE(backing->shadow_count, backing->shadow_count + 1);
	spin_unlock(&vm_shadow_lock);
}

/**
 * vm_object_unlink_shadow() - part an object from its backing object
 * @object: the object, locked, or not known to anybody; the reference to its former
 *	backing object, if it had one, is the caller's
 */
void vm_object_unlink_shadow(struct vm_object *object)
{
	struct vm_object *backing = object->backing_object;

	if (!backing)
		return;
	spin_lock(&vm_shadow_lock);
	list_del_init(&object->shadow_list);
	WRITE_ONCE(backing->shadow_count, backing->shadow_count - 1);
	object->backing_object = NULL;
	spin_unlock(&vm_shadow_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_unlink_shadow);

/**
 * vm_object_shadow() - put a new object in front of one
 * @object: the object that a mapping shows, of which the mapping has one reference;
 *	or NULL in it, for nothing at all. Replaced by the new one, with one reference;
 *	the one to the old is the new one's from now on
 * @offset: where in it the mapping begins, in bytes, page-aligned; replaced
 * @length: bytes of the mapping
 *
 * Nothing is done if nobody else has a reference to an anonymous object.
 *
 * What others can find must be whole. So the new object is complete, with the flags
 * that say how it must be locked (OB-07), before the source knows of it: a collapse
 * comes from there (OB-02).
 *
 * Context: process context, a map's lock may be held, no object's. May sleep, but does
 * not wait for memory.
 * Return: 0 or -ENOMEM.
 */
int vm_object_shadow(struct vm_object **object, u64 *offset, u64 length)
{
	struct vm_object *source = *object, *result;
	bool alone;

	if (source) {
		vm_object_lock(source);
		alone = atomic_read(&source->ref_count) == 1 &&
			vm_object_is_anonymous(source);
		vm_object_unlock(source);
		if (alone)
			return 0;
	}
	result = vm_object_allocate(OBJT_DEFAULT, vm_atop(length));
	if (!result)
		return -ENOMEM;
	if (source) {
		result->backing_offset = *offset;
		result->flags |= source->flags & OBJ_LOCKING;
		vm_steer(VM_STEER_SHADOW, result);
		vm_object_lock(source);
		vm_object_clear_flag(source, OBJ_ONEMAPPING);
		vm_object_link_shadow(result, source);
		vm_object_unlock(source);
	}
	vm_count(shadows);
	trace_vm_shadow(result, source, *offset, result->size);
	*object = result;
	*offset = 0;
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_shadow);

/**
 * vm_object_step_down() - go from an object to the one that it shadows
 * @object: the object, locked; on return only if there is none below
 *
 * Context: process context; no other object's lock held. May sleep.
 * Return: the backing object, locked, or NULL.
 */
struct vm_object *vm_object_step_down(struct vm_object *object)
{
	struct vm_object *backing = object->backing_object;

	vm_object_assert_locked(object);
	if (!backing)
		return NULL;
	vm_object_lock_backing(backing);
	vm_object_unlock(object);
	vm_object_lock_becomes_upper(backing);
	return backing;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_step_down);

/* Pages, where the physical map has a say. */

/**
 * vm_page_test_dirty() - note that a page was written to
 * @m: the page; its object is locked
 */
void vm_page_test_dirty(struct vm_page *m)
{
	if (m->dirty != VM_PAGE_BITS_ALL && pmap_is_modified(m))
		vm_page_dirty(m);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_test_dirty);

/**
 * vm_page_dontneed() - a page will not be used for a while
 * @m: the page; its object is locked
 *
 * It becomes the next to be laundered.
 *
 * Context: process context; the queues' lock is not held.
 */
void vm_page_dontneed(struct vm_page *m)
{
	pmap_clear_reference(m);
	vm_page_test_dirty(m);
	vm_page_lock_queues();
	if (!m->wire_count && m->queue != PQ_CACHE && m->object &&
	    !(m->flags & PG_FICTITIOUS)) {
		vm_pageq_remove(m);
		m->act_count = 0;
		vm_pageq_enqueue_head(m, PQ_INACTIVE);
	}
	vm_page_unlock_queues();
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_dontneed);

/* Whether a page's user could do without it: nobody looks at it. */
static bool is_idle(const struct vm_page *m)
{
	return !vm_page_is_busy(m) && !m->wire_count && !m->hold_count &&
	       !(m->flags & PG_FICTITIOUS);
}

/*
 * Whether a page can go at once; then it is not mapped, and the queues' lock is held
 * on return. Its object is locked. The physical map's locks are outside the queues'.
 */
static bool lock_expendable(struct vm_page *m)
{
	bool idle;

	vm_page_lock_queues();
	idle = is_idle(m);
	vm_page_unlock_queues();
	if (!idle || m->dirty)
		return false;
	/* Nobody is to write between the look and the end of the mappings. */
	pmap_remove_write(m);
	vm_page_test_dirty(m);
	if (m->dirty)
		return false;
	pmap_remove_all(m);
	/* Nor can anybody find it to hold it from here on. */
	vm_page_lock_queues();
	if (is_idle(m))
		return true;
	vm_page_unlock_queues();
	return false;
}

/**
 * vm_page_try_to_cache() - cache a page if nothing speaks against it
 * @m: the page, in an object that is locked
 *
 * Context: process context; the queues' lock is not held.
 * Return: whether it is cached.
 */
bool vm_page_try_to_cache(struct vm_page *m)
{
	if (!lock_expendable(m))
		return false;
	vm_page_cache(m);
	vm_page_unlock_queues();
	return true;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_try_to_cache);

/**
 * vm_page_try_to_free() - free a page if nothing speaks against it
 * @m: the page, in an object that is locked
 *
 * Context: process context; the queues' lock is not held.
 * Return: whether it has gone.
 */
bool vm_page_try_to_free(struct vm_page *m)
{
	if (!lock_expendable(m))
		return false;
	vm_page_free(m);
	vm_page_unlock_queues();
	return true;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_try_to_free);

/* Ranges. */

/* The first resident page from @pindex on and before @end, which moves there. */
static struct vm_page *next_page(struct vm_object *object, u64 *pindex, u64 end)
{
	unsigned long index = *pindex;
	struct vm_page *m;

	if (*pindex >= end)
		return NULL;
	m = xa_find(&object->pages, &index, end - 1, XA_PRESENT);
	*pindex = index;
	return m;
}

/**
 * vm_object_page_remove() - drop a range of pages
 * @object: the object, locked, to which the caller has a reference
 * @start: first index
 * @end: the one behind the last
 * @clean_only: only those that need not be written
 *
 * Wired pages stay, without translations and, unless @clean_only, without contents.
 * What an anonymous object's pager has of the range goes as well, unless @clean_only.
 *
 * Context: process context, no other object's lock held. May drop the lock and sleep.
 */
void vm_object_page_remove(struct vm_object *object, u64 start, u64 end,
			   bool clean_only)
{
	u64 pindex = start;
	struct vm_page *m;

	vm_object_assert_locked(object);
	vm_object_pip_add(object, 1);
	while ((m = next_page(object, &pindex, end))) {
		cond_resched();
		/* Meanwhile swapoff may have brought back what was passed over. */
		if (vm_page_sleep_if_busy(m, object, true)) {
			pindex = start;
			continue;
		}
		pindex++;
		if (m->wire_count) {
			pmap_remove_all(m);
			if (!clean_only)
				vm_page_set_invalid(m, 0, PAGE_SIZE);
			continue;
		}
		if (clean_only) {
			pmap_remove_write(m);
			vm_page_test_dirty(m);
			if (m->valid & m->dirty)
				continue;
		}
		pmap_remove_all(m);
		vm_page_free(m);
	}
	if (!clean_only && start < end && vm_object_is_anonymous(object))
		vm_pager_freespace(object, start, end - start);
	vm_object_pip_wakeup(object, 1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_page_remove);

/* vm_object_flush(); @again: some would be written if there were memory for it. */
static unsigned int flush(struct vm_object *object, struct vm_page **m,
			  unsigned int count, unsigned int flags, bool *again)
{
	enum vm_pager_result result[VM_PAGER_MAX];
	unsigned int i, good = 0, here = 0;
	u64 pindex;

	*again = false;
	vm_object_assert_locked(object);
	if (WARN_ON(!count || count > VM_PAGER_MAX))
		return 0;
	pindex = m[0]->pindex;
	for (i = 0; i < count; i++) {
		vm_page_io_start(m[i]);
		pmap_remove_write(m[i]);
		vm_page_test_dirty(m[i]);
		result[i] = VM_PAGER_FAIL;
	}
	/* One for each page, as each may end by itself. */
	vm_object_pip_add(object, count);
	vm_pager_put_pages(object, m, count, flags, result);
	for (i = 0; i < count; i++) {
		switch (result[i]) {
		case VM_PAGER_PEND:
			good++;
			continue;
		case VM_PAGER_OK:
			pmap_clear_modify(m[i]);
			vm_page_undirty(m[i]);
			vm_count(pageouts);
			good++;
			break;
		case VM_PAGER_BAD:
			/* Behind the object's end: nobody will ever want it. */
			pmap_clear_modify(m[i]);
			vm_page_undirty(m[i]);
			break;
		case VM_PAGER_ERROR:
		case VM_PAGER_FAIL:
			vm_count(pageout_errors);
			vm_page_lock_queues();
			vm_page_activate(m[i]);
			vm_page_unlock_queues();
			break;
		case VM_PAGER_AGAIN:
			*again = true;
			break;
		}
		vm_page_io_finish(m[i]);
		here++;
		if (result[i] == VM_PAGER_OK && flags & VM_PAGER_PUT_INVAL)
			vm_page_try_to_free(m[i]);
	}
	vm_object_pip_wakeup(object, here);
	trace_vm_pageout(object, pindex, count, good);
	return good;
}

/**
 * vm_object_flush() - write some pages, and see what became of it
 * @object: the object, locked, to which the caller has a reference
 * @m: consecutive pages of it, none of them busy
 * @count: how many, VM_PAGER_MAX at most
 * @flags: VM_PAGER_PUT_*
 *
 * They cannot be written to until it is done. Those that could not be written stay
 * dirty.
 *
 * Context: process context, no other object's lock held. Drops the lock and sleeps.
 * Return: how many have been written, or are on their way.
 */
unsigned int vm_object_flush(struct vm_object *object, struct vm_page **m,
			     unsigned int count, unsigned int flags)
{
	bool again;

	return flush(object, m, count, flags, &again);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_flush);

/* Whether a page must be written before it can go; its object is locked. */
static bool needs_cleaning(struct vm_page *m)
{
	vm_page_test_dirty(m);
	return m->valid & m->dirty;
}

/**
 * vm_object_page_clean() - write the dirty pages of a range
 * @object: the object, locked, to which the caller has a reference or of which it is
 *	the end
 * @start: first index
 * @end: the one behind the last
 * @flags: OBJPC_*
 *
 * Each page that was dirty when it came is written once: those that are dirtied again
 * behind its back are left for the next time, so that it ends.
 *
 * Context: process context, no other object's lock held. May drop the lock and sleep.
 * Return: 0, or -EIO if something could not be written, and is dirty still.
 */
int vm_object_page_clean(struct vm_object *object, u64 start, u64 end,
			 unsigned int flags)
{
	unsigned int put = flags & (OBJPC_SYNC | OBJPC_INVAL) ?
			   VM_PAGER_PUT_SYNC : 0;
	unsigned long until = jiffies + FLUSH_PATIENCE;
	struct vm_page *run[VM_PAGER_MAX], *m;
	u64 pindex = start, first;
	unsigned int n;
	bool again;
	int error = 0;

	vm_object_assert_locked(object);
	if (!object->ops || !object->ops->putpages)
		return 0;
	vm_object_pip_add(object, 1);
	while ((m = next_page(object, &pindex, end))) {
		if (vm_page_sleep_if_busy(m, object, true))
			continue;
		if (!needs_cleaning(m)) {
			pindex++;
			continue;
		}
		n = 0;
		first = pindex;
		do {
			run[n++] = m;
			pindex++;
			if (pindex >= end || n == VM_PAGER_MAX)
				break;
			m = vm_page_lookup(object, pindex);
		} while (m && !vm_page_is_busy(m) && needs_cleaning(m));
		if (flush(object, run, n, put, &again) == n)
			continue;
		/* What writing takes comes back with the writes under way. */
		if (again && time_before(jiffies, until)) {
			pindex = first;
			vm_object_unlock(object);
			schedule_timeout_idle(1);
			vm_object_lock(object);
			continue;
		}
		error = -EIO;
	}
	vm_object_pip_wakeup(object, 1);
	if (flags & OBJPC_INVAL && !error)
		vm_object_page_remove(object, start, end, true);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_page_clean);

/* The same of one object, locked: see below. */
static u64 next_in(struct vm_object *object, u64 pindex, u64 end, bool files)
{
	unsigned long index = pindex;
	u64 paged = pindex;

	if (!xa_find(&object->pages, &index, end - 1, XA_PRESENT))
		index = end;
	if (!object->ops || object->type == OBJT_PHYS)
		paged = end;
	else if (object->ops->next)
		paged = object->ops->next(object, &paged, end - 1) ? paged : end;
	else if (!files || !vm_pager_has_page(object, pindex, NULL, NULL))
		paged = end;
	return min_t(u64, index, paged);
}

/**
 * vm_object_next_index() - where a chain of objects has something
 * @object: the first, referenced, not locked
 * @pindex: first index
 * @end: the one behind the last
 * @files: what is in a file counts; else only what is resident, or in swap
 *
 * Most of a large mapping is nothing at all, and to look at each page of it takes for
 * ever.
 *
 * Context: process context, no object's lock held. May sleep.
 * Return: the first index from @pindex on at which there may be something, in terms of
 * @object; @end if there is nothing.
 */
u64 vm_object_next_index(struct vm_object *object, u64 pindex, u64 end,
			 bool files)
{
	u64 offset = 0, below, found = end;

	vm_object_lock(object);
	while (pindex < found) {
		found = next_in(object, pindex + offset, found + offset, files) -
			offset;
		below = vm_atop(object->backing_offset);
		if (!object->backing_object)
			break;
		/* Both stay locked for the step: what moves up is seen once. */
		object = vm_object_step_down(object);
		offset += below;
	}
	vm_object_unlock(object);
	return found;
}

/* What is done to a page that advice was given about; not busy, its object locked. */
static void advise_page(struct vm_object *object, struct vm_page *m,
			enum vm_advice advice)
{
	bool idle;

	vm_page_lock_queues();
	idle = is_idle(m) && m->valid == VM_PAGE_BITS_ALL;
	if (idle && advice == VM_ADV_WILLNEED)
		vm_page_activate(m);
	vm_page_unlock_queues();
	if (!idle || advice == VM_ADV_WILLNEED)
		return;
	if (advice == VM_ADV_FREE) {
		/* As if it had never been written to: it can go as it is. */
		pmap_clear_modify(m);
		vm_page_undirty(m);
		vm_pager_freespace(object, m->pindex, 1);
	}
	vm_page_dontneed(m);
}

/* Whether contents of an object may be thrown away by the user of one mapping. */
static bool may_forget(const struct vm_object *object)
{
	return vm_object_is_anonymous(object) &&
	       object->flags & OBJ_ONEMAPPING;
}

/* Advice about one index; whatever object it is found in. */
static void advise_index(struct vm_object *object, u64 pindex,
			 enum vm_advice advice)
{
	struct vm_object *below;
	struct vm_page *m;

	vm_object_lock(object);
	for (;;) {
		if (advice == VM_ADV_FREE && !may_forget(object))
			break;
		m = vm_page_lookup(object, pindex);
		if (m) {
			/* Busy: in use in a way that no advice changes. */
			if (!vm_page_is_busy(m))
				advise_page(object, m, advice);
			break;
		}
		if (advice == VM_ADV_FREE)
			vm_pager_freespace(object, pindex, 1);
		if (!object->backing_object)
			break;
		/* The offset of the one that we leave (OB-06). */
		pindex += vm_atop(object->backing_offset);
		below = vm_object_step_down(object);
		object = below;
		if (pindex >= object->size)
			break;
	}
	vm_object_unlock(object);
}

/**
 * vm_object_madvise() - what will be done with a range of pages
 * @object: the object that a mapping shows, referenced, not locked; or NULL
 * @pindex: first index
 * @count: how many
 * @advice: VM_ADV_WILLNEED, VM_ADV_DONTNEED or VM_ADV_FREE; others concern maps
 *
 * Each page is sought down the chain. VM_ADV_FREE goes no further down than contents
 * are the caller's alone.
 *
 * Context: process context, no object's lock held. May sleep.
 */
void vm_object_madvise(struct vm_object *object, u64 pindex, u64 count,
		       enum vm_advice advice)
{
	u64 end = pindex + count;

	if (!object)
		return;
	for (;;) {
		pindex = vm_object_next_index(object, pindex, end, false);
		if (pindex >= end)
			break;
		advise_index(object, pindex++, advice);
		cond_resched();
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_madvise);

/**
 * vm_object_sync() - write what a mapping shows of a file
 * @object: the object that the mapping shows, referenced, not locked; or NULL
 * @offset: where in it the range begins, in bytes
 * @size: its bytes
 * @syncio: wait until it is written
 * @invalidate: drop the pages then
 *
 * The file is at the bottom of the chain; what lies above it is private, and
 * nobody's to write. Objects of devices can only be invalidated.
 *
 * Context: process context, no object's lock held. May sleep.
 * Return: 0, or -EIO.
 */
int vm_object_sync(struct vm_object *object, u64 offset, u64 size, bool syncio,
		   bool invalidate)
{
	u64 start, end;
	int error = 0;

	if (!object)
		return 0;
	vm_object_lock(object);
	while (object->backing_object) {
		/* The offset of the one that we leave (OB-06). */
		offset += object->backing_offset;
		object = vm_object_step_down(object);
	}
	start = vm_atop(offset);
	end = min(vm_atop(vm_round_page(offset + size)), object->size);
	/* The chain's reference keeps it where the lock is dropped. */
	if (start < end && object->type == OBJT_VNODE)
		error = vm_object_page_clean(object, start, end,
					     syncio || invalidate ? OBJPC_SYNC : 0);
	if (start < end && invalidate && !error &&
	    (object->type == OBJT_VNODE || object->type == OBJT_DEVICE))
		vm_object_page_remove(object, start, end, true);
	vm_object_unlock(object);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_sync);

/* Start and end. */

/**
 * vm_object_startup() - make the zone of objects
 *
 * Its items keep their locks and indexes when they are free, and their memory is
 * not given to anybody else.
 *
 * Return: 0 or -ENOMEM.
 */
int vm_object_startup(void)
{
	object_zone = uma_zcreate("VM OBJECT", sizeof(struct vm_object), NULL,
				  NULL, object_init, NULL, UMA_ALIGN_PTR,
				  UMA_ZONE_VM | UMA_ZONE_NOFREE);
	return object_zone ? 0 : -ENOMEM;
}

/* Every map has gone. */
void vm_object_shutdown(void)
{
	WARN_ON(!list_empty(&vm_object_list));
	uma_zdestroy(object_zone);
}
