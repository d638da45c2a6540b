// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zones: the cache layer, and the interface that consumers call.
 *
 * An allocation takes a pointer from this CPU's loaded bucket, a free puts one
 * there. Both happen in a section: preemption off, so that nothing of this CPU's
 * runs between and the thread cannot move, and uc_busy set, so that an
 * interrupt that lands in between sees that it must not touch the cache. There is
 * no lock, no atomic operation and no masking of interrupts. All that is rare
 * (an interrupt in a section, constructors, sleepers, checking) shares one test
 * with uc_busy.
 *
 * A cache that cannot serve changes its two buckets with each other, then one
 * with the zone's list, both inside the section; the list's lock is a raw one
 * and held for a few pointers. Only then the section is left, to have a bucket
 * filled from the keg, or an empty one allocated. After that nothing is known
 * any more: this may be another CPU, the cache may have been filled or drained,
 * we may even be an interrupt that landed in a section, if we are one. So the
 * section is entered anew and everything is looked at again (UMA-04).
 *
 * Counts. A cache counts what went through it; at each exchange with the zone the
 * counts move there, under the lock and inside uz_seq. What does not pass a
 * cache is counted in the zone directly. An allocation counts when it is
 * certain to succeed, after the constructor; a free when a caller frees.
 *
 * Limits. Who finds the keg at its limit and may sleep, publishes that
 * (uma_keg_wait_begin()): frees then go past the caches to the slabs. Sections
 * in flight may not have seen it, so they are waited for; then whatever the
 * caches still hold is drained. From here on no free item can hide: no cache
 * takes one, and no bucket is filled for a cache, while there are sleepers. One
 * more look, and only then sleep.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/topology.h>

#include "uma/fail.h"
#include "uma/guard.h"
#include "uma/trace.h"
#include "uma/uma_int.h"

/* What a caller of uma_zcreate() may set. */
#define ZONE_FLAGS_ALLOWED	(UMA_ZONE_ZINIT | UMA_ZONE_OFFPAGE | \
				 UMA_ZONE_NOFREE | UMA_ZONE_MTXCLASS | \
				 UMA_ZONE_REFCNT | UMA_ZONE_MAXBUCKET | \
				 UMA_ZONE_MINBUCKET | UMA_ZONE_CONTIG | \
				 UMA_ZONE_CACHESPREAD | UMA_ZONE_PCPU | \
				 UMA_ZONE_FIRSTTOUCH | UMA_ZONE_ROUNDROBIN | \
				 UMA_ZONE_VM)
/* The same for uma_zcache_create(). */
#define ZCACHE_FLAGS_ALLOWED	(UMA_ZONE_MTXCLASS | UMA_ZONE_MAXBUCKET | \
				 UMA_ZONE_MINBUCKET)

/* The warning of a zone's limit appears at most this often. */
#define WARNING_INTERVAL	(300 * HZ)

/* How long to wait for the pool before another reclaim of all zones. */
#define POOL_WAIT		(HZ / 10)

/* How an operation on a cache counts: see uma_zalloc_slow(). */
#define COUNT			true
#define COUNT_LATER		false

static uma_zone_t header_zones[2];

#if IS_ENABLED(CONFIG_KUNIT)
uma_steer_fn uma_steer_hook;
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_steer_hook);
#endif

/* These and the caches' UC_BYPASS, UC_TRACE_* change together. */
static DEFINE_MUTEX(switch_lock);
bool uma_debug;
static bool trace_allocs;
static bool trace_frees;
/* What else changes with it; kernel_param_lock. */
void (*uma_debug_changed)(void);
/* Whether a parameter that changes has something to act on; kernel_param_lock. */
static bool started;

/* The section of a cache; preemption is off. */

static __always_inline void cache_enter(struct uma_cache *c)
{
	WRITE_ONCE(c->uc_busy, 1);
	barrier();
}

static __always_inline void cache_leave(struct uma_cache *c)
{
	barrier();
	WRITE_ONCE(c->uc_busy, 0);
}

static void *cache_take(struct uma_cache *c, bool count)
{
	u32 n = c->uc_cnt - 1;
	void *item = c->uc_loaded->ub_item[n];

	WRITE_ONCE(c->uc_cnt, n);
	if (count)
		WRITE_ONCE(c->uc_allocs, c->uc_allocs + 1);
	return item;
}

static void cache_put(struct uma_cache *c, void *item, bool count)
{
	u32 n = c->uc_cnt;

	c->uc_loaded->ub_item[n] = item;
	WRITE_ONCE(c->uc_cnt, n + 1);
	if (count)
		WRITE_ONCE(c->uc_frees, c->uc_frees + 1);
}

static void cache_swap(struct uma_cache *c)
{
	struct uma_bucket *b = c->uc_loaded;
	u32 n = c->uc_cnt;

	WRITE_ONCE(c->uc_loaded, c->uc_spare);
	WRITE_ONCE(c->uc_cnt, c->uc_spare_cnt);
	WRITE_ONCE(c->uc_max, c->uc_loaded ? c->uc_loaded->ub_entries : 0);
	WRITE_ONCE(c->uc_spare, b);
	WRITE_ONCE(c->uc_spare_cnt, n);
}

/* Make @b the loaded bucket; the one before becomes the spare. */
static void cache_load(struct uma_cache *c, struct uma_bucket *b, u32 n)
{
	WRITE_ONCE(c->uc_spare, c->uc_loaded);
	WRITE_ONCE(c->uc_spare_cnt, c->uc_cnt);
	WRITE_ONCE(c->uc_loaded, b);
	WRITE_ONCE(c->uc_cnt, n);
	WRITE_ONCE(c->uc_max, b->ub_entries);
}

/*
 * Enter this CPU's section and return its cache, or return NULL, with preemption
 * on again, where the cache must not be touched: the section is in use below
 * us, or one of the UC_* flags in @avoid is set.
 */
static struct uma_cache *zone_enter(uma_zone_t zone, u16 avoid)
{
	struct uma_cache *c;

	preempt_disable();
	c = this_cpu_ptr(zone->uz_cpu);
	/* An interrupt can come between, and leaves it as it was. */
	if (READ_ONCE(c->uc_busy) || uma_cache_flags(c) & avoid) {
		preempt_enable();
		return NULL;
	}
	cache_enter(c);
	uma_cache_is_mine(c);
	uma_steer(UMA_STEER_SECTION, zone);
	return c;
}

static void zone_leave(struct uma_cache *c)
{
	cache_leave(c);
	preempt_enable();
}

/* Counting in the zone itself, for what passes no cache. */

static void zone_count(uma_zone_t zone, u64 *counter, unsigned int n)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	write_seqcount_begin(&zone->uz_seq);
	WRITE_ONCE(*counter, *counter + n);
	write_seqcount_end(&zone->uz_seq);
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
}

/* Count allocations that left their place earlier. */
static void zone_count_allocs(uma_zone_t zone, unsigned int n)
{
	struct uma_cache *c = zone_enter(zone, UC_BYPASS);

	if (!c) {
		zone_count(zone, &zone->uz_allocs, n);
		return;
	}
	WRITE_ONCE(c->uc_allocs, c->uc_allocs + n);
	zone_leave(c);
}

/* A limit was hit: say so, where that is safe. */

static bool zone_warnings = true;
module_param(zone_warnings, bool, 0644);
MODULE_PARM_DESC(zone_warnings,
		 "print what uma_zone_set_warning() set when a limit is hit (yes)");

static void zone_limit_hit(struct irq_work *work)
{
	uma_zone_t zone = container_of(work, struct uma_zone, uz_limit_hit);
	const char *warning = READ_ONCE(zone->uz_warning);

	if (warning && READ_ONCE(zone_warnings) &&
	    __ratelimit(&zone->uz_warning_rate))
		pr_warn("[zone: %s] %s\n", zone->uz_name, warning);
	if (READ_ONCE(zone->uz_maxaction))
		queue_work(system_wq, &zone->uz_maxaction_work);
}

static void zone_maxaction(struct work_struct *work)
{
	uma_zone_t zone = container_of(work, struct uma_zone,
				       uz_maxaction_work);
	uma_maxaction_t maxaction = READ_ONCE(zone->uz_maxaction);

	if (maxaction)
		maxaction(zone, 0);
}

static void zone_tell_limit(uma_zone_t zone)
{
	if (READ_ONCE(zone->uz_warning) || READ_ONCE(zone->uz_maxaction))
		irq_work_queue(&zone->uz_limit_hit);
}

/* When this returns neither is under way, and neither will be again. */
static void zone_forget_limit(uma_zone_t zone)
{
	WRITE_ONCE(zone->uz_warning, NULL);
	WRITE_ONCE(zone->uz_maxaction, NULL);
	irq_work_sync(&zone->uz_limit_hit);
	cancel_work_sync(&zone->uz_maxaction_work);
}

/* Waiting for a limit, or for the pool. */

struct zone_waiter {
	struct uma_waiter keg;
	wait_queue_entry_t pool;
};

/* Pages came back to the pool: one flag says so, and that the keg woke us. */
static int zone_waiter_wake(wait_queue_entry_t *entry, unsigned int mode,
			    int sync, void *key)
{
	struct uma_waiter *w = entry->private;

	WRITE_ONCE(w->woken, true);
	return wake_up_process(w->task);
}

/* Sleep until woken, or not at all if that was since the last time. */
static void zone_waiter_sleep(struct uma_waiter *w, long timeout)
{
	set_current_state(TASK_IDLE);
	if (!READ_ONCE(w->woken))
		schedule_timeout(timeout);
	__set_current_state(TASK_RUNNING);
	/* What comes from here on is seen by the look that follows, or wakes. */
	smp_store_mb(w->woken, false);
}

/*
 * Bring every cached item of the keg's zones back into slabs, and those that
 * cached items of other zones hold.
 */
