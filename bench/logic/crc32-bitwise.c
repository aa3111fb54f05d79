/* CRC-32 of a kilobyte, bit by bit. SPDX-License-Identifier: Apache-2.0 */
#include "lib/random.h"
#include "tmc/port.h"

static uint8_t message[1024];

static uint32_t crc32(const uint8_t *bytes, size_t size) {
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1U) != 0U ? (crc >> 1) ^ 0xedb88320U : crc >> 1;
        }
    }
    return ~crc;
}

void tmc_program_main(void) {
    uint32_t random = 1U;
    uint32_t sum = 0U;
    for (int round = 0; round < 16; round++) {
        for (size_t i = 0; i < sizeof message; i++) {
            message[i] = (uint8_t)random_next(&random);
        }
        sum ^= crc32(message, sizeof message);
    }
    tmc_log_str(TMC_STR("crc32-bitwise"));
    tmc_log_u32(sum);
    tmc_log_end();
}
