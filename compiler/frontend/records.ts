/** Object types without a name: structural, by the names and types of their fields (`ir/record.ts`). */
import { ts } from "ts-morph";
import { recordDeclaration, recordId } from "../ir/record.js";
import type { ObjectType, Type } from "../ir/types.js";
import type { Context } from "./context.js";

export interface RecordMember {
  readonly name: string;
  readonly optional: boolean;
  readonly type: Type;
}

/** The record type with these fields, in any order; an optional field's type is nullable. */
export function recordType(ctx: Context, members: readonly RecordMember[]): ObjectType {
  const sorted = [...members].sort((a, b) => (a.name < b.name ? -1 : 1));
  const id = recordId(sorted);
  if (!ctx.classes.has(id)) ctx.classes.set(id, recordDeclaration(id));
  return { k: "object", decl: id, args: sorted.map((m) => m.type) };
}

/** Fields only, with plain names: what a record can hold. */
export function isRecordShape(t: ts.Type): boolean {
  const properties = t.getProperties();
  return (
    properties.length > 0 &&
    t.getCallSignatures().length === 0 &&
    t.getConstructSignatures().length === 0 &&
    t.getStringIndexType() === undefined &&
    t.getNumberIndexType() === undefined &&
    properties.every((p) => (p.flags & ts.SymbolFlags.Property) !== 0 && /^[A-Za-z_$][\w$]*$/.test(p.name))
  );
}
