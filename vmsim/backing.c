// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real storage under swap and file pagers.
 *
 * The kernel's own file I/O is the way to it, on the pages of the pool themselves, so
 * that any file system and any block device will do. A file that somebody hands
 * us is opened again: the flags of his (append, direct) are his to change at any
 * time, and would change where our bytes land. What cannot be read and written at any
 * offset, that is anything but a regular file or a block device, is refused.
 *
 * A write is over when the storage has it. Until then only the kernel's page cache
 * would: if that failed to pass it on later, nobody would tell us, and the page that
 * could be written again would have been given away.
 *
 * fail_vm_io, an attribute of the kernel's fault injection, makes I/O fail on
 * demand; the file in its folder named writes_only spares what is read.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/cred.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/fault-inject.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uio.h>

#include "uma/compat.h"
#include "vmsim/backing.h"
#include "vmsim/page.h"
#include "vmsim/steer.h"

/* Failures on demand. */

#if IS_ENABLED(CONFIG_FAULT_INJECTION)
static DECLARE_FAULT_ATTR(fail_vm_io);
static bool fail_writes_only;

static bool fail_io(const struct vm_buf *bp)
{
	if (READ_ONCE(fail_writes_only) && !(bp->io.flags & VM_IO_WRITE))
		return false;
	return should_fail(&fail_vm_io, bp->bytes);
}

/**
 * vm_fail_io_startup() - make the attribute quiet
 */
void vm_fail_io_startup(void)
{
	fail_vm_io.verbose = 0;
}

/**
 * vm_fail_io_debugfs() - show the attribute
 * @parent: the folder in which to make its; it goes when that is removed
 *
 * Context: process context, at load.
 */
void vm_fail_io_debugfs(struct dentry *parent)
{
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
	struct dentry *dir;

	dir = fault_create_debugfs_attr("fail_vm_io", parent, &fail_vm_io);
	debugfs_create_bool("writes_only", 0600, dir, &fail_writes_only);
#endif
}
#else
static bool fail_io(const struct vm_buf *bp)
{
	return false;
}

void vm_fail_io_startup(void) {}
void vm_fail_io_debugfs(struct dentry *parent) {}
#endif

/* Opening. */

