/**
 * A function that the firmware does not have, on a node on Zephyr: pulled over the bus into a slot, called there with the
 * bytes of Node.js, told in the birth record, there again after a restart, replaced and removed; what hangs ends in the
 * watchdog's reset, on trial and in a call. On native_sim, which is no Cortex-M, it is refused.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath, packageRoot } from "../../compiler/board/package-root.js";
import type { ZephyrImage } from "../../compiler/board/zephyr/build.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { buildImage as buildFunctionImage, type ImageBuild } from "../../compiler/function/build-image.js";
import {
  decodeAnswer,
  decodeCbor,
  encodeRequest,
  errorAt,
  type DecodedAnswer,
  type RequestFields,
} from "../support/firmware-node.js";
import { artifact, owner, ownerPoint, piecesFor, readWish, referenceTo } from "../support/model-artifact.js";
import { openBroker, type OpenBroker } from "../support/open-broker.js";
import { callTmc } from "../support/tmc.js";
import { consoleOf, hostSeenFrom } from "./support/provision-node.js";
import { buildImage, buildTimeout, imageFolder, notRunnable } from "./support/zephyr-node.js";

const map = (...pairs: [number, unknown][]): Map<number, unknown> => new Map(pairs);

async function functionImage(program: string): Promise<ImageBuild> {
  const { build } = await buildFunctionImage({
    file: packagePath("test", "functions", "programs", program),
    root: packageRoot(),
    checked: false,
    board: findBoard("mps2_an386"),
    golden: Uint8Array.of(1, 0, 7, 0),
    cacheDir: packagePath("build", "equality-cache"),
  });
  if (build === undefined) throw new Error(`${program} does not compile`);
  return build;
}

describe.skipIf(notRunnable !== "")(`functions in slots on Zephyr${notRunnable}`, () => {
  let broker: OpenBroker;
  let node: ZephyrNode;
  let folder: string;
  /** Artifacts that are served, by what a wish names. */
  const served = new Map<string, Uint8Array>();
  let answers: DecodedAnswer[] = [];
  let births: Map<number, unknown>[] = [];
  /** Offsets of the wishes for what is served. */
  let wished: number[] = [];
  let watch: () => void = () => undefined;

  const until = (holds: () => boolean, what: string): Promise<void> =>
    new Promise((done, failed) => {
      const timer = setTimeout(
        () => failed(new Error([`${what} did not come`, ...node.lines].join("\n"))),
        120_000,
      );
      watch = () => {
        if (!holds()) return;
        clearTimeout(timer);
        watch = () => undefined;
        done();
      };
      watch();
    });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tmc-function-slot-"));
    answers = [];
    births = [];
    wished = [];
    broker = await openBroker({
      pass: (message) => {
        const payload = Buffer.from(message.payload);
        if (message.topic === "t1/edge/n1/y") answers.push(decodeAnswer(payload));
        if (message.topic === "t1/edge/n1/b") births.push(decodeCbor(payload) as Map<number, unknown>);
        if (message.topic === "t1/edge/n1/c") serve(payload);
        watch();
        return [message];
      },
    });
  });
  afterEach(async () => {
    await node.stop();
    await broker.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function serve(payload: Uint8Array): void {
    const wish = readWish(payload);
    const file = wish === undefined ? undefined : served.get(Buffer.from(wish.digest).toString("hex"));
    if (wish === undefined || file === undefined) return;
    wished.push(wish.offset);
    for (const piece of piecesFor(file, wish)) broker.publish({ topic: "t1/edge/n1/c", payload: piece });
  }

  async function start(board: string, image: ZephyrImage, handlerMaxMs?: number): Promise<void> {
    const host = hostSeenFrom(findBoard(board));
    const known = births.length;
    node = await runZephyr({
      board: findBoard(board),
      executable: image.executable,
      id: "n1",
      server: `mqtt://${host === "localhost" ? "127.0.0.1" : host}:${new URL(broker.url).port}`,
      stateDir: folder,
      ...(handlerMaxMs === undefined ? {} : { handlerMaxMs }),
    });
    await until(() => births.length > known, "a birth record");
  }

  const send = (fields: RequestFields): void =>
    broker.publish({ topic: "t1/edge/n1/x", payload: encodeRequest({ deadlineMs: 50_000, ...fields }) });

  async function ask(fields: RequestFields): Promise<DecodedAnswer> {
    answers = [];
    const done = (): DecodedAnswer | undefined => answers.find((a) => a.stage === 2);
    send(fields);
    await until(() => done() !== undefined, `an answer to ${fields.operation ?? ""}`);
    return done() as DecodedAnswer;
  }

  /** A request to take it, whose input is served from now on. */
  function offer(content: Uint8Array, version: string, counter: number): RequestFields {
    const file = artifact(content, { kind: "function", name: "talking", version, counter }, owner.privateKey);
    const reference = referenceTo(file);
    served.set(reference.slice("chunk:".length), file);
    return { operation: "function.deploy", input: reference };
  }
  const deploy = (content: Uint8Array, version: string, counter: number): Promise<DecodedAnswer> =>
    ask(offer(content, version, counter));

  const call = (name: string, ...values: number[]): RequestFields => ({
    operation: "function.invoke",
    selector: map([0, name]),
    input: new Uint8Array(Int16Array.from(values).buffer),
    descriptor: map([0, 2], [1, [values.length]]),
  });
  const invoke = (...values: number[]): Promise<DecodedAnswer> => ask(call("talking", ...values));

  /** Name, version and kind of the functions of the last birth record. */
  const told = (): unknown[] =>
    ((births.at(-1)?.get(11) ?? []) as Map<number, unknown>[]).map((f) => [f.get(0), f.get(1), f.get(4)]);
  const builtIn = ["vibration-rms", "1.0.0", 0];

  async function nodeImage(board: string): Promise<ZephyrImage> {
    const out = imageFolder(`function-gen-${board}`);
    const source = packagePath("examples", "functions", "slot-node.ts");
    const built = await callTmc(["build", source, "--board", board, "--emit", "c", "--out", out]);
    expect(built.exitCode).toBe(0);
    return buildImage(board, "function-slot", join(out, "gen"));
  }

  const giveKey = async (): Promise<void> => {
    const { serial, device } = consoleOf(node);
    await serial.connect();
    await device.put("update-key", Buffer.from(ownerPoint));
  };

  describe("mps2_an386", () => {
    let image: ZephyrImage;
    beforeAll(async () => {
      image = await nodeImage("mps2_an386");
    }, buildTimeout);

    it("is pulled, called, kept, given back, removed", { timeout: 300_000 }, async () => {
      const build = await functionImage("talking.ts");
      await start("mps2_an386", image);
      expect(told()).toEqual([builtIn]);
      expect(errorAt(await deploy(build.bytes, "1.2.3", 1))).toBe("forbidden");
      await giveKey();
      const first = await deploy(build.bytes, "1.2.3", 1);
      expect(first.error).toBeUndefined();
      expect(first.result?.get(0)).toBe("talking@1.2.3");
      await until(() => told().length === 2, "a birth record with the function");
      expect(told()).toEqual([builtIn, ["talking", "1.2.3", 2]]);

      for (const values of [
        [2, 5, -7],
        [0, 1],
      ]) {
        const answer = await invoke(...values);
        expect(answer.error).toBeUndefined();
        const input = new Uint8Array(Int16Array.from(values).buffer);
        // Its counter of calls too: every call begins anew, so Node.js gives it by a first call.
        expect([...(answer.output ?? [])].slice(0, 2)).toEqual([...build.call(input)].slice(0, 2));
        expect([...(answer.output ?? [])].slice(2)).toEqual([1, 0]);
      }
      const trapped = await invoke(-1);
      expect(errorAt(trapped)).toBe("function-failed");
      expect(trapped.error?.get(1)).toBe("negative");
      expect(trapped.error?.get(4)).toBe(6);
      expect(build.sites[Number(trapped.error?.get(5)) - 1]).toContain("talking.ts:9:");

      await node.stop();
      await start("mps2_an386", image);
      expect(told()).toEqual([builtIn, ["talking", "1.2.3", 2]]);
      expect((await invoke(2, 9)).output?.[0]).toBe(9);

      // Another output than it gives: the node keeps what it has.
      const damaged = build.bytes.slice();
      damaged[damaged.lastIndexOf(7)] = 8;
      expect(errorAt(await deploy(damaged, "1.2.4", 2))).toBe("corrupt");
      expect((await invoke(2, 9)).output?.[0]).toBe(9);

      const removed = await ask({ operation: "function.remove", arguments: map([0, "talking"]) });
      expect(removed.result?.get(0)).toBe("talking@1.2.3");
      expect(errorAt(await invoke(2, 9))).toBe("not-found selector");
      await until(() => told().length === 1, "a birth record without the function");
    });
  });

  describe("mps2_an386, a function that hangs", () => {
    let image: ZephyrImage;
    beforeAll(async () => {
      image = await nodeImage("mps2_an386");
    }, buildTimeout);
    const boot = (): number => Number(births.at(-1)?.get(2));
    /** Of `node.monitor`: reset reason, and of the last crash kind, boot and work. */
    const life = async (): Promise<unknown[]> => {
      const { result } = await ask({ operation: "node.monitor" });
      const crash = result?.get(9) as Map<number, unknown> | undefined;
      return [result?.get(2), crash?.get(0), crash?.get(2), crash?.get(3)];
    };

    it("in a call resets the node once, which then goes on with it", { timeout: 300_000 }, async () => {
      const build = await functionImage("hanging.ts");
      await start("mps2_an386", image, 2000);
      await giveKey();
      expect((await deploy(build.bytes, "1.0.0", 1)).error).toBeUndefined();
      expect((await ask(call("hanging", 7))).output).toEqual(Uint8Array.of(7, 0));
      const before = boot();
      answers = [];
      send(call("hanging", 13));
      await until(() => boot() === before + 1, "a birth record after the reset");
      // It was acknowledged before it ran: who asked knows that it may have been executed.
      expect(answers.map((answer) => answer.stage)).toEqual([1]);
      expect(await life()).toEqual([4, 16, before, "function.invoke"]);
      expect(told()).toEqual([builtIn, ["hanging", "1.0.0", 2]]);
      expect((await ask(call("hanging", 8))).output).toEqual(Uint8Array.of(8, 0));
      expect(boot()).toBe(before + 1);
    });

    it("in its self-test gives way to the one before, and is told", { timeout: 300_000 }, async () => {
      const talking = await functionImage("talking.ts");
      await start("mps2_an386", image, 2000);
      await giveKey();
      expect((await deploy(talking.bytes, "1.2.3", 1)).error).toBeUndefined();
      await until(() => told().length === 2, "a birth record with the function");
      // Its own input is the one for which it never returns.
      const hanging = (await functionImage("hanging.ts")).bytes.slice();
      const golden = new DataView(hanging.buffer).getUint32(80, true);
      expect([...hanging.subarray(golden, golden + 4)]).toEqual([1, 0, 7, 0]);
      hanging[golden] = 13;
      const before = boot();
      const request = { ...offer(hanging, "2.0.0", 2), id: 77 };
      send(request);
      // Three starts on trial, of which the first needs none; the fourth is that of the one before.
      await until(() => boot() > before, "a birth record after the resets");
      expect(boot()).toBe(before + 3);
      expect(told()).toEqual([builtIn, ["talking", "1.2.3", 2]]);
      expect(await life()).toEqual([4, 16, before + 2, "start"]);
      expect((await invoke(2, 9)).output?.[0]).toBe(9);
      wished = [];
      const answer = await ask(request);
      expect([errorAt(answer), answer.error?.get(1)]).toEqual(["corrupt", "it was tried and did not stay"]);
      expect(wished).toEqual([0]);
      expect((await ask(request)).error).toEqual(answer.error);
      expect((await invoke(2, 9)).output?.[0]).toBe(9);
      expect(boot()).toBe(before + 3);
    });
  });

  describe("native_sim", () => {
    let image: ZephyrImage;
    beforeAll(async () => {
      image = await nodeImage("native_sim");
    }, buildTimeout);

    it("refuses it: it is no Cortex-M", { timeout: 300_000 }, async () => {
      const build = await functionImage("talking.ts");
      await start("native_sim", image);
      await giveKey();
      expect(errorAt(await deploy(build.bytes, "1.2.3", 1))).toBe("descriptor-mismatch input.machine");
      expect(told()).toEqual([builtIn]);
    });
  });
});
