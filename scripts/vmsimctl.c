// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drive and draw the VM of uma.ko
 *
 * Runs commands, one a line, from a file or a terminal, on address spaces of
 * /dev/vmsim, and prints what each did. Its own memory is not touched by any of
 * them: a space is an open file, known by a name that the script gives it.
 *
 * Objects have numbers of their own in what is printed, from 1 in the order in which
 * they were first seen: the kernel's numbers depend on what happened before, and
 * output is to be compared.
 *
 * A command fails with one line that names the file, the line and the errno, and
 * the program ends there; a script that wants a failure says so (fail).
 */
#define _GNU_SOURCE
#include <ctype.h>
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
#include <sys/stat.h>
#include <unistd.h>

#include "vmsim/vmsim_ctl.h"

#define NAME_BYTES	32
#define MAX_NAMED	256	/* spaces, and files */
#define MAX_WORDS	32
#define MAX_JOBS	16
#define MAP_PAGES	64	/* of an object, in a line */
#define FAIL_DIR	"/sys/kernel/debug/uma/fail_vm_io"

/* Exit codes. */
#define EXIT_COMMAND	1
#define EXIT_USAGE	2

/* A name for a descriptor, or for the number of contiguous memory. */
struct named {
	char name[NAME_BYTES];
	int fd;
};

/* A command that was given, word by word. */
struct words {
	unsigned int n;
	char *word[MAX_WORDS];
	bool quoted[MAX_WORDS];
};

/**
 * struct run - one who runs commands: the script, or a job beside it
 * @line: number of the line that it is at
 * @silent: prints nothing but errors
 * @error: errno of the last command, 0 if it succeeded, -1 if it has none
 * @why: what was wrong, if @error
 * @round: of the innermost repeat
 */
struct run {
	unsigned int line;
	bool silent;
	int error;
	char why[256];
	unsigned long round;
};

/**
 * struct lines - a script, or a part of it
 * @text: the lines
 * @number: of each, in the file
 * @n: how many
 */
struct lines {
	char **text;
	unsigned int *number;
	unsigned int n;
};

/* A block that runs in a thread of its own, round after round. */
struct job {
	char name[NAME_BYTES];
	struct lines lines;
	struct run run;
	pthread_t thread;
	bool stop;
	bool failed;
};

static const char *script_name = "standard input";
static bool quiet;
static long page_size;
static struct named spaces[MAX_NAMED];
static struct named files[MAX_NAMED];
static struct named runs[MAX_NAMED];
static struct job jobs[MAX_JOBS];

/* Guards names, and what is printed: a line of one is not cut by another's. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- errors and output -------------------------------------------------- */

/* Note what is wrong with a command; false, for its caller to return. */
__attribute__((format(printf, 3, 4)))
static bool fail(struct run *run, int error, const char *format, ...)
{
	va_list args;

	run->error = error;
	va_start(args, format);
	vsnprintf(run->why, sizeof(run->why), format, args);
	va_end(args);
	return false;
}

static bool misuse(struct run *run, const char *why)
{
	return fail(run, -1, "%s", why);
}

static const char *errno_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "an unknown error";
}

static bool fail_errno(struct run *run, const char *what)
{
	int error = errno;

	return fail(run, error, "%s: %s (%s)", what, errno_name(error),
		    strerror(error));
}

