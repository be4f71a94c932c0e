// The job as a loop over the log in Node: one pass, and only what the question needs is kept.

import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'

const LAST_MONTH = [2026, 3]
const MODEL = JSON.parse(readFileSync(new URL('model.json', import.meta.url)))
const PARTS = MODEL.groups.flatMap(({ parts }, group) =>
  parts.map((part) => ({ ...part, group, points: part.curve.points, absent: part.missing?.points ?? null })),
)
const TOLERANCE = 1e-9
const METRICS = ['reports', 'exports', 'calls']
const LINES = ['opening', 'new', 'reactivation', 'expansion', 'contraction', 'churn', 'closing']
const HEADS = ['opening_clients', 'new_clients', 'reactivated_clients', 'churned_clients', 'closing_clients']
const TICKET = {
  'support.ticket_opened': 0,
  'support.ticket_replied': 1,
  'support.ticket_resolved': 2,
  'support.ticket_rated': 3,
}
const DAY = 86_400_000
const text = (millis) => new Date(millis).toISOString().slice(0, 10)
const dayOf = (at) => Date.parse(at.slice(0, 10)) / DAY
const firstOfMonth = (later) => Date.UTC(LAST_MONTH[0], LAST_MONTH[1] - 1 + later, 1)
const BOUNDARIES = Array.from({ length: 13 }, (_, month) => text(firstOfMonth(month - 11)))

/** The last days of the last `count` months, as days since 1970. */
const monthEnds = (count) => Array.from({ length: count }, (_, i) => firstOfMonth(2 - count + i) / DAY - 1)

/** The value of a key, made if there is none. */
function slot(map, key, make) {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}

/** What the log says. Instants stay text: all are in UTC and of one form, so that they sort. */
class Book {
  constructor(days) {
    // Each day of usage that is asked about, with the questions that need it and how many days back it is for them.
    this.needed = new Map()
    days.forEach((day, number) => {
      for (let back = 0; back < 56; back++) slot(this.needed, text((day - back) * DAY), () => []).push([number, back])
    })
    this.used = days.map(() => new Map())
    this.contracts = new Map()
    this.tickets = new Map()
    this.invoices = new Map()
    this.sentiment = new Map()
  }

  take({ type, subject: client, time: at, data }) {
    if (type === 'usage.counted') {
      const needed = this.needed.get(at.slice(0, 10))
      if (needed !== undefined) for (const [number, back] of needed) this.use(number, back, client, data)
    } else if (type === 'billing.subscription_set') {
      const annual = Math.round(Number(data.amount) * 100) * (data.interval.unit === 'month' ? 12 : 1)
      const paid = data.status === 'active' || data.status === 'past_due' ? annual : 0
      const contracts = slot(this.contracts, client, () => new Map())
      slot(contracts, data.subscription, () => []).push({ at, paid, seats: data.seats ?? null })
    } else if (type in TICKET) {
      const ticket = slot(slot(this.tickets, client, () => new Map()), data.ticket, () => [null, null, null, null, null])
      ticket[TICKET[type]] = at
      if (type === 'support.ticket_rated') ticket[4] = data.rating
    } else if (type === 'billing.invoice_issued' || type === 'billing.invoice_paid') {
      const invoices = slot(this.invoices, client, () => new Map())
      const invoice = slot(invoices, data.invoice, () => ({ issued: null, due: null, paid: null }))
      if (type === 'billing.invoice_paid') invoice.paid = at
      else Object.assign(invoice, { issued: at, due: data.due })
    } else if (type === 'client.sentiment_set') {
      slot(this.sentiment, client, () => []).push({ at, value: data.value })
    }
  }

  use(number, back, client, { metric, count, user }) {
    const used = slot(this.used[number], client, () => ({ metrics: new Map(), users: new Map(), fewest: back }))
    slot(used.metrics, metric, () => [0, 0])[back < 28 ? 0 : 1] += count
    if (user !== undefined && back < (used.users.get(user) ?? 30)) used.users.set(user, back)
    if (back < used.fewest) used.fewest = back
  }

  sort(clients) {
    const byTime = (a, b) => (a.at < b.at ? -1 : 1)
    for (const client of clients) {
      for (const states of this.contracts.get(client)?.values() ?? []) states.sort(byTime)
      this.sentiment.get(client)?.sort(byTime)
    }
  }
}

/** The last of some sorted entries before an instant. */
function lastBefore(entries, end) {
  let last = null
  for (const entry of entries) {
    if (entry.at >= end) break
    last = entry
  }
  return last
}

function median(values) {
  if (values.length === 0) return null
  values.sort((a, b) => a - b)
  const half = values.length >> 1
  return values.length % 2 ? values[half] : (values[half - 1] + values[half]) / 2
}

