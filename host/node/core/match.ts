/** Whether data fits a need, by firmware/core/fits.ts: for everybody on the host who asks. */
import type { Descriptor } from "../../bus/protocol.js";
import { descriptorOf } from "./capability.js";
import { subset } from "./subset.js";

/** The first field of `offer` that does not fit `need`; "" when all do. */
export function descriptorMatch(offer: Partial<Descriptor>, need: Partial<Descriptor>): string {
  return subset.mismatch(descriptorOf(offer), descriptorOf(need));
}
