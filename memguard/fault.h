/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own faults on the arena. See fault.c.
 */
#ifndef _MEMGUARD_FAULT_H
#define _MEMGUARD_FAULT_H

#include <linux/types.h>

/* Report, open the page and go on, instead of an oops. */
extern bool memguard_continue;

int memguard_fault_startup(void);
void memguard_fault_shutdown(void);
bool memguard_fault_intercepted(void);
u64 memguard_fault_resolved(void);

#endif /* _MEMGUARD_FAULT_H */
