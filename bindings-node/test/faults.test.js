"use strict";
// A panic at every guarded step of every exported call is an error with the code `internal`, the process goes on, and so does
// every other engine. What is exported is asked, not listed, so that no new call can be forgotten.

const assert = require("node:assert/strict");
const { it } = require("node:test");
const healthfold = require("healthfold");
const { CALLS } = require("../lib/calls.js");
const { native } = require("../lib/native.js");
const { BOOK, MOOD, usage } = require("./shared.js");

const { Engine, HealthfoldError, Model } = healthfold;
const AS_OF = "2026-03-31";
const LINE = Buffer.from(JSON.stringify(usage(9)));

function book() {
  const engine = new Engine();
  engine.apply(BOOK);
  return engine;
}

/** Panics at the first step of what `prepare` gives, then at the second, ... Tells how many there are. */
async function panics(name, prepare) {
  for (let step = 1; ; step += 1) {
    const call = prepare();
    native.panicAfter(step);
    let error;
    try {
      await call();
    } catch (caught) {
      error = caught;
    }
    // The step was not reached: there are no more.
    if (native.panicAfter(0) > 0) return step - 1;
    const told = error instanceof HealthfoldError && error.code === "internal" && /on purpose/.test(error.message);
    assert(told, `${name}, step ${step}: ${error?.stack ?? "no error"}`);
  }
}

/** Something for each argument: that it is read, not that it is right. */
const GIVEN = { text: () => "acme", model: () => MOOD, document: () => ({ kind: "mrr" }), json: () => "2026-03", bytes: () => LINE, each: () => [{ type: "usage.counted" }], engine: () => new Engine() };

for (const { name, params, change } of CALLS) {
  for (const method of [name, `${name}Async`]) {
    it(method, async () => {
      const steps = await panics(method, () => {
        const engine = book();
        const given = params.map(([, kind]) => GIVEN[kind]());
        return () => engine[method](...given, ["applyTable", "applyParquet", "applyParquetEach"].includes(name) ? {} : { asOf: AS_OF });
      });
      assert(steps >= (change ? 2 : 3), `only ${steps} steps of ${method}`);
    });
  }
}

/** What else there is. */
const OTHERS = {
  "new Engine": () => () => new Engine({ timezone: "Europe/Berlin" }),
  restore: () => {
    const bytes = book().snapshot();
    return () => Engine.restore(bytes);
  },
  restoreAsync: () => {
    const bytes = book().snapshot();
    return () => Engine.restoreAsync(bytes);
  },
  sealedBefore: () => {
    const engine = book();
    return () => engine.sealedBefore;
  },
  apply: () => {
    const engine = book();
    return () => engine.apply(usage(9));
  },
  applyAsync: () => {
    const engine = book();
    return () => engine.applyAsync([usage(9)]);
  },
  writable: () => {
    const engine = book();
    return () => new Promise((resolve, reject) => engine.writable().on("error", reject).on("finish", resolve).end(LINE));
  },
  eachScore: () => {
    const engine = book();
    return async () => {
      for await (const score of engine.eachScore(MOOD, { asOf: AS_OF })) assert(score.client);
    };
  },
  ...Object.fromEntries(
    Object.entries({
      "Table.at": (rows) => rows.at(0),
      "Table.toArray": (rows) => rows.toArray(),
      "Table.toArrow": (rows) => rows.toArrow(),
      "Table.toArrowAsync": (rows) => rows.toArrowAsync(),
    }).map(([name, look]) => [
      name,
      () => {
        const rows = book().scores(MOOD, { asOf: AS_OF });
        return () => look(rows);
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({
      "Watch.refresh": (watch) => watch.refresh({ asOf: AS_OF }),
      "Watch.refreshAsync": (watch) => watch.refreshAsync({ asOf: AS_OF }),
      "Watch.asOf": (watch) => watch.asOf,
      "Watch.health": (watch) => watch.health(),
      "Watch.score": (watch) => watch.score("acme"),
      "Watch.revenue": (watch) => watch.revenue(),
    }).map(([name, look]) => [
      name,
      () => {
        const watch = book().watch(MOOD, { asOf: AS_OF });
        return () => look(watch);
      },
    ]),
  ),
  "new Model": () => () => new Model(MOOD),
  "Model.fromJson": () => () => Model.fromJson(JSON.stringify(MOOD)),
  "Model.fromToml": () => () => Model.fromToml("name = 'm'"),
  "Model.fromYaml": () => () => Model.fromYaml("name: m"),
  "Model.usageBased": () => () => Model.usageBased("reports"),
  "Model.shipped": () => () => Model.shipped(),
  "Model.lint": () => {
    const model = new Model(MOOD);
    return () => model.lint();
  },
  "Model.toJSON": () => {
    const model = new Model(MOOD);
    return () => model.toJSON();
  },
  eventSchema: () => () => healthfold.eventSchema(),
  modelSchema: () => () => healthfold.modelSchema(),
};

for (const [name, prepare] of Object.entries(OTHERS)) {
  it(name, async () => assert((await panics(name, prepare)) > 0, `${name} has no guarded step`));
}

it("nothing that is exported is left out", () => {
  const functions = ["arguments", "caller", "length", "name", "prototype"];
  const own = (object) => Reflect.ownKeys(object).filter((name) => typeof name === "string" && !name.startsWith("_") && !functions.includes(name));
  const reached = new Set([...Object.keys(OTHERS), ...CALLS.flatMap(({ name }) => [name, `${name}Async`])]);
  // What is JavaScript alone, or calls one of the others.
  const plain = ["constructor", "timezone", "dedupe", "zoneData", "toString", "default", "highTouch", "fromFile", "map", "filter", "toJSON"];
  const missing = (names, prefix) => names.filter((name) => !plain.includes(name) && !reached.has(prefix + name));
  assert.deepEqual(missing([...own(Engine), ...own(Engine.prototype)], ""), []);
  assert.deepEqual(missing([...own(Model), ...own(Model.prototype)], "Model."), []);
  assert.deepEqual(missing(own(healthfold.Watch.prototype), "Watch."), []);
  assert.deepEqual(missing(own(healthfold.Table.prototype), "Table."), []);
  assert.deepEqual(missing(own(healthfold).filter((name) => typeof healthfold[name] === "function" && !/^[A-Z]/.test(name)), ""), []);
  // The native module has nothing that these do not call, but for the tests' own.
  const known = { Engine: ["make", "restore", "ask", "change"], Job: ["now", "later", "abort"], Model: ["read", "shipped", "about", "document", "lint"], Panicking: ["later"], Rows: ["slice", "arrow"], Watch: ["ask"], panicAfter: [], panicIn: [], schema: [] };
  assert.deepEqual(own(native).sort(), Object.keys(known).sort());
  for (const [name, methods] of Object.entries(known)) {
    const found = [...own(native[name]), ...own(native[name].prototype ?? {})].filter((name) => name !== "constructor");
    assert.deepEqual(found.filter((name) => !methods.includes(name)), [], name);
  }
});

it("an engine that broke in a change says so, and its snapshot goes on", () => {
  const engine = book();
  const before = engine.snapshot();
  native.panicAfter(3);
  assert.throws(() => engine.apply(usage(9)), { code: "internal", message: /on purpose/ });
  assert.equal(native.panicAfter(0), 0);
  assert.throws(() => engine.clients(), { code: "internal", message: /restore a snapshot/ });
  assert.deepEqual(Engine.restore(before).clients(), ["acme", "birch", "cedar"]);
});
