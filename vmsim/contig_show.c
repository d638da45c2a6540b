// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contiguous allocator for people: vmsim/contig in debugfs, a column for each of the
 * two algorithms.
 */
#include <linux/debugfs.h>
#include <linux/math64.h>
#include <linux/seq_file.h>

#include "vmsim/contig_int.h"

static void show(struct seq_file *m, const char *name, const atomic64_t *n,
		 const atomic64_t *o)
{
	seq_printf(m, "%-18s %14llu %14llu\n", name, (u64)atomic64_read(n),
		   (u64)atomic64_read(o));
}

static void show_us(struct seq_file *m, const char *name, const atomic64_t *n,
		    const atomic64_t *o)
{
	seq_printf(m, "%-18s %14llu %14llu\n", name,
		   div_u64(atomic64_read(n), NSEC_PER_USEC),
		   div_u64(atomic64_read(o), NSEC_PER_USEC));
}

#define both(field)	&contig_cnt[CONTIG_NEW].field, &contig_cnt[CONTIG_OLD].field

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
	show(m, "requests", both(requests));
	show(m, "successes", both(successes));
	show(m, "no memory", both(nomem));
	show(m, "no such pages", both(nxio));
	for (i = 0; i < CONTIG_PASSES; i++) {
		snprintf(name, sizeof(name), "pass %u", i + 1);
		show(m, name, both(passes[i]));
		snprintf(name, sizeof(name), "pass %u won", i + 1);
		show(m, name, both(won[i]));
		snprintf(name, sizeof(name), "pass %u us", i + 1);
		show_us(m, name, both(time[i]));
		snprintf(name, sizeof(name), "pass %u longest us", i + 1);
		show_us(m, name, both(longest[i]));
	}
	show(m, "ranges tried", both(tried));
	show(m, "pages looked at", both(looked));
	show(m, "steps", both(steps));
	show(m, "laundered", both(laundered));
	show(m, "evicted", both(evicted));
	show(m, "taken from cache", both(cached));
	show(m, "taken free", both(isolated));
	show(m, "given back", both(undone));
	for (i = 0; i < CONTIG_SKIPS; i++)
		show(m, reasons[i], both(skipped[i]));
	show(m, "pool grown", both(grown));

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
