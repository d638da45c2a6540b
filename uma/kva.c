// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel address ranges of our own.
 *
 * The direct map shows every page of the pool always, writable, beside its
 * physical neighbours. A zone with a fixed backing and a guarded arena want
 * addresses where only what was entered can be touched, and as was said when it
 * was entered. The kernel lends modules neither page tables nor the functions
 * that change them, but what it does lend is enough:
 *
 *   - vmap() of one placeholder page, as often as the range is long, reserves
 *     the addresses and makes the page tables for them;
 *   - lookup_address() finds the entry of an address in those tables, and
 *     set_pte() writes it.
 *
 * So a range is made with vmap() and all its entries are cleared at once: a
 * stray access faults, there and then, instead of finding the placeholder.
 * Pages are entered one by one. Before vunmap(), which looks at what it takes
 * down, every entry is the placeholder's again.
 *
 * What the processor remembers: an entry that was absent is not remembered, and
 * one that allowed less is looked up again before the access is held to be a
 * fault. So entering a page and widening its rights need no flush, and work in
 * any context. To take rights away, all processors must forget, which takes an
 * interrupt to each and therefore a caller who may sleep. Who must take them away
 * where he may not changes the entries at once, and has the processors forget
 * later (uma_kva_change(), uma_kva_flush()).
 *
 * Who uses a range decides which of its slots are whose; two callers never work
 * on the same slot at a time, and a slot is not used again before the function
 * that emptied it has returned. What is guarded here is only the tree of all
 * ranges, so that an address from anywhere can be looked up.
 *
 * This file is the one that knows the architecture. On others, and on User Mode
 * Linux, which has no page tables of its own to play with, the answer to
 * everything is -EOPNOTSUPP.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

#include "uma/compat.h"
#include "uma/kva.h"
#include "uma/pool.h"

#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)

#include <asm/tlbflush.h>

/* All ranges, by address; guards kva_tree and the life of what is in it. */
static DEFINE_RAW_SPINLOCK(uma_kva_lock);
static struct rb_root kva_tree = RB_ROOT;

static unsigned long slot_addr(const struct uma_kva *kva, unsigned long index)
{
	return (unsigned long)kva->base + (index << PAGE_SHIFT);
}

/*
 * The entry of an address in one of our ranges, or NULL if the kernel mapped it
 * with something larger than a page, which it does not do.
 */
static pte_t *find_entry(unsigned long addr)
{
	unsigned int level;
	pte_t *pte = lookup_address(addr, &level);

	return pte && level == PG_LEVEL_4K ? pte : NULL;
}

static void set_entry(struct uma_kva *kva, unsigned long index,
		      unsigned long pfn, enum uma_kva_prot prot)
{
	pte_t entry = __pte(0);

	if (prot != UMA_KVA_NONE)
		entry = pfn_pte(pfn, prot == UMA_KVA_RW ? PAGE_KERNEL :
							  PAGE_KERNEL_RO);
	set_pte(find_entry(slot_addr(kva, index)), entry);
}

static enum uma_kva_prot entry_prot(struct uma_kva *kva, unsigned long index)
{
	pte_t entry = READ_ONCE(*find_entry(slot_addr(kva, index)));

	if (!pte_present(entry))
		return UMA_KVA_NONE;
	return pte_write(entry) ? UMA_KVA_RW : UMA_KVA_READ;
}

static void forget_here(void *unused)
{
	__flush_tlb_all();
}

/* Make all processors forget what they know of kernel addresses. */
static void forget_everywhere(void)
{
	on_each_cpu(forget_here, NULL, 1);
}

/* The range that holds an address, or NULL. The caller holds the lock. */
static struct uma_kva *find_kva(const void *addr)
{
	struct rb_node *node = kva_tree.rb_node;

	while (node) {
		struct uma_kva *kva = rb_entry(node, struct uma_kva, link);

		if (addr < kva->base)
			node = node->rb_left;
		else if (addr >= kva->base + (kva->npages << PAGE_SHIFT))
			node = node->rb_right;
		else
			return kva;
	}
	return NULL;
}

