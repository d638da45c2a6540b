// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical map: what a processor would see through it, what the page remembers of
 * translations that are gone, and that nothing of a space is left when it goes.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "uma_test.h"
#include "vmsim/page.h"
#include "vmsim/pmap.h"

#define RD	VM_PROT_READ
#define WR	VM_PROT_WRITE
#define EX	VM_PROT_EXECUTE
#define RW	VM_PROT_RW

static struct vm_page *new_page(struct kunit *test)
{
	struct vm_page *m = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL |
					  VM_ALLOC_NOOBJ | VM_ALLOC_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->dirty = 0;
	return m;
}

static struct pmap *new_pmap(struct kunit *test)
{
	struct pmap *pmap = pmap_create();

	KUNIT_ASSERT_NOT_NULL(test, pmap);
	return pmap;
}

static struct pmap_statistics stats(struct pmap *pmap)
{
	struct pmap_statistics st;

	pmap_stats(pmap, &st);
	return st;
}

static bool can(struct pmap *pmap, unsigned long va, u8 access)
{
	u8 byte = 0;

	return pmap_access(pmap, va, access, &byte, 1);
}

static void enter(struct kunit *test, struct pmap *pmap, unsigned long va,
		  struct vm_page *m, u8 prot)
{
	KUNIT_ASSERT_EQ(test, pmap_enter(pmap, va, m, prot, false), 0);
}

/* One of each distance, so that all levels of tables have neighbours. */
static const unsigned long addresses[] = {
	0, PAGE_SIZE, 511 * PAGE_SIZE, 512 * PAGE_SIZE, 1UL << 30,
	(1UL << 30) + (1UL << 21), 1UL << 39, PMAP_END - PAGE_SIZE,
};

static void fa_04_enter_and_extract(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test);
	struct vm_page *m[ARRAY_SIZE(addresses)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		m[i] = new_page(test);
		KUNIT_EXPECT_NULL(test, pmap_extract(pmap, addresses[i]));
		enter(test, pmap, addresses[i] + 17, m[i], RW);
		KUNIT_EXPECT_TRUE(test, pmap_page_is_mapped(m[i]));
	}
	KUNIT_EXPECT_EQ(test, stats(pmap).resident, ARRAY_SIZE(addresses));
	KUNIT_EXPECT_EQ(test, stats(pmap).writable, ARRAY_SIZE(addresses));
	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		KUNIT_EXPECT_PTR_EQ(test, pmap_extract(pmap, addresses[i]), m[i]);
	KUNIT_EXPECT_NULL(test, pmap_extract(pmap, 2 * PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, pmap_extract(pmap, PMAP_END));
	KUNIT_EXPECT_NULL(test, pmap_extract(pmap, ULONG_MAX));

	/* The end is not included, and the rest is left alone. */
	pmap_remove(pmap, 0, 511 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, stats(pmap).resident, ARRAY_SIZE(addresses) - 2);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m[1]));
	KUNIT_EXPECT_PTR_EQ(test, pmap_extract(pmap, 511 * PAGE_SIZE), m[2]);
	pmap_remove(pmap, 0, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, stats(pmap).resident, 0);
	KUNIT_EXPECT_EQ(test, stats(pmap).writable, 0);
	KUNIT_EXPECT_EQ(test, stats(pmap).tables, 0);
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m[i]));
		vm_page_free(m[i]);
	}
	pmap_release(pmap);
}

