// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: real pages that are ours from load to unload.
 *
 * A virtual-memory system wants to own its pages: to know each one by a record
 * of its own, to find that record from any address, to see which pages are
 * neighbours, and to run short without the rest of the machine noticing. So
 * the pool takes a fixed number of pages from the kernel when it is made, in
 * the largest blocks that the kernel gives without a struggle, and everything
 * above it lives on those.
 *
 *	pages	one record for each page, sorted by node and physical address
 *		+----+----+----+----+----+----+----+----+----+----+---------
 *		| 80 | 81 | 82 | 83 | c0 | c1 | c2 | f8 | f9 | fa | chunks..
 *		+----+----+----+----+----+----+----+----+----+----+---------
 *	segs	|   segment 0       |  segment 1   |  segment 2   |
 *	map	  1    0    1    1    0    1    1    1    1    1	 1 is free
 *
 * Sorting makes neighbours in memory neighbours in the table, so a run of
 * pages is a run of records, and segments are where the addresses jump.
 *
 * From a page to its record is one load: the private word of the struct page,
 * which is free for its owner to use, points at the record. It is zero again
 * before the page goes back; nothing else of struct page is touched. From an
 * address that cannot be trusted it is the same load with doubts: the address
 * must be the kernel's own mapping of real memory, the word must be the
 * address of one of our records, and that record must name this page. Another
 * owner's private word is just a number that fails these tests.
 *
 * Free pages are known twice. A list gives a single page in O(1), the one freed
 * last first, since the caches may still know it; it starts out in ascending
 * order. A bitmap shows what is contiguous; runs are sought in it from the top
 * down, so that singles, which anything satisfies, and runs, which little does,
 * eat the pool from opposite ends. The pages of a freed run go to the list's
 * tail for the same reason.
 *
 * The search for a run may look at the whole map (at each bit no more than
 * twice), and the pool's lock is held with interrupts off. So the search runs
 * without the lock, and only what it finds is looked at again and taken under
 * it; if somebody was faster it goes on below. A run that is free all the
 * while is always found, and the lock is held for as long as the run is, not
 * the pool.
 *
 * Memory nodes. List, map, counts, a share of the reserve and the lock exist
 * once for each node; a page goes back to its own. Who allocates gets what is
 * near the CPU that it runs on, and only where that node has nothing left what
 * is near another, the nearest first. No two nodes' locks are held together,
 * so what concerns the whole pool (is it short?) is a sum of counts that were
 * read one after the other.
 *
 * A pool can be made to grow, by chunks whose records stand behind the others in
 * the table: see pool_grow.c. A single page comes from the pages that the pool was
 * made with if it can, else from one of the fullest chunks, and so does a run.
 *
 * Callers may hold any lock, the scheduler's own included. So but for growth
 * nothing here sleeps or wakes anyone: sleepers are woken, and the low-memory
 * callback is called, from irq_work.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": pool: " fmt

#include <linux/bitmap.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "uma/fail.h"
#include "uma/pool_int.h"
#include "uma/uma.h"

/* Free runs are shown by length: 1, 2-3, 4-7, ... */
#define RUN_CLASSES	16

/* Taking pages and giving them back. */

/*
 * Take @npages free pages off their lists and map. The caller holds the lock; the
 * count and the map are also looked at without it.
 */
static __always_inline void take_pages(struct pool_node *node,
				       struct pool_chunk *chunk,
				       struct vm_page *m, unsigned int npages)
{
	unsigned long *map = likely(!chunk) ? node->map : chunk->map;
	unsigned long bit = m - (likely(!chunk) ? node->first : chunk->first);
	unsigned int i;

	for (i = 0; i < npages; i++) {
		if (unlikely(m[i].flags & PG_ZERO))
			WRITE_ONCE(node->nzeroed, node->nzeroed - 1);
		m[i].flags &= ~(PG_FREE | PG_ZERO);
		list_del_init(&m[i].pageq);
		__clear_bit(bit + i, map);
	}
	WRITE_ONCE(node->nfree, node->nfree - npages);
	if (unlikely(chunk)) {
		WRITE_ONCE(chunk->nfree, chunk->nfree - npages);
		pool_place_chunk(node, chunk);
	}
}

static bool enough_free(struct pool_node *node, unsigned int npages, int flags)
{
	unsigned long keep = flags & M_USE_RESERVE ? 0 : node->reserve;

	return node->nfree >= keep + npages;
}

/* A page out of one of the fullest chunks; there is one, and the lock is held. */
static noinline struct vm_page *take_single_of_chunk(struct pool_node *node)
{
	struct pool_chunk *chunk;
	struct vm_page *m;

	chunk = list_first_entry(&node->by_free[__ffs(node->classes)],
				 struct pool_chunk, link);
	m = list_first_entry(&chunk->free, struct vm_page, pageq);
	take_pages(node, chunk, m, 1);
	return m;
}

