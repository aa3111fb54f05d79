/*
 * QEMU plugin: counts instructions exactly and estimates the cycles of a Cortex-M4 with the flash memory of
 * an STM32L4+ at 120 MHz, between two hints in the program (hint 0x51 starts, 0x52 stops). See README.md.
 *
 * Argument: out=FILE, to which "instructions N cycles N" is written for each region.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "costs.h"
#include "flash.h"
#include "qemu-api.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv);

enum { START = 0x51, STOP = 0x52, TEXT = 64 };

typedef struct {
    uint32_t address;
    uint32_t size;
    int cycles; /* with what its neighbours cost or save it */
    bool is_stop;
} instruction;

/* A run of instructions that is entered at its first one only. */
typedef struct {
    size_t count;
    instruction *instructions;
    uint32_t start, after;
    uint64_t cycles;
    leaving leaving;
    bool starts_wide; /* its first instruction has 32 bits */
} block;

static FILE *output;
static bool counting;
static const block *previous;
static uint64_t instructions_done, cycles_done;

/* Refilling the pipeline after a jump; a wide instruction across a word boundary costs one more. */
static void count_jump(const block *to) {
    if (previous == NULL || previous->leaving == GOES_ON ||
        (previous->leaving == MAY_JUMP && to->start == previous->after)) {
        return;
    }
    cycles_done += previous->leaving == JUMPS_INDIRECTLY ? 2 : 1;
    cycles_done += to->starts_wide && (to->start & 2U) != 0 ? 1 : 0;
    flash_jumped();
}

static void on_block(unsigned cpu, void *data) {
    const block *b = data;
    (void)cpu;
    if (!counting) {
        previous = NULL;
        return;
    }
    count_jump(b);
    instructions_done += b->count;
    cycles_done += b->cycles;
    for (size_t i = 0; i < b->count; i++) {
        const instruction *in = &b->instructions[i];
        if (in->address < FLASH_END) {
            cycles_done += flash_fetch(in->address);
            cycles_done += in->size == 4 ? flash_fetch(in->address + 2) : 0;
        }
    }
    previous = b;
}

static void on_memory(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    const unsigned shift = qemu_plugin_mem_size_shift(info);
    (void)cpu;
    (void)data;
    if (!counting) {
        return;
    }
    if (shift > 0 && shift < 3 && (address & ((1U << shift) - 1U)) != 0) {
        cycles_done++; /* unaligned */
    }
    if (address < FLASH_END && !qemu_plugin_mem_is_store(info)) {
        cycles_done += flash_load((uint32_t)address, shift);
    }
}

static void on_start(unsigned cpu, void *data) {
    (void)cpu;
    (void)data;
    counting = true;
    previous = NULL;
    instructions_done = 0;
    cycles_done = 0;
}

/* The block with the hint was counted whole. */
static void on_stop(unsigned cpu, void *data) {
    bool after = false;
    (void)cpu;
    (void)data;
    for (size_t i = 0; counting && previous != NULL && i < previous->count; i++) {
        after = after || previous->instructions[i].is_stop;
        instructions_done -= after ? 1 : 0;
        cycles_done -= after ? (uint64_t)previous->instructions[i].cycles : 0;
    }
    if (counting && output != NULL) {
        fprintf(output, "instructions %llu cycles %llu\n", (unsigned long long)instructions_done,
                (unsigned long long)cycles_done);
        fflush(output);
    }
    counting = false;
    previous = NULL;
}

static bool accesses_memory(kind k) {
    return k == KIND_LOAD || k == KIND_STORE || k == KIND_MULTIPLE;
}

static bool only_compares(const char *text) {
    return strncmp(text, "cmp", 3) == 0 || strncmp(text, "cmn", 3) == 0 || strncmp(text, "tst", 3) == 0 ||
           strncmp(text, "teq", 3) == 0 || strncmp(text, "nop", 3) == 0;
}

/* What instruction i saves or costs beside its neighbours: loads in a row are pipelined, an IT after a 16-bit
 * instruction is folded, an address that was computed just before makes the access wait. */
static int cycles_beside(const cost *costs, char (*texts)[TEXT], const block *b, size_t i) {
    int cycles = costs[i].cycles;
    if (costs[i].kind == KIND_IT && i > 0 && b->instructions[i - 1].size == 2) {
        cycles = 0;
    }
    if (costs[i].kind == KIND_LOAD && i + 1 < b->count &&
        (costs[i + 1].kind == KIND_LOAD || costs[i + 1].kind == KIND_STORE) &&
        !address_depends(texts[i], texts[i + 1])) {
        cycles = 1;
    }
    if (i > 0 && accesses_memory(costs[i].kind) && costs[i - 1].kind == KIND_DATA &&
        !only_compares(texts[i - 1]) && address_depends(texts[i - 1], texts[i])) {
        cycles++;
    }
    return cycles;
}

/* 0x51 or 0x52 for the hints, else 0. */
static unsigned hint_of(const struct qemu_plugin_insn *insn) {
    const uint8_t *bytes = qemu_plugin_insn_data(insn);
    const bool is_hint = qemu_plugin_insn_size(insn) == 4 && bytes[0] == 0xaf && bytes[1] == 0xf3 &&
                         bytes[3] == 0x80 && (bytes[2] == START || bytes[2] == STOP);
    return is_hint ? bytes[2] : 0;
}

/* Blocks live as long as QEMU: it keeps no list of those that it forgets. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    const size_t count = qemu_plugin_tb_n_insns(tb);
    block *b = calloc(1, sizeof *b);
    cost *costs = calloc(count, sizeof *costs);
    char(*texts)[TEXT] = calloc(count, sizeof *texts);
    (void)id;
    b->count = count;
    b->instructions = calloc(count, sizeof *b->instructions);
    b->start = (uint32_t)qemu_plugin_tb_vaddr(tb);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        instruction *in = &b->instructions[i];
        char *text = qemu_plugin_insn_disas(insn);
        snprintf(texts[i], TEXT, "%s", text == NULL ? "" : text);
        free(text);
        costs[i] = cost_of(texts[i]);
        in->address = (uint32_t)qemu_plugin_insn_vaddr(insn);
        in->size = (uint32_t)qemu_plugin_insn_size(insn);
        in->is_stop = hint_of(insn) == STOP;
        if (hint_of(insn) != 0) {
            qemu_plugin_register_vcpu_insn_exec_cb(insn, in->is_stop ? on_stop : on_start,
                                                   QEMU_PLUGIN_CB_NO_REGS, NULL);
        }
        qemu_plugin_register_vcpu_mem_cb(insn, on_memory, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
        b->after = in->address + in->size;
    }
    for (size_t i = 0; i < count; i++) {
        b->instructions[i].cycles = cycles_beside(costs, texts, b, i);
        b->cycles += (uint64_t)b->instructions[i].cycles;
    }
    b->starts_wide = count > 0 && b->instructions[0].size == 4;
    b->leaving = count > 0 ? costs[count - 1].leaving : GOES_ON;
    free(costs);
    free(texts);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, b);
}

static void on_end(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    if (output != NULL) {
        fclose(output);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            output = fopen(argv[i] + 4, "w");
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_end, NULL);
    return 0;
}
