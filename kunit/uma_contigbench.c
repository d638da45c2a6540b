// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous memory won from those who use it: our two algorithms, and the kernel's own.
 *
 * The clients are user processes (scripts/contigload.c), whose area (the pool, or
 * ZONE_MOVABLE) is full to 95 % and stays so. This module makes the requests: those
 * that were written to run in uma_contigbench in debugfs, "SIDE KIB TRIES", or as many of
 * them as there is time for. tries shows what became of each of the last ones:
 *
 *	try side=new kib=256 won=1 ns=.. looked=.. laundered=.. moved=.. swapped=..
 *	    tried=.. full=951 settled=1 feasible=8192
 *
 * ns is what it took, in nanoseconds of the guest, whether it won or not; the pages that
 * were laundered or moved are those that the request had to, swapped is what went to
 * swap meanwhile, for whomever; tried are places; full is how full the area was when it
 * began, in thousandths, and settled says whether it was as full as it should be in time;
 * feasible are the pages of the longest run in which none was wired or not the VM's.
 *
 * Each try meets a full area. What was won goes back at once, page by page and in disorder,
 * so that the pool, which hands out first what was freed last, has it used up again
 * before the clients are where they were; and the next try waits for that. As a run,
 * it would be kept for the end, and all tries but the first would find it there.
 *
 * side=linux is alloc_contig_range(), as the kernel's own alloc_contig_pages() calls
 * it (which is not exported): one call for each place in the zone, from low to high, that
 * is a multiple of the size, until one succeeds. It gives up after one round of these;
 * here there are as many rounds as our algorithms have passes, and the first one of a
 * request begins at a place by lot, since the buddy allocator keeps for the end what was
 * won last. Such a call moves pages elsewhere, into the rest of the guest's memory
 * too, of which there is plenty; ours have nothing but the pool and swap. There is swap,
 * too, on a RAM disk that this module makes, as the kernel's own brd would be.
 *
 * What clients wire and the VM needs for itself lands anywhere in the pool, and a
 * few such pages, well spread, are enough to make a large request hopeless. So that there
 * is a range without them, hold takes a part of the pool, "FROM TO" in thousandths of
 * it, out of circulation while the clients begin, and "0 0" gives it back, to be
 * filled like the rest.
 *
 * film records the map of the pool while a request of ours is under way: "SIDE KIB
 * MICROSECONDS", with that long between two pictures, or more if there would be too
 * many. Reading it gives a line for each, the time and a character a page.
 */

#include <linux/blkdev.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/memory_hotplug.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "vmsim/contig_int.h"
#include "vmsim/page.h"
#include "vmsim/show.h"
#include "vmsim/vm.h"

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

static unsigned int disk_mb = 96;
module_param(disk_mb, uint, 0444);
MODULE_PARM_DESC(disk_mb, "size of the RAM disk, /dev/umaram (96)");

static unsigned int fill = 945;
module_param(fill, uint, 0644);
MODULE_PARM_DESC(fill, "thousandths of the area that are to be in use before a try (945)");

static unsigned int settle_ms = 4000;
module_param(settle_ms, uint, 0644);
MODULE_PARM_DESC(settle_ms, "how long to wait for that (4000)");

static unsigned int row_secs = 600;
module_param(row_secs, uint, 0644);
MODULE_PARM_DESC(row_secs, "after so many seconds there are no more tries (600)");

#define TRIES_MAX	2000

enum side { SIDE_NEW, SIDE_OLD, SIDE_LINUX, SIDES };

static const char * const side_names[SIDES] = { "new", "old", "linux" };

/* What a side has done so far, or a try. */
struct effort {
	u64 looked;
	u64 laundered;
	u64 moved;
	u64 swapped;
	u64 tried;
};

struct try {
	enum side side;
	unsigned long kib;
	bool won, settled;
	unsigned int full;
	unsigned long feasible;
	struct effort effort;
	u64 ns;
};

