// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-out: pages get old and go, what cannot go stays and is counted, and whoever waits
 * for pages gets them, or is told that there are none.
 *
 * The daemon is kept still but where a case lets it go; passes are made by the case.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/random.h>

#include "vm_io_test.h"
#include "vm_space_test.h"
#include "vmsim/pageout.h"

#define COUNT(name)	atomic64_read(&vm_cnt.name)

static struct vm_pageout_targets targets;
static struct vm_page_limits limits;

static int pageout_init(struct kunit *test)
{
	uma_test_keep_still(test, true);
	targets = vm_pageout_targets;
	limits = vm_page_limits;
	return vm_test_init(test);
}

static void pageout_exit(struct kunit *test)
{
	vm_pageout_targets = targets;
	vm_page_limits = limits;
	vm_test_exit(test);
	uma_test_keep_still(test, false);
}

/* Let passes want so many pages more than are free. */
static void want_free(unsigned long n)
{
	vm_pageout_targets.free = vm_page_free_count() + n;
	vm_pageout_targets.cache = 0;
	vm_pageout_targets.inactive = 0;
}

/* The daemon acts, until let_rest(). */
static void let_go(void)
{
	vm_pageout_resume();
}

static void let_rest(void)
{
	vm_pageout_pause();
}

/* Pages that nobody else gets, until put_all(). */
static void take_pages(struct list_head *taken, unsigned long leave, int class)
{
	struct vm_page *m;

	while (vm_page_free_count() > leave &&
	       (m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | class)))
		list_add(&m->pageq, taken);
}

static void put_all(struct list_head *taken)
{
	struct vm_page *m;

	while ((m = list_first_entry_or_null(taken, struct vm_page, pageq))) {
		list_del_init(&m->pageq);
		vm_page_free(m);
	}
}

/* An object with @n pages, dirty ones or clean, that are not used any more. */
static struct vm_object *idle_object(struct kunit *test, unsigned int n,
				     bool dirty)
{
	struct vm_object *object = vm_test_object(test, n);
	struct vm_page *m;
	unsigned int i;

	for (i = 0; i < n; i++) {
		m = vm_test_fill(test, object, i, i + 1);
		vm_object_lock(object);
		if (!dirty)
			vm_page_undirty(m);
		vm_page_lock_queues();
		vm_page_deactivate(m);
		vm_page_unlock_queues();
		vm_object_unlock(object);
	}
	return object;
}

/* Its pages; the last of a write goes with the object locked, after the write. */
static unsigned long resident(struct vm_object *object)
{
	unsigned long n;

	vm_object_lock(object);
	n = object->resident;
	vm_object_unlock(object);
	return n;
}

static struct vm_page *page_of(struct vm_object *object, u64 pindex)
{
	struct vm_page *m;

	vm_object_lock(object);
	m = vm_page_lookup(object, pindex);
	vm_object_unlock(object);
	return m;
}

static void end_swap(struct kunit *test, struct vm_swap_dev *dev)
{
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* Until what is being written is written. */
static void writes_end(struct kunit *test)
{
	unsigned long end = jiffies + VM_TEST_SOON;

	while (vm_page_writing() && time_before(jiffies, end))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_EQ(test, vm_page_writing(), 0);
}

/* ---- pages get old ------------------------------------------------------ */

static void pg_01_idle_pages_get_old_and_go(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	u64 freed = COUNT(scan_freed), old = COUNT(scan_deactivated);
	struct vm_page *m;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		m = vm_test_fill(test, object, i, i);
		vm_object_lock(object);
		vm_page_undirty(m);
		vm_object_unlock(object);
	}
	want_free(8);
	for (i = 1; i < VM_ACT_INIT; i++) {
		vm_pageout_scan(VM_PAGEOUT_GENTLE);
		KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_ACTIVE), 8);
	}
	vm_pageout_scan(VM_PAGEOUT_GENTLE);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_ACTIVE), 0);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_INACTIVE), 8);
	KUNIT_EXPECT_EQ(test, COUNT(scan_deactivated), old + 8);
	KUNIT_EXPECT_EQ(test, COUNT(scan_freed), freed);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 8);
	KUNIT_EXPECT_EQ(test, COUNT(scan_freed), freed + 8);
	KUNIT_EXPECT_EQ(test, resident(object), 0);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), vm_pageout_targets.free);
	vm_object_deallocate(object);
}

/* A pass goes as far as the targets say. */
static void pg_01_targets_are_what_is_gone_for(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 24, false);
	u64 freed = COUNT(scan_freed), cached = COUNT(scan_cached);
	u64 uncached = COUNT(scan_uncached);

	want_free(0);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 0);
	/* Free is not short, so they are cached. */
	vm_pageout_targets.cache = 6;
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 6);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 6);
	KUNIT_EXPECT_EQ(test, COUNT(scan_cached), cached + 6);
	KUNIT_EXPECT_EQ(test, COUNT(scan_freed), freed);
	/* Now it is: cached ones are the first to go. */
	vm_pageout_targets.free += 4;
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 4 + 4);
	KUNIT_EXPECT_EQ(test, COUNT(scan_uncached), uncached + 4);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), vm_pageout_targets.free);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_CACHE), 6);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_INACTIVE), 14);
	vm_object_deallocate(object);
}

