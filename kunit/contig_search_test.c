// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contiguous search beside an oracle that tries every place, and what it costs in
 * pages looked at.
 */
#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include "contig_ask.h"
#include "uma/compat.h"
#include "vmsim/contig_search.h"

#define PAGES_MAX	256
#define RANGES_MAX	6
#define REQUESTS	100000

/**
 * struct memory - ranges of pages, in order, some of them usable
 * @n: ranges
 * @range: the ranges; @cookie is that of the first page in @usable
 * @usable: for each page
 * @looks: how often each was looked at
 * @npages: of all of them
 * @rnd: where chance comes from
 */
struct memory {
	unsigned int n;
	struct contig_range range[RANGES_MAX];
	bool usable[PAGES_MAX];
	unsigned int looks[PAGES_MAX];
	unsigned int npages;
	struct rnd_state rnd;
};

static u32 below(struct memory *mem, u32 n)
{
	return prandom_u32_state(&mem->rnd) % n;
}

static void has_range(struct memory *mem, u64 pfn, unsigned int npages)
{
	mem->range[mem->n++] = (struct contig_range) {
		.pfn = pfn,
		.npages = npages,
		.cookie = &mem->usable[mem->npages],
	};
	mem->npages += npages;
}

static bool range_below(void *ctx, u64 pfn, struct contig_range *range)
{
	struct memory *mem = ctx;
	unsigned int i;

	for (i = mem->n; i--;) {
		if (mem->range[i].pfn < pfn) {
			*range = mem->range[i];
			return true;
		}
	}
	return false;
}

static bool range_above(void *ctx, u64 pfn, struct contig_range *range)
{
	struct memory *mem = ctx;
	unsigned int i;

	for (i = 0; i < mem->n; i++) {
		if (mem->range[i].pfn + mem->range[i].npages > pfn) {
			*range = mem->range[i];
			return true;
		}
	}
	return false;
}

/* The number of a page that the search asks for; it must be one of the range. */
static unsigned int number_of(struct memory *mem,
			      const struct contig_range *range, u64 pfn)
{
	if (pfn < range->pfn || pfn >= range->pfn + range->npages)
		return PAGES_MAX;
	return (bool *)range->cookie - mem->usable + (pfn - range->pfn);
}

static bool is_usable(void *ctx, const struct contig_range *range, u64 pfn)
{
	struct memory *mem = ctx;
	unsigned int i = number_of(mem, range, pfn);

	/* Memory that is not there would do, so that who looks there shows. */
	if (i >= mem->npages)
		return true;
	mem->looks[i]++;
	return mem->usable[i];
}

static const struct contig_view memory_view = {
	.below = range_below,
	.above = range_above,
	.usable = is_usable,
};

/* The place that a search must find, the highest or the lowest; U64_MAX for none. */
static u64 oracle(struct memory *mem, const struct ask *ask, bool up)
{
	u64 npages = ask->size / PAGE_SIZE + !!(ask->size % PAGE_SIZE);
	u64 found = U64_MAX;
	unsigned int r;
	u64 i, k;

	for (r = 0; r < mem->n; r++) {
		const struct contig_range *range = &mem->range[r];
		const bool *usable = range->cookie;

		for (i = 0; i + npages <= range->npages; i++) {
			if (!ask_allows(ask, (range->pfn + i) << PAGE_SHIFT))
				continue;
			for (k = i; k < i + npages && usable[k]; k++)
				;
			if (k < i + npages)
				continue;
			found = range->pfn + i;
			if (up)
				return found;
		}
	}
	return found;
}

/* Ranges with holes between them, some touching, anywhere up to the last address. */
static void make_memory(struct memory *mem)
{
	unsigned int ranges = 1 + below(mem, RANGES_MAX), i, n;
	unsigned int holes = below(mem, 4), bad = 2 + below(mem, 30);
	u64 pfn;

	mem->n = 0;
	mem->npages = 0;
	for (i = 0; i < ranges; i++) {
		n = below(mem, 4) ? 1 + below(mem, 40) : 1;
		has_range(mem, i ? mem->range[i - 1].pfn +
			  mem->range[i - 1].npages +
			  (holes ? below(mem, 20) : 0) : 0, n);
	}
	pfn = mem->range[ranges - 1].pfn + mem->range[ranges - 1].npages;
	switch (below(mem, 3)) {
	case 0:
		/* The last pages that there can be. */
		pfn = (U64_MAX >> PAGE_SHIFT) + 1 - pfn;
		break;
	case 1:
		pfn = below(mem, 64);
		break;
	default:
		pfn = (1ULL << 20) - below(mem, 128);
		break;
	}
	for (i = 0; i < ranges; i++)
		mem->range[i].pfn += pfn;
	/* Where one in @bad is in use, or kept out, or half of them. */
	for (i = 0; i < mem->npages; i++)
		mem->usable[i] = below(mem, bad);
	if (!below(mem, 8))
		memset(mem->usable, true, sizeof(mem->usable));
}

