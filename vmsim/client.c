// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients: address spaces of those who are not trusted to know when to stop.
 *
 * All spaces draw on one pool, and so that one of them cannot take all of it, each has
 * two limits.
 *
 * Entries. A mapping takes one, and so does each cut: changing the protection of
 * every second page of one mapping makes as many entries as it has pages. So what
 * maps or cuts is asked for here first, and may add two. An unmapping that only takes
 * away is always allowed, so that a space at its limit can get smaller. (A map's own
 * max_entries is for kernel submaps, where entries are not joined.)
 *
 * Pages. What belongs to a space is not written down anywhere: a page belongs to an
 * object, and several entries of several spaces may show that. To count means to
 * go through all entries and down each chain, and that is too much for each fault.
 * So it is done now and then. A count that finds n pages less than the limit gives a
 * budget of n, from which each access takes the most that its faults could possibly
 * bring; only when that is used up does the next count have to come. Far from the
 * limit counts are rare; close to it they are frequent, and exact. At the limit the
 * space is paged out, so that it can map more than it can hold. What the map's
 * and the physical map's own structures take is counted, too: somebody who maps one
 * page at a million places a gigabyte apart holds one page and a million tables.
 *
 * A page that several entries show counts for each of them, in whatever space: what
 * a client is taken to hold is never less than what would be free if it were gone.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "uma/pool.h"
#include "vmsim/client.h"
#include "vmsim/collapse.h"
#include "vmsim/map.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pmap.h"
#include "vmsim/vm.h"
#include "vmsim/vmsim_ctl.h"

/* What one fault can bring at the most: a cluster, its tables, a copy. */
#define FAULT_PAGES	(VM_PAGER_MAX + 8)

/* Indices that advice goes through between two looks at signals. */
#define ADVICE_STEP	16384UL

/* What an entry and a translation take of the pool, roughly, in bytes. */
#define ENTRY_BYTES	128
#define MAPPING_BYTES	64

static unsigned long vm_client_pages;
module_param(vm_client_pages, ulong, 0644);
MODULE_PARM_DESC(vm_client_pages,
		 "Most pages of an address space of /dev/vmsim from now on (0: three quarters of the pool)");

static unsigned int vm_client_max_entries;
module_param_named(vm_client_entries, vm_client_max_entries, uint, 0644);
MODULE_PARM_DESC(vm_client_entries,
		 "Most map entries of an address space of /dev/vmsim from now on (0: four for each page of the pool)");

static unsigned int vm_client_spaces = 1024;
module_param(vm_client_spaces, uint, 0644);
MODULE_PARM_DESC(vm_client_spaces, "Most address spaces of /dev/vmsim");

/* Guards the list. Taken outside of all locks of the VM. */
static DEFINE_MUTEX(vm_clients_lock);
static LIST_HEAD(vm_clients);
static unsigned int vm_clients_count;
static u32 vm_clients_last;

static struct vm_map *map_of(struct vm_client *client)
{
	return client->vm->vm_map;
}

static void set_limits(struct vm_client *client)
{
	unsigned long pages = READ_ONCE(vm_client_pages);
	unsigned int entries = READ_ONCE(vm_client_max_entries);
	struct uma_pool_stats st;

	uma_pool_get_stats(uma_pool, &st);
	client->max_pages = pages ?: st.pages / 4 * 3;
	client->max_entries = entries ?: min(4 * st.pages, UINT_MAX / 2);
}

/* Enter a client in the list and give it a number. */
static struct vm_client *client_new(struct vmspace *vm)
{
	struct vm_client *client;
	int error = 0;

	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client) {
		vmspace_free(vm);
		return ERR_PTR(-ENOMEM);
	}
	client->vm = vm;
	vm_client_contig_begin(client);
	set_limits(client);
	mutex_lock(&vm_clients_lock);
	if (vm_clients_count < READ_ONCE(vm_client_spaces)) {
		client->id = ++vm_clients_last;
		vm_clients_count++;
		list_add_tail(&client->link, &vm_clients);
	} else {
		error = -EMFILE;
	}
	mutex_unlock(&vm_clients_lock);
	if (!error)
		return client;
	vm_client_contig_end(client);
	vmspace_free(vm);
	kfree(client);
	return ERR_PTR(error);
}

/**
 * vm_client_create() - an empty space
 *
 * Context: process, may sleep.
 * Return: the client, or an ERR_PTR(): -ENOMEM, -EMFILE if there are too many.
 */
struct vm_client *vm_client_create(void)
{
	struct vmspace *vm = vmspace_alloc(VM_CLIENT_MIN, PMAP_END);

