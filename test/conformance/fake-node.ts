/**
 * A small node in TypeScript that keeps the rules of the bus, or breaks exactly one of them: what the kit is tested
 * with. It shares the kit's CBOR library and nothing else with it.
 */
import { connectAsync, type MqttClient } from "mqtt";
import { infer, inferred, input, output } from "./fake-model.js";
import { checkTypes, read } from "./fake-reading.js";
import { Refusal, type Is, type Reply } from "./fake-refusal.js";
import { channels, checkWork, collected } from "./fake-sensor.js";
import { encodeCbor, map, type CborMap } from "./wire.js";

export interface FakeOptions {
  readonly url: string;
  readonly id: string;
  readonly server: string;
  /** Name of the rule to break, as `faults` of the test lists them. */
  readonly fault?: string;
}

const maxMsg = 1024;
const room = 4;
interface Job {
  readonly key: string;
  readonly request: CborMap;
  readonly priority: number;
  readonly arrivedAt: number;
  timer: NodeJS.Timeout | undefined;
}

export class FakeNode {
  private mqtt: MqttClient | undefined;
  private boot = 1;
  private settings = new Map<string, number>([["telemetry.interval", 0]]);
  private readonly answered = new Map<string, Uint8Array>();
  private jobs: Job[] = [];
  private running: Job | undefined;
  private telemetry: NodeJS.Timeout | undefined;
  private events = 0;
  private readonly counts: number[] = [0, 0, 0, 0, 0, 0, 0, 0];
  private readonly errors = new Map<number, number>();

  constructor(private readonly options: FakeOptions) {}

  private readonly is: Is = (fault) => this.options.fault === fault;

  private topic(kind: string): string {
    return `t1/${this.options.server}/${this.options.id}/${kind}`;
  }

  async start(): Promise<void> {
    const boot = this.is("will boot") ? this.boot + 7 : this.boot;
    const will = map({
      0: 1,
      1: this.options.id,
      2: boot,
      3: false,
      ...(this.is("will keys") ? { 4: 1 } : {}),
    });
    const mqtt = await connectAsync(this.options.url, {
      clientId: this.is("client id") ? "somebody" : this.options.id,
      protocolVersion: 4,
      reconnectPeriod: 30,
      will: this.is("no will")
        ? undefined
        : { topic: this.topic("s"), payload: Buffer.from(encodeCbor(will)), qos: 1, retain: true },
    });
    this.mqtt = mqtt;
    mqtt.on("error", () => undefined);
    mqtt.on("message", (_, payload, { qos }) => {
      if (this.is("qos 0 ignored") && qos === 0) return;
      this.receive(payload);
    });
    if (this.is("birth not retained")) setInterval(() => this.publish("b", this.birth()), 200).unref();
    let connects = 0;
    const announce = (): void => {
      if (connects++ > 0 && this.is("announce once")) return;
      void mqtt.subscribe(
        this.is("unknown topic") ? [this.topic("x/#"), this.topic("z")] : this.topic("x"),
        { qos: 1 },
        () => {
          this.publish("b", this.birth(), !this.is("birth not retained"));
          this.publish("s", this.state(), true);
        },
      );
    };
    announce();
    mqtt.on("connect", announce);
  }

  /** Ends as a crash does. */
  async kill(): Promise<void> {
    clearInterval(this.telemetry);
    for (const job of this.jobs) clearTimeout(job.timer);
    this.jobs = [];
    this.running = undefined;
    this.mqtt?.stream.destroy();
    await this.mqtt?.endAsync(true);
  }

  async restart(): Promise<void> {
    await this.kill();
    this.answered.clear();
    if (!this.is("boot stays")) this.boot++;
    if (this.is("settings forgotten")) this.settings = new Map([["telemetry.interval", 0]]);
    await this.start();
  }

  private publish(kind: string, value: unknown, retain = false): void {
    const payload = value instanceof Uint8Array ? value : encodeCbor(value);
    if (this.is("foreign topic")) this.mqtt?.publish(this.topic("w"), "x", { qos: 1 });
    this.mqtt?.publish(this.topic(kind), Buffer.from(payload), { qos: this.is("qos 0") ? 0 : 1, retain });
  }

  private birth(): CborMap {
    const operations = ["node.describe", "node.monitor", "node.configure", "data.collect", "model.infer"];
    return map({
      0: 1,
      1: this.is("birth node") ? "other" : this.options.id,
      2: this.boot,
      3: 0,
      4: "fake",
      5: this.is("birth schema") ? 1 : "1.0.0",
      6: maxMsg,
      7: room,
      8: this.is("no monitor") ? operations.filter((name) => name !== "node.monitor") : operations,
      9: [map({ 0: "s", 1: channels, 3: 100, 4: 1000 })],
      10: [map({ 0: "m", 1: "1.0.0", 3: "classification", 4: [input], 5: [output] })],
    });
  }

