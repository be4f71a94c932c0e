"use strict";
// The packages of the platforms, `npm/NAME/`, as `napi create-npm-dirs` lays them out: `npm run platforms` writes them, and the
// tests tell when package.json has changed since. A release puts the native module of each platform into its folder.

const { mkdirSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const main = require("./package.json");

const CPU = { x86_64: "x64", aarch64: "arm64" };
const OS = { linux: "linux", darwin: "darwin", windows: "win32" };
const LIBC = { gnu: "glibc", musl: "musl" };

/** What belongs into `npm/`: the text of each file by its path. */
function platforms() {
  const files = new Map();
  for (const target of main.napi.targets) {
    const [arch, , system, abi] = target.split("-");
    const [cpu, os] = [CPU[arch], OS[system]];
    const platform = [os, cpu, abi].filter(Boolean).join("-");
    const [name, module] = [`${main.napi.packageName}-${platform}`, `${main.napi.binaryName}.${platform}.node`];
    const { version, description, license, engines, repository } = main;
    const libc = os === "linux" && { libc: [LIBC[abi]] };
    const manifest = { name, version, cpu: [cpu], main: module, files: [module], description, license, engines, repository, os: [os], ...libc };
    files.set(`npm/${platform}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
    files.set(`npm/${platform}/README.md`, `# \`${name}\`\n\nThis is the **${target}** binary for \`${main.name}\`\n`);
  }
  return files;
}

if (require.main === module) {
  for (const [path, text] of platforms()) {
    mkdirSync(dirname(join(__dirname, path)), { recursive: true });
    writeFileSync(join(__dirname, path), text);
  }
}

module.exports = { platforms };
