// SPDX-License-Identifier: GPL-2.0-only
/*
 * Misuse, on purpose: what the allocator does when a consumer is wrong.
 *
 * Each misuse has a name, for `what=`. It does what no consumer should, looks
 * at what came back, and uses the zone on to see that nothing was lost. What
 * it provokes in the kernel log is announced: the lines between
 * "uma-expect-begin: <regex>" and "uma-expect-end" are meant to be there, and
 * one of them has to match. Results are KTAP; a load in which one is not ok
 * fails with -EIO.
 *
 * Four misuses are about this module's own end. "leave_zone" unloads and leaves
 * a zone with items behind, "leave_malloc" blocks of a malloc type; the report
 * comes after our last line, so whoever unloads us writes "uma-expect-end" to
 * the log himself. "leave_callbacks" leaves a zone that has every callback there
 * is, some of them on their way to be called when we go. "hold" keeps a zone
 * with items, and blocks, while it is loaded, so that the kernel refuses to
 * unload uma, and frees all properly in the end.
 *
 * One is no misuse of the allocator: "race" is a plain data race of this
 * module's, for scripts/soak kcsan to see that it would be seen.
 *
 * Checks happen at once with uma_debug on, and when an item goes from a cache
 * to its slab with it off. Both ways are tried; the parameter is switched
 * through its file in sysfs, as a user would, and put back.
 */

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "uma/slab_layout.h"
#include "uma/uma.h"

#undef pr_fmt
#define pr_fmt(fmt) fmt

static char *what = "all";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "misuses by name, separated by commas (default: all that end by themselves)");

/*
 * Reports of wrong frees are rate-limited, ten in five seconds; who wants to see
 * each of his must not be faster.
 */
#define PAUSE_MS	550

#define REFUSED(zone, why)	"uma: zone \"" zone "\": free of .* refused: " why

static MALLOC_DEFINE(M_ABUSE, "abuse", "what this module holds or leaves");

static uma_zone_t kept_zone;
static void *kept_items[3];
static void *kept_blocks[3];
static const char *leave;
static bool leave_types;
static bool hit_limit;

/* Results are kept until the end, when their number is known. */
#define MAX_RESULTS	96

static struct {
	bool ok;
	char text[140];
} results[MAX_RESULTS];
static unsigned int nresults;
static const char *misuse;

__printf(2, 3)
static bool result(bool ok, const char *fmt, ...)
{
	va_list args;
	int n;

	if (nresults == MAX_RESULTS)
		return ok;
	results[nresults].ok = ok;
	n = scnprintf(results[nresults].text, sizeof(results[0].text), "%s: ",
		      misuse);
	va_start(args, fmt);
	vscnprintf(results[nresults].text + n, sizeof(results[0].text) - n, fmt,
		   args);
	va_end(args);
	nresults++;
	return ok;
}

static int print_results(void)
{
	unsigned int i, bad = 0;

	pr_info("KTAP version 1\n1..%u\n", nresults);
	for (i = 0; i < nresults; i++) {
		pr_info("%s %u abuse: %s\n", results[i].ok ? "ok" : "not ok",
			i + 1, results[i].text);
		bad += !results[i].ok;
	}
	if (bad)
		pr_err("uma_abuse: failed: %u of %u\n", bad, nresults);
	else
		pr_info("uma_abuse: passed\n");
	return bad ? -EIO : 0;
}

static void expect_begin(const char *regex)
{
	if (strstr(regex, "refused"))
		msleep(PAUSE_MS);
	pr_info("uma-expect-begin: %s\n", regex);
}

static void expect_end(void)
{
	pr_info("uma-expect-end\n");
}

#define DEBUG_FILE	"/sys/module/uma/parameters/uma_debug"

static bool debug_get(void)
{
	struct file *f = filp_open(DEBUG_FILE, O_RDONLY, 0);
	char c = 'N';
	loff_t pos = 0;

	if (IS_ERR(f))
		return false;
	kernel_read(f, &c, 1, &pos);
	filp_close(f, NULL);
	return c == 'Y';
}

