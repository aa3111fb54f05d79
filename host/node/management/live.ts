/**
 * Live events for the page and for `tmc node … --follow`, as server-sent events. Everything is bounded: the ring that a
 * client that returns reads on from, what waits for a slow client, the rate of each kind. Who missed something is told
 * so by the event `resync`, and reads the state anew.
 */
import type { RequestTrace } from "../core/core-service.js";
import type { JobSummary } from "../jobs/jobs.js";
import type { LogLine } from "../log.js";
import { summarizeNode } from "../operations/node-summary.js";
import { OperationFailure } from "../operations/operation.js";
import { reader } from "./calls.js";
import { jsonValue } from "./json-values.js";
import type { ManagementParts } from "./parts.js";
import { traceOf } from "./views.js";

export const eventKinds = ["node", "load", "request", "job", "log", "resync"] as const;
export type EventKind = (typeof eventKinds)[number];

const ring = 512;
const clientsAtMost = 32;
/** Bytes that may wait for a client. */
const waiting = 256 * 1024;
/** Events of a second; requests are sampled, log lines above it are in /logs only. */
const perSecond = { request: 20, log: 50 } as const;
const jobEveryMs = 250;
const loadEveryMs = 1000;
const keepAliveMs = 15_000;
/** Nodes whose load is told. */
const nodesAtMost = 500;
const lineBytes = 4096;

interface Kept {
  readonly number: number;
  readonly kind: EventKind;
  readonly text: string;
}

interface Client {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly kinds: ReadonlySet<EventKind>;
  missed: boolean;
}

const encoder = new TextEncoder();

export class LiveFeed {
  private readonly epoch = Date.now().toString(36);
  private readonly kept: Kept[] = [];
  private readonly clients = new Set<Client>();
  private readonly stops: (() => void)[];
  private readonly timers: NodeJS.Timeout[];
  private readonly pendingJobs = new Map<string, { job: JobSummary; timer: NodeJS.Timeout }>();
  private readonly jobSentAt = new Map<string, number>();
  private readonly budget = { request: 0, log: 0 };
  private skipped = 0;
  private number = 0;
  private lastLoad = "";

  constructor(private readonly parts: ManagementParts) {
    const { core, jobs, log } = parts;
    this.stops = [
      core.on("node-online", (node) => this.publish("node", summarizeNode(node, core.id))),
      core.on("node-offline", (node) => this.publish("node", summarizeNode(node, core.id))),
      core.on("request", (trace) => this.request(trace)),
      jobs.onChange((job) => this.job(job)),
      log.onLine((line) => this.line(line)),
    ];
    const refill = (): void => {
      this.budget.request = perSecond.request;
      this.budget.log = perSecond.log;
    };
    refill();
    this.timers = [
      setInterval(refill, 1000).unref(),
      setInterval(() => this.load(), loadEveryMs).unref(),
      setInterval(() => this.each(encoder.encode(": still here\n\n")), keepAliveMs).unref(),
    ];
  }

