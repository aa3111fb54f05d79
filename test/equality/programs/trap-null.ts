// Uncaught: null where an object is needed.
class Item {
  next: Item | null = null;
}
const item = new Item();
export function main(): void {
  log(item.next === null);
  log("not reached", item.next!.next === null);
}
