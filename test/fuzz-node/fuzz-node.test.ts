/**
 * The compiled node under libFuzzer, in a small dose (`npm run fuzz:node` runs long ones); and what is checked beside the
 * sanitizers can fail.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { hasLibFuzzer } from "../package/harness.js";
import { encodeCbor, encodeRequest } from "../support/firmware-node.js";
import { buildNodeFuzzer, sessionMax } from "./harness.js";
import { sessions, updateSessions } from "./seeds.js";

const fuzzer = hasLibFuzzer();
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-fuzz-node-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the watch of a fuzzed node", () => {
  let program = "";
  beforeAll(() => {
    const own = packagePath("test", "fuzz-node");
    const sources = ["replay/replay.c", "watch.c", "cbor.c"].map((file) => join(own, file));
    program = join(folder, "replay");
    const flags = ["-std=c11", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    const include = `-I${packagePath("runtime-c", "include")}`;
    execFileSync("gcc", [...flags, include, ...sources, "-lm", "-o", program], { stdio: "pipe" });
  });

  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  const request = (id: number): string => `a ${hex(encodeRequest({ id, sender: "edge" }))}`;
  const answer = (id: number, stage: 1 | 2, more: readonly [number, unknown][] = []): string => {
    const times: [number, unknown][] = [
      [10, 1],
      [11, 2],
    ];
    const envelope: [number, unknown][] = [
      [0, 1],
      [1, id],
      [2, 1],
      [3, "edge"],
      [4, stage],
      [5, "n1"],
    ];
    const map = new Map([...envelope, ...more, ...(stage === 2 ? times : [])]);
    return `p t1/edge/n1/y ${hex(encodeCbor(map))}`;
  };
  /** What it objects to; "" when to nothing. */
  const play = (...lines: string[]): string => {
    const { status, stderr } = spawnSync(program, { input: `${lines.join("\n")}\n`, encoding: "utf8" });
    const found = /^FINDING: (.*)$/m.exec(stderr)?.[1] ?? "";
    expect(status === 0).toBe(found === "");
    return found;
  };
  const error = (code: number): [number, unknown] => [6, new Map([[0, code]])];

  it("objects to nothing that the protocol allows", () => {
    expect(
      play(
        request(1),
        answer(1, 1),
        "q",
        answer(1, 2, [[7, new Map([[0, [0.5, Number.NaN, 1e300, -1, 65536, "grün"]]])]]),
        request(1),
        answer(1, 2, [error(7)]),
        request(2).slice(0, -2), // not whole: need not be answered
        `p t1/edge/n1/s ${hex(encodeCbor(new Map([[0, 1]])))}`,
        "e",
      ),
    ).toBe("");
  });
  it.each([
    ["more terminal answers than requests", [request(1), answer(1, 2), answer(1, 2)]],
    ["an answer to a request that was never sent", [request(1), answer(2, 2)]],
    ["a sound request was never answered", [request(1), "e"]],
    ["a sound request was never answered", [request(1), answer(1, 2).replace("p", "l"), "e"]],
    ["a request was accepted and never ended", [request(1), answer(1, 1), "e"]],
    [
      "more requests accepted and open than the node says it keeps",
      [...[1, 2, 3, 4, 5].flatMap((id) => [request(id), answer(id, 1)]), "q"],
    ],
    ["an answer whose keys do not belong together", [request(1), answer(1, 1, [[7, new Map()]])]],
    ["an answer whose keys do not belong together", [request(1), answer(1, 2, [error(7), [7, new Map()]])]],
    ["an answer with a key that answers do not have", [request(1), answer(1, 2, [[12, 0]])]],
    ["an operation of the image trapped or did not finish", [request(1), answer(1, 2, [error(14)])]],
    ["an error without a code of the protocol", [request(1), answer(1, 2, [error(17)])]],
    ["published on a foreign topic", [`p t1/edge/n2/s a0`]],
    ["published on a topic of others, or with wrong flags", [`p t1/edge/n1/x a0`]],
    ["a payload that is empty or above maxMsg", [`p t1/edge/n1/s ${hex(encodeCbor(new Uint8Array(1100)))}`]],
    ...[
      "8100",
      "a1",
      "a118010f",
      "a201000100",
      "a201000000",
      "bf00ff",
      "a100fa3f800000",
      "a1007f",
      "a10061ff",
    ].map((bytes): [string, string[]] => [
      "a payload that is no map in deterministic CBOR",
      [`p t1/edge/n1/e ${bytes}`],
    ]),
  ])("objects: %s", (objection, lines) => {
    expect(play(...lines)).toBe(objection);
  });
});

describe.skipIf(!fuzzer)(`the compiled node${fuzzer ? "" : " (skipped: no clang with libFuzzer)"}`, () => {
  it.each([
    ["default", sessions(), 5000],
    ["updates", updateSessions(), 2000],
  ] as const)("keeps the rules of the bus whatever it is sent: %s", async (which, seeds, runs) => {
    const own = join(folder, which);
    mkdirSync(own);
    const program = await buildNodeFuzzer(own, true, which);
    const corpus = join(own, "corpus");
    mkdirSync(corpus);
    seeds.forEach((bytes, i) => writeFileSync(join(corpus, `seed-${i}`), bytes));
    const args = [corpus, `-runs=${runs}`, "-seed=1", "-timeout=60", `-max_len=${sessionMax}`];
    const { status, stderr } = spawnSync(program, args, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    expect([status, status === 0 ? "" : stderr.slice(-4000)]).toEqual([0, ""]);
  });
});
