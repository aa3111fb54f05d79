#!/usr/bin/env bash
# Everything that is checked: types, lint, formatting, C warnings, then every test. All checks run even when an early
# one fails. The last line is `N passed, N failed, N skipped`; checks count like tests. Exit code 0 only without failures.
# Arguments are passed on to vitest (file filters); with arguments the static checks are left out.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bash scripts/setup.sh || exit $?
mkdir -p build
counts=build/test-counts.txt
log=build/check.log
rm -f "$counts"
passed=0
failed=0
failed_checks=()

check() { # check NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %-18s %3d s\n' "$name" $((SECONDS - start))
    else
        failed=$((failed + 1))
        failed_checks+=("$name")
        cat "$log"
        printf 'FAILED  %-18s %3d s   (%s)\n' "$name" $((SECONDS - start)) "$*"
    fi
}

if [ $# -eq 0 ]; then
    check "types" npm run -s typecheck
    check "types of firmware" npx --no-install tsc -p firmware/tsconfig.json
    check "lint" npx --no-install eslint .
    check "format" npx --no-install prettier --check --log-level warn .
    check "format of C" bash scripts/format-c.sh --check
    check "warnings of C" bash scripts/lint-c.sh
fi

TMC_TEST_COUNTS=$counts npx --no-install vitest run "$@"
status=$?
if [ -e "$counts" ]; then
    read -r test_passed test_failed test_skipped <"$counts"
else
    printf 'vitest ended before it could report (exit code %d)\n' "$status"
    test_passed=0 test_failed=1 test_skipped=0
fi
# An unhandled error outside any test fails the run too.
if [ "$status" -ne 0 ] && [ "$test_failed" -eq 0 ]; then
    test_failed=1
fi
for name in "${failed_checks[@]+"${failed_checks[@]}"}"; do
    printf 'failed check: %s\n' "$name"
done
printf '%d passed, %d failed, %d skipped\n' $((passed + test_passed)) $((failed + test_failed)) "$test_skipped"
[ $((failed + test_failed)) -eq 0 ]