	return vm ? client_new(vm) : ERR_PTR(-ENOMEM);
}

/**
 * vm_client_fork() - a space that is a child of another
 * @parent: the other
 *
 * Context: process, may sleep.
 * Return: the child, or an ERR_PTR().
 */
struct vm_client *vm_client_fork(struct vm_client *parent)
{
	struct vmspace *vm;
	int error;

	/* What is wired or shared is copied at once. */
	error = vm_client_charge(parent, 0);
	if (error)
		return ERR_PTR(error);
	vm = vmspace_fork(parent->vm);
	return IS_ERR(vm) ? ERR_CAST(vm) : client_new(vm);
}

/**
 * vm_client_destroy() - end a space
 * @client: the client, which nobody uses any more
 *
 * Context: process, may sleep.
 */
void vm_client_destroy(struct vm_client *client)
{
	mutex_lock(&vm_clients_lock);
	list_del(&client->link);
	vm_clients_count--;
	mutex_unlock(&vm_clients_lock);
	vm_client_contig_end(client);
	vmspace_free(client->vm);
	kfree(client);
}

/**
 * vm_client_count() - how many there are
 *
 * Return: that.
 */
unsigned int vm_client_count(void)
{
	return READ_ONCE(vm_clients_count);
}

/**
 * vm_client_for_each() - do something with each client, the oldest first
 * @fn: what; none of them goes meanwhile
 * @arg: for it
 *
 * Context: process, may sleep.
 */
void vm_client_for_each(void (*fn)(struct vm_client *client, void *arg),
			void *arg)
{
	struct vm_client *client;

	mutex_lock(&vm_clients_lock);
	list_for_each_entry(client, &vm_clients, link)
		fn(client, arg);
	mutex_unlock(&vm_clients_lock);
}

/* ---- limits ------------------------------------------------------------- */

/* Resident pages that an entry can be taken to hold, in its chain. */
static unsigned long entry_held(const struct vm_map_entry *entry)
{
	u64 size = vm_atop(entry->node.end - entry->node.start);
	struct vm_object *object = entry->object;
	unsigned long held = 0;

	if (!object || entry->eflags & MAP_ENTRY_IS_SUB_MAP)
		return 0;
	for (vm_object_lock(object);; object = vm_object_step_down(object)) {
		held += min_t(u64, object->resident, size);
		if (!object->backing_object)
			break;
	}
	vm_object_unlock(object);
	return held;
}

/**
 * vm_client_held() - pages that a client is taken to hold
 * @client: the client
 *
 * Context: process, may sleep.
 * Return: their number; a page that several of its entries show counts for each, and
 * contiguous memory counts as well, and so does what is about to be wired.
 */
unsigned long vm_client_held(struct vm_client *client)
{
	struct vm_map *map = map_of(client);
	struct vm_map_entry *entry = NULL;
	struct pmap_statistics st;
	unsigned long held = 0;

	pmap_stats(client->vm->vm_pmap, &st);
	vm_map_lock_read(map);
	while ((entry = vm_map_next(map, entry))) {
		held += entry_held(entry);
		cond_resched();
	}
	held += map->tree.count * ENTRY_BYTES / PAGE_SIZE;
	vm_map_unlock_read(map);
	return held + st.tables + st.resident * MAPPING_BYTES / PAGE_SIZE +
	       atomic_long_read(&client->reserved);
}

/**
 * vm_client_charge() - ask whether a client may have more pages
 * @client: the client
 * @npages: pages that it is about to touch
 *
 * If not, its own are paged out, as far as there is anywhere to go.
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM.
 */
int vm_client_charge(struct vm_client *client, unsigned long npages)
{
	unsigned long held;
	long most;

	if (npages > client->max_pages)
		return -ENOMEM;
	most = npages * FAULT_PAGES;
	if (most && atomic_long_sub_return(most, &client->budget) >= 0)
		return 0;
	held = vm_client_held(client);
	/* What can be elsewhere goes there before anything is refused. */
	if (held + npages > client->max_pages &&
	    !vm_client_pageout(client, vm_map_min(map_of(client)),
			       vm_map_max(map_of(client))))
		held = vm_client_held(client);
	held += npages;
	atomic_long_set(&client->budget,
			held < client->max_pages ? client->max_pages - held : 0);
	return held <= client->max_pages ? 0 : -ENOMEM;
}

/**
 * vm_client_reserve() - count pages before they are had
 * @client: the client
 * @npages: pages that are to be its own, and that its mappings do not show, or that
 *	cannot be paged out again
 *
 * Else several that come at once would all find that there is room.
 *
 * Context: process, may sleep.
 * Return: 0; they count until vm_client_unreserve(). Or -ENOMEM.
 */
