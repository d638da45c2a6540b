/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What floors above need of reclaim: who is asked for memory when the zones have given
 * what they can.
 */
#ifndef _UMA_RECLAIM_H
#define _UMA_RECLAIM_H

#include <linux/types.h>

void uma_reclaim_set_next(void (*next)(void));
bool uma_reclaim_ask(long timeout);

#endif /* _UMA_RECLAIM_H */
