// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network buffers: what mbuf(9) is made of, on four zones.
 *
 *	mbuf		 256 bytes, a header and a little data
 *	mbuf_cluster	2048 bytes of data, with a reference counter each; the
 *			counters are in the slab's header (refcnt.c)
 *	mbuf_packet	mbufs that have a cluster; secondary to mbuf, so that both
 *			draw on one supply of mbufs
 *	mbuf_ext_refcnt	counters for data that a consumer brings
 *
 * They are made when uma.ko is loaded and cost a few hundred bytes, and a cache
 * line a CPU, each; pages come with the first use.
 *
 * Packets. Most packets want an mbuf and a cluster at once. An mbuf gets its
 * cluster when it enters the packet zone's cache (zinit), keeps it through free
 * and reuse, and loses it when it goes back to its slab (zfini): so m_getcl() is
 * one pointer taken from a cache, and a cached packet always has a cluster.
 * Taking the cluster can fail, and then so does the allocation, even one that may
 * sleep: a bucket's worth of packets is set up at a time, and whoever slept for
 * one cluster while it held others would wait, in the end, for somebody who does
 * the same. m_getcl() with M_WAITOK then waits for a single cluster instead, and
 * hence never fails.
 *
 * Clusters in cached packets are out of the cluster zone's sight. When a thread
 * waits for a cluster the packet zone is drained, too (uz_holds); and packets
 * that are freed while it waits are freed as ever, but whoever does so looks for
 * waiters afterwards and asks for another drain. He may look before the waiter
 * says that it is one; but the waiter lets a grace period of RCU pass before it
 * drains, so the packet is in the cache by then. A request that may not sleep
 * takes the cluster off a packet of this CPU's, and if there is none, asks for a
 * drain for the benefit of the next.
 *
 * References. Data outside the mbuf belongs to all mbufs that refer to it, and
 * the last one to go frees it. The log that this follows takes one off the
 * counter, and then lets all who find 0 there race: who compares and sets it from
 * 0 to 1 may free. The loser touches the counter when the data may be gone
 * already, which is harmless as long as it is a counter still: that is why these
 * zones never give memory back (UMA-03). But one who is late by a whole life of
 * the cluster can win the race of those who share it now. Here the compare-
 * and-set itself takes one off, never the last one:
 *
 *	counter 1	we are alone: nobody else can raise it, or look at it
 *	counter n	n -> n-1 if it still is n, else look again
 *
 * So exactly one sees 1, without an atomic operation if it was alone from the
 * start; nobody touches the counter after he has let go; and the counter is 1
 * again for whoever gets the data next.
 *
 * A packet's cluster can outlive its mbuf. Whoever lets go first gives his mbuf
 * back to the mbuf zone, whichever it came from; the last one gives his, with the
 * cluster, to the packet zone. As many mbufs leave a zone as enter it, so the
 * counts of both are right when all is free, and their sum is right always.
 *
 * Statistics are those of the zones; none are kept here.
 *
 * Everything with M_NOWAIT, and every free, works in any context but NMI; a
 * consumer's ext_free must do so as well, if its packets get there.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "uma/mbuf.h"
#include "uma/uma_int.h"

/* How often a request that failed may have the packet zone drained. */
#define DRAIN_INTERVAL	(HZ / 10)

uma_zone_t uma_mbuf_zones[UMA_MBUF_ZONES];
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_mbuf_zones);

#define zone_mbuf	(uma_mbuf_zones[UMA_MBUF])
#define zone_clust	(uma_mbuf_zones[UMA_MBUF_CLUSTER])
#define zone_pack	(uma_mbuf_zones[UMA_MBUF_PACKET])
#define zone_ext_refcnt	(uma_mbuf_zones[UMA_MBUF_EXTREFCNT])

/* As given at load; below 0: by the size of the pool. */
static int nmbclusters = -1;
/* Whether the parameter has a zone to act on; kernel_param_lock. */
static bool started;

/* Draining the packet zone, asked for from any context. */

static void drain_packets(struct work_struct *work)
{
	uma_zone_reclaim_all(zone_pack);
}

static DECLARE_WORK(drain_work, drain_packets);

static void queue_drain(struct irq_work *work)
{
	queue_work(system_unbound_wq, &drain_work);
}

static struct irq_work drain_irq_work = IRQ_WORK_INIT(queue_drain);

