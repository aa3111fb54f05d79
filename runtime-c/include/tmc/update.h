/*
 * Two slots in flash for what a node takes over the bus: while one is running, the other one receives. After
 * a loss of power at any write or erase the node starts the version it had or the new one, whole and signed,
 * never a mixture. The layout and why it holds: docs/updates.md.
 *
 * Nothing here allocates, waits or knows a network; flash and signatures come in as functions. One thread
 * owns a store.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_UPDATE_H
#define TMC_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TMC_UPDATE_MAGIC = 0x55434d54, /* "TMCU" */
    TMC_UPDATE_FORMAT = 1,
    TMC_UPDATE_SIGNED_BYTES = 128, /* of the header: what the signature is of */
    TMC_UPDATE_SIGNATURE_BYTES = 64,
    TMC_UPDATE_HEADER_BYTES = TMC_UPDATE_SIGNED_BYTES + TMC_UPDATE_SIGNATURE_BYTES,
    TMC_UPDATE_DIGEST_BYTES = 32,
    TMC_UPDATE_NAME_BYTES = 32, /* of name and of version, zeros after the end; at least one */
    TMC_UPDATE_UNIT_MAX = 32,
    TMC_UPDATE_ATTEMPTS_MAX = 8
};

/* Where things are in a header; numbers are little-endian. The rest of the signed bytes is 0. */
enum {
    TMC_UPDATE_AT_MAGIC = 0,
    TMC_UPDATE_AT_FORMAT = 4,
    TMC_UPDATE_AT_KIND = 8,
    TMC_UPDATE_AT_SIZE = 12,
    TMC_UPDATE_AT_COUNTER = 16, /* versions that must not come back have lower ones */
    TMC_UPDATE_AT_DIGEST = 20,  /* SHA-256 of the content */
    TMC_UPDATE_AT_NAME = 52,
    TMC_UPDATE_AT_VERSION = 84,
    TMC_UPDATE_AT_ZERO = 116,
    TMC_UPDATE_AT_SIGNATURE = 128 /* ECDSA P-256 of the SHA-256 of all before: r, s; big-endian */
};

enum { TMC_UPDATE_MODEL = 1 };

/* A region of NOR flash: erased bytes are 0xff, a write only clears bits, each unit is written once between
 * erases; but zeros may be written over anything, and then read as zeros. Offsets are those of the region.
 * Every function returns false when the flash failed, `read` also when what is there cannot be read (errors
 * that ECC cannot correct). */
typedef struct {
    void *context;
    uint32_t page;       /* bytes that are erased at once */
    uint32_t unit;       /* bytes that are written at once: 1, 2, 4, 8, 16 or 32 */
    uint32_t slot[2];    /* where the slots begin; multiples of the page */
    uint32_t slot_bytes; /* of each; a multiple of the page */
    bool (*read)(void *context, uint32_t at, uint8_t *out, uint32_t size);
    bool (*write)(void *context, uint32_t at, const uint8_t *bytes, uint32_t size);
    bool (*erase)(void *context, uint32_t at); /* the page that begins there */
} tmc_update_flash;

typedef struct {
    uint32_t kind;     /* headers of another kind are refused */
    uint32_t minimum;  /* headers with a lower counter are refused, whatever the slots hold */
    uint32_t attempts; /* starts of a version before it is confirmed; 1 to TMC_UPDATE_ATTEMPTS_MAX */
    void *context;
    /* Whether it is the signature of the owner under this SHA-256. */
    bool (*verify)(void *context, const uint8_t digest[TMC_UPDATE_DIGEST_BYTES],
                   const uint8_t signature[TMC_UPDATE_SIGNATURE_BYTES]);
} tmc_update_options;

