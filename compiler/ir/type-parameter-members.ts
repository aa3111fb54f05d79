/**
 * Members of values of a type parameter (`T extends { id: i32 }`): TypeScript compares the shapes, and takes a u8 for an
 * i32. The body was lowered for the constraint, so the type that takes T's place must have the very same member.
 */
import { UserError } from "../diagnostics/user-error.js";
import { findField, findMethod } from "./hierarchy.js";
import type { ClassDecl, Expr } from "./nodes.js";
import { sameType, substitute, typeName, type Type } from "./types.js";

/**
 * `e` as it was written, `close` replaces its type parameters.
 * @throws UserError TMC1903 with the place of `e`.
 */
export function checkMember(
  classes: ReadonlyMap<string, ClassDecl>,
  e: Extract<Expr, { k: "field" | "method" }>,
  actual: Type,
  close: (t: Type) => Type,
): void {
  const name = e.k === "field" ? e.name : e.f.name;
  const refuse = (why: string): never => {
    throw new UserError(
      "TMC1903",
      `${e.loc.file}:${e.loc.line}:${e.loc.col}: with \`${typeName(actual)}\` as type argument, \`${name}\` ${why}`,
      "declare the member with the very type that the constraint gives it",
    );
  };
  if (actual.k !== "object") return refuse("is no member of an object");
  if (e.k === "field") {
    const found = findField(classes, actual, name);
    if (found === undefined) return refuse("is not a field");
    const wanted = close(e.type);
    if (!sameType(found.type, wanted))
      refuse(`is \`${typeName(found.type)}\`, and the constraint says \`${typeName(wanted)}\``);
    return;
  }
  const found = findMethod(classes, actual, name);
  if (found === undefined) return refuse("is not a method");
  if (found.f.typeParams.length > 0) return refuse("is generic");
  const own = found.f.params.map((p) => substitute(p.type, found.map));
  const given = e.args.map((a) => close(a.type));
  if (own.length !== given.length || !own.every((t, i) => sameType(t, given[i] ?? t)))
    refuse(
      `takes (${own.map(typeName).join(", ")}), and the constraint says (${given.map(typeName).join(", ")})`,
    );
  const result = substitute(found.f.ret, found.map);
  if (!sameType(result, close(e.type)))
    refuse(`gives \`${typeName(result)}\`, and the constraint says \`${typeName(close(e.type))}\``);
}
