// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kegs: zones that share one, the pages that slabs are made of and what is left
 * on them, memory that a consumer brings, and fixed backings.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "uma/kva.h"
#include "uma_test.h"

#define ITEM		96
#define MANY		200

/* UMA-01 */

/* What each stage leaves in an item, so that an item tells its history. */
struct history {
	u32 inited;
	u32 zinited;
	u32 constructed;
	u32 other;
};

static struct {
	unsigned int init, fini, zinit, zfini, ctor, dtor, wrong;
} calls;

static int h_init(void *mem, int size, int flags)
{
	memset(mem, 0, size);
	((struct history *)mem)->inited = 1;
	calls.init++;
	return 0;
}

static void h_fini(void *mem, int size)
{
	struct history *h = mem;

	calls.wrong += h->inited != 1 || h->zinited || h->constructed;
	calls.fini++;
}

static int h_zinit(void *mem, int size, int flags)
{
	struct history *h = mem;

	calls.wrong += h->inited != 1 || h->zinited || h->constructed;
	h->zinited = 1;
	calls.zinit++;
	return 0;
}

static void h_zfini(void *mem, int size)
{
	struct history *h = mem;

	calls.wrong += !h->zinited || h->constructed;
	h->zinited = 0;
	calls.zfini++;
}

static int h_ctor(void *mem, int size, void *arg, int flags)
{
	struct history *h = mem;

	calls.wrong += !h->zinited || h->constructed;
	h->constructed = 1;
	calls.ctor++;
	return 0;
}

static void h_dtor(void *mem, int size, void *arg)
{
	struct history *h = mem;

	calls.wrong += !h->zinited || !h->constructed;
	h->constructed = 0;
	calls.dtor++;
}

static void uma_01_zones_stacked_on_one_keg(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	uma_zone_t master, second, third;
	struct uma_test_totals t;
	unsigned int i;

	memset(&calls, 0, sizeof(calls));
	master = uma_zcreate("uma 01 master", ITEM, NULL, NULL, h_init, h_fini,
			     UMA_ALIGN_CACHE, 0);
	KUNIT_ASSERT_NOT_NULL(test, master);
	second = uma_zsecond_create("uma 01 second", h_ctor, h_dtor, h_zinit,
				    h_zfini, master);
	third = uma_zsecond_create("uma 01 third", NULL, NULL, NULL, NULL,
				   master);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_ASSERT_NOT_NULL(test, third);

	/* Size and alignment are the keg's; each zone has its own callbacks. */
	uma_test_get(test, second, items, MANY);
	for (i = 0; i < MANY; i++) {
		struct history *h = items[i];

		KUNIT_EXPECT_EQ(test, h->inited + h->zinited + h->constructed,
				3);
		KUNIT_EXPECT_EQ(test, (unsigned long)h & UMA_ALIGN_CACHE, 0);
	}
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(second), MANY);
	KUNIT_EXPECT_EQ(test, uma_zone_get_cur(master), 0);
	uma_test_put(second, items, MANY);
	KUNIT_EXPECT_EQ(test, calls.ctor, MANY);
	KUNIT_EXPECT_EQ(test, calls.dtor, MANY);

	/* What one zone's cache holds is ready for that zone only. */
	uma_test_get(test, master, items, MANY);
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, ((struct history *)items[i])->zinited, 0);
	uma_test_put(master, items, MANY);
	uma_test_get(test, third, items, 1);
	uma_test_put(third, items, 1);

	/* Between keg and cache zinit and zfini run, and nowhere else. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, calls.zfini, calls.zinit);
	KUNIT_EXPECT_GE(test, calls.zinit, MANY);
	KUNIT_EXPECT_EQ(test, calls.fini, calls.init);
	KUNIT_EXPECT_EQ(test, calls.wrong, 0);
	t = uma_test_totals(test, second);
	KUNIT_EXPECT_EQ(test, t.pages, 0);

	/* The keg outlives its master's wish to go, not its last zone. */
	pr_info("uma-expect-begin: cannot destroy zone \"uma 01 master\": other zones\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(master), -EBUSY);
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, uma_zdestroy(third), 0);
	uma_test_get(test, second, items, MANY);
	uma_test_put(second, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	uma_test_get(test, master, items, MANY);
	uma_test_put(master, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(master), 0);
	KUNIT_EXPECT_EQ(test, calls.zfini, calls.zinit);
	KUNIT_EXPECT_EQ(test, calls.fini, calls.init);
	KUNIT_EXPECT_EQ(test, calls.wrong, 0);
}

