/** The node at a glance: figures, topology, the newest requests. */
import { useState } from "preact/hooks";
import { get } from "../api.js";
import { bytes, clock, duration, ms, number, plural } from "../format.js";
import { Empty, Panel, Tile } from "../parts/basic.js";
import { NodeDrawer } from "../parts/node-drawer.js";
import { Topology } from "../parts/topology.js";
import { useLive, useLoaded } from "../store.js";
import type { Status, Trace, Traffic } from "../types.js";

export function Overview() {
  const { status, nodes, requests } = useLive((live) => live);
  const [opened, setOpened] = useState<string>();
  if (status === undefined) return <p class="loading">…</p>;
  const known = [...nodes.values()];
  return (
    <>
      <Figures status={status} online={known.filter((node) => node.online).length} known={known.length} />
      <div class="columns">
        <Panel title="Topology">
          <Topology status={status} nodes={known} onOpen={setOpened} />
          {known.length === 0 ? (
            <Empty title="No node has joined yet." command="tmc run --board host">
              <p>Enrol one with an identity, or run the default minimal node on this machine:</p>
            </Empty>
          ) : null}
        </Panel>
        <Panel title="Newest requests" actions={<a href="#/operations">all operations</a>}>
          <Requests requests={requests.slice(0, 11)} />
        </Panel>
      </div>
      {opened === undefined ? null : <NodeDrawer id={opened} onClose={() => setOpened(undefined)} />}
    </>
  );
}

function Figures({ status, online, known }: { status: Status; online: number; known: number }) {
  const { value } = useLoaded(() => get<Traffic>("/requests?limit=1"), [], 5000);
  // The slice that is not over yet says too little.
  const last = (series: readonly number[]): number => series.at(-2) ?? 0;
  const rate = value?.operations.reduce((sum, each) => sum + last(each.series.perS), 0) ?? 0;
  const errors = value?.operations.reduce((sum, each) => sum + each.errors, 0) ?? 0;
  const slowest = value?.operations.reduce((worst, each) => Math.max(worst, each.p99Ms ?? 0), 0);
  const stored = Object.values(status.storageBytes ?? {}).reduce((sum, n) => sum + n, 0);
  const running = (status.jobs["running"] ?? 0) + (status.jobs["queued"] ?? 0);
  return (
    <dl class="tiles">
      <Tile label="Nodes online" value={number(online)} note={`of ${known} known`} />
      <Tile label="Requests" value={`${number(rate)} /s`} note={`${number(status.requests)} since start`} />
      <Tile label="Slowest p99" value={ms(slowest)} note={`${plural(errors, "error")} in 5 min`} />
      <Tile label="Pending" value={number(status.pending)} note={status.state} />
      <Tile label="Jobs" value={number(running)} note={`running or queued`} />
      {status.storageBytes === undefined ? null : (
        <Tile label="Stored" value={bytes(stored)} note={status.storage} />
      )}
      <Tile label="Up" value={duration(status.uptimeS)} note={`boot ${status.boot}, tmc ${status.version}`} />
    </dl>
  );
}

export function Requests({ requests }: { requests: readonly Trace[] }) {
  if (requests.length === 0) {
    return <Empty title="No request has ended yet." command="tmc node call node.discover" />;
  }
  return (
    <ul class="requests">
      {requests.map((each) => (
        <li key={`${each.sender}/${each.boot}/${each.id}/${each.at}`}>
          <time dateTime={each.at}>{clock(each.at)}</time>
          <span class="operation">{each.operation}</span>
          <span class="way muted">
            {each.sender} → {each.node}
          </span>
          {each.error === undefined ? (
            <span class="num">{ms(each.totalMs)}</span>
          ) : (
            <span class="bad num">{each.error}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
