// SPDX-License-Identifier: GPL-2.0-only
/*
 * What MemGuard guards, and that a guarded item is otherwise like any: rules,
 * parameters, constructors, statistics.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "uma/mbuf.h"

#include "memguard_test.h"

#define ITEM	100

static MALLOC_DEFINE(m_rules, "mg type", "of the suites about MemGuard");
static MALLOC_DEFINE(m_twin, "mg zone", "of the name that a zone has");

static void end_zone(struct kunit *test, uma_zone_t zone)
{
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static bool is_guarded(uma_zone_t zone)
{
	return mg_count_guarded(zone, 1);
}

static bool type_is_guarded(struct malloc_type *type, size_t size)
{
	void *block = bsd_malloc(size, type, M_WAITOK);
	bool guarded = uma_guard_covers(block);

	bsd_free(block, type);
	return guarded;
}

static struct memguard_rule_stats rule_stats(struct kunit *test, unsigned int i)
{
	struct memguard_rule_stats st = {};

	KUNIT_EXPECT_TRUE(test, memguard_rule_stats(i, &st));
	return st;
}

/* Rules. */

static void mg_07_rules_name_zones_and_types(struct kunit *test)
{
	static const struct {
		const char *desc;
		bool zone, other, type, twin;
	} rules[] = {
		{ "mg zone",			true,  false, false, true },
		{ "mg other",			false, true,  false, false },
		{ "mg type",			false, false, true,  false },
		{ "zone:mg zone",		true,  false, false, false },
		{ "type:mg zone",		false, false, false, true },
		{ "mg*",			true,  true,  true,  true },
		{ "*",				true,  true,  true,  true },
		{ "zone:*",			true,  true,  false, false },
		{ "type:*",			false, false, true,  true },
		{ "mg ?????",			false, true,  false, false },
		{ "mg [tz]*",			true,  false, true,  true },
		{ "mg other,type:mg *",		false, true,  true,  true },
		{ " mg other , mg type ",	false, true,  true,  false },
		{ ",,mg other,,",		false, true,  false, false },
		{ "mg",				false, false, false, false },
		{ "g zone",			false, false, false, false },
		{ "MG ZONE",			false, false, false, false },
		{ "zone:type:mg zone",		false, false, false, false },
		{ "mg zone\n",			true,  false, false, true },
		{ "mg zone/1",			true,  false, false, true },
		{ "mg zone/x",			false, false, false, false },
		{ "zone:0x1000",		false, false, false, false },
		{ "",				false, false, false, false },
	};
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	uma_zone_t other = uma_test_zone(test, "mg other", ITEM, 0);
	int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		mg_guard(test, rules[i].desc);
		KUNIT_EXPECT_EQ_MSG(test, is_guarded(zone), rules[i].zone,
				    "%s", rules[i].desc);
		KUNIT_EXPECT_EQ_MSG(test, is_guarded(other), rules[i].other,
				    "%s", rules[i].desc);
		KUNIT_EXPECT_EQ_MSG(test, type_is_guarded(m_rules, ITEM),
				    rules[i].type, "%s", rules[i].desc);
		KUNIT_EXPECT_EQ_MSG(test, type_is_guarded(m_twin, ITEM),
				    rules[i].twin, "%s", rules[i].desc);
	}
	mg_expect_none(test);
	end_zone(test, other);
	end_zone(test, zone);
}

static void mg_07_zone_by_its_address(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	uma_zone_t namesake = uma_test_zone(test, "mg zone", ITEM, 0);
	char desc[40];

	snprintf(desc, sizeof(desc), "zone:0x%px", zone);
	mg_guard(test, desc);
	KUNIT_EXPECT_TRUE(test, is_guarded(zone));
	KUNIT_EXPECT_FALSE(test, is_guarded(namesake));
	snprintf(desc, sizeof(desc), "zone:0x%px/1", namesake);
	mg_guard(test, desc);
	KUNIT_EXPECT_FALSE(test, is_guarded(zone));
	KUNIT_EXPECT_TRUE(test, is_guarded(namesake));
	end_zone(test, namesake);
	end_zone(test, zone);
}

static void mg_07_first_rule_that_matches_holds(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	uma_zone_t other = uma_test_zone(test, "mg other", ITEM, 0);
	struct memguard_rule_stats st;

	mg_guard(test, "no such,mg zone,mg*/1000000,*");
	KUNIT_EXPECT_EQ(test, mg_count_guarded(zone, 10), 10);
	KUNIT_EXPECT_LE(test, mg_count_guarded(other, 20), 1);
	st = rule_stats(test, 1);
	KUNIT_EXPECT_STREQ(test, st.text, "no such");
	KUNIT_EXPECT_EQ(test, st.guarded + st.skipped + st.failed, 0);
	st = rule_stats(test, 2);
	KUNIT_EXPECT_STREQ(test, st.text, "mg zone");
	KUNIT_EXPECT_EQ(test, st.guarded, 10);
	KUNIT_EXPECT_EQ(test, st.skipped + st.failed, 0);
	st = rule_stats(test, 3);
	KUNIT_EXPECT_STREQ(test, st.text, "mg*/1000000");
	KUNIT_EXPECT_EQ(test, st.guarded + st.skipped, 20);
	KUNIT_EXPECT_EQ(test, st.failed, 0);
	KUNIT_EXPECT_FALSE(test, memguard_rule_stats(5, &st));
	end_zone(test, other);
	end_zone(test, zone);
}

/* A zone or type that comes later is found by the rules, too. */
static void mg_07_rules_hold_for_who_comes_later(struct kunit *test)
{
	static MALLOC_DEFINE(m_late, "mg late", "registered under rules");
	uma_zone_t zone;

	mg_guard(test, "mg late");
	zone = uma_test_zone(test, "mg late", ITEM, 0);
	KUNIT_EXPECT_TRUE(test, is_guarded(zone));
	KUNIT_EXPECT_TRUE(test, type_is_guarded(m_late, ITEM));
	end_zone(test, zone);
}

