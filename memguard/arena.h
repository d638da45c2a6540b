/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arena: address space and pages of guarded items, and what is known of each
 * of them. See arena.c.
 */
#ifndef _MEMGUARD_ARENA_H
#define _MEMGUARD_ARENA_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "uma/compat.h"
#include "uma/guard.h"

struct uma_kva;

/* What is kept of a stack: the nearest so many callers. */
#define MEMGUARD_STACK	UMA_STACK_DEPTH
/* What is kept of an owner's name, which can be gone when a report is made. */
#define MEMGUARD_NAME	32

/**
 * struct memguard_track - who did something to an item
 * @when: ns since boot, as in the log's own time stamps
 * @pid: the task, 0 if nobody did it yet
 * @cpu: where it ran
 * @comm: its name
 * @stack: how it came there
 */
struct memguard_track {
	u64 when;
	pid_t pid;
	int cpu;
	char comm[TASK_COMM_LEN];
	struct uma_stack stack;
};

/**
 * enum memguard_state - what has become of a range
 * @MEMGUARD_NONE: no item was ever in it, or it was taken apart since
 * @MEMGUARD_LIVE: its item is out, or about to be
 * @MEMGUARD_FREEING: its item was claimed by the one free that may
 * @MEMGUARD_FREED: its item is free, its pages are protected, or will be before
 *	they are used again
 */
enum memguard_state {
	MEMGUARD_NONE,
	MEMGUARD_LIVE,
	MEMGUARD_FREEING,
	MEMGUARD_FREED,
};

/**
 * struct memguard_range - some pages of the arena, with one item in them
 * @link: in the queue of freed ranges, oldest first; the arena's lock
 * @npages: its pages; a guard page follows that is nobody else's, and one, of
 *	another range, or the first of the arena, precedes
 * @state: enum memguard_state; LIVE to FREEING by compare-and-exchange
 * @offset: of the item, from the first page
 * @size: bytes of the item
 * @generation: of the arena, when the range was protected: what all processors
 *	must have reached before it is used again
 * @refcnt: the item's reference counter, which outlives it
 * @type: the owner is a malloc type, not a zone
 * @oops: the task whose wrong free was reported and is to be stopped, or NULL
 * @addr: of the zone or type that the item must be freed to
 * @owner: its name
 * @alloced: who allocated the item
 * @freed: who freed it
 *
 * What is not said to have a lock belongs to whoever made the last change of
 * @state, until the next.
 */
struct memguard_range {
	struct list_head link;
	u32 npages;
	atomic_t state;
	u32 offset;
	size_t size;
	u64 generation;
	u32 refcnt;
	bool type;
	struct task_struct *oops;
	const void *addr;
	char owner[MEMGUARD_NAME];
	struct memguard_track alloced;
	struct memguard_track freed;
};

/**
 * struct memguard_place - what an address of the arena is near
 * @range: the range that it concerns, or NULL if there was never one near
 * @item: first address of its item
 * @offset: from there to the address: negative below the item, at least the
 *	item's size beyond it
 * @in_pages: the address lies in the range's own pages, not in a guard page
 */
struct memguard_place {
	struct memguard_range *range;
	void *item;
	long offset;
	bool in_pages;
};

/**
 * struct memguard_arena_stats - how the arena stands
 * @slots: pages of address space
 * @slots_live: of these, in ranges with an item that is out, guard pages included
 * @slots_queued: in ranges whose item is free, guard pages included
 * @pages: pages of the pool that it holds
 * @pages_wasted: of these, where no range is
 * @ranges_live: items out
 * @ranges_queued: freed ranges that wait for their reuse
 * @bytes_live: bytes of items out, as asked for
 * @reused: ranges that were used again
 * @no_space: allocations that failed for want of address space
 * @no_pages: the same for want of pages
 * @flushes: times that all processors were made to forget
 * @flushes_late: of these, by the work item
 */
struct memguard_arena_stats {
	unsigned long slots;
	unsigned long slots_live;
	unsigned long slots_queued;
	unsigned long pages;
	unsigned long pages_wasted;
	unsigned long ranges_live;
	unsigned long ranges_queued;
	unsigned long bytes_live;
	u64 reused;
	u64 no_space;
	u64 no_pages;
	u64 flushes;
	u64 flushes_late;
};

/* How allocations are placed and frees protected; set at any time. */
struct memguard_options {
	bool start;	/* an item begins at the start of its first page */
	bool noread;	/* what is free cannot be read either */
};

extern struct memguard_options memguard_options;

int memguard_arena_create(unsigned long npages);
void memguard_arena_destroy(void);
bool memguard_arena_exists(void);
struct memguard_range *memguard_arena_alloc(size_t size, size_t align);
void memguard_arena_publish(struct memguard_range *r);
struct memguard_range *memguard_arena_item(const void *item);
bool memguard_arena_claim(struct memguard_range *r);
void memguard_arena_free(struct memguard_range *r);
void memguard_arena_trim(void);
void memguard_arena_get_stats(struct memguard_arena_stats *st);

/* For who looks at a fault. */
bool memguard_arena_locate(const void *addr, struct memguard_place *place);
bool memguard_arena_allows(const void *addr, bool write);
void memguard_arena_open(const void *addr);

void *memguard_range_item(const struct memguard_range *r);
void *memguard_range_start(const struct memguard_range *r);
bool memguard_slack_intact(const struct memguard_range *r, const u8 **bad);
u8 memguard_slack_byte(const void *addr);
void memguard_track_save(struct memguard_track *track);

#endif /* _MEMGUARD_ARENA_H */
