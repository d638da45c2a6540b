// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics: that what is counted is exact, and that the stream shows it, byte
 * for byte as its readers parse it.
 *
 * The stream is taken from the real file and picked apart by the offsets that
 * the format promises, without the header that the writer uses.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "uma_test.h"
#include "user_file.h"

#define ITEM		48
#define MANY		300
#define DEBUGFS		"/sys/kernel/debug/uma/"
#define STREAM_MAX	(256 * 1024)
#define CANARY		0xc7

static uma_zone_t steered;
static unsigned int steer_calls;

/* UMA-05 */

/*
 * With this CPU's bucket pointers leading nowhere, whoever follows one crashes.
 * Preemption is off, so nobody but the reader comes near the cache.
 */
static void uma_05_reader_follows_no_bucket_pointer(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 05", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_bucket *loaded, *spare;
	struct uma_percpu_stat *ups;
	struct uma_type_header uth;
	u32 have, shown, in_use;
	struct uma_cache *c;

	ups = kunit_kcalloc(test, nr_cpu_ids, sizeof(*ups), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ups);
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY - 7);

	preempt_disable();
	c = this_cpu_ptr(zone->uz_cpu);
	loaded = c->uc_loaded;
	spare = c->uc_spare;
	c->uc_loaded = (void *)0x10;
	c->uc_spare = (void *)0x20;
	have = c->uc_cnt + c->uc_spare_cnt;
	uma_zone_stats(zone, &uth, ups);
	shown = ups[smp_processor_id()].ups_cache_free;
	in_use = uma_zone_get_cur(zone);
	c->uc_loaded = loaded;
	c->uc_spare = spare;
	preempt_enable();

	KUNIT_EXPECT_NOT_NULL(test, loaded);
	KUNIT_EXPECT_GT(test, have, 0);
	KUNIT_EXPECT_EQ(test, shown, have);
	KUNIT_EXPECT_EQ(test, in_use, 7);
	uma_test_put(zone, items + MANY - 7, 7);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/*
 * Between a reader's frees and its allocations: buckets change hands, so that
 * it has to begin again. After some times it may finish.
 */
static unsigned int exchanges_left;

static void exchange_hook(enum uma_steer_point point, void *obj)
{
	static void *items[100];
	unsigned int i;

	if (point != UMA_STEER_STATS || obj != steered || !exchanges_left)
		return;
	exchanges_left--;
	steer_calls++;
	for (i = 0; i < ARRAY_SIZE(items); i++)
		items[i] = uma_zalloc(steered, M_NOWAIT);
	for (i = 0; i < ARRAY_SIZE(items); i++)
		uma_zfree(steered, items[i]);
}

static void uma_05_exchange_while_reading(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 05", ITEM, 0);
	struct uma_test_totals t, before = {};
	unsigned int i;

	steered = zone;
	steer_calls = 0;
	uma_test_steer(exchange_hook);
	for (i = 0; i < 50; i++) {
		exchanges_left = 5;
		t = uma_test_totals(test, zone);
		KUNIT_EXPECT_LE(test, t.frees, t.allocs);
		KUNIT_EXPECT_GE(test, t.frees, before.frees);
		KUNIT_EXPECT_GE(test, t.allocs, before.allocs);
		before = t;
		KUNIT_EXPECT_GE(test, uma_zone_get_cur(zone), 0);
		if (i % 10 == 0)
			uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	}
	uma_test_steer(NULL);
	KUNIT_EXPECT_GE(test, steer_calls, 50);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, 100 * steer_calls);
	KUNIT_EXPECT_EQ(test, t.frees, 100 * steer_calls);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* Real traffic on another CPU, if there is one, while this one reads. */
static int traffic_fn(void *arg)
{
	void *items[60];
	unsigned int i, n;

	for (n = 1; !kthread_should_stop(); n = n % ARRAY_SIZE(items) + 1) {
		for (i = 0; i < n; i++)
			items[i] = uma_zalloc(arg, M_WAITOK);
		for (i = 0; i < n; i++)
			uma_zfree(arg, items[i]);
		cond_resched();
	}
	return 0;
}