/* Whoever waits for a cluster must not overlook one that a packet just took. */
static void packets_changed(void)
{
	if (unlikely(READ_ONCE(zone_clust->uz_keg->uk_sleepers)))
		irq_work_queue(&drain_irq_work);
}

/* No cluster for one who cannot wait: there may be one for the next. */
static void clusters_short(void)
{
	static unsigned long last;

	if (time_is_after_jiffies(READ_ONCE(last) + DRAIN_INTERVAL))
		return;
	WRITE_ONCE(last, jiffies);
	irq_work_queue(&drain_irq_work);
}

/* Data outside the mbuf. */

static void set_cluster(struct mbuf *m, void *cl, int type)
{
	u32 *ref = uma_find_refcnt(zone_clust, cl);

	WRITE_ONCE(*ref, 1);
	m->m_ext = (struct m_ext) {
		.ext_buf = cl,
		.ref_cnt = ref,
		.ext_size = MCLBYTES,
		.ext_type = type,
	};
}

/* One more mbuf refers to what @m does. */
static void ext_share(struct mbuf *n, const struct mbuf *m)
{
	u32 *ref = m->m_ext.ref_cnt;
	u32 cnt = READ_ONCE(*ref);

	if (cnt == 1)
		WRITE_ONCE(*ref, 2);
	else
		while (!try_cmpxchg(ref, &cnt, cnt + 1))
			;
	n->m_ext = m->m_ext;
	n->m_flags |= M_EXT | (m->m_flags & M_RDONLY);
}

/* Let go of what @ref counts. True: we were the last, and the counter is 1. */
static bool ext_unref(u32 *ref)
{
	/* Pairs with the compare-and-set of those who let go before us. */
	u32 cnt = smp_load_acquire(ref);

	while (cnt != 1) {
		uma_steer(UMA_STEER_UNREF, ref);
		if (try_cmpxchg(ref, &cnt, cnt - 1))
			return false;
	}
	return true;
}

/* A packet's mbuf on its way into the packet zone's cache; see above. */
static int pack_zinit(void *mem, int size, int flags)
{
	void *cl = uma_zalloc(zone_clust, M_NOWAIT);

	if (!cl)
		return -ENOMEM;
	set_cluster(mem, cl, EXT_PACKET);
	return 0;
}

static void pack_zfini(void *mem, int size)
{
	struct mbuf *m = mem;

	uma_zfree(zone_clust, m->m_ext.ext_buf);
}

/* Allocation. */

static void init_hdr(struct mbuf *m, short type, int flags)
{
	m->m_next = NULL;
	m->m_nextpkt = NULL;
	m->m_len = 0;
	m->m_flags = flags;
	m->m_type = type;
	if (flags & M_PKTHDR)
		memset(&m->m_pkthdr, 0, sizeof(m->m_pkthdr));
	m->m_data = m_start(m);
}

/**
 * m_get() - allocate an mbuf
 * @how: M_WAITOK or M_NOWAIT
 * @type: MT_*
 *
 * Context: M_WAITOK: process context, may sleep. M_NOWAIT: any but NMI. So for
 * all functions here that take @how.
 * Return: an mbuf with no data and room for MLEN bytes; NULL only with M_NOWAIT.
 */
struct mbuf *m_get(int how, short type)
{
	struct mbuf *m = uma_zalloc(zone_mbuf, how);

	if (m)
		init_hdr(m, type, 0);
	return m;
}
EXPORT_SYMBOL_GPL(m_get);

/**
 * m_gethdr() - allocate an mbuf that begins a packet
 * @how: M_WAITOK or M_NOWAIT
 * @type: MT_*
 *
 * Return: an mbuf with no data, room for MHLEN bytes and a packet header of
 * zeros; NULL only with M_NOWAIT.
 */
struct mbuf *m_gethdr(int how, short type)
{
	struct mbuf *m = uma_zalloc(zone_mbuf, how);

	if (m)
		init_hdr(m, type, M_PKTHDR);
	return m;
}
EXPORT_SYMBOL_GPL(m_gethdr);

static struct mbuf *pack_alloc(int how)
{
	struct mbuf *m = uma_zalloc(zone_pack, how);

	packets_changed();
	return m;
}

/**
 * m_getcl() - allocate an mbuf with a cluster, in one call
 * @how: M_WAITOK or M_NOWAIT
 * @type: MT_*
 * @flags: 0 or M_PKTHDR, and others that belong to a packet (M_COPYFLAGS)
 *
 * Return: an mbuf with no data and room for MCLBYTES; NULL with M_NOWAIT, or
 * for other @flags.
 */
