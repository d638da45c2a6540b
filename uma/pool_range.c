// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where in physical memory a pool's pages lie: for who wants a run at certain
 * addresses. A range is a segment of what the pool was made with, or a chunk; no run
 * that the pool hands out, or takes back, reaches from one into another.
 *
 * Segments stay as they are, and are sorted within their node. Chunks come and go, and
 * lie anywhere; one that is wholly free can go while somebody looks at its records.
 * Who has taken a page of it (uma_pool_take()) keeps it there, and asks again then
 * which page it is.
 */
#include <linux/mm.h>

#include "uma/compat.h"
#include "uma/pool_int.h"

static void set_range(struct uma_pool_range *range, struct vm_page *first,
		      unsigned long pfn, unsigned long npages)
{
	range->first = first;
	range->pfn = pfn;
	range->npages = npages;
}

/* How many segments of a node begin below a page. */
static unsigned int segs_below(const struct pool_node *node, u64 pfn)
{
	unsigned int lo = 0, hi = node->nsegs, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (node->segs[mid].first->phys_pfn < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The frame number of a chunk's first page, NO_PFN if there is none. */
static unsigned long chunk_pfn(const struct pool_chunk *chunk)
{
	if (!READ_ONCE(chunk->node))
		return NO_PFN;
	/* It may be going just now; see above. */
	return data_race(READ_ONCE(chunk->first->phys_pfn));
}

/**
 * uma_pool_range_below() - the highest range that begins below a page
 * @pool: the pool
 * @pfn: number of the page
 * @range: where to describe it
 *
 * Context: any. Takes no lock.
 * Return: whether there is one.
 */
bool uma_pool_range_below(struct uma_pool *pool, u64 pfn,
			  struct uma_pool_range *range)
{
	const struct pool_segment *seg;
	struct pool_node *node;
	unsigned long chunk;
	unsigned int i;

	range->npages = 0;
	for_each_pool_node(pool, node) {
		i = segs_below(node, pfn);
		if (!i)
			continue;
		seg = &node->segs[i - 1];
		if (!range->npages || seg->first->phys_pfn > range->pfn)
			set_range(range, seg->first, seg->first->phys_pfn,
				  seg->npages);
	}
	for (i = 0; i < pool->nslots; i++) {
		chunk = chunk_pfn(&pool->chunks[i]);
		if (chunk != NO_PFN && chunk < pfn &&
		    (!range->npages || chunk > range->pfn))
			set_range(range, pool->chunks[i].first, chunk,
				  UMA_CHUNK_PAGES);
	}
	return range->npages;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_range_below);

/**
 * uma_pool_range_above() - the lowest range that ends above a page
 * @pool: the pool
 * @pfn: number of the page, which may be in the range
 * @range: where to describe it
 *
 * Context: any. Takes no lock.
 * Return: whether there is one.
 */
bool uma_pool_range_above(struct uma_pool *pool, u64 pfn,
			  struct uma_pool_range *range)
{
	const struct pool_segment *seg;
	struct pool_node *node;
	unsigned long chunk;
	unsigned int i;

	range->npages = 0;
	for_each_pool_node(pool, node) {
		i = segs_below(node, pfn);
		/* The one that begins below may reach beyond. */
		if (i && node->segs[i - 1].first->phys_pfn +
			 node->segs[i - 1].npages > pfn)
			i--;
		if (i == node->nsegs)
			continue;
		seg = &node->segs[i];
		if (!range->npages || seg->first->phys_pfn < range->pfn)
			set_range(range, seg->first, seg->first->phys_pfn,
				  seg->npages);
	}
	for (i = 0; i < pool->nslots; i++) {
		chunk = chunk_pfn(&pool->chunks[i]);
		if (chunk != NO_PFN && chunk + UMA_CHUNK_PAGES > pfn &&
		    (!range->npages || chunk < range->pfn))
			set_range(range, pool->chunks[i].first, chunk,
				  UMA_CHUNK_PAGES);
	}
	return range->npages;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_range_above);
