/** What the embedded broker counts, as Prometheus metrics. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { BrokerCounts } from "./parts.js";

/** Adds them; each look at the registry asks `status` once more. */
export function addBrokerMetrics(registry: Registry, status: () => BrokerCounts): void {
  const registers = [registry];
  const gauge = (name: string, help: string, of: (counts: BrokerCounts) => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(of(status())) });
  };
  gauge(
    "tmc_broker_connections",
    "TCP connections, also of those who are not clients yet",
    (c) => c.connections,
  );
  gauge("tmc_broker_half_open", "Connections that have not proved who they are", (c) => c.halfOpen);
  gauge("tmc_broker_sessions", "Sessions that outlive their connections", (c) => c.sessions);
  gauge("tmc_broker_queued_messages", "QoS 1 messages that sessions have not acknowledged", (c) => c.queued);
  gauge("tmc_broker_retained_messages", "Retained messages", (c) => c.retained);
  new Counter({
    name: "tmc_broker_messages_total",
    help: "Messages of clients since the start",
    registers,
    collect() {
      this.reset();
      this.inc(status().received);
    },
  });
  new Counter({
    name: "tmc_broker_refused_total",
    help: "What the broker refused, by reason",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(status().refused)) this.inc({ reason }, count);
    },
  });
}
