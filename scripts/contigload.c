// SPDX-License-Identifier: GPL-2.0-only
/*
 * contigload: the clients of scripts/bench contig, who fill an area of memory and
 * keep changing it while somebody wants a piece of it that hangs together.
 *
 * The area is the pool of uma.ko, and a process has an address space of /dev/vmsim
 * (-b vmsim); or it is the kernel's ZONE_MOVABLE, and they are plain mappings (-b
 * mmap). The rest is the same program: the same numbers, in the same order, at the
 * same rate, so that the peer meets the same load. That is why the clients of the pool
 * are here and not in the kernel, where they would cost less.
 *
 * Each process has a set of chunks of 32 KiB, three anonymous ones and then one of a file
 * in memory (-d). For Linux that is one of tmpfs: the unmodified kernel has no other file
 * system built in whose pages can be moved, and these, with no buffers and no journal to
 * wait for, are moved as easily as anonymous ones. It picks a chunk by lot, looks whether
 * each of its pages still is what was last written there, and writes something else; so
 * often a second (-r), or as fast as it can. Now and then it discards an anonymous chunk
 * and begins another one, so that free pages lie here and there, not in one piece. And
 * it sees to it that the area stays as full as was said (-f): while it is fuller, nobody
 * begins a chunk; while it is not, everybody does.
 *
 * Wired. Of the chunks that come first, until three tenths of the area are in use, every
 * twentieth is wired, or locked in memory. What the VM itself needs for a page that is
 * mapped (entries, objects, tables) comes out of the pool, too, and cannot be moved. So -b
 * vmsim makes it need all of that at the beginning, when nothing else is there: all
 * chunks are mapped once, to the same pages of a file. (The kernel keeps such things outside
 * of ZONE_MOVABLE.) The benchmark can keep a part of the pool for those who come later.
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
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmsim/vmsim_ctl.h"

#define PAGE		4096UL
#define CHUNK_PAGES	8
#define CHUNK		(CHUNK_PAGES * PAGE)
#define MAX_PROCS	16
#define BASE		0x100000000UL
#define ASIDE		0x200000000UL
#define BRIM		985		/* thousandths of the area */
#define ZONE_FILE	"/sys/kernel/debug/uma_contigbench/zone"

enum chunk_state { ABSENT, PRESENT, WIRED };

struct proc {
	pid_t pid;
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

static struct proc procs[MAX_PROCS];
static unsigned int nprocs = 4, chunks, fill = 950;
static unsigned long rate = 16000, area_pages;
static bool ours = true;
static const char *dir = "/tmp";

/* What all processes share. */
static struct {
	atomic_bool stop, full;
	atomic_uint occupied;		/* thousandths of the area */
	atomic_ulong filled;		/* pages, while it is filled */
	atomic_ulong dirtied, begun, discarded, wrong, wired, late;
} *all;

static void on_signal(int nr)
{
	(void)nr;
	atomic_store(&all->stop, true);
}

static uint64_t next_random(uint64_t *seed)
{
	uint64_t x = *seed;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *seed = x;
}

static unsigned int below(struct proc *t, unsigned int n)
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

	if (ioctl(procs[0].fd, VMSIM_STATS, &st))
		err(1, "VMSIM_STATS");
	*pages = st.vst_pool;
	return st.vst_free + st.vst_cache;
}

/* The benchmark's own file: /proc/zoneinfo is long, and reading it a load by itself. */
static unsigned long free_of_zone(unsigned long *pages)
{
	unsigned long n;
	FILE *f = fopen(ZONE_FILE, "r");

	if (!f || fscanf(f, "%lu %lu", &n, pages) != 2 || !*pages)
		errx(1, "%s: no ZONE_MOVABLE?", ZONE_FILE);
	fclose(f);
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
	return (errno == ENOMEM || errno == EINTR) && !atomic_load(&all->stop);
}

