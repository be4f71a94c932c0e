"use strict";
// Any value as an event or a model gives a result or a coded error, nothing else; and calls do not grow memory.

const assert = require("node:assert/strict");
const { it } = require("node:test");
const fc = require("fast-check");
const { Engine, HealthfoldError, Model } = require("healthfold");
const { MOOD, scaled, subscription, usage } = require("./shared.js");

const RUNS = { numRuns: scaled(1000) };

/** Anything JavaScript has, also what throws when it is looked at. */
const anything = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true, withNullPrototype: true, withBoxedValues: true, withObjectString: true, maxDepth: 4 }),
  fc.string({ unit: "binary" }),
  fc.json(),
  fc.constantFrom(
    Symbol("x"), () => 1, undefined, Promise.resolve(1), new Error("x"), /x/, new WeakMap(),
    { toJSON() { throw null; } }, { toJSON() { return this; } }, { get x() { throw { toString() { throw 1; } }; } }, Object.create(null), new ArrayBuffer(3),
    "\ud800", NaN, -0, Infinity, 2 ** 60, 10n ** 400n, new Date(NaN), new Date(8.64e15),
  ),
);

/** A value with something in place of one of its members, at any depth. */
function spoilt(value) {
  return fc.tuple(fc.nat(), fc.nat(3), anything).map(([seed, depth, other]) => {
    const copy = structuredClone(value);
    let at = copy;
    for (let step = 0; step < depth; step += 1) {
      const inner = Object.values(at).filter((member) => typeof member === "object" && member !== null);
      if (inner.length === 0) break;
      at = inner[seed % inner.length];
    }
    const names = Object.keys(at);
    at[names[seed % names.length]] = other;
    return copy;
  });
}

/** A result or a coded error. */
function holds(call) {
  try {
    call();
  } catch (error) {
    assert(error instanceof HealthfoldError && error.code !== "internal", `${error?.stack ?? String(error)}`);
  }
}

it("as an event", () => {
  const engine = new Engine();
  const event = fc.oneof(anything, spoilt(usage(1)), spoilt(subscription(1, "acme", "100", "2026-01-05T10:00:00Z")));
  fc.assert(
    fc.property(fc.array(event, { maxLength: 4 }), fc.boolean(), (events, strict) => {
      holds(() => {
        const { applied, duplicates, conflictCount, rejectedByCode } = engine.apply(events, { strict });
        const rejected = Object.values(rejectedByCode).reduce((sum, count) => sum + count, 0);
        assert.equal(applied + duplicates + conflictCount + rejected, events.length);
      });
    }),
    RUNS,
  );
  assert.equal(engine.fingerprint().length, 64);
});

it("as one event that is no list", () => {
  fc.assert(
    fc.property(anything, (event) => {
      // What a caller's own iterator throws is the caller's.
      const isMany = typeof event === "object" && event !== null && Symbol.iterator in event;
      if (!isMany) holds(() => new Engine().apply(event));
    }),
    RUNS,
  );
});

it("as a model, a signal, options and text", () => {
  const engine = new Engine();
  engine.apply([usage(1), subscription(1, "acme", "100", "2026-01-05T10:00:00Z")]);
  const asOf = "2026-02-01";
  fc.assert(
    fc.property(fc.oneof(anything, spoilt(MOOD)), anything, (document, other) => {
      holds(() => engine.score("acme", new Model(document), { asOf }));
      holds(() => engine.scores(document, { asOf, only: other }));
      holds(() => engine.signal("acme", document, { asOf }));
      holds(() => engine.score(other, "default", { asOf: other }));
      holds(() => engine.revenue(other, document));
      holds(() => engine.revenueSeries(other));
      holds(() => engine.targets("2026-01", other));
      holds(() => engine.top(other, { asOf }));
      holds(() => engine.lift({ kind: "tenure_days" }, { asOf, edges: other, outcome: "retained", horizonDays: 30 }));
      holds(() => engine.applyTable("usage.counted", other, document));
      holds(() => engine.applyParquetEach(new Uint8Array(), other));
      holds(() => engine.applyParquetEach(new Uint8Array(), [document, other]));
      holds(() => Engine.restore(other));
      holds(() => new Engine(other));
    }),
    RUNS,
  );
});

it("bytes as a snapshot, a table or a Parquet file", () => {
  const snapshot = new Engine().snapshot();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(snapshot.length - 1), fc.nat(255), (bytes, at, byte) => {
      const altered = snapshot.slice();
      altered[at] = byte;
      for (const one of [bytes, altered, Buffer.concat([Buffer.from("ARROW1"), bytes]), Buffer.concat([Buffer.from("PAR1"), bytes, Buffer.from("PAR1")])]) {
        holds(() => Engine.restore(one));
        holds(() => new Engine().applyTable("usage.counted", one));
        holds(() => new Engine().applyParquet("usage.counted", one));
        holds(() => new Engine().applyParquetEach(one, [{ type: "usage.counted" }]));
      }
    }),
    RUNS,
  );
});

it("calls do not grow memory", async (context) => {
  // A million with HEALTHFOLD_TEST_SCALE=10.
  const calls = scaled(100_000);
  const engine = new Engine();
  engine.apply([usage(1), subscription(1, "acme", "100", "2026-01-05T10:00:00Z")]);
  const model = new Model(MOOD);
  const asOf = "2026-02-01";
  const round = async (n) => {
    for (let call = 0; call < n; call += 4) {
      engine.score("acme", model, { asOf });
      engine.apply(usage(1));
      holds(() => engine.score("nobody", model, { asOf }));
      if (call % 400 === 0) await engine.scoresAsync(model, { asOf });
      else engine.signal("acme", { kind: "tenure_days" }, { asOf });
      // Finalizers run between turns of the event loop.
      if (call % 2000 === 0) await new Promise(setImmediate);
    }
    for (let n = 0; n < 4; n += 1) {
      global.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return process.memoryUsage().rss;
  };
  await round(calls / 4);
  const before = await round(calls / 4);
  const after = await round(calls);
  context.diagnostic(`measured: ${calls} calls grew memory by ${((after - before) / 2 ** 20).toFixed(1)} MiB`);
  assert(after - before < 24 * 2 ** 20, `${before} to ${after}`);
});
