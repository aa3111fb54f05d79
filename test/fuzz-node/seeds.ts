/** Sessions that fuzzing begins with: valid requests of every operation, alone and in the situations that nodes get into. */
import { encodeCbor, encodeRequest, type RequestFields } from "../support/firmware-node.js";

/** As session.h numbers them. */
export const Record = {
  request: 0,
  artifact: 7,
  topic: 8,
  tick: 9,
  clock: 10,
  link: 11,
  faults: 12,
  sensor: 13,
  restart: 14,
  storage: 15,
} as const;

/** One record of a session. */
export function record(kind: number, content: Uint8Array | number = new Uint8Array()): Buffer {
  let bytes = content;
  if (typeof bytes === "number") {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(bytes);
    bytes = number;
  }
  return Buffer.concat([Buffer.of(kind, bytes.length & 0xff, bytes.length >> 8), bytes]);
}

const map = (...pairs: [number, unknown][]): Map<number, unknown> => new Map(pairs);
const request = (fields: RequestFields): Buffer => record(Record.request, encodeRequest(fields));
const tick = record(Record.tick, 10);
const frames = record(Record.sensor, 500);
const window = map([0, 0], [1, [128, 3]]);

/** Valid requests; ids count up from 1. */
function everyRequest(): RequestFields[] {
  const collect = (...more: [number, unknown][]): RequestFields => ({
    operation: "data.collect",
    arguments: map([0, "accelerometer"], ...more),
  });
  const infer = (fields: RequestFields): RequestFields => ({
    operation: "model.infer",
    selector: map([0, "vibration"]),
    ...fields,
  });
  const settings = (values: Record<string, number>): RequestFields => ({
    operation: "node.configure",
    arguments: new Map([[0, new Map(Object.entries(values))]]),
  });
  const all: RequestFields[] = [
    { operation: "node.describe" },
    { operation: "node.monitor" },
    { operation: "node.monitor", brief: true, deadlineMs: 5000, priority: 255 },
    { operation: "node.monitor", selector: map([2, "n1"], [3, []]) },
    { operation: "node.configure" },
    settings({ "collect.rate": 12.5 }),
    settings({ "collect.rate": 100, "telemetry.interval": 1 }),
    settings({ "collect.rate": -1, nothing: 7 }),
    collect(),
    collect([1, 72]),
    collect([1, 72], [2, 6664], [3, 0]),
    collect([1, 100_000], [3, 1]),
    collect([1, 500], [2, 0.5], [3, 1]),
    infer({ input: new Uint8Array(384).fill(16), descriptor: window }),
    infer({ input: new Uint8Array(384).fill(5), descriptor: window, brief: true }),
    infer({ input: "sensor:accelerometer" }),
    infer({ input: "sensor:accelerometer", arguments: map([0, 200]), accept: map([0, 0]) }),
    infer({ selector: map([1, "classification"]), input: "store:42" }),
    { operation: "function.invoke", selector: map([0, "sums"]), input: new Uint8Array(8) },
    { operation: "no.such" },
  ];
  return all.map((fields, i) => ({ id: i + 1, sender: "edge", ...fields }));
}

/** The sessions; each ends by itself (session.c: settle). */
export function sessions(): Buffer[] {
  const requests = everyRequest();
  const jobs = requests.filter(({ operation }) => operation === "data.collect");
  const [first = {}, second = {}] = requests;
  const other = Buffer.from("t1/edge/n2/x");
  return [
    ...requests.map(request),
    ...requests.map((fields) => Buffer.concat([request(fields), frames, tick, tick])),
    ...requests.map((fields) => Buffer.concat([request(fields), request(fields), frames, request(fields)])),
    Buffer.concat(requests.map(request)),
    Buffer.concat([...jobs.map(request), request(first), frames, tick, record(Record.tick, 5000), frames]),
    Buffer.concat([...jobs, ...jobs.map((job) => ({ ...job, boot: 2, deadlineMs: 30 }))].map(request)),
    Buffer.concat([record(Record.faults, 3), request(first), request(second), tick, request(first)]),
    Buffer.concat([request(jobs[1] ?? {}), record(Record.link), frames, tick, record(Record.link), tick]),
    Buffer.concat([request(requests[6] ?? {}), record(Record.restart), request(requests[4] ?? {})]),
    Buffer.concat([
      request(requests[6] ?? {}),
      record(Record.storage, Buffer.from("a1626161", "hex")),
      record(Record.restart),
      record(Record.storage),
      request(requests[5] ?? {}),
    ]),
    Buffer.concat([record(Record.clock, 4090), request(first), record(Record.tick, 9000), request(second)]),
    Buffer.concat([
      record(Record.topic, Buffer.concat([Buffer.of(other.length), other, encodeRequest(first)])),
      record(Record.topic, Buffer.from("\x00")),
      record(Record.topic, Buffer.from("\x08$SYS/abcrest")),
    ]),
    request({ id: 1, operation: "node.monitor", input: new Uint8Array(2000) }),
    record(Record.request, Buffer.alloc(3000, 0x9f)),
  ];
}

