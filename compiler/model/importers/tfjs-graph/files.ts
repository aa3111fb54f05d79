/** The topology of a TensorFlow.js graph model: TensorFlow's GraphDef as JSON. Checked for its form; meanings are `import-graph.ts`'s. */
import { z } from "zod";
import { UserError } from "../../../diagnostics/user-error.js";
import { MAX_NODES, tooLarge } from "../limits.js";

const integer = z.union([z.string().max(20), z.number()]);

const dimension = z.object({ size: integer.optional() });

const attribute = z.object({
  s: z.string().optional(),
  i: integer.optional(),
  f: z.number().optional(),
  b: z.boolean().optional(),
  shape: z.object({ dim: z.array(dimension).optional(), unknownRank: z.boolean().optional() }).optional(),
  list: z
    .object({
      i: z.array(integer).optional(),
      s: z.array(z.string()).optional(),
      f: z.array(z.number()).optional(),
    })
    .optional(),
});

const node = z.object({
  name: z.string(),
  op: z.string(),
  input: z.array(z.string()).optional(),
  attr: z.record(z.string(), attribute).optional(),
});

const graphDef = z.object({ node: z.array(node) });
const ends = z.record(z.string(), z.object({ name: z.string() }));
const signatureSchema = z.object({ inputs: ends.optional(), outputs: ends.optional() });

type Attribute = z.infer<typeof attribute>;

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, Attribute>>;
}

/** @throws UserError TMC3201 when the topology is not a GraphDef, TMC3210 when it has too many nodes. */
export function graphNodes(topology: unknown, fileName: string): GraphNode[] {
  const list =
    typeof topology === "object" && topology !== null && "node" in topology ? topology.node : undefined;
  if (Array.isArray(list) && list.length > 2 * MAX_NODES) {
    throw tooLarge(`it has ${list.length} nodes, at most ${2 * MAX_NODES} are read`);
  }
  const parsed = graphDef.safeParse(topology);
  if (!parsed.success) {
    throw new UserError(
      "TMC3201",
      `the graph in "${fileName}" is not one of TensorFlow: ${z.prettifyError(parsed.error).split("\n")[0] ?? ""}`,
      "Convert the model again with tensorflowjs_converter.",
    );
  }
  return parsed.data.node.map(({ name, op, input = [], attr = {} }) => ({ name, op, input, attr }));
}

/** Names of the tensors that the signature calls outputs, in its order; undefined without a signature. */
export function signatureOutputs(signature: unknown): string[] | undefined {
  const parsed = signatureSchema.safeParse(signature);
  const outputs = parsed.success ? Object.values(parsed.data.outputs ?? {}) : [];
  return outputs.length === 0 ? undefined : outputs.map(({ name }) => name);
}
