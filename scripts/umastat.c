// SPDX-License-Identifier: GPL-2.0-only
/*
 * Show the statistics of uma.ko's zones and malloc types
 *
 * Reads the binary stream of uma/uma_stream.h, live or from a captured file,
 * and prints it as the table that vmstat -z prints on BSD, split by CPU, as
 * rates, as netstat -m shows network buffers, or as JSON. umastat_stream.c
 * decides whether a stream is believed; nothing is printed of one that is not.
 *
 * JSON is written here and not by a library: it is a flat list of numbers, and
 * they go up to 2^64 - 1, which the usual libraries keep in a signed integer
 * or a double.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "scripts/umastat_stream.h"

#define ZONE_STATS	"/sys/kernel/debug/uma/zone_stats"
#define MALLOC_STATS	"/sys/kernel/debug/uma/malloc_stats"

/* A name with every byte escaped, and a terminator. */
#define ESCAPED_NAME	((UTH_MAX_NAME - 1) * 4 + 1)

/* A signed number of 64 bits and a sign, and a terminator. */
#define DIFFERENCE	24

/* Exit codes; 0 is a table without a complaint. */
#define EXIT_STREAM	1
#define EXIT_USAGE	2

struct options {
	const char *file;
	const char *pattern;	/* zones to show, NULL: all */
	bool percpu;
	bool json;
	bool mbufs;		/* network buffers, not zones */
	bool types;		/* malloc types, not zones */
	double wait;		/* seconds between tables of rates, 0: no rates */
	unsigned long tables;	/* of rates, 0: without end */
};

/**
 * struct snapshot - one stream, as it was read
 * @bytes: from malloc()
 * @stream: what was found in them
 * @at: when the file was opened, which is when the kernel took the counts
 */
struct snapshot {
	unsigned char *bytes;
	struct umastat_stream stream;
	struct timespec at;
};

/**
 * struct delta - what a zone did between two snapshots
 * @known: false: several zones have this name, and which is which cannot be told
 * @allocs: and the following: by how much the total rose
 * @frees: likewise
 * @fails: likewise
 * @sleeps: likewise
 */
struct delta {
	bool known;
	__u64 allocs;
	__u64 frees;
	__u64 fails;
	__u64 sleeps;
};

/* A zone's totals, and what it is told apart by. */
struct totals {
	char name[UTH_MAX_NAME];
	__u32 size;
	bool secondary;
	__u32 record;
	__u64 allocs;
	__u64 frees;
	__u64 fails;
	__u64 sleeps;
};

/* ---- reading ---- */

static bool complain(const char *file, const char *why)
{
	fprintf(stderr, "umastat: %s: %s\n",
		strcmp(file, "-") != 0 ? file : "standard input", why);
	return false;
}

static const char *open_error(const char *file, int error)
{
	if (!strcmp(file, ZONE_STATS) || !strcmp(file, MALLOC_STATS)) {
		if (error == ENOENT)
			return "not there: is uma.ko loaded, and debugfs mounted?";
		if (error == EACCES)
			return "only root may read it";
	}
	return strerror(error);
}

/*
 * Read to the end, but no further than one byte past the length that the
 * header announces: enough to know that it is wrong. The buffer grows with
 * what is really there.
 */
static bool read_stream(int fd, struct snapshot *snap, bool types, size_t *len,
			char why[UMASTAT_WHY])
{
	size_t size = 0;
	bool header = false;

	*len = 0;
	while (!header || *len <= snap->stream.size) {
		ssize_t n;

		if (*len == size) {
			unsigned char *more;

			size = size ? 2 * size : 65536;
			more = realloc(snap->bytes, size);
			if (!more) {
				snprintf(why, UMASTAT_WHY, "no memory");
				return false;
			}
			snap->bytes = more;
		}
		n = read(fd, snap->bytes + *len, size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			snprintf(why, UMASTAT_WHY, "%s", strerror(errno));
			return false;
		}
		if (!n)
			break;
		*len += n;
		if (!header && *len >= sizeof(struct uma_stream_header)) {
			if (!(types ? umastat_malloc_header :
				      umastat_stream_header)(&snap->stream,
							     snap->bytes, *len,
							     why))
				return false;
			header = true;
		}
	}
	return true;
}

static bool take_stream(struct snapshot *snap, const char *file, bool types)
{
	char why[UMASTAT_WHY];
	size_t len;
	bool ok;
	int fd = STDIN_FILENO;

	snap->bytes = NULL;
	if (strcmp(file, "-") != 0) {
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return complain(file, open_error(file, errno));
	}
	clock_gettime(CLOCK_MONOTONIC, &snap->at);
	ok = read_stream(fd, snap, types, &len, why) &&
	     (types ? umastat_malloc_parse :
		      umastat_stream_parse)(&snap->stream, snap->bytes, len,
					    why);
	if (fd != STDIN_FILENO)
		close(fd);
	if (!ok) {
		free(snap->bytes);
		return complain(file, why);
	}
	return true;
}

static bool take_snapshot(struct snapshot *snap, const char *file)
{
	return take_stream(snap, file, false);
}

/* ---- printing ---- */

static bool shown(const struct umastat_zone *zone, const struct options *opt)
{
	return !opt->pattern || !fnmatch(opt->pattern, zone->uth.uth_name, 0);
}

/* A name may hold anything, a terminal's control sequences included. */
static int escape_name(char out[ESCAPED_NAME], const char *name)
{
	char *p = out;

	for (; *name; name++) {
		unsigned char c = *name;

		if (c == '\\')
			p += sprintf(p, "\\\\");
		else if (c >= ' ' && c <= '~')
			*p++ = (char)c;
		else
			p += sprintf(p, "\\x%02x", c);
	}
	*p = '\0';
	return (int)(p - out);
}

