// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmemops - turn a recording of the kernel's slab traffic into an operation
 * list that uma_replay.ko replays.
 *
 * The recording is what "trace-cmd report" prints of the events
 * kmem:kmem_cache_alloc and kmem:kmem_cache_free. An allocation tells address
 * and size but not its cache, a free tells address and cache but no size; only
 * the pair tells both. So nothing can be decided while reading. The program
 * keeps every event, and then
 *
 *	1. brings them into the order of their time stamps, if they are not;
 *	2. sorts a copy of their indices by address, stably: all that happened to
 *	   an address now stands together, in order, and pairs are neighbours;
 *	3. gives each allocation the cache that its free names, or else guesses
 *	   by size;
 *	4. goes through the events in time once more and writes operations,
 *	   with a slot in place of each address.
 *
 * The sorts are radix sorts: no comparison, no hash of addresses, and so no
 * input that makes them slow. Text is never trusted: a line is an event or it
 * is counted as something else, and lengths bound everything.
 *
 * What a recording does not hold is made up in the least surprising way, and
 * counted. An object that was allocated before the recording began is unknown;
 * its free is dropped. An object still live at the end stays live. A live
 * address that is allocated once more was freed without our seeing it (events
 * were lost, or the kernel freed it by a path without this event, in bulk for
 * one): its free is put right before the second allocation.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kunit/uma_replay_check.h"

#define LINE_BYTES	4096			/* longer lines are damaged */
#define MAX_EVENTS	(2 * UMA_REPLAY_MAX_OPS)
#define NAME_BYTES	64			/* of a name as it was read */
#define MAX_NAMES	1024
#define HASH_SLOTS	4096			/* for names, a power of two */
#define NONE		UINT32_MAX

/*
 * One event. @end of an allocation is the event that ended it: its free, or the
 * next allocation of the address. @end of a free is the allocation that it
 * ended. @before of an allocation is the one whose missing free goes before it.
 */
struct event {
	uint64_t ns;
	uint64_t ptr;
	uint32_t size;		/* allocation: bytes asked for; free: its name */
	uint32_t stride;	/* allocation: bytes taken */
	uint32_t end;
	uint32_t before;
	uint32_t slot;
	uint16_t cache;
	uint16_t cpu : 15;
	uint16_t alloc : 1;
};

static_assert(UMA_REPLAY_MAX_CPUS <= 1 << 15);

#define NO_CACHE	UINT16_MAX

struct name {
	char text[NAME_BYTES];
	uint32_t next;		/* in the same hash slot */
	uint16_t usual;		/* the cache of this name with most pairs */
};

struct cache {
	uint32_t name;		/* NONE: made up from the size */
	uint32_t size;
	uint32_t stride;
	uint32_t pairs;		/* allocations that a free put here */
};

static struct event *events;
static uint32_t nevents, room;
static struct name names[MAX_NAMES];
static uint32_t nnames;
static uint32_t name_hash[HASH_SLOTS];
static struct cache caches[UMA_REPLAY_MAX_CACHES];
static uint32_t ncaches;

/* Everything that is counted, in the order in which it is shown. */
enum {
	LINES, ALLOCS, FREES, OTHER, DAMAGED, LOST_NOTES, LOST, DISORDER,
	EXCESS, NULLS, SIZES, UNKNOWN, MISSED, NAMED_FREE, MISNAMED, NAMED_SIZE,
	NAMED_NOT, NO_ROOM, OPS, OP_ALLOCS, OP_LEFT, CUT, CACHES, SLOTS, CPUS,
	PEAK_OBJECTS, PEAK_BYTES, COUNTS
};

