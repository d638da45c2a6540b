// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of /dev/vmsim with arguments that are not good
 *
 * Several threads call all ioctls, those that there are and those that there are not,
 * with random fields: numbers at the edges of what is allowed, pointers to nothing,
 * to memory that can only be read, to the end of the address space; descriptors that
 * are closed, of other kinds, of other spaces, of /dev/vmsim itself. One thread
 * closes and opens what the others are using. Some calls succeed: a space that is not
 * mapped at all would refuse the rest too early.
 *
 * First it goes through a list of what must be refused, by name and errno: who may not
 * open the device, which descriptors cannot be mapped, which ranges are none, which
 * fields of which call have no such value, and so on; that a space cannot take the
 * whole pool, by writing, wiring or in contiguous runs; and that a call goes on to its
 * end when its descriptor is closed under it.
 *
 * Of the random calls it does not look at what one returns, but that it is an errno
 * that the interface names. Whether the kernel bears it is seen in its log, and whether something
 * is lost at the end: all is closed, and then no object, page or space may be left.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/loop.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vmsim/vmsim_ctl.h"

#define THREADS		4
#define SPACES		8
#define OTHERS		8
#define PAGE		4096ULL
#define BASE		0x100000ULL
#define NOTHING		(32ULL << 30)
#define SWAP_PATH	"/tmp/vmfuzz.swap"
#define BLOCK_PATH	"/tmp/vmfuzz.block"
#define LOOPS		8
#define RUN		(16 * PAGE)
#define RUN_SLACK	64

static int spaces[SPACES];	/* open files of the device, or what comes after */
static int others[OTHERS];	/* descriptors of other kinds */
static uint64_t calls = 100000, first_seed;
static unsigned char *good, *readonly;
static uint64_t failed[THREADS], done[THREADS];

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static unsigned int below(uint64_t *seed, unsigned int n)
{
	return next_random(seed) % n;
}

static uint64_t some_number(uint64_t *seed)
{
	static const uint64_t edges[] = {
		0, 1, 2, 7, 8, 64, 4095, 4096, 4097, 0xfff000, 1ULL << 31,
		(1ULL << 32) - 1, 1ULL << 32, (1ULL << 45) - 4096, 1ULL << 45,
		(1ULL << 45) + 4096, 1ULL << 47, 1ULL << 63, ~0ULL, ~0ULL - 4095,
		0x7fffffffffffffffULL,
	};

	switch (below(seed, 4)) {
	case 0:
		return edges[below(seed, sizeof(edges) / sizeof(*edges))];
	case 1:
		return next_random(seed) >> below(seed, 64);
	default:
		return BASE + below(seed, 64) * PAGE;
	}
}

static uint64_t some_length(uint64_t *seed)
{
	return below(seed, 8) ? (1 + below(seed, 16)) * PAGE : some_number(seed);
}

static uint64_t some_pointer(uint64_t *seed)
{
	switch (below(seed, 8)) {
	case 0:
		return 0;
	case 1:
		return (uintptr_t)readonly;
	case 2:
		return next_random(seed);
	case 3:
		return 0xffff888000000000ULL + below(seed, 1 << 30);
	case 4:
		/* its second half is not there */
		return (uintptr_t)good + 64 * PAGE - 1 - below(seed, 5000);
	default:
		return (uintptr_t)good;
	}
}

static int some_fd(uint64_t *seed)
{
	switch (below(seed, 6)) {
	case 0:
		return (int)next_random(seed);
	case 1:
		return spaces[below(seed, SPACES)];
	default:
		return others[below(seed, OTHERS)];
	}
}

static uint32_t small(uint64_t *seed, unsigned int n)
{
	return below(seed, 10) ? below(seed, n) : (uint32_t)some_number(seed);
}

static const unsigned long numbers[] = {
	VMSIM_INFO, VMSIM_MAP, VMSIM_UNMAP, VMSIM_PROTECT, VMSIM_INHERIT,
	VMSIM_ADVISE, VMSIM_SYNC, VMSIM_WIRE, VMSIM_UNWIRE, VMSIM_READ,
	VMSIM_WRITE, VMSIM_FORK, VMSIM_SWAPON, VMSIM_SWAPOFF, VMSIM_STATS,
	VMSIM_ENTRIES, VMSIM_OBJECTS, VMSIM_CHECK, VMSIM_MAP, VMSIM_MAP,
	VMSIM_WRITE, VMSIM_WRITE, VMSIM_READ, VMSIM_CONTIG, VMSIM_RELEASE,
};

union argument {
	struct vmsim_info info;
	struct vmsim_map map;
	struct vmsim_range range;
	struct vmsim_rw rw;
	struct vmsim_fork fork;
	struct vmsim_swap swap;
	struct vmsim_stats stats;
	struct vmsim_list list;
	struct vmsim_contig contig;
	struct vmsim_release release;
	uint64_t word[64];
};

static void fill_map(uint64_t *seed, struct vmsim_map *vm)
{
	vm->vm_addr = some_number(seed);
	vm->vm_length = some_length(seed);
	vm->vm_kind = small(seed, 5);
	vm->vm_fd = vm->vm_kind == VMSIM_KIND_FILE ? some_fd(seed) :
		    below(seed, 8) ? -1 : some_fd(seed);
	vm->vm_offset = below(seed, 2) ? 0 : some_number(seed);
	vm->vm_prot = small(seed, 8);
	vm->vm_max_prot = below(seed, 4) ? 7 : small(seed, 8);
	vm->vm_flags = small(seed, 4);
	if (vm->vm_kind != VMSIM_KIND_FILE && below(seed, 4))
		vm->vm_flags &= ~VMSIM_MAP_PRIVATE;
}

static void fill(uint64_t *seed, unsigned long nr, union argument *arg)
{
	memset(arg, 0, sizeof(*arg));
	switch (nr) {
	case VMSIM_MAP:
		fill_map(seed, &arg->map);
		break;
	case VMSIM_READ:
	case VMSIM_WRITE:
		arg->rw.rw_addr = some_number(seed) + below(seed, 4096);
		arg->rw.rw_length = below(seed, 8) ? 1 + below(seed, 20000) :
						     some_number(seed);
		/* Not more than can be waited for, unless it stops early. */
		if (arg->rw.rw_length > 1 << 20 && arg->rw.rw_addr < 1ULL << 44)
			arg->rw.rw_length |= 1ULL << 62;
		arg->rw.rw_buffer = some_pointer(seed);
		break;
	case VMSIM_FORK:
		break;
	case VMSIM_SWAPON:
	case VMSIM_SWAPOFF:
		arg->swap.vs_path = some_pointer(seed);
		break;
	case VMSIM_CONTIG:
		arg->contig.vc_size = some_length(seed);
		arg->contig.vc_low = below(seed, 2) ? 0 : some_number(seed);
		arg->contig.vc_high = below(seed, 2) ? UINT64_MAX :
						       some_number(seed);
		arg->contig.vc_align = below(seed, 4) ? PAGE << below(seed, 8) :
							some_number(seed);
		arg->contig.vc_boundary = below(seed, 2) ? 0 : some_number(seed);
		arg->contig.vc_flags = small(seed, 8);
		break;
	case VMSIM_RELEASE:
		arg->release.vr_id = small(seed, 8);
		break;
	case VMSIM_ENTRIES:
	case VMSIM_OBJECTS:
		arg->list.vl_buffer = some_pointer(seed);
		arg->list.vl_room = small(seed, 64);
		break;
	default:
		arg->range.vr_addr = some_number(seed);
		arg->range.vr_length = some_length(seed);
		if (nr == VMSIM_PROTECT || nr == VMSIM_INHERIT ||
		    nr == VMSIM_ADVISE)
			arg->range.vr_what = small(seed, 8);
		if (nr == VMSIM_SYNC || nr == VMSIM_PROTECT)
			arg->range.vr_flags = small(seed, 4);
	}
	/* Anything anywhere: reserved fields, too. */
	if (!below(seed, 16))
		arg->word[below(seed, 6)] ^= 1ULL << below(seed, 64);
}