static void debug_set(bool on)
{
	struct file *f = filp_open(DEBUG_FILE, O_WRONLY, 0);
	ssize_t n = -ENOENT;
	loff_t pos = 0;

	if (!IS_ERR(f)) {
		n = kernel_write(f, on ? "Y" : "N", 1, &pos);
		filp_close(f, NULL);
	}
	if (n != 1 || debug_get() != on)
		result(false, "uma_debug could not be set to %d: %zd", on, n);
}

static uma_zone_t plain_zone(const char *name, size_t size)
{
	uma_zone_t zone = uma_zcreate(name, size, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, 0);

	if (!zone)
		result(false, "no zone of size %zu", size);
	return zone;
}

static void destroy(uma_zone_t zone, const char *which)
{
	int error = uma_zdestroy(zone);

	result(!error, "uma_zdestroy of %s returned %d", which, error);
}

/* After a misuse: whatever the zone hands out now, no item comes twice. */
static void check_distinct(uma_zone_t zone, void *held)
{
	void *items[40];
	unsigned int i, j, twice = 0;

	for (i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = uma_zalloc(zone, M_WAITOK);
		twice += items[i] == held;
		for (j = 0; j < i; j++)
			twice += items[i] == items[j];
	}
	for (i = 0; i < ARRAY_SIZE(items); i++)
		uma_zfree(zone, items[i]);
	result(!twice, "of %zu items allocated afterwards %u came twice",
	       ARRAY_SIZE(items), twice);
}

static void double_free(void)
{
	uma_zone_t zone;
	void *item;

	debug_set(true);
	zone = plain_zone("abuse-double", 64);
	if (!zone)
		return;
	item = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, item);
	expect_begin(REFUSED("abuse-double", "an item that is free already"));
	uma_zfree(zone, item);
	expect_end();
	result(!uma_zone_get_cur(zone), "%d items in use after the second free",
	       uma_zone_get_cur(zone));
	check_distinct(zone, NULL);
	destroy(zone, "the zone");
}

/* Unseen while both frees are in a cache; found on the way to the slab. */
static void double_free_late(void)
{
	uma_zone_t zone;
	void *held, *item;

	debug_set(false);
	zone = plain_zone("abuse-late", 64);
	if (!zone)
		return;
	held = uma_zalloc(zone, M_WAITOK);
	item = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, item);
	uma_zfree(zone, item);
	expect_begin(REFUSED("abuse-late", "an item that is free already"));
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	expect_end();
	check_distinct(zone, held);
	uma_zfree(zone, held);
	destroy(zone, "the zone");
}

/* The same, found when checking is switched on. */
static void double_free_switch(void)
{
	uma_zone_t zone;
	void *item;

	debug_set(false);
	zone = plain_zone("abuse-switch", 200);
	if (!zone)
		return;
	item = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, item);
	uma_zfree(zone, item);
	expect_begin(REFUSED("abuse-switch", "an item that is free already"));
	debug_set(true);
	expect_end();
	check_distinct(zone, NULL);
	destroy(zone, "the zone");
}

static void free_foreign(uma_zone_t zone, void *p, const char *kind)
{
	int before = uma_zone_get_cur(zone);

	expect_begin(REFUSED("abuse-foreign", "(not an item|an address)"));
	uma_zfree(zone, p);
	expect_end();
	result(uma_zone_get_cur(zone) == before,
	       "%s: %d items in use before, %d after", kind, before,
	       uma_zone_get_cur(zone));
}

static void foreign_free(void)
{
	static long of_module;
	uma_zone_t zone;
	long on_stack = 0;
	char *item;
	void *p;

	debug_set(true);
	zone = plain_zone("abuse-foreign", 64);
	if (!zone)
		return;
	item = uma_zalloc(zone, M_WAITOK);
	p = kzalloc(128, GFP_KERNEL);
	free_foreign(zone, p, "kmalloc'ed memory");
	kfree(p);
	p = vzalloc(PAGE_SIZE);
	free_foreign(zone, p, "vmalloc'ed memory");
	vfree(p);
	free_foreign(zone, &on_stack, "the stack");
	free_foreign(zone, &of_module, "a module's data");
	free_foreign(zone, (void *)1, "the address 1");
	free_foreign(zone, (void *)0x400010, "an address of user space");
	free_foreign(zone, (void *)0xdead000000000100, "no address at all");
	free_foreign(zone, ERR_PTR(-ENOMEM), "an error pointer");
	free_foreign(zone, (void *)((unsigned long)item | (PAGE_SIZE - 1)) - 7,
		     "a slab's header");
	check_distinct(zone, item);
	uma_zfree(zone, item);
	destroy(zone, "the zone");
}

