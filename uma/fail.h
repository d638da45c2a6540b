/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures on demand, where the kernel has fault injection.
 */
#ifndef _UMA_FAIL_H
#define _UMA_FAIL_H

#include <linux/kconfig.h>
#include <linux/types.h>

struct dentry;

#if IS_ENABLED(CONFIG_FAULT_INJECTION)
bool uma_fail_alloc(const char *zone_name, size_t size, int flags);
bool uma_fail_pages(unsigned int npages, int flags);
void uma_fail_startup(void);
void uma_fail_debugfs(struct dentry *parent);
#else
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
