// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of a map.
 *
 * A map is asked two things: which entry holds this address, and where are so
 * many bytes free, at or above that address, as low as possible. A list answers
 * both by walking; the log's predecessor did, with a hint of where the first gap
 * was, and a program with thousands of mappings paid for it at each mmap.
 *
 * The answer here is a binary tree by address, in which each node also says how
 * much is free right after it (adj_free), and the most that is free right after
 * any node of its subtree (max_free):
 *
 *	               [40,50) adj 10, max 30
 *	              /                      \
 *	  [10,20) adj 5, max 10        [60,70) adj 30, max 30
 *	              \
 *	         [25,30) adj 10, max 10
 *
 * Whoever looks for 12 bytes reads at the root whether there are as many at all,
 * and at each node whether they are to the left of it, right after it, or else,
 * since they must be somewhere, to the right: the first fit in one way down,
 * without a step back.
 *
 * The gap after a node is the node's own, so each address from the first node on
 * belongs to just one of them: node n owns [n.start, n.end + n.adj_free). The
 * owner of an address is therefore known for such when it is seen, and is always
 * what the map wants to know: the entry that holds the address or else the last
 * one before it. Only what is below the first node has no owner.
 *
 * The tree is a splay tree (Sleator and Tarjan, "Self-adjusting binary search
 * trees", 1985). What was looked for becomes the root, and the way there is folded
 * to half its length on the way down. Nothing is stored for balance. A single
 * operation can take as many steps as there are nodes, but n of them in a row
 * cannot take more than some n log n; and what is asked for again, as a map's
 * entries are, is near the root. Both searches pay this way, the one for space as
 * well: what it finds is splayed, too, so that a search without an insertion
 * after it is not free to walk the same long way for ever.
 *
 * One rule keeps the fields right: a node's adj_free changes only while the node
 * is the root, where no other node's max_free depends on it. So each change first
 * splays whom it concerns.
 *
 * No function here allocates, locks or recurses.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "uma/compat.h"
#include "vmsim/map_tree.h"

#define LESS	VM_MAP_LESS
#define MORE	VM_MAP_MORE
#define HERE	2

/* What a side of a node, or nothing, has to offer. */
static unsigned long max_free(const struct vm_map_node *node)
{
	return node ? node->max_free : 0;
}

static unsigned long max_free_of(const struct vm_map_node *node)
{
	return max3(node->adj_free, max_free(node->child[LESS]),
		    max_free(node->child[MORE]));
}

static void update(struct vm_map_node *node)
{
	node->max_free = max_free_of(node);
}

/* Towards the owner of @addr. */
static inline int towards_owner(const struct vm_map_node *node,
				unsigned long addr)
{
	if (addr < node->start)
		return LESS;
	if (addr - node->start < node->end - node->start + node->adj_free)
		return HERE;
	return MORE;
}

/* Towards the lowest node that has @length bytes behind it; there is one. */
static inline int towards_space(const struct vm_map_node *node,
				unsigned long length)
{
	if (max_free(node->child[LESS]) >= length)
		return LESS;
	if (node->adj_free >= length)
		return HERE;
	return MORE;
}

enum goal { OWNER, SPACE };

static __always_inline int towards(enum goal goal,
				   const struct vm_map_node *node,
				   unsigned long arg)
{
	return goal == OWNER ? towards_owner(node, arg) :
			       towards_space(node, arg);
}

/*
 * Go down from @t towards @goal until it is reached or the way ends, and make the
 * node reached the root.
 *
 * What is passed on the way falls into two trees, of the nodes below those still
 * ahead and of the nodes above them. Each grows at one place only, the end of its
 * inner edge: spine[LESS], spine[MORE]. The open link there points back up the
 * edge for as long, so that in the end the edges can be walked upwards and
 * max_free be computed from below.
 *
 * Two steps to the same side are where the folding is: the upper node is hung
 * below the lower one before that goes to its tree.
 */
static __always_inline struct vm_map_node *splay(struct vm_map_tree *tree,
						 struct vm_map_node *t,
						 enum goal goal,
						 unsigned long arg)
{
	struct vm_map_node *spine[2] = { NULL, NULL };
	struct vm_map_node *next, *done, *up;
	int side = towards(goal, t, arg);
	u64 steps = 1;
	int then;

	while (side != HERE) {
		next = t->child[side];
		if (!next)
			break;
		then = towards(goal, next, arg);
		steps++;
		if (then == side && next->child[side]) {
			t->child[side] = next->child[!side];
			next->child[!side] = t;
			update(t);
			t = next;
			next = t->child[side];
			then = towards(goal, next, arg);
			steps++;
		}
		t->child[side] = spine[!side];
		spine[!side] = t;
		t = next;
		side = then;
	}
	for (side = LESS; side <= MORE; side++) {
		done = t->child[side];
		for (; spine[side]; spine[side] = up) {
			up = spine[side]->child[!side];
			spine[side]->child[!side] = done;
			update(spine[side]);
			done = spine[side];
		}
		t->child[side] = done;
	}
	update(t);
	tree->steps += steps;
	return t;
}

/* Make the owner of @addr the root; the first node if @addr is below it. */
static void splay_owner(struct vm_map_tree *tree, unsigned long addr)
{
	tree->root = splay(tree, tree->root, OWNER, addr);
}

/**
 * vm_map_tree_init() - make an empty tree
 * @tree: the tree
 * @min: the lowest address
 * @max: the first address behind the highest, above @min
 */
void vm_map_tree_init(struct vm_map_tree *tree, unsigned long min,
		      unsigned long max)
{
	*tree = (struct vm_map_tree) { .min = min, .max = max };
	INIT_LIST_HEAD(&tree->nodes);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_init);

/**
 * vm_map_tree_floor() - the node that holds an address, or the last before it
 * @tree: the tree
 * @addr: the address
 *
 * Context: the tree is changed: what excludes writers must be held.
 * Return: the last node that starts at or below @addr, NULL if there is none.
 */
struct vm_map_node *vm_map_tree_floor(struct vm_map_tree *tree,
				      unsigned long addr)
{
	if (!tree->root)
		return NULL;
	splay_owner(tree, addr);
	return tree->root->start <= addr ? tree->root : NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_floor);

/**
 * vm_map_tree_peek() - vm_map_tree_floor() for many at once
 * @tree: the tree
 * @addr: the address
 * @floor: where to store the node, or NULL
 *
 * Nothing is moved, so nothing gets better either: a way that is much longer
 * than a balanced tree's is given up, and vm_map_tree_floor() is the thing to call.
 *
 * Context: writers are excluded.
 * Return: whether the answer was found.
 */
bool vm_map_tree_peek(const struct vm_map_tree *tree, unsigned long addr,
		      struct vm_map_node **floor)
{
	unsigned int budget = 8 + 3 * ilog2(tree->count + 1);
	struct vm_map_node *node = tree->root;
	int side;

	*floor = NULL;
	for (; node; node = node->child[side]) {
		side = towards_owner(node, addr);
		if (side == HERE) {
			*floor = node;
			return true;
		}
		if (!--budget)
			return false;
	}
	return true;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_peek);

/**
 * vm_map_tree_insert() - take a node into the tree
 * @tree: the tree
 * @node: the node, with its start and end
 *
 * Context: writers are excluded.
 * Return: 0; -EINVAL if the range is empty or not in the tree's bounds, -EEXIST
 * if it overlaps another's.
 */
int vm_map_tree_insert(struct vm_map_tree *tree, struct vm_map_node *node)
{
	struct vm_map_node *prev = NULL, *next = NULL;
	unsigned long limit = tree->max;

	if (node->start >= node->end || node->start < tree->min ||
	    node->end > tree->max)
		return -EINVAL;
	if (tree->root) {
		splay_owner(tree, node->start);
		if (tree->root->start <= node->start) {
			prev = tree->root;
			if (prev->end > node->start)
				return -EEXIST;
			limit = prev->end + prev->adj_free;
			next = prev->child[MORE];
		} else {
			next = tree->root;
			limit = next->start;
		}
		if (node->end > limit)
			return -EEXIST;
	}
	/* The new root, between those before it and those behind it. */
	if (prev) {
		prev->child[MORE] = NULL;
		prev->adj_free = node->start - prev->end;
		update(prev);
	}
	node->child[LESS] = prev;
	node->child[MORE] = next;
	node->adj_free = limit - node->end;
	update(node);
	tree->root = node;
	list_add(&node->link, prev ? &prev->link : &tree->nodes);
	tree->count++;
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_insert);

/**
 * vm_map_tree_remove() - take a node out
 * @tree: the tree
 * @node: a node of it
 *
 * What it occupied, and what was free behind it, is free behind the node before
 * it now.
 *
 * Context: writers are excluded.
 */
void vm_map_tree_remove(struct vm_map_tree *tree, struct vm_map_node *node)
{
	struct vm_map_node *prev;

	splay_owner(tree, node->start);
	if (WARN_ON_ONCE(tree->root != node))
		return;
	prev = node->child[LESS];
	if (prev) {
		prev = splay(tree, prev, OWNER, node->start - 1);
		prev->child[MORE] = node->child[MORE];
		prev->adj_free += node->end - node->start + node->adj_free;
		update(prev);
		tree->root = prev;
	} else {
		tree->root = node->child[MORE];
	}
	list_del_init(&node->link);
	tree->count--;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_remove);

/**
 * vm_map_tree_set_end() - make a node shorter, or longer at its end
 * @tree: the tree
 * @node: a node of it
 * @end: its new end
 *
 * Context: writers are excluded.
 * Return: 0; -EINVAL if it would be empty, -EEXIST if it would reach into the
 * next.
 */
int vm_map_tree_set_end(struct vm_map_tree *tree, struct vm_map_node *node,
			unsigned long end)
{
	unsigned long limit = node->end + node->adj_free;

	if (end <= node->start)
		return -EINVAL;
	if (end > limit)
		return -EEXIST;
	splay_owner(tree, node->start);
	node->end = end;
	node->adj_free = limit - end;
	update(node);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_set_end);

/**
 * vm_map_tree_find_space() - the lowest place where so much is free
 * @tree: the tree
 * @start: the place is not below this
 * @length: bytes
 * @addr: where to store the address
 *
 * Context: the tree is changed: what excludes writers must be held.
 * Return: 0; -EINVAL if @length is 0, -ENOMEM if there is no such place.
 */
int vm_map_tree_find_space(struct vm_map_tree *tree, unsigned long start,
			   unsigned long length, unsigned long *addr)
{
	struct vm_map_node *root, *above;

	if (!length)
		return -EINVAL;
	start = max(start, tree->min);
	if (start >= tree->max || length > tree->max - start)
		return -ENOMEM;
	if (!tree->root) {
		*addr = start;
		return 0;
	}
	splay_owner(tree, start);
	root = tree->root;
	/* Below all nodes, where nobody keeps the count. */
	if (start < root->start && length <= root->start - start) {
		*addr = start;
		return 0;
	}
	/* The one gap in which start may lie. */
	start = max(start, root->end);
	if (length <= root->end + root->adj_free - start) {
		*addr = start;
		return 0;
	}
	/* All of these are above it. */
	above = root->child[MORE];
	if (max_free(above) < length)
		return -ENOMEM;
	above = splay(tree, above, SPACE, length);
	root->child[MORE] = above;
	*addr = above->end;
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_find_space);

/*
 * Whether the way from @node to its @side's outmost descendant ends at @end.
 * @budget ends it in a tree that goes in circles.
 */
static bool edge_ends_at(const struct vm_map_node *node, int side,
			 const struct vm_map_node *end, unsigned long *budget)
{
	while (node && node != end && *budget) {
		node = node->child[side];
		--*budget;
	}
	return node && node == end && !node->child[side];
}

/**
 * vm_map_tree_check() - recount everything, slowly
 * @tree: the tree
 *
 * The list is walked, and each node's neighbours in it must be its neighbours in
 * the tree: the next is the leftmost of the right subtree if there is one, else
 * this is the rightmost of the next one's left subtree. No link of the tree is
 * part of two such ways, so all of them together are not longer than the tree.
 * And max_free that is right at each node, given those of its children, is right
 * in all.
 *
 * Context: writers are excluded.
 * Return: NULL, or what is wrong.
 */
const char *vm_map_tree_check(const struct vm_map_tree *tree)
{
	const struct vm_map_node *node, *next;
	unsigned long budget = 2 * tree->count + 2;
	unsigned long count = 0;

	if (list_empty(&tree->nodes) != !tree->root)
		return "a root without nodes, or nodes without a root";
	next = vm_map_tree_next(tree, NULL);
	if (next && !edge_ends_at(tree->root, LESS, next, &budget))
		return "the first node is not leftmost";
	if (next && next->start < tree->min)
		return "a node below the lowest address";
	while ((node = next)) {
		if (++count > tree->count)
			return "more nodes in the list than counted";
		if (node->start >= node->end)
			return "an empty node";
		next = vm_map_tree_next(tree, node);
		if ((next ? next->start : tree->max) < node->end)
			return "a node that reaches into the next or too far";
		if (node->adj_free != (next ? next->start : tree->max) - node->end)
			return "adj_free is wrong";
		if (node->max_free != max_free_of(node))
			return "max_free is wrong";
		if (!next)
			break;
		if (node->child[MORE] ?
		    !edge_ends_at(node->child[MORE], LESS, next, &budget) :
		    !edge_ends_at(next->child[LESS], MORE, node, &budget))
			return "tree and list disagree on the order";
	}
	if (node && !edge_ends_at(tree->root, MORE, node, &budget))
		return "the last node is not rightmost";
	if (count != tree->count)
		return "fewer nodes in the list than counted";
	return NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_tree_check);
