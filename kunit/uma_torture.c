// SPDX-License-Identifier: GPL-2.0-only
/*
 * Torture for the zone allocator: everything at once, for a while, and then
 * the books must balance.
 *
 * The idea. An actor is whoever allocates and frees: a thread, a timer in
 * softirq context, a timer in hard interrupt context, a probe that runs below
 * the scheduler's own lock. All actors work on the same zones, in bursts that
 * make the caches exchange buckets, and on each CPU the interrupts land in the
 * middle of what the threads do. An item that is held carries its owner's mark
 * all over: words made of its address, its zone and a serial number that only
 * the holder knows. The mark is written after the allocation, checked before
 * the free and then overwritten, so an item that two actors hold at once, or
 * that anyone else writes to, is found by whoever frees it.
 *
 * What holds an item is a token. Each actor starts with a fixed number of them
 * and each hand-over slot with one, and a hand-over is one xchg() of tokens: a
 * full one goes in, what was there comes out and belongs to the taker. So
 * items change CPU and context without a lock that could order what the
 * allocator ought to order by itself.
 *
 * Beside the actors run a thread that calls uma_reclaim() at all levels, one
 * that reads the statistics, and one that creates and destroys zones which the
 * actors use meanwhile. Nobody sleeps for an item of the limited zone while he
 * holds one, and what is held is bounded by a quarter of the pool; hence every
 * sleeper must wake, and one that does not is reported.
 *
 * At the end all is freed and the numbers that the allocator shows are
 * compared with ours: to the last one, zone by zone, and page by page.
 *
 * CPUs may go offline and come back meanwhile; whoever takes them away ends the
 * run by the parameter `stop`. The kernel then moves a CPU's thread and timers
 * elsewhere, where they go on; the thread finds its CPU again when it is back,
 * and brings the timers along.
 *
 * The zones may be guarded by MemGuard, or some of their items; then freed items
 * keep the arena's pages, which are no pages lost.
 *
 * A failure is noted in a table and printed by the main thread: below the
 * scheduler's lock nobody may print.
 */
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "memguard/arena.h"
#include "uma/uma_int.h"
#include "uma/uma_stream.h"

#undef pr_fmt
#define pr_fmt(fmt) fmt

static unsigned int seconds = 10;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "how long to run (default 10)");

static unsigned int threads = 2;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "threads per CPU (default 2)");

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "start of all random choices (default: a random one, printed)");

static bool stop_early;
module_param_named(stop, stop_early, bool, 0644);
MODULE_PARM_DESC(stop, "write 1 to end it before its time, with all checks");

static bool quiet;
module_param(quiet, bool, 0444);
MODULE_PARM_DESC(quiet, "print the results only");

/* What is asserted; one line of the result each, in this order. */
enum check {
	C_MARKS,	/* every item carried its holder's mark at the free */
	C_CONTEXTS,	/* every kind of actor ran, allocated and freed */
	C_HANDOVER,	/* items were freed on other CPUs than their own */
	C_WAITOK,	/* M_WAITOK never returned NULL, every sleeper woke */
	C_LIMIT,	/* a limited zone never had more items out than allowed */
	C_LIFE,		/* init, ctor, dtor, fini in order, and as many of each */
	C_REFCNT,	/* counters stay with their items and survive the free */
	C_DYNAMIC,	/* zones could be created and destroyed meanwhile */
	C_STATS,	/* totals never went down, frees never above allocs */
	C_EXACT,	/* at the end the allocator's counts are ours */
	C_DESTROY,	/* at the end every zone could be destroyed */
	C_POOL,		/* at the end every page was back */
	C_MAX
};

static const char * const check_name[C_MAX] = {
	[C_MARKS]	= "items carry their owner's mark",
	[C_CONTEXTS]	= "threads and interrupts share the zones",
	[C_HANDOVER]	= "items are freed on other CPUs",
	[C_WAITOK]	= "M_WAITOK never fails and sleepers wake",
	[C_LIMIT]	= "limits hold",
	[C_LIFE]	= "init, ctor, dtor and fini balance",
	[C_REFCNT]	= "counters outlive their items",
	[C_DYNAMIC]	= "zones come and go",
	[C_STATS]	= "totals never go down",
	[C_EXACT]	= "counts are exact at rest",
	[C_DESTROY]	= "every zone can be destroyed",
	[C_POOL]	= "every page is back",
};

/* Failures, noted by anyone in any context, printed by the main thread. */
#define MAX_NOTES	32

static struct {
	bool ready;
	char text[192];
} notes[MAX_NOTES];
static atomic_t note_count;
static atomic_t failures[C_MAX];

/* What a zone of the torture is like, beside its uma(9) flags. */
#define TZ_TYPED	0x01	/* its items have struct typed at their end */
#define TZ_SECOND	0x02	/* secondary to the zone before it */
#define TZ_LIMIT	0x04	/* has a limit, and threads that sleep on it */
#define TZ_FLAKY	0x08	/* its init fails now and then */

/**
 * struct tz - a zone that lives as long as the torture
 * @name: as given to uma_zcreate()
 * @size: bytes of an item
 * @align: its alignment
 * @flags: UMA_ZONE_*
 * @kind: TZ_*
 * @zone: the zone
 * @marked: bytes of an item that carry the mark
 * @salt: goes into its marks
 * @max: the largest limit that the zone ever had, for TZ_LIMIT
 * @out: items out, for TZ_LIMIT
 * @nested: items that constructors of another zone took from this one
 * @nested_fails: times that they could not
 * @seen_allocs: the reader's last total of allocations
 * @seen_frees: and of frees
 */
struct tz {
	const char *name;
	size_t size;
	int align;
	u32 flags;
	unsigned int kind;
	uma_zone_t zone;
	size_t marked;
	u64 salt;
	int max;
	atomic_t out;
	atomic64_t nested;
	atomic64_t nested_fails;
	u64 seen_allocs;
	u64 seen_frees;
};

static struct tz zones[] = {
	{ "torture-8",		8,	UMA_ALIGN_PTR },
	{ "torture-13",		13,	UMA_ALIGN_CHAR },
	{ "torture-48",		48,	UMA_ALIGN_PTR },
	{ "torture-256",	256,	UMA_ALIGN_CACHE },
	{ "torture-1000",	1000,	UMA_ALIGN_LONG },
	{ "torture-page",	4096,	UMA_ALIGN_PTR },
	{ "torture-large",	9000,	UMA_ALIGN_PTR },
	{ "torture-zinit",	96,	UMA_ALIGN_INT,	UMA_ZONE_ZINIT },
	{ "torture-offpage",	64,	UMA_ALIGN_PTR,	UMA_ZONE_OFFPAGE },
	{ "torture-nofree",	320,	UMA_ALIGN_PTR,
	  UMA_ZONE_NOFREE | UMA_ZONE_MTXCLASS },
	{ "torture-refcnt",	512,	UMA_ALIGN_PTR,	UMA_ZONE_REFCNT },
	{ "torture-refcnt-small", 32,	UMA_ALIGN_PTR,	UMA_ZONE_REFCNT },
	{ "torture-typed",	192,	UMA_ALIGN_CACHE, 0, TZ_TYPED },
	{ "torture-second",	192,	UMA_ALIGN_CACHE, 0,
	  TZ_TYPED | TZ_SECOND },
	{ "torture-limit",	128,	UMA_ALIGN_PTR,	0, TZ_LIMIT },
	{ "torture-flaky",	224,	UMA_ALIGN_PTR,	0, TZ_FLAKY },
};

#define NZONES	ARRAY_SIZE(zones)
#define Z_NESTED (&zones[2])

/*
 * The expensive state of an item of a typed zone, which a free must leave as
 * it is: init sets it up, ctor and dtor, zinit and zfini move it between the
 * states, and each of them finds the one that the last one left.
 */
