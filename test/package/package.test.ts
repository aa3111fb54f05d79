/**
 * Model packages of random layers and networks: Node.js and host C compute what the model computes; Node.js and C agree on
 * every damaged package, and what is accepted runs within its memory. TMC_PACKAGE_MUTATIONS raises the number of those.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkPackage, digestOf, unboundedSlot, type Verdict } from "../../compiler/model/package/check.js";
import {
  ALL_KERNELS,
  At,
  DIGEST_BYTES,
  kernelName,
  Reason,
  reasons,
} from "../../compiler/model/package/format.js";
import { readPackage } from "../../compiler/model/package/read.js";
import { PackageRuntime } from "../../compiler/model/package/runtime.js";
import { packageModel } from "../../compiler/model/package/write.js";
import { UserError } from "../../compiler/diagnostics/user-error.js";
import { Random } from "../models/random-graphs.js";
import { buildFuzzer, buildVerdicts, harnessSlot, hasLibFuzzer, verdictsOfC } from "./harness.js";
import { seeds, type Seed } from "./seeds.js";

const mutations = Number(process.env["TMC_PACKAGE_MUTATIONS"] ?? "1500");
const fuzzer = hasLibFuzzer();
let folder = "";
let all: Seed[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-package-test-"));
  all = seeds(4, 5);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Changes some words, mostly of the program, and sometimes the length. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const program = view.getUint32(4 * At.program, true) / 4;
  const programWords = view.getUint32(4 * At.programWords, true);
  for (let changes = random.int(1, 2); changes > 0; changes--) {
    const kind = random.unit();
    const at =
      kind < 0.75
        ? random.int(program, program + programWords - 1)
        : kind < 0.9
          ? random.int(0, At.about)
          : random.int(0, copy.length / 4 - 1);
    const old = view.getInt32(4 * at, true);
    const bound = random.pick([0, 1, 2, 8, 16, 127, 128, 65535, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), -1, -128]);
    const near = random.pick([old + 1, old - 1, old + 4, old - 4, 2 * old, old >> 1, -old]);
    view.setInt32(4 * at, random.chance(0.4) ? bound : near, true);
  }
  const about = view.getUint32(4 * At.about, true);
  if (about > 0 && about < copy.length - 60 && random.chance(0.3)) {
    const at = about + random.pick([random.int(0, 11), random.int(44, 58)]);
    copy[at] = random.pick([0, 1, 16, 65, 0x7f, 0x80, 0xc1, 0xc3, 0xed, 0xf4, 0xff, copy[at]! + 1]);
  }
  if (random.chance(0.5)) {
    view.setUint32(4 * At.work, harnessSlot.work, true);
  }
  return random.chance(0.03) ? copy.slice(0, random.int(0, copy.length - 1)) : copy;
}

describe("model packages", () => {
  it("hold every kernel, and are accepted", () => {
    const used = all.reduce(
      (mask, { bytes }) => mask | new DataView(bytes.buffer).getUint32(4 * At.kernels, true),
      0,
    );
    const missing = Array.from({ length: 32 }, (_, i) => i).filter(
      (i) => (ALL_KERNELS & ~used & (1 << i)) !== 0,
    );
    expect(missing.map(kernelName)).toEqual([]);
    expect(all.map(({ bytes }) => checkPackage(bytes, unboundedSlot).reason)).toEqual(
      all.map(() => Reason.ok),
    );
  });

  it("compute on Node.js what the model computes", () => {
    const wrong = all.filter(({ bytes, name, input, outputs }) => {
      const runtime = new PackageRuntime(readPackage(bytes, name));
      const computed = runtime.run(input);
      return !runtime.selfTest() || outputs.some((output, i) => output.join() !== computed[i]!.join());
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it("are refused alike by Node.js and C, and what is accepted runs within its memory", () => {
    const program = join(folder, "verdicts");
    buildVerdicts(program);
    const random = new Random(5);
    const packages = [
      ...all.map(({ bytes }) => bytes),
      ...Array.from({ length: mutations }, () => mutated(random.pick(all).bytes, random)),
    ];
    const ofC = verdictsOfC(program, packages, join(folder, "packages"));
    expect(ofC.slice(0, all.length).filter(({ selfTest }) => !selfTest)).toEqual([]);
    const ofNode = packages.map((bytes) => checkPackage(bytes, harnessSlot, false));
    const differing = packages.flatMap((_, i): { i: number; c?: Verdict; node?: Verdict }[] =>
      ofC[i]?.reason === ofNode[i]?.reason && ofC[i]?.step === ofNode[i]?.step
        ? []
        : [{ i, c: ofC[i]!, node: ofNode[i]! }],
    );
    expect(differing).toEqual([]);
    const seen = new Set(ofNode.map(({ reason }) => reason));
    const never: readonly number[] = [Reason.alignment, Reason.wrongDigest];
    const unseen = reasons.map((_, i) => i).filter((i) => !seen.has(i) && !never.includes(i));
    expect(unseen.map((i) => reasons[i])).toEqual([]);
  });

  it("say of the model what they were given, in any script", () => {
    const about = {
      ...{ task: "Anomalieerkennung für 東京", labels: ["", "ok", "\u{1f4a5}"], unit: "m/s2", rate: 104.5 },
      digest: "00ff".repeat(16),
    };
    const graph = all.find(({ outputs }) => outputs[0]!.length >= 3)!.graph;
    expect(readPackage(packageModel(graph, { about }), "p").about).toEqual(about);
    expect(readPackage(packageModel(graph), "p").about).toBeUndefined();
    const bad = [{ task: "x".repeat(65) }, { unit: "x".repeat(16) }, { rate: Number.NaN }, { rate: -1 }];
    for (const change of [...bad, { labels: Array<string>(4000).fill("a") }]) {
      expect(() => packageModel(graph, { about: { ...about, ...change } })).toThrow(UserError);
    }
  });

  it("that are damaged are refused by the reader, which never fails otherwise", () => {
    fc.assert(
      fc.property(fc.nat(all.length - 1), fc.integer(), fc.boolean(), (which, seed, resealed) => {
        const bytes = mutated(all[which]!.bytes, new Random(seed));
        if (resealed && bytes.length >= DIGEST_BYTES) {
          bytes.set(digestOf(bytes), bytes.length - DIGEST_BYTES);
        }
        try {
          readPackage(bytes, "damaged");
        } catch (error) {
          expect(error instanceof UserError && error.code).toBe("TMC3061");
        }
      }),
      { numRuns: 300 },
    );
  });

  it("that were changed on the way have the wrong digest", () => {
    const bytes = all[0]!.bytes.slice();
    bytes[bytes.length - 40]! ^= 1;
    expect(checkPackage(bytes, unboundedSlot)).toEqual({ reason: Reason.wrongDigest, step: -1 });
  });

  it.skipIf(!fuzzer)(
    `survive a short run of libFuzzer${fuzzer ? "" : " (skipped: no clang with libFuzzer)"}`,
    () => {
      const program = join(folder, "fuzzer");
      buildFuzzer(program, "-O0");
      const corpus = join(folder, "corpus");
      mkdirSync(corpus);
      all.forEach(({ bytes }, i) => writeFileSync(join(corpus, `seed-${i}`), bytes));
      execFileSync(
        program,
        [corpus, "-runs=20000", "-max_total_time=3", "-seed=1", "-timeout=20", "-max_len=65536"],
        {
          cwd: folder,
          stdio: "pipe",
        },
      );
    },
  );
});
