/** Tuples: objects with fields `_0`, `_1`, …; on the host they are arrays. */
import { isTupleDecl, tupleField } from "../ir/tuple.js";
import type { ObjectType } from "../ir/hierarchy.js";
import type { ClassDecl, Field } from "../ir/nodes.js";
import type { Type } from "../ir/types.js";
import type { Context } from "./context.js";

/** The tuple type with these element types; declares the class of its length on first use. */
export function tupleType(ctx: Context, elements: readonly Type[]): ObjectType {
  const id = `tmc/tuple#Tuple${elements.length}`;
  if (!ctx.classes.has(id)) ctx.classes.set(id, declaration(id, elements.length));
  return { k: "object", decl: id, args: elements };
}

export const isTuple = (t: Type): t is ObjectType => t.k === "object" && isTupleDecl(t.decl);

function declaration(id: string, length: number): ClassDecl {
  const loc = { file: "tmc/tuple", line: 1, col: 1 };
  const typeParams = Array.from({ length }, (_, i) => `T${i}`);
  const fields = typeParams.map((name, i): Field => ({
    name: tupleField(i),
    type: { k: "param", name },
    readonly: false,
    optional: false,
    loc,
  }));
  return {
    id,
    name: `Tuple${length}`,
    module: "tmc/tuple",
    isInterface: true,
    isAbstract: false,
    exported: false,
    typeParams,
    fields,
    ctor: undefined,
    methods: [],
    signatures: [],
    superclass: undefined,
    implements: [],
    iterable: false,
    loc,
  };
}
