// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay of recorded slab traffic, through our zones and through the kernel's
 * own caches.
 *
 * A benchmark that allocates and frees one item in a loop measures the best
 * case of any allocator. Real traffic mixes sizes, holds some objects for long,
 * frees in another order than it allocated and on other CPUs. So the kernel's
 * own traffic is recorded while it works, kmemops turns the recording into an
 * operation list (uma_replay.h), and here the list is played twice: with a
 * zone in place of each cache of the recording, and with a fresh kernel cache
 * in place of each. "Fresh" matters: a cache that others use, too, or that was
 * merged with others, would measure them.
 *
 * Order. The order of the recording is kept exactly, over all CPUs: a free on
 * one CPU of what another allocated comes after the allocation, always. There
 * is a thread for each CPU, bound to it, and one baton. Consecutive operations
 * of one CPU are a batch; whoever holds the baton runs a batch and hands on.
 * So nothing runs in parallel. That is a loss (no contention is measured) and
 * a gain (any two replays do the same), and the caches see each CPU's traffic
 * all the same.
 *
 * Cost. The time-stamp counter is read before and after each batch and the
 * differences are added up; finding the batch's end and handing over lie
 * outside. Walking the list, finding the slot and touching the object cost
 * something, too, so the list is played a third time with no allocator, only
 * an array of words in place of objects, and the figure is shown beside the
 * others. The three loops are one inline function with a constant argument.
 * Interrupts hit the batches as they please; hence several rounds, of which
 * all are shown and the cheapest counts. In a virtual machine whose host is
 * busy a hand-over can take a millisecond and a round minutes; then there are
 * fewer rounds, one at least.
 *
 * Touching. A user writes to what he allocated. Each replay writes the
 * object's first word after the allocation and reads it before the free, which
 * also shows whether an object was handed out twice.
 *
 * Pages. They are counted in rounds of their own without a clock, since
 * counting disturbs the processor's caches: every so many operations, where
 * most bytes are live, after the last operation, and after all is freed. For a
 * zone they are the pages of its keg. For a kernel cache they are the slabs
 * that /sys/kernel/slab counts for this cache alone, times their size. Both are
 * exact at the moment of counting; between two moments a peak can be missed,
 * by either side. Neither side's bookkeeping elsewhere is counted (buckets and
 * off-page headers; per-CPU and per-node structures). A slab of less than the
 * cache's usual size, which the kernel makes when memory is fragmented, counts
 * as a whole one, and the report says so.
 *
 * Memory. All is allocated without sleeping and without reclaim, so a list
 * that does not fit into the pool fails at the allocation that finds the
 * pool empty. The failures are counted, the zones' replay goes on to its end,
 * and the kernel's caches are then left in peace.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "uma/uma_int.h"
#include "uma_replay_check.h"

#define MAX_ROUNDS	64U
#define STEPS		128	/* about how often pages are counted */
#define STEP_MIN	64U	/* operations between two countings, at least */
#define STEP_MAX	4096U	/* and at most */
#define SPINS		10000	/* looks at the baton before its waiter sleeps */
#define ENOUGH		(10 * HZ)	/* no new round after this time */
#define PIECE		4096	/* bytes that are copied from user space at once */

static unsigned int rounds = 3;
module_param(rounds, uint, 0644);
MODULE_PARM_DESC(rounds, "how often each side is timed, at most (1 to 64, default 3)");

static char *unit = "tsc";
module_param(unit, charp, 0444);
MODULE_PARM_DESC(unit, "what the time-stamp counter counts, for the report (default tsc)");

/* What takes the place of the recorded caches. */
enum side {
	EMPTY,		/* no allocator: what the loop itself costs */
	OURS,		/* a zone for each */
	PEER,		/* a kernel cache for each */
	SIDES
};

static const char * const side_name[SIDES] = { "empty", "ours", "peer" };

/* How a list stands. */
enum state {
	LIST_NONE,	/* nothing was written, or not all of it */
	LIST_BAD,	/* refused; the rest of it will be, too */
	LIST_GOOD,	/* complete and checked */
};

/* A kernel cache's figures, read from sysfs. */
struct slab_files {
	struct file *slabs;
	struct file *total;
	unsigned long per_slab;
	unsigned long order;
};

struct worker {
	struct uma_replay *r;
	struct task_struct *task;
	wait_queue_head_t wait;
	unsigned int cpu;
};

