// SPDX-License-Identifier: GPL-2.0-only
/*
 * malloc(9): blocks of all sizes keep their bytes and go back whole, and what is
 * counted under a type is exact, whoever counted it and where.
 *
 * Cases that switch uma_debug on come last: from then on every call takes the
 * long way.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "user_file.h"

#define UMA_BSD_NAMES
#include "uma_test.h"

#define DEBUGFS		"/sys/kernel/debug/uma/"
#define DEBUG_PARAM	"/sys/module/uma/parameters/uma_debug"
#define STREAM_MAX	(256 * 1024)
/* The largest block from a zone, as malloc.c has it. */
#define ZONED		16384
#define LARGE		(64 * 1024)

static MALLOC_DEFINE(M_ONE, "malloc test", "blocks of the suite");
static MALLOC_DEFINE(M_TWO, "malloc test two", "others");
static MALLOC_DEFINE(M_THREE, "a malloc type with a name that is long", "for the stream");
static MALLOC_DEFINE(M_LATE, "malloc test late", "first used in an interrupt");
static MALLOC_DEFINE(M_UNUSED, "malloc test unused", "never used");

static struct malloc_type * const test_types[] = { M_ONE, M_TWO, M_THREE };

#define NTYPES	ARRAY_SIZE(test_types)

static int malloc_test_init(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < NTYPES; i++)
		KUNIT_ASSERT_EQ(test, malloc_init(test_types[i]), 0);
	return uma_test_init(test);
}

/* What a block counts: all of it, with what uma_debug keeps for itself. */
static size_t block_bytes(const void *p)
{
	return round_up(bsd_malloc_usable_size(p), 16);
}

/* What was counted since @before. */
static struct malloc_type_stats since(struct kunit *test,
				      struct malloc_type *type,
				      const struct malloc_type_stats *before)
{
	struct malloc_type_stats now = uma_test_malloc_totals(test, type);

	now.mts_memalloced -= before->mts_memalloced;
	now.mts_memfreed -= before->mts_memfreed;
	now.mts_numallocs -= before->mts_numallocs;
	now.mts_numfrees -= before->mts_numfrees;
	now.mts_fails -= before->mts_fails;
	return now;
}

static void expect_counts(struct kunit *test, struct malloc_type *type,
			  const struct malloc_type_stats *before,
			  const struct malloc_type_stats *expected)
{
	struct malloc_type_stats now = since(test, type, before);

	KUNIT_EXPECT_EQ(test, now.mts_memalloced, expected->mts_memalloced);
	KUNIT_EXPECT_EQ(test, now.mts_memfreed, expected->mts_memfreed);
	KUNIT_EXPECT_EQ(test, now.mts_numallocs, expected->mts_numallocs);
	KUNIT_EXPECT_EQ(test, now.mts_numfrees, expected->mts_numfrees);
	KUNIT_EXPECT_EQ(test, now.mts_fails, expected->mts_fails);
}

/* Sizes */

static void uma_21_every_size_round_trips(struct kunit *test)
{
	size_t size, room;
	u8 *p;

	for (size = 0; size <= 3 * ZONED; size += size < 600 ? 1 : 499) {
		p = bsd_malloc(size, M_ONE, size % 2 ? M_WAITOK : M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL_MSG(test, p, "size %zu", size);
		room = bsd_malloc_usable_size(p);
		KUNIT_EXPECT_GE(test, room, size);
		/* Waste: no more than a third of the block, or its last grain. */
		KUNIT_EXPECT_LE_MSG(test, room,
				    max_t(size_t, round_up(size * 3 / 2, 16),
					  16), "size %zu", size);
		KUNIT_EXPECT_EQ(test, (unsigned long)p % 16, 0);
		if (size && is_power_of_2(size))
			KUNIT_EXPECT_EQ_MSG(test, (unsigned long)p %
					    min_t(size_t, size, PAGE_SIZE), 0,
					    "size %zu", size);
		if (size > ZONED)
			KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(p));
		memset(p, 0xa5, room);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0xa5, room));
		bsd_free(p, M_ONE);
	}
}

static void uma_21_size_zero_makes_a_block(struct kunit *test)
{
	void *a = bsd_malloc(0, M_ONE, M_WAITOK);
	void *b = bsd_malloc(0, M_ONE, M_NOWAIT);
	void *c = bsd_mallocarray(0, 100, M_ONE, M_NOWAIT);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_EXPECT_PTR_NE(test, a, b);
	KUNIT_EXPECT_PTR_NE(test, b, c);
	KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(a), 16);
	bsd_free(a, M_ONE);
	bsd_free(b, M_ONE);
	bsd_free(c, M_ONE);
	bsd_free(NULL, M_ONE);
	KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(NULL), 0);
}

/* What would overflow, and what no pool holds, is refused even to M_WAITOK. */
static void uma_21_huge_sizes_are_refused(struct kunit *test)
{
	static const size_t huge[] = {
		SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - PAGE_SIZE,
		(size_t)PAGE_SIZE << 32, (size_t)PAGE_SIZE << 31,
		(size_t)1 << 40,
	};
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats expected = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(huge); i++)
		KUNIT_EXPECT_NULL(test, bsd_malloc(huge[i], M_ONE, M_NOWAIT));
	pr_info("uma-expect-begin: malloc type \"malloc test\": .* bytes are more than there can ever be\n");
	for (i = 0; i < ARRAY_SIZE(huge); i++)
		KUNIT_EXPECT_NULL(test, bsd_malloc(huge[i], M_ONE, M_WAITOK));
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: malloc type \"malloc test\": .* elements of .* bytes overflow\n");
	KUNIT_EXPECT_NULL(test, bsd_mallocarray(SIZE_MAX / 2, 3, M_ONE,
						M_WAITOK));
	KUNIT_EXPECT_NULL(test, bsd_mallocarray((size_t)1 << 32,
						(size_t)1 << 32, M_ONE,
						M_NOWAIT));
	pr_info("uma-expect-end\n");
	expected.mts_fails = 2 * ARRAY_SIZE(huge) + 2;
	expect_counts(test, M_ONE, &before, &expected);
}

static void uma_21_zeroed_means_zeroed(struct kunit *test)
{
	static const size_t sizes[] = { 1, 16, 100, 768, 4096, 6000, ZONED,
					LARGE };
	unsigned int i;
	size_t room;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = bsd_malloc(sizes[i], M_ONE, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, p);
		room = bsd_malloc_usable_size(p);
		memset(p, 0xff, room);
		bsd_free(p, M_ONE);
		p = bsd_malloc(sizes[i], M_ONE, M_WAITOK | M_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, room));
		bsd_free(p, M_ONE);
	}
}

static void uma_21_bsd_names_work(struct kunit *test)
{
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_TWO);
	struct malloc_type_stats expected = {};
	char *p = malloc(10, M_TWO, M_WAITOK | M_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, p);
	strscpy(p, "nine char", 10);
	p = realloc(p, 1000, M_TWO, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_STREQ(test, p, "nine char");
	KUNIT_EXPECT_EQ(test, malloc_usable_size(p), 1024);
	p = reallocf(p, 5000, M_TWO, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, p);
	free(p, M_TWO);
	p = mallocarray(7, 9, M_TWO, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, p);
	free(p, M_TWO);
	expected.mts_numallocs = 4;
	expected.mts_numfrees = 4;
	expected.mts_memalloced = 16 + 1024 + 6144 + 64;
	expected.mts_memfreed = expected.mts_memalloced;
	expect_counts(test, M_TWO, &before, &expected);
}

