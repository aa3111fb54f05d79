/** What one node (or neighbouring server) has to do for this server: what it runs, and what waits for room there. */
import type { Exchange } from "./exchange.js";
import { IndexedHeap } from "./indexed-heap.js";

export class NodeWork {
  readonly running = new Set<Exchange>();
  /** The highest priority first, then the first come. */
  readonly waiting = new IndexedHeap<"queueAt", Exchange>("queueAt", (a, b) =>
    a.priority !== b.priority ? a.priority > b.priority : a.order < b.order,
  );
}
