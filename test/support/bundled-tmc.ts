/**
 * The command line, bundled from the sources: for tests that start it several times, because it starts in less than half
 * the time that it takes to compile each module by itself. Not for what runs modules of its own (training, builds).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { packagePath } from "../../compiler/board/package-root.js";

export interface BundledTmc {
  /** Run by Node.js: `node ENTRY node start …`. */
  readonly entry: string;
  remove(): void;
}

export async function bundleTmc(): Promise<BundledTmc> {
  // Within the package: it finds its own files by walking up.
  mkdirSync(packagePath("build"), { recursive: true });
  const folder = mkdtempSync(packagePath("build", "bundled-tmc-"));
  await build({
    entryPoints: { main: packagePath("compiler", "cli", "main.ts") },
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
  const entry = join(folder, "tmc.mjs");
  writeFileSync(
    entry,
    'import { main } from "./main.mjs";\nprocess.exitCode = await main(process.argv.slice(2));\n',
  );
  return { entry, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
