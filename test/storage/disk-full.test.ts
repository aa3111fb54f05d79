/** A local storage on a disk that is full: a file system of 10 MB in memory, mounted where only the child sees it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePath } from "../../compiler/board/package-root.js";
import { bundle } from "./crash.js";

/** Mounting needs a namespace of one's own; some machines forbid that to users. */
const canMount = spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

let folder = "";
beforeAll(() => {
  mkdirSync(packagePath("build"), { recursive: true });
  folder = mkdtempSync(packagePath("build", "full-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!canMount)("a full disk (needs `unshare -Urm`: user namespaces)", () => {
  for (const look of ["look", "lie"]) {
    const name = look === "look" ? "is refused in time" : "that comes as a surprise leaves nothing by half";
    it(name, async () => {
      const program = await bundle("full-disk.ts", folder);
      const script = 'mount -t tmpfs -o size=10m none "$1" && exec "$2" "$3" "$1" "$4"';
      const disk = mkdtempSync(`${folder}/disk-`);
      const output = execFileSync(
        "unshare",
        ["-Urm", "sh", "-c", script, "sh", disk, process.execPath, program, look],
        // LMDB writes to stderr when the disk refuses.
        { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
      );
      const report = JSON.parse(output) as { wrong: string[]; records: number; blobs: number };
      expect(report.wrong).toEqual([]);
      expect(report.records).toBeGreaterThan(5);
      expect(report.blobs).toBeGreaterThan(2);
    });
  }
});
