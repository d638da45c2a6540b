// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contiguous allocator among pages that others use: what it takes from them and what
 * not, that they lose nothing by it, that it ends, and that all pages are accounted for.
 */
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/module.h>

#include "contig_ask.h"
#include "vm_io_test.h"
#include "vm_space_test.h"
#include "vmsim/contig.h"
#include "vmsim/contig_int.h"
#include "vmsim/show.h"

#define PARAMETER	UMA_TEST_PARAMETER("old_contigmalloc")

static MALLOC_DEFINE(M_TEST, "contig test", "memory of the suite");
static MALLOC_DEFINE(M_OTHER, "contig other", "never used");

static u64 counted(const atomic64_t *counter)
{
	return atomic64_read(counter);
}

static struct contig_req req_of(struct kunit *test, unsigned long npages)
{
	struct contig_req req;

	KUNIT_ASSERT_EQ(test, 0, contig_req_init(&req, (u64)npages << PAGE_SHIFT,
						 0, U64_MAX, 1, 0));
	return req;
}

/* A run, wherever; 0 or an errno. */
static int take_any(struct kunit *test, unsigned long npages,
		    enum contig_algorithm how, int flags, struct vm_page **m)
{
	struct contig_req req = req_of(test, npages);

	return contig_alloc(&req, how, flags, m);
}

/* ---- all memory in use -------------------------------------------------- */

/**
 * struct stage - the pool, all of it in use
 * @first: number of the first page of it that others use
 * @last: of the last one
 * @object: shows pages of it, dirty, that can be written to @dev
 * @npages: how many
 * @dev: swap
 * @disk: behind it
 * @hole: free pages between them, never two together; held until they are freed
 * @nholes: their number
 * @rest: pages that are kept from everybody
 */
struct stage {
	u64 first;
	u64 last;
	struct vm_object *object;
	u64 npages;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct list_head hole;
	unsigned int nholes;
	struct list_head rest;
};

static void no_memory(void *mem)
{
	vfree(mem);
}

/* A disk of any size, swapped to. */
static struct vm_swap_dev *big_swap(struct kunit *test, u64 nblks,
				    struct test_disk **disk)
{
	struct vm_swap_dev *dev;

	*disk = kunit_kzalloc(test, sizeof(**disk), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, *disk);
	(*disk)->mem = vzalloc(nblks << PAGE_SHIFT);
	KUNIT_ASSERT_NOT_NULL(test, (*disk)->mem);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, no_memory,
							   (*disk)->mem));
	(*disk)->nblks = nblks;
	dev = vm_swap_add(NULL, &test_disk_ops, *disk, nblks);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	return dev;
}

/*
 * Take all pages but @keep, of which no two lie together; they are kept from everybody.
 */
static void take_rest(struct kunit *test, struct stage *s, unsigned long keep)
{
	struct vm_page *m, *next;

	while ((m = uma_pool_alloc(uma_pool, 1, M_USE_RESERVE)))
		list_add_tail(&m->pageq, &s->rest);
	list_for_each_entry_safe(m, next, &s->rest, pageq) {
		if (!keep || m->phys_pfn & 1)
			continue;
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
		keep--;
	}
	KUNIT_ASSERT_EQ(test, keep, 0);
}

/* The index keeps its memory; all else that a case needs is had before. */
static u8 byte_of(u64 pindex)
{
	return pindex % 251 + 1;
}

/* A page from the pool becomes an object's, which is locked: dirty, and on a queue. */
static void make_page(struct kunit *test, struct vm_page *m,
		      struct vm_object *object, u64 pindex, u8 byte)
{
	m->queue = PQ_NONE;
	m->object = NULL;
	m->wire_count = 0;
	m->hold_count = 0;
	m->act_count = 0;
	m->busy = 0;
	m->wanted = 0;
	m->io_count = 0;
	memset(vm_page_kva(m), byte, PAGE_SIZE);
	m->valid = VM_PAGE_BITS_ALL;
	vm_page_dirty(m);
	KUNIT_ASSERT_EQ(test, 0, vm_page_insert(m, object, pindex));
	vm_page_lock_queues();
	if (pindex & 1)
		vm_page_activate(m);
	else
		vm_page_deactivate(m);
	vm_page_unlock_queues();
}

/*
 * Fill @npages in a row with an object's dirty pages, each @every'th page (0: none)
 * left free between; all other memory is gone, but for what @slack says.
 */
static struct stage *stage_new(struct kunit *test, unsigned long npages,
			       unsigned int every, unsigned long slack)
{
	struct stage *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct vm_page *run, *m;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	INIT_LIST_HEAD(&s->hole);
	INIT_LIST_HEAD(&s->rest);
	s->dev = big_swap(test, 2 * npages + 64, &s->disk);
	s->object = vm_test_object(test, npages);
	/* The pages in which it happens follow each other. */
	run = uma_pool_alloc(uma_pool, npages, M_USE_RESERVE);
	KUNIT_ASSERT_NOT_NULL(test, run);
	s->first = run->phys_pfn;
	s->last = s->first + npages - 1;
	take_rest(test, s, slack);
	for (i = 0; i < npages; i++) {
		m = &run[i];
		if (every && i % every == every - 1) {
			list_add_tail(&m->pageq, &s->hole);
			s->nholes++;
			continue;
		}
		vm_object_lock(s->object);
		make_page(test, m, s->object, s->npages, byte_of(s->npages));
		vm_object_unlock(s->object);
		s->npages++;
	}
	uma_pool_free_list(uma_pool, &s->hole);
	return s;
}

/* A request for a run of those pages. */
static struct contig_req req_there(struct kunit *test, struct stage *s,
				   unsigned long npages)
{
	struct contig_req req = req_of(test, npages);

	req.first = s->first;
	req.last = s->last;
	return req;
}

static int take(struct kunit *test, struct stage *s, unsigned long npages,
		enum contig_algorithm how, int flags, struct vm_page **m)
{
	struct contig_req req = req_there(test, s, npages);

	return contig_alloc(&req, how, flags, m);
}

/* All other memory is there again. */
static void stage_relax(struct stage *s)
{
	uma_pool_free_list(uma_pool, &s->rest);
}

/* What was in its pages is still there, here or on the disk. */
static void stage_check(struct kunit *test, struct stage *s)
{
	u64 i;

	for (i = 0; i < s->npages; i++)
		KUNIT_ASSERT_EQ_MSG(test, test_peek(s->object, i), byte_of(i),
				    "page %llu", i);
}

static void stage_free(struct kunit *test, struct stage *s)
{
	stage_relax(s);
	if (s->object)
		vm_object_deallocate(s->object);
	KUNIT_EXPECT_EQ(test, 0, vm_swapoff_dev(s->dev));
}

static struct vm_page *stage_page(struct stage *s, u64 pindex)
{
	struct vm_page *m;

	vm_object_lock(s->object);
	m = vm_page_lookup(s->object, pindex);
	vm_object_unlock(s->object);
	return m;
}

static void wire(struct vm_page *m)
{
	vm_page_lock_queues();
	vm_page_wire(m);
	vm_page_unlock_queues();
}

static void unwire(struct vm_page *m)
{
	vm_page_lock_queues();
	vm_page_unwire(m, true);
	vm_page_unlock_queues();
}

static bool follow_each_other(struct vm_page *m, unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++)
		if (m[i].phys_pfn != m->phys_pfn + i || m[i].flags ||
		    m[i].object || m[i].wire_count != 1)
			return false;
	return true;
}

static unsigned long isolated_pages(struct kunit *test)
{
	unsigned long i, n = 0;
	struct vm_page *m;

	for (i = 0; i < uma_pool_records(uma_pool); i++) {
		m = uma_pool_page(uma_pool, i);
		n += m && m->flags & PG_ISOLATED;
	}
	KUNIT_EXPECT_EQ(test, vm_page_isolated(), n);
	return n;
}

/* ---- passes ------------------------------------------------------------- */

/* A run of free pages: the first pass has it, and asks nobody. */
static void ct_02_free_pages_are_taken_at_once(struct kunit *test)
{
	struct contig_counters *cnt = &contig_cnt[CONTIG_NEW];
	u64 won = counted(&cnt->won[0]), steps = counted(&cnt->steps);
	struct vm_page *m;

	KUNIT_ASSERT_EQ(test, 0, take_any(test, 16, CONTIG_NEW, M_NOWAIT, &m));
	KUNIT_EXPECT_TRUE(test, follow_each_other(m, 16));
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 16);
	KUNIT_EXPECT_EQ(test, counted(&cnt->won[0]), won + 1);
	KUNIT_EXPECT_EQ(test, counted(&cnt->steps), steps);
	vm_page_release_contig(m, 16);
}

