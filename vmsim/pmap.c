// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical map, in software.
 *
 * A page table: three levels of tables of 512 places, each in a page of its own that
 * is in no object, below a few places in the pmap itself. Twelve bits of an address
 * are the offset in its page, three times nine choose the place, and six are left for
 * the top.
 *
 *	pmap            table         table          table          pv entry
 *	+------+       +-----+       +-----+        +-----+        +---------+
 *	| root |------>|     |------>|     |------->|     |------->| page    |
 *	| [64] |       |[512]|       |[512]|        |[512]|        | prot... |--+
 *	+------+       +-----+       +-----+        +-----+        +---------+  |
 *	                                                                pv list |
 *	                                                     page's md <--------+
 *
 * A hardware table's last place holds the page's number and bits. Ours points to
 * what such a system needs beside it anyway, the entry in the page's list of
 * translations (pv: physical to virtual), and that holds the bits. So the tables
 * answer "what is at this address", the lists "where is this page", and both find
 * the same thing. A table that is empty goes back; of how many places are used,
 * its page's pindex keeps count, which in a page without an object is free for that.
 *
 * Who is the processor? pmap_access() is: it looks an address up, checks the right,
 * sets the referenced bit and, for a write, the modified one, and moves the bytes, all
 * under the pmap's lock. So an access is before or after any change of its
 * translation, as a processor's is: whoever took the right to write away, or cleared
 * the modified bit, knows that no write is still on its way that he was not told of.
 *
 * There is no other CPU's copy of a translation to be flushed. Where there would be,
 * it is counted, so that it can be seen who would cause such traffic: not
 * pmap_copy(), which gives the child what it did not have (FA-06).
 *
 * A pmap that is released has nothing left in it, so the next owner need not clean it
 * (FA-07): pmaps come from a zone that never gives its memory back, with locks that
 * are made once. What is left of a translation then is somebody's mistake: it is
 * reported and removed.
 *
 * Locks. pmap_lists_lock guards all pages' lists, a pmap's lock its tables and the bits
 * of its pv entries. Whoever adds or removes a translation holds both; whoever reads
 * or changes bits by address holds the pmap's, by page first the lists' and then
 * that of each pmap it comes to. pmap_protect() and pmap_access(), the frequent ones,
 * change no list and take the first not at all.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pmap.h"

#define TABLE_SHIFT	9
#define TABLE_SLOTS	(PAGE_SIZE / sizeof(void *))
#define LEVELS		3	/* of tables; 0 is the one with the pv entries */
#define ROOT_SLOTS	64

static_assert(sizeof(void *) << TABLE_SHIFT == PAGE_SIZE);
static_assert((unsigned long)ROOT_SLOTS << (PAGE_SHIFT + LEVELS * TABLE_SHIFT) ==
	      PMAP_END);

/* Bits of a translation beside its rights. */
#define PV_WIRED	0x10
#define PV_REFERENCED	0x20
#define PV_MODIFIED	0x40
#define PV_RIGHTS	VM_PROT_ALL

/**
 * struct pv_entry - one translation
 * @link: in the list of the page; pmap_lists_lock
 * @pmap: whose it is, constant
 * @va: of what address, constant
 * @m: to what page, constant
 * @bits: VM_PROT_* and PV_*; the pmap's lock
 */
struct pv_entry {
	struct hlist_node link;
	struct pmap *pmap;
	unsigned long va;
	struct vm_page *m;
	u8 bits;
};

/**
 * struct pmap - a space's translations
 * @lock: guards all of it
 * @root: the tables of the highest level
 * @executable: translations that let execute
 * @st: see pmap_statistics. @resident, @wired, @writable and @executable are read
 *	without the lock, too, by who wants to know whether there is anything to do
 */
struct pmap {
	spinlock_t lock; /* all of it */
	struct vm_page *root[ROOT_SLOTS];
	unsigned long executable;
	struct pmap_statistics st;
};

static DEFINE_SPINLOCK(pmap_lists_lock);
static uma_zone_t pmap_zone;
static uma_zone_t pv_zone;

