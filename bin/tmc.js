#!/usr/bin/env node
// Starts the compiled command line (dist/). In a source tree that was not built yet it says how to build.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const entry = new URL("../dist/compiler/cli/main.js", import.meta.url);
if (existsSync(entry)) {
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  const root = fileURLToPath(new URL("..", import.meta.url));
  process.stderr.write(
    `error TMC0006: tmc is not built yet\nfix: run \`npm ci\` in ${root} (or, with node_modules in place, \`npm run build\`)\n`,
  );
  process.exitCode = 4;
}