__attribute__((format(printf, 2, 3)))
static void show(const struct run *run, const char *format, ...)
{
	va_list args;

	if (run->silent)
		return;
	pthread_mutex_lock(&lock);
	fputs("    ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	pthread_mutex_unlock(&lock);
}

static void *allocate(size_t n, size_t size)
{
	void *mem = calloc(n ? n : 1, size);

	if (!mem) {
		fprintf(stderr, "vmsimctl: out of memory\n");
		exit(EXIT_COMMAND);
	}
	return mem;
}

/* ---- names -------------------------------------------------------------- */

static struct named *find_named(struct named *table, const char *name)
{
	unsigned int i;

	for (i = 0; i < MAX_NAMED; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

static bool name_ok(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
			return false;
	return c > name && c - name < NAME_BYTES && !isdigit((unsigned char)*name);
}

static bool add_named(struct run *run, struct named *table, const char *name,
		      int fd)
{
	struct named *slot;
	bool ok = false;

	pthread_mutex_lock(&lock);
	slot = find_named(table, "");
	if (!name_ok(name))
		fail(run, -1, "'%s' cannot be a name", name);
	else if (find_named(table, name))
		fail(run, -1, "there is a '%s' already", name);
	else if (!slot)
		fail(run, -1, "too many names");
	else
		ok = true;
	if (ok) {
		snprintf(slot->name, sizeof(slot->name), "%s", name);
		slot->fd = fd;
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

static bool get_named(struct run *run, struct named *table, const char *what,
		      const char *name, int *fd)
{
	struct named *found;

	pthread_mutex_lock(&lock);
	found = *name ? find_named(table, name) : NULL;
	if (found)
		*fd = found->fd;
	pthread_mutex_unlock(&lock);
	return found || fail(run, -1, "no %s '%s'", what, name);
}

static bool get_space(struct run *run, const char *name, int *fd)
{
	return get_named(run, spaces, "address space", name, fd);
}

static bool get_file(struct run *run, const char *name, int *fd)
{
	return get_named(run, files, "file", name, fd);
}

/* ---- arguments ---------------------------------------------------------- */

/* One term of a number: 0x1000, 3p, 64k. */
static bool parse_term(const char **text, uint64_t *value)
{
	uint64_t unit = 1;
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*value = strtoull(*text, &end, 0);
	if (errno)
		return false;
	switch (*end) {
	case 'p':
		unit = page_size;
		break;
	case 'k':
	case 'K':
		unit = 1ULL << 10;
		break;
	case 'm':
	case 'M':
		unit = 1ULL << 20;
		break;
	case 'g':
	case 'G':
		unit = 1ULL << 30;
		break;
	case 't':
	case 'T':
		unit = 1ULL << 40;
		break;
	}
	if (unit > 1)
		end++;
	*text = end;
	return !__builtin_mul_overflow(*value, unit, value);
}

/* A sum of such terms. */
static bool parse_number(struct run *run, const char *text, uint64_t *value)
{
	const char *at = text;
	uint64_t term;
	bool minus;

	if (!parse_term(&at, value))
		return fail(run, -1, "'%s' is no number", text);
	while (*at == '+' || *at == '-') {
		minus = *at++ == '-';
		if (!parse_term(&at, &term))
			break;
		if (minus ? __builtin_sub_overflow(*value, term, value) :
			    __builtin_add_overflow(*value, term, value))
			return fail(run, -1, "'%s' is too large", text);
	}
	return !*at || fail(run, -1, "'%s' is no number", text);
}

static bool parse_prot(struct run *run, const char *text, uint32_t *prot)
{
	const char *c;

	*prot = 0;
	if (!strcmp(text, "none"))
		return true;
	for (c = text; *c; c++)
		switch (*c) {
		case 'r':
			*prot |= VMSIM_PROT_READ;
			break;
		case 'w':
			*prot |= VMSIM_PROT_WRITE;
			break;
		case 'x':
			*prot |= VMSIM_PROT_EXEC;
			break;
		case '-':
			break;
		default:
			return fail(run, -1, "'%s' is no protection", text);
		}
	return true;
}

static bool parse_choice(struct run *run, const char *text,
			 const char *const *choices, uint32_t *value)
{
	uint32_t i;

	for (i = 0; choices[i]; i++)
		if (!strcmp(text, choices[i])) {
			*value = i;
			return true;
		}
	return fail(run, -1, "'%s' is none of the words for this", text);
}

static const char *const inherit_words[] = { "share", "copy", "none", NULL };

static const char *const advice_words[] = {
	"normal", "random", "sequential", "willneed", "dontneed", "free",
	"pageout", NULL
};

static const char *const type_words[] = {
	"default", "swap", "file", "device", "phys", "dead", NULL
};

static const char *word_of(const char *const *words, uint32_t value)
{
	while (value--)
		if (!*words++)
			break;
	return *words ? *words : "?";
}

static bool call(struct run *run, int fd, unsigned long nr, void *arg,
		 const char *what)
{
	return !ioctl(fd, nr, arg) || fail_errno(run, what);
}

/* ---- spaces and files --------------------------------------------------- */

static bool do_open(struct run *run, struct words *w)
{
	struct vmsim_info info;
	int fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		if (errno == ENOENT)
			return fail(run, ENOENT,
				    VMSIM_DEVICE " is not there: is uma.ko loaded?");
		return fail_errno(run, VMSIM_DEVICE);
	}
	if (!call(run, fd, VMSIM_INFO, &info, "info") ||
	    (info.vi_version != VMSIM_CTL_VERSION &&
	     !fail(run, -1, "the kernel speaks version %u, not %u",
		   info.vi_version, VMSIM_CTL_VERSION)) ||
	    !add_named(run, spaces, w->word[1], fd)) {
		close(fd);
		return false;
	}
	return true;
}

static bool do_fork(struct run *run, struct words *w)
{
	struct vmsim_fork vf = { 0 };
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !call(run, fd, VMSIM_FORK, &vf, "fork"))
		return false;
	if (!add_named(run, spaces, w->word[2], vf.vf_fd)) {
		close(vf.vf_fd);
		return false;
	}
	return true;
}

static void clear_name(struct named *table, const char *name)
{
	struct named *found;

	pthread_mutex_lock(&lock);
	found = find_named(table, name);
	if (found)
		found->name[0] = '\0';
	pthread_mutex_unlock(&lock);
}

static bool forget(struct run *run, struct named *table, const char *what,
		   const char *name)
{
	int fd;

	if (!get_named(run, table, what, name, &fd))
		return false;
	clear_name(table, name);
	close(fd);
	return true;
}

static bool do_close(struct run *run, struct words *w)
{
	unsigned int i;

	for (i = 1; i < w->n; i++)
		if (!forget(run, spaces, "address space", w->word[i]))
			return false;
	return true;
}

static bool do_rename(struct run *run, struct words *w)
{
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !add_named(run, spaces, w->word[2], fd))
		return false;
	clear_name(spaces, w->word[1]);
	return true;
}

static bool do_file(struct run *run, struct words *w)
{
	uint64_t size;
	int fd;

	if (w->n > 3 && !parse_number(run, w->word[3], &size))
		return false;
	fd = open(w->word[2], O_RDWR | O_CREAT | O_CLOEXEC | O_LARGEFILE, 0600);
	if (fd < 0)
		return fail_errno(run, w->word[2]);
	if (w->n > 3 && ftruncate(fd, size)) {
		fail_errno(run, w->word[2]);
		close(fd);
		return false;
	}
	if (!add_named(run, files, w->word[1], fd)) {
		close(fd);
		return false;
	}
	return true;
}

static bool do_closefile(struct run *run, struct words *w)
{
	return forget(run, files, "file", w->word[1]);
}

/* ---- mappings ----------------------------------------------------------- */

static bool do_map(struct run *run, struct words *w)
{
	struct vmsim_map vm = { .vm_fd = -1 };
	bool any = !strcmp(w->word[2], "any");
	bool max = false;
	unsigned int i;
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    (!any && !parse_number(run, w->word[2], (uint64_t *)&vm.vm_addr)) ||
	    !parse_number(run, w->word[3], (uint64_t *)&vm.vm_length) ||
	    !parse_prot(run, w->word[4], &vm.vm_prot))
		return false;
	if (!any)
		vm.vm_flags |= VMSIM_MAP_FIXED;
	for (i = 5; i < w->n; i++) {
		const char *word = w->word[i];
		const char *next = i + 1 < w->n ? w->word[i + 1] : NULL;

		if (!strcmp(word, "max") && next) {
			if (!parse_prot(run, next, &vm.vm_max_prot))
				return false;
			max = true;
			i++;
		} else if (!strcmp(word, "file") && next) {
			vm.vm_kind = VMSIM_KIND_FILE;
			if (!get_file(run, next, &vm.vm_fd))
				return false;
			i++;
		} else if (!strcmp(word, "offset") && next) {
			if (!parse_number(run, next, (uint64_t *)&vm.vm_offset))
				return false;
			i++;
		} else if (!strcmp(word, "device")) {
			vm.vm_kind = VMSIM_KIND_DEVICE;
		} else if (!strcmp(word, "phys")) {
			vm.vm_kind = VMSIM_KIND_PHYS;
		} else if (!strcmp(word, "guard")) {
			vm.vm_kind = VMSIM_KIND_GUARD;
		} else if (!strcmp(word, "private")) {
			vm.vm_flags |= VMSIM_MAP_PRIVATE;
		} else {
			return fail(run, -1, "map does not know '%s'", word);
		}
	}
	if (!max)
		vm.vm_max_prot = VMSIM_PROT_ALL;
	if (!call(run, fd, VMSIM_MAP, &vm, "map"))
		return false;
	show(run, "0x%" PRIx64 "-0x%" PRIx64, (uint64_t)vm.vm_addr,
	     (uint64_t)(vm.vm_addr + vm.vm_length));
	return true;
}

/* A space and a range, as most commands begin. */
static bool get_range(struct run *run, struct words *w, int *fd,
		      struct vmsim_range *vr)
{
	memset(vr, 0, sizeof(*vr));
	return get_space(run, w->word[1], fd) &&
	       parse_number(run, w->word[2], (uint64_t *)&vr->vr_addr) &&
	       parse_number(run, w->word[3], (uint64_t *)&vr->vr_length);
}

static bool do_unmap(struct run *run, struct words *w)
{
	struct vmsim_range vr;
	int fd;

	return get_range(run, w, &fd, &vr) &&
	       call(run, fd, VMSIM_UNMAP, &vr, "unmap");
}

static bool do_protect(struct run *run, struct words *w)
{
	struct vmsim_range vr;
	int fd;

	if (!get_range(run, w, &fd, &vr) ||
	    !parse_prot(run, w->word[4], &vr.vr_what))
		return false;
	if (w->n > 5) {
		if (strcmp(w->word[5], "max"))
			return misuse(run, "protect knows 'max' only");
		vr.vr_flags = VMSIM_PROTECT_MAX;
	}
	return call(run, fd, VMSIM_PROTECT, &vr, "protect");
}

static bool do_inherit(struct run *run, struct words *w)
{
	struct vmsim_range vr;
	int fd;

	return get_range(run, w, &fd, &vr) &&
	       parse_choice(run, w->word[4], inherit_words, &vr.vr_what) &&
	       call(run, fd, VMSIM_INHERIT, &vr, "inherit");
}

static bool do_advise(struct run *run, struct words *w)
{
	struct vmsim_range vr;
	int fd;

	return get_range(run, w, &fd, &vr) &&
	       parse_choice(run, w->word[4], advice_words, &vr.vr_what) &&
	       call(run, fd, VMSIM_ADVISE, &vr, "advise");
}

static bool do_sync(struct run *run, struct words *w)
{
	struct vmsim_range vr;
	unsigned int i;
	int fd;

	if (!get_range(run, w, &fd, &vr))
		return false;
	for (i = 4; i < w->n; i++) {
		if (!strcmp(w->word[i], "async"))
			vr.vr_flags |= VMSIM_SYNC_ASYNC;
		else if (!strcmp(w->word[i], "invalidate"))
			vr.vr_flags |= VMSIM_SYNC_INVALIDATE;
		else
			return fail(run, -1, "sync does not know '%s'", w->word[i]);
	}
	return call(run, fd, VMSIM_SYNC, &vr, "sync");
}

static bool do_wire(struct run *run, struct words *w)
{
	struct vmsim_range vr;
	int fd;

	return get_range(run, w, &fd, &vr) &&
	       call(run, fd, VMSIM_WIRE, &vr, "wire");
}

static bool do_unwire(struct run *run, struct words *w)
{
	struct vmsim_range vr;
	int fd;

	return get_range(run, w, &fd, &vr) &&
	       call(run, fd, VMSIM_UNWIRE, &vr, "unwire");
}

/* ---- contiguous memory -------------------------------------------------- */

/* One word of a request, or two: at @i; moves it on. */
static bool parse_contig(struct run *run, struct words *w, unsigned int *i,
			 struct vmsim_contig *vc)
{
	const char *word = w->word[(*i)++];
	uint64_t number = 0;

	if (!strcmp(word, "mapped")) {
		vc->vc_flags |= VMSIM_CONTIG_MAPPED;
		return true;
	}
	if (!strcmp(word, "old")) {
		vc->vc_flags |= VMSIM_CONTIG_OLD;
		return true;
	}
	if (!strcmp(word, "nowait")) {
		vc->vc_flags |= VMSIM_CONTIG_NOWAIT;
		return true;
	}
	if (*i < w->n && !parse_number(run, w->word[(*i)++], &number))
		return false;
	if (!strcmp(word, "align") && number)
		vc->vc_align = number;
	else if (!strcmp(word, "boundary") && number)
		vc->vc_boundary = number;
	else if (!strcmp(word, "above") && number)
		vc->vc_low = number;
	else if (!strcmp(word, "below") && number)
		vc->vc_high = number - 1;
	else
		return fail(run, -1, "'%s' is no word here, or wants a number",
			    word);
	return true;
}

static bool do_contig(struct run *run, struct words *w)
{
	struct vmsim_contig vc = { .vc_high = UINT64_MAX };
	struct vmsim_release vr = { 0 };
	bool where = false;
	unsigned int i = 4;
	uint64_t size;
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !parse_number(run, w->word[3], &size))
		return false;
	vc.vc_size = size;
	while (i < w->n) {
		if (!strcmp(w->word[i], "where")) {
			where = true;
			i++;
		} else if (!parse_contig(run, w, &i, &vc)) {
			return false;
		}
	}
	if (!call(run, fd, VMSIM_CONTIG, &vc, "contig"))
		return false;
	if (!add_named(run, runs, w->word[2], vc.vc_id)) {
		vr.vr_id = vc.vc_id;
		ioctl(fd, VMSIM_RELEASE, &vr);
		return false;
	}
	/* That differs from one time to the next: who asks is told. */
	if (where)
		show(run, "%s at 0x%" PRIx64 "\n", w->word[2],
		     (uint64_t)vc.vc_phys);
	return true;
}

