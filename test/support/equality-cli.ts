/**
 * `npm run equality -- FILE… [--checked] [--on NAME]`: runs programs of the subset on Node.js and every target of the
 * equality suite whose name contains NAME, prints the common outcome, or what differs from Node.js. Beside a file
 * `x.ts`, an `x.out` is compared too. Exit code 1 when anything differs.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { diffLines } from "../../compiler/cli/output-diff.js";
import { compileForEquality, equalityTargets, missingFor, nodeOutcome, runOnTarget } from "./equality.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    checked: { type: "boolean", default: false },
    on: { type: "string", default: "" },
    help: { type: "boolean", short: "h", default: false },
  },
});
const usage = "usage: npm run equality -- FILE… [--checked] [--on NAME]\n";
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}
if (positionals.length === 0) {
  process.stderr.write(usage);
  process.exit(64);
}

const folder = mkdtempSync(join(tmpdir(), "tmc-equality-"));
try {
  for (const file of positionals) {
    await compare(resolve(file));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare(file: string): Promise<void> {
  const compiled = compileForEquality(file, { root: dirname(file), checked: values.checked });
  const program = { name: file, compiled };
  const reference = nodeOutcome(program);
  const differing: string[] = [];
  const against = (name: string, text: string): void => {
    const lines = diffLines(reference, text);
    if (lines.length > 0) {
      differing.push(`--- Node.js\n+++ ${name}`, ...lines);
    }
  };
  const expected = file.replace(/\.ts$/, values.checked ? ".checked.out" : ".out");
  if (existsSync(expected)) {
    against(expected, readFileSync(expected, "latin1"));
  }
  for (const target of equalityTargets.filter((t) => t.name.includes(values.on))) {
    const missing = missingFor(target);
    if (missing === undefined) {
      const found = await runOnTarget(target, [program], { folder });
      against(target.name, found.get(file) ?? "");
    } else {
      process.stderr.write(`skipped ${target.name}: ${missing}\n`);
    }
  }
  if (differing.length === 0) {
    process.stdout.write(Buffer.from(reference, "latin1"));
  } else {
    // Not on standard output: that may be on its way into the expected text.
    process.stderr.write(`${differing.join("\n")}\n`);
    process.exitCode = 1;
  }
}
