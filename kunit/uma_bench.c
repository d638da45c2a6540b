// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an allocation costs: a UMA zone beside a fresh kmem_cache, in one run.
 *
 * Both sides run the same loop from the same source, called in the same way,
 * each in a function of its own that starts on a cache line. The calls are the
 * ones that an ordinary module would write: constant flags, the result tested.
 * Beside them stands the same loop with neither, so that a reader can subtract
 * it; the rows do not.
 *
 * The loop runs in stretches of a thousand pairs, first ours, then the peer's,
 * then the empty one, and again, so that whatever disturbs the machine
 * disturbs all three. A row shows the median stretch and, to tell how quiet it
 * was, the least one. Nothing is switched off meanwhile: this is process
 * context with interrupts and preemption as they are, and a stretch is short
 * against the time between two ticks.
 *
 * The clock is the time-stamp counter, read in order. Under QEMU's
 * -icount shift=0 it counts executed instructions; the caller says what it
 * counts, in `unit`.
 *
 * Slab waste needs no clock. The kernel keeps a cache's geometry to itself but
 * shows it in sysfs, so that is where the peer's comes from.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "uma/compat.h"
#include "uma/slab_layout.h"
#include "uma/uma.h"

static char *what = "pair,burst,remote,waste";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "rows, of pair,burst,remote,waste (default all)");

static unsigned int loops = 100000;
module_param(loops, uint, 0444);
MODULE_PARM_DESC(loops, "pairs of each kind (default 100000)");

static char *unit = "tsc";
module_param(unit, charp, 0444);
MODULE_PARM_DESC(unit, "what the time-stamp counter counts here, for the output (default tsc)");

#define STRETCH		1024	/* pairs between two looks at the clock */
#define BURST		64
#define BATCH		256	/* items that go to the other CPU at once */
#define WARM_UP		8	/* stretches before the first that counts */

static void *items[STRETCH];

static __always_inline u64 clock(void)
{
	/* what comes before in the program is over before the clock is read */
	rmb();
	return uma_cycles();
}

/*
 * The loops. Each returns what it took by the clock, or 0 if an allocation
 * failed. They are inlined into a function for each allocator, and that one's
 * two calls into them, so that all sides are one source and none reaches its
 * allocator through a pointer.
 */
typedef u64 (*loop_fn)(void *from);
typedef void *(*get_fn)(void *from);
typedef void (*put_fn)(void *from, void *item);

static __always_inline u64 pair(void *from, get_fn get, put_fn put)
{
	u64 begin = clock();
	unsigned int i;
	void *item;

	for (i = 0; i < STRETCH; i++) {
		item = get(from);
		if (unlikely(!item))
			return 0;
		put(from, item);
	}
	return clock() - begin;
}

static __always_inline u64 get_some(void *from, get_fn get, unsigned int n)
{
	u64 begin = clock();
	unsigned int i;

	for (i = 0; i < n; i++) {
		items[i] = get(from);
		if (unlikely(!items[i]))
			return 0;
	}
	return clock() - begin;
}

static __always_inline u64 put_some(void *from, put_fn put, unsigned int n)
{
	u64 begin = clock();
	unsigned int i;

	for (i = 0; i < n; i++)
		put(from, items[i]);
	return clock() - begin;
}

static __always_inline u64 burst(void *from, get_fn get, put_fn put)
{
	u64 begin = clock();
	unsigned int i, j;

	for (i = 0; i < STRETCH / BURST; i++) {
		for (j = 0; j < BURST; j++) {
			items[j] = get(from);
			if (unlikely(!items[j]))
				return 0;
		}
		for (j = 0; j < BURST; j++)
			put(from, items[j]);
	}
	return clock() - begin;
}

/* The two calls of each side: in process context, and where none may sleep. */

static __always_inline void *uma_get(void *zone)
{
	return uma_zalloc(zone, M_WAITOK);
}

static __always_inline void *uma_get_nowait(void *zone)
{
	return uma_zalloc(zone, M_NOWAIT);
}

static __always_inline void uma_put(void *zone, void *item)
{
	uma_zfree(zone, item);
}

static __always_inline void *kmem_get(void *cache)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

static __always_inline void *kmem_get_nowait(void *cache)
{
	return kmem_cache_alloc(cache, GFP_NOWAIT);
}

static __always_inline void kmem_put(void *cache, void *item)
{
	kmem_cache_free(cache, item);
}

/* What the compiler must take for an allocation and a free. */
static __always_inline void *empty_get(void *from)
{
	OPTIMIZER_HIDE_VAR(from);
	return from;
}