/* One limit for all zones of a keg, and their slabs serve each other. */
static void uma_01_stacked_zones_share_the_slabs(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	uma_zone_t master, second;
	unsigned int i;
	int max;

	master = uma_zcreate("uma 01 master", ITEM, NULL, NULL, NULL, NULL,
			     UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, master);
	second = uma_zsecond_create("uma 01 second", NULL, NULL, NULL, NULL,
				    master);
	KUNIT_ASSERT_NOT_NULL(test, second);
	max = uma_zone_set_max(second, 1);
	KUNIT_ASSERT_GT(test, max, 0);
	KUNIT_ASSERT_LT(test, max, MANY);
	KUNIT_EXPECT_EQ(test, uma_zone_get_max(master), max);
	uma_test_get(test, master, items, max);
	KUNIT_EXPECT_NULL(test, uma_zalloc(second, M_NOWAIT));
	uma_test_put(master, items, max);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	for (i = 0; i < max; i++) {
		items[i] = uma_zalloc(second, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_EXPECT_NULL(test, uma_zalloc(master, M_NOWAIT));
	uma_test_put(second, items, max);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(second), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(master), 0);
}

/* UMA-17 */

/* The pages of a zone's items, each once. */
static unsigned int pages_of(struct kunit *test, void **items, unsigned int n,
			     struct vm_page **pages, unsigned int most)
{
	unsigned int i, k, found = 0;

	for (i = 0; i < n; i++) {
		struct vm_page *m = uma_pool_lookup(uma_pool, items[i]);

		KUNIT_ASSERT_NOT_NULL(test, m);
		for (k = 0; k < found && pages[k] != m; k++)
			;
		if (k == found && found < most)
			pages[found++] = m;
	}
	return found;
}

static void uma_17_pages_leave_as_they_came(struct kunit *test)
{
	static const struct {
		size_t size;
		u32 flags;
	} kind[] = {
		{ ITEM, 0 }, { ITEM, UMA_ZONE_OFFPAGE }, { 3000, 0 },
		{ 3 * PAGE_SIZE, 0 }, { 2048, 0 },
	};
	struct vm_page *pages[64];
	void **items = uma_test_items(test, 20);
	unsigned int i, k, n;

	for (i = 0; i < ARRAY_SIZE(kind); i++) {
		uma_zone_t zone = uma_zcreate("uma 17", kind[i].size, NULL,
					      NULL, NULL, NULL, UMA_ALIGN_PTR,
					      kind[i].flags);

		KUNIT_ASSERT_NOT_NULL(test, zone);
		uma_test_get(test, zone, items, 20);
		n = pages_of(test, items, 20, pages, ARRAY_SIZE(pages));
		KUNIT_EXPECT_GT(test, n, 0);
		for (k = 0; k < n; k++)
			KUNIT_EXPECT_NOT_NULL(test, pages[k]->slab);
		uma_test_put(zone, items, 20);
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
		KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
		for (k = 0; k < n; k++) {
			KUNIT_EXPECT_TRUE(test, pages[k]->flags & PG_FREE);
			KUNIT_EXPECT_NULL_MSG(test, pages[k]->slab,
					      "size %zu flags %#x",
					      kind[i].size, kind[i].flags);
			KUNIT_EXPECT_NULL(test, pages[k]->object);
		}
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

/* No page of the pool that is free, and no neighbour's, knows a slab. */
static void uma_17_only_own_pages_are_touched(struct kunit *test)
{
	struct uma_slab *mark = (void *)0x51ab;
	struct vm_object *owner = (void *)0x0b7ec7;
	void **items = uma_test_items(test, 30);
	struct vm_page *guard[64], *m;
	unsigned int i, n = 0;
	unsigned long index;
	uma_zone_t zone;

	/* Every other page is ours, with marks in the fields in question. */
	for (index = 0; n < ARRAY_SIZE(guard); index += 2) {
		m = uma_pool_page(uma_pool, index);
		KUNIT_ASSERT_NOT_NULL(test, m);
		if (!uma_pool_take(uma_pool, m))
			continue;
		m->slab = mark;
		m->object = owner;
		guard[n++] = m;
	}
	zone = uma_zcreate("uma 17", 1500, NULL, NULL, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	uma_test_get(test, zone, items, 30);
	uma_test_put(zone, items, 30);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_PTR_EQ(test, guard[i]->slab, mark);
		KUNIT_EXPECT_PTR_EQ(test, guard[i]->object, owner);
		guard[i]->slab = NULL;
		guard[i]->object = NULL;
		uma_pool_free(uma_pool, guard[i], 1);
	}
	for (index = 0; (m = uma_pool_page(uma_pool, index)); index++)
		if (m->flags & PG_FREE && (m->slab || m->object))
			break;
	KUNIT_EXPECT_NULL_MSG(test, m, "free page %lu is somebody's", index);
}

/* Memory that the consumer brings: pool pages that belong to an object. */

static struct {
	struct vm_object *owner;
	unsigned int got;
	unsigned int back;
	unsigned int changed;
	bool refuse;
	bool unaligned;
} bring;

static void *bring_alloc(uma_zone_t zone, vm_size_t size, u8 *pflag, int wait)
{
	unsigned int i, n = size >> PAGE_SHIFT;
	struct vm_page *m;

	if (bring.refuse)
		return NULL;
	m = uma_pool_alloc(uma_pool, n, wait);
	if (!m)
		return NULL;
	for (i = 0; i < n; i++)
		m[i].object = bring.owner;
	*pflag = 0x5a;
	bring.got++;
	return vm_page_kva(m) + (bring.unaligned ? 8 : 0);
}

static void bring_free(void *mem, vm_size_t size, u8 pflag)
{
	unsigned int i, n = size >> PAGE_SHIFT;
	struct vm_page *m = uma_pool_lookup(uma_pool, mem);

	bring.back++;
	if (!m || pflag != 0x5a) {
		bring.changed++;
		return;
	}
	for (i = 0; i < n; i++) {
		if (m[i].object != bring.owner || m[i].slab)
			bring.changed++;
		m[i].object = NULL;
		m[i].slab = NULL;
	}
	uma_pool_free(uma_pool, m, n);
}

static uma_zone_t bring_zone(struct kunit *test, size_t size, u32 flags)
{
	uma_zone_t zone = uma_zcreate("uma 17 allocf", size, NULL, NULL, NULL,
				      NULL, UMA_ALIGN_PTR, flags);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	memset(&bring, 0, sizeof(bring));
	bring.owner = (void *)0x0b7ec7;
	KUNIT_ASSERT_EQ(test, uma_zone_set_allocf(zone, bring_alloc), 0);
	KUNIT_ASSERT_EQ(test, uma_zone_set_freef(zone, bring_free), 0);
	return zone;
}

static void uma_17_memory_of_the_consumer_keeps_its_owner(struct kunit *test)
{
	static const size_t size[] = { 8, ITEM, 2000, 3 * PAGE_SIZE + 1 };
	void **items = uma_test_items(test, MANY);
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(size); i++) {
		unsigned int n = size[i] > PAGE_SIZE ? 10 : MANY;
		uma_zone_t zone = bring_zone(test, size[i], 0);

		uma_test_get(test, zone, items, n);
		for (k = 0; k < n; k++) {
			struct vm_page *m = uma_pool_lookup(uma_pool, items[k]);

			KUNIT_ASSERT_NOT_NULL(test, m);
			KUNIT_EXPECT_PTR_EQ(test, m->object, bring.owner);
			memset(items[k], 0xee, size[i]);
		}
		KUNIT_EXPECT_GT(test, bring.got, 0);
		pr_info("uma-expect-begin: cannot set allocf of zone\n");
		KUNIT_EXPECT_EQ(test, uma_zone_set_allocf(zone, NULL), -EBUSY);
		pr_info("uma-expect-end\n");
		uma_test_put(zone, items, n);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		KUNIT_EXPECT_EQ(test, bring.back, bring.got);
		KUNIT_EXPECT_EQ(test, bring.changed, 0);
	}
}

/* Counters of items in memory that is not the pool's. */
static void uma_02_counters_beside_memory_of_the_consumer(struct kunit *test)
{
	uma_zone_t zone = bring_zone(test, ITEM, UMA_ZONE_REFCNT);
	void **items = uma_test_items(test, MANY);
	unsigned int i;
	u32 *ref;

	uma_test_get(test, zone, items, MANY);
	for (i = 0; i < MANY; i++) {
		ref = uma_find_refcnt(zone, items[i]);
		KUNIT_ASSERT_NOT_NULL(test, ref);
		KUNIT_EXPECT_EQ(test, *ref, 0);
		*ref = i + 1;
		memset(items[i], 0xee, ITEM);
	}
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, *uma_find_refcnt(zone, items[i]), i + 1);
	uma_test_put(zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, bring.back, bring.got);
}

static void keg_allocf_may_refuse(struct kunit *test)
{
	uma_zone_t zone = bring_zone(test, ITEM, 0);
	void *item;

	bring.refuse = true;
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, 1), -ENOMEM);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
	bring.refuse = false;
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_EQ(test, bring.back, bring.got);
}

