/** Map and Set: what handlers may do with them, and what is said about the rest. */
import { describe, expect, it } from "vitest";
import { analyse, codes, run, texts } from "../../test/support/analyse.js";

const setup = "const m = new Map<string, i32>(); m.set('a', 1); const s = new Set<u8>([1, 2]); ".replaceAll(
  "'",
  '"',
);
const handler = (body: string): string => `${setup}export function main(): void { ${body} }`;
const only = (text: string): string[] => codes(text).map((c) => c.replace(/^\S+ /, ""));

describe("Map and Set in handlers", () => {
  it.each([
    ["set", 'm.set("b", 2);'],
    ["delete", 'm.delete("a");'],
    ["clear", "m.clear();"],
    ["add", "s.add(3);"],
    ["delete of a set", "s.delete(1);"],
    ["forEach", "m.forEach((v, k) => log(k, v));"],
    ["new", "const n = new Map<string, i32>(); log(n.size);"],
    ["an iterator as a value", "const i = m.keys(); log(i === i);"],
  ])("%s is of setup", (_name, body) => {
    const found = only(handler(body));
    expect(found.length).toBeGreaterThan(0);
    expect(new Set(found)).toEqual(new Set(["TMC1801"]));
  });

  it("shows the way from the handler, and what to use instead", () => {
    const text = `${setup}function keep(k: string): void { m.set(k, 1); } export function main(): void { keep("x"); }`;
    expect(texts(analyse(text).diagnostics)).toMatch(
      /TMC1801 `set` of `Map<string, i32>` runs in setup only \(reached by main → keep\) \| .*FixedMap/,
    );
  });

  it.each([
    ["floats", "const f = new Map<f32, i32>([[0.5, 1]]);", "log(f.get(0.5) ?? 0);"],
    ["objects", "class K {} const k = new K(); const f = new Set<K>([k]);", "log(f.has(k));"],
  ])("%s are not looked up, and can be iterated over", (_name, made, body) => {
    expect(only(`${made} export function main(): void { ${body} }`)).toEqual(["TMC1804"]);
    expect(
      only(`${made} export function main(): void { for (const k of f.keys()) log(k === k, f.size); }`),
    ).toEqual([]);
  });

  it("a value that is missing must be tested", () => {
    expect(only(handler('const x: i32 = m.get("a"); log(x);'))).toEqual(["TMC1204"]);
    expect(run(handler('log(m.get("a") ?? 5, m.get("b") ?? 5, m.get("a")!);')).lines).toEqual(["1 5 1"]);
  });

  it("setup keeps what it could do before", () => {
    const text = `const m = new Map<string, i32[]>(); m.set("a", [1]); m.get("a")!.push(2);
      const n = new Map<i32, string>(); n.set(1, "x"); n.delete(1); n.set(2, "y"); n.forEach((v, k) => log(k, v));
      const o: Map<i32, string> = new Map(n); o.clear();
      for (const k of n.keys()) n.delete(k);
      export function main(): void { log(m.get("a")!.length, n.size, o.size); }`;
    expect(run(text).lines).toEqual(["2 y", "2 0 0"]);
  });

  it("a table too large, or with a value of no meaning, is named", () => {
    const large =
      "const m = new Set<i32>(); for (let i = 0; i < 70000; i++) m.add(i); export function main(): void { log(m.size); }";
    expect(texts(analyse(large).diagnostics)).toContain("TMC2002 `m` is a `Set<i32>`: it has 70000 entries");
    const text =
      'const m = new Map<string, Uint8Array>(); m.set("a", new Uint8Array(4).subarray(2)); export function main(): void { log(m.size); }';
    expect(texts(analyse(text).diagnostics)).toContain('`m.get("a")` is a `Uint8Array`');
  });
});
