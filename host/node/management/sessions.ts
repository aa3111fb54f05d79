/**
 * Log-ins of the page. Random ids, of which only digests are kept: in memory, and in a file, so that a page stays logged in
 * when the node is restarted. A new token ends them all.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";

export const sessionMs = 12 * 3600 * 1000;
const sessionsAtMost = 100;

export const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
const nameOf = (text: string): string => digestOf(text).toString("hex");

const fileSchema = z.strictObject({
  /** Digest of the token that they were opened with. */
  token: z.string(),
  /** When each ends, ms since 1970, by digest. */
  ends: z.record(z.string().regex(/^[0-9a-f]{64}$/), z.number()),
});

export interface SessionsFile {
  readonly path: string;
  readonly token: string;
}

export class Sessions {
  private readonly ends = new Map<string, number>();

  constructor(
    private readonly now: () => number = Date.now,
    private readonly file?: SessionsFile,
  ) {
    if (file === undefined) return;
    try {
      const kept = fileSchema.parse(JSON.parse(readFileSync(file.path, "utf8")));
      if (kept.token !== nameOf(file.token)) return;
      for (const [name, end] of Object.entries(kept.ends).slice(-sessionsAtMost)) this.ends.set(name, end);
    } catch {
      // None yet, or none that can be read: people log in again.
    }
  }

  /** A new one; the oldest goes when there are too many. */
  open(): string {
    const [oldest] = this.ends.keys();
    if (this.ends.size >= sessionsAtMost && oldest !== undefined) this.ends.delete(oldest);
    const id = randomBytes(32).toString("base64url");
    this.ends.set(nameOf(id), this.now() + sessionMs);
    this.keep();
    return id;
  }

  has(id: string): boolean {
    const end = this.ends.get(nameOf(id));
    return end !== undefined && end > this.now();
  }

  close(id: string): void {
    if (this.ends.delete(nameOf(id))) this.keep();
  }

  private keep(): void {
    if (this.file === undefined) return;
    const ends = [...this.ends].filter(([, end]) => end > this.now());
    const content = { token: nameOf(this.file.token), ends: Object.fromEntries(ends) };
    const next = `${this.file.path}.new`;
    try {
      writeFileSync(next, JSON.stringify(content), { mode: 0o600 });
      renameSync(next, this.file.path);
    } catch {
      // They hold until the node ends.
    }
  }
}
