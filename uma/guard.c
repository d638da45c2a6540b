// SPDX-License-Identifier: GPL-2.0-only
/*
 * Items whose memory a guard lends.
 *
 * A guard stands above UMA and registers what it can do (uma/guard.h). A zone
 * that one of its rules concerns has UC_GUARD_ALLOC set, and its allocations go
 * past the cache: the guard is asked for memory, which then goes through init,
 * zinit and the constructor as any item does, and at its free through dtor, zfini
 * and fini. Where the guard has nothing to lend the item comes from the zone as
 * ever. So a guarded zone has items of both kinds, and a free tells them apart by
 * address alone: what lies in the guard's range goes back there, whatever the
 * rules have become.
 *
 * That takes a look at each free, for which UC_GUARD_FREE stands. It is set
 * before the first item can be lent and stays until the last one is back, which
 * uz_guarded knows: who allocates counts first and then looks whether the zone is
 * guarded still; who ends the guarding says so first and then looks at the count
 * (guard_begin(), uma_guard_decide()). One of the two sees the other.
 *
 * Lent items are not part of the keg: they take nothing from its limit, and are in
 * none of its slabs. They count in the zone's allocations and frees.
 */

#include <linux/err.h>

#include "uma/guard.h"
#include "uma/uma_int.h"

unsigned long uma_guard_start;
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_guard_start);
unsigned long uma_guard_bytes;
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_guard_bytes);

static const struct uma_guard_ops *guard;

/**
 * uma_guard_register() - set the guard
 * @ops: the guard, or NULL: then nothing is guarded any more, nothing of it is
 *	out, and nobody else calls us
 *
 * The zones and types know of it after uma_zone_guard_refresh() and
 * uma_malloc_guard_refresh().
 *
 * Context: process context, at load and unload.
 */
void uma_guard_register(const struct uma_guard_ops *ops)
{
	if (!ops)
		WRITE_ONCE(uma_guard_bytes, 0);
	WRITE_ONCE(guard, ops);
}

/**
 * uma_guard_set_range() - say where the guard's memory is
 * @start: its first address
 * @bytes: how many
 *
 * Context: process context; once, before the guard lends anything.
 */
void uma_guard_set_range(void *start, size_t bytes)
{
	WRITE_ONCE(uma_guard_start, (unsigned long)start);
	/* Whoever frees an item of the range got it from somebody after this. */
	smp_wmb();
	WRITE_ONCE(uma_guard_bytes, bytes);
}

/* Whether items of a zone can lie anywhere at all. */
static bool zone_guardable(uma_zone_t zone)
{
	const u32 elsewhere = UMA_ZFLAG_INTERNAL | UMA_ZFLAG_BUCKET |
			      UMA_ZFLAG_MALLOC | UMA_ZONE_PCPU |
			      UMA_ZONE_CONTIG;
	struct uma_keg *keg = zone->uz_keg;

	return !(keg->uk_flags & elsewhere) && !keg->uk_import &&
	       !keg->uk_allocf && !keg->uk_kva;
}

static void zone_client(uma_zone_t zone, struct uma_guard_client *client)
{
	struct uma_keg *keg = zone->uz_keg;

	client->kind = UMA_GUARD_ZONE;
	client->name = zone->uz_name;
	client->addr = zone;
	client->size = keg->uk_size;
	/* The counter may be looked at after the free, but not the item. */
	client->type_stable = keg->uk_flags & UMA_ZONE_NOFREE &&
			      !(keg->uk_flags & UMA_ZONE_REFCNT);
}

/**
 * uma_guard_decide() - let a zone be guarded, or not, as the rules say
 * @zone: the zone
 *
 * Context: process context; one at a time.
 */
void uma_guard_decide(uma_zone_t zone)
{
	const struct uma_guard_ops *ops = READ_ONCE(guard);
	struct uma_guard_client client;
	unsigned int rule = 0;

	if (ops && zone_guardable(zone)) {
		zone_client(zone, &client);
		rule = ops->rule(&client);
	}
	WRITE_ONCE(zone->uz_guard_rule, rule);
	if (rule)
		uma_keg_set_zone_flag(zone->uz_keg, zone, UC_GUARD_FREE, true);
	/* No item is lent whose free would not be looked at. */
	smp_wmb();
	uma_keg_set_zone_flag(zone->uz_keg, zone, UC_GUARD_ALLOC, rule);
	/* Pairs with guard_begin(). */
	smp_mb();
	if (!rule)
		uma_keg_set_zone_flag(zone->uz_keg, zone, UC_GUARD_FREE,
				      atomic_read(&zone->uz_guarded));
}

