/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool: real pages that are ours from load to unload, and the record that
 * each of them has.
 */
#ifndef _UMA_POOL_H
#define _UMA_POOL_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct seq_file;
struct uma_slab;
struct vm_object;

/* Blocks of a page that can be valid or dirty by themselves (DEV_BSIZE). */
#define VM_PAGE_BLOCK	512

/* What a page is, in vm_page.flags; guarded by the pool's lock. */
#define PG_FREE		0x01	/* on the pool's free list */
#define PG_BLACKLISTED	0x02	/* named by the blacklist: never handed out */
#define PG_ABSENT	0x04	/* the record's place in the table is empty */
/* Constant while the record exists: not the pool's; a device pager made it. */
#define PG_FICTITIOUS	0x08
#define PG_ZERO		0x10	/* free, and nothing in it but zeroes */
/* Its holder's: taken for a contiguous run that is not complete yet. */
#define PG_ISOLATED	0x20

/* No two of them are the same bit. */
static_assert((PG_FREE ^ PG_BLACKLISTED ^ PG_ABSENT ^ PG_FICTITIOUS ^ PG_ZERO ^
	       PG_ISOLATED) == (PG_FREE | PG_BLACKLISTED | PG_ABSENT |
				PG_FICTITIOUS | PG_ZERO | PG_ISOLATED));

/* The pool grows and shrinks by so many pages, which are one block of memory. */
#define UMA_CHUNK_ORDER	(21 - PAGE_SHIFT)
#define UMA_CHUNK_PAGES	BIT(UMA_CHUNK_ORDER)

/* Inside: pages of the node that was named, or none. */
#define M_NODEONLY	0x40000
/* And: a page that lies with those that nobody can move, if it is a single one. */
#define M_HIGHEST	0x80000

/**
 * struct vm_page_md - the machine-dependent part of a page's record
 * @pv_list: the translations that show the page; the physical map's own locks
 */
struct vm_page_md {
	struct hlist_head pv_list;
};

/**
 * struct vm_page - the record of one page of the pool
 * @pageq: free list while PG_FREE, afterwards its owner's: in the VM the queue
 *	that the page is on
 * @object: owner's field: the object that the page belongs to, or NULL
 * @pindex: index of the page in its object; of its holder otherwise
 * @slab: back-pointer of a page that holds items of a keg, else NULL; written
 *	by the keg before the first item is handed out and after the last one
 *	is back, so that a reader who owns an item needs no lock
 * @md: machine-dependent part, set up by pmap_page_init() alone
 * @phys_pfn: physical page frame number, constant while the page is there
 * @wire_count: wirings, guarded by the holder
 * @hold_count: holds, guarded by the holder
 * @flags: PG_*, guarded by the pool's lock
 * @queue: the queue of the VM that it is on; the queues' lock (vmsim/pageq.h)
 * @act_count: how active it was lately; the same
 * @busy: somebody has dropped the object's lock while he changes the page; this
 *	and the next two are guarded by that lock (vmsim/page.h)
 * @wanted: somebody waits until it is not busy
 * @io_count: writes of the page that are under way
 * @valid: a bit for each block whose contents are valid
 * @dirty: a bit for each block changed since it was written
 */
struct vm_page {
	struct list_head pageq;
	struct vm_object *object;
	u64 pindex;
	struct uma_slab *slab;
	struct vm_page_md md;
	unsigned long phys_pfn;
	u16 wire_count;
	u8 hold_count;
	u8 flags;
	u8 queue : 3;
	u8 act_count : 5;
	/* Another lock's: in a byte of its own. */
	u8:0;
	u8 busy : 1;
	u8 wanted : 1;
	u8 io_count : 6;
	u8 valid;
	u8 dirty;
};

static_assert(sizeof(struct vm_page) <= 64);
static_assert(BITS_PER_BYTE * sizeof_field(struct vm_page, valid) >=
	      PAGE_SIZE / VM_PAGE_BLOCK);
static_assert(sizeof_field(struct vm_page, valid) ==
	      sizeof_field(struct vm_page, dirty));
static_assert(offsetof(struct vm_page, valid) %
	      sizeof_field(struct vm_page, valid) == 0);
static_assert(offsetof(struct vm_page, dirty) %
	      sizeof_field(struct vm_page, dirty) == 0);

struct uma_pool;

/**
 * struct uma_pool_stats - how a pool, or one memory node of it, stands
 * @pages: pages that belong to it (blacklisted ones not counted)
 * @free: of those, free
 * @reserve: free pages that only M_USE_RESERVE gets
 * @blacklisted: pages kept out for good
 * @chunks: chunks that it has grown by
 * @allocs: allocations that succeeded, singles and runs
 * @fails: allocations that did not, counted where they were first tried
 * @largest_run: most contiguous free pages; like all that follows, of a whole
 *	pool only
 * @segments: physical segments of what it was made with
 * @nodes: memory nodes
 * @chunks_max: the most chunks that it may have
 * @grown: chunks that ever came
 * @given_back: chunks that went again
 * @grow_fails: times that the kernel had none to give
 */
struct uma_pool_stats {
	unsigned long pages;
	unsigned long free;
	unsigned long reserve;
	unsigned long blacklisted;
	unsigned int chunks;
	u64 allocs;
	u64 fails;
	unsigned long largest_run;
	unsigned int segments;
	unsigned int nodes;
	unsigned int chunks_max;
	unsigned long grown;
	unsigned long given_back;
	unsigned long grow_fails;
};

