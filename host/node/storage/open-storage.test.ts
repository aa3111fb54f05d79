import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findRedis, RedisServer } from "../../../test/support/redis-server.js";
import { startS3 } from "../../../test/support/s3-server.js";
import { nodeConfigSchema } from "../config.js";
import { openStorage } from "./open-storage.js";

const section = (storage: object) => nodeConfigSchema.parse({ storage }).storage;
const bytes = new Uint8Array([1, 2, 3]);

describe("the storage that node.yaml asks for", () => {
  it("is a folder unless something else is asked for", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-storage-"));
    const storage = await openStorage(nodeConfigSchema.parse({}).storage, folder);
    expect(storage.description).toBe(`LMDB and files in ${join(folder, "data")}`);
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  it("keeps blobs in S3 beside local records", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-storage-"));
    const service = await startS3();
    const { endpoint, bucket, prefix, accessKey, secretKey } = service.options;
    const s3 = { kind: "s3", endpoint, bucket, prefix, accessKeyFrom: "KEY", secretKeyFrom: "SECRET" };
    const config = section({ kind: "local", path: folder, blobs: s3 });
    await expect(openStorage(config, "/", { KEY: accessKey })).rejects.toMatchObject({ code: "TMC6206" });
    const storage = await openStorage(config, "/", { KEY: accessKey, SECRET: secretKey });
    const { digest } = await storage.blobs.put(bytes);
    expect(await storage.blobs.list()).toEqual([{ digest, bytes: 3 }]);
    expect(storage.description).toMatch(/^LMDB in .*, blobs in S3 bucket .* at /);
    await storage.blobs.delete(digest);
    await storage.close();
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  it.skipIf(findRedis() === undefined)("is Redis with its password from the environment", async () => {
    const server = await RedisServer.start(["--requirepass", "pw"]);
    const config = section({ kind: "redis", url: server.url, passwordFrom: "PW" });
    await expect(openStorage(config, "/", {})).rejects.toMatchObject({ code: "TMC6206" });
    const storage = await openStorage(config, "/", { PW: "pw" });
    await storage.records.write([{ collection: "c", key: "k", value: bytes }]);
    await storage.close();
    await server.stop();
  });
});