static __always_inline void empty_put(void *from, void *item)
{
	OPTIMIZER_HIDE_VAR(item);
}

static noinline __aligned(64) u64 uma_pair(void *from)
{
	return pair(from, uma_get, uma_put);
}

static noinline __aligned(64) u64 kmem_pair(void *from)
{
	return pair(from, kmem_get, kmem_put);
}

static noinline __aligned(64) u64 uma_pair_nowait(void *from)
{
	return pair(from, uma_get_nowait, uma_put);
}

static noinline __aligned(64) u64 kmem_pair_nowait(void *from)
{
	return pair(from, kmem_get_nowait, kmem_put);
}

static noinline __aligned(64) u64 empty_pair(void *from)
{
	return pair(from, empty_get, empty_put);
}

static noinline __aligned(64) u64 uma_burst(void *from)
{
	return burst(from, uma_get, uma_put);
}

static noinline __aligned(64) u64 kmem_burst(void *from)
{
	return burst(from, kmem_get, kmem_put);
}

static noinline __aligned(64) u64 uma_burst_nowait(void *from)
{
	return burst(from, uma_get_nowait, uma_put);
}

static noinline __aligned(64) u64 kmem_burst_nowait(void *from)
{
	return burst(from, kmem_get_nowait, kmem_put);
}

static noinline __aligned(64) u64 empty_burst(void *from)
{
	return burst(from, empty_get, empty_put);
}

static noinline __aligned(64) u64 uma_half_alloc(void *from)
{
	return get_some(from, uma_get, BATCH);
}

static noinline __aligned(64) u64 uma_half_free(void *from)
{
	return put_some(from, uma_put, BATCH);
}

static noinline __aligned(64) u64 kmem_half_alloc(void *from)
{
	return get_some(from, kmem_get, BATCH);
}

static noinline __aligned(64) u64 kmem_half_free(void *from)
{
	return put_some(from, kmem_put, BATCH);
}

static noinline __aligned(64) u64 empty_half_alloc(void *from)
{
	return get_some(from, empty_get, BATCH);
}

static noinline __aligned(64) u64 empty_half_free(void *from)
{
	return put_some(from, empty_put, BATCH);
}

enum side { OURS, PEER, NONE, SIDES };

/**
 * struct contest - the two allocators, for items of one size
 * @zone: ours
 * @cache: the peer
 * @took: what each stretch took, for each side
 */
struct contest {
	uma_zone_t zone;
	struct kmem_cache *cache;
	u64 *took[SIDES];
};

static void end_contest(struct contest *c)
{
	unsigned int i;

	if (c->zone)
		uma_zdestroy(c->zone);
	kmem_cache_destroy(c->cache);
	for (i = 0; i < SIDES; i++)
		kvfree(c->took[i]);
	memset(c, 0, sizeof(*c));
}

static int begin_contest(struct contest *c, unsigned int size,
			 unsigned int stretches)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < SIDES; i++) {
		c->took[i] = kvcalloc(stretches, sizeof(u64), GFP_KERNEL);
		if (!c->took[i])
			goto fail;
	}
	c->zone = uma_zcreate("uma-bench", size, NULL, NULL, NULL, NULL,
			      UMA_ALIGN_PTR, 0);
	c->cache = uma_kmem_cache_create("uma-bench", size);
	if (c->zone && c->cache)
		return 0;
fail:
	end_contest(c);
	pr_err("cannot set up a zone and a cache of size %u\n", size);
	return -ENOMEM;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Two decimals of a number given in hundredths. */
struct decimal {
	char text[24];
};

static struct decimal decimal(u64 hundredths)
{
	struct decimal d;
	u64 whole = div_u64(hundredths, 100);

	scnprintf(d.text, sizeof(d.text), "%llu.%02llu", whole,
		  hundredths - 100 * whole);
	return d;
}

static void print_row(const char *name, struct contest *c,
		      unsigned int stretches, unsigned int pairs)
{
	struct decimal mid[SIDES], least[SIDES];
	unsigned int i;

	for (i = 0; i < SIDES; i++) {
		sort(c->took[i], stretches, sizeof(u64), by_value, NULL);
		mid[i] = decimal(div_u64(100 * c->took[i][stretches / 2],
					 pairs));
		least[i] = decimal(div_u64(100 * c->took[i][0], pairs));
	}
	pr_info("row name=%s unit=%s ours=%s peer=%s empty=%s ours_least=%s peer_least=%s\n",
		name, unit, mid[OURS].text, mid[PEER].text, mid[NONE].text,
		least[OURS].text, least[PEER].text);
}

