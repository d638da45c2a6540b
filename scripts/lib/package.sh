# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Packaging: the tree built, installed, used and removed as its users do it, in
# copies and below folders of our own; and what they read, the manual pages.
# Sourced after parts.sh.

# dkms, depmod and modprobe are there for every user, if not in everyone's path
PATH=$PATH:/usr/sbin:/sbin

PACKAGE_KERNELS="6.12 6.1"

# part_package: everything of this part, in cases
part_package()
{
	local kernel from=$SECONDS
	need "${NEED_PACKAGE[@]}"
	cases package
	case_run "one version everywhere" package_version
	case_run "manual pages: mandoc -T lint -W style" package_lint
	case_run "manual pages: every function, flag, parameter and option" package_named
	case_run "README and uma.9 show the example as it is" package_readme
	for kernel in $PACKAGE_KERNELS; do
		kernel_get "$kernel"
		say "package: make, make install and dkms for $kernel"
		case_run "make and make install for $kernel" package_install "$kernel"
		case_run "a consumer in two lines for $kernel" package_consumer "$kernel"
		case_run "every installed header by itself for $kernel" package_headers "$kernel"
		case_run "make uninstall for $kernel" package_uninstall "$kernel"
		case_run "make clean for $kernel" package_clean "$kernel"
		case_run "dkms add, build, install, status, remove for $kernel" package_dkms "$kernel"
	done
	cases_end
	say "package: done in $(elapsed "$from") s"
}

package_release()
{
	sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' "$(kernel_dir "$1")/build/include/generated/utsrelease.h"
}

# ---- make ------------------------------------------------------------------

package_tree()
{
	echo "$BUILDS/package-$1"
}

# package_make KERNEL TREE ARGS...: make there as a user would, without W=1
package_make()
{
	local kdir tree=$2
	kdir=$(kernel_dir "$1")/build
	shift 2
	make -C "$tree" "-j$JOBS" CC="$KCC" "KDIR=$kdir" "$@"
}

# package_alone KERNEL COMMAND...: nobody else is at work in KERNEL's tree; two
# lanes install from it
package_alone()
{
	local kernel=$1
	shift
	locked "package-$(basename "$BUILDS")-$kernel" "$@"
}

# installed_into KERNEL DEST: make install for KERNEL below the folder DEST
installed_into()
{
	package_alone "$1" installed_into_locked "$@"
}

installed_into_locked()
{
	local tree
	tree=$(package_tree "$1")
	tree_sync "$tree"
	rm -rf "$2"
	package_make "$1" "$tree" all && package_make "$1" "$tree" install "DESTDIR=$2"
}

# examples_into KERNEL DIR: the consumers of examples/, built against an installed tree
# and put in DIR with the modules that a guest loads
examples_into()
{
	local dest=$RUN/examples-$1 name
	installed_into "$1" "$dest" || return 1
	for name in demo ring; do
		consumer_make "$1" "$TOP/examples/$name" "$dest" modules &&
			cp "$dest.$name/$name.ko" "$2/" && echo "$name uma" >>"$2/deps" || return 1
		rm -rf "$dest.$name"
	done
	rm -rf "$dest"
}

