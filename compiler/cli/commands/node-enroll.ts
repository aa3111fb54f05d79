/** `tmc node enroll`: an identity for a client of the node's bus: certificate, key, password, ready to be copied to it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Option, type Command } from "commander";
import type { CallerRole } from "../../../host/bus/operations/definition.js";
import type { Enrolment } from "../../../host/node/broker/identity-store.js";
import { ExitCode, UserError } from "../../diagnostics/user-error.js";
import { printJson } from "../failure.js";
import { describeCommand } from "../help.js";
import { nodeGroup } from "./node.js";

interface EnrollOptions {
  readonly role: CallerRole;
  readonly out?: string;
  readonly csr?: string;
  readonly days: string;
  readonly renew?: true;
  readonly overlap: string;
  readonly config?: string;
  readonly json?: true;
}

export function registerNodeEnroll(program: Command): void {
  const command = nodeGroup(program)
    .command("enroll")
    .description("give a client an identity on this node's bus: certificate, key and password")
    .argument("<name>", "its id: 1-23 characters of 0-9 a-z -")
    .addOption(
      new Option("--role <role>", "what it may ask for")
        .choices(["node", "server", "operator"])
        .default("node"),
    )
    .option("--out <dir>", "folder for its files (default: ./NAME)")
    .option("--csr <file>", "sign this request (PKCS #10, PEM), so that the key never leaves the client")
    .option("--days <n>", "how long the certificate is valid", "365")
    .option("--renew", "a new certificate and password for a client that is enrolled")
    .option("--overlap <days>", "with --renew: how long the old ones stay valid", "7")
    .option("--config <file>", "configuration of the node (default: node.yaml)")
    .option("--json", "print what was made as JSON, without secrets")
    .action(enroll);
  describeCommand(command, {
    examples: [
      ["tmc node enroll pump-1", "a node; its files are in ./pump-1"],
      ["tmc node enroll cloud --role server", "a neighbouring server"],
      ["tmc node enroll pump-1 --csr pump-1.csr", "the client keeps its key"],
      ["tmc node enroll pump-1 --renew --overlap 30", "before its certificate ends"],
    ],
    exitCodes: ["ok", "failed", "usage"],
  });
}

async function enroll(name: string, options: EnrollOptions): Promise<void> {
  const { loadConfig } = await import("../../../host/node/load-config.js");
  const { IdentityStore, longestDays } = await import("../../../host/node/broker/identity-store.js");
  const days = wholeNumber("--days", options.days, 1, longestDays);
  const overlapDays = wholeNumber("--overlap", options.overlap, 0, 365);
  const csr = options.csr === undefined ? undefined : readRequest(options.csr);
  const { config } = loadConfig(options.config);
  const store = await IdentityStore.open(config.state, config.id);
  store.checkId(name);
  const folder = options.out ?? name;
  // Before anything is enrolled: its key must not be lost.
  if ((store.roleOf(name) === undefined) === (options.renew === undefined)) {
    prepare(folder, name, options.renew === true);
  }
  const enrolment = await store.enrol(name, {
    role: options.role,
    days,
    ...(csr === undefined ? {} : { csr }),
    ...(options.renew === true ? { renew: { overlapDays } } : {}),
  });
  const { derOf } = await import("../../../host/node/broker/certificates.js");
  const files = writeFiles(folder, enrolment, derOf);
  const expires = new Date(enrolment.expiresAt).toISOString();
  if (options.json === true) {
    printJson({ id: enrolment.id, role: enrolment.role, expires, folder, files });
    return;
  }
  const { broker } = config.bus;
  // With port 0 the node chooses one at each start, and says which.
  const [port, tlsPort] = [broker?.port ?? 1883, broker?.tls?.port ?? 8883].map((one) =>
    one === 0 ? "PORT" : String(one),
  );
  const key = enrolment.key === undefined ? "YOUR.key" : join(folder, `${name}.key`);
  const lines = [
    `${name} is enrolled as ${enrolment.role}, until ${expires.slice(0, 10)}. Its files: ${folder}`,
    "",
    ...(broker?.tls === undefined
      ? [
          "On this machine, without TLS (user name = id):",
          `  mosquitto_sub -p ${port} -i ${name} -u ${name} -P "$(cat ${join(folder, "password")})" -t t1/${config.id}/${name}/x`,
          `  ./host --id ${name} --server mqtt://127.0.0.1:${port} --server-id ${config.id} --password-file ${join(folder, "password")}`,
        ]
      : [
          "With TLS:",
          `  mosquitto_sub -h HOST -p ${tlsPort} -i ${name} --cafile ${join(folder, "ca.pem")} --cert ${join(folder, `${name}.pem`)} --key ${key} -t t1/${config.id}/${name}/x`,
          `  ./host --id ${name} --server mqtts://HOST:${tlsPort} --server-id ${config.id} --ca ${join(folder, "ca.pem")} --cert ${join(folder, `${name}.pem`)} --key ${key}`,
        ]),
    ...(port === "PORT" || (broker?.tls !== undefined && tlsPort === "PORT")
      ? ["", "PORT is the one that `tmc node start` prints: the configuration says 0, a free one."]
      : []),
    "",
    "Keep the key and the password secret: nobody else has them, this node neither.",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Names of the files, relative to the folder. */
function writeFiles(folder: string, enrolment: Enrolment, derOf: (pem: string) => Buffer): string[] {
  const { id } = enrolment;
  const files: [name: string, content: string | Buffer, secret: boolean][] = [
    ["ca.pem", enrolment.ca, false],
    ["ca.der", derOf(enrolment.ca), false],
    [`${id}.pem`, enrolment.certificate, false],
    [`${id}.der`, derOf(enrolment.certificate), false],
    ["password", `${enrolment.password}\n`, true],
  ];
  if (enrolment.key !== undefined) {
    files.push([`${id}.key`, enrolment.key, true], [`${id}.key.der`, derOf(enrolment.key), true]);
  }
  for (const [name, content, secret] of files) {
    writeFileSync(join(folder, name), content, { mode: secret ? 0o600 : 0o644 });
  }
  return files.map(([name]) => name);
}

function prepare(folder: string, name: string, renew: boolean): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, ".tmc-writable"), "");
  } catch (error) {
    throw cannotWrite(folder, error instanceof Error ? error.message : String(error));
  }
  rmSync(join(folder, ".tmc-writable"), { force: true });
  if (!renew && existsSync(join(folder, `${name}.key`))) {
    throw cannotWrite(folder, `there is a ${name}.key already`);
  }
}

function cannotWrite(folder: string, why: string): UserError {
  return new UserError(
    "TMC6109",
    `cannot write to ${folder}: ${why}`,
    "Choose another folder: --out DIR.",
    ExitCode.usage,
  );
}

function readRequest(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(
      "TMC0010",
      `cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`,
      "Check the path of --csr.",
      ExitCode.usage,
    );
  }
}

function wholeNumber(option: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new UserError(
    "TMC0005",
    `${option} ${text}: not a whole number from ${low} to ${high}`,
    `Give days, such as ${option} 30.`,
    ExitCode.usage,
  );
}
