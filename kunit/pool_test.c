// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool, each test on a small one of its own.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "uma/steer.h"
#include "uma/uma.h"

#include "fail_nth.h"
#include "uma_test.h"

/*
 * One page less than a large block, so that the pool is put together from
 * blocks of all sizes and mostly has several segments.
 */
#define PAGES	511UL

static struct uma_pool *pool;

static struct uma_pool_stats stats_of(struct uma_pool *p)
{
	struct uma_pool_stats st;

	uma_pool_get_stats(p, &st);
	return st;
}

static u64 address_of(const struct vm_page *m)
{
	return (u64)m->phys_pfn << PAGE_SHIFT;
}

/* Whether a run can go on from page number @i - 1 to page number @i. */
static bool are_neighbours(struct uma_pool *p, unsigned long base,
			   unsigned long i)
{
	struct vm_page *a = uma_pool_page(p, i - 1), *b = uma_pool_page(p, i);

	if (i == base || (i > base && (i - base) % UMA_CHUNK_PAGES == 0))
		return false;
	return a && b && b->phys_pfn == a->phys_pfn + 1 &&
	       vm_page_nid(a) == vm_page_nid(b);
}

/* How many pages @p was made with: those that are always there. */
static unsigned long base_of(struct uma_pool *p)
{
	struct uma_pool_stats st = stats_of(p);

	return uma_pool_records(p) -
	       (unsigned long)st.chunks_max * UMA_CHUNK_PAGES;
}

/* How many lines of the kernel's log contain @text. */
static int lines_in_log(struct kunit *test, const char *text)
{
	struct kmsg_dump_iter iter;
	char *line = kunit_kmalloc(test, 1024, GFP_KERNEL);
	size_t len;
	int n = 0;

	KUNIT_ASSERT_NOT_NULL(test, line);
	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, 1023, &len)) {
		line[len] = '\0';
		if (strstr(line, text))
			n++;
	}
	kunit_kfree(test, line);
	return n;
}

/* Everything that has to be true of a pool from which nothing is taken. */
static void expect_whole(struct kunit *test, struct uma_pool *p)
{
	struct uma_pool_stats st = stats_of(p);
	unsigned long i, n = 0, there = 0, run = 0, longest = 0;
	unsigned long base = base_of(p);
	struct vm_page *m, *last = NULL;

	for (i = 0; i < uma_pool_records(p); i++) {
		struct page *page;

		m = uma_pool_page(p, i);
		if (i < base)
			KUNIT_ASSERT_NOT_NULL(test, m);
		if (!m)
			continue;
		there++;
		page = pfn_to_page(m->phys_pfn);
		if (last && i < base && vm_page_nid(last) == vm_page_nid(m))
			KUNIT_EXPECT_GT(test, m->phys_pfn, last->phys_pfn);
		last = m;
		run = i && are_neighbours(p, base, i) ? run : 0;
		if (m->flags & PG_BLACKLISTED) {
			KUNIT_EXPECT_EQ(test, page_private(page), 0);
			run = 0;
			continue;
		}
		longest = max(longest, ++run);
		n++;
		KUNIT_EXPECT_EQ(test, m->flags, PG_FREE);
		KUNIT_EXPECT_EQ(test, page_private(page), (unsigned long)m);
		/* The rest of struct page is as the kernel gave it. */
		KUNIT_EXPECT_EQ(test, page_count(page), 1);
		KUNIT_EXPECT_NULL(test, page->mapping);
		KUNIT_EXPECT_FALSE(test, PagePrivate(page));
	}
	KUNIT_EXPECT_EQ(test, there, base + st.chunks * UMA_CHUNK_PAGES);
	KUNIT_EXPECT_EQ(test, st.chunks, st.grown - st.given_back);
	KUNIT_EXPECT_EQ(test, st.pages, n);
	KUNIT_EXPECT_EQ(test, st.free, n);
	KUNIT_EXPECT_EQ(test, st.largest_run, longest);
	KUNIT_EXPECT_EQ(test, st.blacklisted, there - n);
}

static void pg_09_record_and_masks_fit(struct kunit *test)
{
	KUNIT_EXPECT_LE(test, sizeof(struct vm_page), 64);
	KUNIT_EXPECT_EQ(test, offsetof(struct vm_page, valid) %
			sizeof_field(struct vm_page, valid), 0);
	KUNIT_EXPECT_EQ(test, offsetof(struct vm_page, dirty) %
			sizeof_field(struct vm_page, dirty), 0);
	KUNIT_EXPECT_GE(test, 8 * sizeof_field(struct vm_page, valid),
			PAGE_SIZE / VM_PAGE_BLOCK);
	KUNIT_EXPECT_GE(test, 8 * sizeof_field(struct vm_page, dirty),
			PAGE_SIZE / VM_PAGE_BLOCK);
	/* No record straddles two cache lines. */
	KUNIT_EXPECT_EQ(test, (unsigned long)uma_pool_page(pool, 1) % 64, 0);
}

static void pg_08_machine_state_is_set_where_the_page_is_added(struct kunit *test)
{
	struct vm_page record, before;
	struct vm_page *m;
	unsigned long i;

	for (i = 0; (m = uma_pool_page(pool, i)); i++)
		KUNIT_EXPECT_PTR_EQ(test, vm_page_kva(m),
				    page_address(pfn_to_page(m->phys_pfn)));

	/* The function sets that part, all of it and nothing else. */
	memset(&record, 0xa5, sizeof(record));
	record.phys_pfn = uma_pool_page(pool, 3)->phys_pfn;
	before = record;
	pmap_page_init(&record);
	KUNIT_EXPECT_EQ(test, 0, memcmp(&record.md, &uma_pool_page(pool, 3)->md,
					sizeof(record.md)));
	before.md = record.md;
	KUNIT_EXPECT_EQ(test, 0, memcmp(&record, &before, sizeof(record)));
}

/*
 * Which pages a pool gets is the kernel's choice. So the list names every
 * @step-th page far and wide around one of ours, and a pool of many pages must
 * meet some of them.
 */
static char *sampled_blacklist(struct kunit *test, unsigned long step)
{
	unsigned long ours = uma_pool_page(pool, 0)->phys_pfn;
	unsigned long far = totalram_pages(), pfn;
	size_t size = (2 * far / step + 2) * 24, len = 0;
	char *list = kvmalloc(size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, list);
	pfn = ours > far ? ours - far : 0;
	/* Any address in the page will do, in either base. */
	for (pfn = roundup(pfn, step); pfn < ours + far; pfn += step)
		len += scnprintf(list + len, size - len,
				 pfn % 2 ? "%s%#llx" : "%s%llu", len ? "," : "",
				 ((u64)pfn << PAGE_SHIFT) + pfn % PAGE_SIZE);
	return list;
}

static void pg_06_blacklisted_pages_stay_out(struct kunit *test)
{
	unsigned long step = max(7UL, totalram_pages() / 10000);
	unsigned long i, j, bad, named;
	struct uma_pool_stats st;
	struct uma_pool *p;
	struct vm_page *m;
	struct page *page;
	char text[80];
	char *list;

	list = sampled_blacklist(test, step);
	p = uma_pool_create(PAGES, list);
	kvfree(list);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	st = stats_of(p);
	kunit_info(test, "%lu of %lu pages are bad\n", st.blacklisted, PAGES);
	KUNIT_EXPECT_GT(test, st.blacklisted, 0);
	KUNIT_EXPECT_EQ(test, st.pages + st.blacklisted, PAGES);
	expect_whole(test, p);

	/* Each is marked, named in the log, and not known by its address. */
	for (i = 0, bad = 0; (m = uma_pool_page(p, i)); i++) {
		KUNIT_EXPECT_EQ(test, !!(m->flags & PG_BLACKLISTED),
				m->phys_pfn % step == 0);
		if (m->phys_pfn % step)
			continue;
		bad++;
		named = address_of(m) + m->phys_pfn % PAGE_SIZE;
		snprintf(text, sizeof(text), "blacklisted address %#lx:",
			 named);
		KUNIT_EXPECT_GE_MSG(test, lines_in_log(test, text), 1, "%s",
				    text);
		KUNIT_EXPECT_FALSE(test, uma_pool_take(p, m));
		page = pfn_to_page(m->phys_pfn);
		KUNIT_EXPECT_NULL(test, uma_pool_lookup(p, page_address(page)));
	}
	KUNIT_EXPECT_EQ(test, bad, st.blacklisted);

	/* Take all that there is: none of them appears. */
	for (i = 0; (m = uma_pool_alloc(p, 1, M_USE_RESERVE)); i++)
		KUNIT_EXPECT_FALSE(test, m->flags & PG_BLACKLISTED);
	KUNIT_EXPECT_EQ(test, i, st.pages);
	for (i = 0; (m = uma_pool_page(p, i)); i++)
		if (!(m->flags & PG_BLACKLISTED))
			uma_pool_free(p, m, 1);

	/* Nor in a run, however long. */
	for (i = 2; i <= PAGES; i++) {
		m = uma_pool_alloc(p, i, M_USE_RESERVE);
		if (!m)
			continue;
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_FALSE(test, m[j].flags & PG_BLACKLISTED);
		uma_pool_free(p, m, i);
	}
	expect_whole(test, p);
	uma_pool_destroy(p);
}