/** Sessions of a node that takes models over the bus: each piece it wishes is served as time passes. */
export function updateSessions(): Buffer[] {
  const reference = `chunk:${"a5".repeat(32)}`;
  const order = (id: number, fields: RequestFields): Buffer => request({ id, sender: "edge", ...fields });
  const deploy = (id: number, model = "vibration"): Buffer =>
    order(id, {
      operation: "model.deploy",
      arguments: map([0, model]),
      input: reference,
      deadlineMs: 60_000,
    });
  const infer = (id: number): Buffer =>
    order(id, {
      operation: "model.infer",
      input: new Uint8Array(384).fill(16),
      descriptor: window,
    });
  const undeploy = (id: number): Buffer =>
    order(id, { operation: "model.undeploy", arguments: map([0, "vibration"]) });
  /** Changed bytes: [where, bits]; `right`: with the digest of what they become. */
  const damage = (right: boolean, ...changes: readonly [number, number][]): Buffer =>
    record(
      Record.artifact,
      Buffer.from([right ? 1 : 0, ...changes.flatMap(([at, bits]) => [at & 0xff, at >> 8, bits])]),
    );
  const time = Buffer.concat([tick, tick, tick, tick]);
  /** The server's word that it has no more of it. */
  const end = (code: number): Buffer => {
    const digest = Buffer.from(reference.slice("chunk:".length), "hex");
    const message = encodeCbor(map([0, 1], [1, digest], [2, 0], [3, 0], [5, "edge"], [7, code]));
    const topic = Buffer.from("t1/edge/n1/c");
    return record(Record.topic, Buffer.concat([Buffer.of(topic.length), topic, message]));
  };
  /** The words of the package's header, which begins at 192. */
  const words = Array.from({ length: 24 }, (_, i) => 192 + 4 * i);
  return [
    Buffer.concat([deploy(1), time, infer(2), order(3, { operation: "node.monitor" })]),
    Buffer.concat([deploy(1), time, undeploy(2), infer(3), deploy(4), time, infer(5)]),
    Buffer.concat([deploy(1), deploy(2), tick, record(Record.link), tick, record(Record.link), time]),
    Buffer.concat([
      deploy(1),
      tick,
      record(Record.restart),
      deploy(1),
      time,
      record(Record.restart),
      infer(2),
    ]),
    Buffer.concat([deploy(1), tick, record(Record.storage, Uint8Array.of(2)), time, deploy(2), time]),
    ...[15, 5, 7].map((code) =>
      Buffer.concat([deploy(1), tick, end(code), time, end(code), deploy(2), time]),
    ),
    Buffer.concat([deploy(1), end(15), deploy(2), tick, end(15), time, deploy(3), time, infer(4)]),
    Buffer.concat([deploy(1, "other@1"), time, deploy(2, "vibration@2.0.0"), time]),
    Buffer.concat([deploy(1), time, damage(false, [16, 3]), deploy(2), time, infer(3)]),
    Buffer.concat([damage(false, [300, 1]), deploy(1), time, deploy(2), time]),
    ...words.map((at) => Buffer.concat([damage(true, [at, 1]), deploy(1), time, infer(2)])),
    ...words.map((at) => Buffer.concat([damage(true, [at + 3, 0x80]), deploy(1), time, infer(2)])),
    ...[300, 500, 900, 1500, 2500, 3500].map((at) =>
      Buffer.concat([deploy(1), time, damage(true, [16, 2], [at, 0xff]), deploy(2), time, infer(3)]),
    ),
  ];
}