struct mbuf *m_getcl(int how, short type, int flags)
{
	struct mbuf *m;

	if (unlikely(flags & ~M_COPYFLAGS))
		return NULL;
	m = pack_alloc(how);
	if (likely(m)) {
		init_hdr(m, type, flags | M_EXT);
		return m;
	}
	if (!(how & M_WAITOK)) {
		clusters_short();
		return NULL;
	}
	m = uma_zalloc(zone_mbuf, how);
	init_hdr(m, type, flags);
	m_clget(m, how);
	return m;
}
EXPORT_SYMBOL_GPL(m_getcl);

/* Move the cluster of a packet of the cache's to @m. */
static bool take_packets_cluster(struct mbuf *m)
{
	struct mbuf *p = pack_alloc(M_NOWAIT);

	if (!p)
		return false;
	/* With the cluster goes the way back to the packet zone. */
	m->m_ext = p->m_ext;
	uma_zfree(zone_mbuf, p);
	return true;
}

/**
 * m_clget() - give an mbuf a cluster
 * @m: an mbuf with no data
 * @how: M_WAITOK or M_NOWAIT
 *
 * Return: M_EXT; 0 if there was no cluster (with M_NOWAIT), or if @m has data
 * elsewhere already: then @m is as it was. (BSD's asserts that, and some of
 * them return nothing.)
 */
int m_clget(struct mbuf *m, int how)
{
	void *cl;

	if (unlikely(m->m_flags & M_EXT))
		return 0;
	cl = uma_zalloc(zone_clust, how);
	if (cl) {
		set_cluster(m, cl, EXT_CLUSTER);
	} else if (!take_packets_cluster(m)) {
		clusters_short();
		return 0;
	}
	m->m_flags |= M_EXT;
	m->m_data = m->m_ext.ext_buf;
	return M_EXT;
}
EXPORT_SYMBOL_GPL(m_clget);

/**
 * m_extadd() - let an mbuf refer to a consumer's own memory
 * @m: an mbuf with no data
 * @buf: the memory
 * @size: its bytes
 * @freef: called once, with @buf and @args, when the last mbuf that refers to
 *	it is freed, in that one's context
 * @args: second argument of @freef
 * @flags: 0, or M_RDONLY: nobody may write to it
 * @type: EXT_NET_DRV, EXT_MOD_TYPE, EXT_DISPOSABLE, or EXT_EXTREF: then
 *	m->m_ext.ref_cnt is a counter of the consumer's, which must outlive @buf
 *
 * Context: any but NMI.
 * Return: 0; -EINVAL, or -ENOMEM without a counter to be had: then @m is as it
 * was and @buf still the caller's. (BSD's returns nothing, and its caller looks
 * for M_EXT.)
 */
int m_extadd(struct mbuf *m, void *buf, unsigned int size,
	     void (*freef)(void *buf, void *args), void *args, int flags,
	     int type)
{
	u32 *ref;

	if (m->m_flags & M_EXT || !buf || !size || size > INT_MAX || !freef ||
	    flags & ~M_RDONLY || type < EXT_NET_DRV)
		return -EINVAL;
	if (type == EXT_EXTREF) {
		ref = m->m_ext.ref_cnt;
		if (!ref)
			return -EINVAL;
	} else {
		ref = uma_zalloc(zone_ext_refcnt, M_NOWAIT);
		if (!ref)
			return -ENOMEM;
	}
	WRITE_ONCE(*ref, 1);
	m->m_ext = (struct m_ext) {
		.ext_buf = buf,
		.ext_free = freef,
		.ext_args = args,
		.ref_cnt = ref,
		.ext_size = size,
		.ext_type = type,
	};
	m->m_flags |= M_EXT | flags;
	m->m_data = buf;
	return 0;
}
EXPORT_SYMBOL_GPL(m_extadd);

/**
 * m_free() - free one mbuf
 * @m: the mbuf
 *
 * Context: any but NMI, under any lock of the caller that a consumer's ext_free
 * can stand.
 * Return: the next one of its chain.
 */
struct mbuf *m_free(struct mbuf *m)
{
	struct mbuf *next = m->m_next;
	struct m_ext *ext = &m->m_ext;

