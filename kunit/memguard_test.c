// SPDX-License-Identifier: GPL-2.0-only
/*
 * MemGuard, through the front door: a case does what a faulty driver does, and
 * reads in the report what was found. What a report says, and that of each
 * misdeed there is one and not two.
 */
#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "memguard_test.h"
#include "user_file.h"

/* Who has guarded items: a zone of whatever kind, or a malloc type. */
struct owner {
	const char *what;	/* in reports */
	uma_zone_t zone;
	struct malloc_type *type;
	size_t size;
	enum { ONE, BULK, REALLOC } way;
};

static MALLOC_DEFINE(m_guarded, "mg type", "of the suites about MemGuard");
static MALLOC_DEFINE(m_other, "mg other", "of the suites about MemGuard");

static noinline void *get_item(const struct owner *o)
{
	void *item = NULL;

	if (o->type && o->way == REALLOC) {
		item = bsd_malloc(1, o->type, M_WAITOK);
		item = bsd_realloc(item, o->size, o->type, M_WAITOK);
	} else if (o->type) {
		item = bsd_malloc(o->size, o->type, M_WAITOK);
	} else if (o->way == BULK) {
		uma_zalloc_bulk(o->zone, &item, 1, M_WAITOK);
	} else {
		item = uma_zalloc(o->zone, M_WAITOK);
	}
	barrier();
	return item;
}

static noinline void put_item(const struct owner *o, void *item)
{
	if (o->type)
		bsd_free(item, o->type);
	else if (o->way == BULK)
		uma_zfree_bulk(o->zone, &item, 1);
	else
		uma_zfree(o->zone, item);
	barrier();
}

static void *get_guarded(struct kunit *test, const struct owner *o)
{
	void *item = get_item(o);

	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_ASSERT_TRUE_MSG(test, uma_guard_covers(item),
			      "an item of %s is not guarded", o->what);
	return item;
}

/*
 * What one says of an access: the headline and the line below it. @where is how
 * the address lies to the item.
 */
static void expect_access(struct kunit *test, const struct owner *o,
			  const char *what, const char *func, void *addr,
			  void *item, const char *in, const char *where)
{
	mg_expect_line(test, "BUG: MemGuard: %s in %s+0x", what, func);
	mg_expect_line(test,
		       "%s at 0x%px (%s item 0x%px-0x%px, %zu bytes of %s, %s)",
		       what, addr, in, item, item + o->size - 1, o->size,
		       o->what, where);
	mg_expect_line(test, " %s+0x", func);
	mg_expect_line(test, "allocated by task %d (%.*s) on cpu ",
		       task_pid_nr(current), TASK_COMM_LEN, current->comm);
	mg_expect_line(test, " get_item+0x");
}

static void expect_freed(struct kunit *test)
{
	mg_expect_line(test, "freed by task %d (%.*s) on cpu ",
		       task_pid_nr(current), TASK_COMM_LEN, current->comm);
	mg_expect_line(test, " put_item+0x");
}

static void expect_free(struct kunit *test, const struct owner *o,
			const char *what, void *addr, void *item,
			const char *in, const char *where, const char *why)
{
	mg_expect_line(test, "BUG: MemGuard: %s in put_item+0x", what);
	if (item)
		mg_expect_line(test,
			       "%s of 0x%px (%s item 0x%px-0x%px, %zu bytes of %s, %s)",
			       what, addr, in, item, item + o->size - 1,
			       o->size, o->what, where);
	else
		mg_expect_line(test, "%s of 0x%px (near no item)\nfreed to %s",
			       what, addr, o->what);
	if (why)
		mg_expect_line(test, "%s", why);
}

static void free_is_quiet(struct kunit *test, const struct owner *o, void *item)
{
	put_item(o, item);
	mg_expect_none(test);
}

/* Misdeeds, one each; the item is gone afterwards. */

/* How far an item ends before its last page. */
static size_t slack_behind(const void *item, size_t size)
{
	return -((unsigned long)item + size) & ~PAGE_MASK;
}

