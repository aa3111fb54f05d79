/*
 * The Zephyr port: mutual TLS 1.2 over the socket, by calling mbedTLS with our own bytes in and out. Zephyr's
 * TLS sockets are not used: with the board's Wi-Fi driver they either do not work or verify nothing. The peer
 * must show a chain to one of the authorities of the settings and the host name; what we show are the
 * settings' certificate and key (DER). Dates of certificates are checked when the clock is known (clock.c),
 * for a session that began before that too. Memory comes from mbedTLS's arena (CONFIG_MBEDTLS_HEAP_SIZE), a
 * static array.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>

#include <mbedtls/asn1.h>
#include <mbedtls/memory_buffer_alloc.h>
#include <mbedtls/oid.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#define AWS_PORT 443
#define AWS_PROTOCOL "x-amzn-mqtt-ca" /* MQTT with a client certificate, on the port of HTTPS */

static struct {
    bool any; /* the structures below are in use */
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt authority;
    mbedtls_x509_crt own;
    mbedtls_pk_context key;
} tls;

/* When every certificate of the peer's chain is valid, seconds since 1970. */
static int64_t valid_from;
static int64_t valid_to;

static uint8_t credential[CONFIG_TMC_CREDENTIAL_MAX]; /* DER on its way into the arena */

/* ---- what mbedTLS calls
 * ----------------------------------------------------------------------------------------- */

