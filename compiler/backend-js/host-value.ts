/** Checks that a value computed by setup is a value of its declared type: no rounding, no lost bits. */
import { UserError } from "../diagnostics/user-error.js";
import { bigIn, constantIn, isBig, typeName, type Type } from "../ir/types.js";

export function checkHostValue(value: unknown, type: Type, where: string): unknown {
  if (!accepts(value, type)) {
    throw new UserError(
      "TMC2001",
      `${where}: setup computed ${describe(value)}, which is not a value of \`${typeName(type)}\``,
      type.k === "num" ? `convert it where it is computed: \`${type.n}(…)\`` : "check the expression",
    );
  }
  return value;
}

function accepts(value: unknown, type: Type): boolean {
  switch (type.k) {
    case "num":
      if (isBig(type.n)) return typeof value === "bigint" && bigIn(value, type.n);
      return (
        typeof value === "number" &&
        Object.is(constantIn(value, type.n), type.n === "f32" || type.n === "f64" ? value : value + 0)
      );
    case "bool":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && !/[^\u0000-\u00ff]/.test(value);
    case "literals":
      return typeof value === "string" && type.values.includes(value);
    case "nullable":
      return value === null || value === undefined || accepts(value, type.of);
    case "array":
      if (Array.isArray(value)) return !type.typed && value.every((v) => accepts(v, type.elem));
      return ArrayBuffer.isView(value);
    case "func":
      return typeof value === "function";
    case "object":
    case "slots":
      return typeof value === "object" && value !== null;
    default:
      return true;
  }
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "an array with other elements" : "an object";
}