/*
 * What the interface says that a call can return. EUCLEAN is not among it: it says that
 * the VM has found itself wrong.
 */
static bool known_errno(int error)
{
	switch (error) {
	case 0: case EINVAL: case EFAULT: case EACCES: case ENOMEM: case EINTR:
	case EBADF: case ENOTTY: case ENOSPC: case EIO: case EBUSY: case EMFILE:
	case ENOENT: case ENAMETOOLONG: case EISDIR: case ENOTDIR: case ENXIO:
	case EPERM: case EEXIST: case EOPNOTSUPP: case ETXTBSY: case ENFILE:
	case EROFS: case ELOOP: case EFBIG: case EOVERFLOW:
		return true;
	}
	return false;
}

static void one_call(uint64_t *seed, unsigned int thread)
{
	unsigned long nr = numbers[below(seed, sizeof(numbers) / sizeof(*numbers))];
	int fd = below(seed, 50) ? spaces[below(seed, SPACES)] : some_fd(seed);
	union argument arg;
	void *pointer = &arg;
	int error;

	fill(seed, nr, &arg);
	if (!below(seed, 32))
		pointer = (void *)(uintptr_t)some_pointer(seed);
	/* A number that is not one, or one of another size. */
	if (!below(seed, 64))
		nr ^= 1UL << below(seed, 32);
	error = ioctl(fd, nr, pointer) ? errno : 0;
	if (error) {
		failed[thread]++;
	} else if (nr == VMSIM_FORK && pointer == &arg) {
		/* The child takes the place of one of those that there are. */
		fd = __atomic_exchange_n(&spaces[below(seed, SPACES)],
					 arg.fork.vf_fd, __ATOMIC_ACQ_REL);
		close(fd);
	}
	/* Of what is no device of ours any errno is right. */
	if (!known_errno(error) && _IOC_TYPE(nr) == VMSIM_IOC) {
		printf("vmfuzz: seed %" PRIu64 ": call %u says %s\n", first_seed,
		       (unsigned int)_IOC_NR(nr), strerror(error));
		exit(1);
	}
	done[thread]++;
}

static void *thread_main(void *arg)
{
	unsigned int thread = (uintptr_t)arg;
	uint64_t seed = first_seed + thread * 0x123456789ULL;
	int fd;

	while (done[thread] < calls / THREADS) {
		one_call(&seed, thread);
		/* One closes under the others' hands, and opens anew. */
		if (!thread && !below(&seed, 200)) {
			fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);
			if (fd >= 0)
				close(__atomic_exchange_n(&spaces[below(&seed, SPACES)],
							  fd, __ATOMIC_ACQ_REL));
		}
	}
	return NULL;
}

