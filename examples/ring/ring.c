// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver does with contiguous memory: a ring of descriptors that its device reads
 * by physical address, with 32 address lines and a counter of 16 bits, and a buffer of
 * which nobody but the device needs to know where it is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "uma/uma.h"
#include "vmsim/contig.h"

#define RING_BYTES	(4 * PAGE_SIZE)
#define BUFFER_PAGES	8

static MALLOC_DEFINE(M_RING, "ring", "the ring of an example");

static void *ring;
static struct vm_page *buffer;

static int __init ring_init(void)
{
	ring = contigmalloc(RING_BYTES, M_RING, M_WAITOK | M_ZERO, 0,
			    0xffffffff, PAGE_SIZE, 0x10000);
	if (!ring)
		return -ENOMEM;
	buffer = vm_page_alloc_contig(BUFFER_PAGES, 0, 0xffffffff, PAGE_SIZE, 0);
	if (!buffer) {
		contigfree(ring, RING_BYTES, M_RING);
		return -ENOMEM;
	}
	pr_info("%lu bytes at %#llx, %d pages at %#llx\n", RING_BYTES,
		(u64)vtophys(ring), BUFFER_PAGES,
		(u64)vm_page_to_phys(buffer));
	return 0;
}

static void __exit ring_exit(void)
{
	vm_page_release_contig(buffer, BUFFER_PAGES);
	contigfree(ring, RING_BYTES, M_RING);
}

module_init(ring_init);
module_exit(ring_exit);
MODULE_DESCRIPTION("A consumer of contiguous memory");
MODULE_LICENSE("GPL");
