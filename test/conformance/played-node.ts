/** A minimal node that the kit plays beside the node under test: it announces itself and answers what it is told to. */
import { Probe, Wire } from "./probe.js";
import type { PlayedNode, PlayedNodeOptions, PlayedServer } from "./rule.js";
import { encodeCbor, map, readMap, type CborMap } from "./wire.js";

/** A neighbouring server on a broker of its own, of which `server` becomes a client. */
export async function playServer(url: string, id: string, server: string): Promise<PlayedServer> {
  const wire = await Wire.connect(url, id);
  const played: PlayedServer = { id, url, wire, able: false };
  wire.mqtt.on("message", (topic, payload) => {
    const request = topic === `t1/${id}/q/${server}` ? readMap(payload) : undefined;
    if (request === undefined || played.able) return;
    const identity = { 0: 1, 1: request.get(1), 2: request.get(2), 3: request.get(3) };
    const refusal = map({ ...identity, 4: 2, 5: id, 6: map({ 0: 3 }) });
    void wire.publish(`t1/${id}/${server}/r`, encodeCbor(refusal));
  });
  await wire.subscribe("t1/#");
  return played;
}

/** Announced and subscribed. `connect`: how this id comes to the broker. */
export async function playNode(
  server: string,
  id: string,
  connect: (clientId: string, will: { topic: string; payload: Buffer }) => Promise<Wire>,
  options: PlayedNodeOptions = {},
): Promise<PlayedNode> {
  const boot = options.boot ?? 1;
  const topic = (kind: string): string => `t1/${server}/${id}/${kind}`;
  const offline = encodeCbor(map({ 0: 1, 1: id, 2: boot, 3: false }));
  const wire = await connect(id, { topic: topic("s"), payload: Buffer.from(offline) });
  await wire.subscribe(topic("x"));
  await wire.subscribe(topic("r"));
  const birth = map({
    0: 1,
    1: id,
    2: boot,
    3: 0,
    4: "kit",
    5: "1.0.0",
    6: 1024,
    7: 8,
    8: options.operations ?? ["node.describe", "node.monitor"],
    9: options.sensors,
    10: options.models,
    12: options.labels,
  });
  const announce = async (): Promise<void> => {
    await wire.publish(topic("b"), encodeCbor(birth), 1, true);
    await wire.publish(topic("s"), encodeCbor(map({ 0: 1, 1: id, 2: boot, 3: true })), 1, true);
  };
  await announce();
  return {
    id,
    boot,
    wire,
    probe: new Probe(wire, { send: `t1/${server}/q/${id}`, answers: topic("r"), sender: id }),
    // Whether it lives, which a server may ask after a will, no rule asks for: it does not say.
    requests: () =>
      wire.messages
        .filter((m) => m.topic === topic("x"))
        .flatMap((m) => readMap(m.payload) ?? [])
        .filter((request) => request.get(4) !== "node.monitor" || request.get(3) !== server),
    answer: (request: CborMap, entries) =>
      wire.publish(
        topic("y"),
        encodeCbor(
          map({ 0: 1, 1: request.get(1), 2: request.get(2), 3: request.get(3), 4: 2, 5: id, ...entries }),
        ),
      ),
    announce,
    async close() {
      // Nothing stays behind for the next rule.
      await wire.publish(topic("s"), offline, 1, true).catch(() => undefined);
      await wire.publish(topic("b"), new Uint8Array(), 1, true).catch(() => undefined);
      await wire.publish(topic("s"), new Uint8Array(), 1, true).catch(() => undefined);
      await wire.close().catch(() => undefined);
    },
    kill: () => wire.kill(),
  };
}