static void keg_allocf_must_align(struct kunit *test)
{
	uma_zone_t zone = bring_zone(test, ITEM, 0);

	bring.unaligned = true;
	pr_info("uma-expect-begin: allocf of uma 17 allocf: memory not page-aligned\n");
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	pr_info("uma-expect-end\n");
	KUNIT_EXPECT_EQ(test, bring.back, bring.got);
	KUNIT_EXPECT_EQ(test, bring.changed, 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void keg_prealloc_makes_slabs_ahead(struct kunit *test)
{
	void **items = uma_test_items(test, MANY);
	uma_zone_t zone = uma_zcreate("keg test", ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, 0);
	u32 pages;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, -1), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, 0), 0);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, MANY), 0);
	pages = uma_keg_pages(zone->uz_keg);
	KUNIT_EXPECT_GT(test, pages, 0);
	KUNIT_EXPECT_GE(test, uma_test_totals(test, zone).keg_free, MANY);
	uma_test_get(test, zone, items, MANY);
	KUNIT_EXPECT_EQ(test, uma_keg_pages(zone->uz_keg), pages);
	uma_test_put(zone, items, MANY);
	uma_zone_set_max(zone, 1);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, uma_prealloc(zone, MANY), -ENOSPC);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static void keg_zinit_flag_clears_new_items_only(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("keg test", ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, UMA_ZONE_ZINIT);
	unsigned char *item;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	item = uma_zalloc(zone, M_NOWAIT);
	KUNIT_ASSERT_NOT_NULL(test, item);
	KUNIT_EXPECT_NULL(test, memchr_inv(item, 0, ITEM));
	memset(item, 7, ITEM);
	uma_zfree(zone, item);
	KUNIT_EXPECT_PTR_EQ(test, uma_zalloc(zone, M_NOWAIT), (void *)item);
	KUNIT_EXPECT_NULL(test, memchr_inv(item, 7, ITEM));
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* UMA-18 */

static uma_zone_t backed_zone(struct kunit *test, struct vm_object *obj,
			      int nitems)
{
	uma_zone_t zone = uma_zcreate("uma 18", ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, 0);
	int error;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	error = uma_zone_set_obj(zone, obj, nitems);
	if (error) {
		KUNIT_EXPECT_EQ(test, uma_kva_supported() ? 0 : -EOPNOTSUPP,
				error);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		kunit_skip(test, "no address ranges on this architecture");
	}
	return zone;
}

static void uma_18_backing_is_refused_where_it_cannot_be(struct kunit *test)
{
	uma_zone_t zone = uma_zcreate("uma 18", ITEM, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, 0);
	void *item;
	int error;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, -3), -EINVAL);
	error = uma_zone_set_obj(zone, NULL, 100);
	KUNIT_EXPECT_EQ(test, error, uma_kva_supported() ? 0 : -EOPNOTSUPP);
	/* Either way the zone works. */
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, item);
	pr_info("uma-expect-begin: cannot set backing of zone \"uma 18\"\n");
	KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, 100), -EBUSY);
	pr_info("uma-expect-end\n");
	uma_zfree(zone, item);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

