/**
 * `model.infer`: runs a model of the image on inline data (int8 in the model's quantisation, or f32 in its unit) or on a
 * fresh window of a sensor, and answers with label, score and output tensor. It checks descriptors before it computes
 * and names the field that does not fit.
 */
import type { Answer } from "../core/answer.js";
import { DescriptorField } from "../core/data-descriptor.js";
import { mismatch } from "../core/fits.js";
import type { AnyModel } from "../core/any-model.js";
import { Operation } from "../core/operation.js";
import { ElementType, ErrorCode } from "../core/protocol.js";
import type { Request } from "../core/request.js";
import type { Sensor } from "../core/sensor.js";
import { findSensor } from "../core/sensor.js";
import { word } from "../std/layout.js";

const sensorScheme = "sensor:";
/** Values taken from a sensor at a time. */
const chunkValues = 48;

export class ModelInfer extends Operation {
  /** What the running request asked for. */
  private model: AnyModel;
  private sensor: Sensor | null = null;
  private wantsReal: boolean = false;
  private rate: f32 = 0;
  /** Quantised values of the window so far. Inline requests do not touch it: they may come in between. */
  private filled: i32 = 0;
  private readonly window: Int8Array;
  private readonly chunk: Float32Array = new Float32Array(chunkValues);

  /** At least one model; the first that is there is the default. No sensors: inline data only. @setup */
  constructor(
    private readonly models: RomArray<AnyModel>,
    private readonly sensors: RomArray<Sensor>,
  ) {
    super("model.infer");
    this.model = models[0];
    let largest = 0;
    for (const model of models) largest = Math.max(largest, model.mostInput());
    this.window = new Int8Array(sensors.length > 0 ? largest : 0);
    for (const sensor of sensors) {
      if (sensor.channels > chunkValues) throw new Error("model.infer takes sensors of up to 48 channels");
    }
  }

  override inBackground(request: Request): boolean {
    return request.hasReference;
  }

  override run(request: Request, answer: Answer): boolean {
    const model = this.select(request);
    if (model === null) {
      answer.fail(ErrorCode.NotFound, "no such model", "selector");
      return true;
    }
    const accepted = request.accepted;
    const wantsReal = accepted.has(DescriptorField.Element) && accepted.element === ElementType.F32;
    const misfit = mismatch(wantsReal ? model.realOutput : model.output, accepted);
    if (misfit.length > 0) {
      answer.failWithin(ErrorCode.DescriptorMismatch, "", "accept", misfit);
    } else if (request.hasReference) {
      this.model = model;
      this.wantsReal = wantsReal;
      return !this.beginWindow(request, answer);
    } else if (request.hasBytes) {
      if (this.takeInline(request, model, answer)) this.infer(model, wantsReal, 0, answer);
    } else {
      answer.fail(ErrorCode.BadRequest, "missing", "input");
    }
    return true;
  }

  override poll(answer: Answer): boolean {
    const sensor = this.sensor;
    if (sensor === null) return true;
    const model = this.model;
    while (this.filled < model.inputSize) {
      const most = chunkValues - (chunkValues % sensor.channels);
      const wanted = Math.min(model.inputSize - this.filled, most);
      const got = sensor.take(this.chunk.subarray(0, wanted)) * sensor.channels;
      if (got <= 0) return false;
      for (let i = 0; i < got; i++) this.window[this.filled + i] = model.quantise(this.chunk[i]);
      this.filled += got;
    }
    const lost = sensor.lost();
    this.abort();
    model.inputTensor().set(this.window.subarray(0, model.inputSize));
    this.infer(model, this.wantsReal, lost, answer);
    return true;
  }

  override abort(): void {
    if (this.sensor !== null) this.sensor.stop();
    this.sensor = null;
  }

  override remainingMs(): u32 {
    const sensor = this.sensor;
    if (sensor === null) return 1;
    return 1 + u32((f32(this.model.inputSize - this.filled) * 1000) / (this.rate * f32(sensor.channels)));
  }

  /** The model that the selector names, else the first with its task, else the first. */
  private select(request: Request): AnyModel | null {
    const name = request.selector();
    const task = request.task();
    for (const model of this.models) {
      const isMeant = (name.length === 0 || model.isNamed(name)) && (task.length === 0 || model.isFor(task));
      if (isMeant && model.isThere()) return model;
    }
    return null;
  }

  /** Starts taking a window; false when it failed, and said so. */
  private beginWindow(request: Request, answer: Answer): boolean {
    const reference = request.reference();
    const known = reference.startsWith(sensorScheme);
    const sensor = known ? findSensor(this.sensors, reference.slice(sensorScheme.length)) : null;
    if (sensor === null) {
      answer.fail(ErrorCode.NotFound, "no such sensor", "input");
      return false;
    }
    const need = this.model.realInput;
    if (need.shape[need.rank - 1] !== sensor.channels) {
      answer.fail(ErrorCode.DescriptorMismatch, "channels of the sensor", "input.shape");
      return false;
    }
    if (need.unit.length > 0 && need.unit.toString() !== sensor.unit) {
      answer.fail(ErrorCode.DescriptorMismatch, "unit of the sensor", "input.unit");
      return false;
    }
    this.rate = request.f32Argument(0, need.rate > 0 ? need.rate : sensor.rate);
    const possible = request.argumentsOk() && this.rate > 0 && this.rate <= sensor.maxRate;
    if (!possible || !sensor.start(this.rate)) {
      answer.fail(ErrorCode.BadRequest, "not a rate of this sensor", "arguments.rate");
      return false;
    }
    this.sensor = sensor;
    this.filled = 0;
    return true;
  }

  /** Brings inline data into the input tensor; false when it does not fit, and said so. */
  private takeInline(request: Request, model: AnyModel, answer: Answer): boolean {
    const real = request.offered.element === ElementType.F32;
    const misfit = mismatch(request.offered, real ? model.realInput : model.input);
    if (misfit.length > 0) {
      answer.failWithin(ErrorCode.DescriptorMismatch, "", "input", misfit);
      return false;
    }
    const bytes = request.bytes();
    const width = real ? 4 : 1;
    if (bytes.length !== model.inputSize * width) {
      answer.fail(ErrorCode.DescriptorMismatch, "not as long as its shape", "input.bytes");
      return false;
    }
    const tensor = model.inputTensor();
    for (let i = 0; i < tensor.length; i++) {
      tensor[i] = real ? model.quantise(f32FromBits(word(bytes, 4 * i))) : i8(bytes[i]);
    }
    return true;
  }

  /** Runs the model on its input tensor and writes the answer. */
  private infer(model: AnyModel, real: boolean, lost: u32, answer: Answer): void {
    model.invoke();
    const output = model.outputTensor();
    let best = 0;
    for (let i = 1; i < output.length; i++) {
      if (output[i] > output[best]) best = i;
    }
    const writer = answer.beginResult(5);
    writer.writeInt(0);
    writer.writeText(model.label(best));
    writer.writeInt(1);
    writer.writeF32(model.dequantise(output[best]));
    writer.writeInt(2);
    writer.writeInt(best);
    writer.writeInt(3);
    writer.writeText(model.identity());
    writer.writeInt(4);
    writer.writeUint(lost);
    if (real) {
      answer.beginOutput(4 * output.length);
      for (let i = 0; i < output.length; i++) writer.writeRawF32(model.dequantise(output[i]));
      answer.outputDescriptor(model.realOutput);
    } else {
      answer.beginOutput(output.length);
      writer.writeRawI8(output);
      answer.outputDescriptor(model.output);
    }
  }
}
