/* Prints what every string function gives for all pairs of a few strings. SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/ops.h"
#include "tmc/port.h"

static const char *const words[] = {"", "a", "ab", "abc", "b", "abab", "ABAB", "a b", "bab"};
#define WORD_COUNT ((int32_t)(sizeof words / sizeof words[0]))

static tmc_str word(int32_t i) {
    int32_t len = 0;
    while (words[i][len] != '\0') {
        len++;
    }
    return (tmc_str){(const uint8_t *)words[i], len};
}

static void trap_kind_of(tmc_str s, int32_t i) {
    tmc_boundary b;
    tmc_boundary_push(&b);
    if (setjmp(b.env) == 0) {
        tmc_log_i32(tmc_str_char_code_at(s, i, 9));
        tmc_boundary_pop(&b);
    } else {
        tmc_log_str(b.info.kind == TMC_TRAP_INDEX && b.info.site == 9 ? TMC_STR("index") : TMC_STR("other"));
    }
}

void tmc_program_main(void) {
    for (int32_t i = 0; i < WORD_COUNT; i++) {
        const tmc_str a = word(i);
        for (int32_t j = 0; j < WORD_COUNT; j++) {
            const tmc_str b = word(j);
            const int32_t order = tmc_str_compare(a, b);
            tmc_log_bool(tmc_str_equal(a, b));
            tmc_log_i32(order < 0 ? -1 : (order > 0 ? 1 : 0));
            tmc_log_bool(tmc_str_starts_with(a, b));
            tmc_log_bool(tmc_str_ends_with(a, b));
            for (int32_t from = -1; from <= 5; from++) {
                tmc_log_i32(tmc_str_index_of(a, b, from));
            }
            tmc_log_end();
        }
        for (int32_t start = -6; start <= 6; start++) {
            for (int32_t end = -6; end <= 6; end++) {
                tmc_log_str(tmc_str_slice(a, start, end));
            }
            trap_kind_of(a, start);
            tmc_log_end();
        }
    }
    const tmc_str none = {NULL, 0};
    tmc_log_bool(tmc_str_same(none, TMC_STR("")));
    tmc_log_bool(tmc_str_same(none, none));
    uint8_t bytes[] = {'x', 'y', 'z'};
    tmc_log_str(tmc_str_from_bytes((tmc_arr_u8){bytes, 3}, 1, 9));
    tmc_log_end();
}
