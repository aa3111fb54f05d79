/*
 * Start of a bare-metal Cortex-M image: vector table, memory, FPU, stack guard, faults. Threads run on the
 * process stack, faults on a small stack of their own, so that an overflow of the first can still be handled.
 * It knows the CPU, not the board's devices.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "startup.h"

#include "semihosting.h"
#include "tmc/port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define SHCSR REGISTER(0xe000ed24U) /* enables of the configurable faults */
#define CFSR REGISTER(0xe000ed28U)  /* why a fault happened */
#define HFSR REGISTER(0xe000ed2cU)
#define MMFAR REGISTER(0xe000ed34U) /* the address of a memory management fault */
#define BFAR REGISTER(0xe000ed38U)
#define MPU_CTRL REGISTER(0xe000ed94U)
#define MPU_RNR REGISTER(0xe000ed98U)
#define MPU_RBAR REGISTER(0xe000ed9cU)
#define MPU_RASR REGISTER(0xe000eda0U)
#define FPCCR REGISTER(0xe000ef34U)

#define CFSR_DACCVIOL (1U << 1)
#define CFSR_MSTKERR (1U << 4)
#define CFSR_MMARVALID (1U << 7)
#define CFSR_BFARVALID (1U << 15)

#define GUARD_SIZE 0x10000000U /* 256 MB below RAM: no frame is large enough to jump over it */
#define EXIT_FAULT 70U

extern uint32_t __data_start[], __data_end[], __bss_start[], __bss_end[], __stack_limit[], __stack_top[];
extern const uint32_t __data_load[];

/* What the CPU pushes on an exception. */
typedef struct {
    uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
} exception_frame;

static uint64_t handler_stack[64];
/* Runs tmc_trap after an overflow, until it has unwound: a frame of the CPU and a few calls. */
static uint64_t overflow_stack[64];

_Noreturn void tmc_reset(void);
_Noreturn void tmc_start(void);
void tmc_memory_fault(void);
_Noreturn void tmc_fault(void);

/* The FPU is switched on before any C runs: the compiler may use its registers anywhere. */
__attribute__((naked)) void tmc_reset(void) {
    __asm__ volatile("ldr r0, =0xe000ed88\n" /* CPACR: full access to coprocessors 10 and 11 */
                     "ldr r1, [r0]\n"
                     "orr r1, r1, #0xf00000\n"
                     "str r1, [r0]\n"
                     "ldr r0, =__stack_top\n"
                     "msr psp, r0\n"
                     "movs r0, #2\n"
                     "msr control, r0\n"
                     "dsb\n"
                     "isb\n"
                     "bl tmc_start\n");
}

static void guard_stack(void) {
    MPU_RNR = 0U;
    MPU_RBAR = (uintptr_t)__stack_limit - GUARD_SIZE;
    MPU_RASR = (1U << 28) | (27U << 1) | 1U; /* no execution, no access, 2^28 bytes, on */
    MPU_CTRL = (1U << 2) | 1U;               /* everything else as without MPU */
    SHCSR |= (1U << 16) | (1U << 17) | (1U << 18);
    FPCCR = 0U; /* exceptions never come back to the code they left: no FPU registers to save */
    __asm__ volatile("dsb\nisb" ::: "memory");
}

void tmc_start(void) {
    const uint32_t *from = __data_load;
    for (uint32_t *to = __data_start; to < __data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = __bss_start; to < __bss_end; to++) {
        *to = 0U;
    }
    guard_stack();
    semihosting_exit(tmc_cortex_m_main());
}

/* ---- faults ---------------------------------------------------------------------------------------------
 */

static _Noreturn void overflow_trap(void) {
    tmc_trap(TMC_TRAP_STACK, 0);
}

static bool is_stack_overflow(void) {
    const uint32_t reason = CFSR;
    if ((reason & CFSR_MSTKERR) != 0U) {
        return true;
    }
    const uint32_t limit = (uint32_t)(uintptr_t)__stack_limit;
    const uint32_t both = CFSR_DACCVIOL | CFSR_MMARVALID;
    return (reason & both) == both && MMFAR < limit && MMFAR >= limit - GUARD_SIZE;
}

/* Leaves the exception into overflow_trap on a fresh stack; tmc_trap then unwinds to the innermost boundary.
 */
void tmc_memory_fault(void) {
    if (!is_stack_overflow()) {
        tmc_fault();
    }
    CFSR = CFSR; /* write one to clear */
    exception_frame *frame =
        (exception_frame *)(void *)((uint8_t *)overflow_stack + sizeof overflow_stack) - 1;
    frame->lr = 0xffffffffU;
    frame->pc = (uint32_t)(uintptr_t)overflow_trap & ~1U;
    frame->xpsr = 1U << 24; /* Thumb */
    __asm__ volatile("msr psp, %0\n"
                     "isb" ::"r"(frame)
                     : "memory");
}

static uint8_t *put_hex(uint8_t *out, const char *name, uint32_t value) {
    while (*name != '\0') {
        *out++ = (uint8_t)*name++;
    }
    for (int32_t shift = 28; shift >= 0; shift -= 4) {
        *out++ = (uint8_t) "0123456789abcdef"[(value >> shift) & 15U];
    }
    return out;
}

/* Any other fault is a bug of ours: say where, and stop. */
void tmc_fault(void) {
    uint32_t psp;
    __asm__ volatile("mrs %0, psp" : "=r"(psp));
    const uint32_t limit = (uint32_t)(uintptr_t)__stack_limit;
    const uint32_t top = (uint32_t)(uintptr_t)__stack_top;
    const bool readable = psp >= limit && psp <= top - sizeof(exception_frame);
    const uint32_t reason = CFSR;
    const uint32_t address =
        (reason & CFSR_MMARVALID) != 0U ? MMFAR : ((reason & CFSR_BFARVALID) != 0U ? BFAR : 0U);
    static uint8_t line[96];
    uint8_t *end = put_hex(line, "tmc-fault cfsr=0x", reason);
    end = put_hex(end, " hfsr=0x", HFSR);
    end = put_hex(end, " address=0x", address);
    end = put_hex(end, " pc=0x", readable ? ((const exception_frame *)(uintptr_t)psp)->pc : 0U);
    *end++ = (uint8_t)'\n';
    tmc_cortex_m_flush();
    semihosting_write(SEMIHOSTING_STDERR, line, (size_t)(end - line));
    semihosting_exit(EXIT_FAULT);
}

typedef void (*handler)(void);

typedef struct {
    const void *stack;
    handler exception[15];
} vector_table;

__attribute__((section(".vectors"), used)) static const vector_table vectors = {
    .stack = (const uint8_t *)handler_stack + sizeof handler_stack,
    .exception =
        {
            tmc_reset, tmc_fault, tmc_fault,            /* reset, NMI, hard fault */
            tmc_memory_fault, tmc_fault, tmc_fault,     /* memory management, bus, usage */
            tmc_fault, tmc_fault, tmc_fault, tmc_fault, /* reserved */
            tmc_fault, tmc_fault, tmc_fault, tmc_fault, /* SVC, debug, reserved, PendSV */
            tmc_fault,                                  /* SysTick */
        },
};
