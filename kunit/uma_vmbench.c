// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to make a chain of objects shorter (OB-03).
 *
 *   collapse-N	the last user of an object with N pages goes, but for its shadow: the
 *		pages move up. For a page; beside it, what copying its bytes costs
 *   hidden-N	the same with N pages that the shadow hides: they go
 *   round-N	a fork, a write to one page of 16 by either side, and an exit: rounds N/2
 *		to N of one family. Beside it, the first ten
 *
 * Without maps, faults and translations: what objects and pages take. All are medians:
 * now and then another thread runs in between, for a whole tick.
 */

#define pr_fmt(fmt) "uma_bench: " fmt

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sort.h>

#include "uma/compat.h"
#include "vmsim/collapse.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/vm.h"

static char *unit = "cycles";
module_param(unit, charp, 0444);
MODULE_PARM_DESC(unit, "what the time-stamp counter counts: cycles or insn (default cycles)");

#define REPEATS		9
#define ROUNDS		1000
#define FAMILY_PAGES	16
#define FIRST		10

static u64 took[ROUNDS];

static u64 now(void)
{
	rmb(); /* what comes before in the program is over */
	return uma_cycles();
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 median(u64 *values, unsigned int n)
{
	sort(values, n, sizeof(*values), compare, NULL);
	return values[n / 2];
}

/* A page of its own for an object, as a write gives it one. */
static int fill(struct vm_object *object, u64 pindex)
{
	struct vm_page *m;

	vm_object_lock(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY |
			 VM_ALLOC_RETRY);
	if (m) {
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_dirty(m);
		vm_page_lock_queues();
		vm_page_activate(m);
		vm_page_unlock_queues();
	}
	vm_object_unlock(object);
	return m ? 0 : -ENOMEM;
}

static int fill_all(struct vm_object *object)
{
	u64 pindex;
	int error = 0;

	for (pindex = 0; !error && pindex < object->size; pindex++) {
		error = fill(object, pindex);
		cond_resched();
	}
	return error;
}

/* One merge of @n pages, and what it takes. */
static int merge(unsigned int n, bool hidden, u64 *cost)
{
	struct vm_object *bottom = vm_object_allocate(OBJT_DEFAULT, n);
	struct vm_object *top = bottom;
	u64 offset = 0, begin;
	int error;

	if (!bottom)
		return -ENOMEM;
	error = fill_all(bottom);
	vm_object_reference(bottom);
	if (!error)
		error = vm_object_shadow(&top, &offset, vm_ptoa(n));
	if (!error && hidden)
		error = fill_all(top);
	begin = now();
	vm_object_deallocate(bottom);
	*cost = now() - begin;
	if (!error && (top->backing_object || top->resident != n)) {
		pr_err("%u pages were not merged\n", n);
		error = -EINVAL;
	}
	vm_object_deallocate(top);
	return error;
}

/* The bytes of a page, once. A hundred times what that took. */
static int copy_cost(u64 *cost)
{
	struct vm_page *src = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ);
	struct vm_page *dst = vm_page_alloc(NULL, 0, VM_ALLOC_NOOBJ);
	u64 begin;
	unsigned int i;

	if (src && dst) {
		begin = now();
		for (i = 0; i < 64; i++)
			copy_page(vm_page_kva(dst), vm_page_kva(src));
		*cost = div_u64(100 * (now() - begin), 64);
	}
	if (src)
		vm_page_free(src);
	if (dst)
		vm_page_free(dst);
	return src && dst ? 0 : -ENOMEM;
}

/* All in hundredths; @above in percent. */
static void print_row(const char *what, unsigned int n, const char *per, u64 ours,
		      u64 peer, s64 above)
{
	pr_info("row name=%s-%u unit=%s/%s ours=%llu.%02llu peer=%llu.%02llu above=%lld\n",
		what, n, unit, per, ours / 100, ours % 100, peer / 100,
		peer % 100, above);
}

static s64 percent_above(u64 a, u64 b)
{
	return b ? div64_s64(100 * ((s64)a - (s64)b), b) : 0;
}

static int bench_merge(bool hidden)
{
	static const unsigned int sizes[] = { 1, 64, 1024 };
	u64 copy, page, before = 0;
	unsigned int i, k;
	int error;

	error = copy_cost(&copy);
	for (i = 0; !error && i < ARRAY_SIZE(sizes); i++) {
		for (k = 0; !error && k < REPEATS; k++)
			error = merge(sizes[i], hidden, &took[k]);
		page = div_u64(100 * median(took, REPEATS), sizes[i]);
		if (!error)
			print_row(hidden ? "hidden" : "collapse", sizes[i],
				  "page", page, copy, percent_above(page, before));
		before = page;
	}
	return error;
}

/* A write of who shares @object with others, or not. */
static int write(struct vm_object **object, u64 pindex)
{
	u64 offset = 0;
	int error;

	error = vm_object_shadow(object, &offset, vm_ptoa(FAMILY_PAGES));
	return error ?: fill(*object, pindex);
}

static int bench_rounds(void)
{
	struct vm_object *parent = vm_object_allocate(OBJT_DEFAULT, FAMILY_PAGES);
	struct vm_object *child;
	u64 first, later, begin;
	unsigned int i;
	int error;

	if (!parent)
		return -ENOMEM;
	error = fill_all(parent);
	for (i = 0; !error && i < ROUNDS; i++) {
		begin = now();
		vm_object_reference(parent);
		child = parent;
		error = write(&parent, i % FAMILY_PAGES) ?:
			write(&child, (i + 5) % FAMILY_PAGES);
		vm_object_deallocate(child);
		took[i] = now() - begin;
		cond_resched();
	}
	if (!error && vm_object_chain_length(parent) > 2) {
		pr_err("the chain has %u objects\n",
		       vm_object_chain_length(parent));
		error = -EINVAL;
	}
	vm_object_deallocate(parent);
	first = 100 * median(took, FIRST);
	later = 100 * median(took + ROUNDS / 2, ROUNDS / 2);
	if (!error)
		print_row("round", ROUNDS, "round", later, first,
			  percent_above(later, first));
	return error;
}

static int __init uma_vmbench_init(void)
{
	int error = bench_merge(false) ?: bench_merge(true) ?: bench_rounds();

	if (!error)
		pr_info("done\n");
	return error;
}

static void __exit uma_vmbench_exit(void)
{
}

module_init(uma_vmbench_init);
module_exit(uma_vmbench_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Benchmark of chains of objects");
MODULE_LICENSE("GPL");
