/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/vmsim: the VM, driven from user space.  User-space ABI: plain C, C++ and the
 * kernel all include this file, and each of them checks the layout when it is
 * compiled.
 *
 * An open file is an address space.  It begins empty, and its memory can be reached
 * through it only: nothing of it appears among the caller's own addresses.  A fork
 * gives a second open file, whose space is the child's; closing the last descriptor
 * of a file ends its space.  Several threads may use one file at the same time.
 *
 * What a user has to know:
 *
 * - Every call is an ioctl with one of the structures below, and the number of the
 *   call holds the structure's size.  A call that a kernel does not know is ENOTTY.
 * - All fields have a fixed width and sit at a multiple of it, so 32-bit and 64-bit
 *   programs share one layout.  A pointer is stored in a field of 64 bits.
 * - Reserved fields, and bits that have no name here, must be zero, or the call is
 *   EINVAL and does nothing: so that they can get a meaning later.  What the kernel
 *   writes into reserved fields is zero.
 * - Addresses, lengths and offsets are in bytes and multiples of vi_page_size, but
 *   in VMSIM_READ and VMSIM_WRITE, which take any.  A range that is empty, wraps, or
 *   leaves the space is EINVAL.
 * - A call that fails has changed nothing, with these exceptions: VMSIM_READ and
 *   VMSIM_WRITE tell how far they came; VMSIM_SYNC and VMSIM_ADVISE may have been
 *   applied to a part of the range; and with VMSIM_MAP_FIXED, what was there may be
 *   gone.
 *
 * Any change of layout or meaning gets a new version.
 */
#ifndef _VMSIM_VMSIM_CTL_H
#define _VMSIM_VMSIM_CTL_H

#include <linux/ioctl.h>
#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

#define VMSIM_CTL_VERSION	1U
#define VMSIM_DEVICE		"/dev/vmsim"

/* What may be done with memory; bits. */
#define VMSIM_PROT_NONE		0x0U
#define VMSIM_PROT_READ		0x1U
#define VMSIM_PROT_WRITE	0x2U
#define VMSIM_PROT_EXEC		0x4U
#define VMSIM_PROT_ALL		0x7U

/**
 * struct vmsim_info - VMSIM_INFO: what there is
 * @vi_version: VMSIM_CTL_VERSION of the kernel
 * @vi_page_size: bytes of a page
 * @vi_min: lowest address of a space
 * @vi_max: the one behind its highest
 * @vi_max_pages: the most pages that this space may hold
 * @vi_max_entries: the most map entries
 * @vi_device_size: bytes of the device's memory that VMSIM_KIND_DEVICE maps
 * @vi_id: number of this space, in debugfs and in trace events
 * @vi_reserved: zero
 */
struct vmsim_info {
	__u32	vi_version;
	__u32	vi_page_size;
	__u64	vi_min;
	__u64	vi_max;
	__u64	vi_max_pages;
	__u64	vi_max_entries;
	__u64	vi_device_size;
	__u32	vi_id;
	__u32	vi_reserved;
};

/* What a mapping shows. */
#define VMSIM_KIND_ANON		0U	/* zeroes, until something is written */
#define VMSIM_KIND_FILE		1U	/* a regular file or a block device */
#define VMSIM_KIND_DEVICE	2U	/* memory of a device, the same to all */
#define VMSIM_KIND_PHYS		3U	/* like ANON, and never paged out */
#define VMSIM_KIND_GUARD	4U	/* nothing: an access is an error */

#define VMSIM_MAP_FIXED		0x1U	/* at vm_addr; what is there goes */
#define VMSIM_MAP_PRIVATE	0x2U	/* FILE: writes make a copy */

