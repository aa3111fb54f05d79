/**
 * Prometheus metrics of a node, in a registry of its own. Every label has a closed set of values (operations of the
 * catalogue, decisions, error codes, job states): what strangers send makes no new series. docs/management.md lists them.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import { errorCodes } from "../../bus/protocol-keys.js";
import { jobStates } from "../../bus/operations/task.js";
import type { JobState } from "../jobs/jobs.js";
import type { InferenceCounts } from "../models/deployed-models.js";
import type { ManagementParts } from "./parts.js";
import { addBrokerMetrics } from "./broker-metrics.js";
import { knownOperation } from "./traffic.js";

export interface Metrics {
  /** Prometheus text. */
  text(): Promise<string>;
  readonly contentType: string;
  close(): void;
}

export interface JobCounts {
  counts(): Promise<Readonly<Record<JobState, number>>>;
}

/** Starts to count; `close` ends it. */
export function createMetrics(parts: ManagementParts, jobs: JobCounts): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ node: parts.core.id });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  const requests = new Counter({
    name: "tmc_requests_total",
    help: "Requests that ended, by operation, decision and error (none: success)",
    labelNames: ["operation", "decision", "error"],
    registers,
  });
  const seconds = new Histogram({
    name: "tmc_request_seconds",
    help: "Time from arrival to the terminal answer",
    labelNames: ["operation"],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers,
  });
  const retries = new Counter({
    name: "tmc_request_retries_total",
    help: "Further attempts after a node died or did not answer",
    registers,
  });
  const stop = parts.core.on("request", (trace) => {
    const operation = knownOperation(trace.request.operation);
    const error =
      trace.error === undefined ? "none" : Object.hasOwn(errorCodes, trace.error) ? trace.error : "internal";
    requests.inc({ operation, decision: trace.decision, error });
    seconds.observe({ operation }, trace.totalMs / 1000);
    if (trace.attempts > 1) retries.inc(trace.attempts - 1);
  });

  const gauge = (
    name: string,
    help: string,
    collect: (gauge: Gauge) => void | Promise<void>,
    labels: string[] = [],
  ): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: labels,
      registers,
      collect: () => collect(made),
    });
  };
  gauge("tmc_nodes_online", "Nodes that are online", (g) =>
    g.set(parts.core.nodes().filter((n) => n.online).length),
  );
  gauge("tmc_nodes_known", "Nodes that are or were here", (g) => g.set(parts.core.nodes().length));
  gauge("tmc_requests_in_flight", "Requests dispatched to nodes and not answered", (g) =>
    g.set(parts.core.nodes().reduce((sum, n) => sum + n.inFlight, 0)),
  );
  gauge("tmc_requests_pending", "Requests that wait or run here, dispatched ones included", (g) =>
    g.set(parts.core.pending()),
  );
  gauge("tmc_neighbours_connected", "Neighbouring servers that can be reached", (g) =>
    g.set(parts.core.neighbours().filter((n) => n.connected).length),
  );
  gauge("tmc_node_up", "1 while requests are taken, 0 while draining or drained", (g) =>
    g.set(parts.state() === "running" ? 1 : 0),
  );
  gauge(
    "tmc_jobs",
    "Jobs that are kept, by state",
    async (g) => {
      const counts = await jobs.counts();
      for (const state of jobStates) g.set({ state }, counts[state]);
    },
    ["state"],
  );
  const { inferences } = parts;
  if (inferences !== undefined) {
    // Models that the owner deployed, and their labels: no stranger makes a series.
    const ofModels = (name: string, help: string, value: (counts: InferenceCounts) => number): void =>
      gauge(
        name,
        help,
        (g) => {
          g.reset();
          for (const counts of inferences()) g.set({ model: counts.model }, value(counts));
        },
        ["model"],
      );
    ofModels("tmc_model_inferences", "Inferences since the model was deployed or the node started", (c) => {
      return c.inferences;
    });
    ofModels(
      "tmc_model_inference_seconds",
      "Mean time of an inference, waiting included",
      (c) => c.meanUs / 1e6,
    );
    ofModels("tmc_model_recent_score", "Mean score of the best class, recently", (c) => c.recentScore);
    gauge(
      "tmc_model_decisions",
      "Decisions by label, of the most frequent ones",
      (g) => {
        g.reset();
        for (const { model, labels } of inferences()) {
          for (const [label, count] of Object.entries(labels)) g.set({ model, label }, count);
        }
      },
      ["model", "label"],
    );
  }
  const { storageBytes, brokerClients } = parts;
  if (storageBytes !== undefined) {
    gauge(
      "tmc_storage_bytes",
      "Bytes kept, by kind",
      async (g) => {
        for (const [kind, bytes] of Object.entries(await storageBytes())) g.set({ kind }, bytes);
      },
      ["kind"],
    );
  }
  if (brokerClients !== undefined) {
    gauge("tmc_broker_clients", "Clients of the embedded broker", (g) => g.set(brokerClients()));
  }
  if (parts.brokerStatus !== undefined) addBrokerMetrics(registry, parts.brokerStatus);
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close() {
      stop();
      registry.clear();
    },
  };
}
