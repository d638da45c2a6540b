/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports: to the log, to debugfs, to tracers. See report.c.
 */
#ifndef _MEMGUARD_REPORT_H
#define _MEMGUARD_REPORT_H

#include <linux/types.h>

#include "memguard/arena.h"

struct dentry;
struct pt_regs;

/**
 * enum memguard_kind - what can be wrong
 * @MEMGUARD_UAF_READ: an item was read, or called, that is free
 * @MEMGUARD_UAF_WRITE: the same for a write
 * @MEMGUARD_OVERFLOW: an access beyond the end of an item's pages
 * @MEMGUARD_UNDERFLOW: an access before the first of them
 * @MEMGUARD_DOUBLE_FREE: an item was freed that is free
 * @MEMGUARD_INVALID_FREE: what was freed is no item, or not this client's
 * @MEMGUARD_CORRUPTION: slack beside an item is not as it was, found at free
 * @MEMGUARD_WILD: an access near no item, or code in one that is out
 * @MEMGUARD_KINDS: how many there are
 */
enum memguard_kind {
	MEMGUARD_UAF_READ,
	MEMGUARD_UAF_WRITE,
	MEMGUARD_OVERFLOW,
	MEMGUARD_UNDERFLOW,
	MEMGUARD_DOUBLE_FREE,
	MEMGUARD_INVALID_FREE,
	MEMGUARD_CORRUPTION,
	MEMGUARD_WILD,
	MEMGUARD_KINDS
};

/**
 * struct memguard_incident - what went wrong
 * @kind: in one word
 * @addr: the address that was accessed or freed; of a corruption, the first byte
 *	that is wrong
 * @regs: of the access that faulted, or NULL
 * @write: that was a write
 * @fetch: that was the fetch of an instruction
 * @place: the item that it concerns, and where @addr lies; its range is NULL if
 *	there is none
 * @client: whom a wrong free named, or NULL
 * @why: more, or NULL
 * @next: what happens now, or NULL
 */
struct memguard_incident {
	enum memguard_kind kind;
	const void *addr;
	struct pt_regs *regs;
	bool write;
	bool fetch;
	struct memguard_place place;
	const struct uma_guard_client *client;
	const char *why;
	const char *next;
};

/* Room for one report as text, with its closing zero. */
#define MEMGUARD_REPORT_MAX	8192

void memguard_report(const struct memguard_incident *in);
u64 memguard_report_count(enum memguard_kind kind);
const char *memguard_kind_name(enum memguard_kind kind);
size_t memguard_last_report(char *buf, size_t size);
void memguard_report_debugfs(struct dentry *dir);

#endif /* _MEMGUARD_REPORT_H */
