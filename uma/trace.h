/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: `trace-cmd record -e uma`.
 *
 * uma_alloc and uma_free come with every call while they are recorded, and cost
 * nothing while they are not: being recorded sends the zones' operations to
 * the slow path, where they are. The others sit on slow paths anyway.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM uma

#if !defined(_UMA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UMA_TRACE_H

#include <linux/tracepoint.h>

#include "uma/uma_int.h"

#ifndef UMA_BUCKET_TO_CPU
/* Where a bucket of items goes; values of the field `way`. */
#define UMA_BUCKET_TO_CPU	1	/* from the zone's list to a CPU's cache */
#define UMA_BUCKET_FROM_CPU	2	/* from a full cache to the zone's list */
#define UMA_BUCKET_FROM_SLAB	3	/* filled from the keg's slabs */
#define UMA_BUCKET_FLUSHED	4	/* out of a cache that is emptied */
#endif

#define uma_show_flags(flags)						\
	__print_flags(flags, "|",					\
		      { M_NOWAIT, "M_NOWAIT" },				\
		      { M_WAITOK, "M_WAITOK" },				\
		      { M_ZERO, "M_ZERO" },				\
		      { M_USE_RESERVE, "M_USE_RESERVE" },		\
		      { M_NOBUCKET, "M_NOBUCKET" })

TRACE_EVENT_FN(uma_alloc,

	TP_PROTO(const char *zone, const void *item, size_t size, int flags),

	TP_ARGS(zone, item, size, flags),

	TP_STRUCT__entry(
		__string(zone, zone)
		__field(const void *, item)
		__field(size_t, size)
		__field(int, flags)
	),

	TP_fast_assign(
		uma_assign_str(zone, zone);
		__entry->item = item;
		__entry->size = size;
		__entry->flags = flags;
	),

	TP_printk("zone=%s item=%p size=%zu flags=%s", __get_str(zone),
		  __entry->item, __entry->size, uma_show_flags(__entry->flags)),

	uma_trace_alloc_reg, uma_trace_alloc_unreg
);

TRACE_EVENT_FN(uma_free,

	TP_PROTO(const char *zone, const void *item, size_t size),

	TP_ARGS(zone, item, size),

	TP_STRUCT__entry(
		__string(zone, zone)
		__field(const void *, item)
		__field(size_t, size)
	),

	TP_fast_assign(
		uma_assign_str(zone, zone);
		__entry->item = item;
		__entry->size = size;
	),

	TP_printk("zone=%s item=%p size=%zu", __get_str(zone),
		  __entry->item, __entry->size),

	uma_trace_free_reg, uma_trace_free_unreg
);

TRACE_EVENT(uma_bucket,

	TP_PROTO(const char *zone, unsigned int way, unsigned int items),

	TP_ARGS(zone, way, items),

	TP_STRUCT__entry(
		__string(zone, zone)
		__field(unsigned int, way)
		__field(unsigned int, items)
	),

	TP_fast_assign(
		uma_assign_str(zone, zone);
		__entry->way = way;
		__entry->items = items;
	),

	TP_printk("zone=%s way=%s items=%u", __get_str(zone),
		  __print_symbolic(__entry->way,
				   { UMA_BUCKET_TO_CPU, "to-cpu" },
				   { UMA_BUCKET_FROM_CPU, "from-cpu" },
				   { UMA_BUCKET_FROM_SLAB, "from-slab" },
				   { UMA_BUCKET_FLUSHED, "flushed" }),
		  __entry->items)
);

DECLARE_EVENT_CLASS(uma_slab,

	TP_PROTO(const char *keg, const void *mem, unsigned int pages,
		 unsigned int items),

	TP_ARGS(keg, mem, pages, items),

	TP_STRUCT__entry(
		__string(keg, keg)
		__field(const void *, mem)
		__field(unsigned int, pages)
		__field(unsigned int, items)
	),

	TP_fast_assign(
		uma_assign_str(keg, keg);
		__entry->mem = mem;
		__entry->pages = pages;
		__entry->items = items;
	),

	TP_printk("keg=%s mem=%p pages=%u items=%u", __get_str(keg),
		  __entry->mem, __entry->pages, __entry->items)
);

DEFINE_EVENT(uma_slab, uma_slab_create,
	TP_PROTO(const char *keg, const void *mem, unsigned int pages,
		 unsigned int items),
	TP_ARGS(keg, mem, pages, items)
);

DEFINE_EVENT(uma_slab, uma_slab_destroy,
	TP_PROTO(const char *keg, const void *mem, unsigned int pages,
		 unsigned int items),
	TP_ARGS(keg, mem, pages, items)
);

TRACE_EVENT(uma_reclaim,

	TP_PROTO(const char *zone, int req, unsigned int before,
		 unsigned int after),

	TP_ARGS(zone, req, before, after),

	TP_STRUCT__entry(
		__string(zone, zone)
		__field(int, req)
		__field(unsigned int, before)
		__field(unsigned int, after)
	),

	TP_fast_assign(
		uma_assign_str(zone, zone);
		__entry->req = req;
		__entry->before = before;
		__entry->after = after;
	),

	TP_printk("zone=%s req=%s pages=%u to %u", __get_str(zone),
		  __print_symbolic(__entry->req,
				   { 0, "interval" },
				   { UMA_RECLAIM_TRIM, "trim" },
				   { UMA_RECLAIM_DRAIN, "drain" },
				   { UMA_RECLAIM_DRAIN_CPU, "drain-cpu" }),
		  __entry->before, __entry->after)
);

TRACE_EVENT(uma_limit_sleep,

	TP_PROTO(const char *zone, int flags),

	TP_ARGS(zone, flags),

	TP_STRUCT__entry(
		__string(zone, zone)
		__field(int, flags)
	),

	TP_fast_assign(
		uma_assign_str(zone, zone);
		__entry->flags = flags;
	),

	TP_printk("zone=%s flags=%s", __get_str(zone),
		  uma_show_flags(__entry->flags))
);

TRACE_EVENT(uma_limit_wake,

	TP_PROTO(const char *zone, const void *item),

	TP_ARGS(zone, item),

	TP_STRUCT__entry(
		__string(zone, zone)
		__field(const void *, item)
	),

	TP_fast_assign(
		uma_assign_str(zone, zone);
		__entry->item = item;
	),

	TP_printk("zone=%s item=%p", __get_str(zone), __entry->item)
);

#endif /* _UMA_TRACE_H */

/* Found from the root of the tree, like every header of ours. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH uma
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
