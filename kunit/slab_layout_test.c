// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slab layouts against an oracle that tries everything: every item size up to
 * two pages (and all that matter beyond), with and without counters.
 */
#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "uma/compat.h"
#include "uma/slab_layout.h"

#define SMALLEST_ITEM	8
#define LEFTOVER_GOOD	64

/* A sanitised kernel in an emulator looks at each size with fewer alignments. */
static bool slow_kernel(void)
{
	return IS_ENABLED(CONFIG_KASAN);
}

/* The size of a header by its definition. */
static u32 header_bytes(u32 ipers, bool refcnt)
{
	u32 bytes = sizeof(struct uma_slab);

	bytes += (ipers + BITS_PER_LONG - 1) / BITS_PER_LONG * sizeof(long);
	if (refcnt)
		bytes += ipers * 4;
	return (bytes + sizeof(long) - 1) / sizeof(long) * sizeof(long);
}

/* The most items beside a header, found by adding one after the other. */
static u32 most_beside_header(u32 bytes, u32 rsize, bool refcnt)
{
	u32 n = 0;

	while ((n + 1) * rsize + header_bytes(n + 1, refcnt) <= bytes)
		n++;
	return n;
}

/* What the rule leaves unused with so many pages, and where the header is. */
static u32 leftover(u32 pages, u32 rsize, bool refcnt, bool *offpage)
{
	u32 bytes = pages * PAGE_SIZE;
	u32 n = most_beside_header(bytes, rsize, refcnt);
	u32 waste = bytes - n * rsize - header_bytes(n, refcnt);

	*offpage = !n || waste * UMA_WASTE_DIVISOR >= PAGE_SIZE;
	return *offpage ? bytes % rsize : waste;
}

static void check_sound(struct kunit *test, u32 size, u32 align, bool refcnt,
			const struct uma_slab_layout *l)
{
	u32 bytes = l->pages * PAGE_SIZE;
	u32 end = l->ipers * l->rsize;
	u32 ref_off;

	KUNIT_ASSERT_GE_MSG(test, l->rsize, size, "size %u", size);
	KUNIT_ASSERT_EQ_MSG(test, l->rsize & align, 0, "size %u align %u", size,
			    align);
	KUNIT_ASSERT_LE_MSG(test, l->rsize - max_t(u32, size, SMALLEST_ITEM),
			    align, "size %u: more padding than its alignment",
			    size);
	KUNIT_ASSERT_GE_MSG(test, l->ipers, 1, "size %u", size);
	KUNIT_ASSERT_EQ(test, l->hdr_size, header_bytes(l->ipers, refcnt));
	KUNIT_ASSERT_EQ(test, l->hdr_size,
			uma_slab_header_size(l->ipers, refcnt, &ref_off));
	KUNIT_ASSERT_EQ(test, l->ref_off, ref_off);
	if (l->offpage) {
		KUNIT_ASSERT_EQ(test, l->hdr_off, 0);
		KUNIT_ASSERT_LE_MSG(test, end, bytes, "size %u", size);
		KUNIT_ASSERT_EQ(test, l->waste, bytes - end);
	} else {
		KUNIT_ASSERT_EQ(test, l->hdr_off % sizeof(long), 0);
		KUNIT_ASSERT_EQ(test, l->hdr_off + l->hdr_size, bytes);
		KUNIT_ASSERT_LE_MSG(test, end, l->hdr_off,
				    "size %u: items reach into the header",
				    size);
		KUNIT_ASSERT_EQ(test, l->waste, l->hdr_off - end);
	}
}

static void uma_14_items_and_header_share_the_slab(struct kunit *test)
{
	u32 step = slow_kernel() ? 13 : 1;
	struct uma_slab_layout l;
	u32 size, align;
	int refcnt;

	for (refcnt = 0; refcnt < 2; refcnt++)
		for (align = 0; align < PAGE_SIZE; align = 2 * align + 1) {
			for (size = 1; size <= 2 * PAGE_SIZE; size += step) {
				KUNIT_ASSERT_EQ(test, 0,
						uma_slab_layout(size, align,
								refcnt, &l));
				check_sound(test, size, align, refcnt, &l);
			}
			cond_resched();
		}
}