enum typed_state {
	TS_KEG = 0x4b4547,	/* in the keg, or cached by the master zone */
	TS_SECOND,		/* cached by the secondary zone */
	TS_LIVE,		/* with a user of the master zone */
	TS_LIVE_SECOND,		/* with a user of the secondary zone */
	TS_GONE,		/* fini ran */
};

struct typed {
	u32 magic;
	u32 state;
	void *nested;
};

/* A constructor that is given this as its argument fails. */
static char fail_ctor;

static atomic64_t life_init, life_fini, life_zinit, life_zfini;
static atomic64_t life_ctor, life_dtor, flaky_init, flaky_fini;
static atomic_t flaky_calls;

/* Who allocates. */
enum context { CTX_THREAD, CTX_SOFTIRQ, CTX_HARDIRQ, CTX_SCHED, CTX_MAIN, CTX_MAX };

static const char * const context_name[CTX_MAX] = {
	"thread", "softirq", "hardirq", "scheduler", "main"
};

/**
 * struct token - the right to hold one item
 * @item: the item held, or NULL
 * @tz: its zone
 * @serial: what its mark is made of
 * @cpu: where it was allocated
 */
struct token {
	void *item;
	struct tz *tz;
	u64 serial;
	int cpu;
};

struct count {
	u64 allocs, frees, fails;
};

/**
 * struct actor - one who allocates, frees and hands over
 * @kind: its context
 * @id: its number, part of its serials
 * @rnd: its random choices
 * @timer: what runs it, for CTX_SOFTIRQ and CTX_HARDIRQ
 * @task: what runs it, for CTX_THREAD
 * @cpu: where it runs, or -1
 * @room: tokens that it has, the first @held of them full
 * @held: see @room
 * @goal: how many it would like to hold at present
 * @left: steps until it changes its mind
 * @favourite: the zone that it uses until then, or NULL for any
 * @bytes: what it holds; above @budget it takes no large items
 * @budget: see @bytes
 * @limited: items of limited zones that it holds
 * @serial: of its last item
 * @ops: steps taken
 * @crossed: items that it freed on another CPU than they came from
 * @handed: items that it put in a hand-over slot
 * @sleeps: allocations with M_WAITOK that found their zone exhausted
 * @homecomings: times that it came to its own CPU, once without hot-plug
 * @stale: a counter of an item freed since
 * @sleeping: the zone that it sleeps for perhaps, since @since
 * @since: see @sleeping, in jiffies
 * @stuck: it slept so long that this was reported
 * @n: what it did to each zone
 * @tokens: see @room
 */
struct actor {
	enum context kind;
	unsigned int id;
	struct rnd_state rnd;
	struct hrtimer timer;
	struct task_struct *task;
	int cpu;
	unsigned int room;
	unsigned int held;
	unsigned int goal;
	unsigned int left;
	struct tz *favourite;
	size_t bytes;
	size_t budget;
	unsigned int limited;
	u64 serial;
	u64 ops;
	u64 crossed;
	u64 handed;
	u64 sleeps;
	u64 homecomings;
	u32 *stale;
	struct tz *sleeping;
	unsigned long since;
	bool stuck;
	struct count n[NZONES];
	struct token **tokens;
};

#define ROOM_THREAD	288	/* more than two buckets of the largest size */
#define ROOM_IRQ	48
#define ROOM_SCHED	16
#define MAX_BUDGET	(768 * 1024)
#define NSLOTS		128
#define STALE_MAGIC	0x57a1e000

#define STUCK_SECS	30

static struct actor **actors;
static unsigned int nactors;
static struct actor *main_actor;
static DEFINE_PER_CPU(struct actor *, softirq_actor);
static DEFINE_PER_CPU(struct actor *, hardirq_actor);
static DEFINE_PER_CPU(struct actor *, sched_actor);
static struct token *slots[NSLOTS];

/* The zone that everybody likes best at present, so that they meet there. */
static unsigned int hot;
static bool stopping;		/* free what you hold, take nothing new */
static bool timers_off;
static atomic_t running;	/* threads that have not finished yet */
static DEFINE_RAW_SPINLOCK(callers_lock);

static struct task_struct *reclaimer, *reader, *creator;
static u64 reclaims, readings, zones_created;

/**
 * struct guest - a zone that comes and goes, and those who use it
 * @lock: guards the rest
 * @zone: the zone, or NULL
 * @size: bytes of its items
 * @users: those who are in the middle of using it
 */
struct guest {
	raw_spinlock_t lock;
	uma_zone_t zone;
	size_t size;
	int users;
};

static struct guest guests[4];
static atomic64_t guest_uses, guest_ctor, guest_dtor, guest_init, guest_fini;

__printf(2, 3)
static void note_failure(enum check c, const char *fmt, ...)
{
	int n = atomic_inc_return(&note_count) - 1;
	va_list args;

	atomic_inc(&failures[c]);
	if (n >= MAX_NOTES)
		return;
	va_start(args, fmt);
	vscnprintf(notes[n].text, sizeof(notes[n].text), fmt, args);
	va_end(args);
	/* pairs with print_notes(): the text is there before the word is */
	smp_store_release(&notes[n].ready, true);
}

static void print_notes(void)
{
	static int printed;

	/* pairs with note_failure() */
	while (printed < MAX_NOTES && smp_load_acquire(&notes[printed].ready))
		pr_err("# uma_torture: %s\n", notes[printed++].text);
}

static u32 rnd(struct actor *a, u32 below)
{
	return ((u64)prandom_u32_state(&a->rnd) * below) >> 32;
}

static struct actor *new_actor(enum context kind, int cpu, unsigned int room,
			       size_t budget)
{
	struct actor *a = kzalloc(sizeof(*a), GFP_KERNEL);
	unsigned int i;

	if (!a)
		return NULL;
	a->tokens = kcalloc(room, sizeof(*a->tokens), GFP_KERNEL);
	if (!a->tokens) {
		kfree(a);
		return NULL;
	}
	a->room = room;
	for (i = 0; i < room; i++) {
		a->tokens[i] = kzalloc(sizeof(**a->tokens), GFP_KERNEL);
		if (!a->tokens[i]) {
			while (i--)
				kfree(a->tokens[i]);
			kfree(a->tokens);
			kfree(a);
			return NULL;
		}
	}
	a->kind = kind;
	a->cpu = cpu;
	a->budget = budget;
	a->id = nactors;
	prandom_seed_state(&a->rnd, seed + nactors * 0x9e3779b97f4a7c15ULL);
	actors[nactors++] = a;
	return a;
}

static void free_actor(struct actor *a)
{
	unsigned int i;

	for (i = 0; i < a->room; i++)
		kfree(a->tokens[i]);
	kfree(a->tokens);
	kfree(a);
}

/*
 * Marks. A small item is marked all over, of a larger one the first and the
 * last words, and one word in each 512 bytes between.
 */
static unsigned int next_word(unsigned int i, unsigned int words)
{
	if (words <= 64 || i < 7 || i + 8 >= words)
		return i + 1;
	return min(round_down(i, 64) + 64, words - 8);
}

static u64 mark_word(const struct token *t, unsigned int i)
{
	u64 w = (t->serial + i) * 0x9e3779b97f4a7c15ULL;

	return w ^ (w >> 29) ^ (unsigned long)t->item ^ t->tz->salt;
}

/* Items need not be aligned to a word, hence the copies. */
static void write_mark(const struct token *t)
{
	unsigned int i, words = t->tz->marked / 8;
	u64 w;

	for (i = 0; i < words; i = next_word(i, words)) {
		w = mark_word(t, i);
		memcpy(t->item + i * 8, &w, 8);
	}
	w = mark_word(t, words);
	memcpy(t->item + words * 8, &w, t->tz->marked % 8);
}

