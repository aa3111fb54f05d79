/* The outer solar system, 1000 steps of a symplectic Euler integrator in float. Units: AU, years, solar masses * 4 pi^2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "lib/square-root.h"
#include "tmc/port.h"

#define BODIES 5

struct body {
    float x, y, z;
    float vx, vy, vz;
    float mass;
};

enum { SUN, JUPITER, SATURN, URANUS, NEPTUNE };

static struct body bodies[BODIES] = {
    [SUN] = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 39.4784176f},
    [JUPITER] = {4.8414314f, -1.1603200f, -0.1036220f, 0.6063264f, 2.8119868f, -0.0252183f, 0.0376937f},
    [SATURN] = {8.3433667f, 4.1247986f, -0.4035234f, -1.0107743f, 1.8256624f, 0.0084158f, 0.0112863f},
    [URANUS] = {12.8943696f, -15.1111514f, -0.2233076f, 1.0827910f, 0.8687130f, -0.0108326f, 0.0017237f},
    [NEPTUNE] = {15.3796971f, -25.9193146f, 0.1792588f, 0.9790907f, 0.5946990f, -0.0347560f, 0.0020337f},
};

static void advance(float dt) {
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            const float dx = a->x - b->x;
            const float dy = a->y - b->y;
            const float dz = a->z - b->z;
            const float d2 = dx * dx + dy * dy + dz * dz;
            const float magnitude = dt / (d2 * square_root(d2));
            a->vx -= dx * b->mass * magnitude;
            a->vy -= dy * b->mass * magnitude;
            a->vz -= dz * b->mass * magnitude;
            b->vx += dx * a->mass * magnitude;
            b->vy += dy * a->mass * magnitude;
            b->vz += dz * a->mass * magnitude;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        struct body *body = &bodies[i];
        body->x += dt * body->vx;
        body->y += dt * body->vy;
        body->z += dt * body->vz;
    }
}

static float energy(void) {
    float sum = 0.0f;
    for (int i = 0; i < BODIES; i++) {
        const struct body *a = &bodies[i];
        sum += 0.5f * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (int j = i + 1; j < BODIES; j++) {
            const struct body *b = &bodies[j];
            const float dx = a->x - b->x;
            const float dy = a->y - b->y;
            const float dz = a->z - b->z;
            sum -= a->mass * b->mass / square_root(dx * dx + dy * dy + dz * dz);
        }
    }
    return sum;
}

void tmc_program_main(void) {
    for (int step = 0; step < 1000; step++) {
        advance(0.01f);
    }
    tmc_log_str(TMC_STR("nbody-f32"));
    tmc_log_f64((double)energy());
    tmc_log_f64((double)bodies[JUPITER].x);
    tmc_log_f64((double)bodies[NEPTUNE].y);
    tmc_log_end();
}