static void uma_14_header_in_page_unless_a_tenth_is_wasted(struct kunit *test)
{
	u32 in_page = 0, off_page = 0, n, size, bytes;
	struct uma_slab_layout l;
	bool offpage;
	int refcnt;

	for (refcnt = 0; refcnt < 2; refcnt++)
		for (size = 1; size <= 2 * PAGE_SIZE; size++) {
			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size, 0, refcnt, &l));
			leftover(l.pages, l.rsize, refcnt, &offpage);
			KUNIT_ASSERT_EQ_MSG(test, l.offpage, offpage,
					    "size %u, %u pages", size, l.pages);
			bytes = l.pages * PAGE_SIZE;
			if (offpage) {
				n = bytes / l.rsize;
				off_page++;
			} else {
				n = most_beside_header(bytes, l.rsize, refcnt);
				in_page++;
			}
			KUNIT_ASSERT_EQ_MSG(test, l.ipers, n,
					    "size %u, %u pages", size, l.pages);
		}
	/* Both happen, for plain zones and for those with counters. */
	KUNIT_EXPECT_GT(test, in_page, 1000);
	KUNIT_EXPECT_GT(test, off_page, 1000);
}

/*
 * An item that fits so many times into one page, to the byte, gets one page and
 * that many items; one byte more, and it is one item less or another layout.
 */
static void uma_14_padding_is_not_overestimated(struct kunit *test)
{
	struct uma_slab_layout l;
	int refcnt;
	u32 n, size;

	for (refcnt = 0; refcnt < 2; refcnt++)
		for (n = 1; n <= PAGE_SIZE / SMALLEST_ITEM; n++) {
			if (header_bytes(n, refcnt) >= PAGE_SIZE)
				break;
			size = (PAGE_SIZE - header_bytes(n, refcnt)) / n;
			if (size < SMALLEST_ITEM)
				break;
			/* Where dividing leaves more, one page may lose. */
			if (PAGE_SIZE - header_bytes(n, refcnt) - n * size >
			    PAGE_SIZE / LEFTOVER_GOOD)
				continue;
			/* Many small items: perhaps even one more. */
			if (most_beside_header(PAGE_SIZE, size, refcnt) != n)
				continue;
			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size, 0, refcnt, &l));
			KUNIT_EXPECT_EQ_MSG(test, l.pages, 1, "size %u", size);
			KUNIT_EXPECT_FALSE_MSG(test, l.offpage, "size %u",
					       size);
			KUNIT_EXPECT_EQ_MSG(test, l.ipers, n, "size %u", size);

			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size + 1, 0, refcnt,
							&l));
			KUNIT_EXPECT_TRUE_MSG(test, l.offpage || l.pages > 1 ||
					      l.ipers < n, "size %u", size + 1);
		}
}

static void uma_14_fewest_pages_that_leave_little(struct kunit *test)
{
	u32 size, pages, waste, w, best, best_waste;
	struct uma_slab_layout l;
	int refcnt;
	bool off;

	for (refcnt = 0; refcnt < 2; refcnt++)
		for (size = 8; size <= 2 * PAGE_SIZE;
		     size += slow_kernel() ? 5 : 1) {
			best = 0;
			best_waste = 0;
			for (pages = DIV_ROUND_UP(size, PAGE_SIZE);
			     pages <= UMA_SLAB_PAGES_MANY; pages++) {
				w = leftover(pages, size, refcnt, &off);
				if (!best || w * best < best_waste * pages) {
					best = pages;
					best_waste = w;
				}
				if (w <= pages * PAGE_SIZE / LEFTOVER_GOOD)
					break;
			}
			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size, 0, refcnt, &l));
			waste = l.waste;
			KUNIT_ASSERT_EQ_MSG(test, l.pages, best, "size %u",
					    size);
			KUNIT_ASSERT_EQ_MSG(test, waste, best_waste, "size %u",
					    size);
		}
}

