// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a fault costs: it should not depend on how many there are.
 *
 *   fault-zero-N	N pages are touched for the first time, and zeroed there and then
 *   fault-ahead-N	the same, of pages that were zeroed ahead of need
 *   fault-cow-N	after a fork N pages are written to, and copied
 *   fault-pagein-N	N pages that were paged out to a file in memory are read again,
 *			one operation each, with the workers' part
 *
 * The thread that zeroes pages is to be off (vm_pagezero=0): on one CPU it would run in
 * the middle of a round, and be counted.
 *
 * Everything is done as a client does it, through an address space, so what the
 * first fault in it makes (an object, three pages of tables) is part of the first
 * page's cost. Each row is a mean of rounds after the first, which warms up. There is
 * no peer.
 */

#define pr_fmt(fmt) "uma_bench: " fmt

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "vmsim/fault.h"
#include "vmsim/map.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/swap.h"
#include "vmsim/vmspace.h"

static char *unit = "cycles";
module_param(unit, charp, 0444);
MODULE_PARM_DESC(unit, "what the time-stamp counter counts: cycles or insn (default cycles)");

#define BASE		BIT(30)
#define ROUNDS		4
#define SWAP_PATH	"/uma-faultbench.swap"
#define SWAP_PAGES	4096UL

static u64 now(void)
{
	rmb(); /* what comes before in the program is over */
	return uma_cycles();
}

static struct vmspace *map_pages(u32 n)
{
	struct vmspace *vm = vmspace_alloc(PAGE_SIZE, BIT(40));
	unsigned long addr = BASE;

	if (!vm)
		return NULL;
	if (vm_map_find(vm->vm_map, NULL, 0, &addr, n * PAGE_SIZE, false,
			VM_PROT_RW, VM_PROT_RW, 0) ||
	    vm_map_madvise(vm->vm_map, BASE, BASE + n * PAGE_SIZE,
			   VM_ADV_RANDOM)) {
		vmspace_free(vm);
		return NULL;
	}
	return vm;
}

/* One byte of each page. */
static int touch(struct vmspace *vm, u32 n, u8 access)
{
	u8 byte = 1;
	int error = 0;
	u32 i;

	for (i = 0; i < n && !error; i++)
		error = vm_access(vm->vm_map, BASE + i * PAGE_SIZE, &byte, 1,
				  access, NULL);
	return error;
}

/* Each returns what one round took, or an errno. */

static s64 round_zero(u32 n)
{
	struct vmspace *vm = map_pages(n);
	u64 took;
	int error;

	if (!vm)
		return -ENOMEM;
	took = now();
	error = touch(vm, n, VM_PROT_WRITE);
	took = now() - took;
	vmspace_free(vm);
	return error ?: (s64)took;
}

static s64 round_ahead(u32 n)
{
	while (uma_pool_zero_ahead(uma_pool, 90))
		cond_resched();
	return round_zero(n);
}

static s64 round_cow(u32 n)
{
	struct vmspace *vm = map_pages(n), *child;
	u64 took = 0;
	int error;

	if (!vm)
		return -ENOMEM;
	error = touch(vm, n, VM_PROT_WRITE);
	child = vmspace_fork(vm);
	if (!error && !IS_ERR(child)) {
		took = now();
		error = touch(child, n, VM_PROT_WRITE);
		took = now() - took;
	}
	if (IS_ERR(child))
		error = PTR_ERR(child);
	else
		vmspace_free(child);
	vmspace_free(vm);
	return error ?: (s64)took;
}

/* Page everything out, and give the pages away. */
static int page_out(struct vmspace *vm, u32 n)
{
	struct vm_map_entry *entry;
	struct vm_object *object;
	int error = -EFAULT;

	vm_map_lock(vm->vm_map);
	if (vm_map_lookup_entry(vm->vm_map, BASE, &entry) && entry->object) {
		object = entry->object;
		vm_object_lock(object);
		error = vm_object_page_clean(object, 0, n,
					     OBJPC_SYNC | OBJPC_INVAL);
		if (!error && object->resident)
			error = -EBUSY;
		vm_object_unlock(object);
	}
	vm_map_unlock(vm->vm_map);
	return error;
}

static s64 round_pagein(u32 n)
{
	struct vmspace *vm = map_pages(n);
	u64 took = 0;
	int error;

	if (!vm)
		return -ENOMEM;
	error = touch(vm, n, VM_PROT_WRITE);
	if (!error)
		error = page_out(vm, n);
	if (!error) {
		took = now();
		error = touch(vm, n, VM_PROT_READ);
		took = now() - took;
	}
	vmspace_free(vm);
	return error ?: (s64)took;
}

/*
 * @before: a hundred times what a page of fewer took, 0 if there is none; replaced by what
 * one of these took.
 */
static int bench(const char *name, u32 n, s64 (*round)(u32 n), u64 *before)
{
	u32 rounds = n == 1 ? 64 * ROUNDS : ROUNDS, i;
	u64 sum = 0, each;
	s64 took, above = 0;

	for (i = 0; i <= rounds; i++) {
		took = round(n);
		if (took < 0) {
			pr_err("%s-%u: error %lld\n", name, n, took);
			return took;
		}
		if (i)
			sum += took;
		cond_resched();
	}
	each = div64_u64(100 * sum, (u64)rounds * n);
	if (*before)
		above = div64_s64(100 * ((s64)each - (s64)*before), *before);
	pr_info("row name=%s-%u unit=%s/page ours=%llu.%02llu peer=0 empty=0 above=%lld\n",
		name, n, unit, each / 100, each % 100, above);
	*before = each;
	return 0;
}

/* A file in memory to page out to. */
static int make_swap(void)
{
	struct file *file = filp_open(SWAP_PATH, O_RDWR | O_CREAT, 0600);
	loff_t pos = 0;
	void *page;
	int error = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	page = (void *)get_zeroed_page(GFP_KERNEL);
	while (page && !error && pos < SWAP_PAGES * PAGE_SIZE)
		error = kernel_write(file, page, PAGE_SIZE, &pos) == PAGE_SIZE ?
			0 : -ENOSPC;
	if (!page)
		error = -ENOMEM;
	free_page((unsigned long)page);
	filp_close(file, NULL);
	return error ?: vm_swapon(SWAP_PATH);
}

static int __init uma_faultbench_init(void)
{
	static const struct {
		const char *name;
		s64 (*round)(u32 n);
	} kinds[] = {
		{ "fault-zero", round_zero },
		{ "fault-cow", round_cow },
		{ "fault-pagein", round_pagein },
		/* From here on there are zeroed pages for all. */
		{ "fault-ahead", round_ahead },
	};
	static const u32 sizes[] = { 1, 64, 1024 };
	unsigned int i, k;
	u64 before;
	int error;

	error = make_swap();
	if (error) {
		pr_err("no swap: error %d\n", error);
		return error;
	}
	for (k = 0; !error && k < ARRAY_SIZE(kinds); k++) {
		before = 0;
		for (i = 0; !error && i < ARRAY_SIZE(sizes); i++)
			error = bench(kinds[k].name, sizes[i], kinds[k].round,
				      &before);
	}
	vm_swapoff(SWAP_PATH);
	if (!error)
		pr_info("done\n");
	return error;
}

static void __exit uma_faultbench_exit(void)
{
}

module_init(uma_faultbench_init);
module_exit(uma_faultbench_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Benchmark of faults");
MODULE_LICENSE("GPL");
