"use strict";
// The package as it is published: packed, installed in an empty folder, loaded both ways, with the types that belong to each.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { after, it } = require("node:test");
const { platform } = require("../lib/platform.js");
const { platforms } = require("../platforms.js");

const PACKAGE = join(__dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "healthfold-package-"));
after(() => rmSync(folder, { recursive: true }));

const run = (program, args, cwd = folder) => execFileSync(program, args, { cwd, encoding: "utf8", shell: process.platform === "win32" });

const USE = `
  const engine = new Engine();
  engine.apply({ id: "1", source: "crm", type: "client.sentiment_set", subject: "acme", time: "2026-01-05T10:00:00Z", data: { value: 80 } });
  console.log(engine.clients().join(), version);`;

it("it installs from its tarball and is loaded by require and by import", () => {
  const [{ filename, files }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder], PACKAGE));
  const names = files.map(({ path }) => path);
  for (const name of ["index.js", "index.mjs", "index.d.ts", "index.d.mts", "README.md", "lib/engine.js", `healthfold.${platform()}.node`]) {
    assert(names.includes(name), `${name} is not in the package: ${names.join(", ")}`);
  }
  assert(!names.some((name) => /^(src|test|examples|target|node_modules)\//.test(name)), names.join(", "));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`]);
  writeFileSync(join(folder, "use.cjs"), `const { Engine, version } = require("healthfold");${USE}`);
  writeFileSync(join(folder, "use.mjs"), `import { Engine, version } from "healthfold";${USE}`);
  const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
  for (const file of ["use.cjs", "use.mjs"]) assert.equal(run(process.execPath, [file]), `acme ${version}\n`);

  // Its types are found from either kind of module.
  const options = { module: "nodenext", target: "es2023", lib: ["es2024"], types: ["node"], strict: true, noEmit: true, skipLibCheck: false };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["types.cts", "types.mts"] }));
  const types = 'import { Engine, type HealthScore } from "healthfold";\nexport const score: HealthScore = new Engine().score("a", "default", { asOf: "2026-01-01" });\n';
  for (const file of ["types.cts", "types.mts"]) writeFileSync(join(folder, file), types);
  // Copies: npm clears away what it did not install, also behind a link.
  for (const name of ["@types/node", "undici-types"]) {
    const installed = join(PACKAGE, "node_modules", name);
    if (existsSync(installed)) cpSync(installed, join(folder, "node_modules", name), { recursive: true });
  }
  run(process.execPath, [join(PACKAGE, "node_modules", "typescript", "bin", "tsc"), "--project", folder]);
});

it("the native module comes from the package of its platform, too", () => {
  const own = platform();
  const packed = join(folder, "platform");
  cpSync(join(PACKAGE, "npm", own), packed, { recursive: true });
  const name = `healthfold.${own}.node`;
  copyFileSync(join(PACKAGE, name), join(packed, name));
  const [{ filename, files }] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", folder], packed));
  assert(files.some(({ path }) => path === name));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`]);
  rmSync(join(folder, "node_modules", "healthfold", name));
  assert.match(run(process.execPath, ["use.mjs"]), /^acme /);
});

it("the packages of the platforms are as package.json says", () => {
  const files = platforms();
  assert.equal(files.size, 2 * readdirSync(join(PACKAGE, "npm")).length);
  for (const [path, text] of files) assert.equal(readFileSync(join(PACKAGE, path), "utf8"), text, `${path}: npm run platforms`);
  // The name by which the native module of each is looked for is that of its folder.
  assert([...files.keys()].some((path) => path === `npm/${platform()}/package.json`));
});

it("where there is no native module it says for what", () => {
  const code = `Object.defineProperty(process, "arch", { value: "pdp11" }); require(${JSON.stringify(PACKAGE)});`;
  assert.throws(() => execFileSync(process.execPath, ["-e", code], { encoding: "utf8", stdio: "pipe" }), /no native module for \w+-pdp11/);
});

it("versions agree, and the lock file names no registry", () => {
  const { version, optionalDependencies = {} } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
  assert.match(readFileSync(join(PACKAGE, "Cargo.toml"), "utf8"), new RegExp(`^version = "${version.replaceAll(".", "\\.")}"$`, "m"));
  assert(Object.values(optionalDependencies).every((wanted) => wanted === version));
  assert.doesNotMatch(readFileSync(join(PACKAGE, "package-lock.json"), "utf8"), /"resolved"|https?:\/\/(?!opencollective|github|www\.patreon|feross|paypal|dotenvx|.*\.funding)[^"]*registry/);
});