/* The column of names is as wide as the longest, and its colon. */
static int name_width(const struct umastat_stream *stream,
		      const struct options *opt)
{
	char name[ESCAPED_NAME];
	struct umastat_zone zone;
	int len, width = 20;
	__u32 i;

	for (i = 0; i < stream->count; i++) {
		umastat_stream_zone(stream, i, &zone);
		if (!shown(&zone, opt))
			continue;
		len = escape_name(name, zone.uth.uth_name) + 1;
		if (width < len)
			width = len;
	}
	return width;
}

static void print_name(FILE *out, int width, const struct umastat_zone *zone)
{
	char name[ESCAPED_NAME];
	int len = escape_name(name, zone->uth.uth_name);

	fprintf(out, "%s:%*s ", name, width - len - 1, "");
}

/* What is in use: below zero where more was freed than allocated. */
static const char *difference(char out[DIFFERENCE], __u64 allocs, __u64 frees)
{
	if (allocs >= frees)
		snprintf(out, DIFFERENCE, "%llu", allocs - frees);
	else
		snprintf(out, DIFFERENCE, "-%llu", frees - allocs);
	return out;
}

static void print_table(FILE *out, const struct umastat_stream *stream,
			const struct options *opt)
{
	int width = name_width(stream, opt);
	struct umastat_zone zone;
	char used[DIFFERENCE];
	__u32 i;

	fprintf(out, "%-*s %6s  %7s  %8s  %8s  %10s  %5s  %5s\n", width,
		"ITEM", "SIZE", "LIMIT", "USED", "FREE", "REQ", "FAIL",
		"SLEEP");
	for (i = 0; i < stream->count; i++) {
		umastat_stream_zone(stream, i, &zone);
		if (!shown(&zone, opt))
			continue;
		print_name(out, width, &zone);
		fprintf(out, "%6u, %7u, %8s, %8llu, %10llu, %5llu, %5llu\n",
			zone.uth.uth_size, zone.uth.uth_limit,
			difference(used, zone.allocs, zone.frees), zone.free,
			zone.allocs, zone.uth.uth_fails, zone.uth.uth_sleeps);
	}
}

static void print_percpu(FILE *out, const struct umastat_stream *stream,
			 const struct options *opt)
{
	int width = name_width(stream, opt);
	struct uma_percpu_stat slot;
	struct umastat_zone zone;
	__u32 i, cpu;

	fprintf(out, "%-*s %5s  %10s  %10s  %8s\n", width, "ITEM", "CPU",
		"REQ", "FREES", "FREE");
	for (i = 0; i < stream->count; i++) {
		umastat_stream_zone(stream, i, &zone);
		if (!shown(&zone, opt))
			continue;
		print_name(out, width, &zone);
		fprintf(out, "%5s, %10llu, %10llu, %8llu\n", "all",
			zone.allocs, zone.frees, zone.free);
		print_name(out, width, &zone);
		fprintf(out, "%5s, %10llu, %10llu, %8llu\n", "zone",
			zone.uth.uth_allocs, zone.uth.uth_frees,
			zone.free - zone.cache_free);
		for (cpu = 0; cpu < stream->maxcpus; cpu++) {
			umastat_stream_cpu(stream, i, cpu, &slot);
			if (!slot.ups_allocs && !slot.ups_frees &&
			    !slot.ups_cache_free)
				continue;
			print_name(out, width, &zone);
			fprintf(out, "%5u, %10llu, %10llu, %8llu\n", cpu,
				slot.ups_allocs, slot.ups_frees,
				slot.ups_cache_free);
		}
	}
}

static void print_rate(FILE *out, int width, const struct delta *delta,
		       __u64 count, double secs, const char *after)
{
	if (delta->known)
		fprintf(out, " %*.1f%s", width, count / secs, after);
	else
		fprintf(out, " %*s%s", width, "-", after);
}

static void print_rates(FILE *out, const struct umastat_stream *stream,
			const struct options *opt, const struct delta *deltas,
			double secs)
{
	int width = name_width(stream, opt);
	struct umastat_zone zone;
	char used[DIFFERENCE];
	__u32 i;

	fprintf(out, "%-*s %6s  %8s  %8s  %10s  %10s  %8s  %8s  in %.3f s\n",
		width, "ITEM", "SIZE", "USED", "FREE", "REQ/s", "FREES/s",
		"FAIL/s", "SLEEP/s", secs);
	for (i = 0; i < stream->count; i++) {
		const struct delta *delta = &deltas[i];

		umastat_stream_zone(stream, i, &zone);
		if (!shown(&zone, opt))
			continue;
		print_name(out, width, &zone);
		fprintf(out, "%6u, %8s, %8llu,", zone.uth.uth_size,
			difference(used, zone.allocs, zone.frees), zone.free);
		print_rate(out, 10, delta, delta->allocs, secs, ",");
		print_rate(out, 10, delta, delta->frees, secs, ",");
		print_rate(out, 8, delta, delta->fails, secs, ",");
		print_rate(out, 8, delta, delta->sleeps, secs, "\n");
	}
}

/* Bytes that are not plain ASCII stand for themselves, as U+0001 to U+00FF. */
static void print_json_string(FILE *out, const char *s)
{
	putc('"', out);
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c >= ' ' && c <= '~')
			putc(c, out);
		else
			fprintf(out, "\\u%04x", c);
	}
	putc('"', out);
}

