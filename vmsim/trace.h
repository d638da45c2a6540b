/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the VM, vmsim:*, recorded by any trace-cmd. Objects are named by
 * their addresses, as everywhere: two events that show the same one mean the same.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmsim

#if !defined(_VMSIM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VMSIM_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(vm_shadow,

	TP_PROTO(const void *shadow, const void *source, u64 offset, u64 pages),

	TP_ARGS(shadow, source, offset, pages),

	TP_STRUCT__entry(
		__field(const void *, shadow)
		__field(const void *, source)
		__field(u64, offset)
		__field(u64, pages)
	),

	TP_fast_assign(
		__entry->shadow = shadow;
		__entry->source = source;
		__entry->offset = offset;
		__entry->pages = pages;
	),

	TP_printk("shadow=%p source=%p offset=%#llx pages=%llu",
		  __entry->shadow, __entry->source, __entry->offset,
		  __entry->pages)
);

DECLARE_EVENT_CLASS(vm_chain,

	TP_PROTO(const void *object, const void *backing, const void *below,
		 unsigned long resident),

	TP_ARGS(object, backing, below, resident),

	TP_STRUCT__entry(
		__field(const void *, object)
		__field(const void *, backing)
		__field(const void *, below)
		__field(unsigned long, resident)
	),

	TP_fast_assign(
		__entry->object = object;
		__entry->backing = backing;
		__entry->below = below;
		__entry->resident = resident;
	),

	TP_printk("object=%p backing=%p below=%p resident=%lu",
		  __entry->object, __entry->backing, __entry->below,
		  __entry->resident)
);

/* @backing was merged into @object, which shadows @below from now on. */
DEFINE_EVENT(vm_chain, vm_collapse,

	TP_PROTO(const void *object, const void *backing, const void *below,
		 unsigned long resident),

	TP_ARGS(object, backing, below, resident)
);

/* @object does not shadow @backing any more, but @below. */
DEFINE_EVENT(vm_chain, vm_bypass,

	TP_PROTO(const void *object, const void *backing, const void *below,
		 unsigned long resident),

	TP_ARGS(object, backing, below, resident)
);

DECLARE_EVENT_CLASS(vm_paging,

	TP_PROTO(const void *object, u64 pindex, unsigned int pages,
		 unsigned int good),

	TP_ARGS(object, pindex, pages, good),

	TP_STRUCT__entry(
		__field(const void *, object)
		__field(u64, pindex)
		__field(unsigned int, pages)
		__field(unsigned int, good)
	),

	TP_fast_assign(
		__entry->object = object;
		__entry->pindex = pindex;
		__entry->pages = pages;
		__entry->good = good;
	),

	TP_printk("object=%p pindex=%llu pages=%u good=%u", __entry->object,
		  __entry->pindex, __entry->pages, __entry->good)
);

/* @pages were asked of the pager, of which @good came. */
DEFINE_EVENT(vm_paging, vm_pagein,

	TP_PROTO(const void *object, u64 pindex, unsigned int pages,
		 unsigned int good),

	TP_ARGS(object, pindex, pages, good)
);

/* @pages were given to the pager; @good are written, or on their way. */
DEFINE_EVENT(vm_paging, vm_pageout,

	TP_PROTO(const void *object, u64 pindex, unsigned int pages,
		 unsigned int good),

	TP_ARGS(object, pindex, pages, good)
);

/*
 * A pass of page-out: @level of pageout.h, pages that were missing before it, that it
 * looked at, freed or cached, gave to pagers, made inactive, and that are free now.
 */
TRACE_EVENT(vm_scan,

	TP_PROTO(unsigned int level, unsigned long shortage,
		 unsigned long looked, unsigned long got,
		 unsigned long laundered, unsigned long deactivated,
		 unsigned long free),

	TP_ARGS(level, shortage, looked, got, laundered, deactivated, free),

	TP_STRUCT__entry(
		__field(unsigned int, level)
		__field(unsigned long, shortage)
		__field(unsigned long, looked)
		__field(unsigned long, got)
		__field(unsigned long, laundered)
		__field(unsigned long, deactivated)
		__field(unsigned long, free)
	),

	TP_fast_assign(
		__entry->level = level;
		__entry->shortage = shortage;
		__entry->looked = looked;
		__entry->got = got;
		__entry->laundered = laundered;
		__entry->deactivated = deactivated;
		__entry->free = free;
	),

	TP_printk("level=%u shortage=%lu looked=%lu got=%lu laundered=%lu deactivated=%lu free=%lu",
		  __entry->level, __entry->shortage, __entry->looked,
		  __entry->got, __entry->laundered, __entry->deactivated,
		  __entry->free)
);

