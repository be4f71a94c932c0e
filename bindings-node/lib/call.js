"use strict";
// How a call of the front door becomes a job of the native module, and what it comes to a result. `calls.js` says what calls
// there are.

const { refused } = require("./error.js");
const { WireFault, shown, toJson } = require("./json.js");
const { documentText, modelFault, nativeModel } = require("./model.js");
const { Table, withArrow } = require("./table.js");

/** Options that are models. */
const MODELS = new Set(["model", "endModel"]);

/** The name in the core. */
function snake(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The members of options, which may be anything. */
function membersOf(options, name = "options") {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object") throw refused(name, "must be an object");
  return read(name, () => ({ ...options }));
}

/** What is read of an argument, which may throw anything. */
function read(name, of) {
  try {
    return of();
  } catch (error) {
    throw refused(name, `cannot be read: ${shown(error)}`);
  }
}

/** The names and values of options. There is one way to write a name. */
function named(options, argument) {
  const members = Object.entries(membersOf(options, argument));
  for (const [name] of members) if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) throw refused(name, "is no option of this call");
  return members;
}

/** The JSON text of an argument. */
function argument(name, value) {
  try {
    return toJson(value, typeof value === "number");
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    const field = error.path ? `${name}${error.path.startsWith("[") ? "" : "."}${error.path}` : name;
    throw refused(field, error.message, error.code === "bad_time" ? "bad_time" : "bad_value");
  }
}

/** The bytes of text or of anything that holds bytes. */
function bytesOf(name, value) {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw refused(name, "text that is no Unicode");
    return Buffer.from(value, "utf8");
  }
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Uint8Array(value);
  throw refused(name, "must be text or bytes");
}

/** Arguments on their way: one JSON object in which every name is that of the core, and what has no JSON form beside it. */
class Arguments {
  /** @type {string[]} */
  #members = [];
  /** @type {string[]} */
  names = [];
  /** @type {any[]} */
  models = [];

  get json() {
    return `{${this.#members.join(",")}}`;
  }

  put(name, value) {
    if (value !== undefined) this.#members.push(`"${snake(name)}":${argument(name, value)}`);
  }

  text(name, value) {
    if (typeof value !== "string") throw refused(name, "must be text");
    this.put(name, value);
  }

  model(name, value) {
    this.names.push(snake(name));
    this.models.push(nativeModel(value));
  }

  document(name, value) {
    this.#members.push(`"${snake(name)}":${documentText(value, modelFault)}`);
  }

  /** A list of objects with names of the library. */
  each(name, list) {
    if (!Array.isArray(list)) throw refused(name, "must be a list of objects");
    const each = read(name, () => [...list]).map((options) => {
      const one = new Arguments();
      for (const [member, value] of named(options, name)) one.put(member, value);
      return one.json;
    });
    this.#members.push(`"${snake(name)}":[${each.join(",")}]`);
  }

  options(options) {
    for (const [name, value] of named(options)) {
      if (MODELS.has(name) && value != null) this.model(name, value);
      else this.put(name, value);
    }
  }
}

/** Positions are bigints, and still have a JSON form. */
const PLACED = {
  toJSON() {
    return Object.fromEntries(Object.entries(this).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]));
  },
};

/** Where a rejection or a conflict stood. */
function placed(row) {
  for (const name of ["index", "line", "offset"]) if (typeof row[name] === "number") row[name] = BigInt(row[name]);
  return Object.defineProperty(row, "toJSON", { value: PLACED.toJSON });
}

function applied(result) {
  result.rejected.forEach(placed);
  result.conflicts.forEach(placed);
  return result;
}

/**
 * What a call came to, by what it gives.
 * @param {string} gives
 * @param {any} answer
 */
function result(gives, answer) {
  switch (gives) {
    case "nothing":
      return undefined;
    case "bytes":
      // Memory of JavaScript's own, which a worker can be given.
      return new Uint8Array(answer.bytes);
    case "table":
      return new Table(answer.rows);
    case "columns":
      return withArrow(JSON.parse(answer.json), answer.rows);
    case "several":
      return answer.several.map((one) => withArrow(JSON.parse(one.json), one.rows));
    case "applied":
      return withArrow(applied(JSON.parse(answer.json)), answer.rows);
    case "appliedEach":
      return answer.several.map((one) => result("applied", one));
    case "json":
      return JSON.parse(answer.json);
    default:
      // The member whose rows are made when they are looked at.
      return Object.assign(JSON.parse(answer.json), { [gives]: new Table(answer.rows) });
  }
}

module.exports = { Arguments, bytesOf, membersOf, result };
