"use strict";
// The front door. Every call is convert, call, convert; `calls.js` says which there are.

const { Arguments, bytesOf, membersOf, result } = require("./call.js");
const { CALLS } = require("./calls.js");
const { refused, told } = require("./error.js");
const { textsOf } = require("./events.js");
const { Gate } = require("./gate.js");
const { native } = require("./native.js");
const { EventStream } = require("./stream.js");
const { Watch } = require("./watch.js");

/** A native engine on its way into an `Engine`. */
class Native {
  constructor(engine) {
    this.engine = engine;
  }
}

class Engine {
  #native;
  #gate = new Gate();
  #about;

  constructor(options) {
    this.#native = options instanceof Native ? options.engine : made(options);
    this.#about = JSON.parse(this.#gate.now(false, this.#ask("about", new Arguments())).json);
  }

  static restore(snapshot) {
    const bytes = bytesOf("snapshot", snapshot);
    return restored(new Gate().now(false, native.Engine.restore(bytes)));
  }

  static async restoreAsync(snapshot, options) {
    const bytes = bytesOf("snapshot", snapshot);
    return restored(await new Gate().later(false, native.Engine.restore(bytes), signalOf(options).signal));
  }

  /** @returns {string} */
  get timezone() {
    return this.#about.timezone;
  }

  get dedupe() {
    return this.#about.dedupe;
  }

  /** @returns {string} */
  get zoneData() {
    return this.#about.zoneData;
  }

  /** @returns {string | null} */
  get sealedBefore() {
    return JSON.parse(this.#gate.now(false, this.#ask("about", new Arguments())).json).sealedBefore;
  }

  apply(events, options) {
    return this.#give("applied", this.#gate.now(true, this.#texts(events, options)));
  }

  async applyAsync(events, options) {
    const { signal, rest } = signalOf(options);
    return this.#give("applied", await this.#gate.later(true, this.#texts(events, rest), signal));
  }

  async *eachScore(model, options) {
    // @ts-ignore it is made below
    yield* await this.scoresAsync(model, options);
  }

  writable(options) {
    return new EventStream(this, options);
  }

  toString() {
    return `Engine(${this.timezone})`;
  }

  #texts(some, options) {
    const { bytes, events } = textsOf(some);
    const given = new Arguments();
    given.options(options);
    given.put("events", events);
    return this.#change("apply_texts", given, bytes);
  }

  #change(call, given, bytes, other) {
    try {
      return this.#native.change(call, given.json, given.names, given.models, bytes, other);
    } catch (error) {
      throw told(error);
    }
  }

  #ask(call, given) {
    try {
      return this.#native.ask(call, given.json, given.names, given.models);
    } catch (error) {
      throw told(error);
    }
  }

  /** The job of a call, from what was given to it. */
  #job({ call, change, params }, values, options) {
    const given = new Arguments();
    let bytes;
    let other;
    params.forEach(([name, kind], at) => {
      const value = values[at];
      if (kind === "text") given.text(name, value);
      else if (kind === "model") given.model(name, value);
      else if (kind === "document") given.document(name, value);
      else if (kind === "each") given.each(name, value);
      else if (kind === "bytes") bytes = bytesOf(name, value);
      else if (kind === "engine") other = Engine.#of(name, value).#native;
      else given.put(name, value);
    });
    given.options(options);
    return change ? this.#change(call, given, bytes, other) : this.#ask(call, given);
  }

  static #of(name, value) {
    if (value instanceof Engine) return value;
    throw refused(name, "must be an engine");
  }

  #give(gives, answer) {
    if (gives === "engine") return restored(answer);
    if (gives === "watch") return new Watch(answer.watch, this.#gate);
    return result(gives, answer);
  }

  static {
    for (const call of CALLS) {
      const { name, change, params, gives } = call;
      /** @type {Record<string, (this: Engine, ...values: any[]) => any>} */
      const own = {
        [name](...values) {
          const other = call.other === undefined ? undefined : values[call.other];
          if (other instanceof Engine && other !== this) other.#gate.now(false, { now() {} });
          const job = this.#job(call, values, values[params.length]);
          return this.#give(gives, this.#gate.now(change, job));
        },
        async [`${name}Async`](...values) {
          const { signal, rest } = signalOf(values[params.length]);
          if (call.other !== undefined) {
            // A copy first, so that two engines that merge with each other do not wait for each other.
            const other = Engine.#of(params[call.other][0], values[call.other]);
            const copy = await other.#gate.later(false, other.#ask("copy", new Arguments()), signal);
            values[call.other] = restored(copy);
          }
          const job = this.#job(call, values, rest);
          return this.#give(gives, await this.#gate.later(change, job, signal));
        },
      };
      for (const [name, method] of Object.entries(own)) {
        Object.defineProperty(Engine.prototype, name, { value: method, writable: true, configurable: true });
      }
    }
  }
}

function made(options) {
  const given = new Arguments();
  const { erasureKey: key, ...others } = membersOf(options);
  given.options(others);
  // A key is bytes, which cross as numbers.
  if (key != null) given.put("erasureKey", Array.from(bytesOf("erasureKey", key)));
  try {
    return native.Engine.make(given.json);
  } catch (error) {
    throw told(error);
  }
}

function restored(answer) {
  return new Engine(new Native(answer.engine));
}

/** The signal among the options of an asynchronous call, and the others. */
function signalOf(options) {
  const { signal, ...rest } = membersOf(options);
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw refused("signal", "must be an AbortSignal");
  return { signal, rest };
}

module.exports = { Engine };
