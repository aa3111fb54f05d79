/*
 * The application: joins a WPA2 or open Wi-Fi network and joins it again when it is lost, with a wait that
 * doubles from 1 to 60 seconds. It also leaves and joins again when no broker was reached for
 * CONFIG_TMC_WIFI_REJOIN_S: after an unanswered question the driver does not ask the module again whether it
 * is still joined. Name and passphrase: settings tmc/wifi-ssid and tmc/wifi-psk, else Kconfig. No enterprise
 * authentication. eswifi does DHCP by itself; nothing here knows the address.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compat.h"
#include "network.h"
#include "zport.h"

#include <string.h>
#include <zephyr/kernel.h>
#include <zephyr/net/net_if.h>
#include <zephyr/net/net_mgmt.h>
#include <zephyr/net/wifi_mgmt.h>

#define WAIT_MIN_MS 1000
#define WAIT_MAX_MS 60000
#define JOIN_TIMEOUT_MS 30000
#define LEAVE_TIMEOUT_MS 10000

static char ssid[WIFI_SSID_MAX_LEN + 1];
static char psk[WIFI_PSK_MAX_LEN + 1];
static struct net_mgmt_event_callback events;
static volatile bool joined;
static volatile bool joining;
static int64_t next_ms;
static volatile bool leaving;
static int64_t began_ms;  /* to join or to leave */
static int64_t useful_ms; /* when a broker was reached last */
static int64_t wait_ms = WAIT_MIN_MS;

static void on_event(struct net_mgmt_event_callback *callback, zport_net_event event, struct net_if *iface) {
    ARG_UNUSED(iface);
    if (event == NET_EVENT_WIFI_CONNECT_RESULT) {
        const struct wifi_status *status = callback->info;
        joined = status == NULL || status->status == 0;
    } else if (event == NET_EVENT_WIFI_DISCONNECT_RESULT) {
        joined = false;
        leaving = false;
    }
    joining = false;
}

static void take_setting(const char *name, const char *otherwise, char *out, size_t size) {
    int32_t n = zport_setting_read(name, out, size - 1);
    if (n >= 1 && (size_t)n < size) {
        out[n] = '\0';
        return;
    }
    strncpy(out, otherwise, size - 1);
    out[size - 1] = '\0';
}

static void join(void) {
    struct wifi_connect_req_params request = {
        .ssid = (const uint8_t *)ssid,
        .ssid_length = (uint8_t)strlen(ssid),
        .psk = (const uint8_t *)psk,
        .psk_length = (uint8_t)strlen(psk),
        .channel = WIFI_CHANNEL_ANY,
        .security = psk[0] != '\0' ? WIFI_SECURITY_TYPE_PSK : WIFI_SECURITY_TYPE_NONE,
        .timeout = SYS_FOREVER_MS,
    };
    joining = true;
    began_ms = k_uptime_get();
    int code = net_mgmt(NET_REQUEST_WIFI_CONNECT, net_if_get_default(), &request, sizeof request);
    if (code != 0) {
        zport_log(ZPORT_WARN, "Wi-Fi %s: %d", ssid, code);
        joining = false;
    }
}

/* The driver does one thing at a time: joining waits for the event that this brings. */
static void leave(void) {
    zport_log(ZPORT_WARN, "no broker for %d s: joining Wi-Fi %s again", CONFIG_TMC_WIFI_REJOIN_S, ssid);
    began_ms = k_uptime_get();
    leaving = net_mgmt(NET_REQUEST_WIFI_DISCONNECT, net_if_get_default(), NULL, 0) == 0;
    joined = false;
}

bool network_start(void) {
    take_setting("wifi-ssid", CONFIG_TMC_WIFI_SSID, ssid, sizeof ssid);
    take_setting("wifi-psk", CONFIG_TMC_WIFI_PSK, psk, sizeof psk);
    if (ssid[0] == '\0') {
        zport_log(ZPORT_ERROR, "no Wi-Fi network: set CONFIG_TMC_WIFI_SSID or the setting tmc/wifi-ssid");
        return false;
    }
    net_mgmt_init_event_callback(&events, on_event,
                                 NET_EVENT_WIFI_CONNECT_RESULT | NET_EVENT_WIFI_DISCONNECT_RESULT);
    net_mgmt_add_event_callback(&events);
    return true;
}

bool network_ready(void) {
    static bool told;
    int64_t now = k_uptime_get();
    if (joined) {
        if (!told) {
            zport_log(ZPORT_INFO, "joined Wi-Fi %s", ssid);
        }
        if (!told || tmc_port_bus_connected()) {
            useful_ms = now;
        }
        told = true;
        wait_ms = WAIT_MIN_MS;
        if (now - useful_ms > CONFIG_TMC_WIFI_REJOIN_S * 1000LL) {
            leave();
        }
        return joined;
    }
    if (leaving && now - began_ms < LEAVE_TIMEOUT_MS) {
        return false;
    }
    leaving = false;
    if (told) {
        zport_log(ZPORT_WARN, "Wi-Fi %s lost", ssid);
        told = false;
    }
    if (joining && now - began_ms > JOIN_TIMEOUT_MS) {
        joining = false;
    }
    if (!joining && now >= next_ms) {
        join();
        next_ms = k_uptime_get() + wait_ms;
        wait_ms = wait_ms * 2 < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS;
    }
    return false;
}
