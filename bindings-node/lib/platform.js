"use strict";

/** The name of this platform, as napi-rs has it. */
function platform() {
  const { platform, arch } = process;
  if (platform !== "linux") return platform === "win32" ? `win32-${arch}-msvc` : `${platform}-${arch}`;
  // Only glibc says which it is.
  const header = /** @type {any} */ (process.report?.getReport())?.header;
  return `linux-${arch}-${header?.glibcVersionRuntime ? "gnu" : "musl"}`;
}

module.exports = { platform };
