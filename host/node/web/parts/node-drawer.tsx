/** Everything that is known of one node, at the side. */
import { call, get } from "../api.js";
import { ago, duration, errorFlags, ms, number } from "../format.js";
import { healthLines, type Health } from "../health.js";
import { useLoaded } from "../store.js";
import type { NodeDetails } from "../types.js";
import { Badge, Failure } from "./basic.js";
import { Dialog } from "./dialog.js";

interface Sensor {
  readonly name: string;
  readonly channels: number;
  readonly unit?: string;
  readonly rate?: number;
}

interface Birth {
  readonly node: string;
  readonly boot: number;
  readonly kind: number;
  readonly software: string;
  readonly softwareVersion: string;
  readonly maxMsg: number;
  readonly queue: number;
  readonly operations: string[];
  readonly sensors?: Sensor[];
  readonly models?: { name: string; version: string; task?: string; cost?: Record<string, number> }[];
  readonly functions?: { name: string; version: string }[];
  readonly labels?: string[];
}

interface State {
  readonly uptimeS?: number;
  readonly errorFlags?: number;
  readonly resetReason?: string;
  readonly counters?: Readonly<Record<string, number | Record<string, number>>>;
}

const names: Readonly<Record<string, string>> = {
  received: "requests received",
  answered: "answers",
  malformed: "malformed, dropped",
  tooLarge: "too large, dropped",
  duplicates: "duplicates",
  traps: "traps",
  reconnects: "reconnects",
  unsent: "messages not sent",
};

export function NodeDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { value, error } = useLoaded(() => get<NodeDetails>(`/nodes/${encodeURIComponent(id)}`), [id], 5000);
  return (
    <Dialog kind="drawer" title={id} onClose={onClose}>
      <Failure error={error} />
      {value === undefined ? null : <Details details={value} />}
    </Dialog>
  );
}

function Details({ details }: { details: NodeDetails }) {
  // The birth record is strictly read by the server before it is kept.
  const birth = details.birth as unknown as Birth;
  const state = (details.state ?? {}) as State;
  const flags = errorFlags(state.errorFlags ?? 0);
  return (
    <>
      <p>
        <Badge tone={details.online ? "ok" : "idle"}>
          {details.online ? "online" : `offline, seen ${ago(details.lastSeen)}`}
        </Badge>{" "}
        {flags.map((flag) => (
          <Badge tone="warn" key={flag}>
            {flag}
          </Badge>
        ))}
      </p>
      <dl class="facts">
        <Fact name="kind" value={birth.kind === 1 ? "complete node" : "minimal node"} />
        <Fact name="software" value={`${birth.software} ${birth.softwareVersion}`} />
        <Fact name="boot" value={`${birth.boot}, last reset: ${state.resetReason ?? "unknown"}`} />
        <Fact name="up" value={state.uptimeS === undefined ? "–" : duration(state.uptimeS)} />
        <Fact name="in flight" value={number(details.inFlight)} />
        <Fact name="round trip" value={ms(details.latencyMs)} />
        <Fact name="largest message" value={`${number(birth.maxMsg)} B`} />
        <Fact name="queue" value={number(birth.queue)} />
        <Fact name="labels" value={(birth.labels ?? []).join(", ") || "none"} />
      </dl>
      {details.online && birth.kind === 0 ? <Marks id={birth.node} boot={birth.boot} /> : null}
      <h3>Operations</h3>
      <ul class="chips">
        {birth.operations.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
      <List title="Sensors" entries={(birth.sensors ?? []).map(sensorText)} none="It announces no sensor." />
      <List
        title="Models"
        entries={(birth.models ?? []).map(
          (m) => `${m.name}@${m.version}${m.task === undefined ? "" : `, ${m.task}`}`,
        )}
        none="It offers no model."
      />
      <List
        title="Functions"
        entries={(birth.functions ?? []).map((f) => `${f.name}@${f.version}`)}
        none="It offers no function."
      />
      <h3>Counters since boot</h3>
      <Counters counters={state.counters} />
    </>
  );
}

/** What only the node knows: it is asked when the drawer opens, and every half minute. */
function Marks({ id, boot }: { id: string; boot: number }) {
  const { value } = useLoaded(() => call("node.monitor", { selector: { node: id } }), [id, boot], 30_000);
  const lines = value === undefined ? [] : healthLines(value.result as Health);
  if (lines.length === 0) return null;
  return (
    <>
      <h3>Crash, stack and queues</h3>
      <dl class="facts" aria-label="Crash, stack and queues">
        {lines.map(({ name, value: text, warns }) => (
          <Fact key={name} name={name} value={text} warns={warns === true} />
        ))}
      </dl>
    </>
  );
}

const sensorText = ({ name, channels, unit, rate }: Sensor): string =>
  `${name}: ${channels} channel${channels === 1 ? "" : "s"}${unit === undefined ? "" : `, ${unit}`}${rate === undefined ? "" : `, ${rate} Hz`}`;

function Fact({ name, value, warns = false }: { name: string; value: string; warns?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{warns ? <Badge tone="warn">{value}</Badge> : value}</dd>
    </div>
  );
}

function List({ title, entries, none }: { title: string; entries: string[]; none: string }) {
  return (
    <>
      <h3>{title}</h3>
      {entries.length === 0 ? (
        <p class="muted">{none}</p>
      ) : (
        <ul class="plain">
          {entries.map((entry) => (
            <li key={entry}>{entry}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function Counters({ counters }: { counters: State["counters"] }) {
  if (counters === undefined) return <p class="muted">It has not told its counters yet.</p>;
  const { errors = {}, ...plain } = counters;
  return (
    <dl class="facts">
      {Object.entries(plain).map(([name, n]) => (
        <Fact key={name} name={names[name] ?? name} value={number(Number(n))} />
      ))}
      {Object.entries(errors).map(([code, n]) => (
        <Fact key={code} name={`error ${code}`} value={number(Number(n))} />
      ))}
    </dl>
  );
}
