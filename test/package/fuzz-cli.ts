/**
 * `npm run fuzz:package -- --seconds N [--corpus FOLDER]`: libFuzzer with AddressSanitizer and
 * UndefinedBehaviorSanitizer on the check of model packages and on the run of those that it accepts. Needs clang.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildFuzzer, hasLibFuzzer } from "./harness.js";
import { seeds } from "./seeds.js";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, corpus: { type: "string" } },
});
if (!hasLibFuzzer()) {
  process.stderr.write("clang with libFuzzer is not installed\n");
  process.exit(4);
}
const folder = mkdtempSync(join(tmpdir(), "tmc-fuzz-package-"));
try {
  const fuzzer = join(folder, "fuzzer");
  buildFuzzer(fuzzer);
  const corpus = values.corpus ?? join(folder, "corpus");
  mkdirSync(corpus, { recursive: true });
  for (const [i, { bytes }] of seeds(1, 4).entries()) {
    writeFileSync(join(corpus, `seed-${i}`), bytes);
  }
  const limits = ["-timeout=20", "-rss_limit_mb=1024", "-max_len=65536"];
  const args = [corpus, `-max_total_time=${values.seconds}`, ...limits, "-print_final_stats=1"];
  const { status } = spawnSync(fuzzer, args, { stdio: "inherit" });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
