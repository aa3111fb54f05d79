/*
 * STM32L4+: a unit of flash that the power has torn may have an error that ECC cannot correct. Reading it
 * raises an NMI, which as usual halts the processor, at every start anew. Here the read goes on, with the
 * cells as they are: signatures, digests and marks are made to find out. For the application and for MCUboot.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <soc.h>
#include <zephyr/arch/arm/nmi.h>
#include <zephyr/fatal.h>
#include <zephyr/init.h>
#include <zephyr/kernel.h>

#define UNCORRECTED (FLASH_ECCR_ECCD | FLASH_ECCR_ECCD2)

static void on_nmi(void) {
    if ((FLASH->ECCR & UNCORRECTED) == 0U) {
        k_panic(); /* some other cause */
    }
    FLASH->ECCR |= UNCORRECTED; /* written ones clear */
    __DSB();
}

static int take_nmi(void) {
    z_arm_nmi_set_handler(on_nmi);
    return 0;
}

SYS_INIT(take_nmi, PRE_KERNEL_1, CONFIG_KERNEL_INIT_PRIORITY_DEFAULT);