/* An address in or around memory. */
static u64 address(struct memory *mem)
{
	u64 base = mem->range[0].pfn, top, pfn;

	top = mem->range[mem->n - 1].pfn + mem->range[mem->n - 1].npages;
	pfn = base + below(mem, top - base + 8) - below(mem, 8);
	return (pfn << PAGE_SHIFT) + (below(mem, 2) ? 0 : below(mem, PAGE_SIZE));
}

static struct ask make_ask(struct memory *mem)
{
	struct ask ask = { .high = U64_MAX, .alignment = 1 };
	u64 pages;

	ask.size = below(mem, 3) ? (1 + below(mem, 16)) * PAGE_SIZE :
				   1 + below(mem, 8 * PAGE_SIZE);
	if (below(mem, 2))
		ask.low = address(mem);
	if (below(mem, 2))
		ask.high = address(mem);
	if (below(mem, 2))
		ask.alignment = 1ULL << below(mem, PAGE_SHIFT + 7);
	if (below(mem, 2)) {
		pages = ask.size / PAGE_SIZE + !!(ask.size % PAGE_SIZE);
		ask.boundary = below(mem, 8) ?
			       roundup_pow_of_two(pages * PAGE_SIZE) << below(mem, 4) :
			       1ULL << below(mem, 64);
	}
	return ask;
}

/* Sense and nonsense, by the words of the manual page. */
static int expected_error(const struct ask *ask)
{
	if (!ask->size || ask->low > ask->high ||
	    hweight64(ask->alignment) != 1 || hweight64(ask->boundary) > 1 ||
	    (ask->boundary && ask->boundary < ask->size))
		return -EINVAL;
	return 0;
}

/* Search from where the search stands; as oracle(). */
static u64 find(struct contig_search *s)
{
	return contig_search_next(s) ? s->pfn : U64_MAX;
}

