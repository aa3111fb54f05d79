/**
 * One connection to Redis that mends itself: commands with a deadline and a bounded queue, errors as StorageError.
 * A command that fails with `unavailable` may have been executed or not: who writes with conditions can repeat it.
 */
import { createHash } from "node:crypto";
import { createClient, RESP_TYPES } from "redis";
import { StorageError } from "./storage.js";

export interface RedisOptions {
  /** redis://[USER[:PASSWORD]@]HOST[:PORT][/DB] or rediss:// */
  readonly url: string;
  readonly password?: string;
  /** ms until a command is given up; default 10 s. */
  readonly deadlineMs?: number;
  /** A write is acknowledged when so many replicas have it; default 0. */
  readonly replicas?: number;
}

export type Argument = string | Uint8Array;
/** As RESP has it, with strings as bytes. */
export type Reply = Buffer | string | number | null | readonly Reply[];

export interface Script {
  readonly text: string;
  readonly sha1: string;
}

export function script(text: string): Script {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

const queueLength = 20_000;

export class RedisConnection {
  private client: ReturnType<typeof RedisConnection.prototype.create>;
  private closed = false;
  private lastError: Error | undefined;
  private lastReplyAt = 0;

  constructor(private readonly options: RedisOptions) {
    this.client = this.create();
  }

  get deadlineMs(): number {
    return this.options.deadlineMs ?? 10_000;
  }

  /** For people: without user and password. */
  get place(): string {
    const { hostname, port, pathname } = new URL(this.options.url);
    return `${hostname}:${port === "" ? "6379" : port}${pathname === "/" ? "" : pathname}`;
  }

  /** Waits for the first connection. @throws StorageError unavailable */
  async open(): Promise<void> {
    try {
      await this.bounded(this.client.connect(), "connect");
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    try {
      if (this.client.isReady) await this.bounded(this.client.close(), "close");
      else if (this.client.isOpen) this.client.destroy();
    } catch {
      if (this.client.isOpen) this.client.destroy();
    }
  }

  /** @throws StorageError */
  async command(...args: readonly Argument[]): Promise<Reply> {
    return this.guarded(() => this.send(args), String(args[0]));
  }

  /** Runs a script; Redis remembers it by its hash. @throws StorageError */
  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    return this.guarded(() => this.evaluate(script, keys, args), "run a script");
  }

  /** A script that writes: waits for the replicas too, when any are asked for. @throws StorageError */
  async write(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const replicas = this.options.replicas ?? 0;
    if (replicas === 0) return this.run(script, keys, args);
    return this.guarded(async () => {
      const reply = await this.evaluate(script, keys, args);
      // On the same connection: it counts those that have all that was written on it.
      const reached = Number(
        await this.send(["WAIT", String(replicas), String(Math.ceil(this.deadlineMs * 0.8))]),
      );
      if (reached < replicas) throw new Error(`only ${reached} of ${replicas} replicas have it`);
      return reply;
    }, "run a script");
  }

  private async evaluate(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await this.send(["EVALSHA", script.sha1, ...rest]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return this.send(["EVAL", script.text, ...rest]);
    }
  }

  private async send(args: readonly Argument[]): Promise<Reply> {
    const buffers = args.map((arg) =>
      typeof arg === "string" ? arg : Buffer.from(arg.buffer, arg.byteOffset, arg.byteLength),
    );
    const options = { timeout: this.deadlineMs, typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
    const reply: unknown = await this.client.sendCommand(buffers, options);
    this.lastReplyAt = performance.now();
    return reply as Reply;
  }

  private async guarded<T>(work: () => Promise<T>, what: string): Promise<T> {
    if (this.closed) throw new StorageError("unavailable", "the storage is closed");
    const startedAt = performance.now();
    try {
      return await this.bounded(work(), what);
    } catch (error) {
      // Not one reply in all that time: the connection leads nowhere, even if the system has not noticed.
      if (error instanceof StorageError && this.lastReplyAt < startedAt && this.client.isReady) this.renew();
      throw redisError(error, `${what} at ${this.place}`);
    }
  }

  private async bounded<T>(work: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const reason = this.lastError === undefined ? "" : `: ${this.lastError.message}`;
        reject(new StorageError("unavailable", `Redis at ${this.place} does not answer (${what})${reason}`));
      }, this.deadlineMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private renew(): void {
    if (this.closed) return;
    this.client.destroy();
    this.client = this.create();
    // What goes wrong is told by the error event, and tried again.
    this.client.connect().catch(() => undefined);
  }

  private create() {
    const client = createClient({
      url: this.options.url,
      ...(this.options.password === undefined ? {} : { password: this.options.password }),
      RESP: 2,
      commandsQueueMaxLength: queueLength,
      socket: {
        connectTimeout: 5000,
        reconnectStrategy: (retries) =>
          Math.min(1000, 20 * 2 ** Math.min(retries, 6)) * (0.5 + Math.random()),
      },
    });
    client.on("error", (error: Error) => {
      this.lastError = error;
    });
    client.on("ready", () => {
      this.lastError = undefined;
    });
    return client;
  }
}

/** What Redis says, as a StorageError. */
function redisError(error: unknown, what: string): StorageError {
  if (error instanceof StorageError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const code = /^OOM\b|No space left|maxmemory/.test(text) ? "no-space" : "unavailable";
  return new StorageError(code, `cannot ${what}: ${text}`, { cause: error });
}