/* One request at a time; guards all that follows. */
static DEFINE_MUTEX(bench_mutex);
static struct try *tries;
static unsigned int ntries;
static struct dentry *folder;

/* ---- the RAM disk ---------------------------------------------------------- */

static struct gendisk *disk;
static u8 *disk_bytes;

static void disk_submit_bio(struct bio *bio)
{
	u64 at = bio->bi_iter.bi_sector << SECTOR_SHIFT;
	struct bvec_iter iter;
	struct bio_vec bv;
	void *bytes;

	bio_for_each_segment(bv, bio, iter) {
		bytes = bvec_kmap_local(&bv);
		if (op_is_write(bio_op(bio)))
			memcpy(disk_bytes + at, bytes, bv.bv_len);
		else
			memcpy(bytes, disk_bytes + at, bv.bv_len);
		kunmap_local(bytes);
		at += bv.bv_len;
	}
	bio_endio(bio);
}

static const struct block_device_operations disk_ops = {
	.owner = THIS_MODULE,
	.submit_bio = disk_submit_bio,
};

static int disk_make(void)
{
	int error;

	disk_bytes = vzalloc((u64)disk_mb << 20);
	if (!disk_bytes)
		return -ENOMEM;
	disk = uma_blk_alloc_sync_disk();
	if (IS_ERR(disk)) {
		vfree(disk_bytes);
		return PTR_ERR(disk);
	}
	disk->fops = &disk_ops;
	strscpy(disk->disk_name, "umaram", sizeof(disk->disk_name));
	disk->flags |= GENHD_FL_NO_PART;
	set_capacity(disk, (u64)disk_mb << (20 - SECTOR_SHIFT));
	error = device_add_disk(NULL, disk, NULL);
	if (error) {
		put_disk(disk);
		vfree(disk_bytes);
	}
	return error;
}

static void disk_unmake(void)
{
	del_gendisk(disk);
	put_disk(disk);
	vfree(disk_bytes);
}

/* ---- ours ------------------------------------------------------------------ */

static void pool_count(enum side side, struct effort *e)
{
	const struct contig_counters *c = &contig_cnt[side == SIDE_OLD ?
						      CONTIG_OLD : CONTIG_NEW];

	e->looked = atomic64_read(&c->looked);
	e->laundered = atomic64_read(&c->laundered);
	e->moved = 0;
	e->swapped = vm_counted(pageouts);
	e->tried = atomic64_read(&c->tried);
}

static unsigned int pool_full(void)
{
	struct uma_pool_stats st;
	unsigned long free;

	uma_pool_get_stats(uma_pool, &st);
	free = min(st.pages, vm_page_free_count() + vm_pageq_count(PQ_CACHE));
	return 1000 - 1000 * free / st.pages;
}

/* Could be won, now or a little later. */
static bool pool_page_feasible(const struct vm_page *m)
{
	switch (vm_page_state(m)) {
	case '.':
	case 'a':
	case 'i':
	case 'c':
	case 'b':
	case '+':
		return true;
	}
	return false;
}

static unsigned long pool_feasible(void)
{
	unsigned long n = uma_pool_records(uma_pool), i, run = 0, longest = 0;
	const struct vm_page *m, *before = NULL;

	for (i = 0; i < n; i++, before = m) {
		m = uma_pool_page(uma_pool, i);
		if (!m || !pool_page_feasible(m))
			run = 0;
		else if (before && before->phys_pfn + 1 == m->phys_pfn)
			run++;
		else
			run = 1;
		longest = max(longest, run);
	}
	return longest;
}

static bool is_run(const struct vm_page *m, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i++)
		if (m[i].phys_pfn != m->phys_pfn + i ||
		    READ_ONCE(m[i].flags) & PG_FREE)
			return false;
	return true;
}

static struct vm_page *last_won;
static unsigned long last_npages;

