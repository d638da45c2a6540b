// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network buffers: one call for an mbuf and its cluster, references that are
 * let go in any order and by several threads at once, external memory that is
 * freed once, the limit on clusters, chains, and numbers that add up.
 *
 * Clusters stay with their zone for good. So that every case can be asked for
 * the pool's pages back, the suite takes all that it will need beforehand, and
 * is kept to them by the limit.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "uma/mbuf.h"
#include "uma_test.h"

#define CLUSTERS	256
#define COUNTERS	600
#define PARAMETER	"/sys/module/uma/parameters/nmbclusters"
/* Long enough for anybody who was woken. */
#define PATIENCE	(10 * HZ)

#define zone_mbuf	(uma_mbuf_zones[UMA_MBUF])
#define zone_clust	(uma_mbuf_zones[UMA_MBUF_CLUSTER])
#define zone_pack	(uma_mbuf_zones[UMA_MBUF_PACKET])
#define zone_ext_refcnt	(uma_mbuf_zones[UMA_MBUF_EXTREFCNT])

static int limit_before;

/* What a case finds, to compare with what it leaves. */
static struct uma_test_totals before[UMA_MBUF_ZONES];

static u64 used(const struct uma_test_totals *t)
{
	return t->allocs - t->frees;
}

/* Clusters that are with somebody, and not in a packet that is free. */
static u64 clusters_out(struct kunit *test)
{
	struct uma_test_totals c = uma_test_totals(test, zone_clust);
	struct uma_test_totals p = uma_test_totals(test, zone_pack);

	return used(&c) - p.cpu_free - p.zone_free;
}

/* Mbufs that there are: out, cached, or in slabs. */
static u64 mbufs_made(const struct uma_test_totals *t)
{
	const struct uma_slab_layout *l = &zone_mbuf->uz_keg->uk_layout;

	return (u64)t->pages / l->pages * l->ipers;
}

static u64 mbufs_out(struct kunit *test)
{
	struct uma_test_totals m = uma_test_totals(test, zone_mbuf);
	struct uma_test_totals p = uma_test_totals(test, zone_pack);

	return used(&m) + used(&p);
}

static void expect_nothing_out(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < UMA_MBUF_ZONES; i++) {
		struct uma_test_totals t =
			uma_test_totals(test, uma_mbuf_zones[i]);

		if (i == UMA_MBUF_CLUSTER)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, t.allocs, t.frees, "%s",
				    uma_mbuf_zones[i]->uz_name);
	}
	/* A drain that a failure asked for may have packets in its hands yet. */
	for (i = 0; i < 100 && clusters_out(test); i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, clusters_out(test), 0);
}

static int mbuf_suite_init(struct kunit_suite *suite)
{
	limit_before = uma_zone_get_max(zone_clust);
	if (uma_zone_set_max(zone_clust, CLUSTERS) != CLUSTERS ||
	    uma_prealloc(zone_ext_refcnt, COUNTERS))
		return -ENOMEM;
	while (zone_clust->uz_keg->uk_pages < zone_clust->uz_keg->uk_maxpages)
		if (uma_prealloc(zone_clust, 1))
			return -ENOMEM;
	return 0;
}

static void mbuf_suite_exit(struct kunit_suite *suite)
{
	uma_zone_set_max(zone_clust, limit_before);
}

static int mbuf_test_init(struct kunit *test)
{
	unsigned int i;

	/* Clusters of packets come to their zone when that has had its turn. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	uma_test_init(test);
	for (i = 0; i < UMA_MBUF_ZONES; i++)
		before[i] = uma_test_totals(test, uma_mbuf_zones[i]);
	return 0;
}

static void mbuf_test_exit(struct kunit *test)
{
	expect_nothing_out(test);
	KUNIT_EXPECT_EQ(test, uma_zone_set_max(zone_clust, CLUSTERS),
			CLUSTERS);
	/* Drained, so that packets hold none either. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, uma_zone_in_use(zone_clust), 0);
	uma_test_exit(test);
}

/* What a consumer's memory needs: how often it was given back. */
struct ext {
	atomic_t freed;
	void *args;
	char buf[600];
};

static void ext_freed(void *buf, void *args)
{
	struct ext *e = container_of(buf, struct ext, buf);

	e->args = args;
	atomic_inc(&e->freed);
}

static struct ext *new_ext(struct kunit *test)
{
	struct ext *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, e);
	return e;
}

/* The kinds of data that can be shared. */
enum kind { CLUSTER, PACKET, EXTERNAL, EXTREF, KINDS };

static const char * const kind_name[KINDS] = {
	"cluster", "packet", "external", "extref",
};

static u32 own_counter;

static struct mbuf *new_kind(struct kunit *test, enum kind kind, struct ext *e)
{
	struct mbuf *m;

	if (kind == PACKET)
		m = m_getcl(M_WAITOK, MT_DATA, M_PKTHDR);
	else
		m = m_gethdr(M_WAITOK, MT_DATA);
	KUNIT_ASSERT_NOT_NULL(test, m);
	if (kind == CLUSTER) {
		KUNIT_ASSERT_EQ(test, m_clget(m, M_WAITOK), M_EXT);
	} else if (kind != PACKET) {
		m->m_ext.ref_cnt = &own_counter;
		KUNIT_ASSERT_EQ(test, m_extadd(m, e->buf, sizeof(e->buf),
					       ext_freed, e, 0,
					       kind == EXTREF ? EXT_EXTREF :
								EXT_MOD_TYPE),
				0);
	}
	m->m_len = 500;
	m->m_pkthdr.len = 500;
	memset(m->m_data, 0x40 + kind, 500);
	return m;
}

/* UMA-20: allocation */

static void uma_20_buffer_and_cluster_in_one_call(struct kunit *test)
{
	struct mbuf *m;

	m = m_getcl(M_NOWAIT, MT_HEADER, M_PKTHDR | M_BCAST);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_EQ(test, m->m_flags, M_PKTHDR | M_BCAST | M_EXT);
	KUNIT_EXPECT_EQ(test, m->m_type, MT_HEADER);
	KUNIT_EXPECT_EQ(test, m->m_len, 0);
	KUNIT_EXPECT_EQ(test, m->m_pkthdr.len, 0);
	KUNIT_EXPECT_NULL(test, m->m_next);
	KUNIT_EXPECT_NULL(test, m->m_nextpkt);
	KUNIT_EXPECT_PTR_EQ(test, m->m_data, m->m_ext.ext_buf);
	KUNIT_EXPECT_EQ(test, m->m_ext.ext_size, MCLBYTES);
	KUNIT_EXPECT_EQ(test, *m->m_ext.ref_cnt, 1);
	KUNIT_EXPECT_PTR_EQ(test, m->m_ext.ref_cnt,
			    uma_find_refcnt(zone_clust, m->m_ext.ext_buf));
	KUNIT_EXPECT_EQ(test, M_TRAILINGSPACE(m), MCLBYTES);
	KUNIT_EXPECT_EQ(test, M_LEADINGSPACE(m), 0);
	memset(m->m_data, 0xa5, MCLBYTES);
	KUNIT_EXPECT_EQ(test, mbufs_out(test), 1);
	KUNIT_EXPECT_EQ(test, clusters_out(test), 1);
	KUNIT_EXPECT_NULL(test, m_free(m));
	/* Flags that say where data is are not a caller's to give. */
	KUNIT_EXPECT_NULL(test, m_getcl(M_NOWAIT, MT_DATA, M_EXT));
	KUNIT_EXPECT_NULL(test, m_getcl(M_WAITOK, MT_DATA, M_RDONLY));
}

