/**
 * `tmc provision`: makes a device this node: identity, credentials, Wi-Fi and brokers, over its serial console. The image is
 * the same for all. With --enroll the device makes its own key: it never leaves it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Option, type Command } from "commander";
import { openPort } from "../../device/open-port.js";
import {
  Provisioning,
  certificateDer,
  certificatesDer,
  privateKeyDer,
  settingNames,
  splitDer,
  type SettingName,
} from "../../device/provisioning.js";
import { SerialConsole } from "../../device/serial-console.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { pointId, publicPoint, readOwnerPublicKey } from "../../update/owner-keys.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";

export interface ProvisionOptions {
  readonly port?: string;
  readonly id?: string;
  readonly server?: string;
  readonly serverId?: string;
  readonly alpn?: string;
  readonly sntp?: string;
  readonly wifiSsid?: string;
  readonly wifiPskFile?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly updateKey?: string;
  readonly enroll?: true;
  readonly csr?: string;
  readonly config?: string;
  readonly days: string;
  readonly show?: true;
  readonly wipe?: true;
  readonly json?: true;
}

export function registerProvision(program: Command): void {
  const command = program
    .command("provision")
    .description("write identity, credentials, Wi-Fi and brokers into a device over its serial console")
    .option("--port <path>", "serial port, e.g. /dev/ttyACM0 (default: the one board that is connected)")
    .option("--id <id>", "who the node is: 1-23 characters of 0-9 a-z -")
    .option("--server <urls>", "brokers in order of preference, separated by commas: mqtts://HOST[:PORT],…")
    .option("--server-id <id>", "the server that the node belongs to")
    .option("--alpn <name>", "protocol to ask brokers for by ALPN (default: x-amzn-mqtt-ca on port 443)")
    .option("--sntp <host>", "where to ask for the time: HOST[:PORT]")
    .option("--wifi-ssid <name>", "Wi-Fi network")
    .option("--wifi-psk-file <file>", "file with its passphrase, WPA2")
    .option("--password-file <file>", "file with the password for brokers without TLS")
    .option("--ca <file>", "certificate of the brokers' authority, PEM or DER; several in one file of PEM")
    .option("--cert <file>", "the node's certificate, PEM or DER")
    .option("--key <file>", "its private key, PEM or DER; better: a key of the device (--enroll, --csr)")
    .option("--update-key <file>", "public key of the owner (tmc key new): whose updates the device takes")
    .option("--enroll", "the device makes a key pair; this machine's complete node signs its certificate")
    .option(
      "--csr <file>",
      "the device makes a key pair; its certificate request is written here, for --cert later",
    )
    .option("--config <file>", "with --enroll: configuration of the complete node (default: node.yaml)")
    .option("--days <n>", "with --enroll: how long the certificate is valid", "365")
    .option("--show", "print what the device has; secrets are not readable")
    .option("--wipe", "delete all of it, keys included")
    .addOption(new Option("--json", "print the result as JSON"))
    .action(provision);
  describeCommand(command, {
    examples: [
      [
        "tmc provision --id pump-1 --enroll --server mqtts://edge-1.example --wifi-ssid hall --wifi-psk-file psk.txt",
        "a new node; its key never leaves it",
      ],
      ["tmc provision --enroll", "a new key and certificate for the same node"],
      ["tmc provision --id pump-1 --csr pump-1.csr", "a new key; another authority signs (AWS IoT Core)"],
      ["tmc provision --cert pump-1.pem --ca ca.pem", "its certificate: the new key is the key from now on"],
      [
        "tmc provision --update-key owner.pub.pem",
        "takes updates of this owner from now on, and of no other",
      ],
      ["tmc provision --show", "what it has"],
      ["tmc provision --wipe", "before it is given away"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

async function provision(options: ProvisionOptions): Promise<void> {
  checkOptions(options);
  const values = valuesOf(options);
  const port = await openPort(options.port);
  try {
    const serial = new SerialConsole(port);
    const device = await serial.connect();
    const done = await provisionDevice(new Provisioning(serial), device.id, values, options);
    if (options.json === true) printJson({ id: device.id, ...done });
    else process.stdout.write(`${done.text}\n`);
  } finally {
    await port.close();
  }
}

function checkOptions(options: ProvisionOptions): void {
  const { enroll, csr, show, wipe, ca, cert, key } = options;
  const alone = show === true || wipe === true;
  const writes =
    enroll === true || csr !== undefined || valueSources(options).some(([, source]) => source !== undefined);
  if (alone && (writes || (show === true && wipe === true))) {
    throw conflict("--show and --wipe stand alone", "run them before or after the other options");
  }
  if (enroll === true && (ca ?? cert ?? key ?? csr) !== undefined) {
    throw conflict("--enroll makes key and certificate itself", "leave out --ca, --cert, --key and --csr");
  }
  if (csr !== undefined && (cert ?? key) !== undefined) {
    throw conflict("--csr makes a key that has no certificate yet", "give --cert when it is signed");
  }
  if (cert === undefined && key !== undefined) {
    throw conflict("a key needs its certificate", "give both --cert and --key");
  }
  if (!alone && !writes) {
    throw conflict("nothing to write", "see `tmc provision --help`; --show prints what the device has");
  }
}

function conflict(message: string, fix: string): UserError {
  return new UserError("TMC5108", message, fix, ExitCode.usage);
}

type Source = readonly [
  name: SettingName,
  value: string | undefined,
  from: "text" | "file" | "cert" | "key" | "owner",
];

/** In the order in which they are written: the brokers last, so that an interrupted node has nowhere to go. */
function valueSources(options: ProvisionOptions): readonly Source[] {
  return [
    ["id", options.id, "text"],
    ["server-id", options.serverId, "text"],
    ["alpn", options.alpn, "text"],
    ["sntp", options.sntp, "text"],
    ["wifi-ssid", options.wifiSsid, "text"],
    ["wifi-psk", options.wifiPskFile, "file"],
    ["password", options.passwordFile, "file"],
    ["ca", options.ca, "cert"],
    ["cert", options.cert, "cert"],
    ["key", options.key, "key"],
    ["update-key", options.updateKey, "owner"],
    ["server", options.server, "text"],
  ];
}

