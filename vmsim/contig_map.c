// SPDX-License-Identifier: GPL-2.0-only
/*
 * contigmalloc(9) and its kind: contiguous pages for other modules.
 *
 * Unmapped ones, from vm_page_alloc_contig(), are wired pages in no object, and always
 * won in the new way. Mapped ones, from contigmalloc(), are those of the algorithm that
 * old_contigmalloc names (the old one, as in the log, where it had to be switched off to
 * see the difference), with addresses, and counted under a malloc type, by whole pages.
 *
 * Addresses. Where there is such a thing (kva.c) and the caller may sleep, a range of
 * their own, beside which an access that goes too far faults. Elsewhere, on User Mode
 * Linux and with M_NOWAIT, those of the kernel's own linear map, in which pages that
 * follow each other physically do so, too. If the range cannot be had, the pages go
 * back (CT-07).
 *
 * What is mapped is remembered by its first address, so that what comes to
 * contigfree() is known to be, at its right size and under its right type, or refused;
 * and so that what a module leaves behind can be named.
 *
 * BSD's functions return NULL for whatever reason. So do these, and say in the log why
 * if it was the caller's mistake; the module itself uses those that return errno
 * values.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": contig: " fmt

#include <linux/err.h>
#include <linux/moduleparam.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "uma/compat.h"
#include "uma/kva.h"
#include "vmsim/contig_int.h"
#include "vmsim/page.h"
#include "vmsim/pageq.h"
#include "vmsim/steer.h"

bool vm_old_contigmalloc = true;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_old_contigmalloc);
module_param_named(old_contigmalloc, vm_old_contigmalloc, bool, 0644);
MODULE_PARM_DESC(old_contigmalloc, "contigmalloc() launders whole queues and hopes, instead of winning one run (default Y)");

struct contig_map_counters contig_map_cnt;
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_map_cnt);

/**
 * struct contig_block - what contigmalloc() returned
 * @m: its first page
 * @npages: its pages
 * @type: what it is counted under
 * @kva: its address range, or NULL
 */
struct contig_block {
	struct vm_page *m;
	unsigned long npages;
	struct malloc_type *type;
	struct uma_kva *kva;
};

/* By number of the first page's address. */
static DEFINE_XARRAY(contig_blocks);

/* Unmapped. */

/* Make pages that the pool gave the VM's. */
static void wire_run(struct vm_page *m, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i++) {
		m[i].act_count = 0;
		m[i].wire_count = 0;
		m[i].hold_count = 0;
		m[i].busy = 0;
		m[i].wanted = 0;
		m[i].io_count = 0;
		m[i].valid = 0;
		m[i].dirty = 0;
		m[i].object = NULL;
		vm_page_lock_queues();
		vm_page_wire(&m[i]);
		vm_page_unlock_queues();
	}
}

/**
 * contig_alloc() - vm_page_alloc_contig() for who wants to know more
 * @req: what is wanted
 * @how: the algorithm
 * @flags: M_WAITOK or M_NOWAIT; and M_USE_RESERVE
 * @m: where to leave the first page's record
 *
 * Context: as contig_take().
 * Return: 0, -ENXIO, -ENOMEM: as contig_take().
 */
int contig_alloc(const struct contig_req *req, enum contig_algorithm how,
		 int flags, struct vm_page **m)
{
	int error = contig_take(req, how, flags, m);

	if (!error)
		wire_run(*m, req->npages);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_alloc);

/**
 * vm_page_alloc_contig() - allocate contiguous pages
 * @npages: how many
 * @low: lowest physical address that one may have
 * @high: highest physical address, that of a page's last byte
 * @alignment: a power of two: the first address is a multiple of it
 * @boundary: a power of two: they do not lie on both sides of a multiple of it; or 0
 *
 * They are wired, in no object, and have no addresses. Memory that is in use is
 * laundered for them in the new way, whatever old_contigmalloc says.
 *
 * Context: process context, may sleep; no lock of the VM held.
 * Return: the first page, which the others follow; or NULL, with a message if the
 * request made no sense.
 */
struct vm_page *vm_page_alloc_contig(unsigned long npages, vm_paddr_t low,
				     vm_paddr_t high, unsigned long alignment,
				     vm_paddr_t boundary)
{
	struct contig_req req;
	struct vm_page *m;
	int error = -EINVAL;

	if (npages <= ULONG_MAX >> PAGE_SHIFT)
		error = contig_req_init(&req, (u64)npages << PAGE_SHIFT, low,
					high, alignment, boundary);
	if (!error)
		error = contig_alloc(&req, CONTIG_NEW, M_WAITOK, &m);
	if (error == -EINVAL) {
		atomic64_inc(&contig_map_cnt.refused);
		pr_err_ratelimited("%lu pages from %#llx to %#llx, alignment %#lx, boundary %#llx: refused to %pS (%d)\n",
				   npages, (u64)low, (u64)high, alignment,
				   (u64)boundary, (void *)_RET_IP_, error);
	}
	return error ? NULL : m;
}
EXPORT_SYMBOL_GPL(vm_page_alloc_contig);

