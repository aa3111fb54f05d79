/*
 * The Zephyr port: what survives a restart, in Zephyr's settings (NVS in the storage partition). Names:
 * tmc/kv/KEY what the firmware stores, tmc/boot the count of boots, tmc/reason why the next boot happens, and
 * what identity.c and Wi-Fi read. Without a working flash the node runs on, with a boot counter of 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <stdio.h>
#include <string.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/kernel.h>
#include <zephyr/settings/settings.h>

#define KEY_MAX 32 /* characters, as in port.h */
#define NAME_MAX_SIZE (sizeof "tmc/kv/" + KEY_MAX)

static bool mounted;
static uint32_t boots = 1;
static int32_t reset_reason = 1;

/* ---- one setting
 * ---------------------------------------------------------------------------------------------- */

struct reading {
    void *out;
    size_t size;
    int32_t found; /* -1 until the setting was met */
};

static int on_setting(const char *key, size_t size, settings_read_cb read, void *read_context,
                      void *context) {
    struct reading *r = context;
    if (key != NULL && key[0] != '\0') {
        return 0; /* a setting below the one asked for */
    }
    size_t wanted = size < r->size ? size : r->size;
    ssize_t got = wanted > 0 ? read(read_context, r->out, wanted) : 0;
    r->found = got < 0 ? -1 : (int32_t)size;
    return 0;
}

static int32_t read_setting(const char *name, void *out, size_t size) {
    struct reading r = {.out = out, .size = size, .found = -1};
    if (!mounted || settings_load_subtree_direct(name, on_setting, &r) != 0) {
        return -1;
    }
    return r.found;
}

static bool write_setting(const char *name, const void *value, size_t size) {
    return mounted && settings_save_one(name, value, size) == 0;
}

int32_t zport_setting_read(const char *name, void *out, size_t size) {
    char full[NAME_MAX_SIZE];
    int n = snprintf(full, sizeof full, "tmc/%s", name);
    return n > 0 && (size_t)n < sizeof full ? read_setting(full, out, size) : -1;
}

bool zport_setting_write(const char *name, const void *bytes, size_t size) {
    char full[NAME_MAX_SIZE];
    int n = snprintf(full, sizeof full, "tmc/%s", name);
    if (n <= 0 || (size_t)n >= sizeof full || !mounted) {
        return false;
    }
    if (size > 0) {
        return write_setting(full, bytes, size);
    }
    return settings_delete(full) == 0;
}

const char *zport_setting_text(const char *name, char *out, size_t size) {
    int32_t n = zport_setting_read(name, out, size - 1);
    if (n < 1) {
        return NULL;
    }
    out[(size_t)n < size ? (size_t)n : size - 1] = '\0';
    return out;
}

/* ---- boot
 * ------------------------------------------------------------------------------------------------------ */

/* 1 power-on, 2 pin, 3 software, 4 watchdog, 5 brown-out, 0 unknown. */
static int32_t hardware_reason(void) {
#ifdef CONFIG_HWINFO
    uint32_t cause = 0;
    if (hwinfo_get_reset_cause(&cause) == 0) {
        (void)hwinfo_clear_reset_cause();
        if ((cause & RESET_WATCHDOG) != 0) {
            return 4;
        }
        if ((cause & RESET_SOFTWARE) != 0) {
            return 3;
        }
        /* STM32L4 knows no power-on flag: a power-on is its brown-out. */
        if ((cause & (RESET_POR | (IS_ENABLED(CONFIG_SOC_FAMILY_STM32) ? RESET_BROWNOUT : 0U))) != 0) {
            return 1;
        }
        if ((cause & RESET_BROWNOUT) != 0) {
            return 5;
        }
        return (cause & RESET_PIN) != 0 ? 2 : 0;
    }
#endif
    return IS_ENABLED(CONFIG_TMC_EMULATED) ? 1 : 0; /* an emulator that starts is switched on */
}

void zport_storage_init(void) {
    int code = settings_subsys_init();
    mounted = code == 0;
    if (!mounted) {
        zport_log(ZPORT_ERROR, "no settings (%d): nothing is kept over restarts", code);
    }
    uint32_t before = 0;
    if (read_setting("tmc/boot", &before, sizeof before) == (int32_t)sizeof before) {
        boots = before + 1;
    }
    if (!write_setting("tmc/boot", &boots, sizeof boots) && mounted) {
        zport_log(ZPORT_ERROR, "the boot counter could not be stored");
    }
    uint8_t noted = 0;
    reset_reason = hardware_reason();
    if (read_setting("tmc/reason", &noted, sizeof noted) == (int32_t)sizeof noted && noted != 0) {
        (void)settings_delete("tmc/reason");
        /* What the last run noted holds only for a restart that it asked for. */
        reset_reason = reset_reason == 4 ? 4 : (int32_t)noted;
    }
}

void zport_storage_set_reset_reason(int32_t reason) {
    uint8_t note = (uint8_t)reason;
    (void)write_setting("tmc/reason", &note, sizeof note);
}

void zport_storage_correct_reset_reason(int32_t reason) {
    reset_reason = reason;
}

uint32_t tmc_port_boot_counter(void) {
    return boots;
}

int32_t tmc_port_reset_reason(void) {
    return reset_reason;
}

/* ---- the firmware's key and value store
 * ----------------------------------------------------------------------------- */

static bool kv_name(tmc_str key, char *out) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789./-";
    if (key.len < 1 || key.len > KEY_MAX || key.ptr[0] == '/' || key.ptr[key.len - 1] == '/') {
        return false;
    }
    for (int32_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == 0 || strchr(allowed, key.ptr[i]) == NULL) {
            return false;
        }
    }
    (void)snprintf(out, NAME_MAX_SIZE, "tmc/kv/%.*s", (int)key.len, (const char *)key.ptr);
    return true;
}

/* Zephyr deletes a setting whose value is empty; so every stored value begins with one byte that says
 * "present". */
static uint8_t kv_value[1 + CONFIG_TMC_STORAGE_VALUE_MAX];

int32_t tmc_port_storage_read(tmc_str key, tmc_arr_u8 out) {
    char name[NAME_MAX_SIZE];
    if (!kv_name(key, name)) {
        return -1;
    }
    int32_t stored = read_setting(name, kv_value, sizeof kv_value);
    if (stored < 1) {
        return -1;
    }
    int32_t size = stored - 1;
    int32_t copied = size < out.len ? size : out.len;
    if (copied > 0) {
        memcpy(out.ptr, kv_value + 1, (size_t)copied);
    }
    return size;
}

bool tmc_port_storage_write(tmc_str key, tmc_arr_u8 value) {
    char name[NAME_MAX_SIZE];
    if (!kv_name(key, name) || value.len < 0 || value.len > CONFIG_TMC_STORAGE_VALUE_MAX) {
        return false;
    }
    kv_value[0] = 1;
    if (value.len > 0) {
        memcpy(kv_value + 1, value.ptr, (size_t)value.len);
    }
    return write_setting(name, kv_value, 1 + (size_t)value.len);
}