/* Cached pages are as good as free, and their object does not have them any more. */
static void ct_02_cached_pages_are_taken_without_blocking(struct kunit *test)
{
	struct contig_counters *cnt = &contig_cnt[CONTIG_NEW];
	struct stage *s = stage_new(test, 64, 4, 0);
	u64 cached = counted(&cnt->cached);
	struct vm_page *m;
	u64 i;

	/* Nothing can be had yet. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(test, s, 8, CONTIG_NEW, M_NOWAIT, &m));
	/* All are back; the pool is short, so zones may have given some, too. */
	KUNIT_EXPECT_GE(test, vm_page_free_count(), s->nholes);
	KUNIT_ASSERT_EQ(test, 0, test_clean(s->object));
	for (i = 0; i < s->npages; i++)
		vm_test_cache(test, stage_page(s, i));
	KUNIT_ASSERT_EQ(test, 0, take(test, s, 8, CONTIG_NEW,
				      M_NOWAIT | M_USE_RESERVE, &m));
	KUNIT_EXPECT_TRUE(test, follow_each_other(m, 8));
	KUNIT_EXPECT_EQ(test, counted(&cnt->cached), cached + 6);
	KUNIT_EXPECT_EQ(test, s->object->resident, s->npages - 6);
	vm_page_release_contig(m, 8);
	stage_relax(s);
	stage_check(test, s);
	stage_free(test, s);
}

/* An object that is locked keeps its cached pages; the search goes on below. */
static void ct_02_a_locked_object_keeps_its_cached_pages(struct kunit *test)
{
	struct contig_counters *cnt = &contig_cnt[CONTIG_NEW];
	u64 locked = counted(&cnt->skipped[CONTIG_SKIP_LOCKED]);
	struct stage *s = stage_new(test, 16, 0, 0);
	struct vm_page *m;
	u64 i;

	KUNIT_ASSERT_EQ(test, 0, test_clean(s->object));
	for (i = 0; i < s->npages; i++)
		vm_test_cache(test, stage_page(s, i));
	vm_object_lock(s->object);
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(test, s, 2, CONTIG_NEW,
					    M_NOWAIT | M_USE_RESERVE, &m));
	vm_object_unlock(s->object);
	KUNIT_EXPECT_GT(test, counted(&cnt->skipped[CONTIG_SKIP_LOCKED]), locked);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 16);
	stage_free(test, s);
}

/* Nothing is free: the run is won from who uses it, who loses nothing. */
static void win_a_run(struct kunit *test, enum contig_algorithm how)
{
	struct contig_counters *cnt = &contig_cnt[how];
	struct stage *s = stage_new(test, 256, 4, 64);
	u64 laundered = counted(&cnt->laundered);
	struct vm_page *m;

	KUNIT_ASSERT_EQ(test, 0, take(test, s, 64, how, M_WAITOK, &m));
	KUNIT_EXPECT_TRUE(test, follow_each_other(m, 64));
	KUNIT_EXPECT_GE(test, counted(&cnt->laundered), laundered + 48);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
	memset(vm_page_kva(m), 0xee, 64 * PAGE_SIZE);
	if (how == CONTIG_NEW)
		KUNIT_EXPECT_EQ(test, counted(&cnt->laundered), laundered + 48);
	stage_relax(s);
	stage_check(test, s);
	vm_page_release_contig(m, 64);
	stage_free(test, s);
}

static void ct_02_a_run_is_won_page_by_page(struct kunit *test)
{
	win_a_run(test, CONTIG_NEW);
}

static void ct_03_the_old_way_launders_the_queues(struct kunit *test)
{
	win_a_run(test, CONTIG_OLD);
}

/* Steered: what was won is nobody's, for as long as the rest takes. */

static struct {
	struct vm_page *first;
	unsigned int npages;
	unsigned int calls;
	unsigned int most;
	unsigned int got;
	unsigned int mismapped;
} thief;

/* How many of its pages the map of pages shows as this. */
static unsigned int shown_as(char state)
{
	unsigned int i, n = 0;

	for (i = 0; i < thief.npages; i++)
		n += vm_page_state(thief.first + i) == state;
	return n;
}

/* Others take all that is free while the request waits for a write. */
static void steal(enum vm_steer_point point, void *obj)
{
	struct vm_page *m;
	LIST_HEAD(pages);
	unsigned int n;

	if (point != VM_STEER_CONTIG_CLEANED)
		return;
	n = vm_page_isolated();
	thief.calls++;
	thief.most = max(thief.most, n);
	/* Who looks at the map of pages sees a run being won. */
	thief.mismapped += shown_as('+') != n;
	while ((m = uma_pool_alloc(uma_pool, 1, M_USE_RESERVE))) {
		list_add(&m->pageq, &pages);
		if (m >= thief.first && m < thief.first + thief.npages)
			thief.got++;
	}
	uma_pool_free_list(uma_pool, &pages);
}

static void ct_02_what_was_won_stays_won(struct kunit *test)
{
	struct stage *s = stage_new(test, 64, 4, 80);
	struct vm_page *m;

	memset(&thief, 0, sizeof(thief));
	/* The run that will be won is all that there is. */
	thief.first = stage_page(s, 0);
	thief.npages = 64;
	vm_test_steer(steal);
	KUNIT_ASSERT_EQ(test, 0, take(test, s, 64, CONTIG_NEW, M_WAITOK, &m));
	vm_test_steer(NULL);
	KUNIT_EXPECT_PTR_EQ(test, m, thief.first);
	KUNIT_EXPECT_GT(test, thief.calls, 0);
	KUNIT_EXPECT_GE(test, thief.most, 32);
	KUNIT_EXPECT_EQ(test, thief.got, 0);
	KUNIT_EXPECT_EQ(test, thief.mismapped, 0);
	KUNIT_EXPECT_EQ(test, shown_as('w'), 64);
	vm_page_release_contig(m, 64);
	stage_relax(s);
	stage_check(test, s);
	stage_free(test, s);
}

/* What cannot be had is left alone, is said why, and rules its neighbours out. */
static void ct_04_pages_that_cannot_be_had(struct kunit *test)
{
	struct contig_counters *cnt = &contig_cnt[CONTIG_NEW];
	struct stage *s = stage_new(test, 96, 0, 32);
	u64 wired = counted(&cnt->skipped[CONTIG_SKIP_WIRED]);
	u64 held = counted(&cnt->skipped[CONTIG_SKIP_HELD]);
	u64 laundered = counted(&cnt->laundered), looked, foreign;
	struct vm_page *m, *held_page;
	struct uma_pool_stats st;

	wire(stage_page(s, 31));
	held_page = stage_page(s, 63);
	vm_page_lock_queues();
	KUNIT_ASSERT_TRUE(test, vm_page_hold(held_page));
	vm_page_unlock_queues();
	/* 31, 31 and 32 pages between and behind these. */
	looked = counted(&cnt->looked);
	KUNIT_EXPECT_EQ(test, -ENOMEM, take(test, s, 33, CONTIG_NEW, M_WAITOK, &m));
	looked = counted(&cnt->looked) - looked;
	KUNIT_EXPECT_GT(test, counted(&cnt->skipped[CONTIG_SKIP_WIRED]), wired);
	KUNIT_EXPECT_GT(test, counted(&cnt->skipped[CONTIG_SKIP_HELD]), held);
	/* Nor can what is nobody's but malloc's. */
	foreign = counted(&cnt->skipped[CONTIG_SKIP_FOREIGN]);
	KUNIT_EXPECT_EQ(test, -ENOMEM, take_any(test, 97, CONTIG_NEW, M_WAITOK,
						&m));
	KUNIT_EXPECT_GT(test, counted(&cnt->skipped[CONTIG_SKIP_FOREIGN]),
			foreign);
	/* No candidate was worth a write, and no pass looked at any page twice. */
	KUNIT_EXPECT_EQ(test, counted(&cnt->laundered), laundered);
	uma_pool_get_stats(uma_pool, &st);
	KUNIT_EXPECT_LE(test, looked, (u64)CONTIG_PASSES * st.pages);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);

	KUNIT_ASSERT_EQ(test, 0, take(test, s, 32, CONTIG_NEW, M_WAITOK, &m));
	KUNIT_EXPECT_TRUE(test, follow_each_other(m, 32));
	vm_page_release_contig(m, 32);
	unwire(stage_page(s, 31));
	vm_page_lock_queues();
	vm_page_unhold(held_page);
	vm_page_unlock_queues();
	stage_relax(s);
	stage_check(test, s);
	stage_free(test, s);
}

/* ---- PA-03, CT-06 ------------------------------------------------------- */

static struct {
	struct vm_page *m;
	bool clean;
	unsigned int calls;
} cleaned;

static void see_cleaned(enum vm_steer_point point, void *obj)
{
	struct vm_page *m = obj;

	if (point != VM_STEER_CONTIG_CLEANED)
		return;
	cleaned.calls++;
	cleaned.clean &= !m->dirty && !vm_page_is_busy(m);
}

/* When the request looks at a page that it had written, the page is written. */
static void pa_03_laundering_for_a_run_is_synchronous(struct kunit *test)
{
	enum contig_algorithm how;

	for (how = CONTIG_NEW; how < CONTIG_ALGORITHMS; how++) {
		struct stage *s = stage_new(test, 64, 4, 64);
		struct vm_page *m;
		int error;

		cleaned.clean = true;
		cleaned.calls = 0;
		vm_test_steer(see_cleaned);
		error = take(test, s, 32, how, M_WAITOK, &m);
		vm_test_steer(NULL);
		KUNIT_EXPECT_EQ(test, error, 0);
		KUNIT_EXPECT_GT(test, cleaned.calls, 0);
		KUNIT_EXPECT_TRUE(test, cleaned.clean);
		if (!error)
			vm_page_release_contig(m, 32);
		stage_relax(s);
		stage_check(test, s);
		stage_free(test, s);
	}
}

