/** Chooses the storage that node.yaml asks for. */
import { isAbsolute, join } from "node:path";
import type { NodeConfig } from "../config.js";
import { openLocalStorage } from "./local-storage.js";
import type { Storage } from "./storage.js";

/**
 * @param folder What relative paths are relative to
 * @throws UserError TMC62xx
 */
export async function openStorage(config: NodeConfig["storage"], folder: string): Promise<Storage> {
  switch (config.kind) {
    case "local":
      return openLocalStorage(isAbsolute(config.path) ? config.path : join(folder, config.path));
    case "redis":
      throw new Error("not yet");
  }
}
