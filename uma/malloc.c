// SPDX-License-Identifier: GPL-2.0-only
/*
 * malloc(9): memory by the byte, from zones by size, counted by type.
 *
 * Blocks. A small request goes to the zone of the next larger size, through a
 * table with an entry for each 16 bytes. There are four sizes to each doubling
 * up to 1 KiB, and two above, where slabs of four would take many pages: of a
 * block at most a third is more than was asked for, a fifth between 64 bytes and
 * 1280. What is beyond the last zone comes straight from the pool, by the page:
 *
 *	first page's record    pindex = LARGE_RUN | pages
 *	second page's record   pindex = the type
 *
 * Nothing else is written there, the owner's field least of all (UMA-17), and both
 * are 0 again before the pages go.
 *
 * A free is given an address and no size. The record of the page leads to the
 * slab, that to the keg, and the keg says how large its items are and whether
 * they are ours at all; so an address that was never a block is refused there and
 * then. A block that is free already is found as any item is: on its way to
 * the slab, or at once with uma_debug.
 *
 * Runs of pages can be wanting while there are pages enough. A size whose slabs
 * take several pages is then served by the next one whose slabs take one; a
 * larger block, if the caller may sleep, by single pages in an address range of
 * their own (LARGE_MAPPED). To take such a range down means to sleep as well, and
 * a free must not: it leaves that to a work item.
 *
 * Counts. Each type has a cache line for each CPU and each count in it is one
 * add on this CPU, which neither an interrupt nor a migration can split; no lock,
 * no atomic operation, always on. A reader adds the frees of all CPUs before the
 * allocations, so it never sees a free without its allocation.
 *
 * Types. MALLOC_DEFINE() makes one when the consumer is compiled, and nothing
 * of ours runs when its module is loaded. So a type is registered at its first use,
 * and that may come in any context, where counters for each CPU cannot be
 * had. Until a work item has brought them the type counts in itself, under a
 * lock; those counts stay where they are, and are shown as CPU 0's. All that is
 * not plain use of a plain type is one word of the type, tested once: a type
 * that is new, one without its counters, and whoever else wants to see a type's
 * calls before they are served.
 *
 * With uma_debug, the last 8 bytes of a block tell its type, in a form that is
 * good at that address only. A free under another type is refused. Blocks from
 * before it was on have no such mark and pass.
 *
 * Locks: types_mutex (walks over the types against their end), then types_lock
 * (raw; the list, the states, and counts of types without counters); the
 * latter is innermost.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/llist.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "uma/guard.h"
#include "uma/kva.h"
#include "uma/uma_int.h"

/* Steps of the table of sizes; every block begins at a multiple of this. */
#define GRAIN		16
/* The largest block that comes from a zone. */
#define ZONED_MAX	16384

/* What a caller may say besides M_WAITOK or M_NOWAIT. */
#define MODIFIERS	(M_ZERO | M_USE_RESERVE)

/* In the first page's pindex, above the number of pages. */
#define LARGE_RUN	(0x6d616c31ULL << 32)
#define LARGE_MAPPED	(0x6d616c32ULL << 32)
#define LARGE_KIND	(~0ULL << 32)

/* How long to wait for the pool before another reclaim of all zones. */
#define POOL_WAIT	(HZ / 10)

/**
 * struct malloc_size - one size of blocks
 * @zone: where they come from
 * @keep: of a caller's flags, those that the zone is to see
 * @add: what it is to see besides: where slabs take several pages, M_NOWAIT instead
 *	of M_WAITOK, so that nobody sleeps for a run as long as pages would do
 * @bytes: of a block
 * @fallback: where slabs take several pages, the next size whose slabs take one;
 *	0 where there is none
 * @bit: in mts_size
 */
struct malloc_size {
	uma_zone_t zone;
	int keep;
	int add;
	u32 bytes;
	u32 fallback;
	u64 bit;
};

static_assert(sizeof(struct malloc_size) == 32, "an index becomes a shift");

static struct malloc_size sizes[] = {
	{ .bytes = 16 }, { .bytes = 32 }, { .bytes = 48 }, { .bytes = 64 },
	{ .bytes = 80 }, { .bytes = 96 }, { .bytes = 112 }, { .bytes = 128 },
	{ .bytes = 160 }, { .bytes = 192 }, { .bytes = 224 }, { .bytes = 256 },
	{ .bytes = 320 }, { .bytes = 384 }, { .bytes = 448 }, { .bytes = 512 },
	{ .bytes = 640 }, { .bytes = 768 }, { .bytes = 896 }, { .bytes = 1024 },
	{ .bytes = 1280 }, { .bytes = 1536 }, { .bytes = 2048 },
	{ .bytes = 3072 }, { .bytes = 4096 }, { .bytes = 6144 },
	{ .bytes = 8192 }, { .bytes = 12288 }, { .bytes = ZONED_MAX },
};

/* Index into sizes, by the number of grains. */
static u8 size_index[ZONED_MAX / GRAIN + 1];

static LIST_HEAD(types);
static unsigned int types_count;
static DEFINE_MUTEX(types_mutex);
static DEFINE_RAW_SPINLOCK(types_lock);

/*
 * Blocks may carry the mark of their type: set when uma_debug is first on, when all
 * types know it (MALLOC_TYPE_MARKED), and then for ever.
 */
static bool marking;

/* What cannot be done where a call came from. */
static void later_fn(struct work_struct *work);
static void later_irq_fn(struct irq_work *work);
static DECLARE_WORK(later_work, later_fn);
static struct irq_work later_irq;
/* When to try again to get counters for types that have none. */
static unsigned long next_try;

/* A mapped block that was freed, written into its own memory. */
struct unmapping {
	struct llist_node link;
	struct uma_kva *kva;
};

static LLIST_HEAD(unmappings);

/**
 * struct block - what is known of a block
 * @addr: its address
 * @bytes: how large it is
 * @keg: the keg of its size; NULL for a large block
 * @m: record of its first page, of a large block
 */
struct block {
	void *addr;
	size_t bytes;
	struct uma_keg *keg;
	struct vm_page *m;
};

/* Types. */

static bool type_is_one(const struct malloc_type *type)
{
	return type && (READ_ONCE(type->ks_state) & ~0xffU) ==
		       MALLOC_TYPE_MAGIC;
}

