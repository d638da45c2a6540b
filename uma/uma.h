/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uma(9) for Linux: the interface that consumers of uma.ko include.
 *
 * Names, arguments and meanings are those of the BSD manual page, so that BSD
 * code ports by recompiling. What differs is said at the declaration.
 */
#ifndef _UMA_UMA_H
#define _UMA_UMA_H

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/types.h>

#include "uma/uma_stream.h"

struct uma_zone;
struct vm_object;

typedef struct uma_zone *uma_zone_t;
typedef size_t vm_size_t;

/*
 * How an allocation may behave. M_WAITOK is absolute: memory is waited for and
 * NULL comes back only from a constructor or initialiser that fails. Without
 * it the call works in any context but NMI and under any lock of the caller.
 */
#define M_NOWAIT	0x0001	/* fail rather than sleep */
#define M_WAITOK	0x0002	/* sleep until memory can be had */
#define M_ZERO		0x0100	/* the item comes back zeroed */
#define M_USE_RESERVE	0x0400	/* the last pages of the pool, and uma_zone_reserve() */

/*
 * Zone flags, by their BSD values. One that is not listed here, or that a
 * caller has no business to set, makes uma_zcreate() refuse.
 */
#define UMA_ZONE_ZINIT		0x0002	/* items are zeroed when their slab is made */
#define UMA_ZONE_CONTIG		0x0004	/* a slab's pages are physically contiguous */
#define UMA_ZONE_OFFPAGE	0x0008	/* slab header outside the slab */
#define UMA_ZONE_NOFREE		0x0020	/* slabs never go back to the pool */
#define UMA_ZONE_MTXCLASS	0x0040	/* lock class of its own for lockdep */
#define UMA_ZONE_VM		0x0080	/* for the VM: slabs of the fewest pages */
#define UMA_ZONE_SECONDARY	0x0200	/* read only: stacked on another zone's keg */
#define UMA_ZONE_REFCNT		0x0400	/* a reference counter for each item */
#define UMA_ZONE_MAXBUCKET	0x0800	/* the largest buckets, from the start */
#define UMA_ZONE_MINBUCKET	0x1000	/* the smallest buckets, for ever */
#define UMA_ZONE_CACHESPREAD	0x2000	/* items start at all offsets in a page */
#define UMA_ZONE_PCPU		0x8000	/* a copy of each item for each CPU */
/*
 * With several memory nodes: an item comes from the node of the CPU that asks for
 * it, which is also what a zone without either flag does; or slabs come from the
 * nodes in turn, and items as they come.
 */
#define UMA_ZONE_FIRSTTOUCH	0x10000
#define UMA_ZONE_ROUNDROBIN	0x20000

/* Alignment of items, as a mask: one less than a power of two. */
#define UMA_ALIGN_PTR	(sizeof(void *) - 1)
#define UMA_ALIGN_LONG	(sizeof(long) - 1)
#define UMA_ALIGN_INT	(sizeof(int) - 1)
#define UMA_ALIGN_SHORT	(sizeof(short) - 1)
#define UMA_ALIGN_CHAR	(sizeof(char) - 1)
#define UMA_ALIGN_CACHE	(SMP_CACHE_BYTES - 1)

/**
 * typedef uma_ctor - make an item ready for its user, at each allocation
 * @mem: the item
 * @size: its size in bytes, as given to uma_zcreate()
 * @arg: the argument of uma_zalloc_arg()
 * @flags: M_WAITOK or M_NOWAIT: whether it may sleep
 *
 * Called without any of UMA's locks. A zone that is used from interrupts needs
 * one that does not sleep.
 *
 * Return: 0, or an errno that makes the allocation fail.
 */
typedef int (*uma_ctor)(void *mem, int size, void *arg, int flags);

/**
 * typedef uma_dtor - undo uma_ctor, at each free
 * @mem: the item
 * @size: its size in bytes
 * @arg: the argument of uma_zfree_arg()
 */
