// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-out.
 *
 * Nearly all pages are in use for something that could be got again, so somebody must
 * decide which are to go before anyone needs them. A page tells what it was used for
 * lately only by a bit in its translations, so time is measured in passes: to look at
 * a page is to take its bits away, and what has none the next time was idle in between.
 * Pages age in two steps:
 *
 *	active  --- idle for some passes --->  inactive  --- idle again --->  gone
 *	        <--- used again ------------
 *
 * An active page has a count that goes up when it was used, and down when it was not;
 * with none left it becomes inactive. There it has a second chance for as long as the
 * queue is. Whoever is at the queue's head then and still is idle, goes: free at once if
 * it is clean and free pages are short, cached if they are not; if it is dirty it is
 * given to its pager together with its dirty neighbours, and goes when it is written.
 *
 * A pass takes pages from the head of a queue and puts each to its end before it looks at
 * it. So it needs no place of its own in the queue: whatever happens while a lock is
 * dropped, the next one to be looked at is at the head, and as many looks as there were
 * pages end it.
 *
 * Locks. The queues' lock is the innermost, and the queue is how a page is found; so
 * its object is tried, and passed over if somebody has it. Once it is ours the queues' lock
 * is dropped: the page can be held or wired then, but not leave the object, which
 * is counted as paging before its own lock is dropped for a write. Who holds an
 * object's lock never waits for pages, so whatever is locked is so for a moment.
 *
 * How hard. The first pass is gentle; if it brings nothing the next ones let idle pages
 * get old faster; and when that brings nothing either, pages in use go, too: a system that
 * needs all its pages at once must get on, if slowly. A pass of the last kind that could free
 * nothing, passed over nothing, and has no write under way, has proved that there is
 * nothing to be had. Then those who wait are told so (vm_page_nothing_comes()), which is
 * good for a moment, in which no other such pass is made.
 *
 * Memory for page-out itself. It waits for none: it frees some. Buffers, and the
 * metadata of swap, come from zones with a reserve of items, and may take the pool's last
 * pages; if that is all gone, the pager says so (VM_PAGER_AGAIN), the page stays dirty,
 * and a write that ends brings back what the next one needs.
 *
 * What cannot be written is not tried again at once. A page whose write failed is
 * active again (pager.c); and if nothing could be written in a pass, dirty pages
 * are left alone for a while, which gets longer each time.
 *
 * Zones first. What zones cache is given back before any page is looked at, by a work
 * item that we wait for only so long: a fini may sleep for what waits for a page. And a
 * pool that can grow does so first.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "uma/compat.h"
#include "uma/reclaim.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pageout.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/steer.h"
#include "vmsim/swap.h"
#include "vmsim/trace.h"
#include "vmsim/vm.h"

/* By what an idle page's activity goes down in a firm pass. */
#define FIRM_DECLINE	VM_ACT_INIT

/* How long zones may take to give back what they cache, ... */
#define ASK_TIMEOUT	(HZ / 10)
/* ... and how often they are asked at the most. */
#define ASK_INTERVAL	HZ

/* How long a pass waits for a write before it does without the next. */
#define WRITE_TIMEOUT	(HZ / 5)
/* Between passes, if one passed over pages that may be had in a moment. */
#define PASS_INTERVAL	max(HZ / 50, 1)
/* What one pass has proved is true for so long. */
#define HOPELESS_FOR	(HZ / 10)
/* After a pass in which all writes failed: the first time, and at the most. */
#define FAIL_BACKOFF	(HZ / 2)
#define FAIL_BACKOFF_MAX	(8 * HZ)

/* Of the pool's pages one in so many is to be free. */
#define FREE_DIVISOR	16

/* The most pages that may be on their way at once. */
#define WRITES_MAX	1024

struct vm_pageout_targets vm_pageout_targets;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageout_targets);

/**
 * struct pass - one pass
 * @level: how hard it tries
 * @ours: it is the daemon's, which can be paused
 * @shortage: pages that were missing when it began
 * @looked: pages that it looked at
 * @got: pages that it freed or cached
 * @laundered: pages that it gave to pagers
 * @refused: pages that those did not take
 * @passed: pages that may be had in a moment
 * @stuck: dirty pages that nothing can be done about
 * @deactivated: pages that became inactive
 * @aged: active pages that were idle, and are not inactive yet
 * @stalled: writes take long: no more of them in this pass
 */
