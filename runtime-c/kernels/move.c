/*
 * Copies runs of neighbouring elements in nested loops (slices, transpositions, concatenations, paddings,
 * regular resizings), or from tables of rows and columns (other resizings).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>
#include <string.h>

#include "arithmetic.h"

/* One pass through the innermost loop, from element `from` of the input to element `to` of the output. */
static inline void copy_runs(const tmc_move *move, const int8_t *input, int8_t *output) {
    const int32_t count = move->inner.count;
    if (move->run == 1) {
        for (int32_t i = 0; i < count; i++) {
            output[(ptrdiff_t)i * move->inner.to] = input[(ptrdiff_t)i * move->inner.from];
        }
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        memcpy(output + (ptrdiff_t)i * move->inner.to, input + (ptrdiff_t)i * move->inner.from,
               (size_t)move->run);
    }
}

void tmc_move_s8(const tmc_move *move, const int8_t *input, int8_t *output) {
    int32_t at[TMC_MOVE_LOOPS] = {0};
    int32_t from = move->from;
    int32_t to = move->to;
    for (;;) {
        copy_runs(move, input + from, output + to);
        int32_t level = move->depth - 1;
        while (level >= 0 && ++at[level] == move->loops[level].count) {
            from -= (at[level] - 1) * move->loops[level].from;
            to -= (at[level] - 1) * move->loops[level].to;
            at[level] = 0;
            level--;
        }
        if (level < 0) {
            return;
        }
        from += move->loops[level].from;
        to += move->loops[level].to;
    }
}

void tmc_resize_s8(const tmc_resize *layer, const int8_t *input, int8_t *output) {
    for (int32_t y = 0; y < layer->row_count; y++) {
        const int8_t *row = input + layer->rows[y];
        for (int32_t x = 0; x < layer->column_count; x++) {
            memcpy(output, row + layer->columns[x], (size_t)layer->run);
            output += layer->run;
        }
    }
}
