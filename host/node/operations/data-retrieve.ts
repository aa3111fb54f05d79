/** data.retrieve: items of a data set in raw bytes or in a format of other programs. */
import { dataRetrieve } from "../../bus/operations/data.js";
import { formats } from "../data/data-descriptor.js";
import { toCbor, toCsv, toSenml } from "../data/formats.js";
import { argumentsOf, resultFor } from "./arguments.js";
import type { DataOperationsOptions } from "./data-operations.js";
import { OperationFailure, type LocalOperation } from "./operation.js";
import { readItems } from "./read-items.js";

const defaultOutputBytes = 16 * 1024 * 1024;
/** Numbers as text take more room than as bytes. */
const textFactor = 8;

export function retrieveOperation({
  dataSets,
  match,
  outputBytes = defaultOutputBytes,
}: DataOperationsOptions): LocalOperation {
  return {
    definition: dataRetrieve,
    async run(call) {
      const { name, usage, label, digests, offset, limit, format } = argumentsOf(dataRetrieve, call);
      const set = await dataSets.get(name);
      const raw = (set.descriptor.format ?? formats.raw) === formats.raw;
      const wanted = format === undefined || (!raw && formats[format] === set.descriptor.format);
      if (!raw && !wanted) {
        throw new OperationFailure("descriptor-mismatch", "the items are not raw", "arguments.format");
      }
      const converted = raw && format !== undefined && format !== "raw";
      const read = await readItems(
        dataSets,
        set,
        { usage, label, digests },
        {
          ...(offset === undefined ? {} : { offset }),
          // Opaque items cannot be told apart once they are joined.
          limit: raw ? (limit ?? Infinity) : 1,
          maxBytes: converted ? Math.floor(outputBytes / textFactor) : outputBytes,
        },
      );
      const { contents, total } = read;
      if (contents.length === 0 && (offset ?? 0) < total) {
        throw new OperationFailure("too-large", `one item is larger than ${outputBytes} bytes`);
      }
      const descriptor = converted ? { format: formats[format], count: contents.length } : read.descriptor;
      const accepted = call.request.acceptedOutput;
      const field = accepted === undefined ? "" : match(descriptor, accepted);
      if (field !== "") {
        throw new OperationFailure("descriptor-mismatch", "the items are of another kind", `output.${field}`);
      }
      const labels = contents.map(({ item }) => item.label ?? "");
      const result = resultFor(dataRetrieve, {
        items: contents.length,
        total,
        ...(labels.some((text) => text !== "") ? { labels } : {}),
      });
      const output = !converted
        ? read.bytes
        : format === "csv"
          ? toCsv(contents, set.descriptor, offset ?? 0)
          : format === "senml"
            ? toSenml(name, contents, set.descriptor)
            : toCbor(contents, set.descriptor);
      return { result, output, outputDescriptor: { ...descriptor, bytes: output.length } };
    },
  };
}