struct asker {
	struct contig_req req;
	enum contig_algorithm how;
	struct vm_page *m;
	int error;
};

static void ask(void *arg)
{
	struct asker *a = arg;

	a->error = contig_alloc(&a->req, a->how, M_WAITOK, &a->m);
}

static struct {
	struct vm_page *m;
	struct completion reached;
} waited;

static void see_wait(enum vm_steer_point point, void *obj)
{
	if (point == VM_STEER_CONTIG_BUSY && obj == READ_ONCE(waited.m))
		complete(&waited.reached);
}

/*
 * The request waits for a busy page, which is freed meanwhile and becomes another
 * object's: that one is none of the request's business, and the first one is let go.
 */
static void ct_06_the_object_is_remembered(struct kunit *test)
{
	struct stage *s = stage_new(test, 16, 0, 0);
	struct vm_object *other = vm_test_object(test, 1);
	struct asker a = { .req = req_there(test, s, 16), .how = CONTIG_NEW };
	struct vm_test_thread t;
	struct vm_page *m, *again;
	bool mine;

	init_completion(&waited.reached);
	vm_object_lock(s->object);
	m = vm_page_lookup(s->object, 7);
	vm_page_busy(m);
	vm_object_unlock(s->object);
	waited.m = m;
	vm_test_steer(see_wait);
	vm_test_start(test, &t, ask, &a);
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&waited.reached,
							    VM_TEST_SOON));
	/* With both locks held, so that it is one step for who waits. */
	vm_object_lock(s->object);
	vm_object_lock_backing(other);
	vm_page_free(m);
	again = vm_page_alloc(other, 0, VM_ALLOC_INTERRUPT | VM_ALLOC_NOBUSY);
	KUNIT_EXPECT_PTR_EQ(test, again, m);
	if (again) {
		memset(vm_page_kva(again), 99, PAGE_SIZE);
		again->valid = VM_PAGE_BITS_ALL;
		vm_page_dirty(again);
		wire(again);
	}
	vm_object_unlock(other);
	vm_object_unlock(s->object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	vm_test_steer(NULL);
	waited.m = NULL;
	KUNIT_EXPECT_EQ(test, a.error, -ENOMEM);
	KUNIT_EXPECT_EQ(test, other->paging_in_progress, 0);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
	/* Whoever was locked by the request is not any more. */
	mine = vm_object_trylock(s->object);
	KUNIT_EXPECT_TRUE(test, mine);
	KUNIT_EXPECT_EQ(test, s->object->paging_in_progress, 0);
	s->object->paging_in_progress = 0;
	vm_object_unlock(s->object);
	if (again)
		unwire(again);
	vm_object_deallocate(other);
	stage_free(test, s);
}

static struct {
	struct vm_object *object;
	struct vm_page *m;
	unsigned int looks;
	bool freed;
	bool taken;
} gone;

/* The page is freed before it is looked at, and is another one's right after that. */
static void free_and_take(enum vm_steer_point point, void *obj)
{
	if (obj != gone.m)
		return;
	/* The first look takes what is free already, the second wins what is not. */
	if (point == VM_STEER_CONTIG_LOOK && ++gone.looks == 2) {
		gone.freed = true;
		vm_object_lock(gone.object);
		vm_page_free(gone.m);
		vm_object_unlock(gone.object);
	} else if (point == VM_STEER_CONTIG_USABLE && gone.freed &&
		   !gone.taken) {
		gone.taken = uma_pool_take(uma_pool, gone.m);
	}
}

/* What is free when it is looked at, and used an instant later, has no object yet. */
static void ct_06_a_page_without_an_object(struct kunit *test)
{
	struct stage *s = stage_new(test, 16, 0, 0);
	struct vm_page *m;

	memset(&gone, 0, sizeof(gone));
	gone.object = s->object;
	/* Nobody's neighbour, to be written along with it. */
	gone.m = stage_page(s, 0);
	vm_test_steer(free_and_take);
	KUNIT_EXPECT_EQ(test, -ENOMEM,
			take(test, s, 16, CONTIG_NEW, M_WAITOK, &m));
	vm_test_steer(NULL);
	KUNIT_EXPECT_TRUE(test, gone.freed);
	KUNIT_EXPECT_TRUE(test, gone.taken);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
	KUNIT_EXPECT_EQ(test, s->object->paging_in_progress, 0);
	if (gone.taken)
		uma_pool_free(uma_pool, gone.m, 1);
	stage_free(test, s);
}

static void let_object_go(void *arg)
{
	vm_object_deallocate(arg);
}

/* The object's last user goes while a page of it is being written. */
static void ct_06_the_object_dies_meanwhile(struct kunit *test)
{
	struct stage *s = stage_new(test, 64, 0, 64);
	struct asker a = { .req = req_there(test, s, 64), .how = CONTIG_NEW };
	DECLARE_COMPLETION_ONSTACK(slow);
	struct vm_test_thread t, end;

	WRITE_ONCE(s->disk->slow, &slow);
	vm_test_start(test, &t, ask, &a);
	while (!atomic_read(&s->disk->writes))
		schedule_timeout_idle(1);
	vm_test_start(test, &end, let_object_go, s->object);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&end));
	s->object = NULL;
	WRITE_ONCE(s->disk->slow, NULL);
	complete_all(&slow);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&end));
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	/* Its pages were freed: there is a run now, or was before. */
	KUNIT_EXPECT_EQ(test, a.error, 0);
	if (!a.error)
		vm_page_release_contig(a.m, 64);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	stage_free(test, s);
}

/* ---- CT-05 -------------------------------------------------------------- */

static struct {
	struct stage *stage;
	unsigned long calls;
	unsigned long relent;
	u8 *each;
	unsigned int most;
} dirtier;

/* Written for this page once more. False where the suite should relent. */
static bool count_dirt(const struct vm_page *m)
{
	if (m->object == dirtier.stage->object)
		dirtier.most = max_t(unsigned int, dirtier.most,
				     ++dirtier.each[m->pindex]);
	return ++dirtier.calls < dirtier.relent;
}

/* Whatever is cleaned is dirty again at once; there is an end to it, for the suite. */
static void dirty_again(enum vm_steer_point point, void *obj)
{
	if (point == VM_STEER_CONTIG_CLEANED && count_dirt(obj))
		vm_page_dirty(obj);
}

/*
 * The worst that clients can do to a pass: a page stays clean the second time that it
 * is written, so that it is won and the pass goes on; all that was written along with
 * it is dirty again each time; and the last page that a candidate needs is never clean.
 */
static void dirty_all_again(enum vm_steer_point point, void *obj)
{
	struct vm_page *m = obj, *other;
	struct vm_object *object;
	u64 i;

	if (point != VM_STEER_CONTIG_CLEANED || !count_dirt(m))
		return;
	object = m->object;
	for (i = 0; i < dirtier.stage->npages; i++) {
		other = vm_page_lookup(object, i);
		if (other && other != m)
			vm_page_dirty(other);
	}
	if (dirtier.each[m->pindex] & 1 || m->pindex % 64 == 63)
		vm_page_dirty(m);
}

/* Clients who dirty their pages again without end: the request ends, by count. */
static void never_ending_dirt(struct kunit *test, enum contig_algorithm how,
			      vm_steer_fn again, unsigned long most_steps,
			      unsigned long most_calls, unsigned int most_each)
{
	struct contig_counters *cnt = &contig_cnt[how];
	struct stage *s = stage_new(test, 128, 0, 32);
	u64 steps = counted(&cnt->steps), laundered = counted(&cnt->laundered);
	struct vm_page *m;
	int error;

	memset(&dirtier, 0, sizeof(dirtier));
	dirtier.stage = s;
	dirtier.relent = 20 * s->npages;
	dirtier.each = kunit_kcalloc(test, s->npages, 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dirtier.each);
	vm_test_steer(again);
	error = take(test, s, 64, how, M_WAITOK, &m);
	vm_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, error, -ENOMEM);
	if (!error)
		vm_page_release_contig(m, 64);
	steps = counted(&cnt->steps) - steps;
	laundered = counted(&cnt->laundered) - laundered;
	kunit_info(test, "%llu pages: %lu writes, for one %u at the most; %llu pages in hand, %llu written\n",
		   s->npages, dirtier.calls, dirtier.most, steps, laundered);
	KUNIT_EXPECT_GT(test, steps, 0);
	KUNIT_EXPECT_LE(test, steps, most_steps * s->npages);
	KUNIT_EXPECT_LE(test, laundered, steps);
	KUNIT_EXPECT_LE(test, dirtier.calls, most_calls * s->npages);
	KUNIT_EXPECT_LE(test, dirtier.most, most_each);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
	stage_relax(s);
	stage_check(test, s);
	stage_free(test, s);
}

/* Two rounds, each of as many steps as there are pages queued; a step is one page. */
static void ct_05_the_old_way_ends(struct kunit *test)
{
	never_ending_dirt(test, CONTIG_OLD, dirty_again, 2, 2, 2);
}

