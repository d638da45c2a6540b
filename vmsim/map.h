/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps: an address space as a sorted set of entries.
 *
 * The entries are in a list and in a splay tree that knows the free space
 * (map_tree.h). The lock sleeps; who changes the map holds it for writing, who looks
 * up for reading (BSD takes it exclusively always; sharing it is our improvement).
 * Below it objects' locks are taken, never the other way round. A submap's is taken
 * below its parent's, a child's below that of the map it is copied from.
 *
 * Functions named vm_map_* take addresses that are multiples of the page size, and
 * ranges whose end is not included; -EINVAL if they are not.
 */
#ifndef _VMSIM_MAP_H
#define _VMSIM_MAP_H

#include <linux/rwsem.h>
#include <linux/wait.h>

#include "vmsim/map_tree.h"
#include "vmsim/object.h"
#include "vmsim/vm.h"

struct pmap;
struct vm_map;

/* Flags of an entry. */
#define MAP_ENTRY_NOSYNC		0x0001
#define MAP_ENTRY_IS_SUB_MAP		0x0002	/* @sub_map, not @object */
#define MAP_ENTRY_COW			0x0004	/* writes must not reach @object's other users */
#define MAP_ENTRY_NEEDS_COPY		0x0008	/* to be shadowed before the first write */
#define MAP_ENTRY_NOFAULT		0x0010	/* an access is an error */
#define MAP_ENTRY_USER_WIRED		0x0020
#define MAP_ENTRY_IN_TRANSITION		0x0040	/* being wired or unwired: wait */
#define MAP_ENTRY_NEEDS_WAKEUP		0x0080	/* somebody does */

/**
 * struct vm_map_entry - a range of addresses and what it shows
 * @node: the range, and its place in the tree and in the list
 * @object: what it shows, with a reference; NULL until the first fault
 * @sub_map: what it shows if MAP_ENTRY_IS_SUB_MAP, with a reference
 * @offset: where in it the range starts, in bytes
 * @eflags: MAP_ENTRY_*
 * @protection: VM_PROT_* now
 * @max_protection: the most that it can be changed to
 * @inheritance: enum vm_inherit
 * @advice: enum vm_advice that concerns faults
 * @wired_count: wirings: one for the user's, one for each of the system's
 * @wirer: the thread that has it in transition
 *
 * All of it is the map's lock's; to change it that is held for writing.
 */
struct vm_map_entry {
	struct vm_map_node node;
	union {
		struct vm_object *object;
		struct vm_map *sub_map;
	};
	u64 offset;
	u16 eflags;
	u8 protection;
	u8 max_protection;
	u8 inheritance;
	u8 advice;
	unsigned int wired_count;
	struct task_struct *wirer;
};

/**
 * struct vm_map - an address space
 * @lock: see above
 * @tree: its entries, by address
 * @max_entries: the most entries, 0 for no limit
 * @size: bytes mapped
 * @timestamp: changes with each change of the map
 * @pmap: its physical map
 * @ref_count: users of the map
 * @flags: VM_MAP_*
 * @waiters: who waits for an entry that is in transition or wired, or for room
 * @spare: entries that a change can use without having to allocate
 * @nspare: their number
 */
struct vm_map {
	struct rw_semaphore lock;
	struct vm_map_tree tree;
	unsigned int max_entries;
	unsigned long size;
	unsigned int timestamp;
	struct pmap *pmap;
	atomic_t ref_count;
	unsigned int flags;
	wait_queue_head_t waiters;
	struct list_head spare;
	unsigned int nspare;
};

#define VM_MAP_SYSTEM		0x1	/* of the kernel: no user wirings to wait for */
#define VM_MAP_WIREFUTURE	0x2	/* what is mapped from now on is wired */

static inline unsigned long vm_map_min(const struct vm_map *map)
{
	return map->tree.min;
}

static inline unsigned long vm_map_max(const struct vm_map *map)
{
	return map->tree.max;
}

/* Entries that a locked map has in hand: two cuts, an insertion, and another. */
#define VM_MAP_SPARES		4

#define vm_map_entry_of(n)	container_of(n, struct vm_map_entry, node)

/* The first entry of a map and the one after another; NULL behind the last. */
static inline struct vm_map_entry *vm_map_next(const struct vm_map *map,
					       const struct vm_map_entry *entry)
{
	struct vm_map_node *node = vm_map_tree_next(&map->tree,
						    entry ? &entry->node : NULL);

	return node ? vm_map_entry_of(node) : NULL;
}

/* The last entry of a map and the one before another; NULL before the first. */
static inline struct vm_map_entry *vm_map_prev(const struct vm_map *map,
					       const struct vm_map_entry *entry)
{
	struct vm_map_node *node = vm_map_tree_prev(&map->tree,
						    entry ? &entry->node : NULL);

	return node ? vm_map_entry_of(node) : NULL;
}

