/**
 * `tmc function build --trusted`: an ordinary TypeScript module → a bundle of kind worker. It runs without a sandbox, on nodes
 * whose owner allows that; its bits are JavaScript's. The module is executed here once, to ask what it says of itself.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { ts } from "ts-morph";
import { UserError } from "../diagnostics/user-error.js";
import { sha256 } from "./bundle.js";
import { packBundle, type FunctionBuild } from "./build-function.js";
import { functionAbi, manifestSchema } from "./manifest.js";
import type { SigningKey } from "./keys.js";

export interface TrustedBuildOptions {
  readonly file: string;
  readonly name?: string;
  readonly version?: string;
  readonly timeUs?: number;
  readonly key?: SigningKey;
}

/**
 * The module exports `definition` (name, version, input and output as in a manifest) and `run(input: Uint8Array)`. It is one
 * file; of imports only those of Node.js (`node:…`) are there.
 * @throws UserError TMC6309
 */
export async function buildTrustedFunction(options: TrustedBuildOptions): Promise<FunctionBuild> {
  const { outputText } = ts.transpileModule(readFileSync(options.file, "utf8"), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, removeComments: true },
  });
  const refuse = (why: string): UserError =>
    new UserError(
      "TMC6309",
      `${basename(options.file)} is no trusted function: ${why}`,
      "export `definition` (name, version, input, output) and `run(input: Uint8Array)`; import only `node:…`",
    );
  let made: Readonly<Record<string, unknown>>;
  try {
    made = (await import(
      `data:text/javascript;base64,${Buffer.from(outputText).toString("base64")}`
    )) as typeof made;
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  if (typeof made["run"] !== "function") throw refuse("it does not export run");
  const definition = made["definition"];
  if (typeof definition !== "object" || definition === null) throw refuse("it does not export definition");
  const code = new TextEncoder().encode(outputText);
  const parsed = manifestSchema.safeParse({
    ...definition,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.version === undefined ? {} : { version: options.version }),
    abi: functionAbi,
    kind: "worker",
    bounds: {
      flash: code.length,
      ram: 0,
      stack: 0,
      ...(options.timeUs === undefined ? {} : { timeUs: options.timeUs }),
    },
    imports: [],
    digest: sha256(code),
    sites: [],
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refuse(`definition.${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
  }
  return { bundle: packBundle(parsed.data, code, options.key), manifest: parsed.data };
}
