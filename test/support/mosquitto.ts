/**
 * A real Mosquitto on a free port of the loopback interface, with a configuration of its own: it disturbs no other
 * broker of the machine and vanishes with the process that started it. Open to every local client: not for production.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Child } from "./child.js";
import { freePort } from "./free-port.js";

export interface BrokerOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Lines added to mosquitto.conf. */
  readonly config?: readonly string[];
}

const attempts = 5;

/** The path of `mosquitto`, which Debian keeps outside the PATH of ordinary users. Undefined when not installed. */
export function findMosquitto(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "mosquitto")).find((file) => existsSync(file));
}

export class Broker {
  private child: Child | undefined;

  private constructor(
    readonly port: number,
    private readonly program: string,
    private readonly folder: string,
  ) {}

  /** @throws Error when Mosquitto is not installed, or does not start (with its log). */
  static async start(options: BrokerOptions = {}): Promise<Broker> {
    const program = findMosquitto();
    if (program === undefined) {
      throw new Error("Mosquitto is not installed: apt-get install mosquitto");
    }
    for (let attempt = 1; ; attempt++) {
      const broker = Broker.configure(program, options, options.port ?? (await freePort()));
      try {
        await broker.resume();
        return broker;
      } catch (error) {
        rmSync(broker.folder, { recursive: true, force: true });
        // Somebody else was faster on that port.
        const taken = error instanceof Error && error.message.includes("Address already in use");
        if (!taken || options.port !== undefined || attempt === attempts) {
          throw error;
        }
      }
    }
  }

  private static configure(program: string, options: BrokerOptions, port: number): Broker {
    const folder = mkdtempSync(join(tmpdir(), "tmc-broker-"));
    const lines = [
      `listener ${port} 127.0.0.1`,
      "allow_anonymous true",
      "persistence false",
      "log_dest stderr",
      "log_type all",
      "set_tcp_nodelay true",
      // A burst must reach the node, or the tests would measure the broker.
      "max_queued_messages 0",
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      ...(options.config ?? []),
    ];
    writeFileSync(join(folder, "mosquitto.conf"), lines.join("\n") + "\n");
    return new Broker(port, program, folder);
  }

  /** What clients connect to. */
  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** The log of the present or last process. */
  get log(): string {
    return this.child?.text() ?? "";
  }

  /** Ends it at once, as a crash would; `resume` starts it again on the same port, with nothing remembered. */
  async kill(): Promise<void> {
    await this.child?.stop("SIGKILL");
  }

  async resume(): Promise<void> {
    if (this.child !== undefined && this.child.ended === undefined) {
      throw new Error("the broker is running");
    }
    this.child = await Child.start(this.program, ["-c", join(this.folder, "mosquitto.conf")], {
      name: "mosquitto",
    });
    await this.child.waitForLine(/mosquitto version \S+ running/);
  }

  /** Ends it and removes its files. */
  async stop(): Promise<void> {
    await this.child?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
