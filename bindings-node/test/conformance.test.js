"use strict";
// The shared cases, through the package: every one passes, and every answer is the one that Rust gives, number for number.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { describe, it } = require("node:test");
const { Engine, HealthfoldError, Model } = require("healthfold");
const { ROOT, cases } = require("./shared.js");

const CASES = cases();

/** What `cargo xtask cases --answers` wrote: a line for each case. */
const ANSWERS = process.env.HEALTHFOLD_RUST_ANSWERS;
const RUST = new Map(
  ANSWERS
    ? readFileSync(ANSWERS, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)).map((answer) => [answer.file, answer])
    : [],
);

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

/** An answer with every name in one spelling, whatever it names. */
function named(value) {
  if (Array.isArray(value)) return value.map(named);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [camel(name), named(member)]));
}

/** The events of a case as they stand in its file: an object would lose duplicate keys and digits. */
function eventsAsText(text) {
  let at = text.indexOf('"events"');
  at = text.indexOf("[", at) + 1;
  const events = [];
  let depth = 0;
  let begin = at;
  for (; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"') {
      for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
    } else if (letter === "{" || letter === "[") {
      if (depth === 0) begin = at;
      depth += 1;
    } else if (letter === "}" || letter === "]") {
      if (depth === 0) break;
      depth -= 1;
      if (depth === 0) events.push(text.slice(begin, at + 1).replace(/[\r\n]/g, " "));
    }
  }
  return events;
}

/** The arguments in front of the options, by call. */
const POSITIONAL = {
  signal: ["client", "spec"],
  score: ["client", "model"],
  score_history: ["client", "model"],
  explain_change: ["client", "model"],
  timeline: ["client"],
  anomalies: ["client"],
  activation: ["client", "milestones"],
  diff: ["model_a", "model_b"],
  roll_up: ["parent", "model"],
  lift: ["spec"],
  north_star: ["model"],
  lint: ["model"],
  targets: ["period", "targets"],
  benchmarks: ["period", "benchmarks"],
  scorecard: ["scorecard", "period"],
  top: ["n"],
  ...Object.fromEntries(["scores", "score_table", "score_tables", "check_data", "book_health", "book_history", "roll_ups"].map((call) => [call, ["model"]])),
  ...Object.fromEntries(["revenue", "movements", "churn_reasons", "trials", "cash", "renewals", "compare_trials"].map((call) => [call, ["period"]])),
};

/** One question by its name, its answer as the JSON that the package writes. */
async function ask(engine, call, args, twin) {
  if (call === "lint" && args.as_of == null) return new Model(args.model).lint();
  const names = POSITIONAL[call] ?? [];
  // null stands for what was not said.
  const options = Object.entries(args).filter(([name, value]) => !names.includes(name) && value !== null);
  const values = names.map((name) => args[name]);
  const method = camel(call) + (twin ? "Async" : "");
  const given = Object.fromEntries(options.map(([name, value]) => [camel(name), value]));
  const answer = await engine[method](...values, ...(options.length > 0 ? [given] : []));
  return JSON.parse(JSON.stringify(answer));
}

/** A decimal by its value: 10.000000 is 10. */
function decimal(text) {
  if (typeof text !== "string" || !/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return undefined;
  const [whole, fraction = ""] = text.replace("-", "").split(".");
  const digits = `${whole.replace(/^0+/, "")}.${fraction.replace(/0+$/, "")}`;
  return text.startsWith("-") && digits !== "." ? `-${digits}` : digits;
}

function agree(expected, found, tolerance) {
  if (typeof expected === "number" && typeof found === "number") {
    return Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected));
  }
  const value = decimal(expected);
  return expected === found || (value !== undefined && value === decimal(found));
}

/** Each expected row with its own: by name where every expected row has one, else by place. */
function pairs(rows, found) {
  for (const name of ["client", "key", "cohort"]) {
    // A column of clients is no name.
    if (rows.length === 0 || !rows.every((row) => typeof row === "object" && row !== null && name in row && !Array.isArray(row[name]))) continue;
    const left = [...found];
    return rows.map((row) => {
      const same = (other) => other[name] === row[name] && (!("currency" in row) || other.currency === row.currency);
      const at = left.findIndex((other) => typeof other === "object" && other !== null && same(other));
      return [row, at < 0 ? undefined : left.splice(at, 1)[0]];
    });
  }
  return rows.map((row, at) => [row, found[at]]);
}

