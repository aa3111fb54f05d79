/** data.list, data.delete, data.label, data.split: what is done with data sets without looking into the items. */
import { dataDelete, dataLabel, dataList, dataSplit } from "../../bus/operations/data.js";
import { elementName } from "../data/data-descriptor.js";
import type { DataSetRecord, StoredItem } from "../data/data-set-records.js";
import { splitUsages } from "../data/split.js";
import { argumentsOf, resultFor } from "./arguments.js";
import type { DataOperationsOptions } from "./data-operations.js";
import { OperationFailure, type LocalOperation } from "./operation.js";

/** A data set as lists show it. */
export function summaryOf(set: DataSetRecord) {
  const { elementType, shape, rate, unit } = set.descriptor;
  const element = elementName(elementType);
  return {
    name: set.name,
    items: set.items,
    bytes: set.bytes,
    ...(element === undefined ? {} : { elementType: element }),
    ...(shape === undefined ? {} : { shape }),
    ...(rate === undefined ? {} : { rate }),
    ...(unit === undefined ? {} : { unit }),
    labels: { ...set.labels },
    usages: { ...set.usages },
    createdAt: new Date(set.createdAt).toISOString(),
    changedAt: new Date(set.changedAt).toISOString(),
    ...(set.ttlS === undefined ? {} : { ttlS: set.ttlS }),
    ...(set.origin === undefined ? {} : { origin: set.origin }),
  };
}

export function listOperation({ dataSets }: DataOperationsOptions): LocalOperation {
  return {
    definition: dataList,
    async run(call) {
      const { prefix = "", after, limit = 100 } = argumentsOf(dataList, call);
      const sets = await dataSets.list({
        prefix,
        limit: limit + 1,
        ...(after === undefined ? {} : { after }),
      });
      const shown = sets.slice(0, limit);
      const next = sets.length > limit ? { next: shown.at(-1)?.name ?? "" } : {};
      return { result: resultFor(dataList, { dataSets: shown.map(summaryOf), ...next }) };
    },
  };
}

export function deleteOperation({ dataSets }: DataOperationsOptions): LocalOperation {
  return {
    definition: dataDelete,
    async run(call) {
      const { name, usage, label, digests, olderThanS } = argumentsOf(dataDelete, call);
      const whole = [usage, label, digests, olderThanS].every((part) => part === undefined);
      const before = dataSets.clock() - (olderThanS ?? 0) * 1000;
      const removed = whole
        ? await dataSets.remove(name)
        : await dataSets.removeItems(
            name,
            { usage, label, digests },
            ({ at }) => olderThanS === undefined || at < before,
          );
      return { result: resultFor(dataDelete, removed) };
    },
  };
}

export function labelOperation({ dataSets }: DataOperationsOptions): LocalOperation {
  return {
    definition: dataLabel,
    async run(call) {
      const { name, usage, label, digests, offset = 0, limit, set } = argumentsOf(dataLabel, call);
      const { changed } = await dataSets.update(
        name,
        (items) => {
          const end = limit === undefined ? undefined : offset + limit;
          return new Map(
            items
              .slice(offset, end)
              .map(({ key, item }: StoredItem) => [
                key,
                { label: set, ...(item.usage === undefined ? {} : { usage: item.usage }) },
              ]),
          );
        },
        { usage, label, digests },
      );
      return { result: resultFor(dataLabel, { items: changed }) };
    },
  };
}

export function splitOperation({ dataSets }: DataOperationsOptions): LocalOperation {
  return {
    definition: dataSplit,
    async run(call) {
      const {
        name,
        training,
        validation = 0,
        calibration = 0,
        test = Math.max(0, 1 - training - validation - calibration),
        seed = 1,
        by = "random",
      } = argumentsOf(dataSplit, call);
      if (training + validation + calibration + test > 1 + 1e-9) {
        throw new OperationFailure("bad-request", "the shares are more than 1", "arguments.training");
      }
      const shares = { training, validation, calibration, test };
      const { set } = await dataSets.update(name, (items) => {
        const labels = items.map(({ item }) => item.label ?? "");
        const usages = splitUsages(labels, shares, by, seed);
        return new Map(
          items.map(({ key, item }, i) => {
            const usage = usages[i];
            return [
              key,
              {
                ...(item.label === undefined ? {} : { label: item.label }),
                ...(usage === undefined ? {} : { usage }),
              },
            ];
          }),
        );
      });
      const { "": _none, ...usages } = set.usages;
      return { result: resultFor(dataSplit, { usages }) };
    },
  };
}
