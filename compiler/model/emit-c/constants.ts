/** Prints constant arrays and the fields of layer structs as C. */

const LINE = 108;

/** `static const <type> <symbol>[n] = { … };` with wrapped lines. */
export function constantArray(symbol: string, type: string, data: Int8Array | Int32Array): string {
  const lines: string[] = [];
  let line = "   ";
  for (const value of data) {
    const item = ` ${intLiteral(value)},`;
    if (line.length + item.length > LINE) {
      lines.push(line);
      line = "   ";
    }
    line += item;
  }
  lines.push(line);
  return `static const ${type} ${symbol}[${data.length}] = {\n${lines.join("\n")}\n};`;
}

/** -2147483648 has no literal in C: it would be the negation of a number that does not fit. */
export function intLiteral(value: number): string {
  return value === -2147483648 ? "(-2147483647 - 1)" : String(value);
}

/** `.a = 1, .b = {...}` on wrapped lines, indented by `indent`. */
export function structFields(
  fields: readonly (readonly [string, number | string])[],
  indent: string,
): string {
  const lines: string[] = [];
  let line = indent;
  for (const [name, value] of fields) {
    const item = `.${name} = ${typeof value === "number" ? intLiteral(value) : value}, `;
    if (line.length + item.length > LINE && line !== indent) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += item;
  }
  lines.push(line.trimEnd());
  return lines.join("\n");
}