static void fa_04_accesses_and_rights(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test), *other = new_pmap(test);
	unsigned long va = 5 * PAGE_SIZE, there = 1UL << 33;
	struct vm_page *m = new_page(test);
	char text[8];

	KUNIT_EXPECT_FALSE(test, can(pmap, va, RD));
	enter(test, pmap, va, m, RD);
	enter(test, other, there, m, RW);
	KUNIT_EXPECT_FALSE(test, pmap_is_referenced(m));
	KUNIT_EXPECT_TRUE(test, can(pmap, va, RD));
	KUNIT_EXPECT_FALSE(test, can(pmap, va, WR));
	KUNIT_EXPECT_FALSE(test, can(pmap, va, EX));
	KUNIT_EXPECT_FALSE(test, can(pmap, va + PAGE_SIZE, RD));
	KUNIT_EXPECT_TRUE(test, pmap_is_referenced(m));
	KUNIT_EXPECT_FALSE(test, pmap_is_modified(m));

	/* What one writes the other reads, at the same place in the page. */
	KUNIT_EXPECT_TRUE(test, pmap_access(other, there + PAGE_SIZE - 8, WR,
					    "written", 8));
	KUNIT_EXPECT_TRUE(test, pmap_is_modified(m));
	KUNIT_EXPECT_TRUE(test, pmap_access(pmap, va + PAGE_SIZE - 8, RD,
					    text, 8));
	KUNIT_EXPECT_STREQ(test, text, "written");

	KUNIT_EXPECT_EQ(test, pmap_ts_referenced(m), 2);
	KUNIT_EXPECT_EQ(test, pmap_ts_referenced(m), 0);
	KUNIT_EXPECT_TRUE(test, can(pmap, va, RD));
	KUNIT_EXPECT_EQ(test, pmap_ts_referenced(m), 1);
	pmap_clear_modify(m);
	KUNIT_EXPECT_FALSE(test, pmap_is_modified(m));
	KUNIT_EXPECT_EQ(test, m->dirty, 0);
	/* Still writable: it is found again. */
	KUNIT_EXPECT_TRUE(test, can(other, there, WR));
	KUNIT_EXPECT_TRUE(test, pmap_is_modified(m));

	pmap_remove_all(m);
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, stats(pmap).tables, 0);
	KUNIT_EXPECT_EQ(test, stats(other).tables, 0);
	KUNIT_EXPECT_FALSE(test, can(other, there, RD));
	vm_page_free(m);
	pmap_release(pmap);
	pmap_release(other);
}

/* Every way to lose a modified translation, or its right to write. */
static void fa_04_modified_pages_become_dirty(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test);
	struct vm_page *m = new_page(test), *other = new_page(test);
	unsigned long va = 7 * PAGE_SIZE;
	unsigned int way;

	for (way = 0; way < 6; way++) {
		m->dirty = 0;
		enter(test, pmap, va, m, RW);
		/* Not for nothing. */
		pmap_remove(pmap, va, va + PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, m->dirty, 0);
		enter(test, pmap, va, m, RW);
		KUNIT_ASSERT_TRUE(test, can(pmap, va, WR));
		KUNIT_ASSERT_EQ(test, m->dirty, 0);
		switch (way) {
		case 0:
			pmap_remove(pmap, va, va + PAGE_SIZE);
			break;
		case 1:
			pmap_remove_all(m);
			break;
		case 2:
			pmap_remove_write(m);
			break;
		case 3:
			pmap_protect(pmap, va, va + PAGE_SIZE, RD);
			break;
		case 4:
			enter(test, pmap, va, m, RD);
			break;
		case 5:
			enter(test, pmap, va, other, RW);
			break;
		}
		KUNIT_EXPECT_EQ_MSG(test, m->dirty, VM_PAGE_BITS_ALL, "way %u",
				    way);
		KUNIT_EXPECT_FALSE_MSG(test, pmap_is_modified(m), "way %u", way);
		if (way < 5)
			KUNIT_EXPECT_FALSE(test, can(pmap, va, WR));
		pmap_remove(pmap, va, va + PAGE_SIZE);
	}
	/* The same page, with the same rights, stays modified. */
	m->dirty = 0;
	enter(test, pmap, va, m, RW);
	KUNIT_ASSERT_TRUE(test, can(pmap, va, WR));
	enter(test, pmap, va, m, RW);
	KUNIT_EXPECT_TRUE(test, pmap_is_modified(m));
	KUNIT_EXPECT_EQ(test, m->dirty, 0);
	pmap_remove(pmap, 0, PMAP_END);
	vm_page_free(m);
	vm_page_free(other);
	pmap_release(pmap);
}

