// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous pages, won from those who use memory.
 *
 * A device that knows physical addresses alone wants its memory in one piece. When the
 * machine has been busy for a while there is no such piece, though most pages of any
 * piece belong to somebody who could do without them for now: they are cached, or could
 * be, once written to where they came from. There are two ways to go about it, and the
 * one that came first shows why there is another:
 *
 * The old one turns used memory into free memory, wherever it is, and hopes that a run
 * comes of it. It looks for a run of free and cached pages from low to high; if there is
 * none it launders the inactive queue and the active one, and looks again, three times
 * altogether. Those who use memory take it back meanwhile, in pieces.
 *
 * The new one goes for one piece at a time. Its first pass takes free and cached
 * pages only, and does not block; all requests that must not sleep end there. The second
 * and the third take any run of pages none of which is wired or somebody else's, and
 * win it page by page: free ones are taken off the free list, one by one; cached ones
 * are taken from their objects; others are written if they are dirty, and then taken
 * likewise. A page that is won never comes to the free list (PG_ISOLATED), so that
 * nobody gets it while we sleep for the next one (CT-02). Writing is synchronous, since
 * a page that is still being written when it is looked at has not been won (PA-03).
 *
 *	the run:  [ + + + + i a . a z a a . ]	+ isolated, . free, a i in use
 *	                            ^ cannot be had: a zone's
 *	next one: ... [ . . a + + + + + . + ]	what both have in common is kept
 *
 * It comes from the top, and a page that cannot be won ends not only its candidate but
 * all that contain it (contig_search.c).
 *
 * How long it can take. The new one: a pass goes down through memory once; no page that
 * was won is given back unless it lies above all that is still to come, so each page of
 * the pool is won once at the most in a pass, at the price of LOCK_TRIES looks,
 * WIN_TRIES times, each with a wait of BUSY_WAIT at the most, and LAUNDER_TRIES writes, or
 * one if nothing can be written; two passes do so. (A write takes dirty neighbours along,
 * so a page may be written for the sake of others besides: of less than VM_PAGER_MAX.)
 * The old one: when its
 * first two looks have found nothing it takes as many steps as there are pages queued
 * then, whatever happens to the queues meanwhile, and a step writes one page; after the
 * third look there is nothing to be won by it (CT-05). Nobody who dirties his pages
 * again and again can make either go on.
 *
 * Locks. A page's queue and object can be read with the queues' lock alone, and with it
 * held the object stays, but can only be tried (vm.h). Once it is locked, it is
 * remembered, and paging as far as others can tell, which is a reference that both
 * deletion and collapse wait for. While a page is written, or waited for, the lock
 * is dropped and taken again, through that object and never through the page, which may
 * be anyone's by then (CT-06). Only one request at a time is in its second or third
 * pass, so what is isolated is its own; a request that is made in the middle of that, by
 * one's own pager or to get a write done, has its first pass only. Somebody who keeps a
 * page busy may himself wait for memory, which page-out does not call hopeless as long
 * as some is isolated: so no busy page is waited for without end.
 *
 * The last free pages stay for those whom everybody waits for: a free page is not taken
 * when that would leave fewer than VM_ALLOC_INTERRUPT alone may have.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": contig: " fmt

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "uma/compat.h"
#include "uma/uma_int.h"
#include "vmsim/contig_int.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pageq.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/steer.h"
#include "vmsim/trace.h"
#include "vmsim/vm.h"

/* How often a page is looked at that others are at work on, a tick between. */
#define WIN_TRIES	16
/*
 * How often an object's lock is tried at once. It cannot be waited for, and who faults in
 * the object all the time holds it most of the time; but each time not for long.
 */
#define LOCK_TRIES	1024
/* How often a page is written for one candidate. */
#define LAUNDER_TRIES	2
/*
 * How long a look waits for a busy page. Whoever has it may wait for memory himself,
 * and it may be ours that he waits for.
 */
#define BUSY_WAIT	max(HZ / 10, 1)
/* So often somebody else may run who needs the processor. */
#define LOOKS_AT_ONCE	1024
/* Before the third pass of the new way, in ticks. */
#define THIRD_PASS_WAIT	max(HZ / 50, 1)

