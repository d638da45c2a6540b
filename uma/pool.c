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
 *	pages	one record for each page, sorted by node and physical address
 *		+----+----+----+----+----+----+----+----+----+----+---------
 *		| 80 | 81 | 82 | 83 | c0 | c1 | c2 | f8 | f9 | fa | chunks..
 *		+----+----+----+----+----+----+----+----+----+----+---------
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
 * Memory nodes. List, map, counts, a share of the reserve and the lock exist
 * once for each node; a page goes back to its own. Who allocates gets what is
 * near the CPU that it runs on, and only where that node has nothing left what
 * is near another, the nearest first. No two nodes' locks are held together,
 * so what concerns the whole pool (is it short?) is a sum of counts that were
 * read one after the other.
 *
 * Growth. The table has room for more records than the pool was made with, in
 * slots of one chunk each: 2 MiB, contiguous and aligned, had from the kernel as
 * one block and given back as one. A chunk has a list and a map of its own, and
 * belongs to its memory's node for as long as it is there. No run crosses its
 * ends, even where the next slot happens to be the memory behind it.
 *
 * So that chunks become wholly free again, a single page comes from the pages
 * that the pool was made with if it can, else from one of the fullest chunks:
 * chunks are kept by the logarithm of how many pages they have free, and those
 * with nothing in use are touched last. That is still O(1).
 *
 * Only what may sleep can get memory from the kernel: an allocation with M_WAITOK
 * that finds nothing asks for a chunk itself, once. Others have a work item do
 * it and meanwhile fail as ever; it is also started when the pool runs low, so
 * that they seldom have to. Nobody insists: where the kernel has no block to give
 * without a struggle, that node is left alone for a tenth of a second. Low memory
 * is told of only when growing is no way out, since what it makes reclaim.c do,
 * emptying every cache, costs more than a chunk. When the kernel wants memory,
 * chunks that are wholly free go back (uma_pool_shrink()), but never so many that
 * the pool would be low again at once.
 *
 * Callers may hold any lock, the scheduler's own included. So but for growth
 * nothing here sleeps or wakes anyone: sleepers are woken, and the low-memory
 * callback is called, from irq_work.
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
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/topology.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

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

/* A node that had no chunk to give is not asked again so soon. */
#define GROW_BACKOFF	(HZ / 10)

/* What the record of an empty place has for a frame number. */
#define NO_PFN		ULONG_MAX

/*
 * Chunks by how much of them is free: class n has 2^n to 2^(n+1)-1 free pages,
 * the last one all of them. A chunk without free pages is in none.
 */
#define CLASS_WHOLE	UMA_CHUNK_ORDER
#define CLASSES		(CLASS_WHOLE + 1)
#define CLASS_NONE	(-1)

static_assert(UMA_CHUNK_PAGES <= MAX_ORDER_NR_PAGES);
static_assert(CLASSES <= BITS_PER_LONG);

/**
 * struct pool_segment - physically contiguous pages
 * @first: the first one's record
 * @npages: how many follow each other
 */
struct pool_segment {
	struct vm_page *first;
	unsigned long npages;
};

/**
 * struct pool_chunk - a slot for a chunk; its node's lock guards all of it
 * @link: among the chunks of its class
 * @free: its free pages, the next single first
 * @first: its first record, constant
 * @node: where its memory lies, NULL while the slot is empty
 * @npages: its pages that are not blacklisted
 * @nfree: of those, free
 * @class: see CLASS_WHOLE
 * @map: a bit for each record, set while the page is free
 */
struct pool_chunk {
	struct list_head link;
	struct list_head free;
	struct vm_page *first;
	struct pool_node *node;
	unsigned int npages;
	unsigned int nfree;
	int class;
	unsigned long map[BITS_TO_LONGS(UMA_CHUNK_PAGES)];
};

/**
 * struct pool_node - the pages of one memory node
 * @lock: innermost of the allocator's locks; guards what follows it up to
 *	@waiters. Never two nodes' at once
 * @free: free pages that the pool was made with, the next single first
 * @map: a bit for each record from @first on, set while the page is free; written
 *	under @lock, read without it by who can live with an old answer
 * @nfree: free pages, in chunks and out of them
 * @npages: pages that are not blacklisted
 * @blacklisted: those that are
 * @classes: a bit for each list of @by_free that has a chunk
 * @by_free: the chunks with free pages, by class
 * @nwhole: length of the last of these lists
 * @nchunks: chunks
 * @allocs: allocations that succeeded
 * @fails: allocations that did not
 * @waiters: sleepers between uma_pool_wait_begin() and _end()
 * @reserve: free pages that only M_USE_RESERVE gets; constant as all below
 * @nid: the kernel's number of the node
 * @first: record of the first page that the pool was made with
 * @nrecords: number of those
 * @segs: their segments, sorted
 * @nsegs: number of those
 * @others: the other nodes, the nearest first
 * @grow_after: in jiffies: before that no chunk is asked for; not constant
 */
struct pool_node {
	raw_spinlock_t lock;
	struct list_head free;
	unsigned long *map;
	unsigned long nfree;
	unsigned long npages;
	unsigned long blacklisted;
	unsigned long classes;
	struct list_head by_free[CLASSES];
	unsigned int nwhole;
	unsigned int nchunks;
	u64 allocs;
	u64 fails;
	unsigned int waiters;

	unsigned long reserve;
	int nid;
	struct vm_page *first;
	unsigned long nrecords;
	struct pool_segment *segs;
	unsigned int nsegs;
	struct pool_node **others;
	unsigned long grow_after;
} ____cacheline_aligned;