/* Two passes, each of which writes twice at the most for the sake of a page. */
#define NEW_WRITES	(2 * 2)

static void ct_05_the_new_way_ends(struct kunit *test)
{
	never_ending_dirt(test, CONTIG_NEW, dirty_again,
			  NEW_WRITES * VM_PAGER_MAX, NEW_WRITES, NEW_WRITES);
}

/* Each of those writes may take dirty neighbours along, but no more than it can. */
static void ct_05_the_new_way_ends_whatever_is_dirtied(struct kunit *test)
{
	never_ending_dirt(test, CONTIG_NEW, dirty_all_again,
			  NEW_WRITES * VM_PAGER_MAX, NEW_WRITES, NEW_WRITES);
	/* It was as bad as it could be: else the clients were not at their worst. */
	KUNIT_EXPECT_EQ(test, dirtier.most, NEW_WRITES);
	KUNIT_EXPECT_GE(test, dirtier.calls, 2 * 64UL);
}

/*
 * What the VM is made of must be had where no two free pages lie together: such a pool
 * is what page-out and contiguous requests are there for.
 */
static void pa_03_no_structure_needs_a_run(struct kunit *test)
{
	static const char *const names[] = { "VM", "MAP", "PMAP", "PV ENTRY" };
	unsigned int i, n = 0;
	uma_zone_t zone;

	uma_for_each_zone(zone) {
		for (i = 0; i < ARRAY_SIZE(names); i++)
			if (!strncmp(zone->uz_name, names[i], strlen(names[i])))
				break;
		if (i == ARRAY_SIZE(names))
			continue;
		n++;
		KUNIT_EXPECT_EQ_MSG(test, zone->uz_keg->uk_layout.pages, 1, "%s",
				    zone->uz_name);
	}
	KUNIT_EXPECT_GE(test, n, 12);
}

/* ---- pagers that fail --------------------------------------------------- */

static void ct_09_pager_errors_and_full_swap(struct kunit *test)
{
	struct stage *s = stage_new(test, 64, 4, 64);
	enum contig_algorithm how;
	unsigned long free = vm_page_free_count();
	unsigned int blocks;
	struct vm_page *m;
	u64 blk;

	/* uma-expect: the pager says which pages are dirty still. */
	s->disk->write_error = -EIO;
	for (how = CONTIG_NEW; how < CONTIG_ALGORITHMS; how++) {
		KUNIT_EXPECT_EQ(test, -ENOMEM, take(test, s, 32, how, M_WAITOK, &m));
		KUNIT_EXPECT_EQ(test, s->object->resident, s->npages);
		KUNIT_EXPECT_GE(test, vm_page_free_count(), free);
		KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
	}
	s->disk->write_error = 0;

	/* No block is left: nothing can be written. */
	blocks = 1;
	do {
		blocks = 1;
		blk = vm_swap_alloc(&blocks);
	} while (blk);
	for (how = CONTIG_NEW; how < CONTIG_ALGORITHMS; how++) {
		cleaned.calls = 0;
		vm_test_steer(see_cleaned);
		KUNIT_EXPECT_EQ(test, -ENOMEM, take(test, s, 32, how, M_WAITOK, &m));
		vm_test_steer(NULL);
		/* Two passes, or rounds, and no page is tried twice in one. */
		kunit_info(test, "%u writes in vain\n", cleaned.calls);
		KUNIT_EXPECT_LE(test, cleaned.calls, 2 * s->npages);
		KUNIT_EXPECT_EQ(test, s->object->resident, s->npages);
		KUNIT_EXPECT_GE(test, vm_page_free_count(), free);
	}
	for (blk = s->dev->first; blk < s->dev->first + s->dev->nblks; blk++)
		vm_swap_free(blk, 1, false);

	KUNIT_ASSERT_EQ(test, 0, take(test, s, 32, CONTIG_NEW, M_WAITOK, &m));
	vm_page_release_contig(m, 32);
	stage_relax(s);
	stage_check(test, s);
	stage_free(test, s);
}

/* ---- contigmalloc(9) ---------------------------------------------------- */

static void set_old(struct kunit *test, bool old)
{
	uma_test_set_parameter(test, PARAMETER, old ? "Y" : "N");
}

static s64 type_blocks(struct kunit *test)
{
	struct malloc_type_stats mts = uma_test_malloc_totals(test, M_TEST);

	return mts.mts_numallocs - mts.mts_numfrees;
}

static s64 type_bytes(struct kunit *test)
{
	struct malloc_type_stats mts = uma_test_malloc_totals(test, M_TEST);

	return mts.mts_memalloced - mts.mts_memfreed;
}

static void *malloc_any(unsigned long size)
{
	return contigmalloc(size, M_TEST, M_WAITOK, 0, ~(vm_paddr_t)0, 1, 0);
}

static struct vm_page *pages_any(unsigned long npages)
{
	return vm_page_alloc_contig(npages, 0, ~(vm_paddr_t)0, 1, 0);
}

static void ct_01_mapped_memory_is_counted(struct kunit *test)
{
	static const int how[] = { M_WAITOK, M_NOWAIT };
	unsigned int i, k;
	vm_paddr_t pa;
	u8 *p;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		p = contigmalloc(5 * PAGE_SIZE - 7, M_TEST, how[i] | M_ZERO, 0,
				 ~(vm_paddr_t)0, 4 * PAGE_SIZE, 64 * PAGE_SIZE);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 5 * PAGE_SIZE));
		pa = vtophys(p);
		KUNIT_EXPECT_EQ(test, pa % (4 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, pa / (64 * PAGE_SIZE),
				(pa + 5 * PAGE_SIZE - 8) / (64 * PAGE_SIZE));
		for (k = 0; k < 5; k++)
			KUNIT_EXPECT_EQ(test, vtophys(p + k * PAGE_SIZE + 3),
					pa + k * PAGE_SIZE + 3);
		memset(p, 0x5a, 5 * PAGE_SIZE);
		/* The physical memory is the memory. */
		KUNIT_EXPECT_EQ(test, *(u8 *)__va(pa + 4 * PAGE_SIZE), 0x5a);
		KUNIT_EXPECT_EQ(test, type_blocks(test), 1);
		KUNIT_EXPECT_EQ(test, type_bytes(test), 5 * PAGE_SIZE);
		contigfree(p, 5 * PAGE_SIZE - 7, M_TEST);
		KUNIT_EXPECT_EQ(test, type_blocks(test), 0);
		KUNIT_EXPECT_EQ(test, type_bytes(test), 0);
	}
	contigfree(NULL, 1, M_TEST);
}

static void ct_01_unmapped_memory_is_always_won_in_the_new_way(struct kunit *test)
{
	u64 new = counted(&contig_cnt[CONTIG_NEW].requests);
	u64 old = counted(&contig_cnt[CONTIG_OLD].requests);
	struct vm_page *m;
	void *p;

	set_old(test, true);
	m = pages_any(3);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_TRUE(test, follow_each_other(m, 3));
	KUNIT_EXPECT_EQ(test, vm_page_to_phys(m + 1),
			vm_page_to_phys(m) + PAGE_SIZE);
	/* They need not all go at once. */
	vm_page_release_contig(m + 1, 2);
	vm_page_release_contig(m, 1);
	KUNIT_EXPECT_EQ(test, counted(&contig_cnt[CONTIG_NEW].requests), new + 1);
	KUNIT_EXPECT_EQ(test, counted(&contig_cnt[CONTIG_OLD].requests), old);

	/* The switch is for the mapped ones, and works at once. */
	p = malloc_any(1);
	contigfree(p, 1, M_TEST);
	KUNIT_EXPECT_EQ(test, counted(&contig_cnt[CONTIG_OLD].requests), old + 1);
	set_old(test, false);
	p = malloc_any(1);
	contigfree(p, 1, M_TEST);
	KUNIT_EXPECT_EQ(test, counted(&contig_cnt[CONTIG_OLD].requests), old + 1);
	KUNIT_EXPECT_EQ(test, counted(&contig_cnt[CONTIG_NEW].requests), new + 2);
	set_old(test, true);
}

static void ct_01_what_is_not_there_is_not_freed(struct kunit *test)
{
	u64 refused = counted(&contig_map_cnt.refused);
	void *p = malloc_any(3 * PAGE_SIZE);
	void *q = bsd_malloc(100, M_TEST, M_WAITOK);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(p, 2 * PAGE_SIZE, M_TEST));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(p, 4 * PAGE_SIZE, M_TEST));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(p, 3 * PAGE_SIZE, M_OTHER));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(p + 1, 3 * PAGE_SIZE, M_TEST));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(p + PAGE_SIZE, PAGE_SIZE,
						   M_TEST));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(q, 100, M_TEST));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(test, 1, M_TEST));
	contigfree(p, 3 * PAGE_SIZE, M_TEST);
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_free(p, 3 * PAGE_SIZE, M_TEST));
	KUNIT_EXPECT_EQ(test, counted(&contig_map_cnt.refused), refused + 8);
	bsd_free(q, M_TEST);
	KUNIT_EXPECT_EQ(test, type_blocks(test), 0);
}

