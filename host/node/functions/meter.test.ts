import { describe, expect, it } from "vitest";
import { createInstance, type CallEnd } from "./instance.js";
import { metered } from "./meter.js";
import { constant, echo, forever, op, wasmModule, type ModuleParts } from "./testing-wasm.js";

const limits = { outputBytes: 65_536, logBytes: 100 };

async function run(code: Uint8Array, input: readonly number[] | Uint8Array, fuel: number): Promise<CallEnd> {
  const changed = metered(code);
  if (changed === undefined) throw new Error("not metered");
  return createInstance(await WebAssembly.compile(changed), limits, () => undefined).call(
    Uint8Array.from(input),
    fuel,
  );
}
const runParts = (parts: ModuleParts, fuel = 10_000): Promise<CallEnd> =>
  run(wasmModule(parts), [1, 2], fuel);

/** That it computes what the module computes: test/functions/equality.test.ts. */
describe("a metered module", () => {
  it("ends by fuel: a loop, a loop in a loop, a loop in a block, a function that calls itself", async () => {
    const end = { end: "fuel" };
    const none = 0x40;
    expect(await runParts({ body: forever })).toEqual(end);
    const nested = [op.loop, none, op.loop, none, op.br, 1, op.end, op.end, op.i32, 0];
    expect(await runParts({ body: nested })).toEqual(end);
    const viaBlock = [op.loop, none, op.block, none, op.br, 1, op.end, op.end, op.i32, 0];
    expect(await runParts({ body: viaBlock })).toEqual(end);
    const viaTable = [op.loop, none, op.get, 0, 0x0e, 2, 0, 0, 0, op.end, op.i32, 0];
    expect(await runParts({ body: viaTable })).toEqual(end);
    expect(await runParts({ body: [op.get, 0, op.call, 1] })).toEqual(end);
  });
  it("pays for straight code by its length, and for what it imports", async () => {
    const long = Array.from({ length: 500 }, () => [op.get, 0, op.drop]).flat();
    expect((await runParts({ body: [...long, ...echo] }, 900)).end).toBe("fuel");
    expect((await runParts({ body: [...long, ...echo] }, 1100)).end).toBe("done");
    const log = [...constant(1024), op.i32, 1, op.i32, 0, op.i32, 0, op.call, 0];
    const parts: ModuleParts = { imports: [["tmc", "log"]], body: [...log, ...log, ...echo] };
    expect((await runParts(parts, 300)).end).toBe("fuel");
    expect((await runParts(parts, 500)).end).toBe("done");
  });
  it("leaves a trap a trap", async () => {
    const trap = { end: "trap", kind: 0 };
    expect(await runParts({ body: [op.unreachable] })).toMatchObject(trap);
    expect(await runParts({ body: [op.i32, 1, op.i32, 0, op.divS] })).toMatchObject(trap);
  });
  it("is not made of a module that could take long at once", () => {
    expect(metered(wasmModule({ body: [...constant(1), op.grow, 0] }))).toBeUndefined();
    // memory.fill
    const fill = [...constant(0), ...constant(0), ...constant(9), 0xfc, 11, 0, op.i32, 0];
    expect(metered(wasmModule({ body: fill }))).toBeUndefined();
    expect(
      metered(wasmModule({ body: [0xfd, 12, ...new Array<number>(16).fill(0), op.drop, ...echo] })),
    ).toBeUndefined();
  });
});
