/** The table of all keys in docs/node.md, made from the schema. Writing it is `npm run docs:operations`. */
import { z } from "zod";
import { nodeConfigSchema } from "./config.js";

export const nodePage = "docs/node.md";

const begin = "<!-- keys: made from host/node/config.ts by `npm run docs:operations`; not by hand -->";
const end = "<!-- end of keys -->";

interface Shape {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Shape[];
  readonly anyOf?: readonly Shape[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** The page with its table made anew. @throws Error when the page has no place for it. */
export function renderNodePage(current: string): string {
  const from = current.indexOf(begin);
  const to = current.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${nodePage} has no line ${begin}`);
  const shape = z.toJSONSchema(nodeConfigSchema, { io: "input" }) as Shape;
  const rows = rowsOf("", shape);
  const table = ["", "", "| key | type | default | |", "| --- | --- | --- | --- |", ...rows, "", ""];
  return current.slice(0, from + begin.length) + table.join("\n") + current.slice(to);
}

function rowsOf(path: string, shape: Shape): string[] {
  const variants = shape.oneOf ?? shape.anyOf;
  if (variants !== undefined)
    return variants.flatMap((variant) => rowsOf(`${path}${kindOf(variant)}`, variant));
  if (shape.properties !== undefined) {
    return Object.entries(shape.properties)
      .filter(([, member]) => member.const === undefined)
      .flatMap(([name, member]) => {
        const at = path === "" ? name : `${path}.${name}`;
        const mandatory = member.default === undefined && shape.required?.includes(name) === true;
        return isLeaf(member) ? [row(at, member, mandatory)] : rowsOf(at, member);
      });
  }
  return shape.items === undefined ? [row(path, shape, false)] : rowsOf(`${path}[]`, shape.items);
}

const isLeaf = (shape: Shape): boolean =>
  shape.properties === undefined &&
  shape.oneOf === undefined &&
  shape.anyOf === undefined &&
  (shape.items === undefined || isLeaf(shape.items));

/** ` (kind: redis)` for a variant that its key `kind` tells apart. */
function kindOf(variant: Shape): string {
  const kind = variant.properties?.["kind"]?.const;
  return kind === undefined ? "" : ` (${String(kind)})`;
}

function row(path: string, shape: Shape, mandatory: boolean): string {
  const fallback = mandatory
    ? "must be there"
    : shape.default === undefined
      ? ""
      : `\`${JSON.stringify(shape.default)}\``;
  return `| \`${path}\` | ${typeOf(shape)} | ${fallback} | ${(shape.description ?? "").replaceAll("|", "\\|")} |`;
}

function typeOf(shape: Shape): string {
  if (shape.enum !== undefined) return shape.enum.map(String).join(", ");
  if (shape.items !== undefined) return `list of ${typeOf(shape.items)}`;
  const { minimum, maximum } = shape;
  const bounded = maximum !== undefined && maximum < 2 ** 53 - 1;
  const range = bounded
    ? ` ${minimum ?? ""}..${maximum}`
    : minimum === undefined || minimum < -(2 ** 52)
      ? ""
      : ` >= ${minimum}`;
  return `${shape.type ?? "any"}${range}`;
}