static void fa_04_protection_locks_only_for_a_change(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test);
	struct vm_page *m = new_page(test);
	unsigned long va = 3 * PAGE_SIZE, end = va + PAGE_SIZE;
	u64 before = stats(pmap).protects;

	/* Nothing there, nothing to lose, nothing that has what is to go. */
	pmap_protect(pmap, 0, PMAP_END, RD);
	enter(test, pmap, va, m, RD);
	pmap_protect(pmap, va, end, VM_PROT_ALL);
	pmap_protect(pmap, va, end, RD);
	pmap_protect(pmap, va, end, RD | EX);
	KUNIT_EXPECT_EQ(test, stats(pmap).protects, before);
	KUNIT_EXPECT_EQ(test, stats(pmap).resident, 1);

	enter(test, pmap, va, m, VM_PROT_ALL);
	pmap_protect(pmap, va, end, RD | EX);
	KUNIT_EXPECT_EQ(test, stats(pmap).protects, before + 1);
	KUNIT_EXPECT_FALSE(test, can(pmap, va, WR));
	KUNIT_EXPECT_TRUE(test, can(pmap, va, EX));
	/* Once more: there is nothing left to take. */
	pmap_protect(pmap, va, end, RD | EX);
	KUNIT_EXPECT_EQ(test, stats(pmap).protects, before + 1);
	pmap_protect(pmap, va, end, RD);
	KUNIT_EXPECT_EQ(test, stats(pmap).protects, before + 2);
	KUNIT_EXPECT_FALSE(test, can(pmap, va, EX));
	KUNIT_EXPECT_TRUE(test, can(pmap, va, RD));
	pmap_protect(pmap, va, end, VM_PROT_NONE);
	KUNIT_EXPECT_EQ(test, stats(pmap).resident, 0);
	vm_page_free(m);
	pmap_release(pmap);
}

static void fa_04_quick_and_prefaultable(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test);
	struct vm_page *m = new_page(test), *other = new_page(test);
	unsigned long va = 600 * PAGE_SIZE;

	KUNIT_EXPECT_FALSE(test, pmap_is_prefaultable(pmap, va));
	KUNIT_EXPECT_EQ(test, pmap_enter_quick(pmap, va, m, VM_PROT_ALL), 0);
	KUNIT_EXPECT_FALSE(test, pmap_is_prefaultable(pmap, va));
	KUNIT_EXPECT_TRUE(test, pmap_is_prefaultable(pmap, va + PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, pmap_is_prefaultable(pmap, PMAP_END));
	KUNIT_EXPECT_TRUE(test, can(pmap, va, RD | EX));
	KUNIT_EXPECT_FALSE(test, can(pmap, va, WR));
	KUNIT_EXPECT_EQ(test, pmap_enter_quick(pmap, va, other, RD), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, pmap_extract(pmap, va), m);

	pmap_change_wiring(pmap, va, true);
	KUNIT_EXPECT_EQ(test, stats(pmap).wired, 1);
	pmap_change_wiring(pmap, va, true);
	KUNIT_EXPECT_EQ(test, stats(pmap).wired, 1);
	pmap_change_wiring(pmap, va + PAGE_SIZE, true);
	KUNIT_EXPECT_EQ(test, stats(pmap).wired, 1);
	pmap_change_wiring(pmap, va, false);
	KUNIT_EXPECT_EQ(test, stats(pmap).wired, 0);

	/* A page that is held outlives its translation and its owner. */
	KUNIT_EXPECT_NULL(test, pmap_extract_and_hold(pmap, va, WR));
	KUNIT_EXPECT_PTR_EQ(test, pmap_extract_and_hold(pmap, va, RD), m);
	KUNIT_EXPECT_EQ(test, m->hold_count, 1);
	pmap_remove(pmap, va, va + PAGE_SIZE);
	vm_page_free(m);
	vm_page_lock_queues();
	vm_page_unhold(m);
	vm_page_unlock_queues();
	vm_page_free(other);
	pmap_release(pmap);
}

/* ---- beside an oracle --------------------------------------------------- */

#define SPACES	3
#define VAS	24
#define PAGES	8

struct oracle {
	struct pmap *pmap[SPACES];
	struct vm_page *page[PAGES];
	struct {
		int page;	/* -1: nothing */
		u8 prot;
		bool wired, referenced, modified;
	} at[SPACES][VAS];
	bool dirty[PAGES];
	struct rnd_state rnd;
};

static u32 below(struct oracle *o, u32 n)
{
	return prandom_u32_state(&o->rnd) % n;
}

