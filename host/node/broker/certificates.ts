/**
 * X.509: makes the node's own CA, and certificates for clients and for the broker (ECDSA P-256, SHA-256, what mbedTLS
 * on a microcontroller speaks too). It keeps nothing; see identity-store.ts.
 */
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 24 * 3600 * 1000;
/** Clocks differ: certificates begin that much in the past. */
const leewayMs = 10 * 60 * 1000;
const authorityDays = 3650;

/** PEM. */
export interface CertificateWithKey {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface IssuedCertificate {
  readonly certificate: string;
  /** Absent when the client keeps its key for itself (CSR). */
  readonly key?: string;
  /** Hexadecimal, lower case, no leading zeros: as `normalSerial`. */
  readonly serial: string;
  /** ms since 1970. */
  readonly notAfter: number;
}

/** A certificate signing request that is not accepted, and why. */
export class RequestRefusedError extends Error {
  override readonly name = "RequestRefusedError";
}

/** What Node.js, OpenSSL and others print differently, in one form. */
export function normalSerial(serial: string): string {
  return serial
    .toLowerCase()
    .replace(/[^0-9a-f]/g, "")
    .replace(/^0+/, "");
}

/** A CA of its own for this node. */
export async function createAuthority(name: string): Promise<CertificateWithKey> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: freshSerial(),
      name: [{ CN: [`tmc CA of ${name} ${randomBytes(4).toString("hex")}`] }],
      notBefore: new Date(Date.now() - leewayMs),
      notAfter: new Date(Date.now() + authorityDays * dayMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    provider,
  );
  return { certificate: certificate.toString("pem"), key: await privatePem(keys.privateKey) };
}

/**
 * For a client; its common name is its id.
 * @param csr PEM of a PKCS #10 request instead of a key made here
 * @throws RequestRefusedError
 */
export async function issueClient(
  authority: CertificateWithKey,
  id: string,
  days: number,
  csr?: string,
): Promise<IssuedCertificate> {
  const usage = x509.ExtendedKeyUsage.clientAuth;
  if (csr !== undefined) return issue(authority, id, days, usage, await keyOfRequest(csr, id), []);
  const keys = await generateKeys();
  const issued = await issue(authority, id, days, usage, keys.publicKey, []);
  return { ...issued, key: await privatePem(keys.privateKey) };
}

/** For the broker. @param names host names and addresses that clients call it by */
export async function issueServer(
  authority: CertificateWithKey,
  id: string,
  days: number,
  names: readonly string[],
): Promise<IssuedCertificate & CertificateWithKey> {
  const keys = await generateKeys();
  const issued = await issue(
    authority,
    id,
    days,
    x509.ExtendedKeyUsage.serverAuth,
    keys.publicKey,
    names.map((name) => ({ type: isIP(name) === 0 ? ("dns" as const) : ("ip" as const), value: name })),
  );
  return { ...issued, key: await privatePem(keys.privateKey) };
}

/** @throws Error for text that is no certificate */
export function describeCertificate(pem: string): { notAfter: number; names: string[] } {
  const certificate = new x509.X509Certificate(pem);
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension);
  return {
    notAfter: certificate.notAfter.getTime(),
    names: names?.names.items.map((name) => name.value) ?? [],
  };
}

/** DER of the first block of a PEM text. @throws Error when there is none */
export function derOf(pem: string): Buffer {
  const [block] = x509.PemConverter.decode(pem);
  if (block === undefined) throw new Error("no PEM block");
  return Buffer.from(block);
}

const provider = webcrypto;

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return provider.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await provider.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}

/** 127 random bits: positive, and never zero. */
function freshSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

async function issue(
  authority: CertificateWithKey,
  name: string,
  days: number,
  usage: x509.ExtendedKeyUsage,
  publicKey: webcrypto.CryptoKey,
  names: x509.JsonGeneralNames,
): Promise<IssuedCertificate> {
  const ca = new x509.X509Certificate(authority.certificate);
  const caKey = await provider.subtle.importKey(
    "pkcs8",
    derOf(authority.key),
    { name: algorithm.name, namedCurve: algorithm.namedCurve },
    false,
    ["sign"],
  );
  // Not longer than the CA itself.
  const notAfter = new Date(Math.min(Date.now() + days * dayMs, ca.notAfter.getTime()));
  const serial = freshSerial();
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial,
      issuer: ca.subjectName,
      subject: [{ CN: [name] }],
      notBefore: new Date(Date.now() - leewayMs),
      notAfter,
      signingAlgorithm: algorithm,
      publicKey,
      signingKey: caKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        await x509.AuthorityKeyIdentifierExtension.create(ca, false, provider),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, provider),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      ],
    },
    provider,
  );
  return {
    certificate: `${certificate.toString("pem")}\n`,
    serial: normalSerial(serial),
    notAfter: notAfter.getTime(),
  };
}

/** The key of a request that is signed by it, is strong enough and is made for this id. */
async function keyOfRequest(pem: string, id: string): Promise<webcrypto.CryptoKey> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(pem);
  } catch {
    throw new RequestRefusedError("it is not a PKCS #10 request in PEM");
  }
  if (!(await request.verify(provider).catch(() => false))) {
    throw new RequestRefusedError("its signature is not that of its key");
  }
  const named = request.subjectName.getField("CN");
  if (named.length > 0 && (named.length > 1 || named[0] !== id)) {
    throw new RequestRefusedError(`its common name is not ${id}`);
  }
  const key = await request.publicKey.export(provider).catch(() => undefined);
  const { name, namedCurve, modulusLength } = (key?.algorithm ?? {}) as {
    name?: string;
    namedCurve?: string;
    modulusLength?: number;
  };
  const strong =
    (name === "ECDSA" && (namedCurve === "P-256" || namedCurve === "P-384")) ||
    (name?.startsWith("RSA") === true && (modulusLength ?? 0) >= 2048);
  if (key === undefined || !strong) {
    throw new RequestRefusedError("its key is none of ECDSA P-256, ECDSA P-384, RSA with 2048 bits or more");
  }
  return key;
}