/* Whether an item may be lent to a zone; if so, it counts as lent. */
static bool guard_begin(uma_zone_t zone)
{
	atomic_inc(&zone->uz_guarded);
	/* Pairs with uma_guard_decide(). */
	smp_mb__after_atomic();
	if (uma_cache_flags(raw_cpu_ptr(zone->uz_cpu)) & UC_GUARD_ALLOC)
		return true;
	atomic_dec(&zone->uz_guarded);
	return false;
}

/**
 * uma_guard_zalloc() - memory that the guard lends to a zone
 * @zone: the zone
 * @flags: M_*
 *
 * Context: as uma_zalloc().
 * Return: an item that init and zinit have seen; NULL where the guard lends
 * none; ERR_PTR(-ECANCELED) where one of these two failed.
 */
void *uma_guard_zalloc(uma_zone_t zone, int flags)
{
	const struct uma_guard_ops *ops = READ_ONCE(guard);
	int how = flags & (M_WAITOK | M_NOWAIT);
	struct uma_keg *keg = zone->uz_keg;
	struct uma_guard_client client;
	void *item;

	if (!guard_begin(zone))
		return NULL;
	zone_client(zone, &client);
	item = ops->alloc(&client, READ_ONCE(zone->uz_guard_rule),
			  keg->uk_size, keg->uk_align + 1, flags);
	if (!item)
		goto none;
	/* What a slab's memory is when it is made. */
	if (keg->uk_flags & UMA_ZONE_ZINIT)
		memset(item, 0, keg->uk_size);
	if (keg->uk_init && keg->uk_init(item, keg->uk_size, how))
		goto retire;
	if (zone->uz_init && zone->uz_init(item, keg->uk_size, how)) {
		if (keg->uk_fini)
			keg->uk_fini(item, keg->uk_size);
		goto retire;
	}
	return item;

retire:
	ops->retire(item);
	item = ERR_PTR(-ECANCELED);
none:
	atomic_dec(&zone->uz_guarded);
	return item;
}

/**
 * uma_guard_zclaim() - ask the guard whether a free of a lent item is right
 * @zone: the zone that it is freed to
 * @item: the item, in the guard's range
 *
 * Context: any but NMI.
 * Return: true for the one free that is; another was reported.
 */
bool uma_guard_zclaim(uma_zone_t zone, void *item)
{
	struct uma_guard_client client;

	zone_client(zone, &client);
	return READ_ONCE(guard)->claim(&client, item);
}

/**
 * uma_guard_zretire() - give a lent item back
 * @zone: the zone
 * @item: the item, claimed, or never handed out; dtor has run
 *
 * Even in a zone that gives no memory back the item meets zfini and fini, since
 * it met init when it came.
 *
 * Context: any but NMI.
 * Return: true if it was the last one and the zone is not guarded any more, so
 * that uma_guard_decide() is due.
 */
bool uma_guard_zretire(uma_zone_t zone, void *item)
{
	struct uma_keg *keg = zone->uz_keg;

	if (zone->uz_fini)
		zone->uz_fini(item, keg->uk_size);
	if (keg->uk_fini)
		keg->uk_fini(item, keg->uk_size);
	READ_ONCE(guard)->retire(item);
	return atomic_dec_and_test(&zone->uz_guarded) &&
	       !READ_ONCE(zone->uz_guard_rule);
}

/**
 * uma_guard_unused() - is a zone's guarding over, without anybody knowing yet?
 * @zone: the zone, after uma_guard_zalloc() lent nothing
 *
 * Who was about to lend an item counted it, and may thereby have kept
 * uma_guard_decide() from clearing UC_GUARD_FREE.
 *
 * Context: any.
 * Return: true if uma_guard_decide() is due.
 */
bool uma_guard_unused(uma_zone_t zone)
{
	/* Between our count, which is down again, and the rule. */
	smp_mb();
	return !READ_ONCE(zone->uz_guard_rule) &&
	       !atomic_read(&zone->uz_guarded);
}