# consumer_make KERNEL SOURCE DEST GOAL...: a copy of SOURCE in DEST.NAME, away
# from this tree, made against what is installed below DEST
consumer_make()
{
	local kernel=$1 dest=$3 copy
	copy=$dest.$(basename "$2")
	mkdir -p "$copy"
	cp "$2"/* "$copy/"
	shift 3
	make -C "$(kernel_dir "$kernel")/build" "M=$copy" "DESTDIR=$dest" "INSTALL_MOD_PATH=$dest" \
		CONFIG_MODULE_SIG_ALL= "$@"
}

# quiet LOG COMMAND...: COMMAND succeeds and warns of nothing but of what the
# unpacked headers lack
quiet()
{
	local log=$1 rc=0
	shift
	"$@" >"$log" 2>&1 || rc=$?
	cat "$log"
	[ "$rc" -eq 0 ] && ! warnings "$log"
}

# warnings LOG: there are some, besides the one that every Debian kernel gives
warnings()
{
	grep -i -E '(warning|error): ' "$1" | grep -v "missing 'System.map' file. Skipping depmod" | grep .
}

# below DIR: the files and links there
below()
{
	(cd "$1" && find . ! -type d | sort)
}

# what make install leaves, $1 being the kernel's release; the other names of
# the manual pages are package_named's
package_list()
{
	cat <<-END
	./lib/modules/$1/updates/uma.ko
	./usr/local/bin/umastat
	./usr/local/bin/vmsimctl
	./usr/local/include/uma/uma_stream.h
	./usr/local/include/uma/vmsim_ctl.h
	./usr/local/lib/uma/$1/Module.symvers
	./usr/local/lib/uma/include/uma/mbuf.h
	./usr/local/lib/uma/include/uma/uma.h
	./usr/local/lib/uma/include/uma/uma_stream.h
	./usr/local/lib/uma/include/vmsim/contig.h
	./usr/local/lib/uma/uma.mk
	./usr/local/share/man/man4/vmsim.4
	./usr/local/share/man/man8/umastat.8
	./usr/local/share/man/man8/vmsimctl.8
	./usr/local/share/man/man9/bsd_malloc.9
	./usr/local/share/man/man9/contigmalloc.9
	./usr/local/share/man/man9/m_getcl.9
	./usr/local/share/man/man9/mbuf.9
	./usr/local/share/man/man9/memguard.9
	./usr/local/share/man/man9/uma.9
	./usr/local/share/man/man9/uma_malloc.9
	./usr/local/share/man/man9/uma_zalloc.9
	END
}

package_install()
{
	local dest=$RUN/package-$1 rel
	rel=$(package_release "$1")
	quiet "$dest.log" installed_into "$1" "$dest" || return 1
	# some kernels' modules are compressed
	below "$dest" | sed 's:\.ko\.xz$:.ko:' >"$dest.list"
	package_list "$rel" | sort | comm -23 - "$dest.list" | sed 's/^/not installed: /' | grep . && return 1
	package_list "$rel" | sort | comm -13 - "$dest.list" | grep -v '/man/man9/' |
		sed 's/^/not expected: /' | grep . && return 1
	package_modinfo "$rel" "$(echo "$dest/lib/modules/$rel/updates/uma.ko"*)" || return 1
	# umastat is no script that finds its tree by luck
	(cd / && "$dest/usr/local/bin/umastat" --version) || return 1
	echo '#include <uma/uma_stream.h>' | $KCC -Wall -Werror -I "$dest/usr/local/include" -fsyntax-only -x c -
}

# package_modinfo RELEASE FILE: its version and its kernel
package_modinfo()
{
	modinfo "$2"
	[ "$(modinfo -F version "$2")" = "$(cat "$TOP/VERSION")" ] &&
		[ "$(modinfo -F vermagic "$2" | cut -d' ' -f1)" = "$1" ]
}

package_consumer()
{
	local dest=$RUN/package-$1 rel
	rel=$(package_release "$1")
	# two lines, but for comments
	[ "$(grep -c '^[^#]' "$TOP/examples/demo/Kbuild")" -eq 2 ] || return 1
	quiet "$dest.log" consumer_make "$1" "$TOP/examples/ring" "$dest" modules &&
		quiet "$dest.log" consumer_make "$1" "$TOP/examples/demo" "$dest" modules &&
		quiet "$dest.log" consumer_make "$1" "$TOP/examples/demo" "$dest" modules_install || return 1
	# it finds uma.ko where the two were installed
	depmod -b "$dest" "$rel" && modprobe -d "$dest" -S "$rel" --show-depends demo >"$dest.depends" || return 1
	cat "$dest.depends"
	sed 's:.*/\([a-z]*\)\.ko.*:\1:' "$dest.depends" | xargs | grep -qx 'uma demo'
}

