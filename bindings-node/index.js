"use strict";

const { Engine } = require("./lib/engine.js");
const { HealthfoldError, told } = require("./lib/error.js");
const { Model } = require("./lib/model.js");
const { native, version } = require("./lib/native.js");
const { EventStream } = require("./lib/stream.js");
const { Table } = require("./lib/table.js");
const { Watch } = require("./lib/watch.js");

function schema(of) {
  try {
    return JSON.parse(native.schema(of));
  } catch (error) {
    throw told(error);
  }
}

module.exports.Engine = Engine;
module.exports.EventStream = EventStream;
module.exports.HealthfoldError = HealthfoldError;
module.exports.Model = Model;
module.exports.Table = Table;
module.exports.Watch = Watch;
module.exports.eventSchema = () => schema("event");
module.exports.modelSchema = () => schema("model");
module.exports.version = version;
