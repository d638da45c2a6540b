/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All differences between kernels, and between configurations of one, that the
 * sources would otherwise have to know. They read as if one kernel existed.
 */
#ifndef _UMA_COMPAT_H
#define _UMA_COMPAT_H

#include <linux/atomic.h>	/* 6.1's <linux/shrinker.h> needs it */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/stackdepot.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/module.h>
#include <linux/types.h>
#include <linux/version.h>

/* What only the suites may call lives in a namespace of its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define EXPORT_SYMBOL_FOR_UMA_TESTS(sym) EXPORT_SYMBOL_NS_GPL(sym, "UMA_TEST")
#else
#define EXPORT_SYMBOL_FOR_UMA_TESTS(sym) EXPORT_SYMBOL_NS_GPL(sym, UMA_TEST)
#endif

/* A suite says so once. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define UMA_IMPORT_FOR_TESTS	MODULE_IMPORT_NS("UMA_TEST")
#else
#define UMA_IMPORT_FOR_TESTS	MODULE_IMPORT_NS(UMA_TEST)
#endif

/*
 * KASAN and our items. The kernel exports the primitive but keeps its
 * declaration to itself. Only whole granules inside the item are marked: a
 * granule that it shares with a neighbour stays accessible.
 */
#if IS_ENABLED(CONFIG_KASAN_GENERIC) && !IS_ENABLED(CONFIG_UML)
void kasan_poison(const void *addr, size_t size, u8 value, bool init);

#define UMA_KASAN_GRANULE	8UL
#define UMA_KASAN_FREE		0xFB	/* reads as "slab object freed" */

static inline void uma_kasan_mark(const void *item, size_t size, u8 value)
{
	unsigned long start = round_up((unsigned long)item, UMA_KASAN_GRANULE);
	unsigned long end = round_down((unsigned long)item + size,
				       UMA_KASAN_GRANULE);

	if (start < end)
		kasan_poison((const void *)start, end - start, value, false);
}

static inline void uma_kasan_poison(const void *item, size_t size)
{
	uma_kasan_mark(item, size, UMA_KASAN_FREE);
}

static inline void uma_kasan_unpoison(const void *item, size_t size)
{
	uma_kasan_mark(item, size, 0);
}
#else
static inline void uma_kasan_poison(const void *item, size_t size) {}
static inline void uma_kasan_unpoison(const void *item, size_t size) {}
#endif

/* A tracepoint's string; since 6.10 the kernel remembers where it came from. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define uma_assign_str(dst, src)	__assign_str(dst)
#else
#define uma_assign_str(dst, src)	__assign_str(dst, src)
#endif

/*
 * A shrinker for each memory node of objects that cost nothing to make again.
 * It became a thing that the kernel allocates in 6.7. NULL if there is no memory.
 */
typedef unsigned long (*uma_shrink_fn)(struct shrinker *shrinker,
				       struct shrink_control *sc);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
static inline struct shrinker *uma_shrinker_create(const char *name,
						   uma_shrink_fn count,
						   uma_shrink_fn scan,
						   long batch)
{
	struct shrinker *s = shrinker_alloc(SHRINKER_NUMA_AWARE, "%s", name);

	if (!s)
		return NULL;
	s->count_objects = count;
	s->scan_objects = scan;
	s->batch = batch;
	s->seeks = 0;
	shrinker_register(s);
	return s;
}

static inline void uma_shrinker_destroy(struct shrinker *s)
{
	shrinker_free(s);
}
#else
static inline struct shrinker *uma_shrinker_create(const char *name,
						   uma_shrink_fn count,
						   uma_shrink_fn scan,
						   long batch)
{
	struct shrinker *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->count_objects = count;
	s->scan_objects = scan;
	s->batch = batch;
	s->seeks = 0;
	s->flags = SHRINKER_NUMA_AWARE;
	if (register_shrinker(s, "%s", name)) {
		kfree(s);
		return NULL;
	}
	return s;
}

static inline void uma_shrinker_destroy(struct shrinker *s)
{
	if (!s)
		return;
	unregister_shrinker(s);
	kfree(s);
}
#endif

/*
 * Stacks, in the kernel's depot where it has one, else where they are wanted. The
 * depot gives each stack a number; it is told not to allocate where one may not
 * sleep, and may then have no room: that stack is empty.
 */
#define UMA_STACK_DEPTH	16