/* Half of it will do. */
static bool pool_used_again(void)
{
	unsigned long i, unused = 0;

	for (i = 0; i < last_npages; i++)
		unused += !!(READ_ONCE(last_won[i].flags) & PG_FREE);
	return unused <= last_npages / 2;
}

/* An odd number of pages further each time: all of them, in disorder. */
static void pool_release(struct vm_page *m, unsigned long npages)
{
	unsigned long i, at = 0, step = npages / 2 | 1;

	last_won = m;
	last_npages = npages;

	step += npages > 16 ? 2 * (npages / 16) : 0;
	for (i = 0; i < npages; i++) {
		uma_pool_free(uma_pool, m + at, 1);
		at = (at + step) % npages;
	}
}

/* The pages that were won are the caller's, to release. */
static int pool_take(enum side side, unsigned long npages, struct vm_page **m,
		     u64 *ns)
{
	struct contig_req req;
	u64 begin;
	int error;

	error = contig_req_init(&req, (u64)npages << PAGE_SHIFT, 0, U64_MAX, 1,
				0);
	if (error)
		return error;
	begin = ktime_get_ns();
	error = contig_take(&req, side == SIDE_OLD ? CONTIG_OLD : CONTIG_NEW,
			    M_WAITOK, m);
	*ns = ktime_get_ns() - begin;
	if (!error && !is_run(*m, npages)) {
		pr_err("the pages that came are no run, or not all ours\n");
		error = -EIO;
	}
	return error;
}

static int pool_request(enum side side, unsigned long npages, u64 *ns)
{
	struct vm_page *m;
	int error = pool_take(side, npages, &m, ns);

	if (!error)
		pool_release(m, npages);
	return error;
}

static LIST_HEAD(held);

static void let_go(void)
{
	struct vm_page *m, *next;

	list_for_each_entry_safe(m, next, &held, pageq) {
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
}

/* ---- Linux's --------------------------------------------------------------- */

static struct effort zone_effort;

static struct zone *peer_zone(void)
{
	return &NODE_DATA(first_online_node)->node_zones[ZONE_MOVABLE];
}

static void zone_count(struct effort *e)
{
	static unsigned long events[NR_VM_EVENT_ITEMS];

	all_vm_events(events);
	*e = zone_effort;
	e->moved = events[PGMIGRATE_SUCCESS];
	e->swapped = events[PSWPOUT];
}

static unsigned int zone_full(void)
{
	struct zone *zone = peer_zone();
	unsigned long managed = zone_managed_pages(zone);

	return 1000 - 1000 * min(managed, zone_page_state(zone, NR_FREE_PAGES)) /
	       managed;
}

/* Whether a place is in the zone as a whole, and memory. */
static bool zone_place_valid(struct zone *zone, unsigned long pfn,
			     unsigned long npages)
{
	unsigned long i;
	struct page *page;

	for (i = pfn; i < pfn + npages; i++) {
		zone_effort.looked++;
		page = pfn_to_online_page(i);
		if (!page || page_zone(page) != zone || PageReserved(page))
			return false;
	}
	return true;
}

static unsigned long zone_feasible(void)
{
	struct zone *zone = peer_zone();
	unsigned long pfn, run = 0, longest = 0;
	struct page *page;

	for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {
		page = pfn_to_online_page(pfn);
		run = page && page_zone(page) == zone && !PageReserved(page) ?
		      run + 1 : 0;
		longest = max(longest, run);
	}
	return longest;
}

/* For the clients: pages free, and pages. */
static int zone_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%lu %lu\n", zone_page_state(peer_zone(), NR_FREE_PAGES),
		   zone_managed_pages(peer_zone()));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(zone);

