/**
 * What a function bundle says of itself, as its signature covers it, and the limits of all bundles. The bytes are
 * deterministic CBOR; whatever breaks the schema is no manifest.
 */
import { z } from "zod";

/** Of the way that code and host talk: exports, imports, memory. */
export const functionAbi = 1;

/** Bytes of a whole bundle, of its code, of one input or output. */
export const bundleLimits = {
  bundle: 4 * 1024 * 1024,
  code: 3 * 1024 * 1024,
  data: 1024 * 1024,
  /** Elements of a table of functions. */
  table: 65_536,
} as const;

/** Functions that code of ABI 1 may import from module "tmc". */
export const functionImports = ["log", "trap"] as const;

/** Bytes of one element, by element type of the protocol. */
export const elementBytes: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 8];

const whole = z.number().int().min(0);
const dimension = z.number().int().min(1).max(0x7fffffff);

/** A descriptor of the protocol, as far as functions state it. */
const data = z
  .strictObject({
    elementType: z.number().int().min(0).max(7),
    /** The first may be -1: any number of rows. */
    shape: z.tuple([z.union([z.literal(-1), dimension])], dimension).refine((shape) => shape.length <= 6),
    rate: z.number().positive().optional(),
    unit: z.string().min(1).max(15).optional(),
    scale: z.number().positive().optional(),
    zeroPoint: z.number().int().optional(),
    /** Bytes of the largest: of the whole when the shape is fixed. */
    bytes: z.number().int().min(1).max(bundleLimits.data),
  })
  .refine((d) => {
    const row = d.shape.slice(1).reduce((product, size) => product * size, elementBytes[d.elementType] ?? 1);
    return d.shape[0] === -1 ? d.bytes % row === 0 : d.bytes === row * d.shape[0];
  }, "bytes do not match the shape");

export const manifestSchema = z.strictObject({
  abi: z.literal(functionAbi),
  /** worker: an ES module without a sandbox, for nodes that allow it. */
  kind: z.enum(["wasm", "worker"]),
  name: z.string().regex(/^[a-z0-9._-]{1,32}$/),
  version: z.string().regex(/^[0-9A-Za-z.+_-]{1,32}$/),
  input: data,
  output: data,
  bounds: z.strictObject({
    /** Bytes: of code and constants; of memory, which is all there is; of stack, inside memory. */
    flash: whole.max(bundleLimits.code),
    ram: whole,
    stack: whole,
    /** Microseconds that a call may take; absent: until the caller's deadline. */
    timeUs: z.number().int().min(1).max(3_600_000_000).optional(),
  }),
  imports: z.array(z.string().regex(/^[a-z0-9_]{1,32}$/)).max(16),
  /** Of the code: SHA-256, hexadecimal. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** `file:line:col` of the sites of traps, the first is site 1. */
  sites: z.array(z.string().max(200)).max(10_000),
});

export type FunctionManifest = z.infer<typeof manifestSchema>;
export type FunctionData = FunctionManifest["input"];

/** Bytes of one row of the data. */
export function rowBytes(of: FunctionData): number {
  return of.shape.slice(1).reduce((product, size) => product * size, elementBytes[of.elementType] ?? 1);
}