static void foreign_free_late(void)
{
	uma_zone_t zone;
	void *page, *held;

	debug_set(false);
	zone = plain_zone("abuse-foreign-late", 64);
	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!zone || !page)
		return;
	held = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, page);
	expect_begin(REFUSED("abuse-foreign-late", "not an item of any zone"));
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	expect_end();
	/* Back to its allocator, which undoes what marks a free may have left. */
	free_page((unsigned long)page);
	check_distinct(zone, held);
	uma_zfree(zone, held);
	destroy(zone, "the zone");
}

static void inside_free(void)
{
	uma_zone_t zone;
	void *item;

	debug_set(true);
	zone = plain_zone("abuse-inside", 64);
	if (!zone)
		return;
	item = uma_zalloc(zone, M_WAITOK);
	expect_begin(REFUSED("abuse-inside", "an address inside an item"));
	uma_zfree(zone, item + 8);
	expect_end();
	expect_begin(REFUSED("abuse-inside", "an address inside an item"));
	uma_zfree(zone, item + 1);
	expect_end();
	result(uma_zone_get_cur(zone) == 1, "%d item in use",
	       uma_zone_get_cur(zone));
	check_distinct(zone, item);
	uma_zfree(zone, item);
	destroy(zone, "the zone");
}

static void wrong_zone(void)
{
	uma_zone_t right, wrong, larger;
	void *item;

	debug_set(true);
	right = plain_zone("abuse-right", 64);
	wrong = plain_zone("abuse-wrong", 64);
	larger = plain_zone("abuse-larger", 1000);
	if (!right || !wrong || !larger)
		return;
	item = uma_zalloc(right, M_WAITOK);
	expect_begin(REFUSED("abuse-wrong", "an item of another zone"));
	uma_zfree(wrong, item);
	expect_end();
	expect_begin(REFUSED("abuse-larger", "an item of another zone"));
	uma_zfree(larger, item);
	expect_end();
	result(uma_zone_get_cur(right) == 1 && !uma_zone_get_cur(wrong) &&
	       !uma_zone_get_cur(larger), "in use: %d, %d and %d items",
	       uma_zone_get_cur(right), uma_zone_get_cur(wrong),
	       uma_zone_get_cur(larger));
	check_distinct(right, item);
	check_distinct(wrong, item);
	uma_zfree(right, item);
	destroy(larger, "a zone of another size");
	destroy(wrong, "the wrong zone");
	destroy(right, "the right zone");
}

static void wrong_zone_late(void)
{
	uma_zone_t right, wrong;
	void *item;

	debug_set(false);
	right = plain_zone("abuse-right-late", 64);
	wrong = plain_zone("abuse-wrong-late", 64);
	if (!right || !wrong)
		return;
	item = uma_zalloc(right, M_WAITOK);
	uma_zfree(wrong, item);
	expect_begin(REFUSED("abuse-wrong-late", "an item of another zone"));
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	expect_end();
	result(uma_zone_get_cur(right) == 1, "%d item of the right zone in use",
	       uma_zone_get_cur(right));
	check_distinct(right, item);
	check_distinct(wrong, item);
	uma_zfree(right, item);
	destroy(wrong, "the wrong zone");
	destroy(right, "the right zone");
}

static void try_create(const char *name, size_t size, int align, u32 flags)
{
	uma_zone_t zone;

	expect_begin("uma: cannot create");
	zone = uma_zcreate(name, size, NULL, NULL, NULL, NULL, align, flags);
	expect_end();
	result(!zone, "size %zu, alignment mask %#x, flags %#x: %s", size,
	       align, flags, zone ? "a zone" : "NULL");
	if (zone)
		uma_zdestroy(zone);
}

