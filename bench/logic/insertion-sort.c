/* Insertion sort of 256 numbers. SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"
#include "tmc/port.h"

#define COUNT 256

static int32_t values[COUNT];

static void insertion_sort(int32_t *a, int count) {
    for (int i = 1; i < count; i++) {
        const int32_t value = a[i];
        int j = i - 1;
        while (j >= 0 && a[j] > value) {
            a[j + 1] = a[j];
            j--;
        }
        a[j + 1] = value;
    }
}

void tmc_program_main(void) {
    uint32_t random = 6U;
    uint32_t checksum = 0U;
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < COUNT; i++) {
            values[i] = (int32_t)random_next(&random);
        }
        insertion_sort(values, COUNT);
        for (int i = 0; i < COUNT; i++) {
            checksum = (checksum << 5) ^ (checksum >> 27) ^ (uint32_t)values[i];
        }
    }
    tmc_log_str(TMC_STR("insertion-sort"));
    tmc_log_u32(checksum);
    tmc_log_end();
}
