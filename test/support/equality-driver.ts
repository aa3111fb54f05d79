/** The C that runs many programs in one executable, each inside a boundary of its own, with marks between them. */

/**
 * For programs whose entries are `tmc_program_main_0`, `_1`, …: prints `\1begin I`, what the program prints, then
 * `\1end KIND SITE MESSAGE` (kind 0: it ended well). `entries`: the number of the entry of each run.
 */
export function driverText(entries: readonly number[]): string {
  return `#include "tmc/port.h"

${[...new Set(entries)].map((i) => `void tmc_program_main_${i}(void);`).join("\n")}

static void (*const programs[])(void) = {${entries.map((i) => `tmc_program_main_${i}`).join(", ")}};

static void text(const char *bytes) {
    size_t size = 0;
    while (bytes[size] != 0) {
        size++;
    }
    tmc_port_log_write((const uint8_t *)bytes, size);
}

static void number(int32_t value) {
    uint8_t digits[TMC_NUMBER_TEXT_MAX];
    tmc_port_log_write(digits, (size_t)tmc_format_i32(digits, value));
}

static void run(int32_t index) {
    tmc_boundary boundary;
    tmc_boundary_push(&boundary);
    text("\\001begin ");
    number(index);
    text("\\n");
    if (setjmp(boundary.env) == 0) {
        programs[index]();
        tmc_boundary_pop(&boundary);
        text("\\001end 0 0 \\n");
        return;
    }
    text("\\001end ");
    number((int32_t)boundary.info.kind);
    text(" ");
    number(boundary.info.site);
    text(" ");
    tmc_port_log_write(boundary.info.message.ptr, (size_t)boundary.info.message.len);
    text("\\n");
}

void tmc_program_main(void) {
    for (int32_t i = 0; i < ${entries.length}; i++) {
        run(i);
    }
}
`;
}