/** Read and checked before the device is touched. */
function valuesOf(options: ProvisionOptions): ReadonlyMap<SettingName, Buffer> {
  const values = new Map<SettingName, Buffer>();
  for (const [name, source, from] of valueSources(options)) {
    if (source === undefined) continue;
    if (from === "text") {
      values.set(name, Buffer.from(checkText(name, source)));
      continue;
    }
    if (from === "owner") {
      values.set(name, publicPoint(readOwnerPublicKey(source)));
      continue;
    }
    const content = readFileOrFail(source);
    const secret = Buffer.from(content.toString("utf8").replace(/\r?\n$/, ""));
    values.set(
      name,
      from === "file"
        ? secret
        : from === "cert"
          ? certificatesDer(source, content)
          : privateKeyDer(source, content),
    );
  }
  return values;
}

const shapes: Partial<Record<SettingName, RegExp>> = {
  id: /^[0-9a-z-]{1,23}$/,
  "server-id": /^[0-9a-z-]{1,23}$/,
  server: /^mqtts?:\/\/[^/:,\s]+(:\d{1,5})?\/?(,mqtts?:\/\/[^/:,\s]+(:\d{1,5})?\/?)*$/,
  alpn: /^[\x21-\x7e]{1,31}$/,
  sntp: /^[^/:\s]+(:\d{1,5})?$/,
};

function checkText(name: SettingName, text: string): string {
  if (text.length > 0 && (shapes[name]?.test(text) ?? true)) return text;
  throw new UserError(
    "TMC5108",
    `--${name} "${text}" is not what it should be`,
    "see `tmc provision --help`",
    ExitCode.usage,
  );
}

function readFileOrFail(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      "TMC5107",
      `cannot read ${file}: ${reason}`,
      "check the name of the file",
      ExitCode.usage,
    );
  }
}

function writeFileOrFail(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError("TMC5107", `cannot write ${file}: ${reason}`, "name another file", ExitCode.usage);
  }
}

