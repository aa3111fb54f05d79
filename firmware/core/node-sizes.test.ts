/** The sizes that an app chooses: of the largest message, and of the answers kept. */
import { describe, expect, it } from "vitest";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { createSimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { NodeUnderTest, decodeCbor, errorAt } from "../../test/support/firmware-node.js";
import { minimalNode } from "../functions/minimal-node.js";

const plain = { name: "t", version: "1", sensors: [], models: [], settings: [], labels: [], jobs: 1 };

function boot(sizes: { message?: number; answers?: number }) {
  const platform = createSimulatedPlatform();
  usePlatform(platform);
  minimalNode({ ...plain, ...sizes }).serve();
  platform.start();
  return { platform, bus: new NodeUnderTest(platform) };
}

/** A request of more than so many bytes. */
const large = (size: number) => ({ operation: "node.describe", input: new Uint8Array(size) });

describe("message", () => {
  it("is told in the birth record and is the largest request taken", () => {
    const { platform, bus } = boot({ message: 600, answers: 600 });
    const birth = decodeCbor(platform.published[0]?.payload ?? new Uint8Array()) as Map<number, unknown>;
    expect(birth.get(6)).toBe(600);
    expect(errorAt(bus.ask(large(600)))).toMatch(/^too-large/);
    expect(bus.ask(large(500)).error).toBeUndefined();
  });

  it("may be larger than the default", () => {
    const { bus } = boot({ message: 2048 });
    expect(bus.ask(large(1900)).error).toBeUndefined();
  });

  it.each([0, 511, 16385])("of %i bytes is refused when the app is made", (message) => {
    expect(() => boot({ message, answers: 20000 })).toThrow("message: 512 to 16384 bytes");
  });
});

describe("answers", () => {
  it("hold what a repetition gets again", () => {
    const { bus } = boot({ answers: 1024 });
    const request = { operation: "node.monitor", id: 77 };
    expect(bus.ask(request).bytes).toEqual(bus.ask(request).bytes);
  });

  it("cannot be less than one", () => {
    expect(() => boot({ message: 2048, answers: 2047 })).toThrow(
      "answers: at least as many bytes as message",
    );
  });
});
