/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tree that a map keeps its entries in: who owns an address, and where so
 * many bytes are free. Arithmetic only; the caller locks.
 */
#ifndef _VMSIM_MAP_TREE_H
#define _VMSIM_MAP_TREE_H

#include <linux/list.h>
#include <linux/types.h>

/* The two sides of a node. */
enum { VM_MAP_LESS, VM_MAP_MORE };

/**
 * struct vm_map_node - the part of a map entry that the tree keeps
 * @child: subtrees of the lower and of the higher addresses, or NULL
 * @link: in vm_map_tree.nodes, by address
 * @start: first address
 * @end: the first address behind it, above @start
 * @adj_free: bytes free between @end and the next node, or the tree's end
 * @max_free: the largest @adj_free in the subtree of which this is the root
 *
 * The user sets @start and @end before insertion and does not write to any
 * field from then to the removal.
 */
struct vm_map_node {
	struct vm_map_node *child[2];
	struct list_head link;
	unsigned long start;
	unsigned long end;
	unsigned long adj_free;
	unsigned long max_free;
};

/**
 * struct vm_map_tree - ranges of addresses that do not overlap
 * @root: the node that was asked for last, or NULL
 * @nodes: all nodes, by address
 * @min: the lowest address
 * @max: the first address behind the highest
 * @count: nodes
 * @steps: nodes looked at on the way down, ever: what the operations cost
 */
struct vm_map_tree {
	struct vm_map_node *root;
	struct list_head nodes;
	unsigned long min;
	unsigned long max;
	unsigned long count;
	u64 steps;
};

void vm_map_tree_init(struct vm_map_tree *tree, unsigned long min,
		      unsigned long max);
struct vm_map_node *vm_map_tree_floor(struct vm_map_tree *tree,
				      unsigned long addr);
bool vm_map_tree_peek(const struct vm_map_tree *tree, unsigned long addr,
		      struct vm_map_node **floor);
int vm_map_tree_insert(struct vm_map_tree *tree, struct vm_map_node *node);
void vm_map_tree_remove(struct vm_map_tree *tree, struct vm_map_node *node);
int vm_map_tree_set_end(struct vm_map_tree *tree, struct vm_map_node *node,
			unsigned long end);
int vm_map_tree_find_space(struct vm_map_tree *tree, unsigned long start,
			   unsigned long length, unsigned long *addr);
const char *vm_map_tree_check(const struct vm_map_tree *tree);

/**
 * vm_map_tree_next() - the node after another
 * @tree: the tree
 * @node: a node of it, or NULL for what comes before the first
 *
 * Return: the node, or NULL behind the last.
 */
static inline struct vm_map_node *
vm_map_tree_next(const struct vm_map_tree *tree, const struct vm_map_node *node)
{
	const struct list_head *next = node ? node->link.next :
					      tree->nodes.next;

	return next == &tree->nodes ? NULL :
				      list_entry(next, struct vm_map_node, link);
}

/**
 * vm_map_tree_prev() - the node before another
 * @tree: the tree
 * @node: a node of it, or NULL for what comes behind the last
 *
 * Return: the node, or NULL before the first.
 */
static inline struct vm_map_node *
vm_map_tree_prev(const struct vm_map_tree *tree, const struct vm_map_node *node)
{
	const struct list_head *prev = node ? node->link.prev :
					      tree->nodes.prev;

	return prev == &tree->nodes ? NULL :
				      list_entry(prev, struct vm_map_node, link);
}

#endif /* _VMSIM_MAP_TREE_H */
