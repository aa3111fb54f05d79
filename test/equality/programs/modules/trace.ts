let seen = "";

export function trace(name: string): void {
  seen = seen === "" ? name : `${seen},${name}`;
}
export function order(): string {
  return seen;
}
trace("trace");
