/** Identities: made, renewed, revoked, kept; files that others can use and nobody else can read. */
import { X509Certificate, createPrivateKey, createPublicKey } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { derOf } from "../../host/node/broker/certificates.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import { waitFor } from "./connection-contract.js";

const dayMs = 24 * 3600 * 1000;

describe("identities", () => {
  let folder: string;
  let store: IdentityStore;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "tmc-identities-"));
    store = await IdentityStore.open(folder, "edge");
  });
  afterEach(() => {
    vi.useRealTimers();
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const serialOf = (pem: string): string => new X509Certificate(pem).serialNumber;

  it("enrols: a certificate of the own CA with the id as its name, its key, a password", async () => {
    const made = await store.enrol("n1", { role: "operator", days: 30 });
    const certificate = new X509Certificate(made.certificate);
    const ca = new X509Certificate(made.ca);
    expect(certificate.subject).toBe("CN=n1");
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(ca.ca).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(certificate.checkPrivateKey(createPrivateKey(made.key ?? ""))).toBe(true);
    expect(Math.abs(Date.parse(certificate.validTo) - Date.now() - 30 * dayMs)).toBeLessThan(60_000);
    expect(store.roleOf("n1")).toBe("operator");
    expect(store.acceptsCertificate("n1", certificate.serialNumber)).toBe(true);
    expect(store.acceptsCertificate("n2", certificate.serialNumber)).toBe(false);
    expect(store.acceptsCertificate("n1", ca.serialNumber)).toBe(false);
    expect(await store.verifyPassword("n1", made.password)).toBe(true);
    expect(await store.verifyPassword("n1", `${made.password}x`)).toBe(false);
    expect(await store.verifyPassword("n2", made.password)).toBe(false);
    expect(new X509Certificate(derOf(made.certificate)).serialNumber).toBe(certificate.serialNumber);
  });

  it("keeps no secret of a client, and shows its own to nobody", async () => {
    const made = await store.enrol("n1", { role: "node" });
    await store.serverMaterial();
    const files = join(folder, "identities");
    expect(statSync(files).mode & 0o077).toBe(0);
    expect(readdirSync(files).sort()).toEqual(["ca.pem", "identities.json", "server.pem"]);
    for (const name of readdirSync(files)) {
      expect(statSync(join(files, name)).mode & 0o077, name).toBe(0);
      const content = readFileSync(join(files, name), "utf8");
      expect(content).not.toContain(made.password);
      expect(content).not.toContain(made.key?.split("\n")[1] ?? "?");
    }
  });

  it("renews with an overlap, revokes at once, and enrols anew", async () => {
    const first = await store.enrol("n1", { role: "server" });
    await expect(store.enrol("n1", { role: "node" })).rejects.toThrow(/enrolled already/);
    const second = await store.enrol("n1", { role: "node", renew: { overlapDays: 7 } });
    // A renewal changes no role.
    expect(store.roleOf("n1")).toBe("server");
    expect(store.acceptsCertificate("n1", serialOf(first.certificate))).toBe(true);
    expect(await store.verifyPassword("n1", first.password)).toBe(true);
    vi.useFakeTimers({ now: Date.now() + 8 * dayMs, toFake: ["Date"] });
    expect(store.acceptsCertificate("n1", serialOf(first.certificate))).toBe(false);
    expect(await store.verifyPassword("n1", first.password)).toBe(false);
    expect(store.acceptsCertificate("n1", serialOf(second.certificate))).toBe(true);
    expect(await store.verifyPassword("n1", second.password)).toBe(true);
    vi.setSystemTime(Date.now() + 365 * dayMs);
    expect(store.acceptsCertificate("n1", serialOf(second.certificate))).toBe(false);
    vi.useRealTimers();
    await store.revoke("n1");
    expect(store.roleOf("n1")).toBeUndefined();
    expect(store.acceptsCertificate("n1", serialOf(second.certificate))).toBe(false);
    expect(await store.verifyPassword("n1", second.password)).toBe(false);
    await expect(store.revoke("n1")).rejects.toThrow(/not enrolled/);
    await expect(store.enrol("n1", { role: "node", renew: { overlapDays: 1 } })).rejects.toThrow(
      /not enrolled/,
    );
    await store.enrol("n1", { role: "operator" });
    expect(store.roleOf("n1")).toBe("operator");
    expect(store.acceptsCertificate("n1", serialOf(second.certificate))).toBe(false);
  });

  it.each(["", "q", "N1", "a/b", "../x", "+", "x".repeat(24), "edge", "__proto__", "n1\n"])(
    "refuses to enrol %j",
    async (id) => {
      await expect(store.enrol(id, { role: "node" })).rejects.toMatchObject({ code: "TMC6104" });
      expect(store.roleOf(id)).toBeUndefined();
    },
  );

  it("is followed by another process, and by no damage of the file", async () => {
    const running = await IdentityStore.open(folder, "edge");
    const problems: unknown[] = [];
    let changes = 0;
    running.onChange(() => changes++);
    running.watch((error) => problems.push(error));
    const made = await store.enrol("n1", { role: "node" });
    await waitFor(() => running.roleOf("n1") === "node", "the enrolment");
    expect(changes).toBe(1);
    writeFileSync(join(folder, "identities", "identities.json"), "{");
    await waitFor(() => problems.length > 0, "the complaint");
    expect(running.acceptsCertificate("n1", serialOf(made.certificate))).toBe(true);
    running.close();
    await expect(IdentityStore.open(folder, "edge")).rejects.toMatchObject({ code: "TMC6108" });
  });

  it("survives a crash in the middle of a write, and takes turns", async () => {
    await store.enrol("n1", { role: "node" });
    writeFileSync(join(folder, "identities", "identities.json.new"), '{"version":1,"ident');
    const others = await Promise.all([0, 1, 2].map(() => IdentityStore.open(folder, "edge")));
    await Promise.all(others.map((other, i) => other.enrol(`m${i}`, { role: "node" })));
    const after = await IdentityStore.open(folder, "edge");
    expect(after.list().map((each) => each.id)).toEqual(["m0", "m1", "m2", "n1"]);
  });

  it("makes the broker's certificate for every name, once", async () => {
    const first = await store.serverMaterial(["bus.example", "10.1.2.3", "fd00::7"]);
    const certificate = new X509Certificate(first.cert);
    for (const name of ["bus.example", "localhost"]) expect(certificate.checkHost(name)).toBe(name);
    for (const address of ["10.1.2.3", "127.0.0.1", "::1", "fd00::7"]) {
      expect(certificate.checkIP(address), address).toBe(address);
    }
    expect(certificate.checkHost("other.example")).toBeUndefined();
    expect((await store.serverMaterial(["bus.example"])).cert).toBe(first.cert);
    expect((await store.serverMaterial(["new.example"])).cert).not.toBe(first.cert);
  });

  describe("certificate requests", () => {
    const request = (...args: string[]): string => {
      const key = join(folder, "client.key");
      return execFileSync("openssl", ["req", "-new", "-nodes", "-keyout", key, ...args], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    };
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

    it("are signed, and the key stays with the client", async () => {
      const made = await store.enrol("n1", {
        role: "node",
        csr: request(...ec, "-subj", "/CN=n1/O=whoever"),
      });
      expect(made.key).toBeUndefined();
      const certificate = new X509Certificate(made.certificate);
      expect(certificate.subject).toBe("CN=n1");
      const key = createPublicKey(readFileSync(join(folder, "client.key"), "utf8"));
      expect(certificate.publicKey.equals(key)).toBe(true);
    });

    it.each([
      ["for another name", () => request(...ec, "-subj", "/CN=n2"), "common name"],
      ["with two names", () => request(...ec, "-subj", "/CN=n1/CN=n2"), "common name"],
      ["with a weak key", () => request("-newkey", "rsa:1024", "-subj", "/CN=n1"), "its key is none of"],
      ["that is none", () => "hello", "not a PKCS #10"],
      [
        "that was changed",
        () => {
          const der = derOf(request(...ec, "-subj", "/CN=n1"));
          der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
          return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
        },
        "its signature",
      ],
    ])("%s are refused", async (_, csr, why) => {
      const refused = store.enrol("n1", { role: "node", csr: csr() });
      await expect(refused).rejects.toMatchObject({ code: "TMC6107" });
      await expect(refused).rejects.toThrow(why);
      expect(store.roleOf("n1")).toBeUndefined();
    });
  });
});
