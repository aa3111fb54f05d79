/**
 * The slots of `tmc/port.h` on the host: what begins, runs, is tried and rejected, with the results of the update store
 * (`runtime-c/update`). Everything is in memory and nothing tears: power cuts are that store's proof.
 */
import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";
import type { HostFunction } from "./current-platform.js";

/** As `tmc_update_result` and `TMC_SLOT_*`; results are minus these. */
export const SlotError = {
  there: 1,
  badHeader: 2,
  noSpace: 3,
  rollback: 4,
  badSignature: 5,
  badDigest: 6,
  gap: 7,
  wrongState: 8,
  flashFailed: 9,
  lapsed: 10,
  absent: 32,
  noKey: 33,
} as const;

const headerBytes = 192;
const magic = 0x55434d54;
const pageBytes = 4096;
const attempts = 3;
const SlotState = { empty: 0, confirmed: 1, onTrial: 2 } as const;

interface Version {
  readonly header: Uint8Array;
  readonly content: Uint8Array;
  /** Bytes that are there, and that would be after a loss of power: whole pages. */
  received: number;
  kept: number;
  complete: boolean;
  trial: boolean;
  confirmed: boolean;
  failed: boolean;
  removed: boolean;
  attempts: number;
}

const counterOf = (version: Version): number => number(version.header, 16);
const digestOf = (version: Version): Uint8Array => version.header.subarray(20, 52);

/** The slots of one kind. It lives on over simulated restarts; `cutPower` is one that takes what was not written yet. */
export class SimulatedSlots {
  /** The confirmed version before, the newest: at most two. */
  private versions: Version[] = [];
  private active: Version | undefined;
  private target: Version | undefined;
  /** At this start it had no attempt left, and nobody was told. */
  private lapsed: Version | undefined;
  /** While true, nothing can be written. */
  failing = false;

  /** `room`: bytes of content. `key`: of the owner, an uncompressed point of P-256 (65 bytes); none: nobody may. */
  constructor(
    readonly kind: number,
    readonly room: number,
    readonly key: Uint8Array | undefined,
  ) {}

  boot(): number {
    this.target = undefined;
    const tried = this.versions.find((v) => v.trial && !v.confirmed && !v.failed);
    if (tried !== undefined) {
      if (tried.attempts < attempts) {
        tried.attempts++;
        this.active = tried;
        return SlotState.onTrial;
      }
      tried.failed = true;
      this.lapsed = tried;
    }
    const newest = this.versions.filter((v) => v.confirmed).at(-1);
    this.active = newest?.removed === false ? newest : undefined;
    return this.active === undefined ? SlotState.empty : SlotState.confirmed;
  }

  begin(header: Uint8Array): number {
    this.target = undefined;
    if (this.key === undefined) return -SlotError.noKey;
    const error = this.refusal(header);
    if (error !== 0) return -error;
    if (this.active !== undefined && Buffer.compare(this.active.header, header) === 0)
      return -SlotError.there;
    if (this.onTrial()) return -SlotError.wrongState;
    const { lapsed } = this;
    if (lapsed !== undefined && Buffer.compare(lapsed.header, header) === 0) {
      this.lapsed = undefined;
      return -SlotError.lapsed;
    }
    if (this.failing) return -SlotError.flashFailed;
    const begun = this.versions.find(
      (v) => Buffer.compare(v.header, header) === 0 && !v.failed && !v.confirmed,
    );
    if (begun !== undefined) {
      begun.received = begun.kept;
      this.target = begun;
      return begun.received;
    }
    const made: Version = {
      header: header.slice(),
      content: new Uint8Array(number(header, 12)),
      ...{ received: 0, kept: 0, complete: false, trial: false },
      ...{ confirmed: false, failed: false, removed: false, attempts: 0 },
    };
    const kept = this.active ?? this.versions.filter((v) => v.confirmed).at(-1);
    this.versions = kept === undefined ? [made] : [kept, made];
    this.lapsed = undefined;
    this.target = made;
    return 0;
  }

  write(offset: number, bytes: Uint8Array): number {
    const to = this.target;
    if (to === undefined) return -SlotError.wrongState;
    if (offset !== to.received || bytes.length > to.content.length - to.received) return -SlotError.gap;
    if (this.failing) {
      this.target = undefined;
      return -SlotError.flashFailed;
    }
    to.content.set(bytes, offset);
    to.received += bytes.length;
    const whole = to.received === to.content.length;
    to.kept = whole ? to.received : to.received - (to.received % pageBytes);
    return 0;
  }

  finish(): number {
    const to = this.target;
    if (to === undefined || to.received !== to.content.length) return -SlotError.wrongState;
    if (!createHash("sha256").update(to.content).digest().equals(digestOf(to))) {
      to.failed = true;
      this.target = undefined;
      return -SlotError.badDigest;
    }
    to.complete = true;
    return 0;
  }

