// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arena: where guarded items live.
 *
 * A range of kernel addresses, cut into slots of a page. An item gets slots of
 * its own, placed against the end of the last of them (or the start of the first,
 * memguard_options.start), and the slot behind them, in which nothing is mapped.
 * The slot before them is the one behind somebody else's, or the first of the
 * arena, which is nobody's. So an access that leaves the pages faults on both sides,
 * and one that leaves the item inside its pages spoils a pattern (the slack),
 * which is looked at when the item is freed.
 *
 *	| none | slack item | none | slack it | em | none | slack item | none |
 *	   0     \__ range _________/ \___ range _________/ \__ range ________/
 *
 * When an item is freed, its pages lose the right to be written (or read too,
 * memguard_options.noread), and its range goes to the end of a queue. Slots that
 * nobody ever had are used first, in turn; when there are none left, the range at
 * the head of the queue is. So a freed item stays guarded as long as the arena
 * allows (MG-05). The queue runs through struct memguard_range, which is ours: no
 * field of a page's record is borrowed, since others read those.
 *
 * Pages. A slot that was given a page keeps it, in use or not, until the
 * arena is trimmed. So whatever a processor remembers of a slot, it is never another
 * page than the one that is there (MG-06).
 *
 * Forgetting. To take rights away, each processor must forget the old entry. A
 * free that can be preempted makes them, and returns when they have. One that
 * cannot, in an interrupt or under somebody's lock, changes the entries, makes its
 * own processor forget, and leaves the others to a work item: until that has run,
 * they may still write to the item through what they remember, and such a write is
 * missed. What must not happen is that a range is used again before: a stale
 * write would spoil the next item, and its owner be accused. So a range carries the
 * generation in which it was protected, and is not taken before the arena has
 * reached that; this is asserted. The other way round, where an entry gains a
 * right that some processor does not know of yet, the access faults, the entry is
 * found to allow it, and it is repeated in silence. Kernels that do not count
 * preemption (CONFIG_PREEMPT_COUNT) cannot tell: there it is always the work item.
 *
 * Sizes differ, so that the oldest range may not fit. It is then taken apart, its
 * slots become free, as do its neighbours' in time, and what fits is found there.
 * Slots change their meaning by that, from page to guard page, and all processors
 * must have forgotten before: they stay marked as used until then.
 *
 * An access to a freed item or a guard page that was reported and is to go on gets
 * its way: the page is opened. A guard slot without a page shows one that all of
 * them share, and whose contents are nobody's. The next free or reuse beside it
 * closes it again. No slot that shows it, or that some processor may remember as
 * showing it, is given to a range: a slot may be opened at the wrong moment, on its
 * way from one range to the next, and then makes its way once more.
 *
 * Locks: arena.lock, raw, after a keg's and before the pool's. It is held for
 * a search in the bitmap of slots and for a few dozen entries.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": memguard: " fmt

#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "memguard/arena.h"
#include "uma/kva.h"
#include "uma/pool.h"
#include "uma/steer.h"
#include "uma/uma.h"

/* Stacks are looked at this deep for the first caller that is not ours. */
#define STACK_LOOK	(MEMGUARD_STACK + 16)

/* Ranges, and slots, that are worked on while the lock is held once. */
#define BATCH		32
#define TRIM_SLOTS	256

/*
 * What slack is filled with: each byte tells its place among eight, so that a
 * shifted copy is seen, too.
 */
#define SLACK_WORD	0xa7a6a5a4a3a2a1a0ULL

/**
 * struct arena - the arena
 * @lock: guards all that follows, but for what is constant after creation
 * @kva: its addresses, constant
 * @npages: slots, constant
 * @ranges: a record for each slot, used for a range that begins there; constant
 * @range_of: for each slot, the first slot of the range that it is in, guard slot
 *	included, or 0
 * @used: slots in ranges, or still remembered by some processor
 * @queue: freed ranges, oldest first
 * @apart: ranges that were taken apart, until all processors know; oldest first
 * @cursor: where the search for free slots goes on
 * @fits: no run of more free slots than this is left
 * @generation: of the last free
 * @reached: what all processors have forgotten
 * @shared: the page that guard slots show when they are opened; constant
 * @wants_pages: an allocation failed for want of pages since the last flush
 * @st: counts
 */