/* Whether a file will do; 0 or an errno. */
static int check(const struct file *file, bool write)
{
	umode_t mode = file_inode(file)->i_mode;

	if (!S_ISREG(mode) && !S_ISBLK(mode))
		return -EINVAL;
	if (!(file->f_mode & FMODE_READ) ||
	    (write && !(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (!file->f_op->read_iter || (write && !file->f_op->write_iter))
		return -EINVAL;
	return 0;
}

/**
 * vm_backing_open() - open storage for reading and writing, by its path
 * @b: what to fill in
 * @path: a regular file or a block device; a device is ours alone
 *
 * It is for what we write ourselves: to read behind its end, should somebody make it
 * shorter, is an error.
 *
 * Context: process context, may sleep; with the caller's rights.
 * Return: 0 or an errno.
 */
int vm_backing_open(struct vm_backing *b, const char *path)
{
	struct path found;
	struct file *file;
	umode_t mode;
	int error;

	/* Looked at first: to open a terminal or a pipe is to do something to it. */
	error = kern_path(path, LOOKUP_FOLLOW, &found);
	if (error)
		return error;
	mode = d_backing_inode(found.dentry)->i_mode;
	path_put(&found);
	if (!S_ISREG(mode) && !S_ISBLK(mode))
		return -EINVAL;
	file = filp_open(path, O_RDWR | O_LARGEFILE |
			 (S_ISBLK(mode) ? O_EXCL : 0), 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	error = check(file, true);
	if (error) {
		fput(file);
		return error;
	}
	b->file = file;
	b->wfile = file;
	b->whole = true;
	return 0;
}

/**
 * vm_backing_reopen() - open storage that somebody has open
 * @b: what to fill in
 * @file: his file, which stays his; open for reading, and for writing if @write
 * @write: it will be written to
 *
 * Context: process context, may sleep.
 * Return: 0, -EBADF if it is not open for that, -EINVAL if it is neither a regular
 * file nor a block device, or another errno.
 */
int vm_backing_reopen(struct vm_backing *b, struct file *file, bool write)
{
	int error = check(file, write);
	struct file *own;

	if (error)
		return error;
	own = dentry_open(&file->f_path, O_LARGEFILE |
			  (write ? O_RDWR : O_RDONLY), current_cred());
	if (IS_ERR(own))
		return PTR_ERR(own);
	error = check(own, write);
	if (error) {
		fput(own);
		return error;
	}
	b->file = own;
	b->wfile = write ? own : NULL;
	b->whole = false;
	return 0;
}

/**
 * vm_backing_close() - the opposite
 * @b: the storage; no I/O is under way
 */
void vm_backing_close(struct vm_backing *b)
{
	if (b->wfile && b->wfile != b->file)
		fput(b->wfile);
	if (b->file)
		fput(b->file);
	b->file = NULL;
	b->wfile = NULL;
}

/**
 * vm_backing_inode() - what tells storage from other storage
 * @b: the storage
 *
 * Return: the inode that has the contents: of all nodes for a device the same.
 */
struct inode *vm_backing_inode(const struct vm_backing *b)
{
	return b->file->f_mapping->host;
}

/**
 * vm_backing_size() - bytes of it, now
 * @b: the storage
 *
 * Return: the number.
 */
u64 vm_backing_size(const struct vm_backing *b)
{
	return i_size_read(vm_backing_inode(b));
}

/**
 * vm_backing_name() - what to call it in messages
 * @b: the storage
 * @name: where to write that
 * @size: room there
 */
void vm_backing_name(const struct vm_backing *b, char *name, size_t size)
{
	if (S_ISBLK(file_inode(b->file)->i_mode))
		snprintf(name, size, "%pg", I_BDEV(vm_backing_inode(b)));
	else
		snprintf(name, size, "%pD4", b->file);
}

/**
 * vm_backing_identify() - what does a path lead to?
 * @path: the path
 * @id: where to write it; good for vm_backing_is()
 *
 * Context: process context, may sleep.
 * Return: 0 or an errno.
 */
int vm_backing_identify(const char *path, struct vm_backing_id *id)
{
	struct inode *inode;
	struct path found;
	int error;

	error = kern_path(path, LOOKUP_FOLLOW, &found);
	if (error)
		return error;
	inode = d_backing_inode(found.dentry);
	*id = (struct vm_backing_id) {};
	if (S_ISBLK(inode->i_mode))
		id->rdev = inode->i_rdev;
	else
		id->inode = inode;
	path_put(&found);
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_backing_identify);

/**
 * vm_backing_is() - is it that?
 * @b: the storage; none, if it has no file
 * @id: what it may be
 *
 * Return: whether.
 */
bool vm_backing_is(const struct vm_backing *b, const struct vm_backing_id *id)
{
	const struct inode *inode;

	if (!b->file)
		return false;
	inode = file_inode(b->file);
	return S_ISBLK(inode->i_mode) ? !id->inode && inode->i_rdev == id->rdev :
					inode == id->inode;
}

/* I/O. */

/* Move all of a buffer. 0 or an errno. */
static int transfer(const struct vm_backing *b, struct vm_buf *bp)
{
	bool write = bp->io.flags & VM_IO_WRITE;
	struct file *file = write ? READ_ONCE(b->wfile) : b->file;
	unsigned int i, todo = bp->bytes, done = 0;
	struct bio_vec bv[VM_PAGER_MAX];
	struct iov_iter iter;
	ssize_t n;
	loff_t pos;

	/* Blocks of a file system's own are not to be found in its files. */
	if (bp->lblkno < 0 || bp->lblkno > MAX_LFS_FILESIZE >> PAGE_SHIFT)
		return -EINVAL;
	if (!file)
		return -EBADF;
	pos = (loff_t)bp->lblkno << PAGE_SHIFT;
	for (i = 0; i < bp->io.count; i++) {
		bv[i].bv_page = pfn_to_page(bp->io.m[i]->phys_pfn);
		bv[i].bv_offset = 0;
		bv[i].bv_len = PAGE_SIZE;
	}
	while (done < todo) {
		iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, bv,
			      bp->io.count, todo);
		iov_iter_advance(&iter, done);
		n = write ? uma_file_write(file, &iter, &pos, RWF_DSYNC) :
			    vfs_iter_read(file, &iter, &pos, 0);
		if (n < 0)
			return n;
		if (!n)
			break;
		done += n;
	}
	if (done < todo && (write || b->whole))
		return -EIO;
	if (write)
		return 0;
	/* Behind the end of what there is, and of what was wanted, lies nothing. */
	for (i = done >> PAGE_SHIFT; i < bp->io.count; i++) {
		unsigned int from = i == done >> PAGE_SHIFT ?
				    offset_in_page(done) : 0;

		memset(vm_page_kva(bp->io.m[i]) + from, 0, PAGE_SIZE - from);
	}
	return 0;
}

static void do_io(struct work_struct *work)
{
	struct vm_buf *bp = to_vm_buf(container_of(work, struct vm_io, work));
	unsigned int noio;

	vm_steer(VM_STEER_IO, &bp->io);
	if (!bp->io.error && fail_io(bp))
		bp->io.error = -EIO;
	if (!bp->io.error) {
		/*
		 * A request for contiguous memory from below here must not wait for
		 * pages, and least of all for these.
		 */
		noio = memalloc_noio_save();
		bp->io.error = transfer(bp->bo->private, bp);
		memalloc_noio_restore(noio);
	}
	vm_buf_done(bp);
}

static void backing_strategy(struct bufobj *bo, struct vm_buf *bp)
{
	vm_io_queue(&bp->io, do_io);
}

const struct vm_buf_ops vm_backing_buf_ops = {
	.name = "file",
	.write = bufobj_write,
	.strategy = backing_strategy,
};
