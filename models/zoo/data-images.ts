/** Synthetic images of the zoo: outlines of figures, figures in colours, and digits. Deterministic like `data-waves.ts`. */
import type { Random } from "../vibration/random.js";
import type { MakeSample } from "./data-waves.js";

export const figureLabels = ["circle", "square", "triangle", "cross"] as const;
export const figureSize = 16;

/** How deep (x, y) lies inside the outline of a figure: about 1 on the line, 0 far from it. */
function outline(figure: number, x: number, y: number, radius: number): number {
  const line = (distance: number): number => Math.exp(-((distance / 0.9) ** 2));
  const ax = Math.abs(x);
  const ay = Math.abs(y);
  switch (figure) {
    case 0:
      return line(Math.hypot(x, y) - radius);
    case 1:
      return line(Math.max(ax, ay) - 0.85 * radius);
    case 2:
      // Three lines at 120 degrees.
      return line(Math.max(y, -0.5 * y + 0.866 * x, -0.5 * y - 0.866 * x) - 0.6 * radius);
    default:
      return Math.max(ax, ay) > radius ? 0 : line(Math.min(Math.abs(x - y), Math.abs(x + y)) / 1.414);
  }
}

interface Pose {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly cos: number;
  readonly sin: number;
}

function randomPose(random: Random, height: number, width: number, tilt: number): Pose {
  const radius = random.uniform(3.5, 6);
  const angle = random.uniform(-tilt, tilt);
  return {
    x: random.uniform(radius, width - radius),
    y: random.uniform(radius, height - radius),
    radius,
    cos: Math.cos(angle),
    sin: Math.sin(angle),
  };
}

function figureAt(figure: number, pose: Pose, row: number, column: number): number {
  const dx = column + 0.5 - pose.x;
  const dy = row + 0.5 - pose.y;
  return outline(figure, pose.cos * dx - pose.sin * dy, pose.sin * dx + pose.cos * dy, pose.radius);
}

/** Outlines of figures, [16, 16, 1], anywhere, somewhat turned, bright or dark, with noise. */
export const makeFigure: MakeSample = (random, index) => {
  const target = index % figureLabels.length;
  const pose = randomPose(random, figureSize, figureSize, 0.35);
  const bright = random.uniform(0.5, 1);
  const ground = random.uniform(0, 0.3);
  const input = new Float32Array(figureSize * figureSize);
  for (let i = 0; i < input.length; i++) {
    const value = figureAt(target, pose, Math.floor(i / figureSize), i % figureSize);
    input[i] = ground + bright * value + 0.06 * random.normal();
  }
  return { input, target };
};

export const sceneLabels = [
  "red circle",
  "red square",
  "green circle",
  "green square",
  "blue cross",
] as const;
export const sceneHeight = 15;
export const sceneWidth = 17;

/** Figures in colours, [15, 17, 3], on a ground of another colour. */
export const makeScene: MakeSample = (random, index) => {
  const target = index % sceneLabels.length;
  const figure = target === 4 ? 3 : target % 2;
  const channel = target >> 1;
  const pose = randomPose(random, sceneHeight, sceneWidth, 0.2);
  const ground = [random.uniform(0, 0.25), random.uniform(0, 0.25), random.uniform(0, 0.25)];
  const bright = random.uniform(0.8, 1.2);
  const input = new Float32Array(sceneHeight * sceneWidth * 3);
  for (let p = 0; p < sceneHeight * sceneWidth; p++) {
    const value = figureAt(figure, pose, Math.floor(p / sceneWidth), p % sceneWidth);
    for (let c = 0; c < 3; c++) {
      const paint = c === channel ? bright : 0.05;
      input[p * 3 + c] = (ground[c] ?? 0) * (1 - value) + paint * value + 0.04 * random.normal();
    }
  }
  return { input, target };
};

export const digitLabels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;
export const digitHeight = 14;
export const digitWidth = 12;

/** 5 x 7 dots, a row per text. */
const glyphs: readonly (readonly string[])[] = [
  [".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###."],
  ["..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."],
  [".###.", "#...#", "....#", "..##.", ".#...", "#....", "#####"],
  [".###.", "#...#", "....#", "..##.", "....#", "#...#", ".###."],
  ["...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."],
  ["#####", "#....", "####.", "....#", "....#", "#...#", ".###."],
  [".###.", "#....", "#....", "####.", "#...#", "#...#", ".###."],
  ["#####", "....#", "...#.", "..#..", "..#..", ".#...", ".#..."],
  [".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."],
  [".###.", "#...#", "#...#", ".####", "....#", "....#", ".###."],
];

/** Digits of a dot font, [14, 12, 1]: moved, stretched, slanted, smeared, with noise. */
export const makeDigit: MakeSample = (random, index) => {
  const target = index % digitLabels.length;
  const glyph = glyphs[target] ?? [];
  const pitchX = random.uniform(1.5, 1.9);
  const pitchY = random.uniform(1.4, 1.8);
  const left = random.uniform(0.8, digitWidth - 5 * pitchX - 0.3);
  const top = random.uniform(0.5, digitHeight - 7 * pitchY - 0.3);
  const slant = random.uniform(-0.15, 0.15);
  const smear = random.uniform(0.7, 1);
  const ink = random.uniform(0.6, 1);
  const input = new Float32Array(digitHeight * digitWidth);
  for (let p = 0; p < input.length; p++) {
    const y = Math.floor(p / digitWidth) + 0.5 - top;
    const x = (p % digitWidth) + 0.5 - left + slant * (y - 6);
    let value = 0;
    glyph.forEach((row, r) => {
      for (let c = 0; c < row.length; c++) {
        if (row[c] === "#") {
          const distance =
            ((x - (c + 0.5) * pitchX) / pitchX) ** 2 + ((y - (r + 0.5) * pitchY) / pitchY) ** 2;
          value = Math.max(value, Math.exp(-distance / (0.36 * smear)));
        }
      }
    });
    input[p] = ink * value + 0.08 * random.normal();
  }
  return { input, target };
};
