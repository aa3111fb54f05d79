/** Line charts by uPlot, in the page's colours, as wide as there is room. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "../theme.js";

export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  /** For those who do not see it. */
  readonly label: string;
  /** Seconds since 1970, or any other number when `time` is false. */
  readonly x: readonly number[];
  readonly lines: readonly Line[];
  readonly time?: boolean;
  readonly unit?: string;
  readonly height?: number;
  readonly legend?: boolean;
}

export function Chart({ label, x, lines, time = true, unit = "", height = 180, legend = true }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const theme = useTheme();
  const names = lines.map((line) => line.name).join("\n");
  const data = [x, ...lines.map((line) => line.values)] as uPlot.AlignedData;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const style = getComputedStyle(element);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--muted"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    const made = new uPlot(
      {
        width: Math.max(120, element.clientWidth),
        height,
        legend: { show: legend, live: false },
        cursor: { drag: { x: false, y: false }, points: { size: 5 } },
        scales: { x: { time }, ...(time ? { y: { range: fromZero } } : {}) },
        axes: [
          {
            ...axis,
            space: 60,
            size: 30,
            ...(time ? { values: (_, ticks) => ticks.map(hourAndMinute) } : {}),
          },
          {
            ...axis,
            size: 58,
            space: 28,
            values: (_, ticks) => ticks.map((tick) => `${String(tick)}${unit}`),
          },
        ],
        series: [
          {},
          ...lines.map((line, i) => ({
            label: line.name,
            stroke: colour(`--series-${i % 6}`),
            width: 1.5,
            spanGaps: false,
            points: { show: lines.length <= 2 && line.values.filter((v) => v !== null).length < 12 },
          })),
        ],
      },
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [theme, names, height, unit]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [x, lines]);

  return <div ref={box} class="chart" role="img" aria-label={label} />;
}

const hourAndMinute = (seconds: number): string => new Date(seconds * 1000).toTimeString().slice(0, 5);

/** Latencies and rates are read against zero. */
const fromZero = (_: uPlot, _low: number | null, high: number | null): [number, number] => [
  0,
  (high ?? 0) > 0 ? (high ?? 0) * 1.1 : 1,
];