# package_headers KERNEL: a source for each that includes nothing else
package_headers()
{
	local dest=$RUN/package-$1 dir=$RUN/package-$1.sources header name objects=""
	rm -rf "$dir"
	mkdir -p "$dir"
	for header in "$dest"/usr/local/lib/uma/include/*/*.h; do
		name=$(basename "$header" .h)
		objects="$objects with_$name.o"
		header=$(basename "$(dirname "$header")")/$name.h
		printf '#include "%s"\n#include "%s"\n' "$header" "$header" >"$dir/with_$name.c"
	done
	# shellcheck disable=SC2016 # make's variable, not the shell's
	printf 'obj-m := headers.o\nheaders-y := main.o%s\n%s\n' "$objects" \
		'include $(DESTDIR)/usr/local/lib/uma/uma.mk' >"$dir/Kbuild"
	printf '#include <linux/module.h>\nMODULE_DESCRIPTION("headers");\nMODULE_LICENSE("GPL");\n' >"$dir/main.c"
	[ -n "$objects" ] && quiet "$dest.log" consumer_make "$1" "$dir" "$dest" modules
}

# package_uninstall KERNEL: nothing of ours is left, and the consumer's file is
package_uninstall()
{
	local dest=$RUN/package-$1
	rm -f "$dest/lib/modules"/*/modules.*
	package_alone "$1" package_make "$1" "$(package_tree "$1")" uninstall "DESTDIR=$dest" || return 1
	below "$dest" | grep -v '/demo\.ko' | grep . && return 1
	below "$dest" | grep -q '/demo\.ko' && [ ! -e "$dest/usr/local/lib/uma" ]
}

# package_clean KERNEL: a tree that was built in is as it was unpacked
package_clean()
{
	local tree=$RUN/package-$1.clean
	package_alone "$1" cp -a "$(package_tree "$1")" "$tree" || return 1
	package_make "$1" "$tree" clean || return 1
	(cd "$tree" && find . -type f ! -name .sources | sed 's:^\./::' | sort | diff .sources -)
}

# ---- dkms ------------------------------------------------------------------

# dkms_ KERNEL ACTION...: dkms with trees of its own.  It makes no index of
# modules, and does not sign, for which it would make itself a key in /var/lib.
dkms_()
{
	local dir=$RUN/package-$1.dkms rel kdir
	rel=$(package_release "$1")
	kdir=$(kernel_dir "$1")/build
	shift
	echo "+ dkms $*"
	as_root env PATH="$PATH" sign_file=/nowhere dkms "$@" -k "$rel" -a x86_64 --kernelsourcedir "$kdir" --no-depmod \
		--dkmstree "$dir/tree" --sourcetree "$dir/src" --installtree "$dir/modules"
}

# dkms_status KERNEL WANTED: what dkms says of uma
dkms_status()
{
	local line
	line=$(dkms_ "$1" status -m uma | tail -n 1)
	echo "$line"
	[[ $line == "uma/$(cat "$TOP/VERSION")"*": $2" ]]
}

# where dkms would go on this machine, and must not
dkms_host()
{
	find /lib/modules /usr/src /var/lib/dkms /boot /etc/dkms /etc/modprobe.d -newer "$1" 2>/dev/null | sort
}

package_dkms()
{
	local dir=$RUN/package-$1.dkms rel name bad=0
	rel=$(package_release "$1")
	name=uma/$(cat "$TOP/VERSION")
	mkdir -p "$dir"/{tree,src,source} "$dir/modules/$rel"
	(cd "$TOP" && find . -name '.?*' -prune -o -type f -print | grep -v -x -f <(package_built) | tar -c -T -) |
		tar -x -C "$dir/source" || return 1
	: >"$dir/stamp"
	dkms_cycle "$1" "$dir" "$name" "$rel" || bad=1
	dkms_host "$dir/stamp" | sed 's/^/touched on this machine: /' | grep . && bad=1
	as_root rm -rf "$dir"
	return $bad
}

