/*
 * The random numbers of an emulator, where there is no entropy, for cryptography too: Zephyr 3.7 has no such
 * generator for tests (TEST_CSPRNG_GENERATOR of 4.x). Never part of a board's image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <zephyr/random/random.h>

#ifndef CONFIG_TMC_EMULATED
#error "these numbers can be guessed"
#endif

int z_impl_sys_csrand_get(void *out, size_t size) {
    sys_rand_get(out, size);
    return 0;
}
