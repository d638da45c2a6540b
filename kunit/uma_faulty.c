// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with bugs, to see MemGuard find them.
 *
 * It keeps requests, which come from a zone, from a second zone on the same slabs,
 * or from a malloc type of its own, and does nothing with them. But when it is
 * told to, it makes a mistake with one, once:
 *
 *	modprobe uma memguard_desc='request*' memguard_continue=1
 *	insmod uma_faulty.ko
 *	cat /sys/kernel/debug/uma_faulty
 *	echo write-after-free > /sys/kernel/debug/uma_faulty
 *	dmesg
 *
 * A second word says where the request comes from (zone, second, type), a third
 * one from where the mistake is made (task, irqoff, softirq, hardirq); without
 * them it is the first of each. The mistake is made by a thread of its own, or in
 * an interrupt that it waits for, so that an oops takes nobody else; who wrote the
 * file is told by an error (EFAULT) that the thread did not come back. In an
 * interrupt an oops is the end of the machine.
 *
 * Nothing but MemGuard stands between these mistakes and the memory of others: with
 * requests that are not guarded they do what such mistakes do.
 */

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "uma/uma.h"

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

/* ---- the driver ---------------------------------------------------------- */

/**
 * struct request - what this driver is about
 * @id: a number
 * @flags: nothing in particular
 * @name: what somebody asked for
 */
struct request {
	u64 id;
	u64 flags;
	char name[96];
};

static MALLOC_DEFINE(M_REQUEST, "request-buf", "requests of a faulty driver");

/* Where requests come from: a zone or a malloc type. */
static struct source {
	const char *name;
	uma_zone_t zone;
} sources[] = {
	{ "zone" },
	{ "second" },
	{ "type" },
};

/* What is going on; one at a time. */
static struct {
	const struct bug *bug;
	const struct source *from;
	const struct context *in;
	struct request *req;	/* out, to be freed if the thread is lost */
	u64 seen;
	bool survived;
} now;

static noinline struct request *request_begin(void)
{
	static u64 id;
	struct request *req;

	if (now.from->zone)
		req = uma_zalloc(now.from->zone, M_NOWAIT);
	else
		req = bsd_malloc(sizeof(*req), M_REQUEST, M_NOWAIT);
	if (!req)
		return NULL;
	memset(req, 0, sizeof(*req));
	req->id = ++id;
	now.req = req;
	return req;
}

static noinline void request_free(void *req)
{
	if (now.from->zone)
		uma_zfree(now.from->zone, req);
	else
		bsd_free(req, M_REQUEST);
}

static noinline void request_done(struct request *req)
{
	now.req = NULL;
	request_free(req);
}

/* ---- its bugs ------------------------------------------------------------ */

static noinline void no_bug(struct request *req)
{
	request_done(req);
}

static noinline void read_after_free(struct request *req)
{
	request_done(req);
	now.seen = READ_ONCE(req->id);
}

static noinline void write_after_free(struct request *req)
{
	request_done(req);
	WRITE_ONCE(req->flags, 1);
}

/* One byte too many: the string's end. */
static noinline void overflow(struct request *req)
{
	WRITE_ONCE(req->name[sizeof(req->name)], '\0');
	request_done(req);
}

static noinline void overflow_page(struct request *req)
{
	WRITE_ONCE(req->name[sizeof(req->name) + PAGE_SIZE - 1], 'x');
	request_done(req);
}

/* An index below zero, so far that it leaves the request's page. */
static noinline void underflow(struct request *req)
{
	u8 *bytes = (u8 *)req;

	WRITE_ONCE(bytes[-(long)offset_in_page(req) - 1], 'x');
	request_done(req);
}

/* One that does not leave the page: nothing faults, the free finds it. */
static noinline void slack(struct request *req)
{
	u8 *bytes = (u8 *)req;

	WRITE_ONCE(bytes[-1], 'x');
	request_done(req);
}

static noinline void double_free(struct request *req)
{
	request_done(req);
	request_done(req);
}

static noinline void free_inside(struct request *req)
{
	request_free(req->name);
	request_done(req);
}

/* Memory that was never a request. */
static noinline void free_foreign(struct request *req)
{
	void *other = kmalloc(sizeof(*req), GFP_ATOMIC);

	if (other)
		request_free(other);
	kfree(other);
	request_done(req);
}

/* A request that came from somewhere else. */
static noinline void free_other(struct request *req)
{
	const struct source *from = now.from;

	now.from = from == sources ? from + 1 : sources;
	request_free(req);
	now.from = from;
	request_done(req);
}

/* A pointer that somebody else's mistake has spoiled. */
static noinline void wild(struct request *req)
{
	u8 *bytes = (u8 *)req;

	WRITE_ONCE(bytes[1 << 20], 'x');
	request_done(req);
}

static const struct bug {
	const char *name;
	void (*make)(struct request *req);
} bugs[] = {
	{ "none", no_bug },
	{ "read-after-free", read_after_free },
	{ "write-after-free", write_after_free },
	{ "overflow", overflow },
	{ "overflow-page", overflow_page },
	{ "underflow", underflow },
	{ "slack", slack },
	{ "double-free", double_free },
	{ "free-inside", free_inside },
	{ "free-foreign", free_foreign },
	{ "free-other", free_other },
	{ "wild", wild },
};

static noinline void make_bug(void)
{
	struct request *req = request_begin();

	if (req)
		now.bug->make(req);
	else
		pr_err("there is no memory for a request\n");
	now.survived = req;
}

/* ---- where they are made ------------------------------------------------- */

