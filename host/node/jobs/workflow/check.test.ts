/** Workflows are checked before their first step: every kind of mistake, all at once, each with its place. */
import { describe, expect, it } from "vitest";
import type { Explanation } from "../../core/core-service.js";
import type { Order } from "../../operations/operation.js";
import { checkAble } from "./check-able.js";
import { checkWorkflow } from "./check.js";

const step = (name: string, operation: string, more: object = {}) => ({ name, operation, ...more });
const train = (more: object = {}) =>
  step("train", "model.train", { arguments: { name: "m", data: "d" }, ...more });

/** "place: text" of every finding. */
function findings(
  steps: unknown,
  more: object = {},
  inputs: Record<string, unknown> | undefined = {},
): string[] {
  return checkWorkflow({ workflow: "w", steps, ...more }, inputs).findings.map(
    ({ place, text }) => `${place}: ${text}`,
  );
}

describe("a good workflow", () => {
  it("has no findings, and tells what waits for what", () => {
    const result = checkWorkflow(
      {
        workflow: "w",
        inputs: {
          data: { type: "string", default: "vibration" },
          labels: { type: "list", default: ["ok", "bad"] },
        },
        steps: [
          step("collect", "data.collect", {
            each: "${inputs.labels}",
            arguments: { sensor: "accelerometer", frames: 128, name: "${inputs.data}", label: "${each}" },
          }),
          step("split", "data.split", {
            needs: ["collect"],
            arguments: { name: "${inputs.data}", training: 0.7 },
          }),
          train({ needs: ["split"], arguments: { name: "m", data: "${inputs.data}" } }),
          step("optimize", "model.optimize", {
            arguments: { model: "${steps.train.result.model}", data: "${inputs.data}" },
          }),
          step("validate", "model.validate", {
            arguments: {
              model: "${steps.optimize.result.model}",
              data: "${inputs.data}",
              gates: { accuracy: { min: "${steps.train.result.metrics.accuracy}" } },
            },
          }),
          step("deploy", "model.deploy", {
            when: { value: "${steps.validate.result.passed}", equals: true },
            arguments: { model: "${steps.optimize.result.model}", nodes: ["node-1"] },
          }),
          step("sample", "data.collect", {
            selector: { node: "node-1" },
            arguments: { sensor: "accelerometer" },
          }),
          step("infer", "model.infer", { needs: ["deploy"], input: "${steps.sample.output}" }),
          step("infer2", "model.infer", { input: "sensor:accelerometer" }),
          step("keep", "data.store", {
            input: "blob:${steps.sample.result.digest}",
            arguments: { name: "kept" },
          }),
        ],
        outputs: { model: "${steps.optimize.result.model}", labels: "${steps.collect.results.0.frames}" },
      },
      {},
    );
    expect(result.findings).toEqual([]);
    expect(Object.fromEntries(result.checked?.needs ?? [])).toMatchObject({
      collect: [],
      split: ["collect"],
      train: ["split"],
      optimize: ["train"],
      validate: ["optimize", "train"],
      deploy: ["optimize", "validate"],
      infer: ["deploy", "sample"],
    });
    expect(result.checked?.inputs).toEqual({ data: "vibration", labels: ["ok", "bad"] });
  });
});