static void move(struct proc *t, uint64_t addr, uint64_t *value, bool write)
{
	struct vmsim_rw rw = {
		.rw_addr = addr,
		.rw_buffer = (uintptr_t)value,
		.rw_length = sizeof(*value),
	};

	while (ioctl(t->fd, write ? VMSIM_WRITE : VMSIM_READ, &rw)) {
		if (!try_again()) {
			if (atomic_load(&all->stop))
				return;
			err(1, "%s %#lx", write ? "write" : "read", (long)addr);
		}
	}
}

static void map_ours(struct proc *t, uint64_t addr, bool file, uint64_t offset)
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

static void range_ours(struct proc *t, uint64_t addr, unsigned long nr,
		       unsigned int what)
{
	struct vmsim_range vr = {
		.vr_addr = addr,
		.vr_length = CHUNK,
		.vr_what = what,
	};

	while (ioctl(t->fd, nr, &vr))
		if (!try_again()) {
			if (atomic_load(&all->stop))
				return;
			err(1, "call %#lx at %#lx", nr, (long)addr);
		}
}

static void chunk_map(struct proc *t, unsigned int chunk)
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

static void chunk_unmap(struct proc *t, unsigned int chunk)
{
	if (ours)
		range_ours(t, address(chunk), VMSIM_UNMAP, 0);
	else
		munmap(t->base + chunk * CHUNK, CHUNK);
	t->state[chunk] = ABSENT;
	t->present--;
	atomic_fetch_add(&all->discarded, 1);
}

static void chunk_wire(struct proc *t, unsigned int chunk)
{
	if (ours)
		range_ours(t, address(chunk), VMSIM_WIRE, 0);
	else if (mlock(t->base + chunk * CHUNK, CHUNK))
		err(1, "mlock");
	t->state[chunk] = WIRED;
	atomic_fetch_add(&all->wired, CHUNK_PAGES);
}

/* Each page is what it was, and becomes something else. */
static void chunk_dirty(struct proc *t, unsigned int chunk)
{
	unsigned int i, page;
	uint64_t is, new, *word;

	for (i = 0; i < CHUNK_PAGES && !atomic_load(&all->stop); i++) {
		page = chunk * CHUNK_PAGES + i;
		new = ++t->written << 8 | t->number;
		word = (uint64_t *)(t->base + page * PAGE);
		if (ours)
			move(t, BASE + page * PAGE, &is, false);
		else
			is = __atomic_load_n(word, __ATOMIC_RELAXED);
		if (is != t->stamp[page] && !atomic_load(&all->stop)) {
			atomic_fetch_add(&all->wrong, 1);
			warnx("process %u, chunk %u, page %u: %#lx, not %#lx",
			      t->number, chunk, i, (long)is,
			      (long)t->stamp[page]);
		}
		if (ours)
			move(t, BASE + page * PAGE, &new, true);
		else
			__atomic_store_n(word, new, __ATOMIC_RELAXED);
		t->stamp[page] = new;
		atomic_fetch_add_explicit(&all->dirtied, 1, memory_order_relaxed);
	}
}

/* ---- a process ----------------------------------------------------------- */

/* A chunk by lot that is in that state, or -1. */
static int pick(struct proc *t, bool absent, bool anonymous)
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

static void discard_one(struct proc *t)
{
	int chunk = pick(t, false, true);

	if (chunk >= 0)
		chunk_unmap(t, chunk);
}

static void begin_one(struct proc *t)
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
	atomic_fetch_add(&all->begun, 1);
	if (atomic_load(&all->full))
		return;
	nth = atomic_fetch_add(&all->filled, CHUNK_PAGES) / CHUNK_PAGES;
	if (nth % 20 == 0 && nth * CHUNK_PAGES < area_pages / 10 * 3)
		chunk_wire(t, chunk);
}

/*
 * What the VM needs to show all chunks, before there is anything else: see above. The
 * translations are there in terms of a file's first pages, and an object each, paged
 * out, elsewhere, until a chunk is begun for the first time.
 */
