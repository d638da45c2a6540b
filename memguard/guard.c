// SPDX-License-Identifier: GPL-2.0-only
/*
 * MemGuard: catches whoever uses an item after its free, or beyond its bounds, at
 * the instruction that does it.
 *
 * Chosen allocations get pages of their own in an arena (arena.c), with nothing
 * mapped on both sides, and lose the right to be written when they are freed. An
 * access that should not be faults; the fault is intercepted (fault.c), told with
 * all that is known of the item (report.c), and then takes its course or is
 * forgiven. UMA asks us for memory and hands it back through the operations at the
 * end of this file (uma/guard.h).
 *
 * What is guarded is said by rules, a list in the parameter memguard_desc that can
 * be written at any time:
 *
 *	memguard_desc = rule[,rule...]
 *	rule = [zone:|type:]pattern[/N] | zone:0xaddress[/N]
 *
 * A pattern is a name, or has *, ? and [] as in a shell, and is matched with the
 * names of zones and of malloc types, or of one of the two; of several rules that
 * match the first one holds. With /N one allocation in N is guarded, by lot.
 * The rules are a table that is replaced as a whole, under RCU, since malloc types
 * appear in any context. memguard_large guards besides all that is a page or
 * more; memguard_minsize and memguard_maxsize bound what any rule guards.
 *
 * A free of a guarded item, in this order (MG-04):
 *   - find out whether it is the address of an item at all: if not, an invalid
 *     free, reported and refused;
 *   - write to the item's first page. It is free if that faults, and this is a
 *     double free, found before anything else was done to the item;
 *   - claim the item, by one atomic change of its state, so that of two frees at
 *     the same time one goes on; the other is a double free, too;
 *   - look at the slack; then destructors run, and the item's range is protected.
 * A double free is reported, and the task stopped as by any other write to a
 * freed item; or, with memguard_continue, the free is ignored.
 *
 * Items of a zone that promises type-stable memory (UMA_ZONE_NOFREE) are looked at
 * after their free by right. Such a zone is guarded only by a rule that names it, not
 * by a pattern. A zone with reference counters promises that for the counter
 * alone, which is ours and not in the item.
 *
 * Locks: the parameters', and RCU; none of ours.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": memguard: " fmt

#include <linux/atomic.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/glob.h>
#include <linux/kstrtox.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "memguard/arena.h"
#include "memguard/fault.h"
#include "memguard/guard.h"
#include "memguard/report.h"
#include "uma/kva.h"
#include "uma/pool.h"
#include "uma/steer.h"

/* Of memguard_desc. */
#define DESC_MAX	1024

/* What a rule can be matched with. */
#define MATCH_ZONE	BIT(UMA_GUARD_ZONE)
#define MATCH_TYPE	BIT(UMA_GUARD_TYPE)

/* What is counted for a rule. */
enum rule_count {
	RULE_GUARDED,
	RULE_SKIPPED,
	RULE_FAILED,
	RULE_COUNTS
};

/**
 * struct rule - one of memguard_desc
 * @text: as it was given, for statistics
 * @pattern: of names; NULL for @addr
 * @addr: of a zone
 * @kinds: MATCH_*
 * @exact: the pattern is a name
 * @fraction: one allocation in so many is guarded
 * @counts: what it has done, see struct memguard_rule_stats
 */
struct rule {
	const char *text;
	const char *pattern;
	unsigned long addr;
	unsigned int kinds;
	bool exact;
	u32 fraction;
	atomic64_t counts[RULE_COUNTS];
};

/**
 * struct rules - a table of them
 * @rcu: for its end
 * @n: how many, besides the first
 * @large: all items of a page or more are guarded
 * @rule: the first is the one of @large; indices are what UMA is told
 * @text: what the others' strings are part of
 */
struct rules {
	struct rcu_head rcu;
	unsigned int n;
	bool large;
	struct rule rule[MEMGUARD_RULES + 2];
	char text[2 * DESC_MAX];
};

/* UMA's 0 is no rule. */
#define RULE_NONE	0
#define RULE_LARGE	1
#define RULE_FIRST	2

static struct rules __rcu *rules;

/* Parameters; kernel_param_lock. */
static char desc[DESC_MAX];
static bool large;
static unsigned int divisor = 10;
static unsigned long minsize;
static unsigned long maxsize;
/* Whether there is something for a parameter that changes to act on. */
static bool started;

