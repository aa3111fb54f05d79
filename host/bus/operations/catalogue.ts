/** All operations of the protocol, by name: the closed list of docs/operations.md. */
import { dataOperations } from "./data.js";
import type { OperationDefinition } from "./definition.js";
import { functionOperations } from "./function.js";
import { modelOperations } from "./model.js";
import { nodeOperations } from "./node.js";
import { taskOperations } from "./task.js";

export const operationDefinitions: readonly OperationDefinition[] = [
  ...dataOperations,
  ...modelOperations,
  ...functionOperations,
  ...taskOperations,
  ...nodeOperations,
];

const byName: ReadonlyMap<string, OperationDefinition> = new Map(
  operationDefinitions.map((d) => [d.name, d]),
);

/** Undefined for a name outside the list. */
export function operationDefinition(name: string): OperationDefinition | undefined {
  return byName.get(name);
}
