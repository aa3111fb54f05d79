/*
 * Before eswifi_core.c of Zephyr 3.7 (lts.cmake), which does not compile without the IP stack: its access
 * point, which a node never is, is left out, and the module's address is not noted, as in 4.x. All headers
 * come first, so that structures are those of the rest of the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <zephyr/kernel.h>
#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/net/net_pkt.h>
#include <zephyr/net/net_if.h>
#include <zephyr/net/net_context.h>
#include <zephyr/net/net_offload.h>
#include <zephyr/net/wifi_mgmt.h>
#include <zephyr/net/conn_mgr/connectivity_wifi_mgmt.h>
#include <zephyr/net/ethernet.h>
#include <zephyr/net/net_core.h>
#include <zephyr/net/socket.h>

#undef CONFIG_NET_IPV4
#define net_if_ipv4_addr_add(iface, addr, type, lifetime) ((void)0)
