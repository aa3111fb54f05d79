/**
 * Who may use the management interface: addresses it may listen at, the token, sessions of the page, the Host header
 * (DNS rebinding), forged requests of other sites, and the headers of every answer. It knows no endpoint.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import type { NodeConfig } from "../config.js";
import { digestOf, sessionMs, Sessions } from "./sessions.js";

type Settings = NodeConfig["management"];

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** @throws UserError TMC6401: an address that others reach, without what protects it */
export function checkAddress({ host, open, tls, plain }: Settings): void {
  if (isLoopback(host)) return;
  if (open) {
    throw new UserError(
      "TMC6401",
      `management.open is for loopback only, and management.host is ${host}`,
      "remove `open`: clients then send the token",
      ExitCode.usage,
    );
  }
  if (tls === undefined && !plain) {
    throw new UserError(
      "TMC6401",
      `management.host ${host} can be reached by others, and the token would cross the network in the clear`,
      "set management.tls (cert, key), or `plain: true` behind a proxy that does TLS",
      ExitCode.usage,
    );
  }
}

/** The token of `file`; made, readable by its owner only, when there is none. @throws UserError TMC6403 */
export function readOrMakeToken(file: string): string {
  const problem = (message: string, fix: string): UserError =>
    new UserError("TMC6403", message, fix, ExitCode.usage);
  try {
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      // "wx": a file that somebody else makes meanwhile is not taken over.
      writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
      chmodSync(file, 0o600);
    }
    if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) {
      throw problem(`${file} can be read by others than its owner`, `chmod 600 ${file}`);
    }
    const token = readFileSync(file, "utf8").trim();
    if (/^[\x21-\x7e]{16,512}$/.test(token)) return token;
    throw problem(`${file} holds no token`, `remove it, and the node makes a new one`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw problem(
      `the token file cannot be read or made: ${reason}`,
      "check management.token and the folder",
    );
  }
}

/** Compares in constant time, whatever the lengths. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b));
}

export interface Guard {
  /** The reason to refuse, or undefined: wrong host, forged by another site. Before anything else. */
  refusal(request: Request): string | undefined;
  /** Is this the operator? */
  isOperator(request: Request): boolean;
  /** The `set-cookie` of a new session, or undefined for a wrong token. */
  logIn(token: string, secure: boolean): string | undefined;
  /** The `set-cookie` that ends it. */
  logOut(request: Request): string;
}

/**
 * @param port that it listens at
 * @param file where sessions are kept over restarts
 */
export function createGuard(settings: Settings, token: string, port: number, file: string): Guard {
  // Cookies do not know ports: two nodes of one machine need two names.
  const cookie = `tmc-session-${port}`;
  const names = new Set(["localhost", hostname().toLowerCase(), settings.host, ...settings.names]);
  const sessions = new Sessions(Date.now, { path: file, token });
  const sessionOf = (request: Request): string | undefined =>
    new RegExp(`(?:^|; )${cookie}=([\\w-]{1,100})(?:;|$)`).exec(request.headers.get("cookie") ?? "")?.[1];
  const bearerOf = (request: Request): string | undefined =>
    /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.get("authorization") ?? "")?.[1];

  return {
    refusal(request) {
      const host = request.headers.get("host") ?? "";
      const name = host.replace(/:\d{1,5}$/, "").toLowerCase();
      // An address in the Host header cannot come from a name that somebody else points at us.
      if (isIP(name.replace(/^\[(.*)\]$/, "$1")) === 0 && !names.has(name)) {
        return "this name is not one of the node's: add it to management.names";
      }
      if (bearerOf(request) !== undefined) return undefined;
      const origin = request.headers.get("origin");
      if (origin !== null && hostOf(origin) !== host.toLowerCase()) return "from another site";
      const site = request.headers.get("sec-fetch-site");
      const navigation = request.headers.get("sec-fetch-mode") === "navigate";
      if (site !== null && site !== "same-origin" && site !== "none" && !navigation)
        return "from another site";
      const safe = request.method === "GET" || request.method === "HEAD";
      // Only scripts of the page itself can set a header of their own without being asked about it.
      if (!safe && request.headers.get("x-tmc-request") === null) return "without the header x-tmc-request";
      return undefined;
    },
    isOperator(request) {
      if (settings.open) return true;
      const bearer = bearerOf(request);
      if (bearer !== undefined) return sameSecret(bearer, token);
      const session = sessionOf(request);
      return session !== undefined && sessions.has(session);
    },
    logIn(given, secure) {
      if (!sameSecret(given, token)) return undefined;
      return `${cookie}=${sessions.open()}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${sessionMs / 1000}${secure ? "; Secure" : ""}`;
    },
    logOut(request) {
      const session = sessionOf(request);
      if (session !== undefined) sessions.close(session);
      return `${cookie}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;
    },
  };
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Of every answer. Scripts and styles come from this server's own files and nowhere else. */
export const answerHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};
