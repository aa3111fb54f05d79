/**
 * What arrives on the bus, by kind: requests to the admission, answers to the dispatcher, records to the registry, chunks
 * and events to whoever waits for them. What breaks the protocol is counted and goes no further.
 */
import { decodeEvent, ProtocolError } from "../../bus/protocol.js";
import { parseTopic, type Topic } from "../../bus/topics.js";
import type { Log } from "../log.js";
import type { Admission } from "./admission.js";
import type { Chunks } from "./chunks.js";
import type { CoreCounters } from "./core-counters.js";
import type { Dispatcher } from "./dispatcher.js";
import { AnswerReader } from "./envelope.js";
import type { EventListeners } from "./event-listeners.js";
import type { NodeEntry } from "./node-entry.js";
import type { Probes } from "./probes.js";
import type { Registry } from "./registry.js";

export interface InboxParts {
  readonly id: string;
  /** Bytes of the largest message. */
  readonly messageBytes: number;
  readonly admission: Admission;
  readonly registry: Registry;
  readonly dispatcher: Dispatcher;
  readonly chunks: Chunks;
  readonly probes: Probes;
  readonly events: EventListeners;
  readonly counts: CoreCounters;
  readonly log: Log;
  /** A record changed what this server and its nodes can do. */
  changed(): void;
}

export class Inbox {
  private readonly answers: AnswerReader;
  private readonly topics = new Map<string, Topic | undefined>();

  constructor(private readonly parts: InboxParts) {
    this.answers = new AnswerReader(parts.messageBytes);
  }

  receive(topic: string, payload: Uint8Array): void {
    const parsed = this.topicOf(topic);
    if (parsed === undefined || parsed.server !== this.parts.id) return;
    const { node } = parsed;
    this.take(parsed, payload);
    if (parsed.kind === "s") return;
    const entry = this.parts.registry.node(node);
    if (entry?.reportedDead === true) this.parts.probes.suspect(entry);
  }

  private take({ kind, node }: Topic, payload: Uint8Array): void {
    switch (kind) {
      case "q":
        this.parts.admission.request(node, payload, undefined);
        break;
      case "y": {
        const entry = this.parts.registry.node(node);
        if (entry === undefined) this.parts.counts.foreignAnswers++;
        else this.answer(entry, payload, entry.capability?.isServer === true);
        break;
      }
      case "b":
        this.born(node, payload);
        break;
      case "s":
        this.record(node, this.parts.registry.state(node, payload));
        break;
      case "e":
        this.event(node, payload);
        break;
      case "c":
        this.chunk(node, payload);
        break;
      default:
        break;
    }
  }

  private topicOf(topic: string): Topic | undefined {
    let parsed = this.topics.get(topic);
    if (parsed === undefined && !this.topics.has(topic)) {
      parsed = parseTopic(topic);
      if (this.topics.size >= 200_000) this.topics.clear();
      this.topics.set(topic, parsed);
    }
    return parsed;
  }

  private born(node: string, payload: Uint8Array): void {
    const refused = this.parts.registry.birth(node, payload);
    this.record(node, refused);
    const boot = this.parts.registry.node(node)?.boot;
    if (refused === undefined && boot !== undefined) this.parts.admission.rememberBoot(node, boot);
  }

  private record(node: string, refused: string | undefined): void {
    if (refused === undefined) this.parts.changed();
    else {
      this.parts.counts.violations++;
      this.parts.log.warn({ node, refused }, "record refused");
    }
  }

  chunk(sender: string, payload: Uint8Array): void {
    if (!this.parts.chunks.receive(sender, payload)) this.parts.counts.violations++;
  }

  private event(node: string, payload: Uint8Array): void {
    try {
      const event = decodeEvent(payload);
      if (event.node !== node) throw new ProtocolError("of another node");
      this.parts.events.emit("event", () => ({ node, name: event.name, value: event.value }));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.parts.counts.violations++;
    }
  }

  answer(from: NodeEntry, payload: Uint8Array, isServer: boolean): void {
    from.lastSeenAt = Date.now();
    const head = this.answers.read(payload);
    if (head === undefined) {
      this.parts.counts.violations++;
      return;
    }
    if (!this.parts.probes.answered(from, head))
      this.parts.dispatcher.answered(from, payload, head, isServer);
  }
}
