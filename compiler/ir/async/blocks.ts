/**
 * The blocks of an async function: straight pieces of its body between the places where it waits. How a body is cut
 * is in `split.ts`; what becomes of the blocks in `step.ts`.
 */
import type { Expr, LocalVar, Loc, Stmt, SwitchCase } from "../nodes.js";

export type End =
  | { readonly k: "goto"; readonly to: Block }
  | {
      readonly k: "branch";
      readonly test: Expr;
      readonly then: Block;
      readonly else: Block;
      readonly loc: Loc;
    }
  | {
      readonly k: "switch";
      readonly subject: Expr;
      readonly cases: readonly { readonly of: SwitchCase; readonly to: Block }[];
      readonly other: Block;
      readonly loc: Loc;
    }
  /** The step ends; the next one goes on at `to`. */
  | { readonly k: "suspend"; readonly to: Block; readonly loc: Loc }
  | { readonly k: "return"; readonly loc: Loc }
  /** Never reached: after a `throw`. */
  | { readonly k: "none" };

/** Where a trap goes, and the variables that keep what is known of it. */
export interface Handler {
  readonly block: Block;
  readonly caught: Caught;
}

export interface Caught {
  readonly kind: LocalVar;
  readonly site: LocalVar;
  readonly message: LocalVar;
}

export interface Block {
  /** The number of the state; given when the blocks are known. */
  id: number;
  /** The frames that must have ended before the statements: the step ends here while one has not. */
  polls: readonly Expr[];
  readonly loc: Loc;
  readonly stmts: Stmt[];
  end: End | undefined;
  readonly handler: Handler | undefined;
}

export function successors(b: Block): readonly Block[] {
  const end = b.end;
  switch (end?.k) {
    case "goto":
    case "suspend":
      return [end.to];
    case "branch":
      return [end.then, end.else];
    case "switch":
      return [...end.cases.map((c) => c.to), end.other];
    default:
      return [];
  }
}

/** The expressions of the end, in order. */
export function endExprs(b: Block): readonly Expr[] {
  const end = b.end;
  return end?.k === "branch" ? [end.test] : end?.k === "switch" ? [end.subject] : [];
}
