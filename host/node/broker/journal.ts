/**
 * A map on the disk, for what the broker has to remember: every change is appended to one file with a checksum, and what
 * is settled has been synced. It knows nothing of messages. Reads happen once, at the start; the living state is the
 * owner's. (Why not LMDB: docs/decisions/bus-journal.md.)
 *
 *   file    "tmc bus 1\n" record*
 *   record  "TmcR", length of the body (uint32, little-endian), CRC-32 of the body, body
 *   body    CBOR: [[key, value | null], …]; null: no such key any more
 */
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { decode, encode } from "cborg";
import { z } from "zod";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import type { Log } from "../log.js";
import { syncFolder } from "../storage/file-blobs.js";
import { errorCode } from "../storage/storage-errors.js";

const header = Buffer.from("tmc bus 1\n", "latin1");
const mark = Buffer.from("TmcR", "latin1");
const headBytes = mark.length + 8;
/** Changes of one record; and bytes of a file below which nobody cares how much of it is outdated. */
const recordChanges = 1000;
const smallBytes = 8 * 1024 * 1024;
const retryMs = 1000;

const bodySchema = z.array(z.tuple([z.string(), z.unknown()]));

export type Entry = readonly [key: string, value: unknown];

export interface JournalOptions {
  readonly log: Log;
  /** File size from which it is written anew without what is outdated. Default 8 MiB. */
  readonly rewriteBytes?: number;
}

interface Round {
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Journal {
  /** What every key stands for now: read when the file is written anew. */
  entriesNow: () => Iterable<Entry> = () => [];
  private pending = new Map<string, unknown>();
  private next: Round = newRound();
  private writing: Round | undefined;
  private scheduled = false;
  private closed = false;
  private retry: NodeJS.Timeout | undefined;
  private handle: FileHandle | undefined;
  private failing = false;

  private constructor(
    private readonly folder: string,
    /** Bytes of the file that are whole records. */
    private bytes: number,
    /** The file is not to be trusted with more: it is written anew before anything else. */
    private rewrite: boolean,
    private readonly options: JournalOptions,
    /** Bytes after it was written anew. */
    private base = 0,
  ) {}

  /**
   * Reads what is there, making the folder when it is missing. An end that was cut off is dropped: it was never
   * settled. Damaged records are left out, and the file is kept aside as `journal.damaged`.
   * @throws UserError TMC6110 when the folder or file cannot be used, or another version wrote it
   */
  static open(folder: string, options: JournalOptions): { journal: Journal; entries: Map<string, unknown> } {
    const file = join(folder, "journal");
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const bytes = prepare(file);
      if (!bytes.subarray(0, header.length).equals(header)) {
        throw unusable(file, "it is damaged, or another version of tmc wrote it");
      }
      const found = readRecords(bytes);
      if (found.damaged > 0) {
        const aside = `${file}.damaged`;
        copyFileSync(file, aside);
        options.log.error(
          { file: aside, records: found.damaged },
          "what the broker kept is damaged in places: those messages are lost, the others are here",
        );
      } else if (found.end < bytes.length) {
        options.log.warn({ file, bytes: bytes.length - found.end }, "the last write was cut off: dropped");
      }
      const rewrite = found.damaged > 0 || found.end < bytes.length;
      return { journal: new Journal(folder, found.end, rewrite, options), entries: found.entries };
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw unusable(file, error instanceof Error ? error.message : String(error));
    }
  }

  /** `value` as CBOR can have it; undefined: the key is gone. Its last value counts; read when it is written. */
  set(key: string, value: unknown): void {
    if (this.closed) return;
    this.pending.set(key, value);
    this.schedule();
  }

