/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request for contiguous memory, and what it allows, by the words of the manual page
 * and not by the arithmetic of who serves it.
 */
#ifndef _UMA_CONTIG_ASK_H
#define _UMA_CONTIG_ASK_H

#include <linux/mm.h>
#include <linux/types.h>

/**
 * struct ask - a request as a caller makes it, all in bytes
 * @size: how much
 * @low: lowest address
 * @high: highest address
 * @alignment: the first address is a multiple of it
 * @boundary: no multiple of it lies inside; or 0
 */
struct ask {
	u64 size;
	u64 low;
	u64 high;
	u64 alignment;
	u64 boundary;
};

/* Whether @ask allows a run at an address. */
static inline bool ask_allows(const struct ask *ask, u64 pa)
{
	u64 last = pa + ask->size - 1;
	u64 end = last | ~PAGE_MASK;

	return pa >= ask->low && end <= ask->high && end >= pa &&
	       pa % ask->alignment == 0 &&
	       (!ask->boundary || pa / ask->boundary == last / ask->boundary);
}

#endif /* _UMA_CONTIG_ASK_H */