static struct arena {
	raw_spinlock_t lock;
	struct uma_kva *kva;
	unsigned long npages;
	struct memguard_range *ranges;
	u32 *range_of;
	unsigned long *used;
	struct list_head queue;
	struct list_head apart;
	unsigned long cursor;
	unsigned long fits;
	u64 generation;
	u64 reached;
	struct vm_page *shared;
	bool wants_pages;
	struct memguard_arena_stats st;
} arena = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(arena.lock),
	.queue = LIST_HEAD_INIT(arena.queue),
	.apart = LIST_HEAD_INIT(arena.apart),
};

struct memguard_options memguard_options;
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_options);

static void forget_fn(struct work_struct *work);
static DECLARE_WORK(forget_work, forget_fn);
static struct irq_work forget_irq;

static unsigned long range_first(const struct memguard_range *r)
{
	return r - arena.ranges;
}

/**
 * memguard_range_start() - first address of a range's pages
 * @r: the range
 *
 * Context: any.
 */
void *memguard_range_start(const struct memguard_range *r)
{
	return arena.kva->base + (range_first(r) << PAGE_SHIFT);
}

/**
 * memguard_range_item() - address of a range's item
 * @r: the range
 *
 * Context: any.
 */
void *memguard_range_item(const struct memguard_range *r)
{
	return memguard_range_start(r) + r->offset;
}

static unsigned long slot_of(const void *addr)
{
	return (addr - arena.kva->base) >> PAGE_SHIFT;
}

/* Slack: what of a range's pages is not its item. */

/**
 * memguard_slack_byte() - what a byte of slack should be
 * @addr: its address
 *
 * Context: any.
 */
u8 memguard_slack_byte(const void *addr)
{
	return SLACK_WORD >> ((unsigned long)addr % 8 * 8);
}

static void slack_fill(void *from, void *to)
{
	u8 *p = from;

	for (; (void *)p < to && (unsigned long)p % 8; p++)
		*p = memguard_slack_byte(p);
	for (; to - (void *)p >= 8; p += 8)
		*(u64 *)p = SLACK_WORD;
	for (; (void *)p < to; p++)
		*p = memguard_slack_byte(p);
}

/* The first byte that is not as it was filled, or NULL. */
static const u8 *slack_find(const void *from, const void *to)
{
	const u8 *p = from;

	while ((const void *)p < to) {
		if ((unsigned long)p % 8 == 0 && to - (const void *)p >= 8 &&
		    *(const u64 *)p == SLACK_WORD) {
			p += 8;
			continue;
		}
		if (*p != memguard_slack_byte(p))
			return p;
		p++;
	}
	return NULL;
}

/**
 * memguard_slack_intact() - has nobody written beside an item?
 * @r: its range, live or claimed
 * @bad: where to put the address of the first byte that was written
 *
 * What was written behind the item is told before what was written in front.
 *
 * Context: any.
 * Return: true if nobody has.
 */
bool memguard_slack_intact(const struct memguard_range *r, const u8 **bad)
{
	void *start = memguard_range_start(r), *item = memguard_range_item(r);
	void *end = start + ((unsigned long)r->npages << PAGE_SHIFT);

	*bad = slack_find(item + r->size, end);
	if (!*bad)
		*bad = slack_find(start, item);
	return !*bad;
}

/* Who did it. */

/**
 * memguard_track_save() - note who is here
 * @track: where
 *
 * The callers in UMA itself, which are always the same, are left out.
 *
 * Context: any but NMI.
 */
