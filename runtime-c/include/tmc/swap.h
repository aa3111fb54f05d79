/*
 * New firmware through a boot loader that swaps two slots (MCUboot): receives the image into the second slot,
 * asks for a test, knows at the next start whether the new one runs, and says when it is to stay. Header and
 * progress are kept in pages of their own, so that a transfer goes on after a restart. Receiving is the
 * update store's (tmc/update.h); swapping, and checking the image's own signature, is the boot loader's.
 *
 * Nothing here allocates, waits or knows a network; flash and boot loader come in as functions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_SWAP_H
#define TMC_SWAP_H

#include "tmc/update.h"

enum { TMC_UPDATE_FIRMWARE = 3 };

typedef struct {
    void *context;
    uint32_t page;          /* bytes that are erased at once */
    uint32_t unit;          /* bytes that are written at once: 1, 2, 4, 8, 16 or 32 */
    uint32_t record_bytes;  /* of the region for header and progress: tmc_swap_record_bytes or more */
    uint32_t slot_bytes;    /* of each slot; multiples of the page */
    uint32_t reserved;      /* of the second slot's end: the boot loader's own, and room for its moves */
    uint32_t trailer_bytes; /* of these, what says which swap is wanted; multiples of the page */
    /* Each false when the flash failed. Offsets are those of the region. */
    bool (*read)(void *context, uint32_t region, uint32_t at, uint8_t *out, uint32_t size);
    bool (*write)(void *context, uint32_t region, uint32_t at, const uint8_t *bytes, uint32_t size);
    bool (*erase)(void *context, uint32_t region, uint32_t at); /* the page that begins there */
    bool (*confirmed)(void *context);                           /* what runs is to stay */
    bool (*confirm)(void *context);                             /* … from now on */
    bool (*test)(void *context); /* the next start tries the image of the second slot */
} tmc_swap_port;

enum { TMC_SWAP_RUNNING, TMC_SWAP_SECOND, TMC_SWAP_RECORD }; /* regions; the first is only read */

typedef enum {
    TMC_SWAP_SETTLED, /* what runs stays */
    TMC_SWAP_TRIAL    /* what runs is on trial: the next restart returns to the old one */
} tmc_swap_state;

typedef struct {
    const tmc_swap_port *port;
    tmc_update u;
    tmc_update_flash flash;
    tmc_update_options options;
    tmc_swap_state state;
    bool runs;     /* what runs is the version of the record */
    bool returned; /* the version of the record was tried and did not stay, and nobody was told yet */
} tmc_swap;

/* Bytes that the record takes for slots of this size. */
uint32_t tmc_swap_record_bytes(uint32_t page, uint32_t unit, uint32_t slot_bytes);
/* Finds out what this start is. `options`: kind and minimum are set here. Both stay with the caller. False:
 * the geometry is not possible. */
bool tmc_swap_start(tmc_swap *f, const tmc_swap_port *port, const tmc_update_options *options);
/* The header of the version that was received, or is being received. */
bool tmc_swap_header(const tmc_swap *f, uint8_t out[TMC_UPDATE_HEADER_BYTES]);
/* As tmc_update_begin. THERE: it runs. BAD_DIGEST: it was tried and did not stay; the next begin tries it
 * anew. WRONG_STATE: what runs is on trial. */
tmc_update_result tmc_swap_begin(tmc_swap *f, const uint8_t header[TMC_UPDATE_HEADER_BYTES],
                                 uint32_t *offset);
tmc_update_result tmc_swap_write(tmc_swap *f, uint32_t offset, const uint8_t *bytes, uint32_t size);
tmc_update_result tmc_swap_finish(tmc_swap *f);
/* After finish: the next start tries it. */
tmc_update_result tmc_swap_try(tmc_swap *f);
/* What runs is good. */
tmc_update_result tmc_swap_confirm(tmc_swap *f);

/* The security counter that an image of MCUboot states; 0 when there is no image or it states none. `read`
 * gives bytes of the image from its first on, at most `most`. */
uint32_t tmc_swap_counter(bool (*read)(void *context, uint32_t at, uint8_t *out, uint32_t size),
                          void *context, uint32_t most);

#endif
