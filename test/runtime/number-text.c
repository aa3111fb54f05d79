/* Prints TEST_COUNT numbers, one a line. SPDX-License-Identifier: Apache-2.0 */
#include "tmc/port.h"

#include "test-values.h"

#ifndef TEST_COUNT
#define TEST_COUNT 1
#endif

void tmc_program_main(void) {
    for (uint32_t i = 0U; i < TEST_COUNT; i++) {
        tmc_log_f64(test_value(i));
        if (i % 8U == 0U) {
            tmc_log_i32((int32_t)test_random_state);
            tmc_log_u32(test_random_state);
        }
        tmc_log_end();
    }
    static const double special[] = {0.0,
                                     -0.0,
                                     5e-324,
                                     -5e-324,
                                     1.5e-323,
                                     2.2250738585072014e-308,
                                     2.225073858507201e-308,
                                     1.7976931348623157e308,
                                     1e21,
                                     1e20,
                                     999999999999999900000.0,
                                     123456789012345680000.0,
                                     1e-6,
                                     1e-7,
                                     1.5e-7,
                                     0.000001234,
                                     9007199254740991.0,
                                     9007199254740992.0,
                                     9007199254740994.0,
                                     4294967296.0,
                                     1e23,
                                     9.5,
                                     0.1,
                                     (double)0.1f,
                                     100.0,
                                     4.35};
    for (uint32_t i = 0U; i < sizeof special / sizeof special[0]; i++) {
        tmc_log_f64(special[i]);
        tmc_log_end();
    }
    tmc_log_f64(test_double_of(0x7ff00000U, 0U));
    tmc_log_f64(test_double_of(0xfff00000U, 0U));
    tmc_log_f64(test_double_of(0x7ff80000U, 1U));
    tmc_log_i32(INT32_MIN);
    tmc_log_i32(INT32_MAX);
    tmc_log_u32(UINT32_MAX);
    tmc_log_bool(true);
    tmc_log_bool(false);
    tmc_log_str(TMC_STR(""));
    tmc_log_str(TMC_STR("end"));
    tmc_log_end();
}
