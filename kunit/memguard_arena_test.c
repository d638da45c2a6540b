// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arena: what comes where, in what order it comes again, when not yet, and
 * what happens when there is no more.
 */
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include "memguard_test.h"

#define ITEM	100

static MALLOC_DEFINE(m_arena, "mg type", "of the suites about MemGuard");

static void end_zone(struct kunit *test, uma_zone_t zone)
{
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct memguard_arena_stats arena_stats(void)
{
	struct memguard_arena_stats st;

	memguard_arena_get_stats(&st);
	return st;
}

static void **room_for_all(struct kunit *test)
{
	return uma_test_items(test, arena_stats().slots);
}

/* All guarded items that there is room for. Returns how many. */
static unsigned int fill(struct kunit *test, uma_zone_t zone, void **items)
{
	unsigned int n;
	void *item;

	for (n = 0; ; n++) {
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, item);
		if (!uma_guard_covers(item))
			break;
		items[n] = item;
	}
	uma_zfree(zone, item);
	KUNIT_ASSERT_GT(test, n, 10);
	return n;
}

static void shuffle(void **items, unsigned int n, u64 seed)
{
	struct rnd_state rnd;
	unsigned int i, j;

	prandom_seed_state(&rnd, seed);
	for (i = n - 1; i > 0; i--) {
		j = prandom_u32_state(&rnd) % (i + 1);
		swap(items[i], items[j]);
	}
}

static bool can_read(const void *addr)
{
	u8 byte;

	return !copy_from_kernel_nofault(&byte, addr, 1);
}

static void mg_02_size_is_the_pools_by_the_divisor(struct kunit *test)
{
	struct uma_pool_stats pool;
	unsigned long divisor;
	char value[20];

	mg_get_parameter(test, MG_PARAMETER("divisor"), value, sizeof(value));
	KUNIT_ASSERT_EQ(test, kstrtoul(value, 10, &divisor), 0);
	uma_pool_get_stats(uma_pool, &pool);
	KUNIT_EXPECT_EQ(test, arena_stats().slots, pool.pages / divisor);
	KUNIT_EXPECT_EQ(test, uma_guard_bytes,
			arena_stats().slots << PAGE_SHIFT);
}

/* Each item has pages of its own, and a closed one on both sides. */
static void mg_02_items_stand_apart(struct kunit *test)
{
	static const size_t sizes[] = {
		ITEM, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE
	};
	void *items[ARRAY_SIZE(sizes) * 8];
	int i;

	mg_guard(test, "mg type");
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = bsd_malloc(sizes[i % ARRAY_SIZE(sizes)], m_arena,
				      M_WAITOK);
		KUNIT_ASSERT_TRUE(test, uma_guard_covers(items[i]));
	}
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		size_t size = sizes[i % ARRAY_SIZE(sizes)];
		void *end = PTR_ALIGN(items[i] + size, PAGE_SIZE);

		KUNIT_EXPECT_FALSE(test,
				   can_read(PTR_ALIGN_DOWN(items[i],
							   PAGE_SIZE) - 1));
		KUNIT_EXPECT_FALSE(test, can_read(end));
		KUNIT_EXPECT_TRUE(test, can_read(end - 1));
		memset(items[i], i, size);
	}
	/* What the kernel forgives is not reported. */
	mg_expect_none(test);
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		KUNIT_EXPECT_NULL(test,
				  memchr_inv(items[i], i,
					     sizes[i % ARRAY_SIZE(sizes)]));
		bsd_free(items[i], m_arena);
	}
	mg_expect_none(test);
}

static void mg_05_reuse_is_oldest_first(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test), *item;
	unsigned int i, n, round;
	u64 reused;

	mg_guard(test, "mg zone");
	n = fill(test, zone, items);
	for (round = 0; round < 3; round++) {
		shuffle(items, n, round);
		reused = arena_stats().reused;
		for (i = 0; i < n; i++)
			uma_zfree(zone, items[i]);
		for (i = 0; i < n; i++) {
			item = uma_zalloc(zone, M_WAITOK);
			KUNIT_ASSERT_PTR_EQ(test, item, items[i]);
		}
		KUNIT_EXPECT_EQ(test, arena_stats().reused, reused + n);
	}
	uma_test_put(zone, items, n);
	mg_expect_none(test);
	end_zone(test, zone);
}