/* Beside the reasons of enum contig_skip. */
#define USABLE		(-1)
#define TAKEN		(-2)
#define IN_USE		(-3)
/* Written for a run in vain: it will not go better in a moment. */
#define UNWRITABLE	(-4)

struct contig_counters contig_cnt[CONTIG_ALGORITHMS];
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_cnt);

static DEFINE_MUTEX(contig_mutex);	/* second and third passes; outside objects */
/* Who has it. */
static struct task_struct *contig_owner;

/**
 * struct contig_work - a request under way
 * @search: where it is
 * @cnt: what it counts in
 * @how: its algorithm
 * @floor: free pages that it must leave
 * @launder: pages in use will do
 * @may_sleep: it may, while it looks
 * @looks: pages looked at since it let others run
 * @tried: of @search, what has been counted
 * @looked: the same
 * @first: record of the first page of the candidate some pages of which are isolated
 * @pfn: its number
 */
struct contig_work {
	struct contig_search search;
	struct contig_counters *cnt;
	enum contig_algorithm how;
	unsigned long floor;
	bool launder;
	bool may_sleep;
	unsigned int looks;
	u64 tried;
	u64 looked;
	struct vm_page *first;
	u64 pfn;
};

/* Memory as a search sees it. */

static struct vm_page *page_of(const struct contig_range *range, u64 pfn)
{
	return (struct vm_page *)range->cookie + (pfn - range->pfn);
}

static void to_range(struct contig_range *range, const struct uma_pool_range *r)
{
	range->pfn = r->pfn;
	range->npages = r->npages;
	range->cookie = r->first;
}

static bool range_below(void *ctx, u64 pfn, struct contig_range *range)
{
	struct uma_pool_range r;

	if (!uma_pool_range_below(uma_pool, pfn, &r))
		return false;
	to_range(range, &r);
	return true;
}

static bool range_above(void *ctx, u64 pfn, struct contig_range *range)
{
	struct uma_pool_range r;

	if (!uma_pool_range_above(uma_pool, pfn, &r))
		return false;
	to_range(range, &r);
	return true;
}

/*
 * Why a page cannot be had: USABLE if it can, as far as one can see from here. Without
 * the queues' lock that is a guess: all of it is looked at again, under the locks
 * that each part of it has; so KCSAN need not tell.
 */
static __no_kcsan int look_at(const struct vm_page *m, bool launder)
{
	u8 flags = READ_ONCE(m->flags);

	if (flags & PG_FREE)
		return USABLE;
	if (flags & PG_ISOLATED)
		return CONTIG_SKIP_BUSY;
	if (flags & (PG_BLACKLISTED | PG_ABSENT) || READ_ONCE(m->slab))
		return CONTIG_SKIP_FOREIGN;
	switch (m->queue) {
	case PQ_HOLD:
		return CONTIG_SKIP_HELD;
	case PQ_NONE:
		if (READ_ONCE(m->wire_count))
			return CONTIG_SKIP_WIRED;
		/* Only the VM knows busy; a page on its way will be on a queue. */
		if (!READ_ONCE(m->object) || !m->busy)
			return CONTIG_SKIP_FOREIGN;
		if (!launder)
			return CONTIG_SKIP_BUSY;
		break;
	case PQ_CACHE:
		break;
	default:
		if (!launder)
			return IN_USE;
		break;
	}
	return READ_ONCE(m->hold_count) ? CONTIG_SKIP_HELD : USABLE;
}

static void skip(struct contig_work *w, const struct vm_page *m, int why)
{
	if (why < 0)
		return;
	atomic64_inc(&w->cnt->skipped[why]);
	/* For people: a record that is cleared shows what it shows. */
	trace_vm_contig_skip(data_race(m->phys_pfn), why);
}

