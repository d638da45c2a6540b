// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a pool and ending it: parameters, where the pages come from, the
 * tables, and that every page goes back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": pool: " fmt

#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/topology.h>

#include "uma/compat.h"
#include "uma/pool_int.h"
#include "uma/uma.h"

/* One part in so many is the reserve, within these bounds. */
#define RESERVE_DIVISOR	64
#define RESERVE_MIN	4UL
#define RESERVE_MAX	256UL

#define BLACKLIST_MAX	1024

static struct lock_class_key pool_lock_key;

struct uma_pool *uma_pool;
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool);

/* Parameters. Their setters can run before anything else of the module. */

static unsigned int pool_mb = 64;
static unsigned int pool_max_mb;
static char blacklist[BLACKLIST_MAX];

static unsigned long pages_to_kib(unsigned long npages)
{
	return npages << (PAGE_SHIFT - 10);
}

static unsigned long mb_to_pages(unsigned int mb)
{
	return (unsigned long)mb << (20 - PAGE_SHIFT);
}

/* A number of MiB, @least or more and no more than the machine has. */
static int mb_set(const char *val, const struct kernel_param *kp, long least)
{
	unsigned long have = pages_to_kib(totalram_pages()) >> 10;
	long mb;
	int error;

	error = kstrtol(val, 10, &mb);
	if (error == -ERANGE && val[0] != '-') {
		error = 0;
		mb = LONG_MAX;
	}
	if (error || mb < least) {
		pr_err("%s=%s is not a number of MiB from %ld up\n", kp->name,
		       val, least);
		return -EINVAL;
	}
	if (mb > have) {
		pr_err("%s=%s is more than the machine has: %lu MiB\n",
		       kp->name, val, have);
		return -ENOMEM;
	}
	*(unsigned int *)kp->arg = mb;
	return 0;
}

static int pool_mb_set(const char *val, const struct kernel_param *kp)
{
	return mb_set(val, kp, 1);
}

static const struct kernel_param_ops pool_mb_ops = {
	.set = pool_mb_set,
	.get = param_get_uint,
};

module_param_cb(pool_mb, &pool_mb_ops, &pool_mb, 0444);
MODULE_PARM_DESC(pool_mb, "MiB of memory that the pool takes at load (default 64)");

/* Whether it is below pool_mb can only be known when both are set. */
static int pool_max_mb_set(const char *val, const struct kernel_param *kp)
{
	return mb_set(val, kp, 0);
}

static const struct kernel_param_ops pool_max_mb_ops = {
	.set = pool_max_mb_set,
	.get = param_get_uint,
};

module_param_cb(pool_max_mb, &pool_max_mb_ops, &pool_max_mb, 0444);
MODULE_PARM_DESC(pool_max_mb, "MiB that the pool may grow to, 0 for a fixed pool (default 0)");

/* One address: decimal digits, or hexadecimal ones after 0x. */
static bool parse_address(const char *s, size_t len, u64 *addr)
{
	char text[24];
	char *digits = text;
	unsigned int base = 10;

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		digits += 2;
		base = 16;
	}
	/* kstrtou64() by itself would take a sign, a newline, a second 0x. */
	if (!isxdigit(digits[0]) || strspn(digits, "0123456789abcdefABCDEF") !=
	    strlen(digits))
		return false;
	return !kstrtou64(digits, base, addr);
}

/*
 * Read a list of addresses into @addr, which may be NULL to check only. An
 * empty list is fine, an empty element is not. Returns how many there are.
 */
static int parse_blacklist(const char *s, u64 *addr)
{
	size_t len;
	u64 a;
	int n = 0;

	if (!s || !*s)
		return 0;
	for (;; s++) {
		len = strcspn(s, ",");
		if (!parse_address(s, len, &a)) {
			pr_err("blacklist: \"%.*s\" is not a physical address\n",
			       (int)min_t(size_t, len, 64), s);
			return -EINVAL;
		}
		if (addr)
			addr[n] = a;
		n++;
		s += len;
		if (!*s)
			return n;
	}
}

static int blacklist_set(const char *val, const struct kernel_param *kp)
{
	int n;

	if (strlen(val) >= sizeof(blacklist)) {
		pr_err("blacklist: longer than %zu characters\n",
		       sizeof(blacklist) - 1);
		return -EINVAL;
	}
	n = parse_blacklist(val, NULL);
	if (n < 0)
		return n;
	strscpy(blacklist, val, sizeof(blacklist));
	return 0;
}