  private state(): CborMap {
    const boot = this.is("state boot") ? this.boot + 1 : this.boot;
    return map({ 0: 1, 1: this.options.id, 2: boot, 3: !this.is("state offline"), 4: 1 });
  }

  private monitor(): CborMap {
    const counters = new Map<number, unknown>([...this.counts.entries(), [8, this.errors]]);
    const crash = map({ 0: 16, 1: 0, 2: 1, ...(this.is("crash form") ? {} : { 3: "tick" }) });
    return map({ 0: 1, 1: this.boot, 2: 1, 3: 0, 4: counters, 5: this.jobs.length, 9: crash });
  }

  private count(counter: number): void {
    this.counts[counter] = (this.counts[counter] ?? 0) + 1;
  }

  private receive(payload: Uint8Array): void {
    const request = read(this.is, payload);
    const identified =
      request !== undefined &&
      [0, 1, 2].every((key) => typeof request.get(key) === "number") &&
      /^[0-9a-z-]{1,23}$/.test(String(request.get(3) ?? ""));
    if (!identified) {
      if (this.is("malformed dies")) return void this.kill();
      if (!this.is("malformed uncounted")) this.count(2);
      if (this.is("malformed answered"))
        this.publish("y", map({ 0: 1, 1: 0, 2: 0, 4: 2, 5: this.options.id }));
      return;
    }
    this.count(0);
    const key = [3, 2, 1]
      .filter((each) => each !== 2 || !this.is("identity"))
      .map((each) => String(request.get(each)))
      .join("/");
    try {
      this.admit(request, payload, key);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(16);
      const bytes = this.done(request, { 6: this.errorMap(refusal) }, refusal.code);
      if (this.is("refusals remembered")) this.answered.set(key, bytes);
    }
  }

  private admit(request: CborMap, payload: Uint8Array, key: string): void {
    const operation = request.get(4);
    const deadline = request.get(10);
    const unknown = (): void => {
      const known = this.birth().get(8) as string[];
      if (!known.includes(String(operation))) throw new Refusal(this.is("error code") ? 99 : 2, "operation");
    };
    if (this.is("operation first")) unknown();
    if (request.get(0) !== 1 && !this.is("version")) throw new Refusal(11, "version");
    if (payload.length > maxMsg && !this.is("oversized")) throw new Refusal(6);
    if (!this.is("types")) checkTypes(this.is, request);
    if (this.repeated(request, key)) return;
    const selector = (request.get(5) ?? new Map()) as CborMap;
    const other = selector.has(2) && selector.get(2) !== this.options.id;
    const labels = (selector.get(3) ?? []) as string[];
    if ((other || labels.length > 0) && !this.is("selector")) throw new Refusal(3, "selector");
    if (!this.is("unknown accepted")) unknown();
    if (deadline === 0 && !this.is("zero deadline")) throw new Refusal(8, "deadline");
    const extra = [...request.keys()].some((each) => Number(each) > 13);
    if (extra && this.is("unknown keys")) throw new Refusal(1);
    if (operation === "data.collect" || (operation === "model.infer" && typeof request.get(7) === "string")) {
      this.enqueue(request, key);
      return;
    }
    if (request.get(14) === true ? this.is("brief twice") : !this.is("no accepted")) this.accept(request);
    if (request.get(14) === true && this.is("brief twice")) this.accept(request);
    if (this.is("blocking") && this.running !== undefined) {
      setTimeout(() => this.finish(request, key, () => this.run(request)), 900);
      return;
    }
    this.finish(request, key, () => this.run(request));
  }

  private repeated(request: CborMap, key: string): boolean {
    const answer = this.answered.get(key);
    if (answer !== undefined && !this.is("executed again")) {
      if (!this.is("duplicates uncounted")) this.count(4);
      this.publish("y", answer);
      return true;
    }
    if (!this.jobs.some((job) => job.key === key)) return false;
    if (this.is("repeated work")) return false;
    this.count(4);
    if (!this.is("repeated silent")) this.accept(request);
    return true;
  }

  private accept(request: CborMap): void {
    const times = this.is("accepted with times") ? { 10: 1, 11: 1 } : {};
    this.publish(
      "y",
      map({
        0: 1,
        1: request.get(1),
        2: request.get(2),
        3: request.get(3),
        4: 1,
        5: this.options.id,
        ...times,
      }),
    );
  }

  private errorMap({ code, field, retryAfterMs }: Refusal): CborMap {
    return map({ 0: code, 1: this.is("long text") ? "x".repeat(65) : "", 2: field, 3: retryAfterMs });
  }