static void do_overflow(struct kunit *test, const struct owner *o,
			size_t beyond, bool write)
{
	const char *what = write ? "overflow write" : "overflow read";
	void *item = get_guarded(test, o);
	void *addr;
	char where[40];

	beyond = max(beyond, slack_behind(item, o->size));
	addr = item + o->size + beyond;
	mg_announce();
	if (write)
		mg_write(addr);
	else
		mg_read(addr);
	snprintf(where, sizeof(where), "%zu bytes beyond its end", beyond);
	expect_access(test, o, what, write ? "mg_write" : "mg_read", addr,
		      item, "near", where);
	mg_expect_no(test, "freed by");
	mg_announced();
	mg_expect_count(test, MEMGUARD_OVERFLOW, 1);
	free_is_quiet(test, o, item);
}

static void do_underflow(struct kunit *test, const struct owner *o, bool write)
{
	const char *what = write ? "underflow write" : "underflow read";
	void *item = get_guarded(test, o);
	void *addr = PTR_ALIGN_DOWN(item, PAGE_SIZE) - 1;
	char where[40];

	mg_announce();
	if (write)
		mg_write(addr);
	else
		mg_read(addr);
	snprintf(where, sizeof(where), "%lu bytes before it",
		 (unsigned long)(item - addr));
	expect_access(test, o, what, write ? "mg_write" : "mg_read", addr,
		      item, "near", where);
	mg_announced();
	mg_expect_count(test, MEMGUARD_UNDERFLOW, 1);
	free_is_quiet(test, o, item);
}

static void write_after_free(struct kunit *test, const struct owner *o,
			     size_t offset)
{
	void *item = get_guarded(test, o);
	char where[40];

	put_item(o, item);
	mg_expect_none(test);
	/* May be read. */
	mg_read(item + offset);
	mg_expect_none(test);
	mg_announce();
	mg_write(item + offset);
	snprintf(where, sizeof(where), "%zu bytes inside it", offset);
	expect_access(test, o, "use-after-free write", "mg_write",
		      item + offset, item, "in", where);
	expect_freed(test);
	mg_expect_line(test, "the page is opened and the access repeated");
	mg_announced();
	mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
	/* It is. */
	KUNIT_EXPECT_EQ(test, mg_read(item + offset), 0x42);
	mg_write(item + offset);
	mg_expect_none(test);
}

static void read_after_free(struct kunit *test, const struct owner *o,
			    size_t offset)
{
	void *item;
	char where[40];

	WRITE_ONCE(memguard_options.noread, true);
	item = get_guarded(test, o);
	put_item(o, item);
	mg_announce();
	mg_read(item + offset);
	snprintf(where, sizeof(where), "%zu bytes inside it", offset);
	expect_access(test, o, "use-after-free read", "mg_read",
		      item + offset, item, "in", where);
	expect_freed(test);
	mg_announced();
	mg_expect_count(test, MEMGUARD_UAF_READ, 1);
	mg_expect_none(test);
	WRITE_ONCE(memguard_options.noread, false);
}

static void double_free(struct kunit *test, const struct owner *o)
{
	void *item = get_guarded(test, o);

	put_item(o, item);
	mg_announce();
	put_item(o, item);
	expect_free(test, o, "double free", item, item, "in",
		    "0 bytes inside it", NULL);
	expect_freed(test);
	mg_announced();
	mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 1);
	mg_expect_none(test);
}

static void inside_free(struct kunit *test, const struct owner *o)
{
	void *item = get_guarded(test, o);
	size_t offset = o->size / 2;
	char where[40];

	mg_announce();
	put_item(o, item + offset);
	snprintf(where, sizeof(where), "%zu bytes inside it", offset);
	expect_free(test, o, "invalid free", item + offset, item, "in", where,
		    "not the address of an item");
	mg_announced();
	mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
	free_is_quiet(test, o, item);
}

static void foreign_free(struct kunit *test, const struct owner *o)
{
	void *block = kmalloc(PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, block);
	mg_announce();
	put_item(o, block);
	expect_free(test, o, "invalid free", block, NULL, NULL, NULL, NULL);
	mg_announced();
	mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
	mg_expect_none(test);
	kfree(block);
}

