// SPDX-License-Identifier: GPL-2.0-only
/*
 * The replay module's judgement of operation lists: what is valid is played
 * and counted right, what is not is refused, whatever field is wrong and in
 * whatever pieces it arrives.
 *
 * Each case changes one thing in a small list that is valid, mends the
 * checksum (unless that is what is being tested) and wants -EINVAL. So it is
 * that one thing, and not the checksum, that the refusal is about; the check's
 * own words are compared, too.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swab.h>

#include "uma/compat.h"
#include "uma_replay_check.h"

#define CACHES	3
#define OPS	12
#define SLOTS	4
#define CPUS	3
#define BYTES	(sizeof(struct uma_replay_header) +		\
		 CACHES * sizeof(struct uma_replay_cache) +	\
		 OPS * sizeof(struct uma_replay_op))

/* A list of fixed shape, with room behind its end. */
struct small_list {
	struct uma_replay_header h;
	struct uma_replay_cache cache[CACHES];
	struct uma_replay_op op[OPS];
	u8 beyond[64];
};

static_assert(offsetof(struct small_list, beyond) == BYTES);

static void mend(struct small_list *l)
{
	l->h.checksum = uma_replay_sum(l, BYTES);
}

static struct small_list *small_list(struct kunit *test)
{
	static const struct {
		u8 cpu;
		bool alloc;
		u8 cache;
		u8 slot;
	} op[OPS] = {
		{ 0, true, 0, 0 }, { 0, true, 1, 1 }, { 1, true, 2, 2 },
		{ 1, false, 0, 0 }, { 2, true, 1, 0 }, { 2, true, 2, 3 },
		{ 0, false, 1, 1 }, { 0, true, 0, 1 }, { 1, false, 1, 0 },
		{ 1, false, 2, 2 }, { 2, false, 0, 1 }, { 0, true, 1, 0 },
	};
	struct small_list *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, l);
	memcpy(l->h.magic, UMA_REPLAY_MAGIC, sizeof(l->h.magic));
	l->h.version = UMA_REPLAY_VERSION;
	l->h.length = BYTES;
	l->h.cpus = CPUS;
	l->h.caches = CACHES;
	l->h.slots = SLOTS;
	l->h.ops = OPS;
	for (i = 0; i < CACHES; i++) {
		snprintf(l->cache[i].name, sizeof(l->cache[i].name),
			 "replay-test-%d", i);
		l->cache[i].size = 100 << i;
		l->cache[i].stride = 104 << i;
	}
	for (i = 0; i < OPS; i++) {
		l->op[i].slot = op[i].slot;
		l->op[i].cache = op[i].cache;
		l->op[i].cpu = op[i].cpu |
			       (op[i].alloc ? UMA_REPLAY_ALLOC : 0);
	}
	mend(l);
	return l;
}

static int replay_test_init(struct kunit *test)
{
	test->priv = uma_replay_create();
	return test->priv ? 0 : -ENOMEM;
}

static void replay_test_exit(struct kunit *test)
{
	uma_replay_destroy(test->priv);
}

/* Valid lists */

static void replay_test_runs(struct kunit *test)
{
	struct uma_replay *r = test->priv;
	struct small_list *l = small_list(test);
	struct uma_replay_result res;
	int i;

	KUNIT_ASSERT_EQ(test, uma_replay_feed(r, l, BYTES), 0);

	/* More than once, since a run must leave everything as it was. */
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, uma_replay_run(r, &res), 0);
		KUNIT_EXPECT_EQ(test, res.ops, OPS);
		KUNIT_EXPECT_EQ(test, res.allocs, 7);
		KUNIT_EXPECT_EQ(test, res.left, 2);
		KUNIT_EXPECT_EQ(test, res.peak_objects, 4);
		KUNIT_EXPECT_EQ(test, res.peak_bytes, 1200);
		KUNIT_EXPECT_EQ(test, res.fails, 0);
		KUNIT_EXPECT_EQ(test, res.damaged, 0);
		KUNIT_EXPECT_GE(test, res.uma_pages[UMA_REPLAY_PEAK], CACHES);
		KUNIT_EXPECT_GE(test, res.uma_pages[UMA_REPLAY_PEAK],
				res.uma_pages[UMA_REPLAY_END]);
	}
	KUNIT_EXPECT_EQ(test, uma_replay_drop(r), 0);
	KUNIT_EXPECT_EQ(test, uma_replay_drop(r), 0);

	/* Without its zones the list is still there. */
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), 0);
}