/* Some close to each other, some a table or more apart. */
static unsigned long va_of(u32 i)
{
	return (i % 8) * PAGE_SIZE + (i / 8) * (511UL << 21);
}

static void model_lose(struct oracle *o, u32 s, u32 i, u8 keep)
{
	if (o->at[s][i].page < 0)
		return;
	if (o->at[s][i].modified && !(keep & WR)) {
		o->dirty[o->at[s][i].page] = true;
		o->at[s][i].modified = false;
	}
	o->at[s][i].prot &= keep;
	if (!(keep & RD))
		o->at[s][i].page = -1;
}

static void op_enter(struct kunit *test, struct oracle *o, u32 s, u32 i)
{
	static const u8 prots[] = { RD, RW, RD | EX, VM_PROT_ALL };
	u8 prot = prots[below(o, ARRAY_SIZE(prots))];
	bool wired = below(o, 2);
	int p = below(o, PAGES);

	KUNIT_ASSERT_EQ(test, pmap_enter(o->pmap[s], va_of(i), o->page[p], prot,
					 wired), 0);
	if (o->at[s][i].page != p) {
		model_lose(o, s, i, 0);
		o->at[s][i].referenced = false;
		o->at[s][i].modified = false;
	}
	model_lose(o, s, i, prot);
	o->at[s][i].page = p;
	o->at[s][i].prot = prot;
	o->at[s][i].wired = wired;
}

static void op_access(struct kunit *test, struct oracle *o, u32 s, u32 i)
{
	u8 access = below(o, 2) ? WR : RD;
	bool may = o->at[s][i].page >= 0 && o->at[s][i].prot & access;

	KUNIT_ASSERT_EQ(test, can(o->pmap[s], va_of(i), access), may);
	if (may) {
		o->at[s][i].referenced = true;
		o->at[s][i].modified |= access == WR;
	}
}

static void op_range(struct oracle *o, u32 s, u32 i, u8 keep)
{
	u32 j = i + 1 + below(o, VAS - i);

	if (keep)
		pmap_protect(o->pmap[s], va_of(i), va_of(j - 1) + PAGE_SIZE,
			     keep);
	else
		pmap_remove(o->pmap[s], va_of(i), va_of(j - 1) + PAGE_SIZE);
	for (; i < j; i++)
		model_lose(o, s, i, keep);
}

static void op_page(struct kunit *test, struct oracle *o, int p, u32 what)
{
	u32 s, i, n = 0;

	if (what == 0)
		pmap_remove_all(o->page[p]);
	else if (what == 1)
		pmap_remove_write(o->page[p]);
	else if (what == 2)
		pmap_clear_modify(o->page[p]);
	else
		n = pmap_ts_referenced(o->page[p]);
	for (s = 0; s < SPACES; s++)
		for (i = 0; i < VAS; i++) {
			if (o->at[s][i].page != p)
				continue;
			if (what == 0) {
				model_lose(o, s, i, 0);
			} else if (what == 1) {
				model_lose(o, s, i, VM_PROT_ALL & ~WR);
			} else if (what == 2) {
				o->at[s][i].modified = false;
			} else {
				n -= o->at[s][i].referenced;
				o->at[s][i].referenced = false;
			}
		}
	KUNIT_ASSERT_EQ(test, n, 0);
}

static void op_copy(struct oracle *o, u32 s, u32 i)
{
	u32 to = (s + 1) % SPACES, j = i + 1 + below(o, VAS - i);

	pmap_copy(o->pmap[to], o->pmap[s], va_of(i),
		  va_of(j - 1) + PAGE_SIZE - va_of(i), va_of(i));
	for (; i < j; i++) {
		if (o->at[s][i].page < 0 || o->at[to][i].page >= 0)
			continue;
		o->at[to][i] = o->at[s][i];
		o->at[to][i].wired = false;
		o->at[to][i].referenced = false;
		o->at[to][i].modified = false;
	}
}