void memguard_track_save(struct memguard_track *track)
{
	unsigned long entries[STACK_LOOK];
	unsigned int n, ours;

	n = uma_stack_here(entries, STACK_LOOK);
	for (ours = 0; ours < n; ours++)
		if (!within_module(entries[ours], THIS_MODULE))
			break;
	if (ours == n)
		ours = 0;
	n = min_t(unsigned int, n - ours, MEMGUARD_STACK);
	uma_stack_save(&track->stack, entries + ours, n, preemptible());
	track->when = local_clock();
	track->pid = task_pid_nr(current);
	track->cpu = raw_smp_processor_id();
	strscpy(track->comm, current->comm, sizeof(track->comm));
}

/* Slots. */

static void slots_take(unsigned long first, unsigned long npages)
{
	unsigned long i;

	lockdep_assert_held(&arena.lock);
	bitmap_set(arena.used, first, npages + 1);
	for (i = first; i <= first + npages; i++)
		WRITE_ONCE(arena.range_of[i], first);
}

static void slots_release(unsigned long first, unsigned long n)
{
	lockdep_assert_held(&arena.lock);
	bitmap_clear(arena.used, first, n);
	arena.fits = ULONG_MAX;
}

/* Making processors forget. */

static bool range_forgotten(const struct memguard_range *r)
{
	lockdep_assert_held(&arena.lock);
	return r->generation <= arena.reached;
}

/* No processor knows yet that a range's slots are to be free. */
static void range_depart(struct memguard_range *r)
{
	lockdep_assert_held(&arena.lock);
	r->generation = ++arena.generation;
	list_add_tail(&r->link, &arena.apart);
}

/* Take the shared page out of a range's slots. Returns whether it was in one. */
static bool range_unshare(const struct memguard_range *r)
{
	unsigned long first = range_first(r), i;
	bool was = false;

	lockdep_assert_held(&arena.lock);
	for (i = first; i <= first + r->npages; i++) {
		if (READ_ONCE(arena.kva->pages[i]) != arena.shared)
			continue;
		uma_kva_take(arena.kva, i);
		was = true;
	}
	return was;
}

/*
 * All processors know that these ranges are gone. One in which a slot was opened
 * since waits for the next time.
 */
static void release_apart(void)
{
	struct memguard_range *r, *next;

	list_for_each_entry_safe(r, next, &arena.apart, link) {
		if (!range_forgotten(r))
			break;
		list_del(&r->link);
		if (range_unshare(r))
			range_depart(r);
		else
			slots_release(range_first(r), r->npages + 1);
	}
}

/* All of them, of whatever was freed before. Preemptible. */
static void flush_now(bool late)
{
	unsigned long irq;
	u64 generation;

	raw_spin_lock_irqsave(&arena.lock, irq);
	generation = arena.generation;
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	if (late)
		uma_steer(UMA_STEER_GUARD_FLUSH, NULL);
	uma_kva_flush();
	raw_spin_lock_irqsave(&arena.lock, irq);
	arena.reached = max(arena.reached, generation);
	arena.st.flushes++;
	arena.st.flushes_late += late;
	release_apart();
	raw_spin_unlock_irqrestore(&arena.lock, irq);
}

static void forget_irq_fn(struct irq_work *work)
{
	queue_work(system_highpri_wq, &forget_work);
}

/* Entries lost rights. Returns when no processor has them, or will see to it. */
static void forget(void)
{
	if (preemptible()) {
		flush_now(false);
		return;
	}
	uma_kva_flush_here();
	irq_work_queue(&forget_irq);
}

/* Finding a range. */

/* A range on slots that nobody has; NULL if there are not so many in a row. */
static struct memguard_range *take_free(unsigned long npages)
{
	unsigned long first, irq;
	struct memguard_range *r = NULL;

	raw_spin_lock_irqsave(&arena.lock, irq);
	if (npages > arena.fits)
		goto out;
	first = bitmap_find_next_zero_area(arena.used, arena.npages,
					   arena.cursor, npages + 1, 0);
	if (first >= arena.npages)
		first = bitmap_find_next_zero_area(arena.used, arena.npages, 1,
						   npages + 1, 0);
	if (first >= arena.npages) {
		arena.fits = npages - 1;
		goto out;
	}
	slots_take(first, npages);
	arena.cursor = first + npages + 1;
	r = &arena.ranges[first];
	r->npages = npages;
	arena.st.slots_live += npages + 1;
out:
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	return r;
}