static void print_json_zone(FILE *out, const struct umastat_zone *zone)
{
	const struct uma_type_header *uth = &zone->uth;
	char used[DIFFERENCE];

	fputs("{\"name\":", out);
	print_json_string(out, uth->uth_name);
	fprintf(out, ",\"secondary\":%s", zone->secondary ? "true" : "false");
	fprintf(out, ",\"align\":%u,\"size\":%u,\"rsize\":%u", uth->uth_align,
		uth->uth_size, uth->uth_rsize);
	fprintf(out, ",\"maxpages\":%u,\"limit\":%u,\"pages\":%u",
		uth->uth_maxpages, uth->uth_limit, uth->uth_pages);
	fprintf(out, ",\"keg_free\":%u,\"zone_free\":%u,\"cache_free\":%llu",
		uth->uth_keg_free, uth->uth_zone_free, zone->cache_free);
	fprintf(out, ",\"bucketsize\":%u,\"flags\":%u", uth->uth_bucketsize,
		uth->uth_zone_flags);
	fprintf(out, ",\"used\":%s,\"free\":%llu,\"allocs\":%llu,\"frees\":%llu",
		difference(used, zone->allocs, zone->frees), zone->free,
		zone->allocs, zone->frees);
	fprintf(out, ",\"fails\":%llu,\"sleeps\":%llu,\"xdomain\":%llu",
		uth->uth_fails, uth->uth_sleeps, uth->uth_xdomain);
}

static void print_json_delta(FILE *out, const struct delta *delta, double secs)
{
	if (!delta->known) {
		fputs(",\"delta\":null,\"rate\":null", out);
		return;
	}
	fprintf(out, ",\"delta\":{\"allocs\":%llu,\"frees\":%llu", delta->allocs,
		delta->frees);
	fprintf(out, ",\"fails\":%llu,\"sleeps\":%llu}", delta->fails,
		delta->sleeps);
	fprintf(out, ",\"rate\":{\"allocs\":%.3f,\"frees\":%.3f",
		delta->allocs / secs, delta->frees / secs);
	fprintf(out, ",\"fails\":%.3f,\"sleeps\":%.3f}", delta->fails / secs,
		delta->sleeps / secs);
}

/* One document, one line. @deltas: NULL where there is but one snapshot. */
static void print_json(FILE *out, const struct umastat_stream *stream,
		       const struct options *opt, const struct delta *deltas,
		       double secs)
{
	struct uma_percpu_stat slot;
	struct umastat_zone zone;
	const char *comma = "";
	__u32 i, cpu;

	fprintf(out, "{\"version\":%u,\"cpus\":%u", UMA_STREAM_VERSION,
		stream->maxcpus);
	if (deltas)
		fprintf(out, ",\"interval\":%.6f", secs);
	fputs(",\"zones\":[", out);
	for (i = 0; i < stream->count; i++) {
		umastat_stream_zone(stream, i, &zone);
		if (!shown(&zone, opt))
			continue;
		fputs(comma, out);
		comma = ",";
		print_json_zone(out, &zone);
		if (deltas)
			print_json_delta(out, &deltas[i], secs);
		if (opt->percpu) {
			fputs(",\"percpu\":[", out);
			for (cpu = 0; cpu < stream->maxcpus; cpu++) {
				umastat_stream_cpu(stream, i, cpu, &slot);
				fprintf(out, "%s{\"allocs\":%llu,\"frees\":%llu",
					cpu ? "," : "", slot.ups_allocs,
					slot.ups_frees);
				fprintf(out, ",\"cache_free\":%llu}",
					slot.ups_cache_free);
			}
			putc(']', out);
		}
		putc('}', out);
	}
	fputs("]}\n", out);
}

/* Out with it, and with the complaint that belongs beside it. */
static bool finish(FILE *out, const struct umastat_stream *stream,
		   const struct options *opt)
{
	char why[ESCAPED_NAME + 128], name[ESCAPED_NAME];
	struct umastat_zone zone;
	__u32 i, wrong = 0;

	if (fflush(out) || ferror(out))
		return complain("output", strerror(errno));
	for (i = 0; i < stream->count; i++) {
		umastat_stream_zone(stream, i, &zone);
		if (!shown(&zone, opt) || zone.allocs >= zone.frees)
			continue;
		if (!wrong++) {
			escape_name(name, zone.uth.uth_name);
			snprintf(why, sizeof(why), "zone '%s' has %llu frees but %llu allocations",
				 name, zone.frees, zone.allocs);
		}
	}
	if (wrong > 1)
		snprintf(why + strlen(why), sizeof(why) - strlen(why),
			 ", and %u more zones are like it", wrong - 1);
	return !wrong || complain(opt->file, why);
}

/* ---- network buffers ---- */

/* The zones of uma/mbuf.c, by the names that they have in a stream. */
enum mbuf_zone { MBUF, CLUSTER, PACKET, EXTREFCNT, MBUF_ZONES };

static const char *const mbuf_zone_name[MBUF_ZONES] = {
	[MBUF] = "mbuf",
	[CLUSTER] = "mbuf_cluster",
	[PACKET] = "mbuf_packet",
	[EXTREFCNT] = "mbuf_ext_refcnt",
};

/* Of something: what is in use, what is free and kept, and both. */
struct in_use {
	__u64 current, cache, total;
};

struct mbuf_stats {
	struct in_use mbufs, clusters, packets, counters, bytes;
	__u32 max_clusters;
	__u64 denied[MBUF_ZONES];
	__u64 delayed[MBUF_ZONES];
};

/* Room for a line about a zone whose name is known. */
#define MBUF_WHY	128

#define refuse(why, ...)	(snprintf(why, MBUF_WHY, __VA_ARGS__), false)

