/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allocator's own structures, shared by the files of uma/.
 *
 * A keg is a supply of items of one size: slabs, cut from pages of the pool.
 * A zone is what consumers hold: constructors, counts, and two levels of cache
 * in front of a keg. Several zones can be stacked on one keg; the one that
 * came with it is its master, the others are secondary.
 *
 *	 CPU 0            CPU 1            CPU 2
 *	+--------------+ +--------------+ +--------------+
 *	| loaded spare | | loaded spare | | loaded spare |    struct uma_cache
 *	+------+-------+ +------+-------+ +------+-------+
 *	       |   buckets, whole, under the zone's lock
 *	+------+----------------+----------------+-------+
 *	|  uz_domain: buckets that no CPU holds          |    struct uma_zone
 *	+------------------------+-----------------------+
 *	       items, zinit and zfini   (other zones may stand beside it)
 *	+------------------------+-----------------------+
 *	|  slabs: partly used, unused, fully used        |    struct uma_keg
 *	+------------------------+-----------------------+
 *	       pages, init and fini
 *	+------------------------+-----------------------+
 *	|  the pool, or what allocf brings               |    struct uma_pool
 *	+------------------------------------------------+
 *
 * A slab in memory, its header in its last page, and one whose header would
 * have wasted too much and stands elsewhere (slab_layout.c decides):
 *
 *	+------+------+------+------+---+--------+--------+----------+
 *	| item | item | item | item | . | header | bitmap | counters |
 *	+------+------+------+------+---+--------+--------+----------+
 *
 *	+-------------+-------------+---+      +--------+--------+----------+
 *	|    item     |    item     | . |      | header | bitmap | counters |
 *	+-------------+-------------+---+      +--------+--------+----------+
 *
 * An item is in exactly one place: with its user, in a bucket of a CPU's
 * cache, in a bucket of its zone's list, or in its slab (bit set in us_free).
 *
 * Files, each calling only those before it: fail, slab_layout, kva, pool, keg,
 * bucket, zone_list, guard, reclaim, zone, refcnt, malloc, stats, mbuf. Buckets and off-page
 * headers are items of zones themselves; that recursion goes through
 * uma_internal.
 *
 * Locks: zone, then keg, then pool; all raw, interrupts off, and none is held
 * over a callback, a wake-up or an allocation from the kernel.
 */
#ifndef _UMA_INT_H
#define _UMA_INT_H

#include <linux/irq_work.h>
#include <linux/kcsan-checks.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/ratelimit.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "uma/slab_layout.h"
#include "uma/steer.h"
#include "uma/uma.h"

/* Inside: a bucket is refused, since one is being sought already (UMA-15). */
#define M_NOBUCKET	0x10000
/* Inside: the caller waits in a keg's line already, and in no other. */
#define M_QUEUED	0x20000

/* Zone flags of our own, beside UMA_ZONE_*. */
#define UMA_ZFLAG_MALLOC	0x01000000	/* a size of malloc(9)'s */
#define UMA_ZFLAG_BUCKET	0x02000000	/* its items are buckets */
#define UMA_ZFLAG_ORPHAN	0x04000000	/* its owner was unloaded */
#define UMA_ZFLAG_INTERNAL	0x20000000	/* made by UMA for itself */

/**
 * struct uma_bucket - items on their way between a zone and its users
 * @ub_link: in uz_buckets, guarded by the zone's lock
 * @ub_cnt: items in it; stale while a CPU's cache holds the bucket, which then
 *	keeps the count itself
 * @ub_entries: items that it can hold, constant
 * @ub_item: the items
 */
struct uma_bucket {
	struct list_head ub_link;
	u32 ub_cnt;
	u32 ub_entries;
	void *ub_item[];
};

/*
 * What makes an operation leave the fast path: the low byte goes into
 * uma_cache.uc_alloc_slow, the high byte into uc_free_slow.
 */
#define UC_CTOR		0x0001	/* alloc: a constructor to run */
#define UC_TRACE_ALLOC	0x0008	/* alloc: someone traces allocations */
#define UC_GUARD_ALLOC	0x0020	/* alloc: the item may come from the guard */
#define UC_DTOR		0x0100	/* free: a destructor to run */
#define UC_SLEEPERS	0x0200	/* free: someone sleeps on the keg's limit */
#define UC_TRACE_FREE	0x0800	/* free: someone traces frees */
#define UC_NODES	0x1000	/* free: the item may be of another memory node */
#define UC_GUARD_FREE	0x2000	/* free: the item may be the guard's */
#define UC_BYPASS	0x0404	/* both: straight to the slab, and check */

