// SPDX-License-Identifier: GPL-2.0-only
/*
 * uma.ko: load and unload order, nothing else.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "memguard/guard.h"
#include "uma/fail.h"
#include "uma/uma_int.h"
#include "vmsim/backing.h"
#include "vmsim/ctl.h"
#include "vmsim/show.h"
#include "vmsim/vm.h"

static int __init uma_module_init(void)
{
	struct dentry *dir;
	int error;

	uma_fail_startup();
	error = uma_pool_init();
	if (error)
		return error;
	error = uma_reclaim_startup();
	if (error)
		goto fail_pool;
	error = uma_startup();
	if (error)
		goto fail_reclaim;
	error = uma_malloc_startup();
	if (error)
		goto fail_uma;
	error = uma_mbuf_startup();
	if (error)
		goto fail_malloc;
	error = vm_startup();
	if (error)
		goto fail_mbuf;
	error = vm_ctl_startup();
	if (error)
		goto fail_vm;
	memguard_startup();
	dir = uma_stats_startup();
	memguard_debugfs(dir);
	vm_fail_io_debugfs(dir);
	vm_debugfs(dir);
	return 0;

fail_vm:
	vm_shutdown();
fail_mbuf:
	uma_mbuf_shutdown();
fail_malloc:
	uma_malloc_shutdown();
fail_uma:
	uma_reclaim_quiesce();
	uma_shutdown();
fail_reclaim:
	uma_reclaim_quiesce();
	uma_reclaim_shutdown();
fail_pool:
	uma_pool_fini();
	return error;
}

static void __exit uma_module_exit(void)
{
	vm_ctl_shutdown();
	uma_stats_shutdown();
	vm_shutdown();
	uma_reclaim_quiesce();
	uma_mbuf_shutdown();
	memguard_shutdown();
	uma_malloc_shutdown();
	uma_shutdown();
	uma_reclaim_shutdown();
	uma_pool_fini();
}

module_init(uma_module_init);
module_exit(uma_module_exit);
MODULE_DESCRIPTION("BSD's zone allocator on real pages");
MODULE_VERSION(UMA_VERSION);
MODULE_LICENSE("GPL");
