# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Guests: an initramfs of busybox, our files and one job, booted in QEMU or as
# User Mode Linux under a time limit.  A guest leaves two files behind:
#
#	NAME.log	the kernel's log (its console)
#	NAME.out	what the job printed
#
# and guest_ok NAME tells whether it ended well (see scanlog).
# Sourced after common.sh and kernels.sh.

GUEST=$TOP/scripts/guest
LIB=$TOP/scripts/lib

# stage_new DIR JOB: start an initramfs tree in DIR whose job is guest/JOB, or the
# file JOB if that has a slash
stage_new()
{
	rm -rf "$1"
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,etc,modules,data,usr/lib,lib64}
	cp /bin/busybox "$1/bin/busybox"
	cp "$GUEST/init" "$1/init"
	cp "$GUEST/lib.sh" "$1/lib.sh"
	case $2 in
	*/*) cp "$2" "$1/job" ;;
	*) cp "$GUEST/$2" "$1/job" ;;
	esac
	chmod 755 "$1/init" "$1/job"
	: >"$1/env"
}

# stage_env DIR NAME=VALUE...: variables for the job
stage_env()
{
	local dir=$1 v
	shift
	for v; do
		printf "%s='%s'\n" "${v%%=*}" "${v#*=}" >>"$dir/env"
	done
}

# stage_dynamic DIR PROGRAM...: programs with their shared libraries
stage_dynamic()
{
	local dir=$1 prog lib
	shift
	for prog; do
		prog=$(PATH=$PATH:/usr/sbin:/sbin command -v "$prog")
		cp -L "$prog" "$dir/bin/"
		ldd "$prog" | sed -n 's:^[^/]*\(/[^ ]*\) (0x.*:\1:p' | while read -r lib; do
			mkdir -p "$dir$(dirname "$lib")"
			cp -Ln "$lib" "$dir$lib"
		done
	done
}

# stage_record DIR: what the job's record() needs: trace-cmd, the work, and an
# archive of real files, this project's sources and kernel headers
stage_record()
{
	local headers
	headers=$(echo "$(kernel_dir 6.12)"/root/usr/src/linux-headers-*-common/include)
	stage_dynamic "$1" trace-cmd
	cp "$GUEST/work" "$1/work"
	{
		(cd "$TOP" && find uma kunit scripts -type f -printf "$TOP/./%p\n" | grep '\.[ch]$')
		find "$headers/linux" -maxdepth 1 -name '[a-m]*.h' -printf "$headers/./linux/%P\n"
	} | sort | tar -czf "$1/data/files.tar.gz" --transform 's:^.*/\./::' -P -T -
}

# stage_pack DIR: DIR.cpio.gz out of DIR
stage_pack()
{
	(cd "$1" && find . | sort | cpio -o -H newc -R 0:0 --quiet | gzip -1) >"$1.cpio.gz"
	rm -rf "$1"
}

# kvm_works: only if a guest really gets to run on it; asked once
kvm_works()
{
	[ -n "${UMA_KVM:-}" ] && [ -w /dev/kvm ] || return 1
	if [ -z "${KVM_PROBED:-}" ]; then
		KVM_PROBED=no
		if timeout -k 2 10 qemu-system-x86_64 -accel kvm -cpu max -m 256 -bios qboot.rom \
			-nodefaults -display none -no-reboot -serial stdio \
			-kernel "$1/image" -append "console=ttyS0 panic=-1" </dev/null 2>/dev/null |
			grep -q 'Linux version'; then
			KVM_PROBED=yes
		fi
	fi
	[ "$KVM_PROBED" = yes ]
}

# numa_words MIB: QEMU's arguments for two memory nodes of half of that each,
# with one CPU on either
numa_words()
{
	local n words="-smp 2,sockets=2"
	for n in 0 1; do
		words+=" -object memory-backend-ram,id=node$n,size=$(($1 / 2))M"
		words+=" -numa node,nodeid=$n,cpus=$n,memdev=node$n"
	done
	echo "$words"
}

# emulator_crashed LOG: did the machine come to grief over flags that no processor
# can have (a panic, a trap that nobody set)?
# QEMU 7.2 makes such ones up when it runs a cmpxchg16b, the heart of the kernel's
# own allocator, soon after an interrupt; another interrupt right behind it, which
# -icount makes likely, then saves and restores them.
emulator_crashed()
{
	grep -qE 'EFLAGS: (00[4-9a-f]|0[1-9a-f]|[1-9a-f])[0-9a-f]*$' <(tr -d '\r' <"$1" | grep EFLAGS:)
}