static bool can_read(const void *addr)
{
	unsigned long word;

	return !copy_from_kernel_nofault(&word, addr, sizeof(word));
}

static void uma_18_stray_access_faults_at_once(struct kunit *test)
{
	struct vm_object *owner = (void *)0x0b7ec7;
	uma_zone_t zone = backed_zone(test, owner, MANY);
	void **items = uma_test_items(test, 2 * MANY);
	unsigned long free_before, i, open = 0;
	struct uma_kva *kva = zone->uz_keg->uk_kva;
	struct uma_pool_stats st;
	int max;

	max = uma_zone_get_max(zone);
	KUNIT_EXPECT_GE(test, max, MANY);
	KUNIT_ASSERT_LT(test, max, 2 * MANY);

	/* The range is there and empty; touching it brings nothing in. */
	uma_pool_get_stats(uma_pool, &st);
	free_before = st.free;
	for (i = 0; i < kva->npages; i++)
		open += can_read(kva->base + i * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, open, 0);
	uma_pool_get_stats(uma_pool, &st);
	KUNIT_EXPECT_EQ(test, st.free, free_before);

	/* As slabs are made their pages can be touched, and no others. */
	items[0] = uma_zalloc(zone, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, items[0]);
	for (i = 0, open = 0; i < kva->npages; i++)
		open += can_read(kva->base + i * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, open, uma_keg_pages(zone->uz_keg));
	KUNIT_EXPECT_LT(test, open, kva->npages);

	/* All of it, to the last item and no further. */
	for (i = 1; i < max; i++) {
		items[i] = uma_zalloc(zone, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
		memset(items[i], 0x5a, ITEM);
		KUNIT_EXPECT_TRUE(test, uma_kva_contains(items[i]));
	}
	KUNIT_EXPECT_NULL(test, uma_zalloc(zone, M_NOWAIT));
	for (i = 0; i < kva->npages; i++) {
		KUNIT_ASSERT_NOT_NULL(test, kva->pages[i]);
		KUNIT_EXPECT_PTR_EQ(test, kva->pages[i]->object, owner);
	}
	uma_test_put(zone, items, max);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_GT(test, uma_keg_pages(zone->uz_keg), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
}

/* A fixed backing keeps its slabs, so a fini would never run: that is said. */
static void uma_22_fini_never_runs_in_a_backed_zone(struct kunit *test)
{
	uma_zone_t zone;
	void *item;

	if (!uma_kva_supported())
		kunit_skip(test, "no address ranges on this architecture");
	memset(&calls, 0, sizeof(calls));
	zone = uma_zcreate("uma 22 backed", ITEM, NULL, NULL, h_init, h_fini,
			   UMA_ALIGN_PTR, 0);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	pr_info("uma-expect-begin: zone \"uma 22 backed\" never frees .* fini will not run\n");
	KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, MANY), 0);
	pr_info("uma-expect-end\n");
	item = uma_zalloc(zone, M_WAITOK);
	KUNIT_EXPECT_NOT_NULL(test, item);
	uma_zfree(zone, item);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	KUNIT_EXPECT_GT(test, calls.init, 0);
	KUNIT_EXPECT_EQ(test, calls.fini, 0);
}

