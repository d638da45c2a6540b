// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address ranges, through real accesses: what may be touched is read and
 * written, what may not must fault, on every processor.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "uma/compat.h"
#include "uma/kva.h"
#include "uma/pool.h"
#include "uma/uma.h"

#include "fail_nth.h"

#define SLOTS	8
#define PAGES	32

static struct uma_pool *pool;

static bool can_read(const void *addr)
{
	unsigned long word;

	return !copy_from_kernel_nofault(&word, addr, sizeof(word));
}

/* Changes the word, if it can. */
static bool can_write(void *addr, unsigned long word)
{
	pagefault_disable();
	__put_kernel_nofault(addr, &word, unsigned long, fault);
	pagefault_enable();
	return true;
fault:
	pagefault_enable();
	return false;
}

static void *slot(const struct uma_kva *kva, unsigned long index)
{
	return kva->base + (index << PAGE_SHIFT);
}

static void expect_closed(struct kunit *test, struct uma_kva *kva,
			  unsigned long index)
{
	unsigned long offset;

	for (offset = 0; offset < PAGE_SIZE; offset += PAGE_SIZE / 2 - 4) {
		KUNIT_EXPECT_FALSE_MSG(test, can_read(slot(kva, index) + offset),
				       "slot %lu + %lu", index, offset);
		KUNIT_EXPECT_FALSE_MSG(test,
				       can_write(slot(kva, index) + offset, 1),
				       "slot %lu + %lu", index, offset);
	}
}

/* Open with these rights, and onto this page. */
static void expect_open(struct kunit *test, struct uma_kva *kva,
			unsigned long index, struct vm_page *m, bool writable)
{
	unsigned long *direct = vm_page_kva(m) + 24;
	unsigned long *word = slot(kva, index) + 24;

	*direct = 0x5eed + index;
	KUNIT_EXPECT_TRUE_MSG(test, can_read(word), "slot %lu", index);
	if (can_read(word))
		KUNIT_EXPECT_EQ(test, *word, 0x5eed + index);
	KUNIT_EXPECT_EQ_MSG(test, can_write(word, 0xd1d + index), writable,
			    "slot %lu", index);
	KUNIT_EXPECT_EQ(test, *direct, writable ? 0xd1d + index :
						  0x5eed + index);
	KUNIT_EXPECT_PTR_EQ(test, uma_kva_lookup(word), m);
}

static struct vm_page *get_page_of_pool(struct kunit *test)
{
	struct vm_page *m = uma_pool_alloc(pool, 1, M_USE_RESERVE);

	KUNIT_ASSERT_NOT_NULL(test, m);
	return m;
}

static struct uma_kva *reserve(struct kunit *test, unsigned long npages)
{
	struct uma_kva *kva;

	if (!uma_kva_supported())
		kunit_skip(test, "no address ranges on this architecture");
	kva = uma_kva_reserve(npages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kva);
	return kva;
}

static void uma_18_stray_access_faults_at_once(struct kunit *test)
{
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	unsigned long i;

	for (i = 0; i < SLOTS; i++)
		expect_closed(test, kva, i);
	/* The kernel leaves a page after the end. */
	KUNIT_EXPECT_FALSE(test, can_read(slot(kva, SLOTS)));

	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 3, m, UMA_KVA_RW), 0);
	for (i = 0; i < SLOTS; i++)
		if (i == 3)
			expect_open(test, kva, i, m, true);
		else
			expect_closed(test, kva, i);

	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 3, 1), 0);
	for (i = 0; i < SLOTS; i++)
		expect_closed(test, kva, i);

	/* The slot can be used again, for another page. */
	uma_pool_free(pool, m, 1);
	m = get_page_of_pool(test);
	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 3, m, UMA_KVA_RW), 0);
	expect_open(test, kva, 3, m, true);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 3, 1), 0);
	uma_pool_free(pool, m, 1);
	uma_kva_release(kva);
}

