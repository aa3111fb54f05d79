/**
 * What setup left behind: the object graph reachable from the entries, as typed data. Made by `setup/`, printed as
 * static C data by `backend-c/`. Types in it are closed (no parameters); `Type.args` of an object are known.
 */
import type { ClassDecl, FuncDecl, GlobalVar } from "./nodes.js";
import type { Type } from "./types.js";

export type SnapValue =
  | { readonly k: "num"; readonly value: number }
  | { readonly k: "big"; readonly value: bigint }
  | { readonly k: "bool"; readonly value: boolean }
  /** Also a member of a string-literal union. */
  | { readonly k: "str"; readonly value: string }
  | { readonly k: "null" }
  /** A reference to a SnapObject. */
  | { readonly k: "ref"; readonly to: SnapObject }
  /** A function value: a declared function (`env` empty) or a lambda with its captured values, in the order of `f.captures`. */
  | {
      readonly k: "closure";
      readonly f: FuncDecl;
      readonly typeArgs: readonly Type[];
      readonly env: readonly SnapValue[];
      readonly self: SnapValue | undefined;
    };

export type SnapObject =
  | {
      readonly k: "object";
      readonly id: number;
      /** The class (or interface, for a literal) that made it. */
      readonly cls: ClassDecl;
      readonly type: Extract<Type, { k: "object" }>;
      /** All fields, inherited ones first. */
      readonly fields: Map<string, SnapValue>;
      /** How the program reaches it first: `app.router.table`. */
      readonly path: string;
    }
  | {
      readonly k: "array";
      readonly id: number;
      readonly type: Extract<Type, { k: "array" }>;
      readonly elems: SnapValue[];
      readonly path: string;
    }
  /** Unwritten slots are undefined. */
  | {
      readonly k: "slots";
      readonly id: number;
      readonly type: Extract<Type, { k: "slots" }>;
      readonly elems: (SnapValue | undefined)[];
      readonly path: string;
    }
  /** A captured variable that is assigned after capture. */
  | { readonly k: "cell"; readonly id: number; readonly type: Type; value: SnapValue; readonly path: string };

export interface Entry {
  /** C function `tmc_<name>`. */
  readonly name: string;
  readonly type: Extract<Type, { k: "func" }>;
  readonly closure: Extract<SnapValue, { k: "closure" }>;
}

export interface Snapshot {
  /** The values of the globals that run-phase code may read, by GlobalVar.id. */
  readonly globals: ReadonlyMap<string, { readonly g: GlobalVar; readonly value: SnapValue }>;
  readonly objects: readonly SnapObject[];
  /** `main` for `tmc exec`, what `entry()` registered for an app. */
  readonly entries: readonly Entry[];
}
