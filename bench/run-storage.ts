/**
 * `npm run bench:storage`: durable records and blobs a second, of the storages of the complete node, beside plain files
 * with fsync on the same disk. Redis runs with `appendfsync always` when redis-server is installed; S3 is measured when
 * TMC_S3_ENDPOINT names a service. Options: `--dir FOLDER` (on the disk to measure), `--seconds N`, `--json`.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packagePath } from "../compiler/board/package-root.js";
import { openLocalStorage } from "../host/node/storage/local-storage.js";
import { openRedisStorage } from "../host/node/storage/redis-storage.js";
import { openS3Blobs } from "../host/node/storage/s3-blobs.js";
import type { BlobStore, RecordStore } from "../host/node/storage/storage.js";
import { findRedis, RedisServer } from "../test/support/redis-server.js";
import { startS3 } from "../test/support/s3-server.js";

const { values } = parseArgs({
  options: {
    dir: { type: "string" },
    seconds: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const forMs = Number(values.seconds) * 1000;
const recordBytes = 256;
const blobSizes = [64 * 1024, 4 * 1024 * 1024];

interface Figure {
  readonly storage: string;
  readonly what: string;
  readonly perS: number;
  /** Of one operation. */
  readonly p50Us: number;
  readonly bytesPerS: number;
}
const figures: Figure[] = [];

/** Does `work` again and again, `together` at once, and notes how fast that was. */
async function measure(
  storage: string,
  what: string,
  bytes: number,
  together: number,
  work: (n: number) => Promise<unknown>,
): Promise<void> {
  const times: number[] = [];
  let n = 0;
  const begin = performance.now();
  const worker = async (): Promise<void> => {
    while (performance.now() - begin < forMs) {
      const start = performance.now();
      await work(n++);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: together }, worker));
  const perS = times.length / ((performance.now() - begin) / 1000);
  times.sort((a, b) => a - b);
  const p50Us = (times[times.length >> 1] ?? 0) * 1000;
  figures.push({ storage, what, perS, p50Us, bytesPerS: perS * bytes });
}

async function measureRecords(name: string, records: RecordStore): Promise<void> {
  const value = randomBytes(recordBytes);
  const write = (n: number): Promise<boolean> =>
    records.write([{ collection: "bench", key: `key-${String(n).padStart(9, "0")}`, value }]);
  await measure(name, "record written, one at a time", recordBytes, 1, write);
  await measure(name, "record written, 64 at once", recordBytes, 64, write);
  await measure(name, "record read", recordBytes, 1, () => records.get("bench", "key-000000000"));
  await measure(name, "page of 100 records", 100 * recordBytes, 1, () =>
    records.list("bench", { limit: 100 }),
  );
}

async function measureBlobs(name: string, blobs: BlobStore): Promise<void> {
  for (const size of blobSizes) {
    const bytes = randomBytes(size);
    const kept: string[] = [];
    const label = `blob of ${size / 1024} KiB`;
    await measure(name, `${label} kept, 4 at once`, size, 4, async (n) => {
      const own = Buffer.from(bytes);
      own.writeUInt32LE(n);
      kept.push((await blobs.put(own)).digest);
    });
    await measure(name, `${label} read and verified`, size, 1, () => blobs.get(kept[0] ?? ""));
    for (const digest of kept) await blobs.delete(digest);
  }
}

/** A new file for each: written, synced, renamed, its folder synced. */
async function measureFiles(folder: string): Promise<void> {
  const directory = await open(folder, "r");
  const write = async (bytes: Buffer, n: number): Promise<void> => {
    const path = join(folder, String(n));
    const file = await open(`${path}.tmp`, "w");
    await file.write(bytes);
    await file.sync();
    await file.close();
    await rename(`${path}.tmp`, path);
    await directory.sync();
  };
  const record = randomBytes(recordBytes);
  await measure("plain files", "record written, one at a time", recordBytes, 1, (n) => write(record, n));
  await measure("plain files", "record written, 64 at once", recordBytes, 64, (n) => write(record, n));
  for (const size of blobSizes) {
    const bytes = randomBytes(size);
    const what = `blob of ${size / 1024} KiB kept, 4 at once`;
    await measure("plain files", what, size, 4, (n) => write(bytes, n % 50));
  }
  await directory.close();
}

const parent = values.dir ?? packagePath("build");
mkdirSync(parent, { recursive: true });
const folder = mkdtempSync(join(parent, "bench-storage-"));
try {
  mkdirSync(join(folder, "plain"));
  await measureFiles(join(folder, "plain"));
  const local = await openLocalStorage(join(folder, "local"));
  await measureRecords("local", local.records);
  await measureBlobs("local", local.blobs);
  await local.close();
  if (findRedis() !== undefined) {
    const server = await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"], folder);
    const redis = await openRedisStorage({ url: server.url, prefix: "bench:" });
    await measureRecords("redis", redis.records);
    await measureBlobs("redis", redis.blobs);
    await redis.close();
    await server.stop();
  }
  if (process.env["TMC_S3_ENDPOINT"] !== undefined) {
    const service = await startS3();
    const s3 = await openS3Blobs(service.options);
    await measureBlobs("s3", s3.store);
    s3.close();
    await service.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

if (values.json) {
  process.stdout.write(`${JSON.stringify({ figures })}\n`);
} else {
  for (const { storage, what, perS, p50Us, bytesPerS } of figures) {
    const rate = perS >= 100 ? perS.toFixed(0) : perS.toFixed(1);
    const columns = [storage.padEnd(12), what.padEnd(36), `${rate}/s`.padStart(10)];
    process.stdout.write(
      `${columns.join(" ")} ${(bytesPerS / 1e6).toFixed(1).padStart(8)} MB/s  p50 ${p50Us.toFixed(0)} µs\n`,
    );
  }
}
