// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of a slab.
 *
 * A slab is a run of pages cut into items of equal size. It needs a header:
 * a fixed part, a bit for each item that says whether it is free, and in zones
 * with reference counters a u32 for each item. The header has two possible
 * places.
 *
 *	in the slab's own pages, at their end:
 *
 *	| item | item | item | ... | item | waste | header | bits | counters |
 *	0    rsize                              hdr_off           end of slab
 *
 *	off-page, an allocation of its own:
 *
 *	| item | item | item | ... | item | item | waste |
 *
 * In the page costs nothing extra, so that is the rule, unless it is bought too
 * dearly: items of half a page would lose one of two to a header of a few
 * dozen bytes. So the header goes off-page where with it in the slab a tenth
 * of a page or more would be neither item nor header. The header's own bytes
 * never count as waste.
 *
 * How many items fit beside an in-page header depends on the header's size,
 * which depends on how many items there are. The answer here is exact: the
 * largest count for which both fit. An estimate that charges one byte too
 * many sends an item off-page, or into a slab of several pages, that would do
 * with one.
 *
 * One page is not the only choice: what is left over shrinks, as a part of
 * the whole, when several pages are cut as one. But runs of pages are harder
 * to get than pages. So the smallest number of pages is taken that leaves no
 * more than one part in LEFTOVER_GOOD, and if none up to UMA_SLAB_PAGES_MANY
 * does, the one that leaves the least. An item too large for that has a slab
 * to itself. It is this that keeps every size below a tenth of the slab, and
 * not the header's place alone. Who must have items while the pool is in pieces,
 * since it is he who puts them together, asks for as few pages as hold an item.
 *
 * Off-page headers come from a zone, whose items must be large enough for any
 * of them. How large follows from the rule. With the header in the page the
 * waste is a see-saw over the item's size: it drops to nothing wherever one
 * more item fits, and between two drops it climbs, at most to what one more
 * item would have needed. So below some size it cannot reach a tenth, and tiny
 * items, of which a slab holds hundreds, all keep their header in the page.
 * The number of items, on the other hand, only falls as they grow. So one walk
 * up the sizes gives the bound: keep the most items of any slab that went
 * off-page, and stop at the size of which not even the largest slab holds
 * more. uma_slab_offpage_items() takes that walk.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>

#include "uma/compat.h"
#include "uma/slab_layout.h"

/* The smallest item: less saves nothing that anyone would notice. */
#define SMALLEST_ITEM	8U

/* Leaving one part in this many ends the search for a better page count. */
#define LEFTOVER_GOOD	64U

/**
 * uma_slab_header_size() - bytes of a slab header
 * @ipers: items that it describes
 * @refcnt: whether it has a counter for each
 * @ref_off: where to store the offset of the counters in the header, 0 if it
 *	has none; may be NULL
 *
 * Return: the size, a multiple of that of a long.
 */
u32 uma_slab_header_size(u32 ipers, bool refcnt, u32 *ref_off)
{
	u32 size = sizeof(struct uma_slab) +
		   BITS_TO_LONGS(ipers) * sizeof(unsigned long);

	if (ref_off)
		*ref_off = refcnt ? size : 0;
	if (refcnt)
		size += ipers * sizeof(u32);
	return ALIGN(size, sizeof(unsigned long));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_slab_header_size);

/* The most items of @rsize that fit into @bytes together with their header. */
static u32 items_beside_header(u32 bytes, u32 rsize, bool refcnt)
{
	u32 bits_each = (rsize + (refcnt ? sizeof(u32) : 0)) * 8 + 1;
	u32 ipers;

	if (bytes <= sizeof(struct uma_slab))
		return 0;
	/*
	 * Without the padding of bitmap and counters: never too few, and too
	 * many by as little as the padding is.
	 */
	ipers = (bytes - sizeof(struct uma_slab)) * 8 / bits_each;
	while (ipers && ipers * rsize +
			uma_slab_header_size(ipers, refcnt, NULL) > bytes)
		ipers--;
	return ipers;
}

/*
 * Lay out a slab with the header in its pages. Fails if not one item fits, or
 * if that would waste a tenth of a page.
 */
