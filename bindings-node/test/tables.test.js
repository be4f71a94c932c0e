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

/**
 * A Parquet file, which nothing here writes: of four invoices (`invoice`, `client`, `issued_at`, `paid_at`, `amount`) three were
 * issued and three paid, one of them by nobody.
 */
const INVOICES = Buffer.from(
  `
  UEFSMRUAFUQVRCwVCBUAFQYVBhwAAAACAAAACAEDAAAAaS0xAwAAAGktMgMAAABpLTMDAAAAaS00FQAVRhVGLBUIFQAVBhUGHAAAAAIAAAAIAQQAAABhY21l
  BQAAAGJpcmNoBAAAAGFjbWUAAAAAFQAVPBU8LBUIFQAVBhUGHAAAAAIAAAADBwCo2nabAQAAAAQBfJsBAAAACNlEnAEAABUAFTwVPCwVCBUAFQYVBhwAAAAC
  AAAAAw0A5DOlmwEAAADUmF6cAQAAAKBYeJwBAAAVABUsFSwsFQgVABUGFQYcAAAAAgAAAAgBZAAAADIAAABGAAAACgAAABUEGWw1ABgGc2NoZW1hFQoAFQwl
  AhgHaW52b2ljZSUATBwAAAAVDCUCGAZjbGllbnQlAEwcAAAAFQQlAhgJaXNzdWVkX2F0JRJMjBEcHAAAAAAAFQQlAhgHcGFpZF9hdCUSTIwRHBwAAAAAABUC
  JQIYBmFtb3VudAAWCBkcGVwmABwVDBklBgAZGAdpbnZvaWNlFQAWCBZqFmomCEkcFQAVABUCADwWGBkGGSYACAAAACYAHBUMGSUGABkYBmNsaWVudBUAFggW
  bBZsJnJJHBUAFQAVAgA8FhoZBhkmAAgAAAAmABwVBBklBgAZGAlpc3N1ZWRfYXQVABYIFmIWYibeAUkcFQAVABUCADwpBhkmAgYAAAAmABwVBBklBgAZGAdw
  YWlkX2F0FQAWCBZiFmImwAJJHBUAFQAVAgA8KQYZJgIGAAAAJgAcFQIZJQYAGRgGYW1vdW50FQAWCBZSFlImogNJHBUAFQAVAgA8KQYZJgAIAAAAFuwDFggm
  CBbsAwAoIHBhcnF1ZXQtY3BwLWFycm93IHZlcnNpb24gMjYuMC4xGVwcAAAcAAAcAAAcAAAcAAAAtQEAAFBBUjE=
`,
  "base64",
);

const ISSUED = { columns: { subject: "client", time: "issued_at" }, constants: { due: "2026-06-01", currency: "USD" }, source: "issued", skipWithoutTime: true };
const PAID = { columns: { subject: "client", time: "paid_at" }, source: "paid", skipWithoutTime: true };

/** @returns {any[]} */
const kinds = (changes = {}) => [{ type: "billing.invoice_issued", ...ISSUED }, { type: "billing.invoice_paid", ...PAID, ...changes }];

it("a Parquet file of several types of event is read once", async () => {
  const oneByOne = new Engine();
  const issued = oneByOne.applyParquet("billing.invoice_issued", INVOICES, ISSUED);
  const paid = oneByOne.applyParquet("billing.invoice_paid", INVOICES, PAID);
  assert.deepEqual([issued.applied, issued.skipped, paid.applied, paid.skipped], [3, 1, 2, 1]);
  assert.deepEqual(paid.rejected.map(({ index, code }) => [index, code]), [[3n, "empty_id"]]);
  const engine = new Engine();
  const each = engine.applyParquetEach(INVOICES, kinds());
  assert.deepEqual(JSON.parse(JSON.stringify(each)), JSON.parse(JSON.stringify([issued, paid])));
  assert.deepEqual(each[1].rejected, paid.rejected);
  assert.equal(arrow.tableFromIPC(each[1].toArrow()).getChild("code")?.get(0), "empty_id");
  assert.equal(engine.fingerprint(), oneByOne.fingerprint());
  const again = await engine.applyParquetEachAsync(INVOICES, kinds());
  assert.deepEqual(again.map(({ duplicates }) => duplicates), [3, 2]);
  assert.deepEqual(engine.applyParquetEach(INVOICES, []), []);
  const reason = new Error("changed my mind");
  await assert.rejects(engine.applyParquetEachAsync(INVOICES, kinds(), { signal: AbortSignal.abort(reason) }), reason);
});

it("where one type of a Parquet file is strict all are", () => {
  const engine = new Engine();
  const before = engine.fingerprint();
  assert.throws(() => engine.applyParquetEach(INVOICES, kinds({ strict: true })), { code: "empty_id", index: 3n, field: "subject" });
  assert.equal(engine.fingerprint(), before);
  const applied = engine.applyParquetEach(INVOICES, kinds({ strict: true, days: ["2026-01-01", "2026-02-01"] }));
  assert.deepEqual(applied.map(({ applied, skipped }) => [applied, skipped]), [[3, 1], [1, 3]]);
});

it("faults of one of several types are those of one alone", () => {
  const engine = new Engine();
  /** @type {[any, string, RegExp][]} */
  const faults = [
    [{ type: "billing.invoice_dreamt" }, "type", /one of usage\.counted/],
    [{ type: null }, "type", /is missing/],
    [{ colums: {} }, "colums", /no option/],
    [{ skip_without_time: true }, "skip_without_time", /no option/],
    [{ model: "default" }, "model", /no option/],
    [{ skipWithoutTime: "yes" }, "skipWithoutTime", /boolean/],
    [{ constants: { time: "2026-01-01" } }, "time", /by a column and by a constant/],
    [{ constants: () => 1 }, "constants", /./],
  ];
  for (const [changes, field, message] of faults) {
    assert.throws(() => engine.applyParquetEach(INVOICES, kinds(changes)), { code: "bad_value", field, message });
  }
  assert.throws(() => engine.applyParquetEach(INVOICES, kinds({ days: ["soon", "later"] })), { code: "bad_time", field: "days" });
  for (const odd of [undefined, null, {}, "usage.counted", new Set(kinds())]) {
    assert.throws(() => engine.applyParquetEach(INVOICES, /** @type {any} */ (odd)), { code: "bad_value", field: "kinds", message: /list of objects/ });
  }
  assert.throws(() => engine.applyParquetEach(INVOICES, /** @type {any} */ (["usage.counted"])), { code: "bad_value", field: "kinds" });
  // The settings are those of a type, not of the file.
  const more = /** @type {any} */ (engine);
  assert.throws(() => more.applyParquetEach(INVOICES, kinds(), { strict: true }), { code: "bad_value", field: "strict" });
  assert.throws(() => engine.applyParquetEach(INVOICES, kinds({ columns: { subject: "nowhere" } })), (error) => error.code === "invalid_table");
  assert.throws(() => engine.applyParquetEach(INVOICES.subarray(0, 500), kinds()), { code: "unreadable_table" });
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
