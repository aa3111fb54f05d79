/** Both connections to the bus, on every broker we say works: one contract. */
import { describe } from "vitest";
import { MqttConnection } from "../../host/bus/mqtt-connection.js";
import { Broker as Mosquitto, findMosquitto } from "../support/mosquitto.js";
import { startTestBroker } from "../support/test-broker.js";
import { describeConnection, type ContractSetup } from "./connection-contract.js";

async function mqttPair(url: string, stopBroker: () => Promise<void>): Promise<ContractSetup> {
  const server = MqttConnection.open({ url, clientId: "edge" });
  const node = MqttConnection.open({ url, clientId: "n1" });
  await Promise.all([server.ready(5000), node.ready(5000)]);
  return {
    server,
    node,
    async stop() {
      await server.close();
      await node.close();
      await stopBroker();
    },
  };
}

describeConnection("embedded connection", async () => {
  const broker = await startTestBroker();
  const node = MqttConnection.open({ url: broker.url, clientId: "n1" });
  await node.ready(5000);
  return {
    server: broker.connect(),
    node,
    async stop() {
      await node.close();
      await broker.close();
    },
  };
});

describeConnection("MQTT connection, server and node as clients of the embedded broker", async () => {
  const identities = {
    roleOf: () => undefined,
    acceptsCertificate: () => false,
    verifyPassword: () => Promise.resolve(false),
    onChange: () => () => undefined,
  };
  // Another server's broker, where "edge" is enrolled as a server.
  const broker = await startTestBroker(
    {},
    {
      id: "cloud",
      identities: {
        ...identities,
        roleOf: (id) => (id === "edge" ? "server" : undefined),
        verifyPassword: (_, password) => Promise.resolve(password === "secret"),
      },
    },
  );
  const server = MqttConnection.open({
    url: broker.url,
    clientId: "edge",
    username: "edge",
    password: "secret",
  });
  const node = MqttConnection.open({ url: broker.url, clientId: "n1" });
  await Promise.all([server.ready(5000), node.ready(5000)]);
  return {
    server,
    node,
    async stop() {
      await server.close();
      await node.close();
      await broker.close();
    },
  };
});

describe.skipIf(findMosquitto() === undefined)("Mosquitto", () => {
  describeConnection("MQTT connection", async () => {
    const broker = await Mosquitto.start();
    return mqttPair(broker.url, () => broker.stop());
  });
});