static void uma_18_rights_are_what_was_asked_for(struct kunit *test)
{
	static const enum uma_kva_prot prots[] = {
		UMA_KVA_NONE, UMA_KVA_READ, UMA_KVA_RW
	};
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	int from, to;

	for (from = 0; from < ARRAY_SIZE(prots); from++)
		for (to = 0; to < ARRAY_SIZE(prots); to++) {
			KUNIT_EXPECT_EQ(test,
					uma_kva_enter(kva, 1, m, prots[from]),
					0);
			if (prots[from] == UMA_KVA_NONE)
				expect_closed(test, kva, 1);
			else
				expect_open(test, kva, 1, m,
					    prots[from] == UMA_KVA_RW);
			KUNIT_EXPECT_PTR_EQ(test, uma_kva_lookup(slot(kva, 1)),
					    m);

			KUNIT_EXPECT_EQ(test,
					uma_kva_protect(kva, 1, 1, prots[to]),
					0);
			if (prots[to] == UMA_KVA_NONE)
				expect_closed(test, kva, 1);
			else
				expect_open(test, kva, 1, m,
					    prots[to] == UMA_KVA_RW);
			KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 1, 1), 0);
		}
	uma_pool_free(pool, m, 1);
	uma_kva_release(kva);
}

/* Read and write through the range, so that this CPU remembers the entry. */
static void touch(void *addr)
{
	unsigned long word = 0;

	if (!copy_from_kernel_nofault(&word, addr, sizeof(word)))
		can_write(addr, word + 1);
}

struct probe {
	void *addr;
	atomic_t readers;
	atomic_t writers;
};

static void probe(void *arg)
{
	struct probe *p = arg;

	if (can_read(p->addr))
		atomic_inc(&p->readers);
	if (can_write(p->addr, 1))
		atomic_inc(&p->writers);
}

static void probe_everywhere(struct probe *p, void *addr)
{
	p->addr = addr;
	atomic_set(&p->readers, 0);
	atomic_set(&p->writers, 0);
	on_each_cpu(probe, p, 1);
}

static void uma_18_all_processors_forget(struct kunit *test)
{
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	int cpus = num_online_cpus();
	struct probe p;
	int i;

	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test, uma_kva_enter(kva, 2, m, UMA_KVA_RW), 0);
		on_each_cpu(touch, slot(kva, 2), 1);
		probe_everywhere(&p, slot(kva, 2));
		KUNIT_ASSERT_EQ(test, atomic_read(&p.readers), cpus);
		KUNIT_ASSERT_EQ(test, atomic_read(&p.writers), cpus);

		KUNIT_ASSERT_EQ(test, uma_kva_protect(kva, 2, 1, UMA_KVA_READ),
				0);
		probe_everywhere(&p, slot(kva, 2));
		KUNIT_ASSERT_EQ(test, atomic_read(&p.readers), cpus);
		KUNIT_ASSERT_EQ(test, atomic_read(&p.writers), 0);

		KUNIT_ASSERT_EQ(test, uma_kva_protect(kva, 2, 1, UMA_KVA_RW),
				0);
		probe_everywhere(&p, slot(kva, 2));
		KUNIT_ASSERT_EQ(test, atomic_read(&p.writers), cpus);

		KUNIT_ASSERT_EQ(test, uma_kva_remove(kva, 2, 1), 0);
		probe_everywhere(&p, slot(kva, 2));
		KUNIT_ASSERT_EQ(test, atomic_read(&p.readers), 0);
		KUNIT_ASSERT_EQ(test, atomic_read(&p.writers), 0);
	}
	uma_pool_free(pool, m, 1);
	uma_kva_release(kva);
}

