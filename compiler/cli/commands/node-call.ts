/** `tmc node call` runs any operation through a node; `tmc route explain` says where it would go. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import type { z } from "zod";
import type { OperationDefinition } from "../../../host/bus/operations/definition.js";
import type { explanation } from "../../../host/node/management/schemas.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { closest } from "../closest.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { clientOptions, NodeClient, type ClientOptions } from "../node-client.js";
import { facts, msText, safe, table } from "../node-table.js";
import { followJob, jobText } from "./node-jobs.js";
import { nodeGroup } from "./node.js";

interface Options extends ClientOptions {
  readonly arg?: readonly string[];
  readonly input?: string;
  readonly descriptor?: string;
  readonly node?: string;
  readonly name?: string;
  readonly task?: string;
  readonly label?: readonly string[];
  readonly deadline?: number;
  readonly output?: string;
  readonly detach?: true;
  readonly sender?: string;
  readonly json?: true;
}

interface CallAnswer {
  readonly node: string;
  readonly result: Readonly<Record<string, unknown>>;
  readonly output?: { readonly base64: string } | { readonly reference: string };
  readonly totalMs: number;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 3600))
    throw new InvalidArgumentError("A deadline is a number of seconds, up to 3600.");
  return value;
}

/** Options that say what is called, shared by both commands. */
function orderOptions(command: Command): Command {
  return clientOptions(command)
    .argument("<operation>", "of docs/operations.md, e.g. data.list")
    .option("--arg <name=value>", "an argument; lists by commas, other values as JSON (repeatable)", collect)
    .option(
      "--input <file|reference>",
      "a file, - for stdin, or sensor:NAME, data:NAME, blob:DIGEST, model:NAME",
    )
    .option("--descriptor <text>", 'of the input: f32:128,3 or JSON as {"elementType":"f32","shape":[128,3]}')
    .option("--node <id>", "only this node")
    .option("--name <name>", "function or model, as name or name@version")
    .option("--task <task>", "any model for this task")
    .option("--label <label>", "nodes with this label (repeatable)", collect)
    .option("--deadline <seconds>", "until which an answer is wanted", seconds);
}

