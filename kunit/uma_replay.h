/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operation list: what kmemops makes of a recording and uma_replay.ko
 * replays. For plain C and for the kernel alike.
 *
 *	+--------------------+ 0
 *	| header             |
 *	+--------------------+ 64
 *	| cache 0            |	name and size of one kernel cache
 *	| cache 1 ...        |
 *	+--------------------+ 64 + 40 * caches
 *	| operation 0        |	in the order of the recording
 *	| operation 1 ...    |
 *	+--------------------+ length
 *
 * All integers have the byte order of the machine that wrote the list, which
 * is the one that replays it. An address of the recording became a slot: a
 * small number that stands for one live object and is used again after its
 * free, so that a replay needs an array and no search.
 */
#ifndef _UMA_REPLAY_H
#define _UMA_REPLAY_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#else
#include <assert.h>
#include <stddef.h>
#endif

#define UMA_REPLAY_MAGIC	"UMAREPLY"	/* 8 bytes, no NUL */
#define UMA_REPLAY_VERSION	1

/* Limits: they bound the memory that a list can make the kernel take. */
#define UMA_REPLAY_MAX_OPS	2097152U
#define UMA_REPLAY_MAX_CACHES	512U
#define UMA_REPLAY_MAX_CPUS	1024U
#define UMA_REPLAY_MIN_SIZE	8U		/* the first word is written */
#define UMA_REPLAY_MAX_SIZE	65536U
#define UMA_REPLAY_NAME		32

/**
 * struct uma_replay_header - how a list begins
 * @magic: UMA_REPLAY_MAGIC
 * @version: UMA_REPLAY_VERSION
 * @reserved0: zero
 * @length: bytes of the list, this header included
 * @checksum: uma_replay_sum() of the list, this field taken as zero
 * @cpus: one more than the highest CPU number that an operation has
 * @caches: entries of the cache table
 * @slots: one more than the highest slot that an operation has
 * @ops: operations
 * @reserved1: zero
 */
struct uma_replay_header {
	__u8 magic[8];
	__u32 version;
	__u32 reserved0;
	__u64 length;
	__u64 checksum;
	__u32 cpus;
	__u32 caches;
	__u32 slots;
	__u32 ops;
	__u64 reserved1[2];
};

/**
 * struct uma_replay_cache - one cache of the recording
 * @name: printable, without space and slash, unique in the list, padded with
 *	zeroes and always ended by one
 * @size: bytes that a user of the cache asks for
 * @stride: bytes that the recorded kernel took for them, or 0 where unknown;
 *	for people, the replay takes no notice
 */
struct uma_replay_cache {
	char name[UMA_REPLAY_NAME];
	__u32 size;
	__u32 stride;
};

/**
 * struct uma_replay_op - one operation
 * @slot: the object; an allocation needs a slot that is free, a free one that
 *	is live
 * @cache: index in the cache table; of a free, that of its allocation
 * @cpu: the CPU, with UMA_REPLAY_ALLOC in an allocation
 */
struct uma_replay_op {
	__u32 slot;
	__u16 cache;
	__u16 cpu;
};

#define UMA_REPLAY_ALLOC	0x8000U
#define UMA_REPLAY_CPU		0x7fffU

static_assert(sizeof(struct uma_replay_header) == 64);
static_assert(offsetof(struct uma_replay_header, magic) == 0);
static_assert(offsetof(struct uma_replay_header, version) == 8);
static_assert(offsetof(struct uma_replay_header, reserved0) == 12);
static_assert(offsetof(struct uma_replay_header, length) == 16);
static_assert(offsetof(struct uma_replay_header, checksum) == 24);
static_assert(offsetof(struct uma_replay_header, cpus) == 32);
static_assert(offsetof(struct uma_replay_header, caches) == 36);
static_assert(offsetof(struct uma_replay_header, slots) == 40);
static_assert(offsetof(struct uma_replay_header, ops) == 44);
static_assert(offsetof(struct uma_replay_header, reserved1) == 48);
static_assert(sizeof(struct uma_replay_cache) == 40);
static_assert(offsetof(struct uma_replay_cache, name) == 0);
static_assert(offsetof(struct uma_replay_cache, size) == 32);
static_assert(offsetof(struct uma_replay_cache, stride) == 36);
static_assert(sizeof(struct uma_replay_op) == 8);
static_assert(offsetof(struct uma_replay_op, slot) == 0);
static_assert(offsetof(struct uma_replay_op, cache) == 4);
static_assert(offsetof(struct uma_replay_op, cpu) == 6);
static_assert(UMA_REPLAY_MAX_CPUS <= UMA_REPLAY_CPU);
static_assert(UMA_REPLAY_MAX_CACHES <= 0xffff);

/**
 * uma_replay_length() - bytes of a list with these counts
 * @caches: entries of the cache table
 * @ops: operations
 *
 * Return: the length; cannot overflow.
 */
static inline __u64 uma_replay_length(__u32 caches, __u32 ops)
{
	return sizeof(struct uma_replay_header) +
	       (__u64)caches * sizeof(struct uma_replay_cache) +
	       (__u64)ops * sizeof(struct uma_replay_op);
}

#ifdef __KERNEL__

/* The kernel's side: what kunit/replay_test.c calls (namespace UMA_TEST). */

/* When pages are counted, in uma_replay_result. */
enum uma_replay_moment {
	UMA_REPLAY_PEAK,	/* most pages at one time */
	UMA_REPLAY_END,		/* after the last operation */
	UMA_REPLAY_FREED,	/* after every object was freed */
	UMA_REPLAY_MOMENTS
};

/**
 * struct uma_replay_result - what one run found
 * @ops: operations of the list
 * @allocs: of those, allocations
 * @left: objects live at the end of the list, which the run then frees
 * @peak_objects: objects live when most bytes are
 * @peak_bytes: those bytes
 * @fails: allocations that failed; 0 in a run that succeeded
 * @damaged: objects whose first word changed between allocation and free; 0
 *	in a run that succeeded
 * @uma_pages: pages of the zones' kegs
 * @slab_pages: pages of the kernel's caches, or -1 where they cannot be known
 */
struct uma_replay_result {
	u32 ops;
	u32 allocs;
	u32 left;
	u32 peak_objects;
	u64 peak_bytes;
	u64 fails;
	u64 damaged;
	long uma_pages[UMA_REPLAY_MOMENTS];
	long slab_pages[UMA_REPLAY_MOMENTS];
};

struct uma_replay;
struct seq_file;

struct uma_replay *uma_replay_create(void);
void uma_replay_destroy(struct uma_replay *r);
int uma_replay_begin(struct uma_replay *r);
int uma_replay_feed(struct uma_replay *r, const void *buf, size_t len);
int uma_replay_run(struct uma_replay *r, struct uma_replay_result *res);
int uma_replay_drop(struct uma_replay *r);
void uma_replay_show(struct uma_replay *r, struct seq_file *m);

#endif /* __KERNEL__ */
#endif /* _UMA_REPLAY_H */
