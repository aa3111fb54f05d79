/** Three real nats-servers on the loopback interface that are one MQTT broker: a cluster with JetStream, three copies. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";

const size = 3;

/** Debian keeps it outside the PATH of ordinary users. Undefined when not installed. */
export function findNats(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "nats-server")).find((file) => existsSync(file));
}

export class NatsCluster {
  private readonly children: Child[] = [];

  private constructor(
    private readonly folder: string,
    readonly urls: readonly string[],
  ) {}

  /** Servers that found each other. MQTT works once they have chosen a leader: try until then. */
  static async start(): Promise<NatsCluster> {
    const program = findNats();
    if (program === undefined) throw new Error("NATS is not installed: apt-get install nats-server");
    const folder = mkdtempSync(join(tmpdir(), "tmc-nats-"));
    const numbers = Array.from({ length: size }, (_, i) => i);
    const ports = await Promise.all(numbers.flatMap(() => [freePort(), freePort(), freePort()]));
    const [clients, routes, mqtt] = [0, 1, 2].map((part) => ports.slice(part * size, (part + 1) * size));
    const cluster = new NatsCluster(
      folder,
      (mqtt ?? []).map((port) => `mqtt://127.0.0.1:${port}`),
    );
    try {
      for (const i of numbers) {
        const others = (routes ?? []).map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
        const lines = [
          `server_name: s${i}`,
          `listen: 127.0.0.1:${clients?.[i]}`,
          `jetstream { store_dir: "${join(folder, `s${i}`)}" }`,
          `cluster { name: tmc, listen: 127.0.0.1:${routes?.[i]}, routes: [${others}] }`,
          // Delivered again after ack_wait: what was on its way through a server that died (NATS's default is 30 s).
          `mqtt { listen: 127.0.0.1:${mqtt?.[i]}, stream_replicas: ${size}, ack_wait: "2s"`,
          // Sessions that nobody comes back to keep no messages for ever.
          "  consumer_memory_storage: true, consumer_inactive_threshold: 5m }",
        ];
        const file = join(folder, `s${i}.conf`);
        writeFileSync(file, `${lines.join("\n")}\n`);
        cluster.children.push(await Child.start(program, ["-c", file], { name: `nats-server ${i}` }));
      }
      await Promise.all(cluster.children.map((child) => child.waitForLine("Server is ready", 20_000)));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  async kill(index: number): Promise<void> {
    await this.children[index]?.stop("SIGKILL");
  }

  log(index: number): string {
    return this.children[index]?.text() ?? "";
  }

  /** All addresses, beginning with that of server `first`. */
  urlsFrom(first: number): readonly string[] {
    return [...this.urls.slice(first % size), ...this.urls.slice(0, first % size)];
  }

  /** The server through which every message goes: the leader of the stream of MQTT messages. Undefined before there is one. */
  messageLeader(): number | undefined {
    const line = /^\[\d+\] (\S+ \S+) .*new stream leader for '\$G > \$MQTT_msgs'/gm;
    const elected = this.children.map((_, i) => [...this.log(i).matchAll(line)].at(-1)?.[1] ?? "");
    const last = [...elected].sort().at(-1) ?? "";
    return last === "" ? undefined : elected.indexOf(last);
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.stop("SIGKILL")));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