struct pass {
	enum vm_pageout_level level;
	bool ours;
	unsigned long shortage;
	unsigned long looked;
	unsigned long got;
	unsigned long laundered;
	unsigned long refused;
	unsigned long passed;
	unsigned long stuck;
	unsigned long deactivated;
	unsigned long aged;
	bool stalled;
};

/* One pass at a time, and none while somebody has paused it; guards all below. */
static DEFINE_MUTEX(scan_lock);	/* see above */
static unsigned long ask_after;
static unsigned long launder_after;
static unsigned long launder_backoff;
static unsigned long hopeless_until;
static bool said_stuck;

static struct task_struct *daemon;
static DECLARE_WAIT_QUEUE_HEAD(daemon_wait);
static bool wanted;
static atomic_t paused;
/* The pass that is under way is to end soon. */
static bool stop_pass;

/* Parameters. */

/**
 * struct target - one that can be set
 * @wish: what the user wants, 0 for what suits the pool; kernel_param_lock
 * @value: where the value is
 */
struct target {
	unsigned long wish;
	unsigned long *value;
};

static struct target free_target = { .value = &vm_pageout_targets.free };
static struct target cache_target = { .value = &vm_pageout_targets.cache };
static struct target inactive_target = { .value = &vm_pageout_targets.inactive };

/* Pages of the pool, 0 before it is there; kernel_param_lock. */
static unsigned long pool_pages;

static unsigned int pageout_writes = 64;

/*
 * What was wished for before the pool was there may be more than it has.
 * kernel_param_lock is held.
 */
static void set_targets(void)
{
	unsigned long free = pool_pages / FREE_DIVISOR;

	/* Who waits for pages waits for so many. */
	free = max3(free, 4 * vm_page_limits.reserved, 1UL);
	free = max(free_target.wish ?: free, 2 * vm_page_limits.wakeup);
	WRITE_ONCE(vm_pageout_targets.free, min(free, pool_pages / 2));
	WRITE_ONCE(vm_pageout_targets.cache,
		   min(cache_target.wish, pool_pages / 2) ?: free / 2);
	WRITE_ONCE(vm_pageout_targets.inactive,
		   min(inactive_target.wish, pool_pages / 2) ?:
		   free + free / 2);
}

static int target_set(const char *val, const struct kernel_param *kp)
{
	struct target *target = kp->arg;
	unsigned long pages;
	int error;

	error = kstrtoul(val, 0, &pages);
	if (!error && pool_pages && pages > pool_pages / 2)
		error = -EINVAL;
	if (error) {
		pr_err("%s: \"%s\" is no number of pages, at most half of the pool's\n",
		       kp->name, val);
		return error;
	}
	target->wish = pages;
	if (pool_pages)
		set_targets();
	return 0;
}

static int target_get(char *buf, const struct kernel_param *kp)
{
	const struct target *target = kp->arg;

	return sysfs_emit(buf, "%lu\n", pool_pages ? *target->value :
						     target->wish);
}

static const struct kernel_param_ops target_ops = {
	.set = target_set,
	.get = target_get,
};

module_param_cb(vm_free_target, &target_ops, &free_target, 0644);
MODULE_PARM_DESC(vm_free_target,
		 "free pages that page-out is after (0: a sixteenth of the pool)");
module_param_cb(vm_cache_target, &target_ops, &cache_target, 0644);
MODULE_PARM_DESC(vm_cache_target,
		 "cached pages beside those (0: half as many)");
module_param_cb(vm_inactive_target, &target_ops, &inactive_target, 0644);
MODULE_PARM_DESC(vm_inactive_target,
		 "inactive pages to choose from (0: three halves of the free ones)");

static int pageout_writes_set(const char *val, const struct kernel_param *kp)
{
	int error = param_set_uint_minmax(val, kp, 1, WRITES_MAX);

	if (error)
		pr_err("%s: \"%s\" is not a number of pages from 1 to %u\n",
		       kp->name, val, WRITES_MAX);
	return error;
}

static const struct kernel_param_ops pageout_writes_ops = {
	.set = pageout_writes_set,
	.get = param_get_uint,
};

