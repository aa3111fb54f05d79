/**
 * Settings that can be changed while the node runs, by node.configure: registered by the parts that have them, kept in
 * one file of the state folder, set all together or not at all. What node.yaml says is only their first value.
 */
import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { OperationFailure } from "./operations/operation.js";

export type SettingValue = number | boolean | string;

export interface NodeSetting {
  /** [a-z0-9._-], 1-32 characters. */
  readonly name: string;
  /** Its type and range. */
  readonly schema: z.ZodType<SettingValue>;
  get(): SettingValue | Promise<SettingValue>;
  set(value: SettingValue): void | Promise<void>;
  /** False for what is no wish but a state of the world (the value of an actuator): not kept over restarts. */
  readonly kept: boolean;
}

const fileSchema = z.record(z.string(), z.union([z.number(), z.boolean(), z.string()]));

export class NodeSettings {
  private readonly settings = new Map<string, NodeSetting>();
  private readonly file: string;
  private kept: Record<string, SettingValue>;
  /** The file was there and could not be read: its settings have their first values. */
  readonly unreadable: boolean;

  constructor(stateFolder: string) {
    this.file = join(stateFolder, "settings.json");
    const found = readSettings(this.file);
    this.kept = found ?? {};
    this.unreadable = found === undefined;
  }

  /** Adds a setting, and gives it the value that was kept, when that is still in its range. */
  async register(setting: NodeSetting): Promise<void> {
    this.settings.set(setting.name, setting);
    const kept = this.kept[setting.name];
    if (setting.kept && kept !== undefined && setting.schema.safeParse(kept).success) await setting.set(kept);
  }

  /** Every setting, by name. */
  async values(): Promise<Record<string, SettingValue>> {
    const entries = [...this.settings.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const values: Record<string, SettingValue> = {};
    for (const setting of entries) values[setting.name] = await setting.get();
    return values;
  }

  /**
   * Sets all or, when one name is unknown or one value out of range, none.
   * @throws OperationFailure not-found, bad-request with the setting's name as field
   */
  async change(values: Readonly<Record<string, SettingValue>>): Promise<void> {
    const changes = Object.entries(values).map(([name, value]) => {
      const setting = this.settings.get(name);
      if (setting === undefined)
        throw new OperationFailure("not-found", "no such setting", `settings.${name}`);
      const checked = setting.schema.safeParse(value);
      if (!checked.success) {
        throw new OperationFailure("bad-request", checked.error.issues[0]?.message ?? "", `settings.${name}`);
      }
      return { setting, value: checked.data };
    });
    const kept = { ...this.kept };
    for (const { setting, value } of changes) if (setting.kept) kept[setting.name] = value;
    // Kept first: what is answered as set holds after a restart.
    if (changes.some(({ setting }) => setting.kept))
      await writeDurably(this.file, JSON.stringify(kept, null, 2));
    this.kept = kept;
    for (const { setting, value } of changes) await setting.set(value);
  }
}

/** Undefined when it is there but damaged. */
function readSettings(file: string): Record<string, SettingValue> | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return {};
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** The file has the new content or the old one, after a crash at any moment too. */
export async function writeDurably(file: string, text: string, mode = 0o600): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, "w", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const folder = await open(dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