/**
 * struct vmsim_map - VMSIM_MAP: make a mapping
 * @vm_addr: in: where, or where to begin to look for space; out: where it is
 * @vm_length: bytes
 * @vm_offset: FILE, DEVICE: where in it the mapping begins; else 0
 * @vm_kind: VMSIM_KIND_*
 * @vm_fd: FILE: a descriptor, open for reading, and for writing too if the mapping
 *	is not private and may be written to; else -1
 * @vm_prot: VMSIM_PROT_* now
 * @vm_max_prot: the most that VMSIM_PROTECT can give
 * @vm_flags: VMSIM_MAP_*
 * @vm_reserved: zero
 *
 * A mapping must lie within the file or device, its last page counted whole.  One of
 * a file, a device or PHYS that is not private is inherited as VMSIM_INHERIT_SHARE, any
 * other as VMSIM_INHERIT_COPY.  ENOMEM: there is no room of that length; ENOSPC: the
 * space has all the entries that it may have.
 */
struct vmsim_map {
	__u64	vm_addr;
	__u64	vm_length;
	__u64	vm_offset;
	__u32	vm_kind;
	__s32	vm_fd;
	__u32	vm_prot;
	__u32	vm_max_prot;
	__u32	vm_flags;
	__u32	vm_reserved;
};

/* VMSIM_INHERIT: what a child gets. */
#define VMSIM_INHERIT_SHARE	0U
#define VMSIM_INHERIT_COPY	1U
#define VMSIM_INHERIT_NONE	2U

/* VMSIM_ADVISE: what will be done with the memory. */
#define VMSIM_ADVISE_NORMAL	0U
#define VMSIM_ADVISE_RANDOM	1U
#define VMSIM_ADVISE_SEQUENTIAL	2U
#define VMSIM_ADVISE_WILLNEED	3U
#define VMSIM_ADVISE_DONTNEED	4U
#define VMSIM_ADVISE_FREE	5U	/* its contents are of no use any more */
#define VMSIM_ADVISE_PAGEOUT	6U	/* write it to its pager now, and let it go */

/* VMSIM_SYNC. */
#define VMSIM_SYNC_ASYNC	0x1U	/* begin, do not wait */
#define VMSIM_SYNC_INVALIDATE	0x2U	/* and forget what is resident */

/* VMSIM_PROTECT: vr_what is the new maximum. */
#define VMSIM_PROTECT_MAX	0x1U

/**
 * struct vmsim_range - what is done to a range of addresses
 * @vr_addr: its beginning
 * @vr_length: bytes
 * @vr_what: PROTECT: VMSIM_PROT_*, INHERIT: VMSIM_INHERIT_*, ADVISE: VMSIM_ADVISE_*;
 *	else 0
 * @vr_flags: PROTECT: VMSIM_PROTECT_MAX, SYNC: VMSIM_SYNC_*; else 0
 * @vr_reserved: zero
 *
 * For VMSIM_UNMAP, VMSIM_PROTECT, VMSIM_INHERIT and VMSIM_ADVISE a range may have
 * holes; for VMSIM_WIRE, VMSIM_UNWIRE and VMSIM_SYNC it may not (EFAULT).
 */
struct vmsim_range {
	__u64	vr_addr;
	__u64	vr_length;
	__u32	vr_what;
	__u32	vr_flags;
	__u64	vr_reserved;
};

/**
 * struct vmsim_rw - VMSIM_READ, VMSIM_WRITE: move bytes between a space and the caller
 * @rw_addr: where in the space
 * @rw_buffer: the caller's memory, a pointer
 * @rw_length: bytes
 * @rw_done: out: bytes moved, whether the call succeeds or not
 * @rw_reserved: zero
 *
 * EFAULT: nothing is mapped there, or what is behind it has nothing there, or the
 * caller's memory is no good.  EACCES: it may not be read, or written to.  EIO: a
 * pager could not bring it.  ENOMEM: no page was to be had, or the space holds all
 * pages that it may.  EINTR: a signal came.
 */
struct vmsim_rw {
	__u64	rw_addr;
	__u64	rw_buffer;
	__u64	rw_length;
	__u64	rw_done;
	__u64	rw_reserved;
};

/**
 * struct vmsim_fork - VMSIM_FORK: a child's space
 * @vf_fd: out: its descriptor, which is closed on exec
 * @vf_id: out: its vi_id
 * @vf_reserved: zero
 */
