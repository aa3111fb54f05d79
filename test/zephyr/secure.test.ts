/**
 * A node on Zephyr with an identity of its own: provisioned over the serial console, its key made on the device, mutual TLS
 * with the embedded broker; who it refuses and who refuses it. The program on it is the hand-written stand-in.
 */
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import type { ZephyrImage } from "../../compiler/board/zephyr/build.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { publicPoint } from "../../compiler/update/owner-keys.js";
import { certificateDer, type Provisioning } from "../../compiler/device/provisioning.js";
import type { SerialConsole } from "../../compiler/device/serial-console.js";
import type { Broker } from "../../host/node/broker/broker.js";
import { createAuthority, issueServer } from "../../host/node/broker/certificates.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import { startTestBroker } from "../support/test-broker.js";
import { consoleOf, giveIdentity } from "./support/provision-node.js";
import { TimeServer } from "./support/time-server.js";
import { buildImage, buildTimeout, notRunnable } from "./support/zephyr-node.js";

const standIn = packagePath("test", "zephyr", "fixtures", "stand-in");

describe.skipIf(notRunnable !== "").each([
  ["native_sim", "localhost"],
  ["mps2_an386", "10.0.2.2"],
])(`identity and TLS on %s${notRunnable}`, (board, host) => {
  let image: ZephyrImage;
  let store: IdentityStore;
  let broker: Broker;
  let node: ZephyrNode;
  let serial: SerialConsole;
  let device: Provisioning;
  let time: TimeServer;
  const folder = mkdtempSync(join(tmpdir(), "tmc-secure-"));
  const stateDir = join(folder, "device");

  beforeAll(async () => {
    image = await buildImage(board, "stand-in", standIn);
    store = await IdentityStore.open(join(folder, "server"), "edge");
    time = await TimeServer.start();
  }, buildTimeout);
  afterAll(async () => {
    await time?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    broker = await startTestBroker(
      { port: undefined, tls: { port: 0 } },
      { identities: store, tls: await store.serverMaterial([host]) },
    );
    await start();
  });
  afterEach(async () => {
    await node.stop();
    await broker.close();
  });

  async function start(): Promise<void> {
    node = await runZephyr({ board: findBoard(board), executable: image.executable, stateDir });
    ({ serial, device } = consoleOf(node));
    await serial.connect();
  }

  const put = (name: "id" | "server" | "sntp" | "server-id", text: string): Promise<void> =>
    device.put(name, Buffer.from(text));

  const provision = (id: string, servers: string): Promise<void> =>
    giveIdentity(device, store, { id, servers });
  const url = (port = broker.tlsPort): string => `mqtts://${host}:${port}`;
  const restarted = async (): Promise<void> => {
    await device.restart();
    await serial.connect();
  };

  it("keeps what it is told, and tells it again, but no secret", async () => {
    await provision("pump-1", url());
    expect((await device.get("id"))?.toString()).toBe("pump-1");
    expect(await device.get("key")).toBe("secret");
    expect(await device.get("wifi-psk")).toBeUndefined();
    const long = Buffer.alloc(700, 0x61);
    await device.put("wifi-ssid", long);
    expect(await device.get("wifi-ssid")).toEqual(long);
    const point = publicPoint(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey);
    await device.put("update-key", point);
    expect(await device.get("update-key")).toEqual(point);
    await expect(device.put("update-key", point.subarray(1))).rejects.toThrow(/update-key: a point/);
    await expect(device.put("update-key", Buffer.concat([Buffer.of(2), point.subarray(1)]))).rejects.toThrow(
      /update-key: a point/,
    );
    expect(await device.get("update-key")).toEqual(point);
    await device.delete("wifi-ssid");
    expect(await device.get("wifi-ssid")).toBeUndefined();
    await device.wipe();
    for (const name of ["id", "key", "ca", "cert", "server", "update-key"] as const) {
      expect(await device.get(name)).toBeUndefined();
    }
  });

  it.each([
    ["get passwd", /name: one of/],
    ["begin id 0", /size: 1 to/],
    ["begin ca 5000", /size: 1 to/],
    ["data AAAA", /nothing was begun/],
    ["commit 0", /incomplete/],
    ["adopt", /no new key/],
    ["", /no command/],
    ["frobnicate", /unknown command/],
    [`get ${"x".repeat(300)}`, /line too long|characters were lost/],
  ])("refuses the line %j", async (line, reason) => {
    await device.wipe();
    await expect(serial.command(line)).rejects.toThrow(reason);
  });

  it("answers nothing more once it restarts: the greeting of a session is for the next boot", async () => {
    const { boot } = await serial.connect();
    await serial.command("restart\ntmc hello early");
    expect((await serial.connect()).boot).toBe(boot + 1);
    expect(node.lines.filter((line) => line.endsWith(` ${boot} early`))).toEqual([]);
  });

  it("tells counters and memory", async () => {
    const { words } = await serial.command("status");
    expect(words.join(" ")).toMatch(
      /^received=0 too-large=0 published=\d+ refused=\d+ unkept=0 attempts=\d+ connects=\d+ disconnects=\d+ outbox=\d+\/\d+ tls=0\/0 stack-free=-?\d+$/,
    );
  });

  it("stores nothing that arrived damaged", async () => {
    await put("id", "pump-1");
    await serial.command("begin id 6");
    await serial.command(`data ${Buffer.from("pump-2").toString("base64")}`);
    await expect(serial.command("commit 00000000")).rejects.toThrow("checksum");
    expect((await device.get("id"))?.toString()).toBe("pump-1");
  });

  it("joins with a key that never left it, and again with a new one", async () => {
    await provision("pump-2", url());
    await restarted();
    await node.waitFor("connected to");
    expect(broker.status().clients).toMatchObject([{ id: "pump-2", proof: "certificate" }]);
    const before = node.lines.length;
    await provision("pump-2", url());
    await restarted();
    await expect
      .poll(() => node.lines.slice(before).join("\n"), { timeout: 30_000 })
      .toContain("connected to");
  });

  // native_sim's threads run on stacks of the host.
  it.skipIf(board === "native_sim")(
    "leaves a quarter of its stack free through handshake and messages (not on native_sim: stacks of the host)",
    async () => {
      const server = broker.connect();
      const next = (last: string): Promise<string> =>
        new Promise((heard) =>
          server.onMessage((topic, payload) => {
            if (topic === `t1/edge/pump-7/${last}`) heard(Buffer.from(payload).toString());
          }),
        );
      const [birth, answer] = [next("b"), next("y")];
      await server.subscribe(["t1/edge/pump-7/b", "t1/edge/pump-7/y"]);
      await provision("pump-7", url());
      await restarted();
      await birth; // it has subscribed by then
      await server.publish("t1/edge/pump-7/x", Buffer.from("stack"));
      const free = Number(/^stack (\d+)$/.exec(await answer)?.[1]);
      expect(free).toBeGreaterThan(8192 / 4);
    },
  );

  it("goes on to the next broker of its list", async () => {
    await provision("pump-3", `${url(1)},${url()}`);
    await restarted();
    await node.waitFor(`connected to ${host}:${broker.tlsPort}`);
  });

  it.each([
    ["of another authority", false, "authority"],
    ["for another host", true, "host name"],
  ])("refuses a broker with a certificate %s", async (_, known, reason) => {
    const authority = await createAuthority("edge");
    const { certificate, key } = await issueServer(authority, "edge", 30, known ? ["elsewhere"] : [host]);
    const impostor = await startTestBroker(
      { port: undefined, tls: { port: 0 } },
      { identities: store, tls: { ca: authority.certificate, cert: certificate, key } },
    );
    await provision("pump-4", url(impostor.tlsPort));
    if (known) await device.put("ca", certificateDer("ca", Buffer.from(authority.certificate)));
    await restarted();
    expect(await node.waitFor("certificate is refused")).toContain(reason);
    expect(impostor.status().clients).toEqual([]);
    await impostor.close();
  });

  it("says that the broker does not take it", async () => {
    await provision("pump-5", url());
    await store.revoke("pump-5");
    await restarted();
    await node.waitFor("refused the connection: not authorized");
    expect(broker.status().clients).toEqual([]);
  });

  it("tries again when the connection ends in the handshake", async () => {
    let taken = 0;
    const rude = createServer((socket) => {
      taken++;
      socket.on("error", () => undefined);
      socket.once("data", () => socket.destroy());
    });
    rude.listen(0, "127.0.0.1");
    await once(rude, "listening");
    try {
      await provision("pump-8", url((rude.address() as AddressInfo).port));
      await restarted();
      await expect.poll(() => taken, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    } finally {
      rude.close();
    }
  });

  it.each([
    ["not valid yet", 2026],
    ["expired", 2099],
  ])("refuses a certificate that is %s, once it knows the time", async (reason, year) => {
    time.now = Date.UTC(year, 0, 1) / 1000;
    await provision("pump-6", url());
    await put("sntp", `${host}:${time.port}`);
    await restarted();
    await node.waitFor("the time is known");
    expect(await node.waitFor("certificate is refused")).toContain(reason);
    expect(broker.status().clients).toEqual([]);
  });
});