/**
 * struct uma_replay - a list and what is needed to play it
 * @lock: guards all up to @header while @running is false; guards @running and
 *	@shown always
 * @running: the fields are the running thread's, and then the baton holder's
 * @state: how the list stands
 * @have: bytes of the list that are there
 * @header: a copy, collected first, since it tells how much there will be
 * @list: the whole list, @header.length bytes
 * @caches: its cache table
 * @ops: its operations
 * @owner: scratch, an element a slot: index of the live object's cache plus one
 * @facts: what the check found
 * @zones: the zones of the last run, until the next one, or NULL
 * @handle: for each side and cache the zone or kernel cache
 * @slot: for each slot the live object
 * @shadow: for each slot a word, the object of the empty replay
 * @files: for each cache, while the peer's pages are counted
 * @worker: one for each CPU that takes part
 * @nworkers: how many
 * @worker_of: for each CPU of the list an index in @worker
 * @side: what is being played
 * @counting: count pages, do not time
 * @inexact: a slab of unusual size was seen
 * @stop: the run was killed
 * @turn: index of the worker that holds the baton, -1 before the start
 * @finished: the last operation is done, or @stop was seen
 * @pos: the next operation
 * @step: a batch ends where the position is a multiple of this
 * @batches: batches so far
 * @cycles: time in them
 * @fails: allocations that failed
 * @damaged: objects with a wrong first word
 * @peak: most pages that were counted
 * @rounds: rounds of the last run
 * @cost: for each side and round the cycles of all operations
 * @last_batches: batches of one replay of the last run
 * @last_caches: caches of the list that it played
 * @result: what the last run found
 * @shown: the last run succeeded and can be shown
 */
struct uma_replay {
	struct mutex lock;	/* of what is said above */
	bool running;

	enum state state;
	size_t have;
	struct uma_replay_header header;
	void *list;
	const struct uma_replay_cache *caches;
	const struct uma_replay_op *ops;
	u16 *owner;
	struct uma_replay_facts facts;

	u32 zones;
	void **handle[SIDES];
	void **slot;
	void **shadow;
	struct slab_files *files;
	struct worker *worker;
	unsigned int nworkers;
	u16 worker_of[UMA_REPLAY_MAX_CPUS];

	enum side side;
	bool counting;
	bool inexact;
	bool stop;
	int turn;
	struct completion finished;
	u32 pos;
	u32 step;
	u32 batches;
	u64 cycles;
	u64 fails;
	u64 damaged;
	long peak;

	unsigned int rounds;
	u64 cost[SIDES][MAX_ROUNDS];
	u32 last_batches;
	u32 last_caches;
	struct uma_replay_result result;
	bool shown;
};

static struct uma_replay *replay;
static struct dentry *replay_dir;

/* The list */

/**
 * uma_replay_create() - make a place for a list
 *
 * Context: process context, may sleep.
 * Return: it, or NULL.
 */
struct uma_replay *uma_replay_create(void)
{
	struct uma_replay *r = kvzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	mutex_init(&r->lock);
	init_completion(&r->finished);
	return r;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_replay_create);

static void forget_list(struct uma_replay *r)
{
	kvfree(r->list);
	kvfree(r->owner);
	r->list = NULL;
	r->owner = NULL;
	r->have = 0;
	r->state = LIST_NONE;
}

static int refuse(struct uma_replay *r, const struct uma_replay_flaw *flaw)
{
	if (!strcmp(flaw->where, "header"))
		pr_err("list refused: header: %s (%llu)\n", flaw->what,
		       flaw->value);
	else
		pr_err("list refused: %s %u: %s (%llu)\n", flaw->where,
		       flaw->index, flaw->what, flaw->value);
	forget_list(r);
	r->state = LIST_BAD;
	return -EINVAL;
}

/**
 * uma_replay_begin() - forget the list, if any, and wait for another
 * @r: from uma_replay_create()
 *
 * Return: 0, or -EBUSY during a run.
 */
int uma_replay_begin(struct uma_replay *r)
{
	int err = 0;

	mutex_lock(&r->lock);
	if (r->running)
		err = -EBUSY;
	else
		forget_list(r);
	mutex_unlock(&r->lock);
	return err;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_replay_begin);

static int feed_header(struct uma_replay *r)
{
	struct uma_replay_flaw flaw;

	if (uma_replay_check_header(&r->header, &flaw))
		return refuse(r, &flaw);
	r->list = kvmalloc(r->header.length, GFP_KERNEL);
	r->owner = kvcalloc(r->header.slots, sizeof(*r->owner), GFP_KERNEL);
	if (!r->list || !r->owner) {
		pr_err("no memory for a list of %llu bytes\n",
		       r->header.length);
		forget_list(r);
		r->state = LIST_BAD;
		return -ENOMEM;
	}
	memcpy(r->list, &r->header, sizeof(r->header));
	r->caches = r->list + sizeof(r->header);
	r->ops = (const void *)(r->caches + r->header.caches);
	return 0;
}