/*
 * The oldest freed range, if it has the right number of pages. *@others is set where
 * it is another size and can be taken apart, *@early where it cannot be touched
 * yet.
 */
static struct memguard_range *take_oldest(unsigned long npages, bool *others,
					  bool *early)
{
	struct memguard_range *r;
	unsigned long irq;

	*others = false;
	*early = false;
	raw_spin_lock_irqsave(&arena.lock, irq);
	r = list_first_entry_or_null(&arena.queue, struct memguard_range, link);
	if (!r) {
		/* None. */
	} else if (!range_forgotten(r)) {
		*early = true;
		r = NULL;
	} else if (r->npages != npages) {
		*others = true;
		r = NULL;
	} else {
		list_del(&r->link);
		arena.st.ranges_queued--;
		arena.st.slots_queued -= npages + 1;
		arena.st.slots_live += npages + 1;
		arena.st.reused++;
	}
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	return r;
}

/* Take a slot's page, if it has one of its own, and list it in @loose. */
static void slot_take_page(unsigned long slot, struct list_head *loose)
{
	struct vm_page *m;

	lockdep_assert_held(&arena.lock);
	m = uma_kva_take(arena.kva, slot);
	if (!m || m == arena.shared)
		return;
	list_add(&m->pageq, loose);
	arena.st.pages--;
}

/*
 * Take up to @most ranges that were freed up to a generation from the head of the
 * queue apart, and their pages if @loose. Processors do not know yet. Returns
 * whether there were any.
 */
static bool take_apart(unsigned long most, u64 newest, struct list_head *loose)
{
	struct memguard_range *r;
	unsigned long first, irq, n, i;

	raw_spin_lock_irqsave(&arena.lock, irq);
	for (n = 0; n < min_t(unsigned long, most, BATCH); n++) {
		r = list_first_entry_or_null(&arena.queue,
					     struct memguard_range, link);
		if (!r || !range_forgotten(r) || r->generation > newest)
			break;
		list_del(&r->link);
		atomic_set(&r->state, MEMGUARD_NONE);
		first = range_first(r);
		arena.st.ranges_queued--;
		arena.st.slots_queued -= r->npages + 1;
		uma_kva_change(arena.kva, first, r->npages + 1, UMA_KVA_NONE);
		for (i = first; i <= first + r->npages; i++) {
			WRITE_ONCE(arena.range_of[i], 0);
			if (loose)
				slot_take_page(i, loose);
		}
		range_unshare(r);
		range_depart(r);
	}
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	return n;
}

static bool apart_pending(void)
{
	return !list_empty_careful(&arena.apart);
}

static struct memguard_range *find_range(unsigned long npages)
{
	struct memguard_range *r;
	bool others, early;

	for (;;) {
		r = take_free(npages);
		if (!r)
			r = take_oldest(npages, &others, &early);
		if (r || !(others || early))
			return r;
		/*
		 * No more than may be wanted: they are guarded until then.
		 * What is on its way is enough for who cannot wait for it.
		 */
		if (others && (preemptible() || !apart_pending()))
			take_apart(2 * npages, U64_MAX, NULL);
		if (!preemptible()) {
			irq_work_queue(&forget_irq);
			return NULL;
		}
		flush_now(false);
	}
}

/* Undo take_free(). No page of it could be touched, unless it was opened. */
static void range_untake(struct memguard_range *r)
{
	unsigned long first = range_first(r), irq, i;

	raw_spin_lock_irqsave(&arena.lock, irq);
	for (i = first; i <= first + r->npages; i++)
		WRITE_ONCE(arena.range_of[i], 0);
	arena.st.slots_live -= r->npages + 1;
	if (range_unshare(r))
		range_depart(r);
	else
		slots_release(first, r->npages + 1);
	raw_spin_unlock_irqrestore(&arena.lock, irq);
}