static void ct_09_what_makes_no_sense_is_refused(struct kunit *test)
{
	const vm_paddr_t top = ~(vm_paddr_t)0;
	struct uma_pool_range r;
	void *p;

	KUNIT_ASSERT_TRUE(test, uma_pool_range_above(uma_pool, 0, &r));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(0, M_TEST, M_WAITOK, 0, top,
						     1, 0, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(ULONG_MAX, M_TEST, M_WAITOK,
						     0, top, 1, 0, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, M_TEST, M_WAITOK, 0, top,
						     3, 0, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, M_TEST, M_WAITOK, 0, top,
						     0, 0, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, M_TEST, M_WAITOK, 0, top,
						     1, 3, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(2 * PAGE_SIZE, M_TEST,
						     M_WAITOK, 0, top, 1,
						     PAGE_SIZE, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, M_TEST, M_WAITOK,
						     2 * PAGE_SIZE, PAGE_SIZE, 1,
						     0, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, M_TEST, 0, 0, top, 1, 0,
						     &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, M_TEST,
						     M_WAITOK | M_NOWAIT, 0, top,
						     1, 0, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, M_TEST, M_WAITOK | 0x8000,
						     0, top, 1, 0, &p));
	KUNIT_EXPECT_EQ(test, -EINVAL, contig_malloc(1, NULL, M_WAITOK, 0, top, 1,
						     0, &p));
	/* BSD's functions say so in the log. */
	KUNIT_EXPECT_NULL(test, malloc_any(0));
	KUNIT_EXPECT_NULL(test, pages_any(0));
	KUNIT_EXPECT_NULL(test, pages_any(ULONG_MAX));
	/* Where the pool has nothing. */
	KUNIT_EXPECT_EQ(test, -ENXIO, contig_malloc(1, M_TEST, M_WAITOK, top - 1,
						    top, 1, 0, &p));
	if (r.pfn)
		KUNIT_EXPECT_EQ(test, -ENXIO,
				contig_malloc(1, M_TEST, M_WAITOK, 0,
					      PFN_PHYS(r.pfn) - 1, 1, 0, &p));
	/* And more than it has. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, contig_malloc(1UL << 40, M_TEST, M_WAITOK,
						     0, top, 1, 0, &p));
	KUNIT_EXPECT_EQ(test, type_blocks(test), 0);
}

/*
 * A driver that sets up in a context that cannot wait: no run is free, so it is told
 * so. It does not sleep, and nobody is asked to write a page for it.
 */
static void ct_10_who_cannot_wait_is_told(struct kunit *test)
{
	struct contig_counters was, *cnt;
	enum contig_algorithm how;
	unsigned long free, slept;
	struct stage *s;
	u64 fails, i;
	void *p;

	for (how = CONTIG_NEW; how < CONTIG_ALGORITHMS; how++) {
		set_old(test, how == CONTIG_OLD);
		s = stage_new(test, 64, 4, 0);
		cnt = &contig_cnt[how];
		was = *cnt;
		fails = uma_test_malloc_totals(test, M_TEST).mts_fails;
		free = vm_page_free_count();
		slept = current->nvcsw;
		p = contigmalloc(8 * PAGE_SIZE, M_TEST, M_NOWAIT | M_USE_RESERVE,
				 0, ~(vm_paddr_t)0, 1, 0);
		slept = current->nvcsw - slept;
		KUNIT_EXPECT_NULL(test, p);
		contigfree(p, 8 * PAGE_SIZE, M_TEST);
		KUNIT_EXPECT_EQ(test, slept, 0);
		KUNIT_EXPECT_EQ(test, vm_page_free_count(), free);
		KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
		KUNIT_EXPECT_EQ(test, uma_test_malloc_totals(test, M_TEST).mts_fails,
				fails + 1);
		/* The first pass, and nothing else. */
		KUNIT_EXPECT_EQ(test, counted(&cnt->nomem), counted(&was.nomem) + 1);
		KUNIT_EXPECT_EQ(test, counted(&cnt->passes[0]),
				counted(&was.passes[0]) + 1);
		for (i = 1; i < CONTIG_PASSES; i++)
			KUNIT_EXPECT_EQ(test, counted(&cnt->passes[i]),
					counted(&was.passes[i]));
		KUNIT_EXPECT_EQ(test, counted(&cnt->steps), counted(&was.steps));
		KUNIT_EXPECT_EQ(test, counted(&cnt->laundered),
				counted(&was.laundered));
		KUNIT_EXPECT_EQ(test, counted(&cnt->evicted),
				counted(&was.evicted));
		KUNIT_EXPECT_EQ(test, counted(&cnt->grown), counted(&was.grown));
		KUNIT_EXPECT_EQ(test, atomic_read(&s->disk->writes), 0);
		KUNIT_EXPECT_EQ(test, s->object->resident, s->npages);
		for (i = 0; i < s->npages; i++)
			KUNIT_EXPECT_TRUE(test, test_is_dirty(s->object, i));
		stage_relax(s);
		stage_check(test, s);
		stage_free(test, s);
	}
	set_old(test, true);
}

static void no_addresses(enum vm_steer_point point, void *obj)
{
	if (point == VM_STEER_CONTIG_MAP)
		*(int *)obj = -ENOMEM;
}

/* The pages are there, the addresses are not: the pages go back. */
static void ct_07_no_addresses_no_pages(struct kunit *test)
{
	u64 no_kva = counted(&contig_map_cnt.no_kva);
	unsigned long free = uma_test_free_pages();
	unsigned int i;
	void *p;

	vm_test_steer(no_addresses);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, -ENOMEM,
				contig_malloc(7 * PAGE_SIZE, M_TEST, M_WAITOK, 0,
					      ~(vm_paddr_t)0, 1, 0, &p));
	vm_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, counted(&contig_map_cnt.no_kva), no_kva + 10);
	KUNIT_EXPECT_EQ(test, uma_test_free_pages(), free);
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, 0);
	KUNIT_EXPECT_EQ(test, type_blocks(test), 0);
}

/* A driver with a device that knows low addresses alone, in memory that is in use. */
static void ct_09_a_driver_asks_for_low_memory(struct kunit *test)
{
	struct stage *s = stage_new(test, 512, 8, 64);
	vm_paddr_t low = vm_page_to_phys(stage_page(s, 0));
	vm_paddr_t high = low + 256 * PAGE_SIZE - 1, pa;
	struct {
		unsigned long size;
		unsigned long alignment;
		vm_paddr_t boundary;
		void *p;
	} ring[] = {
		{ 16384, 16384, 65536 },
		{ 65536, 4096, 0 },
		{ 4096, 256, 4096 },
		{ 32768, 8192, 131072 },
	};
	unsigned int i;

	set_old(test, false);
	for (i = 0; i < ARRAY_SIZE(ring); i++) {
		ring[i].p = contigmalloc(ring[i].size, M_TEST, M_WAITOK | M_ZERO,
					 low, high, ring[i].alignment,
					 ring[i].boundary);
		KUNIT_ASSERT_NOT_NULL(test, ring[i].p);
		pa = vtophys(ring[i].p);
		KUNIT_EXPECT_GE(test, pa, low);
		KUNIT_EXPECT_LE(test, pa + ring[i].size - 1, high);
		KUNIT_EXPECT_EQ(test, pa % ring[i].alignment, 0);
		if (ring[i].boundary)
			KUNIT_EXPECT_EQ(test, pa / ring[i].boundary,
					(pa + ring[i].size - 1) /
					ring[i].boundary);
		memset(ring[i].p, i, ring[i].size);
	}
	set_old(test, true);
	stage_relax(s);
	stage_check(test, s);
	for (i = 0; i < ARRAY_SIZE(ring); i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(ring[i].p, i, ring[i].size));
		contigfree(ring[i].p, ring[i].size, M_TEST);
	}
	stage_free(test, s);
}

/* ---- the pool beside an oracle ------------------------------------------ */

/* What a case makes of a page of the pool. */
enum deal {
	DEAL_NONE,		/* it is not the case's to deal: a zone's, or a run's */
	DEAL_FREE,
	DEAL_CACHED,
	DEAL_CACHED_HELD,
	DEAL_CACHED_LOCKED,	/* its object is, while requests are made */
	DEAL_USED,
	DEAL_WIRED,
	DEAL_FOREIGN,		/* in no object */
};

/* Dealt together. */
#define BLOCK		32
/* Runs that are there at once. */
#define RUNS		8

/**
 * struct table - the pool, dealt at random
 * @rnd: where chance comes from
 * @n: records
 * @dealt: enum deal of each
 * @begins: whether a range of memory begins with it: no run reaches across
 * @run: pages from here on that can be had, in a row
 * @mine: shows pages of it, each at its record's number
 * @locked: the same
 * @got: runs that requests got
 * @got_pages: their lengths, 0 for none
 * @found: how many requests have found a place
 */
struct table {
	struct rnd_state rnd;
	u32 n;
	u8 *dealt;
	bool *begins;
	u32 *run;
	struct vm_object *mine;
	struct vm_object *locked;
	struct vm_page *got[RUNS];
	unsigned long got_pages[RUNS];
	u32 found;
};