/**
 * vm_page_release_contig() - give pages of vm_page_alloc_contig() back
 * @m: the first one
 * @npages: how many; they need not be all
 *
 * One that somebody else wired or holds goes when he lets go.
 *
 * Context: process context. Does not sleep.
 */
void vm_page_release_contig(struct vm_page *m, unsigned long npages)
{
	unsigned long i;

	for (i = 0; i < npages; i++) {
		vm_page_lock_queues();
		if (!m[i].wire_count || m[i].object) {
			pr_err_ratelimited("release of page %#lx refused: it is not wired, or in an object\n",
					   m[i].phys_pfn);
			atomic64_inc(&contig_map_cnt.refused);
		} else {
			vm_page_unwire(&m[i], false);
		}
		vm_page_unlock_queues();
	}
}
EXPORT_SYMBOL_GPL(vm_page_release_contig);

/**
 * vm_page_to_phys() - the physical address of a page
 * @m: the page
 *
 * Context: any.
 * Return: the address of its first byte.
 */
vm_paddr_t vm_page_to_phys(const struct vm_page *m)
{
	return PFN_PHYS(m->phys_pfn);
}
EXPORT_SYMBOL_GPL(vm_page_to_phys);

/* Mapped. */

static void unmap_run(struct uma_kva *kva)
{
	WARN_ON(uma_kva_remove(kva, 0, kva->npages));
	uma_kva_release(kva);
}

/* Addresses for a run. A range, NULL for the linear map's, or an ERR_PTR(). */
static struct uma_kva *map_run(struct vm_page *m, unsigned long npages,
			       int flags)
{
	struct uma_kva *kva;
	unsigned long i;
	int error = 0;

	vm_steer(VM_STEER_CONTIG_MAP, &error);
	if (error)
		return ERR_PTR(error);
	if (!(flags & M_WAITOK) || !uma_kva_supported())
		return NULL;
	kva = uma_kva_reserve(npages);
	if (IS_ERR(kva))
		return kva;
	for (i = 0; i < npages; i++)
		WARN_ON(uma_kva_enter(kva, i, &m[i], UMA_KVA_RW));
	return kva;
}

static unsigned long block_key(const void *addr)
{
	return (unsigned long)addr >> PAGE_SHIFT;
}

/* Give the pages of a block addresses, and remember it. Returns the address. */
static void *enter_block(struct contig_block *block, int flags)
{
	gfp_t gfp = flags & M_WAITOK ? GFP_KERNEL : GFP_NOWAIT | __GFP_NOWARN;
	struct uma_kva *kva = map_run(block->m, block->npages, flags);
	void *addr;

	if (IS_ERR(kva)) {
		atomic64_inc(&contig_map_cnt.no_kva);
		return NULL;
	}
	block->kva = kva;
	addr = kva ? kva->base : vm_page_kva(block->m);
	if (!xa_insert(&contig_blocks, block_key(addr), block, gfp))
		return addr;
	if (kva)
		unmap_run(kva);
	return NULL;
}

static bool flags_good(int flags)
{
	int how = flags & (M_WAITOK | M_NOWAIT);

	return (how == M_WAITOK || how == M_NOWAIT) &&
	       !(flags & ~(M_WAITOK | M_NOWAIT | M_ZERO | M_USE_RESERVE));
}

static bool type_good(const struct malloc_type *type)
{
	return type && (READ_ONCE(type->ks_state) & ~0xffU) ==
		       MALLOC_TYPE_MAGIC;
}

/* A block whose request makes sense. Its address, or NULL with @error. */
static void *make_block(const struct contig_req *req, struct malloc_type *type,
			int flags, int *error)
{
	gfp_t gfp = flags & M_WAITOK ? GFP_KERNEL : GFP_NOWAIT | __GFP_NOWARN;
	enum contig_algorithm how = READ_ONCE(vm_old_contigmalloc) ?
				    CONTIG_OLD : CONTIG_NEW;
	struct contig_block *block = kmalloc(sizeof(*block), gfp);
	void *addr;

	*error = -ENOMEM;
	if (!block)
		return NULL;
	*error = contig_alloc(req, how, flags, &block->m);
	if (*error)
		goto free_block;
	block->npages = req->npages;
	block->type = type;
	addr = enter_block(block, flags);
	if (addr)
		return addr;
	*error = -ENOMEM;
	vm_page_release_contig(block->m, block->npages);
free_block:
	kfree(block);
	return NULL;
}

/**
 * contig_malloc() - contigmalloc() for who wants to know more
 * @size: bytes
 * @type: what it is counted under
 * @flags: M_WAITOK or M_NOWAIT; and M_ZERO, M_USE_RESERVE
 * @low: lowest physical address
 * @high: highest physical address
 * @alignment: of the first physical address, a power of two
 * @boundary: a power of two, or 0
 * @addr: where to leave the address
 *
 * Context: as contigmalloc().
 * Return: 0; -EINVAL for nonsense, -ENXIO if the pool has no page between @low and
 * @high, -ENOMEM.
 */
