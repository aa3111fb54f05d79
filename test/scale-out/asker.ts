/** A node that asks the workers for operations they execute themselves; a request without an answer is sent again. */
import { MqttConnection } from "../../host/bus/mqtt-connection.js";
import { decodeAnswer, type Answer } from "../../host/bus/protocol.js";
import { encodeServerRequest } from "../../host/bus/request-codec.js";
import type { Request } from "../../host/bus/protocol.js";

const againMs = 2_000;

export class Asker {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private lastId = 0;

  private constructor(
    private readonly bus: MqttConnection,
    private readonly server: string,
    private readonly id: string,
  ) {
    bus.onMessage((_topic, payload) => {
      const answer = decodeAnswer(payload);
      if (answer.stage === 2) this.waiting.get(answer.id)?.(answer);
    });
  }

  static async connect(url: string, server: string, id: string): Promise<Asker> {
    const bus = MqttConnection.open({ url, clientId: id });
    const asker = new Asker(bus, server, id);
    await bus.subscribe([`t1/${server}/${id}/r`]);
    await bus.ready(10_000);
    return asker;
  }

  /** The terminal answer. */
  ask(order: Omit<Request, "id" | "boot" | "sender">): Promise<Answer> {
    const id = ++this.lastId;
    const payload = encodeServerRequest({ deadlineMs: 30_000, ...order, id, boot: 1, sender: this.id });
    const send = (): void => {
      this.bus.publish(`t1/${this.server}/q/${this.id}`, payload).catch(() => undefined);
    };
    return new Promise((resolve) => {
      const timer = setInterval(send, againMs);
      this.waiting.set(id, (answer) => {
        clearInterval(timer);
        this.waiting.delete(id);
        resolve(answer);
      });
      send();
    });
  }

  close(): Promise<void> {
    return this.bus.close();
  }
}
