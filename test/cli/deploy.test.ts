/** `tmc deploy` against a management interface over a fake node: what it asks for, what it tells, how it ends. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ProgressLine } from "../../compiler/cli/progress-line.js";
import { signHeader, type UpdateKind } from "../../compiler/update/artifact.js";
import type { FakeNode } from "../support/fake-node.js";
import { err, folder, node, out, startCli, stopCli, tmc as run } from "./fake-node-cli.js";

const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });
const content = Buffer.from("some content of an update");
const digestAt = 20;

beforeEach(startCli);
afterEach(stopCli);

const tmc = (...args: string[]): Promise<number> => run("deploy", ...args);

function signed(kind: UpdateKind): string {
  const file = join(folder, `${kind}.tmcu`);
  const header = signHeader({ kind, name: "v", version: "2", counter: 1 }, content, owner.privateKey);
  writeFileSync(file, Buffer.concat([header, content]));
  return file;
}

/** The job of an operation, which ends so. */
function ends(operation: string, end: Parameters<FakeNode["job"]>[0]): void {
  node.answer(operation, () => {
    node.job({ id: end.id, operation, progress: 0.25, text: "100 of 400 bytes at pump-1" });
    // When it is followed, and that was told.
    void vi
      .waitUntil(() => err.includes("25 %"), { timeout: 60_000, interval: 5 })
      .then(() => node.job({ ...end, endedAt: new Date().toISOString() }));
    return { result: { job: end.id } };
  });
}
const step = (name: string, error?: string) => ({
  ...{ name, node: name, attempts: 1 },
  ...(error === undefined ? { state: "done" as const } : { state: "failed" as const, error }),
});
const done = { id: "job-1", state: "done" as const, progress: 1, steps: [step("pump-1")], result: {} };