static void replay_test_pieces(struct kunit *test)
{
	struct uma_replay *r = test->priv;
	struct small_list *l = small_list(test);
	size_t piece, at, n;

	for (piece = 1; piece <= BYTES; piece += piece < 80 ? 1 : 37) {
		KUNIT_ASSERT_EQ(test, uma_replay_begin(r), 0);
		for (at = 0; at < BYTES; at += n) {
			KUNIT_ASSERT_EQ(test, uma_replay_feed(r, l, 0), 0);
			n = min(piece, BYTES - at);
			KUNIT_ASSERT_EQ(test,
					uma_replay_feed(r, (u8 *)l + at, n), 0);
		}
	}
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), 0);
}

static void replay_test_partial(struct kunit *test)
{
	struct uma_replay *r = test->priv;
	struct small_list *l = small_list(test);
	size_t at;

	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), -ENODATA);
	for (at = 0; at < BYTES; at++) {
		if (at % 16 == 0)
			KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL),
					-ENODATA);
		KUNIT_ASSERT_EQ(test, uma_replay_feed(r, (u8 *)l + at, 1), 0);
	}
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), 0);

	/* A new beginning forgets the old list. */
	KUNIT_EXPECT_EQ(test, uma_replay_begin(r), 0);
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), -ENODATA);
}

/* Invalid ones: what is changed and what the check says of it */

/**
 * struct flaw_case - one change to the small list
 * @name: what the case is called
 * @at: where the field is that is changed
 * @size: its bytes
 * @value: its new value, or that of each of its bytes if @size is no integer's
 * @unmended: leave the checksum as it was
 * @where: the refusal, as in struct uma_replay_flaw
 * @index: the same
 * @what: the same
 */
struct flaw_case {
	const char *name;
	size_t at;
	size_t size;
	u64 value;
	bool unmended;
	const char *where;
	u32 index;
	const char *what;
};

#define SET(field, v)					\
	.at = offsetof(struct small_list, field),	\
	.size = sizeof_field(struct small_list, field),	\
	.value = (v)
#define REFUSED(w, i, t)	.where = (w), .index = (i), .what = (t)

