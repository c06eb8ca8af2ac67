#!/bin/bash
# Builds, tests and packages the plugin on a Debian 12 that has patchbay's repository.
set -euo pipefail
cd "$(dirname "$0")"
cmake -G Ninja -B build
cmake --build build
ctest --test-dir build --output-on-failure
dpkg-buildpackage --build=binary --no-sign
