// SPDX-License-Identifier: GPL-2.0-only
/*
 * The elastic pool: growing by chunks, and giving them back.
 *
 * The table has room for more records than the pool was made with, in
 * slots of one chunk each: 2 MiB, contiguous and aligned, had from the kernel as
 * one block and given back as one. A chunk has a list and a map of its own, and
 * belongs to its memory's node for as long as it is there. No run crosses its
 * ends, even where the next slot happens to be the memory behind it.
 *
 * So that chunks become wholly free again, a single page comes from the pages
 * that the pool was made with if it can, else from one of the fullest chunks:
 * chunks are kept by the logarithm of how many pages they have free, and those
 * with nothing in use are touched last. That is still O(1).
 *
 * Only what may sleep can get memory from the kernel: an allocation with M_WAITOK
 * that finds nothing asks for a chunk itself, once. Others have a work item do
 * it and meanwhile fail as ever; it is also started when the pool runs low, so
 * that they seldom have to. Nobody insists: where the kernel has no block to give
 * without a struggle, that node is left alone for a tenth of a second. Low memory
 * is told of only when growing is no way out, since what it makes reclaim.c do,
 * emptying every cache, costs more than a chunk. When the kernel wants memory,
 * chunks that are wholly free go back (uma_pool_shrink()), but never so many that
 * the pool would be low again at once.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": pool: " fmt

#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/page_ref.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "uma/compat.h"
#include "uma/pool_int.h"
#include "uma/steer.h"
#include "uma/uma.h"

/* A node that had no chunk to give is not asked again so soon. */
#define GROW_BACKOFF	(HZ / 10)

static struct lock_class_key grow_lock_key;

/*
 * Give the pages of a chunk back, as the one block that they were. One by one they
 * would wait on lists of this CPU, where a kernel that is about to kill somebody
 * for want of memory does not count them (seen: 15 MiB there, 3 MiB free). Who
 * goes through all the machine's pages may hold one for a moment; then it must
 * be one by one after all.
 */
static void free_block(struct page *block)
{
	unsigned int frozen = 0, i;

	/* That would want each page's account settled. */
	if (!IS_ENABLED(CONFIG_MEM_ALLOC_PROFILING))
		while (frozen < UMA_CHUNK_PAGES &&
		       page_ref_freeze(block + frozen, 1))
			frozen++;
	if (frozen == UMA_CHUNK_PAGES) {
		page_ref_unfreeze(block, 1);
		__free_pages(block, UMA_CHUNK_ORDER);
		return;
	}
	for (i = 0; i < frozen; i++)
		page_ref_unfreeze(block + i, 1);
	for (i = 0; i < UMA_CHUNK_PAGES; i++)
		__free_page(block + i);
}

/* Clear the records of a chunk that no node has, and free its slot. */
static void free_chunk(struct uma_pool *pool, struct pool_chunk *chunk)
{
	struct page *block = pfn_to_page(chunk->first->phys_pfn);
	unsigned int i;

	pool_tell_kmemleak(chunk->first->phys_pfn, UMA_CHUNK_PAGES, false);
	for (i = 0; i < UMA_CHUNK_PAGES; i++) {
		pool_forget_page(&chunk->first[i]);
		pool_clear_record(&chunk->first[i]);
	}
	free_block(block);
	INIT_LIST_HEAD(&chunk->free);
	/* Pairs with the look for an empty slot. */
	clear_bit_unlock(chunk - pool->chunks, pool->slots);
}

/* Find the blacklisted pages of a chunk that the pool has heard nothing of yet. */
static void apply_blacklist_to_chunk(struct uma_pool *pool,
				     struct pool_chunk *chunk)
{
	u64 offset;
	int i;

	for (i = 0; i < pool->nbad; i++) {
		offset = (pool->bad[i] >> PAGE_SHIFT) - chunk->first->phys_pfn;
		if (offset < UMA_CHUNK_PAGES)
			pool_blacklist_page(chunk->first + offset, pool->bad[i]);
	}
}

