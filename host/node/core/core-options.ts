/** What the Core Service is told when it is made, and the limits that hold when nothing else is said. Data only. */
import type { BusConnection } from "../../bus/connection.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import type { Log } from "../log.js";
import type { AccessRule } from "./access.js";
import type { Resolver } from "./large-data.js";
import type { Abilities } from "./own-record.js";

export interface RequestLimits {
  readonly deadlineMs: number;
  readonly inFlightPerNode: number;
  readonly queuePerNode: number;
  readonly inFlight: number;
  readonly hops: number;
  readonly duplicatesS: number;
  /** A dispatch without an answer is sent again after so long, then after twice that, and so on; 0: never. */
  readonly resendMs: number;
  /** How long requests wait for a node that went away, in case it comes back in the same life. */
  readonly returnMs: number;
}

export interface CoreServiceOptions {
  readonly id: string;
  /** Counts starts of this node. */
  readonly boot: number;
  readonly labels?: readonly string[];
  /** To the bus whose server this is. */
  readonly connection: BusConnection;
  /** As a client of neighbouring servers; each connection has the last will of `willOf`. */
  readonly neighbours?: readonly { readonly id: string; readonly connection: BusConnection }[];
  /** Those of the configuration; absent: its defaults. */
  readonly requests?: Partial<RequestLimits>;
  readonly access?: readonly AccessRule[];
  /** Other processes have the same id and hear the same bus; default false. */
  readonly shared?: boolean;
  /** Bytes of the largest message; default 256 KB. */
  readonly messageBytes?: number;
  /** Of enrolled nodes; undefined: node. */
  readonly roleOf?: (sender: string) => CallerRole | undefined;
  readonly softwareVersion?: string;
  /** What this node offers itself, now: for its birth record. */
  readonly abilities?: () => Abilities;
  /** What `blob:`, `data:` and `model:` stand for; absent: such references go on as they are. */
  readonly resolve?: Resolver;
  readonly log: Log;
}

export const defaultLimits: RequestLimits = {
  deadlineMs: 10_000,
  inFlightPerNode: 16,
  queuePerNode: 256,
  inFlight: 10_000,
  hops: 4,
  duplicatesS: 600,
  resendMs: 2_000,
  returnMs: 0,
};
/** Of any request, whoever sends it. */
export const longestDeadlineMs = 3_600_000;
