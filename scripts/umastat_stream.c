// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the statistics streams, that of zones and that of malloc types.
 *
 * The layout carries almost no redundancy: a flipped bit in a count is just
 * another count. What can be checked is what a table's arithmetic rests on,
 * and it is checked before anything is believed:
 *
 * - the version, which also tells the byte order;
 * - that the bytes at hand are exactly those that the header announces. CPU
 *   slots and records are two numbers of 32 bits, so that their product can
 *   pass 64; it is never formed before it is known to be within
 *   UMASTAT_MAX_BYTES, and nothing is allocated by it;
 * - that each name ends within its field;
 * - that no sum over the CPU slots overflows;
 * - that a malloc type's sizes are such as there can be.
 *
 * More frees than allocations are no damage: an item that was freed twice
 * counts twice, and the table is where its owner will look. The difference is
 * shown as what it is, below zero, and umastat complains beside the table.
 */
#include <stdio.h>
#include <string.h>

#include "scripts/umastat_stream.h"

#define refuse(why, ...)	(snprintf(why, UMASTAT_WHY, __VA_ARGS__), false)

static const unsigned char *record_at(const struct umastat_stream *stream,
				      __u32 i)
{
	return stream->bytes + sizeof(struct uma_stream_header) +
	       i * stream->record;
}

/* Add up record @i. False: a sum does not fit. */
static bool sum_zone(const struct umastat_stream *stream, __u32 i,
		     struct umastat_zone *zone)
{
	struct uma_percpu_stat slot;
	bool overflow = false;
	__u32 cpu;

	memcpy(&zone->uth, record_at(stream, i), sizeof(zone->uth));
	zone->secondary = zone->uth.uth_zone_flags & UTH_ZONE_SECONDARY;
	zone->allocs = zone->uth.uth_allocs;
	zone->frees = zone->uth.uth_frees;
	zone->cache_free = 0;
	for (cpu = 0; cpu < stream->maxcpus; cpu++) {
		umastat_stream_cpu(stream, i, cpu, &slot);
		overflow |= __builtin_add_overflow(zone->allocs,
						   slot.ups_allocs,
						   &zone->allocs);
		overflow |= __builtin_add_overflow(zone->frees, slot.ups_frees,
						   &zone->frees);
		overflow |= __builtin_add_overflow(zone->cache_free,
						   slot.ups_cache_free,
						   &zone->cache_free);
	}
	overflow |= __builtin_add_overflow(zone->cache_free,
					   zone->uth.uth_zone_free,
					   &zone->free);
	if (!zone->secondary)
		overflow |= __builtin_add_overflow(zone->free,
						   zone->uth.uth_keg_free,
						   &zone->free);
	return !overflow;
}

/*
 * Both streams open alike: version, CPU slots, records, pad, each of 32 bits, and
 * a CPU slot has 64 bytes in both. They differ in what opens a record.
 */
