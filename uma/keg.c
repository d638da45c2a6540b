// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kegs: items of one size, cut from slabs.
 *
 * A slab is a run of pages with a header. The header's bitmap says which items
 * are in the slab; an item that is with a user, or in some bucket, has its bit
 * clear. So a second free of one item, or the free of an address that is no
 * item, cannot pass unseen once it gets here, and costs no more to see than
 * the free itself.
 *
 * From an item to its slab: the record of the page that it lies in points to
 * the header. That also tells an item of another keg, and an address that is
 * nobody's, since a record is believed only after it was found to be ours.
 * Memory from a uma_alloc of the consumer's has no record; a keg with one
 * keeps its slabs in a tree by address, the node just before the header.
 *
 * Slabs wait on one of three lists, of their memory node, by how full they are. Allocation prefers
 * partly used ones, so that unused ones stay whole and can go back to the
 * pool; they go when reclaim.c says so, not before, since a keg that has
 * emptied tends to fill again.
 *
 * A keg's limit counts pages, and pages are counted before they are had: two
 * that grow at once cannot pass the limit together.
 *
 * The lock is held only over list and bitmap work, for as many items as the
 * caller asks, at most a bucket's. Pages, headers, init and fini are had and
 * run without it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "uma/kva.h"
#include "uma/trace.h"
#include "uma/uma_int.h"

const struct uma_internal *uma_internal;

/* Wins runs of pages back from who can do without them; registered. */
static struct vm_page *(*keg_contig)(unsigned int npages);

static uma_zone_t header_zone;
static uma_zone_t header_refcnt_zone;

/* A slab whose memory is not the pool's; its header is always off-page. */
struct foreign_slab {
	struct rb_node node;
	struct uma_slab slab;
};

/* Kegs with a fixed backing nest differently; a class of their own says so. */
static struct lock_class_key keg_backed_key;

/**
 * uma_keg_set_header_zones() - where off-page headers come from
 * @plain: zone for headers without counters
 * @refcnt: zone for headers with them
 */
void uma_keg_set_header_zones(uma_zone_t plain, uma_zone_t refcnt)
{
	header_zone = plain;
	header_refcnt_zone = refcnt;
}

/**
 * uma_keg_set_contig() - register what wins runs of pages when none are free
 * @fn: returns a run of free pages as the pool does, or NULL; may sleep for long, and
 *	is called with none of UMA's locks held. NULL takes the registered one back
 */
void uma_keg_set_contig(struct vm_page *(*fn)(unsigned int npages))
{
	WRITE_ONCE(keg_contig, fn);
}

static uma_zone_t keg_header_zone(const struct uma_keg *keg)
{
	return keg->uk_flags & UMA_ZONE_REFCNT ? header_refcnt_zone :
						 header_zone;
}

static size_t keg_slab_bytes(const struct uma_keg *keg)
{
	return (size_t)keg->uk_layout.pages << PAGE_SHIFT;
}

static void *slab_item(const struct uma_keg *keg, const struct uma_slab *slab,
		       unsigned int i)
{
	return slab->us_data + (size_t)i * keg->uk_layout.rsize;
}

/* The record of page @i of a slab whose memory has records. */
static struct vm_page *keg_page(const struct uma_keg *keg, void *mem,
				unsigned int i)
{
	void *addr = mem + ((size_t)i << PAGE_SHIFT);

	return keg->uk_kva ? uma_kva_lookup(addr) :
			     uma_pool_lookup(uma_pool, addr);
}

/*
 * The line of those who wait. What comes free while somebody waits is not left
 * for whoever looks first: it is handed over, to the first in line, under the
 * lock that freed it. Only room (a raised limit, pages that went back) cannot be
 * handed over; for that the first in line is woken, and when it has made a slab,
 * those behind it are served from it.
 */

static struct uma_waiter *keg_first_waiter(struct uma_keg *keg, u32 nfree)
{
	struct uma_waiter *w;

	lockdep_assert_held(&keg->uk_lock);
	w = list_first_entry_or_null(&keg->uk_waiters[1], struct uma_waiter,
				     link);
	if (!w && nfree > keg->uk_reserve)
		w = list_first_entry_or_null(&keg->uk_waiters[0],
					     struct uma_waiter, link);
	return w;
}

/* Take one thread to wake off the keg, with a reference, or NULL. */
static struct task_struct *keg_next_to_wake(struct uma_keg *keg)
{
	struct task_struct *task = NULL;
	struct uma_waiter *w;
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	w = list_first_entry_or_null(&keg->uk_served, struct uma_waiter, link);
	if (w) {
		list_del_init(&w->link);
	} else if (keg->uk_wake_head) {
		keg->uk_wake_head = false;
		w = keg_first_waiter(keg, U32_MAX);
	}
	if (w) {
		/* From the unlock on the waiter may be gone, its task is not. */
		WRITE_ONCE(w->woken, true);
		task = get_task_struct(w->task);
	}
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return task;
}

static void keg_wake(struct irq_work *work)
{
	struct uma_keg *keg = container_of(work, struct uma_keg, uk_wake_work);
	struct task_struct *task;

	while ((task = keg_next_to_wake(keg))) {
		wake_up_process(task);
		put_task_struct(task);
	}
}

/* Room for a slab may have come: let the first in line look. */
static void keg_wake_head(struct uma_keg *keg)
{
	lockdep_assert_held(&keg->uk_lock);
	if (!keg_first_waiter(keg, U32_MAX))
		return;
	keg->uk_wake_head = true;
	irq_work_queue(&keg->uk_wake_work);
}

/* How slabs look by a keg's size, alignment and flags, and @how besides. */
static int keg_layout(struct uma_keg *keg, unsigned int how,
		      struct uma_slab_layout *l)
{
	if (keg->uk_flags & UMA_ZONE_REFCNT)
		how |= UMA_LAYOUT_REFCNT;
	if (keg->uk_flags & UMA_ZONE_PCPU)
		return uma_slab_layout_percpu(keg->uk_size, keg->uk_align, how,
					      keg->uk_copies, l);
	if (keg->uk_flags & UMA_ZONE_OFFPAGE)
		how |= UMA_LAYOUT_OFFPAGE;
	if (keg->uk_flags & UMA_ZONE_CACHESPREAD)
		how |= UMA_LAYOUT_SPREAD;
	if (keg->uk_flags & UMA_ZONE_VM)
		how |= UMA_LAYOUT_FEWEST;
	return uma_slab_layout(keg->uk_size, keg->uk_align, how, l);
}

