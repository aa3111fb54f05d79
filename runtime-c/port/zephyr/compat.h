/*
 * Internal to the Zephyr port: what Zephyr 3.7 calls or types otherwise than 4.x. Everything else that the
 * port uses is declared alike in both; options of Kconfig that differ are chosen in zephyr-app/CMakeLists.txt
 * and zephyr-app/Kconfig.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TMC_COMPAT_H
#define TMC_COMPAT_H

#include <zephyr/net/net_mgmt.h>
#include <zephyr/sys/fdtable.h>

/* The event that a callback of net_mgmt is given: 64 bits since 4.2, 32 before. */
typedef __typeof__(((struct net_mgmt_event_callback *)NULL)->event_mask) zport_net_event;

/* The commands of zsock_fcntl have these names since 4.0; their values are those of <zephyr/posix/fcntl.h>.
 */
#ifndef ZVFS_F_GETFL
#define ZVFS_F_GETFL 3
#define ZVFS_F_SETFL 4
#define ZVFS_O_NONBLOCK 0x4000
#endif

#endif
