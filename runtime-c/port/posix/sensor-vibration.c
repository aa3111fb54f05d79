/*
 * The posix port: accelerometer of a small rotating machine, healthy, unbalanced or with a damaged bearing,
 * as an endless stream. The physics, its sources and the ranges are those of models/vibration/generator.ts,
 * which makes the training data; a change there belongs here too. One seed is one machine on one mounting:
 * its parameters are drawn once. Not bit-equal to the training data, and not a model of a real machine.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <math.h>

#define TWO_PI 6.283185307179586
#define STANDARD_GRAVITY 9.80665
#define SENSOR_STEP (1.0 / 8192.0) /* g */

/* ---- random numbers: xoshiro128** (Blackman and Vigna, 2021) ------------------------------------------ */

static uint32_t rotate_left(uint32_t v, int n) {
    return (v << n) | (v >> (32 - n));
}

static uint32_t next_u32(posix_random *r) {
    uint32_t result = rotate_left(r->s[1] * 5U, 7) * 9U;
    uint32_t shifted = r->s[1] << 9;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= shifted;
    r->s[3] = rotate_left(r->s[3], 11);
    return result;
}

static void seed_random(posix_random *r, uint32_t seed) {
    uint32_t state = seed * 0x9e3779b1U;
    for (int i = 0; i < 4; i++) { /* splitmix32 */
        state += 0x9e3779b9U;
        uint32_t z = state;
        z = (z ^ (z >> 16)) * 0x21f0aaadU;
        z = (z ^ (z >> 15)) * 0x735a2d97U;
        r->s[i] = z ^ (z >> 15);
    }
    r->s[3] |= 1U; /* never all zero */
    r->has_spare = false;
}

static double uniform(posix_random *r, double low, double high) {
    return low + (high - low) * (next_u32(r) / 4294967296.0);
}

static double log_uniform(posix_random *r, double low, double high) {
    return low * exp(uniform(r, 0.0, 1.0) * log(high / low));
}

/* Mean 0, deviation 1 (Box and Muller). */
static double normal(posix_random *r) {
    if (r->has_spare) {
        r->has_spare = false;
        return r->spare;
    }
    double radius = sqrt(-2.0 * log(1.0 - uniform(r, 0.0, 1.0)));
    double angle = uniform(r, 0.0, TWO_PI);
    r->spare = radius * sin(angle);
    r->has_spare = true;
    return radius * cos(angle);
}

/* Uniform over all orientations: a random unit quaternion. */
static void random_rotation(posix_random *r, double m[3][3]) {
    double u = uniform(r, 0.0, 1.0);
    double v = uniform(r, 0.0, TWO_PI);
    double s = uniform(r, 0.0, TWO_PI);
    double x = sqrt(1.0 - u) * sin(v);
    double y = sqrt(1.0 - u) * cos(v);
    double z = sqrt(u) * sin(s);
    double w = sqrt(u) * cos(s);
    const double rows[3][3] = {
        {1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)},
        {2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)},
        {2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)},
    };
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            m[i][j] = rows[i][j];
        }
    }
}

/* ---- the machine ---- */

void posix_vibration_init(posix_vibration *v, int label, uint32_t seed) {
    posix_random *r = &v->random;
    seed_random(r, seed);
    double shaft = uniform(r, 24.0, 60.0); /* Hz */
    v->omega = TWO_PI * shaft;
    v->angle = uniform(r, 0.0, TWO_PI);
    /* (m/M) * G * w / g, the balance quality G in mm/s */
    double mass_ratio = uniform(r, 0.3, 0.5);
    double quality = label == 1 ? log_uniform(r, 40.0, 160.0) : log_uniform(r, 0.4, 6.3);
    v->imbalance = mass_ratio * (quality / 1000.0) * v->omega / STANDARD_GRAVITY;
    v->second = uniform(r, 0.0, 0.06);
    v->third = uniform(r, 0.0, 0.03);
    v->second_phase = uniform(r, 0.0, TWO_PI);
    v->third_phase = uniform(r, 0.0, TWO_PI);
    v->axial = uniform(r, 0.1, 0.6);
    v->noise = hypot(90e-6 * sqrt(800.0), log_uniform(r, 0.005, 0.05));

    /* Outer race of a 6205: 9 balls of 7.94 mm on a pitch of 39.04 mm. */
    v->damaged = label == 2;
    v->strike_interval = 1.0 / (4.5 * shaft * (1.0 - 7.94 / 39.04));
    v->strike_height = log_uniform(r, 0.3, 2.5);
    v->slip = uniform(r, 0.01, 0.02);
    v->until_strike = uniform(r, 0.0, v->strike_interval);
    double resonance = TWO_PI * uniform(r, 350.0, 700.0);
    double damping = uniform(r, 0.03, 0.08);
    v->decay = damping * resonance;
    v->damped = resonance * sqrt(1.0 - damping * damping);
    v->ring_re = 0.0;
    v->ring_im = 0.0;
    double direction = uniform(r, 0.0, TWO_PI);
    v->along[0] = cos(direction);
    v->along[1] = sin(direction);
    v->along[2] = uniform(r, -0.3, 0.3);

    double orientation[3][3];
    random_rotation(r, v->rotation);
    random_rotation(r, orientation);
    for (int i = 0; i < 3; i++) {
        v->gravity[i] = orientation[2][i];
    }
}

/* The ringing of all strikes together is one decaying rotation in the complex plane, of which the imaginary
 * part is heard; a strike adds its height on the real axis at its own moment between two samples. */
static double ring(posix_vibration *v, double period) {
    double factor = exp(-v->decay * period);
    double re = factor * (v->ring_re * cos(v->damped * period) - v->ring_im * sin(v->damped * period));
    double im = factor * (v->ring_re * sin(v->damped * period) + v->ring_im * cos(v->damped * period));
    v->until_strike -= period;
    while (v->until_strike < 0.0) {
        double since = -v->until_strike;
        double height = v->strike_height * (1.0 + 0.1 * normal(&v->random)) * exp(-v->decay * since);
        re += height * cos(v->damped * since);
        im += height * sin(v->damped * since);
        v->until_strike += v->strike_interval * (1.0 + v->slip * normal(&v->random));
    }
    v->ring_re = re;
    v->ring_im = im;
    return im;
}

void posix_vibration_next(posix_vibration *v, double period, float *frame) {
    v->angle = fmod(v->angle + v->omega * period, TWO_PI);
    double twice = v->second * sin(2.0 * v->angle + v->second_phase);
    double thrice = v->third * sin(3.0 * v->angle + v->third_phase);
    double a[3] = {
        v->imbalance * cos(v->angle) + twice + thrice,
        v->imbalance * sin(v->angle) + 0.5 * twice - thrice,
        0.1 * v->imbalance * cos(v->angle) + v->axial * twice,
    };
    double ringing = v->damaged ? ring(v, period) : 0.0;
    for (int i = 0; i < 3; i++) {
        a[i] += ringing * v->along[i] + v->gravity[i] + v->noise * normal(&v->random);
    }
    for (int i = 0; i < 3; i++) {
        double g = v->rotation[i][0] * a[0] + v->rotation[i][1] * a[1] + v->rotation[i][2] * a[2];
        double steps = floor(g / SENSOR_STEP + 0.5);
        steps = steps < -32768.0 ? -32768.0 : (steps > 32767.0 ? 32767.0 : steps);
        frame[i] = (float)(steps * SENSOR_STEP);
    }
}
