/*
 * A recording in CSV: the first line names the channels, every other line is one frame of finite numbers, as
 * the posix port reads it. It works on text in memory, without Zephyr.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_CSV_H
#define TMC_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *text;
    size_t size;  /* without the final zero */
    size_t first; /* where the first frame begins, and the next one */
    size_t next;
    int32_t channels;
} csv;

/* Checks the whole text, whose lines are ended by zeros afterwards; text[size] must be a zero that may stay.
 * 0 when it is good, else the number of the line that is not. */
uint32_t csv_open(csv *out, char *text, size_t size, int32_t most_channels);
/* The next frame; after the last one comes the first. */
void csv_next(csv *source, float *frame);

#endif