/* A keg without a layout. */
static struct uma_keg *keg_alloc(const char *name, size_t size,
				 unsigned int align, u32 flags)
{
	struct uma_keg *keg;
	int nid;

	keg = kzalloc(struct_size(keg, uk_domain, nr_node_ids), GFP_KERNEL);
	if (!keg)
		return NULL;
	raw_spin_lock_init(&keg->uk_lock);
	if (flags & UMA_ZONE_MTXCLASS) {
		lockdep_register_key(&keg->uk_key);
		lockdep_set_class_and_name(&keg->uk_lock, &keg->uk_key, name);
	}
	for (nid = 0; nid < nr_node_ids; nid++) {
		INIT_LIST_HEAD(&keg->uk_domain[nid].part);
		INIT_LIST_HEAD(&keg->uk_domain[nid].unused);
		INIT_LIST_HEAD(&keg->uk_domain[nid].used);
	}
	INIT_LIST_HEAD(&keg->uk_zones);
	keg->uk_foreign = RB_ROOT;
	INIT_LIST_HEAD(&keg->uk_waiters[0]);
	INIT_LIST_HEAD(&keg->uk_waiters[1]);
	INIT_LIST_HEAD(&keg->uk_served);
	init_irq_work(&keg->uk_wake_work, keg_wake);
	keg->uk_size = size;
	keg->uk_align = align;
	keg->uk_flags = flags;
	keg->uk_copies = flags & UMA_ZONE_PCPU ? nr_cpu_ids : 1;
	keg->uk_name = name;
	return keg;
}

static void keg_free(struct uma_keg *keg)
{
	if (keg->uk_flags & UMA_ZONE_MTXCLASS)
		lockdep_unregister_key(&keg->uk_key);
	kfree(keg);
}

/**
 * uma_keg_create() - create a keg
 * @name: for messages; not copied, lives as long as the keg
 * @size: bytes of an item
 * @uminit: run for each item of a new slab, or NULL
 * @fini: run for each item before its slab goes, or NULL
 * @align: alignment as a mask
 * @flags: UMA_ZONE_* and UMA_ZFLAG_*
 *
 * Context: process context, may sleep.
 * Return: the keg, or an ERR_PTR: -EINVAL or -E2BIG from the layout, -ENOMEM.
 */
struct uma_keg *uma_keg_create(const char *name, size_t size, uma_init uminit,
			       uma_fini fini, unsigned int align, u32 flags)
{
	struct uma_keg *keg;
	int error;

	/* The layout knows better, but is asked for what fits uk_size. */
	if (size > U32_MAX)
		return ERR_PTR(-E2BIG);
	/* Each of these says where items lie, and differently. */
	if (hweight32(flags & (UMA_ZONE_PCPU | UMA_ZONE_CACHESPREAD |
			       UMA_ZONE_VM)) > 1 ||
	    hweight32(flags & (UMA_ZONE_FIRSTTOUCH | UMA_ZONE_ROUNDROBIN)) > 1)
		return ERR_PTR(-EINVAL);
	keg = keg_alloc(name, size, align, flags);
	if (!keg)
		return ERR_PTR(-ENOMEM);
	error = keg_layout(keg, 0, &keg->uk_layout);
	/* What headers and buckets are made of must not need a header. */
	if (!error && WARN_ON_ONCE(flags & UMA_ZFLAG_INTERNAL &&
				   keg->uk_layout.offpage))
		error = -EINVAL;
	if (error) {
		keg_free(keg);
		return ERR_PTR(error);
	}
	keg->uk_init = uminit;
	keg->uk_fini = fini;
	return keg;
}

/**
 * uma_keg_create_import() - create a keg without slabs
 * @name: for messages; not copied, lives as long as the keg
 * @size: bytes of an item
 * @import: where items come from
 * @release: where they go
 * @arg: argument of both
 * @flags: UMA_ZONE_*
 *
 * What is a page to other kegs is an item to this one: its limit is exact.
 *
 * Context: process context, may sleep.
 * Return: the keg, or an ERR_PTR.
 */
struct uma_keg *uma_keg_create_import(const char *name, size_t size,
				      uma_import import, uma_release release,
				      void *arg, u32 flags)
{
	struct uma_keg *keg = keg_alloc(name, size, 0, flags);

	if (!keg)
		return ERR_PTR(-ENOMEM);
	keg->uk_layout.rsize = size;
	keg->uk_layout.ipers = 1;
	keg->uk_layout.pages = 1;
	keg->uk_import = import;
	keg->uk_release = release;
	keg->uk_arg = arg;
	return keg;
}

/*
 * Memory of a fixed backing: a slot of its range. Pages once entered in a slot
 * stay there until the keg goes, so that giving a slot back needs no flush and
 * works in any context.
 */
static void *keg_backing_alloc(struct uma_keg *keg, int flags)
{
	unsigned int pages = keg->uk_layout.pages;
	unsigned long slot, slots = keg->uk_kva->npages / pages;
	unsigned long i, irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	slot = find_first_zero_bit(keg->uk_kva_slots, slots);
	if (slot < slots)
		__set_bit(slot, keg->uk_kva_slots);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	if (slot == slots)
		return NULL;

	for (i = slot * pages; i < (slot + 1) * pages; i++) {
		struct vm_page *m;

		if (keg->uk_kva->pages[i])
			continue;
		m = uma_pool_alloc(uma_pool, 1, flags);
		if (!m)
			goto fail;
		m->object = keg->uk_obj;
		m->pindex = i;
		if (uma_kva_enter(keg->uk_kva, i, m, UMA_KVA_RW)) {
			m->object = NULL;
			uma_pool_free(uma_pool, m, 1);
			goto fail;
		}
	}
	return keg->uk_kva->base + (slot * pages << PAGE_SHIFT);
fail:
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	__clear_bit(slot, keg->uk_kva_slots);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return NULL;
}

