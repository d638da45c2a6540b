# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# scripts/bench memguard: mistakes of each kind, and how many of them are caught
# by MemGuard and by KFENCE.  Sourced by scripts/bench.

DETECT_KINDS="read-after-free write-after-free late-write overflow overflow-page underflow double-free invalid-free"

# detect_guest NAME SIDE APPEND: rows in NAME.out
detect_guest()
{
	local name=$1 side=$2 append=$3 stage=$RUN/$1.initrd from=$SECONDS
	stage_new "$stage" detect
	stage_env "$stage" "SIDE=$side" "ROUNDS=$detect_rounds" "RATE=$detect_rate" \
		"KINDS=$detect_kinds" "RULES=/1 /100"
	cp "$RUN/6.12.modules/"* "$stage/modules/"
	stage_pack "$stage"
	say "$name: booting"
	guest_run 6.12 "$stage.cpio.gz" "$RUN/$name" 3600 --smp 2 --mem 1024 --append "slab_nomerge $append"
	rm -f "$stage.cpio.gz"
	if ! guest_ok "$RUN/$name"; then
		head -n 20 "$RUN/$name.findings" "$RUN/$name.out" >&2
		exit 1
	fi
	say "$name: done in $(elapsed "$from") s"
}

# detect_main ARGS...: --json, --rounds N, --rate N, --only KIND,...
detect_main()
{
	local json="" detect_rounds=1000 detect_rate=10000 detect_kinds=$DETECT_KINDS kind
	while [ $# -gt 0 ]; do
		case $1 in
		--json) json=--json ;;
		--rounds | --rate)
			[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 takes a number"
			[ "$1" = --rounds ] && detect_rounds=$2 || detect_rate=$2
			shift ;;
		--only)
			detect_kinds=${2//,/ }
			shift ;;
		*)
			usage >&2
			exit 2 ;;
		esac
		shift
	done
	for kind in $detect_kinds; do
		[[ " $DETECT_KINDS " == *" $kind "* ]] || die "no kind \"$kind\"; there are $DETECT_KINDS"
	done
	need "${NEED_BUILD[@]}" "${NEED_QEMU[@]}"
	kernel_get 6.12
	modules_into 6.12 "$RUN/6.12.modules" "$RUN/6.12-build.log"
	detect_guest memguard uma ""
	# its pool fills with what the kernel keeps; that does not make it pass over
	# the one place that we allocate at
	detect_guest kfence-100 kmem "kfence.sample_interval=100 kfence.skip_covered_thresh=100"
	detect_guest kfence-1 kmem "kfence.sample_interval=1 kfence.skip_covered_thresh=100"
	"$LIB/detect-table" $json "$RUN"/{memguard,kfence-100,kfence-1}.out
}
