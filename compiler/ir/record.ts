/**
 * How object types without a name (`{ x: i32; y?: string }`) stand in the IR: object types of `tmc/record#{x,y?}`, one
 * declaration per set of field names (sorted; `?` marks an optional one), the fields' types as type arguments. Two of
 * them are the same type when names and types agree.
 */
import type { ClassDecl } from "./nodes.js";

const prefix = "tmc/record#";

export const isRecordDecl = (decl: string): boolean => decl.startsWith(prefix);

export interface RecordField {
  readonly name: string;
  readonly optional: boolean;
}

/** `fields` sorted by name. */
export const recordId = (fields: readonly RecordField[]): string =>
  `${prefix}{${fields.map((f) => `${f.name}${f.optional ? "?" : ""}`).join(",")}}`;

export function recordFields(decl: string): RecordField[] {
  const list = decl.slice(prefix.length + 1, -1);
  if (list === "") return [];
  return list.split(",").map((f) => {
    const optional = f.endsWith("?");
    return { name: optional ? f.slice(0, -1) : f, optional };
  });
}

/** The interface that stands for records of these fields. */
export function recordDeclaration(id: string): ClassDecl {
  const loc = { file: "tmc/record", line: 1, col: 1 };
  const fields = recordFields(id);
  const typeParams = fields.map((_, i) => `T${i}`);
  return {
    id,
    name: fields.length === 0 ? "record" : `record_${fields.map((f) => f.name).join("_")}`,
    module: "tmc/record",
    isInterface: true,
    isAbstract: false,
    exported: false,
    typeParams,
    fields: fields.map(({ name, optional }, i) => ({
      name,
      type: { k: "param", name: typeParams[i] ?? "" },
      readonly: false,
      optional,
      loc,
    })),
    ctor: undefined,
    methods: [],
    signatures: [],
    superclass: undefined,
    implements: [],
    iterable: false,
    loc,
  };
}