static void mg_05_reuse_is_as_late_as_can_be(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test), *item;
	unsigned int i, n, round;
	u64 reused;

	mg_guard(test, "mg zone");
	n = fill(test, zone, items);
	uma_test_put(zone, items, n);
	memguard_arena_trim();

	/* One at a time, and yet all of the arena before the first again. */
	reused = arena_stats().reused;
	for (i = 0; i < n; i++) {
		items[i] = uma_zalloc(zone, M_WAITOK);
		KUNIT_ASSERT_TRUE(test, uma_guard_covers(items[i]));
		uma_zfree(zone, items[i]);
	}
	KUNIT_EXPECT_EQ(test, arena_stats().reused, reused);
	KUNIT_EXPECT_EQ(test, arena_stats().ranges_queued, n);
	for (round = 0; round < 2; round++)
		for (i = 0; i < n; i++) {
			item = uma_zalloc(zone, M_WAITOK);
			KUNIT_ASSERT_PTR_EQ(test, item, items[i]);
			uma_zfree(zone, item);
		}
	/* Nothing was used twice. */
	KUNIT_EXPECT_EQ(test, arena_stats().reused, reused + 2 * n);
	end_zone(test, zone);
}

/* What the page layer reads of the page below an item. */
struct seen {
	struct vm_page *m;
	struct vm_page record;
};

static struct seen look(struct kunit *test, const void *addr)
{
	struct seen s = { .m = uma_kva_lookup(addr) };

	KUNIT_ASSERT_NOT_NULL(test, s.m);
	s.record = *s.m;
	return s;
}

static void expect_same(struct kunit *test, const struct seen *was,
			const void *addr)
{
	struct seen is = look(test, addr);

	KUNIT_EXPECT_PTR_EQ(test, is.m, was->m);
	KUNIT_EXPECT_PTR_EQ(test, is.record.object, was->record.object);
	KUNIT_EXPECT_PTR_EQ(test, is.record.slab, was->record.slab);
	KUNIT_EXPECT_EQ(test, is.record.pindex, was->record.pindex);
	KUNIT_EXPECT_EQ(test, is.record.flags, was->record.flags);
	KUNIT_EXPECT_EQ(test, is.record.wire_count, was->record.wire_count);
	KUNIT_EXPECT_EQ(test, is.record.hold_count, was->record.hold_count);
	KUNIT_EXPECT_EQ(test, is.record.phys_pfn, was->record.phys_pfn);
}

static void mg_05_page_records_are_left_alone(struct kunit *test)
{
	static const size_t sizes[] = { ITEM, 2 * PAGE_SIZE, 3 * PAGE_SIZE };
	void *items[ARRAY_SIZE(sizes) * 6];
	struct seen *seen;
	unsigned int i;

	seen = kunit_kcalloc(test, ARRAY_SIZE(items), sizeof(*seen),
			     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	mg_guard(test, "mg type");
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = bsd_malloc(sizes[i % ARRAY_SIZE(sizes)], m_arena,
				      M_WAITOK);
		KUNIT_ASSERT_TRUE(test, uma_guard_covers(items[i]));
		seen[i] = look(test, items[i]);
		KUNIT_EXPECT_NULL(test, seen[i].record.object);
		KUNIT_EXPECT_NULL(test, seen[i].record.slab);
		KUNIT_EXPECT_FALSE(test, seen[i].record.flags & PG_FREE);
	}
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		bsd_free(items[i], m_arena);
		expect_same(test, &seen[i], items[i]);
	}
	/* In the queue, at its ends and between. */
	for (i = 0; i < ARRAY_SIZE(items); i++)
		expect_same(test, &seen[i], items[i]);
	KUNIT_EXPECT_EQ(test, arena_stats().ranges_queued, ARRAY_SIZE(items));
}

/* Sizes of all kinds through a full arena; what is out is not disturbed. */
#define OUT	200

