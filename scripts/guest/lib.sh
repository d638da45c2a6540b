# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the jobs in a guest share: KTAP from shell, expectations, memory.
# Sourced by a job (busybox sh).

. /env

UMA=/sys/kernel/debug/uma
KTAP_N=0
KTAP_BAD=0

# plan N: the job makes N checks
plan()
{
	KTAP_PLAN=$1
	printf 'KTAP version 1\n1..%d\n' "$1"
}

note()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# verdict STATUS NAME
verdict()
{
	KTAP_N=$((KTAP_N + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $KTAP_N $2"
	else
		echo "not ok $KTAP_N $2"
		KTAP_BAD=$((KTAP_BAD + 1))
	fi
}

# check NAME COMMAND...: COMMAND succeeds; its output is shown when it does not
check()
{
	name=$1
	shift
	if "$@" >/tmp/check.out 2>&1; then
		verdict 0 "$name"
	else
		note "failed: $*"
		note "$(tail -n 20 /tmp/check.out)"
		verdict 1 "$name"
	fi
}

# refuse NAME COMMAND...: COMMAND fails (and does not die of a signal)
refuse()
{
	name=$1
	shift
	"$@" >/tmp/check.out 2>&1
	rc=$?
	if [ $rc -ne 0 ] && [ $rc -lt 128 ]; then
		verdict 0 "$name"
	else
		note "exit $rc, wanted a plain failure: $*"
		note "$(tail -n 20 /tmp/check.out)"
		verdict 1 "$name"
	fi
}

# job_end: the exit status of the job
job_end()
{
	[ "$KTAP_BAD" -eq 0 ] && [ "$KTAP_N" -eq "${KTAP_PLAN:-$KTAP_N}" ]
	exit $?
}

# expect_begin REGEX / expect_end: reports between are announced
expect_begin()
{
	echo "uma-expect-begin: $1" >/dev/kmsg
}

expect_end()
{
	echo "uma-expect-end" >/dev/kmsg
}

# dmesg_since MARK: the kernel log after the line that mark MARK wrote
mark()
{
	echo "uma-mark: $1" >/dev/kmsg
}

dmesg_since()
{
	dmesg | sed "1,/uma-mark: $1\$/d"
}

# settle: let deferred frees happen, and give back what the kernel only caches
settle()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo 2 >/proc/sys/vm/drop_caches
	sleep 0.3
	refresh
}

# refresh: each CPU tells of the pages that it has counted; till then /proc/meminfo
# may be wrong by some hundred KiB
refresh()
{
	[ ! -e /proc/sys/vm/stat_refresh ] || cat /proc/sys/vm/stat_refresh
}

# mem_free: KiB that nobody uses: MemFree, and what the kernel holds back in its
# lists of free pages for each CPU, which MemFree leaves out (on 6.12 they grow
# by tens of MiB when many single pages are freed, and shrink in minutes)
mem_free()
{
	awk '$1 == "MemFree:" { sum += $2 } $1 == "count:" { sum += $2 * 4 } END { print sum }' \
		/proc/meminfo /proc/zoneinfo
}

loaded()
{
	[ -d "/sys/module/$1" ]
}

# load MODULE [PARAMETERS...]: with what it depends on
load()
{
	for dep in $(sed -n "s/^$1 //p" /modules/deps 2>/dev/null); do
		loaded "$dep" || load "$dep" || return 1
	done
	module=$1
	shift
	insmod "/modules/$module.ko" "$@"
}

# unload_others: every module of ours but uma.ko itself
unload_others()
{
	for module in $(sed 's/ .*//' /proc/modules); do
		[ "$module" = uma ] || rmmod "$module" || return 1
	done
}

# caches CPU: the items that it caches, over all zones; what umastat tells of each
# CPU is in /tmp/before
caches()
{
	umastat -c >/tmp/before &&
		awk -F '[ ,]+' -v cpu="$1" '$(NF - 3) == cpu { n += $NF } END { print n + 0 }' /tmp/before
}

# gone CPU: since /tmp/before it has left neither item nor count in any zone, and no
# zone's sums went down.  Zones that come and go during the torture share their
# names, so their sums tell nothing.
gone()
{
	umastat -c >/tmp/after && awk -F '[ ,]+' -v cpu="$1" '
		{ name = $1; for (i = 2; i <= NF - 4; i++) name = name " " $i }
		NR != FNR && $(NF - 3) == cpu { print "left behind: " $0; bad = 1 }
		$(NF - 3) != "all" || name ~ /guest|third/ { next }
		NR == FNR { allocs[name] = $(NF - 2); frees[name] = $(NF - 1); next }
		name in allocs { known++ }
		name in allocs && ($(NF - 2) < allocs[name] || $(NF - 1) < frees[name]) {
			print name " had " allocs[name] " allocations, " frees[name] " frees: " $0
			bad = 1
		}
		END { exit bad || !known }' /tmp/before /tmp/after
}

# hotplug ROUNDS: while the torture runs, take one CPU after the other away and
# bring it back.  Each has cached something before.
hotplug()
{
	others=$(($(grep -c '^processor' /proc/cpuinfo) - 1))
	[ $others -gt 0 ] || { echo "hot-plug: one CPU only"; return 1; }
	handed=0
	round=0
	while [ $round -lt "$1" ]; do
		cpu=$((1 + round % others))
		online=/sys/devices/system/cpu/cpu$cpu/online
		round=$((round + 1))
		for look in 1 2 3 4 5 6 7 8 9 10; do
			had=$(caches $cpu) || return 1
			[ "$had" -eq 0 ] || break
			sleep 0.3
		done
		[ "$had" -gt 0 ] || { echo "hot-plug: round $round: CPU $cpu is idle"; return 1; }
		handed=$((handed + had))
		echo 0 >$online || { echo "hot-plug: round $round: CPU $cpu does not go"; return 1; }
		gone $cpu && sleep 0.1 && gone $cpu && [ "$(cat $online)" = 0 ] ||
			{ echo "hot-plug: round $round: CPU $cpu is not gone for good"; return 1; }
		echo 1 >$online || { echo "hot-plug: round $round: CPU $cpu does not come back"; return 1; }
	done
	echo "hot-plug: $round rounds on CPUs 1 to $others, $handed items cached on them before they went"
}

# torture_for SECONDS ROUNDS: uma_torture.ko, and hot-plug beside it
torture_for()
{
	if [ "$2" -eq 0 ]; then
		load uma_torture "seconds=$1"
		return
	fi
	begin=$(date +%s)
	# the torture's threads would leave us little of a slow machine
	renice -n -20 $$ >/dev/null
	load uma_torture seconds=36000 &
	pid=$!
	stop=/sys/module/uma_torture/parameters/stop
	while [ ! -e $stop ] && kill -0 $pid; do
		sleep 0.1
	done
	sleep 1
	hotplug "$2"
	rc=$?
	while [ $(($(date +%s) - begin)) -lt "$1" ]; do
		sleep 0.2
	done
	if [ "$(cat /sys/module/uma_torture/initstate)" != coming ]; then
		echo "hot-plug: the torture had ended before"
		rc=1
	fi
	echo 1 >$stop
	wait $pid && [ $rc -eq 0 ]
}

# What of the torture's zones MemGuard can guard: limits are not for its items, and
# items of a zone that keeps its memory are looked at after their free.  One in
# $GUARD_N is guarded.
TORTURE_DESC="torture-[!ln]*/${GUARD_N:-1},torture-large/${GUARD_N:-1}"

# guard_quiet: MemGuard has used its addresses again and again, without a report
guard_quiet()
{
	awk '/^ranges used again/ { again = $NF } /^REPORTS/ { on = 1; next } /^RULE/ { on = 0 } on && NF { n += $NF }
		END { print again " ranges used again, " n " reports"; exit again < 100 || n }' \
		"$UMA/memguard/stats"
}

# kmemleak_clear: forget what the boot left
kmemleak_clear()
{
	[ -e /sys/kernel/debug/kmemleak ] || return 0
	echo scan >/sys/kernel/debug/kmemleak
	echo clear >/sys/kernel/debug/kmemleak
}

# kmemleak_clean: nothing leaked since; what did goes to the kernel log as well,
# where it is a report.  An object must be 5 s old to count.
kmemleak_clean()
{
	[ -e /sys/kernel/debug/kmemleak ] || return 0
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak >/tmp/leaks
	[ -s /tmp/leaks ] || return 0
	cat /tmp/leaks
	head -n 40 /tmp/leaks | sed 's/^/kmemleak: /' | while read -r line; do
		echo "$line" >/dev/kmsg
	done
	return 1
}

# record LIST: record the kernel's slab traffic while /work runs, and make an
# operation list of it; what kmemops found is in /tmp/kmemops.out
record()
{
	cd /tmp || return 1
	trace-cmd record -q -b "${TRACE_KB:-40000}" -o /tmp/trace.dat \
		-e kmem:kmem_cache_alloc -e kmem:kmem_cache_free \
		sh /work >/tmp/record.out 2>&1 || { cat /tmp/record.out; return 1; }
	# the buffers are the kernel's memory until they are made small again
	trace-cmd reset >/dev/null 2>&1
	echo 1 >/sys/kernel/tracing/buffer_size_kb
}

operations()
{
	trace-cmd report -N -R -t -i /tmp/trace.dat 2>/tmp/report.out |
		kmemops -o "$1" 2>/tmp/kmemops.out || { cat /tmp/report.out /tmp/kmemops.out; return 1; }
	rm -f /tmp/trace.dat
}

# found WORDS: the number that kmemops gave for WORDS
found()
{
	sed -n "s/^kmemops: *\([0-9]*\)  $1.*/\1/p" /tmp/kmemops.out | head -n 1
}

# replay LIST: hand it to uma_replay.ko and let it run
replay()
{
	cat "$1" >/sys/kernel/debug/uma_replay/ops &&
		echo 1 >/sys/kernel/debug/uma_replay/run
}