static void uma_05_totals_never_go_down(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 05", ITEM, 0);
	struct uma_test_totals t, before = {};
	struct task_struct *task;
	unsigned long end;

	task = kthread_run(traffic_fn, zone, "uma_test_traffic");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (end = jiffies + HZ / 2; time_before(jiffies, end);) {
		t = uma_test_totals(test, zone);
		KUNIT_ASSERT_GE(test, t.allocs, before.allocs);
		KUNIT_ASSERT_GE(test, t.frees, before.frees);
		KUNIT_ASSERT_LE(test, t.frees, t.allocs);
		before = t;
		cond_resched();
	}
	kthread_stop(task);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_GT(test, t.allocs, 0);
	KUNIT_EXPECT_EQ(test, t.allocs, t.frees);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* What a reader on another CPU needs of a zone while this CPU has its locks. */
static struct {
	uma_zone_t zone;
	struct uma_percpu_stat *ups;
	struct uma_type_header uth;
	struct completion ready;
	struct completion over;
	bool locked;
	bool read;
} lockless;

static int lockless_fn(void *arg)
{
	complete(&lockless.ready);
	/* pairs with the holder: no CPU need be told anything from here on */
	while (!smp_load_acquire(&lockless.locked))
		cpu_relax();
	uma_zone_stats(lockless.zone, &lockless.uth, lockless.ups);
	/* pairs with the holder, who reads what we read */
	smp_store_release(&lockless.read, true);
	kthread_complete_and_exit(&lockless.over, 0);
}

/*
 * The allocator's locks are held, with interrupts off and by a CPU that answers
 * to nobody: a reader who wanted any of that would not come to an end.
 */
static void uma_05_reader_takes_no_lock_and_stops_no_cpu(struct kunit *test)
{
	unsigned int cpu = uma_test_other_cpu(test);
	void **items = uma_test_items(test, MANY);
	struct task_struct *task;
	unsigned long irq;
	ktime_t end;
	bool read;

	memset(&lockless, 0, sizeof(lockless));
	lockless.ups = kunit_kcalloc(test, nr_cpu_ids, sizeof(*lockless.ups),
				     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lockless.ups);
	lockless.zone = uma_test_zone(test, "uma 05", ITEM, 0);
	uma_test_get(test, lockless.zone, items, MANY);
	init_completion(&lockless.ready);
	init_completion(&lockless.over);
	task = kthread_create(lockless_fn, NULL, "uma_test_reader");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kthread_bind(task, cpu);
	wake_up_process(task);
	wait_for_completion(&lockless.ready);

	raw_spin_lock_irqsave(&lockless.zone->uz_lock, irq);
	raw_spin_lock(&lockless.zone->uz_keg->uk_lock);
	/* pairs with lockless_fn() */
	smp_store_release(&lockless.locked, true);
	end = ktime_add_ms(ktime_get(), 5000);
	do {
		cpu_relax();
		/* pairs with lockless_fn() */
		read = smp_load_acquire(&lockless.read);
	} while (!read && ktime_before(ktime_get(), end));
	raw_spin_unlock(&lockless.zone->uz_keg->uk_lock);
	raw_spin_unlock_irqrestore(&lockless.zone->uz_lock, irq);

	KUNIT_EXPECT_TRUE(test, read);
	wait_for_completion(&lockless.over);
	KUNIT_EXPECT_EQ(test, lockless.uth.uth_allocs +
			lockless.ups[raw_smp_processor_id()].ups_allocs, MANY);
	uma_test_put(lockless.zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(lockless.zone), 0);
}

/* UMA-06 */

static void uma_06_per_cpu_slots_end_where_the_cpus_do(struct kunit *test)
{
	const unsigned int beyond = 64;
	uma_zone_t zone = uma_test_zone(test, "uma 06", ITEM, 0);
	size_t bytes = nr_cpu_ids * sizeof(struct uma_percpu_stat);
	size_t guard = beyond * sizeof(struct uma_percpu_stat);
	struct uma_percpu_stat *ups;
	struct uma_type_header uth;
	unsigned int cpu;
	void *item;

	ups = kunit_kmalloc(test, bytes + guard, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ups);
	memset(ups, CANARY, bytes + guard);
	item = uma_zalloc(zone, M_WAITOK);
	uma_zone_stats(zone, &uth, ups);
	KUNIT_EXPECT_NULL_MSG(test, memchr_inv((void *)ups + bytes, CANARY,
					       guard),
			      "a record past the last CPU was written");
	/* And every one before it was. */
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		KUNIT_EXPECT_LE_MSG(test, ups[cpu].ups_allocs, 1, "CPU %u",
				    cpu);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* UMA-07 */

static unsigned int undone;

static void count_fini(void *mem, int size)
{
	undone++;
}

static void uma_07_frees_count_only_real_frees(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	uma_zone_t zone, second;
	struct uma_test_totals t;

	undone = 0;
	zone = uma_zcreate("uma 07", ITEM, NULL, NULL, NULL, count_fini,
			   UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	second = uma_zsecond_create("uma 07 second", NULL, NULL, NULL,
				    count_fini, zone);
	KUNIT_ASSERT_NOT_NULL(test, second);
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY);
	uma_test_get(test, second, items, MANY);
	uma_test_put(second, items, MANY);

	/* Tearing slabs down is no free. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_GE(test, undone, 2 * MANY);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, MANY);
	KUNIT_EXPECT_EQ(test, t.frees, MANY);
	t = uma_test_totals(test, second);
	KUNIT_EXPECT_EQ(test, t.allocs, MANY);
	KUNIT_EXPECT_EQ(test, t.frees, MANY);
	/* Nor is the free of nothing. */
	uma_zfree(zone, NULL);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone).frees, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* An interrupt in the section gets and frees single items. */
static void pair_hook(enum uma_steer_point point, void *obj)
{
	void *item;

	if (point != UMA_STEER_SECTION || obj != steered)
		return;
	item = uma_zalloc(steered, M_NOWAIT);
	if (item) {
		uma_zfree(steered, item);
		steer_calls++;
	}
}

static void uma_07_single_items_count_like_others(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 07", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_test_totals t;

	steered = zone;
	steer_calls = 0;
	uma_test_steer(pair_hook);
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY - 1);
	uma_test_steer(NULL);
	KUNIT_EXPECT_GT(test, steer_calls, 0);
	t = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, t.allocs, MANY + steer_calls);
	KUNIT_EXPECT_EQ(test, t.frees, MANY - 1 + steer_calls);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 1);
	uma_zfree(zone, items[MANY - 1]);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/*
 * Counts go to the zone whenever a bucket does, on the way in as on the way
 * out; what stays with the CPU is less than two buckets' worth.
 */
