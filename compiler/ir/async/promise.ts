/**
 * The type `Promise<T>` in the IR: a reference to the frame of a call of an async function. It names the library's
 * base class of frames and knows nothing of how frames are made.
 */
import type { ObjectType } from "../hierarchy.js";
import type { Type } from "../types.js";

/** The module of the base class: part of every program that mentions `async`. */
export const frameModule = "std/async-frame.ts";
export const promiseDecl = `tmc/${frameModule}#AsyncFrame`;

/** C names of the library's intrinsics. */
export const suspendBinding = "tmc_async_suspend";
export const frameOfBinding = "tmc_async_frame_of";

export const promiseOf = (t: Type): ObjectType => ({ k: "object", decl: promiseDecl, args: [t] });

/** `T` of `Promise<T>`; undefined for other types. */
export const promised = (t: Type): Type | undefined =>
  t.k === "object" && t.decl === promiseDecl ? t.args[0] : undefined;
