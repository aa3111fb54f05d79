/** The settings every complete node has: how much it logs, how often it sweeps. */
import { z } from "zod";
import type { Log } from "./log.js";
import type { NodeSetting } from "./settings.js";
import type { Sweeper } from "./sweeper.js";

const levels = ["debug", "info", "warn", "error"] as const;

export function settingsOfNode(log: Log, sweeper: Sweeper): NodeSetting[] {
  return [
    {
      name: "log.level",
      schema: z.number().int().min(0).max(3),
      kept: true,
      get: () => levels.findIndex((level) => level === log.level),
      set: (value) => {
        log.level = levels[Number(value)] ?? "info";
      },
    },
    {
      name: "sweep.interval",
      schema: z.number().min(1).max(86_400),
      kept: true,
      get: () => sweeper.seconds,
      set: (value) => sweeper.setInterval(Number(value)),
    },
  ];
}
