/** The configuration in force, connectors, and what the operator may do with the process. */
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { Failure, Panel } from "../parts/basic.js";
import { Dialog } from "../parts/dialog.js";
import { reloadStatus, useLive, useLoaded } from "../store.js";

const actions = {
  drain: {
    title: "Drain",
    text: "It takes nothing new and finishes what runs. Nodes are told that it is busy.",
  },
  resume: { title: "Resume", text: "It takes requests again." },
  stop: {
    title: "Stop",
    text: "The node ends in good order. This page is gone until it is started again: tmc node start",
  },
} as const;
type Action = keyof typeof actions;

export function Settings() {
  const status = useLive((live) => live.status);
  const { value, error } = useLoaded(() => get<Record<string, unknown>>("/configuration"), []);
  const [asked, setAsked] = useState<Action>();
  const [failed, setFailed] = useState<unknown>();
  const run = (action: Action): void => {
    setAsked(undefined);
    setFailed(undefined);
    post(`/control/${action}`)
      .then(() => reloadStatus(), setFailed)
      .catch(() => undefined);
  };
  const draining = status !== undefined && status.state !== "running";
  return (
    <>
      <Panel title="This node">
        <p>
          State: <b>{status?.state ?? "–"}</b>, {status?.pending ?? 0} pending
        </p>
        <Failure error={failed} />
        <div class="bar">
          <button type="button" disabled={draining} onClick={() => setAsked("drain")}>
            Drain
          </button>
          <button type="button" disabled={!draining} onClick={() => setAsked("resume")}>
            Resume
          </button>
          <button type="button" class="danger" onClick={() => setAsked("stop")}>
            Stop
          </button>
        </div>
      </Panel>
      <Panel title="Connectors">
        {(status?.connectors ?? []).length === 0 ? (
          <p class="muted">None: sensors and actuators are connected in node.yaml, under `connectors`.</p>
        ) : (
          <ul class="plain">
            {status?.connectors.map((each, i) => (
              <li key={i}>
                <b>{each.name}</b>: {each.sensors.length === 0 ? "no sensors" : each.sensors.join(", ")}
                {each.actuators.length === 0 ? "" : `; actuators ${each.actuators.join(", ")}`}
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title="Configuration" wide>
        <Failure error={error} />
        <p class="muted">
          As it is in force, defaults included. It is changed in node.yaml, and read at the start.
        </p>
        <pre tabIndex={0}>{value === undefined ? "" : JSON.stringify(value, undefined, 2)}</pre>
      </Panel>
      {asked === undefined ? null : (
        <Dialog title={`${actions[asked].title} this node?`} onClose={() => setAsked(undefined)}>
          <p>{actions[asked].text}</p>
          <div class="dialog-actions">
            <button type="button" onClick={() => setAsked(undefined)}>
              Do nothing
            </button>
            <button type="button" class={asked === "stop" ? "danger" : "primary"} onClick={() => run(asked)}>
              {actions[asked].title}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
