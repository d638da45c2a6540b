// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device pager: memory that is not ours, shown as it is.
 *
 * A device's memory cannot be brought into a page: it is the page. So for each page
 * of the region that somebody looks at, the pager makes a record that stands for
 * it (PG_FICTITIOUS): never on a queue, never written out, never given to the pool. The
 * page that a fault had allocated for the index goes back, and the record takes
 * its place.
 *
 * It is wholly valid from the start, and marked so before anybody else gets to see
 * it (PA-08): whoever finds a page with blocks that are not valid zeroes those, and
 * what is zeroed here are the device's registers.
 *
 * Records are kept for as long as the object exists, by index: an index that is
 * dropped and looked at again gets the same one.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pagers.h"

static uma_zone_t record_zone;
static uma_zone_t pager_zone;

/**
 * struct device_pager - what an object knows of its device
 * @dev: the device, of which this has a reference
 * @records: by index; the object's lock
 */
struct device_pager {
	struct vm_device *dev;
	struct xarray records;
};

/* Devices. */

static void release_memory(struct vm_device *dev)
{
	free_pages_exact(__va(PFN_PHYS(dev->pfn)), dev->npages << PAGE_SHIFT);
	kfree(dev);
}

/**
 * vm_device_create() - a device that is nothing but memory of the kernel's
 * @name: what to call it; must stay
 * @npages: its length
 *
 * Its memory is contiguous and zeroed.
 *
 * Context: process context, may sleep.
 * Return: the device with a reference, or NULL.
 */
struct vm_device *vm_device_create(const char *name, unsigned long npages)
{
	struct vm_device *dev;
	void *memory;

	if (!npages || npages > MAX_ORDER_NR_PAGES)
		return NULL;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	memory = alloc_pages_exact(npages << PAGE_SHIFT,
				   GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				   __GFP_NORETRY);
	if (!dev || !memory) {
		kfree(dev);
		if (memory)
			free_pages_exact(memory, npages << PAGE_SHIFT);
		return NULL;
	}
	dev->name = name;
	dev->pfn = PHYS_PFN(__pa(memory));
	dev->npages = npages;
	refcount_set(&dev->refs, 1);
	dev->release = release_memory;
	return dev;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_device_create);

/**
 * vm_device_put() - let go of a device
 * @dev: the device
 *
 * Context: process context.
 */
void vm_device_put(struct vm_device *dev)
{
	if (refcount_dec_and_test(&dev->refs) && dev->release)
		dev->release(dev);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_device_put);

/* The pager. */

static struct vm_object *device_alloc(void *handle, u64 size, u8 prot,
				      u64 offset)
{
	u64 npages = vm_atop(vm_round_page(offset + size));
	struct vm_device *dev = handle;
	struct device_pager *dp;
	struct vm_object *object;

	if (!dev || npages > dev->npages)
		return ERR_PTR(-EINVAL);
	dp = vm_zalloc(pager_zone, 0);
	if (!dp)
		return ERR_PTR(-ENOMEM);
	object = vm_pager_new_object(OBJT_DEVICE, npages);
	if (!object) {
		uma_zfree(pager_zone, dp);
		return ERR_PTR(-ENOMEM);
	}
	dp->dev = dev;
	refcount_inc(&dev->refs);
	xa_init(&dp->records);
	object->pager = dp;
	object->handle = dev;
	return object;
}

static void device_dealloc(struct vm_object *object)
{
	struct device_pager *dp = object->pager;
	struct vm_page *m;
	unsigned long index;

	xa_for_each(&dp->records, index, m) {
		WARN_ON(m->object || m->hold_count || m->wire_count);
		uma_zfree(record_zone, m);
	}
	xa_destroy(&dp->records);
	vm_device_put(dp->dev);
	uma_zfree(pager_zone, dp);
	object->pager = NULL;
}

/* The record for an index, in no object as yet; NULL if there is no memory. */
static struct vm_page *get_record(struct device_pager *dp, u64 pindex)
{
	struct vm_page *m = xa_load(&dp->records, pindex);

	if (m)
		return m;
	m = uma_zalloc(record_zone, M_NOWAIT | M_ZERO);
	if (!m)
		return NULL;
	INIT_LIST_HEAD(&m->pageq);
	pmap_page_init(m);
	m->phys_pfn = dp->dev->pfn + pindex;
	m->pindex = pindex;
	m->flags = PG_FICTITIOUS;
	if (xa_err(xa_store(&dp->records, pindex, m,
			    GFP_KERNEL | __GFP_NOWARN))) {
		uma_zfree(record_zone, m);
		return NULL;
	}
	return m;
}

static enum vm_pager_result device_getpages(struct vm_object *object,
					    struct vm_page **m,
					    unsigned int count,
					    unsigned int reqpage)
{
	struct device_pager *dp = object->pager;
	u64 pindex = m[reqpage]->pindex;
	struct vm_page *record;

	vm_pager_drop_pages(m, 0, count, reqpage);
	if (pindex >= object->size)
		return VM_PAGER_BAD;
	record = get_record(dp, pindex);
	if (!record)
		return VM_PAGER_AGAIN;
	/* All of it, before anybody can find it (PA-08). */
	record->valid = VM_PAGE_BITS_ALL;
	record->dirty = 0;
	vm_page_free(m[reqpage]);
	/* The kernel gave the index's memory back just now: it has some. */
	while (vm_page_insert(record, object, pindex))
		schedule_timeout_idle(1);
	vm_page_busy(record);
	m[reqpage] = record;
	return VM_PAGER_OK;
}

static bool device_haspage(struct vm_object *object, u64 pindex,
			   unsigned int *before, unsigned int *after)
{
	return pindex < object->size;
}

const struct vm_pager_ops vm_device_pager = {
	.name = "device",
	.alloc = device_alloc,
	.dealloc = device_dealloc,
	.getpages = device_getpages,
	.haspage = device_haspage,
};

int vm_device_startup(void)
{
	record_zone = uma_zcreate("VM FAKE PAGE", sizeof(struct vm_page), NULL,
				  NULL, NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	pager_zone = uma_zcreate("VM DEVICE PAGER", sizeof(struct device_pager),
				 NULL, NULL, NULL, NULL, UMA_ALIGN_PTR,
				 UMA_ZONE_VM);
	if (record_zone && pager_zone)
		return 0;
	vm_device_shutdown();
	return -ENOMEM;
}

void vm_device_shutdown(void)
{
	uma_zdestroy(record_zone);
	uma_zdestroy(pager_zone);
}
