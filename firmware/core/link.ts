/** The node's topics: builds them in one buffer, publishes and subscribes with QoS 1, counts what was not sent. */
import { busPublish, busSubscribe, busWill, nodeId, serverId } from "../std/platform.js";
import { TextBuffer } from "../std/text-buffer.js";
import type { Counters } from "./counters.js";
import { Counter } from "./counters.js";

export class Link {
  private readonly topic: TextBuffer = new TextBuffer(56);

  constructor(private readonly counters: Counters) {}

  /** `kind`: the last letter of the topic. False when it could not be sent. */
  publish(kind: string, payload: Uint8Array, retain: boolean): boolean {
    this.setTopic(kind);
    return busPublish(this.topic.toString(), payload, 1, retain);
  }

  /** As `publish`, for what is not sent again: counts a failure. */
  publishOnce(kind: string, payload: Uint8Array, retain: boolean): void {
    if (!this.publish(kind, payload, retain)) this.counters.count(Counter.Unsent);
  }

  subscribe(kind: string): void {
    this.setTopic(kind);
    busSubscribe(this.topic.toString(), 1);
  }

  setWill(kind: string, payload: Uint8Array): void {
    this.setTopic(kind);
    busWill(this.topic.toString(), payload, 1, true);
  }

  /** Is it this node's topic of that kind? */
  isOwn(topic: string, kind: string): boolean {
    this.setTopic(kind);
    return topic === this.topic.toString();
  }

  private setTopic(kind: string): void {
    this.topic.clear();
    this.topic.write(`t1/${serverId()}/${nodeId()}/${kind}`);
  }
}
