// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: real pages that are ours from load to unload.
 *
 * A virtual-memory system wants to own its pages: to know each one by a record
 * of its own, to find that record from any address, to see which pages are
 * neighbours, and to run short without the rest of the machine noticing. So
 * the pool takes a fixed number of pages from the kernel when it is made, in
 * the largest blocks that the kernel gives without a struggle, and everything
 * above it lives on those.
 *
 *	pages	one record for each page, sorted by physical address
 *		+----+----+----+----+----+----+----+----+----+----+
 *		| 80 | 81 | 82 | 83 | c0 | c1 | c2 | f8 | f9 | fa |  phys_pfn
 *		+----+----+----+----+----+----+----+----+----+----+
 *	segs	|   segment 0       |  segment 1   |  segment 2   |
 *	map	  1    0    1    1    0    1    1    1    1    1	 1 is free
 *
 * Sorting makes neighbours in memory neighbours in the table, so a run of
 * pages is a run of records, and segments are where the addresses jump.
 *
 * From a page to its record is one load: the private word of the struct page,
 * which is free for its owner to use, points at the record. It is zero again
 * before the page goes back; nothing else of struct page is touched. From an
 * address that cannot be trusted it is the same load with doubts: the address
 * must be the kernel's own mapping of real memory, the word must be the
 * address of one of our records, and that record must name this page. Another
 * owner's private word is just a number that fails these tests.
 *
 * Free pages are known twice. A list gives a single page in O(1), the one freed
 * last first, since the caches may still know it; it starts out in ascending
 * order. A bitmap shows what is contiguous; runs are sought in it from the top
 * down, so that singles, which anything satisfies, and runs, which little does,
 * eat the pool from opposite ends. The pages of a freed run go to the list's
 * tail for the same reason.
 *
 * The search for a run may look at the whole map (at each bit no more than
 * twice), and the pool's lock is held with interrupts off. So the search runs
 * without the lock, and only what it finds is looked at again and taken under
 * it; if somebody was faster it goes on below. A run that is free all the
 * while is always found, and the lock is held for as long as the run is, not
 * the pool.
 *
 * Callers may hold any lock, the scheduler's own included. So nothing here
 * sleeps or wakes anyone: sleepers are woken, and the low-memory callback is
 * called, from irq_work.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": pool: " fmt

#include <linux/bitmap.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/kmemleak.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "uma/fail.h"
#include "uma/pool.h"
#include "uma/uma.h"

/* One part in so many is the reserve, within these bounds. */
#define RESERVE_DIVISOR	64
#define RESERVE_MIN	4UL
#define RESERVE_MAX	256UL

/* Never the OOM killer: a pool is not worth anybody's process. */
#define POOL_GFP	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

#define BLACKLIST_MAX	1024

/* Free runs are shown by length: 1, 2-3, 4-7, ... */
#define RUN_CLASSES	16

/**
 * struct pool_segment - physically contiguous pages
 * @first: index of its first record
 * @npages: how many follow each other
 */
struct pool_segment {
	unsigned long first;
	unsigned long npages;
};

/**
 * struct uma_pool - a pool; what is not marked is constant once it is made
 * @pages: the records, sorted by physical address
 * @nrecords: their number
 * @npages: those that are not blacklisted
 * @blacklisted: those that are
 * @reserve: free pages that only M_USE_RESERVE gets
 * @segs: the segments, sorted
 * @nsegs: their number
 * @lock: innermost of the allocator's locks
 * @map: a bit for each record, set while the page is free; written under
 *	@lock, read without it by who can live with an old answer
 * @free: the free pages, the next single first; @lock
 * @nfree: their number; @lock
 * @allocs: allocations that succeeded; @lock
 * @fails: allocations that did not; @lock
 * @lowmem_fn: the low-memory callback, or NULL; @lock
 * @lowmem_arg: its argument; @lock
 * @lowmem_threshold: fewer free pages than this are low memory; @lock
 * @lowmem_told: the callback knows of this shortage; @lock
 * @waiters: sleepers between uma_pool_wait_begin() and _end(); @lock
 * @wake: pages freed that @waiters have not been woken for; @lock
 * @lowmem_work: calls the callback
 * @wake_work: wakes the sleepers
 * @wait: where they sleep
 */
