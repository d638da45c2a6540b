// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory nodes: items come from the node of the CPU that asks, go back to the one
 * that they are of, and whoever finds his node empty is served from another's.
 * Skipped where there is one node.
 */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "uma_test.h"

#define ITEM	512
#define ITEMS	400

static int node_of(const void *item)
{
	return page_to_nid(virt_to_page(item));
}

/* Run on a CPU of a node from here on. */
static void go_to_node(struct kunit *test, int nid)
{
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current,
						   cpumask_of_node(nid)), 0);
	KUNIT_ASSERT_EQ(test, numa_mem_id(), nid);
}

/* Two nodes with memory and CPUs, or the case is skipped. */
static void two_nodes(struct kunit *test, int *one, int *other)
{
	int nid;

	*one = NUMA_NO_NODE;
	*other = NUMA_NO_NODE;
	for_each_node_state(nid, N_MEMORY) {
		if (cpumask_empty(cpumask_of_node(nid)))
			continue;
		if (*one == NUMA_NO_NODE)
			*one = nid;
		else
			*other = nid;
	}
	if (*other == NUMA_NO_NODE)
		kunit_skip(test, "one memory node");
}

static unsigned int count_on_node(void **items, unsigned int n, int nid)
{
	unsigned int i, count = 0;

	for (i = 0; i < n; i++)
		count += node_of(items[i]) == nid;
	return count;
}

static u64 frees_abroad(struct kunit *test, uma_zone_t zone)
{
	struct uma_percpu_stat *ups = kunit_kcalloc(test, nr_cpu_ids,
						    sizeof(*ups), GFP_KERNEL);
	struct uma_type_header uth;

	KUNIT_ASSERT_NOT_NULL(test, ups);
	uma_zone_stats(zone, &uth, ups);
	return uth.uth_xdomain;
}

