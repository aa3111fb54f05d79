/**
 * `tmc` in this process at the management interface of a fake node, and what it prints. `startCli` before each test, `stopCli`
 * after it; where the node is and its token are found by node.yaml, as for a person at that machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { main } from "../../compiler/cli/main.js";
import { startFakeNode, type FakeNode } from "../support/fake-node.js";

export let node: FakeNode;
/** With the node.yaml; gone after the test. */
export let folder: string;
/** What the last command printed to standard output, and to standard error. */
export let out = "";
export let err = "";

export async function startCli(): Promise<void> {
  node = await startFakeNode();
  folder = mkdtempSync(join(tmpdir(), "tmc-cli-"));
  writeFileSync(join(folder, "node.yaml"), `state: ${node.folder}\n`);
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((err += String(text)), true));
}

export async function stopCli(): Promise<void> {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true, force: true });
  await node.close();
}

/** Runs a command; its exit code. */
export async function tmc(...args: string[]): Promise<number> {
  [out, err] = ["", ""];
  process.exitCode = undefined;
  const code = await main([...args, "--config", join(folder, "node.yaml")]);
  process.exitCode = undefined;
  return code;
}
