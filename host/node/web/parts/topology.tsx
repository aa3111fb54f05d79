/** The server, its neighbours and its nodes as a drawing that moves with the requests. */
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { usePulse } from "../store.js";
import type { Node, Status, Trace } from "../types.js";

/** More are in the table. */
const drawn = 36;

/** Of the drawing, in its own units. */
interface Frame {
  readonly width: number;
  readonly height: number;
}

const wideFrame: Frame = { width: 720, height: 420 };
/** For phones: the same size of text on less room. */
const narrowFrame: Frame = { width: 380, height: 460 };
const narrow = matchMedia("(max-width: 560px)");

function useFrame(): Frame {
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const change = (): void => setNarrow(narrow.matches);
    narrow.addEventListener("change", change);
    // It may have changed since the drawing.
    change();
    return () => narrow.removeEventListener("change", change);
  }, []);
  return isNarrow ? narrowFrame : wideFrame;
}

const centreOf = ({ width, height }: Frame): { readonly x: number; readonly y: number } => ({
  x: width / 2,
  y: height / 2 + 14,
});

interface Place {
  readonly node: Node;
  readonly x: number;
  readonly y: number;
}

/** Nodes on one or two ellipses around the server, by id, so that a node keeps its side. */
export function placesOf(nodes: readonly Node[], frame: Frame): Place[] {
  const { width, height } = frame;
  const centre = centreOf(frame);
  const inner = nodes.length > 16 ? Math.ceil(nodes.length / 3) : 0;
  return nodes.map((node, i) => {
    const isInner = i < inner;
    const count = isInner ? inner : nodes.length - inner;
    const index = isInner ? i : i - inner;
    // The top is the neighbours'.
    const angle = Math.PI * (-0.32 + (1.64 * (index + 0.5)) / Math.max(1, count));
    const [rx, ry] = isInner
      ? [width * 0.24, height * 0.21]
      : [width / 2 - (width > 500 ? 70 : 40), height / 2 - 52];
    return { node, x: centre.x + rx * Math.cos(angle), y: centre.y + ry * Math.sin(angle) };
  });
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

interface TopologyProps {
  readonly status: Status;
  readonly nodes: readonly Node[];
  readonly onOpen: (node: string) => void;
}

export function Topology({ status, nodes, onOpen }: TopologyProps) {
  const sorted = [...nodes]
    .filter((node) => node.node !== status.id)
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  const shown = [...sorted.filter((n) => n.online), ...sorted.filter((n) => !n.online)]
    .slice(0, drawn)
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  const frame = useFrame();
  const { width, height } = frame;
  const centre = centreOf(frame);
  const places = placesOf(shown, frame);
  // A server that is alone needs no more room than its box.
  const alone = places.length + status.neighbours.length === 0;
  const view = alone ? `0 ${centre.y - 50} ${width} 100` : `0 0 ${width} ${height}`;
  const layer = useRef<SVGGElement>(null);
  const edges = useRef(new Map<string, SVGPathElement>());

  usePulse(
    useCallback((trace: Trace) => {
      const from = edges.current.get(trace.sender);
      const to = edges.current.get(trace.node);
      if (from !== undefined) pulse(layer.current, from, true, trace.error !== undefined);
      if (to !== undefined && to !== from) pulse(layer.current, to, false, trace.error !== undefined);
    }, []),
  );
  const edge = (id: string) => (element: SVGPathElement | null) => {
    if (element === null) edges.current.delete(id);
    else edges.current.set(id, element);
  };
  const step = width / (status.neighbours.length + 1);
  return (
    <>
      <svg class="topology" viewBox={view} role="group" aria-label="Nodes around this server">
        {status.neighbours.map(({ id, connected }, i) => (
          <g key={id} class={connected ? "neighbour" : "neighbour away"}>
            <path ref={edge(id)} class="edge" d={`M${step * (i + 1)} 34L${centre.x} ${centre.y}`} />
            <rect x={step * (i + 1) - 62} y="10" width="124" height="44" rx="6" />
            <text x={step * (i + 1)} y="30">
              {id}
            </text>
            <text x={step * (i + 1)} y="45" class="note">
              {connected ? "server, connected" : "server, away"}
            </text>
          </g>
        ))}
        {places.map(({ node, x, y }) => (
          <path
            key={node.node}
            ref={edge(node.node)}
            class={node.online ? "edge" : "edge away"}
            d={`M${x.toFixed(1)} ${y.toFixed(1)}L${centre.x} ${centre.y}`}
          />
        ))}
        <g ref={layer} class="pulses" aria-hidden="true" />
        <Spot
          id={status.id}
          label={`${status.id}, this server, ${status.state}`}
          onOpen={onOpen}
          class="server"
        >
          <rect x={centre.x - 58} y={centre.y - 26} width="116" height="52" rx="8" />
          <text x={centre.x} y={centre.y - 1}>
            {status.id}
          </text>
          <text x={centre.x} y={centre.y + 15} class="note">
            {status.pending} pending
          </text>
        </Spot>
        {places.map(({ node, x, y }) => (
          <Spot
            key={node.node}
            id={node.node}
            label={`${node.node}, ${node.online ? "online" : "offline"}, ${node.inFlight} in flight${node.errorFlags ? ", error flags" : ""}`}
            onOpen={onOpen}
            class={node.online ? (node.errorFlags ? "node warn" : "node ok") : "node away"}
          >
            <circle cx={x} cy={y} r={node.kind === "complete" ? 17 : 13} />
            {node.inFlight > 0 ? (
              <text x={x} y={y + 4} class="count">
                {node.inFlight}
              </text>
            ) : node.online ? null : (
              <path class="cross" d={`M${x - 4} ${y - 4}l8 8m0 -8l-8 8`} />
            )}
            <text x={x} y={y + 29}>
              {node.node}
            </text>
          </Spot>
        ))}
      </svg>
      {sorted.length > drawn ? (
        <p class="muted">
          and {sorted.length - drawn} more: <a href="#/nodes">all nodes</a>
        </p>
      ) : null}
    </>
  );
}

/** Something of the drawing that opens by mouse and by key. */
function Spot(props: {
  id: string;
  label: string;
  class: string;
  onOpen: (id: string) => void;
  children: ComponentChildren;
}) {
  return (
    <g
      class={`spot ${props.class}`}
      role="button"
      tabindex={0}
      aria-label={props.label}
      data-node={props.id}
      onClick={() => props.onOpen(props.id)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        props.onOpen(props.id);
      }}
    >
      {props.children}
    </g>
  );
}

const pulsesAtMost = 24;

/** A dot that runs along the edge; a short glow of the edge where motion is not wanted. */
function pulse(layer: SVGGElement | null, edge: SVGPathElement, inward: boolean, failed: boolean): void {
  if (reducedMotion.matches) {
    edge.classList.add("busy");
    setTimeout(() => edge.classList.remove("busy"), 400);
    return;
  }
  if (layer === null || layer.childElementCount >= pulsesAtMost) return;
  const length = edge.getTotalLength();
  const from = edge.getPointAtLength(inward ? 0 : length);
  const to = edge.getPointAtLength(inward ? length : 0);
  const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  dot.setAttribute("r", "4");
  dot.setAttribute("class", failed ? "failed" : "");
  layer.append(dot);
  const at = (point: DOMPoint): string => `translate(${point.x}px, ${point.y}px)`;
  dot.animate([{ transform: at(from) }, { transform: at(to) }], {
    duration: 600,
    easing: "ease-in-out",
  }).onfinish = () => dot.remove();
}
