/** A sensor as the node offers it: a name that the board knows, and what its frames mean. */
import type { CborWriter } from "../std/cbor-writer.js";
import {
  sensorChannels,
  sensorLost,
  sensorMost,
  sensorOpen,
  sensorStart,
  sensorStop,
  sensorTake,
} from "../std/platform.js";

export interface SensorOptions {
  /** Of every channel, UCUM-like: "g", "Cel". */
  readonly unit: string;
  /** One name a channel. */
  readonly channels: string[];
  /** Default and highest rate in Hz. */
  readonly rate: f32;
  readonly maxRate: f32;
  /** Least and most that it can tell, in its unit; told when most is the larger one. Default: not told. */
  readonly least?: f32;
  readonly most?: f32;
}

export class Sensor {
  readonly unit: string;
  readonly channels: i32;
  readonly rate: f32;
  readonly maxRate: f32;
  private readonly channelNames: RomArray<string>;
  private readonly leastValue: f32;
  private readonly mostValue: f32;
  private handle: i32 = -1;

  constructor(
    readonly name: string,
    options: SensorOptions,
  ) {
    this.unit = options.unit;
    this.channels = options.channels.length;
    this.channelNames = options.channels;
    this.rate = options.rate;
    this.maxRate = options.maxRate;
    this.leastValue = options.least ?? f32(0);
    this.mostValue = options.most ?? f32(0);
  }

  /** False when the board has no such sensor, or one with another number of channels. */
  open(): boolean {
    this.handle = sensorOpen(this.name);
    if (this.handle >= 0 && sensorChannels(this.handle) !== this.channels) this.handle = -1;
    return this.handle >= 0;
  }

  /** Starts sampling in the background; false when that is not possible. */
  start(rate: f32): boolean {
    return this.handle >= 0 && sensorStart(this.handle, i32(Math.round(rate * 1000)));
  }

  /** Moves frames that are due to `out`, whose length is a multiple of `channels`; gives how many frames. */
  take(out: Float32Array): i32 {
    return sensorTake(this.handle, out);
  }

  /** Frames lost since `start`. */
  lost(): u32 {
    return sensorLost(this.handle);
  }

  /** The most frames that waited at once, since boot. */
  most(): i32 {
    return this.handle < 0 ? 0 : sensorMost(this.handle);
  }

  stop(): void {
    if (this.handle >= 0) sensorStop(this.handle);
  }

  /** A sensor-descriptor. @setup */
  describe(writer: CborWriter): void {
    const isBounded = this.mostValue > this.leastValue;
    writer.beginMap(isBounded ? 7 : 6);
    writer.writeInt(0);
    writer.writeText(this.name);
    writer.writeInt(1);
    writer.writeInt(this.channels);
    writer.writeInt(2);
    writer.writeText(this.unit);
    writer.writeInt(3);
    writer.writeF32(this.rate);
    writer.writeInt(4);
    writer.writeF32(this.maxRate);
    writer.writeInt(5);
    writer.beginArray(this.channels);
    for (const name of this.channelNames) writer.writeText(name);
    if (isBounded) {
      writer.writeInt(6);
      writer.beginArray(2);
      writer.writeF32(this.leastValue);
      writer.writeF32(this.mostValue);
    }
  }
}

/** The sensor of that name; null when there is none. */
export function findSensor(sensors: RomArray<Sensor>, name: string): Sensor | null {
  for (const sensor of sensors) {
    if (sensor.name === name) return sensor;
  }
  return null;
}