/* The lock of a backed keg inside that of another, as its users nest them. */
static void uma_18_lock_has_a_class_of_its_own(struct kunit *test)
{
	uma_zone_t backed = backed_zone(test, NULL, MANY);
	uma_zone_t plain = uma_zcreate("uma 18 plain", ITEM, NULL, NULL, NULL,
				       NULL, UMA_ALIGN_PTR, 0);
	unsigned long irq;

	KUNIT_ASSERT_NOT_NULL(test, plain);
	raw_spin_lock_irqsave(&plain->uz_keg->uk_lock, irq);
	raw_spin_lock(&backed->uz_keg->uk_lock);
	raw_spin_unlock(&backed->uz_keg->uk_lock);
	raw_spin_unlock_irqrestore(&plain->uz_keg->uk_lock, irq);
#ifdef CONFIG_LOCKDEP
	KUNIT_EXPECT_STREQ(test, backed->uz_keg->uk_lock.dep_map.name,
			   "uma_keg_backed");
	KUNIT_EXPECT_TRUE(test, debug_locks);
#endif
	KUNIT_EXPECT_EQ(test, uma_zdestroy(plain), 0);
	KUNIT_EXPECT_EQ(test, uma_zdestroy(backed), 0);
}

/* The same for who asks for it by flag. */
static void uma_18_mtxclass_gives_a_zone_a_lock_class(struct kunit *test)
{
	uma_zone_t zone[2];
	unsigned long irq;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		zone[i] = uma_zcreate("uma 18 class", ITEM, NULL, NULL, NULL,
				      NULL, UMA_ALIGN_PTR, UMA_ZONE_MTXCLASS);
		KUNIT_ASSERT_NOT_NULL(test, zone[i]);
	}
	raw_spin_lock_irqsave(&zone[0]->uz_keg->uk_lock, irq);
	raw_spin_lock(&zone[1]->uz_keg->uk_lock);
	raw_spin_unlock(&zone[1]->uz_keg->uk_lock);
	raw_spin_unlock_irqrestore(&zone[0]->uz_keg->uk_lock, irq);
