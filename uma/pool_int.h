/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool's own structures, shared by the files of it: pool_node.c, what nodes
 * and chunks are made of; pool_grow.c, growing and shrinking; pool.c, taking pages
 * and giving them back; pool_range.c, where they lie; pool_make.c, parameters, making
 * and ending a pool. Each calls only those before it.
 */
#ifndef _UMA_POOL_INT_H
#define _UMA_POOL_INT_H

#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "uma/pool.h"

/* Never the OOM killer: a pool is not worth anybody's process. */
#define POOL_GFP	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* What the record of an empty place has for a frame number. */
#define NO_PFN		ULONG_MAX

/*
 * Chunks by how much of them is free: class n has 2^n to 2^(n+1)-1 free pages,
 * the last one all of them. A chunk without free pages is in none.
 */
#define CLASS_WHOLE	UMA_CHUNK_ORDER
#define CLASSES		(CLASS_WHOLE + 1)
#define CLASS_NONE	(-1)

static_assert(UMA_CHUNK_PAGES <= MAX_ORDER_NR_PAGES);
static_assert(CLASSES <= BITS_PER_LONG);

/**
 * struct pool_segment - physically contiguous pages
 * @first: the first one's record
 * @npages: how many follow each other
 */
struct pool_segment {
	struct vm_page *first;
	unsigned long npages;
};

/**
 * struct pool_chunk - a slot for a chunk; its node's lock guards all of it
 * @link: among the chunks of its class
 * @free: its free pages, the next single first
 * @first: its first record, constant
 * @node: where its memory lies, NULL while the slot is empty
 * @npages: its pages that are not blacklisted
 * @nfree: of those, free
 * @class: see CLASS_WHOLE
 * @map: a bit for each record, set while the page is free
 */
struct pool_chunk {
	struct list_head link;
	struct list_head free;
	struct vm_page *first;
	struct pool_node *node;
	unsigned int npages;
	unsigned int nfree;
	int class;
	unsigned long map[BITS_TO_LONGS(UMA_CHUNK_PAGES)];
};

/**
 * struct pool_node - the pages of one memory node
 * @lock: innermost of the allocator's locks; guards what follows it up to
 *	@waiters. Never two nodes' at once
 * @free: free pages that the pool was made with, the next single first
 * @zeroed: the same, of which is known that they are zero: see uma_pool_zero_ahead()
 * @map: a bit for each record from @first on, set while the page is free; written
 *	under @lock, read without it by who can live with an old answer
 * @nfree: free pages, in chunks and out of them
 * @nzeroed: of those, the pages of @zeroed
 * @npages: pages that are not blacklisted
 * @blacklisted: those that are
 * @classes: a bit for each list of @by_free that has a chunk
 * @by_free: the chunks with free pages, by class
 * @nwhole: length of the last of these lists
 * @nchunks: chunks
 * @allocs: allocations that succeeded
 * @fails: allocations that did not
 * @waiters: sleepers between uma_pool_wait_begin() and _end()
 * @reserve: free pages that only M_USE_RESERVE gets; constant as all below
 * @nid: the kernel's number of the node
 * @first: record of the first page that the pool was made with
 * @nrecords: number of those
 * @segs: their segments, sorted
 * @nsegs: number of those
 * @others: the other nodes, the nearest first
 * @grow_after: in jiffies: before that no chunk is asked for; not constant
 */
struct pool_node {
	raw_spinlock_t lock;
	struct list_head free;
	struct list_head zeroed;
	unsigned long *map;
	unsigned long nfree;
	unsigned long nzeroed;
	unsigned long npages;
	unsigned long blacklisted;
	unsigned long classes;
	struct list_head by_free[CLASSES];
	unsigned int nwhole;
	unsigned int nchunks;
	u64 allocs;
	u64 fails;
	unsigned int waiters;

	unsigned long reserve;
	int nid;
	struct vm_page *first;
	unsigned long nrecords;
	struct pool_segment *segs;
	unsigned int nsegs;
	struct pool_node **others;
	unsigned long grow_after;
} ____cacheline_aligned;

/**
 * struct uma_pool - a pool; what is not marked is constant once it is made
 * @pages: the records: what it was made with, then the slots
 * @nbase: pages that it was made with
 * @nrecords: records, with those of empty slots
 * @chunk_pages: the record of the first slot's first page
 * @chunks: the slots
 * @nslots: their number, 0 for a pool that does not grow
 * @slots: a bit for each slot, set while it is in use; set under @grow_lock
 * @nchunks: slots in use
 * @segs: all nodes' segments
 * @nsegs: their number
 * @bad: blacklisted addresses
 * @nbad: their number
 * @mark: fewer free pages than this are worth a look: see pool_is_low()
 * @grow_mark: the part of @mark that is not the callback's
 * @lowmem_fn: the low-memory callback, or NULL; this and the next two are written
 *	under the first node's lock
 * @lowmem_arg: its argument
 * @lowmem_threshold: fewer free pages than this are low memory
 * @lowmem_told: the callback knows of this shortage
 * @wake: pages that came and that no sleeper was woken for yet
 * @grow_lock: held while a chunk is had; only ever tried
 * @grown: chunks that ever came; @grow_lock
 * @grow_fails: times that none could be had; @grow_lock
 * @given_back: chunks that went
 * @grow_wait: who waits for another's growing
 * @kick_node: node that was short last
 * @kick_need: an allocation failed, so grow whatever the counts say
 * @stopped: the pool goes: no growing by itself
 * @lowmem_work: calls the callback
 * @wake_work: wakes the sleepers
 * @kick_work: starts @grow_work, which cannot be done from anywhere
 * @grow_work: grows for those who cannot sleep
 * @wait: where sleepers sleep
 * @by_nid: the node for each number, the nearest for one without pages
 * @nnodes: number of nodes
 * @nodes: the nodes
 */
