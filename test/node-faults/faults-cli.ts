/** `npm run faults`: complete nodes under load while things break; exit code 1 when a promise was broken. */
import { Command, InvalidArgumentError, Option } from "commander";
import { renderFaults, type FaultResult } from "./fault-report.js";
import { defaultOptions, faults } from "./faults.js";

interface Options {
  readonly only?: readonly string[];
  readonly rounds: number;
  readonly clients: number;
  readonly rate: number;
  readonly deadline: number;
  readonly json?: boolean;
}

function within(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number, ${least} to ${most}`);
    return value;
  };
}

const command = new Command("npm run faults --")
  .description(
    "Breaks what a complete node stands on, under a steady load of requests: every acknowledged write must be there, every request must get one terminal answer by its deadline. Exit code 1 when a promise was broken.",
  )
  .addOption(new Option("--only <fault...>", "only these faults").choices([...faults.keys()]))
  .option("--rounds <n>", "times that each fault happens", within(1, 1000), defaultOptions.rounds)
  .option("--clients <n>", "that ask", within(1, 16), defaultOptions.clients)
  .option("--rate <n>", "requests a second, together", within(1, 2000), defaultOptions.rate)
  .option("--deadline <ms>", "of every request", within(500, 60_000), defaultOptions.deadlineMs)
  .option("--json", "results as JSON on stdout");

async function main(): Promise<number> {
  command.parse();
  const { only, rounds, clients, rate, deadline, json } = command.opts<Options>();
  const results: FaultResult[] = [];
  for (const [name, inject] of faults) {
    if (only !== undefined && !only.includes(name)) continue;
    process.stderr.write(`${name} …\n`);
    results.push(await inject({ ...defaultOptions, rounds, clients, rate, deadlineMs: deadline }));
  }
  console.log(json === true ? JSON.stringify(results, undefined, 2) : renderFaults(results));
  return results.some(({ broken }) => broken.length > 0) ? 1 : 0;
}

let exitCode: number;
try {
  exitCode = await main();
} catch (error) {
  console.error(`faults: ${error instanceof Error ? error.message : String(error)}`);
  exitCode = 3;
}
// A fault that ended early may have left a connection open.
process.exit(exitCode);