static void uma_20_buffers_with_and_without_header(struct kunit *test)
{
	struct mbuf *m, *h;

	MGET(m, M_WAITOK, MT_DATA);
	MGETHDR(h, M_WAITOK, MT_DATA);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_NOT_NULL(test, h);
	KUNIT_EXPECT_EQ(test, (unsigned long)m & (MSIZE - 1), 0);
	KUNIT_EXPECT_EQ(test, M_TRAILINGSPACE(m), MLEN);
	KUNIT_EXPECT_EQ(test, M_TRAILINGSPACE(h), MHLEN);
	KUNIT_EXPECT_PTR_EQ(test, mtod(m, void *), (void *)m->m_dat);
	KUNIT_EXPECT_PTR_EQ(test, mtod(h, void *), (void *)h->m_pktdat);
	memset(m->m_data, 1, MLEN);
	memset(h->m_data, 2, MHLEN);
	KUNIT_EXPECT_EQ(test, h->m_pkthdr.len, 0);
	MCLGET(m, M_WAITOK);
	KUNIT_EXPECT_TRUE(test, m->m_flags & M_EXT);
	KUNIT_EXPECT_EQ(test, m->m_ext.ext_type, EXT_CLUSTER);
	/* It has one. */
	KUNIT_EXPECT_EQ(test, m_clget(m, M_WAITOK), 0);
	m->m_next = h;
	KUNIT_EXPECT_EQ(test, mbufs_out(test), 2);
	KUNIT_EXPECT_EQ(test, clusters_out(test), 1);
	KUNIT_EXPECT_PTR_EQ(test, m_free(m), h);
	m_freem(h);
	m_freem(NULL);
}

/* Take every cluster there is, by way of packets and singly in turns. */
static struct mbuf *take_all_clusters(struct kunit *test)
{
	unsigned long end = jiffies + PATIENCE;
	struct mbuf *all = NULL, *m;
	unsigned int n;

	for (n = 0; n < CLUSTERS && time_before(jiffies, end);) {
		if (n % 2) {
			m = m_getcl(M_NOWAIT, MT_DATA, 0);
		} else {
			m = m_get(M_WAITOK, MT_DATA);
			if (!m_clget(m, M_NOWAIT)) {
				m_free(m);
				m = NULL;
			}
		}
		if (!m) {
			/* What others hold in caches comes soon. */
			msleep(20);
			continue;
		}
		m->m_next = all;
		all = m;
		n++;
	}
	KUNIT_ASSERT_EQ(test, n, CLUSTERS);
	KUNIT_EXPECT_EQ(test, clusters_out(test), CLUSTERS);
	KUNIT_EXPECT_NULL(test, m_getcl(M_NOWAIT, MT_DATA, 0));
	return all;
}

static void uma_20_packet_without_a_cluster_fails_whole(struct kunit *test)
{
	struct mbuf *all = take_all_clusters(test), *m;
	struct uma_test_totals pack[2], mbuf[2];
	unsigned int i;

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	pack[0] = uma_test_totals(test, zone_pack);
	mbuf[0] = uma_test_totals(test, zone_mbuf);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_NULL(test, m_getcl(M_NOWAIT, MT_DATA, M_PKTHDR));
	pack[1] = uma_test_totals(test, zone_pack);
	mbuf[1] = uma_test_totals(test, zone_mbuf);
	KUNIT_EXPECT_EQ(test, pack[1].fails - pack[0].fails, 100);
	KUNIT_EXPECT_EQ(test, pack[1].allocs, pack[0].allocs);
	KUNIT_EXPECT_EQ(test, pack[1].frees, pack[0].frees);
	/* Every mbuf that was to become a packet is back where it was. */
	KUNIT_EXPECT_EQ(test, pack[1].cpu_free + pack[1].zone_free, 0);
	KUNIT_EXPECT_EQ(test, mbuf[1].keg_free + mbuf[1].cpu_free +
			      mbuf[1].zone_free,
			mbufs_made(&mbuf[1]) - mbufs_out(test));
	KUNIT_EXPECT_EQ(test, mbufs_out(test), CLUSTERS);

	/* One back, one to be had, and not one more. */
	all = m_free(all);
	m = m_get(M_WAITOK, MT_DATA);
	KUNIT_EXPECT_EQ(test, m_clget(m, M_NOWAIT), M_EXT);
	KUNIT_EXPECT_NULL(test, m_getcl(M_NOWAIT, MT_DATA, 0));
	m_freem(m);
	m_freem(all);
	/* A whole chain, or nothing. */
	KUNIT_EXPECT_NULL(test, m_getm(NULL, (CLUSTERS + 1) * MCLBYTES,
				       M_NOWAIT, MT_DATA));
	expect_nothing_out(test);
}

static void uma_20_single_cluster_comes_from_a_cached_packet(struct kunit *test)
{
	struct mbuf *m[CLUSTERS / 4], *n;
	unsigned int i, got = 0;

	/* All of what the limit allows goes into this CPU's cached packets. */
	KUNIT_ASSERT_EQ(test, uma_zone_set_max(zone_clust, ARRAY_SIZE(m)),
			ARRAY_SIZE(m));
	for (i = 0; i < ARRAY_SIZE(m); i++)
		m[i] = m_getcl(M_WAITOK, MT_DATA, 0);
	for (i = 0; i < ARRAY_SIZE(m); i++)
		m_free(m[i]);
	expect_nothing_out(test);
	for (i = 0; i < 10; i++) {
		n = m_get(M_WAITOK, MT_DATA);
		if (m_clget(n, M_NOWAIT))
			got++;
		memset(n->m_data, i, M_TRAILINGSPACE(n));
		KUNIT_EXPECT_EQ(test, mbufs_out(test), i + 1);
		KUNIT_EXPECT_EQ(test, clusters_out(test), i + 1);
		m[i] = n;
	}
	KUNIT_EXPECT_EQ(test, got, 10);
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_NULL(test, memchr_inv(m[i]->m_data, i, MCLBYTES));
		m_free(m[i]);
	}
}

/* Who may sleep gets one, wherever it comes from. */

static struct {
	bool packet;
	struct mbuf *m;
	struct completion done;
} sleeper;

static int sleeper_fn(void *arg)
{
	struct mbuf *m;

	if (sleeper.packet) {
		m = m_getcl(M_WAITOK, MT_DATA, M_PKTHDR);
	} else {
		m = m_get(M_WAITOK, MT_DATA);
		m_clget(m, M_WAITOK);
	}
	sleeper.m = m;
	kthread_complete_and_exit(&sleeper.done, 0);
}

static void launch_sleeper(struct kunit *test, bool packet)
{
	sleeper.packet = packet;
	sleeper.m = NULL;
	init_completion(&sleeper.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(sleeper_fn, NULL,
						    "uma_mbuf_sleeper")));
}