  private done(request: CborMap, reply: Reply, code = 0): Uint8Array {
    const node = this.is("executing node") ? "other" : this.options.id;
    const times = this.is("no times") ? {} : { 10: 5, 11: 7 };
    const answer = map({
      0: 1,
      1: request.get(1),
      2: request.get(2),
      3: request.get(3),
      4: 2,
      5: node,
      ...reply,
      ...times,
    });
    let bytes = encodeCbor(answer);
    // A head that is longer than needed: version 1 in two bytes.
    if (this.is("encoding"))
      bytes = Buffer.concat([bytes.subarray(0, 2), Uint8Array.of(0x18, 1), bytes.subarray(3)]);
    this.count(1);
    if (code > 0 && !this.is("errors uncounted")) this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    this.publish("y", bytes);
    if (this.is("done twice")) this.publish("y", bytes);
    return bytes;
  }

  private finish(request: CborMap, key: string, work: () => Reply): void {
    let reply: Reply;
    let code = 0;
    try {
      reply = work();
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(16);
      code = refusal.code;
      reply = { 6: this.errorMap(refusal) };
    }
    const bytes = this.done(request, reply, code);
    this.answered.set(
      key,
      this.is("other bytes")
        ? encodeCbor(
            map({ 0: 1, 1: request.get(1), 2: request.get(2), 3: request.get(3), 4: 2, 5: this.options.id }),
          )
        : bytes,
    );
  }

  private run(request: CborMap): Reply {
    switch (request.get(4)) {
      case "node.describe":
        return {
          7: this.is("described") ? map({ ...Object.fromEntries(this.birth()), 5: "2" }) : this.birth(),
        };
      case "node.monitor":
        return { 7: this.monitor() };
      case "node.configure":
        return { 7: map({ 0: this.configure(request) }) };
      default:
        return infer(this.is, request);
    }
  }

  private configure(request: CborMap): Map<string, number> {
    const wanted = ((request.get(6) as CborMap | undefined)?.get(0) ?? new Map()) as Map<string, unknown>;
    const next = new Map(this.settings);
    for (const [name, value] of wanted) {
      if (!next.has(name)) throw new Refusal(5, `settings.${name}`);
      if (typeof value !== "number") throw new Refusal(1, `settings.${name}`);
      next.set(name, value);
      if (this.is("some changed")) this.settings.set(name, value);
    }
    this.settings = next;
    clearInterval(this.telemetry);
    const interval = next.get("telemetry.interval") ?? 0;
    if (interval > 0 && !this.is("no events")) {
      this.telemetry = setInterval(() => {
        if (!this.is("event numbers")) this.events++;
        const name = this.is("event name") ? "other" : "telemetry";
        this.publish(
          "e",
          map({ 0: 1, 1: this.options.id, 2: this.boot, 3: this.events, 4: name, 5: this.monitor() }),
          this.is("event retained"),
        );
      }, interval * 1000);
    }
    return next;
  }

  // ---- work in the background --------------------------------------------------------------------------

  private enqueue(request: CborMap, key: string): void {
    checkWork(this.is, request);
    if (this.jobs.length >= (this.is("queue length") ? room + 1 : room)) {
      throw new Refusal(7, undefined, this.is("no retry") ? undefined : 50);
    }
    const arrivedAt = performance.now();
    const job: Job = { key, request, priority: Number(request.get(11) ?? 100), arrivedAt, timer: undefined };
    this.jobs.push(job);
    if (!this.is("work not accepted")) this.accept(request);
    const deadline = request.get(10);
    if (typeof deadline === "number" && !this.is("no deadline")) {
      const late = this.is("late deadline") ? 1_000 : 0;
      job.timer = setTimeout(() => {
        if (!this.jobs.includes(job) || (this.is("queue deadline") && job !== this.running)) return;
        this.end(job, () => {
          throw new Refusal(8);
        });
      }, deadline + late);
    }
    this.next();
  }

  private next(): void {
    if (this.running !== undefined) return;
    const order = this.is("priority")
      ? this.jobs
      : [...this.jobs].sort((a, b) => b.priority - a.priority || a.arrivedAt - b.arrivedAt);
    const job = order[0];
    if (job === undefined) return;
    this.running = job;
    const args = (job.request.get(6) ?? new Map()) as CborMap;
    const ms =
      job.request.get(4) === "model.infer"
        ? 20
        : (1000 * Math.min(Number(args.get(1) ?? 1), 1000)) / Number(args.get(2) ?? 100);
    setTimeout(() => {
      if (this.running === job) {
        this.end(job, () =>
          job.request.get(4) === "model.infer" ? inferred(this.is, job.request) : collected(this.is, args),
        );
      } else if (this.is("late result")) this.done(job.request, {});
    }, ms);
  }

  private end(job: Job, work: () => Reply): void {
    clearTimeout(job.timer);
    this.jobs = this.jobs.filter((each) => each !== job);
    if (this.running === job) this.running = undefined;
    this.finish(job.request, job.key, work);
    this.next();
  }
}
