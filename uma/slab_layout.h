/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of a slab: how many pages, how many items, where the header
 * goes. Pure functions, no state.
 */
#ifndef _UMA_SLAB_LAYOUT_H
#define _UMA_SLAB_LAYOUT_H

#include <linux/list.h>
#include <linux/types.h>

struct uma_keg;

/**
 * struct uma_slab - the header of a slab
 * @us_link: in one of its keg's lists; guarded by the keg's lock
 * @us_keg: the keg, constant
 * @us_data: its first item, constant
 * @us_freecount: items in the slab, guarded by the keg's lock
 * @us_node: the memory node that its items count as, constant
 * @us_pflag: what the keg's uma_alloc left for its uma_free, constant
 * @us_free: a set bit for each item that is in the slab, guarded by the keg's
 *	lock. In a keg with counters they follow the bitmap, a u32 for each
 *	item, at uma_slab_layout.ref_off from the start of the header.
 */
struct uma_slab {
	struct list_head us_link;
	struct uma_keg *us_keg;
	void *us_data;
	u32 us_freecount;
	u16 us_node;
	u8 us_pflag;
	unsigned long us_free[];
};

/* Most pages that a slab of several items takes; one item may take more. */
#define UMA_SLAB_PAGES_MANY	8
/* Most pages of any slab: what one item can be large. */
#define UMA_SLAB_PAGES_MAX	1024
/* Most pages of a slab that spreads its items over the cache's lines. */
#define UMA_SLAB_PAGES_SPREAD	32U
/*
 * With its header in it, a slab may waste less than a page divided by this
 * (BSD's UMA_MAX_WASTE).
 */
#define UMA_WASTE_DIVISOR	10

/* Asked of uma_slab_layout(). */
#define UMA_LAYOUT_REFCNT	0x1	/* a counter for each item */
#define UMA_LAYOUT_OFFPAGE	0x2	/* header outside, whatever the waste */
#define UMA_LAYOUT_SPREAD	0x4	/* items start at all offsets in a page */
#define UMA_LAYOUT_FEWEST	0x8	/* no more pages than an item needs */

/**
 * struct uma_slab_layout - how the slabs of a keg look
 * @rsize: bytes from one item to the next
 * @ipers: items in a slab
 * @pages: pages of a slab
 * @hdr_size: bytes of the header with its bitmap and counters
 * @hdr_off: where in the slab the header begins; 0 when @offpage
 * @ref_off: where in the header the counters begin; 0 without them
 * @waste: bytes of the slab that are neither item nor header
 * @offpage: the header is an allocation of its own
 */
struct uma_slab_layout {
	u32 rsize;
	u32 ipers;
	u32 pages;
	u32 hdr_size;
	u32 hdr_off;
	u32 ref_off;
	u32 waste;
	bool offpage;
};

int uma_slab_layout(size_t size, unsigned int align, unsigned int flags,
		    struct uma_slab_layout *l);
int uma_slab_layout_percpu(size_t size, unsigned int align, unsigned int flags,
			   unsigned int copies, struct uma_slab_layout *l);
u32 uma_slab_header_size(u32 ipers, bool refcnt, u32 *ref_off);
u32 uma_slab_offpage_items(bool refcnt);

#endif /* _UMA_SLAB_LAYOUT_H */
