// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buckets: arrays of items that move between a zone and its users as one.
 *
 * A bucket is an item itself, of one of a few zones by size. So to allocate
 * one re-enters the allocator, which may find the bucket zone's own cache empty
 * and seek a bucket for it. Two rules keep that from going round in circles.
 * An allocation that is made for a bucket zone's own cache carries M_NOBUCKET:
 * inside it a bucket is refused, not sought. And the cache of a bucket zone works
 * with buckets strictly smaller than its items, that of the smallest zone with
 * none, so that freeing one, which can free another, comes to an end, and so
 * that emptying the zones from the largest to the smallest empties them all.
 * Buckets are a matter of speed; nobody waits for one, and who is refused works
 * on single items.
 */

#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "uma/uma_int.h"

/* Sizes step in powers of two from the first to the last. */
#define BUCKET_LEAST	4
#define BUCKET_MOST	128
/* Bytes of items that one bucket may keep from other zones. */
#define BUCKET_BYTES	(32 * 1024)

static struct {
	const char *name;
	unsigned int entries;
	uma_zone_t zone;
} bucket_zones[] = {
	{ "4 Bucket", 4 },
	{ "8 Bucket", 8 },
	{ "16 Bucket", 16 },
	{ "32 Bucket", 32 },
	{ "64 Bucket", 64 },
	{ "128 Bucket", 128 },
};

/* Index into bucket_zones by entries, in steps of BUCKET_LEAST, rounded up. */
static u8 bucket_lookup[BUCKET_MOST / BUCKET_LEAST + 1];

/**
 * uma_bucket_startup() - create the zones of buckets and fill the lookup table
 * @create: makes an internal zone of items of a size
 *
 * Until this has been called every bucket is refused.
 *
 * Context: process context, at load.
 * Return: 0 or -ENOMEM; then uma_bucket_zones() names those that were made.
 */
int uma_bucket_startup(uma_zone_t (*create)(const char *name, size_t size))
{
	unsigned int i, n;

	for (i = 0, n = 0; n < ARRAY_SIZE(bucket_lookup); n++) {
		if (n * BUCKET_LEAST > bucket_zones[i].entries)
			i++;
		bucket_lookup[n] = i;
	}
	/* The largest first: walks over the zones reclaim in this order. */
	for (i = ARRAY_SIZE(bucket_zones); i--;) {
		size_t size = struct_size_t(struct uma_bucket, ub_item,
					    bucket_zones[i].entries);
		uma_zone_t zone = create(bucket_zones[i].name, size);

		if (!zone)
			return -ENOMEM;
		zone->uz_bucket_max = i ? bucket_zones[i - 1].entries : 0;
		zone->uz_bucket_size = min(zone->uz_bucket_size,
					   zone->uz_bucket_max);
		bucket_zones[i].zone = zone;
	}
	return 0;
}

/**
 * uma_bucket_shutdown() - give the zones of buckets away, to be destroyed
 * @next: called with each of them; every bucket is refused from now on
 *
 * Context: process context, at unload.
 */
void uma_bucket_shutdown(void (*next)(uma_zone_t zone))
{
	unsigned int i;

	for (i = ARRAY_SIZE(bucket_zones); i--;) {
		uma_zone_t zone = bucket_zones[i].zone;

		bucket_zones[i].zone = NULL;
		if (zone)
			next(zone);
	}
}

/**
 * uma_bucket_fit() - the largest bucket that holds no more than so many items
 * @entries: how many
 *
 * Return: entries, 0 where every bucket is larger.
 */
unsigned int uma_bucket_fit(unsigned int entries)
{
	if (entries < BUCKET_LEAST)
		return 0;
	return min_t(unsigned int, rounddown_pow_of_two(entries), BUCKET_MOST);
}

/**
 * uma_bucket_max() - the largest bucket that suits a zone
 * @item_size: bytes of its items
 *
 * Return: entries.
 */
unsigned int uma_bucket_max(size_t item_size)
{
	return uma_bucket_fit(max_t(size_t, BUCKET_BYTES / item_size,
				    BUCKET_LEAST));
}

/**
 * uma_bucket_alloc() - allocate an empty bucket
 * @zone: the zone that it is for
 * @entries: the least number of items to hold, at most BUCKET_MOST; 0 where the
 *	zone is to have none
 * @flags: of the allocation that needs it; M_NOBUCKET is refused
 *
 * Context: any but NMI, in no section and under none of our locks. Never sleeps.
 * Return: the bucket or NULL.
 */
struct uma_bucket *uma_bucket_alloc(uma_zone_t zone, unsigned int entries,
				    int flags)
{
	unsigned int i = bucket_lookup[DIV_ROUND_UP(entries, BUCKET_LEAST)];
	struct uma_bucket *b;

	if (!entries || flags & M_NOBUCKET || !bucket_zones[i].zone)
		return NULL;
	flags = M_NOWAIT | (flags & M_USE_RESERVE);
	if (zone->uz_flags & UMA_ZFLAG_BUCKET)
		flags |= M_NOBUCKET;
	b = uma_internal->alloc(bucket_zones[i].zone, flags);
	if (b) {
		b->ub_cnt = 0;
		b->ub_entries = bucket_zones[i].entries;
	}
	return b;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_bucket_alloc);

/**
 * uma_bucket_free() - free a bucket without items
 * @b: the bucket, or NULL
 *
 * At unload, with its zone gone before it, it is lost with what zones others
 * left behind.
 *
 * Context: as uma_bucket_alloc().
 */
void uma_bucket_free(struct uma_bucket *b)
{
	uma_zone_t zone;

	if (!b)
		return;
	zone = bucket_zones[bucket_lookup[b->ub_entries / BUCKET_LEAST]].zone;
	if (zone)
		uma_internal->free(zone, b);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_bucket_free);

/**
 * uma_items_release() - move items from a zone to its keg
 * @zone: the zone
 * @items: items that no user has
 * @n: how many
 *
 * Context: as the zone's zfini; under none of our locks.
 * Return: how many there are in slabs now; the others were refused, with a message.
 */
unsigned int uma_items_release(uma_zone_t zone, void **items, unsigned int n)
{
	struct uma_keg *keg = zone->uz_keg;
	unsigned int i, freed = 0;

	if (!zone->uz_fini)
		return uma_keg_free(keg, zone->uz_name, items, n);
	/*
	 * One by one: what will be refused must not be touched, and an item that
	 * is here twice is refused only after it went the first time.
	 */
	for (i = 0; i < n; i++) {
		if (!uma_keg_check(keg, zone->uz_name, items[i]))
			continue;
		uma_item_unpoison(keg, items[i]);
		zone->uz_fini(items[i], keg->uk_size);
		uma_item_poison(keg, items[i]);
		freed += uma_keg_free(keg, zone->uz_name, &items[i], 1);
	}
	return freed;
}

/**
 * uma_bucket_empty() - move the items of a bucket to the keg
 * @zone: the zone of the items
 * @b: the bucket, ub_cnt right
 *
 * Context: as uma_items_release().
 */
void uma_bucket_empty(uma_zone_t zone, struct uma_bucket *b)
{
	uma_items_release(zone, b->ub_item, b->ub_cnt);
	b->ub_cnt = 0;
}
