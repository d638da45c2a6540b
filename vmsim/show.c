// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM for people: files in debugfs, in uma/vmsim.
 *
 *	objects		each object, and what it shadows
 *	objects.dot	the same as a graph
 *	maps		each space of /dev/vmsim with its entries
 *	pages		the pool, a character a page
 *	queues		the page queues and swap
 *	counters	what has happened since the module was loaded
 *
 * None of them stops the VM. An object is locked while its line is made, a map while
 * its lines are; what happens between two lines happens.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "uma/uma_int.h"
#include "vmsim/client.h"
#include "vmsim/contig_int.h"
#include "vmsim/map.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pageq.h"
#include "vmsim/pmap.h"
#include "vmsim/show.h"
#include "vmsim/swap.h"
#include "vmsim/vm.h"
#include "vmsim/vmsim_ctl.h"

/* Pages in a line of the map of pages. */
#define MAP_COLUMNS	64

static const char * const type_names[] = {
	[OBJT_DEFAULT] = "default",
	[OBJT_SWAP] = "swap",
	[OBJT_VNODE] = "file",
	[OBJT_DEVICE] = "device",
	[OBJT_PHYS] = "phys",
	[OBJT_DEAD] = "dead",
};

/* ---- objects ------------------------------------------------------------ */

static void all_objects(struct seq_file *m,
			void (*fn)(struct seq_file *m, struct vm_object *object))
{
	struct vm_object *object = NULL;

	while ((object = vm_object_next(object))) {
		vm_object_lock(object);
		/* Begun to go since. */
		if (!(object->flags & OBJ_DEAD))
			fn(m, object);
		vm_object_unlock(object);
		cond_resched();
	}
}

static void object_line(struct seq_file *m, struct vm_object *object)
{
	seq_printf(m, "%8llu %-8s %12llu %9lu %8lu %5d %7u %6u", object->id,
		   type_names[object->type], object->size, object->resident,
		   object->pager_count, atomic_read(&object->ref_count),
		   READ_ONCE(object->shadow_count), object->paging_in_progress);
	if (object->backing_object)
		seq_printf(m, "  %llu + %#llx", object->backing_object->id,
			   object->backing_offset);
	seq_putc(m, '\n');
}

static int objects_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%8s %-8s %12s %9s %8s %5s %7s %6s  %s\n", "OBJECT",
		   "TYPE", "PAGES", "RESIDENT", "SWAP", "REFS", "SHADOWS",
		   "PAGING", "SHADOW OF");
	all_objects(m, object_line);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(objects);

static void object_node(struct seq_file *m, struct vm_object *object)
{
	seq_printf(m, "\to%llu [label=\"%llu: %s\\n%lu of %llu pages\"];\n",
		   object->id, object->id, type_names[object->type],
		   object->resident, object->size);
	if (object->backing_object)
		seq_printf(m, "\to%llu -> o%llu [label=\"+%#llx\"];\n",
			   object->id, object->backing_object->id,
			   object->backing_offset);
}

