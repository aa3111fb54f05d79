/* A 32-tap FIR filter in Q15 over blocks of 256 samples; the filter keeps the end of the block before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"
#include "tmc/port.h"

#include <string.h>

#define TAPS 32
#define BLOCK 256

static const int16_t low_pass[TAPS] = {
    -16,  19,   73,   135,  163,  91,  -129, -466, -783, -850, -435, 588, 2143, 3930, 5506, 6431,
    6431, 5506, 3930, 2143, 588, -435, -850, -783, -466, -129, 91,   163, 135,  73,   19,   -16,
};

struct fir {
    int16_t history[TAPS - 1 + BLOCK]; /* the last TAPS - 1 samples of the block before, then the block */
};

static int16_t saturate(int32_t value) {
    return (int16_t)(value < INT16_MIN ? INT16_MIN : (value > INT16_MAX ? INT16_MAX : value));
}

static void fir_filter(struct fir *f, const int16_t *coefficients, const int16_t *input, int16_t *output) {
    memcpy(f->history + (TAPS - 1), input, BLOCK * sizeof(int16_t));
    for (int n = 0; n < BLOCK; n++) {
        int32_t sum = 1 << 14;
        for (int k = 0; k < TAPS; k++) {
            sum += coefficients[k] * f->history[n + TAPS - 1 - k];
        }
        output[n] = saturate(sum >> 15);
    }
    memmove(f->history, f->history + BLOCK, (TAPS - 1) * sizeof(int16_t));
}

static struct fir fir;
static int16_t input[BLOCK];
static int16_t output[BLOCK];

void tmc_program_main(void) {
    uint32_t random = 4U;
    uint32_t checksum = 0U;
    for (int round = 0; round < 24; round++) {
        for (int i = 0; i < BLOCK; i++) {
            input[i] = (int16_t)random_next(&random);
        }
        fir_filter(&fir, low_pass, input, output);
        for (int i = 0; i < BLOCK; i++) {
            const int32_t sample = output[i];
            checksum = (checksum << 5) ^ (checksum >> 27) ^ (uint32_t)sample;
        }
    }
    tmc_log_str(TMC_STR("fir-int16"));
    tmc_log_u32(checksum);
    tmc_log_end();
}
