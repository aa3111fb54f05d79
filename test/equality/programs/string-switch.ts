// switch and === over strings, also over slices of others.
function code(s: string): i32 {
  switch (s) {
    case "":
      return 0;
    case "on":
    case "ON":
      return 1;
    case "off":
      return 2;
    case "offline":
      return 3;
    default:
      return -1;
  }
}
const line = "on off offline ON o";

export function main(): void {
  log(code(""), code("on"), code("ON"), code("off"), code("offline"), code("offl"), code("o"));
  let start = 0;
  for (let end = line.indexOf(" "); end >= 0; end = line.indexOf(" ", start)) {
    log(line.slice(start, end), code(line.slice(start, end)));
    start = end + 1;
  }
  log(line.slice(start), code(line.slice(start)), code(line.slice(0, 0)));
}