static void keg_drain_zones(struct uma_keg *keg)
{
	uma_zone_t zone;

	uma_for_each_zone(zone)
		if (zone->uz_keg == keg || zone->uz_holds == keg)
			uma_zone_reclaim_all(zone);
}

/*
 * Wait in the keg's line until @n items are handed over. How many came: fewer
 * only where an init failed, as @error then says.
 */
static unsigned int zone_wait(uma_zone_t zone, void **items, unsigned int n,
			      int flags, int *error)
{
	struct uma_keg *keg = zone->uz_keg;
	wait_queue_head_t *pool_wq = uma_pool_waitqueue(uma_pool);
	struct zone_waiter w;
	bool served;

	zone_count(zone, &zone->uz_sleeps, 1);
	trace_uma_limit_sleep(zone->uz_name, flags);
	init_waitqueue_func_entry(&w.pool, zone_waiter_wake);
	w.pool.private = &w.keg;
	uma_keg_wait_begin(keg, &w.keg, items, n, flags);
	add_wait_queue(pool_wq, &w.pool);
	uma_pool_wait_begin(uma_pool);
	synchronize_rcu();
	keg_drain_zones(keg);

	for (;;) {
		served = uma_keg_wait_look(keg, zone, &w.keg, flags, error);
		if (served || *error == -ECANCELED)
			break;
		if (*error == -ENOMEM) {
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
			served = uma_keg_wait_look(keg, zone, &w.keg, flags,
						   error);
			if (served || *error == -ECANCELED)
				break;
		}
		uma_steer(UMA_STEER_LIMIT, zone);
		zone_waiter_sleep(&w.keg, *error == -ENOMEM ?
				  POOL_WAIT : MAX_SCHEDULE_TIMEOUT);
	}

	uma_steer(UMA_STEER_WAIT_END, zone);
	remove_wait_queue(pool_wq, &w.pool);
	uma_pool_wait_end(uma_pool);
	uma_keg_wait_end(keg, &w.keg);
	/* Also for who gave up, and was served before it was out of the line. */
	trace_uma_limit_wake(zone->uz_name, w.keg.got ? items[0] : NULL);
	return w.keg.got;
}

/*
 * Make @n items that the keg gave ready for this zone's cache. Those whose zinit
 * failed, and those after them, go back to the slab, and their slots are cleared
 * (UMA-12). How many are ready; if not all, @error is -ECANCELED.
 */
static unsigned int zone_init_items(uma_zone_t zone, void **items,
				    unsigned int n, int flags, int *error)
{
	struct uma_keg *keg = zone->uz_keg;
	unsigned int i;

	for (i = 0; zone->uz_init && i < n; i++) {
		int failed;

		uma_item_unpoison(keg, items[i]);
		failed = zone->uz_init(items[i], keg->uk_size,
				       flags & (M_WAITOK | M_NOWAIT));
		uma_item_poison(keg, items[i]);
		if (failed) {
			uma_keg_free(keg, zone->uz_name, items + i, n - i);
			memset(items + i, 0, (n - i) * sizeof(*items));
			*error = -ECANCELED;
			return i;
		}
	}
	return n;
}

/*
 * Bring up to @n items from the keg, ready for this zone's cache. Waits for the
 * limit and for the pool only with @wait, and then for one. How many came; if
 * none, why in @error, as from uma_keg_alloc().
 */
static unsigned int zone_import(uma_zone_t zone, void **items, unsigned int n,
				int flags, bool wait, int *error)
{
	unsigned int got;

	might_sleep_if(flags & M_WAITOK);
	got = uma_keg_alloc(zone->uz_keg, zone, items, n, flags, error);
	if (!got && *error == -ENOSPC)
		zone_tell_limit(zone);
	if (!got && wait && *error != -ECANCELED)
		got = zone_wait(zone, items, 1, flags, error);
	return zone_init_items(zone, items, got, flags, error);
}

/* The memory node whose buckets a CPU of node @nid fills and empties. */
static int zone_domain(uma_zone_t zone, int nid)
{
	return zone->uz_flags & UMA_ZONE_ROUNDROBIN ? 0 : nid;
}

/* An item off the zone's list of a node, or NULL. */
static void *zone_get_listed(uma_zone_t zone, int nid)
{
	struct uma_bucket *b, *empty = NULL;
	void *item = NULL;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	/* What is left on the list belongs to those in line, if there are any. */
	b = READ_ONCE(zone->uz_keg->uk_sleepers) ? NULL :
						   uma_zone_pop(zone, nid);
	if (b) {
		item = b->ub_item[--b->ub_cnt];
		if (b->ub_cnt)
			uma_zone_push(zone, nid, b);
		else
			empty = b;
	}
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	uma_bucket_free(empty);
	return item;
}

/* The same from any node but @except. */
static void *zone_get_elsewhere(uma_zone_t zone, int except)
{
	void *item = NULL;
	int nid;

	for (nid = 0; !item && nid < nr_node_ids; nid++)
		if (nid != except)
			item = zone_get_listed(zone, nid);
	return item;
}

/*
 * An item past the cache: from the zone's list, or from the keg, or, rather than
 * fail or sleep, from another node's list.
 */
static void *zone_get_locked(uma_zone_t zone, int flags, bool count)
{
	int nid = zone_domain(zone, numa_mem_id());
	void *item;
	int error;

	item = zone_get_listed(zone, nid);
	if (!item && !zone_import(zone, &item, 1, flags, false, &error)) {
		if (error == -ECANCELED)
			return NULL;
		item = zone_get_elsewhere(zone, nid);
		if (!item && (!(flags & M_WAITOK) ||
			      !zone_import(zone, &item, 1, flags, true,
					   &error)))
			return NULL;
	}
	if (count)
		zone_count(zone, &zone->uz_allocs, 1);
	return item;
}

/*
 * A cache and the zone have exchanged a bucket: the counts move, and the next
 * bucket is to be larger, so that zones in demand exchange less often.
 */
static void zone_exchanged(uma_zone_t zone, struct uma_cache *c)
{
	uma_zone_fold(zone, c);
	if (zone->uz_bucket_size < zone->uz_bucket_max)
		WRITE_ONCE(zone->uz_bucket_size, zone->uz_bucket_size + 1);
}

/*
 * No cache loads a bucket from before uma_zone_set_maxcache(), which it might keep
 * for ever.
 */
static bool bucket_too_large(uma_zone_t zone, const struct uma_bucket *b)
{
	lockdep_assert_held(&zone->uz_lock);
	return b->ub_entries > zone->uz_bucket_max;
}

/*
 * The cache is empty: load a bucket of the zone's list. The one that it replaces
 * comes back in @empty if there is no place left for it.
 */
static bool cache_refill(uma_zone_t zone, struct uma_cache *c,
			 struct uma_bucket **empty)
{
	int nid = zone_domain(zone, numa_mem_id());
	struct uma_bucket *b = NULL;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	/* With sleepers about, no bucket goes where they cannot reach it. */
	if (!READ_ONCE(zone->uz_keg->uk_sleepers))
		b = uma_zone_pop(zone, nid);
	if (b && bucket_too_large(zone, b)) {
		uma_zone_push(zone, nid, b);
		b = NULL;
	}
	if (b) {
		/* Of the two empty ones the larger stays, for the frees. */
		if (c->uc_spare && c->uc_loaded &&
		    c->uc_spare->ub_entries > c->uc_loaded->ub_entries)
			cache_swap(c);
		*empty = c->uc_spare;
		cache_load(c, b, b->ub_cnt);
		zone_exchanged(zone, c);
	}
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	if (b)
		trace_uma_bucket(zone->uz_name, UMA_BUCKET_TO_CPU, c->uc_cnt);
	return b;
}

/*
 * A bucket of items from the keg; NULL if single ones must do; an ERR_PTR of
 * zone_import() if there was a bucket and nothing to put in it.
 */
static struct uma_bucket *zone_fill_bucket(uma_zone_t zone, int flags)
{
	struct uma_bucket *b;
	int error;

	if (READ_ONCE(zone->uz_keg->uk_sleepers))
		return NULL;
	b = uma_bucket_alloc(zone, READ_ONCE(zone->uz_bucket_size), flags);
	if (!b)
		return NULL;
	b->ub_cnt = zone_import(zone, b->ub_item, b->ub_entries, flags, false,
				&error);
	if (!b->ub_cnt) {
		uma_bucket_free(b);
		return ERR_PTR(error);
	}
	trace_uma_bucket(zone->uz_name, UMA_BUCKET_FROM_SLAB, b->ub_cnt);
	uma_steer(UMA_STEER_REFILL, zone);
	return b;
}

/* Put a bucket on the zone's list, or return it where that has its most. */
static struct uma_bucket *zone_push_within_max(uma_zone_t zone,
					       struct uma_bucket *b)
{
	if (zone->uz_items + b->ub_cnt > zone->uz_items_max)
		return b;
	uma_zone_push(zone, zone_domain(zone, numa_mem_id()), b);
	return NULL;
}

/* Give up a bucket, or NULL, and the items in it. */
static void zone_bucket_release(uma_zone_t zone, struct uma_bucket *b)
{
	if (!b)
		return;
	if (b->ub_cnt)
		uma_bucket_empty(zone, b);
	uma_bucket_free(b);
}

/* Put a filled bucket where it can be used; we are in no section. */
static void zone_install(uma_zone_t zone, struct uma_bucket *b)
{
	struct uma_bucket *spare = NULL, *over = NULL;
	struct uma_cache *c;
	unsigned long irq;

	/* Entered again: another CPU, perhaps, and another cache (UMA-04). */
	c = zone_enter(zone, UC_BYPASS | UC_SLEEPERS);
	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	/*
	 * A sleeper that is not seen here publishes later, and takes this lock
	 * later, to drain what we leave.
	 */
	if (READ_ONCE(zone->uz_keg->uk_sleepers) ||
	    bucket_too_large(zone, b)) {
		over = b;
	} else if (c && !c->uc_cnt && !c->uc_spare_cnt) {
		spare = c->uc_spare;
		cache_load(c, b, b->ub_cnt);
		zone_exchanged(zone, c);
	} else {
		over = zone_push_within_max(zone, b);
	}
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	if (c)
		zone_leave(c);
	uma_bucket_free(spare);
	zone_bucket_release(zone, over);
}

