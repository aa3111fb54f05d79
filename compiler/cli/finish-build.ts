/**
 * The last step of building tmc, a program of its own: lowers the library once for all programs, compiles the part of
 * the firmware that servers use, and keeps the machine code that V8 makes of TypeScript. This only saves time; without
 * it the same comes out.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { packagePath } from "../board/package-root.js";
import { recordTypescript } from "./typescript-cache.js";

const typescript = recordTypescript();
const { writeLibrary } = await import("../frontend/write-library.js");
writeLibrary();
const { writeSubset } = await import("../../host/runtime/load-subset.js");
await writeSubset();
// What a user's first build runs should be in the cache.
const { compileProgram } = await import("../pipeline/compile.js");
const root = mkdtempSync(path.join(tmpdir(), "tmc-build-"));
try {
  compileProgram({ entry: packagePath("firmware", "app.ts"), root, checked: false, kind: "app" });
} finally {
  rmSync(root, { recursive: true, force: true });
}
typescript.save();