static int measure(const char *name, unsigned int size, loop_fn ours,
		   loop_fn peer, loop_fn none)
{
	unsigned int i, n, stretches = max(loops / STRETCH, 3U);
	struct contest c;
	int error;

	error = begin_contest(&c, size, stretches);
	if (error)
		return error;
	for (i = 0; i < WARM_UP + stretches; i++) {
		n = i < WARM_UP ? 0 : i - WARM_UP;
		c.took[OURS][n] = ours(c.zone);
		c.took[PEER][n] = peer(c.cache);
		c.took[NONE][n] = none(items);
		if (!c.took[OURS][n] || !c.took[PEER][n]) {
			pr_err("%s: an allocation failed\n", name);
			error = -ENOMEM;
			break;
		}
		cond_resched();
	}
	if (!error)
		print_row(name, &c, stretches, STRETCH);
	end_contest(&c);
	return error;
}

static int bench_pair(void)
{
	int error;

	error = measure("pair", 256, uma_pair, kmem_pair, empty_pair);
	if (!error)
		error = measure("pair-64", 64, uma_pair, kmem_pair, empty_pair);
	if (!error)
		error = measure("pair-1024", 1024, uma_pair, kmem_pair,
				empty_pair);
	if (!error)
		error = measure("pair-nowait", 256, uma_pair_nowait,
				kmem_pair_nowait, empty_pair);
	return error;
}

static int bench_burst(void)
{
	int error;

	error = measure("burst", 256, uma_burst, kmem_burst, empty_burst);
	if (!error)
		error = measure("burst-nowait", 256, uma_burst_nowait,
				kmem_burst_nowait, empty_burst);
	return error;
}

/* A loop that is run by another CPU's worker. */
struct errand {
	loop_fn loop;
	void *from;
	u64 took;
};

static int run_errand(void *arg)
{
	struct errand *e = arg;

	e->took = e->loop(e->from);
	return 0;
}

/* What the batch costs both sides, or 0. */
static u64 there_and_back(unsigned int here, unsigned int there,
			  loop_fn alloc, loop_fn release, void *from)
{
	struct errand a = { .loop = alloc, .from = from };
	struct errand b = { .loop = release, .from = from };

	if (smp_call_on_cpu(here, run_errand, &a, false) || !a.took)
		return 0;
	if (smp_call_on_cpu(there, run_errand, &b, false))
		return 0;
	return a.took + b.took;
}

static int bench_remote(void)
{
	unsigned int i, n, here, there, batches = max(loops / BATCH, 3U);
	struct contest c;
	int error;

	here = cpumask_first(cpu_online_mask);
	there = cpumask_next(here, cpu_online_mask);
	if (there >= nr_cpu_ids) {
		pr_info("skip name=remote reason=one-CPU\n");
		return 0;
	}
	error = begin_contest(&c, 256, batches);
	if (error)
		return error;
	for (i = 0; i < WARM_UP + batches; i++) {
		n = i < WARM_UP ? 0 : i - WARM_UP;
		c.took[OURS][n] = there_and_back(here, there, uma_half_alloc,
						 uma_half_free, c.zone);
		c.took[PEER][n] = there_and_back(here, there, kmem_half_alloc,
						 kmem_half_free, c.cache);
		c.took[NONE][n] = there_and_back(here, there, empty_half_alloc,
						 empty_half_free, items);
		if (!c.took[OURS][n] || !c.took[PEER][n]) {
			pr_err("remote: an allocation failed\n");
			error = -ENOMEM;
			break;
		}
	}
	if (!error)
		print_row("remote", &c, batches, BATCH);
	end_contest(&c);
	return error;
}

/* Slab waste. */

static int read_number(const char *cache, const char *file, unsigned int *value)
{
	char path[80], text[16];
	struct file *f;
	loff_t pos = 0;
	ssize_t n;

	scnprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", cache, file);
	f = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(f))
		return PTR_ERR(f);
	n = kernel_read(f, text, sizeof(text) - 1, &pos);
	filp_close(f, NULL);
	if (n < 0)
		return n;
	text[n] = '\0';
	return kstrtouint(strim(text), 10, value);
}

/* How a kmem_cache for items of this size lays out its slabs. */
static int cache_geometry(unsigned int size, unsigned int *bytes,
			  unsigned int *count)
{
	struct kmem_cache *cache;
	unsigned int order;
	char name[32];
	int error;

	scnprintf(name, sizeof(name), "uma-bench-%u", size);
	cache = uma_kmem_cache_create(name, size);
	if (!cache)
		return -ENOMEM;
	error = read_number(name, "objs_per_slab", count);
	if (!error)
		error = read_number(name, "order", &order);
	if (!error)
		*bytes = PAGE_SIZE << order;
	kmem_cache_destroy(cache);
	return error;
}