/* What is in use stays: its translations say so (FA-04). */
static void pg_01_used_pages_stay(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	u64 used = COUNT(scan_reactivated);
	unsigned int i, pass;
	struct vm_page *m;

	space_map(test, vm, 0, 16, NULL, 0);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), 0);
	want_free(16);
	for (pass = 0; pass < 2 * VM_ACT_INIT; pass++) {
		for (i = 0; i < 8; i++)
			KUNIT_EXPECT_EQ(test, space_get(vm, i), 0);
		vm_pageout_scan(VM_PAGEOUT_GENTLE);
	}
	for (i = 0; i < 16; i++) {
		if (i < 8)
			KUNIT_EXPECT_NOT_NULL(test, space_page(vm, i));
		else
			KUNIT_EXPECT_NULL(test, space_page(vm, i));
	}
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_ACTIVE), 8);
	/* Those that had been used least became so again. */
	KUNIT_EXPECT_EQ(test, COUNT(scan_reactivated), used);
	for (i = 0; i < 8; i++) {
		m = space_page(vm, i);
		vm_page_lock_queues();
		vm_page_deactivate(m);
		vm_page_unlock_queues();
		KUNIT_EXPECT_EQ(test, space_get(vm, i), 0);
	}
	vm_pageout_scan(VM_PAGEOUT_FIRM);
	KUNIT_EXPECT_EQ(test, COUNT(scan_reactivated), used + 8);
	/* But for a system that needs all its pages. */
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), 0);
	vm_pageout_scan(VM_PAGEOUT_DESPERATE);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 8);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_ACTIVE), 0);
	vmspace_free(vm);
}

/* ---- dirty pages -------------------------------------------------------- */

static void pa_01_dirty_neighbours_go_together(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(slow);
	struct vm_object *object = idle_object(test, 40, true);
	struct vm_page *page_20;
	struct test_disk *disk;
	struct vm_swap_dev *dev;
	unsigned int i;

	dev = test_swap_make(test, 64, &disk);
	/* One that is used, in the middle, is not written along. */
	page_20 = page_of(object, 20);
	vm_page_lock_queues();
	vm_page_activate(page_20);
	vm_page_unlock_queues();
	/* More than there are: buffers and metadata take and give some, too. */
	want_free(80);
	/* A write that is over has the object locked, and pages are passed over. */
	WRITE_ONCE(disk->slow, &slow);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 39);
	WRITE_ONCE(disk->slow, NULL);
	complete_all(&slow);
	writes_end(test);
	/* 0-15, 16-19, 21-36 from where 21 is met first, and the rest. */
	KUNIT_EXPECT_LE(test, atomic_read(&disk->writes), 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->blocks), 39);
	/* They were wanted, so they went as soon as they were written. */
	KUNIT_EXPECT_EQ(test, resident(object), 1);
	for (i = 0; i < 40; i++)
		KUNIT_EXPECT_EQ(test, test_peek(object, i), i + 1);
	vm_object_deallocate(object);
	end_swap(test, dev);
}

/* There is a bound on what is under way, and it is waited for. */
static void pa_03_writes_are_bounded(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 256);
	DECLARE_COMPLETION_ONSTACK(slow);
	struct test_disk *disk;
	struct vm_swap_dev *dev;
	unsigned int i;

	dev = test_swap_make(test, 256, &disk);
	for (i = 0; i < 128; i++) {
		struct vm_page *m = vm_test_fill(test, object, 2 * i, i + 1);

		vm_page_lock_queues();
		vm_page_deactivate(m);
		vm_page_unlock_queues();
	}
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_pageout_writes"), "8");
	WRITE_ONCE(disk->slow, &slow);
	want_free(256);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 8);
	KUNIT_EXPECT_EQ(test, vm_page_writing(), 8);
	/* The next pass has nothing to add. */
	KUNIT_EXPECT_LE(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 1);
	KUNIT_EXPECT_LE(test, vm_page_writing(), 9);
	WRITE_ONCE(disk->slow, NULL);
	complete_all(&slow);
	writes_end(test);
	/* With a disk that works they all go, in a pass if it is a quick one. */
	for (i = 0; i < 50 && resident(object); i++) {
		vm_pageout_scan(VM_PAGEOUT_GENTLE);
		writes_end(test);
	}
	KUNIT_EXPECT_EQ(test, resident(object), 0);
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_pageout_writes"),
			       "64");
	for (i = 0; i < 128; i++)
		KUNIT_EXPECT_EQ(test, test_peek(object, 2 * i), i + 1);
	vm_object_deallocate(object);
	end_swap(test, dev);
}

/* Somebody writes to a page that is on its way: he waits, and nothing is lost. */

static struct vmspace *writer_space;

static void write_again(void *arg)
{
	space_put(writer_space, 3, 0x77);
}