static bool is_usable(void *ctx, const struct contig_range *range, u64 pfn)
{
	struct contig_work *w = ctx;
	struct vm_page *m = page_of(range, pfn);
	int why = look_at(m, w->launder);

	/* The old search takes long where much is free, and none of it a run. */
	if (w->may_sleep && ++w->looks == LOOKS_AT_ONCE) {
		w->looks = 0;
		cond_resched();
	}
	/* In the first pass memory in use is the normal case, and no reason. */
	if (why != USABLE && w->launder)
		skip(w, m, why);
	return why == USABLE;
}

static bool is_over(void *ctx)
{
	struct contig_work *w = ctx;

	return w->may_sleep && fatal_signal_pending(current);
}

static const struct contig_view pool_view = {
	.below = range_below,
	.above = range_above,
	.usable = is_usable,
	.over = is_over,
};

/* Whether the pool has any page where one may lie. */
static bool has_pages(const struct contig_req *req)
{
	struct uma_pool_range r;

	return req->first <= req->last &&
	       uma_pool_range_below(uma_pool, req->last + 1, &r) &&
	       r.pfn + r.npages > req->first;
}

static void count_search(struct contig_work *w)
{
	atomic64_add(w->search.tried - w->tried, &w->cnt->tried);
	atomic64_add(w->search.looked - w->looked, &w->cnt->looked);
	w->tried = w->search.tried;
	w->looked = w->search.looked;
}

/* Taking what is there for the taking. */

static bool is_isolated(const struct vm_page *m)
{
	/* Set by us alone, in pages that are ours. */
	return data_race(READ_ONCE(m->flags)) & PG_ISOLATED;
}

/* A page was won for a run that is not complete yet. */
static void isolate(struct vm_page *m)
{
	if (is_isolated(m))
		return;
	WRITE_ONCE(m->flags, m->flags | PG_ISOLATED);
	vm_page_isolated_add(1);
}

static void unisolate(struct vm_page *m)
{
	if (!is_isolated(m))
		return;
	WRITE_ONCE(m->flags, m->flags & ~PG_ISOLATED);
	vm_page_isolated_add(-1);
}

/* It is ours and nobody knows it: a page as the pool gives one. */
static void give_back(struct contig_work *w, struct vm_page *m)
{
	unisolate(m);
	uma_pool_free(uma_pool, m, 1);
	atomic64_inc(&w->cnt->undone);
}

static int take_free(struct contig_work *w, struct vm_page *m, u64 pfn)
{
	if (vm_page_free_count() <= w->floor)
		return CONTIG_SKIP_SHORT;
	if (!uma_pool_take(uma_pool, m))
		return CONTIG_SKIP_GONE;
	/* Its chunk may have gone, and another one come in its place. */
	if (m->phys_pfn != pfn) {
		uma_pool_free(uma_pool, m, 1);
		return CONTIG_SKIP_GONE;
	}
	atomic64_inc(&w->cnt->isolated);
	return TAKEN;
}

static int take_cached(struct contig_work *w, struct vm_page *m, u64 pfn)
{
	if (m->phys_pfn != pfn)
		return CONTIG_SKIP_GONE;
	if (!vm_page_take_cached(m, NULL))
		return CONTIG_SKIP_LOCKED;
	atomic64_inc(&w->cnt->cached);
	return TAKEN;
}

/*
 * Take a page if it is free or cached. Else, or if that fails, why; with @object not
 * NULL, and IN_USE as the answer, its object is there, locked.
 */
static int take_now(struct contig_work *w, struct vm_page *m, u64 pfn,
		    struct vm_object **object)
{
	int why;

	/* The pool knows better, and takes it only if that is still true. */
	if (data_race(READ_ONCE(m->flags)) & PG_FREE)
		return take_free(w, m, pfn);
	vm_steer(VM_STEER_CONTIG_LOOK, m);
	vm_page_lock_queues();
	why = look_at(m, w->launder);
	if (why != USABLE)
		goto out;
	vm_steer(VM_STEER_CONTIG_USABLE, m);
	if (m->queue == PQ_CACHE) {
		why = take_cached(w, m, pfn);
		goto out;
	}
	/* Free since we looked, or not what we have come for. */
	why = CONTIG_SKIP_GONE;
	/* A free page's are written under the pool's lock. */
	if (data_race(READ_ONCE(m->flags)) & PG_FREE || m->phys_pfn != pfn)
		goto out;
	/* It was free a moment ago, and now it may be anybody's: a zone's, say. */
	if (m->queue == PQ_NONE && !(m->object && m->busy))
		goto out;
	why = IN_USE;
	if (object) {
		*object = m->object;
		if (!vm_object_trylock(*object))
			why = CONTIG_SKIP_LOCKED;
	}
out:
	vm_page_unlock_queues();
	return why;
}

