/** How a broker between the kit and a node under test is dishonest: it sees every message and passes on others in its place. */
import type { Passing } from "../support/open-broker.js";
import { readMap, type CborMap } from "./wire.js";

/** A message between node and kit. */
export interface Seen extends Passing {
  readonly bus: "own" | "neighbour";
  /** The node under test published it. */
  readonly own: boolean;
  /** The letter of its topic. */
  readonly kind: string;
  /** Empty when the payload is no map. */
  readonly map: CborMap;
}

/**
 * Messages in place of the one seen; undefined: it passes as it is. `toNeighbour` publishes on the bus of the neighbouring
 * server.
 */
export type Tamper = (seen: Seen, toNeighbour: (message: Passing) => void) => readonly Passing[] | undefined;

export function seen(message: Passing, own: boolean, bus: Seen["bus"]): Seen {
  const levels = message.topic.split("/");
  const kind = levels[2] === "q" ? "q" : (levels[3] ?? "");
  return { ...message, bus, own, kind, map: readMap(message.payload) ?? new Map() };
}