static int feed_some(struct uma_replay *r, const void *buf, size_t len)
{
	struct uma_replay_flaw flaw;
	size_t n;
	int err;

	if (r->have < sizeof(r->header)) {
		n = min(len, sizeof(r->header) - r->have);
		memcpy((void *)&r->header + r->have, buf, n);
		r->have += n;
		buf += n;
		len -= n;
		if (r->have < sizeof(r->header))
			return 0;
		err = feed_header(r);
		if (err)
			return err;
	}
	if (len > r->header.length - r->have) {
		uma_replay_bad(&flaw, "header", 0,
			       "the list goes on beyond its length",
			       r->header.length);
		return refuse(r, &flaw);
	}
	memcpy(r->list + r->have, buf, len);
	r->have += len;
	if (r->have < r->header.length)
		return 0;
	if (uma_replay_check(r->list, r->have, r->owner, &r->facts, &flaw))
		return refuse(r, &flaw);
	r->state = LIST_GOOD;
	return 0;
}

/**
 * uma_replay_feed() - take the next piece of a list
 * @r: from uma_replay_create()
 * @buf: the piece
 * @len: its bytes, any number
 *
 * The header is checked as soon as it is there, the rest when the length that
 * it tells is reached. A list that was refused stays so until the next
 * uma_replay_begin(); why is in the log.
 *
 * Context: process context, may sleep.
 * Return: 0, -EINVAL if the list is refused, -ENOMEM, or -EBUSY during a run.
 */
int uma_replay_feed(struct uma_replay *r, const void *buf, size_t len)
{
	int err;

	mutex_lock(&r->lock);
	if (r->running)
		err = -EBUSY;
	else if (r->state == LIST_BAD)
		err = -EINVAL;
	else
		err = len ? feed_some(r, buf, len) : 0;
	mutex_unlock(&r->lock);
	return err;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_replay_feed);

/* Pages */

static struct file *open_slab_file(const char *cache, const char *what)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", cache, what);
	return filp_open(path, O_RDONLY, 0);
}

static long read_slab_file(struct file *file)
{
	char text[64];
	loff_t pos = 0;
	long figure;
	ssize_t n;

	n = kernel_read(file, text, sizeof(text) - 1, &pos);
	if (n <= 0)
		return -EIO;
	/* "12 N0=12": the sum, then each node. */
	text[n] = '\0';
	text[strcspn(text, "\n ")] = '\0';
	return kstrtol(text, 10, &figure) ? -EIO : figure;
}

static long slab_figure(const char *cache, const char *what)
{
	struct file *file = open_slab_file(cache, what);
	long v;

	if (IS_ERR(file))
		return PTR_ERR(file);
	v = read_slab_file(file);
	filp_close(file, NULL);
	return v;
}

static void close_slab_files(struct uma_replay *r)
{
	u32 i;

	for (i = 0; r->files && i < r->header.caches; i++) {
		if (!IS_ERR_OR_NULL(r->files[i].slabs))
			filp_close(r->files[i].slabs, NULL);
		if (!IS_ERR_OR_NULL(r->files[i].total))
			filp_close(r->files[i].total, NULL);
	}
	kvfree(r->files);
	r->files = NULL;
}

/* Without sysfs there is no way to know: then @files is NULL. */
static void open_slab_files(struct uma_replay *r)
{
	u32 i;

	r->files = kvcalloc(r->header.caches, sizeof(*r->files), GFP_KERNEL);
	for (i = 0; r->files && i < r->header.caches; i++) {
		struct slab_files *f = &r->files[i];
		char name[UMA_REPLAY_NAME + 8];
		long order, per_slab;

		snprintf(name, sizeof(name), "%s-replay", r->caches[i].name);
		order = slab_figure(name, "order");
		per_slab = slab_figure(name, "objs_per_slab");
		f->slabs = open_slab_file(name, "slabs");
		f->total = open_slab_file(name, "total_objects");
		if (order < 0 || per_slab <= 0 || IS_ERR(f->slabs) ||
		    IS_ERR(f->total)) {
			pr_notice("cannot read /sys/kernel/slab/%s: the pages of the kernel's caches stay unknown\n",
				  name);
			close_slab_files(r);
			return;
		}
		f->order = order;
		f->per_slab = per_slab;
	}
}

/* Pages that the side holds now, or -1. */
static long count_pages(struct uma_replay *r)
{
	long pages = 0;
	u32 i;

	if (r->side == PEER && !r->files)
		return -1;
	for (i = 0; i < r->header.caches; i++) {
		if (r->side == OURS) {
			pages += uma_keg_pages(((uma_zone_t)r->handle[OURS][i])->uz_keg);
		} else {
			struct slab_files *f = &r->files[i];
			long slabs = read_slab_file(f->slabs);
			long total = read_slab_file(f->total);

			if (slabs < 0 || total < 0)
				return -1;
			if (total != slabs * f->per_slab)
				r->inexact = true;
			pages += slabs << f->order;
		}
	}
	return pages;
}

