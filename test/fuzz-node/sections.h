/*
 * Fuzzing of the compiled node: included before each file of the node, so that everything it keeps lies in
 * two sections of its own. Every session then begins with the same node (session.c: reset).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma clang section bss = "node_bss" data = "node_data"