static u32 below(struct table *t, u32 n)
{
	return prandom_u32_state(&t->rnd) % n;
}

static struct table *table_new(struct kunit *test)
{
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct uma_pool_range r;
	struct vm_page *m;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	prandom_seed_state(&t->rnd, 0xc09);
	t->n = uma_pool_records(uma_pool);
	t->dealt = kunit_kcalloc(test, t->n, sizeof(*t->dealt), GFP_KERNEL);
	t->begins = kunit_kcalloc(test, t->n, sizeof(*t->begins), GFP_KERNEL);
	t->run = kunit_kcalloc(test, t->n + 1, sizeof(*t->run), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, t->dealt && t->begins && t->run);
	t->mine = vm_test_object(test, t->n);
	t->locked = vm_test_object(test, t->n);
	for (i = 0; i < t->n; i++) {
		m = uma_pool_page(uma_pool, i);
		t->begins[i] = m && uma_pool_range_above(uma_pool, m->phys_pfn, &r) &&
			       r.first == m;
	}
	return t;
}

/* Whatever was made of a page, it is free again, if it is not another one's by now. */
static void take_back(struct table *t, u32 i)
{
	struct vm_page *m = uma_pool_page(uma_pool, i);
	u8 dealt = t->dealt[i];
	struct vm_object *object = dealt == DEAL_CACHED_LOCKED ? t->locked :
							       t->mine;

	t->dealt[i] = DEAL_NONE;
	if (dealt == DEAL_FOREIGN)
		uma_pool_free(uma_pool, m, 1);
	if (dealt == DEAL_NONE || dealt == DEAL_FREE || dealt == DEAL_FOREIGN)
		return;
	vm_object_lock(object);
	/* A cached page may have been taken from it since. */
	m = vm_page_lookup(object, i);
	if (m) {
		vm_page_lock_queues();
		if (dealt == DEAL_CACHED_HELD)
			vm_page_unhold(m);
		if (dealt == DEAL_WIRED)
			vm_page_unwire(m, false);
		vm_page_unlock_queues();
		vm_page_free(m);
	}
	vm_object_unlock(object);
}

/* A free page becomes one of an object's. */
static void deal_to(struct kunit *test, struct vm_object *object,
		    struct vm_page *m, u32 i, enum deal dealt)
{
	vm_object_lock(object);
	make_page(test, m, object, i, byte_of(i));
	vm_object_unlock(object);
	if (dealt == DEAL_WIRED)
		wire(m);
	if (dealt == DEAL_WIRED || dealt == DEAL_USED)
		return;
	vm_test_cache(test, m);
	if (dealt == DEAL_CACHED_HELD) {
		vm_page_lock_queues();
		KUNIT_EXPECT_TRUE(test, vm_page_hold(m));
		vm_page_unlock_queues();
	}
}

/* Make something else of a block of pages: of one in @bad, something in the way. */
static void deal_block(struct kunit *test, struct table *t, u32 first)
{
	static const u8 in_the_way[] = {
		DEAL_CACHED_HELD, DEAL_CACHED_LOCKED, DEAL_USED, DEAL_WIRED,
		DEAL_FOREIGN,
	};
	u32 bad = 2 + below(t, 1 << below(t, 7)), i;
	struct vm_page *m;
	u8 dealt;

	for (i = first; i < first + BLOCK && i < t->n; i++) {
		take_back(t, i);
		m = uma_pool_page(uma_pool, i);
		if (!m || !uma_pool_take(uma_pool, m))
			continue;
		dealt = below(t, bad) ? DEAL_FREE + below(t, 2) :
			in_the_way[below(t, ARRAY_SIZE(in_the_way))];
		t->dealt[i] = dealt;
		if (dealt == DEAL_FREE)
			uma_pool_free(uma_pool, m, 1);
		else if (dealt != DEAL_FOREIGN)
			deal_to(test, dealt == DEAL_CACHED_LOCKED ? t->locked :
								    t->mine,
				m, i, dealt);
	}
}

/* Whether a page is there for the taking: what its record says, not what was dealt. */
static bool can_be_had(struct table *t, const struct vm_page *m)
{
	switch (vm_page_state(m)) {
	case '.':
		return true;
	case 'c':
		return !m->hold_count && m->object != t->locked;
	}
	return false;
}

/*
 * The place that the first pass must find, the highest or the lowest, by trying all;
 * NULL if there is none. @any: the pool has a page where one may lie.
 */
static struct vm_page *oracle(struct table *t, const struct ask *ask, bool up,
			      bool *any)
{
	u64 npages = DIV_ROUND_UP_ULL(ask->size, PAGE_SIZE);
	const struct ask one = {
		.size = 1, .low = ask->low, .high = ask->high, .alignment = 1,
	};
	struct vm_page *m, *found = NULL;
	u32 i;

	*any = false;
	for (i = t->n; i--;) {
		m = uma_pool_page(uma_pool, i);
		t->run[i] = 0;
		if (!m)
			continue;
		*any |= ask_allows(&one, vm_page_to_phys(m));
		if (!can_be_had(t, m))
			continue;
		t->run[i] = 1;
		if (i + 1 < t->n && !t->begins[i + 1])
			t->run[i] += t->run[i + 1];
		if (t->run[i] < npages || !ask_allows(ask, vm_page_to_phys(m)))
			continue;
		if (!found || (up ? m->phys_pfn < found->phys_pfn :
				    m->phys_pfn > found->phys_pfn))
			found = m;
	}
	return found;
}

/* An address in the pool or near it. */
static u64 some_address(struct table *t)
{
	struct vm_page *m = uma_pool_page(uma_pool, below(t, t->n));
	u64 pa = m ? vm_page_to_phys(m) : 0;

	return below(t, 2) ? pa : pa + below(t, 64 * PAGE_SIZE);
}

/* A request that makes sense. */
static struct ask some_request(struct table *t)
{
	struct ask ask = { .high = U64_MAX, .alignment = 1 };
	u64 pages = 1 + below(t, 1 << below(t, 9));

	ask.size = pages * PAGE_SIZE - (below(t, 2) ? below(t, PAGE_SIZE) : 0);
	if (below(t, 4))
		ask.low = some_address(t);
	/* Often not much more than it takes, if it is in one piece. */
	if (below(t, 2))
		ask.high = ask.low + ask.size + below(t, 64 * PAGE_SIZE);
	else if (below(t, 2))
		ask.high = some_address(t);
	if (ask.low > ask.high)
		swap(ask.low, ask.high);
	if (below(t, 2))
		ask.alignment = 1ULL << below(t, PAGE_SHIFT + 8);
	if (below(t, 2))
		ask.boundary = roundup_pow_of_two(ask.size) << below(t, 4);
	return ask;
}

/* A run goes back. */
static void let_run_go(struct table *t, u32 slot)
{
	if (t->got_pages[slot])
		vm_page_release_contig(t->got[slot], t->got_pages[slot]);
	t->got_pages[slot] = 0;
}

/* One request. Returns whether the answer was the oracle's. */
static bool ask_the_pool(struct kunit *test, struct table *t, u32 slot)
{
	enum contig_algorithm how = below(t, 3) ? CONTIG_NEW : CONTIG_OLD;
	struct ask ask = some_request(t);
	struct vm_page *m = NULL, *place;
	int flags = M_NOWAIT, error;
	struct contig_req req;
	bool any, good;

	if (contig_req_init(&req, ask.size, ask.low, ask.high, ask.alignment,
			    ask.boundary))
		return false;
	if (below(t, 2) ||
	    vm_page_free_count() < vm_page_limits.interrupt + req.npages)
		flags |= M_USE_RESERVE;
	place = oracle(t, &ask, how == CONTIG_OLD, &any);
	vm_object_lock(t->locked);
	error = contig_alloc(&req, how, flags, &m);
	vm_object_unlock(t->locked);
	if (place)
		good = !error && m == place &&
		       ask_allows(&ask, vm_page_to_phys(m)) &&
		       follow_each_other(m, req.npages);
	else
		good = error == (any ? -ENOMEM : -ENXIO);
	if (!good)
		kunit_err(test, "%s: %#llx bytes, %#llx to %#llx, align %#llx, boundary %#llx: %d, page %#lx, the oracle's %#lx\n",
			  how == CONTIG_OLD ? "old" : "new", ask.size, ask.low,
			  ask.high, ask.alignment, ask.boundary, error,
			  m ? m->phys_pfn : 0, place ? place->phys_pfn : 0);
	if (!error) {
		t->found++;
		t->got[slot] = m;
		t->got_pages[slot] = req.npages;
	}
	return good;
}

/*
 * In a pool of which any page may be free, cached, or in the way for one of several
 * reasons, a request that does not wait gets a run where there is one, the one at its
 * end of memory, and none where there is none.
 */