/* An item out of this CPU's cache, or past it. */
static void *zone_get(uma_zone_t zone, int flags, bool count)
{
	struct uma_bucket *empty, *b;
	struct uma_cache *c;
	void *item;

	for (;;) {
		c = zone_enter(zone, UC_BYPASS);
		if (!c)
			return zone_get_locked(zone, flags, count);
		empty = NULL;
		if (!c->uc_cnt && c->uc_spare_cnt)
			cache_swap(c);
		if (c->uc_cnt || cache_refill(zone, c, &empty)) {
			item = cache_take(c, count);
			zone_leave(c);
			uma_bucket_free(empty);
			return item;
		}
		zone_leave(c);

		/* The reserve is for single items, not for caches. */
		b = zone_fill_bucket(zone, flags & ~M_USE_RESERVE);
		if (IS_ERR(b) && PTR_ERR(b) == -ECANCELED)
			return NULL;
		if (IS_ERR_OR_NULL(b))
			return zone_get_locked(zone, flags, count);
		zone_install(zone, b);
	}
}

/*
 * Put an item into the first bucket of a node's list, if there is one with room, or
 * into @b if there is not, which then is that bucket.
 */
static bool zone_put_listed(uma_zone_t zone, void *item, int nid,
			    struct uma_bucket **b)
{
	struct uma_zone_domain *d = &zone->uz_domain[nid];
	struct uma_bucket *first;
	bool done = false;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	if (uma_cache_flags(raw_cpu_ptr(zone->uz_cpu)) &
	    (UC_BYPASS | UC_SLEEPERS) || zone->uz_items >= zone->uz_items_max)
		goto out;
	first = list_first_entry_or_null(&d->buckets, struct uma_bucket,
					 ub_link);
	if (first && first->ub_cnt < first->ub_entries) {
		first->ub_item[first->ub_cnt++] = item;
		d->items++;
		WRITE_ONCE(zone->uz_items, zone->uz_items + 1);
		done = true;
	} else if (*b) {
		(*b)->ub_item[(*b)->ub_cnt++] = item;
		uma_zone_push(zone, nid, *b);
		*b = NULL;
		done = true;
	}
out:
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	return done;
}

/* A free past the cache: into a bucket of the zone's list, or to the slab. */
static void zone_put_locked(uma_zone_t zone, void *item, bool count)
{
	struct uma_bucket *none = NULL;

	if (!zone_put_listed(zone, item, zone_domain(zone, numa_mem_id()),
			     &none) &&
	    !uma_items_release(zone, &item, 1))
		/* What the slab refuses was no free. */
		return;
	if (count)
		zone_count(zone, &zone->uz_frees, 1);
}

/*
 * A free of an item of another memory node. It does not go into this CPU's cache,
 * which would hand it out again here, but into a bucket that the CPUs of its own
 * node will find.
 */
static void zone_put_remote(uma_zone_t zone, void *item, int nid)
{
	struct uma_bucket *b = NULL;

	if (!zone_put_listed(zone, item, nid, &b)) {
		b = uma_bucket_alloc(zone, READ_ONCE(zone->uz_bucket_size),
				     M_NOWAIT);
		if ((!b || !zone_put_listed(zone, item, nid, &b)) &&
		    !uma_items_release(zone, &item, 1)) {
			uma_bucket_free(b);
			return;
		}
		uma_bucket_free(b);
	}
	zone_count(zone, &zone->uz_frees, 1);
	zone_count(zone, &zone->uz_xdomain, 1);
}

/* Whether an item is of another memory node than this CPU, and of which. */
static bool zone_item_is_remote(uma_zone_t zone, const void *item, int *nid)
{
	if (!(uma_cache_flags(raw_cpu_ptr(zone->uz_cpu)) & UC_NODES))
		return false;
	*nid = uma_keg_item_node(zone->uz_keg, item);
	return *nid != numa_mem_id();
}

/*
 * The cache is full: its spare goes to the zone's list, the loaded one becomes
 * the spare and @b, empty, is loaded. Returns the spare if the list has its most;
 * or @b, with nothing done, if it is larger than it may be by now.
 */
static struct uma_bucket *cache_unload(uma_zone_t zone, struct uma_cache *c,
				       struct uma_bucket *b)
{
	struct uma_bucket *over = NULL;
	u32 n = c->uc_spare_cnt;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	if (bucket_too_large(zone, b)) {
		over = b;
	} else {
		if (c->uc_spare) {
			c->uc_spare->ub_cnt = n;
			over = zone_push_within_max(zone, c->uc_spare);
		}
		cache_load(c, b, 0);
		zone_exchanged(zone, c);
	}
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	trace_uma_bucket(zone->uz_name, UMA_BUCKET_FROM_CPU, n);
	return over;
}

/* A free into this CPU's cache, or past it; dtor has run. */
static void zone_put(uma_zone_t zone, void *item, bool count)
{
	struct uma_bucket *b = NULL, *over;
	struct uma_cache *c;
	bool put;

	for (;;) {
		over = NULL;
		c = zone_enter(zone, UC_BYPASS | UC_SLEEPERS);
		if (!c) {
			zone_put_locked(zone, item, count);
			break;
		}
		if (c->uc_cnt == c->uc_max && c->uc_spare &&
		    c->uc_spare_cnt < c->uc_spare->ub_entries)
			cache_swap(c);
		if (c->uc_cnt == c->uc_max && b) {
			over = cache_unload(zone, c, b);
			b = NULL;
		}
		put = c->uc_cnt < c->uc_max;
		if (put)
			cache_put(c, item, count);
		zone_leave(c);
		zone_bucket_release(zone, over);
		if (put)
			break;

		b = uma_bucket_alloc(zone, READ_ONCE(zone->uz_bucket_size), M_NOWAIT);
		uma_steer(UMA_STEER_REFILL, zone);
		if (!b) {
			zone_put_locked(zone, item, count);
			break;
		}
	}
	uma_bucket_free(b);
}

/* Guarded items: see guard.c. */

static void guard_settle(struct work_struct *work)
{
	uma_zone_guard_refresh();
}

static DECLARE_WORK(guard_settle_work, guard_settle);

static void guard_settle_irq_fn(struct irq_work *work)
{
	schedule_work(&guard_settle_work);
}

static struct irq_work guard_settle_irq;

/* An item of the guard's, initialised; NULL or an ERR_PTR as uma_guard_zalloc(). */
static void *zone_get_guarded(uma_zone_t zone, int flags)
{
	void *item;

	if (!(uma_cache_flags(raw_cpu_ptr(zone->uz_cpu)) & UC_GUARD_ALLOC))
		return NULL;
	item = uma_guard_zalloc(zone, flags);
	if (IS_ERR_OR_NULL(item) && uma_guard_unused(zone))
		irq_work_queue(&guard_settle_irq);
	return item;
}

static void zone_put_guarded(uma_zone_t zone, void *item)
{
	if (uma_guard_zretire(zone, item))
		irq_work_queue(&guard_settle_irq);
}

/* For KASAN: the guard's memory is protected by other means. */

static void zone_item_poison(uma_zone_t zone, void *item)
{
	if (!uma_guard_covers(item))
		uma_item_poison(zone->uz_keg, item);
}

static void zone_item_unpoison(uma_zone_t zone, void *item)
{
	if (!uma_guard_covers(item))
		uma_item_unpoison(zone->uz_keg, item);
}

/* Put back an item that a constructor refused. */
static void zone_unget(uma_zone_t zone, void *item)
{
	if (uma_guard_covers(item)) {
		zone_put_guarded(zone, item);
		return;
	}
	uma_item_poison(zone->uz_keg, item);
	zone_put(zone, item, COUNT_LATER);
}

static void zone_free_guarded(uma_zone_t zone, void *item, void *arg)
{
	size_t size = zone->uz_keg->uk_size;

	if (!uma_guard_zclaim(zone, item))
		return;
	trace_uma_free(zone->uz_name, item, size);
	if (zone->uz_dtor)
		zone->uz_dtor(item, size, arg);
	zone_put_guarded(zone, item);
	zone_count(zone, &zone->uz_frees, 1);
}

/* Whether a free to a guarded zone of what is not the guard's can be right. */
static bool zone_free_plausible(uma_zone_t zone, void *item)
{
	const char *why;

	if (!READ_ONCE(zone->uz_guard_rule))
		return true;
	why = uma_keg_wrong(zone->uz_keg, item);
	if (why)
		uma_guard_zforeign(zone, item, why);
	return !why;
}

/*
 * The fast paths. They reach the cache through per-CPU accesses instead of a
 * pointer, which saves forming one; on x86 each is one instruction, and so are
 * the tests and the counting. Readers on other CPUs take each field as it comes.
 */

/*
 * What the fast path could not do, from the start; in no section. In a zone
 * with a constructor the allocation is counted only once that has succeeded.
 */
static noinline void *uma_zalloc_slow(uma_zone_t zone, void *arg, int flags)
{
	bool count = zone->uz_ctor ? COUNT_LATER : COUNT;
	size_t size = zone->uz_keg->uk_size;
	void *item = zone_get_guarded(zone, flags);

	if (IS_ERR(item))
		goto fail;
	if (item) {
		count = COUNT_LATER;
	} else {
		item = zone_get(zone, flags, count);
		if (!item)
			goto fail;
		uma_item_unpoison(zone->uz_keg, item);
	}
	if (flags & M_ZERO)
		uma_item_zero(zone->uz_keg, item);
	if (zone->uz_ctor &&
	    zone->uz_ctor(item, size, arg, flags & (M_WAITOK | M_NOWAIT))) {
		zone_unget(zone, item);
		goto fail;
	}
	if (count == COUNT_LATER)
		zone_count_allocs(zone, 1);
	trace_uma_alloc(zone->uz_name, item, size, flags);
	return item;
fail:
	zone_count(zone, &zone->uz_fails, 1);
	trace_uma_alloc(zone->uz_name, NULL, size, flags);
	return NULL;
}