/* What is changed now and forgotten later. */
static void uma_18_rights_change_for_the_time_to_come(struct kunit *test)
{
	static const enum uma_kva_prot prots[] = {
		UMA_KVA_NONE, UMA_KVA_READ, UMA_KVA_RW
	};
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	struct vm_page *n = get_page_of_pool(test);
	struct probe p;
	int from, to;

	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 2, m, UMA_KVA_RW), 0);
	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 4, n, UMA_KVA_RW), 0);
	for (from = 0; from < ARRAY_SIZE(prots); from++)
		for (to = 0; to < ARRAY_SIZE(prots); to++) {
			int readers = prots[to] == UMA_KVA_NONE ? 0 :
				      num_online_cpus();
			int writers = prots[to] == UMA_KVA_RW ?
				      num_online_cpus() : 0;

			uma_kva_change(kva, 0, SLOTS, prots[from]);
			uma_kva_flush();
			on_each_cpu(touch, slot(kva, 2), 1);
			/* Empty slots in between stay so. */
			uma_kva_change(kva, 1, 4, prots[to]);
			KUNIT_EXPECT_EQ(test, uma_kva_allows(kva, 2),
					prots[to]);
			KUNIT_EXPECT_EQ(test, uma_kva_allows(kva, 4),
					prots[to]);
			KUNIT_EXPECT_EQ(test, uma_kva_allows(kva, 3),
					UMA_KVA_NONE);
			KUNIT_EXPECT_NULL(test, uma_kva_lookup(slot(kva, 3)));
			uma_kva_flush_here();
			KUNIT_EXPECT_EQ(test, can_read(slot(kva, 2)),
					readers > 0);
			KUNIT_EXPECT_EQ(test, can_write(slot(kva, 2), 1),
					writers > 0);
			expect_closed(test, kva, 3);
			uma_kva_flush();
			probe_everywhere(&p, slot(kva, 4));
			KUNIT_EXPECT_EQ(test, atomic_read(&p.readers), readers);
			KUNIT_EXPECT_EQ(test, atomic_read(&p.writers), writers);
		}
	KUNIT_EXPECT_PTR_EQ(test, uma_kva_take(kva, 2), m);
	KUNIT_EXPECT_NULL(test, uma_kva_take(kva, 2));
	KUNIT_EXPECT_NULL(test, uma_kva_take(kva, 0));
	KUNIT_EXPECT_EQ(test, uma_kva_allows(kva, 2), UMA_KVA_NONE);
	KUNIT_EXPECT_NULL(test, uma_kva_lookup(slot(kva, 2)));
	KUNIT_EXPECT_PTR_EQ(test, uma_kva_take(kva, 4), n);
	uma_kva_flush();
	probe_everywhere(&p, slot(kva, 2));
	KUNIT_EXPECT_EQ(test, atomic_read(&p.readers), 0);
	/* And is there for another. */
	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 2, n, UMA_KVA_RW), 0);
	expect_open(test, kva, 2, n, true);
	KUNIT_EXPECT_PTR_EQ(test, uma_kva_take(kva, 2), n);
	uma_kva_flush();
	uma_pool_free(pool, m, 1);
	uma_pool_free(pool, n, 1);
	uma_kva_release(kva);
}

static void uma_18_touch_leaves_what_is_there(struct kunit *test)
{
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	u8 *byte = slot(kva, 1) + 77;

	KUNIT_EXPECT_FALSE(test, uma_kva_touch(byte));
	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 1, m, UMA_KVA_RW), 0);
	*byte = 0xa5;
	KUNIT_EXPECT_TRUE(test, uma_kva_touch(byte));
	KUNIT_EXPECT_EQ(test, *byte, 0xa5);
	/* The last of a page does not reach into the next. */
	KUNIT_EXPECT_TRUE(test, uma_kva_touch(slot(kva, 2) - 1));
	KUNIT_EXPECT_FALSE(test, uma_kva_touch(slot(kva, 2)));
	KUNIT_EXPECT_EQ(test, uma_kva_protect(kva, 1, 1, UMA_KVA_READ), 0);
	KUNIT_EXPECT_FALSE(test, uma_kva_touch(byte));
	KUNIT_EXPECT_EQ(test, *byte, 0xa5);
	KUNIT_EXPECT_EQ(test, uma_kva_protect(kva, 1, 1, UMA_KVA_NONE), 0);
	KUNIT_EXPECT_FALSE(test, uma_kva_touch(byte));
	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 1, 1), 0);
	uma_pool_free(pool, m, 1);
	uma_kva_release(kva);
}

static void kva_bad_arguments_change_nothing(struct kunit *test)
{
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	struct vm_page *n = get_page_of_pool(test);

	KUNIT_EXPECT_EQ(test, PTR_ERR(uma_kva_reserve(0)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(uma_kva_reserve(ULONG_MAX)), -ENOMEM);
	KUNIT_EXPECT_EQ(test, PTR_ERR(uma_kva_reserve(ULONG_MAX >> PAGE_SHIFT)),
			-ENOMEM);

	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, SLOTS, m, UMA_KVA_RW),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, ULONG_MAX, m, UMA_KVA_RW),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 0, NULL, UMA_KVA_RW), -EINVAL);

	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 0, m, UMA_KVA_RW), 0);
	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 0, n, UMA_KVA_RW), -EBUSY);
	expect_open(test, kva, 0, m, true);

	/* Slot 1 is empty, slots end at SLOTS, and ends must not wrap. */
	KUNIT_EXPECT_EQ(test, uma_kva_protect(kva, 0, 2, UMA_KVA_READ),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 0, 2), -ENOENT);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 0, SLOTS + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, SLOTS, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 1, ULONG_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_kva_protect(kva, 1, ULONG_MAX, UMA_KVA_RW),
			-EINVAL);
	expect_open(test, kva, 0, m, true);

	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 0, 1), 0);
	uma_pool_free(pool, m, 1);
	uma_pool_free(pool, n, 1);
	uma_kva_release(kva);
}