static void mg_05_sizes_that_change(struct kunit *test)
{
	static const size_t sizes[] = {
		50, PAGE_SIZE + 50, 2 * PAGE_SIZE + 1, 5 * PAGE_SIZE, 1
	};
	size_t *had = kunit_kcalloc(test, OUT, sizeof(*had), GFP_KERNEL);
	u8 **blocks = (u8 **)uma_test_items(test, OUT);
	unsigned int i, round, guarded = 0;
	struct rnd_state rnd;

	KUNIT_ASSERT_NOT_NULL(test, had);
	prandom_seed_state(&rnd, 5);
	mg_guard(test, "mg type");
	for (round = 0; round < 6000; round++) {
		i = prandom_u32_state(&rnd) % OUT;
		if (blocks[i]) {
			if (memchr_inv(blocks[i], (u8)i, had[i]))
				KUNIT_FAIL(test, "block %u was spoilt", i);
			bsd_free(blocks[i], m_arena);
		}
		had[i] = sizes[prandom_u32_state(&rnd) % ARRAY_SIZE(sizes)];
		blocks[i] = bsd_malloc(had[i], m_arena, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, blocks[i]);
		guarded += uma_guard_covers(blocks[i]);
		memset(blocks[i], i, had[i]);
	}
	for (i = 0; i < OUT; i++)
		bsd_free(blocks[i], m_arena);
	kunit_info(test, "%u of %u guarded\n", guarded, round);
	/* There was room for all: 200 of 4 pages in the middle. */
	KUNIT_EXPECT_GT(test, guarded, round * 9 / 10);
	mg_expect_none(test);
}

/* MG-06 */

static struct {
	bool hold;
	atomic_t arrived;
	struct completion go;
} gate;

static void hold_the_flush(enum uma_steer_point point, void *obj)
{
	if (point != UMA_STEER_GUARD_FLUSH || !READ_ONCE(gate.hold))
		return;
	atomic_inc(&gate.arrived);
	wait_for_completion(&gate.go);
}

static void hold_flushes(void)
{
	init_completion(&gate.go);
	atomic_set(&gate.arrived, 0);
	WRITE_ONCE(gate.hold, true);
	uma_test_steer(hold_the_flush);
}

static void release_flushes(void)
{
	WRITE_ONCE(gate.hold, false);
	complete_all(&gate.go);
}

static void free_in_atomic(uma_zone_t zone, void *item)
{
	preempt_disable();
	uma_zfree(zone, item);
	preempt_enable();
}

static void *alloc_in_atomic(uma_zone_t zone)
{
	void *item;

	preempt_disable();
	item = uma_zalloc(zone, M_NOWAIT);
	preempt_enable();
	return item;
}

/* An allocation that cannot wait gets nothing that somebody may remember. */
static void mg_06_no_reuse_before_all_have_forgotten(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test), *item;
	struct memguard_range *r;
	unsigned int i, n;
	u64 late, failed;

	mg_guard(test, "mg zone");
	n = fill(test, zone, items);
	for (i = 0; i < 3; i++) {
		late = arena_stats().flushes_late;
		failed = arena_stats().no_space;
		hold_flushes();
		free_in_atomic(zone, items[i]);
		KUNIT_EXPECT_TRUE(test, mg_wait(atomic_read(&gate.arrived)));
		r = memguard_arena_item(items[i]);
		KUNIT_ASSERT_NOT_NULL(test, r);
		KUNIT_EXPECT_EQ(test, atomic_read(&r->state), MEMGUARD_FREED);

		item = alloc_in_atomic(zone);
		KUNIT_EXPECT_NOT_NULL(test, item);
		KUNIT_EXPECT_FALSE(test, uma_guard_covers(item));
		KUNIT_EXPECT_EQ(test, arena_stats().no_space, failed + 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&r->state), MEMGUARD_FREED);
		uma_zfree(zone, item);

		release_flushes();
		KUNIT_EXPECT_TRUE(test,
				  mg_wait(arena_stats().flushes_late > late));
		item = alloc_in_atomic(zone);
		KUNIT_EXPECT_PTR_EQ(test, item, items[i]);
		KUNIT_EXPECT_EQ(test, atomic_read(&r->state), MEMGUARD_LIVE);
		uma_test_steer(NULL);
	}
	uma_test_put(zone, items, n);
	mg_expect_none(test);
	end_zone(test, zone);
}

