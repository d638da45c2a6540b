/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites about MemGuard have in common: nothing is guarded before and
 * after a case, reports let the access go on, and each report that a case
 * provokes is announced, counted and read.
 */
#ifndef _UMA_MEMGUARD_TEST_H
#define _UMA_MEMGUARD_TEST_H

#include <kunit/test.h>
#include <linux/compiler.h>
#include <linux/console.h>
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/panic.h>
#include <linux/string.h>

#include "memguard/arena.h"
#include "memguard/fault.h"
#include "memguard/guard.h"
#include "memguard/report.h"
#include "uma/guard.h"
#include "uma/kva.h"
#include "uma/pool.h"

#include "uma_test.h"

/**
 * struct mg_test - a case's
 * @pages: free pages of the pool before
 * @seen: reports of each kind, as far as the case has asked for them
 * @bad: the kernel had complained before
 * @loglevel: of the console, while mg_quiet()
 * @report: the last one's text
 */
struct mg_test {
	unsigned long pages;
	u64 seen[MEMGUARD_KINDS];
	bool bad;
	int loglevel;
	char report[MEMGUARD_REPORT_MAX];
};

/* Of whatever: a warning, KASAN, lockdep, an oops. */
static inline bool mg_kernel_complained(void)
{
	return test_taint(TAINT_WARN) || test_taint(TAINT_BAD_PAGE) ||
	       test_taint(TAINT_DIE) || !debug_locks;
}

static inline void mg_note_counts(struct mg_test *mg)
{
	enum memguard_kind kind;

	for (kind = 0; kind < MEMGUARD_KINDS; kind++)
		mg->seen[kind] = memguard_report_count(kind);
}

/* Write a parameter as a user would. Returns 0 or an errno. */
static inline int mg_try_parameter(const char *path, const char *value)
{
	ssize_t n = uma_test_try_parameter(path, value);

	return n < 0 ? n : 0;
}

/* Read it, without the newline. */
static inline void mg_get_parameter(struct kunit *test, const char *path,
				    char *value, size_t size)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	n = kernel_read(file, value, size - 1, &pos);
	filp_close(file, NULL);
	KUNIT_ASSERT_GE(test, n, (ssize_t)0);
	value[n] = '\0';
	strim(value);
}

#define MG_PARAMETER(name)	UMA_TEST_PARAMETER("memguard_" name)

/* Guard what @desc says from now on. */
static inline void mg_guard(struct kunit *test, const char *desc)
{
	KUNIT_ASSERT_EQ_MSG(test, memguard_set_desc(desc), 0, "%s", desc);
}

static inline void mg_plain(void)
{
	mg_try_parameter(MG_PARAMETER("continue"), "Y");
	mg_try_parameter(MG_PARAMETER("large"), "N");
	mg_try_parameter(MG_PARAMETER("minsize"), "0");
	mg_try_parameter(MG_PARAMETER("maxsize"), "0");
	WRITE_ONCE(memguard_options.start, false);
	WRITE_ONCE(memguard_options.noread, false);
	memguard_set_desc("");
}

/**
 * mg_init() - a suite's init
 * @test: the case, skipped where nothing can be guarded
 *
 * Return: 0.
 */
static inline int mg_init(struct kunit *test)
{
	struct mg_test *mg;

	if (!uma_kva_supported())
		kunit_skip(test, "no address ranges on this architecture");
	mg = kunit_kzalloc(test, sizeof(*mg), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mg);
	/* The arena is made with the first rule, and stays. */
	mg_guard(test, "no such zone");
	KUNIT_ASSERT_TRUE_MSG(test, memguard_fault_intercepted(),
			      "faults are not intercepted");
	mg_plain();
	uma_test_init(test);
	mg->pages = (unsigned long)test->priv;
	mg->bad = mg_kernel_complained();
	mg_note_counts(mg);
	test->priv = mg;
	return 0;
}

