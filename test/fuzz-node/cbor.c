/*
 * Fuzzing of the compiled node: an own reader of CBOR, strict for what the node says (RFC 8949, 4.2.1),
 * lenient for what it is sent. It shares nothing with the firmware's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "session.h"

#include <math.h>
#include <string.h>

#define DEPTH_MAX 16

const uint8_t *cbor_head(const uint8_t *at, const uint8_t *end, int *major, uint64_t *argument) {
    if (at == NULL || at >= end) {
        return NULL;
    }
    const int info = *at & 31;
    *major = *at >> 5;
    at++;
    if (info < 24) {
        *argument = (uint64_t)info;
        return at;
    }
    if (info > 27 || end - at < 1 << (info - 24)) {
        return NULL;
    }
    *argument = 0;
    for (int n = 1 << (info - 24); n > 0; n--) {
        *argument = *argument << 8 | *at++;
    }
    return at;
}

static double half(uint64_t bits) {
    const int exponent = (int)(bits >> 10 & 31U);
    const double fraction = (double)(bits & 1023U);
    const double value = exponent == 0    ? ldexp(fraction, -24)
                         : exponent == 31 ? (fraction > 0 ? (double)NAN : (double)INFINITY)
                                          : ldexp(fraction + 1024, exponent - 25);
    return (bits & 0x8000U) != 0 ? -value : value;
}

/* Is there a half float of this value? */
static bool fits_half(double value) {
    if (isnan(value) || isinf(value) || value == 0) {
        return true;
    }
    int exponent;
    const double fraction = fabs(frexp(value, &exponent)); /* 0.5 to 1 */
    if (exponent > 16) {
        return false;
    }
    const int bits = exponent >= -13 ? 11 : exponent + 24; /* subnormals have fewer */
    return bits > 0 && ldexp(fraction, bits) == floor(ldexp(fraction, bits));
}

static bool shortest_float(int info, uint64_t bits) {
    if (info == 26) {
        const uint32_t word = (uint32_t)bits;
        float value;
        memcpy(&value, &word, sizeof value);
        return !fits_half((double)value);
    }
    if (info == 27) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return !isnan(value) && (double)(float)value != value;
    }
    return info != 25 || !isnan(half(bits)) || bits == 0x7e00U;
}

static bool is_utf8(const uint8_t *at, uint64_t size) {
    const uint8_t *const end = at + size;
    while (at < end) {
        const int more = *at < 0x80 ? 0 : *at >= 0xf0 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc2 ? 1 : -1;
        if (more < 0 || *at > 0xf4 || end - at <= more) {
            return false;
        }
        for (int i = 1; i <= more; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return false;
            }
        }
        at += more + 1;
    }
    return true;
}

const uint8_t *cbor_item(const uint8_t *at, const uint8_t *end, int depth) {
    int major;
    uint64_t argument;
    const uint8_t *const start = at;
    at = cbor_head(at, end, &major, &argument);
    if (at == NULL || depth > DEPTH_MAX) {
        return NULL;
    }
    const int info = *start & 31;
    if (major == 7) {
        const bool simple = info >= 20 && info <= 22;
        return simple || (info >= 25 && shortest_float(info, argument)) ? at : NULL;
    }
    if ((info == 24 && argument < 24) || (info == 25 && argument < 256) || (info == 26 && argument < 65536) ||
        (info == 27 && argument <= UINT32_MAX)) {
        return NULL; /* a shorter head would do */
    }
    if (major < 2) {
        return at;
    }
    if (argument > (uint64_t)(end - at) || major == 6) {
        return NULL; /* the protocol has no tags */
    }
    if (major < 4) {
        return major == 3 && !is_utf8(at, argument) ? NULL : at + argument;
    }
    const uint8_t *last = NULL;
    size_t last_size = 0;
    for (uint64_t i = 0; i < argument && at != NULL; i++) {
        if (major == 5) {
            const uint8_t *const key = at;
            at = cbor_item(at, end, depth + 1);
            if (at == NULL) {
                return NULL;
            }
            const size_t size = (size_t)(at - key);
            if (last != NULL) {
                const int order = memcmp(last, key, last_size < size ? last_size : size);
                if (order > 0 || (order == 0 && last_size >= size)) {
                    return NULL; /* keys do not ascend */
                }
            }
            last = key;
            last_size = size;
        }
        at = cbor_item(at, end, depth + 1);
    }
    return at;
}

const uint8_t *cbor_skip(const uint8_t *at, const uint8_t *end) {
    uint64_t pending = 1;
    while (pending > 0 && at != NULL) {
        int major;
        uint64_t argument;
        pending--;
        at = cbor_head(at, end, &major, &argument);
        if (at == NULL || (major >= 2 && major <= 5 && argument > (uint64_t)(end - at))) {
            return NULL;
        }
        if (major == 2 || major == 3) {
            at += argument;
        } else if (major == 4 || major == 5) {
            pending += major == 5 ? 2 * argument : argument;
        } else if (major == 6) {
            pending++;
        }
    }
    return at;
}
