// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged streams, under umastat's parser and printers
 *
 * LLVMFuzzerTestOneInput() feeds one stream to both parsers, that of zones and
 * that of malloc types, and what one of them accepts to all its printers. The
 * verdict and every number of the table are compared with a second reading,
 * written from the documented offsets alone and sharing nothing with the
 * first. A difference ends the program by abort(); the sanitizers see to the
 * rest.
 *
 * With clang, for as long as one likes:
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -DUMASTAT_LIBFUZZER \
 *		-I. -o fuzz THIS_FILE scripts/umastat_stream.c
 *
 * Without -DUMASTAT_LIBFUZZER there is a main() that any compiler takes:
 *
 *	fuzz [-o DIR] SEED RUNS FILE...
 *
 * It damages the streams in FILE... in RUNS ways that depend on nothing but
 * SEED. Some are left in DIR, as NUMBER.VERDICT, for runs of the real program:
 * ok, complaint (a table, but with more frees than allocations) or refused; what
 * began as a stream of malloc types as NUMBER.types.VERDICT.
 */
#define main umastat_main
#include "umastat.c"
#undef main

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "fuzz: line %d: %s does not hold\n", \
			__LINE__, #cond);				\
		abort();						\
	}								\
} while (0)

enum verdict { OK, COMPLAINT, REFUSED };

static __u32 get32(const __u8 *data, size_t at)
{
	__u32 n;

	memcpy(&n, data + at, 4);
	return n;
}

static __u64 get64(const __u8 *data, size_t at)
{
	__u64 n;

	memcpy(&n, data + at, 8);
	return n;
}

/* A record by the documented offsets, in sums that cannot overflow. */
struct expected {
	unsigned __int128 allocs, frees, free;
};

static struct expected expect(const __u8 *rec, __u32 cpus)
{
	struct expected e = {
		.allocs = get64(rec, 72),
		.frees = get64(rec, 80),
		.free = get32(rec, 60),
	};
	__u32 i;

	if (!(get32(rec, 68) & 1))
		e.free += get32(rec, 56);
	for (i = 0; i < cpus; i++) {
		e.allocs += get64(rec, 120 + 64 * (size_t)i);
		e.frees += get64(rec, 120 + 64 * (size_t)i + 8);
		e.free += get64(rec, 120 + 64 * (size_t)i + 16);
	}
	return e;
}

static enum verdict judge(const __u8 *data, size_t size)
{
	const unsigned __int128 limit = ~0ULL;
	enum verdict verdict = OK;
	unsigned __int128 wanted;
	__u32 i, cpus, count;

	if (size < 16 || get32(data, 0) != 1)
		return REFUSED;
	cpus = get32(data, 4);
	count = get32(data, 8);
	wanted = 16 + (120 + 64 * (unsigned __int128)cpus) * count;
	if (!cpus || 120 + 64 * (__u64)cpus > 256 << 20 || wanted != size)
		return REFUSED;
	for (i = 0; i < count; i++) {
		const __u8 *rec = data + 16 + i * (120 + 64 * (size_t)cpus);
		struct expected e = expect(rec, cpus);

		if (strnlen((const char *)rec, 32) == 32 || e.allocs > limit ||
		    e.frees > limit || e.free > limit)
			return REFUSED;
		if (e.frees > e.allocs)
			verdict = COMPLAINT;
	}
	return verdict;
}