static DEFINE_PER_CPU(struct rnd_state, lots);

/* Rules. */

static bool rule_matches(const struct rule *rule,
			 const struct uma_guard_client *client)
{
	if (!(rule->kinds & BIT(client->kind)))
		return false;
	if (client->type_stable && !rule->exact)
		return false;
	if (!rule->pattern)
		return rule->addr == (unsigned long)client->addr;
	return rule->exact ? !strcmp(rule->pattern, client->name) :
			     glob_match(rule->pattern, client->name);
}

static bool size_allowed(size_t size)
{
	size_t most = READ_ONCE(maxsize);

	return size >= READ_ONCE(minsize) && (!most || size <= most);
}

static bool rule_is_for_size(unsigned int rule, size_t size)
{
	return size_allowed(size) && (rule != RULE_LARGE || size >= PAGE_SIZE);
}

static unsigned int guard_rule(const struct uma_guard_client *client)
{
	unsigned int i, found = RULE_NONE;
	struct rules *t;

	rcu_read_lock();
	t = rcu_dereference(rules);
	if (!t)
		goto out;
	for (i = RULE_FIRST; i < RULE_FIRST + t->n; i++) {
		if (rule_matches(&t->rule[i], client)) {
			found = i;
			goto out;
		}
	}
	if (t->large && !client->type_stable &&
	    (!client->size || client->size >= PAGE_SIZE))
		found = RULE_LARGE;
out:
	rcu_read_unlock();
	/* Sizes of a zone's items do not change. */
	if (found && client->size && !size_allowed(client->size))
		found = RULE_NONE;
	return found;
}

/* By lot, so that no pattern of calls is always hit or always missed. */
static bool lot_falls(u32 fraction)
{
	if (fraction == 1)
		return true;
	/* An interrupt may draw at the same time, and only make it more random. */
	return data_race(prandom_u32_state(raw_cpu_ptr(&lots))) % fraction == 0;
}

/*
 * A rule in text, which is changed: its parts become strings. Returns 0 or an
 * errno, with a message.
 */
static int parse_rule(char *text, struct rule *rule)
{
	char *slash = strrchr(text, '/'), *name = text;

	rule->kinds = MATCH_ZONE | MATCH_TYPE;
	rule->fraction = 1;
	if (slash && slash[1] &&
	    strspn(slash + 1, "0123456789") == strlen(slash + 1)) {
		if (kstrtou32(slash + 1, 10, &rule->fraction) ||
		    !rule->fraction) {
			pr_err("\"%s\": one in how many?\n", rule->text);
			return -EINVAL;
		}
		*slash = '\0';
	}
	if (str_has_prefix(name, "zone:")) {
		rule->kinds = MATCH_ZONE;
		name += strlen("zone:");
	} else if (str_has_prefix(name, "type:")) {
		rule->kinds = MATCH_TYPE;
		name += strlen("type:");
	}
	if (!*name) {
		pr_err("\"%s\": no name\n", rule->text);
		return -EINVAL;
	}
	rule->exact = !strpbrk(name, "*?[\\");
	rule->pattern = name;
	if (rule->kinds == MATCH_ZONE && str_has_prefix(name, "0x")) {
		if (kstrtoul(name, 16, &rule->addr)) {
			pr_err("\"%s\": not an address\n", rule->text);
			return -EINVAL;
		}
		rule->pattern = NULL;
	}
	return 0;
}

/* A table of what @text says. */
static struct rules *parse_rules(const char *text, bool with_large)
{
	struct rules *t = kzalloc(sizeof(*t), GFP_KERNEL);
	char *rest, *one;
	int error = 0;

	if (!t)
		return ERR_PTR(-ENOMEM);
	t->large = with_large;
	t->rule[RULE_LARGE].text = "(a page or more)";
	t->rule[RULE_LARGE].fraction = 1;
	/* Twice: once to be shown, once to be cut up. */
	strscpy(t->text, text, DESC_MAX);
	rest = t->text;
	while (!error && (one = strsep(&rest, ",")) != NULL) {
		struct rule *rule = &t->rule[RULE_FIRST + t->n];
		char *cut;

		one = strim(one);
		if (!*one)
			continue;
		if (t->n == MEMGUARD_RULES) {
			pr_err("more than %d rules\n", MEMGUARD_RULES);
			error = -E2BIG;
			break;
		}
		cut = t->text + DESC_MAX + (one - t->text);
		memcpy(cut, one, strlen(one) + 1);
		rule->text = one;
		error = parse_rule(cut, rule);
		t->n++;
	}
	if (error) {
		kfree(t);
		return ERR_PTR(error);
	}
	return t;
}