/* Registered, with counters, and nobody wants to see its calls. */
static __always_inline bool type_is_plain(const struct malloc_type *type)
{
	/* Pairs with back_types(): the counters are there. */
	return type && smp_load_acquire(&type->ks_state) == MALLOC_TYPE_MAGIC;
}

/* With counters of each CPU. */
static bool type_is_backed(const struct malloc_type *type)
{
	/* Pairs with back_types(), as above. */
	return !(smp_load_acquire(&type->ks_state) &
		 (MALLOC_TYPE_NEW | MALLOC_TYPE_UNBACKED));
}

static const char *type_name(const struct malloc_type *type)
{
	return type->ks_shortdesc ?: "(no name)";
}

/* Whether @type, which may be any value, is on the list; its name, if so. */
static bool type_known(const void *type, char name[MALLOC_MAX_NAME])
{
	struct malloc_type *t;
	unsigned long irq;
	bool known = false;

	raw_spin_lock_irqsave(&types_lock, irq);
	list_for_each_entry(t, &types, ks_link) {
		if (t != type)
			continue;
		strscpy(name, type_name(t), MALLOC_MAX_NAME);
		known = true;
		break;
	}
	raw_spin_unlock_irqrestore(&types_lock, irq);
	return known;
}

static void type_register(struct malloc_type *type)
{
	lockdep_assert_held(&types_lock);
	if (!(type->ks_state & MALLOC_TYPE_NEW))
		return;
	memset(&type->ks_early, 0, sizeof(type->ks_early));
	type->ks_stats = NULL;
	list_add_tail(&type->ks_link, &types);
	WRITE_ONCE(types_count, types_count + 1);
	type->ks_guard_rule = uma_guard_type_rule(type);
	WRITE_ONCE(type->ks_state, MALLOC_TYPE_MAGIC | MALLOC_TYPE_UNBACKED |
				   (type->ks_guard_rule ?
				    MALLOC_TYPE_GUARDED : 0) |
				   (marking ? MALLOC_TYPE_MARKED : 0));
}

/**
 * uma_malloc_guard_refresh() - let types be guarded as the guard's rules now say
 *
 * Context: any but NMI.
 */
void uma_malloc_guard_refresh(void)
{
	struct malloc_type *type;
	unsigned long irq;
	u32 state;

	raw_spin_lock_irqsave(&types_lock, irq);
	list_for_each_entry(type, &types, ks_link) {
		WRITE_ONCE(type->ks_guard_rule, uma_guard_type_rule(type));
		state = type->ks_state & ~MALLOC_TYPE_GUARDED;
		if (type->ks_guard_rule)
			state |= MALLOC_TYPE_GUARDED;
		WRITE_ONCE(type->ks_state, state);
	}
	raw_spin_unlock_irqrestore(&types_lock, irq);
}

/* Get counters for types that have none yet. Returns 0 or -ENOMEM. */
static int back_types(void)
{
	struct malloc_type_stats __percpu *stats = NULL;
	struct malloc_type *type;
	unsigned long irq;
	bool all;

	lockdep_assert_held(&types_mutex);
	for (;;) {
		all = true;
		raw_spin_lock_irqsave(&types_lock, irq);
		list_for_each_entry(type, &types, ks_link) {
			if (!(type->ks_state & MALLOC_TYPE_UNBACKED))
				continue;
			all = !!stats;
			if (!stats)
				break;
			type->ks_stats = stats;
			stats = NULL;
			/* Pairs with type_is_plain(). */
			smp_store_release(&type->ks_state, type->ks_state &
					  ~MALLOC_TYPE_UNBACKED);
		}
		raw_spin_unlock_irqrestore(&types_lock, irq);
		if (all) {
			free_percpu(stats);
			return 0;
		}
		/* A cache line each: a type's counts share it with nobody. */
		stats = __alloc_percpu(sizeof(*stats), L1_CACHE_BYTES);
		if (!stats)
			return -ENOMEM;
	}
}

static void later(void)
{
	irq_work_queue(&later_irq);
}

static void later_irq_fn(struct irq_work *work)
{
	schedule_work(&later_work);
}

/* The first use of a type, or one before it has its counters. */
static void type_attach(struct malloc_type *type)
{
	unsigned long irq;

	if (READ_ONCE(type->ks_state) & MALLOC_TYPE_NEW) {
		raw_spin_lock_irqsave(&types_lock, irq);
		type_register(type);
		raw_spin_unlock_irqrestore(&types_lock, irq);
		later();
	} else if (READ_ONCE(type->ks_state) & MALLOC_TYPE_UNBACKED &&
		   time_after(jiffies, READ_ONCE(next_try))) {
		later();
	}
}

/* Counting. */

static u64 size_bit(size_t bytes)
{
	unsigned int n = fls64(bytes - 1);

	return 1ULL << (n > 4 ? n - 4 : 0);
}

/* On this CPU, wherever that is: each of these is one instruction on x86. */

static __always_inline void
cpu_count_alloc(struct malloc_type_stats __percpu *mts, size_t bytes, u64 bit)
{
	this_cpu_add(mts->mts_memalloced, bytes);
	this_cpu_inc(mts->mts_numallocs);
	this_cpu_or(mts->mts_size, bit);
}

static __always_inline void
cpu_count_free(struct malloc_type_stats __percpu *mts, size_t bytes)
{
	this_cpu_add(mts->mts_memfreed, bytes);
	this_cpu_inc(mts->mts_numfrees);
}

static void early_add(u64 *counter, u64 n)
{
	lockdep_assert_held(&types_lock);
	WRITE_ONCE(*counter, *counter + n);
}

/* @bytes is 0 for an allocation that failed. */
static void count_alloc(struct malloc_type *type, size_t bytes)
{
	unsigned long irq;

	if (type_is_backed(type)) {
		if (bytes)
			cpu_count_alloc(type->ks_stats, bytes, size_bit(bytes));
		else
			this_cpu_inc(type->ks_stats->mts_fails);
		return;
	}
	type_attach(type);
	raw_spin_lock_irqsave(&types_lock, irq);
	if (bytes) {
		early_add(&type->ks_early.mts_memalloced, bytes);
		early_add(&type->ks_early.mts_numallocs, 1);
		WRITE_ONCE(type->ks_early.mts_size,
			   type->ks_early.mts_size | size_bit(bytes));
	} else {
		early_add(&type->ks_early.mts_fails, 1);
	}
	raw_spin_unlock_irqrestore(&types_lock, irq);
}

