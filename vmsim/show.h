/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VM's files in debugfs.
 */
#ifndef _VMSIM_SHOW_H
#define _VMSIM_SHOW_H

struct dentry;
struct vm_page;

char vm_page_state(const struct vm_page *m);
void vm_debugfs(struct dentry *parent);

#endif /* _VMSIM_SHOW_H */
