/*
 * The Zephyr port: run-time arguments on native_sim, as options of the Linux executable.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "zport.h"

#include <cmdline.h>
#include <posix_native_task.h>

static zport_arguments arguments;

const zport_arguments *zport_args(void) {
    return &arguments;
}

static void add_options(void) {
    static struct args_struct_t options[] = {
        {.option = "id",
         .name = "id",
         .type = 's',
         .dest = (void *)&arguments.id,
         .descript = "Who the node is: 1-23 characters of 0-9 a-z -"},
        {.option = "server",
         .name = "url",
         .type = 's',
         .dest = (void *)&arguments.server,
         .descript = "The broker: mqtt://HOST[:PORT]"},
        {.option = "server-id",
         .name = "id",
         .type = 's',
         .dest = (void *)&arguments.server_id,
         .descript = "The server the node belongs to"},
        {.option = "sensor",
         .name = "source",
         .type = 's',
         .dest = (void *)&arguments.sensor,
         .descript = "The simulated sensor: NAME=generator:G[,seed=N] or NAME=csv:FILE"},
        {.option = "handler-max",
         .name = "ms",
         .type = 's',
         .dest = (void *)&arguments.handler_max,
         .descript = "The watchdog's limit, in place of CONFIG_TMC_HANDLER_MAX_MS"},
        ARG_TABLE_ENDMARKER,
    };
    native_add_command_line_opts(options);
}

NATIVE_TASK(add_options, PRE_BOOT_1, 10);