  /** Resolves when everything that was set is on the disk. Rejects when it cannot be written (it is tried again). */
  settled(): Promise<void> {
    if (this.pending.size > 0) return this.next.done;
    return this.writing?.done ?? Promise.resolve();
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.retry);
    while (this.writing !== undefined) await this.writing.done.catch(() => undefined);
    if (this.pending.size > 0) await this.flush().catch(() => undefined);
    await this.handle?.close();
    this.handle = undefined;
  }

  /** All changes of one turn of the event loop, and those that come while others are written, go together. */
  private schedule(): void {
    if (this.scheduled || this.writing !== undefined) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      void this.work();
    });
  }

  private async work(): Promise<void> {
    while (this.pending.size > 0 && !this.closed && this.writing === undefined) {
      try {
        await this.flush();
      } catch {
        // Told already, and to everybody who waits; what was set waits too.
        this.retry = setTimeout(() => this.schedule(), retryMs);
        this.retry.unref();
        return;
      }
    }
  }

  private async flush(): Promise<void> {
    const round = this.next;
    const batch = this.pending;
    this.next = newRound();
    this.pending = new Map();
    this.writing = round;
    try {
      const limit = Math.max(this.options.rewriteBytes ?? smallBytes, 2 * this.base);
      if (this.rewrite || this.bytes > limit) await this.writeAnew();
      else await this.append(batch);
      this.failing = false;
      round.resolve();
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      // Whether a failed write or sync left anything is unknown.
      this.rewrite = true;
      for (const [key, value] of batch) if (!this.pending.has(key)) this.pending.set(key, value);
      if (!this.failing) {
        this.options.log.error(
          { folder: this.folder, err: reason },
          "the broker cannot write what it must keep: such messages are not acknowledged until it can",
        );
      }
      this.failing = true;
      round.reject(reason);
      throw reason;
    } finally {
      this.writing = undefined;
    }
  }

  private async append(batch: Iterable<Entry>): Promise<void> {
    this.handle ??= await open(join(this.folder, "journal"), "r+");
    const bytes = records(batch);
    await writeAll(this.handle, bytes, this.bytes);
    await this.handle.datasync();
    this.bytes += bytes.length;
  }

  /** The state of this moment, which every change so far is part of, as a new file in the place of the old one. */
  private async writeAnew(): Promise<void> {
    const file = join(this.folder, "journal");
    const bytes = Buffer.concat([header, records(this.entriesNow())]);
    await rm(`${file}.new`, { force: true });
    const fresh = await open(`${file}.new`, "wx", 0o600);
    try {
      await writeAll(fresh, bytes, 0);
      await fresh.sync();
      await rename(`${file}.new`, file);
      await syncFolder(this.folder);
    } catch (error) {
      await fresh.close();
      await rm(`${file}.new`, { force: true });
      throw error;
    }
    await this.handle?.close().catch(() => undefined);
    this.handle = fresh;
    this.bytes = bytes.length;
    this.base = bytes.length;
    this.rewrite = false;
  }
}

function newRound(): Round {
  let resolve = (): void => undefined;
  let reject = (_: Error): void => undefined;
  const done = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Nobody may be waiting.
  done.catch(() => undefined);
  return { done, resolve, reject };
}

/** The bytes of the file, which is made when it is missing or was never begun. */
function prepare(file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    if (bytes.length >= header.length) return bytes;
    // A first start that ended in the middle of the header.
    if (!header.subarray(0, bytes.length).equals(bytes)) return bytes;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  const handle = openSync(file, "w", 0o600);
  try {
    ftruncateSync(handle, 0);
    writeSync(handle, header);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return Buffer.from(header);
}

function readRecords(bytes: Buffer): { entries: Map<string, unknown>; damaged: number; end: number } {
  const entries = new Map<string, unknown>();
  let damaged = 0;
  let at = header.length;
  let end = at;
  while (at < bytes.length) {
    const body = bodyAt(bytes, at);
    if (body !== undefined) {
      for (const [key, value] of body.changes) {
        if (value === null) entries.delete(key);
        else entries.set(key, value);
      }
      at = body.end;
      end = at;
      continue;
    }
    // Either the end of a write that was cut off, or damage with whole records behind it.
    let again = bytes.indexOf(mark, at + 1);
    while (again >= 0 && bodyAt(bytes, again) === undefined) again = bytes.indexOf(mark, again + 1);
    if (again < 0) break;
    damaged++;
    at = again;
  }
  return { entries, damaged, end };
}

function bodyAt(bytes: Buffer, at: number): { changes: [string, unknown][]; end: number } | undefined {
  const start = at + headBytes;
  if (start > bytes.length || !bytes.subarray(at, at + mark.length).equals(mark)) return undefined;
  const end = start + bytes.readUInt32LE(at + mark.length);
  if (end > bytes.length) return undefined;
  const body = bytes.subarray(start, end);
  if (crc32(body) !== bytes.readUInt32LE(at + mark.length + 4)) return undefined;
  try {
    return { changes: bodySchema.parse(decode(body)), end };
  } catch {
    return undefined;
  }
}

function records(changes: Iterable<Entry>): Buffer {
  const parts: Buffer[] = [];
  let some: [string, unknown][] = [];
  const finish = (): void => {
    if (some.length === 0) return;
    const body = encode(some);
    const head = Buffer.alloc(headBytes);
    mark.copy(head);
    head.writeUInt32LE(body.length, mark.length);
    head.writeUInt32LE(crc32(body), mark.length + 4);
    parts.push(head, Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    some = [];
  };
  for (const [key, value] of changes) {
    some.push([key, value ?? null]);
    if (some.length === recordChanges) finish();
  }
  finish();
  return Buffer.concat(parts);
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function unusable(file: string, reason: string): UserError {
  return new UserError(
    "TMC6110",
    `what the broker kept cannot be read: ${file}: ${reason}`,
    "Restore that file from a backup, or move it away: nodes announce themselves again, messages that waited for clients that are away are lost. Without bus.broker.persistence nothing is kept.",
    ExitCode.failed,
  );
}