/* Make a block of memory the chunk of a slot. */
static bool make_chunk(struct uma_pool *pool, struct pool_node *node,
		       unsigned int slot, struct page *block)
{
	struct pool_chunk *chunk = &pool->chunks[slot];
	unsigned long irqflags;
	unsigned int i;

	split_page(block, UMA_CHUNK_ORDER);
	for (i = 0; i < UMA_CHUNK_PAGES; i++) {
		chunk->first[i].phys_pfn = page_to_pfn(block) + i;
		chunk->first[i].flags = 0;
	}
	uma_steer(UMA_STEER_CHUNK, pool);
	apply_blacklist_to_chunk(pool, chunk);
	pool_tell_kmemleak(page_to_pfn(block), UMA_CHUNK_PAGES, true);
	chunk->npages = 0;
	for (i = 0; i < UMA_CHUNK_PAGES; i++) {
		if (chunk->first[i].flags & PG_BLACKLISTED)
			continue;
		pool_add_page(&chunk->first[i], &chunk->free);
		__set_bit(i, chunk->map);
		chunk->npages++;
	}
	if (!chunk->npages) {
		free_chunk(pool, chunk);
		return false;
	}

	atomic_inc(&pool->nchunks);
	raw_spin_lock_irqsave(&node->lock, irqflags);
	WRITE_ONCE(chunk->nfree, chunk->npages);
	chunk->class = CLASS_NONE;
	/* Who goes through the records without a lock finds them complete. */
	smp_store_release(&chunk->node, node);
	pool_place_chunk(node, chunk);
	node->nchunks++;
	node->npages += chunk->npages;
	node->blacklisted += UMA_CHUNK_PAGES - chunk->npages;
	pool_pages_came(pool, node, chunk->npages);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return true;
}

/* Get a chunk for a node, whatever it takes that is not much. */
static bool add_chunk(struct uma_pool *pool, struct pool_node *node)
{
	unsigned long slot, irqflags;
	struct page *block;

	lockdep_assert_held(&pool->grow_lock);
	/* A slot that is freed meanwhile is found the next time. */
	slot = data_race(find_first_zero_bit(pool->slots, pool->nslots));
	if (slot == pool->nslots || !pool_node_may_grow(node))
		return false;
	block = alloc_pages_node(node->nid, POOL_GFP | __GFP_THISNODE,
				 UMA_CHUNK_ORDER);
	if (block) {
		/* Only we set one; acquires what free_chunk() left. */
		test_and_set_bit_lock(slot, pool->slots);
		if (make_chunk(pool, node, slot, block)) {
			WRITE_ONCE(pool->grown, pool->grown + 1);
			return true;
		}
	}
	WRITE_ONCE(pool->grow_fails, pool->grow_fails + 1);
	WRITE_ONCE(node->grow_after, jiffies + GROW_BACKOFF);
	/* Growing is no way out any more: who is to know of low memory? */
	raw_spin_lock_irqsave(&node->lock, irqflags);
	pool_check_low(pool, node);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return false;
}

static bool add_chunk_somewhere(struct uma_pool *pool, struct pool_node *node,
				int flags)
{
	unsigned int i;

	if (add_chunk(pool, node))
		return true;
	if (flags & M_NODEONLY)
		return false;
	for (i = 0; i < pool->nnodes - 1; i++)
		if (add_chunk(pool, node->others[i]))
			return true;
	return false;
}

/*
 * Grow by a chunk, near @node, unless somebody has since @grown was read. Returns
 * whether the pool has grown.
 *
 * Two who want to grow do it one after the other; but who waits may hold what the
 * other needs to get on (a file system's lock, say, that reclaim waits for), so
 * the lock is only tried, and the wait for the other is bounded. Who is in the
 * kernel's reclaim already must not begin another.
 */
bool pool_grow_since(struct uma_pool *pool, struct pool_node *node,
		     unsigned int npages, int flags, unsigned long grown)
{
	bool came;

	might_sleep();
	if (npages > UMA_CHUNK_PAGES || !pool_may_grow(pool) ||
	    current->flags & PF_MEMALLOC)
		return READ_ONCE(pool->grown) != grown;
	if (!mutex_trylock(&pool->grow_lock)) {
		wait_event_idle_timeout(pool->grow_wait,
					READ_ONCE(pool->grown) != grown ||
					!mutex_is_locked(&pool->grow_lock),
					GROW_BACKOFF);
		return READ_ONCE(pool->grown) != grown;
	}
	came = pool->grown != grown || add_chunk_somewhere(pool, node, flags);
	mutex_unlock(&pool->grow_lock);
	wake_up_all(&pool->grow_wait);
	return came;
}

/**
 * uma_pool_grow() - grow by a chunk now
 * @pool: the pool
 * @npages: pages that somebody wants in one run, 1 for singles
 *
 * An allocation with M_WAITOK does this by itself. Sleepers on the pool are woken.
 *
 * Context: process context, may sleep; the kernel may reclaim memory.
 * Return: whether a chunk came; not if the pool is as large as it may be, if the
 * kernel has none to give or had none a moment ago, or if @npages is more than a
 * chunk has.
 */
bool uma_pool_grow(struct uma_pool *pool, unsigned int npages)
{
	return pool_grow_since(pool, pool_local_node(pool), npages, 0,
			  READ_ONCE(pool->grown));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_grow);

