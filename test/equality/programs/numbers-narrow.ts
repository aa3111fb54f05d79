// Narrow integers widen to i32 in arithmetic; stores, ++, -- and compound assignment come back with the low bits.
// modes: unchecked
export function main(): void {
  let a: u8 = 200;
  const b: u8 = 100;
  log("u8", a + b, a * b, b - a, -a, a - 201);
  a += b;
  log("u8 +=", a);
  a -= 45;
  log("u8 -=", a);
  a *= 3;
  log("u8 *=", a);
  a = 255;
  a++;
  log("u8 ++", a);
  a--;
  log("u8 --", a);
  a <<= 1;
  log("u8 <<=", a);

  let c: i8 = 127;
  c++;
  log("i8 ++", c);
  c--;
  log("i8 --", c);
  c += 1;
  log("i8 +=", c, -c, c * c);
  c >>= 1;
  log("i8 >>=", c);
  c >>>= 1;
  log("i8 >>>=", c);

  let d: u16 = 65535;
  d += 2;
  log("u16 +=", d);
  d -= 2;
  log("u16 -=", d, d * d);
  let e: i16 = 32767;
  e++;
  log("i16 ++", e);
  e -= 1;
  log("i16 -=", e, e * e, e + e);
  e *= e;
  log("i16 *=", e);
  e %= 7;
  log("i16 %=", e);

  const old = a++;
  log("postfix", old, a, a++, ++a, a--, --a);
  let f: u8 = 3;
  f = u8(f - 10);
  log("u8(-7)", f);
}