# guest_run KERNEL INITRD NAME LIMIT [OPTIONS]: boot and wait for the end.
# NAME is the path of the logs without ending, LIMIT is in seconds.
#	--smp N  --mem MIB  --append TEXT  --icount  --show (the output, live)
#	--qemu "ARGS"	more arguments for QEMU itself (words; none may have a blank)
#	--numa	two memory nodes, a CPU on each
#	--single	all CPUs take turns in one thread of QEMU's.  With a thread
#			for each, QEMU now and then shows one CPU a breakpoint that
#			another has already removed (seen while the kernel patches
#			its own code, about once in a hundred boots).  For jobs that
#			are not about several CPUs at once.
# A machine that crashes before our first program runs, or by the emulator's fault,
# is started again.
guest_run()
{
	local kernel=$1 initrd=$2 name=$3 limit=$4 rc=0
	local smp=2 mem=512 append="" icount="" show="" qemu="" numa="" kdir cmd accel=tcg,thread=multi boot
	shift 4
	while [ $# -gt 0 ]; do
		case $1 in
		--smp) smp=$2; shift ;;
		--mem) mem=$2; shift ;;
		--append) append=$2; shift ;;
		--qemu) qemu=$2; shift ;;
		--numa) numa=1 ;;
		--icount) icount=1 ;;
		--show) show=1 ;;
		--single) accel=tcg,thread=single ;;
		*) die "guest_run: $1?" ;;
		esac
		shift
	done
	kdir=$(kernel_dir "$kernel")
	: >"$name.log"
	: >"$name.out"
	append="panic=-1 oops=panic softlockup_panic=1 printk.devkmsg=on loglevel=8 $append"

	if [ "$(cat "$kdir/arch")" = um ]; then
		cmd=("$kdir/image" "mem=${mem}M" "initrd=$initrd" "uml_dir=$name.uml" umid=guest
			con=null "con0=null,fd:4" "con1=null,fd:3" con2=null ssl=null console=tty0
			"uma.out=tty1")
		# shellcheck disable=SC2206 # words they are
		cmd+=($append)
		guest_exec "$name" "$limit" "$show" "${cmd[@]}" || rc=$?
		rm -rf "$name.uml"
	else
		if [ -n "$icount" ]; then
			accel=tcg
		elif kvm_works "$kdir"; then
			accel=kvm
		fi
		cmd=(qemu-system-x86_64 -accel "$accel" -cpu max -smp "$smp" -m "$mem"
			-bios qboot.rom -nodefaults -display none -no-reboot -monitor none
			-serial "file:$name.log" -serial stdio
			-kernel "$kdir/image" -initrd "$initrd"
			-append "console=ttyS0 $append uma.out=ttyS1")
		# shellcheck disable=SC2206 # words they are
		cmd+=($qemu)
		# shellcheck disable=SC2207 # the same
		[ -z "$numa" ] || cmd+=($(numa_words "$mem"))
		[ -z "$icount" ] || cmd+=(-icount "shift=0,sleep=off")
		for boot in 1 2 3; do
			guest_exec "$name" "$limit" "$show" "${cmd[@]}" || rc=$?
			if emulator_crashed "$name.log" && ! guest_ok "$name"; then
				say "the emulated machine has flags that no processor has: once more"
			elif [ "$rc" -eq 0 ] && ! grep -q 'Run /init' "$name.log" &&
				grep -q 'Kernel panic' "$name.log"; then
				say "the emulated machine crashed while it booted, before any code of ours: once more"
			else
				break
			fi
			[ "$boot" -lt 3 ] || break
			rc=0
			mv "$name.log" "$name.boot$boot"
			: >"$name.log"
			: >"$name.out"
		done
	fi
	if [ "$rc" -eq 124 ] || [ "$rc" -eq 137 ]; then
		echo "guest stopped by its time limit of $limit s" >>"$name.log"
	fi
	return 0
}

# guest_exec NAME LIMIT SHOW COMMAND...: run it; 1 or fd 3 is the job's output,
# fd 4 (UML) the console
guest_exec()
{
	local name=$1 limit=$2 show=$3 rc=0
	# no guest outlives the script that started it
	local leash=(setpriv --pdeathsig KILL) fg=--foreground
	shift 3
	# a User Mode Linux that panics kills its whole process group: give it one,
	# which timeout does unless told otherwise
	[[ $1 == qemu* ]] || fg=""
	# the group's stderr swallows the shell's own word on a guest that aborts
	if [ -n "$show" ]; then
		{
			# shellcheck disable=SC2086
			"${leash[@]}" timeout $fg -k 5 "$limit" "${leash[@]}" "$@" \
				</dev/null 4>>"$name.log" 3>&1 2>>"$name.err" |
				tee "$name.out" || rc=${PIPESTATUS[0]}
		} 2>/dev/null
	else
		{
			# shellcheck disable=SC2086
			"${leash[@]}" timeout $fg -k 5 "$limit" "${leash[@]}" "$@" \
				</dev/null 4>>"$name.log" 3>>"$name.out" >>"$name.out" 2>>"$name.err" || rc=$?
		} 2>/dev/null
	fi
	[ -s "$name.err" ] || rm -f "$name.err"
	return "$rc"
}

# guest_ok NAME: judge the kernel log, findings in NAME.findings
guest_ok()
{
	local rc=0
	"$LIB/scanlog" "$1.log" >"$1.findings" || rc=1
	[ -s "$1.findings" ] || rm -f "$1.findings"
	return $rc
}
