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
struct seq_file;

enum memguard_kind {
	MEMGUARD_UAF_READ,
	MEMGUARD_UAF_WRITE,
	MEMGUARD_OVERFLOW,
	MEMGUARD_UNDERFLOW,
	MEMGUARD_DOUBLE_FREE,
	MEMGUARD_INVALID_FREE,
	MEMGUARD_CORRUPTION,	/* of slack, found at free */
	MEMGUARD_WILD,		/* an access near no item */
	MEMGUARD_KINDS
};

/**
 * struct memguard_incident - what went wrong
 * @kind: in one word
 * @addr: the address that was accessed or freed; of a corruption, the first byte
 *	that is wrong
 * @regs: of the access that faulted, or NULL
 * @write: that was a write
 * @place: the item that it concerns, if place.range is not NULL, and where @addr
 *	lies
 * @client: whom a wrong free named, or NULL
 * @why: more, or NULL
 */
struct memguard_incident {
	enum memguard_kind kind;
	const void *addr;
	struct pt_regs *regs;
	bool write;
	struct memguard_place place;
	const struct uma_guard_client *client;
	const char *why;
};

/* The last report, as text. */
#define MEMGUARD_REPORT_MAX	8192

void memguard_report(const struct memguard_incident *in);
u64 memguard_report_count(enum memguard_kind kind);
const char *memguard_kind_name(enum memguard_kind kind);
size_t memguard_last_report(char *buf, size_t size);
void memguard_report_debugfs(struct dentry *dir);

#endif /* _MEMGUARD_REPORT_H */