static int opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0) {
		printf("vmfuzz: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

/*
 * The memory that calls are told of lies in the middle of nothing: where a bit of its
 * address is another, or what is written there goes on behind its end, there must
 * not be a thread's stack.
 */
static bool make_memory(void)
{
	unsigned char *all = mmap(NULL, 2 * NOTHING, PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				  -1, 0);

	if (all == MAP_FAILED)
		return false;
	all += -(uintptr_t)all % NOTHING;
	good = all + NOTHING / 2;
	readonly = good + NOTHING / 4;
	return !mprotect(good, 64 * PAGE, PROT_READ | PROT_WRITE) &&
	       !mprotect(readonly, 16 * PAGE, PROT_READ);
}

static void make_others(void)
{
	int fds[2];

	others[0] = opened("/tmp/vmfuzz.file", O_RDWR | O_CREAT | O_TRUNC);
	if (ftruncate(others[0], 40 * PAGE - 7) || pipe2(fds, O_CLOEXEC)) {
		perror("vmfuzz");
		exit(1);
	}
	others[1] = opened("/tmp/vmfuzz.file", O_RDONLY);
	others[2] = opened("/tmp/vmfuzz.file", O_WRONLY);
	others[3] = opened("/tmp/vmfuzz.file", O_RDWR | O_APPEND);
	others[4] = fds[0];
	others[5] = opened("/tmp", O_RDONLY | O_DIRECTORY);
	others[6] = opened("/dev/null", O_RDWR);
	others[7] = opened("/proc/self/status", O_RDONLY);
}

static bool stats_of(struct vmsim_stats *st)
{
	int fd = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);
	bool ok = fd >= 0 && !ioctl(fd, VMSIM_STATS, st);

	close(fd);
	return ok;
}

/* The device is root's, and for those only who administer the system. */
static int open_as(uid_t uid)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (syscall(SYS_capget, &header, data))
			_exit(255);
		data[0].effective &= ~(1U << CAP_SYS_ADMIN);
		if (uid ? setuid(uid) : syscall(SYS_capset, &header, data))
			_exit(255);
		_exit(open(VMSIM_DEVICE, O_RDWR) < 0 ? errno : 0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	       WEXITSTATUS(status) : -1;
}

/* ---- the list ----------------------------------------------------------- */

static unsigned int listed, wrong;

/* One line of the list: what was tried, what it says, and what it has to. */
static void must(const char *what, int is, int want)
{
	listed++;
	if (is == want)
		return;
	wrong++;
	printf("vmfuzz: %s: %s, not %s\n", what, is ? strerror(is) : "success",
	       want ? strerror(want) : "success");
}

/* The same of one of many like it. */
static void must_of(const char *of, const char *what, int is, int want)
{
	char line[128];

	snprintf(line, sizeof(line), "%s: %s", of, what);
	must(line, is, want);
}

static int call(int fd, unsigned long nr, void *arg)
{
	return ioctl(fd, nr, arg) ? errno : 0;
}

static int map_fd(int fd, int file, uint32_t prot, uint32_t flags)
{
	struct vmsim_map vm = {
		.vm_length = PAGE,
		.vm_kind = VMSIM_KIND_FILE,
		.vm_fd = file,
		.vm_prot = VMSIM_PROT_READ,
		.vm_max_prot = prot,
		.vm_flags = flags,
	};

	return call(fd, VMSIM_MAP, &vm);
}

static int map_at(int fd, uint64_t addr, uint64_t length, uint32_t kind)
{
	struct vmsim_map vm = {
		.vm_addr = addr,
		.vm_length = length,
		.vm_kind = kind,
		.vm_fd = -1,
		.vm_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
		.vm_max_prot = VMSIM_PROT_ALL,
		.vm_flags = VMSIM_MAP_FIXED,
	};

	return call(fd, VMSIM_MAP, &vm);
}

static int range_at(int fd, unsigned long nr, uint64_t addr, uint64_t length)
{
	struct vmsim_range vr = { .vr_addr = addr, .vr_length = length };

	return call(fd, nr, &vr);
}

static int move(int fd, unsigned long nr, uint64_t addr, void *buffer,
		uint64_t length, uint64_t *done)
{
	struct vmsim_rw rw = {
		.rw_addr = addr,
		.rw_buffer = (uintptr_t)buffer,
		.rw_length = length,
	};
	int error = call(fd, nr, &rw);

	if (done)
		*done = rw.rw_done;
	return error;
}

static void list_open(void)
{
	must("root without CAP_SYS_ADMIN opens the device", open_as(0), EPERM);
	must("another user opens the device", open_as(65534), EACCES);
}

/*
 * A block device that we may write to, open for both, and once more for reading: a RAM
 * disk, or a file of ours behind a loop device that nobody uses, till it is closed. Or
 * -1.
 */
static int block_device(int *read_only)
{
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	unsigned int i = 0;
	char path[32] = "/dev/ram0";
	int fd = open(path, O_RDWR | O_CLOEXEC), file;

	if (fd < 0) {
		file = opened(BLOCK_PATH, O_RDWR | O_CREAT | O_TRUNC);
		if (ftruncate(file, 4 * PAGE))
			perror("vmfuzz");
		for (; fd < 0 && i < LOOPS; i++) {
			snprintf(path, sizeof(path), "/dev/loop%u", i);
			fd = open(path, O_RDWR | O_CLOEXEC);
			if (fd >= 0 && (ioctl(fd, LOOP_SET_FD, file) ||
					ioctl(fd, LOOP_SET_STATUS64, &info))) {
				close(fd);
				fd = -1;
			}
		}
		close(file);
		unlink(BLOCK_PATH);
	}
	if (fd >= 0)
		*read_only = opened(path, O_RDONLY);
	return fd;
}

/* What the device has is what the mapping shows, in both directions. */
static void list_block(int fd, int block, int read_only)
{
	struct vmsim_map vm = {
		.vm_length = 2 * PAGE,
		.vm_kind = VMSIM_KIND_FILE,
		.vm_fd = block,
		.vm_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
		.vm_max_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
	};
	struct vmsim_range vr = { .vr_length = 2 * PAGE };
	static const char first[32] = "a block device";
	static char here[32] = "written where it is mapped", there[32];
	uint64_t at = PAGE - 7;

	must("a block device to be written, open for reading",
	     map_fd(fd, read_only, 3, 0), EACCES);
	must("a block device to be read, open for reading",
	     map_fd(fd, read_only, 1, 0), 0);
	must("to write to a block device",
	     pwrite(block, first, sizeof(first), at) == sizeof(first) ? 0 : EIO, 0);
	must("a block device, open for both", call(fd, VMSIM_MAP, &vm), 0);
	must("to read what it has",
	     move(fd, VMSIM_READ, vm.vm_addr + at, there, sizeof(there), NULL), 0);
	must("it has what was written to it",
	     memcmp(there, first, sizeof(first)) ? EILSEQ : 0, 0);
	must("to write to its mapping",
	     move(fd, VMSIM_WRITE, vm.vm_addr + at, here, sizeof(here), NULL), 0);
	vr.vr_addr = vm.vm_addr;
	must("to write it back", call(fd, VMSIM_SYNC, &vr), 0);
	must("to read the block device",
	     pread(block, there, sizeof(there), at) == sizeof(there) ? 0 : EIO, 0);
	must("what was written to its mapping is there",
	     memcmp(there, here, sizeof(here)) ? EILSEQ : 0, 0);
	must("its mapping goes", call(fd, VMSIM_UNMAP, &vr), 0);
	vm.vm_offset = 1ULL << 40;
	must("a mapping behind its end", call(fd, VMSIM_MAP, &vm), EINVAL);
}

/* What is handed in must be a file or block device, open in the mode needed. */
static void list_descriptors(int fd)
{
	int other = opened(VMSIM_DEVICE, O_RDWR), block, read_only, closed;
	struct vmsim_fork vf = { 0 };

	must("fork", call(fd, VMSIM_FORK, &vf), 0);
	/* Nothing is opened from here on that could get its number. */
	closed = dup(others[0]);
	close(closed);
	must("a space maps itself", map_fd(fd, fd, 1, 0), EINVAL);
	must("a space maps another", map_fd(fd, other, 1, 0), EINVAL);
	must("a space maps its child", map_fd(fd, vf.vf_fd, 1, 0), EINVAL);
	must("a closed descriptor", map_fd(fd, closed, 1, 0), EBADF);
	must("a descriptor that never was", map_fd(fd, 1 << 20, 1, 0), EBADF);
	must("a negative descriptor", map_fd(fd, -2, 1, 0), EINVAL);
	must("a pipe", map_fd(fd, others[4], 1, 0), EINVAL);
	must("a directory", map_fd(fd, others[5], 1, 0), EINVAL);
	must("a character device", map_fd(fd, others[6], 1, 0), EINVAL);
	must("a file of proc", map_fd(fd, others[7], 1, 0), EINVAL);
	must("a file, open for both", map_fd(fd, others[0], 3, 0), 0);
	must("shared, to be written, open for reading",
	     map_fd(fd, others[1], 3, 0), EACCES);
	must("shared, to be read, open for reading",
	     map_fd(fd, others[1], 1, 0), 0);
	must("private, open for reading",
	     map_fd(fd, others[1], 3, VMSIM_MAP_PRIVATE), 0);
	must("open for writing only", map_fd(fd, others[2], 1, 0), EACCES);
	must("shared, to be written, open to append",
	     map_fd(fd, others[3], 3, 0), 0);
	must("a closed descriptor once more", map_fd(fd, closed, 1, 0), EBADF);
	block = block_device(&read_only);
	if (block >= 0) {
		list_block(fd, block, read_only);
		close(block);
		close(read_only);
	} else {
		puts("vmfuzz: no block device here");
	}
	close(vf.vf_fd);
	must("a call of a closed space", call(vf.vf_fd, VMSIM_CHECK, NULL), EBADF);
	close(other);
}

/* Lengths without measure, sums that wrap, the end of the space. */
static void list_ranges(int fd)
{
	static const unsigned long calls_of_ranges[] = {
		VMSIM_UNMAP, VMSIM_PROTECT, VMSIM_INHERIT, VMSIM_ADVISE,
		VMSIM_SYNC, VMSIM_WIRE, VMSIM_UNWIRE,
	};
	struct vmsim_info vi;
	unsigned int i;
	uint64_t done;

	must("info", call(fd, VMSIM_INFO, &vi), 0);
	must("a map to the end", map_at(fd, vi.vi_max - PAGE, PAGE, 0), 0);
	must("a map beyond the end", map_at(fd, vi.vi_max - PAGE, 2 * PAGE, 0),
	     EINVAL);
	must("a map that wraps", map_at(fd, 0 - PAGE, 2 * PAGE, 0), EINVAL);
	must("a map without measure", map_at(fd, BASE, 0 - PAGE, 0), EINVAL);
	must("a map of nothing", map_at(fd, BASE, 0, 0), EINVAL);
	must("a map at 0", map_at(fd, 0, PAGE, 0), EINVAL);
	must("a map of half a page", map_at(fd, BASE, PAGE / 2, 0), EINVAL);
	for (i = 0; i < sizeof(calls_of_ranges) / sizeof(*calls_of_ranges); i++) {
		unsigned long nr = calls_of_ranges[i];

		must("a range beyond the end",
		     range_at(fd, nr, vi.vi_max - PAGE, 2 * PAGE), EINVAL);
		must("a range that wraps", range_at(fd, nr, 0 - PAGE, 2 * PAGE),
		     EINVAL);
		must("a range without measure", range_at(fd, nr, BASE, 0 - PAGE),
		     EINVAL);
		must("a range of nothing", range_at(fd, nr, BASE, 0), EINVAL);
	}
	must("a read that wraps",
	     move(fd, VMSIM_READ, 0 - PAGE, good, 2 * PAGE, NULL), EINVAL);
	must("a read beyond the end",
	     move(fd, VMSIM_READ, vi.vi_max - PAGE, good, 2 * PAGE, NULL), EINVAL);
	must("a read of what is not there",
	     move(fd, VMSIM_READ, vi.vi_max - 2 * PAGE, good, PAGE, &done), EFAULT);
	must("that many bytes of it", done, 0);
	must("a write that the mapping ends",
	     move(fd, VMSIM_WRITE, vi.vi_max - PAGE, good, PAGE, &done), 0);
}

/* Pointers to nothing, to the kernel, to memory that ends or cannot be written. */
static void list_pointers(int fd)
{
	struct vmsim_list vl = { .vl_room = 1 };
	struct vmsim_swap vs = { 0 };
	uint64_t done;

	must("a map for pointers", map_at(fd, BASE, 2 * PAGE, 0), 0);
	must("a structure at 0", call(fd, VMSIM_INFO, NULL), EFAULT);
	must("a structure in the kernel",
	     call(fd, VMSIM_INFO, (void *)0xffff888000001000UL), EFAULT);
	must("a structure that cannot be written to",
	     call(fd, VMSIM_INFO, readonly), EFAULT);
	must("a buffer at 0", move(fd, VMSIM_READ, BASE, NULL, PAGE, &done),
	     EFAULT);
	must("a buffer in the kernel",
	     move(fd, VMSIM_WRITE, BASE, (void *)0xffff888000001000UL, PAGE, NULL),
	     EFAULT);
	must("a buffer that cannot be written to",
	     move(fd, VMSIM_READ, BASE, readonly, PAGE, NULL), EFAULT);
	must("a buffer that ends",
	     move(fd, VMSIM_WRITE, BASE, good + 63 * PAGE, 2 * PAGE, &done), EFAULT);
	must("a page of it came", done == PAGE ? 0 : ERANGE, 0);
	must("a list at 0", call(fd, VMSIM_ENTRIES, &vl), EFAULT);
	vl.vl_room = VMSIM_LIST_MAX + 1;
	must("too long a list", call(fd, VMSIM_ENTRIES, &vl), EINVAL);
	must("a path at 0", call(fd, VMSIM_SWAPON, &vs), EFAULT);
	vs.vs_path = (uintptr_t)VMSIM_DEVICE;
	must("swap to the device", call(fd, VMSIM_SWAPON, &vs), EINVAL);
	must("a call that is none", call(fd, _IO(VMSIM_IOC, 99), NULL), ENOTTY);
	must("a call of another size",
	     call(fd, _IOR(VMSIM_IOC, 0, uint64_t), good), ENOTTY);
}

/* A descriptor that was passed on is no right to swap. */
static void list_swap(int fd)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	struct vmsim_swap vs = { .vs_path = (uintptr_t)SWAP_PATH };
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (syscall(SYS_capget, &header, data))
			_exit(255);
		data[0].effective &= ~(1U << CAP_SYS_ADMIN);
		if (syscall(SYS_capset, &header, data))
			_exit(255);
		_exit(call(fd, VMSIM_SWAPON, &vs));
	}
	must("who inherited a space swaps",
	     waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	     WEXITSTATUS(status) : -1, EPERM);
}

