"use strict";
// Events from a stream: NDJSON in bytes of any cut, or objects. Each part is applied on the pool, and until it is, the stream
// holds its source back.

const { Writable } = require("node:stream");
const { membersOf } = require("./call.js");
const { refused } = require("./error.js");

/** So many bytes are applied at a time. */
const PART = 256 * 1024;

/** One byte more than the longest line the core takes and its end is enough to know that a line is too long. */
const LONGEST = 1024 * 1024 + 2;

/** So many rejections and conflicts are listed, as in the core. */
const LISTED = 1000;

const NEWLINE = 0x0a;

class EventStream extends Writable {
  #engine;
  #options;
  /** @type {Buffer[]} what has no line end yet, or waits for company */
  #kept = [];
  #size = 0;
  #ends = false;
  #cut = 0;
  #events = 0n;
  #lines = 0n;
  #offset = 0n;

  constructor(engine, options) {
    const { objectMode = false, highWaterMark, signal, source, skipUnknown, ...others } = membersOf(options);
    const [unknown] = Object.keys(others);
    if (unknown) throw refused(unknown, "is no option of a stream; `strict` cannot be one, its parts are applied as they come");
    super({ objectMode, signal, highWaterMark: highWaterMark ?? (objectMode ? 1024 : PART), decodeStrings: true });
    this.#engine = engine;
    this.#options = { source, skipUnknown };
    this.applied = {
      applied: 0,
      duplicates: 0,
      skipped: 0,
      rejected: /** @type {any[]} */ ([]),
      rejectedByCode: {},
      conflicts: /** @type {any[]} */ ([]),
      conflictCount: 0,
    };
  }

  _write(chunk, _encoding, done) {
    if (this.writableObjectMode) return this.#take(this.#engine.applyAsync([chunk], this.#options), 0n, done);
    this.#keep(chunk);
    if (this.#ends && this.#size >= PART) return this.#flush(false, done);
    done();
  }

  _writev(chunks, done) {
    if (this.writableObjectMode) {
      return this.#take(this.#engine.applyAsync(chunks.map(({ chunk }) => chunk), this.#options), 0n, done);
    }
    for (const { chunk } of chunks) this.#keep(chunk);
    if (this.#ends && this.#size >= PART) return this.#flush(false, done);
    done();
  }

  _final(done) {
    if (this.#size === 0) return done();
    this.#flush(true, done);
  }

  #keep(chunk) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end >= 0) this.#ends = true;
    const open = this.#ends ? 0 : this.#size;
    if (end < 0 && open + chunk.length > LONGEST) {
      // Of a line that is too long only so much is kept that it is seen to be.
      const room = Math.max(0, LONGEST - open);
      this.#cut += chunk.length - room;
      if (room === 0) return;
      chunk = chunk.subarray(0, room);
    }
    this.#kept.push(chunk);
    this.#size += chunk.length;
  }

  #flush(all, done) {
    const bytes = this.#kept.length === 1 ? this.#kept[0] : Buffer.concat(this.#kept, this.#size);
    const whole = all ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    const part = bytes.subarray(0, whole);
    // A copy, so that what is left does not keep all of it.
    this.#kept = whole < bytes.length ? [Buffer.from(bytes.subarray(whole))] : [];
    this.#size = bytes.length - whole;
    this.#ends = false;
    let lines = 0n;
    for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, at + 1)) lines += 1n;
    const cut = BigInt(this.#cut);
    this.#cut = 0;
    this.#take(this.#engine.applyNdjsonAsync(part, { ...this.#options, onePerLine: true }), cut, (error) => {
      this.#lines += lines;
      this.#offset += BigInt(part.length) + cut;
      done(error);
    });
  }

  /** Adds what became of a part to what became of all. Only the first line of a part is ever cut. */
  #take(promise, cut, done) {
    promise.then(
      (part) => {
        const all = this.applied;
        let events = part.applied + part.duplicates + part.skipped + part.conflictCount;
        for (const name of ["applied", "duplicates", "skipped", "conflictCount"]) all[name] += part[name];
        for (const [code, count] of Object.entries(part.rejectedByCode)) {
          all.rejectedByCode[code] = (all.rejectedByCode[code] ?? 0) + count;
          events += count;
        }
        for (const row of [...part.rejected, ...part.conflicts]) {
          row.index += this.#events;
          if (row.offset != null) row.offset += this.#offset + (row.line > 1n ? cut : 0n);
          if (row.line != null) row.line += this.#lines;
        }
        all.rejected.push(...part.rejected.slice(0, LISTED - all.rejected.length));
        all.conflicts.push(...part.conflicts.slice(0, LISTED - all.conflicts.length));
        this.#events += BigInt(events);
        this.emit("applied", part);
        done();
      },
      (error) => done(error),
    );
  }
}

module.exports = { EventStream };
