/**
 * How names of the program are written in JavaScript: a single `$` belongs to emitted code, so a program's own `$` is
 * doubled; what emitted code uses itself (`Math`, `NaN`, …) is set apart; a local never hides a name of the module.
 */
import type { LocalVar, Module } from "../ir/nodes.js";

const used = new Set(
  (
    "arguments eval await async static implements interface package private protected public yield let undefined " +
    "NaN Infinity Math String Object Map Set JSON Error Symbol exports require module " +
    "Int8Array Uint8Array Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array"
  ).split(" "),
);

/** A name of the module's top level inside the emitted module. It is exported under its own name. */
export function topName(name: string): string {
  const plain = name.replaceAll("$", "$$$$");
  return used.has(name) ? `${plain}$` : plain;
}

/** Names of local variables: `top` are the names of the module, which defaults of parameters mention anywhere. */
export function localNames(top: ReadonlySet<string>): (v: LocalVar) => string {
  return (v) => {
    // A name with a space was made by the frontend: no variable of the program has it.
    const plain = v.name.replaceAll("$", "$$$$").replaceAll(" ", "$");
    return used.has(v.name) || top.has(v.name) ? `${plain}$l` : plain;
  };
}

/** What the top level of a module declares, as the program names it. */
export function topLevelNames(m: Module): Set<string> {
  return new Set([
    ...m.constants.map((c) => c.name),
    ...m.globals.filter((g) => !g.name.includes(".")).map((g) => g.name),
    ...m.functions.map((f) => f.name),
    ...m.classes.filter((c) => !c.isInterface).map((c) => c.name),
  ]);
}
