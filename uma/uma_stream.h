/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The binary stream of zone statistics, as read from
 * /sys/kernel/debug/uma/zone_stats, and below it that of malloc types, from
 * malloc_stats.  User-space ABI: plain C, C++ and the kernel all include this
 * file, and each of them checks the layout when it is compiled.
 *
 * The stream is one header, then one record for each zone.  A record is one
 * type header and one per-CPU record for each CPU slot:
 *
 *	+--------+ +------+-----+-----+- -+-----+ +------+-----+- -+-----+ +- -
 *	| stream | | type | CPU | CPU |   | CPU | | type | CPU |   | CPU | |
 *	| header | | hdr  |  0  |  1  |   | n-1 | | hdr  |  0  |   | n-1 | |
 *	+--------+ +------+-----+-----+- -+-----+ +------+-----+- -+-----+ +- -
 *	 16 bytes   120    64 each                 120    64 each
 *
 *	size of the whole = 16 + ush_count * (120 + ush_maxcpus * 64)
 *
 * What a reader has to know:
 *
 * - The number of CPU slots is ush_maxcpus of this very stream.  No constant
 *   that a reader was compiled with bounds it, and it may be larger than the
 *   number of CPUs that are running: a CPU that cannot exist or that has never
 *   run has a slot of zeros, one that has gone keeps its counts.
 * - Zones come and go.  zone_count only says how many there were a moment ago;
 *   ush_count says how many records this stream has.  One open of the file is
 *   one coherent snapshot, whatever sizes it is read in, but records of two
 *   snapshots belong together by their names and not by their positions.
 *   Names need not be unique.
 * - All integers have the byte order of the machine that wrote the stream.  A
 *   reader that finds ush_version byte-swapped has a stream from the other
 *   kind of machine.
 * - Nothing here depends on the word size: every field has a fixed width and
 *   sits at a multiple of its own width, so 32-bit and 64-bit readers get the
 *   same bytes at the same offsets.
 * - A zone's total is its own count plus that of all its CPU slots.  The
 *   counts move from a slot to the zone as buckets are exchanged, hence
 *   neither part alone means anything over time; the totals never go down.
 *   In use: allocations less frees.
 * - A secondary zone (UTH_ZONE_SECONDARY) draws on another zone's keg and
 *   shows that keg's pages and free items, too.  Whoever adds zones up counts
 *   uth_keg_free and uth_pages for zones without the flag only.
 * - Pads and reserved fields are written as zero and to be ignored when read.
 */
#ifndef _UMA_UMA_STREAM_H
#define _UMA_UMA_STREAM_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#else
#include <assert.h>
#include <stddef.h>
#endif

/* Any change of layout or meaning gets a new version. */
#define UMA_STREAM_VERSION	1U

/* Size of a name with its terminator: a longer one is cut, and terminated. */
#define UTH_MAX_NAME		32

/* Bits of uth_zone_flags; a reader ignores those it does not know. */
#define UTH_ZONE_SECONDARY	0x00000001U	/* Stacked on another's keg. */

/**
 * struct uma_stream_header - opens the stream
 * @ush_version: UMA_STREAM_VERSION
 * @ush_maxcpus: CPU slots in each record
 * @ush_count: records that follow
 * @_ush_pad: zero
 */
struct uma_stream_header {
	__u32	ush_version;
	__u32	ush_maxcpus;
	__u32	ush_count;
	__u32	_ush_pad;
};

/**
 * struct uma_type_header - opens a zone's record
 * @uth_name: the zone's name, always terminated, padded with zeros
 * @uth_align: alignment of items, as a mask (2^n - 1)
 * @uth_size: bytes that the zone's creator asked for, per item
 * @uth_rsize: bytes that an item takes in its slab, padding included
 * @uth_maxpages: limit in pages; 0: none
 * @uth_limit: the same limit in items; 0: none
 * @uth_pages: pages that the keg holds now
 * @uth_keg_free: free items in the keg's slabs (a secondary zone shows those
 *		of the keg that it shares)
 * @uth_zone_free: free items in the zone's own full buckets
 * @uth_bucketsize: items that a new bucket of this zone holds
 * @uth_zone_flags: UTH_ZONE_* bits
 * @uth_allocs: allocations that the CPU slots do not (or no longer) count
 * @uth_frees: frees, likewise
 * @uth_fails: allocations that failed
 * @uth_sleeps: allocations that had to sleep on the zone's limit
 * @uth_xdomain: frees of an item to another memory domain than its own
 * @_uth_reserved1: zero
 *
 * Free items in all: @uth_keg_free, once per keg, plus @uth_zone_free plus
 * ups_cache_free of every slot.
 */