#define DRAWS	2000

static void mg_07_one_in_n(struct kunit *test)
{
	static const struct {
		const char *desc;
		unsigned int least, most;
	} fractions[] = {
		/* Six standard deviations. */
		{ "mg zone/2", 866, 1134 },
		{ "mg zone/4", 384, 616 },
		{ "mg zone/20", 42, 158 },
	};
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	struct memguard_rule_stats st;
	unsigned int guarded;
	int i;

	for (i = 0; i < ARRAY_SIZE(fractions); i++) {
		mg_guard(test, fractions[i].desc);
		guarded = mg_count_guarded(zone, DRAWS);
		kunit_info(test, "%s: %u of %u\n", fractions[i].desc, guarded,
			   DRAWS);
		KUNIT_EXPECT_GE(test, guarded, fractions[i].least);
		KUNIT_EXPECT_LE(test, guarded, fractions[i].most);
		st = rule_stats(test, 1);
		KUNIT_EXPECT_EQ(test, st.guarded, guarded);
		KUNIT_EXPECT_EQ(test, st.skipped, DRAWS - guarded);
		KUNIT_EXPECT_EQ(test, st.failed, 0);
	}
	/* What was drawn does not matter to the count of allocations. */
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).allocs,
			ARRAY_SIZE(fractions) * DRAWS);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).frees,
			ARRAY_SIZE(fractions) * DRAWS);
	end_zone(test, zone);
}

static void set(struct kunit *test, const char *path, const char *value)
{
	KUNIT_ASSERT_EQ_MSG(test, mg_try_parameter(path, value), 0, "%s: %s",
			    path, value);
}

static void mg_07_sizes_between_a_least_and_a_most(struct kunit *test)
{
	static const struct {
		const char *least, *most;
		bool small, middle, large;
	} bounds[] = {
		{ "0",	  "0",	  true,  true,  true },
		{ "0",	  "63",	  false, false, false },
		{ "0",	  "64",	  true,  false, false },
		{ "64",	  "200",  true,  true,  false },
		{ "65",	  "200",  false, true,  false },
		{ "200",  "200",  false, true,  false },
		{ "200",  "0",	  false, true,  true },
		{ "201",  "0",	  false, false, true },
		{ "6000", "0",	  false, false, true },
		{ "6001", "0",	  false, false, false },
	};
	uma_zone_t small = uma_test_zone(test, "mg small", 64, 0);
	uma_zone_t middle = uma_test_zone(test, "mg middle", 200, 0);
	uma_zone_t big = uma_test_zone(test, "mg big", 6000, 0);
	int i;

	mg_guard(test, "mg*");
	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		/* So that the least is never above the most. */
		set(test, MG_PARAMETER("maxsize"), "0");
		set(test, MG_PARAMETER("minsize"), bounds[i].least);
		set(test, MG_PARAMETER("maxsize"), bounds[i].most);
		KUNIT_EXPECT_EQ(test, is_guarded(small), bounds[i].small);
		KUNIT_EXPECT_EQ(test, is_guarded(middle), bounds[i].middle);
		KUNIT_EXPECT_EQ(test, is_guarded(big), bounds[i].large);
		KUNIT_EXPECT_EQ(test, type_is_guarded(m_rules, 64),
				bounds[i].small);
		KUNIT_EXPECT_EQ(test, type_is_guarded(m_rules, 200),
				bounds[i].middle);
		KUNIT_EXPECT_EQ(test, type_is_guarded(m_rules, 6000),
				bounds[i].large);
		/* Not even the hot path's bit. */
		KUNIT_EXPECT_EQ(test, !!(mg_flags(small) & UC_GUARD_ALLOC),
				bounds[i].small);
	}
	end_zone(test, big);
	end_zone(test, middle);
	end_zone(test, small);
}

static void mg_07_all_of_a_page_or_more(struct kunit *test)
{
	uma_zone_t small = uma_test_zone(test, "mg small", PAGE_SIZE - 1, 0);
	uma_zone_t page = uma_test_zone(test, "mg page", PAGE_SIZE, 0);
	uma_zone_t big = uma_test_zone(test, "mg big", 3 * PAGE_SIZE, 0);
	uma_zone_t stable = uma_test_zone(test, "mg stable", 2 * PAGE_SIZE,
					  UMA_ZONE_NOFREE);
	struct memguard_rule_stats st;
	int i;

	set(test, MG_PARAMETER("large"), "1");
	/* With rules beside it, and without. */
	for (i = 0; i < 2; i++) {
		mg_guard(test, i ? "mg small" : "");
		KUNIT_EXPECT_EQ(test, is_guarded(small), i);
		KUNIT_EXPECT_TRUE(test, is_guarded(page));
		KUNIT_EXPECT_TRUE(test, is_guarded(big));
		KUNIT_EXPECT_FALSE(test, is_guarded(stable));
		KUNIT_EXPECT_FALSE(test, type_is_guarded(m_rules,
							 PAGE_SIZE - 1));
		KUNIT_EXPECT_TRUE(test, type_is_guarded(m_rules, PAGE_SIZE));
		st = rule_stats(test, 0);
		KUNIT_EXPECT_EQ(test, st.guarded, 3);
		KUNIT_EXPECT_EQ(test, st.failed, 0);
		if (i)
			KUNIT_EXPECT_EQ(test, rule_stats(test, 1).guarded, 1);
	}
	/* A rule by name comes first, with its fraction. */
	mg_guard(test, "mg page/1000000");
	KUNIT_EXPECT_LE(test, mg_count_guarded(page, 20), 1);
	mg_guard(test, "");
	set(test, MG_PARAMETER("large"), "0");
	KUNIT_EXPECT_FALSE(test, is_guarded(big));
	KUNIT_EXPECT_FALSE(test, type_is_guarded(m_rules, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, memguard_rule_stats(0, &st));
	end_zone(test, stable);
	end_zone(test, big);
	end_zone(test, page);
	end_zone(test, small);
}

static void mg_07_type_stable_zones_by_name_only(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg stable", ITEM,
					UMA_ZONE_NOFREE);
	uma_zone_t counted = uma_test_zone(test, "mg counted", ITEM,
					   UMA_ZONE_REFCNT);
	char desc[40];

	mg_guard(test, "*");
	KUNIT_EXPECT_FALSE(test, is_guarded(zone));
	/* There the counter alone is, and that is not in the item. */
	KUNIT_EXPECT_TRUE(test, is_guarded(counted));
	mg_guard(test, "mg stabl?,mg*");
	KUNIT_EXPECT_FALSE(test, is_guarded(zone));
	mg_guard(test, "mg*,zone:mg stable");
	KUNIT_EXPECT_TRUE(test, is_guarded(zone));
	snprintf(desc, sizeof(desc), "zone:0x%px", zone);
	mg_guard(test, desc);
	KUNIT_EXPECT_TRUE(test, is_guarded(zone));
	KUNIT_EXPECT_FALSE(test, is_guarded(counted));
	end_zone(test, counted);
	end_zone(test, zone);
}

