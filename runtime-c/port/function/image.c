/*
 * The port of function images: the entry that a node calls (tmc/function.h). It is linked into every image,
 * is position independent and has no platform but the imports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/function.h"
#include "tmc/port.h"

tmc_trap_kind tmc_function_call(tmc_arr_u8 input, tmc_arr_u8 output, int32_t *result);
int32_t tmc_image_entry(tmc_function_frame *frame);
_Noreturn void __real_longjmp(jmp_buf env, int value);
_Noreturn void __wrap_longjmp(jmp_buf env, int value);

static tmc_function_frame *current;

void tmc_port_log_write(const uint8_t *bytes, size_t size) {
    ((tmc_function_log)current->imports[TMC_FUNCTION_IMPORT_LOG])(bytes, (uint32_t)size);
}

/* Traps leave by the boundary of tmc_function_call: there is always one. */
_Noreturn void tmc_port_fatal(const tmc_trap_info *info) {
    (void)info;
    for (;;) {
    }
}

/* Every trap unwinds by longjmp to the `env` that is the first member of a boundary; what the outermost one
 * learns of it is also the node's to know. */
void __wrap_longjmp(jmp_buf env, int value) {
    const tmc_boundary *boundary = (const void *)env;
    __asm__("" : "+r"(boundary)); /* for the compiler, env is all there is */
    if (boundary->outer == NULL) {
        current->site = boundary->info.site;
        current->text = boundary->info.message.ptr;
        current->text_bytes = boundary->info.message.len;
    }
    __real_longjmp(env, value);
}

int32_t tmc_image_entry(tmc_function_frame *frame) {
    current = frame;
    const tmc_arr_u8 input = {(uint8_t *)(uintptr_t)frame->input, frame->input_bytes};
    const tmc_arr_u8 output = {frame->output, frame->output_bytes};
    int32_t bytes = 0;
    frame->kind = (int32_t)tmc_function_call(input, output, &bytes);
    return bytes;
}