struct uma_type_header {
	char	uth_name[UTH_MAX_NAME];
	__u32	uth_align;
	__u32	uth_size;
	__u32	uth_rsize;
	__u32	uth_maxpages;
	__u32	uth_limit;
	__u32	uth_pages;
	__u32	uth_keg_free;
	__u32	uth_zone_free;
	__u32	uth_bucketsize;
	__u32	uth_zone_flags;
	__u64	uth_allocs;
	__u64	uth_frees;
	__u64	uth_fails;
	__u64	uth_sleeps;
	__u64	uth_xdomain;
	__u64	_uth_reserved1;
};

/**
 * struct uma_percpu_stat - one CPU slot of a zone's record
 * @ups_allocs: allocations from this CPU's cache since its last exchange
 * @ups_frees: frees to this CPU's cache, likewise
 * @ups_cache_free: free items in this CPU's cache
 * @_ups_reserved: zero
 */
struct uma_percpu_stat {
	__u64	ups_allocs;
	__u64	ups_frees;
	__u64	ups_cache_free;
	__u64	_ups_reserved[5];
};

/*
 * The stream of malloc types, as read from malloc_stats beside zone_stats. It
 * is built alike, one header, then one record for each type, and all that is
 * said above of slots, snapshots, byte order and widths holds for it:
 *
 *	+--------+ +------+-----+-----+- -+-----+ +------+-----+- -+-----+ +- -
 *	| stream | | type | CPU | CPU |   | CPU | | type | CPU |   | CPU | |
 *	| header | | hdr  |  0  |  1  |   | n-1 | | hdr  |  0  |   | n-1 | |
 *	+--------+ +------+-----+-----+- -+-----+ +------+-----+- -+-----+ +- -
 *	 16 bytes    32    64 each                  32    64 each
 *
 *	size of the whole = 16 + mtsh_count * (32 + mtsh_maxcpus * 64)
 *
 * - A type has no counts but those of its CPU slots. Blocks are counted where
 *   the call ran: one that is allocated on one CPU and freed on another shows in
 *   two slots, so only the sums mean anything. None of them ever goes down.
 * - Bytes are those that the blocks really take, not those that were asked for.
 */

#define MALLOC_TYPE_STREAM_VERSION	1U

/* Size of a name with its terminator, as UTH_MAX_NAME. */
#define MALLOC_MAX_NAME		32

/**
 * struct malloc_type_stream_header - opens the stream
 * @mtsh_version: MALLOC_TYPE_STREAM_VERSION
 * @mtsh_maxcpus: CPU slots in each record
 * @mtsh_count: records that follow
 * @_mtsh_pad: zero
 */
struct malloc_type_stream_header {
	__u32	mtsh_version;
	__u32	mtsh_maxcpus;
	__u32	mtsh_count;
	__u32	_mtsh_pad;
};

/**
 * struct malloc_type_header - opens a type's record
 * @mth_name: the type's name, always terminated, padded with zeros
 */
struct malloc_type_header {
	char	mth_name[MALLOC_MAX_NAME];
};

/**
 * struct malloc_type_stats - one CPU slot of a type's record
 * @mts_memalloced: bytes allocated
 * @mts_memfreed: bytes freed
 * @mts_numallocs: blocks allocated
 * @mts_numfrees: blocks freed
 * @mts_size: bit n is set once a block of at most 16 << n bytes, and of more than
 *	8 << n, was allocated
 * @mts_fails: allocations that failed
 * @_mts_reserved: zero
 */