#ifdef CONFIG_LOCKDEP
	KUNIT_EXPECT_TRUE(test, debug_locks);
#endif
	for (i = 0; i < 2; i++) {
		void *item = uma_zalloc(zone[i], M_WAITOK);

		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone[i], item);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone[i]), 0);
	}
}

/* UMA_ZONE_CONTIG and UMA_ZONE_CACHESPREAD */

static void *some_allocf(uma_zone_t zone, vm_size_t size, u8 *pflag, int wait)
{
	return NULL;
}

static void keg_contig_slabs_are_contiguous(struct kunit *test)
{
	static const size_t sizes[] = { ITEM, 3000, PAGE_SIZE, 5 * PAGE_SIZE,
					64 * PAGE_SIZE };
	void *items[8];
	unsigned int s, i, p, bad = 0;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		uma_zone_t zone = uma_test_zone(test, "contig", sizes[s],
						UMA_ZONE_CONTIG);

		uma_test_get(test, zone, items, ARRAY_SIZE(items));
		for (i = 0; i < ARRAY_SIZE(items); i++) {
			struct uma_slab *slab;
			struct page *page;
			u32 num;

			slab = uma_keg_slab(zone->uz_keg, items[i], &num);
			KUNIT_ASSERT_NOT_NULL(test, slab);
			page = virt_to_page(slab->us_data);
			for (p = 1; p < zone->uz_keg->uk_layout.pages; p++)
				bad += page_to_pfn(virt_to_page(slab->us_data +
								p * PAGE_SIZE)) !=
				       page_to_pfn(page) + p;
		}
		uma_test_put(zone, items, ARRAY_SIZE(items));
		uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
		/* Memory from elsewhere might not be. */
		KUNIT_EXPECT_EQ(test, uma_zone_set_allocf(zone, some_allocf),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, uma_zone_set_obj(zone, NULL, 10),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
}

/*
 * Every second page of the pool is taken, and what is free are single pages. Zones
 * of the VM go on; others, whose slabs of this size take several, do not.
 */
static void keg_zones_of_the_vm_need_no_runs(struct kunit *test)
{
	/* One with its header in the page, one with it elsewhere. */
	static const size_t sizes[] = { 216, 3000 };
	LIST_HEAD(taken);
	LIST_HEAD(singles);
	struct vm_page *m, *next;
	void **items = uma_test_items(test, MANY);
	unsigned int s, i;

	while ((m = uma_pool_alloc(uma_pool, 1, M_NOWAIT | M_USE_RESERVE)))
		list_add(&m->pageq, &taken);
	list_for_each_entry_safe(m, next, &taken, pageq)
		if (m->phys_pfn & 1)
			list_move(&m->pageq, &singles);
	uma_pool_free_list(uma_pool, &singles);
	KUNIT_EXPECT_NULL(test, uma_pool_alloc(uma_pool, 2, M_USE_RESERVE));
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		uma_zone_t other = uma_test_zone(test, "other", sizes[s], 0);
		uma_zone_t zone = uma_test_zone(test, "of the VM", sizes[s],
						UMA_ZONE_VM);

		KUNIT_EXPECT_GT(test, other->uz_keg->uk_layout.pages, 1);
		KUNIT_EXPECT_NULL(test, uma_zalloc(other, M_NOWAIT));
		for (i = 0; i < MANY; i++) {
			items[i] = uma_zalloc(zone, M_NOWAIT);
			if (!items[i])
				break;
		}
		KUNIT_EXPECT_EQ_MSG(test, i, MANY, "size %zu", sizes[s]);
		uma_test_put(zone, items, i);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(other), 0);
	}
	uma_pool_free_list(uma_pool, &taken);
}

