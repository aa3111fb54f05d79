// Uncaught after a rethrow: the place is where it was thrown first.
function thrower(): void {
  throw new Error("original");
}
export function main(): void {
  try {
    thrower();
  } catch (e) {
    log("again", e.message);
    throw e;
  }
}