int vm_client_reserve(struct vm_client *client, unsigned long npages)
{
	int error;

	if (npages > client->max_pages)
		return -ENOMEM;
	atomic_long_add(npages, &client->reserved);
	error = vm_client_charge(client, 0);
	if (error)
		vm_client_unreserve(client, npages);
	return error;
}

/**
 * vm_client_unreserve() - undo vm_client_reserve()
 * @client: the client
 * @npages: the same
 */
void vm_client_unreserve(struct vm_client *client, unsigned long npages)
{
	atomic_long_sub(npages, &client->reserved);
}

/**
 * vm_client_wire() - wire a range of a client's memory
 * @client: the client
 * @start: the first address
 * @end: the address behind the last
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM, -ENOSPC, or what vm_map_wire() says.
 */
int vm_client_wire(struct vm_client *client, unsigned long start,
		   unsigned long end)
{
	unsigned long npages = vm_atop(end - start);
	int error;

	error = vm_client_may_cut(client);
	if (error)
		return error;
	error = vm_client_reserve(client, npages);
	if (error)
		return error;
	error = vm_map_wire(map_of(client), start, end, VM_MAP_WIRE_USER);
	vm_client_unreserve(client, npages);
	return error;
}

/**
 * vm_client_may_cut() - ask whether an operation may cut a client's entries
 * @client: the client
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOSPC.
 */
int vm_client_may_cut(struct vm_client *client)
{
	return READ_ONCE(map_of(client)->tree.count) + 2 <=
	       client->max_entries ? 0 : -ENOSPC;
}

/* ---- operations --------------------------------------------------------- */

/**
 * vm_client_unmap() - remove what is in a range
 * @client: the client
 * @start: the first address
 * @end: the address behind the last
 *
 * Context: process, may sleep.
 * Return: 0, -EINVAL, -EINTR; -ENOSPC if it would leave two ends of an entry in a map
 * that has all that it may have.
 */
int vm_client_unmap(struct vm_client *client, unsigned long start,
		    unsigned long end)
{
	struct vm_map *map = map_of(client);
	struct vm_map_entry *entry;
	int error;

	vm_map_lock(map);
	if (map->tree.count >= client->max_entries &&
	    vm_map_lookup_entry(map, start, &entry) &&
	    entry->node.start < start && entry->node.end > end)
		error = -ENOSPC;
	else
		error = vm_map_delete(map, start, end);
	vm_map_unlock(map);
	return error;
}

/**
 * vm_client_advise() - advise on the use of a range
 * @client: the client
 * @start: the first address
 * @end: the address behind the last
 * @advice: VMSIM_ADVISE_*
 *
 * Context: process, may sleep.
 * Return: 0, -EINVAL, -ENOSPC, -EIO; -EINTR if a signal came, and a part is done.
 */
int vm_client_advise(struct vm_client *client, unsigned long start,
		     unsigned long end, unsigned int advice)
{
	struct vm_map *map = map_of(client);
	unsigned long step;
	int error;

	if (start >= end || start < vm_map_min(map) || end > vm_map_max(map))
		return -EINVAL;
	if (advice == VMSIM_ADVISE_PAGEOUT)
		return vm_client_pageout(client, start, end);
	if (advice > VMSIM_ADVISE_FREE)
		return -EINVAL;
	if (advice <= VMSIM_ADVISE_SEQUENTIAL) {
		error = vm_client_may_cut(client);
		return error ?: vm_map_madvise(map, start, end, advice);
	}
	/* These look at each index, and a space can have billions. */
	for (; start < end; start += step) {
		if (signal_pending(current))
			return -EINTR;
		step = min(end - start, ADVICE_STEP * PAGE_SIZE);
		error = vm_map_madvise(map, start, start + step, advice);
		if (error)
			return error;
		cond_resched();
	}
	return 0;
}

/*
 * Write the pages of an object and of those below it in a range, and free them; but not
 * the object's own if they are @wired. The caller has a reference to the object.
 */
static int object_pageout(struct vm_object *object, u64 pindex, u64 count,
			  bool wired)
{
	struct vm_page *m;
	unsigned long i;
	int error = 0;
	u64 end;

	vm_object_lock(object);
	for (;;) {
		end = min(pindex + count, object->size);
		if (pindex >= end)
			break;
		if (!wired) {
			error = vm_object_page_clean(object, pindex, end,
						     OBJPC_SYNC);
			/* It may have been unlocked, and somebody ends it. */
			if (error || object->flags & OBJ_DEAD)
				break;
			xa_for_each_range(&object->pages, i, m, pindex, end - 1)
				vm_page_try_to_free(m);
		}
		wired = false;
		if (!object->backing_object)
			break;
		pindex += vm_atop(object->backing_offset);
		object = vm_object_step_down(object);
	}
	vm_object_unlock(object);
	return error;
}

