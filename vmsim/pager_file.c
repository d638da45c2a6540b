// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file pager: objects that show a file.
 *
 * A file has one object, whoever opens it how often: they are told apart by the
 * inode. How long the file is says whoever makes the object, who has just looked
 * (PA-05): to look again would only be to get another answer. The object ends with the
 * page that has the last byte. Behind that byte the page is zeroes and stays ours: it is
 * not written to the file, which does not grow by being mapped.
 *
 * Pages are read from and written to the file's buffer object. What that has
 * for operations, and where the bytes go from there, is none of the pager's business
 * (PA-12).
 *
 * References. The object has one to the file, from first to last. The pages have one
 * together (PA-06): the first that becomes resident takes it, and the last that leaves
 * drops it, which page.c knows without a look at the file for every page that is
 * freed. Each is dropped where nobody may sleep, which fput() allows.
 *
 * The end. When the last user of an object lets go, its dirty pages are written, and
 * it is a file's object for as long as that takes (PA-07): it is still found under its
 * inode, dead, and whoever wants to map the file waits until it has gone. Then the
 * buffer object is emptied, and only then are object and file strangers.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/backing.h"
#include "vmsim/bufobj.h"
#include "vmsim/collapse.h"
#include "vmsim/file.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pagers.h"
#include "vmsim/pmap.h"
#include "vmsim/swap.h"

/**
 * struct vm_file - a file that has an object
 * @link: among all such files; files_lock
 * @inode: what it is known by, constant
 * @object: its object; constant from before it can be found until it cannot any more
 * @backing: the file as we opened it; @wfile is set with the object locked
 * @bo: where its blocks are
 * @size: bytes, from its creator; only grows; the object's lock
 */
struct vm_file {
	struct list_head link;
	struct inode *inode;
	struct vm_object *object;
	struct vm_backing backing;
	struct bufobj bo;
	u64 size;
};

/* Below the objects' locks; from under it those are only tried. */
static DEFINE_SPINLOCK(files_lock);
static LIST_HEAD(files);
static uma_zone_t file_zone;

/* Finding. */

/* Under files_lock. */
static struct vm_file *find_file(const struct inode *inode)
{
	struct vm_file *vf;

	list_for_each_entry(vf, &files, link)
		if (vf->inode == inode)
			return vf;
	return NULL;
}

/*
 * The file's object, if it has one, locked and with a reference more. Else NULL; then
 * @new, if there is one, is in the list instead.
 */
static struct vm_object *find_object(const struct inode *inode,
				     struct vm_file *new)
{
	struct vm_object *object;
	struct vm_file *vf;

	for (;;) {
		spin_lock(&files_lock);
		vf = find_file(inode);
		if (!vf) {
			if (new)
				list_add(&new->link, &files);
			spin_unlock(&files_lock);
			return NULL;
		}
		/* Its end goes through the list, so it is there. */
		object = vf->object;
		if (!vm_object_trylock(object)) {
			spin_unlock(&files_lock);
			schedule_timeout_idle(1);
			continue;
		}
		spin_unlock(&files_lock);
		if (object->flags & OBJ_DEAD) {
			vm_object_wait_dead(object);
			continue;
		}
		vm_object_reference(object);
		return object;
	}
}

/* Make a file and its object, complete but for the list, of @backing. */
static struct vm_file *make_file(struct vm_backing *backing, u64 size)
{
	struct vm_file *vf = vm_zalloc(file_zone, M_ZERO);
	struct vm_object *object;

	if (!vf)
		return NULL;
	object = vm_pager_new_object(OBJT_VNODE, vm_atop(vm_round_page(size)));
	if (!object) {
		uma_zfree(file_zone, vf);
		return NULL;
	}
	INIT_LIST_HEAD(&vf->link);
	vf->inode = vm_backing_inode(backing);
	vf->object = object;
	vf->backing = *backing;
	bufobj_init(&vf->bo, &vm_backing_buf_ops, &vf->backing);
	vf->size = size;
	object->pager = vf;
	object->handle = vf->inode;
	return vf;
}

/* One that was made and is not needed, with what it was made of. */
static void unmake_file(struct vm_file *vf)
{
	vm_object_deallocate(vf->object);
}

/* Nobody writes to a page, which is not busy, in its object, which is locked. */
static bool is_clean(struct vm_page *m)
{
	pmap_remove_all(m);
	return !(m->valid & m->dirty);
}

/*
 * The file has become longer: what its last page shows behind the former end is not
 * what the file has there now, and must not be written to it as if it were. So
 * the page is, up to there, and is read again.
 */