/* ---- tables ------------------------------------------------------------- */

/*
 * The places on the way to an address: place[LEVELS] is in the pmap, place[l] in the
 * table that place[l + 1] points to, and place[0] points to the pv entry. They
 * are known down to @level, at which the place is empty, unless that is 0.
 */
struct pmap_path {
	void **place[LEVELS + 1];
	int level;
};

static unsigned int index_of(unsigned long va, int level)
{
	va >>= PAGE_SHIFT + level * TABLE_SHIFT;
	return level == LEVELS ? va : va % TABLE_SLOTS;
}

/* The table that the place of this level is in. */
static struct vm_page *table_at(const struct pmap_path *path, int level)
{
	return *path->place[level + 1];
}

static void **place_in(struct vm_page *table, unsigned long va, int level)
{
	return (void **)vm_page_kva(table) + index_of(va, level);
}

static void find_path(struct pmap *pmap, unsigned long va, struct pmap_path *path)
{
	int level = LEVELS;

	path->place[level] = (void **)&pmap->root[index_of(va, level)];
	while (level && *path->place[level]) {
		level--;
		path->place[level] = place_in(table_at(path, level), va, level);
	}
	path->level = level;
}

static struct pv_entry *pv_at(const struct pmap_path *path)
{
	return path->level ? NULL : *path->place[0];
}

static struct pv_entry *find_pv(struct pmap *pmap, unsigned long va)
{
	struct pmap_path path;

	if (va >= PMAP_END)
		return NULL;
	find_path(pmap, va, &path);
	return pv_at(&path);
}

/* The first address that the place where the path ends has nothing to do with. */
static unsigned long behind(unsigned long va, const struct pmap_path *path)
{
	unsigned long span = PAGE_SIZE << (path->level * TABLE_SHIFT);

	return (va | (span - 1)) + 1;
}

static struct vm_page *new_table(void)
{
	struct vm_page *table = vm_page_alloc(NULL, 0, VM_ALLOC_NORMAL |
					      VM_ALLOC_NOOBJ | VM_ALLOC_ZERO);

	if (table)
		table->pindex = 0;
	return table;
}

/* Make the tables that the path lacks: all of them, or none. */
static int extend_path(struct pmap *pmap, unsigned long va, struct pmap_path *path)
{
	struct vm_page *table[LEVELS];
	int i;

	for (i = 0; i < path->level; i++) {
		table[i] = new_table();
		if (!table[i]) {
			while (i--)
				vm_page_free(table[i]);
			return -ENOMEM;
		}
	}
	while (i) {
		*path->place[i] = table[i - 1];
		if (i < LEVELS)
			table_at(path, i)->pindex++;
		pmap->st.tables++;
		i--;
		path->place[i] = place_in(table[i], va, i);
	}
	path->level = 0;
	return 0;
}

/* Empty the place of the pv entry, and give back what tables that leaves empty. */
static void clear_path(struct pmap *pmap, struct pmap_path *path)
{
	struct vm_page *table;
	int level;

	*path->place[0] = NULL;
	for (level = 0; level < LEVELS; level++) {
		table = table_at(path, level);
		if (--table->pindex)
			break;
		*path->place[level + 1] = NULL;
		vm_page_free(table);
		pmap->st.tables--;
	}
}

/* ---- translations ------------------------------------------------------- */

/* Somebody may look without the lock. */
static void add(unsigned long *counter, long n)
{
	WRITE_ONCE(*counter, *counter + n);
}

static void count_bits(struct pmap *pmap, u8 bits, int n)
{
	if (bits & PV_WIRED)
		add(&pmap->st.wired, n);
	if (bits & VM_PROT_WRITE)
		add(&pmap->st.writable, n);
	if (bits & VM_PROT_EXECUTE)
		add(&pmap->executable, n);
}

/*
 * Give a translation other bits. A modified one that loses that bit or the right to
 * write leaves its page dirty.
 */
