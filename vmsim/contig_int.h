/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contiguous allocator inside the module: what ctl.c, files in debugfs and the suites
 * use besides vmsim/contig.h.
 */
#ifndef _VMSIM_CONTIG_INT_H
#define _VMSIM_CONTIG_INT_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "vmsim/contig.h"
#include "vmsim/contig_search.h"

struct dentry;

/* How often memory is gone through before a request fails. */
#define CONTIG_PASSES	3

/* Why a page could not be had. */
enum contig_skip {
	CONTIG_SKIP_BUSY,	/* in motion, and still so when it was waited for */
	CONTIG_SKIP_HELD,	/* somebody looks at it */
	CONTIG_SKIP_WIRED,
	CONTIG_SKIP_LOCKED,	/* its object could not be locked */
	CONTIG_SKIP_FOREIGN,	/* not the VM's to take: a slab's, malloc's */
	CONTIG_SKIP_DIRTY,	/* could not be cleaned, or is dirty again */
	CONTIG_SKIP_SHORT,	/* free, but one of the last free pages */
	CONTIG_SKIP_GONE,	/* free or cached, and somebody was faster */
	CONTIG_SKIPS,
};

/**
 * struct contig_counters - what one of the two algorithms has done; only goes up
 * @requests: requests that made sense
 * @successes: of those, that got what they wanted
 * @nomem: that failed for want of memory
 * @nxio: that named memory of which the pool has none
 * @passes: passes begun, the first, the second, the third ones
 * @won: passes that found a run
 * @time: nanoseconds that they took
 * @longest: the longest one
 * @tried: candidates looked at
 * @looked: pages looked at
 * @laundered: pages written
 * @steps: pages that were taken in hand to be cleaned or freed
 * @cached: pages taken from the cache queue
 * @evicted: clean pages that were in use until then
 * @isolated: pages taken off the free list
 * @undone: pages given back since their candidate was given up
 * @skipped: pages that ended a candidate, by reason
 * @grown: times that the pool was made to grow
 */
struct contig_counters {
	atomic64_t requests;
	atomic64_t successes;
	atomic64_t nomem;
	atomic64_t nxio;
	atomic64_t passes[CONTIG_PASSES];
	atomic64_t won[CONTIG_PASSES];
	atomic64_t time[CONTIG_PASSES];
	atomic64_t longest[CONTIG_PASSES];
	atomic64_t tried;
	atomic64_t looked;
	atomic64_t laundered;
	atomic64_t steps;
	atomic64_t cached;
	atomic64_t evicted;
	atomic64_t isolated;
	atomic64_t undone;
	atomic64_t skipped[CONTIG_SKIPS];
	atomic64_t grown;
};

/* The two algorithms; also what module parameter old_contigmalloc says. */
enum contig_algorithm {
	CONTIG_NEW,
	CONTIG_OLD,
	CONTIG_ALGORITHMS,
};

/**
 * struct contig_map_counters - mapped ranges
 * @mapped: that came
 * @unmapped: that went
 * @refused: calls that made no sense
 * @no_kva: runs that went back for want of addresses
 */
struct contig_map_counters {
	atomic64_t mapped;
	atomic64_t unmapped;
	atomic64_t refused;
	atomic64_t no_kva;
};

extern struct contig_counters contig_cnt[CONTIG_ALGORITHMS];
extern struct contig_map_counters contig_map_cnt;
extern bool vm_old_contigmalloc;

/* contig.c */
int contig_take(const struct contig_req *req, enum contig_algorithm how,
		int flags, struct vm_page **m);
void contig_startup(void);
void contig_shutdown(void);

/* contig_map.c: as vmsim/contig.h, but that errors are told by number */
int contig_alloc(const struct contig_req *req, enum contig_algorithm how,
		 int flags, struct vm_page **m);
int contig_malloc(unsigned long size, struct malloc_type *type, int flags,
		  vm_paddr_t low, vm_paddr_t high, unsigned long alignment,
		  vm_paddr_t boundary, void **addr);
int contig_free(void *addr, unsigned long size, struct malloc_type *type);
void contig_map_shutdown(void);

/* contig_show.c */
void contig_debugfs(struct dentry *dir);

#endif /* _VMSIM_CONTIG_INT_H */
