/** Counts the starts of this node in its state folder: with the id it names one life of the node on the bus. */
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "./settings.js";

/**
 * The counter of this start, one more than the last one's, kept before it is used.
 * A lost or damaged file starts at the seconds since 2020, which is above any counter that was counted: the world
 * knows the old lives of this id, and a lower counter would be taken for an old one.
 */
export async function nextBoot(stateFolder: string, now: () => number = Date.now): Promise<number> {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const file = join(stateFolder, "boot");
  const boot = lastBoot(file, now) + 1;
  await writeDurably(file, `${boot}\n`);
  return boot;
}

function lastBoot(file: string, now: () => number): number {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    text = "";
  }
  const last = /^[0-9]{1,10}\n$/.test(text) ? Number(text) : NaN;
  return last < 0xffffffff ? last : Math.floor((now() - Date.UTC(2020, 0, 1)) / 1000);
}
