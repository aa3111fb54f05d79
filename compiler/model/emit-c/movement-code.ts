/** C for layers that copy or reduce. The structs are in tmc/kernels.h. */
import type { Axis, Loop, Move, MoveLayer, ReduceLayer, ResizeLayer } from "../layers-movement.js";
import { structFields } from "./constants.js";
import type { LayerCode } from "./layer-code.js";
import type { Description, Field, LayerContext } from "./layer-fields.js";

/** A function that fills and copies; a copy without loops is a memcpy. `stem` is the layer's part of C names. */
export function moveCode(layer: MoveLayer, stem: string, { prefix, expression }: LayerContext): LayerCode {
  const name = `${prefix}_${stem}`;
  const to = expression(layer.output);
  const symbols = [name];
  const structs: string[] = [];
  const steps = layer.fill === undefined ? [] : [`memset(${to}, ${layer.fill}, ${layer.count});`];
  layer.moves.forEach((move, i) => {
    const from = expression(layer.inputs[move.input] ?? -1);
    if (move.loops.length === 0) {
      steps.push(`memcpy(${at(to, move.to)}, ${at(from, move.from)}, ${move.run});`);
      return;
    }
    const struct = `${name}_move${i}`;
    symbols.push(struct);
    structs.push(`static const tmc_move ${struct} = {\n${structFields(moveFields(move), "    ")}\n};\n`);
    steps.push(`tmc_move_s8(&${struct}, ${from}, ${to});`);
  });
  const body = steps.map((step) => `    ${step}`).join("\n");
  return {
    definition: [...structs, `static void ${name}(void) {\n${body}\n}`].join("\n"),
    call: `${name}();`,
    symbols,
  };
}

function at(pointer: string, offset: number): string {
  return offset === 0 ? pointer : `${pointer} + ${offset}`;
}

function moveFields({ from, to, run, loops }: Move): readonly Field[] {
  const inner = loops.at(-1) ?? { count: 1, from: 0, to: 0 };
  const outer = loops.slice(0, -1);
  return [
    ["from", from],
    ["to", to],
    ["run", run],
    ["inner", loopText(inner)],
    ["depth", outer.length],
    ...(outer.length === 0 ? [] : [["loops", `{${outer.map(loopText).join(", ")}}`] as const]),
  ];
}

function loopText({ count, from, to }: Loop): string {
  return `{${count}, ${from}, ${to}}`;
}

export function describeResize(layer: ResizeLayer, name: string, { constant }: LayerContext): Description {
  return {
    struct: "tmc_resize",
    kernel: "tmc_resize_s8",
    fields: [
      ["row_count", layer.rows.length],
      ["column_count", layer.columns.length],
      ["run", layer.run],
      ["rows", constant(`${name}_rows`, "int32_t", layer.rows)],
      ["columns", constant(`${name}_columns`, "int32_t", layer.columns)],
    ],
  };
}

const reduceKernels = { sum: "tmc_sum_s8", max: "tmc_reduce_max_s8", min: "tmc_reduce_min_s8" } as const;

export function describeReduce(layer: ReduceLayer): Description {
  return {
    struct: "tmc_reduce",
    kernel: reduceKernels[layer.reduce],
    fields: [
      ["kept", axesText(layer.kept)],
      ["reduced", axesText(layer.reduced)],
      ...(layer.reduce === "sum"
        ? ([
            ["total", layer.total],
            ["multiplier", layer.multiplier],
            ["shift", layer.shift],
            ["output_offset", layer.outputOffset],
          ] as const)
        : []),
    ],
  };
}

/** Three axes, the used ones last. */
function axesText(axes: readonly Axis[]): string {
  const all = [...Array.from({ length: 3 - axes.length }, () => ({ count: 1, step: 0 })), ...axes];
  return `{${all.map(({ count, step }) => `{${count}, ${step}}`).join(", ")}}`;
}
