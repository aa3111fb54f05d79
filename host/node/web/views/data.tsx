/** Data sets: what is in them, and how their items look. */
import { useMemo, useState } from "preact/hooks";
import { get } from "../api.js";
import { ago, bytes, duration, number, plural } from "../format.js";
import { Empty, Failure, Panel, Shares } from "../parts/basic.js";
import { Chart } from "../parts/chart.js";
import { useLoaded } from "../store.js";
import type { DataItems, DataSet } from "../types.js";

export function Data() {
  const { value, error } = useLoaded(
    () => get<{ dataSets: DataSet[]; next?: string }>("/data?limit=200"),
    [],
    10_000,
  );
  const [chosen, setChosen] = useState<string>();
  const sets = value?.dataSets ?? [];
  const shown = sets.find((each) => each.name === chosen) ?? sets[0];
  if (value === undefined) return <Failure error={error} />;
  if (shown === undefined) {
    return (
      <Panel title="Data sets">
        <Empty
          title="There is no data set yet."
          command="tmc node call data.collect --arg sensor=accelerometer --arg frames=128 --arg name=vibration"
        >
          <p>Collect from a sensor into one:</p>
        </Empty>
      </Panel>
    );
  }
  return (
    <div class="columns side">
      <Panel title={plural(sets.length, "data set")}>
        <ul class="choices">
          {sets.map((each) => (
            <li key={each.name}>
              <button
                type="button"
                aria-pressed={each.name === shown.name}
                onClick={() => setChosen(each.name)}
              >
                <b>{each.name}</b>
                <span class="muted">
                  {plural(each.items, "item")}, {bytes(each.bytes)}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </Panel>
      <DataSetView set={shown} key={shown.name} />
    </div>
  );
}

function DataSetView({ set }: { set: DataSet }) {
  return (
    <Panel title={set.name}>
      <p class="muted">
        {[
          `${set.elementType ?? "any"} [${(set.shape ?? []).join(", ")}]`,
          set.rate === undefined ? "" : `${set.rate} Hz`,
          set.unit ?? "",
          set.origin === undefined ? "" : `from ${set.origin}`,
          `changed ${ago(set.changedAt)}`,
          set.ttlS === undefined ? "" : `items live ${duration(set.ttlS)}`,
        ]
          .filter((text) => text !== "")
          .join(" · ")}
      </p>
      <div class="columns even tight">
        <Shares label="Labels" counts={set.labels} />
        <Shares label="Usages" counts={set.usages} />
      </div>
      <Items set={set} />
    </Panel>
  );
}

const pageSize = 4;

function Items({ set }: { set: DataSet }) {
  const [offset, setOffset] = useState(0);
  const [label, setLabel] = useState("");
  const { value, error } = useLoaded(
    () =>
      get<DataItems>(
        `/data/${encodeURIComponent(set.name)}/items?offset=${offset}&limit=${pageSize}${label === "" ? "" : `&label=${encodeURIComponent(label)}`}`,
      ),
    [set.name, set.changedAt, offset, label],
  );
  const labels = Object.keys(set.labels).filter((name) => name !== "");
  return (
    <section>
      <div class="bar">
        <h3>Items</h3>
        {labels.length === 0 ? null : (
          <label class="inline">
            Label{" "}
            <select
              value={label}
              onChange={(event) => {
                setLabel(event.currentTarget.value);
                setOffset(0);
              }}
            >
              <option value="">all</option>
              {labels.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        <span class="grow" />
        <button
          type="button"
          disabled={offset === 0}
          onClick={() => setOffset(Math.max(0, offset - pageSize))}
        >
          Before
        </button>
        <span class="num">
          {value === undefined || value.total === 0
            ? "–"
            : `${offset + 1} to ${offset + value.items.length} of ${number(value.total)}`}
        </span>
        <button
          type="button"
          disabled={value === undefined || offset + pageSize >= value.total}
          onClick={() => setOffset(offset + pageSize)}
        >
          Next
        </button>
      </div>
      <Failure error={error} />
      <div class="waves">
        {value?.items.map((item, i) => (
          <Wave key={`${offset + i}`} item={item} items={value} number={offset + i + 1} />
        ))}
      </div>
    </section>
  );
}

/** The last dimension of small items is channels: one line each. */
export function channelsOf(
  values: readonly (number | null)[],
  shape: readonly number[],
): (number | null)[][] {
  const last = shape.length > 1 ? (shape.at(-1) ?? 1) : 1;
  const channels = last >= 1 && last <= 16 ? last : 1;
  return Array.from({ length: channels }, (_, c) => values.filter((_value, i) => i % channels === c));
}

function Wave({
  item,
  items,
  number: nth,
}: {
  item: DataItems["items"][number];
  items: DataItems;
  number: number;
}) {
  const { x, lines } = useMemo(() => {
    const channels = channelsOf(item.values, items.shape);
    const rate = items.rate ?? 1;
    return {
      x: Array.from({ length: channels[0]?.length ?? 0 }, (_, i) => i / rate),
      lines: channels.map((values, c) => ({ name: `channel ${c}`, values })),
    };
  }, [item, items]);
  const title = `Item ${nth}${item.label === undefined ? "" : `: ${item.label}`}`;
  return (
    <figure class="wave">
      <figcaption>{title}</figcaption>
      {item.values.length === 0 ? (
        <p class="muted">not numbers</p>
      ) : (
        <Chart
          label={`${title}, ${item.values.length} values`}
          x={x}
          lines={lines}
          time={false}
          height={130}
          legend={false}
        />
      )}
    </figure>
  );
}
