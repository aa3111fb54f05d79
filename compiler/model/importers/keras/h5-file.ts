/**
 * Reads HDF5 files, without knowing what is in them, through h5wasm. The library is C that was not written for hostile files,
 * so it runs in a thread of its own, in WebAssembly's memory, on copies of the bytes, and for a limited time.
 */
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from "node:worker_threads";
import { UserError } from "../../../diagnostics/user-error.js";
import { MAX_NODES, MAX_WEIGHTS, tooLarge } from "../limits.js";
import { h5WorkerCode, type H5Answer, type H5Tensor, type H5WorkerData } from "./h5-worker-code.js";

const MAX_MILLISECONDS = 20_000;

export interface H5File {
  /** Attribute model_config of the root: a network as Keras describes it. */
  readonly config: string | undefined;
  /** All float tensors. */
  readonly tensors: readonly H5Tensor[];
}

interface Reader {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly flag: Int32Array;
}

/** Started by the first file, kept for the next ones; a thread that fails is not used again. */
let reader: Reader | undefined;

function start(): Reader {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const { port1: port, port2 } = new MessageChannel();
  const data: H5WorkerData = {
    url: import.meta.resolve("h5wasm"),
    maxElements: MAX_WEIGHTS,
    maxObjects: 8 * MAX_NODES,
    maxDepth: 16,
  };
  const worker = new Worker(h5WorkerCode, {
    eval: true,
    execArgv: [],
    // What libhdf5 prints about damaged files is not for users.
    stdout: true,
    stderr: true,
    workerData: { ...data, port: port2, flag },
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  worker.on("error", () => {
    // The thread is gone; whoever waits for it runs into the time limit.
  });
  worker.unref();
  port.unref();
  return { worker, port, flag };
}

function stop({ worker, port }: Reader): void {
  reader = undefined;
  port.close();
  void worker.terminate();
}

/** @throws UserError TMC3209 when the bytes are not a whole HDF5 file, TMC3210 when it is too large or takes too long */
export function readH5(bytes: Uint8Array, fileName: string): H5File {
  reader ??= start();
  const current = reader;
  Atomics.store(current.flag, 0, 0);
  current.port.postMessage(bytes);
  const state = Atomics.wait(current.flag, 0, 0, MAX_MILLISECONDS);
  const answer = receiveMessageOnPort(current.port)?.message as H5Answer | undefined;
  if (answer === undefined) {
    stop(current);
    throw tooLarge(
      state === "timed-out"
        ? `reading ${fileName} took more than ${MAX_MILLISECONDS / 1000} s`
        : `${fileName} could not be read`,
    );
  }
  if ("limit" in answer) {
    throw tooLarge(answer.limit);
  }
  if ("error" in answer) {
    stop(current);
    throw new UserError(
      "TMC3209",
      `${fileName} is damaged, or not an HDF5 file: ${answer.error}`,
      "Save the model again, or compare the file's size and digest with the original.",
    );
  }
  return answer;
}