/* One that can be preempted sees to it itself. */
static void mg_06_who_can_makes_them_forget(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test), *item;
	unsigned int n;
	u64 flushes;

	mg_guard(test, "mg zone");
	n = fill(test, zone, items);
	hold_flushes();
	free_in_atomic(zone, items[0]);
	KUNIT_EXPECT_TRUE(test, mg_wait(atomic_read(&gate.arrived)));
	flushes = arena_stats().flushes;
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_PTR_EQ(test, item, items[0]);
	KUNIT_EXPECT_GT(test, arena_stats().flushes, flushes);
	/* The next free does, too. */
	free_in_atomic(zone, items[0]);
	uma_zfree(zone, items[1]);
	item = alloc_in_atomic(zone);
	KUNIT_EXPECT_PTR_EQ(test, item, items[0]);
	item = alloc_in_atomic(zone);
	KUNIT_EXPECT_PTR_EQ(test, item, items[1]);
	release_flushes();
	uma_test_steer(NULL);
	uma_test_put(zone, items, n);
	mg_expect_none(test);
	end_zone(test, zone);
}

/* The own processor forgets at once, wherever it was that freed. */
static void mg_06_here_it_is_caught_at_once(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void *item;

	mg_guard(test, "mg zone");
	hold_flushes();
	item = uma_zalloc(zone, M_WAITOK);
	memset(item, 1, ITEM);
	mg_announce();
	preempt_disable();
	uma_zfree(zone, item);
	mg_write(item);
	preempt_enable();
	mg_announced();
	mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
	release_flushes();
	uma_test_steer(NULL);
	end_zone(test, zone);
}

static void read_there(void *item)
{
	mg_read(item);
}

static void write_there(void *item)
{
	WRITE_ONCE(*(u8 *)item, raw_smp_processor_id());
}

static void mg_06_new_owner_writes_on_every_cpu(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test), *item;
	u64 resolved = memguard_fault_resolved();
	unsigned int n, round;

	uma_test_other_cpu(test);
	mg_guard(test, "mg zone");
	n = fill(test, zone, items);
	for (round = 0; round < 500; round++) {
		on_each_cpu(write_there, items[0], 1);
		if (round % 2)
			uma_zfree(zone, items[0]);
		else
			free_in_atomic(zone, items[0]);
		/* All remember what may only be read. */
		on_each_cpu(read_there, items[0], 1);
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_ASSERT_PTR_EQ(test, item, items[0]);
	}
	kunit_info(test, "%llu faults were resolved\n",
		   memguard_fault_resolved() - resolved);
	mg_expect_none(test);
	uma_test_put(zone, items, n);
	end_zone(test, zone);
}

/* A page that was opened is closed when its range is freed or used again. */
static void mg_06_opened_pages_are_closed_again(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", 2 * PAGE_SIZE, 0);
	void **items = room_for_all(test), *item;
	unsigned int n, i;

	mg_guard(test, "mg zone");
	n = fill(test, zone, items);
	item = items[1];
	mg_announce();
	for (i = 0; i < 3; i++) {
		mg_write(item + 2 * PAGE_SIZE);
		mg_expect_count(test, MEMGUARD_OVERFLOW, 1);
		mg_write(item + 3 * PAGE_SIZE - 1);
		mg_write(item - 1);
		mg_expect_count(test, MEMGUARD_UNDERFLOW, 1);
		mg_write(item - PAGE_SIZE);
		uma_zfree(zone, item);
		mg_expect_none(test);
		mg_write(item);
		mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
		mg_write(item);
		mg_expect_none(test);
		mg_write(item + PAGE_SIZE);
		mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
		KUNIT_ASSERT_PTR_EQ(test, uma_zalloc(zone, M_WAITOK), item);
		memset(item, 0, 2 * PAGE_SIZE);
		mg_expect_none(test);
	}
	mg_announced();
	uma_test_put(zone, items, n);
	mg_expect_none(test);
	end_zone(test, zone);
}

/*
 * How many items of two slots each there is room for. Where the first one begins
 * decides whether a slot is left over at both ends or at none, and the next begins
 * behind the last. So it is tried three times, with three slots in between and with
 * two: one of the two changes odd and even.
 */