/* Out of line, so that the fast path has no register to save for them. */

static noinline void *uma_zalloc_armed(uma_zone_t zone, void *arg, int flags)
{
	if (!uma_fail_alloc(zone->uz_name, zone->uz_keg->uk_size, flags))
		return uma_zalloc_slow(zone, arg, flags);
	zone_count(zone, &zone->uz_fails, 1);
	return NULL;
}

static noinline void *item_cleared(uma_zone_t zone, void *item)
{
	uma_item_zero(zone->uz_keg, item);
	return item;
}

/**
 * uma_zalloc_arg() - allocate an item, with an argument for its constructor
 * @zone: the zone
 * @arg: passed to the constructor
 * @flags: M_WAITOK or M_NOWAIT, and M_ZERO or M_USE_RESERVE
 *
 * Context: M_WAITOK: process context, may sleep. M_NOWAIT: any but NMI, under
 * any lock of the caller.
 * Return: the item; NULL for want of memory with M_NOWAIT, or where a
 * constructor or an initialiser failed.
 */
void *uma_zalloc_arg(uma_zone_t zone, void *arg, int flags)
{
	struct uma_cache __percpu *c = zone->uz_cpu;
	unsigned long n;
	void *item;

	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP))
		might_sleep_if(flags & M_WAITOK);
	if (unlikely(uma_fail_armed(flags)))
		return uma_zalloc_armed(zone, arg, flags);
	preempt_disable();
	if (unlikely(raw_cpu_read(c->uc_busy) |
		     raw_cpu_read(c->uc_alloc_slow)))
		goto slow;
	raw_cpu_write(c->uc_busy, 1);
	barrier();
	n = raw_cpu_read(c->uc_cnt);
	if (unlikely(!n))
		goto empty;
	item = raw_cpu_read(c->uc_loaded)->ub_item[n - 1];
	raw_cpu_dec(c->uc_cnt);
	raw_cpu_inc(c->uc_allocs);
	barrier();
	raw_cpu_write(c->uc_busy, 0);
	preempt_enable();
	uma_item_unpoison(zone->uz_keg, item);
	if (unlikely(flags & M_ZERO))
		return item_cleared(zone, item);
	return item;
empty:
	raw_cpu_write(c->uc_busy, 0);
slow:
	preempt_enable();
	return uma_zalloc_slow(zone, arg, flags);
}
EXPORT_SYMBOL_GPL(uma_zalloc_arg);

static noinline void uma_zfree_slow(uma_zone_t zone, void *item, void *arg)
{
	u16 flags = uma_cache_flags(raw_cpu_ptr(zone->uz_cpu));
	size_t size = zone->uz_keg->uk_size;
	int nid;

	if (uma_guard_covers(item)) {
		zone_free_guarded(zone, item, arg);
		return;
	}
	if (flags & UC_GUARD_FREE && !zone_free_plausible(zone, item))
		return;
	if (flags & UC_BYPASS &&
	    !uma_keg_check(zone->uz_keg, zone->uz_name, item))
		return;
	trace_uma_free(zone->uz_name, item, size);
	if (zone->uz_dtor)
		zone->uz_dtor(item, size, arg);
	uma_item_poison(zone->uz_keg, item);
	if (zone_item_is_remote(zone, item, &nid))
		zone_put_remote(zone, item, nid);
	else
		zone_put(zone, item, COUNT);
}

/**
 * uma_zfree_arg() - free an item, with an argument for its destructor
 * @zone: the zone that it came from
 * @item: the item, or NULL, which does nothing
 * @arg: passed to the destructor
 *
 * An item of another keg's zone, or one that is free already, is found when it
 * goes from its bucket to a slab, or with uma_debug at once, and refused with a
 * message. Which of the zones on one keg an item came from is not recorded: to
 * free it to another of them goes unseen and spoils both zones' counts.
 *
 * Context: any but NMI, under any lock of the caller.
 */
void uma_zfree_arg(uma_zone_t zone, void *item, void *arg)
{
	struct uma_cache __percpu *c = zone->uz_cpu;
	unsigned long n;

	if (unlikely(!item))
		return;
	preempt_disable();
	if (unlikely(raw_cpu_read(c->uc_busy) |
		     raw_cpu_read(c->uc_free_slow)))
		goto slow;
	raw_cpu_write(c->uc_busy, 1);
	barrier();
	n = raw_cpu_read(c->uc_cnt);
	if (unlikely(n >= raw_cpu_read(c->uc_max)))
		goto full;
	uma_item_poison(zone->uz_keg, item);
	raw_cpu_read(c->uc_loaded)->ub_item[n] = item;
	raw_cpu_inc(c->uc_cnt);
	raw_cpu_inc(c->uc_frees);
	barrier();
	raw_cpu_write(c->uc_busy, 0);
	preempt_enable();
	return;
full:
	raw_cpu_write(c->uc_busy, 0);
slow:
	preempt_enable();
	uma_zfree_slow(zone, item, arg);
}
EXPORT_SYMBOL_GPL(uma_zfree_arg);

/* A copy for each CPU. */

static bool zone_is_pcpu(uma_zone_t zone)
{
	return !WARN_ONCE(!(zone->uz_keg->uk_flags & UMA_ZONE_PCPU),
			  "uma: zone %s has no copies for CPUs\n",
			  zone->uz_name);
}

/**
 * uma_zalloc_pcpu_arg() - allocate an item of which each CPU has a copy
 * @zone: a zone with UMA_ZONE_PCPU
 * @arg: passed to the constructor, which is given the first copy
 * @flags: as for uma_zalloc_arg()
 *
 * Context: as uma_zalloc_arg().
 * Return: the first copy, see zpcpu_get(), or NULL; NULL with a warning for a
 * zone of another kind.
 */
void *uma_zalloc_pcpu_arg(uma_zone_t zone, void *arg, int flags)
{
	return zone_is_pcpu(zone) ? uma_zalloc_arg(zone, arg, flags) : NULL;
}
EXPORT_SYMBOL_GPL(uma_zalloc_pcpu_arg);

/**
 * uma_zfree_pcpu_arg() - free an item of which each CPU has a copy
 * @zone: the zone that it came from
 * @item: its first copy, or NULL, which does nothing
 * @arg: passed to the destructor
 *
 * Context: as uma_zfree_arg().
 */
void uma_zfree_pcpu_arg(uma_zone_t zone, void *item, void *arg)
{
	if (zone_is_pcpu(zone))
		uma_zfree_arg(zone, item, arg);
}
EXPORT_SYMBOL_GPL(uma_zfree_pcpu_arg);

/* Many at once. */

/* The most items that move in one section, which keeps others from this CPU. */
#define BULK_SECTION	256

/* Take up to @n items out of the loaded bucket. */
static unsigned int cache_take_many(struct uma_cache *c, void **items,
				    unsigned int n)
{
	n = min(n, c->uc_cnt);
	if (!n)
		return 0;
	memcpy(items, &c->uc_loaded->ub_item[c->uc_cnt - n],
	       n * sizeof(*items));
	WRITE_ONCE(c->uc_cnt, c->uc_cnt - n);
	return n;
}

/* Put up to @n items into the loaded bucket. */
static unsigned int cache_put_many(struct uma_cache *c, void **items,
				   unsigned int n)
{
	n = min(n, c->uc_max - c->uc_cnt);
	if (!n)
		return 0;
	memcpy(&c->uc_loaded->ub_item[c->uc_cnt], items, n * sizeof(*items));
	WRITE_ONCE(c->uc_cnt, c->uc_cnt + n);
	return n;
}

static void free_empty_buckets(struct list_head *empties)
{
	struct uma_bucket *b, *next;

	list_for_each_entry_safe(b, next, empties, ub_link)
		uma_bucket_free(b);
}

/*
 * Up to @n items, and no more than one section may move, out of this CPU's cache
 * and out of buckets that it takes whole from the zone's list. Counts them if
 * all @n have come and @count says so.
 */
static unsigned int zone_get_many(uma_zone_t zone, void **items,
				  unsigned int n, bool count)
{
	unsigned int got, wanted = n;
	struct uma_bucket *empty;
	struct uma_cache *c;
	LIST_HEAD(empties);

	c = zone_enter(zone, UC_BYPASS);
	if (!c)
		return 0;
	n = min_t(unsigned int, n, BULK_SECTION);
	got = cache_take_many(c, items, n);
	while (got < n) {
		if (c->uc_spare_cnt) {
			cache_swap(c);
		} else {
			empty = NULL;
			if (!cache_refill(zone, c, &empty))
				break;
			if (empty)
				list_add(&empty->ub_link, &empties);
		}
		got += cache_take_many(c, items + got, n - got);
	}
	if (count && got == wanted)
		WRITE_ONCE(c->uc_allocs, c->uc_allocs + got);
	zone_leave(c);
	free_empty_buckets(&empties);
	return got;
}

/* The same for any number, section by section. */
static unsigned int zone_get_cached(uma_zone_t zone, void **items,
				    unsigned int n, bool count)
{
	unsigned int got = 0, more;

	do {
		more = zone_get_many(zone, items + got, n - got, count);
		got += more;
	} while (got < n && more == BULK_SECTION);
	return got;
}

