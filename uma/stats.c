// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics: the binary stream, and files for people, in debugfs.
 *
 * Reading costs the allocating CPUs nothing but cache misses. Each cache has its
 * counts in itself, so no bucket is looked at, let alone followed (UMA-05). A
 * zone's counts grow when a cache's are moved there, inside uz_seq; a reader that
 * sees that happen starts again, so what moves is seen once. Frees are read
 * before allocations: an item's free cannot be seen without its allocation, and
 * no zone shows more frees than allocations. Each count only grows, the
 * sum as well; so no total that is shown ever goes down.
 *
 * The types of malloc(9) have a stream of the same make; malloc.c knows how they
 * are read.
 *
 * The stream is made at open and read from there, so one open gives one coherent
 * snapshot however it is read. Zones that come while it is made may be missing.
 */

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "uma/fail.h"
#include "uma/uma_int.h"
#include "uma/uma_stream.h"

/* After so many vain attempts a reader takes the lock that stops the movers. */
#define READ_ATTEMPTS	16

static struct dentry *uma_dir;

static u64 sum_frees(uma_zone_t zone, struct uma_percpu_stat *ups)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		u64 n = READ_ONCE(per_cpu_ptr(zone->uz_cpu, cpu)->uc_frees);

		if (ups)
			ups[cpu].ups_frees = n;
		sum += n;
	}
	return sum;
}

static u64 sum_allocs(uma_zone_t zone, struct uma_percpu_stat *ups)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		u64 n = READ_ONCE(per_cpu_ptr(zone->uz_cpu, cpu)->uc_allocs);

		if (ups)
			ups[cpu].ups_allocs = n;
		sum += n;
	}
	return sum;
}

/* One attempt to read all counts of a zone; @uth and @ups may be NULL. */
static s64 read_counts_once(uma_zone_t zone, struct uma_type_header *uth,
			    struct uma_percpu_stat *ups, bool locked)
{
	u64 allocs, frees;
	s64 sum;

	frees = READ_ONCE(zone->uz_frees);
	sum = -(frees + sum_frees(zone, ups));
	smp_rmb(); /* frees before allocations, see above */
	if (!locked)
		uma_steer(UMA_STEER_STATS, zone);
	allocs = READ_ONCE(zone->uz_allocs);
	sum += allocs + sum_allocs(zone, ups);
	if (uth) {
		uth->uth_allocs = allocs;
		uth->uth_frees = frees;
	}
	return sum;
}

/* Read all counts of a zone, none of them twice. Returns the items in use. */
static s64 zone_read_counts(uma_zone_t zone, struct uma_type_header *uth,
			    struct uma_percpu_stat *ups)
{
	unsigned int seq, attempt;
	unsigned long irq;
	s64 in_use;

	for (attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
		seq = read_seqcount_begin(&zone->uz_seq);
		in_use = read_counts_once(zone, uth, ups, false);
		if (!read_seqcount_retry(&zone->uz_seq, seq))
			return in_use;
	}
	raw_spin_lock_irqsave(&zone->uz_lock, irq);
	in_use = read_counts_once(zone, uth, ups, true);
	raw_spin_unlock_irqrestore(&zone->uz_lock, irq);
	return in_use;
}

/**
 * uma_zone_in_use() - allocations less frees
 * @zone: the zone
 *
 * Context: any but NMI. Exact at rest.
 * Return: items in use; below 0 where something was freed twice.
 */
s64 uma_zone_in_use(uma_zone_t zone)
{
	return zone_read_counts(zone, NULL, NULL);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_zone_in_use);

/**
 * uma_zone_stats() - one zone's record of the stream
 * @zone: the zone
 * @uth: where to put its header
 * @ups: where to put nr_cpu_ids per-CPU records
 *
 * Context: any but NMI.
 */
void uma_zone_stats(uma_zone_t zone, struct uma_type_header *uth,
		    struct uma_percpu_stat *ups)
{
	struct uma_keg *keg = zone->uz_keg;
	int cpu;

