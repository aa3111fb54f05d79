/**
 * Nodes that a last will reports dead, and that may live: a cluster of brokers publishes wills late, also after the node
 * has come back. They are asked (`node.monitor`); whatever one answers, it lives. What becomes of nodes that do not
 * answer is the registry's business.
 */
import type { BusConnection } from "../../bus/connection.js";
import { encodeServerRequest } from "../../bus/request-codec.js";
import { topicOf } from "../../bus/topics.js";
import type { AnswerHead } from "./envelope.js";
import type { NodeEntry } from "./node-entry.js";

export interface ProbesOptions {
  /** Of this server. */
  readonly id: string;
  readonly boot: number;
  readonly bus: BusConnection;
  /** It answered what it was asked after the will. */
  lives(entry: NodeEntry): void;
  unsent(error: unknown): void;
  /** After so long without an answer it is asked again, then after twice that; default 2000 ms. */
  readonly againMs?: number;
}

interface Probe {
  /** Of the first request and the last. */
  readonly from: number;
  to: number;
  timer: NodeJS.Timeout | undefined;
}

const mostAsks = 3;
const deadlineMs = 5_000;

export class Probes {
  private readonly asked = new Map<NodeEntry, Probe>();
  /** Numbers come from above: those of the server's own requests come from below. */
  private nextId = 0xffffffff;

  constructor(private readonly options: ProbesOptions) {}

  /** It is said to be dead, or was heard although it is. Asked already, it is not asked once more. */
  suspect(entry: NodeEntry): void {
    if (this.asked.has(entry) || !this.options.bus.connected) return;
    const probe: Probe = { from: this.nextId, to: this.nextId, timer: undefined };
    this.asked.set(entry, probe);
    this.ask(entry, probe, 1);
  }

  /** True: the answer was to this. */
  answered(entry: NodeEntry, { sender, boot, id, node }: AnswerHead): boolean {
    const probe = this.asked.get(entry);
    const mine = sender === this.options.id && boot === this.options.boot && node === entry.id;
    if (probe === undefined || !mine || id > probe.from || id < probe.to) return false;
    this.forget(entry);
    this.options.lives(entry);
    return true;
  }

  /** It announced itself, or is no more. */
  forget(entry: NodeEntry): void {
    clearTimeout(this.asked.get(entry)?.timer);
    this.asked.delete(entry);
  }

  stop(): void {
    for (const { timer } of this.asked.values()) clearTimeout(timer);
    this.asked.clear();
  }

  private ask(entry: NodeEntry, probe: Probe, count: number): void {
    const { id: sender, boot, bus, unsent, againMs = 2_000 } = this.options;
    probe.to = this.nextId--;
    const request = { id: probe.to, boot, sender, operation: "node.monitor", deadlineMs, brief: true };
    bus
      .publish(topicOf({ server: sender, node: entry.id, kind: "x" }), encodeServerRequest(request))
      .catch(unsent);
    probe.timer = setTimeout(
      () => {
        if (count < mostAsks) this.ask(entry, probe, count + 1);
        else this.forget(entry);
      },
      againMs * 2 ** (count - 1),
    );
    probe.timer.unref();
  }
}
