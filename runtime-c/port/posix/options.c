/*
 * The posix port: the command line of a node. Every value is checked here, so that nothing else has to.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define _DEFAULT_SOURCE
#include "posix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

posix_options posix_opt = {
    .server_id = "edge",
    .log_level = LOG_INFO,
    .exit_after_ms = -1,
    .keepalive_s = 15,
    .backoff_min_ms = 100,
    .backoff_max_ms = 10000,
    .max_message = TMC_POSIX_MESSAGE_MAX,
    .queue = TMC_POSIX_QUEUE_MAX,
    .sensor_ring = TMC_POSIX_RING_MAX,
};

static const char usage[] =
    "usage: %s --id ID --server URL [option ...]\n"
    "A node as a Linux process.\n"
    "  --id ID                who it is: 1-23 characters of 0-9 a-z -\n"
    "  --server URL           the broker: mqtt://HOST[:PORT] (port 1883 unless given), or with TLS\n"
    "                           mqtts://HOST[:PORT] (8883)\n"
    "  --server-id ID         the server it belongs to (edge)\n"
    "  --ca FILE              with TLS: certificate of the CA that the broker's is signed by, PEM\n"
    "  --cert FILE            with TLS: this node's certificate, PEM\n"
    "  --key FILE             with TLS: the private key to it, PEM\n"
    "  --update-key FILE      public key (P-256, PEM) of who may send models and functions; without it, "
    "nobody\n"
    "  --password-file FILE   password for the broker in the first line; the user name is the id\n"
    "  --sensor NAME=SOURCE   a simulated sensor, may be repeated (%d at most). SOURCE is\n"
    "                           csv:FILE                 a header of channel names, then one frame a row; "
    "loops\n"
    "                           generator:G[,seed=N]     G one of %s\n"
    "  --sensor-ring FRAMES   frames a sensor holds for the app (%d)\n"
    "  --state-dir DIR        boot counter and settings ($XDG_STATE_HOME/tmc/ID)\n"
    "  --keepalive SECONDS    MQTT keep-alive, 5-3600 (15)\n"
    "  --backoff MIN:MAX      wait between connection attempts, milliseconds, jittered (100:10000)\n"
    "  --max-message BYTES    larger messages are dropped and counted (%d)\n"
    "  --queue MESSAGES       received messages that may wait (%d)\n"
    "  --exit-after SECONDS   stop by itself\n"
    "  --log-level LEVEL      error, warning, info or debug (info)\n"
    "  --trace                a line for every message in and out\n"
    "  --help                 this text\n"
    "SIGTERM and SIGINT stop it, SIGUSR1 prints the statistics line.\n"
    "Exit codes: 0 stopped, 1 state directory or network library, 2 uncaught trap, 3 command line.\n";

__attribute__((format(printf, 1, 2))) static int wrong(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("error: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputs("\n(--help lists the options)\n", stderr);
    va_end(arguments);
    return EXIT_USAGE;
}

static bool identifier(const char *text, char *out, size_t out_size) {
    size_t n = strlen(text);
    /* "q" is taken: t1/SRV/q/NODE is the topic of requests */
    if (n < 1 || n >= out_size || strcmp(text, "q") == 0 ||
        strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz-") != n) {
        return false;
    }
    memcpy(out, text, n + 1);
    return true;
}

/* A whole decimal number that ends at the terminator given. */
static bool number(const char *text, char terminator, int64_t low, int64_t high, int64_t *out) {
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != terminator || errno != 0 || value < low || value > high || text[0] == ' ') {
        return false;
    }
    *out = value;
    return true;
}

static bool number_i32(const char *text, int32_t low, int32_t high, int32_t *out) {
    int64_t value = 0;
    if (!number(text, '\0', low, high, &value)) {
        return false;
    }
    *out = (int32_t)value;
    return true;
}

static int parse_range(const char *option, const char *text, int32_t low, int32_t high, int32_t *out) {
    return number_i32(text, low, high, out)
               ? -1
               : wrong("%s %s: expected a whole number from %ld to %ld", option, text, (long)low, (long)high);
}