/**
 * vm_client_pageout() - write what is in a range to its pagers, and let it go
 * @client: the client
 * @start: the first address
 * @end: the address behind the last
 *
 * What is wired, busy or held stays, and so does what has no pager; what a wired page
 * is a copy of goes.
 *
 * Context: process, may sleep.
 * Return: 0; -EIO if something could not be written; -EINTR if a signal came.
 */
int vm_client_pageout(struct vm_client *client, unsigned long start,
		      unsigned long end)
{
	struct vm_map *map = map_of(client);
	struct vm_map_entry *entry;
	struct vm_object *object;
	int error = 0, result;
	bool wired = false;
	unsigned long to;
	u64 first;

	while (start < end) {
		if (signal_pending(current))
			return -EINTR;
		object = NULL;
		vm_map_lock_nocut(map);
		if (!vm_map_lookup_entry(map, start, &entry))
			entry = vm_map_next(map, entry);
		if (!entry || entry->node.start >= end) {
			vm_map_unlock(map);
			break;
		}
		start = max(start, entry->node.start);
		to = min(end, entry->node.end);
		first = vm_atop(entry->offset + (start - entry->node.start));
		if (!(entry->eflags & MAP_ENTRY_IS_SUB_MAP) && entry->object) {
			object = entry->object;
			wired = entry->wired_count;
			vm_object_reference(object);
		}
		vm_map_unlock(map);
		if (object) {
			result = object_pageout(object, first,
						vm_atop(to - start), wired);
			vm_object_deallocate(object);
			error = error ?: result;
		}
		start = to;
	}
	return error;
}

/* ---- looking at it ------------------------------------------------------ */

/* Numbers that user space and the VM use for the same thing. */
#define SAME(user, vm)	static_assert((int)(user) == (int)(vm))
SAME(VMSIM_PROT_READ, VM_PROT_READ);
SAME(VMSIM_PROT_WRITE, VM_PROT_WRITE);
SAME(VMSIM_PROT_EXEC, VM_PROT_EXECUTE);
SAME(VMSIM_INHERIT_SHARE, VM_INHERIT_SHARE);
SAME(VMSIM_INHERIT_COPY, VM_INHERIT_COPY);
SAME(VMSIM_INHERIT_NONE, VM_INHERIT_NONE);
SAME(VMSIM_ADVISE_NORMAL, VM_ADV_NORMAL);
SAME(VMSIM_ADVISE_RANDOM, VM_ADV_RANDOM);
SAME(VMSIM_ADVISE_SEQUENTIAL, VM_ADV_SEQUENTIAL);
SAME(VMSIM_ADVISE_WILLNEED, VM_ADV_WILLNEED);
SAME(VMSIM_ADVISE_DONTNEED, VM_ADV_DONTNEED);
SAME(VMSIM_ADVISE_FREE, VM_ADV_FREE);
SAME(VMSIM_OBJECT_DEFAULT, OBJT_DEFAULT);
SAME(VMSIM_OBJECT_SWAP, OBJT_SWAP);
SAME(VMSIM_OBJECT_FILE, OBJT_VNODE);
SAME(VMSIM_OBJECT_DEVICE, OBJT_DEVICE);
SAME(VMSIM_OBJECT_PHYS, OBJT_PHYS);
SAME(VMSIM_OBJECT_DEAD, OBJT_DEAD);
#undef SAME

/**
 * vm_entry_describe() - an entry, for user space
 * @entry: the entry; its map is locked
 * @ve: where to put it
 */
void vm_entry_describe(const struct vm_map_entry *entry, struct vmsim_entry *ve)
{
	*ve = (struct vmsim_entry) {
		.ve_start = entry->node.start,
		.ve_end = entry->node.end,
		.ve_offset = entry->offset,
		.ve_prot = entry->protection & VM_PROT_ALL,
		.ve_max_prot = entry->max_protection & VM_PROT_ALL,
		.ve_inherit = entry->inheritance,
		.ve_advice = entry->advice,
		.ve_wired = entry->wired_count,
	};
	if (!(entry->eflags & MAP_ENTRY_IS_SUB_MAP) && entry->object)
		ve->ve_object = entry->object->id;
	if (entry->eflags & MAP_ENTRY_COW)
		ve->ve_flags |= VMSIM_ENTRY_COW;
	if (entry->eflags & MAP_ENTRY_NEEDS_COPY)
		ve->ve_flags |= VMSIM_ENTRY_NEEDS_COPY;
	if (entry->eflags & MAP_ENTRY_NOFAULT)
		ve->ve_flags |= VMSIM_ENTRY_GUARD;
	if (entry->eflags & MAP_ENTRY_USER_WIRED)
		ve->ve_flags |= VMSIM_ENTRY_USER_WIRED;
}

