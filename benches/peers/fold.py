"""The job as a loop over the log in plain Python: one pass, and only what the question needs is kept."""

import json
import sys
import time
from collections import defaultdict, deque
from datetime import date, timedelta
from statistics import median

import job

PAYING = ("active", "past_due")
TICKET = {"support.ticket_opened": 0, "support.ticket_replied": 1, "support.ticket_resolved": 2, "support.ticket_rated": 3}
# How many days back a day is -> which window of 28 days it is in.
WINDOW = [0] * 28 + [1] * 28


class Book:
    """What the log says. Instants stay text: all are in UTC and of one form, so that they sort."""

    def __init__(self, days):
        # Each day of usage that is asked about, with the questions that need it and how many days back it is for them.
        self.needed = defaultdict(list)
        for number, day in enumerate(days):
            for back in range(56):
                self.needed[str(day - timedelta(days=back))].append((number, back))
        self.needed = dict(self.needed)
        # For each question and client: metric -> sums of both windows, user -> days back, fewest days back.
        self.used = [{} for _ in days]
        self.contracts = defaultdict(lambda: defaultdict(list))
        self.tickets = defaultdict(dict)
        self.invoices = defaultdict(dict)
        self.sentiment = defaultdict(list)

    def take(self, event):
        kind, client, at, data = event["type"], event["subject"], event["time"], event["data"]
        if kind == "usage.counted":
            for number, back in self.needed.get(at[:10], ()):
                self.use(number, back, client, data)
        elif kind == "billing.subscription_set":
            annual = round(float(data["amount"]) * 100) * (12 if data["interval"]["unit"] == "month" else 1)
            paid = annual if data["status"] in PAYING else 0
            self.contracts[client][data["subscription"]].append((at, paid, data.get("seats")))
        elif kind in TICKET:
            ticket = self.tickets[client].setdefault(data["ticket"], [None, None, None, None, None])
            ticket[TICKET[kind]] = at
            if kind == "support.ticket_rated":
                ticket[4] = data["rating"]
        elif kind == "billing.invoice_issued":
            invoice = self.invoices[client].setdefault(data["invoice"], [None, None, None])
            invoice[0], invoice[1] = at, data["due"]
        elif kind == "billing.invoice_paid":
            self.invoices[client].setdefault(data["invoice"], [None, None, None])[2] = at
        elif kind == "client.sentiment_set":
            self.sentiment[client].append((at, data["value"]))

    def use(self, number, back, client, data):
        used = self.used[number].get(client)
        if used is None:
            used = self.used[number][client] = [{}, {}, back]
        metrics, users, fewest = used
        sums = metrics.get(data["metric"])
        if sums is None:
            sums = metrics[data["metric"]] = [0, 0]
        sums[WINDOW[back]] += data["count"]
        user = data.get("user")
        if user is not None and back < users.get(user, 30):
            users[user] = back
        if back < fewest:
            used[2] = back

    def sort(self, clients):
        for client in clients:
            for states in self.contracts[client].values():
                states.sort(key=lambda state: state[0])
            self.sentiment[client].sort(key=lambda value: value[0])


def last_before(entries, end):
    """The last of some sorted entries before an instant."""
    last = None
    for entry in entries:
        if entry[0] >= end:
            break
        last = entry
    return last


def readings(book, number, client, day, end, since):
    """The readings of a client as of the end of a day, in the order of the model; None if it was not there yet."""
    contracts = [states for states in book.contracts[client].values() if states[0][0] < end]
    if not contracts:
        return None
    first = min(states[0][0] for states in contracts)
    metrics, users, fewest = book.used[number].get(client, ({}, {}, None))
    sums = [metrics.get(metric, (0, 0)) for metric in job.METRICS]
    now = [float(now) for now, _ in sums]
    before = [float(before) if first < since[28] else None for _, before in sums]
    trend = [now / before if before else None for now, before in sums]
    wau = float(sum(back < 7 for back in users.values()))
    dau, mau = float(sum(back == 0 for back in users.values())), float(len(users))
    breadth = float(sum(now > 0 for now, _ in metrics.values()))

    standing = [last_before(states, end) for states in contracts]
    seats = [state[2] for state in standing if state[1] and state[2] is not None]
    paid = [at for states in contracts for at, annual, _ in states if annual and at < end]
    tenure = float((day - date.fromisoformat(min(paid)[:10])).days) if paid else None

    tickets = [ticket for ticket in book.tickets[client].values() if ticket[0] is not None and ticket[0] < end]
    still_open = sum(resolved is None or resolved >= end for _, _, resolved, _, _ in tickets)
    recent = sum(opened >= since[28] for opened, *_ in tickets)
    waits = [
        hours_between(opened, replied)
        for opened, replied, *_ in tickets
        if opened >= since[90] and replied is not None and replied < end
    ]
    ratings = [rating for *_, rated, rating in tickets if rated is not None and since[90] <= rated < end]

    due = [
        due
        for issued, due, paid in book.invoices[client].values()
        if issued is not None and issued < end and (paid is None or paid >= end)
    ]
    overdue = float(max((day - date.fromisoformat(min(due))).days, 0)) if due else 0.0

    voice, sentiment = last_before(book.sentiment[client], end), None
    if voice:
        age = (day - date.fromisoformat(voice[0][:10])).days
        sentiment = 50 + (voice[1] - 50) * 2 ** (-age / 90) if age <= 180 else None
    return [
        *(now[0], now[1], now[2], before[0], before[1], before[2], *trend),
        *(wau, mau, dau / mau if mau else None, mau / sum(seats) if seats and sum(seats) else None),
        *(breadth, None if fewest is None else float(fewest), float(still_open), float(recent)),
        *(median(waits) if waits else None, sum(ratings) / len(ratings) if ratings else None),
        *(sum(annual for _, annual, _ in standing) / 1200, overdue, tenure, sentiment),
    ]