static void uma_07_counts_move_at_each_exchange(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 07", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_percpu_stat *ups;
	struct uma_type_header uth;
	unsigned int cpu, i;
	u64 most = 0;

	ups = kunit_kcalloc(test, nr_cpu_ids, sizeof(*ups), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ups);
	uma_test_get(test, zone, items, MANY);
	uma_zone_stats(zone, &uth, ups);
	KUNIT_EXPECT_GT(test, uth.uth_allocs, 0);
	KUNIT_EXPECT_EQ(test, uth.uth_frees, 0);
	for (i = 0; i < MANY; i++) {
		uma_zfree(zone, items[i]);
		uma_zone_stats(zone, &uth, ups);
		for (cpu = 0; cpu < nr_cpu_ids; cpu++)
			most = max(most, ups[cpu].ups_frees);
	}
	KUNIT_EXPECT_GT(test, uth.uth_frees, 0);
	KUNIT_EXPECT_LE(test, most, 2 * uth.uth_bucketsize);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_07_reader_moves_nothing(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 07", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	struct uma_percpu_stat *ups[2];
	struct uma_type_header uth[2];
	unsigned int i;

	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, MANY - 20);
	for (i = 0; i < 2; i++) {
		ups[i] = kunit_kcalloc(test, nr_cpu_ids, sizeof(*ups[i]),
				       GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, ups[i]);
	}
	for (i = 0; i < 2; i++)
		uma_zone_stats(zone, &uth[i], ups[i]);
	KUNIT_EXPECT_MEMEQ(test, &uth[0], &uth[1], sizeof(uth[0]));
	KUNIT_EXPECT_MEMEQ(test, ups[0], ups[1],
			   nr_cpu_ids * sizeof(*ups[0]));
	uma_test_put(zone, items + MANY - 20, 20);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static uma_zone_t find_zone(const char *name)
{
	uma_zone_t zone;

	uma_for_each_zone(zone) {
		if (!strcmp(zone->uz_name, name)) {
			/* An internal zone stays as long as the module. */
			uma_zone_put(zone);
			return zone;
		}
	}
	return NULL;
}

static void uma_07_internal_zones_count_too(struct kunit *test)
{
	uma_zone_t headers = find_zone("UMA Slabs");
	uma_zone_t buckets = find_zone("16 Bucket");
	uma_zone_t zone = uma_test_zone(test, "uma 07", ITEM, UMA_ZONE_OFFPAGE);
	struct uma_test_totals h0, h1, b0, b1;
	void **items = uma_test_items(test, MANY);

	KUNIT_ASSERT_NOT_NULL(test, headers);
	KUNIT_ASSERT_NOT_NULL(test, buckets);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	h0 = uma_test_totals(test, headers);
	b0 = uma_test_totals(test, buckets);
	uma_test_get(test, zone, items, MANY);
	h1 = uma_test_totals(test, headers);
	b1 = uma_test_totals(test, buckets);
	/* A header for each slab; others' zones are at rest. */
	KUNIT_EXPECT_EQ(test, h1.allocs - h0.allocs,
			uma_keg_pages(zone->uz_keg) / zone->uz_keg->uk_layout.pages);
	KUNIT_EXPECT_GT(test, b1.allocs, b0.allocs);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	h1 = uma_test_totals(test, headers);
	b1 = uma_test_totals(test, buckets);
	KUNIT_EXPECT_EQ(test, h1.allocs - h1.frees, h0.allocs - h0.frees);
	KUNIT_EXPECT_EQ(test, b1.allocs - b1.frees, b0.allocs - b0.frees);
}

/* A model of several zones, and 20,000 operations on both. */

#define MODEL_ZONES	5
#define MODEL_OPS	20000

struct model {
	uma_zone_t zone;
	void *item[200];
	unsigned int n;
	u64 allocs, frees, fails;
};

static bool ctor_fails;

static int fickle_ctor(void *mem, int size, void *arg, int flags)
{
	return ctor_fails ? -EAGAIN : 0;
}

static void check_model(struct kunit *test, struct model *m)
{
	struct uma_test_totals t = uma_test_totals(test, m->zone);

	KUNIT_ASSERT_EQ(test, t.allocs, m->allocs);
	KUNIT_ASSERT_EQ(test, t.frees, m->frees);
	KUNIT_ASSERT_EQ(test, t.fails, m->fails);
	KUNIT_ASSERT_EQ(test, uma_zone_get_cur(m->zone), m->n);
}

static void model_step(struct model *m, struct rnd_state *rnd)
{
	u32 r = prandom_u32_state(rnd) % 100;

	ctor_fails = m->zone->uz_ctor && r < 10;
	if (r < 52 && m->n < ARRAY_SIZE(m->item)) {
		void *item = uma_zalloc(m->zone, M_NOWAIT);

		if (item) {
			m->item[m->n++] = item;
			m->allocs++;
		} else {
			m->fails++;
		}
	} else if (m->n) {
		unsigned int i = prandom_u32_state(rnd) % m->n;

		uma_zfree(m->zone, m->item[i]);
		m->item[i] = m->item[--m->n];
		m->frees++;
	}
}

static void uma_07_exact_after_a_random_run(struct kunit *test)
{
	struct model *m = kunit_kcalloc(test, MODEL_ZONES, sizeof(*m),
					GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i, op;

	KUNIT_ASSERT_NOT_NULL(test, m);
	prandom_seed_state(&rnd, 4207);
	m[0].zone = uma_test_zone(test, "uma 07 plain", ITEM, 0);
	m[1].zone = uma_test_zone(test, "uma 07 refcnt", ITEM, UMA_ZONE_REFCNT);
	m[2].zone = uma_zcreate("uma 07 ctor", 700, fickle_ctor, NULL, NULL,
				count_fini, UMA_ALIGN_CACHE, 0);
	m[3].zone = uma_zsecond_create("uma 07 second", fickle_ctor, NULL, NULL,
				       count_fini, m[0].zone);
	m[4].zone = uma_test_zone(test, "uma 07 limit", ITEM, UMA_ZONE_OFFPAGE);
	for (i = 0; i < MODEL_ZONES; i++)
		KUNIT_ASSERT_NOT_NULL(test, m[i].zone);
	/* One slab: this one fails for its limit. */
	uma_zone_set_max(m[4].zone, 1);

	for (op = 0; op < MODEL_OPS; op++) {
		model_step(&m[prandom_u32_state(&rnd) % MODEL_ZONES], &rnd);
		if (op % 2000 == 1999)
			uma_reclaim(op % 4000 == 1999 ? UMA_RECLAIM_TRIM :
							UMA_RECLAIM_DRAIN_CPU);
		if (op % 500 == 0)
			for (i = 0; i < MODEL_ZONES; i++)
				check_model(test, &m[i]);
		cond_resched();
	}
	ctor_fails = false;
	KUNIT_EXPECT_GT(test, m[2].fails, 0);
	KUNIT_EXPECT_GT(test, m[4].fails, 0);
	for (i = MODEL_ZONES; i--;) {
		check_model(test, &m[i]);
		m[i].frees += m[i].n;
		uma_test_put(m[i].zone, m[i].item, m[i].n);
		m[i].n = 0;
		check_model(test, &m[i]);
	}
	for (i = MODEL_ZONES; i--;)
		KUNIT_EXPECT_EQ(test, uma_zdestroy(m[i].zone), 0);
}

/* UMA-08 to UMA-11, UMA-24: the stream */

/* The stream as bytes, and where its parts are by the format's own numbers. */
struct stream {
	u8 *data;
	size_t len;
	u32 slots;
	u32 count;
};

static u32 u32_at(const u8 *p, unsigned int offset)
{
	return get_unaligned((const u32 *)(p + offset));
}

static u64 u64_at(const u8 *p, unsigned int offset)
{
	return get_unaligned((const u64 *)(p + offset));
}

static struct file *open_file(struct kunit *test, const char *path)
{
	struct file *file = filp_open(path, O_RDONLY, 0);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path,
			       PTR_ERR(file));
	return file;
}

static void release_stream(void *data)
{
	vfree(data);
}

static struct stream take_stream(struct kunit *test, struct file *file,
				 char __user *ubuf, size_t step)
{
	struct stream s = { .data = vzalloc(STREAM_MAX) };
	ssize_t n;

	KUNIT_ASSERT_NOT_NULL(test, s.data);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, release_stream, s.data),
			0);
	n = user_read(test, file, ubuf, s.data, STREAM_MAX, step);
	KUNIT_ASSERT_GE(test, n, 16);
	s.len = n;
	KUNIT_ASSERT_EQ(test, u32_at(s.data, 0), 1);
	s.slots = u32_at(s.data, 4);
	s.count = u32_at(s.data, 8);
	KUNIT_ASSERT_EQ(test, u32_at(s.data, 12), 0);
	KUNIT_ASSERT_EQ(test, s.len,
			16 + (u64)s.count * (120 + s.slots * 64));
	return s;
}