typedef void (*uma_dtor)(void *mem, int size, void *arg);

/**
 * typedef uma_init - set up what outlives a free, once in an item's life
 * @mem: the item
 * @size: its size in bytes
 * @flags: M_WAITOK or M_NOWAIT: whether it may sleep
 *
 * As a keg's init it runs when the slab is made, as a zone's (zinit) when
 * the item moves from the keg to that zone's cache.
 *
 * Return: 0, or an errno that makes the allocation fail.
 */
typedef int (*uma_init)(void *mem, int size, int flags);

/**
 * typedef uma_fini - undo uma_init, before the memory goes
 * @mem: the item
 * @size: its size in bytes
 *
 * Memory is being given back, so it must not wait for any: M_NOWAIT only. A CPU
 * may be going, so it must not take the CPU hot-plug lock.
 */
typedef void (*uma_fini)(void *mem, int size);

/**
 * typedef uma_alloc - get the memory of a slab from somewhere else
 * @zone: the zone whose keg grows
 * @size: bytes wanted, a multiple of the page size
 * @pflag: where to leave a byte that uma_free is given back
 * @wait: M_WAITOK or M_NOWAIT, perhaps M_USE_RESERVE
 *
 * Return: page-aligned memory, or NULL.
 */
typedef void *(*uma_alloc)(uma_zone_t zone, vm_size_t size, u8 *pflag, int wait);

/**
 * typedef uma_free - give back what uma_alloc got
 * @mem: the memory
 * @size: its bytes
 * @pflag: the byte that uma_alloc left
 */
typedef void (*uma_free)(void *mem, vm_size_t size, u8 pflag);

/**
 * typedef uma_import - supply a cache-only zone with items
 * @arg: as given to uma_zcache_create()
 * @store: where to leave the items
 * @count: how many are wanted
 * @domain: the memory node that they are wanted from, if it matters
 * @flags: M_WAITOK or M_NOWAIT, perhaps M_USE_RESERVE
 *
 * Called without any of UMA's locks. With M_WAITOK it waits for memory itself: an
 * allocation that gets none from it fails.
 *
 * Return: how many it left there, 0 to @count.
 */
typedef int (*uma_import)(void *arg, void **store, int count, int domain,
			  int flags);

/**
 * typedef uma_release - take items of a cache-only zone back
 * @arg: as given to uma_zcache_create()
 * @store: the items
 * @count: how many
 */
typedef void (*uma_release)(void *arg, void **store, int count);

/**
 * typedef uma_maxaction_t - told that a zone has hit its limit
 * @zone: the zone
 * @unused: 0
 *
 * Called in process context, some time after; several hits may be told as one.
 */
typedef void (*uma_maxaction_t)(uma_zone_t zone, int unused);

uma_zone_t __uma_zcreate(const char *name, size_t size, uma_ctor ctor,
			 uma_dtor dtor, uma_init uminit, uma_fini fini,
			 int align, u32 flags, struct module *owner);
uma_zone_t __uma_zcache_create(const char *name, int size, uma_ctor ctor,
			       uma_dtor dtor, uma_init zinit, uma_fini zfini,
			       uma_import import, uma_release release,
			       void *arg, u32 flags, struct module *owner);
uma_zone_t __uma_zsecond_create(const char *name, uma_ctor ctor, uma_dtor dtor,
				uma_init zinit, uma_fini zfini,
				uma_zone_t master, struct module *owner);

/**
 * uma_zcreate() - create a zone with a keg of its own
 * @name: what statistics and messages call it; copied
 * @size: bytes of an item
 * @ctor: run at each allocation, or NULL
 * @dtor: run at each free, or NULL
 * @uminit: run once for each item when its slab is made, or NULL
 * @fini: run once for each item before its slab goes, or NULL
 * @align: UMA_ALIGN_*, or another mask of the form 2^n-1 below the page size
 * @flags: UMA_ZONE_*
 *
 * Context: process context, may sleep.
 * Return: the zone, or NULL with a message in the log that says why. (BSD's
 * cannot fail.)
 */