/**
 * struct waste - one way to count it, summed up over the sizes
 * @name: of the row
 * @max: the largest share of a slab, in hundredths of a thousandth
 * @sum: of all of them
 * @max_size: the item size with the largest of ours
 * @above: sizes at which ours is the larger
 * @list: the first of them
 * @len: length of @list
 */
struct waste {
	const char *name;
	u64 max[2];
	u64 sum[2];
	unsigned int max_size;
	unsigned int above;
	char list[128];
	unsigned int len;
};

static void add_waste(struct waste *w, unsigned int size, u64 ours, u64 peer)
{
	if (ours > w->max[OURS])
		w->max_size = size;
	w->max[OURS] = max(w->max[OURS], ours);
	w->max[PEER] = max(w->max[PEER], peer);
	w->sum[OURS] += ours;
	w->sum[PEER] += peer;
	if (ours <= peer)
		return;
	w->above++;
	if (w->len < sizeof(w->list) - 8)
		w->len += scnprintf(w->list + w->len, sizeof(w->list) - w->len,
				    " %u", size);
}

static void print_waste(const struct waste *w, unsigned int sizes)
{
	pr_info("row name=%s-max unit=permille ours=%s peer=%s empty=0.00 size=%u above=%u\n",
		w->name, decimal(w->max[OURS]).text, decimal(w->max[PEER]).text,
		w->max_size, w->above);
	if (w->above)
		pr_info("note %s above the peer's at sizes:%s\n", w->name,
			w->list);
	pr_info("row name=%s-mean unit=permille ours=%s peer=%s empty=0.00\n",
		w->name, decimal(div_u64(w->sum[OURS], sizes)).text,
		decimal(div_u64(w->sum[PEER], sizes)).text);
}

/*
 * Counted in two ways: `waste`, as BSD does, what is neither item nor header;
 * and `overhead`, whatever is not an item, our headers included, wherever they
 * are. The peer's header is the page's own record, which costs it nothing here.
 */
static int bench_waste(void)
{
	struct waste waste = { .name = "waste" };
	struct waste overhead = { .name = "overhead" };
	unsigned int size, bytes, count, sizes = 0;
	struct uma_slab_layout l;
	u64 ours, peer, total;
	int error;

	for (size = 8; size <= 4096; size += 8) {
		error = cache_geometry(size, &bytes, &count);
		if (error == -ENOENT) {
			pr_info("skip name=waste reason=no-sysfs\n");
			return 0;
		}
		if (!error)
			error = uma_slab_layout(size, UMA_ALIGN_PTR, 0, &l);
		if (error) {
			pr_err("waste: item size %u: error %d\n", size, error);
			return error;
		}
		sizes++;
		peer = div_u64(100000ULL * (bytes - count * size), bytes);
		total = (u64)l.pages << PAGE_SHIFT;
		ours = div64_u64(100000ULL * l.waste, total);
		add_waste(&waste, size, ours, peer);
		if (l.offpage)
			total += l.hdr_size;
		ours = div64_u64(100000ULL * (total - (u64)l.ipers * size),
				 total);
		add_waste(&overhead, size, ours, peer);
		cond_resched();
	}
	print_waste(&waste, sizes);
	print_waste(&overhead, sizes);
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(void);
} benches[] = {
	{ "pair", bench_pair },
	{ "burst", bench_burst },
	{ "remote", bench_remote },
	{ "waste", bench_waste },
};

static int __init uma_bench_init(void)
{
	char *list, *rest, *name;
	unsigned int i;
	int error = 0;

	list = kstrdup(what, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	pr_info("note loops=%u stretch=%u cpus=%u init_on_alloc=%s\n", loops,
		STRETCH, num_online_cpus(),
		want_init_on_alloc(GFP_KERNEL) ? "on" : "off");
	rest = list;
	while (!error && (name = strsep(&rest, ",")) != NULL) {
		for (i = 0; i < ARRAY_SIZE(benches); i++)
			if (!strcmp(name, benches[i].name))
				break;
		if (i == ARRAY_SIZE(benches)) {
			pr_err("what=: no row \"%s\"\n", name);
			error = -EINVAL;
		} else {
			error = benches[i].fn();
		}
	}
	kfree(list);
	if (!error)
		pr_info("done\n");
	return error;
}

static void __exit uma_bench_exit(void)
{
}

module_init(uma_bench_init);
module_exit(uma_bench_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Benchmark of the UMA zone allocator");
MODULE_LICENSE("GPL");
