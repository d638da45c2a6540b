// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map's tree against an oracle that keeps one entry a byte, and its cost in
 * steps among many mappings, however they came to be there.
 */
#include <kunit/test.h>
#include <linux/bitops.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include "uma/compat.h"
#include "vmsim/map_tree.h"

/* ---- beside an oracle --------------------------------------------------- */

#define SPAN	400	/* bytes of the oracle's address space */
#define NODES	96

/**
 * struct oracle - what each byte is, and a tree that should know the same
 * @tree: the tree
 * @base: its lowest address
 * @nodes: nodes, of which those with @used are in the tree
 * @used: see @nodes
 * @byte: for each byte the node that holds it, from 1, or 0
 * @rnd: where chance comes from
 */
struct oracle {
	struct vm_map_tree tree;
	unsigned long base;
	struct vm_map_node nodes[NODES];
	bool used[NODES];
	u8 byte[SPAN];
	struct rnd_state rnd;
};

static u32 below(struct oracle *o, u32 n)
{
	return prandom_u32_state(&o->rnd) % n;
}

static bool bytes_free(const struct oracle *o, u32 from, u32 n)
{
	u32 i;

	if (from + n > SPAN)
		return false;
	for (i = from; i < from + n; i++)
		if (o->byte[i])
			return false;
	return true;
}

static struct vm_map_node *oracle_floor(struct oracle *o, u32 at)
{
	u32 i;

	for (i = at + 1; i-- > 0;)
		if (o->byte[i])
			return &o->nodes[o->byte[i] - 1];
	return NULL;
}

static int oracle_find(struct oracle *o, u32 from, u32 n, u32 *at)
{
	for (*at = from; *at < SPAN; ++*at)
		if (bytes_free(o, *at, n))
			return 0;
	return -ENOMEM;
}

static void op_insert(struct kunit *test, struct oracle *o, u32 i)
{
	u32 from = below(o, SPAN), n = 1 + below(o, 8);
	bool fits = bytes_free(o, from, n);
	int want = fits ? 0 : from + n > SPAN ? -EINVAL : -EEXIST;

	o->nodes[i].start = o->base + from;
	o->nodes[i].end = o->base + from + n;
	KUNIT_ASSERT_EQ(test, vm_map_tree_insert(&o->tree, &o->nodes[i]), want);
	if (fits) {
		o->used[i] = true;
		memset(&o->byte[from], i + 1, n);
	}
}

static void op_remove(struct oracle *o, u32 i)
{
	struct vm_map_node *node = &o->nodes[i];

	memset(&o->byte[node->start - o->base], 0, node->end - node->start);
	vm_map_tree_remove(&o->tree, node);
	o->used[i] = false;
}

static void op_set_end(struct kunit *test, struct oracle *o, u32 i)
{
	u32 from = o->nodes[i].start - o->base, old = o->nodes[i].end - o->base;
	u32 end = from + below(o, 12);
	int want = 0;

	/* Past the last address it comes out at the bottom. */
	if (o->base + end <= o->base + from)
		want = -EINVAL;
	else if (end > old && !bytes_free(o, old, end - old))
		want = -EEXIST;
	KUNIT_ASSERT_EQ(test, vm_map_tree_set_end(&o->tree, &o->nodes[i],
						  o->base + end), want);
	if (!want) {
		memset(&o->byte[from], 0, old - from);
		memset(&o->byte[from], i + 1, end - from);
	}
}

static void op_ask(struct kunit *test, struct oracle *o)
{
	u32 from = below(o, SPAN), n = 1 + below(o, 40), at;
	struct vm_map_node *node;
	unsigned long addr;
	int want;

	if (vm_map_tree_peek(&o->tree, o->base + from, &node))
		KUNIT_ASSERT_PTR_EQ(test, node, oracle_floor(o, from));
	KUNIT_ASSERT_PTR_EQ(test, vm_map_tree_floor(&o->tree, o->base + from),
			    oracle_floor(o, from));
	want = oracle_find(o, from, n, &at);
	KUNIT_ASSERT_EQ(test, vm_map_tree_find_space(&o->tree, o->base + from,
						     n, &addr), want);
	if (!want)
		KUNIT_ASSERT_EQ(test, addr, o->base + at);
}

