/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sleeping on an address: for what may be gone when the sleeper wakes.
 */
#ifndef _VMSIM_SLEEPQ_H
#define _VMSIM_SLEEPQ_H

struct mutex;

long vm_sleep(const void *chan, struct mutex *lock, long timeout);
void vm_wakeup(const void *chan);
void vm_sleepq_startup(void);

#endif /* _VMSIM_SLEEPQ_H */