/*
 * Give each slot of a range a page. Nobody else gives a slot one, but it may be
 * opened, even now: then the range cannot be had.
 */
static bool range_populate(struct memguard_range *r)
{
	unsigned long first = range_first(r), irq, i;
	struct vm_page *m;
	bool opened;

	for (i = first; i < first + r->npages; i++) {
		m = READ_ONCE(arena.kva->pages[i]);
		if (m && m != arena.shared)
			continue;
		m = uma_pool_alloc(uma_pool, 1, M_NOWAIT);
		if (!m)
			return false;
		raw_spin_lock_irqsave(&arena.lock, irq);
		opened = uma_kva_enter(arena.kva, i, m, UMA_KVA_NONE);
		arena.st.pages += !opened;
		raw_spin_unlock_irqrestore(&arena.lock, irq);
		if (opened) {
			uma_pool_free(uma_pool, m, 1);
			return false;
		}
	}
	return true;
}

/*
 * Close a guard slot that was opened. Returns whether it was. The shared page stays
 * in it, unseen, so that whoever makes something else of the slot knows that
 * processors may remember it.
 */
static bool slot_close(unsigned long slot)
{
	lockdep_assert_held(&arena.lock);
	if (uma_kva_allows(arena.kva, slot) == UMA_KVA_NONE)
		return false;
	uma_kva_change(arena.kva, slot, 1, UMA_KVA_NONE);
	return true;
}

static bool guards_close(struct memguard_range *r)
{
	unsigned long first = range_first(r);
	bool closed;

	closed = slot_close(first - 1);
	return slot_close(first + r->npages) || closed;
}

static void count_failure(u64 *counter)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&arena.lock, irq);
	++*counter;
	raw_spin_unlock_irqrestore(&arena.lock, irq);
}

/* A range with all its pages, or NULL, counted. */
static struct memguard_range *get_range(size_t size)
{
	struct memguard_range *r = NULL;
	unsigned long npages = 0;
	bool others, early;

	/* Before it is rounded up, and may be small again. */
	if (size <= (arena.npages - 2) << PAGE_SHIFT) {
		npages = DIV_ROUND_UP(size, PAGE_SIZE);
		r = find_range(npages);
	}
	if (!r) {
		count_failure(&arena.st.no_space);
		return NULL;
	}
	if (range_populate(r))
		return r;
	range_untake(r);
	/* A freed range has its pages. */
	r = take_oldest(npages, &others, &early);
	if (r)
		return r;
	count_failure(&arena.st.no_pages);
	WRITE_ONCE(arena.wants_pages, true);
	irq_work_queue(&forget_irq);
	return NULL;
}

/**
 * memguard_arena_alloc() - room for an item
 * @size: its bytes, not 0
 * @align: what its address is to be a multiple of, a power of two
 *
 * Filled in and accessible, but not live: memguard_arena_publish().
 *
 * Context: any but NMI, under any lock but the pool's.
 * Return: a range, or NULL for want of address space or pages, which is counted, or
 * where @align is beyond a page.
 */
struct memguard_range *memguard_arena_alloc(size_t size, size_t align)
{
	struct memguard_range *r;
	unsigned long irq, room;
	void *start;
	bool closed;

	if (!memguard_arena_exists() || align > PAGE_SIZE)
		return NULL;
	r = get_range(size);
	if (!r)
		return NULL;
	room = (unsigned long)r->npages << PAGE_SHIFT;
	raw_spin_lock_irqsave(&arena.lock, irq);
	/* Asserted: nobody can still have less rights than he is given here, or more. */
	WARN_ON_ONCE(!range_forgotten(r));
	r->size = size;
	r->offset = READ_ONCE(memguard_options.start) ?
		    0 : round_down(room - size, align);
	r->oops = NULL;
	r->refcnt = 0;
	memset(&r->freed, 0, sizeof(r->freed));
	closed = guards_close(r);
	uma_kva_change(arena.kva, range_first(r), r->npages, UMA_KVA_RW);
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	if (closed)
		forget();
	start = memguard_range_start(r);
	slack_fill(start, start + r->offset);
	slack_fill(start + r->offset + size, start + room);
	return r;
}