static void set_bits(struct pv_entry *pv, u8 bits)
{
	struct vm_page *m = pv->m;

	if (!(bits & VM_PROT_WRITE))
		bits &= ~PV_MODIFIED;
	if (pv->bits & ~bits & PV_MODIFIED) {
		if (m->object)
			vm_object_assert_locked(m->object);
		vm_page_dirty(m);
	}
	if (pv->bits & ~bits & PV_RIGHTS)
		pv->pmap->st.flushes++;
	count_bits(pv->pmap, pv->bits, -1);
	count_bits(pv->pmap, bits, 1);
	pv->bits = bits;
}

/* Both locks are held. */
static void insert_pv(struct pmap *pmap, struct pmap_path *path, struct pv_entry *pv,
		      unsigned long va, struct vm_page *m, u8 bits)
{
	*pv = (struct pv_entry) {
		.pmap = pmap,
		.va = va,
		.m = m,
		.bits = bits,
	};
	hlist_add_head(&pv->link, &m->md.pv_list);
	*path->place[0] = pv;
	table_at(path, 0)->pindex++;
	add(&pmap->st.resident, 1);
	count_bits(pmap, bits, 1);
}

/* The same. */
static void remove_pv(struct pmap *pmap, struct pmap_path *path)
{
	struct pv_entry *pv = pv_at(path);

	set_bits(pv, 0);
	hlist_del(&pv->link);
	clear_path(pmap, path);
	add(&pmap->st.resident, -1);
	uma_zfree(pv_zone, pv);
}

/**
 * pmap_enter() - make an address show a page
 * @pmap: the space
 * @va: the address, in whose page
 * @m: the page; what else was there goes
 * @prot: the rights
 * @wired: whether it must stay
 *
 * Context: process; @m's object is locked.
 * Return: 0, or -ENOMEM; then what was there is unchanged.
 */
int pmap_enter(struct pmap *pmap, unsigned long va, struct vm_page *m, u8 prot,
	       bool wired)
{
	u8 bits = (prot & PV_RIGHTS) | (wired ? PV_WIRED : 0);
	struct pv_entry *pv, *fresh;
	struct pmap_path path;
	int error = 0;

	va &= PAGE_MASK;
	if (WARN_ON_ONCE(va >= PMAP_END))
		return -EINVAL;
	fresh = uma_zalloc(pv_zone, M_NOWAIT);
	spin_lock(&pmap_lists_lock);
	spin_lock(&pmap->lock);
	find_path(pmap, va, &path);
	pv = pv_at(&path);
	if (pv && pv->m == m) {
		set_bits(pv, bits | (pv->bits & (PV_REFERENCED | PV_MODIFIED)));
		goto out;
	}
	if (!fresh || extend_path(pmap, va, &path)) {
		error = -ENOMEM;
		goto out;
	}
	if (pv) {
		/* Keep the table, which may have nothing else. */
		table_at(&path, 0)->pindex++;
		remove_pv(pmap, &path);
		table_at(&path, 0)->pindex--;
	}
	insert_pv(pmap, &path, fresh, va, m, bits);
	fresh = NULL;
out:
	spin_unlock(&pmap->lock);
	spin_unlock(&pmap_lists_lock);
	uma_zfree(pv_zone, fresh);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_enter);

/**
 * pmap_enter_quick() - make an address show a page, if that is no trouble
 * @pmap: the space
 * @va: the address, in whose page
 * @m: the page
 * @prot: the rights, of which that to write is not given
 *
 * Context: process; @m's object is locked.
 * Return: 0; -EEXIST if there is something, -ENOMEM.
 */
int pmap_enter_quick(struct pmap *pmap, unsigned long va, struct vm_page *m,
		     u8 prot)
{
	struct pv_entry *fresh;
	struct pmap_path path;
	int error = 0;

	va &= PAGE_MASK;
	if (WARN_ON_ONCE(va >= PMAP_END))
		return -EINVAL;
	fresh = uma_zalloc(pv_zone, M_NOWAIT);
	if (!fresh)
		return -ENOMEM;
	spin_lock(&pmap_lists_lock);
	spin_lock(&pmap->lock);
	find_path(pmap, va, &path);
	if (pv_at(&path))
		error = -EEXIST;
	else
		error = extend_path(pmap, va, &path);
	if (!error) {
		insert_pv(pmap, &path, fresh, va, m,
			  prot & PV_RIGHTS & ~VM_PROT_WRITE);
		fresh = NULL;
	}
	spin_unlock(&pmap->lock);
	spin_unlock(&pmap_lists_lock);
	uma_zfree(pv_zone, fresh);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_enter_quick);

