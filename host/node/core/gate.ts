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
    /** Does this node, or one of its bus, offer an operation of this name? */
    private readonly isOffered: (operation: string) => boolean,
  ) {}

  /** Counts what is taken: the order among equals. */
  nextArrival(): number {
    return ++this.arrivals;
  }

  /** Why this caller may not ask for it; undefined when it may. A name that there is not is nobody's secret. */
  denial(caller: string, role: CallerRole, operation: string): Failure | undefined {
    const definition = operationDefinition(operation);
    if (this.access.allows(caller, role, operation, definition)) return undefined;
    if (definition === undefined && !this.isOffered(operation)) {
      return { code: "unknown-operation", text: "", field: "operation" };
    }
    return { code: "forbidden", text: `not for the role ${role}`, field: "operation" };
  }

  /** Undefined: it may come in. */
  refusal(caller: string, role: CallerRole, operation: string, deadlineMs: number): Failure | undefined {
    const denial = this.denial(caller, role, operation);
    if (denial?.code === "forbidden") this.counts.forbidden++;
    if (denial !== undefined) return denial;
    if (deadlineMs === 0) return { code: "deadline", text: "no time left", field: "deadline" };
    if (this.draining) return { code: "busy", text: "the server is draining", retryAfterMs: 1000 };
    if (this.table.size >= this.inFlight) {
      return { code: "busy", text: "too many requests", retryAfterMs: 500 };
    }
    return undefined;
  }
}