static void pg_06_unreadable_blacklist_is_refused(struct kunit *test)
{
	static const char * const bad[] = {
		"zz", "0x", "0xg", ",", "1,", ",1", "1,,2", "-1", "+1", "1 ",
		" 1", "0x0x1", "12a", "1\n", "0x10000000000000000",
		"18446744073709551616", "0x1000,bogus", "1;2", "0x1000,0x",
		"111111111111111111111111111111111111111111111111111111111111",
	};
	static const char * const good[] = {
		"", "0", "0x0", "1,2", "0xffffffffffffffff,0XAB", "007",
		"18446744073709551615",
	};
	struct uma_pool *p;
	int i, lines;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		lines = lines_in_log(test, "is not a physical address");
		p = uma_pool_create(1, bad[i]);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(p), -EINVAL, "\"%s\"",
				    bad[i]);
		if (!IS_ERR(p))
			uma_pool_destroy(p);
		KUNIT_EXPECT_EQ_MSG(test, lines + 1,
				    lines_in_log(test,
						 "is not a physical address"),
				    "\"%s\"", bad[i]);
	}
	/* The message names what is wrong, not all the rest. */
	KUNIT_EXPECT_GE(test, lines_in_log(test, "\"bogus\" is not"), 1);

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		p = uma_pool_create(1, good[i]);
		KUNIT_EXPECT_FALSE_MSG(test, IS_ERR(p), "\"%s\"", good[i]);
		if (!IS_ERR(p))
			uma_pool_destroy(p);
	}
}

static void pool_impossible_sizes_are_refused(struct kunit *test)
{
	int lines = lines_in_log(test, "KiB available");

	KUNIT_EXPECT_EQ(test, PTR_ERR(uma_pool_create(0, NULL)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(uma_pool_create(totalram_pages(), NULL)),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, PTR_ERR(uma_pool_create(ULONG_MAX, NULL)),
			-ENOMEM);
	/* Each time the log says how much there was. */
	KUNIT_EXPECT_EQ(test, lines_in_log(test, "KiB available"), lines + 2);
}

static void pool_every_page_can_be_had_once(struct kunit *test)
{
	struct uma_pool_stats st = stats_of(pool), now;
	struct vm_page *m;
	unsigned long i;

	KUNIT_EXPECT_EQ(test, st.pages, PAGES);
	KUNIT_EXPECT_GE(test, st.reserve, 4);
	for (i = 0; i < st.pages - st.reserve; i++) {
		m = uma_pool_alloc(pool, 1, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_EQ(test, m->flags, 0);
		memset(vm_page_kva(m), 0x5a, PAGE_SIZE);
	}
	/* What is left is for those who say so. */
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 1, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 1, M_WAITOK));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 2, M_NOWAIT));
	for (; i < st.pages; i++)
		KUNIT_ASSERT_NOT_NULL(test,
				      uma_pool_alloc(pool, 1, M_USE_RESERVE));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 1, M_USE_RESERVE));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 2, M_USE_RESERVE));

	now = stats_of(pool);
	KUNIT_EXPECT_EQ(test, now.free, 0);
	KUNIT_EXPECT_EQ(test, now.largest_run, 0);
	KUNIT_EXPECT_EQ(test, now.allocs, PAGES);
	KUNIT_EXPECT_EQ(test, now.fails, 5);
	for (i = 0; (m = uma_pool_page(pool, i)); i++)
		uma_pool_free(pool, m, 1);
	KUNIT_EXPECT_EQ(test, stats_of(pool).largest_run, st.largest_run);
}

/* Free pages of its node that lie higher than a page. */
static unsigned long free_above(struct vm_page *m)
{
	unsigned long i, n = 0;
	struct vm_page *it;

	for (i = 0; (it = uma_pool_page(pool, i)); i++)
		n += it->flags & PG_FREE && it->phys_pfn > m->phys_pfn &&
		     vm_page_nid(it) == vm_page_nid(m);
	return n;
}

static void pool_runs_come_from_the_top_singles_from_below(struct kunit *test)
{
	unsigned long longest = stats_of(pool).largest_run;
	struct vm_page *single, *run, *other, *top;
	unsigned long i;

	KUNIT_ASSERT_GE(test, longest, 8);
	single = uma_pool_alloc(pool, 1, 0);
	for (i = 0; vm_page_nid(uma_pool_page(pool, i)) != numa_mem_id(); i++)
		;
	KUNIT_EXPECT_PTR_EQ(test, single, uma_pool_page(pool, i));
	run = uma_pool_alloc(pool, 4, 0);
	KUNIT_ASSERT_NOT_NULL(test, run);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, run[i].phys_pfn, run->phys_pfn + i);
	other = uma_pool_alloc(pool, 4, 0);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_LT(test, other->phys_pfn, run->phys_pfn);
	/* A single one that is to lie among those does, and others stay below. */
	top = uma_pool_alloc(pool, 1, M_HIGHEST);
	KUNIT_ASSERT_NOT_NULL(test, top);
	KUNIT_EXPECT_EQ(test, free_above(top), 0);
	KUNIT_EXPECT_GT(test, top->phys_pfn, single->phys_pfn);
	uma_pool_free(pool, top, 1);

	/* The page freed last is the first to be used again. */
	uma_pool_free(pool, single, 1);
	KUNIT_EXPECT_PTR_EQ(test, uma_pool_alloc(pool, 1, 0), single);
	uma_pool_free(pool, single, 1);
	/* But not if it came with a run, which may come back in pieces. */
	uma_pool_free(pool, run, 2);
	KUNIT_EXPECT_PTR_EQ(test, uma_pool_alloc(pool, 1, 0), single);
	uma_pool_free(pool, single, 1);
	uma_pool_free(pool, run + 2, 2);
	uma_pool_free(pool, other, 4);
	KUNIT_EXPECT_EQ(test, stats_of(pool).largest_run, longest);

	/* The longest run is there, and nothing longer. */
	run = uma_pool_alloc(pool, longest, M_USE_RESERVE);
	KUNIT_EXPECT_NOT_NULL(test, run);
	if (run)
		uma_pool_free(pool, run, longest);
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, longest + 1,
					       M_USE_RESERVE));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, UINT_MAX, M_USE_RESERVE));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 0, M_USE_RESERVE));
}

/* The oracle: which pages we hold, and as what. */
struct oracle {
	unsigned long held[BITS_TO_LONGS(PAGES)];
	unsigned int run[PAGES];	/* length, at the first page of a run */
	unsigned long free[MAX_NUMNODES];
	struct rnd_state rnd;
};

/* Free pages that a node must have for this. */
static unsigned long wanted_on(int nid, unsigned int npages, int flags)
{
	struct uma_pool_stats st;

	uma_pool_get_node_stats(pool, nid, &st);
	return npages + (flags & M_USE_RESERVE ? 0 : st.reserve);
}

