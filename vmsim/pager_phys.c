// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical pager: anonymous memory that is never paged out.
 *
 * A page that nobody has touched is zeroes and can be had again at any time. One
 * that was written to is dirty, cannot be put anywhere, and so never becomes clean,
 * without which nobody takes it away.
 */
#include <linux/err.h>

#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pagers.h"

static struct vm_object *phys_alloc(void *handle, u64 size, u8 prot, u64 offset)
{
	struct vm_object *object;

	if (handle)
		return ERR_PTR(-EINVAL);
	object = vm_pager_new_object(OBJT_PHYS,
				     vm_atop(vm_round_page(offset + size)));
	return object ?: ERR_PTR(-ENOMEM);
}

static enum vm_pager_result phys_getpages(struct vm_object *object,
					  struct vm_page **m,
					  unsigned int count,
					  unsigned int reqpage)
{
	if (m[reqpage]->pindex >= object->size) {
		vm_pager_drop_pages(m, 0, count, reqpage);
		return VM_PAGER_BAD;
	}
	vm_page_zero_invalid(m[reqpage], true);
	/* To zero the neighbours ahead of need would cost what it saves. */
	vm_pager_drop_pages(m, 0, count, reqpage);
	return VM_PAGER_OK;
}

static bool phys_haspage(struct vm_object *object, u64 pindex,
			 unsigned int *before, unsigned int *after)
{
	return pindex < object->size;
}

const struct vm_pager_ops vm_phys_pager = {
	.name = "physical",
	.alloc = phys_alloc,
	.getpages = phys_getpages,
	.haspage = phys_haspage,
};