	memset(uth, 0, sizeof(*uth));
	memset(ups, 0, sizeof(*ups) * nr_cpu_ids);
	strscpy(uth->uth_name, zone->uz_name, sizeof(uth->uth_name));
	uth->uth_align = keg->uk_align;
	uth->uth_size = keg->uk_size;
	uth->uth_rsize = READ_ONCE(keg->uk_layout.rsize);
	uth->uth_maxpages = keg->uk_import ? 0 : READ_ONCE(keg->uk_maxpages);
	uth->uth_limit = uma_zone_get_max(zone);
	uth->uth_pages = uma_keg_pages(zone->uz_keg);
	uth->uth_keg_free = READ_ONCE(keg->uk_free);
	uth->uth_zone_free = READ_ONCE(zone->uz_items);
	uth->uth_bucketsize = READ_ONCE(zone->uz_bucket_size);
	if (zone->uz_flags & UMA_ZONE_SECONDARY)
		uth->uth_zone_flags |= UTH_ZONE_SECONDARY;
	zone_read_counts(zone, uth, ups);
	uth->uth_fails = READ_ONCE(zone->uz_fails);
	uth->uth_sleeps = READ_ONCE(zone->uz_sleeps);
	uth->uth_xdomain = READ_ONCE(zone->uz_xdomain);
	for_each_possible_cpu(cpu) {
		struct uma_cache *c = per_cpu_ptr(zone->uz_cpu, cpu);

		ups[cpu].ups_cache_free = READ_ONCE(c->uc_cnt) +
					  READ_ONCE(c->uc_spare_cnt);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_zone_stats);

/* A snapshot of the stream, made when the file is opened. */
struct snapshot {
	size_t size;
	u8 data[];
};

static int zone_stats_open(struct inode *inode, struct file *file)
{
	const size_t record = sizeof(struct uma_type_header) +
			      nr_cpu_ids * sizeof(struct uma_percpu_stat);
	/* Room for zones that come meanwhile; those beyond it are left out. */
	unsigned int room = uma_zone_list_count() + 16;
	struct uma_stream_header *ush;
	struct snapshot *s;
	uma_zone_t zone;
	u8 *p;

	/* Each record is zeroed where it is made; the rest is never shown. */
	s = kvmalloc(struct_size(s, data, size_add(sizeof(*ush),
						   size_mul(room, record))),
		     GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	ush = (void *)s->data;
	memset(ush, 0, sizeof(*ush));
	ush->ush_version = UMA_STREAM_VERSION;
	ush->ush_maxcpus = nr_cpu_ids;
	p = s->data + sizeof(*ush);
	uma_for_each_zone(zone) {
		if (ush->ush_count == room) {
			uma_zone_put(zone);
			break;
		}
		uma_zone_stats(zone, (void *)p,
			       (void *)(p + sizeof(struct uma_type_header)));
		p += record;
		ush->ush_count++;
	}
	s->size = p - s->data;
	file->private_data = s;
	return 0;
}

static ssize_t snapshot_read(struct file *file, char __user *buf, size_t len,
			     loff_t *pos)
{
	struct snapshot *s = file->private_data;

	return simple_read_from_buffer(buf, len, pos, s->data, s->size);
}

static int snapshot_release(struct inode *inode, struct file *file)
{
	kvfree(file->private_data);
	return 0;
}

static const struct file_operations zone_stats_fops = {
	.owner = THIS_MODULE,
	.open = zone_stats_open,
	.read = snapshot_read,
	.llseek = default_llseek,
	.release = snapshot_release,
};

static int malloc_stats_open(struct inode *inode, struct file *file)
{
	const size_t record = sizeof(struct malloc_type_header) +
			      nr_cpu_ids * sizeof(struct malloc_type_stats);
	struct malloc_type_stream_header *mtsh;
	struct malloc_type *type = NULL;
	struct malloc_type_header *mth;
	unsigned int room;
	struct snapshot *s;
	u8 *p;

	/* Room for types that come meanwhile, as for zones. */
	room = uma_malloc_types_begin() + 16;
	s = kvzalloc(struct_size(s, data, size_add(sizeof(*mtsh),
						   size_mul(room, record))),
		     GFP_KERNEL);
	if (!s) {
		uma_malloc_types_end();
		return -ENOMEM;
	}
	mtsh = (void *)s->data;
	mtsh->mtsh_version = MALLOC_TYPE_STREAM_VERSION;
	mtsh->mtsh_maxcpus = nr_cpu_ids;
	p = s->data + sizeof(*mtsh);
	while (mtsh->mtsh_count < room && (type = uma_malloc_types_next(type))) {
		mth = (void *)p;
		strscpy(mth->mth_name, type->ks_shortdesc ?: "",
			sizeof(mth->mth_name));
		uma_malloc_type_stats(type, (void *)(p + sizeof(*mth)));
		p += record;
		mtsh->mtsh_count++;
	}
	uma_malloc_types_end();
	s->size = p - s->data;
	file->private_data = s;
	return 0;
}

static const struct file_operations malloc_stats_fops = {
	.owner = THIS_MODULE,
	.open = malloc_stats_open,
	.read = snapshot_read,
	.llseek = default_llseek,
	.release = snapshot_release,
};

/* As vmstat -m has it: a line a type. */
static int malloc_types_show(struct seq_file *m, void *v)
{
	struct malloc_type_stats *mts, sum;
	struct malloc_type *type = NULL;
	unsigned int bit;
	const char *sep;
	u64 size;
	int cpu;

	mts = kcalloc(nr_cpu_ids, sizeof(*mts), GFP_KERNEL);
	if (!mts)
		return -ENOMEM;
	seq_printf(m, "%20s %10s %9s  %12s %8s  %s\n", "Type", "InUse",
		   "MemUse", "Requests", "Fail", "Size(s)");
	uma_malloc_types_begin();
	while ((type = uma_malloc_types_next(type))) {
		uma_malloc_type_stats(type, mts);
		memset(&sum, 0, sizeof(sum));
		for_each_possible_cpu(cpu) {
			sum.mts_memalloced += mts[cpu].mts_memalloced;
			sum.mts_memfreed += mts[cpu].mts_memfreed;
			sum.mts_numallocs += mts[cpu].mts_numallocs;
			sum.mts_numfrees += mts[cpu].mts_numfrees;
			sum.mts_size |= mts[cpu].mts_size;
			sum.mts_fails += mts[cpu].mts_fails;
		}
		seq_printf(m, "%20s %10lld %8lldK  %12llu %8llu",
			   type->ks_shortdesc ?: "",
			   (s64)(sum.mts_numallocs - sum.mts_numfrees),
			   (s64)(sum.mts_memalloced - sum.mts_memfreed + 1023) /
				   1024,
			   sum.mts_numallocs, sum.mts_fails);
		size = sum.mts_size;
		for (sep = "  ", bit = 0; bit < 60; bit++) {
			if (!(size >> bit & 1))
				continue;
			seq_printf(m, "%s%llu", sep, 16ULL << bit);
			sep = ",";
		}
		seq_putc(m, '\n');
	}
	uma_malloc_types_end();
	kfree(mts);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(malloc_types);

static int zone_count_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", uma_zone_list_count());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(zone_count);

/* As vmstat -z has it: a line a zone. */
static int zones_show(struct seq_file *m, void *v)
{
	struct uma_percpu_stat *ups;
	struct uma_type_header uth;
	uma_zone_t zone;
	int cpu;

	ups = kcalloc(nr_cpu_ids, sizeof(*ups), GFP_KERNEL);
	if (!ups)
		return -ENOMEM;
	seq_printf(m, "%-24s %6s %8s %10s %8s %14s %8s %8s\n", "ITEM", "SIZE",
		   "LIMIT", "USED", "FREE", "REQ", "FAIL", "SLEEP");
	uma_for_each_zone(zone) {
		u64 allocs, frees, cached;

		uma_zone_stats(zone, &uth, ups);
		allocs = uth.uth_allocs;
		frees = uth.uth_frees;
		cached = uth.uth_zone_free;
		if (!(uth.uth_zone_flags & UTH_ZONE_SECONDARY))
			cached += uth.uth_keg_free;
		for_each_possible_cpu(cpu) {
			allocs += ups[cpu].ups_allocs;
			frees += ups[cpu].ups_frees;
			cached += ups[cpu].ups_cache_free;
		}
		seq_printf(m, "%-24s %6u %8u %10lld %8llu %14llu %8llu %8llu\n",
			   zone->uz_name, uth.uth_size, uth.uth_limit,
			   (s64)(allocs - frees), cached, allocs, uth.uth_fails,
			   uth.uth_sleeps);
	}
	kfree(ups);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(zones);

static int pool_show(struct seq_file *m, void *v)
{
	uma_pool_show(uma_pool, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pool);

/**
 * uma_stats_startup() - make the files in debugfs
 *
 * Without debugfs there are none, and all else works.
 *
 * Context: process context, at load.
 * Return: the folder that they are in.
 */
struct dentry *uma_stats_startup(void)
{
	uma_dir = debugfs_create_dir("uma", NULL);
	debugfs_create_file("zone_stats", 0400, uma_dir, NULL, &zone_stats_fops);
	debugfs_create_file("zone_count", 0444, uma_dir, NULL,
			    &zone_count_fops);
	debugfs_create_file("zones", 0444, uma_dir, NULL, &zones_fops);
	debugfs_create_file("malloc_stats", 0400, uma_dir, NULL,
			    &malloc_stats_fops);
	debugfs_create_file("malloc_types", 0444, uma_dir, NULL,
			    &malloc_types_fops);
	debugfs_create_file("pool", 0444, uma_dir, NULL, &pool_fops);
	uma_fail_debugfs(uma_dir);
	return uma_dir;
}

/**
 * uma_stats_shutdown() - remove them
 *
 * Context: process context, at unload.
 */
void uma_stats_shutdown(void)
{
	debugfs_remove(uma_dir);
}