/* The replay */

static __always_inline void *get_object(struct uma_replay *r,
					const enum side side, void *handle,
					u32 slot)
{
	if (side == OURS)
		return uma_zalloc(handle, M_NOWAIT);
	if (side == PEER)
		return kmem_cache_alloc(handle, GFP_NOWAIT | __GFP_NOWARN);
	return &r->shadow[slot];
}

static __always_inline void put_object(const enum side side, void *handle,
				       void *object)
{
	if (side == OURS)
		uma_zfree(handle, object);
	else if (side == PEER)
		kmem_cache_free(handle, object);
}

/*
 * One batch, the same code for all sides. The mark in an object is the address
 * of its slot.
 */
static __always_inline void play(struct uma_replay *r, const enum side side,
				 u32 end)
{
	const struct uma_replay_op *op = &r->ops[r->pos];
	const struct uma_replay_op *last = &r->ops[end];
	void * const *handle = r->handle[side];
	void **slots = r->slot;
	u32 fails = 0, damaged = 0;
	u64 t = uma_cycles();

	for (; op < last; op++) {
		void **slot = &slots[op->slot];
		void **object;

		if (op->cpu & UMA_REPLAY_ALLOC) {
			object = get_object(r, side, handle[op->cache],
					    op->slot);
			if (likely(object))
				*object = slot;
			else
				fails++;
			*slot = object;
		} else {
			object = *slot;
			if (likely(object)) {
				if (unlikely(*object != slot))
					damaged++;
				put_object(side, handle[op->cache], object);
			}
			*slot = NULL;
		}
	}
	r->cycles += uma_cycles() - t;
	r->fails += fails;
	r->damaged += damaged;
}

static noinline void play_empty(struct uma_replay *r, u32 end)
{
	play(r, EMPTY, end);
}

static noinline void play_ours(struct uma_replay *r, u32 end)
{
	play(r, OURS, end);
}

static noinline void play_peer(struct uma_replay *r, u32 end)
{
	play(r, PEER, end);
}

static unsigned int worker_at(const struct uma_replay *r, u32 pos)
{
	return r->worker_of[r->ops[pos].cpu & UMA_REPLAY_CPU];
}

/* Where the batch ends that begins here; alike for every side. */
static u32 batch_end(const struct uma_replay *r, unsigned int me)
{
	u32 end = min(r->header.ops, (r->pos / r->step + 1) * r->step);
	u32 pos = r->pos;

	if (pos < r->facts.peak_op && r->facts.peak_op < end)
		end = r->facts.peak_op;
	while (pos < end && worker_at(r, pos) == me)
		pos++;
	return pos;
}

/* Batches, as long as the next one is this CPU's. */
static void play_turn(struct uma_replay *r, unsigned int me)
{
	do {
		u32 end = batch_end(r, me);

		if (r->side == EMPTY)
			play_empty(r, end);
		else if (r->side == OURS)
			play_ours(r, end);
		else
			play_peer(r, end);
		r->pos = end;
		r->batches++;
		if (r->counting && (!(end % r->step) ||
				    end == r->facts.peak_op))
			r->peak = max(r->peak, count_pages(r));
		cond_resched();
	} while (r->pos < r->header.ops && worker_at(r, r->pos) == me &&
		 !READ_ONCE(r->stop));
}

static bool my_turn(const struct uma_replay *r, unsigned int me)
{
	/* Pairs with hand_on(): all that the last holder wrote is seen. */
	return smp_load_acquire(&r->turn) == (int)me;
}

static void hand_on(struct uma_replay *r, unsigned int to)
{
	wait_queue_head_t *wait = &r->worker[to].wait;

	/* Pairs with my_turn(); from here on nothing of @r is ours. */
	smp_store_release(&r->turn, (int)to);
	if (wq_has_sleeper(wait))
		wake_up(wait);
}

/*
 * Batches are short and the next turn is mostly near, so look for a while
 * before going to sleep.
 */
static void wait_for_turn(struct uma_replay *r, struct worker *w,
			  unsigned int me)
{
	unsigned int spins;

	for (spins = 0; spins < SPINS && !need_resched(); spins++) {
		if (my_turn(r, me))
			return;
		cpu_relax();
	}
	wait_event_idle(w->wait, my_turn(r, me) || kthread_should_stop());
}

static int worker_thread(void *arg)
{
	struct worker *w = arg;
	struct uma_replay *r = w->r;
	unsigned int me = w - r->worker;

	while (!kthread_should_stop()) {
		wait_for_turn(r, w, me);
		if (!my_turn(r, me))
			continue;
		play_turn(r, me);
		if (r->pos < r->header.ops && !READ_ONCE(r->stop)) {
			hand_on(r, worker_at(r, r->pos));
		} else {
			WRITE_ONCE(r->turn, -1);
			complete(&r->finished);
		}
	}
	return 0;
}

