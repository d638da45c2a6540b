/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For suites that fail each allocation of a call in turn: the kernel's own
 * countdown, which is otherwise set through /proc/self/fail-nth.
 */
#ifndef _UMA_FAIL_NTH_H
#define _UMA_FAIL_NTH_H

#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kconfig.h>
#include <linux/sched.h>

#ifdef CONFIG_FAULT_INJECTION

/* What a file of debugfs shows, at its source. */
static inline void *fail_nth_knob(const char *dir, const char *name)
{
	struct dentry *parent = debugfs_lookup(dir, NULL), *file = NULL;
	void *value = NULL;

	if (parent)
		file = debugfs_lookup(name, parent);
	if (file)
		value = d_inode(file)->i_private;
	dput(file);
	dput(parent);
	return value;
}

/*
 * Let the failures reach allocations that may sleep and single pages, which
 * the kernel spares unless told, and do without a stack for each. False if
 * this kernel cannot.
 */
static inline bool fail_nth_prepare(void)
{
	bool *slab_spared = fail_nth_knob("failslab", "ignore-gfp-wait");
	bool *page_spared = fail_nth_knob("fail_page_alloc", "ignore-gfp-wait");
	unsigned long *slab_says = fail_nth_knob("failslab", "verbose");
	unsigned long *page_says = fail_nth_knob("fail_page_alloc", "verbose");
	u32 *min_order = fail_nth_knob("fail_page_alloc", "min-order");

	if (!slab_spared || !page_spared || !slab_says || !page_says ||
	    !min_order)
		return false;
	*slab_spared = false;
	*page_spared = false;
	*slab_says = 0;
	*page_says = 0;
	*min_order = 0;
	return true;
}

/* The @n-th allocation of this task from now on fails; 0 ends it. */
static inline void fail_nth_set(unsigned int n)
{
	current->fail_nth = n;
}

/* What is left of the countdown: 0 when the failure has happened. */
static inline unsigned int fail_nth_left(void)
{
	return current->fail_nth;
}

#else

static inline bool fail_nth_prepare(void)
{
	return false;
}

static inline void fail_nth_set(unsigned int n)
{
}

static inline unsigned int fail_nth_left(void)
{
	return 0;
}

#endif

#endif /* _UMA_FAIL_NTH_H */
