/**
 * What one remote address may ask for before it has proved who it is: so many connections a second, so many that are
 * not proven yet, and the more failed log-ins, the longer until the next connection. Who is in stays in. An IPv6 network
 * (/64) is one address: its owner has all of it.
 */
import { isIPv6 } from "node:net";
import { TokenBucket } from "./token-bucket.js";

export interface AddressLimits {
  /** Of one address: on average, and at once. */
  readonly connectionsPerSecond: number;
  readonly burst: number;
  /** Connections that have not proved who they are: of one address, and of all. */
  readonly halfOpen: number;
  readonly allHalfOpen: number;
}

/** Failed log-ins in a row that cost nothing; each more costs twice as many connections, up to a share of the burst. */
const freeFailures = 5;
const mostOfBurst = 0.25;
/** Addresses that are remembered. More share one entry. */
const remembered = 16_384;
const others = "";

interface Entry {
  readonly bucket: TokenBucket;
  halfOpen: number;
  failures: number;
}

export class AddressGate {
  private readonly entries = new Map<string, Entry>();
  private halfOpen = 0;

  constructor(
    private readonly limits: AddressLimits,
    private readonly now: () => number = Date.now,
  ) {}

  /** Connections that have not proved who they are. */
  get unproven(): number {
    return this.halfOpen;
  }

  /** A new connection. Undefined: it may stay, and `proven` or `left` is called once. */
  enter(address: string): "address" | "half-open" | undefined {
    const entry = this.entry(address);
    if (entry.halfOpen >= this.limits.halfOpen || this.halfOpen >= this.limits.allHalfOpen)
      return "half-open";
    if (entry.bucket.available(this.now()) < 1) return "address";
    entry.bucket.take(1, this.now());
    entry.halfOpen++;
    this.halfOpen++;
    return undefined;
  }

  /** It proved who it is. */
  proven(address: string): void {
    this.left(address);
    this.entry(address).failures = 0;
  }

  /** It is gone, and had not. */
  left(address: string): void {
    this.entry(address).halfOpen--;
    this.halfOpen--;
  }

  /** A log-in that failed. */
  failed(address: string): void {
    const entry = this.entry(address);
    entry.failures++;
    const price = 2 ** Math.min(30, entry.failures - freeFailures);
    if (price < 2) return;
    const { burst } = this.limits;
    const left = entry.bucket.available(this.now());
    // What is owed is bounded: so is the time until somebody else behind that address gets in.
    entry.bucket.take(Math.min(price, left + burst * mostOfBurst), this.now());
  }

  private entry(address: string): Entry {
    const name = networkOf(address);
    const known = this.entries.get(name);
    if (known !== undefined) return known;
    if (this.entries.size >= remembered) this.sweep();
    const full = this.entries.size >= remembered;
    const shared = full ? this.entries.get(others) : undefined;
    if (shared !== undefined) return shared;
    const { connectionsPerSecond, burst } = this.limits;
    const entry = {
      bucket: new TokenBucket(connectionsPerSecond, burst, this.now()),
      halfOpen: 0,
      failures: 0,
    };
    this.entries.set(full ? others : name, entry);
    return entry;
  }

  /** Forgets those of whom there is nothing to remember. */
  private sweep(): void {
    for (const [name, { bucket, halfOpen }] of this.entries) {
      if (halfOpen === 0 && bucket.available(this.now()) >= this.limits.burst) this.entries.delete(name);
    }
  }
}

/** @internal "::ffff:192.0.2.1" is an IPv4 address; of IPv6 the first 64 bits count. */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, "").toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...last];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}
