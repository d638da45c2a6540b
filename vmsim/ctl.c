// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/vmsim: the VM for user space. See vmsim_ctl.h for what the calls mean.
 *
 * Nothing that comes from outside is believed. A call's structure is copied in once
 * and looked at there, so that nobody changes it afterwards; reserved fields are zero
 * or the call is refused; ranges are checked before anything is done with their ends.
 * What the VM says is copied out only once no lock of it is held: bytes of a space go
 * through a buffer of ours, a piece at a time, since copying to and from a user's memory
 * may fault, sleep, and come back to this very device by way of a file system.
 *
 * A descriptor that is handed in is a file like any other, or none: it is
 * looked up once, must be what can be paged (a regular file or a block device), and
 * must be open in the mode that the mapping needs, for ever after: what it may be
 * protected to is limited to that. An open /dev/vmsim is a character device, and so
 * refused with all others.
 *
 * One ioctl holds the file, so its space cannot end meanwhile, whatever other threads
 * close. What two threads do in one space at once is ordered by its map.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "uma/compat.h"
#include "uma/pool.h"
#include "vmsim/client.h"
#include "vmsim/collapse.h"
#include "vmsim/ctl.h"
#include "vmsim/fault.h"
#include "vmsim/map.h"
#include "vmsim/mmap.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pagers.h"
#include "vmsim/pmap.h"
#include "vmsim/swap.h"
#include "vmsim/vm.h"
#include "vmsim/vmsim_ctl.h"

/* Bytes that are moved at a time. */
#define CHUNK		(16 * PAGE_SIZE)

/* Pages of the device's memory. */
#define DEVICE_PAGES	16

/* What VMSIM_KIND_DEVICE maps; made at load. */
static struct vm_device *vm_ctl_device;

/**
 * struct vm_call - a call while it is under way
 * @client: whose
 * @file: of a fork: the child, which is not known to anybody yet
 * @fd: its number
 * @arg: the structure
 */
struct vm_call {
	struct vm_client *client;
	struct file *file;
	int fd;
	union {
		struct vmsim_info info;
		struct vmsim_map map;
		struct vmsim_range range;
		struct vmsim_rw rw;
		struct vmsim_fork fork;
		struct vmsim_swap swap;
		struct vmsim_stats stats;
		struct vmsim_list list;
		struct vmsim_contig contig;
		struct vmsim_release release;
	} arg;
};

static const struct file_operations vm_ctl_fops;

static struct vm_map *map_of(const struct vm_call *call)
{
	return call->client->vm->vm_map;
}

/* ---- what comes from outside -------------------------------------------- */

/* Whether a range can be one of a space; its end is stored. */
static bool range_ok(u64 addr, u64 length, unsigned long *end)
{
	u64 to;

	if (!length || (addr | length) & ~PAGE_MASK ||
	    check_add_overflow(addr, length, &to) || addr < VM_CLIENT_MIN ||
	    to > PMAP_END)
		return false;
	*end = to;
	return true;
}

/* Check a range and what is to be done with it, both as far as they can be here. */
static int check_range(const struct vm_call *call, u32 what_max, u32 flags,
		       unsigned long *start, unsigned long *end)
{
	const struct vmsim_range *vr = &call->arg.range;

	if (vr->vr_reserved || vr->vr_flags & ~flags || vr->vr_what > what_max ||
	    !range_ok(vr->vr_addr, vr->vr_length, end))
		return -EINVAL;
	*start = vr->vr_addr;
	return 0;
}

/**
 * get_file_for() - the file of a descriptor, if it can be mapped so
 * @fd: the descriptor
 * @write: it will be written to
 * @size: where to put its size in bytes
 *
 * Return: the file, to be put; -EBADF, -EACCES if it is not open in that mode, -EINVAL
 * if it is no file or block device that can be paged.
 */
static struct file *get_file_for(int fd, bool write, u64 *size)
{
	struct file *file = fget(fd);
	struct inode *inode;
	int error = 0;