struct uma_pool {
	struct vm_page *pages;
	unsigned long nrecords;
	unsigned long npages;
	unsigned long blacklisted;
	unsigned long reserve;
	struct pool_segment *segs;
	unsigned int nsegs;

	raw_spinlock_t lock;
	unsigned long *map;
	struct list_head free;
	unsigned long nfree;
	u64 allocs;
	u64 fails;

	void (*lowmem_fn)(void *arg);
	void *lowmem_arg;
	unsigned long lowmem_threshold;
	bool lowmem_told;

	unsigned int waiters;
	unsigned long wake;

	struct irq_work lowmem_work;
	struct irq_work wake_work;
	wait_queue_head_t wait;
};

static struct lock_class_key pool_lock_key;

struct uma_pool *uma_pool;
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool);

/* Parameters. Their setters can run before anything else of the module. */

static unsigned int pool_mb = 64;
static char blacklist[BLACKLIST_MAX];

static unsigned long pages_to_kib(unsigned long npages)
{
	return npages << (PAGE_SHIFT - 10);
}

static int pool_mb_set(const char *val, const struct kernel_param *kp)
{
	unsigned long have = pages_to_kib(totalram_pages()) >> 10;
	long mb;
	int error;

	error = kstrtol(val, 10, &mb);
	if (error == -ERANGE && val[0] != '-') {
		error = 0;
		mb = LONG_MAX;
	}
	if (error || mb <= 0) {
		pr_err("pool_mb=%s is not a number of MiB above 0\n", val);
		return -EINVAL;
	}
	if (mb > have) {
		pr_err("pool_mb=%s is more than the machine has: %lu MiB\n",
		       val, have);
		return -ENOMEM;
	}
	pool_mb = mb;
	return 0;
}

static const struct kernel_param_ops pool_mb_ops = {
	.set = pool_mb_set,
	.get = param_get_uint,
};

module_param_cb(pool_mb, &pool_mb_ops, &pool_mb, 0444);
MODULE_PARM_DESC(pool_mb, "MiB of memory that the pool takes at load (default 64)");

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

/**
 * pmap_page_init() - set up the machine-dependent part of a page's record
 * @m: the record, whose physical address is known already
 *
 * Called once, where the page is added, and nowhere else.
 */
void pmap_page_init(struct vm_page *m)
{
	m->md.kva = page_address(pfn_to_page(m->phys_pfn));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_page_init);

/*
 * Get pages from the kernel, the largest blocks first, as singles. Returns how
 * many there were, @npages or fewer, with their frame numbers in @pfns.
 */
