/*
 * The Zephyr port: keeps the simulated flash of a QEMU board in a file of the host (--store=FILE), so that
 * settings survive the emulator. The flash is read before the settings are mounted and written after every
 * change to them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "store-semihost.h"

#include "zport.h"

#include <zephyr/arch/common/semihost.h>
#include <zephyr/device.h>
#include <zephyr/drivers/flash/flash_simulator.h>

static const struct device *const flash = DEVICE_DT_GET(DT_CHOSEN(zephyr_flash_controller));

void zport_store_load(void) {
    size_t size = 0;
    void *memory = flash_simulator_get_memory(flash, &size);
    const char *path = zport_args()->store;
    long file = path != NULL ? semihost_open(path, SEMIHOST_OPEN_RB) : -1;
    if (file < 0) {
        return; /* the first start: an empty flash */
    }
    if (semihost_flen(file) != (long)size || semihost_read(file, memory, (long)size) < 0) {
        zport_log(ZPORT_WARN, "%s is no flash of %lu bytes: starting with an empty one", path,
                  (unsigned long)size);
    }
    (void)semihost_close(file);
}

void zport_store_save(void) {
    size_t size = 0;
    const void *memory = flash_simulator_get_memory(flash, &size);
    const char *path = zport_args()->store;
    if (path == NULL) {
        return;
    }
    long file = semihost_open(path, SEMIHOST_OPEN_WB);
    if (file < 0 || semihost_write(file, memory, (long)size) != 0) {
        zport_log(ZPORT_ERROR, "%s could not be written", path);
    }
    if (file >= 0) {
        (void)semihost_close(file);
    }
}
