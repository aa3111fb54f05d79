/** The kinds of numbers, their interesting literals and their typed arrays. */

export const narrowKinds = ["i8", "u8", "i16", "u16"] as const;
export const integerKinds = [...narrowKinds, "i32", "u32"] as const;
export const kinds = [...integerKinds, "f32", "f64"] as const;
export type Kind = (typeof kinds)[number];

export const isFloat = (k: Kind): boolean => k === "f32" || k === "f64";
export const isNarrow = (k: Kind): boolean => (narrowKinds as readonly string[]).includes(k);
export const isKind = (type: string): type is Kind => (kinds as readonly string[]).includes(type);

/** Literals that are values of the kind, as they stand to the right of an operator. */
export const literals: Readonly<Record<Kind, readonly string[]>> = {
  i8: ["0", "1", "7", "127", "(-1)", "(-128)"],
  u8: ["0", "1", "7", "128", "255"],
  i16: ["0", "1", "9", "255", "32767", "(-1)", "(-32768)"],
  u16: ["0", "1", "9", "256", "65535"],
  i32: ["0", "1", "2", "3", "10", "255", "65536", "46341", "2147483647", "(-1)", "(-7)", "(-2147483648)"],
  u32: ["0", "1", "2", "10", "255", "65537", "2147483647", "2147483648", "4294967295"],
  f32: ["0", "1", "0.5", "1.5", "0.1", "3", "1e10", "1e-10", "16777217", "3e38", "1e-45", "(-2.25)", "(-1)"],
  f64: [
    "0",
    "1",
    "0.5",
    "0.1",
    "1e-9",
    "3e9",
    "4294967296",
    "1e300",
    "5e-324",
    "9007199254740993",
    "(-0.0)",
    "(-2.5)",
  ],
};

export const nonZeroLiterals = (k: Kind): readonly string[] =>
  literals[k].filter((x) => Number(x.replace(/[()]/g, "")) !== 0);

export const typedArrays: Readonly<Record<Kind, string>> = {
  i8: "Int8Array",
  u8: "Uint8Array",
  i16: "Int16Array",
  u16: "Uint16Array",
  i32: "Int32Array",
  u32: "Uint32Array",
  f32: "Float32Array",
  f64: "Float64Array",
};