static void run_in_task(void)
{
	make_bug();
}

static void run_irqs_off(void)
{
	unsigned long flags;

	local_irq_save(flags);
	make_bug();
	local_irq_restore(flags);
}

static struct hrtimer timer;
static DECLARE_COMPLETION(timer_done);

static enum hrtimer_restart timer_fn(struct hrtimer *unused)
{
	make_bug();
	complete(&timer_done);
	return HRTIMER_NORESTART;
}

static void run_in_timer(enum hrtimer_mode mode)
{
	reinit_completion(&timer_done);
	hrtimer_init(&timer, CLOCK_MONOTONIC, mode);
	timer.function = timer_fn;
	hrtimer_start(&timer, ns_to_ktime(NSEC_PER_MSEC), mode);
	wait_for_completion(&timer_done);
	hrtimer_cancel(&timer);
}

static void run_in_softirq(void)
{
	run_in_timer(HRTIMER_MODE_REL_SOFT);
}

static void run_in_hardirq(void)
{
	run_in_timer(HRTIMER_MODE_REL_HARD);
}

static const struct context {
	const char *name;
	void (*run)(void);
} contexts[] = {
	{ "task", run_in_task },
	{ "irqoff", run_irqs_off },
	{ "softirq", run_in_softirq },
	{ "hardirq", run_in_hardirq },
};

static DECLARE_COMPLETION(thread_runs);

static int thread_fn(void *unused)
{
	complete(&thread_runs);
	now.in->run();
	return 0;
}

/* ---- the file ------------------------------------------------------------ */

/* Where in a table, of @n entries that begin with their name, a word stands. */
static const void *find(const char *word, const void *table, size_t n,
			size_t size)
{
	for (; n; n--, table += size)
		if (!strcmp(word, *(const char * const *)table))
			return table;
	return NULL;
}

static int parse(char *text)
{
	const char *bug = strsep(&text, " ");
	const char *from = strsep(&text, " ") ?: "zone";
	const char *in = strsep(&text, " ") ?: "task";

	now.bug = find(bug, bugs, ARRAY_SIZE(bugs), sizeof(bugs[0]));
	now.from = find(from, sources, ARRAY_SIZE(sources),
			sizeof(sources[0]));
	now.in = find(in, contexts, ARRAY_SIZE(contexts), sizeof(contexts[0]));
	return now.bug && now.from && now.in && !text ? 0 : -EINVAL;
}

/* Returns when the thread has ended, in whatever way. */
static int run(void)
{
	struct task_struct *thread;

	reinit_completion(&thread_runs);
	now.req = NULL;
	now.survived = false;
	thread = kthread_create(thread_fn, NULL, "faulty");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	get_task_struct(thread);
	wake_up_process(thread);
	/* One that was told to stop before it ran would never run. */
	wait_for_completion(&thread_runs);
	kthread_stop(thread);
	put_task_struct(thread);
	if (now.survived)
		return 0;
	/* What it left. */
	if (now.req)
		request_done(now.req);
	return -EFAULT;
}

static DEFINE_MUTEX(file_lock);

static ssize_t file_write(struct file *file, const char __user *user,
			  size_t count, loff_t *pos)
{
	char text[64];
	int error;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, user, count))
		return -EFAULT;
	text[count] = '\0';
	mutex_lock(&file_lock);
	error = parse(strim(text));
	if (!error)
		error = run();
	mutex_unlock(&file_lock);
	return error ?: count;
}

static ssize_t file_read(struct file *file, char __user *user, size_t count,
			 loff_t *pos)
{
	char text[512];
	int n = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		n += scnprintf(text + n, sizeof(text) - n, "%s%s",
			       i ? " " : "bugs: ", bugs[i].name);
	for (i = 0; i < ARRAY_SIZE(sources); i++)
		n += scnprintf(text + n, sizeof(text) - n, "%s%s",
			       i ? " " : "\nfrom: ", sources[i].name);
	for (i = 0; i < ARRAY_SIZE(contexts); i++)
		n += scnprintf(text + n, sizeof(text) - n, "%s%s",
			       i ? " " : "\nin: ", contexts[i].name);
	n += scnprintf(text + n, sizeof(text) - n, "\n");
	return simple_read_from_buffer(user, count, pos, text, n);
}

static const struct file_operations file_ops = {
	.owner = THIS_MODULE,
	.read = file_read,
	.write = file_write,
};

static struct dentry *file_entry;

static int __init uma_faulty_init(void)
{
	uma_zone_t zone, second;

	zone = uma_zcreate("request", sizeof(struct request), NULL, NULL, NULL,
			   NULL, UMA_ALIGN_PTR, 0);
	if (!zone)
		return -ENOMEM;
	second = uma_zsecond_create("request-second", NULL, NULL, NULL, NULL,
				    zone);
	if (!second) {
		uma_zdestroy(zone);
		return -ENOMEM;
	}
	sources[0].zone = zone;
	sources[1].zone = second;
	file_entry = debugfs_create_file("uma_faulty", 0600, NULL, NULL,
					 &file_ops);
	return 0;
}

static void __exit uma_faulty_exit(void)
{
	debugfs_remove(file_entry);
	if (uma_zdestroy(sources[1].zone) || uma_zdestroy(sources[0].zone))
		pr_err("requests were left in a zone\n");
}

module_init(uma_faulty_init);
module_exit(uma_faulty_exit);
MODULE_DESCRIPTION("A driver that makes mistakes with its memory when it is told to");
MODULE_LICENSE("GPL");
