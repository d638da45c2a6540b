/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What others may ask of the file pager, beside its operations.
 */
#ifndef _VMSIM_FILE_H
#define _VMSIM_FILE_H

#include <linux/types.h>

struct bufobj;
struct file;
struct inode;
struct vm_object;

struct bufobj *vm_file_bufobj(struct vm_object *object);
struct file *vm_file_backing(struct vm_object *object);
bool vm_file_is_mapped(const struct inode *inode);

#endif /* _VMSIM_FILE_H */