/* @offset: of the byte of slack that is written, from the item */
static void do_corruption(struct kunit *test, const struct owner *o,
			  long offset)
{
	void *item = get_guarded(test, o);
	u8 *addr = item + offset;
	char where[40];

	if (offset < 0)
		snprintf(where, sizeof(where), "%ld bytes before it", -offset);
	else
		snprintf(where, sizeof(where), "%ld bytes beyond its end",
			 offset - (long)o->size);
	WRITE_ONCE(*addr, ~*addr);
	mg_expect_none(test);
	mg_announce();
	put_item(o, item);
	mg_expect_line(test, "BUG: MemGuard: corruption in put_item+0x");
	mg_expect_line(test,
		       "corruption at 0x%px (near item 0x%px-0x%px, %zu bytes of %s, %s)",
		       addr, item, item + o->size - 1, o->size, o->what, where);
	mg_expect_no(test, "freed by");
	mg_expect_line(test, "found  0x%px:", PTR_ALIGN_DOWN(addr, 16));
	mg_expect_line(test, "wanted 0x%px:", PTR_ALIGN_DOWN(addr, 16));
	mg_announced();
	mg_expect_count(test, MEMGUARD_CORRUPTION, 1);
	/* Reported, and free. */
	mg_announce();
	put_item(o, item);
	mg_announced();
	mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 1);
	mg_expect_none(test);
}

static void every_corruption(struct kunit *test, const struct owner *o)
{
	void *item = get_guarded(test, o);
	size_t behind = slack_behind(item, o->size);
	size_t before = offset_in_page(item);

	free_is_quiet(test, o, item);
	/* What has no slack on either side, every misdeed leaves. */
	if (behind) {
		do_corruption(test, o, o->size);
		do_corruption(test, o, o->size + behind - 1);
	}
	if (before) {
		do_corruption(test, o, -1);
		do_corruption(test, o, -(long)before);
	}
}

/* All that can be done wrong with an owner's items. */
static void every_misdeed(struct kunit *test, const struct owner *o)
{
	do_overflow(test, o, 0, true);
	do_overflow(test, o, 0, false);
	do_underflow(test, o, true);
	write_after_free(test, o, o->size / 3);
	read_after_free(test, o, o->size / 3);
	double_free(test, o);
	inside_free(test, o);
	foreign_free(test, o);
	every_corruption(test, o);
}

static uma_zone_t make_zone(struct kunit *test, size_t size, int align,
			    u32 flags)
{
	uma_zone_t zone = uma_zcreate("mg zone", size, NULL, NULL, NULL, NULL,
				      align, flags);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	return zone;
}