static int make_arena(void)
{
	struct uma_pool_stats st;
	unsigned long npages;
	int error;

	if (memguard_arena_exists())
		return 0;
	uma_pool_get_stats(uma_pool, &st);
	npages = st.pages / divisor;
	error = memguard_arena_create(npages);
	if (error == -EOPNOTSUPP)
		pr_err("this architecture has no address ranges whose pages can be protected: nothing can be guarded (%d)\n",
		       error);
	else if (error == -EINVAL)
		pr_err("a pool of %lu pages, divided by %u, is too small to guard anything (%d)\n",
		       st.pages, divisor, error);
	else if (error)
		pr_err("cannot get %lu pages of address space (%d)\n", npages,
		       error);
	if (error)
		return error;
	pr_info("%lu pages of address space for guarded items\n", npages);
	memguard_fault_startup();
	return 0;
}

/* Guard what @text and @with_large say from now on, or, on an error, as before. */
static int apply(const char *text, bool with_large)
{
	struct rules *t, *old;
	bool any;
	int error;

	t = parse_rules(text, with_large);
	if (IS_ERR(t))
		return PTR_ERR(t);
	any = t->n || t->large;
	error = any ? make_arena() : 0;
	if (error || !any) {
		kfree(t);
		t = NULL;
	}
	if (error)
		return error;
	old = rcu_dereference_protected(rules, true);
	rcu_assign_pointer(rules, t);
	if (old)
		kfree_rcu(old, rcu);
	uma_zone_guard_refresh();
	uma_malloc_guard_refresh();
	if (!any)
		memguard_arena_trim();
	return 0;
}

/* Parameters. */

/* How much of a value to show: what a shell wrote ends with a newline. */
static int one_line(const char *val)
{
	return strcspn(val, "\n");
}

static int desc_set(const char *val, const struct kernel_param *kp)
{
	char copy[DESC_MAX], *text;
	struct rules *t;
	int error;

	if (strscpy(copy, val, sizeof(copy)) < 0) {
		pr_err("memguard_desc: more than %d characters\n",
		       DESC_MAX - 1);
		return -E2BIG;
	}
	text = strim(copy);
	if (started) {
		error = apply(text, large);
	} else {
		t = parse_rules(text, large);
		error = PTR_ERR_OR_ZERO(t);
		if (!error)
			kfree(t);
	}
	if (!error)
		strscpy(desc, text, sizeof(desc));
	return error;
}

static int desc_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", desc);
}

static const struct kernel_param_ops desc_ops = {
	.set = desc_set,
	.get = desc_get,
};
module_param_cb(memguard_desc, &desc_ops, NULL, 0644);
MODULE_PARM_DESC(memguard_desc,
		 "which zones and malloc types to guard: [zone:|type:]pattern[/N],... (none)");

static int large_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int error = kstrtobool(val, &on);

	if (error) {
		pr_err("memguard_large: \"%.*s\" is neither yes nor no\n",
		       one_line(val), val);
		return error;
	}
	if (started && on != large)
		error = apply(desc, on);
	if (!error)
		large = on;
	return error;
}

static const struct kernel_param_ops large_ops = {
	.set = large_set,
	.get = param_get_bool,
};
module_param_cb(memguard_large, &large_ops, &large, 0644);
MODULE_PARM_DESC(memguard_large,
		 "guard all items of a page or more, whatever memguard_desc says (no)");

static int divisor_set(const char *val, const struct kernel_param *kp)
{
	unsigned int n;
	int error = kstrtouint(val, 0, &n);

	if (!error && !n)
		error = -EINVAL;
	if (error)
		pr_err("memguard_divisor: \"%.*s\" is not a number above 0\n",
		       one_line(val), val);
	else
		divisor = n;
	return error;
}

static const struct kernel_param_ops divisor_ops = {
	.set = divisor_set,
	.get = param_get_uint,
};
module_param_cb(memguard_divisor, &divisor_ops, &divisor, 0444);
MODULE_PARM_DESC(memguard_divisor,
		 "address space for guarded items: the pool's pages divided by this (10)");

