"use strict";
// Rows that the core holds: they become objects when they are looked at, so that a book of a hundred thousand clients costs
// nothing until somebody reads a client, and never stops the event loop.

const { setImmediate: pause } = require("node:timers/promises");
const { told } = require("./error.js");

/** So many rows become objects at a time. */
const PIECE = 64;

class Table {
  #rows;
  #piece = [];
  #from = 0;

  /** @param {any} rows rows of the native module */
  constructor(rows) {
    this.#rows = rows;
    try {
      this.length = rows.length;
    } catch (error) {
      throw told(error);
    }
  }

  #slice(from, to) {
    try {
      return JSON.parse(this.#rows.slice(from, to));
    } catch (error) {
      throw told(error);
    }
  }

  at(index) {
    const place = Math.trunc(Number(index)) || 0;
    const at = place < 0 ? this.length + place : place;
    if (!(at >= 0 && at < this.length)) return undefined;
    if (!(at >= this.#from && at < this.#from + this.#piece.length)) {
      this.#from = at - (at % PIECE);
      this.#piece = this.#slice(this.#from, Math.min(this.#from + PIECE, this.length));
    }
    return this.#piece[at - this.#from];
  }

  *[Symbol.iterator]() {
    for (let from = 0; from < this.length; from += PIECE) yield* this.#slice(from, Math.min(from + PIECE, this.length));
  }

  async *[Symbol.asyncIterator]() {
    for (let from = 0; from < this.length; from += PIECE) {
      if (from > 0) await pause();
      yield* this.#slice(from, Math.min(from + PIECE, this.length));
    }
  }

  map(change) {
    return Array.from(this, (row, index) => change(row, index));
  }

  filter(keep) {
    const kept = [];
    let index = 0;
    for (const row of this) if (keep(row, index++)) kept.push(row);
    return kept;
  }

  toArray() {
    return [...this];
  }

  toJSON() {
    return this.toArray();
  }

  toArrow() {
    return arrow(this.#rows);
  }

  toArrowAsync() {
    return arrowAsync(this.#rows);
  }

  [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) {
    const first = this.length > 3 ? [this.at(0), this.at(1), this.at(2)] : this.toArray();
    return `Table(${this.length}) ${inspect(first, { ...options, depth: depth === null ? null : depth - 1 })}`;
  }
}

function arrow(rows) {
  try {
    return new Uint8Array(rows.arrow().now().bytes);
  } catch (error) {
    throw told(error);
  }
}

async function arrowAsync(rows) {
  try {
    return new Uint8Array((await rows.arrow().later()).bytes);
  } catch (error) {
    throw told(error);
  }
}

/** Gives a result the table of columns that stands beside it. */
function withArrow(result, rows) {
  return Object.defineProperties(result, {
    toArrow: { value: () => arrow(rows) },
    toArrowAsync: { value: () => arrowAsync(rows) },
  });
}

module.exports = { Table, withArrow };
