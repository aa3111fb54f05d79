/**
 * The C function that gathers the inputs of a small convolution window as the fast kernel wants them (a column, see
 * runtime-c/kernels/conv_block.h): straight-line code for the layer's shape. For windows that lie inside the image.
 */
import type { WindowGeometry } from "../layers.js";

/** Inputs of the largest window that is worth the code (about 20 bytes for four inputs), with few channels and many. */
const MAX_INPUTS = { few: 96, many: 48 } as const;
const FEW_CHANNELS = 4;

/** The function's text; undefined for windows that are too large. `offsets`: minus the zero point, in both halves. */
export function gatherFunction(name: string, g: WindowGeometry, offsets: string): string | undefined {
  const inputs = windowInputs(g);
  if (inputs.length > (g.outputChannels <= FEW_CHANNELS ? MAX_INPUTS.few : MAX_INPUTS.many)) {
    return undefined;
  }
  const lines: string[] = [];
  for (let first = 0; first < inputs.length; first += 4) {
    const bytes = fourBytes(inputs.slice(first, first + 4));
    lines.push(`    tmc_k_column_four(column + ${(first / 4) * 6}, ${offsets}, ${bytes});`);
  }
  return [`static void ${name}(const int8_t *from, uint32_t *column) {`, ...lines, "}"].join("\n");
}

/** Where the inputs of a window are, in bytes from its first one. */
function windowInputs(g: WindowGeometry): number[] {
  const inputs: number[] = [];
  for (let y = 0; y < g.filterHeight; y++) {
    for (let x = 0; x < g.filterWidth; x++) {
      const at = (y * g.dilationHeight * g.inputWidth + x * g.dilationWidth) * g.inputChannels;
      inputs.push(...Array.from({ length: g.inputChannels }, (_, c) => at + c));
    }
  }
  return inputs;
}

/** An expression for the word of these bytes, the first one lowest. Above fewer than four it may have anything. */
function fourBytes(places: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < places.length;) {
    const at = places[i] ?? 0;
    let count = 1;
    while (i + count < places.length && places[i + count] === at + count) {
      count++;
    }
    const last = i + count === places.length;
    const value = last ? `tmc_k_load4(from + ${at})` : `tmc_k_load_part(from + ${at}, ${count})`;
    parts.push(i === 0 ? value : `${value} << ${8 * i}`);
    i += count;
  }
  return parts.join(" | ");
}
