/** One C function for each function instance. */
import type { MonoFunc } from "../ir/monomorphise.js";
import type { LocalVar } from "../ir/nodes.js";
import { walkStmts } from "../ir/walk.js";
import { call, cast, id, lit, type CFunction, type CStmt } from "./c-ast.js";
import { envOf } from "./closures.js";
import type { Frames } from "./frames.js";
import { FuncContext } from "./func-context.js";
import { endsInJump, lowerStmts } from "./lower-stmt.js";
import { constantOf, pointerTo } from "./static-data.js";
import type { Unit } from "./unit.js";

/** Variables whose value something uses. */
function readLocals(f: MonoFunc): Set<LocalVar> {
  const found = new Set<LocalVar>();
  walkStmts(f.body, {
    expr: (e) => {
      if (e.k === "local") found.add(e.v);
      if (e.k === "lambda") for (const v of e.f.captures) found.add(f.local(v));
    },
  });
  return found;
}

function hasTry(f: MonoFunc): boolean {
  let found = false;
  walkStmts(f.body, { stmt: (s) => void (found ||= s.k === "try") });
  return found;
}

export function lowerFunction(unit: Unit, frames: Frames, f: MonoFunc): CFunction {
  const frame = frames.frameOf(f);
  const c = new FuncContext(unit, f, frames, frame);
  c.readLocals = readLocals(f);
  c.volatileLocals = hasTry(f);
  const params: { type: string; name: string }[] = [];
  const unused: string[] = [];
  if (f.decl.kind === "lambda") params.push({ type: "const void *", name: "env" });
  else if (f.owner !== undefined) params.push({ type: `${unit.layouts.layout(f.owner).struct} *`, name: "self" });
  for (const p of f.params) {
    const name = c.names.take(p.name);
    const type = unit.types.type(p.type);
    const isVolatile = c.volatileLocals && p.mutable;
    params.push({ type: isVolatile ? (type.endsWith("*") ? `${type}volatile` : `volatile ${type}`) : type, name });
    c.vars.set(p, { k: "value", place: id(name) });
    if (!c.readLocals.has(p)) unused.push(name);
  }
  if (frame !== undefined) params.push({ type: pointerTo(frame.type), name: "frame" });
  const env = envOf(unit, f);
  if (env !== undefined) c.env = { env, name: c.names.takeForFunction("captured") };
  const { stmts } = c.collect(() => lowerStmts(c, f.body));

  const head: CStmt[] = [];
  if (env !== undefined && c.env !== undefined && c.usesEnv) {
    const type = constantOf(`const ${env.type} *`);
    head.push({ k: "decl", type, name: c.env.name, init: id("env") });
  } else if (f.decl.kind === "lambda") {
    unused.unshift("env");
  }
  if (params[0]?.name === "self" && !c.usesSelf) unused.unshift("self");
  if (frame !== undefined && !c.usesFrame) unused.push("frame");
  for (const d of c.hoisted) {
    const isBoundary = d.type === "tmc_boundary" || d.init !== undefined;
    head.push(isBoundary || d.length === undefined ? d : { ...d, init: undefined });
  }
  for (const name of unused) head.push({ k: "expr", e: cast("void", id(name)) });
  const tail: CStmt[] =
    f.ret.k !== "void" && !endsInJump(stmts)
      ? [{ k: "expr", e: call("tmc_trap", id("TMC_TRAP_ASSERT"), lit("0")) }]
      : [];
  return {
    comment: undefined,
    storage: "static",
    ret: unit.types.type(f.ret),
    name: c.cName,
    params,
    body: [...head, ...stmts, ...tail],
    loc: f.decl.loc,
  };
}