static void count_free(struct malloc_type *type, size_t bytes)
{
	unsigned long irq;

	if (type_is_backed(type)) {
		cpu_count_free(type->ks_stats, bytes);
		return;
	}
	type_attach(type);
	raw_spin_lock_irqsave(&types_lock, irq);
	early_add(&type->ks_early.mts_memfreed, bytes);
	early_add(&type->ks_early.mts_numfrees, 1);
	raw_spin_unlock_irqrestore(&types_lock, irq);
}

/**
 * malloc_type_allocated() - count memory of another allocator
 * @type: the type
 * @bytes: how many were allocated, as one block; 0: an allocation failed
 *
 * Context: any but NMI, under any lock of the caller.
 */
void malloc_type_allocated(struct malloc_type *type, size_t bytes)
{
	if (WARN_ONCE(!type_is_one(type), "uma: %s: %p is no malloc type\n",
		      __func__, type))
		return;
	count_alloc(type, bytes);
}
EXPORT_SYMBOL_GPL(malloc_type_allocated);

/**
 * malloc_type_freed() - undo one malloc_type_allocated()
 * @type: the type
 * @bytes: the same as there
 *
 * Context: any but NMI, under any lock of the caller.
 */
void malloc_type_freed(struct malloc_type *type, size_t bytes)
{
	if (WARN_ONCE(!type_is_one(type), "uma: %s: %p is no malloc type\n",
		      __func__, type))
		return;
	if (bytes)
		count_free(type, bytes);
}
EXPORT_SYMBOL_GPL(malloc_type_freed);

/* Reading. */

/**
 * uma_malloc_types_begin() - begin a walk over the types
 *
 * Context: process context, may sleep. No type goes until
 * uma_malloc_types_end(), but some may come.
 * Return: how many there are.
 */
unsigned int uma_malloc_types_begin(void)
{
	mutex_lock(&types_mutex);
	return READ_ONCE(types_count);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_malloc_types_begin);

/**
 * uma_malloc_types_next() - step
 * @type: the type that the walk stands on, or NULL to begin
 *
 * Return: the next type, or NULL at the end.
 */
struct malloc_type *uma_malloc_types_next(struct malloc_type *type)
{
	unsigned long irq;

	lockdep_assert_held(&types_mutex);
	raw_spin_lock_irqsave(&types_lock, irq);
	type = list_prepare_entry(type, &types, ks_link);
	type = list_next_entry(type, ks_link);
	if (list_entry_is_head(type, &types, ks_link))
		type = NULL;
	raw_spin_unlock_irqrestore(&types_lock, irq);
	return type;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_malloc_types_next);

/**
 * uma_malloc_types_end() - end the walk
 *
 * Context: process context.
 */
void uma_malloc_types_end(void)
{
	mutex_unlock(&types_mutex);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_malloc_types_end);

/**
 * uma_malloc_type_stats() - read a type's counts
 * @type: the type
 * @mts: where to put them, nr_cpu_ids of them
 *
 * Context: inside a walk, or the type's owner's.
 */
void uma_malloc_type_stats(struct malloc_type *type,
			   struct malloc_type_stats *mts)
{
	const struct malloc_type_stats *early = &type->ks_early;
	const struct malloc_type_stats *c;
	struct malloc_type_stats __percpu *stats = NULL;
	int cpu;

	if (type_is_backed(type))
		stats = type->ks_stats;
	memset(mts, 0, sizeof(*mts) * nr_cpu_ids);
	mts[0].mts_memfreed = READ_ONCE(early->mts_memfreed);
	mts[0].mts_numfrees = READ_ONCE(early->mts_numfrees);
	if (stats) {
		for_each_possible_cpu(cpu) {
			c = per_cpu_ptr(stats, cpu);
			mts[cpu].mts_memfreed += READ_ONCE(c->mts_memfreed);
			mts[cpu].mts_numfrees += READ_ONCE(c->mts_numfrees);
		}
	}
	smp_rmb(); /* frees before allocations, see above */
	uma_steer(UMA_STEER_STATS, type);
	/* Counters may have come meanwhile, and allocations gone there. */
	if (!stats && type_is_backed(type))
		stats = type->ks_stats;
	mts[0].mts_memalloced = READ_ONCE(early->mts_memalloced);
	mts[0].mts_numallocs = READ_ONCE(early->mts_numallocs);
	mts[0].mts_size = READ_ONCE(early->mts_size);
	mts[0].mts_fails = READ_ONCE(early->mts_fails);
	if (!stats)
		return;
	for_each_possible_cpu(cpu) {
		c = per_cpu_ptr(stats, cpu);
		mts[cpu].mts_memalloced += READ_ONCE(c->mts_memalloced);
		mts[cpu].mts_numallocs += READ_ONCE(c->mts_numallocs);
		mts[cpu].mts_size |= READ_ONCE(c->mts_size);
		mts[cpu].mts_fails += READ_ONCE(c->mts_fails);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_malloc_type_stats);

/* What a type has out. Returns whether there is anything. */
static bool type_in_use(struct malloc_type *type, s64 *blocks, s64 *bytes)
{
	struct malloc_type_stats __percpu *stats = type->ks_stats;
	const struct malloc_type_stats *c = &type->ks_early;
	int cpu;

	*blocks = READ_ONCE(c->mts_numallocs) - READ_ONCE(c->mts_numfrees);
	*bytes = READ_ONCE(c->mts_memalloced) - READ_ONCE(c->mts_memfreed);
	if (stats) {
		for_each_possible_cpu(cpu) {
			c = per_cpu_ptr(stats, cpu);
			*blocks += READ_ONCE(c->mts_numallocs) -
				   READ_ONCE(c->mts_numfrees);
			*bytes += READ_ONCE(c->mts_memalloced) -
				  READ_ONCE(c->mts_memfreed);
		}
	}
	return *blocks || *bytes;
}

/* Large blocks. */

static u64 large_mark(struct vm_page *m)
{
	return READ_ONCE(m->pindex);
}

/* The record of the page of a large block that follows the first. */
static struct vm_page *large_second(struct vm_page *m, void *addr, u64 mark)
{
	return (mark & LARGE_KIND) == LARGE_RUN ? m + 1 :
						  uma_kva_lookup(addr + PAGE_SIZE);
}

static void *large_address(struct vm_page *m, struct uma_kva *kva)
{
	return kva ? kva->base : vm_page_kva(m);
}

static bool get_singles(struct list_head *pages, unsigned int n, int flags)
{
	struct vm_page *m;

	while (n--) {
		m = uma_pool_alloc(uma_pool, 1, flags);
		if (!m) {
			uma_pool_free_list(uma_pool, pages);
			return false;
		}
		list_add_tail(&m->pageq, pages);
	}
	return true;
}

/*
 * Single pages in a range of their own, three at least, so that there is a
 * record for whatever is to be kept. NULL if that cannot be had now, or here.
 */
static struct uma_kva *map_singles(unsigned int npages, int flags)
{
	struct vm_page *m, *next;
	struct uma_kva *kva;
	unsigned long i = 0;
	LIST_HEAD(pages);