int contig_malloc(unsigned long size, struct malloc_type *type, int flags,
		  vm_paddr_t low, vm_paddr_t high, unsigned long alignment,
		  vm_paddr_t boundary, void **addr)
{
	struct contig_req req;
	int error;

	if (!type_good(type) || !flags_good(flags) ||
	    contig_req_init(&req, size, low, high, alignment, boundary)) {
		atomic64_inc(&contig_map_cnt.refused);
		return -EINVAL;
	}
	*addr = make_block(&req, type, flags, &error);
	if (!*addr) {
		malloc_type_allocated(type, 0);
		return error;
	}
	if (flags & M_ZERO)
		memset(*addr, 0, req.npages << PAGE_SHIFT);
	malloc_type_allocated(type, req.npages << PAGE_SHIFT);
	atomic64_inc(&contig_map_cnt.mapped);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_malloc);

/**
 * contigmalloc() - allocate memory that is physically contiguous
 * @size: bytes; memory comes by the page
 * @type: what it is counted under
 * @flags: M_WAITOK, to have memory that is in use laundered; or M_NOWAIT, to take what
 *	is free or cached. And M_ZERO, or M_USE_RESERVE for the last free pages
 * @low: lowest physical address
 * @high: highest physical address
 * @alignment: of the first physical address: a power of two
 * @boundary: a power of two: no multiple of it lies inside; or 0
 *
 * Which algorithm is used is what old_contigmalloc says at that time. vtophys() tells
 * the physical address.
 *
 * Context: process context, no lock of the VM held; with M_WAITOK may sleep.
 * Return: the address, that of a page; or NULL, even of M_WAITOK, if it cannot be had;
 * with a message if the request made no sense.
 */
void *contigmalloc(unsigned long size, struct malloc_type *type, int flags,
		   vm_paddr_t low, vm_paddr_t high, unsigned long alignment,
		   vm_paddr_t boundary)
{
	void *addr;
	int error;

	error = contig_malloc(size, type, flags, low, high, alignment, boundary,
			      &addr);
	if (error == -EINVAL)
		pr_err_ratelimited("%lu bytes from %#llx to %#llx, alignment %#lx, boundary %#llx, flags %#x: refused to %pS (%d)\n",
				   size, (u64)low, (u64)high, alignment,
				   (u64)boundary, flags, (void *)_RET_IP_,
				   error);
	return error ? NULL : addr;
}
EXPORT_SYMBOL_GPL(contigmalloc);

/* Forget a block, if it is what the caller thinks; only one of two who come with it. */
static struct contig_block *take_block(void *addr, unsigned long npages,
				       struct malloc_type *type)
{
	struct contig_block *block;

	if (!PAGE_ALIGNED(addr))
		return NULL;
	xa_lock(&contig_blocks);
	block = xa_load(&contig_blocks, block_key(addr));
	if (block && block->npages == npages && block->type == type)
		__xa_erase(&contig_blocks, block_key(addr));
	else
		block = NULL;
	xa_unlock(&contig_blocks);
	return block;
}

/**
 * contig_free() - contigfree() for who wants to know more
 * @addr: the address
 * @size: bytes, as they were asked for
 * @type: the type
 *
 * Context: as contigfree().
 * Return: 0; -EINVAL if there is no such memory, and nothing was done.
 */
int contig_free(void *addr, unsigned long size, struct malloc_type *type)
{
	unsigned long npages = (size >> PAGE_SHIFT) + !!(size & ~PAGE_MASK);
	struct contig_block *block = take_block(addr, npages, type);

	if (!block) {
		atomic64_inc(&contig_map_cnt.refused);
		return -EINVAL;
	}
	/* Pointers left behind would keep kmemleak, which reads the pool, blind. */
	if (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		memset(addr, 0, npages << PAGE_SHIFT);
	if (block->kva)
		unmap_run(block->kva);
	vm_page_release_contig(block->m, npages);
	malloc_type_freed(type, npages << PAGE_SHIFT);
	atomic64_inc(&contig_map_cnt.unmapped);
	kfree(block);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(contig_free);

/**
 * contigfree() - free memory of contigmalloc()
 * @addr: the address, or NULL, which does nothing
 * @size: bytes, as they were asked for
 * @type: the type that they were allocated under
 *
 * What is no such memory is refused with a message.
 *
 * Context: process context, may sleep; if it came with M_NOWAIT it does not.
 */
void contigfree(void *addr, unsigned long size, struct malloc_type *type)
{
	if (addr && contig_free(addr, size, type))
		pr_err_ratelimited("free of %lu bytes at %p refused to %pS: nothing of this size and type was allocated there\n",
				   size, addr, (void *)_RET_IP_);
}
EXPORT_SYMBOL_GPL(contigfree);

/**
 * contig_map_shutdown() - nobody can call us any more: what was left behind?
 *
 * It is named, and given back.
 */
void contig_map_shutdown(void)
{
	struct contig_block *block;
	unsigned long key;

	xa_for_each(&contig_blocks, key, block) {
		pr_err("%lu pages at %#lx are still there at unload\n",
		       block->npages, key << PAGE_SHIFT);
		if (block->kva)
			unmap_run(block->kva);
		vm_page_release_contig(block->m, block->npages);
		kfree(block);
	}
	xa_destroy(&contig_blocks);
}