/* ---- fields ------------------------------------------------------------- */

static char swap_path[] = SWAP_PATH, no_path[] = "/tmp/vmfuzz.none";
static struct vmsim_entry some_entries[8];
static struct vmsim_object some_objects[8];

/* Arguments of a call, at @base and of the run @run, of which none is wrong. */
static void good_argument(unsigned long nr, uint32_t run, union argument *arg)
{
	memset(arg, 0, sizeof(*arg));
	switch (nr) {
	case VMSIM_MAP:
		arg->map = (struct vmsim_map) {
			.vm_addr = BASE,
			.vm_length = 4 * PAGE,
			.vm_fd = -1,
			.vm_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
			.vm_max_prot = VMSIM_PROT_READ | VMSIM_PROT_WRITE,
			.vm_flags = VMSIM_MAP_FIXED,
		};
		break;
	case VMSIM_READ:
	case VMSIM_WRITE:
		arg->rw.rw_addr = BASE;
		arg->rw.rw_length = PAGE;
		arg->rw.rw_buffer = (uintptr_t)good + 32 * PAGE;
		break;
	case VMSIM_SWAPON:
	case VMSIM_SWAPOFF:
		arg->swap.vs_path = (uintptr_t)swap_path;
		break;
	case VMSIM_ENTRIES:
		arg->list.vl_buffer = (uintptr_t)some_entries;
		arg->list.vl_room = 8;
		break;
	case VMSIM_OBJECTS:
		arg->list.vl_buffer = (uintptr_t)some_objects;
		arg->list.vl_room = 8;
		break;
	case VMSIM_CONTIG:
		arg->contig.vc_size = RUN;
		arg->contig.vc_high = UINT64_MAX;
		break;
	case VMSIM_RELEASE:
		arg->release.vr_id = run;
		break;
	default:
		arg->range.vr_addr = BASE;
		arg->range.vr_length = 4 * PAGE;
		if (nr == VMSIM_PROTECT)
			arg->range.vr_what = VMSIM_PROT_READ | VMSIM_PROT_WRITE;
		else if (nr == VMSIM_INHERIT)
			arg->range.vr_what = VMSIM_INHERIT_COPY;
		break;
	case VMSIM_INFO:
	case VMSIM_FORK:
	case VMSIM_STATS:
	case VMSIM_CHECK:
		break;
	}
}

/* A call with one field that is another than in what is good, and what it is then. */
struct field {
	unsigned long nr;
	const char *call;
	const char *what;
	size_t at;
	size_t size;
	uint64_t value;
	int error;
};

#define FIELD(CALL, of, field, value, error) \
	{ VMSIM_##CALL, #CALL, #field " " #value, \
	  offsetof(union argument, of.field), \
	  sizeof(((union argument *)0)->of.field), (value), (error) }
