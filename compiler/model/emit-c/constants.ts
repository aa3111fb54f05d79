/** Prints constant arrays and the fields of layer structs as C. */

const LINE = 108;

/** Numbers, or structs of int32 each given by its members. */
export type ConstantData =
  Int8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | readonly Int32Array[];

/** Bytes of the data in the image. */
export function constantBytes(data: ConstantData): Uint8Array {
  const arrays = ArrayBuffer.isView(data) ? [data] : data;
  return Buffer.concat(
    arrays.map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)),
  );
}

/**
 * `static const <type> <symbol>[n] = { … };` with wrapped lines; unsigned words are printed in hexadecimal. `inRam`:
 * without const, so that start-up code copies it from flash to RAM (nothing writes it).
 */
export function constantArray(symbol: string, type: string, data: ConstantData, inRam = false): string {
  const lines: string[] = [];
  let line = "   ";
  for (const value of data) {
    const item = ` ${literal(value, data instanceof Uint32Array)},`;
    if (line.length + item.length > LINE) {
      lines.push(line);
      line = "   ";
    }
    line += item;
  }
  lines.push(line);
  return `static ${inRam ? "" : "const "}${type} ${symbol}[${data.length}] = {\n${lines.join("\n")}\n};`;
}

function literal(value: number | bigint | Int32Array, hexadecimal: boolean): string {
  if (typeof value === "bigint") {
    return `INT64_C(${value})`; // far from the least one, which has no literal
  }
  if (typeof value !== "number") {
    return `{${Array.from(value, intLiteral).join(", ")}}`;
  }
  return hexadecimal ? `0x${value.toString(16).padStart(8, "0")}U` : intLiteral(value);
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
