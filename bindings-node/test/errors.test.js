"use strict";
// Every code is raised here by somebody's mistake, and says what it is about.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { describe, it } = require("node:test");
const { tableFromArrays, tableToIPC } = require("apache-arrow");
const { Engine, HealthfoldError, Model } = require("healthfold");
const { ROOT, subscription, usage } = require("./shared.js");

const AS_OF = "2026-03-31";

function small() {
  const engine = new Engine();
  engine.apply([usage(1), subscription(1, "acme", "100", "2026-01-05T10:00:00Z")]);
  return engine;
}

/** A strict call with one event that has a fault. */
const event = (changes) => () => new Engine({ maxMetrics: 1 }).apply({ ...usage(1), ...changes }, { strict: true });
const data = (changes) => () => new Engine().apply(usage(1, changes), { strict: true });

function stated(type, data) {
  const engine = small();
  engine.apply({ id: "m", source: "crm", type, subject: "acme", time: "2026-01-06T00:00:00Z", data });
  return engine;
}

function sealed() {
  const engine = small();
  engine.seal("2026-03-01T00:00:00Z");
  return engine;
}

function clash() {
  const [engine, other] = [new Engine(), new Engine()];
  engine.apply(subscription(1, "acme", "100", "2026-01-05T10:00:00Z"));
  other.apply(subscription(1, "acme", "200", "2026-01-05T10:00:00Z"));
  engine.merge(other);
}

function overlapping() {
  const [engine, other] = [small(), small()];
  other.apply(usage(3));
  engine.merge(other);
}

