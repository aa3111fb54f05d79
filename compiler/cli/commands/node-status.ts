/** `tmc node status|nodes|describe|data|models|functions`: what a running node knows. */
import type { Command } from "commander";
import type { z } from "zod";
import type { dataSetSummary } from "../../../host/bus/operations/data.js";
import type { functionSummary } from "../../../host/bus/operations/function.js";
import type { modelSummary } from "../../../host/bus/operations/model.js";
import type { nodeSummary } from "../../../host/bus/operations/node.js";
import type { nodeDetails, statusSchema } from "../../../host/node/management/schemas.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { clientOptions, NodeClient, type ClientOptions } from "../node-client.js";
import { bytesText, facts, msText, safe, secondsText, table } from "../node-table.js";
import { nodeGroup } from "./node.js";

interface Options extends ClientOptions {
  readonly json?: true;
}

interface Reading<T> {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  /** Path below /api/v1; {} is the argument. */
  readonly path: string;
  readonly argument?: readonly [name: string, description: string];
  print(value: T): string;
}

type Status = z.infer<typeof statusSchema>;

const status: Reading<Status> = {
  name: "status",
  description: "how the node is",
  example: "a few lines: nodes, requests, jobs, storage",
  path: "/status",
  print: (s) =>
    facts([
      ["node", `${s.id}, ${s.state}, tmc ${s.version}, boot ${s.boot}`],
      ["up", `${secondsText(s.uptimeS)}, since ${s.startedAt}`],
      ["nodes", `${s.nodes.online} online of ${s.nodes.known}`],
      [
        "neighbours",
        s.neighbours.map((n) => `${n.id} ${n.connected ? "connected" : "away"}`).join(", ") || "none",
      ],
      ["requests", `${s.requests} ended, ${s.pending} pending`],
      [
        "jobs",
        Object.entries(s.jobs)
          .filter(([, n]) => n > 0)
          .map(([state, n]) => `${n} ${state}`)
          .join(", ") || "none",
      ],
      ["storage", s.storage],
      ...Object.entries(s.storageBytes ?? {}).map(([kind, n]): [string, string] => [
        `  ${kind}`,
        bytesText(n),
      ]),
      ...(s.brokerClients === undefined ? [] : [["broker clients", String(s.brokerClients)] as const]),
      ...s.connectors.map((c): [string, string] => [
        "connector",
        `${c.name}: ${[...c.sensors, ...c.actuators].join(", ") || "nothing"}`,
      ]),
    ]),
};

const nodes: Reading<{ nodes: z.infer<typeof nodeSummary>[]; next?: string }> = {
  name: "nodes",
  description: "nodes that are joined to it, or were",
  example: "a line each",
  path: "/nodes",
  print: ({ nodes: list, next }) =>
    list.length === 0
      ? "No node has joined yet: tmc node enroll NAME gives one an identity.\n"
      : table(
          ["NODE", "STATE", "SOFTWARE", "IN FLIGHT", "LATENCY", "LAST RESET", "SENSORS", "MODELS"],
          list.map((n) => [
            n.node,
            n.online ? (n.errorFlags ? "online, flags" : "online") : "offline",
            `${n.software} ${n.version}`,
            String(n.inFlight),
            msText(n.latencyMs),
            n.resetReason,
            n.sensors.join(",") || "-",
            n.models.join(",") || "-",
          ]),
        ) + (next === undefined ? "" : `and more, behind ${safe(next)}\n`),
};

const describe: Reading<z.infer<typeof nodeDetails>> = {
  name: "describe",
  description: "everything that one node announced",
  example: "birth record, state, counters",
  path: "/nodes/{}",
  argument: ["<id>", "of the node"],
  print: ({ birth, state, ...rest }) =>
    [
      facts(Object.entries({ ...rest, latencyMs: msText(rest.latencyMs) })),
      ...Object.entries({ birth, state: state ?? {} }).map(
        ([title, record]) =>
          `\n${title}\n${facts(Object.entries(record).map(([key, value]) => [`  ${key}`, shortList(value)]))}`,
      ),
    ].join(""),
};

