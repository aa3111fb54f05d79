/** How far something is, on stderr: a bar that stays in its line on a terminal, else a line for every tenth. */
import { safe } from "./node-table.js";

const width = 24;

/** Of stderr. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class ProgressLine {
  private told = "";
  /** A bar stands in the present line. */
  private open = false;

  constructor(private readonly out: ProgressOutput = process.stderr) {}

  /** @param fraction 0..1 @param text what it is at, for people */
  show(fraction: number, text: string): void {
    const percent = Math.floor(Math.min(1, Math.max(0, fraction)) * 100);
    if (this.out.isTTY === true) {
      const filled = Math.round((percent / 100) * width);
      const bar = `${"#".repeat(filled)}${".".repeat(width - filled)}`;
      const line = `[${bar}] ${String(percent).padStart(3)} %  ${safe(text)}`;
      // To the end of the line is cleared: the text before may have been longer.
      if (line !== this.told) this.out.write(`\r${line.slice(0, (this.out.columns ?? 80) - 1)}\u001b[K`);
      this.told = line;
      this.open = true;
      return;
    }
    // Counts alone are no news.
    const news = `${Math.floor(percent / 10)} ${text.replace(/\d+ of \d+/, "")}`;
    if (news !== this.told) this.out.write(`${percent} % ${safe(text)}\n`.replace(/ +\n$/, "\n"));
    this.told = news;
  }

  /** What follows begins in a line of its own. */
  end(): void {
    if (this.open) this.out.write("\n");
    this.open = false;
  }
}