static bool find_mbuf_zone(const struct umastat_stream *stream,
			   enum mbuf_zone which, struct umastat_zone *found,
			   char why[MBUF_WHY])
{
	const char *name = mbuf_zone_name[which];
	struct umastat_zone zone;
	__u32 i, n = 0;

	for (i = 0; i < stream->count; i++) {
		umastat_stream_zone(stream, i, &zone);
		if (strcmp(zone.uth.uth_name, name) != 0)
			continue;
		*found = zone;
		n++;
	}
	if (!n)
		return refuse(why, "no zone '%s': not an uma.ko with network buffers",
			      name);
	if (n > 1)
		return refuse(why, "%u zones have the name '%s'", n, name);
	if (which == PACKET ? !found->secondary : found->secondary)
		return refuse(why, "zone '%s' is %sa secondary zone", name,
			      found->secondary ? "" : "not ");
	if (found->frees > found->allocs)
		return refuse(why, "zone '%s' has %llu frees but %llu allocations",
			      name, found->frees, found->allocs);
	return true;
}

/* Add up; false where it does not fit. */
static bool add_in_use(struct in_use *sum, __u64 current, __u64 cache)
{
	return !__builtin_add_overflow(sum->current, current, &sum->current) &&
	       !__builtin_add_overflow(sum->cache, cache, &sum->cache) &&
	       !__builtin_add_overflow(sum->current, sum->cache, &sum->total);
}

static bool add_bytes(struct in_use *sum, const struct in_use *items,
		      __u32 size)
{
	__u64 current, cache;

	return !__builtin_mul_overflow(items->current, size, &current) &&
	       !__builtin_mul_overflow(items->cache, size, &cache) &&
	       add_in_use(sum, current, cache);
}

/*
 * A packet is an mbuf with a cluster. Its mbuf is in the books of the packet
 * zone alone, in use or free, whereas its cluster is in use for the cluster
 * zone even if the packet is free. So the mbufs of both zones add up, and the
 * clusters of free packets move from those in use to those in the cache. A live
 * stream's zones are read one after the other; what moved in between must not
 * make less than none.
 */
static bool add_up_mbufs(const struct umastat_stream *stream,
			 struct mbuf_stats *s, char why[MBUF_WHY])
{
	struct umastat_zone zone[MBUF_ZONES];
	__u64 used[MBUF_ZONES], idle;
	int i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < MBUF_ZONES; i++) {
		if (!find_mbuf_zone(stream, i, &zone[i], why))
			return false;
		used[i] = zone[i].allocs - zone[i].frees;
		s->denied[i] = zone[i].uth.uth_fails;
		s->delayed[i] = zone[i].uth.uth_sleeps;
	}
	idle = zone[PACKET].free;
	if (idle > used[CLUSTER])
		idle = used[CLUSTER];
	s->max_clusters = zone[CLUSTER].uth.uth_limit;
	if (!add_in_use(&s->mbufs, used[MBUF], zone[MBUF].free) ||
	    !add_in_use(&s->mbufs, used[PACKET], zone[PACKET].free) ||
	    !add_in_use(&s->clusters, used[CLUSTER] - idle,
			zone[CLUSTER].free) ||
	    !add_in_use(&s->clusters, 0, idle) ||
	    !add_in_use(&s->packets, used[PACKET], zone[PACKET].free) ||
	    !add_in_use(&s->counters, used[EXTREFCNT], zone[EXTREFCNT].free) ||
	    !add_bytes(&s->bytes, &s->mbufs, zone[MBUF].uth.uth_size) ||
	    !add_bytes(&s->bytes, &s->clusters, zone[CLUSTER].uth.uth_size))
		return refuse(why, "damaged: the counts of the mbuf zones overflow");
	return true;
}

#undef refuse

static void print_mbufs(FILE *out, const struct mbuf_stats *s)
{
	fprintf(out, "%llu/%llu/%llu mbufs in use (current/cache/total)\n",
		s->mbufs.current, s->mbufs.cache, s->mbufs.total);
	fprintf(out, "%llu/%llu/%llu/%u mbuf clusters in use (current/cache/total/max)\n",
		s->clusters.current, s->clusters.cache, s->clusters.total,
		s->max_clusters);
	fprintf(out,
		"%llu/%llu mbuf+clusters out of packet secondary zone in use (current/cache)\n",
		s->packets.current, s->packets.cache);
	fprintf(out,
		"%llu/%llu/%llu external reference counters in use (current/cache/total)\n",
		s->counters.current, s->counters.cache, s->counters.total);
	fprintf(out, "%lluK/%lluK/%lluK bytes allocated to network (current/cache/total)\n",
		s->bytes.current / 1024, s->bytes.cache / 1024,
		s->bytes.total / 1024);
	fprintf(out, "%llu/%llu/%llu requests for mbufs denied (mbufs/clusters/mbuf+clusters)\n",
		s->denied[MBUF], s->denied[CLUSTER], s->denied[PACKET]);
	fprintf(out, "%llu/%llu/%llu requests for mbufs delayed (mbufs/clusters/mbuf+clusters)\n",
		s->delayed[MBUF], s->delayed[CLUSTER], s->delayed[PACKET]);
}

static void print_json_in_use(FILE *out, const char *name,
			      const struct in_use *n)
{
	fprintf(out, ",\"%s\":{\"current\":%llu,\"cache\":%llu,\"total\":%llu}",
		name, n->current, n->cache, n->total);
}

static void print_json_requests(FILE *out, const char *name, const __u64 *n)
{
	fprintf(out, ",\"%s\":{\"mbufs\":%llu,\"clusters\":%llu,\"packets\":%llu}",
		name, n[MBUF], n[CLUSTER], n[PACKET]);
}

static void print_json_mbufs(FILE *out, const struct mbuf_stats *s)
{
	fprintf(out, "{\"version\":%u", UMA_STREAM_VERSION);
	print_json_in_use(out, "mbufs", &s->mbufs);
	print_json_in_use(out, "clusters", &s->clusters);
	fprintf(out, ",\"max_clusters\":%u", s->max_clusters);
	print_json_in_use(out, "packets", &s->packets);
	print_json_in_use(out, "external_counters", &s->counters);
	print_json_in_use(out, "bytes", &s->bytes);
	print_json_requests(out, "denied", s->denied);
	print_json_requests(out, "delayed", s->delayed);
	fputs("}\n", out);
}