/** The head of a snapshot: mark, format, version of the fold, length of the body, and a checksum, here that of format 0. */
function header(version) {
  const checksum = Buffer.from("bc6652e02bdc4121d7835f46a2e7261f674b49ff23f2ceedc7e8a6c965cd01d5", "hex");
  return Buffer.concat([Buffer.from("hfold\x1a\r\n"), Buffer.from([version & 255, version >> 8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), checksum]);
}

function busy() {
  const engine = small();
  const fingerprint = engine.fingerprintAsync();
  try {
    engine.apply(usage(2));
  } finally {
    fingerprint.catch(() => {});
  }
}

const table = (columns) => tableToIPC(tableFromArrays(columns), "stream");
const FRAME = table({ who: ["acme"], time: ["2026-01-05"], amount: [1.5] });

/** @type {[string, () => unknown][]} */
const MISTAKES = [
  ["malformed_json", () => new Engine().applyNdjson("{", { strict: true })],
  ["malformed_json", () => new Engine().apply("\ud800", { strict: true })],
  ["malformed_json", event({ subject: "\udc00" })],
  ["missing_field", () => new Engine().apply(/** @type {any} */ ({ id: "1" }), { strict: true })],
  ["wrong_type", event({ data: [] })],
  ["wrong_type", event({ data: { metric: () => 1 } })],
  ["wrong_type", event({ data: Promise.resolve({}) })],
  ["bad_value", data({ count: "many" })],
  ["bad_value", data({ count: NaN })],
  ["bad_time", event({ time: "yesterday" })],
  ["bad_time", event({ time: new Date(NaN) })],
  ["out_of_range", data({ count: 10n ** 30n })],
  ["out_of_range", data({ count: 2 ** 53 })],
  ["empty_id", event({ id: "" })],
  ["too_long", event({ subject: "x".repeat(300) })],
  ["unknown_type", event({ type: "usage.dreamt" })],
  ["not_retractable", event({ type: "event.retracted", data: { source: "app", id: "1", type: "usage.counted" } })],
  ["conflicting_event", () => small().apply(usage(1, { count: 2 }), { strict: true })],
  ["before_seal", () => sealed().apply(usage(2), { strict: true })],
  ["limit_exceeded", () => new Engine({ maxMetrics: 1 }).apply([usage(1), usage(2, { metric: "other" })], { strict: true })],
  ["unknown_client", () => small().score("nobody", "default", { asOf: AS_OF })],
  ["merged", () => stated("client.merged_into", { into: "birch" }).score("acme", "default", { asOf: AS_OF })],
  ["erased", () => stated("client.erased", {}).score("acme", "default", { asOf: AS_OF })],
  ["sealed", () => sealed().timeline("acme", { start: "2026-01-01", end: AS_OF })],
  ["missing_rate", () => small().revenue("2026-03", { currency: "EUR" })],
  ["bad_period", () => small().revenue("spring")],
  ["bad_period", () => small().revenue(/** @type {any} */ (7))],
  ["bad_period", () => small().revenue(["2026-03-01", "2026-01-01"])],
  ["bad_time", () => small().score("acme", "default", { asOf: "noon" })],
  ["bad_time", () => small().score("acme", "default", { asOf: new Date(NaN) })],
  ["bad_time", () => small().score("acme", "default", /** @type {any} */ ({ asOf: 7 }))],
  ["bad_value", () => small().score("acme", "default", /** @type {any} */ ({}))],
  ["bad_value", () => small().score(/** @type {any} */ (7), "default", { asOf: AS_OF })],
  ["bad_value", () => small().score("\ud800", "default", { asOf: AS_OF })],
  ["bad_value", () => small().revenue("2026-03", /** @type {any} */ ({ paused: "maybe" }))],
  ["bad_value", () => small().revenue("2026-03", /** @type {any} */ ({ puased: "own" }))],
  ["bad_value", () => small().revenue("2026-03", /** @type {any} */ ({ as_of: AS_OF }))],
  ["bad_value", () => small().revenue("2026-03", /** @type {any} */ ("asOf"))],
  ["bad_value", () => small().scores("default", /** @type {any} */ ({ asOf: AS_OF, only: "some" }))],
  ["bad_value", () => small().top(1.5, { asOf: AS_OF })],
  ["bad_value", () => small().top(2 ** 60, { asOf: AS_OF })],
  ["bad_value", () => small().top(NaN, { asOf: AS_OF })],
  ["bad_value", () => small().bookNps({ asOf: AS_OF, days: -1 })],
  ["bad_value", () => small().rank({ asOf: AS_OF })],
  ["bad_value", () => small().ltv(/** @type {any} */ ({ method: "simple" }))],
  ["bad_value", () => new Engine({ erasureKey: Buffer.from("short") })],
  ["bad_value", () => new Engine(/** @type {any} */ ({ zone: "UTC" }))],
  ["bad_value", () => Engine.restore(/** @type {any} */ (7))],
  ["bad_value", () => small().merge(/** @type {any} */ ({}))],
  ["bad_value", () => small().timeline("acme", { start: "2026-01-01", end: AS_OF }).toArrow()],
  ["bad_time", () => new Engine({ timezone: "Mars/Olympus" })],
  ["too_few", () => small().activation("acme", ["live"], { withinDays: 7, asOf: "2020-01-01" })],
  ["invalid_model", () => new Model(/** @type {any} */ ({ name: "" }))],
  ["invalid_model", () => small().scores("no such model", { asOf: AS_OF })],
  ["invalid_model", () => small().signal("acme", { kind: "nope" }, { asOf: AS_OF })],
  ["settings_differ", () => new Engine().merge(new Engine({ timezone: "Europe/Berlin" }))],
  ["conflicting_event", clash],
  ["overlapping", overlapping],
  ["seal_backwards", () => sealed().seal("2026-01-01T00:00:00Z")],
  ["corrupt_snapshot", () => Engine.restore(small().snapshot().subarray(1))],
  ["newer_snapshot", () => Engine.restore(header(60_000))],
  ["bad_value", () => small().top(-1, { asOf: AS_OF })],
  ["bad_value", () => small().northStar("default", { asOf: AS_OF, horizonDays: 0 })],
  ["bad_value", () => small().bookNps({ asOf: AS_OF, days: 1.5 })],
  ["older_snapshot", () => Engine.restore(header(0))],
  ["invalid_table", () => new Engine().applyTable("usage.counted", FRAME)],
  ["unreadable_table", () => new Engine().applyTable("usage.counted", Buffer.from("no table"))],
  ["unreadable_table", () => new Engine().applyParquet("usage.counted", Buffer.alloc(0), { source: "x" })],
  ["unreadable_table", () => new Engine().applyParquetEach(Buffer.alloc(0), [{ type: "usage.counted" }])],
  ["busy", busy],
];

/** What a call threw. */
function thrown(mistake) {
  try {
    mistake();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

/** The codes of what is wrong with the columns of tables. */
function tableIssues() {
  const wrong = [
    [FRAME, { columns: { nobody: "who", plan: "nowhere" } }],
    [table({ time: [new Date()], amount: [1.5], status: [1.5] }), { timezone: "Mars/Olympus" }],
    [naive(), {}],
  ];
  return wrong.flatMap(([frame, how]) => {
    const error = thrown(() => new Engine().applyTable("billing.subscription_set", frame, how));
    return error.issues.map(({ code }) => code);
  });
}

/** A table whose times have no zone. */
function naive() {
  const { TimestampMillisecond, vectorFromArray, Table } = require("apache-arrow");
  return tableToIPC(new Table({ time: vectorFromArray([new Date()], new TimestampMillisecond()) }), "stream");
}

describe("a mistake has its code", () => {
  for (const [code, mistake] of MISTAKES) {
    it(code, () => {
      const error = thrown(mistake);
      assert(error instanceof HealthfoldError && error instanceof Error, String(error));
      assert.equal(error.code, code, error.message);
      assert.equal(error.name, "HealthfoldError");
      assert.match(error.message, /^[a-z`0-9]/);
      assert.match(String(error.stack), /^HealthfoldError: .*\n +at /s);
      assert.equal(JSON.parse(JSON.stringify(error)).code, code);
    });
  }
});

it("every documented code is in the table, and in the declarations", () => {
  const page = readFileSync(`${ROOT}/docs/reference/errors.md`, "utf8");
  const documented = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code);
  const told = new Set([...MISTAKES.map(([code]) => code), ...tableIssues()]);
  // `busy` is a mistake that only the bindings let one make; `internal` is tested with panics.
  told.delete("busy");
  assert.deepEqual([...new Set(documented)].sort(), [...told].sort());
  const declarations = readFileSync(`${ROOT}/bindings-node/index.d.ts`, "utf8");
  const union = /export type ErrorCode =([^;]*);/.exec(declarations)?.[1] ?? "";
  const declared = [...union.matchAll(/"([a-z_]+)"/g)].map(([, code]) => code);
  assert.deepEqual(declared.sort(), [...told, "busy", "internal"].sort());
});

it("bad events are data unless asked otherwise", () => {
  const hostile = Object.defineProperty({}, "a", { enumerable: true, get: () => { throw new Error("no"); } });
  const circle = {};
  circle.self = circle;
  const events = /** @type {any[]} */ ([
    usage(2), { id: "" }, Symbol("x"), 7, null, usage(3), { a: new Map([[3, 4]]) }, undefined, hostile, circle, "", "[]", [[]], "{}{}", new Uint8Array([255]),
  ]);
  const applied = small().apply(events);
  assert.equal(applied.applied, 2);
  assert.deepEqual(applied.rejected.map(({ index }) => Number(index)), [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  assert.equal(Object.values(applied.rejectedByCode).reduce((sum, count) => sum + count), 13);
  assert(applied.rejected.every(({ line, offset }) => line === null && offset === null));
  // One list at the beginning costs nobody else anything.
  const lists = small().apply(/** @type {any[]} */ (["[1]", [], usage(4)]));
  assert.deepEqual([lists.applied, lists.rejected.map(({ index, code }) => [index, code])], [1, [[0n, "wrong_type"], [1n, "wrong_type"]]]);
});

it("an error of events says where", () => {
  const lines = `${JSON.stringify(usage(1))}\n${JSON.stringify({ ...usage(2), time: "soon" })}`;
  const error = thrown(() => new Engine().applyNdjson(lines, { strict: true }));
  assert.deepEqual([error.index, error.line, error.field, error.code], [1n, 2n, "time", "bad_time"]);
  assert.equal(typeof error.offset, "bigint");
  const other = thrown(() => new Engine().apply([usage(1), { ...usage(2), time: () => 1 }], { strict: true }));
  assert.deepEqual([other.index, other.field, other.line], [1n, "time", undefined]);
});

it("all faults of a model come at once", () => {
  const faults = thrown(() => new Model(/** @type {any} */ ({ name: "x", signals: { a: { kind: "nope" } }, groups: [], bands: [{ name: "red", from: 5 }] })));
  assert(faults.issues.length >= 2);
  assert(faults.issues.some(({ path }) => path === "signals.a.kind"), JSON.stringify(faults.issues));
  const nan = thrown(() => new Model(/** @type {any} */ ({ name: "x", groups: [{ weight: NaN }] })));
  assert.equal(nan.issues[0].path, "groups[0].weight");
});

it("what a message is made of is there by name", () => {
  const merged = thrown(() => stated("client.merged_into", { into: "birch" }).score("acme", "default", { asOf: AS_OF }));
  assert.deepEqual(merged.details, { client: "acme", into: "birch" });
  const { details } = thrown(clash);
  assert.equal(details.count, 1);
  assert.deepEqual(details.events[0].event, { source: "billing", id: "b1" });
  const asks = {
    asOf: () => small().revenue("2026-03", { asOf: "noon" }),
    start: () => small().timeline("acme", { start: "noon", end: AS_OF }),
    end: () => small().cohorts({ end: "noon", asOf: AS_OF }),
    before: () => small().seal("noon"),
    period: () => small().revenue(["2026-03-01", "noon"]),
    timezone: () => new Engine({ timezone: "noon" }),
    dataStart: () => small().lifetime({ asOf: AS_OF, dataStart: "noon" }),
  };
  for (const [field, ask] of Object.entries(asks)) {
    const error = thrown(ask);
    assert.deepEqual([error.code, error.field, error.details.found], ["bad_time", field, "noon"], error.message);
  }
});

it("a date stands for its month in cohorts", () => {
  const cohorts = (start) => small().cohorts({ start, asOf: AS_OF }).cohorts.map(({ cohort }) => cohort);
  assert.deepEqual(cohorts("2026-01-31"), cohorts("2026-01"));
  assert.deepEqual([cohorts("2026-01-31").length, cohorts("2026-02-01").length], [1, 0]);
});

it("a field is named as the option is", () => {
  assert.equal(thrown(() => small().revenue("2026-03", { renewalGraceDays: -1 })).field, "renewalGraceDays");
  assert.equal(thrown(() => small().revenue("2026-03", { asOf: new Date(NaN) })).field, "asOf");
  for (const [name, options] of Object.entries({ skipUnknown: { skipUnknown: 3 }, onePerLine: { onePerLine: true } })) {
    const error = thrown(() => small().apply([], /** @type {any} */ (options)));
    assert.equal(error.field, name);
    assert.match(error.message, new RegExp(`\`${name}\``));
  }
});

it("an asynchronous call rejects with the same errors", async () => {
  await assert.rejects(small().scoreAsync("nobody", "default", { asOf: AS_OF }), { name: "HealthfoldError", code: "unknown_client" });
  await assert.rejects(small().scoreAsync("acme", "default", { asOf: "noon" }), { code: "bad_time" });
  await assert.rejects(Engine.restoreAsync(new Uint8Array(9)), { code: "corrupt_snapshot" });
  await assert.rejects(new Engine().applyAsync("{", { strict: true }), { code: "malformed_json" });
});