static void fa_04_dirtied_again_while_written(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	DECLARE_COMPLETION_ONSTACK(slow);
	struct vm_test_thread t;
	struct test_disk *disk;
	struct vm_swap_dev *dev;
	unsigned int i;

	dev = test_swap_make(test, 64, &disk);
	space_map(test, vm, 0, 8, NULL, 0);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, i + 1), 0);
	WRITE_ONCE(disk->slow, &slow);
	want_free(32);
	vm_pageout_scan(VM_PAGEOUT_DESPERATE);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 8);
	KUNIT_EXPECT_EQ(test, vm_page_writing(), 8);
	/* Reading goes on, writing does not. */
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 4);
	writer_space = vm;
	vm_test_start(test, &t, write_again, NULL);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	WRITE_ONCE(disk->slow, NULL);
	complete_all(&slow);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	writes_end(test);
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 0x77);
	/* And it is dirty, so that it goes out as it is now. */
	want_free(32);
	for (i = 0; i < 4; i++) {
		vm_pageout_scan(VM_PAGEOUT_DESPERATE);
		writes_end(test);
	}
	KUNIT_EXPECT_EQ(test, resident(space_object(vm, 0)), 0);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), i == 3 ? 0x77 : i + 1);
	vmspace_free(vm);
	end_swap(test, dev);
}

/* ---- what is passed over ------------------------------------------------ */

/* A thread that locks an object, and then frees its pages. */
struct locker {
	struct vm_object *object;
	struct completion locked;
	struct completion go;
};

static void lock_and_free(void *arg)
{
	struct locker *l = arg;
	struct vm_page *m;
	u64 i;

	vm_object_lock(l->object);
	complete(&l->locked);
	wait_for_completion(&l->go);
	for (i = 0; i < l->object->size; i++) {
		m = vm_page_lookup(l->object, i);
		if (m)
			vm_page_free(m);
	}
	vm_object_unlock(l->object);
}

/* From the queue to the object: whoever has that may be freeing the page. */
static void pg_01_locked_objects_are_passed_over(struct kunit *test)
{
	struct vm_object *locked = idle_object(test, 4, false);
	struct vm_object *other = idle_object(test, 4, false);
	struct locker l = { .object = locked };
	u64 skipped = COUNT(skip_locked);
	struct vm_test_thread t;

	init_completion(&l.locked);
	init_completion(&l.go);
	vm_test_start(test, &t, lock_and_free, &l);
	wait_for_completion(&l.locked);
	want_free(8);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 4);
	KUNIT_EXPECT_EQ(test, COUNT(skip_locked), skipped + 4);
	KUNIT_EXPECT_EQ(test, resident(other), 0);
	complete(&l.go);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_GENTLE), 0);
	KUNIT_EXPECT_TRUE(test, vm_pageq_check());
	vm_object_deallocate(locked);
	vm_object_deallocate(other);
}

/* The object dies between the queue and it: in the middle of the look. */

static struct {
	struct vm_object *object;
	struct vm_test_thread t;
	struct kunit *test;
	unsigned int looks;
} dying;

static void let_die(void *arg)
{
	vm_object_deallocate(dying.object);
}

static void mark_dead(enum vm_steer_point point, void *obj)
{
	struct vm_page *m = obj;

	if (point == VM_STEER_PAGEOUT_LOOK && m->object == dying.object)
		dying.looks++;
}

static void pg_01_dying_objects_are_passed_over(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 4, true);
	u64 skipped = COUNT(skip_dead);
	struct test_disk *disk;
	struct vm_swap_dev *dev;

	dev = test_swap_make(test, 64, &disk);
	dying.object = object;
	dying.looks = 0;
	/* Its end waits for who is paging, dead and with all its pages. */
	vm_object_lock(object);
	vm_object_pip_add(object, 1);
	vm_object_unlock(object);
	vm_test_start(test, &dying.t, let_die, NULL);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&dying.t));
	KUNIT_EXPECT_TRUE(test, object->flags & OBJ_DEAD);
	vm_test_steer(mark_dead);
	want_free(4);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 0);
	vm_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, dying.looks, 4);
	KUNIT_EXPECT_EQ(test, COUNT(skip_dead), skipped + 4);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->writes), 0);
	vm_object_lock(object);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&dying.t));
	end_swap(test, dev);
}

/* It dies while its pages are on their way: it waits for them. */

static void die_while_laundered(enum vm_steer_point point, void *obj)
{
	if (point != VM_STEER_PAGEOUT_LAUNDER || dying.looks++)
		return;
	vm_test_start(dying.test, &dying.t, let_die, NULL);
	KUNIT_EXPECT_TRUE(dying.test, vm_test_sleeps(&dying.t));
}