#define SAME_PLACE(a, b)						\
	_Static_assert(offsetof(struct uma_stream_header, ush_##a) ==	\
		       offsetof(struct malloc_type_stream_header,	\
				mtsh_##b), #b)

SAME_PLACE(version, version);
SAME_PLACE(maxcpus, maxcpus);
SAME_PLACE(count, count);
_Static_assert(sizeof(struct uma_stream_header) ==
	       sizeof(struct malloc_type_stream_header), "headers");
_Static_assert(sizeof(struct uma_percpu_stat) ==
	       sizeof(struct malloc_type_stats), "CPU slots");
_Static_assert(UMA_STREAM_VERSION == MALLOC_TYPE_STREAM_VERSION, "versions");

static bool parse_header(struct umastat_stream *stream, const void *bytes,
			 size_t len, size_t opening, const char *what,
			 char why[UMASTAT_WHY])
{
	struct uma_stream_header ush;
	__u64 record;

	if (!len)
		return refuse(why, "empty, not a %s statistics stream", what);
	if (len < sizeof(ush))
		return refuse(why, "truncated: %zu bytes, the header has %zu",
			      len, sizeof(ush));
	memcpy(&ush, bytes, sizeof(ush));
	if (ush.ush_version == __builtin_bswap32(UMA_STREAM_VERSION))
		return refuse(why, "written on a machine of the other byte order");
	if (ush.ush_version != UMA_STREAM_VERSION)
		return refuse(why, "version %u, this program reads version %u",
			      ush.ush_version, UMA_STREAM_VERSION);
	if (!ush.ush_maxcpus)
		return refuse(why, "damaged header: no CPU slots");
	record = opening +
		 (__u64)ush.ush_maxcpus * sizeof(struct uma_percpu_stat);
	if (record > UMASTAT_MAX_BYTES ||
	    ush.ush_count > (UMASTAT_MAX_BYTES - sizeof(ush)) / record)
		return refuse(why, "damaged header: %u records of %u CPU slots pass %zu MiB",
			      ush.ush_count, ush.ush_maxcpus,
			      UMASTAT_MAX_BYTES >> 20);

	stream->bytes = bytes;
	stream->record = record;
	stream->size = sizeof(ush) + ush.ush_count * stream->record;
	stream->maxcpus = ush.ush_maxcpus;
	stream->count = ush.ush_count;
	return true;
}

static bool check_length(const struct umastat_stream *stream, size_t len,
			 char why[UMASTAT_WHY])
{
	if (len < stream->size)
		return refuse(why, "truncated: %zu bytes, %u records of %u CPU slots take %zu",
			      len, stream->count, stream->maxcpus, stream->size);
	if (len > stream->size)
		return refuse(why, "damaged: bytes follow the last of %u records of %u CPU slots",
			      stream->count, stream->maxcpus);
	return true;
}

static bool refuse_record(const struct umastat_stream *stream, __u32 i,
			  const char *what, const char *is, char why[UMASTAT_WHY])
{
	return refuse(why, "damaged: the %s in record %u of %u %s", what, i + 1,
		      stream->count, is);
}

/**
 * umastat_stream_header() - look at a stream's first bytes
 * @stream: filled on success; @stream->size is how long the stream must be
 * @bytes: the stream, or its beginning
 * @len: bytes at hand
 * @why: on failure, what is wrong, in one line without a newline
 *
 * Lets a program know, before it has read it all, how much it will have to.
 *
 * Return: whether this opens a stream of a size that there can be.
 */
bool umastat_stream_header(struct umastat_stream *stream, const void *bytes,
			   size_t len, char why[UMASTAT_WHY])
{
	return parse_header(stream, bytes, len, sizeof(struct uma_type_header),
			    "zone", why);
}

/**
 * umastat_stream_parse() - look at a whole stream
 * @stream: filled on success
 * @bytes: the stream
 * @len: its bytes
 * @why: on failure, what is wrong, in one line without a newline
 *
 * Return: whether all of it is sound.
 */
bool umastat_stream_parse(struct umastat_stream *stream, const void *bytes,
			  size_t len, char why[UMASTAT_WHY])
{
	struct umastat_zone zone;
	__u32 i;

	if (!umastat_stream_header(stream, bytes, len, why) ||
	    !check_length(stream, len, why))
		return false;
	for (i = 0; i < stream->count; i++) {
		bool fits = sum_zone(stream, i, &zone);

		if (!memchr(zone.uth.uth_name, '\0', UTH_MAX_NAME))
			return refuse_record(stream, i, "name", "has no end", why);
		if (!fits)
			return refuse_record(stream, i, "counts", "overflow", why);
	}
	return true;
}

/**
 * umastat_stream_zone() - get one record, added up
 * @stream: a stream that umastat_stream_parse() accepted
 * @i: which, below @stream->count
 * @zone: filled
 */
void umastat_stream_zone(const struct umastat_stream *stream, __u32 i,
			 struct umastat_zone *zone)
{
	sum_zone(stream, i, zone);
}

/**
 * umastat_stream_cpu() - get one CPU slot of one record
 * @stream: a stream that umastat_stream_parse() accepted
 * @i: which record, below @stream->count
 * @cpu: which slot, below @stream->maxcpus
 * @slot: filled
 */
void umastat_stream_cpu(const struct umastat_stream *stream, __u32 i,
			__u32 cpu, struct uma_percpu_stat *slot)
{
	memcpy(slot, record_at(stream, i) + sizeof(struct uma_type_header) +
	       cpu * sizeof(*slot), sizeof(*slot));
}

/* Add up record @i of a stream of malloc types. False: a sum does not fit. */
static bool sum_type(const struct umastat_stream *stream, __u32 i,
		     struct umastat_type *type)
{
	struct malloc_type_stats slot;
	bool overflow = false;
	__u32 cpu;

	memset(type, 0, sizeof(*type));
	memcpy(type->name, record_at(stream, i), sizeof(type->name));
	for (cpu = 0; cpu < stream->maxcpus; cpu++) {
		umastat_malloc_cpu(stream, i, cpu, &slot);
		overflow |= __builtin_add_overflow(type->allocs,
						   slot.mts_numallocs,
						   &type->allocs);
		overflow |= __builtin_add_overflow(type->frees,
						   slot.mts_numfrees,
						   &type->frees);
		overflow |= __builtin_add_overflow(type->bytes_allocated,
						   slot.mts_memalloced,
						   &type->bytes_allocated);
		overflow |= __builtin_add_overflow(type->bytes_freed,
						   slot.mts_memfreed,
						   &type->bytes_freed);
		overflow |= __builtin_add_overflow(type->fails, slot.mts_fails,
						   &type->fails);
		type->sizes |= slot.mts_size;
	}
	return !overflow;
}

/**
 * umastat_malloc_header() - umastat_stream_header() for malloc types
 * @stream: filled on success
 * @bytes: the stream, or its beginning
 * @len: bytes at hand
 * @why: on failure, what is wrong
 *
 * Return: whether this opens a stream of a size that there can be.
 */
bool umastat_malloc_header(struct umastat_stream *stream, const void *bytes,
			   size_t len, char why[UMASTAT_WHY])
{
	return parse_header(stream, bytes, len,
			    sizeof(struct malloc_type_header), "malloc", why);
}

/**
 * umastat_malloc_parse() - look at a whole stream of malloc types
 * @stream: filled on success
 * @bytes: the stream
 * @len: its bytes
 * @why: on failure, what is wrong, in one line without a newline
 *
 * Return: whether all of it is sound.
 */
bool umastat_malloc_parse(struct umastat_stream *stream, const void *bytes,
			  size_t len, char why[UMASTAT_WHY])
{
	struct umastat_type type;
	__u32 i;

	if (!umastat_malloc_header(stream, bytes, len, why) ||
	    !check_length(stream, len, why))
		return false;
	for (i = 0; i < stream->count; i++) {
		bool fits = sum_type(stream, i, &type);

		if (!memchr(type.name, '\0', MALLOC_MAX_NAME))
			return refuse_record(stream, i, "name", "has no end", why);
		if (!fits)
			return refuse_record(stream, i, "counts", "overflow", why);
		if (type.sizes >> UMASTAT_LAST_SIZE > 1)
			return refuse_record(stream, i, "sizes", "are impossible", why);
	}
	return true;
}

/**
 * umastat_malloc_type() - get one record, added up
 * @stream: a stream that umastat_malloc_parse() accepted
 * @i: which, below @stream->count
 * @type: filled
 */
void umastat_malloc_type(const struct umastat_stream *stream, __u32 i,
			 struct umastat_type *type)
{
	sum_type(stream, i, type);
}

/**
 * umastat_malloc_cpu() - get one CPU slot of one record
 * @stream: a stream that umastat_malloc_parse() accepted
 * @i: which record, below @stream->count
 * @cpu: which slot, below @stream->maxcpus
 * @slot: filled
 */
void umastat_malloc_cpu(const struct umastat_stream *stream, __u32 i,
			__u32 cpu, struct malloc_type_stats *slot)
{
	memcpy(slot, record_at(stream, i) + sizeof(struct malloc_type_header) +
	       cpu * sizeof(*slot), sizeof(*slot));
}
