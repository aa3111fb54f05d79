/** One C function for each function instance. */
import type { MonoFunc } from "../ir/monomorphise.js";
import type { LocalVar, Stmt } from "../ir/nodes.js";
import { declaredIn, stmtsOf, walkStmts } from "../ir/walk.js";
import { addressOf, call, id, lit, type CFunction, type CStmt } from "./c-ast.js";
import { envOf } from "./closures.js";
import type { Frames } from "./frames.js";
import { FuncContext } from "./func-context.js";
import { endsInJump } from "./lower-jump.js";
import { lowerStmts } from "./lower-stmt.js";
import { constantOf, pointerTo } from "./static-data.js";
import { tidy, unusedParameters } from "./tidy.js";
import type { Unit } from "./unit.js";

/** Variables that a try body assigns and that outlive it: their value after a trap is what the body left. */
function assignedInTry(f: MonoFunc): Set<LocalVar> {
  const found = new Set<LocalVar>();
  walkStmts(f.body, {
    stmt: (s) => {
      if (s.k !== "try" && s.k !== "finally") return;
      const inside = new Set(declaredIn(s.body));
      walkStmts(s.body, {
        expr: (e) => {
          if ((e.k === "assign" || e.k === "update") && e.target.k === "local" && !inside.has(e.target.v)) {
            found.add(e.target.v);
          }
        },
      });
    },
  });
  return found;
}

/** Operations of a body, and how deep its loops nest. */
interface Weight {
  readonly operations: number;
  readonly loopDepth: number;
}

const isLoop = (s: Stmt): boolean => s.k === "for" || s.k === "forOf" || s.k === "doWhile";

function loopDepth(body: readonly Stmt[]): number {
  return Math.max(0, ...body.map((s) => loopDepth(stmtsOf(s)) + (isLoop(s) ? 1 : 0)));
}

function weigh(f: MonoFunc): Weight {
  let operations = 0;
  walkStmts(f.body, {
    stmt: () => {
      operations += 1;
    },
    expr: (e) => {
      operations +=
        e.k === "num" || e.k === "big" || e.k === "local" || e.k === "this" || e.k === "convert" ? 0 : 1;
    },
  });
  return { operations, loopDepth: loopDepth(f.body) };
}

/**
 * Is the call dearer than the body? So it is for a few operations without a loop, and for somewhat more where the
 * result is a text or an array, which C returns through memory. `inline` tells GCC to look for what constant arguments
 * save; without the word it inlines only what makes the program smaller.
 */
function isSmall(f: MonoFunc, weight: Weight): boolean {
  let tries = false;
  walkStmts(f.body, { stmt: (s) => (tries ||= s.k === "try" || s.k === "finally") });
  if (tries) return false;
  const throughMemory = f.ret.k === "string" || f.ret.k === "array";
  return throughMemory
    ? weight.operations <= largestInlineView && weight.loopDepth <= 1
    : weight.operations <= largestInline && weight.loopDepth === 0;
}

/**
 * Does the body take so long that its call costs nothing? GCC inlines what is called once, however large; then the
 * loops of the caller and the callee share the registers, and the inner ones spill.
 */
const isLarge = (weight: Weight): boolean => weight.loopDepth > 1 || weight.operations >= smallestApart;

/**
 * The machinery of a node: it runs a few times a second and is most of an image, so it is compiled to be small. The functions
 * of a program and the rest of the standard library compute, and are compiled to be fast.
 */
const isMachinery = (f: MonoFunc): boolean => /^tmc\/(core\/|functions\/|std\/cbor-)/.test(f.decl.loc.file);

const largestInline = 5;
const largestInlineView = 40;
const smallestApart = 100;

export function lowerFunction(unit: Unit, frames: Frames, f: MonoFunc): CFunction {
  const frame = frames.frameOf(f);
  const c = new FuncContext(unit, f, frames, frame);
  c.volatileLocals = assignedInTry(f);
  const params: { type: string; name: string }[] = [];
  const copies: CStmt[] = [];
  if (f.decl.kind === "lambda") params.push({ type: "const void *", name: "env" });
  else if (f.owner !== undefined)
    params.push({ type: `${unit.layouts.layout(f.owner).struct} *`, name: "self" });
  for (const p of f.params) {
    const name = c.names.take(p.name);
    const type = unit.types.type(p.type);
    if (c.volatileLocals.has(p)) {
      // A copy: GCC's constant propagation forgets that a parameter is volatile.
      const given = c.names.take(`${p.name}_given`);
      params.push({ type, name: given });
      const kept = type.endsWith("*") ? `${type}volatile` : `volatile ${type}`;
      copies.push({ k: "decl", type: kept, name, init: id(given) });
    } else {
      params.push({ type, name });
    }
    c.vars.set(p, { k: "value", place: id(name) });
  }
  if (frame !== undefined) params.push({ type: pointerTo(frame.type), name: "frame" });
  const env = envOf(unit, f);
  if (env !== undefined) c.env = { env, name: c.names.takeForFunction("captured") };
  const { stmts } = c.collect(() => lowerStmts(c, f.body));

  const head: CStmt[] = [...copies];
  if (env !== undefined && c.env !== undefined) {
    head.push({ k: "decl", type: constantOf(`const ${env.type} *`), name: c.env.name, init: id("env") });
  }
  head.push(...c.hoisted);
  // Storage that a try body changes must be in memory when a trap arrives.
  if (c.hoisted.some((d) => d.type === "tmc_boundary")) {
    for (const d of c.hoisted) {
      if (d.type === "tmc_boundary") continue;
      const storage = id(d.name);
      head.push({ k: "expr", e: call("tmc_keep", d.length === undefined ? addressOf(storage) : storage) });
    }
  }
  const tail: CStmt[] =
    f.ret.k !== "void" && !endsInJump(stmts)
      ? [{ k: "expr", e: call("tmc_trap", id("TMC_TRAP_ASSERT"), lit("0")) }]
      : [];
  const weight = weigh(f);
  const body = tidy([...head, ...stmts, ...tail]);
  return {
    comment: undefined,
    storage: isSmall(f, weight) && !isMachinery(f) ? "static inline" : "static",
    apart: isLarge(weight),
    small: isMachinery(f),
    ret: unit.types.type(f.ret),
    name: c.cName,
    params,
    body: [
      ...unusedParameters(
        params.map((p) => p.name),
        body,
      ),
      ...body,
    ],
    loc: f.decl.loc,
  };
}
