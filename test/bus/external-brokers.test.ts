/** Brokers that are not ours: Mosquitto with our certificates and access list, NATS, our own from outside. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MqttConnection } from "../../host/bus/mqtt-connection.js";
import { IdentityStore, type Enrolment } from "../../host/node/broker/identity-store.js";
import { awsPolicy, mosquittoPolicy } from "../../host/node/broker/policy.js";
import { Child } from "../support/child.js";
import { freePort } from "../support/free-port.js";
import { Broker as Mosquitto, findMosquitto } from "../support/mosquitto.js";
import { bytes, describeConnection, gather, waitFor } from "./connection-contract.js";

const hasNats = spawnSync("nats-server", ["--version"]).status === 0;

describe.skipIf(!hasNats)("NATS (nats-server with MQTT)", () => {
  describeConnection("MQTT connection", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-nats-"));
    const [port, clientPort] = [await freePort(), await freePort()];
    writeFileSync(
      join(folder, "nats.conf"),
      [
        "server_name: tmc",
        `listen: "127.0.0.1:${clientPort}"`,
        `jetstream { store_dir: "${folder}" }`,
        `mqtt { listen: "127.0.0.1:${port}" }`,
      ].join("\n"),
    );
    const nats = await Child.start("nats-server", ["-c", join(folder, "nats.conf")], { name: "nats-server" });
    await nats.waitForLine(/Server is ready/);
    const url = `mqtt://127.0.0.1:${port}`;
    const server = MqttConnection.open({ url, clientId: "edge" });
    const node = MqttConnection.open({ url, clientId: "n1" });
    await Promise.all([server.ready(10_000), node.ready(10_000)]);
    return {
      server,
      node,
      async stop() {
        await server.close();
        await node.close();
        await nats.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  });
});

describe.skipIf(findMosquitto() === undefined)("Mosquitto with our certificates and access list", () => {
  it("lets nodes and the server do what is theirs, and nothing else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-acl-"));
    const store = await IdentityStore.open(folder, "core");
    const [server, n1, n2] = await Promise.all([
      store.enrol("edge", { role: "server" }),
      store.enrol("n1", { role: "node" }),
      store.enrol("n2", { role: "node" }),
    ]);
    const own = await store.serverMaterial();
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const port = await freePort();
    const broker = await Mosquitto.start({
      config: [
        `listener ${port} 127.0.0.1`,
        `cafile ${file("ca.pem", own.ca)}`,
        `certfile ${file("cert.pem", own.cert)}`,
        `keyfile ${file("key.pem", own.key)}`,
        "require_certificate true",
        "use_identity_as_username true",
        `acl_file ${file("acl", mosquittoPolicy("edge"))}`,
      ],
    });
    const open = ({ id, ca, certificate, key }: Enrolment): MqttConnection =>
      MqttConnection.open({
        url: `mqtts://localhost:${port}`,
        clientId: id,
        backoffMs: [10, 50],
        tls: { ca, cert: certificate, key: key ?? "" },
      });
    const connections = [server, n1, n2].map(open);
    const [edge, one, two] = connections as [MqttConnection, MqttConnection, MqttConnection];
    await Promise.all(connections.map((each) => each.ready(5000)));
    const [atEdge, atOne, atTwo] = [gather(edge), gather(one), gather(two)];
    await edge.subscribe(["t1/edge/q/+", "t1/edge/+/y", "t1/edge/+/b", "t1/edge/+/s"]);
    await one.subscribe(["t1/edge/n1/x", "t1/edge/n1/r"]);
    // Mosquitto grants a foreign filter and delivers nothing on it.
    await two.subscribe(["t1/edge/n2/x", "t1/edge/n1/x", "t1/edge/+/y"]).catch(() => undefined);
    const ends: boolean[] = [];
    two.onConnectionChange((connected) => ends.push(connected));
    await two.publish("t1/edge/q/n1", bytes("as n1"));
    await waitFor(() => ends.length === 2, "its end and return");
    await two.publish("t1/edge/n1/x", bytes("as the server"));
    // Mosquitto ends the connection of who publishes what is not theirs.
    await waitFor(() => ends.length === 4, "both ends and returns");
    await one.publish("t1/edge/q/n1", bytes("request"));
    await one.publish("t1/edge/n1/y", bytes("answer"));
    await edge.publish("t1/edge/n1/x", bytes("work"));
    await edge.publish("t1/edge/n2/x", bytes("other work"));
    expect((await atEdge.until(2)).sort()).toEqual(["t1/edge/n1/y answer", "t1/edge/q/n1 request"]);
    expect(await atOne.until(1)).toEqual(["t1/edge/n1/x work"]);
    expect(await atTwo.until(1)).toEqual(["t1/edge/n2/x other work"]);
    await Promise.all(connections.map((each) => each.close()));
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });
});

it("the policy for AWS IoT Core names every topic of a node, and no wildcard but the server's", () => {
  const { node, server } = awsPolicy("edge");
  const text = JSON.stringify(node);
  for (const kind of ["y", "b", "s", "e", "c", "r", "x"]) expect(text).toContain(`ThingName}/${kind}"`);
  expect(text).toContain("t1/edge/q/${iot:Connection.Thing.ThingName}");
  expect(text).not.toContain("*");
  expect(JSON.stringify(server)).toContain("topicfilter/t1/edge/*");
});