static void warm(struct proc *t)
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

static void run(struct proc *t)
{
	uint64_t at, step = rate ? 1000000000ULL * CHUNK_PAGES * nprocs / rate : 0;
	unsigned int n, occ;
	int chunk;

	while (!atomic_load(&all->full) && !atomic_load(&all->stop))
		begin_one(t);
	at = now_ns();
	for (n = 0; !atomic_load(&all->stop); n++) {
		if (step) {
			at += step;
			if (now_ns() < at) {
				sleep_until(at);
			} else if (now_ns() > at + 100000000) {
				atomic_fetch_add(&all->late, 1);
				at = now_ns();
			}
		}
		chunk = pick(t, false, false);
		if (chunk >= 0)
			chunk_dirty(t, chunk);
		occ = atomic_load(&all->occupied);
		if (n % 16 == t->number || occ > fill + 5)
			discard_one(t);
		if (occ < fill)
			begin_one(t);
	}
}

static void start(struct proc *t)
{
	t->pid = fork();
	if (t->pid < 0)
		err(1, "fork");
	if (t->pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_IGN);
	run(t);
	_exit(0);
}

static void proc_new(struct proc *t, unsigned int number, unsigned int seed)
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

static void help(void)
{
	fputs("contigload [-b vmsim|mmap] [-p processes] [-r pages a second, or 0]\n"
	      "\t[-f thousandths of the area] [-d directory] [-s seed]\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned int seed = 1, i;
	uint64_t begin;
	unsigned long free_pages;
	bool bad = false;
	int c, status;

	while ((c = getopt(argc, argv, "b:p:r:f:d:s:")) != -1) {
		switch (c) {
		case 'b':
			ours = !strcmp(optarg, "vmsim");
			if (!ours && strcmp(optarg, "mmap"))
				help();
			break;
		case 'p':
			nprocs = strtoul(optarg, NULL, 10);
			if (!nprocs || nprocs > MAX_PROCS)
				help();
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
			help();
		}
	}
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		err(1, "mmap");
	signal(SIGTERM, on_signal);
	for (i = 0; ours && i < nprocs; i++) {
		procs[i].fd = open(VMSIM_DEVICE, O_RDWR);
		if (procs[i].fd < 0)
			err(1, VMSIM_DEVICE);
	}
	area_free();
	/* Between them a quarter more than there is room for. */
	chunks = area_pages / 4 * 5 / CHUNK_PAGES / nprocs;
	for (i = 0; i < nprocs; i++)
		proc_new(&procs[i], i, seed);
	for (i = 0; ours && i < nprocs; i++)
		warm(&procs[i]);
	for (i = 0; i < nprocs; i++)
		start(&procs[i]);
	begin = now_ns();
	while (!atomic_load(&all->stop)) {
		free_pages = area_free();
		atomic_store(&all->occupied, 1000 - 1000 * free_pages / area_pages);
		/* To the brim first, so that what is free is what somebody let go. */
		if (!atomic_load(&all->full) && atomic_load(&all->occupied) >= BRIM) {
			atomic_store(&all->full, true);
			atomic_store(&all->dirtied, 0);
			begin = now_ns();
			puts("ready");
			fflush(stdout);
		}
		usleep(5000);
		/* One that has died is found out about at the end. */
		if (waitpid(-1, &status, WNOHANG | WNOWAIT) > 0)
			atomic_store(&all->stop, true);
	}
	begin = now_ns() - begin;
	for (i = 0; i < nprocs; i++) {
		waitpid(procs[i].pid, &status, 0);
		bad |= status != 0;
	}
	printf("load: pages=%lu seconds=%lu wired=%lu begun=%lu discarded=%lu wrong=%lu late=%lu\n",
	       all->dirtied, (long)(begin / 1000000000), all->wired, all->begun,
	       all->discarded, all->wrong, all->late);
	return bad || all->wrong || !all->full;
}