describe("what is wrong is told with its place", () => {
  it.each<[string, unknown, string[]]>([
    ["no steps", [], ["steps: too small: expected array to have >=1 items"]],
    ["a step that is no object", ["train"], ["steps[0]: expected object, received string"]],
    ["an unknown member", [train({ retry: 3 })], ["steps[0].retry: is not known here"]],
    ["a bad name", [train({ name: "Train it" })], ["steps[0].name: 1-32 characters of a-z 0-9 _ -"]],
    ["a name twice", [train(), train()], ['steps[1].name: there is another step "train"']],
    [
      "an unknown operation",
      [step("a", "task.dream")],
      [
        "steps[0].operation: there is no operation task.dream; of this group there are task.schedule, task.workflow, task.status, task.cancel",
      ],
    ],
    ["no such group", [step("a", "dream")], ["steps[0].operation: there is no operation dream"]],
    [
      "a workflow in a workflow",
      [step("a", "task.workflow", { arguments: { workflow: {} } })],
      ["steps[0].operation: a workflow cannot be a step; put its steps here"],
    ],
    [
      "an unknown argument",
      [step("a", "data.split", { arguments: { name: "d", training: 0.5, tests: 0.5 } })],
      [
        "steps[0].arguments.tests: is no argument of data.split; there are name, training, validation, test, calibration, seed, by",
      ],
    ],
    [
      "an argument that is missing, and one of the wrong type",
      [step("a", "data.split", { arguments: { training: "half" } })],
      [
        "steps[0].arguments.name: is missing: the data set",
        "steps[0].arguments.training: expected number, received string",
      ],
    ],
    [
      "an argument out of range",
      [train({ arguments: { name: "m", data: "d", units: [16, 0] } })],
      ["steps[0].arguments.units[1]: too small: expected number to be >=1"],
    ],
    [
      "detach",
      [train({ arguments: { name: "m", data: "d", detach: true } })],
      ["steps[0].arguments.detach: a workflow waits for its jobs by itself: leave it out"],
    ],
    [
      "a need that is not there",
      [train({ needs: ["split"] })],
      ['steps[0].needs[0]: there is no step "split"'],
    ],
    [
      "a cycle",
      [
        train({ needs: ["c"] }),
        step("b", "node.monitor", { needs: ["train"] }),
        step("c", "node.monitor", { needs: ["b"] }),
      ],
      ["steps[0]: waits for itself: train → c → b → train"],
    ],
    [
      "references that lead nowhere",
      [
        train({ arguments: { name: "${inputs.nme}", data: "${steps.split.result.name}" } }),
        step("opt", "model.optimize", {
          arguments: { model: "${steps.train.result.modell}", data: "${what}" },
        }),
        step("self", "node.describe", { selector: { node: "${steps.self.node}" } }),
        step("open", "node.describe", { selector: { node: "${steps.opt" } }),
      ],
      [
        "steps[0].arguments.name: ${inputs.nme} names no input of this workflow; it has none",
        "steps[0].arguments.data: ${steps.split.result.name} names no step; there are train, opt, self, open",
        "steps[1].arguments.model: ${steps.train.result.modell}: the result of model.train has no modell there; there are model, metrics, epochs, job",
        "steps[1].arguments.data: ${what} is no reference; write ${inputs.NAME}, ${steps.NAME.result.FIELD}, ${steps.NAME.output}, ${each} or ${each.FIELD}, and $${ for the text ${",
        "steps[2].selector.node: ${steps.self.node} refers to its own step",
        "steps[3].selector.node: ${steps.opt is no reference; write ${inputs.NAME}, ${steps.NAME.result.FIELD}, ${steps.NAME.output}, ${each} or ${each.FIELD}, and $${ for the text ${",
      ],
    ],
    [
      "a reference of the wrong type",
      [
        train(),
        step("again", "model.train", {
          arguments: {
            name: "${steps.train.result.model}",
            data: "d",
            epochs: "${steps.train.result.model}",
          },
        }),
        step("set", "data.label", { arguments: { name: "d", set: "${steps.train.result.epochs}" } }),
      ],
      [
        '${steps.train.result.model} is "name@version", and this needs text like ^[a-z0-9._-]{1,32}$',
        '${steps.train.result.model} is "name@version", and this needs a whole number',
        "${steps.train.result.epochs} is a whole number, and this needs text",
      ].map((text, i) => `steps[${i < 2 ? "1" : "2"}].arguments.${["name", "epochs", "set"][i]!}: ${text}`),
    ],
    [
      "a quantised model where a float model is needed",
      [
        step("opt", "model.optimize", { arguments: { model: "m", data: "d" } }),
        step("twice", "model.optimize", { arguments: { model: "${steps.opt.result.model}", data: "d" } }),
      ],
      [
        "steps[1].arguments.model: ${steps.opt.result.model} is a quantised model (of model.optimize), and model.optimize needs a float one",
      ],
    ],
    [
      "shares above 1",
      [step("a", "data.split", { arguments: { name: "d", training: 0.8, test: 0.3 } })],
      ["steps[0].arguments: the shares sum to 1.1, more than 1"],
    ],
    [
      "each: no list, an item that does not fit, members that are not there, one where there are several",
      [
        step("a", "data.collect", { each: "${steps.t.result.model}", arguments: { sensor: "s" } }),
        step("b", "data.collect", { each: [{ s: "x" }, { s: 7 }], arguments: { sensor: "${each.s}" } }),
        step("c", "data.collect", { each: ["x"], arguments: { sensor: "${each.sensor}" } }),
        step("d", "data.collect", { arguments: { sensor: "${each}", label: "${steps.b.result.frames}" } }),
        step("t", "model.train", { arguments: { name: "m", data: "${steps.d.results.0.frames}" } }),
      ],
      [
        'steps[0].each: ${steps.t.result.model} is "name@version", not a list',
        "steps[1].arguments.sensor: expected string, received number (item 1 of each)",
        "steps[2].arguments.sensor: ${each.sensor} leads nowhere in this item",
        "steps[3].arguments.sensor: ${each} has no meaning in a step without `each`",
        "steps[3].arguments.label: ${steps.b.result.frames}: b runs several times: results, a list",
        "steps[4].arguments.data: ${steps.d.results.0.frames}: d runs once: result",
      ],
    ],
    [
      "inputs: missing, where there is none, no reference, no output there, in arguments",
      [
        step("a", "data.store", { arguments: { name: "d" } }),
        step("b", "data.split", { input: "data:d", arguments: { name: "d", training: 1 } }),
        step("c", "model.infer", { input: "the last one" }),
        train(),
        step("d", "model.infer", { input: "${steps.train.output}" }),
        step("e", "data.label", { arguments: { name: "d", set: "${steps.c.output}" } }),
        step("f", "data.collect", { arguments: { sensor: "s", mode: 1 } }),
        step("g", "model.infer", { input: "${steps.f.output}" }),
      ],
      [
        "steps[0].input: is missing: the item, with its descriptor (element type and shape at least for raw)",
        "steps[1].input: data.split takes no input",
        "steps[2].input: is no reference to data: sensor:NAME, data:NAME[/USAGE], blob:DIGEST, model:NAME[@VERSION]",
        "steps[4].input: ${steps.train.output}: model.train gives no output",
        "steps[5].arguments.set: ${steps.c.output} is data, and data goes into `input`, not into arguments",
        "steps[7].input: ${steps.f.output}: data.collect of a summary gives no output",
      ],
    ],
    [
      "a selector that means nothing, a deadline that is too long, a condition without one",
      [
        step("a", "data.collect", {
          selector: { name: "m" },
          arguments: { sensor: "s" },
          deadlineMs: 4_000_000,
        }),
      ],
      [
        "steps[0].deadlineMs: of data.collect is one hour (3600000) at most",
        "steps[0].selector.name: means nothing to data.collect",
      ],
    ],
    [
      "a condition that asks nothing",
      [train({ when: { value: "${inputs.x}" } })],
      ["steps[0].when: needs one of equals, not, min, max"],
    ],
  ])("%s", (_, steps, expected) => {
    expect(findings(steps)).toEqual(expected);
  });

  it("mistakes of form and of meaning together, and none that only follow from others", () => {
    const steps = [
      step("collect", "data.collect", { argumnets: { sensor: "s" }, times: 2 }),
      step("split", "data.spilt"),
      train({ arguments: { name: "m", data: "d", epochs: "${steps.collect.results}" }, needs: ["colect"] }),
      step("optimize", "model.optimize", { arguments: { model: "${steps.train.result.nodel}" }, retries: 3 }),
      step("validate", "model.validate", {
        arguments: { model: "${steps.optimize.result.model}", gates: { accuracy: { min: 0.9 } } },
      }),
    ];
    expect(findings(steps, { parallel: 0, outputs: { x: "${steps.collect.output}" } })).toEqual([
      "parallel: too small: expected number to be >=1",
      "steps[0].argumnets: is not known here",
      "steps[3].retries: expected object, received number",
      expect.stringMatching(/^steps\[1\]\.operation: there is no operation data\.spilt/),
      'steps[2].needs[0]: there is no step "colect"',
      expect.stringMatching(/^steps\[4\]\.arguments\.data: is missing/),
    ]);
    // Inputs by another name, or a step without one: what refers to them is not told as well.
    const referring = [train({ arguments: { name: "m", data: "${inputs.data}", epochs: 0 } })];
    expect(findings(referring, { input: {} })).toEqual(["input: is not known here"]);
    expect(findings([{ operation: "data.list" }, step("split", "data.spilt")])).toHaveLength(1);
  });

  it("no workflow at all", () => {
    for (const nothing of [undefined, null, 7, "steps", [], {}]) {
      expect(checkWorkflow(nothing, {}).findings.length).toBeGreaterThan(0);
    }
  });

  it("inputs that are missing, too many, or of the wrong type; and not when nobody gave them yet", () => {
    const inputs = {
      data: { type: "string" },
      epochs: { type: "integer", default: 1.5 },
      nodes: { type: "list", default: [] },
    };
    const steps = [train({ arguments: { name: "m", data: "${inputs.data}", epochs: "${inputs.data}" } })];
    expect(findings(steps, { inputs }, { nodes: "node-1", node: 1 })).toEqual([
      "inputs.data: has no default, and was not given",
      "inputs.epochs.default: must be a whole number",
      "inputs.nodes: must be a list",
      "inputs.node: is no input of this workflow; it has data, epochs, nodes",
      "steps[0].arguments.epochs: ${inputs.data} is text, and this needs a whole number",
    ]);
    const known = { data: inputs.data };
    expect(checkWorkflow({ workflow: "w", inputs: known, steps: [train()] }, undefined).findings).toEqual([]);
    expect(
      findings([train()], { inputs: known, outputs: { x: "${steps.train.result.nothing}" } }, { data: "d" }),
    ).toEqual([
      "outputs.x: ${steps.train.result.nothing}: the result of model.train has no nothing there; there are model, metrics, epochs, job",
    ]);
  });
});