/* Look for a run of free and cached pages, and take it. Does not sleep. */
static int pass_quick(struct contig_work *w)
{
	struct contig_search *s = &w->search;
	struct vm_page *m;
	u64 n = s->req.npages, i;
	int why;

	w->launder = false;
	while (contig_search_next(s)) {
		m = page_of(&s->range, s->pfn);
		vm_steer(VM_STEER_CONTIG_TAKE, m);
		for (i = 0; i < n; i++) {
			why = take_now(w, m + i, s->pfn + i, NULL);
			if (why != TAKEN)
				break;
		}
		w->first = m;
		if (i == n)
			return 0;
		skip(w, m + i, why);
		contig_search_reject(s, s->pfn + i);
		while (i--)
			give_back(w, m + i);
		/* The old search would try them one by one. */
		if (why == CONTIG_SKIP_SHORT && s->up)
			break;
	}
	return -ENOMEM;
}

/* Winning pages that are in use. */

static bool in_candidate(const struct contig_work *w, const struct vm_page *m)
{
	return m >= w->first && m < w->first + w->search.req.npages;
}

/* Whether a page of an object that is locked can be written now. */
static bool is_launderable(const struct vm_page *m)
{
	bool good;

	if (vm_page_is_busy(m))
		return false;
	vm_page_lock_queues();
	good = (m->queue == PQ_ACTIVE || m->queue == PQ_INACTIVE) &&
	       !m->hold_count;
	vm_page_unlock_queues();
	return good;
}

/* A dirty page, and those behind it in its object that the candidate needs, too. */
static unsigned int gather(const struct contig_work *w, struct vm_object *object,
			   struct vm_page *m, struct vm_page **run)
{
	u64 pindex = m->pindex;
	unsigned int n = 0;

	do {
		run[n++] = m;
		if (n == VM_PAGER_MAX || pindex + n >= object->size)
			break;
		m = vm_page_lookup(object, pindex + n);
		if (!m || !in_candidate(w, m) || !is_launderable(m))
			break;
		vm_page_test_dirty(m);
	} while (m->dirty);
	return n;
}

/* Take a clean page out of its object, which is locked, past the free list. */
static bool take_clean(struct contig_work *w, struct vm_object *object,
		       struct vm_page *m, u64 pindex)
{
	bool taken;

	/* It was ours to look at before; is it still what it was? */
	if (vm_page_lookup(object, pindex) != m || vm_page_is_busy(m) ||
	    !vm_page_try_to_cache(m))
		return false;
	/* Who wants cached pages tries the object's lock, and we have it. */
	vm_page_lock_queues();
	taken = m->queue == PQ_CACHE && vm_page_take_cached(m, object);
	vm_page_unlock_queues();
	if (taken) {
		isolate(m);
		atomic64_inc(&w->cnt->evicted);
	}
	return taken;
}

/* Write a page of an object that is locked, with its neighbours, and take them. */
static int launder(struct contig_work *w, struct vm_object *object,
		   struct vm_page *m)
{
	struct vm_page *run[VM_PAGER_MAX] = { m };
	unsigned int n = 1, good = 1, i;
	u64 pindex = m->pindex;
	bool won;

	vm_page_test_dirty(m);
	if (m->dirty) {
		n = gather(w, object, m, run);
		good = vm_object_flush(object, run, n, VM_PAGER_PUT_SYNC);
		atomic64_add(good, &w->cnt->laundered);
	}
	atomic64_add(n, &w->cnt->steps);
	vm_steer(VM_STEER_CONTIG_CLEANED, m);
	won = take_clean(w, object, m, pindex);
	for (i = 1; i < n; i++)
		take_clean(w, object, run[i], pindex + i);
	if (won)
		return TAKEN;
	return good ? CONTIG_SKIP_DIRTY : UNWRITABLE;
}