static void ct_09_every_run_of_the_pool_is_the_oracles(struct kunit *test)
{
	/* Where each access to memory is looked at, so many would take too long. */
	bool watched = IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN);
	u32 requests = watched ? 300 : 5000, wired = 0, i;
	u64 steps[CONTIG_ALGORITHMS], locked;
	enum contig_algorithm how;
	struct table *t = table_new(test);

	locked = counted(&contig_cnt[CONTIG_NEW].skipped[CONTIG_SKIP_LOCKED]);
	for (how = CONTIG_NEW; how < CONTIG_ALGORITHMS; how++)
		steps[how] = counted(&contig_cnt[how].steps);
	for (i = 0; i < t->n; i += BLOCK) {
		deal_block(test, t, i);
		cond_resched();
	}
	for (i = 0; i < requests; i++) {
		let_run_go(t, i % RUNS);
		deal_block(test, t, below(t, t->n) / BLOCK * BLOCK);
		if (!ask_the_pool(test, t, i % RUNS))
			break;
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, i, requests);
	kunit_info(test, "%u of %u requests had a place\n", t->found, i);
	/* It was no empty exercise. */
	KUNIT_EXPECT_GT(test, t->found, requests / 4);
	KUNIT_EXPECT_LT(test, t->found, requests * 7 / 8);
	KUNIT_EXPECT_GT(test,
			counted(&contig_cnt[CONTIG_NEW].skipped[CONTIG_SKIP_LOCKED]),
			locked);
	/* Nobody was asked for what he uses. */
	for (how = CONTIG_NEW; how < CONTIG_ALGORITHMS; how++)
		KUNIT_EXPECT_EQ(test, counted(&contig_cnt[how].steps), steps[how]);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);

	for (i = 0; i < RUNS; i++)
		let_run_go(t, i);
	for (i = 0; i < t->n; i++)
		wired += t->dealt[i] == DEAL_WIRED;
	KUNIT_EXPECT_EQ(test, vm_pageqs.wired, wired);
	for (i = 0; i < t->n; i++)
		take_back(t, i);
	KUNIT_EXPECT_EQ(test, t->mine->resident, 0);
	KUNIT_EXPECT_EQ(test, t->locked->resident, 0);
	vm_object_deallocate(t->mine);
	vm_object_deallocate(t->locked);
}

/* ---- zones -------------------------------------------------------------- */

/* A zone whose slabs are runs gets them though memory is in pieces. */
static void ct_02_a_zone_of_contiguous_items(struct kunit *test)
{
	struct contig_counters *cnt = &contig_cnt[CONTIG_NEW];
	uma_zone_t zone = uma_test_zone(test, "contig test", 4 * PAGE_SIZE,
					UMA_ZONE_CONTIG);
	u64 successes = counted(&cnt->successes);
	void *item[8];
	struct stage *s;
	unsigned int i;

	/* The zone's own small memory first. */
	item[0] = uma_zalloc(zone, M_WAITOK);
	uma_zfree(zone, item[0]);
	/* Zones leave the pool its reserve, and headers of slabs come from one. */
	s = stage_new(test, 256, 2, vm_page_limits.reserved + 64);
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	for (i = 0; i < ARRAY_SIZE(item); i++) {
		item[i] = uma_zalloc(zone, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, item[i]);
		memset(item[i], i, 4 * PAGE_SIZE);
	}
	KUNIT_EXPECT_GT(test, counted(&cnt->successes), successes);
	stage_relax(s);
	stage_check(test, s);
	for (i = 0; i < ARRAY_SIZE(item); i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(item[i], i, 4 * PAGE_SIZE));
		uma_zfree(zone, item[i]);
	}
	uma_zdestroy(zone);
	stage_free(test, s);
}

/* Who cannot wait gets nothing, and nobody is asked for his pages. */
static void ct_02_a_zone_does_not_block_who_cannot_wait(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "contig nowait", 4 * PAGE_SIZE,
					UMA_ZONE_CONTIG);
	u64 requests = counted(&contig_cnt[CONTIG_NEW].requests);
	struct stage *s = stage_new(test, 64, 2, 0);

	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, counted(&contig_cnt[CONTIG_NEW].requests),
			requests);
	stage_free(test, s);
	uma_zdestroy(zone);
}

/* ---- CT-08 -------------------------------------------------------------- */

#define CLIENTS		3

/**
 * struct client - somebody who writes to his memory all the time
 * @vm: his space
 * @pages: of it, each with bytes that he remembers
 * @bytes: those
 * @rnd: where chance comes from
 * @writes: how many he made
 * @wrong: bytes that were not what he wrote
 * @fixed: pages in which he writes what was there before, which others may exchange
 * @task: his thread
 */
struct client {
	struct vmspace *vm;
	u32 pages;
	u8 *bytes;
	struct rnd_state rnd;
	u64 writes;
	u64 wrong;
	u32 fixed;
	struct task_struct *task;
};

static void client_write(struct client *c, u32 page)
{
	u8 byte = page < c->fixed ? byte_of(page) :
				    prandom_u32_state(&c->rnd);

	/* No memory just now: the next one. */
	if (!space_put(c->vm, page, byte)) {
		c->bytes[page] = byte;
		c->writes++;
	}
}

static void client_look(struct client *c, u32 page)
{
	int byte = space_get(c->vm, page);

	c->wrong += byte >= 0 && byte != c->bytes[page];
}

static int client_main(void *arg)
{
	struct client *c = arg;
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < 32 && !kthread_should_stop(); i++) {
			client_write(c, prandom_u32_state(&c->rnd) % c->pages);
			client_look(c, prandom_u32_state(&c->rnd) % c->pages);
		}
		cond_resched();
	}
	return 0;
}

/**
 * struct crowd - clients who use nearly all memory
 * @client: they
 * @dev: swap
 * @disk: behind it
 * @rest: pages that nobody has, lest they make a run
 */
struct crowd {
	struct client client[CLIENTS];
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct list_head rest;
};

/* An object that has a run of pages already; what they are written is @c's bytes. */
static struct vm_object *object_of_run(struct kunit *test, struct client *c,
				       struct vm_page *run, u32 n)
{
	struct vm_object *object = vm_test_object(test, n);
	u32 i;

	vm_object_lock(object);
	for (i = 0; i < n; i++) {
		make_page(test, &run[i], object, i, c->bytes[i]);
		cond_resched();
	}
	vm_object_unlock(object);
	return object;
}

/* The client has @pages, @n of them in the run. */
static void client_new(struct kunit *test, struct client *c, u32 pages,
		       struct vm_page *run, u32 n)
{
	u32 i;

	c->vm = space_new(test);
	c->fixed = n;
	c->pages = pages;
	c->bytes = kunit_kzalloc(test, pages, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c->bytes);
	for (i = 0; i < n; i++)
		c->bytes[i] = byte_of(i);
	if (n)
		space_map(test, c->vm, 0, n, object_of_run(test, c, run, n), 0);
	space_map(test, c->vm, n, pages - n, NULL, 0);
}

/* All that the client has is on the disk, and what that takes has been had. */
static void client_clean(struct kunit *test, struct client *c, u32 n)
{
	if (n)
		KUNIT_EXPECT_EQ(test, 0, test_clean(space_object(c->vm, 0)));
	KUNIT_EXPECT_EQ(test, 0, test_clean(space_object(c->vm, n)));
}

/*
 * Clients with all memory but a twentieth, which is in pieces between theirs, so
 * that there is no run of free pages. The first has @run pages in a row.
 */
static struct crowd *crowd_new(struct kunit *test, u32 run)
{
	struct crowd *cr = kunit_kzalloc(test, sizeof(*cr), GFP_KERNEL);
	unsigned long pages = vm_page_free_count() - vm_page_limits.reserved;
	u32 each = pages * 93 / 100 / CLIENTS;
	struct vm_page *m, *first = NULL;
	LIST_HEAD(holes);
	unsigned int i;
	u32 page;

	KUNIT_ASSERT_NOT_NULL(test, cr);
	INIT_LIST_HEAD(&cr->rest);
	if (run) {
		first = uma_pool_alloc(uma_pool, run, M_USE_RESERVE);
		if (!first)
			kunit_skip(test, "the pool is in pieces");
	}
	cr->dev = big_swap(test, pages, &cr->disk);
	for (i = 0; i < CLIENTS; i++) {
		prandom_seed_state(&cr->client[i].rnd, i + 1);
		client_new(test, &cr->client[i], each, first, i ? 0 : run);
	}
	for (page = 0; page < each; page++) {
		for (i = 0; i < CLIENTS; i++)
			client_write(&cr->client[i], page);
		if (page % 6)
			continue;
		m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ);
		if (m)
			list_add(&m->pageq, &holes);
	}
	for (i = 0; i < CLIENTS; i++)
		client_clean(test, &cr->client[i], i ? 0 : run);
	/* What is left lies together. */
	while ((m = uma_pool_alloc(uma_pool, 1, M_USE_RESERVE)))
		list_add(&m->pageq, &cr->rest);
	uma_pool_free_list(uma_pool, &holes);
	for (i = 0; i < CLIENTS; i++) {
		struct client *c = &cr->client[i];

		c->task = kthread_run(client_main, c, "contig client %u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(c->task));
	}
	return cr;
}