export function registerNodeCall(program: Command): void {
  const call = orderOptions(nodeGroup(program).command("call").description("run an operation"))
    .option("--output <file>", "write the output's bytes there")
    .option("--detach", "of long operations: print the job's id and leave")
    .option("--json", "print the answer of the API")
    .action(runCall);
  describeCommand(call, {
    examples: [
      ["tmc node call node.discover", "who is there"],
      [
        "tmc node call data.collect --arg sensor=accelerometer --arg frames=128 --output window.f32",
        "a window of samples",
      ],
      [
        "tmc node call model.infer --name vibration --input sensor:accelerometer",
        "an inference, wherever it fits",
      ],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
  const route = program.command("route").description("how requests are routed");
  describeCommand(route, {
    examples: [["tmc route explain model.infer --name vibration", "candidates and scores"]],
    exitCodes: ["ok", "failed", "usage"],
  });
  const explain = orderOptions(
    route.command("explain").description("where a request would go, and why; nothing is executed"),
  )
    .option("--sender <id>", "as whom; default: the operator")
    .option("--json", "print the answer of the API")
    .action(runExplain);
  describeCommand(explain, {
    examples: [
      [
        "tmc route explain model.infer --name vibration --input sensor:accelerometer",
        "candidates, which fit, their scores",
      ],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

/** @throws UserError TMC6414 */
async function definitionOf(name: string): Promise<OperationDefinition> {
  const { operationDefinition, operationDefinitions } =
    await import("../../../host/bus/operations/catalogue.js");
  const found = operationDefinition(name);
  if (found !== undefined) return found;
  const [near] = closest(
    name,
    operationDefinitions.map((each) => each.name),
  );
  throw new UserError(
    "TMC6414",
    `there is no operation ${name}`,
    near === undefined
      ? `known are ${operationDefinitions.map((each) => each.name).join(", ")}`
      : `did you mean ${near}?`,
    ExitCode.usage,
  );
}

/** `name=value` as the operation's schema wants it. @throws UserError TMC6414 */
export function argumentsOf(
  definition: OperationDefinition,
  given: readonly string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    const name = text.slice(0, at);
    const field = Object.hasOwn(definition.arguments, name) ? definition.arguments[name] : undefined;
    if (at <= 0 || field === undefined) {
      const known = Object.keys(definition.arguments);
      throw new UserError(
        "TMC6414",
        at <= 0 ? `--arg ${text} is not name=value` : `${definition.name} has no argument ${name}`,
        known.length === 0 ? "it takes none" : `it has ${known.join(", ")}`,
        ExitCode.usage,
      );
    }
    values[name] = valueOf(field.schema, text.slice(at + 1));
  }
  return values;
}

/** The first reading that the schema takes; the node says what is wrong where none is. */
function valueOf(schema: z.ZodType, text: string): unknown {
  let json: unknown = text;
  try {
    json = JSON.parse(text);
  } catch {
    // Then it is text, or a list of texts.
  }
  const parts = text.split(",");
  const readings = [text, json, parts, parts.map(Number)];
  const fitting = readings.find((reading) => schema.safeParse(reading).success);
  return fitting === undefined ? json : fitting;
}

/** @throws UserError TMC6415 */
export function descriptorOf(text: string): unknown {
  const short = /^([a-z]\w{1,4}):(\d+(?:,\d+)*)$/.exec(text);
  if (short !== null) return { elementType: short[1], shape: (short[2] ?? "").split(",").map(Number) };
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UserError(
      "TMC6415",
      `--descriptor ${text} is neither TYPE:SHAPE nor JSON`,
      "for example --descriptor f32:128,3",
      ExitCode.usage,
    );
  }
}

const inlineAtMost = 64 * 1024;

async function inputOf(client: NodeClient, text: string): Promise<object> {
  const { parseReference } = await import("../../../host/bus/references.js");
  if (text !== "-" && !existsSync(text)) {
    if (parseReference(text) !== undefined) return { reference: text };
    throw new UserError(
      "TMC6415",
      `--input ${text} is neither a file nor a reference`,
      "a file, -, or sensor:NAME, data:NAME, blob:DIGEST, model:NAME",
      ExitCode.usage,
    );
  }
  const bytes = bytesOfFile(text);
  return bytes.length > inlineAtMost
    ? { reference: await client.upload(bytes) }
    : { base64: Buffer.from(bytes).toString("base64") };
}

/** @throws UserError TMC6415 */
function bytesOfFile(text: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(text === "-" ? 0 : text));
  } catch (error) {
    throw new UserError(
      "TMC6415",
      `cannot read --input ${text}: ${error instanceof Error ? error.message : String(error)}`,
      "a file that you may read, -, or sensor:NAME, data:NAME, blob:DIGEST, model:NAME",
      ExitCode.usage,
    );
  }
}

async function orderOf(
  client: NodeClient,
  definition: OperationDefinition,
  options: Options,
): Promise<Record<string, unknown>> {
  const { node, name, task, label } = options;
  const selector = Object.fromEntries(
    Object.entries({ node, name, task, labels: label }).filter(([, value]) => value !== undefined),
  );
  return {
    arguments: argumentsOf(definition, options.arg ?? []),
    ...(Object.keys(selector).length === 0 ? {} : { selector }),
    ...(options.descriptor === undefined ? {} : { inputDescriptor: descriptorOf(options.descriptor) }),
    ...(options.deadline === undefined ? {} : { deadlineMs: Math.round(options.deadline * 1000) }),
    ...(options.input === undefined ? {} : { input: await inputOf(client, options.input) }),
  };
}

async function runCall(operation: string, options: Options): Promise<void> {
  const definition = await definitionOf(operation);
  const client = await NodeClient.open(options);
  const order = await orderOf(client, definition, options);
  // A long operation becomes a job that is followed, so that no deadline of a request ends the watching.
  const follows = definition.job && "detach" in definition.arguments;
  if (follows) order["arguments"] = { ...(order["arguments"] as object), detach: true };
  const answer = await client.post<CallAnswer>(`/operations/${operation}`, order);
  const job = answer.result["job"];
  if (follows && options.detach !== true && typeof job === "string") {
    const ended = await followJob(client, job);
    if (options.json === true) printJson(ended);
    else process.stdout.write(jobText(ended));
    if (ended.state !== "done") process.exitCode = ExitCode.failed;
    return;
  }
  if (options.output !== undefined) writeOutput(options.output, await bytesOf(client, answer));
  if (options.json === true) printJson(answer);
  else process.stdout.write(answerText(answer, options.output));
}

async function bytesOf(client: NodeClient, { output }: CallAnswer): Promise<Uint8Array> {
  if (output === undefined) return new Uint8Array();
  if ("base64" in output) return Buffer.from(output.base64, "base64");
  const digest = /^blob:([0-9a-f]{64})$/.exec(output.reference)?.[1];
  if (digest !== undefined) return client.download(digest);
  throw new UserError(
    "TMC6415",
    `the output is ${safe(output.reference)}, which has no bytes here`,
    "leave out --output",
  );
}

function writeOutput(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UserError(
      "TMC0014",
      `cannot write ${file}: ${error instanceof Error ? error.message : String(error)}`,
      "check the folder",
      ExitCode.usage,
    );
  }
}

function answerText({ node, result, output, totalMs }: CallAnswer, file: string | undefined): string {
  const lines: (readonly [string, unknown])[] = Object.entries(result);
  const out =
    output === undefined
      ? []
      : [
          [
            "output",
            file ??
              ("reference" in output
                ? output.reference
                : `${Buffer.from(output.base64, "base64").length} bytes`),
          ] as const,
        ];
  return facts([...lines, ...out, ["node", `${node}, ${msText(totalMs)}`]]);
}

async function runExplain(operation: string, options: Options): Promise<void> {
  const definition = await definitionOf(operation);
  const client = await NodeClient.open(options);
  const order = await orderOf(client, definition, options);
  const found = await client.post<z.infer<typeof explanation>>("/route/explain", {
    operation,
    ...order,
    ...(options.sender === undefined ? {} : { sender: options.sender }),
  });
  if (options.json === true) {
    printJson(found);
    return;
  }
  process.stdout.write(found.text === undefined ? explanationText(found) : `${found.text.trimEnd()}\n`);
}

function explanationText({ decision, chosen, error, candidates }: z.infer<typeof explanation>): string {
  const head =
    chosen === undefined
      ? `${decision}: ${safe(error?.code)}, ${safe(error?.text)}`
      : `${decision} to ${safe(chosen)}`;
  if (candidates.length === 0) return `${head}\nThere is no candidate.\n`;
  return `${head}\n\n${table(
    ["CANDIDATE", "KIND", "FITS", "SCORE", "PARTS"],
    candidates.map((each) => [
      each.node,
      each.kind,
      each.fits ? "yes" : `no: ${each.why}`,
      each.score === undefined ? "-" : String(Number(each.score.total.toPrecision(4))),
      Object.entries(each.score?.parts ?? {})
        .map(([part, n]) => `${part} ${Number(n.toPrecision(4))}`)
        .join(", "),
    ]),
  )}`;
}