/**
 * struct uma_pool_range - pages of a pool that follow each other in memory
 * @first: the first one's record, which the others' follow
 * @pfn: its number
 * @npages: how many
 */
struct uma_pool_range {
	struct vm_page *first;
	unsigned long pfn;
	unsigned long npages;
};

/* The pool of the module. Suites make small ones of their own. */
extern struct uma_pool *uma_pool;

struct uma_pool *uma_pool_create(unsigned long npages, const char *blacklist);
struct uma_pool *uma_pool_create_elastic(unsigned long npages,
					 unsigned long most,
					 const char *blacklist);
void uma_pool_destroy(struct uma_pool *pool);
int uma_pool_init(void);
void uma_pool_fini(void);

struct vm_page *uma_pool_alloc(struct uma_pool *pool, unsigned int npages,
			       int flags);
struct vm_page *uma_pool_alloc_above(struct uma_pool *pool, unsigned long keep);
struct vm_page *uma_pool_alloc_zeroed(struct uma_pool *pool, unsigned long keep,
				      bool *zeroed);
unsigned long uma_pool_free_count(struct uma_pool *pool);
unsigned long uma_pool_zeroed_count(struct uma_pool *pool);
bool uma_pool_zero_ahead(struct uma_pool *pool, unsigned int percent);
struct vm_page *uma_pool_alloc_node(struct uma_pool *pool, unsigned int npages,
				    int nid, int flags);
void uma_pool_free(struct uma_pool *pool, struct vm_page *m,
		   unsigned int npages);
void uma_pool_free_list(struct uma_pool *pool, struct list_head *pages);
bool uma_pool_grow(struct uma_pool *pool, unsigned int npages);
unsigned long uma_pool_shrinkable(struct uma_pool *pool, int nid);
unsigned long uma_pool_shrink(struct uma_pool *pool, int nid,
			      unsigned long npages);
bool uma_pool_take(struct uma_pool *pool, struct vm_page *m);
struct vm_page *uma_pool_lookup(struct uma_pool *pool, const void *addr);
struct vm_page *uma_pool_page(struct uma_pool *pool, unsigned long index);
unsigned long uma_pool_records(struct uma_pool *pool);
bool uma_pool_range_below(struct uma_pool *pool, u64 pfn,
			  struct uma_pool_range *range);
bool uma_pool_range_above(struct uma_pool *pool, u64 pfn,
			  struct uma_pool_range *range);
void uma_pool_get_stats(struct uma_pool *pool, struct uma_pool_stats *st);
bool uma_pool_get_node_stats(struct uma_pool *pool, int nid,
			     struct uma_pool_stats *st);
int uma_pool_set_lowmem(struct uma_pool *pool, void (*fn)(void *arg),
			void *arg, unsigned long threshold);
wait_queue_head_t *uma_pool_waitqueue(struct uma_pool *pool);
void uma_pool_wait_begin(struct uma_pool *pool);
void uma_pool_wait_end(struct uma_pool *pool);
void uma_pool_show(struct uma_pool *pool, struct seq_file *m);
void pmap_page_init(struct vm_page *m);

/**
 * vm_page_kva() - address of a page in the kernel's direct map
 * @m: the page
 *
 * Return: the address.
 */
static inline void *vm_page_kva(const struct vm_page *m)
{
	return __va(PFN_PHYS(m->phys_pfn));
}

/*
 * For who looks up at every free: the table of the module's own pool, and parts
 * of memory in which pages of it were found before. Whether there is a struct
 * page for an address is what costs most in a look-up; the kernel makes them for a
 * part of this size at a time, so where one of our pages was found, every address
 * beside it has one.
 */
#define UMA_REGION_SHIFT	21
#define UMA_REGIONS		1024

struct uma_pool_quick {
	unsigned long records;
	unsigned long bytes;
	unsigned long regions[UMA_REGIONS];
};

extern struct uma_pool_quick uma_pool_quick;

/**
 * uma_pool_find() - uma_pool_lookup() in the module's own pool, where it is quick
 * @addr: any value at all
 *
 * Context: any but NMI. Takes no lock.
 * Return: the record, or NULL: then uma_pool_lookup() knows more.
 */
static __always_inline struct vm_page *uma_pool_find(const void *addr)
{
	unsigned long region = (unsigned long)addr >> UMA_REGION_SHIFT;
	unsigned long private, pfn;
	struct vm_page *m;

	if (READ_ONCE(uma_pool_quick.regions[region % UMA_REGIONS]) != region)
		return NULL;
	/* The owner of a page that is not ours may be writing this word. */
	private = data_race(READ_ONCE(virt_to_page(addr)->private));
	m = (struct vm_page *)private;
	if (private - uma_pool_quick.records >= uma_pool_quick.bytes ||
	    private % sizeof(*m))
		return NULL;
	/* The record of a page that nobody holds may be cleared meanwhile. */
	pfn = data_race(READ_ONCE(m->phys_pfn));
	return __va(PFN_PHYS(pfn)) ==
	       (void *)((unsigned long)addr & PAGE_MASK) ? m : NULL;
}

/**
 * vm_page_nid() - the memory node that a pool page lies in
 * @m: the page, which is there
 *
 * Return: the node's number, 0 on a kernel without nodes.
 */
static inline int vm_page_nid(const struct vm_page *m)
{
	return page_to_nid(pfn_to_page(m->phys_pfn));
}

#endif /* _UMA_POOL_H */
