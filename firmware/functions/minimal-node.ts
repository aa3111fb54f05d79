/** A node with the operations that every minimal node has. */
import type { NodeOptions } from "../core/node.js";
import { Node } from "../core/node.js";
import { NodeConfigure } from "./node-configure.js";
import { NodeDescribe } from "./node-describe.js";
import { NodeMonitor } from "./node-monitor.js";

/** Add what is yours with `offer`, then call `serve`. @setup */
export function minimalNode(options: NodeOptions): Node {
  const node = new Node(options);
  node.offer(new NodeDescribe(node));
  node.offer(new NodeMonitor(node));
  node.offer(new NodeConfigure(node.settings));
  return node;
}
