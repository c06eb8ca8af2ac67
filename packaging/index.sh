#!/bin/bash
# index.sh REPOSITORY: lists the packages in its pool/ and signs the list with $PATCHBAY_ARCHIVE_KEY of the caller's gpg.
# The source file for apt names $PATCHBAY_ARCHIVE_URI, or the folder itself.
set -euo pipefail
cd "$1"
architecture=$(dpkg --print-architecture)
index=dists/bookworm/main/binary-$architecture
rm -rf dists
mkdir -p "$index/by-hash/SHA256"
apt-ftparchive packages pool >"$index/Packages"
gzip -9nk "$index/Packages"
xz -k "$index/Packages"
# By its hash, too, so that an update never meets half of a new index.
for file in "$index"/Packages*; do
  cp "$file" "$index/by-hash/SHA256/$(sha256sum "$file" | cut -d' ' -f1)"
done
release() { printf -- '-o APT::FTPArchive::Release::%s ' "$@"; }
# shellcheck disable=SC2046  # one word for each option
apt-ftparchive $(release Origin=patchbay Suite=bookworm Codename=bookworm Components=main \
  Architectures="$architecture" Acquire-By-Hash=yes) release dists/bookworm >Release
mv Release dists/bookworm/Release
sign() { gpg --batch --yes --local-user "$PATCHBAY_ARCHIVE_KEY" "$@" dists/bookworm/Release; }
sign --clearsign -o dists/bookworm/InRelease
sign --armor --detach-sign -o dists/bookworm/Release.gpg
cat >patchbay.sources <<TEXT
Types: deb
URIs: ${PATCHBAY_ARCHIVE_URI:-file:$PWD}
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/patchbay-archive.gpg
TEXT
