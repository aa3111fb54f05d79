/**
 * The default node on Node.js and compiled to C gets the same random script (requests good and damaged, passing time, lost
 * connections) and must publish the same bytes at the same points. C runs under AddressSanitizer and UBSan.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bind, setSites } from "../../compiler/backend-js/support.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { writeSources } from "../../compiler/cli/write-sources.js";
import { compileProgram, type CompiledProgram } from "../../compiler/pipeline/compile.js";
import type { HostFunction } from "../../host/runtime/current-platform.js";
import { runSetup } from "../../compiler/setup/run-setup.js";
import { createSimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { encodeRequest, type RequestFields } from "../support/firmware-node.js";

type Step =
  | { readonly do: "connect" | "disconnect" }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "refuse"; readonly on: boolean }
  | { readonly do: "message"; readonly payload: Uint8Array };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function compile(): CompiledProgram {
  const entry = packagePath("firmware", "app.ts");
  const result = compileProgram({ entry, root: packagePath("."), checked: true, kind: "app" });
  if (!result.ok) throw new Error(result.diagnostics.map((d) => `${d.code} ${d.message}`).join("\n"));
  return result.compiled;
}

/** What the node publishes on Node.js, in the format of scripted-port.c. */
function runOnNode(compiled: CompiledProgram, steps: readonly Step[]): string[] {
  // A fresh copy: setup ran, nothing else did.
  const { entries } = runSetup(compiled.program, { checked: true });
  const platform = createSimulatedPlatform({
    sensors: {
      accelerometer: { channels: 3, frame: (i) => [i % 7, -Math.fround(i), Math.fround(Math.fround(i) / 8)] },
    },
  });
  // The model is the program's own.
  bind(
    Object.fromEntries(
      Object.entries(platform.bindings).filter(([name]) => !/^(tmc_model|setup:)/.test(name)),
    ),
  );
  setSites(compiled.c.sites);
  for (const { name, handler } of entries) platform.registerEntry(name, handler as HostFunction);
  const lines: string[] = [];
  const flush = (): void => {
    for (const p of platform.published.splice(0)) {
      lines.push(`publish ${p.topic} ${p.qos} ${p.retain ? 1 : 0} ${hex(p.payload)}`);
    }
    for (const t of platform.traps.splice(0)) lines.push(`trap ${t.entry} ${t.kind}`);
  };
  platform.start();
  lines.push(`will ${platform.will?.topic} 1 1 ${hex(platform.will?.payload ?? new Uint8Array())}`);
  flush();
  for (const step of steps) {
    switch (step.do) {
      case "connect":
        platform.connect();
        break;
      case "disconnect":
        platform.disconnect();
        break;
      case "advance":
        platform.advance(step.ms);
        break;
      case "refuse":
        platform.refusePublish = step.on;
        break;
      case "message":
        platform.deliver("t1/server-1/node-1/x", step.payload);
        break;
    }
    flush();
  }
  return lines;
}

function script(steps: readonly Step[]): string {
  const lines = steps.map((s) => {
    if (s.do === "advance") return `advance ${s.ms}`;
    if (s.do === "refuse") return `refuse ${s.on ? 1 : 0}`;
    return s.do === "message" ? `message ${hex(s.payload)}` : s.do;
  });
  return ["start", ...lines, ""].join("\n");
}

// ---- scripts ----

const map = (...pairs: [number, unknown][]): Map<number, unknown> =>
  new Map(pairs.filter(([, v]) => v !== undefined));
const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arb, { nil: undefined, freq: 2 });

const descriptor = fc
  .record({
    0: maybe(fc.constantFrom(0, 0, 0, 6, 6, 1)),
    1: maybe(fc.constantFrom([1, 128, 1, 3], [128, 3], [128, 3], [-1, 3], [3])),
    3: maybe(fc.constantFrom(1600, 100)),
    4: maybe(fc.constantFrom("g", "m/s2")),
    5: maybe(fc.constantFrom(0.03125, 0.5)),
  })
  .map((d) => map(...Object.entries(d).map(([k, v]): [number, unknown] => [Number(k), v])));

const collect = fc
  .record({
    sensor: fc.constantFrom("accelerometer", "accelerometer", "nose"),
    frames: maybe(fc.integer({ min: 0, max: 90 })),
    rate: maybe(fc.oneof(fc.float(), fc.constantFrom(10, 400.5, 1600, 6664))),
    mode: maybe(fc.integer({ min: 0, max: 2 })),
  })
  .map((a) => ({
    operation: "data.collect",
    arguments: map([0, a.sensor], [1, a.frames], [2, a.rate], [3, a.mode]),
  }));

