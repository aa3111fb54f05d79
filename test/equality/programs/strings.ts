// Byte strings: length, codes, slices with every kind of bound, searching, comparison, concatenation in setup.
const empty = "";
const hello = "hello world";
const built = "ab" + "cd".repeat(2) + "x".padStart(3, "-");
const words: RomArray<string> = ["", "a", "ab", "hello", "hello world", "world", "o w", "z"];

export function main(): void {
  log(empty.length, hello.length, built, built.length);
  log(hello.charCodeAt(0), hello.charCodeAt(10), hello.charCodeAt(5));
  for (const w of words) log(w, hello.indexOf(w), hello.startsWith(w), hello.endsWith(w), hello.includes(w), hello === w, w.length);
  log(hello.slice(6), hello.slice(-5), hello.slice(-5, -1), hello.slice(2, 4), hello.slice(0));
  log(hello.slice(4, 2).length, hello.slice(100).length, hello.slice(-100), hello.slice(3, 100), hello.slice(3, 3).length);
  log(hello.slice(-2147483648, 2147483647), hello.slice(), hello.slice(0, -11).length, hello.slice(0, -100).length);
  log(hello.indexOf("o"), hello.indexOf("o", 5), hello.indexOf("o", 8), hello.indexOf("l", -5), hello.indexOf("", 3));
  log(hello.indexOf("", 100), hello.indexOf("hello", 100), empty.indexOf(""), empty.indexOf("a"), hello.indexOf("worlds"));
  const part = hello.slice(0, 5);
  log(part === "hello", part !== "hello", part === hello, part.slice(1, 3) === "el", part.slice(5) === empty);
  log(hello.slice(6).slice(1, -1).slice(1), hello.slice(6).indexOf("w"), part.startsWith("he"), part.endsWith("lo"));
  try {
    log(hello.charCodeAt(11));
  } catch (e) {
    log("charCodeAt", e.kind);
  }
  try {
    log(hello.charCodeAt(-1));
  } catch (e) {
    log("charCodeAt", e.kind);
  }
  try {
    log(empty.charCodeAt(0));
  } catch (e) {
    log("charCodeAt", e.kind);
  }
  let sum = 0;
  for (let i = 0; i < hello.length; i++) sum += hello.charCodeAt(i) * (i + 1);
  log(sum);
  log(utf8("µ").length, utf8("µ").charCodeAt(0), utf8("µ").charCodeAt(1), "tab\tquote\"backslash\\".length);
  log("\x01".charCodeAt(0), "\n".length, '\u0041', `plain template`);
}