static const struct {
	const char *key;
	const char *text;
	bool always;		/* shown even when zero */
} count_text[COUNTS] = {
	[LINES] = { "lines", "lines read", true },
	[ALLOCS] = { "allocs", "allocations recorded", true },
	[FREES] = { "frees", "frees recorded", true },
	[OTHER] = { "other", "lines of other kinds (ignored)", false },
	[DAMAGED] = { "damaged", "damaged lines (skipped)", true },
	[LOST_NOTES] = { "lost_notes", "notes of lost events", false },
	[LOST] = { "lost", "events lost, as far as the notes say", true },
	[DISORDER] = { "disorder", "events earlier than the line before (sorted)",
		       false },
	[EXCESS] = { "excess", "events beyond what is kept (dropped)", false },
	[NULLS] = { "nulls", "allocations that had failed (dropped)", false },
	[SIZES] = { "sizes", "allocations of unusable size (dropped)", false },
	[UNKNOWN] = { "unknown_frees",
		      "frees of unknown addresses (dropped)", true },
	[MISSED] = { "missed_frees",
		     "frees not recorded, address allocated again (added)",
		     true },
	[NAMED_FREE] = { "named_by_free", "allocations named by their free",
			 true },
	[MISNAMED] = { "misnamed",
		       "frees that name a cache of another size (name not taken)",
		       false },
	[NAMED_SIZE] = { "named_by_size", "allocations named by their size",
			 true },
	[NAMED_NOT] = { "unnamed", "allocations in a made-up cache size-N",
			true },
	[NO_ROOM] = { "no_room",
		      "allocations of caches beyond the limit (dropped)",
		      false },
	[OPS] = { "ops", "operations written", true },
	[OP_ALLOCS] = { "op_allocs", "of those, allocations", true },
	[OP_LEFT] = { "op_left", "objects live at the end of the list", true },
	[CUT] = { "cut", "events beyond the last operation wanted (dropped)",
		  false },
	[CACHES] = { "caches", "caches", true },
	[SLOTS] = { "slots", "slots", true },
	[CPUS] = { "cpus", "CPU numbers", true },
	[PEAK_OBJECTS] = { "peak_objects", "objects live at the peak", true },
	[PEAK_BYTES] = { "peak_bytes", "bytes in them", true },
};

static uint64_t count[COUNTS];

