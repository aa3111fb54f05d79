import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { locateApp } from "./project-config.js";

describe("locateApp", () => {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "tmc-project-"));
    mkdirSync(join(dir, "src", "deep"), { recursive: true });
    writeFileSync(join(dir, "src", "app.ts"), "");
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });
  const config = (text: string): void => {
    writeFileSync(join(dir, "tmc.json"), text);
  };

  it("takes the app of the nearest tmc.json", () => {
    config('{ "app": "src/app.ts" }');
    expect(locateApp(undefined, join(dir, "src", "deep"))).toEqual({
      entry: join(dir, "src/app.ts"),
      root: dir,
    });
  });
  it("takes a named file and the root of its project", () => {
    expect(locateApp("src/app.ts", dir)).toEqual({ entry: join(dir, "src/app.ts"), root: dir });
    config('{ "app": "x.ts" }');
    expect(locateApp("app.ts", join(dir, "src"))).toEqual({ entry: join(dir, "src/app.ts"), root: dir });
  });
  it("falls back to firmware/app.ts", () => {
    expect(() => locateApp(undefined, dir)).toThrow("no firmware/app.ts");
    mkdirSync(join(dir, "firmware"));
    writeFileSync(join(dir, "firmware", "app.ts"), "");
    expect(locateApp(undefined, dir).entry).toBe(join(dir, "firmware", "app.ts"));
  });
  it("refuses a tmc.json that is not valid, with the reason", () => {
    config("{");
    expect(() => locateApp(undefined, dir)).toThrow(/tmc\.json is not valid/);
    config('{ "main": "src/app.ts" }');
    expect(() => locateApp(undefined, dir)).toThrow(/main/);
    config('{ "app": "gone.ts" }');
    expect(() => locateApp(undefined, dir)).toThrow("gone.ts, which does not exist");
  });
  it("refuses a file that does not exist", () => {
    expect(() => locateApp("gone.ts", dir)).toThrow("there is no file gone.ts");
  });
});
