// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of the VM, beside the VM
 *
 * Does random things to address spaces of /dev/vmsim, and the same to a model that
 * is too simple to be wrong: an array of pages a space, where a page is bytes, or
 * nothing. A fork copies all bytes at once; what is shared is the same page twice. So
 * the model says what each read has to return, to the byte, how far each access
 * comes, and which errno stops it. Nothing that the VM does to be quick is known to
 * it: no objects, no faults, no pages that are elsewhere.
 *
 * Everything depends on a seed, which is printed. With one thread the same seed
 * gives the same operations; -v prints them as a script for vmsimctl. When something
 * differs, the last operations are printed, and the program ends.
 *
 * Where the VM has a choice, so has the model:
 *
 *	advise free	the page may be anything until it has been written to as a whole
 *	ENOMEM		may stop whatever takes pages: then everything is paged out by
 *			hand, and it is tried once more
 *	EIO		stops what needs a pager, while I/O is made to fail (-e); what was
 *			written before is there when it works again
 *	several threads	of a shared file each owns every n-th page; what is in
 *			the others' is not looked at
 *
 * Private mappings show a file that nobody writes to, since what of such a mapping is
 * a copy already, and what still the file, is the VM's business. A mapping of the
 * file that is written to is shared or not inherited, for the same reason.
 *
 * At the end all spaces are closed, and then nothing may be left: no object, no page
 * on a queue or wired, no block of swap space in use; and the file has the bytes that
 * the model says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "vmsim/vmsim_ctl.h"

#define PAGE		4096U
#define SLOTS		192U		/* pages that a space can map */
#define MAX_SPACES	16U
#define MAX_THREADS	8U
#define FILE_PAGES	48U
#define FILE_TAIL	1000U		/* bytes that its last page is short of */
#define DEVICE_PAGES	16U
#define SWAP_PAGES	4096U
#define LOG_LINES	48U
#define LOG_BYTES	128U
#define FAIL_DIR	"/sys/kernel/debug/uma/fail_vm_io"

/* Where the slots are: across a boundary of every table of a page table. */
#define BASE		(UINT64_C(0x40000000) - SLOTS / 2 * PAGE)

/**
 * struct mpage - bytes that one or several slots show
 * @refs: how many
 * @wild: the VM may have forgotten them
 * @owner: the only thread that looks at it or writes to it, if there are several; 0
 *	is anyone's, n thread n - 1
 * @byte: the bytes
 */
struct mpage {
	unsigned int refs;
	bool wild;
	unsigned int owner;
	uint8_t byte[PAGE];
};

enum kind { NOTHING, ANON, PRIVATE, SHARED, GUARD };

static const char *const kind_names[] = { "nothing", "anonymous", "private",
					  "shared", "guard" };

/* What is at a page of a space. @page NULL: zeroes, of which nobody knows. */
struct slot {
	enum kind kind;
	struct mpage *page;
	uint8_t prot;
	uint8_t max;
	uint8_t inherit;
	bool wired;
};

struct space {
	int fd;				/* -1: none */
	uint32_t run;			/* contiguous memory that it has, 0: none */
	struct slot slot[SLOTS];
};

/**
 * struct driver - a thread, its spaces and what it remembers
 * @index: which one
 * @nspaces: spaces that it may have
 * @seed: state of the random numbers
 * @ops: operations done
 * @nomem: how often memory was short
 * @denied: how often it still was when all had been paged out
 * @epoch: of the failures, when the operation began
 * @broken: calls that I/O errors stopped
 * @longest: the longest chain that was seen
 * @log: what was done last, a ring
 */
struct driver {
	unsigned int index;
	unsigned int nspaces;
	struct space space[MAX_SPACES];
	uint64_t seed;
	uint64_t ops;
	uint64_t nomem;
	uint64_t denied;
	unsigned int epoch;
	uint64_t broken;
	unsigned int longest;
	char log[LOG_LINES][LOG_BYTES];
	uint64_t logged;
	pthread_t thread;
};

static struct driver drivers[MAX_THREADS];
static unsigned int nthreads = 1;
static uint64_t ops_wanted = 20000, look_from, first_seed;
static unsigned int seconds_wanted;
static bool verbose, no_swap, io_errors, keep_full;
static const char *dir = "/tmp";

/* The file that is written to, the device, and the file that is not. */
static struct mpage *file_page[FILE_PAGES], *device_page[DEVICE_PAGES];
static uint8_t constant[FILE_PAGES][PAGE];
static int file_fd, constant_fd;
static char swap_path[2][256];

static unsigned int pool_pages;

/* Requests for contiguous memory that were granted. */
static _Atomic uint64_t contigs;

/* Spaces on their way from one thread to another. */
static struct space *gift;
static pthread_mutex_t gift_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * I/O fails while this is odd: it goes up before the first can fail, and when the last
 * one that could is over.
 */
static unsigned int fail_epoch;
static pthread_mutex_t fail_lock = PTHREAD_MUTEX_INITIALIZER;

/* One reports, the others are quiet. */
static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- random numbers, the log, failure ----------------------------------- */

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static unsigned int below(struct driver *d, unsigned int n)
{
	return next_random(&d->seed) % n;
}

__attribute__((format(printf, 2, 3)))
static void note(struct driver *d, const char *format, ...)
{
	char *line = d->log[d->logged++ % LOG_LINES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, LOG_BYTES, format, args);
	va_end(args);
	if (verbose)
		puts(line);
}

/* ---- I/O errors --------------------------------------------------------- */

