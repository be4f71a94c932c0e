"use strict";
// What the READMEs show runs.

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { after, it } = require("node:test");
const { BOOK, ROOT } = require("./shared.js");

// In the package, so that it is found by its name.
mkdirSync(join(__dirname, "..", "target"), { recursive: true });
const folder = mkdtempSync(join(__dirname, "..", "target", "docs-"));
after(() => rmSync(folder, { recursive: true }));

for (const page of ["README.md", "bindings-node/README.md"]) {
  it(page, () => {
    const blocks = [...readFileSync(join(ROOT, page), "utf8").matchAll(/^```js\n(.*?)^```/gms)].map(([, block]) => block);
    assert(blocks.length > 0);
    writeFileSync(join(folder, "events.ndjson"), BOOK.map((event) => JSON.stringify(event)).join("\n"));
    for (const [at, block] of blocks.entries()) {
      writeFileSync(join(folder, `${at}.mjs`), block);
      const said = execFileSync(process.execPath, [`${at}.mjs`], { cwd: folder, encoding: "utf8" });
      if (page === "README.md") assert.match(said, /Table\(3\).*client: 'acme'/s);
    }
  });
}
