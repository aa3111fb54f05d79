// The f32 functions of the library against known values: within a few units in the last place.
import { atan2F32, atanF32, cosF32, expF32, log10F32, log2F32, logF32, powF32, sigmoidF32, sinF32, tanF32, tanhF32 } from "tmc";

/** Whether `x` is within 4 units in the last place of `exact`. */
function near(x: f32, exact: f64): boolean {
  const target = f32(exact);
  const distance = i32(f32Bits(x)) - i32(f32Bits(target));
  return Math.abs(distance) <= 4;
}

export function main(): void {
  log("exp", near(expF32(0), 1), near(expF32(1), Math.E), near(expF32(-1), 0.36787944117144233), near(expF32(10), 22026.465794806718));
  log("exp ends", expF32(89), expF32(-104), expF32(f32(Infinity)), expF32(f32(-Infinity)), expF32(f32(NaN)));
  log("log", logF32(1), near(logF32(10), 2.302585092994046), near(logF32(0.1), -2.3025850929940455), near(logF32(1e30), 69.07755278982137));
  log("log ends", logF32(0), logF32(-1), logF32(f32(Infinity)), logF32(f32(NaN)));
  log("sin", sinF32(0), near(sinF32(1), 0.8414709848078965), near(sinF32(-2), -0.9092974268256817), near(sinF32(100), -0.5063656411097588));
  log("cos", cosF32(0), near(cosF32(1), 0.5403023058681398), near(cosF32(3), -0.9899924966004454), near(cosF32(-100), 0.8623188722876839));
  log("sin ends", sinF32(f32(Infinity)), cosF32(f32(NaN)));
  log("tanh", tanhF32(0), near(tanhF32(0.5), 0.46211715726000973), near(tanhF32(-1), -0.7615941559557649), tanhF32(50), tanhF32(-50));
  log("tan", tanF32(0), near(tanF32(1), 1.5574077246549023), near(tanF32(-3), 0.1425465430742778), tanF32(f32(Infinity)));
  log("atan", atanF32(0), near(atanF32(1), 0.7853981633974483), near(atanF32(-50), -1.550798992821746));
  log("atan2", near(atan2F32(1, -1), 2.356194490192345), near(atan2F32(-2, 1), -1.1071487177940904), atan2F32(0, 1), near(atan2F32(0, -1), Math.PI));
  log("log2", log2F32(8), near(log2F32(10), 3.321928094887362), log2F32(0.25), log10F32(1000), near(log10F32(2), 0.3010299956639812));
  log("pow", powF32(2, 10), near(powF32(10, 0.5), 3.1622776601683795), near(powF32(0.5, 20), 9.5367431640625e-7), powF32(5, 0), powF32(-2, 3));
  log("sigmoid", sigmoidF32(0), near(sigmoidF32(2), 0.8807970779778823), sigmoidF32(100), sigmoidF32(f32(-Infinity)));
}
