/** Function values: the {fn, env} pairs, environments of lambdas, and adapters for functions that take none. */
import type { MonoFunc } from "../ir/monomorphise.js";
import type { LocalVar } from "../ir/nodes.js";
import type { SnapValue } from "../ir/snapshot.js";
import type { Type } from "../ir/types.js";
import {
  addressOf,
  call,
  cast,
  id,
  list,
  lit,
  NULL_PTR,
  ret,
  type CExpr,
  type CInit,
  type CStmt,
} from "./c-ast.js";
import { declarator } from "./c-print.js";
import { adapt } from "./lower-convert.js";
import { LocalNames } from "./names.js";
import { pointerTo } from "./static-data.js";
import type { Unit } from "./unit.js";

/** A captured variable that is assigned after capture is shared: the environment has a pointer to it. */
export const isCell = (v: LocalVar): boolean => v.mutable && v.captured;

export interface EnvMember {
  readonly name: string;
  readonly v: LocalVar | undefined;
}

export interface Env {
  readonly type: string;
  /** `self` first when the lambda uses `this`, then the captures in order. */
  readonly members: readonly EnvMember[];
}

const envs = new WeakMap<MonoFunc, Env>();

/** The environment struct of a lambda; undefined when it captures nothing. */
export function envOf(unit: Unit, f: MonoFunc): Env | undefined {
  if (f.decl.kind !== "lambda" || (f.captures.length === 0 && !f.decl.usesThis)) return undefined;
  const known = envs.get(f);
  if (known !== undefined) return known;
  const names = new LocalNames(unit.names);
  const members: EnvMember[] = [];
  const lines: string[] = [];
  const needs: string[] = [];
  if (f.decl.usesThis) {
    members.push({ name: "self", v: undefined });
    lines.push("void *self;");
  }
  for (const v of f.captures) {
    const name = names.take(v.name);
    const type = unit.types.type(v.type);
    needs.push(type);
    members.push({ name, v });
    lines.push(`${declarator(isCell(v) ? pointerTo(type) : type, name)};`);
  }
  const type = unit.names.take(`${unit.functionName(f)}_env`);
  unit.types.define(type, needs, `typedef struct {\n    ${lines.join("\n    ")}\n} ${type};`);
  const env: Env = { type, members };
  envs.set(f, env);
  return env;
}

/** The C function to put in a function value of type `as`. */
export function functionPointer(unit: Unit, f: MonoFunc, as: Extract<Type, { k: "func" }>): CExpr {
  if (!unit.isReached(f) && f.decl.kind !== "extern") return neverCalled(unit, as);
  const type = (t: Type): string => unit.types.type(t);
  const same =
    f.decl.kind === "lambda" &&
    f.params.length === as.params.length &&
    f.params.every((p, i) => type(p.type) === type(as.params[i] ?? p.type)) &&
    type(f.ret) === type(as.ret);
  const target = unit.functionName(f);
  if (same) return id(target);
  const signature = unit.types.tag(as);
  return id(
    unit.helper(`adapter ${target} ${signature}`, `${target}_value`, (name) => {
      const params = as.params.map((t, i) => ({ type: type(t), name: `a${i + 1}` }));
      const passed: CExpr[] = f.params.map((p, i) => {
        return adapt(unit, id(`a${i + 1}`), as.params[i] ?? p.type, p.type);
      });
      const unused = params.slice(f.params.length).map((p) => p.name);
      const invoke = f.decl.kind === "lambda" ? call(target, id("env"), ...passed) : call(target, ...passed);
      if (f.decl.kind !== "lambda") unused.unshift("env");
      const body: CStmt[] = unused.map((n) => ({ k: "expr", e: cast("void", id(n)) }));
      body.push(as.ret.k === "void" ? { k: "expr", e: invoke } : ret(adapt(unit, invoke, f.ret, as.ret)));
      unit.noteCall(name, target, false);
      return {
        comment: undefined,
        storage: "static",
        ret: type(as.ret),
        name,
        params: [{ type: "const void *", name: "env" }, ...params],
        body,
        loc: undefined,
      };
    }),
  );
}

/** A function value that no reachable call uses still is not null. */
function neverCalled(unit: Unit, as: Extract<Type, { k: "func" }>): CExpr {
  const type = (t: Type): string => unit.types.type(t);
  return id(
    unit.helper(`never ${unit.types.tag(as)}`, `never_called_${unit.types.tag(as)}`, (name) => {
      const params = [
        { type: "const void *", name: "env" },
        ...as.params.map((t, i) => ({ type: type(t), name: `a${i + 1}` })),
      ];
      const body: CStmt[] = params.map((p) => ({ k: "expr", e: cast("void", id(p.name)) }));
      body.push({ k: "expr", e: call("tmc_trap", id("TMC_TRAP_NULL"), lit("0")) });
      return { comment: undefined, storage: "static", ret: type(as.ret), name, params, body, loc: undefined };
    }),
  );
}

type MakeEnv = () => { readonly type: string; readonly wanted: string; readonly init: CInit };

/** The initialiser of a closure of the snapshot. `place` prints its environment once and gives its name. */
export function closureInit(
  unit: Unit,
  v: Extract<SnapValue, { k: "closure" }>,
  as: Type,
  place: (make: MakeEnv) => string,
): CInit {
  if (as.k !== "func") throw new Error(`a function value where ${as.k} is expected`);
  const f = unit.reachable.mono.closure(v.f, v.typeArgs);
  const fn = functionPointer(unit, f, as);
  const env = unit.isReached(f) ? envOf(unit, f) : undefined;
  if (env === undefined) return list(fn, NULL_PTR);
  return list(fn, addressOf(id(place(() => staticEnv(unit, f, env, v)))));
}

/** What the static environment of a closure of the snapshot holds. */
export function staticEnv(
  unit: Unit,
  f: MonoFunc,
  env: Env,
  v: Extract<SnapValue, { k: "closure" }>,
): { readonly type: string; readonly wanted: string; readonly init: CInit } {
  const values = f.decl.usesThis ? [v.self, ...v.env] : v.env;
  const items = env.members.map((m, i) => {
    const value = values[i] ?? ({ k: "null" } as const);
    if (m.v === undefined) {
      const self = value.k === "ref" ? cast("void *", addressOf(unit.data.place(value.to))) : NULL_PTR;
      return { name: m.name, value: self };
    }
    if (isCell(m.v) && value.k === "ref" && value.to.k === "cell") {
      return { name: m.name, value: addressOf(unit.data.place(value.to)) };
    }
    return { name: m.name, value: unit.data.init(value, m.v.type) };
  });
  return { type: env.type, wanted: `${unit.functionName(f)}_captured`, init: { k: "list", items } };
}
