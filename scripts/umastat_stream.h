/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reader of the two statistics streams (uma/uma_stream.h), that of zones and
 * that of malloc types, which trusts nothing in them.
 *
 * umastat_stream_parse(), or umastat_malloc_parse(), looks at every record once
 * and either accepts the whole stream or says in one line what is wrong with it.
 * After that the other functions cannot fail. Nothing is allocated, and the stream's bytes are
 * neither copied nor changed: they must stay as they are while it is in use,
 * and they need no alignment.
 */
#ifndef _SCRIPTS_UMASTAT_STREAM_H
#define _SCRIPTS_UMASTAT_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "uma/uma_stream.h"

/* No more is read, whatever a header claims: 1000 zones on 4000 CPUs. */
#define UMASTAT_MAX_BYTES	((size_t)256 << 20)

/* Room for the line that says what is wrong. */
#define UMASTAT_WHY		160

/**
 * struct umastat_stream - a stream that has been looked at
 * @bytes: the stream
 * @record: bytes of one record
 * @size: bytes of the whole stream, by its own header
 * @maxcpus: CPU slots of each record
 * @count: records
 */
struct umastat_stream {
	const unsigned char *bytes;
	size_t record;
	size_t size;
	__u32 maxcpus;
	__u32 count;
};

/**
 * struct umastat_zone - a record, added up
 * @uth: the type header; its name is terminated
 * @secondary: whether the zone shares another's keg
 * @allocs: allocations of the zone and all its CPU slots
 * @frees: frees, likewise; more than @allocs where somebody freed twice
 * @cache_free: free items in the CPU caches
 * @free: free items that are the zone's to show: a secondary zone leaves the
 *	  keg's to the zone that it is stacked on
 */
struct umastat_zone {
	struct uma_type_header uth;
	bool secondary;
	__u64 allocs;
	__u64 frees;
	__u64 cache_free;
	__u64 free;
};

/**
 * struct umastat_type - a record of a malloc type, added up
 * @name: the type's name, terminated
 * @allocs: blocks allocated
 * @frees: blocks freed; more than @allocs where somebody freed twice
 * @bytes_allocated: bytes allocated
 * @bytes_freed: bytes freed, likewise
 * @fails: allocations that failed
 * @sizes: bit n: blocks of at most 16 << n bytes were allocated
 */
struct umastat_type {
	char name[MALLOC_MAX_NAME];
	__u64 allocs;
	__u64 frees;
	__u64 bytes_allocated;
	__u64 bytes_freed;
	__u64 fails;
	__u64 sizes;
};

/* The largest size that 64 bits hold has this bit. */
#define UMASTAT_LAST_SIZE	59

bool umastat_stream_header(struct umastat_stream *stream, const void *bytes,
			   size_t len, char why[UMASTAT_WHY]);
bool umastat_stream_parse(struct umastat_stream *stream, const void *bytes,
			  size_t len, char why[UMASTAT_WHY]);
void umastat_stream_zone(const struct umastat_stream *stream, __u32 i,
			 struct umastat_zone *zone);
void umastat_stream_cpu(const struct umastat_stream *stream, __u32 i,
			__u32 cpu, struct uma_percpu_stat *slot);

bool umastat_malloc_header(struct umastat_stream *stream, const void *bytes,
			   size_t len, char why[UMASTAT_WHY]);
bool umastat_malloc_parse(struct umastat_stream *stream, const void *bytes,
			  size_t len, char why[UMASTAT_WHY]);
void umastat_malloc_type(const struct umastat_stream *stream, __u32 i,
			 struct umastat_type *type);
void umastat_malloc_cpu(const struct umastat_stream *stream, __u32 i,
			__u32 cpu, struct malloc_type_stats *slot);

#endif /* _SCRIPTS_UMASTAT_STREAM_H */
