// SPDX-License-Identifier: GPL-2.0-only
/*
 * A consumer of network buffers, on real packets.
 *
 * A netfilter hook sees every IPv4 packet that comes in over the loopback, in
 * soft-interrupt context, and copies it into an mbuf chain with clusters. The
 * chain goes through a queue to the next CPU, where a work item checks every byte
 * and frees it: against a hash that the hook took of the packet itself, not of
 * the copy, and against bytes of it that it kept, which travel in front of the
 * chain in an mbuf of their own. Every few packets the chain is copied by
 * reference as well, and the copy goes to the other queue of the two: then two
 * CPUs race for the last reference of every cluster.
 *
 * Memory that cannot be had is no error for the packet, which goes its way
 * untouched; it is counted. Unloading waits for all that is queued and prints
 * the counts, which are in debugfs meanwhile.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#include "uma/mbuf.h"

static unsigned int share = 4;
module_param(share, uint, 0644);
MODULE_PARM_DESC(share,
		 "one packet in so many is shared by two CPUs, 0 for none (4)");

static bool hold;

/* Bytes kept of each packet, one in each part of it of equal length. */
#define SAMPLE		32

/**
 * struct record - what goes in front of a chain
 * @hash: of the packet's bytes
 * @len: how many
 * @sample: some of them
 */
struct record {
	u64 hash;
	u32 len;
	u8 sample[SAMPLE];
};

static_assert(sizeof(struct record) <= MHLEN);

/**
 * struct queue - packets for a CPU to check
 * @lock: guards both ends
 * @head: the first, linked by m_nextpkt
 * @tail: the last
 * @work: runs on that CPU
 */
struct queue {
	spinlock_t lock;	/* the two that follow */
	struct mbuf *head;
	struct mbuf *tail;
	struct work_struct work;
};

static DEFINE_PER_CPU(struct queue, queues);
static struct workqueue_struct *wq;
static struct dentry *dir;

/* What has happened, in the order in which it is shown. */
enum count {
	PACKETS,	/* that the hook saw */
	BYTES,		/* in them */
	COPIED,		/* chains made and queued */
	SHARED,		/* copies by reference made and queued */
	DROPPED,	/* packets that no memory was had for */
	UNSHARED,	/* copies by reference that no memory was had for */
	CHECKED,	/* chains checked and freed */
	CHECKED_BYTES,
	ELSEWHERE,	/* of those, on another CPU than the hook's */
	BAD,		/* of those, not what the packet was */
	COUNTS,
};

static const char * const count_name[COUNTS] = {
	"packets", "bytes", "copied", "shared", "dropped", "unshared",
	"checked", "checked_bytes", "elsewhere", "bad",
};

static atomic64_t counts[COUNTS];

static void count(enum count what, u64 n)
{
	atomic64_add(n, &counts[what]);
}

/*
 * A hash that takes bytes in pieces of any length and depends on the order of
 * all of them. Eight at a time, since all of a transfer goes through it, twice.
 */
struct hash {
	u64 h;
	u8 rest[8];
	unsigned int n;
};

static u64 hash_word(u64 h, const void *eight_bytes)
{
	u64 word;

	memcpy(&word, eight_bytes, sizeof(word));
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 29;
}

static int hash_bytes(void *arg, void *data, unsigned int len)
{
	struct hash *s = arg;
	const u8 *p = data;

	while (len) {
		if (!s->n && len >= 8) {
			s->h = hash_word(s->h, p);
			p += 8;
			len -= 8;
			continue;
		}
		s->rest[s->n++] = *p++;
		len--;
		if (s->n == 8) {
			s->h = hash_word(s->h, s->rest);
			s->n = 0;
		}
	}
	return 0;
}

static u64 hash_end(struct hash *s)
{
	memset(s->rest + s->n, 0, 8 - s->n);
	/* The length is in the record by itself. */
	return hash_word(s->h, s->rest);
}

/* Where byte @i of the sample is in a packet. */
static unsigned int sample_at(unsigned int i, unsigned int len)
{
	return (u64)i * len / SAMPLE;
}

/* The hook's side. */

static void keep_record(struct record *r, struct sk_buff *skb)
{
	unsigned int done = 0, n, i;
	struct hash hash = {};
	struct skb_seq_state st;
	const u8 *data;

	r->len = skb->len;
	skb_prepare_seq_read(skb, 0, skb->len, &st);
	while ((n = skb_seq_read(done, &data, &st))) {
		hash_bytes(&hash, (void *)data, n);
		done += n;
	}
	r->hash = hash_end(&hash);
	memset(r->sample, 0, sizeof(r->sample));
	for (i = 0; i < SAMPLE; i++)
		skb_copy_bits(skb, sample_at(i, r->len), &r->sample[i], 1);
}

/* The packet as a chain, behind an mbuf with its record; or NULL. */
static struct mbuf *copy_packet(struct sk_buff *skb)
{
	struct mbuf *top, *m;
	unsigned int off = 0;

	top = m_gethdr(M_NOWAIT, MT_CONTROL);
	if (!top)
		return NULL;
	keep_record(mtod(top, struct record *), skb);
	top->m_len = sizeof(struct record);
	/* For the next CPU, to see that it is another. */
	top->m_pkthdr.csum_data = smp_processor_id();
	top->m_pkthdr.len = sizeof(struct record) + skb->len;
	if (!m_getm(top, skb->len, M_NOWAIT, MT_DATA))
		goto fail;
	for (m = top->m_next; m; m = m->m_next) {
		m->m_len = min_t(int, skb->len - off, m_size(m));
		if (skb_copy_bits(skb, off, m->m_data, m->m_len))
			goto fail;
		off += m->m_len;
	}
	return top;
fail:
	m_freem(top);
	return NULL;
}

