// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that does nothing: what loading and unloading it many times costs
 * in memory is the kernel's own doing, and the measure for ours.
 */
#include <linux/module.h>

static int __init noop_init(void)
{
	return 0;
}

static void __exit noop_exit(void)
{
}

module_init(noop_init);
module_exit(noop_exit);
MODULE_DESCRIPTION("does nothing, for comparison");
MODULE_LICENSE("GPL");