static bool show_mbufs(FILE *out, const struct options *opt)
{
	struct mbuf_stats stats;
	struct snapshot snap;
	char why[MBUF_WHY];
	bool ok;

	if (!take_snapshot(&snap, opt->file))
		return false;
	ok = add_up_mbufs(&snap.stream, &stats, why);
	free(snap.bytes);
	if (!ok)
		return complain(opt->file, why);
	(opt->json ? print_json_mbufs : print_mbufs)(out, &stats);
	if (fflush(out) || ferror(out))
		return complain("output", strerror(errno));
	return true;
}

/* ---- rates ---- */

static int compare_identity(const struct totals *a, const struct totals *b)
{
	int order = strcmp(a->name, b->name);

	if (!order)
		order = (a->size > b->size) - (a->size < b->size);
	if (!order)
		order = a->secondary - b->secondary;
	return order;
}

static int compare_totals(const void *x, const void *y)
{
	const struct totals *a = x, *b = y;
	int order = compare_identity(a, b);

	return order ? order : (a->record > b->record) - (a->record < b->record);
}

/* The totals of all zones, in the order of compare_totals(). */
static struct totals *sorted_totals(const struct umastat_stream *stream)
{
	struct totals *totals;
	struct umastat_zone zone;
	__u32 i;

	/* One more than there are, as none is a number of zones, too. */
	totals = calloc((size_t)stream->count + 1, sizeof(*totals));
	if (!totals)
		return NULL;
	for (i = 0; i < stream->count; i++) {
		umastat_stream_zone(stream, i, &zone);
		memcpy(totals[i].name, zone.uth.uth_name, UTH_MAX_NAME);
		totals[i].size = zone.uth.uth_size;
		totals[i].secondary = zone.secondary;
		totals[i].record = i;
		totals[i].allocs = zone.allocs;
		totals[i].frees = zone.frees;
		totals[i].fails = zone.uth.uth_fails;
		totals[i].sleeps = zone.uth.uth_sleeps;
	}
	qsort(totals, stream->count, sizeof(*totals), compare_totals);
	return totals;
}

/* Totals never go down: where they did, this is another zone of that name. */
static bool same_zone(const struct totals *then, const struct totals *now)
{
	return now->allocs >= then->allocs && now->frees >= then->frees &&
	       now->fails >= then->fails && now->sleeps >= then->sleeps;
}

/*
 * Zones of one identity, @nthen of them at first and @nnow later. All that is
 * new has done all it did since. One zone, or as many as before, in the same
 * order: each is compared with itself. Otherwise nobody can tell.
 */
static void match_group(struct delta *deltas, const struct totals *then,
			size_t nthen, const struct totals *now, size_t nnow)
{
	static const struct totals none;
	bool known = !nthen || nthen == nnow;
	bool born = !nthen;
	size_t i;

	for (i = 0; known && !born && i < nnow; i++) {
		if (!same_zone(&then[i], &now[i])) {
			born = nnow == 1;
			known = born;
		}
	}
	for (i = 0; i < nnow; i++) {
		const struct totals *base = born || !known ? &none : &then[i];

		deltas[now[i].record] = (struct delta){
			.known = known,
			.allocs = now[i].allocs - base->allocs,
			.frees = now[i].frees - base->frees,
			.fails = now[i].fails - base->fails,
			.sleeps = now[i].sleeps - base->sleeps,
		};
	}
}

static size_t group_length(const struct totals *totals, size_t n)
{
	size_t len = 1;

	while (len < n && !compare_identity(&totals[0], &totals[len]))
		len++;
	return len;
}

/*
 * What each record of @now did since @then; NULL: no memory. To be freed, as are
 * both arguments, here.
 */
static struct delta *compare_sorted(struct totals *then, size_t count_then,
				    struct totals *now, size_t count_now)
{
	struct delta *deltas = calloc(count_now + 1, sizeof(*deltas));
	size_t i, j = 0, nnow, nthen;

	if (!then || !now || !deltas) {
		free(deltas);
		deltas = NULL;
		goto out;
	}
	for (i = 0; i < count_now; i += nnow) {
		nnow = group_length(&now[i], count_now - i);
		while (j < count_then && compare_identity(&then[j], &now[i]) < 0)
			j++;
		nthen = 0;
		while (j + nthen < count_then &&
		       !compare_identity(&then[j + nthen], &now[i]))
			nthen++;
		match_group(deltas, &then[j], nthen, &now[i], nnow);
		j += nthen;
	}
out:
	free(then);
	free(now);
	return deltas;
}

static struct delta *compare(const struct umastat_stream *then,
			     const struct umastat_stream *now)
{
	return compare_sorted(sorted_totals(then), then->count,
			      sorted_totals(now), now->count);
}

/* ---- malloc types ---- */

static bool type_shown(const struct umastat_type *type,
		       const struct options *opt)
{
	return !opt->pattern || !fnmatch(opt->pattern, type->name, 0);
}

static int type_width(const struct umastat_stream *stream,
		      const struct options *opt)
{
	struct umastat_type type;
	char name[ESCAPED_NAME];
	int len, width = 13;
	__u32 i;

	for (i = 0; i < stream->count; i++) {
		umastat_malloc_type(stream, i, &type);
		if (!type_shown(&type, opt))
			continue;
		len = escape_name(name, type.name);
		if (width < len)
			width = len;
	}
	return width;
}

static void print_type_name(FILE *out, int width,
			    const struct umastat_type *type)
{
	char name[ESCAPED_NAME];

	escape_name(name, type->name);
	fprintf(out, "%*s", width, name);
}

