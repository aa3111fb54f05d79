/* A dense int8 layer: the dot products of an input with the rows of a matrix. SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"
#include "tmc/port.h"

#define ROWS 16
#define COLUMNS 256

static uint32_t random = 3U;
static int8_t input[COLUMNS];
static int8_t rows[ROWS][COLUMNS];

static void randomize(int8_t *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        values[i] = (int8_t)random_next(&random);
    }
}

static int32_t dot(const int8_t *a, const int8_t *b, size_t count) {
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

void tmc_program_main(void) {
    for (size_t row = 0; row < ROWS; row++) {
        randomize(rows[row], COLUMNS);
    }
    uint32_t checksum = 0U;
    for (int round = 0; round < 32; round++) {
        randomize(input, COLUMNS);
        for (size_t row = 0; row < ROWS; row++) {
            checksum = (checksum << 5) ^ (checksum >> 27) ^ (uint32_t)dot(input, rows[row], COLUMNS);
        }
    }
    tmc_log_str(TMC_STR("dot-int8"));
    tmc_log_u32(checksum);
    tmc_log_end();
}
