/** A compiled node (board `host`) as a process beside the test or the demo: started, asked for its statistics, stopped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, type Exit } from "./child.js";

export interface NodeOptions {
  /** The executable. */
  readonly program: string;
  readonly id: string;
  /** The broker, mqtt://host:port. */
  readonly url: string;
  readonly server: string;
  /** What it keeps over restarts; default: a temporary folder that `stop` removes. */
  readonly stateDir?: string;
  /** Further arguments, e.g. ["--sensor", "accelerometer=generator:vibration-healthy"]. */
  readonly args?: readonly string[];
}

/** The counts of the statistics line; all are since the start of the process. */
export type Statistics = ReadonlyMap<string, number>;

export class NodeProcess {
  private constructor(
    readonly child: Child,
    readonly id: string,
    private readonly temporary: string | undefined,
  ) {}

  /** Started, not yet connected. @throws ChildError when it does not come up, with its output. */
  static async start(options: NodeOptions): Promise<NodeProcess> {
    const temporary =
      options.stateDir === undefined ? mkdtempSync(join(tmpdir(), `tmc-node-${options.id}-`)) : undefined;
    const args = ["--id", options.id, "--server", options.url, "--server-id", options.server];
    args.push("--state-dir", options.stateDir ?? temporary ?? "", ...(options.args ?? []));
    const child = await Child.start(options.program, args, {
      name: `node ${options.id}`,
      // The first report of a sanitizer ends the process: no test can pass by it.
      env: { UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1", ASAN_OPTIONS: "detect_leaks=1" },
    });
    await child.waitForLine(/info: boot \d+/);
    return new NodeProcess(child, options.id, temporary);
  }

  /** Waits for the next session with the broker, from line `from` of the output on. */
  async connected(timeoutMs?: number, from = 0): Promise<void> {
    await this.child.waitForLine("info: connected to", timeoutMs, from);
  }

  /** Asks the running process. */
  async statistics(): Promise<Statistics> {
    const from = this.child.lines.length;
    this.child.signal("SIGUSR1");
    return parseStatistics(await this.child.waitForLine("info: statistics ", 5_000, from));
  }

  /** Ends it and reads its last statistics; undefined when it did not end by itself. */
  async stop(
    signal: NodeJS.Signals = "SIGTERM",
  ): Promise<{ exit: Exit; statistics: Statistics | undefined }> {
    const from = this.child.lines.length;
    const exit = await this.child.stop(signal);
    if (this.temporary !== undefined) {
      rmSync(this.temporary, { recursive: true, force: true });
    }
    const line = this.child.lines.slice(from).find((each) => each.text.includes("info: statistics "));
    return { exit, statistics: line === undefined ? undefined : parseStatistics(line.text) };
  }
}

function parseStatistics(line: string): Statistics {
  return new Map([...line.matchAll(/(\w+)=(\d+)/g)].map((match) => [match[1] ?? "", Number(match[2])]));
}