static void insert_kva(struct uma_kva *kva)
{
	struct rb_node **p = &kva_tree.rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		if (kva->base < rb_entry(parent, struct uma_kva, link)->base)
			p = &parent->rb_left;
		else
			p = &parent->rb_right;
	}
	/* A store in one piece, for may_be_ours(), which looks without the lock. */
	rb_link_node_rcu(&kva->link, parent, p);
	rb_insert_color(&kva->link, &kva_tree);
}

/* Addresses for a range, filled with the placeholder. */
static void *map_placeholder(unsigned long npages)
{
	struct page **pages;
	unsigned long i;
	void *base;

	pages = kvmalloc_array(npages, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < npages; i++)
		pages[i] = ZERO_PAGE(0);
	base = vmap(pages, npages, VM_MAP, PAGE_KERNEL_RO);
	kvfree(pages);
	return base;
}

/**
 * uma_kva_supported() - whether there are ranges on this architecture
 *
 * Context: any.
 * Return: true if uma_kva_reserve() can succeed.
 */
bool uma_kva_supported(void)
{
	return true;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_supported);

/**
 * uma_kva_reserve() - reserve a range of kernel addresses
 * @npages: its length
 *
 * Nothing is entered: every access faults.
 *
 * Context: process context, may sleep.
 * Return: the range, or an ERR_PTR(): -EOPNOTSUPP where there is no such thing,
 * -EINVAL for no pages, -ENOMEM.
 */
struct uma_kva *uma_kva_reserve(unsigned long npages)
{
	unsigned long i, irqflags;
	struct uma_kva *kva;

	might_sleep();
	if (!npages)
		return ERR_PTR(-EINVAL);
	/* vmap() would refuse, too, but after much work. */
	if (npages > totalram_pages())
		return ERR_PTR(-ENOMEM);
	kva = kzalloc(sizeof(*kva), GFP_KERNEL);
	if (!kva)
		return ERR_PTR(-ENOMEM);
	kva->npages = npages;
	kva->pages = kvcalloc(npages, sizeof(*kva->pages), GFP_KERNEL);
	if (!kva->pages)
		goto free_kva;
	kva->base = map_placeholder(npages);
	if (!kva->base)
		goto free_kva;

	for (i = 0; i < npages; i++) {
		if (WARN_ON(!find_entry(slot_addr(kva, i))))
			goto unmap;
	}
	for (i = 0; i < npages; i++)
		set_entry(kva, i, 0, UMA_KVA_NONE);
	/* Speculation may have been here before. */
	forget_everywhere();

	raw_spin_lock_irqsave(&uma_kva_lock, irqflags);
	insert_kva(kva);
	raw_spin_unlock_irqrestore(&uma_kva_lock, irqflags);
	return kva;

unmap:
	vunmap(kva->base);
free_kva:
	kvfree(kva->pages);
	kfree(kva);
	return ERR_PTR(-ENOMEM);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_reserve);

static bool valid_slots(struct uma_kva *kva, unsigned long index,
			unsigned long npages)
{
	return npages && index < kva->npages && npages <= kva->npages - index;
}

/**
 * uma_kva_enter() - make a page visible in a range
 * @kva: the range
 * @index: which of its slots
 * @m: the page
 * @prot: what may be done there; with UMA_KVA_NONE only uma_kva_lookup() finds
 *	the page
 *
 * Context: any but NMI, under any lock.
 * Return: 0; -EINVAL for a slot beyond the end, -EBUSY if a page is there.
 */
int uma_kva_enter(struct uma_kva *kva, unsigned long index, struct vm_page *m,
		  enum uma_kva_prot prot)
{
	if (!m || !valid_slots(kva, index, 1))
		return -EINVAL;
	if (cmpxchg(&kva->pages[index], NULL, m))
		return -EBUSY;
	set_entry(kva, index, m->phys_pfn, prot);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_enter);

static int check_entered(struct uma_kva *kva, unsigned long index,
			 unsigned long npages)
{
	unsigned long i;

	if (!valid_slots(kva, index, npages))
		return -EINVAL;
	for (i = index; i < index + npages; i++)
		if (!READ_ONCE(kva->pages[i]))
			return -ENOENT;
	return 0;
}

