/**
 * The kit's ears and hands: a plain MQTT client that keeps every message as it came, and requests on one way to the node
 * under test: dispatched on `x` (answers on `y`), or asked on `q` (answers on `r`).
 */
import { randomBytes } from "node:crypto";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { encodeCbor, readAnswer, requestMap, type Answer, type Message, type RequestFields } from "./wire.js";

/** A rule is broken, or an answer that every rule needs did not come. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Topics that the kit itself published on: what is heard there is not the node's. */
export const ownTopics = new Set<string>();

/** A client id that nobody else has: a broker ends the older of two sessions of one id. `kit-`, at most 18 characters. */
export function uniqueId(purpose = ""): string {
  return `kit-${purpose}${randomBytes(4).toString("hex")}`;
}

export class Wire {
  readonly messages: Message[] = [];
  private readonly waits = new Set<() => void>();
  private ended = false;
  /** Rejects when the connection ends for good otherwise than by `close` or `kill`. */
  private readonly lost: Promise<never>;

  private constructor(
    readonly mqtt: MqttClient,
    clientId: string,
  ) {
    const comesBack = (mqtt.options.reconnectPeriod ?? 0) > 0;
    this.lost = new Promise((_, reject) => {
      mqtt.on("close", () => {
        if (!this.ended && !comesBack) reject(new Error(`the broker ended the connection of ${clientId}`));
      });
    });
    this.lost.catch(() => undefined);
    mqtt.on("message", (topic, payload, packet) => {
      const { qos, retain } = packet;
      this.messages.push({ topic, payload: Uint8Array.from(payload), qos, retain, at: performance.now() });
      for (const check of [...this.waits]) check();
    });
    mqtt.on("error", () => undefined);
  }

  /** @throws Error when the broker refuses it, ends it, or does not answer within 30 s */
  static async connect(url: string, clientId: string, options: IClientOptions = {}): Promise<Wire> {
    // Without the last argument a connection that ends before its CONNACK is waited for without end.
    const mqtt = await connectAsync(
      url,
      { clientId, protocolVersion: 4, clean: true, reconnectPeriod: 0, ...options },
      false,
    );
    return new Wire(mqtt, clientId);
  }

  /** False when the broker refuses one of them. @throws Error when it ends the connection */
  async subscribe(...filters: string[]): Promise<boolean> {
    const asked = this.mqtt.subscribeAsync(filters, { qos: 1 }).catch(() => []);
    const granted = await Promise.race([asked, this.lost]);
    return granted.length === filters.length && granted.every(({ qos }) => Number(qos) < 128);
  }

  /** Until it is acknowledged. @throws Error when the broker ends the connection */
  async publish(topic: string, payload: Uint8Array, qos: 0 | 1 = 1, retain = false): Promise<void> {
    ownTopics.add(topic);
    await Promise.race([this.mqtt.publishAsync(topic, Buffer.from(payload), { qos, retain }), this.lost]);
  }

  /** What `find` gives, at once or as soon as it gives something. Undefined after `ms`. */
  async until<T>(find: () => T | undefined, ms = 5_000): Promise<T | undefined> {
    let check = (): void => undefined;
    let timer: NodeJS.Timeout | undefined;
    const found = new Promise<T | undefined>((resolve) => {
      check = () => {
        const value = find();
        if (value !== undefined) resolve(value);
      };
      timer = setTimeout(() => resolve(undefined), ms);
      this.waits.add(check);
      check();
    });
    try {
      return await Promise.race([found, this.lost]);
    } finally {
      clearTimeout(timer);
      this.waits.delete(check);
    }
  }

  async close(): Promise<void> {
    this.ended = true;
    await this.mqtt.endAsync(true);
  }

  /** Ends as a crash does: no DISCONNECT, so the broker publishes the last will. */
  kill(): void {
    this.ended = true;
    this.mqtt.stream.destroy();
    this.mqtt.end(true);
  }
}

