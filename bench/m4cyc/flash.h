/*
 * Flash memory behind the accelerator of STM32L4+: a cache of 32 lines for instructions and one of 8 for
 * data, lines of 32 bytes, filled by 8 bytes, least recently used first out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef M4CYC_FLASH_H
#define M4CYC_FLASH_H

#include <stdbool.h>
#include <stdint.h>

/* Addresses below this are flash. */
#define FLASH_END 0x400000U

/* Cycles lost by fetching the instruction at `address`. */
unsigned flash_fetch(uint32_t address);

/* Cycles lost by loading 2^size_shift bytes. */
unsigned flash_load(uint32_t address, unsigned size_shift);

/* After a jump the next fetch starts anew. */
void flash_jumped(void);

#endif