/* Of many items no place in the pages has more than its share. */
static void keg_spread_items_start_everywhere(struct kunit *test)
{
	static const size_t sizes[] = { 64, 256, 1024, 2048, PAGE_SIZE };
	u16 *starts = kunit_kcalloc(test, PAGE_SIZE / SMP_CACHE_BYTES,
				    sizeof(*starts), GFP_KERNEL);
	void **items = uma_test_items(test, MANY);
	unsigned int s, i, lines, most;

	KUNIT_ASSERT_NOT_NULL(test, starts);
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		uma_zone_t zone = uma_zcreate("spread", sizes[s], NULL, NULL,
					      NULL, NULL, UMA_ALIGN_CACHE,
					      UMA_ZONE_CACHESPREAD);

		KUNIT_ASSERT_NOT_NULL(test, zone);
		uma_test_get(test, zone, items, MANY);
		memset(starts, 0, PAGE_SIZE / SMP_CACHE_BYTES * sizeof(*starts));
		lines = 0;
		most = 0;
		for (i = 0; i < MANY; i++) {
			u32 at = offset_in_page(items[i]) / SMP_CACHE_BYTES;

			KUNIT_EXPECT_EQ(test, offset_in_page(items[i]) %
					      SMP_CACHE_BYTES, 0);
			memset(items[i], i, sizes[s]);
			lines += !starts[at];
			most = max_t(unsigned int, most, ++starts[at]);
		}
		for (i = 0; i < MANY; i++)
			KUNIT_EXPECT_NULL(test, memchr_inv(items[i], (u8)i,
							   sizes[s]));
		/* Of 64 lines; a slab has items for half of them at least. */
		KUNIT_EXPECT_GE_MSG(test, lines, 31, "size %zu", sizes[s]);
		KUNIT_EXPECT_LE_MSG(test, most, 2 * DIV_ROUND_UP(MANY, 31),
				    "size %zu", sizes[s]);
		uma_test_put(zone, items, MANY);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
}