const NOBODY = { metrics: new Map(), users: new Map(), fewest: null }

/** The readings of a client as of the end of a day, in the order of the model; null if it was not there yet. */
function readings(book, number, client, { day, end, since28, since90 }) {
  const contracts = [...book.contracts.get(client).values()].filter((states) => states[0].at < end)
  if (contracts.length === 0) return null
  const first = contracts.map((states) => states[0].at).reduce((a, b) => (a < b ? a : b))
  const { metrics, users, fewest } = book.used[number].get(client) ?? NOBODY
  const sums = METRICS.map((metric) => metrics.get(metric) ?? [0, 0])
  let [breadth, dau, wau] = [0, 0, 0]
  for (const [now] of metrics.values()) if (now > 0) breadth += 1
  for (const back of users.values()) {
    if (back < 7) wau += 1
    if (back === 0) dau += 1
  }
  const mau = users.size

  let [annual, seats, tenure] = [0, 0, null]
  for (const states of contracts) {
    const { paid, seats: stated } = lastBefore(states, end)
    annual += paid
    if (paid) seats += stated ?? 0
    const begun = states.find(({ at, paid }) => paid && at < end)
    if (begun) tenure = Math.max(tenure ?? 0, day - dayOf(begun.at))
  }

  let [open, recent, stars, ratings] = [0, 0, 0, 0]
  const waits = []
  for (const [opened, replied, resolved, rated, rating] of book.tickets.get(client)?.values() ?? []) {
    if (opened === null || opened >= end) continue
    if (resolved === null || resolved >= end) open += 1
    if (opened >= since28) recent += 1
    if (opened >= since90 && replied !== null && replied < end) waits.push((Date.parse(replied) - Date.parse(opened)) / 3.6e6)
    if (rated !== null && rated >= since90 && rated < end) {
      stars += rating
      ratings += 1
    }
  }

  let overdue = 0
  for (const { issued, due, paid } of book.invoices.get(client)?.values() ?? []) {
    if (issued !== null && issued < end && (paid === null || paid >= end)) overdue = Math.max(overdue, day - dayOf(due))
  }

  const voice = lastBefore(book.sentiment.get(client) ?? [], end)
  const age = voice && day - dayOf(voice.at)
  const sentiment = voice && age <= 180 ? 50 + (voice.value - 50) * 2 ** (-age / 90) : null
  return [
    ...sums.map(([now]) => now),
    ...sums.map(([, before]) => (first < since28 ? before : null)),
    ...sums.map(([now, before]) => (before ? now / before : null)),
    ...[wau, mau, mau ? dau / mau : null, seats ? mau / seats : null, breadth, fewest, open, recent],
    ...[median(waits), ratings ? stars / ratings : null, annual / 1200, overdue, tenure, sentiment],
  ]
}

/** Straight between the points, constant outside. */
function worth(x, points) {
  if (x < points[0][0]) return points[0][1]
  for (let i = 1; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]]
    if (x < x1) return y0 + ((x - x0) * (y1 - y0)) / (x1 - x0)
  }
  return points.at(-1)[1]
}

/** The score and the band: weighted means of what is there, if enough is. */
function score(values) {
  const groups = MODEL.groups.map(() => ({ sum: 0, present: 0, seen: 0, whole: 0 }))
  PARTS.forEach(({ group, weight, points, absent }, i) => {
    const of = groups[group]
    of.whole += weight
    if (values[i] !== null) of.seen += weight
    const p = values[i] === null ? absent : worth(values[i], points)
    if (p !== null) {
      of.sum += weight * p
      of.present += weight
    }
  })
  let [total, there, covered, all] = [0, 0, 0, 0]
  MODEL.groups.forEach(({ weight }, i) => {
    const { sum, present, seen, whole } = groups[i]
    covered += (weight * seen) / whole
    all += weight
    if (present > 0) {
      total += weight * (sum / present)
      there += weight
    }
  })
  if (there === 0 || covered / all + TOLERANCE < MODEL.min_coverage) return [null, 'unknown']
  const result = total / there
  return [result, MODEL.bands.findLast(({ from }) => result + TOLERANCE >= from).name]
}

function clientTable(book, number, day, clients) {
  const rows = []
  const [end, since28, since90] = [1, -27, -89].map((days) => text((day + days) * DAY))
  for (const client of clients) {
    const values = readings(book, number, client, { day, end, since28, since90 })
    if (values !== null) rows.push([client, values, ...score(values)])
  }
  return rows
}