static bool do_release(struct run *run, struct words *w)
{
	struct vmsim_release vr = { 0 };
	int fd, id;

	if (!get_space(run, w->word[1], &fd) ||
	    !get_named(run, runs, "contiguous memory", w->word[2], &id))
		return false;
	vr.vr_id = id;
	if (!call(run, fd, VMSIM_RELEASE, &vr, "release"))
		return false;
	clear_name(runs, w->word[2]);
	return true;
}

/* ---- memory ------------------------------------------------------------- */

static bool move(struct run *run, int fd, unsigned long nr, uint64_t addr,
		 void *buf, uint64_t len, const char *what)
{
	struct vmsim_rw rw = {
		.rw_addr = addr,
		.rw_buffer = (uintptr_t)buf,
		.rw_length = len,
	};
	int error;

	if (!ioctl(fd, nr, &rw))
		return true;
	error = errno;
	if (rw.rw_done)
		return fail(run, error, "%s: %s (%s) after %" PRIu64 " bytes",
			    what, errno_name(error), strerror(error),
			    (uint64_t)rw.rw_done);
	errno = error;
	return fail_errno(run, what);
}

/* The most that one command moves at a time. */
#define MOVE_BYTES	1048576U

static bool do_write(struct run *run, struct words *w)
{
	uint64_t addr;
	int fd;

	return get_space(run, w->word[1], &fd) &&
	       parse_number(run, w->word[2], &addr) &&
	       move(run, fd, VMSIM_WRITE, addr, w->word[3], strlen(w->word[3]),
		    "write");
}

static bool parse_byte(struct run *run, const char *text, uint8_t *byte)
{
	uint64_t value;

	if (strlen(text) == 1 && !isdigit((unsigned char)*text)) {
		*byte = *text;
		return true;
	}
	if (!parse_number(run, text, &value))
		return false;
	*byte = value;
	return value <= 0xff || fail(run, -1, "'%s' is no byte", text);
}

static bool do_fill(struct run *run, struct words *w)
{
	uint64_t addr, len, n;
	uint8_t byte;
	bool ok = true;
	void *buf;
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !parse_number(run, w->word[2], &addr) ||
	    !parse_number(run, w->word[3], &len) ||
	    !parse_byte(run, w->word[4], &byte))
		return false;
	n = len < MOVE_BYTES ? len : MOVE_BYTES;
	buf = allocate(n, 1);
	memset(buf, byte, n);
	for (; ok && len; addr += n, len -= n) {
		if (n > len)
			n = len;
		ok = move(run, fd, VMSIM_WRITE, addr, buf, n, "fill");
	}
	free(buf);
	return ok;
}

static bool get_bytes(struct run *run, struct words *w, uint8_t **buf,
		      uint64_t *addr, uint64_t *len)
{
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !parse_number(run, w->word[2], addr) ||
	    !parse_number(run, w->word[3], len))
		return false;
	if (*len > 64 * MOVE_BYTES)
		return misuse(run, "more than 64 MiB at a time");
	*buf = allocate(*len, 1);
	if (move(run, fd, VMSIM_READ, *addr, *buf, *len, w->word[0]))
		return true;
	free(*buf);
	return false;
}

/* Bytes from a place on that are all the same. */
static uint64_t run_length(const uint8_t *buf, uint64_t len)
{
	uint64_t n = 1;

	while (n < len && buf[n] == buf[0])
		n++;
	return n;
}

/* Printable bytes from a place on, as far as no long run begins. */
static uint64_t text_length(const uint8_t *buf, uint64_t len)
{
	uint64_t n = 0;

	while (n < len && isprint(buf[n]) && buf[n] != '"' && buf[n] != '\\' &&
	       run_length(buf + n, len - n) < 16)
		n++;
	return n;
}