static void keg_backing_free(struct uma_keg *keg, void *mem)
{
	unsigned long irq, page = (mem - keg->uk_kva->base) >> PAGE_SHIFT;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	__clear_bit(page / keg->uk_layout.pages, keg->uk_kva_slots);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

static void keg_backing_destroy(struct uma_keg *keg)
{
	struct uma_kva *kva = keg->uk_kva;
	unsigned long i;

	for (i = 0; i < kva->npages; i++) {
		struct vm_page *m = kva->pages[i];

		if (!m)
			continue;
		if (WARN_ON_ONCE(uma_kva_remove(kva, i, 1)))
			continue;
		m->object = NULL;
		uma_pool_free(uma_pool, m, 1);
	}
	uma_kva_release(kva);
	kvfree(keg->uk_kva_slots);
}

/* The memory node for what is to come: this CPU's, or the next in turn. */
static int keg_preferred_node(struct uma_keg *keg)
{
	unsigned long irq;
	int nid;

	if (!(keg->uk_flags & UMA_ZONE_ROUNDROBIN))
		return numa_mem_id();
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	nid = next_node_in(keg->uk_next_node, node_states[N_MEMORY]);
	keg->uk_next_node = nid;
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return nid;
}

/* The memory node of an address; that of a range's pages does not matter. */
static int node_of(const void *mem)
{
	return virt_addr_valid(mem) ? page_to_nid(virt_to_page(mem)) :
				      numa_mem_id();
}

/**
 * uma_keg_item_node() - the memory node of an item
 * @keg: its keg
 * @item: the item
 *
 * Context: any but NMI.
 * Return: the node.
 */
int uma_keg_item_node(struct uma_keg *keg, const void *item)
{
	return node_of(item);
}

/*
 * Pages enough, but no run: for a zone that insists on one, and a caller who can wait,
 * it may be won from others. Who is in the kernel's reclaim, or must not begin I/O,
 * cannot wait for that.
 */
static struct vm_page *keg_win_run(struct uma_keg *keg, int flags)
{
	struct vm_page *(*fn)(unsigned int npages) = READ_ONCE(keg_contig);

	if (!fn || !(keg->uk_flags & UMA_ZONE_CONTIG) ||
	    keg->uk_layout.pages == 1 || !(flags & M_WAITOK) ||
	    flags & M_NODEONLY ||
	    current->flags & (PF_MEMALLOC | PF_MEMALLOC_NOIO |
			      PF_MEMALLOC_NOFS))
		return NULL;
	return fn(keg->uk_layout.pages);
}

static void *keg_memory_alloc(struct uma_keg *keg, uma_zone_t zone, int nid,
			      u8 *pflag, int flags)
{
	size_t bytes = keg_slab_bytes(keg);
	struct vm_page *m;
	void *mem;

	flags &= M_WAITOK | M_NOWAIT | M_USE_RESERVE | M_NODEONLY;
	if (keg->uk_allocf) {
		mem = keg->uk_allocf(zone, bytes, pflag, flags & ~M_NODEONLY);
		if (mem && WARN_ONCE(!PAGE_ALIGNED(mem),
				     "uma: allocf of %s: memory not page-aligned\n",
				     keg->uk_name)) {
			if (keg->uk_freef)
				keg->uk_freef(mem, bytes, *pflag);
			return NULL;
		}
		return mem;
	}
	if (keg->uk_kva)
		return keg_backing_alloc(keg, flags);
	/* They may stay for ever, in the midst of pages that runs are won from. */
	if (keg->uk_flags & UMA_ZONE_VM)
		flags |= M_HIGHEST;
	m = uma_pool_alloc_node(uma_pool, keg->uk_layout.pages, nid, flags) ?:
	    keg_win_run(keg, flags);
	return m ? vm_page_kva(m) : NULL;
}

static void keg_memory_free(struct uma_keg *keg, void *mem, u8 pflag)
{
	if (keg->uk_allocf) {
		if (keg->uk_freef)
			keg->uk_freef(mem, keg_slab_bytes(keg), pflag);
	} else if (keg->uk_kva) {
		keg_backing_free(keg, mem);
	} else {
		uma_pool_free(uma_pool, keg_page(keg, mem, 0),
			      keg->uk_layout.pages);
	}
}

/* Tie the pages of @slab to it, or with @slab NULL undo that. */
static void keg_set_back_pointers(struct uma_keg *keg, void *mem,
				  struct uma_slab *slab)
{
	unsigned int i;

	if (keg->uk_allocf)
		return;
	for (i = 0; i < keg->uk_layout.pages; i++) {
		/* Pairs with find_slab(): the header is complete. */
		smp_store_release(&keg_page(keg, mem, i)->slab, slab);
	}
}

/* Undo init for the first @n items; the slab is on no list. */
static void keg_slab_fini(struct uma_keg *keg, struct uma_slab *slab,
			  unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		void *item = slab_item(keg, slab, i);

		uma_item_unpoison(keg, item);
		if (keg->uk_fini)
			keg->uk_fini(item, keg->uk_size);
	}
}

static void *slab_header_alloc(struct uma_keg *keg, int flags)
{
	if (flags & M_QUEUED)
		flags = (flags & ~M_WAITOK) | M_NOWAIT;
	flags &= M_WAITOK | M_NOWAIT | M_USE_RESERVE;
	return uma_internal->alloc(keg_header_zone(keg), flags);
}

/* Give the memory of a slab back, and its header. */
static void keg_slab_destroy(struct uma_keg *keg, struct uma_slab *slab)
{
	u8 pflag = slab->us_pflag;
	void *mem = slab->us_data;
	void *header = NULL;

	trace_uma_slab_destroy(keg->uk_name, mem, keg->uk_layout.pages,
			       keg->uk_layout.ipers);
	if (keg->uk_allocf)
		header = container_of(slab, struct foreign_slab, slab);
	else if (keg->uk_layout.offpage)
		header = slab;
	keg_set_back_pointers(keg, mem, NULL);
	/* Pointers left behind would keep kmemleak, which reads the pool, blind. */
	if (IS_ENABLED(CONFIG_DEBUG_KMEMLEAK))
		memset(mem, 0, keg_slab_bytes(keg));
	keg_memory_free(keg, mem, pflag);
	if (header)
		uma_internal->free(keg_header_zone(keg), header);
}

/*
 * Make a slab with all items initialised, on no list. Error: -ENOMEM for want
 * of memory, -ECANCELED from an init.
 */