static void end_zone(struct kunit *test, uma_zone_t zone)
{
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void in_zone(struct kunit *test, uma_zone_t zone, const char *what)
{
	struct owner o = {
		.what = what,
		.zone = zone,
		.size = zone->uz_keg->uk_size,
	};

	every_misdeed(test, &o);
	end_zone(test, zone);
}

static void mg_03_plain_zone(struct kunit *test)
{
	mg_guard(test, "mg zone");
	in_zone(test, make_zone(test, 100, UMA_ALIGN_PTR, 0),
		"zone \"mg zone\"");
}

static int give_42(void *mem, int size, void *arg, int flags)
{
	memset(mem, 42, size);
	return 0;
}

static void take_42(void *mem, int size, void *arg)
{
	memset(mem, 43, size);
}

static int init_41(void *mem, int size, int flags)
{
	memset(mem, 41, size);
	return 0;
}

static void fini_41(void *mem, int size)
{
	memset(mem, 44, size);
}

static void mg_03_zone_with_constructors(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("mg zone", 72, give_42, take_42, init_41,
				      fini_41, UMA_ALIGN_CACHE, 0);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	mg_guard(test, "mg zone");
	in_zone(test, zone, "zone \"mg zone\"");
}

static void mg_03_zone_with_zeroed_items(struct kunit *test)
{
	mg_guard(test, "mg zone");
	in_zone(test, make_zone(test, 1000, UMA_ALIGN_PTR, UMA_ZONE_ZINIT),
		"zone \"mg zone\"");
}

static void mg_03_zone_with_headers_off_page(struct kunit *test)
{
	mg_guard(test, "mg zone");
	in_zone(test, make_zone(test, 2000, UMA_ALIGN_PTR, UMA_ZONE_OFFPAGE),
		"zone \"mg zone\"");
}

static void mg_03_reference_counted_zone(struct kunit *test)
{
	mg_guard(test, "mg zone");
	in_zone(test, make_zone(test, 256 + 8, UMA_ALIGN_PTR, UMA_ZONE_REFCNT),
		"zone \"mg zone\"");
}

static void mg_03_type_stable_zone(struct kunit *test)
{
	mg_guard(test, "mg zone");
	in_zone(test, make_zone(test, 100, UMA_ALIGN_PTR, UMA_ZONE_NOFREE),
		"zone \"mg zone\"");
}

static void mg_03_secondary_zone(struct kunit *test)
{
	uma_zone_t master = make_zone(test, 200, UMA_ALIGN_PTR, 0);
	uma_zone_t zone = uma_zsecond_create("mg second", give_42, take_42,
					     init_41, fini_41, master);
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	mg_guard(test, "mg second");
	/* Not the one that it stands on. */
	item = uma_zalloc(master, M_WAITOK);
	KUNIT_EXPECT_FALSE(test, uma_guard_covers(item));
	uma_zfree(master, item);
	in_zone(test, zone, "zone \"mg second\"");
	end_zone(test, master);
}

static void mg_03_zone_below_a_secondary_one(struct kunit *test)
{
	uma_zone_t master = make_zone(test, 200, UMA_ALIGN_PTR, 0);
	uma_zone_t zone = uma_zsecond_create("mg second", NULL, NULL, NULL,
					     NULL, master);
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	mg_guard(test, "mg zone");
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_FALSE(test, uma_guard_covers(item));
	uma_zfree(zone, item);
	end_zone(test, zone);
	in_zone(test, master, "zone \"mg zone\"");
}

static void mg_03_bulk(struct kunit *test)
{
	struct owner o = {
		.what = "zone \"mg zone\"",
		.zone = make_zone(test, 100, UMA_ALIGN_PTR, 0),
		.size = 100,
		.way = BULK,
	};

	mg_guard(test, "mg zone");
	every_misdeed(test, &o);
	end_zone(test, o.zone);
}

static void in_type(struct kunit *test, size_t size, int way)
{
	struct owner o = {
		.what = "malloc type \"mg type\"",
		.type = m_guarded,
		.size = size,
		.way = way,
	};

	mg_guard(test, "mg type");
	every_misdeed(test, &o);
}

static void mg_01_malloc_type(struct kunit *test)
{
	in_type(test, 100, ONE);
}

static void mg_01_malloc_type_of_pages(struct kunit *test)
{
	in_type(test, 2 * PAGE_SIZE + 300, ONE);
}

static void mg_01_realloc(struct kunit *test)
{
	in_type(test, 300, REALLOC);
}

/* Sizes and alignments. */

static const size_t more[] = {
	1, 0, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE - 64, 2 * PAGE_SIZE,
	3 * PAGE_SIZE - 1, 3 * PAGE_SIZE,
};

/* Overflow of an item whose end is a page's end, and of one whose is not. */
static void ends(struct kunit *test, const struct owner *o, size_t align)
{
	void *item = get_guarded(test, o);
	size_t slack = slack_behind(item, o->size);

	KUNIT_EXPECT_TRUE_MSG(test, IS_ALIGNED((unsigned long)item, align),
			      "%px, %zu", item, align);
	/* As near to the end as can be. */
	KUNIT_EXPECT_LT(test, slack, align);
	free_is_quiet(test, o, item);
	do_overflow(test, o, slack, true);
	do_overflow(test, o, PAGE_SIZE - 1, false);
	if (slack)
		do_corruption(test, o, o->size);
}

static void mg_03_every_size_and_alignment(struct kunit *test)
{
	struct owner o = { .what = "zone \"mg zone\"" };
	size_t align, i;

	mg_guard(test, "mg zone");
	for (align = 1; align <= 64; align *= 2)
		for (i = 0; i < ARRAY_SIZE(more); i++) {
			o.size = more[i] ?: align;
			o.zone = make_zone(test, o.size, align - 1, 0);
			ends(test, &o, align);
			end_zone(test, o.zone);
		}
}

static void mg_03_sizes_at_the_start(struct kunit *test)
{
	struct owner o = { .what = "zone \"mg zone\"" };
	void *item;
	size_t i;

	WRITE_ONCE(memguard_options.start, true);
	mg_guard(test, "mg zone");
	for (i = 0; i < ARRAY_SIZE(more); i++) {
		o.size = more[i] ?: 100;
		o.zone = make_zone(test, o.size, UMA_ALIGN_CACHE, 0);
		item = get_guarded(test, &o);
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(item));
		free_is_quiet(test, &o, item);
		do_underflow(test, &o, true);
		do_underflow(test, &o, false);
		do_overflow(test, &o, 0, true);
		if (!PAGE_ALIGNED(o.size)) {
			do_corruption(test, &o, o.size);
			do_corruption(test, &o, PAGE_ALIGN(o.size) - 1);
		}
		end_zone(test, o.zone);
	}
}