/* No size takes a page more than an item needs, and no header more than there is. */
static void layout_fewest_pages_if_asked(struct kunit *test)
{
	u32 size, bound, flags;
	struct uma_slab_layout l;
	int refcnt;

	for (refcnt = 0; refcnt < 2; refcnt++) {
		bound = uma_slab_offpage_items(refcnt);
		flags = UMA_LAYOUT_FEWEST | (refcnt ? UMA_LAYOUT_REFCNT : 0);
		for (size = 1; size <= 3 * PAGE_SIZE;
		     size += slow_kernel() ? 7 : 1) {
			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size, 7, flags, &l));
			KUNIT_ASSERT_EQ_MSG(test, l.pages,
					    DIV_ROUND_UP(l.rsize, PAGE_SIZE),
					    "size %u", size);
			check_sound(test, size, 7, refcnt, &l);
			if (l.offpage)
				KUNIT_ASSERT_LE_MSG(test, l.ipers, bound,
						    "size %u", size);
		}
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, uma_slab_layout(64, 7, UMA_LAYOUT_FEWEST |
					      UMA_LAYOUT_SPREAD, &l), -EINVAL);
}

/*
 * What SLUB leaves of a slab, in millionths: the lowest order with room enough
 * for a number of objects that grows with the CPUs, and a remainder of at most
 * a sixteenth, if need be an eighth, and so on, up to order 3.
 */
static u32 slub_leftover(u32 size, u32 cpus)
{
	u32 want = min_t(u32, 4 * (fls(cpus) + 1), (PAGE_SIZE << 3) / size);
	u32 part, order, bytes;

	for (part = 16; part > 1; part /= 2)
		for (order = get_order(want * size); order <= 3; order++) {
			bytes = PAGE_SIZE << order;
			if (bytes % size <= bytes / part)
				return bytes % size * 1000000ULL / bytes;
		}
	return 1000000;
}

static void uma_14_waste_stays_within_its_budget(struct kunit *test)
{
	u64 ours_sum = 0, slub_sum = 0;
	u32 size, ours, slub, cpus, worst = 0, n = 0;
	struct uma_slab_layout l;
	int refcnt;

	for (refcnt = 0; refcnt < 2; refcnt++)
		for (size = 8; size <= 4096; size += 8) {
			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size, 7, refcnt, &l));
			ours = l.waste * 1000000ULL / (l.pages * PAGE_SIZE);
			KUNIT_EXPECT_LT_MSG(test, ours, 100000, "size %u",
					    size);
			for (cpus = 1; cpus <= 256; cpus *= 2) {
				slub = slub_leftover(size, cpus);
				KUNIT_EXPECT_LE_MSG(test, ours,
						    max(slub, 1000000U / 64),
						    "size %u, %u CPUs", size,
						    cpus);
			}
			worst = max(worst, ours);
			ours_sum += ours;
			slub_sum += slub_leftover(size, 2);
			n++;
		}
	kunit_info(test, "waste in millionths: mean %llu (SLUB %llu), worst %u\n",
		   div_u64(ours_sum, n), div_u64(slub_sum, n), worst);
	KUNIT_EXPECT_LT(test, ours_sum, slub_sum);
}

static void uma_14_offpage_bound_is_derived(struct kunit *test)
{
	u32 size, bound, most;
	struct uma_slab_layout l;
	int refcnt;

	for (refcnt = 0; refcnt < 2; refcnt++) {
		bound = uma_slab_offpage_items(refcnt);
		most = 0;
		for (size = 1; size <= UMA_SLAB_PAGES_MANY * PAGE_SIZE;
		     size += slow_kernel() && size > 4096 ? 17 : 1) {
			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size, 0, refcnt, &l));
			if (!l.offpage)
				continue;
			most = max(most, l.ipers);
			KUNIT_ASSERT_LE_MSG(test, l.ipers, bound, "size %u",
					    size);
		}
		cond_resched();
		/* Not too large either: headers of the bound's size are needed. */
		KUNIT_EXPECT_GT(test, most, 0);
		KUNIT_EXPECT_EQ(test, header_bytes(bound, refcnt),
				header_bytes(most, refcnt));
		kunit_info(test, "refcnt %d: up to %u items, room for %u\n",
			   refcnt, most, bound);
	}
}

