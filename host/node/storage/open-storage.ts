/** Chooses the storage that node.yaml asks for. */
import { isAbsolute, join } from "node:path";
import type { NodeConfig } from "../config.js";
import { ExitCode, UserError } from "../../../compiler/diagnostics/user-error.js";
import type { Storage } from "./storage.js";

type Config = NodeConfig["storage"];
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param folder What relative paths are relative to
 * @throws UserError TMC62xx
 */
export async function openStorage(
  config: Config,
  folder: string,
  environment: Environment = process.env,
): Promise<Storage> {
  // Before anything is opened: what it needs may be missing.
  const blobs = config.blobs && (await openBlobs(config.blobs, environment));
  switch (config.kind) {
    case "local": {
      const { openLocalStorage } = await import("./local-storage.js");
      const path = isAbsolute(config.path) ? config.path : join(folder, config.path);
      return openLocalStorage(path, blobs === undefined ? {} : { blobs });
    }
    case "redis": {
      const { openRedisStorage } = await import("./redis-storage.js");
      const { url, prefix, replicas, passwordFrom } = config;
      const password =
        passwordFrom === undefined ? undefined : secret(environment, passwordFrom, "passwordFrom");
      return openRedisStorage(
        { url, prefix, replicas, ...(password === undefined ? {} : { password }) },
        blobs,
      );
    }
  }
}

async function openBlobs(config: NonNullable<Config["blobs"]>, environment: Environment) {
  const { openS3Blobs } = await import("./s3-blobs.js");
  const { endpoint, bucket, region, prefix, accessKeyFrom, secretKeyFrom } = config;
  return openS3Blobs({
    endpoint,
    bucket,
    region,
    prefix,
    accessKey: secret(environment, accessKeyFrom, "blobs.accessKeyFrom"),
    secretKey: secret(environment, secretKeyFrom, "blobs.secretKeyFrom"),
  });
}

function secret(environment: Environment, name: string, setting: string): string {
  const value = environment[name];
  if (value !== undefined && value !== "") return value;
  throw new UserError(
    "TMC6206",
    `the environment variable ${name}, which storage.${setting} names, is not set`,
    `set it where the node is started, or name another one in node.yaml`,
    ExitCode.failed,
  );
}