struct malloc_type_stats {
	__u64	mts_memalloced;
	__u64	mts_memfreed;
	__u64	mts_numallocs;
	__u64	mts_numfrees;
	__u64	mts_size;
	__u64	mts_fails;
	__u64	_mts_reserved[2];
};

/* A language older than C11 or C++11 cannot check; the rest works there too. */
#if defined(__cplusplus) || __STDC_VERSION__ >= 201112L
#define UMA_STREAM_ASSERT(expr)	static_assert(expr, #expr)
#define UMA_STREAM_AT(type, field, offset)				\
	UMA_STREAM_ASSERT(offsetof(struct type, field) == (offset))

UMA_STREAM_AT(uma_stream_header, ush_version, 0);
UMA_STREAM_AT(uma_stream_header, ush_maxcpus, 4);
UMA_STREAM_AT(uma_stream_header, ush_count, 8);
UMA_STREAM_AT(uma_stream_header, _ush_pad, 12);
UMA_STREAM_ASSERT(sizeof(struct uma_stream_header) == 16);

UMA_STREAM_AT(uma_type_header, uth_name, 0);
UMA_STREAM_AT(uma_type_header, uth_align, 32);
UMA_STREAM_AT(uma_type_header, uth_size, 36);
UMA_STREAM_AT(uma_type_header, uth_rsize, 40);
UMA_STREAM_AT(uma_type_header, uth_maxpages, 44);
UMA_STREAM_AT(uma_type_header, uth_limit, 48);
UMA_STREAM_AT(uma_type_header, uth_pages, 52);
UMA_STREAM_AT(uma_type_header, uth_keg_free, 56);
UMA_STREAM_AT(uma_type_header, uth_zone_free, 60);
UMA_STREAM_AT(uma_type_header, uth_bucketsize, 64);
UMA_STREAM_AT(uma_type_header, uth_zone_flags, 68);
UMA_STREAM_AT(uma_type_header, uth_allocs, 72);
UMA_STREAM_AT(uma_type_header, uth_frees, 80);
UMA_STREAM_AT(uma_type_header, uth_fails, 88);
UMA_STREAM_AT(uma_type_header, uth_sleeps, 96);
UMA_STREAM_AT(uma_type_header, uth_xdomain, 104);
UMA_STREAM_AT(uma_type_header, _uth_reserved1, 112);
UMA_STREAM_ASSERT(sizeof(struct uma_type_header) == 120);

UMA_STREAM_AT(uma_percpu_stat, ups_allocs, 0);
UMA_STREAM_AT(uma_percpu_stat, ups_frees, 8);
UMA_STREAM_AT(uma_percpu_stat, ups_cache_free, 16);
UMA_STREAM_AT(uma_percpu_stat, _ups_reserved, 24);
UMA_STREAM_ASSERT(sizeof(struct uma_percpu_stat) == 64);

UMA_STREAM_AT(malloc_type_stream_header, mtsh_version, 0);
UMA_STREAM_AT(malloc_type_stream_header, mtsh_maxcpus, 4);
UMA_STREAM_AT(malloc_type_stream_header, mtsh_count, 8);
UMA_STREAM_AT(malloc_type_stream_header, _mtsh_pad, 12);
UMA_STREAM_ASSERT(sizeof(struct malloc_type_stream_header) == 16);

UMA_STREAM_AT(malloc_type_header, mth_name, 0);
UMA_STREAM_ASSERT(sizeof(struct malloc_type_header) == 32);

UMA_STREAM_AT(malloc_type_stats, mts_memalloced, 0);
UMA_STREAM_AT(malloc_type_stats, mts_memfreed, 8);
UMA_STREAM_AT(malloc_type_stats, mts_numallocs, 16);
UMA_STREAM_AT(malloc_type_stats, mts_numfrees, 24);
UMA_STREAM_AT(malloc_type_stats, mts_size, 32);
UMA_STREAM_AT(malloc_type_stats, mts_fails, 40);
UMA_STREAM_AT(malloc_type_stats, _mts_reserved, 48);
UMA_STREAM_ASSERT(sizeof(struct malloc_type_stats) == 64);

#undef UMA_STREAM_AT
#undef UMA_STREAM_ASSERT
#endif

#endif /* _UMA_UMA_STREAM_H */
