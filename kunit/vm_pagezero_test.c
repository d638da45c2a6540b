// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free pages that are zeroed ahead of need (PG-10).
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "vm_space_test.h"
#include "vmsim/pagezero.h"

#define POISON		0xa5
#define POOL_PAGES	64UL

#define COUNT(name)	atomic64_read(&vm_cnt.name)

static bool is_filled(const struct vm_page *m, u8 byte)
{
	return !memchr_inv(vm_page_kva(m), byte, PAGE_SIZE);
}

/* Zero until there is no more; how many. */
static unsigned long zero_all(struct uma_pool *pool, unsigned int percent)
{
	unsigned long n = 0;

	while (uma_pool_zero_ahead(pool, percent))
		n++;
	return n;
}

/* The pool's side: what is known to be zero is, and is not half the pool and more. */
static void pg_10_the_pool_knows_what_is_zero(struct kunit *test)
{
	struct uma_pool *pool = uma_pool_create(POOL_PAGES, NULL);
	struct vm_page *m, *taken[POOL_PAGES];
	unsigned long i, zeroes = 0;
	bool zeroed;

	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(pool));
	for (i = 0; i < POOL_PAGES; i++) {
		taken[i] = uma_pool_alloc_above(pool, 0);
		KUNIT_ASSERT_NOT_NULL(test, taken[i]);
		memset(vm_page_kva(taken[i]), POISON, PAGE_SIZE);
	}
	while (i--)
		uma_pool_free(pool, taken[i], 1);
	KUNIT_EXPECT_EQ(test, zero_all(pool, 25), POOL_PAGES / 4);
	KUNIT_EXPECT_EQ(test, zero_all(pool, 50), POOL_PAGES / 4);
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(pool), POOL_PAGES / 2);
	KUNIT_EXPECT_EQ(test, uma_pool_free_count(pool), POOL_PAGES);

	/* Who needs no zeroes leaves them. */
	for (i = 0; i < POOL_PAGES / 2; i++) {
		taken[i] = uma_pool_alloc_above(pool, 0);
		KUNIT_EXPECT_TRUE(test, is_filled(taken[i], POISON));
	}
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(pool), POOL_PAGES / 2);
	/* Who does gets them. */
	for (; i < POOL_PAGES / 2 + 8; i++) {
		taken[i] = uma_pool_alloc_zeroed(pool, 0, &zeroed);
		KUNIT_EXPECT_TRUE(test, zeroed);
		KUNIT_EXPECT_TRUE(test, is_filled(taken[i], 0));
		memset(vm_page_kva(taken[i]), POISON, PAGE_SIZE);
	}
	/* What comes back is not known to be zero, whatever it was before. */
	while (i--)
		uma_pool_free(pool, taken[i], 1);
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(pool), POOL_PAGES / 2 - 8);

	/* Runs and single ones that are asked for by name take some of either. */
	m = uma_pool_alloc(pool, 16, M_NOWAIT | M_USE_RESERVE);
	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < 16; i++)
		zeroes += is_filled(m + i, 0);
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(pool),
			POOL_PAGES / 2 - 8 - zeroes);
	memset(vm_page_kva(m), POISON, 16 * PAGE_SIZE);
	uma_pool_free(pool, m, 16);
	m = NULL;
	for (i = 0; i < POOL_PAGES && uma_pool_zeroed_count(pool); i++) {
		m = uma_pool_page(pool, i);
		if (m && is_filled(m, 0))
			break;
	}
	KUNIT_ASSERT_TRUE(test, m && uma_pool_take(pool, m));
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(pool),
			POOL_PAGES / 2 - 9 - zeroes);
	uma_pool_free(pool, m, 1);

	/* With nothing but zeroes left, anybody gets those. */
	zero_all(pool, 100);
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(pool), POOL_PAGES);
	for (i = 0; i < POOL_PAGES; i++) {
		taken[i] = i % 2 ? uma_pool_alloc_above(pool, 0) :
				   uma_pool_alloc_zeroed(pool, 0, &zeroed);
		KUNIT_ASSERT_NOT_NULL(test, taken[i]);
		KUNIT_EXPECT_TRUE(test, is_filled(taken[i], 0));
	}
	KUNIT_EXPECT_NULL(test, uma_pool_alloc_zeroed(pool, 0, &zeroed));
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(pool), 0);
	while (i--)
		uma_pool_free(pool, taken[i], 1);
	uma_pool_destroy(pool);
}

