/** What this node offers itself besides operations, as its birth record tells it: sensors, models, functions. */
import type { Connector } from "./connectors/connector.js";
import type { Abilities } from "./core/own-record.js";
import type { FunctionRuntime } from "./functions/function-runtime.js";
import type { ModelRecord } from "./models/model-records.js";

export interface AbilityParts {
  readonly connectors: readonly Connector[];
  /** Those that are deployed here. */
  readonly models: readonly ModelRecord[];
  readonly functions: FunctionRuntime | undefined;
}

export function abilitiesOf({ connectors, models, functions }: AbilityParts): Abilities {
  return {
    sensors: connectors
      .flatMap((connector) => connector.sensors())
      .map(({ description: { channelNames, ...rest } }) => ({
        ...rest,
        ...(channelNames === undefined ? {} : { channelNames: [...channelNames] }),
      })),
    models: models.map(({ name, version, digest, task, inputs, outputs, cost }) => ({
      name,
      version,
      digest: Buffer.from(digest, "hex"),
      ...(task === undefined ? {} : { task }),
      inputs: [...inputs],
      outputs: [...outputs],
      ...(cost === undefined ? {} : { cost: { flash: cost.flash, ram: cost.ram, macs: cost.macs } }),
    })),
    functions: (functions?.list() ?? []).map(({ name, version }) => ({ name, version })),
  };
}