describe("tmc deploy", () => {
  it.each([
    ["model", "model.deploy", { model: "v@2" }],
    ["function", "function.deploy", {}],
    ["firmware", "node.update", { version: "2" }],
  ] as const)("brings a signed %s to nodes by %s", async (kind, operation, own) => {
    ends(operation, done);
    const file = signed(kind);
    expect(await tmc(kind, file, "--node", "pump-1", "--node", "pump-2", "--label", "hall")).toBe(0);
    expect(node.orders[0]?.order).toMatchObject({
      operation,
      arguments: { ...own, nodes: ["pump-1", "pump-2"], labels: ["hall"], detach: true },
    });
    const { input, arguments: args } = node.orders[0]?.order ?? {};
    const blob = Buffer.from(node.blobs.get(String(input).slice("blob:".length)) ?? []);
    expect(blob.subarray(192).equals(content)).toBe(true);
    if (kind !== "model") {
      expect(args).toMatchObject({ digest: blob.toString("hex", digestAt, digestAt + 32) });
    }
    expect(out).toBe("pump-1: done\n");
    expect(err).toContain("25 % 100 of 400 bytes at pump-1\n");
  });

  it("takes models of the registry, and packages that the node signs", async () => {
    ends("model.deploy", done);
    expect(await tmc("model", "vibration@2", "--node", "pump-1")).toBe(0);
    expect(node.orders[0]?.order).toMatchObject({ arguments: { model: "vibration@2" } });
    expect(node.orders[0]?.order.input).toBeUndefined();
    const packaged = Buffer.alloc(96);
    packaged.write("TMCM", 0, "latin1");
    packaged.write("vibration", 64, "latin1");
    const file = join(folder, "v.tmcm");
    writeFileSync(file, packaged);
    // A job of its own: one that has ended is not followed.
    ends("model.deploy", { ...done, id: "job-2" });
    expect(await tmc("model", file, "--node", "pump-1", "--release", "3")).toBe(0);
    expect(node.orders[1]?.order).toMatchObject({ arguments: { model: "vibration@3" } });
    expect(await tmc("model", file, "--node", "pump-1")).toBe(3);
    expect(err).toContain("TMC5206");
  });

  it("tells why it failed, and what to do", async () => {
    const error = { code: "forbidden", text: "rollback" };
    ends("model.deploy", { id: "job-1", state: "failed", error, steps: [step("pump-1", "rollback")] });
    expect(await tmc("model", signed("model"), "--node", "pump-1")).toBe(1);
    expect(out).toBe("pump-1: failed, rollback\n");
    expect(err).toMatch(/error TMC5205: .*forbidden: rollback\nfix: .*counter/);
    ends("model.deploy", {
      ...done,
      id: "job-2",
      result: { deployed: ["pump-1"], failed: { "pump-2": "no \u001b[31mspace" } },
    });
    expect(await tmc("model", signed("model"), "--label", "hall")).toBe(1);
    expect(err).toMatch(/TMC5205: .*pump-2: no .*space/);
    expect(err).not.toContain("\u001b");
    expect(await tmc("model", signed("model"), "--label", "hall", "--json")).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ state: "done", result: { failed: {} } });
    node.answer("model.deploy", () => ({ error: { code: "busy", text: "draining" } }));
    expect(await tmc("model", signed("model"), "--label", "hall")).toBe(1);
    expect(err).toContain("TMC6412");
  });

  describe("on Ctrl-C", () => {
    const known = process.listeners("SIGINT");
    const added = () => process.listeners("SIGINT").filter((one) => !known.includes(one));
    /** The job runs until it is interrupted, when it is followed. */
    function interrupted(before: () => void = () => undefined): void {
      node.answer("model.deploy", () => {
        const steps = [step("pump-1"), { ...step("pump-2"), state: "running" as const }];
        node.job({ id: "job-1", operation: "model.deploy", progress: 0.25, text: "x", steps });
        void vi
          .waitUntil(() => err.includes("25 %") && added().length === 1, { timeout: 60_000, interval: 5 })
          .then(() => {
            before();
            added()[0]?.("SIGINT");
          });
        return { result: { job: "job-1" } };
      });
    }

    it("ends its job, and says what is left", async () => {
      interrupted();
      expect(await tmc("model", signed("model"), "--label", "hall")).toBe(1);
      expect(out).toBe("pump-1: done\npump-2: stopped\n");
      expect(err).toContain("cancelling job job-1; Ctrl-C again");
      expect(err).toMatch(
        /TMC5205: .*: cancelled; 1 of 2 devices have it\nfix: .*same command goes on there/,
      );
      expect(added()).toEqual([]);
    });

    it("tells when the node does not end it", async () => {
      interrupted(() => (node.parts.jobs.cancel = () => Promise.resolve(undefined)));
      expect(await tmc("model", signed("model"), "--label", "hall")).toBe(1);
      expect(err).toContain("cancelling job job-1");
      expect(err).toContain("TMC6412");
      expect(added()).toEqual([]);
    });
  });

  it("leaves the job alone", async () => {
    node.answer("node.update", () => ({ result: { job: node.job({ id: "job-1" }).id } }));
    const file = signed("firmware");
    expect(await tmc("firmware", file, "--node", "pump-1", "--detach")).toBe(0);
    expect(out).toBe("job-1\n");
    expect(await tmc("firmware", file, "--node", "pump-1", "--detach", "--json")).toBe(0);
    expect(JSON.parse(out)).toEqual({ job: "job-1" });
  });

  it.each([
    ["no node", () => ["model", signed("model")], "TMC5206", "where to"],
    ["another kind", () => ["firmware", signed("model"), "--node", "n"], "TMC5206", "signed as model"],
    [
      "what is not signed",
      () => ["firmware", join(folder, "node.yaml"), "--node", "n"],
      "TMC5204",
      "tmc sign",
    ],
    ["no model", () => ["model", join(folder, "node.yaml"), "--node", "n"], "TMC5206", "tmc model package"],
    ["no file", () => ["function", "missing.tmcu", "--node", "n"], "TMC0010", "missing.tmcu"],
    ["a misspelt file", () => ["model", "missing.tmcu", "--node", "n"], "TMC0010", "missing.tmcu"],
    ["nothing", () => ["model"], "TMC0003", "file"],
  ])("refuses %s before anybody is asked", async (_, args, code, text) => {
    const exit = await tmc(...args());
    expect([1, 3]).toContain(exit);
    expect(err).toContain(code);
    expect(err).toContain(text);
    expect(node.orders).toEqual([]);
  });
});

describe("a line of progress", () => {
  const written = (isTTY: boolean): { text: string; line: ProgressLine } => {
    const made = { text: "", line: new ProgressLine() };
    const write = (text: string): boolean => ((made.text += text), true);
    made.line = new ProgressLine({ isTTY, columns: 60, write });
    return made;
  };

  it("is a bar on a terminal, no wider than it", () => {
    const made = written(true);
    made.line.show(0.5, "a".repeat(100));
    made.line.show(2, "b");
    made.line.end();
    made.line.end();
    expect(made.text.split("\r").slice(1)).toEqual([
      `[############............]  50 %  ${"a".repeat(25)}\u001b[K`,
      "[########################] 100 %  b\u001b[K\n",
    ]);
  });

  it("is a line for every tenth elsewhere, and for other news", () => {
    const made = written(false);
    for (let i = 0; i <= 25; i++) made.line.show(i / 100, `${i} of 100 bytes`);
    made.line.show(0.25, "waits");
    made.line.end();
    expect(made.text).toBe("0 % 0 of 100 bytes\n10 % 10 of 100 bytes\n20 % 20 of 100 bytes\n25 % waits\n");
  });
});