static void start_growing(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool, kick_work);

	if (!READ_ONCE(pool->stopped))
		queue_work(system_freezable_wq, &pool->grow_work);
}

static void grow_fn(struct work_struct *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool, grow_work);
	bool need = xchg(&pool->kick_need, false);

	while ((need || pool_total_free(pool) < READ_ONCE(pool->mark)) &&
	       pool_grow_since(pool, READ_ONCE(pool->kick_node), 1, 0,
			       READ_ONCE(pool->grown)))
		need = false;
}

/* The part of a pool that this file looks after, while nobody knows the pool. */
void pool_grow_init(struct uma_pool *pool)
{
	mutex_init(&pool->grow_lock);
	lockdep_set_class_and_name(&pool->grow_lock, &grow_lock_key,
				   "uma_pool_grow");
	init_waitqueue_head(&pool->grow_wait);
	pool->kick_node = pool->nodes;
	init_irq_work(&pool->kick_work, start_growing);
	INIT_WORK(&pool->grow_work, grow_fn);
}

/* No growing by itself from now on; what is under way has ended. */
void pool_grow_stop(struct uma_pool *pool)
{
	WRITE_ONCE(pool->stopped, true);
	irq_work_sync(&pool->kick_work);
	cancel_work_sync(&pool->grow_work);
}

/* Shrinking. */

/* Free pages that the pool can do without: without them it is far from low. */
static unsigned long spare_pages(struct uma_pool *pool)
{
	unsigned long free = pool_total_free(pool);
	unsigned long keep = 2 * READ_ONCE(pool->mark);

	return free > keep ? free - keep : 0;
}

/**
 * uma_pool_shrinkable() - how much uma_pool_shrink() would give back
 * @pool: the pool
 * @nid: the memory node
 *
 * Context: any.
 * Return: pages, of whole chunks.
 */
unsigned long uma_pool_shrinkable(struct uma_pool *pool, int nid)
{
	struct pool_node *node = pool_node_of_nid(pool, nid);

	if (!node)
		return 0;
	return min((unsigned long)READ_ONCE(node->nwhole),
		   spare_pages(pool) / UMA_CHUNK_PAGES) * UMA_CHUNK_PAGES;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_shrinkable);

/*
 * Take a chunk that is wholly free away from its node. From here on nobody finds
 * its pages, but their PG_FREE still refuses who would free one.
 */
static struct pool_chunk *remove_chunk(struct uma_pool *pool,
				       struct pool_node *node)
{
	struct pool_chunk *chunk = NULL;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (node->nwhole && spare_pages(pool) >= UMA_CHUNK_PAGES &&
	    node->nfree >= UMA_CHUNK_PAGES + node->reserve) {
		/* The one that has been unused longest. */
		chunk = list_last_entry(&node->by_free[CLASS_WHOLE],
					struct pool_chunk, link);
		list_del(&chunk->link);
		WRITE_ONCE(node->nwhole, node->nwhole - 1);
		if (!node->nwhole)
			node->classes &= ~BIT(CLASS_WHOLE);
		bitmap_zero(chunk->map, UMA_CHUNK_PAGES);
		WRITE_ONCE(chunk->node, NULL);
		WRITE_ONCE(chunk->nfree, 0);
		node->nchunks--;
		node->npages -= chunk->npages;
		node->blacklisted -= UMA_CHUNK_PAGES - chunk->npages;
		WRITE_ONCE(node->nfree, node->nfree - chunk->npages);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return chunk;
}

/**
 * uma_pool_shrink() - give chunks that are wholly free back to the kernel
 * @pool: the pool
 * @nid: the memory node to take them from
 * @npages: how many pages the kernel wants, rounded up to whole chunks
 *
 * The pages that the pool was made with never go, and what would leave the pool
 * nearly low stays.
 *
 * Context: process context, the kernel's reclaim included: takes no lock that is
 * held over an allocation.
 * Return: pages given back.
 */
unsigned long uma_pool_shrink(struct uma_pool *pool, int nid,
			      unsigned long npages)
{
	struct pool_node *node = pool_node_of_nid(pool, nid);
	struct pool_chunk *chunk;
	unsigned long gone = 0;

	while (node && gone < npages) {
		chunk = remove_chunk(pool, node);
		if (!chunk)
			break;
		free_chunk(pool, chunk);
		atomic_dec(&pool->nchunks);
		atomic_long_inc(&pool->given_back);
		gone += UMA_CHUNK_PAGES;
		cond_resched();
	}
	return gone;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_shrink);