static void enqueue(struct mbuf *m, unsigned int cpu)
{
	struct queue *q = per_cpu_ptr(&queues, cpu);

	spin_lock_bh(&q->lock);
	if (q->tail)
		q->tail->m_nextpkt = m;
	else
		q->head = m;
	q->tail = m;
	spin_unlock_bh(&q->lock);
	queue_work_on(cpu, wq, &q->work);
}

static unsigned int next_cpu(unsigned int cpu)
{
	cpu = cpumask_next(cpu, cpu_online_mask);
	return cpu < nr_cpu_ids ? cpu : cpumask_first(cpu_online_mask);
}

static unsigned int netbuf_hook(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	unsigned int every = READ_ONCE(share), cpu = smp_processor_id();
	struct mbuf *m, *copy = NULL;
	u64 n;

	if (!(state->in->flags & IFF_LOOPBACK) || !skb->len)
		return NF_ACCEPT;
	n = atomic64_inc_return(&counts[PACKETS]);
	count(BYTES, skb->len);
	m = copy_packet(skb);
	if (!m) {
		count(DROPPED, 1);
		return NF_ACCEPT;
	}
	if (every && n % every == 0) {
		copy = m_copypacket(m, M_NOWAIT);
		count(copy ? SHARED : UNSHARED, 1);
	}
	count(COPIED, 1);
	enqueue(m, next_cpu(cpu));
	if (copy)
		enqueue(copy, cpu);
	return NF_ACCEPT;
}

static const struct nf_hook_ops netbuf_ops = {
	.hook = netbuf_hook,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_PRE_ROUTING,
	.priority = NF_IP_PRI_FIRST,
};

/* The other CPU's side. */

static bool packet_is_whole(struct mbuf *m, const struct record *r)
{
	struct hash hash = {};
	unsigned int i;
	u8 byte;

	if (m_length(m, NULL) != sizeof(*r) + r->len ||
	    m->m_pkthdr.len != sizeof(*r) + r->len)
		return false;
	if (m_apply(m, sizeof(*r), r->len, hash_bytes, &hash) ||
	    hash_end(&hash) != r->hash)
		return false;
	for (i = 0; i < SAMPLE; i++)
		if (m_copydata(m, sizeof(*r) + sample_at(i, r->len), 1, &byte) ||
		    byte != r->sample[i])
			return false;
	return true;
}

static void check_packet(struct mbuf *m)
{
	struct record r;

	m->m_nextpkt = NULL;
	if (m_copydata(m, 0, sizeof(r), &r) || !packet_is_whole(m, &r))
		count(BAD, 1);
	else
		count(CHECKED_BYTES, r.len);
	if (m->m_pkthdr.csum_data != raw_smp_processor_id())
		count(ELSEWHERE, 1);
	m_freem(m);
	count(CHECKED, 1);
}

static void check_queue(struct work_struct *work)
{
	struct queue *q = container_of(work, struct queue, work);
	struct mbuf *m, *next;

	while (!READ_ONCE(hold)) {
		spin_lock_bh(&q->lock);
		m = q->head;
		q->head = NULL;
		q->tail = NULL;
		spin_unlock_bh(&q->lock);
		if (!m)
			break;
		for (; m; m = next) {
			next = m->m_nextpkt;
			check_packet(m);
			cond_resched();
		}
	}
}

static void check_all_queues(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		queue_work(wq, &per_cpu_ptr(&queues, cpu)->work);
}

/* For a look at the buffers in use while they stay where they are. */
static int hold_set(const char *val, const struct kernel_param *kp)
{
	int error = param_set_bool(val, kp);

	if (!error && !hold && wq)
		check_all_queues();
	return error;
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
	.get = param_get_bool,
};

module_param_cb(hold, &hold_ops, &hold, 0644);
MODULE_PARM_DESC(hold, "keep packets in their queues, unchecked (no)");

/* Counts. */

static int counts_show(struct seq_file *s, void *v)
{
	unsigned int i;

	for (i = 0; i < COUNTS; i++)
		seq_printf(s, "%s %lld\n", count_name[i],
			   atomic64_read(&counts[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static int __init netbuf_init(void)
{
	int error, cpu;

	for_each_possible_cpu(cpu) {
		struct queue *q = per_cpu_ptr(&queues, cpu);

		spin_lock_init(&q->lock);
		INIT_WORK(&q->work, check_queue);
	}
	/* Not to be starved by those whose packets these are. */
	wq = alloc_workqueue("uma_netbuf", WQ_HIGHPRI, 0);
	if (!wq)
		return -ENOMEM;
	error = nf_register_net_hook(&init_net, &netbuf_ops);
	if (error) {
		destroy_workqueue(wq);
		return error;
	}
	dir = debugfs_create_dir("uma_netbuf", NULL);
	debugfs_create_file("counts", 0444, dir, NULL, &counts_fops);
	return 0;
}

static void __exit netbuf_exit(void)
{
	unsigned int i;

	debugfs_remove(dir);
	nf_unregister_net_hook(&init_net, &netbuf_ops);
	/* Packets may be in the hook still. */
	synchronize_net();
	WRITE_ONCE(hold, false);
	check_all_queues();
	destroy_workqueue(wq);
	for (i = 0; i < COUNTS; i++)
		pr_info("%s %lld\n", count_name[i], atomic64_read(&counts[i]));
}

module_init(netbuf_init);
module_exit(netbuf_exit);
MODULE_DESCRIPTION("Loopback packets through UMA's network buffers");
MODULE_LICENSE("GPL");
