/** A client that stores numbered items through a complete node as fast as it answers, over restarts of that node. */
import { connectAsync, type MqttClient } from "mqtt";
import { decodeAnswer, encodeRequest, type Answer } from "../../host/bus/protocol.js";

const id = "load-1";

/** Every third item is too large for a record. */
export function contentOfItem(n: number): { readonly name: string; readonly values: Float32Array } {
  const large = n % 3 === 0;
  const values = new Float32Array(large ? 2048 : 3);
  values[0] = n;
  values.fill(n * 2, 1);
  return { name: large ? "large" : "small", values };
}

export class LoadClient {
  /** Stored, as the node said: the number of the item is that of the request. */
  readonly acknowledged = new Set<number>();
  /** Sent, and not answered. */
  readonly pending = new Set<number>();
  /** Errors, as "code text". */
  readonly errors: string[] = [];
  private next = 1;
  private running = false;
  private waiting: (() => void)[] = [];

  private constructor(
    private readonly mqtt: MqttClient,
    private readonly together: number,
  ) {
    mqtt.on("message", (_topic, payload) => {
      this.hear(decodeAnswer(payload));
    });
    mqtt.on("error", () => undefined);
  }

  static async connect(url: string, together: number): Promise<LoadClient> {
    const mqtt = await connectAsync(url, {
      clientId: id,
      protocolVersion: 4,
      clean: true,
      reconnectPeriod: 0,
    });
    const client = new LoadClient(mqtt, together);
    await mqtt.subscribeAsync(`t1/edge/${id}/r`, { qos: 1 });
    return client;
  }

  /** The same client, with all it remembers, on a new connection. */
  async again(url: string): Promise<LoadClient> {
    await this.mqtt.endAsync(true);
    const other = await LoadClient.connect(url, this.together);
    for (const n of this.acknowledged) other.acknowledged.add(n);
    for (const n of this.pending) other.pending.add(n);
    other.next = this.next;
    return other;
  }

  /** Keeps `together` requests on the way. */
  start(): void {
    this.running = true;
    for (let i = this.pending.size; i < this.together; i++) this.send(this.next++);
  }

  /** Sends nothing new from now on. */
  stop(): void {
    this.running = false;
  }

  /** Sends a request again, as it was. */
  repeat(n: number): void {
    this.send(n);
  }

  /** Resolves when nothing is pending. */
  async settled(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (this.pending.size > 0) {
      if (performance.now() > until)
        throw new Error(`${this.pending.size} requests have no answer in ${ms} ms`);
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        setTimeout(resolve, 50);
      });
    }
  }

  async close(): Promise<void> {
    await this.mqtt.endAsync(true);
  }

  private send(n: number): void {
    const { name, values } = contentOfItem(n);
    this.pending.add(n);
    const payload = encodeRequest({
      id: n,
      boot: 7,
      sender: id,
      operation: "data.store",
      arguments: { name },
      input: new Uint8Array(values.buffer),
      inputDescriptor: { elementType: 6, shape: [values.length] },
      deadlineMs: 20_000,
    });
    this.mqtt.publish(`t1/edge/q/${id}`, Buffer.from(payload), { qos: 1 }, () => undefined);
  }

  private hear(answer: Answer): void {
    if (answer.stage !== 2) return;
    this.pending.delete(answer.id);
    if (answer.error === undefined) this.acknowledged.add(answer.id);
    else this.errors.push(`${answer.error.code} ${answer.error.text ?? ""}`);
    for (const resolve of this.waiting.splice(0)) resolve();
    if (this.running) this.send(this.next++);
  }
}
