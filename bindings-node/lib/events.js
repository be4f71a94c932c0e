"use strict";
// Events that come as objects: the texts of those that have a JSON form, and the others with their faults.

const { UNICODE, WireFault, toJson } = require("./json.js");

const isBytes = (value) => value instanceof Uint8Array;

/** The JSON text of one event. */
function textOf(event) {
  if (isBytes(event)) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(event);
    } catch {
      throw new WireFault("", "malformed_json", UNICODE);
    }
  }
  if (!event.isWellFormed()) throw new WireFault("", "malformed_json", UNICODE);
  return event;
}

function isMany(events) {
  return typeof events === "object" && events !== null && !isBytes(events) && !(events instanceof Map) && Symbol.iterator in events;
}

/** One event or many: their texts as bytes, and of each event how many of these are its own, or why it has none. */
function textsOf(events) {
  const texts = [];
  const told = [];
  for (const event of isMany(events) ? events : [events]) {
    try {
      const text = typeof event === "string" || isBytes(event) ? textOf(event) : toJson(event, true);
      texts.push(text);
      told.push(Buffer.byteLength(text));
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      const message = error.path ? `\`${error.path}\`: ${error.message}` : error.message;
      told.push({ code: error.code, field: error.path || null, message });
    }
  }
  return { bytes: Buffer.from(texts.join(""), "utf8"), events: told };
}

module.exports = { textsOf };