	if (!file)
		return ERR_PTR(-EBADF);
	inode = file_inode(file);
	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode))
		error = -EINVAL;
	else if (!(file->f_mode & FMODE_READ) ||
		 (write && !(file->f_mode & FMODE_WRITE)))
		error = -EACCES;
	/* What has no pages (proc, debugfs), or may only be written to at its end. */
	else if (!file->f_op->read_iter || !file->f_mapping->a_ops ||
		 IS_DAX(inode))
		error = -EINVAL;
	else if (write && (!file->f_op->write_iter || IS_APPEND(inode)))
		error = -EINVAL;
	if (error) {
		fput(file);
		return ERR_PTR(error);
	}
	/* Of a block device, its contents' size, not its special file's. */
	*size = i_size_read(file->f_mapping->host);
	return file;
}

/* ---- mapping ------------------------------------------------------------ */

/* What does not depend on the state of anything. */
static bool map_args_ok(const struct vmsim_map *vm)
{
	bool shown = vm->vm_kind == VMSIM_KIND_FILE ||
		     vm->vm_kind == VMSIM_KIND_DEVICE;
	unsigned long end;

	if (vm->vm_reserved || vm->vm_kind > VMSIM_KIND_GUARD ||
	    vm->vm_prot & ~vm->vm_max_prot ||
	    vm->vm_max_prot & ~VMSIM_PROT_ALL ||
	    vm->vm_flags & ~(VMSIM_MAP_FIXED | VMSIM_MAP_PRIVATE))
		return false;
	if (vm->vm_kind == VMSIM_KIND_FILE ?
	    vm->vm_fd < 0 : vm->vm_fd != -1 || vm->vm_flags & VMSIM_MAP_PRIVATE)
		return false;
	if (vm->vm_offset & ~PAGE_MASK || (!shown && vm->vm_offset))
		return false;
	if (vm->vm_flags & VMSIM_MAP_FIXED)
		return range_ok(vm->vm_addr, vm->vm_length, &end);
	/* A hint is to begin a page, no more. */
	return vm->vm_length && vm->vm_length <= PMAP_END - VM_CLIENT_MIN &&
	       vm->vm_addr < PMAP_END &&
	       !((vm->vm_addr | vm->vm_length) & ~PAGE_MASK);
}

/* Whether the mapping lies within something, whose last page counts whole. */
static bool within(const struct vmsim_map *vm, u64 size)
{
	/* No sum here that could wrap. */
	return vm->vm_offset < size &&
	       vm->vm_length <= vm_round_page(size - vm->vm_offset);
}

static int map_file(struct vm_call *call, struct vm_mmap *req)
{
	const struct vmsim_map *vm = &call->arg.map;
	bool write = vm->vm_max_prot & VMSIM_PROT_WRITE &&
		     !(vm->vm_flags & VMSIM_MAP_PRIVATE);
	struct file *file = get_file_for(vm->vm_fd, write, &req->handle_size);
	int error = -EINVAL;

	if (IS_ERR(file))
		return PTR_ERR(file);
	req->type = OBJT_VNODE;
	req->handle = file;
	if (within(vm, req->handle_size))
		error = vm_map_mmap(map_of(call), req);
	/* The object has a reference of its own. */
	fput(file);
	return error;
}

static int map_device(struct vm_call *call, struct vm_mmap *req)
{
	req->type = OBJT_DEVICE;
	req->handle = vm_ctl_device;
	req->handle_size = DEVICE_PAGES * PAGE_SIZE;
	if (!within(&call->arg.map, req->handle_size))
		return -EINVAL;
	return vm_map_mmap(map_of(call), req);
}

