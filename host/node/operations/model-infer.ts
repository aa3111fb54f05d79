/** model.infer: one inference of a model that this node offers, on bytes, data or a fresh window of a sensor. */
import { modelInfer } from "../../bus/operations/model.js";
import { elementTypes } from "../../bus/protocol-keys.js";
import type { Request } from "../../bus/protocol.js";
import type { SensorSource } from "../connectors/connector.js";
import { bytesOfFloats, framesOf, type DataDescriptor } from "../data/data-descriptor.js";
import { endSize } from "../models/inspect-model.js";
import { qualifiedName, type ModelRecord } from "../models/model-records.js";
import { argumentsOf, resultFor } from "./arguments.js";
import type { ModelContext } from "./model-operations.js";
import { OperationFailure, type LocalOperation, type OperationCall } from "./operation.js";
import { inputOf, type Resolved } from "./references.js";

/** Most bytes of an input. */
const inputBytes = 16 * 1024 * 1024;
const sensorPrefix = "sensor:";

/** What the model takes: its own integers, or f32 in its unit. */
function needOf({ inputs: [input = {}] }: ModelRecord, offered: number | undefined): DataDescriptor {
  const { scale: _scale, zeroPoint: _zeroPoint, ...rest } = input;
  return offered === elementTypes.f32 ? { ...rest, elementType: elementTypes.f32 } : input;
}

/** The model's output as it is asked for: f32 when the accepted output says so, else as the model computes it. */
function outputOf(
  { outputs: [output = {}] }: ModelRecord,
  accepted: DataDescriptor | undefined,
): DataDescriptor {
  const { scale: _scale, zeroPoint: _zeroPoint, ...rest } = output;
  return accepted?.elementType === elementTypes.f32 ? { ...rest, elementType: elementTypes.f32 } : output;
}

export function inferOperation(context: ModelContext): LocalOperation {
  const { deployed, match, node } = context;
  const sensorOf = (input: Request["input"]): SensorSource | undefined =>
    typeof input === "string" && input.startsWith(sensorPrefix)
      ? context
          .connectors()
          .flatMap((connector) => connector.sensors())
          .find(({ description }) => description.name === input.slice(sensorPrefix.length))
      : undefined;
  const selected = ({ selector }: Request): ModelRecord[] => {
    const named = selector?.name === undefined ? deployed.list() : [deployed.find(selector.name)];
    return named
      .filter((record) => record !== undefined)
      .filter(({ task }) => selector?.task === undefined || task === selector.task);
  };
  /** The field that does not fit; "" when all does. */
  const inputMismatch = (record: ModelRecord, offer: DataDescriptor): string =>
    match(offer, needOf(record, offer.elementType));
  const outputMismatch = (record: ModelRecord, accepted: DataDescriptor | undefined): string =>
    accepted === undefined ? "" : match(outputOf(record, accepted), accepted);

  return {
    definition: modelInfer,
    canServe: (request) => {
      const { selector, input, inputDescriptor, acceptedOutput } = request;
      if (selector?.node !== undefined && selector.node !== node) return false;
      if (typeof input === "string" && input.startsWith(sensorPrefix) && sensorOf(input) === undefined)
        return false;
      return selected(request).some(
        (record) =>
          outputMismatch(record, acceptedOutput) === "" &&
          (typeof input === "string" || inputMismatch(record, inputDescriptor ?? {}) === ""),
      );
    },
    async run(call) {
      const { request } = call;
      const candidates = selected(request);
      const [first] = candidates;
      if (first === undefined) {
        throw new OperationFailure("not-found", "this node offers no such model", "selector.name");
      }
      const sensor = sensorOf(request.input);
      const window = sensor === undefined ? undefined : await windowOf(sensor, first, call);
      const given: Resolved =
        window ?? (await inputOf(request.input, request.inputDescriptor, context.resolve, inputBytes));
      const record = candidates.find(
        (one) =>
          inputMismatch(one, given.descriptor) === "" && outputMismatch(one, request.acceptedOutput) === "",
      );
      if (record === undefined) {
        const field = inputMismatch(first, given.descriptor);
        throw new OperationFailure(
          "descriptor-mismatch",
          `${qualifiedName(first)} ${field === "" ? "puts out" : "takes"} something else`,
          field === "" ? `acceptedOutput.${outputMismatch(first, request.acceptedOutput)}` : `input.${field}`,
        );
      }
      const elementType = given.descriptor.elementType ?? elementTypes.f32;
      const wide = elementType === elementTypes.f32 ? 4 : elementType === elementTypes.i16 ? 2 : 1;
      const expected = endSize(record.inputs[0] ?? {}) * wide;
      if (given.bytes.length !== expected) {
        throw new OperationFailure(
          "descriptor-mismatch",
          `${given.bytes.length} bytes, not ${expected}`,
          "input.shape",
        );
      }
      const { index, score, raw, floats } = await deployed.infer(
        record,
        given.bytes,
        elementType,
        call.signal,
      );
      const outputDescriptor = outputOf(record, request.acceptedOutput);
      return {
        result: resultFor(modelInfer, {
          label: record.labels?.[index] ?? "",
          score,
          index,
          model: qualifiedName(record),
          ...(window === undefined ? {} : { lost: window.lost }),
        }),
        output: outputDescriptor.elementType === elementTypes.f32 ? floats : raw,
        outputDescriptor,
      };
    },
  };
}

/** A window as the model takes it. */
async function windowOf(
  sensor: SensorSource,
  record: ModelRecord,
  call: OperationCall,
): Promise<Resolved & { readonly lost: number }> {
  const { description } = sensor;
  const [input = {}] = record.inputs;
  const { rate = input.rate ?? description.rate ?? 1 } = argumentsOf(modelInfer, call);
  const { channels, unit } = description;
  const frames = endSize(input) / channels;
  // [128, 1, 3] and [128, 3] are 128 frames of 3 channels; [384] is as many of any.
  const own = framesOf((input.shape ?? []).filter((dimension) => dimension !== 1));
  if (!Number.isInteger(frames) || (own.channels !== channels && own.channels !== 1)) {
    throw new OperationFailure("descriptor-mismatch", `the sensor has ${channels} channels`, "input.shape");
  }
  const { samples, lost } = await sensor.collect(frames, rate, call.signal);
  return {
    bytes: bytesOfFloats(samples),
    lost,
    descriptor: {
      elementType: elementTypes.f32,
      shape: input.shape ?? [frames, channels],
      rate,
      ...(unit === undefined ? {} : { unit }),
    },
  };
}
