/** One C function for each function instance. */
import type { MonoFunc } from "../ir/monomorphise.js";
import type { LocalVar } from "../ir/nodes.js";
import { declaredIn, walkStmts } from "../ir/walk.js";
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

/**
 * Is the body a few operations without a loop, so that its call costs as much as itself? `inline` tells GCC to look
 * for what constant arguments save; without the word it inlines only what makes the program smaller.
 */
function isSmall(f: MonoFunc): boolean {
  let size = 0;
  walkStmts(f.body, {
    stmt: (s) => {
      size +=
        s.k === "for" || s.k === "forOf" || s.k === "doWhile" || s.k === "try" || s.k === "finally"
          ? largestInline
          : 1;
    },
    expr: (e) => {
      size += e.k === "num" || e.k === "local" || e.k === "this" || e.k === "convert" ? 0 : 1;
    },
  });
  return size <= largestInline;
}

const largestInline = 5;

export function lowerFunction(unit: Unit, frames: Frames, f: MonoFunc): CFunction {
  const frame = frames.frameOf(f);
  const c = new FuncContext(unit, f, frames, frame);
  c.volatileLocals = assignedInTry(f);
  const params: { type: string; name: string }[] = [];
  if (f.decl.kind === "lambda") params.push({ type: "const void *", name: "env" });
  else if (f.owner !== undefined)
    params.push({ type: `${unit.layouts.layout(f.owner).struct} *`, name: "self" });
  for (const p of f.params) {
    const name = c.names.take(p.name);
    const type = unit.types.type(p.type);
    const isVolatile = c.volatileLocals.has(p);
    params.push({
      type: isVolatile ? (type.endsWith("*") ? `${type}volatile` : `volatile ${type}`) : type,
      name,
    });
    c.vars.set(p, { k: "value", place: id(name) });
  }
  if (frame !== undefined) params.push({ type: pointerTo(frame.type), name: "frame" });
  const env = envOf(unit, f);
  if (env !== undefined) c.env = { env, name: c.names.takeForFunction("captured") };
  const { stmts } = c.collect(() => lowerStmts(c, f.body));

  const head: CStmt[] = [];
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
  const body = tidy([...head, ...stmts, ...tail]);
  return {
    comment: undefined,
    storage: isSmall(f) ? "static inline" : "static",
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
