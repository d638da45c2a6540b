// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contiguous allocator for people: vmsim/contig in debugfs, a column for each of the
 * two algorithms.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "vmsim/contig_int.h"

static u64 counter(enum contig_algorithm how, size_t offset)
{
	return atomic64_read((void *)&contig_cnt[how] + offset);
}

static void show(struct seq_file *m, const char *name, size_t offset)
{
	seq_printf(m, "%-18s %14llu %14llu\n", name,
		   counter(CONTIG_NEW, offset), counter(CONTIG_OLD, offset));
}

static void show_us(struct seq_file *m, const char *name, size_t offset)
{
	seq_printf(m, "%-18s %14llu %14llu\n", name,
		   div_u64(counter(CONTIG_NEW, offset), NSEC_PER_USEC),
		   div_u64(counter(CONTIG_OLD, offset), NSEC_PER_USEC));
}

/* A counter that both have. */
#define BOTH(field)	offsetof(struct contig_counters, field)

static int contig_show(struct seq_file *m, void *unused)
{
	static const char * const reasons[CONTIG_SKIPS] = {
		[CONTIG_SKIP_BUSY] = "skipped busy",
		[CONTIG_SKIP_HELD] = "skipped held",
		[CONTIG_SKIP_WIRED] = "skipped wired",
		[CONTIG_SKIP_LOCKED] = "skipped locked",
		[CONTIG_SKIP_FOREIGN] = "skipped foreign",
		[CONTIG_SKIP_DIRTY] = "skipped dirty",
		[CONTIG_SKIP_SHORT] = "skipped short",
		[CONTIG_SKIP_GONE] = "skipped gone",
	};
	char name[24];
	unsigned int i;

	seq_printf(m, "contigmalloc uses  %14s\n\n",
		   READ_ONCE(vm_old_contigmalloc) ? "the old one" : "the new one");
	seq_printf(m, "%-18s %14s %14s\n", "", "NEW", "OLD");
	show(m, "requests", BOTH(requests));
	show(m, "successes", BOTH(successes));
	show(m, "no memory", BOTH(nomem));
	show(m, "no such pages", BOTH(nxio));
	for (i = 0; i < CONTIG_PASSES; i++) {
		snprintf(name, sizeof(name), "pass %u", i + 1);
		show(m, name, BOTH(passes[i]));
		snprintf(name, sizeof(name), "pass %u won", i + 1);
		show(m, name, BOTH(won[i]));
		snprintf(name, sizeof(name), "pass %u us", i + 1);
		show_us(m, name, BOTH(time[i]));
		snprintf(name, sizeof(name), "pass %u longest us", i + 1);
		show_us(m, name, BOTH(longest[i]));
	}
	show(m, "ranges tried", BOTH(tried));
	show(m, "pages looked at", BOTH(looked));
	show(m, "steps", BOTH(steps));
	show(m, "laundered", BOTH(laundered));
	show(m, "evicted", BOTH(evicted));
	show(m, "taken from cache", BOTH(cached));
	show(m, "taken free", BOTH(isolated));
	show(m, "given back", BOTH(undone));
	for (i = 0; i < CONTIG_SKIPS; i++)
		show(m, reasons[i], BOTH(skipped[i]));
	show(m, "pool grown", BOTH(grown));

	seq_printf(m, "\nmapped             %14llu\n",
		   (u64)atomic64_read(&contig_map_cnt.mapped));
	seq_printf(m, "unmapped           %14llu\n",
		   (u64)atomic64_read(&contig_map_cnt.unmapped));
	seq_printf(m, "no address range   %14llu\n",
		   (u64)atomic64_read(&contig_map_cnt.no_kva));
	seq_printf(m, "refused            %14llu\n",
		   (u64)atomic64_read(&contig_map_cnt.refused));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(contig);

/**
 * contig_debugfs() - make the file
 * @dir: the folder
 *
 * Context: process context, at load.
 */
void contig_debugfs(struct dentry *dir)
{
	debugfs_create_file("contig", 0400, dir, NULL, &contig_fops);
}
