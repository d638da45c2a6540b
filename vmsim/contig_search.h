/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search for contiguous pages: arithmetic alone. See contig_search.c.
 */
#ifndef _VMSIM_CONTIG_SEARCH_H
#define _VMSIM_CONTIG_SEARCH_H

#include <linux/types.h>

/**
 * struct contig_req - what is wanted; all in pages
 * @npages: how many
 * @first: number of the first page that the run may have
 * @last: number of the last one; below @first if there is none
 * @align: the run begins at a multiple of this, a power of two
 * @boundary: no multiple of this lies inside the run, a power of two and @npages at
 *	least; 0 if that does not matter
 */
struct contig_req {
	u64 npages;
	u64 first;
	u64 last;
	u64 align;
	u64 boundary;
};

/**
 * struct contig_range - pages that follow each other in memory
 * @pfn: number of the first one
 * @npages: how many, not 0
 * @cookie: the view's own
 */
struct contig_range {
	u64 pfn;
	u64 npages;
	void *cookie;
};

/**
 * struct contig_view - memory as a search sees it
 * @below: the highest range that begins below a page; false if there is none
 * @above: the lowest range that ends above a page; the same
 * @usable: whether a page of a range would do
 * @over: whether to look no further; NULL for never
 *
 * All with the search's @ctx first.
 */
struct contig_view {
	bool (*below)(void *ctx, u64 pfn, struct contig_range *range);
	bool (*above)(void *ctx, u64 pfn, struct contig_range *range);
	bool (*usable)(void *ctx, const struct contig_range *range, u64 pfn);
	bool (*over)(void *ctx);
};

/**
 * struct contig_search - a walk over all candidates
 * @req: what is wanted
 * @view: memory
 * @ctx: the view's
 * @up: the old search, from the low end
 * @pfn: the candidate that was found: its first page
 * @range: the range that it lies in
 * @at: candidates from here on: they end here or below, with @up they begin here
 *	or above
 * @in_range: @range is that of the candidates to come
 * @known: from here ...
 * @known_end: ... to here, this not included, pages have been found usable
 * @looked: pages looked at
 * @tried: candidates looked at
 */
struct contig_search {
	struct contig_req req;
	const struct contig_view *view;
	void *ctx;
	bool up;
	u64 pfn;
	struct contig_range range;
	u64 at;
	bool in_range;
	u64 known;
	u64 known_end;
	u64 looked;
	u64 tried;
};

int contig_req_init(struct contig_req *req, u64 size, u64 low, u64 high,
		    u64 alignment, u64 boundary);
void contig_search_begin(struct contig_search *s, const struct contig_req *req,
			 const struct contig_view *view, void *ctx, bool up);
bool contig_search_next(struct contig_search *s);
void contig_search_reject(struct contig_search *s, u64 pfn);

#endif /* _VMSIM_CONTIG_SEARCH_H */
