"use strict";
// Finds the native module: beside the package where it was built, else in the package of this platform.

const { join } = require("node:path");
const { version } = require("../package.json");
const { platform } = require("./platform.js");

function load() {
  const name = platform();
  const tried = [];
  for (const path of [join(__dirname, "..", `healthfold.${name}.node`), `healthfold-${name}`]) {
    try {
      return require(path);
    } catch (error) {
      tried.push(error instanceof Error ? error.message.split("\n")[0] : String(error));
    }
  }
  throw new Error(`healthfold has no native module for ${name}: ${tried.join("; ")}`);
}

module.exports = { native: load(), version };
