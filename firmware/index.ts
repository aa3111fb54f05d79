/** The module "tmc": everything that a program may import. */
export * from "./core/index.js";
export * from "./functions/index.js";
export * from "./std/index.js";
