// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's start and end: the order of its files, nothing else.
 */
#include "uma/compat.h"
#include "vmsim/collapse.h"
#include "vmsim/fault.h"
#include "vmsim/map.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/steer.h"
#include "vmsim/vm.h"