static void check_mark(const struct token *t, const char *where)
{
	unsigned int i, words = t->tz->marked / 8;
	u64 w, found = 0;

	for (i = 0; i < words; i = next_word(i, words)) {
		w = mark_word(t, i);
		memcpy(&found, t->item + i * 8, 8);
		if (found != w)
			goto bad;
	}
	w = mark_word(t, words);
	if (!memcmp(t->item + words * 8, &w, t->tz->marked % 8))
		return;
	found = 0;
	memcpy(&found, t->item + words * 8, t->tz->marked % 8);
bad:
	note_failure(C_MARKS,
		     "%s: item %p of CPU %d, word %u is %016llx, wants %016llx, freed in %s on CPU %d",
		     t->tz->name, t->item, t->cpu, i, found, w, where,
		     raw_smp_processor_id());
}

/* A zone with UMA_ZONE_ZINIT wants its items back as they came: zeroed. */
static void wipe_mark(const struct token *t)
{
	memset(t->item, t->tz->flags & UMA_ZONE_ZINIT ? 0 : 0xd6,
	       min_t(size_t, t->tz->marked, 512));
	if (t->tz->marked > 512)
		memset(t->item + t->tz->marked - 64, 0xd6, 64);
}

static struct typed *typed_of(void *mem, int size)
{
	return mem + size - sizeof(struct typed);
}

static u32 typed_magic(const struct typed *ty)
{
	return ((unsigned long)ty >> 3) * 0x9e3779b1u;
}

/* Move an item's state on, which must be @from. */
static void typed_move(void *mem, int size, enum typed_state from,
		       enum typed_state to, const char *who)
{
	struct typed *ty = typed_of(mem, size);

	if (ty->magic != typed_magic(ty) || ty->state != from)
		note_failure(C_LIFE,
			     "%s: item %p has magic %x, wants %x, state %x, wants %x",
			     who, mem, ty->magic, typed_magic(ty), ty->state,
			     from);
	ty->magic = typed_magic(ty);
	ty->state = to;
}

static int typed_init(void *mem, int size, int flags)
{
	struct typed *ty = typed_of(mem, size);

	if (flags & M_WAITOK)
		might_sleep();
	ty->magic = typed_magic(ty);
	ty->state = TS_KEG;
	ty->nested = NULL;
	atomic64_inc(&life_init);
	return 0;
}

static void typed_fini(void *mem, int size)
{
	typed_move(mem, size, TS_KEG, TS_GONE, "fini");
	atomic64_inc(&life_fini);
}

static int typed_ctor(void *mem, int size, void *arg, int flags)
{
	if (flags & M_WAITOK)
		might_sleep();
	typed_move(mem, size, TS_KEG, TS_LIVE, "ctor");
	atomic64_inc(&life_ctor);
	return 0;
}

static void typed_dtor(void *mem, int size, void *arg)
{
	typed_move(mem, size, TS_LIVE, TS_KEG, "dtor");
	atomic64_inc(&life_dtor);
}

static int second_zinit(void *mem, int size, int flags)
{
	if (flags & M_WAITOK)
		might_sleep();
	typed_move(mem, size, TS_KEG, TS_SECOND, "zinit");
	atomic64_inc(&life_zinit);
	return 0;
}

static void second_zfini(void *mem, int size)
{
	typed_move(mem, size, TS_SECOND, TS_KEG, "zfini");
	atomic64_inc(&life_zfini);
}

/* Takes an item of another zone, as a packet takes its cluster. */
static int second_ctor(void *mem, int size, void *arg, int flags)
{
	struct typed *ty = typed_of(mem, size);

	if (flags & M_WAITOK)
		might_sleep();
	if (arg == &fail_ctor)
		return -ENOMEM;
	ty->nested = uma_zalloc(Z_NESTED->zone, flags & (M_WAITOK | M_NOWAIT));
	if (!ty->nested) {
		atomic64_inc(&Z_NESTED->nested_fails);
		return -ENOMEM;
	}
	memcpy(ty->nested, &mem, sizeof(mem));
	atomic64_inc(&Z_NESTED->nested);
	typed_move(mem, size, TS_SECOND, TS_LIVE_SECOND, "second ctor");
	atomic64_inc(&life_ctor);
	return 0;
}

static void second_dtor(void *mem, int size, void *arg)
{
	struct typed *ty = typed_of(mem, size);

	if (memcmp(ty->nested, &mem, sizeof(mem)))
		note_failure(C_MARKS, "nested item %p is not of %p",
			     ty->nested, mem);
	memset(ty->nested, 0xd6, sizeof(mem));
	uma_zfree(Z_NESTED->zone, ty->nested);
	ty->nested = NULL;
	typed_move(mem, size, TS_LIVE_SECOND, TS_SECOND, "second dtor");
	atomic64_inc(&life_dtor);
}

static int flaky_zone_init(void *mem, int size, int flags)
{
	if (atomic_inc_return(&flaky_calls) % 61 == 0)
		return -EIO;
	atomic64_inc(&flaky_init);
	return 0;
}

static void flaky_zone_fini(void *mem, int size)
{
	atomic64_inc(&flaky_fini);
}

static int create_zones(void)
{
	unsigned int i;
	struct tz *tz;

	for (i = 0; i < NZONES; i++) {
		tz = &zones[i];
		tz->salt = (seed ^ (i + 1)) * 0xff51afd7ed558ccdULL;
		tz->marked = tz->size;
		if (tz->kind & TZ_TYPED)
			tz->marked -= sizeof(struct typed);
		if (tz->kind & TZ_SECOND)
			tz->zone = uma_zsecond_create(tz->name, second_ctor,
						      second_dtor, second_zinit,
						      second_zfini,
						      tz[-1].zone);
		else if (tz->kind & TZ_TYPED)
			tz->zone = uma_zcreate(tz->name, tz->size, typed_ctor,
					       typed_dtor, typed_init,
					       typed_fini, tz->align,
					       tz->flags);
		else if (tz->kind & TZ_FLAKY)
			tz->zone = uma_zcreate(tz->name, tz->size, NULL, NULL,
					       flaky_zone_init, flaky_zone_fini,
					       tz->align, tz->flags);
		else
			tz->zone = uma_zcreate(tz->name, tz->size, NULL, NULL,
					       NULL, NULL, tz->align,
					       tz->flags);
		if (!tz->zone) {
			note_failure(C_DYNAMIC, "cannot create %s", tz->name);
			return -ENOMEM;
		}
		if (tz->kind & TZ_LIMIT) {
			uma_zone_set_max(tz->zone, 2 * ROOM_IRQ);
			tz->max = uma_zone_get_max(tz->zone);
			if (tz->max < 2 * ROOM_IRQ)
				note_failure(C_LIMIT, "%s: limit %d became %d",
					     tz->name, 2 * ROOM_IRQ, tz->max);
		}
	}
	return 0;
}

/* How a thread calls: as itself, or below something that forbids sleep. */
enum manner { PLAIN, IRQS_OFF, LOCKED, BH_OFF };

static void *alloc_in_manner(enum manner how, uma_zone_t zone, void *arg,
			     int flags)
{
	unsigned long irq;
	void *item;

	switch (how) {
	case IRQS_OFF:
		local_irq_save(irq);
		item = uma_zalloc_arg(zone, arg, flags);
		local_irq_restore(irq);
		return item;
	case LOCKED:
		raw_spin_lock_irqsave(&callers_lock, irq);
		item = uma_zalloc_arg(zone, arg, flags);
		raw_spin_unlock_irqrestore(&callers_lock, irq);
		return item;
	case BH_OFF:
		local_bh_disable();
		item = uma_zalloc_arg(zone, arg, flags);
		local_bh_enable();
		return item;
	default:
		return uma_zalloc_arg(zone, arg, flags);
	}
}

