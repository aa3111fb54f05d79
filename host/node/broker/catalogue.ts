/** Messages of the Message Bus Server and of identities (TMC61xx), for `tmc explain`. */
import type { CatalogueEntry } from "../../../compiler/diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC6101",
    title: "the broker would listen to the network without TLS",
    rule: "Plain MQTT is for loopback only. At any other address clients speak TLS and show a certificate.",
    wrong: "bus: { broker: { host: 0.0.0.0, port: 1883 } }",
    right: "bus: { broker: { host: 0.0.0.0, tls: { port: 8883 } } }",
  },
  {
    code: "TMC6102",
    title: "the broker cannot listen",
    rule: "The port is in use, or this user may not open it. Port 0 takes a free one.",
    wrong: "bus: { broker: { port: 80 } }",
    right: "bus: { broker: { port: 1883 } }",
  },
  {
    code: "TMC6103",
    title: "TLS without certificates",
    rule: "A broker with TLS needs the node's CA, and a certificate of its own. `tmc node start` makes them.",
  },
];