/* The most places that are looked at before others have a turn. */
#define STRETCH		TABLE_SLOTS

static void remove_stretch(struct pmap *pmap, unsigned long *va,
			   unsigned long eva)
{
	struct pmap_path path;
	unsigned int n;

	spin_lock(&pmap_lists_lock);
	spin_lock(&pmap->lock);
	for (n = 0; n < STRETCH && *va < eva; n++) {
		find_path(pmap, *va, &path);
		*va = behind(*va, &path);
		if (pv_at(&path))
			remove_pv(pmap, &path);
	}
	spin_unlock(&pmap->lock);
	spin_unlock(&pmap_lists_lock);
}

/**
 * pmap_remove() - remove all translations of a range
 * @pmap: the space
 * @sva: the first address
 * @eva: the address behind the last
 *
 * Context: process, yields; the object that the range shows is locked.
 */
void pmap_remove(struct pmap *pmap, unsigned long sva, unsigned long eva)
{
	sva &= PAGE_MASK;
	eva = min(eva, PMAP_END);
	while (sva < eva && READ_ONCE(pmap->st.resident)) {
		remove_stretch(pmap, &sva, eva);
		cond_resched();
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_remove);

/* Take bits away. */
static void clear_stretch(struct pmap *pmap, unsigned long *va,
			  unsigned long eva, u8 lost)
{
	struct pv_entry *pv;
	struct pmap_path path;
	unsigned int n;

	spin_lock(&pmap->lock);
	pmap->st.protects += !!(lost & PV_RIGHTS);
	for (n = 0; n < STRETCH && *va < eva; n++) {
		find_path(pmap, *va, &path);
		*va = behind(*va, &path);
		pv = pv_at(&path);
		if (pv && pv->bits & lost)
			set_bits(pv, pv->bits & ~lost);
	}
	spin_unlock(&pmap->lock);
}

/**
 * pmap_protect() - take away rights in a range
 * @pmap: the space
 * @sva: the first address
 * @eva: the address behind the last
 * @prot: the rights that may stay; none are added
 *
 * Where the space has no translation with a right that is to go, there is nothing
 * to lock (FA-04).
 *
 * Context: process, yields; the object that the range shows is locked.
 */
void pmap_protect(struct pmap *pmap, unsigned long sva, unsigned long eva,
		  u8 prot)
{
	u8 lost = PV_RIGHTS & ~prot;

	if (!(prot & VM_PROT_READ)) {
		pmap_remove(pmap, sva, eva);
		return;
	}
	sva &= PAGE_MASK;
	eva = min(eva, PMAP_END);
	while (sva < eva) {
		if (!READ_ONCE(pmap->st.writable))
			lost &= ~VM_PROT_WRITE;
		if (!READ_ONCE(pmap->executable))
			lost &= ~VM_PROT_EXECUTE;
		if (!lost)
			break;
		clear_stretch(pmap, &sva, eva, lost);
		cond_resched();
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_protect);

/**
 * pmap_change_wiring() - say whether a translation must stay
 * @pmap: the space
 * @va: the address; nothing happens if it shows nothing
 * @wired: whether it must
 */
void pmap_change_wiring(struct pmap *pmap, unsigned long va, bool wired)
{
	struct pv_entry *pv;

	spin_lock(&pmap->lock);
	pv = find_pv(pmap, va);
	if (pv)
		set_bits(pv, (pv->bits & ~PV_WIRED) | (wired ? PV_WIRED : 0));
	spin_unlock(&pmap->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_change_wiring);

/**
 * pmap_unwire() - no translation of a range must stay any more
 * @pmap: the space
 * @sva: the first address
 * @eva: the address behind the last
 *
 * Context: process, yields.
 */
void pmap_unwire(struct pmap *pmap, unsigned long sva, unsigned long eva)
{
	sva &= PAGE_MASK;
	eva = min(eva, PMAP_END);
	while (sva < eva && READ_ONCE(pmap->st.wired)) {
		clear_stretch(pmap, &sva, eva, PV_WIRED);
		cond_resched();
	}
}

/**
 * pmap_extract() - the page that an address shows
 * @pmap: the space
 * @va: the address
 *
 * Return: the page, which may go at any time unless the caller knows better; NULL
 * if there is none.
 */
struct vm_page *pmap_extract(struct pmap *pmap, unsigned long va)
{
	struct pv_entry *pv;
	struct vm_page *m;

	spin_lock(&pmap->lock);
	pv = find_pv(pmap, va);
	m = pv ? pv->m : NULL;
	spin_unlock(&pmap->lock);
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_extract);

/**
 * pmap_extract_and_hold() - the page that an address shows, to be kept
 * @pmap: the space
 * @va: the address
 * @prot: the rights that there must be
 *
 * Return: the page, held; NULL if there is none with these rights.
 */
struct vm_page *pmap_extract_and_hold(struct pmap *pmap, unsigned long va,
				      u8 prot)
{
	struct vm_page *m = NULL;
	struct pv_entry *pv;

	spin_lock(&pmap->lock);
	pv = find_pv(pmap, va);
	if (pv && !(prot & ~pv->bits & PV_RIGHTS)) {
		vm_page_lock_queues();
		if (vm_page_hold(pv->m))
			m = pv->m;
		vm_page_unlock_queues();
	}
	spin_unlock(&pmap->lock);
	return m;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_extract_and_hold);

/**
 * pmap_is_prefaultable() - whether entering a translation would cost little
 * @pmap: the space
 * @va: the address
 *
 * Return: whether there is a table for it, with nothing there yet.
 */
bool pmap_is_prefaultable(struct pmap *pmap, unsigned long va)
{
	struct pmap_path path;
	bool yes = false;

	if (va >= PMAP_END)
		return false;
	spin_lock(&pmap->lock);
	find_path(pmap, va, &path);
	yes = !path.level && !pv_at(&path);
	spin_unlock(&pmap->lock);
	return yes;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_is_prefaultable);

/* Copies until memory runs out, which is no error. */
static int copy_stretch(struct pmap *dst, struct pmap *src, unsigned long *va,
			unsigned long eva)
{
	struct pv_entry *pv, *fresh = NULL;
	struct pmap_path from, to;
	unsigned int n;
	int error = 0;

	spin_lock(&pmap_lists_lock);
	spin_lock(&src->lock);
	spin_lock_nested(&dst->lock, SINGLE_DEPTH_NESTING);
	for (n = 0; n < STRETCH && *va < eva && !error; n++) {
		find_path(src, *va, &from);
		pv = pv_at(&from);
		if (pv) {
			find_path(dst, *va, &to);
			if (!fresh)
				fresh = uma_zalloc(pv_zone, M_NOWAIT);
			if (!fresh || extend_path(dst, *va, &to)) {
				error = -ENOMEM;
			} else if (!pv_at(&to)) {
				insert_pv(dst, &to, fresh, *va, pv->m,
					  pv->bits & PV_RIGHTS);
				fresh = NULL;
			}
		}
		*va = behind(*va, &from);
	}
	spin_unlock(&dst->lock);
	spin_unlock(&src->lock);
	spin_unlock(&pmap_lists_lock);
	uma_zfree(pv_zone, fresh);
	return error;
}

/**
 * pmap_copy() - give a child what its parent has, so that it need not fault
 * @dst: the child's
 * @src: the parent's
 * @dst_addr: where in the child; only the same address is done
 * @len: bytes
 * @src_addr: where in the parent
 *
 * The rights are copied as they are: where writes must not be shared, the parent has
 * lost that right before. Wiring, referenced and modified are not. What does not fit
 * is left out. Both are locked meanwhile, and nobody has to be told (FA-06).
 *
 * Context: process, yields; both maps are locked.
 */
void pmap_copy(struct pmap *dst, struct pmap *src, unsigned long dst_addr,
	       unsigned long len, unsigned long src_addr)
{
	unsigned long end;

	if (dst_addr != src_addr || src_addr >= PMAP_END || dst == src)
		return;
	end = src_addr + min(len, PMAP_END - src_addr);
	src_addr &= PAGE_MASK;
	while (src_addr < end && READ_ONCE(src->st.resident)) {
		if (copy_stretch(dst, src, &src_addr, end))
			break;
		cond_resched();
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_copy);

/**
 * pmap_access() - what the processor does
 * @pmap: the space
 * @va: the address
 * @access: VM_PROT_*: what for
 * @buf: kernel memory that is read into, or written from if @access says write
 * @len: bytes, all in one page; 0 to only touch it
 *
 * The access is over when this returns: whoever removes or protects the translation
 * afterwards knows all about it.
 *
 * Context: process.
 * Return: whether it was done; if not, that is a fault.
 */
bool pmap_access(struct pmap *pmap, unsigned long va, u8 access, void *buf,
		 size_t len)
{
	struct pv_entry *pv;
	bool done = false;
	void *at;

	if (WARN_ON_ONCE(offset_in_page(va) + len > PAGE_SIZE))
		return false;
	spin_lock(&pmap->lock);
	pv = find_pv(pmap, va);
	if (pv && !(access & ~pv->bits & PV_RIGHTS)) {
		at = vm_page_kva(pv->m) + offset_in_page(va);
		pv->bits |= PV_REFERENCED;
		if (access & VM_PROT_WRITE)
			pv->bits |= PV_MODIFIED;
		if (access & VM_PROT_WRITE)
			/* Who shares the page may be at it; that is theirs. */
			data_race(memcpy(at, buf, len));
		else
			/* The same. */
			data_race(memcpy(buf, at, len));
		done = true;
	}
	spin_unlock(&pmap->lock);
	return done;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_access);

/* ---- all translations of a page ----------------------------------------- */

/* How many translations of a page have a bit, which @clear takes away. */
static int test_bits(struct vm_page *m, u8 bit, bool clear)
{
	struct pv_entry *pv;
	int n = 0;

	spin_lock(&pmap_lists_lock);
	hlist_for_each_entry(pv, &m->md.pv_list, link) {
		spin_lock(&pv->pmap->lock);
		if (pv->bits & bit) {
			n++;
			if (clear) {
				pv->bits &= ~bit;
				pv->pmap->st.flushes++;
			}
		}
		spin_unlock(&pv->pmap->lock);
	}
	spin_unlock(&pmap_lists_lock);
	return n;
}

/**
 * pmap_is_modified() - whether a page was written to through a translation
 * @m: the page
 *
 * Translations that are gone, and writes before pmap_clear_modify(), do not count.
 *
 * Return: whether.
 */
bool pmap_is_modified(struct vm_page *m)
{
	return test_bits(m, PV_MODIFIED, false);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_is_modified);

/**
 * pmap_clear_modify() - forget that a page was written to
 * @m: the page, whose object is locked; its dirty bits are not touched
 */
void pmap_clear_modify(struct vm_page *m)
{
	test_bits(m, PV_MODIFIED, true);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_clear_modify);

/**
 * pmap_is_referenced() - whether a page was used through a translation
 * @m: the page
 *
 * Return: whether, since that was cleared.
 */
bool pmap_is_referenced(struct vm_page *m)
{
	return test_bits(m, PV_REFERENCED, false);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_is_referenced);

/**
 * pmap_ts_referenced() - how many used a page, and forget it
 * @m: the page
 *
 * Return: translations through which it was used since this was last asked.
 */
int pmap_ts_referenced(struct vm_page *m)
{
	return test_bits(m, PV_REFERENCED, true);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_ts_referenced);

/**
 * pmap_clear_reference() - forget that a page was used
 * @m: the page
 */
void pmap_clear_reference(struct vm_page *m)
{
	test_bits(m, PV_REFERENCED, true);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_clear_reference);

/**
 * pmap_remove_all() - remove all translations of a page
 * @m: the page, whose object is locked; dirty, if one of them was modified
 */
void pmap_remove_all(struct vm_page *m)
{
	struct pv_entry *pv;
	struct pmap *pmap;
	struct pmap_path path;

	spin_lock(&pmap_lists_lock);
	while (!hlist_empty(&m->md.pv_list)) {
		pv = hlist_entry(m->md.pv_list.first, struct pv_entry, link);
		pmap = pv->pmap;
		spin_lock(&pmap->lock);
		find_path(pmap, pv->va, &path);
		remove_pv(pmap, &path);
		spin_unlock(&pmap->lock);
	}
	spin_unlock(&pmap_lists_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_remove_all);

/**
 * pmap_remove_write() - let nobody write to a page
 * @m: the page, whose object is locked; dirty, if a translation was modified
 */
void pmap_remove_write(struct vm_page *m)
{
	struct pv_entry *pv;

	spin_lock(&pmap_lists_lock);
	hlist_for_each_entry(pv, &m->md.pv_list, link) {
		spin_lock(&pv->pmap->lock);
		if (pv->bits & VM_PROT_WRITE)
			set_bits(pv, pv->bits & ~VM_PROT_WRITE);
		spin_unlock(&pv->pmap->lock);
	}
	spin_unlock(&pmap_lists_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_remove_write);

/* ---- spaces ------------------------------------------------------------- */

/**
 * pmap_create() - a physical map with nothing in it
 *
 * Context: process, may sleep.
 * Return: the map, or NULL.
 */
struct pmap *pmap_create(void)
{
	return vm_zalloc(pmap_zone, 0);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_create);

/**
 * pmap_release() - give a physical map back
 * @pmap: the map, of which the owner has removed everything
 */
void pmap_release(struct pmap *pmap)
{
	if (pmap)
		uma_zfree(pmap_zone, pmap);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_release);

/**
 * pmap_stats() - what a physical map holds
 * @pmap: the map
 * @st: where to store it
 */
void pmap_stats(struct pmap *pmap, struct pmap_statistics *st)
{
	spin_lock(&pmap->lock);
	*st = pmap->st;
	spin_unlock(&pmap->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(pmap_stats);

static int pmap_zinit(void *mem, int size, int flags)
{
	struct pmap *pmap = mem;

	memset(pmap, 0, sizeof(*pmap));
	spin_lock_init(&pmap->lock);
	return 0;
}

/* Into the cache goes only what the next owner can take as it is. */
static void pmap_dtor(void *mem, int size, void *arg)
{
	struct pmap *pmap = mem;

	WARN(pmap->st.resident || pmap->st.tables,
	     "pmap: %lu translations in %lu tables left by their space\n",
	     pmap->st.resident, pmap->st.tables);
	pmap_remove(pmap, 0, PMAP_END);
}

/**
 * pmap_startup() - the zones that physical maps come from
 *
 * Return: 0 or -ENOMEM.
 */
int pmap_startup(void)
{
	pmap_zone = uma_zcreate("PMAP", sizeof(struct pmap), NULL, pmap_dtor,
				pmap_zinit, NULL, UMA_ALIGN_CACHE,
				UMA_ZONE_VM | UMA_ZONE_NOFREE);
	pv_zone = uma_zcreate("PV ENTRY", sizeof(struct pv_entry), NULL, NULL,
			      NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	if (pmap_zone && pv_zone)
		return 0;
	pmap_shutdown();
	return -ENOMEM;
}

/**
 * pmap_shutdown() - the end; no space is left
 */
void pmap_shutdown(void)
{
	if (pv_zone)
		uma_zdestroy(pv_zone);
	if (pmap_zone)
		uma_zdestroy(pmap_zone);
	pv_zone = NULL;
	pmap_zone = NULL;
}
