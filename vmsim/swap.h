/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Swap: devices and their blocks (swap_dev.c), which object's index is in which
 * block (pager_swap.c), and bringing it all back (swapoff.c), each calling only those
 * before it.
 *
 * A block is a page. Blocks of all devices have numbers in one space, from 1; those of
 * one device lie together, with a gap to the next device's, so that a run of blocks
 * is of one device. 0 is no block.
 *
 * Locks: an object's guards its metadata, and is taken first. vm_swap_lock guards
 * the devices, and the list of objects that have metadata. Who goes through that list
 * tries the objects' locks.
 */
#ifndef _VMSIM_SWAP_H
#define _VMSIM_SWAP_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "vmsim/backing.h"
#include "vmsim/bufobj.h"

struct inode;
struct seq_file;

/* The most blocks of a device: its bitmap is searched under a spinlock. */
#define VM_SWAP_BLOCKS_MAX	BIT_ULL(24)

#define VM_SWAP_NAME_MAX	64

/**
 * struct vm_swap_dev - a device, or file, or whatever has strategy
 * @link: among all; vm_swap_lock
 * @backing: a file, or empty: then @bo's operations do without
 * @bo: where its blocks are
 * @name: for messages and statistics
 * @first: number of its first block, constant
 * @nblks: blocks, constant
 * @map: a bit for each block in use; vm_swap_lock, as all below
 * @used: blocks in use
 * @known: of those, blocks that some object's metadata names
 * @hint: where the next search begins
 * @closing: no new blocks: it is to be swapped off
 */
struct vm_swap_dev {
	struct list_head link;
	struct vm_backing backing;
	struct bufobj bo;
	char name[VM_SWAP_NAME_MAX];
	u64 first;
	u64 nblks;
	unsigned long *map;
	u64 used;
	u64 known;
	u64 hint;
	bool closing;
};

/**
 * struct vm_swap_stats - how swap stands
 * @devices: devices
 * @blocks: of all of them
 * @used: blocks in use
 * @timeouts: times that a read took longer than vm_swap_timeout
 */
struct vm_swap_stats {
	unsigned int devices;
	u64 blocks;
	u64 used;
	u64 timeouts;
};

extern spinlock_t vm_swap_lock;
extern long vm_swap_timeout;

/* swap_dev.c */
bool vm_swap_uses(const struct inode *inode);
struct vm_swap_dev *vm_swap_add(struct vm_backing *backing,
				const struct vm_buf_ops *ops, void *private,
				u64 nblks);
void vm_swap_remove(struct vm_swap_dev *dev);
struct vm_swap_dev *vm_swap_close(struct vm_swap_dev *dev, const char *path);
void vm_swap_reopen(struct vm_swap_dev *dev);
u64 vm_swap_room(void);

u64 vm_swap_alloc(unsigned int *n);
void vm_swap_free(u64 blk, unsigned int n, bool known);
void vm_swap_know(u64 blk, unsigned int n);
bool vm_swap_is_on(u64 blk, const struct vm_swap_dev *dev);
struct bufobj *vm_swap_bufobj(u64 blk, s64 *lblkno);
void vm_swap_report_timeout(u64 blk, unsigned int n);
void vm_swap_get_stats(struct vm_swap_stats *st);
void vm_swap_show(struct seq_file *m);
int vm_swapon(const char *path);
int vm_swap_dev_startup(void);
void vm_swap_dev_shutdown(void);

/* pager_swap.c */
int vm_swap_adopt(struct vm_object *object);
u64 vm_swap_lookup(struct vm_object *object, u64 pindex);

/* swapoff.c */
int vm_swapoff(const char *path);
int vm_swapoff_dev(struct vm_swap_dev *dev);

#endif /* _VMSIM_SWAP_H */
