/**
 * Local Storage in Redis, for nodes that share their state. How durable an acknowledged write is, is decided by the
 * settings of that Redis (docs/storage.md); the description of the storage says which they are.
 */
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import { RedisBlobs } from "./redis-blobs.js";
import { RedisConnection, type RedisOptions } from "./redis-connection.js";
import { RedisRecords } from "./redis-records.js";
import type { ForeignBlobs, Storage } from "./storage.js";
import { StorageError } from "./storage.js";

export interface RedisStorageOptions extends RedisOptions {
  /** Before the names of all keys. */
  readonly prefix: string;
}

const format = "1";

/**
 * `blobs`: where blobs go instead of Redis.
 * @throws UserError TMC6203 written by another version, TMC6204 Redis cannot be reached, TMC6207 it is a cache
 */
export async function openRedisStorage(options: RedisStorageOptions, blobs?: ForeignBlobs): Promise<Storage> {
  const connection = new RedisConnection(options);
  try {
    await connection.open();
    const found = await connection.command("SET", `${options.prefix}format`, format, "NX", "GET");
    if (found !== null && String(found) !== format) throw otherVersion(options.prefix, String(found));
    await refuseEviction(connection);
    const durability = await durabilityOf(connection);
    const where = `Redis at ${connection.place} (${durability})`;
    return {
      records: new RedisRecords(connection, options.prefix),
      blobs: blobs?.store ?? new RedisBlobs(connection, options.prefix),
      description: blobs === undefined ? where : `${where}, blobs in ${blobs.description}`,
      async close() {
        await connection.close();
        blobs?.close();
      },
    };
  } catch (error) {
    await connection.close();
    if (!(error instanceof StorageError)) throw error;
    throw new UserError(
      "TMC6204",
      `the storage cannot be opened: ${error.message}`,
      "start Redis 7, and check storage.url in node.yaml (host, port, user, password, TLS)",
      ExitCode.failed,
    );
  }
}

/** Undefined where administrators hide the settings. */
async function settingOf(connection: RedisConnection, name: string): Promise<string | undefined> {
  const reply = await connection.command("CONFIG", "GET", name).catch(() => undefined);
  const parts = Array.isArray(reply) ? reply : [];
  return parts.length === 2 ? String(parts[1]) : undefined;
}

/** A cache, which throws away what was acknowledged, is no storage. */
async function refuseEviction(connection: RedisConnection): Promise<void> {
  const policy = await settingOf(connection, "maxmemory-policy");
  if (policy?.startsWith("allkeys-") !== true) return;
  throw new UserError(
    "TMC6207",
    `Redis at ${connection.place} throws data away when its memory is full: maxmemory-policy ${policy}`,
    "use a Redis of its own for the storage, with maxmemory-policy noeviction",
    ExitCode.failed,
  );
}

/** What survives a crash of Redis, for people. */
async function durabilityOf(connection: RedisConnection): Promise<string> {
  const appendOnly = await settingOf(connection, "appendonly");
  if (appendOnly === undefined) return "its durability is unknown: CONFIG GET is forbidden";
  if (appendOnly !== "yes") return "not durable: appendonly is off";
  switch (await settingOf(connection, "appendfsync")) {
    case "always":
      return "durable: appendfsync always";
    case "everysec":
      return "a power cut loses up to 2 s: appendfsync everysec";
    default:
      return "a power cut loses some seconds: appendfsync no";
  }
}

function otherVersion(prefix: string, found: string): UserError {
  return new UserError(
    "TMC6203",
    `the keys ${prefix}* were written by another version of tmc (format ${found})`,
    "start the version of tmc that wrote them, or give another storage.prefix in node.yaml",
    ExitCode.failed,
  );
}