static void start_sleeper(struct kunit *test, bool packet)
{
	u64 n = uma_test_totals(test, zone_clust).sleeps + 1;
	unsigned long end = jiffies + PATIENCE;

	launch_sleeper(test, packet);
	while (uma_test_totals(test, zone_clust).sleeps < n &&
	       time_before(jiffies, end))
		msleep(20);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone_clust).sleeps, n);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&sleeper.done));
}

static void expect_served(struct kunit *test)
{
	KUNIT_ASSERT_GT_MSG(test, wait_for_completion_timeout(&sleeper.done,
							      PATIENCE), 0,
			    "the sleeper was not woken");
	KUNIT_ASSERT_NOT_NULL(test, sleeper.m);
	KUNIT_EXPECT_TRUE(test, sleeper.m->m_flags & M_EXT);
	KUNIT_EXPECT_EQ(test, *sleeper.m->m_ext.ref_cnt, 1);
	m_freem(sleeper.m);
}

static void uma_20_sleeper_gets_a_freed_cluster(struct kunit *test)
{
	unsigned int packet, type;

	for (packet = 0; packet < 2; packet++) {
		for (type = 0; type < 2; type++) {
			struct mbuf *all = take_all_clusters(test), **p;
			struct mbuf *m;

			start_sleeper(test, packet);
			/* One that goes into a cached packet, and one not. */
			for (p = &all; *p; p = &(*p)->m_next)
				if ((*p)->m_ext.ext_type ==
				    (type ? EXT_PACKET : EXT_CLUSTER))
					break;
			KUNIT_ASSERT_NOT_NULL(test, *p);
			m = *p;
			*p = m_free(m);
			expect_served(test);
			m_freem(all);
		}
	}
}

/* They lie in free packets of this CPU, and of another if there is one. */
static void uma_20_sleeper_gets_a_cached_packets_cluster(struct kunit *test)
{
	unsigned int here = raw_smp_processor_id(), i, cached;
	unsigned int cpu = cpumask_any_but(cpu_online_mask, here);
	struct mbuf *m[40], *all = NULL, *n;
	struct uma_test_totals p;
	u64 sleeps;

	for (i = 0; i < ARRAY_SIZE(m); i++)
		m[i] = m_getcl(M_WAITOK, MT_DATA, 0);
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		if (i == ARRAY_SIZE(m) / 2 && cpu < nr_cpu_ids)
			set_cpus_allowed_ptr(current, cpumask_of(cpu));
		m_free(m[i]);
	}
	set_cpus_allowed_ptr(current, cpumask_of(here));
	/* All others are taken, and none is refused: nobody asks for a drain. */
	uma_zone_reclaim(zone_clust, UMA_RECLAIM_DRAIN_CPU);
	p = uma_test_totals(test, zone_pack);
	cached = p.cpu_free + p.zone_free;
	KUNIT_EXPECT_GE(test, cached, ARRAY_SIZE(m));
	for (i = 0; i < CLUSTERS - cached; i++) {
		n = m_get(M_WAITOK, MT_DATA);
		n->m_next = all;
		all = n;
		KUNIT_EXPECT_EQ(test, m_clget(n, M_NOWAIT), M_EXT);
	}
	KUNIT_EXPECT_EQ(test, clusters_out(test), CLUSTERS - cached);
	sleeps = uma_test_totals(test, zone_clust).sleeps;
	launch_sleeper(test, false);
	expect_served(test);
	KUNIT_EXPECT_EQ(test, uma_test_totals(test, zone_clust).sleeps,
			sleeps + 1);
	m_freem(all);
}

/* UMA-20: references */

static void uma_20_references_let_go_in_any_order(struct kunit *test)
{
	static const u8 order[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	enum kind kind;
	unsigned int i, k;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < ARRAY_SIZE(order); i++) {
			struct ext *e = new_ext(test);
			struct mbuf *m[3];

			m[0] = new_kind(test, kind, e);
			KUNIT_EXPECT_TRUE(test, M_WRITABLE(m[0]));
			m[1] = m_copym(m[0], 0, M_COPYALL, M_WAITOK);
			m[2] = m_copym(m[1], 100, 200, M_NOWAIT);
			KUNIT_ASSERT_NOT_NULL(test, m[1]);
			KUNIT_ASSERT_NOT_NULL(test, m[2]);
			KUNIT_EXPECT_PTR_EQ(test, m[2]->m_data,
					    m[0]->m_data + 100);
			KUNIT_EXPECT_EQ(test, *m[0]->m_ext.ref_cnt, 3);
			for (k = 0; k < 3; k++)
				KUNIT_EXPECT_FALSE(test, M_WRITABLE(m[k]));
			KUNIT_EXPECT_EQ(test, mbufs_out(test), 3);
			KUNIT_EXPECT_EQ(test, clusters_out(test),
					kind == CLUSTER || kind == PACKET);
			for (k = 0; k < 3; k++) {
				KUNIT_EXPECT_EQ_MSG(test,
						    atomic_read(&e->freed), 0,
						    "%s", kind_name[kind]);
				m_free(m[order[i][k]]);
				KUNIT_EXPECT_EQ(test, mbufs_out(test), 2 - k);
			}
			KUNIT_EXPECT_EQ_MSG(test, atomic_read(&e->freed),
					    kind == EXTERNAL || kind == EXTREF,
					    "%s", kind_name[kind]);
			if (kind == EXTERNAL || kind == EXTREF)
				KUNIT_EXPECT_PTR_EQ(test, e->args, (void *)e);
			expect_nothing_out(test);
		}
	}
}

/*
 * The race for the last reference, in slow motion: who lets go has read the
 * counter, and before it can change it another lets go, and another.
 */
static struct mbuf *others[4];
static unsigned int nothers, interposed;
static u32 *steered;

static void let_another_go(enum uma_steer_point point, void *obj)
{
	struct mbuf *m;

	if (point != UMA_STEER_UNREF || obj != steered || !nothers)
		return;
	m = others[--nothers];
	interposed++;
	m_free(m);
}

static void uma_20_race_for_the_last_reference_steered(struct kunit *test)
{
	unsigned int n, i, round;
	enum kind kind;

	for (kind = 0; kind < KINDS; kind++) {
		for (n = 1; n <= ARRAY_SIZE(others); n++) {
			struct ext *e = new_ext(test);
			struct mbuf *m = new_kind(test, kind, e);
			u32 *ref = m->m_ext.ref_cnt;

			for (i = 0; i < n; i++) {
				others[i] = m_copypacket(m, M_WAITOK);
				KUNIT_ASSERT_NOT_NULL(test, others[i]);
			}
			nothers = n;
			interposed = 0;
			steered = ref;
			uma_test_steer(let_another_go);
			m_free(m);
			uma_test_steer(NULL);
			KUNIT_EXPECT_EQ_MSG(test, interposed, n, "%s",
					    kind_name[kind]);
			KUNIT_EXPECT_EQ_MSG(test, atomic_read(&e->freed),
					    kind == EXTERNAL || kind == EXTREF,
					    "%s, %u others", kind_name[kind],
					    n);
			/* Ready for whoever has the data next. */
			KUNIT_EXPECT_EQ(test, *ref, 1);
			expect_nothing_out(test);
		}
	}
	/* The cluster that all this was about is given out once, not twice. */
	for (round = 0; round < 2; round++) {
		struct mbuf *m[40];

		for (i = 0; i < ARRAY_SIZE(m); i++) {
			m[i] = m_getcl(M_WAITOK, MT_DATA, 0);
			memset(m[i]->m_data, i, MCLBYTES);
		}
		for (i = 0; i < ARRAY_SIZE(m); i++) {
			KUNIT_EXPECT_NULL(test, memchr_inv(m[i]->m_data, i,
							   MCLBYTES));
			m_free(m[i]);
		}
	}
}

