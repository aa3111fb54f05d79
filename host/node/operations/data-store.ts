/** data.store: appends one item or many to a data set. */
import { dataStore } from "../../bus/operations/data.js";
import { formats, usageNames } from "../data/data-descriptor.js";
import { argumentsOf, resultFor } from "./arguments.js";
import type { DataOperationsOptions } from "./data-operations.js";
import { OperationFailure, type LocalOperation, type OperationCall } from "./operation.js";
import { inputOf } from "./references.js";

/** Most bytes of one input. */
const inputBytes = 256 * 1024 * 1024;

/** Of the request that stores, for the memory of what was stored already. */
export function requestKey({ request: { sender, boot, id } }: OperationCall): string {
  return `${encodeURIComponent(sender).slice(0, 200)}/${boot}/${id}`;
}

export function storeOperation({ dataSets, resolve }: DataOperationsOptions): LocalOperation {
  return {
    definition: dataStore,
    async run(call) {
      const { name, label, usage, ttlS, origin, items = 1, labels } = argumentsOf(dataStore, call);
      const { input, inputDescriptor } = call.request;
      const { bytes, descriptor } = await inputOf(input, inputDescriptor, resolve, inputBytes);
      if (labels !== undefined && labels.length !== items) {
        throw new OperationFailure(
          "bad-request",
          `${items} items, ${labels.length} labels`,
          "arguments.labels",
        );
      }
      const [first, ...rest] = descriptor.shape ?? [];
      const many =
        items > 1 || (descriptor.shape !== undefined && rest.length > 0 && "items" in call.arguments);
      if (many) {
        if ((descriptor.format ?? formats.raw) !== formats.raw) {
          throw new OperationFailure("bad-request", "only raw data holds several items", "arguments.items");
        }
        if (first !== items || rest.length === 0) {
          throw new OperationFailure(
            "descriptor-mismatch",
            `the first dimension is not ${items} items`,
            "input.shape",
          );
        }
        if (bytes.length % items !== 0) {
          throw new OperationFailure("descriptor-mismatch", "the items differ in size", "input.shape");
        }
      }
      const size = bytes.length / items;
      const stated = usage ?? (descriptor.usage === undefined ? undefined : usageNames[descriptor.usage]);
      const made = Array.from({ length: items }, (_, i) => ({
        bytes: bytes.subarray(i * size, (i + 1) * size),
        label: labels?.[i] ?? label,
        usage: stated,
        origin,
      }));
      const stored = await dataSets.append(name, made, many ? { ...descriptor, shape: rest } : descriptor, {
        ttlS,
        origin,
        request: requestKey(call),
      });
      return { result: resultFor(dataStore, stored) };
    },
  };
}
