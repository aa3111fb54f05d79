/* Two biquad sections in float over a block of samples, then the root mean square of the block.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"
#include "lib/square-root.h"
#include "tmc/port.h"

#define BLOCK 512

/* Transposed direct form II. */
struct biquad {
    float b0, b1, b2, a1, a2;
    float z1, z2;
};

static float biquad_step(struct biquad *f, float x) {
    const float y = f->b0 * x + f->z1;
    f->z1 = f->b1 * x - f->a1 * y + f->z2;
    f->z2 = f->b2 * x - f->a2 * y;
    return y;
}

static float rms(const float *samples, size_t count) {
    float sum = 0.0f;
    for (size_t i = 0; i < count; i++) {
        sum += samples[i] * samples[i];
    }
    return square_root(sum / (float)count);
}

static struct biquad low_pass = {0.0674553f, 0.1349105f, 0.0674553f, -1.1429805f, 0.4128016f, 0.0f, 0.0f};
static struct biquad high_pass = {0.8370891f, -1.6741782f, 0.8370891f, -1.6474576f, 0.7008967f, 0.0f, 0.0f};
static float samples[BLOCK];

void tmc_program_main(void) {
    uint32_t random = 5U;
    float level = 0.0f;
    for (int round = 0; round < 32; round++) {
        for (size_t i = 0; i < BLOCK; i++) {
            const float x = (float)(int16_t)random_next(&random) / 32768.0f;
            samples[i] = biquad_step(&high_pass, biquad_step(&low_pass, x));
        }
        level += rms(samples, BLOCK);
    }
    tmc_log_str(TMC_STR("biquad-f32"));
    tmc_log_f64((double)level);
    tmc_log_end();
}