/* Free @n items, whose dtor has run. */
static void zone_put_many(uma_zone_t zone, void **items, unsigned int n,
			  bool count)
{
	struct uma_bucket *b = NULL, *over;
	unsigned int put, round;
	struct uma_cache *c;

	while (n) {
		over = NULL;
		c = zone_enter(zone, UC_BYPASS | UC_SLEEPERS);
		if (!c)
			break;
		round = min_t(unsigned int, n, BULK_SECTION);
		put = cache_put_many(c, items, round);
		if (put < round && c->uc_spare &&
		    c->uc_spare_cnt < c->uc_spare->ub_entries) {
			cache_swap(c);
			put += cache_put_many(c, items + put, round - put);
		}
		if (put < round && b) {
			over = cache_unload(zone, c, b);
			b = NULL;
			put += cache_put_many(c, items + put, round - put);
		}
		if (count)
			WRITE_ONCE(c->uc_frees, c->uc_frees + put);
		zone_leave(c);
		zone_bucket_release(zone, over);
		items += put;
		n -= put;
		if (put < round && !b) {
			b = uma_bucket_alloc(zone,
					     READ_ONCE(zone->uz_bucket_size),
					     M_NOWAIT);
			if (!b)
				break;
		}
	}
	uma_bucket_free(b);
	while (n--)
		zone_put_locked(zone, *items++, count);
}

/* Construct @n items; if one refuses, undo those before it. */
static bool zone_ctor_many(uma_zone_t zone, void **items, unsigned int n,
			   int flags)
{
	size_t size = zone->uz_keg->uk_size;
	unsigned int i;

	if (!zone->uz_ctor && !(flags & M_ZERO) &&
	    !IS_ENABLED(CONFIG_KASAN_GENERIC))
		return true;
	for (i = 0; i < n; i++) {
		zone_item_unpoison(zone, items[i]);
		if (flags & M_ZERO)
			uma_item_zero(zone->uz_keg, items[i]);
		if (!zone->uz_ctor ||
		    !zone->uz_ctor(items[i], size, NULL,
				   flags & (M_WAITOK | M_NOWAIT)))
			continue;
		zone_item_poison(zone, items[i]);
		while (i--) {
			if (zone->uz_dtor)
				zone->uz_dtor(items[i], size, NULL);
			zone_item_poison(zone, items[i]);
		}
		return false;
	}
	return true;
}

/*
 * Those of up to @n items that the guard lends; fewer, or none, is no failure. Where
 * an initialiser failed there are none, and the error says so.
 */
static int zone_get_guarded_many(uma_zone_t zone, void **items, unsigned int n,
				 int flags)
{
	unsigned int i, got = 0;
	void *item;

	for (i = 0; i < n; i++) {
		item = zone_get_guarded(zone, flags);
		if (IS_ERR(item)) {
			while (got--)
				zone_put_guarded(zone, items[got]);
			return PTR_ERR(item);
		}
		if (item)
			items[got++] = item;
	}
	return got;
}

/*
 * @n items from the zone itself. How many came; if not all, some are in @items and to
 * be put back. *@count is cleared where they are not counted yet.
 */
static unsigned int zone_get_all(uma_zone_t zone, void **items, unsigned int n,
				 int flags, bool *count)
{
	unsigned int got, more;
	int error;

	got = zone_get_cached(zone, items, n, *count);
	if (got < n)
		*count = COUNT_LATER;
	while (got < n) {
		/* Not by way of a bucket: there is a place for them here. */
		more = zone_import(zone, items + got,
				   min_t(unsigned int, n - got, BULK_SECTION),
				   flags, false, &error);
		if (!more && error == -ENOMEM && zone->uz_keg->uk_import)
			more = zone_import(zone, items + got, 1, flags, false,
					   &error);
		if (!more && error == -ECANCELED)
			break;
		if (!more && flags & M_WAITOK) {
			/* Two that held some while they wait might do so for ever. */
			zone_put_many(zone, items, got, COUNT_LATER);
			got = zone_wait(zone, items, n, flags, &error);
			got = zone_init_items(zone, items, got, flags, &error);
			if (got < n)
				break;
		} else if (!more) {
			items[got] = zone_get_locked(zone, flags, COUNT_LATER);
			more = !!items[got];
			if (!more)
				break;
		}
		got += more;
		got += zone_get_cached(zone, items + got, n - got,
				       COUNT_LATER);
	}
	return got;
}

/**
 * uma_zalloc_bulk() - allocate many items
 * @zone: the zone
 * @items: where to leave them
 * @n: how many
 * @flags: as for uma_zalloc()
 *
 * They come by the bucket: one section and one copy for as many as the cache
 * has, one lock for each whole bucket of the zone's list. All come or none. Who
 * waits for a limit or for memory holds no item meanwhile that others wait for, but
 * what the first in line has been handed. With M_WAITOK and a limit that @n items
 * never fit in, it waits for ever.
 *
 * Context: as uma_zalloc().
 * Return: @n, or 0 for want of memory with M_NOWAIT, or where a constructor or
 * an initialiser failed.
 */
unsigned int uma_zalloc_bulk(uma_zone_t zone, void **items, unsigned int n,
			     int flags)
{
	bool count = zone->uz_ctor || n > BULK_SECTION ? COUNT_LATER : COUNT;
	unsigned int got;
	int lent = 0;

	might_sleep_if(flags & M_WAITOK);
	if (uma_fail_alloc(zone->uz_name, zone->uz_keg->uk_size, flags))
		goto fail;
	/* These are in nobody's way while we wait for the others. */
	lent = zone_get_guarded_many(zone, items, n, flags);
	if (lent < 0)
		goto fail;
	if (lent)
		count = COUNT_LATER;
	got = lent + zone_get_all(zone, items + lent, n - lent, flags, &count);
	if (got == n && zone_ctor_many(zone, items, n, flags)) {
		if (!count)
			zone_count_allocs(zone, n);
		for (got = 0; trace_uma_alloc_enabled() && got < n; got++)
			trace_uma_alloc(zone->uz_name, items[got],
					zone->uz_keg->uk_size, flags);
		return n;
	}
	zone_put_many(zone, items + lent, got - lent, COUNT_LATER);
	while (lent)
		zone_put_guarded(zone, items[--lent]);
fail:
	zone_count(zone, &zone->uz_fails, 1);
	return 0;
}
EXPORT_SYMBOL_GPL(uma_zalloc_bulk);

/**
 * uma_zfree_bulk() - free many items
 * @zone: the zone that all of them came from
 * @items: the items, none of them NULL; what is in the array afterwards is not said
 * @n: how many
 *
 * Context: any but NMI, under any lock of the caller.
 */
void uma_zfree_bulk(uma_zone_t zone, void **items, unsigned int n)
{
	u8 slow = READ_ONCE(raw_cpu_ptr(zone->uz_cpu)->uc_free_slow);
	unsigned int i, local = 0;
	int nid;

	if (slow & ((UC_BYPASS | UC_GUARD_FREE) >> 8)) {
		for (i = 0; i < n; i++)
			uma_zfree(zone, items[i]);
		return;
	}
	/* Nothing that would concern single items. */
	if (!slow && !IS_ENABLED(CONFIG_KASAN_GENERIC)) {
		zone_put_many(zone, items, n, COUNT);
		return;
	}
	for (i = 0; i < n; i++) {
		trace_uma_free(zone->uz_name, items[i], zone->uz_keg->uk_size);
		if (zone->uz_dtor)
			zone->uz_dtor(items[i], zone->uz_keg->uk_size, NULL);
		uma_item_poison(zone->uz_keg, items[i]);
		if (zone_item_is_remote(zone, items[i], &nid))
			zone_put_remote(zone, items[i], nid);
		else
			items[local++] = items[i];
	}
	zone_put_many(zone, items, local, COUNT);
}
EXPORT_SYMBOL_GPL(uma_zfree_bulk);

/* Creation and destruction. */

/* Free a zone that is on no list; it has no item out and nothing cached. */
static void zone_free(uma_zone_t zone)
{
	if (IS_ERR_OR_NULL(zone))
		return;
	zone_forget_limit(zone);
	module_put(zone->uz_base);
	free_percpu(zone->uz_cpu);
	kfree(zone->uz_name);
	kfree(zone);
}

/* A zone without a keg. */
static uma_zone_t zone_alloc(const char *name, uma_ctor ctor, uma_dtor dtor,
			     u32 flags, struct module *owner)
{
	uma_zone_t zone;
	int nid;

	/* Not both. */
	if (flags & UMA_ZONE_MAXBUCKET && flags & UMA_ZONE_MINBUCKET)
		return ERR_PTR(-EINVAL);
	zone = kzalloc(struct_size(zone, uz_domain, nr_node_ids), GFP_KERNEL);
	if (!zone)
		return ERR_PTR(-ENOMEM);
	init_irq_work(&zone->uz_limit_hit, zone_limit_hit);
	INIT_WORK(&zone->uz_maxaction_work, zone_maxaction);
	ratelimit_state_init(&zone->uz_warning_rate, WARNING_INTERVAL, 1);
	/* The warning by itself will do, without word of those left out. */
	ratelimit_set_flags(&zone->uz_warning_rate, RATELIMIT_MSG_ON_RELEASE);
	zone->uz_items_max = U32_MAX;
	zone->uz_name = kstrdup(name, GFP_KERNEL);
	zone->uz_cpu = alloc_percpu(struct uma_cache);
	if (!zone->uz_name || !zone->uz_cpu) {
		zone_free(zone);
		return ERR_PTR(-ENOMEM);
	}
	zone->uz_ctor = ctor;
	zone->uz_dtor = dtor;
	zone->uz_flags = flags;
	zone->uz_owner = owner;
	raw_spin_lock_init(&zone->uz_lock);
	seqcount_raw_spinlock_init(&zone->uz_seq, &zone->uz_lock);
	for (nid = 0; nid < nr_node_ids; nid++)
		INIT_LIST_HEAD(&zone->uz_domain[nid].buckets);
	return zone;
}