#ifdef CONFIG_STACKDEPOT
struct uma_stack {
	depot_stack_handle_t handle;
};

static inline void uma_stack_save(struct uma_stack *stack,
				  unsigned long *entries, unsigned int n,
				  bool may_alloc)
{
#ifdef STACK_DEPOT_FLAG_CAN_ALLOC
	depot_flags_t flags = may_alloc ? STACK_DEPOT_FLAG_CAN_ALLOC : 0;

	stack->handle = stack_depot_save_flags(entries, n, GFP_NOWAIT, flags);
#else
	stack->handle = __stack_depot_save(entries, n, 0, GFP_NOWAIT,
					   may_alloc);
#endif
}

static inline int uma_stack_startup(void)
{
	return stack_depot_init();
}

static inline unsigned int uma_stack_fetch(const struct uma_stack *stack,
					   const unsigned long **entries)
{
	unsigned long *found;
	unsigned int n;

	if (!stack->handle)
		return 0;
	n = stack_depot_fetch(stack->handle, &found);
	*entries = found;
	return n;
}
#else
struct uma_stack {
	unsigned int n;
	unsigned long entries[UMA_STACK_DEPTH];
};

static inline void uma_stack_save(struct uma_stack *stack,
				  unsigned long *entries, unsigned int n,
				  bool may_alloc)
{
	stack->n = min_t(unsigned int, n, UMA_STACK_DEPTH);
	memcpy(stack->entries, entries, stack->n * sizeof(*entries));
}

static inline int uma_stack_startup(void)
{
	return 0;
}

static inline unsigned int uma_stack_fetch(const struct uma_stack *stack,
					   const unsigned long **entries)
{
	*entries = stack->entries;
	return stack->n;
}
#endif

/* The callers of who asks, the nearest first; how many. */
static inline unsigned int uma_stack_here(unsigned long *entries,
					  unsigned int n)
{
#ifdef CONFIG_STACKTRACE
	return stack_trace_save(entries, n, 0);
#else
	return 0;
#endif
}

/*
 * Write to a file from an iterator. Since 6.8 the kernel's function itself keeps the
 * file system from being frozen meanwhile.
 */
static inline ssize_t uma_file_write(struct file *file, struct iov_iter *iter,
				     loff_t *pos, rwf_t flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return vfs_iter_write(file, iter, pos, flags);
#else
	ssize_t n;

	file_start_write(file);
	n = vfs_iter_write(file, iter, pos, flags);
	file_end_write(file);
	return n;
#endif
}

/* For the modules that measure us: kunit/uma_replay.c, kunit/uma_bench.c. */

/*
 * The time-stamp counter. User Mode Linux has none for the kernel, though the
 * processor below it has; the instruction needs no privilege.
 */
#if IS_ENABLED(CONFIG_UML) && defined(__x86_64__)
static inline u64 uma_cycles(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return (u64)high << 32 | low;
}
#else
static inline u64 uma_cycles(void)
{
	return get_cycles();
}
#endif

/*
 * A cache of the kernel's that is merged with no other. Before there was a
 * flag for that (6.5), a region for user copies had the same effect: it is
 * looked at when user space is copied to or from, and nowhere else.
 */
static inline struct kmem_cache *uma_kmem_cache_create(const char *name,
						       unsigned int size)
{
#ifdef SLAB_NO_MERGE
	return kmem_cache_create(name, size, 0, SLAB_NO_MERGE, NULL);
#else
	return kmem_cache_create_usercopy(name, size, 0, 0, 0, size, NULL);
#endif
}

/*
 * A disk that takes its requests one by one and has done each before it returns, which
 * swap is told where there is a way to; or an error pointer. For who includes
 * <linux/blkdev.h>.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define uma_blk_alloc_sync_disk() ({				\
	struct queue_limits lim_ = {				\
		.physical_block_size = PAGE_SIZE,		\
		.features = BLK_FEAT_SYNCHRONOUS,		\
	};							\
								\
	blk_alloc_disk(&lim_, NUMA_NO_NODE);			\
})
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define uma_blk_alloc_sync_disk()	blk_alloc_disk(NULL, NUMA_NO_NODE)
#else
#define uma_blk_alloc_sync_disk()				\
	(blk_alloc_disk(NUMA_NO_NODE) ?: ERR_PTR(-ENOMEM))
#endif

#endif /* _UMA_COMPAT_H */
