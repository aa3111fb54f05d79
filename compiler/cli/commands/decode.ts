/** `tmc decode`: numbers of trap sites, or the lines of a log that has them, to places in the TypeScript. */
import { createInterface } from "node:readline";
import { InvalidArgumentError, type Command } from "commander";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { decodeLine, placeOfSite, readTrapSites, type TrapSites } from "../trap-sites.js";

interface DecodeOptions {
  readonly sites: string;
  readonly json?: true;
}

export function registerDecode(program: Command): void {
  const command = program
    .command("decode")
    .description("turn trap sites of a device into file:line; without numbers, decode a log from stdin")
    .argument("[sites...]", "numbers as the device reports them", parseSite)
    .requiredOption("--sites <file>", "the map of the build that runs on the device: build/BOARD/sites.json")
    .option("--json", "print for programs (numbers only)")
    .action(decode);
  describeCommand(command, {
    examples: [
      ["tmc decode 17 --sites build/host/sites.json", "where site 17 is"],
      ["tmc decode --sites build/host/sites.json < node.log", "a log with its places"],
    ],
    exitCodes: ["ok", "usage"],
  });
}

function parseSite(text: string, before: number[] | undefined): number[] {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("A site is a number.");
  return [...(before ?? []), Number(text)];
}

async function decode(numbers: number[], options: DecodeOptions): Promise<void> {
  const sites = readTrapSites(options.sites);
  if (numbers.length === 0) {
    if (options.json === true) {
      throw new UserError(
        "TMC0005",
        "--json goes with numbers, not with a log",
        "leave out --json",
        ExitCode.usage,
      );
    }
    // A log may have no end: line by line.
    for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
      process.stdout.write(`${decodeLine(line, sites)}\n`);
    }
    return;
  }
  const found = numbers.map((site) => lookUp(site, sites, options.sites));
  if (options.json === true) {
    printJson(found);
    return;
  }
  for (const entry of found) {
    process.stdout.write(
      "file" in entry
        ? `${entry.site}: ${entry.kind} at ${placeOfSite(entry)}\n`
        : `0: a trap without a place\n`,
    );
  }
}

function lookUp(
  site: number,
  sites: TrapSites,
  file: string,
): { readonly site: 0 } | NonNullable<ReturnType<TrapSites["get"]>> {
  if (site === 0) return { site: 0 };
  const entry = sites.get(site);
  if (entry !== undefined) return entry;
  throw new UserError(
    "TMC0061",
    `${file} has no site ${site}: it has 1 to ${sites.size}`,
    "take the sites.json of the build that runs on the device",
    ExitCode.usage,
  );
}
