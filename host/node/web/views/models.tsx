/** Models: stage, metrics, confusion matrix, descent; promotion. */
import { useState } from "preact/hooks";
import { call, get } from "../api.js";
import { ago, bytes, number, plural } from "../format.js";
import { Badge, Empty, Failure, Panel, Table } from "../parts/basic.js";
import { Dialog } from "../parts/dialog.js";
import { Graph, type Vertex } from "../parts/graph.js";
import { useLive, useLoaded } from "../store.js";
import type { Job, Model } from "../types.js";

const tones = { candidate: "accent", production: "ok", retired: "idle" } as const;
const nameOf = (model: Model): string => `${model.name}@${model.version}`;

export function Models() {
  const { value, error, reload } = useLoaded(() => get<{ models: Model[] }>("/models?limit=500"), [], 10_000);
  const [chosen, setChosen] = useState<string>();
  const models = value?.models ?? [];
  const shown = models.find((model) => nameOf(model) === chosen) ?? models[0];
  if (value === undefined) return <Failure error={error} />;
  if (shown === undefined) {
    return (
      <Panel title="Models">
        <Empty
          title="There is no model yet."
          command="tmc node call model.store --arg name=vibration --arg version=1 --input vibration.tflite"
        >
          <p>Train one on a data set, or store a .tflite file:</p>
        </Empty>
      </Panel>
    );
  }
  return (
    <div class="columns side">
      <Panel title={plural(models.length, "model")}>
        <ul class="choices">
          {models.map((model) => (
            <li key={nameOf(model)}>
              <button type="button" aria-pressed={model === shown} onClick={() => setChosen(nameOf(model))}>
                <b>{nameOf(model)}</b>
                <Badge tone={tones[model.stage]}>{model.stage}</Badge>
              </button>
            </li>
          ))}
        </ul>
      </Panel>
      <ModelView model={shown} models={models} onChanged={reload} key={nameOf(shown)} />
    </div>
  );
}

