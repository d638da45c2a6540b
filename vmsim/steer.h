/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Named points at which a suite can stop, or act, in the middle of what the VM does:
 * see uma/steer.h. A hook knows its own object or page from others'.
 */
#ifndef _VMSIM_STEER_H
#define _VMSIM_STEER_H

#include <linux/compiler.h>
#include <linux/kconfig.h>

/**
 * enum vm_steer_point - where a hook is called, with what, and in what context
 * @VM_STEER_BUSY_SLEEP: an object; somebody waits for a page of it, has dropped its
 *	lock and not slept yet; may sleep
 * @VM_STEER_SHADOW: an object that shadows another and is not known to it yet; may
 *	sleep; no lock held
 * @VM_STEER_COLLAPSE_SLEEP: an object whose backing object is dead; the collapse has
 *	dropped both locks because of a busy page and not slept yet; may sleep
 * @VM_STEER_CACHE_SELECT: a page of the cache queue is looked at; under the queues'
 *	lock
 * @VM_STEER_DEALLOCATE: an object of which but one shadow's reference is left, and
 *	that will be collapsed into that shadow; no lock held; may sleep
 */
enum vm_steer_point {
	VM_STEER_BUSY_SLEEP,
	VM_STEER_SHADOW,
	VM_STEER_COLLAPSE_SLEEP,
	VM_STEER_CACHE_SELECT,
	VM_STEER_DEALLOCATE,
};

#if IS_ENABLED(CONFIG_KUNIT)
typedef void (*vm_steer_fn)(enum vm_steer_point point, void *obj);
extern vm_steer_fn vm_steer_hook;

static inline void vm_steer(enum vm_steer_point point, void *obj)
{
	vm_steer_fn fn = READ_ONCE(vm_steer_hook);

	if (fn)
		fn(point, obj);
}
#else
static inline void vm_steer(enum vm_steer_point point, void *obj) {}
#endif

#endif /* _VMSIM_STEER_H */
