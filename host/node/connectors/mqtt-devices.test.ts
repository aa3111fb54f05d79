/** MQTT devices over a broker in this process. */
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { connectAsync, type MqttClient } from "mqtt";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { BusConnection } from "../../bus/connection.js";
import { nodeConfigSchema } from "../config.js";
import { actuatorSettings } from "./actuator-settings.js";
import { createConnectors, sensorsOf } from "./create-connectors.js";
import type { Connector, SensorSource } from "./connector.js";
import { MqttConnector } from "./mqtt-devices.js";
import { readFields, readPlain } from "./mqtt-payload.js";

const never = new AbortController().signal;
const log = pino({ level: "silent" });

/** A BusConnection as small as it can be. */
async function busOf(url: string): Promise<BusConnection> {
  const client = await connectAsync(url, { protocolVersion: 4 });
  return {
    get connected() {
      return client.connected;
    },
    publish: async (topic, payload, options) =>
      void (await client.publishAsync(topic, Buffer.from(payload), options ?? {})),
    subscribe: async (filters) => void (await client.subscribeAsync([...filters], { qos: 1 })),
    unsubscribe: async (filters) => void (await client.unsubscribeAsync([...filters])),
    onMessage: (handler) => void client.on("message", (topic, payload) => handler(topic, payload)),
    onConnectionChange: () => undefined,
    close: () => client.endAsync(true),
  };
}

