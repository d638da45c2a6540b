/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-out: the daemon that makes free pages of those that were not used lately.
 *
 * Nobody calls it: vm_page_alloc() and vm_wait() wake it, and so does the pool, once
 * its zones have given what they can (uma/reclaim.h).
 */
#ifndef _VMSIM_PAGEOUT_H
#define _VMSIM_PAGEOUT_H

#include <linux/types.h>

/**
 * enum vm_pageout_level - how hard a pass tries
 * @VM_PAGEOUT_GENTLE: pages become inactive when they were idle for some passes
 * @VM_PAGEOUT_FIRM: for few
 * @VM_PAGEOUT_DESPERATE: and go even if they are in use
 */
enum vm_pageout_level {
	VM_PAGEOUT_GENTLE,
	VM_PAGEOUT_FIRM,
	VM_PAGEOUT_DESPERATE,
};

/**
 * struct vm_pageout_targets - what page-out is after, in pages
 * @free: that many free ones; it begins when there are fewer, and somebody asks
 * @cache: that many cached ones beside those
 * @inactive: that many inactive ones, to choose from
 *
 * Constant but for parameters and suites.
 */
struct vm_pageout_targets {
	unsigned long free;
	unsigned long cache;
	unsigned long inactive;
};

extern struct vm_pageout_targets vm_pageout_targets;

int vm_pageout_startup(void);
void vm_pageout_shutdown(void);

/* For who wants nothing paged out but by himself: suites, and contiguous allocation. */
void vm_pageout_pause(void);
void vm_pageout_resume(void);
unsigned long vm_pageout_scan(enum vm_pageout_level level);

#endif /* _VMSIM_PAGEOUT_H */