/*
 * Do something about a page of an object, which is locked, and is not on return: @fn,
 * which may drop the lock meanwhile, or, if the page is busy, wait.
 */
static int with_object(struct contig_work *w, struct vm_object *object,
		       struct vm_page *m,
		       int (*fn)(struct contig_work *w, struct vm_object *object,
				 struct vm_page *m))
{
	bool giant = object->flags & OBJ_NEEDGIANT;
	int why = CONTIG_SKIP_BUSY;

	/* Its pages are on their way elsewhere. */
	if (object->flags & OBJ_DEAD)
		goto unlock;
	/* The outermost lock, so it can only be tried here. */
	if (giant && !mutex_trylock(&vm_giant)) {
		why = CONTIG_SKIP_LOCKED;
		goto unlock;
	}
	/* Our reference: it stays, and stays what it is, until we are through. */
	vm_object_pip_add(object, 1);
	if (vm_page_is_busy(m)) {
		vm_steer(VM_STEER_CONTIG_BUSY, m);
		vm_page_sleep_if_busy_for(m, object, true, BUSY_WAIT);
	} else {
		why = fn(w, object, m);
	}
	vm_object_pip_wakeup(object, 1);
	if (giant)
		mutex_unlock(&vm_giant);
unlock:
	vm_object_unlock(object);
	return why;
}

/* Win a page, whatever it is. TAKEN, or why not. */
static int win_page(struct contig_work *w, struct vm_page *m, u64 pfn)
{
	unsigned int tries, locked, written = 0;
	struct vm_object *object;
	int why;

	for (tries = 0; tries < WIN_TRIES; tries++) {
		if (tries)
			schedule_timeout_idle(1);
		/* Its chunk has gone, and does not come back as what it was. */
		if (data_race(READ_ONCE(m->phys_pfn)) != pfn)
			return CONTIG_SKIP_GONE;
		for (locked = 0; locked < LOCK_TRIES; locked++) {
			why = take_now(w, m, pfn, &object);
			if (why != CONTIG_SKIP_LOCKED)
				break;
			cpu_relax();
			cond_resched();
		}
		if (why == TAKEN)
			isolate(m);
		if (why == IN_USE)
			why = with_object(w, object, m, launder);
		switch (why) {
		case TAKEN:
		case CONTIG_SKIP_WIRED:
		case CONTIG_SKIP_FOREIGN:
		case CONTIG_SKIP_SHORT:
			return why;
		case UNWRITABLE:
			return CONTIG_SKIP_DIRTY;
		case CONTIG_SKIP_DIRTY:
			if (++written == LAUNDER_TRIES)
				return why;
			break;
		}
	}
	return why;
}

/* Give back what is isolated, but for @n pages from @keep on. */
static void let_go(struct contig_work *w, u64 keep, u64 n)
{
	u64 i;

	for (i = 0; w->first && i < w->search.req.npages; i++) {
		if (w->pfn + i >= keep && w->pfn + i < keep + n)
			continue;
		if (is_isolated(w->first + i))
			give_back(w, w->first + i);
	}
}

/* Win all pages of the candidate. Returns the first that cannot be won, or its end. */
static u64 win_candidate(struct contig_work *w)
{
	struct contig_search *s = &w->search;
	u64 n = s->req.npages, i;
	int why;

	/* What costs nothing first, lest somebody else takes it. */
	for (i = 0; i < n; i++) {
		if (!is_isolated(w->first + i) &&
		    take_now(w, w->first + i, w->pfn + i, NULL) == TAKEN)
			isolate(w->first + i);
	}
	for (i = 0; i < n; i++) {
		if (is_isolated(w->first + i))
			continue;
		why = win_page(w, w->first + i, w->pfn + i);
		if (why != TAKEN) {
			skip(w, w->first + i, why);
			break;
		}
		cond_resched();
	}
	return w->pfn + i;
}

