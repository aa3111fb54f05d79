/*
 * Costs by mnemonic. See costs.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "costs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { WORD = 16 };

/* The mnemonic; returns what follows it. */
static const char *split(const char *text, char mnemonic[WORD]) {
    size_t size = 0;
    while (text[size] != '\0' && text[size] != ' ' && text[size] != '\t') {
        size++;
    }
    snprintf(mnemonic, WORD, "%.*s", (int)size, text);
    return text + size;
}

static bool starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Registers in {r4, r5-r7}. */
static int registers(const char *operands) {
    const char *at = strchr(operands, '{');
    int count = 0;
    while (at != NULL && *at != '}' && *at != '\0') {
        at++;
        int low = 0;
        int high = 0;
        char letter = 0;
        const bool range = sscanf(at, " %c%d - %c%d", &letter, &low, &letter, &high) == 4;
        count += range ? high - low + 1 : 1;
        at = strpbrk(at, ",}");
    }
    return count == 0 ? 1 : count;
}

/* [rn, rm]: an index in a register. */
static bool has_register_index(const char *operands) {
    const char *open = strchr(operands, '[');
    const char *comma = open == NULL ? NULL : strchr(open, ',');
    const char *close = open == NULL ? NULL : strchr(open, ']');
    return comma != NULL && close != NULL && comma < close && strchr(comma, '#') == NULL;
}

static cost float_cost(const char *m, const char *operands) {
    if (starts(m, "vldm") || starts(m, "vpop") || starts(m, "vstm") || starts(m, "vpush")) {
        return (cost){KIND_MULTIPLE, 1 + registers(operands), GOES_ON};
    }
    if (starts(m, "vldr") || starts(m, "vstr")) {
        return (cost){m[1] == 'l' ? KIND_LOAD : KIND_STORE, 2, GOES_ON};
    }
    if (starts(m, "vdiv") || starts(m, "vsqrt")) {
        return (cost){KIND_FLOAT, 14, GOES_ON};
    }
    const bool fused =
        starts(m, "vmla") || starts(m, "vmls") || starts(m, "vnml") || starts(m, "vfm") || starts(m, "vfnm");
    return (cost){KIND_FLOAT, fused ? 3 : 1, GOES_ON};
}

static cost memory_cost(const char *m, const char *operands) {
    const bool to_pc = strstr(operands, "pc") != NULL;
    if (starts(m, "ldm") || starts(m, "pop")) {
        return (cost){KIND_MULTIPLE, 1 + registers(operands), to_pc ? JUMPS_INDIRECTLY : GOES_ON};
    }
    if (starts(m, "stm") || starts(m, "push")) {
        return (cost){KIND_MULTIPLE, 1 + registers(operands), GOES_ON};
    }
    if (starts(m, "ldrd") || starts(m, "strd")) {
        return (cost){KIND_MULTIPLE, 3, GOES_ON};
    }
    if (starts(m, "ldr")) {
        char target[WORD] = "";
        sscanf(operands, " %15[^,]", target);
        return strcmp(target, "pc") == 0 ? (cost){KIND_BRANCH, 2, JUMPS_INDIRECTLY}
                                         : (cost){KIND_LOAD, 2, GOES_ON};
    }
    return (cost){KIND_STORE, has_register_index(operands) ? 2 : 1, GOES_ON};
}

static bool is_conditional_branch(const char *m) {
    const size_t size = strlen(m);
    return m[0] == 'b' && (size == 3 || (size == 5 && m[3] == '.')) && !starts(m, "bic") &&
           !starts(m, "bfc") && !starts(m, "bfi");
}

cost cost_of(const char *disassembly) {
    char m[WORD];
    const char *operands = split(disassembly, m);
    if (m[0] == 'v') {
        return float_cost(m, operands);
    }
    if (starts(m, "ldr") || starts(m, "ldm") || starts(m, "pop") || starts(m, "str") || starts(m, "stm") ||
        starts(m, "push")) {
        return memory_cost(m, operands);
    }
    if (starts(m, "it") && strlen(m) <= 4) {
        return (cost){KIND_IT, 1, GOES_ON};
    }
    if (starts(m, "tbb") || starts(m, "tbh")) {
        return (cost){KIND_BRANCH, 2, JUMPS_INDIRECTLY};
    }
    if (starts(m, "blx") || starts(m, "bx")) {
        return (cost){KIND_BRANCH, 1, JUMPS_INDIRECTLY};
    }
    if (starts(m, "cbz") || starts(m, "cbnz") || is_conditional_branch(m)) {
        return (cost){KIND_BRANCH, 1, MAY_JUMP};
    }
    if (strcmp(m, "b") == 0 || strcmp(m, "b.w") == 0 || strcmp(m, "bl") == 0) {
        return (cost){KIND_BRANCH, 1, JUMPS};
    }
    return (cost){KIND_DATA, starts(m, "sdiv") || starts(m, "udiv") ? 7 : 1, GOES_ON};
}

bool address_depends(const char *before, const char *next) {
    char m[WORD];
    char result[WORD] = "";
    sscanf(split(before, m), " %15[^,]", result);
    const char *address = strchr(next, '[');
    if (address == NULL) { /* ldm, stm: the base comes first */
        char base[WORD] = "";
        sscanf(split(next, m), " %15[^, !]", base);
        return strcmp(base, result) == 0;
    }
    const char *found = result[0] == '\0' ? NULL : strstr(address, result);
    return found != NULL && !isdigit((unsigned char)found[strlen(result)]);
}
