/** Provisioning over a console, against a device that is played here; real ones are in test/zephyr/secure.test.ts. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { PassThrough } from "node:stream";
import { crc32 } from "node:zlib";
import { expect, it } from "vitest";
import { provisionDevice } from "../cli/commands/provision.js";
import { ownerKeyId, publicPoint } from "../update/owner-keys.js";
import { Provisioning, certificateDer, privateKeyDer } from "./provisioning.js";
import { SerialConsole } from "./serial-console.js";

/** Answers each line as `answer` says; undefined: with silence. */
function play(answer: (line: string) => string[] | undefined): {
  serial: SerialConsole;
  heard: string[];
  log: string[];
  say: (text: string) => void;
} {
  const input = new PassThrough();
  const output = new PassThrough();
  const heard: string[] = [];
  const log: string[] = [];
  let rest = "";
  input.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      heard.push(line);
      for (const text of answer(line) ?? []) output.write(`${text}\r\n`);
    }
  });
  const serial = new SerialConsole({ input, output }, (line) => log.push(line));
  return { serial, heard, log, say: (text) => output.write(text) };
}

const hex = (value: Buffer): string => crc32(value).toString(16).padStart(8, "0");

it("sends a value in lines of 96 bytes with its checksum", async () => {
  const { serial, heard } = play(() => ["tmc: ok"]);
  const value = Buffer.from(Array.from({ length: 200 }, (_, i) => i));
  await new Provisioning(serial).put("cert", value);
  expect(heard).toEqual([
    "tmc begin cert 200",
    `tmc data ${value.subarray(0, 96).toString("base64")}`,
    `tmc data ${value.subarray(96, 192).toString("base64")}`,
    `tmc data ${value.subarray(192).toString("base64")}`,
    `tmc commit ${hex(value)}`,
  ]);
});

it("reads values, tells secrets and absences, and refuses what was damaged", async () => {
  const value = Buffer.from("mqtts://edge");
  const answers: Record<string, string[]> = {
    "tmc get server": [`tmc: data ${value.toString("base64")}`, `tmc: ok ${value.length} ${hex(value)}`],
    "tmc get key": ["tmc: ok secret"],
    "tmc get id": ["tmc: ok absent"],
    "tmc get ca": [`tmc: data ${value.toString("base64")}`, `tmc: ok ${value.length} 00000000`],
  };
  const { serial } = play((line) => answers[line]);
  const device = new Provisioning(serial);
  expect(await device.get("server")).toEqual(value);
  expect(await device.get("key")).toBe("secret");
  expect(await device.get("id")).toBeUndefined();
  await expect(device.get("ca")).rejects.toMatchObject({ code: "TMC5106" });
});

it("gives the device the key of its owner, and shows whose it has", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const point = publicPoint(publicKey);
  const { serial, heard } = play((line) => {
    if (line === "tmc get update-key")
      return [`tmc: data ${point.toString("base64")}`, `tmc: ok ${point.length} ${hex(point)}`];
    return [line.startsWith("tmc get") ? "tmc: ok absent" : "tmc: ok"];
  });
  const device = new Provisioning(serial);
  const options = { days: "365" };
  expect(await provisionDevice(device, "n1", new Map([["update-key", point]]), options)).toMatchObject({
    written: ["update-key"],
  });
  expect(heard).toContain("tmc begin update-key 65");
  const shown = await provisionDevice(device, "n1", new Map(), { ...options, show: true });
  expect(shown.settings).toMatchObject({ "update-key": `key id ${ownerKeyId(createPublicKey(privateKey))}` });
});

it("leaves the log to others, also in the middle of an answer", async () => {
  const { serial, log, say } = play((line) =>
    line.startsWith("tmc hello") ? ["n1 info: boot 3", `tmc: ok 1 n1 3 ${line.split(" ")[2]}`] : undefined,
  );
  expect(await serial.connect()).toEqual({ id: "n1", boot: 3 });
  say("n1 info: con");
  say("nected\n");
  await expect.poll(() => log).toEqual(["n1 info: boot 3", "n1 info: connected"]);
});

it("takes no late answer of an attempt that was given up", async () => {
  let attempts = 0;
  const { serial } = play((line) => {
    attempts += 1;
    const word = line.split(" ")[2];
    return attempts === 1 ? [] : ["tmc: ok 1 old 1 1", `tmc: ok 1 n1 2 ${word}`];
  });
  expect(await serial.connect()).toEqual({ id: "n1", boot: 2 });
});

it("says what the device refused, without what may be secret", async () => {
  const { serial } = play(() => ["tmc: error the flash refused it"]);
  const failure: unknown = await new Provisioning(serial)
    .put("wifi-psk", Buffer.from("geheim"))
    .catch((e: unknown) => e);
  expect(failure).toMatchObject({
    code: "TMC5105",
    message: expect.stringContaining("the flash refused it") as string,
  });
  expect(String(failure)).not.toContain(Buffer.from("geheim").toString("base64"));
});

it("gives up on silence, and on another version", async () => {
  await expect(play(() => undefined).serial.connect(10)).rejects.toMatchObject({ code: "TMC5103" });
  const other = play((line) => [`tmc: ok 2 n1 1 ${line.split(" ")[2]}`]);
  await expect(other.serial.connect()).rejects.toMatchObject({ code: "TMC5104" });
});

it("takes keys as PEM and DER, on P-256 only", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const sec1 = privateKey.export({ format: "der", type: "sec1" });
  for (const content of [
    privateKey.export({ format: "pem", type: "pkcs8" }),
    privateKey.export({ format: "pem", type: "sec1" }),
    privateKey.export({ format: "der", type: "pkcs8" }),
    sec1,
  ]) {
    expect(privateKeyDer("k", Buffer.from(content))).toEqual(sec1);
  }
  const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
  const refused = expect.objectContaining({ code: "TMC5107" }) as unknown;
  expect(() => privateKeyDer("k", other.export({ format: "der", type: "sec1" }))).toThrow(refused as Error);
  expect(() => privateKeyDer("k", Buffer.from("nothing"))).toThrow(refused as Error);
  expect(() => certificateDer("c", Buffer.from("nothing"))).toThrow(refused as Error);
});