static const struct flaw_case flaw_cases[] = {
	{ .name = "magic", SET(h.magic[7], 'X'),
	  REFUSED("header", 0, "not an operation list") },
	{ .name = "version", SET(h.version, UMA_REPLAY_VERSION + 1),
	  REFUSED("header", 0, "unknown version") },
	{ .name = "byte order", SET(h.version, swab32(UMA_REPLAY_VERSION)),
	  REFUSED("header", 0, "unknown version") },
	{ .name = "reserved0", SET(h.reserved0, 1),
	  REFUSED("header", 0, "reserved field not zero") },
	{ .name = "reserved1[0]", SET(h.reserved1[0], 1),
	  REFUSED("header", 0, "reserved field not zero") },
	{ .name = "reserved1[1]", SET(h.reserved1[1], 1ULL << 63),
	  REFUSED("header", 0, "reserved field not zero") },
	{ .name = "length too small", SET(h.length, BYTES - 8),
	  REFUSED("header", 0, "length does not agree with the counts") },
	{ .name = "length too large", SET(h.length, BYTES + 8),
	  REFUSED("header", 0, "length does not agree with the counts") },
	{ .name = "length absurd", SET(h.length, U64_MAX),
	  REFUSED("header", 0, "length does not agree with the counts") },
	{ .name = "checksum", SET(h.checksum, 0),
	  .unmended = true,
	  REFUSED("header", 0, "wrong checksum") },
	{ .name = "changed on its way", SET(cache[1].stride, 4711),
	  .unmended = true,
	  REFUSED("header", 0, "wrong checksum") },
	{ .name = "no CPUs", SET(h.cpus, 0),
	  REFUSED("header", 0, "number of CPUs out of range") },
	{ .name = "too many CPUs", SET(h.cpus, UMA_REPLAY_MAX_CPUS + 1),
	  REFUSED("header", 0, "number of CPUs out of range") },
	{ .name = "no caches", SET(h.caches, 0),
	  REFUSED("header", 0, "number of caches out of range") },
	{ .name = "too many caches", SET(h.caches, UMA_REPLAY_MAX_CACHES + 1),
	  REFUSED("header", 0, "number of caches out of range") },
	{ .name = "fewer caches than there are", SET(h.caches, CACHES - 1),
	  REFUSED("header", 0, "length does not agree with the counts") },
	{ .name = "no slots", SET(h.slots, 0),
	  REFUSED("header", 0, "number of slots out of range") },
	{ .name = "more slots than operations", SET(h.slots, OPS + 1),
	  REFUSED("header", 0, "number of slots out of range") },
	{ .name = "no operations", SET(h.ops, 0),
	  REFUSED("header", 0, "number of operations out of range") },
	{ .name = "too many operations", SET(h.ops, UMA_REPLAY_MAX_OPS + 1),
	  REFUSED("header", 0, "number of operations out of range") },
	{ .name = "4 billion operations", SET(h.ops, U32_MAX),
	  REFUSED("header", 0, "number of operations out of range") },
	{ .name = "name empty", SET(cache[1].name[0], 0),
	  REFUSED("cache", 1, "name empty or without an end") },
	{ .name = "name without end", SET(cache[1].name, 'x'),
	  REFUSED("cache", 1, "name empty or without an end") },
	{ .name = "name not padded with zeroes",
	  SET(cache[1].name[UMA_REPLAY_NAME - 1], 'x'),
	  REFUSED("cache", 1, "name not padded with zeroes") },
	{ .name = "name with a slash", SET(cache[1].name[3], '/'),
	  REFUSED("cache", 1, "character not allowed in a name") },
	{ .name = "name with a space", SET(cache[1].name[3], ' '),
	  REFUSED("cache", 1, "character not allowed in a name") },
	{ .name = "name with a newline", SET(cache[1].name[3], '\n'),
	  REFUSED("cache", 1, "character not allowed in a name") },
	{ .name = "name with a delete character", SET(cache[1].name[3], 0x7f),
	  REFUSED("cache", 1, "character not allowed in a name") },
	{ .name = "name with a byte beyond ASCII", SET(cache[1].name[3], 0x80),
	  REFUSED("cache", 1, "character not allowed in a name") },
	{ .name = "name used twice", SET(cache[2].name[12], '0'),
	  REFUSED("cache", 2, "same name as cache") },
	{ .name = "size 0", SET(cache[0].size, 0),
	  REFUSED("cache", 0, "size out of range") },
	{ .name = "size too small", SET(cache[0].size, UMA_REPLAY_MIN_SIZE - 1),
	  REFUSED("cache", 0, "size out of range") },
	{ .name = "size too large", SET(cache[0].size, UMA_REPLAY_MAX_SIZE + 1),
	  REFUSED("cache", 0, "size out of range") },
	{ .name = "stride below size", SET(cache[0].stride, 99),
	  REFUSED("cache", 0, "stride smaller than the size") },
	{ .name = "CPU out of range", SET(op[5].cpu, CPUS | UMA_REPLAY_ALLOC),
	  REFUSED("operation", 5, "CPU out of range") },
	{ .name = "highest CPU", SET(op[5].cpu, U16_MAX),
	  REFUSED("operation", 5, "CPU out of range") },
	{ .name = "cache out of range", SET(op[5].cache, CACHES),
	  REFUSED("operation", 5, "cache out of range") },
	{ .name = "highest cache", SET(op[5].cache, U16_MAX),
	  REFUSED("operation", 5, "cache out of range") },
	{ .name = "slot out of range", SET(op[5].slot, SLOTS),
	  REFUSED("operation", 5, "slot out of range") },
	{ .name = "highest slot", SET(op[5].slot, U32_MAX),
	  REFUSED("operation", 5, "slot out of range") },
	{ .name = "allocation of a live slot", SET(op[5].slot, 2),
	  REFUSED("operation", 5, "allocates a live slot") },
	{ .name = "free before any allocation", SET(op[0].cpu, 0),
	  REFUSED("operation", 0, "frees a free slot") },
	{ .name = "second free of a slot", SET(op[7].cpu, 0),
	  REFUSED("operation", 7, "frees a free slot") },
	{ .name = "free to another cache", SET(op[9].cache, 1),
	  REFUSED("operation", 9, "frees to another cache") },
};

static void harm(struct small_list *l, const struct flaw_case *c)
{
	void *field = (u8 *)l + c->at;

	switch (c->size) {
	case 2:
		*(u16 *)field = c->value;
		break;
	case 4:
		*(u32 *)field = c->value;
		break;
	case 8:
		*(u64 *)field = c->value;
		break;
	default:
		memset(field, c->value, c->size);
	}
	if (!c->unmended)
		mend(l);
}

