/** Settings change all together or not at all, and are kept; the boot counter only rises. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { nextBoot } from "./boot-counter.js";
import { NodeSettings, type NodeSetting, type SettingValue } from "./settings.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tmc-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function setting(name: string, first: number, kept = true): NodeSetting & { value: SettingValue } {
  return {
    name,
    schema: z.number().int().min(1).max(100),
    kept,
    value: first,
    get() {
      return this.value;
    },
    set(value) {
      this.value = value;
    },
  };
}

describe("settings", () => {
  it("are kept over a restart, but for states of the world", async () => {
    const before = new NodeSettings(folder);
    await before.register(setting("sweep.interval", 60));
    await before.register(setting("actuator.fan", 10, false));
    await before.change({ "sweep.interval": 5, "actuator.fan": 20 });
    expect(await before.values()).toEqual({ "actuator.fan": 20, "sweep.interval": 5 });

    const after = new NodeSettings(folder);
    await after.register(setting("sweep.interval", 60));
    await after.register(setting("actuator.fan", 10, false));
    expect(await after.values()).toEqual({ "actuator.fan": 10, "sweep.interval": 5 });
  });
  it("change all or none", async () => {
    const settings = new NodeSettings(folder);
    await settings.register(setting("a", 1));
    await settings.register(setting("b", 2));
    await expect(settings.change({ a: 50, b: 101 })).rejects.toMatchObject({
      code: "bad-request",
      field: "settings.b",
    });
    await expect(settings.change({ a: 50, c: 1 })).rejects.toMatchObject({
      code: "not-found",
      field: "settings.c",
    });
    expect(await settings.values()).toEqual({ a: 1, b: 2 });
    expect(existsSync(join(folder, "settings.json"))).toBe(false);
  });
  it("start with their first values when the file is damaged, and say so", async () => {
    writeFileSync(join(folder, "settings.json"), '{"a": 5');
    const settings = new NodeSettings(folder);
    await settings.register(setting("a", 1));
    expect(settings.unreadable).toBe(true);
    expect(await settings.values()).toEqual({ a: 1 });
  });
  it("leave a kept value alone that is out of today's range", async () => {
    writeFileSync(join(folder, "settings.json"), '{"a": 500}');
    const settings = new NodeSettings(folder);
    await settings.register(setting("a", 1));
    expect(await settings.values()).toEqual({ a: 1 });
  });
});

describe("boot counter", () => {
  it("rises by one at each start", async () => {
    const first = await nextBoot(folder);
    expect(await nextBoot(folder)).toBe(first + 1);
    expect(readFileSync(join(folder, "boot"), "utf8")).toBe(`${first + 1}\n`);
  });
  it("starts above every counted life when its file is lost or damaged", async () => {
    const now = (): number => Date.UTC(2026, 0, 1);
    const seconds = Math.floor((now() - Date.UTC(2020, 0, 1)) / 1000);
    expect(await nextBoot(folder, now)).toBe(seconds + 1);
    writeFileSync(join(folder, "boot"), "12x\n");
    expect(await nextBoot(folder, now)).toBe(seconds + 1);
  });
});