/*
 * The same race at full speed: this thread, one on another CPU, and perhaps an
 * interrupt there let go at the same moment. On a single CPU they take turns by
 * the tick.
 */
#define ROUNDS		5000
#define ROUNDS_MIN	20

static struct {
	struct mbuf *m[3];
	atomic_t left;		/* who is still to let go in this round */
	unsigned int round;	/* the latest that may begin */
	bool stop;
	struct completion done;
} race;

static int racer_fn(void *arg)
{
	unsigned int round;

	for (round = 1; ; round++) {
		/* Pairs with race_rounds(): what this round is about. */
		while (smp_load_acquire(&race.round) < round) {
			cpu_relax();
			cond_resched();
		}
		if (race.stop)
			break;
		m_free(race.m[1]);
		atomic_dec(&race.left);
	}
	kthread_complete_and_exit(&race.done, 0);
}

static void racer_interrupt(void *arg)
{
	m_free(race.m[2]);
	atomic_dec(&race.left);
}

static void race_rounds(struct kunit *test, unsigned int nracers)
{
	unsigned int cpu = cpumask_any_but(cpu_online_mask,
					   raw_smp_processor_id());
	unsigned long end = jiffies + 3 * HZ;
	unsigned int round, i, external = 0;
	struct ext *e = new_ext(test);
	struct task_struct *task;

	if (cpu >= nr_cpu_ids)
		cpu = raw_smp_processor_id();
	race.round = 0;
	race.stop = false;
	init_completion(&race.done);
	task = kthread_create(racer_fn, NULL, "uma_mbuf_racer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	kthread_bind(task, cpu);
	wake_up_process(task);
	for (round = 1; round <= ROUNDS; round++) {
		enum kind kind = round % KINDS;

		if (round > ROUNDS_MIN && time_after(jiffies, end))
			break;
		race.m[0] = new_kind(test, kind, e);
		for (i = 1; i < nracers; i++)
			race.m[i] = m_copypacket(race.m[0], M_WAITOK);
		external += kind == EXTERNAL || kind == EXTREF;
		atomic_set(&race.left, nracers);
		/* Pairs with racer_fn(), as below. */
		smp_store_release(&race.round, round);
		if (nracers == 3)
			smp_call_function_single(cpu, racer_interrupt, NULL, 0);
		m_free(race.m[0]);
		atomic_dec(&race.left);
		while (atomic_read(&race.left)) {
			cpu_relax();
			cond_resched();
		}
	}
	race.stop = true;
	/* Pairs with racer_fn(). */
	smp_store_release(&race.round, round);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&race.done, PATIENCE),
			0);
	KUNIT_EXPECT_EQ(test, atomic_read(&e->freed), external);
	kunit_info(test, "%u rounds\n", round - 1);
	expect_nothing_out(test);
}

static void uma_20_two_threads_race_for_the_last_reference(struct kunit *test)
{
	race_rounds(test, 2);
}

static void uma_20_three_race_for_the_last_reference(struct kunit *test)
{
	race_rounds(test, 3);
}

/* UMA-20: external memory */

static void uma_20_external_memory_is_freed_once(struct kunit *test)
{
	struct ext *e = new_ext(test), *f = new_ext(test);
	struct mbuf *m, *n;

	m = new_kind(test, EXTERNAL, e);
	KUNIT_EXPECT_EQ(test, m->m_ext.ext_type, EXT_MOD_TYPE);
	KUNIT_EXPECT_EQ(test, M_TRAILINGSPACE(m), 100);
	KUNIT_EXPECT_EQ(test, uma_zone_in_use(zone_ext_refcnt), 1);
	m_free(m);
	KUNIT_EXPECT_EQ(test, atomic_read(&e->freed), 1);
	KUNIT_EXPECT_EQ(test, uma_zone_in_use(zone_ext_refcnt), 0);

	/* A counter of the consumer's own, and memory that is never written. */
	m = m_get(M_WAITOK, MT_DATA);
	m->m_ext.ref_cnt = &own_counter;
	KUNIT_ASSERT_EQ(test, MEXTADD(m, f->buf, 10, ext_freed, NULL, M_RDONLY,
				      EXT_EXTREF), 0);
	KUNIT_EXPECT_EQ(test, uma_zone_in_use(zone_ext_refcnt), 0);
	KUNIT_EXPECT_EQ(test, own_counter, 1);
	KUNIT_EXPECT_FALSE(test, M_WRITABLE(m));
	m->m_len = 10;
	n = m_copym(m, 3, 4, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, n);
	KUNIT_EXPECT_EQ(test, own_counter, 2);
	m_free(m);
	/* Alone, and still not to be written. */
	KUNIT_EXPECT_FALSE(test, M_WRITABLE(n));
	KUNIT_EXPECT_EQ(test, atomic_read(&f->freed), 0);
	m_free(n);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->freed), 1);
	KUNIT_EXPECT_NULL(test, f->args);
}

static void uma_20_external_memory_refused(struct kunit *test)
{
	struct ext *e = new_ext(test);
	struct mbuf *m = m_get(M_WAITOK, MT_DATA), *c;
	int max, n, i;
	void **items;

	c = m_getcl(M_WAITOK, MT_DATA, 0);
	KUNIT_EXPECT_EQ(test, m_extadd(c, e->buf, 10, ext_freed, e, 0,
				       EXT_MOD_TYPE), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_extadd(m, NULL, 10, ext_freed, e, 0,
				       EXT_MOD_TYPE), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 0, ext_freed, e, 0,
				       EXT_MOD_TYPE), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 0x80000000, ext_freed, e, 0,
				       EXT_MOD_TYPE), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 10, NULL, e, 0,
				       EXT_MOD_TYPE), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 10, ext_freed, e, M_PKTHDR,
				       EXT_MOD_TYPE), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 10, ext_freed, e, 0,
				       EXT_CLUSTER), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 10, ext_freed, e, 0,
				       EXT_PACKET), -EINVAL);
	m->m_ext.ref_cnt = NULL;
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 10, ext_freed, e, 0,
				       EXT_EXTREF), -EINVAL);

	/* No counter to be had: all are taken, and no slab may be made. */
	max = uma_zone_set_max(zone_ext_refcnt, 1);
	n = zone_ext_refcnt->uz_keg->uk_slabs *
	    zone_ext_refcnt->uz_keg->uk_layout.ipers;
	KUNIT_EXPECT_LE(test, max, n);
	items = uma_test_items(test, n);
	for (i = 0; i < n; i++) {
		items[i] = uma_zalloc(zone_ext_refcnt, M_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(test, items[i]);
	}
	KUNIT_EXPECT_EQ(test, m_extadd(m, e->buf, 10, ext_freed, e, 0,
				       EXT_MOD_TYPE), -ENOMEM);
	KUNIT_EXPECT_EQ(test, m->m_flags, 0);
	KUNIT_EXPECT_PTR_EQ(test, (void *)m->m_data, (void *)m->m_dat);
	uma_test_put(zone_ext_refcnt, items, i);
	uma_zone_set_max(zone_ext_refcnt, 0);
	m_free(m);
	m_free(c);
	KUNIT_EXPECT_EQ(test, atomic_read(&e->freed), 0);
}