static int grow_file(struct vm_object *object, u64 size)
{
	struct vm_file *vf = object->pager;
	struct vm_page *m;
	u64 last;

	while (size > vf->size) {
		last = vm_atop(vf->size);
		m = offset_in_page(vf->size) ? vm_page_lookup(object, last) : NULL;
		if (m && vm_page_sleep_if_busy(m, object, true))
			continue;
		if (m && !is_clean(m)) {
			if (vm_object_page_clean(object, last, last + 1,
						 OBJPC_SYNC))
				return -EIO;
			continue;
		}
		if (m && m->wire_count)
			vm_page_set_invalid(m, 0, PAGE_SIZE);
		else if (m)
			vm_page_free(m);
		vf->size = size;
		object->size = vm_atop(vm_round_page(size));
	}
	return 0;
}

/*
 * What a second creator brings: more of the file, or the right to write. The object
 * is locked, and not on return. 0, or an errno, with the reference let go of.
 */
static int join_file(struct vm_object *object, struct vm_backing *backing,
		     u64 size)
{
	struct vm_file *vf = object->pager;
	int error = grow_file(object, size);

	if (backing->wfile && !vf->backing.wfile) {
		WRITE_ONCE(vf->backing.wfile, backing->wfile);
		backing->file = NULL;
		backing->wfile = NULL;
	}
	vm_object_unlock(object);
	vm_backing_close(backing);
	if (error)
		vm_object_deallocate(object);
	return error;
}

static struct vm_object *open_file(void *handle, u64 size, u8 prot, u64 offset)
{
	struct vm_backing backing;
	struct vm_object *object;
	struct vm_file *vf;
	struct inode *inode;
	int error;

	if (!handle || offset > size)
		return ERR_PTR(-EINVAL);
	error = vm_backing_reopen(&backing, handle, prot & VM_PROT_WRITE);
	if (error)
		return ERR_PTR(error);
	inode = vm_backing_inode(&backing);
	object = find_object(inode, NULL);
	if (object) {
		error = join_file(object, &backing, size);
		return error ? ERR_PTR(error) : object;
	}
	vf = make_file(&backing, size);
	if (!vf) {
		vm_backing_close(&backing);
		return ERR_PTR(-ENOMEM);
	}
	object = find_object(inode, vf);
	if (!object)
		return vf->object;
	/* Somebody was faster. What is the same file's second opening stays ours. */
	backing = vf->backing;
	vf->backing.file = NULL;
	vf->backing.wfile = NULL;
	error = join_file(object, &backing, size);
	unmake_file(vf);
	return error ? ERR_PTR(error) : object;
}

static struct vm_object *file_alloc(void *handle, u64 size, u8 prot, u64 offset)
{
	struct vm_object *object = open_file(handle, size, prot, offset);
	struct vm_file *vf;

	if (IS_ERR(object))
		return object;
	/*
	 * What is written there is everybody's memory. The file is known to be mapped
	 * before this look, and a device that it is swapped to before its look.
	 */
	vf = object->pager;
	if (!vm_swap_uses(vf->inode))
		return object;
	vm_object_deallocate(object);
	return ERR_PTR(-EBUSY);
}

static void file_dealloc(struct vm_object *object)
{
	struct vm_file *vf = object->pager;

	/* Of the pages nothing is under way; what ends a write is at its end. */
	if (bufobj_flush(&vf->bo, true))
		pr_err("file of object %p: not all could be written\n", object);
	spin_lock(&files_lock);
	list_del_init(&vf->link);
	spin_unlock(&files_lock);
	vm_backing_close(&vf->backing);
	object->pager = NULL;
	object->handle = NULL;
	uma_zfree(file_zone, vf);
}

static void file_first_page(struct vm_object *object)
{
	struct vm_file *vf = object->pager;

	get_file(vf->backing.file);
}

static void file_last_page(struct vm_object *object)
{
	struct vm_file *vf = object->pager;

	fput(vf->backing.file);
}

/* Paging. */

/* Bytes of the file in @count pages from @pindex on, which lies in it. */
static unsigned int bytes_of(const struct vm_file *vf, u64 pindex,
			     unsigned int count)
{
	return min_t(u64, vm_ptoa(count), vf->size - vm_ptoa(pindex));
}