/*
 * A random run over several types: each block holds bytes that only it could
 * hold, and a second book is kept of what each type should count.
 */
#define BLOCKS		300
#define STEPS		20000

struct held {
	u8 *p;
	size_t size;
	u8 fill;
	unsigned int type;
};

static size_t random_size(struct rnd_state *rnd)
{
	/* All magnitudes alike, a large block now and then. */
	unsigned int order = prandom_u32_state(rnd) % 15;
	size_t size = prandom_u32_state(rnd) % (2U << order);

	return order == 14 && prandom_u32_state(rnd) % 4 ? size / 64 : size;
}

static void book_alloc(struct malloc_type_stats *book, const void *p)
{
	book->mts_numallocs++;
	book->mts_memalloced += block_bytes(p);
}

static void book_free(struct malloc_type_stats *book, const void *p)
{
	book->mts_numfrees++;
	book->mts_memfreed += block_bytes(p);
}

static void check_held(struct kunit *test, const struct held *h)
{
	KUNIT_EXPECT_NULL_MSG(test, memchr_inv(h->p, h->fill, h->size),
			      "block of %zu bytes lost some", h->size);
}

static void step_realloc(struct kunit *test, struct rnd_state *rnd,
			 struct held *h, struct malloc_type_stats *book)
{
	size_t size = random_size(rnd), room = bsd_malloc_usable_size(h->p);
	u8 *new;

	new = bsd_realloc(h->p, size, test_types[h->type], M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, new);
	if (size > room ||
	    (size <= round_up(room, 16) / 2 && round_up(room, 16) > 16)) {
		KUNIT_EXPECT_PTR_NE(test, new, h->p);
		book->mts_numfrees++;
		book->mts_memfreed += round_up(room, 16);
		book_alloc(book, new);
	} else {
		KUNIT_EXPECT_PTR_EQ(test, new, h->p);
	}
	KUNIT_EXPECT_NULL_MSG(test, memchr_inv(new, h->fill,
					       min(size, h->size)),
			      "realloc from %zu to %zu lost bytes", h->size,
			      size);
	h->p = new;
	h->size = size;
	memset(h->p, h->fill, h->size);
}

static void uma_21_exact_after_a_random_run(struct kunit *test)
{
	struct malloc_type_stats before[NTYPES], book[NTYPES] = {};
	struct rnd_state rnd;
	struct held *held;
	unsigned int i, step;

	held = kunit_kcalloc(test, BLOCKS, sizeof(*held), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, held);
	prandom_seed_state(&rnd, 20240229);
	for (i = 0; i < NTYPES; i++)
		before[i] = uma_test_malloc_totals(test, test_types[i]);
	for (step = 0; step < STEPS; step++) {
		struct held *h = &held[prandom_u32_state(&rnd) % BLOCKS];

		if (!h->p) {
			h->type = prandom_u32_state(&rnd) % NTYPES;
			h->size = random_size(&rnd);
			h->fill = prandom_u32_state(&rnd);
			h->p = bsd_malloc(h->size, test_types[h->type],
					  M_WAITOK);
			KUNIT_ASSERT_NOT_NULL(test, h->p);
			book_alloc(&book[h->type], h->p);
			memset(h->p, h->fill, h->size);
			continue;
		}
		check_held(test, h);
		if (prandom_u32_state(&rnd) % 3 == 0) {
			step_realloc(test, &rnd, h, &book[h->type]);
			continue;
		}
		book_free(&book[h->type], h->p);
		bsd_free(h->p, test_types[h->type]);
		h->p = NULL;
		if (!(step % 64))
			cond_resched();
	}
	for (i = 0; i < NTYPES; i++)
		expect_counts(test, test_types[i], &before[i], &book[i]);
	for (i = 0; i < BLOCKS; i++) {
		if (!held[i].p)
			continue;
		check_held(test, &held[i]);
		book_free(&book[held[i].type], held[i].p);
		bsd_free(held[i].p, test_types[held[i].type]);
	}
	for (i = 0; i < NTYPES; i++) {
		expect_counts(test, test_types[i], &before[i], &book[i]);
		KUNIT_EXPECT_EQ(test, book[i].mts_memalloced,
				book[i].mts_memfreed);
		KUNIT_EXPECT_GT(test, book[i].mts_numallocs, STEPS / 10);
	}
}

static void uma_21_sizes_are_shown(struct kunit *test)
{
	static const struct {
		size_t size;
		unsigned int bit;
	} cases[] = {
		{ 0, 0 }, { 16, 0 }, { 17, 1 }, { 33, 2 }, { 64, 2 },
		{ 65, 3 }, { 100, 3 }, { 129, 4 }, { 4096, 8 }, { 4097, 9 },
		{ ZONED, 10 }, { ZONED + 1, 11 }, { LARGE, 12 },
		{ LARGE + 1, 13 },
	};
	struct malloc_type_stats now;
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_ASSERT_EQ(test, malloc_uninit(M_TWO), 0);
		KUNIT_ASSERT_EQ(test, malloc_init(M_TWO), 0);
		p = bsd_malloc(cases[i].size, M_TWO, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, p);
		now = uma_test_malloc_totals(test, M_TWO);
		KUNIT_EXPECT_EQ_MSG(test, now.mts_size, 1ULL << cases[i].bit,
				    "size %zu", cases[i].size);
		bsd_free(p, M_TWO);
	}
}

/* Counting from other contexts */

#define SHOTS		400
#define SHOT_OPS	20

static struct {
	struct hrtimer timer;
	struct irq_work work;
	unsigned int shots;
	unsigned int works;
	unsigned int refused;
	u64 ops;
	u64 bytes;
	struct completion done;
} irq_job;

/* In an interrupt, which may have hit a call of the same type. */
static void irq_ops(void)
{
	static const size_t sizes[] = { 10, 64, 700, 5000 };
	unsigned int i;
	void *p;

	for (i = 0; i < SHOT_OPS; i++) {
		p = bsd_malloc(sizes[i % ARRAY_SIZE(sizes)], M_ONE, M_NOWAIT);
		if (!p) {
			irq_job.refused++;
			continue;
		}
		irq_job.ops++;
		irq_job.bytes += block_bytes(p);
		bsd_free(p, M_ONE);
	}
}

static void irq_job_work(struct irq_work *work)
{
	irq_job.works++;
	irq_ops();
}