static struct memory *memory_new(struct kunit *test, u64 seed)
{
	struct memory *mem = kunit_kzalloc(test, sizeof(*mem), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	prandom_seed_state(&mem->rnd, seed);
	return mem;
}

/*
 * The searches find exactly what the oracle does, from their end of memory, and the
 * new one looks at no page twice; also where it goes on after a page was lost.
 */
static void ct_09_every_result_is_the_oracles(struct kunit *test)
{
	struct memory *mem = memory_new(test, 0xc0447);
	unsigned int i, p, sensible = 0, found = 0, again = 0;
	struct contig_search s;
	struct contig_req req;
	struct ask ask;
	int error;
	bool up;
	u64 pfn;

	for (i = 0; sensible < REQUESTS; i++) {
		/* Nonsense is the smaller part. */
		KUNIT_ASSERT_LT(test, i, 2 * REQUESTS);
		if (i % 16 == 0)
			make_memory(mem);
		ask = make_ask(mem);
		error = contig_req_init(&req, ask.size, ask.low, ask.high,
					ask.alignment, ask.boundary);
		KUNIT_ASSERT_EQ(test, error, expected_error(&ask));
		if (error)
			continue;
		sensible++;
		up = below(mem, 3) == 0;
		memset(mem->looks, 0, sizeof(mem->looks));
		contig_search_begin(&s, &req, &memory_view, mem, up);
		for (;;) {
			pfn = oracle(mem, &ask, up);
			KUNIT_ASSERT_EQ_MSG(test, find(&s), pfn,
					    "request %u, %s: %#llx bytes, %#llx to %#llx, align %#llx, boundary %#llx",
					    i, up ? "up" : "down", ask.size,
					    ask.low, ask.high, ask.alignment,
					    ask.boundary);
			if (pfn == U64_MAX)
				break;
			found++;
			/* Somebody was faster, at any page of it; or enough of it. */
			if (!below(mem, 4))
				break;
			pfn += below(mem, req.npages);
			p = number_of(mem, &s.range, pfn);
			KUNIT_ASSERT_LT(test, p, mem->npages);
			mem->usable[p] = false;
			contig_search_reject(&s, pfn);
			again++;
		}
		for (p = 0; p < mem->npages && !up; p++)
			KUNIT_ASSERT_LE(test, mem->looks[p], 1);
		KUNIT_ASSERT_TRUE(test, up || s.looked <= mem->npages);
	}
	kunit_info(test, "%u requests, of which %u made sense; %u places found\n",
		   i, sensible, found);
	/* It was no empty exercise. */
	KUNIT_EXPECT_GT(test, found, REQUESTS / 8);
	KUNIT_EXPECT_GT(test, again, REQUESTS / 8);
}

/* Nonsense is refused. */
static void ct_09_nonsense_is_refused(struct kunit *test)
{
	static const struct ask bad[] = {
		{ 0, 0, U64_MAX, 1, 0 },
		{ U64_MAX, 0, U64_MAX, 1, 0 },
		{ U64_MAX - PAGE_SIZE + 2, 0, U64_MAX, 1, 0 },
		{ 1, 0, U64_MAX, 0, 0 },
		{ 1, 0, U64_MAX, 3, 0 },
		{ 1, 0, U64_MAX, 12288, 0 },
		{ 1, 0, U64_MAX, 1, 3 },
		{ 1, 0, U64_MAX, 1, 12288 },
		{ PAGE_SIZE, 0, U64_MAX, 1, PAGE_SIZE / 2 },
		{ PAGE_SIZE + 1, 0, U64_MAX, 1, PAGE_SIZE },
		{ 1, 4096, 4095, 1, 0 },
		{ 1, U64_MAX, 0, 1, 0 },
	};
	static const struct ask good[] = {
		{ U64_MAX - PAGE_SIZE + 1, 0, U64_MAX, 1, 0 },
		{ 1, 0, 0, 1, 0 },
		{ 1, U64_MAX, U64_MAX, 1, 0 },
		{ 512, 0, U64_MAX, 512, 512 },
		{ PAGE_SIZE, 0, U64_MAX, 1ULL << 63, 1ULL << 63 },
	};
	struct contig_req req;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    contig_req_init(&req, bad[i].size, bad[i].low,
						    bad[i].high, bad[i].alignment,
						    bad[i].boundary),
				    "case %u", i);
	for (i = 0; i < ARRAY_SIZE(good); i++)
		KUNIT_EXPECT_EQ_MSG(test, 0,
				    contig_req_init(&req, good[i].size,
						    good[i].low, good[i].high,
						    good[i].alignment,
						    good[i].boundary),
				    "case %u", i);
}

/* Prepare a search in bytes that makes sense. */
static void begin(struct kunit *test, struct memory *mem, struct contig_search *s,
		  bool up, u64 npages, u64 low, u64 high, u64 alignment,
		  u64 boundary)
{
	struct contig_req req;

	memset(mem->looks, 0, sizeof(mem->looks));
	KUNIT_ASSERT_EQ(test, 0, contig_req_init(&req, npages << PAGE_SHIFT, low,
						 high, alignment, boundary));
	contig_search_begin(s, &req, &memory_view, mem, up);
}

/* The new search comes from the top, the old one from below. */
static void ct_04_new_from_the_top_old_from_below(struct kunit *test)
{
	struct memory *mem = memory_new(test, 1);
	struct contig_search s;

	memset(mem->usable, true, sizeof(mem->usable));
	has_range(mem, 100, 40);
	has_range(mem, 200, 40);
	begin(test, mem, &s, false, 8, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), 232ULL);
	begin(test, mem, &s, true, 8, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), 100ULL);
}

/*
 * One unusable page rules out all candidates that contain it at once: memory in which
 * every other run-length has one costs a look at few pages, and the worst case, one
 * whose runs all just fail, a look at each page.
 */