static void bad_size(void)
{
	try_create("abuse-size", 0, UMA_ALIGN_PTR, 0);
	try_create("abuse-size", UMA_SLAB_PAGES_MAX * PAGE_SIZE + 1,
		   UMA_ALIGN_PTR, 0);
	try_create("abuse-size", (size_t)U32_MAX + 9, UMA_ALIGN_PTR, 0);
	try_create("abuse-size", SIZE_MAX, UMA_ALIGN_PTR, 0);
}

static void bad_align(void)
{
	try_create("abuse-align", 64, 2, 0);
	try_create("abuse-align", 64, 5, 0);
	try_create("abuse-align", 64, 2 * PAGE_SIZE - 1, 0);
	try_create("abuse-align", 64, -1, 0);
	try_create("abuse-align", 64, INT_MIN, 0);
}

static void bad_flags(void)
{
	try_create("abuse-flags", 64, UMA_ALIGN_PTR, 0x80000000);
	try_create("abuse-flags", 64, UMA_ALIGN_PTR, 0x0001);
	try_create("abuse-flags", 64, UMA_ALIGN_PTR, UMA_ZONE_SECONDARY);
}

static void bad_name(void)
{
	try_create(NULL, 64, UMA_ALIGN_PTR, 0);
	try_create("", 64, UMA_ALIGN_PTR, 0);
}

static void bad_value(void)
{
	uma_zone_t zone = plain_zone("abuse-value", 64);
	int error;

	if (!zone)
		return;
	error = uma_zone_set_max(zone, -1);
	result(error == -EINVAL, "uma_zone_set_max(-1) returned %d", error);
	error = uma_prealloc(zone, -1);
	result(error == -EINVAL, "uma_prealloc(-1) returned %d", error);
	expect_begin("uma: uma_reclaim: no such request");
	uma_reclaim(0);
	expect_end();
	uma_zfree(zone, NULL);
	result(!uma_zone_get_cur(zone), "free of NULL: %d items in use",
	       uma_zone_get_cur(zone));
	error = uma_zdestroy(NULL);
	result(!error, "uma_zdestroy(NULL) returned %d", error);
	destroy(zone, "the zone");
}

static int some_init(void *mem, int size, int flags)
{
	return 0;
}

static void some_fini(void *mem, int size)
{
}

/* What must be set before the first item cannot be set after it. */
static void late_set(void)
{
	uma_zone_t zone = plain_zone("abuse-set", 64);
	void *item;
	int error;

	if (!zone)
		return;
	item = uma_zalloc(zone, M_WAITOK);
	expect_begin("uma: cannot set .* of zone \"abuse-set\"");
	error = uma_zone_set_init(zone, some_init);
	expect_end();
	result(error == -EBUSY, "uma_zone_set_init returned %d", error);
	expect_begin("uma: cannot set .* of zone \"abuse-set\"");
	error = uma_zone_set_fini(zone, some_fini);
	expect_end();
	result(error == -EBUSY, "uma_zone_set_fini returned %d", error);
	uma_zfree(zone, item);
	destroy(zone, "the zone");
}

static void nofree_fini(void)
{
	uma_zone_t zone;
	int error;

	expect_begin("uma: zone \"abuse-nofree\" .*fini");
	zone = uma_zcreate("abuse-nofree", 64, NULL, NULL, NULL, some_fini,
			   UMA_ALIGN_PTR, UMA_ZONE_NOFREE);
	expect_end();
	if (!result(zone, "a zone whose fini never runs: %s",
		    zone ? "created" : "NULL"))
		return;
	expect_begin("uma: cannot set fini of zone \"abuse-nofree\"");
	error = uma_zone_set_fini(zone, some_fini);
	expect_end();
	result(error == -EINVAL, "uma_zone_set_fini returned %d", error);
	destroy(zone, "the zone");
}