/* Every byte of the pages that is not the item is looked at. */
static void mg_03_each_byte_of_slack(struct kunit *test)
{
	static const size_t sizes[] = { 4000, PAGE_SIZE + 4033 };
	struct owner o = { .what = "zone \"mg zone\"" };
	long offset;
	size_t i;

	mg_guard(test, "mg zone");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *item;
		long behind, before;

		o.size = sizes[i];
		o.zone = make_zone(test, o.size, 31, 0);
		item = get_guarded(test, &o);
		behind = slack_behind(item, o.size);
		before = offset_in_page(item);
		free_is_quiet(test, &o, item);
		KUNIT_ASSERT_GT(test, before, 0);
		do_corruption(test, &o, -before);
		mg_quiet(test);
		for (offset = -before; offset < (long)o.size + behind; offset++) {
			if (offset == 0)
				offset = o.size;
			if (offset >= (long)o.size + behind)
				break;
			item = get_guarded(test, &o);
			((u8 *)item)[offset] ^= 0x10;
			put_item(&o, item);
			mg_expect_line(test, "corruption at 0x%px (",
				       item + offset);
			mg_expect_count(test, MEMGUARD_CORRUPTION, 1);
		}
		mg_loud(test);
		end_zone(test, o.zone);
	}
	mg_expect_none(test);
}

/* The bytes of a corruption: what was found, and what should have been. */
static void mg_03_corruption_shows_bytes(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, 100, UMA_ALIGN_PTR, 0);
	u8 *item;

	mg_guard(test, "mg zone");
	/* Four bytes are left behind it. */
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_EQ(test, offset_in_page(item), PAGE_SIZE - 104);
	memset(item + 100, 0x41, 2);
	mg_announce();
	uma_zfree(zone, item);
	mg_expect_line(test, "found  0x%px: .. .. .. .. .. .. .. .. .. .. .. ..[41 41]a6 a7\n",
		       item + 88);
	mg_expect_line(test, "wanted 0x%px: .. .. .. .. .. .. .. .. .. .. .. .. a4 a5 a6 a7\n",
		       item + 88);
	mg_expect_count(test, MEMGUARD_CORRUPTION, 1);
	item = uma_zalloc(zone, M_WAITOK);
	item[-8] = 0;
	item[-1] = 0xff;
	uma_zfree(zone, item);
	mg_expect_line(test, "found  0x%px:[00]a1 a2 a3 a4 a5 a6[ff].. .. .. .. .. .. .. ..\n",
		       item - 8);
	mg_expect_line(test, "wanted 0x%px: a0 a1 a2 a3 a4 a5 a6 a7 .. .. .. .. .. .. .. ..\n",
		       item - 8);
	mg_announced();
	mg_expect_count(test, MEMGUARD_CORRUPTION, 1);
	mg_expect_none(test);
	end_zone(test, zone);
}

#define DEBUGFS		"/sys/kernel/debug/uma/memguard/"
#define TEXT_MAX	8192

static char *read_file(struct kunit *test, const char *path)
{
	char __user *ubuf = user_memory(test, TEXT_MAX);
	char *text = kunit_kzalloc(test, TEXT_MAX + 1, GFP_KERNEL);
	struct file *file = filp_open(path, O_RDONLY, 0);

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_GT(test, user_read(test, file, ubuf, text, TEXT_MAX, 1000),
			(ssize_t)0);
	filp_close(file, NULL);
	return text;
}