/* UMA-19: the limit on clusters */

static void uma_19_default_limit_scales_with_the_pool(struct kunit *test)
{
	struct uma_pool_stats st;
	unsigned long pages;
	int n, last = 0;

	for (pages = 1; pages <= 1UL << 40; pages *= 4) {
		n = uma_mbuf_default_clusters(pages);
		KUNIT_EXPECT_GE(test, n, last);
		KUNIT_EXPECT_GE(test, n, 1);
		/* Half of the pool, and neither more nor much less. */
		KUNIT_EXPECT_LE(test, (u64)n * MCLBYTES,
				(u64)pages * PAGE_SIZE / 2);
		if (n < INT_MAX)
			KUNIT_EXPECT_GT(test, (u64)(n + 1) * MCLBYTES,
					(u64)pages * PAGE_SIZE / 2);
		last = n;
	}
	KUNIT_EXPECT_EQ(test, uma_mbuf_default_clusters(0), 1);
	/* And that is what the zone had when this suite came. */
	uma_pool_get_stats(uma_pool, &st);
	n = uma_zone_set_max(zone_clust, uma_mbuf_default_clusters(st.pages));
	KUNIT_EXPECT_EQ(test, limit_before, n);
}

static long long parameter(struct kunit *test)
{
	struct file *file = filp_open(PARAMETER, O_RDONLY, 0);
	char text[32] = "";
	long long n = -1;
	loff_t pos = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_GT(test, kernel_read(file, text, sizeof(text) - 1, &pos),
			0);
	filp_close(file, NULL);
	KUNIT_EXPECT_EQ(test, kstrtoll(text, 10, &n), 0);
	return n;
}

static int set_parameter(const char *text)
{
	ssize_t n = uma_test_try_parameter(PARAMETER, text);

	return n < 0 ? n : 0;
}

static void uma_19_limit_on_clusters_at_run_time(struct kunit *test)
{
	static const char * const wrong[] = {
		"-1", "x", "10x", "2147483648", "-2147483649", "1e3",
		"99999999999999999999",
	};
	struct mbuf *m[8], *all;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, parameter(test), CLUSTERS);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		KUNIT_EXPECT_EQ_MSG(test, set_parameter(wrong[i]), -EINVAL,
				    "%s", wrong[i]);
		KUNIT_EXPECT_EQ(test, parameter(test), CLUSTERS);
	}

	/* Below what is out: nothing is taken back, nothing more is given. */
	all = take_all_clusters(test);
	KUNIT_EXPECT_EQ(test, set_parameter("8\n"), 0);
	KUNIT_EXPECT_EQ(test, parameter(test), 8);
	KUNIT_EXPECT_EQ(test, uma_zone_get_max(zone_clust), 8);
	KUNIT_EXPECT_NULL(test, m_getcl(M_NOWAIT, MT_DATA, 0));
	KUNIT_EXPECT_EQ(test, clusters_out(test), CLUSTERS);

	/* Raised: who waits gets one. */
	start_sleeper(test, true);
	KUNIT_EXPECT_EQ(test, set_parameter("2000"), 0);
	expect_served(test);
	m_freem(all);
	/* For that a slab was made, which stays: hence the last of the cases. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	test->priv = (void *)uma_test_free_pages();

	/* 0: none. What the suite has prepared is more than this takes. */
	KUNIT_EXPECT_EQ(test, set_parameter("0"), 0);
	KUNIT_EXPECT_EQ(test, parameter(test), 0);
	for (i = 0; i < ARRAY_SIZE(m); i++) {
		m[i] = m_getcl(M_NOWAIT, MT_DATA, 0);
		KUNIT_EXPECT_NOT_NULL(test, m[i]);
	}
	for (i = 0; i < ARRAY_SIZE(m); i++)
		m_freem(m[i]);
}

/* UMA-20: chains, against the same done to a plain array */

#define FLAT	9000

struct flat {
	u8 byte[FLAT];
	int len;
};

static struct rnd_state rnd;

static unsigned int below(unsigned int n)
{
	return prandom_u32_state(&rnd) % n;
}

/* A random chain of all kinds of mbufs, empty ones among them. */
static struct mbuf *random_chain(struct kunit *test, struct flat *flat,
				 bool hdr, struct ext *e)
{
	unsigned int i, n = 1 + below(6);
	struct mbuf *top = NULL, **link = &top, *m;

	flat->len = 0;
	for (i = 0; i < n; i++) {
		bool first = hdr && !i;
		int room, len, start, k;

		switch (below(4)) {
		case 0:
			m = m_getcl(M_WAITOK, MT_DATA, first ? M_PKTHDR : 0);
			break;
		case 1:
			m = first ? m_gethdr(M_WAITOK, MT_DATA) :
				    m_get(M_WAITOK, MT_DATA);
			if (e)
				KUNIT_EXPECT_EQ(test,
						m_extadd(m, e->buf,
							 sizeof(e->buf),
							 ext_freed, e, 0,
							 EXT_DISPOSABLE), 0);
			e = NULL;
			break;
		default:
			m = first ? m_gethdr(M_WAITOK, MT_DATA) :
				    m_get(M_WAITOK, MT_DATA);
		}
		KUNIT_ASSERT_NOT_NULL(test, m);
		room = min(m_size(m), 1400);
		start = below(room / 2);
		len = below(8) ? below(room - start) + 1 : 0;
		m->m_data += start;
		m->m_len = len;
		for (k = 0; k < len; k++) {
			u8 byte = below(256);

			m->m_data[k] = byte;
			flat->byte[flat->len++] = byte;
		}
		*link = m;
		link = &m->m_next;
	}
	if (hdr)
		top->m_pkthdr.len = flat->len;
	return top;
}

/* The chain holds those bytes, and is whole. */
static void expect_flat(struct kunit *test, struct mbuf *m,
			const struct flat *flat, bool hdr, const char *what)
{
	static u8 copy[FLAT];
	struct mbuf *n;

	KUNIT_ASSERT_NOT_NULL_MSG(test, m, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, m_length(m, NULL), flat->len, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, m_copydata(m, 0, flat->len, copy), 0, "%s",
			    what);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(copy, flat->byte, flat->len), 0, "%s",
			    what);
	KUNIT_EXPECT_EQ_MSG(test, !!(m->m_flags & M_PKTHDR), hdr, "%s", what);
	if (hdr)
		KUNIT_EXPECT_EQ_MSG(test, m->m_pkthdr.len, flat->len, "%s",
				    what);
	for (n = m; n; n = n->m_next) {
		KUNIT_EXPECT_GE_MSG(test, n->m_len, 0, "%s", what);
		KUNIT_EXPECT_TRUE_MSG(test, n->m_data >= m_start(n) &&
				      n->m_data + n->m_len <=
				      m_start(n) + m_size(n), "%s", what);
		if (n != m)
			KUNIT_EXPECT_FALSE_MSG(test, n->m_flags & M_PKTHDR,
					       "%s", what);
	}
}