static struct uma_slab *keg_slab_create(struct uma_keg *keg, uma_zone_t zone,
					int nid, int flags)
{
	const struct uma_slab_layout *l = &keg->uk_layout;
	struct uma_slab *slab;
	void *mem, *header = NULL;
	unsigned int i;
	u8 pflag = 0;

	if (l->offpage) {
		header = slab_header_alloc(keg, flags);
		if (!header)
			return ERR_PTR(-ENOMEM);
	}
	mem = keg_memory_alloc(keg, zone, nid, &pflag, flags);
	if (!mem) {
		if (header)
			uma_internal->free(keg_header_zone(keg), header);
		return ERR_PTR(-ENOMEM);
	}

	if (keg->uk_allocf)
		slab = &((struct foreign_slab *)header)->slab;
	else if (header)
		slab = header;
	else
		slab = mem + l->hdr_off;
	memset(slab, 0, l->hdr_size);
	slab->us_keg = keg;
	slab->us_data = mem;
	slab->us_pflag = pflag;
	slab->us_node = node_of(mem);
	slab->us_freecount = l->ipers;
	bitmap_set(slab->us_free, 0, l->ipers);
	keg_set_back_pointers(keg, mem, slab);

	uma_steer(UMA_STEER_IMPORT, keg);
	for (i = 0; i < l->ipers; i++) {
		void *item = slab_item(keg, slab, i);

		if (keg->uk_flags & UMA_ZONE_ZINIT)
			uma_item_zero(keg, item);
		if (keg->uk_init && keg->uk_init(item, keg->uk_size, flags &
						 (M_WAITOK | M_NOWAIT))) {
			keg_slab_fini(keg, slab, i);
			keg_slab_destroy(keg, slab);
			return ERR_PTR(-ECANCELED);
		}
	}
	for (i = 0; i < l->ipers; i++)
		uma_item_poison(keg, slab_item(keg, slab, i));
	trace_uma_slab_create(keg->uk_name, mem, l->pages, l->ipers);
	return slab;
}

static void keg_insert_foreign(struct uma_keg *keg, struct uma_slab *slab)
{
	struct foreign_slab *fs = container_of(slab, struct foreign_slab, slab);
	struct rb_node **p = &keg->uk_foreign.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (slab->us_data <
		    rb_entry(parent, struct foreign_slab, node)->slab.us_data)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	rb_link_node(&fs->node, parent, p);
	rb_insert_color(&fs->node, &keg->uk_foreign);
}

static struct uma_slab *keg_find_foreign(struct uma_keg *keg, const void *item)
{
	struct rb_node *n = keg->uk_foreign.rb_node;

	while (n) {
		struct foreign_slab *fs = rb_entry(n, struct foreign_slab, node);

		if (item < fs->slab.us_data)
			n = n->rb_left;
		else if (item >= fs->slab.us_data + keg_slab_bytes(keg))
			n = n->rb_right;
		else
			return &fs->slab;
	}
	return NULL;
}

/* Put a slab on the list that its count asks for; it is on none. */
static void keg_slab_link(struct uma_keg *keg, struct uma_slab *slab)
{
	struct uma_keg_domain *d = &keg->uk_domain[slab->us_node];

	lockdep_assert_held(&keg->uk_lock);
	d->free += slab->us_freecount;
	if (!slab->us_freecount) {
		list_add(&slab->us_link, &d->used);
	} else if (slab->us_freecount < keg->uk_layout.ipers) {
		list_add(&slab->us_link, &d->part);
	} else {
		list_add(&slab->us_link, &d->unused);
		WRITE_ONCE(keg->uk_unused_slabs, keg->uk_unused_slabs + 1);
	}
}

static void keg_slab_unlink(struct uma_keg *keg, struct uma_slab *slab)
{
	lockdep_assert_held(&keg->uk_lock);
	list_del(&slab->us_link);
	keg->uk_domain[slab->us_node].free -= slab->us_freecount;
	if (slab->us_freecount == keg->uk_layout.ipers) {
		WRITE_ONCE(keg->uk_unused_slabs, keg->uk_unused_slabs - 1);
		if (keg->uk_unused_slabs < keg->uk_unused_min)
			keg->uk_unused_min = keg->uk_unused_slabs;
	}
}

/*
 * Count up to @n slabs' pages before they are had, as many as the limit leaves
 * room for. Of room, those in line come first: without M_QUEUED they leave none.
 */
static u32 keg_promise_pages(struct uma_keg *keg, u32 n, int flags)
{
	u32 pages = keg->uk_layout.pages;
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	if (keg->uk_maxpages) {
		u32 room = keg->uk_maxpages > keg->uk_pages ?
			   keg->uk_maxpages - keg->uk_pages : 0;

		n = min(n, room / pages);
		if (!(flags & M_QUEUED) && keg_first_waiter(keg, U32_MAX))
			n = 0;
	}
	WRITE_ONCE(keg->uk_pages, keg->uk_pages + n * pages);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return n;
}

/* Take the pages of @n slabs off the count again. */
static void keg_return_pages(struct uma_keg *keg, u32 n)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	WRITE_ONCE(keg->uk_pages, keg->uk_pages - n * keg->uk_layout.pages);
	keg_wake_head(keg);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

static unsigned int slab_take(struct uma_keg *keg, struct uma_slab *slab,
			      void **items, unsigned int n)
{
	unsigned int i, got = 0;

	keg_slab_unlink(keg, slab);
	for_each_set_bit(i, slab->us_free, keg->uk_layout.ipers) {
		if (got == n)
			break;
		__clear_bit(i, slab->us_free);
		items[got++] = slab_item(keg, slab, i);
	}
	slab->us_freecount -= got;
	WRITE_ONCE(keg->uk_free, keg->uk_free - got);
	keg_slab_link(keg, slab);
	return got;
}

/* A slab of a node with items in it, a used one if there is one, or NULL. */
static struct uma_slab *keg_slab_of_node(struct uma_keg *keg, int nid)
{
	struct uma_keg_domain *d = &keg->uk_domain[nid];
	struct uma_slab *slab;

	lockdep_assert_held(&keg->uk_lock);
	slab = list_first_entry_or_null(&d->part, struct uma_slab, us_link);
	return slab ?: list_first_entry_or_null(&d->unused, struct uma_slab,
						us_link);
}

/* The same for any node, @nid if that has one. */
static struct uma_slab *keg_any_slab(struct uma_keg *keg, int nid)
{
	struct uma_slab *slab = keg_slab_of_node(keg, nid);

	for (nid = 0; !slab && nid < nr_node_ids; nid++)
		slab = keg_slab_of_node(keg, nid);
	return slab;
}

/* Items have come to slabs: who waits is given them. */
static void keg_serve(struct uma_keg *keg)
{
	struct uma_waiter *w;
	u32 room;

	lockdep_assert_held(&keg->uk_lock);
	while (keg->uk_free && (w = keg_first_waiter(keg, keg->uk_free))) {
		room = keg->uk_free - (w->reserve ? 0 : keg->uk_reserve);
		w->got += slab_take(keg, keg_any_slab(keg, w->nid),
				    w->items + w->got,
				    min(w->n - w->got, room));
		if (w->got < w->n)
			continue;
		list_move_tail(&w->link, &keg->uk_served);
		irq_work_queue(&keg->uk_wake_work);
	}
}

