/**
 * One server made of three workers, under load: a worker is killed, then a server of the broker's cluster. Every request
 * gets one terminal answer, and its node executes it once.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../../host/bus/protocol.js";
import { ownerOf } from "../../host/node/scale-out/worker-group.js";
import type { Child } from "../support/child.js";
import { findRedis, RedisServer } from "../support/redis-server.js";
import { startS3 } from "../support/s3-server.js";
import { Asker } from "./asker.js";
import { FaultyBroker } from "./faulty-broker.js";
import { runLoad } from "./load.js";
import { findNats, NatsCluster } from "./nats-cluster.js";
import { startWorkers } from "./workers.js";

const noRedis = findRedis() === undefined ? " (skipped: Redis is not installed)" : "";
// With its start, NATS 2.9's elections (4 to 9 s each) and the load it takes half a minute.
const wanted =
  process.env["TMC_NATS"] === "1"
    ? noRedis
    : " (skipped: half a minute of elections; run it with TMC_NATS=1)";
const noNats = findNats() === undefined ? " (skipped: nats-server is not installed)" : wanted;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-workers-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("rendezvous hashing", () => {
  it("spreads requests, and moves only those of the worker that goes", () => {
    const workers = ["w0", "w1", "w2"];
    const keys = Array.from({ length: 3000 }, (_, i) => `node/1/${i}`);
    const before = keys.map((key) => ownerOf(key, workers));
    for (const worker of workers) {
      const share = before.filter((owner) => owner === worker).length / keys.length;
      expect(share).toBeGreaterThan(0.28);
      expect(share).toBeLessThan(0.39);
    }
    const after = keys.map((key) => ownerOf(key, ["w0", "w2"]));
    expect(before.every((owner, i) => owner === "w1" || owner === after[i])).toBe(true);
    expect(ownerOf("x", [])).toBeUndefined();
  });
});

describe.skipIf(noRedis !== "")(`workers behind one broker${noRedis}`, () => {
  it("lose no request and nothing that was stored when one is killed, and when the broker loses messages", async () => {
    const broker = await FaultyBroker.start();
    const [redis, s3] = await Promise.all([RedisServer.start(), startS3()]);
    let workers: Child[] = [];
    // The second one lives on.
    const [first = "", second = ""] = broker.urls;
    const keeper = await Asker.connect(second, "edge", "keeper");
    try {
      workers = await startWorkers({
        urls: [`${first},${second}`, first, `${first},${second}`],
        redis: redis.url,
        folder,
        s3: s3.options,
      });
      // Blobs: of each worker some, all in one data set.
      const items = Array.from({ length: 12 }, (_, i) => new Uint8Array(20_000).fill(i));
      const store = (input: Uint8Array): Promise<Answer> =>
        keeper.ask({
          operation: "data.store",
          arguments: { name: "kept" },
          input,
          inputDescriptor: { elementType: 1, shape: [20_000] },
        });
      const stored = await Promise.all(items.map(store));
      expect(stored.map(({ error }) => error)).toEqual(items.map(() => undefined));
      const result = await runLoad({
        urls: broker.urls,
        requests: 400,
        everyMs: 5,
        againMs: 20_000,
        at: new Map([[120, () => workers[1]?.stop("SIGKILL")]]),
      });
      console.log(`scale-out on one broker: ${JSON.stringify(result)}`);
      // Nothing was sent again: the other workers took over what the dead one had.
      const whole = { sent: 400, answered: 400, failed: 0, different: 0, executed: 400, executedAgain: 0 };
      expect(result).toMatchObject({ ...whole, resent: 0 });
      const faulty = await runLoad({
        urls: broker.urls,
        requests: 400,
        everyMs: 5,
        againMs: 500,
        boot: 2,
        at: new Map([[120, () => broker.killFirst(30, 600)]]),
      });
      console.log(
        `scale-out when the broker loses messages: ${JSON.stringify({ ...faulty, lost: broker.lost })}`,
      );
      expect(faulty).toMatchObject(whole);
      expect(broker.lost).toBeGreaterThanOrEqual(30);
      const found = await Promise.all(
        items.map((_, offset) =>
          keeper.ask({ operation: "data.retrieve", arguments: { name: "kept", offset, limit: 1 } }),
        ),
      );
      const contents = found.map(({ output }) => (output instanceof Uint8Array ? output[0] : output));
      expect(contents.sort((x, y) => Number(x) - Number(y))).toEqual(items.map((_, i) => i));
    } finally {
      await keeper.close();
      await Promise.all(workers.map((each) => each.stop("SIGKILL")));
      await Promise.all([redis.stop(), s3.stop()]);
      await broker.stop();
    }
  });
});

describe.skipIf(noNats !== "")(`workers behind a cluster of NATS servers${noNats}`, () => {
  it("answer every request when a worker and then a server of the cluster are killed", async () => {
    const nats = await NatsCluster.start();
    const redis = await RedisServer.start();
    let workers: Child[] = [];
    try {
      const lists = nats.urls.map((_, i) => nats.urlsFrom(i).join());
      workers = await startWorkers({ urls: lists, redis: redis.url, folder });
      // The worst to lose.
      const leader = nats.messageLeader() ?? 0;
      const result = await runLoad({
        // The test's own clients are at the server that dies, too.
        urls: nats.urlsFrom(leader),
        requests: 400,
        everyMs: 20,
        at: new Map<number, () => unknown>([
          [100, () => workers[1]?.stop("SIGKILL")],
          [220, () => nats.kill(nats.messageLeader() ?? 0)],
        ]),
      });
      console.log(`scale-out on NATS: ${JSON.stringify(result)}`);
      const whole = { sent: 400, answered: 400, failed: 0, different: 0, executed: 400, executedAgain: 0 };
      expect(result).toMatchObject(whole);
    } finally {
      await Promise.all(workers.map((each) => each.stop("SIGKILL")));
      await redis.stop();
      await nats.stop();
    }
  });
});