/* Zones that cannot be guarded. */

static void *page_allocf(uma_zone_t zone, vm_size_t size, u8 *pflag, int wait)
{
	return alloc_pages_exact(size, GFP_KERNEL);
}

static void page_freef(void *mem, vm_size_t size, u8 pflag)
{
	free_pages_exact(mem, size);
}

static int import_blocks(void *arg, void **store, int count, int domain,
			 int flags)
{
	int i;

	for (i = 0; i < count; i++) {
		store[i] = kmalloc(ITEM, GFP_KERNEL);
		if (!store[i])
			break;
	}
	return i;
}

static void release_blocks(void *arg, void **store, int count)
{
	while (count--)
		kfree(store[count]);
}

static void mg_07_zones_that_cannot_be_guarded(struct kunit *test)
{
	uma_zone_t contig = uma_test_zone(test, "mg contig", ITEM,
					  UMA_ZONE_CONTIG);
	uma_zone_t pcpu = uma_test_zone(test, "mg pcpu", ITEM, UMA_ZONE_PCPU);
	uma_zone_t alloc = uma_test_zone(test, "mg allocf", ITEM, 0);
	uma_zone_t alloc2 = uma_test_zone(test, "mg allocf 2", ITEM, 0);
	uma_zone_t fixed = uma_test_zone(test, "mg fixed", ITEM, 0);
	uma_zone_t cache = uma_zcache_create("mg cache", ITEM, NULL, NULL,
					     NULL, NULL, import_blocks,
					     release_blocks, NULL, 0);
	void *item;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_EQ(test, uma_zone_set_freef(alloc, page_freef), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_set_allocf(alloc, page_allocf), 0);
	mg_guard(test, "mg contig,mg pcpu,mg allocf,mg allocf 2,mg fixed,mg cache");
	/* Also one that turns into such a zone under rules. */
	KUNIT_EXPECT_TRUE(test, mg_flags(alloc2) & UC_GUARD_ALLOC);
	KUNIT_EXPECT_EQ(test, uma_zone_set_freef(alloc2, page_freef), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_set_allocf(alloc2, page_allocf), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_set_obj(fixed, NULL, 100), 0);
	KUNIT_EXPECT_FALSE(test, is_guarded(contig));
	KUNIT_EXPECT_FALSE(test, is_guarded(alloc));
	KUNIT_EXPECT_FALSE(test, is_guarded(alloc2));
	KUNIT_EXPECT_FALSE(test, is_guarded(fixed));
	KUNIT_EXPECT_FALSE(test, is_guarded(cache));
	item = uma_zalloc_pcpu(pcpu, M_WAITOK);
	KUNIT_EXPECT_FALSE(test, uma_guard_covers(item));
	uma_zfree_pcpu(pcpu, item);
	KUNIT_EXPECT_EQ(test, mg_flags(contig), 0);
	KUNIT_EXPECT_EQ(test, mg_flags(pcpu), 0);
	KUNIT_EXPECT_EQ(test, mg_flags(alloc), 0);
	KUNIT_EXPECT_EQ(test, mg_flags(alloc2), 0);
	KUNIT_EXPECT_EQ(test, mg_flags(fixed), 0);
	KUNIT_EXPECT_EQ(test, mg_flags(cache), 0);
	end_zone(test, contig);
	end_zone(test, pcpu);
	end_zone(test, alloc);
	end_zone(test, alloc2);
	end_zone(test, fixed);
	end_zone(test, cache);
}

/* Zones of UMA's own are left alone, whatever the rules say. */
static void mg_07_umas_own_zones_are_left_alone(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", 2000,
					UMA_ZONE_OFFPAGE);
	void **items = uma_test_items(test, 200);
	struct memguard_arena_stats st;

	mg_guard(test, "UMA*,*Bucket*,malloc*,[0-9]*");
	uma_test_get(test, zone, items, 200);
	uma_test_put(zone, items, 200);
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.ranges_live + st.ranges_queued, 0);
	/* A guarded type, but not the zones that its blocks would come from. */
	mg_guard(test, "zone:*");
	KUNIT_EXPECT_FALSE(test, type_is_guarded(m_rules, 100));
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.ranges_live + st.ranges_queued, 0);
	end_zone(test, zone);
}

/* Parameters. */

static void refuse(struct kunit *test, const char *name, const char *value,
		   int error, const char *message)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	char path[80], before[200], after[200];

	snprintf(path, sizeof(path), MG_PARAMETER("%s"), name);
	mg_guard(test, "mg zone");
	mg_get_parameter(test, path, before, sizeof(before));
	/* Of a yes or no nothing is said by the kernel's own parser. */
	if (message)
		pr_info("uma-expect-begin: %s\n", message);
	KUNIT_EXPECT_EQ_MSG(test, mg_try_parameter(path, value), error,
			    "%s: %s", name, value);
	if (message)
		pr_info("uma-expect-end\n");
	mg_get_parameter(test, path, after, sizeof(after));
	KUNIT_EXPECT_STREQ(test, before, after);
	KUNIT_EXPECT_TRUE_MSG(test, is_guarded(zone), "%s: %s", name, value);
	end_zone(test, zone);
}

