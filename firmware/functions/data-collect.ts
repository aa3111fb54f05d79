/**
 * `data.collect`: takes frames from a sensor in the background and answers with the frames, or with mean, minimum,
 * maximum and root mean square of each channel. Frames are bounded by the size of a message; summaries are not.
 */
import type { Answer } from "../core/answer.js";
import { DataDescriptor } from "../core/data-descriptor.js";
import { Operation } from "../core/operation.js";
import { ElementType, ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";
import type { Sensor } from "../core/sensor.js";
import { findSensor } from "../core/sensor.js";
import type { NumberSetting } from "../core/setting.js";
import { ChannelStatistics } from "./channel-statistics.js";

/** Values that fit in an answer of 1024 bytes beside everything else. */
const defaultValues = 216;
const maxFrames = 100000;
const maxChannels = 8;

enum Mode {
  Samples = 0,
  Summary = 1,
}

export class DataCollect extends Operation {
  private sensor: Sensor;
  private mode: Mode = Mode.Samples;
  private rate: f32 = 0;
  private count: i32 = 0;
  private taken: i32 = 0;
  private readonly values: Float32Array;
  private readonly statistics: ChannelStatistics = new ChannelStatistics(maxChannels);
  private readonly descriptor: DataDescriptor = new DataDescriptor();

  /**
   * At least one sensor. `defaultRate`: Hz, where a request states none; 0 = the sensor's own. `most`: values (a frame has one a
   * channel) that an answer may hold, 4 bytes of RAM and of the answer each; a summary takes so many at a time. @setup
   */
  constructor(
    private readonly sensors: RomArray<Sensor>,
    private readonly defaultRate: NumberSetting,
    most: i32 = defaultValues,
  ) {
    super("data.collect");
    this.sensor = sensors[0];
    if (most < maxChannels) throw new Error("data.collect needs room for at least 8 values");
    this.values = new Float32Array(most);
    for (const sensor of sensors) {
      if (sensor.channels > maxChannels) throw new Error("data.collect takes sensors of up to 8 channels");
    }
  }

  override inBackground(_request: Request): boolean {
    return true;
  }

  override run(request: Request, answer: Answer): boolean {
    const sensor = findSensor(this.sensors, request.textArgument(0, ""));
    const count = request.uintArgument(1, 1);
    const mode = request.uintArgument(3, Mode.Samples);
    const rate = request.f32Argument(2, this.defaultRate.value);
    if (!request.argumentsOk()) {
      answer.fail(ErrorCode.BadRequest, "", "arguments");
    } else if (sensor === null) {
      answer.fail(ErrorCode.NotFound, "no such sensor", "arguments.sensor");
    } else if (count < 1 || count > maxFrames) {
      answer.fail(ErrorCode.BadRequest, "1 to 100000", "arguments.count");
    } else if (mode > Mode.Summary) {
      answer.fail(ErrorCode.BadRequest, "", "arguments.mode");
    } else if (mode === Mode.Samples && i32(count) * sensor.channels > this.values.length) {
      answer.fail(ErrorCode.TooLarge, "frames do not fit in a message", "arguments.count");
    } else {
      this.sensor = sensor;
      this.count = i32(count);
      this.mode = i32(mode);
      this.rate = rate === 0 ? sensor.rate : rate;
      return !this.begin(answer);
    }
    return true;
  }

  override poll(answer: Answer): boolean {
    const channels = this.sensor.channels;
    const most = Math.trunc(this.values.length / channels);
    while (this.taken < this.count) {
      // Samples are kept one after the other; a summary uses the buffer again and again.
      const start = this.mode === Mode.Samples ? this.taken * channels : 0;
      const wanted = Math.min(this.count - this.taken, most);
      const frames = this.values.subarray(start, start + wanted * channels);
      const got = this.sensor.take(frames);
      if (got <= 0) return false;
      if (this.mode === Mode.Summary) this.statistics.add(frames.subarray(0, got * channels));
      this.taken += got;
    }
    this.sensor.stop();
    this.write(answer);
    return true;
  }

  override abort(): void {
    this.sensor.stop();
  }

  override remainingMs(): u32 {
    return 1 + u32((f32(this.count - this.taken) * 1000) / this.rate);
  }

  /** False when it failed, and said so. */
  private begin(answer: Answer): boolean {
    this.taken = 0;
    this.statistics.clear(this.sensor.channels);
    const ok = this.rate > 0 && this.rate <= this.sensor.maxRate && this.sensor.start(this.rate);
    if (!ok) answer.fail(ErrorCode.BadRequest, "not a rate of this sensor", "arguments.rate");
    return ok;
  }

  private write(answer: Answer): void {
    const channels = this.sensor.channels;
    const summary = this.mode === Mode.Summary;
    const writer = answer.beginResult(summary ? 3 : 2);
    writer.writeInt(0);
    writer.writeInt(this.taken);
    writer.writeInt(1);
    writer.writeUint(this.sensor.lost());
    if (summary) {
      writer.writeInt(2);
      this.statistics.write(writer);
      return;
    }
    const size = this.taken * channels;
    answer.beginOutput(4 * size);
    for (let i = 0; i < size; i++) writer.writeRawF32(this.values[i]);
    const descriptor = this.descriptor;
    descriptor.clear();
    descriptor.setElement(ElementType.F32);
    descriptor.addDimension(this.taken);
    descriptor.addDimension(channels);
    descriptor.setRate(this.rate);
    descriptor.setUnit(this.sensor.unit);
    answer.outputDescriptor(descriptor);
  }
}