/* Whether some node has such a run, and may give it. */
static bool run_exists(const struct oracle *o, unsigned int npages, int flags)
{
	unsigned long i, n = 0;

	for (i = 0; i < PAGES; i++) {
		int nid = vm_page_nid(uma_pool_page(pool, i));

		if (i && !are_neighbours(pool, PAGES, i))
			n = 0;
		n = test_bit(i, o->held) ? 0 : n + 1;
		if (n >= npages &&
		    o->free[nid] >= wanted_on(nid, npages, flags))
			return true;
	}
	return false;
}

static void oracle_took(struct kunit *test, struct oracle *o, struct vm_page *m,
			unsigned int npages)
{
	unsigned long first = m - uma_pool_page(pool, 0), i;

	for (i = 0; i < npages; i++) {
		KUNIT_ASSERT_FALSE_MSG(test,
				       __test_and_set_bit(first + i, o->held),
				       "page %lu handed out twice", first + i);
		KUNIT_ASSERT_EQ(test, m[i].phys_pfn, m->phys_pfn + i);
	}
	o->free[vm_page_nid(m)] -= npages;
	o->run[first] = npages;
}

static void oracle_free(struct kunit *test, struct oracle *o)
{
	unsigned long first = prandom_u32_state(&o->rnd) % PAGES;
	struct vm_page *m;
	unsigned int part;

	for (; first < PAGES && !o->run[first]; first++)
		;
	if (first == PAGES)
		return;
	m = uma_pool_page(pool, first);
	/* Whole, or the first part of it now and the rest at another time. */
	part = 1 + prandom_u32_state(&o->rnd) % o->run[first];
	uma_pool_free(pool, m, part);
	bitmap_clear(o->held, first, part);
	o->free[vm_page_nid(m)] += part;
	if (part < o->run[first])
		o->run[first + part] = o->run[first] - part;
	o->run[first] = 0;
}

static void pool_agrees_with_an_oracle(struct kunit *test)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	unsigned int npages, step, flags, refused = 0;
	struct vm_page *m;
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, o);
	for (i = 0; i < PAGES; i++)
		o->free[vm_page_nid(uma_pool_page(pool, i))]++;
	prandom_seed_state(&o->rnd, 2);
	for (step = 0; step < 40000; step++) {
		flags = prandom_u32_state(&o->rnd) % 4 ? 0 : M_USE_RESERVE;
		npages = 1 + prandom_u32_state(&o->rnd) % 12;
		/* Phases, so that it runs full and empty in turn. */
		switch (prandom_u32_state(&o->rnd) %
			(step / 2000 % 2 ? 12 : 8)) {
		case 0:
		case 1:
			npages = 1;
			fallthrough;
		case 2:
		case 3:
			m = uma_pool_alloc(pool, npages, flags);
			if (m) {
				KUNIT_ASSERT_GE(test,
						o->free[vm_page_nid(m)],
						wanted_on(vm_page_nid(m),
							  npages, flags));
				oracle_took(test, o, m, npages);
				break;
			}
			refused++;
			KUNIT_ASSERT_FALSE_MSG(test,
					       run_exists(o, npages, flags),
					       "a run of %u was there", npages);
			break;
		case 4:
			i = prandom_u32_state(&o->rnd) % PAGES;
			m = uma_pool_page(pool, i);
			KUNIT_ASSERT_EQ(test, uma_pool_take(pool, m),
					!test_bit(i, o->held));
			if (!test_bit(i, o->held))
				oracle_took(test, o, m, 1);
			break;
		default:
			oracle_free(test, o);
			break;
		}
		if (step % 64 == 0)
			KUNIT_ASSERT_EQ(test, stats_of(pool).free, PAGES -
					bitmap_weight(o->held, PAGES));
	}
	KUNIT_EXPECT_GT(test, refused, 100);
	kunit_info(test, "%u of %u steps were refused, %u segments\n", refused,
		   step, stats_of(pool).segments);
	for (i = 0; i < PAGES; i++)
		if (test_bit(i, o->held))
			uma_pool_free(pool, uma_pool_page(pool, i), 1);
}

static void pool_lookup_believes_no_foreign_address(struct kunit *test)
{
	struct vm_page *m, *first = uma_pool_page(pool, 0);
	struct page *page = alloc_page(GFP_KERNEL);
	void *vm = vmalloc(PAGE_SIZE);
	unsigned long i, offset;
	const void *foreign[] = {
		NULL, (void *)1, (void *)PAGE_SIZE, (void *)-1UL,
		(void *)-PAGE_SIZE, (void *)LONG_MAX, (void *)LONG_MIN, vm,
		&foreign, test, first, uma_pool_lookup, page_address(page),
	};
	unsigned long lies[] = {
		(unsigned long)first, (unsigned long)first + 8,
		(unsigned long)first - 64, (unsigned long)(first + PAGES),
		(unsigned long)(first + PAGES - 1), 64, 1, -1UL, -64UL,
		LONG_MAX, LONG_MIN,
	};

	for (i = 0; (m = uma_pool_page(pool, i)); i++)
		for (offset = 0; offset < PAGE_SIZE; offset += 1365)
			KUNIT_ASSERT_PTR_EQ(test, m,
					    uma_pool_lookup(pool,
							    vm_page_kva(m) +
							    offset));
	for (i = 0; i < ARRAY_SIZE(foreign); i++)
		KUNIT_EXPECT_NULL_MSG(test, uma_pool_lookup(pool, foreign[i]),
				      "%lu", i);

	/* A page of somebody else, with anything in its private word. */
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		set_page_private(page, lies[i]);
		KUNIT_EXPECT_NULL_MSG(test,
				      uma_pool_lookup(pool, page_address(page)),
				      "%#lx", lies[i]);
	}
	set_page_private(page, 0);
	/* One of ours that claims to be another. */
	m = uma_pool_page(pool, 7);
	set_page_private(pfn_to_page(m->phys_pfn), (unsigned long)(m + 1));
	KUNIT_EXPECT_NULL(test, uma_pool_lookup(pool, vm_page_kva(m)));
	set_page_private(pfn_to_page(m->phys_pfn), (unsigned long)m);

	__free_page(page);
	vfree(vm);
}

static void pool_wrong_frees_are_refused(struct kunit *test)
{
	struct uma_pool_stats before, after;
	struct vm_page *m, *run;

	m = uma_pool_alloc(pool, 1, 0);
	run = uma_pool_alloc(pool, 3, 0);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_NOT_NULL(test, run);
	uma_pool_free(pool, m, 1);
	uma_pool_free(pool, run + 1, 1);
	before = stats_of(pool);

	pr_info("uma-expect-begin: uma: page %#llx freed to the pool is free\n",
		address_of(m));
	uma_pool_free(pool, m, 1);
	pr_info("uma-expect-end\n");
	/* One page of it is free: none is taken. */
	pr_info("uma-expect-begin: uma: page %#llx freed to the pool is free\n",
		address_of(run + 1));
	uma_pool_free(pool, run, 3);
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: uma: .* are not a run of the pool\n");
	uma_pool_free(pool, run, 0);
	uma_pool_free(pool, run, PAGES + 1);
	uma_pool_free(pool, run, UINT_MAX);
	uma_pool_free(pool, uma_pool_page(pool, PAGES - 1), 2);
	uma_pool_free(pool, uma_pool_page(pool, PAGES - 1) + 1, 1);
	uma_pool_free(pool, (void *)run + 8, 1);
	uma_pool_free(pool, NULL, 1);
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: uma: .* is no page of the pool\n");
	KUNIT_EXPECT_FALSE(test, uma_pool_take(pool, NULL));
	pr_info("uma-expect-end\n");

	after = stats_of(pool);
	KUNIT_EXPECT_EQ(test, before.free, after.free);
	KUNIT_EXPECT_EQ(test, before.largest_run, after.largest_run);
	uma_pool_free(pool, run, 1);
	uma_pool_free(pool, run + 2, 1);
}

static void count_call(void *arg)
{
	atomic_inc(arg);
}

/* On User Mode Linux irq_work waits for the next tick. */
static void settle(void)
{
	msleep(50);
}