/**
 * uma_kva_protect() - change what may be done with entered pages
 * @kva: the range
 * @index: the first slot
 * @npages: how many
 * @prot: what may be done from now on
 *
 * Context: process context, may sleep; with UMA_KVA_RW, which takes nothing
 * away, any but NMI, under any lock.
 * Return: 0; -EINVAL for slots beyond the end, -ENOENT if one of them is empty;
 * then nothing was changed.
 */
int uma_kva_protect(struct uma_kva *kva, unsigned long index,
		    unsigned long npages, enum uma_kva_prot prot)
{
	bool narrowed = false;
	unsigned long i;
	int error;

	if (prot != UMA_KVA_RW)
		might_sleep();
	error = check_entered(kva, index, npages);
	if (error)
		return error;
	for (i = index; i < index + npages; i++)
		narrowed |= prot < entry_prot(kva, i);
	uma_kva_change(kva, index, npages, prot);
	if (narrowed)
		forget_everywhere();
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_protect);

/**
 * uma_kva_remove() - take pages out of a range
 * @kva: the range
 * @index: the first slot
 * @npages: how many
 *
 * When it returns, no processor can reach the pages through the range.
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for slots beyond the end, -ENOENT if one of them is empty;
 * then nothing was changed.
 */
int uma_kva_remove(struct uma_kva *kva, unsigned long index,
		   unsigned long npages)
{
	unsigned long i;
	int error;

	might_sleep();
	error = check_entered(kva, index, npages);
	if (error)
		return error;
	for (i = index; i < index + npages; i++)
		uma_kva_take(kva, i);
	forget_everywhere();
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_remove);

/**
 * uma_kva_change() - change what may be done with pages, for the time to come
 * @kva: the range
 * @index: the first slot
 * @npages: how many, all of the range; where no page is entered nothing changes
 * @prot: what may be done from now on
 *
 * Processors that remember the entry may do what it allowed until they forget
 * (uma_kva_flush_here(), uma_kva_flush()).
 *
 * Context: any, under any lock.
 */
void uma_kva_change(struct uma_kva *kva, unsigned long index,
		    unsigned long npages, enum uma_kva_prot prot)
{
	unsigned long i;

	for (i = index; i < index + npages; i++)
		if (kva->pages[i])
			set_entry(kva, i, kva->pages[i]->phys_pfn, prot);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_change);

/**
 * uma_kva_take() - take a page out of a range, for the time to come
 * @kva: the range
 * @index: its slot
 *
 * Until the processors forget, some may still reach the page there.
 *
 * Context: any, under any lock.
 * Return: the page, or NULL if there was none.
 */
struct vm_page *uma_kva_take(struct uma_kva *kva, unsigned long index)
{
	struct vm_page *m = kva->pages[index];

	if (m) {
		set_entry(kva, index, 0, UMA_KVA_NONE);
		WRITE_ONCE(kva->pages[index], NULL);
	}
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_take);

/**
 * uma_kva_flush_here() - make this processor forget what entries were
 *
 * Context: any.
 */
void uma_kva_flush_here(void)
{
	preempt_disable();
	forget_here(NULL);
	preempt_enable();
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_flush_here);

/**
 * uma_kva_flush() - make all processors forget what entries were
 *
 * Context: preemptible, interrupts on.
 */
void uma_kva_flush(void)
{
	forget_everywhere();
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_flush);

/**
 * uma_kva_allows() - what may be done at an address now
 * @kva: the range
 * @index: a slot of it
 *
 * Context: any.
 * Return: what its entry says; a processor may remember an older one.
 */
enum uma_kva_prot uma_kva_allows(struct uma_kva *kva, unsigned long index)
{
	return entry_prot(kva, index);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_allows);

/**
 * uma_kva_touch() - write to a byte, and leave it as it is
 * @addr: an address in a range
 *
 * In one instruction, so that nobody's store is undone.
 *
 * Context: any.
 * Return: false if that is not allowed.
 */
bool uma_kva_touch(void *addr)
{
	asm goto("1:	lock orb $0, (%0)\n"
		 _ASM_EXTABLE(1b, %l[fault])
		 : : "r" (addr) : "memory", "cc" : fault);
	return true;
fault:
	return false;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_touch);

