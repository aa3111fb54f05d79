/** Judges one file after the other, by name, for its parent. */
import { judge } from "./judge.js";

process.on("message", (file: string) => {
  process.send?.(judge(file));
});