	if (!uma_kva_supported())
		return NULL;
	npages = max(npages, 3U);
	if (!get_singles(&pages, npages, flags))
		return NULL;
	kva = uma_kva_reserve(npages);
	if (IS_ERR(kva)) {
		uma_pool_free_list(uma_pool, &pages);
		return NULL;
	}
	list_for_each_entry_safe(m, next, &pages, pageq)
		WARN_ON_ONCE(uma_kva_enter(kva, i++, m, UMA_KVA_RW));
	kva->pages[2]->pindex = (unsigned long)kva;
	return kva;
}

static void unmap_singles(struct uma_kva *kva)
{
	unsigned long i, npages = kva->npages;
	LIST_HEAD(pages);

	for (i = 0; i < npages; i++)
		list_add_tail(&kva->pages[i]->pageq, &pages);
	if (!WARN_ON_ONCE(uma_kva_remove(kva, 0, npages)))
		uma_pool_free_list(uma_pool, &pages);
	uma_kva_release(kva);
}

/* What a request may be at the most, to be served some time. */
static unsigned long most_pages(int flags)
{
	struct uma_pool_stats st;

	uma_pool_get_stats(uma_pool, &st);
	if (!(flags & M_USE_RESERVE))
		st.pages -= st.reserve;
	return st.pages + (st.chunks_max - st.chunks) * UMA_CHUNK_PAGES;
}

/* Wait for a run, or for as many pages where they can be mapped. */
static struct vm_page *large_wait(unsigned int npages, int flags,
				  struct uma_kva **kva)
{
	wait_queue_head_t *wq = uma_pool_waitqueue(uma_pool);
	int nowait = (flags & ~M_WAITOK) | M_NOWAIT;
	struct vm_page *m;
	DEFINE_WAIT(wait);

	uma_pool_wait_begin(uma_pool);
	for (;;) {
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		m = uma_pool_alloc(uma_pool, npages, flags);
		if (m)
			break;
		*kva = map_singles(npages, flags);
		if (*kva) {
			m = (*kva)->pages[0];
			break;
		}
		/* Pages that come from here on wake us. */
		prepare_to_wait(wq, &wait, TASK_IDLE);
		m = uma_pool_alloc(uma_pool, npages, nowait);
		if (m)
			break;
		schedule_timeout(POOL_WAIT);
		finish_wait(wq, &wait);
	}
	finish_wait(wq, &wait);
	uma_pool_wait_end(uma_pool);
	return m;
}

static void *large_alloc(size_t size, struct malloc_type *type, int flags,
			 size_t *bytes)
{
	size_t npages = (size >> PAGE_SHIFT) + !!(size & ~PAGE_MASK);
	struct uma_kva *kva = NULL;
	struct vm_page *m = NULL;
	void *addr;

	/* A type needs the second page's record. */
	npages = max_t(size_t, npages, 2);
	if (npages <= INT_MAX)
		m = uma_pool_alloc(uma_pool, npages, flags);
	if (!m && flags & M_WAITOK) {
		if (npages > most_pages(flags)) {
			pr_err_ratelimited("malloc type \"%s\": %zu bytes are more than there can ever be (%d)\n",
					   type_name(type), size, -E2BIG);
			return NULL;
		}
		m = large_wait(npages, flags, &kva);
	}
	if (!m)
		return NULL;
	addr = large_address(m, kva);
	if (kva)
		npages = kva->npages;
	large_second(m, addr, kva ? LARGE_MAPPED : LARGE_RUN)->pindex =
		(unsigned long)type;
	WRITE_ONCE(m->pindex, (kva ? LARGE_MAPPED : LARGE_RUN) | npages);
	*bytes = npages << PAGE_SHIFT;
	if (flags & M_ZERO)
		memset(addr, 0, *bytes);
	return addr;
}

/* Returns false where somebody else frees it at the same time. */
static bool large_free(struct block *b)
{
	unsigned int npages = b->bytes >> PAGE_SHIFT;
	u64 mark = large_mark(b->m);
	struct unmapping *gone;
	struct vm_page *third;

	if (!mark || cmpxchg(&b->m->pindex, mark, 0) != mark)
		return false;
	large_second(b->m, b->addr, mark)->pindex = 0;
	/* Pointers left behind would keep kmemleak, which reads the pool, blind. */
	if (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		memset(b->addr, 0, b->bytes);
	if ((mark & LARGE_KIND) == LARGE_RUN) {
		uma_pool_free(uma_pool, b->m, npages);
		return true;
	}
	third = uma_kva_lookup(b->addr + 2 * PAGE_SIZE);
	gone = b->addr;
	gone->kva = (struct uma_kva *)(unsigned long)third->pindex;
	third->pindex = 0;
	if (llist_add(&gone->link, &unmappings))
		later();
	return true;
}

static void later_fn(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&unmappings);
	struct unmapping *gone, *next;

	llist_for_each_entry_safe(gone, next, list, link)
		unmap_singles(gone->kva);
	WRITE_ONCE(next_try, jiffies + HZ);
	mutex_lock(&types_mutex);
	back_types();
	mutex_unlock(&types_mutex);
}

/* Finding out what an address is. */

static uma_zone_t keg_zone(struct uma_keg *keg)
{
	/* No zone is ever stacked on the one that came with it. */
	return list_first_entry(&keg->uk_zones, struct uma_zone, uz_keg_link);
}

static const char *find_zoned(struct uma_slab *slab, struct block *b)
{
	struct uma_keg *keg = slab->us_keg;
	size_t offset = b->addr - slab->us_data;

	if (!(keg->uk_flags & UMA_ZFLAG_MALLOC))
		return "an item of a zone, not a block";
	if (offset >= (size_t)keg->uk_layout.ipers * keg->uk_layout.rsize)
		return "an address behind the last block of its slab";
	if (offset % keg->uk_layout.rsize)
		return "an address inside a block";
	b->keg = keg;
	b->bytes = keg->uk_size;
	return NULL;
}

/* Fill @b, or say what is wrong with its address, which may be any value. */
static const char *find_block(void *addr, struct block *b)
{
	bool mapped = is_vmalloc_addr(addr);
	struct uma_slab *slab;
	u64 mark;

	b->addr = addr;
	b->keg = NULL;
	b->m = mapped ? uma_kva_lookup(addr) : uma_pool_lookup(uma_pool, addr);
	if (!b->m)
		return "not memory of the pool";
	/* Pairs with the keg, which sets it when the header is complete. */
	slab = smp_load_acquire(&b->m->slab);
	if (slab)
		return find_zoned(slab, b);
	mark = large_mark(b->m);
	if ((mark & LARGE_KIND) != (mapped ? LARGE_MAPPED : LARGE_RUN))
		return "not a block, or one that is free already";
	if (!PAGE_ALIGNED(addr))
		return "an address inside a block";
	b->bytes = (size_t)(mark & ~LARGE_KIND) << PAGE_SHIFT;
	return NULL;
}

/* Marks: which type a block from a zone belongs to, in its last 8 bytes. */

static u64 *block_mark(void *addr, size_t bytes)
{
	return addr + bytes - sizeof(u64);
}

/*
 * Good at this address only: a copy of it says nothing. Whichever of a type and
 * its mark is given, the other comes out.
 */
static u64 mark_value(const u64 *mark, u64 type)
{
	return ~((unsigned long)mark ^ type);
}

/* The type that a block was allocated under, or NULL where nobody noted it. */
static const void *block_type(const struct block *b)
{
	struct vm_page *second;
	const u64 *mark;

	if (b->keg) {
		if (!READ_ONCE(marking))
			return NULL;
		mark = block_mark(b->addr, b->bytes);
		return (const void *)(unsigned long)mark_value(mark, *mark);
	}
	second = large_second(b->m, b->addr, large_mark(b->m));
	return second ? (const void *)(unsigned long)READ_ONCE(second->pindex) :
			NULL;
}

/* Whether @b can be @type's; says so if not. */
static bool check_type(const struct block *b, const struct malloc_type *type,
		       const char *what)
{
	const void *owner = block_type(b);
	char name[MALLOC_MAX_NAME];

	if (!owner || owner == type)
		return true;
	/* A mark that names no type is none. */
	if (!type_known(owner, name))
		return true;
	pr_err_ratelimited("malloc type \"%s\": %s of %p refused: it was allocated under \"%s\"\n",
			   type_name(type), what, b->addr, name);
	return false;
}

/* Whether @addr is a block that can be @type's; says so if not. */
static bool check_block(void *addr, struct malloc_type *type, const char *what,
			struct block *b)
{
	const char *why;

