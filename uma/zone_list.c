// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of all zones, and walks over it that hold no lock.
 *
 * A walk pins the zone that it stands on. The list's mutex is held only to step
 * from one zone to the next, so that what is done at a zone may sleep, run
 * callbacks, create zones, or start another walk: uma_reclaim() from inside an
 * allocation, or from a fini, finds no lock of ours held (UMA-16). A pinned
 * zone stays on the list; who destroys a zone waits for its pins. So the one
 * thing that a walk must not do is to destroy the zone that it stands on.
 */

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait_bit.h>

#include "uma/uma_int.h"

static LIST_HEAD(zones);
static DEFINE_MUTEX(zones_lock);
static unsigned int zones_count;

/**
 * uma_zone_list_add() - let walks see a zone
 * @zone: the zone, complete
 *
 * Context: process context, may sleep.
 */
void uma_zone_list_add(uma_zone_t zone)
{
	refcount_set(&zone->uz_pins, 1);
	mutex_lock(&zones_lock);
	list_add_tail(&zone->uz_link, &zones);
	WRITE_ONCE(zones_count, zones_count + 1);
	mutex_unlock(&zones_lock);
}

/**
 * uma_zone_list_hide() - keep walks off a zone
 * @zone: the zone; no walk stands on it or will find it when this returns
 *
 * Context: process context, may sleep; not from a walk over this very zone.
 */
void uma_zone_list_hide(uma_zone_t zone)
{
	uma_zone_put(zone);
	wait_var_event(&zone->uz_pins, !refcount_read(&zone->uz_pins));
}

/**
 * uma_zone_list_show() - let walks see a hidden zone again, where it was
 * @zone: the zone
 *
 * Context: process context.
 */
void uma_zone_list_show(uma_zone_t zone)
{
	refcount_set(&zone->uz_pins, 1);
}

/**
 * uma_zone_list_del() - take a hidden zone off the list
 * @zone: the zone
 *
 * Context: process context, may sleep.
 */
void uma_zone_list_del(uma_zone_t zone)
{
	mutex_lock(&zones_lock);
	WRITE_ONCE(zones_count, zones_count - 1);
	list_del(&zone->uz_link);
	mutex_unlock(&zones_lock);
}

/**
 * uma_zone_put() - end a walk before its end
 * @zone: the zone that it stands on
 *
 * Context: process context.
 */
void uma_zone_put(uma_zone_t zone)
{
	if (refcount_dec_and_test(&zone->uz_pins)) {
		/* The waiter sees no pin, or we see the waiter. */
		smp_mb__after_atomic();
		wake_up_var(&zone->uz_pins);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_zone_put);

/* The next zone after @zone, pinned, or NULL at the end; the list is locked. */
static uma_zone_t zone_after(uma_zone_t zone)
{
	struct uma_zone *next = zone;

	lockdep_assert_held(&zones_lock);
	next = list_prepare_entry(next, &zones, uz_link);
	list_for_each_entry_continue(next, &zones, uz_link)
		if (refcount_inc_not_zero(&next->uz_pins))
			return next;
	return NULL;
}

/**
 * uma_zone_list_next() - step
 * @zone: the zone that the walk stands on, or NULL to begin
 *
 * Context: process context, may sleep.
 * Return: the next zone, pinned, or NULL at the end.
 */
uma_zone_t uma_zone_list_next(uma_zone_t zone)
{
	uma_zone_t next;

	mutex_lock(&zones_lock);
	next = zone_after(zone);
	mutex_unlock(&zones_lock);
	if (zone)
		uma_zone_put(zone);
	return next;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_zone_list_next);

/**
 * uma_zone_list_trynext() - step, in a walk that must not wait
 * @zone: the zone that the walk stands on, or NULL to begin
 *
 * Context: process context, the kernel's reclaim included.
 * Return: the next zone, pinned, or NULL at the end or where somebody else is
 * just taking a step.
 */
uma_zone_t uma_zone_list_trynext(uma_zone_t zone)
{
	uma_zone_t next = NULL;

	if (mutex_trylock(&zones_lock)) {
		next = zone_after(zone);
		mutex_unlock(&zones_lock);
	}
	if (zone)
		uma_zone_put(zone);
	return next;
}

/**
 * uma_zone_list_count() - how many zones there are
 *
 * Context: any. Zones may come and go before the caller acts on it.
 */
unsigned int uma_zone_list_count(void)
{
	return READ_ONCE(zones_count);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_zone_list_count);