/* Set one of the files of the kernel's fault injection. */
static bool set_failure(const char *name, int value)
{
	char path[128], text[16];
	int fd, n = snprintf(text, sizeof(text), "%d", value);
	bool ok;

	snprintf(path, sizeof(path), FAIL_DIR "/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, text, n) == n;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Make so many percent of all I/O fail, or of all writes; 0 is the end of it. */
static void set_failures(unsigned int percent, bool writes)
{
	if (percent)
		__atomic_add_fetch(&fail_epoch, 1, __ATOMIC_SEQ_CST);
	if (!set_failure("writes_only", writes) || !set_failure("times", -1) ||
	    !set_failure("interval", 1) || !set_failure("probability", percent)) {
		fprintf(stderr, "vmmodel: " FAIL_DIR ": %s\n", strerror(errno));
		_exit(1);
	}
	if (!percent)
		__atomic_add_fetch(&fail_epoch, 1, __ATOMIC_SEQ_CST);
}

/* Whether it is an I/O error that the operation under way may have met. */
static bool io_failed(struct driver *d, int error)
{
	if (error != EIO ||
	    !(d->epoch & 1 ||
	      d->epoch != __atomic_load_n(&fail_epoch, __ATOMIC_SEQ_CST)))
		return false;
	d->broken++;
	return true;
}

__attribute__((format(printf, 2, 3), noreturn))
static void differ(struct driver *d, const char *format, ...)
{
	uint64_t i = d->logged > LOG_LINES ? d->logged - LOG_LINES : 0;
	va_list args;

	pthread_mutex_lock(&report_lock);
	if (io_errors)
		set_failure("probability", 0);
	printf("vmmodel: thread %u, the last operations:\n", d->index);
	for (; i < d->logged; i++)
		printf("vmmodel:   %s\n", d->log[i % LOG_LINES]);
	printf("vmmodel: seed %" PRIu64 ", operation %" PRIu64 ": ", first_seed,
	       d->ops);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

__attribute__((format(printf, 1, 2), noreturn))
static void die(const char *format, ...)
{
	va_list args;

	fputs("vmmodel: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- the model's pages -------------------------------------------------- */

static struct mpage *page_new(const uint8_t *bytes)
{
	struct mpage *page = calloc(1, sizeof(*page));

	if (!page)
		die("out of memory");
	page->refs = 1;
	if (bytes)
		memcpy(page->byte, bytes, PAGE);
	return page;
}

static void page_put(struct mpage *page)
{
	if (page && !--page->refs)
		free(page);
}

/* The page of a slot; its first user makes it. */
static struct mpage *page_of(struct slot *slot)
{
	if (!slot->page)
		slot->page = page_new(NULL);
	return slot->page;
}

static void slot_clear(struct slot *slot)
{
	/* Those of the file and the device are everybody's, and not counted. */
	if (slot->kind != SHARED)
		page_put(slot->page);
	memset(slot, 0, sizeof(*slot));
}

static uint64_t address(unsigned int slot)
{
	return BASE + (uint64_t)slot * PAGE;
}

static char space_name(const struct driver *d, const struct space *s)
{
	return 'a' + d->index * 32 % 26 + (s - d->space);
}

/* ---- calls -------------------------------------------------------------- */

static int call(int fd, unsigned long nr, void *arg)
{
	return ioctl(fd, nr, arg) ? errno : 0;
}

static int range_call(const struct space *s, unsigned long nr, unsigned int at,
		      unsigned int n, uint32_t what, uint32_t flags)
{
	struct vmsim_range vr = {
		.vr_addr = address(at),
		.vr_length = (uint64_t)n * PAGE,
		.vr_what = what,
		.vr_flags = flags,
	};

	return call(s->fd, nr, &vr);
}

/* Make room: page out all that this thread has. */
static void page_out_all(struct driver *d)
{
	unsigned int i;

	d->nomem++;
	for (i = 0; i < d->nspaces; i++)
		if (d->space[i].fd >= 0)
			range_call(&d->space[i], VMSIM_ADVISE, 0, SLOTS,
				   VMSIM_ADVISE_PAGEOUT, 0);
}

/* Whether to try once more. */
static bool once_more(struct driver *d, int error, bool *tried)
{
	if (error != ENOMEM)
		return false;
	if (*tried) {
		d->denied++;
		return false;
	}
	*tried = true;
	page_out_all(d);
	return true;
}

/* What may cut entries, for which there may be no memory; then nothing is done. */
static int cut_call(struct driver *d, const struct space *s, unsigned long nr,
		    unsigned int at, unsigned int n, uint32_t how, uint32_t flags)
{
	bool tried = false;
	int error;

	do {
		error = range_call(s, nr, at, n, how, flags);
	} while (once_more(d, error, &tried));
	return error;
}

static void want_error(struct driver *d, int is, int want, const char *what)
{
	if (is != want)
		differ(d, "%s: %s, not %s", what, is ? strerror(is) : "success",
		       want ? strerror(want) : "success");
}

/* ---- operations --------------------------------------------------------- */

/* A space of the thread's that is there. */
static struct space *some_space(struct driver *d)
{
	unsigned int i, at = below(d, d->nspaces);

	for (i = 0; i < d->nspaces; i++)
		if (d->space[(at + i) % d->nspaces].fd >= 0)
			return &d->space[(at + i) % d->nspaces];
	return NULL;
}

static struct space *no_space(struct driver *d)
{
	unsigned int i;

	for (i = 0; i < d->nspaces; i++)
		if (d->space[i].fd < 0)
			return &d->space[i];
	return NULL;
}

/* A range of slots: mostly short, sometimes all of it. */
static void some_range(struct driver *d, unsigned int *at, unsigned int *n)
{
	*at = below(d, SLOTS);
	*n = 1 + below(d, below(d, 4) ? 8 : SLOTS);
	if (*n > SLOTS - *at)
		*n = SLOTS - *at;
}

static uint8_t some_prot(struct driver *d)
{
	static const uint8_t prots[] = { 3, 3, 3, 3, 1, 1, 7, 2, 0, 5 };

	return prots[below(d, sizeof(prots))];
}

static const char *prot_name(uint8_t prot)
{
	static const char *const names[] = { "none", "r", "w", "rw", "x", "rx",
					     "wx", "rwx" };

	return names[prot & 7];
}

static void do_open(struct driver *d)
{
	struct space *s = no_space(d);

	if (!s)
		return;
	note(d, "open %c", space_name(d, s));
	s->fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);
	if (s->fd < 0 && errno != ENOMEM)
		differ(d, "open: %s", strerror(errno));
}

static void do_close(struct driver *d)
{
	struct space *s = some_space(d);
	unsigned int i;

	if (!s)
		return;
	note(d, "close %c", space_name(d, s));
	close(s->fd);
	s->fd = -1;
	s->run = 0;
	for (i = 0; i < SLOTS; i++)
		slot_clear(&s->slot[i]);
}

static void map_slots(struct space *s, const struct vmsim_map *vm, enum kind kind)
{
	unsigned int at = (vm->vm_addr - BASE) / PAGE;
	unsigned int i, from = vm->vm_offset / PAGE;
	struct slot *slot;

	for (i = 0; i < vm->vm_length / PAGE; i++) {
		slot = &s->slot[at + i];
		slot_clear(slot);
		slot->kind = kind;
		slot->prot = vm->vm_prot;
		slot->max = vm->vm_max_prot;
		slot->inherit = kind == SHARED ||
				vm->vm_kind == VMSIM_KIND_PHYS ?
				VMSIM_INHERIT_SHARE : VMSIM_INHERIT_COPY;
		if (kind == SHARED)
			slot->page = vm->vm_kind == VMSIM_KIND_FILE ?
				     file_page[from + i] : device_page[from + i];
		else if (kind == PRIVATE)
			slot->page = page_new(constant[from + i]);
	}
}

/* The first run of free slots at or behind one. */
static bool find_room(const struct space *s, unsigned int from, unsigned int n,
		      unsigned int *at)
{
	unsigned int i, run = 0;

	for (i = from; i < SLOTS; i++) {
		run = s->slot[i].kind == NOTHING ? run + 1 : 0;
		if (run == n) {
			*at = i + 1 - n;
			return true;
		}
	}
	return false;
}

static void do_map(struct driver *d)
{
	struct space *s = some_space(d);
	struct vmsim_map vm = { .vm_fd = -1 };
	unsigned int at, n, i, room = 0, want_at;
	enum kind kind = ANON;
	bool fixed, tried = false;
	int error;

	if (!s)
		return;
	some_range(d, &at, &n);
	vm.vm_prot = below(d, 3) ? VMSIM_PROT_READ | VMSIM_PROT_WRITE :
				   some_prot(d);
	vm.vm_max_prot = below(d, 4) ? VMSIM_PROT_ALL : vm.vm_prot;
	switch (below(d, 12)) {
	case 0:
	case 1:
		kind = SHARED;
		vm.vm_kind = VMSIM_KIND_FILE;
		vm.vm_fd = file_fd;
		room = FILE_PAGES;
		break;
	case 2:
	case 3:
		kind = PRIVATE;
		vm.vm_kind = VMSIM_KIND_FILE;
		vm.vm_fd = constant_fd;
		vm.vm_flags = VMSIM_MAP_PRIVATE;
		room = FILE_PAGES;
		break;
	case 4:
		kind = SHARED;
		vm.vm_kind = VMSIM_KIND_DEVICE;
		room = DEVICE_PAGES;
		break;
	case 5:
		vm.vm_kind = VMSIM_KIND_PHYS;
		break;
	case 6:
		kind = GUARD;
		vm.vm_kind = VMSIM_KIND_GUARD;
		break;
	}
	if (room) {
		i = below(d, room);
		if (n > room - i)
			n = room - i;
		vm.vm_offset = (uint64_t)i * PAGE;
	}
	vm.vm_length = (uint64_t)n * PAGE;
	vm.vm_addr = address(at);
	want_at = at;
	/* Without an address: the first room behind it, and none is behind us. */
	fixed = below(d, 4) || !find_room(s, at, n, &want_at);
	if (fixed)
		vm.vm_flags |= VMSIM_MAP_FIXED;
	note(d, "map %c %s0x%" PRIx64 " %up %s max %s%s offset 0x%" PRIx64,
	     space_name(d, s), fixed ? "" : "any=", (uint64_t)vm.vm_addr, n,
	     prot_name(vm.vm_prot), prot_name(vm.vm_max_prot),
	     kind == SHARED && vm.vm_kind == VMSIM_KIND_FILE ? " file f" :
	     kind == SHARED ? " device" : kind == PRIVATE ? " file c private" :
	     kind == GUARD ? " guard" :
	     vm.vm_kind == VMSIM_KIND_PHYS ? " phys" : "",
	     (uint64_t)vm.vm_offset);
	do {
		error = call(s->fd, VMSIM_MAP, &vm);
	} while (once_more(d, error, &tried));
	if (error == ENOMEM)
		return;
	want_error(d, error, 0, "map");
	if (vm.vm_addr != address(want_at))
		differ(d, "map: at 0x%" PRIx64 ", not at 0x%" PRIx64,
		       (uint64_t)vm.vm_addr, address(want_at));
	map_slots(s, &vm, kind);
}

static void do_unmap(struct driver *d)
{
	struct space *s = some_space(d);
	unsigned int at, n;

	if (!s)
		return;
	some_range(d, &at, &n);
	note(d, "unmap %c 0x%" PRIx64 " %up", space_name(d, s), address(at), n);
	want_error(d, range_call(s, VMSIM_UNMAP, at, n, 0, 0), 0, "unmap");
	while (n--)
		slot_clear(&s->slot[at++]);
}

static void do_protect(struct driver *d)
{
	struct space *s = some_space(d);
	bool max = !below(d, 16);
	unsigned int at, n, i;
	uint8_t prot;
	int error, want = 0;

	if (!s)
		return;
	some_range(d, &at, &n);
	prot = some_prot(d);
	if (max)
		prot |= VMSIM_PROT_READ | VMSIM_PROT_WRITE;
	for (i = at; i < at + n; i++)
		if (s->slot[i].kind != NOTHING && prot & ~s->slot[i].max)
			want = EACCES;
	note(d, "protect %c 0x%" PRIx64 " %up %s%s", space_name(d, s),
	     address(at), n, prot_name(prot), max ? " max" : "");
	error = cut_call(d, s, VMSIM_PROTECT, at, n, prot,
			 max ? VMSIM_PROTECT_MAX : 0);
	if (error == ENOMEM)
		return;
	want_error(d, error, want, "protect");
	for (i = at; !want && i < at + n; i++) {
		if (s->slot[i].kind == NOTHING)
			continue;
		if (max)
			s->slot[i].max = prot;
		s->slot[i].prot = max ? s->slot[i].prot & prot : prot;
	}
}

/* Set the inheritance of slots that are alike, with the VM; false without memory. */
static bool set_inherit(struct driver *d, struct space *s, unsigned int at,
			unsigned int n, uint8_t inherit)
{
	static const char *const names[] = { "share", "copy", "none" };
	int error;

	note(d, "inherit %c 0x%" PRIx64 " %up %s", space_name(d, s),
	     address(at), n, names[inherit]);
	error = cut_call(d, s, VMSIM_INHERIT, at, n, inherit, 0);
	if (error == ENOMEM)
		return false;
	want_error(d, error, 0, "inherit");
	while (n--)
		if (s->slot[at++].kind != NOTHING)
			s->slot[at - 1].inherit = inherit;
	return true;
}

static void do_inherit(struct driver *d)
{
	struct space *s = some_space(d);
	unsigned int at, n, i;
	uint8_t inherit;

	if (!s)
		return;
	some_range(d, &at, &n);
	inherit = below(d, 3);
	for (i = at; i < at + n; i++)
		if (s->slot[i].kind == SHARED && inherit == VMSIM_INHERIT_COPY)
			inherit = VMSIM_INHERIT_SHARE;
	set_inherit(d, s, at, n, inherit);
}

static void fork_slot(struct slot *from, struct slot *to)
{
	if (from->kind == NOTHING || from->inherit == VMSIM_INHERIT_NONE)
		return;
	*to = *from;
	to->wired = false;
	if (from->kind == SHARED)
		return;
	if (from->inherit == VMSIM_INHERIT_SHARE) {
		if (from->kind != GUARD)
			to->page = page_of(from);
		if (to->page)
			to->page->refs++;
	} else if (from->page) {
		to->page = page_new(from->page->byte);
		to->page->wild = from->page->wild;
	}
}

static bool fork_space(struct driver *d, struct space *s, struct space *child)
{
	struct vmsim_fork vf = { 0 };
	bool tried = false;
	unsigned int i;
	int error;

	do {
		error = call(s->fd, VMSIM_FORK, &vf);
	} while (once_more(d, error, &tried));
	if (error == ENOMEM || io_failed(d, error))
		return false;
	want_error(d, error, 0, "fork");
	child->fd = vf.vf_fd;
	for (i = 0; i < SLOTS; i++)
		fork_slot(&s->slot[i], &child->slot[i]);
	return true;
}

static void do_fork(struct driver *d)
{
	struct space *s = some_space(d), *child = no_space(d);

	if (!s || !child)
		return;
	note(d, "fork %c %c", space_name(d, s), space_name(d, child));
	fork_space(d, s, child);
}

/* Give a child to whoever takes it, or take one. */
static void do_gift(struct driver *d)
{
	struct space *s = some_space(d), *child = no_space(d), *given = NULL;
	unsigned int i;

	if (!s || !child)
		return;
	pthread_mutex_lock(&gift_lock);
	if (gift) {
		*child = *gift;
		free(gift);
		gift = NULL;
		note(d, "taken: %c", space_name(d, child));
		pthread_mutex_unlock(&gift_lock);
		return;
	}
	pthread_mutex_unlock(&gift_lock);
	/* What is written by one thread cannot be predicted by another. */
	for (i = 0; i < SLOTS; i++)
		if (s->slot[i].kind != SHARED && s->slot[i].kind != NOTHING &&
		    s->slot[i].inherit == VMSIM_INHERIT_SHARE &&
		    !set_inherit(d, s, i, 1, VMSIM_INHERIT_COPY))
			return;
	given = calloc(1, sizeof(*given));
	if (!given)
		die("out of memory");
	note(d, "fork %c gift", space_name(d, s));
	if (!fork_space(d, s, given)) {
		free(given);
		return;
	}
	pthread_mutex_lock(&gift_lock);
	if (gift) {
		close(given->fd);
		for (i = 0; i < SLOTS; i++)
			slot_clear(&given->slot[i]);
		free(given);
	} else {
		gift = given;
	}
	pthread_mutex_unlock(&gift_lock);
}

static void do_advise(struct driver *d)
{
	static const char *const names[] = {
		"normal", "random", "sequential", "willneed", "dontneed", "free",
		"pageout"
	};
	struct space *s = some_space(d);
	unsigned int at, n, i;
	uint32_t advice;
	int error;

	if (!s)
		return;
	some_range(d, &at, &n);
	advice = below(d, 3) ? VMSIM_ADVISE_PAGEOUT : below(d, 7);
	note(d, "advise %c 0x%" PRIx64 " %up %s", space_name(d, s), address(at), n,
	     names[advice]);
	error = cut_call(d, s, VMSIM_ADVISE, at, n, advice, 0);
	if (error == ENOMEM)
		return;
	/* There may be nowhere to page out to. */
	if (advice != VMSIM_ADVISE_PAGEOUT ||
	    (!io_failed(d, error) && error != EIO))
		want_error(d, error, 0, "advise");
	for (i = at; advice == VMSIM_ADVISE_FREE && i < at + n; i++)
		if (s->slot[i].kind == ANON || s->slot[i].kind == PRIVATE)
			page_of(&s->slot[i])->wild = true;
}

/*
 * Contiguous memory, won from all spaces alike. What it does to their bytes is to be
 * nothing, and the reads that come after it will tell.
 */
static void do_contig(struct driver *d)
{
	static const uint32_t flags[] = {
		0, 0, VMSIM_CONTIG_MAPPED, VMSIM_CONTIG_OLD, VMSIM_CONTIG_NOWAIT,
		VMSIM_CONTIG_MAPPED | VMSIM_CONTIG_NOWAIT,
	};
	struct space *s = some_space(d);
	struct vmsim_contig vc = { .vc_high = UINT64_MAX };
	struct vmsim_release vr = { 0 };
	int error;

	/* Of a small pool, runs and what is wired leave too little for the rest. */
	if (!s || keep_full)
		return;
	if (s->run) {
		note(d, "release %c run", space_name(d, s));
		vr.vr_id = s->run;
		s->run = 0;
		want_error(d, call(s->fd, VMSIM_RELEASE, &vr), 0, "release");
		return;
	}
	vc.vc_size = PAGE << below(d, 7);
	vc.vc_align = PAGE << below(d, 5);
	vc.vc_flags = flags[below(d, sizeof(flags) / sizeof(*flags))];
	note(d, "contig %c run %u align %u # flags %x", space_name(d, s),
	     (unsigned int)vc.vc_size, (unsigned int)vc.vc_align, vc.vc_flags);
	error = call(s->fd, VMSIM_CONTIG, &vc);
	/* What others have wired, and what is short, is nobody's fault. */
	if (error != ENOMEM && error != EINTR)
		want_error(d, error, 0, "contig");
	if (error)
		return;
	if (vc.vc_phys % vc.vc_align)
		differ(d, "contiguous memory at 0x%llx", vc.vc_phys);
	s->run = vc.vc_id;
	contigs++;
}

static void do_sync(struct driver *d)
{
	struct space *s = some_space(d);
	unsigned int at, n, i;
	uint32_t flags;
	int error, want = 0;

	if (!s)
		return;
	some_range(d, &at, &n);
	flags = below(d, 4);
	for (i = at; !want && i < at + n; i++) {
		if (s->slot[i].kind == NOTHING)
			want = EFAULT;
		else if (flags & VMSIM_SYNC_INVALIDATE && s->slot[i].wired)
			want = EBUSY;
	}
	note(d, "sync %c 0x%" PRIx64 " %up%s%s", space_name(d, s), address(at), n,
	     flags & VMSIM_SYNC_ASYNC ? " async" : "",
	     flags & VMSIM_SYNC_INVALIDATE ? " invalidate" : "");
	error = range_call(s, VMSIM_SYNC, at, n, 0, flags);
	if (!io_failed(d, error))
		want_error(d, error, want, "sync");
}

static unsigned int wired_slots(const struct driver *d)
{
	unsigned int i, at, n = 0;

	for (i = 0; i < d->nspaces; i++)
		for (at = 0; at < SLOTS; at++)
			n += d->space[i].slot[at].wired;
	return n;
}

static void do_wire(struct driver *d)
{
	struct space *s = some_space(d);
	unsigned int at, n, i;
	int error, want = 0;

	if (!s)
		return;
	some_range(d, &at, &n);
	for (i = at; i < at + n; i++)
		if (s->slot[i].kind == NOTHING)
			want = EFAULT;
	/* Not more than can be spared. */
	if (n + wired_slots(d) > pool_pages / 4 / nthreads)
		return;
	note(d, "wire %c 0x%" PRIx64 " %up", space_name(d, s), address(at), n);
	error = cut_call(d, s, VMSIM_WIRE, at, n, 0, 0);
	/* What is wired is as it was. */
	if (error == ENOMEM || io_failed(d, error))
		return;
	want_error(d, error, want, "wire");
	for (i = at; !want && i < at + n; i++)
		s->slot[i].wired = s->slot[i].kind != GUARD;
}

static void do_unwire(struct driver *d)
{
	struct space *s = some_space(d);
	unsigned int at, n, i;
	int want = 0;

	if (!s)
		return;
	some_range(d, &at, &n);
	for (i = at; !want && i < at + n; i++) {
		if (s->slot[i].kind == NOTHING)
			want = EFAULT;
		else if (s->slot[i].kind != GUARD && !s->slot[i].wired)
			want = EINVAL;
	}
	note(d, "unwire %c 0x%" PRIx64 " %up", space_name(d, s), address(at), n);
	want_error(d, range_call(s, VMSIM_UNWIRE, at, n, 0, 0), want, "unwire");
	for (i = at; !want && i < at + n; i++)
		s->slot[i].wired = false;
}

/* ---- reading and writing ------------------------------------------------ */

/* The errno that stops an access to a slot. */
static int access_error(const struct slot *slot, uint8_t prot)
{
	if (slot->kind == NOTHING || slot->kind == GUARD)
		return EFAULT;
	return slot->prot & prot ? 0 : EACCES;
}

/* Bytes from an address on that can be accessed, and what stops then. */
static uint32_t accessible(const struct space *s, uint32_t offset, uint32_t len,
			   uint8_t prot, int *error)
{
	uint32_t done = 0, n;

	*error = 0;
	while (done < len) {
		*error = access_error(&s->slot[(offset + done) / PAGE], prot);
		if (*error)
			break;
		n = PAGE - (offset + done) % PAGE;
		done += n < len - done ? n : len - done;
	}
	return done;
}

static bool is_foreign(const struct driver *d, const struct mpage *page)
{
	return page->owner && page->owner != d->index + 1;
}

/* Behind a file's end: nobody says what is there. */
static bool in_tail(const struct slot *slot, uint32_t at)
{
	return slot->page == file_page[FILE_PAGES - 1] && at >= PAGE - FILE_TAIL;
}

static void some_bytes(struct driver *d, uint32_t *offset, uint32_t *len)
{
	uint32_t most = SLOTS * PAGE;
	unsigned int i;

	*offset = below(d, SLOTS) * PAGE;
	i = below(d, 4);
	if (i == 0)
		*offset += below(d, PAGE);
	*len = i < 2 ? PAGE * (1 + below(d, 4)) :
	       i == 2 ? 1 + below(d, 64) : 1 + below(d, 3 * PAGE);
	if (!below(d, 64))
		*len = most;
	if (*len > most - *offset)
		*len = most - *offset;
}

static void access_bytes(struct driver *d, struct space *s, uint32_t offset,
			 uint32_t len, bool write)
{
	static __thread uint8_t buf[SLOTS * PAGE];
	uint32_t can, at, i;
	struct slot *slot;
	struct vmsim_rw rw;
	bool tried = false;
	uint64_t word = 0, came = 0;
	int error, want;

	/* Not what others write to, nor where a file has ended. */
	for (i = offset / PAGE; write && i <= (offset + len - 1) / PAGE; i++) {
		slot = &s->slot[i];
		if (slot->kind != SHARED)
			continue;
		if (is_foreign(d, slot->page) ||
		    slot->page == file_page[FILE_PAGES - 1])
			return;
	}
	can = accessible(s, offset, len,
			 write ? VMSIM_PROT_WRITE : VMSIM_PROT_READ, &want);
	if (write || !look_from || d->ops < look_from)
		note(d, "%s %c 0x%" PRIx64 " %u", write ? "write" : "read",
		     space_name(d, s), BASE + offset, len);
	for (i = 0; write && i < len; i++) {
		if (i % 8 == 0)
			word = next_random(&d->seed);
		buf[i] = word >> i % 8 * 8;
	}
	if (!write)
		memset(buf, 0xa5, len);
	do {
		rw = (struct vmsim_rw) {
			.rw_addr = BASE + offset,
			.rw_buffer = (uintptr_t)buf,
			.rw_length = len,
		};
		error = call(s->fd, write ? VMSIM_WRITE : VMSIM_READ, &rw);
		if (rw.rw_done > came)
			came = rw.rw_done;
	} while (once_more(d, error, &tried));
	if (error == ENOMEM || io_failed(d, error)) {
		if (rw.rw_done > can)
			differ(d, "%" PRIu64 " bytes done, %u possible",
			       (uint64_t)rw.rw_done, can);
		/* What the first attempt has written is written. */
		can = write ? came : rw.rw_done;
	} else {
		want_error(d, error, want, write ? "write" : "read");
		if (rw.rw_done != can)
			differ(d, "%" PRIu64 " bytes done, not %u",
			       (uint64_t)rw.rw_done, can);
	}
	for (i = 0; i < can; i++) {
		slot = &s->slot[(offset + i) / PAGE];
		at = (offset + i) % PAGE;
		if (write) {
			if (at == 0 && can - i >= PAGE)
				page_of(slot)->wild = false;
			page_of(slot)->byte[at] = buf[i];
			continue;
		}
		if (slot->page && (slot->page->wild ||
				   is_foreign(d, slot->page) ||
				   in_tail(slot, at)))
			continue;
		if (buf[i] != (slot->page ? slot->page->byte[at] : 0))
			differ(d, "read: at 0x%" PRIx64 " (%s) is 0x%02x, not 0x%02x",
			       BASE + offset + i, kind_names[slot->kind], buf[i],
			       slot->page ? slot->page->byte[at] : 0);
	}
}

static void do_rw(struct driver *d, bool write)
{
	struct space *s = some_space(d);
	uint32_t offset, len;

	if (!s)
		return;
	some_bytes(d, &offset, &len);
	access_bytes(d, s, offset, len, write);
}

/* ---- looking ------------------------------------------------------------ */

/* Read all that can be read. It changes what is resident, of course. */
static void look_at_all(struct driver *d)
{
	unsigned int i, at;

	for (i = 0; i < d->nspaces; i++)
		for (at = 0; d->space[i].fd >= 0 && at < SLOTS; at++)
			if (d->space[i].slot[at].page &&
			    d->space[i].slot[at].prot & VMSIM_PROT_READ)
				access_bytes(d, &d->space[i], at * PAGE, PAGE,
					     false);
}

/* The entries say what the slots do, and the kernel's own recount is right. */
static void do_check(struct driver *d)
{
	static __thread struct vmsim_entry ve[SLOTS + 8];
	struct space *s = some_space(d);
	struct vmsim_list vl = {
		.vl_buffer = (uintptr_t)ve,
		.vl_room = SLOTS + 8,
	};
	unsigned int i, at = 0, end;
	const struct slot *slot;
	bool guard;

	if (!s)
		return;
	note(d, "check %c", space_name(d, s));
	want_error(d, call(s->fd, VMSIM_CHECK, NULL), 0, "check");
	want_error(d, call(s->fd, VMSIM_ENTRIES, &vl), 0, "entries");
	if (vl.vl_count > SLOTS)
		differ(d, "%u entries of %u pages", vl.vl_count, SLOTS);
	for (i = 0; i < vl.vl_count; i++) {
		for (; at < SLOTS && address(at) < ve[i].ve_start; at++)
			if (s->slot[at].kind != NOTHING)
				differ(d, "no entry at 0x%" PRIx64, address(at));
		end = (ve[i].ve_end - BASE) / PAGE;
		for (; at < end; at++) {
			slot = &s->slot[at];
			guard = slot->kind == GUARD;
			if (slot->kind == NOTHING || slot->prot != ve[i].ve_prot ||
			    slot->max != ve[i].ve_max_prot ||
			    slot->inherit != ve[i].ve_inherit ||
			    slot->wired != !!ve[i].ve_wired ||
			    !(ve[i].ve_flags & VMSIM_ENTRY_GUARD) == guard)
				differ(d, "the entry at 0x%" PRIx64
				       " has %u/%u inherit %u wired %u, not %u/%u %u %u",
				       address(at), ve[i].ve_prot,
				       ve[i].ve_max_prot, ve[i].ve_inherit,
				       ve[i].ve_wired, slot->prot, slot->max,
				       slot->inherit, slot->wired);
		}
	}
	for (; at < SLOTS; at++)
		if (s->slot[at].kind != NOTHING)
			differ(d, "no entry at 0x%" PRIx64, address(at));
}

/* How long the chains are. */
static void do_chains(struct driver *d)
{
	static __thread struct vmsim_object vo[4 * SLOTS];
	struct space *s = some_space(d);
	struct vmsim_list vl = {
		.vl_buffer = (uintptr_t)vo,
		.vl_room = 4 * SLOTS,
	};
	unsigned int i, j, length;
	uint64_t below_id;
	int error;

	if (!s)
		return;
	error = call(s->fd, VMSIM_OBJECTS, &vl);
	if (error == ENOMEM)
		return;
	want_error(d, error, 0, "objects");
	if (vl.vl_count > vl.vl_room)
		return;
	for (i = 0; i < vl.vl_count; i++) {
		below_id = vo[i].vo_id;
		for (length = 0; below_id; length++) {
			for (j = 0; j < vl.vl_count; j++)
				if (vo[j].vo_id == below_id)
					break;
			below_id = j < vl.vl_count ? vo[j].vo_backing : 0;
		}
		if (length > d->longest)
			d->longest = length;
	}
}

static void do_swap(struct driver *d)
{
	unsigned int which = below(d, 2);
	bool on = below(d, 2);
	struct vmsim_swap vs = { .vs_path = (uintptr_t)swap_path[which] };
	struct space *s = some_space(d);
	int error;

	if (!s || no_swap)
		return;
	note(d, "%s %s", on ? "swapon" : "swapoff", swap_path[which]);
	error = call(s->fd, on ? VMSIM_SWAPON : VMSIM_SWAPOFF, &vs);
	/* It is on already, or not, or another thread's doing; or no room. */
	if (error && error != EBUSY && error != ENOENT && error != ENOMEM &&
	    error != EEXIST && error != EINVAL && !io_failed(d, error))
		differ(d, "%s: %s", on ? "swapon" : "swapoff", strerror(error));
}

/* Let I/O fail, or work again. */
static void do_failures(struct driver *d)
{
	static const unsigned int percents[] = { 3, 30, 100 };
	unsigned int percent = percents[below(d, 3)];
	bool writes = below(d, 2);

	pthread_mutex_lock(&fail_lock);
	if (__atomic_load_n(&fail_epoch, __ATOMIC_SEQ_CST) & 1) {
		note(d, "io-errors 0");
		set_failures(0, false);
	} else {
		note(d, "io-errors %u%s", percent, writes ? " writes" : "");
		set_failures(percent, writes);
	}
	pthread_mutex_unlock(&fail_lock);
}

/* A space with all that it can map written to. */
static void fill_space(struct driver *d, struct space *s)
{
	struct vmsim_map vm = {
		.vm_addr = BASE,
		.vm_length = SLOTS * PAGE,
		.vm_fd = -1,
		.vm_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
		.vm_max_prot = VMSIM_PROT_ALL,
		.vm_flags = VMSIM_MAP_FIXED,
	};
	bool tried = false;
	int error;

	note(d, "map %c 0x%" PRIx64 " %up rw max rwx", space_name(d, s), BASE,
	     SLOTS);
	do {
		error = call(s->fd, VMSIM_MAP, &vm);
	} while (once_more(d, error, &tried));
	if (error == ENOMEM)
		return;
	want_error(d, error, 0, "map");
	map_slots(s, &vm, ANON);
	access_bytes(d, s, 0, SLOTS * PAGE, true);
}

/* All spaces, full: more than a small pool has. */
static void fill_spaces(struct driver *d)
{
	unsigned int i;

	d->epoch = __atomic_load_n(&fail_epoch, __ATOMIC_SEQ_CST);
	for (i = 0; i < d->nspaces; i++) {
		do_open(d);
		if (d->space[i].fd >= 0)
			fill_space(d, &d->space[i]);
	}
}

/* ---- all of it ---------------------------------------------------------- */

static void one_op(struct driver *d)
{
	unsigned int r = below(d, 1000);

	d->ops++;
	/* Mostly it works. */
	if (io_errors &&
	    !below(d, __atomic_load_n(&fail_epoch, __ATOMIC_SEQ_CST) & 1 ? 16 : 64))
		do_failures(d);
	d->epoch = __atomic_load_n(&fail_epoch, __ATOMIC_SEQ_CST);
	if (r < 290)
		do_rw(d, true);
	else if (r < 594)
		do_rw(d, false);
	else if (r < 600)
		do_contig(d);
	else if (r < 680)
		do_map(d);
	else if (r < 720)
		do_unmap(d);
	else if (r < 770)
		do_protect(d);
	else if (r < 800)
		do_inherit(d);
	else if (r < 860)
		do_advise(d);
	else if (r < 880)
		do_sync(d);
	else if (r < 910)
		do_wire(d);
	else if (r < 940)
		do_unwire(d);
	else if (r < 955)
		do_fork(d);
	else if (r < 968)
		do_close(d);
	else if (r < 972)
		do_open(d);
	else if (r < 976)
		nthreads > 1 ? do_gift(d) : do_fork(d);
	else if (r < 990)
		do_check(d);
	else if (r < 996)
		do_chains(d);
	else
		do_swap(d);
	if (!some_space(d))
		do_open(d);
	/* What is unmapped must not leave room for all the rest. */
	if (keep_full && !below(d, 128)) {
		struct space *space = no_space(d) ?: some_space(d);

		do_open(d);
		if (space->fd >= 0)
			fill_space(d, space);
	}
}

static time_t started;

static void *driver_main(void *arg)
{
	struct driver *d = arg;

	if (keep_full)
		fill_spaces(d);

	while (seconds_wanted ? time(NULL) - started < seconds_wanted :
				d->ops < ops_wanted) {
		one_op(d);
		if (look_from && d->ops >= look_from)
			look_at_all(d);
	}
	return NULL;
}

static int make_file(const char *name, unsigned int pages, unsigned int tail)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)pages * PAGE - tail))
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void make_files(uint64_t seed)
{
	unsigned int i, j;
	int fd;

	file_fd = make_file("vmmodel.file", FILE_PAGES, FILE_TAIL);
	constant_fd = make_file("vmmodel.constant", FILE_PAGES, 0);
	for (i = 0; i < FILE_PAGES; i++) {
		for (j = 0; j < PAGE; j++)
			constant[i][j] = next_random(&seed);
		if (pwrite(constant_fd, constant[i], PAGE, (off_t)i * PAGE) != PAGE)
			die("vmmodel.constant: %s", strerror(errno));
		file_page[i] = page_new(NULL);
	}
	for (i = 0; i < DEVICE_PAGES; i++)
		device_page[i] = page_new(NULL);
	for (i = 0; i < 2; i++) {
		snprintf(swap_path[i], sizeof(swap_path[i]), "%s/vmmodel.swap%u",
			 dir, i);
		fd = make_file(swap_path[i] + strlen(dir) + 1, SWAP_PAGES, 0);
		close(fd);
	}
}

/* The device keeps what was written to it by others before us: begin with zeroes. */
static void clear_device(int fd)
{
	struct vmsim_map vm = {
		.vm_addr = BASE,
		.vm_length = DEVICE_PAGES * PAGE,
		.vm_kind = VMSIM_KIND_DEVICE,
		.vm_fd = -1,
		.vm_prot = VMSIM_PROT_WRITE,
		.vm_max_prot = VMSIM_PROT_WRITE,
		.vm_flags = VMSIM_MAP_FIXED,
	};
	static const uint8_t zeroes[DEVICE_PAGES * PAGE];
	struct vmsim_rw rw = {
		.rw_addr = BASE,
		.rw_buffer = (uintptr_t)zeroes,
		.rw_length = sizeof(zeroes),
	};

	if (call(fd, VMSIM_MAP, &vm) || call(fd, VMSIM_WRITE, &rw))
		die("the device: %s", strerror(errno));
}

/*
 * What is written to a file when its last mapping goes can be written once only: with
 * errors, nobody is told, and it is lost. So there is a mapping that stays.
 */
static void keep_file(int fd)
{
	struct vmsim_map vm = {
		.vm_length = FILE_PAGES * PAGE,
		.vm_kind = VMSIM_KIND_FILE,
		.vm_fd = file_fd,
		.vm_prot = VMSIM_PROT_READ,
		.vm_max_prot = VMSIM_PROT_READ,
	};

	if (call(fd, VMSIM_MAP, &vm))
		die("the file: %s", strerror(errno));
}

static bool leaves(const char *what, uint64_t is, uint64_t was)
{
	if (is <= was)
		return false;
	printf("vmmodel: %" PRIu64 " %s left, %" PRIu64 " before\n", is, what,
	       was);
	return true;
}

/* Everything is closed: what is left? */
static bool all_gone(const struct vmsim_stats *before)
{
	struct vmsim_stats st;
	bool bad = false;
	int fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || call(fd, VMSIM_STATS, &st))
		die("%s: %s", VMSIM_DEVICE, strerror(errno));
	close(fd);
	bad |= leaves("objects", st.vst_objects, before->vst_objects);
	bad |= leaves("active pages", st.vst_active, before->vst_active);
	bad |= leaves("inactive pages", st.vst_inactive, before->vst_inactive);
	bad |= leaves("cached pages", st.vst_cache, before->vst_cache);
	bad |= leaves("wired pages", st.vst_wired_pages, before->vst_wired_pages);
	bad |= leaves("swap blocks", st.vst_swap_used, before->vst_swap_used);
	bad |= leaves("spaces", st.vst_spaces, before->vst_spaces);
	return !bad;
}

