/*
 * Function images: a function that a node loads into a slot of its flash and calls there, without a firmware
 * of its own. The code is position independent: it runs where it lies, its RAM is where register 9 points.
 * Format and reasons: docs/functions.md, docs/decisions/function-slots.md.
 *
 * The checks make loading safe, not running: code that the owner signed can do what the firmware can do.
 * Nothing here allocates, waits or knows a flash; one thread calls.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_FUNCTION_H
#define TMC_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TMC_FUNCTION_MAGIC = 0x49434d54, /* "TMCI" */
    TMC_FUNCTION_FORMAT = 1,
    TMC_FUNCTION_ABI = 1, /* of the frame and the imports below */
    TMC_FUNCTION_HEADER_BYTES = 160,
    TMC_FUNCTION_NAME_BYTES = 32, /* of name and of version, zeros after the end */
    TMC_FUNCTION_TEXT_MOST = 255  /* bytes of the text of a trap that are passed on */
};

/* What the code was compiled for. */
enum { TMC_FUNCTION_CORTEX_M4F = 1, TMC_FUNCTION_CORTEX_M3 = 2 };

/* Where things are in the header: words of 32 bits, little-endian; offsets in bytes from its start. */
enum {
    TMC_FUNCTION_AT_MAGIC = 0,
    TMC_FUNCTION_AT_FORMAT = 4,
    TMC_FUNCTION_AT_ABI = 8,
    TMC_FUNCTION_AT_MACHINE = 12,
    TMC_FUNCTION_AT_BYTES = 16, /* of the whole image */
    TMC_FUNCTION_AT_CODE = 20,  /* offset and size of code with constants */
    TMC_FUNCTION_AT_CODE_BYTES = 24,
    TMC_FUNCTION_AT_ENTRY = 28, /* offset in the code */
    TMC_FUNCTION_AT_DATA = 32,  /* offset and size of what RAM begins with; zeros follow, up to RAM_BYTES */
    TMC_FUNCTION_AT_DATA_BYTES = 36,
    TMC_FUNCTION_AT_RAM_BYTES = 40,
    TMC_FUNCTION_AT_RELOCATIONS = 44, /* words: offset in the data, bit 0: into RAM, else into the code */
    TMC_FUNCTION_AT_RELOCATION_COUNT = 48,
    TMC_FUNCTION_AT_STACK = 52,   /* bytes of the deepest call, without what imports take */
    TMC_FUNCTION_AT_TIME = 56,    /* most microseconds of a call; 0: not stated */
    TMC_FUNCTION_AT_IMPORTS = 60, /* bit n: it calls import n */
    TMC_FUNCTION_AT_INPUT = 64,   /* most bytes of input and of output */
    TMC_FUNCTION_AT_OUTPUT = 68,
    TMC_FUNCTION_AT_TYPES = 72, /* offset and size: CBOR, [descriptor of the input, of the output] */
    TMC_FUNCTION_AT_TYPES_BYTES = 76,
    TMC_FUNCTION_AT_GOLDEN = 80, /* an input, then the output that it must give */
    TMC_FUNCTION_AT_GOLDEN_INPUT = 84,
    TMC_FUNCTION_AT_GOLDEN_OUTPUT = 88,
    TMC_FUNCTION_AT_ZERO = 92,
    TMC_FUNCTION_AT_NAME = 96,
    TMC_FUNCTION_AT_VERSION = 128
};

/* Imports of ABI 1, by number. */
enum { TMC_FUNCTION_IMPORT_LOG = 0, TMC_FUNCTION_IMPORTS = 1 };

typedef void (*tmc_function_import)(void);                             /* of its own type when it is called */
typedef void (*tmc_function_log)(const uint8_t *bytes, uint32_t size); /* import 0 */