static unsigned int room(struct kunit *test, uma_zone_t zone, void **items)
{
	unsigned int try, n, most = 0;

	for (try = 0; try < 3; try++) {
		n = fill(test, zone, items);
		uma_test_put(zone, items, n);
		most = max(most, n);
		memguard_arena_trim();
		if (try)
			uma_zfree(zone, uma_zalloc(zone, M_WAITOK));
		else
			bsd_free(bsd_malloc(2 * PAGE_SIZE, m_arena, M_WAITOK),
				 m_arena);
		memguard_arena_trim();
	}
	return most;
}

/* So is one that nobody had when it was opened, and its page is not lost. */
static void mg_06_opened_pages_of_nobody(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test), *block;
	struct mg_test *mg = test->priv;
	unsigned int most, n, i;
	u64 reports = 0;
	int kind;

	mg_guard(test, "mg*");
	most = room(test, zone, items);
	n = fill(test, zone, items);
	uma_test_put(zone, items, n);
	/* The oldest are taken apart for it, more than it needs. */
	block = bsd_malloc(2 * PAGE_SIZE, m_arena, M_WAITOK);
	KUNIT_ASSERT_TRUE(test, uma_guard_covers(block));
	mg_announce();
	for (i = 0; i < n; i++) {
		if (memguard_arena_item(items[i]) ||
		    (items[i] >= block && items[i] < block + 2 * PAGE_SIZE))
			continue;
		mg_write(items[i]);
	}
	mg_announced();
	for (kind = 0; kind < MEMGUARD_KINDS; kind++)
		reports += memguard_report_count(kind) - mg->seen[kind];
	KUNIT_EXPECT_GT(test, reports, 0);
	mg_note_counts(mg);
	bsd_free(block, m_arena);
	memguard_arena_trim();
	KUNIT_EXPECT_EQ(test, arena_stats().pages, 0);
	/* Nor are the slots. */
	KUNIT_EXPECT_EQ(test, room(test, zone, items), most);
	mg_expect_none(test);
	end_zone(test, zone);
}

/* Exhaustion. */

static u64 rule_failed(struct kunit *test)
{
	struct memguard_rule_stats st = {};

	KUNIT_EXPECT_TRUE(test, memguard_rule_stats(1, &st));
	return st.failed;
}

static void mg_02_arena_is_exhausted(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test), *more[60];
	u64 no_space, no_pages = arena_stats().no_pages, failed;
	unsigned int i, n;

	mg_guard(test, "mg zone");
	n = fill(test, zone, items);
	KUNIT_EXPECT_GE(test, n, arena_stats().slots / 2 - 2);
	no_space = arena_stats().no_space;
	failed = rule_failed(test);
	for (i = 0; i < 30; i++) {
		more[i] = uma_zalloc(zone, i % 2 ? M_WAITOK : M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, more[i]);
		KUNIT_EXPECT_FALSE(test, uma_guard_covers(more[i]));
		memset(more[i], i, ITEM);
	}
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, more + 30, 30, M_WAITOK),
			30);
	KUNIT_EXPECT_EQ(test, arena_stats().no_space, no_space + 60);
	KUNIT_EXPECT_EQ(test, arena_stats().no_pages, no_pages);
	KUNIT_EXPECT_EQ(test, rule_failed(test), failed + 60);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), n + 60);
	KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), n);
	for (i = 0; i < 30; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(more[i], i, ITEM));
	/* Both kinds go back the way they came. */
	uma_zfree_bulk(zone, more, 60);
	uma_test_put(zone, items, n);
	KUNIT_EXPECT_TRUE(test, mg_count_guarded(zone, 1));
	mg_expect_none(test);
	end_zone(test, zone);
}

