/**
 * A real Redis on a free port of the loopback interface, with its data in a folder of its own: it disturbs no other
 * Redis of the machine and vanishes with the process that started it.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Child } from "./child.js";
import { freePort } from "./free-port.js";

const attempts = 5;

/** The path of `redis-server`. Undefined when not installed. */
export function findRedis(): string | undefined {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    "/usr/bin",
    "/usr/sbin",
    "/usr/local/bin",
  ];
  return folders.map((folder) => join(folder, "redis-server")).find((file) => existsSync(file));
}

export class RedisServer {
  private child: Child | undefined;
  private readonly folder: string;

  private constructor(
    readonly port: number,
    private readonly settings: readonly string[],
    parent: string,
  ) {
    this.folder = mkdtempSync(join(parent, "tmc-redis-"));
  }

  /**
   * `settings`: as on its command line, e.g. ["--appendonly", "yes"]. Its folder is made in `parent`.
   * @throws Error when it does not start
   */
  static async start(settings: readonly string[] = [], parent = tmpdir()): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(await freePort(), settings, parent);
      try {
        await server.resume();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else may have been faster on that port.
        if (attempt === attempts) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Ends it at once, as a crash would; `resume` starts it again with what it has on disk. */
  async kill(): Promise<void> {
    await this.child?.stop("SIGKILL");
  }

  async resume(): Promise<void> {
    const program = findRedis();
    if (program === undefined) throw new Error("Redis is not installed: apt-get install redis-server");
    const fixed = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder];
    this.child = await Child.start(program, [...fixed, "--save", "", "--daemonize", "no", ...this.settings], {
      name: "redis-server",
    });
    await this.child.waitForLine(/Ready to accept connections/);
  }

  async stop(): Promise<void> {
    await this.child?.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