/**
 * struct uma_pool - a pool; what is not marked is constant once it is made
 * @pages: the records: what it was made with, then the slots
 * @nbase: pages that it was made with
 * @nrecords: records, with those of empty slots
 * @chunk_pages: the record of the first slot's first page
 * @chunks: the slots
 * @nslots: their number, 0 for a pool that does not grow
 * @slots: a bit for each slot, set while it is in use; set under @grow_lock
 * @nchunks: slots in use
 * @segs: all nodes' segments
 * @nsegs: their number
 * @bad: blacklisted addresses
 * @nbad: their number
 * @mark: fewer free pages than this are worth a look: see pool_is_low()
 * @grow_mark: the part of @mark that is not the callback's
 * @lowmem_fn: the low-memory callback, or NULL; this and the next two are written
 *	under the first node's lock
 * @lowmem_arg: its argument
 * @lowmem_threshold: fewer free pages than this are low memory
 * @lowmem_told: the callback knows of this shortage
 * @wake: pages that came and that no sleeper was woken for yet
 * @grow_lock: held while a chunk is had; only ever tried
 * @grown: chunks that ever came; @grow_lock
 * @grow_fails: times that none could be had; @grow_lock
 * @given_back: chunks that went
 * @grow_wait: who waits for another's growing
 * @kick_node: node that was short last
 * @kick_need: an allocation failed, so grow whatever the counts say
 * @stopped: the pool goes: no growing by itself
 * @lowmem_work: calls the callback
 * @wake_work: wakes the sleepers
 * @kick_work: starts @grow_work, which cannot be done from anywhere
 * @grow_work: grows for those who cannot sleep
 * @wait: where sleepers sleep
 * @by_nid: the node for each number, the nearest for one without pages
 * @nnodes: number of nodes
 * @nodes: the nodes
 */
struct uma_pool {
	struct vm_page *pages;
	unsigned long nbase;
	unsigned long nrecords;
	struct vm_page *chunk_pages;
	struct pool_chunk *chunks;
	unsigned int nslots;
	unsigned long *slots;
	atomic_t nchunks;
	struct pool_segment *segs;
	unsigned int nsegs;
	u64 *bad;
	int nbad;

	unsigned long mark;
	unsigned long grow_mark;
	void (*lowmem_fn)(void *arg);
	void *lowmem_arg;
	unsigned long lowmem_threshold;
	bool lowmem_told;
	atomic_long_t wake;

	struct mutex grow_lock;		/* only ever tried */
	unsigned long grown;
	unsigned long grow_fails;
	atomic_long_t given_back;
	wait_queue_head_t grow_wait;
	struct pool_node *kick_node;
	bool kick_need;
	bool stopped;

	struct irq_work lowmem_work;
	struct irq_work wake_work;
	struct irq_work kick_work;
	struct work_struct grow_work;
	wait_queue_head_t wait;

	struct pool_node **by_nid;
	unsigned int nnodes;
	struct pool_node nodes[];
};

/* Each node of a pool, in the order of their numbers. */
#define for_each_pool_node(pool, node)					\
	for ((node) = (pool)->nodes;					\
	     (node) < (pool)->nodes + (pool)->nnodes; (node)++)

static struct lock_class_key pool_lock_key;
static struct lock_class_key grow_lock_key;

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

static void blacklist_page(struct vm_page *m, u64 addr)
{
	pr_info("blacklisted address %#llx: its page is kept out\n", addr);
	m->flags |= PG_BLACKLISTED;
}

static void apply_blacklist(struct uma_pool *pool)
{
	struct vm_page *m;
	int i;

	for (i = 0; i < pool->nbad; i++) {
		m = find_pfn(pool, pool->bad[i] >> PAGE_SHIFT);
		if (m)
			blacklist_page(m, pool->bad[i]);
	}
}

/* The same for a chunk of which the pool has heard nothing yet. */
static void apply_blacklist_to_chunk(struct uma_pool *pool,
				     struct pool_chunk *chunk)
{
	u64 offset;
	int i;

	for (i = 0; i < pool->nbad; i++) {
		offset = (pool->bad[i] >> PAGE_SHIFT) - chunk->first->phys_pfn;
		if (offset < UMA_CHUNK_PAGES)
			blacklist_page(chunk->first + offset, pool->bad[i]);
	}
}

/*
 * Items hold pointers to what the kernel's allocators gave, so kmemleak is to
 * read the pool (and not to report it). It is told here, once, since it cannot
 * be where slabs are made, which may be under any lock.
 */
static void tell_kmemleak(unsigned long pfn, unsigned long npages, bool ours)
{
	void *start = page_address(pfn_to_page(pfn));

	if (ours)
		kmemleak_alloc(start, npages << PAGE_SHIFT, 0, GFP_KERNEL);
	else
		kmemleak_free(start);
}

static void tell_kmemleak_of_base(struct uma_pool *pool, bool ours)
{
	unsigned int s;

	for (s = 0; s < pool->nsegs; s++)
		tell_kmemleak(pool->segs[s].first->phys_pfn,
			      pool->segs[s].npages, ours);
}