static inline uma_zone_t uma_zcreate(const char *name, size_t size,
				     uma_ctor ctor, uma_dtor dtor,
				     uma_init uminit, uma_fini fini,
				     int align, u32 flags)
{
	return __uma_zcreate(name, size, ctor, dtor, uminit, fini, align,
			     flags, THIS_MODULE);
}

/**
 * uma_zsecond_create() - stack a zone on the keg of another
 * @name: what statistics and messages call it; copied
 * @ctor: run at each allocation, or NULL
 * @dtor: run at each free, or NULL
 * @zinit: run when an item comes from the keg to this zone, or NULL
 * @zfini: run when an item goes from this zone to the keg, or NULL
 * @master: the zone whose keg is shared
 *
 * The module that made @master cannot be unloaded while another module has a
 * zone stacked on it.
 *
 * Context: process context, may sleep.
 * Return: the zone, or NULL with a message in the log that says why.
 */
static inline uma_zone_t uma_zsecond_create(const char *name, uma_ctor ctor,
					    uma_dtor dtor, uma_init zinit,
					    uma_fini zfini, uma_zone_t master)
{
	return __uma_zsecond_create(name, ctor, dtor, zinit, zfini, master,
				    THIS_MODULE);
}

/**
 * uma_zcache_create() - create a zone that only caches
 * @name: what statistics and messages call it; copied
 * @size: bytes of an item, for the callbacks, M_ZERO and statistics
 * @ctor: run at each allocation, or NULL
 * @dtor: run at each free, or NULL
 * @zinit: run when an item has been imported, or NULL
 * @zfini: run before an item is released, or NULL
 * @import: where items come from
 * @release: where they go
 * @arg: passed to both
 * @flags: UMA_ZONE_MAXBUCKET, UMA_ZONE_MINBUCKET, UMA_ZONE_MTXCLASS
 *
 * The zone has no slabs: a wrong free cannot be told from a right one.
 *
 * Context: process context, may sleep.
 * Return: the zone, or NULL with a message in the log that says why.
 */
static inline uma_zone_t uma_zcache_create(const char *name, int size,
					   uma_ctor ctor, uma_dtor dtor,
					   uma_init zinit, uma_fini zfini,
					   uma_import import,
					   uma_release release, void *arg,
					   u32 flags)
{
	return __uma_zcache_create(name, size, ctor, dtor, zinit, zfini,
				   import, release, arg, flags, THIS_MODULE);
}

int uma_zdestroy(uma_zone_t zone);

void *uma_zalloc_arg(uma_zone_t zone, void *arg, int flags);
void uma_zfree_arg(uma_zone_t zone, void *item, void *arg);

/**
 * uma_zalloc() - allocate an item
 * @zone: the zone
 * @flags: M_WAITOK or M_NOWAIT, and M_ZERO or M_USE_RESERVE
 *
 * Context: M_WAITOK: process context, may sleep. M_NOWAIT: any but NMI.
 * Return: the item, or NULL (see M_WAITOK above).
 */
static inline void *uma_zalloc(uma_zone_t zone, int flags)
{
	return uma_zalloc_arg(zone, NULL, flags);
}

/**
 * uma_zfree() - free an item
 * @zone: the zone that it came from
 * @item: the item, or NULL, which does nothing
 *
 * Context: any but NMI, under any lock of the caller.
 */
static inline void uma_zfree(uma_zone_t zone, void *item)
{
	uma_zfree_arg(zone, item, NULL);
}

/*
 * Zones with UMA_ZONE_PCPU. An item stands for as many copies as there can be CPUs,
 * this far apart. Constructors and the like are given the first copy; M_ZERO and
 * UMA_ZONE_ZINIT clear them all.
 */
#define UMA_PCPU_ALLOC_SIZE	PAGE_SIZE

