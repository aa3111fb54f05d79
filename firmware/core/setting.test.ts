/** Settings of a node: the order in which they are told, and names that are there twice. */
import { describe, expect, it } from "vitest";
import { decodeCbor } from "../../test/support/firmware-node.js";
import { CborWriter } from "../std/cbor-writer.js";
import { IntSetting, Settings } from "./setting.js";

const settings = (...names: readonly string[]) =>
  new Settings(names.map((name) => new IntSetting(name, 0, 0, 9)));

describe("settings", () => {
  it("are written in the order of deterministic CBOR, whatever order the app has", () => {
    const writer = new CborWriter(200);
    settings("telemetry.interval", "collect.rate", "drift.interval", "drift.epoch", "b", "a").write(writer);
    expect([...(decodeCbor(writer.written()) as Map<string, number>).keys()]).toEqual([
      "a",
      "b",
      "drift.epoch",
      "collect.rate",
      "drift.interval",
      "telemetry.interval",
    ]);
  });

  it("have a name each", () => {
    expect(() => settings("rate", "other", "rate")).toThrow("same name");
  });
});