static int blacklist_get(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%s\n", blacklist);
}

static const struct kernel_param_ops blacklist_ops = {
	.set = blacklist_set,
	.get = blacklist_get,
};

module_param_cb(blacklist, &blacklist_ops, NULL, 0444);
MODULE_PARM_DESC(blacklist, "physical addresses, comma-separated, whose pages the pool never hands out");

/* Making a pool. */

/*
 * Get pages from the kernel, the largest blocks first, as singles. Returns how
 * many there were, @npages or fewer, with their frame numbers in @pfns.
 */
static unsigned long get_pages(int nid, gfp_t gfp, unsigned long npages,
			       unsigned long *pfns)
{
	unsigned int order = ilog2(MAX_ORDER_NR_PAGES);
	unsigned long got = 0, i;
	struct page *page;

	while (got < npages) {
		order = min_t(unsigned int, order, ilog2(npages - got));
		page = alloc_pages_node(nid, gfp, order);
		if (!page) {
			if (!order)
				break;
			order--;
			continue;
		}
		split_page(page, order);
		for (i = 0; i < 1UL << order; i++)
			pfns[got++] = page_to_pfn(page + i);
		cond_resched();
	}
	return got;
}

/*
 * The same from all nodes, from each its part by how much memory it has. What
 * one has not got is taken wherever it is: a load is not to fail for that.
 */
static unsigned long get_pages_of_nodes(unsigned long npages,
					unsigned long *pfns)
{
	unsigned long total = 0, got = 0;
	int nid;

	if (num_node_state(N_MEMORY) > 1) {
		for_each_node_state(nid, N_MEMORY)
			total += node_present_pages(nid);
		for_each_node_state(nid, N_MEMORY)
			got += get_pages(nid, POOL_GFP | __GFP_THISNODE,
					 mult_frac(npages,
						   node_present_pages(nid),
						   total),
					 pfns + got);
	}
	return got + get_pages(numa_mem_id(), POOL_GFP, npages - got,
			       pfns + got);
}

static void put_pages(const unsigned long *pfns, unsigned long npages)
{
	while (npages--)
		__free_page(pfn_to_page(pfns[npages]));
}

static int pfn_nid(unsigned long pfn)
{
	return page_to_nid(pfn_to_page(pfn));
}

