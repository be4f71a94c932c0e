"use strict";
// Builds the native module for this platform and puts it beside the package: `npm run build`. For other platforms `napi build
// --target` of @napi-rs/cli knows the layout from package.json.

const { execFileSync } = require("node:child_process");
const { copyFileSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { platform } = require("./lib/platform.js");

const LIBRARY = { win32: "healthfold_node.dll", darwin: "libhealthfold_node.dylib" }[process.platform] ?? "libhealthfold_node.so";

const target = process.env.CARGO_TARGET_DIR ?? join(__dirname, "target");
execFileSync("cargo", ["build", "--release", "--locked"], { cwd: __dirname, stdio: "inherit", env: { ...process.env, CARGO_TARGET_DIR: target } });
const own = join(__dirname, `healthfold.${platform()}.node`);
// Not written over: a module that is in use may be mapped into memory.
rmSync(own, { force: true });
copyFileSync(join(target, "release", LIBRARY), own);
