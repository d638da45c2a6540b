# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The parts of scripts/test.  Each leaves $RUN/NAME.ktap and puts NAME=FILE into
# the list $RUN/results; show_results counts them all through the kernel's own kunit.py.
# Sourced after the other libraries; RUN is the folder of this run.

# add NAME: a document that takes part in the count
add()
{
	echo "$1=$RUN/$1.ktap" >>"$RUN/results"
}

# collect NAME ARGS...: $RUN/NAME.ktap from the guest NAME's log and output,
# with a case of its own for a clean end and a clean kernel log
collect()
{
	local name=$1 verdict=ok
	shift
	guest_ok "$RUN/$name" || {
		verdict=notok
		say "$name: the kernel log is not clean, or the guest ended badly:"
		head -n 12 "$RUN/$name.findings" >&2
	}
	"$LIB/ktap" collect "$@" --case "$verdict:$name: job done, kernel log clean" \
		"$RUN/$name.log" "$RUN/$name.out" >"$RUN/$name.ktap"
	add "$name"
}

# broken NAME WHAT: a part that could not even run is one failure
broken()
{
	"$LIB/ktap" collect --case "notok:$2" >"$RUN/$1.ktap"
	add "$1"
}

show_results()
{
	local src line passed failed
	source_get
	src=$(source_dir)
	touch "$RUN/results"
	sort "$RUN/results" | xargs "$LIB/ktap" join >"$RUN/all.ktap"
	python3 "$src/tools/testing/kunit/kunit.py" parse "$RUN/all.ktap" >"$RUN/kunit.txt" 2>&1 || :
	cat "$RUN/kunit.txt"
	line=$(sed 's/\x1b\[[0-9;]*m//g' "$RUN/kunit.txt" | grep 'Testing complete\.' | tail -n 1)
	passed=$(count passed "$line")
	# a case that never came is both an error and a crash: count it once
	failed=$(($(count failed "$line") + $(count crashed "$line")))
	[ "$failed" -gt 0 ] || failed=$(count errors "$line")
	[ "$((passed + failed))" -gt 0 ] || failed=1
	echo "Logs and KTAP: $RUN"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

# count WHAT LINE: the number after WHAT in kunit.py's summary
count()
{
	local n
	n=$(sed -n "s/.*$1: \([0-9]*\).*/\1/p" <<<"$2")
	echo "${n:-0}"
}

# ---- uml -------------------------------------------------------------------

# part_uml SUITE...: each suite in a guest of its own
part_uml()
{
	local suite
	need "${NEED_BUILD[@]}" "${NEED_GUEST[@]}"
	kernel_get uml
	if ! modules_into uml "$RUN/uml.modules" "$RUN/uml-build.log" "$*"; then
		broken uml "modules build for uml"
		return 0
	fi
	for suite; do
		uml_suite "$suite"
	done
}

uml_suite()
{
	local name=uml-$1 stage=$RUN/uml-$1.initrd from=$SECONDS
	stage_new "$stage" kunit
	stage_env "$stage" "SUITES=$1"
	cp "$RUN/uml.modules/deps" "$RUN/uml.modules/"*.ko "$stage/modules/"
	stage_pack "$stage"
	guest_run uml "$stage.cpio.gz" "$RUN/$name" 120 --mem 384
	rm -f "$stage.cpio.gz"
	collect "$name" --suites "$1"
	say "uml: $1 ran in $(elapsed "$from") s"
}

# part_vm: the VM from user space, and a model beside it, on User Mode Linux
part_vm()
{
	local name=uml-vm stage=$RUN/uml-vm.initrd from=$SECONDS
	need "${NEED_BUILD[@]}" "${NEED_GUEST[@]}"
	kernel_get uml
	if [ ! -e "$RUN/uml.modules/uma.ko" ] &&
		! modules_into uml "$RUN/uml.modules" "$RUN/uml-vm-build.log"; then
		broken "$name" "modules build for uml"
		return 0
	fi
	if ! programs_into "$RUN/uml.bin" "$RUN/uml-programs.log"; then
		broken "$name" "programs build"
		return 0
	fi
	stage_new "$stage" vm
	stage_env "$stage" OPS=40000 CALLS=100000 FORKS=10000
	cp "$RUN/uml.modules/deps" "$RUN/uml.modules/"*.ko "$stage/modules/"
	cp "$RUN/uml.bin/"* "$stage/bin/"
	cp -r "$TOP/scripts/vm" "$stage/data/"
	stage_pack "$stage"
	guest_run uml "$stage.cpio.gz" "$RUN/$name" 200 --mem 384
	rm -f "$stage.cpio.gz"
	collect "$name"
	say "uml: the VM from user space ran in $(elapsed "$from") s"
}

# ---- kasan -----------------------------------------------------------------

# part_kasan SUITE...: all suites in one guest, then torture in another
part_kasan()
{
	local suite numa=""
	need "${NEED_BUILD[@]}" "${NEED_QEMU[@]}"
	kernel_get debug
	if ! modules_into debug "$RUN/kasan.modules" "$RUN/kasan-build.log" "$*"; then
		broken kasan "modules build for the debug kernel"
		return 0
	fi
	if [ $# -gt 0 ]; then
		kasan_guest kasan-kunit kunit 900 "SUITES=$*" --suites "$*"
	fi
	# those that one memory node tells only half
	for suite in pool numa; do
		[[ " $* " != *" $suite "* ]] || numa+=" $suite"
	done
	if [ -n "$numa" ]; then
		kasan_guest kasan-numa kunit 400 "SUITES=$numa" --suites "$numa"
		kasan_guest kasan-pressure pressure 400 "HOLD=40"
	fi
	# and those that want four CPUs
	if [[ " $* " == *" memguard_race "* ]]; then
		kasan_guest kasan-smp kunit 400 "SUITES=memguard_race" --suites memguard_race
	fi
	if [ "${TORTURE:-10}" -gt 0 ]; then
		if ! programs_into "$RUN/kasan.bin" "$RUN/kasan-programs.log"; then
			broken kasan-programs "programs build"
			return 0
		fi
		kasan_guest kasan-vm vm 600 "OPS=2000 CALLS=8000"
		kasan_guest kasan-torture torture 600 "SECONDS_=${TORTURE:-10} ROUNDS=3" --torture
	fi
}

# kasan_guest NAME JOB LIMIT VARIABLES COLLECT-OPTIONS...
kasan_guest()
{
	local name=$1 job=$2 limit=$3 var=$4 stage=$RUN/$1.initrd from=$SECONDS
	local machine=(--mem 1024 --smp 2)
	shift 4
	case $name in
	*-torture | *-smp) machine=(--mem 1024 --smp 4) ;;
	*-numa) machine=(--mem 1024 --numa) ;;
	*-pressure) machine=(--mem 512 --smp 2) ;;
	esac
	say "$name: booting the debug kernel"
	stage_new "$stage" "$job"
	cp "$RUN/kasan.modules/deps" "$RUN/kasan.modules/"*.ko "$stage/modules/"
	if [ "$job" = torture ]; then
		cp "$RUN/kasan.bin/umastat" "$stage/bin/"
		# a pool that grows and shrinks under it, and some items guarded
		# shellcheck disable=SC2086 # several they are
		stage_env "$stage" $var "POOL=pool_mb=2 pool_max_mb=64" GUARD=2 GUARD_N=8
	elif [ "$job" = vm ]; then
		# shellcheck disable=SC2086 # several they are
		stage_env "$stage" $var
		cp "$RUN/kasan.bin/"* "$stage/bin/"
		cp -r "$TOP/scripts/vm" "$stage/data/"
	else
		stage_env "$stage" "$var"
	fi
	stage_pack "$stage"
	guest_run debug "$stage.cpio.gz" "$RUN/$name" "$limit" "${machine[@]}"
	rm -f "$stage.cpio.gz"
	collect "$name" "$@"
	say "$name: ran in $(elapsed "$from") s"
}