static void numa_items_come_from_here(struct kunit *test)
{
	static const u32 flags[] = { 0, UMA_ZONE_FIRSTTOUCH };
	void **items = uma_test_items(test, ITEMS);
	uma_zone_t zone;
	int node[2];
	int i, side;

	two_nodes(test, &node[0], &node[1]);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		zone = uma_test_zone(test, "numa here", ITEM, flags[i]);
		for (side = 0; side < 2; side++) {
			go_to_node(test, node[side]);
			uma_test_get(test, zone, items, ITEMS / 2);
			KUNIT_EXPECT_EQ(test,
					uma_zalloc_bulk(zone,
							items + ITEMS / 2,
							ITEMS / 2, M_WAITOK),
					ITEMS / 2);
			KUNIT_EXPECT_EQ(test,
					count_on_node(items, ITEMS, node[side]),
					ITEMS);
			uma_test_put(zone, items, ITEMS);
		}
		KUNIT_EXPECT_EQ(test, frees_abroad(test, zone), 0);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

/* Freed abroad, by one or by many, an item is for the CPUs of its own node. */
static void numa_items_go_home(struct kunit *test)
{
	uma_zone_t zone;
	void **items = uma_test_items(test, ITEMS);
	struct uma_test_totals before, after;
	int home, abroad;

	two_nodes(test, &home, &abroad);
	zone = uma_test_zone(test, "numa home", ITEM, 0);
	go_to_node(test, home);
	uma_test_get(test, zone, items, ITEMS);
	go_to_node(test, abroad);
	uma_test_put(zone, items, ITEMS / 2);
	uma_zfree_bulk(zone, items + ITEMS / 2, ITEMS / 2);
	KUNIT_EXPECT_EQ(test, frees_abroad(test, zone), ITEMS);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(zone), 0);

	uma_test_get(test, zone, items, ITEMS);
	KUNIT_EXPECT_EQ(test, count_on_node(items, ITEMS, abroad), ITEMS);
	uma_test_put(zone, items, ITEMS);

	/* And at home no new slab is needed for what came back. */
	go_to_node(test, home);
	before = uma_test_totals(test, zone);
	uma_test_get(test, zone, items, ITEMS);
	after = uma_test_totals(test, zone);
	KUNIT_EXPECT_EQ(test, count_on_node(items, ITEMS, home), ITEMS);
	KUNIT_EXPECT_EQ(test, after.pages, before.pages);
	uma_test_put(zone, items, ITEMS);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void numa_round_robin_spreads(struct kunit *test)
{
	uma_zone_t zone;
	void **items = uma_test_items(test, ITEMS);
	unsigned int n;
	int one, other;

	two_nodes(test, &one, &other);
	zone = uma_test_zone(test, "numa turns", PAGE_SIZE,
			     UMA_ZONE_ROUNDROBIN);
	go_to_node(test, one);
	uma_test_get(test, zone, items, ITEMS);
	n = count_on_node(items, ITEMS, one);
	KUNIT_EXPECT_GT(test, n, ITEMS / 4);
	KUNIT_EXPECT_LT(test, n, ITEMS * 3 / 4);
	uma_test_put(zone, items, ITEMS);
	KUNIT_EXPECT_EQ(test, frees_abroad(test, zone), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* At the limit what lies on the other node is had, rather than nothing. */
static void numa_other_node_rather_than_none(struct kunit *test)
{
	uma_zone_t zone;
	void **items = uma_test_items(test, ITEMS);
	int one, other, max, i;

	two_nodes(test, &one, &other);
	zone = uma_test_zone(test, "numa rather", PAGE_SIZE, 0);
	max = uma_zone_set_max(zone, 64);
	go_to_node(test, one);
	uma_test_get(test, zone, items, max);
	uma_test_put(zone, items, max);
	uma_zone_reclaim(zone, UMA_RECLAIM_TRIM);
	/* In slabs and in buckets of the one node, and none left for more. */
	go_to_node(test, other);
	KUNIT_EXPECT_EQ(test, uma_zone_set_maxcache(zone, 1000), 0);
	for (i = 0; i < max; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	uma_test_put(zone, items, max);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* The pool's pages of one node are gone: the other's serve, and all come back. */
static void numa_full_node_is_no_failure(struct kunit *test)
{
	uma_zone_t zone;
	struct vm_page *m;
	LIST_HEAD(taken);
	void *item;
	int one, other;

	two_nodes(test, &one, &other);
	zone = uma_test_zone(test, "numa full", PAGE_SIZE, 0);
	go_to_node(test, one);
	while ((m = uma_pool_alloc_node(uma_pool, 1, one,
					M_NOWAIT | M_USE_RESERVE | M_NODEONLY)))
		list_add(&m->pageq, &taken);
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, item);
	if (item)
		KUNIT_EXPECT_EQ(test, node_of(item), other);
	uma_zfree(zone, item);
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	while ((m = list_first_entry_or_null(&taken, struct vm_page, pageq))) {
		list_del_init(&m->pageq);
		uma_pool_free(uma_pool, m, 1);
	}
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void numa_contradiction_is_refused(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, uma_zcreate("numa both", ITEM, NULL, NULL, NULL,
					    NULL, UMA_ALIGN_PTR,
					    UMA_ZONE_FIRSTTOUCH |
					    UMA_ZONE_ROUNDROBIN));
}

static struct kunit_case numa_cases[] = {
	KUNIT_CASE(numa_items_come_from_here),
	KUNIT_CASE(numa_items_go_home),
	KUNIT_CASE(numa_round_robin_spreads),
	KUNIT_CASE(numa_other_node_rather_than_none),
	KUNIT_CASE(numa_full_node_is_no_failure),
	KUNIT_CASE(numa_contradiction_is_refused),
	{}
};

static struct kunit_suite numa_suite = {
	.name = "numa",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = numa_cases,
};

kunit_test_suite(numa_suite);

MODULE_DESCRIPTION("KUnit: memory nodes");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
