/** Why an order would go where it would go: the router's own candidates and choice, with this node and its neighbours. */
import type { ServerRequest } from "../../bus/request-codec.js";
import { operationDefinition } from "../../bus/operations/catalogue.js";
import type { Failure } from "./answer-maker.js";
import type { Candidate, Explanation } from "./core-service.js";
import type { Dispatcher } from "./dispatcher.js";
import type { LocalOperations } from "./local-operations.js";
import type { NeighbourLink } from "./neighbour-link.js";
import { needOf, type Router } from "./router.js";
import { scoreParts } from "./score.js";

export interface ExplainInputs {
  readonly id: string;
  readonly labels: readonly string[];
  readonly request: ServerRequest;
  readonly payload: Uint8Array;
  /** Why the asker may not ask for it at all. */
  readonly denial: Failure | undefined;
  readonly hops: number;
  readonly locals: LocalOperations;
  readonly router: Router;
  readonly dispatcher: Dispatcher;
  readonly links: readonly NeighbourLink[];
}

const mostCandidates = 100;

export async function explain(inputs: ExplainInputs): Promise<Explanation> {
  const { request, router, dispatcher } = inputs;
  const why = await selfMisfit(inputs);
  const self: Candidate = { node: inputs.id, kind: "self", fits: why === "", why, score: undefined };
  const need = needOf(dispatcher.read(inputs.payload), inputs.payload.length);
  const others = router.candidates(need, [], mostCandidates - 1 - inputs.links.length);
  const neighbours = inputs.links.map((link): Candidate => {
    const fits = dispatcher.chooser.linkFits(link, []);
    const reason = fits ? "" : link.entry.online ? "busy" : "offline";
    return {
      node: link.id,
      kind: "server",
      fits,
      why: reason,
      score: fits ? scoreParts(link.entry) : undefined,
    };
  });
  const all = [self, ...others, ...neighbours];
  const candidates = [...all.filter((c) => c.fits), ...all.filter((c) => !c.fits)];
  if (inputs.denial !== undefined) {
    return { decision: "refuse", chosen: undefined, error: told(inputs.denial), candidates };
  }
  if (why === "") return { decision: "local", chosen: inputs.id, error: undefined, candidates };
  const choice = dispatcher.chooser.choose(need, {
    path: [],
    tried: [],
    hops: inputs.hops,
    attempts: 0,
    definition: operationDefinition(request.operation),
  });
  if (choice.kind === "to") {
    return { decision: choice.decision, chosen: choice.target.entry.id, error: undefined, candidates };
  }
  return { decision: "refuse", chosen: undefined, error: told(choice.failure), candidates };
}

function told({ code, text, field }: Failure): NonNullable<Explanation["error"]> {
  return { code, text, ...(field === undefined ? {} : { field }) };
}

/** Why this node does not serve it itself; "" when it does. */
async function selfMisfit(inputs: ExplainInputs): Promise<string> {
  const { request, locals } = inputs;
  const operation = locals.get(request.operation);
  if (operation === undefined) return "operation";
  if (locals.intercepts(operation, request)) return "";
  const { node = "", labels = [] } = request.selector ?? {};
  if (node !== "" && node !== inputs.id) return "selector.node";
  if (!labels.every((label) => inputs.labels.includes(label))) return "selector.labels";
  if (node === inputs.id) return "";
  return (await locals.canServe(operation, request)) ? "" : "not served here";
}
