/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_MCUBOOT_LOGGING_H
#define TEST_MCUBOOT_LOGGING_H

#include <stdio.h>

#define MCUBOOT_LOG_MODULE_DECLARE(domain)
#define MCUBOOT_LOG_MODULE_REGISTER(domain)
#define MCUBOOT_LOG_ERR(...) (printf("  error: " __VA_ARGS__), printf("\n"))
#define MCUBOOT_LOG_WRN(...) (printf("  warning: " __VA_ARGS__), printf("\n"))
#define MCUBOOT_LOG_INF(...) (printf("  " __VA_ARGS__), printf("\n"))
#define MCUBOOT_LOG_DBG(...) (void)0
#define MCUBOOT_LOG_SIM(...) (void)0

#endif
