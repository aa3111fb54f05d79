/** The bounded containers against plain arrays and maps. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSimulatedPlatform } from "../../host/runtime/simulated-platform.js";
import { usePlatform } from "../../host/runtime/current-platform.js";
import { FixedMap } from "./fixed-map.js";
import { List } from "./list.js";
import { Pool } from "./pool.js";
import { Ring } from "./ring.js";

usePlatform(createSimulatedPlatform());

/** The kind of trap that `action` ends in; "" when none. */
function trapOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (e) {
    return (e as { kind?: string }).kind ?? String(e);
  }
}

const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 99 }), fc.constant(null)), { maxLength: 60 });

describe("List", () => {
  it("behaves as a bounded array", () => {
    fc.assert(
      fc.property(steps, (actions) => {
        const list = new List<number>(5);
        const model: number[] = [];
        for (const value of actions) {
          if (value === null) expect(list.pop()).toBe(model.pop() ?? null);
          else if (model.length < 5) {
            list.push(value);
            model.push(value);
          } else expect(trapOf(() => list.push(value))).toBe("capacity");
          expect(list.length).toBe(model.length);
          model.forEach((v, i) => expect(list.get(i)).toBe(v));
        }
        expect([...list]).toEqual(model);
      }),
    );
  });

  it("traps outside its elements", () => {
    const list = new List<number>(4);
    list.push(7);
    expect(trapOf(() => list.get(1))).toBe("index");
    expect(trapOf(() => list.get(-1))).toBe("index");
    expect(trapOf(() => list.set(1, 0))).toBe("index");
    list.clear();
    expect(trapOf(() => list.get(0))).toBe("index");
  });
});

describe("Ring", () => {
  it("behaves as a bounded queue", () => {
    fc.assert(
      fc.property(steps, (actions) => {
        const ring = new Ring<number>(3);
        const model: number[] = [];
        for (const value of actions) {
          if (value === null) expect(ring.shift()).toBe(model.shift() ?? null);
          else if (model.length < 3) {
            ring.push(value);
            model.push(value);
          } else expect(trapOf(() => ring.push(value))).toBe("capacity");
          expect(ring.length).toBe(model.length);
          model.forEach((v, i) => expect(ring.get(i)).toBe(v));
        }
        expect(trapOf(() => ring.get(model.length))).toBe("index");
        expect(trapOf(() => ring.get(-1))).toBe("index");
      }),
    );
  });
});

describe("FixedMap", () => {
  it("behaves as a bounded Map", () => {
    const action = fc.tuple(fc.constantFrom("set", "delete"), fc.integer({ min: 0, max: 8 }), fc.integer());
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const map = new FixedMap<number, number>(6);
        const model = new Map<number, number>();
        for (const [what, key, value] of actions) {
          if (what === "delete") expect(map.delete(key)).toBe(model.delete(key));
          else if (model.has(key) || model.size < 6) {
            map.set(key, value);
            model.set(key, value);
          } else expect(trapOf(() => map.set(key, value))).toBe("capacity");
          expect(map.size).toBe(model.size);
          for (let k = 0; k <= 8; k++) {
            expect(map.has(k)).toBe(model.has(k));
            expect(map.get(k)).toBe(model.get(k) ?? null);
          }
        }
      }),
    );
  });

  it("compares texts by their bytes", () => {
    const map = new FixedMap<string, number>(2);
    map.set("one", 1);
    map.set(["o", "ne"].join(""), 2);
    expect(map.size).toBe(1);
    expect(map.get("one")).toBe(2);
  });
});

describe("Pool", () => {
  it("lends what was made, then nothing", () => {
    let made = 0;
    const pool = new Pool<{ id: number }>(2, () => ({ id: made++ }));
    const a = pool.take();
    const b = pool.take();
    expect([a?.id, b?.id].sort()).toEqual([0, 1]);
    expect(pool.take()).toBe(null);
    if (a !== null) pool.give(a);
    expect(pool.take()).toBe(a);
    expect(made).toBe(2);
  });

  it("traps when it gets more than it lent", () => {
    const pool = new Pool<{ id: number }>(1, () => ({ id: 0 }));
    expect(trapOf(() => pool.give({ id: 1 }))).toBe("capacity");
  });
});
