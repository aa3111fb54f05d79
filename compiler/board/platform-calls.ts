/**
 * Calls through pointers in C that is not generated: who they can reach, by pattern of the C name. The ports' own are
 * exact; those of Zephyr and its C library name every function that drivers and options put there. What an image does
 * not have is ignored; a call without any target is said not to be counted.
 */
import { withoutCloneSuffix, type CallGraph } from "./call-graph.js";

const socket = (what: string): string => `eswifi_socket_${what}|(sock|tls_sock)_${what}_vmeth`;
const flash = (what: string): string => `flash_(stm32|sim)_${what}`;
const slots = (what: string): string => `(${what})_(area|region)`;
const mqtt = (what: string): string => `mqtt_client_(tcp|tls)_${what}`;
const pins = "gpio_stm32_port_\\w+|gpio_mmio32_\\w+";
const spi = "spi_stm32_(transceive|release)\\w*";
const i2c = "i2c_stm32_transfer";
/** What the reader of the LSM6DSL's queue calls on its device (runtime-c/port/zephyr/lsm6dsl-device.c). */
const queue = "read_registers|write_register|k_uptime_ticks|on_sample|on_gap";
const imu = "lsm6dsl_(spi|i2c)_\\w+";

const calls: Readonly<Record<string, string>> = {
  // the bare-metal port
  timers_count_instructions: "tmc_program_main|empty_program",
  // kernels: code made for a layer, or the one for large layers; NULL otherwise
  tmc_k_conv_positions: "\\w+_gather",
  one_row: "tmc_k_run_dense_six",
  // packages: the digest is left to the slots, which have checked it
  tmc_package_check: "package_sha256",
  // the update store: flash and signatures of a port
  update_is_set: slots("read"),
  load_slot: slots("read"),
  tmc_update_header: slots("read"),
  update_digest_right: slots("read"),
  update_set: slots("write"),
  write_head: slots("write"),
  take_bytes: slots("write|erase"),
  clear_head: slots("erase"),
  update_signature_right: "verify",
  // the Zephyr port
  advance: "read_vibration|read_counter|read_recording",
  sample: "read_device|read_button|read_vibration|read_counter|read_recording",
  tmc_port_sensor_start: "start_device|start_button|start",
  tmc_port_sensor_stop: "lsm6dsl_source_stop",
  empty: queue,
  lose: queue,
  lsm6dsl_drain: queue,
  lsm6dsl_start: queue,
  words_held: queue,
  restart: "lsm6dsl_attr_set",
  pace_sample: "push_frame",
  read_registers: i2c,
  write_register: i2c,
  zport_watchdog_feed: "iwdg_stm32_feed|wdog_cmsdk_apb_feed",
  zport_watchdog_start: "(iwdg_stm32|wdog_cmsdk_apb)_(install_timeout|setup)",
  start_button: pins,
  read_button: pins,
  on_setting: "settings_nvs_read_fn",
  read_device: "\\w+_(sample_fetch|channel_get)",
  start_device: "\\w+_attr_set",
  // Zephyr: MQTT, settings, sockets, buffers, threads
  event_notify: "on_event",
  mqtt_transport_connect: mqtt("connect"),
  mqtt_transport_disconnect: mqtt("disconnect"),
  mqtt_transport_read: mqtt("read"),
  mqtt_transport_write: mqtt("write"),
  mqtt_transport_write_msg: mqtt("write_msg"),
  settings_load_subtree_direct: "settings_nvs_load",
  settings_load_subtree: "settings_nvs_load",
  settings_save_one: "settings_nvs_save",
  settings_call_set_handler: "on_setting",
  zvfs_close: `${socket("close")}|zsock_close_ctx`,
  z_impl_zsock_close: `${socket("close")}|zsock_close_ctx`, // 3.7
  z_impl_zsock_connect: socket("connect"),
  z_impl_zsock_recvfrom: socket("recvfrom"),
  z_impl_zsock_sendto: socket("sendto"),
  z_impl_zsock_sendmsg: socket("sendmsg"),
  z_impl_zsock_getsockopt: socket("getsockopt"),
  z_impl_zsock_socket: "eswifi_socket_(create|is_supported)|net_socket_create|tls_socket_create",
  zvfs_fdtable_call_ioctl: "eswifi_socket_ioctl|(sock|tls_sock)_ioctl_vmeth",
  socket_offload_getaddrinfo: "eswifi_off_getaddrinfo",
  socket_offload_freeaddrinfo: "eswifi_off_freeaddrinfo",
  z_impl_sys_rand_get: "entropy_\\w+_get_entropy",
  z_impl_sys_csrand_get: "entropy_\\w+_get_entropy",
  net_buf_unref: "fixed_data_unref|mem_pool_data_unref|heap_data_unref|net_buf_destroy",
  net_buf_destroy: "fixed_data_unref|mem_pool_data_unref|heap_data_unref",
  z_thread_alloc_helper: "sys_heap_(aligned|noalign)_alloc",
  // Zephyr: drivers of the supported boards
  console_out: "uart_stm32_poll_out|uart_cmsdk_apb_poll_out",
  nvs_flash_al_wrt: flash("write"),
  nvs_flash_rd: flash("read"),
  z_impl_flash_flatten: flash("erase"),
  flash_get_page_info: flash("page_layout"),
  eswifi_at_cmd_rsp: "eswifi_spi_request",
  eswifi_request: "eswifi_spi_request",
  eswifi_socket_send: "eswifi_spi_request",
  eswifi_spi_request: `${pins}|${spi}`,
  eswifi_spi_read: `${pins}|${spi}`,
  eswifi_spi_cmddata_ready: pins,
  gpio_pin_set_dt: pins,
  spi_release_dt: spi,
  i2c_write_read: i2c,
  i2c_transfer: i2c,
  i2c_write: i2c,
  vl53l0x_start: pins,
  spi_stm32_transceive: "stm32_clock_control_\\w+",
  entropy_stm32_resume: "stm32_clock_control_\\w+",
  entropy_stm32_suspend: "stm32_clock_control_\\w+",
  hts221_read_reg: `${i2c}|\\w*i2c_\\w*read\\w*`,
  lsm6dsl_accel_set_fs_raw: imu,
  lsm6dsl_accel_set_odr_raw: imu,
  lsm6dsl_gyro_set_fs_raw: imu,
  lsm6dsl_gyro_set_odr_raw: imu,
  lsm6dsl_sample_fetch_accel: imu,
  lsm6dsl_sample_fetch_gyro: imu,
  // picolibc: where printk and snprintf put characters
  char_out: "console_out|arch_printk_char_out",
  __l_vfprintf: "char_out|__file_str_put",
  vfprintf: "char_out|__file_str_put",
};

/** Who tests its pointer before the call: where the image has no target, none is called. */
const tested = new Set([
  "z_impl_zsock_sendmsg",
  "z_impl_zsock_getsockopt",
  "tmc_k_conv_positions",
  "one_row",
  "tmc_package_check",
]);

/**
 * Libraries that no bound is computed for: they recurse and call through tables of pointers. A way into one is one gap,
 * with its name; what was measured instead is in docs/memory.md.
 */
export function uncountedLibrary(name: string): string | undefined {
  return name.startsWith("mbedtls_") ? "mbedTLS" : undefined;
}

/** By C name of the caller: what its indirect calls reach in this image. */
export function platformCalls(graph: CallGraph): Record<string, readonly string[]> {
  const names = [...new Set([...graph.values()].map((node) => node.name))];
  const known = Object.entries(calls).map(([caller, pattern]) => {
    const target = new RegExp(`^(?:${pattern})$`);
    return [caller, names.filter((name) => target.test(withoutCloneSuffix(name)))] as const;
  });
  return Object.fromEntries(known.filter(([caller, targets]) => targets.length > 0 || tested.has(caller)));
}