struct uma_pool {
	struct vm_page *pages;
	unsigned long nbase;
	unsigned long nrecords;
	struct vm_page *chunk_pages;
	struct pool_chunk *chunks;
	unsigned int nslots;
	unsigned long *slots;
	atomic_t nchunks;
	struct pool_segment *segs;
	unsigned int nsegs;
	u64 *bad;
	int nbad;

	unsigned long mark;
	unsigned long grow_mark;
	void (*lowmem_fn)(void *arg);
	void *lowmem_arg;
	unsigned long lowmem_threshold;
	bool lowmem_told;
	atomic_long_t wake;

	struct mutex grow_lock;		/* only ever tried */
	unsigned long grown;
	unsigned long grow_fails;
	atomic_long_t given_back;
	wait_queue_head_t grow_wait;
	struct pool_node *kick_node;
	bool kick_need;
	bool stopped;

	struct irq_work lowmem_work;
	struct irq_work wake_work;
	struct irq_work kick_work;
	struct work_struct grow_work;
	wait_queue_head_t wait;

	struct pool_node **by_nid;
	unsigned int nnodes;
	struct pool_node nodes[];
};

/* Each node of a pool, in the order of their numbers. */
#define for_each_pool_node(pool, node)					\
	for ((node) = (pool)->nodes;					\
	     (node) < (pool)->nodes + (pool)->nnodes; (node)++)

/* Which node, which chunk. */

/* The node near the CPU that we run on. */
static inline struct pool_node *pool_local_node(struct uma_pool *pool)
{
	return likely(pool->nnodes == 1) ? pool->nodes :
					   pool->by_nid[numa_mem_id()];
}

/* The chunk whose record @m is; NULL for a page that the pool was made with. */
static inline struct pool_chunk *pool_page_chunk(struct uma_pool *pool,
						 const struct vm_page *m)
{
	if (likely(m < pool->chunk_pages))
		return NULL;
	return &pool->chunks[(m - pool->chunk_pages) / UMA_CHUNK_PAGES];
}

/*
 * The node whose lock guards @m, or NULL for an empty slot. Of a chunk page that
 * the caller does not hold this is a guess, to be looked at again with the lock.
 */
static inline struct pool_node *pool_page_node(struct uma_pool *pool,
					       const struct vm_page *m,
					       struct pool_chunk *chunk)
{
	if (chunk)
		return READ_ONCE(chunk->node);
	return likely(pool->nnodes == 1) ? pool->nodes :
					   pool->by_nid[vm_page_nid(m)];
}

/* The node of a number that may be anything, or NULL if it has no pages here. */
static inline struct pool_node *pool_node_of_nid(struct uma_pool *pool, int nid)
{
	if (nid < 0 || nid >= nr_node_ids || pool->by_nid[nid]->nid != nid)
		return NULL;
	return pool->by_nid[nid];
}

/* Free pages of all nodes, read one after the other. */
static inline unsigned long pool_total_free(struct uma_pool *pool)
{
	struct pool_node *node;
	unsigned long n = 0;

	for_each_pool_node(pool, node)
		n += READ_ONCE(node->nfree);
	return n;
}

/* pool_node.c */
void pool_add_page(struct vm_page *m, struct list_head *free);
struct page *pool_forget_page(struct vm_page *m);
bool pool_give_page_back(struct vm_page *m);
void pool_clear_record(struct vm_page *m);
void pool_blacklist_page(struct vm_page *m, u64 addr);
void pool_tell_kmemleak(unsigned long pfn, unsigned long npages, bool ours);
void pool_place_chunk(struct pool_node *node, struct pool_chunk *chunk);
bool pool_node_may_grow(const struct pool_node *node);
bool pool_may_grow(struct uma_pool *pool);
void pool_kick(struct uma_pool *pool, struct pool_node *node);
void pool_is_low(struct uma_pool *pool, struct pool_node *node);

/* pool_grow.c */
void pool_grow_init(struct uma_pool *pool);
void pool_grow_stop(struct uma_pool *pool);
bool pool_grow_since(struct uma_pool *pool, struct pool_node *node,
		     unsigned int npages, int flags, unsigned long grown);

/* pool.c */
void pool_wait_init(struct uma_pool *pool);

/* After each change of a node's count, with its lock held. */
static inline void pool_check_low(struct uma_pool *pool, struct pool_node *node)
{
	if (node->nfree < READ_ONCE(pool->mark))
		pool_is_low(pool, node);
	else if (READ_ONCE(pool->lowmem_told))
		WRITE_ONCE(pool->lowmem_told, false);
}

/* @npages came to a node, whose lock is held. */
static inline void pool_pages_came(struct uma_pool *pool, struct pool_node *node,
				   unsigned int npages)
{
	WRITE_ONCE(node->nfree, node->nfree + npages);
	pool_check_low(pool, node);
	if (node->waiters) {
		atomic_long_add(npages, &pool->wake);
		irq_work_queue(&pool->wake_work);
	}
}

#endif /* _UMA_POOL_INT_H */