static bool layout_in_page(struct uma_slab_layout *l, u32 rsize, u32 pages,
			   bool refcnt)
{
	u32 bytes = pages * PAGE_SIZE;

	l->rsize = rsize;
	l->pages = pages;
	l->offpage = false;
	l->ipers = items_beside_header(bytes, rsize, refcnt);
	l->hdr_size = uma_slab_header_size(l->ipers, refcnt, &l->ref_off);
	l->hdr_off = bytes - l->hdr_size;
	l->waste = l->hdr_off - l->ipers * rsize;
	return l->ipers && l->waste * UMA_WASTE_DIVISOR < PAGE_SIZE;
}

/* Lay out a slab with the header elsewhere and at most @most items. */
static void layout_off_page(struct uma_slab_layout *l, u32 rsize, u32 pages,
			    bool refcnt, u32 most)
{
	u32 bytes = pages * PAGE_SIZE;

	l->rsize = rsize;
	l->pages = pages;
	l->offpage = true;
	l->ipers = min(bytes / rsize, most);
	l->hdr_size = uma_slab_header_size(l->ipers, refcnt, &l->ref_off);
	l->hdr_off = 0;
	l->waste = bytes - l->ipers * rsize;
}

/* Whether @a leaves a smaller part of itself unused than @b. */
static bool leaves_less(const struct uma_slab_layout *a,
			const struct uma_slab_layout *b)
{
	return a->waste * b->pages < b->waste * a->pages;
}

/*
 * Choose the number of pages, up to @last if an item does not need more. Without
 * @forced the rule says where the header goes, with it the header is off-page; there
 * it describes at most @most items.
 */
static void choose_pages(struct uma_slab_layout *l, u32 rsize, bool refcnt,
			 bool forced, u32 last, u32 most)
{
	u32 pages = DIV_ROUND_UP(rsize, PAGE_SIZE);
	struct uma_slab_layout try;

	last = max(last, pages);
	for (l->pages = 0; pages <= last; pages++) {
		if (forced || !layout_in_page(&try, rsize, pages, refcnt))
			layout_off_page(&try, rsize, pages, refcnt, most);
		if (!l->pages || leaves_less(&try, l))
			*l = try;
		if (l->waste * LEFTOVER_GOOD <= l->pages * PAGE_SIZE)
			break;
	}
}

/**
 * uma_slab_offpage_items() - the most items of a slab with an off-page header
 * @refcnt: for headers with counters
 *
 * Derived from the rule, as the top of this file explains. The bitmap comes in
 * whole longs, so a header that is large enough for the bound may hold a few
 * more at the same size; those are counted in, for zones that ask for an
 * off-page header where the rule would not give them one.
 *
 * Takes some thousand steps: keep the answer.
 *
 * Return: the number; no layout with @offpage set has a larger @ipers.
 */
u32 uma_slab_offpage_items(bool refcnt)
{
	struct uma_slab_layout l;
	u32 most = 1, rsize, size;

	for (rsize = SMALLEST_ITEM;
	     UMA_SLAB_PAGES_MANY * PAGE_SIZE / rsize > most; rsize++) {
		choose_pages(&l, rsize, refcnt, false, UMA_SLAB_PAGES_MANY,
			     U32_MAX);
		if (l.offpage)
			most = max(most, l.ipers);
	}

	size = uma_slab_header_size(most, refcnt, NULL);
	while (uma_slab_header_size(most + 1, refcnt, NULL) <= size)
		most++;
	return most;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_slab_offpage_items);

/* Whether a size and an alignment make sense, and what an item then takes. */
static int item_stride(size_t size, unsigned int align, size_t most, u32 *rsize)
{
	if (!size || align >= PAGE_SIZE || (align & (align + 1)))
		return -EINVAL;
	if (size > most)
		return -E2BIG;
	*rsize = ALIGN(max_t(u32, size, SMALLEST_ITEM), align + 1);
	return 0;
}

