/** C for a chain of layers in bands of rows: each layer of each band as usual, and one function that calls all in order. */
import type { Layer } from "../layers.js";
import type { BandStep, RowBands } from "../passes/row-bands.js";
import { layerCode, type LayerCode } from "./layer-code.js";
import type { ModelContext } from "./layer-fields.js";

/** `whole` stands for the chain in the memory plan: its input, its output, its scratch memory. */
export function bandsCode(bands: RowBands, whole: Layer, context: ModelContext): LayerCode {
  const name = `${context.prefix}_op${String(whole.operator).padStart(2, "0")}_bands`;
  const codes = bands.bands.flatMap((steps, band) =>
    steps.map((step, j) =>
      layerCode(step.layer, step.kernel, bandContext(bands, whole, context, band, step, j)),
    ),
  );
  return {
    definition: [
      ...codes.map(({ definition }) => definition),
      `static void ${name}(void) {\n${codes.map(({ call }) => `    ${call}`).join("\n")}\n}`,
    ].join("\n\n"),
    call: `${name}();`,
    symbols: [name, ...codes.flatMap(({ symbols }) => symbols)],
  };
}

/** Where layer `j` of a band finds its rows. */
function bandContext(
  bands: RowBands,
  whole: Layer,
  context: ModelContext,
  band: number,
  { layer, inputRow, outputRow }: BandStep,
  j: number,
): ModelContext {
  const g = layer.geometry;
  const last = j === bands.rowOffsets.length;
  const inside = (offset: number): string => `(int8_t *)${context.scratch(whole.operator)} + ${offset}`;
  const input =
    j === 0
      ? `${context.expression(layer.input)} + ${inputRow * g.inputWidth * g.inputChannels}`
      : inside(bands.rowOffsets[j - 1] ?? 0);
  const output = last
    ? `${context.expression(layer.output)} + ${outputRow * g.outputWidth * g.outputChannels}`
    : inside(bands.rowOffsets[j] ?? 0);
  return {
    prefix: `${context.prefix}_band${band}`,
    expression: (tensor) => (tensor === layer.output ? output : input),
    scratch: () => `${context.scratch(whole.operator)} + ${(bands.scratchOffsets[j] ?? 0) / 4}`,
    // Bands of one layer share its weights: equal data is declared once.
    constant: (own, type, data, reads) => context.constant(`band${band}_${own}`, type, data, reads),
  };
}
