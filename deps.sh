#!/bin/sh
# What Consil is built from. Called by the Makefile:
#
#   deps.sh check            is everything here? one line says what to do if not
#   deps.sh install [tests]  get what is missing (`tests`: also what tests need)
#
# Debian's packages come by apt, when this user may install (root, or sudo that
# asks nothing); otherwise the one command to run is printed.
#
# libsodium is newer than Debian 12's. Where pkg-config finds none that is new
# enough, Debian's own source package is fetched from the archive this machine
# already trusts, signatures checked by apt, and built as a static library into
# $DEPS_PREFIX. apt's configuration, lists and cache are not touched: all of it
# happens in a temporary directory. DEPS_DIR=dir takes a .dsc and its files
# from there instead, for machines without a network.
set -eu

: "${SODIUM_MIN:=1.0.22}" "${SODIUM_SUITE:=sid}"
: "${DEPS_PREFIX:=$PWD/build/deps}" "${DEPS_DIR:=}"

# One requirement a word; a|b takes the first that this Debian has.
BUILD_PACKAGES='build-essential pkg-config libnng-dev
    libmsgpack-c-dev|libmsgpack-dev liblmdb-dev libinih-dev libjansson-dev
    libcurl4-openssl-dev|libcurl4-gnutls-dev'
RUN_PACKAGES='dcmtk chafa'
TEST_PACKAGES='libcmocka-dev python3 python3-nacl git gzip clang
    libclang-rt-dev clang-format-14|clang-format openssl'

ARCHIVE_PACKAGES='orthanc orthanc-dicomweb'

# Our own make's settings are not meant for libsodium's.
unset MAKEFLAGS MFLAGS

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

available() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# The packages of these requirements that are still to be installed.
missing()
{
	for want in "$@"; do
		names=$(echo "$want" | tr '|' ' ')
		pick=
		for name in $names; do
			if installed "$name"; then continue 2; fi
			if [ -z "$pick" ] && available "$name"; then pick=$name; fi
		done
		echo "${pick:-${want##*|}}"
	done
}