/* Let a zone's caches be passed by, or traced, or not, as the switches say. */
static void zone_set_switches(uma_zone_t zone)
{
	lockdep_assert_held(&switch_lock);
	if (!(zone->uz_flags & UMA_ZFLAG_INTERNAL))
		uma_keg_set_zone_flag(zone->uz_keg, zone, UC_BYPASS, uma_debug);
	uma_keg_set_zone_flag(zone->uz_keg, zone, UC_TRACE_ALLOC, trace_allocs);
	uma_keg_set_zone_flag(zone->uz_keg, zone, UC_TRACE_FREE, trace_frees);
}

/* The same for a zone that no walk has met yet, or lately; and may it be guarded. */
static void zone_catch_up(uma_zone_t zone)
{
	zone_set_switches(zone);
	uma_guard_decide(zone);
}

/* Where its items lie has changed: may a zone still be guarded? */
static void zone_guard_again(uma_zone_t zone)
{
	mutex_lock(&switch_lock);
	uma_guard_decide(zone);
	mutex_unlock(&switch_lock);
}

/*
 * Tracing of allocations and frees costs nothing while it is off: the fast paths
 * have no test for it but the one that they have. Called when the first tracer
 * comes and when the last has gone, by whoever writes to tracefs.
 */

static void set_switch(bool *which, bool on)
{
	uma_zone_t zone;

	mutex_lock(&switch_lock);
	*which = on;
	uma_for_each_zone(zone)
		zone_set_switches(zone);
	mutex_unlock(&switch_lock);
}

/**
 * uma_zone_guard_refresh() - let zones be guarded as the guard's rules now say
 *
 * Context: process context, may sleep.
 */
void uma_zone_guard_refresh(void)
{
	uma_zone_t zone;

	mutex_lock(&switch_lock);
	uma_for_each_zone(zone)
		uma_guard_decide(zone);
	mutex_unlock(&switch_lock);
}

int uma_trace_alloc_reg(void)
{
	set_switch(&trace_allocs, true);
	return 0;
}

void uma_trace_alloc_unreg(void)
{
	set_switch(&trace_allocs, false);
}

int uma_trace_free_reg(void)
{
	set_switch(&trace_frees, true);
	return 0;
}

void uma_trace_free_unreg(void)
{
	set_switch(&trace_frees, false);
}

/* The largest bucket for a zone, by its flags and the size of its items. */
static u16 zone_bucket_max(uma_zone_t zone)
{
	if (zone->uz_flags & UMA_ZONE_MAXBUCKET)
		return uma_bucket_max(1);
	if (zone->uz_flags & UMA_ZONE_MINBUCKET)
		return uma_bucket_max(SIZE_MAX);
	return uma_bucket_max(zone->uz_keg->uk_layout.rsize);
}

/*
 * Whether an item that is freed on another node is to go back to its own. Those
 * of a cache-only zone, or of several nodes, have none; buckets, which their
 * CPU allocates and frees, need not be sought out.
 */
static bool zone_minds_nodes(uma_zone_t zone)
{
	struct uma_keg *keg = zone->uz_keg;

	return uma_many_nodes() && !keg->uk_import &&
	       !(keg->uk_flags & (UMA_ZONE_ROUNDROBIN | UMA_ZFLAG_INTERNAL));
}

/* The size of a zone's first bucket: zones in demand come to larger ones. */
static u16 zone_bucket_first(uma_zone_t zone, u16 max)
{
	return zone->uz_flags & UMA_ZONE_MAXBUCKET ? max : min_t(u16, max, 16);
}

/* Put a zone on its keg and on the list: it is complete. */
static void zone_publish(uma_zone_t zone, struct uma_keg *keg)
{
	zone->uz_keg = keg;
	zone->uz_bucket_max = zone_bucket_max(zone);
	zone->uz_bucket_size = zone_bucket_first(zone, zone->uz_bucket_max);
	if (zone->uz_ctor)
		uma_keg_set_zone_flag(keg, zone, UC_CTOR, true);
	if (zone->uz_dtor)
		uma_keg_set_zone_flag(keg, zone, UC_DTOR, true);
	if (zone_minds_nodes(zone))
		uma_keg_set_zone_flag(keg, zone, UC_NODES, true);
	uma_keg_add_zone(keg, zone);
	mutex_lock(&switch_lock);
	uma_zone_list_add(zone);
	zone_catch_up(zone);
	mutex_unlock(&switch_lock);
}

static uma_zone_t zone_create(const char *name, size_t size, uma_ctor ctor,
			      uma_dtor dtor, uma_init uminit, uma_fini fini,
			      unsigned int align, u32 flags,
			      struct module *owner)
{
	struct uma_keg *keg;
	uma_zone_t zone;

	zone = zone_alloc(name, ctor, dtor, flags, owner);
	if (IS_ERR(zone))
		return zone;
	keg = uma_keg_create(zone->uz_name, size, uminit, fini, align, flags);
	if (IS_ERR(keg)) {
		zone_free(zone);
		return ERR_CAST(keg);
	}
	zone_publish(zone, keg);
	return zone;
}

static void warn_dead_fini(const char *name)
{
	pr_warn("zone \"%s\" never frees its items' memory: its fini will not run; what it checks or disposes of belongs in dtor\n",
		name);
}

/* See uma_zcreate(); @owner is the module to name if it leaves the zone behind. */
uma_zone_t __uma_zcreate(const char *name, size_t size, uma_ctor ctor,
			 uma_dtor dtor, uma_init uminit, uma_fini fini,
			 int align, u32 flags, struct module *owner)
{
	uma_zone_t zone;

	might_sleep();
	if (!name || !*name) {
		pr_err("cannot create a zone without a name (%d)\n", -EINVAL);
		return NULL;
	}
	if (flags & ~ZONE_FLAGS_ALLOWED) {
		pr_err("cannot create zone \"%s\": flags %#x are not supported (%d)\n",
		       name, flags & ~ZONE_FLAGS_ALLOWED, -EINVAL);
		return NULL;
	}
	/* Who holds a counter may use it after the free: UMA-03. */
	if (flags & UMA_ZONE_REFCNT)
		flags |= UMA_ZONE_NOFREE;
	if (flags & UMA_ZONE_NOFREE && fini)
		warn_dead_fini(name);
	zone = zone_create(name, size, ctor, dtor, uminit, fini, align, flags,
			   owner);
	if (IS_ERR(zone)) {
		pr_err("cannot create zone \"%s\": size %zu, alignment mask %#x, flags %#x (%ld)\n",
		       name, size, align, flags, PTR_ERR(zone));
		return NULL;
	}
	return zone;
}
EXPORT_SYMBOL_GPL(__uma_zcreate);

/* See uma_zcache_create(). */
uma_zone_t __uma_zcache_create(const char *name, int size, uma_ctor ctor,
			       uma_dtor dtor, uma_init zinit, uma_fini zfini,
			       uma_import import, uma_release release,
			       void *arg, u32 flags, struct module *owner)
{
	struct uma_keg *keg;
	uma_zone_t zone;

	might_sleep();
	if (!name || !*name || size <= 0 || !import || !release ||
	    flags & ~ZCACHE_FLAGS_ALLOWED) {
		pr_err("cannot create cache-only zone \"%s\": size %d, flags %#x, or no import and release (%d)\n",
		       name ?: "", size, flags, -EINVAL);
		return NULL;
	}
	zone = zone_alloc(name, ctor, dtor, flags, owner);
	if (IS_ERR(zone))
		goto fail;
	keg = uma_keg_create_import(zone->uz_name, size, import, release, arg,
				    flags);
	if (IS_ERR(keg)) {
		zone_free(zone);
		zone = ERR_CAST(keg);
		goto fail;
	}
	zone->uz_init = zinit;
	zone->uz_fini = zfini;
	zone_publish(zone, keg);
	return zone;
fail:
	pr_err("cannot create cache-only zone \"%s\" (%ld)\n", name,
	       PTR_ERR(zone));
	return NULL;
}
EXPORT_SYMBOL_GPL(__uma_zcache_create);

/* See uma_zsecond_create(). */
uma_zone_t __uma_zsecond_create(const char *name, uma_ctor ctor, uma_dtor dtor,
				uma_init zinit, uma_fini zfini,
				uma_zone_t master, struct module *owner)
{
	uma_zone_t zone;

	might_sleep();
	if (!name || !*name || !master) {
		pr_err("cannot create a secondary zone without a name and a master (%d)\n",
		       -EINVAL);
		return NULL;
	}
	if (master->uz_keg->uk_import) {
		pr_err("cannot stack zone \"%s\" on zone \"%s\", which has no slabs (%d)\n",
		       name, master->uz_name, -EINVAL);
		return NULL;
	}
	zone = zone_alloc(name, ctor, dtor, UMA_ZONE_SECONDARY |
			  (master->uz_flags & UMA_ZONE_ROUNDROBIN), owner);
	if (IS_ERR(zone)) {
		pr_err("cannot create zone \"%s\" (%ld)\n", name,
		       PTR_ERR(zone));
		return NULL;
	}
	if (master->uz_owner != owner) {
		if (!try_module_get(master->uz_owner)) {
			pr_err("cannot stack zone \"%s\" on zone \"%s\" of a module that goes (%d)\n",
			       name, master->uz_name, -ENODEV);
			zone_free(zone);
			return NULL;
		}
		zone->uz_base = master->uz_owner;
	}
	zone->uz_init = zinit;
	zone->uz_fini = zfini;
	zone_publish(zone, master->uz_keg);
	return zone;
}
EXPORT_SYMBOL_GPL(__uma_zsecond_create);

static bool keg_has_other_zones(uma_zone_t zone)
{
	struct uma_keg *keg = zone->uz_keg;
	unsigned long irq;
	bool others;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	others = !list_is_singular(&keg->uk_zones);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return others;
}

/**
 * uma_zdestroy() - destroy a zone
 * @zone: the zone, or NULL; nobody else may be using it
 *
 * A zone that has items with users, or whose keg other zones stand on, stays
 * as it was and can be used on. (BSD's loses such items.)
 *
 * Context: process context, may sleep; takes the CPU hot-plug lock; not from a
 * fini.
 * Return: 0, or -EBUSY with a message.
 */
