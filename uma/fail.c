// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures on demand.
 *
 * Two attributes of the kernel's fault injection, each a folder in debugfs with
 * the usual files (probability, interval, times, task-filter, ...), and both
 * obey /proc/<pid>/fail-nth:
 *
 *	fail_uma	a call of uma_zalloc() fails, whatever is cached: for a
 *			consumer who wants to see what his error paths do. The file
 *			zone in it names the one zone that is to fail, if not all.
 *	fail_uma_pages	the pool has no page: for the allocator itself.
 *
 * Neither makes an allocation fail that may wait: M_WAITOK is absolute.
 */

#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "uma/fail.h"
#include "uma/uma.h"

#define ZONE_NAME_MAX	64

DECLARE_FAULT_ATTR(uma_fail_attr);
static DECLARE_FAULT_ATTR(fail_uma_pages);

/*
 * Which zone is to fail; empty: all. Read without a lock, in any context: who
 * changes it while it is in use may see a failure in neither zone, or in both.
 */
static char zone_filter[ZONE_NAME_MAX];
static DEFINE_MUTEX(zone_filter_lock);

/**
 * uma_fail_startup() - make both attributes quiet
 *
 * A failure that was asked for needs no stack in the log, unless asked.
 */
void uma_fail_startup(void)
{
	uma_fail_attr.verbose = 0;
	fail_uma_pages.verbose = 0;
}

/**
 * uma_fail_alloc() - shall this allocation from a zone fail?
 * @zone_name: the zone's name
 * @size: bytes of an item
 * @flags: of the allocation
 *
 * Context: any but NMI.
 */
bool uma_fail_alloc(const char *zone_name, size_t size, int flags)
{
	if (!uma_fail_armed(flags))
		return false;
	if (zone_filter[0] &&
	    strncmp(zone_filter, zone_name, sizeof(zone_filter) - 1))
		return false;
	return should_fail(&uma_fail_attr, size);
}

/**
 * uma_fail_pages() - shall this allocation from the pool fail?
 * @npages: pages wanted
 * @flags: of the allocation
 *
 * Context: any but NMI.
 */
bool uma_fail_pages(unsigned int npages, int flags)
{
	return !(flags & M_WAITOK) && should_fail(&fail_uma_pages,
						  (ssize_t)npages << PAGE_SHIFT);
}

static int zone_filter_show(struct seq_file *m, void *v)
{
	mutex_lock(&zone_filter_lock);
	seq_printf(m, "%s\n", zone_filter);
	mutex_unlock(&zone_filter_lock);
	return 0;
}

static int zone_filter_open(struct inode *inode, struct file *file)
{
	return single_open(file, zone_filter_show, NULL);
}

static ssize_t zone_filter_write(struct file *file, const char __user *buf,
				 size_t len, loff_t *pos)
{
	char name[ZONE_NAME_MAX] = {};

	if (len >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, len))
		return -EFAULT;
	name[strcspn(name, "\n")] = '\0';
	mutex_lock(&zone_filter_lock);
	strscpy(zone_filter, name, sizeof(zone_filter));
	mutex_unlock(&zone_filter_lock);
	return len;
}

static const struct file_operations zone_filter_fops = {
	.owner = THIS_MODULE,
	.open = zone_filter_open,
	.read = seq_read,
	.write = zone_filter_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * uma_fail_debugfs() - show the attributes
 * @parent: the folder in which to make theirs; they go when it is removed
 *
 * Context: process context, at load.
 */
void uma_fail_debugfs(struct dentry *parent)
{
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
	struct dentry *dir;

	dir = fault_create_debugfs_attr("fail_uma", parent, &uma_fail_attr);
	debugfs_create_file("zone", 0600, dir, NULL, &zone_filter_fops);
	fault_create_debugfs_attr("fail_uma_pages", parent, &fail_uma_pages);
#endif
}