static void free_in_manner(enum manner how, uma_zone_t zone, void *item)
{
	unsigned long irq;

	switch (how) {
	case IRQS_OFF:
		local_irq_save(irq);
		uma_zfree(zone, item);
		local_irq_restore(irq);
		break;
	case LOCKED:
		raw_spin_lock_irqsave(&callers_lock, irq);
		uma_zfree(zone, item);
		raw_spin_unlock_irqrestore(&callers_lock, irq);
		break;
	case BH_OFF:
		local_bh_disable();
		uma_zfree(zone, item);
		local_bh_enable();
		break;
	default:
		uma_zfree(zone, item);
	}
}

static enum manner pick_manner(struct actor *a)
{
	u32 r = a->kind == CTX_THREAD ? rnd(a, 16) : 15;

	return r == 0 ? IRQS_OFF : r == 1 ? LOCKED : r == 2 ? BH_OFF : PLAIN;
}

static void account(struct actor *a, const struct token *t, int sign)
{
	a->bytes += sign * (long)t->tz->size;
	if (t->tz->kind & TZ_LIMIT)
		a->limited += sign;
}

/* The counter of an item that nobody holds is 0, here and for ever. */
static void claim_counter(const struct token *t)
{
	u32 *ref = uma_find_refcnt(t->tz->zone, t->item);
	u32 old;

	if (!ref) {
		note_failure(C_REFCNT, "%s: item %p has no counter",
			     t->tz->name, t->item);
		return;
	}
	old = cmpxchg(ref, 0, (u32)t->serial | 1);
	if (old)
		note_failure(C_REFCNT, "%s: item %p is new, its counter %x",
			     t->tz->name, t->item, old);
}

static void release_counter(struct actor *a, const struct token *t)
{
	u32 *ref = uma_find_refcnt(t->tz->zone, t->item);
	u32 old;

	if (!ref) {
		note_failure(C_REFCNT, "%s: item %p has lost its counter",
			     t->tz->name, t->item);
		return;
	}
	old = cmpxchg(ref, (u32)t->serial | 1, 0);
	if (old != ((u32)t->serial | 1))
		note_failure(C_REFCNT, "%s: item %p has counter %x, wants %x",
			     t->tz->name, t->item, old, (u32)t->serial | 1);
	/* A stale holder: the counter must still be one after the free. */
	if (a->stale && cmpxchg(a->stale, STALE_MAGIC, 0) == STALE_MAGIC)
		note_failure(C_REFCNT, "a counter holds what nobody wrote");
	a->stale = ref;
}

static void took_item(struct actor *a, struct token *t, int flags)
{
	struct tz *tz = t->tz;
	int out;

	if ((unsigned long)t->item & tz->align)
		note_failure(C_MARKS, "%s: item %p is not aligned to %d",
			     tz->name, t->item, tz->align + 1);
	if (((flags & M_ZERO) || (tz->flags & UMA_ZONE_ZINIT)) &&
	    memchr_inv(t->item, 0, tz->size))
		note_failure(C_MARKS, "%s: item %p is not zeroed", tz->name,
			     t->item);
	if (tz->kind & TZ_LIMIT) {
		out = atomic_inc_return(&tz->out);
		if (out > tz->max)
			note_failure(C_LIMIT, "%s: %d items out of %d", tz->name,
				     out, tz->max);
	}
	t->serial = (u64)a->id << 40 | ++a->serial;
	t->cpu = raw_smp_processor_id();
	if (tz->flags & UMA_ZONE_REFCNT)
		claim_counter(t);
	write_mark(t);
	account(a, t, 1);
	a->held++;
}

static struct tz *pick_zone(struct actor *a)
{
	if (a->kind != CTX_THREAD && rnd(a, 2))
		return &zones[READ_ONCE(hot)];
	return a->favourite ?: &zones[rnd(a, NZONES)];
}

static void alloc_one(struct actor *a)
{
	struct tz *tz = pick_zone(a);
	struct token *t = a->tokens[a->held];
	enum manner how = pick_manner(a);
	int flags = M_NOWAIT;
	void *arg = NULL;

	if (a->bytes + tz->size > a->budget && tz->size > 512)
		tz = &zones[rnd(a, 4)];
	/*
	 * Who holds an item of a limited zone must not sleep for another.
	 * Whoever sleeps for something else goes on holding what he has, and
	 * that is bounded.
	 */
	if (a->kind == CTX_THREAD && how == PLAIN && rnd(a, 2) &&
	    !(tz->kind & TZ_LIMIT && a->limited))
		flags = M_WAITOK;
	else if (a->kind != CTX_THREAD && !rnd(a, 16))
		flags |= M_USE_RESERVE;
	if (!(tz->kind & TZ_TYPED) && !rnd(a, 8))
		flags |= M_ZERO;
	if (tz->kind & TZ_SECOND && !rnd(a, 8))
		arg = &fail_ctor;

	if (flags & M_WAITOK) {
		if (tz->kind & TZ_LIMIT && uma_zone_exhausted(tz->zone))
			a->sleeps++;
		WRITE_ONCE(a->since, jiffies);
		/* pairs with watch_sleepers(): a zone comes with its time */
		smp_store_release(&a->sleeping, tz);
	}
	t->item = alloc_in_manner(how, tz->zone, arg, flags);
	WRITE_ONCE(a->sleeping, NULL);

	if (t->item && arg) {
		note_failure(C_LIFE, "%s: an item whose constructor failed",
			     tz->name);
	} else if (!t->item) {
		a->n[tz - zones].fails++;
		if (flags & M_WAITOK && !arg && !(tz->kind & TZ_FLAKY))
			note_failure(C_WAITOK, "%s: M_WAITOK returned NULL",
				     tz->name);
		return;
	}
	a->n[tz - zones].allocs++;
	t->tz = tz;
	took_item(a, t, flags);
}

/* Free what the token at @i holds; the last full one takes its place. */
static void free_one(struct actor *a, unsigned int i)
{
	struct token *t = a->tokens[i];
	struct tz *tz = t->tz;
	enum manner how = pick_manner(a);

	check_mark(t, context_name[a->kind]);
	if (tz->flags & UMA_ZONE_REFCNT)
		release_counter(a, t);
	wipe_mark(t);
	if (t->cpu != raw_smp_processor_id())
		a->crossed++;
	if (tz->kind & TZ_LIMIT)
		atomic_dec(&tz->out);
	account(a, t, -1);
	free_in_manner(how, tz->zone, t->item);
	a->n[tz - zones].frees++;
	t->item = NULL;
	a->held--;
	swap(a->tokens[i], a->tokens[a->held]);
}

/* Put a full token in a slot and go on with the one that was there. */
static void hand_over(struct actor *a, unsigned int i)
{
	struct token *t = a->tokens[i];

	account(a, t, -1);
	t = xchg(&slots[rnd(a, NSLOTS)], t);
	a->tokens[i] = t;
	a->handed++;
	if (t->item) {
		account(a, t, 1);
	} else {
		a->held--;
		swap(a->tokens[i], a->tokens[a->held]);
	}
}

