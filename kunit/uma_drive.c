// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drive the pool up and down from user space: a zone of which as many MiB are
 * held as is written to a parameter, so that a shell can watch what the pool
 * does, and what the kernel does with the pool.
 *
 * Each item remembers on which memory node the thread ran that it was handed
 * to, and carries a pattern that is checked when it is freed: memory that went
 * back to the kernel under it would not keep that.
 */

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/topology.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "uma/uma.h"

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#define PATTERN		0x756d610000000000ULL
#define WORDS		120

/**
 * struct item - what is held
 * @next: the one held before it
 * @nid: node that the thread ran on
 * @words: PATTERN and the word's own number
 */
struct item {
	struct item *next;
	int nid;
	u64 words[WORDS];
};

/* Guards all of these. */
static DEFINE_MUTEX(drive_lock);
static uma_zone_t zone;
static struct item *items;
static unsigned long nitems;
static unsigned long damaged;

/* As a parameter may be set before the module's init. */
static unsigned int hold_mb;

static unsigned long items_in(unsigned int mb)
{
	return ((unsigned long)mb << 20) / sizeof(struct item);
}

static int take_one(void)
{
	/* Where this thread is now; who wants to know pins it. */
	int nid = numa_mem_id(), i;
	struct item *item = uma_zalloc(zone, M_WAITOK);

	if (!item)
		return -ENOMEM;
	item->nid = nid;
	for (i = 0; i < WORDS; i++)
		item->words[i] = PATTERN + i;
	item->next = items;
	items = item;
	nitems++;
	return 0;
}

static void give_one(void)
{
	struct item *item = items;
	int i;

	for (i = 0; i < WORDS; i++) {
		if (item->words[i] == PATTERN + i)
			continue;
		damaged++;
		pr_err("failed: word %d of an item is %#llx\n", i,
		       item->words[i]);
		break;
	}
	items = item->next;
	nitems--;
	uma_zfree(zone, item);
}

static int hold(unsigned long n)
{
	int error = 0;

	lockdep_assert_held(&drive_lock);
	while (!error && nitems != n) {
		if (nitems < n)
			error = take_one();
		else
			give_one();
		cond_resched();
	}
	return error;
}

static int hold_mb_set(const char *val, const struct kernel_param *kp)
{
	unsigned int mb;
	int error = kstrtouint(val, 0, &mb);

	if (error)
		return error;
	mutex_lock(&drive_lock);
	hold_mb = mb;
	if (zone)
		error = hold(items_in(mb));
	mutex_unlock(&drive_lock);
	return error;
}

static const struct kernel_param_ops hold_mb_ops = {
	.set = hold_mb_set,
	.get = param_get_uint,
};
module_param_cb(hold_mb, &hold_mb_ops, &hold_mb, 0644);
MODULE_PARM_DESC(hold_mb, "MiB in items to hold; setting it returns when they are held");

/* Items whose page does not lie where the thread ran. */
static int strays_get(char *buffer, const struct kernel_param *kp)
{
	unsigned long strays = 0;
	struct vm_page *m;
	struct item *item;

	mutex_lock(&drive_lock);
	for (item = items; item; item = item->next) {
		m = uma_pool_lookup(uma_pool, item);
		strays += !m || vm_page_nid(m) != item->nid;
	}
	mutex_unlock(&drive_lock);
	return sysfs_emit(buffer, "%lu\n", strays);
}

static const struct kernel_param_ops strays_ops = {
	.get = strays_get,
};
module_param_cb(strays, &strays_ops, NULL, 0444);
MODULE_PARM_DESC(strays, "items on another memory node than the thread that took them ran on");

module_param(damaged, ulong, 0444);
MODULE_PARM_DESC(damaged, "items whose contents had changed");

static int __init uma_drive_init(void)
{
	int error;

	mutex_lock(&drive_lock);
	zone = uma_zcreate("drive", sizeof(struct item), NULL, NULL, NULL, NULL,
			   UMA_ALIGN_PTR, 0);
	error = zone ? hold(items_in(hold_mb)) : -ENOMEM;
	if (error && zone) {
		hold(0);
		uma_zdestroy(zone);
	}
	mutex_unlock(&drive_lock);
	return error;
}

static void __exit uma_drive_exit(void)
{
	mutex_lock(&drive_lock);
	hold(0);
	if (uma_zdestroy(zone))
		pr_err("failed: the zone is not empty\n");
	mutex_unlock(&drive_lock);
}

module_init(uma_drive_init);
module_exit(uma_drive_exit);
UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("Holds as much memory of the pool as it is told");
MODULE_LICENSE("GPL");
