/**
 * The identities of this node's bus, kept in `identities/` of its state folder: a CA of its own, who is enrolled with
 * which role, which certificates and passwords are valid. The command line changes it, a running node follows within a
 * second. Private keys and passwords of clients are handed out once and not kept.
 */
import { randomBytes, scrypt as scryptCallback, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { isIP, SocketAddress } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import { isNodeId } from "../../bus/topics.js";
import { writeDurably } from "../settings.js";
import { lockFolder } from "../storage/folder-lock.js";
import {
  createAuthority,
  describeCertificate,
  issueClient,
  issueServer,
  normalSerial,
  RequestRefusedError,
  type CertificateWithKey,
} from "./certificates.js";
import type { Identities } from "./identities.js";
import type { TlsMaterial } from "./listener.js";

const scrypt = promisify<string, Buffer, number, { N: number }, Buffer>(scryptCallback);
/** Passwords are 256 random bits, so the cost is against mistakes, not against dictionaries: about 10 ms. */
const cost = 4096;
const dayMs = 24 * 3600 * 1000;
/** The broker's certificate, and when it is made anew before its end. */
const serverDays = 397;
const serverRenewDays = 60;
/** How often a running node looks for changes, ms; and checks certificates for their end. */
const pollMs = 1_000;
const expiryPolls = 3_600;
const lockWaitMs = 10_000;
export const longestDays = 3650;

const identitySchema = z.strictObject({
  id: z.string().refine(isNodeId),
  role: z.enum(["node", "server", "operator"]),
  /** ms since 1970, as all times here. */
  enrolledAt: z.number(),
  revokedAt: z.number().optional(),
  /** `until`: replaced by a newer one, valid until then. */
  certificates: z.array(z.strictObject({ serial: z.string(), until: z.number() })),
  passwords: z.array(
    z.strictObject({
      salt: z.string(),
      hash: z.string(),
      cost: z.number().int(),
      until: z.number().optional(),
    }),
  ),
});
const fileSchema = z.strictObject({ version: z.literal(1), identities: z.array(identitySchema) });
type Identity = z.infer<typeof identitySchema>;

export interface IdentitySummary {
  readonly id: string;
  readonly role: CallerRole;
  readonly enrolledAt: number;
  readonly revokedAt: number | undefined;
  /** End of its newest certificate. */
  readonly expiresAt: number;
}

export interface Enrolment {
  readonly id: string;
  readonly role: CallerRole;
  /** PEM. */
  readonly ca: string;
  readonly certificate: string;
  /** Absent when the client sent a request of its own. */
  readonly key: string | undefined;
  readonly password: string;
  readonly expiresAt: number;
}

export interface EnrolOptions {
  readonly role: CallerRole;
  /** Of the certificate; default 365. */
  readonly days?: number;
  /** PEM of a PKCS #10 request. */
  readonly csr?: string;
  /** New certificate and password for somebody enrolled; the old ones stay valid for so many days. */
  readonly renew?: { readonly overlapDays: number };
}

export class IdentityStore implements Identities {
  private byId = new Map<string, Identity>();
  private stamp = "";
  private readonly listeners = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly folder: string,
    private readonly server: string,
  ) {}

  /**
   * @param stateFolder `state` of node.yaml @param server the node's own id
   * @throws UserError TMC6108 when what is there is damaged
   */
  static async open(stateFolder: string, server: string): Promise<IdentityStore> {
    const store = new IdentityStore(join(stateFolder, "identities"), server);
    await mkdir(store.folder, { recursive: true, mode: 0o700 });
    store.reload();
    return store;
  }

  // ---- what the broker and the Core Service ask ----

  roleOf(id: string): CallerRole | undefined {
    const identity = this.byId.get(id);
    return identity?.revokedAt === undefined ? identity?.role : undefined;
  }

  acceptsCertificate(id: string, serial: string): boolean {
    const identity = this.byId.get(id);
    const wanted = normalSerial(serial);
    return (
      identity !== undefined &&
      identity.revokedAt === undefined &&
      identity.certificates.some((each) => each.serial === wanted && Date.now() < each.until)
    );
  }

  async verifyPassword(id: string, password: string): Promise<boolean> {
    const identity = this.byId.get(id);
    if (identity === undefined || identity.revokedAt !== undefined) return false;
    for (const { salt, hash, cost: N, until } of identity.passwords) {
      if (until !== undefined && Date.now() >= until) continue;
      const expected = Buffer.from(hash, "base64url");
      const found = await scrypt(password, Buffer.from(salt, "base64url"), expected.length, { N });
      if (timingSafeEqual(found, expected)) return true;
    }
    return false;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  list(): IdentitySummary[] {
    return [...this.byId.values()]
      .map(({ id, role, enrolledAt, revokedAt, certificates }) => ({
        id,
        role,
        enrolledAt,
        revokedAt,
        expiresAt: Math.max(0, ...certificates.map((each) => each.until)),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Follows changes that other processes make. `onProblem` is told when they cannot be read; the old ones hold then. */
  watch(onProblem: (error: unknown) => void): void {
    let polls = 0;
    this.timer ??= setInterval(() => {
      try {
        if (this.reload() || ++polls % expiryPolls === 0) for (const listener of this.listeners) listener();
      } catch (error) {
        onProblem(error);
      }
    }, pollMs);
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  // ---- what changes it ----

  /**
   * Enrols, or renews. The key and the password in the result are known to nobody else.
   * @throws UserError TMC6104 (not an id for a client), TMC6105 (enrolled already), TMC6106 (not enrolled: nothing to
   * renew), TMC6107 (request refused)
   */
  async enrol(id: string, options: EnrolOptions): Promise<Enrolment> {
    this.checkId(id);
    return this.exclusively(async () => {
      const authority = await this.authority();
      const known = this.byId.get(id);
      const enrolled = known !== undefined && known.revokedAt === undefined;
      if (enrolled && options.renew === undefined) {
        throw new UserError(
          "TMC6105",
          `${id} is enrolled already`,
          `New certificate and password: tmc node enroll ${id} --renew. Away with it: tmc node revoke ${id}.`,
        );
      }
      if (!enrolled && options.renew !== undefined) throw notEnrolled(id);
      const issued = await issueClient(authority, id, options.days ?? 365, options.csr).catch(
        (error: unknown) => {
          if (!(error instanceof RequestRefusedError)) throw error;
          throw new UserError(
            "TMC6107",
            `the certificate request of ${id} is refused: ${error.message}`,
            `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ${id}.key -subj /CN=${id} -out ${id}.csr`,
            ExitCode.usage,
          );
        },
      );
      const password = randomBytes(32).toString("base64url");
      const salt = randomBytes(16);
      const hash = await scrypt(password, salt, 32, { N: cost });
      const end = Date.now() + (options.renew?.overlapDays ?? 0) * dayMs;
      const old = enrolled ? known : undefined;
      const role = old?.role ?? options.role;
      this.byId.set(id, {
        id,
        role,
        enrolledAt: old?.enrolledAt ?? Date.now(),
        certificates: [
          ...(old?.certificates ?? [])
            .map((each) => ({ ...each, until: Math.min(each.until, end) }))
            .filter((each) => each.until > Date.now()),
          { serial: issued.serial, until: issued.notAfter },
        ],
        passwords: [
          ...(old?.passwords ?? [])
            .map((each) => ({ ...each, until: Math.min(each.until ?? Infinity, end) }))
            .filter((each) => each.until > Date.now()),
          { salt: salt.toString("base64url"), hash: hash.toString("base64url"), cost },
        ],
      });
      await this.save();
      return {
        id,
        role,
        ca: authority.certificate,
        certificate: issued.certificate,
        key: issued.key,
        password,
        expiresAt: issued.notAfter,
      };
    });
  }

  /** @throws UserError TMC6106 */
  async revoke(id: string): Promise<void> {
    await this.exclusively(async () => {
      const identity = this.byId.get(id);
      if (identity === undefined || identity.revokedAt !== undefined) throw notEnrolled(id);
      this.byId.set(id, { ...identity, revokedAt: Date.now(), certificates: [], passwords: [] });
      await this.save();
    });
  }

  /**
   * The broker's own certificate: made at the first call, and again when it ends soon or a name is missing.
   * @param names host names and addresses besides those of this machine
   */
  async serverMaterial(names: readonly string[] = []): Promise<TlsMaterial> {
    return this.exclusively(async () => {
      const authority = await this.authority();
      const wanted = [...new Set([...namesOfThisMachine(), ...names])];
      const found = this.read("server");
      if (found !== undefined) {
        const { notAfter, names: has } = describeCertificate(found.certificate);
        const missing = wanted.filter((name) => !has.map(canonical).includes(canonical(name)));
        if (notAfter - Date.now() > serverRenewDays * dayMs && missing.length === 0) {
          return { ca: authority.certificate, cert: found.certificate, key: found.key };
        }
      }
      const issued = await issueServer(authority, this.server, serverDays, wanted);
      await this.write("server", issued);
      return { ca: authority.certificate, cert: issued.certificate, key: issued.key };
    });
  }

  /** @throws UserError TMC6104 for what is no id of a client. */
  checkId(id: string): void {
    const why = !isNodeId(id)
      ? "an id is 1-23 characters of 0-9 a-z -, and not q"
      : id === this.server
        ? "it is the id of this node itself"
        : undefined;
    if (why === undefined) return;
    throw new UserError(
      "TMC6104",
      `"${id.slice(0, 64)}" cannot be enrolled: ${why}`,
      "Choose another name.",
      ExitCode.usage,
    );
  }

  // ---- files ----

  private async authority(): Promise<CertificateWithKey> {
    const found = this.read("ca");
    if (found !== undefined) return found;
    const made = await createAuthority(this.server);
    await this.write("ca", made);
    return made;
  }

  /** Certificate and key in one file, so that they are always of one pair. */
  private read(name: "ca" | "server"): CertificateWithKey | undefined {
    let text: string;
    try {
      text = readFileSync(join(this.folder, `${name}.pem`), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw this.damaged(`${name}.pem`, error);
    }
    const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
    const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text)?.[0];
    if (certificate === undefined || key === undefined) {
      throw this.damaged(`${name}.pem`, "certificate or key is missing");
    }
    return { certificate: `${certificate}\n`, key: `${key}\n` };
  }

  private async write(name: "ca" | "server", pair: CertificateWithKey): Promise<void> {
    await writeDurably(
      join(this.folder, `${name}.pem`),
      `${pair.certificate.trim()}\n${pair.key.trim()}\n`,
      0o600,
    );
  }

  private async save(): Promise<void> {
    const content = { version: 1, identities: [...this.byId.values()] };
    await writeDurably(join(this.folder, "identities.json"), JSON.stringify(content, undefined, 1), 0o600);
    this.reload();
    for (const listener of this.listeners) listener();
  }

  /** True when there was something new. */
  private reload(): boolean {
    const file = join(this.folder, "identities.json");
    let stamp: string;
    try {
      const { mtimeMs, size, ino } = statSync(file);
      stamp = `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
      throw this.damaged("identities.json", error);
    }
    if (stamp === this.stamp) return false;
    try {
      const { identities } = fileSchema.parse(JSON.parse(readFileSync(file, "utf8")));
      this.byId = new Map(identities.map((identity) => [identity.id, identity]));
    } catch (error) {
      throw this.damaged("identities.json", error);
    }
    this.stamp = stamp;
    return true;
  }

  /** One process at a time changes it, and begins with what is there. */
  private async exclusively<T>(change: () => Promise<T>): Promise<T> {
    const lock = await lockFolder(this.folder, lockWaitMs);
    try {
      this.reload();
      return await change();
    } finally {
      lock.release();
    }
  }

  private damaged(file: string, error: unknown): UserError {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return new UserError(
      "TMC6108",
      `${join(this.folder, file)} cannot be read: ${why}`,
      "Restore it from a backup. Without one, remove the folder: every client has to be enrolled again.",
    );
  }
}

function notEnrolled(id: string): UserError {
  return new UserError(
    "TMC6106",
    `${id.slice(0, 64)} is not enrolled`,
    "tmc node identities lists who is.",
    ExitCode.usage,
  );
}

/** IPv6 addresses have many forms; the certificate's is one of them. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new SocketAddress({ address: name, family: "ipv6" }).address : name;
}

function namesOfThisMachine(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map((each) => each.address)
    // Link-local ones have a zone, which certificates cannot say.
    .filter((address) => !address.startsWith("fe80:"));
  return [...new Set(["localhost", hostname(), "127.0.0.1", "::1", ...addresses])];
}
