// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an allocation costs: a UMA zone beside a fresh kmem_cache, in one run.
 *
 * Both sides run the same loop from the same source, called in the same way,
 * each in a function of its own that starts on a cache line. The calls are the
 * ones that an ordinary module would write: constant flags, the result tested.
 * Beside them stands the same loop with neither, so that a reader can subtract
 * it; the rows do not. Figures are for a pair: one allocation and its free.
 *
 * The rows, by what the loop does:
 *
 *   pair		allocates an item and frees it
 *   burst		allocates 64 items, then frees them
 *   bulk16, bulk64	the same with 16 or 64 items in a call, for both sides
 *   remote		allocates 256 items on one CPU, frees them on another
 *   handover		two CPUs answer each other: each takes the 64 items that
 *			it is handed, allocates 64 for the answer, frees those
 *			it got, and hands over
 *   prodcons		one CPU allocates a million items and puts each into a
 *			ring of 256 places, another takes them out and frees them
 *   cpus1 .. cpus4	so many CPUs work at once on the same zone or cache, each
 *			with pairs and bursts in turn
 *   waste, overhead	see bench_waste()
 *   guard		the pair again, in a zone that MemGuard guards, wholly or one
 *			item in a hundred, in one beside a guarded zone, and after
 *			guarding has ended
 *
 * One thread. The loop runs in stretches of a thousand pairs, first ours, then
 * the peer's, then the empty one, and again, so that whatever disturbs the
 * machine disturbs all three. A row shows the median stretch and, to tell how
 * quiet it was, the least one. Nothing is switched off meanwhile: this is
 * process context with interrupts and preemption as they are, and a stretch is
 * short against the time between two ticks.
 *
 * Several CPUs. The threads are bound to their CPUs and wait, asleep, for the
 * start. The clock is read before they are woken and again by the last that
 * is through, so a row shows all that the machine did in between: the loops,
 * ticks, the waking, and what waiting there was. The empty loop shows how
 * much of that is not the allocator's, and where the kernel does without ticks
 * on these CPUs (nohz_full=) little is. The threads wait for each other in one
 * place only, for a ring that is full or empty or for the other's answer, and
 * there they spin; an emulated processor that spins lets the next one run, at
 * some ten instructions, and that happens once for many items.
 *
 * The clock is the time-stamp counter, read in order. Under QEMU's
 * -icount shift=0 it counts executed instructions, of all CPUs together, which
 * take turns there: so it is the sum of what they execute, and that is why
 * dividing it by all pairs of all CPUs gives the cost of one. Turns are long (to
 * the next timer, or until the CPU spins): CPUs seldom meet at a lock, which is
 * in favour of the side that takes more of them. What the counter counts the
 * caller says, in `unit`.
 *
 * Locks. With locks=1 the same loops run on CPUs that are really concurrent,
 * with probes on the kernel's lock functions (lock_count.h). Then the rows
 * are calls for a lock per pair, in both halves counted in the same way, and
 * how many of these had to wait; time is not shown. Threads that wait for each
 * other sleep there, which is not counted.
 *
 * Slab waste needs no clock. The kernel keeps a cache's geometry to itself but
 * shows it in sysfs, so that is where the peer's comes from.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "memguard/guard.h"
#include "uma/compat.h"
#include "uma/slab_layout.h"
#include "uma/uma.h"
#include "lock_count.h"

#define ROWS	"pair,burst,bulk16,bulk64,remote,handover,prodcons," \
		"cpus1,cpus2,cpus3,cpus4,waste,guard"

static char *what = ROWS;
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "rows, of " ROWS " (default all)");

static unsigned int loops = 100000;
module_param(loops, uint, 0444);
MODULE_PARM_DESC(loops, "pairs of each kind, on each CPU (default 100000)");

static bool locks;
module_param(locks, bool, 0444);
MODULE_PARM_DESC(locks, "count calls for a lock, not the clock; takes all CPUs but one offline twice (no)");

static char *unit = "tsc";
module_param(unit, charp, 0444);
MODULE_PARM_DESC(unit, "what the time-stamp counter counts here, for the output (default tsc)");

