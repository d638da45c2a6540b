// SPDX-License-Identifier: GPL-2.0-only
/*
 * What finding space in a map costs: our tree beside the kernel's maple tree,
 * with the same mappings and the same questions (MP-01).
 *
 *   find-N	the lowest place above an address where so much is free, among N
 *		mappings: vm_map_tree_find_space() and mas_empty_area()
 *   turn-N	the same, then a mapping is put there and one taken away, as mmap
 *		and munmap would
 *
 * Mappings are of one page, made in random order, with a gap behind each: of one
 * page behind every other, of two behind every fourth and so on. Questions are for
 * 1 to 32 pages from anywhere. The answers of both sides are compared first. A
 * splay tree changes with each question, so what is shown is a mean: all questions
 * once, which no part of the tree is warmed up for. A search in the maple tree
 * always costs about the same. Neither side locks.
 */

#define pr_fmt(fmt) "uma_bench: " fmt

#include <linux/bitops.h>
#include <linux/maple_tree.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "uma/compat.h"
#include "vmsim/map_tree.h"

static char *unit = "cycles";
module_param(unit, charp, 0444);
MODULE_PARM_DESC(unit, "what the time-stamp counter counts: cycles or insn (default cycles)");

#define LARGEST		100000
#define QUESTIONS	8192

/**
 * struct question - where is so much free
 * @from: not below this
 * @length: bytes
 * @ours: our answer, the address or 0
 * @peer: the peer's
 * @victim: the mapping that goes in a turn
 */
struct question {
	unsigned long from;
	unsigned long length;
	unsigned long ours;
	unsigned long peer;
	u32 victim;
};

/**
 * struct bench - mappings, in both trees
 * @tree: ours
 * @maple: the peer's
 * @nodes: the mappings
 * @order: the order in which they are made
 * @questions: QUESTIONS of them
 * @n: mappings
 * @end: the end of the address space
 * @rnd: where chance comes from
 */
struct bench {
	struct vm_map_tree tree;
	struct maple_tree maple;
	struct vm_map_node *nodes;
	u32 *order;
	struct question *questions;
	u32 n;
	unsigned long end;
	struct rnd_state rnd;
};

static u64 now(void)
{
	rmb(); /* what comes before in the program is over */
	return uma_cycles();
}

static u32 below(struct bench *b, u32 n)
{
	return prandom_u32_state(&b->rnd) % n;
}

static int both_insert(struct bench *b, struct vm_map_node *node)
{
	return vm_map_tree_insert(&b->tree, node) ?:
	       mtree_insert_range(&b->maple, node->start, node->end - 1, node,
				  GFP_KERNEL);
}

static int fill(struct bench *b, u32 n)
{
	unsigned long at = PAGE_SIZE;
	u32 i, k;
	int error;

	b->n = n;
	prandom_seed_state(&b->rnd, n);
	for (i = 0; i < n; i++) {
		b->nodes[i].start = at;
		b->nodes[i].end = at + PAGE_SIZE;
		at = b->nodes[i].end + (PAGE_SIZE << min(__ffs(i + 1), 5UL));
		b->order[i] = i;
	}
	b->end = at;
	for (i = n; i-- > 1;) {
		k = below(b, i + 1);
		swap(b->order[i], b->order[k]);
	}
	vm_map_tree_init(&b->tree, PAGE_SIZE, b->end);
	mt_init_flags(&b->maple, MT_FLAGS_ALLOC_RANGE);
	for (i = 0; i < n; i++) {
		error = both_insert(b, &b->nodes[b->order[i]]);
		if (error)
			return error;
	}
	for (i = 0; i < QUESTIONS; i++)
		b->questions[i] = (struct question) {
			.from = b->nodes[below(b, n)].start,
			.length = PAGE_SIZE << below(b, 6),
			.victim = below(b, n),
		};
	return 0;
}

static noinline void ask_ours(struct bench *b, struct question *q)
{
	if (vm_map_tree_find_space(&b->tree, q->from, q->length, &q->ours))
		q->ours = 0;
}

static noinline void ask_peer(struct bench *b, struct question *q)
{
	MA_STATE(mas, &b->maple, 0, 0);

	rcu_read_lock();
	q->peer = mas_empty_area(&mas, q->from, b->end - 1, q->length) ?
		  0 : mas.index;
	rcu_read_unlock();
}

static noinline void ask_nobody(struct bench *b, struct question *q)
{
	barrier();
}

