// SPDX-License-Identifier: GPL-2.0-only
/*
 * Feeds kmemops with damaged input, many times over:
 *
 *	kmemops_fuzz SEED RUNS FILE [ARGUMENT ...]
 *
 * Each run changes the bytes of FILE here and there, hands the result to
 * kmemops (with the arguments) on standard input, and wants it to end by itself
 * with 0 or 1. The program's main() is compiled in under another name and runs
 * in a forked child, so that a run costs little and nothing is left over from
 * the one before. What fails is kept in the file "failed".
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int kmemops_main(int argc, char **argv);

#define ODD	22

static uint64_t state;

static uint32_t pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 32) % below;
}

/* One change of @len bytes at @buf, which has room for @room; the new length. */
static size_t change(char *buf, size_t len, size_t room)
{
	static const char * const odd[ODD] = {
		"\t", " ", "\n", "\r\n", "=", "0x", "[", "]", ":", "/", "-1", "99999",
		"18446744073709551616", "ffffffffffffffffff", " ptr=", " name=",
		" bytes_req=", "kmem_cache_alloc:", "kmem_cache_free: ",
		"CPU:0 [LOST 7 EVENTS]\n", "CPU:1 [EVENTS DROPPED]\n", "\033[2J",
	};
	size_t at = pick(len + 1), n = pick(200), from;
	const char *word;

	switch (pick(8)) {
	case 0:		/* a bit */
		if (at < len)
			buf[at] ^= 1 << pick(8);
		break;
	case 1:		/* a byte */
		if (at < len)
			buf[at] = pick(256);
		break;
	case 2:		/* a piece that goes */
		n = n < len - at ? n : len - at;
		memmove(buf + at, buf + at + n, len - at - n);
		len -= n;
		break;
	case 3:		/* a piece that comes twice, or over another */
	case 4:
		from = pick(len + 1);
		n = n < len - from ? n : len - from;
		n = n < len - at ? n : len - at;
		memmove(buf + at, buf + from, n);
		break;
	case 5:		/* the end that is missing, now and then */
		if (!pick(8))
			len = at;
		break;
	default:	/* a word that means something */
		word = odd[pick(ODD)];
		n = strlen(word);
		if (len + n > room)
			break;
		memmove(buf + at + n, buf + at, len - at);
		memcpy(buf + at, word, n);
		len += n;
	}
	return len;
}

static void keep(const char *buf, size_t len)
{
	FILE *f = fopen("failed", "w");

	if (!f || fwrite(buf, 1, len, f) != len || fclose(f))
		perror("failed");
}

int main(int argc, char **argv)
{
	size_t size, len, room;
	char *good, *buf;
	long run, runs;
	int status;
	FILE *f;

	if (argc < 4)
		return 2;
	state = strtoull(argv[1], NULL, 0) * 2 + 1;
	runs = strtol(argv[2], NULL, 0);
	f = fopen(argv[3], "r");
	if (!f || fseek(f, 0, SEEK_END))
		return 2;
	size = ftell(f);
	rewind(f);
	room = size + 4096;
	good = malloc(room);
	buf = malloc(room);
	if (!good || !buf || fread(good, 1, size, f) != size)
		return 2;
	fclose(f);
	argv[3] = "kmemops";

	for (run = 0; run < runs; run++) {
		int fd = memfd_create("input", 0);
		uint32_t changes = 1 + pick(20);
		pid_t child;

		memcpy(buf, good, size);
		for (len = size; changes--;)
			len = change(buf, len, room);
		if (fd < 0 || write(fd, buf, len) != (ssize_t)len)
			return 2;
		fflush(NULL);
		child = fork();
		if (!child) {
			if (lseek(fd, 0, SEEK_SET) || dup2(fd, 0) ||
			    !freopen("out", "w", stdout) ||
			    !freopen("err", "w", stderr))
				_exit(2);
			alarm(20);
			exit(kmemops_main(argc - 3, argv + 3));
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 2;
		close(fd);
		if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
			keep(buf, len);
			printf("run %ld: status %#x; see the files failed and err\n",
			       run, status);
			return 1;
		}
	}
	free(good);
	free(buf);
	return 0;
}
