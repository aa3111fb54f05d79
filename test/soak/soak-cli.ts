/** `npm run soak`: nodes on Zephyr under load while everything around them breaks; see docs/testing.md. Needs a Zephyr workspace. */
import { parseArgs } from "node:util";
import { ExitCode } from "../../compiler/diagnostics/user-error.js";
import { noWorkspace } from "../zephyr/support/zephyr-node.js";
import type { Marks } from "./memory.js";
import { soak, type SoakResult } from "./soak.js";
import { buildTarget, findTarget, targetNames } from "./targets.js";

const help = `usage: npm run soak -- [options]

The default node on native_sim and in QEMU behind an emulated Wi-Fi module, at the same time, provisioned, over mutual TLS, under
a steady load of requests, while the broker dies, certificates of either side are refused, a proxy holds, delays, splits, merges
and resets what passes, and the Wi-Fi module fails. Exit code 0 only when every request was answered or lost to something that
broke, the nodes came back each time, and none started anew nor trapped nor grew; 5 without a Zephyr workspace.

  --minutes M   default 30
  --target T    one of ${targetNames.join(", ")};
                can be given again; default native_sim and mps2_an386-wifi
  --rate R      requests a second (default: the target's)
  --seed S      what happens when (default 1)
  --json        the results as JSON
  --help        this text
`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    target: { type: "string", multiple: true, default: ["native_sim", "mps2_an386-wifi"] },
    rate: { type: "string" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function usage(message: string): never {
  process.stderr.write(`${message}\n\n${help}`);
  process.exit(ExitCode.usage);
}

function positive(option: "minutes" | "rate" | "seed"): number {
  const value = Number(values[option]);
  if (!(value > 0)) usage(`--${option} ${values[option]}: expected a number above 0`);
  return value;
}

function report(result: SoakResult): string {
  const { requests, answered, lost, faults, early, late, status, failures } = result;
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  const marks = (m: Marks): string =>
    `TLS ${m.tls} bytes (most ${m.tlsMost}), outbox most ${m.outboxMost}` +
    (m.stackFree < 0 ? "" : `, stack never used ${m.stackFree}`) +
    (m.rss === 0 ? "" : `, process ${m.rss} KiB`);
  const { received, answered: ended, duplicates, reconnects, traps } = status.counters;
  return [
    `${result.target}`,
    `faults: ${list(faults)}`,
    `errors by code: ${list(result.errors)}`,
    `${requests} requests: ${answered} answered, ${lost} lost to a fault`,
    `slowest return ${Math.round(result.slowestReturn)} ms, after: ${result.slowestFault}`,
    `memory ${early === undefined ? "" : `when everything had happened once: ${marks(early)}; `}at the end: ${marks(late)}`,
    `the node: ${received} received, ${ended} answered, ${duplicates} repeated, ${reconnects} reconnects, ${traps} traps`,
    `its port: ${list(result.port)}`,
    ...failures.map((failure) => `FAILURE: ${failure}`),
    `${failures.length} failures`,
    "",
  ].join("\n");
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = values.target.find((name) => !targetNames.includes(name));
  if (unknown !== undefined) usage(`--target ${unknown}: expected one of ${targetNames.join(", ")}`);
  const rate = values.rate === undefined ? {} : { rate: positive("rate") };
  const options = { minutes: positive("minutes"), seed: positive("seed"), ...rate };
  if (noWorkspace !== "") {
    process.stderr.write(`soak:${noWorkspace}\n`);
    return ExitCode.noWorkspace;
  }
  const targets = values.target.map(findTarget);
  for (const target of targets) await buildTarget(target);
  const say = (name: string) => (line: string) => void process.stderr.write(`${name}: ${line}\n`);
  const outcomes = await Promise.allSettled(
    targets.map((target) => soak({ ...options, target, onLine: say(target.name) })),
  );
  const results = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  process.stdout.write(
    values.json ? `${JSON.stringify(results, undefined, 2)}\n` : results.map(report).join("\n"),
  );
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") process.stderr.write(`FAILURE: ${String(outcome.reason)}\n`);
  }
  const isClean = results.length === targets.length && results.every(({ failures }) => failures.length === 0);
  return isClean ? 0 : 1;
}

process.exitCode = await main();
