# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every script here shares: where things are, how progress is shown, how
# a missing Debian package is got.  Sourced, never run.
#
# Progress goes to stderr, results to stdout: `scripts/bench --json` can be
# piped.  Everything built or downloaded lives in $CACHE, outside the checkout.

set -euo pipefail
umask 022
export LC_ALL=C
unset MAKEFLAGS MFLAGS KDIR KBUILD_OUTPUT ARCH CROSS_COMPILE LDFLAGS CFLAGS

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
CACHE=${UMA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/uma-ko}
JOBS=${UMA_JOBS:-$(nproc)}
SELF=scripts/$(basename "$0")
KCC=gcc-12			# what Debian 12's kernels are built with
mkdir -p "$CACHE/lock" "$CACHE/kernels"
CACHE=$(cd "$CACHE" && pwd -P)

say()
{
	printf '[%4ds] %s\n' "$SECONDS" "$*" >&2
}

die()
{
	printf '%s: %s\n' "$SELF" "$*" >&2
	exit 1
}

# usage: the head comment of the running script, without the lines before it
usage()
{
	sed -n '4,/^$/s/^# \{0,1\}//p' "$0"
}

# run_dir NAME: a fresh folder for the logs of one run; old ones are pruned.
run_dir()
{
	local base=$CACHE/runs dir
	mkdir -p "$base"
	find "$base" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} + || :
	dir=$base/$(date +%Y%m%d-%H%M%S)-$1-$$
	mkdir -p "$dir"
	echo "$dir"
}

# elapsed FROM: seconds since $SECONDS was FROM
elapsed()
{
	echo $((SECONDS - $1))
}

# work LABEL LOG COMMAND...: run COMMAND with its output in LOG, saying now and
# then that it is still at it; on failure show the log's end and its path.
work()
{
	local label=$1 log=$2 pid rc=0 from=$SECONDS next=$((SECONDS + 20))
	shift 2

	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ "$SECONDS" -ge "$next" ]; then
			say "$label ... $(elapsed "$from") s, $(grep -c '' "$log") lines of log"
			next=$((SECONDS + 20))
		fi
	done
	wait "$pid" || rc=$?
	if [ "$rc" -ne 0 ]; then
		say "$label FAILED (exit $rc); the end of $log:"
		tail -n 20 "$log" >&2
		return "$rc"
	fi
	say "$label: done in $(elapsed "$from") s"
}

# locked NAME COMMAND...: run COMMAND while holding the cache's lock NAME.
# The lock belongs to the command's own subshell and goes with it.
locked()
{
	local name=$1
	shift
	(
		exec 9>"$CACHE/lock/$name"
		if ! flock -n 9; then
			say "waiting for another run that holds $CACHE/lock/$name"
			flock 9
		fi
		"$@"
	)
}

# ---- Debian packages -------------------------------------------------------

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -n "$@" || die "needs root for: $* (run as root, or with sudo)"
	else
		die "needs root for: $* (run as root)"
	fi
}

apt_log=$CACHE/apt.log

# apt_update [again]: fetch the package lists, unless that was done a short
# while ago
apt_update()
{
	if [ -z "${1:-}" ] && [ -n "$(find "$CACHE/apt.updated" -mmin -60 2>/dev/null)" ]; then
		return 0
	fi
	work "package lists" "$apt_log" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 update
	: >"$CACHE/apt.updated"
}

# need FILE-OR-COMMAND:PACKAGE...: install the packages whose file or command
# is not there.
need()
{
	local item what pkg missing=()
	for item; do
		what=${item%:*} pkg=${item##*:}
		case $what in
		/*) [ -e "$what" ] && continue ;;
		*) PATH=$PATH:/usr/sbin:/sbin command -v "$what" >/dev/null && continue ;;
		esac
		missing+=("$pkg")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	locked apt need_install "${missing[@]}"
}

need_install()
{
	apt_update
	apt_install "$@" && return
	# lists that are too old name packages that are gone
	apt_update again
	apt_install "$@"
}

apt_install()
{
	work "installing ${*}" "$apt_log" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
		--no-install-recommends install "$@"
}

# What is needed for what; pod2usage stands for the whole of perl, of which the
# base system has only a part (and W=1 runs the kernel's kernel-doc)
NEED_BUILD=("$KCC:gcc-12" make:make /usr/include/stdlib.h:libc6-dev strip:binutils
	/usr/lib/x86_64-linux-gnu/libelf.so.1:libelf1 pod2usage:perl)
NEED_KERNEL_BUILD=("${NEED_BUILD[@]}" flex:flex bison:bison bc:bc xz:xz-utils
	/usr/include/libelf.h:libelf-dev /usr/include/openssl/opensslv.h:libssl-dev)
NEED_GUEST=(cpio:cpio /usr/share/doc/busybox-static:busybox-static)
NEED_QEMU=("${NEED_GUEST[@]}" qemu-system-x86_64:qemu-system-x86
	/usr/share/qemu/qboot.rom:qemu-system-data)
NEED_RECORD=("${NEED_QEMU[@]}" trace-cmd:trace-cmd)
# a 32-bit reader of the stream, and C++'s opinion of its header
NEED_TESTS=(sparse:sparse /usr/lib/gcc/x86_64-linux-gnu/12/cc1plus:g++-12
	/usr/lib/gcc/x86_64-linux-gnu/12/32/libgcc.a:gcc-12-multilib
	/usr/include/x86_64-linux-gnu/gnu/stubs-32.h:libc6-dev-i386)
NEED_PACKAGE=("${NEED_BUILD[@]}" dkms:dkms mandoc:mandoc depmod:kmod xz:xz-utils)
NEED_RESULTS=(pod2usage:perl python3:python3 xz:xz-utils)