void *uma_zalloc_pcpu_arg(uma_zone_t zone, void *arg, int flags);
void uma_zfree_pcpu_arg(uma_zone_t zone, void *item, void *arg);

/**
 * uma_zalloc_pcpu() - allocate an item of which each CPU has a copy
 * @zone: a zone with UMA_ZONE_PCPU
 * @flags: as for uma_zalloc()
 *
 * Context: as uma_zalloc().
 * Return: the first copy, or NULL.
 */
static inline void *uma_zalloc_pcpu(uma_zone_t zone, int flags)
{
	return uma_zalloc_pcpu_arg(zone, NULL, flags);
}

/**
 * uma_zfree_pcpu() - free an item of which each CPU has a copy
 * @zone: the zone that it came from
 * @item: its first copy, or NULL, which does nothing
 *
 * Context: as uma_zfree().
 */
static inline void uma_zfree_pcpu(uma_zone_t zone, void *item)
{
	uma_zfree_pcpu_arg(zone, item, NULL);
}

/**
 * zpcpu_get_cpu() - a CPU's copy of an item
 * @base: what uma_zalloc_pcpu() returned
 * @cpu: a possible CPU
 *
 * Context: any.
 */
static inline void *zpcpu_get_cpu(void *base, int cpu)
{
	return (char *)base + UMA_PCPU_ALLOC_SIZE * cpu;
}

/**
 * zpcpu_get() - this CPU's copy of an item
 * @base: what uma_zalloc_pcpu() returned
 *
 * Context: preemption off, for the answer to stay true.
 */
static inline void *zpcpu_get(void *base)
{
	return zpcpu_get_cpu(base, smp_processor_id());
}

unsigned int uma_zalloc_bulk(uma_zone_t zone, void **items, unsigned int n,
			     int flags);
void uma_zfree_bulk(uma_zone_t zone, void **items, unsigned int n);

int uma_zone_set_max(uma_zone_t zone, int nitems);
int uma_zone_get_max(uma_zone_t zone);
int uma_zone_get_cur(uma_zone_t zone);
int uma_zone_set_maxcache(uma_zone_t zone, int nitems);
int uma_zone_reserve(uma_zone_t zone, int nitems);
void uma_zone_set_warning(uma_zone_t zone, const char *warning);
void uma_zone_set_maxaction(uma_zone_t zone, uma_maxaction_t maxaction);
int uma_zone_exhausted(uma_zone_t zone);
int uma_prealloc(uma_zone_t zone, int nitems);
int uma_zone_set_init(uma_zone_t zone, uma_init uminit);
int uma_zone_set_fini(uma_zone_t zone, uma_fini fini);
int uma_zone_set_zinit(uma_zone_t zone, uma_init zinit);
int uma_zone_set_zfini(uma_zone_t zone, uma_fini zfini);
int uma_zone_set_allocf(uma_zone_t zone, uma_alloc allocf);
int uma_zone_set_freef(uma_zone_t zone, uma_free freef);
int uma_zone_set_obj(uma_zone_t zone, struct vm_object *obj, int nitems);
u32 *uma_find_refcnt(uma_zone_t zone, void *item);

/* How much uma_reclaim() takes back. */
#define UMA_RECLAIM_TRIM	1	/* buckets beyond the working set, empty slabs */
#define UMA_RECLAIM_DRAIN	2	/* every bucket of the zones, empty slabs */
#define UMA_RECLAIM_DRAIN_CPU	3	/* the per-CPU caches as well */

void uma_reclaim(int req);
int uma_zone_reclaim(uma_zone_t zone, int req);

/*
 * malloc(9): memory by the byte, counted under a type. Names carry the prefix
 * bsd_; code that is written for BSD gets them under its own names if it defines
 * UMA_BSD_NAMES and includes this file after all others, since malloc, free,
 * realloc and their kind are macros then. What differs from BSD: a size that
 * cannot be had, whether it overflows or is larger than the pool, makes NULL with
 * a message even of M_WAITOK; flags that are unknown are refused, and such as say
 * neither M_WAITOK nor M_NOWAIT, or both, are reported and read as M_NOWAIT, so
 * that a failure is returned.
 */