static enum hrtimer_restart irq_job_timer(struct hrtimer *timer)
{
	irq_ops();
	irq_work_queue(&irq_job.work);
	if (++irq_job.shots == SHOTS) {
		complete(&irq_job.done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ns_to_ktime(30 * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

static void uma_21_exact_with_hard_interrupts(struct kunit *test)
{
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats expected = {};
	void *p, *last = NULL;
	u64 ops = 0, bytes = 0;

	memset(&irq_job, 0, sizeof(irq_job));
	init_completion(&irq_job.done);
	init_irq_work(&irq_job.work, irq_job_work);
	hrtimer_init(&irq_job.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	irq_job.timer.function = irq_job_timer;
	hrtimer_start(&irq_job.timer, ns_to_ktime(30 * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_HARD);
	while (!completion_done(&irq_job.done)) {
		p = bsd_malloc(64, M_ONE, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, p);
		ops++;
		bytes += block_bytes(p);
		bsd_free(last, M_ONE);
		last = p;
		if (!(ops % 256))
			cond_resched();
	}
	bsd_free(last, M_ONE);
	hrtimer_cancel(&irq_job.timer);
	irq_work_sync(&irq_job.work);
	KUNIT_EXPECT_GT(test, irq_job.works, 0);
	expected.mts_numallocs = ops + irq_job.ops;
	expected.mts_numfrees = expected.mts_numallocs;
	expected.mts_memalloced = bytes + irq_job.bytes;
	expected.mts_memfreed = expected.mts_memalloced;
	expected.mts_fails = irq_job.refused;
	expect_counts(test, M_ONE, &before, &expected);
}

/* The first use of a type, in a hard interrupt under a raw lock. */
static struct {
	void *block[3];
	struct completion done;
} late_job;

static void late_job_work(struct irq_work *work)
{
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long irq;

	raw_spin_lock_irqsave(&lock, irq);
	late_job.block[0] = bsd_malloc(100, M_LATE, M_NOWAIT);
	late_job.block[1] = bsd_malloc(LARGE, M_LATE, M_NOWAIT);
	late_job.block[2] = bsd_malloc(200, M_LATE, M_NOWAIT);
	bsd_free(late_job.block[2], M_LATE);
	raw_spin_unlock_irqrestore(&lock, irq);
	complete(&late_job.done);
}

static void uma_21_first_use_in_any_context(struct kunit *test)
{
	static struct irq_work work;
	struct malloc_type_stats none = {}, expected = {};
	unsigned int i;

	init_completion(&late_job.done);
	init_irq_work(&work, late_job_work);
	KUNIT_ASSERT_TRUE(test, READ_ONCE(M_LATE->ks_state) &
				MALLOC_TYPE_NEW);
	irq_work_queue(&work);
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&late_job.done,
							  10 * HZ), 0);
	irq_work_sync(&work);
	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_NOT_NULL(test, late_job.block[i]);
	expected.mts_numallocs = 3;
	expected.mts_numfrees = 1;
	expected.mts_memalloced = 112 + LARGE + 224;
	expected.mts_memfreed = 224;
	expect_counts(test, M_LATE, &none, &expected);
	/* Its counters come by themselves, and what was counted stays. */
	for (i = 0; i < 100 && READ_ONCE(M_LATE->ks_state) &
				MALLOC_TYPE_UNBACKED; i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, READ_ONCE(M_LATE->ks_state) &
			      (MALLOC_TYPE_NEW | MALLOC_TYPE_UNBACKED), 0);
	bsd_free(late_job.block[0], M_LATE);
	bsd_free(late_job.block[1], M_LATE);
	expected.mts_numfrees = 3;
	expected.mts_memfreed = expected.mts_memalloced;
	expect_counts(test, M_LATE, &none, &expected);
	KUNIT_EXPECT_EQ(test, malloc_uninit(M_LATE), 0);
}

static long free_it(void *p)
{
	bsd_free(p, M_ONE);
	return 0;
}

static void uma_21_blocks_change_cpus(struct kunit *test)
{
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats expected = {};
	unsigned int cpu = uma_test_other_cpu(test), i;
	void *p;

	for (i = 0; i < 40; i++) {
		p = bsd_malloc(i * 500, M_ONE, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, p);
		expected.mts_numallocs++;
		expected.mts_memalloced += block_bytes(p);
		KUNIT_ASSERT_EQ(test, work_on_cpu(cpu, free_it, p), 0);
	}
	expected.mts_numfrees = expected.mts_numallocs;
	expected.mts_memfreed = expected.mts_memalloced;
	expect_counts(test, M_ONE, &before, &expected);
}

/*
 * Threads on every CPU, two at least, hand blocks of several types to each other
 * while others read and reclaim. Each keeps a book; all books together are what
 * the types counted.
 */
#define SLOTS		64
#define THREADS_MAX	8

static struct {
	void *slot[SLOTS];
	bool stop;
} exchange;

struct trader {
	struct malloc_type_stats book[NTYPES];
	struct completion done;
	unsigned int seed;
	u64 spoilt;
};

static void trade(struct trader *t, struct rnd_state *rnd)
{
	unsigned int i = prandom_u32_state(rnd) % SLOTS;
	unsigned int type = i % NTYPES;
	u64 *p = NULL;

	if (prandom_u32_state(rnd) % 4) {
		p = bsd_malloc(sizeof(u64) + random_size(rnd), test_types[type],
			       prandom_u32_state(rnd) % 2 ? M_WAITOK :
							    M_NOWAIT);
		if (p) {
			book_alloc(&t->book[type], p);
			*p = (unsigned long)p;
		} else {
			t->book[type].mts_fails++;
		}
	}
	p = xchg(&exchange.slot[i], p);
	if (!p)
		return;
	t->spoilt += *p != (unsigned long)p;
	book_free(&t->book[type], p);
	bsd_free(p, test_types[type]);
}

static int trader_fn(void *arg)
{
	struct trader *t = arg;
	struct rnd_state rnd;
	unsigned int n = 0;

	prandom_seed_state(&rnd, t->seed);
	while (!READ_ONCE(exchange.stop)) {
		trade(t, &rnd);
		if (!(++n % 64))
			cond_resched();
	}
	complete(&t->done);
	return 0;
}

static void expect_no_less(struct kunit *test,
			   const struct malloc_type_stats *last,
			   const struct malloc_type_stats *now)
{
	KUNIT_EXPECT_GE(test, now->mts_numallocs, now->mts_numfrees);
	KUNIT_EXPECT_GE(test, now->mts_memalloced, now->mts_memfreed);
	KUNIT_EXPECT_GE(test, now->mts_numallocs, last->mts_numallocs);
	KUNIT_EXPECT_GE(test, now->mts_numfrees, last->mts_numfrees);
	KUNIT_EXPECT_GE(test, now->mts_memalloced, last->mts_memalloced);
	KUNIT_EXPECT_GE(test, now->mts_memfreed, last->mts_memfreed);
}

static void uma_21_exact_with_all_cpus(struct kunit *test)
{
	struct malloc_type_stats before[NTYPES], last[NTYPES], book[NTYPES] = {};
	unsigned int n = 0, cpu, i, j, round;
	struct task_struct *task;
	struct trader *traders;

	traders = kunit_kcalloc(test, THREADS_MAX, sizeof(*traders),
				GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, traders);
	memset(&exchange, 0, sizeof(exchange));
	for (i = 0; i < NTYPES; i++) {
		before[i] = uma_test_malloc_totals(test, test_types[i]);
		last[i] = before[i];
	}
	for (round = 0; round < 2; round++) {
		for_each_online_cpu(cpu) {
			if (n == THREADS_MAX)
				break;
			init_completion(&traders[n].done);
			traders[n].seed = n + 1;
			task = kthread_create(trader_fn, &traders[n],
					      "malloc trader/%u", n);
			KUNIT_ASSERT_FALSE(test, IS_ERR(task));
			kthread_bind(task, cpu);
			wake_up_process(task);
			n++;
		}
	}
	for (round = 0; round < 25; round++) {
		for (i = 0; i < NTYPES; i++) {
			struct malloc_type_stats now;

			now = uma_test_malloc_totals(test, test_types[i]);
			expect_no_less(test, &last[i], &now);
			last[i] = now;
		}
		if (round % 10 == 0)
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		msleep(20);
	}
	WRITE_ONCE(exchange.stop, true);
	for (i = 0; i < n; i++) {
		wait_for_completion(&traders[i].done);
		KUNIT_EXPECT_EQ(test, traders[i].spoilt, 0);
		for (j = 0; j < NTYPES; j++) {
			book[j].mts_numallocs += traders[i].book[j].mts_numallocs;
			book[j].mts_numfrees += traders[i].book[j].mts_numfrees;
			book[j].mts_memalloced +=
				traders[i].book[j].mts_memalloced;
			book[j].mts_memfreed += traders[i].book[j].mts_memfreed;
			book[j].mts_fails += traders[i].book[j].mts_fails;
		}
	}
	for (i = 0; i < NTYPES; i++)
		expect_counts(test, test_types[i], &before[i], &book[i]);
	for (i = 0; i < SLOTS; i++) {
		if (!exchange.slot[i])
			continue;
		book_free(&book[i % NTYPES], exchange.slot[i]);
		bsd_free(exchange.slot[i], test_types[i % NTYPES]);
	}
	for (i = 0; i < NTYPES; i++) {
		KUNIT_EXPECT_GT(test, book[i].mts_numallocs, 0);
		KUNIT_EXPECT_EQ(test, book[i].mts_memalloced,
				book[i].mts_memfreed);
		expect_counts(test, test_types[i], &before[i], &book[i]);
	}
}

/* Between a reader's frees and its allocations, blocks come and go. */
static void stats_hook(enum uma_steer_point point, void *obj)
{
	unsigned int i;

	if (point != UMA_STEER_STATS || obj != M_ONE)
		return;
	for (i = 0; i < 10; i++)
		bsd_free(bsd_malloc(64, M_ONE, M_NOWAIT), M_ONE);
}

static void uma_21_reader_sees_no_free_without_its_allocation(struct kunit *test)
{
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats now, last;
	unsigned int i;

	last = before;
	uma_test_steer(stats_hook);
	for (i = 0; i < 50; i++) {
		now = uma_test_malloc_totals(test, M_ONE);
		KUNIT_EXPECT_LE(test, now.mts_numfrees, now.mts_numallocs);
		KUNIT_EXPECT_LE(test, now.mts_memfreed, now.mts_memalloced);
		/* The hook came in between: allocations are ahead by its own. */
		KUNIT_EXPECT_EQ(test, now.mts_numallocs - now.mts_numfrees, 10);
		KUNIT_EXPECT_GE(test, now.mts_numfrees, last.mts_numfrees);
		KUNIT_EXPECT_GE(test, now.mts_numallocs, last.mts_numallocs);
		last = now;
	}
	uma_test_steer(NULL);
	now = since(test, M_ONE, &before);
	KUNIT_EXPECT_EQ(test, now.mts_numallocs, 500);
	KUNIT_EXPECT_EQ(test, now.mts_numfrees, 500);
}

static void uma_21_other_allocators_count_under_a_type(struct kunit *test)
{
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_TWO);
	struct malloc_type_stats expected = {};

	malloc_type_allocated(M_TWO, 3 * PAGE_SIZE);
	malloc_type_allocated(M_TWO, 0);
	expected.mts_numallocs = 1;
	expected.mts_memalloced = 3 * PAGE_SIZE;
	expected.mts_fails = 1;
	expect_counts(test, M_TWO, &before, &expected);
	pr_info("uma-expect-begin: cannot unregister malloc type \"malloc test two\": 12288 bytes in 1 blocks are in use\n");
	KUNIT_EXPECT_EQ(test, malloc_uninit(M_TWO), -EBUSY);
	pr_info("uma-expect-end\n");
	malloc_type_freed(M_TWO, 3 * PAGE_SIZE);
	expected.mts_numfrees = 1;
	expected.mts_memfreed = expected.mts_memalloced;
	expect_counts(test, M_TWO, &before, &expected);
}

/* Large blocks */

static void uma_17_large_block_leaves_its_pages_as_they_came(struct kunit *test)
{
	struct vm_object *owner = (void *)0x1234567890UL;
	unsigned int n = LARGE >> PAGE_SHIFT, i;
	struct vm_page *m, *again;
	void *p;

	/* The pool hands the same run out again. */
	m = uma_pool_alloc(uma_pool, n, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < n; i++) {
		m[i].object = owner;
		m[i].pindex = 17 + i;
	}
	uma_pool_free(uma_pool, m, n);
	p = bsd_malloc(LARGE, M_ONE, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, p);
	again = uma_pool_lookup(uma_pool, p);
	KUNIT_EXPECT_PTR_EQ(test, again, m);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_PTR_EQ(test, m[i].object, owner);
		KUNIT_EXPECT_NULL(test, m[i].slab);
	}
	bsd_free(p, M_ONE);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_PTR_EQ(test, m[i].object, owner);
		/* That of the first two said what the block was. */
		KUNIT_EXPECT_EQ(test, m[i].pindex, i < 2 ? 0 : 17 + i);
		KUNIT_EXPECT_NULL(test, m[i].slab);
		m[i].object = NULL;
	}
}

static void uma_21_large_blocks_give_their_pages_back(struct kunit *test)
{
	unsigned long before = uma_test_free_pages();
	struct uma_pool_stats st;
	void *p = bsd_malloc(LARGE + 1, M_ONE, M_WAITOK);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(p), LARGE + PAGE_SIZE);
	uma_pool_get_stats(uma_pool, &st);
	KUNIT_EXPECT_EQ(test, st.free, before - LARGE / PAGE_SIZE - 1);
	bsd_free(p, M_ONE);
	/* At once, and without a reclaim. */
	uma_pool_get_stats(uma_pool, &st);
	KUNIT_EXPECT_EQ(test, st.free, before);
}