# expressions for what make leaves in a tree
package_built()
{
	printf '%s\n' '.*\.o' '.*\.ko' '.*\.mod' '.*\.mod\.c' '.*/Module\.symvers' '.*/modules\.order' './umastat' './vmsimctl'
}

dkms_cycle()
{
	local kernel=$1 dir=$2 name=$3 rel=$4 ko
	dkms_ "$kernel" add "$dir/source" && dkms_status "$kernel" added || return 1
	dkms_ "$kernel" build "$name" || {
		tail -n 30 "$dir"/tree/uma/*/build/make.log
		return 1
	}
	dkms_status "$kernel" built || return 1
	! warnings "$(echo "$dir"/tree/uma/*/"$rel"/x86_64/log/make.log)" || return 1
	dkms_ "$kernel" install "$name" && dkms_status "$kernel" installed || return 1
	ko=$(find "$dir/modules" -name 'uma.ko*')
	[ "$(wc -w <<<"$ko")" -eq 1 ] && package_modinfo "$rel" "$ko" || return 1
	dkms_ "$kernel" remove "$name" || return 1
	! find "$dir/modules" "$dir/tree" -name 'uma*' ! -type d | grep . &&
		! dkms_ "$kernel" status -m uma | grep -v '^+' | grep .
}

# ---- what is written -------------------------------------------------------

package_version()
{
	local version page
	version=$(cat "$TOP/VERSION")
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "VERSION: $version"; return 1; }
	grep -x "PACKAGE_VERSION=\"$version\"" "$TOP/dkms.conf" || { echo "dkms.conf differs"; return 1; }
	for page in "$TOP"/man/*.[0-9]; do
		grep -x "\.Os uma.ko $version" "$page" || { echo "$page differs"; return 1; }
	done
	# the module's own is read in package_install and package_dkms
	grep -q 'MODULE_VERSION(UMA_VERSION)' "$TOP/module.c"
}

package_lint()
{
	local page ours=$RUN/package.man bad=0
	# so that they find each other
	for page in "$TOP"/man/*.[0-9]; do
		mkdir -p "$ours/man${page##*.}"
		cp "$page" "$ours/man${page##*.}/"
	done
	MANPATH=$ours mandoc -T lint -W style "$TOP"/man/*.[0-9] || bad=1
	rm -rf "$ours"
	return $bad
}

# names_of PAGE...: what its NAME section calls it
names_of()
{
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([a-zA-Z0-9_]*\).*/\1/p' "$@" | sort -u
}

