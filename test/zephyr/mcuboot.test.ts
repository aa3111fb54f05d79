/**
 * New firmware over the bus with MCUboot in QEMU: the boot loader, the signed image and the swap run in emulation, on a flash
 * that is a file. Killing QEMU is cutting the power.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { makeFirmware } from "../../compiler/board/zephyr/bootloader.js";
import { runZephyr, type ZephyrNode } from "../../compiler/board/zephyr/run.js";
import { buildApp } from "../../compiler/cli/build-app.js";
import { compileProgram } from "../../compiler/pipeline/compile.js";
import { publicPoint, readOwnerKey, writeOwnerKeys } from "../../compiler/update/owner-keys.js";
import { BusClient, describeOutcome, type Exchange } from "../../host/bus/bus-client.js";
import { Broker } from "../support/mosquitto.js";
import { piecesFor, readWish, referenceTo } from "../support/model-artifact.js";
import { consoleOf } from "./support/provision-node.js";
import { buildTimeout, imageFolder, lts, notRunnable, workspace } from "./support/zephyr-node.js";

const boardName = "mps2_an386";
const flashBytes = 4 * 1024 * 1024;
const slotAt = 0x10000;

/** Where MCUboot's image header has the version: two bytes, two bytes. */
const versionAt = slotAt + 20;

/** One key for all runs, so that MCUboot is not built anew for each. */
function testKey(): string {
  const folder = imageFolder(".");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "owner.key.pem");
  return existsSync(file) ? file : writeOwnerKeys(join(folder, "owner")).privateFile;
}

/** MCUboot's ELF, and the signed firmware of each release as it is flashed and as an update. */
interface Made {
  readonly elf: string;
  readonly flashed: Buffer;
  readonly updates: readonly Uint8Array[];
}

async function make(key: string): Promise<Made> {
  if (workspace === undefined) throw new Error("no workspace");
  const board = findBoard(boardName);
  const outDir = imageFolder(`${boardName}-firmware`);
  const result = compileProgram({
    entry: packagePath("examples", "firmware-update", "node.ts"),
    root: packagePath("."),
    checked: false,
    kind: "app",
  });
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join("\n"));
  const first = { key, release: "1.0.0", counter: 1 };
  const { compiled } = result;
  const { zephyr, firmware } = await buildApp({
    ...{ board, compiled, outDir, zephyrDir: undefined, emit: "image" as const, firmware: first },
    onProgress: () => undefined,
  });
  if (zephyr === undefined || firmware === undefined) throw new Error("no firmware");
  const flashed = readFileSync(firmware.bin);
  const updates: Uint8Array[] = [];
  for (const [i, release] of ["1.1.0", "1.2.0", "1.3.0"].entries()) {
    const made = await makeFirmware(board, workspace, zephyr, outDir, { key, release, counter: 2 + i });
    updates.push(readFileSync(made.update));
  }
  return { elf: firmware.bootloader.elf, flashed, updates };
}

