"use strict";
// What goes in and what comes out: exact decimals, instants, positions, names.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { it } = require("node:test");
const { Engine, Model, Table, eventSchema, modelSchema, version } = require("healthfold");
const { BOOK, MOOD, ROOT, manyLines, subscription, usage } = require("./shared.js");

const AS_OF = "2026-03-31";

function book() {
  const engine = new Engine();
  const applied = engine.apply(BOOK);
  assert.deepEqual([applied.applied, applied.rejected], [9, []]);
  return engine;
}

it("decimals come back exactly", () => {
  const { total } = book().revenue("2026-03");
  // 180 + new 50 + expansion 30 - churn 80 = 180.
  const lines = ["opening", "new", "expansion", "churn", "closing"].map((line) => Number(total[line].mrr));
  assert.deepEqual(lines, [180, 50, 30, 80, 180]);
  assert.equal(typeof total.opening.arr, "string");
  assert.equal(total.nrr.value, 130 / 180);
});

/** As decimal.js, big.js and bignumber.js have it. */
const decimal = (digits) => ({ digits, toJSON: () => digits });

it("an amount may come in several forms", () => {
  for (const amount of ["19.99", 19.99, decimal("19.99"), new String("19.99")]) {
    const engine = new Engine();
    assert.equal(engine.apply(subscription(1, "acme", amount, "2026-01-05T10:00:00Z")).applied, 1);
    assert.equal(engine.revenue("2026-02").total?.opening.mrr, "19.99");
  }
  // 0.1 + 0.2 is 0.30000000000000004, which nobody meant.
  const { rejected } = new Engine().apply(subscription(1, "acme", 0.1 + 0.2, "2026-01-05T10:00:00Z"));
  assert.deepEqual(rejected.map(({ code, field }) => [code, field]), [["out_of_range", "data.amount"]]);
});

it("whole numbers beyond 2^53 come as text or bigints", () => {
  const engine = new Engine();
  const most = "98765432109";
  const applied = engine.apply([usage(1, { count: BigInt(most) }), usage(1, { count: most }), usage(2, { count: 2 ** 53 })]);
  assert.deepEqual([applied.applied, applied.duplicates], [1, 1]);
  assert.deepEqual(applied.rejected.map(({ code, field }) => [code, field]), [["out_of_range", "data.count"]]);
});

it("instants may be dates or text, and come out as text in UTC", () => {
  const engine = new Engine();
  assert.equal(engine.apply({ ...usage(1), time: new Date("2026-01-05T10:00:00Z") }).applied, 1);
  assert.equal(engine.apply({ ...usage(1), time: "2026-01-05T11:00:00+01:00" }).duplicates, 1);
  assert.deepEqual(engine.span(), ["2026-01-05T10:00:00Z", "2026-01-05T10:00:00Z"]);
  const score = engine.score("acme", MOOD, { asOf: new Date("2026-01-06T00:00:00Z") });
  assert.equal(score.asOf, "2026-01-06T00:00:00Z");
});

it("names are those of JavaScript, data keeps its own", () => {
  const engine = book();
  const series = engine.revenueSeries({ start: "2026-01-01", end: "2026-04-01", groupBy: "owner" });
  const rows = series.rows.toArray();
  assert.equal(rows.length, 3);
  const names = new Set();
  const look = (value, path) => {
    if (Array.isArray(value)) return value.forEach((item) => look(item, path));
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      names.add(name);
      if (path.length > 0 || name !== "model") look(member, [...path, name]);
    }
  };
  look(JSON.parse(JSON.stringify(series)), []);
  assert([...names].every((name) => !name.includes("_")), [...names].filter((name) => name.includes("_")).join());
  // Codes and the documents of callers are data.
  assert.deepEqual(new Engine().apply(/** @type {any} */ ({})).rejectedByCode, { missing_field: 1 });
  const classes = { too_dear: "win_back" };
  assert.deepEqual(engine.churnReasons("2026-03", { classes }).classes, classes);
  const banded = engine.revenue("2026-03", { groupBy: "band", model: MOOD });
  assert.deepEqual(banded.settings.model?.["bands"], MOOD.bands);
  assert.deepEqual(Object.keys(banded.settings).filter((name) => /[A-Z]/.test(name)).sort(), [
    "asOf", "dayFactor", "groupBy", "onlyClients", "onlyCurrency", "pastDueLimitDays", "reactivationWithinDays", "renewalGraceDays", "weekFactor",
  ]);
});

it("every setting of a question about money can be said", () => {
  const { settings } = book().revenue("2026-03");
  const declarations = readFileSync(`${ROOT}/bindings-node/front.d.ts`, "utf8");
  const of = (name) => new RegExp(`interface ${name}[^{]*{(.*?)\\n}`, "s").exec(declarations)?.[1] ?? "";
  const told = [...`${of("MoneySettings")}${of("RevenueSettings")}`.matchAll(/^ {2}([a-zA-Z]+)\?/gm)].map(([, name]) => name);
  assert.deepEqual(told.sort(), Object.keys(settings).sort());
});

