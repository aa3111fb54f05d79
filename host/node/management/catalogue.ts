/** Messages of the management interface and of the commands that ask it (TMC64xx), for `tmc explain`. */
import type { CatalogueEntry } from "../../../compiler/diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC6401",
    title: "the management interface would be open to others",
    rule: "On loopback the interface may be open or ask for the token. At any other address it asks for the token, and speaks HTTPS (`management.tls`) unless `plain: true` says that a proxy or the network protects it.",
    wrong: "management: { host: 0.0.0.0, open: true }",
    right: "management: { host: 0.0.0.0, tls: { cert: node.crt, key: node.key } }",
  },
  {
    code: "TMC6402",
    title: "the management interface cannot listen",
    rule: "Something else has the port, or the machine has no such address. `port: 0` takes any free port; the log says which.",
    wrong: "management: { port: 80 }",
    right: "management: { port: 8080 }",
  },
  {
    code: "TMC6403",
    title: "the token file is not usable",
    rule: "The first start makes it with 32 random bytes, readable by its owner only (0600). Who can read it is the operator, so a file that others can read is refused.",
    wrong: "chmod 644 tmc-node/token",
    right: "chmod 600 tmc-node/token",
  },
  {
    code: "TMC6404",
    title: "the certificate of the management interface is not usable",
    rule: "`management.tls.cert` and `management.tls.key` are PEM files; relative paths are relative to the folder of node.yaml.",
    wrong: "management: { tls: { cert: node.p12, key: node.p12 } }",
    right: "management: { tls: { cert: node.crt, key: node.key } }",
  },
];
