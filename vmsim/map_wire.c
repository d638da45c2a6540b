// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wiring ranges of a map: their pages are there, mapped, and stay.
 *
 * To wire is to fault, which needs the map unlocked. So it goes in three steps. With
 * the lock held the range is cut out of its entries, each is counted as wired once
 * more, which is what the faults will see, and marked as being in transition by this
 * thread: nobody else removes it, or wires or unwires it, before that is over. Then
 * the lock is dropped and the pages are brought. Then it is taken again, the counts
 * become the user's or the system's, or are taken back if a page could not be had,
 * and the marks go. Marks are set upwards, and who meets another's waits: so two
 * threads cannot wait for each other.
 *
 * Only the first wiring of an entry brings pages and only the last one's end lets them
 * go. Between, it is a matter of counting: one for the user, whose second
 * wiring changes nothing, and as many of the system's as there are (MP-03). What is
 * not to be faulted on is never wired: it succeeds, and its count stays zero.
 *
 * The pages that an entry has wired are in its own object, always. What lies further down
 * a chain is others' as well: they come and go, and collapse what is between, without
 * asking who has wired it from above. So wiring makes the copy, even where nobody will
 * ever write.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/sched.h>

#include "uma/compat.h"
#include "vmsim/fault.h"
#include "vmsim/map.h"

/* The entry at or behind @start, if it begins before @end; the map is locked. */
static struct vm_map_entry *entry_from(struct vm_map *map, unsigned long start,
				       unsigned long end)
{
	struct vm_map_entry *entry;

	if (!vm_map_lookup_entry(map, start, &entry))
		entry = vm_map_next(map, entry);
	return entry && entry->node.start < end ? entry : NULL;
}

static bool range_ok(struct vm_map *map, unsigned long start, unsigned long end)
{
	return start < end && start >= vm_map_min(map) &&
	       end <= vm_map_max(map) && !offset_in_page(start | end);
}

/* Whether the entry is in transition because of us. */
static bool is_ours(const struct vm_map_entry *entry)
{
	return entry->eflags & MAP_ENTRY_IN_TRANSITION &&
	       entry->wirer == current;
}

/* The next entry at or behind @start that is ours; the map is locked. */
static struct vm_map_entry *our_entry(struct vm_map *map, unsigned long start,
				      unsigned long end)
{
	struct vm_map_entry *entry = entry_from(map, start, end);

	while (entry && entry->node.start < end) {
		if (is_ours(entry))
			return entry;
		entry = vm_map_next(map, entry);
	}
	return NULL;
}

/* Wait while the entry at @addr, which is another's, is in transition. */
static int wait_for_others(struct vm_map *map, struct vm_map_entry *entry)
{
	entry->eflags |= MAP_ENTRY_NEEDS_WAKEUP;
	return vm_map_wait(map, TASK_KILLABLE) ? 0 : -EINTR;
}

/* First step: count and mark. @marked is how far that came. */
static int mark_range(struct vm_map *map, unsigned long start, unsigned long end,
		      int flags, unsigned long *marked)
{
	struct vm_map_entry *entry;
	int error;

	for (*marked = start; *marked < end;) {
		entry = entry_from(map, *marked, end);
		if ((!entry || entry->node.start > *marked) &&
		    !(flags & VM_MAP_WIRE_HOLESOK))
			return -EFAULT;
		if (!entry)
			break;
		if (entry->eflags & MAP_ENTRY_IN_TRANSITION) {
			error = wait_for_others(map, entry);
			if (error)
				return error;
			continue;
		}
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP)
			return -EINVAL;
		entry = vm_map_clip_start(map, entry, *marked);
		vm_map_clip_end(map, entry, end);
		entry->eflags |= MAP_ENTRY_IN_TRANSITION;
		entry->wirer = current;
		if (!(entry->eflags & MAP_ENTRY_NOFAULT))
			entry->wired_count++;
		*marked = entry->node.end;
	}
	return 0;
}

/*
 * Second step: bring the pages of what was not wired before, with the lock dropped.
 * @done is how far that came.
 */
static int bring_pages(struct vm_map *map, unsigned long start,
		       unsigned long end, unsigned long *done)
{
	struct vm_map_entry *entry;
	unsigned long from, to;
	int error;

	*done = start;
	while ((entry = our_entry(map, *done, end))) {
		from = entry->node.start;
		to = entry->node.end;
		if (entry->wired_count == 1) {
			vm_map_unlock(map);
			error = vm_fault_wire(map, from, to, done);
			vm_map_lock_nocut(map);
			if (error)
				return error;
		}
		*done = to;
	}
	return 0;
}

/* What the wiring that was counted becomes. */
static void keep_wiring(struct vm_map_entry *entry, bool user)
{
	if (entry->eflags & MAP_ENTRY_NOFAULT || !user)
		return;
	if (entry->eflags & MAP_ENTRY_USER_WIRED)
		entry->wired_count--;
	else
		entry->eflags |= MAP_ENTRY_USER_WIRED;
}