static int parse_server(const char *url) {
    static const char plain[] = "mqtt://";
    static const char secure[] = "mqtts://";
    const char *host = url;
    if (strncmp(url, plain, sizeof plain - 1) == 0) {
        host += sizeof plain - 1;
        posix_opt.tls = false;
        posix_opt.port = 1883;
    } else if (strncmp(url, secure, sizeof secure - 1) == 0) {
        host += sizeof secure - 1;
        posix_opt.tls = true;
        posix_opt.port = 8883;
    } else {
        return wrong("--server %s: only mqtt://HOST[:PORT] and mqtts://HOST[:PORT] are known", url);
    }
    bool bracketed = host[0] == '['; /* [::1] */
    host += bracketed ? 1 : 0;
    size_t n = strcspn(host, bracketed ? "]" : ":/");
    const char *rest = host + n;
    if (bracketed && *rest == ']') {
        rest++;
    }
    if (n < 1 || n >= sizeof posix_opt.host || memchr(host, '@', n) != NULL) {
        return wrong("--server %s: no host name (the user name is the id; see --password-file)", url);
    }
    memcpy(posix_opt.host, host, n);
    posix_opt.host[n] = '\0';
    if (*rest == ':') {
        int32_t port = 0;
        char digits[8] = {0};
        size_t count = strcspn(rest + 1, "/");
        if (count >= sizeof digits) {
            return wrong("--server %s: the port must be 1-65535", url);
        }
        memcpy(digits, rest + 1, count);
        if (!number_i32(digits, 1, 65535, &port)) {
            return wrong("--server %s: the port must be 1-65535", url);
        }
        posix_opt.port = port;
        rest += 1 + count;
    }
    if (*rest != '\0' && strcmp(rest, "/") != 0) {
        return wrong("--server %s: nothing may follow the port", url);
    }
    return -1;
}

static int parse_sensor(const char *text) {
    const char *equals = strchr(text, '=');
    posix_sensor_option *sensor = &posix_opt.sensors[posix_opt.sensor_count];
    if (posix_opt.sensor_count == TMC_POSIX_SENSORS_MAX) {
        return wrong("--sensor %s: at most %d sensors", text, TMC_POSIX_SENSORS_MAX);
    }
    if (equals == NULL || equals == text || (size_t)(equals - text) >= sizeof sensor->name) {
        return wrong("--sensor %s: expected NAME=SOURCE, e.g. accelerometer=csv:FILE", text);
    }
    memcpy(sensor->name, text, (size_t)(equals - text));
    sensor->name[equals - text] = '\0';
    for (int i = 0; i < posix_opt.sensor_count; i++) {
        if (strcmp(posix_opt.sensors[i].name, sensor->name) == 0) {
            return wrong("--sensor %s: there is already a sensor %s", text, sensor->name);
        }
    }
    sensor->source = equals + 1;
    posix_opt.sensor_count++;
    return -1;
}

/* The first line of a file; it is a secret, so no message shows any of it. */
static int parse_password_file(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return wrong("--password-file %s: %s", path, strerror(errno));
    }
    char line[TMC_POSIX_PASSWORD_MAX + 2] = {0};
    size_t n = fgets(line, (int)sizeof line, file) != NULL ? strcspn(line, "\r\n") : 0;
    (void)fclose(file);
    if (n < 1 || n > TMC_POSIX_PASSWORD_MAX) {
        return wrong("--password-file %s: expected 1-%d characters in the first line", path,
                     TMC_POSIX_PASSWORD_MAX);
    }
    memcpy(posix_opt.password, line, n);
    posix_opt.password[n] = '\0';
    return -1;
}

/* Checked here, because the MQTT library says only "invalid" of a file that is not there. */
static int parse_file(const char *option, const char *path, const char **out) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return wrong("%s %s: %s", option, path, strerror(errno));
    }
    (void)fclose(file);
    *out = path;
    return -1;
}

static int parse_backoff(const char *text) {
    const char *colon = strchr(text, ':');
    int64_t low = 0;
    int64_t high = 0;
    if (colon == NULL || !number(text, ':', 1, 3600000, &low) ||
        !number(colon + 1, '\0', low, 3600000, &high)) {
        return wrong("--backoff %s: expected MIN:MAX in milliseconds, 1 <= MIN <= MAX <= 3600000", text);
    }
    posix_opt.backoff_min_ms = (uint32_t)low;
    posix_opt.backoff_max_ms = (uint32_t)high;
    return -1;
}

static int parse_log_level(const char *text) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(text, names[i]) == 0) {
            posix_opt.log_level = i;
            return -1;
        }
    }
    return wrong("--log-level %s: one of error, warning, info, debug", text);
}

