/* Heap sort of 1000 numbers. SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"
#include "tmc/port.h"

#define COUNT 1000

static int32_t values[COUNT];

/* Moves the element at start down to its place in the heap a[0 .. end - 1]. */
static void sift_down(int32_t *a, size_t start, size_t end) {
    const int32_t value = a[start];
    size_t hole = start;
    for (;;) {
        size_t child = 2U * hole + 1U;
        if (child >= end) {
            break;
        }
        if (child + 1U < end && a[child + 1U] > a[child]) {
            child++;
        }
        if (a[child] <= value) {
            break;
        }
        a[hole] = a[child];
        hole = child;
    }
    a[hole] = value;
}

static void heap_sort(int32_t *a, size_t count) {
    for (size_t start = count / 2U; start > 0U; start--) {
        sift_down(a, start - 1U, count);
    }
    for (size_t end = count - 1U; end > 0U; end--) {
        const int32_t largest = a[0];
        a[0] = a[end];
        a[end] = largest;
        sift_down(a, 0, end);
    }
}

void tmc_program_main(void) {
    uint32_t random = 7U;
    uint32_t checksum = 0U;
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < COUNT; i++) {
            values[i] = (int32_t)random_next(&random);
        }
        heap_sort(values, COUNT);
        for (int i = 0; i < COUNT; i++) {
            checksum = (checksum << 5) ^ (checksum >> 27) ^ (uint32_t)values[i];
        }
    }
    tmc_log_str(TMC_STR("heap-sort"));
    tmc_log_u32(checksum);
    tmc_log_end();
}
