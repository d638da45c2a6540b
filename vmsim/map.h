/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps: an address space as a sorted set of entries.
 *
 * The entries are in a list and in a splay tree that knows the free space
 * (map_tree.c). The lock sleeps; who changes the map holds it for writing, who looks
 * up for reading (BSD takes it exclusively always; sharing it is our improvement).
 * Below it objects' locks are taken, never the other way round.
 */
#ifndef _VMSIM_MAP_H
#define _VMSIM_MAP_H

#include <linux/rwsem.h>

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
 * @prev: neighbours in the list, whose end is the map's header
 * @next: the same
 * @left: subtree of lower addresses
 * @right: subtree of higher ones
 * @start: first address
 * @end: the one behind its last
 * @adj_free: free bytes between it and the next
 * @max_free: the largest such gap in its subtree
 * @object: what it shows, with a reference; NULL until the first fault
 * @sub_map: what it shows if MAP_ENTRY_IS_SUB_MAP
 * @offset: where in it @start is, in bytes
 * @eflags: MAP_ENTRY_*
 * @protection: VM_PROT_* now
 * @max_protection: the most that it can be changed to
 * @inheritance: enum vm_inherit
 * @advice: enum vm_advice that concerns faults
 * @wired_count: wirings: one for the user's, one for each of the system's
 * @lastr: page behind the last one that a sequential fault read
 */
struct vm_map_entry {
	struct vm_map_entry *prev;
	struct vm_map_entry *next;
	struct vm_map_entry *left;
	struct vm_map_entry *right;
	unsigned long start;
	unsigned long end;
	unsigned long adj_free;
	unsigned long max_free;
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
	u64 lastr;
};

/**
 * struct vm_map - an address space
 * @lock: see above
 * @header: end of the list: @next the first entry, @prev the last; its @end is the
 *	map's first address and its @start the one behind the last
 * @root: of the tree
 * @nentries: entries
 * @max_entries: the most of them, 0 for no limit
 * @size: bytes mapped
 * @timestamp: changes with each change of the map
 * @pmap: its physical map
 * @ref_count: users of the map
 * @flags: VM_MAP_*
 * @entry_waiters: who waits for an entry of a limited map
 */
struct vm_map {
	struct rw_semaphore lock;
	struct vm_map_entry header;
	struct vm_map_entry *root;
	unsigned int nentries;
	unsigned int max_entries;
	unsigned long size;
	unsigned int timestamp;
	struct pmap *pmap;
	atomic_t ref_count;
	unsigned int flags;
	unsigned int entry_waiters;
};

#define VM_MAP_SYSTEM		0x1	/* of the kernel: no user wirings to wait for */
#define VM_MAP_WIREFUTURE	0x2	/* what is mapped from now on is wired */
#define VM_MAP_NEEDS_WAKEUP	0x4

static inline unsigned long vm_map_min(const struct vm_map *map)
{
	return map->header.end;
}

static inline unsigned long vm_map_max(const struct vm_map *map)
{
	return map->header.start;
}

/* How a range is inserted (cow of vm_map_insert()). */
#define MAP_COPY_ON_WRITE	0x0002
#define MAP_NOFAULT		0x0004
#define MAP_PREFAULT		0x0008
#define MAP_PREFAULT_PARTIAL	0x0010
#define MAP_DISABLE_SYNCER	0x0020

/* How a range is wired. */
#define VM_MAP_WIRE_SYSTEM	0x0
#define VM_MAP_WIRE_USER	0x1
#define VM_MAP_WIRE_HOLESOK	0x2

/* map_tree.c: the tree alone, no locks, no objects. */
struct vm_map_entry *vm_map_tree_splay(unsigned long address,
				       struct vm_map_entry *root);
void vm_map_tree_link(struct vm_map *map, struct vm_map_entry *after,
		      struct vm_map_entry *entry);
void vm_map_tree_unlink(struct vm_map *map, struct vm_map_entry *entry);
void vm_map_tree_resize_free(struct vm_map *map, struct vm_map_entry *entry);
int vm_map_tree_findspace(struct vm_map *map, unsigned long start,
			  unsigned long length, unsigned long *addr);
bool vm_map_tree_check(struct vm_map *map);

/* map.c */
struct vm_map *vm_map_create(struct pmap *pmap, unsigned long min,
			     unsigned long max);
void vm_map_reference(struct vm_map *map);
void vm_map_deallocate(struct vm_map *map);

bool vm_map_lookup_entry(struct vm_map *map, unsigned long address,
			 struct vm_map_entry **entry);
int vm_map_insert(struct vm_map *map, struct vm_object *object, u64 offset,
		  unsigned long start, unsigned long end, u8 prot, u8 max,
		  int cow);
int vm_map_find(struct vm_map *map, struct vm_object *object, u64 offset,
		unsigned long *addr, unsigned long length, bool find_space,
		u8 prot, u8 max, int cow);
int vm_map_findspace(struct vm_map *map, unsigned long start,
		     unsigned long length, unsigned long *addr);
int vm_map_remove(struct vm_map *map, unsigned long start, unsigned long end);
int vm_map_delete(struct vm_map *map, unsigned long start, unsigned long end);
int vm_map_protect(struct vm_map *map, unsigned long start, unsigned long end,
		   u8 prot, bool set_max);
int vm_map_inherit(struct vm_map *map, unsigned long start, unsigned long end,
		   enum vm_inherit inherit);
int vm_map_madvise(struct vm_map *map, unsigned long start, unsigned long end,
		   enum vm_advice advice);
int vm_map_wire(struct vm_map *map, unsigned long start, unsigned long end,
		int flags);
int vm_map_unwire(struct vm_map *map, unsigned long start, unsigned long end,
		  int flags);
int vm_map_sync(struct vm_map *map, unsigned long start, unsigned long end,
		bool syncio, bool invalidate);
int vm_map_submap(struct vm_map *map, unsigned long start, unsigned long end,
		  struct vm_map *submap);
struct vm_map *vm_map_fork(struct vm_map *map);
void vm_map_clip_start(struct vm_map *map, struct vm_map_entry *entry,
		       unsigned long start);
void vm_map_clip_end(struct vm_map *map, struct vm_map_entry *entry,
		     unsigned long end);
void vm_map_simplify_entry(struct vm_map *map, struct vm_map_entry *entry);
bool vm_map_check_protection(struct vm_map *map, unsigned long start,
			     unsigned long end, u8 prot);

/*
 * For a fault: the map is locked for reading when it returns 0, until
 * vm_map_lookup_done(). *@map may have become a submap.
 */
int vm_map_lookup(struct vm_map **map, unsigned long address, u8 fault_type,
		  struct vm_map_entry **entry, struct vm_object **object,
		  u64 *pindex, u8 *prot, bool *wired);
void vm_map_lookup_done(struct vm_map *map, struct vm_map_entry *entry);

int vm_map_startup(void);
void vm_map_shutdown(void);

#endif /* _VMSIM_MAP_H */