static int call_map(struct vm_call *call)
{
	struct vmsim_map *vm = &call->arg.map;
	struct vm_mmap req = {
		.addr = max_t(u64, vm->vm_addr, VM_CLIENT_MIN),
		.size = vm->vm_length,
		.prot = vm->vm_prot,
		.max = vm->vm_max_prot,
		.offset = vm->vm_offset,
		.type = OBJT_DEFAULT,
	};
	int error;

	if (!map_args_ok(vm))
		return -EINVAL;
	error = vm_client_may_cut(call->client);
	if (error)
		return error;
	if (vm->vm_flags & VMSIM_MAP_FIXED)
		req.flags |= VM_MMAP_FIXED;
	if (vm->vm_kind != VMSIM_KIND_ANON && !(vm->vm_flags & VMSIM_MAP_PRIVATE))
		req.flags |= VM_MMAP_SHARED;
	switch (vm->vm_kind) {
	case VMSIM_KIND_ANON:
		error = vm_map_mmap(map_of(call), &req);
		break;
	case VMSIM_KIND_FILE:
		error = map_file(call, &req);
		break;
	case VMSIM_KIND_DEVICE:
		error = map_device(call, &req);
		break;
	case VMSIM_KIND_PHYS:
		req.type = OBJT_PHYS;
		req.handle_size = req.size;
		error = vm_map_mmap(map_of(call), &req);
		break;
	case VMSIM_KIND_GUARD:
		error = vm_map_place(map_of(call), &req, NULL, req.size,
				     MAP_NOFAULT, &req.addr);
		break;
	}
	vm->vm_addr = error ? vm->vm_addr : req.addr;
	return error;
}

static int call_unmap(struct vm_call *call)
{
	unsigned long start, end;
	int error = check_range(call, 0, 0, &start, &end);

	return error ?: vm_client_unmap(call->client, start, end);
}

static int call_protect(struct vm_call *call)
{
	unsigned long start, end;
	int error;

	error = check_range(call, VMSIM_PROT_ALL, VMSIM_PROTECT_MAX, &start,
			    &end) ?: vm_client_may_cut(call->client);
	return error ?: vm_map_protect(map_of(call), start, end,
				       call->arg.range.vr_what,
				       call->arg.range.vr_flags &
				       VMSIM_PROTECT_MAX);
}

static int call_inherit(struct vm_call *call)
{
	unsigned long start, end;
	int error;

	error = check_range(call, VMSIM_INHERIT_NONE, 0, &start, &end) ?:
		vm_client_may_cut(call->client);
	return error ?: vm_map_inherit(map_of(call), start, end,
				       call->arg.range.vr_what);
}

static int call_advise(struct vm_call *call)
{
	unsigned long start, end;
	int error;

	error = check_range(call, VMSIM_ADVISE_PAGEOUT, 0, &start, &end);
	return error ?: vm_client_advise(call->client, start, end,
					 call->arg.range.vr_what);
}

static int call_sync(struct vm_call *call)
{
	u32 flags = call->arg.range.vr_flags;
	unsigned long start, end;
	int error;

	error = check_range(call, 0, VMSIM_SYNC_ASYNC | VMSIM_SYNC_INVALIDATE,
			    &start, &end);
	return error ?: vm_map_sync(map_of(call), start, end,
				    !(flags & VMSIM_SYNC_ASYNC),
				    flags & VMSIM_SYNC_INVALIDATE);
}

static int call_wire(struct vm_call *call)
{
	unsigned long start, end;
	int error;

	error = check_range(call, 0, 0, &start, &end);
	return error ?: vm_client_wire(call->client, start, end);
}

static int call_unwire(struct vm_call *call)
{
	unsigned long start, end;
	int error;

	error = check_range(call, 0, 0, &start, &end) ?:
		vm_client_may_cut(call->client);
	return error ?: vm_map_unwire(map_of(call), start, end,
				      VM_MAP_WIRE_USER);
}

/* ---- memory ------------------------------------------------------------- */

/* Move one piece; @done is how much of it was. */
static int move(struct vm_call *call, unsigned long addr, char __user *ubuf,
		void *buf, size_t len, bool write, size_t *done)
{
	struct vm_map *map = map_of(call);
	size_t left;
	int error;

	*done = 0;
	error = vm_client_charge(call->client,
				 vm_atop(vm_round_page(offset_in_page(addr) +
						       len)));
	if (error)
		return error;
	if (write) {
		/* What could be copied is written, as with any write. */
		left = copy_from_user(buf, ubuf, len);
		error = vm_access(map, addr, buf, len - left, VM_PROT_WRITE,
				  done);
		return error ?: (left ? -EFAULT : 0);
	}
	error = vm_access(map, addr, buf, len, VM_PROT_READ, done);
	left = copy_to_user(ubuf, buf, *done);
	*done -= left;
	return left ? -EFAULT : error;
}

