// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write a statistics stream, of zones or of malloc types, from a description
 *
 * Reads lines from standard input, writes the stream to standard output:
 *
 *	stream KEY=VALUE...
 *	zone NAME KEY=VALUE...
 *	type NAME
 *	cpu NUMBER KEY=VALUE...
 *
 * Either all records are zones or all are malloc types. One line "stream" comes
 * first (keys: cpus, and to damage the header version, maxcpus and count), then
 * a line for each record, each followed by lines for those of its CPU slots that
 * are not all zero. Keys are the fields' names without their prefix. Names are
 * taken as they are up to 32 bytes, so that they can lack a terminator; %XX
 * stands for any byte. "swap=1" in the first line writes what a machine of the
 * other byte order would.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uma/uma_stream.h"

struct field {
	const char *key;
	size_t offset;
	size_t width;
};

#define FIELD(type, prefix, name)					\
	{ #name, offsetof(struct type, prefix##name),			\
	  sizeof(((struct type *)0)->prefix##name) }

static const struct field zone_fields[] = {
	FIELD(uma_type_header, uth_, align),
	FIELD(uma_type_header, uth_, size),
	FIELD(uma_type_header, uth_, rsize),
	FIELD(uma_type_header, uth_, maxpages),
	FIELD(uma_type_header, uth_, limit),
	FIELD(uma_type_header, uth_, pages),
	FIELD(uma_type_header, uth_, keg_free),
	FIELD(uma_type_header, uth_, zone_free),
	FIELD(uma_type_header, uth_, bucketsize),
	FIELD(uma_type_header, uth_, zone_flags),
	FIELD(uma_type_header, uth_, allocs),
	FIELD(uma_type_header, uth_, frees),
	FIELD(uma_type_header, uth_, fails),
	FIELD(uma_type_header, uth_, sleeps),
	FIELD(uma_type_header, uth_, xdomain),
	{ "reserved", offsetof(struct uma_type_header, _uth_reserved1), 8 },
	{ NULL, 0, 0 },
};

static const struct field cpu_fields[] = {
	FIELD(uma_percpu_stat, ups_, allocs),
	FIELD(uma_percpu_stat, ups_, frees),
	FIELD(uma_percpu_stat, ups_, cache_free),
	{ "reserved", offsetof(struct uma_percpu_stat, _ups_reserved), 8 },
	{ NULL, 0, 0 },
};

static const struct field type_cpu_fields[] = {
	FIELD(malloc_type_stats, mts_, memalloced),
	FIELD(malloc_type_stats, mts_, memfreed),
	FIELD(malloc_type_stats, mts_, numallocs),
	FIELD(malloc_type_stats, mts_, numfrees),
	FIELD(malloc_type_stats, mts_, size),
	FIELD(malloc_type_stats, mts_, fails),
	{ "reserved", offsetof(struct malloc_type_stats, _mts_reserved), 8 },
	{ NULL, 0, 0 },
};

static unsigned char *stream;
static size_t stream_len;
static bool swap;

/* What the first line says, as it says it. */
struct first_line {
	unsigned long long version, cpus, maxcpus, count, pad, swap;
};

static const struct field first_fields[] = {
	{ "version", offsetof(struct first_line, version), 8 },
	{ "cpus", offsetof(struct first_line, cpus), 8 },
	{ "maxcpus", offsetof(struct first_line, maxcpus), 8 },
	{ "count", offsetof(struct first_line, count), 8 },
	{ "pad", offsetof(struct first_line, pad), 8 },
	{ "swap", offsetof(struct first_line, swap), 8 },
	{ NULL, 0, 0 },
};

static void put(unsigned char *at, unsigned long long value, size_t width)
{
	__u32 narrow = (__u32)value;

	if (width == sizeof(narrow)) {
		if (swap)
			narrow = __builtin_bswap32(narrow);
		memcpy(at, &narrow, width);
	} else {
		if (swap)
			value = __builtin_bswap64(value);
		memcpy(at, &value, width);
	}
}

/* The next word of a line; NULL at its end. */
static char *word(char *line)
{
	return strtok(line, " \t\n");
}

/* All that is left of a line. */
static void set_fields(unsigned char *base, const struct field *fields)
{
	const struct field *field;
	char *w, *end;

	while ((w = word(NULL))) {
		char *value = strchr(w, '=');
		unsigned long long n;

		if (!value)
			errx(1, "'%s' is not KEY=VALUE", w);
		*value++ = '\0';
		n = strtoull(value, &end, 0);
		if (end == value || *end)
			errx(1, "'%s' is not a number", value);
		for (field = fields; field->key; field++) {
			if (!strcmp(field->key, w))
				break;
		}
		if (!field->key)
			errx(1, "there is no field '%s'", w);
		put(base + field->offset, n, field->width);
	}
}

static void set_name(unsigned char *at, const char *name)
{
	unsigned int c;
	size_t i;

	for (i = 0; *name && i < UTH_MAX_NAME; i++) {
		if (*name == '%' && sscanf(name + 1, "%2x", &c) == 1) {
			at[i] = (unsigned char)c;
			name += 3;
		} else {
			at[i] = (unsigned char)*name++;
		}
	}
}

static unsigned char *append(size_t len)
{
	stream = realloc(stream, stream_len + len);
	if (!stream)
		err(1, "realloc");
	memset(stream + stream_len, 0, len);
	stream_len += len;
	return stream + stream_len - len;
}

int main(void)
{
	struct first_line first = { .version = UMA_STREAM_VERSION, .cpus = 1 };
	unsigned long long zones = 0;
	const struct field *slot_fields = cpu_fields;
	size_t slots = 0;	/* offset of the current record's CPU slots */
	char line[1024];
	char *w;

	append(sizeof(struct uma_stream_header));
	while (fgets(line, sizeof(line), stdin)) {
		w = word(line);
		if (!w)
			continue;
		if (!strcmp(w, "stream")) {
			set_fields((unsigned char *)&first, first_fields);
			swap = first.swap;
		} else if (!strcmp(w, "zone")) {
			unsigned char *zone;

			w = word(NULL);
			if (!w)
				errx(1, "a zone has no name");
			zone = append(sizeof(struct uma_type_header));
			set_name(zone, strcmp(w, "%") ? w : "");
			set_fields(zone, zone_fields);
			slots = stream_len;
			append(first.cpus * sizeof(struct uma_percpu_stat));
			zones++;
		} else if (!strcmp(w, "type")) {
			w = word(NULL);
			if (!w)
				errx(1, "a type has no name");
			set_name(append(sizeof(struct malloc_type_header)),
				 strcmp(w, "%") ? w : "");
			slot_fields = type_cpu_fields;
			slots = stream_len;
			append(first.cpus * sizeof(struct malloc_type_stats));
			zones++;
		} else if (!strcmp(w, "cpu")) {
			unsigned long long cpu;

			w = word(NULL);
			cpu = w ? strtoull(w, NULL, 0) : first.cpus;
			if (cpu >= first.cpus || !slots)
				errx(1, "there is no such CPU slot");
			set_fields(stream + slots +
				   cpu * sizeof(struct uma_percpu_stat),
				   slot_fields);
		} else {
			errx(1, "'%s' is not stream, zone, type or cpu", w);
		}
	}
	put(stream + offsetof(struct uma_stream_header, ush_version),
	    first.version, 4);
	put(stream + offsetof(struct uma_stream_header, ush_maxcpus),
	    first.maxcpus ? first.maxcpus : first.cpus, 4);
	put(stream + offsetof(struct uma_stream_header, ush_count),
	    first.count ? first.count : zones, 4);
	put(stream + offsetof(struct uma_stream_header, _ush_pad),
	    first.pad, 4);
	if (fwrite(stream, 1, stream_len, stdout) != stream_len ||
	    fflush(stdout))
		err(1, "write");
	return 0;
}
