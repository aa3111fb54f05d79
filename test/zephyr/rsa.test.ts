/** An image with CONFIG_TMC_TLS_RSA reaches a broker whose certificate is RSA; one without does not. Handshakes only. */
import "reflect-metadata";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import * as x509 from "@peculiar/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBoard } from "../../compiler/board/board.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { runZephyr } from "../../compiler/board/zephyr/run.js";
import { certificateDer } from "../../compiler/device/provisioning.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import { consoleOf, giveIdentity } from "./support/provision-node.js";
import { buildImage, buildTimeout, notRunnable } from "./support/zephyr-node.js";

const standIn = packagePath("test", "zephyr", "fixtures", "stand-in");

describe.skipIf(notRunnable !== "")(`a broker with an RSA certificate${notRunnable}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "tmc-rsa-"));
  let server: Server;
  let certificate: string;

  beforeAll(async () => {
    const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const keys = await crypto.subtle.generateKey(
      { ...rsa, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ["sign", "verify"],
    );
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=localhost",
      keys,
      signingAlgorithm: rsa,
      notBefore: new Date(Date.now() - 86_400_000),
      notAfter: new Date(Date.now() + 86_400_000),
      extensions: [
        new x509.BasicConstraintsExtension(true),
        new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]),
      ],
    });
    certificate = own.toString("pem");
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
    server = createServer({ cert: certificate, key, maxVersion: "TLSv1.2" });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(async () => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
    await Promise.resolve();
  });

  it.each([
    [true, "secureConnection"],
    [false, "tlsClientError"],
  ])(
    "with TMC_TLS_RSA %s: %s",
    async (rsa, event) => {
      const image = await buildImage("native_sim", rsa ? "stand-in-rsa" : "stand-in-ecdsa", standIn, {
        ...(rsa ? { config: { TMC_TLS_RSA: true } } : {}),
      });
      const store = await IdentityStore.open(join(folder, "server"), "edge");
      const stateDir = join(folder, String(rsa));
      const node = await runZephyr({
        board: findBoard("native_sim"),
        executable: image.executable,
        stateDir,
      });
      const { serial, device } = consoleOf(node);
      await serial.connect();
      const { port } = server.address() as AddressInfo;
      await giveIdentity(device, store, { id: `rsa-${String(rsa)}`, servers: `mqtts://localhost:${port}` });
      await device.put("ca", certificateDer("ca", Buffer.from(certificate)));
      const ended = Promise.race([
        once(server, "secureConnection").then(() => "secureConnection"),
        once(server, "tlsClientError").then(() => "tlsClientError"),
      ]);
      await device.restart();
      expect(await ended).toBe(event);
      await node.stop();
    },
    buildTimeout,
  );
});