function ModelView({
  model,
  models,
  onChanged,
}: {
  model: Model;
  models: readonly Model[];
  onChanged: () => void;
}) {
  const jobs = useLive((live) => live.jobs);
  const [promoting, setPromoting] = useState(false);
  const metrics = Object.entries(model.metrics);
  const columns = [...new Set(metrics.flatMap(([, values]) => Object.keys(values)))];
  const confusion = confusionOf(model, models, jobs);
  return (
    <Panel
      title={nameOf(model)}
      actions={
        <button type="button" class="primary" onClick={() => setPromoting(true)}>
          Promote …
        </button>
      }
    >
      <p>
        <Badge tone={tones[model.stage]}>{model.stage}</Badge>{" "}
        <span class="muted">
          {[model.form, model.task ?? "", bytes(model.bytes), `made ${ago(model.createdAt)}`]
            .filter((text) => text !== "")
            .join(" · ")}
        </span>
      </p>
      <dl class="facts">
        <Fact name="input" value={model.inputs.join("; ")} />
        <Fact name="output" value={model.outputs.join("; ")} />
        <Fact name="classes" value={model.labels.join(", ") || "none"} />
        <Fact name="trained on" value={model.data ?? "–"} />
        <Fact name="offered by" value={model.nodes.join(", ") || "no node"} />
        {Object.entries(model.cost ?? {}).map(([name, n]) => (
          <Fact key={name} name={name} value={name === "macs" ? number(n) : bytes(n)} />
        ))}
        <Fact name="SHA-256" value={`${model.digest.slice(0, 16)}…`} />
      </dl>
      <h3>Metrics</h3>
      {metrics.length === 0 ? (
        <Empty
          title="It was not measured yet."
          command={`tmc node call model.evaluate --arg model=${nameOf(model)} --arg data=${model.data?.split(":")[0] ?? "NAME"}`}
        />
      ) : (
        <Table label="Metrics" numeric={columns} head={["Measured on", ...columns]}>
          {metrics.map(([data, values]) => (
            <tr key={data}>
              <th scope="row">{data}</th>
              {columns.map((column) => (
                <td class="num" key={column}>
                  {values[column] === undefined ? "–" : number(values[column])}
                </td>
              ))}
            </tr>
          ))}
        </Table>
      )}
      {confusion === undefined ? null : <Confusion matrix={confusion} labels={model.labels} />}
      <h3>Descent</h3>
      <Graph label="Descent of the model" vertices={descentOf(model, models)} />
      {promoting ? (
        <PromoteDialog
          model={model}
          onClose={() => setPromoting(false)}
          onDone={() => {
            setPromoting(false);
            onChanged();
          }}
        />
      ) : null}
    </Panel>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The family of a model: all it comes from, and all that comes from them, with the data in front. */
export function descentOf(model: Model, models: readonly Model[]): Vertex[] {
  const byName = new Map(models.map((each) => [nameOf(each), each]));
  const family = new Set([nameOf(model)]);
  // Grows until nothing is added; at most as often as there are models.
  for (let before = 0; before < family.size;) {
    before = family.size;
    for (const each of models) {
      if (each.parent !== undefined && (family.has(each.parent) || family.has(nameOf(each)))) {
        family.add(nameOf(each));
        if (byName.has(each.parent)) family.add(each.parent);
      }
    }
  }
  const members = models.filter((each) => family.has(nameOf(each)));
  const data = [...new Set(members.flatMap((each) => (each.data === undefined ? [] : [each.data])))];
  return [
    ...data.map((name) => ({ id: `data:${name}`, title: name, note: "data set", tone: "data", after: [] })),
    ...members.map((each) => ({
      id: nameOf(each),
      title: nameOf(each),
      note: `${each.stage}, ${each.form}`,
      tone: each === model ? `${each.stage} current` : each.stage,
      after: [
        ...(each.parent === undefined ? [] : [each.parent]),
        ...(each.data === undefined || each.parent !== undefined ? [] : [`data:${each.data}`]),
      ],
    })),
  ];
}

/** Of the newest evaluation that a job has made. A name without a version meant the one that is preferred. */
function confusionOf(model: Model, models: readonly Model[], jobs: readonly Job[]): number[][] | undefined {
  const family = models.filter((each) => each.name === model.name);
  const preferred = family.find((each) => each.stage === "production") ?? family[0];
  const names = model === preferred ? [nameOf(model), model.name] : [nameOf(model)];
  const job = jobs.find(
    (each) =>
      each.operation === "model.evaluate" &&
      each.state === "done" &&
      names.includes(each.subject.split(" ")[0] ?? "") &&
      Array.isArray(each.result?.["confusion"]),
  );
  return job?.result?.["confusion"] as number[][] | undefined;
}

function Confusion({ matrix, labels }: { matrix: number[][]; labels: readonly string[] }) {
  const most = Math.max(1, ...matrix.flat());
  const name = (i: number): string => labels[i] ?? String(i);
  return (
    <>
      <h3>Confusion matrix</h3>
      <div class="table-box" tabIndex={0} role="region" aria-label="Confusion matrix">
        <table class="confusion">
          <caption class="muted">rows: true class, columns: predicted</caption>
          <thead>
            <tr>
              <td />
              {matrix.map((_, i) => (
                <th scope="col" key={i}>
                  {name(i)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {matrix.map((row, i) => (
              <tr key={i}>
                <th scope="row">{name(i)}</th>
                {row.map((n, j) => (
                  <td key={j} class={i === j ? "right num" : "wrong num"} style={{ "--share": n / most }}>
                    {n}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function PromoteDialog({
  model,
  onClose,
  onDone,
}: {
  model: Model;
  onClose: () => void;
  onDone: () => void;
}) {
  const others = (["candidate", "production", "retired"] as const).filter((stage) => stage !== model.stage);
  const [stage, setStage] = useState<string>(
    others.includes("production") ? "production" : (others[0] ?? "retired"),
  );
  const [error, setError] = useState<unknown>();
  const submit = (event: Event): void => {
    event.preventDefault();
    call("model.promote", { arguments: { model: nameOf(model), stage } }).then(onDone, setError);
  };
  return (
    <Dialog title={`Promote ${nameOf(model)}`} onClose={onClose}>
      <form class="call" onSubmit={submit}>
        <p class="muted">
          One version of a name is in production; the one before is retired. To production goes what passed
          model.validate.
        </p>
        <fieldset>
          <legend>New stage</legend>
          {others.map((each) => (
            <label class="inline" key={each}>
              <input
                type="radio"
                name="stage"
                value={each}
                checked={stage === each}
                onChange={() => setStage(each)}
              />{" "}
              {each}
            </label>
          ))}
        </fieldset>
        <Failure error={error} />
        <div class="dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Promote
          </button>
        </div>
      </form>
    </Dialog>
  );
}