static void mg_07_nonsense_is_refused(struct kunit *test)
{
	static const struct {
		const char *name, *value;
		int error;
		const char *message;
	} nonsense[] = {
		{ "desc", "mg zone/0", -EINVAL,
		  "\"mg zone/0\": one in how many" },
		{ "desc", "mg zone/4294967296", -EINVAL,
		  "\"mg zone/4294967296\": one in how many" },
		{ "desc", "mg zone/99999999999999999999", -EINVAL,
		  "one in how many" },
		{ "desc", "zone:", -EINVAL, "\"zone:\": no name" },
		{ "desc", "mg other,type:", -EINVAL,
		  "\"type:\": no name" },
		{ "desc", "/3", -EINVAL, "\"/3\": no name" },
		{ "desc", "zone:0x", -EINVAL,
		  "\"zone:0x\": not an address" },
		{ "desc", "zone:0xzz", -EINVAL,
		  "\"zone:0xzz\": not an address" },
		{ "desc", "zone:0x11112222333344445", -EINVAL,
		  "\"zone:0x11112222333344445\": not an address" },
		{ "large", "perhaps", -EINVAL,
		  "memguard_large: \"perhaps\" is neither" },
		{ "minsize", "-1", -EINVAL,
		  "memguard_minsize: \"-1\" is not a number" },
		{ "minsize", "many", -EINVAL,
		  "memguard_minsize: \"many\" is not a number" },
		{ "maxsize", "18446744073709551616", -ERANGE,
		  "memguard_maxsize: \"18446744073709551616\" is not" },
		{ "maxsize", "\n", -EINVAL,
		  "memguard_maxsize: \"\" is not a number" },
		{ "start", "2", -EINVAL, NULL },
		{ "noread", "maybe", -EINVAL, NULL },
		{ "continue", "perhaps", -EINVAL, NULL },
		/* Only at load. */
		{ "divisor", "2", -EACCES, NULL },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(nonsense); i++)
		refuse(test, nonsense[i].name, nonsense[i].value,
		       nonsense[i].error, nonsense[i].message);
	set(test, MG_PARAMETER("minsize"), "50");
	refuse(test, "maxsize", "49", -EINVAL,
	       "memguard_minsize 50 is above memguard_maxsize 49");
	set(test, MG_PARAMETER("maxsize"), "200");
	refuse(test, "minsize", "201", -EINVAL,
	       "memguard_minsize 201 is above memguard_maxsize 200");
}

static void mg_07_too_many_and_too_long_rules(struct kunit *test)
{
	char *text = kunit_kzalloc(test, 4096, GFP_KERNEL);
	unsigned int i;
	size_t len = 0;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < MEMGUARD_RULES; i++)
		len += scnprintf(text + len, 4096 - len, "zone %u,", i);
	mg_guard(test, text);
	scnprintf(text + len, 4096 - len, "x");
	refuse(test, "desc", text, -E2BIG, "more than 32 rules");
	memset(text, 'x', 1023);
	text[1023] = '\0';
	mg_guard(test, text);
	memset(text, 'x', 1024);
	text[1024] = '\0';
	refuse(test, "desc", text, -E2BIG,
	       "memguard_desc: more than 1023 characters");
}

static void mg_07_parameters_read_back(struct kunit *test)
{
	char value[200];

	mg_guard(test, "  mg zone/3,type:mg*  ");
	mg_get_parameter(test, MG_PARAMETER("desc"), value, sizeof(value));
	KUNIT_EXPECT_STREQ(test, value, "mg zone/3,type:mg*");
	set(test, MG_PARAMETER("maxsize"), "0x100");
	mg_get_parameter(test, MG_PARAMETER("maxsize"), value, sizeof(value));
	KUNIT_EXPECT_STREQ(test, value, "256");
	set(test, MG_PARAMETER("large"), "yes");
	mg_get_parameter(test, MG_PARAMETER("large"), value, sizeof(value));
	KUNIT_EXPECT_STREQ(test, value, "Y");
}

/* Constructors. */

static char calls[64];
static char refuses;

static int called(char what)
{
	size_t len = strlen(calls);

	if (len + 1 < sizeof(calls))
		calls[len] = what;
	return what == refuses ? -ENXIO : 0;
}

static int log_init(void *mem, int size, int flags)
{
	memset(mem, 0x11, size);
	return called('i');
}

static void log_fini(void *mem, int size)
{
	called('I');
}

static int log_zinit(void *mem, int size, int flags)
{
	return called('z');
}

static void log_zfini(void *mem, int size)
{
	called('Z');
}

static int log_ctor(void *mem, int size, void *arg, int flags)
{
	return called(arg ? *(char *)arg : 'c');
}

static void log_dtor(void *mem, int size, void *arg)
{
	called(arg ? *(char *)arg : 'C');
}

static void expect_calls(struct kunit *test, const char *want)
{
	KUNIT_EXPECT_STREQ(test, calls, want);
	memset(calls, 0, sizeof(calls));
}

static uma_zone_t make_logged(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("mg zone", ITEM, log_ctor, log_dtor,
				      log_init, log_fini, UMA_ALIGN_PTR, 0);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	KUNIT_EXPECT_EQ(test, uma_zone_set_zinit(zone, log_zinit), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_set_zfini(zone, log_zfini), 0);
	memset(calls, 0, sizeof(calls));
	refuses = 0;
	return zone;
}

