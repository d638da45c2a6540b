// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's tracepoints' bodies, made from trace.h.
 */

#define CREATE_TRACE_POINTS
#include "vmsim/trace.h"
