/**
 * Blobs in Redis, for small ones: a hash of chunks by digest. A blob grows under a temporary name that expires by
 * itself, and is renamed when it is whole: nobody sees half of it, and a process that dies leaves nothing.
 */
import { createHash, randomUUID } from "node:crypto";
import { checkLimit, defaultPage, isDigest } from "./names.js";
import { script, type RedisConnection } from "./redis-connection.js";
import type { BlobInfo, BlobStore } from "./storage.js";
import { StorageError } from "./storage.js";

const chunkBytes = 256 * 1024;
/** Largest blob: beyond, an object storage is the right place. */
const mostBytes = 512 * 1024 * 1024;
const temporaryS = 600;

/** KEYS: the temporary hash. ARGV: number of the chunk, its bytes, seconds to live. */
const chunkScript = script(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
`);

/** KEYS: temporary hash, final hash, set of digests. ARGV: digest, bytes, chunks. */
const finishScript = script(`
if redis.call('HLEN', KEYS[1]) ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'bytes', ARGV[2])
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PERSIST', KEYS[2])
redis.call('ZADD', KEYS[3], 0, ARGV[1])
return 1
`);

/** KEYS: hash, set of digests. ARGV: digest. */
const deleteScript = script(`
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('UNLINK', KEYS[1])
`);

/** KEYS: set of digests. ARGV: from (as ZRANGE BYLEX), limit, what stands before a digest in a key. */
const listScript = script(`
local digests = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
local found = {}
for i = 1, #digests do
  found[2 * i - 1] = digests[i]
  found[2 * i] = redis.call('HGET', ARGV[3] .. digests[i], 'bytes')
end
return found
`);

export class RedisBlobs implements BlobStore {
  constructor(
    private readonly connection: RedisConnection,
    private readonly prefix: string,
  ) {}

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: { readonly digest?: string; readonly limit?: number } = {},
  ): Promise<BlobInfo> {
    const limit = Math.min(options.limit ?? Infinity, mostBytes);
    const temporary = `${this.prefix}incoming:${randomUUID()}`;
    const hash = createHash("sha256");
    let bytes = 0;
    let chunks = 0;
    try {
      for await (const chunk of inChunks(source)) {
        bytes += chunk.length;
        if (bytes > limit) throw new StorageError("too-large", `a blob of more than ${limit} bytes`);
        hash.update(chunk);
        await this.connection.run(chunkScript, [temporary], [String(chunks++), chunk, String(temporaryS)]);
      }
      const digest = hash.digest("hex");
      if (options.digest !== undefined && options.digest !== digest) {
        throw new StorageError("corrupt", `the bytes have the digest ${digest}, not the stated one`);
      }
      const keys = [temporary, this.key(digest), this.set];
      const finished = await this.connection.write(finishScript, keys, [
        digest,
        String(bytes),
        String(chunks),
      ]);
      if (finished !== 1) throw new StorageError("unavailable", "the blob expired before it was whole");
      return { digest, bytes };
    } catch (error) {
      // If that fails too, it expires.
      if (chunks > 0) await this.connection.command("UNLINK", temporary).catch(() => undefined);
      throw error;
    }
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    const pieces = await this.read(digest);
    if (pieces === undefined) return undefined;
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    const bytes = Buffer.concat(all);
    if (createHash("sha256").update(bytes).digest("hex") !== digest) {
      throw new StorageError("corrupt", `the bytes of blob ${digest} have changed in Redis`);
    }
    return bytes;
  }

  async read(digest: string, start = 0, end = Infinity): Promise<AsyncIterable<Uint8Array> | undefined> {
    const info = await this.stat(digest);
    return info && this.pieces(digest, Math.max(0, start), Math.min(end, info.bytes));
  }

  async stat(digest: string): Promise<BlobInfo | undefined> {
    if (!isDigest(digest)) return undefined;
    const bytes = await this.connection.command("HGET", this.key(digest), "bytes");
    return bytes instanceof Buffer ? { digest, bytes: Number(bytes.toString("latin1")) } : undefined;
  }

  async delete(digest: string): Promise<boolean> {
    if (!isDigest(digest)) return false;
    return (await this.connection.run(deleteScript, [this.key(digest), this.set], [digest])) === 1;
  }

  async list(after = "", limit = defaultPage): Promise<BlobInfo[]> {
    checkLimit(limit);
    if (limit === 0) return [];
    const args = [after === "" ? "-" : `(${after}`, String(limit), this.key("")];
    const reply = await this.connection.run(listScript, [this.set], args);
    const found: BlobInfo[] = [];
    if (!Array.isArray(reply)) throw new StorageError("corrupt", "Redis answered something else than a list");
    for (let i = 0; i < reply.length; i += 2) {
      const digest = String(reply[i]);
      const bytes = Number(String(reply[i + 1]));
      if (isDigest(digest) && Number.isInteger(bytes)) found.push({ digest, bytes });
    }
    return found;
  }

  private get set(): string {
    return `${this.prefix}digests`;
  }

  private key(digest: string): string {
    return `${this.prefix}blob:${digest}`;
  }

  private async *pieces(digest: string, start: number, end: number): AsyncIterable<Uint8Array> {
    for (let at = start; at < end;) {
      const index = Math.floor(at / chunkBytes);
      const chunk = await this.connection.command("HGET", this.key(digest), String(index));
      const piece =
        chunk instanceof Buffer
          ? chunk.subarray(at - index * chunkBytes, end - index * chunkBytes)
          : undefined;
      if (piece === undefined || piece.length === 0) {
        throw new StorageError("corrupt", `blob ${digest} ended at byte ${at}`);
      }
      yield piece;
      at += piece.length;
    }
  }
}

/** All bytes of a source in chunks of the same size; the last may be shorter. None when there are none. */
async function* inChunks(source: Uint8Array | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += chunkBytes) yield source.subarray(at, at + chunkBytes);
    return;
  }
  let chunk = Buffer.allocUnsafe(chunkBytes);
  let filled = 0;
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(piece.length - at, chunkBytes - filled);
      chunk.set(piece.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled === chunkBytes) {
        yield chunk;
        chunk = Buffer.allocUnsafe(chunkBytes);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
