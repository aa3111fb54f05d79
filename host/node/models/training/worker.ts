/** The thread that trains, measures and quantises: one task in, progress and one result out. It ends with its task. */
import { parentPort, workerData } from "node:worker_threads";
import { UserError } from "../../../../compiler/diagnostics/user-error.js";
import { OperationFailure } from "../../operations/operation.js";
import { performTask } from "./perform-task.js";
import type { WorkerMessage, WorkerTask } from "./tasks.js";

function send(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

try {
  // What run-task.ts gave.
  const task = workerData as WorkerTask;
  const result = await performTask(task, (fraction, text) => send({ kind: "progress", fraction, text }));
  send({ kind: "done", result });
} catch (error) {
  if (error instanceof OperationFailure) {
    const field = error.field === undefined ? {} : { field: error.field };
    send({ kind: "failed", code: error.code, text: error.text, ...field });
  } else if (error instanceof UserError) {
    send({ kind: "failed", code: "descriptor-mismatch", text: `${error.code}: ${error.message}` });
  } else {
    send({ kind: "failed", code: "internal", text: error instanceof Error ? error.message : String(error) });
  }
}
