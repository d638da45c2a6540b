// SPDX-License-Identifier: GPL-2.0-only
/*
 * contigload: the clients of scripts/bench contig, who fill an area of memory and
 * keep changing it while somebody wants a piece of it that hangs together.
 *
 * The area is the pool of uma.ko, and a thread has an address space of /dev/vmsim
 * (-b vmsim); or it is the kernel's ZONE_MOVABLE, and they are plain mappings (-b
 * mmap). The rest is the same program: the same numbers, in the same order, at the
 * same rate, so that the peer meets the same load. That is why the clients of the pool
 * are here and not in the kernel, where they would cost less.
 *
 * Each thread has a set of chunks of 32 KiB, three anonymous ones and then one of a file
 * in memory. It picks one by lot, looks whether each of its pages still is what was last
 * written there, and writes something else; so often a second (-r), or as fast as it
 * can. Now and then it discards an anonymous chunk and begins another one, so that free
 * pages lie here and there, not in one piece. And it sees to it that the area
 * stays as full as was said (-f): who has more begins no new ones, who has less does.
 *
 * Wired. Every twentieth chunk of those that come first and last while the area is filled
 * is wired, or locked in memory. Both the pool and Linux fill their memory in order, so
 * these lie at both ends; the half between has nothing wired, so that a large request
 * has a chance, and neither search meets it first. What the VM itself needs for a page
 * that is mapped (entries, objects, tables) comes out of the pool and cannot be moved.
 * So -b vmsim makes it need all of that at the beginning, when nothing else is there:
 * all chunks are mapped once, to the same pages of a file. The kernel keeps such things
 * outside of ZONE_MOVABLE.
 *
 * It says "ready" once the area is full, and at the end, upon SIGTERM, what it did:
 *
 *	load: pages=N seconds=S wired=N begun=N discarded=N wrong=N late=N
 *
 * Exit status 1 if a page was not what was written there.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vmsim/vmsim_ctl.h"

#define PAGE		4096UL
#define CHUNK_PAGES	8
#define CHUNK		(CHUNK_PAGES * PAGE)
#define MAX_THREADS	16
#define BASE		(1UL << 32)
#define ASIDE		(1UL << 33)
#define BRIM		985

enum chunk_state { ABSENT, PRESENT, WIRED };

struct thread {
	pthread_t id;
	unsigned int number;
	uint64_t seed;
	int fd;			/* of its space, -b vmsim */
	int file;
	uint8_t *base;		/* -b mmap */
	uint8_t *state;		/* a chunk */
	bool *known;		/* a chunk: was begun before */
	uint64_t *stamp;	/* a page: what was last written there */
	uint64_t written;
	unsigned int present;
};

static struct thread threads[MAX_THREADS];
static unsigned int nthreads = 4, chunks, fill = 950;
static unsigned long rate = 16000, area_pages;
static bool ours = true;
static const char *dir = "/tmp";

static atomic_bool stop, full;
static atomic_uint occupied;		/* thousandths of the area */
static atomic_ulong filled;		/* pages, while it is filled */
static atomic_ulong dirtied, begun, discarded, wrong, wired, late;

static void on_signal(int nr)
{
	(void)nr;
	atomic_store(&stop, true);
}

static uint64_t next_random(uint64_t *seed)
{
	uint64_t x = *seed;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *seed = x;
}

