/**
 * `npm run conformance`: does a node keep the rules of the bus? Without arguments the nodes of this repository; with --url
 * any node on any MQTT broker that lets the kit in.
 */
import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { allRules, runKit, type NodeUnderTest } from "./kit.js";
import { failures, renderJUnit, renderJson, renderTable, type TargetResult } from "./report.js";
import { TargetMissing, starters, tlsTargets } from "./targets.js";

interface Options {
  readonly broker?: string;
  readonly server: string;
  readonly node?: string;
  readonly kind: "minimal" | "complete";
  readonly target?: readonly string[];
  readonly tls?: boolean;
  readonly only?: readonly string[];
  readonly json?: boolean;
  readonly junit?: string;
  readonly list?: boolean;
}

const command = new Command("npm run conformance --")
  .description("Checks a node against the rules of the bus; exit code 1 when a rule is broken.")
  .addOption(
    new Option("--target <name...>", "nodes that the kit starts itself").choices([...starters.keys()]),
  )
  .option("--tls", `the node joins over mutual TLS, provisioned over its console: ${tlsTargets.join(", ")}`)
  .option("--broker <url>", "broker of a node that runs, mqtt://[USER:PASSWORD@]HOST[:PORT]")
  .option("--server <id>", "id of the server it is joined to; of a complete node: its own", "edge")
  .option("--node <id>", "id of the node; default for complete nodes: the server's id")
  .addOption(
    new Option("--kind <kind>", "of the node at --broker")
      .choices(["minimal", "complete"])
      .default("minimal"),
  )
  .option("--only <prefix...>", "only rules whose id begins so")
  .option("--json", "results as JSON on stdout")
  .option("--junit <file>", "results as JUnit XML")
  .option("--list", "list the rules");

async function main(): Promise<number> {
  command.parse();
  const options = command.opts<Options>();
  if (options.list === true) {
    for (const { id, kinds, clause, text } of allRules) {
      console.log(`${id}  [${kinds.join(", ")}]  ${text} (${clause})`);
    }
    return 0;
  }
  const results: TargetResult[] = [];
  const run = async (target: string, under: NodeUnderTest): Promise<void> => {
    const onResult =
      options.json === true
        ? {}
        : {
            onResult: ({ outcome }: { outcome: string }) =>
              process.stderr.write(outcome === "fail" ? "F" : "."),
          };
    const only = options.only === undefined ? {} : { only: options.only };
    const result = { target, results: await runKit(under, { ...onResult, ...only }) };
    results.push(result);
    if (options.json !== true) {
      process.stderr.write("\n");
      console.log(`${renderTable(result)}\n`);
    }
  };
  if (options.broker !== undefined) {
    if (options.tls === true) return command.error("--tls is for targets that the kit starts itself");
    const node = options.node ?? (options.kind === "complete" ? options.server : undefined);
    if (node === undefined) return command.error("--broker needs --node, the id of the node under test");
    await run(node, { url: options.broker, server: options.server, node, kind: options.kind });
  } else {
    const tls = options.tls === true;
    const names = options.target ?? (tls ? tlsTargets : [...starters.keys()]);
    const plain = tls ? names.filter((name) => !tlsTargets.includes(name)) : [];
    if (plain.length > 0) return command.error(`--tls: ${plain.join(", ")} cannot be started with it`);
    for (const name of names) {
      const target = await starters
        .get(name)?.({ tls })
        .catch((error: unknown) => {
          // Not asked for by name: what this machine cannot start is left out, and said.
          if (options.target !== undefined || !(error instanceof TargetMissing)) throw error;
          console.error(`${name}: skipped: ${error.message}`);
          return undefined;
        });
      if (target === undefined) continue;
      try {
        await run(target.name, target.under);
      } finally {
        await target.stop();
      }
    }
  }
  if (options.json === true) console.log(renderJson(results));
  if (options.junit !== undefined) writeFileSync(options.junit, renderJUnit(results));
  return results.some((result) => failures(result).length > 0) ? 1 : 0;
}

let exitCode: number;
try {
  exitCode = await main();
} catch (error) {
  console.error(`conformance: ${error instanceof Error ? error.message : String(error)}`);
  exitCode = 3;
}
// A target that did not start may have left a broker open.
process.exit(exitCode);
