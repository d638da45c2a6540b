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
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "uma/uma.h"

#include "fail_nth.h"

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
	unsigned long i, n = 0, run = 0, longest = 0, last_pfn = 0;
	struct vm_page *m;

	for (i = 0; (m = uma_pool_page(p, i)); i++) {
		struct page *page = pfn_to_page(m->phys_pfn);

		if (i)
			KUNIT_EXPECT_GT(test, m->phys_pfn, last_pfn);
		run = !i || m->phys_pfn == last_pfn + 1 ? run : 0;
		last_pfn = m->phys_pfn;
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
	KUNIT_EXPECT_EQ(test, st.pages, n);
	KUNIT_EXPECT_EQ(test, st.free, n);
	KUNIT_EXPECT_EQ(test, st.largest_run, longest);
	KUNIT_EXPECT_EQ(test, st.blacklisted, i - n);
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

static void pool_runs_come_from_the_top_singles_from_below(struct kunit *test)
{
	unsigned long longest = stats_of(pool).largest_run;
	struct vm_page *single, *run, *other;
	unsigned long i;

	KUNIT_ASSERT_GE(test, longest, 8);
	single = uma_pool_alloc(pool, 1, 0);
	KUNIT_EXPECT_PTR_EQ(test, single, uma_pool_page(pool, 0));
	run = uma_pool_alloc(pool, 4, 0);
	KUNIT_ASSERT_NOT_NULL(test, run);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, run[i].phys_pfn, run->phys_pfn + i);
	other = uma_pool_alloc(pool, 4, 0);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_LT(test, other->phys_pfn, run->phys_pfn);

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
	struct rnd_state rnd;
};

static bool run_exists(const struct oracle *o, unsigned int npages)
{
	unsigned long i, n = 0;

	for (i = 0; i < PAGES; i++) {
		bool free = !test_bit(i, o->held);

		if (n && uma_pool_page(pool, i)->phys_pfn !=
			 uma_pool_page(pool, i - 1)->phys_pfn + 1)
			n = 0;
		n = free ? n + 1 : 0;
		if (n >= npages)
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
	if (part < o->run[first])
		o->run[first + part] = o->run[first] - part;
	o->run[first] = 0;
}

static void pool_agrees_with_an_oracle(struct kunit *test)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	unsigned long reserve = stats_of(pool).reserve, free, i;
	unsigned int npages, step, flags, refused = 0;
	struct vm_page *m;

	KUNIT_ASSERT_NOT_NULL(test, o);
	prandom_seed_state(&o->rnd, 2);
	for (step = 0; step < 40000; step++) {
		free = PAGES - bitmap_weight(o->held, PAGES);
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
				KUNIT_ASSERT_GE(test, free, npages +
						(flags ? 0 : reserve));
				oracle_took(test, o, m, npages);
				break;
			}
			refused++;
			if (free < npages + (flags ? 0 : reserve))
				break;
			KUNIT_ASSERT_FALSE_MSG(test, run_exists(o, npages),
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
}

static int pool_test_init(struct kunit *test)
{
	pool = uma_pool_create(PAGES, NULL);
	return PTR_ERR_OR_ZERO(pool);
}

/* Whatever a test did, in the end the pool is whole. */
static void pool_test_exit(struct kunit *test)
{
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