# ---- e2e -------------------------------------------------------------------

# part_e2e KERNEL: an unmodified kernel from outside, then the main job
part_e2e()
{
	local kernel=$1 name=e2e-$1 from
	need "${NEED_BUILD[@]}" "${NEED_RECORD[@]}" "${NEED_TESTS[@]}"
	kernel_get 6.12
	kernel_get "$kernel"
	if ! modules_into "$kernel" "$RUN/$name.modules" "$RUN/$name-build.log"; then
		broken "$name" "modules build for $kernel"
		return 0
	fi
	if ! programs_into "$RUN/$name.bin" "$RUN/$name-programs.log" ||
		! umastat_make "$RUN/$name.bin/umastat32" -m32 -isystem /usr/include/x86_64-linux-gnu \
			>>"$RUN/$name-programs.log" 2>&1; then
		broken "$name" "programs build"
		return 0
	fi
	if ! examples_into "$kernel" "$RUN/$name.modules" >"$RUN/$name-examples.log" 2>&1; then
		broken "$name-examples" "consumers build against what make install leaves, for $kernel"
		return 0
	fi
	e2e_guest "$kernel" "$name" e2e 400 "TORTURE=3 ROUNDS=5" --torture
	e2e_guest "$kernel" "main-$kernel" main 400 "FORKS=100"
	e2e_guest "$kernel" "pressure-$kernel" pressure 200 "HOLD=80"
	e2e_guest "$kernel" "numa-$kernel" numa 200 "MIB=32"
	e2e_guest "$kernel" "net-$kernel" net 300 "MB=24"
	e2e_guest "$kernel" "memguard-$kernel" memguard 400 ""
	e2e_guest "$kernel" "vm-$kernel" vm 400 "OPS=4000 CALLS=20000"
	e2e_guest "$kernel" "contig-$kernel" contig 200 \
		"POOL=16 TRIES=8 SECS=12 OLD_SECS=4 SCENES=1 WANT=new=85,linux=50"
}