static int compare_pfns(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	if (pfn_nid(x) != pfn_nid(y))
		return pfn_nid(x) < pfn_nid(y) ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Whether the page after @pfns[@i - 1] is the first of another segment. */
static bool segment_begins(const unsigned long *pfns, unsigned long i)
{
	return !i || pfns[i] != pfns[i - 1] + 1 ||
	       pfn_nid(pfns[i]) != pfn_nid(pfns[i - 1]);
}

static int find_segments(struct uma_pool *pool, const unsigned long *pfns)
{
	struct pool_segment *seg;
	struct pool_node *node;
	unsigned int n = 0;
	unsigned long i;

	for (i = 0; i < pool->nbase; i++)
		if (segment_begins(pfns, i))
			n++;
	pool->segs = kvcalloc(n, sizeof(*seg), POOL_GFP);
	if (!pool->segs)
		return -ENOMEM;
	pool->nsegs = n;

	seg = pool->segs - 1;
	for (i = 0; i < pool->nbase; i++) {
		if (segment_begins(pfns, i)) {
			(++seg)->first = &pool->pages[i];
			node = pool->by_nid[pfn_nid(pfns[i])];
			if (!node->nsegs++)
				node->segs = seg;
		}
		seg->npages++;
	}
	return 0;
}

/* The others of a node, the nearest first. */
static void sort_others(struct uma_pool *pool, struct pool_node *node)
{
	struct pool_node *other;
	unsigned int n = 0, i;

	for_each_pool_node(pool, other) {
		if (other == node)
			continue;
		for (i = n++; i && node_distance(node->nid, other->nid) <
		     node_distance(node->nid, node->others[i - 1]->nid); i--)
			node->others[i] = node->others[i - 1];
		node->others[i] = other;
	}
}

/* The node for a number that may be without memory. */
static struct pool_node *nearest_node(struct uma_pool *pool, int nid)
{
	struct pool_node *node, *best = pool->nodes;

	for_each_pool_node(pool, node) {
		if (node->nid == nid)
			return node;
		if (node_distance(nid, node->nid) <
		    node_distance(nid, best->nid))
			best = node;
	}
	return best;
}

static void free_tables(struct uma_pool *pool)
{
	struct pool_node *node;

	for_each_pool_node(pool, node)
		kvfree(node->map);
	kfree(pool->nodes[0].others);
	kfree(pool->by_nid);
	kvfree(pool->segs);
	kvfree(pool->chunks);
	kvfree(pool->slots);
	kvfree(pool->pages);
	kfree(pool);
}

/* Set up the nodes that the sorted @pfns lie in, and those with memory. */
static int make_nodes(struct uma_pool *pool, const nodemask_t *mask,
		      const unsigned long *pfns)
{
	unsigned int n = pool->nnodes, i;
	struct pool_node **others, *node = pool->nodes;
	unsigned long page = 0;
	int nid;

	others = kcalloc(n * n, sizeof(*others), GFP_KERNEL);
	pool->nodes[0].others = others;
	pool->by_nid = kcalloc(nr_node_ids, sizeof(*pool->by_nid), GFP_KERNEL);
	if (!others || !pool->by_nid)
		return -ENOMEM;
	for_each_node_mask(nid, *mask) {
		raw_spin_lock_init(&node->lock);
		lockdep_set_class_and_name(&node->lock, &pool_lock_key,
					   "uma_pool");
		INIT_LIST_HEAD(&node->free);
		INIT_LIST_HEAD(&node->zeroed);
		for (i = 0; i < CLASSES; i++)
			INIT_LIST_HEAD(&node->by_free[i]);
		node->nid = nid;
		node->others = others;
		others += n;
		node->grow_after = jiffies;
		node->first = &pool->pages[page];
		while (page < pool->nbase && pfn_nid(pfns[page]) == nid)
			page++;
		node->nrecords = &pool->pages[page] - node->first;
		node->map = kvcalloc(BITS_TO_LONGS(node->nrecords + 1),
				     sizeof(long), POOL_GFP);
		if (!node->map)
			return -ENOMEM;
		node++;
	}
	for_each_pool_node(pool, node)
		sort_others(pool, node);
	for (nid = 0; nid < nr_node_ids; nid++)
		pool->by_nid[nid] = nearest_node(pool, nid);
	return 0;
}

/* The record of a frame, or NULL if the pool was not made with it. */
static struct vm_page *find_pfn(struct uma_pool *pool, u64 pfn)
{
	struct pool_node *node;

	for_each_pool_node(pool, node) {
		unsigned long low = 0, high = node->nrecords, mid;

		while (low < high) {
			mid = low + (high - low) / 2;
			if (node->first[mid].phys_pfn == pfn)
				return &node->first[mid];
			if (node->first[mid].phys_pfn < pfn)
				low = mid + 1;
			else
				high = mid;
		}
	}
	return NULL;
}

static void apply_blacklist(struct uma_pool *pool)
{
	struct vm_page *m;
	int i;

	for (i = 0; i < pool->nbad; i++) {
		m = find_pfn(pool, pool->bad[i] >> PAGE_SHIFT);
		if (m)
			pool_blacklist_page(m, pool->bad[i]);
	}
}

static void tell_kmemleak_of_base(struct uma_pool *pool, bool ours)
{
	unsigned int s;

	for (s = 0; s < pool->nsegs; s++)
		pool_tell_kmemleak(pool->segs[s].first->phys_pfn,
				   pool->segs[s].npages, ours);
}

static void add_base_pages(struct uma_pool *pool, const unsigned long *pfns)
{
	struct pool_node *node;
	unsigned long i;

	for (i = 0; i < pool->nbase; i++)
		pool->pages[i].phys_pfn = pfns[i];
	apply_blacklist(pool);
	for_each_pool_node(pool, node) {
		for (i = 0; i < node->nrecords; i++) {
			if (node->first[i].flags & PG_BLACKLISTED) {
				node->blacklisted++;
				continue;
			}
			pool_add_page(&node->first[i], &node->free);
			__set_bit(i, node->map);
			node->npages++;
		}
		node->nfree = node->npages;
	}
	tell_kmemleak_of_base(pool, true);
}

/* Each node's share of the reserve is as large as its part of the pages. */
static void share_reserve(struct uma_pool *pool)
{
	unsigned long npages = 0, reserve, seen = 0, given = 0;
	struct pool_node *node;

	for_each_pool_node(pool, node)
		npages += node->npages;
	reserve = min(clamp(npages / RESERVE_DIVISOR, RESERVE_MIN, RESERVE_MAX),
		      npages / 4);
	for_each_pool_node(pool, node) {
		seen += node->npages;
		node->reserve = (npages ? mult_frac(reserve, seen, npages) : 0) -
				given;
		given += node->reserve;
	}
	if (pool->nslots)
		pool->grow_mark = 2 * reserve;
	pool->mark = pool->grow_mark;
}

/*
 * A pool with its tables, whose pages are yet to come; the records of up to
 * @most pages are there.
 */
static struct uma_pool *alloc_tables(unsigned long npages, unsigned long most,
				     unsigned int nnodes)
{
	struct uma_pool *pool = kzalloc(struct_size(pool, nodes, nnodes),
					GFP_KERNEL);
	unsigned int slot;
	unsigned long i;

	if (!pool)
		return NULL;
	pool->nnodes = nnodes;
	pool->nbase = npages;
	pool->nslots = min_t(unsigned long, (most - npages) / UMA_CHUNK_PAGES,
			     INT_MAX);
	pool->nrecords = npages + (unsigned long)pool->nslots * UMA_CHUNK_PAGES;
	pool->pages = kvcalloc(pool->nrecords, sizeof(*pool->pages), POOL_GFP);
	if (pool->nslots) {
		pool->chunks = kvcalloc(pool->nslots, sizeof(*pool->chunks),
					POOL_GFP);
		pool->slots = kvcalloc(BITS_TO_LONGS(pool->nslots),
				       sizeof(long), POOL_GFP);
	}
	if (!pool->pages || (pool->nslots && !(pool->chunks && pool->slots))) {
		free_tables(pool);
		return NULL;
	}
	pool->chunk_pages = pool->pages + npages;
	for (i = npages; i < pool->nrecords; i++)
		pool_clear_record(&pool->pages[i]);
	for (slot = 0; slot < pool->nslots; slot++) {
		pool->chunks[slot].first = pool->chunk_pages +
					   (unsigned long)slot *
					   UMA_CHUNK_PAGES;
		INIT_LIST_HEAD(&pool->chunks[slot].free);
	}
	pool_wait_init(pool);
	pool_grow_init(pool);
	return pool;
}

/* Whether the kernel has that much to give; says so if not. */
static bool enough_memory(unsigned long npages, unsigned long most)
{
	unsigned long records = most / (PAGE_SIZE / sizeof(struct vm_page));
	long have = si_mem_available();

	if (have > 0 && npages + records < have)
		return true;
	pr_err("%lu KiB wanted, %lu KiB available\n",
	       pages_to_kib(npages + records),
	       pages_to_kib(max(have, 0L)));
	return false;
}

/**
 * uma_pool_create_elastic() - make a pool that can grow
 * @npages: how many pages to take from the kernel
 * @most: the most pages that it may grow to, @npages or more; rounded down to whole
 *	chunks above @npages
 * @bad: addresses of pages to keep out, as in the parameter blacklist; may be
 *	NULL
 *
 * Blacklisted pages count among @npages: they are held, so that nobody else
 * gets them, and never handed out. A log line names each.
 *
 * Context: process context, may sleep.
 * Return: the pool, or an ERR_PTR() with a message in the log: -EINVAL for an
 * unreadable @bad, for no pages, for @most below @npages, -ENOMEM.
 */
struct uma_pool *uma_pool_create_elastic(unsigned long npages,
					 unsigned long most, const char *bad)
{
	struct uma_pool *pool = NULL;
	unsigned long *pfns = NULL;
	unsigned long got = 0, i;
	u64 *bad_addr = NULL;
	nodemask_t mask;
	int nbad, error;

	nbad = parse_blacklist(bad, NULL);
	if (nbad < 0)
		return ERR_PTR(nbad);
	if (!npages) {
		pr_err("a pool without pages is no use\n");
		return ERR_PTR(-EINVAL);
	}
	if (most < npages) {
		pr_err("a pool of %lu KiB cannot be limited to %lu KiB\n",
		       pages_to_kib(npages), pages_to_kib(most));
		return ERR_PTR(-EINVAL);
	}
	if (!enough_memory(npages, most))
		return ERR_PTR(-ENOMEM);

	error = -ENOMEM;
	bad_addr = kvcalloc(nbad + 1, sizeof(*bad_addr), POOL_GFP);
	pfns = kvcalloc(npages, sizeof(*pfns), POOL_GFP);
	if (!bad_addr || !pfns)
		goto no_tables;
	parse_blacklist(bad, bad_addr);

	got = get_pages_of_nodes(npages, pfns);
	if (got < npages) {
		pr_err("%lu KiB wanted, the kernel gave %lu KiB\n",
		       pages_to_kib(npages), pages_to_kib(got));
		goto fail;
	}
	sort(pfns, npages, sizeof(*pfns), compare_pfns, NULL);
	mask = node_states[N_MEMORY];
	for (i = 0; i < npages; i++)
		node_set(pfn_nid(pfns[i]), mask);

	pool = alloc_tables(npages, most, nodes_weight(mask));
	if (!pool || make_nodes(pool, &mask, pfns) ||
	    find_segments(pool, pfns))
		goto no_tables;
	pool->bad = bad_addr;
	pool->nbad = nbad;
	add_base_pages(pool, pfns);
	share_reserve(pool);
	kvfree(pfns);
	return pool;

no_tables:
	pr_err("no memory for the records of %lu pages\n", most);
fail:
	put_pages(pfns, got);
	if (pool)
		free_tables(pool);
	kvfree(pfns);
	kvfree(bad_addr);
	return ERR_PTR(error);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_create_elastic);

/**
 * uma_pool_create() - make a pool that stays as large as it is
 * @npages: how many pages to take from the kernel
 * @bad: addresses of pages to keep out, may be NULL
 *
 * Context: process context, may sleep.
 * Return: as uma_pool_create_elastic().
 */
struct uma_pool *uma_pool_create(unsigned long npages, const char *bad)
{
	return uma_pool_create_elastic(npages, npages, bad);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_create);

/**
 * uma_pool_destroy() - give the pages of a pool back to the kernel
 * @pool: the pool; nobody uses it any more
 *
 * Pages that are still allocated cannot be given back, since somebody may write
 * to them: they stay lost, and the log says how many.
 *
 * Context: process context, may sleep.
 */
void uma_pool_destroy(struct uma_pool *pool)
{
	unsigned long lost = 0, had = 0, i;
	unsigned int slot;

	WARN_ON(pool->nodes[0].waiters);
	pool_grow_stop(pool);
	uma_pool_set_lowmem(pool, NULL, NULL, 0);
	irq_work_sync(&pool->wake_work);
	tell_kmemleak_of_base(pool, false);
	for (slot = 0; slot < pool->nslots; slot++)
		if (test_bit(slot, pool->slots))
			pool_tell_kmemleak(pool->chunks[slot].first->phys_pfn,
					   UMA_CHUNK_PAGES, false);

	for (i = 0; i < pool->nrecords; i++) {
		struct vm_page *m = &pool->pages[i];

		if (m->flags & PG_ABSENT)
			continue;
		had++;
		if (!pool_give_page_back(m))
			lost++;
		if (!(i % 1024))
			cond_resched();
	}
	if (lost)
		pr_err("%lu pages are still in use and stay lost\n", lost);
	pr_info("%lu of %lu pages returned\n", had - lost, had);
	kvfree(pool->bad);
	free_tables(pool);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_destroy);

/**
 * uma_pool_init() - make the module's own pool, as its parameters say
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno with a message in the log.
 */
int uma_pool_init(void)
{
	unsigned int most = pool_max_mb ?: pool_mb;
	struct uma_pool *pool;

	if (most < pool_mb) {
		pr_err("pool_max_mb=%u is below pool_mb=%u\n", most, pool_mb);
		return -EINVAL;
	}
	pool = uma_pool_create_elastic(mb_to_pages(pool_mb), mb_to_pages(most),
				       blacklist);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	uma_pool = pool;
	uma_pool_quick.records = (unsigned long)pool->pages;
	uma_pool_quick.bytes = pool->nrecords * sizeof(*pool->pages);
	return 0;
}

/**
 * uma_pool_fini() - give the module's own pool back
 *
 * Context: process context, may sleep.
 */
void uma_pool_fini(void)
{
	uma_pool_destroy(uma_pool);
	uma_pool = NULL;
}
