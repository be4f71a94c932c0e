import { Writable } from "node:stream";

/** The version of this package. */
export const version: string;

/**
 * An instant: a `Date`, RFC 3339 text with an offset, or a date such as "2026-03-31". As the instant of a question a date is its
 * last microsecond.
 */
export type When = Date | string;

/** A period: "2026-03", "2026-Q1", "2026", "2026-W07", or its two ends, of which the second is outside. */
export type PeriodLike = string | readonly [start: When, end: When];

/**
 * A decimal: text, a whole number, or an object of any decimal library whose `toJSON` gives its digits as text, as those of
 * decimal.js, big.js and bignumber.js do. A number is read by its shortest decimal: 19.99 is 19.99.
 */
export type DecimalLike = string | number | bigint | { toJSON(): string };

/** An event, or the JSON text of one. */
export type EventLike = Event | string | Uint8Array;

/** A model, its document, its text in JSON, TOML or YAML, or the name of one that comes with the library. */
export type ModelLike = Model | ModelDocument | "default" | "usage_based" | "high_touch" | (string & {});

/** What a signal or a scorecard is: a document, or its JSON text. */
export type SpecLike = Signal | { readonly [name: string]: unknown } | string;

/** Whom a question about the book is about. */
export type Only = ScoresOf | null;

/** For the asynchronous twin of a call. */
export interface Abortable {
  /**
   * Who aborts a question is told at once, with the reason of the signal. Who aborts a change is told once the engine is at rest:
   * events before that are applied, and applying the same again is harmless.
   */
  signal?: AbortSignal | undefined;
}

/** How an engine is made. */
export interface EngineOptions {
  /** Where days and months are counted: an IANA name; `UTC` without it. */
  timezone?: string | null;
  /** `exact` keeps identities until they are sealed, `upstream` is for logs that guarantee each once. */
  dedupe?: Dedupe | null;
  /** The secret under which ids of erased clients are made: 32 bytes. */
  erasureKey?: Uint8Array | null;
  /** How many metrics a client may have. */
  maxMetrics?: number | null;
  /** How many ids of each kind a client may have. */
  maxIds?: number | null;
}

/** How events are read. */
export interface ReadSettings {
  /** The source of events that state none. */
  source?: string | null;
  /** All or nothing: the first bad event throws before anything is applied. */
  strict?: boolean | null;
  /** Skip events of unknown types and count them. */
  skipUnknown?: boolean | null;
}

/** How a table is read. */
export interface TableSettings {
  /** Which column fills which field; a column that is named like a field fills it anyway. */
  columns?: Readonly<Record<string, string>> | null;
  /** What every row has: the value of a field. null leaves a field out. */
  constants?: Readonly<Record<string, unknown>> | null;
  /** The source of rows that state none. */
  source?: string | null;
  /** The name of this load: rows without an id are known by their content within it. */
  load?: string | null;
  /** The zone of times that state none. */
  timezone?: string | null;
  /** Read money from binary floats by their shortest decimal. */
  floatsAsMoney?: boolean | null;
  /** Skip and count rows without a time. */
  skipWithoutTime?: boolean | null;
  /** Take only rows from one day to before another. */
  days?: readonly [first: string, behind: string] | null;
  /** All or nothing: the first bad row throws before anything is applied. */
  strict?: boolean | null;
}

/** One of the types of event that the rows of a table tell of, and how it is read. */
export interface TableKind extends TableSettings {
  type: EventType;
}

/** The settings of a question about money; every answer repeats those it used. */
export interface MoneySettings {
  /** The reporting currency; without it figures are per currency. */
  currency?: string | null;
  /** What other currencies are worth in the reporting currency, from a day on. */
  rates?: readonly { currency: string; from: string; rate: DecimalLike }[] | null;
  /** Only what is paid in this currency. */
  onlyCurrency?: string | null;
  /** The book of the question is only these clients. */
  onlyClients?: readonly string[] | ReadonlySet<string> | null;
  /** A row for each owner, segment, plan, product, currency, tag, parent, band, cohort, or attribute:KEY, too. */
  groupBy?: string | null;
  /** With `groupBy: "band"`: the health model whose bands they are. */
  model?: ModelLike | null;
  /** What a pause is. */
  paused?: PausedAs | null;
  /** The base of logo churn. */
  base?: LogoBase | null;
  /** Whose a movement is when a client goes from one group to another. */
  attribution?: Attribution | null;
  /** Whether every change is counted, too. */
  grain?: Grain | null;
  /** How intervals of money rates are made. */
  interval?: IntervalMethod | null;
  /** With `bootstrap`: what the draws begin from. */
  seed?: number | bigint | null;
  /** With `bootstrap`: how many draws. */
  resamples?: number | null;
  /** Print all money in minor units, with a line `rounding` that makes the column foot. */
  rounded?: boolean | null;
  /** Also the rates of the last so many months up to the period's end. */
  trailing?: readonly number[] | null;
  /** A client that comes back after a longer gap is new. */
  reactivationWithinDays?: number | null;
  /** A gap in paying no longer than this is no gap, once the renewal is known. */
  renewalGraceDays?: number | null;
  /** How many days after its first day a past_due subscription still counts. */
  pastDueLimitDays?: number | null;
  /** Weeks in a year; 52. */
  weekFactor?: DecimalLike | null;
  /** Days in a year; 365. */
  dayFactor?: DecimalLike | null;
}

