// The names of unions-in-modules.ts, with other fields.
interface Left {
  kind: "left";
  wide: f32;
}
interface Right {
  kind: "right";
  far: u8;
  name: string;
}
export const other: (Left | Right)[] = [
  { kind: "right", far: 200, name: "far" },
  { kind: "left", wide: 0.5 },
];

export function describe(o: Left | Right): f32 {
  return o.kind === "left" ? o.wide : f32(o.far);
}