static bool show_bytes(struct run *run, uint8_t *buf, uint64_t len)
{
	uint64_t at, n;

	for (at = 0; at < len; at += n) {
		n = text_length(buf + at, len - at);
		if (n) {
			show(run, "\"%.*s\"", (int)n, (char *)buf + at);
			continue;
		}
		n = run_length(buf + at, len - at);
		show(run, "0x%02x%s%.0" PRIu64, buf[at], n > 1 ? " * " : "",
		     n > 1 ? n : 0);
	}
	return true;
}

static bool do_read(struct run *run, struct words *w)
{
	uint64_t addr, len;
	uint8_t *buf;

	if (!get_bytes(run, w, &buf, &addr, &len))
		return false;
	show_bytes(run, buf, len);
	free(buf);
	return true;
}

/* The first byte that is not what it should be decides. */
static bool differs(struct run *run, uint64_t addr, uint8_t is, uint8_t want)
{
	return fail(run, -1, "at 0x%" PRIx64 " is 0x%02x, not 0x%02x", addr, is,
		    want);
}

static bool do_expect(struct run *run, struct words *w)
{
	uint64_t addr, i, len = strlen(w->word[3]);
	bool ok = true;
	uint8_t *buf;
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !parse_number(run, w->word[2], &addr))
		return false;
	buf = allocate(len, 1);
	ok = move(run, fd, VMSIM_READ, addr, buf, len, "expect");
	for (i = 0; ok && i < len; i++)
		if (buf[i] != (uint8_t)w->word[3][i])
			ok = differs(run, addr + i, buf[i], w->word[3][i]);
	free(buf);
	return ok;
}

static bool do_verify(struct run *run, struct words *w)
{
	uint64_t addr, len, i;
	bool ok = true;
	uint8_t byte, *buf;

	if (!parse_byte(run, w->word[4], &byte) ||
	    !get_bytes(run, w, &buf, &addr, &len))
		return false;
	for (i = 0; ok && i < len; i++)
		if (buf[i] != byte)
			ok = differs(run, addr + i, buf[i], byte);
	free(buf);
	return ok;
}

/* Of a file, beside the VM. */
static bool do_peek(struct run *run, struct words *w)
{
	uint64_t offset, len;
	uint8_t *buf;
	ssize_t n;
	int fd;

	if (!get_file(run, w->word[1], &fd) ||
	    !parse_number(run, w->word[2], &offset) ||
	    !parse_number(run, w->word[3], &len))
		return false;
	if (len > MOVE_BYTES)
		return misuse(run, "more than 1 MiB at a time");
	buf = allocate(len, 1);
	n = pread(fd, buf, len, offset);
	if (n < 0)
		fail_errno(run, "peek");
	else
		show_bytes(run, buf, n);
	free(buf);
	return n >= 0;
}

static bool do_poke(struct run *run, struct words *w)
{
	size_t len = strlen(w->word[3]);
	uint64_t offset;
	int fd;

	if (!get_file(run, w->word[1], &fd) ||
	    !parse_number(run, w->word[2], &offset))
		return false;
	return pwrite(fd, w->word[3], len, offset) == (ssize_t)len ||
	       fail_errno(run, "poke");
}

/* ---- swap --------------------------------------------------------------- */

static bool swap_command(struct run *run, struct words *w, unsigned long nr)
{
	struct vmsim_swap vs = { .vs_path = (uintptr_t)w->word[1] };
	int fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail_errno(run, VMSIM_DEVICE);
	ok = call(run, fd, nr, &vs, w->word[0]);
	close(fd);
	return ok;
}

static bool do_swapon(struct run *run, struct words *w)
{
	return swap_command(run, w, VMSIM_SWAPON);
}

static bool do_swapoff(struct run *run, struct words *w)
{
	return swap_command(run, w, VMSIM_SWAPOFF);
}

/* ---- looking at it ------------------------------------------------------ */

/* Numbers of objects for people: their place in this list, from 1. */
static uint64_t *seen;
static unsigned int nseen, seen_room;

static unsigned int number_of(uint64_t id)
{
	unsigned int i;

	if (!id)
		return 0;
	for (i = nseen; i > 0; i--)
		if (seen[i - 1] == id)
			return i;
	if (nseen == seen_room) {
		seen_room = seen_room ? seen_room * 2 : 64;
		seen = realloc(seen, seen_room * sizeof(*seen));
		if (!seen) {
			fprintf(stderr, "vmsimctl: out of memory\n");
			exit(EXIT_COMMAND);
		}
	}
	seen[nseen++] = id;
	return nseen;
}

/* All of a list, whose length can change while it is asked for. */
static void *get_list(struct run *run, int fd, unsigned long nr, size_t size,
		      unsigned int *n)
{
	struct vmsim_list vl = { .vl_room = 64 };
	void *buf;

	for (;;) {
		buf = allocate(vl.vl_room, size);
		vl.vl_buffer = (uintptr_t)buf;
		if (!call(run, fd, nr, &vl, "list")) {
			free(buf);
			return NULL;
		}
		if (vl.vl_count <= vl.vl_room) {
			*n = vl.vl_count;
			return buf;
		}
		free(buf);
		if (vl.vl_count > VMSIM_LIST_MAX) {
			misuse(run, "too many to list");
			return NULL;
		}
		vl.vl_room = vl.vl_count;
	}
}

static struct vmsim_entry *get_entries(struct run *run, int fd, unsigned int *n)
{
	return get_list(run, fd, VMSIM_ENTRIES, sizeof(struct vmsim_entry), n);
}

static struct vmsim_object *get_objects(struct run *run, int fd,
					unsigned int *n)
{
	return get_list(run, fd, VMSIM_OBJECTS, sizeof(struct vmsim_object), n);
}

static void prot_text(uint32_t prot, char text[4])
{
	text[0] = prot & VMSIM_PROT_READ ? 'r' : '-';
	text[1] = prot & VMSIM_PROT_WRITE ? 'w' : '-';
	text[2] = prot & VMSIM_PROT_EXEC ? 'x' : '-';
	text[3] = '\0';
}

/* A character a page: resident and dirty, resident, with the pager only. */
static void pages_text(const struct vmsim_object *vo, char text[MAP_PAGES + 4])
{
	unsigned int i;

	for (i = 0; i < MAP_PAGES && i < vo->vo_size; i++)
		text[i] = vo->vo_dirty >> i & 1 ? '#' :
			  vo->vo_page >> i & 1 ? '+' :
			  vo->vo_behind >> i & 1 ? 'o' : '.';
	memcpy(text + i, vo->vo_size > MAP_PAGES ? "..." : "\0\0\0", 4);
}