module_param_cb(vm_pageout_writes, &pageout_writes_ops, &pageout_writes, 0644);
MODULE_PARM_DESC(vm_pageout_writes,
		 "pages that page-out has on their way to pagers at once (64)");

/* How short. */

static bool free_is_short(void)
{
	return vm_page_free_count() < READ_ONCE(vm_pageout_targets.free);
}

/* Pages that are missing; what is being written is as good as here. */
static unsigned long shortage(void)
{
	unsigned long want = READ_ONCE(vm_pageout_targets.free) +
			     READ_ONCE(vm_pageout_targets.cache);
	unsigned long have = vm_page_free_count() + vm_pageq_count(PQ_CACHE) +
			     vm_page_writing();

	return want > have ? want - have : 0;
}

/* Whether a pass has to end before its time. */
static bool must_end(const struct pass *p)
{
	return READ_ONCE(stop_pass) ||
	       (p->ours && (atomic_read(&paused) || freezing(current)));
}

/* Looking at a page. */

/*
 * The page at the head of a queue, which goes to its end, in an object that is locked
 * now and alive. An ERR_PTR() if it is none to be looked at, NULL if there is none.
 */
static struct vm_page *lock_next(struct pass *p, enum vm_queue queue)
{
	struct vm_page *m, *found = ERR_PTR(-EAGAIN);
	struct vm_object *object;

	vm_page_lock_queues();
	m = vm_pageq_rotate(queue);
	if (!m) {
		vm_page_unlock_queues();
		return NULL;
	}
	p->looked++;
	vm_steer(VM_STEER_PAGEOUT_LOOK, m);
	/* It is in one, and that stays while the page is in it. */
	object = m->object;
	if (m->hold_count) {
		vm_count(skip_held);
	} else if (!vm_object_trylock(object)) {
		vm_count(skip_locked);
		p->passed++;
	} else {
		if (object->flags & OBJ_DEAD) {
			vm_count(skip_dead);
			p->passed++;
		} else if (object->type == OBJT_PHYS) {
			vm_pageq_remove(m);
			vm_count(skip_unmanaged);
		} else if (m->busy) {
			vm_count(skip_busy);
			p->passed++;
		} else if (m->io_count) {
			vm_count(skip_writing);
		} else {
			found = m;
		}
		if (found != m)
			vm_object_unlock(object);
	}
	vm_page_unlock_queues();
	return found;
}

/* A page that was used: it is active, the more so the more it is. */
static void reactivate(struct vm_page *m, int refs)
{
	vm_page_lock_queues();
	vm_page_activate(m);
	m->act_count = min(m->act_count + VM_ACT_ADVANCE + refs, VM_ACT_MAX);
	vm_page_unlock_queues();
	vm_count(scan_reactivated);
}

/* Laundering; the object is locked. */

/* Whether a neighbour is to be written along with a page. */
static bool is_worth_it(struct vm_page *m)
{
	bool idle;

	if (!m || vm_page_is_busy(m))
		return false;
	vm_page_lock_queues();
	idle = m->queue == PQ_INACTIVE && !m->hold_count;
	vm_page_unlock_queues();
	if (!idle || pmap_is_referenced(m))
		return false;
	vm_page_test_dirty(m);
	return m->valid & m->dirty;
}

/*
 * The page and those beside it, for one operation: from where such a piece of the
 * object begins, if they all are to be written. Returns how many, in order.
 */
static unsigned int gather(struct vm_page *m, struct vm_page **run)
{
	struct vm_object *object = m->object;
	struct vm_page *below[VM_PAGER_MAX], *next;
	unsigned int i, n = 0;

	for (i = 0; (m->pindex - i) % VM_PAGER_MAX; i++) {
		next = vm_page_lookup(object, m->pindex - i - 1);
		if (!is_worth_it(next))
			break;
		below[i] = next;
	}
	while (i)
		run[n++] = below[--i];
	run[n++] = m;
	for (i = 1; n < VM_PAGER_MAX; i++) {
		next = vm_page_lookup(object, m->pindex + i);
		if (!is_worth_it(next))
			break;
		run[n++] = next;
	}
	return n;
}