static int zone_request(unsigned long npages, u64 *ns)
{
	struct zone *zone = peer_zone();
	unsigned long first = ALIGN(zone->zone_start_pfn, npages);
	unsigned long places = (zone_end_pfn(zone) - first) / npages;
	unsigned long at = places ? get_random_u32() % places : 0;
	unsigned long i, pfn;
	int error = -ENOMEM;
	u64 begin;

	if (!places)
		return -ENXIO;
	begin = ktime_get_ns();
	for (i = 0; error && i < CONTIG_PASSES * places; i++) {
		pfn = first + (at + i) % places * npages;
		if (!zone_place_valid(zone, pfn, npages))
			continue;
		zone_effort.tried++;
		error = alloc_contig_range(pfn, pfn + npages, MIGRATE_MOVABLE,
					   GFP_KERNEL);
		if (fatal_signal_pending(current))
			break;
	}
	*ns = ktime_get_ns() - begin;
	if (!error)
		free_contig_range(pfn, npages);
	return error;
}

/* ---- either ---------------------------------------------------------------- */

static void count_effort(enum side side, struct effort *e)
{
	if (side == SIDE_LINUX)
		zone_count(e);
	else
		pool_count(side, e);
}

static unsigned int area_full(enum side side)
{
	return side == SIDE_LINUX ? zone_full() : pool_full();
}

/* Wait until the area is full, and what was won before is used again. */
static bool settle(enum side side, unsigned int *full)
{
	u64 begin = ktime_get_ns();

	while ((*full = area_full(side)) < fill ||
	       (side != SIDE_LINUX && !pool_used_again())) {
		if (ktime_get_ns() - begin > (u64)settle_ms * NSEC_PER_MSEC ||
		    fatal_signal_pending(current))
			return false;
		usleep_range(1000, 1500);
	}
	return true;
}

/* One request when the area is full. */
static int try_once(enum side side, unsigned long kib, struct try *t)
{
	unsigned long npages = kib >> (PAGE_SHIFT - 10);
	struct effort before, after;
	int error;

	memset(t, 0, sizeof(*t));
	t->side = side;
	t->kib = kib;
	t->settled = settle(side, &t->full);
	t->feasible = side == SIDE_LINUX ? zone_feasible() : pool_feasible();
	count_effort(side, &before);
	error = side == SIDE_LINUX ? zone_request(npages, &t->ns) :
				     pool_request(side, npages, &t->ns);
	count_effort(side, &after);
	t->won = !error;
	t->effort.looked = after.looked - before.looked;
	t->effort.laundered = after.laundered - before.laundered;
	t->effort.moved = after.moved - before.moved;
	t->effort.swapped = after.swapped - before.swapped;
	t->effort.tried = after.tried - before.tried;
	if (fatal_signal_pending(current))
		return -EINTR;
	return error == -ENOMEM || error == -EBUSY ? 0 : error;
}

static int run_tries(enum side side, unsigned long kib, unsigned int n)
{
	time64_t until = ktime_get_seconds() + READ_ONCE(row_secs);
	int error = 0;

	for (ntries = 0; !error && ntries < n && ktime_get_seconds() < until;
	     ntries++) {
		error = try_once(side, kib, &tries[ntries]);
		cond_resched();
	}
	return error;
}