int uma_zdestroy(uma_zone_t zone)
{
	struct uma_keg *keg;
	bool last;
	s64 used;

	might_sleep();
	if (!zone)
		return 0;
	keg = zone->uz_keg;
	last = !keg_has_other_zones(zone);
	if (!last && !(zone->uz_flags & UMA_ZONE_SECONDARY)) {
		pr_err("cannot destroy zone \"%s\": other zones are stacked on it (%d)\n",
		       zone->uz_name, -EBUSY);
		return -EBUSY;
	}
	/* Hidden, since a walk that reclaims has items in its hands. */
	uma_zone_list_hide(zone);
	uma_zone_flush_all(zone);
	uma_zone_drain(zone);
	/* Counts can be off, after a wrong free; a keg to itself knows better. */
	used = last ? uma_keg_items_out(keg) + atomic_read(&zone->uz_guarded) :
		      uma_zone_in_use(zone);
	if (used) {
		mutex_lock(&switch_lock);
		uma_zone_list_show(zone);
		zone_catch_up(zone);
		mutex_unlock(&switch_lock);
		/*
		 * For a CPU that went in between and did not find it, and for
		 * a sleeper that did not, to drain it.
		 */
		uma_zone_flush_all(zone);
		uma_zone_drain(zone);
		pr_err("cannot destroy zone \"%s\": %lld items are in use (%d)\n",
		       zone->uz_name, used, -EBUSY);
		return -EBUSY;
	}
	uma_zone_list_del(zone);
	uma_keg_del_zone(keg, zone);
	if (last)
		uma_keg_destroy(keg);
	zone_free(zone);
	return 0;
}
EXPORT_SYMBOL_GPL(uma_zdestroy);

/* Settings. */

/**
 * uma_zone_set_max() - limit a zone
 * @zone: the zone; zones on the same keg share the limit
 * @nitems: the most items, rounded up to what whole slabs hold; 0 for no limit
 *
 * Items already out are not taken back.
 *
 * Context: any but NMI.
 * Return: the limit as it came out, or -EINVAL for a negative one.
 */
int uma_zone_set_max(uma_zone_t zone, int nitems)
{
	if (nitems < 0)
		return -EINVAL;
	uma_keg_set_max(zone->uz_keg, nitems);
	return uma_zone_get_max(zone);
}
EXPORT_SYMBOL_GPL(uma_zone_set_max);

/**
 * uma_zone_get_max() - the limit of a zone
 * @zone: the zone
 *
 * Context: any.
 * Return: items, 0 for no limit.
 */
int uma_zone_get_max(uma_zone_t zone)
{
	return uma_keg_get_max(zone->uz_keg);
}
EXPORT_SYMBOL_GPL(uma_zone_get_max);

/**
 * uma_zone_get_cur() - how many items of a zone are in use
 * @zone: the zone
 *
 * Context: any. Exact at rest, a moment old otherwise.
 * Return: items.
 */
int uma_zone_get_cur(uma_zone_t zone)
{
	return clamp_t(s64, uma_zone_in_use(zone), 0, INT_MAX);
}
EXPORT_SYMBOL_GPL(uma_zone_get_cur);

/**
 * uma_zone_set_maxcache() - limit what a zone caches
 * @zone: the zone
 * @nitems: the most free items in its buckets, of the CPUs and of its list;
 *	with few of them the CPUs get none, and with 0 nothing is cached
 *
 * What is cached goes back to slabs now. The limit may be passed for a moment,
 * and by what a CPU that goes offline hands back.
 *
 * Context: process context, may sleep.
 * Return: 0, or -EINVAL for a negative limit.
 */
int uma_zone_set_maxcache(uma_zone_t zone, int nitems)
{
	unsigned int caches = 2 * num_possible_cpus();
	unsigned long irq;
	u16 max;

	might_sleep();
	if (nitems < 0)
		return -EINVAL;
	max = min_t(u16, zone_bucket_max(zone), uma_bucket_fit(nitems / caches));
	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	WRITE_ONCE(zone->uz_bucket_max, max);
	/* From 0 it would not grow. */
	WRITE_ONCE(zone->uz_bucket_size,
		   clamp(zone->uz_bucket_size, zone_bucket_first(zone, max),
			 max));
	zone->uz_items_max = nitems - caches * max;
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	uma_zone_reclaim_all(zone);
	return 0;
}
EXPORT_SYMBOL_GPL(uma_zone_set_maxcache);

/**
 * uma_zone_reserve() - keep items back for those who must have them
 * @zone: the zone; zones on the same keg share the reserve
 * @nitems: the last so many free items in slabs are for M_USE_RESERVE only; 0
 *	for no reserve
 *
 * They are made now. (BSD's leaves that to uma_prealloc().) Reclaim leaves them
 * where they are; when they have been used, the next slab fills the reserve first.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL for a negative number, or an error of uma_prealloc(), with
 * the reserve set and not full yet.
 */
int uma_zone_reserve(uma_zone_t zone, int nitems)
{
	struct uma_keg *keg = zone->uz_keg;
	int error = 0;

	might_sleep();
	if (nitems < 0 || keg->uk_import)
		return -EINVAL;
	uma_keg_set_reserve(keg, nitems);
	while (!error && READ_ONCE(keg->uk_free) < nitems)
		error = uma_keg_grow(keg, zone, M_WAITOK);
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_reserve);

/**
 * uma_zone_set_warning() - say something when the limit is hit
 * @zone: the zone
 * @warning: what, or NULL; not copied
 *
 * It is printed with the zone's name when an allocation fails or has to wait
 * because of uma_zone_set_max(), at most every five minutes, and not at all with
 * the parameter zone_warnings off.
 *
 * Context: any.
 */
void uma_zone_set_warning(uma_zone_t zone, const char *warning)
{
	WRITE_ONCE(zone->uz_warning, warning);
}
EXPORT_SYMBOL_GPL(uma_zone_set_warning);

/**
 * uma_zone_set_maxaction() - do something when the limit is hit
 * @zone: the zone
 * @maxaction: what, or NULL; it must not destroy the zone
 *
 * Context: any.
 */
void uma_zone_set_maxaction(uma_zone_t zone, uma_maxaction_t maxaction)
{
	WRITE_ONCE(zone->uz_maxaction, maxaction);
}
EXPORT_SYMBOL_GPL(uma_zone_set_maxaction);

/**
 * uma_zone_exhausted() - is a zone at its limit, with nothing left in slabs?
 * @zone: the zone
 *
 * Context: any. Items may be left in caches.
 */
int uma_zone_exhausted(uma_zone_t zone)
{
	return !uma_keg_can_supply(zone->uz_keg);
}
EXPORT_SYMBOL_GPL(uma_zone_exhausted);

/**
 * uma_prealloc() - make slabs ahead of need
 * @zone: the zone
 * @nitems: items to make, rounded up to whole slabs
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno with as many slabs made as could be had: -EINVAL,
 * -ENOSPC at the limit, -ENOMEM where the pool is empty, -ECANCELED where an init failed.
 * (BSD's returns nothing.)
 */
int uma_prealloc(uma_zone_t zone, int nitems)
{
	struct uma_keg *keg = zone->uz_keg;
	u32 slabs;
	int error = 0;

	might_sleep();
	if (nitems < 0 || keg->uk_import)
		return -EINVAL;
	for (slabs = DIV_ROUND_UP(nitems, keg->uk_layout.ipers);
	     slabs && !error; slabs--)
		error = uma_keg_grow(keg, zone, M_WAITOK);
	return error;
}
EXPORT_SYMBOL_GPL(uma_prealloc);

/* Callbacks are constant once there are items that met the old ones. */
static int keg_settable(struct uma_keg *keg, const char *what)
{
	if (keg->uk_import) {
		pr_err("cannot set %s of zone \"%s\": it has no slabs (%d)\n",
		       what, keg->uk_name, -EINVAL);
		return -EINVAL;
	}
	if (!READ_ONCE(keg->uk_pages))
		return 0;
	pr_err("cannot set %s of zone \"%s\": it has items already (%d)\n",
	       what, keg->uk_name, -EBUSY);
	return -EBUSY;
}

/**
 * uma_zone_set_init() - set the keg's init
 * @zone: a zone whose keg has no slab yet
 * @uminit: the function, or NULL
 *
 * Context: process context.
 * Return: 0 or -EBUSY.
 */
int uma_zone_set_init(uma_zone_t zone, uma_init uminit)
{
	int error = keg_settable(zone->uz_keg, "init");

	if (!error)
		zone->uz_keg->uk_init = uminit;
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_set_init);

/**
 * uma_zone_set_fini() - set the keg's fini
 * @zone: a zone whose keg has no slab yet
 * @fini: the function, or NULL
 *
 * Context: process context.
 * Return: 0, -EBUSY, or -EINVAL for a zone whose fini never runs.
 */
int uma_zone_set_fini(uma_zone_t zone, uma_fini fini)
{
	int error = keg_settable(zone->uz_keg, "fini");

	if (!error && fini && zone->uz_keg->uk_flags & UMA_ZONE_NOFREE) {
		pr_err("cannot set fini of zone \"%s\": it would never run (%d)\n",
		       zone->uz_name, -EINVAL);
		error = -EINVAL;
	}
	if (!error)
		zone->uz_keg->uk_fini = fini;
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_set_fini);

/**
 * uma_zone_set_zinit() - set what runs when an item enters this zone's cache
 * @zone: a zone whose keg has no slab yet
 * @zinit: the function, or NULL
 *
 * Context: process context.
 * Return: 0 or -EBUSY.
 */
int uma_zone_set_zinit(uma_zone_t zone, uma_init zinit)
{
	int error = keg_settable(zone->uz_keg, "zinit");

	if (!error)
		zone->uz_init = zinit;
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_set_zinit);

