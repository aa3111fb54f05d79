/** Builds the posix port around the hand-written echo app, and talks with it in its plain text. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { buildExecutable, type CompilerName } from "../../compiler/board/toolchain.js";

/** A build folder that `remove` deletes, with the executable in it. */
export interface EchoBuild {
  readonly program: string;
  readonly messages: string;
  readonly remove: () => void;
}

export async function buildEchoNode(cc: CompilerName, sanitize: boolean): Promise<EchoBuild> {
  const outDir = mkdtempSync(join(tmpdir(), "tmc-echo-"));
  const { elf, messages } = await buildExecutable({
    board: findBoard("host"),
    sources: [packagePath("test", "node", "fixtures", "echo-app.c")],
    outDir,
    name: "echo-node",
    port: "node",
    cc,
    sanitize,
    opt: "-O1",
    warningsAreErrors: true,
  });
  return { program: elf, messages, remove: () => rmSync(outDir, { recursive: true, force: true }) };
}

/** Everything that was published under t1/edge/, with a way to wait for more. */
export class PlainClient {
  readonly messages: { readonly topic: string; readonly text: string; readonly payload: Buffer }[] = [];

  private constructor(private readonly mqtt: MqttClient) {
    mqtt.on("message", (topic, payload) => {
      this.messages.push({ topic, text: payload.toString("utf8"), payload });
    });
    mqtt.on("error", () => {});
  }

  static async connect(url: string): Promise<PlainClient> {
    const mqtt = await connectAsync(url, { protocolVersion: 4, reconnectPeriod: 50 });
    const client = new PlainClient(mqtt);
    await mqtt.subscribeAsync("t1/edge/#", { qos: 1 });
    return client;
  }

  /** The text of the first message on `node`'s topic `kind` from index `from` on that `accept` likes. */
  async next(
    node: string,
    kind: string,
    accept: RegExp = /./s,
    from = 0,
    timeoutMs = 10_000,
  ): Promise<Buffer> {
    const topic = `t1/edge/${node}/${kind}`;
    const end = Date.now() + timeoutMs;
    for (;;) {
      const found = this.messages.slice(from).find((each) => each.topic === topic && accept.test(each.text));
      if (found !== undefined) {
        return found.payload;
      }
      if (Date.now() > end) {
        throw new Error(`nothing on ${topic} that matches ${String(accept)} in ${timeoutMs} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async send(node: string, payload: string | Buffer, qos: 0 | 1 = 1): Promise<void> {
    await this.mqtt.publishAsync(`t1/edge/${node}/x`, payload, { qos });
  }

  /** Sends a command and returns the node's next answer. */
  async ask(node: string, command: string): Promise<string> {
    return (await this.askBytes(node, command)).toString("utf8");
  }

  async askBytes(node: string, command: string): Promise<Buffer> {
    const from = this.messages.length;
    await this.send(node, command);
    return this.next(node, "y", /^/s, from);
  }

  async close(): Promise<void> {
    await this.mqtt.endAsync(true);
  }
}
