/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named points at which a suite can stop, or act, in the middle of what it
 * tests. They sit on slow paths only and exist only where KUnit does.
 */
#ifndef _UMA_STEER_H
#define _UMA_STEER_H

#include <linux/kconfig.h>
#include <linux/compiler.h>

/**
 * enum uma_steer_point - where a hook is called, and in what context
 * @UMA_STEER_REFILL: a bucket was filled for the zone, no section is entered and
 *	no lock held; the CPU may change and the cache fill before the next look
 * @UMA_STEER_SECTION: inside the section of this CPU's cache, preemption off
 * @UMA_STEER_LIMIT: a sleeper has published its flag, drained the caches, looked
 *	once more and found nothing; it is about to sleep; may sleep itself
 * @UMA_STEER_WAIT_END: a sleeper knows that it has an item, or that an init
 *	failed, and is still in line; may sleep
 * @UMA_STEER_RECLAIM: uma_reclaim() is between two zones; may sleep
 * @UMA_STEER_STATS: a reader of statistics is between a zone's frees and its
 *	allocations; no lock held, may sleep
 * @UMA_STEER_IMPORT: a slab was made and its items are not yet initialised; no
 *	lock held
 * @UMA_STEER_UNREF: who lets go of an mbuf's data has read its counter, above 1,
 *	and not yet compared and set it; any context
 * @UMA_STEER_GUARD_CLAIM: the one free of a guarded item has claimed it, its pages
 *	are not protected yet; any context
 * @UMA_STEER_GUARD_FLUSH: processors are about to be made to forget, for frees
 *	that could not do so; process context
 * @UMA_STEER_CHUNK: a chunk is coming, its records have their numbers and nothing
 *	else; process context, may sleep
 */
enum uma_steer_point {
	UMA_STEER_REFILL,
	UMA_STEER_SECTION,
	UMA_STEER_LIMIT,
	UMA_STEER_WAIT_END,
	UMA_STEER_RECLAIM,
	UMA_STEER_STATS,
	UMA_STEER_IMPORT,
	UMA_STEER_UNREF,
	UMA_STEER_GUARD_CLAIM,
	UMA_STEER_GUARD_FLUSH,
	UMA_STEER_CHUNK,
};

#if IS_ENABLED(CONFIG_KUNIT)
typedef void (*uma_steer_fn)(enum uma_steer_point point, void *obj);
extern uma_steer_fn uma_steer_hook;

static inline void uma_steer(enum uma_steer_point point, void *obj)
{
	uma_steer_fn fn = READ_ONCE(uma_steer_hook);

	if (fn)
		fn(point, obj);
}
#else
static inline void uma_steer(enum uma_steer_point point, void *obj) {}
#endif

#endif /* _UMA_STEER_H */
