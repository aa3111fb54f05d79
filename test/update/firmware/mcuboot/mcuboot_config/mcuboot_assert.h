/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MCUBOOT_ASSERT_H
#define TEST_MCUBOOT_ASSERT_H

_Noreturn void boot_halted(const char *why);
#define ASSERT(x) ((x) ? (void)0 : boot_halted(#x))
#undef assert
#define assert(x) ASSERT(x)

#endif