static struct stream read_stream(struct kunit *test, size_t step)
{
	char __user *ubuf = user_memory(test, STREAM_MAX);
	struct file *file = open_file(test, DEBUGFS "zone_stats");
	struct stream s = take_stream(test, file, ubuf, step);

	filp_close(file, NULL);
	return s;
}

/* The record of a zone by the name that it has in the stream. */
static const u8 *find_record(const struct stream *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < s->count; i++) {
		const u8 *r = s->data + 16 + i * (120 + s->slots * 64);

		if (!strncmp(r, name, 32))
			return r;
	}
	return NULL;
}

static void uma_08_stream_shows_what_was_counted(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("uma 08", 100, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_LONG, 0);
	void **items = uma_test_items(test, 2 * MANY);
	u64 allocs, frees, free;
	unsigned int cpu, max;
	struct stream s;
	const u8 *r;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	max = uma_zone_set_max(zone, MANY);
	KUNIT_ASSERT_LE(test, max, 2 * MANY);
	uma_test_get(test, zone, items, max);
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	uma_test_put(zone, items + 10, max - 10);

	s = read_stream(test, PAGE_SIZE);
	r = find_record(&s, "uma 08");
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_EXPECT_NULL(test, memchr_inv(r + 6, 0, 32 - 6));
	KUNIT_EXPECT_EQ(test, u32_at(r, 32), UMA_ALIGN_LONG);
	KUNIT_EXPECT_EQ(test, u32_at(r, 36), 100);
	KUNIT_EXPECT_EQ(test, u32_at(r, 40), 104);
	KUNIT_EXPECT_EQ(test, u32_at(r, 44), u32_at(r, 52));
	KUNIT_EXPECT_EQ(test, u32_at(r, 48), max);
	KUNIT_EXPECT_EQ(test, u32_at(r, 52), uma_keg_pages(zone->uz_keg));
	KUNIT_EXPECT_GT(test, u32_at(r, 64), 0);
	KUNIT_EXPECT_EQ(test, u32_at(r, 68), 0);
	KUNIT_EXPECT_EQ(test, u64_at(r, 88), 1);
	KUNIT_EXPECT_EQ(test, u64_at(r, 96), 0);
	KUNIT_EXPECT_EQ(test, u64_at(r, 104), 0);
	KUNIT_EXPECT_EQ(test, u64_at(r, 112), 0);
	allocs = u64_at(r, 72);
	frees = u64_at(r, 80);
	free = u32_at(r, 56) + u32_at(r, 60);
	for (cpu = 0; cpu < s.slots; cpu++) {
		const u8 *p = r + 120 + cpu * 64;

		allocs += u64_at(p, 0);
		frees += u64_at(p, 8);
		free += u64_at(p, 16);
		KUNIT_EXPECT_NULL(test, memchr_inv(p + 24, 0, 40));
	}
	KUNIT_EXPECT_EQ(test, allocs, max);
	KUNIT_EXPECT_EQ(test, frees, max - 10);
	KUNIT_EXPECT_EQ(test, free, max - 10);
	uma_test_put(zone, items, 10);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* One open is one snapshot, whatever is read at a time and happens meanwhile. */
static void uma_08_one_open_is_one_snapshot(struct kunit *test)
{
	static const size_t steps[] = { 1, 7, 120, 4096, STREAM_MAX };
	char __user *ubuf = user_memory(test, STREAM_MAX);
	uma_zone_t zone = uma_test_zone(test, "uma 08", ITEM, 0), late;
	struct file *file = open_file(test, DEBUGFS "zone_stats");
	struct stream first, again;
	void **items = uma_test_items(test, MANY);
	unsigned int i;

	first = take_stream(test, file, ubuf, STREAM_MAX);
	late = uma_test_zone(test, "uma 08 late", ITEM, 0);
	uma_test_get(test, zone, items, MANY);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		again = take_stream(test, file, ubuf, steps[i]);
		KUNIT_ASSERT_EQ(test, again.len, first.len);
		KUNIT_EXPECT_MEMEQ(test, again.data, first.data, first.len);
	}
	filp_close(file, NULL);
	KUNIT_EXPECT_NULL(test, find_record(&first, "uma 08 late"));
	again = read_stream(test, PAGE_SIZE);
	KUNIT_EXPECT_NOT_NULL(test, find_record(&again, "uma 08 late"));
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(late), 0);
}

