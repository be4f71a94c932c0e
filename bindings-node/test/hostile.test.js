"use strict";
// The worst inputs, through Node: a result or a HealthfoldError, in bounded time and memory, and nothing left behind. The table
// is that of `bindings-python/tests/test_hostile.py`; what such inputs cost in the core is in `core/tests/hostile_table.rs`.

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const { it } = require("node:test");
const { Engine, HealthfoldError, Model } = require("healthfold");
const { MOOD, ROOT, manyLines, scaled, usage } = require("./shared.js");

const MOST_MS = 60_000;
const MOST_BYTES = 512 * 2 ** 20;

function line(data) {
  const start = '{"id":"1","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z","data":';
  return Buffer.from(`${start}${data}}\n`);
}

function nested(depth) {
  let inside = [];
  for (let n = 0; n < depth; n += 1) inside = [inside];
  return inside;
}

function nestedGroup(depth) {
  const group = '{"name":"g","groups":[';
  return `{"name":"m","signals":{},"bands":[{"name":"red","from":0}],"groups":[${group.repeat(depth)}${"]}".repeat(depth)}]}`;
}

const range = (count) => Array.from({ length: count }, (_, n) => n);
const many = (count, name) => range(count).map((n) => usage(n, { client: name(n) }));

/** Ids of one quick hash: see `core/src/index.rs`. */
const colliding = (n) => `aaaaaaaa\u000cgW\u01cer]qbbbbbbbbbbbbbbbb${String(n).padStart(7, "0")}`;

const LOGS = [
  ["brackets", () => line("[".repeat(500_000)), ["limit_exceeded"]],
  ["one long line", () => Buffer.alloc(32 << 20, "x"), ["too_long"]],
  ["a million members", () => line(`{${range(1_000_000).map((n) => `"k${n}":1`).join(",")}}`), ["too_long"]],
  ["one member often", () => line(`{"metric":"m",${Array(100_000).fill('"k":1').join(",")}}`), ["malformed_json"]],
  ["an exponent", () => line('{"metric":"m","count":1e999999999999999999}'), ["out_of_range"]],
  ["no text", () => Buffer.alloc(200_000, Buffer.from([0xff, 0xfe])), ["malformed_json"]],
  ["a list in itself, deep", () => [{ ...usage(1), data: nested(900) }], ["limit_exceeded"]],
  ["half a character", () => [usage(1, { client: "\ud800" })], ["malformed_json"]],
  ["an id of one kilobyte", () => [usage(1, { client: "x".repeat(1024) })], ["too_long"]],
  ["ids of one hash", () => many(20_000, colliding), []],
  ["ids that look alike", () => many(5, (n) => ["acme", "\u0430cme", "\u202eacme", "acme\u200b", "\u05e9"][n]), []],
];

for (const [name, log, codes] of LOGS) {
  for (const twin of [false, true]) {
    it(`a log: ${name}${twin ? ", on the pool" : ""}`, async () => {
      const given = log();
      const engine = new Engine();
      const call = (Buffer.isBuffer(given) ? "applyNdjson" : "apply") + (twin ? "Async" : "");
      const [begun, before] = [performance.now(), process.memoryUsage().rss];
      const { applied, rejectedByCode } = await engine[call](given);
      assert.deepEqual(Object.keys(rejectedByCode), codes);
      assert.equal(applied, codes.length > 0 ? 0 : given.length);
      assert.equal(engine.clients().length, applied);
      assert(performance.now() - begun < MOST_MS);
      assert(process.memoryUsage().rss - before < MOST_BYTES);
    });
  }
}

const MODELS = [
  ["text, 10 000 deep", nestedGroup(10_000)],
  ["objects, 900 deep", { ...MOOD, groups: nested(900) }],
  ["objects, 100 000 deep", { ...MOOD, groups: nested(100_000) }],
  ["a window of 10^9 days", { ...MOOD, signals: { mood: { kind: "usage_sum", metric: "m", days: 10 ** 9 } } }],
  ["a formula 10 000 deep", `{"name":"m","signals":{"s":{"kind":"formula","expr":${'{"+":[1,'.repeat(10_000)}1${"]}".repeat(10_000)}}}}`],
  ["no text", "\0".repeat(1000)],
];

/** The code of what a call throws. */
function code(call) {
  try {
    call();
  } catch (error) {
    assert(error instanceof HealthfoldError && error.code !== "internal", String(error?.stack ?? error));
    return error.code;
  }
  return assert.fail("it was taken");
}

for (const [name, model] of MODELS) {
  it(`a model: ${name}`, () => {
    const begun = performance.now();
    code(() => new Model(model));
    assert(performance.now() - begun < MOST_MS);
  });
}

it("questions without end", () => {
  const engine = new Engine();
  engine.apply(usage(1));
  for (const question of [
    () => engine.revenue(["0001-01-01", "9999-12-31"]),
    () => engine.revenue("99999"),
    () => engine.signal("acme", { kind: "usage_sum", metric: "reports", days: 1e9 }, { asOf: "2026-01-05" }),
    () => engine.score("acme", Model.default(), { asOf: "9999-12-31" }),
  ]) code(question);
});

it("a snapshot with any byte changed, or cut", () => {
  const engine = new Engine();
  engine.apply(usage(1));
  const good = engine.snapshot();
  for (let place = 0; place < good.length; place += 1) {
    const bad = Uint8Array.from(good);
    bad[place] ^= 0x55;
    assert(["corrupt_snapshot", "newer_snapshot"].includes(code(() => Engine.restore(bad))));
    code(() => Engine.restore(good.slice(0, place)));
  }
  assert.equal(Engine.restore(good).fingerprint(), engine.fingerprint());
});

it("nothing leaks: results, errors, snapshots, models", async (context) => {
  const events = many(200, String);
  const bad = Buffer.from("nonsense\n".repeat(200));
  const work = async (turns) => {
    for (let turn = 0; turn < turns; turn += 1) {
      let engine = new Engine();
      engine.apply(events);
      await engine.applyNdjsonAsync(bad);
      engine = Engine.restore(engine.snapshot());
      const model = new Model(MOOD);
      engine.scores(model, { asOf: "2026-01-06" }).toArray();
      await engine.revenueAsync("2026-01");
      code(() => new Model({}));
      code(() => Engine.restore(Buffer.from("x")));
      code(() => engine.score("nobody", model, { asOf: "2026-01-06" }));
      global.gc?.();
      // Finalizers run between turns of the event loop.
      await new Promise(setImmediate);
    }
    return process.memoryUsage().rss;
  };
  const before = await work(scaled(200));
  const grown = (await work(scaled(400))) - before;
  context.diagnostic(`measured: ${scaled(400)} engines grew memory by ${(grown / 2 ** 20).toFixed(1)} MiB`);
  // A leak of one such engine a turn would be some 40 MiB.
  assert(grown < 16 * 2 ** 20, `${grown} bytes`);
});

it("leaving with work under way", () => {
  const program = `
    const { Engine, Model } = require("healthfold");
    const engine = new Engine();
    engine.applyNdjson(require("node:fs").readFileSync(0));
    for (let n = 0; n < 8; n += 1) engine.scoresAsync(Model.default(), { asOf: "2026-01-06" });
    setTimeout(() => process.exit(0), 5);`;
  const options = { cwd: `${ROOT}/bindings-node`, input: manyLines(3000), timeout: 120_000 };
  const done = spawnSync(process.execPath, ["-e", program], options);
  assert.deepEqual([done.status, done.stderr.toString()], [0, ""]);
});
