/** A task of training, done in this thread: for the worker, and for tests that need no thread. */
import { readGraph } from "../inspect-model.js";
import type { Report, ResultOf, WorkerTask } from "./tasks.js";

/** @throws OperationFailure, UserError TMC3xxx */
export async function performTask(task: WorkerTask, report: Report): Promise<ResultOf[keyof ResultOf]> {
  // Each loads what it needs and no more: TensorFlow.js takes a second.
  switch (task.kind) {
    case "train":
      return (await import("./train.js")).train(task, report);
    case "measure": {
      const { measure } = await import("./measure.js");
      return measure(readGraph(task.model, task.name), task.samples, task.task, task.labels.length, report);
    }
    case "optimize":
      return (await import("./optimize.js")).optimize(task, report);
    case "average":
      return (await import("./average.js")).average(task);
  }
}
