import healthfold from "./index.js";

export const { Engine, EventStream, HealthfoldError, Model, Table, Watch, eventSchema, modelSchema, version } = healthfold;
