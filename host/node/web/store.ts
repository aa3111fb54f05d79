/** What the page knows of the node, kept up to date by live events; everything in it is bounded. */
import { useEffect, useState } from "preact/hooks";
import { get } from "./api.js";
import type { Job, LogLine, Node, Status, Trace } from "./types.js";

const requestsKept = 200;
const linesKept = 1000;
const jobsKept = 500;

export interface Live {
  /** Events come in; false: what is shown may be old. */
  readonly connected: boolean;
  /** How often the node came back: what was read before may be old. */
  readonly returns: number;
  readonly status: Status | undefined;
  readonly nodes: ReadonlyMap<string, Node>;
  /** Newest first. */
  readonly requests: readonly Trace[];
  /** Newest first. */
  readonly jobs: readonly Job[];
  /** Oldest first. */
  readonly lines: readonly LogLine[];
}

let live: Live = {
  connected: false,
  returns: 0,
  status: undefined,
  nodes: new Map(),
  requests: [],
  jobs: [],
  lines: [],
};
const listeners = new Set<() => void>();
const pulses = new Set<(trace: Trace) => void>();
let scheduled = false;

function change(part: Partial<Live>): void {
  live = { ...live, ...part };
  if (scheduled) return;
  scheduled = true;
  // One drawing for many events; a timer, because frames stop in a hidden tab.
  setTimeout(() => {
    scheduled = false;
    for (const listener of listeners) listener();
  }, 40);
}

/** The part of the state that `select` picks; the component is drawn again when it is another. */
export function useLive<T>(select: (live: Live) => T): T {
  const [value, setValue] = useState<T>(() => select(live));
  useEffect(() => {
    const listener = (): void => setValue(() => select(live));
    listeners.add(listener);
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return value;
}

/** Calls `handler` for every request that is told live. */
export function usePulse(handler: (trace: Trace) => void): void {
  useEffect(() => {
    pulses.add(handler);
    return () => {
      pulses.delete(handler);
    };
  }, [handler]);
}

const nodesKept = 5000;

/** Page by page. */
async function readNodes(): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let after: string | undefined = ""; after !== undefined && nodes.length < nodesKept;) {
    const page: { nodes: Node[]; next?: string } = await get(
      `/nodes${after === "" ? "" : `?after=${after}`}`,
    );
    nodes.push(...page.nodes);
    after = page.next;
  }
  return nodes;
}

/** Events that came while the state was being read: they may be newer than it, and are applied behind it. */
let held: (() => void)[] | undefined;

function take(apply: () => void): void {
  if (held === undefined) apply();
  else held.push(apply);
}

/** Reads the whole state. */
export async function reload(): Promise<void> {
  held ??= [];
  try {
    await readState();
  } finally {
    const late = held ?? [];
    held = undefined;
    for (const apply of late) apply();
  }
}

async function readState(): Promise<void> {
  const [status, nodes, { jobs }, { lines }, { recent }] = await Promise.all([
    get<Status>("/status"),
    readNodes(),
    get<{ jobs: Job[] }>("/jobs?limit=100"),
    get<{ lines: LogLine[] }>("/logs?limit=500"),
    get<{ recent: Trace[] }>("/requests?limit=100"),
  ]);
  change({
    status,
    nodes: new Map(nodes.map((node) => [node.node, node])),
    jobs,
    lines,
    requests: recent,
  });
}

export const reloadStatus = async (): Promise<void> => change({ status: await get<Status>("/status") });

const keyOf = ({ sender, boot, id, at }: Trace): string => `${sender}/${boot}/${id}/${at}`;

function takeJob(job: Job): void {
  const known = live.jobs.findIndex((each) => each.id === job.id);
  const jobs = known < 0 ? [job, ...live.jobs] : live.jobs.map((each, i) => (i === known ? job : each));
  change({ jobs: jobs.slice(0, jobsKept) });
}

interface Load {
  readonly state: Status["state"];
  readonly pending: number;
  readonly neighbours: Status["neighbours"];
  readonly nodes: Readonly<Record<string, { inFlight: number; latencyMs?: number }>>;
}

function takeLoad(load: Load): void {
  const nodes = new Map(live.nodes);
  for (const [id, now] of Object.entries(load.nodes)) {
    const node = nodes.get(id);
    if (node !== undefined) nodes.set(id, { ...node, ...now });
  }
  const { state, pending, neighbours } = load;
  change({
    nodes,
    ...(live.status === undefined ? {} : { status: { ...live.status, state, pending, neighbours } }),
  });
}

/** Listens until the returned function is called. */
export function listen(): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const refresh = setInterval(() => void reloadStatus().catch(() => undefined), 5000);
  const on = <T>(kind: string, apply: (value: T) => void): void =>
    source?.addEventListener(kind, (event) => {
      const value = JSON.parse(String(event.data)) as T;
      take(() => apply(value));
    });
  let opened = false;
  const open = (): void => {
    source = new EventSource("/api/v1/events");
    source.onopen = () => {
      change({ connected: true, returns: live.returns + (opened ? 1 : 0) });
      opened = true;
      void reload().catch(() => undefined);
    };
    source.onerror = () => {
      change({ connected: false });
      // Refused, not broken: the browser does not try again by itself.
      if (source?.readyState !== EventSource.CLOSED) return;
      retry = setTimeout(open, 3000);
      // It may be the session that is over: the answer tells.
      void reloadStatus().catch(() => undefined);
    };
    on<Node>("node", (node) => {
      change({ nodes: new Map(live.nodes).set(node.node, node) });
      void reloadStatus().catch(() => undefined);
    });
    on<Load>("load", takeLoad);
    on<Trace>("request", (trace) => {
      const known = live.requests.some((each) => keyOf(each) === keyOf(trace));
      if (!known) change({ requests: [trace, ...live.requests].slice(0, requestsKept) });
      for (const pulse of pulses) pulse(trace);
    });
    on<Job>("job", takeJob);
    on<LogLine>("log", (line) => {
      const text = JSON.stringify(line);
      if (live.lines.slice(-50).some((each) => JSON.stringify(each) === text)) return;
      change({ lines: [...live.lines, line].slice(-linesKept) });
    });
    source.addEventListener("resync", () => void reload().catch(() => undefined));
  };
  open();
  return () => {
    source?.close();
    clearTimeout(retry);
    clearInterval(refresh);
    change({ connected: false });
  };
}

/** The value that `load` gives, read again when `again` changes, when the node came back, and every `everyMs`. */
export function useLoaded<T>(
  load: () => Promise<T>,
  again: readonly unknown[],
  everyMs?: number,
): { readonly value: T | undefined; readonly error: unknown; readonly reload: () => void } {
  const [state, setState] = useState<{ value: T | undefined; error: unknown }>({
    value: undefined,
    error: undefined,
  });
  const [turn, setTurn] = useState(0);
  const returns = useLive((now) => now.returns);
  useEffect(() => {
    let left = false;
    const read = (): void => {
      load().then(
        (value) => left || setState({ value, error: undefined }),
        (error: unknown) => left || setState((before) => ({ ...before, error })),
      );
    };
    read();
    const timer = everyMs === undefined ? undefined : setInterval(read, everyMs);
    return () => {
      left = true;
      clearInterval(timer);
    };
  }, [...again, turn, returns]);
  return { ...state, reload: () => setTurn((n) => n + 1) };
}
