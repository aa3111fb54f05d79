/**
 * The node behind a Wi-Fi module: Zephyr's stock eswifi driver on mps2_an386 in QEMU, with an emulated module
 * (support/wifi-module.ts) on a serial port. Joining, both directions, TLS, and every fault the module and the network have
 * here; after each the node must be of use again. The program is the hand-written stand-in.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findBoard, type Board } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import type { ZephyrImage } from "../../compiler/board/zephyr/build.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { Provisioning, certificateDer } from "../../compiler/device/provisioning.js";
import { SerialConsole } from "../../compiler/device/serial-console.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import { openBroker } from "../support/open-broker.js";
import { startTestBroker } from "../support/test-broker.js";
import { Recorder } from "./support/recorder.js";
import { TimeServer } from "./support/time-server.js";
import { WifiModule, type WifiFaults } from "./support/wifi-module.js";
import { buildImage, buildTimeout, lts, notRunnable } from "./support/zephyr-node.js";

const fixture = (...path: string[]): string => packagePath("test", "zephyr", "fixtures", ...path);
const host = "10.0.2.2";

describe.skipIf(notRunnable !== "")(`behind a Wi-Fi module${notRunnable}`, () => {
  let image: ZephyrImage;
  let module: WifiModule;
  let node: ZephyrNode;
  let folder: string;
  let recorder: Recorder;
  let broker: Awaited<ReturnType<typeof openBroker>>;

  beforeAll(async () => {
    image = await buildImage("mps2_an386", "stand-in-wifi", fixture("stand-in"), {
      config: { TMC_WIFI_REJOIN_S: 8, TMC_KEEPALIVE_S: 5, TMC_BACKOFF_MAX_MS: 1000, TMC_LOG_LEVEL: 3 },
      confFiles: [fixture("wifi", "wifi.conf")],
      overlays: [fixture("wifi", "mps2_an386.overlay")],
    });
  }, buildTimeout);
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tmc-wifi-"));
    module = await WifiModule.start("plant 3", "correct horse");
    recorder = new Recorder(() => node?.lines ?? []);
    broker = await openBroker({ pass: recorder.pass });
  });
  afterEach(async () => {
    await node.stop();
    await module.close();
    await broker.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** mps2_an386 with the module on its second serial port. */
  function boardWithModule(): Board {
    const board = findBoard("mps2_an386");
    if (board.run.how !== "qemu") throw new Error("no emulator");
    const args = [...board.run.args, ...module.qemuArgs];
    return { ...board, run: { ...board.run, args } };
  }

  /** Starts the image, provisions it, restarts it. */
  async function start(
    server: string,
    further: (device: Provisioning) => Promise<void> = async () => undefined,
  ) {
    node = await runZephyr({ board: boardWithModule(), executable: image.executable, stateDir: folder });
    const { stdin, stdout } = node.process;
    if (stdin === null || stdout === null) throw new Error("no console");
    const serial = new SerialConsole({ input: stdin, output: stdout });
    const device = new Provisioning(serial);
    await serial.connect();
    await device.put("id", Buffer.from("n1"));
    await device.put("wifi-ssid", Buffer.from("plant 3"));
    await device.put("wifi-psk", Buffer.from("correct horse"));
    await device.put("server", Buffer.from(server));
    await further(device);
    await device.restart();
  }
  const startPlain = async (): Promise<void> => {
    await start(broker.url.replace("127.0.0.1", host));
    await recorder.until(() => recorder.on("b").length === 1);
  };
  const ask = (text: string): Promise<string> =>
    recorder.answer(() => broker.publish({ topic: "t1/edge/n1/x", payload: Buffer.from(text) }));

  it("joins, and talks in both directions up to the largest message", async () => {
    await startPlain();
    expect(module.joins).toBe(1);
    expect(await ask("hello")).toBe("5 hello");
    expect(await ask("big")).toBe("x".repeat(2000));
    expect(await ask("y".repeat(2000))).toBe(`2000 ${"y".repeat(1023)}`);
    broker.publish({ topic: "t1/edge/n1/x", payload: Buffer.alloc(5000, "z") });
    expect(await ask("after")).toBe("5 after");
    await node.waitFor("dropped a message of 5000 bytes");
  });

  it("keeps trying to join until it is let in", async () => {
    module.changePassphrase("another");
    await start(broker.url.replace("127.0.0.1", host));
    await expect.poll(() => module.commands.get("C0") ?? 0, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
    expect(module.joins).toBe(0);
    module.changePassphrase("correct horse");
    await recorder.until(() => recorder.on("b").length === 1);
  });

  it("speaks mutual TLS, with a key made on the device, and asks for the time", async () => {
    const time = await TimeServer.start();
    const store = await IdentityStore.open(join(folder, "server"), "edge");
    const secure = await startTestBroker(
      { port: undefined, tls: { port: 0 } },
      { identities: store, tls: await store.serverMaterial([host]) },
    );
    try {
      await start(`mqtts://${host}:${secure.tlsPort}`, async (device) => {
        const csr = await device.requestCertificate("n1");
        const enrolment = await store.enrol("n1", { role: "node", csr });
        await device.put("ca", certificateDer("ca", Buffer.from(enrolment.ca)));
        await device.put("cert", certificateDer("cert", Buffer.from(enrolment.certificate)));
        await device.adoptKey();
        await device.put("sntp", Buffer.from(`${host}:${time.port}`));
      });
      await node.waitFor("the time is known", 60_000);
      await node.waitFor(`connected to ${host}:${secure.tlsPort}`, 60_000);
      expect(secure.status().clients).toMatchObject([{ id: "n1", proof: "certificate" }]);
    } finally {
      await secure.close();
      await time.stop();
    }
  });

  const drops = lts ? " (skipped: the driver of Zephyr 3.7 drops what finds no packet buffer)" : "";
  it.skipIf(lts)(`loses nothing when packets come in parts${drops}`, () => losesNothing({ split: 7 }));

  const weather: readonly (readonly [string, WifiFaults])[] = [
    ["packets come together", { merge: 1000 }],
    ["packets come late", { slow: 15 }],
    ["packets are lost and come again", { retransmit: 700 }],
  ];
  it.each(weather)("loses nothing when %s", (_, faults) => losesNothing(faults));

  async function losesNothing(faults: WifiFaults): Promise<void> {
    await startPlain();
    Object.assign(module.faults, faults);
    expect(await ask("count 20 50 60")).toBe("counting 20");
    // The largest takes more than a segment.
    for (let k = 0; k < 5; k++) {
      const text = `${k}${"y".repeat(500 * k)}`;
      expect(await ask(text)).toBe(`${text.length} ${text.slice(0, 1023)}`);
    }
    await recorder.until(() => recorder.events().length === 20);
    expect(recorder.events()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(recorder.on("b").length).toBe(1);
  }

  const accidents: readonly (readonly [string, () => void])[] = [
    ["the connection is reset", () => module.reset()],
    ["the module restarts", () => module.reboot()],
    [
      "attempts to connect fail",
      () => {
        module.faults.failConnects = 3;
        module.reset();
      },
    ],
  ];
  it.each(accidents)("comes back with every event when %s", async (_, happen) => {
    await startPlain();
    expect(await ask("count 40 50 30")).toBe("counting 40");
    await recorder.until(() => recorder.events().length >= 10);
    happen();
    await recorder.until(() => recorder.events().length === 40, 110_000);
    expect(recorder.events()).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(await ask("hello")).toBe("5 hello");
  });

  it("sends again what the module refused, which the driver does not tell", async () => {
    await startPlain();
    expect(await ask("count 40 50 30")).toBe("counting 40");
    await recorder.until(() => recorder.events().length >= 10);
    module.faults.failSends = 1;
    await recorder.until(() => recorder.events().length === 40, 110_000);
    // After those that followed it: nobody knew.
    expect(recorder.events().sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  it("comes back when the network was out of reach", async () => {
    await startPlain();
    expect(await ask("hello")).toBe("5 hello");
    module.inReach = false;
    // To connect, and to join once the driver has found out that it is not joined any more.
    const attempts = (): number => (module.commands.get("P6") ?? 0) + (module.commands.get("C0") ?? 0);
    const before = attempts();
    module.reset();
    await expect.poll(attempts, { timeout: 60_000 }).toBeGreaterThanOrEqual(before + 4);
    module.inReach = true;
    await recorder.until(() => recorder.on("b").length >= 2, 110_000);
    expect(await ask("hello")).toBe("5 hello");
    expect(module.boots).toBe(1);
  });

  it("restarts, and the module with it, when the module does not reply", async () => {
    await startPlain();
    expect(await ask("hello")).toBe("5 hello");
    module.faults.dropReplies = 1;
    // The driver would wait for a minute, and the main thread for the driver: the watchdog does not.
    await recorder.until(() => recorder.on("b").length >= 2, 110_000);
    expect(module.boots).toBe(2);
    expect(recorder.on("b").at(-1)).toMatch(/^birth boot=3 reason=4$/);
    // Where it waited: for bytes, or still for the end of that answer.
    expect(await ask("crash")).toMatch(/^crash 16 0 2 (port|message)$/);
    expect(await ask("hello")).toBe("5 hello");
  });

  it("comes back from ten resets in a row", async () => {
    await startPlain();
    for (let births = 2; births <= 11; births++) {
      module.reset();
      await recorder.until(() => recorder.on("b").length >= births);
      expect(await ask("hello")).toBe("5 hello");
    }
  });
});