static void ct_04_an_unusable_page_rules_out_its_candidates(struct kunit *test)
{
	struct memory *mem = memory_new(test, 2);
	const unsigned int n = 64;
	struct contig_search s;
	unsigned int i;

	has_range(mem, 1000, PAGES_MAX);
	/* Nothing usable at all: one look a run, not one a page. */
	begin(test, mem, &s, false, n, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	KUNIT_EXPECT_LE(test, s.looked, (u64)PAGES_MAX);

	/* Every 64th is not: each window holds just one. */
	for (i = 0; i < PAGES_MAX; i++)
		mem->usable[i] = i % n != n - 1;
	begin(test, mem, &s, false, n, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	KUNIT_EXPECT_LE(test, s.looked, (u64)PAGES_MAX);
	KUNIT_EXPECT_LE(test, s.tried, (u64)PAGES_MAX / n + 1);

	/* At any place, in any memory, the budget is twice the pool. */
	for (i = 0; i < 500; i++) {
		make_memory(mem);
		begin(test, mem, &s, false, 2 + below(mem, 30), 0, U64_MAX, 1,
		      0);
		while (contig_search_next(&s))
			contig_search_reject(&s, s.pfn);
		KUNIT_ASSERT_LE(test, s.looked, 2ULL * mem->npages);
	}
}

/* What is needed is counted before the end of memory: no run goes over it. */
static void ct_04_a_run_ends_with_memory(struct kunit *test)
{
	struct memory *mem = memory_new(test, 3);
	struct contig_search s;
	unsigned int i;

	memset(mem->usable, true, sizeof(mem->usable));
	for (i = 0; i < RANGES_MAX; i++)
		has_range(mem, 50 + 10 * i, 7);
	for (i = 1; i < 8; i++) {
		begin(test, mem, &s, false, i, 0, U64_MAX, 1, 0);
		KUNIT_EXPECT_EQ(test, find(&s), 107ULL - i);
		begin(test, mem, &s, true, i, 0, U64_MAX, 1, 0);
		KUNIT_EXPECT_EQ(test, find(&s), 50ULL);
	}
	begin(test, mem, &s, false, 8, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	begin(test, mem, &s, true, 8, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
}

/* The last page of the address space, and the first. */
static void ct_09_either_end_of_the_address_space(struct kunit *test)
{
	const u64 top = U64_MAX >> PAGE_SHIFT;
	struct memory *mem = memory_new(test, 4);
	struct contig_search s;

	memset(mem->usable, true, sizeof(mem->usable));
	has_range(mem, 0, 1);
	has_range(mem, top - 3, 4);
	begin(test, mem, &s, false, 1, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), top);
	contig_search_reject(&s, s.pfn);
	KUNIT_EXPECT_EQ(test, find(&s), top - 1);
	begin(test, mem, &s, false, 4, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), top - 3);
	begin(test, mem, &s, true, 4, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), top - 3);
	begin(test, mem, &s, true, 1, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), 0ULL);
	/* A limit that leaves no whole page. */
	begin(test, mem, &s, false, 1, 0, PAGE_SIZE - 2, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	begin(test, mem, &s, true, 1, 0, PAGE_SIZE - 2, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	begin(test, mem, &s, false, 1, 0, PAGE_SIZE - 1, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), 0ULL);
	begin(test, mem, &s, false, 1, U64_MAX, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
}

/* Memory of a page, or of none. */
static void ct_09_memory_of_one_page(struct kunit *test)
{
	struct memory *mem = memory_new(test, 5);
	struct contig_search s;

	begin(test, mem, &s, false, 1, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	begin(test, mem, &s, true, 1, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	has_range(mem, 77, 1);
	begin(test, mem, &s, false, 1, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
	mem->usable[0] = true;
	begin(test, mem, &s, false, 1, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), 77ULL);
	KUNIT_EXPECT_EQ(test, s.looked, 1ULL);
	begin(test, mem, &s, false, 2, 0, U64_MAX, 1, 0);
	KUNIT_EXPECT_EQ(test, find(&s), U64_MAX);
}

static struct kunit_case contig_search_cases[] = {
	KUNIT_CASE(ct_09_every_result_is_the_oracles),
	KUNIT_CASE(ct_09_nonsense_is_refused),
	KUNIT_CASE(ct_04_new_from_the_top_old_from_below),
	KUNIT_CASE(ct_04_an_unusable_page_rules_out_its_candidates),
	KUNIT_CASE(ct_04_a_run_ends_with_memory),
	KUNIT_CASE(ct_09_either_end_of_the_address_space),
	KUNIT_CASE(ct_09_memory_of_one_page),
	{}
};

static struct kunit_suite contig_search_suite = {
	.name = "contig_search",
	.test_cases = contig_search_cases,
};

kunit_test_suite(contig_search_suite);

MODULE_DESCRIPTION("KUnit: the contiguous search");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