static void check_oracle(struct kunit *test, struct oracle *o)
{
	unsigned long resident, wired, writable;
	bool modified[PAGES] = {}, referenced[PAGES] = {}, mapped[PAGES] = {};
	u32 s, i;
	int p;

	for (s = 0; s < SPACES; s++) {
		struct pmap_statistics st = stats(o->pmap[s]);

		resident = 0;
		wired = 0;
		writable = 0;
		for (i = 0; i < VAS; i++) {
			p = o->at[s][i].page;
			KUNIT_ASSERT_PTR_EQ(test,
					    pmap_extract(o->pmap[s], va_of(i)),
					    p < 0 ? NULL : o->page[p]);
			if (p < 0)
				continue;
			resident++;
			wired += o->at[s][i].wired;
			writable += !!(o->at[s][i].prot & WR);
			mapped[p] = true;
			modified[p] |= o->at[s][i].modified;
			referenced[p] |= o->at[s][i].referenced;
		}
		KUNIT_ASSERT_EQ(test, st.resident, resident);
		KUNIT_ASSERT_EQ(test, st.wired, wired);
		KUNIT_ASSERT_EQ(test, st.writable, writable);
	}
	for (p = 0; p < PAGES; p++) {
		KUNIT_ASSERT_EQ(test, pmap_page_is_mapped(o->page[p]), mapped[p]);
		KUNIT_ASSERT_EQ(test, pmap_is_modified(o->page[p]), modified[p]);
		KUNIT_ASSERT_EQ(test, pmap_is_referenced(o->page[p]),
				referenced[p]);
		KUNIT_ASSERT_EQ(test, !!o->page[p]->dirty, o->dirty[p]);
	}
}

static void fa_04_any_operations_agree_with_an_oracle(struct kunit *test)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	u32 turns = IS_ENABLED(CONFIG_KASAN) ? 3000 : 30000;
	u32 turn, s, i;

	KUNIT_ASSERT_NOT_NULL(test, o);
	prandom_seed_state(&o->rnd, 4);
	for (s = 0; s < SPACES; s++) {
		o->pmap[s] = new_pmap(test);
		for (i = 0; i < VAS; i++)
			o->at[s][i].page = -1;
	}
	for (i = 0; i < PAGES; i++)
		o->page[i] = new_page(test);
	for (turn = 0; turn < turns; turn++) {
		s = below(o, SPACES);
		i = below(o, VAS);
		switch (below(o, 12)) {
		case 0 ... 3:
			op_enter(test, o, s, i);
			break;
		case 4 ... 6:
			op_access(test, o, s, i);
			break;
		case 7:
			op_range(o, s, i, below(o, 3) ? RD : 0);
			break;
		case 8:
			op_range(o, s, i, RD | EX);
			break;
		case 9:
			op_copy(o, s, i);
			break;
		case 10:
			op_page(test, o, below(o, PAGES), below(o, 4));
			break;
		default:
			i = below(o, PAGES);
			o->page[i]->dirty = 0;
			o->dirty[i] = false;
			break;
		}
		check_oracle(test, o);
		if (turn % 64 == 0)
			cond_resched();
	}
	for (s = 0; s < SPACES; s++) {
		pmap_remove(o->pmap[s], 0, PMAP_END);
		KUNIT_EXPECT_EQ(test, stats(o->pmap[s]).tables, 0);
		pmap_release(o->pmap[s]);
	}
	for (i = 0; i < PAGES; i++)
		vm_page_free(o->page[i]);
}

/* ---- threads ------------------------------------------------------------ */

/**
 * struct writer - a thread that writes rising numbers
 * @pmap: where
 * @stop: it is to end
 * @written: the last number of which it knows that it was written
 */
struct writer {
	struct pmap *pmap;
	bool stop;
	u64 written;
};