static void __attribute__((format(printf, 1, 2), noreturn))
die(const char *fmt, ...)
{
	va_list ap;

	fputs("kmemops: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void *get_memory(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die("out of memory");
	return p;
}

/*
 * Reading numbers. Each takes the text between *s and e, leaves *s behind the
 * number, and fails where there is no digit or the value has no room.
 */
static bool decimal(const char **s, const char *e, uint64_t max, uint64_t *v)
{
	const char *p = *s;
	uint64_t n = 0;

	for (; p < e && *p >= '0' && *p <= '9'; p++) {
		unsigned int digit = *p - '0';

		if (n > (max - digit) / 10 || max < digit)
			return false;
		n = n * 10 + digit;
	}
	if (p == *s)
		return false;
	*s = p;
	*v = n;
	return true;
}

static bool hexadecimal(const char **s, const char *e, uint64_t *v)
{
	const char *p = *s, *begin;
	uint64_t n = 0;

	if (e - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x')
		p += 2;
	for (begin = p; p < e && isxdigit((unsigned char)*p); p++) {
		if (n >> 60)
			return false;
		n = n << 4 | (*p <= '9' ? *p - '0' : (*p | 0x20) - 'a' + 10);
	}
	if (p == begin)
		return false;
	*s = p;
	*v = n;
	return true;
}

/* The text behind " key=" between s and e, or NULL. */
static const char *field(const char *s, const char *e, const char *key)
{
	size_t n = strlen(key);
	const char *p = memmem(s, e - s, key, n);

	return p ? p + n : NULL;
}

static bool at_end(const char *s, const char *e)
{
	return s == e || *s == ' ';
}

static bool number_field(const char *s, const char *e, const char *key,
			 uint64_t max, uint64_t *v)
{
	s = field(s, e, key);
	return s && decimal(&s, e, max, v) && at_end(s, e);
}

/* "   sh-149   [000]  6.467745321: ", the part up to the event's name. */
static bool parse_place(const char *s, const char *e, struct event *ev)
{
	const char *p, *stop;
	uint64_t sec, part = 0, scale, v;

	/* Backwards, since a command's name can hold anything at all. */
	while (e > s && e[-1] == ' ')
		e--;
	if (e == s || *--e != ':')
		return false;
	for (p = e; p > s && p[-1] != ' '; p--)
		;
	stop = p;
	if (!decimal(&p, e, UINT64_MAX / 1000000000 - 1, &sec))
		return false;
	if (p < e) {
		if (*p++ != '.' || e - p > 9 || e == p)
			return false;
		for (scale = 1000000000, v = e - p; v; v--)
			scale /= 10;
		if (!decimal(&p, e, UINT64_MAX, &part) || p != e)
			return false;
		ev->ns = sec * 1000000000 + part * scale;
	} else {
		ev->ns = sec;		/* --raw-ts: nanoseconds already */
	}

	/* The CPU, or flags like "d..1." and then the CPU. */
	for (int word = 0; word < 2; word++) {
		for (e = stop; e > s && e[-1] == ' '; e--)
			;
		for (p = e; p > s && p[-1] != ' '; p--)
			;
		stop = p;
		if (e - p < 3 || *p != '[' || e[-1] != ']')
			continue;
		p++;
		if (!decimal(&p, e, UMA_REPLAY_MAX_CPUS - 1, &v) || p != e - 1)
			return false;
		ev->cpu = v;
		return true;
	}
	return false;
}

static uint32_t find_name(const char *s, const char *e)
{
	char text[NAME_BYTES] = "";
	size_t n = e - s < NAME_BYTES ? e - s : NAME_BYTES - 1;
	uint32_t hash = 2166136261U, i;

	memcpy(text, s, n);
	for (i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619U;
	hash = (hash ^ hash >> 15) & (HASH_SLOTS - 1);
	for (i = name_hash[hash]; i; i = names[i - 1].next)
		if (!memcmp(names[i - 1].text, text, NAME_BYTES))
			return i - 1;
	if (nnames == MAX_NAMES)
		return NONE;
	memcpy(names[nnames].text, text, NAME_BYTES);
	names[nnames].usual = NO_CACHE;
	names[nnames].next = name_hash[hash];
	name_hash[hash] = nnames + 1;
	return nnames++;
}

static void keep(const struct event *ev)
{
	if (nevents == MAX_EVENTS) {
		count[EXCESS]++;
		return;
	}
	if (nevents == room) {
		room = room ? room * 2 : 65536;
		events = realloc(events, room * sizeof(*events));
		if (!events)
			die("out of memory");
	}
	if (nevents && ev->ns < events[nevents - 1].ns)
		count[DISORDER]++;
	events[nevents++] = *ev;
}

static bool parse_alloc(const char *s, const char *e, struct event *ev)
{
	const char *p = field(s, e, " ptr=");
	uint64_t size, stride;

	if (!p)
		return false;
	if (e - p >= 5 && !memcmp(p, "(nil)", 5))
		ev->ptr = 0;
	else if (!hexadecimal(&p, e, &ev->ptr) || !at_end(p, e))
		return false;
	if (!number_field(s, e, " bytes_req=", UINT32_MAX, &size) ||
	    !number_field(s, e, " bytes_alloc=", UINT32_MAX, &stride))
		return false;
	/* What follows is not needed, but a line that was cut lacks it. */
	if (!field(s, e, " gfp_flags="))
		return false;
	count[ALLOCS]++;
	if (!ev->ptr) {
		count[NULLS]++;
		return true;
	}
	if (!size || size > UMA_REPLAY_MAX_SIZE || stride < size) {
		count[SIZES]++;
		return true;
	}
	ev->size = size < UMA_REPLAY_MIN_SIZE ? UMA_REPLAY_MIN_SIZE : size;
	ev->stride = stride < ev->size ? ev->size : stride;
	ev->alloc = 1;
	keep(ev);
	return true;
}

static bool parse_free(const char *s, const char *e, struct event *ev)
{
	const char *p = field(s, e, " ptr=");
	const char *name = field(s, e, " name=");

	if (!p || !name || !hexadecimal(&p, e, &ev->ptr) || !at_end(p, e))
		return false;
	while (e > name && isspace((unsigned char)e[-1]))
		e--;
	if (e == name)
		return false;
	for (p = name; p < e; p++)
		if (!isprint((unsigned char)*p))
			return false;
	count[FREES]++;
	if (!ev->ptr)
		return true;
	ev->size = find_name(name, e);
	keep(ev);
	return true;
}

/* "CPU:1 [LOST 12 EVENTS]", "CPU:1 [12 EVENTS DROPPED]" or without a number. */
static bool parse_loss(const char *s, const char *e)
{
	uint64_t n;

	while (s < e && isspace((unsigned char)*s))
		s++;
	if (e - s < 5 || memcmp(s, "CPU:", 4))
		return false;
	s = memchr(s, '[', e - s);
	if (!s || !memmem(s, e - s, "EVENTS", 6) ||
	    (!memmem(s, e - s, "LOST", 4) && !memmem(s, e - s, "DROPPED", 7)))
		return false;
	count[LOST_NOTES]++;
	while (s < e && !isdigit((unsigned char)*s))
		s++;
	if (s < e && decimal(&s, e, UINT32_MAX, &n))
		count[LOST] += n;
	return true;
}

static void parse_line(const char *s, const char *e)
{
	static const char prefix[] = "kmem_cache_";
	struct event ev = { .end = NONE, .before = NONE, .cache = NO_CACHE };
	const char *at = s;
	bool good = false;

	count[LINES]++;
	if (e > s && e[-1] == '\r')
		e--;
	/*
	 * A command's name has 15 characters at most and cannot hold one of
	 * the two events' names with its colon; the first is the event.
	 */
	while ((at = memmem(at, e - at, prefix, sizeof(prefix) - 1))) {
		const char *event = at;

		at += sizeof(prefix) - 1;
		if (e - at >= 6 && !memcmp(at, "alloc:", 6))
			good = parse_place(s, event, &ev) &&
			       parse_alloc(at + 6, e, &ev);
		else if (e - at >= 5 && !memcmp(at, "free:", 5))
			good = parse_place(s, event, &ev) &&
			       parse_free(at + 5, e, &ev);
		else
			continue;
		if (!good)
			count[DAMAGED]++;
		return;
	}
	if (parse_loss(s, e))
		return;

	/* The line "cpus=2", an empty one, and other events are no damage. */
	if (e == s || (e - s > 5 && !memcmp(s, "cpus=", 5))) {
		count[OTHER]++;
		return;
	}
	for (at = s; (at = memmem(at, e - at, ": ", 2)); at += 2)
		if (parse_place(s, at + 2, &ev)) {
			count[OTHER]++;
			return;
		}
	count[DAMAGED]++;
}

/* Lines end with a newline; one without, at the end, was cut. */
static void read_text(int fd, const char *path)
{
	static char buf[16 * LINE_BYTES];
	size_t have = 0;
	bool skip = false;
	ssize_t n;

	for (;;) {
		char *s = buf, *e, *nl;

		n = read(fd, buf + have, sizeof(buf) - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("%s: %s", path, strerror(errno));
		if (!n)
			break;
		e = buf + have + n;
		while ((nl = memchr(s, '\n', e - s))) {
			if (skip || nl - s > LINE_BYTES) {
				count[LINES]++;
				count[DAMAGED]++;
			} else {
				parse_line(s, nl);
			}
			skip = false;
			s = nl + 1;
		}
		have = e - s;
		if (have > LINE_BYTES) {
			skip = true;
			have = 0;
		}
		memmove(buf, s, have);
	}
	if (have || skip) {
		count[LINES]++;
		count[DAMAGED]++;
	}
}

/* Sorts indices of events by time or address; equal ones keep their order. */
static void sort_events(uint32_t *index, bool by_time)
{
	uint32_t *other = get_memory(nevents, sizeof(*other));
	uint32_t *from = index, *to = other;

	for (int shift = 0; shift < 64; shift += 16) {
		static uint32_t start[65536];
		uint32_t sum = 0;

		memset(start, 0, sizeof(start));
		for (uint32_t i = 0; i < nevents; i++) {
			const struct event *ev = &events[i];

			start[(by_time ? ev->ns : ev->ptr) >> shift & 0xffff]++;
		}
		for (uint32_t d = 0; d < 65536; d++) {
			uint32_t n = start[d];

			start[d] = sum;
			sum += n;
		}
		for (uint32_t i = 0; i < nevents; i++) {
			const struct event *ev = &events[from[i]];

			to[start[(by_time ? ev->ns : ev->ptr) >> shift &
				 0xffff]++] = from[i];
		}
		uint32_t *swap = from;

		from = to;
		to = swap;
	}
	/* Four passes: the result is back in @index. */
	free(other);
}

static void order_by_time(uint32_t *index)
{
	struct event *sorted = get_memory(nevents, sizeof(*sorted));

	sort_events(index, true);
	for (uint32_t i = 0; i < nevents; i++)
		sorted[i] = events[index[i]];
	free(events);
	events = sorted;
	room = nevents;
}

/* @index is sorted by address: finds out which event ends which object. */
static void find_pairs(const uint32_t *index)
{
	uint32_t live = NONE;

	for (uint32_t i = 0; i < nevents; i++) {
		uint32_t me = index[i];
		struct event *ev = &events[me];

		if (i && ev->ptr != events[index[i - 1]].ptr)
			live = NONE;
		if (ev->alloc) {
			if (live != NONE) {
				count[MISSED]++;
				events[live].end = me;
				ev->before = live;
			}
			live = me;
		} else if (live == NONE) {
			count[UNKNOWN]++;
		} else {
			events[live].end = me;
			ev->end = live;
			live = NONE;
		}
	}
}

/* The cache of this name and these sizes; NO_CACHE when there are too many. */
static uint16_t find_cache(uint32_t name, uint32_t size, uint32_t stride)
{
	uint16_t c = name == NONE ? NO_CACHE : names[name].usual;

	if (c != NO_CACHE && caches[c].size == size &&
	    caches[c].stride == stride)
		return c;
	for (c = 0; c < ncaches; c++)
		if (caches[c].name == name && caches[c].size == size &&
		    caches[c].stride == stride)
			return c;
	if (ncaches == UMA_REPLAY_MAX_CACHES)
		return NO_CACHE;
	caches[ncaches].name = name;
	caches[ncaches].size = size;
	caches[ncaches].stride = stride;
	return ncaches++;
}

/* A cache whose objects have these sizes: the one seen most often. */
static uint16_t guess_cache(uint32_t size, uint32_t stride)
{
	uint16_t best = NO_CACHE;

	for (uint16_t c = 0; c < ncaches; c++)
		if (caches[c].name != NONE && caches[c].pairs &&
		    caches[c].size == size && caches[c].stride == stride &&
		    (best == NO_CACHE || caches[c].pairs > caches[best].pairs))
			best = c;
	return best;
}

static void name_allocations(void)
{
	for (uint32_t i = 0; i < nevents; i++) {
		struct event *ev = &events[i];
		uint32_t name;

		if (!ev->alloc || ev->end == NONE || events[ev->end].alloc)
			continue;
		name = events[ev->end].size;
		if (name == NONE)
			continue;
		ev->cache = find_cache(name, ev->size, ev->stride);
		if (ev->cache == NO_CACHE)
			continue;
		caches[ev->cache].pairs++;
		if (names[name].usual == NO_CACHE ||
		    caches[ev->cache].pairs >
		    caches[names[name].usual].pairs)
			names[name].usual = ev->cache;
	}

	/*
	 * Where events were lost, a free and the allocation before it may be
	 * of two objects that had the address one after the other. A name
	 * that mostly has another size gives such a pair away.
	 */
	for (uint32_t i = 0; count[LOST_NOTES] && i < nevents; i++) {
		struct event *ev = &events[i];
		struct cache *c;

		if (!ev->alloc || ev->cache == NO_CACHE)
			continue;
		c = &caches[ev->cache];
		if (names[c->name].usual == ev->cache)
			continue;
		count[MISNAMED]++;
		c->pairs--;
		ev->cache = NO_CACHE;
	}

	for (uint32_t i = 0; i < nevents; i++) {
		struct event *ev = &events[i];

		if (!ev->alloc)
			continue;
		if (ev->cache != NO_CACHE) {
			count[NAMED_FREE]++;
			continue;
		}
		ev->cache = guess_cache(ev->size, ev->stride);
		if (ev->cache != NO_CACHE) {
			count[NAMED_SIZE]++;
			continue;
		}
		ev->cache = find_cache(NONE, ev->size, ev->stride);
		if (ev->cache != NO_CACHE)
			count[NAMED_NOT]++;
		else
			count[NO_ROOM]++;
	}
}

/* The list, in one piece, and what is needed while it grows. */
struct list {
	struct uma_replay_header *header;
	struct uma_replay_op *ops;
	uint32_t nops, max;
	uint32_t nslots;
	uint32_t *spare;	/* slots that are free again, the last one on top */
	uint32_t nspare;
	uint32_t cpus;
};

static void put_op(struct list *l, struct event *object, unsigned int cpu,
		   bool alloc)
{
	struct uma_replay_op *op = &l->ops[l->nops++];

	if (alloc)
		object->slot = l->nspare ? l->spare[--l->nspare] : l->nslots++;
	else
		l->spare[l->nspare++] = object->slot;
	op->slot = object->slot;
	op->cache = object->cache;
	op->cpu = cpu | (alloc ? UMA_REPLAY_ALLOC : 0);
	if (cpu >= l->cpus)
		l->cpus = cpu + 1;
}

static void put_ops(struct list *l)
{
	for (uint32_t i = 0; i < nevents; i++) {
		struct event *ev = &events[i];
		struct event *old = NULL;

		if (ev->alloc && ev->before != NONE)
			old = &events[ev->before];
		else if (!ev->alloc && ev->end != NONE)
			old = &events[ev->end];
		if (old && old->cache == NO_CACHE)
			old = NULL;
		if (l->nops + !!old +
		    (ev->alloc && ev->cache != NO_CACHE) > l->max) {
			count[CUT] = nevents - i;
			break;
		}
		if (old)
			put_op(l, old, ev->cpu, false);
		if (ev->alloc && ev->cache != NO_CACHE)
			put_op(l, ev, ev->cpu, true);
	}
}

static bool same_name(const struct uma_replay_cache *table, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (!memcmp(table[k].name, table[i].name,
			    sizeof(table[i].name)))
			return true;
	return false;
}

/* Names that are allowed and all different, from names that may be neither. */
static void put_caches(struct uma_replay_cache *table)
{
	for (uint32_t i = 0; i < ncaches; i++) {
		const struct cache *c = &caches[i];
		char text[NAME_BYTES], tail[16] = "";

		table[i].size = c->size;
		table[i].stride = c->stride;
		if (c->name == NONE)
			snprintf(text, sizeof(text), "size-%" PRIu32, c->size);
		else
			memcpy(text, names[c->name].text, sizeof(text));
		for (char *p = text; *p; p++)
			if (*p <= ' ' || *p > '~' || *p == '/')
				*p = '_';
		for (uint32_t n = 1;; n++) {
			size_t max = sizeof(table[i].name) - 1 - strlen(tail);

			memset(table[i].name, 0, sizeof(table[i].name));
			memcpy(table[i].name, text, strnlen(text, max));
			memcpy(table[i].name + strnlen(text, max), tail,
			       strlen(tail));
			if (!same_name(table, i))
				break;
			snprintf(tail, sizeof(tail), "~%" PRIu32, n);
		}
	}
}

/* From events to a list in memory; the caller frees it. */
static struct uma_replay_header *make_list(uint32_t max_ops)
{
	uint32_t *index = get_memory(nevents, sizeof(*index));
	struct uma_replay_flaw flaw;
	struct uma_replay_facts facts;
	struct list l = { .max = max_ops };
	uint64_t most;
	uint16_t *live;

	for (uint32_t i = 0; i < nevents; i++)
		index[i] = i;
	if (count[DISORDER]) {
		order_by_time(index);
		for (uint32_t i = 0; i < nevents; i++)
			index[i] = i;
	}
	sort_events(index, false);
	find_pairs(index);
	free(index);
	name_allocations();

	most = (uint64_t)nevents * 2 < max_ops ? nevents * 2 : max_ops;
	l.header = get_memory(1, uma_replay_length(ncaches, most));
	l.ops = (void *)((char *)l.header + uma_replay_length(ncaches, 0));
	l.spare = get_memory(most, sizeof(*l.spare));
	put_ops(&l);
	free(l.spare);
	if (!l.nops)
		die("no operations in the recording (%" PRIu64 " lines, %"
		    PRIu64 " of them damaged)", count[LINES], count[DAMAGED]);

	put_caches((void *)(l.header + 1));
	memcpy(l.header->magic, UMA_REPLAY_MAGIC, sizeof(l.header->magic));
	l.header->version = UMA_REPLAY_VERSION;
	l.header->length = uma_replay_length(ncaches, l.nops);
	l.header->cpus = l.cpus;
	l.header->caches = ncaches;
	l.header->slots = l.nslots;
	l.header->ops = l.nops;
	l.header->checksum = uma_replay_sum(l.header, l.header->length);

	/* What the module would refuse is an error of this program. */
	live = get_memory(l.nslots, sizeof(*live));
	if (uma_replay_check(l.header, l.header->length, live, &facts, &flaw)) {
		fprintf(stderr, "kmemops: internal error: %s %" PRIu32 ": %s (%"
			PRIu64 ")\n", flaw.where, flaw.index, flaw.what,
			(uint64_t)flaw.value);
		abort();
	}
	free(live);
	count[OPS] = l.nops;
	count[OP_ALLOCS] = facts.allocs;
	count[OP_LEFT] = facts.left;
	count[CACHES] = ncaches;
	count[SLOTS] = l.nslots;
	count[CPUS] = l.cpus;
	count[PEAK_OBJECTS] = facts.peak_objects;
	count[PEAK_BYTES] = facts.peak_bytes;
	return l.header;
}

static void write_all(int fd, const char *path, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("%s: %s", path, n ? strerror(errno) : "cannot write");
		p += n;
		len -= n;
	}
}

static void put_list(const char *path, const struct uma_replay_header *h)
{
	int fd = STDOUT_FILENO;

	if (path) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (fd < 0)
			die("%s: %s", path, strerror(errno));
	}
	write_all(fd, path ? path : "standard output", h, h->length);
	if (path && close(fd))
		die("%s: %s", path, strerror(errno));
}

static int open_input(const char *path)
{
	int fd;

	if (!path || !strcmp(path, "-"))
		return STDIN_FILENO;
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

/* Shows a list as text, or says what is wrong with it. */
static void dump(const char *path)
{
	size_t room_bytes = uma_replay_length(UMA_REPLAY_MAX_CACHES,
					      UMA_REPLAY_MAX_OPS) + 1;
	char *buf = NULL;
	size_t len = 0, size = 0;
	const struct uma_replay_header *h;
	const struct uma_replay_cache *table;
	const struct uma_replay_op *ops;
	struct uma_replay_facts facts;
	struct uma_replay_flaw flaw;
	uint16_t *live = NULL;
	int fd = open_input(path);
	ssize_t n;

	do {
		if (len == size) {
			size = size ? size * 2 : 1 << 16;
			buf = realloc(buf, size);
			if (!buf)
				die("out of memory");
		}
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno != EINTR)
			die("%s: %s", path, strerror(errno));
		len += n > 0 ? n : 0;
	} while (n && len < room_bytes);

	h = (void *)buf;
	if (len >= sizeof(*h) && !uma_replay_check_header(h, &flaw))
		live = get_memory(h->slots, sizeof(*live));
	if (uma_replay_check(buf, len, live, &facts, &flaw))
		die("%s: %s %" PRIu32 ": %s (%" PRIu64 ")", path, flaw.where,
		    flaw.index, flaw.what, (uint64_t)flaw.value);
	table = (const void *)(h + 1);
	ops = (const void *)(table + h->caches);
	printf("version %u cpus %u caches %u slots %u ops %u\n", h->version,
	       h->cpus, h->caches, h->slots, h->ops);
	for (uint32_t i = 0; i < h->caches; i++)
		printf("cache %u %s size %u stride %u\n", i, table[i].name,
		       table[i].size, table[i].stride);
	for (uint32_t i = 0; i < h->ops; i++)
		printf("%u %s %u %s\n", ops[i].cpu & UMA_REPLAY_CPU,
		       ops[i].cpu & UMA_REPLAY_ALLOC ? "alloc" : "free",
		       ops[i].slot, table[ops[i].cache].name);
	free(live);
	free(buf);
}

static void put_counts(bool machine)
{
	for (int i = 0; i < COUNTS; i++)
		if (machine)
			printf("%s %" PRIu64 "\n", count_text[i].key, count[i]);
		else if (count[i] || count_text[i].always)
			fprintf(stderr, "kmemops: %10" PRIu64 "  %s\n",
				count[i], count_text[i].text);
}

static void print_usage(FILE *to)
{
	fputs("trace-cmd report -N -R -t | kmemops [-o FILE] [--max-ops N] [--stats] [TEXT ...]\n"
	      "kmemops --dump [LIST]\n"
	      "\n"
	      "Turns the text of kmem:kmem_cache_alloc and kmem:kmem_cache_free events into\n"
	      "an operation list for uma_replay.ko, and says on standard error what it found.\n"
	      "\n"
	      "  -o FILE      write the list to FILE, not to standard output\n"
	      "  --max-ops N  at most N operations: the recording's first ones\n"
	      "  --stats      print every count on standard output, as \"key value\";\n"
	      "               the list goes to FILE or nowhere\n"
	      "  --dump       show a list as text\n"
	      "  --help       show this\n", to);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "max-ops", required_argument, NULL, 'm' },
		{ "output", required_argument, NULL, 'o' },
		{ "stats", no_argument, NULL, 's' },
		{ "dump", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	struct uma_replay_header *list;
	const char *output = NULL, *s;
	uint64_t max_ops = UMA_REPLAY_MAX_OPS;
	bool stats = false, dumping = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (opt) {
		case 'm':
			s = optarg;
			if (!decimal(&s, s + strlen(s), UMA_REPLAY_MAX_OPS,
				     &max_ops) || *s || !max_ops) {
				fprintf(stderr, "kmemops: --max-ops wants a number from 1 to %u\n",
					UMA_REPLAY_MAX_OPS);
				return 2;
			}
			break;
		case 'o':
			output = optarg;
			break;
		case 's':
			stats = true;
			break;
		case 'd':
			dumping = true;
			break;
		case 'h':
			print_usage(stdout);
			return 0;
		default:
			print_usage(stderr);
			return 2;
		}
	}
	if (dumping) {
		if (argc - optind > 1 || output || stats) {
			print_usage(stderr);
			return 2;
		}
		dump(optind < argc ? argv[optind] : "-");
	} else {
		if (!output && !stats && isatty(STDOUT_FILENO)) {
			fputs("kmemops: not writing a binary list to a terminal: use -o FILE\n",
			      stderr);
			return 2;
		}
		do {
			int fd = open_input(argv[optind]);

			read_text(fd, argv[optind] ? argv[optind] :
				  "standard input");
			if (fd != STDIN_FILENO)
				close(fd);
		} while (optind < argc && ++optind < argc);
		list = make_list(max_ops);
		if (output || !stats)
			put_list(output, list);
		put_counts(false);
		if (stats)
			put_counts(true);
		free(list);
		free(events);
	}
	if (fflush(stdout) || ferror(stdout))
		die("standard output: %s", strerror(errno));
	return 0;
}