/* Whether a dirty page can be given to anybody. */
static bool can_launder(struct pass *p, struct vm_object *object)
{
	if (!object->ops || !object->ops->putpages) {
		vm_count(skip_unmanaged);
		p->stuck++;
		return false;
	}
	if ((object->type == OBJT_DEFAULT || object->type == OBJT_SWAP) &&
	    !vm_swap_room()) {
		vm_count(skip_no_swap);
		p->stuck++;
		return false;
	}
	if (time_before(jiffies, launder_after)) {
		vm_count(skip_failing);
		p->stuck++;
		return false;
	}
	return true;
}

/* Give a page to its pager. The object's lock is dropped meanwhile. */
static void launder(struct pass *p, struct vm_page *m)
{
	struct vm_object *object = m->object;
	bool giant = object->flags & OBJ_NEEDGIANT;
	struct vm_page *run[VM_PAGER_MAX];
	unsigned int n, good;

	if (!can_launder(p, object))
		return;
	/* It is taken before the object's, so here it can only be tried. */
	if (giant && !mutex_trylock(&vm_giant)) {
		vm_count(skip_locked);
		p->passed++;
		return;
	}
	n = gather(m, run);
	vm_object_pip_add(object, 1);
	vm_steer(VM_STEER_PAGEOUT_LAUNDER, m);
	good = vm_object_flush(object, run, n,
			       free_is_short() ? VM_PAGER_PUT_INVAL : 0);
	vm_object_pip_wakeup(object, 1);
	if (giant)
		mutex_unlock(&vm_giant);
	p->laundered += good;
	p->refused += n - good;
	vm_count_n(scan_laundered, good);
}

/* The scans. */

/* Decide about an inactive page, whose object is locked. */
static void look_at_inactive(struct pass *p, struct vm_page *m)
{
	int refs = pmap_ts_referenced(m);
	bool short_of_free;

	if (refs && p->level < VM_PAGEOUT_DESPERATE) {
		reactivate(m, refs);
		return;
	}
	/* What has no contents has none to lose. */
	if (!m->valid)
		vm_page_undirty(m);
	vm_page_test_dirty(m);
	if (m->dirty) {
		if (!p->stalled)
			launder(p, m);
		return;
	}
	short_of_free = free_is_short();
	if (short_of_free ? vm_page_try_to_free(m) : vm_page_try_to_cache(m)) {
		if (short_of_free)
			vm_count(scan_freed);
		else
			vm_count(scan_cached);
		p->got++;
	} else {
		vm_count(skip_held);
	}
}

static void scan_inactive(struct pass *p)
{
	unsigned long todo = vm_pageq_count(PQ_INACTIVE);
	struct vm_object *object;
	struct vm_page *m;
	unsigned int most;

	for (; todo && shortage() && !must_end(p); todo--) {
		m = lock_next(p, PQ_INACTIVE);
		if (!m)
			break;
		vm_count(scan_inactive);
		if (!IS_ERR(m)) {
			object = m->object;
			look_at_inactive(p, m);
			vm_object_unlock(object);
			cond_resched();
		}
		most = READ_ONCE(pageout_writes) - 1;
		if (!p->stalled)
			p->stalled = !vm_page_wait_for_writes(most, &stop_pass,
							      WRITE_TIMEOUT);
	}
}

/* Age an active page, whose object is locked; whether it is inactive now. */
static bool look_at_active(struct pass *p, struct vm_page *m)
{
	unsigned int decline = p->level == VM_PAGEOUT_GENTLE ? VM_ACT_DECLINE :
							       FIRM_DECLINE;
	int refs = pmap_ts_referenced(m);
	bool idle = false;

	vm_page_lock_queues();
	if (m->queue != PQ_ACTIVE) {
		/* Somebody has wired it. */
	} else if (refs && p->level < VM_PAGEOUT_DESPERATE) {
		m->act_count = min(m->act_count + VM_ACT_ADVANCE + refs - 1,
				   VM_ACT_MAX);
	} else if (p->level < VM_PAGEOUT_DESPERATE && m->act_count > decline) {
		m->act_count -= decline;
		p->aged++;
	} else {
		vm_page_deactivate(m);
		idle = true;
	}
	vm_page_unlock_queues();
	return idle;
}