/* What is left in the pool, taken away; or all but pages that are no run. */
struct hog {
	struct vm_page **pages;
	unsigned long n;
};

static void hog_free(void *arg)
{
	struct hog *hog = arg;
	unsigned long i;

	for (i = 0; i < hog->n; i++)
		if (hog->pages[i])
			uma_pool_free(uma_pool, hog->pages[i], 1);
	kvfree(hog->pages);
	hog->pages = NULL;
	hog->n = 0;
}

static void hog_take(struct kunit *test, struct hog *hog)
{
	struct uma_pool_stats st;

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_pool_get_stats(uma_pool, &st);
	hog->n = 0;
	hog->pages = kvcalloc(st.free, sizeof(*hog->pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, hog->pages);
	while (hog->n < st.free &&
	       (hog->pages[hog->n] = uma_pool_alloc(uma_pool, 1,
						    M_NOWAIT | M_USE_RESERVE)))
		hog->n++;
}

static void uma_21_failure_returns_null_and_counts(struct kunit *test)
{
	static const size_t sizes[] = { 4096, 6000, 3000, ZONED, LARGE };
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats expected = {};
	unsigned int i, n = 0;
	struct hog hog;
	void *p, *old;

	old = bsd_malloc(2000, M_ONE, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, old);
	memset(old, 0x3c, 2000);
	hog_take(test, &hog);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = bsd_malloc(sizes[i], M_ONE, M_NOWAIT);
		KUNIT_EXPECT_NULL_MSG(test, p, "size %zu", sizes[i]);
		n += !p;
		bsd_free(p, M_ONE);
	}
	/* The old block stays, or goes, as the manual page says. */
	KUNIT_EXPECT_NULL(test, bsd_realloc(old, 5000, M_ONE, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, memchr_inv(old, 0x3c, 2000));
	expected.mts_numallocs = 1;
	expected.mts_memalloced = 2048;
	expected.mts_fails = n + 1;
	expect_counts(test, M_ONE, &before, &expected);
	KUNIT_EXPECT_NULL(test, bsd_reallocf(old, 5000, M_ONE, M_NOWAIT));
	expected.mts_numfrees = 1;
	expected.mts_memfreed = 2048;
	expected.mts_fails++;
	expect_counts(test, M_ONE, &before, &expected);
	hog_free(&hog);
	p = bsd_malloc(LARGE, M_ONE, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, p);
	bsd_free(p, M_ONE);
}

/* A thread that allocates, so that the case can see it wait. */
struct waiter {
	size_t size;
	int flags;
	void *block;
	struct completion done;
};

static int waiter_fn(void *arg)
{
	struct waiter *w = arg;

	w->block = bsd_malloc(w->size, M_ONE, w->flags);
	complete(&w->done);
	return 0;
}

static void waiter_start(struct kunit *test, struct waiter *w, size_t size,
			 int flags)
{
	w->size = size;
	w->flags = flags;
	w->block = NULL;
	init_completion(&w->done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(waiter_fn, w,
						    "malloc waiter")));
}