/* How a range is inserted (cow of vm_map_insert()). */
#define MAP_COPY_ON_WRITE	0x0002
#define MAP_NOFAULT		0x0004
#define MAP_PREFAULT		0x0008
#define MAP_PREFAULT_PARTIAL	0x0010
#define MAP_DISABLE_SYNCER	0x0020
#define MAP_INHERIT_SHARE	0x0040	/* a child shares it, from the start */

/* How a range is wired. */
#define VM_MAP_WIRE_SYSTEM	0x0
#define VM_MAP_WIRE_USER	0x1
#define VM_MAP_WIRE_HOLESOK	0x2

/* map.c: locks */
void vm_map_lock_nocut(struct vm_map *map);
void vm_map_lock(struct vm_map *map);
int vm_map_lock_cut(struct vm_map *map);
void vm_map_unlock(struct vm_map *map);
void vm_map_lock_read(struct vm_map *map);
bool vm_map_trylock_read(struct vm_map *map);
void vm_map_unlock_read(struct vm_map *map);
bool vm_map_wait(struct vm_map *map, unsigned int state);
void vm_map_wakeup(struct vm_map *map);

/* map.c: the map as a whole */
struct vm_map *vm_map_create(struct pmap *pmap, unsigned long min,
			     unsigned long max);
void vm_map_reference(struct vm_map *map);
void vm_map_deallocate(struct vm_map *map);
const char *vm_map_check(struct vm_map *map);

/* map.c: entries; the map is locked, for writing where it is changed */
struct vm_map_entry *vm_map_floor(struct vm_map *map, unsigned long addr);
bool vm_map_lookup_entry(struct vm_map *map, unsigned long addr,
			 struct vm_map_entry **entry);
struct vm_map_entry *vm_map_clip_start(struct vm_map *map,
				       struct vm_map_entry *entry,
				       unsigned long start);
void vm_map_clip_end(struct vm_map *map, struct vm_map_entry *entry,
		     unsigned long end);
void vm_map_simplify(struct vm_map *map, unsigned long start,
		     unsigned long end);
int vm_map_entry_own_object(struct vm_map_entry *entry);
void vm_map_entry_unwire(struct vm_map *map, struct vm_map_entry *entry,
			 unsigned long end);
int vm_map_reserve(struct vm_map *map, unsigned long n);
struct vm_map_entry *vm_map_entry_take(struct vm_map *map);
void vm_map_entry_dispose(struct vm_map *map, struct vm_map_entry *entry);
int vm_map_insert(struct vm_map *map, struct vm_object *object, u64 offset,
		  unsigned long start, unsigned long end, u8 prot, u8 max,
		  int cow);
int vm_map_delete(struct vm_map *map, unsigned long start, unsigned long end);
int vm_map_findspace(struct vm_map *map, unsigned long start,
		     unsigned long length, unsigned long *addr);
bool vm_map_check_protection(struct vm_map *map, unsigned long start,
			     unsigned long end, u8 prot);

/* map.c: operations, which lock the map themselves */
int vm_map_find(struct vm_map *map, struct vm_object *object, u64 offset,
		unsigned long *addr, unsigned long length, bool find_space,
		u8 prot, u8 max, int cow);
int vm_map_remove(struct vm_map *map, unsigned long start, unsigned long end);
int vm_map_protect(struct vm_map *map, unsigned long start, unsigned long end,
		   u8 prot, bool set_max);
int vm_map_inherit(struct vm_map *map, unsigned long start, unsigned long end,
		   enum vm_inherit inherit);
int vm_map_madvise(struct vm_map *map, unsigned long start, unsigned long end,
		   enum vm_advice advice);
int vm_map_sync(struct vm_map *map, unsigned long start, unsigned long end,
		bool syncio, bool invalidate);
int vm_map_submap(struct vm_map *map, unsigned long start, unsigned long end,
		  struct vm_map *submap);
void vm_map_pmap_enter(struct vm_map *map, unsigned long addr, u8 prot,
		       struct vm_object *object, u64 pindex, u64 count);

/* map.c: for a fault; the map it ends in is locked for reading when it returns 0 */
int vm_map_lookup(struct vm_map **map, unsigned long addr, u8 fault_type,
		  struct vm_map_entry **entry, struct vm_object **object,
		  u64 *pindex, u8 *prot, bool *wired);
void vm_map_lookup_done(struct vm_map *map);
int vm_map_lookup_again(struct vm_map *map, unsigned long addr, u8 fault_type,
			struct vm_object *object, u64 pindex, u8 *prot,
			bool *wired);

/* map_wire.c */
int vm_map_wire(struct vm_map *map, unsigned long start, unsigned long end,
		int flags);
int vm_map_unwire(struct vm_map *map, unsigned long start, unsigned long end,
		  int flags);

/* The system's wirings of an entry, without the user's. */
static inline unsigned int
vm_map_entry_system_wired(const struct vm_map_entry *entry)
{
	return entry->wired_count -
	       !!(entry->eflags & MAP_ENTRY_USER_WIRED);
}

int vm_map_startup(void);
void vm_map_shutdown(void);

#endif /* _VMSIM_MAP_H */
