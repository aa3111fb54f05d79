/*
 * The posix port: the bounded queue between the network and the app. A ring of fixed slots; what does not
 * fit is dropped and counted, never truncated.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "posix.h"

#include <string.h>

static posix_message slots[TMC_POSIX_QUEUE_MAX];
static int32_t oldest;
static int32_t used;

bool posix_queue_has_room(int32_t messages) {
    return used + messages <= posix_opt.queue;
}

void posix_queue_push(const char *topic, const void *payload, int64_t payload_len) {
    size_t topic_len = strlen(topic);
    if (payload_len > posix_opt.max_message || topic_len > TMC_POSIX_TOPIC_MAX) {
        posix_stats.too_large++;
        posix_log(LOG_WARN, "dropped a message of %lld bytes on %.64s: the limit is %ld",
                  (long long)payload_len, topic, (long)posix_opt.max_message);
        return;
    }
    if (used >= posix_opt.queue) {
        posix_stats.queue_full++;
        posix_log(LOG_WARN, "dropped a message on %.64s: %ld are waiting", topic, (long)used);
        return;
    }
    posix_message *slot = &slots[(oldest + used) % posix_opt.queue];
    memcpy(slot->topic, topic, topic_len + 1);
    slot->topic_len = (int32_t)topic_len;
    if (payload_len > 0) {
        memcpy(slot->payload, payload, (size_t)payload_len);
    }
    slot->payload_len = (int32_t)payload_len;
    used++;
}

posix_message *posix_queue_peek(void) {
    return used > 0 ? &slots[oldest] : NULL;
}

void posix_queue_drop(void) {
    oldest = (oldest + 1) % posix_opt.queue;
    used--;
}

void posix_queue_clear(void) {
    posix_stats.undelivered += (uint64_t)used;
    used = 0;
}