static void crowd_free(struct kunit *test, struct crowd *cr)
{
	unsigned int i;
	u32 page;

	for (i = 0; i < CLIENTS; i++)
		kthread_stop(cr->client[i].task);
	for (i = 0; i < CLIENTS; i++) {
		struct client *c = &cr->client[i];

		for (page = 0; page < c->pages; page++)
			client_look(c, page);
		KUNIT_EXPECT_EQ(test, c->wrong, 0);
		KUNIT_EXPECT_GT(test, c->writes, (u64)c->pages);
		vmspace_free(c->vm);
	}
	uma_pool_free_list(uma_pool, &cr->rest);
	KUNIT_EXPECT_EQ(test, 0, vm_swapoff_dev(cr->dev));
}

/* How long a case goes on when it has made a fifth of its tries. */
#define LONG_ENOUGH	(10 * HZ)

/* A fifth of them will do where the clients leave little time to others. */
static bool go_on(unsigned int i, unsigned int tries, unsigned long begin)
{
	return i < tries / 5 ||
	       (i < tries && time_before(jiffies, begin + LONG_ENOUGH));
}

/*
 * Back with a run, every second page first: what was freed last goes first, so that half
 * of it taken leaves no two pages together. The clients have a while to take as much as
 * they lost, until no more than @free pages are.
 */
static void clients_take_back(struct vm_page *m, unsigned long npages,
			      unsigned long free)
{
	unsigned long i, end = jiffies + HZ / 4;

	for (i = 0; i < npages; i += 2)
		vm_page_release_contig(&m[i], 1);
	for (i = 1; i < npages; i += 2)
		vm_page_release_contig(&m[i], 1);
	do
		schedule_timeout_idle(1);
	while (vm_page_free_count() > free && time_before(jiffies, end));
}

/*
 * A run that was free cost the clients nothing, so they have no use for it, and the next
 * try would find it again. A page in its middle stays away, in place of another.
 */
static void spoil(struct crowd *cr, struct vm_page *m, unsigned long npages)
{
	struct vm_page *middle = m + npages / 2;
	struct vm_page *other = list_first_entry_or_null(&cr->rest,
							 struct vm_page, pageq);

	if (!other || !uma_pool_take(uma_pool, middle))
		return;
	list_del(&other->pageq);
	uma_pool_free(uma_pool, other, 1);
	list_add_tail(&middle->pageq, &cr->rest);
}

/* How many of @tries requests for @npages are refused while the clients go on. */
static unsigned int tries_refused(struct kunit *test, struct crowd *cr,
				  enum contig_algorithm how,
				  unsigned long npages, unsigned int tries)
{
	struct contig_counters *cnt = &contig_cnt[how];
	u64 laundered = counted(&cnt->laundered), won;
	unsigned int i, served = 0, at_once = 0;
	unsigned long begin = jiffies, free;
	struct vm_page *m;

	for (i = 0; go_on(i, tries, begin); i++) {
		won = counted(&cnt->won[0]);
		free = vm_page_free_count();
		if (take_any(test, npages, how, M_WAITOK, &m))
			continue;
		served++;
		if (!follow_each_other(m, npages))
			KUNIT_FAIL(test, "no run");
		clients_take_back(m, npages, free);
		if (counted(&cnt->won[0]) != won) {
			at_once++;
			spoil(cr, m, npages);
		}
	}
	kunit_info(test, "%u of %u served, %u of them at once; %llu pages laundered\n",
		   served, i, at_once, counted(&cnt->laundered) - laundered);
	/* Else nobody had anything to lose. */
	KUNIT_EXPECT_LE(test, at_once, i / 2);
	KUNIT_EXPECT_GT(test, counted(&cnt->laundered), laundered);
	return i - served;
}

/* Why pages could not be had, for who reads the log. */
static void tell_skips(struct kunit *test)
{
	const atomic64_t *n = contig_cnt[CONTIG_NEW].skipped;

	kunit_info(test, "busy %llu held %llu wired %llu locked %llu foreign %llu dirty %llu short %llu gone %llu",
		   counted(&n[CONTIG_SKIP_BUSY]), counted(&n[CONTIG_SKIP_HELD]),
		   counted(&n[CONTIG_SKIP_WIRED]),
		   counted(&n[CONTIG_SKIP_LOCKED]),
		   counted(&n[CONTIG_SKIP_FOREIGN]),
		   counted(&n[CONTIG_SKIP_DIRTY]),
		   counted(&n[CONTIG_SKIP_SHORT]),
		   counted(&n[CONTIG_SKIP_GONE]));
}

static void ct_08_256k_while_clients_dirty_memory(struct kunit *test)
{
	struct crowd *cr = crowd_new(test, 0);

	KUNIT_EXPECT_LE(test, tries_refused(test, cr, CONTIG_NEW,
					    (256 << 10) >> PAGE_SHIFT, 200), 1);
	tell_skips(test);
	crowd_free(test, cr);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
}

/*
 * The client has a run that was won, in place of the one that it was won from, most of
 * which is on the disk now; nobody else comes near its pages meanwhile.
 */
static void client_move(struct kunit *test, struct client *c, struct vm_page *m,
			u32 n)
{
	u32 i;

	vm_map_remove(c->vm->vm_map, AT(0), AT(n));
	for (i = 0; i < n; i++) {
		vm_page_lock_queues();
		m[i].wire_count--;
		vm_pageqs.wired--;
		vm_page_unlock_queues();
	}
	space_map(test, c->vm, 0, n, object_of_run(test, c, m, n), 0);
}

/*
 * A range without anything wired: what was won is a client's again, at once, so that
 * nothing else gets there.
 */
static void ct_08_a_quarter_of_the_pool(struct kunit *test)
{
	/* Where each access to memory is looked at, a case would take too long. */
	bool watched = IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN);
	unsigned int tries = watched ? 5 : 100, served = 0, i;
	unsigned long begin = jiffies;
	struct uma_pool_stats st;
	struct crowd *cr;
	struct vm_page *m;
	u32 n;

	uma_pool_get_stats(uma_pool, &st);
	n = st.pages / 4;
	cr = crowd_new(test, n);
	for (i = 0; go_on(i, tries, begin); i++) {
		schedule_timeout_idle(1);
		if (take_any(test, n, CONTIG_NEW, M_WAITOK, &m))
			continue;
		served++;
		client_move(test, &cr->client[0], m, n);
	}
	kunit_info(test, "%u of %u served\n", served, i);
	KUNIT_EXPECT_GE(test, served * 100, i * 95);
	tell_skips(test);
	crowd_free(test, cr);
	KUNIT_EXPECT_EQ(test, isolated_pages(test), 0);
}

static int vm_contig_init(struct kunit *test)
{
	malloc_init(M_TEST);
	uma_test_keep_still(test, true);
	return space_test_init(test);
}

static void vm_contig_exit(struct kunit *test)
{
	vm_test_exit(test);
	uma_test_keep_still(test, false);
}

static struct kunit_case vm_contig_cases[] = {
	KUNIT_CASE(ct_02_free_pages_are_taken_at_once),
	KUNIT_CASE(ct_02_cached_pages_are_taken_without_blocking),
	KUNIT_CASE(ct_02_a_locked_object_keeps_its_cached_pages),
	KUNIT_CASE(ct_02_a_run_is_won_page_by_page),
	KUNIT_CASE(ct_03_the_old_way_launders_the_queues),
	KUNIT_CASE(ct_02_what_was_won_stays_won),
	KUNIT_CASE(ct_04_pages_that_cannot_be_had),
	KUNIT_CASE(pa_03_laundering_for_a_run_is_synchronous),
	KUNIT_CASE(ct_06_the_object_is_remembered),
	KUNIT_CASE(ct_06_the_object_dies_meanwhile),
	KUNIT_CASE(ct_06_a_page_without_an_object),
	KUNIT_CASE(ct_05_the_old_way_ends),
	KUNIT_CASE(ct_05_the_new_way_ends),
	KUNIT_CASE(ct_05_the_new_way_ends_whatever_is_dirtied),
	KUNIT_CASE(pa_03_no_structure_needs_a_run),
	KUNIT_CASE(ct_09_pager_errors_and_full_swap),
	KUNIT_CASE(ct_01_mapped_memory_is_counted),
	KUNIT_CASE(ct_01_unmapped_memory_is_always_won_in_the_new_way),
	KUNIT_CASE(ct_01_what_is_not_there_is_not_freed),
	KUNIT_CASE(ct_09_what_makes_no_sense_is_refused),
	KUNIT_CASE(ct_10_who_cannot_wait_is_told),
	KUNIT_CASE(ct_07_no_addresses_no_pages),
	KUNIT_CASE(ct_09_a_driver_asks_for_low_memory),
	KUNIT_CASE(ct_09_every_run_of_the_pool_is_the_oracles),
	KUNIT_CASE(ct_02_a_zone_of_contiguous_items),
	KUNIT_CASE(ct_02_a_zone_does_not_block_who_cannot_wait),
	KUNIT_CASE_SLOW(ct_08_256k_while_clients_dirty_memory),
	KUNIT_CASE_SLOW(ct_08_a_quarter_of_the_pool),
	{}
};

static struct kunit_suite vm_contig_suite = {
	.name = "vm_contig",
	.init = vm_contig_init,
	.exit = vm_contig_exit,
	.test_cases = vm_contig_cases,
};

kunit_test_suite(vm_contig_suite);

MODULE_DESCRIPTION("KUnit: contiguous memory");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
