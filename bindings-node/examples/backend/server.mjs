// A small backend around one engine: events come in by POST, health and the month so far go out, snapshots keep it all.
//
//   node server.mjs --port 8080 --snapshot data/healthfold.snapshot
//
//   POST /events                 NDJSON (application/x-ndjson), one event or a list of them as JSON
//   GET  /clients/ID/health      the score, its band, and what pulls it down; ?as_of=2026-03-31 for another instant
//   GET  /book                   the month so far: revenue, and how the book stands
//   GET  /status                 how many clients, since when, and how long requests wait for the event loop

import { mkdir, open, readFile, rename } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { Engine, HealthfoldError, Model } from "healthfold";

/** The largest JSON body; a stream of NDJSON may be of any length. */
const MOST_JSON = 8 * 1024 * 1024;

const STATUS = { unknown_client: 404, merged: 410, erased: 410, sealed: 410, internal: 500, busy: 503 };

class TooLarge extends Error {}

/** Keeps an engine in a file: written beside it and renamed, so that there is always a whole one. */
class Keeper {
  constructor(path) {
    this.path = path;
    this.kept = undefined;
    this.writing = Promise.resolve();
  }

  async load(options) {
    try {
      return await Engine.restoreAsync(await readFile(this.path));
    } catch (error) {
      if (error.code === "ENOENT") return new Engine(options);
      // A snapshot that does not open is nothing to write over.
      throw error;
    }
  }

  /** One after the other, and only if something has changed. */
  save(engine, changes) {
    this.writing = this.writing.catch(() => {}).then(() => this.#write(engine, changes));
    return this.writing;
  }

  async #write(engine, changes) {
    if (this.kept === changes()) return;
    const kept = changes();
    const bytes = await engine.snapshotAsync();
    await mkdir(dirname(this.path), { recursive: true });
    const beside = `${this.path}.new`;
    const file = await open(beside, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, this.path);
    this.kept = kept;
  }
}

async function body(request) {
  const chunks = [];
  let size = 0;
  // Who sends too much is told so, not cut off.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > MOST_JSON) throw new TooLarge(`a JSON body has at most ${MOST_JSON} bytes, send NDJSON instead`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function takeIn(engine, request) {
  const type = (request.headers["content-type"] ?? "").split(";")[0].trim();
  if (type === "application/x-ndjson") {
    const stream = engine.writable();
    await pipeline(request, stream);
    return stream.applied;
  }
  // One event or a list: both are read as they came, digit by digit.
  return engine.applyNdjsonAsync(await body(request));
}

/** What pulls a score down, the greatest cost first. */
function reasons({ parts, limits, adjustments }) {
  const lost = ({ points, weight, contribution }) => (points === null ? 0 : weight * 100 - contribution);
  const costs = [
    ...parts.map((part) => ({ name: part.signal, reading: part.reading, missing: part.missing, cost: lost(part) })),
    ...[...adjustments, ...limits].map(({ name, reading, effect }) => ({ name, reading, missing: null, cost: -effect })),
  ];
  return costs.filter(({ cost }) => cost > 0).sort((a, b) => b.cost - a.cost);
}

async function health(engine, model, client, asOf) {
  const { score, band, coverage, low, high, ...rest } = await engine.scoreAsync(client, model, { asOf });
  return { client, asOf: rest.asOf, score, band, coverage, low, high, reasons: reasons(rest) };
}

async function book(engine, model, now) {
  const [revenue, standing] = await Promise.all([
    engine.revenueAsync(now.toISOString().slice(0, 7), { asOf: now }),
    engine.bookHealthAsync(model, { asOf: now, only: "paying" }),
  ]);
  return { revenue, health: standing };
}

/** Starts it; the engine is the one of the snapshot, if there is one. */
export async function start({ port = 0, snapshot = "healthfold.snapshot", model = Model.default(), timezone = "UTC", everySeconds = 60 } = {}) {
  const keeper = new Keeper(snapshot);
  const engine = await keeper.load({ timezone });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let changes = 0;

  async function answer(request) {
    const url = new URL(request.url, "http://backend");
    const [, first, id, last] = url.pathname.split("/");
    if (request.method === "POST" && url.pathname === "/events") {
      changes += 1;
      return takeIn(engine, request);
    }
    if (request.method === "GET" && first === "clients" && id && last === "health") {
      return health(engine, model, decodeURIComponent(id), url.searchParams.get("as_of") ?? new Date());
    }
    if (request.method === "GET" && url.pathname === "/book") return book(engine, model, new Date());
    if (request.method === "GET" && url.pathname === "/status") {
      const [clients, span] = await Promise.all([engine.clientsAsync(), engine.spanAsync()]);
      return { clients: clients.length, span, eventLoopDelay: { p99: delay.percentile(99) / 1e6, most: delay.max / 1e6 } };
    }
    return undefined;
  }

  const server = createServer((request, response) => {
    const send = (status, told) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(told));
    };
    answer(request).then(
      (told) => (told === undefined ? send(404, { error: "there is nothing here" }) : send(200, told)),
      (error) => {
        if (response.headersSent || request.destroyed && !request.complete) return response.destroy();
        if (error instanceof HealthfoldError) send(STATUS[error.code] ?? 400, error);
        else if (error instanceof TooLarge) {
          send(413, { message: error.message });
          // The rest is passed over.
          request.resume();
        }
        else send(error instanceof URIError ? 400 : 500, { message: error instanceof URIError ? "not a path" : "something went wrong" });
      },
    );
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));

  const save = () => keeper.save(engine, () => changes);
  const timer = setInterval(() => save().catch((error) => console.error(`the snapshot was not written: ${error.message}`)), everySeconds * 1000);
  const close = async () => {
    clearInterval(timer);
    // Requests that are under way have some seconds to end.
    const late = setTimeout(() => server.closeAllConnections(), 5000);
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeIdleConnections();
    });
    clearTimeout(late);
    await save();
  };
  return { engine, port: server.address().port, close };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { port: { type: "string" }, snapshot: { type: "string" }, timezone: { type: "string" }, model: { type: "string" }, every: { type: "string" } },
  });
  const { port, close } = await start({
    port: Number(values.port ?? 8080),
    snapshot: values.snapshot,
    timezone: values.timezone,
    model: values.model ? Model.fromFile(values.model) : Model.default(),
    everySeconds: Number(values.every ?? 60),
  });
  console.log(`listening on http://127.0.0.1:${port}`);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => close().then(() => process.exit(0), (error) => {
      console.error(error.message);
      process.exit(1);
    }));
  }
}
