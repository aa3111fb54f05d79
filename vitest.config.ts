/** How tests run. Unit tests stand beside the code, cross-cutting ones in test/. */
import { defineConfig } from "vitest/config";
import { tmc } from "./host/runtime/vitest-plugin.js";
import { tmc } from "./host/runtime/vitest-plugin.js";
import { SummaryReporter } from "./test/support/summary-reporter.js";

const shared = {
  exclude: ["**/node_modules/**", "dist/**", "build/**", "**/fixtures/**"],
  // Many tests compile C or start an emulator, and the machine may be small.
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  plugins: [tmc({ roots: ["firmware"] })],
  test: {
    ...shared,
    maxWorkers: 2,
    reporters: ["default", new SummaryReporter()],
    include: ["{compiler,firmware,host,models,test,scripts,bench}/**/*.test.ts"],
  },
});
