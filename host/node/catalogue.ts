/** Messages about starting a complete node (TMC60xx), for `tmc explain`. */
import type { CatalogueEntry } from "../../compiler/diagnostics/catalogue-entry.js";

export const catalogue: readonly CatalogueEntry[] = [
  {
    code: "TMC6001",
    title: "no such configuration file",
    rule: "`--config` names a YAML file. Without it the node takes node.yaml of the current folder when there is one, else its defaults: loopback only, data in the folder tmc-node.",
    wrong: "tmc node start --config nod.yaml",
    right: "tmc node start --config node.yaml",
  },
  {
    code: "TMC6002",
    title: "the configuration is not YAML",
    rule: "The file is YAML 1.2; the message names the line.",
    wrong: "id: edge\n\tlabels: []",
    right: "id: edge\nlabels: []",
  },
  {
    code: "TMC6003",
    title: "the configuration breaks its schema",
    rule: "Every key, its range and its default is in docs/node.md. An unknown key is an error, so that a misspelt one does not silently mean its default.",
    wrong: "management: { prot: 8080 }",
    right: "management: { port: 8080 }",
  },
  {
    code: "TMC6004",
    title: "a secret or certificate is missing",
    rule: "Keys ending in From name environment variables, which must be set and not be empty; certificates and keys are PEM files that the node can read. None of them stands in node.yaml.",
    wrong: "bus: { external: { url: 'mqtt://broker', username: edge, passwordFrom: UNSET } }",
    right: "EDGE_PASSWORD=… tmc node start    (passwordFrom: EDGE_PASSWORD)",
  },
  {
    code: "TMC6005",
    title: "the external broker cannot be reached",
    rule: "A node starts when its bus is there; ten seconds are given. A broker that is lost later is reconnected to without end.",
  },
  {
    code: "TMC6006",
    title: "a trusted key cannot be read",
    rule: "functions.trustedKeys is a folder of public keys, PEM, named NAME.pem. Only functions signed by one of them are taken.",
    wrong: "functions: { trustedKeys: missing }",
    right: "functions: { trustedKeys: keys }",
  },
];
