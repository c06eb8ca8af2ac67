#!/bin/bash
# reproduce.sh OUT: builds what build.sh left in OUT once more, in another folder, at another time, in another time zone,
# with another umask and language, with one job and without ccache: every package must come out the same, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath "$1")
again=$(mktemp -d "${TMPDIR:-/tmp}/patchbay-once-more-XXXXXX")
trap 'rm -rf "$again"' EXIT
if [ -z "${PATCHBAY_ARCHIVE_KEY:-}" ]; then
  export GNUPGHOME=$out/key PATCHBAY_ARCHIVE_KEY=patchbay-archive
fi
(umask 027 && CCACHE_DISABLE=1 TZ=Asia/Kathmandu LC_ALL=C LANG=C packaging/build.sh "$again/elsewhere" >/dev/null)
different=0
(cd "$out/repository/pool" && find . -name '*.deb' | sort) >"$again/first"
(cd "$again/elsewhere/repository/pool" && find . -name '*.deb' | sort) | diff "$again/first" - || different=1
while read -r deb; do
  cmp -s "$out/repository/pool/$deb" "$again/elsewhere/repository/pool/$deb" && continue
  echo "$deb differs"
  mkdir -p "$out/different"
  cp "$again/elsewhere/repository/pool/$deb" "$out/different/"
  different=1
done <"$again/first"
[ $different = 0 ] || { echo "compare with those in $out/different, for instance with diffoscope"; exit 1; }
echo "reproducible: $(wc -l <"$again/first") packages came out the same"