static void pg_03_an_object_dies_while_it_is_laundered(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 4, true);
	DECLARE_COMPLETION_ONSTACK(slow);
	struct test_disk *disk;
	struct vm_swap_dev *dev;

	dev = test_swap_make(test, 64, &disk);
	WRITE_ONCE(disk->slow, &slow);
	dying.object = object;
	dying.test = test;
	dying.looks = 0;
	vm_test_steer(die_while_laundered);
	want_free(32);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 4);
	vm_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, dying.looks, 1);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&dying.t));
	KUNIT_EXPECT_EQ(test, vm_page_writing(), 4);
	WRITE_ONCE(disk->slow, NULL);
	complete_all(&slow);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&dying.t));
	KUNIT_EXPECT_EQ(test, vm_page_writing(), 0);
	end_swap(test, dev);
}

static void pg_01_each_reason_to_stay_is_counted(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 6, false);
	struct vm_object *phys = vm_test_object(test, 1);
	u64 held = COUNT(skip_held), busy = COUNT(skip_busy);
	u64 writing = COUNT(skip_writing), unmanaged = COUNT(skip_unmanaged);
	struct vm_page *m[6], *p;
	unsigned int i;

	for (i = 0; i < 6; i++)
		m[i] = page_of(object, i);
	vm_object_lock(object);
	vm_page_lock_queues();
	KUNIT_EXPECT_TRUE(test, vm_page_hold(m[0]));
	vm_page_wire(m[1]);
	vm_page_unlock_queues();
	vm_page_busy(m[2]);
	vm_page_io_start(m[3]);
	vm_object_unlock(object);
	p = vm_test_fill(test, phys, 0, 1);
	phys->type = OBJT_PHYS;
	vm_page_lock_queues();
	vm_page_deactivate(p);
	vm_page_unlock_queues();

	want_free(8);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 2);
	KUNIT_EXPECT_EQ(test, resident(object), 4);
	KUNIT_EXPECT_EQ(test, COUNT(skip_held), held + 1);
	KUNIT_EXPECT_EQ(test, COUNT(skip_busy), busy + 1);
	KUNIT_EXPECT_EQ(test, COUNT(skip_writing), writing + 1);
	KUNIT_EXPECT_EQ(test, COUNT(skip_unmanaged), unmanaged + 1);
	/* It is never looked at again; nor is the wired one. */
	KUNIT_EXPECT_EQ(test, vm_test_queue(p), PQ_NONE);
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_INACTIVE), 3);

	vm_object_lock(object);
	vm_page_wakeup(m[2]);
	vm_page_io_finish(m[3]);
	vm_page_lock_queues();
	vm_page_unhold(m[0]);
	vm_page_unwire(m[1], false);
	vm_page_unlock_queues();
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 4);
	phys->type = OBJT_DEFAULT;
	vm_object_deallocate(phys);
	vm_object_deallocate(object);
}

/* ---- what cannot be written --------------------------------------------- */

static void pa_04_failed_writes_are_not_repeated_at_once(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 16, true);
	u64 errors = COUNT(pageout_errors), failing = COUNT(skip_failing);
	struct test_disk *disk;
	struct vm_swap_dev *dev;
	unsigned int i, n;

	dev = test_swap_make(test, 64, &disk);
	WRITE_ONCE(disk->write_error, -EIO);
	want_free(64);
	vm_pageout_scan(VM_PAGEOUT_DESPERATE);
	writes_end(test);
	KUNIT_EXPECT_EQ(test, COUNT(pageout_errors), errors + 16);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_TRUE(test, test_is_dirty(object, i));
	/* They are active again, and when they are not, they are left alone. */
	KUNIT_EXPECT_EQ(test, vm_pageq_count(PQ_ACTIVE) +
			vm_pageq_count(PQ_INACTIVE), 16);
	n = atomic_read(&disk->writes);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->writes), n);
	KUNIT_EXPECT_GT(test, COUNT(skip_failing), failing);
	/* Later it works. */
	WRITE_ONCE(disk->write_error, 0);
	schedule_timeout_idle(HZ);
	KUNIT_EXPECT_EQ(test, vm_pageout_scan(VM_PAGEOUT_DESPERATE), 16);
	writes_end(test);
	KUNIT_EXPECT_EQ(test, resident(object), 0);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, test_peek(object, i), i + 1);
	vm_object_deallocate(object);
	end_swap(test, dev);
}

/* From here on no normal allocation succeeds, and whoever waits wants more. */
static void be_short(void)
{
	vm_page_limits.reserved = vm_page_free_count();
	vm_page_limits.wakeup = vm_page_limits.reserved;
	vm_pageout_targets.free = vm_page_limits.reserved + 32;
	vm_pageout_targets.cache = 0;
	vm_pageout_targets.inactive = 32;
}

/* And no zone has any for them. */
static void no_free_pages(void)
{
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	be_short();
}

