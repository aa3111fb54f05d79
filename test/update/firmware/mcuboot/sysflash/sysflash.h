/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SYSFLASH_H
#define TEST_SYSFLASH_H

#define FLASH_AREA_IMAGE_PRIMARY(x) 1
#define FLASH_AREA_IMAGE_SECONDARY(x) 2

#endif