static unsigned int below(struct thread *t, unsigned int n)
{
	return (next_random(&t->seed) >> 16) % n;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* ---- the area ------------------------------------------------------------ */

static unsigned long free_of_pool(unsigned long *pages)
{
	struct vmsim_stats st;

	if (ioctl(threads[0].fd, VMSIM_STATS, &st))
		err(1, "VMSIM_STATS");
	*pages = st.vst_pool;
	return st.vst_free + st.vst_cache;
}

static unsigned long free_of_zone(unsigned long *pages)
{
	static char text[65536];
	int fd = open("/proc/zoneinfo", O_RDONLY);
	ssize_t got, n = 0;
	char *zone, *at;

	if (fd < 0)
		err(1, "/proc/zoneinfo");
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += got;
	close(fd);
	text[n] = '\0';
	zone = strstr(text, "zone  Movable");
	at = zone ? strstr(zone, "pages free") : NULL;
	if (!at)
		errx(1, "there is no ZONE_MOVABLE: no movablecore= on the command line?");
	n = strtoul(at + 10, NULL, 10);
	at = strstr(at, "managed");
	*pages = at ? strtoul(at + 7, NULL, 10) : 0;
	return n;
}

static unsigned long area_free(void)
{
	return ours ? free_of_pool(&area_pages) : free_of_zone(&area_pages);
}

/* ---- chunks -------------------------------------------------------------- */

static bool is_file(unsigned int chunk)
{
	return chunk % 4 == 3;
}

static uint64_t address(unsigned int chunk)
{
	return BASE + chunk * CHUNK;
}

/* No memory for now: page-out is at it. */
static bool try_again(void)
{
	usleep(2000);
	return (errno == ENOMEM || errno == EINTR) && !atomic_load(&stop);
}

static void move(struct thread *t, uint64_t addr, uint64_t *value, bool write)
{
	struct vmsim_rw rw = {
		.rw_addr = addr,
		.rw_buffer = (uintptr_t)value,
		.rw_length = sizeof(*value),
	};

	while (ioctl(t->fd, write ? VMSIM_WRITE : VMSIM_READ, &rw)) {
		if (!try_again()) {
			if (atomic_load(&stop))
				return;
			err(1, "%s %#lx", write ? "write" : "read", (long)addr);
		}
	}
}

static void map_ours(struct thread *t, uint64_t addr, bool file, uint64_t offset)
{
	struct vmsim_map vm = {
		.vm_addr = addr,
		.vm_length = CHUNK,
		.vm_offset = offset,
		.vm_kind = file ? VMSIM_KIND_FILE : VMSIM_KIND_ANON,
		.vm_fd = file ? t->file : -1,
		.vm_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
		.vm_max_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
		.vm_flags = VMSIM_MAP_FIXED,
	};

	while (ioctl(t->fd, VMSIM_MAP, &vm))
		if (!try_again())
			err(1, "VMSIM_MAP at %#lx", (long)addr);
}

static void range_ours(struct thread *t, uint64_t addr, unsigned long nr,
		       unsigned int what)
{
	struct vmsim_range vr = {
		.vr_addr = addr,
		.vr_length = CHUNK,
		.vr_what = what,
	};

	while (ioctl(t->fd, nr, &vr))
		if (!try_again()) {
			if (atomic_load(&stop))
				return;
			err(1, "call %#lx at %#lx", nr, (long)addr);
		}
}

static void chunk_map(struct thread *t, unsigned int chunk)
{
	uint64_t offset = (uint64_t)chunk * CHUNK;
	bool file = is_file(chunk);

	if (ours)
		map_ours(t, address(chunk), file, file ? offset : 0);
	else if (mmap(t->base + offset, CHUNK, PROT_READ | PROT_WRITE,
		      (file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS) |
		      MAP_FIXED, file ? t->file : -1, file ? offset : 0) ==
		 MAP_FAILED)
		err(1, "mmap");
	memset(t->stamp + chunk * CHUNK_PAGES, 0, CHUNK_PAGES * sizeof(uint64_t));
}

static void chunk_unmap(struct thread *t, unsigned int chunk)
{
	if (ours)
		range_ours(t, address(chunk), VMSIM_UNMAP, 0);
	else
		munmap(t->base + chunk * CHUNK, CHUNK);
	t->state[chunk] = ABSENT;
	t->present--;
	atomic_fetch_add(&discarded, 1);
}

static void chunk_wire(struct thread *t, unsigned int chunk)
{
	if (ours)
		range_ours(t, address(chunk), VMSIM_WIRE, 0);
	else if (mlock(t->base + chunk * CHUNK, CHUNK))
		err(1, "mlock");
	t->state[chunk] = WIRED;
	atomic_fetch_add(&wired, CHUNK_PAGES);
}

/* Each page is what it was, and becomes something else. */
static void chunk_dirty(struct thread *t, unsigned int chunk)
{
	volatile uint64_t *word;
	unsigned int i, page;
	uint64_t is, new;

	for (i = 0; i < CHUNK_PAGES && !atomic_load(&stop); i++) {
		page = chunk * CHUNK_PAGES + i;
		new = ++t->written << 8 | t->number;
		word = (uint64_t *)(t->base + page * PAGE);
		if (ours)
			move(t, BASE + page * PAGE, &is, false);
		else
			is = *word;
		if (is != t->stamp[page] && !atomic_load(&stop)) {
			atomic_fetch_add(&wrong, 1);
			warnx("thread %u, chunk %u, page %u: %#lx, not %#lx",
			      t->number, chunk, i, (long)is,
			      (long)t->stamp[page]);
		}
		if (ours)
			move(t, BASE + page * PAGE, &new, true);
		else
			*word = new;
		t->stamp[page] = new;
		atomic_fetch_add_explicit(&dirtied, 1, memory_order_relaxed);
	}
}

/* ---- a thread ------------------------------------------------------------ */

/* A chunk by lot that is in that state, or -1. */
static int pick(struct thread *t, bool absent, bool anonymous)
{
	unsigned int tries, chunk;

	for (tries = 0; tries < 64; tries++) {
		chunk = below(t, chunks);
		if (absent ? t->state[chunk] == ABSENT :
		    anonymous ? t->state[chunk] == PRESENT && !is_file(chunk) :
				t->state[chunk] != ABSENT)
			return chunk;
	}
	return -1;
}

static void discard_one(struct thread *t)
{
	int chunk = pick(t, false, true);

	if (chunk >= 0)
		chunk_unmap(t, chunk);
}

static void begin_one(struct thread *t)
{
	unsigned long nth;
	int chunk;

	/* All are somewhere, though not in the area: begin one again. */
	if (t->present == chunks)
		discard_one(t);
	chunk = pick(t, true, false);
	if (chunk < 0)
		return;
	if (ours && !is_file(chunk) && !t->known[chunk])
		range_ours(t, ASIDE + address(chunk), VMSIM_UNMAP, 0);
	t->known[chunk] = true;
	chunk_map(t, chunk);
	t->state[chunk] = PRESENT;
	t->present++;
	if (is_file(chunk) && !ours)
		madvise(t->base + chunk * CHUNK, CHUNK, MADV_RANDOM);
	chunk_dirty(t, chunk);
	atomic_fetch_add(&begun, 1);
	if (atomic_load(&full))
		return;
	nth = atomic_fetch_add(&filled, CHUNK_PAGES) / CHUNK_PAGES;
	/* The first fifth, and what is beyond seven tenths. */
	if (nth % 20 == 0 &&
	    (nth * CHUNK_PAGES < area_pages / 5 ||
	     nth * CHUNK_PAGES > area_pages / 10 * 7))
		chunk_wire(t, chunk);
}

/*
 * What the VM needs to show all chunks, before there is anything else: see above. The
 * translations are there in terms of a file's first pages, and an object each, paged
 * out, elsewhere, until a chunk is begun for the first time.
 */
static void warm(struct thread *t)
{
	uint64_t zero = 0;
	unsigned int i, k;

	for (i = 0; i < chunks; i++) {
		map_ours(t, address(i), true, 0);
		for (k = 0; k < CHUNK_PAGES; k++)
			move(t, address(i) + k * PAGE, &zero, true);
	}
	for (i = 0; i < chunks; i++) {
		if (is_file(i))
			continue;
		map_ours(t, ASIDE + address(i), false, 0);
		move(t, ASIDE + address(i), &zero, true);
		range_ours(t, ASIDE + address(i), VMSIM_ADVISE,
			   VMSIM_ADVISE_PAGEOUT);
	}
}

static void *run(void *arg)
{
	struct thread *t = arg;
	uint64_t at, step = rate ? 1000000000ULL * CHUNK_PAGES * nthreads / rate : 0;
	unsigned int n, occ;
	int chunk;

	while (!atomic_load(&full) && !atomic_load(&stop)) {
		begin_one(t);
	}
	at = now_ns();
	for (n = 0; !atomic_load(&stop); n++) {
		if (step) {
			at += step;
			if (now_ns() < at) {
				sleep_until(at);
			} else if (now_ns() > at + 100000000) {
				atomic_fetch_add(&late, 1);
				at = now_ns();
			}
		}
		chunk = pick(t, false, false);
		if (chunk >= 0)
			chunk_dirty(t, chunk);
		occ = atomic_load(&occupied);
		if (n % 16 == t->number || occ > fill + 5)
			discard_one(t);
		if (occ < fill)
			begin_one(t);
	}
	return NULL;
}

static void thread_new(struct thread *t, unsigned int number, unsigned int seed)
{
	char path[256];

	t->number = number;
	t->seed = 88172645463325252ULL + 1000003ULL * (seed + number);
	t->state = calloc(chunks, 1);
	t->known = calloc(chunks, sizeof(*t->known));
	t->stamp = calloc(chunks * CHUNK_PAGES, sizeof(*t->stamp));
	snprintf(path, sizeof(path), "%s/contigload.%u", dir, number);
	t->file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (!t->state || !t->known || !t->stamp || t->file < 0 ||
	    ftruncate(t->file, chunks * CHUNK))
		err(1, "%s", path);
	unlink(path);
	if (!ours) {
		t->base = mmap(NULL, chunks * CHUNK, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (t->base == MAP_FAILED)
			err(1, "mmap");
	}
}

static void usage(void)
{
	fputs("usage: contigload [-b vmsim|mmap] [-t threads] [-r pages a second, 0: all it can]\n"
	      "                  [-f thousandths of the area] [-d directory] [-s seed]\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned int seed = 1, i;
	uint64_t begin;
	unsigned long free_pages;
	int c;

	while ((c = getopt(argc, argv, "b:t:r:f:d:s:")) != -1) {
		switch (c) {
		case 'b':
			ours = !strcmp(optarg, "vmsim");
			if (!ours && strcmp(optarg, "mmap"))
				usage();
			break;
		case 't':
			nthreads = strtoul(optarg, NULL, 10);
			if (!nthreads || nthreads > MAX_THREADS)
				usage();
			break;
		case 'r':
			rate = strtoul(optarg, NULL, 10);
			break;
		case 'f':
			fill = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			dir = optarg;
			break;
		case 's':
			seed = strtoul(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	}
	signal(SIGTERM, on_signal);
	for (i = 0; ours && i < nthreads; i++) {
		threads[i].fd = open(VMSIM_DEVICE, O_RDWR);
		if (threads[i].fd < 0)
			err(1, VMSIM_DEVICE);
	}
	area_free();
	/* Between them a quarter more than there is room for. */
	chunks = area_pages / 4 * 5 / CHUNK_PAGES / nthreads;
	for (i = 0; i < nthreads; i++)
		thread_new(&threads[i], i, seed);
	for (i = 0; ours && i < nthreads; i++)
		warm(&threads[i]);
	for (i = 0; i < nthreads; i++)
		if (pthread_create(&threads[i].id, NULL, run, &threads[i]))
			errx(1, "no thread");
	begin = now_ns();
	while (!atomic_load(&stop)) {
		free_pages = area_free();
		atomic_store(&occupied, 1000 - 1000 * free_pages / area_pages);
		/* To the brim first, so that what is free is what somebody let go. */
		if (!atomic_load(&full) && atomic_load(&occupied) >= BRIM) {
			atomic_store(&full, true);
			atomic_store(&dirtied, 0);
			begin = now_ns();
			puts("ready");
			fflush(stdout);
		}
		usleep(5000);
	}
	begin = now_ns() - begin;
	for (i = 0; i < nthreads; i++)
		pthread_join(threads[i].id, NULL);
	printf("load: pages=%lu seconds=%lu wired=%lu begun=%lu discarded=%lu wrong=%lu late=%lu\n",
	       dirtied, (long)(begin / 1000000000), wired, begun, discarded,
	       wrong, late);
	return wrong || !atomic_load(&full);
}
