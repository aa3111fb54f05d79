/**
 * Records in Redis: a hash of values and a sorted set of their names (`collection NUL key`), changed together by a
 * script, so that a batch and its conditions are one step for every client.
 */
import { checkChanges, checkCollection, checkKey, checkList } from "./names.js";
import { script, type Argument, type RedisConnection } from "./redis-connection.js";
import type { ListOptions, RecordChange, RecordEntry, RecordStore } from "./storage.js";
import { StorageError } from "./storage.js";

/**
 * KEYS: hash, set. ARGV, four for each change: name, condition ("", "a" absent, "=" equal) and its value, "d" or "p"
 * with the new value. With Redis out of memory the first write of the script is refused and the others are not run;
 * a removal before it must not make room for half a batch, so writes of values are tried first where order allows.
 */
const writeScript = script(`
local hash, set = KEYS[1], KEYS[2]
for i = 1, #ARGV, 4 do
  local condition = ARGV[i + 1]
  if condition ~= '' then
    local now = redis.call('HGET', hash, ARGV[i])
    if condition == 'a' then
      if now then return 0 end
    elseif not now or now ~= ARGV[i + 2] then return 0 end
  end
end
for i = 1, #ARGV, 4 do
  local change = ARGV[i + 3]
  if string.sub(change, 1, 1) == 'p' then
    redis.call('HSET', hash, ARGV[i], string.sub(change, 2))
    redis.call('ZADD', set, 0, ARGV[i])
  else
    redis.call('HDEL', hash, ARGV[i])
    redis.call('ZREM', set, ARGV[i])
  end
end
return 1
`);

/** KEYS: hash, set. ARGV: from, to (as ZRANGE BYLEX), limit, "REV" or "". Names and values in turn. */
const listScript = script(`
local names
if ARGV[4] == 'REV' then
  names = redis.call('ZREVRANGEBYLEX', KEYS[2], ARGV[2], ARGV[1], 'LIMIT', 0, ARGV[3])
else
  names = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
end
local found = {}
for i = 1, #names do
  found[2 * i - 1] = names[i]
  found[2 * i] = redis.call('HGET', KEYS[1], names[i])
end
return found
`);

export class RedisRecords implements RecordStore {
  private readonly keys: readonly [hash: string, set: string];

  constructor(
    private readonly connection: RedisConnection,
    prefix: string,
  ) {
    this.keys = [`${prefix}records`, `${prefix}names`];
  }

  async get(collection: string, key: string): Promise<Uint8Array | undefined> {
    checkCollection(collection);
    checkKey(key);
    const reply = await this.connection.command("HGET", this.keys[0], nameOf(collection, key));
    return reply instanceof Buffer ? reply : undefined;
  }

  async list(collection: string, options: ListOptions = {}): Promise<RecordEntry[]> {
    const { prefix, after, limit, reverse } = checkList(collection, options);
    const low = nameOf(collection, prefix);
    // Names are printable: 0xff is behind all of them.
    const high = Buffer.concat([Buffer.from("("), low, Buffer.of(0xff)]);
    const bounds = { from: Buffer.concat([Buffer.from("["), low]), to: high };
    if (after !== undefined) {
      const name = nameOf(collection, after);
      const behind = Buffer.concat([Buffer.from("("), name]);
      if (reverse ? behind.compare(high) < 0 : name.compare(low) >= 0)
        bounds[reverse ? "to" : "from"] = behind;
    }
    const args = [bounds.from, bounds.to, String(limit), reverse ? "REV" : ""];
    const reply = limit === 0 ? [] : await this.connection.run(listScript, this.keys, args);
    const entries: RecordEntry[] = [];
    if (!Array.isArray(reply)) throw new StorageError("corrupt", "Redis answered something else than a list");
    for (let i = 0; i < reply.length; i += 2) {
      const [name, value] = [reply[i] as unknown, reply[i + 1] as unknown];
      if (name instanceof Buffer && value instanceof Buffer) {
        entries.push({ key: name.toString("latin1", collection.length + 1), value });
      }
    }
    return entries;
  }

  async write(changes: readonly RecordChange[]): Promise<boolean> {
    checkChanges(changes);
    if (changes.length === 0) return true;
    const args: Argument[] = [];
    for (const { collection, key, value, expect } of inSafeOrder(changes)) {
      args.push(nameOf(collection, key));
      if (expect === undefined) args.push("", "");
      else if (expect === null) args.push("a", "");
      else args.push("=", expect);
      args.push(value === undefined ? "d" : Buffer.concat([Buffer.from("p"), value]));
    }
    return (await this.connection.write(writeScript, this.keys, args)) === 1;
  }
}

/** Values first, unless one name is changed twice. */
function inSafeOrder(changes: readonly RecordChange[]): readonly RecordChange[] {
  const names = new Set(changes.map((change) => `${change.collection}\0${change.key}`));
  if (names.size < changes.length) return changes;
  return [...changes].sort((a, b) => Number(a.value === undefined) - Number(b.value === undefined));
}

function nameOf(collection: string, key: string): Buffer {
  return Buffer.from(`${collection}\0${key}`, "latin1");
}
