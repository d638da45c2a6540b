/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoint: `trace-cmd record -e memguard`. One event for each report.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM memguard

#if !defined(_MEMGUARD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _MEMGUARD_TRACE_H

#include <linux/tracepoint.h>

#include "uma/compat.h"

TRACE_EVENT(memguard_report,

	TP_PROTO(const char *kind, unsigned long ip, const void *addr,
		 const void *item, size_t size, long offset,
		 const char *owner),

	TP_ARGS(kind, ip, addr, item, size, offset, owner),

	TP_STRUCT__entry(
		__string(kind, kind)
		__field(unsigned long, ip)
		__field(const void *, addr)
		__field(const void *, item)
		__field(size_t, size)
		__field(long, offset)
		__string(owner, owner)
	),

	TP_fast_assign(
		uma_assign_str(kind, kind);
		__entry->ip = ip;
		__entry->addr = addr;
		__entry->item = item;
		__entry->size = size;
		__entry->offset = offset;
		uma_assign_str(owner, owner);
	),

	/* What can have blanks in it comes last. */
	TP_printk("ip=%pS addr=%p item=%p size=%zu offset=%ld kind=%s owner=%s",
		  (void *)__entry->ip, __entry->addr, __entry->item,
		  __entry->size, __entry->offset, __get_str(kind),
		  __get_str(owner))
);

#endif /* _MEMGUARD_TRACE_H */

/* Found from the root of the tree, like every header of ours. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH memguard
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
