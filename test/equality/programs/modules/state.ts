import { trace } from "./trace.js";

export enum Kind {
  Small,
  Large = 5,
}
export interface Item {
  readonly value: i32;
  readonly kind: Kind;
}
/** A live binding: importers see what increment changed. */
export let counter: i32 = 100;
export function increment(by: i32 = 1): void {
  counter += by;
}
trace("state");
increment();
