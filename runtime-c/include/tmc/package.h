/*
 * Model packages: a model as data, accepted and run by firmware that was built without it. A package is read
 * in place, at an address that is a multiple of 4, little-endian; what is in it: docs/model-packages.md.
 *
 * Nothing here allocates, writes flash or checks signatures. A package is not used before tmc_package_check
 * has accepted it; one that it accepted makes tmc_package_run read and write nothing but the package and its
 * arena.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_PACKAGE_H
#define TMC_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TMC_PACKAGE_MAGIC = 0x4d434d54, /* "TMCM" */
    TMC_PACKAGE_FORMAT = 1,
    TMC_PACKAGE_KERNEL_SET = 1, /* grows when a kernel reads its numbers or weights otherwise */
    TMC_PACKAGE_HEADER_BYTES = 96,
    TMC_PACKAGE_DIGEST_BYTES = 32 /* the end of a package: SHA-256 of all before */
};

/* Numbers of the kernels in packages; `1 << number` in masks. */
enum {
    TMC_PACKAGE_CONV = 1,
    TMC_PACKAGE_CONV_1X1,
    TMC_PACKAGE_CONV_DILATED,
    TMC_PACKAGE_CONV_GENERAL,
    TMC_PACKAGE_DEPTHWISE,
    TMC_PACKAGE_DEPTHWISE_GENERAL,
    TMC_PACKAGE_DEPTHWISE_PORTABLE,
    TMC_PACKAGE_DENSE,
    TMC_PACKAGE_DENSE_GENERAL,
    TMC_PACKAGE_ADD,
    TMC_PACKAGE_ADD_FAST,
    TMC_PACKAGE_MAX_POOL,
    TMC_PACKAGE_AVERAGE_POOL,
    TMC_PACKAGE_AVERAGE_POOL_FAST,
    TMC_PACKAGE_SOFTMAX,
    TMC_PACKAGE_COPY,
    TMC_PACKAGE_FILL,
    TMC_PACKAGE_MOVE,
    TMC_PACKAGE_RESIZE,
    TMC_PACKAGE_SUM,
    TMC_PACKAGE_REDUCE_MAX,
    TMC_PACKAGE_REDUCE_MIN,
    TMC_PACKAGE_MAX_POOL_FAST,
    TMC_PACKAGE_DENSE_WIDE,
    TMC_PACKAGE_ADD_EQUAL,
    TMC_PACKAGE_LOOKUP,
    TMC_PACKAGE_ELEMENTWISE,
    TMC_PACKAGE_KERNEL_END
};

/* The kernels that this firmware links; define it (for the whole build) to leave some out. */
#ifndef TMC_PACKAGE_KERNELS
#define TMC_PACKAGE_KERNELS ((1U << TMC_PACKAGE_KERNEL_END) - 2U)
#endif

typedef enum {
    TMC_PACKAGE_OK = 0,
    TMC_PACKAGE_ALIGNMENT,      /* the package does not start at a multiple of 4 */
    TMC_PACKAGE_TRUNCATED,      /* other size than the header says */
    TMC_PACKAGE_NOT_A_PACKAGE,  /* no magic number */
    TMC_PACKAGE_WRONG_FORMAT,   /* another version of the format */
    TMC_PACKAGE_WRONG_KERNELS,  /* another kernel set */
    TMC_PACKAGE_NO_KERNEL,      /* a kernel that this firmware does not link */
    TMC_PACKAGE_TOO_LARGE,      /* for the slot's flash */
    TMC_PACKAGE_TOO_MUCH_RAM,   /* for the slot's arena */
    TMC_PACKAGE_TOO_MUCH_WORK,  /* for the slot, or more than the header says */
    TMC_PACKAGE_BAD_HEADER,     /* a count or an offset of the header is impossible */
    TMC_PACKAGE_WRONG_DIGEST,   /* the bytes are not those that were packaged */
    TMC_PACKAGE_BAD_DESCRIPTOR, /* of an input or output */
    TMC_PACKAGE_BAD_GOLDEN,     /* the self-test has another size */
    TMC_PACKAGE_BAD_PROGRAM,    /* a step is unknown, not announced or cut off */
    TMC_PACKAGE_BAD_SHAPE,      /* the shapes of a step contradict each other */
    TMC_PACKAGE_BAD_TENSOR,     /* a tensor or scratch memory outside of the arena */
    TMC_PACKAGE_BAD_CONSTANT,   /* weights outside of the package, or not aligned */
    TMC_PACKAGE_BAD_NUMBER,     /* a multiplier, shift, offset or bound out of range */
    TMC_PACKAGE_BAD_OVERLAP,    /* memory that must be apart is not */
    TMC_PACKAGE_BAD_ABOUT       /* what is said of the model is not well-formed */
} tmc_package_reason;

/* `step`: where; -1 for the package as a whole. */
typedef struct {
    tmc_package_reason reason;
    int32_t step;
} tmc_package_verdict;

/* What a node has for a package. */
typedef struct {
    uint32_t flash; /* bytes for the package */
    uint32_t ram;   /* bytes of the arena, which starts at a multiple of 4 */
    uint32_t work;  /* most multiplications, comparisons or copies of one inference; 0: any number */
    /* The SHA-256 of `size` bytes, e.g. by the crypto library of the node. NULL: the caller has checked it.
     */
    void (*sha256)(const uint8_t *data, uint32_t size, uint8_t digest[TMC_PACKAGE_DIGEST_BYTES]);
} tmc_package_slot;

/* What can be said from the header alone, before the first byte is written to flash. `header`: aligned. */
tmc_package_verdict tmc_package_plan(const void *header, const tmc_package_slot *slot);

/* Everything. `size`: bytes that were received. */
tmc_package_verdict tmc_package_check(const void *package, uint32_t size, const tmc_package_slot *slot);

/* A tensor that the caller writes or reads. */
typedef struct {
    int8_t *data;
    int32_t size;
    int32_t rank;
    int32_t shape[6];
    float scale;
    int32_t zero_point;
} tmc_package_tensor;

/* The rest is for packages that were accepted, with an arena as large as the header says or larger. */
int32_t tmc_package_input_count(const void *package);
int32_t tmc_package_output_count(const void *package);
uint32_t tmc_package_arena_bytes(const void *package);
/* Up to 32 bytes, not always terminated. */
const char *tmc_package_name(const void *package);
/* Inputs first, then outputs. Inputs are written before each run: their memory may hold other tensors later.
 */
tmc_package_tensor tmc_package_tensor_at(const void *package, int8_t *arena, int32_t index);

/* One inference. */
void tmc_package_run(const void *package, int8_t *arena);

/* Whether the package computes the outputs that it holds for the inputs that it holds; true if it holds none.
 */
bool tmc_package_self_test(const void *package, int8_t *arena);

#endif
