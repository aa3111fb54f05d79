/**
 * Settings of a node: named, typed, within bounds, kept over restarts. Changes are all or nothing.
 * Code reads `value`; only `Settings` writes it.
 */
import type { CborReader } from "../std/cbor-reader.js";
import type { CborWriter } from "../std/cbor-writer.js";
import { storageRead, storageWrite } from "../std/platform.js";

export abstract class Setting {
  constructor(readonly name: string) {}

  /** Reads a value; takes it over when `apply`. False: another type, or out of bounds. */
  abstract read(reader: CborReader, apply: boolean): boolean;
  abstract write(writer: CborWriter): void;
}

export class IntSetting extends Setting {
  constructor(
    name: string,
    public value: i32,
    private readonly least: i32,
    private readonly most: i32,
  ) {
    super(name);
  }

  override read(reader: CborReader, apply: boolean): boolean {
    const value = reader.readInt();
    const ok = !reader.failed && value >= this.least && value <= this.most;
    if (ok && apply) this.value = value;
    return ok;
  }

  override write(writer: CborWriter): void {
    writer.writeInt(this.value);
  }
}

export class NumberSetting extends Setting {
  constructor(
    name: string,
    public value: f32,
    private readonly least: f32,
    private readonly most: f32,
  ) {
    super(name);
  }

  override read(reader: CborReader, apply: boolean): boolean {
    const value = reader.readF32();
    const ok = !reader.failed && value >= this.least && value <= this.most;
    if (ok && apply) this.value = value;
    return ok;
  }

  override write(writer: CborWriter): void {
    writer.writeF32(this.value);
  }
}

export class FlagSetting extends Setting {
  constructor(
    name: string,
    public value: boolean,
  ) {
    super(name);
  }

  override read(reader: CborReader, apply: boolean): boolean {
    const value = reader.readBool();
    if (!reader.failed && apply) this.value = value;
    return !reader.failed;
  }

  override write(writer: CborWriter): void {
    writer.writeBool(this.value);
  }
}

const storageKey = "settings";

/** What `change` or `store` found. */
export enum SettingsError {
  None,
  Malformed,
  UnknownName,
  BadValue,
  /** Changed, but not kept over a restart. */
  NotStored,
}

export class Settings {
  private refused: Setting | null = null;

  constructor(private readonly all: RomArray<Setting>) {}

  /** Reads a map of names and values: changes all or none. What changed is to be stored. */
  change(reader: CborReader): SettingsError {
    const start = reader.at;
    const error = this.read(reader, false, true);
    if (error !== SettingsError.None) return error;
    reader.seek(start);
    this.read(reader, true, true);
    return SettingsError.None;
  }

  /** Keeps over restarts what `write` wrote from byte `start` on, and nothing after it. */
  store(writer: CborWriter, start: i32): SettingsError {
    const ok = !writer.overflow && storageWrite(storageKey, writer.slice(start, writer.length));
    return ok ? SettingsError.None : SettingsError.NotStored;
  }

  /** The name of the setting whose value was bad. */
  refusedName(): string {
    return this.refused === null ? "" : this.refused.name;
  }

  /**
   * Takes over what was stored; false when that is malformed. Unknown and out-of-bounds ones are ignored. `scratch`: its buffer
   * is used, and is free again afterwards.
   */
  restore(reader: CborReader, scratch: CborWriter): boolean {
    const size = storageRead(storageKey, scratch.slice(0, scratch.capacity));
    if (size < 0) return true;
    if (size > scratch.capacity) return false;
    reader.load(scratch.slice(0, size));
    return this.read(reader, true, false) !== SettingsError.Malformed;
  }

  write(writer: CborWriter): void {
    writer.beginMap(this.all.length);
    for (const setting of this.all) {
      writer.writeText(setting.name);
      setting.write(writer);
    }
  }

  private read(reader: CborReader, apply: boolean, strict: boolean): SettingsError {
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) {
      const setting = this.find(reader.readText());
      const at = reader.at;
      if (setting === null) {
        if (strict && !reader.failed) return SettingsError.UnknownName;
      } else if (!setting.read(reader, apply) && strict) {
        this.refused = setting;
        return SettingsError.BadValue;
      }
      // Whatever was made of the value, go on behind it.
      if (setting === null || reader.failed) {
        reader.seek(at);
        reader.skip();
      }
    }
    return reader.failed ? SettingsError.Malformed : SettingsError.None;
  }

  private find(name: string): Setting | null {
    for (const setting of this.all) {
      if (setting.name === name) return setting;
    }
    return null;
  }
}
