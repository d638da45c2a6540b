// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reading all statistics costs, and whom.
 *
 * The reader: the stream of many zones, from open to its last byte in a user's
 * memory, as umastat takes it. The row is named after the zones and the CPUs
 * that are possible here, since a slot is read for each of those, there or not;
 * its peer is the budget, a millisecond: of time, or of instructions at one a
 * nanosecond where the time-stamp counter counts those.
 *
 * The others: a thread that allocates and frees on a CPU of its own, once while
 * nobody reads and once while another CPU does nothing else. Under QEMU's
 * -icount the CPUs take turns on one clock, so a stretch of the loop that was not
 * interrupted shows what the thread itself executed, to the digit. If a reader
 * took a lock, sent an interrupt or stopped anybody, the medians would differ.
 */

#define pr_fmt(fmt) "uma_bench: " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "uma/compat.h"
#include "uma/uma.h"

static unsigned int zones = 200;
module_param(zones, uint, 0444);
MODULE_PARM_DESC(zones, "zones beside the allocator's own (default 200)");

static char *unit = "us";
module_param(unit, charp, 0444);
MODULE_PARM_DESC(unit, "us, or insn where the time-stamp counter counts instructions (default us)");

static char *what = "read,others";
module_param(what, charp, 0444);
MODULE_PARM_DESC(what, "rows, of read,others (default both)");

#define ZONE_STATS	"/sys/kernel/debug/uma/zone_stats"
#define USER_BYTES	(4UL << 20)
#define READS		21
#define WARM_UP		3
#define BUDGET_US	1000
#define ITEMS		8	/* that each CPU takes and gives back */
#define STRETCH		64	/* pairs between two looks at the clock */
#define STRETCHES	512
#define ROUNDS		4	/* with readers, and as many without */

static uma_zone_t *made;
static bool insn;

/* In instructions or in nanoseconds. */
static u64 now(void)
{
	rmb(); /* what comes before in the program is over */
	return insn ? uma_cycles() : ktime_get_ns();
}

