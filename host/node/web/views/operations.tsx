/** Every operation with its latencies; one can be called, and explained where it would go. */
import { useMemo, useState } from "preact/hooks";
import { get } from "../api.js";
import { ms, number } from "../format.js";
import { Chart } from "../parts/chart.js";
import { Empty, Failure, Panel, Table } from "../parts/basic.js";
import { CallDialog } from "../parts/call-dialog.js";
import { ExplainDialog } from "../parts/explain-dialog.js";
import { useLive, useLoaded } from "../store.js";
import type { Capability, OperationTraffic, Traffic } from "../types.js";
import { Requests } from "./overview.js";

export function Operations() {
  const requests = useLive((live) => live.requests);
  const traffic = useLoaded(() => get<Traffic>("/requests?limit=1"), [], 5000);
  const offered = useLoaded(() => get<{ capabilities: Capability[] }>("/capabilities"), [], 15_000);
  const [chosen, setChosen] = useState<string>();
  const [calling, setCalling] = useState<Capability>();
  const [explaining, setExplaining] = useState<Capability>();
  const busy = traffic.value?.operations ?? [];
  const shown = busy.find((each) => each.operation === chosen) ?? busy[0];
  const capabilities = offered.value?.capabilities ?? [];
  return (
    <>
      <Failure error={traffic.error ?? offered.error} />
      <div class="columns even">
        <Panel title="Latency and rate, last five minutes">
          {shown === undefined || traffic.value === undefined ? (
            <Empty
              title="Nothing was asked in the last five minutes."
              command="tmc node call node.discover"
            />
          ) : (
            <>
              <label class="inline">
                Operation{" "}
                <select value={shown.operation} onChange={(event) => setChosen(event.currentTarget.value)}>
                  {busy.map(({ operation }) => (
                    <option key={operation}>{operation}</option>
                  ))}
                </select>
              </label>
              <Latencies traffic={traffic.value} operation={shown} />
            </>
          )}
        </Panel>
        <Panel title="Newest requests">
          <Requests requests={requests.slice(0, 10)} />
        </Panel>
      </div>
      <Panel title="Operations" wide>
        <Table
          label="Operations"
          numeric={["Count", "Errors", "p50", "p99"]}
          head={["Operation", "Offered by", "Count", "Errors", "p50", "p99", ""]}
        >
          {capabilities.map((each) => {
            const seen = busy.find(({ operation }) => operation === each.operation);
            return (
              <tr key={each.operation}>
                <th scope="row">
                  {each.operation}
                  <small class="muted">{each.summary}</small>
                </th>
                <td>{offeredBy(each)}</td>
                <td class="num">{seen === undefined ? "–" : number(seen.count)}</td>
                <td class={seen !== undefined && seen.errors > 0 ? "num bad" : "num"}>
                  {seen === undefined ? "–" : number(seen.errors)}
                </td>
                <td class="num">{ms(seen?.p50Ms)}</td>
                <td class="num">{ms(seen?.p99Ms)}</td>
                <td class="row-actions">
                  <button
                    type="button"
                    aria-label={`Call ${each.operation}`}
                    onClick={() => setCalling(each)}
                  >
                    Call
                  </button>
                  <button
                    type="button"
                    aria-label={`Explain the route of ${each.operation}`}
                    onClick={() => setExplaining(each)}
                  >
                    Explain
                  </button>
                </td>
              </tr>
            );
          })}
        </Table>
      </Panel>
      {calling === undefined ? null : (
        <CallDialog capability={calling} onClose={() => setCalling(undefined)} />
      )}
      {explaining === undefined ? null : (
        <ExplainDialog capability={explaining} onClose={() => setExplaining(undefined)} />
      )}
    </>
  );
}

function offeredBy({ local, nodes }: Capability): string {
  const others = nodes.length === 0 ? "" : nodes.length <= 3 ? nodes.join(", ") : `${nodes.length} nodes`;
  return [local ? "this server" : "", others].filter((text) => text !== "").join(", ") || "nobody now";
}

function Latencies({ traffic, operation }: { traffic: Traffic; operation: OperationTraffic }) {
  const { series } = operation;
  const x = useMemo(() => {
    const n = series.perS.length;
    return Array.from({ length: n }, (_, i) => traffic.endsAt / 1000 - (n - i) * traffic.sliceS);
  }, [traffic.endsAt, series.perS.length]);
  const latency = useMemo(
    () => [
      { name: "p50", values: series.p50Ms },
      { name: "p99", values: series.p99Ms },
    ],
    [series],
  );
  const rate = useMemo(
    () => [
      { name: "requests", values: series.perS },
      { name: "errors", values: series.errorsPerS },
    ],
    [series],
  );
  const { p50Ms, p99Ms, count, errors } = operation;
  return (
    <>
      <p class="muted">
        {number(count)} ended, {number(errors)} with an error; p50 {ms(p50Ms)}, p99 {ms(p99Ms)}
      </p>
      <Chart
        label={`Latency of ${operation.operation} in ms: p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}`}
        x={x}
        lines={latency}
        unit=" ms"
      />
      <Chart
        label={`Requests of ${operation.operation} per second`}
        x={x}
        lines={rate}
        unit=" /s"
        height={120}
      />
    </>
  );
}