/* Phases that fill and that empty the space; @base is where it lies. */
static void against_oracle(struct kunit *test, unsigned long base, u64 seed)
{
	struct oracle *o = kunit_kzalloc(test, sizeof(*o), GFP_KERNEL);
	u32 turn, i, grow, most = 0, sum = 0;

	KUNIT_ASSERT_NOT_NULL(test, o);
	o->base = base;
	prandom_seed_state(&o->rnd, seed);
	vm_map_tree_init(&o->tree, base, base + SPAN);
	KUNIT_ASSERT_NULL(test, vm_map_tree_check(&o->tree));
	for (turn = 0; turn < 20000; turn++) {
		grow = turn / 1000 % 2 ? 3 : 8;
		i = below(o, NODES);
		if (!o->used[i]) {
			if (below(o, 10) < grow)
				op_insert(test, o, i);
		} else if (below(o, 2)) {
			op_set_end(test, o, i);
		} else if (below(o, 10) >= grow) {
			op_remove(o, i);
		}
		op_ask(test, o);
		KUNIT_ASSERT_NULL_MSG(test, vm_map_tree_check(&o->tree),
				      "turn %u of seed %llu: %s", turn, seed,
				      vm_map_tree_check(&o->tree));
		most = max_t(u32, most, o->tree.count);
		sum += o->tree.count;
		if (turn % 256 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_GT(test, most, 40);
	KUNIT_EXPECT_LT(test, sum / turn, most);
	for (i = 0; i < NODES; i++)
		if (o->used[i])
			op_remove(o, i);
	KUNIT_EXPECT_NULL(test, vm_map_tree_check(&o->tree));
	KUNIT_EXPECT_EQ(test, o->tree.count, 0);
	KUNIT_EXPECT_NULL(test, o->tree.root);
}

static void mp_01_any_operations_agree_with_an_oracle(struct kunit *test)
{
	u64 seed;

	for (seed = 1; seed <= (IS_ENABLED(CONFIG_KASAN) ? 2 : 8); seed++)
		against_oracle(test, 4096 * seed, seed);
}

/* As low and as high as an address goes. */
static void mp_01_ends_of_the_address_space(struct kunit *test)
{
	struct vm_map_node low = { .start = 0, .end = 1 };
	struct vm_map_node high = { .start = ULONG_MAX - 1, .end = ULONG_MAX };
	struct vm_map_tree tree;
	unsigned long addr;

	against_oracle(test, 0, 101);
	against_oracle(test, ULONG_MAX - SPAN, 102);

	vm_map_tree_init(&tree, 0, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, 0, vm_map_tree_find_space(&tree, 0, ULONG_MAX,
							&addr));
	KUNIT_EXPECT_EQ(test, addr, 0);
	KUNIT_EXPECT_EQ(test, 0, vm_map_tree_insert(&tree, &low));
	KUNIT_EXPECT_EQ(test, 0, vm_map_tree_insert(&tree, &high));
	KUNIT_EXPECT_NULL(test, vm_map_tree_check(&tree));
	KUNIT_EXPECT_EQ(test, 0, vm_map_tree_find_space(&tree, 0, ULONG_MAX - 2,
							&addr));
	KUNIT_EXPECT_EQ(test, addr, 1);
	KUNIT_EXPECT_EQ(test, -ENOMEM, vm_map_tree_find_space(&tree, 0,
							      ULONG_MAX - 1,
							      &addr));
	KUNIT_EXPECT_EQ(test, -ENOMEM, vm_map_tree_find_space(&tree, 2,
							      ULONG_MAX - 2,
							      &addr));
	KUNIT_EXPECT_EQ(test, -ENOMEM, vm_map_tree_find_space(&tree, ULONG_MAX,
							      1, &addr));
	KUNIT_EXPECT_EQ(test, -EINVAL, vm_map_tree_find_space(&tree, 2, 0,
							      &addr));
	KUNIT_EXPECT_PTR_EQ(test, &high, vm_map_tree_floor(&tree, ULONG_MAX));
	KUNIT_EXPECT_PTR_EQ(test, &low, vm_map_tree_floor(&tree, 77));
}

/* Who only peeks finds what is near, and is told where it is too far. */
static void mp_02_peeking_gives_up_on_a_long_way(struct kunit *test)
{
	struct vm_map_node *n, *found;
	struct vm_map_tree tree;
	unsigned int i;

	n = kunit_kcalloc(test, 1000, sizeof(*n), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, n);
	vm_map_tree_init(&tree, 0, 10000);
	KUNIT_EXPECT_TRUE(test, vm_map_tree_peek(&tree, 77, &found));
	KUNIT_EXPECT_NULL(test, found);
	for (i = 0; i < 1000; i++) {
		n[i].start = 10 * i + 1;
		n[i].end = 10 * i + 5;
		KUNIT_ASSERT_EQ(test, 0, vm_map_tree_insert(&tree, &n[i]));
	}
	/* Made in order, it is a list, from its end. */
	KUNIT_EXPECT_TRUE(test, vm_map_tree_peek(&tree, 9999, &found));
	KUNIT_EXPECT_PTR_EQ(test, found, &n[999]);
	KUNIT_EXPECT_FALSE(test, vm_map_tree_peek(&tree, 11, &found));
	KUNIT_EXPECT_PTR_EQ(test, vm_map_tree_floor(&tree, 12), &n[1]);
	KUNIT_EXPECT_TRUE(test, vm_map_tree_peek(&tree, 12, &found));
	KUNIT_EXPECT_PTR_EQ(test, found, &n[1]);
	KUNIT_EXPECT_TRUE(test, vm_map_tree_peek(&tree, 0, &found));
	KUNIT_EXPECT_NULL(test, found);
}

/* The recount is worth something: it sees each kind of damage. */
static void mp_01_the_recount_sees_damage(struct kunit *test)
{
	static const unsigned long starts[] = { 40, 10, 60, 25, 80 };
	struct vm_map_node n[ARRAY_SIZE(starts)], *root, *right;
	struct vm_map_tree tree;
	unsigned int i;

	vm_map_tree_init(&tree, 0, 100);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		n[i].start = starts[i];
		n[i].end = starts[i] + 5;
		KUNIT_ASSERT_EQ(test, 0, vm_map_tree_insert(&tree, &n[i]));
	}
	vm_map_tree_floor(&tree, 40);
	root = tree.root;
	KUNIT_ASSERT_PTR_EQ(test, root, &n[0]);
	right = root->child[VM_MAP_MORE];
	KUNIT_ASSERT_NOT_NULL(test, right);
	KUNIT_EXPECT_NULL(test, vm_map_tree_check(&tree));

	root->max_free++;
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	root->max_free--;
	right->adj_free--;
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	right->adj_free++;
	root->end += 20;
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	root->end -= 20;
	swap(root->child[0], root->child[1]);
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	swap(root->child[0], root->child[1]);
	root->child[VM_MAP_MORE] = NULL;
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	root->child[VM_MAP_MORE] = root;
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	root->child[VM_MAP_MORE] = right;
	tree.count++;
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	tree.count -= 2;
	KUNIT_EXPECT_NOT_NULL(test, vm_map_tree_check(&tree));
	tree.count++;
	KUNIT_EXPECT_NULL(test, vm_map_tree_check(&tree));
}

/* ---- by count ----------------------------------------------------------- */

/*
 * Mappings of one page with gaps between them: one page behind every other
 * mapping, two behind every fourth and so on, so that the first fit for some
 * length is near or far.
 */
#define LARGEST		100000

enum order { ASCENDING, DESCENDING, RANDOM, ZIGZAG, ORDERS };

static const char *const order_name[ORDERS] = {
	"ascending", "descending", "random", "from both ends",
};

struct layout {
	struct vm_map_tree tree;
	struct vm_map_node *nodes;
	u32 *perm;
	u32 n;
	struct rnd_state rnd;
};

/* Bytes free behind mapping @i. */
static unsigned long gap_of(u32 i)
{
	u32 k = min_t(u32, __ffs(i + 1), 5);

	return PAGE_SIZE << k;
}

static void fill_layout(struct kunit *test, struct layout *l, u32 n,
			enum order order)
{
	unsigned long at = PAGE_SIZE;
	u32 i, j;

	l->n = n;
	for (i = 0; i < n; i++) {
		l->nodes[i].start = at;
		l->nodes[i].end = at + PAGE_SIZE;
		at = l->nodes[i].end + gap_of(i);
		l->perm[i] = order == DESCENDING ? n - 1 - i :
			     order == ZIGZAG && i % 2 ? n - 1 - i / 2 :
			     order == ZIGZAG ? i / 2 : i;
	}
	for (i = n; order == RANDOM && i-- > 1;) {
		j = prandom_u32_state(&l->rnd) % (i + 1);
		swap(l->perm[i], l->perm[j]);
	}
	vm_map_tree_init(&l->tree, PAGE_SIZE, at);
	for (i = 0; i < n; i++)
		KUNIT_ASSERT_EQ(test, 0,
				vm_map_tree_insert(&l->tree,
						   &l->nodes[l->perm[i]]));
	KUNIT_ASSERT_EQ(test, l->tree.count, n);
	KUNIT_ASSERT_NULL(test, vm_map_tree_check(&l->tree));
	l->tree.steps = 0;
}

/* The oracle of the layout: walk the list. Returns the steps that takes. */
static u64 walk(struct layout *l, unsigned long from, unsigned long length,
		unsigned long *addr)
{
	u64 steps = 0;
	unsigned long at;
	u32 i;

	for (i = 0; i < l->n; i++) {
		steps++;
		at = max(from, l->nodes[i].end);
		if (at + length <= l->nodes[i].end + gap_of(i)) {
			*addr = at;
			return steps;
		}
	}
	*addr = 0;
	return steps;
}

enum search { FROM_ANYWHERE, SWEEP, BIT_REVERSED, SEARCHES };

static const char *const search_name[SEARCHES] = {
	"from anywhere", "ascending", "bit-reversed",
};

/* The bits of @i from the other end: neighbours in time are far apart in space. */
static u32 reversed(u32 i)
{
	u32 bit, sum = 0;

	for (bit = 0; bit < 32; bit++)
		sum = sum << 1 | (i >> bit & 1);
	return sum;
}

/* Where the @i-th search starts. */
static unsigned long search_from(struct layout *l, enum search kind, u32 i)
{
	u32 slot = prandom_u32_state(&l->rnd) % l->n;

	switch (kind) {
	case SWEEP:
		slot = i % l->n;
		break;
	case BIT_REVERSED:
		slot = (u64)reversed(i) * l->n >> 32;
		break;
	default:
		break;
	}
	return l->nodes[slot].start;
}

/*
 * Mean steps of as many searches as there are mappings, or a thousand, the first
 * of which meets the tree as it was made: a list, if they were made in order.
 */
static u32 mean_steps(struct kunit *test, struct layout *l, enum search kind)
{
	u32 rounds = max(l->n, 1000U), i;
	unsigned long from, length, addr, want;

	for (i = 0; i < rounds; i++) {
		from = search_from(l, kind, i);
		length = PAGE_SIZE << prandom_u32_state(&l->rnd) % 6;
		if (vm_map_tree_find_space(&l->tree, from, length, &addr))
			addr = 0;
		if (i % 997 == 0) {
			walk(l, from, length, &want);
			KUNIT_ASSERT_EQ(test, addr, want);
			cond_resched();
		}
	}
	KUNIT_EXPECT_NULL(test, vm_map_tree_check(&l->tree));
	return div_u64(l->tree.steps, rounds);
}

static void mp_01_steps_a_search(struct kunit *test)
{
	static const u32 sizes[] = { 10, 1000, LARGEST };
	u32 size, n, steps, worst = 0;
	enum search search;
	enum order order;
	struct layout *l;

	l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l);
	prandom_seed_state(&l->rnd, 1);
	l->nodes = kvcalloc(LARGEST, sizeof(*l->nodes), GFP_KERNEL);
	l->perm = kvcalloc(LARGEST, sizeof(*l->perm), GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, l->nodes);
	KUNIT_EXPECT_NOT_NULL(test, l->perm);
	if (!l->nodes || !l->perm)
		goto out;
	for (size = 0; size < ARRAY_SIZE(sizes); size++) {
		n = sizes[size];
		if (n > 10000 && IS_ENABLED(CONFIG_KASAN))
			n = 10000;
		for (search = 0; search < SEARCHES; search++)
			for (order = 0; order < ORDERS; order++) {
				fill_layout(test, l, n, order);
				steps = mean_steps(test, l, search);
				kunit_info(test,
					   "%u mappings made %s, searches %s: %u steps each\n",
					   n, order_name[order],
					   search_name[search], steps);
				/* Two ways down. */
				KUNIT_EXPECT_LE(test, steps,
						8 + 3 * ilog2(n));
				worst = max(worst, steps);
			}
	}
	/* A few dozen. */
	KUNIT_EXPECT_LE(test, worst, 60);
out:
	kvfree(l->nodes);
	kvfree(l->perm);
}

static struct kunit_case map_tree_cases[] = {
	KUNIT_CASE(mp_01_any_operations_agree_with_an_oracle),
	KUNIT_CASE(mp_01_ends_of_the_address_space),
	KUNIT_CASE(mp_02_peeking_gives_up_on_a_long_way),
	KUNIT_CASE(mp_01_the_recount_sees_damage),
	KUNIT_CASE(mp_01_steps_a_search),
	{}
};

static struct kunit_suite map_tree_suite = {
	.name = "map_tree",
	.test_cases = map_tree_cases,
};

kunit_test_suite(map_tree_suite);

MODULE_DESCRIPTION("KUnit: the tree of a map");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