static void flat_cut(struct flat *f, int off, int len)
{
	memmove(f->byte, f->byte + off, len);
	f->len = len;
}

static void random_bytes(u8 *p, int len)
{
	while (len--)
		*p++ = below(256);
}

/* Refused, and rightly: parts of a split chain share what was in one piece. */
static void expect_shared(struct kunit *test, struct mbuf *m, int error)
{
	KUNIT_EXPECT_EQ(test, error, -EROFS);
	while (m && M_WRITABLE(m))
		m = m->m_next;
	KUNIT_EXPECT_NOT_NULL(test, m);
}

/* One operation on a chain and on the array; the chain may change hands. */
static struct mbuf *random_step(struct kunit *test, struct mbuf *m,
				struct flat *f, bool hdr)
{
	static u8 bytes[3000];
	static struct flat part;
	struct mbuf *n;
	int off = below(f->len + 1), len = below(f->len - off + 1), i, error;

	part = *f;
	switch (below(11)) {
	case 0:	/* a shared copy of a part */
		n = m_copym(m, off, len, M_WAITOK);
		flat_cut(&part, off, len);
		if (len)
			expect_flat(test, n, &part, hdr && !off, "m_copym");
		else
			KUNIT_EXPECT_NULL(test, n);
		m_freem(n);
		break;
	case 1:	/* a copy of its own, which takes the place */
		n = m_dup(m, M_WAITOK);
		if (f->len) {
			m_freem(m);
			m = n;
		} else {
			KUNIT_EXPECT_NULL(test, n);
		}
		break;
	case 2:	/* over what is there, and beyond */
		if (f->len > FLAT - (int)sizeof(bytes) - 200)
			break;
		off += below(4) ? 0 : f->len - off + below(200);
		len = below(sizeof(bytes));
		random_bytes(bytes, len);
		error = m_copyback(m, off, len, bytes);
		if (error) {
			expect_shared(test, m, error);
			break;
		}
		if (off > f->len)
			memset(f->byte + f->len, 0, off - f->len);
		memcpy(f->byte + off, bytes, len);
		f->len = max(f->len, off + len);
		break;
	case 3:
		if (f->len > FLAT - (int)sizeof(bytes))
			break;
		len = below(sizeof(bytes));
		random_bytes(bytes, len);
		KUNIT_EXPECT_EQ(test, m_append(m, len, bytes), 1);
		memcpy(f->byte + f->len, bytes, len);
		f->len += len;
		break;
	case 4:	/* off the beginning */
		i = below(8) ? off / 2 : f->len + 5;
		m_adj(m, i);
		i = min(i, f->len);
		flat_cut(f, i, f->len - i);
		break;
	case 5:	/* off the end */
		i = below(8) ? len / 2 : f->len + 5;
		m_adj(m, -i);
		f->len -= min(i, f->len);
		break;
	case 6:	/* apart, and together again */
		n = m_split(m, off, M_WAITOK);
		f->len = off;
		expect_flat(test, m, f, hdr, "m_split, first part");
		f->len = part.len;
		if (n) {
			flat_cut(&part, off, part.len - off);
			expect_flat(test, n, &part, hdr, "m_split, rest");
			if (hdr) {
				m->m_pkthdr.len += n->m_pkthdr.len;
				n->m_flags &= ~M_PKTHDR;
				if (!(n->m_flags & M_EXT))
					KUNIT_EXPECT_LE(test, n->m_len, MHLEN);
			}
			m_cat(m, n);
		} else {
			KUNIT_EXPECT_EQ(test, off, part.len);
		}
		break;
	case 7:
		len = min(len, MHLEN);
		m = m_pullup(m, len);
		KUNIT_ASSERT_NOT_NULL(test, m);
		KUNIT_EXPECT_GE(test, m->m_len, len);
		KUNIT_EXPECT_EQ(test, memcmp(m->m_data, f->byte, len), 0);
		break;
	case 8:
		len = below(MHLEN + 1);
		if (f->len > FLAT - len)
			break;
		M_PREPEND(m, len, M_WAITOK);
		KUNIT_ASSERT_NOT_NULL(test, m);
		random_bytes(bytes, len);
		memmove(f->byte + len, f->byte, f->len);
		memcpy(f->byte, bytes, len);
		f->len += len;
		KUNIT_EXPECT_EQ(test, m_copyback(m, 0, len, bytes), 0);
		break;
	case 9:
		len = min_t(int, len, sizeof(bytes));
		KUNIT_EXPECT_EQ(test, m_copydata(m, off, len, bytes), 0);
		KUNIT_EXPECT_EQ(test, memcmp(bytes, f->byte + off, len), 0);
		break;
	case 10: /* a second holder: nothing of it may change what he has */
		n = m_copypacket(m, M_WAITOK);
		if (!n)
			break;
		random_bytes(bytes, min_t(int, len, sizeof(bytes)));
		len = min_t(int, len, sizeof(bytes));
		error = m_copyback(m, off, len, bytes);
		if (error)
			expect_shared(test, m, error);
		else
			memcpy(f->byte + off, bytes, len);
		expect_flat(test, n, &part, hdr, "second holder");
		m_freem(n);
		break;
	}
	expect_flat(test, m, f, hdr, "step");
	return m;
}

static void uma_20_chains_are_what_was_put_in(struct kunit *test)
{
	static struct flat flat;
	unsigned int round, step;

	prandom_seed_state(&rnd, 20040531);
	for (round = 0; round < 300; round++) {
		struct ext *e = new_ext(test);
		bool hdr = round & 1;
		struct mbuf *m = random_chain(test, &flat, hdr, e);

		for (step = 0; step < 12; step++)
			m = random_step(test, m, &flat, hdr);
		m_freem(m);
		KUNIT_EXPECT_LE(test, atomic_read(&e->freed), 1);
		kunit_kfree(test, e);
		if (round % 50 == 0)
			expect_nothing_out(test);
	}
}

static void uma_20_shared_bytes_are_not_written_to(struct kunit *test)
{
	struct mbuf *m = new_kind(test, PACKET, NULL), *n;
	u8 x = 0x99;

	n = m_copypacket(m, M_WAITOK);
	KUNIT_ASSERT_NOT_NULL(test, n);
	KUNIT_EXPECT_EQ(test, m_copyback(m, 10, 1, &x), -EROFS);
	KUNIT_EXPECT_EQ(test, m_copyback(m, 499, 5, "12345"), -EROFS);
	KUNIT_EXPECT_EQ(test, m_length(m, NULL), 500);
	/* Behind the shared bytes there is room of one's own. */
	KUNIT_EXPECT_EQ(test, m_append(m, 1, &x), 1);
	KUNIT_EXPECT_EQ(test, m_copyback(m, 500, 1, &x), 0);
	KUNIT_EXPECT_NOT_NULL(test, m->m_next);
	KUNIT_EXPECT_EQ(test, n->m_pkthdr.len, 500);
	KUNIT_EXPECT_NULL(test, memchr_inv(n->m_data, 0x40 + PACKET, 500));
	m_freem(n);
	KUNIT_EXPECT_EQ(test, m_copyback(m, 10, 1, &x), 0);
	m_freem(m);
}

