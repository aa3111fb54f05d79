/**
 * Statements of an async function that stay whole, because they do not wait: jumps out of them lead to blocks. Only marks
 * the jumps; `step.ts` writes them.
 */
import type { Loc, Stmt } from "../nodes.js";
import { assign, local } from "./make.js";
import type { FarJump, Splitter } from "./split.js";

/** What unlabelled jumps mean inside a statement that is not cut. */
interface Inside {
  readonly breaks: boolean;
  readonly continues: boolean;
  readonly labels: readonly string[];
}

/** The statement, with marks in the place of jumps out of it. */
export function withFarJumps(splitter: Splitter, s: Stmt): Stmt {
  const [only] = far(splitter, s, { breaks: false, continues: false, labels: [] });
  return only ?? { k: "block", loc: s.loc, body: [] };
}

function far(splitter: Splitter, s: Stmt, inside: Inside): Stmt[] {
  const list = (body: readonly Stmt[], within: Inside = inside): Stmt[] =>
    body.flatMap((x) => far(splitter, x, within));
  switch (s.k) {
    case "return": {
      const { result } = splitter.host;
      const { before, to } = splitter.route({ k: "return", loc: s.loc });
      const value: Stmt[] =
        s.value === undefined
          ? []
          : [
              result === undefined
                ? { k: "expr", loc: s.loc, e: s.value }
                : assign(local(result, s.loc), s.value),
            ];
      return [mark(splitter, s.loc, { before: [...value, ...before], to })];
    }
    case "break":
    case "continue": {
      const stays =
        s.label !== undefined
          ? inside.labels.includes(s.label)
          : s.k === "break"
            ? inside.breaks
            : inside.continues;
      if (stays) return [s];
      return [mark(splitter, s.loc, splitter.route({ k: s.k, target: splitter.targetOf(s) }))];
    }
    case "if":
      return [{ ...s, then: list(s.then), else: list(s.else) }];
    case "block":
      return [{ ...s, body: list(s.body) }];
    case "for":
    case "doWhile":
    case "forOf": {
      const labels = s.label === undefined ? inside.labels : [...inside.labels, s.label];
      return [{ ...s, body: list(s.body, { breaks: true, continues: true, labels }) }];
    }
    case "switch": {
      const within = { ...inside, breaks: true };
      return [{ ...s, cases: s.cases.map((c) => ({ ...c, body: list(c.body, within) })) }];
    }
    case "try":
      return [{ ...s, body: list(s.body), handler: list(s.handler) }];
    case "finally":
      return [{ ...s, body: list(s.body), finalizer: list(s.finalizer) }];
    default:
      return [s];
  }
}

function mark(splitter: Splitter, loc: Loc, jump: FarJump): Stmt {
  const made: Stmt = { k: "block", loc, body: [] };
  splitter.farJumps.set(made, jump);
  return made;
}