struct vmsim_fork {
	__s32	vf_fd;
	__u32	vf_id;
	__u64	vf_reserved;
};

/**
 * struct vmsim_swap - VMSIM_SWAPON, VMSIM_SWAPOFF: where anonymous pages go
 * @vs_path: a pointer to the path of a regular file or a block device
 * @vs_reserved: zero
 *
 * This is for all spaces.  SWAPOFF brings everything back first; ENOMEM if there is no
 * room for it, EINTR if a signal came: then the device still is one.
 */
struct vmsim_swap {
	__u64	vs_path;
	__u64	vs_reserved;
};

/* VMSIM_CONTIG. */
#define VMSIM_CONTIG_MAPPED	0x1U	/* as contigmalloc(9): with an address range */
#define VMSIM_CONTIG_OLD	0x2U	/* the old algorithm; not with MAPPED */
#define VMSIM_CONTIG_NOWAIT	0x4U	/* launder nothing, sleep for nobody */

/**
 * struct vmsim_contig - VMSIM_CONTIG: take physically contiguous memory
 * @vc_size: bytes, counted as whole pages
 * @vc_low: lowest physical address that it may have
 * @vc_high: the highest
 * @vc_align: its address is a multiple of this, a power of two; 0 for a page
 * @vc_boundary: no multiple of this power of two lies inside; 0 for none
 * @vc_phys: out: where it is
 * @vc_flags: VMSIM_CONTIG_*; with MAPPED the module's parameter old_contigmalloc names
 *	the algorithm, else it is the new one unless OLD says otherwise
 * @vc_id: out: its number, for VMSIM_RELEASE
 * @vc_reserved: zero
 *
 * It is held until VMSIM_RELEASE or the end of the space, and counts as the space's
 * pages do.  Nothing of it can be read or written: it is there to be had.  EINVAL: it
 * makes no sense; ENXIO: the pool has no page there; ENOMEM: it could not be had, or
 * the space holds all pages that it may.
 */
struct vmsim_contig {
	__u64	vc_size;
	__u64	vc_low;
	__u64	vc_high;
	__u64	vc_align;
	__u64	vc_boundary;
	__u64	vc_phys;
	__u32	vc_flags;
	__u32	vc_id;
	__u64	vc_reserved;
};

/**
 * struct vmsim_release - VMSIM_RELEASE: give contiguous memory back
 * @vr_id: its number
 * @vr_reserved: zero
 *
 * ENOENT: there is none of that number.
 */
struct vmsim_release {
	__u32	vr_id;
	__u32	vr_reserved;
};

/* Room for counters that there may be one day. */
#define VMSIM_COUNTERS		64

/*
 * What is counted, in all spaces, since the module was loaded; each is also a line of
 * vmsim/counters in debugfs.
 *
 * faults: faults handled
 * zero_fills: of those, that a fresh page answered
 * cow_faults: of those, that copied a page
 * cow_optimised: of those, that moved a page up instead of copying it
 * object_faults: of those, that found the page resident
 * pageins: pages that a pager brought
 * pageouts: pages that a pager took
 * pagein_errors: pages that a pager could not bring
 * pageout_errors: pages that a pager could not take, and that are still dirty
 * prefaults: translations entered beside the one that was asked for
 * reactivated: pages that a fault or advice took back from the inactive queue
 * shadows: shadow objects made
 * collapses: objects merged into the one above them
 * bypasses: objects taken out of a chain while others use them
 * collapse_waits: times that a collapse slept for a busy page or the pager
 * cache_taken: cached pages that were given a new owner
 * cache_skipped: cached pages that could not be, since they were locked or busy
 * page_waits: times that somebody slept until pages were free
 * busy_waits: times that somebody slept until a page was not busy
 * dead_wakeups: times that those who slept for a dying object were woken
 * scans: passes of page-out over the queues
 * scan_inactive: inactive pages that those looked at
 * scan_active: active ones
 * scan_freed: of the inactive ones, those that were clean and were freed
 * scan_cached: those that were clean and were cached
 * scan_uncached: cached pages that page-out freed
 * scan_reactivated: inactive ones that had been used meanwhile
 * scan_deactivated: active ones that had not
 * scan_laundered: pages that page-out gave to pagers, neighbours included
 * skip_locked: pages passed over since somebody had their object locked
 * skip_busy: since they were busy
 * skip_writing: since they were being written already
 * skip_held: since they were held
 * skip_dead: since their object was dying
 * skip_unmanaged: since they are never paged out; those leave their queue
 * skip_no_swap: dirty ones, since there was no room in swap
 * skip_failing: dirty ones, since the pager had failed a moment ago
 * hopeless: times that page-out told those who wait that there is nothing to wait for
 * zeroed_ahead: free pages zeroed ahead of need
 * zeroed_used: of those, pages that were handed out to who wanted zeroes
 * zero_yields: times that the zeroing thread let others run
 * write_errors: of pageout_errors, those of writes that nobody waited for
 */
