// A function's fresh result is kept from one call and used up by another, in the same function and in loops.
interface Point {
  x: i32;
  y: i32;
}
class Track {
  first: Point | null = null;
  last: Point | null = null;
}
function point(x: i32, y: i32): Point {
  return { x, y };
}
function shifted(p: Point, by: i32): Point {
  return point(p.x + by, p.y - by);
}

export function main(): void {
  const track = new Track();
  track.first = point(1, 2);
  let sum: i32 = 0;
  for (let i: i32 = 0; i < 4; i++) {
    const p = point(i, i * i);
    const q = shifted(p, i);
    sum += q.x * 10 + q.y;
    log(p.x, p.y, q.x, q.y);
  }
  const end = point(sum, sum + 3);
  track.last = end;
  const second = point(7, 8);
  let best = point(0, 0);
  for (let i: i32 = 0; i < 3; i++) {
    const inner = new Track();
    inner.last = point(i, -i);
    log(inner.last?.x ?? -1, inner.last?.y ?? -1);
    if (i === 1) best = second;
  }
  log(track.first?.x ?? -1, track.first?.y ?? -1, track.last?.x ?? -1, track.last?.y ?? -1, best.x, best.y, sum);
}
