/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network buffers for Linux, on UMA: the interface that consumers include.
 *
 * Names and meanings are those of BSD's mbuf(9). An mbuf is 256 bytes: a
 * header, and either data of its own or a description of data elsewhere. A
 * packet is a chain of them by m_next; packets queue by m_nextpkt.
 *
 *	+-----------------------+   +-----------------------+
 *	| m_next m_data m_len ..|   | m_next m_data m_len ..|   m_hdr
 *	+-----------------------+   +-----------------------+
 *	| rcvif len ..          |   |                       |   m_pkthdr, of the
 *	+-----------------------+   |                       |   first of a packet
 *	| ext_buf ref_cnt ..    |   |                       |   m_ext, if M_EXT
 *	|                       |   | m_dat                 |
 *	+---------|-------------+   +-----------------------+
 *	          v
 *	 cluster, or a consumer's own memory
 *
 * What differs from BSD is said at the declaration or the function: mostly, what
 * BSD asserts is answered with an errno or NULL here, and nothing is changed.
 */
#ifndef _UMA_MBUF_H
#define _UMA_MBUF_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include "uma/uma.h"

#define MSIZE		256	/* bytes of an mbuf */
#define MCLBYTES	2048	/* bytes of a cluster */

/* What the zones are called in statistics. */
#define MBUF_MEM_NAME		"mbuf"
#define MBUF_CLUSTER_MEM_NAME	"mbuf_cluster"
#define MBUF_PACKET_MEM_NAME	"mbuf_packet"
#define MBUF_EXTREFCNT_MEM_NAME	"mbuf_ext_refcnt"

/**
 * struct pkthdr - what is known of a packet; in its first mbuf
 * @rcvif: the interface that it came from, of whatever type the consumer has
 * @header: the consumer's
 * @len: bytes of the whole chain
 * @csum_flags: the consumer's, as all that follow
 * @csum_data: see above
 * @tso_segsz: see above
 * @ether_vtag: see above
 */
struct pkthdr {
	void *rcvif;
	void *header;
	int len;
	int csum_flags;
	int csum_data;
	u16 tso_segsz;
	u16 ether_vtag;
};

/**
 * struct m_ext - data that is not in the mbuf
 * @ext_buf: its start
 * @ext_free: gives it back, for types other than clusters
 * @ext_args: second argument of @ext_free
 * @ref_cnt: mbufs that refer to it; survives the data (see mbuf.c)
 * @ext_size: its bytes
 * @ext_type: EXT_*
 */
struct m_ext {
	char *ext_buf;
	void (*ext_free)(void *buf, void *args);
	void *ext_args;
	u32 *ref_cnt;
	unsigned int ext_size;
	int ext_type;
};

struct mbuf;

#define MLEN	(MSIZE - 40)			/* data in an mbuf, */
#define MHLEN	(MLEN - (int)sizeof(struct pkthdr)) /* if it begins a packet */

/* From so many bytes on a cluster costs less than a chain. */
#define MINCLSIZE	(MHLEN + 1)

/**
 * struct mbuf - a network buffer
 * @m_next: next mbuf of the packet
 * @m_nextpkt: next packet of a queue
 * @m_data: where the data begins
 * @m_len: its bytes in this mbuf
 * @m_flags: M_*
 * @m_type: MT_*
 * @m_pkthdr: with M_PKTHDR
 * @m_ext: with M_EXT
 * @m_pktdat: room for data, with M_PKTHDR and without M_EXT
 * @m_dat: room for data, with neither
 */
struct mbuf {
	struct_group(m_hdr,
		struct mbuf *m_next;
		struct mbuf *m_nextpkt;
		char *m_data;
		int m_len;
		int m_flags;
		short m_type;
	);
	union {
		struct {
			struct pkthdr m_pkthdr;
			union {
				struct m_ext m_ext;
				char m_pktdat[MHLEN];
			};
		};
		char m_dat[MLEN];
	};
};

static_assert(sizeof(struct mbuf) == MSIZE);
static_assert(offsetof(struct mbuf, m_dat) + MLEN == MSIZE);
static_assert(offsetof(struct mbuf, m_pktdat) + MHLEN == MSIZE);

/* m_flags */
#define M_EXT		0x0001	/* has data elsewhere */
#define M_PKTHDR	0x0002	/* begins a packet */
#define M_EOR		0x0004	/* ends a record */
#define M_RDONLY	0x0008	/* its data must not be written, though alone */
#define M_PROTO1	0x0010	/* the consumer's, as all that follow */
#define M_PROTO2	0x0020
#define M_PROTO3	0x0040
#define M_PROTO4	0x0080
#define M_PROTO5	0x0100
#define M_BCAST		0x0200
#define M_MCAST		0x0400
#define M_FRAG		0x0800
#define M_FIRSTFRAG	0x1000
#define M_LASTFRAG	0x2000
#define M_VLANTAG	0x4000

/* Those that go with a packet's header; the others tell of the storage. */
#define M_COPYFLAGS	(M_PKTHDR | M_EOR | M_PROTO1 | M_PROTO2 | M_PROTO3 | \
			 M_PROTO4 | M_PROTO5 | M_BCAST | M_MCAST | M_FRAG | \
			 M_FIRSTFRAG | M_LASTFRAG | M_VLANTAG)

/* m_type */
#define MT_DATA		1
#define MT_HEADER	MT_DATA
#define MT_SONAME	8
#define MT_CONTROL	14
#define MT_OOBDATA	15