/** What differs, by path. Members that are not named are free. */
function* differences(expected, found, tolerance, path) {
  if (Array.isArray(expected) && Array.isArray(found)) {
    if (expected.length !== found.length) yield `${path}: expected ${expected.length} rows, found ${found.length}`;
    else for (const [at, [row, other]] of pairs(expected, found).entries()) yield* differences(row, other, tolerance, `${path}[${at}]`);
  } else if (typeof expected === "object" && expected !== null && typeof found === "object" && found !== null) {
    for (const [name, member] of Object.entries(expected)) {
      if (name in found) yield* differences(member, found[name], tolerance, `${path}.${name}`);
      else yield `${path}.${name}: expected ${JSON.stringify(member)}, but it is not there`;
    }
  } else if (!agree(expected, found, tolerance)) {
    yield `${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
  }
}

/** Runs a case; its questions at once, or by their twins. */
async function run({ file, text }, twins) {
  const one = JSON.parse(text);
  const engine = new Engine(one.engine);
  const events = eventsAsText(text);
  assert.equal(events.length, one.events.length);
  const lines = Buffer.from(events.join("\n"));
  const applied = JSON.parse(JSON.stringify(twins ? await engine.applyNdjsonAsync(lines) : engine.applyNdjson(lines)));
  const faults = one.applied === null ? [] : [...differences(named(one.applied), named(applied), one.tolerance, "applied")];
  if (one.seal) engine.seal(one.seal);
  const answers = [];
  for (const [at, { call, args, expect, error: code }] of one.ask.entries()) {
    const where = `ask[${at}] ${call}`;
    try {
      const answer = await ask(engine, call, args, twins);
      answers.push({ answer });
      if (code !== undefined) faults.push(`${where}: expected error ${code}, found ${JSON.stringify(answer)}`);
      else faults.push(...differences(named(expect), named(answer), one.tolerance, where));
    } catch (error) {
      assert(error instanceof HealthfoldError, `${where}: ${error}`);
      answers.push({ error: error.code });
      if (code !== error.code) faults.push(`${where}: ${error.code}: ${error.message}`);
    }
  }
  assert.deepEqual(faults, [], one.why);
  const rust = RUST.get(file);
  if (rust) {
    assert.equal(engine.fingerprint(), rust.fingerprint);
    // The very bytes of Rust, and so of Python: what one writes the others open.
    const snapshot = Buffer.from(rust.snapshot, "hex");
    assert(snapshot.equals(engine.snapshot()));
    assert.equal(Engine.restore(snapshot).fingerprint(), rust.fingerprint);
    assert.deepEqual(named(applied), named(rust.applied));
    // Strictly: every number is bit for bit that of Rust.
    assert.deepEqual(named(answers), named(rust.answers));
  }
  return { engine, events };
}

it("there are cases", () => {
  assert(CASES.length > 200);
  if (ANSWERS) assert.deepEqual([...RUST.keys()].sort(), CASES.map(({ file }) => file).sort());
});

describe("case", () => {
  for (const one of CASES) it(one.file, () => run(one, false));
});

it("the twins that do not wait answer the same", async () => {
  for (const one of CASES) await run(one, true);
});

it("events as objects are the same events", () => {
  let told = 0;
  for (const { text } of CASES) {
    const { engine: settings } = JSON.parse(text);
    const texts = eventsAsText(text);
    const [asText, asObjects] = [new Engine(settings), new Engine(settings)];
    const first = asText.applyNdjson(texts.join("\n"));
    const objects = texts.map((event) => {
      try {
        return JSON.parse(event);
      } catch {
        return event;
      }
    });
    // A name twice in one object, and numbers beyond what JavaScript holds, are lost by JSON.parse, not by us.
    if (first.rejected.some(({ message }) => /twice|duplicate/.test(message)) || texts.some((event) => /[0-9]{16}/.test(event))) continue;
    const second = asObjects.apply(objects);
    const told_of = ({ rejected }) => rejected.map(({ index, code, field }) => ({ index, code, field }));
    assert.deepEqual(told_of(second), told_of(first));
    assert.equal(asObjects.fingerprint(), asText.fingerprint());
    assert.deepEqual([second.applied, second.duplicates, second.conflictCount], [first.applied, first.duplicates, first.conflictCount]);
    told += 1;
  }
  assert(told > CASES.length * 0.9, `${told} of ${CASES.length}`);
});

it("a snapshot that Rust made long ago opens, and what is written of it is the same", () => {
  const bytes = readFileSync(`${ROOT}/core/tests/data/snapshot-v1.bin`);
  const engine = Engine.restore(bytes);
  assert(engine.clients().length > 0);
  assert.equal(Engine.restore(engine.snapshot()).fingerprint(), engine.fingerprint());
});