static void uma_14_forced_offpage_keeps_to_the_bound(struct kunit *test)
{
	u32 size, bound, flags;
	struct uma_slab_layout l;
	int refcnt;

	for (refcnt = 0; refcnt < 2; refcnt++) {
		bound = uma_slab_offpage_items(refcnt);
		flags = UMA_LAYOUT_OFFPAGE | (refcnt ? UMA_LAYOUT_REFCNT : 0);
		for (size = 1; size <= 2 * PAGE_SIZE;
		     size += slow_kernel() ? 61 : 7) {
			KUNIT_ASSERT_EQ(test, 0,
					uma_slab_layout(size, 7, flags, &l));
			KUNIT_ASSERT_TRUE(test, l.offpage);
			KUNIT_ASSERT_LE_MSG(test, l.ipers, bound, "size %u",
					    size);
			check_sound(test, size, 7, refcnt, &l);
		}
	}
}

static void uma_14_large_items_have_a_slab_to_themselves(struct kunit *test)
{
	struct uma_slab_layout l;
	size_t size, last;
	int refcnt, delta;
	u32 pages;

	for (refcnt = 0; refcnt < 2; refcnt++)
		for (pages = UMA_SLAB_PAGES_MANY; pages <= UMA_SLAB_PAGES_MAX;
		     pages++)
			for (delta = -100; delta <= 0; delta += 25) {
				size = pages * PAGE_SIZE + delta;
				KUNIT_ASSERT_EQ(test, 0,
						uma_slab_layout(size, 0, refcnt,
								&l));
				KUNIT_ASSERT_EQ(test, l.pages, pages);
				KUNIT_ASSERT_EQ(test, l.ipers, 1);
				check_sound(test, size, 0, refcnt, &l);
			}

	last = UMA_SLAB_PAGES_MAX * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, uma_slab_layout(last, PAGE_SIZE - 1, 0, &l), 0);
	KUNIT_EXPECT_EQ(test, uma_slab_layout(last + 1, 0, 0, &l), -E2BIG);
	KUNIT_EXPECT_EQ(test, uma_slab_layout(SIZE_MAX, 0, 0, &l), -E2BIG);
	/* As 32 bits this would be one page. */
	if (sizeof(size_t) > sizeof(u32)) {
		size = (size_t)((1ULL << 32) + PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, uma_slab_layout(size, 0, 0, &l), -E2BIG);
	}
}

static void uma_14_bad_arguments_are_refused(struct kunit *test)
{
	static const u32 bad[] = { 2, 4, 5, 6, 8, 9, 14, 16, 4094, 4096, 8191,
				   U32_MAX, U32_MAX - 1, 0x80000000 };
	struct uma_slab_layout l;
	int i;

	KUNIT_EXPECT_EQ(test, uma_slab_layout(0, 0, 0, &l), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_slab_layout(0, 7, UMA_LAYOUT_OFFPAGE, &l),
			-EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, uma_slab_layout(64, bad[i], 0, &l),
				    -EINVAL, "alignment %#x", bad[i]);
	KUNIT_EXPECT_EQ(test, uma_slab_layout(64, 7, 0x10, &l), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_slab_layout(64, 7, 0x80000000, &l), -EINVAL);
}

static void uma_02_counters_follow_the_bitmap(struct kunit *test)
{
	u32 n, size, ref_off, bitmap_end;

	for (n = 1; n < 2000; n++) {
		bitmap_end = offsetof(struct uma_slab, us_free) +
			     BITS_TO_LONGS(n) * sizeof(long);
		size = uma_slab_header_size(n, true, &ref_off);
		KUNIT_EXPECT_GE(test, ref_off, bitmap_end);
		KUNIT_EXPECT_EQ(test, ref_off % sizeof(u32), 0);
		KUNIT_EXPECT_GE(test, size, ref_off + n * sizeof(u32));
		KUNIT_EXPECT_EQ(test, size % sizeof(long), 0);

		size = uma_slab_header_size(n, false, &ref_off);
		KUNIT_EXPECT_EQ(test, ref_off, 0);
		KUNIT_EXPECT_GE(test, size, bitmap_end);
	}
}

/* Offsets in a page that items start at, as often as they do. */
static u16 starts[PAGE_SIZE / SMALLEST_ITEM];