	if (m->m_flags & M_EXT && ext_unref(ext->ref_cnt)) {
		switch (ext->ext_type) {
		case EXT_PACKET:
			uma_zfree(zone_pack, m);
			packets_changed();
			return next;
		case EXT_CLUSTER:
			uma_zfree(zone_clust, ext->ext_buf);
			break;
		default:
			ext->ext_free(ext->ext_buf, ext->ext_args);
			if (ext->ext_type != EXT_EXTREF)
				uma_zfree(zone_ext_refcnt, ext->ref_cnt);
		}
	}
	uma_zfree(zone_mbuf, m);
	return next;
}
EXPORT_SYMBOL_GPL(m_free);

/**
 * m_freem() - free a chain
 * @m: its first mbuf, or NULL, which does nothing
 *
 * Context: as m_free().
 */
void m_freem(struct mbuf *m)
{
	while (m)
		m = m_free(m);
}
EXPORT_SYMBOL_GPL(m_freem);

/* Chains. */

static struct mbuf *last_of(struct mbuf *m)
{
	while (m->m_next)
		m = m->m_next;
	return m;
}

/* The mbuf that byte *@off of a chain is in, and where; NULL past the end. */
static struct mbuf *seek(const struct mbuf *m, int *off)
{
	while (m && *off >= m->m_len) {
		*off -= m->m_len;
		m = m->m_next;
	}
	return (struct mbuf *)m;
}

/* Does a chain have bytes @off to @off + @len? */
static bool has_range(const struct mbuf *m, int off, int len)
{
	s64 left = (s64)off + len;

	if (off < 0 || len < 0)
		return false;
	for (; m && left > 0; m = m->m_next)
		left -= m->m_len;
	return left <= 0;
}

/* An mbuf for @len bytes more, or for as many of them as fit in one. */
static struct mbuf *get_for(int len, int how, short type, int flags)
{
	if (len > (flags & M_PKTHDR ? MHLEN : MLEN))
		return m_getcl(how, type, flags);
	return flags & M_PKTHDR ? m_gethdr(how, type) : m_get(how, type);
}

/**
 * m_getm() - allocate room for many bytes
 * @m: a chain to append the new mbufs to, or NULL
 * @len: bytes, above 0
 * @how: M_WAITOK or M_NOWAIT
 * @type: MT_*
 *
 * Clusters, and an mbuf alone for a rest that fits in it. They have no data yet.
 *
 * Return: @m, or the first new mbuf, which begins no packet; NULL where memory is
 * short or @len wrong: then @m is as it was.
 */
struct mbuf *m_getm(struct mbuf *m, int len, int how, short type)
{
	struct mbuf *top = NULL, **link = &top;

	if (len <= 0)
		return NULL;
	while (len > 0) {
		*link = get_for(len, how, type, 0);
		if (!*link) {
			m_freem(top);
			return NULL;
		}
		len -= m_size(*link);
		link = &(*link)->m_next;
	}
	if (!m)
		return top;
	last_of(m)->m_next = top;
	return m;
}
EXPORT_SYMBOL_GPL(m_getm);

/**
 * m_length() - count a chain's bytes
 * @m: the chain
 * @last: where to leave its last mbuf, or NULL
 *
 * Return: bytes.
 */
unsigned int m_length(struct mbuf *m, struct mbuf **last)
{
	unsigned int len = 0;

	for (; m; m = m->m_next) {
		len += m->m_len;
		if (last)
			*last = m;
	}
	return len;
}
EXPORT_SYMBOL_GPL(m_length);

/**
 * m_dup_pkthdr() - copy a packet's header
 * @to: an mbuf with no data; if it has no data elsewhere, room for it moves
 * @from: the first mbuf of a packet
 * @how: not used: there is nothing to allocate
 *
 * Return: 1.
 */
int m_dup_pkthdr(struct mbuf *to, const struct mbuf *from, int how)
{
	to->m_flags = (from->m_flags & M_COPYFLAGS) |
		      (to->m_flags & (M_EXT | M_RDONLY));
	if (!(to->m_flags & M_EXT))
		to->m_data = to->m_pktdat;
	to->m_pkthdr = from->m_pkthdr;
	return 1;
}
EXPORT_SYMBOL_GPL(m_dup_pkthdr);

/**
 * m_move_pkthdr() - let another mbuf begin the packet
 * @to: as for m_dup_pkthdr()
 * @from: the first mbuf of a packet, which is not one any more
 */
void m_move_pkthdr(struct mbuf *to, struct mbuf *from)
{
	m_dup_pkthdr(to, from, M_NOWAIT);
	from->m_flags &= ~M_PKTHDR;
}
EXPORT_SYMBOL_GPL(m_move_pkthdr);