static bool do_maps(struct run *run, struct words *w)
{
	struct vmsim_entry *ve;
	char prot[4], max[4], object[64];
	unsigned int n, i;
	int fd;

	if (!get_space(run, w->word[1], &fd))
		return false;
	ve = get_entries(run, fd, &n);
	if (!ve)
		return false;
	for (i = 0; i < n; i++) {
		prot_text(ve[i].ve_prot, prot);
		prot_text(ve[i].ve_max_prot, max);
		object[0] = '\0';
		if (ve[i].ve_flags & VMSIM_ENTRY_GUARD)
			snprintf(object, sizeof(object), ", guard");
		else if (ve[i].ve_object)
			snprintf(object, sizeof(object),
				 ", object %u + 0x%" PRIx64,
				 number_of(ve[i].ve_object),
				 (uint64_t)ve[i].ve_offset);
		show(run, "0x%" PRIx64 "-0x%" PRIx64 " %s/%s, inherit %s%s%s%s%s",
		     (uint64_t)ve[i].ve_start, (uint64_t)ve[i].ve_end, prot, max,
		     word_of(inherit_words, ve[i].ve_inherit), object,
		     ve[i].ve_flags & VMSIM_ENTRY_NEEDS_COPY ? ", to be copied" : "",
		     ve[i].ve_wired ? ", wired" : "",
		     ve[i].ve_advice == VMSIM_ADVISE_RANDOM ? ", random" :
		     ve[i].ve_advice == VMSIM_ADVISE_SEQUENTIAL ? ", sequential" :
		     "");
	}
	if (!n)
		show(run, "nothing");
	free(ve);
	return true;
}

static void show_object(struct run *run, const struct vmsim_object *vo)
{
	char pages[MAP_PAGES + 4], below[64] = "";

	pages_text(vo, pages);
	if (vo->vo_backing)
		snprintf(below, sizeof(below), " -> object %u + 0x%" PRIx64,
			 number_of(vo->vo_backing),
			 (uint64_t)vo->vo_backing_offset);
	show(run, "object %u: %s [%s] refs %u%s", number_of(vo->vo_id),
	     word_of(type_words, vo->vo_type), pages, vo->vo_refs, below);
}

/*
 * The objects of some spaces, or of all, each once; @fn is called with each space's
 * entries first, if @entry_fn is not NULL.
 */
struct walk {
	FILE *dot;
	uint64_t *done;
	unsigned int ndone;
};

static bool walk_done(struct walk *walk, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < walk->ndone; i++)
		if (walk->done[i] == id)
			return true;
	walk->done = realloc(walk->done, (walk->ndone + 1) * sizeof(id));
	if (!walk->done) {
		fprintf(stderr, "vmsimctl: out of memory\n");
		exit(EXIT_COMMAND);
	}
	walk->done[walk->ndone++] = id;
	return false;
}

static bool walk_objects(struct run *run, struct walk *walk, int fd)
{
	char pages[MAP_PAGES + 4];
	struct vmsim_object *vo;
	unsigned int n, i;

	vo = get_objects(run, fd, &n);
	if (!vo)
		return false;
	for (i = 0; i < n; i++) {
		if (walk_done(walk, vo[i].vo_id))
			continue;
		if (!walk->dot) {
			show_object(run, &vo[i]);
			continue;
		}
		pages_text(&vo[i], pages);
		fprintf(walk->dot, "\to%u [label=\"object %u\\n%s\\n%s\"];\n",
			number_of(vo[i].vo_id), number_of(vo[i].vo_id),
			word_of(type_words, vo[i].vo_type), pages);
		if (vo[i].vo_backing)
			fprintf(walk->dot,
				"\to%u -> o%u [label=\"+%" PRIu64 "p\"];\n",
				number_of(vo[i].vo_id),
				number_of(vo[i].vo_backing),
				(uint64_t)vo[i].vo_backing_offset / page_size);
	}
	free(vo);
	return true;
}

/* The named spaces, or all: their descriptors in order. */
static bool chosen(struct run *run, struct words *w, unsigned int from,
		   struct named *list, unsigned int *n)
{
	unsigned int i;

	*n = 0;
	for (i = from; i < w->n; i++, ++*n) {
		if (!get_space(run, w->word[i], &list[*n].fd))
			return false;
		snprintf(list[*n].name, NAME_BYTES, "%s", w->word[i]);
	}
	if (w->n > from)
		return true;
	pthread_mutex_lock(&lock);
	for (i = 0; i < MAX_NAMED; i++)
		if (spaces[i].name[0])
			list[(*n)++] = spaces[i];
	pthread_mutex_unlock(&lock);
	return true;
}

static bool do_objects(struct run *run, struct words *w)
{
	struct named list[MAX_NAMED];
	struct walk walk = { 0 };
	unsigned int n, i;
	bool ok;

	ok = chosen(run, w, 1, list, &n);
	for (i = 0; ok && i < n; i++)
		ok = walk_objects(run, &walk, list[i].fd);
	if (ok && !walk.ndone)
		show(run, "none");
	free(walk.done);
	return ok;
}

static bool graph_entries(struct run *run, FILE *dot, const struct named *space,
			  unsigned int number)
{
	struct vmsim_entry *ve;
	unsigned int n, i;
	char prot[4];

	ve = get_entries(run, space->fd, &n);
	if (!ve)
		return false;
	fprintf(dot, "\tsubgraph cluster_%u {\n\t\tlabel=\"%s\";\n", number,
		space->name);
	for (i = 0; i < n; i++) {
		prot_text(ve[i].ve_prot, prot);
		fprintf(dot,
			"\t\te%u_%u [shape=plaintext label=\"0x%" PRIx64 "\\n%s%s\"];\n",
			number, i, (uint64_t)ve[i].ve_start, prot,
			ve[i].ve_flags & VMSIM_ENTRY_NEEDS_COPY ?
			" to be copied" : "");
	}
	fputs("\t}\n", dot);
	for (i = 0; i < n; i++)
		if (ve[i].ve_object)
			fprintf(dot, "\te%u_%u -> o%u;\n", number, i,
				number_of(ve[i].ve_object));
	free(ve);
	return true;
}

static bool do_graph(struct run *run, struct words *w)
{
	bool terminal = !strcmp(w->word[1], "-");
	struct named list[MAX_NAMED];
	struct walk walk = { 0 };
	unsigned int n, i;
	bool ok;

	if (!chosen(run, w, 2, list, &n))
		return false;
	walk.dot = terminal ? stdout : fopen(w->word[1], "w");
	if (!walk.dot)
		return fail_errno(run, w->word[1]);
	fputs("digraph vmsim {\n\tnode [shape=box fontname=monospace];\n",
	      walk.dot);
	ok = true;
	for (i = 0; ok && i < n; i++)
		ok = graph_entries(run, walk.dot, &list[i], i);
	for (i = 0; ok && i < n; i++)
		ok = walk_objects(run, &walk, list[i].fd);
	fputs("}\n", walk.dot);
	if (terminal ? fflush(walk.dot) : fclose(walk.dot))
		ok = fail_errno(run, w->word[1]);
	free(walk.done);
	return ok;
}

/* Each with its place in struct vmsim_stats. */
static const struct {
	const char *name;
	size_t offset;
} stat_fields[] = {
	{ "entries", offsetof(struct vmsim_stats, vst_entries) },
	{ "size", offsetof(struct vmsim_stats, vst_size) },
	{ "resident", offsetof(struct vmsim_stats, vst_resident) },
	{ "wired", offsetof(struct vmsim_stats, vst_wired) },
	{ "tables", offsetof(struct vmsim_stats, vst_tables) },
	{ "held", offsetof(struct vmsim_stats, vst_held) },
	{ "pool", offsetof(struct vmsim_stats, vst_pool) },
	{ "free", offsetof(struct vmsim_stats, vst_free) },
	{ "active", offsetof(struct vmsim_stats, vst_active) },
	{ "inactive", offsetof(struct vmsim_stats, vst_inactive) },
	{ "cache", offsetof(struct vmsim_stats, vst_cache) },
	{ "wired-pages", offsetof(struct vmsim_stats, vst_wired_pages) },
	{ "objects", offsetof(struct vmsim_stats, vst_objects) },
	{ "spaces", offsetof(struct vmsim_stats, vst_spaces) },
	{ "swap-total", offsetof(struct vmsim_stats, vst_swap_total) },
	{ "swap-used", offsetof(struct vmsim_stats, vst_swap_used) },
};

