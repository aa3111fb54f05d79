/**
 * Passwords of clients without certificates: verified slowly, guessed never. Whoever was right since the start is
 * recognised at once, so that an attacker who keeps the gate busy keeps nobody out who was in.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Identities } from "./identities.js";

/** Wrong attempts of an id before it has to wait; after that 1 s, 2 s, … at most 5 s between attempts. */
const freeAttempts = 5;
const longestWaitMs = 5_000;
/** Verifications at a time; more are told to come again. */
const atOnce = 4;
/** Ids whose failures are remembered. */
const remembered = 4096;
const longest = 256;

export class PasswordGate {
  private readonly key = randomBytes(32);
  private readonly known = new Map<string, Buffer>();
  private readonly failures = new Map<string, { count: number; until: number }>();
  private running = 0;

  constructor(
    private readonly identities: Identities,
    private readonly now: () => number = Date.now,
  ) {}

  async check(id: string, password: string): Promise<"right" | "wrong" | "throttled"> {
    if (password.length > longest) return "wrong";
    const mark = createHmac("sha256", this.key).update(password).digest();
    const known = this.known.get(id);
    if (known !== undefined && timingSafeEqual(known, mark)) return "right";
    const failed = this.failures.get(id);
    if (failed !== undefined && this.now() < failed.until) return "throttled";
    if (this.running >= atOnce) return "throttled";
    this.running++;
    try {
      if (await this.identities.verifyPassword(id, password)) {
        this.failures.delete(id);
        this.known.set(id, mark);
        return "right";
      }
    } finally {
      this.running--;
    }
    this.failed(id);
    return "wrong";
  }

  /** After a change of the identities: everybody is verified again. */
  forget(): void {
    this.known.clear();
  }

  private failed(id: string): void {
    const count = (this.failures.get(id)?.count ?? 0) + 1;
    const wait = count < freeAttempts ? 0 : Math.min(longestWaitMs, 1000 * 2 ** (count - freeAttempts));
    if (this.failures.size >= remembered) this.failures.clear();
    this.failures.set(id, { count, until: this.now() + wait });
  }
}
