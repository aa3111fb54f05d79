/**
 * The default node (firmware/app.ts) with zephyr-app/aws.conf on an imitation of AWS IoT Core: provisioned with a key of its
 * own that a foreign authority certified, over TLS with ALPN, under the policy that `tmc node policy` makes.
 */
import { createServer } from "node:net";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { provisionDevice } from "../../compiler/cli/commands/provision.js";
import { certificatesDer, type Provisioning } from "../../compiler/device/provisioning.js";
import type { SerialConsole } from "../../compiler/device/serial-console.js";
import { BusClient, describeOutcome } from "../../host/bus/bus-client.js";
import { decodeAnswer, encodeRequest, resultOf } from "../../host/bus/protocol.js";
import { awsPolicy } from "../../host/node/broker/policy.js";
import { AwsLikeBroker, mqttProtocol, type Endpoint, type Policy } from "../support/aws-like-broker.js";
import { DeviceAuthority, endpointChain, type Chain } from "../support/aws-like-certificates.js";
import { consoleOf, hostSeenFrom } from "./support/provision-node.js";
import { buildDefaultNode, buildTimeout, notRunnable } from "./support/zephyr-node.js";

const id = "pump-1";
const policies = awsPolicy("edge") as { readonly node: Policy; readonly server: Policy };

/** Ports below 1024 are not for everybody. */
const may443 = await new Promise<boolean>((known) => {
  const server = createServer();
  server.once("error", () => known(false));
  server.listen(443, "127.0.0.1", () => server.close(() => known(true)));
});

