/**
 * One server made of three workers, under load: a worker is killed, then a server of the broker's cluster. Every request
 * gets one terminal answer, and its node executes it once.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { ownerOf } from "../../host/node/scale-out/worker-group.js";
import { Child } from "../support/child.js";
import { findRedis, RedisServer } from "../support/redis-server.js";
import { runLoad } from "./load.js";
import { findNats, NatsCluster } from "./nats-cluster.js";

const noRedis = findRedis() === undefined ? " (skipped: Redis is not installed)" : "";
// Half a minute: NATS 2.9 needs up to ten seconds for a new leader.
const wanted = process.env["TMC_NATS"] === "1" ? noRedis : " (skipped: only with TMC_NATS=1)";
const noNats = findNats() === undefined ? " (skipped: nats-server is not installed)" : wanted;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-workers-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function startWorkers(urls: readonly string[], redis: string): Promise<Child[]> {
  const loader = import.meta.resolve("tsx");
  const file = packagePath("test", "scale-out", "worker.ts");
  const workers: Child[] = [];
  for (const [i, url] of urls.entries()) {
    const args = ["--import", loader, file, `w${i}`, url, redis, folder];
    workers.push(await Child.start(process.execPath, args, { name: `worker ${i}`, cwd: packagePath() }));
  }
  await Promise.all(workers.map((each, i) => each.waitForLine(`worker w${i} runs`, 60_000)));
  return workers;
}

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
  it("lose no request when one is killed", async () => {
    const aedes = await Aedes.createBroker();
    const server = createServer({ noDelay: true }, (socket) => aedes.handle(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const url = `mqtt://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    const redis = await RedisServer.start();
    const workers = await startWorkers([url, url, url], redis.url);
    try {
      const result = await runLoad({
        urls: [url],
        requests: 400,
        everyMs: 5,
        at: new Map([[120, () => workers[1]?.stop("SIGKILL")]]),
      });
      console.log(`scale-out on one broker: ${JSON.stringify(result)}`);
      // Nothing was sent again: the other workers took over what the dead one had.
      const whole = {
        sent: 400,
        answered: 400,
        failed: 0,
        different: 0,
        executed: 400,
        executedAgain: 0,
        resent: 0,
      };
      expect(result).toMatchObject(whole);
    } finally {
      await Promise.all(workers.map((each) => each.stop("SIGKILL")));
      await redis.stop();
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      server.close();
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
      workers = await startWorkers(lists, redis.url);
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
