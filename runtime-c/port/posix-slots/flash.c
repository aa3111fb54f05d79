/*
 * The posix port: the slots of models and functions, each kind a file in the state directory that is written
 * as NOR flash would be and read in place. What a call of tmc/port.h wrote is on the disk when it returns.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "../common/slots.h"
#include "../posix/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TMC_POSIX_SLOT_BYTES
#define TMC_POSIX_SLOT_BYTES (1 << 20) /* of each of the two */
#endif
enum { PAGE = 4096, REGION = 2 * TMC_POSIX_SLOT_BYTES };

typedef struct {
    const char *name;
    int fd; /* 0: not opened yet, -1: that failed */
    const uint8_t *memory;
    tmc_update_flash flash;
} region;

static bool read_region(void *context, uint32_t at, uint8_t *out, uint32_t size) {
    const region *const r = context;
    memcpy(out, r->memory + at, size);
    return true;
}

static bool write_bytes(const region *r, uint32_t at, const uint8_t *bytes, uint32_t size) {
    while (size > 0) {
        const ssize_t n = pwrite(r->fd, bytes, size, (off_t)at);
        if (n < 0 && errno != EINTR) {
            posix_log(LOG_ERROR, "slots of %s: %s", r->name, strerror(errno));
            return false;
        }
        const uint32_t done = n < 0 ? 0U : (uint32_t)n;
        at += done;
        bytes += done;
        size -= done;
    }
    return true;
}

/* Bits are only cleared, as in flash. */
static bool write_region(void *context, uint32_t at, const uint8_t *bytes, uint32_t size) {
    const region *const r = context;
    uint8_t merged[256];
    for (uint32_t done = 0; done < size;) {
        const uint32_t n = size - done < sizeof merged ? size - done : (uint32_t)sizeof merged;
        for (uint32_t i = 0; i < n; i++) {
            merged[i] = r->memory[at + done + i] & bytes[done + i];
        }
        if (!write_bytes(r, at + done, merged, n)) {
            return false;
        }
        done += n;
    }
    return true;
}

static bool erase_region(void *context, uint32_t at) {
    static uint8_t blank[PAGE];
    memset(blank, 0xff, sizeof blank);
    return write_bytes(context, at, blank, PAGE);
}

#define REGION_OF(kind, label)                                                                               \
    [kind] = {.name = (label),                                                                               \
              .flash = {.page = PAGE,                                                                        \
                        .unit = 8,                                                                           \
                        .slot = {0, TMC_POSIX_SLOT_BYTES},                                                   \
                        .slot_bytes = TMC_POSIX_SLOT_BYTES,                                                  \
                        .read = read_region,                                                                 \
                        .write = write_region,                                                               \
                        .erase = erase_region}}

static region regions[] = {REGION_OF(TMC_SLOT_MODEL, "model"), REGION_OF(TMC_SLOT_FUNCTION, "function")};

/* A new file, or what is missing of one, is erased flash. */
static bool fill(region *r) {
    struct stat info;
    if (fstat(r->fd, &info) != 0 || info.st_size > REGION) {
        errno = errno == 0 ? EFBIG : errno;
        return false;
    }
    for (uint32_t at = (uint32_t)info.st_size / PAGE * PAGE; info.st_size < REGION && at < REGION;
         at += PAGE) {
        if (!erase_region(r, at)) {
            return false;
        }
    }
    return true;
}

static bool open_region(region *r) {
    char path[TMC_POSIX_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/slots.%s", posix_opt.state_dir, r->name);
    errno = 0;
    r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    void *memory = MAP_FAILED;
    if (r->fd >= 0 && fill(r) && fdatasync(r->fd) == 0) {
        memory = mmap(NULL, REGION, PROT_READ, MAP_SHARED, r->fd, 0);
    }
    if (memory == MAP_FAILED) {
        posix_log(LOG_ERROR, "%s: %s", path, strerror(errno));
        r->fd = -1;
        return false;
    }
    r->memory = memory;
    return true;
}

const tmc_update_flash *tmc_slots_flash(int32_t kind) {
    region *const r = &regions[kind];
    if (r->fd == 0 && open_region(r)) {
        r->flash.context = r;
    }
    return r->fd > 0 ? &r->flash : NULL;
}

const uint8_t *tmc_slots_memory(int32_t kind, uint32_t at, uint32_t size) {
    return at <= REGION && size <= REGION - at ? regions[kind].memory + at : NULL;
}

/* A loss of power takes nothing that a call has reported as written. */
void tmc_slots_changed(bool whole) {
    (void)whole;
    for (size_t i = 1; i < sizeof regions / sizeof regions[0]; i++) {
        if (regions[i].fd > 0) {
            (void)fdatasync(regions[i].fd);
        }
    }
}
