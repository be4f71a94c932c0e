"use strict";
// Finds the native module: beside the package where it was built, else in the package of this platform.

const { join } = require("node:path");
const { version } = require("../package.json");

/** The name of this platform, as napi-rs has it. */
function platform() {
  const { platform, arch } = process;
  if (platform !== "linux") return platform === "win32" ? `win32-${arch}-msvc` : `${platform}-${arch}`;
  // Only glibc says which it is.
  const header = /** @type {any} */ (process.report?.getReport())?.header;
  return `linux-${arch}-${header?.glibcVersionRuntime ? "gnu" : "musl"}`;
}

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
