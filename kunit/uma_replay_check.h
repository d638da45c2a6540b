/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes an operation list valid. Pure functions, the same ones in the
 * module, which believes nothing that was written to it, and in kmemops, which
 * shows lists to people and is fuzzed in their place.
 */
#ifndef _UMA_REPLAY_CHECK_H
#define _UMA_REPLAY_CHECK_H

#include "uma_replay.h"
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

/**
 * struct uma_replay_flaw - why a list is refused
 * @what: a phrase, "no cache with this index"
 * @where: what @index counts: "header", "cache", "operation"
 * @index: which one
 * @value: the value that is wrong
 */
struct uma_replay_flaw {
	const char *what;
	const char *where;
	__u32 index;
	__u64 value;
};

/**
 * struct uma_replay_facts - what the check of a valid list learns in passing
 * @allocs: operations that allocate
 * @left: objects live after the last operation
 * @peak_op: after this many operations the live objects have most bytes
 * @peak_bytes: those bytes
 * @peak_objects: the live objects at that moment
 */
struct uma_replay_facts {
	__u32 allocs;
	__u32 left;
	__u32 peak_op;
	__u32 peak_objects;
	__u64 peak_bytes;
};

/**
 * uma_replay_sum() - checksum of a list
 * @list: the list, 8-byte aligned
 * @length: its bytes, a multiple of 8 of at least the header's size
 *
 * Catches a list that was cut, mixed with another or changed on its way; it is
 * no protection against malice, and needs none: every field is checked.
 */
static inline __u64 uma_replay_sum(const void *list, __u64 length)
{
	const __u64 *word = list;
	const __u64 skip = offsetof(struct uma_replay_header, checksum) / 8;
	__u64 sum = 0xcbf29ce484222325ULL;
	__u64 i;

	for (i = 0; i < length / 8; i++) {
		sum ^= i == skip ? 0 : word[i];
		sum *= 0x100000001b3ULL;
		sum ^= sum >> 29;
	}
	return sum;
}

static inline int uma_replay_bad(struct uma_replay_flaw *flaw, const char *where,
				 __u32 index, const char *what, __u64 value)
{
	flaw->where = where;
	flaw->index = index;
	flaw->what = what;
	flaw->value = value;
	return -1;
}

/**
 * uma_replay_check_header() - whether a header by itself makes sense
 * @h: the header
 * @flaw: filled in when it does not
 *
 * After this the length and the counts are within the limits and agree.
 *
 * Return: 0, or -1.
 */
static inline int uma_replay_check_header(const struct uma_replay_header *h,
					  struct uma_replay_flaw *flaw)
{
	if (memcmp(h->magic, UMA_REPLAY_MAGIC, sizeof(h->magic)))
		return uma_replay_bad(flaw, "header", 0, "not an operation list",
				      h->magic[0]);
	if (h->version != UMA_REPLAY_VERSION)
		return uma_replay_bad(flaw, "header", 0, "unknown version",
				      h->version);
	if (h->reserved0 || h->reserved1[0] || h->reserved1[1])
		return uma_replay_bad(flaw, "header", 0,
				      "reserved field not zero",
				      h->reserved0 | h->reserved1[0] |
				      h->reserved1[1]);
	if (!h->ops || h->ops > UMA_REPLAY_MAX_OPS)
		return uma_replay_bad(flaw, "header", 0,
				      "number of operations out of range",
				      h->ops);
	if (!h->caches || h->caches > UMA_REPLAY_MAX_CACHES)
		return uma_replay_bad(flaw, "header", 0,
				      "number of caches out of range",
				      h->caches);
	if (!h->cpus || h->cpus > UMA_REPLAY_MAX_CPUS)
		return uma_replay_bad(flaw, "header", 0,
				      "number of CPUs out of range", h->cpus);
	if (!h->slots || h->slots > h->ops)
		return uma_replay_bad(flaw, "header", 0,
				      "number of slots out of range", h->slots);
	if (h->length != uma_replay_length(h->caches, h->ops))
		return uma_replay_bad(flaw, "header", 0,
				      "length does not agree with the counts",
				      h->length);
	return 0;
}