/* A counter as it is called here, where words have dashes. */
static const char *counter_name(unsigned int i)
{
	static const char *const names[VMSIM_COUNTER_COUNT] = {
#define COUNTER_NAME(NAME, name)	[VMSIM_##NAME] = #name,
		VMSIM_EACH_COUNTER(COUNTER_NAME)
#undef COUNTER_NAME
	};
	static char text[32];
	char *c;

	snprintf(text, sizeof(text), "%s", names[i]);
	for (c = text; *c; c++)
		if (*c == '_')
			*c = '-';
	return text;
}

/* What the counters were when `mark` was given last. */
static struct vmsim_stats marked;

static uint64_t stat_field(const struct vmsim_stats *st, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)st + offset, sizeof(value));
	return value;
}

static bool do_stats(struct run *run, struct words *w)
{
	struct vmsim_stats st;
	unsigned int i, j;
	bool found;
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !call(run, fd, VMSIM_STATS, &st, "stats"))
		return false;
	if (w->n == 2)
		for (i = 0; i < sizeof(stat_fields) / sizeof(*stat_fields); i++)
			show(run, "%-12s %" PRIu64, stat_fields[i].name,
			     stat_field(&st, stat_fields[i].offset));
	for (j = 2; j < w->n; j++) {
		found = false;
		for (i = 0; i < sizeof(stat_fields) / sizeof(*stat_fields); i++)
			if (!strcmp(stat_fields[i].name, w->word[j])) {
				show(run, "%-12s %" PRIu64, w->word[j],
				     stat_field(&st, stat_fields[i].offset));
				found = true;
			}
		if (!found)
			return fail(run, -1, "no statistic '%s'", w->word[j]);
	}
	return true;
}

static bool get_counters(struct run *run, struct vmsim_stats *st)
{
	int fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return fail_errno(run, VMSIM_DEVICE);
	ok = call(run, fd, VMSIM_STATS, st, "stats");
	close(fd);
	return ok;
}

static bool do_mark(struct run *run, struct words *w)
{
	(void)w;
	return get_counters(run, &marked);
}

/* What a counter went up by since `mark`. */
static void show_count(struct run *run, const struct vmsim_stats *st,
		       unsigned int i)
{
	show(run, "%-14s +%" PRIu64, counter_name(i),
	     (uint64_t)(st->vst_counter[i] - marked.vst_counter[i]));
}

static bool do_count(struct run *run, struct words *w)
{
	struct vmsim_stats st;
	unsigned int i, j;

	if (!get_counters(run, &st))
		return false;
	for (i = 0; w->n == 1 && i < VMSIM_COUNTER_COUNT; i++)
		if (st.vst_counter[i] != marked.vst_counter[i])
			show_count(run, &st, i);
	for (j = 1; j < w->n; j++) {
		for (i = 0; i < VMSIM_COUNTER_COUNT; i++)
			if (!strcmp(counter_name(i), w->word[j]))
				break;
		if (i == VMSIM_COUNTER_COUNT)
			return fail(run, -1, "no counter '%s'", w->word[j]);
		show_count(run, &st, i);
	}
	return true;
}

static bool do_check(struct run *run, struct words *w)
{
	struct named list[MAX_NAMED];
	unsigned int n, i;

	if (!chosen(run, w, 1, list, &n))
		return false;
	for (i = 0; i < n; i++)
		if (!call(run, list[i].fd, VMSIM_CHECK, NULL, list[i].name))
			return false;
	return true;
}

static bool do_info(struct run *run, struct words *w)
{
	struct vmsim_info info;
	int fd;

	if (!get_space(run, w->word[1], &fd) ||
	    !call(run, fd, VMSIM_INFO, &info, "info"))
		return false;
	show(run, "addresses 0x%" PRIx64 "-0x%" PRIx64 ", pages of %u bytes",
	     (uint64_t)info.vi_min, (uint64_t)info.vi_max, info.vi_page_size);
	show(run, "at most %" PRIu64 " pages and %" PRIu64 " entries",
	     (uint64_t)info.vi_max_pages, (uint64_t)info.vi_max_entries);
	return true;
}

static bool do_say(struct run *run, struct words *w)
{
	unsigned int i;

	if (run->silent)
		return true;
	pthread_mutex_lock(&lock);
	for (i = 1; i < w->n; i++)
		printf("%s%s", i > 1 ? " " : "", w->word[i]);
	putchar('\n');
	pthread_mutex_unlock(&lock);
	return true;
}

static bool do_sleep(struct run *run, struct words *w)
{
	uint64_t ms;

	if (!parse_number(run, w->word[1], &ms))
		return false;
	usleep(ms * 1000);
	return true;
}

/* Set one of the files of the kernel's fault injection. */
static bool set_failure(struct run *run, const char *name, int value)
{
	char path[128];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), FAIL_DIR "/%s", name);
	file = fopen(path, "we");
	ok = file && fprintf(file, "%d", value) > 0;
	if (file && fclose(file))
		ok = false;
	return ok || fail_errno(run, path);
}

static bool do_io_errors(struct run *run, struct words *w)
{
	uint64_t percent;
	bool writes = w->n > 2;

	if (!parse_number(run, w->word[1], &percent))
		return false;
	if (percent > 100 || (writes && strcmp(w->word[2], "writes")))
		return misuse(run, "usage: io-errors PERCENT [writes]");
	return set_failure(run, "writes_only", writes) &&
	       set_failure(run, "times", -1) && set_failure(run, "interval", 1) &&
	       set_failure(run, "probability", percent);
}

static bool do_fail(struct run *run, struct words *w);
static bool do_wait(struct run *run, struct words *w);

/* ---- commands ----------------------------------------------------------- */

