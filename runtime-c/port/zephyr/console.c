/*
 * The Zephyr port: lines from the serial console, for people and for `tmc provision`. A line that begins with
 * "tmc " is a command of provision.c; every command is answered by exactly one line that begins with "tmc:
 * ok" or "tmc: error", in between other lines of the log. What a line cannot hold is refused whole. Whoever
 * has the serial port has the device: CONFIG_TMC_CONSOLE=n takes the commands out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "provision.h"

#include <string.h>
#include <zephyr/device.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#define LINE_SIZE 192
#define RECEIVED_MAX 256 /* characters that arrive between two rounds of the main loop; a power of two */

static const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));
static char line[LINE_SIZE + 1];
static size_t length; /* LINE_SIZE + 1: the line is too long */

#ifdef CONFIG_UART_INTERRUPT_DRIVEN
/* One writer (the interrupt), one reader (main). */
static volatile uint8_t received[RECEIVED_MAX];
static volatile uint32_t written;
static volatile uint32_t taken;
static volatile bool overrun; /* there was no room: what is there is not whole */

static void on_interrupt(const struct device *device, void *context) {
    ARG_UNUSED(context);
    uint8_t c;
    while (uart_irq_update(device) && uart_irq_rx_ready(device) && uart_fifo_read(device, &c, 1) == 1) {
        if (written - taken < RECEIVED_MAX) {
            received[written % RECEIVED_MAX] = c;
            written++;
        } else {
            overrun = true;
        }
    }
}

/* The end of the line may be among what was lost: all of it is forgotten. */
static bool forget_overrun(void) {
    if (!overrun) {
        return false;
    }
    taken = written;
    overrun = false;
    return true;
}

static bool next_character(unsigned char *c) {
    if (taken == written) {
        return false;
    }
    *c = received[taken % RECEIVED_MAX];
    taken++;
    return true;
}
#else
static bool forget_overrun(void) {
    return false;
}

static bool next_character(unsigned char *c) {
    return uart_poll_in(uart, c) == 0;
}
#endif

void zport_console_init(void) {
#ifdef CONFIG_UART_INTERRUPT_DRIVEN
    if (device_is_ready(uart) && uart_irq_callback_user_data_set(uart, on_interrupt, NULL) == 0) {
        uart_irq_rx_enable(uart);
        /* A character that came before raises no interrupt, and no other can come after it. */
        unsigned char c;
        while (uart_poll_in(uart, &c) == 0) {
        }
    }
#endif
}

void zport_console_poll(void) {
    unsigned char c;
    if (!device_is_ready(uart)) {
        return;
    }
    if (forget_overrun()) {
        length = 0;
        printk("tmc: error characters were lost\n");
    }
    /* What asked for a restart may be followed by a greeting: it is the next boot that has to answer it. */
    while (!zport_restart_wanted() && next_character(&c)) {
        if (c != '\n' && c != '\r') {
            if (length < LINE_SIZE) {
                line[length] = (char)c;
            }
            length = length <= LINE_SIZE ? length + 1 : length;
            continue;
        }
        bool whole = length <= LINE_SIZE;
        line[whole ? length : LINE_SIZE] = '\0';
        length = 0;
        if (strncmp(line, "tmc ", 4) != 0) {
            continue;
        }
        if (whole) {
            zport_provision_line(line + 4);
        } else {
            printk("tmc: error line too long\n");
        }
    }
}