static void mg_02_larger_than_the_arena(struct kunit *test)
{
	u64 no_space = arena_stats().no_space;
	size_t size = uma_guard_bytes;
	void *block;

	mg_guard(test, "mg type");
	block = bsd_malloc(size, m_arena, M_NOWAIT);
	KUNIT_EXPECT_FALSE(test, uma_guard_covers(block));
	bsd_free(block, m_arena);
	KUNIT_EXPECT_EQ(test, arena_stats().no_space, no_space + 1);
	/* Nor one whose pages, rounded up, are few again. */
	KUNIT_EXPECT_NULL(test, bsd_malloc(SIZE_MAX, m_arena, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, arena_stats().no_space, no_space + 2);
	/* A large part of it is had, again and again. */
	size = uma_guard_bytes / 3;
	for (no_space = 0; no_space < 6; no_space++) {
		block = bsd_malloc(size, m_arena, M_WAITOK);
		KUNIT_EXPECT_TRUE(test, uma_guard_covers(block));
		memset(block, 1, size);
		bsd_free(block, m_arena);
	}
	mg_expect_none(test);
}

/* Take all free pages, or all but some. */
static void hoard(struct list_head *list, unsigned long but)
{
	struct uma_pool_stats st;
	struct vm_page *m;

	for (;;) {
		uma_pool_get_stats(uma_pool, &st);
		if (st.free <= but)
			break;
		m = uma_pool_alloc(uma_pool, 1, M_NOWAIT);
		if (!m)
			break;
		list_add(&m->pageq, list);
	}
}

static void give_up_some(struct list_head *list, unsigned long n)
{
	struct vm_page *m, *next;

	list_for_each_entry_safe(m, next, list, pageq) {
		if (!n--)
			break;
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
}

static void give_up(struct list_head *list)
{
	give_up_some(list, ULONG_MAX);
}

static void mg_02_pool_is_exhausted(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	unsigned int i, guarded = 0;
	u64 no_pages, failed;
	void *plain, *items[8];
	LIST_HEAD(pages);

	/* A slab that stays, with room for all. */
	plain = uma_zalloc(zone, M_WAITOK);
	mg_guard(test, "mg zone");
	/* What others have cached does not come back later. */
	hoard(&pages, 0);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	hoard(&pages, 0);
	/* Two freed ranges have their pages, or the pool has got them back. */
	give_up_some(&pages, 2);
	uma_test_get(test, zone, items, 2);
	uma_test_put(zone, items, 2);
	hoard(&pages, 0);
	no_pages = arena_stats().no_pages;
	failed = rule_failed(test);
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, items[i]);
		guarded += uma_guard_covers(items[i]);
	}
	KUNIT_EXPECT_LE(test, guarded, 2);
	KUNIT_EXPECT_EQ(test, arena_stats().no_pages,
			no_pages + ARRAY_SIZE(items) - guarded);
	KUNIT_EXPECT_EQ(test, rule_failed(test),
			failed + ARRAY_SIZE(items) - guarded);
	give_up(&pages);
	KUNIT_EXPECT_TRUE(test, mg_count_guarded(zone, 1));
	uma_test_put(zone, items, ARRAY_SIZE(items));
	uma_zfree(zone, plain);
	mg_expect_none(test);
	end_zone(test, zone);
}

/* A large item finds only some of its pages: none of them is lost. */
static void mg_02_pool_has_too_few(struct kunit *test)
{
	u64 no_pages = arena_stats().no_pages;
	LIST_HEAD(pages);
	void *block;
	int i;

	mg_guard(test, "mg type");
	hoard(&pages, 6);
	for (i = 0; i < 3; i++) {
		block = bsd_malloc(20 * PAGE_SIZE, m_arena, M_NOWAIT);
		KUNIT_EXPECT_NULL(test, block);
	}
	KUNIT_EXPECT_GT(test, arena_stats().no_pages, no_pages);
	/* What the arena took for it, others may have. */
	KUNIT_EXPECT_TRUE(test, mg_wait(!arena_stats().pages));
	give_up(&pages);
	block = bsd_malloc(20 * PAGE_SIZE, m_arena, M_NOWAIT);
	KUNIT_EXPECT_TRUE(test, uma_guard_covers(block));
	bsd_free(block, m_arena);
	mg_expect_none(test);
}