function months(book, bounds) {
  const names = [...LINES, ...HEADS, 'retained', 'kept']
  const rows = bounds.slice(1).map(() => Object.fromEntries(names.map((name) => [name, 0])))
  for (const contracts of book.contracts.values()) {
    let first = null
    const paid = bounds.map(() => 0)
    for (const states of contracts.values()) {
      bounds.forEach((bound, place) => (paid[place] += lastBefore(states, bound)?.paid ?? 0))
      const begun = states.find(({ paid }) => paid)
      if (begun && (first === null || begun.at < first)) first = begun.at
    }
    rows.forEach((row, month) => move(row, paid[month], paid[month + 1], first >= bounds[month]))
  }
  return rows.map(({ retained, kept, ...row }, month) => ({
    month: bounds[month].slice(0, 7),
    ...row,
    nrr: row.opening ? retained / row.opening : null,
    grr: row.opening ? kept / row.opening : null,
    logo_churn: row.opening_clients ? row.churned_clients / row.opening_clients : null,
  }))
}

function move(row, opening, closing, isNew) {
  row.opening += opening
  row.closing += closing
  if (opening) {
    row.opening_clients += 1
    row.retained += closing
    row.kept += Math.min(opening, closing)
  }
  if (closing) row.closing_clients += 1
  if (opening && !closing) {
    row.churn += opening
    row.churned_clients += 1
  } else if (closing && !opening) {
    row[isNew ? 'new' : 'reactivation'] += closing
    row[isNew ? 'new_clients' : 'reactivated_clients'] += 1
  } else if (closing > opening) row.expansion += closing - opening
  else row.contraction += opening - closing
}

/** Calls `take` with each line of a file, a megabyte at a time. */
function eachLine(path, take) {
  const file = openSync(path)
  const buffer = Buffer.allocUnsafe(1 << 20)
  for (let kept = 0, read; (read = readSync(file, buffer, kept, buffer.length - kept)) > 0; ) {
    const filled = kept + read
    const whole = buffer.lastIndexOf(10, filled - 1) + 1
    for (const line of buffer.toString('utf8', 0, whole).split('\n')) if (line) take(line)
    buffer.copy(buffer, 0, whole, filled)
    kept = filled - whole
  }
  closeSync(file)
}

/** Folds the lines of a log but for the last ones, which it returns. */
function fold(book, path, keptBack) {
  const last = []
  let folded = 0
  eachLine(path, (line) => {
    last.push(line)
    if (last.length - folded > keptBack) book.take(JSON.parse(last[folded++]))
    if (folded > 65_536) {
      last.splice(0, folded)
      folded = 0
    }
  })
  book.sort([...book.contracts.keys(), ...book.sentiment.keys()])
  return last.slice(folded)
}

/** Takes in some lines; returns the rows of the clients they are about, and the last month. */
function freshen(book, lines, day) {
  const clients = new Set()
  for (const line of lines) {
    const event = JSON.parse(line)
    book.take(event)
    clients.add(event.subject)
  }
  book.sort(clients)
  const known = [...clients].filter((client) => book.contracts.has(client))
  return [clientTable(book, 0, day, known), months(book, BOUNDARIES.slice(-2))]
}

function writeAnswers(path, days, tables, revenue, { plant, fresh }) {
  const out = openSync(path, 'w')
  tables.forEach((rows, number) => {
    rows.sort(([a], [b]) => (a < b ? -1 : 1))
    if (plant && number === tables.length - 1) rows.at(-1)[2] += 1e-6
    for (const [client, values, result, band] of rows) {
      const asked = fresh === '0' ? { readings: values } : {}
      const row = { as_of: text(days[number] * DAY), client, ...asked, score: result, band }
      writeSync(out, JSON.stringify(row) + '\n')
    }
  })
  for (const month of revenue) writeSync(out, JSON.stringify(month) + '\n')
  closeSync(out)
}

const { values: args } = parseArgs({
  options: {
    data: { type: 'string' },
    instants: { type: 'string', default: '1' },
    fresh: { type: 'string', default: '0' },
    answers: { type: 'string' },
    plant: { type: 'boolean', default: false },
  },
})
let begun = performance.now()
const days = monthEnds(Number(args.instants))
const book = new Book(days)
const last = fold(book, `${args.data}/events.ndjson`, Number(args.fresh))
let loaded = performance.now()
let tables = days.map((day, number) => clientTable(book, number, day, book.contracts.keys()))
let revenue = months(book, BOUNDARIES)
if (last.length > 0) {
  // All of that is there already when the clock starts.
  begun = loaded = performance.now()
  const [rows, month] = freshen(book, last, days[0])
  tables = [rows]
  revenue = month
}
const done = performance.now()
const seconds = (from, to) => (to - from) / 1000
const times = { load: seconds(begun, loaded), ask: seconds(loaded, done), seconds: seconds(begun, done) }
console.log(JSON.stringify({ version: process.versions.node, ...times }))
if (args.answers) writeAnswers(args.answers, days, tables, revenue, args)