/**
 * struct uma_cache - what one CPU keeps of one zone
 * @uc_busy: nonzero while this CPU is inside the section
 * @uc_alloc_slow: UC_* that concern allocations
 * @uc_free_slow: UC_* that concern frees
 * @uc_cnt: items in @uc_loaded
 * @uc_max: room of @uc_loaded, 0 if there is none
 * @uc_spare_cnt: items in @uc_spare
 * @uc_loaded: the bucket that allocations and frees work on
 * @uc_spare: another, mostly full or empty, to change places with it; together
 *	they keep a caller that hovers around a bucket's edge from the zone's
 *	lock (Bonwick and Adams, "Magazines and Vmem", 2001)
 * @uc_allocs: allocations since the counts last moved to the zone
 * @uc_frees: frees since then
 *
 * The section: preemption off and uc_busy set. Only its own CPU writes these
 * fields, inside the section, or with the CPU dead. An interrupt that finds
 * uc_busy set leaves the cache alone and works on the zone under its lock.
 * Others may read the counts at any time. The slow bytes are written under the
 * keg's lock, from any CPU, and read without.
 *
 * The first three are tested as bytes, or-ed, and not as one word: the section ends
 * with a store of one byte, and a wider load of it in the next operation would
 * have to wait until that store has left the processor's store buffer (measured:
 * 31 cycles a pair instead of 10).
 */
struct uma_cache {
	u8 uc_busy;
	u8 uc_alloc_slow;
	u8 uc_free_slow;
	u32 uc_cnt;
	u32 uc_max;
	u32 uc_spare_cnt;
	struct uma_bucket *uc_loaded;
	struct uma_bucket *uc_spare;
	u64 uc_allocs;
	u64 uc_frees;
} ____cacheline_aligned;

static_assert(sizeof(struct uma_cache) == L1_CACHE_BYTES);
static_assert(BITS_PER_LONG == 64, "the counters rely on whole 64-bit loads");

/*
 * Where a cache is one's own: KCSAN is to look whether anyone else writes to it,
 * an interrupt included. It does not see the fast path's accesses as such, each
 * of which is one instruction of assembly, but it sees that the value changed.
 */
static inline void uma_cache_is_mine(struct uma_cache *c)
{
	ASSERT_EXCLUSIVE_WRITER(c->uc_cnt);
}

/* The UC_* that are set; may be over at once. */
static inline u16 uma_cache_flags(struct uma_cache *c)
{
	return READ_ONCE(c->uc_alloc_slow) | READ_ONCE(c->uc_free_slow) << 8;
}

/**
 * struct uma_waiter - a thread that waits for items
 * @link: in uk_waiters, then in uk_served, then in neither; the keg's lock
 * @task: the thread
 * @items: where it is given them; the keg's lock, until all have come
 * @n: how many it waits for
 * @got: how many it has; the keg's lock
 * @reserve: it may have the last ones
 * @nid: the node that it wants them from
 * @woken: something happened since it looked last
 */
struct uma_waiter {
	struct list_head link;
	struct task_struct *task;
	void **items;
	unsigned int n;
	unsigned int got;
	bool reserve;
	int nid;
	bool woken;
};

/**
 * struct uma_keg_domain - the slabs of one memory node; guarded by the keg's lock
 * @part: slabs with items in them and items out
 * @unused: slabs with all their items in them
 * @used: slabs with no item in them
 * @free: items in them
 */
struct uma_keg_domain {
	struct list_head part;
	struct list_head unused;
	struct list_head used;
	u32 free;
};

