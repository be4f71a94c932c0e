"use strict";
// What tests share.

const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");

const ROOT = join(__dirname, "..", "..");

/** An event of usage; what it counts may be said. */
function usage(n, { client = "acme", day = "2026-01-05", ...data } = /** @type {any} */ ({})) {
  const time = `${day}T10:00:00Z`;
  return { id: `u${n}`, source: "app", type: "usage.counted", subject: client, time, data: { metric: "reports", ...data } };
}

/** A monthly subscription in USD. */
function subscription(n, client, amount, time, data = {}) {
  return {
    id: `b${n}`,
    source: "billing",
    type: "billing.subscription_set",
    subject: client,
    time,
    data: { subscription: `s-${client}`, status: "active", amount, currency: "USD", interval: { unit: "month" }, ...data },
  };
}

/** A model whose scores are worked out by hand. */
const MOOD = {
  name: "mood",
  signals: { mood: { kind: "sentiment" }, wau: { kind: "active_users", days: 7 } },
  groups: [
    {
      name: "voice",
      parts: [
        { signal: "mood", weight: 3, curve: { points: [[0, 0], [100, 100]] } },
        { signal: "wau", curve: { points: [[0, 0], [4, 100]] } },
      ],
    },
  ],
  limits: [{ name: "quiet", when: { signal: "wau", below: 1 }, cap: 40 }],
  bands: [{ name: "red", from: 0 }, { name: "yellow", from: 40 }, { name: "green", from: 70 }],
};

/** Three clients: acme grows from 100 to 130, birch leaves with 80, cedar comes with 50. */
const BOOK = [
  subscription(1, "acme", "100", "2026-01-05T10:00:00Z"),
  subscription(2, "birch", "80", "2026-01-06T10:00:00Z"),
  subscription(3, "acme", "130", "2026-03-05T10:00:00Z"),
  subscription(4, "birch", "80", "2026-03-10T10:00:00Z", { status: "cancelled" }),
  subscription(5, "cedar", "50", "2026-03-12T10:00:00Z"),
  usage(1, { day: "2026-03-20", user: "u-1" }),
  usage(2, { day: "2026-03-25", user: "u-2" }),
  usage(3, { client: "cedar", day: "2026-03-26", user: "u-3" }),
  {
    id: "m1",
    source: "crm",
    type: "client.sentiment_set",
    subject: "acme",
    time: "2026-03-02T00:00:00Z",
    data: { value: 80 },
  },
];

/** A made book of many clients with a subscription and some usage each, as NDJSON. */
function manyLines(clients, perClient = 3) {
  const lines = [];
  for (let client = 0; client < clients; client += 1) {
    const name = `client-${client}`;
    lines.push(JSON.stringify(subscription(`${client}`, name, `${100 + (client % 50)}`, "2026-01-05T10:00:00Z")));
    for (let n = 0; n < perClient; n += 1) {
      const day = `2026-01-${String(6 + (n % 20)).padStart(2, "0")}`;
      lines.push(JSON.stringify(usage(`${client}-${n}`, { client: name, day, user: `u-${n % 7}` })));
    }
  }
  return `${lines.join("\n")}\n`;
}

function cases() {
  const folder = join(ROOT, "conformance", "cases");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => ({ file: name.slice(0, -5), text: readFileSync(join(folder, name), "utf8") }));
}

/** A size that the environment may raise: the tests are small unless asked. */
function scaled(small) {
  return Math.round(small * Number(process.env.HEALTHFOLD_TEST_SCALE ?? 1));
}

module.exports = { BOOK, MOOD, ROOT, cases, manyLines, scaled, subscription, usage };