/* As many KiB as it takes, and below zero what is missing. */
static const char *kib(char out[DIFFERENCE + 1], __u64 allocated, __u64 freed)
{
	__u64 bytes = allocated >= freed ? allocated - freed :
					   freed - allocated;

	snprintf(out, DIFFERENCE + 1, "%s%lluK", allocated >= freed ? "" : "-",
		 bytes / 1024 + !!(bytes % 1024));
	return out;
}

static void print_sizes(FILE *out, const char *before, __u64 sizes)
{
	int bit;

	for (bit = 0; bit <= UMASTAT_LAST_SIZE; bit++) {
		if (!(sizes >> bit & 1))
			continue;
		fprintf(out, "%s%llu", before, 16ULL << bit);
		before = ",";
	}
}

static void print_types(FILE *out, const struct umastat_stream *stream,
			const struct options *opt)
{
	int width = type_width(stream, opt);
	char used[DIFFERENCE], mem[DIFFERENCE + 1];
	struct umastat_type type;
	__u32 i;

	fprintf(out, "%*s %6s %7s %10s  %s\n", width, "Type", "InUse",
		"MemUse", "Requests", "Size(s)");
	for (i = 0; i < stream->count; i++) {
		umastat_malloc_type(stream, i, &type);
		if (!type_shown(&type, opt))
			continue;
		print_type_name(out, width, &type);
		fprintf(out, " %6s %7s %10llu",
			difference(used, type.allocs, type.frees),
			kib(mem, type.bytes_allocated, type.bytes_freed),
			type.allocs);
		print_sizes(out, "  ", type.sizes);
		putc('\n', out);
	}
}

static void print_types_percpu(FILE *out, const struct umastat_stream *stream,
			       const struct options *opt)
{
	int width = type_width(stream, opt);
	struct malloc_type_stats slot;
	struct umastat_type type;
	__u32 i, cpu;

	fprintf(out, "%*s %5s %10s %10s %12s %12s %5s\n", width, "Type",
		"CPU", "Requests", "Frees", "Bytes", "BytesFreed", "Fail");
	for (i = 0; i < stream->count; i++) {
		umastat_malloc_type(stream, i, &type);
		if (!type_shown(&type, opt))
			continue;
		print_type_name(out, width, &type);
		fprintf(out, " %5s %10llu %10llu %12llu %12llu %5llu\n", "all",
			type.allocs, type.frees, type.bytes_allocated,
			type.bytes_freed, type.fails);
		for (cpu = 0; cpu < stream->maxcpus; cpu++) {
			umastat_malloc_cpu(stream, i, cpu, &slot);
			if (!slot.mts_numallocs && !slot.mts_numfrees &&
			    !slot.mts_fails)
				continue;
			print_type_name(out, width, &type);
			fprintf(out, " %5u %10llu %10llu %12llu %12llu %5llu\n",
				cpu, slot.mts_numallocs, slot.mts_numfrees,
				slot.mts_memalloced, slot.mts_memfreed,
				slot.mts_fails);
		}
	}
}

static void print_types_rates(FILE *out, const struct umastat_stream *stream,
			      const struct options *opt,
			      const struct delta *deltas, double secs)
{
	int width = type_width(stream, opt);
	char used[DIFFERENCE], mem[DIFFERENCE + 1];
	struct umastat_type type;
	__u32 i;

	fprintf(out, "%*s %6s %7s %10s %10s %8s  in %.3f s\n", width, "Type",
		"InUse", "MemUse", "Requests/s", "Frees/s", "Fail/s", secs);
	for (i = 0; i < stream->count; i++) {
		umastat_malloc_type(stream, i, &type);
		if (!type_shown(&type, opt))
			continue;
		print_type_name(out, width, &type);
		fprintf(out, " %6s %7s",
			difference(used, type.allocs, type.frees),
			kib(mem, type.bytes_allocated, type.bytes_freed));
		print_rate(out, 10, &deltas[i], deltas[i].allocs, secs, "");
		print_rate(out, 10, &deltas[i], deltas[i].frees, secs, "");
		print_rate(out, 8, &deltas[i], deltas[i].fails, secs, "\n");
	}
}

static void print_json_type(FILE *out, const struct umastat_type *type)
{
	char n[DIFFERENCE];

	fputs("{\"name\":", out);
	print_json_string(out, type->name);
	fprintf(out, ",\"used\":%s", difference(n, type->allocs, type->frees));
	fprintf(out, ",\"bytes\":%s", difference(n, type->bytes_allocated,
						 type->bytes_freed));
	fprintf(out, ",\"allocs\":%llu,\"frees\":%llu", type->allocs,
		type->frees);
	fprintf(out, ",\"bytes_allocated\":%llu,\"bytes_freed\":%llu",
		type->bytes_allocated, type->bytes_freed);
	fprintf(out, ",\"fails\":%llu,\"sizes\":[", type->fails);
	print_sizes(out, "", type->sizes);
	putc(']', out);
}

static void print_json_type_delta(FILE *out, const struct delta *delta,
				  double secs)
{
	if (!delta->known) {
		fputs(",\"delta\":null,\"rate\":null", out);
		return;
	}
	fprintf(out, ",\"delta\":{\"allocs\":%llu,\"frees\":%llu,\"fails\":%llu}",
		delta->allocs, delta->frees, delta->fails);
	fprintf(out, ",\"rate\":{\"allocs\":%.3f,\"frees\":%.3f,\"fails\":%.3f}",
		delta->allocs / secs, delta->frees / secs, delta->fails / secs);
}

