/**
 * Actuators as settings of the node: `actuator.<name>`. The protocol has no operation that acts on the world; with
 * `node.configure` a server or an operator sets an actuator as it sets anything else, and nobody else may.
 */
import { z } from "zod";
import type { NodeSetting } from "../settings.js";
import type { Actuator, Connector } from "./connector.js";
import { actuatorsOf } from "./create-connectors.js";

const prefix = "actuator.";
/** Names of settings have 32 characters. */
const longest = 32 - prefix.length;
/** One that does not answer must not hold up the settings of all. */
const answerMs = 5_000;

/**
 * For NodeSettings.register, after the connectors were started. A value is a number in the actuator's range; switches
 * take true and false too. One whose state is not known, or that does not answer, has the value "unknown". Actuators
 * whose names are longer than 23 characters have no setting.
 */
export function actuatorSettings(connectors: readonly Connector[]): NodeSetting[] {
  return [...actuatorsOf(connectors).values()]
    .filter(({ name }) => name.length <= longest)
    .map((actuator) => ({
      name: prefix + actuator.name,
      schema: schemaOf(actuator),
      get: async () => actuator.get(AbortSignal.timeout(answerMs)).catch(() => "unknown"),
      set: (value) => actuator.set(Number(value), AbortSignal.timeout(answerMs + 1_000)),
      kept: false,
    }));
}

function schemaOf({ name, min, max }: Actuator): z.ZodType<number | boolean> {
  const message = `${name}: ${min} to ${max}`;
  const number = z.number({ error: message }).min(min, message).max(max, message);
  return min === 0 && max === 1 ? z.union([number, z.boolean()], { error: message }) : number;
}