static inline int uma_replay_check_cache(const struct uma_replay_cache *c,
					 __u32 i, struct uma_replay_flaw *flaw)
{
	const struct uma_replay_cache *me = &c[i];
	__u32 n, k;

	for (n = 0; n < sizeof(me->name) && me->name[n]; n++)
		if (me->name[n] <= ' ' || me->name[n] > '~' ||
		    me->name[n] == '/')
			return uma_replay_bad(flaw, "cache", i,
					      "character not allowed in a name",
					      (__u8)me->name[n]);
	if (!n || n == sizeof(me->name))
		return uma_replay_bad(flaw, "cache", i,
				      "name empty or without an end", n);
	for (k = n; k < sizeof(me->name); k++)
		if (me->name[k])
			return uma_replay_bad(flaw, "cache", i,
					      "name not padded with zeroes", k);
	if (me->size < UMA_REPLAY_MIN_SIZE || me->size > UMA_REPLAY_MAX_SIZE)
		return uma_replay_bad(flaw, "cache", i, "size out of range",
				      me->size);
	if (me->stride && me->stride < me->size)
		return uma_replay_bad(flaw, "cache", i,
				      "stride smaller than the size",
				      me->stride);
	for (k = 0; k < i; k++)
		if (!memcmp(c[k].name, me->name, sizeof(me->name)))
			return uma_replay_bad(flaw, "cache", i,
					      "same name as cache", k);
	return 0;
}

/**
 * uma_replay_check() - whether a list is valid
 * @list: the list, 8-byte aligned
 * @length: bytes that there are
 * @live: for each slot of the header an element, zeroed; scratch. The caller
 *	has called uma_replay_check_header() to know how many.
 * @facts: filled in when it is
 * @flaw: filled in when it is not
 *
 * Return: 0, or -1.
 */
static inline int uma_replay_check(const void *list, __u64 length, __u16 *live,
				   struct uma_replay_facts *facts,
				   struct uma_replay_flaw *flaw)
{
	const struct uma_replay_header *h = list;
	const struct uma_replay_cache *caches;
	const struct uma_replay_op *ops;
	__u64 bytes = 0;
	__u32 objects = 0;
	__u32 i;

	memset(facts, 0, sizeof(*facts));
	if (length < sizeof(*h))
		return uma_replay_bad(flaw, "header", 0, "list too short",
				      length);
	if (uma_replay_check_header(h, flaw))
		return -1;
	if (h->length != length)
		return uma_replay_bad(flaw, "header", 0,
				      "length is not that of the list",
				      h->length);
	if (h->checksum != uma_replay_sum(list, length))
		return uma_replay_bad(flaw, "header", 0, "wrong checksum",
				      h->checksum);

	caches = (const struct uma_replay_cache *)(h + 1);
	for (i = 0; i < h->caches; i++)
		if (uma_replay_check_cache(caches, i, flaw))
			return -1;

	/* In @live a slot holds its cache's index plus one while it is live. */
	ops = (const struct uma_replay_op *)(caches + h->caches);
	for (i = 0; i < h->ops; i++) {
		const struct uma_replay_op *op = &ops[i];

		if ((op->cpu & UMA_REPLAY_CPU) >= h->cpus)
			return uma_replay_bad(flaw, "operation", i,
					      "CPU out of range",
					      op->cpu & UMA_REPLAY_CPU);
		if (op->cache >= h->caches)
			return uma_replay_bad(flaw, "operation", i,
					      "cache out of range", op->cache);
		if (op->slot >= h->slots)
			return uma_replay_bad(flaw, "operation", i,
					      "slot out of range", op->slot);
		if (op->cpu & UMA_REPLAY_ALLOC) {
			if (live[op->slot])
				return uma_replay_bad(flaw, "operation", i,
						      "allocates a live slot",
						      op->slot);
			live[op->slot] = op->cache + 1;
			facts->allocs++;
			objects++;
			bytes += caches[op->cache].size;
			if (bytes > facts->peak_bytes) {
				facts->peak_bytes = bytes;
				facts->peak_objects = objects;
				facts->peak_op = i + 1;
			}
		} else {
			if (!live[op->slot])
				return uma_replay_bad(flaw, "operation", i,
						      "frees a free slot",
						      op->slot);
			if (live[op->slot] != op->cache + 1)
				return uma_replay_bad(flaw, "operation", i,
						      "frees to another cache",
						      op->cache);
			live[op->slot] = 0;
			objects--;
			bytes -= caches[op->cache].size;
		}
	}
	facts->left = objects;
	return 0;
}

#endif /* _UMA_REPLAY_CHECK_H */
