/**
 * The Message Bus Client: this server as an ordinary client of a neighbouring server. It announces what this server can
 * do, and carries requests and answers both ways; deciding is the service's.
 */
import type { BusConnection } from "../../bus/connection.js";
import { parseTopic, topicOf, type TopicKind } from "../../bus/topics.js";
import { NodeEntry } from "./node-entry.js";

export interface LinkHandlers {
  /** A request that the neighbour dispatched to this server. */
  request(link: NeighbourLink, payload: Uint8Array): void;
  /** An answer to what this server forwarded. */
  answer(link: NeighbourLink, payload: Uint8Array): void;
  chunk(link: NeighbourLink, payload: Uint8Array): void;
  /** Connected anew: announce yourself. */
  up(link: NeighbourLink): void;
  down(link: NeighbourLink): void;
}

export class NeighbourLink {
  /** The neighbour as a target: latency, load, what it runs. */
  readonly entry: NodeEntry;
  readonly requestTopic: string;
  readonly answerTopic: string;

  constructor(
    /** Id of the neighbouring server. */
    readonly id: string,
    /** Id of this server. */
    private readonly own: string,
    readonly connection: BusConnection,
    private readonly handlers: LinkHandlers,
  ) {
    this.entry = new NodeEntry(id);
    this.requestTopic = this.topic("q");
    this.answerTopic = this.topic("y");
  }

  topic(kind: TopicKind): string {
    return topicOf({ server: this.id, node: this.own, kind });
  }

  async start(): Promise<void> {
    this.connection.onMessage((topic, payload) => this.receive(topic, payload));
    this.connection.onConnectionChange((connected) => {
      if (connected === this.entry.online) return;
      this.entry.online = connected;
      if (connected) this.handlers.up(this);
      else this.handlers.down(this);
    });
    await this.connection.subscribe([this.topic("r"), this.topic("x"), this.topic("c")]);
    if (this.connection.connected && !this.entry.online) {
      this.entry.online = true;
      this.handlers.up(this);
    }
  }

  private receive(topic: string, payload: Uint8Array): void {
    const parsed = parseTopic(topic);
    if (parsed === undefined || parsed.server !== this.id || parsed.node !== this.own) return;
    this.entry.lastSeenAt = Date.now();
    if (parsed.kind === "x") this.handlers.request(this, payload);
    else if (parsed.kind === "r") this.handlers.answer(this, payload);
    else if (parsed.kind === "c") this.handlers.chunk(this, payload);
  }
}