/** The settings of a question about a period. */
export interface RevenueSettings extends MoneySettings {
  /** The instant of the question; without it the end of the period. */
  asOf?: When | null;
}

/** The settings of a question about lifetimes; of those about money these say what paying is. */
export interface LifetimeSettings extends MoneySettings {
  /** From when on the log is complete; unless said from its first event on. */
  dataStart?: When | null;
  /** Of purchases: what comes after is held out. */
  calibrationEnd?: When | null;
  /** The horizon of restricted means. */
  horizonDays?: number | null;
  /** Which paying times of a client count. */
  spells?: SpellsOf | null;
  /** How the intervals of curves are made. */
  bounds?: SurvivalBounds | null;
  /** What counts more in the test between groups. */
  weights?: LogRankWeights | null;
}

/** The settings of a question about lifetime value. */
export interface LtvSettings extends LifetimeSettings {
  /** The share of revenue that is left after the cost of serving; 1. */
  margin?: DecimalLike | null;
  /** By how much money is worth less a year ahead: 0.1 for 10 %. */
  annualDiscount?: number | null;
  /** With `simple`: by how much a client's payments grow a year. */
  annualGrowth?: number | null;
  /** How far it looks ahead; the models 36 months unless said. */
  horizonMonths?: number | "unbounded" | null;
  /** With `simple`: when in a month a payment comes. */
  payments?: Payments | null;
  /** With `observed`: each payment, too, with the events behind it. */
  withPayments?: boolean | null;
  /** With `sbg` and `bdw`: how often contracts are renewed. */
  renewal?: RenewalInterval | null;
}

/** What splits trials in two. */
export type TrialSplit =
  | { by: "milestone"; milestone: string }
  | { by: "wrote_to_support" }
  | { by: "segment"; segment: string }
  | { by: "tag"; tag: string }
  | { by: "attribute"; key: string; equals: string | number | boolean };

/** What an owner, or without one the whole book, is to come to. */
export interface TargetLike {
  metric: RevenueMetric;
  target: DecimalLike;
  owner?: string | null;
}

/** What others come to, and who says so. */
export interface BenchmarkLike {
  metric: RevenueMetric;
  value: DecimalLike;
  source: string;
}

/** Any error of this package, by its stable code. */
export class HealthfoldError extends Error {
  private constructor();
  readonly name: "HealthfoldError";
  /** What went wrong. The same in Rust and Python, never renamed. */
  readonly code: ErrorCode;
  /** Which field of an event or which option of a call it is about. */
  readonly field?: string;
  /** What the message is made of, by name: such as `client`, `into`, `before`, `found`, `expected`. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** All faults of a model by path, or of a table's columns by field. */
  readonly issues?: readonly (Issue | TableIssue)[];
  /** With `strict`: the number of the event or row, from 0. */
  readonly index?: bigint;
  /** With `strict`: the line of the event, from 1. */
  readonly line?: bigint;
  /** With `strict`: the offset of its first byte. */
  readonly offset?: bigint;
  toJSON(): Record<string, unknown>;
}