#define VMSIM_EACH_COUNTER(X) \
	X(FAULTS, faults) \
	X(ZERO_FILLS, zero_fills) \
	X(COW_FAULTS, cow_faults) \
	X(COW_OPTIMISED, cow_optimised) \
	X(OBJECT_FAULTS, object_faults) \
	X(PAGEINS, pageins) \
	X(PAGEOUTS, pageouts) \
	X(PAGEIN_ERRORS, pagein_errors) \
	X(PAGEOUT_ERRORS, pageout_errors) \
	X(PREFAULTS, prefaults) \
	X(REACTIVATED, reactivated) \
	X(SHADOWS, shadows) \
	X(COLLAPSES, collapses) \
	X(BYPASSES, bypasses) \
	X(COLLAPSE_WAITS, collapse_waits) \
	X(CACHE_TAKEN, cache_taken) \
	X(CACHE_SKIPPED, cache_skipped) \
	X(PAGE_WAITS, page_waits) \
	X(BUSY_WAITS, busy_waits) \
	X(DEAD_WAKEUPS, dead_wakeups) \
	X(SCANS, scans) \
	X(SCAN_INACTIVE, scan_inactive) \
	X(SCAN_ACTIVE, scan_active) \
	X(SCAN_FREED, scan_freed) \
	X(SCAN_CACHED, scan_cached) \
	X(SCAN_UNCACHED, scan_uncached) \
	X(SCAN_REACTIVATED, scan_reactivated) \
	X(SCAN_DEACTIVATED, scan_deactivated) \
	X(SCAN_LAUNDERED, scan_laundered) \
	X(SKIP_LOCKED, skip_locked) \
	X(SKIP_BUSY, skip_busy) \
	X(SKIP_WRITING, skip_writing) \
	X(SKIP_HELD, skip_held) \
	X(SKIP_DEAD, skip_dead) \
	X(SKIP_UNMANAGED, skip_unmanaged) \
	X(SKIP_NO_SWAP, skip_no_swap) \
	X(SKIP_FAILING, skip_failing) \
	X(HOPELESS, hopeless) \
	X(ZEROED_AHEAD, zeroed_ahead) \
	X(ZEROED_USED, zeroed_used) \
	X(ZERO_YIELDS, zero_yields) \
	X(WRITE_ERRORS, write_errors)

/* Of vst_counter. */
enum vmsim_counter {
#define VMSIM_COUNTER(NAME, name)	VMSIM_##NAME,
	VMSIM_EACH_COUNTER(VMSIM_COUNTER)
#undef VMSIM_COUNTER
	VMSIM_COUNTER_COUNT,
};

