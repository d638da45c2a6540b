// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps.
 *
 * Entries are cut and joined all the time. An operation on a range first clips: the
 * entry that the start lies in is cut in two there, the one at the end likewise, so
 * that the operation concerns whole entries. Afterwards it simplifies: neighbours that
 * show neighbouring parts of the same object in the same way become one. The
 * range of an entry changes at its end only; cutting makes a new entry of the
 * upper part, joining removes the upper entry. So the tree knows two operations more
 * than it must (map_tree.c), and neither moves a start.
 *
 * Cutting needs an entry, at a point where nothing can fail any more, and under the
 * lock nobody may wait for memory. So each map keeps a few entries in hand, and
 * whoever locks it for writing sees first that they are there. No operation cuts more
 * than twice, or inserts more than once, while it holds the lock.
 *
 * Look-ups share the lock. But to look up in a splay tree is to change it. So a reader
 * only peeks: most of the time what it seeks is near the root, or the tree is not
 * deep. Where it would have to go a long way, it takes the lock for writing, turns the
 * tree so that the next one finds the entry at the root, and then downgrades.
 *
 * An object is referenced once by each entry that shows it. An entry has none before
 * the first fault in it, so that neighbours which are mapped one after the other
 * grow into one entry, and into one object. Until a fault, or a fork that shares it,
 * makes an object, it is just a promise of zeroes.
 *
 * Wiring. An entry is wired when its count is not zero: one for the user, who has
 * said so or has not, and one for each time that the system did; neither can undo
 * the other's. A page of a wired entry has one wiring for it, however often the entry
 * is wired. What the system wired is in somebody's hands, a device's maybe, so a user's
 * map does not let go of it: removal waits until the system has unwired it. While an
 * entry is being wired the lock is dropped, since that takes faults; it is in
 * transition then, and stays as it is until that is over, which removal waits for,
 * too.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/collapse.h"
#include "vmsim/map.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"

static uma_zone_t map_zone;
static uma_zone_t entry_zone;

/* ---- locks -------------------------------------------------------------- */

/* One entry more in hand; the map is locked for writing. */
static void put_spare(struct vm_map *map, struct vm_map_entry *entry)
{
	list_add(&entry->node.link, &map->spare);
	WRITE_ONCE(map->nspare, map->nspare + 1);
}

static void add_spare(struct vm_map *map, struct vm_map_entry *entry)
{
	down_write(&map->lock);
	put_spare(map, entry);
	up_write(&map->lock);
}

/**
 * vm_map_reserve() - see that a map has entries in hand
 * @map: the map, not locked; one that nobody else locks keeps them until it is
 * @n: how many
 *
 * For those who are going to need more of them, and can be refused.
 *
 * Context: process, may sleep for memory.
 * Return: 0; or -ENOMEM.
 */
int vm_map_reserve(struct vm_map *map, unsigned long n)
{
	struct vm_map_entry *entry;

	while (READ_ONCE(map->nspare) < n) {
		entry = vm_zalloc(entry_zone, 0);
		if (!entry)
			return -ENOMEM;
		add_spare(map, entry);
	}
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_reserve);

/**
 * vm_map_entry_dispose() - an entry is not needed any more
 * @map: the map, locked for writing, which keeps it if it has few
 * @entry: the entry, in no map
 */
void vm_map_entry_dispose(struct vm_map *map, struct vm_map_entry *entry)
{
	if (map->nspare < VM_MAP_SPARES)
		put_spare(map, entry);
	else
		uma_zfree(entry_zone, entry);
}

/**
 * vm_map_entry_take() - one of the entries in hand
 * @map: the map, locked for writing
 *
 * Return: the entry; there is one.
 */
struct vm_map_entry *vm_map_entry_take(struct vm_map *map)
{
	struct vm_map_entry *entry;

	if (WARN_ON(!map->nspare))
		return NULL;
	entry = list_first_entry(&map->spare, struct vm_map_entry, node.link);
	list_del(&entry->node.link);
	WRITE_ONCE(map->nspare, map->nspare - 1);
	return entry;
}

/**
 * vm_map_lock_nocut() - lock a map for writing, but not to cut or add entries
 * @map: the map
 *
 * vm_map_unlock() undoes it, too.
 *
 * Context: process, may sleep, but not for memory.
 */
void vm_map_lock_nocut(struct vm_map *map)
{
	down_write(&map->lock);
	map->timestamp++;
}

/**
 * vm_map_lock() - lock a map for writing
 * @map: the map
 *
 * What is to be cut may be what is to go, so that there is memory again: its entries may
 * come from the last pages. Those who take more than they give use vm_map_lock_cut().
 *
 * Context: process, may sleep, also for memory.
 */
void vm_map_lock(struct vm_map *map)
{
	down_write(&map->lock);
	while (map->nspare < VM_MAP_SPARES) {
		up_write(&map->lock);
		add_spare(map, uma_zalloc(entry_zone, M_WAITOK | M_USE_RESERVE));
		down_write(&map->lock);
	}
	map->timestamp++;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_lock);

/**
 * vm_map_lock_cut() - vm_map_lock() for who takes entries and can be refused
 * @map: the map
 *
 * Context: process, may sleep, also for memory.
 * Return: 0; or -ENOMEM, with the map not locked.
 */
int vm_map_lock_cut(struct vm_map *map)
{
	int error;

	for (;;) {
		vm_map_lock_nocut(map);
		if (map->nspare >= VM_MAP_SPARES)
			return 0;
		vm_map_unlock(map);
		error = vm_map_reserve(map, VM_MAP_SPARES);
		if (error)
			return error;
	}
}

/**
 * vm_map_unlock() - undo vm_map_lock()
 * @map: the map
 */
