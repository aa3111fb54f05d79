/** Rules of complete nodes: the general topic, routing, forwarding, repetitions over the server, spoofed messages. */
import type { Rule } from "./rule.js";

export const completeRules: readonly Rule[] = [];
