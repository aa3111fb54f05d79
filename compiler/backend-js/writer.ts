/** Text with a source map: what is written, and which place of the source it came from. */
import { addMapping, GenMapping, setSourceContent, toEncodedMap } from "@jridgewell/gen-mapping";
import type { Loc } from "../ir/nodes.js";

export class Writer {
  private readonly parts: string[] = [];
  private line = 1;
  private column = 0;
  private indentation = 0;
  private readonly map = new GenMapping();

  /** `source`: the file the map points to. */
  constructor(private readonly source: string) {}

  write(text: string): void {
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
    const column = this.column === 0 ? this.indentation * 2 : this.column;
    addMapping(this.map, {
      generated: { line: this.line, column },
      original: { line: loc.line, column: loc.col - 1 },
      source: this.source,
    });
  }

  finish(sourceText: string): { readonly code: string; readonly map: string } {
    setSourceContent(this.map, this.source, sourceText);
    return { code: this.parts.join(""), map: JSON.stringify(toEncodedMap(this.map)) };
  }
}