static const struct field fields[] = {
	FIELD(MAP, map, vm_reserved, 1, EINVAL),
	FIELD(MAP, map, vm_flags, VMSIM_MAP_FIXED | 4, EINVAL),
	FIELD(MAP, map, vm_flags, VMSIM_MAP_FIXED | VMSIM_MAP_PRIVATE, EINVAL),
	FIELD(MAP, map, vm_kind, VMSIM_KIND_GUARD + 1, EINVAL),
	FIELD(MAP, map, vm_kind, UINT32_MAX, EINVAL),
	FIELD(MAP, map, vm_kind, VMSIM_KIND_FILE, EINVAL),
	FIELD(MAP, map, vm_fd, 0, EINVAL),
	FIELD(MAP, map, vm_fd, -2, EINVAL),
	FIELD(MAP, map, vm_offset, PAGE, EINVAL),
	FIELD(MAP, map, vm_prot, VMSIM_PROT_ALL + 1, EINVAL),
	FIELD(MAP, map, vm_prot, VMSIM_PROT_ALL, EINVAL),
	FIELD(MAP, map, vm_max_prot, VMSIM_PROT_ALL + 1, EINVAL),
	FIELD(MAP, map, vm_max_prot, VMSIM_PROT_READ, EINVAL),
	FIELD(PROTECT, range, vr_what, VMSIM_PROT_ALL, EACCES),
	FIELD(READ, rw, rw_reserved, 1, EINVAL),
	FIELD(READ, rw, rw_length, 0, EINVAL),
	FIELD(WRITE, rw, rw_reserved, 1, EINVAL),
	FIELD(WRITE, rw, rw_length, 0, EINVAL),
	FIELD(FORK, fork, vf_reserved, 1, EINVAL),
	FIELD(SWAPON, swap, vs_reserved, 1, EINVAL),
	FIELD(SWAPON, swap, vs_path, (uintptr_t)no_path, ENOENT),
	FIELD(SWAPOFF, swap, vs_reserved, 1, EINVAL),
	FIELD(SWAPOFF, swap, vs_path, 0, EFAULT),
	FIELD(SWAPOFF, swap, vs_path, (uintptr_t)no_path, ENOENT),
	FIELD(SWAPOFF, swap, vs_path, (uintptr_t)swap_path, ENOENT),
	FIELD(ENTRIES, list, vl_reserved, 1, EINVAL),
	FIELD(ENTRIES, list, vl_room, VMSIM_LIST_MAX + 1, EINVAL),
	FIELD(OBJECTS, list, vl_reserved, 1, EINVAL),
	FIELD(OBJECTS, list, vl_room, VMSIM_LIST_MAX + 1, EINVAL),
	FIELD(OBJECTS, list, vl_room, UINT32_MAX, EINVAL),
	FIELD(OBJECTS, list, vl_buffer, 0, EFAULT),
	FIELD(OBJECTS, list, vl_buffer, 0xffff888000001000ULL, EFAULT),
	FIELD(CONTIG, contig, vc_reserved, 1, EINVAL),
	FIELD(CONTIG, contig, vc_flags, VMSIM_CONTIG_NOWAIT << 1, EINVAL),
	FIELD(CONTIG, contig, vc_flags, VMSIM_CONTIG_MAPPED | VMSIM_CONTIG_OLD,
	      EINVAL),
	FIELD(CONTIG, contig, vc_size, 0, EINVAL),
	FIELD(CONTIG, contig, vc_size, UINT64_MAX, EINVAL),
	FIELD(CONTIG, contig, vc_size, 1ULL << 63, ENOMEM),
	FIELD(CONTIG, contig, vc_size, 1ULL << 40, ENOMEM),
	FIELD(CONTIG, contig, vc_align, 3 * PAGE, EINVAL),
	FIELD(CONTIG, contig, vc_align, PAGE + 1, EINVAL),
	FIELD(CONTIG, contig, vc_align, UINT64_MAX, EINVAL),
	FIELD(CONTIG, contig, vc_align, 1ULL << 62, ENOMEM),
	FIELD(CONTIG, contig, vc_boundary, 3 * RUN, EINVAL),
	FIELD(CONTIG, contig, vc_boundary, RUN / 2, EINVAL),
	FIELD(CONTIG, contig, vc_boundary, UINT64_MAX, EINVAL),
	FIELD(CONTIG, contig, vc_high, 0, ENXIO),
	FIELD(CONTIG, contig, vc_high, 0xffff, ENXIO),
	FIELD(CONTIG, contig, vc_low, UINT64_MAX, ENXIO),
	FIELD(RELEASE, release, vr_reserved, 1, EINVAL),
	FIELD(RELEASE, release, vr_id, 0, ENOENT),
	FIELD(RELEASE, release, vr_id, 12345, ENOENT),
	FIELD(RELEASE, release, vr_id, UINT32_MAX, ENOENT),
};

/* Calls that have a range, and of each the first value and the first flag that is none. */
static const struct {
	unsigned long nr;
	const char *call;
	uint32_t what;
	uint32_t flag;
} of_ranges[] = {
	{ VMSIM_UNMAP, "UNMAP", 1, 1 },
	{ VMSIM_PROTECT, "PROTECT", VMSIM_PROT_ALL + 1, VMSIM_PROTECT_MAX << 1 },
	{ VMSIM_INHERIT, "INHERIT", VMSIM_INHERIT_NONE + 1, 1 },
	{ VMSIM_ADVISE, "ADVISE", VMSIM_ADVISE_PAGEOUT + 1, 1 },
	{ VMSIM_SYNC, "SYNC", 1, VMSIM_SYNC_INVALIDATE << 1 },
	{ VMSIM_WIRE, "WIRE", 1, 1 },
	{ VMSIM_UNWIRE, "UNWIRE", 1, 1 },
};

/* What each of them is when nothing is wrong with it; in an order in which it is. */
static const struct {
	unsigned long nr;
	const char *name;
} each_call[] = {
	{ VMSIM_INFO, "INFO" }, { VMSIM_MAP, "MAP" },
	{ VMSIM_PROTECT, "PROTECT" }, { VMSIM_INHERIT, "INHERIT" },
	{ VMSIM_ADVISE, "ADVISE" }, { VMSIM_SYNC, "SYNC" },
	{ VMSIM_WIRE, "WIRE" }, { VMSIM_UNWIRE, "UNWIRE" },
	{ VMSIM_WRITE, "WRITE" }, { VMSIM_READ, "READ" },
	{ VMSIM_FORK, "FORK" }, { VMSIM_STATS, "STATS" },
	{ VMSIM_ENTRIES, "ENTRIES" }, { VMSIM_OBJECTS, "OBJECTS" },
	{ VMSIM_CHECK, "CHECK" }, { VMSIM_CONTIG, "CONTIG" },
	{ VMSIM_RELEASE, "RELEASE" }, { VMSIM_SWAPON, "SWAPON" },
	{ VMSIM_SWAPOFF, "SWAPOFF" }, { VMSIM_UNMAP, "UNMAP" },
};

#define EACH_CALL	(sizeof(each_call) / sizeof(*each_call))