/**
 * memguard_arena_publish() - an item's record is complete
 * @r: its range
 *
 * Context: any.
 */
void memguard_arena_publish(struct memguard_range *r)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&arena.lock, irq);
	arena.st.ranges_live++;
	arena.st.bytes_live += r->size;
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	/* Pairs with the claim. */
	atomic_set_release(&r->state, MEMGUARD_LIVE);
}

/**
 * memguard_arena_item() - the range of an item
 * @item: any value at all
 *
 * Context: any.
 * Return: the range whose item begins there, in whatever state, or NULL.
 */
struct memguard_range *memguard_arena_item(const void *item)
{
	struct memguard_range *r;
	u32 first;

	if (!uma_guard_covers(item))
		return NULL;
	first = READ_ONCE(arena.range_of[slot_of(item)]);
	if (!first)
		return NULL;
	r = &arena.ranges[first];
	return memguard_range_item(r) == item ? r : NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_arena_item);

/**
 * memguard_arena_claim() - be the one who frees an item
 * @r: its range
 *
 * Context: any.
 * Return: true for one caller, if the item is out.
 */
bool memguard_arena_claim(struct memguard_range *r)
{
	return atomic_cmpxchg(&r->state, MEMGUARD_LIVE, MEMGUARD_FREEING) ==
	       MEMGUARD_LIVE;
}

/**
 * memguard_arena_free() - protect a claimed item's range and queue it
 * @r: the range
 *
 * In a context that can be preempted no processor can write to it when this
 * returns; otherwise others may for a moment, see above.
 *
 * Context: any but NMI, under any lock but the pool's.
 */
void memguard_arena_free(struct memguard_range *r)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&arena.lock, irq);
	uma_kva_change(arena.kva, range_first(r), r->npages,
		       READ_ONCE(memguard_options.noread) ? UMA_KVA_NONE :
							    UMA_KVA_READ);
	guards_close(r);
	/* Who flushes from here on flushes this, too. */
	r->generation = ++arena.generation;
	atomic_set(&r->state, MEMGUARD_FREED);
	list_add_tail(&r->link, &arena.queue);
	arena.st.bytes_live -= r->size;
	arena.st.ranges_live--;
	arena.st.slots_live -= r->npages + 1;
	arena.st.ranges_queued++;
	arena.st.slots_queued += r->npages + 1;
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	forget();
}

/* Take the pages of slots that are in no range. */
static void trim_free_slots(void)
{
	unsigned long from, slot, irq, taken[BITS_TO_LONGS(TRIM_SLOTS)];
	LIST_HEAD(loose);
	unsigned int i;

	for (from = 1; from < arena.npages; from += TRIM_SLOTS) {
		bitmap_zero(taken, TRIM_SLOTS);
		raw_spin_lock_irqsave(&arena.lock, irq);
		for (i = 0; i < TRIM_SLOTS && from + i < arena.npages; i++) {
			slot = from + i;
			if (test_bit(slot, arena.used) ||
			    !READ_ONCE(arena.kva->pages[slot]))
				continue;
			__set_bit(slot, arena.used);
			__set_bit(i, taken);
			slot_take_page(slot, &loose);
		}
		raw_spin_unlock_irqrestore(&arena.lock, irq);
		if (bitmap_empty(taken, TRIM_SLOTS))
			continue;
		flush_now(false);
		raw_spin_lock_irqsave(&arena.lock, irq);
		/* As any other that was opened while it was nobody's. */
		for_each_set_bit(i, taken, TRIM_SLOTS)
			if (!READ_ONCE(arena.kva->pages[from + i]))
				slots_release(from + i, 1);
		raw_spin_unlock_irqrestore(&arena.lock, irq);
		uma_pool_free_list(uma_pool, &loose);
	}
}

static void forget_fn(struct work_struct *work)
{
	flush_now(true);
	if (READ_ONCE(arena.wants_pages)) {
		WRITE_ONCE(arena.wants_pages, false);
		trim_free_slots();
	}
}