static int move_all(struct vm_call *call, bool write)
{
	struct vmsim_rw *rw = &call->arg.rw;
	char __user *ubuf = u64_to_user_ptr(rw->rw_buffer);
	size_t len, done;
	int error = 0;
	void *buf;
	u64 end;

	rw->rw_done = 0;
	if (rw->rw_reserved || !rw->rw_length ||
	    check_add_overflow(rw->rw_addr, rw->rw_length, &end) ||
	    end > PMAP_END || rw->rw_buffer != (unsigned long)rw->rw_buffer)
		return -EINVAL;
	buf = kvmalloc(min_t(u64, rw->rw_length, CHUNK), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	while (!error && rw->rw_done < rw->rw_length) {
		if (signal_pending(current)) {
			/* Once more after a freeze: that changes nothing. */
			error = -ERESTARTNOHAND;
			break;
		}
		/* Pieces end where pages do. */
		len = min_t(u64, rw->rw_length - rw->rw_done,
			    CHUNK - offset_in_page(rw->rw_addr + rw->rw_done));
		error = move(call, rw->rw_addr + rw->rw_done,
			     ubuf + rw->rw_done, buf, len, write, &done);
		rw->rw_done += done;
		cond_resched();
	}
	kvfree(buf);
	return error;
}

static int call_read(struct vm_call *call)
{
	return move_all(call, false);
}

static int call_write(struct vm_call *call)
{
	return move_all(call, true);
}

/* ---- contiguous memory -------------------------------------------------- */

static int call_contig(struct vm_call *call)
{
	struct vmsim_contig *vc = &call->arg.contig;
	u32 flags = vc->vc_flags;

	if (vc->vc_reserved || flags & ~(VMSIM_CONTIG_MAPPED | VMSIM_CONTIG_OLD |
					 VMSIM_CONTIG_NOWAIT) ||
	    (flags & VMSIM_CONTIG_MAPPED && flags & VMSIM_CONTIG_OLD))
		return -EINVAL;
	vc->vc_id = 0;
	vc->vc_phys = 0;
	return vm_client_contig(call->client, vc);
}

static int call_release(struct vm_call *call)
{
	const struct vmsim_release *vr = &call->arg.release;

	if (vr->vr_reserved)
		return -EINVAL;
	return vm_client_release(call->client, vr->vr_id);
}

/* ---- spaces, swap ------------------------------------------------------- */

static int call_fork(struct vm_call *call)
{
	struct vm_client *child;
	struct file *file;
	int fd;

	if (call->arg.fork.vf_reserved)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	child = vm_client_fork(call->client);
	if (IS_ERR(child)) {
		put_unused_fd(fd);
		return PTR_ERR(child);
	}
	file = anon_inode_getfile("[vmsim]", &vm_ctl_fops, child, O_RDWR);
	if (IS_ERR(file)) {
		vm_client_destroy(child);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	/* Nobody can know the descriptor before the caller has been told. */
	call->file = file;
	call->fd = fd;
	call->arg.fork.vf_fd = fd;
	call->arg.fork.vf_id = child->id;
	return 0;
}

static int swap_call(struct vm_call *call, int (*fn)(const char *path))
{
	const struct vmsim_swap *vs = &call->arg.swap;
	char *path;
	int error;

	/* It concerns everybody, whoever has got the descriptor. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (vs->vs_reserved || vs->vs_path != (unsigned long)vs->vs_path)
		return -EINVAL;
	path = strndup_user(u64_to_user_ptr(vs->vs_path), PATH_MAX);
	if (IS_ERR(path))
		return PTR_ERR(path);
	error = fn(path);
	kfree(path);
	return error;
}

static int call_swapon(struct vm_call *call)
{
	return swap_call(call, vm_swapon);
}

static int call_swapoff(struct vm_call *call)
{
	return swap_call(call, vm_swapoff);
}

/* ---- looking at it ------------------------------------------------------ */

static int call_info(struct vm_call *call)
{
	call->arg.info = (struct vmsim_info) {
		.vi_version = VMSIM_CTL_VERSION,
		.vi_page_size = PAGE_SIZE,
		.vi_min = VM_CLIENT_MIN,
		.vi_max = PMAP_END,
		.vi_max_pages = call->client->max_pages,
		.vi_max_entries = call->client->max_entries,
		.vi_device_size = DEVICE_PAGES * PAGE_SIZE,
		.vi_id = call->client->id,
	};
	return 0;
}

static_assert((int)VMSIM_COUNTER_COUNT <= VMSIM_COUNTERS);

static void read_counters(u64 *to)
{
#define READ_COUNTER(NAME, name)	to[VMSIM_##NAME] = vm_counted(name);
	VMSIM_EACH_COUNTER(READ_COUNTER)
#undef READ_COUNTER
}

static int call_stats(struct vm_call *call)
{
	struct vm_map *map = map_of(call);
	struct vmsim_stats *vst = &call->arg.stats;
	struct pmap_statistics pst;
	struct uma_pool_stats pool;
	struct vm_swap_stats swap;

	memset(vst, 0, sizeof(*vst));
	vm_map_lock_read(map);
	vst->vst_entries = map->tree.count;
	vst->vst_size = map->size;
	vm_map_unlock_read(map);
	pmap_stats(call->client->vm->vm_pmap, &pst);
	vst->vst_resident = pst.resident;
	vst->vst_wired = pst.wired;
	vst->vst_tables = pst.tables;
	vst->vst_held = vm_client_held(call->client);
	uma_pool_get_stats(uma_pool, &pool);
	vst->vst_pool = pool.pages;
	vst->vst_free = pool.free;
	vst->vst_active = vm_pageq_count(PQ_ACTIVE);
	vst->vst_inactive = vm_pageq_count(PQ_INACTIVE);
	vst->vst_cache = vm_pageq_count(PQ_CACHE);
	vst->vst_wired_pages = READ_ONCE(vm_pageqs.wired);
	vst->vst_objects = vm_object_count();
	vst->vst_spaces = vm_client_count();
	vm_swap_get_stats(&swap);
	vst->vst_swap_total = swap.blocks;
	vst->vst_swap_used = swap.used;
	read_counters(vst->vst_counter);
	return 0;
}

/* An array for a list, which is then copied out. */
static void *list_begin(const struct vmsim_list *vl, size_t size)
{
	if (vl->vl_reserved || vl->vl_room > VMSIM_LIST_MAX ||
	    vl->vl_buffer != (unsigned long)vl->vl_buffer)
		return ERR_PTR(-EINVAL);
	return kvcalloc(max(vl->vl_room, 1U), size, GFP_KERNEL_ACCOUNT) ?:
	       ERR_PTR(-ENOMEM);
}

static int list_end(struct vmsim_list *vl, void *array, size_t size,
		    unsigned int count)
{
	size_t bytes = min(count, vl->vl_room) * size;
	int error = 0;

	if (copy_to_user(u64_to_user_ptr(vl->vl_buffer), array, bytes))
		error = -EFAULT;
	kvfree(array);
	vl->vl_count = count;
	return error;
}

static int call_entries(struct vm_call *call)
{
	struct vmsim_list *vl = &call->arg.list;
	struct vmsim_entry *ve = list_begin(vl, sizeof(*ve));
	unsigned int count;

	if (IS_ERR(ve))
		return PTR_ERR(ve);
	count = vm_client_entries(call->client, ve, vl->vl_room);
	return list_end(vl, ve, sizeof(*ve), count);
}

static int call_objects(struct vm_call *call)
{
	struct vmsim_list *vl = &call->arg.list;
	struct vmsim_object *vo = list_begin(vl, sizeof(*vo));
	unsigned int count;
	int error;

	if (IS_ERR(vo))
		return PTR_ERR(vo);
	error = vm_client_objects(call->client, vo, vl->vl_room, &count);
	if (error) {
		kvfree(vo);
		return error;
	}
	return list_end(vl, vo, sizeof(*vo), count);
}

static int call_check(struct vm_call *call)
{
	const char *wrong = vm_client_check(call->client);

	if (!wrong)
		return 0;
	pr_err("space %u: %s\n", call->client->id, wrong);
	return -EUCLEAN;
}

/* ---- the device --------------------------------------------------------- */

static const struct {
	unsigned int cmd;
	int (*fn)(struct vm_call *call);
} vm_calls[] = {
	{ VMSIM_INFO, call_info },
	{ VMSIM_MAP, call_map },
	{ VMSIM_UNMAP, call_unmap },
	{ VMSIM_PROTECT, call_protect },
	{ VMSIM_INHERIT, call_inherit },
	{ VMSIM_ADVISE, call_advise },
	{ VMSIM_SYNC, call_sync },
	{ VMSIM_WIRE, call_wire },
	{ VMSIM_UNWIRE, call_unwire },
	{ VMSIM_READ, call_read },
	{ VMSIM_WRITE, call_write },
	{ VMSIM_FORK, call_fork },
	{ VMSIM_SWAPON, call_swapon },
	{ VMSIM_SWAPOFF, call_swapoff },
	{ VMSIM_STATS, call_stats },
	{ VMSIM_ENTRIES, call_entries },
	{ VMSIM_OBJECTS, call_objects },
	{ VMSIM_CHECK, call_check },
	{ VMSIM_CONTIG, call_contig },
	{ VMSIM_RELEASE, call_release },
};

/* Give back what nobody can be told the number or the place of. */
static void undo_unknown(struct vm_call *call, unsigned int cmd)
{
	const struct vmsim_map *vm = &call->arg.map;

	if (cmd == VMSIM_CONTIG)
		vm_client_release(call->client, call->arg.contig.vc_id);
	else if (cmd == VMSIM_MAP && !(vm->vm_flags & VMSIM_MAP_FIXED))
		vm_client_unmap(call->client, vm->vm_addr,
				vm->vm_addr + vm->vm_length);
}

static long vm_ctl_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vm_call call = { .client = file->private_data, .fd = -1 };
	unsigned int nr = _IOC_NR(cmd), size = _IOC_SIZE(cmd);
	void __user *uarg = (void __user *)arg;
	int error;

	if (nr >= ARRAY_SIZE(vm_calls))
		return -ENOTTY;
	nr = array_index_nospec(nr, ARRAY_SIZE(vm_calls));
	if (vm_calls[nr].cmd != cmd)
		return -ENOTTY;
	if (_IOC_DIR(cmd) & _IOC_WRITE &&
	    copy_from_user(&call.arg, uarg, size))
		return -EFAULT;
	error = vm_calls[nr].fn(&call);
	/* Also of a call that failed: how far it came. */
	if (_IOC_DIR(cmd) & _IOC_READ && copy_to_user(uarg, &call.arg, size)) {
		if (!error)
			undo_unknown(&call, cmd);
		error = -EFAULT;
	}
	if (!call.file)
		return error;
	if (error) {
		put_unused_fd(call.fd);
		fput(call.file);
	} else {
		fd_install(call.fd, call.file);
	}
	return error;
}

static int vm_ctl_open(struct inode *inode, struct file *file)
{
	struct vm_client *client;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	client = vm_client_create();
	if (IS_ERR(client))
		return PTR_ERR(client);
	file->private_data = client;
	return nonseekable_open(inode, file);
}

static int vm_ctl_release(struct inode *inode, struct file *file)
{
	vm_client_destroy(file->private_data);
	return 0;
}

static const struct file_operations vm_ctl_fops = {
	.owner = THIS_MODULE,
	.open = vm_ctl_open,
	.release = vm_ctl_release,
	.unlocked_ioctl = vm_ctl_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice vm_ctl_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmsim",
	.fops = &vm_ctl_fops,
	.mode = 0600,
};

/**
 * vm_ctl_startup() - make the device; the VM is up
 *
 * Context: process, may sleep.
 * Return: 0, or an errno with nothing left behind.
 */
int vm_ctl_startup(void)
{
	int error;

	vm_ctl_device = vm_device_create("vmsim", DEVICE_PAGES);
	if (!vm_ctl_device)
		return -ENOMEM;
	error = misc_register(&vm_ctl_misc);
	if (error)
		vm_device_put(vm_ctl_device);
	return error;
}

/**
 * vm_ctl_shutdown() - take it away; no file is open
 */
void vm_ctl_shutdown(void)
{
	misc_deregister(&vm_ctl_misc);
	vm_device_put(vm_ctl_device);
}