/* Who waits in vain is told so at once, and the daemon does not spin. */
static void wait_in_vain(struct kunit *test)
{
	u64 hopeless = COUNT(hopeless), scans;
	ktime_t begin = ktime_get();
	unsigned int i;
	s64 ms;

	let_go();
	/* As a fault does: ten times in vain, then there is no memory. */
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_FALSE(test, vm_wait());
	ms = ktime_ms_delta(ktime_get(), begin);
	kunit_info(test, "ten waits in vain took %lld ms\n", ms);
	KUNIT_EXPECT_GT(test, COUNT(hopeless), hopeless);
	KUNIT_EXPECT_LT(test, ms, 3000);
	scans = COUNT(scans);
	for (i = 0; i < 30; i++) {
		vm_page_want_pageout();
		schedule_timeout_idle(HZ / 50);
	}
	kunit_info(test, "%llu passes in 0.6 s of asking in vain\n",
		   COUNT(scans) - scans);
	KUNIT_EXPECT_LT(test, COUNT(scans) - scans, 60);
	let_rest();
}

static void pa_01_swap_is_full(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 48, true);
	u64 full = COUNT(skip_no_swap);
	struct test_disk *disk;
	struct vm_swap_dev *dev;
	unsigned int i, dirty = 0;

	dev = test_swap_make(test, 16, &disk);
	no_free_pages();
	/* Sixteen go, and that is all. */
	vm_pageout_targets.free = vm_page_free_count() + 48;
	vm_page_limits.reserved += 48;
	vm_page_limits.wakeup = vm_page_limits.reserved;
	wait_in_vain(test);
	writes_end(test);
	KUNIT_EXPECT_EQ(test, resident(object), 32);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->blocks), 16);
	KUNIT_EXPECT_GT(test, COUNT(skip_no_swap), full);
	vm_page_limits = limits;
	for (i = 0; i < 48; i++)
		dirty += test_is_dirty(object, i);
	KUNIT_EXPECT_EQ(test, dirty, 32);
	for (i = 0; i < 48; i++)
		KUNIT_EXPECT_EQ(test, test_peek(object, i), i + 1);
	vm_object_deallocate(object);
	end_swap(test, dev);
}

static void pa_01_there_is_no_swap(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	LIST_HEAD(taken);
	unsigned int i;
	ktime_t begin;
	s64 ms;

	space_map(test, vm, 0, 64, NULL, 0);
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, i + 1), 0);
	no_free_pages();
	wait_in_vain(test);
	/* A fault says so, and soon. */
	let_go();
	begin = ktime_get();
	KUNIT_EXPECT_EQ(test, space_put(vm, 40, 1), -ENOMEM);
	ms = ktime_ms_delta(ktime_get(), begin);
	let_rest();
	kunit_info(test, "a fault without memory took %lld ms\n", ms);
	KUNIT_EXPECT_LT(test, ms, 3000);
	vm_page_limits = limits;
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), i + 1);
	vmspace_free(vm);
}

static void wait_once(void *arg)
{
	*(bool *)arg = vm_wait();
}

/* While somebody gathers pages for a run, who waits for pages may yet get those. */
static void pg_11_what_is_gathered_may_come_back(struct kunit *test)
{
	u64 hopeless = COUNT(hopeless);
	struct vm_test_thread t;
	bool woken = true;

	no_free_pages();
	vm_page_isolated_add(1);
	let_go();
	vm_test_start(test, &t, wait_once, &woken);
	schedule_timeout_idle(HZ / 5);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	KUNIT_EXPECT_EQ(test, COUNT(hopeless), hopeless);
	vm_page_isolated_add(-1);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	KUNIT_EXPECT_FALSE(test, woken);
	KUNIT_EXPECT_GT(test, COUNT(hopeless), hopeless);
	let_rest();
	vm_page_limits = limits;
	/* What was proved here is not true for the next case. */
	schedule_timeout_idle(HZ / 5);
}

/* ---- the reserve -------------------------------------------------------- */

/*
 * All pages of the pool are taken, the last one, too, and what belongs to the VM is
 * dirty. Whatever page-out needs to write it, it has.
 */
static void pg_11_page_out_needs_no_free_page(struct kunit *test)
{
	struct vm_object *object[8];
	struct test_disk *disk;
	struct vm_swap_dev *dev;
	struct vm_page *m;
	LIST_HEAD(taken);
	unsigned int i, j;

	dev = test_swap_make(test, 512, &disk);
	/* Apart from each other: one operation and one node each. */
	for (i = 0; i < 8; i++) {
		object[i] = vm_test_object(test, 1024);
		for (j = 0; j < 16; j++)
			vm_test_fill(test, object[i], j * 33, 16 * i + j + 1);
	}
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	take_pages(&taken, 0, VM_ALLOC_INTERRUPT);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), 0);
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(uma_pool, 1, M_NOWAIT |
					       M_USE_RESERVE));
	vm_page_limits.reserved = 32;
	vm_page_limits.wakeup = 64;
	vm_pageout_targets.free = 128;
	vm_pageout_targets.cache = 0;
	let_go();
	for (i = 0; i < 10 && !vm_wait(); i++)
		;
	KUNIT_EXPECT_GT(test, vm_page_free_count(), vm_page_limits.reserved);
	m = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ | VM_ALLOC_NORMAL);
	KUNIT_EXPECT_NOT_NULL(test, m);
	let_rest();
	if (m)
		vm_page_free(m);
	writes_end(test);
	put_all(&taken);
	vm_page_limits = limits;
	for (i = 0; i < 8; i++) {
		for (j = 0; j < 16; j++)
			KUNIT_EXPECT_EQ(test, test_peek(object[i], j * 33),
					16 * i + j + 1);
		vm_object_deallocate(object[i]);
	}
	end_swap(test, dev);
}

