/*
 * What start-up code and the program port offer each other.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_STARTUP_H
#define TMC_STARTUP_H

#include <stdint.h>

/* The port: runs the program, returns the exit code. */
uint32_t tmc_cortex_m_main(void);
/* The port: writes out what log() has buffered. */
void tmc_cortex_m_flush(void);

#endif