static void drop_wiring(struct vm_map *map, struct vm_map_entry *entry,
			unsigned long done)
{
	if (entry->eflags & MAP_ENTRY_NOFAULT)
		return;
	if (entry->wired_count == 1)
		vm_map_entry_unwire(map, entry, min(done, entry->node.end));
	else
		entry->wired_count--;
}

static void end_transition(struct vm_map *map, struct vm_map_entry *entry)
{
	if (entry->eflags & MAP_ENTRY_NEEDS_WAKEUP)
		vm_map_wakeup(map);
	entry->eflags &= ~(MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_NEEDS_WAKEUP);
	entry->wirer = NULL;
}

/**
 * vm_map_wire() - let the pages of a range be there, and stay
 * @map: the map
 * @start: the first address
 * @end: the address behind the last
 * @flags: VM_MAP_WIRE_*
 *
 * The user's wiring is one or none, the system's any number; each is undone by
 * vm_map_unwire() with the same flag. In a user's map what the system has wired cannot
 * be removed before it is unwired.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL; -EFAULT if there are holes, or what a fault says: then nothing
 * is wired that was not.
 */
int vm_map_wire(struct vm_map *map, unsigned long start, unsigned long end,
		int flags)
{
	unsigned long marked, done = start, at = start;
	struct vm_map_entry *entry;
	int error;

	if (!range_ok(map, start, end))
		return -EINVAL;
	error = vm_map_lock_cut(map);
	if (error)
		return error;
	error = mark_range(map, start, end, flags, &marked);
	if (!error)
		error = bring_pages(map, start, marked, &done);
	while ((entry = our_entry(map, at, marked))) {
		at = entry->node.end;
		if (error)
			drop_wiring(map, entry, done);
		else
			keep_wiring(entry, flags & VM_MAP_WIRE_USER);
		end_transition(map, entry);
		cond_resched();
	}
	vm_map_simplify(map, start, end);
	vm_map_unlock(map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_wire);

/* Whether an entry has a wiring of the kind that is to be undone. */
static bool is_wired_so(const struct vm_map_entry *entry, int flags)
{
	return flags & VM_MAP_WIRE_USER ?
	       entry->eflags & MAP_ENTRY_USER_WIRED :
	       vm_map_entry_system_wired(entry);
}

/* Whether a range can be unwired so. Waits for entries in transition. */
static int may_unwire(struct vm_map *map, unsigned long start, unsigned long end,
		      int flags)
{
	unsigned long at = start;
	struct vm_map_entry *entry;
	int error;

	while (at < end) {
		entry = entry_from(map, at, end);
		if ((!entry || entry->node.start > at) &&
		    !(flags & VM_MAP_WIRE_HOLESOK))
			return -EFAULT;
		if (!entry)
			break;
		if (entry->eflags & MAP_ENTRY_IN_TRANSITION) {
			error = wait_for_others(map, entry);
			if (error)
				return error;
			at = start;
			continue;
		}
		at = entry->node.end;
		if (entry->eflags & MAP_ENTRY_NOFAULT)
			continue;
		/* Neither undoes the other's; and what was a hole is passed over. */
		if (entry->eflags & MAP_ENTRY_IS_SUB_MAP ||
		    !(is_wired_so(entry, flags) || flags & VM_MAP_WIRE_HOLESOK))
			return -EINVAL;
	}
	return 0;
}

/**
 * vm_map_unwire() - undo one vm_map_wire()
 * @map: the map
 * @start: the first address
 * @end: the address behind the last
 * @flags: VM_MAP_WIRE_*, as it was wired
 *
 * With VM_MAP_WIRE_HOLESOK what is not wired so is passed over, for it may have been a
 * hole then.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if some of it is not wired so, -EFAULT if there are holes,
 * -EINTR: then nothing is changed.
 */
int vm_map_unwire(struct vm_map *map, unsigned long start, unsigned long end,
		  int flags)
{
	struct vm_map_entry *entry;
	unsigned long at = start;
	int error;

	if (!range_ok(map, start, end))
		return -EINVAL;
	vm_map_lock(map);
	error = may_unwire(map, start, end, flags);
	while (!error && (entry = entry_from(map, at, end))) {
		entry = vm_map_clip_start(map, entry, start);
		vm_map_clip_end(map, entry, end);
		at = entry->node.end;
		if (entry->eflags & MAP_ENTRY_NOFAULT ||
		    !is_wired_so(entry, flags))
			continue;
		if (entry->wired_count == 1)
			vm_map_entry_unwire(map, entry, at);
		else
			entry->wired_count--;
		if (flags & VM_MAP_WIRE_USER)
			entry->eflags &= ~MAP_ENTRY_USER_WIRED;
		/* Who wants to remove it looks again. */
		if (entry->eflags & MAP_ENTRY_NEEDS_WAKEUP)
			vm_map_wakeup(map);
		entry->eflags &= ~MAP_ENTRY_NEEDS_WAKEUP;
	}
	vm_map_simplify(map, start, end);
	vm_map_unlock(map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_unwire);
