// What tsserver loads for { "plugins": [{ "name": "tmc/language-service" }] }: it wants CommonJS, tmc is compiled to ES modules.
"use strict";
const path = require("node:path");

module.exports = function init(modules) {
  // An ES module without top-level await: Node.js 20.19 and newer load it with require.
  const plugin = require(path.join(__dirname, "..", "dist", "compiler", "language-service", "plugin.js"));
  return plugin.init(modules);
};