/* ---- waiting ------------------------------------------------------------ */

struct waiter {
	struct vm_object *object;
	struct vm_map *map;
	unsigned long left;
	bool got;
};

static void wait_with_locks(void *arg)
{
	struct waiter *w = arg;
	unsigned int i;

	if (w->map)
		vm_map_lock(w->map);
	vm_object_lock(w->object);
	for (i = 0; i < 10 && !w->got; i++)
		w->got = vm_wait();
	w->left = w->object->resident;
	vm_object_unlock(w->object);
	if (w->map)
		vm_map_unlock(w->map);
}

/*
 * Nobody is to wait with an object locked; but if somebody did, page-out would go on with
 * the others' pages. With a map locked one may.
 */
static void pg_11_locks_of_who_waits_do_not_matter(struct kunit *test)
{
	struct vm_object *mine = idle_object(test, 16, true);
	struct vmspace *vm = space_new(test);
	struct test_disk *disk;
	struct vm_swap_dev *dev;
	struct waiter w = { .object = mine, .map = vm->vm_map };
	struct vm_test_thread t;
	unsigned int i;

	dev = test_swap_make(test, 128, &disk);
	space_map(test, vm, 0, 48, NULL, 0);
	for (i = 0; i < 48; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, i + 1), 0);
	no_free_pages();
	let_go();
	vm_test_start(test, &t, wait_with_locks, &w);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	let_rest();
	KUNIT_EXPECT_TRUE(test, w.got);
	KUNIT_EXPECT_EQ(test, w.left, 16);
	writes_end(test);
	vm_page_limits = limits;
	for (i = 0; i < 48; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), i + 1);
	vmspace_free(vm);
	vm_object_deallocate(mine);
	end_swap(test, dev);
}

/* Who waits goes on when there is something to go on with, not at the first page. */
static void pg_11_who_waits_waits_for_some(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 64, false);
	unsigned long before = vm_page_free_count();

	no_free_pages();
	vm_page_limits.wakeup = before + 20;
	let_go();
	KUNIT_EXPECT_TRUE(test, vm_wait());
	KUNIT_EXPECT_GT(test, vm_page_free_count(), before + 20);
	let_rest();
	vm_object_deallocate(object);
}

static void wait_ten_times(void *arg)
{
	unsigned int i, *good = arg;

	for (i = 0; i < 10; i++)
		*good += vm_wait();
}

/*
 * Cached pages are free pages to come, even while somebody has their object locked; and
 * who waits for what cached ones are not good for has a tick's rest before each try.
 */
static void pg_11_cached_pages_of_a_locked_object(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 16, false);
	u64 hopeless = COUNT(hopeless);
	unsigned int i, good = 0;
	unsigned long begin;
	struct vm_test_thread t;

	no_free_pages();
	vm_pageout_targets.free = vm_page_free_count() + 8;
	vm_pageout_targets.inactive = 0;
	vm_object_lock(object);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_TRUE(test, vm_page_try_to_cache(vm_page_lookup(object, i)));
	let_go();
	begin = jiffies;
	vm_test_start(test, &t, wait_ten_times, &good);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	KUNIT_EXPECT_EQ(test, good, 10);
	KUNIT_EXPECT_GE(test, jiffies - begin, 5);
	KUNIT_EXPECT_EQ(test, COUNT(hopeless), hopeless);
	KUNIT_EXPECT_EQ(test, object->resident, 16);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_wait());
	let_rest();
	vm_page_limits = limits;
	vm_object_deallocate(object);
}

/* Whether pages stay when zones have enough of them to give back. */
static bool zones_are_asked_first(struct kunit *test, uma_zone_t zone,
				  void **items)
{
	struct vm_object *object = idle_object(test, 8, false);
	unsigned int i;
	bool first;

	/* They are asked no more often than this. */
	schedule_timeout_idle(HZ + HZ / 10);
	uma_test_get(test, zone, items, 256);
	uma_test_put(zone, items, 256);
	be_short();
	let_go();
	KUNIT_EXPECT_TRUE(test, vm_wait());
	for (i = 0; i < 50 && vm_page_free_count() < vm_pageout_targets.free; i++)
		schedule_timeout_idle(HZ / 50);
	let_rest();
	KUNIT_EXPECT_GE(test, vm_page_free_count(), vm_pageout_targets.free);
	first = resident(object) == 8;
	vm_object_deallocate(object);
	return first;
}

/*
 * Zones give back what they cache before any page goes. They are waited for only so
 * long, which may be too short on a machine that is busy: not each time.
 */