/**
 * uma_guard_zforeign() - report a free to a guarded zone of what is no item
 * @zone: the zone
 * @item: the address
 * @why: what it is instead
 *
 * Context: any but NMI.
 */
void uma_guard_zforeign(uma_zone_t zone, void *item, const char *why)
{
	struct uma_guard_client client;

	zone_client(zone, &client);
	READ_ONCE(guard)->foreign(&client, item, why);
}

/**
 * uma_guard_refcnt() - the reference counter of a lent item
 * @item: the item, or an address inside it
 *
 * Context: any.
 * Return: the counter, or NULL if that is in no item.
 */
u32 *uma_guard_refcnt(const void *item)
{
	return READ_ONCE(guard)->refcnt(item);
}

/* The same for malloc types. */

static void type_client(struct malloc_type *type,
			struct uma_guard_client *client)
{
	client->kind = UMA_GUARD_TYPE;
	client->name = type->ks_shortdesc ?: "(no name)";
	client->addr = type;
	client->size = 0;
	client->type_stable = false;
}

/**
 * uma_guard_type_rule() - which rule concerns a malloc type
 * @type: the type
 *
 * Context: any but NMI, under any lock.
 * Return: the rule, or 0.
 */
unsigned int uma_guard_type_rule(struct malloc_type *type)
{
	const struct uma_guard_ops *ops = READ_ONCE(guard);
	struct uma_guard_client client;

	if (!ops)
		return 0;
	type_client(type, &client);
	return ops->rule(&client);
}

/**
 * uma_guard_malloc() - memory that the guard lends to a malloc type
 * @type: the type
 * @size: bytes, not 0
 * @align: of the address, a power of two
 * @flags: M_*
 *
 * Context: as bsd_malloc().
 * Return: the memory, or NULL where the guard lends none.
 */
void *uma_guard_malloc(struct malloc_type *type, size_t size, size_t align,
		       int flags)
{
	struct uma_guard_client client;

	type_client(type, &client);
	return READ_ONCE(guard)->alloc(&client, READ_ONCE(type->ks_guard_rule),
				       size, align, flags);
}

/**
 * uma_guard_free() - give memory of a malloc type back
 * @type: the type that it is freed to
 * @addr: the memory, in the guard's range
 *
 * Context: any but NMI.
 * Return: how many bytes it had; 0 where the free was wrong and was reported.
 */
size_t uma_guard_free(struct malloc_type *type, void *addr)
{
	const struct uma_guard_ops *ops = READ_ONCE(guard);
	struct uma_guard_client client;
	size_t size;

	type_client(type, &client);
	if (!ops->claim(&client, addr))
		return 0;
	size = ops->size(&client, addr);
	ops->retire(addr);
	return size;
}

/**
 * uma_guard_size() - bytes of memory that was lent
 * @addr: an address in the guard's range
 *
 * Context: any.
 * Return: bytes; 0 if that is no item that is out.
 */
size_t uma_guard_size(const void *addr)
{
	return READ_ONCE(guard)->size(NULL, addr);
}

/**
 * uma_guard_type_size() - bytes of memory that was lent to a malloc type
 * @type: the type
 * @addr: an address in the guard's range
 *
 * Context: any.
 * Return: bytes; 0 if that is no item of the type that is out.
 */
size_t uma_guard_type_size(struct malloc_type *type, const void *addr)
{
	struct uma_guard_client client;

	type_client(type, &client);
	return READ_ONCE(guard)->size(&client, addr);
}

/**
 * uma_guard_foreign() - report a free to a guarded type of what is no block
 * @type: the type
 * @addr: the address
 * @why: what it is instead
 *
 * Context: any but NMI.
 */
void uma_guard_foreign(struct malloc_type *type, void *addr, const char *why)
{
	struct uma_guard_client client;

	type_client(type, &client);
	READ_ONCE(guard)->foreign(&client, addr, why);
}

/**
 * uma_guard_reclaim() - memory is short
 *
 * Context: process context, may sleep.
 */
void uma_guard_reclaim(void)
{
	const struct uma_guard_ops *ops = READ_ONCE(guard);

	if (ops)
		ops->reclaim();
}