/* Make a slab within the limit; on no list yet. Errors as uma_keg_alloc(). */
static struct uma_slab *keg_make_slab(struct uma_keg *keg, uma_zone_t zone,
				      int nid, int flags)
{
	struct uma_slab *slab;

	if (!keg_promise_pages(keg, 1, flags))
		return ERR_PTR(-ENOSPC);
	slab = keg_slab_create(keg, zone, nid, flags);
	if (IS_ERR(slab))
		keg_return_pages(keg, 1);
	return slab;
}

/* Items of a keg without slabs. */
static unsigned int keg_import(struct uma_keg *keg, void **items,
			       unsigned int n, int flags, int *error)
{
	int got;

	n = keg_promise_pages(keg, n, flags);
	if (!n) {
		*error = -ENOSPC;
		return 0;
	}
	got = keg->uk_import(keg->uk_arg, items, n, numa_mem_id(),
			     flags & (M_WAITOK | M_NOWAIT | M_USE_RESERVE));
	if (WARN_ONCE(got < 0 || got > n,
		      "uma: import of %s brought %d items of %u\n",
		      keg->uk_name, got, n))
		got = clamp_t(int, got, 0, n);
	if (got < n)
		keg_return_pages(keg, n - got);
	/* Less may be had where many were not; nothing is the last word. */
	if (!got)
		*error = n > 1 ? -ENOMEM : -ECANCELED;
	return got;
}

static void keg_insert_slab(struct uma_keg *keg, struct uma_slab *slab)
{
	lockdep_assert_held(&keg->uk_lock);
	if (keg->uk_allocf)
		keg_insert_foreign(keg, slab);
	keg_slab_link(keg, slab);
	keg->uk_slabs++;
	WRITE_ONCE(keg->uk_free, keg->uk_free + keg->uk_layout.ipers);
	keg_serve(keg);
}

/**
 * uma_keg_grow() - add one slab
 * @keg: the keg
 * @zone: for allocf
 * @flags: M_WAITOK or M_NOWAIT, for init and for the header
 *
 * Context: as uma_keg_alloc().
 * Return: 0 or an error of uma_keg_alloc().
 */
int uma_keg_grow(struct uma_keg *keg, uma_zone_t zone, int flags)
{
	struct uma_slab *slab = keg_make_slab(keg, zone,
					      keg_preferred_node(keg), flags);
	unsigned long irq;

	if (IS_ERR(slab))
		return PTR_ERR(slab);
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	keg_insert_slab(keg, slab);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return 0;
}

/**
 * uma_keg_alloc() - take items out of slabs
 * @keg: the keg
 * @zone: the zone that asks, for allocf
 * @items: where to leave them
 * @n: how many are wanted, at least 1
 * @flags: M_WAITOK or M_NOWAIT, for what a new slab calls, M_USE_RESERVE, M_QUEUED
 * @error: set when nothing is returned
 *
 * A slab is made only when there is nothing to return otherwise: the first
 * item is worth new pages, the others of a bucket are not. With several memory
 * nodes it is also made where only other nodes have items, if this one has pages.
 *
 * Context: any but NMI. Sleeps only inside a new slab's header allocation,
 * allocf and init, and only with M_WAITOK; it does not wait for pages of the pool
 * or for the limit, which is the zone's to do.
 * Return: items left in @items, or 0 with @error -ENOSPC (the limit), -ENOMEM (no
 * memory) or -ECANCELED (an init failed, or an import).
 */
unsigned int uma_keg_alloc(struct uma_keg *keg, uma_zone_t zone, void **items,
			   unsigned int n, int flags, int *error)
{
	u32 room, keep = flags & M_USE_RESERVE ? 0 : READ_ONCE(keg->uk_reserve);
	/* From this node, that is, as long as it can be had there. */
	bool here = uma_many_nodes();
	struct uma_slab *slab;
	unsigned int got = 0;
	unsigned long irq;
	int nid;

	if (keg->uk_import)
		return keg_import(keg, items, n, flags, error);
	nid = keg_preferred_node(keg);
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	while (got < n) {
		room = keg->uk_free > keep ? keg->uk_free - keep : 0;
		slab = !room ? NULL : here ? keg_slab_of_node(keg, nid) :
					     keg_any_slab(keg, nid);
		if (slab) {
			got += slab_take(keg, slab, items + got,
					 min(n - got, room));
			continue;
		}
		if (got)
			break;
		raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
		slab = keg_make_slab(keg, zone, nid,
				     here ? flags | M_NODEONLY : flags);
		if (IS_ERR(slab) && (!here || PTR_ERR(slab) == -ECANCELED)) {
			*error = PTR_ERR(slab);
			return 0;
		}
		here = false;
		raw_spin_lock_irqsave(&keg->uk_lock, irq);
		if (!IS_ERR(slab))
			keg_insert_slab(keg, slab);
	}
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return got;
}

/* The slab that @item lies in, whosever it is, where pages have records. */
static struct uma_slab *find_slab(const void *item)
{
	struct vm_page *m;

	m = is_vmalloc_addr(item) ? uma_kva_lookup(item) :
				    uma_pool_lookup(uma_pool, item);
	/* Pairs with keg_set_back_pointers(); no lock, see vm_page.slab. */
	return m ? smp_load_acquire(&m->slab) : NULL;
}

static struct uma_slab *keg_find_slab(struct uma_keg *keg, const void *item)
{
	lockdep_assert_held(&keg->uk_lock);
	return keg->uk_allocf ? keg_find_foreign(keg, item) : find_slab(item);
}

/*
 * Find @item's slab and number, or say what is wrong with it. An address that
 * is not an item is told from one of another keg and from one that is free
 * already.
 */
static const char *keg_identify(struct uma_keg *keg, const void *item,
				struct uma_slab **slabp, unsigned int *nump)
{
	struct uma_slab *slab = keg_find_slab(keg, item);
	size_t offset;

	if (!slab)
		return "not an item of any zone";
	if (slab->us_keg != keg)
		return "an item of another zone";
	offset = item - slab->us_data;
	if (offset >= (size_t)keg->uk_layout.ipers * keg->uk_layout.rsize)
		return "an address behind the last item of its slab";
	if (offset % keg->uk_layout.rsize)
		return "an address inside an item";
	*slabp = slab;
	*nump = offset / keg->uk_layout.rsize;
	if (test_bit(*nump, slab->us_free))
		return "an item that is free already";
	return NULL;
}

static void keg_refuse(const char *who, const void *item, const char *why)
{
	pr_err_ratelimited("zone \"%s\": free of %p refused: %s\n", who, item,
			   why);
}

/**
 * uma_keg_wrong() - what would be wrong with a free of this item?
 * @keg: the keg that it should belong to
 * @item: any value at all
 *
 * Context: any but NMI.
 * Return: NULL if @item is an item of @keg that is out of its slab, or if the keg
 * has none and cannot know; else what it is instead.
 */
