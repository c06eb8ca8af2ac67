#!/bin/bash
# index.sh REPOSITORY: lists the packages in its pool/main and pool/debug and signs the list with $PATCHBAY_ARCHIVE_KEY of
# the caller's gpg. Debug symbols are a component of their own, so that only who asks for them sees them.
# The source file for apt names $PATCHBAY_ARCHIVE_URI, or the folder itself.
set -euo pipefail
cd "$1"
architecture=$(dpkg --print-architecture)
rm -rf dists
for component in main debug; do
  index=dists/bookworm/$component/binary-$architecture
  mkdir -p "$index/by-hash/SHA256" "pool/$component"
  apt-ftparchive packages "pool/$component" >"$index/Packages"
  gzip -9nk "$index/Packages"
  xz -k "$index/Packages"
  # By its hash, too, so that an update never meets half of a new index.
  for file in "$index"/Packages*; do
    cp "$file" "$index/by-hash/SHA256/$(sha256sum "$file" | cut -d' ' -f1)"
  done
done
release() { printf -- '-o APT::FTPArchive::Release::%s ' "$@"; }
# shellcheck disable=SC2046  # one word for each option
apt-ftparchive $(release Origin=patchbay Suite=bookworm Codename=bookworm Architectures="$architecture" Acquire-By-Hash=yes) \
  -o APT::FTPArchive::Release::Components='main debug' release dists/bookworm >Release
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