# Run as root, or do not.
as_root()
{
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_packages()
{
	command -v apt-get >/dev/null ||
	    die "no apt-get here; install by hand what Debian calls: $*"
	[ -n "$(missing "$@")" ] || return 0
	if ! as_root true 2>/dev/null; then
		die "please run: sudo apt-get install" $(missing "$@")
	fi
	# First the lists: which alternative exists is known only with them.
	as_root apt-get update -q
	say "installing" $(missing "$@")
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy \
	    --no-install-recommends $(missing "$@")
}

# An imaging archive to fetch from, for one test, which skips without. Debian
# starts it as a service of the machine, which nobody asked for: not in a container
# (RUNLEVEL=1 tells invoke-rc.d), and where systemd runs it is left to the user.
install_archive()
{
	[ -n "$(missing $ARCHIVE_PACKAGES)" ] || return 0
	if [ -d /run/systemd/system ]; then
		say "for the test with Orthanc: apt-get install" $ARCHIVE_PACKAGES \
		    "(starts a service)"
		return 0
	fi
	as_root true 2>/dev/null || return 0
	as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qy \
	    --no-install-recommends $ARCHIVE_PACKAGES ||
	    say "no orthanc here: its test skips"
}

# ------------------------------------------------------------------ libsodium

sodium_is_here()
{
	pkg-config --atleast-version="$SODIUM_MIN" libsodium 2>/dev/null ||
	    PKG_CONFIG_LIBDIR="$DEPS_PREFIX/lib/pkgconfig" \
	    pkg-config --atleast-version="$SODIUM_MIN" libsodium 2>/dev/null
}

# apt-get with lists and cache of its own below $work.
apt_apart()
{
	apt-get -q -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" "$@"
}

# The address of the Debian archive that this machine uses. apt is asked rather
# than its files read: it knows both their formats, and it takes "Debian" from
# signed Release files, which no third party's entry can imitate.
archive_uri()
{
	"$1" indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
	    'Origin: Debian' 'Label: Debian' 'Component: main' | head -n 1
}

# Leave a checked .dsc and its files in the current directory.
fetch_sodium()
{
	# apt drops root for the transfer: its own user must get in here.
	chmod 755 "$work"
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial"

	uri=$(archive_uri apt-get)
	if [ -z "$uri" ]; then
		# No lists yet, as in a new container.
		apt_apart update
		uri=$(archive_uri apt_apart)
	fi
	[ -n "$uri" ] || die "apt knows no Debian archive here;" \
	    "put the source package of libsodium >= $SODIUM_MIN into a" \
	    "directory and run: make deps DEPS_DIR=that"

	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	{
		printf 'Types: deb-src\nURIs: %s\n' "$uri"
		printf 'Suites: %s\nComponents: main\n' "$SODIUM_SUITE"
		[ ! -f "$keyring" ] || printf 'Signed-By: %s\n' "$keyring"
	} >"$work/archive.sources"
	set -- -o Dir::Etc::sourcelist="$work/archive.sources" \
	    -o Dir::Etc::sourceparts=/dev/null
	apt_apart "$@" update
	# As the owner of this directory: the files are checked against the
	# signed index afterwards, whoever wrote them.
	apt_apart "$@" -o APT::Sandbox::User=root source --download-only libsodium
}

# Build the source package $1 and install it below $work/new.
make_sodium()
{
	# dpkg-source compares every file with the checksums in the .dsc.
	dpkg-source --no-copy -x "$1" "$work/src" &&
	    cd "$work/src" &&
	    ./configure --prefix="$DEPS_PREFIX" --disable-shared \
		--enable-static --disable-dependency-tracking \
		CFLAGS='-O2 -g -fPIE -ffunction-sections -fdata-sections' &&
	    make -j"$(nproc)" &&
	    make install DESTDIR="$work/new"
}

build_sodium()
{
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	if [ -n "$DEPS_DIR" ]; then
		cp "$DEPS_DIR"/libsodium_* "$work" ||
		    die "DEPS_DIR=$DEPS_DIR holds no libsodium source package"
	else
		say "fetching the source package of libsodium from Debian $SODIUM_SUITE"
		(cd "$work" && fetch_sodium)
	fi

	set -- "$work"/libsodium_*.dsc
	[ $# = 1 ] || die "more than one libsodium_*.dsc in $DEPS_DIR"
	say "building ${1##*/}"
	log=$work/log
	(make_sodium "$1") >"$log" 2>&1 ||
	    { tail -n 30 "$log" >&2; die "libsodium did not build"; }

	PKG_CONFIG_LIBDIR="$work/new$DEPS_PREFIX/lib/pkgconfig" \
	    pkg-config --atleast-version="$SODIUM_MIN" libsodium ||
	    die "that libsodium is older than $SODIUM_MIN"
	cp -R "$work/new$DEPS_PREFIX/." "$DEPS_PREFIX"
	say "libsodium is in $DEPS_PREFIX"
}

install_sodium()
{
	mkdir -p "$DEPS_PREFIX"
	# One at a time, when checkouts share the directory.
	exec 9>"$DEPS_PREFIX/lock"
	flock 9
	sodium_is_here || build_sodium
}

# ----------------------------------------------------------------------- main

check()
{
	for header in nng/nng.h msgpack.h lmdb.h ini.h curl/curl.h; do
		echo "#include <$header>" |
		    "${CC:-cc}" $(pkg-config --cflags msgpack-c 2>/dev/null) \
		    -fsyntax-only -xc - 2>/dev/null ||
		    die "<$header> is missing: run \`make deps\` first"
	done
	sodium_is_here ||
	    die "libsodium >= $SODIUM_MIN is missing: run \`make deps\` first"
}

case ${1:-} in
check)
	check
	;;
install)
	install_packages $BUILD_PACKAGES $RUN_PACKAGES \
	    $([ "${2:-}" != tests ] || echo "$TEST_PACKAGES")
	[ "${2:-}" != tests ] || install_archive
	install_sodium
	say "all here"
	;;
*)
	die "usage: deps.sh check | install [tests]"
	;;
esac
