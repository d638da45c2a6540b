# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# scripts/bench contig and scripts/contig-map: contiguous memory under load.  Sourced
# by these two, after the other libraries.

# contig_guest NAME JOB LIMIT VARIABLES...: lines of the job in $RUN/NAME.out.
# ZONE_MOVABLE, of which the kernel takes a part for itself at boot, has about as many
# pages left as the pool.  Neither side has huge pages.
contig_guest()
{
	local name=$1 job=$2 limit=$3 stage=$RUN/$1.initrd from=$SECONDS
	shift 3
	stage_new "$stage" "$job"
	stage_env "$stage" "POOL=$contig_pool" "$@"
	cp "$RUN/6.12.modules/"* "$stage/modules/"
	cp "$RUN/bin/"* "$stage/bin/"
	stage_pack "$stage"
	say "$name: booting"
	guest_run 6.12 "$stage.cpio.gz" "$RUN/$name" "$limit" --smp 2 --mem $((512 + 8 * contig_pool)) \
		--append "movablecore=$((contig_pool + 16))M transparent_hugepage=never slab_nomerge"
	rm -f "$stage.cpio.gz"
	if ! guest_ok "$RUN/$name"; then
		head -n 20 "$RUN/$name.findings" >&2
		tail -n 5 "$RUN/$name.out" >&2
		exit 1
	fi
	say "$name: done in $(elapsed "$from") s"
}

contig_build()
{
	need "${NEED_BUILD[@]}" "${NEED_QEMU[@]}"
	kernel_get 6.12
	modules_into 6.12 "$RUN/6.12.modules" "$RUN/6.12-build.log" none
	programs_into "$RUN/bin" "$RUN/programs.log"
}

# contig_main ARGS...: scripts/bench contig
contig_main()
{
	local json="" plot="" tries=200 secs=60 old_secs=60 rate=16000 scenes=10 sizes
	local contig_pool=16
	while [ $# -gt 0 ]; do
		case $1 in
		--json) json=--json ;;
		--full)
			secs=7200
			old_secs=7200 ;;
		--quick)
			tries=10 secs=15 old_secs=8 scenes=1 ;;
		--tries | --rate | --pool)
			[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "$1 takes a number"
			case $1 in
			--tries) tries=$2 ;;
			--rate) rate=$2 ;;
			--pool) contig_pool=$2 ;;
			esac
			shift ;;
		--plot)
			[ -n "${2:-}" ] || die "--plot takes a file"
			plot=$2
			shift ;;
		--help | -h)
			usage
			exit 0 ;;
		*)
			usage >&2
			exit 2 ;;
		esac
		shift
	done
	[ $((contig_pool & (contig_pool - 1))) -eq 0 ] && [ "$contig_pool" -ge 16 ] ||
		die "--pool takes a power of two, 16 or more"
	sizes="64 256 1024"
	[ "$contig_pool" -le 16 ] || sizes+=" 4096"
	sizes+=" $((contig_pool * 256))"
	contig_build
	contig_guest contig contig $((300 + 5 * (2 * secs + old_secs))) "KIB=$sizes" "TRIES=$tries" \
		"SECS=$secs" "OLD_SECS=$old_secs" "RATE=$rate" "SCENES=$scenes"
	grep -E '^load:' "$RUN/contig.out" >&2 || :
	"$LIB/contig-table" $json ${plot:+--plot "$plot"} "$RUN/contig.out"
}