/*
 * An mbuf with @len bytes of @m from @off on, by reference where they are
 * elsewhere; the header of a packet as well if @hdr.
 */
static struct mbuf *copy_one(struct mbuf *m, int off, int len, int how,
			     bool hdr)
{
	struct mbuf *n = hdr ? m_gethdr(how, m->m_type) : m_get(how, m->m_type);

	if (!n)
		return NULL;
	if (hdr)
		m_dup_pkthdr(n, m, how);
	n->m_len = len;
	if (m->m_flags & M_EXT) {
		ext_share(n, m);
		n->m_data = m->m_data + off;
	} else {
		memcpy(n->m_data, m->m_data + off, len);
	}
	return n;
}

/**
 * m_copym() - copy a part of a chain, sharing what can be shared
 * @m: the chain
 * @off: first byte
 * @len: bytes, or M_COPYALL for all the rest
 * @how: M_WAITOK or M_NOWAIT
 *
 * What is in clusters or a consumer's memory is not copied but referred to once
 * more, so neither chain may be written to there any longer (M_WRITABLE). With
 * @off 0 a packet's header is copied, too.
 *
 * Return: a new chain; NULL with M_NOWAIT, or where there are no such bytes.
 */
struct mbuf *m_copym(struct mbuf *m, int off, int len, int how)
{
	bool hdr = !off && m->m_flags & M_PKTHDR;
	struct mbuf *top = NULL, **link = &top;
	int total;

	if (!has_range(m, off, len == M_COPYALL ? 0 : len) || !len)
		return NULL;
	if (len == M_COPYALL)
		len = m_length(m, NULL) - off;
	total = len;
	if (!hdr)
		m = seek(m, &off);
	for (; m && (len || hdr); m = m->m_next) {
		int n = min(len, m->m_len - off);

		*link = copy_one(m, off, n, how, hdr);
		if (!*link) {
			m_freem(top);
			return NULL;
		}
		if (hdr)
			top->m_pkthdr.len = total;
		link = &(*link)->m_next;
		hdr = false;
		len -= n;
		off = 0;
	}
	return top;
}
EXPORT_SYMBOL_GPL(m_copym);

/**
 * m_copypacket() - copy a whole packet, sharing what can be shared
 * @m: the packet
 * @how: M_WAITOK or M_NOWAIT
 *
 * Return: as m_copym().
 */
struct mbuf *m_copypacket(struct mbuf *m, int how)
{
	return m_copym(m, 0, M_COPYALL, how);
}
EXPORT_SYMBOL_GPL(m_copypacket);

/**
 * m_dup() - copy a chain, sharing nothing
 * @m: the chain
 * @how: M_WAITOK or M_NOWAIT
 *
 * Return: a new chain that can be written to; NULL with M_NOWAIT, or for a
 * chain without data.
 */
struct mbuf *m_dup(struct mbuf *m, int how)
{
	int off = 0, len = m_length(m, NULL);
	struct mbuf *top = NULL, *n;

	if (!len)
		return NULL;
	if (m->m_flags & M_PKTHDR) {
		top = get_for(len, how, m->m_type, M_PKTHDR);
		if (!top)
			return NULL;
		m_dup_pkthdr(top, m, how);
		top->m_pkthdr.len = len;
	}
	if (!top || len > m_size(top)) {
		n = m_getm(top, len - (top ? m_size(top) : 0), how, m->m_type);
		if (!n) {
			m_freem(top);
			return NULL;
		}
		top = n;
	}
	for (n = top; n; n = n->m_next) {
		n->m_len = min(len - off, m_size(n));
		m_copydata(m, off, n->m_len, n->m_data);
		off += n->m_len;
	}
	return top;
}
EXPORT_SYMBOL_GPL(m_dup);

/**
 * m_apply() - call a function for each piece of a range
 * @m: the chain
 * @off: first byte
 * @len: bytes
 * @f: gets @arg, a piece and its bytes; what it returns other than 0 ends it
 * @arg: for @f
 *
 * Return: what @f returned last, 0 for no bytes, -EINVAL where there are none such.
 */
