/**
 * data.collect: fresh frames of a sensor of this node; with `name` they become an item of a data set here, also when
 * the sensor is another node's: that node is then asked for the frames.
 */
import { dataCollect } from "../../bus/operations/data.js";
import { collectModes, elementTypes } from "../../bus/protocol-keys.js";
import { errorName, resultOf, type Request } from "../../bus/protocol.js";
import type { SensorSource, Window } from "../connectors/connector.js";
import { bytesOfFloats, type DataDescriptor } from "../data/data-descriptor.js";
import { argumentsOf, resultFor } from "./arguments.js";
import type { DataOperationsOptions } from "./data-operations.js";
import { requestKey } from "./data-store.js";
import { OperationFailure, type LocalOperation, type OperationCall } from "./operation.js";
import { inputOf } from "./references.js";

/** Most bytes of a window. */
const windowBytes = 64 * 1024 * 1024;

interface Collected {
  readonly frames: number;
  readonly lost: number;
  readonly bytes: Uint8Array;
  readonly descriptor: DataDescriptor;
  readonly origin: string;
}

export function collectOperation(options: DataOperationsOptions): LocalOperation {
  const { dataSets, match, node } = options;
  const sensor = (name: unknown): SensorSource | undefined =>
    options
      .connectors()
      .flatMap((connector) => connector.sensors())
      .find(({ description }) => description.name === name);
  const mine = ({ selector }: Request): boolean => selector?.node === undefined || selector.node === node;

  const collectHere = async (source: SensorSource, call: OperationCall): Promise<Collected> => {
    const { description } = source;
    const { frames = 1, rate = description.rate ?? 1 } = argumentsOf(dataCollect, call);
    if (description.highestRate !== undefined && rate > description.highestRate) {
      throw new OperationFailure("bad-request", `at most ${description.highestRate} Hz`, "arguments.rate");
    }
    if (frames * description.channels * 4 > windowBytes) {
      throw new OperationFailure(
        "too-large",
        `a window has at most ${windowBytes} bytes`,
        "arguments.frames",
      );
    }
    const window = await source.collect(frames, rate, call.signal);
    return {
      ...shown(window),
      descriptor: descriptorOf(source, window, rate),
      origin: `${node}/${description.name}`,
    };
  };

  /** The window of another node's sensor. */
  const collectThere = async (call: OperationCall): Promise<Collected> => {
    const { sensor: name, frames, rate } = argumentsOf(dataCollect, call);
    const { selector, priority } = call.request;
    const answer = await options.submit(
      {
        operation: "data.collect",
        ...(selector === undefined ? {} : { selector }),
        arguments: {
          sensor: name,
          ...(frames === undefined ? {} : { frames }),
          ...(rate === undefined ? {} : { rate }),
        },
        deadlineMs: Math.max(1, Math.floor(call.deadlineAt - performance.now())),
        ...(priority === undefined ? {} : { priority }),
      },
      { sender: call.sender, signal: call.signal },
    );
    if (answer.error !== undefined) {
      const { code, text = "", field } = answer.error;
      throw new OperationFailure(errorName(code) ?? "internal", text, field);
    }
    const { frames: taken, lost } = resultOf("data.collect", answer);
    const { bytes, descriptor } = await inputOf(
      answer.output,
      answer.outputDescriptor,
      options.resolve,
      windowBytes,
    );
    return { frames: taken, lost, bytes, descriptor, origin: `${answer.node}/${name}` };
  };

  return {
    definition: dataCollect,
    canServe: (request) => {
      const { sensor: name, name: into } = request.arguments ?? {};
      return into !== undefined || (mine(request) && sensor(name) !== undefined);
    },
    // With a data set of this server the order is the server's, whosever the sensor is.
    intercepts: (request) => request.arguments?.["name"] !== undefined,
    async run(call) {
      const { sensor: name, mode, name: into, label, usage } = argumentsOf(dataCollect, call);
      if (into !== undefined && mode === collectModes.summary) {
        throw new OperationFailure("bad-request", "a summary is no item of a data set", "arguments.mode");
      }
      const source = mine(call.request) ? sensor(name) : undefined;
      if (source === undefined && into === undefined) {
        throw new OperationFailure("not-found", `no sensor ${name}`, "arguments.sensor");
      }
      const collected = source === undefined ? await collectThere(call) : await collectHere(source, call);
      const { frames, lost, bytes, descriptor, origin } = collected;
      const accepted = call.request.acceptedOutput;
      const field = accepted === undefined ? "" : match(descriptor, accepted);
      if (field !== "") {
        throw new OperationFailure("descriptor-mismatch", "the window is of another kind", `output.${field}`);
      }
      if (mode === collectModes.summary) {
        return { result: resultFor(dataCollect, { frames, lost, channels: channelsOf(collected) }) };
      }
      if (into === undefined) {
        return {
          result: resultFor(dataCollect, { frames, lost }),
          output: bytes,
          outputDescriptor: descriptor,
        };
      }
      const { digests } = await dataSets.append(into, [{ bytes, label, usage, origin }], descriptor, {
        origin,
        request: requestKey(call),
      });
      const [digest] = digests;
      // The window is in the data set: an answer need not carry it again.
      return {
        result: resultFor(dataCollect, { frames, lost, ...(digest === undefined ? {} : { digest }) }),
      };
    },
  };
}

function shown({ samples, frames, lost }: Window): Pick<Collected, "frames" | "lost" | "bytes"> {
  return { frames, lost, bytes: bytesOfFloats(samples) };
}

function descriptorOf({ description }: SensorSource, { frames }: Window, rate: number): DataDescriptor {
  const { channels, unit, channelNames } = description;
  return {
    elementType: elementTypes.f32,
    shape: [frames, channels],
    rate,
    ...(unit === undefined ? {} : { unit }),
    ...(channelNames === undefined ? {} : { features: [...channelNames] }),
  };
}

/** [mean, minimum, maximum, rms] by channel. */
function channelsOf({ bytes, descriptor, frames }: Collected): [number, number, number, number][] {
  const channels = descriptor.shape?.at(-1) ?? 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    let squares = 0;
    let low = Infinity;
    let high = -Infinity;
    for (let frame = 0; frame < frames; frame++) {
      const value = view.getFloat32((frame * channels + channel) * 4, true);
      sum += value;
      squares += value * value;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return [sum / frames, low, high, Math.sqrt(squares / frames)];
  });
}
