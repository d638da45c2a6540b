// SPDX-License-Identifier: GPL-2.0-only
/*
 * The search for contiguous pages.
 *
 * A candidate is a place where a run could be: in one range of memory, between the
 * lowest and the highest address that will do, aligned, across no boundary. Each of
 * its pages must be usable, whatever the caller means by that. The two searches
 * differ in where they begin and in what they learn from a page that is not usable.
 *
 * The new one comes from the top of memory, to spare the low pages that only some
 * devices can use, and looks at a candidate from its far end, the low one:
 *
 *	          . . . . x . . . . . . x . .	x is not usable
 *	 5             [ . . . . . . x . . ]	looked at from here ->
 *	 <-- [ . . . . . . . . . ]		the next one ends below the x
 *
 * The first unusable page that it meets there is the lowest one of the candidate,
 * and rules out every candidate that contains it; the next one ends below (CT-04). What
 * lies between is known to be usable by then and is not looked at again, so no page is
 * looked at twice however the pages lie.
 *
 * The old one goes from low to high, and from one candidate to the next place. It looks
 * at the same pages again and again; it does not hurt as much there.
 *
 * A candidate ends where its range ends: the number of pages that are needed is taken
 * off first (the log's new search began at the last page of memory, and could have run
 * over the end).
 *
 * Page numbers have 52 bits at the most, so that sums of two do not overflow; addresses,
 * which have 64, are only ever compared and shifted.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "uma/compat.h"
#include "vmsim/contig_search.h"

/**
 * contig_req_init() - say what is wanted, as contigmalloc(9) does
 * @req: the request
 * @size: bytes
 * @low: lowest physical address of it
 * @high: highest physical address of it, whole pages counted
 * @alignment: a power of two, in bytes
 * @boundary: the same, or 0; no multiple of it is to lie inside
 *
 * Return: 0, or -EINVAL for what makes no sense: no size or one that is beyond all
 * addresses or @boundary, an alignment or boundary that is no power of two, @low above
 * @high.
 */
int contig_req_init(struct contig_req *req, u64 size, u64 low, u64 high,
		    u64 alignment, u64 boundary)
{
	if (!size || size > U64_MAX - (PAGE_SIZE - 1) || low > high)
		return -EINVAL;
	if (!is_power_of_2(alignment) ||
	    (boundary && (!is_power_of_2(boundary) || size > boundary)))
		return -EINVAL;
	req->npages = (size >> PAGE_SHIFT) + !!(size & ~PAGE_MASK);
	/* Only pages that lie between the two as a whole. */
	req->first = (low >> PAGE_SHIFT) + !!(low & ~PAGE_MASK);
	req->last = high >> PAGE_SHIFT;
	if (~high & ~PAGE_MASK) {
		if (req->last) {
			req->last--;
		} else {
			req->first = 1;
			req->last = 0;
		}
	}
	req->align = max(alignment >> PAGE_SHIFT, 1ULL);
	/* What is no larger than a smaller one begins at one, and does not reach the next. */
	req->boundary = boundary >> PAGE_SHIFT;
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_req_init);

/* Whether a run that begins at @pfn has a boundary in it. */
static bool crosses(const struct contig_req *req, u64 pfn)
{
	u64 end = pfn + req->npages - 1;

	return req->boundary && (pfn ^ end) & ~(req->boundary - 1);
}

/* The highest place for a run from @lo on that ends at or below @hi. */
static bool place_below(const struct contig_req *req, u64 lo, u64 hi, u64 *pfn)
{
	u64 start;

	if (hi < req->npages)
		return false;
	start = round_down(hi - req->npages, req->align);
	if (crosses(req, start)) {
		/* It ends at the boundary, then; a larger alignment crosses none. */
		hi = round_down(start + req->npages - 1, req->boundary);
		if (hi < req->npages)
			return false;
		start = round_down(hi - req->npages, req->align);
	}
	*pfn = start;
	return start >= lo;
}

