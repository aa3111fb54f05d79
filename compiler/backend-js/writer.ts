/** Text with a source map: what is written, and which place of the source it came from. */
import { addMapping, GenMapping, setSourceContent, toEncodedMap } from "@jridgewell/gen-mapping";
import type { Loc } from "../ir/nodes.js";

const markStart = "\u0001";
const markPattern = /(\u0001\d+:\d+)\u0002/;

/** A mark inside text: emitted JavaScript has these characters nowhere else (strings are escaped). */
export const markText = (loc: Loc): string => `${markStart}${loc.line}:${loc.col}\u0002`;

export class Writer {
  private readonly parts: string[] = [];
  private line = 1;
  private column = 0;
  private indentation = 0;
  private readonly map = new GenMapping();

  /** `source`: the file the map points to. */
  constructor(private readonly source: string) {}

  write(text: string): void {
    if (!text.includes(markStart)) return this.plain(text);
    // Text of a lambda: its statements carry their places.
    for (const part of text.split(markPattern)) {
      const at = /^\u0001(\d+):(\d+)$/.exec(part);
      if (at === null) this.plain(part);
      else this.markAt(Number(at[1]), Number(at[2]));
    }
  }

  private plain(text: string): void {
    if (text === "") return;
    if (this.column === 0 && text !== "\n") {
      const pad = "  ".repeat(this.indentation);
      this.parts.push(pad);
      this.column = pad.length;
    }
    this.parts.push(text);
    const newline = text.lastIndexOf("\n");
    if (newline < 0) this.column += text.length;
    else {
      this.line += text.split("\n").length - 1;
      this.column = text.length - newline - 1;
    }
  }

  newline(): void {
    this.write("\n");
  }

  indent(by: 1 | -1): void {
    this.indentation += by;
  }

  /** What is written next comes from `loc`. */
  mark(loc: Loc): void {
    this.markAt(loc.line, loc.col);
  }

  private markAt(line: number, col: number): void {
    const column = this.column === 0 ? this.indentation * 2 : this.column;
    addMapping(this.map, {
      generated: { line: this.line, column },
      original: { line, column: col - 1 },
      source: this.source,
    });
  }

  finish(sourceText: string): { readonly code: string; readonly map: string } {
    setSourceContent(this.map, this.source, sourceText);
    return { code: this.parts.join(""), map: JSON.stringify(toEncodedMap(this.map)) };
  }
}
