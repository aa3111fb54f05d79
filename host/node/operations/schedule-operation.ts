/** task.schedule: makes, replaces and removes schedules. */
import { taskSchedule } from "../../bus/operations/task.js";
import type { Schedules } from "../jobs/schedules.js";
import { argumentsOf, resultFor } from "./arguments.js";
import { OperationFailure, type LocalOperation } from "./operation.js";
import { withStorage } from "./storage-failure.js";

export function scheduleOperation(schedules: Schedules): LocalOperation {
  return {
    definition: taskSchedule,
    async run(call) {
      const { name, order, cron, everyS, at } = argumentsOf(taskSchedule, call);
      if (order === undefined) {
        if ([cron, everyS, at].some((time) => time !== undefined)) {
          throw new OperationFailure("bad-request", "a time needs an order", "arguments.order");
        }
        if (await withStorage(() => schedules.remove(name)))
          return { result: resultFor(taskSchedule, { name }) };
        throw new OperationFailure("not-found", `no schedule ${name}`, "arguments.name");
      }
      const wish = {
        name,
        order,
        sender: call.sender,
        ...(cron === undefined ? {} : { cron }),
        ...(everyS === undefined ? {} : { everyS }),
        ...(at === undefined ? {} : { at }),
      };
      const { nextAt } = await withStorage(() => schedules.set(wish));
      return { result: resultFor(taskSchedule, { name, next: new Date(nextAt).toISOString() }) };
    },
  };
}
