/** What can be soaked: where the default node runs, behind which network, and what is to be expected of it there. */
import { packagePath } from "../../compiler/board/package-root.js";
import { buildDefaultNode, buildImage } from "../zephyr/support/zephyr-node.js";

export interface Target {
  readonly name: string;
  readonly board: string;
  /** Behind an emulated Wi-Fi module (test/zephyr/support/wifi-module.ts), with its driver. */
  readonly wifi: boolean;
  /** Requests a second. */
  readonly rate: number;
  /** After everything is whole again, the node must answer within this time, ms. */
  readonly returnMs: number;
}

/** Longer than the longest wait between attempts, with the attempt; behind the module joining comes before it. */
const targets: readonly Target[] = [
  { name: "native_sim", board: "native_sim", wifi: false, rate: 5, returnMs: 60_000 },
  { name: "mps2_an386", board: "mps2_an386", wifi: false, rate: 3, returnMs: 60_000 },
  { name: "mps2_an386-wifi", board: "mps2_an386", wifi: true, rate: 2, returnMs: 150_000 },
];

export const targetNames = targets.map((target) => target.name);

/** @throws Error for a name that is none of `targetNames` */
export function findTarget(name: string): Target {
  const found = targets.find((target) => target.name === name);
  if (found === undefined) throw new Error(`${name}: expected one of ${targetNames.join(", ")}`);
  return found;
}

/** Gives the executable. The arena of TLS counts what it holds. */
export async function buildTarget(target: Target): Promise<string> {
  const { genDir } = await buildDefaultNode(target.board, "c");
  const config = { MBEDTLS_MEMORY_DEBUG: true };
  const wifi = (name: string): string => packagePath("test", "zephyr", "fixtures", "wifi", name);
  const image = await buildImage(target.board, target.wifi ? "soak-wifi" : "soak", genDir, {
    config,
    ...(target.wifi ? { confFiles: [wifi("wifi.conf")], overlays: [wifi("mps2_an386.overlay")] } : {}),
  });
  return image.executable;
}
