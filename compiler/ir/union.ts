/**
 * How unions of object types (`Circle | Square`) stand in the IR: object types of `tmc/union#Union<n>` with the members
 * as type arguments (made by `unionOf` in `types.ts`, which sorts them). Which member an object is, its class says;
 * what all members have can be read through the union (`hierarchy.ts`).
 */
import type { ClassDecl } from "./nodes.js";

const prefix = "tmc/union#Union";

/** The class stands for a union of object types. */
export const isUnionDecl = (decl: string): boolean => decl.startsWith(prefix);
export const unionId = (members: number): string => `${prefix}${members}`;

const declarations = new Map<string, ClassDecl>();

/** The interface that stands for unions of so many members. It has no members of its own. */
export function unionDeclaration(id: string): ClassDecl {
  let c = declarations.get(id);
  if (c === undefined) {
    const size = Number(id.slice(prefix.length));
    c = {
      id,
      name: `Union${size}`,
      module: "tmc/union",
      isInterface: true,
      isAbstract: false,
      exported: false,
      typeParams: Array.from({ length: size }, (_, i) => `T${i}`),
      fields: [],
      ctor: undefined,
      methods: [],
      signatures: [],
      superclass: undefined,
      implements: [],
      iterable: false,
      loc: { file: "tmc/union", line: 1, col: 1 },
    };
    declarations.set(id, c);
  }
  return c;
}