/* A call's range with one field that is another, which it cannot be. */
static void bad_range(int fd, unsigned int i, const char *what, uint32_t as,
		      uint32_t flags, uint64_t reserved)
{
	union argument arg;

	good_argument(of_ranges[i].nr, 0, &arg);
	if (as)
		arg.range.vr_what = as;
	arg.range.vr_flags = flags;
	arg.range.vr_reserved = reserved;
	must_of(of_ranges[i].call, what, call(fd, of_ranges[i].nr, &arg), EINVAL);
}

static void list_range_values(int fd)
{
	unsigned int i;

	for (i = 0; i < sizeof(of_ranges) / sizeof(*of_ranges); i++) {
		bad_range(fd, i, "the first that is none", of_ranges[i].what, 0, 0);
		bad_range(fd, i, "a large one", UINT32_MAX, 0, 0);
		bad_range(fd, i, "the first flag that is none", 0, of_ranges[i].flag, 0);
		bad_range(fd, i, "the last flag", 0, 1U << 31, 0);
		bad_range(fd, i, "something reserved", 0, 0, 1);
		bad_range(fd, i, "its last bit", 0, 0, 1ULL << 63);
	}
}

/* A field with any value that it cannot have; then the space is as it was. */
static void list_values(int fd, uint32_t run)
{
	struct vmsim_entry was, is;
	struct vmsim_list vl = { .vl_buffer = (uintptr_t)&was, .vl_room = 1 };
	const struct field *f;
	union argument arg;

	must("its entries", call(fd, VMSIM_ENTRIES, &vl), 0);
	for (f = fields; f < fields + sizeof(fields) / sizeof(*fields); f++) {
		good_argument(f->nr, run, &arg);
		memcpy((char *)&arg + f->at, &f->value, f->size);
		must_of(f->call, f->what, call(fd, f->nr, &arg), f->error);
	}
	list_range_values(fd);
	vl.vl_buffer = (uintptr_t)&is;
	must("its entries", call(fd, VMSIM_ENTRIES, &vl), 0);
	must("nothing of that has changed the space",
	     vl.vl_count != 1 || memcmp(&is, &was, sizeof(is)) ? EILSEQ : 0, 0);
}

/* With low above high, which takes two fields. */
static void list_contig(int fd)
{
	union argument arg;

	good_argument(VMSIM_CONTIG, 0, &arg);
	arg.contig.vc_low = 2 * PAGE;
	arg.contig.vc_high = PAGE;
	must("CONTIG: low above high", call(fd, VMSIM_CONTIG, &arg), EINVAL);
}

/* Structures that are nowhere; that are all right, too, since something must be. */
static void list_structures(int fd, uint32_t run)
{
	uint64_t nowhere[] = { 0, 0xffff888000001000ULL, (uintptr_t)good + 64 * PAGE - 1 };
	union argument arg;
	unsigned int i, j;

	for (i = 0; i < EACH_CALL; i++) {
		/* It takes none. */
		for (j = 0; each_call[i].nr != VMSIM_CHECK && j < 3; j++)
			must_of(each_call[i].name, "a structure that is not there",
				call(fd, each_call[i].nr, (void *)(uintptr_t)nowhere[j]),
				EFAULT);
		good_argument(each_call[i].nr, run, &arg);
		must_of(each_call[i].name, "as it should be",
			call(fd, each_call[i].nr, &arg), 0);
		if (each_call[i].nr == VMSIM_CONTIG)
			run = arg.contig.vc_id;
		else if (each_call[i].nr == VMSIM_FORK)
			close(arg.fork.vf_fd);
	}
}

/* Where an answer cannot be written there is nothing that it would have told of. */
static void list_answers(int fd)
{
	static const struct {
		const char *name;
		unsigned long nr;
	} makers[] = {
		{ "FORK", VMSIM_FORK },
		{ "CONTIG", VMSIM_CONTIG },
		{ "MAP", VMSIM_MAP },
	};
	struct vmsim_stats before, after;
	union argument *there = (union argument *)readonly;
	unsigned int i;
	int lowest = dup(fd), error;

	close(lowest);
	must("statistics that cannot be written",
	     call(fd, VMSIM_STATS, readonly), EFAULT);
	must("statistics", call(fd, VMSIM_STATS, &before), 0);
	for (i = 0; i < sizeof(makers) / sizeof(*makers); i++) {
		mprotect(readonly, 16 * PAGE, PROT_READ | PROT_WRITE);
		good_argument(makers[i].nr, 0, there);
		/* The place of a mapping is to be told. */
		if (makers[i].nr == VMSIM_MAP)
			there->map.vm_flags = 0;
		mprotect(readonly, 16 * PAGE, PROT_READ);
		error = call(fd, makers[i].nr, there);
		must_of(makers[i].name, "an answer that cannot be written",
			error, EFAULT);
	}
	mprotect(readonly, 16 * PAGE, PROT_READ | PROT_WRITE);
	memset(readonly, 0, sizeof(union argument));
	mprotect(readonly, 16 * PAGE, PROT_READ);
	must("statistics", call(fd, VMSIM_STATS, &after), 0);
	must("no space of it is left",
	     after.vst_spaces != before.vst_spaces ? ERANGE : 0, 0);
	must("no mapping of it is left",
	     after.vst_entries != before.vst_entries ||
	     after.vst_size != before.vst_size ? ERANGE : 0, 0);
	must("no page of it is left",
	     after.vst_held != before.vst_held ? ERANGE : 0, 0);
	error = dup(fd);
	must("no descriptor of it is left", error != lowest ? EMFILE : 0, 0);
	close(error);
}

/* Contiguous memory is his who has taken it, and nobody else's, nor his child's. */
static void list_owner(int fd)
{
	int other = opened(VMSIM_DEVICE, O_RDWR);
	struct vmsim_fork vf = { 0 };
	struct vmsim_stats before, after;
	struct vmsim_release vr = { 0 };
	union argument arg;

	must("statistics", call(fd, VMSIM_STATS, &before), 0);
	good_argument(VMSIM_CONTIG, 0, &arg);
	must("contiguous memory", call(fd, VMSIM_CONTIG, &arg), 0);
	vr.vr_id = arg.contig.vc_id;
	must("fork", call(fd, VMSIM_FORK, &vf), 0);
	must("another releases it", call(other, VMSIM_RELEASE, &vr), ENOENT);
	must("a child releases it", call(vf.vf_fd, VMSIM_RELEASE, &vr), ENOENT);
	must("statistics", call(fd, VMSIM_STATS, &after), 0);
	must("it is held still", after.vst_held < before.vst_held + RUN / PAGE ?
	     ERANGE : 0, 0);
	must("its owner releases it", call(fd, VMSIM_RELEASE, &vr), 0);
	must("its owner does so again", call(fd, VMSIM_RELEASE, &vr), ENOENT);
	must("statistics", call(fd, VMSIM_STATS, &after), 0);
	must("it is held no more", after.vst_held != before.vst_held ? ERANGE : 0, 0);
	close(vf.vf_fd);
	close(other);
}

