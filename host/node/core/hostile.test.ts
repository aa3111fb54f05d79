/** What strangers may send: other names, old lives, broken records, nonsense. Refused, counted, nothing executed. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pino } from "pino";
import { CoreWorld, settled, until, type TestServer } from "../../../test/support/core-world.js";
import type { MemoryNode } from "../../../test/support/memory-node.js";
import { encodeServerRequest } from "../../bus/request-codec.js";
import { encodeCbor } from "../../bus/protocol.js";
import { birthKeys } from "../../bus/protocol-keys.js";
import { toMap } from "../../bus/keyed-maps.js";
import { functionRemove } from "../../bus/operations/function.js";
import { nodeConfigure } from "../../bus/operations/node.js";

const infer = { operation: "model.infer" };

describe("hostile senders", () => {
  let world: CoreWorld;
  let edge: TestServer;
  let a: MemoryNode;
  let worker: MemoryNode;

  beforeEach(async () => {
    world = new CoreWorld();
    edge = await world.server("edge");
    worker = await world.node("edge", "w");
    a = await world.node("edge", "a", { operations: ["node.describe"] }, 3);
  });
  afterEach(async () => {
    await world.stop();
  });
  const codeAt = async (node: MemoryNode, id: number): Promise<unknown> => {
    await until(() => node.done(id).length > 0);
    return node.done(id)[0]?.error?.code;
  };
  const errorOf = (id: number): Promise<unknown> => codeAt(a, id);

  it("a request under another node's name is forbidden", async () => {
    expect(await errorOf(a.ask({ ...infer, sender: "w" }))).toBe(10);
    expect(edge.core.counts.spoofed).toBe(1);
    expect(worker.requests).toEqual([]);
  });

  it("what is refused is in the log, once: other names, paths in names, what is too large or no request", async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino(
      { base: null },
      { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    );
    edge = await world.server("logged", [], { log, messageBytes: 2048 });
    edge.core.offer({ definition: functionRemove, run: () => Promise.reject(new Error("must not run")) });
    const b = await world.node("logged", "b", { operations: ["node.describe"] }, 3);
    const answers: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      answers.push(await codeAt(b, b.ask({ ...infer, sender: "w" })));
      await b.send("q", new Uint8Array(4096));
      await b.send("q", Uint8Array.of(0xff, 1, 2));
    }
    const order = { operation: "function.remove", arguments: { function: "../../etc/passwd" } };
    const answer = await edge.core.submit(order, { sender: "operator" });
    expect([...answers, answer.error?.code]).toEqual([10, 10, 1]);
    await settled();
    const told = lines
      .filter(({ msg }) => msg === "a request was refused")
      .map((l) => [l["node"] ?? l["sender"], l["code"], l["operation"]].join(" "));
    expect(told).toEqual([
      "b forbidden model.infer",
      "b too-large ",
      "b bad-request ",
      "operator bad-request function.remove",
    ]);
  });

  it("nobody speaks as this server or as its operator", async () => {
    for (const id of ["edge", "operator"]) {
      await a.connection.publish(
        `t1/edge/q/${id}`,
        encodeServerRequest({ id: 1, boot: 1, sender: id, ...infer }),
      );
    }
    await settled();
    expect(edge.core.counts.spoofed).toBe(2);
    expect(worker.requests).toEqual([]);
  });

  it("a request of an earlier life is refused, a replayed one is answered from memory", async () => {
    expect(await errorOf(a.ask({ ...infer, id: 100, boot: 2 }))).toBe(10);
    expect(edge.core.counts.replayed).toBe(1);
    const id = a.ask(infer);
    await settled();
    a.ask({ ...infer, id });
    await settled();
    expect(worker.requests.length).toBe(1);
    expect(a.done(id).length).toBe(2);
  });

  it("a role or a rule that does not allow it is forbidden", async () => {
    const run = (): Promise<object> => Promise.reject(new Error("must not run"));
    edge.core.offer({ definition: nodeConfigure, run });
    expect(await errorOf(a.ask({ operation: "node.configure" }))).toBe(10);
    expect(edge.core.counts.forbidden).toBe(1);
    await world.stop();
    const access = [
      { callers: ["a*"], operations: ["model.*"], allow: false },
      { callers: ["*"], operations: ["node.configure"], allow: true },
    ];
    edge = await world.server("edge", [], { access });
    edge.core.offer({ definition: nodeConfigure, run: () => Promise.resolve({ result: { settings: {} } }) });
    worker = await world.node("edge", "w");
    a = await world.node("edge", "a", { operations: ["node.describe"] });
    expect(await errorOf(a.ask(infer))).toBe(10);
    expect(await errorOf(a.ask({ operation: "node.configure" }))).toBeUndefined();
  });

  it("an answer of a node that was not asked is dropped", async () => {
    worker.behaviour = () => {};
    const id = a.ask(infer);
    await settled();
    a.answer(worker.requests[0]!, { stage: 2 });
    worker.answer(worker.requests[0]!, { stage: 2, node: "a" });
    await settled();
    expect(edge.core.counts.foreignAnswers).toBe(2);
    expect(a.done(id)).toEqual([]);
    worker.answer(worker.requests[0]!, { stage: 2 });
    expect(await errorOf(id)).toBeUndefined();
  });

  it("records of others, broken ones and old wills change nothing", async () => {
    const birth = (node: string, boot: number): Uint8Array =>
      encodeCbor(
        toMap(birthKeys, {
          ...{ version: 1, node, boot, kind: 0, software: "x", softwareVersion: "", maxMsg: 1024, queue: 1 },
          operations: ["evil.thing"],
        }),
      );
    await a.send("b", birth("w", 99));
    await a.send("b", birth("a", 2));
    await a.send("b", encodeCbor(new Map([[1, "a"]])));
    await a.send("b", new Uint8Array(300_000));
    await a.send(
      "s",
      encodeCbor(
        new Map<number, unknown>([
          [0, 1],
          [1, "a"],
          [2, 2],
          [3, false],
        ]),
      ),
    );
    await a.send(
      "s",
      encodeCbor(
        new Map<number, unknown>([
          [0, 1],
          [1, "w"],
          [2, 9],
          [3, false],
        ]),
      ),
    );
    await a.send("e", new Uint8Array(3));
    await settled();
    expect(edge.core.counts.violations).toBe(7);
    expect(edge.core.nodes().map((n) => [n.node, n.online])).toEqual([
      ["w", true],
      ["a", true],
    ]);
    expect(edge.core.node("w")?.birth.operations).not.toContain("evil.thing");
  });

  it("a node that restarted with a lower counter may come back after its end", async () => {
    a.connection.die();
    await settled();
    expect(edge.core.node("a")?.online).toBe(false);
    a = await world.node("edge", "a", { operations: ["node.describe"] }, 1);
    expect(edge.core.node("a")).toMatchObject({ online: true, birth: { boot: 1 } });
    expect(await errorOf(a.ask(infer))).toBeUndefined();
  });

  it("a map key cannot reach a prototype", async () => {
    let seen: unknown;
    edge.core.offer({
      definition: { ...nodeConfigure, callers: ["node"] },
      run: (call) => {
        seen = call.arguments;
        return Promise.resolve({});
      },
    });
    const settings = new Map([["__proto__", new Map([["polluted", 1]])]]);
    const request = new Map<number, unknown>([
      [0, 1],
      [1, 9],
      [2, 5],
      [3, "edge2"],
      [4, "node.configure"],
      [6, new Map([[0, settings]])],
    ]);
    const link = edge.bus.connect();
    await world.server("edge2");
    await link.publish("t1/edge/q/edge2", encodeCbor(request));
    await settled();
    expect(seen).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(edge.core.counters().errors.get(1)).toBe(1);
  });

  it("bytes of any kind on any topic: no crash, and at most one terminal answer", async () => {
    const good = encodeServerRequest({
      id: 77,
      boot: 3,
      sender: "a",
      ...infer,
      deadlineMs: 50,
      selector: { labels: ["x"] },
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("q", "y", "b", "s", "e"),
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
            const bad = Uint8Array.from(good);
            bad[at] = byte;
            return bad;
          }),
        ),
        async (kind, payload) => {
          const before = a.answers.filter((x) => x.stage === 2).length;
          await a.send(kind, payload);
          for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
          expect(a.answers.filter((x) => x.stage === 2).length - before).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 300 },
    );
    expect(edge.core.counts.malformed).toBeGreaterThan(0);
  });
});
