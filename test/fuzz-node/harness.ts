/** Compiles the default node with the port of session.c for libFuzzer. It runs nothing. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { packagePath } from "../../compiler/board/package-root.js";
import { writeSources } from "../../compiler/cli/write-sources.js";
import { compileProgram } from "../../compiler/pipeline/compile.js";

const run = promisify(execFile);

/** Bytes of the largest session. */
export const sessionMax = 4096;

const sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];
/** Of what coverage is wanted: the node itself. */
const covered = "-fsanitize=fuzzer-no-link";

function sourcesIn(...folder: string[]): string[] {
  const path = packagePath(...folder);
  return readdirSync(path)
    .filter((file) => file.endsWith(".c"))
    .map((file) => join(path, file));
}

/** The store of what comes over the bus, and what is between it and the node. */
function updateSources(): string[] {
  const store = sourcesIn("runtime-c", "update").filter((file) => basename(file) !== "firmware.c");
  const slots = ["slots.c", "firmware-none.c"].map((file) =>
    packagePath("runtime-c", "port", "common", file),
  );
  return [...store, ...slots];
}

/**
 * The fuzzer in `folder`/fuzzer. What the node keeps lies in sections of its own (sections.h). `quick`: built in less time,
 * for few executions; kernels of models then have no sanitizers. @throws Error when firmware/app.ts or its C does not compile
 */
export async function buildNodeFuzzer(folder: string, quick = false): Promise<string> {
  const result = compileProgram({
    entry: packagePath("firmware", "app.ts"),
    root: packagePath("."),
    checked: false,
    kind: "app",
  });
  if (!result.ok)
    throw new Error(result.diagnostics.map((each) => `${each.code} ${each.message}`).join("\n"));
  const written = writeSources(result.compiled, folder);
  const objects = join(folder, "obj");
  mkdirSync(objects, { recursive: true });
  const include = [`-I${packagePath("runtime-c", "include")}`, `-I${written.folder}`];
  const level = quick ? "-O0" : "-O1";
  const node = [...sanitizers, level, covered, "-include", packagePath("test", "fuzz-node", "sections.h")];
  const jobs = [
    ...written.sources.map((file) => ({
      file,
      flags: basename(file) === "models.c" ? [...node, "-Dtmc_model_invoke=fuzz_model_invoke"] : node,
    })),
    ...sourcesIn("runtime-c", "src").map((file) => ({ file, flags: node })),
    ...updateSources().map((file) => ({ file, flags: node })),
    ...sourcesIn("runtime-c", "kernels").map((file) => ({
      file,
      flags: quick ? ["-O0"] : [...sanitizers, "-O2"],
    })),
    ...sourcesIn("test", "fuzz-node").map((file) => ({ file, flags: [...sanitizers, "-O1"] })),
  ];
  const made: string[] = [];
  const queue = [...jobs];
  const worker = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      // The name alone is not enough: there are two slots.c.
      const object = join(objects, `${basename(dirname(job.file))}-${basename(job.file, ".c")}.o`);
      await run("clang", ["-std=c11", "-g1", ...job.flags, ...include, "-c", job.file, "-o", object]);
      made.push(object);
    }
  };
  await Promise.all([worker(), worker()]);
  const program = join(folder, "fuzzer");
  await run("clang", ["-fsanitize=fuzzer", ...sanitizers, ...made, "-lm", "-o", program]);
  return program;
}
