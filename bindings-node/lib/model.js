"use strict";
// Models: how to get from signals to a score.

const { readFileSync } = require("node:fs");
const { HealthfoldError, told } = require("./error.js");
const { UNICODE, WireFault, toJson } = require("./json.js");
const { native } = require("./native.js");

/** A document that cannot even be read: one issue. */
function fault(path, message) {
  const issues = [{ path, message }];
  return new HealthfoldError("invalid_model", path ? `\`${path}\`: ${message}` : message, { issues });
}

function read(language, text) {
  if (typeof text !== "string") throw fault("", "a document in a language is text");
  if (!text.isWellFormed()) throw fault("", UNICODE);
  return asked(() => native.Model.read(language, text));
}

/** What the native module answers; what it throws is an error of ours. */
function asked(ask) {
  try {
    return ask();
  } catch (error) {
    throw told(error);
  }
}

/** By the first line that says something. */
function languageOf(text) {
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const first = lines.map((line) => line.trim()).find((line) => line !== "" && !line.startsWith("#")) ?? "";
  const before = (mark) => (first.includes(mark) ? first.indexOf(mark) : Infinity);
  if (first.startsWith("{")) return "json";
  return first.startsWith("[") || before("=") < before(":") ? "toml" : "yaml";
}

const ENDINGS = { ".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml" };

/** @type {Map<string, any>} the models that come with the library are read once */
const SHIPPED = new Map();

function shipped(name) {
  const known = SHIPPED.get(name) ?? read("shipped", name);
  SHIPPED.set(name, known);
  return known;
}

function of(document) {
  if (typeof document === "string") {
    const text = document.trim();
    const isDocument = /[\n{[=]/.test(text) || text.includes(": ");
    return isDocument ? read(languageOf(document), document) : shipped(text);
  }
  return read("json", documentText(document, fault));
}

/** A document as JSON text. */
function documentText(document, fault) {
  try {
    return toJson(document);
  } catch (error) {
    if (error instanceof WireFault) throw fault(error.path, error.message);
    throw error;
  }
}

class Model {
  #native;

  constructor(document) {
    this.#native = document instanceof Native ? document.model : of(document);
    const { name, version, bands } = JSON.parse(asked(() => this.#native.about()));
    /** @type {string} */
    this.name = name;
    /** @type {number} */
    this.version = version;
    this.bands = bands;
    Object.freeze(this);
  }

  static default() {
    return new Model("default");
  }

  static highTouch() {
    return new Model("high_touch");
  }

  static usageBased(metric) {
    return new Model(new Native(read("usage_based", metric)));
  }

  static shipped() {
    return asked(() => native.Model.shipped());
  }

  static fromJson(text) {
    return new Model(new Native(read("json", text)));
  }

  static fromToml(text) {
    return new Model(new Native(read("toml", text)));
  }

  static fromYaml(text) {
    return new Model(new Native(read("yaml", text)));
  }

  static fromFile(path) {
    const name = String(path);
    const ending = Object.keys(ENDINGS).find((ending) => name.toLowerCase().endsWith(ending));
    if (!ending) throw fault("", `the file \`${name}\` must end in .json, .toml, .yaml or .yml`);
    return new Model(new Native(read(ENDINGS[ending], readFileSync(path, "utf8"))));
  }

  lint() {
    return JSON.parse(asked(() => this.#native.lint()));
  }

  toJSON() {
    return JSON.parse(asked(() => this.#native.document()));
  }

  /** The native model of a model, a document or a name. */
  static _native(model) {
    return model instanceof Model ? model.#native : of(model);
  }
}

/** A native model on its way into a `Model`. */
class Native {
  constructor(model) {
    this.model = model;
  }
}

const nativeModel = Model._native;
// @ts-ignore it is ours alone
delete Model._native;

module.exports = { Model, documentText, modelFault: fault, nativeModel };