static int by_value(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 median(u64 *took, unsigned int n)
{
	sort(took, n, sizeof(*took), by_value, NULL);
	return took[n / 2];
}

/* Read the whole stream. Returns its bytes, or an errno. */
static ssize_t read_stream(char __user *buf, u64 *took)
{
	u64 begin = now();
	struct file *file = filp_open(ZONE_STATS, O_RDONLY, 0);
	ssize_t n, done = 0;
	loff_t pos = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	do {
		n = file->f_op->read(file, buf + done, USER_BYTES - done, &pos);
		if (n > 0)
			done += n;
	} while (n > 0);
	*took = now() - begin;
	filp_close(file, NULL);
	return n < 0 ? n : done;
}

static int use_zones(void *unused)
{
	void *items[ITEMS];
	unsigned int i, k;

	for (i = 0; i < zones; i++) {
		for (k = 0; k < ITEMS; k++) {
			items[k] = uma_zalloc(made[i], M_WAITOK);
			if (!items[k])
				return -ENOMEM;
		}
		while (k--)
			uma_zfree(made[i], items[k]);
	}
	return 0;
}

static int make_zones(void)
{
	unsigned int i, cpu;
	char name[16];
	int error;

	made = kcalloc(zones, sizeof(*made), GFP_KERNEL);
	if (!made)
		return -ENOMEM;
	for (i = 0; i < zones; i++) {
		scnprintf(name, sizeof(name), "stat-%u", i);
		made[i] = uma_zcreate(name, 16 + 40 * (i % 50), NULL, NULL,
				      NULL, NULL, UMA_ALIGN_PTR, 0);
		if (!made[i])
			return -ENOMEM;
	}
	for_each_online_cpu(cpu) {
		error = smp_call_on_cpu(cpu, use_zones, NULL, false);
		if (error)
			return error;
	}
	return 0;
}

static void destroy_zones(void)
{
	unsigned int i;

	for (i = 0; made && i < zones; i++)
		uma_zdestroy(made[i]);
	kfree(made);
}

static int bench_read(char __user *buf)
{
	u64 took[READS], mid, scale = insn ? 1 : 1000;
	ssize_t bytes = 0;
	unsigned int i;

	for (i = 0; i < WARM_UP + READS; i++) {
		bytes = read_stream(buf, &took[i < WARM_UP ? 0 : i - WARM_UP]);
		if (bytes < 0)
			return bytes;
	}
	mid = median(took, READS);
	pr_info("row name=stats-%ux%u unit=%s ours=%llu.%02llu peer=%u empty=0.00 ours_least=%llu bytes=%zd online=%u\n",
		zones, nr_cpu_ids, unit, div64_u64(mid, scale),
		div64_u64(mid * 100, scale) % 100,
		insn ? BUDGET_US * 1000 : BUDGET_US, div64_u64(took[0], scale),
		bytes, num_online_cpus());
	return 0;
}

/**
 * struct loop - a thread that allocates and frees
 * @zone: where
 * @go: how many rounds it may have begun
 * @rounds: how many it has finished
 * @took: what each stretch of the round took
 */
static struct loop {
	uma_zone_t zone;
	unsigned int go;
	unsigned int rounds;
	u64 took[STRETCHES];
} loop;

static int loop_thread(void *unused)
{
	unsigned int i, k;
	void *item;
	u64 begin;

	while (!kthread_should_stop()) {
		/* pairs with run_round() */
		if (smp_load_acquire(&loop.go) == loop.rounds) {
			usleep_range(50, 100);
			continue;
		}
		for (i = 0; i < STRETCHES; i++) {
			begin = now();
			for (k = 0; k < STRETCH; k++) {
				item = uma_zalloc(loop.zone, M_NOWAIT);
				if (likely(item))
					uma_zfree(loop.zone, item);
			}
			loop.took[i] = now() - begin;
			cond_resched();
		}
		/* pairs with run_round(): what it took is there to see */
		smp_store_release(&loop.rounds, loop.rounds + 1);
	}
	return 0;
}

/* One round of the loop; returns how often the stream was read meanwhile. */
static int run_round(char __user *buf, bool reading)
{
	unsigned int goal = loop.rounds + 1;
	ssize_t bytes;
	int reads = 0;
	u64 unused;

	/* pairs with loop_thread() */
	smp_store_release(&loop.go, goal);
	for (;;) {
		/* pairs with loop_thread() */
		if (smp_load_acquire(&loop.rounds) == goal)
			break;
		if (!reading) {
			usleep_range(200, 400);
			continue;
		}
		bytes = read_stream(buf, &unused);
		if (bytes < 0)
			return bytes;
		reads++;
		cond_resched();
	}
	return reads;
}

static u64 hundredths(u64 stretch)
{
	return div_u64(100 * stretch, STRETCH);
}

static int bench_others(char __user *buf)
{
	unsigned int i, here = raw_smp_processor_id();
	unsigned int there = cpumask_any_but(cpu_online_mask, here);
	u64 took[2][ROUNDS], mid[2];
	struct task_struct *task;
	int n = 0, reads = 0;

	if (there >= nr_cpu_ids) {
		pr_info("skip name=pair-read reason=one-CPU\n");
		return 0;
	}
	loop.zone = made[0];
	task = kthread_create(loop_thread, NULL, "uma_statbench");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, there);
	wake_up_process(task);
	for (i = 0; n >= 0 && i < 2 * ROUNDS; i++) {
		n = run_round(buf, i & 1);
		took[i & 1][i / 2] = median(loop.took, STRETCHES);
		reads += n;
	}
	kthread_stop(task);
	if (n < 0)
		return n;
	for (i = 0; i < 2; i++)
		mid[i] = hundredths(median(took[i], ROUNDS));
	pr_info("row name=pair-read unit=%s ours=%llu.%02llu peer=%llu.%02llu empty=0.00 reads=%d\n",
		insn ? unit : "ns", div_u64(mid[1], 100), mid[1] % 100,
		div_u64(mid[0], 100), mid[0] % 100, reads);
	return reads ? 0 : -EAGAIN;
}

static int __init uma_statbench_init(void)
{
	unsigned long addr;
	int error;

	insn = !strcmp(unit, "insn");
	/* in the address space of the program that loads us */
	addr = vm_mmap(NULL, 0, USER_BYTES, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | MAP_PRIVATE, 0);
	if (IS_ERR_VALUE(addr))
		return (long)addr;
	error = make_zones();
	if (!error && strstr(what, "read"))
		error = bench_read((char __user *)addr);
	if (!error && strstr(what, "others"))
		error = bench_others((char __user *)addr);
	if (error)
		pr_err("statistics: error %d\n", error);
	destroy_zones();
	vm_munmap(addr, USER_BYTES);
	return error;
}

static void __exit uma_statbench_exit(void)
{
}

module_init(uma_statbench_init);
module_exit(uma_statbench_exit);
MODULE_DESCRIPTION("Benchmark of reading the statistics of UMA zones");
MODULE_LICENSE("GPL");
