// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping by handle and type.
 *
 * What can be mapped is known to its pager by a handle: a file, a device's memory. The
 * type says which pager that is, so that whoever has a handle can map it, not only
 * who came through mmap with a descriptor (MP-08): the log's drivers did that with
 * a device, and had to go a long way round to find a file for it.
 *
 * A policy can be registered that is asked about each file that is mapped. It sees
 * private mappings as well as shared ones: a program's text is mapped privately, and
 * who controls what may be run has to see that. It is given the flags so that it can
 * tell. What a private mapping writes reaches nobody, so a policy on who may write
 * where has nothing to refuse there. Devices are not asked about, as in the log.
 */
#include <linux/errno.h>
#include <linux/rwsem.h>

#include "uma/compat.h"
#include "vmsim/collapse.h"
#include "vmsim/map.h"
#include "vmsim/mmap.h"
#include "vmsim/pager.h"

static DECLARE_RWSEM(policy_lock); /* policy, and whoever is asking it */
static vm_mmap_policy policy;

/**
 * vm_mmap_set_policy() - register who decides on mappings of files
 * @fn: what is asked; NULL for nobody, and the one before is not running then
 *
 * Context: process, may sleep.
 */
void vm_mmap_set_policy(vm_mmap_policy fn)
{
	down_write(&policy_lock);
	policy = fn;
	up_write(&policy_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_mmap_set_policy);

static int ask_policy(const struct vm_mmap *req)
{
	int error = 0;

	down_read(&policy_lock);
	if (policy)
		error = policy(req);
	up_read(&policy_lock);
	return error;
}

/* The object of what is to be mapped: NULL for zeroes, or an ERR_PTR(). */
static struct vm_object *object_for(const struct vm_mmap *req)
{
	int error;

	switch (req->type) {
	case OBJT_DEFAULT:
		return req->handle ? ERR_PTR(-EINVAL) : NULL;
	case OBJT_VNODE:
		error = ask_policy(req);
		if (error)
			return ERR_PTR(error);
		fallthrough;
	case OBJT_DEVICE:
		if (!req->handle)
			return ERR_PTR(-EINVAL);
		fallthrough;
	case OBJT_PHYS:
		/* Of a file that is not written to, reading is enough. */
		return vm_pager_allocate(req->type, req->handle,
					 req->handle_size,
					 req->flags & VM_MMAP_SHARED ?
						 req->max : VM_PROT_READ, 0);
	default:
		return ERR_PTR(-EINVAL);
	}
}

/**
 * vm_map_place() - show an object where it is asked for, or from there on
 * @map: the map
 * @req: the rights, the offset, and whether it is VM_MMAP_FIXED: then it comes instead
 *	of what is there
 * @object: the object, a reference to which is the map's then; NULL for zeroes
 * @size: bytes, a multiple of the page size
 * @cow: MAP_*, as for vm_map_insert()
 * @addr: the address; replaced by where it is
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -ENOMEM, or -EINTR if the thread is being killed.
 */
int vm_map_place(struct vm_map *map, const struct vm_mmap *req,
		 struct vm_object *object, unsigned long size, int cow,
		 unsigned long *addr)
{
	int error;

	error = vm_map_lock_cut(map);
	if (error)
		return error;
	do {
		if (req->flags & VM_MMAP_FIXED)
			error = vm_map_delete(map, *addr, *addr + size);
		else
			error = vm_map_findspace(map, *addr, size, addr);
		if (!error)
			error = vm_map_insert(map, object,
					      object ? req->offset : 0, *addr,
					      *addr + size, req->prot, req->max,
					      cow);
		/* While a wiring was waited for, somebody came to where all was gone. */
	} while (error == -EEXIST && req->flags & VM_MMAP_FIXED);
	vm_map_unlock(map);
	return error;
}

/**
 * vm_map_mmap() - map something
 * @map: the map
 * @req: what, where and how
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL, -ENOMEM, what the policy or the pager says, or -EINTR if the
 * thread is being killed.
 */
int vm_map_mmap(struct vm_map *map, struct vm_mmap *req)
{
	unsigned long size = vm_round_page(req->size), addr = req->addr;
	bool shared = req->flags & VM_MMAP_SHARED;
	struct vm_object *object;
	int error;

	if (!size || size < req->size || addr + size < addr ||
	    offset_in_page(addr) || offset_in_page(req->offset) ||
	    req->offset + size < req->offset || req->prot & ~req->max ||
	    req->flags & ~(VM_MMAP_SHARED | VM_MMAP_FIXED))
		return -EINVAL;
	/* Of a device there can be no copy. */
	if (req->type == OBJT_DEVICE && !shared)
		return -EINVAL;
	object = object_for(req);
	if (IS_ERR(object))
		return PTR_ERR(object);
	error = vm_map_place(map, req, object, size,
			     shared ? MAP_INHERIT_SHARE :
			     object ? MAP_COPY_ON_WRITE : 0, &addr);
	if (error) {
		if (object)
			vm_object_deallocate(object);
		return error;
	}
	req->addr = addr;
	if (map->flags & VM_MAP_WIREFUTURE)
		error = vm_map_wire(map, addr, addr + size, VM_MAP_WIRE_USER);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_map_mmap);
