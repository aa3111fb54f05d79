/** Compiles a node with the port of port.c for libFuzzer. It runs nothing. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { packagePath } from "../../compiler/board/package-root.js";
import { writeSources } from "../../compiler/cli/write-sources.js";
import { compileProgram } from "../../compiler/pipeline/compile.js";
import { artifact, vibrationPackage } from "../support/model-artifact.js";

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

/** Nodes that are fuzzed: the default one, and one whose model comes over the bus. */
export const nodes = {
  default: packagePath("firmware", "app.ts"),
  updates: packagePath("examples", "model-update", "node.ts"),
} as const;

/** What served.c serves. The port of the fuzzer takes each signature that begins with an S. */
function writeArtifact(folder: string, node: keyof typeof nodes): string {
  const bytes = node === "updates" ? Buffer.from(artifact(vibrationPackage())) : Buffer.alloc(1);
  if (node === "updates") bytes[128] = 0x53;
  const size = node === "updates" ? bytes.length : 0;
  const file = join(folder, "fuzz-artifact.c");
  const text = `#include <stdint.h>
extern const uint8_t fuzz_artifact[];
extern const uint32_t fuzz_artifact_size;
const uint8_t fuzz_artifact[] = {${[...bytes].join(",")}};
const uint32_t fuzz_artifact_size = ${size};
`;
  writeFileSync(file, text);
  return file;
}

/**
 * The fuzzer in `folder`/fuzzer. What the node keeps lies in sections of its own (sections.h). `quick`: built in less time,
 * for few executions; kernels of models then have no sanitizers. @throws Error when the node or its C does not compile
 */
export async function buildNodeFuzzer(
  folder: string,
  quick = false,
  which: keyof typeof nodes = "default",
): Promise<string> {
  const result = compileProgram({
    entry: nodes[which],
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
    { file: writeArtifact(folder, which), flags: [] },
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
