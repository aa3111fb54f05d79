/*
 * Loads extension.h as a loadable extension and calls it once, counting instructions with the timer of the
 * mps2 machines (QEMU with -icount shift=6).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdint.h>
#include <zephyr/kernel.h>
#ifdef CONFIG_LLEXT
#include <zephyr/llext/buf_loader.h>
#include <zephyr/llext/llext.h>

#include "extension.h"
#include "tmc/function.h"

typedef struct {
    volatile uint32_t control;
    volatile uint32_t value;
    volatile uint32_t reload;
    volatile uint32_t interrupt;
} cmsdk_timer;

#define COUNTER ((cmsdk_timer *)0x40000000U)

static float input[384];
static float output[3];

static void start(void) {
    COUNTER->control = 0U;
    COUNTER->reload = UINT32_MAX;
    COUNTER->value = UINT32_MAX;
    COUNTER->control = 1U;
}

static uint32_t stop(void) {
    const uint32_t ticks = UINT32_MAX - COUNTER->value;
    COUNTER->control = 0U;
    return (ticks * 5U + 7U) / 8U;
}

static void measure(void) {
    struct llext_buf_loader loader = LLEXT_BUF_LOADER(extension, sizeof extension);
    struct llext_load_param parameters = LLEXT_LOAD_PARAM_DEFAULT;
    struct llext *loaded = NULL;
    start();
    const int failed = llext_load(&loader.loader, "function", &loaded, &parameters);
    const uint32_t load = stop();
    if (failed != 0) {
        printk("failed %d\n", failed);
        return;
    }
    const tmc_function_entry entry =
        (tmc_function_entry)(uintptr_t)llext_find_sym(&loaded->exp_tab, "tmc_image_entry");
    for (int i = 0; i < 384; i++) {
        input[i] = (float)(i % 17) - 3.5f;
    }
    tmc_function_frame frame = {.input = (const uint8_t *)input,
                                .input_bytes = sizeof input,
                                .output = (uint8_t *)output,
                                .output_bytes = sizeof output};
    start();
    const int32_t bytes = entry(&frame);
    const uint32_t call = stop();
    printk("result %u %u %u %d %08x\n", load, call, (unsigned int)loaded->alloc_size, bytes,
           *(const uint32_t *)(const void *)output);
}
#endif

int main(void) {
#ifdef CONFIG_LLEXT
    measure();
#endif
    printk("end\n");
    return 0;
}