/* A zone that may be destroyed the moment that nobody is in here. */
static void use_guest(struct actor *a)
{
	struct guest *g = &guests[rnd(a, ARRAY_SIZE(guests))];
	uma_zone_t zone;
	unsigned long irq;
	size_t size;
	void *item;
	u64 w;

	raw_spin_lock_irqsave(&g->lock, irq);
	zone = g->zone;
	size = g->size;
	if (zone)
		g->users++;
	raw_spin_unlock_irqrestore(&g->lock, irq);
	if (!zone)
		return;
	item = uma_zalloc(zone, M_NOWAIT);
	if (item) {
		w = (unsigned long)item ^ a->id ^ ++a->serial;
		memcpy(item, &w, 8);
		memcpy(item + size - 8, &w, 8);
		cpu_relax();
		if (memcmp(item, &w, size == 8 ? 8 : 0) ||
		    memcmp(item + size - 8, &w, 8))
			note_failure(C_MARKS, "a guest zone's item %p changed",
				     item);
		memset(item, 0, 8);
		memset(item + size - 8, 0, 8);
		uma_zfree(zone, item);
		atomic64_inc(&guest_uses);
	}
	raw_spin_lock_irqsave(&g->lock, irq);
	g->users--;
	raw_spin_unlock_irqrestore(&g->lock, irq);
}

/*
 * Each phase has a goal, and often a favourite zone, so that the caches fill
 * and empty beyond their edges and are not only hovered in.
 */
static void new_phase(struct actor *a)
{
	a->left = 16 + rnd(a, 2 * a->room);
	a->favourite = rnd(a, 3) ? &zones[rnd(a, NZONES)] : NULL;
	if (rnd(a, 2))
		a->favourite = &zones[READ_ONCE(hot)];
	a->goal = rnd(a, 2) ? rnd(a, a->room) : rnd(a, 2) ? a->room : 0;
}

/*
 * Nothing but pairs on the hot zone, so that a good part of a thread's time
 * is spent inside the fast path's section, where the interrupts are to hit it.
 */
static void pairs(struct actor *a)
{
	struct tz *tz = &zones[READ_ONCE(hot)];
	struct count *n = &a->n[tz - zones];
	unsigned int i;
	u64 w, found;
	void *item;

	if (tz->kind & TZ_LIMIT)
		return;
	for (i = 0; i < 64; i++) {
		item = uma_zalloc(tz->zone, M_NOWAIT);
		if (!item) {
			n->fails++;
			return;
		}
		n->allocs++;
		w = (unsigned long)item ^ (u64)a->id << 48 ^ ++a->serial << 16;
		memcpy(item, &w, 8);
		barrier();
		memcpy(&found, item, 8);
		if (found != w)
			note_failure(C_MARKS, "%s: item %p changed in a pair",
				     tz->name, item);
		if (tz->flags & UMA_ZONE_ZINIT)
			memset(item, 0, 8);
		uma_zfree(tz->zone, item);
		n->frees++;
	}
}

static void step(struct actor *a)
{
	a->ops++;
	if (READ_ONCE(stopping)) {
		if (a->held)
			free_one(a, a->held - 1);
		return;
	}
	if (!a->left--)
		new_phase(a);
	if (a->kind == CTX_THREAD && !rnd(a, 24))
		pairs(a);
	if (a->held < a->room && rnd(a, 4) < (a->held < a->goal ? 3 : 1))
		alloc_one(a);
	else if (a->held && rnd(a, 6))
		free_one(a, rnd(a, a->held));
	else if (a->held)
		hand_over(a, rnd(a, a->held));
	else if (!rnd(a, 4))
		use_guest(a);
}

/*
 * Timers take a quarter of their CPU's time at the most, however slow the
 * kernel and the machine are.
 */
static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	struct actor *a = container_of(timer, struct actor, timer);
	ktime_t start = ktime_get();
	unsigned int i;
	s64 took;

	if (READ_ONCE(timers_off))
		return HRTIMER_NORESTART;
	for (i = 1 + rnd(a, 6); i; i--)
		step(a);
	took = ktime_to_ns(ktime_sub(ktime_get(), start));
	hrtimer_forward_now(timer, ns_to_ktime(50000 + rnd(a, 100000) +
					       7 * took));
	return HRTIMER_RESTART;
}

static void start_timer(struct actor *a, enum hrtimer_mode mode)
{
	hrtimer_init(&a->timer, CLOCK_MONOTONIC, mode);
	a->timer.function = timer_fired;
	hrtimer_start(&a->timer, ns_to_ktime(100000), mode);
}

#ifdef CONFIG_TRACEPOINTS
/*
 * The worst place to call from: interrupts off and the run queue's lock held,
 * so that a wake-up from here would deadlock. Where there are no tracepoints
 * this actor is missing.
 */
static struct tracepoint *sched_switch;

static void switched(void *data, bool preempt, struct task_struct *prev,
		     struct task_struct *next, unsigned int prev_state)
{
	struct actor *a = this_cpu_read(sched_actor);

	if (a && !rnd(a, 4))
		step(a);
}

static void find_sched_switch(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "sched_switch"))
		sched_switch = tp;
}

static bool sched_start(void)
{
	for_each_kernel_tracepoint(find_sched_switch, NULL);
	if (sched_switch &&
	    tracepoint_probe_register(sched_switch, switched, NULL))
		sched_switch = NULL;
	return sched_switch;
}

static void sched_stop(void)
{
	if (!sched_switch)
		return;
	tracepoint_probe_unregister(sched_switch, switched, NULL);
	tracepoint_synchronize_unregister();
}
#else
static bool sched_start(void) { return false; }
static void sched_stop(void) {}
#endif

/* Threads stay until they are collected, so that the module can go. */
static int wait_for_stop(void)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Start a timer on this CPU, wherever it ran before. */
static void bring_timer(struct actor *a, enum hrtimer_mode mode)
{
	if (!a->timer.function) {
		start_timer(a, mode);
		return;
	}
	hrtimer_cancel(&a->timer);
	hrtimer_start(&a->timer, ns_to_ktime(100000), mode);
}

/*
 * A thread with a CPU of its own has lost it if it may run on others: so it
 * begins, and so it is after its CPU went. Once that is there, go there, and
 * have its timers there as well.
 */
static void go_home(struct actor *a)
{
	if (a->cpu < 0 || (a->homecomings && current->nr_cpus_allowed == 1) ||
	    !cpu_active(a->cpu) ||
	    set_cpus_allowed_ptr(current, cpumask_of(a->cpu)))
		return;
	bring_timer(per_cpu(softirq_actor, a->cpu),
		    HRTIMER_MODE_REL_PINNED_SOFT);
	bring_timer(per_cpu(hardirq_actor, a->cpu),
		    HRTIMER_MODE_REL_PINNED_HARD);
	a->homecomings++;
}

static int actor_thread(void *arg)
{
	struct actor *a = arg;
	unsigned int i;

	set_user_nice(current, 5);
	while (!READ_ONCE(stopping) || a->held) {
		go_home(a);
		for (i = 0; i < 16; i++)
			step(a);
		if (rnd(a, 64))
			cond_resched();
		else
			usleep_range(50, 1000);
	}
	atomic_dec(&running);
	return wait_for_stop();
}

static int reclaimer_thread(void *arg)
{
	struct rnd_state state;

	prandom_seed_state(&state, seed + 1);
	while (!kthread_should_stop()) {
		uma_reclaim(UMA_RECLAIM_TRIM + prandom_u32_state(&state) % 3);
		reclaims++;
		usleep_range(100, 100 + prandom_u32_state(&state) % 30000);
	}
	return 0;
}

/*
 * Statistics. A zone's total is its own count and those of all CPU slots; it
 * never goes down, and no reading shows more frees than allocations.
 */
static struct uma_percpu_stat *slot_buffer;

static void read_totals(uma_zone_t zone, u64 *allocs, u64 *frees, u64 *fails)
{
	struct uma_type_header uth;
	unsigned int i;

	uma_zone_stats(zone, &uth, slot_buffer);
	*allocs = uth.uth_allocs;
	*frees = uth.uth_frees;
	*fails = uth.uth_fails;
	for (i = 0; i < nr_cpu_ids; i++) {
		*allocs += slot_buffer[i].ups_allocs;
		*frees += slot_buffer[i].ups_frees;
	}
}