static int stop_at(void *arg, void *data, unsigned int len)
{
	int *left = arg;

	return --*left ? 0 : 7;
}

static void uma_20_nonsense_is_refused(struct kunit *test)
{
	struct mbuf *m = new_kind(test, CLUSTER, NULL);
	char buf[8];
	int left = 1;

	KUNIT_EXPECT_EQ(test, m_append(m, 300, new_ext(test)->buf), 1);
	KUNIT_EXPECT_NULL(test, m_copym(m, -1, 10, M_WAITOK));
	KUNIT_EXPECT_NULL(test, m_copym(m, 0, -10, M_WAITOK));
	KUNIT_EXPECT_NULL(test, m_copym(m, 0, 801, M_WAITOK));
	KUNIT_EXPECT_NULL(test, m_copym(m, 801, M_COPYALL, M_WAITOK));
	KUNIT_EXPECT_NULL(test, m_copym(m, INT_MAX, INT_MAX, M_WAITOK));
	KUNIT_EXPECT_EQ(test, m_copydata(m, 0, -1, buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_copydata(m, -1, 1, buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_copydata(m, 799, 2, buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_copydata(m, INT_MAX, INT_MAX, buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_copyback(m, -1, 1, buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_copyback(m, 1, -1, buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_copyback(m, INT_MAX, 8, buf), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_append(m, -1, buf), 0);
	KUNIT_EXPECT_EQ(test, m_append(m, INT_MAX, buf), 0);
	KUNIT_EXPECT_EQ(test, m_append(m, 1, NULL), 0);
	KUNIT_EXPECT_EQ(test, m_apply(m, 0, 801, stop_at, &left), -EINVAL);
	KUNIT_EXPECT_EQ(test, m_apply(m, 0, 800, stop_at, &left), 7);
	KUNIT_EXPECT_NULL(test, m_split(m, 801, M_WAITOK));
	KUNIT_EXPECT_NULL(test, m_split(m, -1, M_WAITOK));
	KUNIT_EXPECT_NULL(test, m_getm(m, 0, M_WAITOK, MT_DATA));
	KUNIT_EXPECT_NULL(test, m_getm(NULL, -5, M_WAITOK, MT_DATA));
	KUNIT_EXPECT_EQ(test, m_length(m, NULL), 800);
	KUNIT_EXPECT_EQ(test, m->m_pkthdr.len, 800);
	/* These take the chain with them. */
	KUNIT_EXPECT_NULL(test, m_pullup(m, 801));
	expect_nothing_out(test);
	KUNIT_EXPECT_NULL(test, m_pullup(new_kind(test, PACKET, NULL),
					 MHLEN + 1));
	KUNIT_EXPECT_NULL(test, m_pullup(new_kind(test, PACKET, NULL), -1));
	KUNIT_EXPECT_NULL(test, m_prepend(new_kind(test, PACKET, NULL),
					  MHLEN + 1, M_WAITOK));
	KUNIT_EXPECT_NULL(test, m_prepend(new_kind(test, PACKET, NULL), -1,
					  M_WAITOK));
	expect_nothing_out(test);
}

/* What a chain cannot have leaves it as it was. */
static void uma_20_chains_fail_whole(struct kunit *test)
{
	struct mbuf *all = take_all_clusters(test);
	struct mbuf *m = m_gethdr(M_WAITOK, MT_DATA);
	static char bytes[5000];

	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	KUNIT_EXPECT_EQ(test, m_append(m, 100, bytes), 1);
	KUNIT_EXPECT_EQ(test, m_append(m, sizeof(bytes), bytes), 0);
	KUNIT_EXPECT_EQ(test, m_copyback(m, 50, sizeof(bytes), bytes), -ENOMEM);
	KUNIT_EXPECT_EQ(test, m_length(m, NULL), 100);
	KUNIT_EXPECT_EQ(test, m->m_pkthdr.len, 100);
	KUNIT_EXPECT_NULL(test, m->m_next);
	all->m_len = MCLBYTES;
	KUNIT_EXPECT_NULL(test, m_dup(all, M_NOWAIT));
	KUNIT_EXPECT_NULL(test, m_copym(m, 0, 101, M_NOWAIT));
	KUNIT_EXPECT_EQ(test, mbufs_out(test), CLUSTERS + 1);
	m_freem(m);
	m_freem(all);
}

/* UMA-20: statistics, and contexts */

static void uma_20_statistics_are_exact_at_rest(struct kunit *test)
{
	struct mbuf *m[10], *c[10], *p[10], *s[10];
	struct uma_test_totals t[UMA_MBUF_ZONES];
	struct ext *e = new_ext(test);
	unsigned int i;

	for (i = 0; i < 10; i++) {
		m[i] = m_get(M_WAITOK, MT_DATA);
		c[i] = new_kind(test, CLUSTER, NULL);
		p[i] = m_getcl(M_NOWAIT, MT_DATA, M_PKTHDR);
		p[i]->m_len = 10;
		s[i] = m_copym(p[i], 0, 10, M_NOWAIT);
	}
	KUNIT_EXPECT_EQ(test, m_extadd(m[0], e->buf, 10, ext_freed, e, 0,
				       EXT_NET_DRV), 0);
	for (i = 0; i < UMA_MBUF_ZONES; i++)
		t[i] = uma_test_totals(test, uma_mbuf_zones[i]);
	KUNIT_EXPECT_EQ(test, t[UMA_MBUF].allocs - before[UMA_MBUF].allocs, 30);
	KUNIT_EXPECT_EQ(test, used(&t[UMA_MBUF]), 30);
	KUNIT_EXPECT_EQ(test, t[UMA_MBUF_PACKET].allocs -
			      before[UMA_MBUF_PACKET].allocs, 10);
	KUNIT_EXPECT_EQ(test, used(&t[UMA_MBUF_PACKET]), 10);
	KUNIT_EXPECT_EQ(test, clusters_out(test), 20);
	KUNIT_EXPECT_EQ(test, used(&t[UMA_MBUF_EXTREFCNT]), 1);
	/* Every cluster is in one place: out, in a packet, or free. */
	KUNIT_EXPECT_EQ(test, used(&t[UMA_MBUF_CLUSTER]) +
			      t[UMA_MBUF_CLUSTER].cpu_free +
			      t[UMA_MBUF_CLUSTER].zone_free +
			      t[UMA_MBUF_CLUSTER].keg_free, CLUSTERS);
	/* And every mbuf. */
	KUNIT_EXPECT_EQ(test, used(&t[UMA_MBUF]) + used(&t[UMA_MBUF_PACKET]) +
			      t[UMA_MBUF].cpu_free + t[UMA_MBUF].zone_free +
			      t[UMA_MBUF_PACKET].cpu_free +
			      t[UMA_MBUF_PACKET].zone_free +
			      t[UMA_MBUF].keg_free,
			mbufs_made(&t[UMA_MBUF]));
	KUNIT_EXPECT_EQ(test, t[UMA_MBUF_PACKET].pages, t[UMA_MBUF].pages);

	/* The first to let go goes to the mbufs, the last to the packets. */
	for (i = 0; i < 10; i++) {
		m_freem(i % 2 ? p[i] : s[i]);
		KUNIT_EXPECT_EQ(test, mbufs_out(test), 39 - i);
	}
	KUNIT_EXPECT_EQ(test, uma_zone_in_use(zone_pack), 10);
	KUNIT_EXPECT_EQ(test, uma_zone_in_use(zone_mbuf), 20);
	for (i = 0; i < 10; i++) {
		m_freem(i % 2 ? s[i] : p[i]);
		m_freem(m[i]);
		m_freem(c[i]);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&e->freed), 1);
	for (i = 0; i < UMA_MBUF_ZONES; i++) {
		t[i] = uma_test_totals(test, uma_mbuf_zones[i]);
		KUNIT_EXPECT_EQ(test, t[i].fails, before[i].fails);
		KUNIT_EXPECT_EQ(test, t[i].sleeps, before[i].sleeps);
	}
}

/* What a driver and a stack do, in whatever context. */
static struct {
	struct completion done;
	struct ext *e;
	unsigned int packets, refused, spoilt;
} job;

static void do_job(void)
{
	static struct mbuf *chain[40], *copy[40];
	unsigned int i, spoilt = 0;
	u8 byte;

	for (i = 0; i < ARRAY_SIZE(chain); i++) {
		chain[i] = i % 4 ? m_getcl(M_NOWAIT, MT_DATA, M_PKTHDR) :
				   m_gethdr(M_NOWAIT, MT_DATA);
		copy[i] = NULL;
		if (!chain[i]) {
			job.refused++;
			continue;
		}
		if (i % 8 == 0)
			job.refused += !!m_extadd(chain[i], job.e->buf,
						  sizeof(job.e->buf), ext_freed,
						  job.e, 0, EXT_NET_DRV);
		else if (i % 4 == 0)
			job.refused += !m_clget(chain[i], M_NOWAIT);
		memset(chain[i]->m_data, i, 300);
		chain[i]->m_len = 300;
		chain[i]->m_pkthdr.len = 300;
		copy[i] = m_copym(chain[i], 50, 100, M_NOWAIT);
		job.refused += !copy[i];
		job.packets++;
	}
	for (i = 0; i < ARRAY_SIZE(chain); i++) {
		if (!chain[i] || !copy[i])
			continue;
		/* All that was brought from outside is in one place. */
		spoilt += m_copydata(copy[i], 99, 1, &byte) ||
			  (i % 8 && byte != i);
		m_freem(i % 2 ? chain[i] : copy[i]);
		m_freem(i % 2 ? copy[i] : chain[i]);
	}
	job.spoilt += spoilt;
}

static void irq_work_job(struct irq_work *work)
{
	do_job();
	complete(&job.done);
}

static void uma_20_in_a_hard_interrupt(struct kunit *test)
{
	static struct irq_work work;
	unsigned int round;

	job.e = new_ext(test);
	job.packets = 0;
	job.refused = 0;
	job.spoilt = 0;
	init_irq_work(&work, irq_work_job);
	for (round = 0; round < 20; round++) {
		init_completion(&job.done);
		irq_work_queue(&work);
		KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&job.done,
								  PATIENCE), 0);
	}
	irq_work_sync(&work);
	KUNIT_EXPECT_EQ(test, job.packets, 20 * 40);
	KUNIT_EXPECT_EQ(test, job.refused, 0);
	KUNIT_EXPECT_EQ(test, job.spoilt, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&job.e->freed), 20 * 5);
}

/*
 * Interrupts that land anywhere in what a thread does with the same zones, its
 * sections included.
 */
static enum hrtimer_restart timer_job(struct hrtimer *timer)
{
	do_job();
	hrtimer_forward_now(timer, ns_to_ktime(200 * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

static void uma_20_interrupts_between_a_threads_calls(struct kunit *test)
{
	static struct hrtimer timer;
	unsigned long end = jiffies + HZ / 2;
	unsigned int n = 0, spoilt = 0;

	job.e = new_ext(test);
	job.packets = 0;
	job.refused = 0;
	job.spoilt = 0;
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer.function = timer_job;
	hrtimer_start(&timer, ns_to_ktime(50 * NSEC_PER_USEC),
		      HRTIMER_MODE_REL_PINNED_HARD);
	while (time_before(jiffies, end) || job.packets < 400) {
		struct mbuf *m = m_getcl(M_NOWAIT, MT_DATA, M_PKTHDR), *c;

		if (m) {
			memset(m->m_data, 0x11, MCLBYTES);
			m->m_len = MCLBYTES;
			c = m_copypacket(m, M_NOWAIT);
			spoilt += !!memchr_inv(m->m_data, 0x11, MCLBYTES);
			m_freem(m);
			m_freem(c);
			n++;
		}
		cond_resched();
	}
	hrtimer_cancel(&timer);
	KUNIT_EXPECT_GT(test, n, 0);
	KUNIT_EXPECT_GE(test, job.packets, 400);
	KUNIT_EXPECT_EQ(test, job.spoilt, 0);
	KUNIT_EXPECT_EQ(test, spoilt, 0);
}

static struct kunit_case mbuf_cases[] = {
	KUNIT_CASE(uma_20_buffer_and_cluster_in_one_call),
	KUNIT_CASE(uma_20_buffers_with_and_without_header),
	KUNIT_CASE(uma_20_packet_without_a_cluster_fails_whole),
	KUNIT_CASE(uma_20_single_cluster_comes_from_a_cached_packet),
	KUNIT_CASE(uma_20_sleeper_gets_a_freed_cluster),
	KUNIT_CASE(uma_20_sleeper_gets_a_cached_packets_cluster),
	KUNIT_CASE(uma_20_references_let_go_in_any_order),
	KUNIT_CASE(uma_20_race_for_the_last_reference_steered),
	KUNIT_CASE(uma_20_two_threads_race_for_the_last_reference),
	KUNIT_CASE(uma_20_three_race_for_the_last_reference),
	KUNIT_CASE(uma_20_external_memory_is_freed_once),
	KUNIT_CASE(uma_20_external_memory_refused),
	KUNIT_CASE(uma_19_default_limit_scales_with_the_pool),
	KUNIT_CASE(uma_20_chains_are_what_was_put_in),
	KUNIT_CASE(uma_20_shared_bytes_are_not_written_to),
	KUNIT_CASE(uma_20_nonsense_is_refused),
	KUNIT_CASE(uma_20_chains_fail_whole),
	KUNIT_CASE(uma_20_statistics_are_exact_at_rest),
	KUNIT_CASE(uma_20_in_a_hard_interrupt),
	KUNIT_CASE(uma_20_interrupts_between_a_threads_calls),
	KUNIT_CASE(uma_19_limit_on_clusters_at_run_time),
	{}
};

static struct kunit_suite mbuf_suite = {
	.name = "mbuf",
	.suite_init = mbuf_suite_init,
	.suite_exit = mbuf_suite_exit,
	.init = mbuf_test_init,
	.exit = mbuf_test_exit,
	.test_cases = mbuf_cases,
};

kunit_test_suite(mbuf_suite);

MODULE_DESCRIPTION("KUnit: network buffers");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