static int parse_value(const char *option, const char *value) {
    const char *bad = NULL;
    if (strcmp(option, "--id") == 0) {
        bad = identifier(value, posix_opt.id, sizeof posix_opt.id) ? NULL
                                                                   : "1-23 characters of 0-9 a-z -, not q";
    } else if (strcmp(option, "--server-id") == 0) {
        bad = identifier(value, posix_opt.server_id, sizeof posix_opt.server_id)
                  ? NULL
                  : "1-23 characters of 0-9 a-z -, not q";
    } else if (strcmp(option, "--server") == 0) {
        return parse_server(value);
    } else if (strcmp(option, "--ca") == 0) {
        return parse_file(option, value, &posix_opt.ca_file);
    } else if (strcmp(option, "--cert") == 0) {
        return parse_file(option, value, &posix_opt.cert_file);
    } else if (strcmp(option, "--key") == 0) {
        return parse_file(option, value, &posix_opt.key_file);
    } else if (strcmp(option, "--update-key") == 0) {
        return parse_file(option, value, &posix_opt.update_key_file);
    } else if (strcmp(option, "--password-file") == 0) {
        return parse_password_file(value);
    } else if (strcmp(option, "--sensor") == 0) {
        return parse_sensor(value);
    } else if (strcmp(option, "--backoff") == 0) {
        return parse_backoff(value);
    } else if (strcmp(option, "--log-level") == 0) {
        return parse_log_level(value);
    } else if (strcmp(option, "--state-dir") == 0) {
        size_t n = strlen(value);
        if (n < 1 || n >= sizeof posix_opt.state_dir) {
            return wrong("--state-dir: expected a directory name of at most %d bytes",
                         TMC_POSIX_PATH_MAX - 1);
        }
        memcpy(posix_opt.state_dir, value, n + 1);
    } else if (strcmp(option, "--keepalive") == 0) {
        return parse_range(option, value, 5, 3600, &posix_opt.keepalive_s);
    } else if (strcmp(option, "--max-message") == 0) {
        return parse_range(option, value, 16, TMC_POSIX_MESSAGE_MAX, &posix_opt.max_message);
    } else if (strcmp(option, "--queue") == 0) {
        return parse_range(option, value, 1, TMC_POSIX_QUEUE_MAX, &posix_opt.queue);
    } else if (strcmp(option, "--sensor-ring") == 0) {
        return parse_range(option, value, 1, TMC_POSIX_RING_MAX, &posix_opt.sensor_ring);
    } else if (strcmp(option, "--exit-after") == 0) {
        char *end = NULL;
        double seconds = strtod(value, &end);
        bool good = end != value && *end == '\0' && seconds >= 0.0 && seconds <= 1e9;
        bad = good ? NULL : "seconds, e.g. 2.5";
        posix_opt.exit_after_ms = good ? (int64_t)(seconds * 1000.0) : -1;
    } else {
        return wrong("unknown option %s", option);
    }
    return bad == NULL ? -1 : wrong("%s %s: expected %s", option, value, bad);
}

static bool default_state_dir(void) {
    const char *base = getenv("XDG_STATE_HOME");
    const char *between = "";
    if (base == NULL || base[0] != '/') {
        base = getenv("HOME");
        between = "/.local/state";
    }
    if (base == NULL || base[0] != '/') {
        return false;
    }
    int n =
        snprintf(posix_opt.state_dir, sizeof posix_opt.state_dir, "%s%s/tmc/%s", base, between, posix_opt.id);
    return n > 0 && (size_t)n < sizeof posix_opt.state_dir;
}

int posix_options_parse(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--help") == 0) {
            (void)printf(usage, argv[0], TMC_POSIX_SENSORS_MAX, posix_generator_names(), TMC_POSIX_RING_MAX,
                         TMC_POSIX_MESSAGE_MAX, TMC_POSIX_QUEUE_MAX);
            return 0;
        }
        if (strcmp(option, "--trace") == 0) {
            posix_opt.trace = true;
            continue;
        }
        if (strncmp(option, "--", 2) != 0) {
            return wrong("%s is not an option", option);
        }
        char name[32];
        const char *value = strchr(option, '='); /* --id=x is --id x */
        size_t n = value != NULL ? (size_t)(value - option) : strlen(option);
        if (n >= sizeof name) {
            return wrong("unknown option %s", option);
        }
        memcpy(name, option, n);
        name[n] = '\0';
        if (value != NULL) {
            value++;
        } else if (i + 1 < argc) {
            value = argv[++i];
        } else {
            return wrong("%s: the value is missing, or the option is unknown", option);
        }
        int code = parse_value(name, value);
        if (code >= 0) {
            return code;
        }
    }
    if (posix_opt.id[0] == '\0') {
        return wrong("--id is missing");
    }
    if (posix_opt.host[0] == '\0') {
        return wrong("--server is missing");
    }
    if (posix_opt.tls && posix_opt.ca_file == NULL) {
        return wrong("--ca is missing: mqtts:// needs the certificate of the CA");
    }
    if ((posix_opt.cert_file == NULL) != (posix_opt.key_file == NULL)) {
        return wrong("--cert and --key belong together");
    }
    if (!posix_opt.tls && (posix_opt.ca_file != NULL || posix_opt.cert_file != NULL)) {
        return wrong("--ca, --cert and --key are for mqtts://");
    }
    if (posix_opt.state_dir[0] == '\0' && !default_state_dir()) {
        return wrong("--state-dir is missing, and neither XDG_STATE_HOME nor HOME is set");
    }
    return -1;
}

tmc_str tmc_port_node_id(void) {
    return (tmc_str){(const uint8_t *)posix_opt.id, (int32_t)strlen(posix_opt.id)};
}

tmc_str tmc_port_server_id(void) {
    return (tmc_str){(const uint8_t *)posix_opt.server_id, (int32_t)strlen(posix_opt.server_id)};
}
