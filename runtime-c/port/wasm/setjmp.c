/*
 * What clang's lowering of setjmp and longjmp to WebAssembly exceptions calls (-wasm-enable-sjlj), and
 * longjmp without it. A function with setjmp keeps a table of its live calls; tables nest as calls do, so
 * they are cut from one stack of bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/tmc.h"

/* boundary.env is the first member of a boundary (tmc.h). At the outermost one the call ends. */
static void end_at_outermost(jmp_buf env) {
    const tmc_boundary *boundary = (const tmc_boundary *)(const void *)env;
    if (boundary->outer == NULL) {
        tmc_port_fatal(&boundary->info);
    }
}

#ifndef TMC_WASM_SJLJ

_Noreturn void longjmp(jmp_buf env, int value) {
    (void)value;
    end_at_outermost(env);
    __builtin_trap();
}

#else

/* The names and types are the compiler's. */
typedef struct {
    uint32_t id; /* 0: the end of the table */
    uint32_t label;
} setjmp_entry;

void *malloc(size_t size);
void free(void *block);
setjmp_entry *saveSetjmp(uint32_t *env, uint32_t label, setjmp_entry *table, uint32_t size);
uint32_t testSetjmp(uint32_t id, const setjmp_entry *table, uint32_t size);
uint32_t getTempRet0(void);
void setTempRet0(uint32_t value);
_Noreturn void __wasm_longjmp(jmp_buf env, int value);

enum { TABLE_BYTES = 8192 };

static uint64_t tables[TABLE_BYTES / 8];
static uint32_t used; /* of tables */
static uint32_t last_id;
static uint32_t temp_ret;

static struct {
    void *env;
    int value;
} thrown;

void *malloc(size_t size) {
    const uint32_t words = ((uint32_t)size + 7U) / 8U;
    if (words > TABLE_BYTES / 8U - used) {
        const tmc_trap_info info = {TMC_TRAP_STACK, 0, {NULL, 0}};
        tmc_port_fatal(&info);
    }
    void *block = &tables[used];
    used += words;
    return block;
}

/* Blocks above it belong to calls that a longjmp left. */
void free(void *block) {
    used = (uint32_t)((uint64_t *)block - tables);
}

/* A call at the same place replaces the earlier one: its environment was overwritten. */
setjmp_entry *saveSetjmp(uint32_t *env, uint32_t label, setjmp_entry *table, uint32_t size) {
    uint32_t i = 0;
    last_id++;
    *env = last_id;
    while (i + 1U < size && table[i].id != 0U && table[i].label != label) {
        i++;
    }
    if (i + 1U >= size) { /* the table is the newest block but for those of calls that are over */
        const uint32_t more = size * 2U;
        setjmp_entry *larger = malloc(more * sizeof *larger);
        for (uint32_t k = 0; k < size; k++) {
            larger[k] = table[k];
        }
        table = larger;
        size = more;
    }
    if (table[i].id == 0U) {
        table[i + 1U].id = 0U;
    }
    table[i].id = last_id;
    table[i].label = label;
    temp_ret = size;
    return table;
}

uint32_t testSetjmp(uint32_t id, const setjmp_entry *table, uint32_t size) {
    for (uint32_t i = 0; i < size && table[i].id != 0U; i++) {
        if (table[i].id == id) {
            return table[i].label;
        }
    }
    return 0U;
}

uint32_t getTempRet0(void) {
    return temp_ret;
}

void setTempRet0(uint32_t value) {
    temp_ret = value;
}

_Noreturn void __wasm_longjmp(jmp_buf env, int value) {
    end_at_outermost(env);
    thrown.env = env;
    thrown.value = value;
    __builtin_wasm_throw(1, &thrown);
}

#endif
