/**
 * What a device keeps about itself: identity, credentials, network, brokers; written, read back, rotated and wiped over
 * its serial console. Where values come from is the command's business (cli/commands/provision.ts).
 */
import { X509Certificate, createPrivateKey } from "node:crypto";
import { crc32 } from "node:zlib";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { SerialConsole } from "./serial-console.js";

/** Names of settings, as in runtime-c/port/zephyr/provision.c. */
export const settingNames = [
  "id",
  "server-id",
  "server",
  "alpn",
  "sntp",
  "ca",
  "cert",
  "key",
  "password",
  "wifi-ssid",
  "wifi-psk",
  "update-key",
] as const;
export type SettingName = (typeof settingNames)[number];

/** Bytes of a value in one line of the console. */
const lineBytes = 96;

/** What `get` tells: the bytes; that a secret is there; nothing. */
export type Kept = Buffer | "secret" | undefined;

export class Provisioning {
  constructor(private readonly console: SerialConsole) {}

  /** Stores the value whole, or leaves what was there. @throws UserError TMC5105. */
  async put(name: SettingName, value: Buffer): Promise<void> {
    await this.console.command(`begin ${name} ${value.length}`);
    for (let at = 0; at < value.length; at += lineBytes) {
      await this.console.command(`data ${value.subarray(at, at + lineBytes).toString("base64")}`);
    }
    await this.console.command(`commit ${hex(crc32(value))}`);
  }

  /** @throws UserError TMC5106 when characters were lost. */
  async get(name: SettingName): Promise<Kept> {
    const { words, data } = await this.console.command(`get ${name}`);
    if (words[0] === "absent") return undefined;
    if (words[0] === "secret") return "secret";
    return checked(words, data);
  }

  async delete(name: SettingName): Promise<void> {
    await this.console.command(`delete ${name}`);
  }

  /** Everything that this class writes is gone, keys included. */
  async wipe(): Promise<void> {
    await this.console.command("wipe");
  }

  /**
   * The device makes a new key pair, keeps it aside, and asks for a certificate of it. The key in use stays in use until
   * `adoptKey`. Gives the request (PKCS #10) as PEM; its common name is `id`.
   */
  async requestCertificate(id: string): Promise<string> {
    await this.console.command("keygen", 60_000);
    return this.pendingRequest(id);
  }

  /** The request for the key pair that `requestCertificate` made and nobody adopted. @throws UserError TMC5105: there is none */
  async pendingRequest(id: string): Promise<string> {
    const { words, data } = await this.console.command(`csr ${id}`, 60_000);
    return pem("CERTIFICATE REQUEST", checked(words, data));
  }

  /** The key pair that was made last is the one in use, with the certificate written before. */
  async adoptKey(): Promise<void> {
    await this.console.command("adopt");
  }

  async restart(): Promise<void> {
    await this.console.command("restart");
  }
}

function checked(words: readonly string[], data: Buffer): Buffer {
  if (Number(words[0]) !== data.length || words[1] !== hex(crc32(data))) {
    throw new UserError(
      "TMC5106",
      "what the device sent was damaged on the line",
      "try again; use a shorter cable or another port if it stays so",
      ExitCode.failed,
    );
  }
  return data;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** A certificate as DER, from PEM or DER. @throws UserError TMC5107. */
export function certificateDer(file: string, content: Buffer): Buffer {
  try {
    return new X509Certificate(content).raw;
  } catch {
    throw unreadable(file, "certificate (X.509, PEM or DER)");
  }
}

/** Certificates as DER, one behind the other, from one or several in PEM, or one in DER. @throws UserError TMC5107. */
export function certificatesDer(file: string, content: Buffer): Buffer {
  const blocks = content
    .toString("latin1")
    .match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  const parts = blocks === null ? [content] : blocks.map((block) => Buffer.from(block));
  return Buffer.concat(parts.map((part) => certificateDer(file, part)));
}

/** The parts of what `certificatesDer` gave; what is no whole sequence is left out. */
export function splitDer(content: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at + 4 <= content.length;) {
    const size = content[at] === 0x30 && content[at + 1] === 0x82 ? 4 + content.readUInt16BE(at + 2) : 0;
    if (size === 0 || at + size > content.length) break;
    parts.push(content.subarray(at, at + size));
    at += size;
  }
  return parts;
}

/** A private key as DER (SEC 1), from PEM or DER. @throws UserError TMC5107 (also for keys that are no P-256). */
export function privateKeyDer(file: string, content: Buffer): Buffer {
  for (const type of ["pem", "pkcs8", "sec1"] as const) {
    try {
      const key = createPrivateKey(
        type === "pem" ? { key: content, format: "pem" } : { key: content, format: "der", type },
      );
      if (key.asymmetricKeyDetails?.namedCurve === "prime256v1")
        return key.export({ format: "der", type: "sec1" });
    } catch {
      // Another encoding, then.
    }
  }
  throw unreadable(file, "private key (ECDSA P-256, PEM or DER, without a passphrase)");
}

function unreadable(file: string, what: string): UserError {
  return new UserError(
    "TMC5107",
    `${file} has no ${what}`,
    "take the files that `tmc node enroll` wrote",
    ExitCode.usage,
  );
}