int m_apply(struct mbuf *m, int off, int len,
	    int (*f)(void *arg, void *data, unsigned int len), void *arg)
{
	int error;

	if (!has_range(m, off, len))
		return -EINVAL;
	for (m = seek(m, &off); len; m = m->m_next) {
		int n = min(len, m->m_len - off);

		if (n) {
			error = f(arg, m->m_data + off, n);
			if (error)
				return error;
		}
		len -= n;
		off = 0;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(m_apply);

static int copy_out(void *arg, void *data, unsigned int len)
{
	char **to = arg;

	memcpy(*to, data, len);
	*to += len;
	return 0;
}

/**
 * m_copydata() - copy bytes out of a chain
 * @m: the chain
 * @off: first byte
 * @len: bytes
 * @cp: where to
 *
 * Return: 0, or -EINVAL where there are no such bytes. (BSD's asserts.)
 */
int m_copydata(const struct mbuf *m, int off, int len, void *cp)
{
	return m_apply((struct mbuf *)m, off, len, copy_out, &cp);
}
EXPORT_SYMBOL_GPL(m_copydata);

static int copy_in(void *arg, void *data, unsigned int len)
{
	const char **from = arg;

	if (*from) {
		memcpy(data, *from, len);
		*from += len;
	} else {
		memset(data, 0, len);
	}
	return 0;
}

/* May all of a range that there is be written to? */
static bool range_writable(const struct mbuf *m, int off, int len)
{
	for (; m && len > 0; m = m->m_next) {
		if (off < m->m_len && !m_writable(m))
			return false;
		len -= max(m->m_len - off, 0);
		off = max(off - m->m_len, 0);
	}
	return true;
}

/*
 * Add @len bytes to the end: those at @cp, or zeros. All or none: first the
 * room, then the bytes.
 */
static int extend(struct mbuf *m, int len, const void *cp)
{
	struct mbuf *last, *n;
	int room, old;

	old = m_length(m, &last);
	if (len > INT_MAX - old)
		return -EINVAL;
	room = min(len, m_trailingspace(last));
	if (len > room && !m_getm(last, len - room, M_NOWAIT, m->m_type))
		return -ENOMEM;
	last->m_len += room;
	for (n = last->m_next; n; n = n->m_next) {
		n->m_len = min(len - room, m_size(n));
		room += n->m_len;
	}
	if (m->m_flags & M_PKTHDR)
		m->m_pkthdr.len = old + len;
	return m_apply(m, old, len, copy_in, &cp);
}

/**
 * m_copyback() - copy bytes into a chain, which grows if they go past its end
 * @m: the chain
 * @off: where to; a gap between the end and it is filled with zeros
 * @len: bytes
 * @cp: where from
 *
 * Return: 0; -EINVAL; -ENOMEM; -EROFS where the bytes are shared or M_RDONLY: then
 * the chain is as it was. (BSD's returns nothing, and writes to what is shared.)
 */
int m_copyback(struct mbuf *m, int off, int len, const void *cp)
{
	int old = m_length(m, NULL), within, error = 0;

	if (off < 0 || len < 0 || len > INT_MAX - off)
		return -EINVAL;
	within = clamp(old - off, 0, len);
	if (!range_writable(m, off, within))
		return -EROFS;
	if (off + len > old) {
		error = extend(m, off + len - old, NULL);
		if (error)
			return error;
	}
	return m_apply(m, off, len, copy_in, &cp);
}
EXPORT_SYMBOL_GPL(m_copyback);

/**
 * m_append() - add bytes to the end of a chain
 * @m: the chain
 * @len: how many
 * @cp: the bytes
 *
 * Context: any but NMI; does not sleep.
 * Return: 1; 0 for want of memory, or for @len below 0: then the chain is as it was.
 */
int m_append(struct mbuf *m, int len, const void *cp)
{
	return len >= 0 && cp && !extend(m, len, cp);
}
EXPORT_SYMBOL_GPL(m_append);

/**
 * m_adj() - cut bytes off
 * @m: the chain
 * @req_len: above 0: so many at the beginning; below: at the end; at most all
 *
 * No mbuf is freed: some may have no data afterwards.
 */
void m_adj(struct mbuf *m, int req_len)
{
	int total = m_length(m, NULL), keep, cut;
	struct mbuf *n;

	if (req_len >= 0) {
		cut = min(req_len, total);
		keep = total - cut;
		for (n = m; n && cut; n = n->m_next) {
			int here = min(cut, n->m_len);

			n->m_data += here;
			n->m_len -= here;
			cut -= here;
		}
	} else {
		keep = max_t(s64, (s64)total + req_len, 0);
		for (n = m, cut = keep; n; n = n->m_next) {
			n->m_len = min(n->m_len, cut);
			cut -= n->m_len;
		}
	}
	if (m->m_flags & M_PKTHDR)
		m->m_pkthdr.len = keep;
}
EXPORT_SYMBOL_GPL(m_adj);

/**
 * m_cat() - join two chains
 * @m: the first
 * @n: the second; the caller's no longer
 *
 * Bytes move to the end of @m as long as there is room inside its last mbuf.
 * Packet headers stay as they are, their lengths too.
 */
void m_cat(struct mbuf *m, struct mbuf *n)
{
	m = last_of(m);
	while (n) {
		if (m->m_flags & M_EXT || m_trailingspace(m) < n->m_len) {
			m->m_next = n;
			return;
		}
		memcpy(m->m_data + m->m_len, n->m_data, n->m_len);
		m->m_len += n->m_len;
		n = m_free(n);
	}
}
EXPORT_SYMBOL_GPL(m_cat);

/**
 * m_prepend() - put an mbuf before a chain
 * @m: the chain; a packet's header moves, its length stays
 * @len: bytes that it is to have, at most MHLEN; their contents are undefined
 * @how: M_WAITOK or M_NOWAIT
 *
 * M_PREPEND() uses room in @m if there is any, and sets the length.
 *
 * Return: the chain; NULL where memory is short or @len wrong: then @m is freed.
 */
struct mbuf *m_prepend(struct mbuf *m, int len, int how)
{
	struct mbuf *n = NULL;

	if (len >= 0 && len <= MHLEN)
		n = m_get(how, m->m_type);
	if (!n) {
		m_freem(m);
		return NULL;
	}
	if (m->m_flags & M_PKTHDR)
		m_move_pkthdr(n, m);
	m_align(n, len);
	n->m_len = len;
	n->m_next = m;
	return n;
}
EXPORT_SYMBOL_GPL(m_prepend);

/**
 * m_pullup() - bring a chain's first bytes into one piece
 * @m: the chain
 * @len: bytes, at most MHLEN
 *
 * Context: any but NMI; does not sleep.
 * Return: the chain, the first @len bytes at mtod(); NULL where memory is short, the
 * chain shorter, or @len wrong: then @m is freed.
 */
struct mbuf *m_pullup(struct mbuf *m, int len)
{
	struct mbuf *top = m, *rest;
	int want;

	if (len < 0 || len > MHLEN || !has_range(m, 0, len))
		goto fail;
	if (m->m_len >= len)
		return m;
	if (m->m_flags & M_EXT ||
	    m_start(m) + m_size(m) - (m->m_data + m->m_len) <
	    len - m->m_len) {
		top = m_get(M_NOWAIT, m->m_type);
		if (!top)
			goto fail;
		if (m->m_flags & M_PKTHDR)
			m_move_pkthdr(top, m);
		rest = m;
	} else {
		rest = m->m_next;
	}
	while (top->m_len < len) {
		want = min(len - top->m_len, rest->m_len);
		memcpy(top->m_data + top->m_len, rest->m_data, want);
		top->m_len += want;
		rest->m_data += want;
		rest->m_len -= want;
		if (!rest->m_len)
			rest = m_free(rest);
	}
	top->m_next = rest;
	return top;
fail:
	m_freem(m);
	return NULL;
}
EXPORT_SYMBOL_GPL(m_pullup);

/**
 * m_split() - divide a chain in two
 * @m: the chain, which keeps the first part
 * @len: its bytes from now on
 * @how: M_WAITOK or M_NOWAIT
 *
 * An mbuf that is divided shares its data if that is elsewhere. Of a packet the
 * second part is a packet as well.
 *
 * Return: the second part; NULL where memory is short or the chain shorter: then @m
 * is as it was; and NULL for a second part without an mbuf.
 */
struct mbuf *m_split(struct mbuf *m, int len, int how)
{
	bool hdr = m->m_flags & M_PKTHDR;
	struct mbuf *at = m, *top = NULL, *piece = NULL;
	int off = len, rest;

	if (!has_range(m, 0, len))
		return NULL;
	while (off > at->m_len) {
		off -= at->m_len;
		at = at->m_next;
	}
	rest = at->m_len - off;
	if (rest) {
		piece = copy_one(at, off, rest, how, false);
		if (!piece)
			return NULL;
	}
	if (hdr) {
		top = m_gethdr(how, m->m_type);
		if (!top) {
			m_freem(piece);
			return NULL;
		}
		m_dup_pkthdr(top, m, how);
		top->m_pkthdr.len = m_length(m, NULL) - len;
		m->m_pkthdr.len = len;
	}
	at->m_len = off;
	if (piece)
		piece->m_next = at->m_next;
	else
		piece = at->m_next;
	at->m_next = NULL;
	if (!top)
		return piece;
	top->m_next = piece;
	return top;
}
EXPORT_SYMBOL_GPL(m_split);

/* The limit on clusters, at load and at run time. */

static int nmbclusters_set(const char *val, const struct kernel_param *kp)
{
	int n, error;

	error = kstrtoint(val, 10, &n);
	if (error || n < 0) {
		pr_err("nmbclusters=%s is not a number of clusters from 0 (no limit) to %d\n",
		       val, INT_MAX);
		return -EINVAL;
	}
	nmbclusters = n;
	if (started)
		uma_zone_set_max(zone_clust, n);
	return 0;
}

static int nmbclusters_get(char *buffer, const struct kernel_param *kp)
{
	return scnprintf(buffer, PAGE_SIZE, "%d\n",
			 started ? uma_zone_get_max(zone_clust) : nmbclusters);
}

static const struct kernel_param_ops nmbclusters_ops = {
	.set = nmbclusters_set,
	.get = nmbclusters_get,
};

module_param_cb(nmbclusters, &nmbclusters_ops, NULL, 0644);
MODULE_PARM_DESC(nmbclusters,
		 "most clusters for network buffers, 0 for no limit (half of the pool)");

/**
 * uma_mbuf_default_clusters() - the limit on clusters where none is given
 * @pages: pages of the pool
 *
 * Return: as many clusters as half of the pool holds.
 */
int uma_mbuf_default_clusters(unsigned long pages)
{
	return clamp_t(u64, (u64)pages * PAGE_SIZE / MCLBYTES / 2, 1, INT_MAX);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(uma_mbuf_default_clusters);

/**
 * uma_mbuf_startup() - create the zones
 *
 * Context: process context, at load, after uma_startup().
 * Return: 0, or -ENOMEM with nothing left behind.
 */
int uma_mbuf_startup(void)
{
	struct uma_pool_stats st;

	zone_mbuf = uma_zcreate(MBUF_MEM_NAME, MSIZE, NULL, NULL, NULL, NULL,
				MSIZE - 1, 0);
	zone_clust = uma_zcreate(MBUF_CLUSTER_MEM_NAME, MCLBYTES, NULL, NULL,
				 NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_REFCNT);
	zone_ext_refcnt = uma_zcreate(MBUF_EXTREFCNT_MEM_NAME, sizeof(u32),
				      NULL, NULL, NULL, NULL, UMA_ALIGN_PTR,
				      UMA_ZONE_NOFREE);
	if (zone_mbuf)
		zone_pack = uma_zsecond_create(MBUF_PACKET_MEM_NAME, NULL, NULL,
					       pack_zinit, pack_zfini,
					       zone_mbuf);
	if (!zone_clust || !zone_pack || !zone_ext_refcnt) {
		uma_mbuf_shutdown();
		return -ENOMEM;
	}
	zone_pack->uz_holds = zone_clust->uz_keg;
	uma_pool_get_stats(uma_pool, &st);
	kernel_param_lock(THIS_MODULE);
	if (nmbclusters < 0)
		nmbclusters = uma_mbuf_default_clusters(st.pages);
	uma_zone_set_max(zone_clust, nmbclusters);
	started = true;
	kernel_param_unlock(THIS_MODULE);
	return 0;
}

/**
 * uma_mbuf_shutdown() - destroy the zones
 *
 * Context: process context, at unload, before uma_shutdown(), which names what
 * could not be destroyed.
 */
void uma_mbuf_shutdown(void)
{
	static const int order[] = {
		UMA_MBUF_PACKET, UMA_MBUF_CLUSTER, UMA_MBUF, UMA_MBUF_EXTREFCNT,
	};
	unsigned int i;

	kernel_param_lock(THIS_MODULE);
	started = false;
	kernel_param_unlock(THIS_MODULE);
	irq_work_sync(&drain_irq_work);
	cancel_work_sync(&drain_work);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		if (!uma_zdestroy(uma_mbuf_zones[order[i]]))
			uma_mbuf_zones[order[i]] = NULL;
	}
}