typedef enum {
    TMC_UPDATE_OK = 0,
    TMC_UPDATE_THERE,         /* begin: the running version is this one; nothing is to be done */
    TMC_UPDATE_BAD_HEADER,    /* not a header, of another kind or format, or with impossible numbers */
    TMC_UPDATE_NO_SPACE,      /* larger than a slot's room */
    TMC_UPDATE_ROLLBACK,      /* its counter is lower than one that was confirmed */
    TMC_UPDATE_BAD_SIGNATURE, /* not signed by the owner */
    TMC_UPDATE_BAD_DIGEST,    /* the content that came is another */
    TMC_UPDATE_GAP,           /* write: not the next bytes; `received` says which are */
    TMC_UPDATE_WRONG_STATE,   /* not now: e.g. begin while the running version is on trial */
    TMC_UPDATE_FLASH_FAILED,  /* begin again: what is there is kept */
    TMC_UPDATE_LAPSED /* begin, once after such a start: its trial ended then, for it never confirmed itself
                       */
} tmc_update_result;

typedef struct {
    bool known; /* there is a header; the rest says nothing without one */
    bool begun; /* it was written to its end */
    bool complete;
    bool trial;
    bool confirmed;
    bool failed;
    bool removed;
    bool lapsed;       /* at this start it had no attempt left; whoever sent it does not know yet */
    uint32_t attempts; /* used */
    uint32_t sequence; /* grows with every begin */
    uint32_t counter;
    uint32_t size;
} tmc_update_slot;

typedef struct {
    const tmc_update_flash *flash;
    const tmc_update_options *options;
    tmc_update_slot slots[2];
    int32_t active;    /* the slot that runs; -1: none */
    bool on_trial;     /* it is not confirmed */
    int32_t target;    /* the slot that receives; -1: none */
    uint32_t received; /* bytes of it */
    uint32_t pending;  /* of these, bytes that wait for the rest of their unit */
    uint8_t unit[TMC_UPDATE_UNIT_MAX];
} tmc_update;

/* Bytes of content that a slot has room for; 0: the geometry is not possible. */
uint32_t tmc_update_room(const tmc_update_flash *flash);
/* Where the content of a slot begins in the region. */
uint32_t tmc_update_content(const tmc_update_flash *flash, int32_t slot);
/* Both stay with the caller. False: the geometry or the options are not possible. */
bool tmc_update_init(tmc_update *u, const tmc_update_flash *flash, const tmc_update_options *options);

/* Decides what runs: a version on trial that has attempts left (this takes one), else the newest confirmed
 * one; -1 when there is none. What it names has been read through: signature and digest are right. To be
 * called at every start, and again after try, reject and remove. */
int32_t tmc_update_boot(tmc_update *u);
/* The header of a slot that is known. */
bool tmc_update_header(const tmc_update *u, int32_t slot, uint8_t out[TMC_UPDATE_HEADER_BYTES]);

/* Checks the header and its signature, and only then makes room for it. `offset`: where to go on; more than 0
 * when this very version was begun before. */
tmc_update_result tmc_update_begin(tmc_update *u, const uint8_t header[TMC_UPDATE_HEADER_BYTES],
                                   uint32_t *offset);
/* The next bytes; `offset` must be `u->received`. Erases the pages that it reaches, one at a time. */
tmc_update_result tmc_update_write(tmc_update *u, uint32_t offset, const uint8_t *bytes, uint32_t size);
/* After the last byte: reads all back and compares the digest. A wrong one ends this transfer for good. */
tmc_update_result tmc_update_finish(tmc_update *u);
/* What is complete runs from the next tmc_update_boot on, on trial. */
tmc_update_result tmc_update_try(tmc_update *u);
/* The version that runs on trial is good: it stays, and no version with a lower counter comes back. */
tmc_update_result tmc_update_confirm(tmc_update *u);
/* The version that runs on trial is bad: it does not run again. */
tmc_update_result tmc_update_reject(tmc_update *u);
/* The confirmed version does not run again. Its counter counts on. */
tmc_update_result tmc_update_remove(tmc_update *u);

#endif