static int write_numbers(void *arg)
{
	struct writer *w = arg;
	u64 n = 1;

	while (!READ_ONCE(w->stop)) {
		if (pmap_access(w->pmap, 0, WR, &n, sizeof(n)))
			WRITE_ONCE(w->written, n++);
		cond_resched();
	}
	/* Until it is stopped: it would go before that otherwise. */
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

/*
 * Page-out's question: once the right to write is gone, is every write that was
 * made known, and is there none afterwards?
 */
static void fa_04_no_write_goes_unnoticed(struct kunit *test)
{
	struct writer w = { .pmap = new_pmap(test) };
	unsigned int round, rounds = IS_ENABLED(CONFIG_KASAN) ? 300 : 600;
	struct vm_page *m = new_page(test);
	u64 *number = vm_page_kva(m), then, before = 0;
	struct task_struct *task;
	bool written;

	task = kthread_run(write_numbers, &w, "pmap writer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (round = 0; round < rounds; round++) {
		m->dirty = 0;
		enter(test, w.pmap, 0, m, RW);
		if (round % 8 == 0)
			schedule_timeout_idle(round % 64 == 0);
		if (round % 2)
			pmap_remove_all(m);
		else
			pmap_remove_write(m);
		then = READ_ONCE(*number);
		written = then != before;
		if (written != !!m->dirty) {
			KUNIT_FAIL(test, "round %u: %llu after %llu, dirty %x",
				   round, then, before, m->dirty);
			break;
		}
		cond_resched();
		KUNIT_EXPECT_EQ(test, READ_ONCE(*number), then);
		before = then;
	}
	WRITE_ONCE(w.stop, true);
	kthread_stop(task);
	KUNIT_EXPECT_GT(test, before, 0);
	KUNIT_EXPECT_EQ(test, *number, w.written);
	pmap_remove_all(m);
	vm_page_free(m);
	pmap_release(w.pmap);
}

/* ---- fork, memory, the cache -------------------------------------------- */

static void fa_06_a_copy_tells_nobody(struct kunit *test)
{
	struct pmap *parent = new_pmap(test), *child = new_pmap(test);
	struct pmap_statistics was, is;
	unsigned long va, end = 1000 * PAGE_SIZE;
	struct vm_page *m = new_page(test);

	for (va = 0; va < end; va += PAGE_SIZE)
		KUNIT_ASSERT_EQ(test, pmap_enter(parent, va, m,
						 va & PAGE_SIZE ? RD : RW,
						true), 0);
	KUNIT_ASSERT_TRUE(test, can(parent, 0, WR));
	was = stats(parent);
	is = stats(child);
	KUNIT_EXPECT_EQ(test, was.wired, 1000);
	/* Elsewhere it does nothing. */
	pmap_copy(child, parent, PAGE_SIZE, end, 0);
	KUNIT_EXPECT_EQ(test, stats(child).resident, 0);
	pmap_copy(child, parent, 0, end, 0);

	KUNIT_EXPECT_EQ(test, stats(parent).flushes, was.flushes);
	KUNIT_EXPECT_EQ(test, stats(child).flushes, is.flushes);
	KUNIT_EXPECT_EQ(test, stats(parent).wired, 1000);
	KUNIT_EXPECT_EQ(test, stats(child).resident, 1000);
	KUNIT_EXPECT_EQ(test, stats(child).wired, 0);
	KUNIT_EXPECT_EQ(test, stats(child).writable, was.writable);
	/* Referenced and modified are the parent's alone. */
	KUNIT_EXPECT_EQ(test, pmap_ts_referenced(m), 1);
	pmap_remove(parent, 0, end);
	KUNIT_EXPECT_EQ(test, m->dirty, VM_PAGE_BITS_ALL);
	m->dirty = 0;
	pmap_remove(child, 0, end);
	KUNIT_EXPECT_EQ(test, m->dirty, 0);
	KUNIT_EXPECT_EQ(test, stats(child).flushes, is.flushes + 1000);
	vm_page_free(m);
	pmap_release(parent);
	pmap_release(child);
}

static void fa_04_without_memory_nothing_changes(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test), *child = new_pmap(test);
	struct vm_page *m = new_page(test), *held;
	struct pmap_statistics st;
	LIST_HEAD(taken);

	enter(test, pmap, 0, m, RW);
	while ((held = vm_page_alloc(NULL, 0, VM_ALLOC_INTERRUPT |
				     VM_ALLOC_NOOBJ)))
		list_add(&held->pageq, &taken);
	st = stats(pmap);
	KUNIT_EXPECT_EQ(test, pmap_enter(pmap, 1UL << 40, m, RW, false),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, pmap_enter_quick(pmap, 1UL << 40, m, RW), -ENOMEM);
	pmap_copy(child, pmap, 0, PMAP_END, 0);
	KUNIT_EXPECT_EQ(test, stats(child).resident, 0);
	KUNIT_EXPECT_EQ(test, stats(child).tables, 0);
	KUNIT_EXPECT_EQ(test, stats(pmap).tables, st.tables);
	KUNIT_EXPECT_EQ(test, stats(pmap).resident, 1);
	KUNIT_EXPECT_TRUE(test, can(pmap, 0, WR));
	/* What needs no memory works. */
	enter(test, pmap, 0, m, RD);
	KUNIT_EXPECT_FALSE(test, can(pmap, 0, WR));
	while ((held = list_first_entry_or_null(&taken, struct vm_page, pageq))) {
		list_del_init(&held->pageq);
		vm_page_free(held);
	}
	KUNIT_EXPECT_EQ(test, pmap_enter(pmap, 1UL << 40, m, RW, false), 0);
	pmap_remove_all(m);
	KUNIT_EXPECT_EQ(test, stats(pmap).tables, 0);
	vm_page_free(m);
	pmap_release(pmap);
	pmap_release(child);
}