/* Poison what is free, some of it at least, and let nothing be known to be zero. */
static void poison_free_pages(struct kunit *test)
{
	struct vm_page *m, *next;
	LIST_HEAD(taken);

	while ((m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_INTERRUPT))) {
		memset(vm_page_kva(m), POISON, PAGE_SIZE);
		list_add(&m->pageq, &taken);
	}
	list_for_each_entry_safe(m, next, &taken, pageq) {
		list_del_init(&m->pageq);
		vm_page_free(m);
	}
}

/* Have the thread zero some; what it should is no more than half. */
static void let_it_zero(struct kunit *test)
{
	unsigned long end = jiffies + VM_TEST_SOON;
	unsigned long enough = vm_page_free_count() / 2 - 8;

	vm_pagezero_wakeup();
	while (uma_pool_zeroed_count(uma_pool) < enough &&
	       time_before(jiffies, end))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_GE(test, uma_pool_zeroed_count(uma_pool), enough);
	KUNIT_EXPECT_LE(test, uma_pool_zeroed_count(uma_pool),
			vm_page_free_count() / 2);
}

static void pg_10_free_pages_are_zeroed_ahead(struct kunit *test)
{
	unsigned long free = vm_page_free_count();
	u64 used = COUNT(zeroed_used), ahead = COUNT(zeroed_ahead);
	struct vm_object *object = vm_test_object(test, 256);
	unsigned int i, poisoned = 0;
	struct vm_page *m;

	poison_free_pages(test);
	KUNIT_EXPECT_EQ(test, uma_pool_zeroed_count(uma_pool), 0);
	let_it_zero(test);
	KUNIT_EXPECT_GE(test, COUNT(zeroed_ahead) - ahead, free / 2 - 8);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), free);

	vm_object_lock(object);
	for (i = 0; i < 256; i++) {
		m = vm_page_alloc(object, i, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY |
				  (i % 2 ? VM_ALLOC_ZERO : 0));
		if (!m)
			break;
		if (i % 2)
			KUNIT_EXPECT_TRUE(test, is_filled(m, 0));
		else
			poisoned += is_filled(m, POISON);
		/* Contents are nobody's business but the owner's. */
		KUNIT_EXPECT_EQ(test, m->valid, 0);
	}
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, i, 256);
	KUNIT_EXPECT_EQ(test, COUNT(zeroed_used) - used, 128);
	/* Others leave a page or two with contents of their own. */
	KUNIT_EXPECT_GE(test, poisoned, 100);
	vm_object_deallocate(object);
}

static void pg_10_faults_use_what_was_zeroed(struct kunit *test)
{
	u64 used, fills;
	struct vmspace *vm;
	unsigned int i;

	poison_free_pages(test);
	let_it_zero(test);
	vm = space_new(test);
	space_map(test, vm, 0, 64, NULL, 0);
	used = COUNT(zeroed_used);
	fills = COUNT(zero_fills);
	for (i = 0; i < 64; i++) {
		KUNIT_EXPECT_EQ(test, space_get(vm, i), 0);
		KUNIT_EXPECT_TRUE(test, is_filled(space_page(vm, i), 0));
		KUNIT_EXPECT_EQ(test, space_put(vm, i, POISON), 0);
	}
	KUNIT_EXPECT_EQ(test, COUNT(zero_fills) - fills, 64);
	/* Tables of the physical map take some, too. */
	KUNIT_EXPECT_GE(test, COUNT(zeroed_used) - used, 64);
	vmspace_free(vm);

	/* And what those leave is not taken for zero. */
	vm = space_new(test);
	space_map(test, vm, 0, 64, NULL, 0);
	for (i = 0; i < 64; i++) {
		KUNIT_EXPECT_EQ(test, space_get(vm, i), 0);
		KUNIT_EXPECT_TRUE(test, is_filled(space_page(vm, i), 0));
	}
	vmspace_free(vm);
}

