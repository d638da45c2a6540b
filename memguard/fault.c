// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own faults on the arena.
 *
 * A module has no hook in the kernel's page fault path, and a die notifier comes
 * too late: it is not told the address, and the printing of the oops may have
 * changed the register that held it. What can be had is a probe on the function
 * that ends in the oops, page_fault_oops(regs, error_code, address), at its entry.
 * All three arguments are still in their registers there. By then the kernel has
 * looked for better answers: an access that has an entry in the exception table
 * (copying to and from user space, the nofault functions) is forgiven and never
 * comes this far, and so is not reported.
 *
 * The probe's handler has three answers:
 *
 *   - not ours: the kernel goes on to its oops, as if we were not there;
 *   - resolved: an empty function of ours is run in the place of the kernel's,
 *     returns to where that was called from, and the access is made once more;
 *   - reported, and then one of the two above. The oops takes the task, unless
 *     memguard_continue is set: then the page is opened first.
 *
 * Resolved in silence are accesses that the page table allows by now (MG-06): a
 * processor may have remembered an older, stricter entry, or the range was handed
 * to its next owner between the fault and our look. The processor has dropped
 * what it remembered of that address when it faulted, so the next try sees the
 * new entry. The kernel itself finds most of these.
 *
 * The probe stands on ftrace, by which the handler runs in the fault's own
 * context, with interrupts off. One on a breakpoint would run as if in an NMI,
 * and could be turned into a jump that ignores its answer, so that is refused. A
 * fault in the handler, or in anything that it calls, finds a probe running: it
 * is counted as missed and goes straight to its oops, which leaves that processor
 * without probes. So nothing here may touch an item but by functions that
 * forgive. NMIs are left alone: they may have interrupted the arena with its lock
 * held.
 *
 * Who turns all probes off (kprobes/enabled in debugfs, kernel.ftrace_enabled)
 * turns this one off.
 *
 * Without kprobes, on an architecture that is not known here, or if the probe is
 * refused, MemGuard works on without reports of accesses: the oops that the
 * access ends in has its address and its stack, at least.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": memguard: " fmt

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/hardirq.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "memguard/arena.h"
#include "memguard/fault.h"
#include "memguard/report.h"

bool memguard_continue;
module_param(memguard_continue, bool, 0644);
MODULE_PARM_DESC(memguard_continue,
		 "after a report let the access succeed and go on, instead of an oops (no)");

static bool intercepted;
static atomic64_t resolved;

#if defined(CONFIG_X86_64) && defined(CONFIG_KPROBES_ON_FTRACE)

#include <asm/trap_pf.h>

/* An access that the kernel found no answer to. */
struct access {
	const void *addr;
	struct pt_regs *regs;
	bool write;
	bool fetch;
	bool entry;	/* it is about what a page table's entry allows */
};

/* All that is known of the architecture: where the probe is, what it finds. */
#define PROBED	"page_fault_oops"

static void read_access(struct access *a, struct pt_regs *probed)
{
	unsigned long error = regs_get_kernel_argument(probed, 1);

	a->regs = (struct pt_regs *)regs_get_kernel_argument(probed, 0);
	a->addr = (const void *)regs_get_kernel_argument(probed, 2);
	a->write = error & X86_PF_WRITE;
	a->fetch = error & X86_PF_INSTR;
	a->entry = !(error & (X86_PF_RSVD | X86_PF_PK));
}

/* Run in the place of the kernel's function; comes and goes as that would. */
static noinline notrace void resume_access(void)
{
	barrier();
}

static enum memguard_kind classify(const struct access *a,
				   const struct memguard_place *place)
{
	int state;

	if (!place->range)
		return MEMGUARD_WILD;
	if (!place->in_pages)
		return place->offset < 0 ? MEMGUARD_UNDERFLOW :
					   MEMGUARD_OVERFLOW;
	state = atomic_read(&place->range->state);
	if (state == MEMGUARD_FREEING || state == MEMGUARD_FREED)
		return a->write ? MEMGUARD_UAF_WRITE : MEMGUARD_UAF_READ;
	return MEMGUARD_WILD;
}