/* The lowest place for one from @lo on that ends at or below @hi. */
static bool place_above(const struct contig_req *req, u64 lo, u64 hi, u64 *pfn)
{
	u64 start = round_up(lo, req->align);

	/* A run that would cross a boundary begins there instead. */
	if (crosses(req, start))
		start = round_up(start + 1, req->boundary);
	*pfn = start;
	return start + req->npages <= hi;
}

/**
 * contig_search_begin() - begin a search
 * @s: the search
 * @req: what is wanted; copied
 * @view: memory
 * @ctx: for @view
 * @up: the old search instead of the new one
 */
void contig_search_begin(struct contig_search *s, const struct contig_req *req,
			 const struct contig_view *view, void *ctx, bool up)
{
	*s = (struct contig_search) {
		.req = *req,
		.view = view,
		.ctx = ctx,
		.up = up,
		.at = up ? req->first : req->last + 1,
	};
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_search_begin);

/*
 * Look at a candidate from its low end. Returns the first page that is not usable, or
 * the one behind the candidate.
 */
static u64 look(struct contig_search *s, u64 start)
{
	u64 end = start + s->req.npages, pfn = start;

	s->tried++;
	while (pfn < end) {
		if (pfn >= s->known && pfn < s->known_end) {
			pfn = s->known_end;
			continue;
		}
		s->looked++;
		if (!s->view->usable(s->ctx, &s->range, pfn))
			return pfn;
		pfn++;
	}
	return end;
}

/* The part of the range that candidates to come may take. */
static u64 range_low(const struct contig_search *s)
{
	return max(s->range.pfn, s->up ? s->at : s->req.first);
}

static u64 range_high(const struct contig_search *s)
{
	return min(s->range.pfn + s->range.npages,
		   s->up ? s->req.last + 1 : s->at);
}

static bool next_down(struct contig_search *s)
{
	u64 start, bad;

	for (;;) {
		if (!s->in_range) {
			if (s->at <= s->req.first ||
			    !s->view->below(s->ctx, s->at, &s->range))
				return false;
			s->in_range = true;
		}
		if (!place_below(&s->req, range_low(s), range_high(s), &start)) {
			s->at = s->range.pfn;
			s->in_range = false;
			continue;
		}
		if (s->view->over && s->view->over(s->ctx))
			return false;
		bad = look(s, start);
		s->pfn = start;
		if (bad == start + s->req.npages)
			return true;
		contig_search_reject(s, bad);
	}
}

static bool next_up(struct contig_search *s)
{
	u64 start;

	for (;;) {
		if (!s->in_range) {
			if (s->at > s->req.last ||
			    !s->view->above(s->ctx, s->at, &s->range))
				return false;
			s->in_range = true;
		}
		if (!place_above(&s->req, range_low(s), range_high(s), &start)) {
			s->at = s->range.pfn + s->range.npages;
			s->in_range = false;
			continue;
		}
		if (s->view->over && s->view->over(s->ctx))
			return false;
		s->pfn = start;
		s->at = start + 1;
		if (look(s, start) == start + s->req.npages)
			return true;
	}
}

/**
 * contig_search_next() - the next candidate all of whose pages are usable
 * @s: the search
 *
 * In @s: its first page, and its range.
 *
 * Return: whether there is one.
 */
bool contig_search_next(struct contig_search *s)
{
	return s->up ? next_up(s) : next_down(s);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_search_next);

/**
 * contig_search_reject() - a page of the candidate was not usable after all
 * @s: the search
 * @pfn: the page
 *
 * The new search returns no candidate any more that contains it. The old one learns
 * nothing from it.
 */
void contig_search_reject(struct contig_search *s, u64 pfn)
{
	if (s->up)
		return;
	s->at = pfn;
	s->known = s->pfn;
	s->known_end = pfn;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_search_reject);