/*
 * Items whose first bytes are what everyone looks at share few lines of the
 * processor's cache if all of them start at the same few offsets in a page. With a
 * stride that is an odd multiple of the alignment, a number prime to all powers of
 * two, they start at every offset there is before one comes again; that takes
 * as many pages as the stride is multiples, unless the header holds no more
 * items before. Items so small that it does not describe a page full of them
 * have a header in their page: there they start everywhere by themselves.
 */
static int layout_spread(struct uma_slab_layout *l, u32 rsize, u32 step,
			 bool refcnt, bool forced)
{
	u32 most = uma_slab_offpage_items(refcnt);
	u32 pages;

	if (!(rsize & step))
		rsize += step;
	if (rsize > UMA_SLAB_PAGES_MAX * PAGE_SIZE)
		return -E2BIG;
	pages = DIV_ROUND_UP(rsize, PAGE_SIZE);
	if (pages > 1 || most * rsize >= PAGE_SIZE || forced) {
		pages = max(pages, min3(rsize / step, UMA_SLAB_PAGES_SPREAD,
					most * rsize / (u32)PAGE_SIZE));
		layout_off_page(l, rsize, pages, refcnt, most);
	} else {
		layout_in_page(l, rsize, pages, refcnt);
	}
	return 0;
}

/**
 * uma_slab_layout() - decide how the slabs for an item look
 * @size: bytes of an item
 * @align: its alignment as a mask, of the form 2^n-1 and below the page size
 * @flags: UMA_LAYOUT_*
 * @l: where to store the layout; untouched after an error
 *
 * Return: 0; -EINVAL for a size of 0, a bad alignment, an unknown flag or two that
 * exclude each other; -E2BIG for an item larger than the largest slab.
 */
int uma_slab_layout(size_t size, unsigned int align, unsigned int flags,
		    struct uma_slab_layout *l)
{
	bool refcnt = flags & UMA_LAYOUT_REFCNT;
	bool forced = flags & UMA_LAYOUT_OFFPAGE;
	bool fewest = flags & UMA_LAYOUT_FEWEST;
	u32 rsize;
	int error;

	if (flags & ~(UMA_LAYOUT_REFCNT | UMA_LAYOUT_OFFPAGE |
		      UMA_LAYOUT_SPREAD | UMA_LAYOUT_FEWEST) ||
	    (fewest && flags & UMA_LAYOUT_SPREAD))
		return -EINVAL;
	error = item_stride(size, align, UMA_SLAB_PAGES_MAX * PAGE_SIZE,
			    &rsize);
	if (error)
		return error;
	if (flags & UMA_LAYOUT_SPREAD)
		return layout_spread(l, rsize, ALIGN(align + 1, SMALLEST_ITEM),
				     refcnt, forced);
	choose_pages(l, rsize, refcnt, forced, fewest ? 1 : UMA_SLAB_PAGES_MANY,
		     forced || fewest ? uma_slab_offpage_items(refcnt) : U32_MAX);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_slab_layout);

/**
 * uma_slab_layout_percpu() - the same for items of which each CPU has a copy
 * @size: bytes of one copy, a page at the most
 * @align: as for uma_slab_layout()
 * @flags: UMA_LAYOUT_REFCNT or 0
 * @copies: how many CPUs
 * @l: where to store the layout; untouched after an error
 *
 * The slab has a page for each CPU, all cut alike, and the copies of an item lie a
 * page apart. The items of the layout are those of the first page. The header is
 * off-page, so that all pages are alike.
 *
 * Return: as uma_slab_layout(); -E2BIG also for more copies than a slab has pages.
 */
int uma_slab_layout_percpu(size_t size, unsigned int align, unsigned int flags,
			   unsigned int copies, struct uma_slab_layout *l)
{
	bool refcnt = flags & UMA_LAYOUT_REFCNT;
	u32 rsize;
	int error;

	if (flags & ~UMA_LAYOUT_REFCNT || !copies)
		return -EINVAL;
	error = item_stride(size, align, PAGE_SIZE, &rsize);
	if (error)
		return error;
	if (copies > UMA_SLAB_PAGES_MAX)
		return -E2BIG;
	layout_off_page(l, rsize, 1, refcnt, uma_slab_offpage_items(refcnt));
	l->pages = copies;
	l->waste *= copies;
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_slab_layout_percpu);
