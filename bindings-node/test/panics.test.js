"use strict";
// A fault of the library is an error with the code `internal`, wherever it happens, and never the end of the process.

const assert = require("node:assert/strict");
const { it } = require("node:test");
const { setTimeout: pause } = require("node:timers/promises");
const { told } = require("../lib/error.js");
const { native } = require("../lib/native.js");

const INTERNAL = { name: "HealthfoldError", code: "internal", message: /on purpose/ };

it("in a call", () => {
  assert.throws(() => {
    try {
      native.panicIn("now");
    } catch (error) {
      throw told(error);
    }
  }, INTERNAL);
});

for (const place of ["compute", "resolve"]) {
  it(`in ${place} of a task on the pool`, async () => {
    await assert.rejects(native.panicIn(place).later().catch((error) => Promise.reject(told(error))), INTERNAL);
  });
}

it("in a finalizer", async () => {
  assert(global.gc, "run with --expose-gc");
  (() => void native.panicIn("finalize"))();
  for (let n = 0; n < 5; n += 1) {
    global.gc();
    await pause(1);
  }
});