/* The number at the end of the line that begins like this. */
static u64 number_of(struct kunit *test, const char *text, const char *what)
{
	const char *line = strstr(text, what);
	u64 n = 0;

	KUNIT_ASSERT_NOT_NULL_MSG(test, line, "no \"%s\" in\n%s", what, text);
	line = skip_spaces(line + strlen(what));
	KUNIT_EXPECT_TRUE_MSG(test, isdigit(*line),
			      "no number after \"%s\" in\n%s", what, text);
	while (isdigit(*line))
		n = 10 * n + *line++ - '0';
	return n;
}

static void mg_07_files_tell_the_same(struct kunit *test)
{
	struct owner o = {
		.what = "zone \"mg zone\"",
		.zone = make_zone(test, 100, UMA_ALIGN_PTR, 0),
		.size = 100,
	};
	struct mg_test *mg = test->priv;
	struct memguard_arena_stats st;
	enum memguard_kind kind;
	const char *text;
	void *item;

	mg_guard(test, "no such,mg zone");
	write_after_free(test, &o, 30);
	item = get_guarded(test, &o);
	text = read_file(test, DEBUGFS "last_report");
	memguard_last_report(mg->report, sizeof(mg->report));
	KUNIT_EXPECT_STREQ(test, text, mg->report);

	text = read_file(test, DEBUGFS "stats");
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_EQ(test, number_of(test, text, "address space, pages "),
			st.slots);
	KUNIT_EXPECT_EQ(test, number_of(test, text, "\nitems out "), 1);
	KUNIT_EXPECT_EQ(test, number_of(test, text, "  their bytes "), 100);
	KUNIT_EXPECT_EQ(test, number_of(test, text, "  bytes of their pages "),
			PAGE_SIZE);
	KUNIT_EXPECT_EQ(test,
			number_of(test, text, "\nitems freed and guarded "),
			1);
	KUNIT_EXPECT_EQ(test, number_of(test, text, "pages held "), 2);
	for (kind = 0; kind < MEMGUARD_KINDS; kind++)
		KUNIT_EXPECT_EQ(test,
				number_of(test, text, memguard_kind_name(kind)),
				memguard_report_count(kind));
	KUNIT_EXPECT_EQ(test, number_of(test, text, "\nmg zone "), 2);
	KUNIT_EXPECT_EQ(test, number_of(test, text, "\nno such "), 0);
	put_item(&o, item);
	end_zone(test, o.zone);
}

/* What lies in an opened page is anybody's, and a double free is still found. */
static void mg_04_double_free_of_an_opened_item(struct kunit *test)
{
	struct owner o = {
		.what = "zone \"mg zone\"",
		.zone = make_zone(test, 100, UMA_ALIGN_PTR, 0),
		.size = 100,
	};
	void *item;

	mg_guard(test, "mg zone");
	item = get_guarded(test, &o);
	put_item(&o, item);
	mg_announce();
	mg_write(item);
	mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
	put_item(&o, item);
	expect_free(test, &o, "double free", item, item, "in",
		    "0 bytes inside it", NULL);
	mg_announced();
	mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 1);
	mg_expect_none(test);
	end_zone(test, o.zone);
}

/* The write comes first: whose a free item is, is not asked any more. */
static void mg_04_free_item_is_found_before_its_owner(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, 100, UMA_ALIGN_PTR, 0);
	uma_zone_t other = uma_test_zone(test, "mg other", 100, 0);
	struct owner o = { .what = "zone \"mg other\"", .zone = other };
	void *item;

	mg_guard(test, "mg*");
	item = uma_zalloc(zone, M_WAITOK);
	mg_announce();
	put_item(&o, item);
	mg_expect_line(test, "invalid free of 0x%px (in item 0x%px-0x%px, %s)",
		       item, item, item + 99,
		       "100 bytes of zone \"mg zone\", 0 bytes inside it");
	mg_expect_line(test, "freed to zone \"mg other\"");
	mg_expect_line(test, "an item of another owner");
	mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
	uma_zfree(zone, item);
	mg_expect_none(test);
	put_item(&o, item);
	mg_expect_line(test, "BUG: MemGuard: double free in put_item+0x");
	mg_expect_line(test, "freed to zone \"mg other\"");
	mg_announced();
	mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 1);
	mg_expect_none(test);
	end_zone(test, zone);
	end_zone(test, other);
}