static void uma_21_waitok_waits(struct kunit *test)
{
	static const size_t sizes[] = { 2000, 3000, ZONED, LARGE };
	struct waiter w;
	struct hog hog;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		hog_take(test, &hog);
		waiter_start(test, &w, sizes[i], M_WAITOK);
		KUNIT_EXPECT_EQ(test,
				wait_for_completion_timeout(&w.done, HZ / 4),
				0);
		hog_free(&hog);
		KUNIT_ASSERT_GT(test,
				wait_for_completion_timeout(&w.done, 20 * HZ),
				0);
		KUNIT_EXPECT_NOT_NULL(test, w.block);
		bsd_free(w.block, M_ONE);
	}
}

static void hog_leave_no_run(struct hog *hog)
{
	unsigned long i;

	/* Every third page, by address: no two of them are neighbours. */
	for (i = 0; i < hog->n; i++) {
		if (hog->pages[i]->phys_pfn % 3)
			continue;
		uma_pool_free(uma_pool, hog->pages[i], 1);
		hog->pages[i] = NULL;
	}
}

/* Pages enough, no two of them neighbours: who may sleep is served all the same. */
static void uma_21_waitok_does_without_runs(struct kunit *test)
{
	static const size_t sizes[] = { 1200, 3000, 5000, ZONED, LARGE };
	unsigned long flags, free;
	struct uma_pool_stats st;
	struct hog hog;
	unsigned int i, tries;
	size_t room;
	u8 *p;

	hog_take(test, &hog);
	hog_leave_no_run(&hog);
	uma_pool_get_stats(uma_pool, &st);
	free = st.free;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* Above a page there must be a range to enter pages in. */
		if (sizes[i] > PAGE_SIZE && IS_ENABLED(CONFIG_UML))
			continue;
		p = bsd_malloc(sizes[i], M_ONE, M_WAITOK | M_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, p);
		room = bsd_malloc_usable_size(p);
		KUNIT_EXPECT_GE(test, room, sizes[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, room));
		memset(p, 0x77, room);
		KUNIT_EXPECT_EQ(test, is_vmalloc_addr(p), sizes[i] > PAGE_SIZE);
		if (!IS_ENABLED(CONFIG_UML)) {
			p = bsd_realloc(p, sizes[i] + room, M_ONE, M_WAITOK);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x77, room));
		}
		/* Freed where nobody may sleep. */
		local_irq_save(flags);
		bsd_free(p, M_ONE);
		local_irq_restore(flags);
	}
	for (tries = 0; tries < 100; tries++) {
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		uma_pool_get_stats(uma_pool, &st);
		if (st.free == free)
			break;
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, st.free, free);
	hog_free(&hog);
}

/* CT-10 */

static void ct_10_failure_is_returned_not_slept_through(struct kunit *test)
{
	static const int flags[] = {
		M_NOWAIT, M_NOWAIT | M_ZERO, 0, M_ZERO, M_WAITOK | M_NOWAIT,
	};
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats expected = {};
	struct waiter w;
	struct hog hog;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		bool returned, clear = (flags[i] & (M_WAITOK | M_NOWAIT)) == M_NOWAIT;

		hog_take(test, &hog);
		if (!clear)
			pr_info("uma-expect-begin: malloc type \"malloc test\": flags 0x[0-9a-f]+ do not tell M_WAITOK from M_NOWAIT, from waiter_fn\n");
		waiter_start(test, &w, LARGE, flags[i]);
		returned = wait_for_completion_timeout(&w.done, HZ);
		KUNIT_EXPECT_TRUE_MSG(test, returned, "flags %#x: it sleeps",
				      flags[i]);
		if (!clear)
			pr_info("uma-expect-end\n");
		hog_free(&hog);
		if (!returned)
			KUNIT_ASSERT_GT(test,
					wait_for_completion_timeout(&w.done,
								    20 * HZ),
					0);
		KUNIT_EXPECT_NULL(test, w.block);
		bsd_free(w.block, M_ONE);
	}
	expected.mts_fails = ARRAY_SIZE(flags);
	expect_counts(test, M_ONE, &before, &expected);
}

/* With memory there, the old form works, and is reported as well. */
static void ct_10_old_form_is_reported(struct kunit *test)
{
	static const int flags[] = { 0, M_WAITOK | M_NOWAIT };
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		pr_info("uma-expect-begin: malloc type \"malloc test\": flags 0x[0-9a-f]+ do not tell M_WAITOK from M_NOWAIT, from ct_10_old\n");
		preempt_disable();
		p = bsd_malloc(100, M_ONE, flags[i]);
		preempt_enable();
		pr_info("uma-expect-end\n");
		KUNIT_EXPECT_NOT_NULL(test, p);
		bsd_free(p, M_ONE);
	}
	pr_info("uma-expect-begin: malloc type \"malloc test\": flags 0x10000 are not supported\n");
	KUNIT_EXPECT_NULL(test, bsd_malloc(100, M_ONE, M_NOWAIT | 0x10000));
	KUNIT_EXPECT_NULL(test, bsd_malloc(100, M_ONE, M_WAITOK | 0x4));
	pr_info("uma-expect-end\n");
}

