/** data.transform: makes a data set of another; the old one of the name stays until the new one is whole. */
import { dataTransform } from "../../bus/operations/data.js";
import type { DataSetRecord } from "../data/data-set-records.js";
import { ChannelStatistics, normalized, windowsOf, type TransformedItem } from "../data/transform.js";
import { formats } from "../data/data-descriptor.js";
import { argumentsOf, resultFor } from "./arguments.js";
import type { DataOperationsOptions } from "./data-operations.js";
import { OperationFailure, type LocalOperation } from "./operation.js";

export function transformOperation(options: DataOperationsOptions): LocalOperation {
  const { dataSets, match } = options;
  return {
    definition: dataTransform,
    async run(call) {
      const { name, into, window, normalize = "none", function: wanted } = argumentsOf(dataTransform, call);
      const { step = window } = argumentsOf(dataTransform, call);
      const { signal, deadlineAt } = call;
      const set = await dataSets.get(name);
      if ((set.descriptor.format ?? formats.raw) !== formats.raw) {
        throw new OperationFailure(
          "descriptor-mismatch",
          "only raw items can be transformed",
          "arguments.name",
        );
      }
      const runtime = wanted === undefined ? undefined : options.functions();
      const found = wanted === undefined ? undefined : runtime?.find(wanted);
      if (wanted !== undefined && found === undefined) {
        throw new OperationFailure("not-found", `no function ${wanted}`, "arguments.function");
      }

      const cut = async function* (): AsyncGenerator<TransformedItem> {
        for await (const stored of dataSets.items(set)) {
          signal.throwIfAborted();
          const { label, usage, shape } = stored.item;
          const descriptor = { ...set.descriptor, shape: [...shape] };
          const item = { bytes: await dataSets.bytesOf(stored), label, usage, descriptor };
          if (window === undefined) yield item;
          else yield* windowsOf(item, window, step ?? window);
        }
      };
      const statistics = new ChannelStatistics();
      if (normalize !== "none") for await (const item of cut()) statistics.add(item);
      const normalization = normalize === "none" ? undefined : statistics.result(normalize);

      const made = async function* (): AsyncGenerator<TransformedItem> {
        for await (const cutItem of cut()) {
          const item = normalization === undefined ? cutItem : normalized(cutItem, normalization);
          if (runtime === undefined || found === undefined || wanted === undefined) {
            yield item;
            continue;
          }
          const field = match(item.descriptor, found.input);
          if (field !== "") {
            throw new OperationFailure("descriptor-mismatch", `${wanted} takes other data`, `input.${field}`);
          }
          const { output, outputDescriptor } = await runtime.invoke(wanted, {
            input: item.bytes,
            inputDescriptor: item.descriptor,
            signal,
            deadlineAt,
          });
          yield { ...item, bytes: output, descriptor: outputDescriptor };
        }
      };
      const details: Pick<DataSetRecord, "origin" | "normalization"> = {
        origin: name,
        ...(normalization === undefined ? {} : { normalization }),
      };
      const result = await dataSets.replace(into, made(), details);
      return { result: resultFor(dataTransform, { items: result.items, bytes: result.bytes }) };
    },
  };
}
