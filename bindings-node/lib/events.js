"use strict";
// Events that come as objects: the lines of those that have a JSON form, and the others with their faults.

const { UNICODE, WireFault, toJson } = require("./json.js");

const isBytes = (value) => value instanceof Uint8Array;

/** The JSON text of one event on one line. No text of JSON holds a line end as it is, so those between members can go. */
function line(event) {
  let text = event;
  if (isBytes(event)) {
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(event);
    } catch {
      throw new WireFault("", "malformed_json", UNICODE);
    }
  }
  if (!text.isWellFormed()) throw new WireFault("", "malformed_json", UNICODE);
  text = text.replace(/[\r\n]/g, " ");
  if (text.trim() === "") throw new WireFault("", "malformed_json", "there is no event in this text");
  return text;
}

function isMany(events) {
  return typeof events === "object" && events !== null && !isBytes(events) && !(events instanceof Map) && Symbol.iterator in events;
}

/** One event or many, as lines. */
function linesOf(events) {
  const lines = [];
  const numbers = [];
  const refused = [];
  let index = 0;
  for (const event of isMany(events) ? events : [events]) {
    try {
      lines.push(typeof event === "string" || isBytes(event) ? line(event) : toJson(event, true));
      numbers.push(index);
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      const message = error.path ? `\`${error.path}\`: ${error.message}` : error.message;
      refused.push({ index, code: error.code, field: error.path || null, message });
    }
    index += 1;
  }
  return { bytes: Buffer.from(lines.join("\n"), "utf8"), ...(refused.length > 0 && { numbers, refused }) };
}

module.exports = { linesOf };