static void pool_low_memory_is_told_once_a_shortage(struct kunit *test)
{
	struct vm_page *m[8];
	atomic_t calls = ATOMIC_INIT(0);
	int i, round;

	KUNIT_EXPECT_EQ(test, 0, uma_pool_set_lowmem(pool, count_call, &calls,
						     PAGES - 3));
	KUNIT_EXPECT_EQ(test, -EBUSY, uma_pool_set_lowmem(pool, count_call,
							  &calls, 1));
	for (round = 1; round < 4; round++) {
		for (i = 0; i < 3; i++)
			m[i] = uma_pool_alloc(pool, 1, 0);
		settle();
		KUNIT_EXPECT_EQ(test, atomic_read(&calls), round - 1);
		for (; i < 8; i++)
			m[i] = uma_pool_alloc(pool, 1, 0);
		settle();
		KUNIT_EXPECT_EQ(test, atomic_read(&calls), round);
		/* Still short: not again. */
		uma_pool_free(pool, m[7], 1);
		m[7] = uma_pool_alloc(pool, 1, 0);
		settle();
		KUNIT_EXPECT_EQ(test, atomic_read(&calls), round);
		for (i = 0; i < 8; i++)
			uma_pool_free(pool, m[i], 1);
	}
	KUNIT_EXPECT_EQ(test, 0, uma_pool_set_lowmem(pool, NULL, NULL, 0));

	/* Taken back, it is not called; registered while short, it is. */
	m[0] = uma_pool_alloc(pool, 4, 0);
	KUNIT_ASSERT_NOT_NULL(test, m[0]);
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&calls), 3);
	KUNIT_EXPECT_EQ(test, 0, uma_pool_set_lowmem(pool, count_call, &calls,
						     PAGES - 3));
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&calls), 4);
	KUNIT_EXPECT_EQ(test, 0, uma_pool_set_lowmem(pool, NULL, NULL, 0));
	uma_pool_free(pool, m[0], 4);
}

struct sleeper {
	struct task_struct *task;
	struct vm_page *m;
	struct completion asleep;
};

static int sleep_for_a_page(void *arg)
{
	wait_queue_head_t *wq = uma_pool_waitqueue(pool);
	struct sleeper *s = arg;
	DEFINE_WAIT(wait);

	uma_pool_wait_begin(pool);
	for (;;) {
		prepare_to_wait_exclusive(wq, &wait, TASK_IDLE);
		s->m = uma_pool_alloc(pool, 1, M_USE_RESERVE);
		if (s->m || kthread_should_stop())
			break;
		complete(&s->asleep);
		schedule();
	}
	finish_wait(wq, &wait);
	uma_pool_wait_end(pool);
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static int pages_had(const struct sleeper *s, int n)
{
	int had = 0;

	while (n--)
		had += !!READ_ONCE(s[n].m);
	return had;
}

static void pool_sleepers_wake_when_pages_return(struct kunit *test)
{
	struct sleeper s[4] = {};
	unsigned long irqflags, i;
	wait_queue_head_t *wq;
	struct vm_page *m;

	while (uma_pool_alloc(pool, 1, M_USE_RESERVE))
		;
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		init_completion(&s[i].asleep);
		s[i].task = kthread_run(sleep_for_a_page, &s[i], "pool_test/%lu",
					i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s[i].task);
		wait_for_completion(&s[i].asleep);
	}
	settle();
	KUNIT_EXPECT_EQ(test, pages_had(s, ARRAY_SIZE(s)), 0);

	/* Under the lock that a wake-up needs: one from inside would hang. */
	wq = uma_pool_waitqueue(pool);
	spin_lock_irqsave(&wq->lock, irqflags);
	uma_pool_free(pool, uma_pool_page(pool, 9), 1);
	spin_unlock_irqrestore(&wq->lock, irqflags);
	settle();
	KUNIT_EXPECT_EQ(test, pages_had(s, ARRAY_SIZE(s)), 1);

	for (i = 0; i < 3; i++)
		uma_pool_free(pool, uma_pool_page(pool, 20 + i), 1);
	settle();
	KUNIT_EXPECT_EQ(test, pages_had(s, ARRAY_SIZE(s)), 4);

	for (i = 0; i < ARRAY_SIZE(s); i++)
		kthread_stop(s[i].task);
	for (i = 0; (m = uma_pool_page(pool, i)); i++)
		uma_pool_free(pool, m, 1);
}

/* An actor allocates, marks what it has, checks the marks, frees. */
struct actor {
	struct rnd_state rnd;
	struct vm_page *m[16];
	unsigned int npages[16];
	unsigned long mark;
	unsigned long rounds;
	unsigned long errors;
};

static void act(struct actor *a)
{
	unsigned int slot = prandom_u32_state(&a->rnd) % 16, i;
	struct vm_page *m = a->m[slot];

	if (m) {
		for (i = 0; i < a->npages[slot]; i++) {
			if (m[i].pindex != a->mark)
				a->errors++;
			m[i].pindex = 0;
		}
		uma_pool_free(pool, m, a->npages[slot]);
		a->m[slot] = NULL;
	} else {
		a->npages[slot] = prandom_u32_state(&a->rnd) % 2 ?
				  1 : 1 + prandom_u32_state(&a->rnd) % 9;
		m = uma_pool_alloc(pool, a->npages[slot], M_NOWAIT);
		a->m[slot] = m;
		for (i = 0; m && i < a->npages[slot]; i++) {
			if (m[i].pindex)
				a->errors++;
			m[i].pindex = a->mark;
		}
	}
	a->rounds++;
}

static void finish(struct kunit *test, struct actor *a)
{
	unsigned int slot, i;

	for (slot = 0; slot < 16; slot++) {
		if (!a->m[slot])
			continue;
		for (i = 0; i < a->npages[slot]; i++)
			a->m[slot][i].pindex = 0;
		uma_pool_free(pool, a->m[slot], a->npages[slot]);
	}
	KUNIT_EXPECT_EQ(test, a->errors, 0);
	KUNIT_EXPECT_GT(test, a->rounds, 10);
}

struct irq_actor {
	struct hrtimer timer;
	struct actor actor;
};

static enum hrtimer_restart act_in_irq(struct hrtimer *timer)
{
	struct irq_actor *ia = container_of(timer, struct irq_actor, timer);
	int i;