/**
 * struct uma_keg - a supply of items of one size
 * @uk_lock: guards what follows it up to @uk_wake_work
 * @uk_zones: the zones stacked on it, by uz_keg_link
 * @uk_foreign: slabs of memory that allocf brought, by address
 * @uk_pages: pages in slabs, or promised to one that is being made
 * @uk_maxpages: the most of them, 0 for no limit
 * @uk_slabs: slabs on all lists
 * @uk_free: items in them
 * @uk_unused_slabs: slabs on the lists of unused ones
 * @uk_unused_min: its least since the last working-set interval began
 * @uk_working_set: how many of them the interval before needed
 * @uk_reserve: free items that only M_USE_RESERVE gets
 * @uk_sleepers: threads that wait for an item, or are about to
 * @uk_waiters: those in the order in which they came; the second list is of
 *	those that may use the reserve, and goes first
 * @uk_served: those that have what they wait for, and were not yet woken
 * @uk_wake_head: whoever is first in line is to be woken, to look for memory
 * @uk_wake_work: wakes them, once the freeing caller's locks are gone
 * @uk_size: bytes of an item as asked for
 * @uk_align: its alignment, as a mask
 * @uk_flags: UMA_ZONE_* and UMA_ZFLAG_*, constant once items exist
 * @uk_layout: how its slabs look
 * @uk_init: constant once items exist, as all below
 * @uk_fini: run before a slab goes
 * @uk_allocf: where memory comes from, NULL for the pool
 * @uk_freef: where it goes
 * @uk_import: where items come from in a keg without slabs, else NULL; its
 *	@uk_pages counts items
 * @uk_release: where they go then
 * @uk_arg: argument of these two
 * @uk_copies: copies of an item, a page apart; 1 but for UMA_ZONE_PCPU
 * @uk_kva: the address range of a fixed backing, or NULL
 * @uk_kva_slots: which slabs of the range are in use; guarded by @uk_lock
 * @uk_obj: what goes in the owner's field of pages of a fixed backing
 * @uk_key: lock class of its own (UMA_ZONE_MTXCLASS)
 * @uk_name: the master zone's, for messages
 * @uk_next_node: where the next slab comes from (UMA_ZONE_ROUNDROBIN); guarded by
 *	@uk_lock
 * @uk_domain: the slabs, by memory node, nr_node_ids of them
 */
struct uma_keg {
	raw_spinlock_t uk_lock;
	struct list_head uk_zones;
	struct rb_root uk_foreign;
	u32 uk_pages;
	u32 uk_maxpages;
	u32 uk_slabs;
	u32 uk_free;
	u32 uk_unused_slabs;
	u32 uk_unused_min;
	u32 uk_working_set;
	u32 uk_reserve;
	u32 uk_sleepers;
	struct list_head uk_waiters[2];
	struct list_head uk_served;
	bool uk_wake_head;
	struct irq_work uk_wake_work;

	u32 uk_size;
	u32 uk_align;
	u32 uk_flags;
	struct uma_slab_layout uk_layout;
	uma_init uk_init;
	uma_fini uk_fini;
	uma_alloc uk_allocf;
	uma_free uk_freef;
	uma_import uk_import;
	uma_release uk_release;
	void *uk_arg;
	u32 uk_copies;
	struct uma_kva *uk_kva;
	unsigned long *uk_kva_slots;
	struct vm_object *uk_obj;
	struct lock_class_key uk_key;
	const char *uk_name;
	int uk_next_node;
	struct uma_keg_domain uk_domain[];
};

/**
 * struct uma_zone_domain - buckets whose items are of one memory node; guarded by
 *	the zone's lock
 * @buckets: buckets with items that no CPU holds
 * @items: items in them
 * @items_min: its least since the last working-set interval began
 * @working_set: how many of them the interval before needed
 */
struct uma_zone_domain {
	struct list_head buckets;
	u32 items;
	u32 items_min;
	u32 working_set;
};