  try(): number {
    const to = this.target;
    if (to?.complete !== true) return -SlotError.wrongState;
    to.trial = true;
    this.target = undefined;
    return 0;
  }

  confirm(): number {
    if (this.active === undefined || !this.onTrial()) return -SlotError.wrongState;
    this.active.confirmed = true;
    return 0;
  }

  reject(): number {
    if (this.active === undefined || !this.onTrial()) return -SlotError.wrongState;
    this.active.failed = true;
    this.active = undefined;
    return 0;
  }

  remove(): number {
    if (this.active === undefined || this.onTrial()) return -SlotError.wrongState;
    this.active.removed = true;
    this.active = undefined;
    return 0;
  }

  /** Of what runs; none: empty. */
  header(): Uint8Array {
    return this.active?.header ?? new Uint8Array(0);
  }

  content(): Uint8Array {
    return this.active?.content ?? new Uint8Array(0);
  }

  /** Bytes of what is being received that a restart would find. */
  kept(): number {
    return this.target?.kept ?? 0;
  }

  /** The device starts anew: what runs is decided by the next boot. */
  cutPower(): void {
    this.lapsed = undefined;
    this.active = undefined;
    this.target = undefined;
  }

  private onTrial(): boolean {
    return this.active !== undefined && !this.active.confirmed;
  }

  private refusal(header: Uint8Array): number {
    const size = header.length === headerBytes ? number(header, 12) : 0;
    const shaped =
      size > 0 &&
      number(header, 0) === magic &&
      number(header, 4) === 1 &&
      number(header, 8) === this.kind &&
      isLabel(header.subarray(52, 84)) &&
      isLabel(header.subarray(84, 116)) &&
      header.subarray(116, 128).every((byte) => byte === 0);
    if (!shaped) return SlotError.badHeader;
    if (size > this.room) return SlotError.noSpace;
    const floor = Math.max(0, ...this.versions.filter((v) => v.confirmed).map(counterOf));
    if (number(header, 16) < floor) return SlotError.rollback;
    return isSigned(header, this.key) ? 0 : SlotError.badSignature;
  }
}

/** Whether the owner has signed this header (192 bytes). */
function isSigned(header: Uint8Array, key: Uint8Array | undefined): boolean {
  if (key === undefined) return false;
  const options = { key: publicKeyOf(key), dsaEncoding: "ieee-p1363" as const };
  return verify("sha256", header.subarray(0, 128), options, header.subarray(128, 192));
}

function publicKeyOf(point: Uint8Array): KeyObject {
  const part = (from: number): string => Buffer.from(point.subarray(from, from + 32)).toString("base64url");
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x: part(1), y: part(33) }, format: "jwk" });
}

const number = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

/** A name or version (32 bytes): 1-31 characters of 0-9 A-Z a-z . + _ -, then zeros to the end. */
const isLabel = (bytes: Uint8Array): boolean =>
  /^[0-9A-Za-z.+_-]{1,31}\0+$/.test(Buffer.from(bytes).toString("latin1"));

/** The functions of the port, by C name. Kinds that are not in `slots` are absent. */
export function slotBindings(slots: readonly SimulatedSlots[]): Record<string, HostFunction> {
  const on = (kind: number, act: (found: SimulatedSlots) => number): number => {
    const found = slots.find((each) => each.kind === kind);
    return found === undefined ? -SlotError.absent : act(found);
  };
  return {
    tmc_port_slot_room: (kind: number) => on(kind, (s) => s.room),
    tmc_port_slot_boot: (kind: number) => on(kind, (s) => s.boot()),
    tmc_port_slot_begin: (kind: number, header: Uint8Array) => on(kind, (s) => s.begin(header)),
    tmc_port_slot_write: (kind: number, offset: number, bytes: Uint8Array) =>
      on(kind, (s) => s.write(offset, bytes)),
    tmc_port_slot_finish: (kind: number) => on(kind, (s) => s.finish()),
    tmc_port_slot_try: (kind: number) => on(kind, (s) => s.try()),
    tmc_port_slot_confirm: (kind: number) => on(kind, (s) => s.confirm()),
    tmc_port_slot_reject: (kind: number) => on(kind, (s) => s.reject()),
    tmc_port_slot_remove: (kind: number) => on(kind, (s) => s.remove()),
    tmc_port_slot_header: (kind: number, out: Uint8Array) => {
      const header = slots.find((each) => each.kind === kind)?.header() ?? new Uint8Array(0);
      if (header.length === 0 || out.length < header.length) return 0;
      out.set(header);
      return header.length;
    },
    tmc_port_slot_content: (kind: number) =>
      slots.find((each) => each.kind === kind)?.content() ?? new Uint8Array(0),
  };
}