/* True if the access is to be made once more. */
static bool handle_access(const struct access *a)
{
	struct memguard_incident in = {
		.addr = a->addr,
		.regs = a->regs,
		.write = a->write,
		.fetch = a->fetch,
	};
	bool again;

	if (!a->fetch && memguard_arena_allows(a->addr, a->write)) {
		atomic64_inc(&resolved);
		return true;
	}
	if (!memguard_arena_locate(a->addr, &in.place))
		in.place.range = NULL;
	/* The end of a task whose wrong free was reported already. */
	if (in.place.range && READ_ONCE(in.place.range->oops) == current)
		return false;
	in.kind = classify(a, &in.place);
	/*
	 * Opened before it is reported: printing takes its time, and who comes
	 * to the same page meanwhile has nothing new to tell.
	 */
	again = READ_ONCE(memguard_continue) && !a->fetch;
	if (again) {
		memguard_arena_open(a->addr);
		in.next = "the page is opened and the access repeated";
	} else {
		in.next = "the kernel's oops follows";
	}
	memguard_report(&in);
	return again;
}

static int notrace probe_handler(struct kprobe *kp, struct pt_regs *probed)
{
	struct access a;

	if (in_nmi())
		return 0;
	read_access(&a, probed);
	if (!uma_guard_covers(a.addr) || user_mode(a.regs) || !a.entry)
		return 0;
	if (!handle_access(&a))
		return 0;
	instruction_pointer_set(probed, (unsigned long)resume_access);
	return 1;
}

NOKPROBE_SYMBOL(probe_handler);

static struct kprobe probe = {
	.symbol_name = PROBED,
	.pre_handler = probe_handler,
};

static int register_probe(void)
{
	int error;

	/* The kernel wrote into it when it was registered before. */
	probe.addr = NULL;
	probe.flags = 0;
	error = register_kprobe(&probe);
	if (error)
		return error;
	if (!kprobe_ftrace(&probe)) {
		unregister_kprobe(&probe);
		return -EOPNOTSUPP;
	}
	return 0;
}

static void unregister_probe(void)
{
	unregister_kprobe(&probe);
	if (probe.nmissed)
		pr_info("%lu faults were not looked at: they came inside a probe\n",
			probe.nmissed);
}

#else /* no probes, or an architecture that we do not know */

static int register_probe(void)
{
	return -EOPNOTSUPP;
}

static void unregister_probe(void)
{
}

#endif

/**
 * memguard_fault_startup() - see the kernel's faults from now on
 *
 * Context: process context; may sleep.
 * Return: 0, or why not, which the log says, too; then an access to what is free
 * ends in the kernel's oops without a report.
 */
int memguard_fault_startup(void)
{
	int error = register_probe();

	if (error) {
		pr_warn("faults cannot be intercepted (error %d): a bad access ends in the kernel's oops, without a report\n",
			error);
		return error;
	}
	WRITE_ONCE(intercepted, true);
	return 0;
}

/**
 * memguard_fault_shutdown() - no more
 *
 * After this no handler runs any more. Does nothing if nothing was started.
 *
 * Context: process context; may sleep.
 */
void memguard_fault_shutdown(void)
{
	if (!intercepted)
		return;
	WRITE_ONCE(intercepted, false);
	unregister_probe();
}

/**
 * memguard_fault_intercepted() - whether faults are seen
 *
 * Context: any.
 * Return: true between a startup that succeeded and the shutdown.
 */
bool memguard_fault_intercepted(void)
{
	return READ_ONCE(intercepted);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_fault_intercepted);

/**
 * memguard_fault_resolved() - faults that were none
 *
 * Context: any.
 * Return: how many accesses were found to be allowed and made once more.
 */
u64 memguard_fault_resolved(void)
{
	return atomic64_read(&resolved);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_fault_resolved);
