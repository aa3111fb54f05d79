/**
 * Who gets a request: the best node of this bus, a server that is joined to it or that it is joined to, a node that may come
 * back; or why nobody does. It sends nothing.
 */
import type { Absences } from "./absences.js";
import type { Failure } from "./answer-maker.js";
import { preferred } from "./capability.js";
import type { Exchange, Target } from "./exchange.js";
import type { NeighbourLink } from "./neighbour-link.js";
import type { Need, Router } from "./router.js";

export type Choice =
  | { readonly kind: "to"; readonly target: Target; readonly decision: "dispatch" | "forward" }
  | { readonly kind: "refuse"; readonly failure: Failure };

const mostAttempts = 20;

export interface ChooserOptions {
  readonly id: string;
  readonly router: Router;
  readonly links: readonly NeighbourLink[];
  /** Does this node itself offer the operation? */
  readonly offersHere: (operation: string) => boolean;
}

export class Chooser {
  constructor(
    private readonly options: ChooserOptions,
    private readonly absences: Absences,
  ) {}

  /** The one way to a decision, for requests and for explanations. */
  choose(
    need: Need,
    exchange: Pick<Exchange, "path" | "tried" | "hops" | "definition" | "attempts">,
  ): Choice {
    const choice = this.chooseNow(need, exchange);
    if (choice.kind === "to" || this.absences.none || exchange.attempts >= mostAttempts) return choice;
    const excluded = [...exchange.path, ...exchange.tried];
    for (const entry of this.absences.entries()) {
      // It waits in the queue of that node.
      if (this.options.router.wouldFit(entry, need, excluded)) {
        return { kind: "to", decision: "dispatch", target: { entry, link: undefined } };
      }
    }
    return choice;
  }

  /** Only among those that are here. */
  chooseNow(
    need: Need,
    exchange: Pick<Exchange, "path" | "tried" | "hops" | "definition" | "attempts">,
  ): Choice {
    const { id, router, offersHere } = this.options;
    const excluded =
      exchange.tried.length === 0 && exchange.path.length === 0 ? [] : [...exchange.path, ...exchange.tried];
    const node = exchange.attempts < mostAttempts ? router.best(need, excluded, false) : undefined;
    if (node !== undefined) {
      return { kind: "to", decision: "dispatch", target: { entry: node, link: undefined } };
    }
    const { definition } = exchange;
    const refused = router.refusal(need, excluded, {
      known: definition !== undefined,
      here: definition !== undefined && offersHere(definition.name),
    });
    const failure: Failure = { ...refused, ...(refused.code === "busy" ? { retryAfterMs: 200 } : {}) };
    // A node that is joined here can be reached in no other way.
    if (need.node === id || (need.node !== "" && router.isHere(need.node)))
      return { kind: "refuse", failure };
    const server = exchange.attempts < mostAttempts ? this.nextServer(need, excluded) : undefined;
    if (server === undefined) return { kind: "refuse", failure };
    if (exchange.hops <= 0) {
      return { kind: "refuse", failure: { code: "hops-exhausted", text: "too many servers on the way" } };
    }
    return { kind: "to", decision: "forward", target: server };
  }

  /** Servers that announced the operation first, then those this one is joined to. */
  private nextServer(need: Need, excluded: readonly string[]): Target | undefined {
    const joined = this.options.router.best(need, excluded, true);
    if (joined !== undefined) return { entry: joined, link: undefined };
    let best: NeighbourLink | undefined;
    for (const link of this.options.links) {
      if (!this.linkFits(link, excluded)) continue;
      if (link.id === need.node) return { entry: link.entry, link };
      if (best === undefined || preferred(link.entry, best.entry)) best = link;
    }
    return best === undefined ? undefined : { entry: best.entry, link: best };
  }

  linkFits(link: NeighbourLink, excluded: readonly string[]): boolean {
    return link.entry.online && !excluded.includes(link.id) && this.options.router.hasRoom(link.entry);
  }
}
