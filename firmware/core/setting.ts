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
  /** As the keys of a map stand in deterministic CBOR. */
  private readonly all: RomArray<Setting>;

  /** Each of another name. @setup */
  constructor(settings: Setting[]) {
    const all: Setting[] = [];
    while (all.length < settings.length) {
      let next: Setting | null = null;
      for (const setting of settings) {
        const isLeft = all.length === 0 || isBefore(all[all.length - 1].name, setting.name);
        if (isLeft && (next === null || isBefore(setting.name, next.name))) next = setting;
      }
      if (next === null) throw new Error("two settings of a node have the same name");
      all.push(next);
    }
    this.all = all;
  }

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

/** In the order of encoded keys (RFC 8949, 4.2.1): shorter ones first. @setup */
function isBefore(a: string, b: string): boolean {
  if (a.length !== b.length) return a.length < b.length;
  for (let i = 0; i < a.length; i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.charCodeAt(i) < b.charCodeAt(i);
  }
  return false;
}