/* The victim moves to where space was found. */
static noinline void turn_ours(struct bench *b, struct question *q)
{
	struct vm_map_node *node = &b->nodes[q->victim];

	ask_ours(b, q);
	if (!q->ours)
		return;
	vm_map_tree_remove(&b->tree, node);
	node->start = q->ours;
	node->end = q->ours + PAGE_SIZE;
	vm_map_tree_insert(&b->tree, node);
}

static noinline void turn_peer(struct bench *b, struct question *q)
{
	struct vm_map_node *node = &b->nodes[q->victim];

	ask_peer(b, q);
	if (!q->peer)
		return;
	mtree_erase(&b->maple, node->start);
	node->start = q->peer;
	node->end = q->peer + PAGE_SIZE;
	mtree_insert_range(&b->maple, node->start, node->end - 1, node,
			   GFP_KERNEL);
}

/* All questions. Returns a hundred times what one took. */
static u64 all(struct bench *b, void (*ask)(struct bench *b, struct question *q))
{
	u64 sum = 0, begin;
	u32 i, k;

	for (i = 0; i < QUESTIONS; i += 64) {
		begin = now();
		for (k = i; k < i + 64; k++)
			ask(b, &b->questions[k]);
		sum += now() - begin;
		cond_resched();
	}
	return div_u64(100 * sum, QUESTIONS);
}

static void empty(struct bench *b)
{
	mtree_destroy(&b->maple);
}

static int compare(struct bench *b)
{
	u32 i;

	for (i = 0; i < QUESTIONS; i++)
		if (b->questions[i].ours != b->questions[i].peer) {
			pr_err("question %u: %lx and %lx\n", i,
			       b->questions[i].ours, b->questions[i].peer);
			return -EINVAL;
		}
	return 0;
}

static void print_row(struct bench *b, const char *what, u64 ours, u64 peer,
		      u64 none, u64 steps)
{
	pr_info("row name=%s-%u unit=%s ours=%llu.%02llu peer=%llu.%02llu empty=%llu.%02llu steps=%llu\n",
		what, b->n, unit, ours / 100, ours % 100, peer / 100,
		peer % 100, none / 100, none % 100, steps);
}

static int bench_find(struct bench *b, u32 n)
{
	u64 ours, peer, none, steps;
	int error;

	error = fill(b, n);
	if (!error) {
		none = all(b, ask_nobody);
		steps = b->tree.steps;
		ours = all(b, ask_ours);
		steps = b->tree.steps - steps;
		peer = all(b, ask_peer);
		error = compare(b);
	}
	if (!error)
		print_row(b, "find", ours, peer, none,
			  div_u64(steps, QUESTIONS));
	empty(b);
	return error;
}

static int bench_turn(struct bench *b, u32 n)
{
	u64 ours, peer, none, steps;
	int error;

	error = fill(b, n);
	if (error)
		goto out;
	none = all(b, ask_nobody);
	steps = b->tree.steps;
	ours = all(b, turn_ours);
	steps = b->tree.steps - steps;
	if (vm_map_tree_check(&b->tree)) {
		error = -EINVAL;
		goto out;
	}
	empty(b);
	/* The same questions: fill() starts from the same seed. */
	error = fill(b, n);
	if (error)
		goto out;
	peer = all(b, turn_peer);
	print_row(b, "turn", ours, peer, none, div_u64(steps, QUESTIONS));
out:
	empty(b);
	return error;
}

static int __init uma_mapbench_init(void)
{
	static const u32 sizes[] = { 10, 1000, LARGEST };
	struct bench *b;
	unsigned int i;
	int error = -ENOMEM;

	b = kvzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	b->nodes = kvcalloc(LARGEST, sizeof(*b->nodes), GFP_KERNEL);
	b->order = kvcalloc(LARGEST, sizeof(*b->order), GFP_KERNEL);
	b->questions = kvcalloc(QUESTIONS, sizeof(*b->questions), GFP_KERNEL);
	if (!b->nodes || !b->order || !b->questions)
		goto out;
	error = 0;
	for (i = 0; !error && i < ARRAY_SIZE(sizes); i++)
		error = bench_find(b, sizes[i]) ?: bench_turn(b, sizes[i]);
	if (!error)
		pr_info("done\n");
out:
	kvfree(b->questions);
	kvfree(b->order);
	kvfree(b->nodes);
	kvfree(b);
	return error;
}

static void __exit uma_mapbench_exit(void)
{
}

module_init(uma_mapbench_init);
module_exit(uma_mapbench_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Benchmark of the map's tree");
MODULE_LICENSE("GPL");