static int tries_show(struct seq_file *m, void *unused)
{
	const struct try *t;

	mutex_lock(&bench_mutex);
	for (t = tries; t < tries + ntries; t++)
		seq_printf(m, "try side=%s kib=%lu won=%d ns=%llu looked=%llu laundered=%llu moved=%llu swapped=%llu tried=%llu full=%u settled=%d feasible=%lu\n",
			   side_names[t->side], t->kib, t->won, t->ns,
			   t->effort.looked, t->effort.laundered,
			   t->effort.moved, t->effort.swapped,
			   t->effort.tried, t->full, t->settled, t->feasible);
	mutex_unlock(&bench_mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tries);

/* ---- a film ---------------------------------------------------------------- */

#define PICTURES_MAX	512
/* Milliseconds before the request and after it. */
#define FILM_BEFORE	10

static struct {
	char *states;		/* a character for each page and picture */
	u64 *when;
	unsigned int pictures;
	unsigned long npages;
	unsigned int pause;	/* microseconds */
	u64 from, asked, got;
	long first;		/* of the pages that were won, the first; or -1 */
	unsigned long won;
} film;

static char *film_line(unsigned int picture)
{
	return film.states + (u64)picture * film.npages;
}

/* There is no room: forget every second one, and take half as many from now on. */
static void film_thin(void)
{
	unsigned int i;

	for (i = 0; i < PICTURES_MAX / 2; i++) {
		film.when[i] = film.when[2 * i];
		memcpy(film_line(i), film_line(2 * i), film.npages);
	}
	film.pictures = PICTURES_MAX / 2;
	film.pause *= 2;
}

static void film_take(void)
{
	const struct vm_page *m;
	unsigned long i;
	char *line;

	if (film.pictures == PICTURES_MAX)
		film_thin();
	line = film_line(film.pictures);
	film.when[film.pictures++] = ktime_get_ns() - film.from;
	for (i = 0; i < film.npages; i++) {
		m = uma_pool_page(uma_pool, i);
		line[i] = m ? vm_page_state(m) : ' ';
	}
}

static int film_thread(void *unused)
{
	while (!kthread_should_stop()) {
		film_take();
		usleep_range(film.pause, film.pause + 20);
	}
	return 0;
}

static void film_drop(void)
{
	vfree(film.states);
	vfree(film.when);
	memset(&film, 0, sizeof(film));
}

static long film_index(const struct vm_page *won)
{
	unsigned long i;

	for (i = 0; i < film.npages; i++)
		if (uma_pool_page(uma_pool, i) == won)
			return i;
	return -1;
}

static int film_make(enum side side, unsigned long kib, unsigned int pause)
{
	unsigned long npages = kib >> (PAGE_SHIFT - 10);
	struct task_struct *thread;
	unsigned int full;
	struct vm_page *m;
	int error;
	u64 ns;

	film_drop();
	film.npages = uma_pool_records(uma_pool);
	film.states = vmalloc(array_size(film.npages, PICTURES_MAX));
	film.when = vmalloc(array_size(PICTURES_MAX, sizeof(*film.when)));
	film.pause = pause;
	if (!film.states || !film.when) {
		film_drop();
		return -ENOMEM;
	}
	settle(side, &full);
	film.from = ktime_get_ns();
	thread = kthread_create(film_thread, NULL, "uma_film");
	if (IS_ERR(thread)) {
		film_drop();
		return PTR_ERR(thread);
	}
	/* In time, and not when the clients are through. */
	sched_set_fifo(thread);
	wake_up_process(thread);
	msleep(FILM_BEFORE);
	film.asked = ktime_get_ns() - film.from;
	error = pool_take(side, npages, &m, &ns);
	film.got = ktime_get_ns() - film.from;
	/* An eighth of that more, so that one sees how it ended. */
	usleep_range(10 + div_u64(ns, 8000), 1000 + div_u64(ns, 8000));
	kthread_stop(thread);
	film.first = -1;
	if (!error) {
		film.first = film_index(m);
		film.won = npages;
		pool_release(m, npages);
	}
	return error == -ENOMEM ? 0 : error;
}

static int film_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	mutex_lock(&bench_mutex);
	seq_printf(m, "film npages=%lu pictures=%u asked=%llu got=%llu first=%ld won=%lu\n",
		   film.npages, film.pictures, film.asked, film.got, film.first,
		   film.won);
	for (i = 0; i < film.pictures && !seq_has_overflowed(m); i++) {
		seq_printf(m, "%llu ", film.when[i]);
		seq_write(m, film_line(i), film.npages);
		seq_putc(m, '\n');
	}
	mutex_unlock(&bench_mutex);
	return 0;
}

static int film_open(struct inode *inode, struct file *file)
{
	return single_open(file, film_show, NULL);
}