/* Win a run, one candidate after the other. */
static int pass_launder(struct contig_work *w)
{
	struct contig_search *s = &w->search;
	u64 n = s->req.npages, i;

	w->launder = true;
	w->first = NULL;
	while (contig_search_next(s)) {
		/* From here on no candidate has what lies above this one. */
		let_go(w, s->pfn, n);
		w->first = page_of(&s->range, s->pfn);
		w->pfn = s->pfn;
		i = win_candidate(w);
		if (i == w->pfn + n) {
			for (i = 0; i < n; i++)
				unisolate(w->first + i);
			return 0;
		}
		contig_search_reject(s, i);
	}
	let_go(w, 0, 0);
	return -ENOMEM;
}

/* The old way: make memory free, wherever it is. */

/* Write a page of an object that is locked, if need be, and cache it. */
static int clean(struct contig_work *w, struct vm_object *object,
		 struct vm_page *m)
{
	u64 pindex = m->pindex;

	vm_page_test_dirty(m);
	if (m->dirty)
		atomic64_add(vm_object_flush(object, &m, 1, VM_PAGER_PUT_SYNC),
			     &w->cnt->laundered);
	vm_steer(VM_STEER_CONTIG_CLEANED, m);
	if (vm_page_lookup(object, pindex) != m || !vm_page_try_to_cache(m))
		return CONTIG_SKIP_DIRTY;
	atomic64_inc(&w->cnt->evicted);
	return TAKEN;
}

/* Clean and cache the page at the head of a queue. False if there is none. */
static bool launder_step(struct contig_work *w, enum vm_queue queue)
{
	struct vm_object *object;
	int why = IN_USE;
	struct vm_page *m;

	vm_page_lock_queues();
	/* The next step is another one's. */
	m = vm_pageq_rotate(queue);
	if (m) {
		object = m->object;
		if (m->hold_count)
			why = CONTIG_SKIP_HELD;
		else if (!vm_object_trylock(object))
			why = CONTIG_SKIP_LOCKED;
	}
	vm_page_unlock_queues();
	if (!m)
		return false;
	atomic64_inc(&w->cnt->steps);
	if (why == IN_USE)
		why = with_object(w, object, m, clean);
	skip(w, m, why);
	return true;
}

/* As many steps as there are pages now: more may come, or the same ones again. */
static void launder_queue(struct contig_work *w, enum vm_queue queue)
{
	unsigned long steps = vm_pageq_count(queue);

	while (steps-- && !fatal_signal_pending(current) &&
	       launder_step(w, queue))
		cond_resched();
}

/* Passes. */

static void begin_search(struct contig_work *w)
{
	/* Copied before it is written. */
	struct contig_req req = w->search.req;

	contig_search_begin(&w->search, &req, &pool_view, w,
			    w->how == CONTIG_OLD);
	w->tried = 0;
	w->looked = 0;
}

/* Passes of several requests may end at once. */
static void count_longest(atomic64_t *longest, s64 took)
{
	s64 so_far = atomic64_read(longest);

	while (took > so_far && !atomic64_try_cmpxchg(longest, &so_far, took))
		;
}

static int one_pass(struct contig_work *w, unsigned int pass)
{
	u64 from = ktime_get_ns(), took;
	int error;

	atomic64_inc(&w->cnt->passes[pass]);
	begin_search(w);
	if (pass && w->how == CONTIG_NEW)
		error = pass_launder(w);
	else
		error = pass_quick(w);
	count_search(w);
	if (!error)
		atomic64_inc(&w->cnt->won[pass]);
	if (error && w->how == CONTIG_OLD && pass < CONTIG_PASSES - 1 &&
	    contig_owner == current) {
		launder_queue(w, PQ_INACTIVE);
		launder_queue(w, PQ_ACTIVE);
	}
	took = ktime_get_ns() - from;
	atomic64_add(took, &w->cnt->time[pass]);
	count_longest(&w->cnt->longest[pass], took);
	trace_vm_contig_pass(w->how, pass, w->search.req.npages,
			     w->search.tried, w->search.looked, took, error);
	return error;
}

