/**
 * Certificates as AWS IoT Core has them, made for a test: two chains of an endpoint (RSA-2048, ECDSA P-256), each with roots
 * that an older RSA root signed too, and an RSA authority for devices that signs their own keys. Names and sizes follow the
 * documentation; the keys are the test's.
 */
import "reflect-metadata";
import { isIP } from "node:net";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

type Kind = "rsa" | "ec";
const algorithms = {
  rsa: {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
  ec: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
} as const;
const day = 86_400_000;

interface Issuer {
  readonly kind: Kind;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** PEM. */
export interface Chain {
  /** Leaf first, the roots that the old one signed last. */
  readonly cert: string;
  readonly key: string;
  /** The root as devices have it: signed by itself. */
  readonly root: string;
}

async function issuer(kind: Kind, name: string): Promise<Issuer> {
  return { kind, name, keys: await webcrypto.subtle.generateKey(algorithms[kind], true, ["sign", "verify"]) };
}

async function certificate(
  subject: { readonly name: string; readonly publicKey: webcrypto.CryptoKey },
  by: Issuer,
  extensions: readonly x509.Extension[],
): Promise<string> {
  const made = await x509.X509CertificateGenerator.create({
    subject: subject.name,
    issuer: by.name,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 365 * day),
    signingAlgorithm: algorithms[by.kind],
    publicKey: subject.publicKey,
    signingKey: by.keys.privateKey,
    extensions: [...extensions],
  });
  return `${made.toString("pem")}\n`;
}

const authority = [new x509.BasicConstraintsExtension(true, undefined, true)];
const ownedBy = ({ name, keys }: Issuer): { name: string; publicKey: webcrypto.CryptoKey } => ({
  name,
  publicKey: keys.publicKey,
});

/** What an endpoint shows for `hosts`, with leaf, intermediate, root and the old root. */
export async function endpointChain(kind: Kind, hosts: readonly string[]): Promise<Chain> {
  const rsa = kind === "rsa";
  const old = await issuer("rsa", "CN=Services Root Certificate Authority - G2, O=Older Technologies, C=US");
  const root = await issuer(kind, `CN=Root CA ${rsa ? 1 : 3}, O=Trust, C=US`);
  const middle = await issuer(kind, `CN=${rsa ? "RSA 2048" : "ECDSA 256"} M01, O=Trust, C=US`);
  const leaf = await issuer(kind, "CN=*.iot.eu-central-1.example");
  const names = [...hosts, "*.iot.eu-central-1.example", "iot.eu-central-1.example"].map((value) => ({
    type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const),
    value,
  }));
  const usage = new x509.ExtendedKeyUsageExtension([
    x509.ExtendedKeyUsage.serverAuth,
    x509.ExtendedKeyUsage.clientAuth,
  ]);
  const chain = await Promise.all([
    certificate(ownedBy(leaf), middle, [new x509.SubjectAlternativeNameExtension(names), usage]),
    certificate(ownedBy(middle), root, authority),
    certificate(ownedBy(root), old, authority),
    certificate(ownedBy(old), old, authority),
  ]);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", leaf.keys.privateKey));
  const lines = pkcs8.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: chain.join(""),
    key: ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n"),
    root: await certificate(ownedBy(root), root, authority),
  };
}

/** Who signs certificates of devices: RSA, as Amazon does. */
export class DeviceAuthority {
  private constructor(
    private readonly own: Issuer,
    /** PEM. */
    readonly certificate: string,
  ) {}

  static async create(): Promise<DeviceAuthority> {
    const own = await issuer("rsa", "OU=Web Services, O=Trust, L=Seattle, ST=Washington, C=US");
    return new DeviceAuthority(own, await certificate(ownedBy(own), own, authority));
  }

  /** As `aws iot create-certificate-from-csr`; the subject is not the request's. Gives PEM and its fingerprint. */
  async sign(csr: string): Promise<{ readonly certificate: string; readonly fingerprint: string }> {
    const request = new x509.Pkcs10CertificateRequest(csr);
    if (!(await request.verify())) throw new Error("the request is not signed by its key");
    const publicKey = await request.publicKey.export();
    const pem = await certificate({ name: "CN=AWS IoT Certificate", publicKey }, this.own, []);
    const digest = await new x509.X509Certificate(pem).getThumbprint("SHA-256");
    const fingerprint = Buffer.from(digest).toString("hex").toUpperCase().match(/../g)?.join(":") ?? "";
    return { certificate: pem, fingerprint };
  }
}