/**
 * memguard_arena_trim() - give the pages back that no item out is on
 *
 * Items freed before are not guarded any more.
 *
 * Context: process context, may sleep.
 */
void memguard_arena_trim(void)
{
	LIST_HEAD(loose);
	unsigned long irq;
	u64 newest;

	if (!memguard_arena_exists())
		return;
	/* Not what is freed meanwhile, or this might never end. */
	raw_spin_lock_irqsave(&arena.lock, irq);
	newest = arena.generation;
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	flush_now(false);
	while (take_apart(BATCH, newest, &loose)) {
		flush_now(false);
		uma_pool_free_list(uma_pool, &loose);
	}
	/* Ranges that had to wait once more. */
	if (apart_pending())
		flush_now(false);
	trim_free_slots();
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_arena_trim);

/**
 * memguard_arena_get_stats() - how the arena stands
 * @st: where to put it
 *
 * Context: any.
 */
void memguard_arena_get_stats(struct memguard_arena_stats *st)
{
	unsigned long irq, used;

	raw_spin_lock_irqsave(&arena.lock, irq);
	*st = arena.st;
	raw_spin_unlock_irqrestore(&arena.lock, irq);
	st->slots = arena.npages;
	used = st->slots_live - st->ranges_live + st->slots_queued -
	       st->ranges_queued;
	/* A range that is being made has slots, and not yet all its pages. */
	st->pages_wasted = st->pages - min(used, st->pages);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_arena_get_stats);

/* Faults. */

/* How far an address is from an item. */
static long distance(const struct memguard_range *r, const void *addr)
{
	const void *item = memguard_range_item(r);

	if (addr < item)
		return item - addr;
	return addr < item + r->size ? 0 : addr - (item + r->size) + 1;
}

/*
 * Which of two ranges, neither of whose pages an address is in, an access more
 * likely meant: one whose item is out, else the nearer one.
 */
static bool likelier(const struct memguard_range *r,
		     const struct memguard_range *other, const void *addr)
{
	bool out = atomic_read(&r->state) == MEMGUARD_LIVE;

	if (out != (atomic_read(&other->state) == MEMGUARD_LIVE))
		return out;
	return distance(r, addr) < distance(other, addr);
}

/**
 * memguard_arena_locate() - what an address is near
 * @addr: an address in the arena
 * @place: where to say it
 *
 * In a range's own pages that is its item. In a guard page, or where there is no
 * range, one that is within two pages: of those whose item is out, or else of
 * all, the nearest.
 *
 * Context: any. What it finds may change if the item is being freed or its range
 * reused.
 * Return: whether there is one.
 */
bool memguard_arena_locate(const void *addr, struct memguard_place *place)
{
	unsigned long slot = slot_of(addr), near;
	struct memguard_range *r, *best = NULL;
	u32 first;

	place->range = NULL;
	place->in_pages = false;
	for (near = slot - min(slot, 2UL);
	     near <= slot + 2 && near < arena.npages; near++) {
		first = READ_ONCE(arena.range_of[near]);
		if (!first)
			continue;
		r = &arena.ranges[first];
		if (slot >= first && slot < first + r->npages) {
			best = r;
			place->in_pages = true;
			break;
		}
		if (!best || likelier(r, best, addr))
			best = r;
	}
	if (!best)
		return false;
	place->range = best;
	place->item = memguard_range_item(best);
	place->offset = addr - place->item;
	return true;
}

/**
 * memguard_arena_allows() - whether an access would not fault now
 * @addr: an address in the arena
 * @write: to write, not only to read
 *
 * Context: any.
 */
bool memguard_arena_allows(const void *addr, bool write)
{
	enum uma_kva_prot prot = uma_kva_allows(arena.kva, slot_of(addr));

	return prot == UMA_KVA_RW || (prot == UMA_KVA_READ && !write);
}

/**
 * memguard_arena_open() - let accesses to a page succeed
 * @addr: an address in it
 *
 * Until the range is used again, or, of a guard page, one beside it is freed. A
 * slot without a page that is in no range is not used any more.
 *
 * Context: any but NMI, under any lock.
 */