static enum vm_pager_result file_getpages(struct vm_object *object,
					  struct vm_page **m,
					  unsigned int count,
					  unsigned int reqpage)
{
	u64 start = m[0]->pindex;
	struct vm_file *vf = object->pager;
	struct vm_buf *bp;
	int error;

	if (start + reqpage >= object->size) {
		vm_pager_drop_pages(m, 0, count, reqpage);
		return VM_PAGER_BAD;
	}
	if (start + count > object->size) {
		unsigned int in = object->size - start;

		vm_pager_drop_pages(m, in, count, reqpage);
		count = in;
	}
	bp = vm_buf_alloc(&vf->bo, start, 0);
	if (!bp) {
		vm_pager_drop_pages(m, 0, count, reqpage);
		return VM_PAGER_AGAIN;
	}
	vm_buf_set_pages(bp, object, m, count);
	bp->bytes = bytes_of(vf, start, count);
	vm_object_pip_add(object, 1);
	vm_object_unlock(object);
	vm_buf_strategy(bp);
	error = vm_io_wait(&bp->io);
	vm_buf_free(bp);
	vm_object_lock(object);
	vm_object_pip_wakeup(object, 1);
	return vm_pager_read_done(m, 0, count, reqpage, error);
}

static void write_done(struct vm_io *io)
{
	vm_pager_write_done(io, (uintptr_t)io->arg);
	vm_io_mark_done(io);
}

static void file_putpages(struct vm_object *object, struct vm_page **m,
			  unsigned int count, unsigned int flags,
			  enum vm_pager_result *result)
{
	struct vm_file *vf = object->pager;
	u64 start = m[0]->pindex;
	enum vm_pager_result all;
	struct vm_buf *bp;
	unsigned int i;

	/* However large an index is, it is contents: only its end is the end. */
	for (i = count; i && start + i > object->size; i--)
		result[i - 1] = VM_PAGER_BAD;
	count = i;
	if (!count)
		return;
	bp = vm_buf_alloc(&vf->bo, start, VM_IO_WRITE);
	if (!bp) {
		all = VM_PAGER_AGAIN;
		goto out;
	}
	vm_buf_set_pages(bp, object, m, count);
	bp->bytes = bytes_of(vf, start, count);
	if (!(flags & VM_PAGER_PUT_SYNC)) {
		bp->flags |= VM_BUF_ASYNC;
		bp->io.iodone = write_done;
		bp->io.arg = (void *)(uintptr_t)flags;
		vm_buf_write(bp);
		all = VM_PAGER_PEND;
		goto out;
	}
	vm_object_unlock(object);
	all = vm_buf_write(bp) ? VM_PAGER_ERROR : VM_PAGER_OK;
	if (all == VM_PAGER_ERROR)
		pr_err_ratelimited("pages %llu to %llu of object %p are dirty still: error %d\n",
				   start, start + count - 1, object,
				   bp->io.error);
	vm_buf_free(bp);
	vm_object_lock(object);
out:
	for (i = 0; i < count; i++)
		result[i] = all;
}

static bool file_haspage(struct vm_object *object, u64 pindex,
			 unsigned int *before, unsigned int *after)
{
	if (pindex >= object->size)
		return false;
	if (before)
		*before = min_t(u64, pindex, VM_PAGER_MAX - 1);
	if (after)
		*after = min_t(u64, object->size - pindex - 1,
			       VM_PAGER_MAX - 1);
	return true;
}

const struct vm_pager_ops vm_file_pager = {
	.name = "file",
	.alloc = file_alloc,
	.dealloc = file_dealloc,
	.getpages = file_getpages,
	.putpages = file_putpages,
	.haspage = file_haspage,
	.first_page = file_first_page,
	.last_page = file_last_page,
};

/* For who has to do with files. */

/**
 * vm_file_is_mapped() - whether an object shows a file
 * @inode: the file's, as of vm_backing_inode()
 *
 * Context: process context.
 * Return: whether one does, or is about to end.
 */
bool vm_file_is_mapped(const struct inode *inode)
{
	bool mapped;

	spin_lock(&files_lock);
	mapped = find_file(inode);
	spin_unlock(&files_lock);
	return mapped;
}

/**
 * vm_file_bufobj() - the buffer object of a file's object
 * @object: an object of OBJT_VNODE, referenced
 *
 * Return: the buffer object, which is there as long as the object is.
 */
struct bufobj *vm_file_bufobj(struct vm_object *object)
{
	struct vm_file *vf = object->pager;

	return &vf->bo;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_file_bufobj);

/**
 * vm_file_backing() - the file of an object, as we opened it
 * @object: an object of OBJT_VNODE, referenced
 *
 * Return: the file, without a reference more.
 */
struct file *vm_file_backing(struct vm_object *object)
{
	struct vm_file *vf = object->pager;

	return vf->backing.file;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_file_backing);

int vm_file_startup(void)
{
	file_zone = uma_zcreate("VM FILE", sizeof(struct vm_file), NULL, NULL,
				NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	return file_zone ? 0 : -ENOMEM;
}

void vm_file_shutdown(void)
{
	WARN_ON(!list_empty(&files));
	uma_zdestroy(file_zone);
}
