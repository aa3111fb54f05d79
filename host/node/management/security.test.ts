/** Who gets in: token, sessions, Host header, other sites, headers, limits, addresses. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startFakeNode, type FakeNode } from "../../../test/support/fake-node.js";
import { createAuthority, issueServer } from "../broker/certificates.js";
import { nodeConfigSchema } from "../config.js";
import { checkAddress, readOrMakeToken, sameSecret } from "./security.js";
import { Sessions } from "./sessions.js";

let node: FakeNode | undefined;
afterEach(async () => {
  await node?.close();
  node = undefined;
});

/** A request with any headers, which `fetch` would not send. */
function send(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
  body?: string,
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const url = new URL(node!.management.url);
  return new Promise((resolve, reject) => {
    const asked = request({ host: url.hostname, port: url.port, path, method, headers }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode!,
          headers: answer.headers,
          text: Buffer.concat(pieces).toString(),
        }),
      );
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

const protectedPaths = [
  "/api/v1/status",
  "/api/v1/nodes",
  "/metrics",
  "/openapi.json",
  "/api/v1/events",
  "/api/nothing",
];

describe("the token", () => {
  it("is asked for everywhere but at the page's own files", async () => {
    node = await startFakeNode();
    for (const path of protectedPaths) {
      expect((await send(path)).status, path).toBe(401);
      expect((await send(path, { authorization: `Bearer ${node.token}x` })).status, path).toBe(401);
    }
    expect((await send("/api/v1/operations/data.list", { "x-tmc-request": "1" }, "POST", "{}")).status).toBe(
      401,
    );
    expect(node.orders).toEqual([]);
    expect((await send("/api/v1/status", { authorization: `Bearer ${node.token}` })).status).toBe(200);
  });

  it("is not asked for on loopback when the node is open", async () => {
    node = await startFakeNode({ open: true });
    expect((await send("/api/v1/status")).status).toBe(200);
  });

  it("is made for its owner only, and a file that others can read is refused", () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-token-"));
    try {
      const file = join(folder, "state", "token");
      const token = readOrMakeToken(file);
      expect(token).toMatch(/^[\w-]{43}$/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readOrMakeToken(file)).toBe(token);
      chmodSync(file, 0o640);
      expect(() => readOrMakeToken(file)).toThrow(expect.objectContaining({ code: "TMC6403" }) as Error);
      chmodSync(file, 0o600);
      writeFileSync(file, "short");
      expect(() => readOrMakeToken(file)).toThrow(expect.objectContaining({ code: "TMC6403" }) as Error);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("is compared whatever its length", () => {
    expect(sameSecret("abc", "abc")).toBe(true);
    expect(sameSecret("abc", "abcd")).toBe(false);
    expect(sameSecret("", "abc")).toBe(false);
  });
});

describe("sessions of the page", () => {
  const own = { "content-type": "application/json", "x-tmc-request": "1" };
  it("begin with the token and end with log-out", async () => {
    node = await startFakeNode();
    const wrong = await send("/api/v1/session", own, "POST", '{"token":"guess"}');
    expect(wrong.status).toBe(401);
    expect(wrong.headers["set-cookie"]).toBeUndefined();
    const right = await send("/api/v1/session", own, "POST", JSON.stringify({ token: node.token }));
    const [set = ""] = right.headers["set-cookie"] as string[];
    expect(set).toMatch(/^tmc-session-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(set).not.toContain(node.token);
    const cookie = { cookie: set.split(";")[0]! };
    expect((await send("/api/v1/status", cookie)).status).toBe(200);
    expect((await send("/api/v1/session", { ...cookie, ...own }, "DELETE")).status).toBe(200);
    expect((await send("/api/v1/status", cookie)).status).toBe(401);
  });

  it("last twelve hours, and are a hundred at most", () => {
    let now = 0;
    const sessions = new Sessions(() => now);
    const first = sessions.open();
    expect(sessions.has(first)).toBe(true);
    now = 12 * 3600 * 1000;
    expect(sessions.has(first)).toBe(false);
    const second = sessions.open();
    for (let i = 0; i < 100; i++) sessions.open();
    expect(sessions.has(second)).toBe(false);
  });

  it("outlive the node, unless the token is another, and their file names none", () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-sessions-"));
    try {
      const path = join(folder, "sessions.json");
      const at = (token: string) => new Sessions(Date.now, { path, token });
      const before = at("token-1");
      const [kept, closed] = [before.open(), before.open()];
      before.close(closed);
      expect([at("token-1").has(kept), at("token-1").has(closed)]).toEqual([true, false]);
      expect(statSync(path).mode & 0o077).toBe(0);
      expect(readFileSync(path, "utf8")).not.toMatch(new RegExp(`${kept}|token-1`));
      expect(at("token-2").has(kept)).toBe(false);
      writeFileSync(path, '{"ends":');
      expect(at("token-1").has(kept)).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("other sites", () => {
  it("cannot reach it by a name that points here", async () => {
    node = await startFakeNode({ open: true, names: ["edge.example"] });
    for (const host of ["evil.example", "evil.example:8080", "localhost.evil.example", "[evil]"]) {
      const answer = await send("/api/v1/status", { host });
      expect([400, 403], host).toContain(answer.status);
      expect(answer.text).not.toContain('"boot"');
    }
    for (const host of ["localhost", "127.0.0.1:99", "[::1]:8080", "edge.example:8080", "EDGE.example"]) {
      expect((await send("/api/v1/status", { host })).status, host).toBe(200);
    }
    expect((await send("/", { host: "evil.example" })).status).toBe(403);
  });

  it("cannot make a browser's request for it", async () => {
    node = await startFakeNode({ open: true });
    const path = "/api/v1/control/stop";
    const host = new URL(node.management.url).host;
    expect((await send(path, {}, "POST")).status).toBe(403);
    expect((await send(path, { "x-tmc-request": "1", origin: "https://evil.example" }, "POST")).status).toBe(
      403,
    );
    expect((await send(path, { "x-tmc-request": "1", origin: "null" }, "POST")).status).toBe(403);
    expect((await send(path, { "x-tmc-request": "1", "sec-fetch-site": "cross-site" }, "POST")).status).toBe(
      403,
    );
    expect(
      (await send("/api/v1/status", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" })).status,
    ).toBe(403);
    expect(node.stopped).toBe(false);
    expect((await send(path, { "x-tmc-request": "1", origin: `http://${host}` }, "POST")).status).toBe(200);
  });

  it("get no permission to read", async () => {
    node = await startFakeNode();
    const answer = await send("/api/v1/status", {
      authorization: `Bearer ${node.token}`,
      origin: "https://evil.example",
    });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    expect(answer.headers["cross-origin-resource-policy"]).toBe("same-origin");
  });
});

describe("answers", () => {
  it("carry a strict policy, errors too", async () => {
    node = await startFakeNode();
    for (const path of ["/nothing", "/api/v1/status", "/api/nothing"]) {
      const { headers } = await send(path);
      expect(headers["content-security-policy"], path).toContain(
        "default-src 'none'; script-src 'self'; style-src 'self'",
      );
      expect(headers["content-security-policy"], path).not.toContain("unsafe");
      expect(headers["x-content-type-options"], path).toBe("nosniff");
      expect(headers["x-frame-options"], path).toBe("DENY");
    }
  });

  it("of the page's paths are the page's files and nothing else", async () => {
    node = await startFakeNode();
    for (const path of [
      "/../package.json",
      "/%2e%2e/package.json",
      "/..%2f..%2fetc/passwd",
      "/app.tsx",
      "//etc/passwd",
      "/web/../../catalogue.ts",
    ]) {
      const answer = await send(path);
      expect(answer.status, path).toBe(404);
      expect(answer.text, path).not.toMatch(/root:|"name"/);
    }
  });

  it("to bodies that are too large, or no JSON, are errors of the closed set", async () => {
    node = await startFakeNode();
    const headers = { authorization: `Bearer ${node.token}`, "content-type": "application/json" };
    const path = "/api/v1/operations/data.list";
    const large = await send(
      path,
      headers,
      "POST",
      JSON.stringify({ arguments: { prefix: "x".repeat(9 * 1024 * 1024) } }),
    );
    expect(large.status).toBe(413);
    expect(JSON.parse(large.text)).toMatchObject({ error: { code: "too-large" } });
    expect((await send(path, headers, "POST", "{")).status).toBe(400);
    expect((await send(path, { ...headers, "content-type": "text/xml" }, "POST", "<a/>")).status).toBe(400);
    expect(
      (await send(path, headers, "POST", '{"__proto__":{"x":1},"arguments":{"constructor":1}}')).status,
    ).toBe(400);
    expect(node.orders).toEqual([]);
  });
});

describe("addresses", () => {
  const settings = (more: object) => nodeConfigSchema.parse({ management: more }).management;
  it.each([
    { host: "0.0.0.0" },
    { host: "0.0.0.0", open: true, plain: true },
    { host: "192.168.1.5" },
    { host: "::", open: true, tls: { cert: "c", key: "k" } },
    { host: "127.evil.example" },
  ])("%j is refused", (more) => {
    expect(() => checkAddress(settings(more))).toThrow(expect.objectContaining({ code: "TMC6401" }) as Error);
  });
  it.each([
    {},
    { open: true },
    { host: "::1" },
    { host: "0.0.0.0", plain: true },
    { host: "::", tls: { cert: "c", key: "k" } },
  ])("%j is taken", (more) => {
    expect(() => checkAddress(settings(more))).not.toThrow();
  });
  it("with a certificate speak HTTPS only, and mark the session's cookie as secure", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tmc-tls-"));
    try {
      const authority = await createAuthority("test");
      const issued = await issueServer(authority, "edge", 1, ["127.0.0.1"]);
      const tls = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
      writeFileSync(tls.cert, issued.certificate);
      writeFileSync(tls.key, issued.key!);
      node = await startFakeNode({ tls });
      const url = new URL("/api/v1/session", node.management.url);
      expect(url.protocol).toBe("https:");
      const cookie = await new Promise<string>((resolve, reject) => {
        const headers = { "content-type": "application/json", "x-tmc-request": "1" };
        const asked = httpsRequest(url, { method: "POST", headers, ca: authority.certificate }, (answer) => {
          answer.resume();
          resolve(String(answer.headers["set-cookie"]));
        });
        asked.on("error", reject);
        asked.end(JSON.stringify({ token: node!.token }));
      });
      expect(cookie).toMatch(/; Secure$/);
      await expect(fetch(`http://${url.host}/api/v1/session`)).rejects.toThrow();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
  it("that are taken, and certificates that are not there, are told at the start", async () => {
    node = await startFakeNode();
    const port = Number(new URL(node.management.url).port);
    await expect(startFakeNode({ port })).rejects.toMatchObject({ code: "TMC6402" });
    await expect(startFakeNode({ tls: { cert: "/none", key: "/none" } })).rejects.toMatchObject({
      code: "TMC6404",
    });
    expect(readFileSync(node.parts.config.management.token, "utf8").trim()).toBe(node.token);
  });
});
