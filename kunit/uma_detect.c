// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many mistakes are caught: mistakes of one kind, many times, with items of a
 * UMA zone that MemGuard guards, or of a kmem_cache on a kernel with KFENCE.
 *
 * KFENCE guards an allocation now and then, by time: what it catches depends on
 * how many others there are meanwhile. MemGuard guards by number. To compare the
 * two there must be a rate, the same for both: so many pairs of alloc and free a
 * second, in groups, one every millisecond. A round is so many ordinary pairs and,
 * at a place among them that is drawn by lot, the item that the mistake is made
 * with.
 *
 * An item that is guarded by neither is an item like any other: nobody sees
 * what is done to it, but for the damage. So the mistake is made only with an item
 * that is guarded, and is taken as missed otherwise. How many were guarded is
 * known here; how many were caught, only to MemGuard's and KFENCE's own counters,
 * which whoever loads this module reads before and after. Neither ends the
 * task: MemGuard is told to go on, and KFENCE does.
 *
 * Results are a line in the log:
 *
 *	row side=uma kind=overflow rounds=1000 guarded=1000 ms=10412 pairs=101000
 */

#include <linux/delay.h>
#include <linux/kfence.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "uma/compat.h"
#include "uma/uma.h"

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

static char *side = "uma";
module_param(side, charp, 0444);
MODULE_PARM_DESC(side, "uma or kmem (uma)");

static char *kind = "overflow";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "which mistake (overflow)");

static unsigned int rounds = 1000;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how many mistakes (1000)");

static unsigned int ordinary = 100;
module_param(ordinary, uint, 0444);
MODULE_PARM_DESC(ordinary, "pairs of alloc and free beside each (100)");

static unsigned int rate = 10000;
module_param(rate, uint, 0444);
MODULE_PARM_DESC(rate, "pairs a second (10000)");

#define SIZE	128

static bool ours;
static uma_zone_t zone;
static struct kmem_cache *cache;
static u8 seen;

static u8 *item_get(void)
{
	return ours ? uma_zalloc(zone, M_WAITOK) :
		      kmem_cache_alloc(cache, GFP_KERNEL);
}

static void item_put(u8 *item)
{
	if (ours)
		uma_zfree(zone, item);
	else
		kmem_cache_free(cache, item);
}

/* The pool's pages have their address from the kernel; guarded ones from us. */
static bool item_is_guarded(const u8 *item)
{
	return ours ? is_vmalloc_addr(item) : is_kfence_address(item);
}

/* Mistakes; each frees the item. */

static void read_after_free(u8 *item)
{
	item_put(item);
	seen = READ_ONCE(item[SIZE / 2]);
}

static void write_after_free(u8 *item)
{
	item_put(item);
	WRITE_ONCE(item[SIZE / 2], 1);
}

/* Some five hundred others were allocated and freed in between. */
static void late_write(u8 *item)
{
	unsigned int i;

	item_put(item);
	for (i = 0; i < 500; i++) {
		item_put(item_get());
		cond_resched();
	}
	WRITE_ONCE(item[SIZE / 2], 1);
}

static void overflow(u8 *item)
{
	WRITE_ONCE(item[SIZE], 1);
	item_put(item);
}

static void overflow_page(u8 *item)
{
	WRITE_ONCE(item[SIZE + PAGE_SIZE - 1], 1);
	item_put(item);
}

static void underflow(u8 *item)
{
	WRITE_ONCE(item[-1], 1);
	item_put(item);
}

static void double_free(u8 *item)
{
	item_put(item);
	item_put(item);
}

static void invalid_free(u8 *item)
{
	item_put(item + 8);
	item_put(item);
}

static const struct mistake {
	const char *kind;
	void (*make)(u8 *item);
} mistakes[] = {
	{ "read-after-free", read_after_free },
	{ "write-after-free", write_after_free },
	{ "late-write", late_write },
	{ "overflow", overflow },
	{ "overflow-page", overflow_page },
	{ "underflow", underflow },
	{ "double-free", double_free },
	{ "invalid-free", invalid_free },
};

/* Sleep until the group is due that comes after so many pairs. */
static void keep_rate(ktime_t begin, u64 pairs)
{
	ktime_t due = ktime_add_ns(begin, div_u64(pairs * NSEC_PER_SEC, rate));
	s64 us = ktime_us_delta(due, ktime_get());

	if (us > 0)
		usleep_range(us, us + 50);
	else
		cond_resched();
}

/* Of @rounds, with how many the item was guarded; -ENOMEM. */
static int run(const struct mistake *m, s64 *ms, u64 *pairs)
{
	unsigned int round, i, place, guarded = 0, group = max(rate / 1000, 1U);
	ktime_t begin = ktime_get();
	u8 *item;

	*pairs = 0;
	for (round = 0; round < rounds; round++) {
		place = get_random_u32() % (ordinary + 1);
		for (i = 0; i <= ordinary; i++) {
			item = item_get();
			if (!item)
				return -ENOMEM;
			memset(item, 0, SIZE);
			if (i != place) {
				item_put(item);
			} else if (item_is_guarded(item)) {
				guarded++;
				m->make(item);
			} else {
				item_put(item);
			}
			if (++*pairs % group == 0)
				keep_rate(begin, *pairs);
		}
	}
	*ms = ktime_ms_delta(ktime_get(), begin);
	return guarded;
}

static const struct mistake *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++)
		if (!strcmp(name, mistakes[i].kind))
			return &mistakes[i];
	return NULL;
}

static int __init uma_detect_init(void)
{
	const struct mistake *m = find(kind);
	int guarded;
	u64 pairs;
	s64 ms;

	ours = !strcmp(side, "uma");
	if (!m || !rate || (!ours && strcmp(side, "kmem")))
		return -EINVAL;
	zone = uma_zcreate("uma-detect", SIZE, NULL, NULL, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	cache = uma_kmem_cache_create("uma-detect", SIZE);
	guarded = zone && cache ? run(m, &ms, &pairs) : -ENOMEM;
	if (guarded >= 0)
		pr_info("row side=%s kind=%s rounds=%u guarded=%d ms=%lld pairs=%llu\n",
			side, kind, rounds, guarded, ms, pairs);
	if (zone)
		uma_zdestroy(zone);
	kmem_cache_destroy(cache);
	return min(guarded, 0);
}

static void __exit uma_detect_exit(void)
{
}

module_init(uma_detect_init);
module_exit(uma_detect_exit);
MODULE_DESCRIPTION("Makes mistakes with memory and counts how many could be caught");
MODULE_LICENSE("GPL");
