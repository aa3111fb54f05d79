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
  {
    code: "TMC6104",
    title: "this name cannot be enrolled",
    rule: "A client's name is its MQTT client id: 1-23 characters of 0-9 a-z -. `q` is taken by the topics, and the node's own id by the node.",
    wrong: "tmc node enroll Pump_1",
    right: "tmc node enroll pump-1",
  },
  {
    code: "TMC6105",
    title: "enrolled already",
    rule: "A name belongs to one client. A new certificate for the same client is a renewal; another client takes another name, or the first is revoked.",
    wrong: "tmc node enroll pump-1",
    right: "tmc node enroll pump-1 --renew",
  },
  {
    code: "TMC6106",
    title: "not enrolled",
    rule: "Only who is enrolled, and not revoked, can be renewed or revoked. `tmc node identities` lists them.",
    wrong: "tmc node revoke pump-11",
    right: "tmc node revoke pump-1",
  },
  {
    code: "TMC6107",
    title: "the certificate request is refused",
    rule: "A request is PKCS #10 in PEM, signed by its own key (ECDSA P-256 or P-384, or RSA with at least 2048 bits). Its common name is the name that is enrolled.",
    wrong: "tmc node enroll pump-1 --csr pump-2.csr",
    right: "tmc node enroll pump-1 --csr pump-1.csr",
  },
  {
    code: "TMC6108",
    title: "the identities of the node cannot be read",
    rule: "`identities/` in the node's state folder holds its CA and who is enrolled. It is never repaired by guessing: restore it from a backup.",
  },
  {
    code: "TMC6109",
    title: "cannot write the files of an identity",
    rule: "The folder of --out must be one that can be created and written, without the key of an earlier enrolment.",
    wrong: "tmc node enroll pump-1 --out /proc/x",
    right: "tmc node enroll pump-1 --out keys/pump-1",
  },
  {
    code: "TMC6110",
    title: "what the broker kept cannot be read",
    rule: "`bus/journal` in the node's state folder holds retained messages, sessions and their queues. Damaged places of it are left out with a line in the log; a file that is not one, that another version wrote, or that cannot be read is never replaced by itself.",
    wrong: "rm -r tmc-node/bus/journal; mkdir tmc-node/bus/journal",
    right:
      "mv tmc-node/bus/journal /tmp   # nodes announce themselves again; what waited for clients that are away is lost",
  },
  {
    code: "TMC6111",
    title: "the broker does not answer",
    rule: "Something takes the connection at the address of the broker, but no MQTT connection comes about in time, or no subscription is granted.",
    wrong: "mqtt://localhost:8080",
    right: "mqtt://localhost:1883",
  },
];