static void destroy_busy(void)
{
	uma_zone_t zone = plain_zone("abuse-busy", 300);
	void *items[5];
	unsigned int i;
	int error;

	if (!zone)
		return;
	for (i = 0; i < ARRAY_SIZE(items); i++)
		items[i] = memset(uma_zalloc(zone, M_WAITOK), i, 300);
	expect_begin("uma: cannot destroy zone \"abuse-busy\": 5 items");
	error = uma_zdestroy(zone);
	expect_end();
	result(error == -EBUSY, "uma_zdestroy returned %d", error);
	result(uma_zone_get_cur(zone) == 5, "%d items in use after that",
	       uma_zone_get_cur(zone));
	check_distinct(zone, items[0]);
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		if (memchr_inv(items[i], i, 300))
			result(false, "item %u was changed", i);
		uma_zfree(zone, items[i]);
	}
	destroy(zone, "the zone, all items free");
}

static void destroy_master(void)
{
	uma_zone_t master = plain_zone("abuse-master", 300), second;
	int error;

	if (!master)
		return;
	second = uma_zsecond_create("abuse-second", NULL, NULL, NULL, NULL,
				    master);
	if (!result(second, "a zone stacked on another"))
		return;
	expect_begin("uma: cannot destroy zone \"abuse-master\"");
	error = uma_zdestroy(master);
	expect_end();
	result(error == -EBUSY, "uma_zdestroy of the master returned %d",
	       error);
	check_distinct(master, NULL);
	check_distinct(second, NULL);
	destroy(second, "the secondary zone");
	destroy(master, "the master, now alone");
}

/* These warnings come once in a kernel's life: run it once. */
static void bad_refcnt(void)
{
	uma_zone_t zone = plain_zone("abuse-refcnt", 64), counted;
	void *item;
	u32 *ref;

	counted = uma_zcreate("abuse-counted", 64, NULL, NULL, NULL, NULL,
			      UMA_ALIGN_PTR, UMA_ZONE_REFCNT);
	if (!result(zone && counted, "two zones"))
		return;
	item = uma_zalloc(zone, M_WAITOK);
	expect_begin("uma: zone abuse-refcnt has no reference counters");
	ref = uma_find_refcnt(zone, item);
	expect_end();
	result(!ref, "a counter in a zone without them: %s",
	       ref ? "found" : "NULL");
	expect_begin("uma: no item of zone abuse-counted");
	ref = uma_find_refcnt(counted, item);
	expect_end();
	result(!ref, "the counter of another zone's item: %s",
	       ref ? "found" : "NULL");
	uma_zfree(zone, item);
	destroy(counted, "the zone with counters");
	destroy(zone, "the zone without");
}

/* Only a kernel that checks can report it; elsewhere it is merely tried. */
static void sleep_atomic(void)
{
	uma_zone_t zone = plain_zone("abuse-sleep", 64);
	void *item;

	if (!zone)
		return;
	if (!IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP)) {
		result(true, "M_WAITOK where sleep is forbidden # SKIP nobody checks here");
	} else {
		expect_begin("BUG: sleeping function called from invalid context");
		preempt_disable();
		item = uma_zalloc(zone, M_WAITOK);
		preempt_enable();
		expect_end();
		result(item, "M_WAITOK where sleep is forbidden: %s",
		       item ? "an item" : "NULL");
		uma_zfree(zone, item);
	}
	destroy(zone, "the zone");
}

static void keep(const char *name)
{
	unsigned int i;

	kept_zone = plain_zone(name, 100);
	if (!kept_zone)
		return;
	for (i = 0; i < ARRAY_SIZE(kept_items); i++)
		kept_items[i] = uma_zalloc(kept_zone, M_WAITOK);
	result(uma_zone_get_cur(kept_zone) == ARRAY_SIZE(kept_items),
	       "%d items in use", uma_zone_get_cur(kept_zone));
}

/* Small, large, and one that is freed again. */
static void keep_blocks(void)
{
	kept_blocks[0] = bsd_malloc(100, M_ABUSE, M_WAITOK);
	kept_blocks[1] = bsd_malloc(100000, M_ABUSE, M_WAITOK);
	kept_blocks[2] = bsd_malloc(1000, M_ABUSE, M_WAITOK);
	bsd_free(kept_blocks[2], M_ABUSE);
	kept_blocks[2] = NULL;
	result(kept_blocks[0] && kept_blocks[1],
	       "%zu and %zu bytes are held", bsd_malloc_usable_size(kept_blocks[0]),
	       bsd_malloc_usable_size(kept_blocks[1]));
}