static void fa_07_reuse_costs_nothing_again(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test), *again;
	struct vm_page *m = new_page(test);
	struct pmap_statistics was;

	enter(test, pmap, 0, m, RW);
	enter(test, pmap, 1UL << 44, m, RW);
	pmap_remove(pmap, 0, PMAP_END);
	was = stats(pmap);
	KUNIT_EXPECT_EQ(test, was.tables, 0);
	pmap_release(pmap);
	/* The last that went in comes out, and nobody has touched it meanwhile. */
	again = new_pmap(test);
	KUNIT_EXPECT_PTR_EQ(test, again, pmap);
	KUNIT_EXPECT_EQ(test, stats(again).flushes, was.flushes);
	KUNIT_EXPECT_EQ(test, stats(again).resident, 0);
	KUNIT_EXPECT_NULL(test, pmap_extract(again, 0));
	pmap_release(again);
	vm_page_free(m);
}

static void fa_07_what_is_left_is_reported_and_removed(struct kunit *test)
{
	struct pmap *pmap = new_pmap(test), *again;
	struct vm_page *m = new_page(test);

	enter(test, pmap, 9 * PAGE_SIZE, m, RW);
	KUNIT_ASSERT_TRUE(test, can(pmap, 9 * PAGE_SIZE, WR));
	pr_info("uma-expect-begin: pmap: 1 translations in 3 tables left\n");
	pmap_release(pmap);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_FALSE(test, pmap_page_is_mapped(m));
	KUNIT_EXPECT_EQ(test, m->dirty, VM_PAGE_BITS_ALL);
	again = new_pmap(test);
	KUNIT_EXPECT_EQ(test, stats(again).resident, 0);
	KUNIT_EXPECT_EQ(test, stats(again).tables, 0);
	KUNIT_EXPECT_FALSE(test, can(again, 9 * PAGE_SIZE, RD));
	pmap_release(again);
	vm_page_free(m);
}

/* Physical maps keep their memory for good, so they get it first. */
static int pmap_test_init(struct kunit *test)
{
	struct pmap *pmap[8];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pmap); i++)
		pmap[i] = pmap_create();
	for (i = 0; i < ARRAY_SIZE(pmap); i++)
		pmap_release(pmap[i]);
	return uma_test_init(test);
}

static struct kunit_case pmap_cases[] = {
	KUNIT_CASE(fa_04_enter_and_extract),
	KUNIT_CASE(fa_04_accesses_and_rights),
	KUNIT_CASE(fa_04_modified_pages_become_dirty),
	KUNIT_CASE(fa_04_protection_locks_only_for_a_change),
	KUNIT_CASE(fa_04_quick_and_prefaultable),
	KUNIT_CASE(fa_04_any_operations_agree_with_an_oracle),
	KUNIT_CASE(fa_04_no_write_goes_unnoticed),
	KUNIT_CASE(fa_04_without_memory_nothing_changes),
	KUNIT_CASE(fa_06_a_copy_tells_nobody),
	KUNIT_CASE(fa_07_reuse_costs_nothing_again),
	KUNIT_CASE(fa_07_what_is_left_is_reported_and_removed),
	{}
};

static struct kunit_suite pmap_suite = {
	.name = "pmap",
	.init = pmap_test_init,
	.exit = uma_test_exit,
	.test_cases = pmap_cases,
};

kunit_test_suite(pmap_suite);

MODULE_DESCRIPTION("KUnit: the physical map");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