static void mg_01_constructors_in_order(struct kunit *test)
{
	uma_zone_t zone = make_logged(test);
	void *item, *items[2];

	mg_guard(test, "mg zone");
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_TRUE(test, uma_guard_covers(item));
	expect_calls(test, "izc");
	uma_zfree(zone, item);
	expect_calls(test, "CZI");
	item = uma_zalloc_arg(zone, "a", M_NOWAIT);
	expect_calls(test, "iza");
	uma_zfree_arg(zone, item, "b");
	expect_calls(test, "bZI");
	KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 2, M_WAITOK), 2);
	expect_calls(test, "izizcc");
	uma_zfree_bulk(zone, items, 2);
	expect_calls(test, "CZICZI");
	/* Guarding ends between alloc and free: the same. */
	item = uma_zalloc(zone, M_WAITOK);
	mg_guard(test, "");
	expect_calls(test, "izc");
	uma_zfree(zone, item);
	expect_calls(test, "CZI");
	end_zone(test, zone);
	expect_calls(test, "");
}

static void mg_01_constructors_that_fail(struct kunit *test)
{
	static const struct {
		char who;
		const char *calls, *bulk;
	} fails[] = {
		{ 'i', "i", "i" },
		{ 'z', "izI", "izI" },
		{ 'c', "izcZI", "izizizcZIZIZI" },
	};
	uma_zone_t zone = make_logged(test);
	struct memguard_arena_stats st;
	void *items[3];
	int i, how;

	mg_guard(test, "mg zone");
	for (i = 0; i < ARRAY_SIZE(fails); i++) {
		u64 before = uma_test_totals(test, zone).fails;

		refuses = fails[i].who;
		for (how = M_NOWAIT; how <= M_WAITOK; how++) {
			KUNIT_EXPECT_NULL(test, uma_zalloc(zone, how));
			expect_calls(test, fails[i].calls);
		}
		KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).fails,
				before + 2);
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 3, M_WAITOK),
				0);
		expect_calls(test, fails[i].bulk);
		KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), 0);
		memguard_arena_get_stats(&st);
		KUNIT_EXPECT_EQ(test, st.ranges_live, 0);
		KUNIT_EXPECT_EQ(test, st.bytes_live, 0);
	}
	refuses = 0;
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).allocs, 0);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).frees, 0);
	KUNIT_EXPECT_TRUE(test, is_guarded(zone));
	mg_expect_none(test);
	end_zone(test, zone);
}

/* The last of a bulk fails: what went before is given back. */
static unsigned int countdown;

static int ctor_countdown(void *mem, int size, void *arg, int flags)
{
	return --countdown ? 0 : -ENXIO;
}

static void mg_01_bulk_that_fails_gives_all_back(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("mg zone", ITEM, ctor_countdown, NULL,
				      NULL, NULL, UMA_ALIGN_PTR, 0);
	void *items[8];

	KUNIT_ASSERT_NOT_NULL(test, zone);
	mg_guard(test, "mg zone/2");
	for (countdown = 8; countdown; )
		KUNIT_EXPECT_EQ(test, uma_zalloc_bulk(zone, items, 8, M_WAITOK),
				0);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), 0);
	end_zone(test, zone);
}

static void mg_01_zeroed_items(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, UMA_ZONE_ZINIT);
	uma_zone_t plain = uma_test_zone(test, "mg plain", ITEM, 0);
	struct memguard_arena_stats st;
	unsigned int i;
	void *item;

	mg_guard(test, "mg*");
	memguard_arena_get_stats(&st);
	/* More than once through the arena, so that pages are used again. */
	for (i = 0; i < st.slots / 4; i++) {
		item = uma_zalloc(zone, M_WAITOK);
		KUNIT_ASSERT_TRUE(test, uma_guard_covers(item));
		KUNIT_ASSERT_NULL(test, memchr_inv(item, 0, ITEM));
		memset(item, 0xff, ITEM);
		uma_zfree(zone, item);
		item = uma_zalloc(plain, M_WAITOK | M_ZERO);
		KUNIT_ASSERT_NULL(test, memchr_inv(item, 0, ITEM));
		memset(item, 0xff, ITEM);
		uma_zfree(plain, item);
		item = bsd_malloc(ITEM, m_rules, M_WAITOK | M_ZERO);
		KUNIT_ASSERT_TRUE(test, uma_guard_covers(item));
		KUNIT_ASSERT_NULL(test, memchr_inv(item, 0, ITEM));
		memset(item, 0xff, ITEM);
		bsd_free(item, m_rules);
	}
	mg_expect_none(test);
	end_zone(test, plain);
	end_zone(test, zone);
}

/* malloc(9). */

static void mg_01_realloc_keeps_contents(struct kunit *test)
{
	static const size_t sizes[] = { 1, 5000, 100, 300, 9000, 64, 640 };
	size_t kept, had = 1, i;
	u8 *block, *moved;

	mg_guard(test, "mg type");
	block = bsd_malloc(1, m_rules, M_WAITOK);
	*block = 0x77;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* From a guarded block to a plain one, and back. */
		mg_guard(test, i % 3 == 2 ? "" : "mg type");
		moved = bsd_realloc(block, sizes[i], m_rules, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, moved);
		KUNIT_EXPECT_PTR_NE(test, moved, block);
		block = moved;
		KUNIT_EXPECT_EQ(test, uma_guard_covers(block), i % 3 != 2);
		kept = min(had, sizes[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(block, 0x77, kept));
		memset(block, 0x77, sizes[i]);
		had = sizes[i];
	}
	bsd_free(block, m_rules);
	block = bsd_malloc(50, m_rules, M_WAITOK);
	KUNIT_EXPECT_NULL(test, bsd_reallocf(block, SIZE_MAX / 2, m_rules,
					     M_NOWAIT));
	mg_expect_none(test);
}