describe.skipIf(notRunnable !== "")(`firmware updates through MCUboot on ${boardName}${notRunnable}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "tmc-mcuboot-"));
  const id = "fw-1";
  const key = testKey();
  let made: Made;
  let broker: Broker;
  let client: BusClient;
  let node: ZephyrNode;

  let chunks: MqttClient;
  /** Told of every line of the console. */
  let onLine = (): void => undefined;
  /** The releases in the first slot each time that MCUboot jumped there since the power came on. */
  let jumped: string[] = [];
  const noteJump = (line: string): void => {
    if (!line.includes("Jumping to the first image slot")) return;
    const flash = readFileSync(join(folder, "flash.bin"));
    const [major, minor] = flash.subarray(versionAt);
    jumped.push(`${major}.${minor}.${flash.readUInt16LE(versionAt + 2)}`);
  };

  const start = async (): Promise<void> => {
    jumped = [];
    node = await runZephyr({
      board: findBoard(boardName),
      ...{ executable: made.elf, id, server: broker.url, stateDir: folder },
      onLine: (line) => {
        noteJump(line);
        onLine();
      },
    });
  };
  /** As the loss of power. */
  const cut = async (): Promise<void> => {
    node.process.kill("SIGKILL");
    await node.ended;
  };
  const count = (text: string): number => node.lines.filter((line) => line.includes(text)).length;
  /** MCUboot of Zephyr 3.7 does not say which version it starts. */
  const runs = async (release: string): Promise<void> => {
    if (lts) await expect.poll(() => jumped, { timeout: 60_000 }).toContain(release);
    else await node.waitFor(`Image version: v${release}`, 60_000);
  };
  const ask = (update: Uint8Array, timeoutMs = 120_000): Promise<Exchange> =>
    client.request(id, { operation: "node.update", input: referenceTo(update) }, timeoutMs);
  /** Asks until the node has restarted and the boot loader begins to swap. */
  const bring = async (update: Uint8Array): Promise<void> => {
    serving = update;
    const swaps = count("Starting swap");
    const swapping = new Promise<void>((done) => {
      onLine = () => {
        if (count("Starting swap") > swaps) done();
      };
    });
    const order = { operation: "node.update", input: referenceTo(update), deadlineMs: 100_000 };
    const asked = client.request(id, order, 1_000).catch(() => undefined);
    await swapping;
    onLine = () => undefined;
    await asked;
  };
  let serving: Uint8Array = new Uint8Array(0);

  beforeAll(async () => {
    made = await make(key);
    const flash = Buffer.alloc(flashBytes, 0xff);
    made.flashed.copy(flash, slotAt);
    writeFileSync(join(folder, "flash.bin"), flash);
    broker = await Broker.start();
    client = await BusClient.connect({ url: broker.url, server: "edge" });
    chunks = await connectAsync(broker.url);
    chunks.on("message", (topic, payload) => {
      const wish = readWish(payload);
      if (wish === undefined) return;
      for (const piece of piecesFor(serving, wish)) chunks.publish(topic, Buffer.from(piece), { qos: 1 });
    });
    await chunks.subscribeAsync(`t1/edge/${id}/c`, { qos: 1 });
    await start();
    await client.state(id, (state) => state.online, 60_000);
  }, buildTimeout);

  afterAll(async () => {
    await node?.stop();
    await client?.close();
    await chunks?.endAsync(true);
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("starts the signed firmware, and takes none without the owner's key", async () => {
    await runs("1.0.0");
    serving = made.updates[0] ?? serving;
    expect(describeOutcome((await ask(serving)).done)).toContain("forbidden");
    const { serial, device } = consoleOf(node);
    await serial.connect();
    await device.put("update-key", publicPoint(readOwnerKey(key).publicKey));
  }, 60_000);

  it("tries new firmware, and keeps it when it is asked again", async () => {
    const [update = serving] = made.updates;
    await bring(update);
    await runs("1.1.0");
    await client.state(id, (state) => state.online && state.boot === 2, 60_000);
    const { done } = await ask(update);
    expect(describeOutcome(done)).toBe("done");
    expect(done.result).toEqual(new Map([[0, "1.1.0"]]));
    await cut();
    await start();
    await runs("1.1.0");
    await client.state(id, (state) => state.online && state.boot === 3, 60_000);
  }, 120_000);

  it("returns to the old firmware when the new one was not asked again, and says so once", async () => {
    const update = made.updates[1] ?? serving;
    await bring(update);
    await runs("1.2.0");
    await node.waitFor("this firmware is on trial", 60_000);
    await cut();
    await start();
    await runs("1.1.0");
    await node.waitFor("did not stay", 60_000);
    await client.state(id, (state) => state.online && state.boot === 5, 60_000);
    expect(describeOutcome((await ask(update)).done)).toContain("corrupt");
  }, 120_000);

  it("ends a swap in which the power failed", async () => {
    const update = made.updates[2] ?? serving;
    await bring(update);
    await cut();
    expect(count("Image version: v1.3.0")).toBe(0);
    expect(jumped).not.toContain("1.3.0");
    await start();
    await runs("1.3.0");
    await client.state(id, (state) => state.online && state.boot === 6, 60_000);
    expect((await ask(update)).done.result).toEqual(new Map([[0, "1.3.0"]]));
  }, 120_000);

  it("refuses older firmware before it erases anything", async () => {
    const update = made.updates[0] ?? serving;
    serving = update;
    const before = readFileSync(join(folder, "flash.bin")).subarray(0, 0x3f0000);
    expect(describeOutcome((await ask(update)).done)).toContain("forbidden");
    expect(readFileSync(join(folder, "flash.bin")).subarray(0, 0x3f0000).equals(before)).toBe(true);
  }, 60_000);
});