static void stop_workers(struct uma_replay *r)
{
	unsigned int i;

	for (i = 0; i < r->nworkers; i++) {
		if (r->worker[i].task)
			kthread_stop(r->worker[i].task);
		r->worker[i].task = NULL;
	}
}

/* Threads live for one replay: what they wait for is then easy to see. */
static int start_workers(struct uma_replay *r)
{
	struct task_struct *task;
	unsigned int i;

	r->turn = -1;
	for (i = 0; i < r->nworkers; i++) {
		struct worker *w = &r->worker[i];

		task = kthread_create(worker_thread, w, "uma_replay/%u",
				      w->cpu);
		if (IS_ERR(task)) {
			pr_err("no thread for CPU %u\n", w->cpu);
			stop_workers(r);
			return PTR_ERR(task);
		}
		kthread_bind(task, w->cpu);
		w->task = task;
		wake_up_process(task);
	}
	return 0;
}

/* What the list leaves live, or all that is, after a run that was killed. */
static void free_rest(struct uma_replay *r)
{
	u32 i;

	memset(r->owner, 0, r->header.slots * sizeof(*r->owner));
	for (i = 0; i < r->pos; i++) {
		const struct uma_replay_op *op = &r->ops[i];

		r->owner[op->slot] = op->cpu & UMA_REPLAY_ALLOC ?
				     op->cache + 1 : 0;
		if (!(i % STEP_MAX))
			cond_resched();
	}
	for (i = 0; i < r->header.slots; i++) {
		void **object = r->slot[i];

		if (!object)
			continue;
		if (*object != &r->slot[i])
			r->damaged++;
		if (r->side == OURS)
			uma_zfree(r->handle[OURS][r->owner[i] - 1], object);
		else if (r->side == PEER)
			kmem_cache_free(r->handle[PEER][r->owner[i] - 1],
					object);
		r->slot[i] = NULL;
		if (!(i % STEP_MAX))
			cond_resched();
	}
}

static void drop_zones(struct uma_replay *r)
{
	u32 i;

	for (i = 0; i < r->zones; i++)
		uma_zdestroy(r->handle[OURS][i]);
	r->zones = 0;
	kvfree(r->handle[OURS]);
	r->handle[OURS] = NULL;
}

static int make_zones(struct uma_replay *r)
{
	drop_zones(r);
	r->handle[OURS] = kvcalloc(r->header.caches, sizeof(void *),
				   GFP_KERNEL);
	if (!r->handle[OURS])
		return -ENOMEM;
	for (; r->zones < r->header.caches; r->zones++) {
		const struct uma_replay_cache *c = &r->caches[r->zones];
		uma_zone_t zone = uma_zcreate(c->name, c->size, NULL, NULL,
					      NULL, NULL, UMA_ALIGN_PTR, 0);

		if (!zone) {
			pr_err("no zone for cache %s of %u bytes\n", c->name,
			       c->size);
			return -ENOMEM;
		}
		r->handle[OURS][r->zones] = zone;
	}
	return 0;
}

static void drop_peers(struct uma_replay *r)
{
	u32 i;

	close_slab_files(r);
	for (i = 0; r->handle[PEER] && i < r->header.caches; i++)
		kmem_cache_destroy(r->handle[PEER][i]);
	kvfree(r->handle[PEER]);
	r->handle[PEER] = NULL;
}

static int make_peers(struct uma_replay *r)
{
	u32 i;

	r->handle[PEER] = kvcalloc(r->header.caches, sizeof(void *),
				   GFP_KERNEL);
	if (!r->handle[PEER])
		return -ENOMEM;
	for (i = 0; i < r->header.caches; i++) {
		const struct uma_replay_cache *c = &r->caches[i];
		char name[UMA_REPLAY_NAME + 8];

		/* The kernel has one of the plain name already. */
		snprintf(name, sizeof(name), "%s-replay", c->name);
		r->handle[PEER][i] = uma_kmem_cache_create(name, c->size);
		if (!r->handle[PEER][i]) {
			pr_err("no kernel cache %s of %u bytes\n", name,
			       c->size);
			return -ENOMEM;
		}
	}
	if (r->counting)
		open_slab_files(r);
	return 0;
}

/* The whole list once; the threads are there, the side is ready. */
static int play_all(struct uma_replay *r)
{
	int err;

	err = start_workers(r);
	if (err)
		return err;
	reinit_completion(&r->finished);
	hand_on(r, worker_at(r, 0));
	err = wait_for_completion_killable(&r->finished);
	if (err) {
		WRITE_ONCE(r->stop, true);
		wait_for_completion(&r->finished);
		err = -EINTR;
	}
	stop_workers(r);
	return err;
}

