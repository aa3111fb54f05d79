/** The built-in functions. */
export * from "./channel-statistics.js";
export * from "./data-collect.js";
export * from "./function-deploy.js";
export * from "./function-invoke.js";
export * from "./function-remove.js";
export * from "./minimal-node.js";
export * from "./model-deploy.js";
export * from "./model-infer.js";
export * from "./model-undeploy.js";
export * from "./node-configure.js";
export * from "./node-control.js";
export * from "./node-describe.js";
export * from "./node-monitor.js";
export * from "./node-update.js";