/* A page of @node, which is locked and has one. */
static __always_inline struct vm_page *take_single(struct uma_pool *pool,
						   struct pool_node *node)
{
	struct vm_page *m;

	if (likely(!list_empty(&node->free))) {
		m = list_first_entry(&node->free, struct vm_page, pageq);
		take_pages(node, NULL, m, 1);
	} else if (!list_empty(&node->zeroed)) {
		m = list_first_entry(&node->zeroed, struct vm_page, pageq);
		take_pages(node, NULL, m, 1);
	} else {
		m = take_single_of_chunk(node);
	}
	node->allocs++;
	pool_check_low(pool, node);
	return m;
}

static __always_inline struct vm_page *alloc_single(struct uma_pool *pool,
						    struct pool_node *node,
						    int flags)
{
	struct vm_page *m = NULL;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (enough_free(node, 1, flags))
		m = take_single(pool, node);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return m;
}

/*
 * The number of the first bit of a run of @npages set ones that begins at @low
 * or above and ends at or below @top, or -1; the highest such run. Needs no
 * lock; without it the answer is a guess.
 *
 * A window of @npages slides down. If it holds a page in use, then so does
 * every window that holds that page: go on with the one just below the lowest
 * page in use.
 */
static __always_inline long find_run(const unsigned long *map,
				     unsigned long low, unsigned long top,
				     unsigned int npages)
{
	unsigned long used;

	while (top >= low + npages) {
		/* Looked at again by who takes the run. */
		used = data_race(find_next_zero_bit(map, top, top - npages));
		if (used >= top)
			return top - npages;
		top = used;
	}
	return -1;
}

/* The same in a node's segments, the highest one first; below bit @below. */
static long find_base_run(const struct pool_node *node, unsigned long below,
			  unsigned int npages)
{
	unsigned int s;
	long bit;

	for (s = node->nsegs; s--;) {
		const struct pool_segment *seg = &node->segs[s];
		unsigned long low = seg->first - node->first;

		bit = find_run(node->map, low, min(below, low + seg->npages),
			       npages);
		if (bit >= 0)
			return bit;
	}
	return -1;
}