# package_named: exported functions and the inline ones of public headers are
# names of pages, their macros are in pages, and so are the module's parameters
# and umastat's options
package_named()
{
	local headers name option missing=0
	mapfile -t headers < <(package_public)
	names_of "$TOP"/man/*.9 >"$RUN/package.names"
	for name in $(package_functions "${headers[@]}"); do
		grep -qx "$name" "$RUN/package.names" || { echo "no manual page is named $name"; missing=1; }
	done
	# and nothing that is not there
	for name in $(cat "$RUN/package.names"); do
		grep -qw "$name" "${headers[@]}" || [ -e "$TOP/man/$name.9" ] ||
			{ echo "a manual page is named $name, which no header has"; missing=1; }
	done
	# MALLOC_TYPE_*: what the allocator has in a field of its own
	for name in $(sed -n 's/^#define[ \t]*\([A-Z]*_[A-Z0-9_]*\)[ \t(].*/\1/p' "${headers[@]}" |
		grep -v '^MALLOC_TYPE_'); do
		grep -qw "$name" "$TOP"/man/*.9 || { echo "no manual page tells of $name"; missing=1; }
	done
	for name in $(sed -n 's/^module_param\(_cb\|_named\|\)(\([a-z_]*\),.*/\2/p' "$TOP"/{uma,memguard,vmsim}/*.c); do
		grep -qw "Va $name" "$TOP"/man/*.[49] || { echo "no manual page tells of the parameter $name"; missing=1; }
	done
	mandoc -T ascii "$TOP/man/umastat.8" | sed 's:.\x08::g' >"$RUN/package.umastat"
	for option in $(sed -n 's/^\t\t{ "\([a-z-]*\)", .*/--\1/p' "$TOP/scripts/umastat.c"); do
		grep -q -w -e "$option" "$RUN/package.umastat" || { echo "umastat.8 does not tell of $option"; missing=1; }
	done
	# and vmsimctl's options and commands
	mandoc -T ascii "$TOP/man/vmsimctl.8" | sed 's:.\x08::g' >"$RUN/package.vmsimctl"
	for option in $(sed -n 's/^\t\t{ "\([a-z-]*\)", .*/--\1/p; s/^\t{ "\([a-z-]*\)", [0-9], .*/\1/p' "$TOP/scripts/vmsimctl.c"); do
		grep -q -w -e "$option" "$RUN/package.vmsimctl" || { echo "vmsimctl.8 does not tell of $option"; missing=1; }
	done
	# and the VM's calls, files and events
	for name in $(package_vm); do
		grep -qw -e "$name" "$TOP/man/vmsim.4" || { echo "vmsim.4 does not tell of $name"; missing=1; }
	done
	[ "$(package_vm | wc -l)" -gt 20 ] || { echo "too little of the VM is found"; missing=1; }
	[ "$(wc -l <"$RUN/package.names")" -gt 20 ] && [ -n "${option:-}" ] && [ $missing -eq 0 ]
}

# package_vm: ioctls and their structures, files in debugfs, tracepoints
package_vm()
{
	sed -n 's/^#define[ \t]*\(VMSIM_[A-Z]*\)[ \t]*_IO.*/\1/p; s/^\(struct\|enum\) \([a-z_]*\) {/\2/p' "$TOP/vmsim/vmsim_ctl.h"
	sed -n 's/.*debugfs_create_[a-z]*("\([a-z._]*\)".*/\1/p' "$TOP"/vmsim/*.c
	sed -n 's/^TRACE_EVENT(\([a-z_]*\),.*/\1/p; s/^DEFINE_EVENT([a-z_]*, \([a-z_]*\),.*/\1/p' "$TOP/vmsim/trace.h"
}

# package_public: the headers for other modules, as the Makefile installs them
package_public()
{
	sed -n 's/^kernel-headers := //p' "$TOP/Makefile" | xargs -n 1 printf "$TOP/%s\n"
}

# package_functions HEADER...: the ones that consumers call.  __name is what an
# inline function of that name calls.
package_functions()
{
	{
		sed -n 's/^EXPORT_SYMBOL_GPL(\([a-z0-9_]*\));/\1/p' "$TOP"/uma/*.c "$TOP"/vmsim/*.c | while read -r name; do
			! grep -qw "$name" "$@" || echo "${name#__}"
		done
		sed -n 's/^static inline .*[ *]\([a-z0-9_]*\)(.*/\1/p' "$@"
	} | sort -u
}

# shows FILE WHAT: the text WHAT is in FILE as it is
shows()
{
	perl -0777 -e 'open(A, "<", $ARGV[0]); open(B, "<", $ARGV[1]); exit(index(<A>, <B>) < 0)' "$1" "$2"
}

# README shows examples/demo, indented, its build file without the comment; the
# manual page does, too, without what is a comment
package_readme()
{
	local file bad=0
	for file in Kbuild demo.c; do
		grep -v '^# SPDX' "$TOP/examples/demo/$file" | sed 's/^\(.\)/    \1/' >"$RUN/package.$file"
		shows "$TOP/README.md" "$RUN/package.$file" || { echo "README.md does not show examples/demo/$file"; bad=1; }
		grep -v 'SPDX' "$TOP/examples/demo/$file" >"$RUN/package.$file"
		shows "$TOP/man/uma.9" "$RUN/package.$file" || { echo "uma.9 does not show examples/demo/$file"; bad=1; }
	done
	return $bad
}