interface Done {
  readonly text: string;
  readonly written?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

/** All that happens on the device. */
export async function provisionDevice(
  device: Provisioning,
  currentId: string,
  values: ReadonlyMap<SettingName, Buffer>,
  options: Pick<ProvisionOptions, "show" | "wipe" | "enroll" | "csr" | "config" | "days">,
): Promise<Done> {
  if (options.show === true) return show(device);
  if (options.wipe === true) {
    await device.wipe();
    await device.restart();
    return { text: "The device has forgotten identity, keys, network and brokers.", written: [] };
  }
  const id = values.get("id")?.toString() ?? currentId;
  const enrolled =
    options.enroll === true ? await enroll(device, id, options) : new Map<SettingName, Buffer>();
  const certificate = values.get("cert");
  const adopts = options.enroll === true || (certificate !== undefined && !values.has("key"));
  if (options.enroll !== true && adopts && certificate !== undefined) {
    await checkPending(device, id, certificate);
  }
  const written: string[] = [];
  for (const [name, value] of [...enrolled, ...values]) {
    await device.put(name, value);
    written.push(name);
  }
  if (adopts) {
    await device.adoptKey();
    written.push("key");
  }
  if (options.csr !== undefined) {
    writeFileOrFail(options.csr, await device.requestCertificate(id));
    if (written.length > 0) await device.restart();
    return { text: `${id}: wrote ${[options.csr, ...written].join(", ")}.`, written };
  }
  await device.restart();
  return { text: `${id}: wrote ${written.join(", ")}; the device starts anew.`, written };
}

/** The bytes of one block of PEM. */
const pemDer = (text: string): Buffer => Buffer.from(text.replace(/-----[^-]+-----/g, ""), "base64");

/** The certificate must be one of the key pair that the device made last. @throws UserError TMC5105, TMC5112 */
async function checkPending(device: Provisioning, id: string, certificate: Buffer): Promise<void> {
  const { X509Certificate } = await import("node:crypto");
  const request = await device.pendingRequest(id);
  const [own = certificate] = splitDer(certificate);
  const publicKey = new X509Certificate(own).publicKey.export({ format: "der", type: "spki" });
  if (pemDer(request).includes(publicKey)) return;
  throw new UserError(
    "TMC5112",
    "the certificate is not of the key that the device made last",
    "let the request of `tmc provision --csr FILE` be signed, made after the last --csr or --enroll",
    ExitCode.failed,
  );
}

/** Lets this machine's complete node sign the device's request. Gives what the device is to keep. */
async function enroll(
  device: Provisioning,
  id: string,
  options: Pick<ProvisionOptions, "config" | "days">,
): Promise<ReadonlyMap<SettingName, Buffer>> {
  const { loadConfig } = await import("../../../host/node/load-config.js");
  const { IdentityStore, longestDays } = await import("../../../host/node/broker/identity-store.js");
  const days = Number(options.days);
  if (!Number.isInteger(days) || days < 1 || days > longestDays) {
    throw new UserError("TMC5108", `--days ${options.days}`, `give 1 to ${longestDays}`, ExitCode.usage);
  }
  const { config } = loadConfig(options.config);
  const store = await IdentityStore.open(config.state, config.id);
  store.checkId(id);
  const csr = await device.requestCertificate(id);
  const known = store.roleOf(id) !== undefined;
  const enrolment = await store.enrol(id, {
    role: "node",
    days,
    csr,
    ...(known ? { renew: { overlapDays: 7 } } : {}),
  });
  return new Map<SettingName, Buffer>([
    ["server-id", Buffer.from(config.id)],
    ["ca", certificateDer("the node's authority", Buffer.from(enrolment.ca))],
    ["cert", certificateDer("the certificate", Buffer.from(enrolment.certificate))],
  ]);
}

async function show(device: Provisioning): Promise<Done> {
  const settings: Record<string, string> = {};
  for (const name of settingNames) {
    const kept = await device.get(name);
    settings[name] =
      kept === undefined
        ? "-"
        : kept === "secret"
          ? "(kept; not readable)"
          : name === "ca" || name === "cert"
            ? (await Promise.all(splitDer(kept).map(describeCertificate))).join("; ")
            : name === "update-key"
              ? `key id ${pointId(kept)}`
              : kept.toString("utf8");
  }
  const width = Math.max(...settingNames.map((name) => name.length));
  const text = Object.entries(settings).map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  return { text: text.join("\n"), settings };
}

async function describeCertificate(der: Buffer): Promise<string> {
  const { X509Certificate } = await import("node:crypto");
  const certificate = new X509Certificate(der);
  return `${certificate.subject.replaceAll("\n", ", ")}, until ${certificate.validTo}`;
}