/* Each call, with each field that can be wrong. */
static void list_fields(void)
{
	int fd = opened(VMSIM_DEVICE, O_RDWR);
	struct vmsim_release vr = { 0 };
	union argument arg;

	good_argument(VMSIM_MAP, 0, &arg);
	must("a map for fields", call(fd, VMSIM_MAP, &arg), 0);
	must("a page of it", move(fd, VMSIM_WRITE, BASE, good, PAGE, NULL), 0);
	good_argument(VMSIM_CONTIG, 0, &arg);
	must("a run for fields", call(fd, VMSIM_CONTIG, &arg), 0);
	vr.vr_id = arg.contig.vc_id;
	list_values(fd, vr.vr_id);
	list_contig(fd);
	must("the run is there still", call(fd, VMSIM_RELEASE, &vr), 0);
	list_owner(fd);
	list_answers(fd);
	list_structures(fd, 0);
	must("a check", call(fd, VMSIM_CHECK, NULL), 0);
	close(fd);
}

/* ---- scenes ------------------------------------------------------------- */

/* A space takes contiguous memory until it gets no more, and gives it back. */
static void list_runs(void)
{
	int greedy = opened(VMSIM_DEVICE, O_RDWR), fd = opened(VMSIM_DEVICE, O_RDWR);
	struct vmsim_stats before, full, after;
	unsigned int most, n = 0, i;
	struct vmsim_release vr = { 0 };
	struct vmsim_info vi;
	uint64_t done = 0, at;
	union argument arg;
	uint32_t *runs;
	int error = 0;

	must("info", call(greedy, VMSIM_INFO, &vi), 0);
	must("statistics", call(greedy, VMSIM_STATS, &before), 0);
	most = before.vst_pool / (RUN / PAGE) + 1;
	runs = calloc(most, sizeof(*runs));
	if (!runs) {
		must("memory for numbers", ENOMEM, 0);
		return;
	}
	for (; !error && n < most; n += !error) {
		good_argument(VMSIM_CONTIG, 0, &arg);
		error = call(greedy, VMSIM_CONTIG, &arg);
		runs[n] = arg.contig.vc_id;
	}
	must("a space takes the pool in runs", error, ENOMEM);
	must("statistics", call(greedy, VMSIM_STATS, &full), 0);
	must("all runs count", full.vst_held < n * (RUN / PAGE) ? ERANGE : 0, 0);
	must("no more than it may hold, by runs",
	     full.vst_held > vi.vi_max_pages ||
	     full.vst_held > full.vst_pool / 4 * 3 ? ERANGE : 0, 0);
	/* It is the share that ended it, not the pool. */
	must("but so many", full.vst_held + RUN / PAGE <= vi.vi_max_pages ?
	     ERANGE : 0, 0);
	must("a map of another space",
	     map_at(fd, BASE, full.vst_pool / 8 * PAGE, 0), 0);
	for (at = BASE; !error || at == BASE; at += done) {
		if (at >= BASE + full.vst_pool / 8 * PAGE)
			break;
		error = move(fd, VMSIM_WRITE, at, good, 32 * PAGE, &done);
	}
	must("an eighth of the pool for another, beside runs", error, 0);
	close(fd);
	for (i = 0; i < n; i++) {
		vr.vr_id = runs[i];
		error = call(greedy, VMSIM_RELEASE, &vr);
		if (error)
			break;
	}
	must("all runs are released", error, 0);
	must("statistics", call(greedy, VMSIM_STATS, &after), 0);
	must("nothing is held any more",
	     after.vst_held != before.vst_held ? ERANGE : 0, 0);
	/* But what zones keep for the next who comes. */
	must("the pool is as before", after.vst_free + RUN_SLACK < before.vst_free ?
	     ERANGE : 0, 0);
	free(runs);
	close(greedy);
}

/* A space writes until it gets no more; another one still gets what it wants. */
static void list_pool(void)
{
	int greedy = opened(VMSIM_DEVICE, O_RDWR), fd = opened(VMSIM_DEVICE, O_RDWR);
	uint64_t at = BASE, done, n;
	struct vmsim_stats st;
	int error = 0;

	must("statistics", call(fd, VMSIM_STATS, &st), 0);
	n = st.vst_pool * PAGE;
	must("a map as large as the pool", map_at(greedy, BASE, n, 0), 0);
	for (; !error && at < BASE + n; at += done)
		error = move(greedy, VMSIM_WRITE, at, good, 64 * PAGE, &done);
	must("a space takes the pool", error, ENOMEM);
	must("so does wiring", range_at(greedy, VMSIM_WIRE, BASE, n), ENOMEM);
	must("statistics", call(greedy, VMSIM_STATS, &st), 0);
	must("more than three quarters", st.vst_held > st.vst_pool / 4 * 3 ?
	     ERANGE : 0, 0);
	must("a map of another space", map_at(fd, BASE, n, 0), 0);
	for (at = BASE; at < BASE + n / 8; at += done) {
		error = move(fd, VMSIM_WRITE, at, good, 64 * PAGE, &done);
		if (error)
			break;
	}
	must("an eighth of the pool for another", error, 0);
	close(greedy);
	close(fd);
}

/*
 * A page is wired 65535 times, and no more. Each mapping wires it once, so there are as
 * many, in spaces that hold no more of them than they may; all but the first are
 * forked, which is quicker than to map as often.
 */
static void list_wires(void)
{
	struct vmsim_map vm = {
		.vm_length = PAGE,
		.vm_kind = VMSIM_KIND_FILE,
		.vm_fd = others[0],
		.vm_prot = VMSIM_PROT_READ,
		.vm_max_prot = VMSIM_PROT_READ,
		.vm_flags = VMSIM_MAP_FIXED,
	};
	int fds[64], error = 0;
	struct vmsim_stats st;
	struct vmsim_info vi;
	unsigned int i, n = 0;
	uint64_t per, wired;

	fds[0] = opened(VMSIM_DEVICE, O_RDWR);
	must("info", call(fds[0], VMSIM_INFO, &vi), 0);
	/* What is being wired counts once more. */
	per = vi.vi_max_pages / 8 * 3;
	if (per * 64 < 65536 || per + 2 > vi.vi_max_entries) {
		puts("vmfuzz: the pool is too small to wire a page that often");
		close(fds[0]);
		return;
	}
	for (i = 0; !error && i < per; i++) {
		vm.vm_addr = BASE + i * PAGE;
		error = call(fds[0], VMSIM_MAP, &vm);
	}
	must("one page in many places", error, 0);
	for (wired = 0; !error && wired <= 65535; wired += error ? 0 : per) {
		if (n) {
			struct vmsim_fork vf = { 0 };

			error = call(fds[0], VMSIM_FORK, &vf);
			if (error)
				break;
			fds[n] = vf.vf_fd;
		}
		error = range_at(fds[n++], VMSIM_WIRE, BASE, per * PAGE);
	}
	must("a page is wired too often", error, EOVERFLOW);
	must("in that space and not before", wired <= 65535 && wired + per > 65535 ?
	     0 : ERANGE, 0);
	must("statistics", call(fds[n - 1], VMSIM_STATS, &st), 0);
	must("what could not be wired as a whole is not wired",
	     st.vst_wired ? ERANGE : 0, 0);
	must("a part that can be", range_at(fds[n - 1], VMSIM_WIRE, BASE,
					    (65535 - wired) * PAGE), 0);
	must("one more", range_at(fds[n - 1], VMSIM_WIRE,
				  BASE + (per - 1) * PAGE, PAGE), EOVERFLOW);
	for (i = 0; i < n; i++) {
		error = call(fds[i], VMSIM_CHECK, NULL);
		if (error)
			break;
	}
	must("a check", error, 0);
	while (n--)
		close(fds[n]);
}