/* Types */

static void uma_21_types_come_and_go(struct kunit *test)
{
	struct malloc_type nameless = {
		.ks_state = MALLOC_TYPE_MAGIC | MALLOC_TYPE_NEW,
	};
	struct malloc_type none = {};
	struct malloc_type *type;
	unsigned int n, seen = 0;

	pr_info("uma-expect-begin: cannot register a malloc type without a name\n");
	KUNIT_EXPECT_EQ(test, malloc_init(&nameless), -EINVAL);
	KUNIT_EXPECT_EQ(test, malloc_init(&none), -EINVAL);
	KUNIT_EXPECT_EQ(test, malloc_init(NULL), -EINVAL);
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: cannot unregister .*: not a registered malloc type\n");
	KUNIT_EXPECT_EQ(test, malloc_uninit(M_UNUSED), -EINVAL);
	KUNIT_EXPECT_EQ(test, malloc_uninit(&none), -EINVAL);
	KUNIT_EXPECT_EQ(test, malloc_uninit(NULL), -EINVAL);
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: is no malloc type\n");
	KUNIT_EXPECT_NULL(test, bsd_malloc(10, NULL, M_WAITOK));
	KUNIT_EXPECT_NULL(test, bsd_malloc(10, &none, M_WAITOK));
	pr_info("uma-expect-end\n");

	n = uma_malloc_types_begin();
	uma_malloc_types_end();
	KUNIT_EXPECT_EQ(test, malloc_init(M_UNUSED), 0);
	KUNIT_EXPECT_EQ(test, malloc_init(M_UNUSED), 0);
	KUNIT_EXPECT_EQ(test, uma_malloc_types_begin(), n + 1);
	for (type = NULL; (type = uma_malloc_types_next(type));)
		seen += type == M_UNUSED;
	uma_malloc_types_end();
	KUNIT_EXPECT_EQ(test, seen, 1);
	KUNIT_EXPECT_EQ(test, malloc_uninit(M_UNUSED), 0);
	KUNIT_EXPECT_EQ(test, uma_malloc_types_begin(), n);
	uma_malloc_types_end();
}

static struct malloc_type *find_type(const char *name)
{
	struct malloc_type *type = NULL;

	uma_malloc_types_begin();
	while ((type = uma_malloc_types_next(type)))
		if (!strcmp(type->ks_shortdesc, name))
			break;
	uma_malloc_types_end();
	return type;
}

/*
 * What the module notifier does: the type goes, its memory with it, and a
 * record stays where something was left. A module that never was plays the one
 * that goes.
 */
static void uma_21_module_leaves_bytes_behind(struct kunit *test)
{
	struct module *mod = kunit_kzalloc(test, sizeof(*mod), GFP_KERNEL);
	struct malloc_type *clean, *dirty, *ghost;
	struct malloc_type_stats now;
	void *p;

	clean = kzalloc(sizeof(*clean), GFP_KERNEL);
	dirty = kzalloc(sizeof(*dirty), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mod);
	KUNIT_ASSERT_NOT_NULL(test, clean);
	KUNIT_ASSERT_NOT_NULL(test, dirty);
	strscpy(mod->name, "untidy", sizeof(mod->name));
	*clean = *M_UNUSED;
	clean->ks_shortdesc = "malloc test clean";
	clean->ks_owner = mod;
	*dirty = *clean;
	dirty->ks_shortdesc = "malloc test dirty";
	p = bsd_malloc(100, clean, M_WAITOK);
	bsd_free(p, clean);
	p = bsd_malloc(100, dirty, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, p);

	pr_info("uma-expect-begin: module untidy leaves 112 bytes of malloc type \"malloc test dirty\" behind, in 1 blocks\n");
	uma_malloc_module_gone(mod);
	pr_info("uma-expect-end\n");
	memset(clean, 0xa5, sizeof(*clean));
	memset(dirty, 0xa5, sizeof(*dirty));
	kfree(clean);
	kfree(dirty);
	KUNIT_EXPECT_NULL(test, find_type("malloc test clean"));
	ghost = find_type("malloc test dirty");
	KUNIT_ASSERT_NOT_NULL(test, ghost);
	KUNIT_EXPECT_PTR_NE(test, ghost, dirty);
	now = uma_test_malloc_totals(test, ghost);
	KUNIT_EXPECT_EQ(test, now.mts_memalloced, 112);
	KUNIT_EXPECT_EQ(test, now.mts_memfreed, 0);
	/* Only the suite, which still knows the block, can put it right. */
	bsd_free(p, ghost);
	KUNIT_EXPECT_EQ(test, malloc_uninit(ghost), 0);
	KUNIT_EXPECT_NULL(test, find_type("malloc test dirty"));
}

/* The files */

struct stream {
	u8 *data;
	ssize_t len;
	u32 slots;
	u32 count;
};

static void release_stream(void *data)
{
	vfree(data);
}

static struct file *open_file(struct kunit *test, const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path,
			       PTR_ERR(file));
	return file;
}

static struct stream take_stream(struct kunit *test, struct file *file,
				 char __user *ubuf, size_t step)
{
	struct stream s = { .data = vzalloc(STREAM_MAX) };

	KUNIT_ASSERT_NOT_NULL(test, s.data);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, release_stream,
							s.data), 0);
	s.len = user_read(test, file, ubuf, s.data, STREAM_MAX, step);
	KUNIT_ASSERT_GE(test, s.len, 16);
	KUNIT_ASSERT_EQ(test, get_unaligned((u32 *)s.data), 1);
	s.slots = get_unaligned((u32 *)(s.data + 4));
	s.count = get_unaligned((u32 *)(s.data + 8));
	KUNIT_EXPECT_EQ(test, get_unaligned((u32 *)(s.data + 12)), 0);
	KUNIT_EXPECT_EQ(test, s.slots, nr_cpu_ids);
	KUNIT_ASSERT_EQ(test, s.len, 16 + s.count * (32 + s.slots * 64));
	return s;
}

static const u8 *find_record(const struct stream *s, const char *name)
{
	u32 i;

	for (i = 0; i < s->count; i++) {
		const u8 *r = s->data + 16 + (size_t)i * (32 + s->slots * 64);

		if (!strncmp(r, name, 32))
			return r;
	}
	return NULL;
}

