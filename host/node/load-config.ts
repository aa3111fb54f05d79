/** Reads `node.yaml`: YAML, checked by the schema, paths made absolute. It starts nothing. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { schemaIssues } from "../../compiler/diagnostics/json-file.js";
import { ExitCode, UserError } from "../../compiler/diagnostics/user-error.js";
import { nodeConfigSchema, type NodeConfig } from "./config.js";

/** What `--config` names when it is not given; it need not exist. */
export const defaultConfigFile = "node.yaml";

export interface LoadedConfig {
  readonly config: NodeConfig;
  /** The folder that relative paths were relative to. */
  readonly folder: string;
  /** Undefined: there was no file, everything is default. */
  readonly file: string | undefined;
}

/**
 * The configuration of `file`, or of node.yaml in `cwd` when there is one, or the defaults.
 * @throws UserError TMC6001 (no such file), TMC6002 (not YAML), TMC6003 (breaks the schema)
 */
export function loadConfig(file: string | undefined, cwd: string = process.cwd()): LoadedConfig {
  const path = resolve(cwd, file ?? defaultConfigFile);
  if (!existsSync(path)) {
    if (file !== undefined) {
      throw new UserError(
        "TMC6001",
        `there is no file ${file}`,
        "check the path, or leave --config out: a node needs no configuration",
        ExitCode.usage,
      );
    }
    return { config: absolute(parse({}, "the defaults"), cwd), folder: cwd, file: undefined };
  }
  const document = parseDocument(textOf(path, file ?? defaultConfigFile), { prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new UserError(
      "TMC6002",
      `${file ?? defaultConfigFile} is not YAML: ${error.message.split("\n")[0]?.replace(/:$/, "") ?? ""}`,
      "mend the line; indentation is by spaces",
      ExitCode.usage,
    );
  }
  const folder = dirname(path);
  const content: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  return { config: absolute(parse(content, file ?? defaultConfigFile), folder), folder, file: path };
}

/** @throws UserError TMC6001: a folder, or not this user's to read */
function textOf(path: string, shown: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(
      "TMC6001",
      `cannot read ${shown}: ${error instanceof Error ? error.message : String(error)}`,
      "--config names a YAML file that you may read",
      ExitCode.usage,
    );
  }
}

function parse(content: unknown, shown: string): NodeConfig {
  const result = nodeConfigSchema.safeParse(content);
  if (result.success) return result.data;
  const issues = schemaIssues(result.error);
  throw new UserError(
    "TMC6003",
    `${shown}: ${issues.slice(0, 5).join("; ")}`,
    unknownKeyHint(result.error) ?? "docs/node.md lists every key, its range and its default",
    ExitCode.usage,
  );
}

function unknownKeyHint(error: z.ZodError): string | undefined {
  const issue = error.issues.find((each) => each.code === "unrecognized_keys");
  return issue === undefined
    ? undefined
    : `remove or correct the key ${issue.keys.join(", ")}: docs/node.md lists every key`;
}

/** With every path of the configuration absolute. */
function absolute(config: NodeConfig, folder: string): NodeConfig {
  const at = (path: string): string => resolve(folder, path);
  const tls = <T extends { readonly ca: string; readonly cert: string; readonly key: string }>(
    files: T,
  ): T => ({
    ...files,
    ca: at(files.ca),
    cert: at(files.cert),
    key: at(files.key),
  });
  const { external } = config.bus;
  const { trustedKeys } = config.functions;
  const state = at(config.state);
  return {
    ...config,
    state,
    bus: {
      ...config.bus,
      ...(external?.tls === undefined ? {} : { external: { ...external, tls: tls(external.tls) } }),
    },
    neighbours: config.neighbours.map((each) =>
      each.tls === undefined ? each : { ...each, tls: tls(each.tls) },
    ),
    storage:
      config.storage.kind === "local"
        ? { ...config.storage, path: resolve(state, config.storage.path) }
        : config.storage,
    functions: {
      ...config.functions,
      ...(trustedKeys === undefined ? {} : { trustedKeys: at(trustedKeys) }),
    },
    updates: config.updates.key === undefined ? {} : { key: at(config.updates.key) },
    connectors: config.connectors.map((each) =>
      each.kind !== "replay"
        ? each
        : {
            ...each,
            sensors: each.sensors.map((sensor) =>
              sensor.source.startsWith("generator:") ? sensor : { ...sensor, source: at(sensor.source) },
            ),
          },
    ),
    management: {
      ...config.management,
      token: resolve(state, config.management.token),
      ...(config.management.tls === undefined
        ? {}
        : { tls: { cert: at(config.management.tls.cert), key: at(config.management.tls.key) } }),
    },
  };
}