static void read_zone(struct tz *tz)
{
	u64 allocs, frees, fails;

	read_totals(tz->zone, &allocs, &frees, &fails);
	if (frees > allocs)
		note_failure(C_STATS, "%s: %llu frees of %llu allocations",
			     tz->name, frees, allocs);
	if (allocs < tz->seen_allocs)
		note_failure(C_STATS, "%s: allocations went from %llu to %llu",
			     tz->name, tz->seen_allocs, allocs);
	if (frees < tz->seen_frees)
		note_failure(C_STATS, "%s: frees went from %llu to %llu",
			     tz->name, tz->seen_frees, frees);
	tz->seen_allocs = allocs;
	tz->seen_frees = frees;
}

static int reader_thread(void *arg)
{
	u64 allocs, frees, fails;
	struct rnd_state state;
	unsigned int i, count;
	uma_zone_t zone;

	prandom_seed_state(&state, seed + 2);
	while (!kthread_should_stop()) {
		WRITE_ONCE(hot, prandom_u32_state(&state) % NZONES);
		for (i = 0; i < NZONES; i++)
			read_zone(&zones[i]);
		for (i = 0; i < 100; i++)
			read_zone(&zones[hot]);
		/* All zones, the allocator's own and the guests among them. */
		count = 0;
		uma_for_each_zone(zone) {
			count++;
			read_totals(zone, &allocs, &frees, &fails);
			if (frees > allocs)
				note_failure(C_STATS,
					     "%s: %llu frees of %llu allocations",
					     zone->uz_name, frees, allocs);
		}
		if (count < NZONES)
			note_failure(C_STATS, "%u zones listed of %zu", count,
				     NZONES);
		readings++;
		usleep_range(1000, 1000 + prandom_u32_state(&state) % 10000);
	}
	return 0;
}

/* Zones that come and go. */
static int guest_zone_init(void *mem, int size, int flags)
{
	atomic64_inc(&guest_init);
	return 0;
}

static void guest_zone_fini(void *mem, int size)
{
	atomic64_inc(&guest_fini);
}

static int guest_zone_ctor(void *mem, int size, void *arg, int flags)
{
	atomic64_inc(&guest_ctor);
	return 0;
}

static void guest_zone_dtor(void *mem, int size, void *arg)
{
	atomic64_inc(&guest_dtor);
}

static void destroy_guest(uma_zone_t zone, const char *what)
{
	int error = uma_zdestroy(zone);

	if (error)
		note_failure(C_DYNAMIC, "%s of %s: error %d", "uma_zdestroy()",
			     what, error);
}

/*
 * Let a guest zone be used for a while, then wait for the last user. A few
 * milliseconds are nothing where interrupts leave hardly any time to others:
 * it stays until somebody has come, but not for ever.
 */
static void show_guest(struct guest *g, uma_zone_t zone, size_t size,
		       struct rnd_state *state)
{
	s64 before = atomic64_read(&guest_uses);
	unsigned long shown = jiffies;
	int users;

	raw_spin_lock_irq(&g->lock);
	g->size = size;
	g->zone = zone;
	raw_spin_unlock_irq(&g->lock);
	do {
		usleep_range(500, 1000 + prandom_u32_state(state) % 20000);
	} while (atomic64_read(&guest_uses) == before &&
		 !READ_ONCE(stopping) && jiffies - shown < HZ);
	raw_spin_lock_irq(&g->lock);
	g->zone = NULL;
	raw_spin_unlock_irq(&g->lock);
	do {
		usleep_range(20, 200);
		raw_spin_lock_irq(&g->lock);
		users = g->users;
		raw_spin_unlock_irq(&g->lock);
	} while (users);
}

static void one_guest(struct rnd_state *state)
{
	static const size_t sizes[] = {
		8, 24, 64, 120, 200, 336, 512, 808, 1600, 2048, 4096, 8192,
		12000,
	};
	static const u32 kinds[] = {
		0, 0, 0, UMA_ZONE_ZINIT, UMA_ZONE_OFFPAGE, UMA_ZONE_NOFREE,
		UMA_ZONE_REFCNT, UMA_ZONE_MTXCLASS,
	};
	u32 r = prandom_u32_state(state);
	size_t size = sizes[r % ARRAY_SIZE(sizes)];
	u32 kind = kinds[(r >> 8) % ARRAY_SIZE(kinds)];
	struct guest *g = &guests[(r >> 16) % ARRAY_SIZE(guests)];
	bool life = (r >> 20) & 1;
	bool lasting = kind & (UMA_ZONE_NOFREE | UMA_ZONE_REFCNT | UMA_ZONE_ZINIT);
	uma_zone_t zone, second = NULL;
	void *items[24];
	unsigned int i;

	zone = uma_zcreate("torture-guest", size,
			   life ? guest_zone_ctor : NULL,
			   life ? guest_zone_dtor : NULL,
			   life && !lasting ? guest_zone_init : NULL,
			   life && !lasting ? guest_zone_fini : NULL,
			   UMA_ALIGN_PTR, kind);
	if (!zone) {
		note_failure(C_DYNAMIC, "no zone of size %zu, flags %x", size,
			     kind);
		return;
	}
	zones_created++;
	if ((r >> 21) & 1)
		uma_prealloc(zone, 1 + r % 16);
	if ((r >> 22) & 1)
		uma_zone_set_max(zone, 1 + r % 64);
	if ((r >> 23) & 1) {
		second = uma_zsecond_create("torture-guest-second",
					    guest_zone_ctor, guest_zone_dtor,
					    NULL, NULL, zone);
		if (!second)
			note_failure(C_DYNAMIC, "no second zone on size %zu",
				     size);
		else
			zones_created++;
	}
	for (i = 0; i < ARRAY_SIZE(items); i++)
		items[i] = uma_zalloc(second ?: zone, M_NOWAIT);
	show_guest(g, (r >> 24) & 1 ? second ?: zone : zone, size, state);
	for (i = 0; i < ARRAY_SIZE(items); i++)
		uma_zfree(second ?: zone, items[i]);
	if (second)
		destroy_guest(second, "a second zone");
	destroy_guest(zone, "a zone");
}

/* A second zone on the keg of one that everybody uses. */
static void one_second(void)
{
	struct tz *tz;
	uma_zone_t zone;
	void *items[8];
	unsigned int i;

	for (tz = zones; !(tz->kind & TZ_TYPED); tz++)
		;
	zone = uma_zsecond_create("torture-third", NULL, NULL, second_zinit,
				  second_zfini, tz->zone);
	if (!zone) {
		note_failure(C_DYNAMIC, "no second zone on %s", tz->name);
		return;
	}
	zones_created++;
	for (i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = uma_zalloc(zone, i & 1 ? M_WAITOK : M_NOWAIT);
		if (!items[i])
			continue;
		/* Through the states by hand: this zone has no ctor. */
		typed_move(items[i], tz->size, TS_SECOND, TS_SECOND, "third");
	}
	usleep_range(50, 2000);
	for (i = 0; i < ARRAY_SIZE(items); i++)
		uma_zfree(zone, items[i]);
	destroy_guest(zone, "a third zone");
}

static int creator_thread(void *arg)
{
	struct rnd_state state;
	struct tz *tz;
	u32 r;

	for (tz = zones; !(tz->kind & TZ_LIMIT); tz++)
		;
	prandom_seed_state(&state, seed + 3);
	while (!kthread_should_stop()) {
		r = prandom_u32_state(&state);
		if (r % 4)
			one_guest(&state);
		else
			one_second();
		/* The limit moves, too, and never above the first. */
		if (!(r % 8))
			uma_zone_set_max(tz->zone, tz->max / (1 + (r >> 8) % 2));
		usleep_range(100, 2000);
	}
	return 0;
}

