/** The broker with TLS: who gets in with which certificate, and what MqttConnection demands of a broker. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MqttConnection, type MqttConnectionOptions } from "../../host/bus/mqtt-connection.js";
import { createAuthority, issueClient, issueServer } from "../../host/node/broker/certificates.js";
import type { Broker } from "../../host/node/broker/broker.js";
import { IdentityStore, type Enrolment } from "../../host/node/broker/identity-store.js";
import { startTestBroker } from "../support/test-broker.js";
import { bytes, gather, waitFor } from "./connection-contract.js";

const quick = { backoffMs: [10, 40], connectTimeoutMs: 2000 } as const;

describe("the broker with TLS", () => {
  let folder: string;
  let store: IdentityStore;
  let n1: Enrolment;
  let broker: Broker;
  const connections: MqttConnection[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tmc-tls-"));
    store = await IdentityStore.open(folder, "edge");
    n1 = await store.enrol("n1", { role: "node" });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    broker = await startTestBroker(
      { port: undefined, tls: { port: 0 }, anonymous: true },
      { identities: store, tls: await store.serverMaterial(), patience: { packetMs: 400 } },
    );
  });
  afterEach(async () => {
    for (const connection of connections.splice(0)) await connection.close();
    await broker.close();
  });

  function open(options: Partial<MqttConnectionOptions> = {}): {
    connection: MqttConnection;
    problems: string[];
  } {
    const problems: string[] = [];
    const connection = MqttConnection.open({
      url: `mqtts://localhost:${broker.tlsPort}`,
      clientId: "n1",
      tls: { ca: n1.ca, cert: n1.certificate, key: n1.key ?? "" },
      onProblem: (text) => problems.push(text),
      ...quick,
      ...options,
    });
    connections.push(connection);
    return { connection, problems };
  }
  const refused = (): unknown =>
    Object.fromEntries(Object.entries(broker.status().refused).filter(([, count]) => count > 0));

  it("lets in who has a certificate, by name and by address, with ALPN or without", async () => {
    expect(broker.port).toBeUndefined();
    const server = broker.connect();
    const heard = gather(server);
    await server.subscribe(["t1/edge/+/e"]);
    for (const options of [{}, { url: `mqtts://127.0.0.1:${broker.tlsPort}` }, { alpn: "mqtt" }]) {
      const { connection } = open(options);
      await connection.ready(3000);
      await connection.publish("t1/edge/n1/e", bytes("hello"));
      expect(broker.status().clients).toMatchObject([{ id: "n1", role: "node", proof: "certificate" }]);
      await connection.close();
      await waitFor(() => broker.status().connections === 0, "the end of the connection");
    }
    expect(heard.messages.length).toBe(3);
    expect(refused()).toEqual({});
  });

  it.each([
    ["no certificate", () => ({ tls: { ca: n1.ca } }), "credentials"],
    ["another client id than its certificate's", () => ({ clientId: "n2" }), "identity"],
    [
      "the server's certificate",
      async () => {
        const { cert, key } = await store.serverMaterial();
        return { tls: { ca: n1.ca, cert, key } };
      },
      "credentials",
    ],
    [
      "a certificate of another CA with the same names",
      async () => {
        const other = await issueClient(await createAuthority("edge"), "n1", 30);
        return { tls: { ca: n1.ca, cert: other.certificate, key: other.key ?? "" } };
      },
      "credentials",
    ],
    [
      "a password instead of a certificate",
      () => ({ tls: { ca: n1.ca }, username: "n1", password: n1.password }),
      "credentials",
    ],
  ])("keeps out who has %s", async (_, options, reason) => {
    const { connection, problems } = open(await options());
    await waitFor(() => problems.length > 0, "the refusal");
    await expect(connection.ready(50)).rejects.toThrow("no connection");
    expect(refused()).toHaveProperty([reason]);
    expect(broker.status().clients).toEqual([]);
  });

  it("keeps out an expired certificate", async () => {
    const authority = await createAuthority("edge");
    const expired = await issueClient(authority, "n1", -1);
    const server = await issueServer(authority, "edge", 30, ["localhost"]);
    const other = await startTestBroker(
      { port: undefined, tls: { port: 0 } },
      {
        identities: { ...allAccepted, roleOf: () => "node" },
        tls: { ca: authority.certificate, cert: server.certificate, key: server.key },
      },
    );
    const { problems } = open({
      url: `mqtts://localhost:${other.tlsPort}`,
      tls: { ca: authority.certificate, cert: expired.certificate, key: expired.key ?? "" },
    });
    await waitFor(() => problems.length > 0, "the refusal");
    await waitFor(() => other.status().refused.credentials > 0, "the count");
    expect(other.status().clients).toEqual([]);
    await other.close();
  });

  it("disconnects who is revoked, and lets it in again when it is enrolled anew", async () => {
    const n3 = await store.enrol("n3", { role: "operator" });
    const { connection } = open({
      clientId: "n3",
      tls: { ca: n3.ca, cert: n3.certificate, key: n3.key ?? "" },
    });
    await connection.ready(3000);
    expect(broker.status().clients[0]?.role).toBe("operator");
    await store.revoke("n3");
    await waitFor(() => !connection.connected, "the end");
    await waitFor(() => broker.status().refused.revoked >= 2, "a refused attempt");
    const again = await store.enrol("n3", { role: "node" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    // The old certificate stays void.
    expect(connection.connected).toBe(false);
    const { connection: fresh } = open({
      clientId: "n3",
      tls: { ca: again.ca, cert: again.certificate, key: again.key ?? "" },
    });
    await fresh.ready(3000);
    expect(broker.status().clients.find((client) => client.id === "n3")?.role).toBe("node");
  });

  it("cuts off who connects and does not begin TLS", async () => {
    const socket = connect(broker.tlsPort ?? 0, "127.0.0.1");
    let ended = false;
    socket.on("error", () => undefined);
    socket.on("close", () => (ended = true));
    await waitFor(() => ended, "the end");
    expect(broker.status().connections).toBe(0);
  });

  it("changes its own certificate while it runs", async () => {
    const { connection } = open();
    await connection.ready(3000);
    const before = await fingerprint(broker.tlsPort ?? 0, n1);
    broker.renewTls(await store.serverMaterial(["renewed.example"]));
    expect(await fingerprint(broker.tlsPort ?? 0, n1)).not.toBe(before);
    expect(connection.connected).toBe(true);
    // Certificates are asked for as before.
    const { problems } = open({ clientId: "n2", tls: { ca: n1.ca } });
    await waitFor(() => problems.length > 0, "the refusal");
    expect(broker.status().clients.map((client) => client.id)).toEqual(["n1"]);
  });

  describe("MqttConnection", () => {
    it("talks to nobody whose certificate is not of its CA", async () => {
      const { problems } = open({
        tls: { ca: (await createAuthority("edge")).certificate, cert: n1.certificate, key: n1.key ?? "" },
      });
      await waitFor(() => problems.length > 0, "the refusal");
      expect(problems[0]).toMatch(/certificate|signature/i);
      expect(broker.status().clients).toEqual([]);
    });

    it("talks to nobody whose certificate is for another name", async () => {
      const authority = await createAuthority("edge");
      const elsewhere = await issueServer(authority, "edge", 30, ["elsewhere.example"]);
      broker.renewTls({ ca: n1.ca, cert: elsewhere.certificate, key: elsewhere.key });
      const { problems } = open({
        tls: { ca: authority.certificate, cert: n1.certificate, key: n1.key ?? "" },
      });
      await waitFor(() => problems.length > 0, "the refusal");
      expect(problems[0]).toContain("does not match certificate's altnames");
    });

    it("speaks no plain MQTT where TLS was asked for", async () => {
      const received: Buffer[] = [];
      const plain = createServer((socket) => socket.on("data", (chunk) => received.push(chunk)));
      await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
      const address = plain.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      open({ url: `mqtts://127.0.0.1:${port}`, username: "n1", password: "secret" });
      await waitFor(() => received.length > 0, "a ClientHello");
      expect(received[0]?.[0]).toBe(0x16);
      expect(Buffer.concat(received).includes("secret")).toBe(false);
      for (const connection of connections.splice(0)) await connection.close();
      await new Promise((resolve) => plain.close(resolve));
    });
  });
});

const allAccepted = {
  acceptsCertificate: () => true,
  verifyPassword: () => Promise.resolve(false),
  onChange: () => () => undefined,
};

/** Of the certificate the broker shows. */
async function fingerprint(port: number, client: Enrolment): Promise<string> {
  const socket = tlsConnect({
    port,
    host: "127.0.0.1",
    ca: client.ca,
    cert: client.certificate,
    key: client.key,
    servername: "localhost",
  });
  await new Promise((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
