"use strict";
// A book that is kept fresh for the cost of the clients that changed: made by `Engine.watch`.

const { Arguments, membersOf } = require("./call.js");
const { told } = require("./error.js");

class Watch {
  #native;
  #gate;

  constructor(native, gate) {
    this.#native = native;
    this.#gate = gate;
  }

  #job(call, given = new Arguments()) {
    try {
      return this.#native.ask(call, given.json);
    } catch (error) {
      throw told(error);
    }
  }

  #ask(call, given) {
    return JSON.parse(this.#gate.now(false, this.#job(call, given)).json);
  }

  #refresh(options) {
    const given = new Arguments();
    given.options(options);
    return this.#job("refresh", given);
  }

  refresh(options) {
    return JSON.parse(this.#gate.now(false, this.#refresh(options)).json);
  }

  async refreshAsync(options) {
    const { signal, ...others } = membersOf(options);
    return JSON.parse((await this.#gate.later(false, this.#refresh(others), signal)).json);
  }

  /** @returns {string} */
  get asOf() {
    return this.#ask("as_of");
  }

  health() {
    return this.#ask("health");
  }

  score(client) {
    const given = new Arguments();
    given.text("client", client);
    return this.#ask("score", given);
  }

  revenue() {
    return this.#ask("revenue");
  }
}

module.exports = { Watch };