/**
 * struct vmsim_stats - VMSIM_STATS: how things stand
 * @vst_entries: this space's map entries
 * @vst_size: bytes that it has mapped
 * @vst_resident: its translations
 * @vst_wired: of those, wired
 * @vst_tables: pages that its translations take
 * @vst_held: pages that it is taken to hold: see vi_max_pages
 * @vst_pool: from here on, of all spaces: pages of the pool
 * @vst_free: of those, free
 * @vst_active: pages on the active queue
 * @vst_inactive: on the inactive queue
 * @vst_cache: on the cache queue
 * @vst_wired_pages: wired pages
 * @vst_objects: objects
 * @vst_spaces: spaces
 * @vst_swap_total: pages of swap space
 * @vst_swap_used: of those, in use
 * @vst_reserved: zero
 * @vst_counter: by enum vmsim_counter; the rest is zero
 */
struct vmsim_stats {
	__u64	vst_entries;
	__u64	vst_size;
	__u64	vst_resident;
	__u64	vst_wired;
	__u64	vst_tables;
	__u64	vst_held;
	__u64	vst_pool;
	__u64	vst_free;
	__u64	vst_active;
	__u64	vst_inactive;
	__u64	vst_cache;
	__u64	vst_wired_pages;
	__u64	vst_objects;
	__u64	vst_spaces;
	__u64	vst_swap_total;
	__u64	vst_swap_used;
	__u64	vst_reserved[8];
	__u64	vst_counter[VMSIM_COUNTERS];
};

/**
 * struct vmsim_list - VMSIM_ENTRIES, VMSIM_OBJECTS: what a space consists of
 * @vl_buffer: a pointer to an array of struct vmsim_entry or struct vmsim_object
 * @vl_room: in: how many it can take, VMSIM_LIST_MAX at most
 * @vl_count: out: how many there are; those that have no room are left out
 * @vl_reserved: zero
 *
 * The objects are those that the entries show and those that are below them, each
 * once.
 */
struct vmsim_list {
	__u64	vl_buffer;
	__u32	vl_room;
	__u32	vl_count;
	__u64	vl_reserved;
};

#define VMSIM_LIST_MAX		65536U

/* Flags of an entry. */
#define VMSIM_ENTRY_COW		0x1U	/* writes do not reach what others see */
#define VMSIM_ENTRY_NEEDS_COPY	0x2U	/* a shadow comes with the next write */
#define VMSIM_ENTRY_GUARD	0x4U
#define VMSIM_ENTRY_USER_WIRED	0x8U

/**
 * struct vmsim_entry - one mapping
 * @ve_start: its first address
 * @ve_end: the one behind its last
 * @ve_offset: where in the object it begins, in bytes
 * @ve_object: the object's number, 0 if there is none yet
 * @ve_prot: VMSIM_PROT_*
 * @ve_max_prot: VMSIM_PROT_*
 * @ve_inherit: VMSIM_INHERIT_*
 * @ve_advice: VMSIM_ADVISE_NORMAL, _RANDOM or _SEQUENTIAL
 * @ve_wired: wirings, the user's counted as one
 * @ve_flags: VMSIM_ENTRY_*
 */
struct vmsim_entry {
	__u64	ve_start;
	__u64	ve_end;
	__u64	ve_offset;
	__u64	ve_object;
	__u32	ve_prot;
	__u32	ve_max_prot;
	__u32	ve_inherit;
	__u32	ve_advice;
	__u32	ve_wired;
	__u32	ve_flags;
};

/* Kinds of objects. */
#define VMSIM_OBJECT_DEFAULT	0U	/* anonymous, nothing paged out yet */
#define VMSIM_OBJECT_SWAP	1U	/* anonymous, some of it in swap once */
#define VMSIM_OBJECT_FILE	2U
#define VMSIM_OBJECT_DEVICE	3U
#define VMSIM_OBJECT_PHYS	4U
#define VMSIM_OBJECT_DEAD	5U

/**
 * struct vmsim_object - one object
 * @vo_id: its number, which no other object ever has
 * @vo_backing: the number of the one that it shadows, or 0
 * @vo_backing_offset: where in that it begins, in bytes
 * @vo_size: its pages
 * @vo_resident: of those, resident
 * @vo_swap: blocks of swap space that it has
 * @vo_type: VMSIM_OBJECT_*
 * @vo_refs: references
 * @vo_shadows: of those, by objects that shadow it
 * @vo_paging: operations that it waits for before it goes
 * @vo_page: of its first 64 pages, a bit each: resident
 * @vo_dirty: resident, and changed since it was written
 * @vo_behind: its pager has it
 */