static void mg_01_usable_size(struct kunit *test)
{
	static const size_t sizes[] = { 1, 7, 100, 4095, 4096, 10000 };
	u8 *block;
	int i;

	mg_guard(test, "mg type");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		block = bsd_malloc(sizes[i], m_rules, M_WAITOK);
		KUNIT_ASSERT_TRUE(test, uma_guard_covers(block));
		KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(block), sizes[i]);
		KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(block + 1), 0);
		memset(block, 0x33, sizes[i]);
		bsd_free(block, m_rules);
		KUNIT_EXPECT_EQ(test, bsd_malloc_usable_size(block), 0);
	}
	/* Of nothing: a byte. */
	block = bsd_malloc(0, m_rules, M_WAITOK);
	KUNIT_EXPECT_TRUE(test, uma_guard_covers(block));
	bsd_free(block, m_rules);
	mg_expect_none(test);
}

static void mg_01_type_statistics(struct kunit *test)
{
	struct malloc_type_stats before, now;
	void *block;

	before = uma_test_malloc_totals(test, m_rules);
	mg_guard(test, "mg type");
	block = bsd_malloc(1000, m_rules, M_WAITOK);
	now = uma_test_malloc_totals(test, m_rules);
	KUNIT_EXPECT_EQ(test, now.mts_numallocs - before.mts_numallocs, 1);
	KUNIT_EXPECT_EQ(test, now.mts_memalloced - before.mts_memalloced, 1000);
	mg_guard(test, "");
	bsd_free(block, m_rules);
	mg_announce();
	bsd_free(block, m_rules);
	mg_announced();
	mg_expect_count(test, MEMGUARD_DOUBLE_FREE, 1);
	now = uma_test_malloc_totals(test, m_rules);
	KUNIT_EXPECT_EQ(test, now.mts_numallocs - before.mts_numallocs, 1);
	KUNIT_EXPECT_EQ(test, now.mts_numfrees - before.mts_numfrees, 1);
	KUNIT_EXPECT_EQ(test, now.mts_memfreed - before.mts_memfreed, 1000);
}

/* Statistics, and what zones promise. */

static void mg_02_statistics_are_exact(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	uma_zone_t big = uma_test_zone(test, "mg big", 2 * PAGE_SIZE, 0);
	void **items = uma_test_items(test, 20);
	struct memguard_arena_stats st, before;
	struct uma_test_totals t;
	int i;

	memguard_arena_get_stats(&before);
	KUNIT_EXPECT_EQ(test, before.ranges_live, 0);
	KUNIT_EXPECT_EQ(test, before.pages, 0);
	mg_guard(test, "mg zone,mg big");
	uma_test_get(test, zone, items, 10);
	uma_test_get(test, big, items + 10, 5);
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.ranges_live, 15);
	KUNIT_EXPECT_EQ(test, st.ranges_queued, 0);
	KUNIT_EXPECT_EQ(test, st.bytes_live, 10 * ITEM + 5 * 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st.slots_live, 10 * 2 + 5 * 3);
	KUNIT_EXPECT_EQ(test, st.pages, 10 + 5 * 2);
	KUNIT_EXPECT_EQ(test, st.pages_wasted, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&zone->uz_guarded), 10);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 10);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(big), 5);
	/* Nothing is taken from the kegs. */
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, 10);
	KUNIT_EXPECT_EQ(test, t.frees, 0);
	KUNIT_EXPECT_EQ(test, t.pages, 0);
	uma_test_put(zone, items, 10);
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.ranges_live, 5);
	KUNIT_EXPECT_EQ(test, st.ranges_queued, 10);
	KUNIT_EXPECT_EQ(test, st.slots_live, 5 * 3);
	KUNIT_EXPECT_EQ(test, st.slots_queued, 10 * 2);
	KUNIT_EXPECT_EQ(test, st.bytes_live, 5 * 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st.pages, 20);
	for (i = 0; i < 5; i++)
		uma_zfree(big, items[10 + i]);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, 10);
	KUNIT_EXPECT_EQ(test, t.frees, 10);
	KUNIT_EXPECT_EQ(test, t.fails, 0);
	KUNIT_EXPECT_EQ(test, rule_stats(test, 1).guarded, 10);
	KUNIT_EXPECT_EQ(test, rule_stats(test, 2).guarded, 5);
	memguard_arena_trim();
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.pages, 0);
	KUNIT_EXPECT_EQ(test, st.ranges_queued, 0);
	KUNIT_EXPECT_EQ(test, st.slots_queued, 0);
	KUNIT_EXPECT_EQ(test, st.no_space, before.no_space);
	KUNIT_EXPECT_EQ(test, st.no_pages, before.no_pages);
	end_zone(test, big);
	end_zone(test, zone);
}

static void mg_01_destroying_with_items_out(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void *items[2];

	mg_guard(test, "mg zone");
	items[0] = uma_zalloc(zone, M_WAITOK);
	items[1] = uma_zalloc(zone, M_WAITOK);
	pr_info("uma-expect-begin: cannot destroy zone \"mg zone\": 2 items are in use\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), -EBUSY);
	pr_info("uma-expect-end\n");
	/* And is as it was. */
	KUNIT_EXPECT_TRUE(test, is_guarded(zone));
	mg_guard(test, "");
	pr_info("uma-expect-begin: cannot destroy zone \"mg zone\": 2 items are in use\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), -EBUSY);
	pr_info("uma-expect-end\n");
	uma_zfree(zone, items[0]);
	uma_zfree(zone, items[1]);
	mg_expect_none(test);
	end_zone(test, zone);
}

static void mg_01_reference_counters(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", 300, UMA_ZONE_REFCNT);
	u32 *counters[4];
	void *items[4];
	int i;

	mg_guard(test, "mg zone");
	for (i = 0; i < 4; i++) {
		if (i == 3)
			mg_guard(test, "");
		items[i] = uma_zalloc(zone, M_WAITOK);
		KUNIT_EXPECT_EQ(test, uma_guard_covers(items[i]), i < 3);
		counters[i] = uma_find_refcnt(zone, items[i]);
		KUNIT_ASSERT_NOT_NULL(test, counters[i]);
		KUNIT_EXPECT_EQ(test, *counters[i], 0);
		*counters[i] = 100 + i;
	}
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, *counters[i], 100 + i);
		KUNIT_EXPECT_PTR_EQ(test, uma_find_refcnt(zone, items[i]),
				    counters[i]);
		/* Also by an address inside. */
		KUNIT_EXPECT_PTR_EQ(test,
				    uma_find_refcnt(zone, items[i] + 299),
				    counters[i]);
		/* Not in the item. */
		KUNIT_EXPECT_FALSE(test, (void *)counters[i] >= items[i] &&
				   (void *)counters[i] < items[i] + 300);
		uma_zfree(zone, items[i]);
		/* UMA-03: for who lost the race for the last reference. */
		KUNIT_EXPECT_PTR_EQ(test, uma_find_refcnt(zone, items[i]),
				    counters[i]);
		KUNIT_EXPECT_EQ(test, *counters[i], 100 + i);
	}
	mg_expect_none(test);
	end_zone(test, zone);
}