/* Whether the caller can sleep for others' pages. */
static bool may_launder(int flags)
{
	return flags & M_WAITOK && READ_ONCE(contig_owner) != current &&
	       !(current->flags & (PF_MEMALLOC | PF_MEMALLOC_NOIO |
				   PF_MEMALLOC_NOFS));
}

/* The second and the third pass, which launder; of the old way the first, too. */
static int passes_laundering(struct contig_work *w, unsigned int pass)
{
	int error = -ENOMEM;

	if (mutex_lock_killable(&contig_mutex))
		return error;
	WRITE_ONCE(contig_owner, current);
	for (; error && pass < CONTIG_PASSES &&
	     !fatal_signal_pending(current); pass++) {
		/*
		 * A page that is being allocated looks like somebody else's, and one
		 * is enough where few candidates are left. Its owner needs a moment.
		 */
		if (pass == 2 && w->how == CONTIG_NEW)
			schedule_timeout_idle(THIRD_PASS_WAIT);
		error = one_pass(w, pass);
	}
	WRITE_ONCE(contig_owner, NULL);
	mutex_unlock(&contig_mutex);
	return error;
}

/**
 * contig_take() - take a run of pages from the pool or from who uses them
 * @req: what is wanted
 * @how: the algorithm
 * @flags: M_WAITOK or M_NOWAIT; and M_USE_RESERVE for the last free pages
 * @m: where to leave the first page's record, which the others' follow; they are as
 *	from uma_pool_alloc(), and go back by uma_pool_free()
 *
 * Context: process context; with M_WAITOK may sleep, and none of the VM's locks is held.
 * With M_NOWAIT an object may be locked, whose cached pages are not taken then.
 * Return: 0; -ENXIO if the pool has no page where one would do, -ENOMEM.
 */
int contig_take(const struct contig_req *req, enum contig_algorithm how,
		int flags, struct vm_page **m)
{
	struct contig_work w = {
		.search.req = *req,
		.cnt = &contig_cnt[how],
		.how = how,
		.floor = flags & M_USE_RESERVE ? 0 : vm_page_limits.interrupt,
		.may_sleep = flags & M_WAITOK,
	};
	int error;

	might_sleep_if(flags & M_WAITOK);
	atomic64_inc(&w.cnt->requests);
	if (!has_pages(req)) {
		atomic64_inc(&w.cnt->nxio);
		return -ENXIO;
	}
	if (!may_launder(flags)) {
		error = one_pass(&w, 0);
	} else if (how == CONTIG_OLD) {
		error = passes_laundering(&w, 0);
	} else {
		error = one_pass(&w, 0);
		/* A chunk is a run that nobody has to be asked for. */
		if (error && req->npages <= UMA_CHUNK_PAGES &&
		    uma_pool_grow(uma_pool, req->npages)) {
			atomic64_inc(&w.cnt->grown);
			error = one_pass(&w, 0);
		}
		if (error)
			error = passes_laundering(&w, 1);
	}
	if (error) {
		atomic64_inc(&w.cnt->nomem);
		return -ENOMEM;
	}
	atomic64_inc(&w.cnt->successes);
	*m = w.first;
	trace_vm_contig(w.how, w.first->phys_pfn, req->npages);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_take);

/* A slab of several pages, for a zone that insists on it. */
static struct vm_page *take_for_slab(unsigned int npages)
{
	struct vm_page *m;
	struct contig_req req;

	if (contig_req_init(&req, (u64)npages << PAGE_SHIFT, 0, U64_MAX, 1, 0) ||
	    contig_take(&req, CONTIG_NEW, M_WAITOK, &m))
		return NULL;
	return m;
}

/**
 * contig_startup() - let zones have their slabs from here
 */
void contig_startup(void)
{
	uma_keg_set_contig(take_for_slab);
}

/**
 * contig_shutdown() - not any more
 */
void contig_shutdown(void)
{
	uma_keg_set_contig(NULL);
	WARN_ON(mutex_is_locked(&contig_mutex));
}
