/**
 * One process at a time in a folder: a file that names its holder. A holder that died (also by kill -9 or a power cut)
 * does not block: its process id with its start time, and the boot of the machine, tell. Where they cannot (another
 * container with the same volume) the file's age does: its holder touches it.
 */
import { randomUUID } from "node:crypto";
import {
  linkSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import { errorCode } from "./storage-errors.js";

const holderSchema = z.object({
  token: z.string(),
  pid: z.number(),
  /** When the process started, in ticks since the boot; "" where /proc is missing. */
  started: z.string(),
  /** Machine, boot and process namespace: process ids mean the same where this is equal. */
  place: z.string(),
});
type Holder = z.infer<typeof holderSchema>;

const touchMs = 5_000;
const staleMs = 20_000;
/** How long a holder that is just dying may take. */
const patienceMs = 1_500;
/** Two that take over from one dead holder see each other after this. */
const settleMs = 25;

export interface FolderLock {
  release(): void;
}

/** @throws UserError TMC6201 when another process holds it */
export async function lockFolder(folder: string, waitMs = patienceMs): Promise<FolderLock> {
  const file = join(folder, "lock");
  const token = randomUUID();
  const own = join(folder, `lock-${token}`);
  const holder: Holder = { token, pid: process.pid, started: startOf(process.pid), place: placeOfProcess() };
  writeFileSync(own, JSON.stringify(holder));
  try {
    const giveUpAt = performance.now() + waitMs;
    for (;;) {
      if (tryLink(own, file)) {
        await sleep(settleMs);
        if (holderOf(file)?.token === token) return keep(file, token);
      }
      const other = holderOf(file);
      if (other !== undefined && isAlive(other, file)) {
        if (performance.now() > giveUpAt) throw inUse(folder, other);
        await sleep(50);
      } else {
        rmSync(file, { force: true });
      }
    }
  } finally {
    rmSync(own, { force: true });
  }
}

function keep(file: string, token: string): FolderLock {
  const timer = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch {
      // Nothing can be done here; the writes themselves will fail loudly.
    }
  }, touchMs);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      if (holderOf(file)?.token === token) unlinkSync(file);
    },
  };
}

function tryLink(own: string, file: string): boolean {
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** Undefined when there is none, or one that says nothing (a power cut). */
function holderOf(file: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder, file: string): boolean {
  if (holder.place !== placeOfProcess()) return ageMs(file) < staleMs;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false;
  }
  return startOf(holder.pid) === holder.started;
}

function ageMs(file: string): number {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return Infinity;
  }
}

function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name may have spaces and brackets; field 22 is the 20th behind it.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function placeOfProcess(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function inUse(folder: string, holder: Holder): UserError {
  return new UserError(
    "TMC6201",
    `${folder} is in use by another node (process ${holder.pid})`,
    "stop that node, or give this one its own folder: storage.path in node.yaml",
    ExitCode.failed,
  );
}
