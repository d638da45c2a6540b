# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The kernels that we build against and boot, kept in the cache.  Each is a
# folder $CACHE/kernels/NAME-VERSION[-HASH]/ with
#
#	image	what QEMU boots, or the User Mode Linux program
#	build	what `make -C` takes to build a module
#	arch	x86_64 or um
#	release	`uname -r`
#	ready	there when all of the above is whole
#
# Debian's own (6.1, 6.12) are its packages unpacked, never installed: the
# headers' packages would pull an image into /boot.  The others are built from
# Debian's linux-source-6.12, each as config/NAME.config says: `debug` with
# every checker but the one of data races, `kcsan` with that one, `uml` for User
# Mode Linux; HASH is that of configuration, source version and compiler.
# Sourced after common.sh.

# kernel_dir NAME: the finished kernel's folder, the newest one
kernel_dir()
{
	local found
	case $1 in
	6.1 | 6.12) found=$(find "$CACHE/kernels" -maxdepth 2 -path "*/debian-$1.*/ready" | sort -V | tail -n 1) ;;
	*)
		[ -e "$TOP/scripts/config/$1.config" ] || die "no such kernel: $1"
		found=$CACHE/kernels/$1-$(config_key "$1")/ready ;;
	esac
	[ -n "$found" ] && [ -e "$found" ] || return 1
	dirname "$found"
}

# kernel_get NAME: make it if it is not there; afterwards kernel_dir finds it
kernel_get()
{
	kernel_dir "$1" >/dev/null && return 0
	case $1 in
	6.1 | 6.12) locked "kernel-$1" debian_kernel "$1" ;;
	*) locked "kernel-$1" built_kernel "$1" ;;
	esac
	kernel_dir "$1" >/dev/null || die "kernel $1 did not get ready"
}

# ---- Debian's own ----------------------------------------------------------

# debian_release SERIES: the newest release of which image and headers exist
debian_release()
{
	local series=${1//./\\.}
	comm -12 \
		<(apt-cache pkgnames "linux-image-$1." |
			sed -n "s/^linux-image-\($series\.[0-9.+deb-]*-amd64\)\$/\1/p" | sort) \
		<(apt-cache pkgnames "linux-headers-$1." |
			sed -n "s/^linux-headers-\($series\.[0-9.+deb-]*-amd64\)\$/\1/p" | sort) |
		sort -V | tail -n 1
}

# debs_get DIR PACKAGE...: download packages, tried again with fresh lists
debs_get()
{
	local dir=$1
	shift
	mkdir -p "$dir"
	(
		cd "$dir" || exit 1
		apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User=root download "$@"
	)
}

debian_kernel()
{
	local series=$1 rel dir tmp log deb pkgs

	kernel_dir "$series" >/dev/null && return 0
	log=$CACHE/kernels/debian-$series.log
	rel=$(debian_release "$series")
	if [ -z "$rel" ]; then
		apt_update
		rel=$(debian_release "$series")
	fi
	[ -n "$rel" ] || die "apt knows no linux-image-$series.*-amd64: are Debian 12's" \
		"bookworm and bookworm-security in the apt sources?"

	dir=$CACHE/kernels/debian-$rel
	tmp=$CACHE/kernels/.tmp-$rel
	rm -rf "$tmp" "$dir"
	mapfile -t pkgs < <(apt-cache depends "linux-headers-$rel" |
		sed -n 's/^ *Depends: \(linux-\(headers\|kbuild\)-.*\)/\1/p')
	pkgs+=("linux-headers-$rel" "linux-image-$rel")
	if ! work "downloading Linux $rel (image, headers)" "$log" debs_get "$tmp/debs" "${pkgs[@]}"; then
		apt_update again
		rel=$(debian_release "$series")
		work "downloading Linux $rel again" "$log" debs_get "$tmp/debs" "${pkgs[@]}"
	fi
	for deb in "$tmp"/debs/*.deb; do
		mkdir -p "$tmp/root"
		case $deb in
		*/linux-image-*)
			# the modules are 400 MB that no guest needs
			dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp/root" ./boot ;;
		*)
			dpkg-deb -x "$deb" "$tmp/root" ;;
		esac
	done
	rm -rf "$tmp/debs"

	# The headers' Makefile names the common part by an absolute path; and
	# with vmlinux gone, BTF (and pahole) is not wanted for our modules.
	sed -i 's:/usr/src/:../:' "$tmp/root/usr/src/linux-headers-$rel/Makefile"
	rm -f "$tmp/root/usr/src/linux-headers-$rel/vmlinux"
	ln -s "root/usr/src/linux-headers-$rel" "$tmp/build"
	ln -s "root/boot/vmlinuz-$rel" "$tmp/image"
	echo "$rel" >"$tmp/release"
	echo x86_64 >"$tmp/arch"
	[ -s "$tmp/image" ] && [ -s "$tmp/build/Makefile" ] ||
		die "Linux $rel unpacked into $tmp lacks image or headers"
	: >"$tmp/ready"
	mv "$tmp" "$dir"
}

# ---- built from Debian's source -------------------------------------------

