/** One node as the registry keeps it: small, since there may be ten thousand. What nodes share is not in it. */
import { decodeState } from "../../bus/protocol.js";
import type { Capability } from "./capability.js";
import type { RegisteredNode } from "./core-service.js";
import { scoreOf } from "./score.js";
import { fromByteString } from "./subset.js";
import type { NodeWork } from "./node-work.js";

export class NodeEntry {
  /** Of the birth record; -1 before it came. */
  boot = -1;
  /** Of the newest state record; -1 before it came. */
  stateBoot = -1;
  stateOnline = false;
  /** The state record, a byte a character. */
  stateText = "";
  capability: Capability | undefined = undefined;
  /** Byte strings. */
  labels: readonly string[] = [];
  energyClass = 1;
  online = false;
  /** ms since 1970. */
  lastSeenAt = 0;
  /** Moving mean, ms; -1 before the first answer. */
  latencyMs = -1;
  /** Dispatched and not answered, and waiting for room here. */
  inFlight = 0;
  queued = 0;
  score = 0;
  heapAt = -1;
  work: NodeWork | undefined = undefined;

  constructor(readonly id: string) {}

  /** After latency, load or energy class changed. */
  rescore(): void {
    const score = scoreOf(this);
    if (score === this.score) return;
    this.score = score;
    this.capability?.nodes.update(this);
  }

  /** Its will came, of the life that is known. Wills come late sometimes. */
  get reportedDead(): boolean {
    return this.capability !== undefined && this.stateBoot === this.boot && !this.stateOnline;
  }

  hasLabels(wanted: readonly string[]): boolean {
    return wanted.every((label) => this.labels.includes(label));
  }

  /** As the rest of the node sees it. @throws Error before the birth record came */
  registered(): RegisteredNode {
    const { capability } = this;
    if (capability === undefined) throw new Error(`${this.id} has no birth record`);
    const record = { ...capability.record, node: this.id, boot: this.boot };
    const birth = this.labels.length === 0 ? record : { ...record, labels: this.labels.map(fromByteString) };
    const { stateText } = this;
    return {
      node: this.id,
      birth,
      // Decoded when it is looked at: lists of thousands rarely are.
      get state() {
        return stateText === "" ? undefined : decodeState(Buffer.from(stateText, "latin1"));
      },
      online: this.online,
      inFlight: this.inFlight,
      latencyMs: this.latencyMs < 0 ? undefined : this.latencyMs,
      energyClass: this.energyClass,
      lastSeenAt: this.lastSeenAt,
    };
  }
}