static struct task_struct *spawn(int (*fn)(void *), void *arg, const char *name)
{
	struct task_struct *t = kthread_create(fn, arg, "uma_%s", name);

	if (IS_ERR(t)) {
		note_failure(C_CONTEXTS, "cannot start a thread: %ld",
			     PTR_ERR(t));
		return NULL;
	}
	wake_up_process(t);
	return t;
}

/* All of them, before any runs: nothing is allocated for them later. */
static int create_actors(unsigned long pool_bytes)
{
	unsigned int i, cpu, max = num_possible_cpus() * (threads + 3) + 1;
	size_t budget = min_t(size_t, MAX_BUDGET, pool_bytes / 4 / max);

	actors = kcalloc(max, sizeof(*actors), GFP_KERNEL);
	slot_buffer = kcalloc(nr_cpu_ids, sizeof(*slot_buffer), GFP_KERNEL);
	if (!actors || !slot_buffer)
		return -ENOMEM;
	for (i = 0; i < NSLOTS; i++) {
		slots[i] = kzalloc(sizeof(*slots[i]), GFP_KERNEL);
		if (!slots[i])
			return -ENOMEM;
	}
	main_actor = new_actor(CTX_MAIN, -1, 1, 0);
	if (!main_actor)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		struct actor *soft, *hard, *sched;

		soft = new_actor(CTX_SOFTIRQ, cpu, ROOM_IRQ, budget);
		hard = new_actor(CTX_HARDIRQ, cpu, ROOM_IRQ, budget);
		sched = new_actor(CTX_SCHED, cpu, ROOM_SCHED, budget);
		if (!soft || !hard || !sched)
			return -ENOMEM;
		per_cpu(softirq_actor, cpu) = soft;
		per_cpu(hardirq_actor, cpu) = hard;
		per_cpu(sched_actor, cpu) = sched;
		/* The first stays on its CPU, the others move as they like. */
		for (i = 0; i < threads; i++)
			if (!new_actor(CTX_THREAD, i ? -1 : cpu, ROOM_THREAD,
				       budget))
				return -ENOMEM;
	}
	return 0;
}

static void start(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(guests); i++)
		raw_spin_lock_init(&guests[i].lock);
	for (i = 0; i < nactors; i++) {
		if (actors[i]->kind != CTX_THREAD)
			continue;
		atomic_inc(&running);
		actors[i]->task = spawn(actor_thread, actors[i], "torture");
		if (!actors[i]->task)
			atomic_dec(&running);
	}
	reclaimer = spawn(reclaimer_thread, NULL, "reclaimer");
	reader = spawn(reader_thread, NULL, "reader");
	creator = spawn(creator_thread, NULL, "creator");
	if (!sched_start())
		pr_info("# uma_torture: no sched_switch here, none below the scheduler\n");
}

/* Report once everyone who has slept for so long that no one will wake him. */
static void watch_sleepers(void)
{
	struct actor *a;
	struct tz *tz;
	unsigned int i;

	for (i = 0; i < nactors; i++) {
		a = actors[i];
		/* pairs with alloc_one() */
		tz = smp_load_acquire(&a->sleeping);
		if (!tz || a->stuck ||
		    time_before(jiffies, READ_ONCE(a->since) + STUCK_SECS * HZ))
			continue;
		a->stuck = true;
		note_failure(C_WAITOK,
			     "thread %u sleeps in %s for %u seconds, %d items in use of %d, it holds %u (%u limited)",
			     a->id, tz->name, STUCK_SECS,
			     uma_zone_get_cur(tz->zone),
			     uma_zone_get_max(tz->zone), a->held, a->limited);
	}
}

static void empty_slots(void)
{
	struct token *t;
	unsigned int i;

	for (i = 0; i < NSLOTS; i++) {
		t = xchg(&slots[i], main_actor->tokens[0]);
		main_actor->tokens[0] = t;
		if (!t->item)
			continue;
		main_actor->held = 1;
		account(main_actor, t, 1);
		free_one(main_actor, 0);
	}
}

static u64 ops_of(enum context kind)
{
	unsigned int i;
	u64 n = 0;

	for (i = 0; i < nactors; i++)
		if (actors[i]->kind == kind)
			n += READ_ONCE(actors[i]->ops);
	return n;
}

static void print_progress(unsigned int secs)
{
	pr_info("# uma_torture: %u s: %llu steps of threads, %llu of softirqs, %llu of hardirqs, %llu below the scheduler; %llu reclaims, %llu readings, %llu zones\n",
		secs, ops_of(CTX_THREAD), ops_of(CTX_SOFTIRQ),
		ops_of(CTX_HARDIRQ), ops_of(CTX_SCHED), reclaims, readings,
		zones_created);
}

/* A slow machine gets more time for what is rare, but not for ever. */
static bool time_is_up(unsigned long begin)
{
	unsigned long run = seconds * HZ, now = jiffies - begin;

	return now >= run && (atomic64_read(&guest_uses) || now >= 10 * run);
}

/* Return: false if a signal ended it early. */
static bool run(void)
{
	unsigned long begin = jiffies, end = begin + seconds * HZ;
	unsigned long next = begin + 10 * HZ;

	while (!time_is_up(begin) && !READ_ONCE(stop_early)) {
		schedule_timeout_killable(HZ / 4);
		if (fatal_signal_pending(current))
			return false;
		print_notes();
		watch_sleepers();
		if (!quiet && time_after_eq(jiffies, next) &&
		    time_before(next, end)) {
			print_progress((jiffies - begin) / HZ);
			next += 10 * HZ;
		}
	}
	return true;
}

static void stop(void)
{
	unsigned int i;

	WRITE_ONCE(stopping, true);
	/* Timers go on and free: threads may sleep for what they hold. */
	while (atomic_read(&running)) {
		if (main_actor)
			empty_slots();
		schedule_timeout_uninterruptible(HZ / 20 + 1);
		watch_sleepers();
		print_notes();
	}
	WRITE_ONCE(timers_off, true);
	for (i = 0; i < nactors; i++)
		if (actors[i]->timer.function)
			hrtimer_cancel(&actors[i]->timer);
	sched_stop();
	for (i = 0; i < nactors; i++) {
		if (actors[i]->task)
			kthread_stop(actors[i]->task);
		while (actors[i]->held)
			free_one(actors[i], actors[i]->held - 1);
	}
	if (main_actor)
		empty_slots();
	if (creator)
		kthread_stop(creator);
	if (reclaimer)
		kthread_stop(reclaimer);
	if (reader)
		kthread_stop(reader);
}

static void check_contexts(void)
{
	u64 handed = 0, crossed = 0, sleeps = 0, moved = 0;
	unsigned int i, z;

	for (i = 0; i < nactors; i++) {
		struct actor *a = actors[i];
		u64 allocs = 0, frees = 0;

		handed += a->handed;
		crossed += a->crossed;
		sleeps += a->sleeps;
		moved += a->homecomings ? a->homecomings - 1 : 0;
		for (z = 0; z < NZONES; z++) {
			allocs += a->n[z].allocs;
			frees += a->n[z].frees;
		}
		if (a->kind != CTX_MAIN && a->kind != CTX_SCHED &&
		    (!allocs || !frees))
			note_failure(C_CONTEXTS,
				     "%s actor of CPU %d: %llu allocations, %llu frees",
				     context_name[a->kind], a->cpu, allocs,
				     frees);
	}
	if (!handed || (num_online_cpus() > 1 && !crossed))
		note_failure(C_HANDOVER, "%llu handed over, %llu to other CPUs",
			     handed, crossed);
	if (!guest_uses.counter || !zones_created)
		note_failure(C_DYNAMIC, "%llu zones created, %lld uses",
			     zones_created, atomic64_read(&guest_uses));
	if (!readings || !reclaims)
		note_failure(C_CONTEXTS, "%llu readings, %llu reclaims",
			     readings, reclaims);
	pr_info("# uma_torture: %llu items handed over, %llu freed on another CPU, %llu sleeps on a limit, %lld uses of guest zones, %llu threads back on CPUs that had gone\n",
		handed, crossed, sleeps, atomic64_read(&guest_uses), moved);
}

