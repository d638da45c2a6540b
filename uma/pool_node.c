// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pages, nodes and chunks of a pool have in common, whoever changes them: the
 * life of a page's record, a chunk's place among its node's, and what is done
 * when free pages are few.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": pool: " fmt

#include <linux/gfp.h>
#include <linux/kmemleak.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "uma/compat.h"
#include "uma/pool_int.h"

/* Pages that come and go. */

/**
 * pmap_page_init() - set up the machine-dependent part of a page's record
 * @m: the record, whose physical address is known already
 *
 * Called once, where the page is added, and nowhere else.
 */
void pmap_page_init(struct vm_page *m)
{
	INIT_HLIST_HEAD(&m->md.pv_list);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_page_init);

/* Add a page to a list: from here on it is known by its record, and free. */
void pool_add_page(struct vm_page *m, struct list_head *free)
{
	pmap_page_init(m);
	m->flags |= PG_FREE;
	list_add_tail(&m->pageq, free);
	set_page_private(pfn_to_page(m->phys_pfn), (unsigned long)m);
}

struct uma_pool_quick uma_pool_quick;

/* A page goes; the memory beside it may be unplugged once all have gone. */
static void forget_region(const struct page *page)
{
	unsigned long region = (unsigned long)page_address(page) >>
			       UMA_REGION_SHIFT;
	unsigned long *known = &uma_pool_quick.regions[region % UMA_REGIONS];

	if (READ_ONCE(*known) == region)
		WRITE_ONCE(*known, 0);
}

/* Undo what was done to a page, so that it can go; nobody knows it any more. */
struct page *pool_forget_page(struct vm_page *m)
{
	struct page *page = pfn_to_page(m->phys_pfn);

	set_page_private(page, 0);
	forget_region(page);
	return page;
}

/*
 * Give a page that nobody knows any more back to the kernel, unless somebody
 * has it still. Returns whether it went.
 */
bool pool_give_page_back(struct vm_page *m)
{
	struct page *page = pool_forget_page(m);

	if (!(m->flags & (PG_FREE | PG_BLACKLISTED)))
		return false;
	__free_page(page);
	return true;
}

/* Make a record that of an empty place. */
void pool_clear_record(struct vm_page *m)
{
	memset(m, 0, sizeof(*m));
	m->phys_pfn = NO_PFN;
	m->flags = PG_ABSENT;
}

/* Keep a page out, and say so. */
void pool_blacklist_page(struct vm_page *m, u64 addr)
{
	pr_info("blacklisted address %#llx: its page is kept out\n", addr);
	m->flags |= PG_BLACKLISTED;
}

/*
 * Items hold pointers to what the kernel's allocators gave, so kmemleak is to
 * read the pool (and not to report it). It is told here, once, since it cannot
 * be where slabs are made, which may be under any lock.
 */
void pool_tell_kmemleak(unsigned long pfn, unsigned long npages, bool ours)
{
	void *start = page_address(pfn_to_page(pfn));

	if (ours)
		kmemleak_alloc(start, npages << PAGE_SHIFT, 0, GFP_KERNEL);
	else
		kmemleak_free(start);
}

/* Chunks. */

/* Put a chunk on the list that its count asks for; its node is locked. */
void pool_place_chunk(struct pool_node *node, struct pool_chunk *chunk)
{
	int class = CLASS_NONE;

	if (chunk->nfree == chunk->npages)
		class = CLASS_WHOLE;
	else if (chunk->nfree)
		class = ilog2(chunk->nfree);
	if (class == chunk->class)
		return;
	if (chunk->class != CLASS_NONE) {
		list_del(&chunk->link);
		if (list_empty(&node->by_free[chunk->class]))
			node->classes &= ~BIT(chunk->class);
		if (chunk->class == CLASS_WHOLE)
			WRITE_ONCE(node->nwhole, node->nwhole - 1);
	}
	if (class != CLASS_NONE) {
		list_add(&chunk->link, &node->by_free[class]);
		node->classes |= BIT(class);
		if (class == CLASS_WHOLE)
			WRITE_ONCE(node->nwhole, node->nwhole + 1);
	}
	chunk->class = class;
}

/* Few free pages. */

/* Whether it is long enough ago that the kernel had no chunk on this node. */
bool pool_node_may_grow(const struct pool_node *node)
{
	return time_after_eq(jiffies, READ_ONCE(node->grow_after));
}

/* Whether asking the kernel for a chunk makes sense now. */
bool pool_may_grow(struct uma_pool *pool)
{
	struct pool_node *node;

	if (!pool->nslots || READ_ONCE(pool->stopped) ||
	    atomic_read(&pool->nchunks) >= pool->nslots)
		return false;
	for_each_pool_node(pool, node)
		if (pool_node_may_grow(node))
			return true;
	return false;
}

/* Have a work item grow, near @node; from any context. */
void pool_kick(struct uma_pool *pool, struct pool_node *node)
{
	WRITE_ONCE(pool->kick_node, node);
	irq_work_queue(&pool->kick_work);
}

/*
 * A node has fewer free pages than the mark: grow if the pool as a whole is
 * low, and where that cannot be, tell of low memory, once, and again only after
 * it was over.
 */
void pool_is_low(struct uma_pool *pool, struct pool_node *node)
{
	unsigned long free = pool_total_free(pool);

	if (free >= READ_ONCE(pool->lowmem_threshold))
		WRITE_ONCE(pool->lowmem_told, false);
	if (free >= READ_ONCE(pool->mark))
		return;
	if (pool_may_grow(pool))
		pool_kick(pool, node);
	else if (free < READ_ONCE(pool->lowmem_threshold) &&
		 READ_ONCE(pool->lowmem_fn) && !xchg(&pool->lowmem_told, true))
		irq_work_queue(&pool->lowmem_work);
}
