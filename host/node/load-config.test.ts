/** node.yaml is read with every default, its paths are absolute, and what is wrong in it is named. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../compiler/diagnostics/user-error.js";
import { packagePath } from "../../compiler/board/package-root.js";
import { nodePage, renderNodePage } from "./config-page.js";
import { loadConfig } from "./load-config.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-config-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(text: string): ReturnType<typeof loadConfig>["config"] {
  writeFileSync(join(folder, "n.yaml"), text);
  return loadConfig("n.yaml", folder).config;
}

function failureOf(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  throw new Error("no UserError");
}

describe("the configuration of a node", () => {
  it("is described in docs/node.md, key by key: npm run docs:operations", () => {
    const page = readFileSync(packagePath(nodePage), "utf8");
    expect(renderNodePage(page)).toBe(page);
    expect(page).toContain("| `management.port` | integer 0..65535 | `8080` |");
  });
  it("needs nothing: loopback, data in a local folder", () => {
    const { config, file } = loadConfig(undefined, folder);
    expect(file).toBeUndefined();
    expect(config.management.host).toBe("127.0.0.1");
    expect(config.storage).toEqual({ kind: "local", path: join(folder, "tmc-node", "data") });
    expect(config.requests.deadlineMs).toBe(10_000);
  });
  it("is relative to the folder of its file", () => {
    const config = load(
      "state: var\nneighbours:\n  - { id: cloud, url: 'mqtts://c:8883', tls: { ca: ca.pem, cert: c.pem, key: /k.pem } }\nmanagement: { token: t }\n",
    );
    expect(config.state).toBe(join(folder, "var"));
    expect(config.management.token).toBe(join(folder, "var", "t"));
    expect(config.neighbours[0]?.tls).toEqual({
      ca: join(folder, "ca.pem"),
      cert: join(folder, "c.pem"),
      key: "/k.pem",
    });
  });
  it.each([
    ["managment: {}", "TMC6003", "managment", "docs/node.md"],
    ["id: Edge_1", "TMC6003", "id: 1-23 characters", "docs/node.md"],
    ["management: { port: 80800 }", "TMC6003", "management.port", "docs/node.md"],
    ["bus: { broker: {}, external: { url: 'mqtt://x' } }", "TMC6003", "not both", "docs/node.md"],
    ["bus: { external: { url: 'http://x' } }", "TMC6003", "mqtt://HOST", "docs/node.md"],
    ["id: edge\n\tlabels: []", "TMC6002", "line 2", "indentation"],
    ["- 1", "TMC6003", "expected object", "docs/node.md"],
  ])("refuses %j", (text, code, message, fix) => {
    const error = failureOf(() => load(text));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.fix).toContain(fix);
  });
  it("says when the named file is not there, or is a folder", () => {
    expect(failureOf(() => loadConfig("nod.yaml", folder)).code).toBe("TMC6001");
    const error = failureOf(() => loadConfig(folder, folder));
    expect(error.code).toBe("TMC6001");
    expect(error.message).toContain("EISDIR");
  });
});