static void leave_malloc(void)
{
	keep_blocks();
	leave_types = true;
}

static void leave_zone(void)
{
	keep("abuse-left");
	leave = "abuse-left";
}

/*
 * A limit that is hit, again and again: the warning appears once, which whoever
 * loads us counts, and the action is called.
 */
static unsigned int actions;

static void count_action(uma_zone_t zone, int unused)
{
	actions++;
}

static void limit_hit(void)
{
	uma_zone_t zone = plain_zone("abuse-limit", 2048);
	unsigned int i, n, failed = 0;
	void *items[8] = {};
	int max;

	if (!zone)
		return;
	uma_zone_set_warning(zone, "there are no more of these");
	uma_zone_set_maxaction(zone, count_action);
	max = uma_zone_set_max(zone, 2);
	for (i = 0; i < 50; i++) {
		for (n = 0; n < ARRAY_SIZE(items); n++) {
			items[n] = uma_zalloc(zone, M_NOWAIT);
			failed += !items[n];
		}
		for (n = 0; n < ARRAY_SIZE(items); n++)
			uma_zfree(zone, items[n]);
	}
	msleep(50);
	result(max == 2 && failed == 50 * (ARRAY_SIZE(items) - max),
	       "limit %d, hit %u times", max, failed);
	result(actions && actions <= failed, "%u actions", actions);
	destroy(zone, "the zone");
}

/* A stock for a zone that only caches. */
static u64 stock[64];
static unsigned int stock_used;

static int stock_import(void *arg, void **store, int count, int domain,
			int flags)
{
	int i;

	for (i = 0; i < count && stock_used < ARRAY_SIZE(stock); i++)
		store[i] = &stock[stock_used++];
	return i;
}

static void stock_release(void *arg, void **store, int count)
{
}

static int some_ctor(void *mem, int size, void *arg, int flags)
{
	return 0;
}

static void some_dtor(void *mem, int size, void *arg)
{
}

static void slow_action(uma_zone_t zone, int unused)
{
	msleep(20);
	actions++;
}

static void leave_callbacks(void)
{
	unsigned int i;

	kept_zone = uma_zcache_create("abuse-stock", sizeof(stock[0]),
				      some_ctor, some_dtor, some_init,
				      some_fini, stock_import, stock_release,
				      NULL, 0);
	if (!result(kept_zone, "a zone that only caches"))
		return;
	uma_zone_set_warning(kept_zone, "there is no more in stock");
	uma_zone_set_maxaction(kept_zone, slow_action);
	for (i = 0; i < ARRAY_SIZE(kept_items); i++)
		kept_items[i] = uma_zalloc(kept_zone, M_WAITOK);
	/* Something stays in a cache. */
	uma_zfree(kept_zone, uma_zalloc(kept_zone, M_WAITOK));
	result(uma_zone_get_cur(kept_zone) == ARRAY_SIZE(kept_items),
	       "%d items in use", uma_zone_get_cur(kept_zone));
	leave = "abuse-stock";
	hit_limit = true;
}

/* The last that this module does: the warning and the action come after it. */
static void hit_kept_limit(void)
{
	unsigned int i;

	uma_zone_reclaim(kept_zone, UMA_RECLAIM_DRAIN_CPU);
	uma_zone_set_max(kept_zone, 1);
	for (i = 0; i < 20; i++)
		if (uma_zalloc(kept_zone, M_NOWAIT))
			pr_err("uma_abuse: failed: an item beyond the limit\n");
}

static void hold(void)
{
	keep("abuse-held");
	keep_blocks();
}

/*
 * Two threads count on two CPUs and nothing orders them, so that whoever looks
 * for data races has one to find. Its report is not announced: what is tried is
 * whether the log of such a kernel would pass for clean.
 */
#define RACERS		2

static u64 abuse_counter;

static noinline void abuse_race(void)
{
	abuse_counter++;
}

static int race_fn(void *arg)
{
	u64 *done = arg;

	while (!kthread_should_stop()) {
		abuse_race();
		(*done)++;
		cond_resched();
	}
	return 0;
}

