/** One node as the registry keeps it: small, since there may be ten thousand. What nodes share is not in it. */
import { decodeState, type Birth, type State } from "../../bus/protocol.js";
import type { Capability } from "./capability.js";
import type { RegisteredNode } from "./core-service.js";
import { scoreOf } from "./score.js";
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

  hasLabels(wanted: readonly string[]): boolean {
    return wanted.every((label) => this.labels.includes(label));
  }

  /** Undefined before the birth record came. */
  birth(): Birth | undefined {
    if (this.capability === undefined) return undefined;
    const labels = this.labels.length === 0 ? {} : { labels: [...this.labels] };
    return { ...this.capability.record, node: this.id, boot: this.boot, ...labels };
  }

  state(): State | undefined {
    return this.stateText === "" ? undefined : decodeState(Buffer.from(this.stateText, "latin1"));
  }

  /** As the rest of the node sees it. @throws Error before the birth record came */
  registered(): RegisteredNode {
    const birth = this.birth();
    if (birth === undefined) throw new Error(`${this.id} has no birth record`);
    return {
      node: this.id,
      birth,
      state: this.state(),
      online: this.online,
      inFlight: this.inFlight,
      latencyMs: this.latencyMs < 0 ? undefined : this.latencyMs,
      energyClass: this.energyClass,
      lastSeenAt: this.lastSeenAt,
    };
  }
}
