# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Builds of this tree, each in a copy below the cache, so that the checkout
# stays clean and several kernels can be built for at once.  A copy is kept and
# brought up to date, and so is what was built in it.
# Sourced after common.sh and kernels.sh.

# One folder for each checkout: several may share the cache.
BUILDS=$CACHE/build/$(printf '%s' "$TOP" | sha256sum | cut -c1-12)

# tree_sync TO [FROM]: make TO a copy of the tree's sources, touching only what
# differs, and removing sources that are gone
tree_sync()
{
	local to=$1 from=${2:-$TOP} f

	mkdir -p "$to"
	(cd "$from" && find . -name '.?*' -prune -o -type f \
		\( -name '*.[chS]' -o -name Kbuild -o -name Makefile -o -name '*.mk' -o -name VERSION \
		-o -name dkms.conf -o -path './man/*' \) ! -name '*.mod.c' -print |
		sed 's:^\./::' | sort) >"$to/.sources.new"
	while read -r f; do
		cmp -s "$from/$f" "$to/$f" && continue
		mkdir -p "$to/$(dirname "$f")"
		cp "$from/$f" "$to/$f"
	done <"$to/.sources.new"
	if [ -e "$to/.sources" ]; then
		comm -23 "$to/.sources" "$to/.sources.new" | while read -r f; do
			rm -f "$to/$f" "$to/${f%.c}".{o,ko,mod,mod.c,mod.o}
		done
	fi
	mv "$to/.sources.new" "$to/.sources"
}

# kernel_make NAME TREE [ARGS...]: make in TREE for kernel NAME
kernel_make()
{
	local kdir tree=$2 arch
	kdir=$(kernel_dir "$1")
	arch=$(cat "$kdir/arch")
	shift 2
	make -C "$kdir/build" M="$tree" ARCH="$arch" CC="$KCC" HOSTCC="$KCC" \
		CONFIG_DEBUG_INFO_BTF_MODULES= "-j$JOBS" "$@"
}

# modules_build NAME LOG [SUITES]: uma.ko and kunit/ for kernel NAME, with W=1, in
# the folder that modules_tree names
modules_tree()
{
	echo "$BUILDS/$(basename "$(kernel_dir "$1")")"
}

modules_build()
{
	local tree
	tree=$(modules_tree "$1")
	tree_sync "$tree"
	work "modules for $1" "$2" kernel_make "$1" "$tree" UMA_TESTS=m W=1 "UMA_SUITES=${3:-}" modules
}

# modules_into NAME DIR LOG [SUITES]: build for kernel NAME and copy the modules to
# DIR; SUITES, "a b", are the only suites to build
modules_into()
{
	locked "build-$(basename "$BUILDS")-$1" modules_into_locked "$@"
}

modules_into_locked()
{
	modules_build "$1" "$3" "${4:-}" || return 1
	modules_copy "$(modules_tree "$1")" "$2"
}

# modules_copy TREE DIR: the modules built in TREE, without debug information,
# and in DIR/deps what each needs loaded before it
modules_copy()
{
	local ko
	mkdir -p "$2"
	for ko in "$1"/*.ko "$1"/kunit/*.ko; do
		[ -e "${ko%.ko}.mod.c" ] || continue
		strip --strip-debug -o "$2/${ko##*/}" "$ko"
	done
	(cd "$1" && grep -H 'MODULE_INFO(depends,' ./*.mod.c kunit/*.mod.c) |
		sed 's/^\(.*\/\)*\([a-z0-9_]*\)\.mod\.c:.*"\(.*\)".*/\2 \3/; s/,/ /g' >"$2/deps"
	[ -e "$2/uma.ko" ] || die "no uma.ko built in $1"
}

PROGRAM_FLAGS=(-O2 -Wall -Wextra -Werror -static -I"$TOP")

# programs_into DIR LOG: the static programs that run in a guest
programs_into()
{
	mkdir -p "$1"
	work "programs" "$2" programs_make "$1"
}

programs_make()
{
	local program
	umastat_make "$1/umastat"
	for program in vmsimctl vmmodel vmfuzz contigload; do
		$KCC "${PROGRAM_FLAGS[@]}" -o "$1/$program" "$TOP/scripts/$program.c"
	done
	$KCC "${PROGRAM_FLAGS[@]}" -o "$1/kmemops" "$TOP/scripts/kmemops.c"
	$KCC "${PROGRAM_FLAGS[@]}" -o "$1/netload" "$TOP/scripts/netload.c"
}

# umastat_make FILE [FLAGS...]
umastat_make()
{
	local out=$1
	shift
	$KCC "${PROGRAM_FLAGS[@]}" "$@" -o "$out" \
		"$TOP/scripts/umastat.c" "$TOP/scripts/umastat_stream.c"
}
