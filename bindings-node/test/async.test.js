"use strict";
// Calls that do not wait: on the pool, in order, with an AbortSignal, and never in the way of the event loop.

const assert = require("node:assert/strict");
const { it } = require("node:test");
const { monitorEventLoopDelay } = require("node:perf_hooks");
const { setImmediate: pause, setTimeout: wait } = require("node:timers/promises");
const { Engine } = require("healthfold");
const { manyLines, scaled, usage } = require("./shared.js");

const AS_OF = "2026-03-31";
const LINES = Buffer.from(manyLines(3000));

function big() {
  const engine = new Engine();
  engine.applyNdjson(LINES);
  return engine;
}

it("every call has a twin", () => {
  const names = Object.getOwnPropertyNames(Engine.prototype).filter((name) => !name.startsWith("_"));
  const own = ["constructor", "timezone", "dedupe", "zoneData", "sealedBefore", "eachScore", "writable", "toString"];
  const calls = names.filter((name) => !own.includes(name) && !name.endsWith("Async"));
  assert(calls.length > 35, calls.join());
  for (const name of calls) assert(names.includes(`${name}Async`), name);
});

it("calls of one engine wait for each other in order", async () => {
  const engine = new Engine();
  const order = [];
  const done = (name) => () => order.push(name);
  await Promise.all([
    engine.applyNdjsonAsync(LINES).then(done("first change")),
    engine.clientsAsync().then((clients) => order.push(`asked of ${clients.length}`)),
    engine.applyAsync(usage(1, { client: "one more" })).then(done("second change")),
    engine.clientsAsync().then((clients) => order.push(`asked of ${clients.length}`)),
  ]);
  assert.deepEqual(order, ["first change", "asked of 3000", "second change", "asked of 3001"]);
});

it("a call that could only wait is refused as busy, and changed nothing", async () => {
  const engine = big();
  const before = engine.fingerprint();
  const asking = engine.fingerprintAsync();
  // Many may ask at a time.
  assert.equal(engine.clients().length, 3000);
  assert.throws(() => engine.apply(usage(1)), { code: "busy" });
  assert.equal(await asking, before);
  assert.equal(engine.fingerprint(), before);
  const changing = engine.applyAsync(usage(1));
  assert.throws(() => engine.clients(), { code: "busy" });
  assert.throws(() => engine.sealedBefore, { code: "busy" });
  assert.throws(() => new Engine().merge(engine), { code: "busy" });
  assert.equal((await changing).applied, 1);
  assert.equal(engine.timezone, "UTC");
});

it("engines that merge with each other do not wait for ever", async () => {
  const [one, other] = [new Engine(), new Engine()];
  one.apply(usage(1, { client: "a" }));
  other.apply({ ...usage(2, { client: "b" }), type: "usage.day_set", data: { metric: "reports", day: "2026-01-05", count: 1 } });
  const outcomes = await Promise.allSettled([one.mergeAsync(other), other.mergeAsync(one)]);
  assert(outcomes.every(({ status }) => status === "fulfilled"), JSON.stringify(outcomes));
  assert.equal(one.fingerprint(), other.fingerprint());
});

it("an aborted call rejects with the reason of its signal", async () => {
  const engine = big();
  const reason = new Error("changed my mind");
  await assert.rejects(engine.scoresAsync("default", { asOf: AS_OF, signal: AbortSignal.abort(reason) }), reason);
  await assert.rejects(Engine.restoreAsync(engine.snapshot(), { signal: AbortSignal.abort(reason) }), reason);
  // While it waits for its turn.
  const abort = new AbortController();
  const changing = engine.applyNdjsonAsync(LINES);
  const waiting = engine.scoresAsync("default", { asOf: AS_OF, signal: abort.signal });
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  assert.equal((await changing).duplicates, 12_000);
  // While it runs: a question at once.
  const asked = new AbortController();
  const asking = engine.scoresAsync("default", { asOf: AS_OF, signal: asked.signal });
  await pause();
  asked.abort(reason);
  await assert.rejects(asking, reason);
  // The engine goes on.
  assert.equal((await engine.applyAsync(usage("after"))).applied, 1);
  await assert.rejects(engine.scoresAsync("default", /** @type {any} */ ({ asOf: AS_OF, signal: 7 })), { code: "bad_value" });
});

it("an aborted change ends, and taking it in again is harmless", async () => {
  const lines = Buffer.from(manyLines(20_000));
  const [engine, whole] = [new Engine(), new Engine()];
  const abort = new AbortController();
  const changing = engine.applyNdjsonAsync(lines, { signal: abort.signal });
  await wait(1);
  abort.abort();
  // It may have come to its end before it heard of that.
  const outcome = await changing.then(() => "ended", (error) => error.name);
  assert(["ended", "AbortError"].includes(outcome), outcome);
  await engine.applyNdjsonAsync(lines);
  await whole.applyNdjsonAsync(lines);
  assert.equal(engine.fingerprint(), whole.fingerprint());
});

it("the event loop goes on while the pool works", async (context) => {
  const lines = Buffer.from(manyLines(scaled(20_000)));
  const engine = new Engine();
  // The first time things are compiled.
  await (await engine.scoresAsync("default", { asOf: AS_OF })).toArrowAsync();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  await engine.applyNdjsonAsync(lines);
  await engine.snapshotAsync();
  await engine.revenueSeriesAsync({ start: "2025-01-01", end: "2026-04-01" });
  let rows = 0;
  for await (const { client } of engine.eachScore("default", { asOf: AS_OF })) rows += client.length > 0 ? 1 : 0;
  const took = performance.now() - begun;
  delay.disable();
  assert.equal(rows, scaled(20_000));
  const [p99, most] = [delay.percentile(99) / 1e6, delay.max / 1e6];
  context.diagnostic(`measured: event loop delay while the pool worked ${took.toFixed(0)} ms: p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms`);
  // Where the work were done in the event loop, one delay would be nearly all of the time.
  assert(most < took / 3, `${most} of ${took} ms`);
});