static void pg_11_zones_are_asked_first(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "pageout test", 1024, 0);
	void **items = uma_test_items(test, 256);
	unsigned int try = 0;

	while (!zones_are_asked_first(test, zone, items) && ++try < 5)
		vm_page_limits = limits;
	KUNIT_EXPECT_LT(test, try, 5);
	uma_zdestroy(zone);
}

/* The pool's own users are short: the VM gives pages without anybody asking it. */
static void pg_11_the_pool_is_short(struct kunit *test)
{
	struct vm_object *object = idle_object(test, 256, false);
	struct uma_pool_stats st;
	LIST_HEAD(taken);
	unsigned int i;

	uma_pool_get_stats(uma_pool, &st);
	let_go();
	take_pages(&taken, st.pages / 40, VM_ALLOC_INTERRUPT);
	for (i = 0; i < 100 && resident(object); i++)
		schedule_timeout_idle(HZ / 50);
	let_rest();
	KUNIT_EXPECT_EQ(test, resident(object), 0);
	put_all(&taken);
	vm_object_deallocate(object);
}

/* ---- parameters --------------------------------------------------------- */

static void refuse(struct kunit *test, const char *path, const char *value)
{
	KUNIT_EXPECT_EQ(test, uma_test_try_parameter(path, value), -EINVAL);
}

static void pg_01_targets_can_be_set(struct kunit *test)
{
	struct uma_pool_stats st;
	char most[24];

	uma_pool_get_stats(uma_pool, &st);
	KUNIT_EXPECT_GT(test, vm_pageout_targets.free,
			vm_page_limits.wakeup);
	KUNIT_EXPECT_GE(test, vm_pageout_targets.free, st.pages / 16);
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_free_target"), "3000");
	KUNIT_EXPECT_EQ(test, vm_pageout_targets.free, 3000);
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_free_target"), "0");
	KUNIT_EXPECT_EQ(test, vm_pageout_targets.free, targets.free);
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_cache_target"), "77");
	KUNIT_EXPECT_EQ(test, vm_pageout_targets.cache, 77);
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_cache_target"), "0");
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_inactive_target"),
			       "78");
	KUNIT_EXPECT_EQ(test, vm_pageout_targets.inactive, 78);
	uma_test_set_parameter(test, UMA_TEST_PARAMETER("vm_inactive_target"),
			       "0");
	KUNIT_EXPECT_EQ(test, vm_pageout_targets.inactive, targets.inactive);
	snprintf(most, sizeof(most), "%lu", st.pages / 2 + 1);
	refuse(test, UMA_TEST_PARAMETER("vm_free_target"), most);
	refuse(test, UMA_TEST_PARAMETER("vm_cache_target"), "many");
	refuse(test, UMA_TEST_PARAMETER("vm_pageout_writes"), "0");
	refuse(test, UMA_TEST_PARAMETER("vm_pageout_writes"), "1025");
}

/* ---- all at once -------------------------------------------------------- */

#define CLIENTS		4
#define CLIENT_PAGES	768
#define ROUNDS		3

/* Until all have filled their spaces, none goes on: so no one has the pool to itself. */
static atomic_t clients_to_fill;
static DECLARE_COMPLETION(clients_full);

struct client {
	struct vmspace *vm;
	u32 seed;
	u32 *version;
	unsigned int errors;
	unsigned int wrong;
	struct vm_test_thread t;
};

/* What a page has from its index, the client and the version: its word. */
static u32 word_of(const struct client *c, u32 page)
{
	return c->seed * 0x9e3779b1 + page * 0x85ebca6b + c->version[page];
}

static void check_page(struct client *c, u32 page)
{
	u32 word[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (vm_access(c->vm->vm_map, AT(page) + i * 2044, &word[i], 4,
			      VM_PROT_READ, NULL))
			c->errors++;
		else if (c->version[page] && word[i] != word_of(c, page))
			c->wrong++;
}

static void dirty_page(struct client *c, u32 page)
{
	unsigned int i;
	u32 word;

	c->version[page]++;
	word = word_of(c, page);
	for (i = 0; i < 3; i++)
		if (vm_access(c->vm->vm_map, AT(page) + i * 2044, &word, 4,
			      VM_PROT_WRITE, NULL))
			c->errors++;
}

static void run_client(void *arg)
{
	struct client *c = arg;
	struct rnd_state rnd;
	unsigned int i;
	u32 page;

	prandom_seed_state(&rnd, c->seed);
	for (i = 0; i < CLIENT_PAGES; i++)
		dirty_page(c, i);
	if (atomic_dec_and_test(&clients_to_fill))
		complete_all(&clients_full);
	wait_for_completion(&clients_full);
	for (i = 0; i < ROUNDS * CLIENT_PAGES; i++) {
		page = prandom_u32_state(&rnd) % CLIENT_PAGES;
		check_page(c, page);
		dirty_page(c, prandom_u32_state(&rnd) % 4 ? page :
			   prandom_u32_state(&rnd) % CLIENT_PAGES);
		if (i % 64 == 0)
			cond_resched();
	}
	for (i = 0; i < CLIENT_PAGES; i++)
		check_page(c, i);
}

static void free_mem(void *mem)
{
	vfree(mem);
}

/* A disk larger than what kmalloc() gives. */
static struct vm_swap_dev *large_swap(struct kunit *test, u64 nblks)
{
	struct test_disk *disk = kunit_kzalloc(test, sizeof(*disk), GFP_KERNEL);
	struct vm_swap_dev *dev;

	KUNIT_ASSERT_NOT_NULL(test, disk);
	disk->mem = vzalloc(nblks << PAGE_SHIFT);
	KUNIT_ASSERT_NOT_NULL(test, disk->mem);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_mem,
							   disk->mem));
	disk->nblks = nblks;
	dev = vm_swap_add(NULL, &test_disk_ops, disk, nblks);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	return dev;
}