/* Count where the items of one slab start; the most at one place. */
static u32 count_starts(const struct uma_slab_layout *l)
{
	u32 i, most = 0;

	memset(starts, 0, sizeof(starts));
	for (i = 0; i < l->ipers; i++) {
		u32 at = i * l->rsize % PAGE_SIZE / SMALLEST_ITEM;

		most = max_t(u32, most, ++starts[at]);
	}
	return most;
}

static void check_spread(struct kunit *test, u32 size, u32 align, u32 flags)
{
	u32 most = uma_slab_offpage_items(flags & UMA_LAYOUT_REFCNT);
	u32 step = align + 1, offsets = PAGE_SIZE / step;
	struct uma_slab_layout l;

	KUNIT_ASSERT_EQ(test, uma_slab_layout(size, align, flags, &l), 0);
	KUNIT_ASSERT_GT(test, l.ipers, 0);
	KUNIT_ASSERT_LE(test, l.ipers * l.rsize,
			l.offpage ? l.pages * PAGE_SIZE : l.hdr_off);
	KUNIT_ASSERT_GE(test, l.rsize, size);
	KUNIT_ASSERT_LT(test, l.rsize, size + 2 * step);
	/* An odd number of steps. */
	KUNIT_ASSERT_EQ(test, l.rsize % (2 * step), step);
	if (l.offpage)
		KUNIT_ASSERT_LE(test, l.ipers, most);
	KUNIT_ASSERT_LE_MSG(test, count_starts(&l),
			    DIV_ROUND_UP(l.ipers, offsets),
			    "size %u align %#x: %u items of %u bytes in %u pages",
			    size, align, l.ipers, l.rsize, l.pages);
	/* As many as it takes to have all, but for the last page, or as may be. */
	if (l.offpage && l.pages < UMA_SLAB_PAGES_SPREAD)
		KUNIT_ASSERT_GT_MSG(test, l.ipers + PAGE_SIZE / l.rsize + 2,
				    min(offsets, most), "size %u align %#x",
				    size, align);
}

/*
 * No two items of a slab start at the same offset before every aligned one has
 * been had.
 */
static void layout_spread_starts_at_all_offsets(struct kunit *test)
{
	static const u32 flags[] = {
		UMA_LAYOUT_SPREAD, UMA_LAYOUT_SPREAD | UMA_LAYOUT_REFCNT,
		UMA_LAYOUT_SPREAD | UMA_LAYOUT_OFFPAGE,
	};
	u32 size, align, i, steps = slow_kernel() ? 509 : 41;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		for (align = 7; align <= 1023; align = align * 4 + 3)
			for (size = 1; size <= 3 * PAGE_SIZE; size += steps) {
				check_spread(test, size, align, flags[i]);
				cond_resched();
			}
}

static void layout_spread_wastes_little(struct kunit *test)
{
	u32 size, steps = slow_kernel() ? 101 : 7;
	struct uma_slab_layout l;

	for (size = 8; size <= PAGE_SIZE; size += steps) {
		KUNIT_ASSERT_EQ(test, uma_slab_layout(size, 7, UMA_LAYOUT_SPREAD,
						      &l), 0);
		KUNIT_ASSERT_LE_MSG(test, l.waste * 8, l.pages * PAGE_SIZE,
				    "size %u: %u items of %u bytes in %u pages",
				    size, l.ipers, l.rsize, l.pages);
		cond_resched();
	}
}

static void layout_spread_keeps_to_the_largest_slab(struct kunit *test)
{
	const size_t largest = UMA_SLAB_PAGES_MAX * PAGE_SIZE;
	struct uma_slab_layout l = {};

	KUNIT_EXPECT_EQ(test, uma_slab_layout(largest - 8, 7,
					      UMA_LAYOUT_SPREAD, &l), 0);
	KUNIT_EXPECT_EQ(test, l.pages, UMA_SLAB_PAGES_MAX);
	/* It would have to be an odd number of words. */
	KUNIT_EXPECT_EQ(test, uma_slab_layout(largest, 7, UMA_LAYOUT_SPREAD,
					      &l), -E2BIG);
	KUNIT_EXPECT_EQ(test, uma_slab_layout(largest + 1, 7, UMA_LAYOUT_SPREAD,
					      &l), -E2BIG);
	KUNIT_EXPECT_EQ(test, l.pages, UMA_SLAB_PAGES_MAX);
}