static void scan_active(struct pass *p)
{
	unsigned long todo = vm_pageq_count(PQ_ACTIVE);
	struct vm_object *object;
	struct vm_page *m;
	unsigned long want;

	want = READ_ONCE(vm_pageout_targets.inactive) + shortage();
	for (; todo && vm_pageq_count(PQ_INACTIVE) < want && !must_end(p);
	     todo--) {
		m = lock_next(p, PQ_ACTIVE);
		if (!m)
			break;
		vm_count(scan_active);
		if (IS_ERR(m))
			continue;
		object = m->object;
		if (look_at_active(p, m)) {
			vm_count(scan_deactivated);
			p->deactivated++;
		}
		vm_object_unlock(object);
		cond_resched();
	}
}

/* Cached pages are free to us, but not to zones: some are to be so for all. */
static void free_cached(struct pass *p)
{
	struct vm_page *m;

	while (free_is_short() && vm_pageq_count(PQ_CACHE)) {
		m = vm_page_select_cache(NULL);
		if (!m) {
			/* Their objects are locked just now. */
			p->passed++;
			break;
		}
		vm_page_free(m);
		vm_count(scan_uncached);
		p->got++;
	}
}

/*
 * One pass, and what it began to write, if that does not take too long. Returns whether
 * it brought anything.
 */
static bool run_pass(struct pass *p, enum vm_pageout_level level, bool ours)
{
	u64 written = vm_counted(pageouts), failed = vm_counted(write_errors);

	*p = (struct pass) {
		.level = level,
		.ours = ours,
		.shortage = shortage(),
	};
	vm_count(scans);
	free_cached(p);
	scan_inactive(p);
	scan_active(p);
	if (p->laundered)
		vm_page_wait_for_writes(0, &stop_pass, WRITE_TIMEOUT);
	written = vm_counted(pageouts) - written;
	failed = vm_counted(write_errors) - failed;
	if (written) {
		launder_backoff = 0;
		said_stuck = false;
	} else if ((failed || p->refused) && !vm_page_writing()) {
		launder_backoff = launder_backoff ?
				  min(2 * launder_backoff,
				      (unsigned long)FAIL_BACKOFF_MAX) :
				  FAIL_BACKOFF;
		launder_after = jiffies + launder_backoff;
	}
	trace_vm_scan(level, p->shortage, p->looked, p->got, p->laundered,
		      p->deactivated, vm_page_free_count());
	return p->got || written;
}

/* Zones give back what they cache, and the pool grows, before any page goes. */
static void ask_others(void)
{
	while (free_is_short() && uma_pool_grow(uma_pool, 1))
		cond_resched();
	if (!free_is_short() || time_before(jiffies, ask_after))
		return;
	uma_reclaim_ask(ASK_TIMEOUT);
	ask_after = jiffies + ASK_INTERVAL;
}

/* Once for each time that it comes to this. */
static void say_stuck(const struct pass *p)
{
	if (said_stuck || !p->stuck)
		return;
	said_stuck = true;
	if (time_before(jiffies, launder_after))
		pr_warn("page-out cannot write: %lu dirty pages stay\n",
			p->stuck);
	else
		pr_warn("page-out has no room in swap: %lu dirty pages stay\n",
			p->stuck);
}

/*
 * Somebody is short of pages: make passes until nobody is. @scan_lock is held. Returns
 * false if it had to end before that.
 */
static bool relieve(void)
{
	enum vm_pageout_level level = VM_PAGEOUT_GENTLE;
	unsigned int ticket = vm_page_waits(), writes;
	struct pass p;
	bool good;

	if (time_before(jiffies, hopeless_until) && !vm_page_writing() &&
	    !vm_page_isolated()) {
		vm_page_nothing_comes(ticket);
		return true;
	}
	if (!shortage() && !free_is_short())
		return true;
	ask_others();
	for (;;) {
		ticket = vm_page_waits();
		good = run_pass(&p, level, true);
		if (must_end(&p))
			return false;
		if (!shortage() && !free_is_short())
			return true;
		writes = vm_page_writing();
		if (good || p.deactivated)
			continue;
		if (!writes && level == VM_PAGEOUT_FIRM && p.aged)
			continue;
		if (!writes && level < VM_PAGEOUT_DESPERATE) {
			level++;
			continue;
		}
		/* What somebody gathers for a run comes back if none comes of it. */
		if (!writes && !p.passed && !vm_page_isolated())
			break;
		/* There is something, but not just now. */
		if (!vm_page_has_waiters())
			return true;
		if (writes)
			vm_page_wait_for_writes(writes - 1, &stop_pass,
						WRITE_TIMEOUT);
		else
			schedule_timeout_idle(PASS_INTERVAL);
	}
	say_stuck(&p);
	vm_count(hopeless);
	hopeless_until = jiffies + HOPELESS_FOR;
	vm_page_nothing_comes(ticket);
	return true;
}

