/** `symbols.json`: what the C backend tells the memory report about the C names it generated. Reading and checking only. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { schemaIssues } from "../diagnostics/json-file.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";

const symbolSchema = z.object({
  kind: z.enum(["function", "object", "model", "runtime"]),
  /** The name a user knows: `Counter.add`, `readings`. */
  tsName: z.string(),
  file: z.string(),
  /** From 1; 0 when there is no line. */
  line: z.number().int().nonnegative(),
  /** Of an object: `Job`, `u8[]`. */
  type: z.string().optional(),
  /** Of an async function with one frame: that frame, in C. */
  frame: z.string().optional(),
});

const symbolMapSchema = z.object({
  version: z.literal(1),
  /** By C name. */
  symbols: z.record(z.string(), symbolSchema),
  /** By C name of the calling function: every function its indirect calls can reach. */
  indirectCalls: z.record(z.string(), z.array(z.string())).default({}),
});

export type SymbolInfo = z.infer<typeof symbolSchema>;
export type SymbolMap = z.infer<typeof symbolMapSchema>;

export const emptySymbolMap: SymbolMap = { version: 1, symbols: {}, indirectCalls: {} };

/** @throws UserError TMC4091 (a bug of ours) when the file does not have the shape. */
export function readSymbolMap(file: string): SymbolMap {
  const result = symbolMapSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (!result.success) {
    throw new UserError(
      "TMC4091",
      [`${file}: not a valid symbol map`, ...schemaIssues(result.error).map((line) => `  ${line}`)].join(
        "\n",
      ),
      "This is a bug in tmc: please report it.",
      ExitCode.internal,
    );
  }
  return result.data;
}
