/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clients of the VM: address spaces with limits, and a list of them all. One is
 * behind each open file of /dev/vmsim (ctl.c).
 */
#ifndef _VMSIM_CLIENT_H
#define _VMSIM_CLIENT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "vmsim/vmspace.h"

struct vm_object;
struct vm_map_entry;
struct vmsim_contig;
struct vmsim_entry;
struct vmsim_object;

/* The lowest address of a client; what is below is a null pointer's. */
#define VM_CLIENT_MIN	PAGE_SIZE

/**
 * struct vm_client - an address space with limits
 * @vm: the space
 * @id: its number, constant, which no other ever had
 * @max_pages: the most pages that it may hold, constant
 * @max_entries: the most map entries, constant
 * @budget: pages that it may take before they are counted again
 * @runs: contiguous memory that it holds, by number
 * @reserved: pages of that, and those that are being wired
 * @link: among all clients; vm_clients_lock
 */
struct vm_client {
	struct vmspace *vm;
	u32 id;
	unsigned long max_pages;
	unsigned int max_entries;
	atomic_long_t budget;
	struct xarray runs;
	atomic_long_t reserved;
	struct list_head link;
};

struct vm_client *vm_client_create(void);
struct vm_client *vm_client_fork(struct vm_client *parent);
void vm_client_destroy(struct vm_client *client);
unsigned int vm_client_count(void);
void vm_client_for_each(void (*fn)(struct vm_client *client, void *arg),
			void *arg);

/* Limits. */
unsigned long vm_client_held(struct vm_client *client);
int vm_client_charge(struct vm_client *client, unsigned long npages);
int vm_client_reserve(struct vm_client *client, unsigned long npages);
void vm_client_unreserve(struct vm_client *client, unsigned long npages);
int vm_client_wire(struct vm_client *client, unsigned long start,
		   unsigned long end);
int vm_client_may_cut(struct vm_client *client);

/* What a map does not do by itself. */
int vm_client_unmap(struct vm_client *client, unsigned long start,
		    unsigned long end);
int vm_client_advise(struct vm_client *client, unsigned long start,
		     unsigned long end, unsigned int advice);
int vm_client_pageout(struct vm_client *client, unsigned long start,
		      unsigned long end);

/* Contiguous memory: client_contig.c */
void vm_client_contig_begin(struct vm_client *client);
void vm_client_contig_end(struct vm_client *client);
int vm_client_contig(struct vm_client *client, struct vmsim_contig *vc);
int vm_client_release(struct vm_client *client, u32 id);

/* Looking at it. */
void vm_entry_describe(const struct vm_map_entry *entry, struct vmsim_entry *ve);
void vm_object_describe(struct vm_object *object, struct vmsim_object *vo);
unsigned int vm_client_entries(struct vm_client *client, struct vmsim_entry *ve,
			       unsigned int room);
int vm_client_objects(struct vm_client *client, struct vmsim_object *vo,
		      unsigned int room, unsigned int *count);
const char *vm_client_check(struct vm_client *client);

#endif /* _VMSIM_CLIENT_H */