#define STRETCH		1024	/* pairs between two looks at the clock */
#define BURST		64
#define BATCH		256	/* items that go to the other CPU at once */
#define WARM_UP		8	/* stretches before the first that counts */
#define RING		256	/* places between producer and consumer */
#define MILLION		1000000	/* items that pass through them */
#define CPUS		LOCK_COUNT_THREADS	/* the most that work at once */
#define RUNS		3	/* of what several CPUs do, after one to warm up */
#define LOCK_RUNS	1	/* the same where locks are counted, which is slow */

static void *items[STRETCH];

static __always_inline u64 clock(void)
{
	/* what comes before in the program is over before the clock is read */
	rmb();
	return uma_cycles();
}

/*
 * The loops. Each returns what it took by the clock, or 0 if an allocation
 * failed; a job, for one of several CPUs, whether none did. They are inlined
 * into a function for each allocator, and that one's calls into them, so that
 * all sides are one source and none reaches its allocator through a pointer.
 */
typedef u64 (*loop_fn)(void *from);
typedef bool (*job_fn)(unsigned int me, void *from);
typedef void *(*get_fn)(void *from);
typedef void (*put_fn)(void *from, void *item);
typedef unsigned int (*get_bulk_fn)(void *from, void **to, unsigned int n);
typedef void (*put_bulk_fn)(void *from, void **items, unsigned int n);

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

static __always_inline u64 burst(void *from, void **to, get_fn get, put_fn put)
{
	u64 begin = clock();
	unsigned int i, j;

	for (i = 0; i < STRETCH / BURST; i++) {
		for (j = 0; j < BURST; j++) {
			to[j] = get(from);
			if (unlikely(!to[j]))
				return 0;
		}
		for (j = 0; j < BURST; j++)
			put(from, to[j]);
	}
	return clock() - begin;
}

static __always_inline u64 bulk(void *from, unsigned int n, get_bulk_fn get,
				put_bulk_fn put)
{
	u64 begin = clock();
	unsigned int i;

	for (i = 0; i < STRETCH / n; i++) {
		if (unlikely(get(from, items, n) != n))
			return 0;
		put(from, items, n);
	}
	return clock() - begin;
}

/* The calls of each side: in process context, where none may sleep, in bulk. */

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

static __always_inline unsigned int uma_get_bulk(void *zone, void **to,
						 unsigned int n)
{
	return uma_zalloc_bulk(zone, to, n, M_WAITOK);
}

static __always_inline void uma_put_bulk(void *zone, void **from,
					 unsigned int n)
{
	uma_zfree_bulk(zone, from, n);
}

static __always_inline unsigned int kmem_get_bulk(void *cache, void **to,
						  unsigned int n)
{
	return kmem_cache_alloc_bulk(cache, GFP_KERNEL, n, to);
}

