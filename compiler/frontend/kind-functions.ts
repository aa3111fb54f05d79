/**
 * Functions whose type parameters stand for number kinds: `function sum<T extends i32 | f32>(a: RomArray<T>): T`. Such a
 * function is compiled once for each kind, with the exact rules of that kind, whether it is called with it or not: what
 * one of the kinds does not permit is an error. Methods and classes have no such parameters.
 */
import type { ts } from "ts-morph";
import type { FuncDecl } from "../ir/nodes.js";
import { num, typeName, widensTo, type NumKind, type Type } from "../ir/types.js";
import type { Context } from "./context.js";
import type { Lowerer } from "./lowerer.js";
import { tryConvert } from "./type-convert.js";

interface KindParam {
  readonly name: string;
  readonly symbol: ts.Symbol;
  readonly kinds: readonly NumKind[];
}

export interface KindFunctions {
  readonly params: readonly KindParam[];
  /** By the kinds of `params`, joined by a comma. */
  readonly instances: ReadonlyMap<string, FuncDecl>;
}

/** More instances than this are a mistake. */
const mostInstances = 32;

/** The type parameters that are constrained to two or more number kinds. */
export function kindParams(ctx: Context, node: ts.FunctionDeclaration): KindParam[] {
  return (node.typeParameters ?? []).flatMap((p) => {
    const symbol = ctx.checker.getSymbolAtLocation(p.name);
    const constraint = p.constraint === undefined ? undefined : ctx.checker.getTypeFromTypeNode(p.constraint);
    if (symbol === undefined || constraint?.isUnion() !== true) return [];
    // A plain `number` says nothing about the kind.
    const types = constraint.types.map((t) => (t.isIntersection() ? tryConvert(ctx, t, p) : undefined));
    const kinds = types.map((t) => (t?.k === "num" ? t.n : undefined)).filter((n) => n !== undefined);
    return kinds.length === types.length ? [{ name: p.name.text, symbol, kinds }] : [];
  });
}

/** Every combination of the kinds of the parameters. */
export function combinations(params: readonly KindParam[]): (readonly NumKind[])[] | undefined {
  let all: (readonly NumKind[])[] = [[]];
  for (const p of params) all = all.flatMap((before) => p.kinds.map((n) => [...before, n]));
  return all.length > mostInstances ? undefined : all;
}

/**
 * Runs `lower` with the type parameters bound to kinds. What it reports is said to be of those kinds, and once a place.
 * @param seen the places that another instance reported.
 */
export function withKinds(
  ctx: Context,
  params: readonly KindParam[],
  kinds: readonly NumKind[],
  seen: Set<string>,
  lower: () => void,
): void {
  const before = ctx.boundTypes;
  const first = ctx.diagnostics.length;
  ctx.boundTypes = new Map([...before, ...params.map((p, i) => [p.symbol, num(kinds[i] ?? "f64")] as const)]);
  try {
    lower();
  } finally {
    ctx.boundTypes = before;
    const where = params.map((p, i) => `\`${p.name}\` is ${kinds[i]}`).join(" and ");
    for (const d of ctx.diagnostics.splice(first)) {
      const key = `${d.code} ${d.loc.line}:${d.loc.col}`;
      if (!seen.has(key)) ctx.diagnostics.push({ ...d, message: `${d.message} (where ${where})` });
      seen.add(key);
    }
  }
}

/** The instance that a call with these type arguments means, and the type arguments it takes itself. */
export function chooseInstance(
  lw: Lowerer,
  functions: KindFunctions,
  base: FuncDecl,
  typeArgs: readonly Type[],
  node: ts.Node,
): { readonly f: FuncDecl; readonly typeArgs: readonly Type[] } {
  const rest: Type[] = [];
  const kinds: NumKind[] = [];
  base.typeParams.forEach((name, i) => {
    const given = typeArgs[i];
    if (given === undefined) return;
    const param = functions.params.find((p) => p.name === name);
    if (param === undefined) {
      rest.push(given);
      return;
    }
    const kind = given.k === "num" ? given.n : undefined;
    const fits = (n: NumKind): boolean => n === kind || (kind !== undefined && widensTo[kind].includes(n));
    const chosen = param.kinds.find((n) => n === kind) ?? param.kinds.find(fits);
    if (chosen === undefined) {
      lw.ctx.fail(
        "TMC1119",
        node,
        `\`${typeName(given)}\` is none of the kinds of \`${name}\`: ${param.kinds.join(", ")}`,
        `convert the argument, or add the kind to \`${base.name}\``,
      );
    }
    kinds.push(chosen);
  });
  const f = functions.instances.get(kinds.join(","));
  if (f === undefined) throw new Error(`${base.name} has no instance for ${kinds.join(", ")}`);
  return { f, typeArgs: rest };
}