describe("mqtt devices", () => {
  let aedes: Aedes;
  let server: Server;
  let url: string;
  let device: MqttClient;
  let bus: BusConnection;
  const started: Connector[] = [];

  beforeAll(async () => {
    aedes = await Aedes.createBroker();
    server = createServer((socket) => aedes.handle(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    url = `mqtt://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    device = await connectAsync(url, { protocolVersion: 4 });
    bus = await busOf(url);
  });
  afterAll(async () => {
    await device.endAsync(true);
    await bus.close();
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    server.close();
  });
  afterEach(async () => {
    for (const connector of started.splice(0)) await connector.close();
    device.removeAllListeners("message");
  });

  async function start(config: unknown): Promise<Connector> {
    const { connectors } = nodeConfigSchema.parse({ connectors: [{ kind: "mqtt", ...(config as object) }] });
    const [connector] = createConnectors(connectors, { folder: "/", bus, connect: busOf, log });
    if (connector === undefined) throw new Error("no connector");
    await connector.start();
    started.push(connector);
    return connector;
  }

  function sensor(connector: Connector, name: string): SensorSource {
    const found = sensorsOf([connector]).get(name);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  }

  it("makes frames of messages", async () => {
    const connector = await start({
      sensors: [{ name: "room", topic: "room/env", fields: ["temp", "data.humidity"], unit: "Cel" }],
    });
    const source = sensor(connector, "room");
    expect(source.description).toMatchObject({ channels: 2, unit: "Cel" });
    const collecting = source.collect(1, 1, never);
    await device.publishAsync("room/env", '{"temp":20,"data":{"humidity":"50"}}', { qos: 1 });
    expect(Array.from((await collecting).samples)).toEqual([20, 50]);
  });

  it("skips what comes too soon or is unreadable, counts what does not come", async () => {
    let now = 0;
    let receive: (topic: string, payload: Uint8Array) => void = () => undefined;
    const silent: BusConnection = {
      ...bus,
      connected: true,
      subscribe: () => Promise.resolve(),
      onMessage: (handler) => void (receive = handler),
    };
    const devices = { sensors: [{ name: "s", topic: "s" }], actuators: [] };
    const connector = new MqttConnector(
      devices,
      () => Promise.resolve(silent),
      false,
      log,
      () => now,
    );
    await connector.start();
    const send = (atMs: number, payload: string): void => {
      now = atMs;
      receive("s", Buffer.from(payload));
    };
    send(0, "1"); // before the window: not fresh
    const collecting = sensor(connector, "s").collect(4, 20, never);
    send(10, "20");
    send(12, "99"); // too soon
    send(30, "hot");
    send(31, "5".repeat(100_000));
    send(58, "21"); // due at 60
    receive("other", Buffer.from("98"));
    send(213, "22"); // due at 210: those of 110 and 160 are missing
    send(262, "23");
    const { samples, frames, lost } = await collecting;
    expect([Array.from(samples), frames, lost]).toEqual([[20, 21, 22, 23], 4, 2]);
  });

  it("ends at the deadline and says what came", async () => {
    const connector = await start({ sensors: [{ name: "quiet", topic: "quiet", rate: 10 }], url });
    const collecting = sensor(connector, "quiet").collect(3, 10, AbortSignal.timeout(150));
    const failed = expect(collecting).rejects.toMatchObject({
      code: "deadline",
      text: "1 of 3 frames came, 1 unreadable",
    });
    await device.publishAsync("quiet", " 1.5 ", { qos: 1 });
    await device.publishAsync("quiet", "hot", { qos: 1 });
    await failed;
    await expect(sensor(connector, "quiet").collect(1, 11, never)).rejects.toMatchObject({
      field: "arguments.rate",
    });
  });

  it("sets an actuator and waits until the device tells it", async () => {
    const connector = await start({
      actuators: [{ name: "valve", topic: "valve/set", stateTopic: "valve/state", min: 0, max: 100 }],
    });
    const [setting] = actuatorSettings([connector]);
    const [valve] = connector.actuators();
    expect(await setting?.get()).toBe("unknown");
    await device.subscribeAsync("valve/set", { qos: 1 });
    device.on("message", (topic, payload) => {
      if (topic === "valve/set") device.publish("valve/state", payload, { qos: 1 });
    });
    await setting?.set(42.5);
    expect(await setting?.get()).toBe(42.5);
    await expect(valve?.set(101, never)).rejects.toMatchObject({ code: "bad-request" });
    // Not a switch: true is no number.
    expect([true, 101, -1].map((value) => setting?.schema.safeParse(value).success)).toEqual([
      false,
      false,
      false,
    ]);
    device.removeAllListeners("message");
    await expect(valve?.set(1, AbortSignal.timeout(50))).rejects.toMatchObject({
      code: "deadline",
    });
  });

  it("remembers what it sent where a device tells nothing", async () => {
    const connector = await start({ actuators: [{ name: "lamp", topic: "lamp/set", min: 0, max: 1 }] });
    const [setting] = actuatorSettings([connector]);
    await setting?.set(true);
    expect(await setting?.get()).toBe(1);
  });

  it.each([
    [{ sensors: [{ name: "a", topic: "x/#" }] }, "TMC6604"],
    [{ sensors: [{ name: "a", topic: "t1/edge/n1/y" }] }, "TMC6604"],
    [{ sensors: [{ name: "a", topic: "$SYS/x" }] }, "TMC6604"],
    [{ actuators: [{ name: "a", topic: "a", stateTopic: "+/a", min: 0, max: 1 }] }, "TMC6604"],
    [{ actuators: [{ name: "a", topic: "a", min: 1, max: 1 }] }, "TMC6604"],
    [
      {
        sensors: [
          { name: "a", topic: "a" },
          { name: "a", topic: "b" },
        ],
      },
      "TMC6601",
    ],
  ])("%j is %s", async (config, code) => {
    await expect(start(config)).rejects.toMatchObject({ code });
  });
});

describe("payloads", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  it.each([
    ["1", 1],
    [" -2.5e1\n", -25],
    ["ON", 1],
    ["false", 0],
    ["", undefined],
    ["NaN", undefined],
    ["0x10", undefined],
    ["1e999", undefined],
    ["1,5", undefined],
    ["9".repeat(5000), undefined],
  ])("of plain text %#", (text, value) => {
    expect(readPlain(bytes(text))).toBe(value);
  });
  it.each([
    ['{"a":1}', ["a"], [1]],
    ['{"a":[1,{"b":"2"}]}', ["a.1.b", "a.0"], [2, 1]],
    ['{"a":1}', ["b"], undefined],
    ['{"a":1}', ["constructor.length"], undefined],
    ['{"a":1}', ["__proto__"], undefined],
    ['{"a":null}', ["a"], undefined],
    ['{"a":{}}', ["a"], undefined],
    ["[".repeat(4000), ["0"], undefined],
    ["[".repeat(2000) + "]".repeat(2000), ["0.0.0"], undefined],
    ["\ud800", ["a"], undefined],
  ])("of JSON %#", (text, paths, values) => {
    expect(readFields(bytes(text), paths)).toEqual(values);
  });
});