/* A limit concerns what the keg has, and guarded items take nothing from it. */
static void mg_01_limits_are_of_the_keg(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", PAGE_SIZE, 0);
	int i, max = uma_zone_set_max(zone, 4);
	void **items = uma_test_items(test, 2 * max);

	mg_guard(test, "mg zone");
	for (i = 0; i < max; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_EXPECT_TRUE(test, uma_guard_covers(items[i]));
	}
	mg_guard(test, "");
	for (i = max; i < 2 * max; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, items[i]);
	}
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	while (i--)
		uma_zfree(zone, items[i]);
	end_zone(test, zone);
}

/* Switching under load. */

#define LOADERS		3

static struct {
	uma_zone_t zone;
	bool stop;
	atomic_t wrong;
	atomic64_t guarded;
	atomic64_t plain;
} load;

static void load_fn(struct work_struct *work)
{
	void *items[16] = {};
	unsigned long n = 0;
	unsigned int i;

	while (!READ_ONCE(load.stop)) {
		i = n++ % ARRAY_SIZE(items);
		if (items[i]) {
			if (memchr_inv(items[i], i, ITEM))
				atomic_inc(&load.wrong);
			if (n % 3)
				uma_zfree(load.zone, items[i]);
			else
				uma_zfree_bulk(load.zone, &items[i], 1);
		}
		items[i] = uma_zalloc(load.zone, M_WAITOK);
		memset(items[i], i, ITEM);
		if (uma_guard_covers(items[i]))
			atomic64_inc(&load.guarded);
		else
			atomic64_inc(&load.plain);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(items); i++)
		uma_zfree(load.zone, items[i]);
}

static void mg_07_switching_under_load(struct kunit *test)
{
	static const char * const descs[] = {
		"mg zone", "", "mg zone/2", "mg*", "no such", "mg zone/7",
	};
	struct work_struct work[LOADERS];
	unsigned int i, round;

	memset(&load, 0, sizeof(load));
	load.zone = uma_test_zone(test, "mg zone", ITEM, 0);
	for (i = 0; i < LOADERS; i++) {
		INIT_WORK_ONSTACK(&work[i], load_fn);
		queue_work(system_unbound_wq, &work[i]);
	}
	for (round = 0; round < 60; round++) {
		memguard_set_desc(descs[round % ARRAY_SIZE(descs)]);
		if (round % 10 == 0)
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		usleep_range(5000, 10000);
	}
	/* The last word, and the bits go with the last item. */
	memguard_set_desc("");
	usleep_range(5000, 10000);
	WRITE_ONCE(load.stop, true);
	for (i = 0; i < LOADERS; i++) {
		flush_work(&work[i]);
		destroy_work_on_stack(&work[i]);
	}
	kunit_info(test, "%lld guarded, %lld not\n",
		   atomic64_read(&load.guarded), atomic64_read(&load.plain));
	KUNIT_EXPECT_EQ(test, atomic_read(&load.wrong), 0);
	KUNIT_EXPECT_GT(test, atomic64_read(&load.guarded), 0);
	KUNIT_EXPECT_GT(test, atomic64_read(&load.plain), 0);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, load.zone).allocs,
			atomic64_read(&load.guarded) +
			atomic64_read(&load.plain));
	KUNIT_EXPECT_TRUE(test, mg_wait(!mg_flags(load.zone)));
	KUNIT_EXPECT_EQ(test, atomic_read(&load.zone->uz_guarded), 0);
	mg_expect_none(test);
	end_zone(test, load.zone);
}

/* With uma_debug, which looks at each free and marks blocks. */
static void mg_01_with_uma_debug(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void *items[4], *blocks[4];
	int i;

	for (i = 0; i < 4; i++) {
		set(test, UMA_TEST_PARAMETER("uma_debug"), i & 1 ? "1" : "0");
		mg_guard(test, i & 2 ? "mg*" : "");
		items[i] = uma_zalloc(zone, M_WAITOK);
		blocks[i] = bsd_malloc(ITEM, m_rules, M_WAITOK);
		KUNIT_EXPECT_EQ(test, uma_guard_covers(items[i]), !!(i & 2));
		KUNIT_EXPECT_EQ(test, uma_guard_covers(blocks[i]), !!(i & 2));
		memset(items[i], i, ITEM);
		memset(blocks[i], i, ITEM);
	}
	for (i = 0; i < 4; i++) {
		set(test, UMA_TEST_PARAMETER("uma_debug"), i & 2 ? "1" : "0");
		uma_zfree(zone, items[i]);
		blocks[i] = bsd_realloc(blocks[i], 3 * ITEM, m_rules, M_WAITOK);
		KUNIT_EXPECT_NULL(test, memchr_inv(blocks[i], i, ITEM));
		bsd_free(blocks[i], m_rules);
	}
	set(test, UMA_TEST_PARAMETER("uma_debug"), "0");
	mg_expect_none(test);
	end_zone(test, zone);
}

/* Network buffers: a keg with counters, zones stacked on it, packets of both. */

