/**
 * What is known of a piece of data, as far as nodes compare it: element type, shape, format, rate, unit,
 * quantisation. Labels, features, counts and digests pass unread.
 */
import type { CborReader } from "../std/cbor-reader.js";
import type { CborWriter } from "../std/cbor-writer.js";
import { TextBuffer } from "../std/text-buffer.js";
import { ElementType, maxRank, maxUnit } from "./protocol.js";

/** Keys of a descriptor; bit `1 << key` of `present`. */
export enum DescriptorField {
  Element = 0,
  Shape = 1,
  Format = 2,
  Rate = 3,
  Unit = 4,
  Scale = 5,
  ZeroPoint = 6,
  Labels = 8,
}

export class DataDescriptor {
  /** Which fields are stated: bits of DescriptorField. */
  present: i32 = 0;
  element: ElementType = ElementType.U8;
  rank: i32 = 0;
  /** The first `rank` are meant; -1 = any. */
  readonly shape: Int32Array = new Int32Array(maxRank);
  /** 0 = raw. */
  format: i32 = 0;
  /** Hz. */
  rate: f32 = 0;
  readonly unit: TextBuffer = new TextBuffer(maxUnit);
  /** real = scale * (q - zeroPoint). */
  scale: f32 = 1;
  zeroPoint: i32 = 0;

  has(field: DescriptorField): boolean {
    return (this.present & (1 << field)) !== 0;
  }

  clear(): void {
    this.present = 0;
    this.rank = 0;
    this.format = 0;
    this.unit.clear();
  }

  /** Becomes equal to it. */
  assign(other: DataDescriptor): void {
    this.present = other.present;
    this.element = other.element;
    this.rank = other.rank;
    for (let i = 0; i < maxRank; i++) this.shape[i] = other.shape[i];
    this.format = other.format;
    this.rate = other.rate;
    this.unit.assign(other.unit.toString());
    this.scale = other.scale;
    this.zeroPoint = other.zeroPoint;
  }

  setElement(element: ElementType): void {
    this.element = element;
    this.state(DescriptorField.Element);
  }

  /** Appends a dimension: -1 or more. False when there are too many. */
  addDimension(size: i32): boolean {
    if (this.rank >= maxRank) return false;
    this.shape[this.rank] = size;
    this.rank++;
    this.state(DescriptorField.Shape);
    return true;
  }

  /** 0 or less leaves it out. */
  setRate(hertz: f32): void {
    this.rate = hertz;
    if (hertz > 0) this.state(DescriptorField.Rate);
  }

  /** "" leaves it out; false when it is too long. */
  setUnit(unit: string): boolean {
    if (unit.length > 0) this.state(DescriptorField.Unit);
    return this.unit.assign(unit);
  }

  setQuantisation(scale: f32, zeroPoint: i32): void {
    this.scale = scale;
    this.zeroPoint = zeroPoint;
    this.state(DescriptorField.Scale);
    this.state(DescriptorField.ZeroPoint);
  }

  /** Reads a descriptor. What is wrong in it makes the reader fail. */
  read(reader: CborReader): void {
    this.clear();
    const pairs = reader.readMap();
    for (let i = 0; i < pairs && !reader.failed; i++) this.readField(reader);
  }

  /** Writes the stated fields, and the labels when there are some. */
  write(writer: CborWriter, labels: RomArray<string>): void {
    this.begin(writer, labels.length > 0 ? 1 : 0);
    if (labels.length === 0) return;
    writer.writeInt(DescriptorField.Labels);
    writer.beginArray(labels.length);
    for (const label of labels) writer.writeText(label);
  }

  /** Writes the stated fields; `more` pairs follow, with higher keys. */
  begin(writer: CborWriter, more: i32): void {
    let pairs = more;
    for (let field = 0; field <= DescriptorField.ZeroPoint; field++) pairs += (this.present >> field) & 1;
    writer.beginMap(pairs);
    for (let field = 0; field <= DescriptorField.ZeroPoint; field++) {
      if (((this.present >> field) & 1) === 1) {
        writer.writeInt(field);
        this.writeField(writer, field);
      }
    }
  }

  private state(field: DescriptorField): void {
    this.present = this.present | (1 << field);
  }

  private readField(reader: CborReader): void {
    const key = reader.readInt();
    switch (key) {
      case DescriptorField.Element: {
        const element = reader.readUint();
        if (element > ElementType.Text) reader.fail();
        else this.setElement(i32(element));
        break;
      }
      case DescriptorField.Shape: {
        const rank = reader.readArray();
        this.rank = 0;
        this.state(DescriptorField.Shape);
        for (let i = 0; i < rank && !reader.failed; i++) {
          const size = reader.readInt();
          if (size < -1 || !this.addDimension(size)) reader.fail();
        }
        break;
      }
      case DescriptorField.Format:
        this.format = reader.readInt();
        this.state(DescriptorField.Format);
        break;
      case DescriptorField.Rate:
        this.setRate(reader.readF32());
        break;
      case DescriptorField.Unit:
        if (!this.setUnit(reader.readText())) reader.fail();
        break;
      case DescriptorField.Scale:
        this.scale = reader.readF32();
        this.state(DescriptorField.Scale);
        break;
      case DescriptorField.ZeroPoint:
        this.zeroPoint = reader.readInt();
        this.state(DescriptorField.ZeroPoint);
        break;
      default:
        reader.skip();
        break;
    }
  }

  private writeField(writer: CborWriter, field: i32): void {
    switch (field) {
      case DescriptorField.Element:
        writer.writeInt(this.element);
        break;
      case DescriptorField.Shape:
        writer.beginArray(this.rank);
        for (let i = 0; i < this.rank; i++) writer.writeInt(this.shape[i]);
        break;
      case DescriptorField.Format:
        writer.writeInt(this.format);
        break;
      case DescriptorField.Rate:
        writer.writeF32(this.rate);
        break;
      case DescriptorField.Unit:
        writer.writeText(this.unit.toString());
        break;
      case DescriptorField.Scale:
        writer.writeF32(this.scale);
        break;
      default:
        writer.writeInt(this.zeroPoint);
        break;
    }
  }
}