/* The file has what the model says. */
static bool file_right(void)
{
	uint8_t buf[PAGE];
	unsigned int i;

	for (i = 0; i + 1 < FILE_PAGES; i++) {
		if (pread(file_fd, buf, PAGE, (off_t)i * PAGE) != PAGE)
			die("vmmodel.file: %s", strerror(errno));
		if (memcmp(buf, file_page[i]->byte, PAGE)) {
			printf("vmmodel: page %u of the file is wrong\n", i);
			return false;
		}
	}
	return true;
}

static void show_sum(const struct vmsim_stats *before, int fd)
{
	uint64_t ops = 0, nomem = 0, denied = 0, broken = 0;
	unsigned int i, longest = 0;
	const __u64 *count;
	struct vmsim_stats st;

	for (i = 0; i < nthreads; i++) {
		ops += drivers[i].ops;
		nomem += drivers[i].nomem;
		denied += drivers[i].denied;
		broken += drivers[i].broken;
		if (drivers[i].longest > longest)
			longest = drivers[i].longest;
	}
	if (call(fd, VMSIM_STATS, &st))
		die("statistics: %s", strerror(errno));
	for (i = 0; i < VMSIM_COUNTER_COUNT; i++)
		st.vst_counter[i] -= before->vst_counter[i];
	count = st.vst_counter;
	printf("vmmodel: %" PRIu64 " operations in %u s, %llu faults, %llu copies\n",
	       ops, (unsigned int)(time(NULL) - started), count[VMSIM_FAULTS],
	       count[VMSIM_COW_FAULTS]);
	printf("vmmodel: %llu page-ins, %llu page-outs, longest chain %u\n",
	       count[VMSIM_PAGEINS], count[VMSIM_PAGEOUTS], longest);
	printf("vmmodel: %llu shadows, %llu collapses, %llu bypasses\n",
	       count[VMSIM_SHADOWS], count[VMSIM_COLLAPSES],
	       count[VMSIM_BYPASSES]);
	printf("vmmodel: memory short %" PRIu64 " times, denied %" PRIu64
	       ", contiguous runs %" PRIu64 "\n", nomem, denied,
	       (uint64_t)contigs);
	if (io_errors)
		printf("vmmodel: %llu pages not written, %llu not read, %" PRIu64
		       " calls stopped by that\n", count[VMSIM_PAGEOUT_ERRORS],
		       count[VMSIM_PAGEIN_ERRORS], broken);
}