/* ext_type */
#define EXT_CLUSTER	1	/* a cluster of its own */
#define EXT_PACKET	3	/* a cluster that came with a packet */
#define EXT_NET_DRV	100	/* m_extadd() of a consumer's, as all from here */
#define EXT_MOD_TYPE	200
#define EXT_DISPOSABLE	300
#define EXT_EXTREF	400	/* with a counter of the consumer's, too */

#define M_COPYALL	1000000000	/* a length: to the end */

struct mbuf *m_get(int how, short type);
struct mbuf *m_gethdr(int how, short type);
struct mbuf *m_getcl(int how, short type, int flags);
struct mbuf *m_getm(struct mbuf *m, int len, int how, short type);
int m_clget(struct mbuf *m, int how);
int m_extadd(struct mbuf *m, void *buf, unsigned int size,
	     void (*freef)(void *buf, void *args), void *args, int flags,
	     int type);
struct mbuf *m_free(struct mbuf *m);
void m_freem(struct mbuf *m);

struct mbuf *m_copym(struct mbuf *m, int off, int len, int how);
struct mbuf *m_copypacket(struct mbuf *m, int how);
struct mbuf *m_dup(struct mbuf *m, int how);
int m_dup_pkthdr(struct mbuf *to, const struct mbuf *from, int how);
void m_move_pkthdr(struct mbuf *to, struct mbuf *from);
int m_copydata(const struct mbuf *m, int off, int len, void *cp);
int m_copyback(struct mbuf *m, int off, int len, const void *cp);
int m_append(struct mbuf *m, int len, const void *cp);
int m_apply(struct mbuf *m, int off, int len,
	    int (*f)(void *arg, void *data, unsigned int len), void *arg);
void m_adj(struct mbuf *m, int req_len);
void m_cat(struct mbuf *m, struct mbuf *n);
struct mbuf *m_split(struct mbuf *m, int len, int how);
struct mbuf *m_prepend(struct mbuf *m, int len, int how);
struct mbuf *m_pullup(struct mbuf *m, int len);
unsigned int m_length(struct mbuf *m, struct mbuf **last);

/* The data of @m as a pointer to another type. */
#define mtod(m, t)	((t)((m)->m_data))

#define MGET(m, how, type)	((m) = m_get((how), (type)))
#define MGETHDR(m, how, type)	((m) = m_gethdr((how), (type)))
#define MCLGET(m, how)		((void)m_clget((m), (how)))
#define MEXTADD(m, buf, size, freef, args, flags, type)			\
	m_extadd((m), (buf), (size), (freef), (args), (flags), (type))

/**
 * m_start() - where the room for data begins
 * @m: an mbuf
 */
static inline char *m_start(struct mbuf *m)
{
	if (m->m_flags & M_EXT)
		return m->m_ext.ext_buf;
	return m->m_flags & M_PKTHDR ? m->m_pktdat : m->m_dat;
}

/**
 * m_size() - how much room for data there is
 * @m: an mbuf
 */
static inline int m_size(const struct mbuf *m)
{
	if (m->m_flags & M_EXT)
		return m->m_ext.ext_size;
	return m->m_flags & M_PKTHDR ? MHLEN : MLEN;
}

/**
 * m_writable() - may the data be written to?
 * @m: an mbuf of the caller's
 *
 * Return: false where another mbuf refers to the same data, or for M_RDONLY.
 */
static inline bool m_writable(const struct mbuf *m)
{
	if (m->m_flags & M_RDONLY)
		return false;
	/* Pairs with the release of whoever else had it. */
	return !(m->m_flags & M_EXT) || smp_load_acquire(m->m_ext.ref_cnt) == 1;
}

/**
 * m_leadingspace() - bytes that can be written before the data
 * @m: an mbuf of the caller's
 */
static inline int m_leadingspace(struct mbuf *m)
{
	return m_writable(m) ? m->m_data - m_start(m) : 0;
}

/**
 * m_trailingspace() - bytes that can be written after the data
 * @m: an mbuf of the caller's
 */
static inline int m_trailingspace(struct mbuf *m)
{
	if (!m_writable(m))
		return 0;
	return m_start(m) + m_size(m) - (m->m_data + m->m_len);
}

#define M_WRITABLE(m)		m_writable(m)
#define M_LEADINGSPACE(m)	m_leadingspace(m)
#define M_TRAILINGSPACE(m)	m_trailingspace(m)

/**
 * m_align() - put an object at the end of an empty mbuf
 * @m: an mbuf without data
 * @len: bytes that are to follow, at most m_size()
 */
static inline void m_align(struct mbuf *m, int len)
{
	m->m_data = m_start(m) + ((m_size(m) - len) & ~(sizeof(long) - 1));
}

/**
 * m_prepend_to() - make room in front of the data, in place where there is any
 * @mp: a chain, which is freed if that fails, and then NULL; otherwise with
 *	@len more bytes at its beginning, whose contents are undefined
 * @len: bytes, at most MHLEN
 * @how: M_WAITOK or M_NOWAIT
 */
static inline void m_prepend_to(struct mbuf **mp, int len, int how)
{
	struct mbuf *m = *mp;

	if (len >= 0 && m_leadingspace(m) >= len) {
		m->m_data -= len;
		m->m_len += len;
	} else {
		m = m_prepend(m, len, how);
	}
	if (m && m->m_flags & M_PKTHDR)
		m->m_pkthdr.len += len;
	*mp = m;
}

#define M_PREPEND(m, len, how)	m_prepend_to(&(m), (len), (how))
#define M_ALIGN(m, len)		m_align((m), (len))
#define MH_ALIGN(m, len)	m_align((m), (len))

#endif /* _UMA_MBUF_H */
