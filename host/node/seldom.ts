/**
 * How often something is told: once in a while for each key, whatever an attacker does, and with how many were kept
 * back. It writes nothing itself.
 */

/** Time between two lines of one key, ms. */
export const quietMs = 10_000;
/** Keys remembered; ever new ones get no more lines than that in `quietMs`. */
const most = 256;

interface Told {
  at: number;
  /** Since then. */
  kept: number;
}

export class Seldom {
  private readonly told = new Map<string, Told>();

  /** `now`: ms of any clock that only goes forward. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** How many of this key were kept back since the last one that was told; undefined: keep this one back too. */
  tell(key: string): number | undefined {
    const now = this.now();
    const last = this.told.get(key);
    if (last !== undefined && now - last.at < quietMs) {
      last.kept++;
      return undefined;
    }
    if (last === undefined && this.told.size >= most) {
      for (const [old, { at }] of this.told) if (now - at >= quietMs) this.told.delete(old);
      if (this.told.size >= most) return undefined;
    }
    this.told.set(key, { at: now, kept: 0 });
    return last?.kept ?? 0;
  }
}