/* One replay of one side. Its pages go to @pages, if that is wanted. */
static int replay_side(struct uma_replay *r, enum side side, long *pages)
{
	int err = 0;

	r->side = side;
	r->counting = pages;
	r->pos = 0;
	r->batches = 0;
	r->cycles = 0;
	r->fails = 0;
	r->damaged = 0;
	r->peak = 0;
	if (side == OURS)
		err = make_zones(r);
	else if (side == PEER)
		err = make_peers(r);
	if (err)
		goto out;
	err = play_all(r);
	if (pages) {
		pages[UMA_REPLAY_END] = count_pages(r);
		pages[UMA_REPLAY_PEAK] = max(r->peak, pages[UMA_REPLAY_END]);
	}
	free_rest(r);
	if (pages) {
		pages[UMA_REPLAY_FREED] = count_pages(r);
		if (pages[UMA_REPLAY_FREED] < 0)
			pages[UMA_REPLAY_PEAK] = -1;
	}
	r->result.fails += r->fails;
	r->result.damaged += r->damaged;
	if (!err && r->damaged) {
		pr_err("%s: %llu objects were overwritten while they were live\n",
		       side_name[side], r->damaged);
		err = -EIO;
	} else if (!err && r->fails) {
		pr_err("%s: %llu of %u allocations failed: %u objects of %llu KiB at the peak do not fit\n",
		       side_name[side], r->fails, r->facts.allocs,
		       r->facts.peak_objects, r->facts.peak_bytes >> 10);
		err = -ENOMEM;
	}
out:
	if (side == PEER)
		drop_peers(r);
	return err;
}

/* Which CPU here plays which CPU of the list. */
static int assign_workers(struct uma_replay *r)
{
	unsigned int online = num_online_cpus(), cpu, nth;
	int *worker_on;
	u32 i;

	worker_on = kcalloc(online, sizeof(*worker_on), GFP_KERNEL);
	r->worker = kcalloc(online, sizeof(*r->worker), GFP_KERNEL);
	r->nworkers = 0;
	if (!worker_on || !r->worker) {
		kfree(worker_on);
		return -ENOMEM;
	}
	memset(worker_on, -1, online * sizeof(*worker_on));
	for (i = 0; i < r->header.ops; i++) {
		unsigned int there = r->ops[i].cpu & UMA_REPLAY_CPU;
		int *w = &worker_on[there % online];

		if (*w < 0) {
			nth = there % online;
			for_each_online_cpu(cpu)
				if (!nth--)
					break;
			/* One that went offline meanwhile is no matter. */
			if (cpu >= nr_cpu_ids)
				cpu = cpumask_first(cpu_online_mask);
			*w = r->nworkers++;
			r->worker[*w].r = r;
			r->worker[*w].cpu = cpu;
			init_waitqueue_head(&r->worker[*w].wait);
		}
		r->worker_of[there] = *w;
	}
	kfree(worker_on);
	return 0;
}

static int replay_rounds(struct uma_replay *r)
{
	unsigned int most = clamp(READ_ONCE(rounds), 1U, MAX_ROUNDS);
	unsigned long enough = jiffies + ENOUGH;
	enum side side;
	int err;

	err = replay_side(r, OURS, r->result.uma_pages);
	if (!err)
		err = replay_side(r, PEER, r->result.slab_pages);
	r->rounds = 0;
	while (!err && r->rounds < most) {
		if (r->rounds && time_after(jiffies, enough))
			break;
		for (side = EMPTY; !err && side < SIDES; side++) {
			err = replay_side(r, side, NULL);
			r->cost[side][r->rounds] = r->cycles;
		}
		r->last_batches = r->batches;
		r->rounds++;
	}
	return err;
}

/**
 * uma_replay_run() - play the list, on all sides
 * @r: from uma_replay_create(), with a complete list
 * @res: filled in, if not NULL and if a run took place
 *
 * The zones of the last run stay, empty, for statistics to show.
 *
 * Context: process context, sleeps for as long as it takes; a fatal signal
 * ends it.
 * Return: 0, -ENODATA without a complete list, -EBUSY during another run,
 * -ENOMEM if the list's objects do not fit into the pool, -EIO if an allocator
 * did not keep its objects apart, -EINTR if killed.
 */