struct irq_enter {
	struct irq_work work;
	struct uma_kva *kva;
	struct vm_page *m;
	int error;
	struct vm_page *found;
};

static void enter_in_irq(struct irq_work *work)
{
	struct irq_enter *e = container_of(work, struct irq_enter, work);

	e->error = uma_kva_enter(e->kva, 5, e->m, UMA_KVA_READ);
	if (!e->error)
		e->error = uma_kva_protect(e->kva, 5, 1, UMA_KVA_RW);
	e->found = uma_kva_lookup(slot(e->kva, 5));
}

static void kva_entering_works_in_hard_interrupts(struct kunit *test)
{
	struct irq_enter e = { .error = -ENODATA };

	e.kva = reserve(test, SLOTS);
	e.m = get_page_of_pool(test);
	e.work = IRQ_WORK_INIT_HARD(enter_in_irq);
	irq_work_queue(&e.work);
	irq_work_sync(&e.work);

	KUNIT_EXPECT_EQ(test, e.error, 0);
	KUNIT_EXPECT_PTR_EQ(test, e.found, e.m);
	expect_open(test, e.kva, 5, e.m, true);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(e.kva, 5, 1), 0);
	uma_pool_free(pool, e.m, 1);
	uma_kva_release(e.kva);
}

static void kva_lookup_believes_no_foreign_address(struct kunit *test)
{
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	void *vm = vmalloc(PAGE_SIZE);
	const void *foreign[] = {
		NULL, (void *)1, (void *)PAGE_SIZE, (void *)-1UL,
		(void *)LONG_MAX, (void *)LONG_MIN, vm, test, &kva,
		uma_kva_lookup, vm_page_kva(m), kva->base - 1,
		kva->base + SLOTS * PAGE_SIZE,
	};
	int i;

	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 0, m, UMA_KVA_NONE), 0);
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, uma_kva_contains(foreign[i]),
				       "%d", i);
		KUNIT_EXPECT_NULL_MSG(test, uma_kva_lookup(foreign[i]), "%d",
				      i);
	}
	KUNIT_EXPECT_TRUE(test, uma_kva_contains(kva->base));
	KUNIT_EXPECT_TRUE(test, uma_kva_contains(slot(kva, SLOTS) - 1));
	KUNIT_EXPECT_PTR_EQ(test, uma_kva_lookup(kva->base), m);
	KUNIT_EXPECT_PTR_EQ(test, uma_kva_lookup(slot(kva, 1) - 1), m);
	KUNIT_EXPECT_NULL(test, uma_kva_lookup(slot(kva, 1)));

	KUNIT_EXPECT_EQ(test, uma_kva_remove(kva, 0, 1), 0);
	KUNIT_EXPECT_NULL(test, uma_kva_lookup(kva->base));
	uma_pool_free(pool, m, 1);
	uma_kva_release(kva);
	vfree(vm);
}

#define RANGES	24

/* Ranges come and go; each address belongs to the right one at any time. */
static void kva_many_ranges_are_kept_apart(struct kunit *test)
{
	struct uma_kva *ranges[RANGES] = {};
	struct vm_page *pages[RANGES] = {};
	unsigned long at[RANGES] = {};
	struct rnd_state rnd;
	int round, i, j;

	prandom_seed_state(&rnd, 18);
	for (round = 0; round < 200; round++) {
		i = prandom_u32_state(&rnd) % RANGES;
		if (ranges[i]) {
			KUNIT_ASSERT_EQ(test,
					uma_kva_remove(ranges[i], at[i], 1), 0);
			uma_kva_release(ranges[i]);
			uma_pool_free(pool, pages[i], 1);
			ranges[i] = NULL;
		} else {
			ranges[i] = reserve(test,
					    1 + prandom_u32_state(&rnd) % 40);
			at[i] = prandom_u32_state(&rnd) % ranges[i]->npages;
			pages[i] = get_page_of_pool(test);
			KUNIT_ASSERT_EQ(test, 0,
					uma_kva_enter(ranges[i], at[i],
						      pages[i], UMA_KVA_RW));
		}
		for (j = 0; j < RANGES; j++) {
			if (!ranges[j])
				continue;
			KUNIT_ASSERT_PTR_EQ(test, pages[j],
					    uma_kva_lookup(slot(ranges[j],
								at[j])));
			KUNIT_ASSERT_TRUE(test,
					  uma_kva_contains(ranges[j]->base));
		}
	}
	for (i = 0; i < RANGES; i++) {
		if (!ranges[i])
			continue;
		KUNIT_EXPECT_EQ(test, uma_kva_remove(ranges[i], at[i], 1), 0);
		uma_kva_release(ranges[i]);
		uma_pool_free(pool, pages[i], 1);
	}
}