/* Free pages were zeroed ahead of need: so many in one go, and so many are by now. */
TRACE_EVENT(vm_zero_ahead,

	TP_PROTO(unsigned long pages, unsigned long zeroed),

	TP_ARGS(pages, zeroed),

	TP_STRUCT__entry(
		__field(unsigned long, pages)
		__field(unsigned long, zeroed)
	),

	TP_fast_assign(
		__entry->pages = pages;
		__entry->zeroed = zeroed;
	),

	TP_printk("pages=%lu zeroed=%lu", __entry->pages, __entry->zeroed)
);

/* A fault ended; @kind is VM_FAULT_* of fault.h, if there is no error. */
TRACE_EVENT(vm_fault,

	TP_PROTO(const void *map, unsigned long va, u8 access, u8 kind,
		 int error),

	TP_ARGS(map, va, access, kind, error),

	TP_STRUCT__entry(
		__field(const void *, map)
		__field(unsigned long, va)
		__field(u8, access)
		__field(u8, kind)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->map = map;
		__entry->va = va;
		__entry->access = access;
		__entry->kind = kind;
		__entry->error = error;
	),

	TP_printk("map=%p va=%#lx access=%#x %s error=%d", __entry->map,
		  __entry->va, __entry->access,
		  __print_symbolic(__entry->kind, { 0, "found" }, { 1, "zero" },
				   { 2, "read" }, { 3, "copied" },
				   { 4, "moved" }), __entry->error)
);

/* A pass of a contiguous request ended; @how: enum contig_algorithm. */
TRACE_EVENT(vm_contig_pass,

	TP_PROTO(unsigned int how, unsigned int pass, u64 npages, u64 tried,
		 u64 looked, u64 ns, int error),

	TP_ARGS(how, pass, npages, tried, looked, ns, error),

	TP_STRUCT__entry(
		__field(unsigned int, how)
		__field(unsigned int, pass)
		__field(u64, npages)
		__field(u64, tried)
		__field(u64, looked)
		__field(u64, ns)
		__field(int, error)
	),

	TP_fast_assign(
		__entry->how = how;
		__entry->pass = pass;
		__entry->npages = npages;
		__entry->tried = tried;
		__entry->looked = looked;
		__entry->ns = ns;
		__entry->error = error;
	),

	TP_printk("%s pass=%u npages=%llu tried=%llu looked=%llu ns=%llu error=%d",
		  __print_symbolic(__entry->how, { 0, "new" }, { 1, "old" }),
		  __entry->pass, __entry->npages, __entry->tried,
		  __entry->looked, __entry->ns, __entry->error)
);

/* A page that a contiguous request could not have, and why: enum contig_skip. */
TRACE_EVENT(vm_contig_skip,

	TP_PROTO(u64 pfn, unsigned int why),

	TP_ARGS(pfn, why),

	TP_STRUCT__entry(
		__field(u64, pfn)
		__field(unsigned int, why)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->why = why;
	),

	TP_printk("pfn=%#llx %s", __entry->pfn,
		  __print_symbolic(__entry->why, { 0, "busy" }, { 1, "held" },
				   { 2, "wired" }, { 3, "locked" },
				   { 4, "foreign" }, { 5, "dirty" },
				   { 6, "short" }, { 7, "gone" }))
);

/* A contiguous request got its pages. */
TRACE_EVENT(vm_contig,

	TP_PROTO(unsigned int how, u64 pfn, u64 npages),

	TP_ARGS(how, pfn, npages),

	TP_STRUCT__entry(
		__field(unsigned int, how)
		__field(u64, pfn)
		__field(u64, npages)
	),

	TP_fast_assign(
		__entry->how = how;
		__entry->pfn = pfn;
		__entry->npages = npages;
	),

	TP_printk("%s pfn=%#llx npages=%llu",
		  __print_symbolic(__entry->how, { 0, "new" }, { 1, "old" }),
		  __entry->pfn, __entry->npages)
);

#endif /* _VMSIM_TRACE_H */

/* Found from the root of the tree, like every header of ours. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH vmsim
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