/**
 * uma_kva_release() - give a range back
 * @kva: the range, in which no page is entered any more
 *
 * Context: process context, may sleep.
 */
void uma_kva_release(struct uma_kva *kva)
{
	unsigned long i, irqflags, entered = 0;

	might_sleep();
	raw_spin_lock_irqsave(&uma_kva_lock, irqflags);
	rb_erase(&kva->link, &kva_tree);
	raw_spin_unlock_irqrestore(&uma_kva_lock, irqflags);

	for (i = 0; i < kva->npages; i++) {
		if (!kva->pages[i])
			continue;
		set_entry(kva, i, 0, UMA_KVA_NONE);
		entered++;
	}
	if (WARN(entered, "uma: %lu pages are still entered in a range\n",
		 entered))
		forget_everywhere();
	for (i = 0; i < kva->npages; i++)
		set_entry(kva, i, page_to_pfn(ZERO_PAGE(0)), UMA_KVA_READ);
	vunmap(kva->base);
	kvfree(kva->pages);
	kfree(kva);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_release);

/* Most addresses are not of vmalloc's part, and that is quickly seen. */
static bool may_be_ours(const void *addr)
{
	return is_vmalloc_addr(addr) && READ_ONCE(kva_tree.rb_node);
}

/**
 * uma_kva_contains() - whether an address is in one of the ranges
 * @addr: any value at all
 *
 * Context: any but NMI, under any lock.
 * Return: true if so, entered or not.
 */
bool uma_kva_contains(const void *addr)
{
	unsigned long irqflags;
	bool found;

	if (!may_be_ours(addr))
		return false;
	raw_spin_lock_irqsave(&uma_kva_lock, irqflags);
	found = find_kva(addr);
	raw_spin_unlock_irqrestore(&uma_kva_lock, irqflags);
	return found;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_contains);

/**
 * uma_kva_lookup() - the page that is entered at an address
 * @addr: any value at all
 *
 * Context: any but NMI, under any lock.
 * Return: its record, or NULL if @addr is in none of the ranges or its slot is
 * empty. The record is good for as long as the caller knows the page to stay.
 */
struct vm_page *uma_kva_lookup(const void *addr)
{
	struct vm_page *m = NULL;
	unsigned long irqflags;
	struct uma_kva *kva;

	if (!may_be_ours(addr))
		return NULL;
	raw_spin_lock_irqsave(&uma_kva_lock, irqflags);
	kva = find_kva(addr);
	if (kva)
		m = READ_ONCE(kva->pages[(addr - kva->base) >> PAGE_SHIFT]);
	raw_spin_unlock_irqrestore(&uma_kva_lock, irqflags);
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_lookup);

#else /* an architecture that we do not know */

bool uma_kva_supported(void)
{
	return false;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_supported);

struct uma_kva *uma_kva_reserve(unsigned long npages)
{
	return ERR_PTR(-EOPNOTSUPP);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_reserve);

void uma_kva_release(struct uma_kva *kva)
{
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_release);

int uma_kva_enter(struct uma_kva *kva, unsigned long index, struct vm_page *m,
		  enum uma_kva_prot prot)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_enter);

int uma_kva_protect(struct uma_kva *kva, unsigned long index,
		    unsigned long npages, enum uma_kva_prot prot)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_protect);

int uma_kva_remove(struct uma_kva *kva, unsigned long index,
		   unsigned long npages)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_remove);

void uma_kva_change(struct uma_kva *kva, unsigned long index,
		    unsigned long npages, enum uma_kva_prot prot)
{
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_change);

struct vm_page *uma_kva_take(struct uma_kva *kva, unsigned long index)
{
	return NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_take);

void uma_kva_flush_here(void)
{
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_flush_here);

void uma_kva_flush(void)
{
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_flush);

enum uma_kva_prot uma_kva_allows(struct uma_kva *kva, unsigned long index)
{
	return UMA_KVA_NONE;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_allows);

bool uma_kva_touch(void *addr)
{
	return false;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_touch);

bool uma_kva_contains(const void *addr)
{
	return false;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_contains);

struct vm_page *uma_kva_lookup(const void *addr)
{
	return NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_kva_lookup);

#endif