static void uma_08_stream_is_for_root_only(struct kunit *test)
{
	struct file *file = open_file(test, DEBUGFS "zone_stats");

	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode & 0777, 0400);
	filp_close(file, NULL);
}

/* The same for people: a line a zone. */
static void stats_zones_as_text(struct kunit *test)
{
	char __user *ubuf = user_memory(test, STREAM_MAX);
	struct file *file = open_file(test, DEBUGFS "zones");
	unsigned long long limit, used, free, req, fail;
	void **items = uma_test_items(test, MANY);
	unsigned int size;
	char *text, *line;
	uma_zone_t zone;
	ssize_t n;

	text = vzalloc(STREAM_MAX);
	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, release_stream, text),
			0);
	zone = uma_test_zone(test, "zones-as-text", ITEM, 0);
	uma_test_get(test, zone, items, MANY);
	uma_test_put(zone, items, 100);
	n = user_read(test, file, ubuf, text, STREAM_MAX - 1, 777);
	filp_close(file, NULL);
	KUNIT_ASSERT_GT(test, n, 0);
	KUNIT_EXPECT_EQ(test, strncmp(text, "ITEM ", 5), 0);
	line = strstr(text, "\nzones-as-text ");
	KUNIT_ASSERT_NOT_NULL(test, line);
	n = sscanf(line, "\nzones-as-text %u %llu %llu %llu %llu %llu", &size,
		   &limit, &used, &free, &req, &fail);
	KUNIT_ASSERT_EQ(test, n, 6);
	KUNIT_EXPECT_EQ(test, size, ITEM);
	KUNIT_EXPECT_EQ(test, limit, 0);
	KUNIT_EXPECT_EQ(test, used, MANY - 100);
	KUNIT_EXPECT_GE(test, free, 100);
	KUNIT_EXPECT_EQ(test, req, MANY);
	KUNIT_EXPECT_EQ(test, fail, 0);
	uma_test_put(zone, items + 100, MANY - 100);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* What the file zone_count says now. */