describe("somebody must be able to do each step", () => {
  const explain = (able: (order: Order) => string | undefined) => ({
    node: () => undefined,
    explain: (order: Order): Promise<Explanation> => {
      const code = able(order);
      const error = code === undefined ? undefined : { code, text: "no such" };
      return Promise.resolve({ decision: error ? "refuse" : "local", chosen: "edge", error, candidates: [] });
    },
  });

  it("asks with what is known, and tells who cannot", async () => {
    const { checked } = checkWorkflow(
      {
        workflow: "w",
        inputs: { sensor: { type: "string", default: "accelerometer" } },
        steps: [
          step("collect", "data.collect", {
            each: ["node-1", "node-9"],
            selector: { node: "${each}" },
            arguments: { sensor: "${inputs.sensor}" },
          }),
          train(),
          step("deploy", "model.deploy", { arguments: { model: "${steps.train.result.model}" } }),
          step("infer", "model.infer", {
            needs: ["deploy"],
            selector: { name: "m" },
            input: "sensor:accelerometer",
          }),
        ],
      },
      {},
    );
    const asked: Order[] = [];
    const able = (order: Order) => {
      asked.push(order);
      if (order.selector?.node === "node-9" || order.operation === "model.infer") return "no-capable-node";
      return order.operation === "model.train" ? "not-found" : undefined;
    };
    const found = await checkAble(checked!, explain(able), "owner");
    expect(found).toEqual([
      { place: "steps[0]", code: "no-capable-node", text: "data.collect: no such (item 1 of each)" },
      { place: "steps[1]", code: "not-found", text: "model.train: no such" },
    ]);
    expect(asked[0]).toMatchObject({ selector: { node: "node-1" }, arguments: { sensor: "accelerometer" } });
    // The model will be there when it has been deployed; what deploys it is not known yet.
    expect(asked.at(-1)).toEqual({ operation: "model.infer", arguments: {}, input: "sensor:accelerometer" });
    expect(asked.at(-2)).toEqual({ operation: "model.deploy", arguments: {} });
  });

  it("names data sets and models that are not there, unless a step makes them or another node has them", async () => {
    const stored = {
      dataSet: (name: string) => Promise.resolve(name === "old"),
      model: (name: string) => Promise.resolve(name === "m@1"),
    };
    const missing = async (steps: object[], elsewhere: string[] = []) => {
      const inputs = { data: { type: "string", default: "typo" } };
      const { checked } = checkWorkflow({ workflow: "w", inputs, steps }, {});
      const core = {
        node: () => undefined,
        explain: (order: Order): Promise<Explanation> => {
          const decision = elsewhere.includes(order.operation) ? "dispatch" : "local";
          return Promise.resolve({ decision, chosen: "edge", error: undefined, candidates: [] });
        },
      };
      return await checkAble(checked!, core, "owner", stored);
    };
    const split = (name: string) => step("split", "data.split", { arguments: { name, training: 0.5 } });
    const found = await missing([
      split("${inputs.data}"),
      step("val", "model.validate", { arguments: { model: "m@2", data: "old", gates: {}, against: "m@1" } }),
      step("get", "data.store", { arguments: { name: "copy" }, input: "data:gone/test" }),
    ]);
    expect(found.map(({ place, code }) => [place, code])).toEqual([
      ["steps[0].arguments.name", "not-found"],
      ["steps[1].arguments.model", "not-found"],
      ["steps[2].input", "not-found"],
    ]);
    expect(found[0]?.text).toMatch(/^step split: there is no data set "typo" at this node.*data\.store/);
    const collect = (name: string) =>
      step("collect", "data.collect", { each: ["a"], arguments: { sensor: "s", name } });
    expect(await missing([collect("typo"), split("typo")])).toEqual([]);
    expect(await missing([collect("${each}"), split("typo")])).toEqual([]);
    expect(await missing([collect("other"), split("typo")])).toHaveLength(1);
    expect(await missing([split("typo")], ["data.split"])).toEqual([]);
    expect(await missing([split("old")])).toEqual([]);
  });
});
