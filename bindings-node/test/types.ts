// What the compiler must take and must refuse; `tsc` reads it, nobody runs it.

import { Engine, HealthfoldError, Model, type Event, type HealthScore, type Table } from "healthfold";

const engine = new Engine({ timezone: "Europe/Berlin", dedupe: "exact" });

const counted: Event = {
  id: "1",
  source: "app",
  type: "usage.counted",
  subject: "acme",
  time: new Date(),
  data: { metric: "reports", user: null, count: "2.5" },
};
engine.apply(counted);
engine.apply([counted, '{"id":"2"}', new Uint8Array()], { source: "app", skipUnknown: true });
engine.apply({ id: "3", type: "client.erased", subject: "acme", time: "2026-01-05T10:00:00Z" });

// @ts-expect-error there is no such type of event
engine.apply({ id: "1", source: "app", type: "usage.dreamt", subject: "acme", time: new Date(), data: { metric: "x" } });
// @ts-expect-error a type has its own data
engine.apply({ id: "1", source: "app", type: "client.sentiment_set", subject: "acme", time: new Date(), data: { metric: "x" } });
// @ts-expect-error what is required must be there
engine.apply({ id: "1", source: "app", type: "usage.counted", subject: "acme", time: new Date(), data: {} });
// @ts-expect-error a name that is misspelt
engine.apply({ ...counted, type: "usage.counted", data: { metric: "x", cuont: 1 } });

function told(event: Event): string {
  switch (event.type) {
    case "usage.counted":
      return event.data.metric;
    case "billing.subscription_set":
      return event.data.subscription;
    default:
      return event.subject;
  }
}
told(counted);

const model = new Model({
  name: "mood",
  signals: { mood: { kind: "sentiment" }, used: { kind: "usage_sum", metric: "reports", days: 7 } },
  groups: [{ name: "voice", parts: [{ signal: "mood", curve: { points: [[0, 0], [100, 100]] } }] }],
  bands: [{ name: "red", from: 0 }],
});
// @ts-expect-error there is no such kind of signal
new Model({ name: "x", signals: { a: { kind: "nope" } }, groups: [], bands: [] });
// @ts-expect-error a kind has its own parameters
new Model({ name: "x", signals: { a: { kind: "usage_sum", days: 7 } }, groups: [], bands: [] });

const scores: Table<HealthScore> = engine.scores(model, { asOf: "2026-01-31" });
for (const { client, score, band, asOf } of scores) void [client.length, score === null ? 0 : score + 1, band, asOf.length];
// @ts-expect-error every question says as of when
engine.scores(model);
// @ts-expect-error there is one way to write an option
engine.scores(model, { as_of: "2026-01-31" });
// @ts-expect-error a signal is for the twin
engine.scores(model, { asOf: "2026-01-31", signal: new AbortController().signal });

async function later(): Promise<void> {
  const table: Table<HealthScore> = await engine.scoresAsync("default", { asOf: new Date(), signal: AbortSignal.timeout(100) });
  for await (const row of table) void row.client;
  const report = await engine.revenueAsync("2026-01", { currency: "EUR", rates: [{ currency: "USD", from: "2026-01-01", rate: "0.9" }] });
  const closing: string | undefined = report.total?.closing.mrr;
  void closing;
  const { value, low, high } = report.total?.nrr ?? { value: null, low: null, high: null };
  void [value, low, high];
  const other: Engine = await Engine.restoreAsync(await engine.snapshotAsync());
  await engine.mergeAsync(other, { disjoint: true });
  const simple: string = engine.ltv({ method: "simple", period: "2026-01", margin: 0.8 }).method;
  void simple;
  // @ts-expect-error the observed value needs an instant
  engine.ltv({ method: "observed" });
}
void later;

const { rejected, toArrow } = engine.applyNdjson(new Uint8Array());
const line: bigint | null | undefined = rejected[0]?.line;
void [line, toArrow];

const [issued] = engine.applyParquetEach(new Uint8Array(), [
  { type: "billing.invoice_issued", columns: { time: "issued_at" }, skipWithoutTime: true },
  { type: "billing.invoice_paid", columns: { time: "paid_at" }, strict: true },
]);
void issued?.applied;
// @ts-expect-error each has a type
engine.applyParquetEach(new Uint8Array(), [{ strict: true }]);
// @ts-expect-error a name that is misspelt
engine.applyParquetEach(new Uint8Array(), [{ type: "usage.counted", colums: {} }]);

try {
  engine.score("acme", model, { asOf: "2026-01-31" });
} catch (error) {
  if (error instanceof HealthfoldError) {
    const code: "unknown_client" | "merged" | string = error.code;
    // @ts-expect-error there is no such code
    void (error.code === "unknown_clinet");
    void [code, error.issues?.length, error.field];
  }
}

// @ts-expect-error an error is made by the library
new HealthfoldError("merged", "x");