/* Sizes: @least and @most as they are to be. */
static int sizes_set(unsigned long least, unsigned long most)
{
	if (most && least > most) {
		pr_err("memguard_minsize %lu is above memguard_maxsize %lu\n",
		       least, most);
		return -EINVAL;
	}
	WRITE_ONCE(minsize, least);
	WRITE_ONCE(maxsize, most);
	if (started) {
		uma_zone_guard_refresh();
		uma_malloc_guard_refresh();
	}
	return 0;
}

static int parse_size(const char *val, const struct kernel_param *kp,
		      unsigned long *size)
{
	int error = kstrtoul(val, 0, size);

	if (error)
		pr_err("%s: \"%.*s\" is not a number of bytes\n", kp->name,
		       one_line(val), val);
	return error;
}

static int minsize_set(const char *val, const struct kernel_param *kp)
{
	unsigned long size;
	int error = parse_size(val, kp, &size);

	return error ?: sizes_set(size, maxsize);
}

static int maxsize_set(const char *val, const struct kernel_param *kp)
{
	unsigned long size;
	int error = parse_size(val, kp, &size);

	return error ?: sizes_set(minsize, size);
}

static const struct kernel_param_ops minsize_ops = {
	.set = minsize_set,
	.get = param_get_ulong,
};
module_param_cb(memguard_minsize, &minsize_ops, &minsize, 0644);
MODULE_PARM_DESC(memguard_minsize, "guard no item of fewer bytes (0)");

static const struct kernel_param_ops maxsize_ops = {
	.set = maxsize_set,
	.get = param_get_ulong,
};
module_param_cb(memguard_maxsize, &maxsize_ops, &maxsize, 0644);
MODULE_PARM_DESC(memguard_maxsize,
		 "guard no item of more bytes; 0 for no such limit (0)");

module_param_named(memguard_start, memguard_options.start, bool, 0644);
MODULE_PARM_DESC(memguard_start,
		 "place items at the start of their pages, to catch what is written in front of them (no)");
module_param_named(memguard_noread, memguard_options.noread, bool, 0644);
MODULE_PARM_DESC(memguard_noread,
		 "catch reads of freed items, too, not only writes (no)");

/* The operations. */

static void rule_count(unsigned int rule, enum rule_count what)
{
	struct rules *t;

	rcu_read_lock();
	t = rcu_dereference(rules);
	/* The zone may have been told of a table that is gone. */
	if (t && rule < RULE_FIRST + t->n)
		atomic64_inc(&t->rule[rule].counts[what]);
	rcu_read_unlock();
}

static u32 rule_fraction(unsigned int rule)
{
	u32 fraction = 1;
	struct rules *t;

	rcu_read_lock();
	t = rcu_dereference(rules);
	if (t && rule < RULE_FIRST + t->n)
		fraction = t->rule[rule].fraction;
	rcu_read_unlock();
	return fraction;
}

static void *guard_alloc(const struct uma_guard_client *client,
			 unsigned int rule, size_t size, size_t align,
			 int flags)
{
	struct memguard_range *r;

	/* The rules have changed since the caller looked at its bits. */
	if (rule == RULE_NONE)
		return NULL;
	if (!rule_is_for_size(rule, size) || !lot_falls(rule_fraction(rule))) {
		rule_count(rule, RULE_SKIPPED);
		return NULL;
	}
	r = memguard_arena_alloc(size, align);
	if (!r) {
		rule_count(rule, RULE_FAILED);
		return NULL;
	}
	rule_count(rule, RULE_GUARDED);
	r->type = client->kind == UMA_GUARD_TYPE;
	r->addr = client->addr;
	strscpy(r->owner, client->name, sizeof(r->owner));
	memguard_track_save(&r->alloced);
	memguard_arena_publish(r);
	return memguard_range_item(r);
}

static void report_free(enum memguard_kind kind, const void *item,
			const struct uma_guard_client *client, const char *why,
			const char *next)
{
	struct memguard_incident in = {
		.kind = kind,
		.addr = item,
		.client = client,
		.why = why,
		.next = next,
	};

	if (uma_guard_covers(item))
		memguard_arena_locate(item, &in.place);
	memguard_report(&in);
}

/* Report a double free, and stop who did it, as any write to the item would. */
static void double_free(const struct uma_guard_client *client,
			struct memguard_range *r, void *item)
{
	bool stop = !READ_ONCE(memguard_continue);

