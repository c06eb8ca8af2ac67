#!/bin/bash
# One test of a sanitizer build: sanitized.sh COMMAND... Reports of whatever process it starts go to a folder of its
# own, so that one fails the test whatever became of its output or exit code; a test may expect the program to fail.
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
options="log_path=$reports/report"
export ASAN_OPTIONS="$options:detect_stack_use_after_return=1:strict_string_checks=1:${ASAN_OPTIONS:-}"
# Beside ASan the library of UBSan writes to stderr whatever log_path says, and ends the process silently: so it aborts,
# and the program says where.
export UBSAN_OPTIONS="$options:print_stacktrace=1:abort_on_error=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="$options:second_deadlock_stack=1:suppressions=$(dirname "$0")/tsan.supp:${TSAN_OPTIONS:-}"
"$@"
code=$?
shopt -s nullglob
found=("$reports"/*)
[ ${#found[@]} = 0 ] && exit $code
echo "== ${#found[@]} sanitizer reports"
head -n 80 "${found[@]:0:3}"
exit 1
