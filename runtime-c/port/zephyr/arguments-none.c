/*
 * The Zephyr port: run-time arguments of a board: there are none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

const zport_arguments *zport_args(void) {
    static const zport_arguments none;
    return &none;
}
