/** `tmc deploy model|function|firmware`: brings a signed update to devices through a complete node, and watches it. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { isUpdate, type UpdateKind } from "../../update/artifact.js";
import { contentFacts } from "../../update/content.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { clientOptions, NodeClient, type ClientOptions } from "../node-client.js";
import { safe } from "../node-table.js";
import { ProgressLine } from "../progress-line.js";
import { followJob, type Job } from "./node-jobs.js";
import { bytesOf, updateFrom } from "./sign.js";

interface Options extends ClientOptions {
  readonly node?: readonly string[];
  readonly label?: readonly string[];
  readonly release?: string;
  readonly detach?: true;
  readonly json?: true;
}

/** What is asked of the complete node. */
interface Order {
  readonly operation: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export function registerDeploy(program: Command): void {
  const group = program
    .command("deploy")
    .description("bring a model, function or firmware to devices, and watch it arrive");
  describeCommand(group, {
    examples: [
      ["tmc deploy model vibration.tmcu --node pump-1", "a signed model"],
      ["tmc deploy firmware pump.tmcu --label hall-2", "firmware, to all devices with this label"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
  const model = common(
    group,
    "model",
    "a signed model (.tmcu); a package, or a model of the node's registry, that the node signs",
  ).option("--release <version>", "of a package that is not signed");
  model.action((what: string, options: Options) => deploy("model", what, options));
  describeCommand(model, {
    examples: [
      ["tmc deploy model vibration.tmcu --node pump-1 --node pump-2", "a signed model"],
      [
        "tmc deploy model vibration@2-int8 --label hall-2",
        "of the node's registry; the node signs (updates.key)",
      ],
      ["tmc deploy model vibration.tmcm --release 2 --node pump-1", "the node signs it (updates.key)"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
  for (const kind of ["function", "firmware"] as const) {
    const command = common(group, kind, `a signed ${kind === "function" ? "function" : "image"} (.tmcu)`);
    command.action((what: string, options: Options) => deploy(kind, what, options));
    describeCommand(command, {
      examples: [
        [`tmc deploy ${kind} ${kind === "function" ? "rms" : "pump"}.tmcu --node pump-1`, "tmc sign made it"],
      ],
      exitCodes: ["ok", "failed", "usage"],
    });
  }
}

function common(group: Command, kind: UpdateKind, what: string): Command {
  return clientOptions(group.command(kind).description(`bring a ${kind} to devices`).argument("<file>", what))
    .option("--node <id>", "to this device (repeatable)", collect)
    .option(
      "--label <label>",
      "to all devices with this label; with several, those that have all (repeatable)",
      collect,
    )
    .option("--detach", "print the job's id and leave (else Ctrl-C ends the job); tmc node job ID --follow")
    .option("--json", "print the job when it has ended");
}

async function deploy(kind: UpdateKind, what: string, options: Options): Promise<void> {
  const order = orderOf(kind, what, options);
  const client = await NodeClient.open(options);
  const answer = await client.post<{ result: { job?: string } }>(`/operations/${order.operation}`, {
    arguments: order.arguments,
    ...(order.bytes === undefined ? {} : { input: { reference: await client.upload(order.bytes) } }),
  });
  const { job } = answer.result;
  if (job === undefined) throw new Error(`${order.operation} made no job`);
  if (options.detach === true) {
    if (options.json === true) printJson({ job });
    else process.stdout.write(`${safe(job)}\n`);
    return;
  }
  const { ended, stopped } = await followOrCancel(client, job);
  if (options.json === true) printJson(ended);
  else process.stdout.write(stepsText(ended, stopped));
  const why = stopped ? whatIsLeft(ended) : failureOf(ended);
  if (why === undefined) return;
  if (options.json === true) {
    // stdout has its one document: the job, with the same reason.
    process.exitCode = ExitCode.failed;
    return;
  }
  throw new UserError("TMC5205", `${what} was not deployed everywhere: ${why.text}`, why.fix);
}

/** Follows the job to its end. Ctrl-C ends the job, not only the look at it; a second one leaves at once. */
async function followOrCancel(
  client: NodeClient,
  job: string,
): Promise<{ readonly ended: Job; readonly stopped: boolean }> {
  const line = new ProgressLine();
  let stopped = false;
  let stop = (): void => undefined;
  const refused = new Promise<never>((_, reject) => {
    stop = () => {
      stopped = true;
      line.end();
      process.stderr.write(`cancelling job ${safe(job)}; Ctrl-C again leaves it as it is\n`);
      client.post(`/jobs/${encodeURIComponent(job)}/cancel`).catch(reject);
    };
  });
  const release = (): void => {
    process.off("SIGINT", once);
    process.off("SIGTERM", once);
  };
  const once = (): void => {
    release();
    stop();
  };
  process.on("SIGINT", once);
  process.on("SIGTERM", once);
  try {
    const following = followJob(client, job, (now) => line.show(now.progress, now.text));
    const ended = await Promise.race([following, refused]);
    return { ended, stopped: stopped && ended.state === "cancelled" };
  } finally {
    release();
    line.end();
  }
}

/** @throws UserError TMC5206, TMC5204, TMC0010 */
function orderOf(kind: UpdateKind, what: string, options: Options): Order {
  const { node: nodes, label: labels, release } = options;
  if (nodes === undefined && labels === undefined) {
    throw unclear("where to?", "give --node ID or --label LABEL; tmc node nodes shows who is there");
  }
  const to = {
    ...(nodes === undefined ? {} : { nodes }),
    ...(labels === undefined ? {} : { labels }),
    detach: true,
  };
  const isName =
    kind === "model" && !existsSync(what) && /^[a-z0-9._-]{1,32}(@[0-9A-Za-z.+_-]{1,32})?$/.test(what);
  if (isName && !/\.(tmcu|tmcm|tflite)$/.test(what)) {
    return { operation: "model.deploy", arguments: { model: what, ...to }, bytes: undefined };
  }
  const bytes = bytesOf(what);
  if (kind === "model" && !isUpdate(bytes)) return unsignedModel(what, bytes, release, to);
  const { header } = updateFrom(what, bytes);
  if (header.kind !== kind) {
    throw unclear(`${what} is signed as ${header.kind}`, `tmc deploy ${header.kind} ${what} …`);
  }
  const { name, version, digest } = header;
  if (kind === "model") {
    return { operation: "model.deploy", arguments: { model: `${name}@${version}`, ...to }, bytes };
  }
  return kind === "function"
    ? { operation: "function.deploy", arguments: { digest, ...to }, bytes }
    : { operation: "node.update", arguments: { version, digest, ...to }, bytes };
}

function unsignedModel(
  what: string,
  bytes: Uint8Array<ArrayBuffer>,
  release: string | undefined,
  to: object,
): Order {
  const facts = contentFacts(bytes);
  if (facts?.kind !== "model" || facts.name === undefined) {
    throw unclear(
      `${what} is neither signed nor a package of a model`,
      "tmc model package MODEL.tflite -o MODEL.tmcm, then tmc sign MODEL.tmcm --key KEY … -o MODEL.tmcu",
    );
  }
  if (release === undefined) {
    throw unclear(
      `${what} is not signed, and a package has no version`,
      "sign it: tmc sign; or give --release VERSION, and the node signs with its updates.key",
    );
  }
  return { operation: "model.deploy", arguments: { model: `${facts.name}@${release}`, ...to }, bytes };
}

const unclear = (message: string, fix: string): UserError =>
  new UserError("TMC5206", message, fix, ExitCode.usage);

/** A line for each device; `stopped`: by Ctrl-C, whatever each of the others was at. */
function stepsText({ steps = [] }: Job, stopped: boolean): string {
  const stateOf = ({ state, error }: (typeof steps)[number]): string =>
    stopped && state !== "done" ? "stopped" : `${state}${error === undefined ? "" : `, ${safe(error)}`}`;
  return steps.map((step) => `${safe(step.name)}: ${stateOf(step)}\n`).join("");
}

const fixes: Readonly<Record<string, string>> = {
  forbidden:
    "the device takes what its owner signed (tmc provision --update-key), with a counter that is not lower than that of its version (tmc update inspect); what is not signed needs updates.key in node.yaml",
  "no-space": "a smaller one: the slots of the board are in docs/zephyr.md",
  "too-large": "a smaller one: the slots of the board are in docs/zephyr.md",
  "descriptor-mismatch": "build it for this device: its kernels, memory and processor",
  corrupt: "the device runs its old version; try the new one on an emulated board first (tmc run)",
  "function-failed": "the device runs its old version; try the new one on an emulated board first (tmc run)",
  busy: "another update runs there; try again when it has ended",
  "no-capable-node":
    "tmc node nodes shows who is there, tmc node describe ID what it takes; a device of a server that is not next to this one is reached from a server that is (--url)",
  "unknown-operation": "its firmware takes no such updates",
  deadline: "try again: what the device has it keeps",
  cancelled: "it was cancelled, or a newer update for the same nodes took its place",
  "not-found": "tmc node models shows the registry",
};

/** After Ctrl-C. */
function whatIsLeft({ steps = [] }: Job): { readonly text: string; readonly fix: string } {
  const done = steps.filter(({ state }) => state === "done").length;
  return {
    text: `cancelled; ${done} of ${steps.length} devices have it`,
    fix: "the others run what they ran and keep what came: the same command goes on there",
  };
}

function failureOf(job: Job): { readonly text: string; readonly fix: string } | undefined {
  const general = "tmc explain TMC5205 says what each reason means";
  if (job.state !== "done") {
    const { code = job.state, text = "" } = job.error ?? {};
    return { text: safe(`${code}${text === "" ? "" : `: ${text}`}`), fix: fixes[code] ?? general };
  }
  const failed = Object.entries((job.result?.["failed"] ?? {}) as Readonly<Record<string, string>>);
  if (failed.length === 0) return undefined;
  return { text: failed.map(([node, text]) => safe(`${node}: ${text}`)).join("; "), fix: general };
}