	report_free(MEMGUARD_DOUBLE_FREE, item, client, NULL,
		    stop ? "the kernel's oops follows" : NULL);
	if (!stop)
		return;
	WRITE_ONCE(r->oops, current);
	/*
	 * A write that changes nothing: the report took its time, and if the range
	 * was used again meanwhile, this is another's item.
	 */
	cmpxchg((u8 *)item, 0, 0);
	WRITE_ONCE(r->oops, NULL);
}

static bool guard_claim(const struct uma_guard_client *client, void *item)
{
	struct memguard_range *r = memguard_arena_item(item);
	const u8 *bad;

	if (!r) {
		report_free(MEMGUARD_INVALID_FREE, item, client,
			    "not the address of an item", NULL);
		return false;
	}
	if (!uma_kva_touch(item)) {
		double_free(client, r, item);
		return false;
	}
	if (r->addr != client->addr) {
		report_free(MEMGUARD_INVALID_FREE, item, client,
			    "an item of another owner", NULL);
		return false;
	}
	if (!memguard_arena_claim(r)) {
		report_free(MEMGUARD_DOUBLE_FREE, item, client,
			    "while it is being freed", NULL);
		return false;
	}
	memguard_track_save(&r->freed);
	if (!memguard_slack_intact(r, &bad))
		report_free(MEMGUARD_CORRUPTION, bad, client, NULL, NULL);
	uma_steer(UMA_STEER_GUARD_CLAIM, item);
	return true;
}

static void guard_retire(void *item)
{
	struct memguard_range *r = memguard_arena_item(item);

	/* Of an item that was never handed out nobody has claimed it. */
	memguard_arena_claim(r);
	memguard_arena_free(r);
}

static void guard_foreign(const struct uma_guard_client *client, void *item,
			  const char *why)
{
	report_free(MEMGUARD_INVALID_FREE, item, client, why, NULL);
}

static bool range_is_out(const struct memguard_range *r)
{
	int state = atomic_read(&r->state);

	return state == MEMGUARD_LIVE || state == MEMGUARD_FREEING;
}

static size_t guard_size(const struct uma_guard_client *client,
			 const void *item)
{
	struct memguard_range *r = memguard_arena_item(item);

	if (!r || !range_is_out(r) || (client && r->addr != client->addr))
		return 0;
	return r->size;
}

static u32 *guard_refcnt(const void *item)
{
	struct memguard_place place;

	/* Of a free item as well: who lost the race for the last reference looks. */
	if (!memguard_arena_locate(item, &place) || !place.in_pages)
		return NULL;
	return &place.range->refcnt;
}

/* Not for each uma_reclaim(): freed items are kept on purpose. */
static void guard_reclaim(void)
{
	struct uma_pool_stats st;

	uma_pool_get_stats(uma_pool, &st);
	if (st.free < st.pages / 16)
		memguard_arena_trim();
}

static const struct uma_guard_ops guard_ops = {
	.rule = guard_rule,
	.alloc = guard_alloc,
	.claim = guard_claim,
	.retire = guard_retire,
	.foreign = guard_foreign,
	.size = guard_size,
	.refcnt = guard_refcnt,
	.reclaim = guard_reclaim,
};

/* Statistics. */

/**
 * memguard_set_desc() - what writing memguard_desc does
 * @text: the rules
 *
 * Context: process context, may sleep.
 * Return: 0 or an errno, with a message and everything as it was.
 */
int memguard_set_desc(const char *text)
{
	int error;

	kernel_param_lock(THIS_MODULE);
	error = desc_set(text, NULL);
	kernel_param_unlock(THIS_MODULE);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_set_desc);

/**
 * memguard_rule_stats() - what a rule has done since the rules were set
 * @i: which, from 0; the one of memguard_large is the first
 * @st: where to put it
 *
 * Context: any.
 * Return: false if there are not so many.
 */