const shortList = (value: unknown): unknown =>
  Array.isArray(value) && value.every((each) => typeof each === "string") ? value.join(", ") : value;

const data: Reading<{ dataSets: z.infer<typeof dataSetSummary>[]; next?: string }> = {
  name: "data",
  description: "its data sets",
  example: "a line each, with labels",
  path: "/data?limit=1000",
  print: ({ dataSets, next }) =>
    dataSets.length === 0
      ? "There is no data set yet: tmc node call data.collect --arg sensor=NAME --arg name=NAME makes one.\n"
      : table(
          ["DATA SET", "ITEMS", "SIZE", "ITEM", "LABELS", "USAGES"],
          dataSets.map((d) => [
            d.name,
            String(d.items),
            bytesText(d.bytes),
            `${d.elementType ?? "?"} ${JSON.stringify(d.shape ?? [])}`,
            counts(d.labels),
            counts(d.usages),
          ]),
        ) + (next === undefined ? "" : `and more, behind ${safe(next)}\n`),
};

const counts = (by: Readonly<Record<string, number>>): string =>
  Object.entries(by)
    .map(([name, n]) => `${name === "" ? "(none)" : name} ${n}`)
    .join(", ") || "-";

const models: Reading<{ models: z.infer<typeof modelSummary>[] }> = {
  name: "models",
  description: "its models",
  example: "a line each, with stage and metrics",
  path: "/models?limit=1000",
  print: ({ models: list }) =>
    list.length === 0
      ? "There is no model yet: tmc node call model.train or model.store makes one.\n"
      : table(
          ["MODEL", "STAGE", "FORM", "SIZE", "PARENT", "METRICS", "NODES"],
          list.map((m) => [
            `${m.name}@${m.version}`,
            m.stage,
            m.form,
            bytesText(m.bytes),
            m.parent,
            Object.entries(m.metrics)
              .map(
                ([on, by]) =>
                  `${on} ${Object.entries(by)
                    .map(([k, v]) => `${k} ${Number(v.toPrecision(4))}`)
                    .join(" ")}`,
              )
              .join("; ") || "-",
            m.nodes.join(",") || "-",
          ]),
        ),
};

const functions: Reading<{ functions: z.infer<typeof functionSummary>[] }> = {
  name: "functions",
  description: "functions that can be invoked there",
  example: "a line each, with calls and times",
  path: "/functions",
  print: ({ functions: list }) =>
    list.length === 0
      ? "No function is deployed: tmc function build -o FILE --sign KEY makes a bundle, tmc node call function.deploy --input FILE deploys it.\n"
      : table(
          ["FUNCTION", "KIND", "INPUT", "OUTPUT", "SIZE", "CALLS", "FAILED", "MEAN"],
          list.map((f) => [
            `${f.name}@${f.version}`,
            f.kind,
            f.input,
            f.output,
            bytesText(f.bytes),
            String(f.calls),
            String(f.failures),
            msText(f.meanUs / 1000),
          ]),
        ),
};

export function registerNodeStatus(program: Command): void {
  register(program, status);
  register(program, nodes);
  register(program, describe);
  register(program, data);
  register(program, models);
  register(program, functions);
}

function register<T>(
  program: Command,
  { name, description, example, path, argument, print }: Reading<T>,
): void {
  const command = nodeGroup(program).command(name).description(description);
  if (argument !== undefined) command.argument(...argument);
  clientOptions(command)
    .option("--json", "print the answer of the API")
    .action(async (...given: unknown[]) => {
      // Commander gives the arguments, the options, the command.
      const options = given[argument === undefined ? 0 : 1] as Options;
      const asked = argument === undefined ? path : path.replace("{}", encodeURIComponent(String(given[0])));
      const value = await (await NodeClient.open(options)).get<T>(asked);
      if (options.json === true) printJson(value);
      else process.stdout.write(print(value));
    });
  describeCommand(command, {
    examples: [[`tmc node ${name}${argument === undefined ? "" : " pump-1"}`, example]],
    exitCodes: ["ok", "failed", "usage"],
  });
}
