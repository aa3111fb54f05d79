/*
 * The posix port: what a node keeps over restarts, as small files in one directory: boot counter, reason of
 * the last end, settings. Every write is whole or not at all (temporary file, fsync, rename). One process
 * at a time: the directory is locked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int directory = -1;
static uint32_t boot_counter;
static int32_t reset_reason;
static struct {
    int32_t kind; /* 0: none */
    uint32_t site, boot;
    char work[24];
} crash;

/* mkdir -p */
static bool make_directories(const char *path) {
    char part[TMC_POSIX_PATH_MAX];
    size_t n = strlen(path);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] == '/' || part[i] == '\0') {
            char saved = part[i];
            part[i] = '\0';
            if (mkdir(part, 0777) != 0 && errno != EEXIST) {
                return false;
            }
            part[i] = saved;
        }
    }
    return true;
}

/* The size of the file (copies at most out_size bytes), -1 when absent or unreadable. */
static int32_t read_file(const char *name, void *out, size_t out_size) {
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    struct stat info;
    int32_t result = -1;
    if (fstat(fd, &info) == 0 && info.st_size <= INT32_MAX) {
        size_t wanted = (size_t)info.st_size < out_size ? (size_t)info.st_size : out_size;
        size_t got = 0;
        ssize_t n = 1;
        while (got < wanted && n > 0) {
            n = read(fd, (uint8_t *)out + got, wanted - got);
            got += n > 0 ? (size_t)n : 0;
        }
        result = got == wanted ? (int32_t)info.st_size : -1;
    }
    (void)close(fd);
    return result;
}

static bool write_file(const char *name, const void *bytes, size_t size) {
    char temporary[TMC_POSIX_STORAGE_KEY_MAX + 32];
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", name);
    int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return false;
    }
    size_t done = 0;
    bool good = true;
    while (good && done < size) {
        ssize_t n = write(fd, (const uint8_t *)bytes + done, size - done);
        good = n > 0 || (n < 0 && errno == EINTR);
        done += n > 0 ? (size_t)n : 0;
    }
    good = fsync(fd) == 0 && good;
    good = close(fd) == 0 && good;
    good = good && renameat(directory, temporary, directory, name) == 0;
    if (!good) {
        (void)unlinkat(directory, temporary, 0);
    }
    return good && fsync(directory) == 0;
}

/* False when the file is there and holds no number. */
static bool read_number(const char *name, uint32_t *value) {
    char text[16] = {0};
    int32_t size = read_file(name, text, sizeof text - 1);
    if (size < 0) {
        return true;
    }
    char *end = text;
    unsigned long parsed = strtoul(text, &end, 10);
    if (end == text || *end != '\n' || parsed > UINT32_MAX) {
        posix_log(LOG_ERROR, "%s/%s is damaged: remove the directory to begin anew", posix_opt.state_dir,
                  name);
        return false;
    }
    *value = (uint32_t)parsed;
    return true;
}

static bool write_number(const char *name, uint32_t value) {
    char text[16];
    int n = snprintf(text, sizeof text, "%lu\n", (unsigned long)value);
    return write_file(name, text, (size_t)n);
}

/* The last crash: "KIND SITE BOOT WORK", WORK may be missing. A damaged note is none. */
static void read_crash(void) {
    char text[80] = {0};
    int kind = 0;
    unsigned long site = 0;
    unsigned long boot = 0;
    if (read_file("crash", text, sizeof text - 1) > 0 &&
        sscanf(text, "%d %lu %lu %23s", &kind, &site, &boot, crash.work) >= 3 && kind > 0) {
        crash.kind = kind;
        crash.site = (uint32_t)site;
        crash.boot = (uint32_t)boot;
    }
}

bool posix_state_open(void) {
    if (!make_directories(posix_opt.state_dir) ||
        (directory = open(posix_opt.state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        posix_log(LOG_ERROR, "state directory %s: %s", posix_opt.state_dir, strerror(errno));
        return false;
    }
    /* The lock ends with the process, or at its restart (close on exec). */
    if (flock(directory, LOCK_EX | LOCK_NB) != 0) {
        posix_log(LOG_ERROR, "state directory %s is in use by another node: give --id or --state-dir",
                  posix_opt.state_dir);
        return false;
    }
    uint32_t reason = 1;
    if (!read_number("boot", &boot_counter) || !read_number("reset", &reason)) {
        return false;
    }
    read_crash();
    boot_counter++;
    reset_reason = reason <= 6U ? (int32_t)reason : 0;
    /* 0, unknown, stays in the file when the process is killed. */
    if (!write_number("boot", boot_counter) || !write_number("reset", 0)) {
        posix_log(LOG_ERROR, "state directory %s: %s", posix_opt.state_dir, strerror(errno));
        return false;
    }
    return true;
}

void posix_state_set_reset_reason(int32_t reason) {
    if (directory >= 0) {
        (void)write_number("reset", (uint32_t)reason);
    }
}

void posix_state_note_crash(int32_t kind, uint32_t site, const char *work) {
    char text[80];
    int n = snprintf(text, sizeof text, "%ld %lu %lu %s\n", (long)kind, (unsigned long)site,
                     (unsigned long)boot_counter, work);
    if (directory >= 0 && n > 0 && (size_t)n < sizeof text) {
        (void)write_file("crash", text, (size_t)n);
    }
}

int32_t tmc_port_crash_kind(void) {
    return crash.kind;
}

uint32_t tmc_port_crash_site(void) {
    return crash.site;
}

uint32_t tmc_port_crash_boot(void) {
    return crash.boot;
}

tmc_str tmc_port_crash_work(void) {
    return (tmc_str){(const uint8_t *)crash.work, (int32_t)strlen(crash.work)};
}

uint32_t tmc_port_boot_counter(void) {
    return boot_counter;
}

int32_t tmc_port_reset_reason(void) {
    return reset_reason;
}

/* "net/wifi.ssid" is the file "setting.net_wifi.ssid": no key can leave the directory or meet another. */
static bool setting_name(tmc_str key, char *name, size_t size) {
    if (key.len < 1 || key.len > TMC_POSIX_STORAGE_KEY_MAX) {
        return false;
    }
    size_t n = (size_t)snprintf(name, size, "setting.");
    for (int32_t i = 0; i < key.len; i++) {
        char c = (char)key.ptr[i];
        bool known = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/';
        if (!known) {
            return false;
        }
        name[n++] = c == '/' ? '_' : c;
    }
    name[n] = '\0';
    return true;
}

int32_t tmc_port_storage_read(tmc_str key, tmc_arr_u8 out) {
    char name[TMC_POSIX_STORAGE_KEY_MAX + 16];
    if (!setting_name(key, name, sizeof name)) {
        return -1;
    }
    return read_file(name, out.ptr, out.ptr != NULL && out.len > 0 ? (size_t)out.len : 0);
}

bool tmc_port_storage_write(tmc_str key, tmc_arr_u8 value) {
    char name[TMC_POSIX_STORAGE_KEY_MAX + 16];
    if (!setting_name(key, name, sizeof name) || value.len < 0 || value.len > TMC_POSIX_STORAGE_VALUE_MAX) {
        return false;
    }
    return write_file(name, value.ptr, (size_t)value.len);
}
