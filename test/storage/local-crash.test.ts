/** kill -9 of a process that writes into a local storage: nothing acknowledged is lost, nothing is there by half. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { openLocalStorage } from "../../host/node/storage/local-storage.js";
import { bundle, crashRounds, judge, killedWriter } from "./crash.js";

let folder = "";
beforeAll(() => {
  mkdirSync(packagePath("build"), { recursive: true });
  folder = mkdtempSync(packagePath("build", "crash-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("a local storage whose process is killed", () => {
  it("has all that was acknowledged", async () => {
    const writer = await bundle("crash-writer.ts", folder);
    const path = join(folder, "data");
    let judged = 0;
    for (let round = 0; round < crashRounds; round++) {
      const result = await killedWriter(writer, { kind: "local", path }, `round-${round}`, 400);
      expect(result.errors).toEqual([]);
      const storage = await openLocalStorage(path);
      const verdict = await judge(storage, result);
      await storage.close();
      expect(verdict.wrong, result.name).toEqual([]);
      expect(readdirSync(join(path, "blobs", "incoming"))).toEqual([]);
      judged += verdict.judged;
    }
    console.log(`${crashRounds} kills, ${judged} acknowledged writes`);
    expect(judged).toBeGreaterThan(0);
  });
});