struct vmsim_object {
	__u64	vo_id;
	__u64	vo_backing;
	__u64	vo_backing_offset;
	__u64	vo_size;
	__u64	vo_resident;
	__u64	vo_swap;
	__u32	vo_type;
	__u32	vo_refs;
	__u32	vo_shadows;
	__u32	vo_paging;
	__u64	vo_page;
	__u64	vo_dirty;
	__u64	vo_behind;
};

#define VMSIM_IOC		0xBD

#define VMSIM_INFO		_IOR(VMSIM_IOC, 0, struct vmsim_info)
#define VMSIM_MAP		_IOWR(VMSIM_IOC, 1, struct vmsim_map)
#define VMSIM_UNMAP		_IOW(VMSIM_IOC, 2, struct vmsim_range)
#define VMSIM_PROTECT		_IOW(VMSIM_IOC, 3, struct vmsim_range)
#define VMSIM_INHERIT		_IOW(VMSIM_IOC, 4, struct vmsim_range)
#define VMSIM_ADVISE		_IOW(VMSIM_IOC, 5, struct vmsim_range)
#define VMSIM_SYNC		_IOW(VMSIM_IOC, 6, struct vmsim_range)
#define VMSIM_WIRE		_IOW(VMSIM_IOC, 7, struct vmsim_range)
#define VMSIM_UNWIRE		_IOW(VMSIM_IOC, 8, struct vmsim_range)
#define VMSIM_READ		_IOWR(VMSIM_IOC, 9, struct vmsim_rw)
#define VMSIM_WRITE		_IOWR(VMSIM_IOC, 10, struct vmsim_rw)
#define VMSIM_FORK		_IOWR(VMSIM_IOC, 11, struct vmsim_fork)
#define VMSIM_SWAPON		_IOW(VMSIM_IOC, 12, struct vmsim_swap)
#define VMSIM_SWAPOFF		_IOW(VMSIM_IOC, 13, struct vmsim_swap)
#define VMSIM_STATS		_IOR(VMSIM_IOC, 14, struct vmsim_stats)
#define VMSIM_ENTRIES		_IOWR(VMSIM_IOC, 15, struct vmsim_list)
#define VMSIM_OBJECTS		_IOWR(VMSIM_IOC, 16, struct vmsim_list)
/* Recount all that can be counted in two ways; EUCLEAN if they differ. */
#define VMSIM_CHECK		_IO(VMSIM_IOC, 17)
#define VMSIM_CONTIG		_IOWR(VMSIM_IOC, 18, struct vmsim_contig)
#define VMSIM_RELEASE		_IOW(VMSIM_IOC, 19, struct vmsim_release)

static_assert(sizeof(struct vmsim_info) == 56, "vmsim_info");
static_assert(sizeof(struct vmsim_map) == 48, "vmsim_map");
static_assert(sizeof(struct vmsim_range) == 32, "vmsim_range");
static_assert(sizeof(struct vmsim_rw) == 40, "vmsim_rw");
static_assert(sizeof(struct vmsim_fork) == 16, "vmsim_fork");
static_assert(sizeof(struct vmsim_swap) == 16, "vmsim_swap");
static_assert(sizeof(struct vmsim_contig) == 64, "vmsim_contig");
static_assert(sizeof(struct vmsim_release) == 8, "vmsim_release");
static_assert(sizeof(struct vmsim_stats) == 704, "vmsim_stats");
static_assert(sizeof(struct vmsim_list) == 24, "vmsim_list");
static_assert(sizeof(struct vmsim_entry) == 56, "vmsim_entry");
static_assert(sizeof(struct vmsim_object) == 88, "vmsim_object");

#endif /* _VMSIM_VMSIM_CTL_H */