/* Take the run at a bit of @chunk, or of the node, if it is still free. */
static __always_inline struct vm_page *take_run(struct uma_pool *pool,
						struct pool_node *node,
						struct pool_chunk *chunk,
						unsigned long bit,
						unsigned int npages, int flags)
{
	unsigned long *map = chunk ? chunk->map : node->map;
	struct vm_page *m = NULL;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (enough_free(node, npages, flags) &&
	    (!chunk || chunk->node == node) &&
	    find_next_zero_bit(map, bit + npages, bit) >= bit + npages) {
		m = (chunk ? chunk->first : node->first) + bit;
		take_pages(node, chunk, m, npages);
		node->allocs++;
		pool_check_low(pool, node);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return m;
}

/* A run out of the node's chunks; only @whole ones, or only others. */
static struct vm_page *alloc_chunk_run(struct uma_pool *pool,
				       struct pool_node *node,
				       unsigned int npages, int flags,
				       bool whole)
{
	struct vm_page *m = NULL;
	unsigned long below;
	unsigned int slot;
	long bit;

	for (slot = 0; !m && slot < pool->nslots; slot++) {
		struct pool_chunk *chunk = &pool->chunks[slot];

		if (READ_ONCE(chunk->node) != node ||
		    READ_ONCE(chunk->nfree) < npages ||
		    (READ_ONCE(chunk->nfree) == UMA_CHUNK_PAGES) != whole)
			continue;
		below = UMA_CHUNK_PAGES;
		while (!m) {
			bit = find_run(chunk->map, 0, below, npages);
			if (bit < 0)
				break;
			m = take_run(pool, node, chunk, bit, npages, flags);
			below = bit + npages - 1;
		}
	}
	return m;
}

static struct vm_page *alloc_run(struct uma_pool *pool, struct pool_node *node,
				 unsigned int npages, int flags)
{
	unsigned long below = node->nrecords;
	struct vm_page *m = NULL;
	long bit;

	/* A guess, which saves looking where nothing may be taken. */
	while (!m && data_race(enough_free(node, npages, flags))) {
		bit = find_base_run(node, below, npages);
		if (bit < 0)
			break;
		m = take_run(pool, node, NULL, bit, npages, flags);
		/* A run that was free all along ends no higher than this. */
		below = bit + npages - 1;
	}
	if (!m && pool->nslots && npages <= UMA_CHUNK_PAGES)
		m = alloc_chunk_run(pool, node, npages, flags, false) ?:
		    alloc_chunk_run(pool, node, npages, flags, true);
	return m;
}

/*
 * Pages of one node. A single one is the one freed last, or with M_HIGHEST the highest
 * that is free, as the end of a run would be: what stays for long lies together then, and
 * leaves runs elsewhere.
 */
static __always_inline struct vm_page *alloc_of(struct uma_pool *pool,
						struct pool_node *node,
						unsigned int npages, int flags)
{
	return likely(npages == 1 && !(flags & M_HIGHEST)) ?
	       alloc_single(pool, node, flags) :
	       alloc_run(pool, node, npages, flags);
}

/* The same of other nodes than @node, the nearest first. */
static struct vm_page *alloc_of_others(struct uma_pool *pool,
				       struct pool_node *node,
				       unsigned int npages, int flags)
{
	struct vm_page *m = NULL;
	unsigned int i;

	for (i = 0; !m && i < pool->nnodes - 1; i++)
		m = alloc_of(pool, node->others[i], npages, flags);
	return m;
}

/* There was nothing: grow if the caller can wait for it, else have it done. */
static struct vm_page *alloc_growing(struct uma_pool *pool,
				     struct pool_node *node,
				     unsigned int npages, int flags)
{
	struct vm_page *m = NULL;
	unsigned long grown;

	if (npages > UMA_CHUNK_PAGES)
		return NULL;
	if (!(flags & M_WAITOK)) {
		if (pool_may_grow(pool)) {
			WRITE_ONCE(pool->kick_need, true);
			pool_kick(pool, node);
		}
		return NULL;
	}
	/* What came before this is looked at; what comes later is waited for. */
	do {
		grown = READ_ONCE(pool->grown);
		m = alloc_of(pool, node, npages, flags);
		if (!m && !(flags & M_NODEONLY))
			m = alloc_of_others(pool, node, npages, flags);
	} while (!m && pool_grow_since(pool, node, npages, flags, grown));
	return m;
}

static noinline void count_fail(struct uma_pool *pool, struct pool_node *node)
{
	unsigned long irqflags;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	node->fails++;
	pool_check_low(pool, node);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
}

/* @node has nothing: from where else? */
static noinline struct vm_page *alloc_elsewhere(struct uma_pool *pool,
						struct pool_node *node,
						unsigned int npages, int flags)
{
	struct vm_page *m = NULL;

	if (!(flags & M_NODEONLY))
		m = alloc_of_others(pool, node, npages, flags);
	if (!m && pool->nslots)
		m = alloc_growing(pool, node, npages, flags);
	if (!m)
		count_fail(pool, node);
	return m;
}

/* Near @node, if possible. Single pages, the most frequent, at once. */
static __always_inline struct vm_page *alloc_near(struct uma_pool *pool,
						  struct pool_node *node,
						  unsigned int npages,
						  int flags)
{
	struct vm_page *m;

	if (unlikely(!npages) || uma_fail_pages(npages, flags)) {
		count_fail(pool, node);
		return NULL;
	}
	m = alloc_of(pool, node, npages, flags);
	return likely(m) ? m : alloc_elsewhere(pool, node, npages, flags);
}

/**
 * uma_pool_alloc() - take pages
 * @pool: the pool
 * @npages: how many, physically contiguous
 * @flags: M_USE_RESERVE to get at the last pages; M_WAITOK to grow, where the pool
 *	can, if it has none (it does not wait for any to come back; and no
 *	failure is injected)
 *
 * They are near the CPU that we run on, if there are such. The contents are what
 * they were.
 *
 * Context: any but NMI, under any lock; M_WAITOK: process context, may sleep.
 * Return: the first page's record, which the others' follow, or NULL.
 */
struct vm_page *uma_pool_alloc(struct uma_pool *pool, unsigned int npages,
			       int flags)
{
	return alloc_near(pool, pool_local_node(pool), npages, flags);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_alloc);

/**
 * uma_pool_alloc_node() - take pages of a given memory node
 * @pool: the pool
 * @npages: how many, physically contiguous
 * @nid: the node, or NUMA_NO_NODE for that of this CPU
 * @flags: as for uma_pool_alloc(); with M_NODEONLY there is nothing rather than
 *	pages of another node, with M_HIGHEST a single page comes from where runs do
 *
 * Context: as uma_pool_alloc().
 * Return: as uma_pool_alloc().
 */
struct vm_page *uma_pool_alloc_node(struct uma_pool *pool, unsigned int npages,
				    int nid, int flags)
{
	struct pool_node *node;

	node = nid == NUMA_NO_NODE ? pool_local_node(pool) : pool_node_of_nid(pool, nid);
	if (!node) {
		if (flags & M_NODEONLY || nid < 0 || nid >= nr_node_ids)
			return NULL;
		node = pool->by_nid[nid];
	}
	return alloc_near(pool, node, npages, flags);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_alloc_node);

/*
 * A page of @node, if more than @keep are free there; where @zeroed is not NULL one
 * that is known to be zero, if there is any, and whether it is.
 */
static struct vm_page *alloc_single_above(struct uma_pool *pool,
					  struct pool_node *node,
					  unsigned long keep, bool *zeroed)
{
	struct vm_page *m = NULL;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (node->nfree > keep) {
		if (zeroed && node->nzeroed) {
			m = list_first_entry(&node->zeroed, struct vm_page,
					     pageq);
			take_pages(node, NULL, m, 1);
			node->allocs++;
			pool_check_low(pool, node);
			*zeroed = true;
		} else {
			m = take_single(pool, node);
		}
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return m;
}

static struct vm_page *alloc_above(struct uma_pool *pool, unsigned long keep,
				   bool *zeroed)
{
	struct pool_node *node = pool_local_node(pool);
	struct vm_page *m;
	unsigned int i;

	if (uma_fail_pages(1, M_NOWAIT))
		return NULL;
	keep = DIV_ROUND_UP(keep, pool->nnodes);
	m = alloc_single_above(pool, node, keep, zeroed);
	for (i = 0; !m && i < pool->nnodes - 1; i++)
		m = alloc_single_above(pool, node->others[i], keep, zeroed);
	return m;
}

/**
 * uma_pool_alloc_above() - take a page, but leave so many
 * @pool: the pool
 * @keep: how many free pages stay, whatever the pool's reserve is; with several
 *	memory nodes each keeps its part
 *
 * For who has classes of its own and more in hand when the pool has none: it is
 * not counted as a failure there. It is near the CPU that we run on, if there is
 * such. The contents are what they were.
 *
 * Context: any but NMI, under any lock.
 * Return: the page's record, or NULL.
 */
struct vm_page *uma_pool_alloc_above(struct uma_pool *pool, unsigned long keep)
{
	return alloc_above(pool, keep, NULL);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_alloc_above);

/**
 * uma_pool_alloc_zeroed() - uma_pool_alloc_above(), for who needs zeroes
 * @pool: the pool
 * @keep: how many free pages stay
 * @zeroed: where to write whether the page is zero; else that is left to the caller
 *
 * Context: as uma_pool_alloc_above().
 * Return: as uma_pool_alloc_above().
 */
struct vm_page *uma_pool_alloc_zeroed(struct uma_pool *pool, unsigned long keep,
				      bool *zeroed)
{
	*zeroed = false;
	return alloc_above(pool, keep, zeroed);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_alloc_zeroed);

/**
 * uma_pool_zeroed_count() - how many free pages are known to be zero
 * @pool: the pool
 *
 * Context: any. Takes no lock.
 * Return: their number, of all nodes.
 */
unsigned long uma_pool_zeroed_count(struct uma_pool *pool)
{
	struct pool_node *node;
	unsigned long n = 0;

	for_each_pool_node(pool, node)
		n += READ_ONCE(node->nzeroed);
	return n;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_zeroed_count);

/* The same for a node: the page that was freed longest ago, if it may have another. */
static bool zero_one(struct pool_node *node, unsigned int percent)
{
	unsigned long irqflags;
	struct vm_page *m;
	bool done = false;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (!list_empty(&node->free) &&
	    (node->nzeroed + 1) * 100 <= node->nfree * percent) {
		m = list_last_entry(&node->free, struct vm_page, pageq);
		clear_page(vm_page_kva(m));
		m->flags |= PG_ZERO;
		list_move_tail(&m->pageq, &node->zeroed);
		WRITE_ONCE(node->nzeroed, node->nzeroed + 1);
		done = true;
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return done;
}

/**
 * uma_pool_zero_ahead() - zero a free page, for who will need one
 * @pool: the pool
 * @percent: of the free pages of a node, no more than so many are zeroed so
 *
 * The page is free all the while: it is zeroed with the lock held, which takes no
 * longer than to hand out a run does. Who needs no zeroes gets another page while
 * there is one. Pages of chunks, which may go back to the kernel, are left alone.
 *
 * Context: any but NMI.
 * Return: whether there was one.
 */
bool uma_pool_zero_ahead(struct uma_pool *pool, unsigned int percent)
{
	struct pool_node *node;

	for_each_pool_node(pool, node)
		if (zero_one(node, percent))
			return true;
	return false;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_zero_ahead);

/**
 * uma_pool_free_count() - how many pages are free
 * @pool: the pool
 *
 * Context: any. Takes no lock.
 * Return: their number, of all nodes, read one after the other.
 */
unsigned long uma_pool_free_count(struct uma_pool *pool)
{
	return pool_total_free(pool);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_free_count);

/* Whether @private, which may be anything, is the address of a record. */
static bool is_record(struct uma_pool *pool, unsigned long private)
{
	unsigned long offset = private - (unsigned long)pool->pages;

	return offset < pool->nrecords * sizeof(struct vm_page) &&
	       offset % sizeof(struct vm_page) == 0;
}

/* Whether the @npages from @m could have been handed out as one. */
static bool is_run(struct uma_pool *pool, struct vm_page *m,
		   unsigned int npages)
{
	struct pool_chunk *chunk;
	unsigned long room;

	if (!npages || !is_record(pool, (unsigned long)m))
		return false;
	chunk = pool_page_chunk(pool, m);
	if (chunk && !READ_ONCE(chunk->node))
		return false;
	if (npages == 1)
		return true;
	room = chunk ? chunk->first + UMA_CHUNK_PAGES - m :
		       pool->chunk_pages - m;
	if (npages > room ||
	    m[npages - 1].phys_pfn != m->phys_pfn + npages - 1)
		return false;
	return pool->nnodes == 1 || chunk ||
	       vm_page_nid(m) == vm_page_nid(m + npages - 1);
}

/* Put pages on their list and map; the lock is held, the node counts them. */
static void put_pages(struct pool_node *node, struct pool_chunk *chunk,
		      struct vm_page *m, unsigned int npages)
{
	struct list_head *free = chunk ? &chunk->free : &node->free;
	unsigned long *map = chunk ? chunk->map : node->map;
	unsigned long bit = m - (chunk ? chunk->first : node->first);
	unsigned int i;

	for (i = 0; i < npages; i++) {
		m[i].flags |= PG_FREE;
		__set_bit(bit + i, map);
		list_add_tail(&m[i].pageq, free);
	}
	if (npages == 1)
		list_move(&m->pageq, free);
	if (chunk) {
		WRITE_ONCE(chunk->nfree, chunk->nfree + npages);
		pool_place_chunk(node, chunk);
	}
}

/**
 * uma_pool_free() - give pages back
 * @pool: the pool
 * @m: the first page's record
 * @npages: how many; a run may also come back in pieces
 *
 * Pages of which one is free already, or which are not a run of this pool, are
 * refused, all of them, with a warning.
 *
 * Context: any but NMI, under any lock.
 */
void uma_pool_free(struct uma_pool *pool, struct vm_page *m,
		   unsigned int npages)
{
	struct pool_chunk *chunk;
	struct pool_node *node;
	unsigned long irqflags;
	unsigned int i;

	if (WARN(!is_run(pool, m, npages),
		 "uma: %u pages at %p are not a run of the pool\n", npages, m))
		return;
	chunk = pool_page_chunk(pool, m);
	node = pool_page_node(pool, m, chunk);
	/* A chunk with pages out stays; if it has gone, this is no page to free. */
	if (WARN_ON(!node))
		return;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	for (i = 0; i < npages; i++)
		if (m[i].flags & (PG_FREE | PG_BLACKLISTED | PG_ABSENT))
			goto refuse;
	if (likely(npages == 1 && !chunk)) {
		m->flags |= PG_FREE;
		list_add(&m->pageq, &node->free);
		__set_bit(m - node->first, node->map);
	} else {
		put_pages(node, chunk, m, npages);
	}
	pool_pages_came(pool, node, npages);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return;

refuse:
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	WARN(1, "uma: page %#llx freed to the pool is free already\n",
	     (u64)m[i].phys_pfn << PAGE_SHIFT);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_free);

/**
 * uma_pool_free_list() - give single pages back
 * @pool: the pool
 * @pages: a list of them, by pageq; empty afterwards
 *
 * Context: as uma_pool_free().
 */
void uma_pool_free_list(struct uma_pool *pool, struct list_head *pages)
{
	struct vm_page *m, *next;

	list_for_each_entry_safe(m, next, pages, pageq) {
		list_del_init(&m->pageq);
		uma_pool_free(pool, m, 1);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_free_list);

/**
 * uma_pool_take() - take one given page if it is free
 * @pool: the pool
 * @m: the page's record
 *
 * For who needs exactly this page, to complete a run. The reserve does not
 * stop it.
 *
 * Context: any but NMI, under any lock.
 * Return: whether the page was free and is now the caller's.
 */
bool uma_pool_take(struct uma_pool *pool, struct vm_page *m)
{
	struct pool_chunk *chunk;
	struct pool_node *node;
	unsigned long irqflags;
	bool free;

	if (WARN(!is_record(pool, (unsigned long)m),
		 "uma: %p is no page of the pool\n", m))
		return false;
	chunk = pool_page_chunk(pool, m);
	node = pool_page_node(pool, m, chunk);
	if (!node)
		return false;
	raw_spin_lock_irqsave(&node->lock, irqflags);
	/* The map, since a chunk that goes leaves it first. */
	free = chunk ? chunk->node == node &&
		       test_bit(m - chunk->first, chunk->map) :
		       m->flags & PG_FREE;
	if (free) {
		take_pages(node, chunk, m, 1);
		node->allocs++;
		pool_check_low(pool, node);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return free;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_take);

/* Finding records. */

/* Where uma_pool_find() may look; forget_region() undoes it. */
static void remember_region(const void *addr)
{
	unsigned long region = (unsigned long)addr >> UMA_REGION_SHIFT;
	unsigned long *known = &uma_pool_quick.regions[region % UMA_REGIONS];

	if (READ_ONCE(*known) != region)
		WRITE_ONCE(*known, region);
}

/* So that no look-up divides. */
static_assert((sizeof(struct vm_page) & (sizeof(struct vm_page) - 1)) == 0);

/**
 * uma_pool_lookup() - find the record of the page at an address
 * @pool: the pool
 * @addr: any value at all; kva.c knows the addresses in its ranges, this
 *	function those in the kernel's direct map
 *
 * Context: any but NMI. Takes no lock.
 * Return: the record, or NULL if no page of the pool is mapped there.
 */
struct vm_page *uma_pool_lookup(struct uma_pool *pool, const void *addr)
{
	struct vm_page *m;
	struct page *page;
	unsigned long private, pfn;

	if (!virt_addr_valid(addr))
		return NULL;
	page = virt_to_page(addr);
	/* The owner of a page that is not ours may be writing this word. */
	private = data_race(READ_ONCE(page->private));
	if (!is_record(pool, private))
		return NULL;
	m = (struct vm_page *)private;
	/* The record of a page that nobody holds may be cleared meanwhile. */
	pfn = data_race(READ_ONCE(m->phys_pfn));
	/*
	 * Some architectures know a second, partly unmapped address of low
	 * memory, that of the kernel's image: ask for the right one.
	 */
	if (pfn != page_to_pfn(page) ||
	    __va(PFN_PHYS(pfn)) != (void *)((unsigned long)addr & PAGE_MASK))
		return NULL;
	if (pool == uma_pool)
		remember_region(addr);
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_lookup);

/**
 * uma_pool_page() - a page by its number
 * @pool: the pool
 * @index: below uma_pool_records(); the pages that the pool was made with come
 *	first, node by node, each node's from the lowest in memory on; then those
 *	of chunks. Blacklisted pages have numbers, too
 *
 * A chunk that is wholly free can go at any time; its records stay readable.
 * uma_pool_take() tells whether the page is still there.
 *
 * Context: any. Takes no lock.
 * Return: its record, or NULL where there is no page at present.
 */
struct vm_page *uma_pool_page(struct uma_pool *pool, unsigned long index)
{
	struct pool_chunk *chunk;
	struct vm_page *m;

	if (index >= pool->nrecords)
		return NULL;
	m = &pool->pages[index];
	chunk = pool_page_chunk(pool, m);
	/* One that is still coming has records already; acquires what they say. */
	if (chunk && !smp_load_acquire(&chunk->node))
		return NULL;
	/* Whether it is there may change as soon as we have looked. */
	return data_race(m->flags) & PG_ABSENT ? NULL : m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_page);

/**
 * uma_pool_records() - how many numbers pages can have
 * @pool: the pool
 *
 * Return: one more than the highest that the pool may ever give a page.
 */
unsigned long uma_pool_records(struct uma_pool *pool)
{
	return pool->nrecords;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_records);

/* Shortage. */

static void call_lowmem(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool,
					     lowmem_work);
	struct pool_node *node = pool->nodes;
	void (*fn)(void *arg);
	unsigned long irqflags;
	void *arg;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	fn = pool->lowmem_fn;
	arg = pool->lowmem_arg;
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	if (fn)
		fn(arg);
}

/**
 * uma_pool_set_lowmem() - register what to call when free pages run short
 * @pool: the pool
 * @fn: called from irq_work, so it must not sleep, when fewer than @threshold
 *	pages are free and the pool cannot grow, once for each time that
 *	happens; at once if it is so already. NULL takes the registered one
 *	back; when that returns, it is not running and will not run again.
 * @arg: its argument
 * @threshold: a number of pages
 *
 * Context: process context, may sleep.
 * Return: 0, or -EBUSY if one is registered already.
 */
int uma_pool_set_lowmem(struct uma_pool *pool, void (*fn)(void *arg),
			void *arg, unsigned long threshold)
{
	struct pool_node *node = pool->nodes;
	unsigned long irqflags;
	int error = 0;

	might_sleep();
	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (fn && pool->lowmem_fn) {
		error = -EBUSY;
	} else {
		WRITE_ONCE(pool->lowmem_fn, fn);
		pool->lowmem_arg = arg;
		if (!fn)
			threshold = 0;
		WRITE_ONCE(pool->lowmem_threshold, threshold);
		WRITE_ONCE(pool->lowmem_told, false);
		WRITE_ONCE(pool->mark, max(pool->grow_mark, threshold));
		pool_check_low(pool, node);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	if (!fn)
		irq_work_sync(&pool->lowmem_work);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_set_lowmem);

static void wake_sleepers(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool, wake_work);
	long n = atomic_long_xchg(&pool->wake, 0);

	if (n)
		wake_up_nr(&pool->wait, min_t(unsigned long, n, INT_MAX));
}

/**
 * uma_pool_waitqueue() - where to sleep until pages come back
 * @pool: the pool
 *
 * A sleeper calls uma_pool_wait_begin(), enters the queue, tries to allocate,
 * sleeps if that failed, tries again, leaves the queue and calls
 * uma_pool_wait_end(). Pages that come back after the try wake it. As many
 * exclusive sleepers are woken as pages came, others always; so who waits for
 * more than one page should not be exclusive.
 *
 * Return: the queue.
 */
wait_queue_head_t *uma_pool_waitqueue(struct uma_pool *pool)
{
	return &pool->wait;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_waitqueue);

/*
 * Each node counts them, so that its lock orders who looks for pages after this
 * and who frees some.
 */
static void add_waiters(struct uma_pool *pool, int n)
{
	struct pool_node *node;
	unsigned long irqflags;

	for_each_pool_node(pool, node) {
		raw_spin_lock_irqsave(&node->lock, irqflags);
		node->waiters += n;
		raw_spin_unlock_irqrestore(&node->lock, irqflags);
	}
}

/**
 * uma_pool_wait_begin() - from now on, freeing a page wakes sleepers
 * @pool: the pool
 *
 * Context: any but NMI.
 */
void uma_pool_wait_begin(struct uma_pool *pool)
{
	add_waiters(pool, 1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_wait_begin);

/**
 * uma_pool_wait_end() - undo one uma_pool_wait_begin()
 * @pool: the pool
 *
 * Context: any but NMI.
 */
void uma_pool_wait_end(struct uma_pool *pool)
{
	add_waiters(pool, -1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_wait_end);

/* The part of a pool that this file looks after, while nobody knows the pool. */
void pool_wait_init(struct uma_pool *pool)
{
	init_waitqueue_head(&pool->wait);
	init_irq_work(&pool->lowmem_work, call_lowmem);
	init_irq_work(&pool->wake_work, wake_sleepers);
}

/* Looking at it. */

/*
 * The length of each free run between two bits of a map, counted by class into
 * @classes if that is not NULL. Returns the longest. Takes no lock: a map is
 * long, and may change while we read.
 */
static unsigned long count_runs(const unsigned long *map, unsigned long first,
				unsigned long end, unsigned long *classes,
				unsigned long *nfree)
{
	unsigned long longest = 0, used, len;

	for (;; first = used + 1) {
		/* A moment's error is all that a race can do here. */
		first = data_race(find_next_bit(map, end, first));
		if (first >= end)
			return longest;
		/* The same. */
		used = data_race(find_next_zero_bit(map, end, first));
		len = used - first;
		if (!len)
			continue;
		longest = max(longest, len);
		if (nfree)
			*nfree += len;
		if (classes)
			classes[min(ilog2(len), RUN_CLASSES - 1)]++;
	}
}

static unsigned long count_segment(const struct pool_node *node,
				   const struct pool_segment *seg,
				   unsigned long *classes, unsigned long *nfree)
{
	unsigned long first = seg->first - node->first;

	return count_runs(node->map, first, first + seg->npages, classes,
			  nfree);
}

/* Add what a node counts, all of it of one moment. */
static void add_node_stats(struct pool_node *node, struct uma_pool_stats *st)
{
	unsigned long irqflags;

	st->reserve += node->reserve;
	raw_spin_lock_irqsave(&node->lock, irqflags);
	st->pages += node->npages;
	st->free += node->nfree;
	st->blacklisted += node->blacklisted;
	st->chunks += node->nchunks;
	st->allocs += node->allocs;
	st->fails += node->fails;
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
}

/**
 * uma_pool_get_stats() - read how a pool stands
 * @pool: the pool
 * @st: where to
 *
 * The counts of one memory node are of one moment, the next node's and the
 * longest run may be of the one after.
 *
 * Context: any but NMI; looks at the whole map.
 */
void uma_pool_get_stats(struct uma_pool *pool, struct uma_pool_stats *st)
{
	struct pool_node *node;
	unsigned long longest;
	unsigned int i;

	*st = (struct uma_pool_stats) {
		.nodes = pool->nnodes,
		.segments = pool->nsegs,
		.chunks_max = pool->nslots,
		.grown = READ_ONCE(pool->grown),
		.given_back = atomic_long_read(&pool->given_back),
		.grow_fails = READ_ONCE(pool->grow_fails),
	};
	for_each_pool_node(pool, node) {
		add_node_stats(node, st);
		for (i = 0; i < node->nsegs; i++) {
			longest = count_segment(node, &node->segs[i], NULL,
						NULL);
			st->largest_run = max(st->largest_run, longest);
		}
	}
	for (i = 0; i < pool->nslots; i++) {
		longest = count_runs(pool->chunks[i].map, 0, UMA_CHUNK_PAGES,
				     NULL, NULL);
		st->largest_run = max(st->largest_run, longest);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_get_stats);

/**
 * uma_pool_get_node_stats() - read how one memory node of a pool stands
 * @pool: the pool
 * @nid: the node
 * @st: where to; what is counted for whole pools is 0
 *
 * Context: any but NMI.
 * Return: whether the pool has such a node.
 */
bool uma_pool_get_node_stats(struct uma_pool *pool, int nid,
			     struct uma_pool_stats *st)
{
	struct pool_node *node = pool_node_of_nid(pool, nid);

	*st = (struct uma_pool_stats) {};
	if (node)
		add_node_stats(node, st);
	return node;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_get_node_stats);

static void show_nodes(struct uma_pool *pool, struct seq_file *m)
{
	struct pool_node *node;

	if (pool->nnodes == 1)
		return;
	seq_printf(m, "\nnodes       %u\n", pool->nnodes);
	for_each_pool_node(pool, node) {
		struct uma_pool_stats st = {};

		add_node_stats(node, &st);
		seq_printf(m, "node %-6d pages %lu free %lu reserve %lu chunks %u allocs %llu fails %llu\n",
			   node->nid, st.pages, st.free, st.reserve, st.chunks,
			   st.allocs, st.fails);
	}
}

static void show_range(struct uma_pool *pool, struct seq_file *m,
		       unsigned long pfn, unsigned long npages,
		       unsigned long nfree, int nid)
{
	u64 start = (u64)pfn << PAGE_SHIFT;

	seq_printf(m, "%#014llx-%#014llx pages %lu free %lu", start,
		   start + ((u64)npages << PAGE_SHIFT) - 1, npages, nfree);
	if (pool->nnodes > 1)
		seq_printf(m, " node %d", nid);
	seq_putc(m, '\n');
}

static void show_segments(struct uma_pool *pool, struct seq_file *m,
			  unsigned long *classes)
{
	struct pool_node *node;
	unsigned int s;

	seq_printf(m, "\nsegments    %u\n", pool->nsegs);
	for_each_pool_node(pool, node) {
		for (s = 0; s < node->nsegs; s++) {
			const struct pool_segment *seg = &node->segs[s];
			unsigned long nfree = 0;

			count_segment(node, seg, classes, &nfree);
			show_range(pool, m, seg->first->phys_pfn, seg->npages,
				   nfree, node->nid);
		}
	}
}

/* Any of them may go, or come, while it is shown. */
static void show_chunks(struct uma_pool *pool, struct seq_file *m,
			unsigned long *classes)
{
	unsigned int slot;

	if (!pool->nslots)
		return;
	seq_printf(m, "\nchunks      %d\n", atomic_read(&pool->nchunks));
	for (slot = 0; slot < pool->nslots; slot++) {
		struct pool_chunk *chunk = &pool->chunks[slot];
		struct pool_node *node = READ_ONCE(chunk->node);
		unsigned long nfree = 0, pfn;

		/* Only shown, so it may be over by then. */
		pfn = data_race(chunk->first->phys_pfn);
		if (!node || pfn == NO_PFN)
			continue;
		count_runs(chunk->map, 0, UMA_CHUNK_PAGES, classes, &nfree);
		show_range(pool, m, pfn, UMA_CHUNK_PAGES, nfree, node->nid);
	}
}

/**
 * uma_pool_show() - print how a pool stands
 * @pool: the pool
 * @m: where to
 *
 * Context: process context.
 */
void uma_pool_show(struct uma_pool *pool, struct seq_file *m)
{
	unsigned long classes[RUN_CLASSES] = {};
	struct uma_pool_stats st;
	unsigned int c;

	uma_pool_get_stats(pool, &st);
	seq_printf(m, "pages       %lu\n", st.pages);
	seq_printf(m, "free        %lu\n", st.free);
	seq_printf(m, "zeroed      %lu\n", uma_pool_zeroed_count(pool));
	seq_printf(m, "reserve     %lu\n", st.reserve);
	seq_printf(m, "blacklisted %lu\n", st.blacklisted);
	seq_printf(m, "allocs      %llu\n", st.allocs);
	seq_printf(m, "fails       %llu\n", st.fails);
	seq_printf(m, "largest run %lu\n", st.largest_run);
	seq_printf(m, "base        %lu\n", pool->nbase);
	if (st.chunks_max) {
		seq_printf(m, "most        %lu\n", pool->nrecords);
		seq_printf(m, "grown       %lu\n", st.grown);
		seq_printf(m, "given back  %lu\n", st.given_back);
		seq_printf(m, "grow fails  %lu\n", st.grow_fails);
	}

	show_nodes(pool, m);
	show_segments(pool, m, classes);
	show_chunks(pool, m, classes);

	seq_puts(m, "\nfree runs   pages\n");
	for (c = 0; c < RUN_CLASSES; c++) {
		if (!classes[c])
			continue;
		if (!c)
			seq_printf(m, "%-11lu 1\n", classes[c]);
		else if (c < RUN_CLASSES - 1)
			seq_printf(m, "%-11lu %lu-%lu\n", classes[c], 1UL << c,
				   (2UL << c) - 1);
		else
			seq_printf(m, "%-11lu %lu and more\n", classes[c],
				   1UL << c);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_show);