/* Output is text that no terminal takes for anything else. */
static void check_text(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		CHECK(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	CHECK(len && text[len - 1] == '\n');
}

static void check_number(const char **text, unsigned __int128 wanted)
{
	char *end;

	CHECK(strtoull(*text, &end, 10) == wanted);
	CHECK(end != *text);
	*text = end + strspn(end, ", ");
}

/* The name may hold anything that a row consists of: go by its length. */
static void check_row(const char *row, const __u8 *rec, __u32 cpus)
{
	struct expected e = expect(rec, cpus);
	char name[ESCAPED_NAME];
	int len = escape_name(name, (const char *)rec);

	CHECK(!strncmp(row, name, len) && row[len] == ':');
	row += len + 1;
	check_number(&row, get32(rec, 36));
	check_number(&row, get32(rec, 48));
	row += strspn(row, " ");
	if (e.frees > e.allocs) {
		CHECK(*row++ == '-');
		check_number(&row, e.frees - e.allocs);
	} else {
		check_number(&row, e.allocs - e.frees);
	}
	check_number(&row, e.free);
	check_number(&row, e.allocs);
	check_number(&row, get64(rec, 88));
	check_number(&row, get64(rec, 96));
	CHECK(*row == '\n');
}

static void check_table(const struct umastat_stream *stream,
			const __u8 *data)
{
	const struct options opt = { .file = "-" };
	char *text, *row;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	__u32 i;

	CHECK(out);
	print_table(out, stream, &opt);
	CHECK(!fclose(out));
	check_text(text, len);
	row = text;
	for (i = 0; i < stream->count; i++) {
		row = strchr(row, '\n') + 1;
		check_row(row, data + 16 + i * stream->record, stream->maxcpus);
	}
	CHECK(strchr(row, '\n') == text + len - 1);
	free(text);
}

static void check_json(const struct umastat_stream *stream,
		       const struct delta *deltas)
{
	const struct options opt = { .file = "-", .percpu = !deltas };
	long depth = 0, objects = 0;
	bool quoted = false;
	char *text, *p;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK(out);
	print_json(out, stream, &opt, deltas, 0.25);
	CHECK(!fclose(out));
	check_text(text, len);
	CHECK(strchr(text, '\n') == text + len - 1);
	for (p = text; *p; p++) {
		if (*p == '"') {
			quoted = !quoted;
		} else if (quoted) {
			if (*p == '\\')
				p++;
		} else if (*p == '{' || *p == '[') {
			objects += ++depth == 3;
		} else if (*p == '}' || *p == ']') {
			depth--;
		}
		CHECK(depth >= 0);
	}
	CHECK(!depth && !quoted && objects == stream->count);
	free(text);
}

static void check_others(const struct umastat_stream *stream)
{
	struct delta *deltas = compare(stream, stream);
	const struct options opt = { .file = "-", .pattern = "*[a-m]*" };
	const struct options all = { .file = "-" };
	char *text;
	size_t len;
	FILE *out;
	__u32 i;

	CHECK(deltas);
	for (i = 0; i < stream->count; i++)
		CHECK(deltas[i].known && !deltas[i].allocs &&
		      !deltas[i].frees && !deltas[i].fails && !deltas[i].sleeps);
	check_json(stream, NULL);
	check_json(stream, deltas);
	out = open_memstream(&text, &len);
	CHECK(out);
	print_percpu(out, stream, &all);
	print_rates(out, stream, &opt, deltas, 0.25);
	CHECK(!fclose(out));
	check_text(text, len);
	free(text);
	free(deltas);
}

/* Network buffers, of streams that have them: sums that hold, or one line. */
static void check_mbufs(const struct umastat_stream *stream)
{
	struct mbuf_stats s;
	char why[MBUF_WHY];
	char *text;
	size_t len;
	FILE *out;

	if (!add_up_mbufs(stream, &s, why)) {
		CHECK(*why && !strchr(why, '\n') && strlen(why) < MBUF_WHY - 1);
		return;
	}
	CHECK(s.mbufs.current + s.mbufs.cache == s.mbufs.total &&
	      s.mbufs.total >= s.mbufs.cache);
	CHECK(s.clusters.current + s.clusters.cache == s.clusters.total &&
	      s.clusters.total >= s.clusters.cache);
	CHECK(s.packets.current <= s.mbufs.current &&
	      s.packets.cache <= s.mbufs.cache);
	CHECK(s.bytes.current + s.bytes.cache == s.bytes.total);
	out = open_memstream(&text, &len);
	CHECK(out);
	print_mbufs(out, &s);
	print_json_mbufs(out, &s);
	CHECK(!fclose(out));
	check_text(text, len);
	free(text);
}

static enum verdict check(const __u8 *data, size_t size)
{
	enum verdict verdict = judge(data, size);
	struct umastat_stream stream;
	char why[UMASTAT_WHY];

	CHECK(umastat_stream_parse(&stream, data, size, why) ==
	      (verdict != REFUSED));
	if (verdict == REFUSED) {
		CHECK(*why && !strchr(why, '\n') && strlen(why) < UMASTAT_WHY - 1);
	} else {
		check_table(&stream, data);
		check_others(&stream);
		check_mbufs(&stream);
	}
	return verdict;
}

/* The same for malloc types. */
struct expected_type {
	unsigned __int128 sum[6];
	__u64 sizes;
};

static struct expected_type expect_type(const __u8 *rec, __u32 cpus)
{
	struct expected_type e = { .sizes = 0 };
	__u32 i, n;

	for (i = 0; i < cpus; i++) {
		for (n = 0; n < 6; n++)
			e.sum[n] += get64(rec, 32 + 64 * (size_t)i + 8 * n);
		e.sizes |= get64(rec, 32 + 64 * (size_t)i + 32);
	}
	e.sum[4] = 0;
	return e;
}

static enum verdict judge_types(const __u8 *data, size_t size)
{
	enum verdict verdict = OK;
	unsigned __int128 wanted;
	__u32 i, n, cpus, count;

	if (size < 16 || get32(data, 0) != 1)
		return REFUSED;
	cpus = get32(data, 4);
	count = get32(data, 8);
	wanted = 16 + (32 + 64 * (unsigned __int128)cpus) * count;
	if (!cpus || 32 + 64 * (__u64)cpus > 256 << 20 || wanted != size)
		return REFUSED;
	for (i = 0; i < count; i++) {
		const __u8 *rec = data + 16 + i * (32 + 64 * (size_t)cpus);
		struct expected_type e = expect_type(rec, cpus);

		if (strnlen((const char *)rec, 32) == 32 || e.sizes >> 60)
			return REFUSED;
		for (n = 0; n < 6; n++)
			if (e.sum[n] > ~0ULL)
				return REFUSED;
		if (e.sum[1] > e.sum[0] || e.sum[3] > e.sum[2])
			verdict = COMPLAINT;
	}
	return verdict;
}

/* A row: InUse, MemUse, Requests and sizes behind a name of known length. */
static void check_type_row(const char *row, const __u8 *rec, __u32 cpus)
{
	struct expected_type e = expect_type(rec, cpus);
	unsigned __int128 part;
	char name[ESCAPED_NAME];
	int bit, len = escape_name(name, (const char *)rec);

	row += strspn(row, " ") - strspn(name, " ");
	CHECK(!strncmp(row, name, len));
	row += len;
	row += strspn(row, " ");
	if (e.sum[3] > e.sum[2])
		CHECK(*row++ == '-');
	part = e.sum[3] > e.sum[2] ? e.sum[3] - e.sum[2] : e.sum[2] - e.sum[3];
	check_number(&row, part);
	if (e.sum[1] > e.sum[0])
		CHECK(*row++ == '-');
	part = e.sum[1] > e.sum[0] ? e.sum[1] - e.sum[0] : e.sum[0] - e.sum[1];
	check_number(&row, (part + 1023) / 1024);
	CHECK(*row++ == 'K');
	row += strspn(row, " ");
	check_number(&row, e.sum[2]);
	for (bit = 0; bit < 60; bit++)
		if (e.sizes >> bit & 1)
			check_number(&row, 16ULL << bit);
	CHECK(*row == '\n');
}

static void check_types_json(const struct umastat_stream *stream,
			     const struct delta *deltas)
{
	const struct options opt = { .file = "-", .percpu = !deltas };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	CHECK(out);
	print_types_json(out, stream, &opt, deltas, 0.25);
	CHECK(!fclose(out));
	check_text(text, len);
	CHECK(strchr(text, '\n') == text + len - 1);
	CHECK(len > 4 && !strcmp(text + len - 4, "}]}\n") == !!stream->count);
	free(text);
}

static void check_types_printers(const struct umastat_stream *stream,
				 const __u8 *data)
{
	struct delta *deltas = compare_types(stream, stream);
	const struct options opt = { .file = "-", .pattern = "*[a-m]*" };
	const struct options all = { .file = "-" };
	char *text, *row;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	__u32 i;

	CHECK(out && deltas);
	print_types(out, stream, &all);
	CHECK(!fclose(out));
	check_text(text, len);
	row = text;
	for (i = 0; i < stream->count; i++) {
		row = strchr(row, '\n') + 1;
		check_type_row(row, data + 16 + i * stream->record,
			       stream->maxcpus);
		CHECK(deltas[i].known && !deltas[i].allocs &&
		      !deltas[i].frees && !deltas[i].fails);
	}
	CHECK(strchr(row, '\n') == text + len - 1);
	free(text);
	check_types_json(stream, NULL);
	check_types_json(stream, deltas);
	out = open_memstream(&text, &len);
	CHECK(out);
	print_types_percpu(out, stream, &all);
	print_types_rates(out, stream, &opt, deltas, 0.25);
	CHECK(!fclose(out));
	check_text(text, len);
	free(text);
	free(deltas);
}

static enum verdict check_types(const __u8 *data, size_t size)
{
	enum verdict verdict = judge_types(data, size);
	struct umastat_stream stream;
	char why[UMASTAT_WHY];

	CHECK(umastat_malloc_parse(&stream, data, size, why) ==
	      (verdict != REFUSED));
	if (verdict == REFUSED)
		CHECK(*why && !strchr(why, '\n') && strlen(why) < UMASTAT_WHY - 1);
	else
		check_types_printers(&stream, data);
	return verdict;
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	check(data, size);
	check_types(data, size);
	return 0;
}

#ifndef UMASTAT_LIBFUZZER
static const char *const verdict_name[] = { "ok", "complaint", "refused" };

struct seed {
	__u8 *data;
	size_t size;
	bool types;
};

/* xorshift64: the same on every machine. */
static __u64 random_state;

static __u64 random_below(__u64 limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % limit;
}

static __u32 random_u32(void)
{
	static const __u32 telling[] = {
		0, 1, 2, 3, 31, 32, 255, 256, 0x7fffffff, 0x80000000,
		0xffffffff, 0x01000000, 0x04000000, 0x00400000, 4194302,
	};

	if (random_below(4))
		return telling[random_below(sizeof(telling) / sizeof(*telling))];
	return (__u32)random_below(1ULL << 32);
}

/* One piece of damage. @seed->data has room for twice its size. */
static void damage(struct seed *seed)
{
	size_t at, len;
	__u32 n;

	switch (seed->size < 16 ? 5 : random_below(8)) {
	case 0:
		seed->data[random_below(seed->size)] ^= 1 << random_below(8);
		break;
	case 1:
		seed->data[random_below(seed->size)] = random_below(256);
		break;
	case 2:	/* a field of the header */
		n = random_u32();
		memcpy(seed->data + 4 * random_below(4), &n, 4);
		break;
	case 3:	/* a field of a record */
		n = random_u32();
		memcpy(seed->data + 4 * random_below(seed->size / 4), &n, 4);
		break;
	case 4:	/* cut */
		seed->size = random_below(seed->size);
		break;
	case 5:	/* repeat the end */
		if (!seed->size)
			break;
		len = 1 + random_below(seed->size < 64 ? seed->size : 64);
		memcpy(seed->data + seed->size, seed->data + seed->size - len,
		       len);
		seed->size += len;
		break;
	case 6:	/* wipe */
		at = random_below(seed->size);
		len = random_below(seed->size - at < 48 ? seed->size - at : 48);
		memset(seed->data + at, random_below(2) ? 0xff : 0, len);
		break;
	case 7:	/* copy within */
		at = random_below(seed->size);
		len = random_below(seed->size - at);
		memmove(seed->data + random_below(seed->size - len),
			seed->data + at, len);
		break;
	}
}

static void read_seed(struct seed *seed, const char *name)
{
	FILE *file = fopen(name, "re");
	size_t room = 1 << 20;

	CHECK(file);
	seed->data = malloc(room);
	CHECK(seed->data);
	seed->size = fread(seed->data, 1, room, file);
	CHECK(seed->size && seed->size < room);
	fclose(file);
}

static void keep(const struct seed *seed, const char *dir, unsigned long run,
		 enum verdict verdict)
{
	char name[512];
	FILE *file;

	snprintf(name, sizeof(name), "%s/%lu.%s%s", dir, run,
		 seed->types ? "types." : "", verdict_name[verdict]);
	file = fopen(name, "we");
	CHECK(file);
	CHECK(fwrite(seed->data, 1, seed->size, file) == seed->size);
	CHECK(!fclose(file));
}

int main(int argc, char **argv)
{
	unsigned long run, runs, n, verdicts[3] = { 0 };
	const char *dir = NULL;
	struct seed *seeds;
	int i, nseeds;

	if (argc > 2 && !strcmp(argv[1], "-o")) {
		dir = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc < 4) {
		fprintf(stderr, "usage: fuzz [-o DIR] SEED RUNS FILE...\n");
		return 2;
	}
	random_state = strtoull(argv[1], NULL, 0) | 1;
	runs = strtoul(argv[2], NULL, 0);
	nseeds = argc - 3;
	seeds = calloc(nseeds, sizeof(*seeds));
	CHECK(seeds);
	for (i = 0; i < nseeds; i++) {
		read_seed(&seeds[i], argv[3 + i]);
		seeds[i].types = check(seeds[i].data, seeds[i].size) == REFUSED;
		CHECK(check_types(seeds[i].data, seeds[i].size) != REFUSED ||
		      !seeds[i].types);
	}
	for (run = 0; run < runs; run++) {
		const struct seed *seed = &seeds[run % nseeds];
		struct seed copy = {
			.data = malloc(2 * seed->size + 256),
			.size = seed->size,
			.types = seed->types,
		};
		enum verdict verdict, other;
		__u8 *exact;

		CHECK(copy.data);
		memcpy(copy.data, seed->data, seed->size);
		for (n = 1 + random_below(3); n; n--)
			damage(&copy);
		/* As long as the stream, so that the sanitizer sees its end. */
		exact = malloc(copy.size ? copy.size : 1);
		CHECK(exact);
		memcpy(exact, copy.data, copy.size);
		verdict = check(exact, copy.size);
		other = check_types(exact, copy.size);
		if (copy.types)
			verdict = other;
		verdicts[verdict]++;
		if (dir && run % 200 == 0)
			keep(&copy, dir, run, verdict);
		free(exact);
		free(copy.data);
	}
	for (i = 0; i < nseeds; i++)
		free(seeds[i].data);
	free(seeds);
	printf("%lu streams: %lu ok, %lu with a complaint, %lu refused\n", runs,
	       verdicts[OK], verdicts[COMPLAINT], verdicts[REFUSED]);
	return 0;
}
#endif /* UMASTAT_LIBFUZZER */
