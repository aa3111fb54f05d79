/*
 * Internal to the posix port: a node as one single-threaded Linux process. What the files of this folder
 * share; generated code sees only tmc/port.h. Every buffer is static: our code allocates nothing while it
 * runs (libmosquitto's and libc's memory is their own).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_POSIX_H
#define TMC_POSIX_H

#include "tmc/port.h"

/* ---- limits: change them with -D ------------------------------------------------------------------ */

#ifndef TMC_POSIX_MESSAGE_MAX
#define TMC_POSIX_MESSAGE_MAX 4096 /* bytes of payload, either direction; --max-message only lowers it */
#endif
#ifndef TMC_POSIX_TOPIC_MAX
#define TMC_POSIX_TOPIC_MAX 127 /* bytes of a topic */
#endif
#ifndef TMC_POSIX_QUEUE_MAX
#define TMC_POSIX_QUEUE_MAX 32 /* messages received and not yet given to the app; --queue only lowers it */
#endif
#ifndef TMC_POSIX_OUTGOING_MAX
#define TMC_POSIX_OUTGOING_MAX                                                                               \
    4096 /* messages published and not yet sent (QoS 0) or acknowledged (QoS 1)                              \
          */
#endif
#ifndef TMC_POSIX_SENSORS_MAX
#define TMC_POSIX_SENSORS_MAX 4
#endif
#ifndef TMC_POSIX_CHANNELS_MAX
#define TMC_POSIX_CHANNELS_MAX 8
#endif
#ifndef TMC_POSIX_RING_MAX
#define TMC_POSIX_RING_MAX 4096 /* frames a sensor's ring can hold; --sensor-ring only lowers it */
#endif
#ifndef TMC_POSIX_CSV_VALUES_MAX
#define TMC_POSIX_CSV_VALUES_MAX (1 << 18) /* numbers in all CSV files together */
#endif
#define TMC_POSIX_STORAGE_KEY_MAX 32
#define TMC_POSIX_STORAGE_VALUE_MAX 4096
#define TMC_POSIX_PATH_MAX 1024
#define TMC_POSIX_PASSWORD_MAX 256

/* ---- exit codes: those of `tmc` -------------------------------------------------------------------- */

enum { EXIT_TRAP = 2, EXIT_USAGE = 3, EXIT_STATE = 1 };

/* ---- options (options.c) --------------------------------------------------------------------------- */

typedef struct {
    char name[32];      /* what the firmware opens, e.g. "accelerometer" */
    const char *source; /* "csv:FILE" or "generator:NAME[,seed=N]" */
} posix_sensor_option;

typedef struct {
    char id[24];
    char server_id[24];
    char host[256];
    int port;
    bool tls;              /* mqtts:// */
    const char *ca_file;   /* PEM: who may have signed the broker's certificate; NULL without TLS */
    const char *cert_file; /* PEM, both or none: the node's own certificate and key */
    const char *key_file;
    const char *update_key_file; /* PEM: the public key whose owner may update the node; NULL: nobody */
    char password[TMC_POSIX_PASSWORD_MAX + 1]; /* "" = none; the user name is the id */
    char state_dir[TMC_POSIX_PATH_MAX];
    int log_level; /* see posix_log */
    bool trace;
    int64_t exit_after_ms; /* -1 = never */
    int32_t keepalive_s;
    uint32_t backoff_min_ms;
    uint32_t backoff_max_ms;
    int32_t max_message;
    int32_t queue;
    int32_t sensor_ring;
    posix_sensor_option sensors[TMC_POSIX_SENSORS_MAX];
    int sensor_count;
} posix_options;

extern posix_options posix_opt;

/* Fills posix_opt. Returns -1 to go on, else the exit code (0 after --help and --version). */
int posix_options_parse(int argc, char **argv);

/* ---- log and clock (system.c) ------------------------------------------------------------------------ */

enum { LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3 };
/* One line on stderr, "ID level: text", when level <= --log-level. */
void posix_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for --trace. */
void posix_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes what log() left of an unfinished line. */
void posix_log_flush(void);
int64_t posix_now_us(void);
bool posix_restart_wanted(void);
/* What tmc_port_wake_at said since posix_wake_forget; false: nothing. */
bool posix_wake_wish(uint32_t *at_ms);
void posix_wake_forget(void);

/* ---- state directory (state.c) ------------------------------------------------------------------------- */

/* Creates and locks the directory, counts the boot, learns the reset reason. Prints the error itself. */
bool posix_state_open(void);
/* Leaves for the next boot why it happens: one of tmc_port_reset_reason's numbers. */
void posix_state_set_reset_reason(int32_t reason);
/* Keeps the crash that ends this boot; kind as tmc_port_crash_kind. */
void posix_state_note_crash(int32_t kind, uint32_t site, const char *work);

