/** Kills a process that writes into a storage and judges what it left: shared by the crash tests of all storages. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { packagePath } from "../../compiler/board/package-root.js";
import type { NodeConfig } from "../../host/node/config.js";
import type { Storage } from "../../host/node/storage/storage.js";
import { contentOf, lifetime, mostBlob, mostRecord } from "./crash-content.js";

/** Rounds of a crash test: 3, or as many as TMC_CRASH_ROUNDS says. */
export const crashRounds = Number(process.env["TMC_CRASH_ROUNDS"] ?? 3);

/** A program of this folder as one file that starts quickly. Packages stay where they are: `folder` is in the repository. */
export async function bundle(program: string, folder: string): Promise<string> {
  const outfile = join(folder, program.replace(/\.ts$/, ".mjs"));
  await build({
    entryPoints: [packagePath("test", "storage", program)],
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outfile,
    logLevel: "error",
  });
  return outfile;
}

export interface Round {
  readonly name: string;
  /** "single 17" … */
  readonly acknowledged: ReadonlySet<string>;
  readonly errors: readonly string[];
}

/**
 * Lets a process write for a random time below `mostMs` and kills it; `disturb` happens in the middle instead of the
 * kill when given, and the process is killed `mostMs` later.
 */
export async function killedWriter(
  writer: string,
  config: NodeConfig["storage"],
  name: string,
  mostMs: number,
  disturb?: () => Promise<void>,
): Promise<Round> {
  const child = spawn(process.execPath, [writer, JSON.stringify(config), name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("latin1");
  const ended = new Promise<void>((resolve) => child.stdout.on("end", resolve));
  await new Promise<void>((resolve, reject) => {
    child.on("exit", () => {
      reject(new Error(`the writer ended by itself: ${output.slice(-500)}`));
    });
    child.stdout.on("data", (text: string) => {
      output += text;
      if (output.includes("start\n")) resolve();
    });
  });
  await sleep(Math.random() * mostMs);
  if (disturb !== undefined) {
    await disturb();
    await sleep(mostMs);
  }
  child.removeAllListeners("exit");
  child.kill("SIGKILL");
  await ended;
  const lines = output.split("\n").slice(0, -1);
  return {
    name,
    acknowledged: new Set(lines.filter((line) => /^[a-z-]+ -?\d+$/.test(line))),
    errors: lines.filter((line) => line.startsWith("error")),
  };
}

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** What is wrong with what a round left; empty when all is well. `judged` counts what was looked at. */
export async function judge(storage: Storage, round: Round): Promise<{ wrong: string[]; judged: number }> {
  const wrong: string[] = [];
  const { name, acknowledged } = round;
  const said = (kind: string, n: number): boolean => acknowledged.has(`${kind} ${n}`);
  const numbers = (lines: Iterable<string>, kind: string): number[] =>
    [...lines].filter((line) => line.includes(`${kind} `)).map((line) => Number(line.split(" ").at(-1)));
  const last = (kind: string): number => Math.max(-1, ...numbers(acknowledged, kind));
  /** The highest number whose writing may have begun. */
  const begun = (kind: string): number => Math.max(last(kind), ...numbers(round.errors, kind)) + 1;
  const allOf = async (collection: string): Promise<Map<string, Buffer>> => {
    const found = new Map<string, Buffer>();
    for (let after = `${name}/`; ;) {
      const page = await storage.records.list(collection, { prefix: `${name}/`, after });
      for (const { key, value } of page) found.set(key, Buffer.from(value));
      const end = page.at(-1)?.key;
      if (end === undefined) return found;
      after = end;
    }
  };

  const singles = await allOf("single");
  for (const [key, value] of singles) {
    if (!value.equals(contentOf(`single ${key}`, mostRecord)))
      wrong.push(`record ${key} is not what was written`);
  }
  for (let n = 0; n <= last("single"); n++) {
    const there = singles.has(`${name}/${n}`);
    if (said("removed", n) && there) wrong.push(`record ${n} is back`);
    // Its removal may have happened without having been acknowledged.
    if (said("single", n) && !there && n > begun("single") - lifetime) wrong.push(`record ${n} is lost`);
  }

  const batches = await allOf("batch");
  const lastBatch = last("batch");
  for (let n = 0; n <= lastBatch + 1; n++) {
    const parts = ["a", "b", "c"].map((part) => batches.get(`${name}/${n}/${part}`));
    const there = parts.filter((part) => part !== undefined);
    if (there.length !== 0 && there.length !== 3) wrong.push(`batch ${n} is there in part`);
    if (said("batch", n) && there.length === 0) wrong.push(`batch ${n} is lost`);
    const value = contentOf(`batch ${name}/${n}`, mostRecord);
    if (there.some((part) => !part.equals(value))) wrong.push(`batch ${n} is not what was written`);
  }
  const counter = await storage.records.get("counter", name);
  const counted = counter === undefined ? -1 : Number(Buffer.from(counter).toString());
  if (batches.size !== 3 * (counted + 1))
    wrong.push(`${batches.size / 3} batches, and a counter of ${counted}`);
  if (counted < lastBatch || counted > lastBatch + 1)
    wrong.push(`counter ${counted} behind batch ${lastBatch}`);

  for (const stream of ["a", "b"]) {
    const kind = `blob-${stream}`;
    for (let n = 0; n <= begun(kind); n++) {
      const content = contentOf(`blob ${name}/${stream}/${n}`, mostBlob);
      const found = await storage.blobs.get(digestOf(content));
      if (found !== undefined && !content.equals(found)) wrong.push(`${kind} ${n} is not what was written`);
      if (said(kind, n) && found === undefined && n > begun(kind) - lifetime)
        wrong.push(`${kind} ${n} is lost`);
    }
  }
  return { wrong, judged: acknowledged.size };
}