/**
 * struct uma_zone - what a consumer allocates from
 * @uz_cpu: a cache for each CPU that can exist here
 * @uz_ctor: constant, as all up to @uz_owner
 * @uz_dtor: run at each free
 * @uz_init: zinit, run when an item comes from the keg; constant once items exist
 * @uz_fini: zfini, run when it goes back
 * @uz_keg: the keg below
 * @uz_flags: UMA_ZONE_* and UMA_ZFLAG_*
 * @uz_name: a copy of the name, whole
 * @uz_owner: the module that made the zone; NULL once that is gone
 * @uz_base: the module that made the zone which this one is stacked on, held,
 *	if it is another
 * @uz_lock: guards what follows it up to @uz_link
 * @uz_seq: odd while counts move, for readers without the lock
 * @uz_items: items in the buckets of all nodes
 * @uz_bucket_size: room of the next bucket; grows with each exchange
 * @uz_bucket_max: the most that it grows to
 * @uz_items_max: the most items on the list; what is beyond goes to slabs
 * @uz_allocs: allocations, but for those that the caches still hold
 * @uz_frees: frees by callers, but for those that the caches still hold
 * @uz_fails: allocations that failed
 * @uz_sleeps: times that an allocation had to sleep
 * @uz_xdomain: frees on another memory node than the item's own
 * @uz_link: in the list of zones, guarded by its mutex
 * @uz_keg_link: in uk_zones, guarded by the keg's lock
 * @uz_pins: walks that stand on this zone, and one for its existence
 * @uz_idle_ops: allocations and frees when the last working-set interval began;
 *	of the one thread that ends it
 * @uz_warning: printed when the limit is hit, or NULL
 * @uz_warning_rate: how often that may be
 * @uz_maxaction: called when the limit was hit, or NULL
 * @uz_limit_hit: prints the one and queues the other, once the locks of the
 *	caller that hit it are gone
 * @uz_maxaction_work: calls it, where it may sleep
 * @uz_holds: a keg whose items the cached items of this zone hold, or NULL: who
 *	waits for an item of it has this zone drained, too; constant
 * @uz_guarded: items out that a guard has lent
 * @uz_guard_rule: which of the guard's rules concerns the zone, or 0
 * @uz_domain: the buckets that no CPU holds, by memory node, nr_node_ids of them
 */
struct uma_zone {
	struct uma_cache __percpu *uz_cpu;
	uma_ctor uz_ctor;
	uma_dtor uz_dtor;
	uma_init uz_init;
	uma_fini uz_fini;
	struct uma_keg *uz_keg;
	u32 uz_flags;
	const char *uz_name;
	struct module *uz_owner;
	struct module *uz_base;

	raw_spinlock_t uz_lock ____cacheline_aligned;
	seqcount_raw_spinlock_t uz_seq;
	u32 uz_items;
	u16 uz_bucket_size;
	u16 uz_bucket_max;
	u32 uz_items_max;
	u64 uz_allocs;
	u64 uz_frees;
	u64 uz_fails;
	u64 uz_sleeps;
	u64 uz_xdomain;

	struct list_head uz_link;
	struct list_head uz_keg_link;
	refcount_t uz_pins;
	u64 uz_idle_ops;

	const char *uz_warning;
	struct ratelimit_state uz_warning_rate;
	uma_maxaction_t uz_maxaction;
	struct irq_work uz_limit_hit;
	struct work_struct uz_maxaction_work;

	struct uma_keg *uz_holds;

	atomic_t uz_guarded;
	u8 uz_guard_rule;

	struct uma_zone_domain uz_domain[];
};

/**
 * struct uma_internal - the way up that keg.c and bucket.c need
 * @alloc: uma_zalloc()
 * @free: uma_zfree()
 */
struct uma_internal {
	void *(*alloc)(uma_zone_t zone, int flags);
	void (*free)(uma_zone_t zone, void *item);
};

extern const struct uma_internal *uma_internal;

/* keg.c */
struct uma_keg *uma_keg_create(const char *name, size_t size, uma_init uminit,
			       uma_fini fini, unsigned int align, u32 flags);
struct uma_keg *uma_keg_create_import(const char *name, size_t size,
				      uma_import import, uma_release release,
				      void *arg, u32 flags);
void uma_keg_destroy(struct uma_keg *keg);
void uma_keg_set_header_zones(uma_zone_t plain, uma_zone_t refcnt);
void uma_keg_set_contig(struct vm_page *(*fn)(unsigned int npages));
size_t uma_keg_header_bytes(bool refcnt);
unsigned int uma_keg_alloc(struct uma_keg *keg, uma_zone_t zone, void **items,
			   unsigned int n, int flags, int *error);
unsigned int uma_keg_free(struct uma_keg *keg, const char *who, void **items,
			  unsigned int n);
