/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/vmsim.
 */
#ifndef _VMSIM_CTL_H
#define _VMSIM_CTL_H

int vm_ctl_startup(void);
void vm_ctl_shutdown(void);

#endif /* _VMSIM_CTL_H */
