/** A complete node as a process: starts it, prints where it listens, ends it on signals and orders, starts it again when told. */
import type { LoadedConfig } from "./load-config.js";
import { logFormatFor, logOutput, type LogFormat } from "./log-output.js";
import { startNode, type ComputingNode } from "./node.js";

/** What running requests get to finish, ms. */
const drainMs = 10_000;
const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * Until it is stopped. A second signal ends the process at once, with code 1.
 * @param format of the log; default: as the configuration says, else pretty on a terminal and JSON elsewhere
 * @throws UserError when it cannot start.
 */
export async function runNode(loaded: LoadedConfig, format?: LogFormat): Promise<void> {
  const logTo = await logOutput(logFormatFor(format ?? loaded.config.log.format));
  let stop: () => void = () => undefined;
  const stopped = new Promise<"stop">((resolve) => {
    stop = () => resolve("stop");
  });
  let count = 0;
  const onSignal = (): void => {
    count++;
    if (count > 1) process.exit(1);
    process.stderr.write("stopping: finishing what runs; again to stop at once\n");
    stop();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    for (let end = "restart"; end === "restart";) {
      const node = await startNode(loaded, { logTo });
      print(node);
      end = await Promise.race([stopped, node.ended]);
      await node.stop(drainMs);
    }
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

/** On stderr: stdout is the log's. */
function print(node: ComputingNode): void {
  const lines = [
    `node ${node.id}, boot ${node.boot}, is running; Ctrl-C stops it`,
    ...node.addresses.map(({ what, url }) => `  ${what.padEnd(12)} ${url}`),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
}
