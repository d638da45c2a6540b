/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file of debugfs as user space sees it: opened by its path, read and written
 * through memory of a user's. The kernel's own kernel_read() refuses such files.
 */
#ifndef _UMA_USER_FILE_H
#define _UMA_USER_FILE_H

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

/**
 * user_memory() - map memory of a user's for a case
 * @test: the case; its thread has an address space from now on
 * @len: bytes
 *
 * Return: the memory. It goes with the case.
 */
static inline char __user *user_memory(struct kunit *test, size_t len)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, len,
					   PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE_MSG(test, addr, 0, "no user memory");
	KUNIT_ASSERT_LT_MSG(test, addr, (unsigned long)TASK_SIZE,
			    "no user memory");
	return (char __user *)addr;
}

/**
 * user_read() - read a file from the beginning to its end
 * @test: the case
 * @file: the file, open
 * @ubuf: memory of user_memory()
 * @buf: where to copy what was read
 * @len: room in both
 * @step: bytes to ask for at a time
 *
 * Return: bytes read, or an errno.
 */
static inline ssize_t user_read(struct kunit *test, struct file *file,
				char __user *ubuf, void *buf, size_t len,
				size_t step)
{
	size_t done = 0;
	loff_t pos = 0;
	ssize_t n;

	while (done < len) {
		n = file->f_op->read(file, ubuf + done, min(step, len - done),
				     &pos);
		if (n < 0)
			return n;
		if (!n)
			break;
		done += n;
	}
	KUNIT_ASSERT_EQ(test, copy_from_user(buf, ubuf, done), 0);
	return done;
}

/**
 * user_write() - write a string to a file
 * @test: the case
 * @path: the file
 * @ubuf: memory of user_memory()
 * @text: what to write
 *
 * Return: bytes written, or an errno.
 */
static inline ssize_t user_write(struct kunit *test, const char *path,
				 char __user *ubuf, const char *text)
{
	struct file *file = filp_open(path, O_WRONLY, 0);
	size_t len = strlen(text);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	KUNIT_ASSERT_EQ(test, copy_to_user(ubuf, text, len), 0);
	n = file->f_op->write(file, ubuf, len, &pos);
	filp_close(file, NULL);
	return n;
}

#endif /* _UMA_USER_FILE_H */
