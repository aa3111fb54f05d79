/** `tmc monitor`: the serial console of a board, line by line, with places instead of numbers of trap sites. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { openPort } from "../../device/open-port.js";
import { describeCommand } from "../help.js";
import { decodeLine, readTrapSites, type TrapSites } from "../trap-sites.js";

interface MonitorOptions {
  readonly port?: string;
  readonly board: string;
  readonly sites?: string;
  readonly times?: true;
}

export function registerMonitor(program: Command): void {
  const command = program
    .command("monitor")
    .description("print what a board says on its serial console; Ctrl-C ends it")
    .option("--port <path>", "serial port, e.g. /dev/ttyACM0 (default: the one board that is connected)")
    .option("--board <board>", "whose build runs on it", "b_l4s5i_iot01a")
    .option("--sites <file>", "its map of trap sites (default: build/BOARD/sites.json, when it is there)")
    .option("--times", "put the time of this machine before each line")
    .action(monitor);
  describeCommand(command, {
    examples: [
      ["tmc monitor", "the one board that is connected"],
      ["tmc monitor --port /dev/ttyACM1 --times", "another port, with times"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

async function monitor(options: MonitorOptions): Promise<void> {
  const own = join("build", options.board, "sites.json");
  const file = options.sites ?? (existsSync(own) ? own : undefined);
  const sites: TrapSites = file === undefined ? new Map() : readTrapSites(file);
  const port = await openPort(options.port);
  const stop = (): void => void port.close();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  for await (const line of createInterface({ input: port.output, crlfDelay: Infinity })) {
    const time = options.times === true ? `${new Date().toISOString()} ` : "";
    process.stdout.write(`${time}${decodeLine(line, sites)}\n`);
  }
}