describe.skipIf(notRunnable !== "").each(["native_sim", "mps2_an386"])(
  `AWS IoT Core as the bus of %s${notRunnable}`,
  (boardName) => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-aws-"));
    const board = findBoard(boardName);
    const host = hostSeenFrom(board);
    const chains = {} as Record<"rsa" | "ec", Chain>;
    let authority: DeviceAuthority;
    let executable: string;
    let thing: { readonly certificate: string; readonly fingerprint: string };
    let broker: AwsLikeBroker;
    let node: ZephyrNode;
    let serial: SerialConsole;
    let device: Provisioning;
    let client: BusClient | undefined;

    beforeAll(async () => {
      const { image } = await buildDefaultNode(boardName, "image", {
        name: "aws",
        confFiles: [packagePath("zephyr-app", "aws.conf")],
      });
      if (image === undefined) throw new Error(`no image for ${boardName}`);
      executable = image;
      [chains.rsa, chains.ec, authority] = await Promise.all([
        endpointChain("rsa", [host]),
        endpointChain("ec", [host]),
        DeviceAuthority.create(),
      ]);
    }, buildTimeout);
    afterEach(async () => {
      await client?.close();
      client = undefined;
      await node.stop();
      await broker.stop();
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const boot = async (stateDir: string): Promise<void> => {
      node = await runZephyr({
        board,
        executable,
        stateDir,
        sensor: "accelerometer=generator:vibration-bearing",
      });
      ({ serial, device } = consoleOf(node));
      await serial.connect();
    };
    const written = (name: string, text: string): Buffer => {
      writeFileSync(join(folder, name), text);
      return certificatesDer(name, Buffer.from(text));
    };
    const endpoint = (kinds: readonly ("rsa" | "ec")[], more: Partial<Endpoint> = {}): Endpoint => ({
      cert: kinds.map((kind) => chains[kind].cert),
      key: kinds.map((kind) => chains[kind].key),
      ca: authority.certificate,
      alpn: true,
      thingOf: (fingerprint) => (fingerprint === thing.fingerprint ? id : undefined),
      ...(host === "localhost" ? { host } : {}),
      ...more,
    });
    /** As docs/aws-iot.md says it: request, certificate, and then the rest with the endpoint. */
    const provision = async (alpn = true): Promise<void> => {
      await device.wipe();
      const file = join(folder, `${id}.csr`);
      await provisionDevice(device, "node", new Map([["id", Buffer.from(id)]]), { csr: file, days: "1" });
      await serial.connect();
      thing = await authority.sign(readFileSync(file, "utf8"));
      const values = new Map([
        ["ca", written("roots.pem", chains.rsa.root + chains.ec.root)],
        ["cert", written("thing.pem", thing.certificate)],
        ...(alpn ? ([["alpn", Buffer.from(mqttProtocol)]] as const) : []),
        ["server", Buffer.from(`mqtts://${host}:${broker.tlsPort}`)],
      ] as const);
      await provisionDevice(device, id, values, { days: "1" });
      await serial.connect();
    };
    const online = async (): Promise<BusClient> => {
      await node.waitFor("connected to");
      client ??= await BusClient.connect({ url: broker.url, server: "edge" });
      await client.state(id, (state) => state.online);
      return client;
    };

    it("joins with a key of its own, is asked, answers, and leaves a will", async () => {
      broker = await AwsLikeBroker.start({
        policyOf: (each) => (each === id ? policies.node : policies.server),
        tls: endpoint(["rsa", "ec"]),
      });
      await boot(join(folder, "one"));
      await provision();
      const bus = await online();
      expect((await bus.birth(id)).node).toBe(id);
      const { done } = await bus.request(
        id,
        { operation: "model.infer", input: "sensor:accelerometer" },
        30_000,
      );
      expect(describeOutcome(done)).toBe("done");
      expect(resultOf("model.infer", done)).toMatchObject({ label: "bearing" });
      await node.stop();
      expect((await bus.state(id, (state) => !state.online)).online).toBe(false);
      expect(broker.violations).toEqual([]);
      expect(broker.ciphers).toHaveLength(1);
    });

    it.each([
      ["rsa", "TLS_ECDHE_RSA_WITH_AES_"],
      ["ec", "TLS_ECDHE_ECDSA_WITH_AES_"],
    ] as const)("knows an endpoint by its chain of kind %s", async (kind, cipher) => {
      broker = await AwsLikeBroker.start({ policyOf: () => policies.node, tls: endpoint([kind]) });
      await boot(join(folder, kind));
      await provision();
      await node.waitFor("connected to");
      expect(broker.ciphers).toEqual([expect.stringContaining(cipher)]);
    });

    it("asks for no protocol where none is set", async () => {
      broker = await AwsLikeBroker.start({ policyOf: () => policies.node, tls: endpoint(["ec"]) });
      await boot(join(folder, "alpn"));
      await provision(false);
      await expect.poll(() => broker.violations, { timeout: 30_000 }).toContain("TLS: no ALPN");
      expect(broker.connects.size).toBe(0);
    });

    it.skipIf(!may443)(
      `asks for it by itself on port 443${may443 ? "" : " (skipped: the port is not for this user)"}`,
      async () => {
        broker = await AwsLikeBroker.start({
          policyOf: () => policies.node,
          tls: endpoint(["ec"], { port: 443 }),
        });
        await boot(join(folder, "443"));
        await provision(false);
        await node.waitFor("connected to");
        expect(broker.violations).toEqual([]);
      },
    );

    it("is thrown out by its policy, waits longer each time, and works on when it may", async () => {
      let policy = policies.node;
      broker = await AwsLikeBroker.start({
        policyOf: (each) => (each === id ? policy : policies.server),
        tls: endpoint(["ec"]),
      });
      await boot(join(folder, "policy"));
      await provision();
      const bus = await online();
      const statements = policies.node.Statement.filter(({ Action }) => Action !== "iot:Publish");
      const mute = `arn:aws:iot:REGION:ACCOUNT:topic/t1/edge/\${iot:Connection.Thing.ThingName}/[bs]`;
      const told = { ...policies.node.Statement[1], Effect: "Allow", Action: "iot:Publish" };
      policy = {
        Statement: [
          ...statements,
          { ...told, Resource: ["b", "s"].map((kind) => mute.replace("[bs]", kind)) },
        ],
      };
      const asked = bus.request(id, { operation: "node.describe" }, 60_000);
      const thrownOut = (): string[] =>
        broker.violations.filter((each) => each.includes(`${id}/y: not allowed`));
      await expect.poll(() => thrownOut().length, { timeout: 60_000 }).toBeGreaterThanOrEqual(3);
      policy = policies.node;
      expect(describeOutcome((await asked).done)).toBe("done");
      expect(broker.violations).toEqual(thrownOut());
    });

    it("publishes no faster than is taken, and answers every request of a burst", async () => {
      broker = await AwsLikeBroker.start({
        policyOf: (each) => (each === id ? policies.node : policies.server),
        tls: endpoint(["ec"]),
      });
      await boot(join(folder, "burst"));
      await provision();
      const bus = await online();
      const numbers = Array.from({ length: 150 }, (_, i) => i + 1);
      const answered = new Set<number>();
      const everyAnswer = new Promise<void>((all) => {
        broker.onMessage((topic, payload) => {
          if (topic !== `t1/edge/${id}/y`) return;
          const answer = decodeAnswer(payload);
          if (answer.sender === "burst" && answer.stage === 2) answered.add(answer.id);
          if (answered.size === numbers.length) all();
        });
      });
      for (const number of numbers) {
        const request = { id: number, boot: 1, sender: "burst", operation: "node.monitor", brief: true };
        broker.publish(`t1/edge/${id}/x`, encodeRequest(request));
      }
      await everyAnswer;
      expect(broker.violations).toEqual([]);
      await bus.close();
      client = undefined;
    });
  },
);