/* @min and @max count the words behind the command's. */
static const struct command {
	const char *name;
	unsigned int min;
	unsigned int max;
	bool (*fn)(struct run *run, struct words *w);
	const char *args;
} commands[] = {
	{ "open", 1, 1, do_open, "SPACE" },
	{ "fork", 2, 2, do_fork, "SPACE CHILD" },
	{ "close", 1, MAX_WORDS, do_close, "SPACE..." },
	{ "rename", 2, 2, do_rename, "SPACE NAME" },
	{ "file", 2, 3, do_file, "FILE PATH [SIZE]" },
	{ "closefile", 1, 1, do_closefile, "FILE" },
	{ "map", 4, MAX_WORDS, do_map,
	  "SPACE ADDRESS|any LENGTH PROT [max PROT] [file FILE|device|phys|guard] ..." },
	{ "unmap", 3, 3, do_unmap, "SPACE ADDRESS LENGTH" },
	{ "protect", 4, 5, do_protect, "SPACE ADDRESS LENGTH PROT [max]" },
	{ "inherit", 4, 4, do_inherit, "SPACE ADDRESS LENGTH share|copy|none" },
	{ "advise", 4, 4, do_advise,
	  "SPACE ADDRESS LENGTH normal|random|sequential|willneed|dontneed|free|pageout" },
	{ "sync", 3, 5, do_sync, "SPACE ADDRESS LENGTH [async] [invalidate]" },
	{ "wire", 3, 3, do_wire, "SPACE ADDRESS LENGTH" },
	{ "unwire", 3, 3, do_unwire, "SPACE ADDRESS LENGTH" },
	{ "contig", 3, MAX_WORDS, do_contig,
	  "SPACE NAME SIZE [align|boundary|above|below N]... [mapped|old] [nowait] [where]" },
	{ "release", 2, 2, do_release, "SPACE NAME" },
	{ "write", 3, 3, do_write, "SPACE ADDRESS TEXT" },
	{ "fill", 4, 4, do_fill, "SPACE ADDRESS LENGTH BYTE" },
	{ "read", 3, 3, do_read, "SPACE ADDRESS LENGTH" },
	{ "expect", 3, 3, do_expect, "SPACE ADDRESS TEXT" },
	{ "verify", 4, 4, do_verify, "SPACE ADDRESS LENGTH BYTE" },
	{ "peek", 3, 3, do_peek, "FILE OFFSET LENGTH" },
	{ "poke", 3, 3, do_poke, "FILE OFFSET TEXT" },
	{ "swapon", 1, 1, do_swapon, "PATH" },
	{ "swapoff", 1, 1, do_swapoff, "PATH" },
	{ "maps", 1, 1, do_maps, "SPACE" },
	{ "objects", 0, MAX_WORDS, do_objects, "[SPACE...]" },
	{ "graph", 1, MAX_WORDS, do_graph, "PATH|- [SPACE...]" },
	{ "stats", 1, MAX_WORDS, do_stats, "SPACE [NAME...]" },
	{ "mark", 0, 0, do_mark, "" },
	{ "count", 0, MAX_WORDS, do_count, "[NAME...]" },
	{ "check", 0, MAX_WORDS, do_check, "[SPACE...]" },
	{ "info", 1, 1, do_info, "SPACE" },
	{ "say", 0, MAX_WORDS, do_say, "TEXT..." },
	{ "sleep", 1, 1, do_sleep, "MILLISECONDS" },
	{ "fail", 2, MAX_WORDS, do_fail, "ERRNO COMMAND..." },
	{ "io-errors", 1, 2, do_io_errors, "PERCENT [writes]" },
	{ "wait", 1, 1, do_wait, "JOB" },
};

#define NCOMMANDS	(sizeof(commands) / sizeof(*commands))

static bool run_words(struct run *run, struct words *w)
{
	unsigned int i;

	for (i = 0; i < NCOMMANDS; i++)
		if (!strcmp(commands[i].name, w->word[0]))
			break;
	if (i == NCOMMANDS)
		return fail(run, -1, "no command '%s' (try help)", w->word[0]);
	if (w->n - 1 < commands[i].min || w->n - 1 > commands[i].max)
		return fail(run, -1, "usage: %s %s", commands[i].name,
			    commands[i].args);
	return commands[i].fn(run, w);
}

/* A command that must fail, and with that. */
static bool do_fail(struct run *run, struct words *w)
{
	const char *want = w->word[1];
	struct words inner = { .n = w->n - 2 };

	memcpy(inner.word, w->word + 2, inner.n * sizeof(*inner.word));
	memcpy(inner.quoted, w->quoted + 2, inner.n * sizeof(*inner.quoted));
	if (run_words(run, &inner))
		return fail(run, -1, "it succeeded, and was to fail with %s",
			    want);
	if (run->error <= 0)
		return false;
	if (strcmp(errno_name(run->error), want))
		return fail(run, -1, "it was to fail with %s: %.200s", want,
			    strdupa(run->why));
	show(run, "%s", run->why);
	return true;
}

/* ---- lines -------------------------------------------------------------- */

/* What a backslash and a character stand for. */
static char escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	default:
		return c;
	}
}

/* Cut @line, which is changed, into words. */
static bool split(struct run *run, char *line, struct words *w)
{
	char *from = line, *to;

	w->n = 0;
	for (;;) {
		while (isspace((unsigned char)*from))
			from++;
		if (!*from || *from == '#')
			return true;
		if (w->n == MAX_WORDS)
			return misuse(run, "too many words");
		w->quoted[w->n] = *from == '"';
		if (!w->quoted[w->n]) {
			w->word[w->n++] = from;
			while (*from && !isspace((unsigned char)*from))
				from++;
			if (*from)
				*from++ = '\0';
			continue;
		}
		to = ++from;
		w->word[w->n++] = to;
		while (*from && *from != '"') {
			if (*from == '\\' && from[1])
				*to++ = escaped(*++from);
			else
				*to++ = *from;
			from++;
		}
		if (!*from)
			return misuse(run, "a \" without its end");
		from++;
		*to = '\0';
	}
}

/* A line with $i replaced by the round. */
static char *expand(const struct run *run, const char *line)
{
	size_t room = strlen(line) + 1, n = 0;
	const char *c;
	char *copy;

	for (c = line; (c = strstr(c, "$i")); c += 2)
		room += 20;
	copy = allocate(room, 1);
	for (c = line; *c;) {
		if (c[0] == '$' && c[1] == 'i') {
			n += sprintf(copy + n, "%lu", run->round);
			c += 2;
		} else {
			copy[n++] = *c++;
		}
	}
	return copy;
}

static bool begins(const char *line, const char *word)
{
	size_t n = strlen(word);

	line += strspn(line, " \t");
	return !strncmp(line, word, n) &&
	       (!line[n] || isspace((unsigned char)line[n]) || line[n] == '#');
}

/* Whether a block begins here that has an end. */
static bool opens_block(const char *line)
{
	return begins(line, "repeat") || begins(line, "background");
}

/* The line of the `end` that belongs to the block at @from, or the number of lines. */
static unsigned int block_end(const struct lines *lines, unsigned int from)
{
	unsigned int depth = 0, i;

	for (i = from; i < lines->n; i++) {
		if (opens_block(lines->text[i]))
			depth++;
		else if (begins(lines->text[i], "end") && !--depth)
			return i;
	}
	return lines->n;
}

static bool run_lines(struct run *run, const struct lines *lines,
		      unsigned int from, unsigned int to);

static bool run_repeat(struct run *run, const struct lines *lines,
		       unsigned int from, unsigned int to, struct words *w)
{
	unsigned long round = run->round;
	bool silent = run->silent;
	bool ok = true;
	uint64_t n;

	if (w->n != 2)
		return misuse(run, "usage: repeat N ... end");
	if (!parse_number(run, w->word[1], &n))
		return false;
	run->silent = true;
	for (run->round = 0; ok && run->round < n; run->round++)
		ok = run_lines(run, lines, from, to);
	run->silent = silent;
	run->round = round;
	return ok;
}

static void *job_main(void *arg)
{
	struct job *job = arg;

	while (!__atomic_load_n(&job->stop, __ATOMIC_ACQUIRE)) {
		if (!run_lines(&job->run, &job->lines, 0, job->lines.n)) {
			job->failed = true;
			break;
		}
		job->run.round++;
	}
	return NULL;
}

static struct job *find_job(const char *name)
{
	unsigned int i;

	for (i = 0; i < MAX_JOBS; i++)
		if (!strcmp(jobs[i].name, name))
			return &jobs[i];
	return NULL;
}