void vm_map_unlock(struct vm_map *map)
{
	up_write(&map->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_unlock);

/**
 * vm_map_lock_read() - lock a map for looking up
 * @map: the map
 *
 * Context: process, may sleep.
 */
void vm_map_lock_read(struct vm_map *map)
{
	down_read(&map->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_lock_read);

/**
 * vm_map_trylock_read() - the same without blocking
 * @map: the map
 *
 * Return: whether it is locked.
 */
bool vm_map_trylock_read(struct vm_map *map)
{
	return down_read_trylock(&map->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_trylock_read);

/**
 * vm_map_unlock_read() - undo vm_map_lock_read()
 * @map: the map
 */
void vm_map_unlock_read(struct vm_map *map)
{
	up_read(&map->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_unlock_read);

/**
 * vm_map_wait() - wait until an entry changes its state
 * @map: the map, locked for writing; unlocked meanwhile
 * @state: TASK_KILLABLE, or TASK_IDLE if the caller cannot give up
 *
 * Return: whether to look again; false if the thread is being killed.
 */
bool vm_map_wait(struct vm_map *map, unsigned int state)
{
	DEFINE_WAIT(wait);

	prepare_to_wait(&map->waiters, &wait, state);
	vm_map_unlock(map);
	if (!signal_pending_state(state, current))
		schedule();
	finish_wait(&map->waiters, &wait);
	/* Who gives up does not cut anything either. */
	if (signal_pending_state(state, current)) {
		vm_map_lock_nocut(map);
		return false;
	}
	vm_map_lock(map);
	return true;
}

/**
 * vm_map_wakeup() - an entry has changed its state
 * @map: the map, in which that was done under the lock
 */
void vm_map_wakeup(struct vm_map *map)
{
	wake_up_all(&map->waiters);
}

/* ---- the map as a whole ------------------------------------------------- */

/**
 * vm_map_create() - an empty map
 * @pmap: its physical map, which the caller keeps
 * @min: the lowest address
 * @max: the address behind the highest
 *
 * Context: process, may sleep.
 * Return: the map, with one reference; NULL if the range is no good, or for want of
 * memory.
 */
struct vm_map *vm_map_create(struct pmap *pmap, unsigned long min,
			     unsigned long max)
{
	struct vm_map *map;

	if (min >= max || max > PMAP_END || offset_in_page(min | max))
		return NULL;
	map = vm_zalloc(map_zone, M_ZERO);
	if (!map)
		return NULL;
	init_rwsem(&map->lock);
	vm_map_tree_init(&map->tree, min, max);
	init_waitqueue_head(&map->waiters);
	INIT_LIST_HEAD(&map->spare);
	atomic_set(&map->ref_count, 1);
	map->pmap = pmap;
	return map;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_create);

/**
 * vm_map_reference() - one user more
 * @map: the map, to which the caller has a reference, or which cannot go
 */
void vm_map_reference(struct vm_map *map)
{
	atomic_inc(&map->ref_count);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_reference);

static int delete_range(struct vm_map *map, unsigned long start,
			unsigned long end, unsigned int state);

/**
 * vm_map_deallocate() - one user less; with the last one the map goes
 * @map: the map
 *
 * Context: process, may sleep, for wirings of the system as well.
 */
void vm_map_deallocate(struct vm_map *map)
{
	struct vm_map_entry *entry;

	if (!atomic_dec_and_test(&map->ref_count))
		return;
	vm_map_lock_nocut(map);
	delete_range(map, vm_map_min(map), vm_map_max(map), TASK_IDLE);
	/* A size that is not the entries' sum is found here at the latest. */
	WARN(map->tree.count || map->size,
	     "map: freed with %lu entries and %lu bytes\n", map->tree.count,
	     map->size);
	vm_map_unlock(map);
	while (map->nspare) {
		entry = vm_map_entry_take(map);
		uma_zfree(entry_zone, entry);
	}
	uma_zfree(map_zone, map);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_deallocate);

/**
 * vm_map_check() - recount everything, slowly
 * @map: the map, locked for writing
 *
 * Return: NULL, or what is wrong.
 */
const char *vm_map_check(struct vm_map *map)
{
	const char *wrong = vm_map_tree_check(&map->tree);
	struct vm_map_entry *entry = NULL;
	unsigned long size = 0;

	if (wrong)
		return wrong;
	while ((entry = vm_map_next(map, entry))) {
		size += entry->node.end - entry->node.start;
		if (offset_in_page(entry->node.start | entry->node.end) ||
		    offset_in_page(entry->offset))
			return "an entry that does not consist of pages";
		if (entry->protection & ~entry->max_protection)
			return "more rights than there may be";
		if (entry->eflags & MAP_ENTRY_USER_WIRED && !entry->wired_count)
			return "wired by the user, and not counted";
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP ?
		    !entry->sub_map || entry->wired_count :
		    entry->eflags & MAP_ENTRY_NOFAULT && entry->object)
			return "an entry that shows what it cannot";
	}
	return size == map->size ? NULL : "the size is wrong";
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_check);

/* ---- entries ------------------------------------------------------------ */

static unsigned long entry_size(const struct vm_map_entry *entry)
{
	return entry->node.end - entry->node.start;
}

/* What an entry shows that is an object, or NULL. */
static struct vm_object *object_of(const struct vm_map_entry *entry)
{
	return entry->eflags & MAP_ENTRY_IS_SUB_MAP ? NULL : entry->object;
}

/* Whether a range can be one of a map. */
static bool range_ok(const struct vm_map *map, unsigned long start,
		     unsigned long end)
{
	return start < end && start >= vm_map_min(map) &&
	       end <= vm_map_max(map) && !offset_in_page(start | end);
}

/**
 * vm_map_floor() - the entry that holds an address, or the last before it
 * @map: the map, locked for writing
 * @addr: the address
 *
 * Return: the entry, or NULL.
 */
struct vm_map_entry *vm_map_floor(struct vm_map *map, unsigned long addr)
{
	struct vm_map_node *node = vm_map_tree_floor(&map->tree, addr);

	return node ? vm_map_entry_of(node) : NULL;
}

/**
 * vm_map_lookup_entry() - the entry that holds an address
 * @map: the map, locked for writing
 * @addr: the address
 * @entry: where to store it; if there is none the last one before, or NULL
 *
 * Return: whether there is one.
 */
bool vm_map_lookup_entry(struct vm_map *map, unsigned long addr,
			 struct vm_map_entry **entry)
{
	*entry = vm_map_floor(map, addr);
	return *entry && addr < (*entry)->node.end;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_lookup_entry);

/* The first entry that has something at or behind an address, or NULL. */
static struct vm_map_entry *first_from(struct vm_map *map, unsigned long addr)
{
	struct vm_map_entry *entry;

	return vm_map_lookup_entry(map, addr, &entry) ? entry :
							vm_map_next(map, entry);
}

/* Whether an entry, or NULL, begins before an address. */
static bool begins_before(const struct vm_map_entry *entry, unsigned long end)
{
	return entry && entry->node.start < end;
}

static void reference_shown(struct vm_map_entry *entry)
{
	if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
		vm_map_reference(entry->sub_map);
	else if (entry->object)
		vm_object_reference(entry->object);
}

static void release_shown(struct vm_map_entry *entry)
{
	if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
		vm_map_deallocate(entry->sub_map);
	else if (entry->object)
		vm_object_deallocate(entry->object);
}

/* Make the part of an entry from @at on an entry of its own, and return it. */
static struct vm_map_entry *cut(struct vm_map *map, struct vm_map_entry *entry,
				unsigned long at)
{
	struct vm_map_entry *upper = vm_map_entry_take(map);
	unsigned long end = entry->node.end;

	*upper = *entry;
	upper->node.start = at;
	upper->node.end = end;
	upper->offset += at - entry->node.start;
	reference_shown(upper);
	vm_map_tree_set_end(&map->tree, &entry->node, at);
	vm_map_tree_insert(&map->tree, &upper->node);
	return upper;
}

/**
 * vm_map_clip_start() - let an entry begin at an address
 * @map: the map, locked for writing
 * @entry: the entry
 * @start: the address
 *
 * Return: @entry, if it does not hold anything before the address; else a new one,
 * of its part from there on.
 */
struct vm_map_entry *vm_map_clip_start(struct vm_map *map,
				       struct vm_map_entry *entry,
				       unsigned long start)
{
	if (entry->node.start >= start)
		return entry;
	return cut(map, entry, start);
}

/**
 * vm_map_clip_end() - let an entry end at an address
 * @map: the map, locked for writing
 * @entry: the entry; what it has from there on becomes a new one
 * @end: the address, above the entry's start
 */
void vm_map_clip_end(struct vm_map *map, struct vm_map_entry *entry,
		     unsigned long end)
{
	if (entry->node.end > end)
		cut(map, entry, end);
}

/* Whether @upper goes on where @lower ends, in every respect. */
static bool can_join(const struct vm_map_entry *lower,
		     const struct vm_map_entry *upper)
{
	return lower->node.end == upper->node.start &&
	       lower->eflags == upper->eflags &&
	       !(lower->eflags & (MAP_ENTRY_IN_TRANSITION |
				  MAP_ENTRY_IS_SUB_MAP)) &&
	       lower->object == upper->object &&
	       (!lower->object ||
		lower->offset + entry_size(lower) == upper->offset) &&
	       lower->protection == upper->protection &&
	       lower->max_protection == upper->max_protection &&
	       lower->inheritance == upper->inheritance &&
	       lower->advice == upper->advice &&
	       lower->wired_count == upper->wired_count;
}

/* Let @lower have what @upper has. */
static void join(struct vm_map *map, struct vm_map_entry *lower,
		 struct vm_map_entry *upper)
{
	unsigned long end = upper->node.end;

	vm_map_tree_remove(&map->tree, &upper->node);
	vm_map_tree_set_end(&map->tree, &lower->node, end);
	release_shown(upper);
	vm_map_entry_dispose(map, upper);
}

/**
 * vm_map_simplify() - join the entries of a range, and those beside it, where that
 *	can be
 * @map: the map, locked for writing
 * @start: the first address
 * @end: the address behind the last
 *
 * A limited map counts its entries, so there each keeps its own.
 */
void vm_map_simplify(struct vm_map *map, unsigned long start, unsigned long end)
{
	struct vm_map_entry *entry, *next;

	if (map->max_entries)
		return;
	/* From the one before, which the first may become part of. */
	entry = start > vm_map_min(map) ? vm_map_floor(map, start - 1) : NULL;
	if (!entry)
		entry = vm_map_next(map, NULL);
	while (entry && entry->node.start < end) {
		next = vm_map_next(map, entry);
		if (next && can_join(entry, next))
			join(map, entry, next);
		else
			entry = next;
	}
}

/* ---- inserting ---------------------------------------------------------- */

/* Whether @entry could be the end of @prev, if they showed the same object. */
static bool can_extend(const struct vm_map *map,
		       const struct vm_map_entry *prev,
		       const struct vm_map_entry *entry)
{
	return !map->max_entries && prev->node.end == entry->node.start &&
	       prev->eflags == entry->eflags && !prev->wired_count &&
	       prev->protection == entry->protection &&
	       prev->max_protection == entry->max_protection &&
	       prev->inheritance == entry->inheritance &&
	       prev->advice == entry->advice;
}

/* Whether the object before can show so much more, behind its end (OB-09). */
static bool object_grows(struct vm_map_entry *prev, unsigned long size)
{
	return !(prev->eflags & (MAP_ENTRY_NOFAULT | MAP_ENTRY_NEEDS_COPY)) &&
	       prev->object &&
	       vm_object_coalesce(prev->object, prev->offset, entry_size(prev),
				  size);
}

/**
 * vm_map_insert() - put a range into a map
 * @map: the map, locked for writing, with nothing in the range
 * @object: what it shows, of which the map takes over one reference if it succeeds;
 *	NULL for zeroes
 * @offset: where in it the range begins, in bytes
 * @start: the first address
 * @end: the address behind the last
 * @prot: the rights
 * @max: the most that they can become
 * @cow: MAP_*
 *
 * Return: 0; -EINVAL, -EEXIST if something is there, -ENOSPC if the map has all the
 * entries that it may have.
 */
int vm_map_insert(struct vm_map *map, struct vm_object *object, u64 offset,
		  unsigned long start, unsigned long end, u8 prot, u8 max,
		  int cow)
{
	struct vm_map_entry *prev, *entry;
	int error;

	if (!range_ok(map, start, end) || offset_in_page(offset) ||
	    offset + (end - start) < offset || prot & ~max ||
	    (cow & MAP_NOFAULT && object))
		return -EINVAL;
	if (map->max_entries && map->tree.count >= map->max_entries)
		return -ENOSPC;
	entry = vm_map_entry_take(map);
	*entry = (struct vm_map_entry) {
		.node = { .start = start, .end = end },
		.object = object,
		.offset = object ? offset : 0,
		.protection = prot,
		.max_protection = max,
		.inheritance = cow & MAP_INHERIT_SHARE ? VM_INHERIT_SHARE :
							 VM_INHERIT_COPY,
		.advice = VM_ADV_NORMAL,
	};
	if (cow & MAP_COPY_ON_WRITE)
		entry->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	if (cow & MAP_NOFAULT)
		entry->eflags |= MAP_ENTRY_NOFAULT;
	if (cow & MAP_DISABLE_SYNCER)
		entry->eflags |= MAP_ENTRY_NOSYNC;

	prev = vm_map_floor(map, start);
	error = vm_map_tree_insert(&map->tree, &entry->node);
	if (error) {
		vm_map_entry_dispose(map, entry);
		return error;
	}
	map->size += end - start;
	if (object) {
		vm_object_lock(object);
		if (atomic_read(&object->ref_count) > 1 || object->shadow_count)
			vm_object_clear_flag(object, OBJ_ONEMAPPING);
		vm_object_unlock(object);
	} else if (prev && can_extend(map, prev, entry) &&
		   object_grows(prev, end - start)) {
		entry->object = prev->object;
		entry->offset = prev->offset + entry_size(prev);
		reference_shown(entry);
	}
	vm_map_simplify(map, start, end);
	if (object && cow & (MAP_PREFAULT | MAP_PREFAULT_PARTIAL))
		vm_map_pmap_enter(map, start, prot, object, vm_atop(offset),
				  vm_atop(end - start));
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_insert);

/**
 * vm_map_findspace() - the lowest place where so much is free
 * @map: the map, locked for writing
 * @start: the place is not below this
 * @length: bytes
 * @addr: where to store the address
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int vm_map_findspace(struct vm_map *map, unsigned long start,
		     unsigned long length, unsigned long *addr)
{
	if (offset_in_page(start | length))
		return -EINVAL;
	return vm_map_tree_find_space(&map->tree, start, length, addr);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_findspace);

/**
 * vm_map_find() - put a range into a map, wherever there is room
 * @map: the map
 * @object: as for vm_map_insert(), as all that follows
 * @offset: where in it the range begins, in bytes
 * @addr: where the range begins; with @find_space not below that, and where it does
 *	begin is stored
 * @length: bytes
 * @find_space: whether to look for space
 * @prot: the rights
 * @max: the most that they can become
 * @cow: MAP_*
 *
 * Context: process, may sleep.
 * Return: 0, or what vm_map_findspace() and vm_map_insert() say.
 */
int vm_map_find(struct vm_map *map, struct vm_object *object, u64 offset,
		unsigned long *addr, unsigned long length, bool find_space,
		u8 prot, u8 max, int cow)
{
	unsigned long start = *addr;
	int error = 0;

	if (!length || offset_in_page(length) || start + length < start)
		return -EINVAL;
	vm_map_lock(map);
	if (find_space)
		error = vm_map_findspace(map, start, length, &start);
	if (!error)
		error = vm_map_insert(map, object, offset, start,
				      start + length, prot, max, cow);
	vm_map_unlock(map);
	if (!error)
		*addr = start;
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_find);

/* ---- removing ----------------------------------------------------------- */

/*
 * What an entry shows is not shown by it any more: take the translations away, and
 * the rights with them that @keep does not have.
 */
static void forget(struct vm_map *map, struct vm_map_entry *entry, u8 keep)
{
	struct vm_object *object = object_of(entry);

	/* Without an object there was no fault, so there is no translation. */
	if (!object)
		return;
	vm_object_lock(object);
	pmap_protect(map->pmap, entry->node.start, entry->node.end, keep);
	vm_object_unlock(object);
}

/*
 * Take one wiring off a page of an object. It is there, and not in one further down:
 * what is wired has its copy (may_fault()), and keeps it.
 */
static void unwire_index(struct vm_object *object, u64 pindex)
{
	struct vm_page *m;

	vm_object_lock(object);
	m = vm_page_lookup(object, pindex);
	vm_page_lock_queues();
	if (!WARN(!m || !m->wire_count,
		  "uma: page %llu of object %p was wired, and is not\n", pindex,
		  object))
		vm_page_unwire(m, true);
	vm_page_unlock_queues();
	vm_object_unlock(object);
}

/**
 * vm_map_entry_unwire() - take an entry's wiring off its pages
 * @map: the map, locked for writing
 * @entry: the entry, wired, or on the way to be
 * @end: pages up to this address have been wired
 *
 * Its count is 0 then.
 */
void vm_map_entry_unwire(struct vm_map *map, struct vm_map_entry *entry,
			 unsigned long end)
{
	unsigned long addr = entry->node.start;
	u64 pindex = vm_atop(entry->offset);

	entry->wired_count = 0;
	entry->eflags &= ~MAP_ENTRY_USER_WIRED;
	if (entry->eflags & MAP_ENTRY_NOFAULT || !entry->object)
		return;
	/* Those behind @end may have been faulted on, as part of a wired entry. */
	pmap_unwire(map->pmap, addr, entry->node.end);
	for (; addr < end; addr += PAGE_SIZE) {
		unwire_index(entry->object, pindex++);
		cond_resched();
	}
}

/*
 * The entry that showed these pages goes. Where each page has but one entry that shows
 * it, nobody will ever see them again.
 */
static void drop_pages(struct vm_map_entry *entry)
{
	struct vm_object *object = object_of(entry);
	u64 first = vm_atop(entry->offset);
	u64 end = first + vm_atop(entry_size(entry));

	if (!object)
		return;
	vm_object_lock(object);
	if (atomic_read(&object->ref_count) != 1 && !(object->flags & OBJ_DEAD) &&
	    (object->type == OBJT_DEFAULT || object->type == OBJT_SWAP) &&
	    (object->flags & (OBJ_ONEMAPPING | OBJ_NOSPLIT)) == OBJ_ONEMAPPING) {
		vm_object_collapse(object);
		vm_object_page_remove(object, first, end, false);
		vm_pager_freespace(object, first, end - first);
	}
	vm_object_unlock(object);
}

/* Whether an entry cannot go just now. */
static bool must_stay(const struct vm_map *map, const struct vm_map_entry *entry)
{
	return entry->eflags & MAP_ENTRY_IN_TRANSITION ||
	       (!(map->flags & VM_MAP_SYSTEM) && vm_map_entry_system_wired(entry));
}

static int delete_range(struct vm_map *map, unsigned long start,
			unsigned long end, unsigned int state)
{
	struct vm_map_entry *entry;
	int error = 0;

	if (!range_ok(map, start, end))
		return -EINVAL;
	while ((entry = first_from(map, start)) && entry->node.start < end) {
		if (must_stay(map, entry)) {
			entry->eflags |= MAP_ENTRY_NEEDS_WAKEUP;
			/* All of it may be different afterwards. */
			if (!vm_map_wait(map, state)) {
				error = -EINTR;
				break;
			}
			continue;
		}
		entry = vm_map_clip_start(map, entry, start);
		vm_map_clip_end(map, entry, end);
		start = entry->node.end;
		if (entry->wired_count)
			vm_map_entry_unwire(map, entry, entry->node.end);
		forget(map, entry, VM_PROT_NONE);
		vm_map_tree_remove(&map->tree, &entry->node);
		map->size -= entry_size(entry);
		drop_pages(entry);
		release_shown(entry);
		vm_map_entry_dispose(map, entry);
		if (start == end)
			break;
	}
	/* There is room in a map that counts. */
	if (map->max_entries)
		vm_map_wakeup(map);
	return error;
}

/**
 * vm_map_delete() - remove a range
 * @map: the map, locked for writing; the lock is dropped while a wiring of the system
 *	is waited for
 * @start: the first address
 * @end: the address behind the last
 *
 * Return: 0, -EINVAL; -EINTR if the thread is being killed: then some of it is there
 * still.
 */
int vm_map_delete(struct vm_map *map, unsigned long start, unsigned long end)
{
	return delete_range(map, start, end, TASK_KILLABLE);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_delete);

/**
 * vm_map_remove() - remove a range
 * @map: the map
 * @start: the first address
 * @end: the address behind the last
 *
 * Context: process, may sleep until the system unwires what it wired there.
 * Return: as vm_map_delete().
 */
int vm_map_remove(struct vm_map *map, unsigned long start, unsigned long end)
{
	int error;

	vm_map_lock(map);
	error = vm_map_delete(map, start, end);
	vm_map_unlock(map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_remove);

/* ---- operations on ranges ----------------------------------------------- */

/**
 * vm_map_check_protection() - whether a range is all there, with these rights
 * @map: the map, locked for writing
 * @start: the first address
 * @end: the address behind the last
 * @prot: the rights
 *
 * Return: whether.
 */
bool vm_map_check_protection(struct vm_map *map, unsigned long start,
			     unsigned long end, u8 prot)
{
	struct vm_map_entry *entry;

	if (!range_ok(map, start, end))
		return false;
	for (entry = first_from(map, start); start < end;
	     entry = vm_map_next(map, entry)) {
		if (!entry || entry->node.start > start ||
		    prot & ~entry->protection)
			return false;
		start = entry->node.end;
	}
	return true;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_check_protection);

/**
 * vm_map_protect() - change the rights in a range
 * @map: the map
 * @start: the first address
 * @end: the address behind the last
 * @prot: the new rights
 * @set_max: they are the most that there can be, from now on; those that there are
 *	stay, if they are among them
 *
 * What lies between entries is passed over. Nothing is changed unless all can be.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, also if there is a submap; -EACCES if it is more than there can
 * be; -ENOMEM.
 */
int vm_map_protect(struct vm_map *map, unsigned long start, unsigned long end,
		   u8 prot, bool set_max)
{
	struct vm_map_entry *entry;
	int error = 0;
	u8 old;

	if (!range_ok(map, start, end) || prot & ~VM_PROT_ALL)
		return -EINVAL;
	error = vm_map_lock_cut(map);
	if (error)
		return error;
	for (entry = first_from(map, start); begins_before(entry, end);
	     entry = vm_map_next(map, entry)) {
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
			error = -EINVAL;
		else if (prot & ~entry->max_protection)
			error = -EACCES;
		if (error)
			goto out;
	}
	for (entry = first_from(map, start); begins_before(entry, end);
	     entry = vm_map_next(map, entry)) {
		entry = vm_map_clip_start(map, entry, start);
		vm_map_clip_end(map, entry, end);
		old = entry->protection;
		if (set_max) {
			entry->max_protection = prot;
			entry->protection &= prot;
		} else {
			entry->protection = prot;
		}
		/* Rights that are new come with the faults that need them. */
		if (old & ~entry->protection)
			forget(map, entry, entry->protection);
	}
	vm_map_simplify(map, start, end);
out:
	vm_map_unlock(map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_protect);

/**
 * vm_map_inherit() - say what a child will have of a range
 * @map: the map
 * @start: the first address
 * @end: the address behind the last
 * @inherit: what
 *
 * Context: process, may sleep.
 * Return: 0, -EINVAL, or -ENOMEM.
 */
int vm_map_inherit(struct vm_map *map, unsigned long start, unsigned long end,
		   enum vm_inherit inherit)
{
	struct vm_map_entry *entry;
	int error;

	if (!range_ok(map, start, end) || inherit > VM_INHERIT_NONE)
		return -EINVAL;
	error = vm_map_lock_cut(map);
	if (error)
		return error;
	for (entry = first_from(map, start); begins_before(entry, end);
	     entry = vm_map_next(map, entry)) {
		entry = vm_map_clip_start(map, entry, start);
		vm_map_clip_end(map, entry, end);
		entry->inheritance = inherit;
	}
	vm_map_simplify(map, start, end);
	vm_map_unlock(map);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_inherit);

/* Advice that entries remember. */
static int advise_entries(struct vm_map *map, unsigned long start,
			  unsigned long end, enum vm_advice advice)
{
	struct vm_map_entry *entry;
	int error;

	error = vm_map_lock_cut(map);
	if (error)
		return error;
	for (entry = first_from(map, start); begins_before(entry, end);
	     entry = vm_map_next(map, entry)) {
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
			continue;
		entry = vm_map_clip_start(map, entry, start);
		vm_map_clip_end(map, entry, end);
		entry->advice = advice;
	}
	vm_map_simplify(map, start, end);
	vm_map_unlock(map);
	return 0;
}

/* Advice that concerns the pages of just now. */
static int advise_objects(struct vm_map *map, unsigned long start,
			  unsigned long end, enum vm_advice advice)
{
	struct vm_map_entry *entry;
	unsigned long from, to;
	u64 first;

	/* To look up is to change the tree. */
	vm_map_lock_nocut(map);
	entry = first_from(map, start);
	for (; begins_before(entry, end); entry = vm_map_next(map, entry)) {
		if (!object_of(entry))
			continue;
		from = max(start, entry->node.start);
		to = min(end, entry->node.end);
		first = vm_atop(entry->offset + (from - entry->node.start));
		/* Others have these contents, too; this one is to have a copy. */
		if (advice == VM_ADV_FREE &&
		    entry->eflags & MAP_ENTRY_NEEDS_COPY)
			continue;
		vm_object_madvise(entry->object, first, vm_atop(to - from),
				  advice);
		if (advice == VM_ADV_WILLNEED)
			vm_map_pmap_enter(map, from, entry->protection,
					  entry->object, first,
					  vm_atop(to - from));
	}
	vm_map_unlock(map);
	return 0;
}

/**
 * vm_map_madvise() - advise on the use of a range
 * @map: the map
 * @start: the first address
 * @end: the address behind the last
 * @advice: what
 *
 * Context: process, may sleep.
 * Return: 0, -EINVAL, or -ENOMEM.
 */
int vm_map_madvise(struct vm_map *map, unsigned long start, unsigned long end,
		   enum vm_advice advice)
{
	if (!range_ok(map, start, end))
		return -EINVAL;
	switch (advice) {
	case VM_ADV_NORMAL:
	case VM_ADV_RANDOM:
	case VM_ADV_SEQUENTIAL:
		return advise_entries(map, start, end, advice);
	case VM_ADV_WILLNEED:
	case VM_ADV_DONTNEED:
	case VM_ADV_FREE:
		return advise_objects(map, start, end, advice);
	}
	return -EINVAL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_madvise);

/* Whether a range has no holes, and, for @invalidate, nothing that must stay. */
static int may_sync(struct vm_map *map, unsigned long start, unsigned long end,
		    bool invalidate)
{
	struct vm_map_entry *entry;

	for (entry = first_from(map, start); start < end;
	     entry = vm_map_next(map, entry)) {
		if (!entry || entry->node.start > start)
			return -EFAULT;
		if (invalidate && entry->wired_count)
			return -EBUSY;
		start = entry->node.end;
	}
	return 0;
}

/**
 * vm_map_sync() - write what a range shows back to where it comes from
 * @map: the map
 * @start: the first address
 * @end: the address behind the last
 * @syncio: wait until it is written
 * @invalidate: drop what is resident then
 *
 * Context: process, may sleep; the map is not locked during I/O.
 * Return: 0; -EINVAL, -EFAULT if there are holes, -EBUSY if wired pages would have to
 * be dropped, or the error of writing.
 */
int vm_map_sync(struct vm_map *map, unsigned long start, unsigned long end,
		bool syncio, bool invalidate)
{
	struct vm_map_entry *entry;
	struct vm_object *object;
	unsigned long to;
	int error, result;
	u64 offset;

	if (!range_ok(map, start, end))
		return -EINVAL;
	vm_map_lock_nocut(map);
	error = may_sync(map, start, end, invalidate);
	while (!error && start < end) {
		entry = first_from(map, start);
		if (!begins_before(entry, end))
			break;
		/* The map was not locked since that was asked. */
		if (invalidate && entry->wired_count) {
			error = -EBUSY;
			break;
		}
		start = max(start, entry->node.start);
		to = min(end, entry->node.end);
		object = object_of(entry);
		offset = entry->offset + (start - entry->node.start);
		if (object) {
			vm_object_reference(object);
			if (invalidate)
				forget(map, entry, VM_PROT_NONE);
			vm_map_unlock(map);
			result = vm_object_sync(object, offset, to - start,
						syncio, invalidate);
			vm_object_deallocate(object);
			vm_map_lock_nocut(map);
			error = error ?: result;
		}
		start = to;
	}
	vm_map_unlock(map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_sync);

/* A submap's lock is taken below its parent's, when that lets go of it. */
static struct lock_class_key submap_lock_key;

/**
 * vm_map_submap() - let a range be another map
 * @map: the map
 * @start: the first address of an entry that shows nothing yet
 * @end: the address behind its last
 * @submap: the other map, whose addresses these are, not used yet, without submaps
 *	of its own; referenced
 *
 * Context: process, may sleep.
 * Return: 0 or -EINVAL.
 */
int vm_map_submap(struct vm_map *map, unsigned long start, unsigned long end,
		  struct vm_map *submap)
{
	struct vm_map_entry *entry;
	int error = -EINVAL;

	if (!range_ok(map, start, end) || start < vm_map_min(submap) ||
	    end > vm_map_max(submap) || submap == map)
		return -EINVAL;
	lockdep_set_class_and_name(&submap->lock, &submap_lock_key,
				   "vm submap");
	vm_map_lock(map);
	if (vm_map_lookup_entry(map, start, &entry) && entry->node.end >= end &&
	    !entry->object && !entry->eflags && !entry->wired_count) {
		entry = vm_map_clip_start(map, entry, start);
		vm_map_clip_end(map, entry, end);
		vm_map_reference(submap);
		entry->sub_map = submap;
		entry->eflags |= MAP_ENTRY_IS_SUB_MAP;
		error = 0;
	}
	vm_map_unlock(map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_submap);

/**
 * vm_map_pmap_enter() - enter translations for what is resident already
 * @map: the map, locked
 * @addr: where the first one goes
 * @prot: the rights; that to write waits for a fault
 * @object: the object, whose lock is held throughout (FA-03): no page of it has to be
 *	busy meanwhile, since nobody else can look
 * @pindex: its first page
 * @count: how many pages
 *
 * Context: process, may sleep.
 */
void vm_map_pmap_enter(struct vm_map *map, unsigned long addr, u8 prot,
		       struct vm_object *object, u64 pindex, u64 count)
{
	unsigned long index = pindex;
	struct vm_page *m;

	if (!(prot & (VM_PROT_READ | VM_PROT_EXECUTE)) || !count)
		return;
	vm_object_lock(object);
	m = xa_find(&object->pages, &index, pindex + count - 1, XA_PRESENT);
	for (; m; m = xa_find_after(&object->pages, &index, pindex + count - 1,
				    XA_PRESENT)) {
		if (m->valid != VM_PAGE_BITS_ALL || m->busy)
			continue;
		vm_page_lock_queues();
		if (m->queue == PQ_CACHE)
			vm_page_deactivate(m);
		vm_page_unlock_queues();
		switch (pmap_enter_quick(map->pmap,
					 addr + vm_ptoa(index - pindex), m,
					 prot)) {
		case 0:
			vm_count(prefaults);
			break;
		case -ENOMEM:
			goto out;
		}
	}
out:
	vm_object_unlock(object);
}

/* ---- for faults --------------------------------------------------------- */

/*
 * Lock a map for reading and find the entry of an address. The way is short, or it is
 * made so, for whoever asks next.
 */
static struct vm_map_entry *lock_and_find(struct vm_map *map, unsigned long addr)
{
	struct vm_map_entry *entry;
	struct vm_map_node *node;

	vm_map_lock_read(map);
	if (!vm_map_tree_peek(&map->tree, addr, &node)) {
		vm_map_unlock_read(map);
		down_write(&map->lock);
		node = vm_map_tree_floor(&map->tree, addr);
		downgrade_write(&map->lock);
	}
	entry = node ? vm_map_entry_of(node) : NULL;
	return entry && addr < entry->node.end ? entry : NULL;
}

/* What a fault may do there, and what it has to be taken for. */
static int may_fault(const struct vm_map_entry *entry, u8 *fault_type, u8 *prot,
		     bool *wired)
{
	if (entry->eflags & MAP_ENTRY_NOFAULT)
		return -EFAULT;
	*prot = entry->protection;
	if (*fault_type & VM_PROT_ALL & ~*prot)
		return -EACCES;
	/*
	 * What is wired is not to fault again for a copy, so what there is to be is made
	 * now. Even if nobody ever writes to it: the page below is others', whose end
	 * does not ask who has wired it by way of which object.
	 */
	*wired = entry->wired_count;
	if (*wired)
		*fault_type |= *prot | (entry->eflags & MAP_ENTRY_COW ?
					VM_PROT_WRITE : 0);
	return 0;
}

/**
 * vm_map_entry_own_object() - give an entry an object of its own
 * @entry: the entry, of a map that is locked for writing
 *
 * One that it shows already is left, or shadowed if it needs to be copied.
 *
 * Return: 0 or -ENOMEM; does not wait for memory.
 */
int vm_map_entry_own_object(struct vm_map_entry *entry)
{
	int error = 0;

	if (!entry->object) {
		entry->object = vm_object_allocate(OBJT_DEFAULT,
						   vm_atop(entry_size(entry)));
		entry->offset = 0;
		if (!entry->object)
			return -ENOMEM;
	} else if (entry->eflags & MAP_ENTRY_NEEDS_COPY) {
		error = vm_object_shadow(&entry->object, &entry->offset,
					 entry_size(entry));
	}
	if (error)
		return error;
	entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	return 0;
}

/*
 * The entry of an address needs an object of its own: lock for writing, look whether
 * it still does, give it one.
 */
static int provide_object(struct vm_map *map, unsigned long addr)
{
	struct vm_map_entry *entry;
	int error = 0;

	vm_map_lock_nocut(map);
	if (vm_map_lookup_entry(map, addr, &entry) &&
	    !(entry->eflags & MAP_ENTRY_IS_SUB_MAP))
		error = vm_map_entry_own_object(entry);
	vm_map_unlock(map);
	return error;
}

/**
 * vm_map_lookup() - what an address shows, for a fault
 * @map: the map; if the address is in a submap, that one on return
 * @addr: the address
 * @fault_type: what the fault wants to do there, VM_PROT_*
 * @entry: where to store the entry
 * @object: where to store its object, made if there was none, shadowed if there is
 *	to be a copy of it
 * @pindex: where to store the page's index in it
 * @prot: where to store the rights that a translation may have
 * @wired: where to store whether it is wired
 *
 * Context: process, may sleep.
 * Return: 0, with the map locked for reading and referenced, until
 * vm_map_lookup_done(); -EFAULT if there is nothing, -EACCES if it is not allowed,
 * -ENOMEM if there is none for an object just now.
 */
int vm_map_lookup(struct vm_map **map, unsigned long addr, u8 fault_type,
		  struct vm_map_entry **entry, struct vm_object **object,
		  u64 *pindex, u8 *prot, bool *wired)
{
	struct vm_map *m = *map, *parent;
	struct vm_map_entry *e;
	u8 type;
	int error;

	vm_map_reference(m);
	for (;;) {
		e = lock_and_find(m, addr);
		if (e && e->eflags & MAP_ENTRY_IS_SUB_MAP) {
			parent = m;
			m = e->sub_map;
			vm_map_reference(m);
			vm_map_unlock_read(parent);
			vm_map_deallocate(parent);
			continue;
		}
		type = fault_type;
		error = e ? may_fault(e, &type, prot, wired) : -EFAULT;
		if (error)
			break;
		if (!e->object || (e->eflags & MAP_ENTRY_NEEDS_COPY &&
				   type & VM_PROT_WRITE)) {
			vm_map_unlock_read(m);
			error = provide_object(m, addr);
			if (!error)
				continue;
			vm_map_deallocate(m);
			return error;
		}
		/* It is shared until somebody writes. */
		if (e->eflags & MAP_ENTRY_NEEDS_COPY)
			*prot &= ~VM_PROT_WRITE;
		*map = m;
		*entry = e;
		*object = e->object;
		*pindex = vm_atop(e->offset + (addr - e->node.start));
		return 0;
	}
	vm_map_unlock_read(m);
	vm_map_deallocate(m);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_lookup);

/**
 * vm_map_lookup_done() - undo vm_map_lookup()
 * @map: the map that it ended in
 */
void vm_map_lookup_done(struct vm_map *map)
{
	vm_map_unlock_read(map);
	vm_map_deallocate(map);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_lookup_done);

/**
 * vm_map_lookup_again() - whether an address still shows what it did
 * @map: the map that vm_map_lookup() ended in, locked for reading again
 * @addr: the address
 * @fault_type: what the fault wants
 * @object: what vm_map_lookup() found
 * @pindex: the same
 * @prot: the rights that a translation may have; those that are gone are taken out
 * @wired: where to store whether it is wired
 *
 * Does not block (FA-02).
 *
 * Return: 0; -EAGAIN if the fault must begin again.
 */
int vm_map_lookup_again(struct vm_map *map, unsigned long addr, u8 fault_type,
			struct vm_object *object, u64 pindex, u8 *prot,
			bool *wired)
{
	struct vm_map_entry *entry;
	struct vm_map_node *node;
	u8 now;

	if (!vm_map_tree_peek(&map->tree, addr, &node) || !node)
		return -EAGAIN;
	entry = vm_map_entry_of(node);
	if (addr >= entry->node.end ||
	    entry->eflags & MAP_ENTRY_IS_SUB_MAP ||
	    may_fault(entry, &fault_type, &now, wired) ||
	    entry->object != object ||
	    vm_atop(entry->offset + (addr - entry->node.start)) != pindex)
		return -EAGAIN;
	if (entry->eflags & MAP_ENTRY_NEEDS_COPY) {
		if (fault_type & VM_PROT_WRITE)
			return -EAGAIN;
		now &= ~VM_PROT_WRITE;
	}
	*prot &= now;
	return 0;
}

/* ---- start and end ------------------------------------------------------ */

/**
 * vm_map_startup() - the zones that maps and entries come from
 *
 * Return: 0 or -ENOMEM.
 */
int vm_map_startup(void)
{
	map_zone = uma_zcreate("MAP", sizeof(struct vm_map), NULL, NULL, NULL,
			       NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	entry_zone = uma_zcreate("MAP ENTRY", sizeof(struct vm_map_entry), NULL,
				 NULL, NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	if (map_zone && entry_zone)
		return 0;
	vm_map_shutdown();
	return -ENOMEM;
}

/**
 * vm_map_shutdown() - the end; no map is left
 */
void vm_map_shutdown(void)
{
	if (entry_zone)
		uma_zdestroy(entry_zone);
	if (map_zone)
		uma_zdestroy(map_zone);
	entry_zone = NULL;
	map_zone = NULL;
}
