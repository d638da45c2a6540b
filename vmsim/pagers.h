/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pagers, for pagers.c, which starts them, and what each has beyond the
 * operations that all have.
 */
#ifndef _VMSIM_PAGERS_H
#define _VMSIM_PAGERS_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "vmsim/pager.h"

struct file;

extern const struct vm_pager_ops vm_default_pager;
extern const struct vm_pager_ops vm_swap_pager;
extern const struct vm_pager_ops vm_file_pager;
extern const struct vm_pager_ops vm_device_pager;
extern const struct vm_pager_ops vm_phys_pager;

int vm_buf_startup(void);
void vm_buf_shutdown(void);
int vm_swap_startup(void);
void vm_swap_shutdown(void);
int vm_file_startup(void);
void vm_file_shutdown(void);
int vm_device_startup(void);
void vm_device_shutdown(void);

/**
 * struct vm_device - a region of memory that is not ours: the handle of OBJT_DEVICE
 * @name: for messages
 * @pfn: its first page frame, which the kernel maps
 * @npages: its length
 * @refs: its maker and each object
 * @release: what becomes of it when the last of those lets go
 */
struct vm_device {
	const char *name;
	unsigned long pfn;
	unsigned long npages;
	refcount_t refs;
	void (*release)(struct vm_device *dev);
};

/* pagers.c */
int vm_pager_startup(void);
void vm_pager_shutdown(void);

/* pager_device.c */
struct vm_device *vm_device_create(const char *name, unsigned long npages);
void vm_device_put(struct vm_device *dev);

#endif /* _VMSIM_PAGERS_H */