	if (!in_hardirq())
		ia->actor.errors++;
	for (i = 0; i < 16; i++)
		act(&ia->actor);
	hrtimer_forward_now(timer, ns_to_ktime(150 * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

static int act_in_thread(void *arg)
{
	while (!kthread_should_stop()) {
		act(arg);
		cond_resched();
	}
	return 0;
}

#define ACTORS	4

static void pool_stays_whole_under_threads_and_interrupts(struct kunit *test)
{
	struct task_struct *task[ACTORS];
	struct irq_actor *ia;
	struct actor *a;
	unsigned long i, n = 0;

	a = kunit_kcalloc(test, ACTORS, sizeof(*a), GFP_KERNEL);
	ia = kunit_kzalloc(test, sizeof(*ia), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, ia);
	for (i = 0; i < PAGES; i++)
		uma_pool_page(pool, i)->pindex = 0;

	ia->actor.mark = 1000;
	prandom_seed_state(&ia->actor.rnd, 1000);
	hrtimer_init(&ia->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	ia->timer.function = act_in_irq;
	hrtimer_start(&ia->timer, ns_to_ktime(100 * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_HARD);
	for (i = 0; i < ACTORS; i++) {
		a[i].mark = i + 1;
		prandom_seed_state(&a[i].rnd, i);
		task[i] = kthread_run(act_in_thread, &a[i], "pool_test/%lu", i);
	}
	msleep(400);
	for (i = 0; i < ACTORS; i++)
		if (!IS_ERR(task[i])) {
			kthread_stop(task[i]);
			finish(test, &a[i]);
			n += a[i].rounds;
		}
	hrtimer_cancel(&ia->timer);
	finish(test, &ia->actor);
	kunit_info(test, "%lu steps in threads, %lu in interrupts\n", n,
		   ia->actor.rounds);
}

static void pool_fail_uma_fails_what_may_fail(struct kunit *test)
{
	struct vm_page *m[6];
	int nth, i;

	if (!IS_ENABLED(CONFIG_FAULT_INJECTION))
		kunit_skip(test, "no fault injection");
	for (nth = 1; nth <= 6; nth++) {
		fail_nth_set(nth);
		for (i = 0; i < 6; i++)
			m[i] = uma_pool_alloc(pool, 1 + i % 2, M_NOWAIT);
		fail_nth_set(0);
		for (i = 0; i < 6; i++) {
			KUNIT_EXPECT_EQ(test, !m[i], i == nth - 1);
			if (m[i])
				uma_pool_free(pool, m[i], 1 + i % 2);
		}
	}
	/* Who waits is not failed, nor counted. */
	fail_nth_set(1);
	m[0] = uma_pool_alloc(pool, 1, M_WAITOK);
	KUNIT_EXPECT_EQ(test, fail_nth_left(), 1);
	fail_nth_set(0);
	KUNIT_ASSERT_NOT_NULL(test, m[0]);
	uma_pool_free(pool, m[0], 1);
	KUNIT_EXPECT_EQ(test, stats_of(pool).fails, 6);
}

/* Each allocation inside is failed in turn. */
static void pool_create_survives_every_failure(struct kunit *test)
{
	struct uma_pool *p = NULL;
	int n, failed = 0;

	if (!fail_nth_prepare())
		kunit_skip(test, "no fault injection for slab and pages");
	for (n = 1; n < 1000; n++) {
		fail_nth_set(n);
		p = uma_pool_create(1500, "0x1000,0x2000");
		if (fail_nth_left())
			break;
		/* A block that was refused is had in smaller ones. */
		if (IS_ERR(p)) {
			KUNIT_ASSERT_EQ(test, PTR_ERR(p), -ENOMEM);
			failed++;
			continue;
		}
		KUNIT_ASSERT_EQ(test, stats_of(p).free, 1500);
		uma_pool_destroy(p);
	}
	fail_nth_set(0);
	kunit_info(test, "%d allocations were failed, %d of them to the end\n",
		   n - 1, failed);
	KUNIT_EXPECT_GE(test, n - 1, 6);
	KUNIT_EXPECT_GT(test, failed, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	expect_whole(test, p);
	uma_pool_destroy(p);
}

static void pool_gives_its_pages_back_clean(struct kunit *test)
{
	struct page *pages[3];
	struct vm_page *leaked;
	struct uma_pool *p;
	int i, lines;

	p = uma_pool_create(64, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	/* With a reference of our own we may look at them afterwards. */
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = pfn_to_page(uma_pool_page(p, 20 * i)->phys_pfn);
		get_page(pages[i]);
	}
	leaked = uma_pool_page(p, 20);
	KUNIT_EXPECT_TRUE(test, uma_pool_take(p, leaked));

	lines = lines_in_log(test, "1 pages are still in use and stay lost");
	pr_info("uma-expect-begin: uma: pool: 1 pages .* stay lost\n");
	uma_pool_destroy(p);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, lines + 1,
			lines_in_log(test,
				     "1 pages are still in use and stay lost"));
	KUNIT_EXPECT_GE(test, lines_in_log(test, "63 of 64 pages returned"), 1);

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		KUNIT_EXPECT_EQ(test, page_private(pages[i]), 0);
		KUNIT_EXPECT_EQ(test, page_count(pages[i]), i == 1 ? 2 : 1);
		put_page(pages[i]);
	}
	/* The lost one is ours to return. */
	__free_page(pages[1]);
}

/* Growth. */

#define CHUNK	((unsigned long)UMA_CHUNK_PAGES)

/* The pool of the case, from now on one of PAGES that can grow by @chunks. */
static void make_elastic(struct kunit *test, unsigned int chunks,
			 const char *bad)
{
	uma_pool_destroy(pool);
	pool = uma_pool_create_elastic(PAGES, PAGES + chunks * CHUNK, bad);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_ASSERT_EQ(test, stats_of(pool).chunks_max, chunks);
	KUNIT_ASSERT_EQ(test, uma_pool_records(pool), PAGES + chunks * CHUNK);
}

/*
 * Let it grow by @chunks now. The kernel may be without a block for a moment, in
 * which case the pool asks no more for another.
 */
static void grow_by(struct kunit *test, unsigned int chunks)
{
	unsigned int want = stats_of(pool).chunks + chunks, tries;

	for (tries = 0; tries < 20 && stats_of(pool).chunks < want; tries++)
		if (!uma_pool_grow(pool, 1))
			msleep(110);
	KUNIT_ASSERT_EQ(test, stats_of(pool).chunks, want);
}

static unsigned long shrink_by(unsigned long npages)
{
	unsigned long gone = 0;
	int nid;

	for_each_online_node(nid)
		if (gone < npages)
			gone += uma_pool_shrink(pool, nid, npages - gone);
	return gone;
}

static unsigned long shrinkable(void)
{
	unsigned long n = 0;
	int nid;

	for_each_online_node(nid)
		n += uma_pool_shrinkable(pool, nid);
	return n;
}

/* Give everything back, whatever is out. */
static void free_everything(void)
{
	struct vm_page *m;
	unsigned long i;

	for (i = 0; i < uma_pool_records(pool); i++) {
		m = uma_pool_page(pool, i);
		if (m && !(m->flags & (PG_FREE | PG_BLACKLISTED)))
			uma_pool_free(pool, m, 1);
	}
}

static void pool_grows_for_who_may_sleep(struct kunit *test)
{
	struct uma_pool_stats st;
	struct vm_page *m;
	struct page *page;
	unsigned long i;

	make_elastic(test, 2, NULL);
	st = stats_of(pool);
	KUNIT_EXPECT_EQ(test, st.pages, PAGES);
	KUNIT_EXPECT_NULL(test, uma_pool_page(pool, PAGES));

	for (i = 0; i < PAGES + 2 * CHUNK - st.reserve; i++) {
		m = uma_pool_alloc(pool, 1, M_WAITOK);
		/* Had none a moment ago, or the work item has it in hand. */
		if (!m) {
			msleep(150);
			m = uma_pool_alloc(pool, 1, M_WAITOK);
		}
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_ASSERT_EQ(test, m->flags, 0);
		KUNIT_ASSERT_PTR_EQ(test, m,
				    uma_pool_lookup(pool, vm_page_kva(m) + 17));
		memset(vm_page_kva(m), 0x5a, PAGE_SIZE);
	}
	/* The most that it may have; the reserve is still the reserve. */
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 1, M_WAITOK));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 1, M_NOWAIT));
	KUNIT_EXPECT_FALSE(test, uma_pool_grow(pool, 1));
	for (i = 0; i < st.reserve; i++)
		KUNIT_EXPECT_NOT_NULL(test, uma_pool_alloc(pool, 1,
							   M_USE_RESERVE));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, 1, M_USE_RESERVE));
	st = stats_of(pool);
	KUNIT_EXPECT_EQ(test, st.pages, PAGES + 2 * CHUNK);
	KUNIT_EXPECT_EQ(test, st.chunks, 2);
	KUNIT_EXPECT_EQ(test, st.grown, 2);
	KUNIT_EXPECT_EQ(test, shrinkable(), 0);
	KUNIT_EXPECT_EQ(test, shrink_by(ULONG_MAX), 0);

	/* One page out is enough to keep a chunk. */
	free_everything();
	m = uma_pool_page(pool, PAGES + 100);
	KUNIT_EXPECT_TRUE(test, uma_pool_take(pool, m));
	KUNIT_EXPECT_EQ(test, shrinkable(), CHUNK);
	KUNIT_EXPECT_EQ(test, shrink_by(ULONG_MAX), CHUNK);
	KUNIT_EXPECT_PTR_EQ(test, m, uma_pool_lookup(pool, vm_page_kva(m)));
	uma_pool_free(pool, m, 1);

	/* When it goes, its pages are clean, and the pool knows them no more. */
	page = pfn_to_page(m->phys_pfn);
	get_page(page);
	KUNIT_EXPECT_EQ(test, shrinkable(), CHUNK);
	KUNIT_EXPECT_EQ(test, shrink_by(1), CHUNK);
	KUNIT_EXPECT_EQ(test, page_private(page), 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_NULL(test, uma_pool_lookup(pool, page_address(page)));
	put_page(page);
	KUNIT_EXPECT_NULL(test, uma_pool_page(pool, PAGES + 100));
	KUNIT_EXPECT_FALSE(test, uma_pool_take(pool, m));

	/* What the pool was made with stays. */
	KUNIT_EXPECT_EQ(test, shrink_by(ULONG_MAX), 0);
	st = stats_of(pool);
	KUNIT_EXPECT_EQ(test, st.pages, PAGES);
	KUNIT_EXPECT_EQ(test, st.given_back, 2);
	/* And it can grow again, in the same places. */
	grow_by(test, 2);
}