const char *uma_keg_wrong(struct uma_keg *keg, const void *item)
{
	struct uma_slab *slab;
	const char *why;
	unsigned int i;
	unsigned long irq;

	if (keg->uk_import)
		return NULL;
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	why = keg_identify(keg, item, &slab, &i);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return why;
}

/**
 * uma_keg_check() - would a free of this item be right?
 * @keg: the keg that it should belong to
 * @who: the zone's name, for the message
 * @item: any value at all
 *
 * Context: any but NMI.
 * Return: true if @item is an item of @keg that is out of its slab, or if the keg
 * has none and cannot know; else a message was printed.
 */
bool uma_keg_check(struct uma_keg *keg, const char *who, void *item)
{
	const char *why = uma_keg_wrong(keg, item);

	if (why)
		keg_refuse(who, item, why);
	return !why;
}

/**
 * uma_keg_free() - put items back into their slabs
 * @keg: the keg
 * @who: name of the zone that they come from, for messages
 * @items: the items, poisoned for KASAN
 * @n: how many
 *
 * What is no item of this keg, or is in its slab already, is refused with a
 * message and left alone.
 *
 * Context: any but NMI, under any lock of the caller.
 * Return: how many were put back.
 */
unsigned int uma_keg_free(struct uma_keg *keg, const char *who, void **items,
			  unsigned int n)
{
	unsigned int i, num, freed = 0;
	unsigned long irq;

	if (keg->uk_import) {
		keg->uk_release(keg->uk_arg, items, n);
		keg_return_pages(keg, n);
		return n;
	}
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	for (i = 0; i < n; i++) {
		struct uma_slab *slab;
		const char *why;

		why = keg_identify(keg, items[i], &slab, &num);
		if (why) {
			raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
			keg_refuse(who, items[i], why);
			raw_spin_lock_irqsave(&keg->uk_lock, irq);
			continue;
		}
		keg_slab_unlink(keg, slab);
		__set_bit(num, slab->us_free);
		slab->us_freecount++;
		keg_slab_link(keg, slab);
		freed++;
	}
	WRITE_ONCE(keg->uk_free, keg->uk_free + freed);
	keg_serve(keg);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return freed;
}

/**
 * uma_keg_slab() - the slab of an item, and which of its items it is
 * @keg: the keg that it should belong to
 * @item: any value at all; an address inside an item will do
 * @num: where to leave the number
 *
 * Takes no lock but in a keg with allocf.
 *
 * Context: any but NMI.
 * Return: the header, or NULL where @item is not an item of @keg.
 */
struct uma_slab *uma_keg_slab(struct uma_keg *keg, const void *item, u32 *num)
{
	const struct uma_slab_layout *l = &keg->uk_layout;
	struct uma_slab *slab;
	unsigned long irq;
	size_t offset;

	if (keg->uk_allocf) {
		raw_spin_lock_irqsave(&keg->uk_lock, irq);
		slab = keg_find_foreign(keg, item);
		raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	} else {
		slab = find_slab(item);
	}
	if (!slab || slab->us_keg != keg)
		return NULL;
	offset = item - slab->us_data;
	if (offset >= (size_t)l->ipers * l->rsize)
		return NULL;
	*num = offset / l->rsize;
	return slab;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_keg_slab);

/* The slab of any node that has been unused longest there, or NULL. */
static struct uma_slab *keg_unused_slab(struct uma_keg *keg)
{
	int nid;

	lockdep_assert_held(&keg->uk_lock);
	for (nid = 0; nid < nr_node_ids; nid++)
		if (!list_empty(&keg->uk_domain[nid].unused))
			return list_last_entry(&keg->uk_domain[nid].unused,
					       struct uma_slab, us_link);
	return NULL;
}

/* Take an unused slab away, if the reserve allows it, or NULL. */
static struct uma_slab *keg_steal_unused(struct uma_keg *keg)
{
	struct uma_slab *slab = NULL;
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	if (keg->uk_free >= keg->uk_reserve + keg->uk_layout.ipers)
		slab = keg_unused_slab(keg);
	if (slab) {
		keg_slab_unlink(keg, slab);
		keg->uk_slabs--;
		WRITE_ONCE(keg->uk_free, keg->uk_free - keg->uk_layout.ipers);
		if (keg->uk_allocf)
			rb_erase(&container_of(slab, struct foreign_slab,
					       slab)->node, &keg->uk_foreign);
	}
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return slab;
}

static unsigned int keg_release(struct uma_keg *keg, unsigned int nslabs)
{
	unsigned int n;

	for (n = 0; n < nslabs; n++) {
		struct uma_slab *slab = keg_steal_unused(keg);

		if (!slab)
			break;
		if (keg->uk_flags & UMA_ZONE_NOFREE) {
			unsigned int i;

			for (i = 0; i < keg->uk_layout.ipers; i++)
				uma_item_unpoison(keg, slab_item(keg, slab, i));
		} else {
			keg_slab_fini(keg, slab, keg->uk_layout.ipers);
		}
		keg_slab_destroy(keg, slab);
		keg_return_pages(keg, 1);
		cond_resched();
	}
	return n;
}

/**
 * uma_keg_trim() - give unused slabs back
 * @keg: the keg; one that is UMA_ZONE_NOFREE gives nothing
 * @nslabs: how many at the most
 *
 * Context: process context, may sleep in fini.
 * Return: pages given back.
 */
unsigned int uma_keg_trim(struct uma_keg *keg, unsigned int nslabs)
{
	/* A keg without slabs may be given a backing, or another layout, now. */
	if (READ_ONCE(keg->uk_flags) & UMA_ZONE_NOFREE)
		return 0;
	return keg_release(keg, nslabs) * READ_ONCE(keg->uk_layout.pages);
}

/**
 * uma_keg_destroy() - end a keg that no zone stands on
 * @keg: the keg, with all its items in slabs; or NULL or an ERR_PTR
 *
 * The pages of a UMA_ZONE_NOFREE keg go, too: its promise ends with it. Its fini
 * does not run even here.
 *
 * Context: process context, may sleep.
 */
void uma_keg_destroy(struct uma_keg *keg)
{
	if (IS_ERR_OR_NULL(keg))
		return;
	uma_keg_set_reserve(keg, 0);
	keg_release(keg, UINT_MAX);
	irq_work_sync(&keg->uk_wake_work);
	WARN_ON_ONCE(keg->uk_slabs || !list_empty(&keg->uk_zones));
	if (keg->uk_kva)
		keg_backing_destroy(keg);
	keg_free(keg);
}

