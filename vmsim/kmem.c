// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's map.
 *
 * Some of what a kernel needs is needed for a moment, by many at once, in pieces of
 * some size: the arguments of programs that are being started. They come from
 * a submap, which is a part of the kernel's map with a map of its own, so that its users
 * are in nobody's way, and so that there is an end to how many there can be: its
 * number of entries, 16 unless exec_map_entries= says otherwise.
 *
 * In the log, whoever came when all entries were taken was killed, and the tunable
 * was called a work-around until there is a better solution. This is it: he waits
 * until somebody gives an entry back, or is told that there is none just now (MP-07).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/errno.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/kmem.h"
#include "vmsim/map.h"
#include "vmsim/pmap.h"

/* Where the kernel's map lies; nothing else uses addresses of its physical map. */
#define KMEM_MIN	BIT(40)
#define KMEM_MAX	(BIT(40) + BIT(36))

/* As many as there is room for in the kernel's map. */
#define ENTRIES_MAX	65536

struct vm_map *vm_kernel_map;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_kernel_map);
struct vm_map *vm_exec_map;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_exec_map);

static struct pmap *kernel_pmap;
static unsigned int exec_map_entries = 16;

/* What is written before there is a map is there when it is made. */
static int set_exec_map_entries(const char *val, const struct kernel_param *kp)
{
	int error = param_set_uint_minmax(val, kp, 1, ENTRIES_MAX);

	if (error || !vm_exec_map)
		return error;
	vm_map_lock_nocut(vm_exec_map);
	vm_exec_map->max_entries = exec_map_entries;
	vm_map_wakeup(vm_exec_map);
	vm_map_unlock(vm_exec_map);
	return 0;
}

static const struct kernel_param_ops exec_map_entries_ops = {
	.set = set_exec_map_entries,
	.get = param_get_uint,
};

module_param_cb(exec_map_entries, &exec_map_entries_ops, &exec_map_entries,
		0644);
MODULE_PARM_DESC(exec_map_entries, "programs that can be started at once: entries of the VM's exec_map (default 16)");

/**
 * kmem_suballoc() - a part of a map as a map of its own
 * @parent: the map
 * @size: bytes, a multiple of the page size
 * @max_entries: how many entries it may have, 0 for any number
 *
 * Context: process, may sleep.
 * Return: the map, with one reference beside its parent's, or NULL.
 */
struct vm_map *kmem_suballoc(struct vm_map *parent, unsigned long size,
			     unsigned int max_entries)
{
	unsigned long addr = vm_map_min(parent);
	struct vm_map *map;

	if (vm_map_find(parent, NULL, 0, &addr, size, true, VM_PROT_RW,
			VM_PROT_RW, 0))
		return NULL;
	map = vm_map_create(parent->pmap, addr, addr + size);
	if (map) {
		map->flags = VM_MAP_SYSTEM;
		map->max_entries = max_entries;
		if (!vm_map_submap(parent, addr, addr + size, map))
			return map;
		vm_map_deallocate(map);
	}
	vm_map_remove(parent, addr, addr + size);
	return NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(kmem_suballoc);

/**
 * kmem_alloc_wait() - memory from a submap, when there is some
 * @map: the submap
 * @size: bytes
 * @flags: M_WAITOK to wait for it, or M_NOWAIT
 * @addr: where to store the address
 *
 * Context: process; with M_WAITOK may sleep until somebody gives some back.
 * Return: 0; -EINVAL if the map can never have so much, -EAGAIN if it has not now
 * and @flags is M_NOWAIT, -EINTR if the thread is being killed.
 */
int kmem_alloc_wait(struct vm_map *map, unsigned long size, int flags,
		    unsigned long *addr)
{
	unsigned long length = vm_round_page(size);
	int error;

	if (!length || length < size ||
	    length > vm_map_max(map) - vm_map_min(map))
		return -EINVAL;
	vm_map_lock(map);
	for (;;) {
		error = vm_map_findspace(map, vm_map_min(map), length, addr);
		if (!error)
			error = vm_map_insert(map, NULL, 0, *addr,
					      *addr + length, VM_PROT_RW,
					      VM_PROT_RW, 0);
		if (error != -ENOMEM && error != -ENOSPC)
			break;
		if (!(flags & M_WAITOK)) {
			error = -EAGAIN;
			break;
		}
		if (!vm_map_wait(map, TASK_KILLABLE)) {
			error = -EINTR;
			break;
		}
	}
	vm_map_unlock(map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(kmem_alloc_wait);

/**
 * kmem_free_wakeup() - give memory of a submap back
 * @map: the submap
 * @addr: the address
 * @size: bytes, as they were asked for
 *
 * Context: process, may sleep.
 */
void kmem_free_wakeup(struct vm_map *map, unsigned long addr,
		      unsigned long size)
{
	vm_map_remove(map, addr, addr + vm_round_page(size));
	vm_map_wakeup(map);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(kmem_free_wakeup);

/**
 * kmem_startup() - the kernel's map and its submaps
 *
 * Return: 0 or -ENOMEM.
 */
int kmem_startup(void)
{
	kernel_pmap = pmap_create();
	if (kernel_pmap)
		vm_kernel_map = vm_map_create(kernel_pmap, KMEM_MIN, KMEM_MAX);
	if (!vm_kernel_map)
		goto fail;
	vm_kernel_map->flags = VM_MAP_SYSTEM;
	/* Whoever sets the number finds the map, or is found by it. */
	kernel_param_lock(THIS_MODULE);
	vm_exec_map = kmem_suballoc(vm_kernel_map, ENTRIES_MAX * VM_EXEC_BYTES,
				    exec_map_entries);
	kernel_param_unlock(THIS_MODULE);
	if (vm_exec_map)
		return 0;
fail:
	kmem_shutdown();
	return -ENOMEM;
}

/**
 * kmem_shutdown() - the end; nobody has any of it
 */
void kmem_shutdown(void)
{
	struct vm_map *exec;

	kernel_param_lock(THIS_MODULE);
	exec = vm_exec_map;
	vm_exec_map = NULL;
	kernel_param_unlock(THIS_MODULE);
	if (exec)
		vm_map_deallocate(exec);
	if (vm_kernel_map)
		vm_map_deallocate(vm_kernel_map);
	vm_kernel_map = NULL;
	pmap_release(kernel_pmap);
	kernel_pmap = NULL;
}
