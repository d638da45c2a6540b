// SPDX-License-Identifier: GPL-2.0-only
/*
 * The default pager: anonymous memory of which nothing has been paged out yet.
 *
 * Most of it never will be, and lives and dies without the few words that swap keeps
 * for an object. So it has nothing behind it, until page-out wants to put its first
 * pages somewhere: then it becomes an object of the swap pager, for good (PA-01).
 */
#include <linux/err.h>

#include "vmsim/pager.h"
#include "vmsim/pagers.h"
#include "vmsim/swap.h"

static struct vm_object *default_alloc(void *handle, u64 size, u8 prot,
				       u64 offset)
{
	struct vm_object *object;

	if (handle)
		return ERR_PTR(-EINVAL);
	object = vm_pager_new_object(OBJT_DEFAULT,
				     vm_atop(vm_round_page(offset + size)));
	return object ?: ERR_PTR(-ENOMEM);
}

static enum vm_pager_result default_getpages(struct vm_object *object,
					     struct vm_page **m,
					     unsigned int count,
					     unsigned int reqpage)
{
	vm_pager_drop_pages(m, 0, count, reqpage);
	return VM_PAGER_FAIL;
}

static void default_putpages(struct vm_object *object, struct vm_page **m,
			     unsigned int count, unsigned int flags,
			     enum vm_pager_result *result)
{
	unsigned int i;

	if (!vm_swap_adopt(object)) {
		vm_swap_pager.putpages(object, m, count, flags, result);
		return;
	}
	for (i = 0; i < count; i++)
		result[i] = VM_PAGER_AGAIN;
}

static bool default_haspage(struct vm_object *object, u64 pindex,
			    unsigned int *before, unsigned int *after)
{
	return false;
}

static bool default_next(struct vm_object *object, u64 *pindex, u64 last)
{
	return false;
}

const struct vm_pager_ops vm_default_pager = {
	.name = "default",
	.alloc = default_alloc,
	.getpages = default_getpages,
	.putpages = default_putpages,
	.haspage = default_haspage,
	.next = default_next,
};
