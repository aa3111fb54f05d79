/** The standard library. */
export * from "./cbor-reader.js";
export * from "./cbor-writer.js";
export * from "./crc32.js";
export * from "./fft-i16.js";
export { RealFft } from "./fft.js";
export * from "./fixed-map.js";
export * from "./function-image.js";
export * from "./list.js";
export { expF32, log10F32, log2F32, logF32, sigmoidF32, tanhF32 } from "./math.js";
export * from "./mel.js";
export * from "./model.js";
export * from "./package.js";
export * from "./platform.js";
export * from "./pool.js";
export * from "./power.js";
export * from "./ring.js";
export * from "./slot.js";
export * from "./spectrum.js";
export * from "./statistics.js";
export * from "./text-buffer.js";
export * from "./trigonometry.js";
export * from "./window.js";
export {
  hasTasks,
  runTasks,
  Signal,
  sleep,
  sleepUntil,
  Task,
  task,
  tasksDueIn,
  taskTimeMs,
  taskTraps,
  Waitable,
  waitUntilWoken,
} from "./task.js";
