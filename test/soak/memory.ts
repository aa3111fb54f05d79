/** What a node under soak holds, again and again: its process (native_sim), its own counters and high-water marks (console). */
import { readFileSync } from "node:fs";
import type { SerialConsole } from "../../compiler/device/serial-console.js";

/** Of the console's command "status"; bytes. */
export interface Marks {
  readonly outbox: number;
  readonly outboxMost: number;
  /** The arena of TLS, within a session. */
  readonly tls: number;
  readonly tlsMost: number;
  /** Never used since boot; -1 where it is not known. */
  readonly stackFree: number;
  /** KiB of the node's process; 0 in QEMU. */
  readonly rss: number;
}

export interface Status {
  readonly marks: Marks;
  /** All that it counts, by name. */
  readonly counters: Readonly<Record<string, number>>;
}

/** @throws Error when the console says something else; UserError when it does not answer */
export async function readStatus(serial: SerialConsole, pid: number | undefined): Promise<Status> {
  const { words } = await serial.command("status");
  const counters: Record<string, number> = {};
  for (const word of words) {
    const match = /^([a-z-]+)=(-?\d+)(?:\/(\d+))?$/.exec(word);
    if (match === null) throw new Error(`status: "${word}"`);
    const [, name = "", value, most] = match;
    counters[name] = Number(value);
    if (most !== undefined) counters[`${name}-most`] = Number(most);
  }
  const of = (name: string): number => counters[name] ?? -1;
  const marks = {
    outbox: of("outbox"),
    outboxMost: of("outbox-most"),
    tls: of("tls"),
    tlsMost: of("tls-most"),
    stackFree: of("stack-free"),
    rss: pid === undefined ? 0 : residentKiB(pid),
  };
  return { marks, counters };
}

function residentKiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? "0");
}

/** Pages that a process of this size may still touch for the first time. */
const rssSlackKiB = 512;
/** Sessions differ by what waits in them. */
const tlsSlack = 512;

/** What an interrupt puts on the stack, where it happens to come. */
const interruptFrame = 108;

/** What grew from `early`, when everything had happened once, to `late`. */
export function growth(early: Marks, late: Marks): string[] {
  const grown: string[] = [];
  if (late.rss > early.rss + rssSlackKiB) grown.push(`the process grew from ${early.rss} to ${late.rss} KiB`);
  if (late.tls > early.tls + tlsSlack) grown.push(`TLS holds ${late.tls} bytes, not ${early.tls}`);
  if (late.tlsMost > early.tlsMost + tlsSlack)
    grown.push(`TLS held at most ${late.tlsMost} bytes, not ${early.tlsMost}`);
  if (late.outbox > early.outbox && late.outbox > late.outboxMost / 2)
    grown.push(`${late.outbox} bytes are kept that should have been acknowledged`);
  if (late.stackFree < early.stackFree - interruptFrame)
    grown.push(`${late.stackFree} bytes of stack were never used, not ${early.stackFree}`);
  return grown;
}
