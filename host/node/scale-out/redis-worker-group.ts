/**
 * Workers that know each other by Redis: a heartbeat each, on Redis's clock, and terminal answers that are written once.
 * While Redis cannot be reached the list of workers stays as it was, and answers are not settled.
 */
import { RedisConnection, script } from "../storage/redis-connection.js";
import type { Settled, WorkerGroup } from "./worker-group.js";

export interface RedisWorkerGroupOptions {
  /** redis://HOST[:PORT][/DB] */
  readonly url: string;
  /** Of the server that the workers are: its id. */
  readonly server: string;
  readonly worker: string;
  /** Before every key; default "tmc:". */
  readonly prefix?: string;
  /** ms between signs of life; default 300. A worker that gave none for five of them is dead. */
  readonly heartbeatMs?: number;
  /** How long terminal answers are kept; default 600 s. */
  readonly keptS?: number;
}

/** Signs of life are times of Redis, so that clocks of machines do not matter. ARGV: worker or "", dead after ms. */
const beat = script(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)`);

/** The first answer stays; nil: it is this one. ARGV: answer, seconds. */
const settleOnce = script(`
local kept = redis.call('GET', KEYS[1])
if kept then return kept end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return false`);

/** Above all that any worker had, and at least what this one counted. ARGV: its counter. */
const rise = script(`
local boot = math.max(tonumber(redis.call('GET', KEYS[1]) or '0') + 1, tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', boot))
return string.format('%.0f', boot)`);

const missedBeats = 5;

/** A boot counter that no other worker of the server has. @throws StorageError unavailable */
export async function sharedBoot(url: string, server: string, own: number, prefix = "tmc:"): Promise<number> {
  const redis = new RedisConnection({ url, deadlineMs: 5_000 });
  await redis.open();
  try {
    return Number(String(await redis.run(rise, [`${prefix}${server}:boot`], [String(own)])));
  } finally {
    await redis.close();
  }
}

export class RedisWorkerGroup implements WorkerGroup {
  readonly id: string;
  private readonly redis: RedisConnection;
  private readonly keys: { readonly workers: string; readonly answer: string };
  private readonly listeners: (() => void)[] = [];
  private readonly heartbeatMs: number;
  private workers: readonly string[] = [];
  private able = true;
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: RedisWorkerGroupOptions) {
    this.id = options.worker;
    this.heartbeatMs = options.heartbeatMs ?? 300;
    this.redis = new RedisConnection({ url: options.url, deadlineMs: 2_000 });
    const prefix = `${options.prefix ?? "tmc:"}${options.server}:`;
    this.keys = { workers: `${prefix}workers`, answer: `${prefix}answer:` };
  }

  /** Announced, and with the others known. @throws StorageError unavailable */
  static async join(options: RedisWorkerGroupOptions): Promise<RedisWorkerGroup> {
    const group = new RedisWorkerGroup(options);
    await group.redis.open();
    await group.beat();
    group.timer = setInterval(() => void group.beat().catch(() => undefined), group.heartbeatMs);
    group.timer.unref();
    return group;
  }

  live(): readonly string[] {
    return this.workers;
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  async takePart(able: boolean): Promise<void> {
    if (this.able === able) return;
    this.able = able;
    if (!able) await this.redis.command("ZREM", this.keys.workers, this.id);
    await this.beat();
  }

  async settled(request: string): Promise<Uint8Array | undefined> {
    const found = await this.redis.command("GET", this.keys.answer + request);
    return Buffer.isBuffer(found) ? found : undefined;
  }

  async settle(request: string, answer: Uint8Array): Promise<Settled> {
    const key = this.keys.answer + request;
    const kept = await this.redis.run(settleOnce, [key], [answer, String(this.options.keptS ?? 600)]);
    return Buffer.isBuffer(kept) ? { first: false, answer: kept } : { first: true, answer };
  }

  /** Gone at once for the others; `crash` of a test does not come here. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.redis.command("ZREM", this.keys.workers, this.id).catch(() => undefined);
    await this.redis.close();
  }

  /** For tests: as the process had died. */
  async crash(): Promise<void> {
    clearInterval(this.timer);
    await this.redis.close();
  }

  private async beat(): Promise<void> {
    const dead = String(this.heartbeatMs * missedBeats);
    const reply = await this.redis.run(beat, [this.keys.workers], [this.able ? this.id : "", dead]);
    const workers = (Array.isArray(reply) ? reply : []).map(String).sort();
    if (workers.join() === this.workers.join()) return;
    this.workers = workers;
    for (const listener of this.listeners) listener();
  }
}