/* What is left of it, in suites with an exit of their own. */
static inline void mg_exit(struct kunit *test)
{
	struct mg_test *mg = test->priv;
	struct memguard_arena_stats st;
	enum memguard_kind kind;

	if (!mg)
		return;
	uma_test_steer(NULL);
	mg_plain();
	mg_try_parameter(MG_PARAMETER("continue"), "N");
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_EQ_MSG(test, st.ranges_live, 0, "guarded items are left");
	KUNIT_EXPECT_EQ(test, st.ranges_queued, 0);
	KUNIT_EXPECT_EQ(test, st.slots_live, 0);
	KUNIT_EXPECT_EQ(test, st.slots_queued, 0);
	KUNIT_EXPECT_EQ(test, st.bytes_live, 0);
	KUNIT_EXPECT_EQ(test, st.pages, 0);
	KUNIT_EXPECT_EQ(test, st.pages_wasted, 0);
	for (kind = 0; kind < MEMGUARD_KINDS; kind++)
		KUNIT_EXPECT_EQ_MSG(test, memguard_report_count(kind),
				    mg->seen[kind], "reports of %s",
				    memguard_kind_name(kind));
	KUNIT_EXPECT_EQ_MSG(test, mg_kernel_complained(), mg->bad,
			    "the kernel has complained");
	KUNIT_EXPECT_EQ_MSG(test, uma_test_free_pages(), mg->pages,
			    "the case keeps pages of the pool");
}

/* An access, of which the report must name the function. */
static noinline __maybe_unused void mg_write(void *addr)
{
	WRITE_ONCE(*(u8 *)addr, 0x42);
	barrier();
}

static noinline __maybe_unused u8 mg_read(const void *addr)
{
	u8 byte = READ_ONCE(*(const u8 *)addr);

	barrier();
	return byte;
}

/* Announce a report, of whatever kind. */
static inline void mg_announce(void)
{
	pr_info("uma-expect-begin: BUG: MemGuard:\n");
}

static inline void mg_announced(void)
{
	pr_info("uma-expect-end\n");
}

/*
 * Many reports, of which the console sees the first: it is slow. Others than ours
 * would show in the kernel's taint.
 */
static inline void mg_quiet(struct kunit *test)
{
	struct mg_test *mg = test->priv;

	mg->loglevel = console_loglevel;
	console_loglevel = CONSOLE_LOGLEVEL_SILENT;
}

static inline void mg_loud(struct kunit *test)
{
	struct mg_test *mg = test->priv;

	console_loglevel = mg->loglevel;
}

/* There were so many new reports of a kind. */
static inline void mg_expect_count(struct kunit *test, enum memguard_kind kind,
				   u64 n)
{
	struct mg_test *mg = test->priv;
	u64 now = memguard_report_count(kind);

	KUNIT_EXPECT_EQ_MSG(test, now, mg->seen[kind] + n, "reports of %s",
			    memguard_kind_name(kind));
	mg->seen[kind] = now;
}

/* There was none of any. */
static inline void mg_expect_none(struct kunit *test)
{
	enum memguard_kind kind;

	for (kind = 0; kind < MEMGUARD_KINDS; kind++)
		mg_expect_count(test, kind, 0);
}

/* The last report has this line, or this beginning of one. */
static inline __printf(2, 3) void mg_expect_line(struct kunit *test,
						 const char *fmt, ...)
{
	struct mg_test *mg = test->priv;
	char want[300];
	va_list args;

	want[0] = '\n';
	va_start(args, fmt);
	vsnprintf(want + 1, sizeof(want) - 1, fmt, args);
	va_end(args);
	memguard_last_report(mg->report, sizeof(mg->report));
	KUNIT_EXPECT_TRUE_MSG(test, strstr(mg->report, want),
			      "no line \"%s\" in\n%s", want + 1, mg->report);
}

/* The last report says nothing like this. */
static inline void mg_expect_no(struct kunit *test, const char *text)
{
	struct mg_test *mg = test->priv;

	memguard_last_report(mg->report, sizeof(mg->report));
	KUNIT_EXPECT_FALSE_MSG(test, strstr(mg->report, text),
			       "\"%s\" in\n%s", text, mg->report);
}

/* How often an item of the guard's comes, of @n; none is kept. */
static inline unsigned int mg_count_guarded(uma_zone_t zone, unsigned int n)
{
	unsigned int guarded = 0;
	void *item;

	while (n--) {
		item = uma_zalloc(zone, M_WAITOK);
		guarded += uma_guard_covers(item);
		uma_zfree(zone, item);
	}
	return guarded;
}

/* The zone's slow bits of all CPUs, or-ed. */
static inline u16 mg_flags(uma_zone_t zone)
{
	u16 flags = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		flags |= uma_cache_flags(per_cpu_ptr(zone->uz_cpu, cpu));
	return flags;
}

/* Wait until something that happens elsewhere is so; true if it came to be. */
#define mg_wait(condition)						\
({									\
	unsigned long end_ = jiffies + 20 * HZ;				\
	bool so_;							\
									\
	for (;;) {							\
		so_ = (condition);					\
		if (so_ || time_after(jiffies, end_))			\
			break;						\
		usleep_range(500, 1000);				\
	}								\
	so_;								\
})

#endif /* _UMA_MEMGUARD_TEST_H */
