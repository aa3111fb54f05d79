// Every compound assignment on locals, globals, elements and fields, with its value.
class Fields {
  i: i32 = 10;
  u: u32 = 10;
  b: u8 = 10;
  f: f32 = 10;
  d: f64 = 10;
  t: boolean = true;
}
const o = new Fields();
const ints = new Int32Array([10, 20]);
const shorts = new Int16Array([30000, -30000]);
const singles = new Float32Array([0.1, 10]);
let g: i32 = 10;

export function main(): void {
  log((g += 5), (g -= 3), (g *= 7), (g %= 50), (g <<= 2), (g >>= 1), (g &= 60), (g |= 3), (g ^= 9));
  log((o.i += 5), (o.i -= 3), (o.i *= 7), (o.i %= 50), (o.i <<= 2), (o.i >>= 1), (o.i &= 60), (o.i |= 3), (o.i ^= 9));
  log((o.u += 5), (o.u -= 3), (o.u *= 7), (o.u %= 50), (o.u <<= 2), (o.u >>>= 1), (o.u &= 60), (o.u |= 3), (o.u ^= 9));
  log((o.b += 250), (o.b -= 10), (o.b *= 2), (o.b <<= 3), (o.b >>= 2), o.b++, ++o.b, o.b--, --o.b);
  log((o.f += 0.1), (o.f -= 3), (o.f *= 7), (o.f /= 3), (o.f %= 2), o.f++, ++o.f);
  log((o.d += 0.1), (o.d -= 3), (o.d *= 7), (o.d /= 3), (o.d %= 2), o.d--, --o.d);
  log((ints[0] += 5), (ints[1] <<= 27), (ints[0] >>>= 1), ints[0]++, --ints[1]);
  log((shorts[0] += 5000), (shorts[1] *= 2), ++shorts[0], shorts[1]--, shorts[1]);
  log((singles[0] += 0.2), (singles[1] /= 3), (singles[1] *= singles[1]));
  let x = 100;
  x = Math.trunc(x / 7);
  x += x += 1;
  log(x);
  let y: i32, z: i32;
  y = z = x - 1;
  log(y, z);
}