int uma_replay_run(struct uma_replay *r, struct uma_replay_result *res)
{
	int err = 0;

	mutex_lock(&r->lock);
	if (r->running) {
		err = -EBUSY;
	} else if (r->state != LIST_GOOD) {
		pr_err("no complete list: %zu bytes were written\n", r->have);
		err = -ENODATA;
	} else {
		r->running = true;
		r->shown = false;
	}
	mutex_unlock(&r->lock);
	if (err)
		return err;

	memset(&r->result, 0, sizeof(r->result));
	r->result.ops = r->header.ops;
	r->result.allocs = r->facts.allocs;
	r->result.left = r->facts.left;
	r->result.peak_objects = r->facts.peak_objects;
	r->result.peak_bytes = r->facts.peak_bytes;
	r->step = clamp(r->header.ops / STEPS, STEP_MIN, STEP_MAX);
	r->last_caches = r->header.caches;
	r->inexact = false;
	r->stop = false;
	r->slot = kvcalloc(r->header.slots, sizeof(*r->slot), GFP_KERNEL);
	r->shadow = kvcalloc(r->header.slots, sizeof(*r->shadow), GFP_KERNEL);
	r->handle[EMPTY] = kvcalloc(r->header.caches, sizeof(void *),
				    GFP_KERNEL);
	if (r->slot && r->shadow && r->handle[EMPTY])
		err = assign_workers(r);
	else
		err = -ENOMEM;
	if (!err)
		err = replay_rounds(r);
	kfree(r->worker);
	r->worker = NULL;
	kvfree(r->handle[EMPTY]);
	kvfree(r->shadow);
	kvfree(r->slot);
	if (res)
		*res = r->result;

	mutex_lock(&r->lock);
	r->running = false;
	r->shown = !err;
	mutex_unlock(&r->lock);
	return err;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_replay_run);

/**
 * uma_replay_drop() - destroy the zones of the last run
 * @r: from uma_replay_create()
 *
 * Context: process context, may sleep.
 * Return: 0, or -EBUSY during a run.
 */
int uma_replay_drop(struct uma_replay *r)
{
	int err = 0;

	mutex_lock(&r->lock);
	if (r->running)
		err = -EBUSY;
	else
		drop_zones(r);
	mutex_unlock(&r->lock);
	return err;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_replay_drop);

/**
 * uma_replay_destroy() - the end of it, list, zones and all
 * @r: from uma_replay_create(), not running; or NULL
 */
void uma_replay_destroy(struct uma_replay *r)
{
	if (!r)
		return;
	drop_zones(r);
	forget_list(r);
	kvfree(r);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_replay_destroy);

/* The report */

#define COST_TEXT	32

/* Cycles for each operation, with two decimals. */
static const char *cost_text(const struct uma_replay *r, u64 cycles,
			     char text[COST_TEXT])
{
	u32 part;
	u64 whole = div_u64_rem(div_u64(cycles * 100, r->result.ops), 100,
				&part);

	snprintf(text, COST_TEXT, "%llu.%02u", whole, part);
	return text;
}

static u64 best_cost(const struct uma_replay *r, enum side side)
{
	u64 best = r->cost[side][0];
	unsigned int i;

	for (i = 1; i < r->rounds; i++)
		best = min(best, r->cost[side][i]);
	return best;
}

static void show_pages(struct seq_file *m, const char *what, long ours,
		       long peer)
{
	seq_printf(m, "%-28s %11ld", what, ours);
	if (peer < 0)
		seq_puts(m, "     unknown\n");
	else
		seq_printf(m, " %11ld\n", peer);
}

static void show_costs(const struct uma_replay *r, struct seq_file *m,
		       const char *label, u64 ours, u64 peer, u64 empty)
{
	char text[SIDES][COST_TEXT];

	seq_printf(m, "%-28s %11s %11s %11s\n", label,
		   cost_text(r, ours, text[OURS]),
		   cost_text(r, peer, text[PEER]),
		   cost_text(r, empty, text[EMPTY]));
}

static void show_table(const struct uma_replay *r, struct seq_file *m)
{
	const struct uma_replay_result *res = &r->result;
	char label[48];
	unsigned int i;

	seq_printf(m, "%u operations, %u of them allocations, in %u batches; %u caches\n",
		   res->ops, res->allocs, r->last_batches, r->last_caches);
	seq_printf(m, "%u objects of %llu KiB live at the peak, %u objects live at the end\n\n",
		   res->peak_objects, res->peak_bytes >> 10, res->left);
	seq_printf(m, "%-28s %11s %11s %11s\n", "", "ours", "peer", "empty");
	for (i = 0; i < r->rounds; i++) {
		snprintf(label, sizeof(label), "%s an operation, round %u",
			 unit, i + 1);
		show_costs(r, m, label, r->cost[OURS][i], r->cost[PEER][i],
			   r->cost[EMPTY][i]);
	}
	snprintf(label, sizeof(label), "%s an operation, best", unit);
	show_costs(r, m, label, best_cost(r, OURS), best_cost(r, PEER),
		   best_cost(r, EMPTY));
	show_pages(m, "pages at the peak", res->uma_pages[UMA_REPLAY_PEAK],
		   res->slab_pages[UMA_REPLAY_PEAK]);
	show_pages(m, "pages at the list's end", res->uma_pages[UMA_REPLAY_END],
		   res->slab_pages[UMA_REPLAY_END]);
	show_pages(m, "pages with all freed", res->uma_pages[UMA_REPLAY_FREED],
		   res->slab_pages[UMA_REPLAY_FREED]);
	if (r->inexact)
		seq_puts(m, "(some slabs of the peer were smaller than usual: its pages are at most these)\n");
	seq_puts(m, "\n");
}

