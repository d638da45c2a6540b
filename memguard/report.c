// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports.
 *
 * One looks like this. Tests look for these lines, and so may a user's scripts:
 * what comes between quotation marks, numbers and names changes, the rest stays.
 *
 *	==================================================================
 *	BUG: MemGuard: use-after-free write in late+0x1c/0x40 [driver]
 *
 *	use-after-free write at 0xffffc90000201f9c (in item
 *	0xffffc90000201f90-0xffffc90000201ff3, 100 bytes of zone "request",
 *	12 bytes inside it)
 *	 late+0x1c/0x40 [driver]
 *	 kthread+0xd2/0x100
 *
 *	allocated by task 97 (insmod) on cpu 1 at 12.345678s:
 *	 begin+0x30/0x80 [driver]
 *	 ...
 *
 *	freed by task 98 (worker) on cpu 0 at 12.445001s:
 *	 done+0x21/0x30 [driver]
 *	 ...
 *
 *	CPU: 1 PID: 99 Comm: late Kernel: 6.12.0
 *	the page is opened and the access repeated
 *	==================================================================
 *
 * The line that begins like the headline is one line. In both stands what
 * happened: the kind's name, and of an access that does not follow from the kind
 * "read", "write" or "execution" ("overflow read", "wild write"). An access or a
 * corruption is "at" an address, a wrong free "of" one. In parentheses stands the
 * item: "in item" if the address lies in it, else "near item", and how far from
 * it: "N bytes inside it", "N bytes beyond its end" (0 for the first byte that is
 * no more of it), "N bytes before it"; or "near no item". A malloc type's item is
 * "of malloc type" instead of "of zone". Lines that may follow:
 *
 *	freed to zone "other"			(if that is not the item's own)
 *	(any sentence: why a free is wrong)
 *	found  0xffffc90000201ff0: .. .. .. ..  5e[41 42]59 ...
 *	wanted 0xffffc90000201ff0: .. .. .. ..  5e 5f 58 59 ...
 *
 * where the item's own bytes, which are nobody's business, are dots.
 *
 * The function in the headline is where the access happened, or who called us
 * with a wrong free: frames of this module are not shown in front.
 *
 * Addresses are shown as they are, not hashed, as KASAN does: a report is
 * compared with pointers in a debugger, in traces and in other reports, and its
 * numbers are subtracted from each other. Who aims MemGuard is root, the file in
 * debugfs is root's, and whom the log shows it to is the administrator's choice
 * (dmesg_restrict).
 *
 * A report can be due anywhere: in a hard interrupt, under anybody's raw lock,
 * inside another report. Nothing here sleeps or allocates. The text is made in a
 * buffer that one processor has at a time; the word that says which is taken like
 * a raw spinlock, and tells a processor that comes back inside its own report that
 * this is so: then, or if the other never ends, only the headline is printed.
 * Lines go out one after the other while the buffer is held, so that two
 * reports do not mix. Printing may take locks that the code which faulted
 * holds, or of a kind that may not be taken under its own. Like KFENCE, we take
 * the small risk, since a report that waits for a better moment is lost if that
 * never comes, and tell lockdep to look away; that it would be turned off by us
 * helps nobody.
 */

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kcsan-checks.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>

#include "memguard/report.h"
#include "memguard/trace.h"

/* How long a report waits for others', which a slow console may hold up. */
#define WAIT_US		5000000

/* The faulting stack: what is walked, our own frames included; what is shown. */
#define WALK		64
#define SHOWN		24

/* Of memory with wrong bytes: so many in a row, so many rows. */
#define ROW		16
#define ROWS		2

/* Kept free of the body, for the closing lines. */
#define TAIL		512

#define BANNER	"=================================================================="

static const char * const kind_names[MEMGUARD_KINDS] = {
	[MEMGUARD_UAF_READ]	= "use-after-free read",
	[MEMGUARD_UAF_WRITE]	= "use-after-free write",
	[MEMGUARD_OVERFLOW]	= "overflow",
	[MEMGUARD_UNDERFLOW]	= "underflow",
	[MEMGUARD_DOUBLE_FREE]	= "double free",
	[MEMGUARD_INVALID_FREE]	= "invalid free",
	[MEMGUARD_CORRUPTION]	= "corruption",
	[MEMGUARD_WILD]		= "wild",
};

static atomic64_t counts[MEMGUARD_KINDS];

/* The one report that is being made, and then the last; whose, says report_cpu. */
static struct {
	char text[MEMGUARD_REPORT_MAX];
	size_t len;
	size_t limit;
	unsigned long walk[WALK];
	const unsigned long *stack;
	unsigned int depth;
	struct memguard_range range;
} report;

#define NOBODY	(-1)

static atomic_t report_cpu = ATOMIC_INIT(NOBODY);

/* The buffer is ours on true, with interrupts off; nothing happened on false. */
static bool buffer_take(unsigned long *irqflags)
{
	unsigned int us;
	int cpu, old;

	local_irq_save(*irqflags);
	cpu = raw_smp_processor_id();
	for (us = 0; us < WAIT_US; us++) {
		old = NOBODY;
		if (atomic_try_cmpxchg_acquire(&report_cpu, &old, cpu))
			return true;
		if (old == cpu)
			break;
		udelay(1);
	}
	local_irq_restore(*irqflags);
	return false;
}

static void buffer_give(unsigned long irqflags)
{
	atomic_set_release(&report_cpu, NOBODY);
	local_irq_restore(irqflags);
}

/* What does not fit is cut off. */
static __printf(1, 2) void put(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report.len += vscnprintf(report.text + report.len,
				 report.limit - report.len, fmt, args);
	va_end(args);
}

/* The kind, and of an access what the kind does not say. */
static const char *access_name(const struct memguard_incident *in)
{
	if (in->kind == MEMGUARD_UAF_READ && in->fetch)
		return "use-after-free execution";
	return memguard_kind_name(in->kind);
}

static const char *access_way(const struct memguard_incident *in)
{
	switch (in->kind) {
	case MEMGUARD_OVERFLOW:
	case MEMGUARD_UNDERFLOW:
	case MEMGUARD_WILD:
		return in->fetch ? " execution" : in->write ? " write" : " read";
	default:
		return "";
	}
}

static bool is_wrong_free(const struct memguard_incident *in)
{
	return in->kind == MEMGUARD_DOUBLE_FREE ||
	       in->kind == MEMGUARD_INVALID_FREE;
}

/*
 * The stack, from where it happened. Of a fault, that is where it says; the
 * frames in front are the fault's own, and ours. If the unwinder did not get
 * that far there is more than anybody wants, which is better than less; but past
 * an address that is no code it never gets.
 */
static unsigned long walk_stack(const struct memguard_incident *in)
{
	unsigned long ip = in->regs ? instruction_pointer(in->regs) : 0;
	unsigned int n = uma_stack_here(report.walk, WALK), i = 0;

	if (ip)
		while (i < n && report.walk[i] != ip)
			i++;
	else
		while (i < n && within_module(report.walk[i], THIS_MODULE))
			i++;
	if (i == n)
		i = 0;
	report.stack = report.walk + i;
	report.depth = in->fetch ? 0 : min(n - i, SHOWN);
	if (ip)
		return ip;
	return n ? report.stack[0] : _RET_IP_;
}

static void put_stack(const unsigned long *entries, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		put(" %pS\n", (void *)entries[i]);
	if (!n)
		put(" (no stack)\n");
}

static void put_item(const struct memguard_incident *in)
{
	const struct memguard_range *r = &report.range;
	long offset = in->place.offset, size = r->size;

	put(" (%s item 0x%px-0x%px, %zu bytes of %s \"%s\", ",
	    offset >= 0 && offset < size ? "in" : "near", in->place.item,
	    in->place.item + size - 1, r->size,
	    r->type ? "malloc type" : "zone", r->owner);
	if (offset < 0)
		put("%ld bytes before it)\n", -offset);
	else if (offset < size)
		put("%ld bytes inside it)\n", offset);
	else
		put("%ld bytes beyond its end)\n", offset - size);
}

/* Whom it was freed to, if that is not its owner. */
static void put_client(const struct memguard_incident *in)
{
	const struct memguard_range *r = &report.range;
	bool type = in->client->kind == UMA_GUARD_TYPE;

	if (in->place.range && type == r->type &&
	    !strncmp(in->client->name, r->owner, sizeof(r->owner) - 1))
		return;
	put("freed to %s \"%s\"\n", type ? "malloc type" : "zone",
	    in->client->name);
}

static void put_track(const char *what, const struct memguard_track *track)
{
	const unsigned long *entries;
	unsigned int n;
	u64 secs;
	u32 ns;

	secs = div_u64_rem(track->when, NSEC_PER_SEC, &ns);
	put("\n%s by task %d (%.*s) on cpu %d at %llu.%06us:\n", what,
	    track->pid, TASK_COMM_LEN, track->comm, track->cpu, secs,
	    ns / 1000);
	n = uma_stack_fetch(&track->stack, &entries);
	put_stack(entries, n);
}

/* A byte of a range's slack, as it is or as it should be; -1 for any other. */
static int slack_byte(const struct memguard_incident *in, const u8 *addr,
		      bool wanted)
{
	const struct memguard_range *r = in->place.range;
	const u8 *start = memguard_range_start(r);
	const u8 *item = in->place.item;
	u8 byte;

	if (addr < start || addr >= start + r->npages * PAGE_SIZE)
		return -1;
	if (addr >= item && addr < item + report.range.size)
		return -1;
	if (wanted)
		return memguard_slack_byte(addr);
	return copy_from_kernel_nofault(&byte, addr, 1) ? -1 : byte;
}

/* Whether a row of bytes has any of the slack. */
static bool has_slack(const struct memguard_incident *in, const u8 *from)
{
	unsigned int i;

	for (i = 0; i < ROW; i++)
		if (slack_byte(in, from + i, true) >= 0)
			return true;
	return false;
}

static void put_row(const struct memguard_incident *in, const u8 *from,
		    bool wanted)
{
	bool bad, inside = false;
	unsigned int i;
	int byte;

	put("%s 0x%px:", wanted ? "wanted" : "found ", from);
	for (i = 0; i < ROW; i++) {
		byte = slack_byte(in, from + i, wanted);
		bad = !wanted && byte >= 0 &&
		      byte != slack_byte(in, from + i, true);
		put("%c", bad == inside ? ' ' : bad ? '[' : ']');
		inside = bad;
		if (byte < 0)
			put("..");
		else
			put("%02x", byte);
	}
	put("%s\n", inside ? "]" : "");
}

static void put_bytes(const struct memguard_incident *in)
{
	const u8 *from = PTR_ALIGN_DOWN(in->addr, ROW);
	unsigned int i;

	for (i = 0; i < ROWS && has_slack(in, from); i++, from += ROW) {
		put_row(in, from, false);
		put_row(in, from, true);
	}
}

static void put_body(const struct memguard_incident *in, unsigned long ip)
{
	const struct memguard_range *r = &report.range;
	int state = atomic_read(&r->state);

	put("BUG: MemGuard: %s%s in %pS\n\n", access_name(in), access_way(in),
	    (void *)ip);
	put("%s%s %s 0x%px", access_name(in), access_way(in),
	    is_wrong_free(in) ? "of" : "at", in->addr);
	if (in->place.range)
		put_item(in);
	else
		put(" (near no item)\n");
	if (in->client)
		put_client(in);
	if (in->why)
		put("%s\n", in->why);
	if (in->kind == MEMGUARD_CORRUPTION && in->place.range)
		put_bytes(in);
	put_stack(report.stack, report.depth);
	if (in->place.range && r->alloced.when)
		put_track("allocated", &r->alloced);
	/* Who finds a corruption is the one who frees, shown already. */
	if (in->place.range && r->freed.when &&
	    in->kind != MEMGUARD_CORRUPTION &&
	    (state == MEMGUARD_FREEING || state == MEMGUARD_FREED))
		put_track("freed", &r->freed);
}

static void put_tail(const struct memguard_incident *in)
{
	if (report.text[report.len - 1] != '\n')
		put("\n(the rest did not fit)\n");
	put("\nCPU: %d PID: %d Comm: %.*s Kernel: %.*s\n",
	    raw_smp_processor_id(), task_pid_nr(current), TASK_COMM_LEN,
	    current->comm, __NEW_UTS_LEN, init_utsname()->release);
	if (in->next)
		put("%s\n", in->next);
	put(BANNER "\n");
}

static void print_text(void)
{
	const char *line, *end;

	for (line = report.text; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		pr_err("%.*s\n", (int)(end - line), line);
		if (!*end)
			break;
	}
}

/* With the buffer. */
static unsigned long make_text(const struct memguard_incident *in)
{
	struct memguard_range *r = &report.range;
	unsigned long ip;

	memset(r, 0, sizeof(*r));
	if (in->place.range) {
		/*
		 * It may be used again this moment. What is said of it is read
		 * once, so that at least it does not change between the lines.
		 */
		data_race(memcpy(r, in->place.range, sizeof(*r)));
	}
	r->owner[sizeof(r->owner) - 1] = '\0';
	ip = walk_stack(in);
	report.len = 0;
	report.limit = sizeof(report.text) - TAIL;
	put(BANNER "\n");
	put_body(in, ip);
	report.limit = sizeof(report.text);
	put_tail(in);
	return ip;
}

/**
 * memguard_report() - say that something went wrong
 * @in: what; it and all that it points to stay as they are for the time of the call
 *
 * Counts it, prints the report, keeps its text, and lets tracers know.
 *
 * Context: any, NMI excepted; under any lock, one's own excepted if it is the
 * console's.
 */
void memguard_report(const struct memguard_incident *in)
{
	char owner[MEMGUARD_NAME] = "";
	unsigned long irqflags, ip;
	size_t size = 0;

	atomic64_inc(&counts[in->kind]);
	if (!buffer_take(&irqflags)) {
		ip = in->regs ? instruction_pointer(in->regs) : _RET_IP_;
		lockdep_off();
		pr_err("BUG: MemGuard: %s%s in %pS\n", access_name(in),
		       access_way(in), (void *)ip);
		pr_err("%s%s %s 0x%px (inside another report)\n",
		       access_name(in), access_way(in),
		       is_wrong_free(in) ? "of" : "at", in->addr);
		lockdep_on();
		return;
	}
	lockdep_off();
	ip = make_text(in);
	print_text();
	lockdep_on();
	if (in->place.range) {
		strscpy(owner, report.range.owner, sizeof(owner));
		size = report.range.size;
	}
	buffer_give(irqflags);
	trace_memguard_report(memguard_kind_name(in->kind), ip, in->addr,
			      in->place.range ? in->place.item : NULL, size,
			      in->place.range ? in->place.offset : 0, owner);
}

/**
 * memguard_report_count() - how often there was something of a kind to report
 * @kind: which
 *
 * Context: any.
 * Return: the number of reports since the module was loaded.
 */
u64 memguard_report_count(enum memguard_kind kind)
{
	return kind < MEMGUARD_KINDS ? atomic64_read(&counts[kind]) : 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_report_count);

/**
 * memguard_kind_name() - what reports call a kind
 * @kind: which
 *
 * Context: any.
 * Return: a constant string.
 */
const char *memguard_kind_name(enum memguard_kind kind)
{
	return kind < MEMGUARD_KINDS ? kind_names[kind] : "unknown";
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_kind_name);

/**
 * memguard_last_report() - the last report's text
 * @buf: where it goes, with a closing zero
 * @size: bytes of @buf, at least one; MEMGUARD_REPORT_MAX are enough for any
 *
 * Context: any, NMI excepted. Waits while a report is being printed.
 * Return: its length; 0 if there was none.
 */
size_t memguard_last_report(char *buf, size_t size)
{
	unsigned long irqflags;
	size_t len;

	buf[0] = '\0';
	if (!buffer_take(&irqflags))
		return 0;
	len = min(report.len, size - 1);
	memcpy(buf, report.text, len);
	buf[len] = '\0';
	buffer_give(irqflags);
	return len;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_last_report);

static int last_report_show(struct seq_file *m, void *unused)
{
	char *text = kmalloc(MEMGUARD_REPORT_MAX, GFP_KERNEL);

	if (!text)
		return -ENOMEM;
	if (memguard_last_report(text, MEMGUARD_REPORT_MAX))
		seq_puts(m, text);
	kfree(text);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(last_report);

/**
 * memguard_report_debugfs() - show the last report
 * @dir: where to make its file, `last_report`, which goes with the folder
 */
void memguard_report_debugfs(struct dentry *dir)
{
	debugfs_create_file("last_report", 0400, dir, NULL, &last_report_fops);
}