/* One document, one line. @deltas: NULL where there is but one snapshot. */
static void print_types_json(FILE *out, const struct umastat_stream *stream,
			     const struct options *opt,
			     const struct delta *deltas, double secs)
{
	struct malloc_type_stats slot;
	struct umastat_type type;
	const char *comma = "";
	__u32 i, cpu;

	fprintf(out, "{\"version\":%u,\"cpus\":%u", MALLOC_TYPE_STREAM_VERSION,
		stream->maxcpus);
	if (deltas)
		fprintf(out, ",\"interval\":%.6f", secs);
	fputs(",\"types\":[", out);
	for (i = 0; i < stream->count; i++) {
		umastat_malloc_type(stream, i, &type);
		if (!type_shown(&type, opt))
			continue;
		fputs(comma, out);
		comma = ",";
		print_json_type(out, &type);
		if (deltas)
			print_json_type_delta(out, &deltas[i], secs);
		if (opt->percpu) {
			fputs(",\"percpu\":[", out);
			for (cpu = 0; cpu < stream->maxcpus; cpu++) {
				umastat_malloc_cpu(stream, i, cpu, &slot);
				fprintf(out, "%s{\"allocs\":%llu,\"frees\":%llu",
					cpu ? "," : "", slot.mts_numallocs,
					slot.mts_numfrees);
				fprintf(out, ",\"bytes_allocated\":%llu,\"bytes_freed\":%llu",
					slot.mts_memalloced, slot.mts_memfreed);
				fprintf(out, ",\"fails\":%llu}",
					slot.mts_fails);
			}
			putc(']', out);
		}
		putc('}', out);
	}
	fputs("]}\n", out);
}

/* Out with it, and with the complaint that belongs beside it. */
static bool finish_types(FILE *out, const struct umastat_stream *stream,
			 const struct options *opt)
{
	char why[ESCAPED_NAME + 160], name[ESCAPED_NAME];
	struct umastat_type type;
	__u32 i, wrong = 0;

	if (fflush(out) || ferror(out))
		return complain("output", strerror(errno));
	for (i = 0; i < stream->count; i++) {
		umastat_malloc_type(stream, i, &type);
		if (!type_shown(&type, opt) ||
		    (type.allocs >= type.frees &&
		     type.bytes_allocated >= type.bytes_freed))
			continue;
		if (wrong++)
			continue;
		escape_name(name, type.name);
		if (type.allocs < type.frees)
			snprintf(why, sizeof(why), "type '%s' has %llu frees but %llu allocations",
				 name, type.frees, type.allocs);
		else
			snprintf(why, sizeof(why),
				 "type '%s' has %llu bytes freed but %llu allocated",
				 name, type.bytes_freed, type.bytes_allocated);
	}
	if (wrong > 1)
		snprintf(why + strlen(why), sizeof(why) - strlen(why),
			 ", and %u more types are like it", wrong - 1);
	return !wrong || complain(opt->file, why);
}

static struct totals *sorted_types(const struct umastat_stream *stream)
{
	struct totals *totals = calloc((size_t)stream->count + 1,
				       sizeof(*totals));
	struct umastat_type type;
	__u32 i;

	if (!totals)
		return NULL;
	for (i = 0; i < stream->count; i++) {
		umastat_malloc_type(stream, i, &type);
		memcpy(totals[i].name, type.name, sizeof(type.name));
		totals[i].record = i;
		totals[i].allocs = type.allocs;
		totals[i].frees = type.frees;
		totals[i].fails = type.fails;
	}
	qsort(totals, stream->count, sizeof(*totals), compare_totals);
	return totals;
}

static struct delta *compare_types(const struct umastat_stream *then,
				   const struct umastat_stream *now)
{
	return compare_sorted(sorted_types(then), then->count,
			      sorted_types(now), now->count);
}

/* ---- one table, or one after the other ---- */

static double seconds_between(const struct timespec *a,
			      const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) +
	       (double)(b->tv_nsec - a->tv_nsec) / 1e9;
}