const infer = fc
  .record({
    input: fc.oneof(
      fc.constantFrom("sensor:accelerometer", "sensor:nose"),
      fc.uint8Array({ minLength: 384, maxLength: 384 }),
      fc.uint8Array({ maxLength: 400 }),
      fc.constant(new Uint8Array(384 * 2)),
    ),
    descriptor: maybe(descriptor),
    accept: maybe(descriptor),
    model: maybe(fc.constantFrom("vibration", "nope")),
  })
  .map((r) => ({
    operation: "model.infer",
    input: r.input,
    ...(r.descriptor === undefined ? {} : { descriptor: r.descriptor }),
    ...(r.accept === undefined ? {} : { accept: r.accept }),
    ...(r.model === undefined ? {} : { selector: map([0, r.model]) }),
  }));

const configure = fc
  .dictionary(
    fc.constantFrom("telemetry.interval", "collect.rate", "colour"),
    fc.oneof(fc.integer({ min: -5, max: 100 }), fc.float({ noNaN: true })),
    { maxKeys: 2, noNullPrototype: true },
  )
  .map((s) => ({ operation: "node.configure", arguments: map([0, new Map(Object.entries(s))]) }));

const simple = fc
  .constantFrom("node.describe", "node.monitor", "node.nope", "")
  .map((operation): RequestFields => ({ operation }));

const request = fc
  .tuple(
    fc.oneof(simple, collect, infer, configure),
    fc.record({ id: fc.integer({ min: 0, max: 40 }), priority: fc.integer({ min: 0, max: 3 }) }),
    maybe(fc.constantFrom(0, 20, 100, 3000, 0xffffffff)),
  )
  .map(([fields, common, deadlineMs]) =>
    encodeRequest({ ...fields, ...common, ...(deadlineMs === undefined ? {} : { deadlineMs }) }),
  );

const damaged = fc
  .tuple(
    request,
    fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    fc.nat(1100),
  )
  .map(([good, changes, length]) => {
    const bad = good.slice(0, Math.max(1, length));
    for (const [at, byte] of changes) if (at < bad.length) bad[at] = byte;
    return bad;
  });

const message = fc
  .oneof(
    { weight: 8, arbitrary: request },
    { weight: 3, arbitrary: damaged },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 1500 }) },
  )
  .map((payload): Step => ({ do: "message", payload }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: message },
  {
    weight: 4,
    arbitrary: fc.constantFrom(10, 10, 50, 130, 2000, 12_345).map((ms): Step => ({ do: "advance", ms })),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: "disconnect" }, { do: "connect" }, { do: "connect" }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: "refuse", on: true }, { do: "refuse", on: false }) },
);

describe("the default node on Node.js and in C", () => {
  let folder: string;
  let program: string;
  let compiled: CompiledProgram;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tmc-equality-"));
    compiled = compile();
    const { sources, folder: generated } = writeSources(compiled, folder);
    const runtime = ["src", "kernels"].flatMap((d) =>
      readdirSync(packagePath("runtime-c", d))
        .filter((f) => f.endsWith(".c"))
        .map((f) => packagePath("runtime-c", d, f)),
    );
    program = join(folder, "node");
    const flags = "-std=c11 -O1 -g -ffp-contract=off -fsanitize=address,undefined -fno-sanitize-recover=all";
    const built = spawnSync("gcc", [
      ...flags.split(" "),
      `-I${packagePath("runtime-c", "include")}`,
      `-I${generated}`,
      ...sources,
      ...runtime,
      packagePath("test", "node", "fixtures", "scripted-port.c"),
      ...["-lm", "-o", program],
    ]);
    expect(built.stderr.toString()).toBe("");
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function runInC(steps: readonly Step[]): string[] {
    const ran = spawnSync(program, { input: script(steps), encoding: "latin1" });
    expect(ran.stderr).toBe("");
    expect(ran.status).toBe(0);
    return ran.stdout.split("\n").filter((l) => l !== "");
  }

  it("publish the same bytes", () => {
    const seen = { messages: 0, done: 0, inferred: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: "max" }), (steps) => {
        const c = runInC(steps);
        expect(c).toEqual(runOnNode(compiled, steps));
        expect(c.filter((l) => l.startsWith("trap"))).toEqual([]);
        seen.messages += steps.filter((s) => s.do === "message").length;
        seen.done += c.filter((l) => l.includes("/y 1 0") && l.includes("0402")).length;
        seen.inferred += c.filter((l) => l.includes(Buffer.from("vibration@").toString("hex"))).length;
      }),
      { numRuns: 25 },
    );
    // The scripts do reach the model and many answers.
    expect(seen.done).toBeGreaterThan(100);
    expect(seen.inferred).toBeGreaterThan(0);
  });
});