static void mg_02_memory_is_given_back(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void **items = room_for_all(test);
	struct uma_pool_stats before, pool;
	unsigned int i, n;
	LIST_HEAD(pages);

	mg_guard(test, "mg zone");
	uma_pool_get_stats(uma_pool, &before);
	n = fill(test, zone, items);
	memset(items[0], 7, ITEM);
	for (i = 1; i < n; i++)
		uma_zfree(zone, items[i]);
	/* Not for a reclaim that is not for want of memory. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, arena_stats().ranges_queued, n - 1);
	KUNIT_EXPECT_EQ(test, arena_stats().pages, n);
	hoard(&pages, 100);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	give_up(&pages);
	KUNIT_EXPECT_EQ(test, arena_stats().ranges_queued, 0);
	KUNIT_EXPECT_EQ(test, arena_stats().pages, 1);
	KUNIT_EXPECT_EQ(test, arena_stats().ranges_live, 1);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_pool_get_stats(uma_pool, &pool);
	KUNIT_EXPECT_EQ(test, pool.free, before.free - 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(items[0], 7, ITEM));
	/* A write to what was given back is near no item, and caught still. */
	mg_announce();
	mg_write(items[n / 2]);
	mg_announced();
	mg_expect_count(test, MEMGUARD_WILD, 1);
	uma_zfree(zone, items[0]);
	mg_expect_none(test);
	end_zone(test, zone);
}

/* Placement follows the option as it is when the item comes. */
static void mg_02_placement_changes(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", 96, 0);
	void *items[40];
	int i;

	mg_guard(test, "mg zone");
	for (i = 0; i < 40; i++) {
		WRITE_ONCE(memguard_options.start, i % 2);
		items[i] = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_EQ(test, offset_in_page(items[i]),
				i % 2 ? 0 : PAGE_SIZE - 96);
		memset(items[i], i, 96);
	}
	uma_test_put(zone, items, 40);
	mg_expect_none(test);
	end_zone(test, zone);
}

/* Unreadable and readable ones beside each other, each as when it was freed. */
static void mg_03_noread_changes(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void *items[10];
	int i;

	mg_guard(test, "mg zone");
	uma_test_get(test, zone, items, 10);
	for (i = 0; i < 10; i++) {
		WRITE_ONCE(memguard_options.noread, i % 2);
		uma_zfree(zone, items[i]);
	}
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, can_read(items[i]), !(i % 2));
	mg_announce();
	for (i = 0; i < 10; i++)
		mg_read(items[i]);
	mg_announced();
	mg_expect_count(test, MEMGUARD_UAF_READ, 5);
	mg_expect_none(test);
	end_zone(test, zone);
}

static struct kunit_case memguard_arena_cases[] = {
	KUNIT_CASE(mg_02_size_is_the_pools_by_the_divisor),
	KUNIT_CASE(mg_02_items_stand_apart),
	KUNIT_CASE(mg_05_reuse_is_oldest_first),
	KUNIT_CASE(mg_05_reuse_is_as_late_as_can_be),
	KUNIT_CASE(mg_05_page_records_are_left_alone),
	KUNIT_CASE(mg_05_sizes_that_change),
	KUNIT_CASE(mg_06_no_reuse_before_all_have_forgotten),
	KUNIT_CASE(mg_06_who_can_makes_them_forget),
	KUNIT_CASE(mg_06_here_it_is_caught_at_once),
	KUNIT_CASE(mg_06_new_owner_writes_on_every_cpu),
	KUNIT_CASE(mg_06_opened_pages_are_closed_again),
	KUNIT_CASE(mg_06_opened_pages_of_nobody),
	KUNIT_CASE(mg_02_arena_is_exhausted),
	KUNIT_CASE(mg_02_larger_than_the_arena),
	KUNIT_CASE(mg_02_pool_is_exhausted),
	KUNIT_CASE(mg_02_pool_has_too_few),
	KUNIT_CASE(mg_02_memory_is_given_back),
	KUNIT_CASE(mg_02_placement_changes),
	KUNIT_CASE(mg_03_noread_changes),
	{}
};

static struct kunit_suite memguard_arena_suite = {
	.name = "memguard_arena",
	.init = mg_init,
	.exit = mg_exit,
	.test_cases = memguard_arena_cases,
};

kunit_test_suite(memguard_arena_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit suite for MemGuard: where items lie, and when again");
MODULE_LICENSE("GPL");