/* What struct malloc_type.ks_state is made of: this, and flags in its last byte. */
#define MALLOC_TYPE_MAGIC	0x3454c000U
#define MALLOC_TYPE_NEW		0x01	/* nobody has used it yet */
#define MALLOC_TYPE_UNBACKED	0x02	/* it has no counters by CPU yet */
#define MALLOC_TYPE_MARKED	0x04	/* uma_debug was on: blocks tell their type */
#define MALLOC_TYPE_GUARDED	0x08	/* blocks may come from the guard */

/**
 * struct malloc_type - a type of memory, with its own statistics
 * @ks_state: MALLOC_TYPE_MAGIC and MALLOC_TYPE_* flags; without flags, calls take
 *	the short way, at the price of this one test
 * @ks_stats: counters of each CPU, once it has them
 * @ks_shortdesc: what statistics and messages call it
 * @ks_longdesc: what it is for
 * @ks_owner: the module that it is part of
 * @ks_link: in the list of types
 * @ks_early: what is counted before it has counters of each CPU; and for ever
 *	after, as part of CPU 0's
 * @ks_guard_rule: which of the guard's rules concerns it, or 0
 *
 * Consumers define one by MALLOC_DEFINE() and leave its fields alone.
 */
struct malloc_type {
	u32 ks_state;
	struct malloc_type_stats __percpu *ks_stats;
	const char *ks_shortdesc;
	const char *ks_longdesc;
	struct module *ks_owner;
	struct list_head ks_link;
	struct malloc_type_stats ks_early;
	u8 ks_guard_rule;
};

/*
 * Define a type. It is registered when it is first used, in whatever context that
 * is, or before that by malloc_init(), and goes with its module, which had better
 * have freed all that it allocated: what is left is reported and stays lost. It
 * may be exported to modules that then cannot outlive it.
 */
#define MALLOC_DEFINE(type, shortdesc, longdesc)			\
	struct malloc_type type[1] = {					\
		{							\
			.ks_state = MALLOC_TYPE_MAGIC | MALLOC_TYPE_NEW, \
			.ks_shortdesc = shortdesc,			\
			.ks_longdesc = longdesc,			\
			.ks_owner = THIS_MODULE,			\
		}							\
	}

#define MALLOC_DECLARE(type)	extern struct malloc_type type[1]

int malloc_init(struct malloc_type *type);
int malloc_uninit(struct malloc_type *type);

void *bsd_malloc(size_t size, struct malloc_type *type, int flags);
void *bsd_mallocarray(size_t n, size_t size, struct malloc_type *type,
		      int flags);
void *bsd_realloc(void *addr, size_t size, struct malloc_type *type,
		  int flags);
void *bsd_reallocf(void *addr, size_t size, struct malloc_type *type,
		   int flags);
void bsd_free(void *addr, struct malloc_type *type);
size_t bsd_malloc_usable_size(const void *addr);

/* For allocators of other memory, which is counted under a type as well. */
void malloc_type_allocated(struct malloc_type *type, size_t bytes);
void malloc_type_freed(struct malloc_type *type, size_t bytes);

#ifdef UMA_BSD_NAMES
#define malloc(size, type, flags)	bsd_malloc(size, type, flags)
#define mallocarray(n, size, type, flags) \
	bsd_mallocarray(n, size, type, flags)
#define realloc(addr, size, type, flags) bsd_realloc(addr, size, type, flags)
#define reallocf(addr, size, type, flags) bsd_reallocf(addr, size, type, flags)
#define free(addr, type)		bsd_free(addr, type)
#define malloc_usable_size(addr)	bsd_malloc_usable_size(addr)
#endif

#endif /* _UMA_UMA_H */
