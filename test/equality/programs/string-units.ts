// Parsing a message by hand, as a handler would.
const message = "temp=21.5;hum=40;name=lab-1;;=x";

function number(text: string): i32 {
  let n = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 48 || c > 57) return -1;
    n = n * 10 + c - 48;
  }
  return n;
}

export function main(): void {
  let rest = message;
  while (rest.length > 0) {
    const end = rest.indexOf(";");
    const pair = end < 0 ? rest : rest.slice(0, end);
    const eq = pair.indexOf("=");
    const key = eq < 0 ? "" : pair.slice(0, eq);
    const value = pair.slice(eq + 1);
    log(key, value, number(value), key.length, value.length);
    rest = end < 0 ? "" : rest.slice(end + 1);
  }
}
