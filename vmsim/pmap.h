/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical map: translations from addresses of a space to pages, with protection
 * and with referenced and modified bits.
 *
 * The names and meanings are those of a hardware one, so that one can take this
 * one's place. It is a cache: it may forget any translation that is not wired, and
 * faults bring it back. It never sleeps for a page; what it needs and cannot
 * have makes it return -ENOMEM, and the caller waits with vm_wait() after it let go
 * of its locks.
 *
 * Callers hold the lock of the page's object where a page is entered or where its
 * translations are changed, so that none appears meanwhile. Locks of its own: that of
 * the lists of translations (by page), then a pmap's; of two pmaps the parent's
 * first.
 */
#ifndef _VMSIM_PMAP_H
#define _VMSIM_PMAP_H

#include <linux/spinlock.h>

#include "uma/pool.h"
#include "vmsim/vm.h"

/**
 * struct pmap_statistics - what a physical map holds
 * @resident: translations
 * @wired: of those, wired
 */
struct pmap_statistics {
	unsigned long resident;
	unsigned long wired;
};

/*
 * Whoever writes pmap.c says what is in it; others use the functions, and
 * pmap_stats().
 */
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
struct vm_page *pmap_extract(struct pmap *pmap, unsigned long va);
struct vm_page *pmap_extract_and_hold(struct pmap *pmap, unsigned long va,
				      u8 prot);
bool pmap_is_prefaultable(struct pmap *pmap, unsigned long va);
void pmap_copy(struct pmap *dst, struct pmap *src, unsigned long dst_addr,
	       unsigned long len, unsigned long src_addr);

/*
 * What the processor does: look up, set the referenced bit and for a write the
 * modified one. The page is held; NULL means a fault.
 */
struct vm_page *pmap_access(struct pmap *pmap, unsigned long va, u8 access);

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
