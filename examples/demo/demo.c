// SPDX-License-Identifier: GPL-2.0-only
#include "uma/uma.h"

static uma_zone_t zone;

static int __init demo_init(void)
{
	zone = uma_zcreate("demo", 192, NULL, NULL, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	if (!zone)
		return -ENOMEM;
	uma_zfree(zone, uma_zalloc(zone, M_WAITOK | M_ZERO));
	return 0;
}

static void __exit demo_exit(void)
{
	uma_zdestroy(zone);
}

module_init(demo_init);
module_exit(demo_exit);
MODULE_DESCRIPTION("The smallest consumer of uma.ko");
MODULE_LICENSE("GPL");