static unsigned int destroyed;

static void count_dtor(void *mem, int size, void *arg)
{
	destroyed++;
}

static void count_fini(void *mem, int size)
{
	destroyed++;
}

static void mg_04_destructor_runs_once(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("mg zone", 100, NULL, count_dtor, NULL,
				      count_fini, UMA_ALIGN_PTR, 0);
	void *item;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	mg_guard(test, "mg zone");
	destroyed = 0;
	item = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, destroyed, 2);
	mg_announce();
	for (i = 0; i < 3; i++)
		uma_zfree(zone, item);
	mg_announced();
	mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 3);
	KUNIT_EXPECT_EQ(test, destroyed, 2);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).frees, 1);
	end_zone(test, zone);
}

/* Foreign pointers of all kinds; nothing is touched or lost by any. */
static void mg_03_foreign_pointers(struct kunit *test)
{
	uma_zone_t zone = make_zone(test, 100, UMA_ALIGN_PTR, 0);
	uma_zone_t plain = uma_test_zone(test, "plain", 100, 0);
	struct owner o = { .what = "zone \"mg zone\"", .zone = zone };
	struct owner t = { .what = "malloc type \"mg type\"",
			   .type = m_guarded };
	void *theirs = uma_zalloc(plain, M_WAITOK);
	void *foreign[] = {
		theirs, &o, test, foreign_free, (void *)16, (void *)-1UL,
		(void *)uma_guard_start, (void *)uma_guard_start + 8,
		(void *)uma_guard_start + uma_guard_bytes - 1,
		(void *)uma_guard_start + uma_guard_bytes,
		(void *)uma_guard_start - 1,
	};
	int i;

	mg_guard(test, "mg zone,mg type");
	mg_announce();
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		put_item(&o, foreign[i]);
		mg_expect_line(test, "BUG: MemGuard: invalid free in put_item+0x");
		mg_expect_line(test, "invalid free of 0x%px (near no item)",
			       foreign[i]);
		mg_expect_line(test, "freed to %s", o.what);
		mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
		put_item(&t, foreign[i]);
		mg_expect_line(test, "invalid free of 0x%px (near no item)",
			       foreign[i]);
		mg_expect_line(test, "freed to %s", t.what);
		mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
	}
	mg_announced();
	mg_expect_none(test);
	uma_zfree(plain, theirs);
	end_zone(test, plain);
	end_zone(test, zone);
}

static void mg_03_realloc_of_what_is_no_block(struct kunit *test)
{
	u8 *block;

	mg_guard(test, "mg type");
	block = bsd_malloc(100, m_guarded, M_WAITOK);
	KUNIT_ASSERT_TRUE(test, uma_guard_covers(block));
	mg_announce();
	KUNIT_EXPECT_NULL(test, bsd_realloc(block + 8, 200, m_guarded,
					    M_WAITOK));
	mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
	bsd_free(block, m_guarded);
	KUNIT_EXPECT_NULL(test, bsd_realloc(block, 200, m_guarded, M_WAITOK));
	mg_expect_line(test, "not a block of this type, or one that is free already");
	mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
	/* Another type's stays as it is, and nothing new comes. */
	block = bsd_malloc(100, m_guarded, M_WAITOK);
	KUNIT_ASSERT_TRUE(test, uma_guard_covers(block));
	KUNIT_EXPECT_NULL(test, bsd_realloc(block, 200, m_other, M_WAITOK));
	mg_announced();
	mg_expect_count(test, MEMGUARD_INVALID_FREE, 1);
	KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(block), 100);
	bsd_free(block, m_guarded);
	mg_expect_none(test);
}