static void show_pages_row(struct seq_file *m, const char *name, long ours,
			   long peer)
{
	if (peer >= 0)
		seq_printf(m, "uma_replay: row name=%s unit=pages ours=%ld.00 peer=%ld.00 empty=0.00\n",
			   name, ours, peer);
}

/**
 * uma_replay_show() - the last run's report
 * @r: from uma_replay_create()
 * @m: where to print it: a table, then lines for programs
 */
void uma_replay_show(struct uma_replay *r, struct seq_file *m)
{
	const struct uma_replay_result *res = &r->result;
	char text[SIDES][COST_TEXT];

	mutex_lock(&r->lock);
	if (r->running) {
		seq_puts(m, "a run is going on\n");
	} else if (!r->shown) {
		seq_puts(m, "no run so far, or the last one failed\n");
	} else {
		show_table(r, m);
		seq_printf(m, "uma_replay: row name=replay unit=%s ours=%s peer=%s empty=%s\n",
			   unit, cost_text(r, best_cost(r, OURS), text[OURS]),
			   cost_text(r, best_cost(r, PEER), text[PEER]),
			   cost_text(r, best_cost(r, EMPTY), text[EMPTY]));
		show_pages_row(m, "replay_pages_peak",
			       res->uma_pages[UMA_REPLAY_PEAK],
			       res->slab_pages[UMA_REPLAY_PEAK]);
		show_pages_row(m, "replay_pages_end",
			       res->uma_pages[UMA_REPLAY_END],
			       res->slab_pages[UMA_REPLAY_END]);
		show_pages_row(m, "replay_pages_freed",
			       res->uma_pages[UMA_REPLAY_FREED],
			       res->slab_pages[UMA_REPLAY_FREED]);
	}
	mutex_unlock(&r->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_replay_show);

/* debugfs */

/* A new list begins with each open, but for one to append. */
static int ops_open(struct inode *inode, struct file *file)
{
	if (!(file->f_flags & O_APPEND)) {
		int err = uma_replay_begin(replay);

		if (err)
			return err;
	}
	return nonseekable_open(inode, file);
}

static ssize_t ops_write(struct file *file, const char __user *from,
			 size_t len, loff_t *ppos)
{
	void *piece = kmalloc(PIECE, GFP_KERNEL);
	size_t done = 0;
	int err = 0;

	if (!piece)
		return -ENOMEM;
	while (!err && done < len) {
		size_t n = min_t(size_t, len - done, PIECE);

		if (copy_from_user(piece, from + done, n))
			err = -EFAULT;
		else
			err = uma_replay_feed(replay, piece, n);
		done += n;
		cond_resched();
	}
	kfree(piece);
	return err ? err : (ssize_t)len;
}

static const struct file_operations ops_fops = {
	.owner = THIS_MODULE,
	.open = ops_open,
	.write = ops_write,
};

/* 1 plays the list, 0 destroys the zones that the last run left to look at. */
static ssize_t run_write(struct file *file, const char __user *from, size_t len,
			 loff_t *ppos)
{
	unsigned int what;
	int err;

	err = kstrtouint_from_user(from, len, 0, &what);
	if (!err && what > 1)
		err = -EINVAL;
	if (!err)
		err = what ? uma_replay_run(replay, NULL) :
			     uma_replay_drop(replay);
	return err ? err : (ssize_t)len;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.write = run_write,
};

static int report_show(struct seq_file *m, void *unused)
{
	uma_replay_show(replay, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(report);

static int __init replay_init(void)
{
	replay = uma_replay_create();
	if (!replay)
		return -ENOMEM;
	replay_dir = debugfs_create_dir("uma_replay", NULL);
	debugfs_create_file("ops", 0200, replay_dir, NULL, &ops_fops);
	debugfs_create_file("run", 0200, replay_dir, NULL, &run_fops);
	debugfs_create_file("report", 0444, replay_dir, NULL, &report_fops);
	return 0;
}

static void __exit replay_exit(void)
{
	debugfs_remove_recursive(replay_dir);
	uma_replay_destroy(replay);
}

module_init(replay_init);
module_exit(replay_exit);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Replays recorded slab traffic through UMA and through kmem_cache");
MODULE_LICENSE("GPL");
