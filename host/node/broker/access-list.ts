/**
 * Who may publish and subscribe what. A closed list, made of docs/protocol.md; whatever is not on it is refused.
 *
 *   every client N   publishes   t1/S/q/N  t1/S/N/{y,b,s,e,c}, b and s retained; its will is s
 *                    subscribes  t1/S/N/{r,x,c}
 *   operators also   subscribe   t1/S/NODE/{b,s,e} and t1/S/+/{b,s,e}
 *   servers N also, where this broker is their bus:
 *                    publish     t1/N/NODE/{r,x,c}
 *                    subscribe   t1/N/q/+ and t1/N/+/{y,b,s,e,c}
 *
 * S is the server whose broker this is, or another that is enrolled here as a server. Topics outside the protocol, of
 * ordinary MQTT devices, are open only when the owner lists them.
 */
import type { CallerRole } from "../../bus/operations/definition.js";
import { isNodeId, parseTopic } from "../../bus/topics.js";

/** Topic filters of ordinary MQTT devices: what any client may do outside `t1/`. */
export interface DeviceTopics {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** A client whose identity is proven. */
export interface Party {
  readonly id: string;
  readonly role: CallerRole;
}

export interface AccessListOptions {
  /** Whether nodes may belong to this server: this one, or an enrolled one. */
  readonly serves: (server: string) => boolean;
  readonly devices?: DeviceTopics;
}

const ofNodes: ReadonlySet<string> = new Set(["q", "y", "b", "s", "e", "c"]);
const toNodes: ReadonlySet<string> = new Set(["r", "x", "c"]);
const retained: ReadonlySet<string> = new Set(["b", "s"]);
const ofOperators: ReadonlySet<string> = new Set(["b", "s", "e"]);
const ofServers: ReadonlySet<string> = new Set(["y", "b", "s", "e", "c"]);

/** @internal What is refused and why, for the log; undefined: allowed. */
export class AccessList {
  constructor(private readonly options: AccessListOptions) {}

  publish(party: Party, topic: string, retain: boolean): string | undefined {
    const parsed = parseTopic(topic);
    if (parsed === undefined) {
      if (topic.startsWith("t1/") || topic.startsWith("$")) return "no topic of the protocol";
      return this.options.devices?.publish.some((filter) => filterMatches(filter, topic)) === true
        ? undefined
        : "no topic of the protocol, and not one of the devices' topics";
    }
    if (!this.options.serves(parsed.server)) return `server ${parsed.server} is not served here`;
    if (party.role === "server" && parsed.server === party.id && toNodes.has(parsed.kind)) {
      return retain ? "only birth and state may be retained" : undefined;
    }
    if (parsed.node !== party.id) return "a topic of another node";
    if (!ofNodes.has(parsed.kind)) return "nodes do not publish this kind";
    return retain && !retained.has(parsed.kind) ? "only birth and state may be retained" : undefined;
  }

  /** The last will: the client's own state. */
  will(party: Party, topic: string): string | undefined {
    return parseTopic(topic)?.kind === "s"
      ? this.publish(party, topic, true)
      : "the will may only be the own state";
  }

  subscribe(party: Party, filter: string): string | undefined {
    const parsed = parseTopic(filter);
    if (parsed !== undefined) {
      const { server, node, kind } = parsed;
      if (!this.options.serves(server)) return `server ${server} is not served here`;
      if (node === party.id && toNodes.has(kind)) return undefined;
      if (party.role === "operator" && kind !== "q" && ofOperators.has(kind)) return undefined;
      if (party.role === "server" && server === party.id && (kind === "q" || ofServers.has(kind))) {
        return undefined;
      }
      return node === party.id ? "nodes do not subscribe this kind" : "a topic of another node";
    }
    const [prefix, server = "", third, fourth, ...rest] = filter.split("/");
    if (prefix !== "t1") {
      // What begins with a wildcard would see the protocol's topics too.
      return !/^[$+#]/.test(filter) &&
        this.options.devices?.subscribe.some((open) => filterCovers(open, filter)) === true
        ? undefined
        : "no topic of the protocol, and not one of the devices' topics";
    }
    if (!isNodeId(server) || fourth === undefined || rest.length > 0 || !this.options.serves(server)) {
      return "no topic of the protocol";
    }
    if (party.role === "operator" && third === "+" && ofOperators.has(fourth)) return undefined;
    if (party.role === "server" && server === party.id) {
      if (third === "q" ? fourth === "+" : third === "+" && ofServers.has(fourth)) return undefined;
    }
    return "a wildcard over topics of others";
  }
}

/** Does a topic (no wildcards) match an MQTT filter? */
export function filterMatches(filter: string, topic: string): boolean {
  return filterCovers(filter, topic);
}

/** Does `wide` match everything that `narrow` (a topic or filter) matches? */
export function filterCovers(wide: string, narrow: string): boolean {
  const w = wide.split("/");
  const n = narrow.split("/");
  for (let i = 0; i < w.length; i++) {
    if (w[i] === "#") return true;
    const level = n[i];
    if (level === undefined || level === "#") return false;
    if (w[i] !== "+" && w[i] !== level) return false;
  }
  return w.length === n.length;
}

/** Is there a topic that both filters match? */
export function filtersOverlap(one: string, other: string): boolean {
  const a = one.split("/");
  const b = other.split("/");
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] === "#" || b[i] === "#") return true;
    if (a[i] !== b[i] && a[i] !== "+" && b[i] !== "+") return false;
    if (a[i] === undefined || b[i] === undefined) return false;
  }
  return true;
}