/** Results in rows, which are made when they are looked at: each look at a row makes a new object. */
export class Table<T> implements Iterable<T>, AsyncIterable<T> {
  private constructor();
  readonly length: number;
  /** A row by its number, from the end where it is below 0. */
  at(index: number): T | undefined;
  map<U>(change: (row: T, index: number) => U): U[];
  filter<S extends T>(keep: (row: T, index: number) => row is S): S[];
  filter(keep: (row: T, index: number) => unknown): T[];
  toArray(): T[];
  toJSON(): T[];
  /**
   * As a table of columns: the bytes of an Arrow IPC stream, for `tableFromIPC` of apache-arrow. Scores, movements, series of
   * revenue and cohorts have one; other rows throw `bad_value`.
   */
  toArrow(): Uint8Array;
  /** As `toArrow`, on another thread. */
  toArrowAsync(): Promise<Uint8Array>;
  [Symbol.iterator](): IterableIterator<T>;
  /** Row by row, with room for the event loop now and then. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
}

/**
 * How to get from signals to a health score: a model, or a set of models of which each client takes the first that fits. All
 * faults of a document are told at once, in `HealthfoldError.issues`.
 */
export class Model {
  constructor(document: ModelLike);
  readonly name: string;
  /** 1 where none is stated. */
  readonly version: number;
  /** From the lowest up; of a set those of its first model. */
  readonly bands: readonly Band[];
  /** The model for a subscription business that comes with the library and knows nothing of your metrics. */
  static default(): Model;
  /** The model for few, large clients that comes with the library. */
  static highTouch(): Model;
  /** The model for a business that bills by use of a metric. */
  static usageBased(metric: string): Model;
  /** The names of the models that come with the library. */
  static shipped(): string[];
  static fromJson(text: string): Model;
  static fromToml(text: string): Model;
  static fromYaml(text: string): Model;
  /** From a file whose name ends in .json, .toml, .yaml or .yml; it is read at once. */
  static fromFile(path: string | URL): Model;
  /** Doubts about the model alone; `Engine.lint` also looks at a book. */
  lint(): Finding[];
  /** The document the model was made from. */
  toJSON(): ModelDocument;
}

/** The JSON Schema of models and model sets. */
export function modelSchema(): Record<string, unknown>;

/** The JSON Schema of events. */
export function eventSchema(): Record<string, unknown>;

/** What became of all parts of a stream up to now. */
export type StreamApplied = Omit<Applied, "toArrow" | "toArrowAsync">;

/** How a stream is read. */
export interface StreamOptions extends Abortable {
  /** Takes events, one a chunk; without it NDJSON in bytes, cut anywhere. */
  objectMode?: boolean;
  /** How many bytes, or events, may wait before the source is held back. */
  highWaterMark?: number;
  /** The source of events that state none. */
  source?: string | null;
  /** Skip events of unknown types and count them. */
  skipUnknown?: boolean | null;
}

/** A stream that applies what is written to it, and holds its source back meanwhile: made by `Engine.writable`. */
export class EventStream extends Writable {
  private constructor();
  /** What became of what was written; bad events are in `rejected`. An event `applied` tells of each part. */
  readonly applied: StreamApplied;
}

/** A book that is kept fresh for the cost of the clients that changed: made by `Engine.watch`. */
export class Watch {
  private constructor();
  /** As of when it answers. */
  readonly asOf: string;
  /** Takes in what happened since the last refresh, and answers as of an instant from then on. */
  refresh(options: { asOf: When }): Refreshed;
  /** As `refresh`, on another thread. */
  refreshAsync(options: { asOf: When } & Abortable): Promise<Refreshed>;
  /** How the book stands: as `Engine.bookHealth`. */
  health(): BookHealth;
  /** The score and the band of a client; null of one that is not asked about. */
  score(client: string): { score: number | null; band: string } | null;
  /** The revenue of the period that is watched, if one is: as `Engine.revenue`, without the intervals of money rates. */
  revenue(): RevenueReport | null;
}

/**
 * The folded state of all clients, and every question about them.
 *
 * Every call has a twin whose name ends in `Async` that does the work on libuv's pool of threads. Twins of one engine wait for
 * each other in order: many may ask at a time, one may change it while nobody asks. A call without `Async` never waits; where it
 * would have to, it throws `busy` and has changed nothing.
 */
export class Engine {
  constructor(options?: EngineOptions);
  /** Where days and months are counted. */
  readonly timezone: string;
  /** How repeated events are told. */
  readonly dedupe: Dedupe;
  /** The version of the time zone data by which the days of the engine were made, such as `2026c`. */
  readonly zoneData: string;
  /** The instant before which detail was given up. */
  readonly sealedBefore: string | null;
  /** The engine of a snapshot. */
  static restore(snapshot: Uint8Array | ArrayBuffer): Engine;
  /** As `restore`, on another thread. */
  static restoreAsync(snapshot: Uint8Array | ArrayBuffer, options?: Abortable): Promise<Engine>;
  /**
   * Takes in one event or many. Good events are applied, each bad one is returned with its code, field and message; nothing else
   * is touched. A webhook's body goes in as it came, as text or bytes.
   */
  apply(events: EventLike | Iterable<EventLike>, options?: ReadSettings): Applied;
  /** As `apply`, on another thread. */
  applyAsync(events: EventLike | Iterable<EventLike>, options?: ReadSettings & Abortable): Promise<Applied>;
  /** A stream that takes in events: `pipeline(request, engine.writable())`. */
  writable(options?: StreamOptions): EventStream;
  /** The health of all clients one by one, computed on another thread. */
  eachScore(model: ModelLike, options: { asOf: When; only?: Only } & Abortable): AsyncGenerator<HealthScore, void, undefined>;
}
