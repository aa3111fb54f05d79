/**
 * What keeps anybody's request, from the bus or from inside, from being taken at all: no time left, access, a server that
 * drains, too many in flight. It answers nobody.
 */
import { operationDefinition } from "../../bus/operations/catalogue.js";
import type { CallerRole } from "../../bus/operations/definition.js";
import type { Access } from "./access.js";
import type { Failure } from "./answer-maker.js";
import type { CoreCounters } from "./core-counters.js";
import type { ExchangeTable } from "./exchange-table.js";

export class Gate {
  /** Takes nothing new. */
  draining = false;
  private arrivals = 0;

  constructor(
    private readonly access: Access,
    private readonly table: ExchangeTable,
    /** Requests without a terminal answer, at most. */
    private readonly inFlight: number,
    private readonly counts: CoreCounters,
  ) {}

  /** Counts what is taken: the order among equals. */
  nextArrival(): number {
    return ++this.arrivals;
  }

  allows(caller: string, role: CallerRole, operation: string): boolean {
    return this.access.allows(caller, role, operation, operationDefinition(operation));
  }

  /** Undefined: it may come in. */
  refusal(caller: string, role: CallerRole, operation: string, deadlineMs: number): Failure | undefined {
    if (deadlineMs === 0) return { code: "deadline", text: "no time left", field: "deadline" };
    if (!this.allows(caller, role, operation)) {
      this.counts.forbidden++;
      return { code: "forbidden", text: `not for the role ${role}`, field: "operation" };
    }
    if (this.draining) return { code: "busy", text: "the server is draining", retryAfterMs: 1000 };
    if (this.table.size >= this.inFlight) {
      return { code: "busy", text: "too many requests", retryAfterMs: 500 };
    }
    return undefined;
  }
}
