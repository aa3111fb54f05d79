/*
 * The instructions are in tmc/dsp.h: generated models use them too.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tmc/dsp.h"
