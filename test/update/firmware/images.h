/*
 * Firmware to install: images as imgtool makes them (header, body, security counter, SHA-256, key, ECDSA
 * P-256), each with the header of an update.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TEST_IMAGES_H
#define TEST_IMAGES_H

#include "../versions.h"

/* By number: 1 to 3 are good and follow each other. The content of WRONG_CONTENT is not that of its digest,
 * WRONG_KEY is signed by somebody else, the image of UNSIGNED (not its header) too; OLDER has a lower counter
 * than any of them; NO_IMAGE is signed, but not an image. */
enum { UNSIGNED = VERSIONS, OLDER, NO_IMAGE, IMAGES };
extern version images[IMAGES];

/* `bytes`: about so many in each body. */
void make_images(uint32_t bytes);

#endif
