/**
 * Sensors of the Linux industrial I/O subsystem, by its files: `in_*_raw` with `_scale` and `_offset`, or `in_*_input`.
 * Values come in the unit of the kernel's ABI (Documentation/ABI/testing/sysfs-bus-iio), with prefixes taken off:
 * volts, not millivolts. Each sample is one read of a file: no buffers, no triggers, so it is for rates up to some
 * hundred hertz.
 */
import { join } from "node:path";
import type { Connector, SensorDescription, SensorSource } from "./connector.js";
import { freeName } from "./names.js";
import { pollWindow } from "./sampling.js";
import { attributesOf, devicesIn, numberAttribute, readAttribute, sampleAttribute } from "./sysfs.js";

/** By channel type: our unit, and how many of it one unit of the kernel's ABI is. */
const types: Readonly<Record<string, { readonly unit?: string; readonly factor: number }>> = {
  accel: { unit: "m/s2", factor: 1 },
  gravity: { unit: "m/s2", factor: 1 },
  anglvel: { unit: "rad/s", factor: 1 },
  deltavelocity: { unit: "m/s", factor: 1 },
  deltaangl: { unit: "rad", factor: 1 },
  magn: { unit: "uT", factor: 100 }, // gauss
  temp: { unit: "Cel", factor: 1e-3 },
  pressure: { unit: "kPa", factor: 1 },
  humidityrelative: { unit: "%", factor: 1e-3 },
  voltage: { unit: "V", factor: 1e-3 },
  altvoltage: { unit: "V", factor: 1e-3 },
  current: { unit: "A", factor: 1e-3 },
  power: { unit: "W", factor: 1e-3 },
  energy: { unit: "J", factor: 1 },
  resistance: { unit: "Ohm", factor: 1 },
  capacitance: { unit: "nF", factor: 1 },
  illuminance: { unit: "lx", factor: 1 },
  intensity: { factor: 1 },
  uvindex: { factor: 1 },
  proximity: { factor: 1 },
  distance: { unit: "m", factor: 1 },
  velocity: { unit: "m/s", factor: 1 },
  incli: { unit: "deg", factor: 1 },
  angl: { unit: "rad", factor: 1 },
  concentration: { unit: "%", factor: 1 },
  ph: { factor: 1 },
  electricalconductivity: { unit: "S/m", factor: 1 },
};

/** A read of sysfs takes some 50 us, and timers have a grain of 1 ms. */
const highestPolledRate = 500;
const channelsLimit = 16;
const sensorsLimit = 64;
/** type, index (or a differential pair), modifier: in_accel_x_raw, in_voltage3_raw, in_voltage0-voltage1_raw. */
const channelFile = /^in_([a-z]+)(\d{1,4}(?:-[a-z]+\d{1,4})?)?(?:_([a-z0-9_]{1,24}))?_(raw|input)$/;

interface Channel {
  readonly type: string;
  /** Name of the file without "in_" and its ending. */
  readonly id: string;
  /** "x", "y", "z" where the channel is one axis of several. */
  readonly axis: string | undefined;
  readonly file: string;
  /** value = (read + offset) * scale, in our unit. */
  readonly offset: number;
  readonly scale: number;
}

export class IioConnector implements Connector {
  readonly name = "iio";
  private found: readonly SensorSource[] = [];

  constructor(private readonly root: string) {}

  sensors(): readonly SensorSource[] {
    return this.found;
  }

  actuators(): readonly [] {
    return [];
  }

  /** Looks for devices once. @throws UserError TMC6602 */
  async start(): Promise<void> {
    const taken = new Set<string>();
    const found: SensorSource[] = [];
    for (const device of await devicesIn(this.root, /^iio:device\d{1,4}$/, "iio")) {
      found.push(...(await sensorsOf(join(this.root, device), device, taken)));
    }
    this.found = found.slice(0, sensorsLimit);
  }

  close(): Promise<void> {
    this.found = [];
    return Promise.resolve();
  }
}

async function sensorsOf(folder: string, device: string, taken: Set<string>): Promise<SensorSource[]> {
  const files = await attributesOf(folder);
  const deviceName = (await readAttribute(join(folder, "name")).catch(() => undefined)) ?? device;
  const channels: Channel[] = [];
  for (const file of files) {
    const channel = await readChannel(folder, file, files);
    if (channel !== undefined) channels.push(channel);
  }
  const groups = new Map<string, Channel[]>();
  for (const channel of channels) {
    // Axes of one quantity are one sensor; everything else stands alone.
    const key = channel.axis === undefined ? channel.id : channel.id.replace(/_[xyz]$/, "");
    groups.set(key, [...(groups.get(key) ?? []), channel].slice(0, channelsLimit));
  }
  const sensors: SensorSource[] = [];
  for (const [key, group] of groups) {
    const rate = await rateOf(folder, group[0]?.type ?? "");
    const unit = types[group[0]?.type ?? ""]?.unit;
    const highestRate = Math.min(rate ?? highestPolledRate, highestPolledRate);
    const description: SensorDescription = {
      name: freeName(`${deviceName}.${key}`, taken),
      channels: group.length,
      ...(unit === undefined ? {} : { unit }),
      rate: Math.min(highestRate, 10),
      highestRate,
      channelNames: group.map((channel) => channel.axis ?? channel.id),
    };
    sensors.push(iioSensor(folder, description, group));
  }
  return sensors;
}

function iioSensor(
  folder: string,
  description: SensorDescription,
  channels: readonly Channel[],
): SensorSource {
  const read = async (): Promise<number[]> => {
    const frame: number[] = [];
    for (const { file, offset, scale } of channels) {
      frame.push(((await sampleAttribute(join(folder, file), description.name)) + offset) * scale);
    }
    return frame;
  };
  return {
    description,
    collect: (frames, rate, signal) => pollWindow(description, frames, rate, signal, read),
  };
}

/** Undefined for a file that is no channel we know, and where a processed value stands beside the raw one. */
async function readChannel(
  folder: string,
  file: string,
  files: readonly string[],
): Promise<Channel | undefined> {
  const match = channelFile.exec(file);
  const type = match?.[1];
  if (match === null || type === undefined || !Object.hasOwn(types, type)) return undefined;
  const [, , index = "", modifier, kind] = match;
  const factor = types[type]?.factor ?? 1;
  const id = `${type}${index}${modifier === undefined ? "" : `_${modifier}`}`;
  const axis = modifier !== undefined && /^[xyz]$/.test(modifier) ? modifier : undefined;
  if (kind === "input") return { type, id, axis, file, offset: 0, scale: factor };
  if (files.includes(`in_${id}_input`)) return undefined;
  const scale = await sharedNumber(folder, files, id, type, "scale");
  const offset = await sharedNumber(folder, files, id, type, "offset");
  return { type, id, axis, file, offset: offset ?? 0, scale: (scale ?? 1) * factor };
}

/** An attribute of the channel itself, or the one that all channels of its type share. */
async function sharedNumber(
  folder: string,
  files: readonly string[],
  id: string,
  type: string,
  attribute: string,
): Promise<number | undefined> {
  const file = [`in_${id}_${attribute}`, `in_${type}_${attribute}`].find((name) => files.includes(name));
  return file === undefined ? undefined : numberAttribute(join(folder, file));
}

async function rateOf(folder: string, type: string): Promise<number | undefined> {
  for (const file of [`in_${type}_sampling_frequency`, "sampling_frequency"]) {
    const rate = await numberAttribute(join(folder, file));
    if (rate !== undefined && rate > 0) return rate;
  }
  return undefined;
}
