# Sourced by the C scripts: `c_sources` prints the C files that are ours, one a line, from git's index and the work tree.
# Generated code, build folders and fixtures of others are not among them.
c_sources() {
    git ls-files --cached --others --exclude-standard -- 'runtime-c/**/*.c' 'runtime-c/**/*.h' 'zephyr-app/**/*.c' \
        'zephyr-app/**/*.h' 'test/**/*.c' 'test/**/*.h' 'bench/m4cyc/*.c' 'bench/m4cyc/*.h' | sort -u | while read -r file; do
        [ -e "$file" ] && printf '%s\n' "$file"
    done
    return 0
}
