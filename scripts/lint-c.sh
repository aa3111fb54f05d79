#!/usr/bin/env bash
# Compiles every C file of ours (nothing is linked) with gcc, clang and, where the file is for Cortex-M, arm-none-eabi-gcc,
# all warnings as errors; with cppcheck too where it is installed. zephyr-app needs Zephyr's headers and boot-mcuboot.c those of
# MCUboot: their own builds check them.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/c-sources.sh

warnings=(-std=c11 -Wall -Wextra -Wconversion -Wshadow -Werror -O1 -fsyntax-only -Iruntime-c/include)
posix=(-D_POSIX_C_SOURCE=200809L)
arm=(-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard)
# As compiler/function builds them; the sizes are the manifest's.
wasm=(--target=wasm32 -ffreestanding -nostdlibinc -isystem runtime-c/port/wasm/include -DTMC_FUNCTION_INPUT=64 -DTMC_FUNCTION_OUTPUT=64)
status=0

compile() { # compile FILE COMPILER FLAGS...
    local file=$1
    shift
    "$@" "${warnings[@]}" -I"$(dirname "$file")" "$file" || {
        printf 'C check failed: %s %s\n' "$1" "$file" >&2
        status=1
    }
}

while read -r file; do
    case $file in
    *.h | zephyr-app/* | runtime-c/port/zephyr/* | test/update/firmware/boot-mcuboot.c | test/zephyr/fixtures/queue/zephyr/*) ;;
    runtime-c/port/cortex-m*) compile "$file" arm-none-eabi-gcc "${arm[@]}" ;;
    runtime-c/port/wasm*) compile "$file" clang "${wasm[@]}" ;;
    runtime-c/port/posix* | test/*)
        compile "$file" gcc "${posix[@]}"
        compile "$file" clang "${posix[@]}"
        ;;
    *)
        compile "$file" gcc
        compile "$file" clang
        compile "$file" arm-none-eabi-gcc "${arm[@]}"
        ;;
    esac
done < <(c_sources)

if command -v cppcheck >/dev/null 2>&1; then
    cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability --inline-suppr -Iruntime-c/include \
        runtime-c || status=1
fi
exit $status