# e2e_guest KERNEL NAME JOB LIMIT VARIABLES COLLECT-OPTIONS...
e2e_guest()
{
	local kernel=$1 name=$2 job=$3 limit=$4 var=$5 stage=$RUN/$2.initrd from=$SECONDS
	local machine=(--mem 1024 --single)
	shift 5
	case $job in
	# the one with the torture wants CPUs that really run at once
	e2e) machine=(--mem 1024 --smp 4) ;;
	pressure) machine=(--mem 512 --single) ;;
	numa) machine=(--mem 512 --single --numa) ;;
	# clients on both, and an area for those of the kernel's own way
	contig) machine=(--mem 512 --smp 2 --append "slab_nomerge movablecore=32M transparent_hugepage=never") ;;
	esac
	say "$name: booting Linux $(cat "$(kernel_dir "$kernel")/release")"
	stage_new "$stage" "$job"
	# shellcheck disable=SC2086 # several they are
	stage_env "$stage" $var
	cp "$RUN/e2e-$kernel.modules/deps" "$RUN/e2e-$kernel.modules/"*.ko "$stage/modules/"
	cp "$RUN/e2e-$kernel.bin/"* "$stage/bin/"
	case $job in
	e2e | memguard) stage_dynamic "$stage" trace-cmd ;;
	esac
	[ "$job" != main ] || stage_record "$stage"
	[ "$job" != vm ] || cp -r "$TOP/scripts/vm" "$stage/data/"
	stage_pack "$stage"
	guest_run "$kernel" "$stage.cpio.gz" "$RUN/$name" "$limit" --append slab_nomerge "${machine[@]}"
	rm -f "$stage.cpio.gz"
	collect "$name" "$@"
	say "$name: ran in $(elapsed "$from") s"
}

# ---- all -------------------------------------------------------------------

# part_all: three lanes side by side, since a guest's work is mostly one CPU's
part_all()
{
	local names e2e static kunit
	need "${NEED_KERNEL_BUILD[@]}" "${NEED_RECORD[@]}" "${NEED_RESULTS[@]}" "${NEED_TESTS[@]}" \
		"${NEED_PACKAGE[@]}"
	kernel_get 6.12
	kernel_get 6.1
	mapfile -t names < <(suites)
	(
		part_e2e 6.12
		part_e2e 6.1
	) &
	e2e=$!
	(
		part_package
		part_static uml
	) &
	static=$!
	(
		part_uml "${names[@]}"
		part_vm
		part_kasan "${names[@]}"
	) &
	kunit=$!
	# shellcheck disable=SC2064 # the lanes of now
	trap "kill $e2e $static $kunit 2>/dev/null; exit 143" INT TERM
	wait "$kunit" || broken lane-kunit "the lane of uml and kasan ran to its end"
	wait "$static" || broken lane-static "the lane of package and static ran to its end"
	wait "$e2e" || broken lane-e2e "the lane of e2e ran to its end"
}

# ---- static ----------------------------------------------------------------

# cases NAME, case_run WHAT COMMAND..., cases_end: a document of commands; the
# output of one that fails is kept beside it
cases()
{
	CASES=$1
	CASES_N=0
	: >"$RUN/$CASES.body"
}