/**
 * uma_zone_set_zfini() - set what runs when an item leaves this zone's cache
 * @zone: a zone whose keg has no slab yet
 * @zfini: the function, or NULL
 *
 * Context: process context.
 * Return: 0 or -EBUSY.
 */
int uma_zone_set_zfini(uma_zone_t zone, uma_fini zfini)
{
	int error = keg_settable(zone->uz_keg, "zfini");

	if (!error)
		zone->uz_fini = zfini;
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_set_zfini);

/**
 * uma_zone_set_allocf() - get slabs' memory from the consumer
 * @zone: a zone whose keg has no slab yet
 * @allocf: the function, or NULL for the pool
 *
 * Context: process context, may sleep.
 * Return: 0 or -EBUSY.
 */
int uma_zone_set_allocf(uma_zone_t zone, uma_alloc allocf)
{
	int error = keg_settable(zone->uz_keg, "allocf");

	error = error ?: uma_keg_set_allocf(zone->uz_keg, allocf);
	if (!error)
		zone_guard_again(zone);
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_set_allocf);

/**
 * uma_zone_set_freef() - give slabs' memory back to the consumer
 * @zone: a zone whose keg has no slab yet
 * @freef: the function; without one, memory of allocf is left alone
 *
 * Context: process context.
 * Return: 0 or -EBUSY.
 */
int uma_zone_set_freef(uma_zone_t zone, uma_free freef)
{
	int error = keg_settable(zone->uz_keg, "freef");

	if (!error)
		zone->uz_keg->uk_freef = freef;
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_set_freef);

/**
 * uma_zone_set_obj() - give a zone a fixed backing
 * @zone: a zone whose keg has no slab yet
 * @obj: the object that its pages belong to, or NULL
 * @nitems: items to provide for; the zone's limit from now on
 *
 * An address range is reserved ahead; the part of it that has no page yet
 * faults on any access. The zone becomes UMA_ZONE_NOFREE.
 *
 * Context: process context, may sleep.
 * Return: 0, -EBUSY, -EINVAL, -ENOMEM, or -EOPNOTSUPP where this architecture
 * has no such ranges. (BSD's returns 1 or 0.)
 */
int uma_zone_set_obj(uma_zone_t zone, struct vm_object *obj, int nitems)
{
	int error = keg_settable(zone->uz_keg, "backing");

	if (!error && nitems <= 0)
		error = -EINVAL;
	if (!error)
		error = uma_keg_set_backing(zone->uz_keg, obj, nitems);
	if (!error)
		zone_guard_again(zone);
	if (!error && zone->uz_keg->uk_fini)
		warn_dead_fini(zone->uz_name);
	return error;
}
EXPORT_SYMBOL_GPL(uma_zone_set_obj);

/* Checking, at load and at run time. */

static int uma_debug_set(const char *val, const struct kernel_param *kp)
{
	uma_zone_t zone;
	bool on;
	int error;

	error = kstrtobool(val, &on);
	if (error) {
		pr_err("uma_debug: \"%s\" is neither yes nor no\n", val);
		return error;
	}
	set_switch(&uma_debug, on);
	if (uma_debug_changed)
		uma_debug_changed();
	if (!started || !on)
		return 0;
	/* Sections that have not seen it end before the caches are emptied. */
	synchronize_rcu();
	uma_for_each_zone(zone)
		if (!(zone->uz_flags & UMA_ZFLAG_INTERNAL))
			uma_zone_reclaim_all(zone);
	return 0;
}

static const struct kernel_param_ops uma_debug_ops = {
	.set = uma_debug_set,
	.get = param_get_bool,
};
module_param_cb(uma_debug, &uma_debug_ops, &uma_debug, 0644);
MODULE_PARM_DESC(uma_debug,
		 "check every free at once, at the price of the caches (no)");

/* What a zone whose allocf has gone gets. */
static void *no_memory(uma_zone_t zone, vm_size_t size, u8 *pflag, int wait)
{
	return NULL;
}

/* The same for one with an import. */
static int no_items(void *arg, void **store, int count, int domain, int flags)
{
	return 0;
}

static void lose_items(void *arg, void **store, int count)
{
}

static uma_zone_t zone_of_module(struct module *mod)
{
	uma_zone_t zone;

	uma_for_each_zone(zone) {
		if (zone->uz_owner != mod)
			continue;
		/* Nobody is left who would destroy it. */
		uma_zone_put(zone);
		return zone;
	}
	return NULL;
}

/*
 * A module goes and has left zones behind: say so, and call it no more. No walk
 * stands on such a zone, perhaps in one of its callbacks, when they are cleared;
 * and zones stacked on it are of this module as well, since others hold it.
 */
static int zone_module_notify(struct notifier_block *nb, unsigned long action,
			      void *data)
{
	struct module *mod = data;
	uma_zone_t zone;

	if (action != MODULE_STATE_GOING || mod == THIS_MODULE)
		return NOTIFY_DONE;
	while ((zone = zone_of_module(mod))) {
		struct uma_keg *keg = zone->uz_keg;

		pr_err("module %s leaves zone \"%s\" behind, %lld items in use: it is lost until uma is unloaded\n",
		       mod->name, zone->uz_name, uma_zone_in_use(zone));
		uma_zone_list_hide(zone);
		zone->uz_flags |= UMA_ZFLAG_ORPHAN;
		zone->uz_owner = NULL;
		zone->uz_ctor = NULL;
		zone->uz_dtor = NULL;
		zone->uz_init = NULL;
		zone->uz_fini = NULL;
		zone_forget_limit(zone);
		if (!(zone->uz_flags & UMA_ZONE_SECONDARY)) {
			keg->uk_init = NULL;
			keg->uk_fini = NULL;
			keg->uk_freef = NULL;
			if (keg->uk_allocf)
				keg->uk_allocf = no_memory;
			if (keg->uk_import) {
				keg->uk_import = no_items;
				keg->uk_release = lose_items;
			}
		}
		module_put(zone->uz_base);
		zone->uz_base = NULL;
		uma_zone_list_show(zone);
	}
	return NOTIFY_DONE;
}

static struct notifier_block zone_module_nb = {
	.notifier_call = zone_module_notify,
};

/* Start and end. */

static void *internal_alloc(uma_zone_t zone, int flags)
{
	return uma_zalloc_arg(zone, NULL, flags);
}

static void internal_free(uma_zone_t zone, void *item)
{
	uma_zfree_arg(zone, item, NULL);
}

static const struct uma_internal zone_internal = {
	.alloc = internal_alloc,
	.free = internal_free,
};

static uma_zone_t internal_create(const char *name, size_t size, u32 flags)
{
	uma_zone_t zone = zone_create(name, size, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, flags | UMA_ZFLAG_INTERNAL,
				      NULL);

	return IS_ERR(zone) ? NULL : zone;
}

static uma_zone_t bucket_zone_create(const char *name, size_t size)
{
	return internal_create(name, size, UMA_ZFLAG_BUCKET);
}

static void internal_destroy(uma_zone_t zone)
{
	if (zone)
		uma_zdestroy(zone);
}

static void internal_shutdown(void)
{
	uma_zone_t zone;

	/*
	 * Buckets of internal zones lie in caches of internal zones. With those
	 * passed by, none goes back there while they are destroyed.
	 */
	uma_for_each_zone(zone)
		if (zone->uz_flags & UMA_ZFLAG_INTERNAL)
			uma_keg_set_zone_flag(zone->uz_keg, zone, UC_BYPASS,
					      true);
	synchronize_rcu();
	uma_for_each_zone(zone)
		if (zone->uz_flags & UMA_ZFLAG_INTERNAL)
			uma_zone_reclaim_all(zone);
	internal_destroy(header_zones[0]);
	internal_destroy(header_zones[1]);
	uma_keg_set_header_zones(NULL, NULL);
	uma_bucket_shutdown(internal_destroy);
}

static void set_started(bool on)
{
	kernel_param_lock(THIS_MODULE);
	started = on;
	kernel_param_unlock(THIS_MODULE);
}

/**
 * uma_startup() - create the zones that the allocator itself lives on
 *
 * Context: process context, at load, after the pool.
 * Return: 0 or an errno, with nothing left behind.
 */
int uma_startup(void)
{
	int error;

	init_irq_work(&guard_settle_irq, guard_settle_irq_fn);
	uma_internal = &zone_internal;
	/* What the VM's zones need is needed by the VM. */
	header_zones[0] = internal_create("UMA Slabs",
					  uma_keg_header_bytes(false),
					  UMA_ZONE_VM);
	header_zones[1] = internal_create("UMA RCntSlabs",
					  uma_keg_header_bytes(true),
					  UMA_ZONE_VM);
	uma_keg_set_header_zones(header_zones[0], header_zones[1]);
	error = header_zones[0] && header_zones[1] ? 0 : -ENOMEM;
	if (!error)
		error = uma_bucket_startup(bucket_zone_create);
	if (!error)
		error = register_module_notifier(&zone_module_nb);
	if (error) {
		internal_shutdown();
		return error;
	}
	set_started(true);
	return 0;
}

/**
 * uma_shutdown() - destroy the zones of the allocator itself
 *
 * Zones that others left behind are named in the log and stay, with all that
 * they are made of.
 *
 * Context: process context, at unload: nobody else can call us any more.
 */
void uma_shutdown(void)
{
	uma_zone_t zone;

	set_started(false);
	irq_work_sync(&guard_settle_irq);
	flush_work(&guard_settle_work);
	unregister_module_notifier(&zone_module_nb);
	uma_for_each_zone(zone) {
		if (zone->uz_flags & UMA_ZFLAG_INTERNAL)
			continue;
		pr_err("zone \"%s\" is still there at unload, %lld items in use: its memory stays lost\n",
		       zone->uz_name, uma_zone_in_use(zone));
	}
	internal_shutdown();
}