# source_version: of linux-source-6.12: what is in the cache already, else
# what is installed, else what apt offers
source_version()
{
	local v
	v=$(find "$CACHE/source" -maxdepth 2 -path '*/linux-6.12.*/.ready' 2>/dev/null | sort -V | tail -n 1)
	if [ -n "$v" ]; then
		v=$(dirname "$v")
		echo "${v##*/linux-}"
		return
	fi
	if [ -e /usr/src/linux-source-6.12.tar.xz ]; then
		v=$(dpkg-query -W -f '${Version}' linux-source-6.12 2>/dev/null || :)
	fi
	[ -n "$v" ] || v=$(apt-cache policy linux-source-6.12 | sed -n 's/^ *Candidate: *\([0-9].*\)/\1/p')
	if [ -z "$v" ]; then
		apt_update
		v=$(apt-cache policy linux-source-6.12 | sed -n 's/^ *Candidate: *\([0-9].*\)/\1/p')
	fi
	[ -n "$v" ] || die "apt knows no linux-source-6.12: is bookworm-security in the apt sources?"
	echo "$v"
}

source_dir()
{
	echo "$CACHE/source/linux-$(source_version)"
}

# source_get: the unpacked source (for kernels, checkpatch.pl and kunit.py)
source_get()
{
	[ -e "$(source_dir)/.ready" ] || locked source source_unpack
}

source_unpack()
{
	local dir tar=/usr/src/linux-source-6.12.tar.xz
	dir=$(source_dir)
	[ ! -e "$dir/.ready" ] || return 0
	mkdir -p "$CACHE/source"
	rm -rf "$dir" "$dir".tmp
	need xz:xz-utils
	if [ ! -e "$tar" ]; then
		if ! work "downloading linux-source-6.12" "$CACHE/source/log" \
			debs_get "$dir.tmp/debs" linux-source-6.12; then
			apt_update again
			work "downloading linux-source-6.12 again" "$CACHE/source/log" \
				debs_get "$dir.tmp/debs" linux-source-6.12
		fi
		dpkg-deb -x "$dir".tmp/debs/linux-source-6.12_*.deb "$dir.tmp/pkg"
		tar=$dir.tmp/pkg/usr/src/linux-source-6.12.tar.xz
	fi
	mkdir -p "$dir.tmp/tree"
	work "unpacking linux-source-6.12" "$CACHE/source/log" \
		tar -xJf "$tar" -C "$dir.tmp/tree" --strip-components=1 \
		--exclude='*/drivers/gpu/drm/amd/include/*' \
		--exclude='*/drivers/net/*/*/*.[ch]' --exclude='*/Documentation/*/*' \
		--exclude='*/tools/perf' --exclude='*/tools/testing/selftests' \
		--exclude='*/arch/*/boot/dts/*'
	: >"$dir.tmp/tree/.ready"
	mv "$dir.tmp/tree" "$dir"
	rm -rf "$dir.tmp"
}

# config_fragment NAME: its configuration; one that begins with `# base: OTHER`
# stands on OTHER's, less the lines for which it has others
config_fragment()
{
	local file=$TOP/scripts/config/$1.config base
	base=$(sed -n '1s/^# base: //p' "$file")
	[ -z "$base" ] || awk '
		{ sym = $0; sub(/^# /, "", sym); sub(/(=| is not set).*/, "", sym) }
		NR == FNR { own[sym]; next }
		sym !~ /^CONFIG_/ || !(sym in own)' "$file" "$TOP/scripts/config/$base.config"
	cat "$file"
}

config_key()
{
	local v
	v=$(source_version)
	echo "$v-$({ config_fragment "$1"; echo "$v"; $KCC -dumpfullversion 2>/dev/null || echo 12; } |
		sha256sum | cut -c1-12)"
}

# config_holds FRAGMENT CONFIG: every line of FRAGMENT is true of CONFIG
config_holds()
{
	local line bad=0
	while read -r line; do
		case $line in
		CONFIG_*=*)
			grep -qxF "$line" "$2" || { echo "config: wanted $line"; bad=1; } ;;
		'# CONFIG_'*' is not set')
			! grep -q "^${line:2:$((${#line} - 13))}=" "$2" || { echo "config: wanted $line"; bad=1; } ;;
		esac
	done <"$1"
	return $bad
}

built_kernel()
{
	local name=$1 dir src frag make
	local arch=x86_64 image=arch/x86/boot/bzImage hint="about 5 minutes on 2 cores"

	kernel_dir "$name" >/dev/null && return 0
	need "${NEED_KERNEL_BUILD[@]}"
	source_get
	src=$(source_dir)
	dir=$CACHE/kernels/$name-$(config_key "$name")
	if [ "$name" = uml ]; then
		arch=um image=linux hint="1 to 2 minutes on 2 cores"
	fi
	mkdir -p "$dir/build"
	frag=$dir/fragment
	config_fragment "$name" >"$frag"
	make=(make -C "$src" "O=$dir/build" "ARCH=$arch" "CC=$KCC" "HOSTCC=$KCC"
		KBUILD_BUILD_USER=uma KBUILD_BUILD_HOST=uma "-j$JOBS")

	work "$name kernel: configuring" "$dir/config.log" \
		kernel_configure "$frag" "$dir/build" "${make[@]}"
	work "$name kernel: building, $hint" "$dir/build.log" "${make[@]}" "${image##*/}"
	work "$name kernel: ready for modules" "$dir/modules.log" "${make[@]}" modules_prepare
	cp "$dir/build/vmlinux.symvers" "$dir/build/Module.symvers"
	cp "$dir/build/$image" "$dir/image"
	cat "$dir/build/include/config/kernel.release" >"$dir/release"
	echo "$arch" >"$dir/arch"
	: >"$dir/ready"
}

# kernel_configure FRAGMENT BUILD MAKE...: tinyconfig, then the fragment
kernel_configure()
{
	local frag=$1 build=$2
	shift 2
	"$@" tinyconfig
	cat "$frag" >>"$build/.config"
	"$@" olddefconfig
	config_holds "$frag" "$build/.config"
}