/* Several dirty three times what there is, and each sees what it wrote. */
static void pg_01_three_times_the_pool(struct kunit *test)
{
	u64 out = COUNT(pageouts), in = COUNT(pageins);
	struct vm_swap_dev *dev;
	struct client *c;
	LIST_HEAD(taken);
	unsigned int i;

	dev = large_swap(test, 4 * CLIENTS * CLIENT_PAGES / 3);
	c = kunit_kcalloc(test, CLIENTS, sizeof(*c), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < CLIENTS; i++) {
		c[i].version = kunit_kcalloc(test, CLIENT_PAGES, sizeof(u32),
					     GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, c[i].version);
		c[i].seed = i + 1;
		c[i].vm = space_new(test);
		space_map(test, c[i].vm, 0, CLIENT_PAGES, NULL, 0);
	}
	/* A pool that is a third of what they will want, and its reserve. */
	take_pages(&taken, limits.reserved + CLIENTS * CLIENT_PAGES / 3,
		   VM_ALLOC_INTERRUPT);
	vm_page_limits.wakeup = limits.reserved + 32;
	vm_pageout_targets.free = limits.reserved + 96;
	vm_pageout_targets.cache = 64;
	vm_pageout_targets.inactive = 256;
	atomic_set(&clients_to_fill, CLIENTS);
	reinit_completion(&clients_full);
	let_go();
	for (i = 0; i < CLIENTS; i++)
		vm_test_start(test, &c[i].t, run_client, &c[i]);
	for (i = 0; i < CLIENTS; i++) {
		wait_for_completion(&c[i].t.done);
		KUNIT_EXPECT_EQ(test, c[i].errors, 0);
		KUNIT_EXPECT_EQ(test, c[i].wrong, 0);
	}
	let_rest();
	writes_end(test);
	KUNIT_EXPECT_GT(test, COUNT(pageouts) - out, CLIENTS * CLIENT_PAGES / 2);
	KUNIT_EXPECT_GT(test, COUNT(pageins) - in, CLIENTS * CLIENT_PAGES / 2);
	kunit_info(test, "%llu pages out, %llu in\n", COUNT(pageouts) - out,
		   COUNT(pageins) - in);
	for (i = 0; i < CLIENTS; i++)
		vmspace_free(c[i].vm);
	put_all(&taken);
	end_swap(test, dev);
}

static struct kunit_case pageout_cases[] = {
	KUNIT_CASE(pg_01_idle_pages_get_old_and_go),
	KUNIT_CASE(pg_01_targets_are_what_is_gone_for),
	KUNIT_CASE(pg_01_used_pages_stay),
	KUNIT_CASE(pa_01_dirty_neighbours_go_together),
	KUNIT_CASE(pa_03_writes_are_bounded),
	KUNIT_CASE(fa_04_dirtied_again_while_written),
	KUNIT_CASE(pg_01_locked_objects_are_passed_over),
	KUNIT_CASE(pg_01_dying_objects_are_passed_over),
	KUNIT_CASE(pg_03_an_object_dies_while_it_is_laundered),
	KUNIT_CASE(pg_01_each_reason_to_stay_is_counted),
	KUNIT_CASE(pa_04_failed_writes_are_not_repeated_at_once),
	KUNIT_CASE(pa_01_swap_is_full),
	KUNIT_CASE(pa_01_there_is_no_swap),
	KUNIT_CASE(pg_11_what_is_gathered_may_come_back),
	KUNIT_CASE(pg_11_page_out_needs_no_free_page),
	KUNIT_CASE(pg_11_locks_of_who_waits_do_not_matter),
	KUNIT_CASE(pg_11_who_waits_waits_for_some),
	KUNIT_CASE(pg_11_cached_pages_of_a_locked_object),
	KUNIT_CASE(pg_11_zones_are_asked_first),
	KUNIT_CASE(pg_11_the_pool_is_short),
	KUNIT_CASE(pg_01_targets_can_be_set),
	KUNIT_CASE(pg_01_three_times_the_pool),
	{}
};

static struct kunit_suite pageout_suite = {
	.name = "vm_pageout",
	.init = pageout_init,
	.exit = pageout_exit,
	.test_cases = pageout_cases,
};

kunit_test_suite(pageout_suite);

MODULE_DESCRIPTION("KUnit: page-out");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
