/*
 * MCUboot as zephyr-app/mcuboot configures it, for the host: swap by moving, ECDSA P-256, downgrades
 * prevented by the security counter. Its sources come from the Zephyr workspace.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_MCUBOOT_CONFIG_H
#define TEST_MCUBOOT_CONFIG_H

#define MCUBOOT_SIGN_EC256
#define MCUBOOT_USE_TINYCRYPT
#define MCUBOOT_SHA256
#define MCUBOOT_SWAP_USING_MOVE 1
#define MCUBOOT_VALIDATE_PRIMARY_SLOT 1
#ifdef TEST_DOWNGRADE_PREVENTION
#define MCUBOOT_DOWNGRADE_PREVENTION 1
#define MCUBOOT_DOWNGRADE_PREVENTION_SECURITY_COUNTER 1
#endif
#define MCUBOOT_USE_FLASH_AREA_GET_SECTORS
#define MCUBOOT_IMAGE_NUMBER 1
#define MCUBOOT_BOOT_MAX_ALIGN 8
#define MCUBOOT_HAVE_ASSERT_H
#define MCUBOOT_IMAGE_ACCESS_HOOKS
#ifdef TEST_VERBOSE
#define MCUBOOT_HAVE_LOGGING
#endif

#define MCUBOOT_WATCHDOG_FEED() (void)0
#define MCUBOOT_CPU_IDLE() (void)0

#include "mcuboot_assert.h"

#endif