/* ---- bus (bus.c, queue.c) ---- */

typedef struct {
    uint64_t received;       /* messages given to the app */
    uint64_t too_large;      /* dropped: above --max-message, or the topic too long */
    uint64_t queue_full;     /* dropped: no room in the incoming queue */
    uint64_t undelivered;    /* dropped: still in the queue when the session or the process ended */
    uint64_t published;      /* accepted from the app */
    uint64_t refused;        /* publish calls that returned false */
    uint64_t unacknowledged; /* accepted, but neither sent nor acknowledged when the session ended */
    uint64_t connects;
    uint64_t disconnects;
    uint64_t attempts; /* to connect, successful or not */
    uint64_t traps;    /* tmc_app_* calls that ended in a trap */
    uint64_t ticks;    /* calls of tmc_app_tick */
} posix_bus_stats;

extern posix_bus_stats posix_stats;

bool posix_bus_init(void);
/* Waits up to timeout_ms for the network and handles what arrived. Calls the app only through posix_deliver,
 * when the library reads more messages at once than the queue holds. */
void posix_bus_poll(int timeout_ms);
/* Gives the oldest message of the queue to the app, unless its answers could not be sent (main.c). */
void posix_deliver(void);
/* True once for each session begun / ended since the last call; "ended" is to be asked first. */
bool posix_bus_take_disconnected(void);
bool posix_bus_take_connected(void);
/* Whether the app's answers to one more message can be sent: if not, messages wait in the queue. */
bool posix_bus_has_room(void);
/* Sends what is pending (at most 1 s), then ends the session WITHOUT a DISCONNECT packet. */
void posix_bus_stop(void);

/* A queue of received messages: first in, first out, no heap. */
typedef struct {
    char topic[TMC_POSIX_TOPIC_MAX + 1];
    uint8_t payload[TMC_POSIX_MESSAGE_MAX];
    int32_t topic_len;
    int32_t payload_len;
} posix_message;

bool posix_queue_has_room(int32_t messages);
/* Counts the drop in posix_stats when there is no room or the message is too large. */
void posix_queue_push(const char *topic, const void *payload, int64_t payload_len);
/* The oldest message, NULL when empty; valid until posix_queue_drop. */
posix_message *posix_queue_peek(void);
void posix_queue_drop(void);
/* Empties the queue, counting what was in it as undelivered. */
void posix_queue_clear(void);

/* ---- sensors (sensor.c and one file a source) ---------------------------------------------------------- */

#define POSIX_RATE_MHZ_MAX 100000000 /* 100 kHz */

/* Where a simulated sensor's frames come from: one table entry a kind, see sensor.c. */
typedef struct posix_source posix_source;
typedef struct {
    const char *prefix; /* "csv:" */
    /* argument: the text after the prefix. Prints the error itself. */
    bool (*open)(posix_source *source, const char *argument);
    /* Writes the next frame, source->channels values; period is the time between frames in seconds. */
    void (*next)(posix_source *source, double period, float *frame);
} posix_source_kind;

/* A file read once at the start; frames are replayed in a loop. */
typedef struct {
    const float *values;
    int32_t frames;
    int32_t cursor;
} posix_csv;

/* xoshiro128** with the second value of each normal pair kept. */
typedef struct {
    uint32_t s[4];
    double spare;
    bool has_spare;
} posix_random;

/* One machine on one mounting, see sensor-vibration.c. Angles in radians, times in seconds, amplitudes in g.
 */
typedef struct {
    posix_random random;
    double omega, angle;
    double imbalance, second, third, second_phase, third_phase, axial, noise;
    double rotation[3][3], gravity[3];
    bool damaged;
    double strike_interval, slip, strike_height, until_strike;
    double decay, damped, ring_re, ring_im, along[3];
} posix_vibration;

struct posix_source {
    const posix_source_kind *kind;
    int32_t channels;
    void (*generate)(posix_source *source, double period, float *frame); /* generators only */
    uint32_t counter;
    posix_csv csv;
    posix_vibration vibration;
};

extern const posix_source_kind posix_source_csv;
extern const posix_source_kind posix_source_generator;
/* The names of the generators, separated by ", ". */
const char *posix_generator_names(void);

/* label: 0 healthy, 1 imbalance, 2 bearing. */
void posix_vibration_init(posix_vibration *v, int label, uint32_t seed);
/* x, y, z in g. */
void posix_vibration_next(posix_vibration *v, double period, float *frame);

/* Opens every --sensor. Prints the error itself. */
bool posix_sensors_init(void);
/* Brings every running sensor's ring up to date with the clock. */
void posix_sensors_advance(void);
/* Is one sampling: its ring must be filled often. */
bool posix_sensors_running(void);
uint64_t posix_sensors_frames(void);
uint64_t posix_sensors_lost(void);

#endif
