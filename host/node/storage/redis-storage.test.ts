import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesOf, describeStorage } from "../../../test/storage/storage-suite.js";
import { findRedis, RedisServer } from "../../../test/support/redis-server.js";
import { openRedisStorage } from "./redis-storage.js";

describe.skipIf(findRedis() === undefined)("Redis (needs redis-server)", () => {
  describeStorage("records and blobs in Redis", async () => {
    const server = await RedisServer.start(["--requirepass", "secret", "--appendonly", "yes"]);
    const options = { url: server.url, password: "secret", prefix: "t:" };
    let storage = await openRedisStorage(options);
    return {
      storage,
      async reopen() {
        await storage.close();
        storage = await openRedisStorage(options);
        return storage;
      },
      async remove() {
        await storage.close();
        await server.stop();
      },
      async damage(digest) {
        const client = createClient({ url: server.url, password: "secret" });
        await client.connect();
        await client.hSet(`t:blob:${digest}`, "0", "x".repeat(5000));
        client.destroy();
      },
    };
  });

  describe("a Redis with troubles", () => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await RedisServer.start([
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--repl-diskless-sync-delay",
        "0",
      ]);
    });
    afterAll(async () => {
      await server.stop();
    });
    const open = (prefix: string, deadlineMs = 2000) =>
      openRedisStorage({ url: server.url, prefix, deadlineMs });
    const value = bytesOf("v");

    it("says how durable it is", async () => {
      const storage = await open("a:");
      expect(storage.description).toBe(`Redis at 127.0.0.1:${server.port} (durable: appendfsync always)`);
      await storage.close();
      const plain = await RedisServer.start();
      const other = await openRedisStorage({ url: `${plain.url}/3`, prefix: "" });
      expect(other.description).toBe(`Redis at 127.0.0.1:${plain.port}/3 (not durable: appendonly is off)`);
      await other.close();
      await plain.stop();
    });

    it("keeps prefixes apart", async () => {
      const [one, two] = [await open("one:"), await open("two:")];
      await one.records.write([{ collection: "c", key: "k", value }]);
      await one.blobs.put(value);
      expect(await two.records.list("c")).toEqual([]);
      expect(await two.blobs.list()).toEqual([]);
      await one.close();
      await two.close();
    });

    it("is shared by nodes: one of them wins a condition", async () => {
      const nodes = await Promise.all([open("s:"), open("s:"), open("s:")]);
      const results = await Promise.all(
        nodes.flatMap((node) =>
          Array.from({ length: 10 }, () =>
            node.records.write([{ collection: "c", key: "k", value, expect: null }]),
          ),
        ),
      );
      expect(results.filter(Boolean)).toHaveLength(1);
      await Promise.all(nodes.map((node) => node.close()));
    });

    it("comes back after Redis was killed, with everything", async () => {
      const storage = await open("k:", 5000);
      await storage.records.write([{ collection: "c", key: "k", value }]);
      const { digest } = await storage.blobs.put(value);
      await server.kill();
      const waiting = storage.records.get("c", "k").catch((error: unknown) => error);
      await server.resume();
      await waiting;
      expect(await storage.records.get("c", "k")).toEqual(Buffer.from(value));
      expect(Buffer.from((await storage.blobs.get(digest))!)).toEqual(Buffer.from(value));
      await storage.close();
    });

    it("gives up at the deadline when Redis is stopped, and works again afterwards", async () => {
      const storage = await open("d:", 300);
      process.kill(server.pid, "SIGSTOP");
      const before = performance.now();
      await expect(storage.records.get("c", "k")).rejects.toMatchObject({ code: "unavailable" });
      expect(performance.now() - before).toBeLessThan(1500);
      process.kill(server.pid, "SIGCONT");
      for (let i = 0; ; i++) {
        if (await storage.records.write([{ collection: "c", key: "k", value }]).catch(() => false)) break;
        expect(i).toBeLessThan(20);
        await sleep(50);
      }
      await storage.close();
      await expect(storage.records.get("c", "k")).rejects.toMatchObject({ code: "unavailable" });
    });

    it("says no-space when Redis is full, writes no half batch, and still deletes", async () => {
      const storage = await open("f:");
      const big = new Uint8Array(100_000);
      await storage.records.write([{ collection: "c", key: "old", value: big }]);
      const admin = createClient({ url: server.url });
      await admin.connect();
      await admin.configSet("maxmemory", "1mb");
      const batch = [
        { collection: "c", key: "old", value: undefined },
        { collection: "c", key: "a", value: big },
        { collection: "c", key: "b", value: big },
      ];
      await expect(storage.records.write(batch)).rejects.toMatchObject({ code: "no-space" });
      expect((await storage.records.list("c")).map((entry) => entry.key)).toEqual(["old"]);
      await expect(storage.blobs.put(big)).rejects.toMatchObject({ code: "no-space" });
      expect(await storage.records.write([{ collection: "c", key: "old", value: undefined }])).toBe(true);
      await admin.configSet("maxmemory", "0");
      expect(await storage.records.write(batch)).toBe(true);
      expect((await admin.keys("f:incoming:*")).length).toBe(0);
      admin.destroy();
      await storage.close();
    });

    it("waits for replicas that are asked for", async () => {
      const options = { url: server.url, prefix: "r:", deadlineMs: 1000 };
      const alone = await openRedisStorage({ ...options, replicas: 1 });
      await expect(alone.records.write([{ collection: "c", key: "k", value }])).rejects.toMatchObject({
        code: "unavailable",
      });
      const replica = await RedisServer.start(["--replicaof", `127.0.0.1 ${server.port}`]);
      for (let i = 0; ; i++) {
        if (await alone.records.write([{ collection: "c", key: "k", value }]).catch(() => false)) break;
        expect(i).toBeLessThan(20);
      }
      await alone.close();
      await replica.stop();
    });

    it("refuses what another version wrote, a cache, and a Redis that is not there", async () => {
      const admin = createClient({ url: server.url });
      await admin.connect();
      await admin.set("v:format", "2");
      admin.destroy();
      await expect(open("v:")).rejects.toMatchObject({ code: "TMC6203" });
      const cache = await RedisServer.start(["--maxmemory-policy", "allkeys-lru"]);
      await expect(openRedisStorage({ url: cache.url, prefix: "" })).rejects.toMatchObject({
        code: "TMC6207",
      });
      await cache.stop();
      const nowhere = { url: "redis://user:hidden@127.0.0.1:1", prefix: "", deadlineMs: 200 };
      const failure: unknown = await openRedisStorage(nowhere).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "TMC6204" });
      expect(String(failure)).not.toContain("hidden");
      expect(String(failure)).toContain("127.0.0.1:1");
    });
  });
});
