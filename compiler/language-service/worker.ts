/**
 * The thread that checks for the plugin, so that the editor never waits longer than it wants: setup runs the user's code,
 * and that may take its time.
 */
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { FileChecker } from "./file-checker.js";
import type { CheckReply, CheckRequest } from "./messages.js";

/** What the plugin hands over. */
export interface WorkerStart {
  readonly port: MessagePort;
  /** One number: counted up with every reply, so that the plugin can wait for one. */
  readonly replies: Int32Array;
}

function answer(checker: FileChecker, request: CheckRequest): CheckReply {
  try {
    const diagnostics = checker.check(request.file, new Map(request.overlay));
    return { id: request.id, diagnostics, failure: undefined };
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { id: request.id, diagnostics: [], failure };
  }
}

if (parentPort !== null) {
  const { port, replies } = workerData as WorkerStart;
  const checker = new FileChecker();
  port.on("message", (request: CheckRequest) => {
    port.postMessage(answer(checker, request));
    Atomics.add(replies, 0, 1);
    Atomics.notify(replies, 0);
  });
}