static void pool_work_item_grows_for_others(struct kunit *test)
{
	unsigned long n = 0, i;

	make_elastic(test, 1, NULL);
	for (i = 0; i < 300; i++) {
		while (uma_pool_alloc(pool, 1, M_NOWAIT))
			n++;
		if (n > PAGES)
			break;
		msleep(20);
	}
	/* Nobody who may sleep has asked. */
	KUNIT_EXPECT_GT(test, n, PAGES);
	KUNIT_EXPECT_EQ(test, stats_of(pool).chunks, 1);
	free_everything();
}

static void pool_growth_wakes_sleepers(struct kunit *test)
{
	struct sleeper s[3] = {};
	int i, n;

	make_elastic(test, 1, NULL);
	/* After a failure, if one can be had, the pool grows only in a while. */
	if (fail_nth_prepare()) {
		fail_nth_set(1);
		uma_pool_grow(pool, 1);
		fail_nth_set(0);
	}
	for (i = 0; i < PAGES; i++)
		KUNIT_ASSERT_NOT_NULL(test,
				      uma_pool_alloc(pool, 1, M_USE_RESERVE));
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		init_completion(&s[i].asleep);
		s[i].task = kthread_run(sleep_for_a_page, &s[i], "pool_test/%d",
					i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s[i].task);
	}
	settle();
	for (n = 0; n < 20 && !stats_of(pool).chunks; n++)
		if (!uma_pool_grow(pool, 1))
			msleep(110);
	KUNIT_EXPECT_EQ(test, stats_of(pool).chunks, 1);
	for (n = 0; n < 100 && pages_had(s, ARRAY_SIZE(s)) < ARRAY_SIZE(s); n++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, pages_had(s, ARRAY_SIZE(s)), ARRAY_SIZE(s));
	for (i = 0; i < ARRAY_SIZE(s); i++)
		kthread_stop(s[i].task);
	free_everything();
}

static void pool_low_memory_is_told_when_growing_ends(struct kunit *test)
{
	atomic_t calls = ATOMIC_INIT(0);
	unsigned long i;

	make_elastic(test, 1, NULL);
	KUNIT_EXPECT_EQ(test, 0, uma_pool_set_lowmem(pool, count_call, &calls,
						     100));
	for (i = 0; i < PAGES - 50; i++)
		KUNIT_ASSERT_NOT_NULL(test,
				      uma_pool_alloc(pool, 1, M_USE_RESERVE));
	for (i = 0; i < 300 && !stats_of(pool).chunks; i++)
		msleep(20);
	KUNIT_ASSERT_EQ(test, stats_of(pool).chunks, 1);
	settle();
	if (!stats_of(pool).grow_fails)
		KUNIT_EXPECT_EQ(test, atomic_read(&calls), 0);
	atomic_set(&calls, 0);
	for (i = 0; i < CHUNK; i++)
		KUNIT_ASSERT_NOT_NULL(test,
				      uma_pool_alloc(pool, 1, M_USE_RESERVE));
	settle();
	KUNIT_EXPECT_EQ(test, atomic_read(&calls), 1);
	KUNIT_EXPECT_EQ(test, 0, uma_pool_set_lowmem(pool, NULL, NULL, 0));
	free_everything();
}

/* The slot of a chunk's page. */
static unsigned long slot_of(const struct vm_page *m)
{
	unsigned long i = m - uma_pool_page(pool, 0);

	return i < PAGES ? ULONG_MAX : (i - PAGES) / CHUNK;
}

static void pool_singles_spare_whole_chunks(struct kunit *test)
{
	unsigned long used, other, i;
	struct vm_page *m;

	make_elastic(test, 2, NULL);
	grow_by(test, 2);
	if (stats_of(pool).nodes > 1)
		kunit_skip(test, "chunks are of different nodes");
	for (i = 0; i < PAGES; i++) {
		m = uma_pool_alloc(pool, 1, 0);
		KUNIT_ASSERT_EQ(test, slot_of(m), ULONG_MAX);
	}
	m = uma_pool_alloc(pool, 1, 0);
	used = slot_of(m);
	other = !used;
	KUNIT_ASSERT_LT(test, used, 2);
	/* Singles and runs stay where something is in use already. */
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, slot_of(uma_pool_alloc(pool, 1, 0)),
				used);
	KUNIT_EXPECT_EQ(test, slot_of(uma_pool_alloc(pool, 50, 0)), used);
	/* Of two, the one with less to lose. */
	for (i = 0; i < 400; i++) {
		m = uma_pool_page(pool, PAGES + other * CHUNK + i);
		KUNIT_EXPECT_TRUE(test, uma_pool_take(pool, m));
	}
	KUNIT_EXPECT_EQ(test, slot_of(uma_pool_alloc(pool, 1, 0)), other);
	/* But a run goes where there is room for it. */
	KUNIT_EXPECT_EQ(test, slot_of(uma_pool_alloc(pool, 200, 0)), used);
	/* And what the pool was made with comes first, once it is back. */
	uma_pool_free(pool, uma_pool_page(pool, 77), 1);
	KUNIT_EXPECT_PTR_EQ(test, uma_pool_alloc(pool, 1, 0),
			    uma_pool_page(pool, 77));
	free_everything();
}

static void pool_runs_do_not_cross_chunks(struct kunit *test)
{
	struct vm_page *m[2], *end;
	int i;

	make_elastic(test, 2, NULL);
	KUNIT_EXPECT_FALSE(test, uma_pool_grow(pool, CHUNK + 1));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, CHUNK + 1, M_WAITOK));
	KUNIT_EXPECT_EQ(test, stats_of(pool).chunks, 0);
	grow_by(test, 2);
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, CHUNK + 1, M_WAITOK));
	for (i = 0; i < 2; i++) {
		m[i] = uma_pool_alloc(pool, CHUNK, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, m[i]);
		KUNIT_EXPECT_EQ(test, m[i]->phys_pfn % CHUNK, 0);
		KUNIT_EXPECT_EQ(test, m[i][CHUNK - 1].phys_pfn,
				m[i]->phys_pfn + CHUNK - 1);
	}
	KUNIT_EXPECT_NE(test, slot_of(m[0]), slot_of(m[1]));

	/* Nor are they taken back so, whatever lies behind what. */
	pr_info("uma-expect-begin: uma: .* are not a run of the pool\n");
	uma_pool_free(pool, min(m[0], m[1]), CHUNK + 1);
	uma_pool_free(pool, min(m[0], m[1]) + 1, CHUNK);
	uma_pool_free(pool, uma_pool_page(pool, PAGES - 1), 2);
	pr_info("uma-expect-end\n");
	uma_pool_free(pool, m[0], CHUNK);
	end = m[0] + CHUNK - 1;
	pr_info("uma-expect-begin: uma: page %#llx freed to the pool is free\n",
		address_of(end));
	uma_pool_free(pool, end, 1);
	pr_info("uma-expect-end\n");

	/* Gone, it is no run of anything. */
	KUNIT_EXPECT_EQ(test, shrink_by(1), CHUNK);
	pr_info("uma-expect-begin: uma: .* are not a run of the pool\n");
	uma_pool_free(pool, m[0], 1);
	pr_info("uma-expect-end\n");
	uma_pool_free(pool, m[1], 12);
	uma_pool_free(pool, m[1] + 12, CHUNK - 12);
}

