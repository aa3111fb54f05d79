/*
 * C around the TypeScript of filter.ts: implements what the TypeScript needs of the board and calls its
 * entries. In an application of your own this is your main loop; here the converter is a table, and
 * everything is printed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "filter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what filter.ts calls ------------------------------------------------------------------- */

uint16_t board_read_adc(int32_t channel) {
    static const uint16_t readings[2][6] = {{0, 1000, 2000, 3000, 4095, 4000}, {7, 7, 7, 7, 7, 7}};
    static size_t next[2];
    return readings[channel][next[channel]++ % 6];
}

void board_show_quality(uint16_t quality, tmc_str label) {
    printf("%.*s is %s\n", (int)label.len, (const char *)label.ptr,
           quality == FILTER_CLIPPED ? "clipped" : "good");
}

/* ---- what the run-time library needs of a platform: where log() prints, how it ends --------------- */

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    (void)fwrite(bytes, 1, size, stdout);
}

_Noreturn void tmc_port_fatal(const tmc_trap_info *info) {
    /* A trap outside of every entry. */
    fprintf(stderr, "trap %d at site %" PRId32 "\n", (int)info->kind, info->site);
    exit(1);
}

/* ---- calls into filter.ts ----------------------------------------------------------------------- */

int main(void) {
    for (int i = 0; i < 6; i++) {
        float volts = 0.0f;
        if (tmc_filter_step(0, &volts) == TMC_TRAP_NONE) {
            printf("%.3f V\n", (double)volts);
        }
    }

    uint8_t bytes[3] = {1, 2, 250};
    uint32_t sum = 0;
    if (tmc_checksum((tmc_arr_u8){bytes, 3}, &sum) == TMC_TRAP_NONE) {
        printf("checksum %" PRIu32 "\n", sum);
    }

    /* A trap ends the call, not the program. */
    float unused = 0.0f;
    tmc_trap_kind trap = tmc_filter_step(5, &unused);
    printf("channel 5: trap %d\n", (int)trap);
    return trap == TMC_TRAP_INDEX ? 0 : 1;
}