static void get_buffers(struct kunit *test, struct mbuf **m, int from, int to)
{
	int i;

	for (i = from; i < to; i++) {
		m[i] = i % 2 ? m_getcl(M_WAITOK, MT_DATA, M_PKTHDR) :
			       m_gethdr(M_WAITOK, MT_DATA);
		KUNIT_ASSERT_NOT_NULL(test, m[i]);
		memset(m[i]->m_data, i, 100);
		m[i]->m_len = 100;
	}
}

static void put_buffers(struct kunit *test, struct mbuf **m, int from, int to)
{
	int i;

	for (i = from; i < to; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(m[i]->m_data, i, 100));
		m_freem(m[i]);
	}
}

static void mg_01_network_buffers(struct kunit *test)
{
	struct mg_test *mg = test->priv;
	struct memguard_arena_stats st;
	struct mbuf *m[40];

	/* Clusters are never given back: have all that there will be. */
	get_buffers(test, m, 0, 40);
	put_buffers(test, m, 0, 40);
	/* Packets are cached with their clusters: once for each. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	mg->pages = uma_test_free_pages();

	get_buffers(test, m, 0, 10);
	mg_guard(test, "mbuf*");
	get_buffers(test, m, 10, 20);
	memguard_arena_get_stats(&st);
	KUNIT_EXPECT_GE(test, st.ranges_live, 10);
	put_buffers(test, m, 5, 15);
	get_buffers(test, m, 5, 15);
	mg_guard(test, "");
	put_buffers(test, m, 0, 10);
	get_buffers(test, m, 0, 10);
	put_buffers(test, m, 0, 20);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	mg_expect_none(test);
}

/* The bits that lead off the fast path. */
static void mg_07_bits_go_with_the_last_item(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "mg zone", ITEM, 0);
	void *items[2];

	KUNIT_EXPECT_EQ(test, mg_flags(zone), 0);
	mg_guard(test, "mg zone");
	KUNIT_EXPECT_EQ(test, mg_flags(zone), UC_GUARD_ALLOC | UC_GUARD_FREE);
	items[0] = uma_zalloc(zone, M_WAITOK);
	items[1] = uma_zalloc(zone, M_WAITOK);
	mg_guard(test, "");
	KUNIT_EXPECT_EQ(test, mg_flags(zone), UC_GUARD_FREE);
	uma_zfree(zone, items[1]);
	mg_guard(test, "");
	KUNIT_EXPECT_EQ(test, mg_flags(zone), UC_GUARD_FREE);
	uma_zfree(zone, items[0]);
	KUNIT_EXPECT_TRUE(test, mg_wait(!mg_flags(zone)));
	/* Nothing out when it ends: at once. */
	mg_guard(test, "mg zone");
	KUNIT_EXPECT_TRUE(test, is_guarded(zone));
	mg_guard(test, "");
	KUNIT_EXPECT_EQ(test, mg_flags(zone), 0);
	end_zone(test, zone);
}

/* The guarding ends while the item is on its way, and then there is none. */
static int init_ends_guarding(void *mem, int size, int flags)
{
	if (!uma_guard_covers(mem))
		return 0;
	memguard_set_desc("");
	return -ENOMEM;
}

static void mg_07_bits_go_with_an_item_that_never_was(struct kunit *test)
{
	uma_zone_t zone;
	void *item;

	zone = uma_zcreate("mg zone", ITEM, NULL, NULL, init_ends_guarding,
			   NULL, UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	mg_guard(test, "mg zone");
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_WAITOK));
	KUNIT_EXPECT_TRUE(test, mg_wait(!mg_flags(zone)));
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	end_zone(test, zone);
}

static struct kunit_case memguard_rules_cases[] = {
	KUNIT_CASE(mg_07_rules_name_zones_and_types),
	KUNIT_CASE(mg_07_zone_by_its_address),
	KUNIT_CASE(mg_07_first_rule_that_matches_holds),
	KUNIT_CASE(mg_07_rules_hold_for_who_comes_later),
	KUNIT_CASE(mg_07_one_in_n),
	KUNIT_CASE(mg_07_sizes_between_a_least_and_a_most),
	KUNIT_CASE(mg_07_all_of_a_page_or_more),
	KUNIT_CASE(mg_07_type_stable_zones_by_name_only),
	KUNIT_CASE(mg_07_zones_that_cannot_be_guarded),
	KUNIT_CASE(mg_07_umas_own_zones_are_left_alone),
	KUNIT_CASE(mg_07_nonsense_is_refused),
	KUNIT_CASE(mg_07_too_many_and_too_long_rules),
	KUNIT_CASE(mg_07_parameters_read_back),
	KUNIT_CASE(mg_01_constructors_in_order),
	KUNIT_CASE(mg_01_constructors_that_fail),
	KUNIT_CASE(mg_01_bulk_that_fails_gives_all_back),
	KUNIT_CASE(mg_01_zeroed_items),
	KUNIT_CASE(mg_01_realloc_keeps_contents),
	KUNIT_CASE(mg_01_usable_size),
	KUNIT_CASE(mg_01_type_statistics),
	KUNIT_CASE(mg_02_statistics_are_exact),
	KUNIT_CASE(mg_01_destroying_with_items_out),
	KUNIT_CASE(mg_01_reference_counters),
	KUNIT_CASE(mg_01_limits_are_of_the_keg),
	KUNIT_CASE(mg_01_with_uma_debug),
	KUNIT_CASE(mg_01_network_buffers),
	KUNIT_CASE(mg_07_switching_under_load),
	KUNIT_CASE(mg_07_bits_go_with_the_last_item),
	KUNIT_CASE(mg_07_bits_go_with_an_item_that_never_was),
	{}
};

static struct kunit_suite memguard_rules_suite = {
	.name = "memguard_rules",
	.init = mg_init,
	.exit = mg_exit,
	.test_cases = memguard_rules_cases,
};

kunit_test_suite(memguard_rules_suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit suite for MemGuard: what it guards");
MODULE_LICENSE("GPL");