/* Near no item, but in the arena. */
static void mg_03_wild_access(struct kunit *test)
{
	void *far = (void *)uma_guard_start + uma_guard_bytes / 2 + 123;

	mg_announce();
	mg_write(far);
	mg_expect_line(test, "BUG: MemGuard: wild write in mg_write+0x");
	mg_expect_line(test, "wild write at 0x%px (near no item)", far);
	mg_announced();
	mg_expect_count(test, MEMGUARD_WILD, 1);
	mg_expect_none(test);
}

/* Switched off, what is out stays guarded, and what was freed. */
static void mg_07_after_switching_off(struct kunit *test)
{
	struct owner o = {
		.what = "zone \"mg zone\"",
		.zone = make_zone(test, 128, UMA_ALIGN_PTR, 0),
		.size = 128,
	};
	void *items[3];
	char where[40];

	mg_guard(test, "mg zone");
	items[0] = get_guarded(test, &o);
	items[1] = get_guarded(test, &o);
	mg_guard(test, "");
	items[2] = uma_zalloc(o.zone, M_WAITOK);
	KUNIT_EXPECT_FALSE(test, uma_guard_covers(items[2]));

	mg_announce();
	mg_write(items[0] + 128);
	snprintf(where, sizeof(where), "%d bytes beyond its end", 0);
	expect_access(test, &o, "overflow write", "mg_write", items[0] + 128,
		      items[0], "near", where);
	mg_expect_count(test, MEMGUARD_OVERFLOW, 1);
	put_item(&o, items[0]);
	mg_expect_none(test);
	put_item(&o, items[0]);
	mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 1);
	mg_write(items[0]);
	mg_expect_count(test, MEMGUARD_UAF_WRITE, 1);
	/* Not the guard's any more to complain about. */
	put_item(&o, items[2]);
	mg_expect_none(test);
	put_item(&o, items[1]);
	mg_announced();
	KUNIT_EXPECT_TRUE(test, mg_wait(!(mg_flags(o.zone) & UC_GUARD_FREE)));
	KUNIT_EXPECT_EQ(test, mg_flags(o.zone), 0);

	/* And on again. */
	mg_guard(test, "mg zone");
	every_misdeed(test, &o);
	mg_guard(test, "");
	KUNIT_EXPECT_EQ(test, mg_flags(o.zone), 0);
	mg_expect_none(test);
	end_zone(test, o.zone);
}

static struct kunit_case memguard_cases[] = {
	KUNIT_CASE(mg_03_plain_zone),
	KUNIT_CASE(mg_03_zone_with_constructors),
	KUNIT_CASE(mg_03_zone_with_zeroed_items),
	KUNIT_CASE(mg_03_zone_with_headers_off_page),
	KUNIT_CASE(mg_03_reference_counted_zone),
	KUNIT_CASE(mg_03_type_stable_zone),
	KUNIT_CASE(mg_03_secondary_zone),
	KUNIT_CASE(mg_03_zone_below_a_secondary_one),
	KUNIT_CASE(mg_03_bulk),
	KUNIT_CASE(mg_01_malloc_type),
	KUNIT_CASE(mg_01_malloc_type_of_pages),
	KUNIT_CASE(mg_01_realloc),
	KUNIT_CASE(mg_03_every_size_and_alignment),
	KUNIT_CASE(mg_03_sizes_at_the_start),
	KUNIT_CASE(mg_03_each_byte_of_slack),
	KUNIT_CASE(mg_03_corruption_shows_bytes),
	KUNIT_CASE(mg_07_files_tell_the_same),
	KUNIT_CASE(mg_04_double_free_of_an_opened_item),
	KUNIT_CASE(mg_04_free_item_is_found_before_its_owner),
	KUNIT_CASE(mg_04_destructor_runs_once),
	KUNIT_CASE(mg_03_foreign_pointers),
	KUNIT_CASE(mg_03_realloc_of_what_is_no_block),
	KUNIT_CASE(mg_03_wild_access),
	KUNIT_CASE(mg_07_after_switching_off),
	{}
};

static struct kunit_suite memguard_suite = {
	.name = "memguard",
	.init = mg_init,
	.exit = mg_exit,
	.test_cases = memguard_cases,
};

kunit_test_suite(memguard_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit suite for MemGuard: what it catches");
MODULE_LICENSE("GPL");
