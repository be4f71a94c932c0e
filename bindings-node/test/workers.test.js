"use strict";
// worker_threads: an engine in each, a snapshot that moves to another, and ends with work in the queue.

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const { it } = require("node:test");
const { Worker } = require("node:worker_threads");
const { Engine } = require("healthfold");
const { manyLines, scaled } = require("./shared.js");

const HERE = JSON.stringify(require.resolve("healthfold"));

/** Runs a worker until it ends; what it said. */
function run(code, workerData, transferList) {
  return new Promise((resolve, reject) => {
    const said = [];
    const worker = new Worker(`const { parentPort, workerData } = require("node:worker_threads"); const healthfold = require(${HERE});${code}`, {
      eval: true,
      workerData,
      transferList,
    });
    worker.on("message", (message) => said.push(message));
    worker.on("error", reject);
    worker.on("exit", (code) => resolve({ code, said }));
  });
}

it("a snapshot moves to another worker and back", async () => {
  const engine = new Engine({ timezone: "Europe/Berlin" });
  engine.applyNdjson(manyLines(200));
  const snapshot = engine.snapshot();
  const code = `
    const engine = healthfold.Engine.restore(workerData);
    engine.apply({ id: "w", source: "w", type: "client.sentiment_set", subject: "client-1", time: "2026-02-01T00:00:00Z", data: { value: 80 } });
    const bytes = engine.snapshot();
    parentPort.postMessage({ bytes, fingerprint: engine.fingerprint() }, [bytes.buffer]);`;
  const { code: exit, said } = await run(code, snapshot, [snapshot.buffer]);
  assert.equal(exit, 0);
  // It moved: nothing is left here.
  assert.equal(snapshot.length, 0);
  const back = Engine.restore(said[0].bytes);
  assert.equal(back.fingerprint(), said[0].fingerprint);
  assert.notEqual(back.fingerprint(), engine.fingerprint());
});

it("many workers load it and end", async () => {
  const code = `
    const engine = new healthfold.Engine();
    engine.apply({ id: "w", source: "w", type: "client.sentiment_set", subject: "acme", time: "2026-02-01T00:00:00Z", data: { value: 80 } });
    engine.scoresAsync("default", { asOf: "2026-02-02" }).then((table) => parentPort.postMessage(table.length));`;
  let ended = 0;
  while (ended < 100) {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => run(code)));
    assert(outcomes.every(({ code, said }) => code === 0 && said[0] === 1));
    ended += outcomes.length;
  }
});

it("a worker that is ended with work in the queue ends cleanly", async () => {
  const lines = manyLines(2000);
  for (let n = 0; n < scaled(10); n += 1) {
    const code = `
      const engine = new healthfold.Engine();
      for (let n = 0; n < 8; n += 1) engine.applyNdjsonAsync(workerData).catch(() => {});
      for (let n = 0; n < 8; n += 1) new healthfold.Engine().applyNdjsonAsync(workerData).catch(() => {});
      parentPort.postMessage("working");
      ${n % 2 === 0 ? "process.exit(3);" : "setInterval(() => {}, 1000);"}`;
    const worker = new Worker(`const { parentPort, workerData } = require("node:worker_threads"); const healthfold = require(${HERE});${code}`, {
      eval: true,
      workerData: lines,
    });
    await new Promise((resolve) => worker.once("message", resolve));
    const exited = new Promise((resolve) => worker.once("exit", resolve));
    const ended = await (n % 2 === 0 ? exited : worker.terminate());
    assert([1, 3].includes(Number(ended)), `${ended}`);
  }
});

it("process.exit with work in the queue is clean", () => {
  const code = `
    const { Engine } = require(${HERE});
    const lines = ${JSON.stringify(manyLines(500))}.repeat(1);
    for (let n = 0; n < 12; n += 1) { const e = new Engine(); e.applyNdjsonAsync(lines); e.scoresAsync("default", { asOf: "2026-02-01" }); }
    setImmediate(() => process.exit(7));`;
  for (let n = 0; n < 5; n += 1) {
    const { status, signal, stderr } = spawnSync(process.execPath, ["-"], { input: code, encoding: "utf8" });
    assert.deepEqual([status, signal, stderr], [7, null, ""]);
  }
});
