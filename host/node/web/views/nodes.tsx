/** All nodes in a table, with a filter; one opens at the side. */
import { useState } from "preact/hooks";
import { ago, ms } from "../format.js";
import { Badge, Empty, Panel, Table } from "../parts/basic.js";
import { NodeDrawer } from "../parts/node-drawer.js";
import { useLive } from "../store.js";
import type { Node } from "../types.js";

/** Rows that are drawn; the filter finds the others. */
const rows = 500;

const matches = (node: Node, filter: string): boolean =>
  [
    node.node,
    node.kind,
    ...node.labels,
    ...node.operations,
    ...node.models,
    ...node.sensors,
    node.online ? "online" : "offline",
  ].some((text) => text.toLowerCase().includes(filter));

export function Nodes() {
  const nodes = useLive((live) => live.nodes);
  const [filter, setFilter] = useState("");
  const [opened, setOpened] = useState<string>();
  const found = [...nodes.values()]
    .filter((node) => filter === "" || matches(node, filter.toLowerCase()))
    .sort((a, b) => Number(b.online) - Number(a.online) || (a.node < b.node ? -1 : 1));
  return (
    <Panel
      wide
      title={`${found.length} ${found.length === 1 ? "node" : "nodes"}`}
      actions={
        <input
          type="search"
          placeholder="id, label, operation, model …"
          aria-label="Filter nodes"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      }
    >
      {found.length === 0 ? (
        nodes.size === 0 ? (
          <Empty title="No node has joined this server yet." command="tmc node enroll pump-1">
            <p>Give a node an identity, then let it connect to the broker:</p>
          </Empty>
        ) : (
          <Empty title="No node matches the filter." />
        )
      ) : (
        <Table
          label="Nodes"
          numeric={["In flight", "Latency"]}
          head={[
            "Node",
            "State",
            "Software",
            "Sensors",
            "Models",
            "In flight",
            "Latency",
            "Last reset",
            "Seen",
          ]}
        >
          {found.slice(0, rows).map((node) => (
            <tr key={node.node}>
              <th scope="row">
                <button type="button" class="link" onClick={() => setOpened(node.node)}>
                  {node.node}
                </button>
              </th>
              <td>
                <Badge tone={node.online ? (node.errorFlags ? "warn" : "ok") : "idle"}>
                  {node.online ? (node.errorFlags ? "online, flags" : "online") : "offline"}
                </Badge>
              </td>
              <td>
                {node.software} {node.version}
              </td>
              <td>{node.sensors.join(", ")}</td>
              <td>{node.models.join(", ")}</td>
              <td class="num">{node.inFlight}</td>
              <td class="num">{ms(node.latencyMs)}</td>
              <td>{node.resetReason ?? "–"}</td>
              <td>{node.online ? "now" : ago(node.lastSeen)}</td>
            </tr>
          ))}
        </Table>
      )}
      {found.length > rows ? <p class="muted">and {found.length - rows} more: filter to find them</p> : null}
      {opened === undefined ? null : <NodeDrawer id={opened} onClose={() => setOpened(undefined)} />}
    </Panel>
  );
}