/* Add a page to a list: from here on it is known by its record, and free. */
static void add_page(struct vm_page *m, struct list_head *free)
{
	pmap_page_init(m);
	m->flags |= PG_FREE;
	list_add_tail(&m->pageq, free);
	set_page_private(pfn_to_page(m->phys_pfn), (unsigned long)m);
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
			add_page(&node->first[i], &node->free);
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

static void clear_record(struct vm_page *m)
{
	memset(m, 0, sizeof(*m));
	m->phys_pfn = NO_PFN;
	m->flags = PG_ABSENT;
}

static void call_lowmem(struct irq_work *work);
static void wake_sleepers(struct irq_work *work);
static void start_growing(struct irq_work *work);
static void grow_fn(struct work_struct *work);

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
		clear_record(&pool->pages[i]);
	for (slot = 0; slot < pool->nslots; slot++) {
		pool->chunks[slot].first = pool->chunk_pages +
					   (unsigned long)slot *
					   UMA_CHUNK_PAGES;
		INIT_LIST_HEAD(&pool->chunks[slot].free);
	}
	mutex_init(&pool->grow_lock);
	lockdep_set_class_and_name(&pool->grow_lock, &grow_lock_key,
				   "uma_pool_grow");
	init_waitqueue_head(&pool->wait);
	init_waitqueue_head(&pool->grow_wait);
	pool->kick_node = pool->nodes;
	init_irq_work(&pool->lowmem_work, call_lowmem);
	init_irq_work(&pool->wake_work, wake_sleepers);
	init_irq_work(&pool->kick_work, start_growing);
	INIT_WORK(&pool->grow_work, grow_fn);
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

/*
 * Give a page that nobody knows any more back to the kernel, unless somebody
 * has it still. Returns whether it went.
 */
static bool give_page_back(struct vm_page *m)
{
	struct page *page = pfn_to_page(m->phys_pfn);

	set_page_private(page, 0);
	if (!(m->flags & (PG_FREE | PG_BLACKLISTED)))
		return false;
	__free_page(page);
	return true;
}

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
	WRITE_ONCE(pool->stopped, true);
	irq_work_sync(&pool->kick_work);
	cancel_work_sync(&pool->grow_work);
	uma_pool_set_lowmem(pool, NULL, NULL, 0);
	irq_work_sync(&pool->wake_work);
	tell_kmemleak_of_base(pool, false);
	for (slot = 0; slot < pool->nslots; slot++)
		if (test_bit(slot, pool->slots))
			tell_kmemleak(pool->chunks[slot].first->phys_pfn,
				      UMA_CHUNK_PAGES, false);

	for (i = 0; i < pool->nrecords; i++) {
		struct vm_page *m = &pool->pages[i];

		if (m->flags & PG_ABSENT)
			continue;
		had++;
		if (!give_page_back(m))
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

/* Which node, which chunk. */

/* The node near the CPU that we run on. */
static struct pool_node *local_node(struct uma_pool *pool)
{
	return likely(pool->nnodes == 1) ? pool->nodes :
					   pool->by_nid[numa_mem_id()];
}

/* The chunk whose record @m is; NULL for a page that the pool was made with. */
static struct pool_chunk *page_chunk(struct uma_pool *pool,
				     const struct vm_page *m)
{
	if (likely(m < pool->chunk_pages))
		return NULL;
	return &pool->chunks[(m - pool->chunk_pages) / UMA_CHUNK_PAGES];
}

/*
 * The node whose lock guards @m, or NULL for an empty slot. Of a chunk page that
 * the caller does not hold this is a guess, to be looked at again with the lock.
 */
static struct pool_node *page_node(struct uma_pool *pool,
				   const struct vm_page *m,
				   struct pool_chunk *chunk)
{
	if (chunk)
		return READ_ONCE(chunk->node);
	return likely(pool->nnodes == 1) ? pool->nodes :
					   pool->by_nid[vm_page_nid(m)];
}

/* Free pages of all nodes, read one after the other. */
static unsigned long total_free(struct uma_pool *pool)
{
	struct pool_node *node;
	unsigned long n = 0;

	for_each_pool_node(pool, node)
		n += READ_ONCE(node->nfree);
	return n;
}

/* Put a chunk on the list that its count asks for; its node is locked. */
static void place_chunk(struct pool_node *node, struct pool_chunk *chunk)
{
	int class = CLASS_NONE;

	if (chunk->nfree == chunk->npages)
		class = CLASS_WHOLE;
	else if (chunk->nfree)
		class = ilog2(chunk->nfree);
	if (class == chunk->class)
		return;
	if (chunk->class != CLASS_NONE) {
		list_del(&chunk->link);
		if (list_empty(&node->by_free[chunk->class]))
			node->classes &= ~BIT(chunk->class);
		if (chunk->class == CLASS_WHOLE)
			WRITE_ONCE(node->nwhole, node->nwhole - 1);
	}
	if (class != CLASS_NONE) {
		list_add(&chunk->link, &node->by_free[class]);
		node->classes |= BIT(class);
		if (class == CLASS_WHOLE)
			WRITE_ONCE(node->nwhole, node->nwhole + 1);
	}
	chunk->class = class;
}

/* Growing. */

static bool node_may_grow(const struct pool_node *node)
{
	return time_after_eq(jiffies, READ_ONCE(node->grow_after));
}

/* Whether asking the kernel for a chunk makes sense now. */
static bool may_grow(struct uma_pool *pool)
{
	struct pool_node *node;

	if (!pool->nslots || READ_ONCE(pool->stopped) ||
	    atomic_read(&pool->nchunks) >= pool->nslots)
		return false;
	for_each_pool_node(pool, node)
		if (node_may_grow(node))
			return true;
	return false;
}

static void kick(struct uma_pool *pool, struct pool_node *node)
{
	WRITE_ONCE(pool->kick_node, node);
	irq_work_queue(&pool->kick_work);
}

/*
 * A node has fewer free pages than the mark: grow if the pool as a whole is
 * low, and where that cannot be, tell of low memory, once, and again only after
 * it was over.
 */
static noinline void pool_is_low(struct uma_pool *pool, struct pool_node *node)
{
	unsigned long free = total_free(pool);

	if (free >= READ_ONCE(pool->lowmem_threshold))
		WRITE_ONCE(pool->lowmem_told, false);
	if (free >= READ_ONCE(pool->mark))
		return;
	if (may_grow(pool))
		kick(pool, node);
	else if (free < READ_ONCE(pool->lowmem_threshold) &&
		 READ_ONCE(pool->lowmem_fn) && !xchg(&pool->lowmem_told, true))
		irq_work_queue(&pool->lowmem_work);
}

/* After each change of a node's count, with its lock held. */
static void check_low(struct uma_pool *pool, struct pool_node *node)
{
	if (node->nfree < READ_ONCE(pool->mark))
		pool_is_low(pool, node);
	else if (READ_ONCE(pool->lowmem_told))
		WRITE_ONCE(pool->lowmem_told, false);
}

/* @npages came to a node, whose lock is held. */
static void pages_came(struct uma_pool *pool, struct pool_node *node,
		       unsigned int npages)
{
	WRITE_ONCE(node->nfree, node->nfree + npages);
	check_low(pool, node);
	if (node->waiters) {
		atomic_long_add(npages, &pool->wake);
		irq_work_queue(&pool->wake_work);
	}
}

/* Clear the records of a chunk that no node has, and free its slot. */
static void free_chunk(struct uma_pool *pool, struct pool_chunk *chunk)
{
	unsigned int i;

	tell_kmemleak(chunk->first->phys_pfn, UMA_CHUNK_PAGES, false);
	for (i = 0; i < UMA_CHUNK_PAGES; i++) {
		struct vm_page *m = &chunk->first[i];

		give_page_back(m);
		clear_record(m);
	}
	INIT_LIST_HEAD(&chunk->free);
	/* Pairs with the look for an empty slot. */
	clear_bit_unlock(chunk - pool->chunks, pool->slots);
}

/* Make a block of memory the chunk of a slot. */
static bool make_chunk(struct uma_pool *pool, struct pool_node *node,
		       unsigned int slot, struct page *block)
{
	struct pool_chunk *chunk = &pool->chunks[slot];
	unsigned long irqflags;
	unsigned int i;

	split_page(block, UMA_CHUNK_ORDER);
	for (i = 0; i < UMA_CHUNK_PAGES; i++) {
		chunk->first[i].phys_pfn = page_to_pfn(block) + i;
		chunk->first[i].flags = 0;
	}
	apply_blacklist_to_chunk(pool, chunk);
	tell_kmemleak(page_to_pfn(block), UMA_CHUNK_PAGES, true);
	chunk->npages = 0;
	for (i = 0; i < UMA_CHUNK_PAGES; i++) {
		if (chunk->first[i].flags & PG_BLACKLISTED)
			continue;
		add_page(&chunk->first[i], &chunk->free);
		__set_bit(i, chunk->map);
		chunk->npages++;
	}
	if (!chunk->npages) {
		free_chunk(pool, chunk);
		return false;
	}

	atomic_inc(&pool->nchunks);
	raw_spin_lock_irqsave(&node->lock, irqflags);
	WRITE_ONCE(chunk->nfree, chunk->npages);
	chunk->class = CLASS_NONE;
	WRITE_ONCE(chunk->node, node);
	place_chunk(node, chunk);
	node->nchunks++;
	node->npages += chunk->npages;
	node->blacklisted += UMA_CHUNK_PAGES - chunk->npages;
	pages_came(pool, node, chunk->npages);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return true;
}

/* Get a chunk for a node, whatever it takes that is not much. */
static bool add_chunk(struct uma_pool *pool, struct pool_node *node)
{
	unsigned long slot, irqflags;
	struct page *block;

	lockdep_assert_held(&pool->grow_lock);
	slot = find_first_zero_bit(pool->slots, pool->nslots);
	if (slot == pool->nslots || !node_may_grow(node))
		return false;
	block = alloc_pages_node(node->nid, POOL_GFP | __GFP_THISNODE,
				 UMA_CHUNK_ORDER);
	if (block) {
		/* Only we set one; acquires what free_chunk() left. */
		test_and_set_bit_lock(slot, pool->slots);
		if (make_chunk(pool, node, slot, block)) {
			WRITE_ONCE(pool->grown, pool->grown + 1);
			return true;
		}
	}
	WRITE_ONCE(pool->grow_fails, pool->grow_fails + 1);
	WRITE_ONCE(node->grow_after, jiffies + GROW_BACKOFF);
	/* Growing is no way out any more: who is to know of low memory? */
	raw_spin_lock_irqsave(&node->lock, irqflags);
	check_low(pool, node);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return false;
}

static bool add_chunk_somewhere(struct uma_pool *pool, struct pool_node *node,
				int flags)
{
	unsigned int i;

	if (add_chunk(pool, node))
		return true;
	if (flags & M_NODEONLY)
		return false;
	for (i = 0; i < pool->nnodes - 1; i++)
		if (add_chunk(pool, node->others[i]))
			return true;
	return false;
}

/*
 * Grow by a chunk, near @node, unless somebody has since @grown was read. Returns
 * whether the pool has grown.
 *
 * Two who want to grow do it one after the other; but who waits may hold what the
 * other needs to get on (a file system's lock, say, that reclaim waits for), so
 * the lock is only tried, and the wait for the other is bounded. Who is in the
 * kernel's reclaim already must not begin another.
 */
static bool grow_since(struct uma_pool *pool, struct pool_node *node,
		       unsigned int npages, int flags, unsigned long grown)
{
	bool came;

	might_sleep();
	if (npages > UMA_CHUNK_PAGES || !may_grow(pool) ||
	    current->flags & PF_MEMALLOC)
		return READ_ONCE(pool->grown) != grown;
	if (!mutex_trylock(&pool->grow_lock)) {
		wait_event_idle_timeout(pool->grow_wait,
					READ_ONCE(pool->grown) != grown ||
					!mutex_is_locked(&pool->grow_lock),
					GROW_BACKOFF);
		return READ_ONCE(pool->grown) != grown;
	}
	came = pool->grown != grown || add_chunk_somewhere(pool, node, flags);
	mutex_unlock(&pool->grow_lock);
	wake_up_all(&pool->grow_wait);
	return came;
}

/**
 * uma_pool_grow() - grow by a chunk now
 * @pool: the pool
 * @npages: pages that somebody wants in one run, 1 for singles
 *
 * An allocation with M_WAITOK does this by itself. Sleepers on the pool are woken.
 *
 * Context: process context, may sleep; the kernel may reclaim memory.
 * Return: whether a chunk came; not if the pool is as large as it may be, if the
 * kernel has none to give or had none a moment ago, or if @npages is more than a
 * chunk has.
 */
bool uma_pool_grow(struct uma_pool *pool, unsigned int npages)
{
	return grow_since(pool, local_node(pool), npages, 0,
			  READ_ONCE(pool->grown));
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_grow);

static void start_growing(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool, kick_work);

	if (!READ_ONCE(pool->stopped))
		queue_work(system_freezable_wq, &pool->grow_work);
}

static void grow_fn(struct work_struct *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool, grow_work);
	bool need = xchg(&pool->kick_need, false);

	while ((need || total_free(pool) < READ_ONCE(pool->mark)) &&
	       grow_since(pool, READ_ONCE(pool->kick_node), 1, 0,
			  READ_ONCE(pool->grown)))
		need = false;
}

