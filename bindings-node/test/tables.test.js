"use strict";
// Tables in and out as Arrow IPC, which apache-arrow reads and writes; Parquet in.

const assert = require("node:assert/strict");
const { it } = require("node:test");
const arrow = require("apache-arrow");
const { Engine } = require("healthfold");
const { BOOK, MOOD, manyLines } = require("./shared.js");

const AS_OF = "2026-03-31";

function book() {
  const engine = new Engine();
  engine.apply(BOOK);
  return engine;
}

const FRAME = new arrow.Table({
  account: arrow.vectorFromArray(["acme", "birch", "acme"], new arrow.Utf8()),
  time: arrow.vectorFromArray([0, 1, 2].map((day) => Date.UTC(2026, 0, 5 + day)), new arrow.TimestampMillisecond("UTC")),
  count: arrow.vectorFromArray([3, 4, -1], new arrow.Int32()),
});
const HOW = { columns: { subject: "account" }, constants: { metric: "reports" }, source: "warehouse" };

it("a table goes in, as a stream or as a file", async () => {
  for (const form of /** @type {const} */ (["stream", "file"])) {
    const engine = new Engine();
    const bytes = arrow.tableToIPC(FRAME, form);
    assert.equal(engine.applyTable("usage.counted", bytes, HOW).applied, 3);
    // The same again changes nothing.
    assert.equal((await engine.applyTableAsync("usage.counted", bytes, HOW)).duplicates, 3);
    const sum = engine.signal("acme", { kind: "usage_sum", metric: "reports", days: 30 }, { asOf: "2026-01-31" });
    assert.equal(sum.reading, 2);
    assert.equal(engine.applyTable("usage.counted", bytes, { ...HOW, load: "other", days: ["2026-01-06", "2026-01-07"] }).applied, 1);
  }
});

it("several batches and dictionaries go in", () => {
  const words = new arrow.Table({
    subject: arrow.vectorFromArray(["a", "b", "a"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())),
    time: arrow.vectorFromArray(["2026-01-05T10:00:00Z", "2026-01-06T10:00:00Z", "soon"], new arrow.Utf8()),
  });
  const bytes = arrow.tableToIPC(words.concat(words.slice(0, 1)), "stream");
  const applied = new Engine().applyTable("usage.counted", bytes, { constants: { metric: "x" }, source: "s" });
  assert.equal(applied.applied, 3);
  assert.deepEqual(applied.rejected.map(({ index, code, field, line }) => [index, code, field, line]), [[2n, "bad_time", "time", null]]);
});

it("faults of a table come at once, those of rows strictly or as data", () => {
  const bytes = arrow.tableToIPC(FRAME, "stream");
  assert.throws(() => new Engine().applyTable("billing.charged", bytes), (error) => error.code === "invalid_table" && error.issues.length > 2);
  assert.throws(() => new Engine().applyTable("usage.counted", bytes.subarray(0, bytes.length - 100), HOW), { code: "unreadable_table" });
  const bad = arrow.tableToIPC(new arrow.Table({ subject: arrow.vectorFromArray(["a", ""], new arrow.Utf8()), time: FRAME.getChild("time").slice(0, 2) }), "stream");
  const how = { constants: { metric: "x" }, source: "s", strict: true };
  assert.throws(() => new Engine().applyTable("usage.counted", bad, how), { code: "empty_id", index: 1n, field: "subject" });
  assert.throws(() => new Engine().applyTable("usage.counted", bad, { ...how, columns: { time: "time" }, constants: { metric: "x", time: "2026-01-05" } }), { code: "bad_value" });
});

it("scores, movements, series, cohorts and rejections come out", async () => {
  const engine = book();
  const scores = engine.scores(MOOD, { asOf: AS_OF });
  const table = arrow.tableFromIPC(scores.toArrow());
  assert.deepEqual([...table.getChild("client")], engine.clients());
  assert.deepEqual([...table.getChild("score")], scores.map(({ score }) => score));
  assert.deepEqual(await scores.toArrowAsync(), scores.toArrow());
  const columns = engine.scoreTable(MOOD, { asOf: AS_OF });
  assert.equal(arrow.tableFromIPC(columns.toArrow()).numRows, columns.client.length);
  assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(columns))).includes("toArrow"), false);
  const { rows } = engine.movements("2026-03");
  assert.deepEqual([...arrow.tableFromIPC(rows.toArrow()).getChild("client")], rows.map(({ client }) => client));
  const series = engine.revenueSeries({ start: "2026-01-01", end: "2026-04-01" });
  assert.equal(arrow.tableFromIPC(series.rows.toArrow()).numRows, 3);
  assert(arrow.tableFromIPC(engine.cohorts({ asOf: AS_OF }).cohorts.toArrow()).numRows > 0);
  const { spells } = engine.spells({ asOf: AS_OF });
  assert.deepEqual([...arrow.tableFromIPC(spells.toArrow()).getChild("days")], spells.map(({ days }) => days));
  const life = engine.lifetime({ asOf: AS_OF });
  assert.deepEqual([...arrow.tableFromIPC(life.toArrow()).getChild("survival")], life.total.points.map(({ survival }) => survival));
  const { clients } = engine.ltv({ method: "simple", period: "2026-03" });
  assert.deepEqual([...arrow.tableFromIPC(clients.toArrow()).getChild("client")], clients.map(({ client }) => client));
  const { toArrow } = engine.apply(/** @type {any} */ ({}));
  assert.equal(arrow.tableFromIPC(toArrow()).getChild("code")?.get(0), "missing_field");
});

it("a book of some size comes out as it is", () => {
  const engine = new Engine();
  engine.applyNdjson(manyLines(1000));
  const scores = engine.scores("default", { asOf: AS_OF });
  const table = arrow.tableFromIPC(scores.toArrow());
  assert.deepEqual([...table.getChild("coverage")], scores.map(({ coverage }) => coverage));
});