case_run()
{
	local what=$1 out=$RUN/$CASES.case
	shift
	CASES_N=$((CASES_N + 1))
	if ("$@") >"$out" 2>&1 </dev/null; then
		echo "ok $CASES_N $what" >>"$RUN/$CASES.body"
	else
		say "$CASES: $what FAILED"
		{
			sed 's/^/# /' "$out"
			echo "not ok $CASES_N $what"
		} >>"$RUN/$CASES.body"
	fi
	rm -f "$out"
}

cases_end()
{
	{
		echo "KTAP version 1"
		echo "1..$CASES_N"
		cat "$RUN/$CASES.body"
	} >"$RUN/$CASES.ktap"
	rm -f "$RUN/$CASES.body"
	add "$CASES"
}

# part_static [KERNEL]: KERNEL is checked too, even if it must be built first
part_static()
{
	local kernel from=$SECONDS kernels="6.12 6.1"
	need "${NEED_BUILD[@]}" "${NEED_TESTS[@]}"
	kernel_get 6.12
	kernel_get 6.1
	source_get
	# the suites are only built where there is KUnit
	if [ -n "${1:-}" ] || kernel_dir uml >/dev/null; then
		kernels="$kernels ${1:-uml}"
	fi
	cases static
	case_run "the log scanner knows good from bad" "$LIB/scanlog-test"
	for kernel in $kernels; do
		kernel_get "$kernel"
		say "static: W=1 and sparse for $kernel"
		case_run "W=1 build and sparse for $kernel" static_build "$kernel"
	done
	case_run "checkpatch --strict" static_checkpatch
	case_run "programs build without a warning" static_programs
	cases_end
	say "static: done in $(elapsed "$from") s"
	for kernel in "$TOP"/scripts/*-test; do
		[ -x "$kernel" ] || continue
		from=$SECONDS
		part_program "$(basename "$kernel")"
		say "static: $(basename "$kernel") ran in $(elapsed "$from") s"
	done
}

# part_program NAME: a script that prints KTAP by itself
part_program()
{
	local verdict=ok
	# <asm/...> for -m32, which only gcc-multilib would put into its path
	CC=$KCC C_INCLUDE_PATH=/usr/include/x86_64-linux-gnu timeout 300 "$TOP/scripts/$1" >"$RUN/$1.out" 2>"$RUN/$1.err" </dev/null || verdict=notok
	"$LIB/ktap" collect --case "$verdict:$1 exits 0" "$RUN/$1.out" >"$RUN/$1.ktap"
	add "$1"
}

# static_build KERNEL: all from the beginning, so that every warning shows;
# sparse's words on the kernel's own headers are not about us
static_build()
{
	local tree log=$RUN/static-$1.log
	tree=$BUILDS/static-$1
	rm -rf "$tree"
	tree_sync "$tree"
	kernel_make "$1" "$tree" UMA_TESTS=m W=1 C=2 CHECK=sparse modules >"$log" 2>&1 || {
		tail -n 30 "$log"
		return 1
	}
	! grep -A 4 -E "^($tree/|WARNING|.*: warning:.*\[-W)[^ ]*.*(warning|error|WARNING)" "$log"
}

# checkpatch's findings, but those that config/checkpatch.ignore explains
static_checkpatch()
{
	local src tree=$BUILDS/static-checkpatch found=0 line file type
	src=$(source_dir)
	tree_sync "$tree"
	cd "$tree" || return 1
	find . -name '*.[ch]' -printf '%P\n' | sort |
		xargs perl "$src/scripts/checkpatch.pl" "--root=$src" --strict --terse \
			--show-types --no-summary --file >checkpatch.out 2>&1 || :
	while read -r line; do
		file=${line%%:*} type=$(sed -n 's/^[^ ]* [A-Z]*:\([A-Z_]*\): .*/\1/p' <<<"$line")
		checkpatch_ignored "$file" "${type:-?}" && continue
		echo "$line"
		found=1
	done <checkpatch.out
	[ $found -eq 0 ]
}

checkpatch_ignored()
{
	local pattern type
	while read -r pattern type _; do
		# shellcheck disable=SC2053 # a pattern it is
		[[ $1 == $pattern && $2 == "$type" ]] && return 0
	done < <(grep -v '^#' "$TOP/scripts/config/checkpatch.ignore")
	return 1
}

static_programs()
{
	local dir=$RUN/static.programs
	mkdir -p "$dir"
	programs_make "$dir"
	make -C "$TOP" -n umastat >/dev/null
	rm -rf "$dir"
}