static bool run_background(struct run *run, const struct lines *lines,
			   unsigned int from, unsigned int to, struct words *w)
{
	struct job *job = find_job("");
	unsigned int i;

	if (w->n != 2 || !name_ok(w->word[1]))
		return misuse(run, "usage: background JOB ... end");
	if (!job || find_job(w->word[1]))
		return misuse(run, "too many jobs, or one of that name");
	memset(job, 0, sizeof(*job));
	job->lines.n = to - from;
	job->lines.text = allocate(to - from, sizeof(char *));
	job->lines.number = allocate(to - from, sizeof(unsigned int));
	for (i = from; i < to; i++) {
		job->lines.text[i - from] = strdup(lines->text[i]);
		job->lines.number[i - from] = lines->number[i];
	}
	job->run.silent = true;
	if (pthread_create(&job->thread, NULL, job_main, job))
		return misuse(run, "no thread for it");
	snprintf(job->name, sizeof(job->name), "%s", w->word[1]);
	return true;
}

/* End a job after its round; what went wrong in it goes wrong here. */
static bool end_job(struct run *run, struct job *job)
{
	unsigned int i;

	__atomic_store_n(&job->stop, true, __ATOMIC_RELEASE);
	pthread_join(job->thread, NULL);
	for (i = 0; i < job->lines.n; i++)
		free(job->lines.text[i]);
	free(job->lines.text);
	free(job->lines.number);
	job->name[0] = '\0';
	return !job->failed || fail(run, -1, "its line %u: %.200s",
				    job->run.line, job->run.why);
}

static bool do_wait(struct run *run, struct words *w)
{
	struct job *job = find_job(w->word[1]);

	return job ? end_job(run, job) : fail(run, -1, "no job '%s'", w->word[1]);
}

static void help(void)
{
	unsigned int i;

	for (i = 0; i < NCOMMANDS; i++)
		printf("%-10s %s\n", commands[i].name, commands[i].args);
	puts("repeat     N ... end");
	puts("background JOB ... end");
}

/* One command, with the lines that belong to it; @next is the line behind them. */
static bool run_line(struct run *run, const struct lines *lines,
		     unsigned int at, unsigned int to, unsigned int *next)
{
	char *line = expand(run, lines->text[at]);
	const char *trimmed;
	unsigned int end;
	struct words w;
	bool ok;

	*next = at + 1;
	run->line = lines->number[at];
	run->error = 0;
	trimmed = lines->text[at] + strspn(lines->text[at], " \t");
	if (!run->silent && !quiet && *trimmed && *trimmed != '#' &&
	    !begins(trimmed, "say"))
		printf("%s\n", trimmed);
	ok = split(run, line, &w);
	if (!ok || !w.n)
		goto out;
	if (!strcmp(w.word[0], "help")) {
		help();
	} else if (opens_block(lines->text[at])) {
		end = block_end(lines, at);
		if (end >= to) {
			ok = misuse(run, "a block without its end");
			goto out;
		}
		*next = end + 1;
		ok = begins(lines->text[at], "repeat") ?
		     run_repeat(run, lines, at + 1, end, &w) :
		     run_background(run, lines, at + 1, end, &w);
	} else {
		ok = run_words(run, &w);
	}
out:
	free(line);
	return ok;
}

static bool run_lines(struct run *run, const struct lines *lines,
		      unsigned int from, unsigned int to)
{
	while (from < to)
		if (!run_line(run, lines, from, to, &from))
			return false;
	return true;
}

static void add_line(struct lines *lines, char *text, unsigned int number)
{
	text[strcspn(text, "\n")] = '\0';
	lines->text = realloc(lines->text, (lines->n + 1) * sizeof(char *));
	lines->number = realloc(lines->number,
				(lines->n + 1) * sizeof(unsigned int));
	if (!lines->text || !lines->number) {
		fprintf(stderr, "vmsimctl: out of memory\n");
		exit(EXIT_COMMAND);
	}
	lines->text[lines->n] = text;
	lines->number[lines->n++] = number;
}

static void complain(const struct run *run)
{
	fflush(stdout);
	fprintf(stderr, "vmsimctl: %s:%u: %s\n", script_name, run->line, run->why);
}

/* All lines, and then run them; from a terminal each command at once. */
static bool run_script(FILE *in, bool keep_going)
{
	bool terminal = isatty(fileno(in)), ok = true;
	unsigned int number = 0, from = 0, i;
	struct lines lines = { 0 };
	struct run run = { 0 };
	char *text = NULL;
	size_t room = 0;

	quiet |= terminal;
	for (;;) {
		if (terminal) {
			fputs(from < lines.n ? "... " : "vmsim> ", stdout);
			fflush(stdout);
		}
		if (getline(&text, &room, in) < 0)
			break;
		add_line(&lines, text, ++number);
		text = NULL;
		room = 0;
		if (!terminal || (opens_block(lines.text[from]) &&
				  block_end(&lines, from) == lines.n))
			continue;
		if (!run_lines(&run, &lines, from, lines.n)) {
			complain(&run);
			ok = false;
		}
		from = lines.n;
	}
	free(text);
	while (!terminal && from < lines.n)
		if (!run_line(&run, &lines, from, lines.n, &from)) {
			complain(&run);
			ok = false;
			if (!keep_going)
				break;
		}
	for (i = 0; i < MAX_JOBS; i++)
		if (jobs[i].name[0] && !end_job(&run, &jobs[i])) {
			complain(&run);
			ok = false;
		}
	for (i = 0; i < lines.n; i++)
		free(lines.text[i]);
	free(lines.text);
	free(lines.number);
	return ok;
}

static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "keep-going", no_argument, NULL, 'k' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
};

static void show_usage(FILE *out)
{
	fputs("usage: vmsimctl [-kq] [FILE]\n"
	      "\n"
	      "Run commands for the VM of uma.ko from FILE, or from standard input.\n"
	      "\n"
	      "  -k, --keep-going  go on after a command that failed\n"
	      "  -q, --quiet       do not print the commands, only what they show\n"
	      "  -h, --help        show this, and the commands\n"
	      "  -V, --version     show which version of the interface is spoken\n",
	      out);
}

int main(int argc, char **argv)
{
	bool keep_going = false, ok;
	FILE *in = stdin;
	int c;

	page_size = sysconf(_SC_PAGESIZE);
	while ((c = getopt_long(argc, argv, "hkqV", options, NULL)) != -1)
		switch (c) {
		case 'h':
			show_usage(stdout);
			putchar('\n');
			help();
			return EXIT_SUCCESS;
		case 'k':
			keep_going = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 'V':
			printf("vmsimctl: interface version %u\n",
			       VMSIM_CTL_VERSION);
			return EXIT_SUCCESS;
		default:
			show_usage(stderr);
			return EXIT_USAGE;
		}
	if (argc - optind > 1) {
		show_usage(stderr);
		return EXIT_USAGE;
	}
	if (optind < argc && strcmp(argv[optind], "-")) {
		script_name = argv[optind];
		in = fopen(script_name, "r");
		if (!in) {
			fprintf(stderr, "vmsimctl: %s: %s\n", script_name,
				strerror(errno));
			return EXIT_COMMAND;
		}
	}
	ok = run_script(in, keep_going);
	free(seen);
	if (in != stdin)
		fclose(in);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "vmsimctl: cannot write: %s\n", strerror(errno));
		ok = false;
	}
	return ok ? EXIT_SUCCESS : EXIT_COMMAND;
}
