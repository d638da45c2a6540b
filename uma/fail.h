/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures on demand, where the kernel has fault injection.
 */
#ifndef _UMA_FAIL_H
#define _UMA_FAIL_H

#include <linux/fault-inject.h>
#include <linux/kconfig.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "uma/uma.h"

struct dentry;

#if IS_ENABLED(CONFIG_FAULT_INJECTION)
extern struct fault_attr uma_fail_attr;

/**
 * uma_fail_armed() - can an allocation fail on demand at all?
 * @flags: of the allocation
 *
 * The usual answer, no, without a call: for the fast path.
 *
 * Context: any but NMI.
 */
static inline bool uma_fail_armed(int flags)
{
	return !(flags & M_WAITOK) && (READ_ONCE(uma_fail_attr.probability) ||
				       READ_ONCE(current->fail_nth));
}

bool uma_fail_alloc(const char *zone_name, size_t size, int flags);
bool uma_fail_pages(unsigned int npages, int flags);
void uma_fail_startup(void);
void uma_fail_debugfs(struct dentry *parent);
#else
static inline bool uma_fail_armed(int flags)
{
	return false;
}

static inline bool uma_fail_alloc(const char *zone_name, size_t size, int flags)
{
	return false;
}

static inline bool uma_fail_pages(unsigned int npages, int flags)
{
	return false;
}

static inline void uma_fail_startup(void) {}
static inline void uma_fail_debugfs(struct dentry *parent) {}
#endif

#endif /* _UMA_FAIL_H */
