/** Small directed acyclic graphs from left to right: steps of a workflow, descent of models. */
import type { ComponentChildren } from "preact";

export interface Vertex {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** Class of its box. */
  readonly tone: string;
  /** Ids of those it comes after. */
  readonly after: readonly string[];
}

const boxWidth = 148;
const boxHeight = 44;
const gapX = 44;
const gapY = 16;

/** The column of each: behind all it comes after. Unknown and circular names do not count. */
export function columnsOf(vertices: readonly Vertex[]): Map<string, number> {
  const columns = new Map<string, number>();
  const known = new Map(vertices.map((vertex) => [vertex.id, vertex]));
  const columnOf = (id: string, seen: ReadonlySet<string>): number => {
    const found = columns.get(id);
    if (found !== undefined) return found;
    const before = (known.get(id)?.after ?? []).filter((each) => known.has(each) && !seen.has(each));
    const column = before.reduce(
      (most, each) => Math.max(most, columnOf(each, new Set([...seen, id])) + 1),
      0,
    );
    columns.set(id, column);
    return column;
  };
  for (const { id } of vertices) columnOf(id, new Set([id]));
  return columns;
}

export function Graph({
  label,
  vertices,
  children,
}: {
  label: string;
  vertices: readonly Vertex[];
  children?: ComponentChildren;
}) {
  const columns = columnsOf(vertices);
  const rows = new Map<number, number>();
  const places = new Map(
    vertices.map((vertex) => {
      const column = columns.get(vertex.id) ?? 0;
      const row = rows.get(column) ?? 0;
      rows.set(column, row + 1);
      return [vertex.id, { x: column * (boxWidth + gapX) + 1, y: row * (boxHeight + gapY) + 1 }];
    }),
  );
  const width = Math.max(1, rows.size) * (boxWidth + gapX) - gapX + 2;
  const height = Math.max(1, ...rows.values()) * (boxHeight + gapY) - gapY + 2;
  const text = vertices.map(
    ({ title, note, after }) => `${title}: ${note}${after.length === 0 ? "" : `, after ${after.join(", ")}`}`,
  );
  return (
    <div class="graph-box" tabIndex={0} role="region" aria-label={label}>
      <svg
        class="graph"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={text.join("; ")}
      >
        {vertices.flatMap(({ id, after }) =>
          after.map((from) => {
            const a = places.get(from);
            const b = places.get(id);
            if (a === undefined || b === undefined) return null;
            const x1 = a.x + boxWidth;
            const y1 = a.y + boxHeight / 2;
            const y2 = b.y + boxHeight / 2;
            const bend = (b.x - x1) / 2;
            return (
              <path
                key={`${from}>${id}`}
                d={`M${x1} ${y1}C${x1 + bend} ${y1} ${b.x - bend} ${y2} ${b.x} ${y2}`}
              />
            );
          }),
        )}
        {vertices.map(({ id, title, note, tone }) => {
          const { x, y } = places.get(id) ?? { x: 0, y: 0 };
          return (
            <g key={id} class={`vertex ${tone}`}>
              <rect x={x} y={y} width={boxWidth} height={boxHeight} rx="6" />
              <text x={x + 10} y={y + 18}>
                {cut(title, 20)}
              </text>
              <text x={x + 10} y={y + 34} class="note">
                {cut(note, 24)}
              </text>
            </g>
          );
        })}
      </svg>
      {children}
    </div>
  );
}

const cut = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