static void check_percpu(struct kunit *test, u32 size, u32 align, u32 copies,
			 u32 most)
{
	struct uma_slab_layout l;

	KUNIT_ASSERT_EQ(test, uma_slab_layout_percpu(size, align, 0, copies,
						     &l), 0);
	KUNIT_ASSERT_EQ(test, l.pages, copies);
	KUNIT_ASSERT_TRUE(test, l.offpage);
	KUNIT_ASSERT_GE(test, l.rsize, size);
	KUNIT_ASSERT_EQ(test, l.rsize & align, 0);
	KUNIT_ASSERT_EQ(test, l.ipers, min_t(u32, PAGE_SIZE / l.rsize, most));
}

/* Each page is cut alike and holds a copy of each item, whole. */
static void layout_percpu_has_as_many_pages_as_cpus(struct kunit *test)
{
	static const u32 copies[] = { 1, 2, 7, UMA_SLAB_PAGES_MAX };
	u32 size, align, i, steps = slow_kernel() ? 1001 : 61;
	u32 most = uma_slab_offpage_items(false);

	for (i = 0; i < ARRAY_SIZE(copies); i++)
		for (align = 7; align <= 1023; align = align * 4 + 3)
			for (size = 1; size <= PAGE_SIZE; size += steps) {
				check_percpu(test, size, align, copies[i],
					     most);
				cond_resched();
			}
}

static void layout_percpu_bad_arguments_are_refused(struct kunit *test)
{
	static const struct {
		u32 size, align, flags, copies;
		int error;
	} bad[] = {
		{ 0, 7, 0, 2, -EINVAL },
		{ 64, 6, 0, 2, -EINVAL },
		{ 64, 7, 0, 0, -EINVAL },
		{ 64, 7, UMA_LAYOUT_SPREAD, 2, -EINVAL },
		{ PAGE_SIZE, 7, 0, 2, 0 },
		{ PAGE_SIZE + 1, 7, 0, 2, -E2BIG },
		{ 64, 7, 0, UMA_SLAB_PAGES_MAX + 1, -E2BIG },
	};
	struct uma_slab_layout l;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, uma_slab_layout_percpu(bad[i].size,
								 bad[i].align,
								 bad[i].flags,
								 bad[i].copies,
								 &l),
				    bad[i].error, "row %u", i);
}

static struct kunit_case slab_layout_cases[] = {
	KUNIT_CASE(uma_14_items_and_header_share_the_slab),
	KUNIT_CASE(uma_14_header_in_page_unless_a_tenth_is_wasted),
	KUNIT_CASE(uma_14_padding_is_not_overestimated),
	KUNIT_CASE(uma_14_fewest_pages_that_leave_little),
	KUNIT_CASE(layout_fewest_pages_if_asked),
	KUNIT_CASE(uma_14_waste_stays_within_its_budget),
	KUNIT_CASE(uma_14_offpage_bound_is_derived),
	KUNIT_CASE(uma_14_forced_offpage_keeps_to_the_bound),
	KUNIT_CASE(uma_14_large_items_have_a_slab_to_themselves),
	KUNIT_CASE(uma_14_bad_arguments_are_refused),
	KUNIT_CASE(uma_02_counters_follow_the_bitmap),
	KUNIT_CASE(layout_spread_starts_at_all_offsets),
	KUNIT_CASE(layout_spread_wastes_little),
	KUNIT_CASE(layout_spread_keeps_to_the_largest_slab),
	KUNIT_CASE(layout_percpu_has_as_many_pages_as_cpus),
	KUNIT_CASE(layout_percpu_bad_arguments_are_refused),
	{}
};

static struct kunit_suite slab_layout_suite = {
	.name = "slab_layout",
	.test_cases = slab_layout_cases,
};

kunit_test_suite(slab_layout_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit suite for slab layouts");
MODULE_LICENSE("GPL");
