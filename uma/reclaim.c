// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reclaim: what is cached goes back, from CPUs to zones, from zones to slabs,
 * from slabs to the pool.
 *
 * Nobody but its own CPU touches a CPU's cache. So to empty the caches of others
 * a work item runs on each CPU, enters the section there and moves its buckets
 * to the zone's list; whoever asked takes them from there. The work runs no
 * callback: items meet zfini and fini only in the thread that reclaims. It
 * needs no guard against hot-plug: on a CPU that went away before its turn the
 * work runs elsewhere and empties that CPU's cache instead, and the cache of
 * the one that is gone was emptied by uma_cpu_dead().
 *
 * When: on demand (uma_reclaim()), on shortage (the pool's low-memory callback,
 * and an allocation that may sleep and finds the pool empty), and each
 * working_set_secs. The last is the gentle one. A zone's list had items_min
 * items in it at all times since the interval began, so that many were not
 * needed; likewise the unused slabs of a keg. Those go. A zone without any
 * allocation or free in the interval gives all.
 *
 * The pool calls one when it is short, and that is us, since what nobody uses is the
 * cheapest to give. Who has memory that can be had at a price (the VM's page-out)
 * registers as the next one, and is asked when we are through; or wants to begin by
 * himself, and asks us first (uma_reclaim_ask()). A fini may wait for anything, so he
 * does not wait for us for ever.
 *
 * And when the kernel itself is short: a shrinker, if the pool is one that grows.
 * It runs in anybody's allocation, with anybody's locks held, perhaps inside one
 * that we made. So it waits for nothing: the list of zones it only tries, our
 * raw locks are held for moments and never over an allocation, the caches of other
 * CPUs it leaves to a work item. And it calls nobody: a fini may want a lock that
 * whoever is being reclaimed for holds already, so what has one is left to the
 * work item, too. What it frees, chunks of the pool that are wholly free (once
 * zones' lists and unused slabs have given back theirs), goes straight to the
 * kernel.
 *
 * uma_reclaim() holds no lock across a zone (see zone_list.c), so an allocation
 * that is made on its way, or a fini that calls it again, cannot deadlock.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/topology.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "uma/guard.h"
#include "uma/reclaim.h"
#include "uma/trace.h"
#include "uma/uma_int.h"

#define WORKING_SET_SECS_MAX	86400

/* Besides UMA_RECLAIM_*, for ourselves: the working-set interval ends. */
#define RECLAIM_INTERVAL	0
static_assert(RECLAIM_INTERVAL < UMA_RECLAIM_TRIM);

/* The pool is short when less than one page in this many is free. */
#define SHORTAGE_DIVISOR	32

/* Under pressure all caches are emptied no more often than this. */
#define PRESSURE_INTERVAL	HZ

struct flush_work {
	struct work_struct work;
	uma_zone_t zone;
};

static DEFINE_PER_CPU(struct flush_work, flush_works);
/* One flush at a time has the work items. */
static DEFINE_MUTEX(flush_lock);

static struct workqueue_struct *flush_wq;
static enum cpuhp_state cpuhp_state;
/* Whether a parameter that changes has something to act on; kernel_param_lock. */
static bool started;

static unsigned int working_set_secs = 20;

static void working_set_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(working_set_work, working_set_fn);
static void shortage_fn(struct work_struct *work);
static DECLARE_WORK(shortage_work, shortage_fn);
/* Who is asked after us when the pool is short, or NULL. */
static void (*next_asked)(void);
static void ask_fn(struct work_struct *work);
static DECLARE_WORK(ask_work, ask_fn);
static DECLARE_WAIT_QUEUE_HEAD(ask_wait);
/* Times that @ask_work was through. */
static unsigned int answers;
static void pressure_fn(struct work_struct *work);
static DECLARE_WORK(pressure_work, pressure_fn);
/* When that may be queued next, in jiffies. */
static unsigned long pressure_next;
static struct shrinker *shrinker;

/*
 * Move the buckets of a cache to its zone's list of node @nid, that of the CPU,
 * from inside the cache's section or with its CPU dead. Buckets without items come back in @empty.
 */
static void cache_flush(uma_zone_t zone, struct uma_cache *c, int nid,
			struct uma_bucket *empty[2])
{
	struct uma_bucket *loaded = c->uc_loaded, *spare = c->uc_spare;
	u32 n = c->uc_cnt + c->uc_spare_cnt;
	unsigned long irq;

	uma_cache_is_mine(c);
	if (zone->uz_flags & UMA_ZONE_ROUNDROBIN)
		nid = 0;
	empty[0] = NULL;
	empty[1] = NULL;
	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	if (spare) {
		spare->ub_cnt = c->uc_spare_cnt;
		if (spare->ub_cnt)
			uma_zone_push(zone, nid, spare);
		else
			empty[0] = spare;
	}
	if (loaded) {
		loaded->ub_cnt = c->uc_cnt;
		if (loaded->ub_cnt)
			uma_zone_push(zone, nid, loaded);
		else
			empty[1] = loaded;
	}
	WRITE_ONCE(c->uc_loaded, NULL);
	WRITE_ONCE(c->uc_spare, NULL);
	WRITE_ONCE(c->uc_cnt, 0);
	WRITE_ONCE(c->uc_max, 0);
	WRITE_ONCE(c->uc_spare_cnt, 0);
	uma_zone_fold(zone, c);
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	trace_uma_bucket(zone->uz_name, UMA_BUCKET_FLUSHED, n);
}

static void flush_fn(struct work_struct *work)
{
	uma_zone_t zone = container_of(work, struct flush_work, work)->zone;
	struct uma_bucket *empty[2] = {};
	struct uma_cache *c;

	preempt_disable();
	c = this_cpu_ptr(zone->uz_cpu);
	/* No thread is preempted inside a section, no interrupt stays in one. */
	if (!WARN_ON_ONCE(READ_ONCE(c->uc_busy))) {
		WRITE_ONCE(c->uc_busy, 1);
		barrier();
		cache_flush(zone, c, numa_mem_id(), empty);
		barrier();
		WRITE_ONCE(c->uc_busy, 0);
	}
	preempt_enable();
	uma_bucket_free(empty[0]);
	uma_bucket_free(empty[1]);
}

/**
 * uma_zone_flush_cpus() - move what the CPUs cache of a zone to its list
 * @zone: the zone
 *
 * Context: process context, may sleep; not from a fini that a flush waits for.
 */
void uma_zone_flush_cpus(uma_zone_t zone)
{
	int cpu;

	might_sleep();
	mutex_lock(&flush_lock);
	for_each_possible_cpu(cpu) {
		struct flush_work *fw = per_cpu_ptr(&flush_works, cpu);

		struct uma_cache *c = per_cpu_ptr(zone->uz_cpu, cpu);

		fw->zone = NULL;
		if (!cpu_online(cpu) ||
		    (!READ_ONCE(c->uc_loaded) && !READ_ONCE(c->uc_spare)))
			continue;
		fw->zone = zone;
		queue_work_on(cpu, flush_wq, &fw->work);
	}
	for_each_possible_cpu(cpu) {
		struct flush_work *fw = per_cpu_ptr(&flush_works, cpu);

		if (fw->zone)
			flush_work(&fw->work);
	}
	mutex_unlock(&flush_lock);
}

/* Empty the cache of a CPU that is not there and cannot come meanwhile. */
static void zone_flush_absent_cpu(uma_zone_t zone, int cpu)
{
	struct uma_bucket *empty[2];

	cache_flush(zone, per_cpu_ptr(zone->uz_cpu, cpu), cpu_to_mem(cpu),
		    empty);
	uma_bucket_free(empty[0]);
	uma_bucket_free(empty[1]);
}

/**
 * uma_zone_flush_all() - the same, and the caches of CPUs that are not there
 * @zone: the zone; no walk finds it
 *
 * A CPU that goes hands its items to the zones that it finds, so for one that it
 * does not find somebody else has to look.
 *
 * Context: process context, may sleep; takes the CPU hot-plug lock.
 */
void uma_zone_flush_all(uma_zone_t zone)
{
	int cpu;

	cpus_read_lock();
	uma_zone_flush_cpus(zone);
	for_each_possible_cpu(cpu) {
		if (cpu_online(cpu))
			continue;
		zone_flush_absent_cpu(zone, cpu);
	}
	cpus_read_unlock();
}

/* Move items of one memory node, but for @keep, give or take a bucket. */
static void zone_drain_node(uma_zone_t zone, int nid, u32 keep)
{
	struct uma_bucket *b;
	unsigned long irq;

	for (;;) {
		raw_spin_lock_irqsave(&zone->uz_lock, irq);
		b = zone->uz_domain[nid].items > keep ?
		    uma_zone_pop(zone, nid) : NULL;
		raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
		if (!b)
			break;
		uma_bucket_empty(zone, b);
		uma_bucket_free(b);
		cond_resched();
	}
}

/**
 * uma_zone_drain() - move the items of a zone's list to its slabs
 * @zone: the zone
 *
 * Context: process context, may sleep.
 */
void uma_zone_drain(uma_zone_t zone)
{
	int nid;

	might_sleep();
	for (nid = 0; nid < nr_node_ids; nid++)
		zone_drain_node(zone, nid, 0);
}

/**
 * uma_zone_reclaim_all() - move every cached item of a zone to its slabs
 * @zone: the zone
 *
 * Context: process context, may sleep.
 */
void uma_zone_reclaim_all(uma_zone_t zone)
{
	uma_zone_flush_cpus(zone);
	uma_zone_drain(zone);
}

static u64 zone_ops(uma_zone_t zone)
{
	u64 ops = READ_ONCE(zone->uz_allocs) + READ_ONCE(zone->uz_frees);
	int cpu;

	for_each_possible_cpu(cpu) {
		struct uma_cache *c = per_cpu_ptr(zone->uz_cpu, cpu);

		ops += READ_ONCE(c->uc_allocs) + READ_ONCE(c->uc_frees);
	}
	return ops;
}

/*
 * The working set of a zone's list is what was taken from it at the most since
 * the interval began; that of the interval before counts as long as it is
 * the larger. The same for a keg's unused slabs. What is beyond goes.
 */

static u32 zone_working_set(uma_zone_t zone, int nid, bool close)
{
	struct uma_zone_domain *d = &zone->uz_domain[nid];
	unsigned long irq;
	u32 used, keep;

	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	used = d->items - d->items_min;
	keep = close ? used : max(used, d->working_set);
	if (close)
		d->working_set = used;
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	return keep;
}

static u32 keg_working_set(struct uma_keg *keg, bool close)
{
	unsigned long irq;
	u32 used, keep;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	used = keg->uk_unused_slabs - keg->uk_unused_min;
	keep = close ? used : max(used, keg->uk_working_set);
	if (close)
		keg->uk_working_set = used;
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return keep;
}

static void begin_interval(uma_zone_t zone)
{
	struct uma_keg *keg = zone->uz_keg;
	unsigned long irq;
	int nid;

	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	for (nid = 0; nid < nr_node_ids; nid++)
		zone->uz_domain[nid].items_min = zone->uz_domain[nid].items;
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	if (zone->uz_flags & UMA_ZONE_SECONDARY)
		return;
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	keg->uk_unused_min = keg->uk_unused_slabs;
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

/*
 * Give back what is beyond the working set; with @close the interval ends, too,
 * and a zone that did nothing in it gives all that it has cached. Slabs that
 * become unused thereby go at once.
 */
static void zone_trim(uma_zone_t zone, bool close)
{
	struct uma_keg *keg = zone->uz_keg;
	bool master = !(zone->uz_flags & UMA_ZONE_SECONDARY);
	u64 ops = zone_ops(zone);
	u32 keep, unused;
	int nid;

	keep = keg_working_set(keg, close && master);
	if (close && ops == zone->uz_idle_ops)
		uma_zone_reclaim_all(zone);
	else
		for (nid = 0; nid < nr_node_ids; nid++)
			zone_drain_node(zone, nid,
					zone_working_set(zone, nid, close));
	unused = READ_ONCE(keg->uk_unused_slabs);
	if (unused > keep)
		uma_keg_trim(keg, unused - keep);
	if (close) {
		zone->uz_idle_ops = ops;
		begin_interval(zone);
	}
}

static void zone_reclaim(uma_zone_t zone, int req)
{
	u32 pages = uma_keg_pages(zone->uz_keg);

	if (zone->uz_flags & UMA_ZFLAG_ORPHAN)
		return;
	switch (req) {
	case RECLAIM_INTERVAL:
	case UMA_RECLAIM_TRIM:
		zone_trim(zone, req == RECLAIM_INTERVAL);
		break;
	case UMA_RECLAIM_DRAIN_CPU:
		uma_zone_flush_cpus(zone);
		fallthrough;
	case UMA_RECLAIM_DRAIN:
		uma_zone_drain(zone);
		uma_keg_trim(zone->uz_keg, UINT_MAX);
		break;
	}
	trace_uma_reclaim(zone->uz_name, req, pages, uma_keg_pages(zone->uz_keg));
}

static void reclaim_zones(int req)
{
	uma_zone_t zone;

	uma_for_each_zone(zone) {
		if (zone->uz_flags & UMA_ZFLAG_INTERNAL)
			continue;
		zone_reclaim(zone, req);
		uma_steer(UMA_STEER_RECLAIM, zone);
	}
	/* These got buckets and headers back from the others just now. */
	uma_for_each_zone(zone)
		if (zone->uz_flags & UMA_ZFLAG_INTERNAL)
			zone_reclaim(zone, req);
}

/**
 * uma_reclaim_interval() - end a working-set interval and begin the next
 *
 * One thread at a time.
 *
 * Context: process context, may sleep.
 */
void uma_reclaim_interval(void)
{
	reclaim_zones(RECLAIM_INTERVAL);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_reclaim_interval);

/**
 * uma_reclaim() - give memory back to the pool
 * @req: UMA_RECLAIM_TRIM, UMA_RECLAIM_DRAIN or UMA_RECLAIM_DRAIN_CPU
 *
 * Context: process context, may sleep; may be called from a fini.
 */
void uma_reclaim(int req)
{
	might_sleep();
	if (req < UMA_RECLAIM_TRIM || req > UMA_RECLAIM_DRAIN_CPU) {
		pr_err("%s: no such request: %d\n", __func__, req);
		return;
	}
	if (req == UMA_RECLAIM_DRAIN_CPU)
		uma_guard_reclaim();
	reclaim_zones(req);
}
EXPORT_SYMBOL_GPL(uma_reclaim);

/**
 * uma_zone_reclaim() - give memory of one zone back to the pool
 * @zone: the zone; unused slabs are those of its keg
 * @req: UMA_RECLAIM_TRIM, UMA_RECLAIM_DRAIN or UMA_RECLAIM_DRAIN_CPU
 *
 * Context: process context, may sleep; not from a fini of this zone.
 * Return: 0, or -EINVAL for a request that there is not. (BSD's returns nothing.)
 */
int uma_zone_reclaim(uma_zone_t zone, int req)
{
	might_sleep();
	if (req < UMA_RECLAIM_TRIM || req > UMA_RECLAIM_DRAIN_CPU)
		return -EINVAL;
	zone_reclaim(zone, req);
	return 0;
}
EXPORT_SYMBOL_GPL(uma_zone_reclaim);

static void shortage_fn(struct work_struct *work)
{
	void (*next)(void);

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	next = READ_ONCE(next_asked);
	if (next)
		next();
}

/**
 * uma_reclaim_set_next() - register who is asked next when the pool is short
 * @next: called when the zones have given back what they cached, whether that was
 *	enough or not; it may sleep, but others wait for it. NULL takes the registered
 *	one back, and it is not running when that returns
 *
 * Context: process context, may sleep.
 */
void uma_reclaim_set_next(void (*next)(void))
{
	WRITE_ONCE(next_asked, next);
	if (!next)
		flush_work(&shortage_work);
}

static void ask_fn(struct work_struct *work)
{
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	WRITE_ONCE(answers, answers + 1);
	wake_up_all(&ask_wait);
}

/**
 * uma_reclaim_ask() - have the zones give back what they cache, for one who comes next
 * @timeout: in jiffies; a fini may sleep for something that the caller has
 *
 * Context: process context, may sleep.
 * Return: whether they have; if not, they are at it still.
 */
bool uma_reclaim_ask(long timeout)
{
	unsigned int seen = READ_ONCE(answers);

	queue_work(system_unbound_wq, &ask_work);
	return ___wait_event(ask_wait,
			     ___wait_cond_timeout(READ_ONCE(answers) != seen),
			     TASK_IDLE, 0, timeout,
			     __ret = schedule_timeout(__ret));
}

static void pool_is_short(void *arg)
{
	queue_work(system_unbound_wq, &shortage_work);
}

/* The kernel's memory pressure. */

/* Whether giving this zone's cached items back to the pool calls nobody. */
static bool zone_is_plain(uma_zone_t zone)
{
	struct uma_keg *keg = zone->uz_keg;

	return !(zone->uz_flags & UMA_ZFLAG_ORPHAN) && !zone->uz_fini &&
	       !(keg->uk_flags & UMA_ZONE_NOFREE) && !keg->uk_fini &&
	       !keg->uk_allocf && !keg->uk_import;
}

static void try_reclaim_zones(bool internal)
{
	uma_zone_t zone;

	uma_try_each_zone(zone) {
		if (!zone_is_plain(zone) ||
		    !!(zone->uz_flags & UMA_ZFLAG_INTERNAL) != internal)
			continue;
		uma_zone_drain(zone);
		uma_keg_trim(zone->uz_keg, UINT_MAX);
	}
}

/* Bytes of free items in buckets, those of the CPUs' caches included. */
static u64 zone_cached_bytes(uma_zone_t zone)
{
	u64 items = READ_ONCE(zone->uz_items);
	int cpu;

	for_each_possible_cpu(cpu) {
		struct uma_cache *c = per_cpu_ptr(zone->uz_cpu, cpu);

		items += READ_ONCE(c->uc_cnt) + READ_ONCE(c->uc_spare_cnt);
	}
	return items * READ_ONCE(zone->uz_keg->uk_layout.rsize);
}

/*
 * About as many pages as are cached, here or where only the work item gets at
 * them: rounded up, since one item can keep a page, and so a chunk.
 */
static unsigned long cached_pages(void)
{
	unsigned long pages = 0;
	uma_zone_t zone;

	uma_try_each_zone(zone) {
		struct uma_keg *keg = zone->uz_keg;

		if (zone->uz_flags & UMA_ZFLAG_ORPHAN || keg->uk_import ||
		    keg->uk_flags & UMA_ZONE_NOFREE)
			continue;
		pages += DIV_ROUND_UP_ULL(zone_cached_bytes(zone), PAGE_SIZE);
		if (!(zone->uz_flags & UMA_ZONE_SECONDARY))
			pages += READ_ONCE(keg->uk_unused_slabs) *
				 READ_ONCE(keg->uk_layout.pages);
	}
	return pages;
}

/**
 * uma_reclaim_estimate() - what uma_reclaim_pressure() might give back
 * @nid: the memory node
 *
 * Context: process context, the kernel's reclaim included.
 * Return: pages: in chunks that are wholly free, and of the other chunks as much
 * as there is cached.
 */
unsigned long uma_reclaim_estimate(int nid)
{
	struct uma_pool_stats st;
	unsigned long whole, rest;

	if (!uma_pool_get_node_stats(uma_pool, nid, &st) || !st.chunks)
		return 0;
	whole = uma_pool_shrinkable(uma_pool, nid);
	rest = st.chunks * UMA_CHUNK_PAGES;
	rest = rest > whole ? rest - whole : 0;
	return whole + min(rest, cached_pages());
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_reclaim_estimate);

/**
 * uma_reclaim_pressure() - give memory back to the kernel without waiting
 * @nid: the memory node that is short
 * @npages: how many pages the kernel wants
 *
 * If there are not so many, a work item goes on where this may not: with the caches
 * of other CPUs, and with zones that have a fini.
 *
 * Context: process context, the kernel's reclaim included.
 * Return: pages given back.
 */
unsigned long uma_reclaim_pressure(int nid, unsigned long npages)
{
	unsigned long gone = uma_pool_shrink(uma_pool, nid, npages);

	if (gone < npages) {
		try_reclaim_zones(false);
		/* These got buckets and headers back from the others just now. */
		try_reclaim_zones(true);
		gone += uma_pool_shrink(uma_pool, nid, npages - gone);
	}
	if (gone < npages &&
	    time_after_eq(jiffies, READ_ONCE(pressure_next))) {
		WRITE_ONCE(pressure_next, jiffies + PRESSURE_INTERVAL);
		queue_work(system_unbound_wq, &pressure_work);
	}
	return gone;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_reclaim_pressure);

/* The chunks that become free thereby go when the kernel asks again. */
static void pressure_fn(struct work_struct *work)
{
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
}

static unsigned long shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	return uma_reclaim_estimate(sc->nid);
}

static unsigned long shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	return uma_reclaim_pressure(sc->nid, sc->nr_to_scan) ?: SHRINK_STOP;
}

static void working_set_fn(struct work_struct *work)
{
	uma_reclaim_interval();
	queue_delayed_work(system_freezable_wq, &working_set_work,
			   READ_ONCE(working_set_secs) * HZ);
}

static int working_set_secs_set(const char *val, const struct kernel_param *kp)
{
	unsigned int secs;
	int error;

	error = kstrtouint(val, 0, &secs);
	if (!error && (!secs || secs > WORKING_SET_SECS_MAX))
		error = -EINVAL;
	if (error) {
		pr_err("working_set_secs: \"%s\" is not a number from 1 to %u\n",
		       val, WORKING_SET_SECS_MAX);
		return error;
	}
	WRITE_ONCE(working_set_secs, secs);
	if (started)
		mod_delayed_work(system_freezable_wq, &working_set_work,
				 secs * HZ);
	return 0;
}

static const struct kernel_param_ops working_set_secs_ops = {
	.set = working_set_secs_set,
	.get = param_get_uint,
};
module_param_cb(working_set_secs, &working_set_secs_ops, &working_set_secs,
		0644);
MODULE_PARM_DESC(working_set_secs,
		 "seconds after which what a zone did not use goes back (20)");

/* The CPU is dead; what it cached belongs to nobody now. Its totals stay. */
static int uma_cpu_dead(unsigned int cpu)
{
	uma_zone_t zone;

	uma_for_each_zone(zone) {
		zone_flush_absent_cpu(zone, cpu);
		/* A sleeper that looked before this must find the items. */
		if (READ_ONCE(zone->uz_keg->uk_sleepers) ||
		    (zone->uz_holds && READ_ONCE(zone->uz_holds->uk_sleepers)))
			uma_zone_drain(zone);
	}
	return 0;
}

/**
 * uma_reclaim_startup() - begin to reclaim
 *
 * Context: process context, at load.
 * Return: 0 or an errno, with nothing left behind.
 */
int uma_reclaim_startup(void)
{
	struct uma_pool_stats st;
	int cpu, error;

	flush_wq = alloc_workqueue("uma_flush", WQ_MEM_RECLAIM, 0);
	if (!flush_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		INIT_WORK(&per_cpu_ptr(&flush_works, cpu)->work, flush_fn);
	error = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "uma:dead", NULL,
					  uma_cpu_dead);
	if (error < 0) {
		destroy_workqueue(flush_wq);
		return error;
	}
	cpuhp_state = error;
	uma_pool_get_stats(uma_pool, &st);
	pressure_next = jiffies;
	if (st.chunks_max) {
		shrinker = uma_shrinker_create("uma", shrink_count, shrink_scan,
					       UMA_CHUNK_PAGES);
		if (!shrinker) {
			cpuhp_remove_state_nocalls(cpuhp_state);
			destroy_workqueue(flush_wq);
			return -ENOMEM;
		}
	}
	uma_pool_set_lowmem(uma_pool, pool_is_short, NULL,
			    st.pages / SHORTAGE_DIVISOR);
	kernel_param_lock(THIS_MODULE);
	started = true;
	kernel_param_unlock(THIS_MODULE);
	queue_delayed_work(system_freezable_wq, &working_set_work,
			   READ_ONCE(working_set_secs) * HZ);
	return 0;
}

/**
 * uma_reclaim_quiesce() - stop reclaiming by ourselves
 *
 * uma_zone_reclaim_all() still works.
 *
 * Context: process context, at unload; the parameters can still be set.
 */
void uma_reclaim_quiesce(void)
{
	kernel_param_lock(THIS_MODULE);
	started = false;
	kernel_param_unlock(THIS_MODULE);
	uma_shrinker_destroy(shrinker);
	shrinker = NULL;
	cancel_work_sync(&pressure_work);
	uma_pool_set_lowmem(uma_pool, NULL, NULL, 0);
	cancel_work_sync(&shortage_work);
	cancel_work_sync(&ask_work);
	cancel_delayed_work_sync(&working_set_work);
}

/**
 * uma_reclaim_shutdown() - end reclaim, when no zone is left
 *
 * Context: process context, at unload.
 */
void uma_reclaim_shutdown(void)
{
	cpuhp_remove_state_nocalls(cpuhp_state);
	destroy_workqueue(flush_wq);
}
