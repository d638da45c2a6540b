/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MemGuard: what is guarded, and start and end. See guard.c.
 */
#ifndef _MEMGUARD_GUARD_H
#define _MEMGUARD_GUARD_H

#include <linux/types.h>

struct dentry;

/* Rules that memguard_desc can hold. */
#define MEMGUARD_RULES	32

/**
 * struct memguard_rule_stats - what one rule has done
 * @text: as it was given
 * @guarded: allocations that it had guarded
 * @skipped: allocations that it would not have, by fraction or size
 * @failed: allocations that could not be, for want of space or pages
 */
struct memguard_rule_stats {
	char text[64];
	u64 guarded;
	u64 skipped;
	u64 failed;
};

void memguard_startup(void);
void memguard_shutdown(void);
void memguard_debugfs(struct dentry *parent);
int memguard_set_desc(const char *desc);
bool memguard_rule_stats(unsigned int rule, struct memguard_rule_stats *st);

#endif /* _MEMGUARD_GUARD_H */
