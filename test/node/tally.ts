/**
 * Keeps the books of a hostile test: every message sent must appear in exactly one of the node's and the port's counts,
 * and every request that the node identified must have exactly one terminal answer on the bus.
 */
import { identityOf, type BusClient } from "../../host/bus/bus-client.js";
import type { Answer, Counters } from "../../host/bus/protocol.js";
import type { NodeProcess } from "../support/node-process.js";
import type { Bench } from "./minimal-node.js";

export interface Tally {
  /** Messages the test sent (without the tally's own requests). */
  readonly sent: number;
  /** Identified requests, duplicates included. */
  readonly received: number;
  readonly duplicates: number;
  readonly answered: number;
  readonly malformed: number;
  readonly tooLarge: number;
  /** Dropped by the port: above its limit, or no room. */
  readonly dropped: number;
  /** Terminal answers on the bus by identity. */
  readonly terminal: ReadonlyMap<string, number>;
}

function terminalAnswers(answers: readonly Answer[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const answer of answers) {
    if (answer.stage === 2) {
      counts.set(identityOf(answer), (counts.get(identityOf(answer)) ?? 0) + 1);
    }
  }
  return counts;
}

/** Sends the payloads one after the other and balances the books when the node has done with all of them. */
export async function sendAll(
  bench: Bench,
  node: NodeProcess,
  payloads: readonly Uint8Array[],
  qos: 0 | 1 = 1,
): Promise<Tally> {
  const { client } = bench;
  const dropped = async (): Promise<number> => {
    const statistics = await node.statistics();
    return (statistics.get("too_large") ?? 0) + (statistics.get("queue_full") ?? 0);
  };
  const { counters: before } = await bench.ask(node, "node.monitor");
  const droppedBefore = await dropped();
  const from = client.unmatched.length;
  await Promise.all(payloads.map((payload) => client.send(node.id, payload, qos)));
  // Messages of one sender stay in order: when this is answered, only background work is left.
  let status = await bench.ask(node, "node.monitor");
  // A monitor request is received before it looks and answered after: one of each between the first look and the last.
  let looks = 1;
  while (status.active > 0 && looks < 400) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    status = await bench.ask(node, "node.monitor");
    looks++;
  }
  await settled(client);
  const delta = (name: Exclude<keyof Counters, "errors">): number => status.counters[name] - before[name];
  return {
    sent: payloads.length,
    received: delta("received") - looks,
    duplicates: delta("duplicates"),
    answered: delta("answered") - looks,
    malformed: delta("malformed"),
    tooLarge: delta("tooLarge"),
    dropped: (await dropped()) - droppedBefore,
    terminal: terminalAnswers(client.unmatched.slice(from)),
  };
}

/** Waits until no message has come for a moment. */
async function settled(client: BusClient): Promise<void> {
  let last = -1;
  const total = (): number => [...client.received.values()].reduce((sum, count) => sum + count, 0);
  while (total() !== last) {
    last = total();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What does not balance; empty when all is well. */
export function imbalance(tally: Tally): string[] {
  const wrong: string[] = [];
  const accounted = tally.received + tally.malformed + tally.tooLarge + tally.dropped;
  if (accounted !== tally.sent) {
    wrong.push(`${tally.sent} were sent, but ${accounted} are accounted for`);
  }
  const requests = tally.received - tally.duplicates;
  if (tally.answered !== requests) {
    wrong.push(`${requests} requests have ${tally.answered} terminal answers by the node's own count`);
  }
  const onBus = [...tally.terminal.values()].reduce((sum, count) => sum + count, 0);
  if (onBus < requests || onBus > tally.received) {
    wrong.push(
      `${requests} requests (and ${tally.duplicates} repetitions) have ${onBus} terminal answers on the bus`,
    );
  }
  return wrong;
}