/* Each flag by itself does something or is refused. */
static void keg_flags_that_are_not_supported(struct kunit *test)
{
	static const u32 supported = UMA_ZONE_ZINIT | UMA_ZONE_CONTIG |
		UMA_ZONE_OFFPAGE | UMA_ZONE_NOFREE | UMA_ZONE_MTXCLASS |
		UMA_ZONE_REFCNT | UMA_ZONE_MAXBUCKET | UMA_ZONE_MINBUCKET |
		UMA_ZONE_CACHESPREAD | UMA_ZONE_PCPU | UMA_ZONE_FIRSTTOUCH |
		UMA_ZONE_ROUNDROBIN | UMA_ZONE_VM;
	static const u32 clashes[] = {
		UMA_ZONE_MAXBUCKET | UMA_ZONE_MINBUCKET,
		UMA_ZONE_PCPU | UMA_ZONE_CACHESPREAD,
		UMA_ZONE_VM | UMA_ZONE_CACHESPREAD,
		UMA_ZONE_VM | UMA_ZONE_PCPU,
		UMA_ZONE_FIRSTTOUCH | UMA_ZONE_ROUNDROBIN,
	};
	unsigned int i;

	pr_info("uma-expect-begin: cannot create zone \"flags\": flags 0x1 are not supported\n");
	for (i = 0; i < 32 + ARRAY_SIZE(clashes); i++) {
		u32 flag = i < 32 ? BIT(i) : clashes[i - 32];
		uma_zone_t zone = uma_zcreate("flags", ITEM, NULL, NULL, NULL,
					      NULL, UMA_ALIGN_PTR, flag);
		void *item;

		KUNIT_EXPECT_EQ_MSG(test, !!zone,
				    i < 32 && supported & flag, "flag %#x",
				    flag);
		if (!zone)
			continue;
		item = uma_zalloc(zone, M_NOWAIT);
		KUNIT_EXPECT_NOT_NULL(test, item);
		uma_zfree(zone, item);
		KUNIT_EXPECT_EQ(test, uma_zdestroy(zone), 0);
	}
	pr_info("uma-expect-end\n");
}

static struct kunit_case keg_cases[] = {
	KUNIT_CASE(uma_01_zones_stacked_on_one_keg),
	KUNIT_CASE(uma_01_stacked_zones_share_the_slabs),
	KUNIT_CASE(uma_17_pages_leave_as_they_came),
	KUNIT_CASE(uma_17_only_own_pages_are_touched),
	KUNIT_CASE(uma_17_memory_of_the_consumer_keeps_its_owner),
	KUNIT_CASE(uma_02_counters_beside_memory_of_the_consumer),
	KUNIT_CASE(keg_allocf_may_refuse),
	KUNIT_CASE(keg_allocf_must_align),
	KUNIT_CASE(keg_prealloc_makes_slabs_ahead),
	KUNIT_CASE(keg_zinit_flag_clears_new_items_only),
	KUNIT_CASE(keg_contig_slabs_are_contiguous),
	KUNIT_CASE(keg_zones_of_the_vm_need_no_runs),
	KUNIT_CASE(keg_spread_items_start_everywhere),
	KUNIT_CASE(keg_flags_that_are_not_supported),
	KUNIT_CASE(uma_18_backing_is_refused_where_it_cannot_be),
	KUNIT_CASE(uma_18_stray_access_faults_at_once),
	KUNIT_CASE(uma_22_fini_never_runs_in_a_backed_zone),
	KUNIT_CASE(uma_18_lock_has_a_class_of_its_own),
	KUNIT_CASE(uma_18_mtxclass_gives_a_zone_a_lock_class),
	{}
};

static struct kunit_suite keg_suite = {
	.name = "keg",
	.init = uma_test_init,
	.exit = uma_test_exit,
	.test_cases = keg_cases,
};

kunit_test_suite(keg_suite);

MODULE_DESCRIPTION("KUnit: kegs, their slabs and where the memory comes from");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