static void race(void)
{
	struct task_struct *racers[RACERS];
	u64 done[RACERS] = {};
	unsigned int cpu, n = 0;

	for_each_online_cpu(cpu) {
		if (n == RACERS)
			break;
		racers[n] = kthread_run_on_cpu(race_fn, &done[n], cpu,
					       "abuse_race/%u");
		if (IS_ERR(racers[n]))
			break;
		n++;
	}
	result(n == RACERS, "%u threads on as many CPUs", n);
	if (n == RACERS)
		msleep(5000);
	while (n--)
		kthread_stop(racers[n]);
	result(done[0] && done[1], "they counted %llu and %llu times together",
	       done[0], done[1]);
}

static const struct {
	const char *name;
	void (*fn)(void);
	bool apart;	/* goes on until this module is unloaded, or spoils the log */
} misuses[] = {
	{ "double_free", double_free },
	{ "double_free_late", double_free_late },
	{ "double_free_switch", double_free_switch },
	{ "foreign_free", foreign_free },
	{ "foreign_free_late", foreign_free_late },
	{ "inside_free", inside_free },
	{ "wrong_zone", wrong_zone },
	{ "wrong_zone_late", wrong_zone_late },
	{ "bad_size", bad_size },
	{ "bad_align", bad_align },
	{ "bad_flags", bad_flags },
	{ "bad_name", bad_name },
	{ "bad_value", bad_value },
	{ "late_set", late_set },
	{ "nofree_fini", nofree_fini },
	{ "destroy_busy", destroy_busy },
	{ "destroy_master", destroy_master },
	{ "bad_refcnt", bad_refcnt },
	{ "sleep_atomic", sleep_atomic },
	{ "race", race, true },
	{ "limit_hit", limit_hit },
	{ "leave_zone", leave_zone, true },
	{ "leave_malloc", leave_malloc, true },
	{ "leave_callbacks", leave_callbacks, true },
	{ "hold", hold, true },
};

/* Return: how many misuses @name means. */
static unsigned int run_misuse(const char *name)
{
	bool all = !strcmp(name, "all");
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(misuses); i++) {
		if (all ? misuses[i].apart : strcmp(name, misuses[i].name))
			continue;
		misuse = misuses[i].name;
		misuses[i].fn();
		n++;
	}
	return n;
}

static int __init uma_abuse_init(void)
{
	struct uma_pool_stats before, after;
	bool debug = debug_get();
	char *list, *rest, *name;
	int error = 0;

	list = kstrdup(what, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_pool_get_stats(uma_pool, &before);
	rest = list;
	while (!error && (name = strsep(&rest, ",")) != NULL) {
		if (!run_misuse(name)) {
			pr_err("uma_abuse: what=: no misuse \"%s\"\n", name);
			error = -EINVAL;
		}
	}
	kfree(list);
	misuse = "all of it";
	debug_set(debug);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_pool_get_stats(uma_pool, &after);
	if (!kept_zone && !leave_types)
		result(before.free == after.free,
		       "%lu pages free before, %lu after", before.free,
		       after.free);
	return print_results() ?: error;
}

static void __exit uma_abuse_exit(void)
{
	unsigned int i;

	if (leave_types) {
		/* As below. */
		pr_info("uma-expect-begin: uma: module uma_abuse leaves 102512 bytes of malloc type \"abuse\" behind, in 2 blocks\n");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(kept_blocks); i++)
		bsd_free(kept_blocks[i], M_ABUSE);
	if (leave) {
		/* Whoever unloads us closes the bracket. */
		pr_info("uma-expect-begin: uma: module uma_abuse leaves zone \"%s\" behind, 3 items\n",
			leave);
		if (hit_limit)
			hit_kept_limit();
		return;
	}
	if (!kept_zone)
		return;
	for (i = 0; i < ARRAY_SIZE(kept_items); i++)
		uma_zfree(kept_zone, kept_items[i]);
	if (uma_zdestroy(kept_zone))
		pr_err("uma_abuse: failed: cannot destroy the zone that was held\n");
}

module_init(uma_abuse_init);
module_exit(uma_abuse_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Misuse of the UMA zone allocator, to see it refused");
MODULE_LICENSE("GPL");