bool memguard_rule_stats(unsigned int i, struct memguard_rule_stats *st)
{
	struct rules *t;
	bool found;

	rcu_read_lock();
	t = rcu_dereference(rules);
	found = t && i < t->n + 1;
	if (found) {
		const struct rule *rule = &t->rule[i + RULE_LARGE];

		strscpy(st->text, rule->text, sizeof(st->text));
		st->guarded = atomic64_read(&rule->counts[RULE_GUARDED]);
		st->skipped = atomic64_read(&rule->counts[RULE_SKIPPED]);
		st->failed = atomic64_read(&rule->counts[RULE_FAILED]);
	}
	rcu_read_unlock();
	return found;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(memguard_rule_stats);

static int stats_show(struct seq_file *m, void *v)
{
	struct memguard_rule_stats rule;
	struct memguard_arena_stats st;
	enum memguard_kind kind;
	unsigned int i;

	memguard_arena_get_stats(&st);
	seq_printf(m, "%-28s %12s\n", "interception",
		   memguard_fault_intercepted() ? "yes" : "no");
	seq_printf(m, "%-28s %12lu\n", "address space, pages", st.slots);
	seq_printf(m, "%-28s %12lu\n", "  of items out", st.slots_live);
	seq_printf(m, "%-28s %12lu\n", "  of items freed", st.slots_queued);
	seq_printf(m, "%-28s %12lu\n", "  of these, guard pages",
		   st.ranges_live + st.ranges_queued);
	seq_printf(m, "%-28s %12lu\n", "pages held", st.pages);
	seq_printf(m, "%-28s %12lu\n", "  in use for nothing", st.pages_wasted);
	seq_printf(m, "%-28s %12lu\n", "items out", st.ranges_live);
	seq_printf(m, "%-28s %12lu\n", "  their bytes", st.bytes_live);
	seq_printf(m, "%-28s %12lu\n", "  bytes of their pages",
		   (st.slots_live - st.ranges_live) << PAGE_SHIFT);
	seq_printf(m, "%-28s %12lu\n", "items freed and guarded",
		   st.ranges_queued);
	seq_printf(m, "%-28s %12llu\n", "ranges used again", st.reused);
	seq_printf(m, "%-28s %12llu\n", "failures, address space",
		   st.no_space);
	seq_printf(m, "%-28s %12llu\n", "failures, pages", st.no_pages);
	seq_printf(m, "%-28s %12llu\n", "flushes of all processors",
		   st.flushes);
	seq_printf(m, "%-28s %12llu\n", "  later than the free",
		   st.flushes_late);
	seq_printf(m, "%-28s %12llu\n", "faults that were none",
		   memguard_fault_resolved());
	seq_puts(m, "\nREPORTS\n");
	for (kind = 0; kind < MEMGUARD_KINDS; kind++)
		seq_printf(m, "%-28s %12llu\n", memguard_kind_name(kind),
			   memguard_report_count(kind));
	seq_printf(m, "\n%-28s %12s %12s %12s\n", "RULE", "GUARDED", "PASSED",
		   "FAILED");
	for (i = 0; memguard_rule_stats(i, &rule); i++)
		seq_printf(m, "%-28s %12llu %12llu %12llu\n", rule.text,
			   rule.guarded, rule.skipped, rule.failed);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/**
 * memguard_debugfs() - make the folder memguard
 * @parent: where
 *
 * Context: process context, at load.
 */
void memguard_debugfs(struct dentry *parent)
{
	struct dentry *dir = debugfs_create_dir("memguard", parent);

	debugfs_create_file("stats", 0444, dir, NULL, &stats_fops);
	memguard_report_debugfs(dir);
}

/* Start and end. */

/**
 * memguard_startup() - begin to guard what the parameters say
 *
 * What cannot be guarded is said in the log, and is not.
 *
 * Context: process context, at load, after UMA.
 */
void memguard_startup(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		prandom_seed_state(per_cpu_ptr(&lots, cpu), get_random_u64());
	uma_guard_register(&guard_ops);
	kernel_param_lock(THIS_MODULE);
	started = true;
	if (apply(desc, large)) {
		desc[0] = '\0';
		large = false;
	}
	kernel_param_unlock(THIS_MODULE);
}

/**
 * memguard_shutdown() - end it
 *
 * Context: process context, at unload: nobody else can call us any more, and all
 * zones but UMA's own are gone.
 */
void memguard_shutdown(void)
{
	kernel_param_lock(THIS_MODULE);
	started = false;
	apply("", false);
	kernel_param_unlock(THIS_MODULE);
	rcu_barrier();
	/* It looks into the arena. */
	memguard_fault_shutdown();
	memguard_arena_destroy();
	uma_guard_register(NULL);
}
