/** Who may ask for what: the rules of the configuration, first match; after them the operation's own. Deny by default. */
import type { CallerRole, OperationDefinition } from "../../bus/operations/definition.js";

export interface AccessRule {
  /** Ids or patterns with * */
  readonly callers: readonly string[];
  readonly operations: readonly string[];
  readonly allow: boolean;
}

const mostKnown = 10_000;

export class Access {
  private readonly rules: readonly {
    readonly callers: RegExp;
    readonly operations: RegExp;
    readonly allow: boolean;
  }[];
  private readonly known = new Map<string, boolean>();

  constructor(rules: readonly AccessRule[]) {
    this.rules = rules.map((rule) => ({
      callers: anyOf(rule.callers),
      operations: anyOf(rule.operations),
      allow: rule.allow,
    }));
  }

  /** An operation outside the protocol's list is for servers and operators, unless a rule says otherwise. */
  allows(
    caller: string,
    role: CallerRole,
    operation: string,
    definition: OperationDefinition | undefined,
  ): boolean {
    const byRule = this.rules.length === 0 ? undefined : this.byRule(caller, operation);
    return byRule ?? (definition === undefined ? role !== "node" : definition.callers.includes(role));
  }

  private byRule(caller: string, operation: string): boolean | undefined {
    const key = `${caller}\n${operation}`;
    if (this.known.has(key)) return this.known.get(key);
    const rule = this.rules.find((r) => r.callers.test(caller) && r.operations.test(operation));
    if (this.known.size >= mostKnown) this.known.clear();
    // Undefined is kept too: no rule speaks of it.
    this.known.set(key, rule?.allow as boolean);
    return rule?.allow;
  }
}

function anyOf(patterns: readonly string[]): RegExp {
  const alternatives = patterns.map((p) =>
    p
      .split("*")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*"),
  );
  return new RegExp(`^(?:${alternatives.join("|")})$`);
}
