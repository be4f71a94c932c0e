"use strict";
// How a JavaScript value becomes the JSON that the core reads. There is one decoder, in the core; this only writes text, and
// refuses what `JSON.stringify` would silently change: NaN, whole numbers that are not exact, lone surrogates, functions.

/** What has no JSON form: where, and why. */
class WireFault {
  constructor(path, code, message) {
    this.path = path;
    this.code = code;
    this.message = message;
  }
}

/** Deeper than any document the core takes, and not so deep that the stack ends. */
const MAX_DEPTH = 200;

const UNICODE = "text that is no Unicode";

class Writer {
  constructor(exact) {
    /** @type {(string | number)[]} */
    this.path = [];
    this.depth = 0;
    this.exact = exact;
  }

  fault(code, message) {
    const steps = this.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`));
    return new WireFault(steps.join("").replace(/^\./, ""), code, message);
  }

  text(text) {
    if (!text.isWellFormed()) throw this.fault("malformed_json", UNICODE);
    return JSON.stringify(text);
  }

  /** @returns {string} */
  write(value) {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
        return this.number(value);
      case "boolean":
        return value ? "true" : "false";
      case "bigint":
        return value.toString();
      case "object":
        return value === null ? "null" : this.object(value);
      default:
        throw this.fault("wrong_type", `${typeof value} has no JSON form`);
    }
  }

  number(value) {
    if (!Number.isFinite(value)) throw this.fault("bad_value", `${value} is no number`);
    if (this.exact && Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw this.fault("out_of_range", `${value} is a whole number that JavaScript does not hold exactly: give text or a bigint`);
    }
    return JSON.stringify(value);
  }

  object(value) {
    if (this.path.length > MAX_DEPTH) throw this.fault("limit_exceeded", "nested too deep");
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw this.fault("bad_time", "an invalid Date is no time");
      return JSON.stringify(value.toISOString());
    }
    if (Array.isArray(value)) return this.items(value);
    if (value instanceof Map) return this.members(value);
    if (value instanceof Set) return this.items(value);
    if (typeof value.toJSON === "function") return this.step("toJSON()", value.toJSON());
    if (value instanceof String || value instanceof Number || value instanceof Boolean) return this.write(value.valueOf());
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) throw this.fault("wrong_type", "bytes have no JSON form");
    if (typeof value.then === "function") throw this.fault("wrong_type", "a promise has no JSON form: await it");
    return this.members(Object.entries(value));
  }

  /** A value that stands for another does not show in paths, and counts as a level. */
  step(name, value) {
    if (this.path.length > MAX_DEPTH) throw this.fault("limit_exceeded", "nested too deep");
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw this.fault("limit_exceeded", `${name} gives one object after the other`);
    const text = this.write(value);
    this.depth -= 1;
    return text;
  }

  /** @param {Iterable<[unknown, unknown]>} pairs */
  members(pairs) {
    let text = "";
    for (const [name, value] of pairs) {
      if (typeof name !== "string") throw this.fault("wrong_type", "a key that is no text");
      // As everywhere in JavaScript: what is undefined is not there.
      if (value === undefined) continue;
      this.path.push(name);
      text += `${text ? "," : ""}${this.text(name)}:${this.write(value)}`;
      this.path.pop();
    }
    return `{${text}}`;
  }

  items(values) {
    const items = [];
    for (const value of values) {
      this.path.push(items.length);
      items.push(this.write(value));
      this.path.pop();
    }
    return `[${items.join(",")}]`;
  }
}

/** What a getter or a proxy threw, which may be anything. */
function shown(error) {
  try {
    return String(error?.message ?? error);
  } catch {
    return "no message";
  }
}

/**
 * The JSON text of a value. Numbers of events stand for decimals, so that there whole ones must be exact; those of models are
 * binary numbers anyway.
 * @throws {WireFault}
 */
function toJson(value, exact = false) {
  const writer = new Writer(exact);
  try {
    return writer.write(value);
  } catch (error) {
    if (error instanceof WireFault) throw error;
    throw writer.fault("wrong_type", `cannot be read: ${shown(error)}`);
  }
}

module.exports = { UNICODE, WireFault, shown, toJson };