static void pause_for(double secs)
{
	time_t whole = (time_t)secs;
	struct timespec left = {
		.tv_sec = whole,
		.tv_nsec = (long)((secs - (double)whole) * 1e9),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

static void print_change(FILE *out, const struct umastat_stream *stream,
			 const struct options *opt, const struct delta *deltas,
			 double secs)
{
	if (opt->types)
		(opt->json ? print_types_json : print_types_rates)
			(out, stream, opt, deltas, secs);
	else
		(opt->json ? print_json : print_rates)
			(out, stream, opt, deltas, secs);
}

static bool show_rates(FILE *out, const struct options *opt)
{
	struct snapshot then, now;
	unsigned long table;
	bool ok;

	ok = take_stream(&then, opt->file, opt->types);
	if (!ok)
		return false;
	for (table = 0; !opt->tables || table < opt->tables; table++) {
		struct delta *deltas;
		double secs;

		pause_for(opt->wait);
		if (!take_stream(&now, opt->file, opt->types)) {
			ok = false;
			break;
		}
		secs = seconds_between(&then.at, &now.at);
		deltas = (opt->types ? compare_types : compare)(&then.stream,
								&now.stream);
		free(then.bytes);
		then = now;
		if (!deltas) {
			ok = complain(opt->file, "no memory");
			break;
		}
		if (table && !opt->json)
			putc('\n', out);
		print_change(out, &now.stream, opt, deltas, secs);
		free(deltas);
		ok &= (opt->types ? finish_types : finish)(out, &now.stream,
							   opt);
		if (ferror(out))
			break;
	}
	free(then.bytes);
	return ok;
}

static bool show_types(FILE *out, const struct options *opt)
{
	struct snapshot snap;
	bool ok;

	if (!take_stream(&snap, opt->file, true))
		return false;
	if (opt->json)
		print_types_json(out, &snap.stream, opt, NULL, 0);
	else if (opt->percpu)
		print_types_percpu(out, &snap.stream, opt);
	else
		print_types(out, &snap.stream, opt);
	ok = finish_types(out, &snap.stream, opt);
	free(snap.bytes);
	return ok;
}

static bool show_once(FILE *out, const struct options *opt)
{
	struct snapshot snap;
	bool ok;

	if (!take_snapshot(&snap, opt->file))
		return false;
	if (opt->json)
		print_json(out, &snap.stream, opt, NULL, 0);
	else if (opt->percpu)
		print_percpu(out, &snap.stream, opt);
	else
		print_table(out, &snap.stream, opt);
	ok = finish(out, &snap.stream, opt);
	free(snap.bytes);
	return ok;
}

/* ---- the command line ---- */

static const char help[] =
"usage: umastat [-cjm] [-f FILE] [-n PATTERN]\n"
"       umastat -w SECS [-jm] [-f FILE] [-n PATTERN] [TABLES]\n"
"       umastat -b [-j] [-f FILE]\n"
"Show the statistics of uma.ko's zones, or of its malloc types.\n"
"\n"
"  -b, --mbufs          network buffers, as netstat -m shows them\n"
"  -c, --percpu         split by CPU; a slot of zeros is left out\n"
"  -f, --file FILE      read FILE (-: standard input), not\n"
"                       " ZONE_STATS "\n"
"  -h, --help           show this\n"
"  -j, --json           one JSON document on one line, for each table\n"
"  -m, --malloc         malloc types, as vmstat -m shows them; the default FILE\n"
"                       is malloc_stats then\n"
"  -n, --zone PATTERN   only zones (types) whose name matches the shell pattern\n"
"  -V, --version        show which version of the stream is read\n"
"  -w, --wait SECS      every SECS seconds show the rates since the last time,\n"
"                       TABLES times or without end\n"
"\n"
"SIZE    bytes of an item as its zone's creator asked for them\n"
"LIMIT   items that there may be, 0: no limit\n"
"USED    allocated and not yet freed; below zero: something was freed twice\n"
"FREE    free items in slabs, buckets and CPU caches; a zone that shares\n"
"        another's slabs leaves those in slabs to the other\n"
"REQ     allocations that succeeded\n"
"FAIL    allocations that failed\n"
"SLEEP   allocations that had to wait for the limit\n"
"\n"
"Type        name of a malloc type\n"
"InUse       blocks allocated and not yet freed\n"
"MemUse      what they take, in KiB\n"
"Requests    allocations that succeeded\n"
"Size(s)     sizes of blocks that were ever allocated, by powers of two\n"
"\n"
"With -c, a zone's own row holds what its CPUs have handed over to it.\n"
"With -w, a new zone counts from its birth; - where several zones have one\n"
"name and some of them came or went, so that none can be told apart.\n"
"With -b, a request is denied where its zone had nothing to give at once; it\n"
"may have been served otherwise. The cluster of a free packet is in the cache.\n"
"\n"
"Exit status: 0; 1 if the stream cannot be read, is damaged, has a zone or\n"
"type with more frees than allocations, or with -b lacks a zone of network\n"
"buffers; 2 for a wrong command line.\n";

static int usage(const char *what)
{
	fprintf(stderr, "umastat: %s (--help shows more)\n", what);
	return EXIT_USAGE;
}

static bool parse_seconds(const char *text, double *secs)
{
	char *end;

	*secs = strtod(text, &end);
	/* Written so that not-a-number is refused, too. */
	return end != text && !*end && *secs >= 0.01 && *secs <= 1e6;
}

static bool parse_tables(const char *text, unsigned long *tables)
{
	char *end;

	errno = 0;
	*tables = strtoul(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && *tables;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "mbufs", no_argument, NULL, 'b' },
		{ "percpu", no_argument, NULL, 'c' },
		{ "file", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "malloc", no_argument, NULL, 'm' },
		{ "zone", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "wait", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	struct options opt = { .file = NULL };
	int c;

	while ((c = getopt_long(argc, argv, "bcf:hjmn:Vw:", longopts, NULL)) >= 0) {
		switch (c) {
		case 'b':
			opt.mbufs = true;
			break;
		case 'c':
			opt.percpu = true;
			break;
		case 'f':
			opt.file = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return fflush(stdout) ? EXIT_STREAM : 0;
		case 'j':
			opt.json = true;
			break;
		case 'm':
			opt.types = true;
			break;
		case 'n':
			opt.pattern = optarg;
			break;
		case 'V':
			printf("umastat: reads version %u of the stream\n",
			       UMA_STREAM_VERSION);
			return fflush(stdout) ? EXIT_STREAM : 0;
		case 'w':
			if (!parse_seconds(optarg, &opt.wait))
				return usage("-w wants seconds, from 0.01 to 1000000");
			break;
		default:
			/* getopt_long() has said what is wrong. */
			return EXIT_USAGE;
		}
	}
	if (!opt.file)
		opt.file = opt.types ? MALLOC_STATS : ZONE_STATS;
	if (opt.wait && optind < argc &&
	    !parse_tables(argv[optind++], &opt.tables))
		return usage("the number of tables must be 1 or more");
	if (optind < argc)
		return usage("too many arguments");
	if (opt.mbufs && (opt.percpu || opt.pattern || opt.wait || opt.types))
		return usage("-b goes with -f and -j only");
	if (opt.wait && opt.percpu)
		return usage("no rates by CPU: counts move from CPUs to their zone");
	if (opt.wait && !strcmp(opt.file, "-"))
		return usage("-w needs a file that can be read again");
	if (opt.mbufs)
		return show_mbufs(stdout, &opt) ? 0 : EXIT_STREAM;
	return (opt.wait ? show_rates : opt.types ? show_types : show_once)
		(stdout, &opt) ? 0 : EXIT_STREAM;
}
