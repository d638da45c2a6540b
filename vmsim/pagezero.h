/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Zeroing free pages ahead of need: see pagezero.c.
 */
#ifndef _VMSIM_PAGEZERO_H
#define _VMSIM_PAGEZERO_H

struct task_struct;

int vm_pagezero_startup(void);
void vm_pagezero_shutdown(void);
void vm_pagezero_wakeup(void);

/* Parts of the first, for suites. */
struct task_struct *vm_pagezero_create(void);

#endif /* _VMSIM_PAGEZERO_H */