  /**
   * @param lastId the id of the last event that the client has seen
   * @throws OperationFailure busy: too many listen
   */
  open(lastId: string | undefined, kinds: ReadonlySet<EventKind>): Response {
    if (this.clients.size >= clientsAtMost) {
      throw new OperationFailure("busy", `${clientsAtMost} listen already`, undefined, {
        retryAfterMs: 5000,
      });
    }
    let client: Client | undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          client = { controller, kinds, missed: false };
          this.clients.add(client);
          controller.enqueue(encoder.encode("retry: 2000\n\n"));
          this.replay(client, lastId);
        },
        cancel: () => {
          if (client !== undefined) this.clients.delete(client);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: waiting }),
    );
    return new Response(stream, {
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
    });
  }

  private replay(client: Client, lastId: string | undefined): void {
    if (lastId === undefined) return;
    const [epoch, text] = lastId.split("-");
    const from = Number(text) + 1;
    const oldest = this.kept[0]?.number ?? this.number + 1;
    if (epoch !== this.epoch || !Number.isInteger(from) || from < oldest || from > this.number + 1) {
      this.send(client, this.textOf("resync", this.number, "{}"));
      return;
    }
    for (const event of this.kept) {
      if (event.number >= from && client.kinds.has(event.kind)) this.send(client, event.text);
    }
  }

  private textOf(kind: EventKind, number: number, data: string): string {
    return `id: ${this.epoch}-${number}\nevent: ${kind}\ndata: ${data}\n\n`;
  }

  private publish(kind: EventKind, value: unknown): void {
    const number = ++this.number;
    // JSON has no line breaks of its own, so a value is one line.
    const text = this.textOf(kind, number, JSON.stringify(value));
    this.kept.push({ number, kind, text });
    if (this.kept.length > ring) this.kept.shift();
    for (const client of this.clients) if (client.kinds.has(kind)) this.send(client, text);
  }

  private send(client: Client, text: string): void {
    const room = client.controller.desiredSize ?? 0;
    if (client.missed && room > waiting / 2) {
      client.missed = false;
      client.controller.enqueue(encoder.encode(this.textOf("resync", this.number, "{}")));
    }
    if (client.missed || room <= 0) {
      client.missed = true;
      return;
    }
    client.controller.enqueue(encoder.encode(text));
  }

  private each(bytes: Uint8Array): void {
    for (const { controller } of this.clients)
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(bytes);
  }

  private request(trace: RequestTrace): void {
    if (trace.request.sender === reader) return;
    if (this.budget.request <= 0) {
      this.skipped++;
      return;
    }
    this.budget.request--;
    this.publish("request", { ...traceOf(trace), skipped: this.skipped });
    this.skipped = 0;
  }

  private line(line: LogLine): void {
    if (this.budget.log-- <= 0) return;
    this.publish("log", shortened(line));
  }

  /** At most every `jobEveryMs` of one job; the last change is always told. */
  private job(job: JobSummary): void {
    const pending = this.pendingJobs.get(job.id);
    if (pending !== undefined) {
      pending.job = job;
      return;
    }
    const since = Date.now() - (this.jobSentAt.get(job.id) ?? 0);
    if (since >= jobEveryMs) {
      this.sendJob(job);
      return;
    }
    const timer = setTimeout(() => {
      const latest = this.pendingJobs.get(job.id)?.job ?? job;
      this.pendingJobs.delete(job.id);
      this.sendJob(latest);
    }, jobEveryMs - since).unref();
    this.pendingJobs.set(job.id, { job, timer });
  }

  private sendJob(job: JobSummary): void {
    if (job.endedAt === undefined) this.jobSentAt.set(job.id, Date.now());
    else this.jobSentAt.delete(job.id);
    this.publish("job", jsonValue(job));
  }

  private load(): void {
    if (this.clients.size === 0) return;
    const nodes = this.parts.core.nodes().slice(0, nodesAtMost);
    const value = {
      state: this.parts.state(),
      neighbours: this.parts.core.neighbours(),
      pending: this.parts.core.pending(),
      nodes: Object.fromEntries(nodes.map((n) => [n.node, { inFlight: n.inFlight, latencyMs: n.latencyMs }])),
    };
    const text = JSON.stringify(value);
    if (text === this.lastLoad) return;
    this.lastLoad = text;
    this.publish("load", value);
  }

  close(): void {
    for (const stop of this.stops) stop();
    for (const timer of this.timers) clearInterval(timer);
    for (const { timer } of this.pendingJobs.values()) clearTimeout(timer);
    for (const { controller } of this.clients) controller.close();
    this.clients.clear();
  }
}

/** A log line that is larger than is told live, cut to its message. */
function shortened(line: LogLine): unknown {
  if (JSON.stringify(line).length <= lineBytes) return line;
  const { time, level, module, msg } = line;
  return { time, level, module, msg: `${msg.slice(0, lineBytes / 2)} … (cut)` };
}