static void uma_21_stream_shows_what_was_counted(struct kunit *test)
{
	struct file *file = open_file(test, DEBUGFS "malloc_stats");
	char __user *ubuf = user_memory(test, STREAM_MAX);
	struct malloc_type_stats t;
	struct stream s, again;
	u64 sum[8] = {};
	unsigned int i, cpu;
	void *p;
	const u8 *r;

	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode & 0777, 0400);
	filp_close(file, NULL);
	p = bsd_malloc(1000, M_ONE, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, p);
	t = uma_test_malloc_totals(test, M_ONE);
	file = open_file(test, DEBUGFS "malloc_stats");
	s = take_stream(test, file, ubuf, PAGE_SIZE);
	bsd_free(p, M_ONE);
	/* One open is one snapshot. */
	for (i = 1; i < 2000; i = i * 7 + 6) {
		again = take_stream(test, file, ubuf, i);
		KUNIT_ASSERT_EQ(test, again.len, s.len);
		KUNIT_EXPECT_MEMEQ(test, again.data, s.data, s.len);
	}
	filp_close(file, NULL);

	r = find_record(&s, "malloc test");
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_EXPECT_NULL(test, memchr_inv(r + 11, 0, 32 - 11));
	for (cpu = 0; cpu < s.slots; cpu++)
		for (i = 0; i < 8; i++) {
			u64 n = get_unaligned((u64 *)(r + 32 + cpu * 64 +
						      i * 8));

			if (i == 4)
				sum[i] |= n;
			else
				sum[i] += n;
		}
	KUNIT_EXPECT_EQ(test, sum[0], t.mts_memalloced);
	KUNIT_EXPECT_EQ(test, sum[1], t.mts_memfreed);
	KUNIT_EXPECT_EQ(test, sum[0] - sum[1], 1024);
	KUNIT_EXPECT_EQ(test, sum[2], t.mts_numallocs);
	KUNIT_EXPECT_EQ(test, sum[3], t.mts_numfrees);
	KUNIT_EXPECT_EQ(test, sum[2] - sum[3], 1);
	KUNIT_EXPECT_EQ(test, sum[4], t.mts_size);
	KUNIT_EXPECT_TRUE(test, sum[4] & 1 << 6);
	KUNIT_EXPECT_EQ(test, sum[5], t.mts_fails);
	KUNIT_EXPECT_EQ(test, sum[6] | sum[7], 0);
	/* Cut and terminated there, whole inside. */
	KUNIT_EXPECT_NOT_NULL(test, find_record(&s,
						"a malloc type with a name that "));
	KUNIT_EXPECT_NULL(test, find_record(&s, "malloc test unused"));
}

static void uma_21_types_as_text(struct kunit *test)
{
	struct file *file;
	char __user *ubuf = user_memory(test, STREAM_MAX);
	unsigned long long requests, fails;
	long long in_use, kib;
	char *text, *line;
	ssize_t n;
	void *p;

	text = vzalloc(STREAM_MAX);
	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, release_stream,
							text), 0);
	KUNIT_ASSERT_EQ(test, malloc_uninit(M_TWO), 0);
	KUNIT_ASSERT_EQ(test, malloc_init(M_TWO), 0);
	p = bsd_malloc(1000, M_TWO, M_WAITOK);
	bsd_free(bsd_malloc(20, M_TWO, M_WAITOK), M_TWO);
	file = open_file(test, DEBUGFS "malloc_types");
	n = user_read(test, file, ubuf, text, STREAM_MAX - 1, 333);
	filp_close(file, NULL);
	bsd_free(p, M_TWO);
	KUNIT_ASSERT_GT(test, n, 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "Type "));
	line = strstr(text, " malloc test two ");
	KUNIT_ASSERT_NOT_NULL(test, line);
	n = sscanf(line, " malloc test two %lld %lldK %llu %llu", &in_use, &kib,
		   &requests, &fails);
	KUNIT_ASSERT_EQ(test, n, 4);
	KUNIT_EXPECT_EQ(test, in_use, 1);
	KUNIT_EXPECT_EQ(test, kib, 1);
	KUNIT_EXPECT_EQ(test, requests, 2);
	KUNIT_EXPECT_EQ(test, fails, 0);
	line = strchrnul(line, '\n');
	KUNIT_EXPECT_EQ(test, strncmp(line - 9, "  32,1024", 9), 0);
}

/* Wrong frees that are found at once. The log's lines are limited. */

static void uma_21_what_is_no_block_is_refused(struct kunit *test)
{
	struct malloc_type_stats before, expected = {};
	uma_zone_t zone = uma_test_zone(test, "malloc test", 64, 0);
	void *slab = kmalloc(64, GFP_KERNEL), *mapped = vmalloc(PAGE_SIZE);
	struct vm_page *m = uma_pool_alloc(uma_pool, 1, M_NOWAIT);
	void *item = uma_zalloc(zone, M_WAITOK);
	void *large = bsd_malloc(LARGE, M_ONE, M_WAITOK);
	void *small = bsd_malloc(500, M_ONE, M_WAITOK);
	unsigned int i, on_stack = 7;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_ASSERT_NOT_NULL(test, mapped);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_NOT_NULL(test, small);
	before = uma_test_malloc_totals(test, M_ONE);
	{
		void * const bad[] = {
			small + 8, large + 16, large + PAGE_SIZE, item, slab,
			mapped, &on_stack, vm_page_kva(m), (void *)8,
			(void *)-16L, (void *)(-1UL << 47),
			(void *)0x00007fff12345670UL, M_ONE,
		};

		pr_info("uma-expect-begin: malloc type \"malloc test\": free of .* refused: an address inside a block\n");
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			bsd_free(bad[i], M_ONE);
			KUNIT_EXPECT_NULL(test, bsd_realloc(bad[i], 10, M_ONE,
							    M_NOWAIT));
			KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(bad[i]),
					0);
		}
		pr_info("uma-expect-end\n");
	}
	expect_counts(test, M_ONE, &before, &expected);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1);
	KUNIT_EXPECT_EQ(test, on_stack, 7);
	uma_zfree(zone, item);
	bsd_free(large, M_ONE);
	bsd_free(small, M_ONE);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	uma_pool_free(uma_pool, m, 1);
	vfree(mapped);
	kfree(slab);
}

/* Only so many refusals a second reach the log: let the others through. */
static void wait_out_the_rate_limit(void)
{
	msleep(5100);
}

static void uma_21_wrong_frees_of_large_blocks_are_refused(struct kunit *test)
{
	struct malloc_type_stats one = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats two = uma_test_malloc_totals(test, M_TWO);
	struct malloc_type_stats expected = {};
	void *p = bsd_malloc(LARGE, M_ONE, M_WAITOK);

	KUNIT_ASSERT_NOT_NULL(test, p);
	wait_out_the_rate_limit();
	pr_info("uma-expect-begin: malloc type \"malloc test two\": free of .* refused: it was allocated under \"malloc test\"\n");
	bsd_free(p, M_TWO);
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: malloc type \"malloc test unused\": free of .* refused: nothing was allocated under this type\n");
	bsd_free(p, M_UNUSED);
	pr_info("uma-expect-end\n");
	pr_info("uma-expect-begin: malloc type \"malloc test two\": realloc of .* refused: it was allocated under\n");
	KUNIT_EXPECT_NULL(test, bsd_realloc(p, 10, M_TWO, M_NOWAIT));
	pr_info("uma-expect-end\n");
	memset(p, 0x11, LARGE);
	bsd_free(p, M_ONE);
	pr_info("uma-expect-begin: malloc type \"malloc test\": free of .* refused: not a block, or one that is free already\n");
	bsd_free(p, M_ONE);
	pr_info("uma-expect-end\n");
	expect_counts(test, M_TWO, &two, &expected);
	expected.mts_numallocs = 1;
	expected.mts_numfrees = 1;
	expected.mts_memalloced = LARGE;
	expected.mts_memfreed = LARGE;
	expect_counts(test, M_ONE, &one, &expected);
}

