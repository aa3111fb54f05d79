/** `npm run soak`: a node on Zephyr under load while everything around it breaks; see docs/testing.md. Needs a Zephyr workspace. */
import { parseArgs } from "node:util";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { noWorkspace } from "../zephyr/support/zephyr-node.js";
import { soak } from "./soak.js";

const help = `usage: npm run soak -- [options]

The default node on native_sim or in QEMU, provisioned, over mutual TLS, under a steady load of requests, while the broker dies, the
broker's and the node's certificate are refused, and a proxy holds, delays, splits and resets what passes. Exit code 0 only when
every request was answered or lost to something that broke, the node came back each time, and neither started anew nor trapped nor
grew; 5 without a Zephyr workspace.

  --minutes M   default 30
  --board B     native_sim (default) or mps2_an386
  --rate R      requests a second (default 5)
  --seed S      what happens when (default 1)
  --json        the result as JSON
  --help        this text
`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    board: { type: "string", default: "native_sim" },
    rate: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function positive(option: "minutes" | "rate" | "seed"): number {
  const value = Number(values[option]);
  if (!(value > 0)) {
    process.stderr.write(`--${option} ${values[option]}: expected a number above 0\n\n${help}`);
    process.exit(ExitCode.usage);
  }
  return value;
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const options = { minutes: positive("minutes"), rate: positive("rate"), seed: positive("seed") };
  if (noWorkspace !== "") {
    process.stderr.write(`soak:${noWorkspace}\n`);
    return ExitCode.noWorkspace;
  }
  const result = await soak({
    ...options,
    board: values.board,
    onLine: (line) => process.stderr.write(`${line}\n`),
  });
  if (values.json) {
    process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    return result.failures.length === 0 ? 0 : 1;
  }
  const { requests, answered, lost, faults, slowestReturn, memory, status, failures } = result;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const grown = memory === undefined ? "" : `; memory ${memory.early} KiB early, ${memory.end} at the end`;
  process.stdout.write(
    [
      `faults: ${list(faults)}`,
      `errors by code: ${list(result.errors)}`,
      `${requests} requests: ${answered} answered, ${lost} lost to a fault; slowest return ${Math.round(slowestReturn)} ms${grown}`,
      `the node: ${status.counters.received} received, ${status.counters.answered} answered, ${status.counters.duplicates} repeated, ${status.counters.reconnects} reconnects, ${status.counters.traps} traps`,
      ...failures.map((failure) => `FAILURE: ${failure}`),
      `${failures.length} failures`,
      "",
    ].join("\n"),
  );
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
