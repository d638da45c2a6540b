// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoint's body, made from trace.h.
 */

#define CREATE_TRACE_POINTS
#include "memguard/trace.h"
