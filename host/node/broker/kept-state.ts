/**
 * What the broker keeps on the disk, as keys and values of the journal, and back. Everything that is read is checked: a
 * file is an input like any other. It decides nothing.
 */
import { z } from "zod";
import type { Entry } from "./journal.js";

/** The part of aedes' packets that is stored. */
export interface StoredPacket {
  readonly cmd?: string;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  brokerId?: string | null;
  brokerCounter?: number;
  clientId?: string;
  messageId?: number | undefined;
}

export interface KeptSession {
  readonly subscriptions: ReadonlyMap<string, number>;
  readonly queue: readonly StoredPacket[];
}

/** What is told about every change; `settled` resolves when it is safe. */
export interface Keeper {
  set(key: string, value: unknown): void;
  settled(): Promise<void>;
}

/** For a broker that keeps nothing. */
export const keepsNothing: Keeper = { set: () => undefined, settled: () => Promise.resolve() };

export const keys = {
  retained: (topic: string) => `r ${topic}`,
  session: (client: string) => `s ${client}`,
  queued: (client: string, counter: number) => `q ${client} ${counter}`,
  /** The number (packet id) under which it was sent. */
  number: (client: string, counter: number) => `n ${client} ${counter}`,
  will: (client: string) => `w ${client}`,
};

const qos = z.number().int().min(0).max(1);
const bytes = z.instanceof(Uint8Array);
const messageSchema = z.tuple([z.string(), bytes, qos, z.boolean(), z.string().nullable()]);
const sessionSchema = z.array(z.tuple([z.string(), qos]));
const numberSchema = z.number().int().min(1).max(65535);

export function messageValue({ topic, payload, qos, retain, clientId }: StoredPacket): unknown {
  return [topic, payload, qos, retain, clientId ?? null];
}

export function sessionValue(subscriptions: ReadonlyMap<string, number>): unknown {
  return [...subscriptions];
}

export interface KeptState {
  readonly retained: StoredPacket[];
  readonly sessions: Map<string, { subscriptions: Map<string, number>; queue: StoredPacket[] }>;
  readonly wills: Map<string, StoredPacket>;
  /** Entries that were not understood. */
  readonly foreign: number;
}

/** @param brokerId that of today, which aedes compares. Queues are in their order. */
export function readState(entries: Iterable<Entry>, brokerId: string): KeptState {
  const retained: StoredPacket[] = [];
  const sessions: KeptState["sessions"] = new Map();
  const wills = new Map<string, StoredPacket>();
  const queued: { client: string; counter: number; packet: StoredPacket }[] = [];
  const numbers = new Map<string, number>();
  let foreign = 0;
  for (const [key, value] of entries) {
    const [kind, client = "", count = ""] = key.split(" ");
    const counter = Number(count);
    const message = kind === "r" || kind === "q" || kind === "w" ? messageOf(value) : undefined;
    if (kind === "r" && message !== undefined) retained.push(message);
    else if (kind === "w" && message !== undefined) wills.set(client, message);
    else if (kind === "q" && message !== undefined && Number.isSafeInteger(counter)) {
      queued.push({ client, counter, packet: { ...message, brokerId, brokerCounter: counter } });
    } else if (kind === "s" && sessionSchema.safeParse(value).success) {
      sessions.set(client, { subscriptions: new Map(sessionSchema.parse(value)), queue: [] });
    } else if (kind === "n" && numberSchema.safeParse(value).success) {
      numbers.set(`${client} ${count}`, numberSchema.parse(value));
    } else foreign++;
  }
  queued.sort((a, b) => a.counter - b.counter);
  for (const { client, counter, packet } of queued) {
    const number = numbers.get(`${client} ${counter}`);
    if (number !== undefined) packet.messageId = number;
    sessions.get(client)?.queue.push(packet);
  }
  return { retained, sessions, wills, foreign };
}

function messageOf(value: unknown): StoredPacket | undefined {
  const parsed = messageSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const [topic, payload, qos, retain, clientId] = parsed.data;
  return {
    cmd: "publish",
    topic,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    qos,
    retain,
    ...(clientId === null ? {} : { clientId }),
  };
}
