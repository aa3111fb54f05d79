/** The list of targets of `--on`: names, their check, suggestions. */
import { InvalidArgumentError } from "commander";
import { closest } from "./closest.js";

/** node: the JavaScript backend in this process. The others are boards that run programs here. */
export const execTargets = ["node", "host", "qemu_cortex_m4"] as const;

export type ExecTarget = (typeof execTargets)[number];

const isTarget = (name: string): name is ExecTarget => execTargets.some((target) => target === name);

/** Parses `node,host`; for commander's option. @throws InvalidArgumentError for an unknown, repeated or missing name. */
export function parseTargets(text: string): ExecTarget[] {
  const targets: ExecTarget[] = [];
  for (const name of text.split(",").map((part) => part.trim())) {
    if (!isTarget(name)) {
      const near = closest(name, execTargets, 1);
      const hint = near.length > 0 ? ` Did you mean ${near.join(", ")}?` : "";
      throw new InvalidArgumentError(`"${name}" is not one of ${execTargets.join(", ")}.${hint}`);
    }
    if (targets.includes(name)) {
      throw new InvalidArgumentError(`${name} is named twice.`);
    }
    targets.push(name);
  }
  return targets;
}
