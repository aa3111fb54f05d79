// Interfaces: object literals, one and several implementers, optional fields, methods, readonly, extends.
interface Sensor {
  readonly name: string;
  read(): i32;
}
class Constant implements Sensor {
  constructor(
    readonly name: string,
    private readonly value: i32,
  ) {}
  read(): i32 {
    return this.value;
  }
}
class Ramp implements Sensor {
  readonly name: string = "ramp";
  private n: i32 = 0;
  read(): i32 {
    return this.n++;
  }
}
interface Sink {
  put(n: i32): void;
  total: i32;
}
class OnlySink implements Sink {
  total: i32 = 0;
  put(n: i32): void {
    this.total += n;
  }
}
interface Options {
  readonly rate: i32;
  readonly label?: string;
  gain?: f32;
}
interface Named {
  id: i32;
}
interface Extended extends Named {
  extra: string;
}
interface Callbacks {
  readonly scale: (x: i32) => i32;
}

const sensors: Sensor[] = [new Constant("c1", 41), new Ramp(), new Constant("c2", -1)];
const sink: Sink = new OnlySink();
const plain: Options = { rate: 100 };
const full: Options = { rate: 200, label: "fast", gain: 0.5 };
const extended: Extended = { id: 3, extra: "more" };
const base: Named = extended;
const callbacks: Callbacks = { scale: (x) => x * 3 };

function describe(o: Options): string {
  return o.label === undefined ? "unnamed" : o.label;
}
function total(list: Sensor[], times: i32): i32 {
  let sum = 0;
  for (let i = 0; i < times; i++) for (const s of list) sum += s.read();
  return sum;
}

export function main(): void {
  for (const s of sensors) log(s.name, s.read());
  log(total(sensors, 3));
  for (let i = 0; i < 4; i++) sink.put(i * i);
  log(sink.total);
  log(describe(plain), describe(full), plain.label === null, full.gain !== null);
  plain.gain = 2.5;
  log(plain.gain, plain.rate + full.rate);
  base.id = 77;
  log(extended.id, extended.extra, base === extended);
  const local: Options = { rate: 1, gain: 1.5 };
  log(local.rate, local.gain === undefined ? -1 : local.gain, describe(local), describe({ rate: 5, label: "inline" }));
  log(callbacks.scale(14));
}