bool uma_keg_check(struct uma_keg *keg, const char *who, void *item);
const char *uma_keg_wrong(struct uma_keg *keg, const void *item);
int uma_keg_grow(struct uma_keg *keg, uma_zone_t zone, int flags);
int uma_keg_item_node(struct uma_keg *keg, const void *item);
void uma_keg_set_max(struct uma_keg *keg, u32 nitems);
u32 uma_keg_get_max(struct uma_keg *keg);
void uma_keg_set_reserve(struct uma_keg *keg, u32 nitems);
unsigned int uma_keg_trim(struct uma_keg *keg, unsigned int nslabs);
struct uma_slab *uma_keg_slab(struct uma_keg *keg, const void *item, u32 *num);
u32 uma_keg_items_out(struct uma_keg *keg);
u32 uma_keg_pages(struct uma_keg *keg);
bool uma_keg_can_supply(struct uma_keg *keg);
void uma_keg_wait_begin(struct uma_keg *keg, struct uma_waiter *w, void **items,
			unsigned int n, int flags);
bool uma_keg_wait_look(struct uma_keg *keg, uma_zone_t zone,
		       struct uma_waiter *w, int flags, int *error);
void uma_keg_wait_end(struct uma_keg *keg, struct uma_waiter *w);
void uma_keg_add_zone(struct uma_keg *keg, uma_zone_t zone);
void uma_keg_del_zone(struct uma_keg *keg, uma_zone_t zone);
void uma_keg_set_zone_flag(struct uma_keg *keg, uma_zone_t zone, u16 flag,
			   bool on);
int uma_keg_set_backing(struct uma_keg *keg, struct vm_object *obj, u32 nitems);
int uma_keg_set_allocf(struct uma_keg *keg, uma_alloc allocf);

/* bucket.c */
int uma_bucket_startup(uma_zone_t (*create)(const char *name, size_t size));
void uma_bucket_shutdown(void (*next)(uma_zone_t zone));
unsigned int uma_bucket_max(size_t item_size);
unsigned int uma_bucket_fit(unsigned int entries);
struct uma_bucket *uma_bucket_alloc(uma_zone_t zone, unsigned int entries,
				    int flags);
void uma_bucket_free(struct uma_bucket *b);
void uma_bucket_empty(uma_zone_t zone, struct uma_bucket *b);
unsigned int uma_items_release(uma_zone_t zone, void **items, unsigned int n);

/* zone_list.c */
void uma_zone_list_add(uma_zone_t zone);
void uma_zone_list_hide(uma_zone_t zone);
void uma_zone_list_show(uma_zone_t zone);
void uma_zone_list_del(uma_zone_t zone);
uma_zone_t uma_zone_list_next(uma_zone_t zone);
uma_zone_t uma_zone_list_trynext(uma_zone_t zone);
void uma_zone_put(uma_zone_t zone);
unsigned int uma_zone_list_count(void);

#define uma_for_each_zone(zone)						\
	for ((zone) = uma_zone_list_next(NULL); (zone);			\
	     (zone) = uma_zone_list_next(zone))

/* The same for who must not wait; it may end early. */
#define uma_try_each_zone(zone)						\
	for ((zone) = uma_zone_list_trynext(NULL); (zone);		\
	     (zone) = uma_zone_list_trynext(zone))

/* reclaim.c */
int uma_reclaim_startup(void);
void uma_reclaim_quiesce(void);
void uma_reclaim_shutdown(void);
void uma_reclaim_interval(void);
unsigned long uma_reclaim_pressure(int nid, unsigned long npages);
unsigned long uma_reclaim_estimate(int nid);
void uma_zone_flush_cpus(uma_zone_t zone);
void uma_zone_flush_all(uma_zone_t zone);
void uma_zone_drain(uma_zone_t zone);
void uma_zone_reclaim_all(uma_zone_t zone);

/* zone.c */
int uma_trace_alloc_reg(void);
void uma_trace_alloc_unreg(void);
int uma_trace_free_reg(void);
void uma_trace_free_unreg(void);
int uma_startup(void);
void uma_shutdown(void);

extern bool uma_debug;
extern void (*uma_debug_changed)(void);

/* malloc.c */
int uma_malloc_startup(void);
void uma_malloc_shutdown(void);
void uma_malloc_module_gone(struct module *mod);
unsigned int uma_malloc_types_begin(void);
struct malloc_type *uma_malloc_types_next(struct malloc_type *type);
void uma_malloc_types_end(void);
void uma_malloc_type_stats(struct malloc_type *type,
			   struct malloc_type_stats *mts);

/* stats.c */
struct dentry;
struct uma_type_header;
struct uma_percpu_stat;
struct dentry *uma_stats_startup(void);
void uma_stats_shutdown(void);
void uma_zone_stats(uma_zone_t zone, struct uma_type_header *uth,
		    struct uma_percpu_stat *ups);