static void flaw_desc(const struct flaw_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(flaw, flaw_cases, flaw_desc);

static void replay_test_refuses(struct kunit *test)
{
	const struct flaw_case *c = test->param_value;
	struct uma_replay *r = test->priv;
	struct small_list *l = small_list(test);
	struct uma_replay_facts facts;
	struct uma_replay_flaw flaw = { .what = "", .where = "" };
	u16 live[SLOTS] = {};
	size_t at;
	int err;

	/* The list is good without the change. */
	KUNIT_ASSERT_EQ(test, uma_replay_check(l, BYTES, live, &facts, &flaw),
			0);

	harm(l, c);
	memset(live, 0, sizeof(live));
	KUNIT_EXPECT_EQ(test, uma_replay_check(l, BYTES, live, &facts, &flaw),
			-1);
	KUNIT_EXPECT_STREQ(test, flaw.where, c->where);
	KUNIT_EXPECT_EQ(test, flaw.index, c->index);
	KUNIT_EXPECT_STREQ(test, flaw.what, c->what);

	/* At once, and a byte at a time: refused, and for the rest of it. */
	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, l, BYTES), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), -ENODATA);
	KUNIT_ASSERT_EQ(test, uma_replay_begin(r), 0);
	for (err = 0, at = 0; !err && at < BYTES; at++)
		err = uma_replay_feed(r, (u8 *)l + at, 1);
	KUNIT_EXPECT_EQ(test, err, -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, l, BYTES), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), -ENODATA);

	/* A good list is taken after a bad one. */
	KUNIT_ASSERT_EQ(test, uma_replay_begin(r), 0);
	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, small_list(test), BYTES), 0);
}

/* A list that goes on beyond its length, within a piece and in one more. */
static void replay_test_beyond(struct kunit *test)
{
	struct uma_replay *r = test->priv;
	struct small_list *l = small_list(test);

	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, l, BYTES + 1), -EINVAL);
	KUNIT_ASSERT_EQ(test, uma_replay_begin(r), 0);
	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, l, BYTES), 0);
	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, l->beyond, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), -ENODATA);
}

/* The check by itself, on fewer bytes than the header promises. */
static void replay_test_short(struct kunit *test)
{
	struct small_list *l = small_list(test);
	struct uma_replay_facts facts;
	struct uma_replay_flaw flaw;
	u16 live[SLOTS] = {};
	size_t len;

	for (len = 0; len < BYTES; len += 8) {
		/* A copy of that length, so that KASAN sees the first byte beyond. */
		void *part = kunit_kmalloc(test, len, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, part);
		memcpy(part, l, len);
		KUNIT_EXPECT_EQ(test,
				uma_replay_check(part, len, live, &facts, &flaw),
				-1);
	}
}

/* More than the pool holds: an error, in time, and the pages come back. */
static void replay_test_too_large(struct kunit *test)
{
	const u32 ops = 2500;	/* objects of 64 KiB: twice the pool and more */
	const u64 length = uma_replay_length(1, ops);
	struct uma_replay *r = test->priv;
	struct uma_replay_header *h = kvzalloc(length, GFP_KERNEL);
	struct uma_replay_result res = {};
	struct uma_replay_cache *cache;
	struct uma_replay_op *op;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, h);
	cache = (struct uma_replay_cache *)(h + 1);
	op = (struct uma_replay_op *)(cache + 1);
	memcpy(h->magic, UMA_REPLAY_MAGIC, sizeof(h->magic));
	h->version = UMA_REPLAY_VERSION;
	h->length = length;
	h->cpus = 1;
	h->caches = 1;
	h->slots = ops;
	h->ops = ops;
	strscpy(cache->name, "replay-test-large", sizeof(cache->name));
	cache->size = UMA_REPLAY_MAX_SIZE;
	for (i = 0; i < ops; i++) {
		op[i].slot = i;
		op[i].cpu = UMA_REPLAY_ALLOC;
	}
	h->checksum = uma_replay_sum(h, length);
	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, h, length), 0);
	kvfree(h);
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, &res), -ENOMEM);
	KUNIT_EXPECT_GT(test, res.fails, 0);
	KUNIT_EXPECT_LT(test, res.fails, ops);
	KUNIT_EXPECT_EQ(test, uma_replay_drop(r), 0);

	/* What did not fit is no harm to what does. */
	KUNIT_ASSERT_EQ(test, uma_replay_begin(r), 0);
	KUNIT_EXPECT_EQ(test, uma_replay_feed(r, small_list(test), BYTES), 0);
	KUNIT_EXPECT_EQ(test, uma_replay_run(r, NULL), 0);
}

static struct kunit_case replay_test_cases[] = {
	KUNIT_CASE(replay_test_runs),
	KUNIT_CASE(replay_test_pieces),
	KUNIT_CASE(replay_test_partial),
	KUNIT_CASE_PARAM(replay_test_refuses, flaw_gen_params),
	KUNIT_CASE(replay_test_beyond),
	KUNIT_CASE(replay_test_short),
	KUNIT_CASE(replay_test_too_large),
	{}
};

static struct kunit_suite replay_test_suite = {
	.name = "uma-replay",
	.init = replay_test_init,
	.exit = replay_test_exit,
	.test_cases = replay_test_cases,
};

kunit_test_suite(replay_test_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Tests of the replay of operation lists");
MODULE_LICENSE("GPL");