/* Shrinking. */

/* Free pages that the pool can do without: without them it is far from low. */
static unsigned long spare_pages(struct uma_pool *pool)
{
	unsigned long free = total_free(pool);
	unsigned long keep = 2 * READ_ONCE(pool->mark);

	return free > keep ? free - keep : 0;
}

static struct pool_node *node_of_nid(struct uma_pool *pool, int nid)
{
	if (nid < 0 || nid >= nr_node_ids || pool->by_nid[nid]->nid != nid)
		return NULL;
	return pool->by_nid[nid];
}

/**
 * uma_pool_shrinkable() - how much uma_pool_shrink() would give back
 * @pool: the pool
 * @nid: the memory node
 *
 * Context: any.
 * Return: pages, of whole chunks.
 */
unsigned long uma_pool_shrinkable(struct uma_pool *pool, int nid)
{
	struct pool_node *node = node_of_nid(pool, nid);

	if (!node)
		return 0;
	return min((unsigned long)READ_ONCE(node->nwhole),
		   spare_pages(pool) / UMA_CHUNK_PAGES) * UMA_CHUNK_PAGES;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_shrinkable);

/*
 * Take a chunk that is wholly free away from its node. From here on nobody finds
 * its pages, but their PG_FREE still refuses who would free one.
 */
