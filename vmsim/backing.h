/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real storage: a regular file or a block device, opened for us and checked, and the
 * operations of buffer objects that do I/O on it.
 */
#ifndef _VMSIM_BACKING_H
#define _VMSIM_BACKING_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "vmsim/bufobj.h"

struct dentry;
struct file;
struct inode;

/**
 * struct vm_backing - storage
 * @file: opened by us, for reading at least; constant
 * @wfile: the same or another, for writing; NULL while nobody has asked for that. Set
 *	once
 * @whole: what is read must be there: it was written by us. Else there are zeroes
 *	behind the file's end. Constant
 *
 * A buffer object with vm_backing_buf_ops has one as its @private.
 */
struct vm_backing {
	struct file *file;
	struct file *wfile;
	bool whole;
};

/**
 * struct vm_backing_id - what tells storage from other storage
 * @inode: that of a file, never followed; NULL for a device
 * @rdev: the device
 */
struct vm_backing_id {
	const struct inode *inode;
	dev_t rdev;
};

extern const struct vm_buf_ops vm_backing_buf_ops;

int vm_backing_open(struct vm_backing *b, const char *path);
int vm_backing_reopen(struct vm_backing *b, struct file *file, bool write);
void vm_backing_close(struct vm_backing *b);
struct inode *vm_backing_inode(const struct vm_backing *b);
u64 vm_backing_size(const struct vm_backing *b);
void vm_backing_name(const struct vm_backing *b, char *name, size_t size);
int vm_backing_identify(const char *path, struct vm_backing_id *id);
bool vm_backing_is(const struct vm_backing *b, const struct vm_backing_id *id);

void vm_fail_io_startup(void);
void vm_fail_io_debugfs(struct dentry *parent);

#endif /* _VMSIM_BACKING_H */
