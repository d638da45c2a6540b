/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guard of items must be able to do, and how it registers.
 *
 * A guard stands above UMA and lends it memory for chosen items. UMA asks it at
 * four places: which zones and malloc types it wants, for memory of an item of
 * theirs, when such an item is freed, and when memory is short. See guard.c.
 */
#ifndef _UMA_GUARD_H
#define _UMA_GUARD_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "uma/uma.h"

/* What a rule is matched against. */
enum uma_guard_kind {
	UMA_GUARD_ZONE,
	UMA_GUARD_TYPE,
};

/**
 * struct uma_guard_client - whom a guarded item belongs to
 * @kind: a zone or a malloc type
 * @name: its name
 * @addr: its address, by which a free knows its owner
 * @size: bytes of an item; 0 for a type
 * @type_stable: its users may look at an item that is free already
 */
struct uma_guard_client {
	enum uma_guard_kind kind;
	const char *name;
	const void *addr;
	size_t size;
	bool type_stable;
};

/**
 * struct uma_guard_ops - a guard
 * @rule: which of its rules concerns a client, 0 if none; 255 at the most. Any
 *	context but NMI
 * @alloc: memory of @size bytes at a multiple of @align, a power of two, for an
 *	item under a rule; NULL if this item is not to be guarded, or there is no
 *	memory for it. The contents are whatever they are. With M_WAITOK in @flags
 *	it may sleep, otherwise any context but NMI, under any lock
 * @claim: an item is being freed: true for exactly one free of an item that is
 *	@client's and out. Any other was reported, and the item is to be left alone
 * @retire: what was claimed, or allocated and never handed out, is free from now on
 * @foreign: @item was freed to a guarded client and is no item; @why says what
 *	is known
 * @size: bytes of an item that is out; 0 if that address is none, or not @client's,
 *	where that is not NULL
 * @refcnt: the reference counter that goes with an item, or with the item that an
 *	address lies in, be it free since; NULL if it is of none
 * @reclaim: memory is short: give back what can be spared. May sleep
 */
struct uma_guard_ops {
	unsigned int (*rule)(const struct uma_guard_client *client);
	void *(*alloc)(const struct uma_guard_client *client, unsigned int rule,
		       size_t size, size_t align, int flags);
	bool (*claim)(const struct uma_guard_client *client, void *item);
	void (*retire)(void *item);
	void (*foreign)(const struct uma_guard_client *client, void *item,
			const char *why);
	size_t (*size)(const struct uma_guard_client *client,
		       const void *item);
	u32 *(*refcnt)(const void *item);
	void (*reclaim)(void);
};

/* The guard's addresses, none as long as there is none; they never move. */
extern unsigned long uma_guard_start;
extern unsigned long uma_guard_bytes;

/**
 * uma_guard_covers() - whether an address is one of the guard's
 * @addr: any value at all
 *
 * Context: any.
 */
static inline bool uma_guard_covers(const void *addr)
{
	unsigned long start = READ_ONCE(uma_guard_start);

	return (unsigned long)addr - start < READ_ONCE(uma_guard_bytes);
}

/* For the guard. */
void uma_guard_register(const struct uma_guard_ops *ops);
void uma_guard_set_range(void *start, size_t bytes);
void uma_zone_guard_refresh(void);
void uma_malloc_guard_refresh(void);

/* For zones and malloc types. */
void uma_guard_decide(uma_zone_t zone);
void *uma_guard_zalloc(uma_zone_t zone, int flags);
bool uma_guard_zclaim(uma_zone_t zone, void *item);
bool uma_guard_zretire(uma_zone_t zone, void *item);
bool uma_guard_unused(uma_zone_t zone);
void uma_guard_zforeign(uma_zone_t zone, void *item, const char *why);
u32 *uma_guard_refcnt(const void *item);
unsigned int uma_guard_type_rule(struct malloc_type *type);
void *uma_guard_malloc(struct malloc_type *type, size_t size, size_t align,
		       int flags);
size_t uma_guard_free(struct malloc_type *type, void *addr);
size_t uma_guard_size(const void *addr);
size_t uma_guard_type_size(struct malloc_type *type, const void *addr);
void uma_guard_foreign(struct malloc_type *type, void *addr, const char *why);
void uma_guard_reclaim(void);

#endif /* _UMA_GUARD_H */