/* What the entry gets, in RAM of the caller. It gives the bytes of the output. */
typedef struct {
    const uint8_t *input;
    int32_t input_bytes;
    uint8_t *output; /* output_bytes of them, zeros */
    int32_t output_bytes;
    const tmc_function_import *imports; /* those that are not declared do nothing */
    int32_t kind;                       /* out: 0, or the tmc_trap_kind that ended the call */
    int32_t site;                       /* out: its site */
    const uint8_t *text;                /* out: of `throw new Error(text)`, in the image or its RAM */
    int32_t text_bytes;
} tmc_function_frame;

typedef int32_t (*tmc_function_entry)(tmc_function_frame *frame);

/* What a node has for a function. */
typedef struct {
    uint32_t machine; /* TMC_FUNCTION_CORTEX_…; 0: none, nothing is loaded */
    uint32_t flash;   /* bytes of content that a slot has room for */
    uint32_t ram;
    uint32_t stack;
    uint32_t input; /* most bytes of input and of output */
    uint32_t output;
} tmc_function_limits;

typedef enum {
    TMC_FUNCTION_OK = 0,
    TMC_FUNCTION_NOT_AN_IMAGE,
    TMC_FUNCTION_WRONG_FORMAT,
    TMC_FUNCTION_WRONG_ABI,
    TMC_FUNCTION_WRONG_MACHINE,
    TMC_FUNCTION_NO_IMPORT, /* this firmware does not have one that it declares */
    TMC_FUNCTION_TOO_LARGE,
    TMC_FUNCTION_TOO_MUCH_RAM,
    TMC_FUNCTION_TOO_MUCH_STACK,
    TMC_FUNCTION_TOO_MUCH_DATA, /* input or output */
    TMC_FUNCTION_BAD_HEADER,    /* parts outside the image, impossible numbers */
    TMC_FUNCTION_BAD_NAME,
    TMC_FUNCTION_BAD_RELOCATION,
    TMC_FUNCTION_BAD_SELF_TEST /* it gave another output than it must */
} tmc_function_reason;

/* What the header alone says: before flash is erased. `header` is at a multiple of 4. */
tmc_function_reason tmc_function_plan(const void *header, const tmc_function_limits *limits);
/* Everything: an image of `size` bytes that passes makes the functions below write nothing but its RAM and
 * the output, and enter the code at an instruction inside it. `image` is at a multiple of 4. */
tmc_function_reason tmc_function_check(const void *image, uint32_t size, const tmc_function_limits *limits);
/* A word of the header, or of the image at a multiple of 4. */
uint32_t tmc_function_word(const void *image, uint32_t at);

/* Where a call happens. */
typedef struct {
    const void *image; /* checked */
    void *ram;         /* limits.ram bytes at a multiple of 8; for the call alone */
    uint32_t stack;    /* bytes that are left */
    tmc_function_log log;
} tmc_function_place;

typedef struct {
    int32_t bytes; /* of output; 0 after a trap */
    int32_t kind;  /* 0, or a tmc_trap_kind */
    int32_t site;
    const uint8_t *text; /* until the next call; NULL: none */
    int32_t text_bytes;
} tmc_function_result;

/* Calls it once. Every call begins with the same RAM. `output` has room for `output_room` bytes, of which the
 * image's most are used. A function without enough stack is not entered: kind TMC_TRAP_STACK. */
void tmc_function_run(const tmc_function_place *place, const uint8_t *input, int32_t input_bytes,
                      uint8_t *output, int32_t output_room, tmc_function_result *result);
/* Does it give the output it carries? `output` is room for the calculation: limits.output bytes. */
tmc_function_reason tmc_function_self_test(const tmc_function_place *place, uint8_t *output,
                                           int32_t output_room, tmc_function_result *result);

/* Calls the entry with register 9 on its RAM; in a file of its own for each machine, as nothing else here
 * knows a processor. */
int32_t tmc_function_enter(const void *code, uint32_t entry, void *ram, tmc_function_frame *frame);

#endif
