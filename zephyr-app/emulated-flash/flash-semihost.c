/*
 * The flash of a QEMU board: the memory it executes from, written like NOR flash (erased bytes are 0xff, a
 * unit is written once between erases), each change in the host's file (--store=FILE) before the call
 * returns. Whoever kills the emulator cuts the power. Without --store it is memory only. The application and
 * a boot loader before it use the same file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define DT_DRV_COMPAT tmc_semihost_flash

#include <string.h>
#include <zephyr/arch/common/semihost.h>
#include <zephyr/device.h>
#include <zephyr/devicetree.h>
#include <zephyr/drivers/flash.h>
#include <zephyr/kernel.h>

#define NODE DT_INST_CHILD(0, flash_0)
#define SIZE DT_REG_SIZE(NODE)
#define PAGE DT_PROP(NODE, erase_block_size)
#define UNIT DT_PROP(NODE, write_block_size)
#define LOAD_FROM DT_INST_PROP(0, load_from)

static const struct flash_parameters parameters = {.write_block_size = UNIT, .erase_value = 0xff};

/* ---- the host's file
 * ------------------------------------------------------------------------------------------------- */

static char line[512];
static const char *path; /* NULL: nothing is kept */

static const char *store_path(void) {
    struct {
        char *buffer;
        long size;
    } block = {line, (long)sizeof line - 1};
    if (semihost_exec(SEMIHOST_GET_CMDLINE, &block) != 0) {
        return NULL;
    }
    line[sizeof line - 1] = '\0';
    char *save = NULL;
    for (char *word = strtok_r(line, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        if (strncmp(word, "--store=", 8) == 0) {
            return word + 8;
        }
    }
    return NULL;
}

static bool keep(off_t at, const void *bytes, size_t size) {
    if (path == NULL) {
        return true;
    }
    long file = semihost_open(path, SEMIHOST_OPEN_RB_PLUS);
    bool kept =
        file >= 0 && semihost_seek(file, (long)at) == 0 && semihost_write(file, bytes, (long)size) == 0;
    if (file >= 0) {
        (void)semihost_close(file);
    }
    return kept;
}

/* An erased flash in a new file. */
static void make_file(void) {
    static uint8_t blank[PAGE];
    memset(blank, 0xff, sizeof blank);
    long file = semihost_open(path, SEMIHOST_OPEN_WB);
    bool made = file >= 0;
    for (uint32_t at = 0; made && at < SIZE; at += sizeof blank) {
        made = semihost_write(file, blank, (long)sizeof blank) == 0;
    }
    if (file >= 0) {
        (void)semihost_close(file);
    }
    if (!made) {
        printk("flash: %s could not be made\n", path);
    }
}

static int init(const struct device *device) {
    ARG_UNUSED(device);
    uint8_t *from = (uint8_t *)DT_REG_ADDR(NODE) + LOAD_FROM;
    path = store_path();
    long file = path != NULL ? semihost_open(path, SEMIHOST_OPEN_RB) : -1;
    bool read = file >= 0 && semihost_flen(file) == (long)SIZE && semihost_seek(file, LOAD_FROM) == 0 &&
                semihost_read(file, from, (long)(SIZE - LOAD_FROM)) == (long)(SIZE - LOAD_FROM);
    if (file >= 0) {
        (void)semihost_close(file);
    }
    if (!read) {
        if (file >= 0) {
            printk("flash: %s is no flash of %u bytes: starting with an empty one\n", path, (unsigned)SIZE);
        }
        memset(from, 0xff, SIZE - LOAD_FROM);
        if (path != NULL) {
            make_file();
        }
    }
    return 0;
}

/* ---- the flash
 * ------------------------------------------------------------------------------------------------------- */

static uint8_t *memory(off_t at) {
    return (uint8_t *)DT_REG_ADDR(NODE) + at;
}

static bool inside(off_t at, size_t size, size_t grid) {
    return at >= 0 && (size_t)at <= SIZE && size <= SIZE - (size_t)at && (size_t)at % grid == 0 &&
           size % grid == 0;
}

static int flash_semihost_read(const struct device *device, off_t at, void *out, size_t size) {
    ARG_UNUSED(device);
    if (!inside(at, size, 1)) {
        return -EINVAL;
    }
    memcpy(out, memory(at), size);
    return 0;
}

static bool all(const uint8_t *bytes, size_t size, uint8_t value) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static int flash_semihost_write(const struct device *device, off_t at, const void *bytes, size_t size) {
    ARG_UNUSED(device);
    const uint8_t *from = bytes;
    if (!inside(at, size, UNIT)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < size; i += UNIT) {
        /* As on STM32L4+: a unit that is not blank takes nothing but zeros. */
        if (!all(memory(at) + i, UNIT, 0xff) && !all(from + i, UNIT, 0)) {
            return -EIO;
        }
    }
    memcpy(memory(at), bytes, size);
    return keep(at, memory(at), size) ? 0 : -EIO;
}

static int flash_semihost_erase(const struct device *device, off_t at, size_t size) {
    ARG_UNUSED(device);
    if (!inside(at, size, PAGE)) {
        return -EINVAL;
    }
    for (size_t done = 0; done < size; done += PAGE) { /* one by one: the power may go between them */
        memset(memory(at) + done, 0xff, PAGE);
        if (!keep(at + (off_t)done, memory(at) + done, PAGE)) {
            return -EIO;
        }
    }
    return 0;
}

static const struct flash_parameters *flash_semihost_parameters(const struct device *device) {
    ARG_UNUSED(device);
    return &parameters;
}

#ifdef CONFIG_FLASH_PAGE_LAYOUT
static void flash_semihost_layout(const struct device *device, const struct flash_pages_layout **layout,
                                  size_t *size) {
    static const struct flash_pages_layout pages = {.pages_count = SIZE / PAGE, .pages_size = PAGE};
    ARG_UNUSED(device);
    *layout = &pages;
    *size = 1;
}
#endif

#ifndef DEVICE_API /* Zephyr 3.7 */
#define DEVICE_API(class, name) const struct class##_driver_api name
#endif

static DEVICE_API(flash, api) = {
    .read = flash_semihost_read,
    .write = flash_semihost_write,
    .erase = flash_semihost_erase,
    .get_parameters = flash_semihost_parameters,
#ifdef CONFIG_FLASH_PAGE_LAYOUT
    .page_layout = flash_semihost_layout,
#endif
};

DEVICE_DT_INST_DEFINE(0, init, NULL, NULL, NULL, POST_KERNEL, CONFIG_FLASH_INIT_PRIORITY, &api);
