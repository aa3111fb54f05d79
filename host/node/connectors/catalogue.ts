/** What `tmc explain` says about the connectors of a complete node. */
import type { CatalogueEntry } from "../../../compiler/diagnostics/catalogue-entry.js";

export const catalogue: CatalogueEntry[] = [
  {
    code: "TMC6601",
    title: "two devices with one name",
    rule: "Requests name a sensor or an actuator by nothing but its name, so names are unique over all connectors of a node.",
    wrong: "sensors: [{ name: room, topic: a/temp }, { name: room, topic: b/temp }]",
    right: "sensors: [{ name: room-a, topic: a/temp }, { name: room-b, topic: b/temp }]",
  },
  {
    code: "TMC6602",
    title: "the devices of a connector are not there",
    rule: "Connectors for Linux devices read the kernel's files below `root` (/sys/bus/iio/devices, /sys/class/hwmon, /sys/class/gpio). The folder must exist, and GPIO lines must be free and writable for the node's user. Kernels without CONFIG_GPIO_SYSFS have no /sys/class/gpio; character devices are not served.",
    wrong: "connectors: [{ kind: gpio, lines: [{ name: relay, line: 999, direction: out }] }]",
    right: "connectors: [{ kind: gpio, lines: [{ name: relay, line: 17, direction: out }] }]",
  },
  {
    code: "TMC6603",
    title: "a recording cannot be replayed",
    rule: "A recording is a CSV file: its first line names the channels, every other line is one frame of finite numbers. `channels` chooses columns by name. Generators have the names that the message lists, and their own number of channels.",
    wrong: "{ name: accelerometer, source: pump.csv, channels: [ax], rate: 100 }   # header: x,y,z",
    right: "{ name: accelerometer, source: pump.csv, channels: [x, y, z], rate: 100 }",
  },
  {
    code: "TMC6604",
    title: "not the topic or range of an MQTT device",
    rule: "A device has topics of its own: exact (no + and #), not below t1/ (there only nodes speak) and not beginning with $. An actuator's min is below its max.",
    wrong: "{ name: heater, topic: home/+/set, min: 0, max: 1 }",
    right: "{ name: heater, topic: home/heater/set, stateTopic: home/heater/state, min: 0, max: 1 }",
  },
];