/** A request from its sending on. */
export interface Sent {
  readonly id: number;
  readonly boot: number;
  readonly sender: string;
  readonly payload: Uint8Array;
  readonly at: number;
}

export interface Exchange extends Sent {
  readonly accepted: Answer | undefined;
  readonly done: Answer;
}

export interface Way {
  /** Where requests go. */
  readonly send: string;
  /** Where answers come. */
  readonly answers: string;
  /** Id that requests state as sender. */
  readonly sender: string;
}

let lastId = 0;
/** One boot counter for all ways of a run: identities never repeat. */
let boot = Math.floor(Date.now() / 1000) >>> 0;

/** All later requests are of a new life of the kit; its boot counter. */
export function nextLife(): number {
  return ++boot;
}

export class Probe {
  /** Answers by the id of their request, of the messages before `read`. */
  private readonly answers = new Map<unknown, Answer[]>();
  private read = 0;

  constructor(
    readonly wire: Wire,
    readonly way: Way,
  ) {}

  identify(fields: RequestFields): RequestFields & { id: number; boot: number; sender: string } {
    const { id = ++lastId, sender = this.way.sender } = fields;
    return { ...fields, id, boot: fields.boot ?? boot, sender };
  }

  async send(fields: RequestFields, qos: 0 | 1 = 1): Promise<Sent> {
    const identified = this.identify(fields);
    return this.sendBytes(identified, encodeCbor(requestMap(identified)), qos);
  }

  /** Any bytes, under an identity that answers are looked for by. */
  async sendBytes(
    identity: { readonly id: number; readonly boot: number; readonly sender: string },
    payload: Uint8Array,
    qos: 0 | 1 = 1,
  ): Promise<Sent> {
    const { id, boot: sentBoot, sender } = identity;
    const at = performance.now();
    await this.wire.publish(this.way.send, payload, qos);
    return { id, boot: sentBoot, sender, payload, at };
  }

  async sendRaw(payload: Uint8Array, qos: 0 | 1 = 1): Promise<void> {
    await this.wire.publish(this.way.send, payload, qos);
  }

  /** Every answer to it so far, in order. */
  answersTo(sent: Pick<Sent, "id" | "boot" | "sender">): Answer[] {
    const { messages } = this.wire;
    for (; this.read < messages.length; this.read++) {
      const message = messages[this.read];
      const answer = message?.topic === this.way.answers ? readAnswer(message) : undefined;
      if (answer === undefined) continue;
      const known = this.answers.get(answer.id);
      if (known === undefined) this.answers.set(answer.id, [answer]);
      else known.push(answer);
    }
    return (this.answers.get(sent.id) ?? []).filter(
      ({ boot: answered, sender }) =>
        answered === sent.boot && (sender === undefined || sender === sent.sender),
    );
  }

  terminal(sent: Pick<Sent, "id" | "boot" | "sender">): Answer | undefined {
    return this.answersTo(sent).find(({ stage }) => stage === 2);
  }

  /** @throws Violation when there is no terminal answer within `ms` */
  async finish(sent: Sent, ms = 8_000): Promise<Exchange> {
    const done = await this.wire.until(() => this.terminal(sent), ms);
    if (done === undefined) throw new Violation(`no terminal answer to request ${sent.id} within ${ms} ms`);
    const accepted = this.answersTo(sent).find(({ stage }) => stage === 1);
    return { ...sent, accepted, done };
  }

  async ask(fields: RequestFields, ms?: number): Promise<Exchange> {
    return this.finish(await this.send(fields), ms);
  }

  /**
   * Returns when the node has read all that was sent before. @throws Violation when it does not answer any more
   */
  async settle(why = "after this"): Promise<void> {
    const alive = await this.send({ operation: "node.monitor" });
    const done = await this.wire.until(() => this.terminal(alive), 8_000);
    if (done === undefined) throw new Violation(`${why} the node does not answer any more`);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
