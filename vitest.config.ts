/** How tests run. Unit tests stand beside the code, cross-cutting ones in test/. */
import { defineConfig } from "vitest/config";
import { tmc } from "./host/runtime/vitest-plugin.js";
import { SummaryReporter } from "./test/support/summary-reporter.js";

export default defineConfig({
  // Modules below these folders behave in tests as they do on the device.
  plugins: [tmc({ roots: ["firmware", "test/node/unit"] })],
  test: {
    include: ["{compiler,firmware,host,models,test,scripts,bench}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "build/**", "**/fixtures/**"],
    // Many tests compile C or start an emulator, and the machine may be small.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ["default", new SummaryReporter()],
  },
});
