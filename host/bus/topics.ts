/** The closed list of topics of the bus, made and taken apart. It knows nothing of payloads. */

/** q request, r answer, x dispatched operation, y its answer, b birth, s state, e event, c chunk. */
export type TopicKind = "q" | "r" | "x" | "y" | "b" | "s" | "e" | "c";

export interface Topic {
  readonly server: string;
  readonly node: string;
  readonly kind: TopicKind;
}

const prefix = "t1";
const kinds: ReadonlySet<string> = new Set(["r", "x", "y", "b", "s", "e", "c"]);
const identifier = /^[0-9a-z-]{1,23}$/;

/** 1-23 characters of [0-9a-z-]: ids of nodes and servers. "q" is taken: its topics would be those of requests. */
export function isNodeId(text: string): boolean {
  return identifier.test(text) && text !== "q";
}

export function topicOf({ server, node, kind }: Topic): string {
  return kind === "q" ? `${prefix}/${server}/q/${node}` : `${prefix}/${server}/${node}/${kind}`;
}

/** Undefined for a topic outside the list. */
export function parseTopic(topic: string): Topic | undefined {
  const [first, server, third, fourth, ...rest] = topic.split("/");
  if (
    first !== prefix ||
    server === undefined ||
    third === undefined ||
    fourth === undefined ||
    rest.length > 0
  ) {
    return undefined;
  }
  if (!isNodeId(server)) {
    return undefined;
  }
  if (third === "q") {
    return isNodeId(fourth) ? { server, node: fourth, kind: "q" } : undefined;
  }
  return isNodeId(third) && kinds.has(fourth)
    ? { server, node: third, kind: fourth as TopicKind }
    : undefined;
}

/** Everything that nodes send to `server`. */
export function subscriptionsOfServer(server: string): string[] {
  return [`${prefix}/${server}/q/+`, ...["y", "b", "s", "e"].map((kind) => `${prefix}/${server}/+/${kind}`)];
}