static unsigned int read_count(struct kunit *test)
{
	char __user *ubuf = user_memory(test, PAGE_SIZE);
	struct file *file = open_file(test, DEBUGFS "zone_count");
	char text[32] = {};
	unsigned int count;

	KUNIT_ASSERT_GT(test, user_read(test, file, ubuf, text,
					sizeof(text) - 1, 5), 0);
	filp_close(file, NULL);
	KUNIT_ASSERT_EQ(test, kstrtouint(strim(text), 10, &count), 0);
	return count;
}

static void uma_09_number_of_zones_is_exported(struct kunit *test)
{
	unsigned int before = read_count(test);
	uma_zone_t zone[20], second;
	struct stream s;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, before, uma_zone_list_count());
	for (i = 0; i < ARRAY_SIZE(zone); i++)
		zone[i] = uma_test_zone(test, "uma 09", ITEM, 0);
	second = uma_zsecond_create("uma 09 second", NULL, NULL, NULL, NULL,
				    zone[0]);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_EQ(test, read_count(test), before + i + 1);
	s = read_stream(test, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, s.count, before + i + 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	while (i--)
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone[i]), 0);
	KUNIT_EXPECT_EQ(test, read_count(test), before);
	s = read_stream(test, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, s.count, before);
}

static void uma_10_secondary_zones_are_flagged(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 10", ITEM, 0);
	uma_zone_t second = uma_zsecond_create("uma 10 second", NULL, NULL,
					       NULL, NULL, zone);
	struct stream s;
	const u8 *r[2];

	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, 10), 0);
	s = read_stream(test, PAGE_SIZE);
	r[0] = find_record(&s, "uma 10");
	r[1] = find_record(&s, "uma 10 second");
	KUNIT_ASSERT_NOT_NULL(test, r[0]);
	KUNIT_ASSERT_NOT_NULL(test, r[1]);
	KUNIT_EXPECT_EQ(test, u32_at(r[0], 68), 0);
	KUNIT_EXPECT_EQ(test, u32_at(r[1], 68), 1);
	/* Both show the one keg; the flag is how a reader counts it once. */
	KUNIT_EXPECT_GT(test, u32_at(r[0], 56), 0);
	KUNIT_EXPECT_EQ(test, u32_at(r[0], 56), u32_at(r[1], 56));
	KUNIT_EXPECT_EQ(test, u32_at(r[0], 52), u32_at(r[1], 52));
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void uma_11_cpu_slots_are_the_streams_own(struct kunit *test)
{
	struct stream s = read_stream(test, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, s.slots, nr_cpu_ids);
}

