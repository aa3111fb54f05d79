/** Line differences between two outputs, for people. It judges nothing: equal texts give no lines. */

/** Above this product of line counts the middle is shown as replaced as a whole: a diff of that size helps nobody. */
const largestTable = 4_000_000;

/**
 * Lines of `a` that are missing in `b` with `-`, lines that `b` has instead with `+`, up to `context` equal lines
 * around each change, `…` for what is left out. At most `limit` lines; the rest is counted.
 */
export function diffLines(a: string, b: string, context = 2, limit = 60): string[] {
  if (a === b) {
    return [];
  }
  const edits = editScript(splitLines(a), splitLines(b));
  const keep = edits.map(
    (edit, i) =>
      edits.slice(Math.max(0, i - context), i + context + 1).some((near) => near.mark !== " ") ||
      edit.mark !== " ",
  );
  const out: string[] = [];
  edits.forEach((edit, i) => {
    if (keep[i] === true) {
      out.push(`${edit.mark} ${visible(edit.line)}`);
    } else if (keep[i - 1] !== false || i === 0) {
      out.push("  …");
    }
  });
  return out.length <= limit ? out : [...out.slice(0, limit), `  … and ${out.length - limit} more lines`];
}

interface Edit {
  readonly mark: " " | "-" | "+";
  readonly line: string;
}

/** A text that does not end its last line is different from one that does: the marker says so. */
function splitLines(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return last === "" ? lines : [...lines, `${last} (no end of line)`];
}

/** Control characters would hide a difference. */
function visible(line: string): string {
  return line.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

function editScript(a: readonly string[], b: readonly string[]): Edit[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    start += 1;
  }
  let end = 0;
  while (
    end < a.length - start &&
    end < b.length - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  ) {
    end += 1;
  }
  const equal = (line: string): Edit => ({ mark: " ", line });
  return [
    ...a.slice(0, start).map(equal),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(equal),
  ];
}

/** Longest common subsequence by the textbook table. */
function middle(a: readonly string[], b: readonly string[]): Edit[] {
  const removed = (line: string): Edit => ({ mark: "-", line });
  const added = (line: string): Edit => ({ mark: "+", line });
  if (a.length * b.length > largestTable) {
    return [...a.map(removed), ...b.map(added)];
  }
  const width = b.length + 1;
  const table = new Int32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && left === right) {
      edits.push({ mark: " ", line: left });
      i += 1;
      j += 1;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      edits.push(removed(left));
      i += 1;
    } else if (right !== undefined) {
      edits.push(added(right));
      j += 1;
    }
  }
  return edits;
}
