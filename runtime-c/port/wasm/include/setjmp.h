/*
 * setjmp for WebAssembly. A program without `try` needs none: its only boundary is the entry, and a trap
 * there ends the call by the import `trap`. With TMC_WASM_SJLJ the compiler makes exceptions of setjmp and
 * longjmp (setjmp.c).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_WASM_SETJMP_H
#define TMC_WASM_SETJMP_H

#include <stdint.h>

typedef uint32_t jmp_buf[2];

#ifdef TMC_WASM_SJLJ
int setjmp(jmp_buf env) __attribute__((returns_twice));
#else
#define setjmp(env) ((void)(env), 0)
#endif
_Noreturn void longjmp(jmp_buf env, int value);

#endif