static unsigned long get_pages(unsigned long npages, unsigned long *pfns)
{
	unsigned int order = ilog2(MAX_ORDER_NR_PAGES);
	unsigned long got = 0, i;
	struct page *page;

	while (got < npages) {
		order = min_t(unsigned int, order, ilog2(npages - got));
		page = alloc_pages(POOL_GFP, order);
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

static void put_pages(const unsigned long *pfns, unsigned long npages)
{
	while (npages--)
		__free_page(pfn_to_page(pfns[npages]));
}

static int compare_pfns(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static int find_segments(struct uma_pool *pool, const unsigned long *pfns)
{
	struct pool_segment *seg;
	unsigned long i;
	unsigned int n = 0;

	for (i = 0; i < pool->nrecords; i++)
		if (!i || pfns[i] != pfns[i - 1] + 1)
			n++;
	pool->segs = kvcalloc(n, sizeof(*seg), POOL_GFP);
	if (!pool->segs)
		return -ENOMEM;
	pool->nsegs = n;

	seg = pool->segs - 1;
	for (i = 0; i < pool->nrecords; i++) {
		if (!i || pfns[i] != pfns[i - 1] + 1)
			(++seg)->first = i;
		seg->npages++;
	}
	return 0;
}

/* The record of a frame, or NULL if it is not of this pool. */
static struct vm_page *find_pfn(struct uma_pool *pool, u64 pfn)
{
	unsigned long low = 0, high = pool->nrecords, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (pool->pages[mid].phys_pfn == pfn)
			return &pool->pages[mid];
		if (pool->pages[mid].phys_pfn < pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void apply_blacklist(struct uma_pool *pool, const u64 *addr, int n)
{
	struct vm_page *m;
	int i;

	for (i = 0; i < n; i++) {
		m = find_pfn(pool, addr[i] >> PAGE_SHIFT);
		if (!m)
			continue;
		pr_info("blacklisted address %#llx: its page is kept out\n",
			addr[i]);
		if (!(m->flags & PG_BLACKLISTED)) {
			m->flags |= PG_BLACKLISTED;
			pool->blacklisted++;
		}
	}
}

/*
 * Items hold pointers to what the kernel's allocators gave, so kmemleak is to
 * read the pool (and not to report it). It is told here, once, since it cannot
 * be where slabs are made, which may be under any lock.
 */
static void tell_kmemleak(struct uma_pool *pool, bool ours)
{
	unsigned int s;

	for (s = 0; s < pool->nsegs; s++) {
		const struct pool_segment *seg = &pool->segs[s];
		unsigned long pfn = pool->pages[seg->first].phys_pfn;
		void *start = page_address(pfn_to_page(pfn));

		if (ours)
			kmemleak_alloc(start, seg->npages << PAGE_SHIFT, 0,
				       GFP_KERNEL);
		else
			kmemleak_free(start);
	}
}

/* Add a page: from here on it is known by its record, and free. */
static void add_page(struct uma_pool *pool, struct vm_page *m)
{
	pmap_page_init(m);
	set_page_private(pfn_to_page(m->phys_pfn), (unsigned long)m);
	m->flags |= PG_FREE;
	list_add_tail(&m->pageq, &pool->free);
	__set_bit(m - pool->pages, pool->map);
	pool->npages++;
}

static void call_lowmem(struct irq_work *work);
static void wake_sleepers(struct irq_work *work);

static void free_tables(struct uma_pool *pool)
{
	kvfree(pool->segs);
	kvfree(pool->map);
	kvfree(pool->pages);
	kfree(pool);
}

/* A pool with its tables, whose pages are yet to come. */
static struct uma_pool *alloc_tables(unsigned long npages)
{
	struct uma_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return NULL;
	pool->nrecords = npages;
	pool->pages = kvcalloc(npages, sizeof(*pool->pages), POOL_GFP);
	pool->map = kvcalloc(BITS_TO_LONGS(npages), sizeof(long), POOL_GFP);
	if (!pool->pages || !pool->map) {
		free_tables(pool);
		return NULL;
	}
	raw_spin_lock_init(&pool->lock);
	lockdep_set_class_and_name(&pool->lock, &pool_lock_key, "uma_pool");
	INIT_LIST_HEAD(&pool->free);
	init_waitqueue_head(&pool->wait);
	init_irq_work(&pool->lowmem_work, call_lowmem);
	init_irq_work(&pool->wake_work, wake_sleepers);
	return pool;
}

/* Whether the kernel has that much to give; says so if not. */
static bool enough_memory(unsigned long npages)
{
	unsigned long records = npages / (PAGE_SIZE / sizeof(struct vm_page));
	long have = si_mem_available();

	if (have > 0 && npages + records < have)
		return true;
	pr_err("%lu KiB wanted, %lu KiB available\n",
	       pages_to_kib(npages + records),
	       pages_to_kib(max(have, 0L)));
	return false;
}

/**
 * uma_pool_create() - make a pool
 * @npages: how many pages to take from the kernel
 * @bad: addresses of pages to keep out, as in the parameter blacklist; may be
 *	NULL
 *
 * Blacklisted pages count among @npages: they are held, so that nobody else
 * gets them, and never handed out. A log line names each.
 *
 * Context: process context, may sleep.
 * Return: the pool, or an ERR_PTR() with a message in the log: -EINVAL for an
 * unreadable @bad or no pages, -ENOMEM.
 */
struct uma_pool *uma_pool_create(unsigned long npages, const char *bad)
{
	struct uma_pool *pool = NULL;
	unsigned long *pfns = NULL;
	u64 *bad_addr = NULL;
	unsigned long got = 0, i;
	int nbad, error;

	nbad = parse_blacklist(bad, NULL);
	if (nbad < 0)
		return ERR_PTR(nbad);
	if (!npages) {
		pr_err("a pool without pages is no use\n");
		return ERR_PTR(-EINVAL);
	}
	if (!enough_memory(npages))
		return ERR_PTR(-ENOMEM);

	error = -ENOMEM;
	bad_addr = kvcalloc(nbad + 1, sizeof(*bad_addr), POOL_GFP);
	pfns = kvcalloc(npages, sizeof(*pfns), POOL_GFP);
	pool = alloc_tables(npages);
	if (!bad_addr || !pfns || !pool) {
		pr_err("no memory for the records of %lu pages\n", npages);
		goto fail;
	}
	parse_blacklist(bad, bad_addr);

	got = get_pages(npages, pfns);
	if (got < npages) {
		pr_err("%lu KiB wanted, the kernel gave %lu KiB\n",
		       pages_to_kib(npages), pages_to_kib(got));
		goto fail;
	}
	sort(pfns, npages, sizeof(*pfns), compare_pfns, NULL);
	error = find_segments(pool, pfns);
	if (error) {
		pr_err("no memory for the segments of %lu pages\n", npages);
		goto fail;
	}

	for (i = 0; i < npages; i++)
		pool->pages[i].phys_pfn = pfns[i];
	apply_blacklist(pool, bad_addr, nbad);
	for (i = 0; i < npages; i++)
		if (!(pool->pages[i].flags & PG_BLACKLISTED))
			add_page(pool, &pool->pages[i]);
	pool->nfree = pool->npages;
	pool->reserve = min(clamp(pool->npages / RESERVE_DIVISOR,
				  RESERVE_MIN, RESERVE_MAX),
			    pool->npages / 4);
	tell_kmemleak(pool, true);
	kvfree(pfns);
	kvfree(bad_addr);
	return pool;

fail:
	put_pages(pfns, got);
	if (pool)
		free_tables(pool);
	kvfree(pfns);
	kvfree(bad_addr);
	return ERR_PTR(error);
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
	unsigned long lost = 0, i;

	WARN_ON(pool->waiters);
	uma_pool_set_lowmem(pool, NULL, NULL, 0);
	irq_work_sync(&pool->wake_work);
	tell_kmemleak(pool, false);

	for (i = 0; i < pool->nrecords; i++) {
		struct vm_page *m = &pool->pages[i];
		struct page *page = pfn_to_page(m->phys_pfn);

		set_page_private(page, 0);
		if (m->flags & (PG_FREE | PG_BLACKLISTED))
			__free_page(page);
		else
			lost++;
		if (!(i % 1024))
			cond_resched();
	}
	if (lost)
		pr_err("%lu pages are still in use and stay lost\n", lost);
	pr_info("%lu of %lu pages returned\n", pool->nrecords - lost,
		pool->nrecords);
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
	struct uma_pool *pool;

	pool = uma_pool_create((unsigned long)pool_mb << (20 - PAGE_SHIFT),
			       blacklist);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	uma_pool = pool;
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

/* Taking pages and giving them back. */

/*
 * Take a free page off the list and the map. The caller holds the lock; the
 * count and the map are also looked at without it.
 */
static void take_page(struct uma_pool *pool, struct vm_page *m)
{
	m->flags &= ~PG_FREE;
	list_del_init(&m->pageq);
	__clear_bit(m - pool->pages, pool->map);
	WRITE_ONCE(pool->nfree, pool->nfree - 1);
}

/* Tell of a shortage once, and again only after it was over. */
static void check_lowmem(struct uma_pool *pool)
{
	if (pool->nfree >= pool->lowmem_threshold) {
		pool->lowmem_told = false;
	} else if (pool->lowmem_fn && !pool->lowmem_told) {
		pool->lowmem_told = true;
		irq_work_queue(&pool->lowmem_work);
	}
}

/*
 * The index of a run of free pages that ends at or below @below, or -1. The
 * highest such run of the highest segment is found. Needs no lock; without it
 * the answer is a guess.
 *
 * A window of @npages slides down. If it holds a page in use, then so does
 * every window that holds that page: go on with the one just below the lowest
 * page in use.
 */
static long find_run(struct uma_pool *pool, unsigned long below,
		     unsigned int npages)
{
	unsigned long top, used;
	unsigned int s;

	for (s = pool->nsegs; s--;) {
		const struct pool_segment *seg = &pool->segs[s];

		top = min(below, seg->first + seg->npages);
		while (top >= seg->first + npages) {
			/* Looked at again by who takes the run. */
			used = data_race(find_next_zero_bit(pool->map, top,
							    top - npages));
			if (used >= top)
				return top - npages;
			top = used;
		}
	}
	return -1;
}

static bool enough_free(struct uma_pool *pool, unsigned int npages, int flags)
{
	unsigned long keep = flags & M_USE_RESERVE ? 0 : pool->reserve;

	return pool->nfree >= keep + npages;
}

static struct vm_page *alloc_single(struct uma_pool *pool, int flags)
{
	struct vm_page *m = NULL;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&pool->lock, irqflags);
	if (enough_free(pool, 1, flags)) {
		m = list_first_entry(&pool->free, struct vm_page, pageq);
		take_page(pool, m);
		pool->allocs++;
		check_lowmem(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	return m;
}

/* Take the run at @first if it is still free. */
static struct vm_page *take_run(struct uma_pool *pool, unsigned long first,
				unsigned int npages, int flags)
{
	struct vm_page *m = NULL;
	unsigned long irqflags;
	unsigned int i;

	raw_spin_lock_irqsave(&pool->lock, irqflags);
	if (enough_free(pool, npages, flags) &&
	    find_next_zero_bit(pool->map, first + npages, first) >=
	    first + npages) {
		m = &pool->pages[first];
		for (i = 0; i < npages; i++)
			take_page(pool, m + i);
		pool->allocs++;
		check_lowmem(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	return m;
}

static struct vm_page *alloc_run(struct uma_pool *pool, unsigned int npages,
				 int flags)
{
	unsigned long below = pool->nrecords;
	struct vm_page *m = NULL;
	long first;

	while (!m && READ_ONCE(pool->nfree) >= npages) {
		first = find_run(pool, below, npages);
		if (first < 0)
			break;
		m = take_run(pool, first, npages, flags);
		/* A run that was free all along ends no higher than this. */
		below = first + npages - 1;
	}
	return m;
}

/**
 * uma_pool_alloc() - take pages
 * @pool: the pool
 * @npages: how many, physically contiguous
 * @flags: M_USE_RESERVE to get at the last pages; with M_WAITOK, which does not
 *	make this function sleep, no failure is injected
 *
 * The contents are what they were.
 *
 * Context: any but NMI, under any lock.
 * Return: the first page's record, which the others' follow, or NULL.
 */
struct vm_page *uma_pool_alloc(struct uma_pool *pool, unsigned int npages,
			       int flags)
{
	struct vm_page *m = NULL;
	unsigned long irqflags;

	if (npages && !uma_fail_pages(npages, flags))
		m = npages == 1 ? alloc_single(pool, flags) :
				  alloc_run(pool, npages, flags);
	if (!m) {
		raw_spin_lock_irqsave(&pool->lock, irqflags);
		pool->fails++;
		raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	}
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_alloc);

/* Whether @private, which may be anything, is the address of a record. */
static bool is_record(struct uma_pool *pool, unsigned long private)
{
	unsigned long offset = private - (unsigned long)pool->pages;

	return offset < pool->nrecords * sizeof(struct vm_page) &&
	       offset % sizeof(struct vm_page) == 0;
}

/* Whether the @npages from @m are contiguous pages of this pool. */
static bool is_run(struct uma_pool *pool, struct vm_page *m,
		   unsigned int npages)
{
	return npages && is_record(pool, (unsigned long)m) &&
	       npages <= pool->nrecords - (m - pool->pages) &&
	       m[npages - 1].phys_pfn == m->phys_pfn + npages - 1;
}

/**
 * uma_pool_free() - give pages back
 * @pool: the pool
 * @m: the first page's record
 * @npages: how many; a run may also come back in pieces
 *
 * Pages of which one is free already, or which are not a run of this pool, are
 * refused, all of them, with a warning.
 *
 * Context: any but NMI, under any lock.
 */
void uma_pool_free(struct uma_pool *pool, struct vm_page *m,
		   unsigned int npages)
{
	unsigned long irqflags;
	unsigned int i;

	if (WARN(!is_run(pool, m, npages),
		 "uma: %u pages at %p are not a run of the pool\n", npages, m))
		return;

	raw_spin_lock_irqsave(&pool->lock, irqflags);
	for (i = 0; i < npages; i++)
		if (m[i].flags & (PG_FREE | PG_BLACKLISTED))
			goto refuse;
	for (i = 0; i < npages; i++)
		m[i].flags |= PG_FREE;
	bitmap_set(pool->map, m - pool->pages, npages);
	WRITE_ONCE(pool->nfree, pool->nfree + npages);
	if (npages == 1)
		list_add(&m->pageq, &pool->free);
	else
		for (i = 0; i < npages; i++)
			list_add_tail(&m[i].pageq, &pool->free);
	check_lowmem(pool);
	if (pool->waiters) {
		pool->wake += npages;
		irq_work_queue(&pool->wake_work);
	}
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	return;

refuse:
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	WARN(1, "uma: page %#llx freed to the pool is free already\n",
	     (u64)m[i].phys_pfn << PAGE_SHIFT);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_free);

/**
 * uma_pool_take() - take one given page if it is free
 * @pool: the pool
 * @m: the page's record
 *
 * For who needs exactly this page, to complete a run. The reserve does not
 * stop it.
 *
 * Context: any but NMI, under any lock.
 * Return: whether the page was free and is now the caller's.
 */
bool uma_pool_take(struct uma_pool *pool, struct vm_page *m)
{
	unsigned long irqflags;
	bool free;

	if (WARN(!is_run(pool, m, 1), "uma: %p is no page of the pool\n", m))
		return false;
	raw_spin_lock_irqsave(&pool->lock, irqflags);
	free = m->flags & PG_FREE;
	if (free) {
		take_page(pool, m);
		pool->allocs++;
		check_lowmem(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	return free;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_take);

/* Finding records. */

/* So that no look-up divides. */
static_assert((sizeof(struct vm_page) & (sizeof(struct vm_page) - 1)) == 0);

/**
 * uma_pool_lookup() - find the record of the page at an address
 * @pool: the pool
 * @addr: any value at all; kva.c knows the addresses in its ranges, this
 *	function those in the kernel's direct map
 *
 * Context: any but NMI. Takes no lock.
 * Return: the record, or NULL if no page of the pool is mapped there.
 */
struct vm_page *uma_pool_lookup(struct uma_pool *pool, const void *addr)
{
	struct vm_page *m;
	struct page *page;
	unsigned long private;

	if (!virt_addr_valid(addr))
		return NULL;
	page = virt_to_page(addr);
	/* The owner of a page that is not ours may be writing this word. */
	private = data_race(READ_ONCE(page->private));
	if (!is_record(pool, private))
		return NULL;
	m = (struct vm_page *)private;
	/*
	 * Some architectures know a second, partly unmapped address of low
	 * memory, that of the kernel's image: ask for the right one.
	 */
	if (m->phys_pfn != page_to_pfn(page) ||
	    m->md.kva != (void *)((unsigned long)addr & PAGE_MASK))
		return NULL;
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_lookup);

/**
 * uma_pool_page() - a page by its number
 * @pool: the pool
 * @index: 0 is the lowest in memory; blacklisted pages have numbers, too
 *
 * Context: any. Takes no lock.
 * Return: its record, or NULL past the last.
 */
struct vm_page *uma_pool_page(struct uma_pool *pool, unsigned long index)
{
	return index < pool->nrecords ? &pool->pages[index] : NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_page);

/* Shortage. */

static void call_lowmem(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool,
					     lowmem_work);
	void (*fn)(void *arg);
	unsigned long irqflags;
	void *arg;

	raw_spin_lock_irqsave(&pool->lock, irqflags);
	fn = pool->lowmem_fn;
	arg = pool->lowmem_arg;
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	if (fn)
		fn(arg);
}

/**
 * uma_pool_set_lowmem() - register what to call when free pages run short
 * @pool: the pool
 * @fn: called from irq_work, so it must not sleep, when fewer than @threshold
 *	pages are free, once for each time that happens; at once if it is so
 *	already. NULL takes the registered one back; when that returns, it is
 *	not running and will not run again.
 * @arg: its argument
 * @threshold: a number of pages
 *
 * Context: process context, may sleep.
 * Return: 0, or -EBUSY if one is registered already.
 */
int uma_pool_set_lowmem(struct uma_pool *pool, void (*fn)(void *arg),
			void *arg, unsigned long threshold)
{
	unsigned long irqflags;
	int error = 0;

	might_sleep();
	raw_spin_lock_irqsave(&pool->lock, irqflags);
	if (fn && pool->lowmem_fn) {
		error = -EBUSY;
	} else {
		pool->lowmem_fn = fn;
		pool->lowmem_arg = arg;
		pool->lowmem_threshold = threshold;
		pool->lowmem_told = false;
		check_lowmem(pool);
	}
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	if (!fn)
		irq_work_sync(&pool->lowmem_work);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_set_lowmem);

static void wake_sleepers(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool, wake_work);
	unsigned long irqflags, n;

	raw_spin_lock_irqsave(&pool->lock, irqflags);
	n = pool->wake;
	pool->wake = 0;
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
	if (n)
		wake_up_nr(&pool->wait, min_t(unsigned long, n, INT_MAX));
}

/**
 * uma_pool_waitqueue() - where to sleep until pages come back
 * @pool: the pool
 *
 * A sleeper calls uma_pool_wait_begin(), enters the queue, tries to allocate,
 * sleeps if that failed, tries again, leaves the queue and calls
 * uma_pool_wait_end(). Pages that come back after the try wake it. As many
 * exclusive sleepers are woken as pages came, others always; so who waits for
 * more than one page should not be exclusive.
 *
 * Return: the queue.
 */
wait_queue_head_t *uma_pool_waitqueue(struct uma_pool *pool)
{
	return &pool->wait;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_waitqueue);

static void add_waiters(struct uma_pool *pool, int n)
{
	unsigned long irqflags;

	raw_spin_lock_irqsave(&pool->lock, irqflags);
	pool->waiters += n;
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);
}

/**
 * uma_pool_wait_begin() - from now on, freeing a page wakes sleepers
 * @pool: the pool
 *
 * Context: any but NMI.
 */
void uma_pool_wait_begin(struct uma_pool *pool)
{
	add_waiters(pool, 1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_wait_begin);

/**
 * uma_pool_wait_end() - undo one uma_pool_wait_begin()
 * @pool: the pool
 *
 * Context: any but NMI.
 */
void uma_pool_wait_end(struct uma_pool *pool)
{
	add_waiters(pool, -1);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_wait_end);

/* Looking at it. */

/*
 * The length of each free run between two indices, counted by class into
 * @classes if that is not NULL. Returns the longest. Takes no lock: the map is
 * long, and may change while we read.
 */
static unsigned long count_runs(struct uma_pool *pool, unsigned long first,
				unsigned long end, unsigned long *classes,
				unsigned long *nfree)
{
	unsigned long longest = 0, used, len;

	for (;; first = used + 1) {
		/* A moment's error is all that a race can do here. */
		first = data_race(find_next_bit(pool->map, end, first));
		if (first >= end)
			return longest;
		/* The same. */
		used = data_race(find_next_zero_bit(pool->map, end, first));
		len = used - first;
		if (!len)
			continue;
		longest = max(longest, len);
		if (nfree)
			*nfree += len;
		if (classes)
			classes[min(ilog2(len), RUN_CLASSES - 1)]++;
	}
}

/**
 * uma_pool_get_stats() - read how a pool stands
 * @pool: the pool
 * @st: where to
 *
 * The counts are of one moment, the longest run may be of the one after.
 *
 * Context: any but NMI; looks at the whole map.
 */
void uma_pool_get_stats(struct uma_pool *pool, struct uma_pool_stats *st)
{
	unsigned long irqflags, longest;
	unsigned int s;

	st->pages = pool->npages;
	st->reserve = pool->reserve;
	st->blacklisted = pool->blacklisted;
	st->segments = pool->nsegs;

	raw_spin_lock_irqsave(&pool->lock, irqflags);
	st->free = pool->nfree;
	st->allocs = pool->allocs;
	st->fails = pool->fails;
	raw_spin_unlock_irqrestore(&pool->lock, irqflags);

	st->largest_run = 0;
	for (s = 0; s < pool->nsegs; s++) {
		const struct pool_segment *seg = &pool->segs[s];

		longest = count_runs(pool, seg->first, seg->first + seg->npages,
				     NULL, NULL);
		st->largest_run = max(st->largest_run, longest);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_get_stats);

/**
 * uma_pool_show() - print how a pool stands
 * @pool: the pool
 * @m: where to
 *
 * Context: process context.
 */
void uma_pool_show(struct uma_pool *pool, struct seq_file *m)
{
	unsigned long classes[RUN_CLASSES] = {};
	struct uma_pool_stats st;
	unsigned int s, c;

	uma_pool_get_stats(pool, &st);
	seq_printf(m, "pages       %lu\n", st.pages);
	seq_printf(m, "free        %lu\n", st.free);
	seq_printf(m, "reserve     %lu\n", st.reserve);
	seq_printf(m, "blacklisted %lu\n", st.blacklisted);
	seq_printf(m, "allocs      %llu\n", st.allocs);
	seq_printf(m, "fails       %llu\n", st.fails);
	seq_printf(m, "largest run %lu\n", st.largest_run);

	seq_printf(m, "\nsegments    %u\n", st.segments);
	for (s = 0; s < pool->nsegs; s++) {
		const struct pool_segment *seg = &pool->segs[s];
		u64 start = (u64)pool->pages[seg->first].phys_pfn << PAGE_SHIFT;
		unsigned long nfree = 0;

		count_runs(pool, seg->first, seg->first + seg->npages, classes,
			   &nfree);
		seq_printf(m, "%#014llx-%#014llx pages %lu free %lu\n", start,
			   start + ((u64)seg->npages << PAGE_SHIFT) - 1,
			   seg->npages, nfree);
	}

	seq_puts(m, "\nfree runs   pages\n");
	for (c = 0; c < RUN_CLASSES; c++) {
		if (!classes[c])
			continue;
		if (!c)
			seq_printf(m, "%-11lu 1\n", classes[c]);
		else if (c < RUN_CLASSES - 1)
			seq_printf(m, "%-11lu %lu-%lu\n", classes[c], 1UL << c,
				   (2UL << c) - 1);
		else
			seq_printf(m, "%-11lu %lu and more\n", classes[c],
				   1UL << c);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_show);
