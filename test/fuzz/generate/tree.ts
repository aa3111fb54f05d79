/**
 * A program as a tree of text: every part knows what it is (an expression of a type, a statement, a list, a
 * declaration), so that any part can be replaced by another of the same sort. It knows no language.
 */

export interface Tree {
  /** What can stand in its place: the type of an expression, or one of the words below. */
  readonly sort: string;
  readonly parts: readonly (string | Tree)[];
}

/** Statements or declarations, each removable. */
export const listSort = "list";
export const statementSort = "statement";
export const declarationSort = "declaration";

/** `tree("i32")`…${part}…``: a tree of that sort. */
export function tree(
  sort: string,
): (texts: TemplateStringsArray, ...holes: readonly (string | number | Tree)[]) => Tree {
  return (texts, ...holes) => {
    const parts: (string | Tree)[] = [];
    texts.forEach((text, i) => {
      if (text !== "") parts.push(text);
      const hole = holes[i];
      if (hole !== undefined) parts.push(typeof hole === "number" ? String(hole) : hole);
    });
    return { sort, parts };
  };
}

export const statement = tree(statementSort);

/** One element per line. */
export function list(elements: readonly Tree[]): Tree {
  return { sort: listSort, parts: elements };
}

export function textOf(t: Tree): string {
  const out: string[] = [];
  write(t, "", out);
  return out.join("");
}

/** `indent` is that of the elements of a list; what follows a list stands one step further left. */
function write(t: Tree, indent: string, out: string[]): void {
  const isList = t.sort === listSort;
  for (const part of t.parts) {
    if (isList) out.push(indent);
    if (typeof part === "string") out.push(part);
    else write(part, part.sort === listSort ? `${indent}  ` : indent, out);
    if (isList) out.push("\n");
  }
  if (isList) out.push(indent.slice(2));
}

/** The trees of this sort below `t`, nearest first, without those inside another one found. */
function inner(t: Tree, sort: string): Tree[] {
  return t.parts.flatMap((p) => (typeof p === "string" ? [] : p.sort === sort ? [p] : inner(p, sort)));
}

/** The simplest expression of a type; undefined where there is none for sure. */
function simplest(sort: string): string | undefined {
  if (/^[iuf](8|16|32|64)$/.test(sort)) return `${sort}(0)`;
  if (sort === "boolean") return "false";
  return sort === "string" ? '""' : undefined;
}

/** Smaller trees of the same sort, the smallest first; not all of them make sense as a program. */
export function* smaller(t: Tree): Generator<Tree> {
  if (t.sort === listSort) {
    yield* shorter(t);
  } else {
    const plain = simplest(t.sort);
    if (plain !== undefined && t.parts[0] !== plain) {
      if (t.parts.some((p) => typeof p !== "string") || t.parts.length > 1)
        yield { sort: t.sort, parts: [plain] };
      yield* inner(t, t.sort);
    } else if (t.sort === statementSort) {
      yield* inner(t, t.sort);
    }
  }
  for (const [i, part] of t.parts.entries()) {
    if (typeof part === "string") continue;
    for (const s of smaller(part)) yield { sort: t.sort, parts: t.parts.with(i, s) };
  }
}

/** The list without runs of its elements: the long runs first. */
function* shorter(t: Tree): Generator<Tree> {
  const { length } = t.parts;
  for (let run = length; run >= 1; run = run >> 1) {
    for (let from = 0; from < length; from += run) {
      yield { sort: t.sort, parts: [...t.parts.slice(0, from), ...t.parts.slice(from + run)] };
    }
  }
  // A block's statements in place of the statement around it.
  for (const [i, part] of t.parts.entries()) {
    if (typeof part === "string" || part.sort !== statementSort) continue;
    for (const block of inner(part, listSort)) {
      yield { sort: t.sort, parts: [...t.parts.slice(0, i), ...block.parts, ...t.parts.slice(i + 1)] };
    }
  }
}