static void show_usage(FILE *out)
{
	fputs("usage: vmmodel [-efnv] [-c OPERATION] [-d DIR]\n"
	      "               [-o OPERATIONS | -s SECONDS] [-t THREADS] [SEED]\n"
	      "\n"
	      "Do random things to the VM of uma.ko, and compare with a model.\n"
	      "\n"
	      "  -c OPERATION   from there on read everything after each operation\n"
	      "  -d DIR         where files to map and to swap to go (/tmp)\n"
	      "  -e             let I/O fail now and then\n"
	      "  -f             fill spaces, to begin with and later, and swap\n"
	      "  -n             do not swap\n"
	      "  -o OPERATIONS  for each thread (20000)\n"
	      "  -s SECONDS     instead: for so long\n"
	      "  -t THREADS     each with spaces of its own (1)\n"
	      "  -v             print each operation\n", out);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*end || end == text) {
		show_usage(stderr);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	struct vmsim_stats before;
	unsigned int i, j;
	bool ok;
	int fd, c;

	while ((c = getopt(argc, argv, "c:d:efhno:s:t:v")) != -1)
		switch (c) {
		case 'c':
			look_from = number(optarg);
			break;
		case 'd':
			dir = optarg;
			break;
		case 'e':
			io_errors = true;
			break;
		case 'f':
			keep_full = true;
			break;
		case 'n':
			no_swap = true;
			break;
		case 'o':
			ops_wanted = number(optarg);
			break;
		case 's':
			seconds_wanted = number(optarg);
			break;
		case 't':
			nthreads = number(optarg);
			break;
		case 'v':
			verbose = true;
			break;
		case 'h':
			show_usage(stdout);
			return 0;
		default:
			show_usage(stderr);
			return 2;
		}
	started = time(NULL);
	first_seed = optind < argc ? number(argv[optind]) :
				     (uint64_t)started ^ getpid();
	if (!nthreads || nthreads > MAX_THREADS || argc - optind > 1) {
		show_usage(stderr);
		return 2;
	}
	printf("vmmodel: seed %" PRIu64 ", %u threads\n", first_seed, nthreads);
	fflush(stdout);
	fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0 || call(fd, VMSIM_STATS, &before))
		die("%s: %s", VMSIM_DEVICE, strerror(errno));
	pool_pages = before.vst_pool;
	/* Its own space, which is there before and after. */
	before.vst_spaces = 1;
	make_files(first_seed);
	clear_device(fd);
	if (io_errors)
		keep_file(fd);
	for (i = 0; keep_full && !no_swap && i < 2; i++) {
		struct vmsim_swap vs = { .vs_path = (uintptr_t)swap_path[i] };

		if (call(fd, VMSIM_SWAPON, &vs))
			die("%s: %s", swap_path[i], strerror(errno));
	}
	for (i = 0; i < nthreads; i++) {
		drivers[i].index = i;
		drivers[i].nspaces = MAX_SPACES / nthreads;
		drivers[i].seed = first_seed + i * 0x123456789ULL;
		for (j = 0; j < MAX_SPACES; j++)
			drivers[i].space[j].fd = -1;
	}
	/* Nobody can tell what two write to one page. */
	for (i = 0; nthreads > 1 && i < FILE_PAGES; i++)
		file_page[i]->owner = i % nthreads + 1;
	for (i = 0; nthreads > 1 && i < DEVICE_PAGES; i++)
		device_page[i]->owner = i % nthreads + 1;
	for (i = 0; i < nthreads; i++)
		if (pthread_create(&drivers[i].thread, NULL, driver_main,
				   &drivers[i]))
			die("no thread");
	for (i = 0; i < nthreads; i++)
		pthread_join(drivers[i].thread, NULL);
	if (fail_epoch & 1)
		set_failures(0, false);
	for (i = 0; i < nthreads; i++)
		for (j = 0; j < MAX_SPACES; j++)
			if (drivers[i].space[j].fd >= 0)
				close(drivers[i].space[j].fd);
	if (gift)
		close(gift->fd);
	for (i = 0; i < 2; i++) {
		struct vmsim_swap vs = { .vs_path = (uintptr_t)swap_path[i] };

		call(fd, VMSIM_SWAPOFF, &vs);
	}
	show_sum(&before, fd);
	close(fd);
	ok = all_gone(&before);
	ok &= file_right();
	for (i = 0; i < 2; i++)
		unlink(swap_path[i]);
	puts(ok ? "vmmodel: no difference, nothing left" : "vmmodel: FAILED");
	return ok ? 0 : 1;
}