/* The daemon. */

static int daemon_main(void *arg)
{
	set_freezable();
	while (!kthread_should_stop()) {
		wait_event_freezable(daemon_wait, kthread_should_stop() ||
				     (READ_ONCE(wanted) &&
				      !atomic_read(&paused)));
		if (!xchg(&wanted, false))
			continue;
		mutex_lock(&scan_lock);
		if (atomic_read(&paused) || !relieve())
			WRITE_ONCE(wanted, true);
		mutex_unlock(&scan_lock);
		try_to_freeze();
	}
	return 0;
}

static void wake_daemon(struct irq_work *work)
{
	wake_up(&daemon_wait);
}

static DEFINE_IRQ_WORK(wake_work, wake_daemon);

/* From any context. */
static void want_pageout(void)
{
	if (!READ_ONCE(wanted) && !xchg(&wanted, true))
		irq_work_queue(&wake_work);
}

/**
 * vm_pageout_pause() - keep the daemon still
 *
 * On return it does nothing, until as many calls of vm_pageout_resume().
 *
 * Context: process context, may sleep.
 */
void vm_pageout_pause(void)
{
	atomic_inc(&paused);
	vm_page_flash_writes();
	mutex_lock(&scan_lock);
	mutex_unlock(&scan_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageout_pause);

/**
 * vm_pageout_resume() - undo one vm_pageout_pause()
 */
void vm_pageout_resume(void)
{
	if (WARN_ON(atomic_dec_return(&paused) < 0))
		atomic_inc(&paused);
	wake_up(&daemon_wait);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageout_resume);

/**
 * vm_pageout_scan() - make one pass, whether pages are short for the daemon or not
 * @level: how hard it tries
 *
 * It goes as far as the targets say.
 *
 * Context: process context, may sleep; no lock of the VM held. The daemon is paused.
 * Return: pages that were freed, cached, or given to pagers.
 */
unsigned long vm_pageout_scan(enum vm_pageout_level level)
{
	struct pass p;

	mutex_lock(&scan_lock);
	run_pass(&p, level, false);
	mutex_unlock(&scan_lock);
	return p.got + p.laundered;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_pageout_scan);

/* Start and end. */

/**
 * vm_pageout_startup() - start the daemon
 *
 * Context: process context, at load, once there are pagers.
 * Return: 0 or an errno.
 */
int vm_pageout_startup(void)
{
	struct uma_pool_stats st;
	struct task_struct *task;

	uma_pool_get_stats(uma_pool, &st);
	kernel_param_lock(THIS_MODULE);
	pool_pages = st.pages;
	set_targets();
	kernel_param_unlock(THIS_MODULE);
	ask_after = jiffies;
	launder_after = jiffies;
	hopeless_until = jiffies;
	stop_pass = false;
	task = kthread_run(daemon_main, NULL, "uma_pageout");
	if (IS_ERR(task))
		return PTR_ERR(task);
	daemon = task;
	vm_page_set_pageout(want_pageout);
	uma_reclaim_set_next(want_pageout);
	return 0;
}

/**
 * vm_pageout_shutdown() - the end of the daemon; no address space is left
 *
 * Context: process context, may sleep.
 */
void vm_pageout_shutdown(void)
{
	uma_reclaim_set_next(NULL);
	vm_page_set_pageout(NULL);
	irq_work_sync(&wake_work);
	WRITE_ONCE(stop_pass, true);
	vm_page_flash_writes();
	kthread_stop(daemon);
	kernel_param_lock(THIS_MODULE);
	pool_pages = 0;
	kernel_param_unlock(THIS_MODULE);
}
