/** `tmc function build --board`: the source of a function → an image for the slots of a board. It writes no files. */
import { asTrap } from "../backend-js/support.js";
import type { Board } from "../board/board.js";
import { ExitCode, UserError } from "../diagnostics/user-error.js";
import type { CompileResult } from "../pipeline/compile.js";
import { requireInputAlone } from "./build-function.js";
import { compileFunction, type FunctionSource } from "./compile-function.js";
import { bytesOfNumbers, dataText } from "./describe.js";
import { encodeImage, type FunctionImage } from "./image.js";
import { linkImage, machineOf } from "./link-image.js";
import { manifestSchema, rowBytes, type FunctionData } from "./manifest.js";

export interface BuildImageOptions extends FunctionSource {
  readonly board: Board;
  /** In place of what the source says. */
  readonly name?: string;
  readonly version?: string;
  readonly timeUs?: number;
  /** Input of the self-test, raw bytes; default: a pattern of small numbers. */
  readonly golden?: Uint8Array;
  readonly cacheDir?: string;
}

export interface ImageBuild {
  readonly bytes: Uint8Array;
  readonly image: FunctionImage;
  /** `file:line:col` of the sites of traps, the first is site 1. */
  readonly sites: readonly string[];
  /** Calls it once on Node.js. @throws TmcTrap */
  readonly call: (input: Uint8Array) => Uint8Array;
}

/**
 * The image; undefined, with the diagnostics, when the source has errors.
 * @throws UserError TMC6301 (not one function), TMC6302 (needs what no node offers), TMC6303 (name or version), TMC6310
 * (no slots), TMC6311 (does not fit), TMC6312 (self-test), TMC6313 (stack), TMC4003, TMC4013, TMC4090.
 */
export async function buildImage(options: BuildImageOptions): Promise<{
  readonly build: ImageBuild | undefined;
  readonly diagnostics: CompileResult["diagnostics"];
}> {
  const { board } = options;
  const machine = machineOf(board);
  const room = board.functions;
  if (machine === undefined || room === undefined) {
    throw new UserError(
      "TMC6310",
      `board ${board.name} runs no function images: they are for slots in the flash of Cortex-M boards`,
      "build a bundle for complete nodes (without --board), or build the function into the node",
      ExitCode.usage,
    );
  }
  const result = compileFunction(options);
  if (!result.ok) return { build: undefined, diagnostics: result.diagnostics };
  const { compiled, description, call, diagnostics } = result;
  requireInputAlone(compiled);
  const { input, output } = description;
  const name = options.name ?? description.name;
  const version = options.version ?? description.version;
  requireNames(name, version);
  const sites = compiled.c.sites.map((s) => `${s.file}:${s.line}:${s.col}`);
  const golden = goldenOf(options.golden ?? pattern(input), input, call, options.golden === undefined);
  const { machineCode, stack } = await linkImage({
    compiled,
    board,
    ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
  });
  const image: FunctionImage = {
    ...machineCode,
    machine,
    name,
    version,
    input,
    output,
    stack,
    timeUs: options.timeUs,
    golden,
  };
  const bytes = encodeImage(image);
  const needs = [
    ["flash", bytes.length, room.flash],
    ["RAM", image.ram, room.ram],
    ["stack", stack, room.stack],
    ["output", output.bytes, room.output],
  ] as const;
  const over = needs.filter(([, used, most]) => used > most);
  if (over.length > 0) {
    throw new UserError(
      "TMC6311",
      `the function does not fit a slot of ${board.name}: ${over.map(([what, used, most]) => `${what}: ${used} bytes of ${most}`).join("; ")}`,
      "lower `most` or the shape, or do with less code; or build the function into the node",
    );
  }
  return { build: { bytes, image, sites, call }, diagnostics };
}

function requireNames(name: string, version: string): void {
  const { shape } = manifestSchema;
  if (shape.name.safeParse(name).success && shape.version.safeParse(version).success) return;
  throw new UserError(
    "TMC6303",
    `the function cannot be called ${name}@${version}`,
    "names are 1-32 characters of a-z 0-9 . _ -, versions of 0-9 A-Z a-z . + _ -",
  );
}

/** Small numbers of both signs, up to 16 rows. */
function pattern(input: FunctionData): Uint8Array {
  const row = rowBytes(input);
  const bytes = input.shape[0] === -1 ? Math.min(input.bytes, 16 * row) : input.bytes;
  const width = bytesOfNumbers(input.elementType, [0]).length;
  const wide = input.elementType >= 6;
  return bytesOfNumbers(
    input.elementType,
    Array.from({ length: bytes / width }, (_, i) => ((i * 37) % 101) - 50).map((n) => (wide ? n / 32 : n)),
  );
}

function goldenOf(
  input: Uint8Array,
  data: FunctionData,
  call: (input: Uint8Array) => Uint8Array,
  isPattern: boolean,
): FunctionImage["golden"] {
  const fits =
    data.shape[0] === -1
      ? input.length % rowBytes(data) === 0 && input.length <= data.bytes
      : input.length === data.bytes;
  const refuse = (why: string): UserError =>
    new UserError("TMC6312", why, "give an input that the function takes: --golden FILE (raw bytes)");
  if (!fits)
    throw refuse(`the self-test's input has ${input.length} bytes; the function takes ${dataText(data)}`);
  try {
    return { input, output: call(input) };
  } catch (error) {
    const trap = asTrap(error);
    if (trap === undefined) throw error;
    const what = trap.text === "" ? trap.kind : `${trap.kind}: ${trap.text}`;
    throw refuse(
      `the self-test's input${isPattern ? ", a pattern of small numbers," : ""} ends in a trap (${what}) at ${trap.where}`,
    );
  }
}
