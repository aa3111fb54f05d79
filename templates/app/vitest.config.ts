import { tmc } from "tmc/vitest";
import { defineConfig } from "vitest/config";

// Sources of the node run in tests as they do on the microcontroller: integers wrap, f32 rounds, a bad index traps.
export default defineConfig({ plugins: [tmc()], test: { include: ["src/**/*.test.ts"] } });
