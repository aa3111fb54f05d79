/** How tests run. Unit tests stand beside the code, cross-cutting ones in test/. */
import { defineConfig } from "vitest/config";
import { SummaryReporter } from "./test/support/summary-reporter.js";

const shared = {
  exclude: ["**/node_modules/**", "dist/**", "build/**", "**/fixtures/**"],
  // Many tests compile C or start an emulator, and the machine may be small.
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    ...shared,
    maxWorkers: 2,
    reporters: ["default", new SummaryReporter()],
    include: ["{compiler,host,models,test,scripts,bench}/**/*.test.ts"],
  },
});