static void kva_release_reports_pages_left_behind(struct kunit *test)
{
	struct uma_kva *kva = reserve(test, SLOTS);
	struct vm_page *m = get_page_of_pool(test);
	void *addr = slot(kva, 4);

	KUNIT_EXPECT_EQ(test, uma_kva_enter(kva, 4, m, UMA_KVA_RW), 0);
	touch(addr);
	pr_info("uma-expect-begin: uma: 1 pages are still entered\n");
	uma_kva_release(kva);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_FALSE(test, uma_kva_contains(addr));
	KUNIT_EXPECT_NULL(test, uma_kva_lookup(addr));
	uma_pool_free(pool, m, 1);
}

/* Each allocation inside is failed in turn. */
static void kva_reserve_survives_every_failure(struct kunit *test)
{
	struct uma_kva *kva;
	int n;

	uma_kva_release(reserve(test, 1));
	if (!fail_nth_prepare())
		kunit_skip(test, "no fault injection for slab and pages");
	for (n = 1; n < 1000; n++) {
		fail_nth_set(n);
		kva = uma_kva_reserve(600);
		if (fail_nth_left())
			break;
		if (IS_ERR(kva))
			KUNIT_ASSERT_EQ(test, PTR_ERR(kva), -ENOMEM);
		else
			uma_kva_release(kva);
	}
	fail_nth_set(0);
	kunit_info(test, "%d allocations were failed\n", n - 1);
	KUNIT_EXPECT_GT(test, n, 3);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kva);
	expect_closed(test, kva, 599);
	uma_kva_release(kva);
}

static void kva_unsupported_says_so(struct kunit *test)
{
	if (uma_kva_supported())
		kunit_skip(test, "this architecture has ranges");
	KUNIT_EXPECT_EQ(test, PTR_ERR(uma_kva_reserve(4)), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, uma_kva_enter(NULL, 0, NULL, UMA_KVA_RW),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, uma_kva_protect(NULL, 0, 1, UMA_KVA_RW),
			-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, uma_kva_remove(NULL, 0, 1), -EOPNOTSUPP);
	KUNIT_EXPECT_FALSE(test, uma_kva_contains(test));
	KUNIT_EXPECT_NULL(test, uma_kva_lookup(test));
	KUNIT_EXPECT_NULL(test, uma_kva_take(NULL, 0));
	KUNIT_EXPECT_EQ(test, uma_kva_allows(NULL, 0), UMA_KVA_NONE);
	KUNIT_EXPECT_FALSE(test, uma_kva_touch(test));
}

static int kva_test_init(struct kunit *test)
{
	pool = uma_pool_create(PAGES, NULL);
	return PTR_ERR_OR_ZERO(pool);
}

static void kva_test_exit(struct kunit *test)
{
	struct uma_pool_stats st;

	if (IS_ERR_OR_NULL(pool))
		return;
	uma_pool_get_stats(pool, &st);
	KUNIT_EXPECT_EQ(test, st.free, st.pages);
	uma_pool_destroy(pool);
	pool = NULL;
}

static struct kunit_case kva_cases[] = {
	KUNIT_CASE(uma_18_stray_access_faults_at_once),
	KUNIT_CASE(uma_18_rights_are_what_was_asked_for),
	KUNIT_CASE(uma_18_all_processors_forget),
	KUNIT_CASE(uma_18_rights_change_for_the_time_to_come),
	KUNIT_CASE(uma_18_touch_leaves_what_is_there),
	KUNIT_CASE(kva_bad_arguments_change_nothing),
	KUNIT_CASE(kva_entering_works_in_hard_interrupts),
	KUNIT_CASE(kva_lookup_believes_no_foreign_address),
	KUNIT_CASE(kva_many_ranges_are_kept_apart),
	KUNIT_CASE(kva_release_reports_pages_left_behind),
	KUNIT_CASE(kva_reserve_survives_every_failure),
	KUNIT_CASE(kva_unsupported_says_so),
	{}
};

static struct kunit_suite kva_suite = {
	.name = "kva",
	.init = kva_test_init,
	.exit = kva_test_exit,
	.test_cases = kva_cases,
};

kunit_test_suite(kva_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit suite for kernel address ranges");
MODULE_LICENSE("GPL");