/* All is freed, nobody is about: the allocator's numbers must be ours. */
static void check_counts(void)
{
	u64 allocs, frees, fails;
	struct count ours;
	unsigned int i, z;
	struct tz *tz;

	for (z = 0; z < NZONES; z++) {
		tz = &zones[z];
		ours = (struct count){};
		for (i = 0; i < nactors; i++) {
			ours.allocs += actors[i]->n[z].allocs;
			ours.frees += actors[i]->n[z].frees;
			ours.fails += actors[i]->n[z].fails;
		}
		ours.allocs += atomic64_read(&tz->nested);
		ours.frees += atomic64_read(&tz->nested);
		ours.fails += atomic64_read(&tz->nested_fails);

		read_totals(tz->zone, &allocs, &frees, &fails);
		if (!quiet)
			pr_info("# uma_torture: %-20s %llu allocations, %llu frees, %llu failures\n",
				tz->name, allocs, frees, fails);
		if (ours.allocs != ours.frees)
			note_failure(C_EXACT, "%s: the torture lost items: %llu %llu",
				     tz->name, ours.allocs, ours.frees);
		if (allocs != ours.allocs || frees != ours.frees)
			note_failure(C_EXACT,
				     "%s: shows %llu allocations, %llu frees, had %llu, %llu",
				     tz->name, allocs, frees, ours.allocs,
				     ours.frees);
		if (fails != ours.fails)
			note_failure(C_EXACT, "%s: shows %llu failures, had %llu",
				     tz->name, fails, ours.fails);
		if (uma_zone_get_cur(tz->zone))
			note_failure(C_EXACT, "%s: shows %d items in use",
				     tz->name, uma_zone_get_cur(tz->zone));
	}
}

static void destroy_zones(void)
{
	unsigned int z;
	int error;

	/* Secondary zones stand behind their masters and go first. */
	for (z = NZONES; z--;) {
		if (!zones[z].zone)
			continue;
		error = uma_zdestroy(zones[z].zone);
		if (error)
			note_failure(C_DESTROY, "%s: error %d", zones[z].name,
				     error);
	}
}

static void check_pair(const char *what, atomic64_t *set_up, atomic64_t *undone)
{
	if (atomic64_read(set_up) != atomic64_read(undone))
		note_failure(C_LIFE, "%s: %lld and %lld", what,
			     atomic64_read(set_up), atomic64_read(undone));
}

static void check_life(void)
{
	check_pair("init and fini", &life_init, &life_fini);
	check_pair("zinit and zfini", &life_zinit, &life_zfini);
	check_pair("ctor and dtor", &life_ctor, &life_dtor);
	check_pair("failing init and fini", &flaky_init, &flaky_fini);
	check_pair("guests' init and fini", &guest_init, &guest_fini);
	check_pair("guests' ctor and dtor", &guest_ctor, &guest_dtor);
	pr_info("# uma_torture: init %lld, zinit %lld, ctor %lld, failing init %lld of %d\n",
		atomic64_read(&life_init), atomic64_read(&life_zinit),
		atomic64_read(&life_ctor), atomic64_read(&flaky_init),
		atomic_read(&flaky_calls));
}

/*
 * Pages that the allocator's own zones hold: buckets and slab headers cache,
 * too, and what they keep after everybody else has gone is no page lost.
 */
static unsigned long internal_pages(void)
{
	unsigned long pages = 0;
	uma_zone_t zone;

	uma_for_each_zone(zone)
		if (zone->uz_flags & UMA_ZFLAG_INTERNAL)
			pages += uma_keg_pages(zone->uz_keg);
	return pages;
}

/* More than this they have no reason to keep. */
#define INTERNAL_PAGES_MAX	(16 * num_possible_cpus())

static int report(bool finished)
{
	unsigned int i, bad = 0;
	int n;

	print_notes();
	pr_info("KTAP version 1\n1..%d\n", C_MAX);
	for (i = 0; i < C_MAX; i++) {
		n = atomic_read(&failures[i]);
		if (n)
			bad++;
		if (n)
			pr_info("not ok %u torture: %s # %d failures\n", i + 1,
				check_name[i], n);
		else if (i == C_HANDOVER && num_online_cpus() == 1)
			pr_info("ok %u torture: %s # SKIP one CPU\n", i + 1,
				check_name[i]);
		else
			pr_info("ok %u torture: %s\n", i + 1, check_name[i]);
	}
	if (bad)
		pr_err("uma_torture: failed: %u of %d, seed=%lu\n", bad, C_MAX,
		       seed);
	else if (!finished)
		pr_err("uma_torture: failed: a signal ended it, all well so far\n");
	else
		pr_info("uma_torture: passed\n");
	return bad ? -EIO : finished ? 0 : -EINTR;
}

/* Pages of the pool that are in use for good. */
static long pages_kept(const struct uma_pool_stats *st)
{
	struct memguard_arena_stats guard;

	memguard_arena_get_stats(&guard);
	return st->pages - st->free - internal_pages() - guard.pages;
}

static int __init uma_torture_init(void)
{
	struct uma_pool_stats before, after;
	unsigned long own_before, own_after, begin = jiffies;
	long kept_before, missing;
	bool finished = true;
	unsigned int i;
	int error;

	if (!seed)
		seed = get_random_u32();
	threads = clamp(threads, 1U, 16U);
	pr_info("# uma_torture: seed=%lu seconds=%u threads=%u CPUs=%u\n", seed,
		seconds, threads, num_online_cpus());

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_pool_get_stats(uma_pool, &before);
	own_before = internal_pages();
	kept_before = pages_kept(&before);
	error = create_zones();
	if (!error)
		error = create_actors((before.pages + before.chunks_max *
				       UMA_CHUNK_PAGES) << PAGE_SHIFT);
	if (error) {
		note_failure(C_CONTEXTS, "cannot begin: error %d", error);
	} else {
		start();
		finished = run();
		print_progress((jiffies - begin) / HZ);
		stop();
		check_contexts();
		check_counts();
	}
	destroy_zones();
	if (!error)
		check_life();
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_pool_get_stats(uma_pool, &after);
	own_after = internal_pages();
	pr_info("# uma_torture: pool: %lu of %lu pages free before, %lu of %lu after; %lu then %lu in the allocator's own zones; %llu allocations, %llu failures; %lu chunks came, %lu went\n",
		before.free, before.pages, after.free, after.pages, own_before,
		own_after, after.allocs - before.allocs,
		after.fails - before.fails, after.grown - before.grown,
		after.given_back - before.given_back);
	/* It may have grown, so what counts is what is in use. */
	missing = pages_kept(&after) - kept_before;
	if (missing)
		note_failure(C_POOL, "%ld pages are missing", missing);
	if (own_after > own_before + INTERNAL_PAGES_MAX)
		note_failure(C_POOL, "the allocator's own zones keep %lu pages",
			     own_after);

	for (i = 0; i < nactors; i++)
		free_actor(actors[i]);
	for (i = 0; i < NSLOTS; i++)
		kfree(slots[i]);
	kfree(actors);
	kfree(slot_buffer);
	return report(finished);
}

static void __exit uma_torture_exit(void)
{
}

module_init(uma_torture_init);
module_exit(uma_torture_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Torture of the UMA zone allocator");
MODULE_LICENSE("GPL");
