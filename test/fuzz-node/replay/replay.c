/*
 * The watch of the fuzzed node by itself: plays a script, so that tests see it object. Lines: "a HEX" a
 * request arrives; "p TOPIC HEX" the node publishes (QoS 1, retained as the protocol says); "l TOPIC HEX" the
 * same, lost; "q" between two calls; "e" the end.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "../session.h"

#include <stdio.h>
#include <string.h>

static uint8_t bytes[4096];

static int32_t unhex(const char *text) {
    int32_t n = 0;
    unsigned int value;
    for (; n < (int32_t)sizeof bytes && sscanf(text + 2 * n, "%2x", &value) == 1; n++) {
        bytes[n] = (uint8_t)value;
    }
    return n;
}

int main(void) {
    static char line[3 * sizeof bytes];
    char topic[64];
    int at;
    watch_begin();
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == 'a') {
            (void)watch_arrival(bytes, (size_t)unhex(line + 2));
        } else if ((line[0] == 'p' || line[0] == 'l') && sscanf(line + 2, "%63s %n", topic, &at) == 1) {
            const int32_t size = unhex(line + 2 + at);
            const char kind = topic[strlen(topic) - 1];
            watch_publish((tmc_str){(const uint8_t *)topic, (int32_t)strlen(topic)},
                          (tmc_arr_u8){bytes, size}, 1, kind == 'b' || kind == 's', line[0] == 'p');
        } else if (line[0] == 'q') {
            watch_queue();
        } else if (line[0] == 'e') {
            watch_end(true);
        }
    }
    return 0;
}
