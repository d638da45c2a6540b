// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send bytes over the loopback, and compare every one that arrives
 *
 *	netload tcp BYTES
 *	netload udp BYTES
 *
 * A child receives, the parent sends, in pieces of all sizes. The byte at each
 * offset is known to both, so nothing that is lost, doubled or out of place goes
 * unseen. Over UDP a few datagrams may be under way at a time, each of which says
 * where in the transfer it belongs and is acknowledged: so none is lost for want
 * of room in a socket, and one that is lost otherwise is a failure.
 *
 * Exit status: 0 if all that was sent has come, 1 if not, 2 for a wrong command line.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Nothing that is right takes that long. */
#define PATIENCE	60

/* A prime: no power of two can hide an offset that is off by one. */
#define PATTERN		1000003
/* A piece may begin at the pattern's last byte. */
#define PIECE_MAX	200000

#define DATAGRAM_MAX	30000
#define WINDOW		4

static unsigned char pattern[PATTERN + PIECE_MAX];
static unsigned char buf[PIECE_MAX + sizeof(unsigned long long)];

/* xorshift64: the same on every machine. */
static unsigned long long random_state = 88172645463325252ULL;

static unsigned long long random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void make_pattern(void)
{
	size_t i;

	for (i = 0; i < PATTERN; i++)
		pattern[i] = (unsigned char)(random_number() >> 32);
	memcpy(pattern + PATTERN, pattern, PIECE_MAX);
}

static size_t piece(size_t max, unsigned long long left)
{
	size_t n = 1 + random_number() % max;

	return n < left ? n : (size_t)left;
}

static void compare(const unsigned char *data, unsigned long long at, size_t len)
{
	if (memcmp(data, pattern + at % PATTERN, len) != 0)
		errx(1, "received: wrong bytes between %llu and %llu",
		     at, (at + len));
}

/* A socket on the loopback; *@addr is where it can be reached. */
static int open_socket(int type, struct sockaddr_in *addr)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, type, 0);

	if (fd < 0)
		err(1, "socket");
	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)addr, sizeof(*addr)) ||
	    getsockname(fd, (struct sockaddr *)addr, &len) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)))
		err(1, "setting up a socket");
	return fd;
}

static void tcp_receive(int listener, unsigned long long total)
{
	unsigned long long at = 0;
	ssize_t n;
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		err(1, "accept");
	while ((n = read(fd, buf, sizeof(buf) - sizeof(unsigned long long))) > 0) {
		if (at + (unsigned long long)n > total)
			errx(1, "received: more than was sent");
		compare(buf, at, (size_t)n);
		at += (unsigned long long)n;
	}
	if (n < 0)
		err(1, "received %llu bytes, then", at);
	if (at != total)
		errx(1, "received: %llu bytes of %llu", at,
		     total);
}

static void tcp_send(const struct sockaddr_in *to, unsigned long long total)
{
	struct sockaddr_in addr;
	unsigned long long at = 0;
	ssize_t n;
	int fd = open_socket(SOCK_STREAM, &addr);

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		err(1, "connect");
	while (at < total) {
		n = write(fd, pattern + at % PATTERN,
			  piece(PIECE_MAX, total - at));
		if (n <= 0)
			err(1, "sent %llu bytes, then", at);
		at += (unsigned long long)n;
	}
	close(fd);
}

static void udp_receive(int fd, unsigned long long total)
{
	struct sockaddr_in from;
	unsigned long long at, sum = 0;
	socklen_t len;
	ssize_t n;

	while (sum < total) {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from,
			     &len);
		if (n < 0)
			err(1, "received %llu bytes, then",
			    sum);
		if ((size_t)n <= sizeof(at))
			errx(1, "received: a datagram of %zd bytes", n);
		memcpy(&at, buf, sizeof(at));
		compare(buf + sizeof(at), at, (size_t)n - sizeof(at));
		sum += (unsigned long long)n - sizeof(at);
		if (sendto(fd, &at, sizeof(at), 0, (struct sockaddr *)&from,
			   len) != sizeof(at))
			err(1, "acknowledging");
	}
	if (sum != total)
		errx(1, "received: more than was sent");
}

static void udp_send(const struct sockaddr_in *to, unsigned long long total)
{
	unsigned long long at = 0, ack, sent[WINDOW], acked = 0;
	unsigned int pending = 0, i;
	struct sockaddr_in addr;
	size_t n;
	int fd = open_socket(SOCK_DGRAM, &addr);

	while (acked < total) {
		while (at < total && pending < WINDOW) {
			n = piece(DATAGRAM_MAX, total - at);
			memcpy(buf, &at, sizeof(at));
			memcpy(buf + sizeof(at), pattern + at % PATTERN, n);
			if (sendto(fd, buf, n + sizeof(at), 0,
				   (const struct sockaddr *)to,
				   sizeof(*to)) != (ssize_t)(n + sizeof(at)))
				err(1, "sent %llu bytes, then",
				    at);
			sent[pending++] = at;
			at += n;
		}
		if (recv(fd, &ack, sizeof(ack), 0) != sizeof(ack))
			err(1, "a datagram was not acknowledged");
		for (i = 0; i < pending && sent[i] != ack; i++)
			;
		if (i == pending)
			errx(1, "a datagram was acknowledged twice");
		sent[i] = sent[--pending];
		if (!pending && at == total)
			acked = total;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr;
	struct timespec a, b;
	unsigned long long total;
	int fd, status;
	char *end;
	bool tcp;
	pid_t pid;

	total = argc == 3 ? strtoull(argv[2], &end, 10) : 0;
	tcp = argc == 3 && !strcmp(argv[1], "tcp");
	if (!total || *end || (!tcp && strcmp(argv[1], "udp") != 0)) {
		fprintf(stderr, "usage: netload tcp|udp BYTES\n");
		return 2;
	}
	make_pattern();
	fd = open_socket(tcp ? SOCK_STREAM : SOCK_DGRAM, &addr);
	if (tcp && listen(fd, 1))
		err(1, "listen");
	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		(tcp ? tcp_receive : udp_receive)(fd, total);
		return 0;
	}
	close(fd);
	(tcp ? tcp_send : udp_send)(&addr, total);
	if (waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "netload: the receiver failed\n");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%s: %llu bytes sent, received and compared in %.2f s\n", argv[1],
	       total, (double)(b.tv_sec - a.tv_sec) +
	       (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	return 0;
}
