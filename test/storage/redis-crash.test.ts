/**
 * kill -9 of a process that writes into Redis, and of Redis itself with `appendfsync always`: nothing acknowledged is
 * lost, nothing is there by half.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { openRedisStorage } from "../../host/node/storage/redis-storage.js";
import { findRedis, RedisServer } from "../support/redis-server.js";
import { bundle, crashRounds, judge, killedWriter, type Round } from "./crash.js";

describe.skipIf(findRedis() === undefined)("a storage in Redis (needs redis-server)", () => {
  let folder = "";
  let writer = "";
  let server: RedisServer;
  beforeAll(async () => {
    mkdirSync(packagePath("build"), { recursive: true });
    folder = mkdtempSync(packagePath("build", "crash-"));
    writer = await bundle("crash-writer.ts", folder);
    server = await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"]);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const check = async (round: Round): Promise<number> => {
    const storage = await openRedisStorage({ url: server.url, prefix: "t:" });
    const verdict = await judge(storage, round);
    await storage.close();
    expect(verdict.wrong, round.name).toEqual([]);
    return verdict.judged;
  };
  const config = () => ({ kind: "redis" as const, url: server.url, prefix: "t:", replicas: 0 });

  it("has all that was acknowledged when its client is killed", async () => {
    let judged = 0;
    for (let round = 0; round < crashRounds; round++) {
      const result = await killedWriter(writer, config(), `client-${round}`, 300);
      expect(result.errors).toEqual([]);
      judged += await check(result);
    }
    console.log(`${crashRounds} kills of the client, ${judged} acknowledged writes`);
    expect(judged).toBeGreaterThan(0);
  });

  it("has all that was acknowledged when Redis is killed, and goes on when it is back", async () => {
    let judged = 0;
    for (let round = 0; round < crashRounds; round++) {
      const result = await killedWriter(writer, config(), `server-${round}`, 300, async () => {
        await server.kill();
        await server.resume();
      });
      expect(result.errors.filter((line) => !line.startsWith("error unavailable "))).toEqual([]);
      judged += await check(result);
    }
    console.log(`${crashRounds} kills of Redis, ${judged} acknowledged writes`);
    expect(judged).toBeGreaterThan(0);
  });
});