static void pg_10_it_has_its_priority_from_the_start(struct kunit *test)
{
	struct task_struct *task = vm_pagezero_create();

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	/* It has not run yet. */
	KUNIT_EXPECT_EQ(test, task_nice(task), MAX_NICE);
	kthread_stop(task);
}

static void pg_10_a_wakeup_before_it_exists(struct kunit *test)
{
	u64 ahead;

	poison_free_pages(test);
	vm_pagezero_shutdown();
	vm_pagezero_wakeup();
	/* The wake-up is on its way through an interrupt. */
	schedule_timeout_idle(2);
	ahead = COUNT(zeroed_ahead);
	vm_pagezero_wakeup();
	KUNIT_EXPECT_EQ(test, COUNT(zeroed_ahead), ahead);
	KUNIT_ASSERT_EQ(test, vm_pagezero_startup(), 0);
	/* It was not forgotten either. */
	KUNIT_EXPECT_TRUE(test, vm_test_counted(&vm_cnt.zeroed_ahead, ahead));
	let_it_zero(test);
}

/* Somebody who can run now and then, and how far the zeroing came meanwhile. */
static struct {
	struct completion go;
	u64 at;
	u64 zeroed_at;
} runner;

static void run_once(void *arg)
{
	wait_for_completion(&runner.go);
	runner.zeroed_at = COUNT(zeroed_ahead);
}

static void wake_runner(enum vm_steer_point point, void *obj)
{
	if (point == VM_STEER_ZEROED && COUNT(zeroed_ahead) == runner.at)
		complete(&runner.go);
}

static void pg_10_it_makes_way_only_for_somebody(struct kunit *test)
{
	u64 yields = COUNT(zero_yields), ahead = COUNT(zeroed_ahead), n;
	struct vm_test_thread t;

	init_completion(&runner.go);
	runner.at = ahead + 20;
	vm_test_start(test, &t, run_once, NULL);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	poison_free_pages(test);
	vm_test_steer(wake_runner);
	let_it_zero(test);
	vm_test_steer(NULL);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	n = COUNT(zeroed_ahead) - ahead;
	KUNIT_EXPECT_GT(test, n, 100);
	/* Nobody else is there most of the time. */
	KUNIT_EXPECT_LT(test, COUNT(zero_yields) - yields, n / 2);
	if (preempt_model_preemptible()) {
		KUNIT_EXPECT_EQ(test, COUNT(zero_yields), yields);
	} else if (num_online_cpus() == 1) {
		/* One who could run did, long before it was through. */
		KUNIT_EXPECT_GT(test, COUNT(zero_yields), yields);
		KUNIT_EXPECT_LT(test, runner.zeroed_at, ahead + n / 2);
	}
}

#define SWITCH	UMA_TEST_PARAMETER("vm_pagezero")

static void pg_10_it_can_be_turned_off(struct kunit *test)
{
	struct vm_page *m;
	u64 ahead;

	uma_test_set_parameter(test, SWITCH, "0");
	poison_free_pages(test);
	ahead = COUNT(zeroed_ahead);
	vm_pagezero_wakeup();
	m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_TRUE(test, is_filled(m, 0));
	vm_page_free(m);
	schedule_timeout_idle(HZ / 20);
	KUNIT_EXPECT_EQ(test, COUNT(zeroed_ahead), ahead);
	uma_test_set_parameter(test, SWITCH, "1");
	let_it_zero(test);
}

static struct kunit_case pagezero_cases[] = {
	KUNIT_CASE(pg_10_the_pool_knows_what_is_zero),
	KUNIT_CASE(pg_10_free_pages_are_zeroed_ahead),
	KUNIT_CASE(pg_10_faults_use_what_was_zeroed),
	KUNIT_CASE(pg_10_it_has_its_priority_from_the_start),
	KUNIT_CASE(pg_10_a_wakeup_before_it_exists),
	KUNIT_CASE(pg_10_it_makes_way_only_for_somebody),
	KUNIT_CASE(pg_10_it_can_be_turned_off),
	{}
};

static struct kunit_suite pagezero_suite = {
	.name = "vm_pagezero",
	.init = vm_test_init,
	.exit = vm_test_exit,
	.test_cases = pagezero_cases,
};

kunit_test_suite(pagezero_suite);

MODULE_DESCRIPTION("KUnit: free pages zeroed ahead");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