void memguard_arena_open(const void *addr)
{
	unsigned long slot = slot_of(addr), irq;

	raw_spin_lock_irqsave(&arena.lock, irq);
	if (READ_ONCE(arena.kva->pages[slot])) {
		uma_kva_change(arena.kva, slot, 1, UMA_KVA_RW);
	} else {
		__set_bit(slot, arena.used);
		uma_kva_enter(arena.kva, slot, arena.shared, UMA_KVA_RW);
	}
	raw_spin_unlock_irqrestore(&arena.lock, irq);
}

/* Creation and end. */

/**
 * memguard_arena_exists() - is there an arena?
 *
 * Context: any.
 */
bool memguard_arena_exists(void)
{
	return READ_ONCE(uma_guard_bytes);
}

static void arena_free(void)
{
	if (!IS_ERR_OR_NULL(arena.kva))
		uma_kva_release(arena.kva);
	arena.kva = NULL;
	kvfree(arena.ranges);
	kvfree(arena.range_of);
	bitmap_free(arena.used);
	if (arena.shared)
		uma_pool_free(uma_pool, arena.shared, 1);
	arena.shared = NULL;
}

/**
 * memguard_arena_create() - reserve the address space
 * @npages: how much; 3 at the least
 *
 * Pages come as they are needed.
 *
 * Context: process context, may sleep; once.
 * Return: 0; -EINVAL for too few pages, -EOPNOTSUPP where there are no such ranges,
 * -ENOMEM.
 */
int memguard_arena_create(unsigned long npages)
{
	int error;

	/* An item's page, and the guard pages beside it. */
	if (npages < 3 || npages > U32_MAX)
		return -EINVAL;
	if (!uma_kva_supported())
		return -EOPNOTSUPP;
	error = uma_stack_startup();
	if (error)
		return error;
	init_irq_work(&forget_irq, forget_irq_fn);
	arena.ranges = kvcalloc(npages, sizeof(*arena.ranges), GFP_KERNEL);
	arena.range_of = kvcalloc(npages, sizeof(*arena.range_of), GFP_KERNEL);
	arena.used = bitmap_zalloc(npages, GFP_KERNEL | __GFP_NOWARN);
	arena.shared = uma_pool_alloc(uma_pool, 1, M_NOWAIT);
	arena.kva = uma_kva_reserve(npages);
	error = IS_ERR(arena.kva) ? PTR_ERR(arena.kva) : 0;
	if (!arena.ranges || !arena.range_of || !arena.used || !arena.shared)
		error = error ?: -ENOMEM;
	if (error) {
		arena_free();
		return error;
	}
	/* Without one before it the first item's underflow would leave the arena. */
	__set_bit(0, arena.used);
	arena.npages = npages;
	arena.cursor = 1;
	arena.fits = ULONG_MAX;
	uma_guard_set_range(arena.kva->base, npages << PAGE_SHIFT);
	return 0;
}

/**
 * memguard_arena_destroy() - give everything back
 *
 * If items are still out, they, and all of the arena, stay lost, with a message.
 *
 * Context: process context, at unload: nobody else can call us any more.
 */
void memguard_arena_destroy(void)
{
	LIST_HEAD(loose);
	unsigned long i, irq;

	if (!memguard_arena_exists())
		return;
	irq_work_sync(&forget_irq);
	flush_work(&forget_work);
	memguard_arena_trim();
	if (arena.st.ranges_live) {
		pr_err("%lu guarded items are still there at unload: the arena stays lost\n",
		       arena.st.ranges_live);
		return;
	}
	/* Slots that were opened. */
	for (i = 0; i < arena.npages; i++) {
		raw_spin_lock_irqsave(&arena.lock, irq);
		slot_take_page(i, &loose);
		raw_spin_unlock_irqrestore(&arena.lock, irq);
	}
	uma_kva_flush();
	uma_pool_free_list(uma_pool, &loose);
	arena_free();
}
