/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical map: translations from addresses of a space to pages, with protection
 * and with referenced and modified bits.
 *
 * The names and meanings are those of a hardware one, so that one can take this
 * one's place. It is a cache: it may forget any translation that is not wired, and
 * faults bring it back. It never sleeps for a page; what it needs and cannot
 * have makes it return -ENOMEM, and the caller waits with vm_wait() after it let go
 * of its locks. Process context; long ranges yield, so no spinlock is held.
 *
 * Callers hold the lock of the page's object where a page is entered or where its
 * translations are changed, so that none appears meanwhile; for a range of addresses
 * that of the object which its entry shows. It is what the page's dirty bits need:
 * a modified bit that goes with its translation, or with the right to write, is
 * remembered there. Only an entry's own object can have such pages, since a page that
 * is to be shared with a shadow is write-protected first.
 *
 * Locks of its own: that of the lists of translations (by page), then a pmap's; of
 * two pmaps the parent's first.
 */
#ifndef _VMSIM_PMAP_H
#define _VMSIM_PMAP_H

#include <linux/bits.h>
#include <linux/spinlock.h>

#include "uma/pool.h"
#include "vmsim/vm.h"

/**
 * struct pmap_statistics - what a physical map holds, and has done
 * @resident: translations
 * @wired: of those, wired
 * @writable: of those, that let write
 * @tables: pages that its tables take
 * @flushes: times that a translation was taken away or lost a right, which
 *	other CPUs would have to be told; all its life
 * @protects: times that pmap_protect() had to take the lock; all its life
 */
struct pmap_statistics {
	unsigned long resident;
	unsigned long wired;
	unsigned long writable;
	unsigned long tables;
	u64 flushes;
	u64 protects;
};

/* The first address that no physical map reaches. */
#define PMAP_END	BIT(45)

/* What is in it is pmap.c's; others use the functions, and pmap_stats(). */
struct pmap;

/* Spaces. */
struct pmap *pmap_create(void);
void pmap_release(struct pmap *pmap);
void pmap_stats(struct pmap *pmap, struct pmap_statistics *st);

/* Translations of a space; ends are not included. */
int pmap_enter(struct pmap *pmap, unsigned long va, struct vm_page *m, u8 prot,
	       bool wired);
int pmap_enter_quick(struct pmap *pmap, unsigned long va, struct vm_page *m,
		     u8 prot);
void pmap_remove(struct pmap *pmap, unsigned long sva, unsigned long eva);
void pmap_protect(struct pmap *pmap, unsigned long sva, unsigned long eva,
		  u8 prot);
void pmap_change_wiring(struct pmap *pmap, unsigned long va, bool wired);
void pmap_unwire(struct pmap *pmap, unsigned long sva, unsigned long eva);
struct vm_page *pmap_extract(struct pmap *pmap, unsigned long va);
struct vm_page *pmap_extract_and_hold(struct pmap *pmap, unsigned long va,
				      u8 prot);
bool pmap_is_prefaultable(struct pmap *pmap, unsigned long va);
void pmap_copy(struct pmap *dst, struct pmap *src, unsigned long dst_addr,
	       unsigned long len, unsigned long src_addr);

bool pmap_access(struct pmap *pmap, unsigned long va, u8 access, void *buf,
		 size_t len);

/* All translations of a page. */
bool pmap_is_modified(struct vm_page *m);
void pmap_clear_modify(struct vm_page *m);
bool pmap_is_referenced(struct vm_page *m);
int pmap_ts_referenced(struct vm_page *m);
void pmap_clear_reference(struct vm_page *m);
void pmap_remove_all(struct vm_page *m);
void pmap_remove_write(struct vm_page *m);

/* Whether there is any; exact while the page's object is locked. */
static inline bool pmap_page_is_mapped(const struct vm_page *m)
{
	return !hlist_empty(&m->md.pv_list);
}

/* Contents. */
static inline void pmap_zero_page(struct vm_page *m)
{
	clear_page(vm_page_kva(m));
}

static inline void pmap_copy_page(const struct vm_page *src, struct vm_page *dst)
{
	copy_page(vm_page_kva(dst), vm_page_kva(src));
}

int pmap_startup(void);
void pmap_shutdown(void);

#endif /* _VMSIM_PMAP_H */