static void uma_11_long_names_are_cut_and_terminated(struct kunit *test)
{
	static const char * const names[] = {
		"uma 11 of thirty-one characters",
		"uma 11 of thirty-two characters!",
		"uma 11 with a name that is longer than any reader has room for",
	};
	struct stream s;
	unsigned int i, k;

	KUNIT_ASSERT_EQ(test, strlen(names[0]), 31);
	KUNIT_ASSERT_EQ(test, strlen(names[1]), 32);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		uma_zone_t zone = uma_test_zone(test, names[i], ITEM, 0);
		char cut[32] = {};
		const u8 *r;

		strscpy(cut, names[i]);
		s = read_stream(test, PAGE_SIZE);
		r = find_record(&s, cut);
		KUNIT_ASSERT_NOT_NULL(test, r);
		KUNIT_EXPECT_MEMEQ(test, r, cut, 32);
		for (k = 0; k < s.count; k++)
			KUNIT_EXPECT_EQ(test, s.data[16 + 31 + k *
						     (120 + s.slots * 64)], 0);
		/* Inside it is whole. */
		KUNIT_EXPECT_STREQ(test, zone->uz_name, names[i]);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

/*
 * What a program of 32-bit words would see: each number is where its sum of
 * fixed widths puts it, high halves included, whatever a long is here.
 */
static void uma_24_stream_has_no_word_size(struct kunit *test)
{
	uma_zone_t zone = uma_test_zone(test, "uma 24", ITEM, 0);
	void **items = uma_test_items(test, MANY);
	const u64 big = 0x123456789abULL;
	struct stream s;
	unsigned long irq;
	const u8 *r;

	uma_test_get(test, zone, items, 1);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	zone->uz_allocs += big;
	zone->uz_frees += big;
	zone->uz_fails += big;
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	s = read_stream(test, PAGE_SIZE);
	r = find_record(&s, "uma 24");
	KUNIT_ASSERT_NOT_NULL(test, r);
	KUNIT_EXPECT_EQ(test, u32_at(r, 36), ITEM);
	KUNIT_EXPECT_EQ(test, u64_at(r, 72), big + 1);
	KUNIT_EXPECT_EQ(test, u64_at(r, 80), big);
	KUNIT_EXPECT_EQ(test, u64_at(r, 88), big);
	KUNIT_EXPECT_EQ(test, sizeof(struct uma_stream_header), 16);
	KUNIT_EXPECT_EQ(test, sizeof(struct uma_type_header), 120);
	KUNIT_EXPECT_EQ(test, sizeof(struct uma_percpu_stat), 64);
	uma_test_put(zone, items, 1);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(uma_05_reader_follows_no_bucket_pointer),
	KUNIT_CASE(uma_05_exchange_while_reading),
	KUNIT_CASE(uma_05_totals_never_go_down),
	KUNIT_CASE(uma_05_reader_takes_no_lock_and_stops_no_cpu),
	KUNIT_CASE(uma_06_per_cpu_slots_end_where_the_cpus_do),
	KUNIT_CASE(uma_07_frees_count_only_real_frees),
	KUNIT_CASE(uma_07_single_items_count_like_others),
	KUNIT_CASE(uma_07_counts_move_at_each_exchange),
	KUNIT_CASE(uma_07_reader_moves_nothing),
	KUNIT_CASE(uma_07_internal_zones_count_too),
	KUNIT_CASE(uma_07_exact_after_a_random_run),
	KUNIT_CASE(uma_08_stream_shows_what_was_counted),
	KUNIT_CASE(uma_08_one_open_is_one_snapshot),
	KUNIT_CASE(uma_08_stream_is_for_root_only),
	KUNIT_CASE(stats_zones_as_text),
	KUNIT_CASE(uma_09_number_of_zones_is_exported),
	KUNIT_CASE(uma_10_secondary_zones_are_flagged),
	KUNIT_CASE(uma_11_cpu_slots_are_the_streams_own),
	KUNIT_CASE(uma_11_long_names_are_cut_and_terminated),
	KUNIT_CASE(uma_24_stream_has_no_word_size),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "stats",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);

MODULE_DESCRIPTION("KUnit: statistics and their stream");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