struct closing {
	int fd;
	unsigned long nr;
	int error;
};

static int close_write(int fd)
{
	return move(fd, VMSIM_WRITE, BASE, good, 64 * PAGE, NULL);
}

/* The child may get the number that the parent has just lost: it is closed at once. */
static int close_fork(int fd)
{
	struct vmsim_fork vf = { 0 };
	int error = call(fd, VMSIM_FORK, &vf);

	if (!error)
		close(vf.vf_fd);
	return error;
}

static int close_contig(int fd)
{
	struct vmsim_release vr = { 0 };
	union argument arg;
	int error;

	good_argument(VMSIM_CONTIG, 0, &arg);
	error = call(fd, VMSIM_CONTIG, &arg);
	vr.vr_id = arg.contig.vc_id;
	return error ? error : call(fd, VMSIM_RELEASE, &vr);
}

static int close_wire(int fd)
{
	int error = range_at(fd, VMSIM_WIRE, BASE, 64 * PAGE);

	return error ? error : range_at(fd, VMSIM_UNWIRE, BASE, 64 * PAGE);
}

static void *long_call(void *arg)
{
	struct closing *c = arg;

	/* The last user of the file may be this call. */
	do {
		switch (c->nr) {
		case VMSIM_FORK:
			c->error = close_fork(c->fd);
			break;
		case VMSIM_CONTIG:
			c->error = close_contig(c->fd);
			break;
		case VMSIM_WIRE:
			c->error = close_wire(c->fd);
			break;
		default:
			c->error = close_write(c->fd);
		}
	} while (!c->error);
	return NULL;
}

/* The descriptor is closed, and given to a file, while a call uses it. */
static void close_under(unsigned long nr, const char *name)
{
	struct vmsim_stats before, after;
	unsigned int round;

	must("statistics", stats_of(&before) ? 0 : EIO, 0);
	for (round = 0; round < 20; round++) {
		struct closing c = { .fd = opened(VMSIM_DEVICE, O_RDWR), .nr = nr };
		pthread_t thread;

		must_of(name, "a map to be written to",
			map_at(c.fd, BASE, 64 * PAGE, 0), 0);
		/* With something in it, so that there is something to lose. */
		must_of(name, "something in it", close_write(c.fd), 0);
		if (pthread_create(&thread, NULL, long_call, &c)) {
			must("a thread", EAGAIN, 0);
			return;
		}
		usleep(700 + round * 131);
		if (round % 2)
			dup2(others[0], c.fd);
		else
			close(c.fd);
		pthread_join(thread, NULL);
		must_of(name, "a call after the close", c.error,
			round % 2 ? ENOTTY : EBADF);
		if (round % 2)
			close(c.fd);
	}
	must("statistics", stats_of(&after) ? 0 : EIO, 0);
	must_of(name, "nothing is left of the spaces",
		after.vst_spaces != before.vst_spaces ||
		after.vst_objects != before.vst_objects ||
		after.vst_wired_pages != before.vst_wired_pages ||
		after.vst_active + after.vst_inactive !=
		before.vst_active + before.vst_inactive ? ERANGE : 0, 0);
}

static void list_close(void)
{
	close_under(VMSIM_WRITE, "WRITE");
	close_under(VMSIM_FORK, "FORK");
	close_under(VMSIM_CONTIG, "CONTIG");
	close_under(VMSIM_WIRE, "WIRE");
}

static bool check_list(void)
{
	int fd = opened(VMSIM_DEVICE, O_RDWR);

	list_open();
	list_descriptors(fd);
	list_ranges(fd);
	list_pointers(fd);
	list_swap(fd);
	close(fd);
	list_fields();
	list_pool();
	list_runs();
	list_wires();
	list_close();
	printf("vmfuzz: %u of %u things that must be so are\n", listed - wrong,
	       listed);
	return !wrong;
}

/* ---- all of it ---------------------------------------------------------- */

int main(int argc, char **argv)
{
	struct vmsim_stats before, after;
	uint64_t all = 0, errors = 0;
	pthread_t threads[THREADS];
	time_t started;
	unsigned int i;
	int c;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c != 'n') {
			fputs("usage: vmfuzz [-n CALLS] [SEED]\n", stderr);
			return 2;
		}
		calls = strtoull(optarg, NULL, 0);
	}
	first_seed = optind < argc ? strtoull(argv[optind], NULL, 0) :
				     (uint64_t)time(NULL);
	printf("vmfuzz: seed %" PRIu64 "\n", first_seed);
	fflush(stdout);
	if (!stats_of(&before)) {
		printf("vmfuzz: %s: %s\n", VMSIM_DEVICE, strerror(errno));
		return 1;
	}
	if (!make_memory()) {
		perror("vmfuzz");
		return 1;
	}
	/* A path that can be swapped to, where SWAPON may find one. */
	memcpy(good, SWAP_PATH, sizeof(SWAP_PATH));
	i = opened((char *)good, O_RDWR | O_CREAT);
	if (ftruncate(i, 1 << 20))
		perror("vmfuzz");
	close(i);
	make_others();
	if (!check_list())
		return 1;
	started = time(NULL);
	for (i = 0; i < SPACES; i++)
		spaces[i] = opened(VMSIM_DEVICE, O_RDWR);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, thread_main,
				   (void *)(uintptr_t)i))
			return 1;
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		all += done[i];
		errors += failed[i];
	}
	/* Closing a descriptor that another had is what the threads did all along. */
	closefrom(3);
	memcpy(good, SWAP_PATH, sizeof(SWAP_PATH));
	c = open(VMSIM_DEVICE, O_RDWR | O_CLOEXEC);
	if (c >= 0) {
		struct vmsim_swap vs = { .vs_path = (uintptr_t)good };

		ioctl(c, VMSIM_SWAPOFF, &vs);
		close(c);
	}
	if (!stats_of(&after)) {
		puts("vmfuzz: no statistics");
		return 1;
	}
	printf("vmfuzz: %" PRIu64 " calls in %u s, %" PRIu64 " of them refused\n",
	       all, (unsigned int)(time(NULL) - started), errors);
	if (after.vst_objects > before.vst_objects ||
	    after.vst_spaces > before.vst_spaces ||
	    after.vst_active > before.vst_active ||
	    after.vst_inactive > before.vst_inactive ||
	    after.vst_wired_pages > before.vst_wired_pages ||
	    after.vst_swap_used > before.vst_swap_used) {
		printf("vmfuzz: left: %" PRIu64 " objects, %" PRIu64
		       " spaces, %" PRIu64 " pages, %" PRIu64 " wired, %" PRIu64
		       " in swap\n", (uint64_t)after.vst_objects,
		       (uint64_t)after.vst_spaces,
		       (uint64_t)(after.vst_active + after.vst_inactive),
		       (uint64_t)after.vst_wired_pages,
		       (uint64_t)after.vst_swap_used);
		return 1;
	}
	puts("vmfuzz: nothing left");
	return 0;
}