static __always_inline void kmem_put_bulk(void *cache, void **from,
					  unsigned int n)
{
	kmem_cache_free_bulk(cache, n, from);
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

static __always_inline unsigned int empty_get_bulk(void *from, void **to,
						   unsigned int n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

static __always_inline void empty_put_bulk(void *from, void **to,
					   unsigned int n)
{
	OPTIMIZER_HIDE_VAR(to);
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
	return burst(from, items, uma_get, uma_put);
}

static noinline __aligned(64) u64 kmem_burst(void *from)
{
	return burst(from, items, kmem_get, kmem_put);
}

static noinline __aligned(64) u64 uma_burst_nowait(void *from)
{
	return burst(from, items, uma_get_nowait, uma_put);
}

static noinline __aligned(64) u64 kmem_burst_nowait(void *from)
{
	return burst(from, items, kmem_get_nowait, kmem_put);
}

static noinline __aligned(64) u64 empty_burst(void *from)
{
	return burst(from, items, empty_get, empty_put);
}

static noinline __aligned(64) u64 uma_bulk16(void *from)
{
	return bulk(from, 16, uma_get_bulk, uma_put_bulk);
}

static noinline __aligned(64) u64 kmem_bulk16(void *from)
{
	return bulk(from, 16, kmem_get_bulk, kmem_put_bulk);
}

static noinline __aligned(64) u64 empty_bulk16(void *from)
{
	return bulk(from, 16, empty_get_bulk, empty_put_bulk);
}

static noinline __aligned(64) u64 uma_bulk64(void *from)
{
	return bulk(from, 64, uma_get_bulk, uma_put_bulk);
}

static noinline __aligned(64) u64 kmem_bulk64(void *from)
{
	return bulk(from, 64, kmem_get_bulk, kmem_put_bulk);
}

static noinline __aligned(64) u64 empty_bulk64(void *from)
{
	return bulk(from, 64, empty_get_bulk, empty_put_bulk);
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
 * struct trial - what a row measures
 * @name: of the row
 * @size: bytes of an item
 * @stretches: how often it is measured
 * @warm_up: and how often before that
 * @pairs: in one stretch
 * @run: runs one stretch; what it took, or 0 if an allocation failed
 * @loop: for each side, what @run runs; for remote, the allocations
 * @release: for remote, the frees
 * @job: for several CPUs, what each of them does
 * @cpus: and how many they are
 */
struct trial {
	const char *name;
	unsigned int size;
	unsigned int stretches;
	unsigned int warm_up;
	unsigned int pairs;
	u64 (*run)(const struct trial *t, enum side who, void *from);
	loop_fn loop[SIDES];
	loop_fn release[SIDES];
	job_fn job[SIDES];
	unsigned int cpus;
};

/**
 * struct contest - the two allocators, for items of one size
 * @zone: ours
 * @cache: the peer
 * @took: what each stretch took, for each side
 * @locks: calls for a lock in all stretches
 */
struct contest {
	uma_zone_t zone;
	struct kmem_cache *cache;
	u64 *took[SIDES];
	struct lock_count locks[SIDES];
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

static int begin_contest(struct contest *c, const struct trial *t)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < SIDES; i++) {
		c->took[i] = kvcalloc(t->stretches, sizeof(u64), GFP_KERNEL);
		if (!c->took[i])
			goto fail;
	}
	c->zone = uma_zcreate("uma-bench", t->size, NULL, NULL, NULL, NULL,
			      UMA_ALIGN_PTR, 0);
	c->cache = uma_kmem_cache_create("uma-bench", t->size);
	if (c->zone && c->cache)
		return 0;
fail:
	end_contest(c);
	pr_err("cannot set up a zone and a cache of size %u\n", t->size);
	return -ENOMEM;
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

struct decimal {
	char text[24];
};

/* @sum over @n, with that many digits after the point, or 0 over 0. */
static struct decimal quotient(u64 sum, u64 n, unsigned int digits)
{
	struct decimal d;
	u64 one = int_pow(10, digits);
	u64 value = n ? div64_u64(one * sum, n) : 0;
	u64 whole = div64_u64(value, one);

	scnprintf(d.text, sizeof(d.text), "%llu.%0*llu", whole, (int)digits,
		  value - one * whole);
	return d;
}

static void print_clock(const struct trial *t, struct contest *c)
{
	struct decimal mid[SIDES], least[SIDES];
	unsigned int i;

	for (i = 0; i < SIDES; i++) {
		sort(c->took[i], t->stretches, sizeof(u64), by_value, NULL);
		mid[i] = quotient(c->took[i][t->stretches / 2], t->pairs, 2);
		least[i] = quotient(c->took[i][0], t->pairs, 2);
	}
	pr_info("row name=%s unit=%s ours=%s peer=%s empty=%s ours_least=%s peer_least=%s\n",
		t->name, unit, mid[OURS].text, mid[PEER].text, mid[NONE].text,
		least[OURS].text, least[PEER].text);
}

static void print_locks(const struct trial *t, const struct contest *c)
{
	struct decimal calls[SIDES], waits[SIDES];
	u64 pairs = (u64)t->pairs * t->stretches;
	unsigned int i;

	for (i = 0; i < SIDES; i++) {
		calls[i] = quotient(c->locks[i].calls, pairs, 4);
		waits[i] = quotient(c->locks[i].waits, pairs, 4);
	}
	pr_info("locks name=%s ours=%s peer=%s empty=%s ours_waits=%s peer_waits=%s\n",
		t->name, calls[OURS].text, calls[PEER].text, calls[NONE].text,
		waits[OURS].text, waits[PEER].text);
}

/* Ours, the peer's, the empty loop; and again. */
static int measure(const struct trial *t)
{
	struct lock_count before, after;
	struct contest c;
	unsigned int i;
	enum side who;
	u64 took;
	int error;

	error = begin_contest(&c, t);
	if (error)
		return error;
	/* A move to another CPU would leave the caches that are warm behind. */
	migrate_disable();
	for (i = 0; i < t->warm_up + t->stretches; i++) {
		void *from[SIDES] = { c.zone, c.cache, items };

		for (who = 0; who < SIDES; who++) {
			before = lock_count_read();
			took = t->run(t, who, from[who]);
			after = lock_count_read();
			if (!took) {
				pr_err("%s: an allocation failed\n", t->name);
				error = -ENOMEM;
				goto out;
			}
			if (i < t->warm_up)
				continue;
			c.took[who][i - t->warm_up] = took;
			c.locks[who].calls += after.calls - before.calls;
			c.locks[who].waits += after.waits - before.waits;
		}
		cond_resched();
	}
	if (locks)
		print_locks(t, &c);
	else
		print_clock(t, &c);
out:
	migrate_enable();
	end_contest(&c);
	return error;
}

/* One thread, on the CPU that it happens to be on. */

static u64 run_loop(loop_fn loop, void *from)
{
	u64 took;

	lock_count_begin(0);
	took = loop(from);
	lock_count_end(0);
	return took;
}

static u64 run_here(const struct trial *t, enum side who, void *from)
{
	return run_loop(t->loop[who], from);
}

static int measure_here(const char *name, unsigned int size, loop_fn ours,
			loop_fn peer, loop_fn none)
{
	const struct trial t = {
		.name = name,
		.size = size,
		.stretches = max(loops / STRETCH, 3U),
		.warm_up = WARM_UP,
		.pairs = STRETCH,
		.run = run_here,
		.loop = { ours, peer, none },
	};

	return measure(&t);
}

static int bench_pair(void)
{
	int error;

	error = measure_here("pair", 256, uma_pair, kmem_pair, empty_pair);
	if (!error)
		error = measure_here("pair-64", 64, uma_pair, kmem_pair,
				     empty_pair);
	if (!error)
		error = measure_here("pair-1024", 1024, uma_pair, kmem_pair,
				     empty_pair);
	if (!error)
		error = measure_here("pair-nowait", 256, uma_pair_nowait,
				     kmem_pair_nowait, empty_pair);
	return error;
}

/*
 * What MemGuard costs. The rules are set before the contest's zone is made, and
 * are of its name or of another's.
 */
static int bench_guard(void)
{
	static const struct {
		const char *name;
		const char *desc;
	} rows[] = {
		{ "guard-all", "zone:uma-bench" },
		{ "guard-100", "zone:uma-bench/100" },
		{ "guard-other", "zone:uma-bench-other" },
		{ "guard-off", "" },
	};
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		error = memguard_set_desc(rows[i].desc);
		if (error == -EOPNOTSUPP) {
			pr_info("skip name=guard reason=not-on-this-architecture\n");
			return 0;
		}
		if (!error)
			error = measure_here(rows[i].name, 256, uma_pair,
					     kmem_pair, empty_pair);
		if (error)
			break;
	}
	memguard_set_desc("");
	return error;
}

static int bench_burst(void)
{
	int error;

	error = measure_here("burst", 256, uma_burst, kmem_burst, empty_burst);
	if (!error)
		error = measure_here("burst-nowait", 256, uma_burst_nowait,
				     kmem_burst_nowait, empty_burst);
	return error;
}

static int bench_bulk16(void)
{
	return measure_here("bulk16", 256, uma_bulk16, kmem_bulk16,
			    empty_bulk16);
}

static int bench_bulk64(void)
{
	return measure_here("bulk64", 256, uma_bulk64, kmem_bulk64,
			    empty_bulk64);
}

/*
 * The last so many CPUs that are online, or 0 and a word on it. The last, for a
 * machine whose first one does the housekeeping for them all.
 */
static unsigned int last_cpus(const char *name, unsigned int *cpus,
			      unsigned int n)
{
	unsigned int cpu, found = 0, skip = num_online_cpus();

	if (skip < n) {
		pr_info("skip name=%s reason=%u-CPUs-of-%u\n", name, skip, n);
		return 0;
	}
	skip -= n;
	for_each_online_cpu(cpu) {
		if (skip)
			skip--;
		else if (found < n)
			cpus[found++] = cpu;
	}
	return found;
}

/* One thread at a time, first on one CPU, then on another. */

struct errand {
	loop_fn loop;
	void *from;
	u64 took;
};

static int run_errand(void *arg)
{
	struct errand *e = arg;

	e->took = run_loop(e->loop, e->from);
	return 0;
}

static u64 run_there(unsigned int cpu, loop_fn loop, void *from)
{
	struct errand e = { .loop = loop, .from = from };

	return smp_call_on_cpu(cpu, run_errand, &e, false) ? 0 : e.took;
}

static u64 run_remote(const struct trial *t, enum side who, void *from)
{
	unsigned int cpus[2];
	u64 alloc, release;

	if (!last_cpus(t->name, cpus, 2))
		return 0;
	alloc = run_there(cpus[0], t->loop[who], from);
	if (!alloc)
		return 0;
	release = run_there(cpus[1], t->release[who], from);
	return release ? alloc + release : 0;
}

static int bench_remote(void)
{
	const struct trial t = {
		.name = "remote",
		.size = 256,
		.stretches = max(loops / BATCH, 3U),
		.warm_up = WARM_UP,
		.pairs = BATCH,
		.run = run_remote,
		.loop = { uma_half_alloc, kmem_half_alloc, empty_half_alloc },
		.release = { uma_half_free, kmem_half_free, empty_half_free },
	};
	unsigned int cpus[2];

	return last_cpus(t.name, cpus, 2) ? measure(&t) : 0;
}

/* Several threads, each on a CPU of its own, all at once. */

/**
 * struct team - the threads, and how they start and end together
 * @trial: what they do
 * @side: for whom
 * @from: and with which allocator
 * @ready: done by each that will go to sleep on @go next
 * @go: done when the clock has been read
 * @over: done by the last that is through
 * @running: how many are not
 * @end: the clock, read by that last one
 * @failed: an allocation failed: who waits for another thread gives up
 */
static struct team {
	const struct trial *trial;
	enum side side;
	void *from;
	struct completion ready;
	struct completion go;
	struct completion over;
	atomic_t running;
	u64 end;
	bool failed;
} team;

/* What each of them holds. */
static void *team_items[CPUS][BURST];

/* Let others have the CPU; what that takes in locks is not the loop's. */
static void team_breathe(unsigned int me)
{
	lock_count_end(me);
	cond_resched();
	lock_count_begin(me);
}

/*
 * A moment of waiting for another thread. The processor is told, and an emulated
 * one lets another run. Where they are really concurrent, on a host that may have
 * fewer, who waits sleeps: so the other gets there at all.
 */
static void team_pause(unsigned int me)
{
	if (!locks) {
		cpu_relax();
		return;
	}
	lock_count_end(me);
	usleep_range(20, 50);
	lock_count_begin(me);
}

/* Wait for another thread of the team; false if it will not come. */
#define team_wait(me, condition)					\
({									\
	while (!(condition) && !READ_ONCE(team.failed))			\
		team_pause(me);						\
	!READ_ONCE(team.failed);					\
})

static int team_thread(void *arg)
{
	unsigned int me = (unsigned long)arg;

	complete(&team.ready);
	wait_for_completion(&team.go);
	lock_count_begin(me);
	if (!team.trial->job[team.side](me, team.from))
		WRITE_ONCE(team.failed, true);
	lock_count_end(me);
	if (atomic_dec_and_test(&team.running)) {
		team.end = clock();
		complete(&team.over);
	}
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static u64 run_team(const struct trial *t, enum side who, void *from)
{
	struct task_struct *threads[CPUS];
	unsigned int cpus[CPUS], i, n;
	u64 begin;

	if (!last_cpus(t->name, cpus, t->cpus))
		return 0;
	team.trial = t;
	team.side = who;
	team.from = from;
	team.failed = false;
	init_completion(&team.ready);
	init_completion(&team.go);
	init_completion(&team.over);
	atomic_set(&team.running, t->cpus);
	for (n = 0; n < t->cpus; n++) {
		threads[n] = kthread_create(team_thread, (void *)(ulong)n,
					    "uma-bench/%u", cpus[n]);
		if (IS_ERR(threads[n])) {
			pr_err("%s: no thread (%ld)\n", t->name,
			       PTR_ERR(threads[n]));
			goto stop;
		}
		kthread_bind(threads[n], cpus[n]);
	}
	for (i = 0; i < n; i++) {
		wake_up_process(threads[i]);
		wait_for_completion(&team.ready);
	}
	begin = clock();
	complete_all(&team.go);
	wait_for_completion(&team.over);
stop:
	for (i = 0; i < n; i++)
		kthread_stop(threads[i]);
	return n == t->cpus && !team.failed ? team.end - begin : 0;
}

static unsigned int team_runs(void)
{
	return locks ? LOCK_RUNS : RUNS;
}

/* Two that answer each other. */

static struct {
	unsigned int turn;
	void **items;
} box ____cacheline_aligned;

/* The first says something, the last says nothing: pairs for one less. */
#define TURNS		1601

static __always_inline bool answer(unsigned int me, void *from, get_fn get,
				   put_fn put)
{
	unsigned int turn, i;
	void **mine = team_items[me];

	for (turn = me; turn < TURNS; turn += 2) {
		/* with the turn come the items */
		if (!team_wait(me, smp_load_acquire(&box.turn) == turn))
			return false;
		for (i = 0; turn < TURNS - 1 && i < BURST; i++) {
			mine[i] = get(from);
			if (unlikely(!mine[i]))
				return false;
		}
		for (i = 0; turn && i < BURST; i++)
			put(from, box.items[i]);
		box.items = mine;
		/* and go with it */
		smp_store_release(&box.turn, turn + 1);
	}
	return true;
}

static noinline __aligned(64) bool uma_answer(unsigned int me, void *from)
{
	return answer(me, from, uma_get, uma_put);
}

static noinline __aligned(64) bool kmem_answer(unsigned int me, void *from)
{
	return answer(me, from, kmem_get, kmem_put);
}

static noinline __aligned(64) bool empty_answer(unsigned int me, void *from)
{
	return answer(me, from, empty_get, empty_put);
}

static u64 run_handover(const struct trial *t, enum side who, void *from)
{
	box.turn = 0;
	return run_team(t, who, from);
}

static int bench_handover(void)
{
	const struct trial t = {
		.name = "handover",
		.size = 256,
		.stretches = team_runs(),
		.warm_up = 1,
		.pairs = (TURNS - 1) * BURST,
		.run = run_handover,
		.job = { uma_answer, kmem_answer, empty_answer },
		.cpus = 2,
	};
	unsigned int cpus[2];

	return last_cpus(t.name, cpus, 2) ? measure(&t) : 0;
}

/* A producer and a consumer. */

static struct {
	unsigned int head ____cacheline_aligned;
	unsigned int tail ____cacheline_aligned;
	void *items[RING] ____cacheline_aligned;
} ring;

/* Items between two moments at which others may have the CPU. */
#define BREATH		65536

static __always_inline bool produce(void *from, get_fn get)
{
	unsigned int head;
	void *item;

	for (head = 0; head < MILLION; head++) {
		item = get(from);
		if (unlikely(!item))
			return false;
		/* what the consumer has read may be written over */
		if (!team_wait(0, head - smp_load_acquire(&ring.tail) < RING))
			return false;
		ring.items[head % RING] = item;
		/* the place is written before it is shown */
		smp_store_release(&ring.head, head + 1);
		if (head % BREATH == 0)
			team_breathe(0);
	}
	return true;
}

static __always_inline bool consume(void *from, put_fn put)
{
	unsigned int tail;

	for (tail = 0; tail < MILLION; tail++) {
		void *item;

		/* a place that is shown has been written */
		if (!team_wait(1, smp_load_acquire(&ring.head) != tail))
			return false;
		item = ring.items[tail % RING];
		/* the place has been read before it is given back */
		smp_store_release(&ring.tail, tail + 1);
		put(from, item);
		if (tail % BREATH == 0)
			team_breathe(1);
	}
	return true;
}

static noinline __aligned(64) bool uma_prodcons(unsigned int me, void *from)
{
	return me ? consume(from, uma_put) : produce(from, uma_get);
}

static noinline __aligned(64) bool kmem_prodcons(unsigned int me, void *from)
{
	return me ? consume(from, kmem_put) : produce(from, kmem_get);
}

static noinline __aligned(64) bool empty_prodcons(unsigned int me, void *from)
{
	return me ? consume(from, empty_put) : produce(from, empty_get);
}

static u64 run_prodcons(const struct trial *t, enum side who, void *from)
{
	ring.head = 0;
	ring.tail = 0;
	return run_team(t, who, from);
}

static int bench_prodcons(void)
{
	const struct trial t = {
		.name = "prodcons",
		.size = 256,
		.stretches = team_runs(),
		.warm_up = 1,
		.pairs = MILLION,
		.run = run_prodcons,
		.job = { uma_prodcons, kmem_prodcons, empty_prodcons },
		.cpus = 2,
	};
	unsigned int cpus[2];

	return last_cpus(t.name, cpus, 2) ? measure(&t) : 0;
}

/* Any number, who have only the allocator in common. */

static unsigned int turns_at_once(void)
{
	return max(loops / (2 * STRETCH), 3U);
}

static __always_inline bool at_once(unsigned int me, void *from, get_fn get,
				    put_fn put)
{
	unsigned int i;

	for (i = turns_at_once(); i; i--) {
		if (!pair(from, get, put) ||
		    !burst(from, team_items[me], get, put))
			return false;
		team_breathe(me);
	}
	return true;
}

static noinline __aligned(64) bool uma_at_once(unsigned int me, void *from)
{
	return at_once(me, from, uma_get, uma_put);
}

static noinline __aligned(64) bool kmem_at_once(unsigned int me, void *from)
{
	return at_once(me, from, kmem_get, kmem_put);
}

static noinline __aligned(64) bool empty_at_once(unsigned int me, void *from)
{
	return at_once(me, from, empty_get, empty_put);
}

static int measure_at_once(const char *name, unsigned int cpus)
{
	const struct trial t = {
		.name = name,
		.size = 256,
		.stretches = team_runs(),
		.warm_up = 1,
		.pairs = cpus * turns_at_once() * 2 * STRETCH,
		.run = run_team,
		.job = { uma_at_once, kmem_at_once, empty_at_once },
		.cpus = cpus,
	};
	unsigned int ids[CPUS];

	return last_cpus(name, ids, cpus) ? measure(&t) : 0;
}

static int bench_cpus1(void)
{
	return measure_at_once("cpus1", 1);
}

static int bench_cpus2(void)
{
	return measure_at_once("cpus2", 2);
}

static int bench_cpus3(void)
{
	return measure_at_once("cpus3", 3);
}

static int bench_cpus4(void)
{
	return measure_at_once("cpus4", 4);
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
		w->name, quotient(w->max[OURS], 100, 2).text,
		quotient(w->max[PEER], 100, 2).text,
		w->max_size, w->above);
	if (w->above)
		pr_info("note %s above the peer's at sizes:%s\n", w->name,
			w->list);
	pr_info("row name=%s-mean unit=permille ours=%s peer=%s empty=0.00\n",
		w->name, quotient(w->sum[OURS], 100 * sizes, 2).text,
		quotient(w->sum[PEER], 100 * sizes, 2).text);
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
	{ "bulk16", bench_bulk16 },
	{ "bulk64", bench_bulk64 },
	{ "remote", bench_remote },
	{ "handover", bench_handover },
	{ "prodcons", bench_prodcons },
	{ "cpus1", bench_cpus1 },
	{ "cpus2", bench_cpus2 },
	{ "cpus3", bench_cpus3 },
	{ "cpus4", bench_cpus4 },
	{ "waste", bench_waste },
	{ "guard", bench_guard },
};

static int run_bench(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(benches); i++)
		if (!strcmp(name, benches[i].name))
			return benches[i].fn();
	pr_err("what=: no row \"%s\"\n", name);
	return -EINVAL;
}

static int __init uma_bench_init(void)
{
	char *list, *rest, *name;
	int error = 0;

	list = kstrdup(what, GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	pr_info("note loops=%u stretch=%u cpus=%u init_on_alloc=%s\n", loops,
		STRETCH, num_online_cpus(),
		want_init_on_alloc(GFP_KERNEL) ? "on" : "off");
	if (locks)
		error = lock_count_start();
	if (error)
		goto out;
	rest = list;
	while (!error && (name = strsep(&rest, ",")) != NULL)
		error = run_bench(name);
	if (locks)
		lock_count_stop();
	if (!error)
		pr_info("done\n");
out:
	kfree(list);
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
