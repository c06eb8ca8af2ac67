#!/bin/bash
# build.sh OUT [quick]: the Debian packages of the committed tree and a signed apt repository of them, in OUT.
# quick: compiled as `./dev build` does, so that ccache has it all: to test the packages, not to publish them.
# The key that signs is $PATCHBAY_ARCHIVE_KEY of the caller's gpg; without one, a key of its own is made in OUT.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "$1"
out=$(realpath "$1")
tree=$PWD source=$out/source quick=$([ "${2:-}" != quick ] || echo quick)
version=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)

signing_key() {
  [ -z "${PATCHBAY_ARCHIVE_KEY:-}" ] || return 0
  export GNUPGHOME=$out/key PATCHBAY_ARCHIVE_KEY=patchbay-archive
  [ ! -e "$GNUPGHOME" ] || return 0
  mkdir -m 700 "$GNUPGHOME"
  gpg --batch --quiet --passphrase '' --quick-generate-key "$PATCHBAY_ARCHIVE_KEY" ed25519 sign never
}

# A clean copy with debian/ where dpkg-buildpackage wants it.
prepare() {
  rm -rf "$source" "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
  mkdir -p "$source"
  git archive HEAD | tar -x -C "$source"
  cp -a "$source/packaging/debian" "$source/debian"
  python3 packaging/make_control.py "$source" "$source/debian/control"
  rm "$source/debian/control.in"
  gpg --batch --export "$PATCHBAY_ARCHIVE_KEY" >"$source/debian/patchbay-archive.gpg"
  [ ! -d build/deps ] || { mkdir "$source/build" && cp -a build/deps/ "$source/build/"; }
}

build() {
  # Its headers are in build/deps.
  [ -e /usr/include/valijson/validator.hpp ] || export DEB_BUILD_PROFILES=pkg.patchbay.unpacked
  unset CCACHE_BASEDIR CCACHE_NOHASHDIR
  if command -v ccache >/dev/null; then
    CCACHE_DIR=$(ccache --get-config cache_dir)
    export CCACHE_DIR CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  fi
  if [ "$quick" = quick ]; then
    # Paths become relative, which they are not without ccache: what is published does without these two.
    export CCACHE_BASEDIR=$source CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
    export DEB_CFLAGS_SET="-Wall -Wextra -Wpedantic -O1 -g" DEB_CPPFLAGS_SET='' DEB_BUILD_OPTIONS=noautodbgsym
    export DEB_CXXFLAGS_SET=$DEB_CFLAGS_SET PATCHBAY_CMAKE_OPTIONS="-DCMAKE_COMPILE_WARNING_AS_ERROR=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=OFF"
    export PATCHBAY_DEB_OPTIONS="-Zgzip -z1"
  fi
  cd "$source"
  export DEB_BUILD_OPTIONS="parallel=${PATCHBAY_JOBS:-$(nproc)}${DEB_BUILD_OPTIONS:+ $DEB_BUILD_OPTIONS}"
  dpkg-buildpackage --build=binary --no-sign >"$out/build.log" 2>&1 || { tail -30 "$out/build.log"; exit 1; }
  cd "$tree"
}

# Before they are published.
check() {
  local said
  said=$(lintian --allow-root --fail-on error,warning "$out"/*.changes 2>&1) || { echo "$said"; exit 1; }
  python3 "$tree/packaging/lint.py" "$out" "$source" ${quick:+"$quick"}
}

repository() {
  rm -rf "$out/repository"
  mkdir -p "$out/repository/pool/main" "$out/repository/pool/debug"
  find "$out" -maxdepth 1 -name '*-dbgsym_*.deb' -exec mv -t "$out/repository/pool/debug" {} +
  mv "$out"/*.deb "$out/repository/pool/main/"
  cp "$source/debian/patchbay-archive.gpg" "$out/repository/"
  packaging/index.sh "$out/repository"
}

{ # read as a whole, so that an edit of this file does not reach a build at work
  signing_key
  prepare
  build
  check
  repository
  echo "patchbay $version: $(find "$out/repository/pool/main" -name '*.deb' | wc -l) packages in $out/repository"
  exit
}
