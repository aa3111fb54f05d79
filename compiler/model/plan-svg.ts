/**
 * The memory plan as a picture: operators from left to right, addresses from bottom to top, one rectangle for each
 * tensor and scratch memory. One file without scripts or fonts; legible on light and dark backgrounds.
 */
import type { PlanHolder, PlanReport } from "./plan-report.js";

const LEFT = 72;
const TOP = 58;
const COLUMN = 36;
const PLOT_HEIGHT = 380;
const LABELS = 120;
/** About the width of a character of the small font. */
const CHARACTER = 6;

const STYLE = `
  :root { color-scheme: light dark; }
  svg { font: 12px system-ui, sans-serif; }
  .ground { fill: #ffffff; } .text { fill: #1b1b1b; } .faint { fill: #5a5a5a; } .line { stroke: #b0b0b0; }
  .tensor { fill: #9ec5f4; } .input { fill: #a8dcb5; } .output { fill: #f3c98b; } .scratch { fill: #d9d9d9; }
  .box { stroke: #33475b; stroke-width: 0.8; fill-opacity: 0.85; } .peak { fill: #d33c3c; fill-opacity: 0.16; }
  .bound { stroke: #c02525; stroke-dasharray: 5 4; } .small { font-size: 10px; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #16191d; } .text { fill: #ececec; } .faint { fill: #a9b0b7; } .line { stroke: #4a5058; }
    .tensor { fill: #2f5f97; } .input { fill: #2f7145; } .output { fill: #93651f; } .scratch { fill: #565b61; }
    .box { stroke: #b9c6d3; } .peak { fill: #ff7b72; fill-opacity: 0.22; } .bound { stroke: #ff8f87; }
  }`;

/** A whole SVG document. */
export function renderPlanSvg(report: PlanReport): string {
  const { steps, arenaBytes, lowerBound, peak } = report;
  // One column before the first step, one after the last.
  const width = Math.max(560, LEFT + COLUMN * (steps.length + 2) + 20);
  const height = TOP + PLOT_HEIGHT + LABELS;
  const x = (at: number): number => LEFT + COLUMN * (at + 1);
  const y = (bytes: number): number =>
    round(TOP + PLOT_HEIGHT - (PLOT_HEIGHT * bytes) / Math.max(1, arenaBytes));
  const bytes = (count: number): string => `${count.toLocaleString("en-US")} bytes`;
  const title = `Memory plan of ${report.model}`;
  const verdict = report.optimal ? "the least possible" : `at least ${bytes(lowerBound)} are needed`;
  const peakName = steps[peak.step];
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t">`,
    `<title id="t">${escape(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="text" x="12" y="22" font-size="15">${escape(clip(title, width - 24))}</text>`,
    `<text class="faint" x="12" y="42">${escape(`arena ${bytes(arenaBytes)}, ${verdict}; the peak is ${peakName === undefined ? "at the model's edge" : `operator ${peakName.operator} (${peakName.kind})`}`)}</text>`,
    `<rect class="peak" x="${x(peak.step)}" y="${TOP}" width="${COLUMN}" height="${PLOT_HEIGHT}"><title>${escape(`the peak: ${bytes(peak.bytes)} at once`)}</title></rect>`,
  ];
  for (let tick = 0; tick <= 4; tick++) {
    const at = Math.round((arenaBytes * tick) / 4);
    lines.push(
      `<line class="line" x1="${LEFT}" x2="${x(steps.length + 1)}" y1="${y(at)}" y2="${y(at)}"/>`,
      `<text class="faint small" x="${LEFT - 6}" y="${y(at) + 4}" text-anchor="end">${at.toLocaleString("en-US")}</text>`,
    );
  }
  for (const holder of report.holders) {
    const left = x(holder.first);
    const top = y(holder.offset + holder.bytes);
    const wide = COLUMN * (holder.last - holder.first + 1);
    const high = round(Math.max(1, y(holder.offset) - top));
    lines.push(
      `<g><title>${escape(describe(holder, report))}</title>`,
      `<rect class="box ${holder.what}" x="${left}" y="${top}" width="${wide}" height="${high}"/>`,
    );
    if (high >= 12) {
      const label = clip(holder.what === "scratch" ? "scratch" : holder.name, wide - 6);
      lines.push(`<text class="text small" x="${left + 3}" y="${round(top + 10)}">${escape(label)}</text>`);
    }
    lines.push("</g>");
  }
  lines.push(
    `<line class="bound" x1="${LEFT}" x2="${x(steps.length + 1)}" y1="${y(lowerBound)}" y2="${y(lowerBound)}"><title>${escape(`lower bound: ${bytes(lowerBound)}`)}</title></line>`,
  );
  const labelled: (readonly [number, string])[] = [
    [-1, "inputs"],
    ...steps.map((step, at) => [at, `${step.operator} ${step.kind}`] as const),
    [steps.length, "outputs"],
  ];
  for (const [at, label] of labelled) {
    const cx = x(at) + COLUMN / 2;
    const cy = TOP + PLOT_HEIGHT + 14;
    lines.push(
      `<text class="text small" x="${cx}" y="${cy}" transform="rotate(40 ${cx} ${cy})">${escape(label)}</text>`,
    );
  }
  lines.push("</svg>", "");
  return lines.join("\n");
}

function describe(holder: PlanHolder, { steps }: PlanReport): string {
  const when = (at: number): string => {
    const step = steps[at];
    return at < 0
      ? "before the first operator"
      : step === undefined
        ? "the end"
        : `operator ${step.operator}`;
  };
  const name = holder.what === "scratch" ? holder.name : `${holder.what} ${holder.number}: ${holder.name}`;
  return `${name}; ${holder.bytes.toLocaleString("en-US")} bytes at ${holder.offset}; from ${when(holder.first)} to ${when(holder.last)}`;
}

function clip(text: string, width: number): string {
  const most = Math.max(0, Math.floor(width / CHARACTER));
  return text.length <= most ? text : most < 2 ? "" : `${text.slice(0, most - 1)}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text for XML content: markup escaped, characters that XML cannot hold replaced. */
function escape(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
