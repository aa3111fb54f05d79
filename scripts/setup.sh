#!/usr/bin/env bash
# Brings a machine and this tree to the state in which everything runs: Debian packages, node_modules, dist.
# Runs again at any time: what is there is left alone, and a check that finds nothing to do takes well under a second.
# It does not fetch a Zephyr workspace: that is `npx tmc setup`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: error: %s\nsetup: fix: %s\n' "$1" "$2" >&2
    exit 4
}

# ---- Node.js ------------------------------------------------------------------------------------
command -v node >/dev/null 2>&1 || fail "Node.js is not installed" "install Node.js 20.19 or newer"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js $(node --version) is too old" "install Node.js 20.19 or newer"

# ---- packages of the system: a probe and the Debian package that satisfies it -----------------------
has_program() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
has_header() { [ -e "/usr/include/$1" ] || echo "#include <$1>" | gcc -E -x c - >/dev/null 2>&1; }
has_clang_asan() { [ -e "$(clang -print-file-name=libclang_rt.asan-"$(uname -m)".a 2>/dev/null)" ] || compgen -G "/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a" >/dev/null; }
has_newlib() { [ -e /usr/lib/arm-none-eabi/newlib/libc.a ] || [ "$(arm-none-eabi-gcc -print-file-name=libc.a 2>/dev/null)" != libc.a ]; }

missing=()
need() { # need PACKAGE PROBE...
    local package=$1
    shift
    "$@" || missing+=("$package")
}
find_missing() {
    missing=()
    need gcc has_program gcc
    need libc6-dev has_header stdio.h
    need clang has_program clang
    need clang-format has_program clang-format
    if has_program clang; then need "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" has_clang_asan; fi
    need gcc-arm-none-eabi has_program arm-none-eabi-gcc
    need libnewlib-arm-none-eabi has_newlib
    need qemu-system-arm has_program qemu-system-arm
    need mosquitto has_program mosquitto
    need libmosquitto-dev has_header mosquitto.h
    need libssl-dev has_header openssl/evp.h
    need cmake has_program cmake
    need ninja-build has_program ninja
    need lld has_program wasm-ld
    need redis-server has_program redis-server
    need nats-server has_program nats-server
    need chromium has_program chromium
}

install_missing() {
    say "installing packages: ${missing[*]}"
    if ! has_program apt-get; then
        fail "this is not a Debian system, and these are missing: ${missing[*]} (Debian's names)" \
            "install them with the package manager of this system, then run this again"
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        has_program sudo || fail "missing packages: ${missing[*]}" "as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update -qq || say "apt-get update failed; trying with the lists that are there"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
        fail "apt-get could not install: ${missing[*]}" \
            "check the network and the package sources, or install them by hand: apt-get install ${missing[*]}"
}

find_missing
if [ ${#missing[@]} -gt 0 ]; then
    install_missing
    find_missing # the first round may have brought clang, whose sanitizer runtime is a package of its own
    if [ ${#missing[@]} -gt 0 ]; then
        install_missing
        find_missing
    fi
    [ ${#missing[@]} -eq 0 ] || fail "still missing after the installation: ${missing[*]}" "install them by hand"
fi

# ---- node_modules -------------------------------------------------------------------------------------
if ! node scripts/dependencies-installed.js; then
    say "npm ci"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ||
        fail "npm ci failed" "check the network (or the registry in your .npmrc), then run this again"
fi

# ---- dist: the compiled command line -------------------------------------------------------------------
built=dist/compiler/cli/main.js
if [ ! -e "$built" ] || [ -n "$(find compiler host models tsconfig.json tsconfig.build.json package-lock.json \
    \( -name '*.ts' -o -name '*.json' \) -not -name '*.test.ts' -newer "$built" -print -quit 2>/dev/null)" ]; then
    say "npm run build"
    npm run -s build || fail "the TypeScript sources do not compile" "mend the errors above"
fi

# ---- `npx tmc` in this tree: without the link npx would install the tree into its own cache first -------------
[ -e node_modules/.bin/tmc ] || ln -s ../../bin/tmc.js node_modules/.bin/tmc
