/*
 * The Zephyr port: run-time arguments in QEMU, through the semihosting command line:
 *     -semihosting-config enable=on,target=native,arg=tmc,arg=--id=n1,arg=--server=mqtt://10.0.2.2:1883
 * Only for images that run under semihosting: elsewhere the call is a fault.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <string.h>
#include <zephyr/arch/common/semihost.h>

static char line[512];

static const struct {
    const char *option;
    size_t offset;
} options[] = {
    {"--id=", offsetof(zport_arguments, id)},
    {"--server=", offsetof(zport_arguments, server)},
    {"--server-id=", offsetof(zport_arguments, server_id)},
    {"--sensor=", offsetof(zport_arguments, sensor)},
    {"--handler-max=", offsetof(zport_arguments, handler_max)},
    {"--store=", offsetof(zport_arguments, store)},
};

static void parse(zport_arguments *out) {
    char *save = NULL;
    for (char *word = strtok_r(line, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
            size_t n = strlen(options[i].option);
            if (strncmp(word, options[i].option, n) == 0) {
                const char *value = word + n;
                memcpy((char *)out + options[i].offset, &value, sizeof value);
            }
        }
    }
}

const zport_arguments *zport_args(void) {
    static zport_arguments arguments;
    static bool known;
    if (!known) {
        struct {
            char *buffer;
            long size;
        } block = {line, (long)sizeof line - 1};
        known = true;
        if (semihost_exec(SEMIHOST_GET_CMDLINE, &block) == 0) {
            line[sizeof line - 1] = '\0';
            parse(&arguments);
        }
    }
    return &arguments;
}