s64 uma_zone_in_use(uma_zone_t zone);

/*
 * For KASAN: an item that nobody has, and one that somebody has. What a
 * cache-only zone caches is its owner's to mark.
 */

static inline void uma_item_poison(struct uma_keg *keg, void *item)
{
	u32 i;

	if (!IS_ENABLED(CONFIG_KASAN_GENERIC) || keg->uk_import)
		return;
	for (i = 0; i < keg->uk_copies; i++)
		uma_kasan_poison(item + i * UMA_PCPU_ALLOC_SIZE, keg->uk_size);
}

static inline void uma_item_unpoison(struct uma_keg *keg, void *item)
{
	u32 i;

	if (!IS_ENABLED(CONFIG_KASAN_GENERIC) || keg->uk_import)
		return;
	for (i = 0; i < keg->uk_copies; i++)
		uma_kasan_unpoison(item + i * UMA_PCPU_ALLOC_SIZE,
				   keg->uk_size);
}

/* Clear an item, all copies of it. */
static inline void uma_item_zero(struct uma_keg *keg, void *item)
{
	u32 i;

	for (i = 0; i < keg->uk_copies; i++)
		memset(item + i * UMA_PCPU_ALLOC_SIZE, 0, keg->uk_size);
}

/* mbuf.c */
enum uma_mbuf_zone {
	UMA_MBUF,
	UMA_MBUF_CLUSTER,
	UMA_MBUF_PACKET,
	UMA_MBUF_EXTREFCNT,
	UMA_MBUF_ZONES,
};

extern uma_zone_t uma_mbuf_zones[UMA_MBUF_ZONES];

int uma_mbuf_startup(void);
void uma_mbuf_shutdown(void);
int uma_mbuf_default_clusters(unsigned long pages);

/**
 * uma_zone_fold() - move a cache's counts to its zone
 * @zone: the zone, locked
 * @c: one of its caches, in its section or of a dead CPU
 */
static inline void uma_zone_fold(uma_zone_t zone, struct uma_cache *c)
{
	lockdep_assert_held(&zone->uz_lock);
	write_seqcount_begin(&zone->uz_seq);
	WRITE_ONCE(zone->uz_allocs, zone->uz_allocs + c->uc_allocs);
	WRITE_ONCE(zone->uz_frees, zone->uz_frees + c->uc_frees);
	WRITE_ONCE(c->uc_allocs, 0);
	WRITE_ONCE(c->uc_frees, 0);
	write_seqcount_end(&zone->uz_seq);
}

/* Whether it matters which CPU asks: are there several memory nodes? */
static inline bool uma_many_nodes(void)
{
	return num_node_state(N_MEMORY) > 1;
}

/**
 * uma_zone_push() - put a bucket on a zone's list
 * @zone: the zone, locked
 * @nid: the memory node of the bucket's items
 * @b: a bucket that no CPU holds, ub_cnt right and not 0
 */
static inline void uma_zone_push(uma_zone_t zone, int nid, struct uma_bucket *b)
{
	struct uma_zone_domain *d = &zone->uz_domain[nid];

	lockdep_assert_held(&zone->uz_lock);
	list_add(&b->ub_link, &d->buckets);
	d->items += b->ub_cnt;
	WRITE_ONCE(zone->uz_items, zone->uz_items + b->ub_cnt);
}

/**
 * uma_zone_pop() - take the bucket used last from a zone's list
 * @zone: the zone, locked
 * @nid: the memory node to take it from
 *
 * Return: a bucket with items, or NULL.
 */
static inline struct uma_bucket *uma_zone_pop(uma_zone_t zone, int nid)
{
	struct uma_zone_domain *d = &zone->uz_domain[nid];
	struct uma_bucket *b;

	lockdep_assert_held(&zone->uz_lock);
	b = list_first_entry_or_null(&d->buckets, struct uma_bucket, ub_link);
	if (!b)
		return NULL;
	list_del(&b->ub_link);
	d->items -= b->ub_cnt;
	d->items_min = min(d->items_min, d->items);
	WRITE_ONCE(zone->uz_items, zone->uz_items - b->ub_cnt);
	return b;
}

#endif /* _UMA_INT_H */