/* ---- commands -------------------------------------------------------------- */

static int parse(const char __user *buf, size_t n, enum side *side,
		 unsigned long *kib, unsigned int *arg)
{
	char text[64], name[8];

	if (n >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, n))
		return -EFAULT;
	text[n] = '\0';
	if (sscanf(text, "%7s %lu %u", name, kib, arg) != 3 || !*arg ||
	    *kib < PAGE_SIZE >> 10 || !is_power_of_2(*kib))
		return -EINVAL;
	for (*side = 0; *side < SIDES; (*side)++)
		if (!strcmp(name, side_names[*side]))
			break;
	if (*side == SIDES ||
	    (*side == SIDE_LINUX && !zone_managed_pages(peer_zone())))
		return -EINVAL;
	return 0;
}

static ssize_t run_write(struct file *file, const char __user *buf, size_t n,
			 loff_t *pos)
{
	unsigned int wanted;
	unsigned long kib;
	enum side side;
	int error = parse(buf, n, &side, &kib, &wanted);

	if (error || wanted > TRIES_MAX)
		return error ?: -EINVAL;
	mutex_lock(&bench_mutex);
	error = run_tries(side, kib, wanted);
	mutex_unlock(&bench_mutex);
	return error ?: n;
}

static ssize_t film_write(struct file *file, const char __user *buf, size_t n,
			  loff_t *pos)
{
	unsigned int pause;
	unsigned long kib;
	enum side side;
	int error = parse(buf, n, &side, &kib, &pause);

	if (error || side == SIDE_LINUX)
		return error ?: -EINVAL;
	mutex_lock(&bench_mutex);
	error = film_make(side, kib, pause);
	mutex_unlock(&bench_mutex);
	return error ?: n;
}

/* Out of circulation: free pages from @from to @to, until all is given back. */
static ssize_t hold_write(struct file *file, const char __user *buf, size_t n,
			  loff_t *pos)
{
	unsigned long records = uma_pool_records(uma_pool), i;
	unsigned int from, to;
	struct vm_page *m;
	char text[32];

	if (n >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, n))
		return -EFAULT;
	text[n] = '\0';
	if (sscanf(text, "%u %u", &from, &to) != 2 || from > to || to > 1000)
		return -EINVAL;
	mutex_lock(&bench_mutex);
	let_go();
	for (i = from * records / 1000; i < to * records / 1000; i++) {
		m = uma_pool_page(uma_pool, i);
		if (m && uma_pool_take(uma_pool, m))
			list_add_tail(&m->pageq, &held);
	}
	mutex_unlock(&bench_mutex);
	return n;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
};

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = hold_write,
};

static const struct file_operations film_fops = {
	.owner = THIS_MODULE,
	.open = film_open,
	.read = seq_read,
	.write = film_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init uma_contigbench_init(void)
{
	int error;

	tries = vmalloc(array_size(TRIES_MAX, sizeof(*tries)));
	if (!tries)
		return -ENOMEM;
	error = disk_make();
	if (error) {
		vfree(tries);
		return error;
	}
	folder = debugfs_create_dir("uma_contigbench", NULL);
	debugfs_create_file("run", 0200, folder, NULL, &run_fops);
	debugfs_create_file("tries", 0400, folder, NULL, &tries_fops);
	debugfs_create_file("zone", 0400, folder, NULL, &zone_fops);
	debugfs_create_file("hold", 0200, folder, NULL, &hold_fops);
	debugfs_create_file("film", 0600, folder, NULL, &film_fops);
	return 0;
}

static void __exit uma_contigbench_exit(void)
{
	debugfs_remove(folder);
	let_go();
	film_drop();
	disk_unmake();
	vfree(tries);
}

module_init(uma_contigbench_init);
module_exit(uma_contigbench_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Benchmark of contiguous allocation");
MODULE_LICENSE("GPL");