/**
 * vm_object_describe() - an object, for user space
 * @object: the object, locked
 * @vo: where to put it
 */
void vm_object_describe(struct vm_object *object, struct vmsim_object *vo)
{
	struct vm_page *m;
	unsigned int i;

	vm_object_assert_locked(object);
	*vo = (struct vmsim_object) {
		.vo_id = object->id,
		.vo_size = object->size,
		.vo_resident = object->resident,
		.vo_swap = object->pager_count,
		.vo_type = object->type,
		.vo_refs = atomic_read(&object->ref_count),
		.vo_shadows = READ_ONCE(object->shadow_count),
		.vo_paging = object->paging_in_progress,
	};
	if (object->backing_object) {
		vo->vo_backing = object->backing_object->id;
		vo->vo_backing_offset = object->backing_offset;
	}
	for (i = 0; i < min_t(u64, object->size, 64); i++) {
		m = vm_page_lookup(object, i);
		if (m) {
			vo->vo_page |= 1ULL << i;
			if (m->dirty || pmap_is_modified(m))
				vo->vo_dirty |= 1ULL << i;
		}
		if (vm_pager_has_page(object, i, NULL, NULL))
			vo->vo_behind |= 1ULL << i;
	}
}

/**
 * vm_client_entries() - all entries of a space, for user space
 * @client: the client
 * @ve: where to put them
 * @room: how many fit
 *
 * Context: process, may sleep.
 * Return: how many there are.
 */
unsigned int vm_client_entries(struct vm_client *client, struct vmsim_entry *ve,
			       unsigned int room)
{
	struct vm_map *map = map_of(client);
	struct vm_map_entry *entry = NULL;
	unsigned int n = 0;

	vm_map_lock_read(map);
	while ((entry = vm_map_next(map, entry))) {
		if (n < room)
			vm_entry_describe(entry, &ve[n]);
		n++;
	}
	vm_map_unlock_read(map);
	return n;
}

/* The objects of one entry, from the top down to one that is known. */
static int chain_objects(struct vm_object *object, struct xarray *known,
			 struct vmsim_object *vo, unsigned int room,
			 unsigned int *count)
{
	int error = 0;

	for (vm_object_lock(object);; object = vm_object_step_down(object)) {
		error = xa_insert(known, object->id, xa_mk_value(1), GFP_KERNEL);
		if (error)
			break;
		if (*count < room)
			vm_object_describe(object, &vo[*count]);
		++*count;
		if (!object->backing_object)
			break;
	}
	vm_object_unlock(object);
	/* All that is below one that is known is known, too. */
	return error == -EBUSY ? 0 : error;
}

/**
 * vm_client_objects() - all objects that a space shows, for user space
 * @client: the client
 * @vo: where to put them, each once
 * @room: how many fit
 * @count: where to put how many there are
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vm_client_objects(struct vm_client *client, struct vmsim_object *vo,
		      unsigned int room, unsigned int *count)
{
	struct vm_map *map = map_of(client);
	struct vm_map_entry *entry = NULL;
	struct xarray known;
	int error = 0;

	*count = 0;
	xa_init(&known);
	vm_map_lock_read(map);
	while (!error && (entry = vm_map_next(map, entry)))
		if (!(entry->eflags & MAP_ENTRY_IS_SUB_MAP) && entry->object)
			error = chain_objects(entry->object, &known, vo, room,
					      count);
	vm_map_unlock_read(map);
	xa_destroy(&known);
	return error;
}

/**
 * vm_client_check() - recount all of a space that can be counted in two ways
 * @client: the client
 *
 * Context: process, may sleep.
 * Return: NULL, or what is wrong.
 */
const char *vm_client_check(struct vm_client *client)
{
	struct vm_map *map = map_of(client);
	const char *wrong;

	vm_map_lock_nocut(map);
	wrong = vm_map_check(map);
	vm_map_unlock(map);
	if (!wrong && !vm_pageq_check())
		wrong = "the page queues are out of order";
	return wrong;
}
