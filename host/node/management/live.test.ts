/** Live events: told in order, read on from where a client was, bounded in rate, in memory and in listeners. */
import { request, type IncomingMessage } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { startFakeNode, type FakeNode } from "../../../test/support/fake-node.js";

let node: FakeNode;
const clients: Listener[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await node.close();
});

interface Told {
  readonly id: string;
  readonly kind: string;
  readonly data: Record<string, unknown>;
}

interface Listener {
  readonly status: number;
  readonly told: Told[];
  readonly stream: IncomingMessage;
  close(): void;
}

function listen(lastId?: string, kinds = ""): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const told: Told[] = [];
    let text = "";
    const headers = {
      authorization: `Bearer ${node.token}`,
      ...(lastId === undefined ? {} : { "last-event-id": lastId }),
    };
    const asked = request(`${node.management.url}/api/v1/events${kinds}`, { headers }, (stream) => {
      stream.on("data", (piece: Buffer) => {
        const blocks = `${text}${piece.toString()}`.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          const id = /^id: (.*)$/m.exec(block)?.[1];
          if (id === undefined) continue;
          told.push({
            id,
            kind: /^event: (.*)$/m.exec(block)![1]!,
            data: JSON.parse(/^data: (.*)$/m.exec(block)![1]!) as Record<string, unknown>,
          });
        }
      });
      stream.on("error", () => undefined);
      const listener = { status: stream.statusCode!, told, stream, close: () => asked.destroy() };
      clients.push(listener);
      resolve(listener);
    });
    asked.on("error", reject);
    asked.end();
  });
}

const kindsOf = (listener: Listener): string[] => listener.told.map((event) => event.kind);

describe("live events", () => {
  it("are told in order, chosen by kind", async () => {
    node = await startFakeNode();
    const all = await listen();
    const jobs = await listen(undefined, "?kinds=job");
    node.join("pump-1");
    node.request();
    node.job({ id: "j-1" });
    await expect
      .poll(() => kindsOf(all).filter((kind) => kind !== "load"))
      .toEqual(["node", "request", "job"]);
    expect(all.told.find(({ kind }) => kind === "node")?.data).toMatchObject({
      node: "pump-1",
      online: true,
    });
    expect(kindsOf(jobs)).toEqual(["job"]);
  });

  it("go on where a client was; who missed more is told so", async () => {
    node = await startFakeNode();
    const first = await listen(undefined, "?kinds=node");
    node.join("pump-1");
    await expect.poll(() => first.told.length).toBe(1);
    first.close();
    node.join("pump-2");
    const again = await listen(first.told[0]!.id, "?kinds=node");
    await expect.poll(() => again.told.map(({ data }) => data["node"])).toEqual(["pump-2"]);
    for (const odd of ["other-1", "x", `${first.told[0]!.id.split("-")[0]!}-999`, "<script>"]) {
      const stranger = await listen(odd, "?kinds=node");
      await expect.poll(() => kindsOf(stranger), { message: odd }).toEqual(["resync"]);
    }
    for (let i = 0; i < 600; i++) node.join(`n-${i}`);
    const late = await listen(first.told[0]!.id, "?kinds=node");
    await expect.poll(() => kindsOf(late)).toEqual(["resync"]);
  });

  it("are sampled: many requests and lines make few events, the last change of a job is always told", async () => {
    node = await startFakeNode();
    const all = await listen();
    for (let i = 0; i < 500; i++) {
      node.request();
      node.log.log.info(`line ${i}`);
      node.job({ id: "j-1", progress: i / 500 });
    }
    node.job({ id: "j-1", state: "done", progress: 1, endedAt: "now" });
    await expect
      .poll(() => all.told.findLast(({ kind }) => kind === "job")?.data["state"], { timeout: 3000 })
      .toBe("done");
    const count = (wanted: string): number => kindsOf(all).filter((kind) => kind === wanted).length;
    expect(count("request")).toBeLessThanOrEqual(40);
    expect(count("log")).toBeLessThanOrEqual(100);
    expect(count("job")).toBeLessThanOrEqual(5);
  });

  it("do not pile up for a client that does not read", async () => {
    node = await startFakeNode();
    const slow = await listen(undefined, "?kinds=node");
    slow.stream.pause();
    const big = "x".repeat(60);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 20_000; i++) node.join("pump-1", { labels: Array.from({ length: 16 }, () => big) });
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6);
    slow.stream.resume();
    node.join("pump-2");
    await expect
      .poll(
        () => {
          node.join("pump-3");
          return kindsOf(slow);
        },
        { timeout: 5000 },
      )
      .toContain("resync");
  });

  it("are for 32 listeners at most; one that leaves makes room", async () => {
    node = await startFakeNode();
    const all = await Promise.all(Array.from({ length: 32 }, () => listen()));
    expect((await listen()).status).toBe(429);
    all[0]!.close();
    await expect.poll(async () => (await listen()).status).toBe(200);
  });
});