static struct pool_chunk *remove_chunk(struct uma_pool *pool,
				       struct pool_node *node)
{
	struct pool_chunk *chunk = NULL;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (node->nwhole && spare_pages(pool) >= UMA_CHUNK_PAGES &&
	    node->nfree >= UMA_CHUNK_PAGES + node->reserve) {
		/* The one that has been unused longest. */
		chunk = list_last_entry(&node->by_free[CLASS_WHOLE],
					struct pool_chunk, link);
		list_del(&chunk->link);
		WRITE_ONCE(node->nwhole, node->nwhole - 1);
		if (!node->nwhole)
			node->classes &= ~BIT(CLASS_WHOLE);
		bitmap_zero(chunk->map, UMA_CHUNK_PAGES);
		WRITE_ONCE(chunk->node, NULL);
		WRITE_ONCE(chunk->nfree, 0);
		node->nchunks--;
		node->npages -= chunk->npages;
		node->blacklisted -= UMA_CHUNK_PAGES - chunk->npages;
		WRITE_ONCE(node->nfree, node->nfree - chunk->npages);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return chunk;
}

/**
 * uma_pool_shrink() - give chunks that are wholly free back to the kernel
 * @pool: the pool
 * @nid: the memory node to take them from
 * @npages: how many pages the kernel wants, rounded up to whole chunks
 *
 * The pages that the pool was made with never go, and what would leave the pool
 * nearly low stays.
 *
 * Context: process context, the kernel's reclaim included: takes no lock that is
 * held over an allocation.
 * Return: pages given back.
 */
unsigned long uma_pool_shrink(struct uma_pool *pool, int nid,
			      unsigned long npages)
{
	struct pool_node *node = node_of_nid(pool, nid);
	struct pool_chunk *chunk;
	unsigned long gone = 0;

	while (node && gone < npages) {
		chunk = remove_chunk(pool, node);
		if (!chunk)
			break;
		free_chunk(pool, chunk);
		atomic_dec(&pool->nchunks);
		atomic_long_inc(&pool->given_back);
		gone += UMA_CHUNK_PAGES;
		cond_resched();
	}
	return gone;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_shrink);

/* Taking pages and giving them back. */

/*
 * Take a free page off its list and map. The caller holds the lock, and has
 * place_chunk() look at @chunk afterwards, if that is not NULL; the count and
 * the map are also looked at without the lock.
 */
static void take_page(struct pool_node *node, struct pool_chunk *chunk,
		      struct vm_page *m)
{
	m->flags &= ~PG_FREE;
	list_del_init(&m->pageq);
	if (likely(!chunk)) {
		__clear_bit(m - node->first, node->map);
	} else {
		__clear_bit(m - chunk->first, chunk->map);
		WRITE_ONCE(chunk->nfree, chunk->nfree - 1);
	}
	WRITE_ONCE(node->nfree, node->nfree - 1);
}

static bool enough_free(struct pool_node *node, unsigned int npages, int flags)
{
	unsigned long keep = flags & M_USE_RESERVE ? 0 : node->reserve;

	return node->nfree >= keep + npages;
}

static struct vm_page *alloc_single(struct uma_pool *pool,
				    struct pool_node *node, int flags)
{
	struct pool_chunk *chunk;
	struct vm_page *m = NULL;
	unsigned long irqflags;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (enough_free(node, 1, flags)) {
		if (likely(!list_empty(&node->free))) {
			m = list_first_entry(&node->free, struct vm_page,
					     pageq);
			take_page(node, NULL, m);
		} else {
			chunk = list_first_entry(&node->by_free[__ffs(node->classes)],
						 struct pool_chunk, link);
			m = list_first_entry(&chunk->free, struct vm_page,
					     pageq);
			take_page(node, chunk, m);
			place_chunk(node, chunk);
		}
		node->allocs++;
		check_low(pool, node);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return m;
}

/*
 * The number of the first bit of a run of @npages set ones that begins at @low
 * or above and ends at or below @top, or -1; the highest such run. Needs no
 * lock; without it the answer is a guess.
 *
 * A window of @npages slides down. If it holds a page in use, then so does
 * every window that holds that page: go on with the one just below the lowest
 * page in use.
 */
static long find_run(const unsigned long *map, unsigned long low,
		     unsigned long top, unsigned int npages)
{
	unsigned long used;

	while (top >= low + npages) {
		/* Looked at again by who takes the run. */
		used = data_race(find_next_zero_bit(map, top, top - npages));
		if (used >= top)
			return top - npages;
		top = used;
	}
	return -1;
}

/* The same in a node's segments, the highest one first; below bit @below. */
static long find_base_run(const struct pool_node *node, unsigned long below,
			  unsigned int npages)
{
	unsigned int s;
	long bit;

	for (s = node->nsegs; s--;) {
		const struct pool_segment *seg = &node->segs[s];
		unsigned long low = seg->first - node->first;

		bit = find_run(node->map, low, min(below, low + seg->npages),
			       npages);
		if (bit >= 0)
			return bit;
	}
	return -1;
}

/* Take the run at a bit of @chunk, or of the node, if it is still free. */
static struct vm_page *take_run(struct uma_pool *pool, struct pool_node *node,
				struct pool_chunk *chunk, unsigned long bit,
				unsigned int npages, int flags)
{
	unsigned long *map = chunk ? chunk->map : node->map;
	struct vm_page *m = NULL;
	unsigned long irqflags;
	unsigned int i;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (enough_free(node, npages, flags) &&
	    (!chunk || chunk->node == node) &&
	    find_next_zero_bit(map, bit + npages, bit) >= bit + npages) {
		m = (chunk ? chunk->first : node->first) + bit;
		for (i = 0; i < npages; i++)
			take_page(node, chunk, m + i);
		if (chunk)
			place_chunk(node, chunk);
		node->allocs++;
		check_low(pool, node);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return m;
}

/* A run out of the node's chunks; only @whole ones, or only others. */
static struct vm_page *alloc_chunk_run(struct uma_pool *pool,
				       struct pool_node *node,
				       unsigned int npages, int flags,
				       bool whole)
{
	struct vm_page *m = NULL;
	unsigned long below;
	unsigned int slot;
	long bit;

	for (slot = 0; !m && slot < pool->nslots; slot++) {
		struct pool_chunk *chunk = &pool->chunks[slot];

		if (READ_ONCE(chunk->node) != node ||
		    READ_ONCE(chunk->nfree) < npages ||
		    (READ_ONCE(chunk->nfree) == UMA_CHUNK_PAGES) != whole)
			continue;
		below = UMA_CHUNK_PAGES;
		while (!m) {
			bit = find_run(chunk->map, 0, below, npages);
			if (bit < 0)
				break;
			m = take_run(pool, node, chunk, bit, npages, flags);
			below = bit + npages - 1;
		}
	}
	return m;
}

static struct vm_page *alloc_run(struct uma_pool *pool, struct pool_node *node,
				 unsigned int npages, int flags)
{
	unsigned long below = node->nrecords;
	struct vm_page *m = NULL;
	long bit;

	while (!m && READ_ONCE(node->nfree) >= npages) {
		bit = find_base_run(node, below, npages);
		if (bit < 0)
			break;
		m = take_run(pool, node, NULL, bit, npages, flags);
		/* A run that was free all along ends no higher than this. */
		below = bit + npages - 1;
	}
	if (!m && pool->nslots && npages <= UMA_CHUNK_PAGES)
		m = alloc_chunk_run(pool, node, npages, flags, false) ?:
		    alloc_chunk_run(pool, node, npages, flags, true);
	return m;
}

static struct vm_page *try_node(struct uma_pool *pool, struct pool_node *node,
				unsigned int npages, int flags)
{
	return npages == 1 ? alloc_single(pool, node, flags) :
			     alloc_run(pool, node, npages, flags);
}

static struct vm_page *try_nodes(struct uma_pool *pool, struct pool_node *node,
				 unsigned int npages, int flags)
{
	struct vm_page *m = try_node(pool, node, npages, flags);
	unsigned int i;

	if (m || flags & M_NODEONLY)
		return m;
	for (i = 0; !m && i < pool->nnodes - 1; i++)
		m = try_node(pool, node->others[i], npages, flags);
	return m;
}

/* There was nothing: grow if the caller can wait for it, else have it done. */
static struct vm_page *alloc_growing(struct uma_pool *pool,
				     struct pool_node *node,
				     unsigned int npages, int flags)
{
	struct vm_page *m = NULL;
	unsigned long grown;

	if (npages > UMA_CHUNK_PAGES)
		return NULL;
	if (!(flags & M_WAITOK)) {
		if (may_grow(pool)) {
			WRITE_ONCE(pool->kick_need, true);
			kick(pool, node);
		}
		return NULL;
	}
	/* What came before this is looked at; what comes later is waited for. */
	do {
		grown = READ_ONCE(pool->grown);
		m = try_nodes(pool, node, npages, flags);
	} while (!m && grow_since(pool, node, npages, flags, grown));
	return m;
}

static struct vm_page *alloc_near(struct uma_pool *pool, struct pool_node *node,
				  unsigned int npages, int flags)
{
	struct vm_page *m = NULL;
	unsigned long irqflags;

	if (npages && !uma_fail_pages(npages, flags)) {
		m = try_nodes(pool, node, npages, flags);
		if (unlikely(!m) && pool->nslots)
			m = alloc_growing(pool, node, npages, flags);
	}
	if (!m) {
		raw_spin_lock_irqsave(&node->lock, irqflags);
		node->fails++;
		check_low(pool, node);
		raw_spin_unlock_irqrestore(&node->lock, irqflags);
	}
	return m;
}

/**
 * uma_pool_alloc() - take pages
 * @pool: the pool
 * @npages: how many, physically contiguous
 * @flags: M_USE_RESERVE to get at the last pages; M_WAITOK to grow, where the pool
 *	can, if it has none (it does not wait for any to come back; and no
 *	failure is injected)
 *
 * They are near the CPU that we run on, if there are such. The contents are what
 * they were.
 *
 * Context: any but NMI, under any lock; M_WAITOK: process context, may sleep.
 * Return: the first page's record, which the others' follow, or NULL.
 */
struct vm_page *uma_pool_alloc(struct uma_pool *pool, unsigned int npages,
			       int flags)
{
	return alloc_near(pool, local_node(pool), npages, flags);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_alloc);

/**
 * uma_pool_alloc_node() - take pages of a given memory node
 * @pool: the pool
 * @npages: how many, physically contiguous
 * @nid: the node, or NUMA_NO_NODE for that of this CPU
 * @flags: as for uma_pool_alloc(); with M_NODEONLY there is nothing rather than
 *	pages of another node
 *
 * Context: as uma_pool_alloc().
 * Return: as uma_pool_alloc().
 */
struct vm_page *uma_pool_alloc_node(struct uma_pool *pool, unsigned int npages,
				    int nid, int flags)
{
	struct pool_node *node;

	node = nid == NUMA_NO_NODE ? local_node(pool) : node_of_nid(pool, nid);
	if (!node) {
		if (flags & M_NODEONLY || nid < 0 || nid >= nr_node_ids)
			return NULL;
		node = pool->by_nid[nid];
	}
	return alloc_near(pool, node, npages, flags);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_alloc_node);

/* Whether @private, which may be anything, is the address of a record. */
static bool is_record(struct uma_pool *pool, unsigned long private)
{
	unsigned long offset = private - (unsigned long)pool->pages;

	return offset < pool->nrecords * sizeof(struct vm_page) &&
	       offset % sizeof(struct vm_page) == 0;
}

/* Whether the @npages from @m could have been handed out as one. */
static bool is_run(struct uma_pool *pool, struct vm_page *m,
		   unsigned int npages)
{
	struct pool_chunk *chunk;
	unsigned long room;

	if (!npages || !is_record(pool, (unsigned long)m))
		return false;
	chunk = page_chunk(pool, m);
	room = chunk ? chunk->first + UMA_CHUNK_PAGES - m :
		       pool->chunk_pages - m;
	if (npages > room || (chunk && !READ_ONCE(chunk->node)) ||
	    m[npages - 1].phys_pfn != m->phys_pfn + npages - 1)
		return false;
	return pool->nnodes == 1 || chunk ||
	       vm_page_nid(m) == vm_page_nid(m + npages - 1);
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
	struct pool_chunk *chunk;
	struct pool_node *node;
	struct list_head *free;
	unsigned long irqflags;
	unsigned int i = 0;

	if (WARN(!is_run(pool, m, npages),
		 "uma: %u pages at %p are not a run of the pool\n", npages, m))
		return;

	chunk = page_chunk(pool, m);
	node = page_node(pool, m, chunk);
	/* A chunk with pages out stays; without, this is no page to free. */
	if (!node)
		goto refuse;
	raw_spin_lock_irqsave(&node->lock, irqflags);
	for (i = 0; i < npages; i++) {
		if (m[i].flags & (PG_FREE | PG_BLACKLISTED | PG_ABSENT)) {
			raw_spin_unlock_irqrestore(&node->lock, irqflags);
			goto refuse;
		}
	}
	for (i = 0; i < npages; i++)
		m[i].flags |= PG_FREE;
	if (likely(!chunk)) {
		bitmap_set(node->map, m - node->first, npages);
		free = &node->free;
	} else {
		bitmap_set(chunk->map, m - chunk->first, npages);
		free = &chunk->free;
		WRITE_ONCE(chunk->nfree, chunk->nfree + npages);
		place_chunk(node, chunk);
	}
	if (npages == 1)
		list_add(&m->pageq, free);
	else
		for (i = 0; i < npages; i++)
			list_add_tail(&m[i].pageq, free);
	pages_came(pool, node, npages);
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	return;

refuse:
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
	struct pool_chunk *chunk;
	struct pool_node *node;
	unsigned long irqflags;
	bool free;

	if (WARN(!is_record(pool, (unsigned long)m),
		 "uma: %p is no page of the pool\n", m))
		return false;
	chunk = page_chunk(pool, m);
	node = page_node(pool, m, chunk);
	if (!node)
		return false;
	raw_spin_lock_irqsave(&node->lock, irqflags);
	/* The map, since a chunk that goes leaves it first. */
	free = chunk ? chunk->node == node &&
		       test_bit(m - chunk->first, chunk->map) :
		       m->flags & PG_FREE;
	if (free) {
		take_page(node, chunk, m);
		if (chunk)
			place_chunk(node, chunk);
		node->allocs++;
		check_low(pool, node);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
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
	unsigned long private, pfn;
	void *kva;

	if (!virt_addr_valid(addr))
		return NULL;
	page = virt_to_page(addr);
	/* The owner of a page that is not ours may be writing this word. */
	private = data_race(READ_ONCE(page->private));
	if (!is_record(pool, private))
		return NULL;
	m = (struct vm_page *)private;
	/* The record of a page that nobody holds may be cleared meanwhile. */
	pfn = data_race(m->phys_pfn);
	/* The same. */
	kva = data_race(m->md.kva);
	/*
	 * Some architectures know a second, partly unmapped address of low
	 * memory, that of the kernel's image: ask for the right one.
	 */
	if (pfn != page_to_pfn(page) ||
	    kva != (void *)((unsigned long)addr & PAGE_MASK))
		return NULL;
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_lookup);

/**
 * uma_pool_page() - a page by its number
 * @pool: the pool
 * @index: below uma_pool_records(); the pages that the pool was made with come
 *	first, node by node, each node's from the lowest in memory on; then those
 *	of chunks. Blacklisted pages have numbers, too
 *
 * A chunk that is wholly free can go at any time; its records stay readable.
 * uma_pool_take() tells whether the page is still there.
 *
 * Context: any. Takes no lock.
 * Return: its record, or NULL where there is no page at present.
 */
struct vm_page *uma_pool_page(struct uma_pool *pool, unsigned long index)
{
	struct vm_page *m;

	if (index >= pool->nrecords)
		return NULL;
	m = &pool->pages[index];
	/* Whether it is there may change as soon as we have looked. */
	return data_race(m->flags) & PG_ABSENT ? NULL : m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_page);

/**
 * uma_pool_records() - how many numbers pages can have
 * @pool: the pool
 *
 * Return: one more than the highest that the pool may ever give a page.
 */
unsigned long uma_pool_records(struct uma_pool *pool)
{
	return pool->nrecords;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_records);

/* Shortage. */

static void call_lowmem(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool,
					     lowmem_work);
	struct pool_node *node = pool->nodes;
	void (*fn)(void *arg);
	unsigned long irqflags;
	void *arg;

	raw_spin_lock_irqsave(&node->lock, irqflags);
	fn = pool->lowmem_fn;
	arg = pool->lowmem_arg;
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	if (fn)
		fn(arg);
}

/**
 * uma_pool_set_lowmem() - register what to call when free pages run short
 * @pool: the pool
 * @fn: called from irq_work, so it must not sleep, when fewer than @threshold
 *	pages are free and the pool cannot grow, once for each time that
 *	happens; at once if it is so already. NULL takes the registered one
 *	back; when that returns, it is not running and will not run again.
 * @arg: its argument
 * @threshold: a number of pages
 *
 * Context: process context, may sleep.
 * Return: 0, or -EBUSY if one is registered already.
 */
int uma_pool_set_lowmem(struct uma_pool *pool, void (*fn)(void *arg),
			void *arg, unsigned long threshold)
{
	struct pool_node *node = pool->nodes;
	unsigned long irqflags;
	int error = 0;

	might_sleep();
	raw_spin_lock_irqsave(&node->lock, irqflags);
	if (fn && pool->lowmem_fn) {
		error = -EBUSY;
	} else {
		WRITE_ONCE(pool->lowmem_fn, fn);
		pool->lowmem_arg = arg;
		if (!fn)
			threshold = 0;
		WRITE_ONCE(pool->lowmem_threshold, threshold);
		WRITE_ONCE(pool->lowmem_told, false);
		WRITE_ONCE(pool->mark, max(pool->grow_mark, threshold));
		check_low(pool, node);
	}
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
	if (!fn)
		irq_work_sync(&pool->lowmem_work);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_set_lowmem);

static void wake_sleepers(struct irq_work *work)
{
	struct uma_pool *pool = container_of(work, struct uma_pool, wake_work);
	long n = atomic_long_xchg(&pool->wake, 0);

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

/*
 * Each node counts them, so that its lock orders who looks for pages after this
 * and who frees some.
 */
static void add_waiters(struct uma_pool *pool, int n)
{
	struct pool_node *node;
	unsigned long irqflags;

	for_each_pool_node(pool, node) {
		raw_spin_lock_irqsave(&node->lock, irqflags);
		node->waiters += n;
		raw_spin_unlock_irqrestore(&node->lock, irqflags);
	}
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
 * The length of each free run between two bits of a map, counted by class into
 * @classes if that is not NULL. Returns the longest. Takes no lock: a map is
 * long, and may change while we read.
 */
static unsigned long count_runs(const unsigned long *map, unsigned long first,
				unsigned long end, unsigned long *classes,
				unsigned long *nfree)
{
	unsigned long longest = 0, used, len;

	for (;; first = used + 1) {
		/* A moment's error is all that a race can do here. */
		first = data_race(find_next_bit(map, end, first));
		if (first >= end)
			return longest;
		/* The same. */
		used = data_race(find_next_zero_bit(map, end, first));
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

static unsigned long count_segment(const struct pool_node *node,
				   const struct pool_segment *seg,
				   unsigned long *classes, unsigned long *nfree)
{
	unsigned long first = seg->first - node->first;

	return count_runs(node->map, first, first + seg->npages, classes,
			  nfree);
}

/* Add what a node counts, all of it of one moment. */
static void add_node_stats(struct pool_node *node, struct uma_pool_stats *st)
{
	unsigned long irqflags;

	st->reserve += node->reserve;
	raw_spin_lock_irqsave(&node->lock, irqflags);
	st->pages += node->npages;
	st->free += node->nfree;
	st->blacklisted += node->blacklisted;
	st->chunks += node->nchunks;
	st->allocs += node->allocs;
	st->fails += node->fails;
	raw_spin_unlock_irqrestore(&node->lock, irqflags);
}

/**
 * uma_pool_get_stats() - read how a pool stands
 * @pool: the pool
 * @st: where to
 *
 * The counts of one memory node are of one moment, the next node's and the
 * longest run may be of the one after.
 *
 * Context: any but NMI; looks at the whole map.
 */
void uma_pool_get_stats(struct uma_pool *pool, struct uma_pool_stats *st)
{
	struct pool_node *node;
	unsigned long longest;
	unsigned int i;

	*st = (struct uma_pool_stats) {
		.nodes = pool->nnodes,
		.segments = pool->nsegs,
		.chunks_max = pool->nslots,
		.grown = READ_ONCE(pool->grown),
		.given_back = atomic_long_read(&pool->given_back),
		.grow_fails = READ_ONCE(pool->grow_fails),
	};
	for_each_pool_node(pool, node) {
		add_node_stats(node, st);
		for (i = 0; i < node->nsegs; i++) {
			longest = count_segment(node, &node->segs[i], NULL,
						NULL);
			st->largest_run = max(st->largest_run, longest);
		}
	}
	for (i = 0; i < pool->nslots; i++) {
		longest = count_runs(pool->chunks[i].map, 0, UMA_CHUNK_PAGES,
				     NULL, NULL);
		st->largest_run = max(st->largest_run, longest);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_get_stats);

/**
 * uma_pool_get_node_stats() - read how one memory node of a pool stands
 * @pool: the pool
 * @nid: the node
 * @st: where to; what is counted for whole pools is 0
 *
 * Context: any but NMI.
 * Return: whether the pool has such a node.
 */
bool uma_pool_get_node_stats(struct uma_pool *pool, int nid,
			     struct uma_pool_stats *st)
{
	struct pool_node *node = node_of_nid(pool, nid);

	*st = (struct uma_pool_stats) {};
	if (node)
		add_node_stats(node, st);
	return node;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_pool_get_node_stats);

static void show_nodes(struct uma_pool *pool, struct seq_file *m)
{
	struct pool_node *node;

	if (pool->nnodes == 1)
		return;
	seq_printf(m, "\nnodes       %u\n", pool->nnodes);
	for_each_pool_node(pool, node) {
		struct uma_pool_stats st = {};

		add_node_stats(node, &st);
		seq_printf(m, "node %-6d pages %lu free %lu reserve %lu chunks %u allocs %llu fails %llu\n",
			   node->nid, st.pages, st.free, st.reserve, st.chunks,
			   st.allocs, st.fails);
	}
}

static void show_range(struct uma_pool *pool, struct seq_file *m,
		       unsigned long pfn, unsigned long npages,
		       unsigned long nfree, int nid)
{
	u64 start = (u64)pfn << PAGE_SHIFT;

	seq_printf(m, "%#014llx-%#014llx pages %lu free %lu", start,
		   start + ((u64)npages << PAGE_SHIFT) - 1, npages, nfree);
	if (pool->nnodes > 1)
		seq_printf(m, " node %d", nid);
	seq_putc(m, '\n');
}

static void show_segments(struct uma_pool *pool, struct seq_file *m,
			  unsigned long *classes)
{
	struct pool_node *node;
	unsigned int s;

	seq_printf(m, "\nsegments    %u\n", pool->nsegs);
	for_each_pool_node(pool, node) {
		for (s = 0; s < node->nsegs; s++) {
			const struct pool_segment *seg = &node->segs[s];
			unsigned long nfree = 0;

			count_segment(node, seg, classes, &nfree);
			show_range(pool, m, seg->first->phys_pfn, seg->npages,
				   nfree, node->nid);
		}
	}
}

/* Any of them may go, or come, while it is shown. */
static void show_chunks(struct uma_pool *pool, struct seq_file *m,
			unsigned long *classes)
{
	unsigned int slot;

	if (!pool->nslots)
		return;
	seq_printf(m, "\nchunks      %d\n", atomic_read(&pool->nchunks));
	for (slot = 0; slot < pool->nslots; slot++) {
		struct pool_chunk *chunk = &pool->chunks[slot];
		struct pool_node *node = READ_ONCE(chunk->node);
		unsigned long nfree = 0, pfn;

		/* Only shown, so it may be over by then. */
		pfn = data_race(chunk->first->phys_pfn);
		if (!node || pfn == NO_PFN)
			continue;
		count_runs(chunk->map, 0, UMA_CHUNK_PAGES, classes, &nfree);
		show_range(pool, m, pfn, UMA_CHUNK_PAGES, nfree, node->nid);
	}
}

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
	unsigned int c;

	uma_pool_get_stats(pool, &st);
	seq_printf(m, "pages       %lu\n", st.pages);
	seq_printf(m, "free        %lu\n", st.free);
	seq_printf(m, "reserve     %lu\n", st.reserve);
	seq_printf(m, "blacklisted %lu\n", st.blacklisted);
	seq_printf(m, "allocs      %llu\n", st.allocs);
	seq_printf(m, "fails       %llu\n", st.fails);
	seq_printf(m, "largest run %lu\n", st.largest_run);
	seq_printf(m, "base        %lu\n", pool->nbase);
	if (st.chunks_max) {
		seq_printf(m, "most        %lu\n", pool->nrecords);
		seq_printf(m, "grown       %lu\n", st.grown);
		seq_printf(m, "given back  %lu\n", st.given_back);
		seq_printf(m, "grow fails  %lu\n", st.grow_fails);
	}

	show_nodes(pool, m);
	show_segments(pool, m, classes);
	show_chunks(pool, m, classes);

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