/* With uma_debug */

static void set_debug(struct kunit *test, bool on)
{
	struct file *file = filp_open(DEBUG_PARAM, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	n = kernel_write(file, on ? "1" : "0", 1, &pos);
	filp_close(file, NULL);
	KUNIT_ASSERT_EQ(test, n, 1);
}

static void debug_wrong_type_is_refused(struct kunit *test)
{
	static const size_t sizes[] = { 0, 8, 9, 100, 4096, ZONED - 8, ZONED,
					LARGE };
	struct malloc_type_stats two = uma_test_malloc_totals(test, M_TWO);
	struct malloc_type_stats expected = {};
	void *p, *old = bsd_malloc(100, M_ONE, M_WAITOK);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, old);
	set_debug(test, true);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = bsd_malloc(sizes[i], M_ONE, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_GE(test, bsd_malloc_usable_size(p), sizes[i]);
		/* All that may be used, and the mark stays. */
		memset(p, 0x5a, bsd_malloc_usable_size(p));
		pr_info("uma-expect-begin: malloc type \"malloc test two\": free of .* refused: it was allocated under \"malloc test\"\n");
		bsd_free(p, M_TWO);
		pr_info("uma-expect-end\n");
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x5a, sizes[i]));
		bsd_free(p, M_ONE);
	}
	expect_counts(test, M_TWO, &two, &expected);
	/* One from before it was on has no mark, and can be freed. */
	bsd_free(old, M_ONE);
	set_debug(test, false);
}

static void debug_double_free_is_refused(struct kunit *test)
{
	struct malloc_type_stats before = uma_test_malloc_totals(test, M_ONE);
	struct malloc_type_stats expected = {};
	void *p;

	set_debug(test, true);
	p = bsd_malloc(100, M_ONE, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, p);
	bsd_free(p, M_ONE);
	pr_info("uma-expect-begin: zone \"malloc-112\": free of .* refused: an item that is free already\n");
	bsd_free(p, M_ONE);
	pr_info("uma-expect-end\n");
	expected.mts_numallocs = 1;
	expected.mts_numfrees = 1;
	expected.mts_memalloced = 112;
	expected.mts_memfreed = 112;
	expect_counts(test, M_ONE, &before, &expected);
	set_debug(test, false);
}

/*
 * A mark means nothing once its block is free: not to the next owner, who never
 * touches the block's end, nor when bytes are copied.
 */
static void debug_marks_do_not_outlive_their_block(struct kunit *test)
{
	void *a[20], *b[20];
	unsigned int i, round;

	for (round = 0; round < 4; round++) {
		set_debug(test, true);
		for (i = 0; i < ARRAY_SIZE(a); i++) {
			a[i] = bsd_malloc(100, M_ONE, M_WAITOK);
			KUNIT_ASSERT_NOT_NULL(test, a[i]);
		}
		set_debug(test, round & 1);
		for (i = 0; i < ARRAY_SIZE(a); i++)
			bsd_free(a[i], M_ONE);
		set_debug(test, round & 2);
		for (i = 0; i < ARRAY_SIZE(b); i++) {
			b[i] = bsd_malloc(112, M_TWO, M_WAITOK);
			KUNIT_ASSERT_NOT_NULL(test, b[i]);
		}
		set_debug(test, true);
		/* No message: the log's scan would find it. */
		for (i = 0; i < ARRAY_SIZE(b); i++)
			bsd_free(b[i], M_TWO);
	}
	a[0] = bsd_malloc(100, M_ONE, M_WAITOK);
	b[0] = bsd_malloc(100, M_TWO, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, a[0]);
	KUNIT_ASSERT_NOT_NULL(test, b[0]);
	memcpy(b[0], a[0], 112);
	bsd_free(b[0], M_TWO);
	bsd_free(a[0], M_ONE);
	KUNIT_EXPECT_EQ(test, uma_test_malloc_totals(test, M_TWO).mts_numallocs,
			uma_test_malloc_totals(test, M_TWO).mts_numfrees);
	set_debug(test, false);
}

/* The whole of it again, the long way. */
static void debug_exact_after_a_random_run(struct kunit *test)
{
	set_debug(test, true);
	uma_21_exact_with_hard_interrupts(test);
	uma_21_exact_with_all_cpus(test);
	set_debug(test, false);
	uma_21_exact_after_a_random_run(test);
}

static struct kunit_case malloc_cases[] = {
	KUNIT_CASE(uma_21_every_size_round_trips),
	KUNIT_CASE(uma_21_size_zero_makes_a_block),
	KUNIT_CASE(uma_21_huge_sizes_are_refused),
	KUNIT_CASE(uma_21_zeroed_means_zeroed),
	KUNIT_CASE(uma_21_bsd_names_work),
	KUNIT_CASE(uma_21_exact_after_a_random_run),
	KUNIT_CASE(uma_21_sizes_are_shown),
	KUNIT_CASE(uma_21_exact_with_hard_interrupts),
	KUNIT_CASE(uma_21_first_use_in_any_context),
	KUNIT_CASE(uma_21_blocks_change_cpus),
	KUNIT_CASE(uma_21_exact_with_all_cpus),
	KUNIT_CASE(uma_21_reader_sees_no_free_without_its_allocation),
	KUNIT_CASE(uma_21_other_allocators_count_under_a_type),
	KUNIT_CASE(uma_17_large_block_leaves_its_pages_as_they_came),
	KUNIT_CASE(uma_21_large_blocks_give_their_pages_back),
	KUNIT_CASE(uma_21_failure_returns_null_and_counts),
	KUNIT_CASE(uma_21_waitok_waits),
	KUNIT_CASE(uma_21_waitok_does_without_runs),
	KUNIT_CASE(ct_10_failure_is_returned_not_slept_through),
	KUNIT_CASE(ct_10_old_form_is_reported),
	KUNIT_CASE(uma_21_types_come_and_go),
	KUNIT_CASE(uma_21_module_leaves_bytes_behind),
	KUNIT_CASE(uma_21_stream_shows_what_was_counted),
	KUNIT_CASE(uma_21_types_as_text),
	KUNIT_CASE(uma_21_what_is_no_block_is_refused),
	KUNIT_CASE(uma_21_wrong_frees_of_large_blocks_are_refused),
	KUNIT_CASE(debug_wrong_type_is_refused),
	KUNIT_CASE(debug_double_free_is_refused),
	KUNIT_CASE(debug_marks_do_not_outlive_their_block),
	KUNIT_CASE(debug_exact_after_a_random_run),
	{}
};

static struct kunit_suite malloc_suite = {
	.name = "malloc",
	.init = malloc_test_init,
	.exit = uma_test_exit,
	.test_cases = malloc_cases,
};

kunit_test_suite(malloc_suite);

MODULE_DESCRIPTION("KUnit: malloc(9) and its types");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
