/** How tuples stand in the IR: object types of `tmc/tuple#Tuple<n>` with fields `_0` … `_<n-1>`. */

export const isTupleDecl = (decl: string): boolean => decl.startsWith("tmc/tuple#");
export const tupleField = (i: number): string => `_${i}`;
/** `_2` → 2 */
export const tupleIndex = (name: string): number => Number(name.slice(1));
