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
  {
    code: "TMC6410",
    title: "no node answers",
    rule: "The commands ask the management interface of a running node: at --url, else TMC_NODE_URL, else where the node of node.yaml (or of the defaults) listens.",
    wrong: "tmc node status --url localhost:8080",
    right: "tmc node status --url http://localhost:8080",
  },
  {
    code: "TMC6411",
    title: "the token is missing or wrong",
    rule: "The token is in the file `token` of the node's state folder. Commands take it from --token-file, else TMC_NODE_TOKEN, else from the state folder that node.yaml names.",
    wrong: "tmc node status --url https://edge:8080",
    right: "tmc node status --url https://edge:8080 --token-file edge.token",
  },
  {
    code: "TMC6412",
    title: "the node refused",
    rule: "It answered with an error of the closed set, and where it is about a place in the request, with that place. docs/operations.md says what each means for each operation.",
    wrong: "tmc node call data.retrieve --arg name=nothing",
    right: "tmc node call data.list",
  },
  {
    code: "TMC6413",
    title: "what answers is not a node",
    rule: "Something else listens at the address.",
    wrong: "tmc node status --url http://localhost:80",
    right: "tmc node status --url http://localhost:8080",
  },
  {
    code: "TMC6414",
    title: "no such operation or argument",
    rule: "Operations and their arguments are those of docs/operations.md. `--arg` takes name=value: text as it is, lists by commas, everything else as JSON.",
    wrong: "tmc node call data.split --arg training 0.8",
    right: "tmc node call data.split --arg name=vibration --arg training=0.8",
  },
  {
    code: "TMC6415",
    title: "the input or output of a call is not usable",
    rule: "`--input` is a file, - for stdin, or a reference (sensor:NAME, data:NAME, blob:DIGEST, model:NAME); `--descriptor` is TYPE:SHAPE or JSON; `--output` needs an operation whose output has bytes.",
    wrong: "tmc node call model.infer --input accelerometer",
    right: "tmc node call model.infer --input sensor:accelerometer",
  },
];