def hours_between(earlier, later):
    days = (date.fromisoformat(later[:10]) - date.fromisoformat(earlier[:10])).days
    seconds = [int(at[11:13]) * 3600 + int(at[14:16]) * 60 + int(at[17:19]) for at in (earlier, later)]
    return (days * 86400 + seconds[1] - seconds[0]) / 3600


def worth(x, points):
    """Straight between the points, constant outside."""
    if x < points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x < x1:
            return y0 + (x - x0) * (y1 - y0) / (x1 - x0)
    return points[-1][1]


def score(values):
    """The score and the band: weighted means of what is there, if enough is."""
    groups = [[0.0, 0, 0, 0] for _ in job.GROUP_WEIGHTS]
    for (number, _, weight, points, missing), x in zip(job.PARTS, values):
        group = groups[number]
        group[3] += weight
        if x is not None:
            group[2] += weight
        points = missing if x is None else worth(x, points)
        if points is not None:
            group[0] += weight * points
            group[1] += weight
    total = there = covered = 0.0
    for weight, (of_group, present, seen, whole) in zip(job.GROUP_WEIGHTS, groups):
        covered += weight * seen / whole
        if present:
            total += weight * (of_group / present)
            there += weight
    if not there or covered / sum(job.GROUP_WEIGHTS) + job.TOLERANCE < job.MIN_COVERAGE:
        return None, "unknown"
    result = total / there
    return result, next(name for start, name in reversed(job.BANDS) if result + job.TOLERANCE >= start)


def client_table(book, number, day, clients):
    end = str(day + timedelta(days=1))
    since = {days: str(day - timedelta(days=days - 1)) for days in (28, 90)}
    rows = []
    for client in clients:
        values = readings(book, number, client, day, end, since)
        if values is not None:
            rows.append((client, *values, *score(values)))
    return rows


def months(book, bounds):
    bounds = [str(day) for day in bounds]
    rows = [dict.fromkeys(job.LINES + job.HEADS + ["retained", "kept"], 0) for _ in bounds[1:]]
    for contracts in book.contracts.values():
        paid = [0] * len(bounds)
        for states in contracts.values():
            for place, bound in enumerate(bounds):
                state = last_before(states, bound)
                paid[place] += state[1] if state else 0
        first = min((at for states in contracts.values() for at, annual, _ in states if annual), default="")
        for row, start, opening, closing in zip(rows, bounds, paid, paid[1:]):
            move(row, opening, closing, first >= start)
    return [job.rates({"month": bound[:7], **row}) for bound, row in zip(bounds, rows)]


def move(row, opening, closing, is_new):
    row["opening"] += opening
    row["closing"] += closing
    if opening:
        row["opening_clients"] += 1
        row["retained"] += closing
        row["kept"] += min(opening, closing)
    if closing:
        row["closing_clients"] += 1
    if opening and not closing:
        row["churn"] += opening
        row["churned_clients"] += 1
    elif closing and not opening:
        row["new" if is_new else "reactivation"] += closing
        row["new_clients" if is_new else "reactivated_clients"] += 1
    elif closing > opening:
        row["expansion"] += closing - opening
    else:
        row["contraction"] += opening - closing


def fold(book, log, decode, kept_back):
    """Folds the lines of a log but for the last ones, which it returns."""
    take, last = book.take, deque()
    for line in log:
        last.append(line)
        if len(last) > kept_back:
            take(decode(last.popleft()))
    book.sort(list(book.contracts.keys() | book.sentiment.keys()))
    return last


def freshen(book, lines, decode, day):
    """Takes in some lines; returns the rows of the clients they are about, and the last month."""
    clients = {}
    for line in lines:
        event = decode(line)
        book.take(event)
        clients[event["subject"]] = None
    book.sort(clients)
    return client_table(book, 0, day, clients), months(book, job.BOUNDARIES[-2:])


def main():
    args = job.arguments()
    if args.decoder == "orjson":
        import orjson

        decode = orjson.loads
    else:
        decode = json.loads
    begun = time.perf_counter()
    days = job.month_ends(args.instants)
    book = Book(days)
    with (args.data / "events.ndjson").open("rb") as log:
        last = fold(book, log, decode, args.fresh)
    loaded = time.perf_counter()
    tables = [(day, client_table(book, number, day, list(book.contracts))) for number, day in enumerate(days)]
    revenue = months(book, job.BOUNDARIES)
    if args.fresh:
        # All of that is there already when the clock starts.
        begun = loaded = time.perf_counter()
        rows, revenue = freshen(book, last, decode, days[0])
        tables = [(days[0], rows)]
    version = sys.version.split()[0]
    job.finish(args, version, begun, loaded, [(day, lambda rows=rows: rows) for day, rows in tables], revenue)


if __name__ == "__main__":
    main()