it("positions are bigints and have a JSON form", () => {
  const { rejected, conflicts } = new Engine().applyNdjson(`${JSON.stringify(usage(1))}\n${JSON.stringify(usage(1, { count: 2 }))}\nx`);
  assert.deepEqual([rejected[0]?.index, rejected[0]?.line, conflicts[0]?.index], [2n, 3n, 1n]);
  assert.deepEqual(JSON.parse(JSON.stringify({ rejected, conflicts })).rejected[0].line, 3);
});

it("models come as documents, text in three languages, names and files", () => {
  const yaml = "name: mood\nsignals:\n  mood: {kind: sentiment}\ngroups:\n  - name: voice\n    parts:\n      - {signal: mood, curve: {points: [[0, 0], [100, 100]]}}\nbands:\n  - {name: red, from: 0}\n";
  const model = new Model(yaml);
  assert.deepEqual([model.name, model.version, model.bands], ["mood", 1, [{ name: "red", from: 0 }]]);
  assert.deepEqual(new Model(JSON.stringify(model)).toJSON(), model.toJSON());
  assert.equal(Model.fromYaml(yaml).name, "mood");
  assert.deepEqual(Model.shipped(), ["default", "usage_based", "high_touch"]);
  for (const name of Model.shipped()) assert.equal(typeof new Model(name).name, "string");
  assert.equal(new Model("default").name, Model.default().name);
  assert.equal(Model.highTouch().lint().length, 0);
  assert(JSON.stringify(Model.usageBased("logins")).includes('"logins"'));
  assert.throws(() => Model.fromFile("model.txt"), { code: "invalid_model" });
  assert.throws(() => new Model("model.json"), { code: "invalid_model" });
  assert(Object.isFrozen(model));
});

it("a score has its reasons", () => {
  const score = book().score("acme", MOOD, { asOf: AS_OF });
  // mood 80 decays by its half-life; the parts and effects add up to what was computed.
  const { parts, computed, clamp, adjustments, limits } = score;
  const sum = parts.reduce((sum, part) => sum + part.contribution, 0);
  const effects = [...adjustments, ...limits].reduce((sum, step) => sum + step.effect, 0);
  assert(Math.abs(sum + effects + clamp - Number(computed)) < 1e-9);
});

it("rows are made when they are looked at", () => {
  const engine = new Engine();
  engine.applyNdjson(manyLines(300));
  const table = engine.scores("default", { asOf: AS_OF });
  assert(table instanceof Table);
  assert.equal(table.length, 300);
  assert.deepEqual(table.toArray().map(({ client }) => client), engine.clients());
  assert.deepEqual(table.at(-1), table.at(299));
  assert.equal(table.at(300), undefined);
  assert.equal(table.at(-301), undefined);
  assert.equal(table.filter(({ client }) => client.endsWith("7")).length, 30);
  assert.equal(table.map((_, index) => index).at(-1), 299);
  assert.deepEqual(JSON.parse(JSON.stringify(table)), table.toArray());
  assert.deepEqual(engine.score("client-7", "default", { asOf: AS_OF }), table.filter(({ client }) => client === "client-7")[0]);
});

it("engines copy, merge, seal and watch", () => {
  const engine = book();
  const copy = engine.copy();
  copy.merge(engine);
  copy.merge(copy);
  assert.equal(copy.fingerprint(), engine.fingerprint());
  const watch = engine.watch(MOOD, { asOf: AS_OF, period: "2026-03" });
  assert.equal(watch.asOf, "2026-03-31T23:59:59.999999Z");
  assert.deepEqual(watch.health(), engine.bookHealth(MOOD, { asOf: AS_OF }));
  assert.equal(watch.revenue()?.total?.closing.mrr, engine.revenue("2026-03").total?.closing.mrr);
  engine.apply(subscription(9, "dill", "10", "2026-03-20T10:00:00Z"));
  assert.equal(watch.refresh({ asOf: AS_OF }).clients, 1);
  assert.deepEqual(watch.health(), engine.bookHealth(MOOD, { asOf: AS_OF }));
  assert.equal(watch.score("nobody"), null);
  assert.equal(watch.score("dill")?.band, engine.score("dill", MOOD, { asOf: AS_OF }).band);
  assert.equal(engine.sealedBefore, null);
  engine.seal("2026-02-10");
  assert.equal(engine.sealedBefore, "2026-02-01T00:00:00Z");
  assert.deepEqual([engine.timezone, engine.dedupe, engine.zoneData.length > 3], ["UTC", "exact", true]);
});

it("the erasure key makes the ids", () => {
  const key = new Uint8Array(32).fill(7);
  const [one, other] = [new Engine({ erasureKey: key }), new Engine()];
  assert.match(one.anonymousId("acme"), /^erased-[0-9a-f]{12}$/);
  assert.notEqual(one.anonymousId("acme"), other.anonymousId("acme"));
});

it("schemas and the version are there", () => {
  assert.equal(eventSchema()["title"], "healthfold event");
  assert.equal(modelSchema()["title"], "healthfold model");
  assert.match(version, /^\d+\.\d+\.\d+$/);
});
