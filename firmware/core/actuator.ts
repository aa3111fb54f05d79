/** An actuator as the node offers it: a name that the board knows, its unit and its range. Functions of the node set it. */
import type { CborWriter } from "../std/cbor-writer.js";
import { actuatorChannels, actuatorOpen, actuatorWrite } from "../std/platform.js";

export interface ActuatorOptions {
  /** UCUM-like; "" (default): 0 is off, 1 is on. */
  readonly unit?: string;
  /** One name a channel; default one channel, "on". */
  readonly channels?: string[];
  /** What it takes, in its unit; default 0 to 1. */
  readonly least?: f32;
  readonly most?: f32;
}

const onOff: string[] = ["on"];

export class Actuator {
  readonly channels: i32;
  readonly unit: string;
  readonly least: f32;
  readonly most: f32;
  private readonly channelNames: RomArray<string>;
  private readonly values: Float32Array;
  private handle: i32 = -1;

  /** @setup */
  constructor(
    readonly name: string,
    options: ActuatorOptions | null = null,
  ) {
    this.unit = options?.unit ?? "";
    this.channelNames = options?.channels ?? onOff;
    this.channels = this.channelNames.length;
    this.least = options?.least ?? f32(0);
    this.most = options?.most ?? f32(1);
    this.values = new Float32Array(this.channels);
  }

  /** False when the board has no such actuator, or one with another number of channels. */
  open(): boolean {
    this.handle = actuatorOpen(this.name);
    if (this.handle >= 0 && actuatorChannels(this.handle) !== this.channels) this.handle = -1;
    return this.handle >= 0;
  }

  /** What was last set; 0 at the start. */
  get(channel: i32 = 0): f32 {
    return this.values[channel];
  }

  /** Sets one channel. False: not open, outside the range (NaN too), or the board could not. */
  set(value: f32, channel: i32 = 0): boolean {
    if (this.handle < 0 || !(value >= this.least && value <= this.most)) return false;
    const before = this.values[channel];
    this.values[channel] = value;
    if (actuatorWrite(this.handle, this.values)) return true;
    this.values[channel] = before;
    return false;
  }

  /** An actuator-descriptor. @setup */
  describe(writer: CborWriter): void {
    writer.beginMap(5);
    writer.writeInt(0);
    writer.writeText(this.name);
    writer.writeInt(1);
    writer.writeInt(this.channels);
    writer.writeInt(2);
    writer.writeText(this.unit);
    writer.writeInt(3);
    writer.beginArray(2);
    writer.writeF32(this.least);
    writer.writeF32(this.most);
    writer.writeInt(4);
    writer.beginArray(this.channels);
    for (const name of this.channelNames) writer.writeText(name);
  }
}