static int dot_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "digraph objects {\n\tnode [shape=box];\n");
	all_objects(m, object_node);
	seq_puts(m, "}\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dot);

/* ---- maps --------------------------------------------------------------- */

static void entry_line(struct seq_file *m, const struct vmsim_entry *ve)
{
	static const char * const inherit[] = { "share", "copy", "none" };
	static const char * const advice[] = { "normal", "random", "sequential" };

	seq_printf(m, "  %013llx-%013llx %c%c%c/%c%c%c %-5s %-10s wired %u",
		   ve->ve_start, ve->ve_end,
		   ve->ve_prot & VMSIM_PROT_READ ? 'r' : '-',
		   ve->ve_prot & VMSIM_PROT_WRITE ? 'w' : '-',
		   ve->ve_prot & VMSIM_PROT_EXEC ? 'x' : '-',
		   ve->ve_max_prot & VMSIM_PROT_READ ? 'r' : '-',
		   ve->ve_max_prot & VMSIM_PROT_WRITE ? 'w' : '-',
		   ve->ve_max_prot & VMSIM_PROT_EXEC ? 'x' : '-',
		   inherit[ve->ve_inherit], advice[ve->ve_advice], ve->ve_wired);
	if (ve->ve_flags & VMSIM_ENTRY_USER_WIRED)
		seq_puts(m, " user");
	if (ve->ve_flags & VMSIM_ENTRY_GUARD)
		seq_puts(m, " guard");
	else if (!ve->ve_object)
		seq_puts(m, " no object yet");
	else
		seq_printf(m, " object %llu + %#llx", ve->ve_object,
			   ve->ve_offset);
	if (ve->ve_flags & VMSIM_ENTRY_NEEDS_COPY)
		seq_puts(m, ", to be copied");
	else if (ve->ve_flags & VMSIM_ENTRY_COW)
		seq_puts(m, ", a copy");
	seq_putc(m, '\n');
}

static void client_lines(struct vm_client *client, void *arg)
{
	struct vm_map *map = client->vm->vm_map;
	struct vm_map_entry *entry = NULL;
	struct pmap_statistics st;
	struct seq_file *m = arg;
	struct vmsim_entry ve;

	pmap_stats(client->vm->vm_pmap, &st);
	vm_map_lock_read(map);
	seq_printf(m, "space %u: %lu of %u entries, %lu KiB, %lu of %lu translations wired, %lu tables\n",
		   client->id, map->tree.count, client->max_entries,
		   map->size / 1024, st.wired, st.resident, st.tables);
	while ((entry = vm_map_next(map, entry))) {
		if (seq_has_overflowed(m))
			break;
		vm_entry_describe(entry, &ve);
		entry_line(m, &ve);
	}
	vm_map_unlock_read(map);
}

static int maps_show(struct seq_file *m, void *unused)
{
	vm_client_for_each(client_lines, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(maps);

/* ---- pages -------------------------------------------------------------- */

/**
 * vm_page_state() - what a page is, in a character
 * @m: the page
 *
 * No lock is held, so it may be becoming something else just now, and KCSAN need not
 * tell.
 *
 * Context: any.
 * Return: the character; file pages in debugfs says what each means.
 */
__no_kcsan char vm_page_state(const struct vm_page *m)
{
	static const char queue_chars[] = {
		[PQ_CACHE] = 'c',
		[PQ_INACTIVE] = 'i',
		[PQ_ACTIVE] = 'a',
		[PQ_HOLD] = 'h',
	};
	u8 flags = READ_ONCE(m->flags);
	u8 queue;

	if (flags & PG_ABSENT)
		return ' ';
	if (flags & PG_BLACKLISTED)
		return 'x';
	if (flags & PG_FREE)
		return '.';
	if (flags & PG_ISOLATED)
		return '+';
	if (READ_ONCE(m->slab))
		return 'z';
	queue = m->queue;
	if (m->busy)
		return 'b';
	if (queue != PQ_NONE && queue < PQ_COUNT)
		return queue_chars[queue];
	if (READ_ONCE(m->wire_count))
		return 'w';
	return READ_ONCE(m->object) ? 'u' : 'p';
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_page_state);

static int pages_show(struct seq_file *m, void *unused)
{
	unsigned long n = uma_pool_records(uma_pool), i;
	char line[MAP_COLUMNS + 1];
	struct vm_page *page;
	unsigned int at;

	seq_puts(m, ". free  z a zone's  p in no object  u in an object, on no queue  w wired\n");
	seq_puts(m, "a active  i inactive  c cache  h held  b busy  x blacklisted\n");
	seq_puts(m, "+ isolated: taken for a contiguous run that is not complete\n");
	for (i = 0; i < n; i += MAP_COLUMNS) {
		if (seq_has_overflowed(m))
			break;
		for (at = 0; at < MAP_COLUMNS && i + at < n; at++) {
			page = uma_pool_page(uma_pool, i + at);
			line[at] = page ? vm_page_state(page) : ' ';
		}
		line[at] = '\0';
		page = uma_pool_page(uma_pool, i);
		seq_printf(m, "%012llx %s\n",
			   page ? (u64)PFN_PHYS(READ_ONCE(page->phys_pfn)) : 0,
			   line);
		cond_resched();
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pages);

/* ---- queues, counters --------------------------------------------------- */

static int queues_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "free     %8lu\n", vm_page_free_count());
	seq_printf(m, "active   %8lu\n", vm_pageq_count(PQ_ACTIVE));
	seq_printf(m, "inactive %8lu\n", vm_pageq_count(PQ_INACTIVE));
	seq_printf(m, "cache    %8lu\n", vm_pageq_count(PQ_CACHE));
	seq_printf(m, "hold     %8lu\n", vm_pageq_count(PQ_HOLD));
	seq_printf(m, "wired    %8lu\n", READ_ONCE(vm_pageqs.wired));
	seq_printf(m, "left to system    %8lu\n", vm_page_limits.reserved);
	seq_printf(m, "left to interrupt %8lu\n", vm_page_limits.interrupt);
	vm_swap_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queues);

static int counters_show(struct seq_file *m, void *unused)
{
#define SHOW_COUNTER(NAME, name) \
	seq_printf(m, "%-16s %12llu\n", #name, vm_counted(name));
	VMSIM_EACH_COUNTER(SHOW_COUNTER)
#undef SHOW_COUNTER
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/**
 * vm_debugfs() - make the files
 * @parent: the folder for the folder that they are in; it takes them with it
 *
 * Context: process context, at load, once the VM has started.
 */
void vm_debugfs(struct dentry *parent)
{
	struct dentry *dir = debugfs_create_dir("vmsim", parent);

	debugfs_create_file("objects", 0400, dir, NULL, &objects_fops);
	debugfs_create_file("objects.dot", 0400, dir, NULL, &dot_fops);
	debugfs_create_file("maps", 0400, dir, NULL, &maps_fops);
	debugfs_create_file("pages", 0400, dir, NULL, &pages_fops);
	debugfs_create_file("queues", 0400, dir, NULL, &queues_fops);
	debugfs_create_file("counters", 0400, dir, NULL, &counters_fops);
	contig_debugfs(dir);
}
