/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel address ranges whose pages are entered, protected and removed one
 * by one. See kva.c.
 */
#ifndef _UMA_KVA_H
#define _UMA_KVA_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct page;
struct vm_page;

/* What an entered page allows. */
enum uma_kva_prot {
	UMA_KVA_NONE,		/* neither: every access faults */
	UMA_KVA_READ,		/* a write faults */
	UMA_KVA_RW,
};

/**
 * struct uma_kva - a reserved range
 * @base: its first address
 * @npages: its length
 * @pages: for each page of it the pool page entered there, or NULL
 * @link: in the tree of all ranges, for uma_kva_lookup(); guarded by
 *	kva.c's lock
 */
struct uma_kva {
	void *base;
	unsigned long npages;
	struct vm_page **pages;
	struct rb_node link;
};

bool uma_kva_supported(void);
struct uma_kva *uma_kva_reserve(unsigned long npages);
void uma_kva_release(struct uma_kva *kva);
int uma_kva_enter(struct uma_kva *kva, unsigned long index, struct vm_page *m,
		  enum uma_kva_prot prot);
int uma_kva_protect(struct uma_kva *kva, unsigned long index,
		    unsigned long npages, enum uma_kva_prot prot);
int uma_kva_remove(struct uma_kva *kva, unsigned long index,
		   unsigned long npages);

/* For who makes the processors forget himself. */
void uma_kva_change(struct uma_kva *kva, unsigned long index,
		    unsigned long npages, enum uma_kva_prot prot);
struct vm_page *uma_kva_take(struct uma_kva *kva, unsigned long index);
void uma_kva_flush_here(void);
void uma_kva_flush(void);

enum uma_kva_prot uma_kva_allows(struct uma_kva *kva, unsigned long index);
bool uma_kva_touch(void *addr);
bool uma_kva_contains(const void *addr);
struct vm_page *uma_kva_lookup(const void *addr);

#endif /* _UMA_KVA_H */
