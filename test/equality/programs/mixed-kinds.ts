// Operands of different kinds: which kind the result has shows in how it wraps, divides and prints.
const i8v: i8 = -100;
const u8v: u8 = 200;
const i16v: i16 = -30000;
const u16v: u16 = 60000;
const i32v: i32 = -2000000000;
const u32v: u32 = 4000000000;
const f32v: f32 = 0.1;
const f64v: f64 = 0.1;

export function main(): void {
  log(i8v + u8v, i8v * u16v, u16v * u16v, i16v * u16v, u8v - i8v);
  log(i32v + i8v, i32v - u16v, i32v + i32v, i32v * u8v);
  log(u32v + u8v, u32v * u16v, u8v - u32v, u32v % u8v, u32v ^ u16v);
  log(f32v * u8v, f32v + i16v, u16v / f32v, i8v - f32v, f32v * f32v);
  log(f64v * i32v, f64v + u32v, f64v * f32v, f32v + f64v, i8v / f64v);
  log(u8v & i8v, u16v | i16v, i32v & u8v, u8v << 24, i8v >>> 24);
  log(u8v < i8v, u16v > i32v, u32v > u8v, f32v < f64v, f32v === f64v, i16v < f32v);
  const t = u8v > 100;
  log(t ? u8v : i8v, t ? i16v : i32v, t ? f32v : f64v, t ? u8v : f32v);
  log(Math.max(u8v, i8v), Math.min(u16v, i32v), Math.max(f32v, u8v), Math.min(f32v, f64v));
  log(-u8v, ~u16v, -i16v, -f32v, ~u32v);
  let sum: f32 = 0;
  sum += u8v;
  sum *= i16v;
  log(sum);
  let wide: f64 = 0;
  wide += u32v;
  wide -= f32v;
  log(wide);
  let big: i32 = u16v;
  big += i8v;
  big *= u8v;
  log(big);
}