static void pool_growth_fails_quietly(struct kunit *test)
{
	struct uma_pool_stats st;
	unsigned long i;

	if (!fail_nth_prepare())
		kunit_skip(test, "no fault injection for pages");
	make_elastic(test, 1, NULL);
	if (stats_of(pool).nodes > 1)
		kunit_skip(test, "another node would give");
	fail_nth_set(1);
	KUNIT_EXPECT_FALSE(test, uma_pool_grow(pool, 1));
	KUNIT_EXPECT_EQ(test, fail_nth_left(), 0);
	/* Not at once again, though there would be memory now. */
	for (i = 0; i < 1000; i++)
		KUNIT_ASSERT_FALSE(test, uma_pool_grow(pool, 1));
	st = stats_of(pool);
	KUNIT_EXPECT_EQ(test, st.grow_fails, 1);
	KUNIT_EXPECT_EQ(test, st.chunks, 0);
	KUNIT_EXPECT_EQ(test, st.pages, PAGES);
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(pool, CHUNK, M_WAITOK));
	expect_whole(test, pool);
	msleep(150);
	grow_by(test, 1);
}

static void pg_06_blacklist_holds_for_chunks(struct kunit *test)
{
	unsigned long step = max(7UL, totalram_pages() / 10000), i, bad = 0;
	char *list = sampled_blacklist(test, step);
	struct uma_pool_stats st;
	struct vm_page *m;

	make_elastic(test, 4, list);
	kvfree(list);
	grow_by(test, 4);
	for (i = PAGES; i < PAGES + 4 * CHUNK; i++) {
		m = uma_pool_page(pool, i);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_EQ(test, !!(m->flags & PG_BLACKLISTED),
				m->phys_pfn % step == 0);
		if (!(m->flags & PG_BLACKLISTED))
			continue;
		bad++;
		KUNIT_EXPECT_FALSE(test, uma_pool_take(pool, m));
		KUNIT_EXPECT_NULL(test, uma_pool_lookup(pool,
							page_address(pfn_to_page(m->phys_pfn))));
	}
	KUNIT_EXPECT_GT(test, bad, 0);
	st = stats_of(pool);
	KUNIT_EXPECT_EQ(test, st.pages + st.blacklisted, PAGES + 4 * CHUNK);
	expect_whole(test, pool);
	for (i = 0; (m = uma_pool_alloc(pool, 1, M_USE_RESERVE)); i++)
		KUNIT_EXPECT_NE(test, m->phys_pfn % step, 0);
	KUNIT_EXPECT_EQ(test, i, st.pages);
	free_everything();
	/* A chunk with bad pages is whole when the others are free. */
	KUNIT_EXPECT_EQ(test, shrink_by(CHUNK), CHUNK);
}

static void pool_impossible_growth_is_refused(struct kunit *test)
{
	int lines = lines_in_log(test, "cannot be limited to");
	struct uma_pool *p;

	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(uma_pool_create_elastic(10, 9, NULL)));
	KUNIT_EXPECT_EQ(test, lines_in_log(test, "cannot be limited to"),
			lines + 1);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			PTR_ERR(uma_pool_create_elastic(0, 1000, NULL)));
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			PTR_ERR(uma_pool_create_elastic(10, ULONG_MAX, NULL)));

	/* Less than a chunk is no room, and a fixed pool does not grow. */
	p = uma_pool_create_elastic(10, 10 + CHUNK - 1, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	KUNIT_EXPECT_EQ(test, stats_of(p).chunks_max, 0);
	KUNIT_EXPECT_FALSE(test, uma_pool_grow(p, 1));
	uma_pool_destroy(p);
	KUNIT_EXPECT_FALSE(test, uma_pool_grow(pool, 1));
	KUNIT_EXPECT_EQ(test, shrink_by(ULONG_MAX), 0);
}

static int grow_and_shrink(void *arg)
{
	unsigned long *gone = arg;

	while (!kthread_should_stop()) {
		uma_pool_grow(pool, 1);
		usleep_range(200, 400);
		*gone += shrink_by(ULONG_MAX);
	}
	return 0;
}