static int on_send(void *context, const unsigned char *bytes, size_t size) {
    ARG_UNUSED(context);
    return zport_socket_send(bytes, size) == 0 ? (int)size : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int on_receive(void *context, unsigned char *out, size_t size) {
    ARG_UNUSED(context);
    zport_state state = zport_socket_readable(0);
    if (state == ZPORT_READY) {
        return (int)zport_socket_take(out, size);
    }
    return state == ZPORT_PENDING ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int on_random(void *context, unsigned char *out, size_t size) {
    ARG_UNUSED(context);
    return sys_csrand_get(out, size) == 0 ? 0 : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

/* Seconds since 1970 of a date in UTC: days of the proleptic Gregorian calendar, counted from March. */
static int64_t seconds_of(const mbedtls_x509_time *t) {
    int64_t year = t->mon > 2 ? t->year : t->year - 1;
    int64_t month = t->mon > 2 ? t->mon - 3 : t->mon + 9;
    int64_t days =
        year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + t->day - 1 - 719468;
    return ((days * 24 + t->hour) * 60 + t->min) * 60 + t->sec;
}

/* For each certificate of the chain, the authority's own included. */
static int on_verify(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags) {
    ARG_UNUSED(context);
    ARG_UNUSED(depth);
    int64_t from = seconds_of(&certificate->valid_from);
    int64_t to = seconds_of(&certificate->valid_to);
    valid_from = from > valid_from ? from : valid_from;
    valid_to = to < valid_to ? to : valid_to;
    int64_t now;
    if (zport_time(&now)) {
        *flags |= now < from ? MBEDTLS_X509_BADCERT_FUTURE : 0U;
        *flags |= now > to ? MBEDTLS_X509_BADCERT_EXPIRED : 0U;
    }
    return 0;
}

/* ---- the session
 * ------------------------------------------------------------------------------------------------ */

/* The bytes of a credential, -1 when there is none. */
static int32_t read_credential(const char *name) {
    int32_t size = zport_setting_read(name, credential, sizeof credential);
    if (size > (int32_t)sizeof credential) {
        zport_log(ZPORT_ERROR, "setting tmc/%s has %ld bytes, above CONFIG_TMC_CREDENTIAL_MAX", name,
                  (long)size);
        return -1;
    }
    return size;
}

/* Bytes of the DER sequence that begins here; 0: there is none. */
static size_t sequence_size(unsigned char *start, const unsigned char *end) {
    unsigned char *at = start;
    size_t size;
    return mbedtls_asn1_get_tag(&at, end, &size, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE) == 0
               ? (size_t)(at - start) + size
               : 0;
}

/* Certificates, one behind the other. Those that this image has no algorithms for are left out; at least one
 * must be left. */
static bool load_certificates(const char *name, mbedtls_x509_crt *out) {
    int32_t size = read_credential(name);
    bool any = false;
    for (int32_t at = 0; at < size;) {
        size_t part = sequence_size(credential + at, credential + size);
        int code = part > 0 ? mbedtls_x509_crt_parse_der(out, credential + at, part) : -1;
        if (code == MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG + MBEDTLS_ERR_OID_NOT_FOUND) {
            zport_log(ZPORT_WARN, "setting tmc/%s: a certificate is left out: CONFIG_TMC_TLS_RSA is not set",
                      name);
        } else if (code != 0) {
            return false;
        } else {
            any = true;
        }
        at += (int32_t)part;
    }
    return any;
}

static bool load_credentials(void) {
    if (!load_certificates("ca", &tls.authority)) {
        zport_log(ZPORT_ERROR, "setting tmc/ca has no certificate of an authority (DER)");
        return false;
    }
    if (!load_certificates("cert", &tls.own)) {
        zport_log(ZPORT_ERROR, "setting tmc/cert has no certificate of this node (DER)");
        return false;
    }
    int32_t size = read_credential("key");
    bool usable =
        size > 0 && mbedtls_pk_parse_key(&tls.key, credential, (size_t)size, NULL, 0, on_random, NULL) == 0;
    memset(credential, 0, sizeof credential); /* the key stays in one place */
    if (!usable || mbedtls_pk_check_pair(&tls.own.pk, &tls.key, on_random, NULL) != 0) {
        zport_log(ZPORT_ERROR, "setting tmc/key is no private key (DER) of the certificate in tmc/cert");
        return false;
    }
    return true;
}

/* The largest record this side can hold. A broker that is not told sends up to 16 KB at once, be it one
 * message or many small ones. 0: any. */
static unsigned char record_limit(void) {
    return MBEDTLS_SSL_IN_CONTENT_LEN >= 16384  ? 0
           : MBEDTLS_SSL_IN_CONTENT_LEN >= 4096 ? MBEDTLS_SSL_MAX_FRAG_LEN_4096
           : MBEDTLS_SSL_IN_CONTENT_LEN >= 2048 ? MBEDTLS_SSL_MAX_FRAG_LEN_2048
                                                : MBEDTLS_SSL_MAX_FRAG_LEN_1024;
}

#ifdef CONFIG_MBEDTLS_SSL_ALPN
/* The protocol to ask for by ALPN; NULL: none. A broker without ALPN does not mind. */
static const char *protocol_for(const zport_server *server) {
    static char text[ZPORT_ALPN_MAX + 1];
    if (zport_setting_text("alpn", text, sizeof text) != NULL) {
        return text;
    }
    if (CONFIG_TMC_TLS_ALPN[0] != '\0') {
        return CONFIG_TMC_TLS_ALPN;
    }
    return server->port == AWS_PORT ? AWS_PROTOCOL : NULL;
}
#endif

static bool configure(const zport_server *server) {
    if (mbedtls_ssl_config_defaults(&tls.config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return false;
    }
    mbedtls_ssl_conf_authmode(&tls.config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_rng(&tls.config, on_random, NULL);
    mbedtls_ssl_conf_verify(&tls.config, on_verify, NULL);
    mbedtls_ssl_conf_ca_chain(&tls.config, &tls.authority, NULL);
    if (record_limit() != 0 && mbedtls_ssl_conf_max_frag_len(&tls.config, record_limit()) != 0) {
        return false;
    }
#ifdef CONFIG_MBEDTLS_SSL_ALPN
    static const char *protocols[2];
    protocols[0] = protocol_for(server);
    if (protocols[0] != NULL && mbedtls_ssl_conf_alpn_protocols(&tls.config, protocols) != 0) {
        return false;
    }
#endif
    return mbedtls_ssl_conf_own_cert(&tls.config, &tls.own, &tls.key) == 0 &&
           mbedtls_ssl_setup(&tls.ssl, &tls.config) == 0 &&
           mbedtls_ssl_set_hostname(&tls.ssl, server->host) == 0;
}

bool zport_tls_begin(const zport_server *server) {
    zport_tls_end();
    tls.any = true;
    valid_from = INT64_MIN;
    valid_to = INT64_MAX;
    mbedtls_ssl_init(&tls.ssl);
    mbedtls_ssl_config_init(&tls.config);
    mbedtls_x509_crt_init(&tls.authority);
    mbedtls_x509_crt_init(&tls.own);
    mbedtls_pk_init(&tls.key);
    if (!load_credentials()) {
        return false;
    }
    if (!configure(server)) {
        zport_log(ZPORT_ERROR, "no memory for TLS: CONFIG_MBEDTLS_HEAP_SIZE is too small");
        return false;
    }
    mbedtls_ssl_set_bio(&tls.ssl, NULL, on_send, on_receive, NULL);
    return true;
}

/* Why the peer's certificate is refused, for people. */
static const char *refusal(uint32_t flags) {
    static const struct {
        uint32_t flag;
        const char *text;
    } reasons[] = {
        {MBEDTLS_X509_BADCERT_CN_MISMATCH, "it is not for this host name"},
        {MBEDTLS_X509_BADCERT_EXPIRED, "it has expired"},
        {MBEDTLS_X509_BADCERT_FUTURE, "it is not valid yet"},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, "it is not of the authority in tmc/ca"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if ((flags & reasons[i].flag) != 0) {
            return reasons[i].text;
        }
    }
    return "it is malformed or too weak";
}

zport_state zport_tls_handshake(int timeout_ms) {
    int code = mbedtls_ssl_handshake(&tls.ssl);
    if (code == MBEDTLS_ERR_SSL_WANT_READ) {
        zport_state state = zport_socket_readable(timeout_ms);
        if (state == ZPORT_READY) {
            code = mbedtls_ssl_handshake(&tls.ssl);
        } else if (state == ZPORT_FAILED) {
            code = MBEDTLS_ERR_SSL_CONN_EOF; /* a look that does not wait may not see it, ever */
        }
    }
    if (code == 0) {
        return ZPORT_READY;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return ZPORT_PENDING;
    }
    uint32_t flags = mbedtls_ssl_get_verify_result(&tls.ssl);
    if (flags != 0 && flags != UINT32_MAX) {
        zport_log(ZPORT_ERROR, "the broker's certificate is refused: %s", refusal(flags));
    } else if (code == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        zport_log(ZPORT_WARN, "the broker ended the TLS handshake: it does not take this node's certificate");
    } else if (code == MBEDTLS_ERR_SSL_ALLOC_FAILED) {
        zport_log(ZPORT_ERROR, "no memory for TLS: CONFIG_MBEDTLS_HEAP_SIZE is too small");
    } else {
        zport_log(ZPORT_WARN, "TLS handshake failed: -0x%x", (unsigned int)-code);
    }
    return ZPORT_FAILED;
}

/* Decrypts what is there, as far as it takes to have bytes for the application. */
static zport_state decrypt(void) {
    if (mbedtls_ssl_get_bytes_avail(&tls.ssl) > 0) {
        return ZPORT_READY;
    }
    int code = mbedtls_ssl_read(&tls.ssl, NULL, 0);
    if (code == 0) {
        return mbedtls_ssl_get_bytes_avail(&tls.ssl) > 0 ? ZPORT_READY : ZPORT_PENDING;
    }
    return code == MBEDTLS_ERR_SSL_WANT_READ ? ZPORT_PENDING : ZPORT_FAILED;
}

zport_state zport_tls_readable(int timeout_ms) {
    zport_state state = decrypt();
    if (state != ZPORT_PENDING) {
        return state;
    }
    state = zport_socket_readable(timeout_ms);
    return state == ZPORT_READY ? decrypt() : state;
}

size_t zport_tls_take(uint8_t *out, size_t size) {
    int n = mbedtls_ssl_read(&tls.ssl, out, size);
    return n > 0 ? (size_t)n : 0;
}

int zport_tls_send(const uint8_t *bytes, size_t size) {
    while (size > 0) {
        int n = mbedtls_ssl_write(&tls.ssl, bytes, size); /* one record at the most */
        if (n <= 0) {
            return -EIO;
        }
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

bool zport_tls_dates_hold(void) {
    int64_t now;
    return !zport_time(&now) || (now >= valid_from && now <= valid_to);
}

size_t zport_tls_memory(size_t *most) {
    size_t used = 0;
    *most = 0;
#ifdef CONFIG_MBEDTLS_MEMORY_DEBUG
    size_t blocks;
    mbedtls_memory_buffer_alloc_cur_get(&used, &blocks);
    mbedtls_memory_buffer_alloc_max_get(most, &blocks);
#endif
    return used;
}

void zport_tls_end(void) {
    if (!tls.any) {
        return;
    }
    tls.any = false;
    mbedtls_ssl_free(&tls.ssl);
    mbedtls_ssl_config_free(&tls.config);
    mbedtls_x509_crt_free(&tls.authority);
    mbedtls_x509_crt_free(&tls.own);
    mbedtls_pk_free(&tls.key);
}
