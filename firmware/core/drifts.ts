/** The drift of all models of a node that are watched: begun together, told together. */
import type { CborWriter } from "../std/cbor-writer.js";
import type { AnyModel } from "./any-model.js";

/** What a status leaves for drift. */
const maxBytes = 600;
/** Of a model that comes later. */
const longestIdentity = 63;

export class Drifts {
  private readonly watched: AnyModel[] = [];

  /** @setup */
  constructor(models: RomArray<AnyModel>) {
    let bytes = 0;
    for (const model of models) {
      const drift = model.drift;
      if (drift !== null) {
        this.watched.push(model);
        bytes += drift.mostBytes + (model.mostBytes() > 0 ? longestIdentity : model.identity().length);
      }
    }
    if (bytes > maxBytes) {
      throw new Error("the drift of these models does not fit in a message: watch fewer, or with fewer bins");
    }
  }

  /** Is any model watched? */
  any(): boolean {
    return this.watched.length > 0;
  }

  /** Starts anew when this is another epoch. */
  begin(epoch: i32): void {
    for (const model of this.watched) {
      if (model.drift !== null) model.drift.begin(epoch);
    }
  }

  /** An array of drift-summaries, of the models that are there. */
  write(writer: CborWriter): void {
    let there = 0;
    for (const model of this.watched) there += model.isThere() ? 1 : 0;
    writer.beginArray(there);
    for (const model of this.watched) {
      if (model.drift !== null && model.isThere()) model.drift.write(writer, model.identity());
    }
  }
}