/**
 * uma_keg_items_out() - items that are not in slabs
 * @keg: the keg
 *
 * Context: any.
 * Return: their number: with users or in buckets.
 */
u32 uma_keg_items_out(struct uma_keg *keg)
{
	unsigned long irq;
	u32 n;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	n = keg->uk_import ? keg->uk_pages :
			     keg->uk_slabs * keg->uk_layout.ipers - keg->uk_free;
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return n;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_keg_items_out);

/**
 * uma_keg_set_max() - limit a keg
 * @keg: the keg
 * @nitems: items that it may make, rounded up to whole slabs; 0 for no limit
 *
 * Context: any; sleepers are woken to look again.
 */
void uma_keg_set_max(struct uma_keg *keg, u32 nitems)
{
	const struct uma_slab_layout *l = &keg->uk_layout;
	u64 slabs = DIV_ROUND_UP(nitems, l->ipers);
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	/* Beyond what 32 bits of pages hold, no pool reaches. */
	WRITE_ONCE(keg->uk_maxpages,
		   min_t(u64, slabs, U32_MAX / l->pages) * l->pages);
	keg_wake_head(keg);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

/**
 * uma_keg_get_max() - the limit of a keg
 * @keg: the keg
 *
 * Context: any.
 * Return: items, at most INT_MAX; 0 for no limit.
 */
u32 uma_keg_get_max(struct uma_keg *keg)
{
	const struct uma_slab_layout *l = &keg->uk_layout;
	u64 slabs = READ_ONCE(keg->uk_maxpages) / READ_ONCE(l->pages);

	return min_t(u64, slabs * READ_ONCE(l->ipers), INT_MAX);
}

/**
 * uma_keg_set_reserve() - keep free items back for M_USE_RESERVE
 * @keg: the keg
 * @nitems: how many; the last ones in slabs, which nobody else is given and
 *	which reclaim leaves where they are
 *
 * Context: any.
 */
void uma_keg_set_reserve(struct uma_keg *keg, u32 nitems)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	WRITE_ONCE(keg->uk_reserve, nitems);
	keg_serve(keg);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

/**
 * uma_keg_can_supply() - is there an item, or room for a slab?
 * @keg: the keg
 *
 * Context: any. What it says may be over at once.
 */
bool uma_keg_can_supply(struct uma_keg *keg)
{
	u32 max = READ_ONCE(keg->uk_maxpages);

	return READ_ONCE(keg->uk_free) > READ_ONCE(keg->uk_reserve) || !max ||
	       READ_ONCE(keg->uk_pages) + READ_ONCE(keg->uk_layout.pages) <= max;
}

static void zone_set_flag(uma_zone_t zone, u16 flag, bool on)
{
	int cpu;

	lockdep_assert_held(&zone->uz_keg->uk_lock);
	for_each_possible_cpu(cpu) {
		struct uma_cache *c = per_cpu_ptr(zone->uz_cpu, cpu);
		u16 flags = uma_cache_flags(c);

		flags = on ? flags | flag : flags & ~flag;
		WRITE_ONCE(c->uc_alloc_slow, flags & 0xff);
		WRITE_ONCE(c->uc_free_slow, flags >> 8);
	}
}

/**
 * uma_keg_set_zone_flag() - set or clear a UC_* flag in all caches of a zone
 * @keg: the zone's keg
 * @zone: the zone
 * @flag: UC_*
 * @on: set it or clear it
 *
 * Sections in flight may not have seen it when this returns.
 *
 * Context: any.
 */
void uma_keg_set_zone_flag(struct uma_keg *keg, uma_zone_t zone, u16 flag,
			   bool on)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	zone_set_flag(zone, flag, on);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

static void keg_count_sleepers(struct uma_keg *keg, int delta)
{
	bool before = keg->uk_sleepers, after;
	uma_zone_t zone;

	lockdep_assert_held(&keg->uk_lock);
	WRITE_ONCE(keg->uk_sleepers, keg->uk_sleepers + delta);
	after = keg->uk_sleepers;
	if (before != after)
		list_for_each_entry(zone, &keg->uk_zones, uz_keg_link)
			zone_set_flag(zone, UC_SLEEPERS, after);
}

/*
 * Who may use the reserve goes before those who may not, and so does not wait for
 * what the first of them has been given already.
 */
static void keg_take_over(struct uma_keg *keg, struct uma_waiter *w)
{
	struct uma_waiter *behind;

	lockdep_assert_held(&keg->uk_lock);
	behind = list_first_entry_or_null(&keg->uk_waiters[0],
					  struct uma_waiter, link);
	while (behind && behind->got && w->got < w->n)
		w->items[w->got++] = behind->items[--behind->got];
}

/**
 * uma_keg_wait_begin() - get in line for items
 * @keg: the keg
 * @w: the waiter, filled in here; of the calling thread
 * @items: where it is to be given items
 * @n: how many it waits for, at least 1; it is served when it has all
 * @flags: M_USE_RESERVE goes before those without it
 *
 * From here on frees in any zone of the keg go past the caches to the slab, and
 * to whoever is first in line; but for sections in flight, which synchronize_rcu()
 * outwaits.
 *
 * Context: process context.
 */
void uma_keg_wait_begin(struct uma_keg *keg, struct uma_waiter *w, void **items,
			unsigned int n, int flags)
{
	unsigned long irq;

	w->task = current;
	w->items = items;
	w->n = n;
	w->got = 0;
	w->reserve = flags & M_USE_RESERVE;
	w->woken = false;
	w->nid = numa_mem_id();
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	keg_count_sleepers(keg, 1);
	list_add_tail(&w->link, &keg->uk_waiters[w->reserve]);
	if (w->reserve)
		keg_take_over(keg, w);
	/* What came since the caller looked is nobody's yet. */
	keg_serve(keg);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

/* The waiter was served: it has left the line. */
static bool keg_collect(struct uma_keg *keg, struct uma_waiter *w)
{
	lockdep_assert_held(&keg->uk_lock);
	if (w->got < w->n)
		return false;
	list_del_init(&w->link);
	return true;
}

/* The first in line makes an item, or a slab of them. */
static int keg_wait_make(struct uma_keg *keg, uma_zone_t zone,
			 struct uma_waiter *w, int flags)
{
	unsigned long irq;
	void *item;
	int error;

	if (!keg->uk_import)
		return uma_keg_grow(keg, zone, flags | M_QUEUED);
	/* One at a time: less may be had where many are not. */
	if (!keg_import(keg, &item, 1, flags | M_QUEUED, &error))
		return error;
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	w->items[w->got++] = item;
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	return 0;
}

/**
 * uma_keg_wait_look() - have the items come, or can they be made?
 * @keg: the keg
 * @zone: the zone that asks, for allocf
 * @w: the waiter
 * @flags: M_WAITOK, perhaps M_USE_RESERVE
 * @error: set when false is returned: why not, as from uma_keg_alloc(); -EAGAIN
 *	for a waiter that is not the first in line, which looks for nothing
 *
 * Context: as uma_keg_alloc() with M_WAITOK.
 * Return: true with all of the items.
 */
bool uma_keg_wait_look(struct uma_keg *keg, uma_zone_t zone,
		       struct uma_waiter *w, int flags, int *error)
{
	bool served, first;
	unsigned long irq;

	/* A slab may have gone into the reserve, or be too little: again. */
	for (*error = 0; ; *error = keg_wait_make(keg, zone, w, flags)) {
		raw_spin_lock_irqsave(&keg->uk_lock, irq);
		served = keg_collect(keg, w);
		first = keg_first_waiter(keg, U32_MAX) == w;
		raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
		if (served)
			return true;
		if (*error)
			return false;
		if (!first) {
			*error = -EAGAIN;
			return false;
		}
	}
}

/**
 * uma_keg_wait_end() - the wait is over, one way or the other
 * @keg: the keg
 * @w: the waiter, served or given up
 *
 * One that gave up may have been given items all the same, before this.
 *
 * Context: any.
 */
void uma_keg_wait_end(struct uma_keg *keg, struct uma_waiter *w)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	if (!list_empty(&w->link))
		list_del_init(&w->link);
	keg_count_sleepers(keg, -1);
	/* Who is first now has not been told of what woke this one. */
	keg_wake_head(keg);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

/**
 * uma_keg_add_zone() - stack a zone on a keg
 * @keg: the keg
 * @zone: the zone, with its caches and uz_keg set
 *
 * Context: any.
 */
void uma_keg_add_zone(struct uma_keg *keg, uma_zone_t zone)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	list_add_tail(&zone->uz_keg_link, &keg->uk_zones);
	zone_set_flag(zone, UC_SLEEPERS, keg->uk_sleepers);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

/**
 * uma_keg_del_zone() - take a zone off its keg
 * @keg: the keg
 * @zone: the zone, with no item out
 *
 * Context: any.
 */
void uma_keg_del_zone(struct uma_keg *keg, uma_zone_t zone)
{
	unsigned long irq;

	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	list_del(&zone->uz_keg_link);
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
}

/**
 * uma_keg_set_backing() - give a keg a fixed backing
 * @keg: a keg without slabs and without allocf
 * @obj: what its pages carry in their owner's field, may be NULL
 * @nitems: items to provide for
 *
 * The address range is had now, the pages as slabs are made; both are kept
 * until the keg ends. An access to a part of the range that has no page yet
 * faults at once. The keg becomes UMA_ZONE_NOFREE, its limit the range.
 *
 * Context: process context, may sleep.
 * Return: 0, -EBUSY, -EINVAL, -ENOMEM, or -EOPNOTSUPP where kva.c can't.
 */
int uma_keg_set_backing(struct uma_keg *keg, struct vm_object *obj, u32 nitems)
{
	u32 slabs = DIV_ROUND_UP(nitems, keg->uk_layout.ipers);
	unsigned long *slots;
	struct uma_kva *kva;

	if (!nitems)
		return -EINVAL;
	if (keg->uk_pages || keg->uk_allocf || keg->uk_kva)
		return -EBUSY;
	/* Its pages are neighbours in the range, not in memory. */
	if (keg->uk_import || keg->uk_flags & (UMA_ZONE_CONTIG | UMA_ZONE_PCPU))
		return -EINVAL;
	kva = uma_kva_reserve((unsigned long)slabs * keg->uk_layout.pages);
	if (IS_ERR(kva))
		return PTR_ERR(kva);
	slots = kvcalloc(BITS_TO_LONGS(slabs), sizeof(*slots), GFP_KERNEL);
	if (!slots) {
		uma_kva_release(kva);
		return -ENOMEM;
	}
	lockdep_set_class_and_name(&keg->uk_lock, &keg_backed_key,
				   "uma_keg_backed");
	keg->uk_kva = kva;
	keg->uk_kva_slots = slots;
	keg->uk_obj = obj;
	WRITE_ONCE(keg->uk_flags, keg->uk_flags | UMA_ZONE_NOFREE);
	uma_keg_set_max(keg, nitems);
	return 0;
}

/**
 * uma_keg_set_allocf() - take memory for slabs from the consumer
 * @keg: a keg without slabs and without a fixed backing
 * @allocf: the consumer's function, NULL for the pool again
 *
 * Context: process context.
 * Return: 0, -EBUSY, what the changed layout answers, or -EINVAL for a keg that
 * has no slabs or whose slabs the pool must make.
 */
int uma_keg_set_allocf(struct uma_keg *keg, uma_alloc allocf)
{
	struct uma_slab_layout l;
	unsigned long irq;
	u32 max;
	int error;

	if (keg->uk_pages || keg->uk_kva)
		return -EBUSY;
	if (keg->uk_import || keg->uk_flags & (UMA_ZONE_CONTIG | UMA_ZONE_PCPU))
		return -EINVAL;
	error = keg_layout(keg, allocf ? UMA_LAYOUT_OFFPAGE : 0, &l);
	if (error)
		return error;
	/* A limit was for slabs of the old layout; it stays what it was in items. */
	max = uma_keg_get_max(keg);
	raw_spin_lock_irqsave(&keg->uk_lock, irq);
	/* Who reads statistics may see a mixture of both, for a moment. */
	data_race(keg->uk_layout = l);
	keg->uk_allocf = allocf;
	raw_spin_unlock_irqrestore(&keg->uk_lock, irq);
	uma_keg_set_max(keg, max);
	return 0;
}

/**
 * uma_keg_header_bytes() - how large an item a zone of headers needs
 * @refcnt: whether the headers have counters
 *
 * Return: bytes, enough for every header that slab_layout.c puts off-page.
 */
size_t uma_keg_header_bytes(bool refcnt)
{
	u32 ref_off;

	return offsetof(struct foreign_slab, slab) +
	       uma_slab_header_size(uma_slab_offpage_items(refcnt), refcnt,
				    &ref_off);
}

/**
 * uma_keg_pages() - pages that a keg holds
 * @keg: the keg
 *
 * Context: any.
 */
u32 uma_keg_pages(struct uma_keg *keg)
{
	return keg->uk_import ? 0 : READ_ONCE(keg->uk_pages);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_keg_pages);