static void pool_stays_whole_while_it_grows_and_shrinks(struct kunit *test)
{
	struct task_struct *task[ACTORS + 1];
	struct irq_actor *ia;
	unsigned long i, gone = 0;
	struct actor *a;

	a = kunit_kcalloc(test, ACTORS, sizeof(*a), GFP_KERNEL);
	ia = kunit_kzalloc(test, sizeof(*ia), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, ia);
	make_elastic(test, 4, NULL);
	/* Little is left without chunks. */
	for (i = 0; i < PAGES - 60; i++)
		KUNIT_ASSERT_NOT_NULL(test, uma_pool_alloc(pool, 1, 0));

	ia->actor.mark = 1000;
	prandom_seed_state(&ia->actor.rnd, 1000);
	hrtimer_init(&ia->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	ia->timer.function = act_in_irq;
	hrtimer_start(&ia->timer, ns_to_ktime(100 * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_HARD);
	for (i = 0; i < ACTORS; i++) {
		a[i].mark = i + 1;
		prandom_seed_state(&a[i].rnd, i);
		task[i] = kthread_run(act_in_thread, &a[i], "pool_test/%lu", i);
	}
	task[ACTORS] = kthread_run(grow_and_shrink, &gone, "pool_test/grow");
	msleep(600);
	for (i = 0; i <= ACTORS; i++) {
		if (IS_ERR(task[i]))
			continue;
		kthread_stop(task[i]);
		if (i < ACTORS)
			finish(test, &a[i]);
	}
	hrtimer_cancel(&ia->timer);
	finish(test, &ia->actor);
	kunit_info(test, "%lu chunks came, %lu went\n", stats_of(pool).grown,
		   gone / CHUNK);
	KUNIT_EXPECT_GT(test, stats_of(pool).grown, 0);
	free_everything();
}

/* What could be seen of a chunk that no node has yet, and how often one came. */
static unsigned int seen_early, coming;

static void look_at_coming(enum uma_steer_point point, void *obj)
{
	unsigned long i;

	if (point != UMA_STEER_CHUNK || obj != pool)
		return;
	coming++;
	for (i = PAGES; i < uma_pool_records(pool); i++)
		seen_early += !!uma_pool_page(pool, i);
}

/* Nobody could tell from a page that is in use. */
static void pool_coming_chunks_show_no_pages(struct kunit *test)
{
	make_elastic(test, 1, NULL);
	seen_early = 0;
	coming = 0;
	uma_test_steer(look_at_coming);
	grow_by(test, 1);
	KUNIT_EXPECT_EQ(test, coming, 1);
	KUNIT_EXPECT_EQ(test, seen_early, 0);
	KUNIT_EXPECT_NOT_NULL(test, uma_pool_page(pool, PAGES));
	KUNIT_EXPECT_EQ(test, shrink_by(ULONG_MAX), CHUNK);
	KUNIT_EXPECT_NULL(test, uma_pool_page(pool, PAGES));
}

/* Memory nodes. */

static void pool_node_requests_on_any_machine(struct kunit *test)
{
	int nid = numa_mem_id();
	struct vm_page *m;

	m = uma_pool_alloc_node(pool, 1, nid, M_NODEONLY);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_EQ(test, vm_page_nid(m), nid);
	uma_pool_free(pool, m, 1);
	m = uma_pool_alloc_node(pool, 3, NUMA_NO_NODE, 0);
	KUNIT_ASSERT_NOT_NULL(test, m);
	uma_pool_free(pool, m, 3);

	/* What is no node has no pages. */
	KUNIT_EXPECT_NULL(test, uma_pool_alloc_node(pool, 1, -7, 0));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc_node(pool, 1, nr_node_ids, 0));
	KUNIT_EXPECT_NULL(test, uma_pool_alloc_node(pool, 1, INT_MAX,
						    M_NODEONLY));
	KUNIT_EXPECT_EQ(test, uma_pool_shrinkable(pool, -7), 0);
	KUNIT_EXPECT_EQ(test, uma_pool_shrink(pool, nr_node_ids, 1), 0);
}

static void pool_nodes_keep_their_pages(struct kunit *test)
{
	struct uma_pool_stats st, other;
	unsigned long n, total = 0, reserve = 0;
	struct vm_page *m;
	int nid;

	if (stats_of(pool).nodes == 1)
		kunit_skip(test, "one memory node");
	for_each_node_state(nid, N_MEMORY) {
		KUNIT_ASSERT_TRUE(test,
				  uma_pool_get_node_stats(pool, nid, &st));
		KUNIT_EXPECT_GT(test, st.pages, PAGES / 8);
		total += st.pages;
		reserve += st.reserve;
		for (n = 0;; n++) {
			m = uma_pool_alloc_node(pool, 1, nid, M_NODEONLY);
			if (!m)
				break;
			KUNIT_ASSERT_EQ(test, vm_page_nid(m), nid);
		}
		KUNIT_EXPECT_EQ(test, n, st.pages - st.reserve);
		KUNIT_EXPECT_NULL(test, uma_pool_alloc_node(pool, 2, nid,
							    M_NODEONLY));
		/* Another has some, and gives if that is all right. */
		m = uma_pool_alloc_node(pool, 1, nid, 0);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_NE(test, vm_page_nid(m), nid);
		/* A page goes back to where it came from. */
		uma_pool_get_node_stats(pool, vm_page_nid(m), &st);
		uma_pool_free(pool, m, 1);
		uma_pool_get_node_stats(pool, vm_page_nid(m), &other);
		KUNIT_EXPECT_EQ(test, other.free, st.free + 1);
		free_everything();
	}
	KUNIT_EXPECT_EQ(test, total, PAGES);
	KUNIT_EXPECT_EQ(test, reserve, stats_of(pool).reserve);
}

static void pool_pages_are_near_who_takes_them(struct kunit *test)
{
	struct vm_page *m;
	int nid, i;

	if (stats_of(pool).nodes == 1)
		kunit_skip(test, "one memory node");
	for_each_node_state(nid, N_MEMORY) {
		if (cpumask_empty(cpumask_of_node(nid)))
			continue;
		set_cpus_allowed_ptr(current, cpumask_of_node(nid));
		for (i = 0; i < 64; i++) {
			m = uma_pool_alloc(pool, 1 + i % 4, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, m);
			KUNIT_EXPECT_EQ(test, vm_page_nid(m), nid);
			uma_pool_free(pool, m, 1 + i % 4);
		}
	}
}

static void pool_nodes_grow_by_themselves(struct kunit *test)
{
	struct uma_pool_stats st;
	struct vm_page *m;
	int nid;

	make_elastic(test, 4, NULL);
	if (stats_of(pool).nodes == 1)
		kunit_skip(test, "one memory node");
	for_each_node_state(nid, N_MEMORY) {
		m = uma_pool_alloc_node(pool, CHUNK, nid,
					M_WAITOK | M_NODEONLY);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_EQ(test, vm_page_nid(m), nid);
		uma_pool_get_node_stats(pool, nid, &st);
		KUNIT_EXPECT_EQ(test, st.chunks, 1);
		uma_pool_free(pool, m, CHUNK);
	}
	for_each_node_state(nid, N_MEMORY) {
		KUNIT_EXPECT_EQ(test, uma_pool_shrink(pool, nid, CHUNK),
				CHUNK);
		uma_pool_get_node_stats(pool, nid, &st);
		KUNIT_EXPECT_EQ(test, st.chunks, 0);
	}
}

static void pool_shows_itself(struct kunit *test)
{
	struct vm_page *m = uma_pool_alloc(pool, 5, 0);
	struct seq_file seq = { .size = 8192 };
	char text[64];

	KUNIT_ASSERT_NOT_NULL(test, m);
	seq.buf = kunit_kzalloc(test, seq.size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seq.buf);
	uma_pool_show(pool, &seq);
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&seq));
	seq.buf[seq.count] = '\0';

	snprintf(text, sizeof(text), "pages       %lu\n", PAGES);
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, text));
	snprintf(text, sizeof(text), "free        %lu\n", PAGES - 5);
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, text));
	snprintf(text, sizeof(text), "segments    %u\n",
		 stats_of(pool).segments);
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, text));
	snprintf(text, sizeof(text), "%#014llx-",
		 address_of(uma_pool_page(pool, 0)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, text));
	uma_pool_free(pool, m, 5);
	KUNIT_EXPECT_NULL(test, strstr(seq.buf, "given back"));
	/* Nodes are shown where there is a choice. */
	KUNIT_EXPECT_EQ(test, !!strstr(seq.buf, "\nnodes"),
			stats_of(pool).nodes > 1);

	make_elastic(test, 2, NULL);
	grow_by(test, 1);
	seq.count = 0;
	uma_pool_show(pool, &seq);
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&seq));
	seq.buf[seq.count] = '\0';
	snprintf(text, sizeof(text), "most        %lu\n", PAGES + 2 * CHUNK);
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, text));
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, "grown       1\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, "\nchunks      1\n"));
	snprintf(text, sizeof(text), "%#014llx-",
		 address_of(uma_pool_page(pool, PAGES)));
	KUNIT_EXPECT_NOT_NULL(test, strstr(seq.buf, text));
}

static int pool_test_init(struct kunit *test)
{
	/* What is near is to stay near. */
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
	pool = uma_pool_create(PAGES, NULL);
	return PTR_ERR_OR_ZERO(pool);
}

/* Whatever a test did, in the end the pool is whole. */
static void pool_test_exit(struct kunit *test)
{
	uma_test_steer(NULL);
	if (IS_ERR_OR_NULL(pool))
		return;
	expect_whole(test, pool);
	uma_pool_destroy(pool);
	pool = NULL;
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(pg_06_blacklisted_pages_stay_out),
	KUNIT_CASE(pg_06_unreadable_blacklist_is_refused),
	KUNIT_CASE(pg_08_machine_state_is_set_where_the_page_is_added),
	KUNIT_CASE(pg_09_record_and_masks_fit),
	KUNIT_CASE(pool_impossible_sizes_are_refused),
	KUNIT_CASE(pool_every_page_can_be_had_once),
	KUNIT_CASE(pool_runs_come_from_the_top_singles_from_below),
	KUNIT_CASE(pool_agrees_with_an_oracle),
	KUNIT_CASE(pool_lookup_believes_no_foreign_address),
	KUNIT_CASE(pool_wrong_frees_are_refused),
	KUNIT_CASE(pool_low_memory_is_told_once_a_shortage),
	KUNIT_CASE(pool_sleepers_wake_when_pages_return),
	KUNIT_CASE(pool_stays_whole_under_threads_and_interrupts),
	KUNIT_CASE(pool_fail_uma_fails_what_may_fail),
	KUNIT_CASE(pool_create_survives_every_failure),
	KUNIT_CASE(pool_gives_its_pages_back_clean),
	KUNIT_CASE(pool_grows_for_who_may_sleep),
	KUNIT_CASE(pool_work_item_grows_for_others),
	KUNIT_CASE(pool_growth_wakes_sleepers),
	KUNIT_CASE(pool_growth_fails_quietly),
	KUNIT_CASE(pool_low_memory_is_told_when_growing_ends),
	KUNIT_CASE(pool_singles_spare_whole_chunks),
	KUNIT_CASE(pool_runs_do_not_cross_chunks),
	KUNIT_CASE(pool_impossible_growth_is_refused),
	KUNIT_CASE(pg_06_blacklist_holds_for_chunks),
	KUNIT_CASE(pool_stays_whole_while_it_grows_and_shrinks),
	KUNIT_CASE(pool_coming_chunks_show_no_pages),
	KUNIT_CASE(pool_node_requests_on_any_machine),
	KUNIT_CASE(pool_nodes_keep_their_pages),
	KUNIT_CASE(pool_pages_are_near_who_takes_them),
	KUNIT_CASE(pool_nodes_grow_by_themselves),
	KUNIT_CASE(pool_shows_itself),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "pool",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit suite for the page pool");
MODULE_LICENSE("GPL");
