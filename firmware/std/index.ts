/** The standard library. */
export * from "./cbor-reader.js";
export * from "./cbor-writer.js";
export * from "./crc32.js";
export * from "./fixed-map.js";
export * from "./list.js";
export * from "./math.js";
export * from "./model.js";
export * from "./platform.js";
export * from "./pool.js";
export * from "./ring.js";
export * from "./text-buffer.js";
