/** The minimal Core Service. */
export * from "./answer-cache.js";
export * from "./answer.js";
export * from "./counters.js";
export * from "./data-descriptor.js";
export * from "./dispatcher.js";
export * from "./fits.js";
export * from "./job.js";
export * from "./link.js";
export * from "./model.js";
export * from "./node.js";
export * from "./operation.js";
export * from "./protocol.js";
export * from "./request.js";
export * from "./selection.js";
export * from "./sensor.js";
export * from "./setting.js";
export * from "./ticket.js";