	if (!type_is_one(type)) {
		pr_err_ratelimited("%s of %p refused: %p is no malloc type\n",
				   what, addr, type);
		return false;
	}
	why = READ_ONCE(type->ks_state) & MALLOC_TYPE_NEW ?
	      "nothing was allocated under this type" : find_block(addr, b);
	if (why && READ_ONCE(type->ks_state) & MALLOC_TYPE_GUARDED) {
		uma_guard_foreign(type, addr, why);
		return false;
	}
	if (why) {
		pr_err_ratelimited("malloc type \"%s\": %s of %p refused: %s\n",
				   type_name(type), what, addr, why);
		return false;
	}
	if (b->keg && READ_ONCE(uma_debug) &&
	    !uma_keg_check(b->keg, keg_zone(b->keg)->uz_name, addr))
		return false;
	return check_type(b, type, what);
}

/* Allocating. */

/*
 * What a zone with large slabs could not serve: from the next that needs no run
 * of pages, or, for who may sleep, pages by themselves; @sp is NULL then.
 */
static void *try_otherwise(const struct malloc_size **sp,
			   struct malloc_type *type, int flags, size_t *bytes)
{
	const struct malloc_size *s = *sp;

	if (s->fallback) {
		*sp = &sizes[s->fallback];
		*bytes = (*sp)->bytes;
		return uma_zalloc((*sp)->zone, flags);
	}
	*sp = NULL;
	if (flags & M_WAITOK)
		return large_alloc(s->bytes, type, flags, bytes);
	return NULL;
}

/*
 * Look at the flags. True if they make sense; those that cannot tell whether to
 * sleep are reported and made to say that the caller wants to know of a failure
 * (CT-10).
 */
static bool check_flags(int *flags, const struct malloc_type *type,
			unsigned long ip)
{
	int how = *flags & (M_WAITOK | M_NOWAIT);

	if (*flags & ~(M_WAITOK | M_NOWAIT | MODIFIERS)) {
		pr_err_ratelimited("malloc type \"%s\": flags %#x are not supported, from %pS (%d)\n",
				   type_name(type),
				   *flags & ~(M_WAITOK | M_NOWAIT | MODIFIERS),
				   (void *)ip, -EINVAL);
		return false;
	}
	if (how == M_WAITOK || how == M_NOWAIT)
		return true;
	pr_err_ratelimited("malloc type \"%s\": flags %#x do not tell M_WAITOK from M_NOWAIT, from %pS: it will not sleep\n",
			   type_name(type), *flags, (void *)ip);
	*flags = (*flags & ~M_WAITOK) | M_NOWAIT;
	return true;
}

/* What bsd_malloc() promises of a block's address. */
static size_t block_align(size_t size)
{
	if (size >= PAGE_SIZE)
		return PAGE_SIZE;
	return is_power_of_2(size) ? max_t(size_t, size, GRAIN) : GRAIN;
}

/* A block that the guard lends, or NULL. */
static void *malloc_guarded(size_t size, struct malloc_type *type, int flags,
			    size_t *bytes)
{
	void *block;

	if (!(READ_ONCE(type->ks_state) & MALLOC_TYPE_GUARDED))
		return NULL;
	*bytes = max_t(size_t, size, 1);
	block = uma_guard_malloc(type, *bytes, block_align(*bytes), flags);
	if (block && flags & M_ZERO)
		memset(block, 0, *bytes);
	return block;
}

/* All that is not plain. */
static noinline void *malloc_slow(size_t size, struct malloc_type *type,
				  int flags, unsigned long ip)
{
	bool debug = READ_ONCE(marking) && READ_ONCE(uma_debug);
	const struct malloc_size *s;
	size_t bytes, room = size;
	void *block = NULL;

	if (!type_is_one(type)) {
		pr_err_ratelimited("%zu bytes refused to %pS: %p is no malloc type\n",
				   size, (void *)ip, type);
		return NULL;
	}
	type_attach(type);
	if (!check_flags(&flags, type, ip))
		goto out;
	if (debug && size <= ZONED_MAX)
		room += sizeof(u64);
	might_sleep_if(flags & M_WAITOK);
	block = malloc_guarded(size, type, flags, &bytes);
	if (block)
		goto out;
	if (room > ZONED_MAX) {
		block = large_alloc(room, type, flags, &bytes);
		goto out;
	}
	s = &sizes[size_index[DIV_ROUND_UP(room, GRAIN)]];
	bytes = s->bytes;
	block = uma_zalloc(s->zone, (flags & s->keep) | s->add);
	if (!block)
		block = try_otherwise(&s, type, flags, &bytes);
	if (block && debug && s)
		*block_mark(block, bytes) =
			mark_value(block_mark(block, bytes),
				   (unsigned long)type);
out:
	count_alloc(type, block ? bytes : 0);
	return block;
}

/* A plain call that its size could not serve. */
static noinline __noclone void *malloc_again(const struct malloc_size *s,
					     struct malloc_type *type,
					     int flags)
{
	size_t bytes;
	void *block = try_otherwise(&s, type, flags, &bytes);

	count_alloc(type, block ? bytes : 0);
	return block;
}

static __always_inline void *malloc_from(size_t size, struct malloc_type *type,
					 int flags, unsigned long ip)
{
	unsigned int how = (flags & ~MODIFIERS) - M_NOWAIT;
	struct malloc_type_stats __percpu *stats;
	const struct malloc_size *s;
	void *block;

	BUILD_BUG_ON(M_NOWAIT != 1 || M_WAITOK != 2);
	if (unlikely(!type_is_plain(type)))
		goto slow;
	if (unlikely(size > ZONED_MAX))
		goto slow;
	if (unlikely(how > 1))
		goto slow;
	s = &sizes[size_index[DIV_ROUND_UP(size, GRAIN)]];
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		might_sleep_if(flags & M_WAITOK);
	block = uma_zalloc(s->zone, (flags & s->keep) | s->add);
	if (unlikely(!block))
		return malloc_again(s, type, flags);
	stats = type->ks_stats;
	cpu_count_alloc(stats, s->bytes, s->bit);
	return block;
slow:
	return malloc_slow(size, type, flags, ip);
}

/**
 * bsd_malloc() - allocate memory
 * @size: bytes; 0 makes a small block, too
 * @type: what it is counted under
 * @flags: M_WAITOK or M_NOWAIT, and M_ZERO or M_USE_RESERVE
 *
 * The block is aligned to 16 bytes, to its size if that is a power of two up to
 * a page, and to a page if it is larger.
 *
 * Context: M_WAITOK: process context, may sleep. M_NOWAIT: any but NMI, under any
 * lock of the caller.
 * Return: the memory; NULL for want of it with M_NOWAIT; NULL with a message
 * where @type is none, flags are unknown, or the pool can never hold so much.
 */
void *bsd_malloc(size_t size, struct malloc_type *type, int flags)
{
	return malloc_from(size, type, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(bsd_malloc);

/**
 * bsd_mallocarray() - allocate memory for an array
 * @n: elements
 * @size: bytes of one
 * @type: what it is counted under
 * @flags: as bsd_malloc()
 *
 * Context: as bsd_malloc().
 * Return: as bsd_malloc(), and NULL with a message where @n times @size overflows.
 * (BSD's panics there.)
 */
void *bsd_mallocarray(size_t n, size_t size, struct malloc_type *type,
		      int flags)
{
	size_t bytes;

	if (check_mul_overflow(n, size, &bytes)) {
		pr_err_ratelimited("malloc type \"%s\": %zu elements of %zu bytes overflow, from %pS (%d)\n",
				   type_is_one(type) ? type_name(type) : "?", n,
				   size, (void *)_RET_IP_, -EOVERFLOW);
		if (type_is_one(type))
			count_alloc(type, 0);
		return NULL;
	}
	return malloc_from(bytes, type, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(bsd_mallocarray);

/* Freeing. */

static void free_guarded(void *addr, struct malloc_type *type)
{
	size_t bytes = uma_guard_free(type, addr);

	if (bytes)
		count_free(type, bytes);
}

static noinline void free_slow(void *addr, struct malloc_type *type)
{
	struct block b;

	if (uma_guard_covers(addr) && type_is_one(type)) {
		free_guarded(addr, type);
		return;
	}
	if (!check_block(addr, type, "free", &b))
		return;
	if (!b.keg) {
		if (large_free(&b))
			count_free(type, b.bytes);
		else
			pr_err_ratelimited("malloc type \"%s\": free of %p refused: it is free already\n",
					   type_name(type), addr);
		return;
	}
	/* A mark must not outlive its block. */
	if (READ_ONCE(marking))
		*block_mark(addr, b.bytes) = 0;
	count_free(type, b.bytes);
	uma_zfree(keg_zone(b.keg), addr);
}

/**
 * bsd_free() - free memory
 * @addr: what bsd_malloc() or its kind returned, or NULL, which does nothing
 * @type: the type that it was allocated under
 *
 * What is no block is refused with a message, at once. So is a large block that
 * is free already or another type's; others are found when they go to a slab, or
 * with uma_debug at once.
 *
 * Context: any but NMI, under any lock of the caller.
 */
void bsd_free(void *addr, struct malloc_type *type)
{
	struct uma_slab *slab;
	struct uma_keg *keg;
	struct vm_page *m;

	if (unlikely(!addr))
		return;
	if (unlikely(!type_is_plain(type) || (unsigned long)addr % GRAIN))
		goto slow;
	m = uma_pool_find(addr);
	if (unlikely(!m))
		goto slow;
	/* As in find_block(). */
	slab = smp_load_acquire(&m->slab);
	if (unlikely(!slab))
		goto slow;
	keg = slab->us_keg;
	if (unlikely(!(keg->uk_flags & UMA_ZFLAG_MALLOC)))
		goto slow;
	cpu_count_free(type->ks_stats, keg->uk_size);
	uma_zfree(keg_zone(keg), addr);
	return;
slow:
	free_slow(addr, type);
}
EXPORT_SYMBOL_GPL(bsd_free);

/* What its user may write of a block. */
static size_t usable(const struct block *b)
{
	const void *type = b->keg ? block_type(b) : NULL;
	char name[MALLOC_MAX_NAME];

	return type && type_known(type, name) ? b->bytes - sizeof(u64) :
						b->bytes;
}

/**
 * bsd_malloc_usable_size() - how large a block really is
 * @addr: the block, or NULL
 *
 * Context: any but NMI.
 * Return: bytes that may be used; 0 for what is no block.
 */
size_t bsd_malloc_usable_size(const void *addr)
{
	struct block b;

	if (!addr)
		return 0;
	if (uma_guard_covers(addr))
		return uma_guard_size(addr);
	if (find_block((void *)addr, &b))
		return 0;
	return usable(&b);
}
EXPORT_SYMBOL_GPL(bsd_malloc_usable_size);

static void *realloc_from(void *addr, size_t size, struct malloc_type *type,
			  int flags, unsigned long ip)
{
	struct block b;
	size_t old;
	void *new;

	if (!addr)
		return malloc_from(size, type, flags, ip);
	if (uma_guard_covers(addr) && type_is_one(type)) {
		old = uma_guard_type_size(type, addr);
		if (!old) {
			uma_guard_foreign(type, addr,
					  "not a block of this type, or one that is free already");
			return NULL;
		}
		goto move;
	}
	if (!check_block(addr, type, "realloc", &b))
		return NULL;
	old = usable(&b);
	if (size <= old && (size > b.bytes / 2 || b.bytes == sizes[0].bytes))
		return addr;
move:
	new = malloc_from(size, type, flags, ip);
	if (!new)
		return NULL;
	memcpy(new, addr, min(size, old));
	bsd_free(addr, type);
	return new;
}

/**
 * bsd_realloc() - change the size of a block
 * @addr: the block, or NULL for a new one
 * @size: bytes
 * @type: the type that it was allocated under
 * @flags: as bsd_malloc(); M_ZERO zeroes, at most, what a new block has more
 *
 * The block stays where it is if it is large enough and not more than twice as
 * large; a guarded one always moves.
 *
 * Context: as bsd_malloc().
 * Return: the block, perhaps elsewhere, with its contents as far as both sizes go; or
 * NULL as from bsd_malloc() or for an @addr that is none of @type's, then the
 * old one is as it was.
 */
void *bsd_realloc(void *addr, size_t size, struct malloc_type *type, int flags)
{
	return realloc_from(addr, size, type, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(bsd_realloc);

/**
 * bsd_reallocf() - change the size of a block, or free it
 * @addr: the block, or NULL for a new one
 * @size: bytes
 * @type: the type that it was allocated under
 * @flags: as bsd_realloc()
 *
 * Context: as bsd_malloc().
 * Return: as bsd_realloc(), but where that is NULL, the old block is freed.
 */
void *bsd_reallocf(void *addr, size_t size, struct malloc_type *type,
		   int flags)
{
	void *new = realloc_from(addr, size, type, flags, _RET_IP_);

	if (!new)
		bsd_free(addr, type);
	return new;
}
EXPORT_SYMBOL_GPL(bsd_reallocf);

/* The life of types. */

/**
 * malloc_init() - register a type before its first use
 * @type: the type
 *
 * With its counters at once, so that not even the first calls take a lock. A
 * second time does nothing.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for what is no type or has no name, with a message;
 * -ENOMEM, then the type works and gets its counters later.
 */
int malloc_init(struct malloc_type *type)
{
	unsigned long irq;
	int error;

	might_sleep();
	if (!type_is_one(type) || !type->ks_shortdesc || !*type->ks_shortdesc) {
		pr_err("cannot register a malloc type without a name (%d)\n",
		       -EINVAL);
		return -EINVAL;
	}
	mutex_lock(&types_mutex);
	raw_spin_lock_irqsave(&types_lock, irq);
	type_register(type);
	raw_spin_unlock_irqrestore(&types_lock, irq);
	error = back_types();
	mutex_unlock(&types_mutex);
	return error;
}
EXPORT_SYMBOL_GPL(malloc_init);

/* A record of ours has its name behind it. */
static char *ghost_name(struct malloc_type *type)
{
	return (char *)(type + 1);
}

/* Take a type off the list; nobody uses it any more. */
static void type_unregister(struct malloc_type *type)
{
	struct malloc_type_stats __percpu *stats;
	unsigned long irq;

	lockdep_assert_held(&types_mutex);
	raw_spin_lock_irqsave(&types_lock, irq);
	list_del(&type->ks_link);
	WRITE_ONCE(types_count, types_count - 1);
	stats = type->ks_stats;
	type->ks_stats = NULL;
	WRITE_ONCE(type->ks_state, MALLOC_TYPE_MAGIC | MALLOC_TYPE_NEW);
	raw_spin_unlock_irqrestore(&types_lock, irq);
	free_percpu(stats);
	if (type->ks_shortdesc == ghost_name(type))
		kfree(type);
}

/**
 * malloc_uninit() - unregister a type
 * @type: the type; nobody else may be using it
 *
 * One that has blocks out stays as it was. (BSD's loses them.) Types go with
 * their module by themselves.
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY with a message; -EINVAL with a message for what is no
 * registered type.
 */
int malloc_uninit(struct malloc_type *type)
{
	s64 blocks, bytes;
	int error = 0;

	might_sleep();
	mutex_lock(&types_mutex);
	if (!type_is_one(type) || type->ks_state & MALLOC_TYPE_NEW) {
		pr_err("cannot unregister %p: not a registered malloc type (%d)\n",
		       type, -EINVAL);
		error = -EINVAL;
	} else if (type_in_use(type, &blocks, &bytes)) {
		pr_err("cannot unregister malloc type \"%s\": %lld bytes in %lld blocks are in use (%d)\n",
		       type_name(type), bytes, blocks, -EBUSY);
		error = -EBUSY;
	} else {
		type_unregister(type);
	}
	mutex_unlock(&types_mutex);
	return error;
}
EXPORT_SYMBOL_GPL(malloc_uninit);

/*
 * A type goes with its module and leaves memory behind: let a record of ours
 * take its place, so that what is lost stays visible.
 */
static void type_bury(struct malloc_type *type)
{
	size_t len = strlen(type_name(type)) + 1;
	struct malloc_type *ghost;
	unsigned long irq;

	ghost = kzalloc(sizeof(*ghost) + len, GFP_KERNEL);
	if (!ghost) {
		type_unregister(type);
		return;
	}
	memcpy(ghost_name(ghost), type_name(type), len);
	raw_spin_lock_irqsave(&types_lock, irq);
	ghost->ks_state = type->ks_state;
	ghost->ks_stats = type->ks_stats;
	ghost->ks_early = type->ks_early;
	ghost->ks_shortdesc = ghost_name(ghost);
	ghost->ks_longdesc = "left behind by a module";
	list_replace(&type->ks_link, &ghost->ks_link);
	type->ks_stats = NULL;
	WRITE_ONCE(type->ks_state, MALLOC_TYPE_MAGIC | MALLOC_TYPE_NEW);
	raw_spin_unlock_irqrestore(&types_lock, irq);
}

static struct malloc_type *type_of_module(struct module *mod)
{
	struct malloc_type *type = NULL;

	while ((type = uma_malloc_types_next(type)))
		if (type->ks_owner == mod)
			break;
	return type;
}

/**
 * uma_malloc_module_gone() - unregister the types of a module
 * @mod: the module; its code runs no more
 *
 * The log names each that has something out, and a record of it stays.
 *
 * Context: process context, may sleep.
 */
void uma_malloc_module_gone(struct module *mod)
{
	struct malloc_type *type;
	s64 blocks, bytes;

	mutex_lock(&types_mutex);
	while ((type = type_of_module(mod))) {
		if (!type_in_use(type, &blocks, &bytes)) {
			type_unregister(type);
			continue;
		}
		pr_err("module %s leaves %lld bytes of malloc type \"%s\" behind, in %lld blocks: they are lost until uma is unloaded\n",
		       mod->name, bytes, type_name(type), blocks);
		type_bury(type);
	}
	mutex_unlock(&types_mutex);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_malloc_module_gone);

static int malloc_module_notify(struct notifier_block *nb,
				unsigned long action, void *data)
{
	if (action == MODULE_STATE_GOING && data != THIS_MODULE)
		uma_malloc_module_gone(data);
	return NOTIFY_DONE;
}

static struct notifier_block malloc_module_nb = {
	.notifier_call = malloc_module_notify,
};

/* Start and end. */

/* Runs under kernel_param_lock. */
static void debug_changed(void)
{
	struct malloc_type *type;
	unsigned long irq;

	if (!READ_ONCE(uma_debug) || marking)
		return;
	raw_spin_lock_irqsave(&types_lock, irq);
	list_for_each_entry(type, &types, ks_link)
		WRITE_ONCE(type->ks_state, type->ks_state | MALLOC_TYPE_MARKED);
	WRITE_ONCE(marking, true);
	raw_spin_unlock_irqrestore(&types_lock, irq);
}

static void set_debug_hook(void (*hook)(void))
{
	kernel_param_lock(THIS_MODULE);
	uma_debug_changed = hook;
	if (hook)
		hook();
	kernel_param_unlock(THIS_MODULE);
}

static void destroy_zones(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (sizes[i].zone)
			uma_zdestroy(sizes[i].zone);
		sizes[i].zone = NULL;
	}
}

static int create_zones(void)
{
	unsigned int i, single = 0;
	char name[24];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct malloc_size *s = &sizes[i];

		snprintf(name, sizeof(name), "malloc-%u", s->bytes);
		s->bit = size_bit(s->bytes);
		s->zone = uma_zcreate(name, s->bytes, NULL, NULL, NULL, NULL,
				      GRAIN - 1, 0);
		if (!s->zone)
			return -ENOMEM;
		s->zone->uz_keg->uk_flags |= UMA_ZFLAG_MALLOC;
	}
	while (i--) {
		bool run = sizes[i].zone->uz_keg->uk_layout.pages > 1;

		sizes[i].keep = run ? ~M_WAITOK : ~0;
		sizes[i].add = run ? M_NOWAIT : 0;
		sizes[i].fallback = run ? single : 0;
		if (!run)
			single = i;
	}
	return 0;
}

static void fill_size_index(void)
{
	unsigned int i, n;

	for (i = 0, n = 0; n < ARRAY_SIZE(size_index); n++) {
		if (n * GRAIN > sizes[i].bytes)
			i++;
		size_index[n] = i;
	}
}

/**
 * uma_malloc_startup() - create the zones of all sizes
 *
 * Context: process context, at load, after the zones of UMA itself.
 * Return: 0 or an errno, with nothing left behind.
 */
int uma_malloc_startup(void)
{
	int error;

	init_irq_work(&later_irq, later_irq_fn);
	fill_size_index();
	error = create_zones();
	if (!error)
		error = register_module_notifier(&malloc_module_nb);
	if (error)
		destroy_zones();
	else
		set_debug_hook(debug_changed);
	return error;
}

/**
 * uma_malloc_shutdown() - destroy them
 *
 * What is still allocated is named in the log, by type, and stays lost.
 *
 * Context: process context, at unload: nobody else can call us any more.
 */
void uma_malloc_shutdown(void)
{
	struct malloc_type *type, *next;
	s64 blocks, bytes;

	set_debug_hook(NULL);
	unregister_module_notifier(&malloc_module_nb);
	irq_work_sync(&later_irq);
	flush_work(&later_work);
	list_for_each_entry_safe(type, next, &types, ks_link) {
		if (type_in_use(type, &blocks, &bytes))
			pr_err("%lld bytes of malloc type \"%s\" are still there at unload, in %lld blocks: they stay lost\n",
			       bytes, type_name(type), blocks);
		free_percpu(type->ks_stats);
		if (type->ks_shortdesc == ghost_name(type))
			kfree(type);
	}
	destroy_zones();
}
