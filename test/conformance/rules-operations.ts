/** Rules of the operations of minimal nodes, with their descriptors: data.collect, model.infer, node.configure. */
import { changed, collect, here, infer, modelOf, sensorOf, settingsOf } from "./abilities.js";
import type { Exchange } from "./probe.js";
import { applies, both, minimal, must, mustRefuse, mustSucceed, type Rule } from "./rule.js";
import * as shape from "./shape.js";
import { map, type CborMap } from "./wire.js";

export const operationRules: readonly Rule[] = [
  {
    id: "collect.samples",
    kinds: both,
    clause: "Operations: data.collect",
    text: "data.collect gives frames as f32 with a descriptor of shape [frames, channels].",
    async check(context) {
      const { name, channels, rate } = sensorOf(context);
      const { done } = await collect(context, map({ 0: name, 1: 5, 2: rate }));
      mustSucceed(done, "data.collect");
      must(done.result?.get(0) === 5, `frames ${String(done.result?.get(0))}, expected 5`);
      const bad = [
        ...shape.uint()(done.result.get(1), "lost"),
        ...shape.descriptor(done.descriptor, "descriptor"),
      ];
      must(bad.length === 0, bad.join("; "));
      must(done.output instanceof Uint8Array, "the output is no bytes");
      must(done.output.length === 5 * channels * 4, `${done.output.length} bytes for [5, ${channels}] f32`);
      must(done.descriptor?.get(0) === 6, "the element type is not f32");
      must(JSON.stringify(done.descriptor.get(1)) === JSON.stringify([5, channels]), "another shape");
    },
  },
  {
    id: "collect.summary",
    kinds: both,
    clause: "Operations: data.collect",
    text: "A summary has mean, minimum, maximum and rms of each channel, and no output.",
    async check(context) {
      const { name, channels, rate } = sensorOf(context);
      const { done } = await collect(context, map({ 0: name, 1: 10, 2: rate, 3: 1 }));
      mustSucceed(done, "data.collect");
      must(done.output === undefined, "there is an output");
      const summary = done.result?.get(2) as number[][] | undefined;
      must(Array.isArray(summary) && summary.length === channels, `not ${channels} channels`);
      for (const [mean = Number.NaN, low = 0, high = 0, rms = 0] of summary) {
        const tolerance = 1e-4 * Math.max(1, Math.abs(low), Math.abs(high));
        must(low <= mean + tolerance && mean <= high + tolerance, `mean ${mean} outside ${low} to ${high}`);
        must(rms + tolerance >= Math.abs(mean), `rms ${rms} below the mean ${mean}`);
      }
    },
  },
  {
    id: "collect.refused",
    kinds: both,
    clause: "Operations: data.collect; Errors",
    text: "An unknown sensor, and arguments out of bounds, are refused with their field.",
    async check(context) {
      const { name, rate } = sensorOf(context);
      const unknown = await collect(context, map({ 0: "kit-no-such", 1: 1 }));
      mustRefuse(unknown.done, "not-found", "an unknown sensor");
      for (const [what, args] of [
        ["0 frames", map({ 0: name, 1: 0, 2: rate })],
        ["100001 frames", map({ 0: name, 1: 100_001, 2: rate, 3: 1 })],
        ["a text as frames", map({ 0: name, 1: "five" })],
        ["the rate 0", map({ 0: name, 1: 1, 2: -1 })],
        ["mode 9", map({ 0: name, 1: 1, 2: rate, 3: 9 })],
      ] as const) {
        mustRefuse((await collect(context, args)).done, "bad-request", what, "arguments");
      }
    },
  },
  {
    id: "collect.too-large",
    kinds: minimal,
    clause: "Errors: too-large",
    text: "Frames that do not fit in a message are `too-large`.",
    async check(context) {
      const { name, rate } = sensorOf(context);
      const { done } = await collect(context, map({ 0: name, 1: 90_000, 2: rate }));
      mustRefuse(done, "too-large", "90000 frames", "arguments");
    },
  },
  {
    id: "infer.inline",
    kinds: minimal,
    clause: "Operations: model.infer",
    text: "model.infer takes inline i8 with its descriptor, and answers with label, score, index, model and tensor.",
    async check(context) {
      const model = modelOf(context);
      const input = new Uint8Array(model.elements);
      const { done } = await infer(context, { input, descriptor: model.input });
      mustSucceed(done, "model.infer");
      const { result } = done;
      must(typeof result?.get(0) === "string", "no label");
      must(typeof result.get(1) === "number", "no score");
      must(Number.isInteger(result.get(2)), "no index");
      must(result.get(3) === `${model.name}@${model.version}`, `model ${String(result.get(3))}`);
      must(done.output instanceof Uint8Array, "no output");
      must(done.descriptor?.get(0) === model.output.get(0), "the output has another element type");
      const again = await infer(context, { input, descriptor: model.input });
      must(
        Buffer.from(again.done.output as Uint8Array).equals(Buffer.from(done.output)),
        "the same input gave another output",
      );
    },
  },
  {
    id: "infer.f32",
    kinds: minimal,
    clause: "Operations: model.infer",
    text: "f32 in the input's unit is quantised; the accepted output f32 gives a dequantised tensor.",
    async check(context) {
      const model = modelOf(context);
      applies(
        model.elements * 4 + 100 < Number(context.birth().get(6)),
        "an f32 input does not fit in a message",
      );
      const f32 = changed(model.input, { 0: 6, 5: undefined, 6: undefined });
      const input = new Uint8Array(model.elements * 4);
      const { done } = await infer(context, { input, descriptor: f32, accept: map({ 0: 6 }) });
      mustSucceed(done, "model.infer on f32");
      must(done.descriptor?.get(0) === 6, "the output is not f32");
    },
  },
  {
    id: "infer.accept-f32",
    kinds: minimal,
    clause: "Operations: model.infer",
    text: "The accepted output with element type f32 asks for a dequantised tensor.",
    async check(context) {
      const model = modelOf(context);
      const fields = { input: new Uint8Array(model.elements), descriptor: model.input };
      const raw = await infer(context, fields);
      const { done } = await infer(context, { ...fields, accept: map({ 0: 6 }) });
      mustSucceed(done, "model.infer");
      must(done.descriptor?.get(0) === 6, "the output is not f32");
      const bytes = done.output as Uint8Array;
      const q = raw.done.output as Uint8Array;
      must(bytes.length === 4 * q.length, `${bytes.length} bytes for ${q.length} elements`);
      const scale = Number(model.output.get(5));
      const zero = Number(model.output.get(6) ?? 0);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      Int8Array.from(q).forEach((value, i) => {
        const expected = (value - zero) * scale;
        const got = view.getFloat32(4 * i, true);
        must(Math.abs(got - expected) <= 1e-5 * Math.max(1, Math.abs(expected)), `${got} is not ${expected}`);
      });
    },
  },
  {
    id: "fits.conflicts",
    kinds: minimal,
    clause: "Descriptors: fits",
    text: "Element type, shape, scale, zero point and unit that conflict are `descriptor-mismatch` and name the field.",
    async check(context) {
      const model = modelOf(context);
      const input = new Uint8Array(model.elements);
      const dimensions = model.input.get(1) as number[];
      const cases: [string, Readonly<Record<number, unknown>>, string][] = [
        ["another shape", { 1: dimensions.map((size, i) => (i === 0 ? size + 1 : size)) }, "input.shape"],
        ["no shape", { 1: undefined }, "input.shape"],
        ["another element type", { 0: 1 }, "input"],
        ["another format", { 2: 3 }, "input.format"],
      ];
      if (model.input.has(5)) cases.push(["another scale", { 5: 123.5 }, "input.scale"]);
      if (model.input.has(6)) cases.push(["another zero point", { 6: 77 }, "input"]);
      if (model.input.has(4)) cases.push(["another unit", { 4: "furlong" }, "input.unit"]);
      if (model.input.has(3))
        cases.push(["another rate", { 3: Number(model.input.get(3)) * 1.5 }, "input.rate"]);
      for (const [what, entries, field] of cases) {
        const { done } = await infer(context, { input, descriptor: changed(model.input, entries) });
        mustRefuse(done, "descriptor-mismatch", what, field);
      }
      const wanted = await infer(context, {
        input,
        descriptor: model.input,
        accept: map({ 0: 0, 1: [4242] }),
      });
      mustRefuse(wanted.done, "descriptor-mismatch", "another accepted shape", "accept");
      const short = await infer(context, { input: input.subarray(1), descriptor: model.input });
      mustRefuse(short.done, "descriptor-mismatch", "fewer bytes than the shape says", "input");
    },
  },
  {
    id: "fits.allows",
    kinds: minimal,
    clause: "Descriptors: fits",
    text: "Dimensions of 1 do not count, -1 matches any size, the rate may differ by 1 %, and what is not stated is no conflict.",
    async check(context) {
      const model = modelOf(context);
      const input = new Uint8Array(model.elements);
      const dimensions = model.input.get(1) as number[];
      const largest = dimensions.indexOf(Math.max(...dimensions));
      const cases: [string, Readonly<Record<number, unknown>>][] = [
        ["dimensions of 1", { 1: [1, ...dimensions.filter((size) => size !== 1), 1].slice(0, 6) }],
        ["-1", { 1: dimensions.map((size, i) => (i === largest ? -1 : size)) }],
        [
          "nothing but type and shape",
          { 2: undefined, 3: undefined, 4: undefined, 5: undefined, 6: undefined },
        ],
      ];
      if (model.input.has(3)) cases.push(["0.9 % another rate", { 3: Number(model.input.get(3)) * 1.009 }]);
      for (const [what, entries] of cases) {
        mustSucceed((await infer(context, { input, descriptor: changed(model.input, entries) })).done, what);
      }
    },
  },
  {
    id: "infer.selector",
    kinds: minimal,
    clause: "Operations: model.infer; Errors: not-found",
    text: "The selector names the model, with or without version, or the task; others are `not-found`.",
    async check(context) {
      const model = modelOf(context);
      const fields = {
        operation: "model.infer",
        input: new Uint8Array(model.elements),
        descriptor: model.input,
      };
      const ask = async (selector: Readonly<Record<number, unknown>>): Promise<Exchange> =>
        context.probe.ask({ ...fields, selector: map({ ...selector, 2: context.node }) });
      mustSucceed((await ask({ 0: `${model.name}@${model.version}` })).done, "name@version");
      if (model.task !== undefined) mustSucceed((await ask({ 1: model.task })).done, "its task");
      for (const selector of [{ 0: "kit-no-such" }, { 0: `${model.name}@0.0.0-no` }, { 1: "kit-no-such" }]) {
        mustRefuse((await ask(selector)).done, "not-found", JSON.stringify(selector));
      }
    },
  },
  {
    id: "infer.sensor",
    kinds: minimal,
    clause: "Operations: model.infer",
    text: 'The input "sensor:<name>" is a fresh window; an unknown sensor or reference is refused.',
    async check(context) {
      const { name } = sensorOf(context);
      const { done } = await infer(context, { input: `sensor:${name}` });
      applies(done.error?.code !== 4, "the sensor does not fit the model");
      mustSucceed(done, "a window of the sensor");
      for (const input of ["sensor:kit-no-such", "chunk:00", "elephant", ""]) {
        const refused = await infer(context, { input });
        mustRefuse(refused.done, ["not-found", "bad-request"], JSON.stringify(input), "input");
      }
      mustRefuse((await infer(context, {})).done, "bad-request", "no input", "input");
    },
  },
  {
    id: "configure.all-or-none",
    kinds: both,
    clause: "Operations: node.configure",
    text: "node.configure answers with every setting; with one wrong name or value nothing is changed.",
    async check(context) {
      const settings = await settingsOf(context);
      const [name, value] = [...settings].find(([, each]) => typeof each === "number") ?? [];
      applies(typeof name === "string" && typeof value === "number", "there is no setting with a number");
      const change = (entries: [string, unknown][]): Promise<Exchange> =>
        context.probe.ask({
          operation: "node.configure",
          selector: here(context),
          arguments: map({ 0: new Map(entries) }),
        });
      const other = value === 1 ? 2 : 1;
      // Names that stand before and behind the good one in the map.
      for (const bad of ["k", "kit.no-such-setting-of-this-node"]) {
        const { done } = await change([
          [name, other],
          [bad, 1],
        ]);
        mustRefuse(done, "not-found", "an unknown setting", "settings");
      }
      const wrong = await change([[name, "text"]]);
      mustRefuse(wrong.done, "bad-request", "a text for a number", "settings");
      must(
        (await settingsOf(context)).get(name) === value,
        `${name} changed although the request was refused`,
      );
      const set = await change([[name, other]]);
      mustSucceed(set.done, `${name}: ${other}`);
      must((set.done.result?.get(0) as CborMap).get(name) === other, "the new value is not told");
      if (context.controls.restart !== undefined) {
        await context.controls.restart();
        must((await settingsOf(context)).get(name) === other, "the setting was not kept over a restart");
      }
      mustSucceed((await change([[name, value]])).done, `${name}: ${value}`);
    },
  },
];
