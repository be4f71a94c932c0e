"use strict";
// Streams: bytes cut anywhere, objects, back-pressure, rejections with their places.

const assert = require("node:assert/strict");
const { it } = require("node:test");
const { Readable } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const { Engine, EventStream } = require("healthfold");
const { manyLines, usage } = require("./shared.js");

/** Pieces of bytes, each of the length that comes next. */
function* cut(bytes, ...lengths) {
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const length = lengths[n % lengths.length];
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** The same without what only a whole has. */
const plain = (applied) => JSON.parse(JSON.stringify(applied));

it("bytes may be cut anywhere", async () => {
  const lines = `\uFEFF\n${manyLines(40)}broken\n\n${JSON.stringify(usage(1, { count: "ü€😀" }))}\r\n[1]\n${JSON.stringify(usage(2))}`;
  const bytes = Buffer.from(lines);
  const whole = new Engine();
  const expected = plain(whole.applyNdjson(bytes));
  assert.equal(expected.rejected.length, 3);
  for (const lengths of [[1], [7, 1, 300], [bytes.length], [64_000]]) {
    const engine = new Engine();
    const stream = engine.writable();
    assert(stream instanceof EventStream);
    await pipeline(Readable.from(cut(bytes, ...lengths)), stream);
    assert.deepEqual(plain(stream.applied), expected);
    assert.equal(engine.fingerprint(), whole.fingerprint());
  }
});

it("what is long comes in parts, and places are those in the whole", async () => {
  const long = "x".repeat(3 << 20);
  const lines = `${manyLines(3000)}${long}\n["a list"]\n\n${manyLines(3100)}oops\n${long}`;
  const bytes = Buffer.from(lines);
  const whole = new Engine();
  const expected = plain(whole.applyNdjson(bytes));
  assert.deepEqual(expected.rejected.map(({ code }) => code), ["too_long", "wrong_type", "malformed_json", "too_long"]);
  for (const length of [65_536, 1 << 20, bytes.length]) {
    const engine = new Engine();
    const stream = engine.writable();
    let parts = 0;
    stream.on("applied", () => (parts += 1));
    await pipeline(Readable.from(cut(bytes, length)), stream);
    assert.deepEqual(plain(stream.applied), expected);
    assert(length > 1 << 20 || parts > 3);
    assert.equal(engine.fingerprint(), whole.fingerprint());
  }
});

it("objects go in one a chunk", async () => {
  const engine = new Engine();
  const stream = engine.writable({ objectMode: true, source: "app", skipUnknown: true });
  const events = Array.from({ length: 5000 }, (_, n) => (n === 3333 ? { id: "" } : n === 4444 ? { ...usage(n), type: "x.y" } : usage(n)));
  await pipeline(Readable.from(events), stream);
  assert.deepEqual([stream.applied.applied, stream.applied.skipped], [4998, 1]);
  assert.deepEqual(stream.applied.rejected.map(({ index, code, line }) => [index, code, line]), [[3333n, "empty_id", null]]);
  assert.deepEqual(stream.applied.rejectedByCode, { empty_id: 1 });
});

it("a source that is faster is held back", async () => {
  const engine = new Engine();
  const stream = engine.writable();
  const piece = Buffer.from(manyLines(1000));
  let held = 0;
  for (let n = 0; n < 20; n += 1) {
    if (!stream.write(piece)) {
      held += 1;
      await new Promise((resolve) => stream.once("drain", resolve));
    }
  }
  await new Promise((resolve) => stream.end(resolve));
  assert(held > 5, `${held}`);
  assert.equal(stream.applied.applied + stream.applied.duplicates, 20 * 4000);
});

it("other calls go on between the parts", async () => {
  const engine = new Engine();
  const bytes = Buffer.from(manyLines(4000));
  const streaming = pipeline(Readable.from(cut(bytes, 65_536)), engine.writable());
  const seen = [];
  for (let n = 0; n < 5; n += 1) seen.push((await engine.clientsAsync()).length);
  await streaming;
  assert(seen.every((clients) => clients <= 4000));
  assert.equal(engine.clients().length, 4000);
});

it("a stream can be aborted, and refuses what it does not know", async () => {
  const engine = new Engine();
  const abort = new AbortController();
  const stream = engine.writable({ signal: abort.signal });
  const endless = Readable.from((function* () { for (let n = 0; ; n += 1) yield `${JSON.stringify(usage(n))}\n`; })());
  const streaming = pipeline(endless, stream);
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(streaming, { name: "AbortError" });
  assert.throws(() => engine.writable(/** @type {any} */ ({ strict: true })), { code: "bad_value", field: "strict" });
});
