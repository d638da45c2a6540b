// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reference counters of items.
 *
 * A zone with UMA_ZONE_REFCNT has a 32-bit counter for each item, in the
 * slab's header behind the bitmap. It is not part of the item and so survives
 * the item's free: who still holds a pointer to it, and lost a race for the last
 * reference, may compare and set it after the item went back. For that the
 * memory under the counter must stay a counter, which is why these zones never
 * give slabs back (UMA-03). A counter is 0 when its slab is made; from then on it
 * belongs to the consumer.
 */

#include "uma/guard.h"
#include "uma/uma_int.h"

/**
 * uma_find_refcnt() - the reference counter of an item
 * @zone: a zone with UMA_ZONE_REFCNT, or one stacked on it
 * @item: an item that the caller has allocated from it, or an address inside one
 *
 * Context: any but NMI.
 * Return: the counter; NULL with a warning where the zone has none or the item
 * is not the zone's.
 */
u32 *uma_find_refcnt(uma_zone_t zone, void *item)
{
	struct uma_keg *keg = zone->uz_keg;
	struct uma_slab *slab;
	u32 *counter;
	u32 num;

	if (WARN_ONCE(!(keg->uk_flags & UMA_ZONE_REFCNT),
		      "uma: zone %s has no reference counters\n", zone->uz_name))
		return NULL;
	if (uma_guard_covers(item)) {
		counter = uma_guard_refcnt(item);
		WARN_ONCE(!counter, "uma: no item of zone %s\n", zone->uz_name);
		return counter;
	}
	slab = uma_keg_slab(keg, item, &num);
	if (WARN_ONCE(!slab, "uma: no item of zone %s\n", zone->uz_name))
		return NULL;
	return (u32 *)((void *)slab + keg->uk_layout.ref_off) + num;
}
EXPORT_SYMBOL_GPL(uma_find_refcnt);
