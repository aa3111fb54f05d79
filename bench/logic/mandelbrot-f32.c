/* Iterations of the Mandelbrot set over a 64 x 48 grid, in float. SPDX-License-Identifier: Apache-2.0 */
#include "tmc/port.h"

#define WIDTH 64
#define HEIGHT 48
#define LIMIT 100

/* Iterations until the orbit of c = cr + ci*i leaves the disc of radius 2, at most LIMIT. */
static int iterations(float cr, float ci) {
    float zr = 0.0f;
    float zi = 0.0f;
    for (int n = 0; n < LIMIT; n++) {
        const float rr = zr * zr;
        const float ii = zi * zi;
        if (rr + ii > 4.0f) {
            return n;
        }
        zi = 2.0f * zr * zi + ci;
        zr = rr - ii + cr;
    }
    return LIMIT;
}

void tmc_program_main(void) {
    uint32_t checksum = 0U;
    for (int y = 0; y < HEIGHT; y++) {
        const float ci = (float)y / (float)HEIGHT * 2.5f - 1.25f;
        for (int x = 0; x < WIDTH; x++) {
            const float cr = (float)x / (float)WIDTH * 3.5f - 2.5f;
            checksum = (checksum << 1) ^ (checksum >> 31) ^ (uint32_t)iterations(cr, ci);
        }
    }
    tmc_log_str(TMC_STR("mandelbrot-f32"));
    tmc_log_u32(checksum);
    tmc_log_end();
}
